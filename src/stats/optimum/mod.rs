//! Where is the optimum of a curve known at few noisy levels, how deep is it, and which levels are
//! safe?
//!
//! Lower is better in here. Four layers, each with its own assumption:
//!
//! | layer | says | assumes |
//! |---|---|---|
//! | [`bracket`] | between which levels the optimum lies | one dip |
//! | [`convex`] | the same, sharper, and how low the value can be | one dip; for the value convex over five levels |
//! | [`process`] | place, value, differences | a curve without a cusp or a wall that the noise hides |
//! | [`Optimum::safe_range`] | where the metric is within the margin of its best | as the layer that gave it, one dip or the process |
//!
//! **Why not one curve.** An interval of the place that is much narrower than the gap between two
//! levels presupposes the shape of the curve: with a rise of 20 standard errors to the next level,
//! polynomials of every degree cover the place of a kinked minimum in 0 to 11 % of the experiments
//! where they promise 95 %, and a test for lack of fit does not see it, since three points leave
//! nothing to test. Smoothness learnt from levels far away is not that of the optimum.
//!
//! **Place.** The quantiles of the least places of the curves that [`process`] draws over the
//! bracket and one level more on each side (five levels at least), clipped to the convex bounds and
//! the bracket. The quantiles are those of a coverage of 99.5 % where 95 % are promised: what the
//! process promises about its own draws holds for curves it knows, and this is calibrated on those
//! that it does not. **Walls**: where the first level that is significantly worse on one side rises
//! far more steeply than on the other, the optimum may lie right before the wall, and the interval
//! is extended to the convex bound there.
//!
//! **Value.** From the lower of the draws' least values, never below the convex bound, up to the
//! greater of their upper quantile and the least mean's own upper bound, simultaneous over the
//! bracket's levels, since it is the least of them; with 20 levels or more in the window, of which
//! one alone says little, the draws' quantile alone. Absent at a cusp.
//!
//! **When it is wrong** (measured by `cargo bench --bench coverage`): walls that the noise hides;
//! cusps, whose value between two levels nothing bounds. With one run a level the errors are a
//! guess from the curve itself.

pub mod blocks;
pub mod bracket;
pub mod convex;
pub mod difference;
pub mod eigen;
pub mod fit;
pub mod noise;
pub mod process;
pub mod safe;
pub mod verdict;

use crate::stats::interval::student_t_quantile;
use crate::stats::optimum::bracket::Bracket;
use crate::stats::optimum::convex::{ConvexBounds, index_of_least, is_cusp};
use crate::stats::optimum::fit::LackOfFit;
use crate::stats::optimum::noise::Noise;
use crate::stats::optimum::process::Draws;
use crate::stats::quantile::quantile;
use crate::stats::smooth::{Edge, LevelMean};
use crate::stats::sort;

/// Key of the random numbers: the same data give the same answer.
const SEED: u64 = 1;
/// Fewest levels through which curves are drawn.
pub const FEWEST_LEVELS: usize = 4;
/// Fewest levels of the window, where there are so many.
const WINDOW: usize = 5;
/// More levels than this in the window are taken together, neighbour with neighbour.
const MOST_IN_WINDOW: usize = 40;
/// To so many.
const BINS: usize = 28;

/// A range on the axis, or of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Span {
    /// Whether `value` lies in it, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// What both have in common; `self` if they do not meet.
    #[must_use]
    pub fn cut_by(self, other: Self) -> Self {
        let common = Self { lower: self.lower.max(other.lower), upper: self.upper.min(other.upper) };
        if common.lower <= common.upper { common } else { self }
    }
}

/// How much worse than the optimum does not matter: a share of the value there and an amount, of
/// which one is usually 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Share of the size of the best value.
    pub share: f64,
    /// In the metric's unit.
    pub amount: f64,
}

impl Tolerance {
    /// The greatest value that does not matter where the best is `best`.
    pub fn limit(&self, best: f64) -> f64 {
        best + self.margin(best)
    }

    /// The greatest difference that does not matter where the best is `best`.
    pub fn margin(&self, best: f64) -> f64 {
        self.share * best.abs() + self.amount
    }
}

/// A number with the interval that its promise needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The middle of what the draws say, within the interval.
    pub point: f64,
    /// The interval.
    pub span: Span,
}

/// What the draws say of the optimum.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// The place.
    pub place: Known,
    /// The value; absent where nothing bounds it.
    pub value: Option<Known>,
    /// The test of the drawn curves' middle against the levels of the window.
    pub lack_of_fit: Option<LackOfFit>,
    /// The end at which most draws have their least place.
    pub edge: Option<Edge>,
    /// The curves, over the window.
    pub draws: Draws,
    /// The least place of each draw.
    places: Vec<f64>,
    /// The least value of each draw, never below the convex bound.
    values: Vec<f64>,
}

impl Local {
    /// The middle of the curves, place by place.
    pub fn middle(&self) -> Vec<f64> {
        middle(&self.draws.curves)
    }
}

/// What the levels say of the optimum.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// Places of the levels.
    pub x: Vec<f64>,
    /// Their means.
    pub means: Vec<f64>,
    /// Their errors.
    pub noise: Noise,
    /// 1 − the confidence.
    pub alpha: f64,
    /// Between which levels it lies.
    pub bracket: Bracket,
    /// Where it can lie in the bracket by convexity.
    pub convex: Span,
    /// Curves through the levels; absent for fewer than [`FEWEST_LEVELS`], and where none can be
    /// drawn.
    pub local: Option<Local>,
    bounds: ConvexBounds,
    /// Student's t, two-sided at the confidence.
    quantile: f64,
}

impl Optimum {
    /// Of levels ascending in x, at least two, with their errors. The intervals are wrong with
    /// probability `alpha` each.
    pub fn new(levels: &[LevelMean], noise: Noise, alpha: f64) -> Self {
        let mut optimum = Self::without_curves(levels, noise, alpha);
        optimum.draw_curves();
        optimum
    }

    /// The same without the local curves, for those who may not need them.
    pub fn without_curves(levels: &[LevelMean], noise: Noise, alpha: f64) -> Self {
        let x: Vec<f64> = levels.iter().map(|level| level.x).collect();
        let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
        // The shares of α that the layers get are calibrated: see the module's documentation.
        let bracket = Bracket::new(&means, &noise, alpha / 5.0);
        let bounds = ConvexBounds::new(&x, &means, &noise, alpha / 5.0);
        let whole = Span { lower: x[bracket.first], upper: x[bracket.last] };
        let convex = whole.cut_by(bounds.place(alpha / 5.0));
        let quantile = student_t_quantile(1.0 - alpha, noise.degrees_of_freedom);
        Self { x, means, noise, alpha, bracket, convex, local: None, bounds, quantile }
    }

    /// Draws the local curves, if there are levels enough.
    pub fn draw_curves(&mut self) {
        if self.x.len() >= FEWEST_LEVELS {
            self.local = self.drawn();
        }
    }

    /// The levels that curves are drawn through: the bracket with one more on each side.
    pub fn window(&self) -> std::ops::RangeInclusive<usize> {
        let last = self.x.len() - 1;
        let (mut first, mut end) = (self.bracket.first.saturating_sub(1), (self.bracket.last + 1).min(last));
        if end - first + 1 < WINDOW {
            end = (first + WINDOW - 1).min(last);
            first = (end + 1).saturating_sub(WINDOW);
        }
        first..=end
    }

    /// Whether the window holds so many levels that one alone says little of the optimum beside
    /// what all of them say.
    pub fn is_dense(&self) -> bool {
        const MANY: usize = 20;
        self.window().count() >= MANY
    }

    /// `None` if no curve can be drawn: the levels are of such different sizes that their gaps are
    /// rounding.
    fn drawn(&self) -> Option<Local> {
        let (x, means, noise) = self.binned();
        let tail = self.alpha / 20.0;
        let draws = Draws::new(&x, &means, &noise, (2.5 / tail).clamp(1000.0, 20_000.0) as usize);
        if draws.curves.is_empty() {
            return None;
        }
        let least: Vec<(f64, f64)> = draws.curves.iter().map(|curve| lowest(&draws.x, curve)).collect();
        let mut places: Vec<f64> = least.iter().map(|(place, _)| *place).collect();
        let floor = self.bounds.least_value(self.alpha / 10.0);
        let values: Vec<f64> = least.iter().map(|(_, value)| value.max(floor)).collect();
        let edge = self.edge_of(&places);
        let middle = middle(&draws.curves);
        let stride = (draws.x.len() - 1) / (x.len() - 1);
        let residuals: Vec<f64> = means.iter().enumerate().map(|(i, mean)| mean - middle[i * stride]).collect();
        let lack_of_fit = LackOfFit::new(&residuals, &noise.variances, draws.trace, &noise);
        let in_draw_order = places.clone();
        sort::ascending(&mut places);
        let drawn = Span { lower: quantile(&places, tail), upper: quantile(&places, 1.0 - tail) };
        let span = self.extended_to_walls(self.convex.cut_by(drawn));
        let point = quantile(&places, 0.5).clamp(span.lower, span.upper);
        let value = self.value(least.iter().map(|(_, value)| *value).collect());
        let place = Known { point, span };
        Some(Local { place, value, lack_of_fit, edge, draws, places: in_draw_order, values })
    }

    /// The window's levels, neighbours taken together where they are many.
    fn binned(&self) -> (Vec<f64>, Vec<f64>, Noise) {
        let window = self.window();
        let (x, means) = (&self.x[window.clone()], &self.means[window.clone()]);
        let variances = &self.noise.variances[window];
        let together = if x.len() > MOST_IN_WINDOW { x.len().div_ceil(BINS) } else { 1 };
        let precision = |variances: &[f64]| variances.iter().map(|v| 1.0 / v).sum::<f64>();
        let weighted = |values: &[f64], variances: &[f64]| {
            values.iter().zip(variances).map(|(value, v)| value / v).sum::<f64>() / precision(variances)
        };
        let bins = || variances.chunks(together);
        let binned = |values: &[f64]| values.chunks(together).zip(bins()).map(|(a, v)| weighted(a, v)).collect();
        let noise = Noise { variances: bins().map(|v| 1.0 / precision(v)).collect(), ..self.noise.clone() };
        (binned(x), binned(means), noise)
    }

    /// The end of the sweep at which at least the nominal share of draws has its least place.
    fn edge_of(&self, places: &[f64]) -> Option<Edge> {
        const NEAR: f64 = 0.02;
        let last = self.x.len() - 1;
        let gap = |at: usize| NEAR * (self.x[at + 1] - self.x[at]);
        let share = |is_there: &dyn Fn(f64) -> bool| {
            places.iter().filter(|place| is_there(**place)).count() as f64 / places.len() as f64
        };
        let (low, high) = (self.x[0] + gap(0), self.x[last] - gap(last - 1));
        if share(&|place| place <= low) >= 1.0 - self.alpha {
            Some(Edge::Low)
        } else if share(&|place| place >= high) >= 1.0 - self.alpha {
            Some(Edge::High)
        } else {
            None
        }
    }

    /// `span`, with an end that lies before a wall moved to the convex bound there.
    fn extended_to_walls(&self, span: Span) -> Span {
        /// How many times steeper than the other side a wall is.
        const STEEPER: f64 = 3.0;
        /// Of the error, what the other side's step counts as at least.
        const FLOOR: f64 = 0.35;
        /// Of the error, what makes a level significantly worse.
        const WORSE: f64 = 1.5;
        let (x, y) = (&self.x, &self.means);
        let inside: Vec<usize> = self.around(span).collect();
        let Some(least) = inside.into_iter().min_by(|a, b| y[*a].total_cmp(&y[*b])) else { return span };
        let error = self.quantile * self.noise.standard_error(least);
        let is_worse = |level: &usize| y[*level] - y[least] > WORSE * error;
        let (left, right) = ((0..least).rev().find(is_worse), (least + 1..x.len()).find(is_worse));
        let up = right.map_or(0.0, |level| y[level] - y[level - 1]);
        let down = left.map_or(0.0, |level| y[level] - y[level + 1]);
        let mut extended = span;
        if let Some(right) = right.filter(|_| up - error > STEEPER * down.max(FLOOR * error)) {
            extended.upper = span.upper.max(self.convex.upper.min(x[right]));
        }
        if let Some(left) = left.filter(|_| down - error > STEEPER * up.max(FLOOR * error)) {
            extended.lower = span.lower.min(self.convex.lower.max(x[left]));
        }
        extended
    }

    /// The levels in `span`, and those next to it.
    fn around(&self, span: Span) -> impl Iterator<Item = usize> {
        const ROUNDING: f64 = 1e-9;
        let last = self.x.len() - 1;
        let slack = ROUNDING * (self.x[last] - self.x[0]);
        let first = self.x.partition_point(|x| *x <= span.lower + slack).saturating_sub(1);
        let end = self.x.partition_point(|x| *x < span.upper - slack).min(last);
        first..=end
    }

    /// The value from the least values of the draws.
    fn value(&self, mut drawn: Vec<f64>) -> Option<Known> {
        if is_cusp(&self.x, &self.means, &self.noise, self.quantile) {
            return None;
        }
        sort::ascending(&mut drawn);
        let least = index_of_least(&self.means);
        let lower = quantile(&drawn, self.alpha / 20.0).max(self.bounds.least_value(self.alpha / 20.0));
        // The least of the bracket's means is too low: its bound holds for all of them at once.
        let levels = (self.bracket.last - self.bracket.first + 1) as f64;
        let simultaneous = student_t_quantile(1.0 - self.alpha / levels, self.noise.degrees_of_freedom);
        let own = self.means[least] + simultaneous * self.noise.standard_error(least);
        let drawn_upper = quantile(&drawn, 1.0 - self.alpha / 10.0).max(lower);
        let upper = if self.is_dense() { drawn_upper } else { drawn_upper.max(own) };
        // Draws overshoot before a wall, where the lines that bound a convex curve do not.
        let point = quantile(&drawn, 0.5).max(self.bounds.least_value(0.5)).clamp(lower, upper);
        let shared = self.quantile * libm::sqrt(self.noise.shared);
        let (below, above) = (libm::hypot(point - lower, shared), libm::hypot(upper - point, shared));
        Some(Known { point, span: Span { lower: point - below, upper: point + above } })
    }
}

/// The least place of a curve and its value there, by the parabola through the least point and its
/// neighbours.
fn lowest(x: &[f64], curve: &[f64]) -> (f64, f64) {
    let at = index_of_least(curve);
    let (Some(before), true) = (at.checked_sub(1), at + 1 < x.len()) else { return (x[at], curve[at]) };
    // The neighbours are equally far, but at a level; there the nearer one's distance is taken for
    // both.
    let step = (x[at] - x[before]).min(x[at + 1] - x[at]);
    let (a, b, c) = (curve[before], curve[at], curve[at + 1]);
    let curvature = a - 2.0 * b + c;
    if curvature <= 0.0 {
        return (x[at], b);
    }
    let shift = (0.5 * (a - c) / curvature).clamp(-0.5, 0.5);
    (x[at] + shift * step, b - (a - c) * (a - c) / (8.0 * curvature))
}

/// The median of the curves, place by place.
pub(super) fn middle(curves: &[Vec<f64>]) -> Vec<f64> {
    let at = |place: usize| {
        let mut values: Vec<f64> = curves.iter().map(|curve| curve[place]).collect();
        sort::ascending(&mut values);
        quantile(&values, 0.5)
    };
    (0..curves.first().map_or(0, Vec::len)).map(at).collect()
}

#[cfg(test)]
mod oracles;
#[cfg(test)]
mod tests;
