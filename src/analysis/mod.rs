//! Assembles one [`Analysis`]: everything that any output shows, computed once.
//!
//! **Observed minimum.** The level with the least mean, or whatever [`Statistic`] is asked for; of several equal ones the lowest level. As the least of many noisy
//! numbers it tends to be too low and too far from its neighbours; how many other levels' intervals overlap its own is
//! therefore counted and said. With [`Goal::Max`] it is the level with the greatest, and minimum means maximum throughout.
//!
//! - [`along`]: how the levels lie on the axis.
//! - [`groups`]: what is known of every level.
//! - [`goal`], [`margin`]: which value is the best, and which difference from it does not matter.
//! - [`statistic`], [`objective`]: what is minimised, and the levels as they are compared.
//! - [`layers`]: what the levels say of the optimum under which assumption, and which of it is the headline; [`curve`]: the smooth curve
//!   through all levels; [`minimum`]: all of it together.
//! - [`distribution`], [`grid`], [`history`]: what single figures show, computed for them alone.
//! - [`refinement`]: the same where the runs were put around the minimum, and what more of them would tell.
//! - [`references`]: the means at the references, and the changes from one to the next.
//! - [`warnings`]: what limits the numbers.

pub mod along;
pub mod comparison;
pub mod curve;
pub mod distribution;
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
pub use crate::analysis::goal::Goal;
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
use crate::group::{GroupedRuns, MAX_LEVELS, Sample};
use crate::provenance::{InputDigest, Provenance};
use crate::stats::Summary;
use crate::stats::compare::Measured;
use crate::stats::paired::variance_reduction;
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
}

impl Question {
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
    /// 1 − variance of the differences to the best level / that of independent runs, over all levels. 0.75: a quarter of the
    /// runs tell as much.
    pub variance_reduction: Option<f64>,
}

/// The blocks that the runs come in, such as seeds that every level has, and what taking differences within them gained.
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
    /// Whether differences are taken within them: always if the user named them, else if they explain part of the noise.
    pub used: bool,
    /// 1 − variance of a run within its block / that of independent runs; absent where the blocks do not tie the levels together.
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
    /// Every level, ascending.
    pub groups: Vec<Group>,
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
    /// Analyses runs, or summaries of levels: what [`crate::store::read`] gives, a [`crate::data::RunTable`] or [`LevelSummaries`].
    ///
    /// # Errors
    /// [`Error::TooManyLevels`]; [`Error::Usage`] if the statistic is not known of these data, or
    /// the axis that is asked for cannot hold the levels.
    pub fn of(data: impl Into<Data>, question: &Question) -> Result<Self> {
        match data.into() {
            Data::Runs(runs) => Self::of_runs(&GroupedRuns::new(&runs, None)?, question),
            Data::Levels(levels) => Self::of_summaries(levels, question),
        }
    }

    /// Analyses runs that are grouped already, for those who need them afterwards.
    ///
    /// # Errors
    /// [`Error::Usage`] as [`Self::of`].
    pub fn of_runs(runs: &GroupedRuns<'_>, question: &Question) -> Result<Self> {
        let GroupedRuns { table, samples, blocks, .. } = runs;
        let basin_rule = BasinRule::of(table, samples);
        let groups = groups::of_samples(samples, basin_rule.as_ref(), question.confidence);
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
        Self::assemble(groups, samples, origin, question)
    }

    fn of_summaries(table: LevelSummaries, question: &Question) -> Result<Self> {
        let LevelSummaries { levels, roles, ledger, inputs, warnings } = table;
        if levels.len() > MAX_LEVELS {
            let (levels, rows) = (levels.len(), ledger.read as usize);
            return Err(Error::TooManyLevels { column: roles.factor, levels, rows, limit: MAX_LEVELS });
        }
        let groups = groups::of_summaries(&levels, question.confidence);
        let (basis, settings) = (Basis::Summaries, Vec::new());
        let origin = Origin { roles, basis, ledger, basin_rule: None, blocks: None, settings, inputs, warnings };
        Self::assemble(groups, &[], origin, question)
    }

    /// The same as far as number, mean and standard deviation of each level tell, without pairs and medians: what a table of these levels
    /// would give.
    ///
    /// # Errors
    /// [`Error::Usage`] as [`Self::of`].
    pub fn of_levels_alone(&self, question: &Question) -> Result<Self> {
        let level = |group: &Group| {
            let Summary { n, mean, std_dev, min, max, .. } = group.summary;
            LevelSummary { level: group.level, n, mean: mean.point, std_dev, min, max, failed: 0 }
        };
        let levels = self.groups.iter().map(level).collect();
        let roles = Roles::new(self.factor.clone(), self.metric.clone());
        let (ledger, inputs) = (self.ledger.clone(), self.provenance.inputs.clone());
        Self::of_summaries(LevelSummaries { levels, roles, ledger, inputs, warnings: Vec::new() }, question)
    }

    /// Everything that follows from the groups, which are not empty; `samples` are empty if there are no runs.
    fn assemble(groups: Vec<Group>, samples: &[Sample], origin: Origin, question: &Question) -> Result<Self> {
        let Question { confidence, statistic, .. } = *question;
        let (goal, margin) = (question.resolved_goal(), question.margin.unwrap_or_default());
        let levels: Vec<f64> = groups.iter().map(|group| group.level).collect();
        let along = question.x_scale.for_levels(&origin.roles.factor, &levels)?;
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
        let minimum = minimum::analyse(&layers, confidence);
        let comparisons = Comparisons {
            groups: &groups,
            along,
            statistic,
            goal,
            layers: &layers,
            paired: objective.paired.as_ref(),
            margin: minimum.margin,
            confidence,
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

    /// Number of runs behind the groups.
    pub fn runs(&self) -> u64 {
        self.groups.iter().map(|group| group.summary.n).sum()
    }

    /// Which value of the metric itself is the best: of the share of solved runs, the goal says nothing about the metric, and
    /// the least is taken.
    pub fn metric_goal(&self) -> Goal {
        if self.statistic == Statistic::SolvedShare { Goal::Min } else { self.goal }
    }

    /// Whether the runs are the embedded trainer's, whose loss is a sum over epochs and whose networks solve a task or get stuck.
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
        references::measured_at(level, &self.groups, self.along)
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
        left_out: groups.iter().map(|group| group.summary.n - replicates).sum(),
        variance_reduction: variance_reduction(&common.values, best),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_equal_optima_is_taken() {
        let samples = [(1.0, 5.0), (2.0, 3.0), (3.0, 3.0)].map(|(level, value)| Sample::of(level, vec![value]));
        let groups = groups::of_samples(&samples, None, 0.95);
        assert_eq!(place_of_best(&groups, Statistic::Mean, Goal::Min), 1);
        assert_eq!(place_of_best(&groups[1..], Statistic::Mean, Goal::Max), 0);
        assert_eq!(
            overlapping_with(&groups, 1, Statistic::Mean),
            0,
            "without intervals nothing can be said to overlap"
        );
    }
}
