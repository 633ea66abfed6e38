//! What does a sample look like? Centre, spread and order statistics of the runs at one level.
//!
//! The sample comes **sorted**, which serves the quantiles. Mean and std_dev are exact sums rounded
//! once ([`crate::stats::exact`]): the same runs give the same bits, whatever order, files or
//! threads they came through.
//!
//! - mean: Σx / n; std_dev: √(Σ(x−x̄)² / (n−1)). Undefined at n = 1, then absent, never 0.
//! - quantiles: type 7 ([`crate::stats::quantile`]).
//!
//! **When it is wrong.** Of a mixture of solved and stuck runs mean ± std_dev describes hardly any
//! run ([`crate::stats::basins`]).

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
    /// Second quartile; this and the other quartiles are absent where only sums of the values are
    /// known.
    pub median: Option<f64>,
    /// First quartile.
    pub q25: Option<f64>,
    /// Third quartile.
    pub q75: Option<f64>,
    /// Least value.
    pub min: Option<f64>,
    /// Greatest value.
    pub max: Option<f64>,
}

impl Summary {
    /// Describes `sorted`, an ascending sample of finite values, with intervals at `confidence`
    /// (between 0 and 1). Nothing for an empty sample. O(n).
    ///
    /// # Examples
    /// ```
    /// use initsweep::stats::Summary;
    /// let summary = Summary::of_sorted(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0.95).unwrap();
    /// assert_eq!(summary.mean.point, 5.0);
    /// assert!((summary.mean.standard_error.unwrap() - 0.7559289460).abs() < 1e-10);
    /// ```
    pub fn of_sorted(sorted: &[f64], confidence: f64) -> Option<Self> {
        Self::of_sorted_by(sorted, &ExactMoments::of(sorted), confidence)
    }

    /// The same with the `moments` of all values, where they are known. O(1).
    pub fn of_sorted_by(sorted: &[f64], moments: &ExactMoments, confidence: f64) -> Option<Self> {
        debug_assert!(sorted.is_sorted());
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let summary = Self::of_moments(sorted.len() as u64, moments.mean()?, moments.std_dev(), confidence);
        Some(Self {
            median: Some(quantile(sorted, 0.5)),
            q25: Some(quantile(sorted, 0.25)),
            q75: Some(quantile(sorted, 0.75)),
            min: Some(min),
            max: Some(max),
            ..summary
        })
    }

    /// Describes a sample of which only number, mean and standard deviation (absent at n = 1) are
    /// known.
    pub fn of_moments(n: u64, mean: f64, std_dev: Option<f64>, confidence: f64) -> Self {
        let count = n as f64;
        let standard_error = std_dev.map(|s| s / count.sqrt());
        let interval = standard_error.map(|error| {
            let quantile = student_t_quantile(confidence, count - 1.0);
            ConfidenceInterval::symmetric(mean, error, quantile, confidence, Method::StudentT)
        });
        let mean = Estimate { point: mean, standard_error, interval };
        Self { n, mean, std_dev, median: None, q25: None, q75: None, min: None, max: None }
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
        assert_eq!((one.n, one.mean.point, one.median, one.min, one.max), (1, 3.5, Some(3.5), Some(3.5), Some(3.5)));
        assert_eq!((one.std_dev, one.mean.standard_error, one.mean.interval), (None, None, None));
        let two = summary(&[1.0, 3.0]);
        assert_eq!((two.mean.point, two.std_dev, two.mean.standard_error), (2.0, Some(2f64.sqrt()), Some(1.0)));
        // t(0.975; 1) = tan(0.475 π)
        let interval = two.mean.interval.unwrap();
        assert!((interval.upper - (2.0 + 12.706204736174694)).abs() < 1e-10, "{interval:?}");
        let equal = summary(&[0.1; 10]);
        assert_eq!((equal.mean.point, equal.std_dev, equal.q25), (0.1, Some(0.0), Some(0.1)));
    }

    #[test]
    fn sums_alone_give_the_mean_and_its_interval() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let known = summary(&values);
        let sums = Summary::of_moments(8, 5.0, known.std_dev, 0.95);
        assert_eq!((sums.n, sums.mean, sums.std_dev), (known.n, known.mean, known.std_dev));
        assert_eq!((sums.median, sums.max), (None, None));
        assert_eq!(Summary::of_moments(1, 5.0, None, 0.95).mean.interval, None);
    }

    #[test]
    fn extreme_magnitudes_neither_overflow_nor_vanish() {
        let huge = summary(&[f64::MAX, f64::MAX, -f64::MAX]);
        assert!((huge.mean.point / (f64::MAX / 3.0) - 1.0).abs() < 1e-15);
        assert!(huge.median == Some(f64::MAX));
        let tiny = summary(&[4e-320, 8e-320]);
        assert!((tiny.mean.point - 6e-320).abs() <= 5e-324 && tiny.std_dev.unwrap() > 2e-320);
    }

    proptest! {
        #[test]
        fn mean_lies_between_the_ends(values in prop::collection::vec(-1e300f64..1e300, 1..50)) {
            let s = summary(&values);
            let (min, max) = (s.min.unwrap(), s.max.unwrap());
            let slack = 1e-15 * max.abs().max(min.abs());
            prop_assert!(min - slack <= s.mean.point && s.mean.point <= max + slack);
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
