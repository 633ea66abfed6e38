//! Where is the minimum, how sure is that, and what does a place cost against it?
//!
//! The methods, their assumptions and their sources stand with them in [`crate::stats::bootstrap`] (the fitted minimum),
//! [`crate::stats::best`] (the confidence set and the verdict) and [`crate::stats::compare`] (differences). Where the greatest value
//! is the best (the share of solved runs), minimum means maximum throughout.
//!
//! **Difference of two places.** The fitted curve's value at one less its value at the other. Both are
//! weighted sums of the same level means, so the error is that of the one sum of their differing weights: what the two share
//! cancels. Student's t with the degrees of freedom of the levels that count (Satterthwaite), or of the replicates where runs are
//! paired. The place of the minimum is taken as given: where it is uncertain, the difference to it is a little too large and
//! its interval a little too narrow. Why not level against level: with 25 runs each the least of 400 means is hundreds below
//! the truth (the winner's curse), the curve is not.
//!
//! **A level beside the axis** ([`crate::analysis::along`]) is no part of the curve. It is compared
//! with places on it by its own mean: Welch's difference, the two being independent, or the paired
//! one where runs are paired. The verdict on the minimum of the curve stands if this level is at
//! most the margin better. If it is the least of all and shown to be better, the minimum lies
//! there; otherwise the question is open.

use crate::analysis::objective::Objective;
use crate::stats::best::{self, Candidate, Standing};
use crate::stats::bootstrap::FittedMinimum;
use crate::stats::compare::{Difference, Measured, relative_change, relative_change_correlated, welch};
use crate::stats::interval::{Method, satterthwaite};
use crate::stats::paired::{Common, PairedDifference, paired_difference};
use crate::stats::smooth::{Edge, LevelMean, Row};
use crate::stats::{ConfidenceInterval, Estimate};

/// Beyond this many levels nobody asks which of them cannot be excluded, and the answer would cost their square.
pub const MOST_LEVELS: usize = 2000;

/// What is known of the minimum.
#[derive(Debug, Clone, PartialEq)]
pub struct MinimumAnalysis {
    /// The fitted minimum: its level.
    pub level: Option<Estimate>,
    /// The fitted minimum: the statistic there.
    pub value: Option<Estimate>,
    /// The fitted curve: level and statistic at some hundred places, ascending, densest around the minimum. Where paired runs were put
    /// around the minimum, as far as those reach. It never reaches a level beside the axis.
    pub curve: Vec<(f64, f64)>,
    /// The value by runs that did not choose the place: free of the winner's curse.
    pub cross_fitted: Option<Estimate>,
    /// Each level's claim to be the best, in the groups' order; empty beyond [`MOST_LEVELS`].
    pub candidates: Vec<Candidate>,
    /// The verdict.
    pub standing: Standing,
    /// Whether a level beside the axis is the best, so that the minimum of the curve is not that of
    /// the sweep.
    pub is_beside: bool,
    /// The difference that does not matter, in the statistic's unit.
    pub margin: f64,
}

impl MinimumAnalysis {
    /// Whether paired runs that were put around the minimum tell where it is ([`crate::stats::refined`]).
    pub fn is_refined(&self) -> bool {
        self.level.and_then(|level| level.interval).is_some_and(|interval| interval.method == Method::CubicSlope)
    }
}

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

/// How the curve differs between two places, in the statistic's own direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Value at the second less value at the first, of which less is better.
    pub difference: Difference,
    /// Second / first − 1.
    pub relative: Estimate,
    /// What pairing gained: 1 − variance of the difference / that of independent runs.
    pub variance_reduction: Option<f64>,
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
    fn points(&self) -> Vec<(f64, f64)> {
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
            None => Some(self.objective.statistic.sign() * self.value(x)),
        };
        places.into_iter().filter_map(|x| Some((along.level(x), value(x)?))).collect()
    }

    /// The value at `level` against the curve's minimum; nothing outside the levels.
    pub fn against_minimum(&self, level: f64, confidence: f64) -> Option<Contrast> {
        self.contrast([Spot::On(self.fitted.minimum.x), self.spot(level)?], confidence)
    }

    /// The value at the second level against the first; nothing outside the levels.
    pub fn between(&self, levels: [f64; 2], confidence: f64) -> Option<Contrast> {
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

    fn contrast(&self, spots: [Spot; 2], confidence: f64) -> Option<Contrast> {
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
            return Some(Contrast { difference, relative, variance_reduction });
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
            Spot::On(place) => self.fitted.curve.row(place).of_replicates(self.objective.on_axis(&common.values)),
            Spot::Beside => common.values.first().cloned().unwrap_or_default(),
        }
    }

    fn contrast_of_independent(&self, spots: [Spot; 2], confidence: f64) -> Option<Contrast> {
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
        Some(Contrast { difference, relative, variance_reduction: None })
    }

    fn contrast_on_axis(&self, places: [f64; 2], confidence: f64) -> Option<Contrast> {
        let [from, to] = places.map(|place| self.fitted.curve.row(place));
        let levels = &self.objective.levels;
        let difference = Difference::new(&measured(&to.minus(&from), levels), confidence, Method::CurveT)?;
        let relative =
            relative(&measured(&from, levels), &measured(&to, levels), difference.standard_error, confidence);
        Some(Contrast { difference, relative, variance_reduction: None })
    }
}

/// Second / first − 1, of two values whose difference has this error.
pub(super) fn relative(from: &Measured, to: &Measured, error: f64, confidence: f64) -> Estimate {
    let square = |measured: &Measured| measured.standard_error.map_or(0.0, |error| error * error);
    // Var(b − a) = Var a + Var b − 2 Cov.
    let covariance = (square(from) + square(to) - error * error) / 2.0;
    relative_change_correlated(from, to, covariance, confidence)
}

/// A level's own mean.
fn own(level: &LevelMean) -> Measured {
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

/// The verdict over all levels, given the one on the levels that are `on_axis`, where there is one
/// beside it.
fn standing_with_beside(on_axis: Standing, curve: &Curve, candidates: &[Candidate], by: &Yardstick) -> Standing {
    let interval = curve.excess_beside(by.confidence);
    if is_at_most_the_margin_better(interval, by.margin) {
        let beside = curve.objective.beside.len();
        return match on_axis {
            Standing::Unresolved { more_runs, levels } => {
                Standing::Unresolved { more_runs, levels: levels.into_iter().map(|place| beside + place).collect() }
            }
            Standing::Flat => match best::standing(&curve.objective.all(), None, by.margin, by.confidence) {
                Standing::Flat => Standing::Flat,
                _ => open(candidates),
            },
            other => other,
        };
    }
    if is_least_beside(curve.objective) && interval.is_some_and(|interval| interval.upper < 0.0) {
        return Standing::AtEdge { edge: Edge::Low };
    }
    open(candidates)
}

/// What differences are held against.
struct Yardstick {
    margin: f64,
    confidence: f64,
}

/// Whether a level beside the axis is the best: the least of all, and perhaps better than the
/// curve's minimum by more than the margin.
fn is_best_beside(objective: &Objective, curve: Option<&Curve>, by: &Yardstick) -> bool {
    let beats = |curve: &Curve| {
        let is_lower = objective.beside.iter().any(|level| level.mean < curve.fitted.minimum.value);
        is_lower && !is_at_most_the_margin_better(curve.excess_beside(by.confidence), by.margin)
    };
    is_least_beside(objective) && curve.is_none_or(beats)
}

fn is_least_beside(objective: &Objective) -> bool {
    let is_least = |beside: &LevelMean| objective.levels.iter().all(|level| beside.mean < level.mean);
    objective.beside.first().is_some_and(is_least)
}

/// Of a level whose excess over the minimum of the curve has this `interval`.
fn is_at_most_the_margin_better(interval: Option<ConfidenceInterval>, margin: f64) -> bool {
    interval.is_some_and(|interval| interval.lower >= -margin)
}

impl Curve<'_> {
    /// The value of the level beside the axis less the curve's minimum.
    fn excess_beside(&self, confidence: f64) -> Option<ConfidenceInterval> {
        let contrast = self.contrast([Spot::On(self.fitted.minimum.x), Spot::Beside], confidence)?;
        contrast.difference.estimate.interval
    }
}

/// The question is open between the levels that cannot be excluded.
fn open(candidates: &[Candidate]) -> Standing {
    let levels = (0..candidates.len()).filter(|place| candidates[*place].in_set).collect();
    Standing::Unresolved { more_runs: None, levels }
}

/// What the levels and the `curve` through them say of the minimum; `margin` is a share of the least value.
pub fn analyse(objective: &Objective, curve: Option<&Curve>, margin: f64, confidence: f64) -> MinimumAnalysis {
    let all = objective.all();
    let least = curve.map_or_else(
        || all.iter().map(|level| level.mean).fold(f64::INFINITY, f64::min),
        |curve| curve.fitted.minimum.value,
    );
    let margin = margin * least.abs();
    let by = Yardstick { margin, confidence };
    let is_small = all.len() <= MOST_LEVELS;
    let candidates = if is_small { objective.candidates(confidence) } else { Vec::new() };
    let standing = match curve {
        _ if !is_small => Standing::Unresolved { more_runs: None, levels: Vec::new() },
        Some(curve) if !objective.beside.is_empty() => {
            let on_axis = best::standing(&objective.levels, Some(&curve.fitted), margin, confidence);
            standing_with_beside(on_axis, curve, &candidates, &by)
        }
        curve => best::standing(&all, curve.map(|curve| &curve.fitted), margin, confidence),
    };
    MinimumAnalysis {
        level: curve.map(|curve| curve.minimum().0),
        value: curve.map(|curve| curve.minimum().1),
        curve: curve.map(Curve::points).unwrap_or_default(),
        // The place of a cubic is not chosen among levels: its value has no winner's curse.
        cross_fitted: curve.filter(|_| objective.refined.is_none()).and_then(|_| objective.cross_fitted(confidence)),
        candidates,
        standing,
        is_beside: is_best_beside(objective, curve, &by),
        margin,
    }
}
