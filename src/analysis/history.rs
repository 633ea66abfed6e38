//! How did the estimate of the minimum move as runs came in?
//!
//! The runs are taken in the order of their rows, which for a sweep is replicate by replicate over all levels, and the minimum is
//! fitted to the first of them, at numbers of runs that grow by a constant factor up to all. The intervals are those of
//! [`crate::stats::bootstrap`] with fewer replicates; they are not made for looking again and again until one pleases.
//!
//! **Cost.** One pass over the rows, with running means (Welford 1962), and one bootstrap a step.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::group;
use crate::stats::bootstrap::{Draws, Plan, fitted_minimum};
use crate::stats::smooth::{LevelMean, pool_errors};
use crate::stats::{ConfidenceInterval, Estimate};
use crate::store::RunTable;

/// Replicates of each bootstrap: the ends of an interval are good to 4 % of its width, which no eye sees.
const REPLICATES: u32 = 500;
/// Levels beyond which the fits would take minutes.
const MOST_LEVELS: usize = 2000;

/// What was known after some of the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// How many runs.
    pub runs: u64,
    /// The fitted minimum: its level.
    pub level: Estimate,
    /// The fitted minimum: the metric's mean there.
    pub value: Estimate,
}

/// Count, mean and sum of squares about it, value by value.
#[derive(Debug, Clone, Copy, Default)]
struct Running {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Running {
    fn push(&mut self, value: f64) {
        self.n += 1.0;
        let off = value - self.mean;
        self.mean += off / self.n;
        self.squares += off * (value - self.mean);
    }
}

/// What was known after about `steps` growing parts of the rows, the last of them all.
///
/// # Errors
/// [`Error::Figure`] for fewer than three levels or more than 2000, those of [`group::in_order`].
pub fn of(table: &RunTable, confidence: f64, steps: usize) -> Result<Vec<Known>> {
    let failed = |reason: String| Error::Figure { figure: "history", reason };
    let rows = table.ledger.used();
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut levels: Vec<(f64, Running)> = Vec::new();
    let (mut known, mut seen, mut next) = (Vec::new(), 0, 0);
    let mut stops: Vec<u64> = Vec::new();
    group::in_order(table, |level, value| {
        let level = level + 0.0;
        let place = *places.entry(level.to_bits()).or_insert_with(|| {
            levels.push((level, Running::default()));
            levels.len() - 1
        });
        levels[place].1.push(value);
        seen += 1;
        // The first stop is where the runs begin to repeat levels twice over; only then are errors known.
        if stops.is_empty() && seen >= 3 * levels.len() as u64 {
            stops = stops_between(seen, rows, steps);
        }
        if stops.get(next) == Some(&seen) || seen == rows {
            next += 1;
            if levels.len() <= MOST_LEVELS {
                known.extend(fit(&levels, seen, confidence));
            }
        }
    })?;
    match levels.len() {
        few @ ..3 => Err(failed(format!("a curve needs three levels, there are {few}"))),
        many if many > MOST_LEVELS => Err(failed(format!("there are {many} levels, more than {MOST_LEVELS}"))),
        _ if known.is_empty() => Err(failed("the runs do not vary, so that nothing can be fitted".into())),
        _ => Ok(known),
    }
}

/// Whole numbers from `first` to `last` that grow by a constant factor.
fn stops_between(first: u64, last: u64, steps: usize) -> Vec<u64> {
    let factor = libm::pow(last as f64 / first as f64, 1.0 / (steps.max(2) - 1) as f64);
    let mut stops: Vec<u64> =
        (0..steps).map(|i| ((first as f64 * libm::pow(factor, i as f64)).round() as u64).min(last)).collect();
    stops.dedup();
    stops
}

fn fit(levels: &[(f64, Running)], runs: u64, confidence: f64) -> Option<Known> {
    let is_log = levels.iter().all(|(level, _)| *level > 0.0);
    let mut means: Vec<LevelMean> = levels
        .iter()
        .map(|(level, running)| LevelMean {
            x: if is_log { libm::log(*level) } else { *level },
            mean: running.mean,
            variance: if running.n > 1.0 { running.squares / (running.n - 1.0) } else { 0.0 },
            n: running.n,
            freedom: running.n - 1.0,
        })
        .collect();
    // Squares of huge values are beyond doubles; then there is nothing to fit.
    if means.iter().any(|mean| !(mean.mean.is_finite() && mean.variance.is_finite())) {
        return None;
    }
    means.sort_by(|a, b| a.x.total_cmp(&b.x));
    let plan = Plan { seed: 1, replicates: REPLICATES, confidence };
    let found = fitted_minimum(&pool_errors(&means), Draws::Normal, &plan)?;
    let back = |place: f64| if is_log { libm::exp(place) } else { place };
    let interval = found.location.interval.map(|interval| ConfidenceInterval {
        lower: back(interval.lower),
        upper: back(interval.upper),
        ..interval
    });
    let level = Estimate { point: back(found.location.point), standard_error: None, interval };
    Some(Known { runs, level, value: found.value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_grow_by_a_constant_factor_up_to_all() {
        assert_eq!(stops_between(10, 1000, 3), [10, 100, 1000]);
        assert_eq!(stops_between(7, 7, 10), [7]);
    }

    #[test]
    fn running_moments_are_the_plain_ones() {
        let mut running = Running::default();
        [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().for_each(|value| running.push(value));
        assert_eq!((running.n, running.mean, running.squares), (8.0, 5.0, 32.0));
    }
}
