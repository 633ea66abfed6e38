//! What is the metric at the references, and how does it change from one to the next?
//!
//! **Mean at a reference.** A reference such as 1/√2 need not be a level. Between two levels the mean is interpolated
//! linearly along the axis (in ln x where both are above 0); its standard error follows from those of the two, which are
//! independent, its t interval has Satterthwaite's degrees of freedom. Outside the swept range there is no value.
//!
//! **Relative change** from a to b: b/a − 1, with Fieller's interval ([`crate::stats::compare::relative_change`]). It knows
//! nothing of how the minimum was chosen: against the least of many means it promises too much.

use serde::Serialize;

use crate::analysis::groups::Group;
use crate::analysis::minimum::ReferenceDifference;
use crate::stats::compare::{Measured, relative_change};
use crate::stats::interval::satterthwaite;
use crate::stats::{Estimate, Method};
use crate::sweep::Reference;

/// A reference with the metric's mean there.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceResult {
    /// The reference.
    pub reference: Reference,
    /// The mean at it; absent outside the swept range.
    pub mean: Option<Estimate>,
    /// Whether the mean is interpolated between two levels.
    pub interpolated: bool,
    /// What it costs against the fitted minimum; absent without a curve, and outside the swept range.
    pub to_minimum: Option<ReferenceDifference>,
}

/// One end of a [`Step`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Name of a reference, or `minimum`.
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

/// The means at `references`, in their order.
pub fn results(references: &[Reference], groups: &[Group], confidence: f64) -> Vec<ReferenceResult> {
    let result = |reference: &Reference| {
        let found = at_level(reference.value, groups);
        ReferenceResult {
            reference: reference.clone(),
            mean: found.as_ref().map(|found| found.estimate(confidence)),
            interpolated: found.is_some_and(|found| found.interpolated),
            to_minimum: None,
        }
    };
    references.iter().map(result).collect()
}

/// The changes from reference to reference, and from the last to the group at `minimum`.
pub fn steps(references: &[Reference], groups: &[Group], minimum: usize, confidence: f64) -> Vec<Step> {
    let place = |reference: &Reference| {
        let found = at_level(reference.value, groups)?;
        Some((Place { name: reference.name.clone(), level: reference.value }, found.measured))
    };
    let mut places: Vec<(Place, Measured)> = references.iter().filter_map(place).collect();
    let least = &groups[minimum];
    places.push((Place { name: "minimum".into(), level: least.level }, measured(least)));
    let step = |[(from, a), (to, b)]: &[(Place, Measured); 2]| {
        (a.point != 0.0).then(|| Step { from: from.clone(), to: to.clone(), change: relative_change(a, b, confidence) })
    };
    places.array_windows().filter_map(step).collect()
}

/// Levels that only rounding tells apart: closer than 1e-12 of their size.
pub fn nearly_equal(a: f64, b: f64) -> bool {
    const ROUNDING: f64 = 1e-12;
    (b - a).abs() <= ROUNDING * a.abs().max(b.abs())
}

/// The mean at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found {
    measured: Measured,
    interpolated: bool,
}

impl Found {
    fn estimate(&self, confidence: f64) -> Estimate {
        let method = if self.interpolated { Method::WelchT } else { Method::StudentT };
        self.measured.estimate(confidence, method)
    }
}

fn measured(group: &Group) -> Measured {
    let mean = group.summary.mean;
    Measured { point: mean.point, standard_error: mean.standard_error, freedom: group.summary.n as f64 - 1.0 }
}

/// The mean at `level`, interpolated between two levels where need be; nothing outside the swept range.
pub fn measured_at(level: f64, groups: &[Group]) -> Option<Measured> {
    at_level(level, groups).map(|found| found.measured)
}

/// The mean at level `x`; nothing outside the swept range.
fn at_level(x: f64, groups: &[Group]) -> Option<Found> {
    if let Some(group) = groups.iter().find(|group| nearly_equal(group.level, x)) {
        return Some(Found { measured: measured(group), interpolated: false });
    }
    let [below, above] = groups.array_windows().find(|[below, above]| below.level < x && x < above.level)?;
    let along = |level: f64| if below.level > 0.0 { libm::log(level) } else { level };
    let weight = (along(x) - along(below.level)) / (along(above.level) - along(below.level));
    let (a, b) = (measured(below), measured(above));
    let point = (1.0 - weight) * a.point + weight * b.point;
    let errors = a.standard_error.zip(b.standard_error).map(|(a, b)| [(1.0 - weight) * a, weight * b]);
    let freedom = errors.and_then(|[one, other]| satterthwaite(&[(one * one, a.freedom), (other * other, b.freedom)]));
    let measured = Measured {
        point,
        standard_error: errors.map(|[one, other]| libm::hypot(one, other)),
        freedom: freedom.unwrap_or(a.freedom.min(b.freedom)),
    };
    Some(Found { measured, interpolated: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::of_samples;
    use crate::group::Sample;

    #[test]
    fn a_reference_between_levels_is_interpolated_in_the_logarithm() {
        let samples = [Sample::of(0.5, vec![9.0, 11.0]), Sample::of(2.0, vec![19.0, 21.0])];
        let groups = of_samples(&samples, None, 0.95);
        let found = at_level(1.0, &groups).unwrap();
        assert!(found.interpolated && (found.measured.point - 15.0).abs() < 1e-12);
        // Both standard errors are 1 with one degree of freedom, both weights ½.
        assert!((found.measured.standard_error.unwrap() - 0.5f64.sqrt()).abs() < 1e-12);
        assert!((found.measured.freedom - 2.0).abs() < 1e-12);
        assert_eq!(at_level(0.5, &groups).unwrap().estimate(0.95), groups[0].summary.mean);
        assert!(at_level(0.4, &groups).is_none());
    }
}
