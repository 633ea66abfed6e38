//! Numbers as people read them. Every text output (terminal, Markdown, figure, report) goes through
//! here; JSON and CSV do not: they carry every digit. Negative numbers get a true minus sign, which
//! expressions understand too.

use std::borrow::Cow;

use serde::Serialize;

/// Shows `value` with at most `digits` significant digits, without trailing zeros, in plain
/// notation where that stays short.
///
/// ```
/// use initsweep::format::significant;
/// assert_eq!(significant(0.049787068, 3), "0.0498");
/// assert_eq!(significant(1580.49, 3), "1580");
/// assert_eq!(significant(0.7000000001, 3), "0.7");
/// assert_eq!(significant(1.5e-9, 3), "1.5e-9");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    let text = aligned(value, digits);
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trim_zeros(mantissa)),
        None => trim_zeros(&text).to_string(),
    }
}

/// The same with trailing zeros, so that the numbers of a column line up: `6933.0` below `6932.6`.
pub fn aligned(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { value.to_string() };
    }
    let scientific = format!("{value:.*e}", digits.max(1) - 1);
    let exponent = exponent_of(&scientific);
    if !(-5..=9).contains(&exponent) {
        return signed(scientific);
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    signed(format!("{value:.decimals$}"))
}

/// Shows `value` to the digit that an uncertainty of `margin` justifies: the margin's second digit.
///
/// ```
/// use initsweep::format::to_precision_of;
/// assert_eq!(to_precision_of(1580.4321, 4.02), "1580.4");
/// assert_eq!(to_precision_of(1580.4321, 160.0), "1580");
/// assert_eq!(to_precision_of(0.60412, 0.0123), "0.604");
/// ```
pub fn to_precision_of(value: f64, margin: f64) -> String {
    if !(margin.is_finite() && margin > 0.0 && value.is_finite()) {
        return significant(value, 5);
    }
    let exponent = exponent_of(&format!("{margin:.1e}"));
    if !(-8..=9).contains(&exponent) || value.abs() >= 1e12 {
        return significant(value, 5);
    }
    let decimals = (1 - exponent).max(0) as usize;
    signed(format!("{value:.decimals$}"))
}

/// Whether `text`, a number, is zero as it is shown.
pub fn is_zero(text: &str) -> bool {
    text.chars().all(|c| "0.".contains(c))
}

/// `text`, a number, with a true minus sign; none where it rounds to zero.
fn signed(text: String) -> String {
    match text.strip_prefix('-') {
        Some(size) if is_zero(size) => size.into(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// A whole number with thousands separated by commas: `25,600`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in `seconds`, rounded up to a unit that is read at a glance: `8 s`, `3 min`, `2 h`.
pub fn duration(seconds: f64) -> String {
    let (unit, name) = match seconds {
        seconds if seconds <= 120.0 => (1.0, "s"),
        seconds if seconds <= 7200.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    format!("{} {name}", count(libm::ceil(seconds / unit) as u64))
}

/// `1 run`, `2 runs`: a count with its noun in the right number.
pub fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// 0.01 as `1 %`.
pub fn percent_of(share: f64) -> String {
    format!("{} %", significant(share * 100.0, 3))
}

/// A ratio as a signed percentage with one decimal: `−8.5 %`, with a true minus sign.
pub fn percent(ratio: f64) -> String {
    signed(format!("{:+.1} %", ratio * 100.0))
}

/// Shortens `text` from outside to at most 60 characters on one line, for messages.
pub fn excerpt(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut shown: String =
        text.chars().take(LIMIT).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

/// `text` from outside with what could steer a terminal or turn the line written out: `\u{1b}`,
/// `\n`.
///
/// ```
/// use initsweep::format::printable;
/// assert_eq!(printable("a\u{1b}[2Jb\n"), r"a\u{1b}[2Jb\n");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, steers, |c| c.escape_default().to_string())
}

/// The same for a text of several lines.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && steers(c), |c| c.escape_default().to_string())
}

/// `level` with as many decimals as make a hundredth of `spacing` visible.
pub fn rounded_to_spacing(level: f64, spacing: f64) -> f64 {
    let decimals = libm::ceil(2.0 - libm::log10(spacing)).clamp(0.0, 17.0) as usize;
    format!("{level:.decimals$}").parse().unwrap_or(level)
}

/// `value` as JSON for people and programs, ended by a line break. What could steer a terminal is
/// written in JSON's own form, `\u009b`, so that it reads back as it was.
pub fn json(value: &impl Serialize) -> String {
    // Serialising plain structs of numbers and strings cannot fail.
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    // Such characters stand in strings alone, and all of them have four digits.
    escaped(&text, |c| c != '\n' && steers(c), |c| format!("\\u{:04x}", u32::from(c))).into_owned()
}

/// Control characters, and those that turn the direction of writing.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool + Copy, form: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(2 * text.len());
    for c in text.chars() {
        if is_escaped(c) {
            shown.push_str(&form(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn exponent_of(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

fn trim_zeros(plain: &str) -> &str {
    if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.') } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_take_the_unit_that_fits() {
        let texts = [0.0, 0.2, 119.5, 121.0, 7200.0, 7201.0, 1e7].map(duration);
        assert_eq!(texts, ["0 s", "1 s", "120 s", "3 min", "120 min", "3 h", "2,778 h"]);
    }

    #[test]
    fn rounding_may_carry_into_a_new_digit() {
        assert_eq!(significant(0.99999, 3), "1");
        assert_eq!(significant(999.96, 4), "1000");
        assert_eq!(significant(-0.00012345, 3), "−0.000123");
        assert_eq!(significant(1e300, 3), "1e300");
        assert_eq!(to_precision_of(10.0, 0.0999), "10.00");
        assert_eq!([aligned(-1.5e-9, 3), to_precision_of(-15.2, 3.0)], ["−1.50e-9", "−15.2"]);
        assert_eq!(to_precision_of(-0.04, 1.0), "0.0");
    }

    #[test]
    fn thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(4_000_000), "4,000,000");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(percent(-0.085), "−8.5 %");
    }

    #[test]
    fn excerpts_hold_no_control_characters() {
        assert_eq!(excerpt("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 61);
    }
}
