//! How large are the errors of the level means? One answer for place, value, differences and verdicts.
//!
//! With three runs a level, the level's own variance has two degrees of freedom: it is wrong by a factor
//! of three as often as not, and as a weight it favours the levels that were lucky. So:
//!
//! 1. **Pooled**: one variance of a run for all levels, Σ (n_i − 1) s_i² / ν with ν = Σ (n_i − 1).
//! 2. **Following the mean**: where ln s² rises or falls significantly with the mean (weighted least
//!    squares of ln s² on ln of the mean, or on the mean where one is not above 0; t test of the slope
//!    from its own residuals, so that heavy tails do not count as a trend), and the means differ by ten standard errors, the fitted variance, scaled
//!    so that it is right on average (Carroll and Ruppert 1988, ch. 3). ν is less by two.
//! 3. **Each level's own**: with 30 runs or more at every level, where Bartlett's test (1937) rejects one
//!    variance at 0.1 % and no trend explains it.
//! 4. **From the curve**: with one run a level there is nothing else than the curve's own smoothness. Of four
//!    or five neighbouring levels the divided difference that vanishes for a parabola or a cubic, scaled
//!    to the noise's variance, is noise and what the cubic leaves (Gasser, Sroka and Jennen-Steinmetz 1986);
//!    the median of their sizes over 0.6745 is the standard deviation, with (levels − 4) / 2 degrees of freedom,
//!    one at least. It is an upper guess where the curve is rough, and no test can be made of the curve with it.
//!
//! **When it is wrong.** Few runs of a heavy-tailed metric look less noisy than they are, whatever the rule.
//! Pooling is too wide near the optimum where the variance grows away from it without a significant trend.

use serde::Serialize;

use crate::stats::interval::student_t_probability;
use crate::stats::smooth::{LevelMean, pool_errors};

/// Where the errors come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseSource {
    /// Each level's own runs.
    Runs,
    /// The runs of all levels together.
    Pooled,
    /// The smoothness of the curve, since no level has two runs.
    Curve,
}

/// The errors of the level means.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Variance of each level's mean, above 0.
    pub variances: Vec<f64>,
    /// Degrees of freedom of these, all together.
    pub degrees_of_freedom: f64,
    /// Where they come from.
    pub source: NoiseSource,
    /// Variance of an error that all means share, such as that of the seeds that all levels have: it moves the
    /// curve as a whole, so that only values feel it.
    pub shared: f64,
}

/// Fewest runs of a level whose own variance is trusted.
const TRUSTED: f64 = 30.0;
/// Degrees of freedom from which on a variance counts as known.
pub const KNOWN: f64 = 2000.0;

impl Noise {
    /// Of levels ascending in x. `None` for fewer than two levels; with one run at each, for fewer than four.
    pub fn new(levels: &[LevelMean]) -> Option<Self> {
        let degrees: f64 = levels.iter().map(|level| level.freedom).sum();
        if levels.len() < 2 {
            return None;
        }
        if degrees < 1.0 {
            return Self::from_curve(levels);
        }
        let pooled = levels.iter().map(|level| level.freedom * level.variance).sum::<f64>() / degrees;
        let known: Vec<&LevelMean> = levels.iter().filter(|level| level.freedom > 0.0).collect();
        let trend = Trend::new(&known, pooled);
        let is_own = trend.is_none() && levels.iter().all(|level| level.n >= TRUSTED) && are_unequal(&known, pooled);
        // A weight that follows the luck of its own level makes lucky levels count for more.
        let own = if is_own { pool_errors(levels) } else { Vec::new() };
        let of_run = |(at, level): (usize, &LevelMean)| match &trend {
            Some(trend) => trend.variance(level.mean),
            None => own.get(at).map_or(pooled, |level| level.variance),
        };
        let source = if is_own { NoiseSource::Runs } else { NoiseSource::Pooled };
        let lost = if trend.is_some() { 2.0 } else { 0.0 };
        let of_mean = |(at, level): (usize, &LevelMean)| of_run((at, level)) / level.n;
        let variances = levels.iter().enumerate().map(of_mean).collect();
        Some(Self { variances, degrees_of_freedom: (degrees - lost).max(1.0), source, shared: 0.0 }.floored(levels))
    }

    /// From the differences of neighbouring levels.
    fn from_curve(levels: &[LevelMean]) -> Option<Self> {
        /// Median of |z| for a standard normal z.
        const MEDIAN: f64 = 0.6745;
        let width = match levels.len() {
            ..4 => return None,
            4..7 => 4,
            _ => 5,
        };
        let mut sizes: Vec<f64> = levels.windows(width).map(|window| divided_difference(window).abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        let deviation = crate::stats::quantile::quantile(&sizes, 0.5) / MEDIAN;
        let variances = vec![deviation * deviation; levels.len()];
        let degrees_of_freedom = ((levels.len() as f64 - 4.0) / 2.0).max(1.0);
        Some(Self { variances, degrees_of_freedom, source: NoiseSource::Curve, shared: 0.0 }.floored(levels))
    }

    /// With no variance so small beside the range of the means that it would be rounding.
    fn floored(mut self, levels: &[LevelMean]) -> Self {
        const ROUNDING: f64 = 1e-6;
        let means = || levels.iter().map(|level| level.mean);
        let (least, greatest) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
        let largest = least.abs().max(greatest.abs()).max(f64::MIN_POSITIVE);
        let floor = (ROUNDING * (greatest - least)).max(largest * f64::EPSILON);
        self.variances.iter_mut().for_each(|variance| *variance = variance.max(floor * floor));
        self
    }

    /// Standard error of a level's mean.
    pub fn standard_error(&self, level: usize) -> f64 {
        libm::sqrt(self.variances[level])
    }

    /// The factors that the variances may be off by, with the logarithm of their weights: the density of χ²_ν.
    pub fn factors(&self) -> Vec<(f64, f64)> {
        let half = self.degrees_of_freedom / 2.0;
        let weighed = |factor: f64| (factor, -half * (libm::log(factor) + 1.0 / factor));
        match self.source {
            NoiseSource::Curve => {
                const COUNT: u32 = 12;
                let step = libm::log(30.0 / 0.02) / f64::from(COUNT - 1);
                (0..COUNT).map(|i| weighed(0.02 * libm::exp(step * f64::from(i)))).collect()
            }
            _ if self.degrees_of_freedom > KNOWN => vec![(1.0, 0.0)],
            _ => {
                let spread = libm::sqrt(2.0 / self.degrees_of_freedom);
                (-2..=2).map(|j| weighed(libm::exp(f64::from(j) * spread))).collect()
            }
        }
    }
}

/// The difference of four or five levels that vanishes for a parabola or a cubic, scaled so that independent errors of
/// variance 1 give one of variance 1.
fn divided_difference(levels: &[LevelMean]) -> f64 {
    let weight = |at: &LevelMean| {
        let others = levels.iter().filter(|other| other.x != at.x);
        1.0 / others.map(|other| at.x - other.x).product::<f64>()
    };
    let weights: Vec<f64> = levels.iter().map(weight).collect();
    let scale = libm::sqrt(weights.iter().map(|weight| weight * weight).sum());
    weights.iter().zip(levels).map(|(weight, level)| weight / scale * level.mean).sum()
}

/// ln s² = intercept + slope · ln mean (or mean).
pub(super) struct Trend {
    is_log: bool,
    intercept: f64,
    pub(super) slope: f64,
}

impl Trend {
    /// Chance of a trend that is none.
    const SIGNIFICANT: f64 = 0.05;

    /// `None` unless ln s² changes significantly with the mean. At least five levels are needed.
    fn new(levels: &[&LevelMean], pooled: f64) -> Option<Self> {
        if levels.len() < 5 || pooled <= 0.0 || !Self::means_differ(levels, pooled) {
            return None;
        }
        let (mut trend, t) = Self::regression(levels, pooled);
        let is_significant = t.is_finite() && student_t_probability(t, levels.len() as f64 - 2.0) < Self::SIGNIFICANT;
        // Right on average over the runs.
        let total: f64 = levels.iter().map(|level| level.freedom).sum();
        let ratio = |level: &&LevelMean| level.freedom * level.variance / trend.variance(level.mean);
        let scale = levels.iter().map(ratio).sum::<f64>() / total;
        trend.intercept += libm::log(scale);
        (is_significant && scale > 0.0 && scale.is_finite()).then_some(trend)
    }

    /// The weighted least squares of ln s², and the slope over its standard error.
    pub(super) fn regression(levels: &[&LevelMean], pooled: f64) -> (Self, f64) {
        /// Variances below this share of the pooled one count as this: equal values have no logarithm.
        const LEAST: f64 = 1e-4;
        let is_log = levels.iter().all(|level| level.mean > 0.0);
        let at = |level: &LevelMean| if is_log { libm::log(level.mean) } else { level.mean };
        let points: Vec<(f64, f64, f64)> = levels
            .iter()
            .map(|level| {
                let variance = level.variance.max(LEAST * pooled);
                (at(level), libm::log(variance) - log_bias(level.freedom), level.freedom)
            })
            .collect();
        let total: f64 = points.iter().map(|point| point.2).sum();
        let mean = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(|p| p.2 * of(p)).sum::<f64>() / total;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let squares: f64 = points.iter().map(|p| p.2 * (p.0 - x) * (p.0 - x)).sum();
        let slope = points.iter().map(|p| p.2 * (p.0 - x) * (p.1 - y)).sum::<f64>() / squares;
        let left = |p: &(f64, f64, f64)| p.1 - y - slope * (p.0 - x);
        let degrees = points.len() as f64 - 2.0;
        let residual = points.iter().map(|p| p.2 * left(p) * left(p)).sum::<f64>() / degrees;
        let t = slope / libm::sqrt(residual / squares);
        (Self { is_log, intercept: y - slope * x, slope }, t)
    }

    /// Whether the means differ by far more than their errors. Of skewed runs a level that is low by luck has a low variance by the same
    /// luck: among equal means that looks like a trend, and would favour the lucky.
    fn means_differ(levels: &[&LevelMean], pooled: f64) -> bool {
        const FAR: f64 = 10.0;
        let means = || levels.iter().map(|level| level.mean);
        let range = means().fold(f64::NEG_INFINITY, f64::max) - means().fold(f64::INFINITY, f64::min);
        let error = levels.iter().map(|level| pooled / level.n).sum::<f64>() / levels.len() as f64;
        range > FAR * libm::sqrt(error)
    }

    pub(super) fn variance(&self, mean: f64) -> f64 {
        libm::exp(self.intercept + self.slope * if self.is_log { libm::log(mean) } else { mean })
    }
}

/// E ln(χ²_ν / ν), to 1e-3: the digamma function of ν/2 less ln(ν/2), shifted up by its recurrence.
fn log_bias(degrees_of_freedom: f64) -> f64 {
    let (mut half, mut sum) = (degrees_of_freedom / 2.0, -libm::log(degrees_of_freedom / 2.0));
    while half < 6.0 {
        sum -= 1.0 / half;
        half += 1.0;
    }
    sum + libm::log(half) - 0.5 / half - 1.0 / (12.0 * half * half)
}

/// Whether Bartlett's test rejects equal variances at 0.1 %.
fn are_unequal(levels: &[&LevelMean], pooled: f64) -> bool {
    const SIGNIFICANT: f64 = 0.001;
    if levels.iter().any(|level| level.variance <= 0.0) {
        return pooled > 0.0;
    }
    bartlett(levels, pooled) < SIGNIFICANT
}

/// The p value of Bartlett's test of equal variances, all above 0.
pub(super) fn bartlett(levels: &[&LevelMean], pooled: f64) -> f64 {
    let groups = levels.len() as f64 - 1.0;
    let degrees: f64 = levels.iter().map(|level| level.freedom).sum();
    let logs: f64 = levels.iter().map(|level| level.freedom * libm::log(level.variance)).sum();
    let inverse: f64 = levels.iter().map(|level| 1.0 / level.freedom).sum();
    let scale = 1.0 + (inverse - 1.0 / degrees) / (3.0 * groups);
    let statistic = (degrees * libm::log(pooled) - logs) / scale;
    crate::stats::optimum::fit::chi_squared_tail(statistic, groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn level(x: f64, mean: f64, std_dev: f64, n: f64) -> LevelMean {
        LevelMean { x, mean, variance: std_dev * std_dev, n, freedom: n - 1.0 }
    }

    #[test]
    fn few_runs_share_one_variance() {
        let levels = [level(0.0, 3.0, 1.0, 3.0), level(1.0, 2.0, 2.0, 3.0), level(2.0, 3.0, 3.0, 2.0)];
        let noise = Noise::new(&levels).unwrap();
        // (2 · 1 + 2 · 4 + 1 · 9) / 5 over the runs of each.
        assert!((noise.variances[0] - 19.0 / 5.0 / 3.0).abs() < 1e-12);
        assert!((noise.variances[2] - 19.0 / 5.0 / 2.0).abs() < 1e-12);
        assert_eq!((noise.degrees_of_freedom, noise.source), (5.0, NoiseSource::Pooled));
    }

    #[test]
    fn a_variance_that_follows_the_mean_is_followed() {
        let means = [1.0, 1.5, 2.0, 4.0, 8.0, 10.0];
        let levels: Vec<LevelMean> =
            (0..).zip(means).map(|(i, mean)| level(f64::from(i), mean, mean / 10.0, 5.0)).collect();
        let noise = Noise::new(&levels).unwrap();
        for (variance, mean) in noise.variances.iter().zip(means) {
            assert!((variance / (mean * mean / 100.0 / 5.0) - 1.0).abs() < 1e-9);
        }
        assert_eq!(noise.degrees_of_freedom, 22.0);
    }

    #[test]
    fn many_runs_of_unlike_levels_keep_their_own() {
        let deviations = [1.0, 5.0, 1.2, 4.0, 0.9, 4.5];
        let levels: Vec<LevelMean> =
            (0..).zip(deviations).map(|(i, s)| level(f64::from(i), 10.0 + f64::from(i % 3), s, 50.0)).collect();
        let noise = Noise::new(&levels).unwrap();
        assert_eq!(noise.source, NoiseSource::Runs);
        assert!((noise.variances[1] - 25.0 / 50.0).abs() < 1e-12);
    }

    #[test]
    fn one_run_a_level_is_measured_by_what_a_cubic_leaves() {
        // Any spacing: a cubic without noise has no differences, and noise of variance 1 gives about 1.
        let x = [0.0, 0.7, 1.5, 2.1, 3.3, 4.0, 5.2, 6.0, 6.4];
        let curve = |x: f64| 2.0 - x + 0.5 * x * x - 0.02 * x * x * x;
        let one = |x: f64, noise: f64| LevelMean { x, mean: curve(x) + noise, variance: 0.0, n: 1.0, freedom: 0.0 };
        let exact: Vec<LevelMean> = x.iter().map(|x| one(*x, 0.0)).collect();
        assert!(Noise::new(&exact).unwrap().variances[0] < 1e-10);
        let mut logs = 0.0;
        for seed in 0..400 {
            let mut stream = Stream::new(seed, 5, 0);
            let levels: Vec<LevelMean> = x.iter().map(|x| one(*x, stream.normal())).collect();
            let noise = Noise::new(&levels).unwrap();
            assert_eq!((noise.source, noise.degrees_of_freedom), (NoiseSource::Curve, 2.5));
            logs += noise.variances[0].ln() / 400.0;
        }
        // The median of five correlated sizes is low as often as high, by a factor of two or so.
        assert!(logs.abs() < 0.5, "{logs}");
        assert!(Noise::new(&exact[..3]).is_none());
    }

    #[test]
    fn the_bias_of_a_logarithm() {
        // Digamma(½) = −1.96351, digamma(1) = −0.57722, digamma(5) = 1.50612 (Abramowitz and Stegun, table 6.1).
        for (nu, digamma) in [(1.0, -1.963_510), (2.0, -0.577_216), (10.0, 1.506_118)] {
            assert!((log_bias(nu) - (digamma - libm::log(nu / 2.0))).abs() < 1e-3);
        }
    }
}
