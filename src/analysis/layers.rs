//! What do the levels say of the optimum, from the weakest assumption to the strongest, and which
//! of it is the headline?
//!
//! The layers themselves stand in [`crate::stats::optimum`]: the bracket, the convex bounds, the
//! local curves, the safe range. This module chooses the assumption under which place and value are
//! given:
//!
//! - **local**: curves of unknown smoothness through the few levels around the bracket. The rule,
//!   and the basis of the verdict.
//! - **smooth**: one curve through all levels ([`crate::stats::smooth`]), whose interval is sharper
//!   by a factor of two to three. Only where noise and not the curve's shape limits what is known:
//!   at least 30 levels in the window, a curve that agrees with all levels (lack of fit), and
//!   levels around the optimum that one parabola explains as well as two halves of different slope
//!   and curvature (p at least 0.2). Kinks of 1:4 among 400 levels pass in none of the simulated
//!   experiments, where without the last test the interval covered 0 to 30 %; smooth symmetric
//!   curves pass in 70 to 80 %. Also for runs that were put around the optimum by design
//!   ([`crate::stats::refined`]), if the cubic agrees with the other levels in its reach.
//!
//! Without enough levels or errors for either, place and value are absent and the bracket alone is
//! given.
//!
//! **A level beside the axis** ([`crate::analysis::along`]) is no part of the curves. It is
//! compared with places on it by its own mean. The verdict on the optimum of the curve stands if
//! this level is at most the margin better. If it is the least of all and shown to be better, the
//! optimum lies there; otherwise the question is open.

use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::curve::{Contrast, Curve, MOST_LEVELS, own};
use crate::analysis::margin::Margin;
use crate::analysis::objective::{Objective, blocks_of};
use crate::format::rounded_to_spacing;
use crate::stats::best::Candidate;
use crate::stats::interval::{ConfidenceInterval, Estimate, Method, student_t_quantile};
use crate::stats::optimum::difference::PlaceDifference;
use crate::stats::optimum::fit::LackOfFit;
use crate::stats::optimum::verdict::Verdict;
use crate::stats::optimum::{Known, Local, Optimum, Span, Tolerance};
use crate::stats::smooth::{Edge, LevelMean};

/// Under which assumption place and value are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assumption {
    /// The whole curve is smooth.
    Smooth,
    /// Only the levels around the optimum count, and nothing is known of the curve's smoothness.
    Local,
}

/// The levels, with what each layer says.
pub struct Layers<'a> {
    pub(super) objective: &'a Objective<'a>,
    optimum: Option<Optimum>,
    smooth: Option<Curve<'a>>,
    tolerance: Tolerance,
    confidence: f64,
}

/// A level beside the axis, ready to be compared with the optimum.
struct Beside {
    /// Its value, the luck that it shares with the optimum left out.
    known: Known,
    /// What that luck adds to half the interval of a value.
    shared: f64,
    /// What pairing gained.
    variance_reduction: Option<f64>,
}

/// Fewest levels in the window for the smooth curve.
const DENSE: usize = 30;
/// Least p of the test of one parabola for the smooth curve.
const SYMMETRIC: f64 = 0.2;

impl<'a> Layers<'a> {
    /// Of the levels of `objective`. Nothing is said of more than [`MOST_LEVELS`].
    pub fn new(objective: &'a Objective<'a>, margin: Margin, confidence: f64) -> Self {
        let mut layers = Self::without_local(objective, margin, confidence);
        layers.draw_local();
        layers
    }

    /// The same as far as place and value need: without the local curves where the smooth one is
    /// the headline. Nothing else is to be asked of these.
    pub fn headline(objective: &'a Objective<'a>, margin: Margin, confidence: f64) -> Self {
        let mut layers = Self::without_local(objective, margin, confidence);
        if layers.smooth.is_none() {
            layers.draw_local();
        }
        layers
    }

    fn draw_local(&mut self) {
        if let Some(optimum) = &mut self.optimum {
            optimum.draw_curves();
        }
    }

    fn without_local(objective: &'a Objective<'a>, margin: Margin, confidence: f64) -> Self {
        let is_small = objective.levels.len() <= MOST_LEVELS;
        let optimum = if is_small { objective.optimum(confidence) } else { None };
        let tolerance = match margin {
            Margin::Share(share) => Tolerance { share, amount: 0.0 },
            Margin::Absolute(amount) => Tolerance { share: 0.0, amount },
        };
        let smooth = match &optimum {
            Some(optimum) if objective.refined.is_some() || is_dense(optimum) => {
                Curve::through(objective, confidence).filter(|curve| is_believed(curve, optimum))
            }
            _ => None,
        };
        Self { objective, optimum, smooth, tolerance, confidence }
    }

    /// The assumption of place and value; `None` if there are none.
    pub fn assumption(&self) -> Option<Assumption> {
        if self.smooth.is_some() {
            return Some(Assumption::Smooth);
        }
        self.local().map(|_| Assumption::Local)
    }

    /// The local curves; `None` as well where the levels contradict a single dip, which is what
    /// their place stands on.
    fn local(&self) -> Option<&Local> {
        let optimum = self.optimum.as_ref().filter(|optimum| optimum.bracket.is_unimodal)?;
        optimum.local.as_ref()
    }

    /// The levels between which the optimum lies, if there is one dip.
    pub fn bracket(&self) -> Option<Span> {
        let optimum = self.optimum.as_ref().filter(|optimum| optimum.bracket.is_unimodal)?;
        Some(self.levels_of(Span { lower: optimum.x[optimum.bracket.first], upper: optimum.x[optimum.bracket.last] }))
    }

    /// The place of the optimum, as a level.
    pub fn level(&self) -> Option<Estimate> {
        if let Some(curve) = &self.smooth {
            return Some(curve.minimum().0);
        }
        let place = self.local()?.place;
        let known = Known { point: self.level_of(place.point), span: self.levels_of(place.span) };
        Some(self.estimate(known))
    }

    /// The value there.
    pub fn value(&self) -> Option<Estimate> {
        if let Some(curve) = &self.smooth {
            return Some(curve.minimum().1);
        }
        let Known { point, span } = self.local()?.value?;
        let least = if self.objective.is_never_negative { 0.0 } else { f64::NEG_INFINITY };
        let value = Known { point: point.max(least), span: Span { lower: span.lower.max(least), ..span } };
        Some(self.objective.natural(&self.estimate(value)))
    }

    /// The best value, lower being better: the curve's, or else the best level's.
    pub fn best(&self) -> f64 {
        let local = self.local().and_then(|local| local.value);
        match (&self.smooth, local) {
            (Some(curve), _) => curve.fitted.minimum.value,
            (None, Some(value)) => value.point,
            (None, None) => self.objective.all().iter().map(|level| level.mean).fold(f64::INFINITY, f64::min),
        }
    }

    /// The margin in the metric's unit.
    pub fn margin(&self) -> f64 {
        self.tolerance.margin(self.best())
    }

    /// Whether a share of the best value is no margin, the value being near 0 or perhaps of either
    /// sign.
    pub fn margin_is_void(&self) -> bool {
        if self.tolerance.share == 0.0 {
            return false;
        }
        let value = self.value().and_then(|value| value.interval);
        value.map_or(self.best() == 0.0, |value| value.lower <= 0.0 && value.upper >= 0.0) || self.signs_differ()
    }

    /// Whether the levels' values are of either sign, so that a share of one of them means nothing.
    pub fn signs_differ(&self) -> bool {
        let means = || self.objective.levels.iter().map(|level| level.mean);
        means().any(|mean| mean < 0.0) && means().any(|mean| mean > 0.0)
    }

    /// The test of the curve against its levels.
    pub fn lack_of_fit(&self) -> Option<LackOfFit> {
        let optimum = self.optimum.as_ref()?;
        match &self.smooth {
            Some(curve) => fit_of(curve, optimum),
            None => self.local()?.lack_of_fit,
        }
    }

    /// The levels at which the value is shown to be within the margin of its best.
    pub fn safe_range(&self) -> Option<Span> {
        if self.margin_is_void() {
            return None;
        }
        if let Some(curve) = &self.smooth {
            return curve.safe_range(self.margin(), self.confidence).map(|range| self.levels_of(range));
        }
        let safe = self.optimum.as_ref().filter(|optimum| optimum.bracket.is_unimodal)?.safe_range(self.tolerance)?;
        Some(self.levels_of(safe))
    }

    /// The errors that everything is computed with.
    pub fn noise(&self) -> Option<&crate::stats::optimum::noise::Noise> {
        self.optimum.as_ref().map(|optimum| &optimum.noise)
    }

    /// The curve to look at: level and value. Of the local curves the middle one, over the levels
    /// that they are drawn through.
    pub fn points(&self) -> Vec<(f64, f64)> {
        if let Some(curve) = &self.smooth {
            return curve.points();
        }
        let Some(local) = self.local() else { return Vec::new() };
        let (along, sign) = (self.objective.along, self.objective.goal.sign());
        let middle = local.middle();
        local.draws.x.iter().zip(middle).map(|(x, value)| (along.level(*x), sign * value)).collect()
    }

    /// The value at `level` against the optimum; `None` outside the levels.
    pub fn against_optimum(&self, level: f64) -> Option<Contrast> {
        let objective = self.objective;
        if !objective.along.has_place_for(level) {
            return self.beside_against_optimum(level);
        }
        if let Some(curve) = &self.smooth {
            return Some(curve.against_minimum(level, self.confidence)?.judged(self.margin(), self.confidence));
        }
        let optimum = self.optimum.as_ref().filter(|optimum| optimum.bracket.is_unimodal)?;
        let found = optimum.against_optimum(objective.along.place(level))?;
        Some(self.contrast(optimum, &found))
    }

    /// The value at the second level less that at the first; `None` outside the levels.
    pub fn between(&self, levels: [f64; 2]) -> Option<Contrast> {
        let objective = self.objective;
        if let Some(curve) = &self.smooth {
            return Some(curve.between(levels, self.confidence)?.judged(self.margin(), self.confidence));
        }
        let [from, to] = levels;
        if !objective.along.has_place_for(from) || !objective.along.has_place_for(to) {
            return None;
        }
        let optimum = self.optimum.as_ref()?;
        let found = optimum.between(levels.map(|level| objective.along.place(level)))?;
        Some(self.contrast(optimum, &found))
    }

    /// `found` with its verdict.
    fn contrast(&self, optimum: &Optimum, found: &PlaceDifference) -> Contrast {
        Contrast {
            difference: self.estimate(found.difference),
            relative: found.relative.map(|relative| self.estimate(relative)),
            p_value: found.p_value,
            verdict: optimum.judge(found, self.tolerance),
            may_be_optimum: found.may_be_optimum,
            variance_reduction: self.objective.blocks.as_ref().map(|blocks| blocks.variance_reduction),
        }
    }

    /// The verdict, its levels being those of the groups.
    pub fn verdict(&self, candidates: &[Candidate]) -> Verdict {
        let beside = self.objective.beside.len();
        let on_axis = self.shifted(self.verdict_on_axis(candidates));
        if beside == 0 {
            return on_axis;
        }
        let excess = self.beside_against_optimum(0.0).and_then(|contrast| contrast.difference.interval);
        if excess.is_some_and(|interval| interval.lower >= -self.margin()) {
            return match on_axis {
                Verdict::Flat => open(candidates),
                other => other,
            };
        }
        if self.is_least_beside() && excess.is_some_and(|interval| interval.upper < 0.0) {
            return Verdict::AtEdge { edge: Edge::Low };
        }
        open(candidates)
    }

    fn verdict_on_axis(&self, candidates: &[Candidate]) -> Verdict {
        let runs: Vec<f64> = self.objective.levels.iter().map(|level| level.n).collect();
        let Some(optimum) = &self.optimum else { return open(candidates) };
        let local = optimum.verdict(self.local_tolerance(), &runs);
        let Some(curve) = &self.smooth else { return local };
        match local {
            Verdict::Flat | Verdict::NotUnimodal { .. } | Verdict::AtEdge { .. } => local,
            _ if curve.is_located(self.margin()) && !self.margin_is_void() => Verdict::Located,
            _ => curve.unresolved(self.margin(), &runs),
        }
    }

    /// Without a margin that can be met nothing is flat and nothing located.
    fn local_tolerance(&self) -> Tolerance {
        if self.margin_is_void() { Tolerance { share: 0.0, amount: 0.0 } } else { self.tolerance }
    }

    /// `verdict` of the levels on the axis, with the numbers of the groups and levels in place of
    /// places.
    fn shifted(&self, verdict: Verdict) -> Verdict {
        let shift = |levels: Vec<usize>| levels.into_iter().map(|level| level + self.objective.beside.len()).collect();
        match verdict {
            Verdict::Coarse { add } => Verdict::Coarse { add: self.rounded_levels(&add) },
            Verdict::NotUnimodal { dips } => Verdict::NotUnimodal { dips: shift(dips) },
            Verdict::Unresolved { more_runs, levels } => Verdict::Unresolved { more_runs, levels: shift(levels) },
            other => other,
        }
    }

    /// Levels at these places, with as many digits as tell them from their neighbours.
    fn rounded_levels(&self, places: &[f64]) -> Vec<f64> {
        let (along, x) = (self.objective.along, &self.objective.levels);
        let rounded = |place: &f64| {
            let after = x.partition_point(|level| level.x < *place).clamp(1, x.len() - 1);
            let spacing = (along.level(x[after].x) - along.level(x[after - 1].x)) / 10.0;
            rounded_to_spacing(along.level(*place), spacing)
        };
        places.iter().map(rounded).collect()
    }

    /// Whether a level beside the axis is the best, so that the optimum of the curve is not that of
    /// the sweep.
    pub fn is_best_beside(&self) -> bool {
        let excess = self.beside_against_optimum(0.0).and_then(|contrast| contrast.difference.interval);
        self.is_least_beside() && !excess.is_some_and(|interval| interval.lower >= -self.margin())
    }

    fn is_least_beside(&self) -> bool {
        let is_least = |beside: &LevelMean| self.objective.levels.iter().all(|level| beside.mean < level.mean);
        self.objective.beside.first().is_some_and(is_least)
    }

    /// The level beside the axis, by its own mean, against the optimum: the two are independent,
    /// and their distances to the ends of their intervals are added in squares (Zou and Donner
    /// 2008).
    fn beside_against_optimum(&self, level: f64) -> Option<Contrast> {
        if let Some(curve) = &self.smooth {
            return Some(curve.against_minimum(level, self.confidence)?.judged(self.margin(), self.confidence));
        }
        let beside = self.beside().filter(|_| level == 0.0)?;
        let value = self.local()?.value?;
        let point = beside.known.point - value.point;
        // Luck that all levels share cancels.
        let without_shared = |distance: f64| libm::sqrt((distance * distance - beside.shared * beside.shared).max(0.0));
        let span = Span {
            lower: point
                - libm::hypot(
                    beside.known.point - beside.known.span.lower,
                    without_shared(value.span.upper - value.point),
                ),
            upper: point
                + libm::hypot(
                    beside.known.span.upper - beside.known.point,
                    without_shared(value.point - value.span.lower),
                ),
        };
        let margin = self.margin();
        // Second / first − 1, which falls where negative values rise.
        let ends = [span.lower / value.point, span.upper / value.point];
        let relative = Known {
            point: point / value.point,
            span: Span { lower: ends[0].min(ends[1]), upper: ends[0].max(ends[1]) },
        };
        let verdict = crate::stats::compare::Verdict::of_interval(span.lower, span.upper, margin);
        let reach = if point > 0.0 { point - span.lower } else { span.upper - point };
        let z = crate::stats::interval::normal_quantile(self.confidence) * point / reach;
        Some(Contrast {
            difference: self.estimate(Known { point, span }),
            relative: (!self.margin_is_void()).then(|| self.estimate(relative)),
            p_value: crate::stats::interval::normal_probability(z.abs()),
            verdict,
            may_be_optimum: false,
            variance_reduction: beside.variance_reduction,
        })
    }

    /// The level beside the axis by its own mean; where runs are paired, without the luck of the
    /// replicates that it shares with the others.
    fn beside(&self) -> Option<Beside> {
        let objective = self.objective;
        let independent = || {
            let own = own(objective.beside.first()?).estimate(self.confidence, Method::WelchT);
            let ConfidenceInterval { lower, upper, .. } = own.interval?;
            let known = Known { point: own.point, span: Span { lower, upper } };
            Some(Beside { known, shared: 0.0, variance_reduction: None })
        };
        let Some(common) = objective.paired.as_ref().filter(|_| !objective.beside.is_empty()) else {
            return independent();
        };
        let Some(fit) = blocks_of(&common.values) else { return independent() };
        let t = student_t_quantile(self.confidence, fit.noise.degrees_of_freedom);
        let (point, half) = (*fit.means.first()?, t * fit.noise.standard_error(0));
        let known = Known { point, span: Span { lower: point - half, upper: point + half } };
        let shared = t * libm::sqrt(fit.noise.shared);
        Some(Beside { known, shared, variance_reduction: Some(fit.variance_reduction) })
    }

    fn estimate(&self, known: Known) -> Estimate {
        let Span { lower, upper } = known.span;
        let interval = ConfidenceInterval { level: self.confidence, lower, upper, method: Method::LocalCurves };
        Estimate { point: known.point, standard_error: None, interval: Some(interval) }
    }

    fn levels_of(&self, span: Span) -> Span {
        Span { lower: self.level_of(span.lower), upper: self.level_of(span.upper) }
    }

    /// The level at `place`: one that was given as it was, without the rounding of a logarithm.
    fn level_of(&self, place: f64) -> f64 {
        let at = self.optimum.as_ref().and_then(|optimum| optimum.level_at(place));
        at.map_or_else(|| self.objective.along.level(place), |level| self.objective.given[level])
    }
}

/// Whether noise and not the curve's shape limits what is known: many levels in the window.
fn is_dense(optimum: &Optimum) -> bool {
    optimum.bracket.is_unimodal && optimum.window().count() >= DENSE
}

/// Whether the smooth curve agrees with its levels, and the window with one parabola.
fn is_believed(curve: &Curve, optimum: &Optimum) -> bool {
    let fits = !fit_of(curve, optimum).is_some_and(|fit| fit.is_significant());
    let is_designed = curve.objective.refined.is_some();
    let is_symmetric = || optimum.symmetry(curve.fitted.minimum.x).is_some_and(|p| p >= SYMMETRIC);
    fits && (is_designed || is_symmetric())
}

/// Lack of fit of the smooth curve at all levels, or of a design's cubic at the other levels in its
/// reach.
fn fit_of(curve: &Curve, optimum: &Optimum) -> Option<LackOfFit> {
    let levels = &curve.objective.levels;
    if let Some(cubic) = &curve.objective.refined {
        let others: Vec<(f64, f64)> = levels
            .iter()
            .enumerate()
            .filter_map(|(i, level)| {
                let at = cubic.inside(level.x)?;
                let error = at.standard_error.unwrap_or(0.0);
                Some((level.mean - at.point, optimum.noise.variances[i] + error * error))
            })
            .collect();
        let (residuals, variances): (Vec<f64>, Vec<f64>) = others.into_iter().unzip();
        return LackOfFit::new(&residuals, &variances, 0.0, &optimum.noise);
    }
    let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
    let fitted = |(i, level): (usize, &LevelMean)| {
        let row = curve.fitted.curve.row(level.x);
        let own_weight = row.weights.get(i.wrapping_sub(row.first)).copied().unwrap_or(0.0);
        (level.mean - row.apply(&means), own_weight)
    };
    let (residuals, own_weights): (Vec<f64>, Vec<f64>) = levels.par_iter().enumerate().map(fitted).unzip();
    let trace: f64 = own_weights.iter().sum();
    LackOfFit::new(&residuals, &optimum.noise.variances, trace, &optimum.noise)
}

/// The question is open between the levels that cannot be excluded.
fn open(candidates: &[Candidate]) -> Verdict {
    let mut levels: Vec<usize> = (0..candidates.len()).filter(|place| candidates[*place].in_set).collect();
    if levels.is_empty() {
        levels = (0..candidates.len()).collect();
    }
    Verdict::Unresolved { more_runs: None, levels }
}
