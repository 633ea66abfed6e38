//! Where can the optimum of a convex curve lie, and how low can it be?
//!
//! **Definition.** Between two neighbouring levels a convex curve lies above the straight line
//! through the next two levels on either side. To the right of the least level k the secant through
//! k + 1 and k + 2, continued to the left, bounds the curve from below; where it meets the height
//! of level k, no minimum lies beyond. Where the curve is not convex (the second slope is not the
//! steeper) the bound is level k + 1, which unimodality gives. The least possible value in a gap is
//! where the two lines that bound it cross. The noise enters by drawing new means around the
//! measured ones; of the draws the quantiles are taken.
//!
//! **Assumption**: convexity over five levels around the least, for the value; for the place one
//! dip, and what convexity adds to it.
//!
//! **When it is wrong.** A cusp (concave on both sides) falls below the bound of the value; see
//! [`is_cusp`].
//!
//! **Cost.** O(levels) a draw, 400 draws.

use rayon::prelude::*;

use crate::random::Stream;
use crate::stats::optimum::noise::Noise;
use crate::stats::optimum::{SEED, Span};
use crate::stats::quantile::quantile;
use crate::stats::sort;

/// Marks the use of the seed.
const PURPOSE: u32 = 0x636f_6e76;

/// Number of draws, at least.
const DRAWS: usize = 400;

/// The bounds over the draws.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvexBounds {
    /// Lower bounds of the place, ascending.
    lower: Vec<f64>,
    /// Upper bounds of the place, ascending.
    upper: Vec<f64>,
    /// Lower bounds of the value, ascending.
    value: Vec<f64>,
}

impl ConvexBounds {
    /// Of levels at `x`, ascending. `alpha` decides how many draws its quantiles need.
    pub fn new(x: &[f64], means: &[f64], noise: &Noise, alpha: f64) -> Self {
        let count = DRAWS.max((10.0 / alpha) as usize).min(20_000);
        let errors: Vec<f64> = noise.variances.iter().map(|variance| libm::sqrt(*variance)).collect();
        let draw = |number: usize| {
            let normals = Stream::new(SEED, PURPOSE, number as u64).normals(means.len());
            let noise = errors.iter().zip(normals).map(|(error, normal)| error * normal);
            let drawn: Vec<f64> = means.iter().zip(noise).map(|(mean, noise)| mean + noise).collect();
            let least = index_of_least(&drawn);
            [reach(x, &drawn, least, -1), reach(x, &drawn, least, 1), least_value(x, &drawn, least)]
        };
        let draws: Vec<[f64; 3]> = (0..count).into_par_iter().map(draw).collect();
        let each = |which: usize| draws.iter().map(|draw| draw[which]).collect();
        let mut bounds = Self { lower: each(0), upper: each(1), value: each(2) };
        for values in [&mut bounds.lower, &mut bounds.upper, &mut bounds.value] {
            sort::ascending(values);
        }
        bounds
    }

    /// The places that hold the optimum but for `alpha`, half of it on either side.
    pub fn place(&self, alpha: f64) -> Span {
        Span { lower: quantile(&self.lower, alpha / 2.0), upper: quantile(&self.upper, 1.0 - alpha / 2.0) }
    }

    /// The value that the optimum falls short of with probability `alpha` at most.
    pub fn least_value(&self, alpha: f64) -> f64 {
        quantile(&self.value, alpha)
    }
}

pub(super) fn index_of_least(values: &[f64]) -> usize {
    (0..values.len()).min_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
}

/// The level `steps` from `from` in `direction`, if there is one.
fn beside(from: usize, direction: isize, steps: isize, levels: usize) -> Option<usize> {
    from.checked_add_signed(direction * steps).filter(|index| *index < levels)
}

/// How far from level `least` in `direction` the minimum of a curve through `y` may lie.
fn reach(x: &[f64], y: &[f64], least: usize, direction: isize) -> f64 {
    let Some(next) = beside(least, direction, 1, x.len()) else { return x[least] };
    let Some(second) = beside(least, direction, 2, x.len()) else { return x[next] };
    let slope = |from: usize, to: usize| (y[to] - y[from]) / (x[to] - x[from]).abs();
    let (inner, outer) = (slope(least, next), slope(next, second));
    if outer > inner && outer > 0.0 { x[next] - (y[next] - y[least]) / outer * direction as f64 } else { x[next] }
}

/// The least value that a convex curve through `y` can have in the gaps beside level `least`.
fn least_value(x: &[f64], y: &[f64], least: usize) -> f64 {
    let in_gap = |direction: isize| {
        let next = beside(least, direction, 1, x.len())?;
        let width = (x[next] - x[least]).abs();
        // The slope, seen from the gap's end, of the line that comes from outside the gap; it falls
        // into the gap.
        let fall = |end: usize, outward: isize| {
            let outside = beside(end, outward, 1, x.len())?;
            Some(((y[end] - y[outside]) / (x[end] - x[outside]).abs()).min(0.0))
        };
        Some(lowest_of_two_lines(width, (y[least], fall(least, -direction)), (y[next], fall(next, direction))))
    };
    [in_gap(-1), in_gap(1)].into_iter().flatten().fold(y[least], f64::min)
}

/// The least of the maximum of two lines that start at the two ends of a gap and fall into it. Of
/// an absent one nothing is known: the other then bounds alone, over the whole gap.
fn lowest_of_two_lines(width: f64, near: (f64, Option<f64>), far: (f64, Option<f64>)) -> f64 {
    match (near, far) {
        ((a, Some(fall)), (b, Some(other))) => {
            if fall + other == 0.0 {
                return a.min(b);
            }
            let crossing = (b + other * width - a) / (fall + other);
            if (0.0..=width).contains(&crossing) { a + fall * crossing } else { a.min(b) }
        }
        ((a, Some(fall)), _) => a + fall * width,
        (_, (b, Some(fall))) => b + fall * width,
        ((a, None), (b, None)) => a.min(b),
    }
}

/// Whether the curve is significantly concave on both sides of its optimum, at the least level or
/// in a gap beside it, so that nothing bounds its value between the levels. `quantile` is that of
/// Student's t.
pub fn is_cusp(x: &[f64], means: &[f64], noise: &Noise, quantile: f64) -> bool {
    let least = index_of_least(means);
    let is_concave = |from: Option<usize>, direction: isize| {
        let Some(from) = from else { return false };
        let (Some(next), Some(second)) = (beside(from, direction, 1, x.len()), beside(from, direction, 2, x.len()))
        else {
            return false;
        };
        let (inner, outer) = ((x[next] - x[from]).abs(), (x[second] - x[next]).abs());
        // The change of slope as a sum of the three means.
        let weights = [(from, 1.0 / inner), (next, -1.0 / inner - 1.0 / outer), (second, 1.0 / outer)];
        let bend: f64 = weights.iter().map(|(i, w)| w * means[*i]).sum();
        let error = libm::sqrt(weights.iter().map(|(i, w)| w * w * noise.variances[*i]).sum());
        bend < -quantile * error
    };
    let (before, after) = (beside(least, -1, 1, x.len()), beside(least, 1, 1, x.len()));
    let arms = [(Some(least), Some(least)), (before, Some(least)), (Some(least), after)];
    arms.into_iter().any(|(left, right)| is_concave(left, -1) && is_concave(right, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::optimum::noise::NoiseSource;

    const X: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 4.0];

    #[test]
    fn bounds_of_a_parabola_by_hand() {
        let y = [4.0, 1.0, 0.0, 1.0, 4.0];
        // The secant through 1 and 4 at 3 and 4 has slope 3 and is at 0 a third before level 3.
        assert!((reach(&X, &y, 2, 1) - (3.0 - 1.0 / 3.0)).abs() < 1e-12);
        assert!((reach(&X, &y, 2, -1) - (1.0 + 1.0 / 3.0)).abs() < 1e-12);
        // −z from the left and 1 − 3 (1 − z) from the right cross at z = ½.
        assert!((least_value(&X, &y, 2) + 0.5).abs() < 1e-12);
    }

    #[test]
    fn where_the_curve_is_not_convex_one_dip_bounds() {
        let wall = [0.3, 0.2, 0.1, 10.0, 10.1];
        assert_eq!(reach(&X, &wall, 2, 1), 3.0);
        assert_eq!(reach(&X, &[0.0, 1.0, 2.0, 3.0, 4.0], 0, -1), 0.0);
    }

    #[test]
    fn a_cusp_is_seen_where_the_noise_allows() {
        let cusp: Vec<f64> = X.iter().map(|x| (x - 2.0f64).abs().powf(0.5)).collect();
        let parabola: Vec<f64> = X.iter().map(|x| (x - 2.0f64).powi(2)).collect();
        let noise = |error: f64| Noise {
            variances: vec![error * error; 5],
            degrees_of_freedom: 1e9,
            source: NoiseSource::Runs,
            shared: 0.0,
        };
        assert!(is_cusp(&X, &cusp, &noise(0.05), 2.0) && !is_cusp(&X, &cusp, &noise(1.0), 2.0));
        assert!(!is_cusp(&X, &parabola, &noise(0.05), 2.0));
    }
}
