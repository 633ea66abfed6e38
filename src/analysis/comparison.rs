//! What moved between two sets of runs, by how much, and is that more than noise?
//!
//! Minimum means maximum where the greatest value is the best.
//!
//! **Means at common levels.** Welch's difference b − a and Fieller's relative change
//! ([`crate::stats::compare`]); p over all common levels by Holm, so that the chance of any false
//! claim among them is at most α. Levels are common if they are equal up to rounding. A level with
//! a single run has no error and is listed without a test.
//!
//! **The mean over all common levels** weighs every level alike, however many runs it has: Σ(b̄ −
//! ā)/k, its error that of a sum of independent means, Satterthwaite's degrees of freedom. More
//! sensitive than any single level to a change that touches all.
//!
//! **Place and value of the fitted minimum.** Each side has its own bootstrap interval. The
//! interval of the difference is put together from the four distances between points and ends
//! (MOVER, Zou and Donner 2008): d − √((b − b_lower)² + (a_upper − a)²) to d + √((b_upper − b)² +
//! (a − a_lower)²). It keeps the skewness of both, and needs points and ends only. Why not a t
//! interval: the place's distribution is skewed and has no useful standard error.
//!
//! **References.** The mean at the reference on either side, interpolated between levels where need
//! be, by Welch's difference.
//!
//! **When it is wrong.** The two sides must be independent: sweeps from the same seed share their
//! draws, which makes the true error smaller than stated here, and so the comparison too cautious.
//! Claims about places, the mean and the references are each at the stated confidence, not adjusted
//! for each other.

mod condition;

pub use condition::{Condition, Outcome, Subject};

use crate::analysis::{Analysis, Goal, Group, nearly_equal};
use crate::data::RowLedger;
use crate::stats::compare::{Measured, holm, relative_change, welch};
use crate::stats::interval::satterthwaite;
use crate::stats::{ConfidenceInterval, Estimate, Method};

/// How a mean changed from the first set of runs to the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The mean in the first.
    pub from: f64,
    /// The mean in the second.
    pub to: f64,
    /// Second less first.
    pub difference: Estimate,
    /// Second / first − 1; absent unless both are above 0.
    pub relative: Option<Estimate>,
    /// Two-sided probability of a difference at least as large if there is none; absent without
    /// errors.
    pub p_value: Option<f64>,
}

impl Change {
    fn of(from: &Measured, to: &Measured, confidence: f64) -> Self {
        let found = welch(from, to, confidence);
        let without = Estimate { point: to.point - from.point, standard_error: None, interval: None };
        let positive = from.point > 0.0 && to.point > 0.0;
        Self {
            from: from.point,
            to: to.point,
            difference: found.map_or(without, |found| found.estimate),
            relative: positive.then(|| relative_change(from, to, confidence)),
            p_value: found.map(|found| found.p_value),
        }
    }
}

/// A change at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelChange {
    /// The level.
    pub level: f64,
    /// Its mean's change; p not adjusted.
    pub change: Change,
    /// p adjusted over all common levels; absent without errors.
    pub adjusted_p: Option<f64>,
}

/// A change at a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceChange {
    /// Its name.
    pub name: String,
    /// Its place.
    pub level: f64,
    /// The mean's change there; absent outside the levels of either side.
    pub change: Option<Change>,
}

/// How the place of the fitted minimum changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// In the first.
    pub from: Estimate,
    /// In the second.
    pub to: Estimate,
    /// Second less first.
    pub difference: Estimate,
}

/// Two sets of runs side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The factor's column.
    pub factor: String,
    /// The metric's column.
    pub metric: String,
    /// Nominal coverage of the intervals.
    pub confidence: f64,
    /// Which value is the best; minimum means maximum if it is the greatest.
    pub goal: Goal,
    /// Runs in the first and the second.
    pub runs: [u64; 2],
    /// What became of every row of the first and the second.
    pub ledgers: [RowLedger; 2],
    /// Place of the fitted minimum; absent where either side has no curve.
    pub place: Option<Shift>,
    /// Value of the fitted minimum; absent where either side has no curve.
    pub value: Option<Change>,
    /// Mean over all common levels; absent without any that have errors.
    pub mean: Option<Change>,
    /// The references, in the user's order.
    pub references: Vec<ReferenceChange>,
    /// The common levels, ascending.
    pub levels: Vec<LevelChange>,
    /// Levels of one side only.
    pub only: [Vec<f64>; 2],
}

impl Comparison {
    /// Compares the second analysis with the first; both were asked the same question.
    pub fn of(first: &Analysis, second: &Analysis) -> Self {
        let confidence = first.confidence;
        let pairs = common(&first.groups, &second.groups);
        let is_common = |level: f64| pairs.iter().any(|[a, b]| a.level == level || b.level == level);
        // A level that the other side has, but for failed runs, is not one of this side only.
        let has_failed =
            |side: &Analysis, level: f64| side.ineligible.iter().any(|other| nearly_equal(other.level, level));
        let only = [[first, second], [second, first]].map(|[side, other]| {
            let levels = side.groups.iter().map(|group| group.level);
            levels.filter(|level| !is_common(*level) && !has_failed(other, *level)).collect()
        });
        let places = first.minimum.level.zip(second.minimum.level);
        let values = first.minimum.value.zip(second.minimum.value);
        let reference = |(result, other): (&crate::analysis::ReferenceResult, _)| ReferenceChange {
            name: result.reference.name.clone(),
            level: result.reference.value,
            change: first
                .measured_at(result.reference.value)
                .zip(other)
                .map(|(from, to)| Change::of(&from, &to, confidence)),
        };
        let others = first.references.iter().map(|result| second.measured_at(result.reference.value));
        Self {
            factor: first.factor.clone(),
            metric: first.metric.clone(),
            confidence,
            goal: first.goal,
            runs: [first, second].map(|side| side.groups.iter().map(|group| group.summary.n).sum()),
            ledgers: [first, second].map(|side| side.ledger.clone()),
            place: places.map(|(from, to)| Shift { from, to, difference: difference(&from, &to, confidence) }),
            value: values.map(|(from, to)| change_of_value(&from, &to, confidence)),
            mean: change_of_mean(&pairs, confidence),
            references: first.references.iter().zip(others).map(reference).collect(),
            levels: level_changes(&pairs, confidence),
            only,
        }
    }
}

/// The levels that both have.
fn common<'a>(first: &'a [Group], second: &'a [Group]) -> Vec<[&'a Group; 2]> {
    let mut rest = second;
    let mut pairs = Vec::new();
    for a in first {
        // Both ascend.
        while rest.first().is_some_and(|b| b.level < a.level && !nearly_equal(a.level, b.level)) {
            rest = &rest[1..];
        }
        if let Some((b, after)) = rest.split_first().filter(|(b, _)| nearly_equal(a.level, b.level)) {
            pairs.push([a, b]);
            rest = after;
        }
    }
    pairs
}

fn measured(group: &Group) -> Measured {
    let mean = group.summary.mean;
    Measured { point: mean.point, standard_error: mean.standard_error, freedom: group.summary.n as f64 - 1.0 }
}

fn level_changes(pairs: &[[&Group; 2]], confidence: f64) -> Vec<LevelChange> {
    let changes: Vec<Change> = pairs.iter().map(|[a, b]| Change::of(&measured(a), &measured(b), confidence)).collect();
    let mut adjusted = holm(&changes.iter().filter_map(|change| change.p_value).collect::<Vec<_>>()).into_iter();
    let level = |([a, _], change): (&[&Group; 2], Change)| {
        let adjusted_p = change.p_value.and_then(|_| adjusted.next());
        LevelChange { level: a.level, change, adjusted_p }
    };
    pairs.iter().zip(changes).map(level).collect()
}

fn change_of_mean(pairs: &[[&Group; 2]], confidence: f64) -> Option<Change> {
    let known: Vec<[Measured; 2]> = pairs
        .iter()
        .map(|pair| pair.map(measured))
        .filter(|pair| pair.iter().all(|side| side.standard_error.is_some()))
        .collect();
    let count = known.len() as f64;
    let side = |place: usize| {
        let part = |pair: &[Measured; 2]| {
            let error = pair[place].standard_error.unwrap_or(0.0) / count;
            (error * error, pair[place].freedom)
        };
        let parts: Vec<(f64, f64)> = known.iter().map(part).collect();
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        Measured {
            point: known.iter().map(|pair| pair[place].point).sum::<f64>() / count,
            standard_error: Some(libm::sqrt(variance)),
            freedom: satterthwaite(&parts).unwrap_or(1.0),
        }
    };
    (!known.is_empty()).then(|| Change::of(&side(0), &side(1), confidence))
}

/// Bootstrapped values: many replicates stand behind their errors, so that t is the normal's
/// quantile in the ratio.
fn change_of_value(from: &Estimate, to: &Estimate, confidence: f64) -> Change {
    const MANY: f64 = 1e9;
    let measured = |side: &Estimate| Measured { point: side.point, standard_error: side.standard_error, freedom: MANY };
    let change = Change::of(&measured(from), &measured(to), confidence);
    Change { difference: difference(from, to, confidence), p_value: None, ..change }
}

/// The difference of two independent estimates from their points and intervals (MOVER).
pub fn difference(from: &Estimate, to: &Estimate, confidence: f64) -> Estimate {
    let point = to.point - from.point;
    let interval = from.interval.zip(to.interval).map(|(a, b)| ConfidenceInterval {
        level: confidence,
        lower: point - libm::hypot(to.point - b.lower, a.upper - from.point),
        upper: point + libm::hypot(b.upper - to.point, from.point - a.lower),
        method: Method::Recovered,
    });
    Estimate { point, standard_error: None, interval }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(point: f64, lower: f64, upper: f64) -> Estimate {
        let interval = ConfidenceInterval { level: 0.95, lower, upper, method: Method::BootstrapPercentile };
        Estimate { point, standard_error: None, interval: Some(interval) }
    }

    #[test]
    fn the_difference_of_two_intervals_by_hand() {
        // Zou and Donner's rule with distances 3 and 4 on one side, 6 and 8 on the other.
        let found = difference(&estimate(10.0, 2.0, 14.0), &estimate(20.0, 17.0, 26.0), 0.95);
        let interval = found.interval.unwrap();
        assert_eq!((found.point, interval.lower, interval.upper), (10.0, 5.0, 20.0));
    }

    #[test]
    fn symmetric_intervals_of_equal_error_give_the_normal_one() {
        // ±1.96 on both sides: the difference has ±1.96 √2.
        let found = difference(&estimate(0.0, -1.96, 1.96), &estimate(1.0, -0.96, 2.96), 0.95).interval.unwrap();
        assert!(
            (found.upper - 1.0 - 1.96 * 2f64.sqrt()).abs() < 1e-12 && (found.upper + found.lower - 2.0).abs() < 1e-12
        );
    }
}
