//! Which curves can run through a few levels? Draws from a Gaussian process, averaged over what it
//! cannot know.
//!
//! **Definition.** The curve is a constant (flat prior) plus a Gaussian process with variance σ²
//! and the Matérn correlation of smoothness 3/2, 5/2 or infinity at distance |Δx| / ℓ (Rasmussen
//! and Williams 2006, 2.7 and 4.2), seen with the errors of the means times a factor that their
//! degrees of freedom leave open. Every combination on a grid of smoothness, ℓ, σ² and factor is
//! weighed by its restricted likelihood (Matheron 1963). Draws are curves at some places a gap: of
//! a combination, taken in proportion to its weight, first a curve without data, then moved to
//! agree with the levels (conditioning by kriging, Matheron's rule: Chilès and Delfiner 2012, 7.3).
//!
//! **Why averaged**: from five to nine levels neither the smoothness nor the length can be learnt
//! (Stein 1999); a single choice of them promises too much. Why only few levels around the optimum:
//! from levels far away the process learns a smoothness that a kink at the optimum does not have.
//!
//! **Compressed heights.** A wall beside the optimum would set σ². Heights above the least mean are
//! therefore compressed by ln(1 + height / q) · q first, q being the geometric mean of the rises to
//! its neighbours or four standard errors, and draws are turned back: the place stays, being
//! invariant under monotone maps.
//!
//! **When it is wrong.** A cusp between two levels; a wall that the noise hides. The clipping by
//! the bracket and the convex bounds, and the rule for walls, belong to [`crate::stats::optimum`].
//!
//! **Cost.** For W levels 21 eigenproblems W × W; F² / 2 a draw for F places.

use rayon::prelude::*;

use crate::random::Stream;
use crate::stats::optimum::SEED;
use crate::stats::optimum::convex::index_of_least;
use crate::stats::optimum::eigen::Eigen;
use crate::stats::optimum::noise::Noise;

/// Marks the use of the seed.
const PURPOSE: u32 = 0x7072_6f63;
/// Lengths in the grid.
const LENGTHS: u32 = 7;
/// Variances in the grid.
const VARIANCES: u32 = 7;
/// Places a gap, for few levels.
const PLACES: usize = 8;
/// Places in all that many levels are looked at.
const MOST_PLACES: usize = 96;

/// Curves drawn around the levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    /// Where they are known, ascending, the levels among them.
    pub x: Vec<f64>,
    /// One curve a draw, at these places.
    pub curves: Vec<Vec<f64>>,
    /// Degrees of freedom that the average curve takes of the levels: the trace of what turns means
    /// into its values.
    pub trace: f64,
}

/// How smooth the curve is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Smoothness {
    /// Continuous slope.
    Matern32,
    /// Continuous curvature.
    Matern52,
    /// Analytic.
    Infinite,
}

impl Smoothness {
    const ALL: [Self; 3] = [Self::Matern32, Self::Matern52, Self::Infinite];

    /// Correlation at this distance in lengths.
    fn correlation(self, distance: f64) -> f64 {
        match self {
            Self::Matern32 => {
                let d = libm::sqrt(3.0) * distance;
                (1.0 + d) * libm::exp(-d)
            }
            Self::Matern52 => {
                let d = libm::sqrt(5.0) * distance;
                (1.0 + d + d * d / 3.0) * libm::exp(-d)
            }
            Self::Infinite => libm::exp(-0.5 * distance * distance),
        }
    }
}

/// One smoothness and length.
pub(super) struct Kernel {
    /// Per place the correlations with the levels.
    to_levels: Vec<Vec<f64>>,
    /// Per place the weights of the independent normals that a curve without data is made of.
    factor: Vec<Vec<f64>>,
    /// Of the levels' correlations over their errors.
    eigen: Eigen,
}

/// The levels over their errors in the directions of a kernel's eigenvectors.
pub(super) struct Turned {
    /// Their heights.
    data: Vec<f64>,
    /// A height of 1 at each.
    ones: Vec<f64>,
}

/// One combination of the grid.
#[derive(Clone, Copy)]
pub(super) struct Combination {
    pub(super) kernel: usize,
    /// σ².
    pub(super) variance: f64,
    /// Of the errors' variances.
    pub(super) factor: f64,
    pub(super) weight: f64,
}

impl Draws {
    /// `count` curves through levels at `x`, ascending, at least three.
    pub fn new(x: &[f64], means: &[f64], noise: &Noise, count: usize) -> Self {
        let compression = Compression::new(means, noise);
        let (heights, variances) = compression.compressed(means, noise);
        let places = places(x);
        let stride = (places.len() - 1) / (x.len() - 1);
        let kernels = kernels(x, &places, &variances);
        let combinations = weighed(&kernels, &heights, &variances, noise);
        let trace = trace(&kernels, &combinations);
        let levels = Levels { heights: &heights, variances: &variances, stride };
        let groups = shares(&combinations, count);
        let curves = groups
            .into_par_iter()
            .flat_map_iter(|(combination, numbers)| {
                let kriging = Kriging::new(&kernels[combination.kernel], combination, &levels);
                let draw = |number: usize| {
                    let mut curve = kriging.draw(&mut Stream::new(SEED, PURPOSE, number as u64));
                    curve.iter_mut().for_each(|height| *height = compression.turned_back(*height));
                    curve
                };
                numbers.map(draw).collect::<Vec<_>>()
            })
            .collect();
        Self { x: places, curves, trace }
    }
}

/// Places at which curves are looked at: as many in every gap, and the last level.
pub(super) fn places(x: &[f64]) -> Vec<f64> {
    let in_gap = (MOST_PLACES / (x.len() - 1)).clamp(2, PLACES);
    let gap = |[from, to]: &[f64; 2]| {
        let (from, step) = (*from, (to - from) / in_gap as f64);
        (0..in_gap).map(move |i| from + step * i as f64)
    };
    x.array_windows().flat_map(gap).chain(x.last().copied()).collect()
}

/// Every smoothness with every length, from one to three times the range in median gaps.
fn kernels(x: &[f64], places: &[f64], variances: &[f64]) -> Vec<Kernel> {
    let mut gaps: Vec<f64> = x.array_windows().map(|[a, b]| b - a).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let gap = crate::stats::quantile::quantile(&gaps, 0.5);
    let greatest = 3.0 * (x.len() as f64 - 1.0).max(6.0);
    let length = |i: u32| gap * libm::exp(libm::log(greatest) * f64::from(i) / f64::from(LENGTHS - 1));
    let all: Vec<(Smoothness, f64)> =
        Smoothness::ALL.into_iter().flat_map(|smoothness| (0..LENGTHS).map(move |i| (smoothness, length(i)))).collect();
    let errors: Vec<f64> = variances.iter().map(|variance| libm::sqrt(*variance)).collect();
    all.into_par_iter().map(|(smoothness, length)| Kernel::new(smoothness, length, [x, places], &errors)).collect()
}

impl Kernel {
    /// Between levels with these errors and places.
    pub(super) fn new(smoothness: Smoothness, length: f64, [x, places]: [&[f64]; 2], errors: &[f64]) -> Self {
        let correlation = |a: f64, b: f64| smoothness.correlation((a - b).abs() / length);
        let row = |(i, a): (usize, &f64)| {
            x.iter().zip(errors).map(|(b, error)| correlation(*a, *b) / (errors[i] * error)).collect()
        };
        Self {
            to_levels: places.iter().map(|a| x.iter().map(|b| correlation(*a, *b)).collect()).collect(),
            factor: square_root(places.len(), |i, j| correlation(places[i], places[j])),
            eigen: Eigen::new(x.iter().enumerate().map(row).collect()),
        }
    }

    /// Levels of these heights and errors; the heights less their average, which changes nothing
    /// but the rounding.
    pub(super) fn turned(&self, heights: &[f64], errors: &[f64]) -> Turned {
        let centre = heights.iter().sum::<f64>() / heights.len() as f64;
        let dot = |vector: &Vec<f64>, value: &dyn Fn(usize) -> f64| -> f64 {
            vector.iter().enumerate().map(|(i, v)| v * value(i)).sum()
        };
        let vectors = &self.eigen.vectors;
        Turned {
            data: vectors.iter().map(|vector| dot(vector, &|i| (heights[i] - centre) / errors[i])).collect(),
            ones: vectors.iter().map(|vector| dot(vector, &|i| 1.0 / errors[i])).collect(),
        }
    }

    /// Logarithm of the restricted likelihood, but for a term of the levels' errors alone. The
    /// constant is integrated out with a flat prior.
    pub(super) fn log_likelihood(&self, Turned { data, ones }: &Turned, variance: f64, factor: f64) -> f64 {
        let (mut logs, mut one, mut cross, mut square) = (0.0, 0.0, 0.0, 0.0);
        for (i, value) in self.eigen.values.iter().enumerate() {
            let d = variance * value.max(0.0) + factor;
            logs += libm::log(d);
            one += ones[i] * ones[i] / d;
            cross += ones[i] * data[i] / d;
            square += data[i] * data[i] / d;
        }
        -0.5 * (logs + libm::log(one) + square - cross * cross / one)
    }
}

/// L with L L′ the matrix, by Cholesky's method with the greatest pivot first (Golub and Van Loan
/// 2013, 4.2.8), until what is left is rounding: smooth correlations have a low rank.
fn square_root(n: usize, element: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    const ROUNDING: f64 = 1e-11;
    let mut rows = vec![Vec::new(); n];
    let mut left = vec![1.0_f64; n];
    let mut order: Vec<usize> = (0..n).collect();
    for column in 0..n {
        let Some(at) = (column..n).max_by(|a, b| left[order[*a]].total_cmp(&left[order[*b]])) else { break };
        let pivot = order[at];
        if left[pivot] <= ROUNDING {
            break;
        }
        order.swap(column, at);
        let root = libm::sqrt(left[pivot]);
        let pivot_row: Vec<f64> = rows[pivot].clone();
        for row in &order[column + 1..] {
            let known: f64 = rows[*row].iter().zip(&pivot_row).map(|(a, b)| a * b).sum();
            let value = (element(*row, pivot) - known) / root;
            rows[*row].push(value);
            left[*row] -= value * value;
        }
        rows[pivot].push(root);
    }
    rows
}

/// The grid with its weights, which add up to 1.
fn weighed(kernels: &[Kernel], heights: &[f64], variances: &[f64], noise: &Noise) -> Vec<Combination> {
    let (least, greatest) =
        heights.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), height| (a.min(*height), b.max(*height)));
    let scale = ((greatest - least) * (greatest - least) / 4.0).max(f64::MIN_POSITIVE);
    let variance = |i: u32| scale * 0.1 * libm::exp(libm::log(1000.0) * f64::from(i) / f64::from(VARIANCES - 1));
    let errors: Vec<f64> = variances.iter().map(|variance| libm::sqrt(*variance)).collect();
    let factors = noise.factors();
    let mut combinations = Vec::new();
    for (number, kernel) in kernels.iter().enumerate() {
        let turned = kernel.turned(heights, &errors);
        for variance in (0..VARIANCES).map(variance) {
            for (factor, log_weight) in &factors {
                let weight = kernel.log_likelihood(&turned, variance, *factor) + log_weight;
                combinations.push(Combination { kernel: number, variance, factor: *factor, weight });
            }
        }
    }
    let greatest = combinations.iter().map(|c| c.weight).fold(f64::NEG_INFINITY, f64::max);
    combinations.iter_mut().for_each(|c| c.weight = libm::exp(c.weight - greatest));
    let total: f64 = combinations.iter().map(|c| c.weight).sum();
    combinations.iter_mut().for_each(|c| c.weight /= total);
    combinations
}

/// The average over the grid of the trace of the hat matrix; the constant takes one.
fn trace(kernels: &[Kernel], combinations: &[Combination]) -> f64 {
    let of = |c: &Combination| {
        let shares = kernels[c.kernel].eigen.values.iter().map(|value| {
            let signal = c.variance * value.max(0.0);
            signal / (signal + c.factor)
        });
        c.weight * shares.sum::<f64>()
    };
    combinations.iter().map(of).sum::<f64>().max(1.0)
}

/// The numbers of the draws that each combination makes: systematic, at equal steps of the summed
/// weights, so that every combination gets its share up to one.
fn shares(combinations: &[Combination], count: usize) -> Vec<(Combination, std::ops::Range<usize>)> {
    let (mut sum, mut first, mut groups) = (0.0, 0, Vec::new());
    for combination in combinations {
        sum += combination.weight;
        let end = ((sum * count as f64 + 0.5).floor() as usize).clamp(first, count);
        if end > first {
            groups.push((*combination, first..end));
            first = end;
        }
    }
    if let Some((_, numbers)) = groups.last_mut() {
        numbers.end = count;
    }
    groups
}

/// The levels as the process sees them.
pub(super) struct Levels<'a> {
    pub(super) heights: &'a [f64],
    pub(super) variances: &'a [f64],
    /// Places from one level to the next.
    pub(super) stride: usize,
}

/// What moves a curve without data to the levels.
pub(super) struct Kriging<'a> {
    kernel: &'a Kernel,
    levels: &'a Levels<'a>,
    deviation: f64,
    /// Standard deviation of each level's error.
    errors: Vec<f64>,
    /// The weights of the levels' deviations in the constant.
    constant: Vec<f64>,
    /// Per place the weights of the levels' deviations.
    weights: Vec<Vec<f64>>,
}

impl<'a> Kriging<'a> {
    pub(super) fn new(kernel: &'a Kernel, combination: Combination, levels: &'a Levels<'a>) -> Self {
        let Combination { variance, factor, .. } = combination;
        let n = levels.heights.len();
        let errors: Vec<f64> = levels.variances.iter().map(|variance| libm::sqrt(*variance)).collect();
        let scale: Vec<f64> =
            kernel.eigen.values.iter().map(|value| 1.0 / (variance * value.max(0.0) + factor)).collect();
        // The inverse of the covariance of the levels.
        let inverse = |i: usize, j: usize| {
            let products = kernel.eigen.vectors.iter().zip(&scale).map(|(vector, s)| s * vector[i] * vector[j]);
            products.sum::<f64>() / (errors[i] * errors[j])
        };
        let inverse: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| inverse(i, j)).collect()).collect();
        let sums: Vec<f64> = inverse.iter().map(|row| row.iter().sum()).collect();
        let total: f64 = sums.iter().sum();
        let weights = |row: &Vec<f64>| {
            (0..n).map(|j| variance * row.iter().zip(&inverse).map(|(k, column)| k * column[j]).sum::<f64>()).collect()
        };
        Self {
            kernel,
            levels,
            deviation: libm::sqrt(variance),
            constant: sums.iter().map(|sum| sum / total).collect(),
            weights: kernel.to_levels.iter().map(weights).collect(),
            errors: errors.iter().map(|error| error * libm::sqrt(factor)).collect(),
        }
    }

    pub(super) fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        let rank = self.kernel.factor.iter().map(Vec::len).max().unwrap_or(0);
        let normals: Vec<f64> = stream.normals(rank).iter().map(|normal| self.deviation * normal).collect();
        let curve: Vec<f64> =
            self.kernel.factor.iter().map(|row| row.iter().zip(&normals).map(|(a, b)| a * b).sum()).collect();
        let Levels { heights, stride, .. } = self.levels;
        let deviations = heights
            .iter()
            .enumerate()
            .map(|(i, height)| height - curve[i * stride] - self.errors[i] * stream.normal())
            .collect();
        self.moved(curve, deviations)
    }

    /// `curve` moved by what the levels deviate from it.
    pub(super) fn moved(&self, mut curve: Vec<f64>, mut deviations: Vec<f64>) -> Vec<f64> {
        let constant: f64 = self.constant.iter().zip(&deviations).map(|(weight, d)| weight * d).sum();
        deviations.iter_mut().for_each(|deviation| *deviation -= constant);
        for (height, weights) in curve.iter_mut().zip(&self.weights) {
            *height += constant + weights.iter().zip(&deviations).map(|(weight, d)| weight * d).sum::<f64>();
        }
        curve
    }
}

/// What keeps walls from setting the scale.
struct Compression {
    least: f64,
    /// Heights well below it stay.
    scale: f64,
}

impl Compression {
    fn new(means: &[f64], noise: &Noise) -> Self {
        let at = index_of_least(means);
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let rises: Vec<f64> =
            beside.filter_map(|i| means.get(i)).map(|mean| (mean - means[at]).max(f64::MIN_POSITIVE)).collect();
        let logs: f64 = rises.iter().map(|rise| libm::log(*rise)).sum();
        let error = noise.variances.iter().copied().fold(0.0, f64::max);
        let scale = libm::exp(logs / rises.len() as f64).max(4.0 * libm::sqrt(error));
        Self { least: means[at], scale }
    }

    /// Heights above the least mean, and the variances of their errors.
    fn compressed(&self, means: &[f64], noise: &Noise) -> (Vec<f64>, Vec<f64>) {
        let excess = |mean: f64| (mean - self.least) / self.scale;
        let heights = means.iter().map(|mean| self.scale * libm::log1p(excess(*mean))).collect();
        let shrunk = |(mean, variance): (&f64, &f64)| {
            let slope = 1.0 / (1.0 + excess(*mean));
            variance * slope * slope
        };
        (heights, means.iter().zip(&noise.variances).map(shrunk).collect())
    }

    fn turned_back(&self, height: f64) -> f64 {
        /// exp of more would be as good as infinite.
        const HIGHEST: f64 = 50.0;
        let above = if height > 0.0 { self.scale * libm::expm1((height / self.scale).min(HIGHEST)) } else { height };
        self.least + above
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::optimum::noise::NoiseSource;

    fn noise(levels: usize, error: f64) -> Noise {
        let variances = vec![error * error; levels];
        Noise { variances, degrees_of_freedom: 1e9, source: NoiseSource::Runs, shared: 0.0 }
    }

    #[test]
    fn a_square_root_gives_the_matrix_back() {
        let x = [0.0, 0.3, 0.35, 1.0, 2.0, 5.0];
        for smoothness in Smoothness::ALL {
            let element = |i: usize, j: usize| smoothness.correlation(((x[i] - x[j]) / 2.0_f64).abs());
            let rows = square_root(x.len(), element);
            for i in 0..x.len() {
                for j in 0..x.len() {
                    let product: f64 = rows[i].iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
                    assert!((product - element(i, j)).abs() < 1e-10);
                }
            }
        }
    }

    #[test]
    fn curves_pass_through_exact_levels_and_scatter_by_the_errors_of_others() {
        let x = [0.0, 1.0, 2.0, 3.0, 4.0];
        let y = [4.0, 1.0, 0.0, 1.2, 4.0];
        let draws = Draws::new(&x, &y, &noise(5, 1e-5), 400);
        let at = |level: usize| draws.x.iter().position(|place| *place == x[level]).unwrap();
        assert_eq!(draws.x.len(), 33);
        for curve in &draws.curves {
            assert!((0..5).all(|level| (curve[at(level)] - y[level]).abs() < 1e-3));
        }
        let rough = Draws::new(&x, &y, &noise(5, 0.5), 2000);
        let values: Vec<f64> = rough.curves.iter().map(|curve| curve[at(2)]).collect();
        let spread = crate::stats::ExactMoments::of(&values).std_dev().unwrap();
        // Neighbours lend a little, so that it is below the level's own error.
        assert!((0.3..0.55).contains(&spread), "{spread}");
        assert!((1.0..=5.0).contains(&rough.trace) && rough.trace < draws.trace);
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let (x, y) = ([0.0, 1.0, 2.5, 3.0, 4.0], [4.0, 1.0, 0.0, 1.2, 4.0]);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Draws::new(&x, &y, &noise(5, 0.3), 300))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn compression_is_undone() {
        let y = [100.0, 1.0, 0.0, 1.5, 40.0];
        let compression = Compression::new(&y, &noise(5, 0.1));
        let (heights, variances) = compression.compressed(&y, &noise(5, 0.1));
        for (height, mean) in heights.iter().zip(y) {
            assert!((compression.turned_back(*height) - mean).abs() < 1e-9);
        }
        assert!(heights[0] < 10.0 && variances[0] < 1e-5 && variances[2] == 0.1 * 0.1);
    }
}
