//! What does a sample look like? Centre, spread and order statistics of the runs at one level.
//!
//! The sample comes **sorted**, which serves the quantiles. Mean and std_dev are exact sums rounded once
//! ([`crate::stats::exact`]): the same runs give the same bits, whatever order, files or threads they came through.
//!
//! - mean: Σx / n; std_dev: √(Σ(x−x̄)² / (n−1)). Undefined at n = 1, then absent, never 0.
//! - quantiles: type 7 ([`crate::stats::quantile`]).

use crate::stats::exact::ExactMoments;
use crate::stats::interval::{ConfidenceInterval, Estimate, Method, student_t_quantile};
use crate::stats::quantile::quantile;

/// The description of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values, at least 1.
    pub n: u64,
    /// Arithmetic mean with its t interval.
    pub mean: Estimate,
    /// Sample standard deviation (divisor n − 1); absent at n = 1.
    pub std_dev: Option<f64>,
    /// Second quartile.
    pub median: f64,
    /// First quartile.
    pub q25: f64,
    /// Third quartile.
    pub q75: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

impl Summary {
    /// Describes `sorted`, an ascending sample of finite values, with intervals at `confidence` (between 0 and 1).
    /// Nothing for an empty sample. O(n).
    ///
    /// # Examples
    /// ```
    /// use initsweep::stats::Summary;
    /// let summary = Summary::of_sorted(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0.95).unwrap();
    /// assert_eq!(summary.mean.point, 5.0);
    /// assert!((summary.mean.standard_error.unwrap() - 0.7559289460).abs() < 1e-10);
    /// ```
    pub fn of_sorted(sorted: &[f64], confidence: f64) -> Option<Self> {
        debug_assert!(sorted.is_sorted());
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let n = sorted.len() as f64;
        let moments = ExactMoments::of(sorted);
        let (mean, std_dev) = (moments.mean()?, moments.std_dev());
        let standard_error = std_dev.map(|s| s / n.sqrt());
        let interval = standard_error.map(|error| {
            ConfidenceInterval::symmetric(
                mean,
                error,
                student_t_quantile(confidence, n - 1.0),
                confidence,
                Method::StudentT,
            )
        });
        Some(Self {
            n: sorted.len() as u64,
            mean: Estimate { point: mean, standard_error, interval },
            std_dev,
            median: quantile(sorted, 0.5),
            q25: quantile(sorted, 0.25),
            q75: quantile(sorted, 0.75),
            min,
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn summary(values: &[f64]) -> Summary {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Summary::of_sorted(&sorted, 0.95).unwrap()
    }

    #[test]
    fn small_samples_by_hand() {
        assert_eq!(Summary::of_sorted(&[], 0.95), None);
        let one = summary(&[3.5]);
        assert_eq!((one.n, one.mean.point, one.median, one.min, one.max), (1, 3.5, 3.5, 3.5, 3.5));
        assert_eq!((one.std_dev, one.mean.standard_error, one.mean.interval), (None, None, None));
        let two = summary(&[1.0, 3.0]);
        assert_eq!((two.mean.point, two.std_dev, two.mean.standard_error), (2.0, Some(2f64.sqrt()), Some(1.0)));
        // t(0.975; 1) = tan(0.475 π)
        let interval = two.mean.interval.unwrap();
        assert!((interval.upper - (2.0 + 12.706204736174694)).abs() < 1e-10, "{interval:?}");
        let equal = summary(&[0.1; 10]);
        assert_eq!((equal.mean.point, equal.std_dev, equal.q25), (0.1, Some(0.0), 0.1));
    }

    #[test]
    fn extreme_magnitudes_neither_overflow_nor_vanish() {
        let huge = summary(&[f64::MAX, f64::MAX, -f64::MAX]);
        assert!((huge.mean.point / (f64::MAX / 3.0) - 1.0).abs() < 1e-15);
        assert!(huge.median == f64::MAX);
        let tiny = summary(&[4e-320, 8e-320]);
        assert!((tiny.mean.point - 6e-320).abs() <= 5e-324 && tiny.std_dev.unwrap() > 2e-320);
    }

    proptest! {
        #[test]
        fn mean_lies_between_the_ends(values in prop::collection::vec(-1e300f64..1e300, 1..50)) {
            let s = summary(&values);
            let slack = 1e-15 * s.max.abs().max(s.min.abs());
            prop_assert!(s.min - slack <= s.mean.point && s.mean.point <= s.max + slack);
            prop_assert!(s.min <= s.q25 && s.q25 <= s.median && s.median <= s.q75 && s.q75 <= s.max);
        }

        #[test]
        fn a_shift_moves_the_mean_and_keeps_the_spread(values in prop::collection::vec(-1f64..1.0, 2..50), shift in -1e6f64..1e6) {
            let shifted: Vec<f64> = values.iter().map(|x| x + shift).collect();
            let (a, b) = (summary(&values), summary(&shifted));
            // The shift rounds each value to 1e6 · 2⁻⁵³.
            prop_assert!((a.mean.point + shift - b.mean.point).abs() < 1e-9);
            prop_assert!((a.std_dev.unwrap() - b.std_dev.unwrap()).abs() < 1e-9);
        }
    }
}
