//! What is the statistic at the references, and what do they cost against the minimum and against
//! each other?
//!
//! **Value at a reference.** A reference such as 1/√2 need not be a level. Between two levels the
//! value is interpolated linearly along the axis ([`crate::analysis::along`]); its standard error
//! follows from those of the two, which are independent, its t interval has Satterthwaite's degrees
//! of freedom. Outside the swept range there is no value, nor between a level beside the axis and
//! the first one on it.
//!
//! **References against the minimum and against each other**: the difference of the fitted curve at
//! the two places ([`crate::analysis::minimum`]), or, without a curve, Welch's of the two values; p
//! by Holm over all of these comparisons together. In percent with Fieller's interval, which knows
//! that the two are correlated.
//!
//! **Observed steps** from reference to reference and to the least observed value: b/a − 1, with
//! Fieller's interval ([`crate::stats::compare::relative_change`]), of the common replicates where
//! runs are paired. They know nothing of how the minimum was chosen, and of a place between two
//! levels only where the curve is a smooth one: against the least of many values they promise too
//! much.

use serde::Serialize;

use crate::analysis::along::Along;
use crate::analysis::curve::{Contrast, CurveContrast};
use crate::analysis::failures::Ineligible;
use crate::analysis::goal::Goal;
use crate::analysis::groups::Group;
use crate::analysis::layers::{Assumption, Layers};
use crate::analysis::statistic::Statistic;
use crate::stats::compare::{Measured, Verdict, holm, relative_change, relative_change_paired, welch};
use crate::stats::interval::satterthwaite;
use crate::stats::paired::Common;
use crate::stats::{ConfidenceInterval, Estimate, Method};
use crate::sweep::Reference;

/// A reference with the statistic's value there.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceResult {
    /// The reference.
    pub reference: Reference,
    /// The mean at it; absent outside the swept range.
    pub mean: Option<Estimate>,
    /// The statistic at it: the mean, unless another was asked for; absent outside the swept range.
    pub value: Option<Estimate>,
    /// Whether they are interpolated between two levels.
    pub interpolated: bool,
    /// What it costs against the fitted minimum; absent without a curve, and outside the swept
    /// range.
    pub to_minimum: Option<ReferenceDifference>,
}

/// How the statistic at one place differs from that at another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceDifference {
    /// Second less first.
    pub difference: Estimate,
    /// Second / first − 1: 0.01 is 1 % more. Absent where the first may be 0.
    pub relative: Option<Estimate>,
    /// Adjusted for the number of comparisons, those with the minimum and those among the
    /// references together.
    pub p_value: f64,
    /// The second against the first and the margin.
    pub verdict: Verdict,
    /// Whether the second may be the minimum itself.
    pub may_be_optimum: bool,
    /// What pairing gained, where the runs are paired: 1 − variance of the difference / that of
    /// independent runs.
    pub variance_reduction: Option<f64>,
}

/// Two references against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencePair {
    /// The first.
    pub from: Place,
    /// The second.
    pub to: Place,
    /// How the second differs from the first.
    pub found: ReferenceDifference,
}

/// One end of a [`Step`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Name of a reference, or `minimum` or `maximum`.
    pub name: String,
    /// The factor's value.
    pub level: f64,
}

/// How much the mean changes from one place to another, relative to the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it starts.
    pub from: Place,
    /// Where it ends.
    pub to: Place,
    /// Relative change: −0.085 is 8.5 % less.
    pub change: Estimate,
}

/// What there is to compare.
pub struct Comparisons<'a> {
    /// Every level.
    pub groups: &'a [Group],
    /// How they lie on the axis.
    pub along: Along,
    /// What stands for a level.
    pub statistic: Statistic,
    /// Which of its values is the best.
    pub goal: Goal,
    /// What they say of the minimum.
    pub layers: &'a Layers<'a>,
    /// The runs by common replicate, where they are paired.
    pub paired: Option<&'a Common>,
    /// The difference that does not matter, in the statistic's unit.
    pub margin: f64,
    /// Nominal coverage.
    pub confidence: f64,
    /// The levels that take no part: nothing is said of places at them, or between one and its
    /// neighbour.
    pub ineligible: &'a [Ineligible],
}

impl Comparisons<'_> {
    /// `references` against the minimum, in their order, and every pair of them that lies within
    /// the levels.
    pub fn of(&self, references: &[Reference]) -> (Vec<ReferenceResult>, Vec<ReferencePair>) {
        let is_known = |level: f64| !is_among_failures(level, self.groups, self.ineligible);
        let to_minimum =
            |reference: &Reference| self.layers.against_optimum(reference.value).filter(|_| is_known(reference.value));
        let to_minimum: Vec<Option<Contrast>> = references.iter().map(to_minimum).collect();
        let place = |reference: &Reference| Place { name: reference.name.clone(), level: reference.value };
        let pairs: Vec<(Place, Place, Contrast)> = references
            .iter()
            .enumerate()
            .flat_map(|(at, from)| references[at + 1..].iter().map(move |to| (from, to)))
            .filter(|(from, to)| is_known(from.value) && is_known(to.value))
            .filter_map(|(from, to)| Some((place(from), place(to), self.between(from.value, to.value)?)))
            .collect();
        let all = to_minimum.iter().flatten().chain(pairs.iter().map(|(.., contrast)| contrast));
        let mut adjusted = holm(&all.map(|contrast| contrast.p_value).collect::<Vec<_>>()).into_iter();
        let mut judged = |contrast: Contrast| self.judged(&contrast, adjusted.next().unwrap_or(1.0));
        let to_minimum: Vec<_> = to_minimum.into_iter().map(|contrast| contrast.map(&mut judged)).collect();
        let pairs = pairs.into_iter().map(|(from, to, contrast)| ReferencePair { from, to, found: judged(contrast) });
        let pairs = pairs.collect();
        let result = |(reference, to_minimum): (&Reference, Option<ReferenceDifference>)| {
            let at = |statistic| {
                at_level(reference.value, self.groups, self.along, statistic).filter(|_| is_known(reference.value))
            };
            ReferenceResult {
                reference: reference.clone(),
                mean: at(Statistic::Mean).map(|found| found.estimate(self.confidence)),
                value: at(self.statistic).map(|found| found.estimate(self.confidence)),
                interpolated: at(Statistic::Mean).is_some_and(|found| found.interpolated),
                to_minimum,
            }
        };
        (references.iter().zip(to_minimum).map(result).collect(), pairs)
    }

    fn between(&self, from: f64, to: f64) -> Option<Contrast> {
        if let Some(contrast) = self.layers.between([from, to]) {
            return Some(contrast);
        }
        let oriented = |level: f64| {
            let measured = at_level(level, self.groups, self.along, self.statistic)?.measured;
            Some(Measured { point: self.goal.sign() * measured.point, ..measured })
        };
        let (from, to) = (oriented(from)?, oriented(to)?);
        let difference = welch(&from, &to, self.confidence)?;
        let relative = relative_change(&from, &to, self.confidence);
        Some(CurveContrast { difference, relative, variance_reduction: None }.judged(self.margin, self.confidence))
    }

    /// With its verdict, and in the statistic's own sign.
    fn judged(&self, contrast: &Contrast, p_value: f64) -> ReferenceDifference {
        let estimate = contrast.difference;
        let sign = self.goal.sign();
        let turned = |interval: ConfidenceInterval| {
            let (a, b) = (sign * interval.lower, sign * interval.upper);
            ConfidenceInterval { lower: a.min(b), upper: a.max(b), ..interval }
        };
        ReferenceDifference {
            difference: Estimate { point: sign * estimate.point, interval: estimate.interval.map(turned), ..estimate },
            relative: contrast.relative,
            p_value,
            verdict: contrast.verdict,
            may_be_optimum: contrast.may_be_optimum,
            variance_reduction: contrast.variance_reduction,
        }
    }

    /// The observed changes from reference to reference, and from the last to the group at `best`.
    pub fn steps(&self, references: &[Reference], best: usize) -> Vec<Step> {
        let named = references.iter().map(|reference| Place { name: reference.name.clone(), level: reference.value });
        let places: Vec<Place> = named.chain([observed_best(self.groups[best].level, self.goal)]).collect();
        let inside: Vec<&Place> =
            places.iter().filter(|place| Bracket::of(place.level, self.groups, self.along).is_some()).collect();
        // On a coarse grid a straight line between two levels is no measurement.
        let is_measured = |place: &Place| {
            self.layers.assumption() == Some(Assumption::Smooth)
                || self.groups.iter().any(|group| nearly_equal(group.level, place.level))
        };
        let is_known = |place: &Place| !is_among_failures(place.level, self.groups, self.ineligible);
        let inside: Vec<&Place> = inside.into_iter().filter(|place| is_measured(place) && is_known(place)).collect();
        let step = |[from, to]: &[&Place; 2]| {
            let change = self.observed_change(from.level, to.level)?;
            Some(Step { from: Place::clone(from), to: Place::clone(to), change })
        };
        inside.array_windows().filter_map(step).collect()
    }

    fn observed_change(&self, from: f64, to: f64) -> Option<Estimate> {
        if let Some(common) = self.paired {
            let at = |level| Some(Bracket::of(level, self.groups, self.along)?.of_replicates(common));
            return relative_change_paired(&at(from)?, &at(to)?, self.confidence)
                .filter(|change| change.point.is_finite());
        }
        let at = |level| Some(at_level(level, self.groups, self.along, self.statistic)?.measured);
        let (from, to) = (at(from)?, at(to)?);
        (from.point != 0.0).then(|| relative_change(&from, &to, self.confidence))
    }
}

fn observed_best(level: f64, goal: Goal) -> Place {
    Place { name: goal.optimum().into(), level }
}

/// Levels that only rounding tells apart: closer than 1e-12 of their size.
pub fn nearly_equal(a: f64, b: f64) -> bool {
    const ROUNDING: f64 = 1e-12;
    (b - a).abs() <= ROUNDING * a.abs().max(b.abs())
}

/// Whether `level` is one of those that take no part, or lies between one of them and the next
/// level.
pub fn is_among_failures(level: f64, groups: &[Group], ineligible: &[Ineligible]) -> bool {
    if ineligible.is_empty() || groups.iter().any(|group| nearly_equal(group.level, level)) {
        return false;
    }
    let (mut below, mut above) = (f64::NEG_INFINITY, f64::INFINITY);
    for other in groups.iter().map(|group| group.level).chain(ineligible.iter().map(|other| other.level)) {
        if nearly_equal(other, level) {
            return true;
        }
        if other < level { below = below.max(other) } else { above = above.min(other) }
    }
    // Outside of all levels there is nothing to be among.
    let is_inside = below.is_finite() && above.is_finite();
    is_inside && ineligible.iter().any(|other| other.level == below || other.level == above)
}

/// The statistic at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found {
    measured: Measured,
    interpolated: bool,
    /// The group's own estimate, if the place is a level.
    own: Option<Estimate>,
}

impl Found {
    fn estimate(&self, confidence: f64) -> Estimate {
        self.own.unwrap_or_else(|| self.measured.estimate(confidence, Method::WelchT))
    }
}

/// The two groups that a place lies between, and the second one's weight: 0 at a level itself.
struct Bracket {
    below: usize,
    above: usize,
    weight: f64,
}

impl Bracket {
    /// Nothing outside the swept range, and between a level beside the axis and the first one on
    /// it.
    fn of(x: f64, groups: &[Group], along: Along) -> Option<Self> {
        if let Some(level) = groups.iter().position(|group| nearly_equal(group.level, x)) {
            return Some(Self { below: level, above: level, weight: 0.0 });
        }
        let between = |[below, above]: &[Group; 2]| below.level < x && x < above.level;
        let below = groups.array_windows().position(between)?;
        if !along.has_place_for(groups[below].level) {
            return None;
        }
        let [first, last] = [below, below + 1].map(|place| along.place(groups[place].level));
        Some(Self { below, above: below + 1, weight: (along.place(x) - first) / (last - first) })
    }

    /// The value at the place in each replicate.
    fn of_replicates(&self, common: &Common) -> Vec<f64> {
        let pairs = common.values[self.below].iter().zip(&common.values[self.above]);
        pairs.map(|(below, above)| (1.0 - self.weight) * below + self.weight * above).collect()
    }
}

/// The mean at `level`, interpolated between two levels where need be; nothing outside the swept
/// range.
pub fn measured_at(level: f64, groups: &[Group], along: Along) -> Option<Measured> {
    at_level(level, groups, along, Statistic::Mean).map(|found| found.measured)
}

/// The statistic at level `x`; nothing outside the swept range.
fn at_level(x: f64, groups: &[Group], along: Along, statistic: Statistic) -> Option<Found> {
    let Bracket { below, above, weight } = Bracket::of(x, groups, along)?;
    let (below, above) = (&groups[below], &groups[above]);
    if weight == 0.0 {
        let measured = statistic.measured(below)?;
        return Some(Found { measured, interpolated: false, own: statistic.at(below) });
    }
    let (a, b) = (statistic.measured(below)?, statistic.measured(above)?);
    let point = (1.0 - weight) * a.point + weight * b.point;
    let errors = a.standard_error.zip(b.standard_error).map(|(a, b)| [(1.0 - weight) * a, weight * b]);
    let freedom = errors.and_then(|[one, other]| satterthwaite(&[(one * one, a.freedom), (other * other, b.freedom)]));
    let measured = Measured {
        point,
        standard_error: errors.map(|[one, other]| libm::hypot(one, other)),
        freedom: freedom.unwrap_or(a.freedom.min(b.freedom)),
    };
    Some(Found { measured, interpolated: true, own: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups;
    use crate::group::Sample;

    #[test]
    fn a_reference_between_levels_is_interpolated_along_the_axis() {
        let samples =
            [Sample::of(0.0, vec![3.0, 5.0]), Sample::of(0.5, vec![9.0, 11.0]), Sample::of(2.0, vec![19.0, 21.0])];
        let groups = groups::of_means(&samples);
        let at = |level, along| at_level(level, &groups, along, Statistic::Mean);
        let found = at(1.0, Along::Log).unwrap();
        assert!(found.interpolated && (found.measured.point - 15.0).abs() < 1e-12);
        // Both standard errors are 1 with one degree of freedom, both weights ½.
        assert!((found.measured.standard_error.unwrap() - 0.5f64.sqrt()).abs() < 1e-12);
        assert!((found.measured.freedom - 2.0).abs() < 1e-12);
        // On a linear axis 1 lies a third of the way from 0.5 to 2, and 0.25 half way from 0 to
        // 0.5.
        assert!((at(1.0, Along::Linear).unwrap().measured.point - 40.0 / 3.0).abs() < 1e-12);
        assert!((at(0.25, Along::Linear).unwrap().measured.point - 7.0).abs() < 1e-12);
        // Beside a logarithmic axis there is level 0, and nothing between it and the first level.
        assert!(at(0.25, Along::Log).is_none());
        for group in &groups {
            let found = at(group.level, Along::Log).unwrap();
            assert_eq!(found.estimate(0.95), group.summary.mean);
        }
    }
}
