//! Which single number stands for a level: its mean, its median or a trimmed mean?
//!
//! **Mean**: what the total of many runs depends on; a few runs that are far off move it.
//! **Median** and **trimmed mean** ([`crate::stats::quantile`]): what a usual run does. Of a
//! mixture of solved and stuck runs they may not notice a share of stuck ones at all, and jump
//! where it passes a half, or the share that is cut: a level may have the least median and be a bad
//! choice.
//!
//! **Error of a median** (McKean and Schrader 1984): the distance of the order statistics that
//! bound its interval, divided by twice the normal quantile. Why not the density at the median:
//! two-peaked losses may have none there. It is too large for a median in a gap between two peaks,
//! which is indeed uncertain.
//!
//! **When it is wrong.** Below some 20 runs the error of a median is itself rough, by a quarter and
//! more.
//!
//! All come as a [`Measured`] number with its error and degrees of freedom, so that the same curve,
//! confidence set and tests serve them. **Cost.** O(n).

use crate::stats::compare::Measured;
use crate::stats::interval::{Estimate, normal_quantile};
use crate::stats::quantile::{quantile_estimate, trimmed};
use crate::stats::smooth::LevelMean;

/// A measure of location.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Centre {
    /// The arithmetic mean.
    Mean,
    /// The median.
    Median,
    /// The mean without a share of the values on each side.
    Trimmed {
        /// That share, in [0, ½).
        cut: f64,
    },
}

impl Centre {
    /// Of an ascending sample; nothing for an empty one.
    pub fn of(self, sorted: &[f64]) -> Option<Measured> {
        match self {
            Self::Mean => Measured::mean_of(sorted),
            Self::Median => median(sorted),
            Self::Trimmed { cut } => trimmed(sorted, cut),
        }
    }

    /// The same as a level's, at place `x`; its variance is such that variance / n is the square of
    /// the error.
    pub fn at(self, x: f64, sorted: &[f64]) -> Option<LevelMean> {
        Some(LevelMean::measured(x, &self.of(sorted)?, sorted.len() as f64))
    }
}

/// The median of an ascending sample with its error, which is absent where the sample is too small
/// for an interval.
pub fn median(sorted: &[f64]) -> Option<Measured> {
    let found = quantile_estimate(sorted, 0.5, MEDIAN_CONFIDENCE)?;
    let standard_error = median_error(&found);
    Some(Measured { point: found.point, standard_error, freedom: sorted.len() as f64 - 1.0 })
}

/// Confidence of the interval that the error of a median is taken from.
pub const MEDIAN_CONFIDENCE: f64 = 0.95;

/// The error of a median whose interval is that at [`MEDIAN_CONFIDENCE`]; absent without one.
pub fn median_error(median: &Estimate) -> Option<f64> {
    median.interval.map(|interval| interval.margin() / normal_quantile(MEDIAN_CONFIDENCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::stats::ExactMoments;

    #[test]
    fn the_error_of_a_median_is_what_medians_scatter() {
        const REPEATS: usize = 400;
        let mut stream = Stream::new(11, 0, 0);
        let found: Vec<Measured> = (0..REPEATS)
            .map(|_| {
                let mut values: Vec<f64> = (0..101).map(|_| stream.normal()).collect();
                values.sort_by(f64::total_cmp);
                median(&values).unwrap()
            })
            .collect();
        let scatter = ExactMoments::of(&found.iter().map(|m| m.point).collect::<Vec<_>>()).std_dev().unwrap();
        let stated = found.iter().map(|m| m.standard_error.unwrap()).sum::<f64>() / REPEATS as f64;
        // A standard deviation of 400 has an error of 3.5 %; the method itself is good to a few
        // hundredths at n = 101.
        assert!((stated / scatter - 1.0).abs() < 0.15, "{stated} {scatter}");
    }

    #[test]
    fn every_centre_of_a_symmetric_sample_is_its_middle() {
        let sorted: Vec<f64> = (1..=25).map(f64::from).collect();
        for centre in [Centre::Mean, Centre::Median, Centre::Trimmed { cut: 0.1 }] {
            let found = centre.at(2.0, &sorted).unwrap();
            let error = centre.of(&sorted).unwrap().standard_error.unwrap();
            assert!((found.mean - 13.0).abs() < 1e-12 && (found.standard_error() - error).abs() < 1e-12, "{found:?}");
        }
        // Order statistics 8 and 18 (SciPy's binomial): half their distance over 1.96.
        assert!((median(&sorted).unwrap().standard_error.unwrap() - 5.0 / 1.959_963_984_540_054).abs() < 1e-12);
        assert_eq!(median(&[1.0, 2.0]).unwrap().standard_error, None);
        assert!(Centre::Median.of(&[]).is_none());
    }
}
