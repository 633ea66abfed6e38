//! What curve do the level means lie on, and where is it lowest?
//!
//! **Definition.** Local quadratic regression (Cleveland and Devlin 1988; Fan and Gijbels 1996,
//! 3.2): at a place x₀ a parabola in x − x₀ is fitted to the level means by least squares with
//! weights K(|x − x₀| / h) / SE², K(u) = (1 − u³)³ the tricube kernel; its value at x₀ is the
//! curve's. x is where a level lies on the axis, usually ln σ. Where fewer than five levels lie
//! within h, the reach grows to 1.1 times the distance of the fifth. Why not the least mean: it
//! uses one level's runs and picks the luckiest level. Why not a local line: it flattens a minimum,
//! by ½ f″ h² times the kernel's variance; a parabola does not. Why not a global polynomial: one
//! steep end bends it everywhere. Why not a spline or a Gaussian process: the same answer with more
//! to choose.
//!
//! **Bandwidth**: curves of several are averaged by weights from the data,
//! [`crate::stats::bandwidth`].
//!
//! **Errors of the means** enter as weights, so they must not depend on the means' luck: of runs
//! that solve or get stuck, a level with few stuck runs by chance has a low mean **and** a low
//! standard error, and 1/SE² would pull the curve down. [`pool_errors`] therefore averages
//! variances over neighbours until 200 degrees of freedom are reached.
//!
//! **When it is wrong.** Features narrower than about half the bandwidth are smoothed away. At the
//! ends of the range the curve is uncertain (one-sided data); a minimum there is called an
//! [`Edge`], never a place. Needs three levels.
//!
//! **Minimum.** The least of 201 places, every fifth first, moved by the parabola through it and
//! its neighbours.
//!
//! **Cost.** O(levels in reach) a place.

use serde::Serialize;

use crate::stats::compare::Measured;
use crate::stats::exact::ExactMoments;

/// A level's mean with what is known of its error: from its runs, or from a summary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelMean {
    /// Place on the axis, such as ln of the level.
    pub x: f64,
    /// Mean of the metric.
    pub mean: f64,
    /// Variance of one run, 0 if unknown.
    pub variance: f64,
    /// Number of runs.
    pub n: f64,
    /// Degrees of freedom of `variance`, 0 if unknown.
    pub freedom: f64,
}

impl LevelMean {
    /// From an exact state; nothing without values.
    pub fn of(x: f64, moments: &ExactMoments) -> Option<Self> {
        let n = moments.n() as f64;
        Some(Self { x, mean: moments.mean()?, variance: moments.variance().unwrap_or(0.0), n, freedom: n - 1.0 })
    }

    /// A number measured on `n` runs, whatever its kind: `variance` is then n times its squared
    /// error.
    pub fn measured(x: f64, measured: &Measured, n: f64) -> Self {
        let error = measured.standard_error.unwrap_or(0.0);
        let freedom = if measured.standard_error.is_some() { measured.freedom } else { 0.0 };
        Self { x, mean: measured.point, variance: error * error * n, n, freedom }
    }

    /// Standard error of the mean.
    pub fn standard_error(&self) -> f64 {
        libm::sqrt(self.variance / self.n)
    }
}

/// The levels, ascending in x, with variances averaged over neighbours until each has 200 degrees
/// of freedom, over at most a twentieth of the levels on either side. With more than 200 runs a
/// level nothing changes.
pub fn pool_errors(levels: &[LevelMean]) -> Vec<LevelMean> {
    const ENOUGH: f64 = 200.0;
    let furthest = levels.len() / 20;
    // Only levels that add something are visited: among lone runs alone a walk would cost the
    // square of their number.
    let known: Vec<usize> = (0..levels.len()).filter(|place| levels[*place].freedom != 0.0).collect();
    let pooled = |(place, level): (usize, &LevelMean)| {
        let (mut freedom, mut squares) = (level.freedom, level.freedom * level.variance);
        let (end, start) = (known.partition_point(|at| *at < place), known.partition_point(|at| *at <= place));
        let (mut below, mut above) = (known[..end].iter().rev().peekable(), known[start..].iter().peekable());
        let distance = |at: Option<&&usize>| at.map_or(usize::MAX, |at| at.abs_diff(place));
        loop {
            let away = distance(below.peek()).min(distance(above.peek()));
            // A lone run says nothing of its variance: its neighbours must, however far they are.
            let must_reach = level.freedom == 0.0 && freedom <= 0.0 && away != usize::MAX;
            if freedom >= ENOUGH || away > furthest && !must_reach {
                break;
            }
            let is_there = |at: &&usize| at.abs_diff(place) == away;
            for at in [below.next_if(is_there), above.next_if(is_there)].into_iter().flatten() {
                freedom += levels[*at].freedom;
                squares += levels[*at].freedom * levels[*at].variance;
            }
        }
        let variance = if freedom > 0.0 { squares / freedom } else { 0.0 };
        LevelMean { variance, freedom, ..*level }
    };
    levels.iter().enumerate().map(pooled).collect()
}

/// Which end of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// The least level.
    Low,
    /// The greatest level.
    High,
}

/// The lowest place of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minimum {
    /// Place on the axis.
    pub x: f64,
    /// Value there.
    pub value: f64,
    /// The end of the range it lies at, if it does: the true minimum may be beyond.
    pub edge: Option<Edge>,
}

/// Weights that turn level means into a value of the curve: `value = Σ weights[i] · mean[first +
/// i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Place of the first level that counts.
    pub first: usize,
    /// Weight of each level from there on.
    pub weights: Vec<f64>,
}

impl Row {
    /// The curve's value for these means, of all levels.
    pub fn apply(&self, means: &[f64]) -> f64 {
        let [value] = self.apply_to_each(means.as_chunks().0);
        value
    }

    /// The same for several draws of the means side by side, each with the bits that it has alone:
    /// what one draw waits for, the others fill.
    pub fn apply_to_each<const N: usize>(&self, means: &[[f64; N]]) -> [f64; N] {
        // Four sums, so that the processor need not wait for each addition; their order is fixed.
        let means = &means[self.first..self.first + self.weights.len()];
        let mut sums = [[0.0; N]; 4];
        let ((weights, last_weights), (means, last_means)) = (self.weights.as_chunks::<4>(), means.as_chunks::<4>());
        for (weights, means) in weights.iter().zip(means) {
            for lane in 0..4 {
                for draw in 0..N {
                    sums[lane][draw] += weights[lane] * means[lane][draw];
                }
            }
        }
        std::array::from_fn(|draw| {
            let tail: f64 = last_weights.iter().zip(last_means).map(|(weight, means)| weight * means[draw]).sum();
            (sums[0][draw] + sums[1][draw]) + (sums[2][draw] + sums[3][draw]) + tail
        })
    }

    /// The weights of a sum of values, each times its factor; nothing of nothing.
    pub fn sum(parts: &[(f64, &Self)]) -> Self {
        let first = parts.iter().map(|(_, row)| row.first).min().unwrap_or(0);
        let end = parts.iter().map(|(_, row)| row.first + row.weights.len()).max().unwrap_or(0);
        let mut weights = vec![0.0; end - first];
        for (factor, row) in parts {
            row.weights.iter().zip(&mut weights[row.first - first..]).for_each(|(weight, sum)| *sum += factor * weight);
        }
        Self { first, weights }
    }

    /// The weights of this value less `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self::sum(&[(1.0, self), (-1.0, other)])
    }

    /// The curve's value in each of several paired replicates, whose `values` are per level and in
    /// the replicates' order.
    pub fn of_replicates(&self, values: &[Vec<f64>]) -> Vec<f64> {
        let levels = &values[self.first..self.first + self.weights.len()];
        let mut sums = vec![0.0; levels.first().map_or(0, Vec::len)];
        for (weight, level) in self.weights.iter().zip(levels) {
            sums.iter_mut().zip(level).for_each(|(sum, value)| *sum += weight * value);
        }
        sums
    }

    /// The standard error of the curve's value, for independent levels.
    pub fn standard_error(&self, levels: &[LevelMean]) -> f64 {
        let square = |(weight, level): (&f64, &LevelMean)| weight * weight * level.variance / level.n;
        libm::sqrt(self.weights.iter().zip(&levels[self.first..]).map(square).sum())
    }
}

/// Local quadratic regression at fixed levels, weights and bandwidth: linear in the means.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoother {
    x: Vec<f64>,
    weights: Vec<f64>,
    bandwidth: f64,
}

/// Places where a curve is looked at for its minimum, before refinement.
const GRID: usize = 201;

/// Levels that must lie within reach.
const WITHIN_REACH: usize = 5;

impl Smoother {
    /// For `levels`, ascending in x, at `bandwidth` > 0 in units of x. Nothing for fewer than three
    /// levels.
    pub fn new(levels: &[LevelMean], bandwidth: f64) -> Option<Self> {
        let x = levels.iter().map(|level| level.x).collect();
        (levels.len() >= 3).then(|| Self { x, weights: precisions(levels), bandwidth })
    }

    /// The bandwidth, in units of x.
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.x.len()
    }

    /// Place and weight of a level.
    pub(super) fn level(&self, place: usize) -> (f64, f64) {
        (self.x[place], self.weights[place])
    }

    /// The weights of the curve's value at `at`.
    pub fn row(&self, at: f64) -> Row {
        let local = Local::new(self, at);
        let terms: Vec<(f64, f64)> = local.terms().collect();
        let inverse = Local::inverse(&terms);
        let weights = terms.iter().map(|(u, w)| w * (inverse[0] + u * (inverse[1] + u * inverse[2]))).collect();
        Row { first: local.first, weights }
    }

    /// The places where the curve is looked at, from the first level to the last.
    pub fn grid(&self) -> Vec<f64> {
        let (first, last) = (self.x[0], self.x[self.x.len() - 1]);
        let step = (last - first) / (GRID - 1) as f64;
        (0..GRID).map(|i| if i == GRID - 1 { last } else { first + step * i as f64 }).collect()
    }
}

/// The lowest place of a curve with `value(i)` at the places of `grid`, which are equally far
/// apart; between them by the parabola through three. Every fifth place is looked at, then all
/// around the least of them.
pub fn lowest(grid: &[f64], mut value: impl FnMut(usize) -> f64) -> Minimum {
    const STRIDE: usize = 5;
    let end = grid.len() - 1;
    let coarse = (0..end).step_by(STRIDE).chain([end]).map(|i| (i, value(i)));
    let Some((around, _)) = coarse.min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
        return Minimum { x: f64::NAN, value: f64::NAN, edge: None };
    };
    let first = around.saturating_sub(STRIDE);
    let values: Vec<f64> = (first..=(around + STRIDE).min(end)).map(value).collect();
    let least = (0..values.len()).min_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0);
    let x = grid[first + least];
    let edge = [(0, Edge::Low), (end, Edge::High)].into_iter().find(|(place, _)| *place == first + least);
    // No neighbour on one side: the place next to the least one is as low, as on a flat curve.
    let neighbours = least.checked_sub(1).and_then(|before| Some((values[before], *values.get(least + 1)?)));
    let (None, Some((a, c))) = (edge, neighbours) else {
        return Minimum { x, value: values[least], edge: edge.map(|(_, edge)| edge) };
    };
    let curvature = a - 2.0 * values[least] + c;
    let shift = if curvature > 0.0 { 0.5 * (a - c) / curvature } else { 0.0 };
    Minimum { x: x + shift * (grid[1] - grid[0]), value: values[least] - 0.25 * (a - c) * shift, edge: None }
}

/// 1 / SE², an error below a tenth of the median counting as that: two equal runs are not
/// certainty. Without errors all weigh the same.
pub(super) fn precisions(levels: &[LevelMean]) -> Vec<f64> {
    let errors = floored_errors(levels);
    errors.iter().map(|error| if *error > 0.0 { 1.0 / (error * error) } else { 1.0 }).collect()
}

/// Standard errors of the means, at least a tenth of the median; all 0 if none is known.
pub(super) fn floored_errors(levels: &[LevelMean]) -> Vec<f64> {
    let mut known: Vec<f64> = levels.iter().map(LevelMean::standard_error).filter(|error| *error > 0.0).collect();
    known.sort_by(f64::total_cmp);
    let least = known.get(known.len() / 2).map_or(0.0, |median| 0.1 * median);
    levels.iter().map(|level| level.standard_error().max(least)).collect()
}

/// The levels within reach of a place.
struct Local<'a> {
    smoother: &'a Smoother,
    at: f64,
    first: usize,
    end: usize,
    reach: f64,
}

impl<'a> Local<'a> {
    fn new(smoother: &'a Smoother, at: f64) -> Self {
        const BEYOND: f64 = 1.1;
        let x = &smoother.x;
        // The nearest levels, by moving the nearer end of a window outwards.
        let mut first = x.partition_point(|level| *level < at);
        let mut end = first;
        while end - first < WITHIN_REACH.min(x.len()) {
            if end == x.len() || first > 0 && at - x[first - 1] <= x[end] - at {
                first -= 1;
            } else {
                end += 1;
            }
        }
        let furthest = (at - x[first]).abs().max((x[end - 1] - at).abs());
        let reach = smoother.bandwidth.max(BEYOND * furthest);
        let first = x.partition_point(|level| *level <= at - reach);
        let end = x.partition_point(|level| *level < at + reach);
        Self { smoother, at, first, end, reach }
    }

    /// Distance in units of the reach, and weight, of each level in reach.
    fn terms(&self) -> impl Iterator<Item = (f64, f64)> {
        (self.first..self.end).map(|i| {
            let u = (self.smoother.x[i] - self.at) / self.reach;
            let cube = 1.0 - u.abs() * u * u;
            (u, cube * cube * cube * self.smoother.weights[i])
        })
    }

    /// The first row of the inverse of the normal equations' matrix of these [`Self::terms`].
    fn inverse(terms: &[(f64, f64)]) -> [f64; 3] {
        let mut s = [0.0; 5];
        for &(u, w) in terms {
            let u2 = u * u;
            s[0] += w;
            s[1] += w * u;
            s[2] += w * u2;
            s[3] += w * u2 * u;
            s[4] += w * u2 * u2;
        }
        let cofactors = [s[2] * s[4] - s[3] * s[3], s[2] * s[3] - s[1] * s[4], s[1] * s[3] - s[2] * s[2]];
        let determinant = s[0] * cofactors[0] + s[1] * cofactors[1] + s[2] * cofactors[2];
        cofactors.map(|cofactor| cofactor / determinant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normal equations of numbers near 1500 with condition numbers up to some 1e4.
    const CONDITIONED: f64 = 1e-9;

    #[derive(serde::Deserialize)]
    struct Fixture {
        smooth: Smooth,
    }

    #[derive(serde::Deserialize)]
    struct Smooth {
        x: Vec<f64>,
        mean: Vec<f64>,
        standard_error: Vec<f64>,
        fits: Vec<Fit>,
    }

    #[derive(serde::Deserialize)]
    struct Fit {
        bandwidth: f64,
        at: f64,
        value: f64,
    }

    fn levels(x: &[f64], mean: &[f64], error: &[f64]) -> Vec<LevelMean> {
        let level =
            |i: usize| LevelMean { x: x[i], mean: mean[i], variance: error[i] * error[i], n: 1.0, freedom: 1e9 };
        (0..x.len()).map(level).collect()
    }

    #[test]
    fn fits_equal_statsmodels() {
        let data = crate::stats::fixture::<Fixture>().smooth;
        let levels = levels(&data.x, &data.mean, &data.standard_error);
        for fit in data.fits {
            let smoother = Smoother::new(&levels, fit.bandwidth).unwrap();
            assert!((smoother.row(fit.at).apply(&data.mean) / fit.value - 1.0).abs() < CONDITIONED);
        }
    }

    #[test]
    fn a_parabola_is_found_exactly() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i) * 0.1).collect();
        let mean: Vec<f64> = x.iter().map(|x| 5.0 + 3.0 * (x - 1.234) * (x - 1.234)).collect();
        let levels = levels(&x, &mean, &[1.0; 30]);
        for bandwidth in [0.2, 0.7, 5.0] {
            let smoother = Smoother::new(&levels, bandwidth).unwrap();
            let grid = smoother.grid();
            let minimum = lowest(&grid, |i| smoother.row(grid[i]).apply(&mean));
            // A minimum's place is known to the root of the precision of its value.
            assert!((minimum.x - 1.234).abs() < 1e-6 && (minimum.value - 5.0).abs() < 1e-12, "{minimum:?}");
            assert_eq!(minimum.edge, None);
        }
    }

    #[test]
    fn edges_are_told() {
        let grid = [0.0, 1.0, 2.0];
        assert_eq!(lowest(&grid, |i| grid[i]), Minimum { x: 0.0, value: 0.0, edge: Some(Edge::Low) });
        assert_eq!(lowest(&grid, |i| -grid[i]), Minimum { x: 2.0, value: -2.0, edge: Some(Edge::High) });
        assert_eq!(lowest(&grid, |_| 1.0), Minimum { x: 0.0, value: 1.0, edge: Some(Edge::Low) });
    }

    #[test]
    fn errors_are_pooled_until_they_are_known() {
        let level = |variance, n: f64| LevelMean { x: 0.0, mean: 0.0, variance, n, freedom: n - 1.0 };
        let few: Vec<LevelMean> = (0..100).map(|i| level(f64::from(i % 2) * 2.0, 51.0)).collect();
        let pooled = pool_errors(&few);
        // Own and two on each side are 250 degrees of freedom; variances 0 2 0 2 0.
        assert_eq!((pooled[50].variance, pooled[50].freedom), (0.8, 250.0));
        let many: Vec<LevelMean> = (0..100).map(|i| level(f64::from(i), 300.0)).collect();
        assert_eq!(pool_errors(&many), many);
        let lone = pool_errors(&[level(0.0, 1.0), level(4.0, 10.0), level(0.0, 1.0)]);
        assert_eq!((lone[0].variance, lone[2].freedom), (4.0, 9.0));
    }
    /// Pooling as its definition says, a level at a time.
    fn pooled_by_walking(levels: &[LevelMean], place: usize) -> (f64, f64) {
        let furthest = levels.len() / 20;
        let own = levels[place];
        let (mut freedom, mut squares) = (own.freedom, own.freedom * own.variance);
        for away in 1..=if freedom > 0.0 { furthest } else { levels.len() } {
            if freedom >= 200.0 || own.freedom == 0.0 && freedom > 0.0 && away > furthest {
                break;
            }
            for other in [place.checked_sub(away), Some(place + away)].into_iter().flatten() {
                if let Some(other) = levels.get(other) {
                    freedom += other.freedom;
                    squares += other.freedom * other.variance;
                }
            }
        }
        (if freedom > 0.0 { squares / freedom } else { 0.0 }, freedom)
    }

    #[test]
    fn pooling_visits_what_a_walk_over_all_levels_would() {
        let mut stream = crate::random::Stream::new(11, 0, 0);
        for (count, lone) in [(1, 0.0), (7, 0.5), (60, 0.9), (300, 0.0), (400, 0.3), (700, 0.97), (500, 1.0)] {
            let mut level = |x: usize| {
                let n = if stream.uniform() < lone { 1.0 } else { (2.0 + 40.0 * stream.uniform()).floor() };
                let variance = if n > 1.0 { stream.uniform() } else { 0.0 };
                LevelMean { x: x as f64, mean: 0.0, variance, n, freedom: n - 1.0 }
            };
            let levels: Vec<LevelMean> = (0..count).map(&mut level).collect();
            for (place, pooled) in pool_errors(&levels).iter().enumerate() {
                assert_eq!((pooled.variance, pooled.freedom), pooled_by_walking(&levels, place), "{count} {lone}");
            }
        }
    }
}
