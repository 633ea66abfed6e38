//! Where does a share of the runs lie, and what is the centre when a few runs are far off?
//!
//! **Quantile**: linear interpolation at (n−1)p, type 7 of Hyndman and Fan (1996), the default of
//! NumPy, pandas and R.
//!
//! **Interval of a quantile**: from the l-th to the u-th least value. The number of values below
//! the true quantile is binomial(n, p) for any continuous distribution, so that the interval covers
//! it with probability P(l ≤ B < u) ≥ the nominal level (David and Nagaraja 2003, 7.1). l and u are
//! the innermost with at most α/2 on each side. Why not the bootstrap or a density estimate: both
//! fail for two-peaked losses, where the median may lie in the gap. When it is wrong: never too
//! narrow for independent runs, but wider than needed for few; absent where even the extremes are
//! not enough (median: n < 6 at 95 %). With ties the coverage only grows.
//!
//! **Trimmed mean**: the mean without the g = ⌊γn⌋ least and greatest values. Its standard error is
//! Yuen's (1974), √(SSD_w / (h(h−1))) with the winsorised sum of squared deviations SSD_w and h = n
//! − 2g, after Tukey and McLaughlin (1963); t interval with h − 1 degrees of freedom. Why not the
//! usual s/√n of what is left: it forgets that the cut moves, and is too small. It estimates the
//! centre of the middle, not the mean: at a mixture of solved and stuck runs it jumps when the
//! stuck share passes γ. γ = ¼ is the interquartile mean (as in `scipy.stats.trim_mean` and
//! rliable, Agarwal et al. 2021).
//!
//! **Cost.** O(1) a quantile, O(√n) its interval, O(n) a trimmed mean.

use std::ops::Range;

use crate::stats::compare::Measured;
use crate::stats::exact::ExactMoments;
use crate::stats::interval::{ConfidenceInterval, Estimate, Method};

/// What [`trimmed`] cuts on each side for an interquartile mean.
pub const QUARTER: f64 = 0.25;

/// Quantile of type 7 at `p` in [0, 1] of a sorted, non-empty sample.
///
/// # Panics
/// On an empty sample.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * p;
    let below = place.floor();
    let (lower, upper) = (sorted[below as usize], sorted[place.ceil() as usize]);
    let weight = place - below;
    if lower == upper { lower } else { lower * (1.0 - weight) + upper * weight }
}

/// The quantile at `p` in (0, 1) of a sorted sample with its interval at `confidence`; nothing for
/// an empty sample. The interval is absent where the sample is too small for one.
pub fn quantile_estimate(sorted: &[f64], p: f64, confidence: f64) -> Option<Estimate> {
    (!sorted.is_empty()).then(|| Places::new(sorted.len(), p, confidence).estimate(sorted))
}

/// Which order statistics bound a quantile: the same in every sample of a size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Places {
    p: f64,
    confidence: f64,
    /// Counted from 1; 0 where there is none.
    lower: usize,
    /// Counted from 1; n + 1 where there is none.
    upper: usize,
}

impl Places {
    /// The greatest l with P(B < l) ≤ α/2 and the least u with P(B ≥ u) ≤ α/2, B binomial(n, p),
    /// for p in (0, 1).
    pub fn new(n: usize, p: f64, confidence: f64) -> Self {
        let tail = (1.0 - confidence) / 2.0;
        let law = Binomial::new(n, p);
        let (mut lower, mut below) = (0, law.probability(0));
        while below <= tail && lower < n {
            lower += 1;
            below += law.probability(lower);
        }
        let (mut upper, mut above) = (n + 1, law.probability(n));
        while above <= tail && upper > 1 {
            upper -= 1;
            above += law.probability(upper - 1);
        }
        Self { p, confidence, lower, upper }
    }

    /// The quantile of a sorted, non-empty sample of this size, as [`quantile_estimate`] gives it.
    ///
    /// # Panics
    /// On an empty sample.
    pub fn estimate(&self, sorted: &[f64]) -> Estimate {
        let interval = (self.lower >= 1 && self.upper <= sorted.len()).then(|| ConfidenceInterval {
            level: self.confidence,
            lower: sorted[self.lower - 1],
            upper: sorted[self.upper - 1],
            method: Method::OrderStatistics,
        });
        Estimate { point: quantile(sorted, self.p), standard_error: None, interval }
    }
}

/// Probabilities of a binomial distribution where they matter: by their ratio from the mode
/// outwards, then divided by their sum. Good to 1e-13 for any n, which the incomplete beta function
/// of `statrs` is not.
struct Binomial {
    first: usize,
    probabilities: Vec<f64>,
}

impl Binomial {
    fn new(n: usize, p: f64) -> Self {
        const NEGLIGIBLE: f64 = 1e-25;
        let odds = p / (1.0 - p);
        let mode = (((n + 1) as f64 * p) as usize).min(n);
        let down = std::iter::successors(Some((mode, 1.0)), |(k, weight)| {
            let next = weight * *k as f64 / ((n - k + 1) as f64 * odds);
            (*k > 0 && next > NEGLIGIBLE).then(|| (k - 1, next))
        });
        let up = std::iter::successors(Some((mode, 1.0)), |(k, weight)| {
            let next = weight * (n - k) as f64 / (k + 1) as f64 * odds;
            (*k < n && next > NEGLIGIBLE).then(|| (k + 1, next))
        });
        let mut weights: Vec<(usize, f64)> = down.collect();
        weights.reverse();
        weights.extend(up.skip(1));
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let probabilities = weights.iter().map(|(_, weight)| weight / sum).collect();
        Self { first: weights[0].0, probabilities }
    }

    /// P(B = k).
    fn probability(&self, k: usize) -> f64 {
        k.checked_sub(self.first).and_then(|at| self.probabilities.get(at)).copied().unwrap_or(0.0)
    }
}

/// The mean of a sorted sample without the share `cut` in [0, ½) of the values on each side, as a
/// [`Measured`] that can be compared with another. Nothing for an empty sample.
pub fn trimmed(sorted: &[f64], cut: f64) -> Option<Measured> {
    let places = kept(sorted.len(), cut);
    trimmed_by(sorted, &places, ExactMoments::of(&sorted[places.clone()]))
}

/// The places of what is kept of `n` values where the share `cut` goes on each side.
fn kept(n: usize, cut: f64) -> Range<usize> {
    let g = (cut * n as f64) as usize;
    g..n - g
}

/// [`trimmed`] to the values at `places`, which have these `moments`.
fn trimmed_by(sorted: &[f64], places: &Range<usize>, mut moments: ExactMoments) -> Option<Measured> {
    let (n, g, kept) = (sorted.len(), places.start, &sorted[places.clone()]);
    let point = moments.mean()?;
    // Winsorised: what is left out counts as the nearest that is kept.
    moments.push_times(kept[0], g);
    moments.push_times(kept[kept.len() - 1], g);
    let h = kept.len() as f64;
    let standard_error =
        moments.std_dev().filter(|_| kept.len() > 1).map(|s| s * libm::sqrt((n as f64 - 1.0) / (h * (h - 1.0))));
    Some(Measured { point, standard_error, freedom: h - 1.0 })
}

/// What a sorted sample's trimmed means share with its own: each value is added once, from the
/// middle outwards.
#[derive(Debug, Clone)]
pub struct TrimmedInTurn {
    /// [`trimmed`] at each cut.
    pub measured: Vec<Measured>,
    /// The moments of the whole sample.
    pub moments: ExactMoments,
}

impl TrimmedInTurn {
    /// At these `cuts`, the greatest first. `None` for an empty sample.
    pub fn new(sorted: &[f64], cuts: &[f64]) -> Option<Self> {
        let (mut moments, mut within) = (ExactMoments::default(), None::<Range<usize>>);
        let mut widen_to = |places: &Range<usize>| {
            let before = within.replace(places.clone()).unwrap_or(places.start..places.start);
            moments.extend(&sorted[places.start..before.start]);
            moments.extend(&sorted[before.end..places.end]);
            moments.clone()
        };
        let mut at = |cut: &f64| {
            let places = kept(sorted.len(), *cut);
            trimmed_by(sorted, &places, widen_to(&places))
        };
        let measured = cuts.iter().map(&mut at).collect::<Option<_>>()?;
        Some(Self { measured, moments: widen_to(&(0..sorted.len())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::compare;

    /// Two ways of adding the same 40 numbers, and SciPy's own rounding.
    const ROUNDING: f64 = 1e-11;

    #[derive(serde::Deserialize)]
    struct Fixture {
        quantiles: Vec<Place>,
        compare: Compare,
    }

    #[derive(serde::Deserialize)]
    struct Place {
        n: usize,
        p: f64,
        lower_place: usize,
        upper_place: usize,
    }

    #[derive(serde::Deserialize)]
    struct Compare {
        skewed: Vec<f64>,
        other: Vec<f64>,
        trimmed: f64,
        interquartile: f64,
        yuen: compare::tests::Expected,
    }

    fn sorted(mut values: Vec<f64>) -> Vec<f64> {
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn order_statistics_equal_scipy() {
        for place in crate::stats::fixture::<Fixture>().quantiles {
            let ours = Places::new(place.n, place.p, 0.95);
            assert_eq!((ours.lower, ours.upper), (place.lower_place, place.upper_place), "{}", place.n);
        }
    }

    #[test]
    fn small_samples_have_no_interval() {
        assert_eq!(quantile_estimate(&[], 0.5, 0.95), None);
        assert_eq!(quantile_estimate(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.5, 0.95).unwrap().interval, None);
        // Six values: from the first to the last covers 1 − 2/64 = 96.9 %.
        let interval = quantile_estimate(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.5, 0.95).unwrap().interval.unwrap();
        assert_eq!((interval.lower, interval.upper), (1.0, 6.0));
    }

    #[test]
    fn trimming_equals_scipy() {
        let Fixture { compare: data, .. } = crate::stats::fixture();
        let (skewed, other) = (sorted(data.skewed), sorted(data.other));
        let ours = trimmed(&skewed, 0.2).unwrap();
        assert!((ours.point / data.trimmed - 1.0).abs() < ROUNDING);
        assert!((trimmed(&skewed, QUARTER).unwrap().point / data.interquartile - 1.0).abs() < ROUNDING);
        // Yuen's test is Welch's with trimmed means and their errors.
        let [a, b] = [&skewed, &other].map(|sample| trimmed(sample, 0.2).unwrap());
        data.yuen.assert_equal(&compare::welch(&a, &b, 0.95).unwrap());
    }

    #[test]
    fn nothing_trimmed_is_the_mean() {
        let values = [1.0, 2.0, 4.0, 9.0];
        let summary = crate::stats::Summary::of_sorted(&values, 0.95).unwrap();
        let ours = trimmed(&values, 0.0).unwrap();
        assert_eq!(ours.point, summary.mean.point);
        assert!((ours.standard_error.unwrap() / summary.mean.standard_error.unwrap() - 1.0).abs() < ROUNDING);
        assert_eq!(trimmed(&[3.0], 0.2).unwrap().standard_error, None);
    }
    #[test]
    fn in_turn_and_at_once_agree_to_the_bit() {
        for n in [0, 1, 2, 3, 7, 10, 41, 1000] {
            let values: Vec<f64> = (0..n).map(|i| libm::exp(f64::from(i) / 10.0)).collect();
            let found = TrimmedInTurn::new(&values, &[QUARTER, 0.1]);
            let Some(TrimmedInTurn { measured, moments }) = found else {
                assert_eq!((n, trimmed(&values, 0.1)), (0, None));
                continue;
            };
            assert_eq!(measured, [trimmed(&values, QUARTER).unwrap(), trimmed(&values, 0.1).unwrap()]);
            assert_eq!(moments, ExactMoments::of(&values));
        }
    }
}
