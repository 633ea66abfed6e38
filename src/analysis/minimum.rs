//! Where is the minimum, how sure is that, and what do the references cost against it?
//!
//! Everything here is computed along the axis of the levels: ln of the level where all are above 0, else the level itself.
//! The methods, their assumptions and their sources stand with them in [`crate::stats::bootstrap`] (the fitted minimum),
//! [`crate::stats::best`] (the confidence set and the verdict) and [`crate::stats::compare`] (differences).
//!
//! **Difference of a reference to the minimum.** The fitted curve's value at the reference less its least value. Both are
//! weighted sums of the same level means, so the error is that of the one sum of their differing weights: what the two share
//! cancels. Student's t with the degrees of freedom of the levels that count (Satterthwaite); p adjusted by Holm over
//! the references. The place of the minimum is taken as given: where it is uncertain, the difference is a little too large and
//! its interval a little too narrow. Why not level against level: with 25 runs each the least of 400 means is hundreds below
//! the truth (the winner's curse), the curve is not.

use crate::analysis::{Group, Question, ReferenceResult};
use crate::group::Sample;
use crate::stats::best::{self, Candidate, Standing};
use crate::stats::bootstrap::{Draws, FittedMinimum, Plan, fitted_minimum};
use crate::stats::compare::{Difference, Measured, Verdict, holm};
use crate::stats::crossfit::{self, Deal, Folds, LevelRuns};
use crate::stats::interval::{Method, satterthwaite};
use crate::stats::smooth::{LevelMean, Smoother, pool_errors};
use crate::stats::{ConfidenceInterval, Estimate};

/// Beyond this many levels nobody asks which of them cannot be excluded, and the answer would cost their square.
pub const MOST_LEVELS: usize = 2000;
/// Largest mean and standard deviation that a curve is fitted to.
const LARGEST: f64 = 1e70;
/// Replicates of the bootstrap.
const REPLICATES: u32 = 2000;
/// Key of the bootstrap's random numbers: the same data give the same interval.
const SEED: u64 = 1;

/// How levels lie on the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// By ln of the level.
    Log,
    /// By the level itself.
    Linear,
}

impl Along {
    /// Logarithmic if every level is above 0.
    pub fn of(groups: &[Group]) -> Self {
        if groups.first().is_some_and(|group| group.level > 0.0) { Self::Log } else { Self::Linear }
    }

    fn place(self, level: f64) -> f64 {
        if self == Self::Log { libm::log(level) } else { level }
    }

    fn level(self, place: f64) -> f64 {
        if self == Self::Log { libm::exp(place) } else { place }
    }

    /// An estimate of a place as one of a level; the standard error, which has no unit there, is left out.
    fn estimate(self, place: &Estimate) -> Estimate {
        let interval = place.interval.map(|interval| ConfidenceInterval {
            lower: self.level(interval.lower),
            upper: self.level(interval.upper),
            ..interval
        });
        Estimate { point: self.level(place.point), standard_error: None, interval }
    }
}

/// What is known of the minimum.
#[derive(Debug, Clone, PartialEq)]
pub struct MinimumAnalysis {
    /// The fitted minimum: its level.
    pub level: Option<Estimate>,
    /// The fitted minimum: the metric's mean there.
    pub value: Option<Estimate>,
    /// The same by runs that did not choose the place: free of the winner's curse.
    pub cross_fitted: Option<Estimate>,
    /// Each level's claim to be the best, in the groups' order; empty beyond [`MOST_LEVELS`].
    pub candidates: Vec<Candidate>,
    /// The verdict.
    pub standing: Standing,
    /// The loss that does not matter, in the metric's unit.
    pub margin: f64,
}

/// What a reference costs against the minimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceDifference {
    /// Curve at the reference less curve at its minimum.
    pub difference: Estimate,
    /// The same as a share of the minimum's value.
    pub relative: f64,
    /// Adjusted for the number of references.
    pub p_value: f64,
    /// Against the margin.
    pub verdict: Verdict,
}

/// The curve through the level means, with what has been found of its minimum.
pub struct Curve {
    along: Along,
    levels: Vec<LevelMean>,
    smoother: Smoother,
    fitted: FittedMinimum,
}

impl Curve {
    /// Fits `groups`, ascending by level. Nothing for fewer than three levels, for more than [`MOST_LEVELS`], or without any
    /// known error, and for means or deviations beyond 1e70.
    pub fn through(groups: &[Group], confidence: f64) -> Option<Self> {
        if groups.len() > MOST_LEVELS {
            return None;
        }
        let along = Along::of(groups);
        let levels = pool_errors(&level_means(groups, along));
        // The squares of larger numbers overflow in the fit.
        if levels.iter().any(|level| level.mean.abs() > LARGEST || level.variance > LARGEST * LARGEST) {
            return None;
        }
        let plan = Plan { seed: SEED, replicates: REPLICATES, confidence };
        let fitted = fitted_minimum(&levels, Draws::Normal, &plan)?;
        let smoother = Smoother::new(&levels, fitted.bandwidth)?;
        Some(Self { along, levels, smoother, fitted })
    }

    /// The difference of the curve at `level` to its minimum; nothing outside the levels.
    fn difference(&self, level: f64, confidence: f64) -> Option<Difference> {
        let place = self.along.place(level);
        if !(self.levels.first()?.x..=self.levels.last()?.x).contains(&place) {
            return None;
        }
        let contrast = self.smoother.row(place).minus(&self.smoother.row(self.fitted.minimum.x));
        let weighted = || contrast.weights.iter().zip(&self.levels[contrast.first..]);
        let point = weighted().map(|(weight, level)| weight * level.mean).sum();
        let part = |(weight, level): (&f64, &LevelMean)| (weight * weight * level.variance / level.n, level.freedom);
        let parts: Vec<(f64, f64)> = weighted().map(part).filter(|(_, freedom)| *freedom > 0.0).collect();
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        let measured = Measured {
            point,
            standard_error: Some(libm::sqrt(variance)),
            freedom: satterthwaite(&parts).unwrap_or(1.0),
        };
        Difference::new(&measured, confidence, Method::CurveT)
    }
}

/// What `groups` and the `curve` through them say of the minimum; `margin` is a share of the least mean.
pub fn analyse(samples: &[Sample], groups: &[Group], curve: Option<&Curve>, question: &Question) -> MinimumAnalysis {
    let (margin, confidence) = (question.margin, question.confidence);
    let along = Along::of(groups);
    let levels = pool_errors(&level_means(groups, along));
    let least = curve.map_or_else(
        || levels.iter().map(|level| level.mean).fold(f64::INFINITY, f64::min),
        |curve| curve.fitted.minimum.value,
    );
    let margin = margin * least.abs();
    let is_small = levels.len() <= MOST_LEVELS;
    MinimumAnalysis {
        level: curve.map(|curve| along.estimate(&curve.fitted.location)),
        value: curve.map(|curve| curve.fitted.value),
        cross_fitted: curve.and_then(|_| cross_fitted(samples, along, confidence)),
        candidates: if is_small { best::candidates(&levels, confidence) } else { Vec::new() },
        standing: if is_small {
            best::standing(&levels, curve.map(|curve| &curve.fitted), margin, confidence)
        } else {
            Standing::Unresolved { more_runs: None, levels: Vec::new() }
        },
        margin,
    }
}

/// The value at the fitted minimum, each fifth of the runs measured where the other four put it.
fn cross_fitted(samples: &[Sample], along: Along, confidence: f64) -> Option<Estimate> {
    let runs: Vec<LevelRuns<'_>> =
        samples.iter().map(|sample| LevelRuns { x: along.place(sample.level), values: &sample.sorted }).collect();
    let folds = Folds { count: 5, seed: SEED, deal: Deal::Apart };
    let found = crossfit::at_fitted_minimum(&runs, &folds)?;
    Some(found.value.estimate(confidence, Method::CrossFitted))
}

/// The references' differences to the minimum, in their order.
pub fn reference_differences(
    references: &[ReferenceResult],
    curve: Option<&Curve>,
    margin: f64,
    confidence: f64,
) -> Vec<Option<ReferenceDifference>> {
    let differences: Vec<Option<Difference>> = references
        .iter()
        .map(|result| curve.and_then(|curve| curve.difference(result.reference.value, confidence)))
        .collect();
    let mut adjusted = holm(&differences.iter().flatten().map(|d| d.p_value).collect::<Vec<_>>()).into_iter();
    let least = curve.map_or(f64::NAN, |curve| curve.fitted.minimum.value);
    let with_verdict = |difference: Difference| ReferenceDifference {
        difference: difference.estimate,
        relative: difference.estimate.point / least,
        p_value: adjusted.next().unwrap_or(difference.p_value),
        verdict: difference.verdict(margin, confidence),
    };
    let mut with_verdict = with_verdict;
    differences.into_iter().map(|difference| difference.map(&mut with_verdict)).collect()
}

fn level_means(groups: &[Group], along: Along) -> Vec<LevelMean> {
    let level = |group: &Group| {
        let summary = &group.summary;
        LevelMean {
            x: along.place(group.level),
            mean: summary.mean.point,
            variance: summary.std_dev.map_or(0.0, |s| s * s),
            n: summary.n as f64,
            freedom: summary.n as f64 - 1.0,
        }
    };
    groups.iter().map(level).collect()
}
