//! Where is the minimum of a sweep whose runs were put around it, the same draws at every level?
//!
//! **Design.** Four levels x₀ ± h and x₀ ± 0.45 h hold nearly all runs, the outer two a fifth of the inner ones' ([`around`]).
//! Replicate r starts from the same draws at each of them.
//!
//! **Definition.** A cubic through the means of those levels (least squares by number of runs, where there are more than four). Its
//! minimum is where its slope p′ passes 0 upwards. The slope at x is a weighted sum of the means, so that its error follows from
//! their variances and covariances, Cov(m̄_i, m̄_j) = cov_ij · n_ij / (n_i n_j) with n_ij common replicates. The interval holds every x
//! at which the slope is not significantly different from 0, |p′(x)| ≤ t · SE(x) (Fieller 1954, applied to
//! the place of an extremum): no linearisation, and an honest width where the curvature is uncertain.
//!
//! A level **beside** the cubic that holds as many runs, such as a reference, is compared with the minimum by its own mean: what the
//! cubic makes of a place far from its middle has its bias, the mean of runs made there has none.
//!
//! **Why so.** Runs of neighbouring levels differ because some draws change from one basin of the loss to another; how many do grows in
//! proportion to the distance. The variance of a slope over h then falls as 1/h: few levels, far apart. What forbids more is the
//! curve's shape. A parabola's minimum is moved by its third derivative (by 3 % of σ at h = 0.7 in the XOR experiment), a cubic's by the fifth
//! (0.3 %). The outer levels only correct for that, so that they need few runs. Why not the local curve of
//! [`crate::stats::smooth`]: it needs many levels, which each cost a run a replicate and tell little more. Why not more levels and a higher
//! degree: a quintic through six levels needs 1.7 times the runs.
//!
//! **When it is wrong.** A fifth derivative that is large over ± h; replicates that are not independent of each other. Levels of
//! which none holds clearly more runs than the others are no such design ([`levels_of`]), and are left to the curve.
//!
//! **Cost.** O(levels² runs) once.

use crate::stats::compare::Measured;
use crate::stats::exact::ExactMoments;
use crate::stats::interval::{ConfidenceInterval, Estimate, Method, student_t_quantile};
use crate::stats::paired::Numbered;

/// Distance of the inner levels from the middle, in units of that of the outer ones.
const INNER: f64 = 0.45;
/// Runs of an outer level for one at an inner level.
const OUTER_SHARE: f64 = 0.2;
/// Parameters of a cubic.
const PARAMETERS: usize = 4;

/// A level of a refined design: how far its runs go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refined {
    /// Place on the axis.
    pub x: f64,
    /// Runs for one at an inner level.
    pub share: f64,
}

/// The design around `centre` that reaches `reach` > 0 to either side, ascending.
pub fn around(centre: f64, reach: f64) -> [Refined; PARAMETERS] {
    let level = |at: f64, share| Refined { x: centre + at * reach, share };
    [level(-1.0, OUTER_SHARE), level(-INNER, 1.0), level(INNER, 1.0), level(1.0, OUTER_SHARE)]
}

/// The places of the levels that hold the runs of a refined design; nothing if that is none. `n` are runs a level.
///
/// A level belongs to it with more than twice the runs of the lower quartile and a tenth of the greatest number.
pub fn levels_of(n: &[u64]) -> Option<Vec<usize>> {
    let mut sorted = n.to_vec();
    sorted.sort_unstable();
    let (greatest, quartile) = (*sorted.last()?, sorted[(sorted.len() - 1) / 4]);
    let deep: Vec<usize> = (0..n.len()).filter(|i| n[*i] > 2 * quartile && n[*i] >= greatest / 10).collect();
    (deep.len() >= PARAMETERS).then_some(deep)
}

/// How far from the middle of a design the minimum may lie, in units of the reach, so that its runs are believed. With the distance
/// grows the bias that the fourth derivative makes: in the XOR experiment, of a reach of 0.6 in ln σ, 0.1 % of σ in the middle, 0.3 % at 0.1, 0.7 % at
/// 0.25.
pub const OFF_CENTRE: f64 = 0.25;

/// Of the levels at `x` with `n` runs, every four that form a design ([`around`]), those with most runs first.
pub fn designs(x: &[f64], n: &[u64]) -> Vec<[usize; PARAMETERS]> {
    /// Levels are rounded, by up to a hundredth of the reach.
    const ROUNDING: f64 = 0.03;
    let deep = levels_of(n).unwrap_or_default();
    let near = |place: f64, reach: f64| deep.iter().copied().find(|i| (x[*i] - place).abs() <= ROUNDING * reach);
    let design = |first: usize, last: usize| {
        let (centre, reach) = ((x[first] + x[last]) / 2.0, (x[last] - x[first]) / 2.0);
        let inner = (reach > 0.0).then_some(INNER * reach)?;
        Some([first, near(centre - inner, reach)?, near(centre + inner, reach)?, last])
    };
    let mut all: Vec<_> = deep.iter().flat_map(|first| deep.iter().filter_map(|last| design(*first, *last))).collect();
    all.sort_by_key(|places| std::cmp::Reverse(places.iter().map(|place| n[*place]).sum::<u64>()));
    all
}

/// The first of the [`designs`] with `at` at most `off_centre` of its reach from its middle.
pub fn design_near(x: &[f64], n: &[u64], at: f64, off_centre: f64) -> Option<[usize; PARAMETERS]> {
    let is_near = |places: &[usize; PARAMETERS]| {
        let (first, last) = (x[places[0]], x[places[PARAMETERS - 1]]);
        (at - (first + last) / 2.0).abs() <= off_centre * (last - first) / 2.0
    };
    designs(x, n).into_iter().find(is_near)
}

/// The error of the slope at `at` of the cubic through four levels with independent means, each given by place and standard error.
/// Nothing for another number of levels.
pub fn independent_error(levels: &[(f64, f64)], at: f64) -> Option<f64> {
    let places: Vec<f64> = levels.iter().map(|(x, _)| x - at).collect();
    let rows = solution(&places, &vec![1.0; levels.len()]).filter(|_| levels.len() == PARAMETERS)?;
    Some(libm::sqrt(rows[1].iter().zip(levels).map(|(weight, (_, error))| weight * weight * error * error).sum()))
}

/// One level's runs, ascending by replicate, each replicate once.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// Place on the axis.
    pub x: f64,
    /// Its runs.
    pub runs: &'a [Numbered],
}

/// A cubic through means whose errors are correlated, and the means of levels beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cubic {
    centre: f64,
    scale: f64,
    /// The levels that it goes through, in units of the scale from the centre.
    places: Vec<f64>,
    /// Per coefficient the weights of the means that the cubic goes through, which come first.
    rows: [Vec<f64>; PARAMETERS],
    /// The levels beside it, in units of the scale from the centre.
    beside: Vec<f64>,
    means: Vec<f64>,
    /// Runs of each mean.
    runs: Vec<f64>,
    /// Variances and covariances of the means.
    errors: Vec<Vec<f64>>,
    /// The minimum, in units of the scale from the centre.
    least: f64,
}

impl Cubic {
    /// Through `levels`, ascending in x; what it says of the places `beside` is their own mean. Nothing for fewer than four levels, for
    /// one with fewer than two runs, or if the cubic has no minimum between the outermost levels.
    pub fn through(levels: &[Level<'_>], beside: &[Level<'_>]) -> Option<Self> {
        let (first, last) = (levels.first()?.x, levels.last()?.x);
        let all = [levels, beside].concat();
        if levels.len() < PARAMETERS || all.iter().any(|level| level.runs.len() < 2) {
            return None;
        }
        let (centre, scale) = ((first + last) / 2.0, (last - first) / 2.0);
        let place = |level: &Level<'_>| (level.x - centre) / scale;
        let places: Vec<f64> = levels.iter().map(place).collect();
        let runs: Vec<f64> = all.iter().map(|level| level.runs.len() as f64).collect();
        let means: Vec<f64> = all
            .iter()
            .map(|level| level.runs.iter().map(|run| run.value).collect::<Vec<_>>())
            .map(|values| ExactMoments::of(&values).mean())
            .collect::<Option<_>>()?;
        let rows = solution(&places, &runs[..levels.len()])?;
        let errors = covariances(&all, &means);
        let beside = beside.iter().map(place).collect();
        let mut cubic = Self { centre, scale, places, rows, beside, means, runs, errors, least: 0.0 };
        cubic.least = cubic.lowest()?;
        Some(cubic)
    }

    /// Where it is lowest between the outermost levels, in units of the scale from the centre.
    fn lowest(&self) -> Option<f64> {
        let [_, b, c, d] = self.rows.each_ref().map(|row| self.apply(row));
        let root = 4.0 * c * c - 12.0 * b * d;
        let least = -2.0 * b / (2.0 * c + libm::sqrt(root.max(0.0)));
        (root > 0.0 && least.abs() < 1.0 && 2.0 * c + 6.0 * d * least > 0.0).then_some(least)
    }

    /// Place of the minimum.
    pub fn place(&self) -> f64 {
        self.centre + self.scale * self.least
    }

    /// Whether the minimum lies at most `off_centre` of the reach from the middle of the levels.
    pub fn is_within(&self, off_centre: f64) -> bool {
        self.least.abs() <= off_centre
    }

    /// The minimum's place with its interval, which ends at the outermost levels at the latest.
    pub fn location(&self, confidence: f64) -> Estimate {
        let quantile = student_t_quantile(confidence, self.freedom(&self.rows[0]));
        let x = |t: f64| self.centre + self.scale * t;
        let interval = ConfidenceInterval {
            level: confidence,
            lower: x(self.end(-1.0, quantile)),
            upper: x(self.end(1.0, quantile)),
            method: Method::CubicSlope,
        };
        let curvature = self.apply(&self.combined(&bend(self.least))) / self.scale;
        let error = self.error(&self.combined(&slope(self.least))) / curvature;
        Estimate { point: self.place(), standard_error: Some(error), interval: Some(interval) }
    }

    /// The cubic's value at its minimum. The error of the place adds nothing to first order: the slope there is 0.
    pub fn value(&self, confidence: f64) -> Estimate {
        self.measured(&self.combined(&powers(self.least))).estimate(confidence, Method::CubicSlope)
    }

    /// The value at the place `to` less that at `from`; nothing outside the levels.
    pub fn difference(&self, from: f64, to: f64) -> Option<Measured> {
        let (from, mut weights) = (self.weights(from)?, self.weights(to)?);
        weights.resize(self.means.len(), 0.0);
        weights.iter_mut().zip(from).for_each(|(weight, from)| *weight -= from);
        Some(self.measured(&weights))
    }

    /// The value at `x`, at a level beside the cubic its own mean; nothing outside the levels.
    pub fn at(&self, x: f64) -> Option<Measured> {
        Some(self.measured(&self.weights(x)?))
    }

    /// The cubic's value at `x`; `None` outside its levels, at one of them, and at a level beside it.
    pub fn inside(&self, x: f64) -> Option<Measured> {
        const ROUNDING: f64 = 1e-9;
        let t = (x - self.centre) / self.scale;
        let is_own = |level: &f64| (level - t).abs() <= ROUNDING;
        let is_apart = !self.places.iter().chain(&self.beside).any(is_own);
        (t.abs() < 1.0 && is_apart).then(|| self.measured(&self.combined(&powers(t))))
    }

    /// The weights of the means in the value at `x`.
    fn weights(&self, x: f64) -> Option<Vec<f64>> {
        /// Levels lie where they are said to lie but for rounding.
        const ROUNDING: f64 = 1e-9;
        let t = (x - self.centre) / self.scale;
        if let Some(place) = self.beside.iter().position(|level| (level - t).abs() <= ROUNDING) {
            let through = self.rows[0].len();
            return Some((0..=through + place).map(|i| if i == through + place { 1.0 } else { 0.0 }).collect());
        }
        (t.abs() <= 1.0 + ROUNDING).then(|| self.combined(&powers(t)))
    }

    /// The weights of the means in Σ term · coefficient.
    fn combined(&self, terms: &[f64; PARAMETERS]) -> Vec<f64> {
        let weight = |i: usize| terms.iter().zip(&self.rows).map(|(term, row)| term * row[i]).sum();
        (0..self.rows[0].len()).map(weight).collect()
    }

    fn measured(&self, weights: &[f64]) -> Measured {
        let (point, error) = (self.apply(weights), self.error(weights));
        Measured { point, standard_error: Some(error), freedom: self.freedom(weights) }
    }

    /// One less than the fewest runs of a mean that counts.
    fn freedom(&self, weights: &[f64]) -> f64 {
        let counting = weights.iter().zip(&self.runs).filter(|(weight, _)| **weight != 0.0);
        counting.map(|(_, runs)| runs - 1.0).fold(f64::INFINITY, f64::min)
    }

    /// How far the cubic may rise above its minimum between `lower` and `upper`: the greatest of its upper one-sided
    /// confidence bounds.
    pub fn rise(&self, lower: f64, upper: f64, confidence: f64) -> f64 {
        const STEPS: u32 = 20;
        let place = |i: u32| lower + (upper - lower) * f64::from(i) / f64::from(STEPS);
        // One-sided at α: the two-sided quantile at 1 − 2α.
        let quantile = student_t_quantile(2.0 * confidence - 1.0, self.freedom(&self.rows[0]));
        let bound = |x| {
            let rise = self.difference(self.place(), x)?;
            Some(rise.point + quantile * rise.standard_error?)
        };
        (0..=STEPS).filter_map(|i| bound(place(i))).fold(0.0, f64::max)
    }

    /// The last place from the minimum in `direction` where the slope is not significant.
    fn end(&self, direction: f64, quantile: f64) -> f64 {
        const STEPS: u32 = 400;
        const HALVINGS: u32 = 50;
        let is_open = |t: f64| {
            let slope = self.combined(&slope(t));
            self.apply(&slope).abs() <= quantile * self.error(&slope)
        };
        let at = |i: u32| self.least + direction * f64::from(i) * 2.0 / f64::from(STEPS);
        let Some(out) = (1..=STEPS).find(|i| !is_open(at(*i)) || at(*i).abs() >= 1.0) else { return direction };
        if at(out).abs() >= 1.0 && is_open(direction) {
            return direction;
        }
        let (mut inside, mut outside) = (at(out - 1), at(out).clamp(-1.0, 1.0));
        for _ in 0..HALVINGS {
            let middle = (inside + outside) / 2.0;
            if is_open(middle) { inside = middle } else { outside = middle }
        }
        (inside + outside) / 2.0
    }

    fn apply(&self, weights: &[f64]) -> f64 {
        weights.iter().zip(&self.means).map(|(weight, mean)| weight * mean).sum()
    }

    fn error(&self, weights: &[f64]) -> f64 {
        // Rounding, and variances from more runs than covariances, may leave a little less than 0.
        libm::sqrt(quadratic(weights, &self.errors, weights).max(0.0))
    }
}

/// The cubic's terms at `t`.
fn powers(t: f64) -> [f64; PARAMETERS] {
    [1.0, t, t * t, t * t * t]
}

/// Their derivatives.
fn slope(t: f64) -> [f64; PARAMETERS] {
    [0.0, 1.0, 2.0 * t, 3.0 * t * t]
}

/// The derivatives of those.
fn bend(t: f64) -> [f64; PARAMETERS] {
    [0.0, 0.0, 2.0, 6.0 * t]
}

/// a′ M b.
fn quadratic<M: AsRef<[f64]>>(a: &[f64], matrix: &[M], b: &[f64]) -> f64 {
    let row = |row: &M| row.as_ref().iter().zip(b).map(|(m, b)| m * b).sum::<f64>();
    a.iter().zip(matrix).map(|(a, m)| a * row(m)).sum()
}

/// Per coefficient the weights of the means: (X′WX)⁻¹ X′W. Nothing if places coincide.
fn solution(places: &[f64], weights: &[f64]) -> Option<[Vec<f64>; PARAMETERS]> {
    let terms: Vec<[f64; PARAMETERS]> = places.iter().map(|t| powers(*t)).collect();
    // The normal equations with X′W beside them, by Gauss and Jordan with the greatest pivot. Places within ±1 and four terms
    // keep the condition below some 1e4.
    let mut rows: [Vec<f64>; PARAMETERS] = std::array::from_fn(|i| {
        let left = (0..PARAMETERS).map(|j| terms.iter().zip(weights).map(|(x, w)| w * x[i] * x[j]).sum());
        left.chain(terms.iter().zip(weights).map(|(x, w)| w * x[i])).collect()
    });
    for column in 0..PARAMETERS {
        let pivot = (column..PARAMETERS).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let lead = rows[column][column];
        if lead.abs() < 1e-12 * weights[0] {
            return None;
        }
        rows[column].iter_mut().for_each(|value| *value /= lead);
        let done = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(place, _)| *place != column) {
            let factor = row[column];
            row.iter_mut().zip(&done).for_each(|(value, done)| *value -= factor * done);
        }
    }
    Some(rows.map(|row| row[PARAMETERS..].to_vec()))
}

/// Variances and covariances of the means.
fn covariances(levels: &[Level<'_>], means: &[f64]) -> Vec<Vec<f64>> {
    let one = |i: usize, j: usize| {
        let (a, b) = (levels[i].runs, levels[j].runs);
        let (mut sum, mut sums, mut common) = (0.0, [0.0; 2], 0.0);
        let mut others = b.iter().peekable();
        for run in a {
            while others.next_if(|other| other.replicate < run.replicate).is_some() {}
            if let Some(other) = others.next_if(|other| other.replicate == run.replicate) {
                let deviations = [run.value - means[i], other.value - means[j]];
                sum += deviations[0] * deviations[1];
                sums[0] += deviations[0];
                sums[1] += deviations[1];
                common += 1.0;
            }
        }
        if common < 2.0 {
            return 0.0;
        }
        // About the means of the common replicates.
        let covariance = (sum - sums[0] * sums[1] / common) / (common - 1.0);
        covariance * common / (a.len() as f64 * b.len() as f64)
    };
    (0..levels.len()).map(|i| (0..levels.len()).map(|j| one(i.min(j), i.max(j))).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn numbered(values: &[f64]) -> Vec<Numbered> {
        (0..).zip(values).map(|(replicate, value)| Numbered { replicate, value: *value }).collect()
    }

    /// A minimum of 10 at 0.3, not symmetric; a walk over the places common to all levels of a replicate, as basins make it.
    fn experiment(design: &[Refined], runs: usize, stream: &mut Stream) -> Vec<Vec<Numbered>> {
        let mean = |x: f64| 10.0 + 4.0 * (x - 0.3) * (x - 0.3) - 1.5 * (x - 0.3) * (x - 0.3) * (x - 0.3);
        let mut levels = vec![Vec::new(); design.len()];
        for replicate in 0..runs {
            let mut walk = 3.0 * stream.normal();
            for (place, level) in design.iter().enumerate() {
                let step = if place == 0 { 0.0 } else { level.x - design[place - 1].x };
                walk += 2.0 * libm::sqrt(step) * stream.normal();
                if (replicate as f64) < level.share * runs as f64 {
                    levels[place].push(Numbered { replicate: replicate as u64, value: mean(level.x) + walk });
                }
            }
        }
        levels
    }

    fn cubic(design: &[Refined], runs: &[Vec<Numbered>]) -> Cubic {
        let levels: Vec<Level> = design.iter().zip(runs).map(|(level, runs)| Level { x: level.x, runs }).collect();
        Cubic::through(&levels, &[]).unwrap()
    }

    #[test]
    fn a_cubic_is_found_exactly() {
        // (x − 1)² (x + 2) has its minimum 0 at 1.
        let f = |x: f64| (x - 1.0) * (x - 1.0) * (x + 2.0);
        for places in [vec![0.2, 0.8, 1.3, 2.0], vec![0.0, 0.5, 0.9, 1.4, 2.0]] {
            let runs: Vec<Vec<Numbered>> = places.iter().map(|x| numbered(&[f(*x) - 1.0, f(*x) + 1.0])).collect();
            let levels: Vec<Level> = places.iter().zip(&runs).map(|(x, runs)| Level { x: *x, runs }).collect();
            let cubic = Cubic::through(&levels, &[]).unwrap();
            assert!((cubic.place() - 1.0).abs() < 1e-12 && cubic.value(0.95).point.abs() < 1e-12);
            // The luck is the same everywhere: the place is certain, the value is not.
            let location = cubic.location(0.95).interval.unwrap();
            assert!(location.margin() < 1e-6, "{location:?}");
            assert!((cubic.value(0.95).standard_error.unwrap() - 1.0).abs() < 1e-9);
            let difference = cubic.difference(1.0, 1.25).unwrap();
            assert!((difference.point - f(1.25)).abs() < 1e-12 && difference.standard_error.unwrap() < 1e-6);
            assert!(cubic.difference(1.0, 3.0).is_none() && cubic.at(2.0).is_some());
        }
    }

    #[test]
    fn a_level_beside_the_cubic_stands_for_itself() {
        // No cubic: the fourth power bends it at 2 and beyond.
        let f = |x: f64| x * x + 0.5 * x * x * x * x;
        let runs: Vec<Vec<Numbered>> =
            [-1.0, -0.45, 0.45, 1.0, 0.7, 2.0].iter().map(|x| numbered(&[f(*x) - 1.0, f(*x) + 1.0])).collect();
        let level = |x, place: usize| Level { x, runs: &runs[place] };
        let design = [level(-1.0, 0), level(-0.45, 1), level(0.45, 2), level(1.0, 3)];
        let alone = Cubic::through(&design, &[]).unwrap();
        let cubic = Cubic::through(&design, &[level(0.7, 4), level(2.0, 5)]).unwrap();
        assert_eq!(cubic.location(0.95), alone.location(0.95));
        assert!(alone.at(2.0).is_none() && (alone.at(0.7).unwrap().point - f(0.7)).abs() > 1e-3);
        for x in [0.7, 2.0] {
            let measured = cubic.at(x).unwrap();
            assert!((measured.point - f(x)).abs() < 1e-12 && (measured.standard_error.unwrap() - 1.0).abs() < 1e-12);
            // The luck is the same at all levels, whichever way it is asked.
            for (from, to, sign) in [(0.0, x, 1.0), (x, 0.0, -1.0)] {
                let difference = cubic.difference(from, to).unwrap();
                assert!((difference.point - sign * (f(x) - cubic.at(0.0).unwrap().point)).abs() < 1e-12);
                assert!(difference.standard_error.unwrap() < 1e-6 && difference.freedom == 1.0);
            }
        }
        assert!(cubic.difference(0.7, 2.0).unwrap().standard_error.unwrap() < 1e-6 && cubic.at(1.5).is_none());
    }

    #[test]
    fn no_minimum_is_said() {
        let through = |f: fn(f64) -> f64| {
            let runs: Vec<Vec<Numbered>> = [0.0, 1.0, 2.0, 3.0].map(|x| numbered(&[f(x), f(x) + 1.0])).to_vec();
            let levels: Vec<Level> = (0..).zip(&runs).map(|(x, runs)| Level { x: f64::from(x), runs }).collect();
            Cubic::through(&levels, &[])
        };
        assert!(through(|x| x).is_none() && through(|x| -(x - 1.0) * (x - 1.0)).is_none());
        assert!(through(|x| (x - 9.0) * (x - 9.0)).is_none() && through(|x| (x - 1.0) * (x - 1.0)).is_some());
    }

    #[test]
    fn errors_of_means_by_hand() {
        // Deviations −2 −1 0 3 and, of the first three replicates, 1 0 −1: covariance −1, weighted 3/(4·3).
        let (a, b) = (numbered(&[8.0, 9.0, 10.0, 13.0]), numbered(&[5.0, 4.0, 3.0]));
        let found = covariances(&[Level { x: 0.0, runs: &a }, Level { x: 1.0, runs: &b }], &[10.0, 4.0]);
        assert!((found[0][0] - 14.0 / 3.0 / 4.0).abs() < 1e-15 && (found[1][1] - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!((found[0][1], found[1][0]), (-0.25, -0.25));
        let apart = [Numbered { replicate: 7, value: 1.0 }, Numbered { replicate: 9, value: 2.0 }];
        assert_eq!(covariances(&[Level { x: 0.0, runs: &a }, Level { x: 1.0, runs: &apart }], &[10.0, 1.5])[0][1], 0.0);
    }

    #[test]
    fn the_error_of_the_place_is_that_of_repeated_experiments() {
        const REPEATS: u64 = 600;
        let design = around(0.4, 0.8);
        let (mut inside, mut places, mut errors) = (0, Vec::new(), Vec::new());
        for seed in 0..REPEATS {
            let cubic = cubic(&design, &experiment(&design, 400, &mut Stream::new(seed, 1, 0)));
            let location = cubic.location(0.95);
            let interval = location.interval.unwrap();
            inside += u64::from(interval.lower <= 0.3 && 0.3 <= interval.upper);
            places.push(location.point);
            errors.push(location.standard_error.unwrap());
        }
        let spread = ExactMoments::of(&places).std_dev().unwrap();
        let stated = ExactMoments::of(&errors).mean().unwrap();
        // A standard deviation of 600 values is known to 3 %; four of these.
        assert!((spread / stated - 1.0).abs() < 0.12, "{spread} {stated}");
        // Four standard errors of a share of 0.95.
        assert!((inside as f64 / REPEATS as f64 - 0.95).abs() < 4.0 * 0.0089, "{inside} of {REPEATS}");
    }

    #[test]
    fn the_design_is_told_from_an_even_one() {
        assert_eq!(levels_of(&[100; 9]), None);
        assert_eq!(levels_of(&[100, 100, 100, 600, 3000, 3000, 600, 100, 100]), Some(vec![3, 4, 5, 6]));
        // Levels of an earlier round that turned out to lie elsewhere fade out.
        assert_eq!(levels_of(&[100, 700, 100, 6000, 30_000, 30_000, 6000, 100, 100]), Some(vec![3, 4, 5, 6]));
        assert_eq!(levels_of(&[100, 3000, 3000, 100, 100]), None);
        assert_eq!(levels_of(&[]), None);
    }
}
