//! Where is the minimum, how sure is that, and what does a place cost against it?
//!
//! The methods, their assumptions and their sources stand with them in [`crate::stats::bootstrap`] (the fitted minimum),
//! [`crate::stats::best`] (the confidence set and the verdict) and [`crate::stats::compare`] (differences). Where the greatest value
//! is the best ([`crate::analysis::Goal::Max`]), minimum means maximum throughout.
//!
//! **Difference of two places.** The fitted curve's value at one less its value at the other. Both are
//! weighted sums of the same level means, so the error is that of the one sum of their differing weights: what the two share
//! cancels. Student's t with the degrees of freedom of the levels that count (Satterthwaite), or of the replicates where runs are
//! paired. The place of the minimum is taken as given: where it is uncertain, the difference to it is a little too large and
//! its interval a little too narrow. Why not level against level: with 25 runs each the least of 400 means is hundreds below
//! the truth (the winner's curse), the curve is not.

use crate::analysis::margin::Margin;
use crate::analysis::objective::Objective;
use crate::stats::Estimate;
use crate::stats::best::{self, Candidate, Standing};
use crate::stats::bootstrap::FittedMinimum;
use crate::stats::compare::{Difference, Measured, relative_change_correlated};
use crate::stats::interval::{Method, satterthwaite};
use crate::stats::paired::{PairedDifference, paired_difference};
use crate::stats::smooth::{LevelMean, Row};

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
    /// around the minimum, as far as those reach.
    pub curve: Vec<(f64, f64)>,
    /// The value by runs that did not choose the place: free of the winner's curse.
    pub cross_fitted: Option<Estimate>,
    /// Each level's claim to be the best, in the groups' order; empty beyond [`MOST_LEVELS`].
    pub candidates: Vec<Candidate>,
    /// The verdict.
    pub standing: Standing,
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
            None => Some(self.value(x)),
        };
        let sign = self.objective.goal.sign();
        places.into_iter().filter_map(|x| Some((along.level(x), sign * value(x)?))).collect()
    }

    /// The curve at `level` against its minimum; nothing outside the levels.
    pub fn against_minimum(&self, level: f64, confidence: f64) -> Option<Contrast> {
        self.contrast([self.fitted.minimum.x, self.inside(level)?], confidence)
    }

    /// The curve at the second level against the first; nothing outside the levels.
    pub fn between(&self, levels: [f64; 2], confidence: f64) -> Option<Contrast> {
        self.contrast([self.inside(levels[0])?, self.inside(levels[1])?], confidence)
    }

    /// The place of `level`, if it is within the levels.
    fn inside(&self, level: f64) -> Option<f64> {
        let (place, levels) = (self.objective.along.place(level), &self.objective.levels);
        (levels.first()?.x..=levels.last()?.x).contains(&place).then_some(place)
    }

    fn contrast(&self, places: [f64; 2], confidence: f64) -> Option<Contrast> {
        if let Some(contrast) = self.refined_contrast(places, confidence) {
            return Some(contrast);
        }
        let [from, to] = places.map(|place| self.fitted.curve.row(place));
        if let Some(common) = &self.objective.paired {
            let [a, b] = [&from, &to].map(|row| row.of_replicates(&common.values));
            let PairedDifference { difference, variance_reduction, .. } = paired_difference(&a, &b, confidence)?;
            let [a, b] = [Measured::mean_of(&a)?, Measured::mean_of(&b)?];
            let relative = relative(&a, &b, difference.standard_error, confidence);
            return Some(Contrast { difference, relative, variance_reduction });
        }
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

/// What the levels and the `curve` through them say of the minimum.
pub fn analyse(objective: &Objective, curve: Option<&Curve>, margin: Margin, confidence: f64) -> MinimumAnalysis {
    let levels = &objective.levels;
    let least = curve.map_or_else(
        || levels.iter().map(|level| level.mean).fold(f64::INFINITY, f64::min),
        |curve| curve.fitted.minimum.value,
    );
    let margin = margin.in_unit_of(least);
    let is_small = levels.len() <= MOST_LEVELS;
    MinimumAnalysis {
        level: curve.map(|curve| curve.minimum().0),
        value: curve.map(|curve| curve.minimum().1),
        curve: curve.map(Curve::points).unwrap_or_default(),
        // The place of a cubic is not chosen among levels: its value has no winner's curse.
        cross_fitted: curve.filter(|_| objective.refined.is_none()).and_then(|_| objective.cross_fitted(confidence)),
        candidates: if is_small { objective.candidates(confidence) } else { Vec::new() },
        standing: if is_small {
            best::standing(levels, curve.map(|curve| &curve.fitted), margin, confidence)
        } else {
            Standing::Unresolved { more_runs: None, levels: Vec::new() }
        },
        margin,
    }
}
