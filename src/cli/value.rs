//! Numbers as the user types them.

use std::time::Duration;

use crate::analysis::Margin;
use crate::error::{Error, Result};
use crate::expression::evaluate;
use crate::figure::png::SCALES;

/// A number between 0 and 1, also as a percentage.
pub(super) fn confidence(text: &str) -> Result<f64, String> {
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse::<f64>(),
    };
    let inside = value.ok().filter(|share| *share > 0.0 && *share < 1.0);
    inside.ok_or_else(|| "expected a level between 0 and 1, such as 0.95 or 95%".into())
}

/// A number from 0 to 1, also as a percentage.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => evaluate(percent).map(|percent| percent / 100.0),
        None => evaluate(text),
    };
    let inside = value.ok().filter(|share| (0.0..=1.0).contains(share));
    inside.ok_or_else(|| "expected a share from 0 to 1, such as 0.1, 1/3 or 10%".into())
}

/// A difference that does not matter: a percentage is a share of the best value, any other
/// expression a number in the metric's unit.
pub(super) fn margin(text: &str) -> Result<Margin, String> {
    let parsed = match text.trim().strip_suffix('%') {
        Some(percent) => {
            evaluate(percent).map(|percent| percent / 100.0).ok().filter(|share| *share < 1.0).map(Margin::Share)
        }
        None => evaluate(text).ok().map(Margin::Absolute),
    };
    let is_above_zero = |margin: &Margin| matches!(margin, Margin::Share(size) | Margin::Absolute(size) if *size > 0.0);
    parsed.filter(is_above_zero).ok_or_else(|| {
        "expected a share of the best value above 0 and below 100 %, such as 1%, or a number above 0 in the metric's unit, \
         such as 0.02"
            .into()
    })
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let value = text.trim().parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    value.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds from 0.001 to 86400".into())
}

/// A time with a unit: `90`, `90s`, `5m`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0)];
    let unit = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)));
    let (number, seconds) = unit.unwrap_or((text, 1.0));
    let value = number.trim().parse::<f64>().ok().map(|number| number * seconds);
    let sensible = value.filter(|value| (0.001..=31_536_000.0).contains(value));
    sensible.map(Duration::from_secs_f64).ok_or_else(|| "expected a time such as 90, 90s, 5m or 2h".into())
}

pub(super) fn scale(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|scale| SCALES.contains(scale));
    value.ok_or_else(|| format!("expected a number from {} to {}", SCALES.start(), SCALES.end()))
}

pub(super) fn whole_number(level: f64) -> Result<u32> {
    if level.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&level) {
        return Ok(level as u32);
    }
    Err(Error::Usage { what: "epochs", given: level.to_string(), reason: "expected whole numbers".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("90").unwrap(), duration(" 1.5m").unwrap());
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for text in ["", "0", "-1s", "m", "5 days", "NaN", "inf"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_margin_is_a_percentage_or_a_number_in_the_unit() {
        for (text, expected) in [
            ("1%", Margin::Share(0.01)),
            (" 2.5 % ", Margin::Share(0.025)),
            ("1/4%", Margin::Share(0.0025)),
            ("0.02", Margin::Absolute(0.02)),
            ("1500", Margin::Absolute(1500.0)),
            ("1e-3", Margin::Absolute(0.001)),
            ("1/8", Margin::Absolute(0.125)),
        ] {
            assert_eq!(margin(text), Ok(expected), "{text}");
        }
        for text in
            ["", "%", "0", "0%", "-1", "-1%", "100%", "1e4%", "1/0", "x", "NaN", "inf", "inf%", "1 % of it", "%1"]
        {
            assert!(margin(text).unwrap_err().contains("such as 1%"), "{text}");
        }
    }

    #[test]
    fn a_share_may_be_nothing_or_all() {
        for (text, expected) in [("0", 0.0), ("1", 1.0), ("1/4", 0.25), (" 50 % ", 0.5), ("100%", 1.0)] {
            assert_eq!(share(text), Ok(expected), "{text}");
        }
        for text in ["", "-0.1", "1.01", "101%", "10", "x", "NaN"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn confidence_levels() {
        assert_eq!(confidence("0.9"), Ok(0.9));
        assert_eq!(confidence("95%"), Ok(0.95));
        for text in ["0", "1", "95", "100%", "x", "NaN"] {
            assert!(confidence(text).is_err(), "{text}");
        }
    }
}
