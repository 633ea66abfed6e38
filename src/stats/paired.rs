//! What do paired runs gain: the same draws at every level?
//!
//! **Definition.** Replicate r starts from the same random numbers at every level (common random numbers), so that a lucky
//! draw is lucky everywhere. The difference of two levels is then the mean of the replicates' differences; its variance is
//! Var a + Var b − 2 Cov. The **variance reduction** 1 − Var(b − a) / (Var a + Var b) says how much smaller it is than for
//! independent runs: the share of runs saved at equal precision. Negative where pairing harms.
//! Assumes that replicates are independent of each other. Why not Welch here: it would ignore Cov, and be too wide (or, with a
//! negative one, too narrow). When it is wrong: if equal replicate numbers do not mean equal draws, the pairing is only a
//! random matching: still valid, but without gain.
//!
//! **Common replicates.** Only replicates with a finite metric at every level are compared, so that all means are of the
//! same draws; those left out are counted by the caller as the difference in numbers.
//!
//! Reference: Law (2015), Simulation Modeling and Analysis, 11.2. **Cost.** O(n log n).

use rayon::prelude::*;

use crate::stats::compare::{self, Difference};
use crate::stats::exact::ExactMoments;

/// One run's metric with the number of its replicate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbered {
    /// Which replicate.
    pub replicate: u64,
    /// Its metric.
    pub value: f64,
}

/// The metrics of the replicates that every level has.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    /// The replicates, ascending.
    pub replicates: Vec<u64>,
    /// Per level the values of these replicates, in their order.
    pub values: Vec<Vec<f64>>,
}

impl Common {
    /// The same means from at most `most` batches in place of replicates: every batch is the mean of its replicates, shifted so that
    /// the mean over batches is that over replicates. For what costs much per replicate: the error of a mean
    /// is estimated as well by a few hundred batches (Schmeiser 1982).
    pub fn in_batches(&self, most: usize) -> Vec<Vec<f64>> {
        let n = self.replicates.len();
        if n <= most {
            return self.values.clone();
        }
        let batched = |values: &Vec<f64>| {
            let mean = values.iter().sum::<f64>() / n as f64;
            let mut batches = vec![0.0; most];
            values.iter().enumerate().for_each(|(place, value)| batches[place % most] += value - mean);
            // Of all deviations the sum is 0, so that batches of different size do not move the mean.
            batches.iter().map(|sum| mean + sum * most as f64 / n as f64).collect()
        };
        self.values.par_iter().map(batched).collect()
    }
}

/// The replicates that all `levels` have. Of several runs with one replicate number at a level (several seeds or settings)
/// none can be paired, and the replicate is left out.
pub fn common_replicates(levels: &[Vec<Numbered>]) -> Common {
    let sorted: Vec<Vec<Numbered>> = levels.iter().map(|runs| unique(runs)).collect();
    let Some((first, others)) = sorted.split_first() else {
        return Common { replicates: Vec::new(), values: Vec::new() };
    };
    let place = |runs: &[Numbered], replicate| runs.binary_search_by_key(&replicate, |run| run.replicate).ok();
    let everywhere = |replicate: &u64| others.iter().all(|runs| place(runs, *replicate).is_some());
    let replicates: Vec<u64> = first.iter().map(|run| run.replicate).filter(everywhere).collect();
    let of_level = |runs: &Vec<Numbered>| {
        replicates.iter().filter_map(|replicate| Some(runs[place(runs, *replicate)?].value)).collect()
    };
    let values = sorted.iter().map(of_level).collect();
    Common { replicates, values }
}

/// The runs by replicate number, those without a number of their own left out.
fn unique(runs: &[Numbered]) -> Vec<Numbered> {
    let mut sorted = runs.to_vec();
    sorted.sort_by_key(|run| run.replicate);
    let single = sorted.chunk_by(|a, b| a.replicate == b.replicate).filter(|same| same.len() == 1);
    single.map(|same| same[0]).collect()
}

/// The difference of two levels over common replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// Second less first.
    pub difference: Difference,
    /// Correlation of the two levels over replicates; absent if one does not vary.
    pub correlation: Option<f64>,
    /// 1 − Var(b − a) / (Var a + Var b); absent if nothing varies.
    pub variance_reduction: Option<f64>,
}

/// Compares `to` with `from`, replicate by replicate. Nothing for fewer than two.
///
/// # Panics
/// If the lengths differ.
pub fn paired_difference(from: &[f64], to: &[f64], confidence: f64) -> Option<PairedDifference> {
    let difference = compare::paired(from, to, confidence)?;
    let variance = |values: &[f64]| ExactMoments::of(values).variance();
    let (a, b) = (variance(from)?, variance(to)?);
    let of_difference = difference.standard_error * difference.standard_error * from.len() as f64;
    let covariance = (a + b - of_difference) / 2.0;
    let scale = libm::sqrt(a) * libm::sqrt(b);
    Some(PairedDifference {
        difference,
        correlation: (scale > 0.0).then(|| (covariance / scale).clamp(-1.0, 1.0)),
        variance_reduction: (a + b > 0.0).then(|| 1.0 - of_difference / (a + b)),
    })
}

/// 1 − Σ Var(level − best) / Σ (Var level + Var best) over all `levels` that differ from `best`, replicate by replicate; nothing
/// if nothing varies.
pub fn variance_reduction(levels: &[Vec<f64>], best: &[f64]) -> Option<f64> {
    let variance = |values: &[f64]| ExactMoments::of(values).variance().unwrap_or(0.0);
    let of_best = variance(best);
    let parts: Vec<[f64; 2]> = levels
        .par_iter()
        .filter(|level| level.as_slice() != best)
        .map(|level| {
            let differences: Vec<f64> = level.iter().zip(best).map(|(a, b)| a - b).collect();
            [variance(&differences), variance(level) + of_best]
        })
        .collect();
    let [paired, apart] = parts.iter().fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
    (apart > 0.0).then(|| 1.0 - paired / apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_common_replicates_are_compared() {
        let runs = |pairs: &[(u64, f64)]| -> Vec<Numbered> {
            pairs.iter().map(|(replicate, value)| Numbered { replicate: *replicate, value: *value }).collect()
        };
        let common = common_replicates(&[
            runs(&[(3, 3.0), (1, 1.0), (2, 2.0), (7, 7.0), (7, 8.0)]),
            runs(&[(1, 10.0), (3, 30.0), (9, 90.0), (7, 70.0)]),
        ]);
        assert_eq!(common.replicates, [1, 3]);
        assert_eq!(common.values, [[1.0, 3.0], [10.0, 30.0]]);
        assert!(common_replicates(&[]).values.is_empty());
    }

    #[test]
    fn batches_keep_the_mean_and_its_error() {
        let mut stream = crate::random::Stream::new(5, 0, 0);
        let values: Vec<f64> = (0..5003).map(|_| 1500.0 + 300.0 * stream.normal()).collect();
        let common = Common { replicates: (0..5003).collect(), values: vec![values.clone()] };
        let error = |values: &[f64]| compare::Measured::mean_of(values).unwrap();
        let (whole, batched) = (error(&values), error(&common.in_batches(256)[0]));
        assert!((whole.point / batched.point - 1.0).abs() < 1e-12);
        // The error of a standard deviation of 256 is 4.4 %; four of them.
        assert!((whole.standard_error.unwrap() / batched.standard_error.unwrap() - 1.0).abs() < 0.18);
        assert_eq!(common.in_batches(9999)[0], values);
    }

    #[test]
    fn pairs_that_move_together_leave_little_variance() {
        let (a, b) = ([1.0, 5.0, 9.0, 3.0], [2.1, 5.9, 10.2, 3.8]);
        let paired = paired_difference(&a, &b, 0.95).unwrap();
        assert!((paired.difference.estimate.point - 1.0).abs() < 1e-12);
        assert!(paired.variance_reduction.unwrap() > 0.99 && paired.correlation.unwrap() > 0.99);
        // Differences 1.1, 0.9, 1.2, 0.8: variance 0.1/3.
        assert!((paired.difference.standard_error - (0.1f64 / 12.0).sqrt()).abs() < 1e-12);
        let opposed = paired_difference(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], 0.95).unwrap();
        assert!((opposed.variance_reduction.unwrap() + 1.0).abs() < 1e-12);
        assert!((opposed.correlation.unwrap() + 1.0).abs() < 1e-12);
        // Differences 1.1, 0.9, 1.2, 0.8 to the first: 0.1/3 against 35/3 and the second's variance.
        let found = variance_reduction(&[a.to_vec(), b.to_vec()], &a).unwrap();
        assert!((found - paired.variance_reduction.unwrap()).abs() < 1e-12, "{found}");
        assert_eq!(variance_reduction(&[vec![1.0, 1.0]], &[2.0, 2.0]), None);
        let still = paired_difference(&[1.0, 1.0], &[2.0, 2.0], 0.95).unwrap();
        assert_eq!((still.correlation, still.variance_reduction), (None, None));
    }
}
