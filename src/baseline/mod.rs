//! What changed since an earlier report: did the minimum move, did means change, were runs added?
//!
//! The earlier report is known by its `summary.json` alone, so everything here follows from sizes,
//! means, deviations and intervals.
//!
//! **The minimum's place and value.** The difference of the two estimates with the interval that
//! follows from their two intervals ([`crate::analysis::comparison`]). It takes the two for
//! independent; where the earlier runs are among the later ones it is too wide, up to √2 times.
//!
//! **Means.** Where every level holds at least the runs that it held, with no smaller maximum, no
//! greater minimum, the same mean where no run was added, and a non-negative spread left for the
//! added ones, the earlier runs are taken to be among the later ones. The mean and the deviation of
//! the added runs are then those that complete the sums: m = (n₁m₁ − n₀m₀)/(n₁ − n₀), and they are
//! compared with the earlier ones. Otherwise the two means are compared. Both by Welch's t
//! interval; p by Holm over the levels. A single added run has no deviation and borrows that of the
//! earlier runs.
//!
//! **When it is wrong.** Sweeps with the same random numbers (`--paired`, the same seed) that are
//! not nested are no independent samples; the intervals are then too wide or too narrow.

mod summary;

pub use summary::{Earlier, EarlierLevel};

use crate::analysis::comparison::difference as difference_of_estimates;
use crate::analysis::{Analysis, Group};
use crate::stats::compare::{Difference, Measured, holm, welch};
use crate::stats::interval::normal_quantile;
use crate::stats::{ConfidenceInterval, Estimate};

/// How the earlier runs relate to the present ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// They are the same.
    Same,
    /// They are among the present ones.
    Extended,
    /// They are others, or some of them are gone.
    Separate,
}

/// An estimate then and now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// As it was.
    pub before: Estimate,
    /// As it is.
    pub now: Estimate,
    /// Now less before.
    pub change: Estimate,
}

/// A level that both reports have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelChange {
    /// The factor's value.
    pub level: f64,
    /// Runs then and now.
    pub runs: [u64; 2],
    /// Mean then and now.
    pub means: [f64; 2],
    /// What is compared with the earlier runs less their mean: the added runs, or all present ones.
    /// Absent without a known error, and where nothing was added.
    pub difference: Option<Estimate>,
    /// Two-sided, adjusted for the number of levels.
    pub p_value: Option<f64>,
}

/// Everything that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Path of the earlier summary.
    pub path: String,
    /// How the earlier runs relate to the present ones.
    pub relation: Relation,
    /// Nominal coverage of the intervals.
    pub confidence: f64,
    /// Runs used then and now.
    pub runs: [u64; 2],
    /// Levels that only the present report has.
    pub levels_added: usize,
    /// Levels that only the earlier report had.
    pub levels_gone: usize,
    /// The verdict then, by its name in the JSON.
    pub verdict_before: String,
    /// The fitted minimum's place.
    pub place: Option<Shift>,
    /// The fitted minimum's value.
    pub value: Option<Shift>,
    /// The levels that both have, ascending.
    pub levels: Vec<LevelChange>,
}

impl Changes {
    /// Compares `analysis` with an earlier report.
    pub fn since(earlier: &Earlier, analysis: &Analysis) -> Self {
        let confidence = analysis.confidence;
        let pairs = common(&earlier.groups, &analysis.groups);
        let relation = relation(earlier, &pairs, analysis.groups.len());
        let mut levels: Vec<LevelChange> = Vec::new();
        let mut p_values: Vec<f64> = Vec::new();
        for (before, now) in &pairs {
            let difference = difference(relation, before, now, confidence);
            p_values.extend(difference.map(|difference| difference.p_value));
            levels.push(LevelChange {
                level: now.level,
                runs: [before.n, now.summary.n],
                means: [before.mean, now.summary.mean.point],
                difference: difference.map(|difference| difference.estimate),
                p_value: difference.map(|difference| difference.p_value),
            });
        }
        let mut adjusted = holm(&p_values).into_iter();
        for p in levels.iter_mut().filter_map(|level| level.p_value.as_mut()) {
            *p = adjusted.next().unwrap_or(*p);
        }
        let moved = |before: Option<Estimate>, now: Option<Estimate>| {
            before.zip(now).map(|(before, now)| shift(widened(before, confidence), now, confidence))
        };
        Self {
            path: earlier.path.clone(),
            relation,
            confidence,
            runs: [earlier.runs, analysis.runs()],
            levels_added: analysis.groups.len() - pairs.len(),
            levels_gone: earlier.groups.len() - pairs.len(),
            verdict_before: earlier.verdict.clone(),
            place: moved(earlier.place, analysis.minimum.level),
            value: moved(earlier.value, analysis.minimum.value),
            levels,
        }
    }

    /// The levels whose mean changed more than chance explains, those with the smallest p first.
    pub fn significant(&self) -> Vec<LevelChange> {
        let limit = 1.0 - self.confidence;
        let p = |level: &LevelChange| level.p_value.unwrap_or(1.0);
        let mut found: Vec<LevelChange> = self.levels.iter().copied().filter(|level| p(level) < limit).collect();
        found.sort_by(|a, b| p(a).total_cmp(&p(b)));
        found
    }
}

/// The levels that both have, as far as rounding can tell. Both are ascending.
fn common<'a>(earlier: &'a [EarlierLevel], now: &'a [Group]) -> Vec<(&'a EarlierLevel, &'a Group)> {
    const ROUNDING: f64 = 1e-12;
    let find = |before: &'a EarlierLevel| {
        let tolerance = ROUNDING * before.level.abs();
        let place = now.partition_point(|group| group.level < before.level - tolerance);
        Some((before, now.get(place).filter(|group| group.level <= before.level + tolerance)?))
    };
    earlier.iter().filter_map(find).collect()
}

fn relation(earlier: &Earlier, pairs: &[(&EarlierLevel, &Group)], levels_now: usize) -> Relation {
    let is_same =
        |(before, now): &(&EarlierLevel, &Group)| before.n == now.summary.n && before.mean == now.summary.mean.point;
    let all_levels_are_left = pairs.len() == earlier.groups.len();
    if all_levels_are_left && pairs.len() == levels_now && pairs.iter().all(is_same) {
        Relation::Same
    } else if all_levels_are_left && pairs.iter().all(|(before, now)| holds_the_earlier(before, now)) {
        Relation::Extended
    } else {
        Relation::Separate
    }
}

/// Whether the runs of `before` can be among those of `now`.
fn holds_the_earlier(before: &EarlierLevel, now: &Group) -> bool {
    const ROUNDING: f64 = 1e-9;
    let summary = &now.summary;
    if summary.n == before.n {
        return summary.mean.point == before.mean;
    }
    let spread_is_left =
        added(before, now).is_none_or(|(_, spread)| spread >= -ROUNDING * squares(summary.n, summary.std_dev));
    let ends_fit = summary.min.zip(before.min).is_none_or(|(now, before)| now <= before)
        && summary.max.zip(before.max).is_none_or(|(now, before)| now >= before);
    summary.n > before.n && ends_fit && spread_is_left
}

fn squares(n: u64, std_dev: Option<f64>) -> f64 {
    std_dev.map_or(0.0, |s| s * s * (n as f64 - 1.0))
}

/// Mean of the runs that `now` has more than `before`, and the sum of their squared deviations from
/// it.
fn added(before: &EarlierLevel, now: &Group) -> Option<(f64, f64)> {
    let (n0, n1) = (before.n as f64, now.summary.n as f64);
    let more = n1 - n0;
    if more < 1.0 {
        return None;
    }
    let mean = (n1 * now.summary.mean.point - n0 * before.mean) / more;
    let between = n0 * more / n1 * (mean - before.mean) * (mean - before.mean);
    Some((mean, squares(now.summary.n, now.summary.std_dev) - squares(before.n, before.std_dev) - between))
}

fn difference(relation: Relation, before: &EarlierLevel, now: &Group, confidence: f64) -> Option<Difference> {
    let measured = |mean: f64, n: u64, std_dev: Option<f64>, freedom: f64| Measured {
        point: mean,
        standard_error: std_dev.map(|s| s / libm::sqrt(n as f64)),
        freedom,
    };
    let from = measured(before.mean, before.n, before.std_dev, before.n as f64 - 1.0);
    let to = match relation {
        Relation::Same => return None,
        Relation::Separate => {
            let summary = &now.summary;
            measured(summary.mean.point, summary.n, summary.std_dev, summary.n as f64 - 1.0)
        }
        Relation::Extended => {
            let (mean, spread) = added(before, now)?;
            let more = now.summary.n - before.n;
            if more > 1 {
                let freedom = more as f64 - 1.0;
                measured(mean, more, Some(libm::sqrt(spread.max(0.0) / freedom)), freedom)
            } else {
                measured(mean, 1, before.std_dev, before.n as f64 - 1.0)
            }
        }
    };
    welch(&from, &to, confidence)
}

/// `estimate` with its interval at another `confidence`, as if it were normal on each side.
fn widened(estimate: Estimate, confidence: f64) -> Estimate {
    let interval = estimate.interval.map(|interval| {
        let factor = if interval.level == confidence {
            1.0
        } else {
            normal_quantile(confidence) / normal_quantile(interval.level)
        };
        ConfidenceInterval {
            level: confidence,
            lower: estimate.point - factor * (estimate.point - interval.lower),
            upper: estimate.point + factor * (interval.upper - estimate.point),
            method: interval.method,
        }
    });
    Estimate { interval, ..estimate }
}

fn shift(before: Estimate, now: Estimate, confidence: f64) -> Shift {
    Shift { before, now, change: difference_of_estimates(&before, &now, confidence) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups;
    use crate::group::Sample;
    use crate::stats::Method;

    fn group(level: f64, values: &[f64]) -> Group {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        groups::of_means(&[Sample::of(level, sorted)]).remove(0)
    }

    fn earlier(level: f64, values: &[f64]) -> EarlierLevel {
        let summary = group(level, values).summary;
        EarlierLevel {
            level,
            n: summary.n,
            mean: summary.mean.point,
            std_dev: summary.std_dev,
            min: summary.min,
            max: summary.max,
        }
    }

    const BEFORE: [f64; 4] = [1.0, 4.0, 2.0, 7.0];
    const ADDED: [f64; 5] = [3.0, 9.0, 1.5, 6.0, 2.5];

    #[test]
    fn added_runs_are_what_completes_the_sums() {
        let all: Vec<f64> = BEFORE.into_iter().chain(ADDED).collect();
        let (mean, spread) = added(&earlier(1.0, &BEFORE), &group(1.0, &all)).unwrap();
        // By hand: 22 / 5 = 4.4; squares 1.96 + 21.16 + 8.41 + 2.56 + 3.61 = 37.7.
        assert!((mean - 4.4).abs() < 1e-12 && (spread - 37.7).abs() < 1e-12, "{mean} {spread}");
        assert!(holds_the_earlier(&earlier(1.0, &BEFORE), &group(1.0, &all)));
        assert!(!holds_the_earlier(&earlier(1.0, &BEFORE), &group(1.0, &ADDED)), "the least run is gone");
    }

    #[test]
    fn added_runs_are_compared_with_the_earlier_ones() {
        let all: Vec<f64> = BEFORE.into_iter().chain(ADDED).collect();
        let found = difference(Relation::Extended, &earlier(1.0, &BEFORE), &group(1.0, &all), 0.95).unwrap();
        // SciPy 1.17.1: ttest_ind([3, 9, 1.5, 6, 2.5], [1, 4, 2, 7], equal_var=False) and its
        // confidence_interval(0.95).
        let interval = found.estimate.interval.unwrap();
        for (value, scipy) in [
            (found.p_value, 0.651409878766469),
            (interval.lower, -3.6187640049049277),
            (interval.upper, 5.418764004904928),
        ] {
            assert!((value - scipy).abs() < 1e-9, "{value} {scipy}");
        }
    }

    #[test]
    fn a_shift_keeps_the_skewness_of_both_intervals() {
        let estimate = |point, lower, upper| Estimate {
            point,
            standard_error: None,
            interval: Some(ConfidenceInterval { level: 0.95, lower, upper, method: Method::BootstrapPercentile }),
        };
        let found = shift(estimate(5.0, 2.0, 9.0), estimate(7.0, 4.0, 8.0), 0.95).change;
        let interval = found.interval.unwrap();
        // √(3² + 4²) below, √(1² + 3²) above.
        assert_eq!((found.point, interval.lower), (2.0, -3.0));
        assert!((interval.upper - (2.0 + 10.0f64.sqrt())).abs() < 1e-12);
        let wider = widened(estimate(5.0, 2.0, 9.0), 0.99).interval.unwrap();
        assert!((wider.lower - (5.0 - 3.0 * 2.5758293035489 / 1.959963984540054)).abs() < 1e-9, "{wider:?}");
    }
}
