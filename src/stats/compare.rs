//! Is one level's metric different from another's, by how much, and does it matter?
//!
//! **Difference of independent means** (Welch 1938): b − a ± t · √(se_a² + se_b²), Satterthwaite's degrees of freedom. Unequal
//! variances and sizes are the rule here; Student's pooled test is wrong for them. Assumes independent runs and means that are
//! nearly normal: fine from some 30 runs a level, with two-peaked losses from some 60.
//!
//! **Paired difference** (Student 1908): the t interval of the differences of runs that share their draw.
//!
//! **Mann–Whitney U** (1947): whether a run at one level tends to be above one at the other; normal approximation with
//! corrections for ties and continuity, as SciPy's `method="asymptotic"`. It asks about P(X < Y), not about means: of two
//! mixtures the one with the greater mean may well win most duels. Approximate below 8 values a side.
//!
//! **Ratio of means** (Fieller 1954): all r for which b − r·a is not significantly different from 0. Exact for normal means,
//! while the delta method's symmetric interval is too short above where a is uncertain. There is none (the set is not an
//! interval) unless a is significantly different from 0.
//!
//! **Several comparisons** (Holm 1979): adjusted p, smallest first times the number left; controls the chance of any false
//! claim under any dependence. Why not Bonferroni: never better. Why not Hochberg: needs independence.
//!
//! **A share** (Wilson 1927): the score interval; stays inside 0..1 and covers for 0 and n successes too, which Wald's
//! p ± z√(p(1−p)/n) does not (Brown, Cai and DasGupta 2001).
//!
//! **Verdict against a margin m**: `better` or `worse` if the whole interval at 1−α lies beyond −m or +m; `equivalent` if the
//! interval at 1−2α lies within ±m, which is two one-sided tests at α (TOST, Schuirmann 1987); else `undecided`. Each claim is
//! wrong with probability at most α. "Not significant" is never turned into "equal", and a difference that is real but
//! smaller than the margin is equivalent, not worse. With m = 0 it says better or worse than zero.
//!
//! **Cost.** O(1) from means and errors; O(n log n) for U.

use serde::Serialize;

use crate::stats::exact::ExactMoments;
use crate::stats::interval::{
    ConfidenceInterval, Estimate, Method, normal_probability, normal_quantile, satterthwaite, student_t_probability,
    student_t_quantile,
};

/// A number measured with an error: a mean, a trimmed mean, a fitted value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The value.
    pub point: f64,
    /// Its standard error; absent where the data cannot give one.
    pub standard_error: Option<f64>,
    /// Degrees of freedom of the standard error.
    pub freedom: f64,
}

impl Measured {
    /// The mean of `values`; nothing for none.
    pub fn mean_of(values: &[f64]) -> Option<Self> {
        Self::of_moments(&ExactMoments::of(values))
    }

    /// The mean of an exact state; nothing for an empty one.
    pub fn of_moments(moments: &ExactMoments) -> Option<Self> {
        let n = moments.n() as f64;
        let standard_error = moments.std_dev().map(|s| s / n.sqrt());
        Some(Self { point: moments.mean()?, standard_error, freedom: n - 1.0 })
    }

    /// With its t interval at `confidence`.
    pub fn estimate(&self, confidence: f64, method: Method) -> Estimate {
        let interval = self.standard_error.map(|error| {
            let quantile = student_t_quantile(confidence, self.freedom);
            ConfidenceInterval::symmetric(self.point, error, quantile, confidence, method)
        });
        Estimate { point: self.point, standard_error: self.standard_error, interval }
    }
}

/// A difference with its test against 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The difference with its interval.
    pub estimate: Estimate,
    /// Standard error of it.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub freedom: f64,
    /// Two-sided probability of one at least as large if there is none.
    pub p_value: f64,
}

impl Difference {
    /// A difference that has been measured, with its t interval and its test against 0; nothing without a standard error.
    pub fn new(measured: &Measured, confidence: f64, method: Method) -> Option<Self> {
        let standard_error = measured.standard_error?;
        // Without any spread a difference is certain, and none is no evidence.
        let p_value = if standard_error > 0.0 {
            student_t_probability(measured.point / standard_error, measured.freedom)
        } else {
            f64::from(measured.point == 0.0)
        };
        let estimate = measured.estimate(confidence, method);
        Some(Self { estimate, standard_error, freedom: measured.freedom, p_value })
    }

    /// Its verdict against `margin` ≥ 0, in the difference's unit; lower is better. `confidence` is 1 − α.
    pub fn verdict(&self, margin: f64, confidence: f64) -> Verdict {
        let ends = |confidence: f64| {
            let half = student_t_quantile(confidence, self.freedom) * self.standard_error;
            (self.estimate.point - half, self.estimate.point + half)
        };
        let (lower, upper) = ends(confidence);
        // Two one-sided tests at α leave an interval at 1 − 2α.
        let (least, greatest) = ends(2.0 * confidence - 1.0);
        if upper < -margin {
            Verdict::Better
        } else if lower > margin {
            Verdict::Worse
        } else if -margin < least && greatest < margin {
            Verdict::Equivalent
        } else {
            Verdict::Undecided
        }
    }
}

/// What a difference says against an equivalence margin, lower being better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Lower by more than the margin.
    Better,
    /// Higher by more than the margin.
    Worse,
    /// Differs by less than the margin.
    Equivalent,
    /// The data do not say.
    Undecided,
}

impl Verdict {
    /// Of a difference whose interval, at the level of both claims, is this; lower is better. More cautious than
    /// [`Difference::verdict`], which asks the equivalence at its own, narrower one.
    pub fn of_interval(lower: f64, upper: f64, margin: f64) -> Self {
        if upper < -margin {
            Self::Better
        } else if lower > margin {
            Self::Worse
        } else if -margin < lower && upper < margin {
            Self::Equivalent
        } else {
            Self::Undecided
        }
    }
}

/// `to` − `from` for independent numbers. Nothing if an error is absent.
pub fn welch(from: &Measured, to: &Measured, confidence: f64) -> Option<Difference> {
    let (a, b) = (from.standard_error?, to.standard_error?);
    let freedom = satterthwaite(&[(a * a, from.freedom), (b * b, to.freedom)]).unwrap_or(from.freedom.min(to.freedom));
    let difference = Measured { point: to.point - from.point, standard_error: Some(libm::hypot(a, b)), freedom };
    Difference::new(&difference, confidence, Method::WelchT)
}

/// The mean of `to[i] − from[i]`. Nothing for fewer than two pairs.
///
/// # Panics
/// If the lengths differ.
pub fn paired(from: &[f64], to: &[f64], confidence: f64) -> Option<Difference> {
    assert_eq!(from.len(), to.len(), "pairs have two sides");
    let differences: Vec<f64> = from.iter().zip(to).map(|(a, b)| b - a).collect();
    Difference::new(&Measured::mean_of(&differences)?, confidence, Method::StudentT)
}

/// The relative change `to` / `from` − 1 of independent positive numbers, with Fieller's interval.
pub fn relative_change(from: &Measured, to: &Measured, confidence: f64) -> Estimate {
    relative_change_correlated(from, to, 0.0, confidence)
}

/// The relative change of the mean from `from` to `to`, whose runs are paired. Nothing without pairs.
///
/// # Panics
/// If the lengths differ.
pub fn relative_change_paired(from: &[f64], to: &[f64], confidence: f64) -> Option<Estimate> {
    let differences: Vec<f64> = from.iter().zip(to).map(|(a, b)| b - a).collect();
    let (a, b, d) = (Measured::mean_of(from)?, Measured::mean_of(to)?, Measured::mean_of(&differences)?);
    let square = |measured: &Measured| measured.standard_error.map_or(0.0, |error| error * error);
    // Var(b − a) = Var a + Var b − 2 Cov.
    let covariance = (square(&a) + square(&b) - square(&d)) / 2.0;
    Some(relative_change_correlated(&a, &b, covariance, confidence))
}

/// The relative change `to` / `from` − 1 of numbers with this covariance, with Fieller's interval: the roots of
/// (b − r a)² = t² (se_b² − 2 r cov + r² se_a²) in r, less one.
pub fn relative_change_correlated(from: &Measured, to: &Measured, covariance: f64, confidence: f64) -> Estimate {
    let ratio = to.point / from.point;
    let (Some(a), Some(b)) = (from.standard_error, to.standard_error) else {
        return Estimate { point: ratio - 1.0, standard_error: None, interval: None };
    };
    let variance = b * b - 2.0 * ratio * covariance + ratio * ratio * a * a;
    let standard_error = libm::sqrt(variance.max(0.0)) / from.point.abs();
    let parts = [(ratio * ratio * a * a, from.freedom), (b * b, to.freedom)];
    let freedom = if covariance == 0.0 { satterthwaite(&parts) } else { None };
    let t = student_t_quantile(confidence, freedom.unwrap_or(from.freedom.min(to.freedom)));
    let square = t * t;
    let leading = from.point * from.point - square * a * a;
    let middle = from.point * to.point - square * covariance;
    let last = to.point * to.point - square * b * b;
    let discriminant = middle * middle - leading * last;
    let interval = (leading > 0.0 && discriminant >= 0.0).then(|| ConfidenceInterval {
        level: confidence,
        lower: (middle - libm::sqrt(discriminant)) / leading - 1.0,
        upper: (middle + libm::sqrt(discriminant)) / leading - 1.0,
        method: Method::Fieller,
    });
    Estimate { point: ratio - 1.0, standard_error: Some(standard_error), interval }
}

/// A test by ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Number of pairs in which the first sample's value is the greater, ties counting half.
    pub u: f64,
    /// Estimated probability that a value of the first sample is above one of the second, ties counting half.
    pub superiority: f64,
    /// Two-sided probability if both come from one distribution.
    pub p_value: f64,
}

/// Mann–Whitney's test of two sorted samples. Nothing if one is empty.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<RankTest> {
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let mut all: Vec<f64> = [first, second].concat();
    all.sort_by(f64::total_cmp);
    let ties: f64 = all.chunk_by(|a, b| a == b).map(|run| run.len() as f64).map(|t| t * t * t - t).sum();
    let u: f64 = first
        .iter()
        .map(|x| {
            let below = second.partition_point(|y| y < x);
            let equal = second[below..].partition_point(|y| y <= x);
            below as f64 + equal as f64 / 2.0
        })
        .sum();
    let (pairs, n) = (n1 * n2, n1 + n2);
    let spread = libm::sqrt(pairs / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0))));
    let z = ((u - pairs / 2.0).abs() - 0.5) / spread;
    // Below the continuity correction nothing speaks against equality.
    let p_value = if z > 0.0 { normal_probability(z) } else { 1.0 };
    Some(RankTest { u, superiority: u / pairs, p_value })
}

/// Holm's adjusted p values, in the order given.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut least = 0.0f64;
    for (rank, place) in order.into_iter().enumerate() {
        least = least.max(p_values[place] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[place] = least;
    }
    adjusted
}

/// The share `successes` / `n` with Wilson's interval. Nothing at n = 0.
pub fn wilson(successes: u64, n: u64, confidence: f64) -> Option<Estimate> {
    let (count, share) = (n as f64, successes as f64 / n as f64);
    let z = normal_quantile(confidence);
    let shrink = 1.0 + z * z / count;
    let centre = (share + z * z / (2.0 * count)) / shrink;
    let half = z / shrink * libm::sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count));
    (n > 0).then(|| Estimate {
        point: share,
        standard_error: Some(libm::sqrt(share * (1.0 - share) / count)),
        interval: Some(ConfidenceInterval {
            level: confidence,
            lower: if successes == 0 { 0.0 } else { centre - half },
            upper: if successes == n { 1.0 } else { centre + half },
            method: Method::Wilson,
        }),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// SciPy's quantiles and tails against ours; both are good to about 1e-12.
    const ROUNDING: f64 = 1e-9;

    #[derive(serde::Deserialize)]
    pub struct Expected {
        difference: f64,
        freedom: f64,
        p_value: f64,
        lower: f64,
        upper: f64,
    }

    impl Expected {
        pub fn assert_equal(&self, ours: &Difference) {
            let interval = ours.estimate.interval.unwrap();
            let pairs = [
                (ours.estimate.point, self.difference),
                (ours.freedom, self.freedom),
                (ours.p_value, self.p_value),
                (interval.lower, self.lower),
                (interval.upper, self.upper),
            ];
            for (ours, expected) in pairs {
                assert!((ours / expected - 1.0).abs() < ROUNDING, "{ours} {expected}");
            }
        }
    }

    #[derive(serde::Deserialize)]
    struct Rank {
        u: f64,
        p_value: f64,
    }

    #[derive(serde::Deserialize)]
    struct Share {
        successes: u64,
        n: u64,
        lower: f64,
        upper: f64,
    }

    #[derive(serde::Deserialize)]
    struct Tail {
        t: f64,
        freedom: f64,
        p_value: f64,
    }

    #[derive(serde::Deserialize)]
    struct Compare {
        skewed: Vec<f64>,
        other: Vec<f64>,
        welch: Expected,
        pairs: [Vec<f64>; 2],
        paired: Expected,
        tied: [Vec<f64>; 2],
        mann_whitney_tied: Rank,
        mann_whitney: Rank,
        p_values: Vec<f64>,
        holm: Vec<f64>,
        wilson: Vec<Share>,
        student_p: Vec<Tail>,
        tost_p_value: f64,
    }

    fn data() -> Compare {
        #[derive(serde::Deserialize)]
        struct Fixture {
            compare: Compare,
        }
        crate::stats::fixture::<Fixture>().compare
    }

    fn measured(point: f64, error: f64, freedom: f64) -> Measured {
        Measured { point, standard_error: Some(error), freedom }
    }

    #[test]
    fn t_tests_equal_scipy() {
        let data = data();
        let [a, b] = [&data.skewed, &data.other].map(|values| Measured::mean_of(values).unwrap());
        data.welch.assert_equal(&welch(&a, &b, 0.95).unwrap());
        data.paired.assert_equal(&paired(&data.pairs[0], &data.pairs[1], 0.95).unwrap());
        for tail in data.student_p {
            let ours = student_t_probability(tail.t, tail.freedom);
            assert!((ours / tail.p_value - 1.0).abs() < ROUNDING, "{} {}: {ours}", tail.t, tail.freedom);
        }
    }

    #[test]
    fn ranks_shares_and_adjusted_values_equal_scipy_and_statsmodels() {
        let data = data();
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let tied = (sorted(&data.tied[0]), sorted(&data.tied[1]), data.mann_whitney_tied);
        for (first, second, expected) in [tied, (sorted(&data.skewed), sorted(&data.other), data.mann_whitney)] {
            let ours = mann_whitney(&first, &second).unwrap();
            assert_eq!(ours.u, expected.u);
            assert!((ours.p_value / expected.p_value - 1.0).abs() < ROUNDING);
        }
        for (ours, expected) in holm(&data.p_values).iter().zip(&data.holm) {
            assert!((ours / expected - 1.0).abs() < ROUNDING);
        }
        for share in data.wilson {
            let interval = wilson(share.successes, share.n, 0.95).unwrap().interval.unwrap();
            assert!((interval.lower - share.lower).abs() < ROUNDING, "{interval:?}");
            assert!((interval.upper - share.upper).abs() < ROUNDING, "{interval:?}");
        }
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }

    #[test]
    fn equivalence_begins_where_both_one_sided_tests_reject() {
        // The confidence at which the verdict changes is one minus the p value of statsmodels' TOST.
        let data = data();
        let [a, b] = [&data.skewed, &data.other].map(|values| Measured::mean_of(values).unwrap());
        let difference = welch(&a, &b, 0.95).unwrap();
        let turning = 1.0 - data.tost_p_value;
        assert_eq!(difference.verdict(400.0, turning - 1e-9), Verdict::Equivalent);
        assert_ne!(difference.verdict(400.0, turning + 1e-9), Verdict::Equivalent);
    }

    #[test]
    fn verdicts_by_hand() {
        let verdict = |point, margin| {
            welch(&measured(100.0, 0.0, 1e9), &measured(100.0 + point, 1.0, 1e9), 0.95).unwrap().verdict(margin, 0.95)
        };
        assert_eq!(verdict(-5.0, 3.0), Verdict::Better);
        assert_eq!(verdict(5.0, 3.0), Verdict::Worse);
        assert_eq!(verdict(5.0, 3.1), Verdict::Undecided, "5 − 1.96 is below 3.1");
        assert_eq!(verdict(1.0, 2.65), Verdict::Equivalent, "1 + 1.645 is below 2.65");
        assert_eq!(verdict(1.0, 2.64), Verdict::Undecided);
        assert_eq!(verdict(0.0, 0.0), Verdict::Undecided);
    }

    #[test]
    fn ratios_by_hand() {
        // A certain divisor leaves the t interval of b, divided.
        let change = relative_change(&measured(200.0, 0.0, 9.0), &measured(150.0, 4.0, 9.0), 0.95);
        let t = student_t_quantile(0.95, 9.0);
        let interval = change.interval.unwrap();
        assert!((change.point + 0.25).abs() < 1e-15 && (interval.upper - (-0.25 + t * 0.02)).abs() < 1e-12);
        // Fieller's ends make b − r a just significant.
        let (a, b) = (measured(100.0, 3.0, 1e9), measured(80.0, 2.0, 1e9));
        let interval = relative_change(&a, &b, 0.95).interval.unwrap();
        for end in [interval.lower, interval.upper] {
            let r = end + 1.0;
            let z = (80.0 - r * 100.0).abs() / (4.0 + r * r * 9.0f64).sqrt();
            assert!((z - 1.959963985).abs() < 1e-7);
        }
        assert_eq!(relative_change(&measured(1.0, 3.0, 9.0), &b, 0.95).interval, None, "the divisor may be 0");
        // Pairs that move together leave a ratio without error.
        let exact = relative_change_paired(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0], 0.95).unwrap();
        assert!((exact.point - 1.0).abs() < 1e-15 && exact.standard_error.unwrap() < 1e-7);
    }

    #[test]
    fn without_spread_a_difference_is_certain() {
        assert_eq!(paired(&[1.0, 1.0], &[2.0, 2.0], 0.95).unwrap().p_value, 0.0);
        assert_eq!(paired(&[1.0, 1.0], &[1.0, 1.0], 0.95).unwrap().p_value, 1.0);
        assert_eq!(paired(&[1.0], &[2.0], 0.95), None);
    }
}
