//! Numbers as the user types them.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::figure::png::SCALES;

pub(super) fn confidence(text: &str) -> Result<f64, String> {
    share(text).map_err(|_| "expected a level between 0 and 1, such as 0.95 or 95%".into())
}

/// A number between 0 and 1, also as a percentage.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse::<f64>(),
    };
    let inside = value.ok().filter(|share| *share > 0.0 && *share < 1.0);
    inside.ok_or_else(|| "expected a share between 0 and 1, such as 0.01 or 1%".into())
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
    fn confidence_levels() {
        assert_eq!(confidence("0.9"), Ok(0.9));
        assert_eq!(confidence("95%"), Ok(0.95));
        for text in ["0", "1", "95", "100%", "x", "NaN"] {
            assert!(confidence(text).is_err(), "{text}");
        }
    }
}
