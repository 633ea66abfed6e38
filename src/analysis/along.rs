//! How do the levels lie on the axis? One answer for the fit, the interpolation, the figures and
//! the report.
//!
//! **Rule.** A sweep whose levels above 0 span a factor of ten or more is logarithmic: people who
//! sweep decades think in ratios. Any other sweep is linear, and so is one with a level below 0,
//! which has no logarithm. `--x-scale` overrules this.
//!
//! **Level 0.** Beside decades, 0 usually means "off": no weight decay, no dropout. It has no place
//! on a logarithmic axis, however small the next level is. It is therefore kept *beside* the axis:
//! compared by its own mean, but no part of the fitted curve, and nothing is interpolated between
//! it and the first level. Why not ln(1 + x), or a small number in its place: the fit would depend
//! on the unit of x, or on that number.

use clap::ValueEnum;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::format::significant;
use crate::stats::{ConfidenceInterval, Estimate};

/// The scale that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum AxisScale {
    /// Logarithmic if the levels above 0 span a factor of ten or more and none is below 0.
    #[default]
    Auto,
    /// Logarithmic; a level 0 is kept beside the axis.
    Log,
    /// Linear.
    Linear,
}

/// How levels lie on the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// By ln of the level; a level 0 is beside the axis.
    Log,
    /// By the level itself.
    Linear,
}

impl AxisScale {
    /// The scale for `levels` of the column `factor`, ascending.
    ///
    /// # Errors
    /// [`Error::Usage`] if a logarithmic axis is asked for and a level is below 0, or none is above
    /// 0.
    pub fn for_levels(self, factor: &str, levels: &[f64]) -> Result<Along> {
        match self {
            Self::Linear => Ok(Along::Linear),
            Self::Auto if span_decades(levels) => Ok(Along::Log),
            Self::Auto => Ok(Along::Linear),
            Self::Log => match unfit_for_logarithms(factor, levels) {
                None => Ok(Along::Log),
                Some(reason) => Err(Error::Usage { what: "x-scale", given: "log".into(), reason }),
            },
        }
    }
}

/// Whether no level is below 0 and those above 0 span a factor of ten.
fn span_decades(levels: &[f64]) -> bool {
    /// A factor of ten but for rounding: 0.3 / 0.03 may fall short of it.
    const SPAN: f64 = 10.0 * (1.0 - 1e-12);
    let lowest = levels.iter().find(|level| **level > 0.0);
    let has_negative = levels.first().is_some_and(|level| *level < 0.0);
    matches!((lowest, levels.last()), (Some(lowest), Some(highest)) if !has_negative && highest / lowest >= SPAN)
}

/// Why these levels cannot lie on a logarithmic axis; `None` if they can.
fn unfit_for_logarithms(factor: &str, levels: &[f64]) -> Option<String> {
    const NAMED: usize = 3;
    let negative: Vec<String> = levels.iter().filter(|level| **level < 0.0).map(|x| significant(*x, 4)).collect();
    if negative.is_empty() {
        let has_place = levels.iter().any(|level| *level > 0.0);
        return (!has_place).then(|| format!("no level of '{factor}' is above 0; use --x-scale linear"));
    }
    let more = if negative.len() > NAMED { format!(" and {} more", negative.len() - NAMED) } else { String::new() };
    let named = negative[..negative.len().min(NAMED)].join(", ");
    Some(format!("'{factor}' has levels below 0 ({named}{more}), which have no logarithm; use --x-scale linear"))
}

impl Along {
    /// Whether `level` has a place on the axis; one that has none is beside it.
    pub fn has_place_for(self, level: f64) -> bool {
        self == Self::Linear || level > 0.0
    }

    /// How many of `levels`, ascending, are beside the axis: the first ones.
    pub fn beside(self, levels: impl IntoIterator<Item = f64>) -> usize {
        levels.into_iter().take_while(|level| !self.has_place_for(*level)).count()
    }

    /// The place of `level`, which must have one.
    pub fn place(self, level: f64) -> f64 {
        if self == Self::Log { libm::log(level) } else { level }
    }

    /// The level that lies at `place`.
    pub fn level(self, place: f64) -> f64 {
        if self == Self::Log { libm::exp(place) } else { place }
    }

    /// An estimate of a place as one of a level; the standard error, which has no unit there, is
    /// left out.
    pub fn estimate(self, place: &Estimate) -> Estimate {
        let interval = place.interval.map(|interval| ConfidenceInterval {
            lower: self.level(interval.lower),
            upper: self.level(interval.upper),
            ..interval
        });
        Estimate { point: self.level(place.point), standard_error: None, interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(levels: &[f64]) -> Along {
        AxisScale::Auto.for_levels("x", levels).unwrap()
    }

    fn refusal(levels: &[f64]) -> String {
        let error = AxisScale::Log.for_levels("lr", levels).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn a_decade_above_zero_is_logarithmic() {
        for levels in [&[0.1, 1.0][..], &[1.0, 3.0, 10.0], &[0.0, 1e-5, 0.1]] {
            assert_eq!(auto(levels), Along::Log, "{levels:?}");
        }
        // Less than a decade; a level below 0; no span.
        for levels in [&[1.0, 2.0, 3.0, 4.0, 5.0][..], &[0.0, 0.1, 0.5], &[-1.0, 0.1, 10.0], &[0.0], &[-2.0, -1.0], &[]]
        {
            assert_eq!(auto(levels), Along::Linear, "{levels:?}");
        }
    }

    #[test]
    fn what_is_asked_for_is_done_or_refused() {
        assert_eq!(AxisScale::Linear.for_levels("lr", &[0.1, 10.0]).unwrap(), Along::Linear);
        assert_eq!(AxisScale::Log.for_levels("lr", &[0.0, 1.0, 2.0]).unwrap(), Along::Log);
        assert_eq!(
            refusal(&[-2.5, -1.0, 0.0, 4.0]),
            "x-scale 'log': 'lr' has levels below 0 (−2.5, −1), which have no logarithm; use --x-scale linear"
        );
        assert!(refusal(&[-5.0, -4.0, -3.0, -2.0, -1.0]).contains(" and 2 more)"));
        assert!(refusal(&[0.0]).contains("no level of 'lr' is above 0"));
    }

    #[test]
    fn only_level_zero_is_beside_a_logarithmic_axis() {
        assert_eq!(Along::Log.beside([0.0, 0.1, 1.0]), 1);
        assert_eq!(Along::Log.beside([0.1, 1.0]), 0);
        assert_eq!(Along::Linear.beside([-1.0, 0.0, 1.0]), 0);
    }
}
