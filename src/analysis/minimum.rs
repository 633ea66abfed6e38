//! What is known of the minimum: every number that any output shows of it, from the layers and from the levels one by one.

use crate::analysis::curve::MOST_LEVELS;
use crate::analysis::layers::{Assumption, Layers};
use crate::stats::Estimate;
use crate::stats::best::Candidate;
use crate::stats::interval::Method;
use crate::stats::optimum::Span;
use crate::stats::optimum::fit::LackOfFit;
use crate::stats::optimum::noise::NoiseSource;
use crate::stats::optimum::verdict::Verdict;

/// What is known of the minimum.
#[derive(Debug, Clone, PartialEq)]
pub struct MinimumAnalysis {
    /// The levels between which it lies, if the curve has one dip; absent where the levels contradict that, and for a single level.
    pub bracket: Option<Span>,
    /// Under which assumption place and value are given; absent with them.
    pub assumption: Option<Assumption>,
    /// The fitted minimum: its level.
    pub level: Option<Estimate>,
    /// The fitted minimum: the statistic there.
    pub value: Option<Estimate>,
    /// The fitted curve: level and statistic at some hundred places, ascending, densest around the minimum. Where paired runs were put
    /// around the minimum, as far as those reach. It never reaches a level beside the axis.
    pub curve: Vec<(f64, f64)>,
    /// The test of that curve against the levels' own errors.
    pub lack_of_fit: Option<LackOfFit>,
    /// The levels at which the statistic is shown to be within the margin of its best; absent if nowhere is.
    pub safe_range: Option<Span>,
    /// Where the errors of the levels come from, and their degrees of freedom.
    pub noise: Option<(NoiseSource, f64)>,
    /// The value by runs that did not choose the place: free of the winner's curse.
    pub cross_fitted: Option<Estimate>,
    /// Each level's claim to be the best, in the groups' order; empty beyond [`MOST_LEVELS`].
    pub candidates: Vec<Candidate>,
    /// The verdict; its levels are numbers of groups, and levels to add.
    pub verdict: Verdict,
    /// Whether a level beside the axis is the best, so that the minimum of the curve is not that of
    /// the sweep.
    pub is_beside: bool,
    /// The difference that does not matter, in the statistic's unit.
    pub margin: f64,
    /// Whether that is a share of a value that may be 0 or of either sign, so that nothing can be said to be within it.
    pub margin_is_void: bool,
}

impl MinimumAnalysis {
    /// Whether paired runs that were put around the minimum tell where it is ([`crate::stats::refined`]).
    pub fn is_refined(&self) -> bool {
        self.level.and_then(|level| level.interval).is_some_and(|interval| interval.method == Method::CubicSlope)
    }
}

/// What the `layers` say of the minimum.
pub fn analyse(layers: &Layers, confidence: f64) -> MinimumAnalysis {
    let objective = layers.objective;
    let is_small = objective.levels.len() + objective.beside.len() <= MOST_LEVELS;
    let candidates = if is_small { objective.candidates(confidence) } else { Vec::new() };
    // The place of a cubic is not chosen among levels: its value has no winner's curse.
    let is_designed = objective.refined.is_some();
    let cross_fitted = match layers.assumption().filter(|_| !is_designed) {
        Some(Assumption::Smooth) => objective.cross_fitted(confidence),
        Some(Assumption::Local) => objective.cross_fitted_level(confidence),
        None => None,
    };
    MinimumAnalysis {
        bracket: layers.bracket(),
        assumption: layers.assumption(),
        level: layers.level(),
        value: layers.value(),
        curve: layers.points(),
        lack_of_fit: layers.lack_of_fit(),
        safe_range: layers.safe_range(),
        noise: layers.noise().map(|noise| (noise.source, noise.degrees_of_freedom)),
        cross_fitted,
        verdict: layers.verdict(&candidates),
        candidates,
        is_beside: layers.is_best_beside(),
        margin: layers.margin(),
        margin_is_void: layers.margin_is_void(),
    }
}
