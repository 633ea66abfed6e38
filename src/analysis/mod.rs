//! Assembles one [`Analysis`]: everything that any output shows, computed once.
//!
//! **Observed minimum.** The level with the least mean; of several equal ones the lowest level. As the least of many noisy
//! numbers it tends to be too low and too far from its neighbours; how many other levels' intervals overlap its own is
//! therefore counted and said.
//!
//! **Mean at a reference.** A reference such as 1/√2 need not be a level. Between two levels the mean is interpolated
//! linearly along the axis (in ln x where both are above 0); its standard error follows from those of the two, which are
//! independent, its t interval has Satterthwaite's degrees of freedom. Outside the swept range there is no value.
//!
//! **Relative change** from a to b: b/a − 1. Standard error by the delta method, r·√((se_a/a)² + (se_b/b)²) with r = b/a for
//! independent means (Casella and Berger 2002, 5.5.4), and a t interval with Satterthwaite's degrees of freedom. It knows
//! nothing of how the minimum was chosen: against the least of many means it promises too much.

pub mod comparison;
pub mod minimum;

use serde::Serialize;

use crate::analysis::minimum::{Curve, MinimumAnalysis, ReferenceDifference};
use crate::error::Result;
use crate::group::{self, Sample};
use crate::provenance::{InputDigest, Provenance};
use crate::stats::compare::Measured;
use crate::stats::interval::{satterthwaite, student_t_quantile};
use crate::stats::{ConfidenceInterval, Estimate, Method, Summary};
use crate::store::RunTable;
use crate::store::schema::RowLedger;
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC, Reference};
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
    /// The difference that does not matter, as a share of the least mean: 0.01 is 1 %.
    pub margin: f64,
}

/// The runs at one level, described.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// The factor's value.
    pub level: f64,
    /// Its sample.
    pub summary: Summary,
    /// Share of its runs that solved the task, where the metric is the trainer's total loss.
    pub solved_share: Option<Estimate>,
}

/// A reference with the metric's mean there.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceResult {
    /// The reference.
    pub reference: Reference,
    /// The mean at it; absent outside the swept range.
    pub mean: Option<Estimate>,
    /// Whether the mean is interpolated between two levels.
    pub interpolated: bool,
    /// What it costs against the fitted minimum; absent without a curve, and outside the swept range.
    pub to_minimum: Option<ReferenceDifference>,
}

/// One end of a [`Step`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Name of a reference, or `minimum`.
    pub name: String,
    /// The factor's value.
    pub level: f64,
}

/// How much the mean changes from one place to another, relative to the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it starts.
    pub from: Place,
    /// Where it ends.
    pub to: Place,
    /// Relative change: −0.085 is 8.5 % less.
    pub change: Estimate,
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
    /// What became of every row.
    pub ledger: RowLedger,
    /// Every level, ascending.
    pub groups: Vec<Group>,
    /// Place of the level with the least mean in `groups`.
    pub observed_minimum: usize,
    /// How many other levels' intervals overlap the minimum's.
    pub overlapping: usize,
    /// Where the minimum is, and how sure that is.
    pub minimum: MinimumAnalysis,
    /// The share of the least mean that does not matter.
    pub margin: f64,
    /// The references, in the user's order.
    pub references: Vec<ReferenceResult>,
    /// The changes from reference to reference, and from the last to the minimum.
    pub steps: Vec<Step>,
    /// Values of the setting columns, by column.
    pub settings: Vec<(String, Vec<String>)>,
    /// What limits the numbers.
    pub warnings: Vec<Warning>,
    /// How it was made.
    pub provenance: Provenance,
}

impl Analysis {
    /// Analyses `table`.
    ///
    /// # Errors
    /// Those of [`group::by_level`].
    pub fn of(table: RunTable, question: &Question) -> Result<Self> {
        let samples = group::by_level(&table)?;
        let solved = minimum::solved_shares(&samples, epochs_of(&table), question.confidence);
        let groups = describe(&samples, &solved, question.confidence);
        let observed_minimum = place_of_least_mean(&groups);
        let overlapping = overlapping_with(&groups, observed_minimum);
        let mut references = Vec::new();
        let mut places = Vec::new();
        for reference in &question.references {
            let found = at_level(reference.value, &groups, question.confidence);
            places.extend(
                found.map(|(known, _)| (Place { name: reference.name.clone(), level: reference.value }, known)),
            );
            let interpolated = found.is_some_and(|(_, interpolated)| interpolated);
            references.push(ReferenceResult {
                reference: reference.clone(),
                mean: found.map(|(known, _)| known.mean),
                interpolated,
                to_minimum: None,
            });
        }
        let curve = Curve::through(&groups, question.confidence);
        let found = minimum::analyse(&samples, &groups, curve.as_ref(), question);
        let differences =
            minimum::reference_differences(&references, curve.as_ref(), found.margin, question.confidence);
        references.iter_mut().zip(differences).for_each(|(result, difference)| result.to_minimum = difference);
        let minimum = &groups[observed_minimum];
        places.push((Place { name: "minimum".into(), level: minimum.level }, Known::of(minimum)));
        let mut analysis = Self {
            factor: table.columns.factor,
            metric: table.columns.metric,
            confidence: question.confidence,
            ledger: table.ledger,
            steps: steps(&places, question.confidence),
            groups,
            observed_minimum,
            overlapping,
            minimum: found,
            margin: question.margin,
            references,
            settings: table.settings.into_iter().map(|(name, values)| (name, values.values().to_vec())).collect(),
            warnings: Vec::new(),
            provenance: Provenance::of_this_process(table.inputs),
        };
        analysis.warnings = [table.warnings, analysis.own_warnings()].concat();
        Ok(analysis)
    }

    /// The level with the least mean.
    pub fn observed(&self) -> &Group {
        &self.groups[self.observed_minimum]
    }

    /// The inputs that were read.
    pub fn inputs(&self) -> &[InputDigest] {
        &self.provenance.inputs
    }

    /// The mean at `level`, interpolated between two levels where need be; nothing outside the swept range.
    pub fn measured_at(&self, level: f64) -> Option<Measured> {
        let (known, _) = at_level(level, &self.groups, self.confidence)?;
        let Estimate { point, standard_error, .. } = known.mean;
        Some(Measured { point, standard_error, freedom: known.freedom })
    }

    /// Whether the levels ask for a logarithmic axis: those above 0 span a factor of ten.
    pub fn suggests_log_axis(&self) -> bool {
        const SPAN: f64 = 10.0;
        let lowest = self.groups.iter().map(|group| group.level).find(|level| *level > 0.0);
        let highest = self.groups.last().map(|group| group.level);
        matches!((lowest, highest), (Some(lowest), Some(highest)) if highest / lowest >= SPAN)
    }

    fn own_warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let excluded = self.ledger.excluded_in_all();
        if excluded > 0 {
            warnings.push(Warning::Excluded { rows: excluded, read: self.ledger.read, reasons: self.ledger.reasons() });
        }
        for (name, values) in self.settings.iter().filter(|(name, values)| name != "seed" && values.len() > 1) {
            warnings.push(Warning::PooledSetting { name: name.clone(), values: values.clone() });
        }
        let single = self.groups.iter().filter(|group| group.summary.n == 1).count();
        if single > 0 {
            warnings.push(Warning::SingleRuns { levels: single });
        }
        let nearly: Vec<_> = self.groups.windows(2).filter(|pair| nearly_equal(pair[0].level, pair[1].level)).collect();
        if let Some(pair) = nearly.first() {
            warnings.push(Warning::NearlyEqualLevels { pairs: nearly.len(), example: (pair[0].level, pair[1].level) });
        }
        let not_positive = self.groups.iter().filter(|group| group.level <= 0.0).count();
        if not_positive > 0 && self.suggests_log_axis() {
            warnings.push(Warning::NotOnLogAxis { levels: not_positive });
        }
        let last = self.groups.len() - 1;
        if last > 0 && (self.observed_minimum == 0 || self.observed_minimum == last) {
            warnings.push(Warning::MinimumAtEdge { level: self.observed().level });
        }
        for result in self.references.iter().filter(|result| result.mean.is_none()) {
            warnings
                .push(Warning::ReferenceOutside { name: result.reference.name.clone(), value: result.reference.value });
        }
        warnings
    }
}

fn describe(samples: &[Sample], solved: &[Option<Estimate>], confidence: f64) -> Vec<Group> {
    let group = |(sample, solved): (&Sample, &Option<Estimate>)| {
        let summary = Summary::of_sorted(&sample.sorted, confidence)?;
        Some(Group { level: sample.level, summary, solved_share: *solved })
    };
    // Groups without runs do not exist, so that every sample has a summary.
    samples.iter().zip(solved).filter_map(group).collect()
}

/// The number of epochs behind the trainer's total loss; nothing for another metric, or where runs of several lengths mix.
fn epochs_of(table: &RunTable) -> Option<f64> {
    const ARTICLE: f64 = 10_000.0;
    if table.columns.metric != DEFAULT_METRIC || table.columns.factor != DEFAULT_FACTOR {
        return None;
    }
    // The article's collection has no such column.
    let Some(values) = table.settings.get("epochs") else { return Some(ARTICLE) };
    let [value] = values.values() else { return None };
    value.parse().ok()
}

fn place_of_least_mean(groups: &[Group]) -> usize {
    let mean = |place: &usize| groups[*place].summary.mean.point;
    (0..groups.len()).min_by(|a, b| mean(a).total_cmp(&mean(b))).unwrap_or(0)
}

fn overlapping_with(groups: &[Group], minimum: usize) -> usize {
    let Some(interval) = groups[minimum].summary.mean.interval else { return 0 };
    let overlaps = |group: &Group| group.summary.mean.interval.is_some_and(|other| other.overlaps(&interval));
    groups.iter().enumerate().filter(|(place, group)| *place != minimum && overlaps(group)).count()
}

/// Levels that only rounding tells apart: closer than 1e-12 of their size.
fn nearly_equal(a: f64, b: f64) -> bool {
    const ROUNDING: f64 = 1e-12;
    (b - a).abs() <= ROUNDING * a.abs().max(b.abs())
}

/// A mean at a place, with the degrees of freedom of its standard error.
#[derive(Debug, Clone, Copy)]
struct Known {
    mean: Estimate,
    freedom: f64,
}

impl Known {
    fn of(group: &Group) -> Self {
        Self { mean: group.summary.mean, freedom: group.summary.n as f64 - 1.0 }
    }

    /// `point`, whose error is that of Σ wᵢ·meanᵢ for independent means, with its t interval at `confidence`.
    fn combined(point: f64, parts: [(f64, Self); 2], confidence: f64) -> Self {
        let weighted =
            parts.map(|(weight, known)| known.mean.standard_error.map(|error| (weight * error, known.freedom)));
        let [Some((a, freedom_a)), Some((b, freedom_b))] = weighted else {
            return Self { mean: Estimate { point, standard_error: None, interval: None }, freedom: 0.0 };
        };
        let standard_error = libm::hypot(a, b);
        let freedom = satterthwaite(&[(a * a, freedom_a), (b * b, freedom_b)]).unwrap_or(freedom_a.min(freedom_b));
        let quantile = student_t_quantile(confidence, freedom);
        let interval = ConfidenceInterval::symmetric(point, standard_error, quantile, confidence, Method::WelchT);
        Self { mean: Estimate { point, standard_error: Some(standard_error), interval: Some(interval) }, freedom }
    }
}

/// The mean at level `x`, and whether it is interpolated; nothing outside the swept range.
fn at_level(x: f64, groups: &[Group], confidence: f64) -> Option<(Known, bool)> {
    if let Some(group) = groups.iter().find(|group| nearly_equal(group.level, x)) {
        return Some((Known::of(group), false));
    }
    let [below, above] = groups.array_windows().find(|[below, above]| below.level < x && x < above.level)?;
    let along = |level: f64| if below.level > 0.0 { libm::log(level) } else { level };
    let weight = (along(x) - along(below.level)) / (along(above.level) - along(below.level));
    let point = (1.0 - weight) * below.summary.mean.point + weight * above.summary.mean.point;
    Some((Known::combined(point, [(1.0 - weight, Known::of(below)), (weight, Known::of(above))], confidence), true))
}

fn steps(places: &[(Place, Known)], confidence: f64) -> Vec<Step> {
    let step = |[(from, a), (to, b)]: &[(Place, Known); 2]| {
        (a.mean.point != 0.0).then(|| Step {
            from: from.clone(),
            to: to.clone(),
            change: relative_change(a, b, confidence),
        })
    };
    places.array_windows().filter_map(step).collect()
}

fn relative_change(from: &Known, to: &Known, confidence: f64) -> Estimate {
    let ratio = to.mean.point / from.mean.point;
    // The partial derivatives of b/a by a and by b; their sign does not matter.
    let parts =
        [(ratio / from.mean.point, *from), (1.0 / from.mean.point, *to)].map(|(weight, known)| (weight.abs(), known));
    Known::combined(ratio - 1.0, parts, confidence).mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(rows: &[(f64, &[f64])]) -> Vec<Group> {
        let samples: Vec<Sample> =
            rows.iter().map(|(level, values)| Sample { level: *level, sorted: values.to_vec() }).collect();
        describe(&samples, &vec![None; samples.len()], 0.95)
    }

    #[test]
    fn the_lowest_of_equal_minima_is_taken() {
        let groups = groups(&[(1.0, &[5.0]), (2.0, &[3.0]), (3.0, &[3.0])]);
        assert_eq!(place_of_least_mean(&groups), 1);
        assert_eq!(overlapping_with(&groups, 1), 0, "without intervals nothing can be said to overlap");
    }

    #[test]
    fn a_reference_between_levels_is_interpolated_in_the_logarithm() {
        let groups = groups(&[(0.5, &[9.0, 11.0]), (2.0, &[19.0, 21.0])]);
        let (known, interpolated) = at_level(1.0, &groups, 0.95).unwrap();
        assert!(interpolated && (known.mean.point - 15.0).abs() < 1e-12);
        // Both standard errors are 1 with one degree of freedom, both weights ½.
        assert!((known.mean.standard_error.unwrap() - 0.5f64.sqrt()).abs() < 1e-12);
        assert!((known.freedom - 2.0).abs() < 1e-12);
        assert_eq!(at_level(0.5, &groups, 0.95).unwrap().0.mean, groups[0].summary.mean);
        assert!(at_level(0.4, &groups, 0.95).is_none());
    }

    #[test]
    fn relative_changes_carry_their_error() {
        let at = |point, error| Known {
            mean: Estimate { point, standard_error: Some(error), interval: None },
            freedom: 9.0,
        };
        let change = relative_change(&at(100.0, 3.0), &at(80.0, 2.0), 0.95);
        assert!((change.point + 0.2).abs() < 1e-15);
        assert!((change.standard_error.unwrap() - 0.8 * (0.03f64.powi(2) + 0.025f64.powi(2)).sqrt()).abs() < 1e-15);
    }
}
