//! Assembles one [`Analysis`]: everything that any output shows, computed once.
//!
//! **Observed minimum.** The level with the least mean, or whatever [`Statistic`] is asked for; of
//! several equal ones the lowest level. As the least of many noisy numbers it tends to be too low
//! and too far from its neighbours; how many other levels' intervals overlap its own is therefore
//! counted and said. With [`Goal::Max`] it is the level with the greatest, and minimum means
//! maximum throughout.
//!
//! - [`along`]: how the levels lie on the axis.
//! - [`groups`]: what is known of every level.
//! - [`failures`]: how many runs failed where, and which levels may then be the best.
//! - [`goal`], [`margin`]: which value is the best, and which difference from it does not matter.
//! - [`statistic`], [`objective`]: what is minimised, and the levels as they are compared.
//! - [`layers`]: what the levels say of the optimum under which assumption, and which of it is the
//!   headline; [`curve`]: the smooth curve through all levels; [`minimum`]: all of it together.
//! - [`distribution`], [`grid`], [`history`]: what single figures show, computed for them alone.
//! - [`refinement`]: the same where the runs were put around the minimum, and what more of them
//!   would tell.
//! - [`references`]: the means at the references, and the changes from one to the next.
//! - [`warnings`]: what limits the numbers.

pub mod along;
pub mod comparison;
pub mod curve;
pub mod distribution;
pub mod failures;
pub mod goal;
pub mod grid;
pub mod groups;
pub mod history;
pub mod layers;
pub mod margin;
pub mod minimum;
pub mod objective;
pub mod references;
pub mod refinement;
pub mod statistic;
pub mod warnings;

use serde::Serialize;

pub use crate::analysis::along::{Along, AxisScale};
use crate::analysis::failures::{Eligibility, Failures, Ineligible, LevelEntry, Sorted};
pub use crate::analysis::goal::Goal;
use crate::analysis::groups::GroupRule;
pub use crate::analysis::groups::{BasinRule, Group};
use crate::analysis::layers::Layers;
pub use crate::analysis::margin::Margin;
use crate::analysis::minimum::MinimumAnalysis;
use crate::analysis::objective::Objective;
use crate::analysis::references::{Comparisons, nearly_equal};
pub use crate::analysis::references::{Place, ReferenceDifference, ReferencePair, ReferenceResult, Step};
pub use crate::analysis::statistic::Statistic;
use crate::data::{Data, LevelSummaries, LevelSummary, Roles, RowLedger, Setting};
use crate::error::{Error, Result};
use crate::group::blocks::Blocks;
use crate::group::{GroupedRuns, Grouping, MAX_LEVELS, Sample, is_rounding};
use crate::provenance::{InputDigest, Provenance};
use crate::stats::Summary;
use crate::stats::compare::Measured;
use crate::stats::optimum::verdict::Verdict;
use crate::stats::paired::variance_reduction;
use crate::stats::smooth::Edge;
use crate::sweep::{DEFAULT_FACTOR, Reference};
use crate::warning::Warning;

/// Version of the JSON form of an [`Analysis`]; raised when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// What to analyse besides the runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Nominal coverage of the intervals, between 0 and 1.
    pub confidence: f64,
    /// Levels to compare with the minimum.
    pub references: Vec<Reference>,
    /// The difference that does not matter; without one, 1 % of the best value.
    pub margin: Option<Margin>,
    /// What stands for a level.
    pub statistic: Statistic,
    /// Which value is the best; without one, that of the statistic ([`Statistic::usual_goal`]).
    pub goal: Option<Goal>,
    /// How the levels are to lie on the axis.
    pub x_scale: AxisScale,
    /// The greatest share of failed runs of a level that may be the best; without one 0, or any
    /// where failed runs count.
    pub max_failed: Option<f64>,
    /// The value that each failed run counts with; without one it has none.
    pub failed_as: Option<f64>,
    /// Whether levels that only rounding tells apart are one.
    pub pool_levels: bool,
}

impl Default for Question {
    /// Of means, at 95 %, with nothing else asked for.
    fn default() -> Self {
        Self {
            confidence: 0.95,
            references: Vec::new(),
            margin: None,
            statistic: Statistic::Mean,
            goal: None,
            x_scale: AxisScale::Auto,
            max_failed: None,
            failed_as: None,
            pool_levels: false,
        }
    }
}

impl Question {
    /// How the runs become the samples of levels.
    pub fn grouping(&self) -> Grouping {
        Grouping { failed_as: self.failed_as, pool_levels: self.pool_levels }
    }

    /// Which value is the best, whether or not it was asked for.
    pub fn resolved_goal(&self) -> Goal {
        self.goal.unwrap_or(self.statistic.usual_goal())
    }
}

/// What the numbers are computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The runs themselves.
    Runs,
    /// Number, mean and standard deviation of each level: what only runs can give is absent.
    Summaries,
}

/// A sweep whose runs of equal replicate started from the same random numbers, compared in pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedRuns {
    /// Replicates that every level has: those that are compared.
    pub replicates: u64,
    /// Runs of other replicates, which are not.
    pub left_out: u64,
    /// 1 − variance of the differences to the best level / that of independent runs, over all
    /// levels. 0.75: a quarter of the runs tell as much.
    pub variance_reduction: Option<f64>,
}

/// The blocks that the runs come in, such as seeds that every level has, and what taking
/// differences within them gained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockRuns {
    /// The column that says which runs belong together.
    pub column: String,
    /// Whether the user named it.
    pub given: bool,
    /// Number of blocks.
    pub count: u64,
    /// Blocks with one run at every level.
    pub complete: u64,
    /// Whether differences are taken within them: always if the user named them, else if they
    /// explain part of the noise.
    pub used: bool,
    /// 1 − variance of a run within its block / that of independent runs; absent where the blocks
    /// do not tie the levels together.
    pub variance_reduction: Option<f64>,
}

/// Everything that any output shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The factor's column.
    pub factor: String,
    /// The metric's column.
    pub metric: String,
    /// Nominal coverage of the intervals.
    pub confidence: f64,
    /// How the levels lie on the axis, of the fit and of the figures.
    pub along: Along,
    /// Whether runs or summaries of them were given.
    pub basis: Basis,
    /// What became of every row.
    pub ledger: RowLedger,
    /// Every level that takes part, ascending.
    pub groups: Vec<Group>,
    /// The levels that do not, because too many of their runs failed, ascending.
    pub ineligible: Vec<Ineligible>,
    /// Which levels take part.
    pub eligibility: Eligibility,
    /// What decided in which basin a run ended, where the groups have basins.
    pub basin_rule: Option<BasinRule>,
    /// What stands for a level.
    pub statistic: Statistic,
    /// Which value of it is the best.
    pub goal: Goal,
    /// Place of the level with the best value in `groups`.
    pub observed_minimum: usize,
    /// How many other levels' intervals overlap the minimum's.
    pub overlapping: usize,
    /// Where the minimum is, and how sure that is.
    pub minimum: MinimumAnalysis,
    /// What pairing gained; absent if the runs are not compared in pairs.
    pub paired: Option<PairedRuns>,
    /// The blocks that the runs come in; absent if nothing says which runs belong together.
    pub blocks: Option<BlockRuns>,
    /// The difference that does not matter, as it was given.
    pub margin: Margin,
    /// The references, in the user's order.
    pub references: Vec<ReferenceResult>,
    /// Every pair of references within the levels.
    pub pairs: Vec<ReferencePair>,
    /// The observed changes from reference to reference, and from the last to the minimum.
    pub steps: Vec<Step>,
    /// Values of the setting columns, by column.
    pub settings: Vec<(String, Vec<String>)>,
    /// What limits the numbers.
    pub warnings: Vec<Warning>,
    /// How it was made.
    pub provenance: Provenance,
}

impl Analysis {
    /// Analyses runs, or summaries of levels: what [`crate::store::read`] gives, a
    /// [`crate::data::RunTable`] or [`LevelSummaries`].
    ///
    /// # Errors
    /// [`Error::TooManyLevels`]; [`Error::NoEligibleLevel`] if too many runs failed everywhere;
    /// [`Error::Usage`] if the statistic is not known of these data, or the axis that is asked for
    /// cannot hold the levels.
    pub fn of(data: impl Into<Data>, question: &Question) -> Result<Self> {
        match data.into() {
            Data::Runs(runs) => Self::of_runs(&GroupedRuns::new(&runs, question.grouping())?, question),
            Data::Levels(levels) => Self::of_summaries(levels, question),
        }
    }

    /// Analyses runs that are grouped already, with the question's value of failed runs, for those
    /// who need them afterwards.
    ///
    /// # Errors
    /// [`Error::NoEligibleLevel`] and [`Error::Usage`] as [`Self::of`].
    pub fn of_runs(runs: &GroupedRuns<'_>, question: &Question) -> Result<Self> {
        let GroupedRuns { table, samples, blocks, .. } = runs;
        let basin_rule = BasinRule::of(table, samples);
        let (statistic, goal) = (question.statistic, question.resolved_goal());
        let rule = GroupRule::new(question.confidence, basin_rule.as_ref(), statistic, goal);
        let sorted = Sorted::of_samples(samples, &rule, question)?;
        let setting = |(name, values): (&String, &Setting)| (name.clone(), values.values().to_vec());
        let origin = Origin {
            roles: table.roles.clone(),
            basis: Basis::Runs,
            ledger: table.ledger.clone(),
            basin_rule,
            blocks: blocks.clone(),
            settings: table.settings.iter().map(setting).collect(),
            inputs: table.inputs.clone(),
            warnings: table.warnings.clone(),
        };
        Self::assemble(sorted, origin, question)
    }

    fn of_summaries(mut table: LevelSummaries, question: &Question) -> Result<Self> {
        if question.pool_levels {
            table.pool(is_rounding);
        }
        let LevelSummaries { levels, roles, ledger, inputs, warnings } = table;
        if levels.len() > MAX_LEVELS {
            let (levels, rows) = (levels.len(), ledger.read as usize);
            return Err(Error::TooManyLevels { column: roles.factor, levels, rows, limit: MAX_LEVELS });
        }
        let sorted = Sorted::of_summaries(&levels, question)?;
        let (basis, settings) = (Basis::Summaries, Vec::new());
        let origin = Origin { roles, basis, ledger, basin_rule: None, blocks: None, settings, inputs, warnings };
        Self::assemble(sorted, origin, question)
    }

    /// The same as far as number, mean and standard deviation of each level tell, without pairs and
    /// medians: what a table of these levels would give.
    ///
    /// # Errors
    /// [`Error::Usage`] as [`Self::of`].
    pub fn of_levels_alone(&self, question: &Question) -> Result<Self> {
        // Where failed runs count with a value, the sums hold them already.
        let without = |failed: u64| if self.eligibility.failed_as.is_some() { 0 } else { failed };
        let level = |entry: &LevelEntry<'_>| {
            let failed = without(entry.failures.failed);
            let none =
                LevelSummary { level: entry.level, n: 0, mean: f64::NAN, std_dev: None, min: None, max: None, failed };
            entry.group.map_or(none, |group| {
                let Summary { n, mean, std_dev, min, max, .. } = group.summary;
                LevelSummary { n, mean: mean.point, std_dev, min, max, ..none }
            })
        };
        let levels = self.levels().iter().map(level).collect();
        let roles = Roles::new(self.factor.clone(), self.metric.clone());
        let (ledger, inputs) = (self.ledger.clone(), self.provenance.inputs.clone());
        Self::of_summaries(LevelSummaries { levels, roles, ledger, inputs, warnings: Vec::new() }, question)
    }

    /// Everything that follows from the levels, of which there are some.
    fn assemble(sorted: Sorted<'_>, origin: Origin, question: &Question) -> Result<Self> {
        let Sorted { groups, samples, ineligible } = sorted;
        let samples: &[Sample] = &samples;
        let Question { confidence, statistic, .. } = *question;
        let (goal, margin) = (question.resolved_goal(), question.margin.unwrap_or_default());
        let along = along(&origin.roles.factor, question.x_scale, &groups, &ineligible)?;
        let is_given = origin.blocks.as_ref().is_some_and(|blocks| blocks.given);
        let mut objective = Objective::of(statistic, goal, along, &groups, samples, origin.basin_rule.as_ref())?;
        let (variance_reduction, used) = objective.within_blocks(samples, is_given);
        let observed_minimum = place_of_best(&groups, statistic, goal);
        let layers = Layers::new(&objective, margin, confidence);
        if question.margin.is_some_and(Margin::is_share) && layers.signs_differ() {
            return Err(Error::Usage {
                what: "margin",
                given: margin.to_string(),
                reason: format!(
                    "the values of {} are of either sign, so that a share of the best one means nothing; give a number in their unit, such as --margin 0.02",
                    origin.roles.metric
                ),
            });
        }
        let mut minimum = minimum::analyse(&layers, confidence);
        if let Verdict::Coarse { add } = &mut minimum.verdict {
            *add = failures::beside_failures(add, &groups, &ineligible, along);
        }
        let comparisons = Comparisons {
            groups: &groups,
            along,
            statistic,
            goal,
            layers: &layers,
            paired: objective.paired.as_ref(),
            margin: minimum.margin,
            confidence,
            ineligible: &ineligible,
        };
        let (references, pairs) = comparisons.of(&question.references);
        let steps = comparisons.steps(&question.references, observed_minimum);
        let paired = paired_runs(&objective, &groups);
        let mut analysis = Self {
            factor: origin.roles.factor,
            metric: origin.roles.metric,
            confidence,
            along,
            basis: origin.basis,
            ledger: origin.ledger,
            steps,
            overlapping: overlapping_with(&groups, observed_minimum, statistic),
            groups,
            ineligible,
            eligibility: Eligibility::new(question),
            statistic,
            goal,
            paired,
            blocks: origin.blocks.map(|blocks| {
                let Blocks { column, given, count, complete } = blocks;
                BlockRuns { column, given, count, complete, used, variance_reduction }
            }),
            pairs,
            basin_rule: origin.basin_rule,
            observed_minimum,
            minimum,
            margin,
            references,
            settings: origin.settings,
            warnings: Vec::new(),
            provenance: Provenance::of_this_process(origin.inputs),
        };
        analysis.warnings = [origin.warnings, warnings::of(&analysis, samples, question)].concat();
        Ok(analysis)
    }

    /// Every level, ascending, whether or not it takes part.
    pub fn levels(&self) -> Vec<LevelEntry<'_>> {
        failures::entries(&self.groups, &self.ineligible)
    }

    /// Runs that failed and all runs, of the levels that take part and of the others.
    pub fn failures(&self) -> Failures {
        let levels = self.levels();
        let sum = |of: fn(&Failures) -> u64| levels.iter().map(|level| of(level.failures)).sum();
        Failures::new(sum(|failures| failures.failed), sum(|failures| failures.runs), self.confidence)
    }

    /// Whether any run failed.
    pub fn has_failures(&self) -> bool {
        !self.ineligible.is_empty() || self.groups.iter().any(|group| group.failures.failed > 0)
    }

    /// The last level on the axis at this end and the nearest one beyond it that takes no part;
    /// `None` if there is nothing beyond.
    pub fn failures_beyond(&self, edge: Edge) -> Option<[f64; 2]> {
        let beyond = |level: &f64, last: f64| match edge {
            Edge::Low => *level < last && self.along.has_place_for(*level),
            Edge::High => *level > last,
        };
        let on_axis = self.on_axis();
        let last = if edge == Edge::Low { on_axis.first() } else { on_axis.last() }?.level;
        let levels = self.ineligible.iter().map(|other| other.level).filter(|level| beyond(level, last));
        let nearest = levels.min_by(|a, b| (a - last).abs().total_cmp(&(b - last).abs()))?;
        Some([last, nearest])
    }

    /// Number of runs behind the statistics of the levels that take part.
    pub fn runs(&self) -> u64 {
        self.groups.iter().map(|group| group.summary.n).sum()
    }

    /// Which value of the metric itself is the best: of the share of solved runs, the goal says
    /// nothing about the metric, and the least is taken.
    pub fn metric_goal(&self) -> Goal {
        if self.statistic == Statistic::SolvedShare { Goal::Min } else { self.goal }
    }

    /// Whether the runs are the embedded trainer's, whose loss is a sum over epochs and whose
    /// networks solve a task or get stuck.
    pub fn is_trainers(&self) -> bool {
        self.factor == DEFAULT_FACTOR || self.settings.iter().any(|(name, _)| name == DEFAULT_FACTOR)
    }

    /// The level with the best value.
    pub fn observed(&self) -> &Group {
        &self.groups[self.observed_minimum]
    }

    /// The inputs that were read.
    pub fn inputs(&self) -> &[InputDigest] {
        &self.provenance.inputs
    }

    /// The mean at `level`, interpolated between two levels on the axis where need be; nothing
    /// outside the swept range.
    pub fn measured_at(&self, level: f64) -> Option<Measured> {
        let is_known = !references::is_among_failures(level, &self.groups, &self.ineligible);
        references::measured_at(level, &self.groups, self.along).filter(|_| is_known)
    }

    /// How many levels are beside the axis: the first ones.
    pub fn beside(&self) -> usize {
        self.along.beside(self.groups.iter().map(|group| group.level))
    }

    /// The levels on the axis, which the curve is fitted to.
    pub fn on_axis(&self) -> &[Group] {
        &self.groups[self.beside()..]
    }
}

/// How the levels lie on the axis, those that take no part too; of these alone there is no axis.
fn along(factor: &str, scale: AxisScale, groups: &[Group], ineligible: &[Ineligible]) -> Result<Along> {
    let levels: Vec<f64> = failures::entries(groups, ineligible).iter().map(|entry| entry.level).collect();
    let along = scale.for_levels(factor, &levels)?;
    if groups.iter().any(|group| along.has_place_for(group.level)) {
        return Ok(along);
    }
    match scale {
        AxisScale::Auto => Ok(Along::Linear),
        _ => Err(Error::Usage {
            what: "x-scale",
            given: "log".into(),
            reason: format!("too many runs failed at every level of '{factor}' above 0; use --x-scale linear"),
        }),
    }
}

/// Where groups come from.
struct Origin {
    roles: Roles,
    basis: Basis,
    ledger: RowLedger,
    basin_rule: Option<BasinRule>,
    blocks: Option<Blocks>,
    settings: Vec<(String, Vec<String>)>,
    inputs: Vec<InputDigest>,
    warnings: Vec<Warning>,
}

fn place_of_best(groups: &[Group], statistic: Statistic, goal: Goal) -> usize {
    let value = |place: &usize| statistic.at(&groups[*place]).map_or(f64::INFINITY, |at| goal.sign() * at.point);
    (0..groups.len()).min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0)
}

fn overlapping_with(groups: &[Group], minimum: usize, statistic: Statistic) -> usize {
    let interval = |group: &Group| statistic.at(group).and_then(|estimate| estimate.interval);
    let Some(own) = interval(&groups[minimum]) else { return 0 };
    let overlaps = |group: &Group| interval(group).is_some_and(|other| other.overlaps(&own));
    groups.iter().enumerate().filter(|(place, group)| *place != minimum && overlaps(group)).count()
}

fn paired_runs(objective: &Objective, groups: &[Group]) -> Option<PairedRuns> {
    let common = objective.paired.as_ref()?;
    let replicates = common.replicates.len() as u64;
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>();
    let best = common.values.iter().min_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    Some(PairedRuns {
        replicates,
        left_out: groups.iter().map(|group| group.summary.n.saturating_sub(replicates)).sum(),
        variance_reduction: variance_reduction(&common.values, best),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_equal_optima_is_taken() {
        let samples = [(1.0, 5.0), (2.0, 3.0), (3.0, 3.0)].map(|(level, value)| Sample::of(level, vec![value]));
        let groups = groups::of_means(&samples);
        assert_eq!(place_of_best(&groups, Statistic::Mean, Goal::Min), 1);
        assert_eq!(place_of_best(&groups[1..], Statistic::Mean, Goal::Max), 0);
        assert_eq!(
            overlapping_with(&groups, 1, Statistic::Mean),
            0,
            "without intervals nothing can be said to overlap"
        );
    }
}
