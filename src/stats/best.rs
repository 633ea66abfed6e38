//! Which levels may be the best, and how probable is each?
//!
//! **Confidence set.** Level i is left out if it is significantly worse than some other: T_i = max_j (m_i − m_j) / s_ij, with
//! s_ij² = SE_i² + SE_j², is compared with the distribution of the same maximum when all means are equal. The true best is left
//! out with probability at most α, however many levels there are: this is Hsu's (1981, 1996) multiple comparisons with the
//! best, turned into a subset selection (Gupta 1965), with unequal errors.
//! Given the noise z of level i the comparisons with the others are independent, so that the adjusted p value is
//!
//! ```text
//! p_i = 1 − ∫ φ(z) Π_j Φ((T_i s_ij − SE_i z) / SE_j) dz
//! ```
//!
//! an integral over one variable (Dunnett 1955). Why not a simulated maximum: the integral is exact, needs no seed and is
//! faster. Why not overlapping intervals: they account neither for the number of levels nor for the right variance. Differences are first
//! turned into the normal deviates of equal tail (Hill 1970) with Satterthwaite's degrees of freedom.
//! It is a statement about each level alone: neighbours lend it nothing. The curves of [`crate::stats::optimum`]
//! borrow from them.
//!
//! **P(best)** of a level: the probability that its mean is the least if the true means are normal around the measured ones
//! (a flat prior; the parametric bootstrap's frequency, in closed form): ∫ φ(z) Π_j Φ((m_j − m_i − SE_i z) / SE_j) dz.
//! The levels' add up to 1. Near equals share it: with 400 flat levels none has 5 %, and none can be excluded either.
//!
//! **When it is wrong.** Means must be nearly normal: two-peaked losses need some 60 runs a level. Pairs of runs are
//! ignored: for those see [`crate::stats::best_paired`].
//!
//! **Cost.** O(levels²), times 51 points of the integral for those pairs alone that lie near each other.

use rayon::prelude::*;

use crate::stats::interval::{normal_cdf, normal_equivalent, satterthwaite};
use crate::stats::smooth::{LevelMean, floored_errors};

/// One level's claim to be the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Probability of a T at least as large if the level is the best, adjusted for the number of levels.
    pub p_value: f64,
    /// Whether it cannot be excluded.
    pub in_set: bool,
    /// Probability that its true mean is the least.
    pub probability: f64,
}

/// The candidates, one a level, in the levels' order. Confidence is 1 − α. Without any known error nothing is excluded.
pub fn candidates(levels: &[LevelMean], confidence: f64) -> Vec<Candidate> {
    let errors = floored_errors(levels);
    let all_known = errors.iter().all(|error| *error > 0.0);
    let phi = Phi::new();
    let mut candidates: Vec<Candidate> = (0..levels.len())
        .into_par_iter()
        .map(|i| {
            if !all_known {
                return Candidate { p_value: 1.0, in_set: true, probability: 1.0 / levels.len() as f64 };
            }
            let p_value = excess_probability(i, worst(i, levels, &errors), &errors, &phi);
            Candidate {
                p_value,
                in_set: p_value > 1.0 - confidence,
                probability: least_probability(i, levels, &errors, &phi),
            }
        })
        .collect();
    let total: f64 = candidates.iter().map(|candidate| candidate.probability).sum();
    for candidate in &mut candidates {
        candidate.probability /= total;
    }
    candidates
}

/// max_j (m_i − m_j) / s_ij over the other levels, as a normal deviate.
fn worst(i: usize, levels: &[LevelMean], errors: &[f64]) -> f64 {
    let deviate = |j: usize| {
        let difference = levels[i].mean - levels[j].mean;
        let squares = [errors[i] * errors[i], errors[j] * errors[j]];
        let t = difference / libm::sqrt(squares[0] + squares[1]);
        let freedom =
            satterthwaite(&[(squares[0], levels[i].freedom.max(1.0)), (squares[1], levels[j].freedom.max(1.0))]);
        freedom.map_or(t, |freedom| libm::copysign(normal_equivalent(t.abs(), freedom), t))
    };
    (0..levels.len()).filter(|j| *j != i).map(deviate).fold(f64::NEG_INFINITY, f64::max)
}

/// P(max_j (noise_i − noise_j) / s_ij ≥ t).
fn excess_probability(i: usize, t: f64, errors: &[f64], phi: &Phi) -> f64 {
    if t == f64::NEG_INFINITY {
        return 1.0;
    }
    1.0 - Rivals::of(i, errors, |j| t * libm::hypot(errors[i], errors[j])).all_exceeded(phi)
}

/// P(level i's mean is the least), unnormalised by the rounding of the integral.
fn least_probability(i: usize, levels: &[LevelMean], errors: &[f64], phi: &Phi) -> f64 {
    Rivals::of(i, errors, |j| levels[j].mean - levels[i].mean).all_exceeded(phi)
}

const STEP: f64 = 0.25;
const POINTS: i32 = 25;

/// The other levels, given the noise z of level i: rival j is exceeded with probability Φ(ahead_j − slope_j z), (ahead_j, slope_j) in
/// order of the first.
struct Rivals(Vec<(f64, f64)>);

impl Rivals {
    /// Rival j is `ahead(j)`, in the metric's unit, from where it would matter. Those that cannot matter for any z are left out: most of
    /// many levels.
    fn of(i: usize, errors: &[f64], ahead: impl Fn(usize) -> f64) -> Self {
        const GREATEST: f64 = STEP * POINTS as f64;
        let rival = |j: usize| (ahead(j) / errors[j], errors[i] / errors[j]);
        let others = (0..errors.len()).filter(|j| *j != i).map(rival);
        let mut rivals: Vec<_> = others.filter(|(ahead, slope)| ahead - slope * GREATEST < Phi::CERTAIN).collect();
        rivals.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Self(rivals)
    }

    /// ∫ φ(z) Π_j Φ(ahead_j − slope_j z) dz by the trapezoidal rule, which converges geometrically for smooth functions (Trefethen and
    /// Weideman 2014). Exact to 1e-6 where errors differ by less than a factor of ten.
    fn all_exceeded(&self, phi: &Phi) -> f64 {
        let density = |z: f64| libm::exp(-z * z / 2.0) * STEP / libm::sqrt(std::f64::consts::TAU);
        (-POINTS..=POINTS).map(|k| f64::from(k) * STEP).map(|z| density(z) * self.product(z, phi)).sum()
    }

    /// Π_j Φ(ahead_j − slope_j z); 0 as soon as it cannot matter.
    fn product(&self, z: f64, phi: &Phi) -> f64 {
        const NOTHING: f64 = 1e-14;
        let mut product = 1.0;
        for (ahead, slope) in &self.0 {
            product *= phi.at(ahead - slope * z);
            if product < NOTHING {
                return 0.0;
            }
        }
        product
    }
}

/// Φ to 1e-10 by cubics between values and slopes at equal steps (Hermite): the integrals of 400 near levels need it 16 million times.
struct Phi(Vec<[f64; 2]>);

impl Phi {
    /// 1 − Φ is 4e-11 there.
    const CERTAIN: f64 = 6.5;
    /// Φ is 6e-16 there.
    const NEVER: f64 = -8.0;
    const STEPS: f64 = 64.0;

    fn new() -> Self {
        let slope = |z: f64| libm::exp(-z * z / 2.0) / libm::sqrt(std::f64::consts::TAU) / Self::STEPS;
        let places = (0..).map(|i| Self::NEVER + f64::from(i) / Self::STEPS).take_while(|z| *z <= Self::CERTAIN);
        Self(places.map(|z| [normal_cdf(z), slope(z)]).collect())
    }

    #[inline]
    fn at(&self, z: f64) -> f64 {
        let place = (z - Self::NEVER) * Self::STEPS;
        let at = place as usize;
        let Some([[from, from_slope], [to, to_slope]]) = self.0.get(at..).and_then(<[_]>::first_chunk) else {
            return 1.0;
        };
        if place < 0.0 {
            return 0.0;
        }
        let (t, rise) = (place - at as f64, to - from);
        from + t
            * (from_slope + t * (3.0 * rise - 2.0 * from_slope - to_slope + t * (from_slope + to_slope - 2.0 * rise)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four standard errors of a share of NumPy's 4 million draws.
    const DRAWS: f64 = 4.0 * 0.5 / 2000.0;

    #[derive(serde::Deserialize)]
    struct Fixture {
        best: Best,
    }

    #[derive(serde::Deserialize)]
    struct Best {
        mean: Vec<f64>,
        standard_error: Vec<f64>,
        probability: Vec<f64>,
        excluded_p: Vec<f64>,
    }

    fn levels(means: &[f64], errors: &[f64]) -> Vec<LevelMean> {
        let level = |i: usize| LevelMean {
            x: i as f64,
            mean: means[i],
            variance: errors[i] * errors[i] * 100.0,
            n: 100.0,
            freedom: 1e9,
        };
        (0..means.len()).map(level).collect()
    }

    #[test]
    fn probabilities_equal_a_simulation_with_numpy() {
        let data = crate::stats::fixture::<Fixture>().best;
        let ours = candidates(&levels(&data.mean, &data.standard_error), 0.95);
        for (i, candidate) in ours.iter().enumerate() {
            assert!((candidate.probability - data.probability[i]).abs() < DRAWS, "{i} {candidate:?}");
            assert!((candidate.p_value - data.excluded_p[i]).abs() < DRAWS, "{i} {candidate:?}");
        }
        assert_eq!(ours.iter().map(|c| c.in_set).collect::<Vec<_>>(), [true, true, true, false]);
    }

    #[test]
    fn the_cubics_are_the_normal_distribution() {
        let phi = Phi::new();
        for z in (-9000..9000).map(|i| f64::from(i) / 1001.0) {
            let (ours, exact) = (phi.at(z), normal_cdf(z));
            assert!(
                (ours - exact).abs() < 1e-10 && (z < -6.0 || (ours / exact - 1.0).abs() < 1e-6),
                "{z} {ours} {exact}"
            );
        }
        assert_eq!((phi.at(f64::NEG_INFINITY), phi.at(f64::INFINITY)), (0.0, 1.0));
    }

    #[test]
    fn two_levels_are_a_one_sided_z_test() {
        let ours = candidates(&levels(&[0.0, 2.0], &[0.6, 0.8]), 0.95);
        // s = 1, one-sided tail at 2.
        assert!((ours[1].p_value - 0.022_750_131_948).abs() < 1e-6, "{ours:?}");
        assert!((ours[1].probability - 0.022_750_131_948).abs() < 1e-6);
    }

    #[test]
    fn equal_levels_share_and_none_is_excluded() {
        let ours = candidates(&levels(&[5.0; 50], &[1.0; 50]), 0.95);
        assert!(ours.iter().all(|c| c.in_set && (c.probability - 0.02).abs() < 1e-6));
        let unknown = candidates(&levels(&[5.0, 9.0], &[0.0; 2]), 0.95);
        assert!(unknown.iter().all(|c| c.in_set && c.probability == 0.5));
    }
}
