//! The one smooth curve through all levels: where is it lowest, and what does a place cost against
//! that?
//!
//! The methods, their assumptions and their sources stand with them in [`crate::stats::bootstrap`]
//! (the fitted minimum) and [`crate::stats::compare`] (differences). It is the headline only where
//! [`crate::analysis::layers`] says so; plans also use its shape, to see how far apart new levels
//! should be. Where the greatest value is the best ([`crate::analysis::Goal::Max`]), minimum means
//! maximum throughout.
//!
//! **Difference of two places.** The fitted curve's value at one less its value at the other. Both
//! are weighted sums of the same level means, so the error is that of the one sum of their
//! differing weights: what the two share cancels. Student's t with the degrees of freedom of the
//! levels that count (Satterthwaite), or of the replicates where runs are paired. The place of the
//! minimum is taken as given: where it is uncertain, the difference to it is a little too large and
//! its interval a little too narrow. Why not level against level: with 25 runs each the least of
//! 400 means is hundreds below the truth (the winner's curse), the curve is not.
//!
//! **A level beside the axis** ([`crate::analysis::along`]) is no part of the curve. It is compared
//! with places on it by its own mean: Welch's difference, the two being independent, or the paired
//! one where runs are paired.

use crate::analysis::objective::Objective;
use crate::stats::Estimate;
use crate::stats::bootstrap::FittedMinimum;
use crate::stats::compare::{self, Difference, Measured, relative_change, relative_change_correlated, welch};
use crate::stats::interval::{Method, satterthwaite};
use crate::stats::optimum::Span;
use crate::stats::optimum::verdict::{Verdict, rounded_runs};
use crate::stats::paired::{Common, PairedDifference, paired_difference};
use crate::stats::smooth::{LevelMean, Row};

/// Beyond this many levels nobody asks which of them cannot be excluded, and the answer would cost
/// their square.
pub const MOST_LEVELS: usize = 2000;

/// The curve through the levels, with what has been found of its minimum.
pub struct Curve<'a> {
    pub(super) objective: &'a Objective<'a>,
    pub(super) fitted: FittedMinimum,
}

/// Where a level is, seen from the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spot {
    /// At this place of the axis, within the levels.
    On(f64),
    /// Beside the axis.
    Beside,
}

/// A place that many others are compared with.
struct Origin {
    at: f64,
    row: Row,
    /// Its value in each common replicate, where runs are paired.
    replicates: Option<Vec<f64>>,
}

/// Strides to the range of the levels in which a curve is followed: no bandwidth is below 4 /
/// [`MOST_LEVELS`] of the range.
const STRIDES: f64 = 1000.0;
/// Most steps to the range.
const FINEST: f64 = 1e6;

/// How the statistic differs between two places, less being better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Value at the second less value at the first.
    pub difference: Estimate,
    /// Second / first − 1; absent where the first may be 0.
    pub relative: Option<Estimate>,
    /// Probability of so large a difference if there is none.
    pub p_value: f64,
    /// The second against the first and the margin.
    pub verdict: compare::Verdict,
    /// Whether the second place may be the minimum itself.
    pub may_be_optimum: bool,
    /// What pairing gained: 1 − variance of the difference / that of independent runs.
    pub variance_reduction: Option<f64>,
}

/// A difference that has an error of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveContrast {
    /// Value at the second less value at the first.
    pub difference: Difference,
    /// Second / first − 1.
    pub relative: Estimate,
    /// What pairing gained.
    pub variance_reduction: Option<f64>,
}

impl CurveContrast {
    /// With its verdict against `margin`, in the statistic's unit.
    pub fn judged(&self, margin: f64, confidence: f64) -> Contrast {
        Contrast {
            difference: self.difference.estimate,
            relative: Some(self.relative).filter(|relative| relative.point.is_finite()),
            p_value: self.difference.p_value,
            verdict: self.difference.verdict(margin, confidence),
            may_be_optimum: false,
            variance_reduction: self.variance_reduction,
        }
    }
}

impl<'a> Curve<'a> {
    /// Nothing for more than [`MOST_LEVELS`], and where [`FittedMinimum`] cannot be had.
    pub fn through(objective: &'a Objective<'a>, confidence: f64) -> Option<Self> {
        if objective.levels.len() > MOST_LEVELS {
            return None;
        }
        let fitted = objective.fitted_minimum(confidence)?;
        Some(Self { objective, fitted }.refined(confidence))
    }

    /// Place and value of its minimum.
    pub fn minimum(&self) -> (Estimate, Estimate) {
        (self.objective.along.estimate(&self.fitted.location), self.objective.natural(&self.fitted.value))
    }

    /// The curve to look at: level and value.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        const STEPS: u32 = 160;
        let Objective { along, levels, refined, .. } = self.objective;
        let spread =
            |from: f64, to: f64| (0..=STEPS).map(move |step| from + (to - from) * f64::from(step) / f64::from(STEPS));
        let (Some(first), Some(last)) = (levels.first(), levels.last()) else { return Vec::new() };
        let near = self.fitted.location.interval.map_or((first.x, last.x), |interval| {
            let reach = 2.0 * (interval.upper - interval.lower);
            ((interval.lower - reach).max(first.x), (interval.upper + reach).min(last.x))
        });
        let mut places: Vec<f64> = spread(first.x, last.x).chain(spread(near.0, near.1)).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let value = |x: f64| match refined {
            Some(cubic) => cubic.at(x).map(|measured| measured.point),
            None => Some(self.value(x)),
        };
        let sign = self.objective.goal.sign();
        places.into_iter().filter_map(|x| Some((along.level(x), sign * value(x)?))).collect()
    }

    /// The value at `level` against the curve's minimum; nothing outside the levels.
    pub fn against_minimum(&self, level: f64, confidence: f64) -> Option<CurveContrast> {
        self.contrast([Spot::On(self.fitted.minimum.x), self.spot(level)?], confidence)
    }

    /// The value at the second level against the first; nothing outside the levels.
    pub fn between(&self, levels: [f64; 2], confidence: f64) -> Option<CurveContrast> {
        self.contrast([self.spot(levels[0])?, self.spot(levels[1])?], confidence)
    }

    /// Where `level` is, if it is within the levels.
    fn spot(&self, level: f64) -> Option<Spot> {
        let Objective { along, levels, beside, .. } = self.objective;
        if !along.has_place_for(level) {
            return (level == 0.0 && !beside.is_empty()).then_some(Spot::Beside);
        }
        let place = along.place(level);
        (levels.first()?.x..=levels.last()?.x).contains(&place).then_some(Spot::On(place))
    }

    fn contrast(&self, spots: [Spot; 2], confidence: f64) -> Option<CurveContrast> {
        if let [Spot::On(from), Spot::On(to)] = spots
            && let Some(contrast) = self.refined_contrast([from, to], confidence)
        {
            return Some(contrast);
        }
        if let Some(common) = &self.objective.paired {
            let [a, b] = spots.map(|spot| self.replicates_at(spot, common));
            let PairedDifference { difference, variance_reduction, .. } = paired_difference(&a, &b, confidence)?;
            let [a, b] = [Measured::mean_of(&a)?, Measured::mean_of(&b)?];
            let relative = relative(&a, &b, difference.standard_error, confidence);
            return Some(CurveContrast { difference, relative, variance_reduction });
        }
        match spots {
            [Spot::On(from), Spot::On(to)] => self.contrast_on_axis([from, to], confidence),
            [Spot::Beside, Spot::Beside] => None,
            spots => self.contrast_of_independent(spots, confidence),
        }
    }

    /// The value at `spot` in each of the common replicates.
    fn replicates_at(&self, spot: Spot, common: &Common) -> Vec<f64> {
        match spot {
            Spot::On(place) => self.replicates_of(&self.fitted.curve.row(place), common),
            Spot::Beside => common.values.first().cloned().unwrap_or_default(),
        }
    }

    fn contrast_of_independent(&self, spots: [Spot; 2], confidence: f64) -> Option<CurveContrast> {
        let measured_at = |spot: Spot| match spot {
            Spot::On(place) => {
                let refined = self.objective.refined.as_ref().and_then(|cubic| cubic.at(place));
                refined.or_else(|| Some(measured(&self.fitted.curve.row(place), &self.objective.levels)))
            }
            Spot::Beside => self.objective.beside.first().map(own),
        };
        let [from, to] = spots.map(measured_at);
        let (from, to) = (from?, to?);
        let difference = welch(&from, &to, confidence)?;
        let relative = relative_change(&from, &to, confidence);
        Some(CurveContrast { difference, relative, variance_reduction: None })
    }

    fn contrast_on_axis(&self, places: [f64; 2], confidence: f64) -> Option<CurveContrast> {
        let [from, to] = places.map(|place| self.fitted.curve.row(place));
        let levels = &self.objective.levels;
        let difference = self.row_difference([&from, &to], confidence)?;
        let relative =
            relative(&measured(&from, levels), &measured(&to, levels), difference.standard_error, confidence);
        Some(CurveContrast { difference, relative, variance_reduction: None })
    }
}

impl Curve<'_> {
    /// Whether its interval lies inside the levels and it rises in it by at most `margin`, at its
    /// upper confidence bound.
    pub(super) fn is_located(&self, margin: f64) -> bool {
        let (levels, interval) = (&self.objective.levels, self.fitted.location.interval);
        let (Some(first), Some(last), Some(interval)) = (levels.first(), levels.last(), interval) else { return false };
        first.x < interval.lower && interval.upper < last.x && self.fitted.rise <= margin
    }

    /// Where the curve is at most `margin` above its minimum at the upper end of the difference's
    /// interval: outwards from the minimum on either side, by steps of a hundredth of the place's
    /// interval. `None` if it is nowhere but at the minimum.
    ///
    /// Steps that are fine beside the range are taken [`STRIDES`] to the range, and one by one only
    /// where the curve leaves the margin: no bandwidth is below two strides, so that the curve has
    /// no dent between them.
    pub(super) fn safe_range(&self, margin: f64, confidence: f64) -> Option<Span> {
        const STEPS: f64 = 200.0;
        let (levels, at) = (&self.objective.levels, self.fitted.minimum.x);
        let (first, last) = (levels.first()?.x, levels.last()?.x);
        let range = last - first;
        let reach = 2.0 * self.fitted.location.interval.map_or(range, |interval| interval.upper - interval.lower);
        // A place known to less than its rounding would need steps without end.
        let step = (reach.min(range) / STEPS).max(range / FINEST);
        let lowest = self.origin(at);
        let end = |direction: f64| {
            let place = |steps: usize| at + direction * step * steps as f64;
            let most = FINEST as usize + 1;
            let steps = last_in_a_row(most, most, |i| (first..=last).contains(&place(i)));
            let stride = (range / STRIDES / step) as usize;
            let is_safe = |i: usize| {
                let interval = self.difference(&lowest, place(i), confidence).and_then(|found| found.estimate.interval);
                interval.is_some_and(|interval| interval.upper <= margin)
            };
            match last_in_a_row(steps, stride.max(1), is_safe) {
                0 => at,
                steps => place(steps),
            }
        };
        let (lower, upper) = rayon::join(|| end(-1.0), || end(1.0));
        (lower < upper).then_some(Span { lower, upper })
    }

    /// The place `at` as one that others are compared with.
    fn origin(&self, at: f64) -> Origin {
        let row = self.fitted.curve.row(at);
        let replicates = self.objective.paired.as_ref().map(|common| self.replicates_of(&row, common));
        Origin { at, row, replicates }
    }

    /// The value at `at` less that at the origin, as [`Self::contrast`] gives it.
    fn difference(&self, origin: &Origin, at: f64, confidence: f64) -> Option<Difference> {
        if let Some(contrast) = self.refined_contrast([origin.at, at], confidence) {
            return Some(contrast.difference);
        }
        let row = self.fitted.curve.row(at);
        match (&self.objective.paired, &origin.replicates) {
            (Some(common), Some(replicates)) => {
                let own = self.replicates_of(&row, common);
                paired_difference(replicates, &own, confidence).map(|found| found.difference)
            }
            _ => self.row_difference([&origin.row, &row], confidence),
        }
    }

    /// The curve's value in each of the common replicates.
    fn replicates_of(&self, row: &Row, common: &Common) -> Vec<f64> {
        row.of_replicates(self.objective.on_axis(&common.values))
    }

    /// The value of the second row less that of the first, of independent levels.
    fn row_difference(&self, [from, to]: [&Row; 2], confidence: f64) -> Option<Difference> {
        Difference::new(&measured(&to.minus(from), &self.objective.levels), confidence, Method::CurveT)
    }

    /// What would settle it. The bound on the rise falls at least as 1/√runs, so that
    /// (rise/margin)² times as many runs decide it; the levels are those of the interval and half
    /// its width on either side.
    pub(super) fn unresolved(&self, margin: f64, runs: &[f64]) -> Verdict {
        let levels = &self.objective.levels;
        let all = || (0..levels.len()).collect();
        let Some(interval) = self.fitted.location.interval else {
            return Verdict::Unresolved { more_runs: None, levels: all() };
        };
        let around = interval.margin();
        let near = |i: &usize| (interval.lower - around..=interval.upper + around).contains(&levels[*i].x);
        let mut places: Vec<usize> = (0..levels.len()).filter(near).collect();
        if places.is_empty() {
            places = all();
        }
        let each = places.iter().map(|i| runs[*i]).sum::<f64>() / places.len() as f64;
        // Touching an end with little rise asks for runs too: at least as many again.
        let factor = (self.fitted.rise / margin * (self.fitted.rise / margin)).max(2.0);
        Verdict::Unresolved { more_runs: rounded_runs(each * (factor - 1.0)), levels: places }
    }
}

/// How many of 1, 2, … `count` have a property without a gap, looked at `stride` at a time and then
/// by halves. Exact where the property has no gap within a stride.
fn last_in_a_row(count: usize, stride: usize, holds: impl Fn(usize) -> bool) -> usize {
    let mut known = 0;
    while known < count {
        let next = count.min(known + stride);
        if !holds(next) {
            let mut fails = next;
            while fails - known > 1 {
                let middle = known.midpoint(fails);
                *if holds(middle) { &mut known } else { &mut fails } = middle;
            }
            return known;
        }
        known = next;
    }
    known
}

/// Second / first − 1, of two values whose difference has this error.
pub(super) fn relative(from: &Measured, to: &Measured, error: f64, confidence: f64) -> Estimate {
    let square = |measured: &Measured| measured.standard_error.map_or(0.0, |error| error * error);
    // Var(b − a) = Var a + Var b − 2 Cov.
    let covariance = (square(from) + square(to) - error * error) / 2.0;
    relative_change_correlated(from, to, covariance, confidence)
}

/// A level's own mean.
pub(super) fn own(level: &LevelMean) -> Measured {
    let standard_error = (level.freedom > 0.0).then(|| level.standard_error());
    Measured { point: level.mean, standard_error, freedom: level.freedom }
}

/// The weighted sum of independent levels.
fn measured(row: &Row, levels: &[LevelMean]) -> Measured {
    let weighted = || row.weights.iter().zip(&levels[row.first..]);
    let part = |(weight, level): (&f64, &LevelMean)| (weight * weight * level.variance / level.n, level.freedom);
    let parts: Vec<(f64, f64)> = weighted().map(part).filter(|(_, freedom)| *freedom > 0.0).collect();
    let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
    Measured {
        point: weighted().map(|(weight, level)| weight * level.mean).sum(),
        standard_error: Some(libm::sqrt(variance)),
        freedom: satterthwaite(&parts).unwrap_or(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Statistic;
    use crate::analysis::along::Along;
    use crate::analysis::goal::Goal;
    use crate::analysis::groups::of_means;
    use crate::group::Sample;
    use crate::random::Stream;

    #[test]
    fn strides_and_halves_find_what_a_walk_finds() {
        for count in [0, 1, 2, 7, 100] {
            for fails in 1..=count + 1 {
                for stride in [1, 2, 3, 50, 1000] {
                    assert_eq!(last_in_a_row(count, stride, |i| i < fails), fails - 1, "{count} {fails} {stride}");
                }
            }
        }
    }

    /// 120 levels of a lopsided parabola in ln of the level, with its minimum 5 at 1.
    fn samples(deviation: f64) -> Vec<Sample> {
        let mut stream = Stream::new(9, 0, 0);
        let sample = |i: u32| {
            let x = f64::from(i) * 0.05 - 3.0;
            let mean = 5.0 + x * x / (1.0 + 0.1 * x);
            Sample::of(libm::exp(x), (0..40).map(|_| mean + deviation * stream.normal()).collect())
        };
        (0..120).map(sample).collect()
    }

    #[test]
    fn the_safe_range_is_that_of_single_steps() {
        for (deviation, margin) in [(1.0, 0.5), (0.1, 0.2), (1e-3, 0.05), (1e-3, 1.0)] {
            let samples = samples(deviation);
            let groups = of_means(&samples);
            let objective = Objective::of(Statistic::Mean, Goal::Min, Along::Log, &groups, &samples, None).unwrap();
            let curve = Curve::through(&objective, 0.95).unwrap();
            let (levels, at) = (&objective.levels, curve.fitted.minimum.x);
            let place = curve.fitted.location.interval.unwrap();
            let step = (place.upper - place.lower) / 100.0;
            let is_safe = |x: f64| {
                let contrast = curve.contrast([Spot::On(at), Spot::On(x)], 0.95).unwrap();
                contrast.difference.estimate.interval.unwrap().upper <= margin
            };
            let walked = |direction: f64| {
                let places = (1..).map(|i: u32| at + direction * step * f64::from(i));
                let is_inside = |x: &f64| (levels[0].x..=levels[119].x).contains(x) && is_safe(*x);
                places.take_while(is_inside).last().unwrap()
            };
            let walked = Span { lower: walked(-1.0), upper: walked(1.0) };
            assert_eq!(curve.safe_range(margin, 0.95), Some(walked), "{deviation} {margin}");
        }
    }

    #[test]
    fn a_place_that_is_known_exactly_has_a_safe_range_too() {
        let samples = samples(1.0);
        let groups = of_means(&samples);
        let objective = Objective::of(Statistic::Mean, Goal::Min, Along::Log, &groups, &samples, None).unwrap();
        let mut curve = Curve::through(&objective, 0.95).unwrap();
        let interval = curve.fitted.location.interval.as_mut().unwrap();
        (interval.lower, interval.upper) = (curve.fitted.minimum.x, curve.fitted.minimum.x);
        let range = curve.safe_range(0.5, 0.95).unwrap();
        assert!(range.lower < curve.fitted.minimum.x && curve.fitted.minimum.x < range.upper);
    }
}
