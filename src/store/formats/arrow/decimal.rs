//! Decimals as the doubles nearest to them.

/// Up to it every integer is a double.
const EXACT: u128 = 1 << 53;
/// Places after the point that are written out.
const LONGEST: usize = 100;
/// Powers of ten that are doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The double nearest to `digits` · 10^−`scale`.
#[inline]
pub fn number(digits: i128, scale: i32) -> f64 {
    match usize::try_from(scale).ok().and_then(|scale| POWERS.get(scale)) {
        // One division of two exact numbers is rounded once (Clinger 1990).
        Some(power) if digits.unsigned_abs() <= EXACT => digits as f64 / power,
        _ => number_of_text(&digits.to_string(), scale),
    }
}

/// `digits` · 10^−`scale` with every digit.
pub fn text(digits: i128, scale: i32) -> String {
    pointed(&digits.to_string(), scale)
}

/// The same for the bytes of an integer of any size, the highest first, with a sign in two's
/// complement.
pub fn text_of_decimal(bytes: &[u8], scale: i32) -> String {
    pointed(&text_of_bytes(bytes), scale)
}

/// The integer `digits` with a point before so many of its last digits.
fn pointed(digits: &str, scale: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    // An integer of bytes has as many zeros as they could be.
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let Ok(places) = usize::try_from(scale) else {
        return format!("{sign}{digits}e{}", -i64::from(scale));
    };
    if places == 0 {
        return format!("{sign}{digits}");
    }
    // A scale is no larger than the number of digits that a decimal may have, unless the file is
    // made up.
    if places > LONGEST {
        return format!("{sign}{digits}e-{places}");
    }
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// The integer in `bytes`, the highest first, with a sign in two's complement; `None` if it has
/// more than 128 bits.
pub fn whole_of_bytes(bytes: &[u8]) -> Option<i128> {
    let filling = if bytes.first().is_some_and(|byte| *byte >= 128) { 255 } else { 0 };
    let mut all = [filling; 16];
    let kept = bytes.len().min(16);
    let (high, low) = bytes.split_at(bytes.len() - kept);
    all[16 - kept..].copy_from_slice(low);
    let is_filling = high.iter().all(|byte| *byte == filling) && (high.is_empty() || (all[0] ^ filling) < 128);
    is_filling.then(|| i128::from_be_bytes(all))
}

fn number_of_text(digits: &str, scale: i32) -> f64 {
    // Digits and an exponent are always a number.
    format!("{digits}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)
}

fn text_of_bytes(bytes: &[u8]) -> String {
    let is_negative = bytes.first().is_some_and(|byte| *byte >= 128);
    let mut magnitude = bytes.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (negated, overflows) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (negated, overflows);
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0;
        for byte in &mut magnitude {
            let part = rest << 8 | u32::from(*byte);
            (*byte, rest) = ((part / 10) as u8, part % 10);
        }
        digits.push(b'0' + rest as u8);
    }
    let sign = if is_negative { "-" } else { "" };
    format!("{sign}{}", digits.iter().rev().map(|digit| *digit as char).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_once() {
        for (digits, scale, text) in [
            (215_i128, 2, "2.15"),
            (-1, 1, "-0.1"),
            (12_345_678_901_234_567_890, 18, "12.34567890123456789"),
            (i128::MAX, 38, "1.70141183460469231731687303715884105727"),
            (7, -3, "7000"),
            (1, 400, "0"),
            (9_007_199_254_740_993, 3, "9007199254740.993"),
        ] {
            assert_eq!(number(digits, scale), text.parse::<f64>().unwrap(), "{text}");
            let text = text_of_decimal(&digits.to_be_bytes(), scale);
            assert_eq!(text.parse::<f64>().unwrap(), number(digits, scale), "{text}");
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (digits, scale, text) in [
            (215_i128, 2, "2.15"),
            (-1, 1, "-0.1"),
            (-110, 2, "-1.10"),
            (0, 3, "0.000"),
            (7, 0, "7"),
            (7, -3, "7e3"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
            (1, 400, "1e-400"),
        ] {
            assert_eq!(super::text(digits, scale), text);
            assert_eq!(text.parse::<f64>().unwrap(), number(digits, scale), "{text}");
        }
        // Beyond 128 bits.
        assert_eq!(text_of_decimal(&[&[1][..], &[0; 16]].concat(), 2), "3402823669209384634633746074317682114.56");
        assert_eq!(text_of_decimal(&[0; 17], 2), "0.00");
    }

    #[test]
    fn integers_of_any_size_keep_their_digits() {
        for whole in [0, 1, -1, 127, 128, -128, -129, i128::MAX, i128::MIN, 1 << 100] {
            let bytes = whole.to_be_bytes();
            assert_eq!(whole_of_bytes(&bytes), Some(whole));
            let filling = if whole < 0 { 255 } else { 0 };
            assert_eq!(whole_of_bytes(&[&[filling; 16][..], &bytes].concat()), Some(whole));
            assert_eq!(text_of_bytes(&bytes).trim_start_matches('0'), whole.to_string().trim_start_matches('0'));
        }
        assert_eq!(whole_of_bytes(&[0x80]), Some(-128));
        assert_eq!(whole_of_bytes(&[0, 0x80]), Some(128));
        assert_eq!(whole_of_bytes(&[]), Some(0));
        let beyond = [&[1][..], &[0; 16]].concat();
        assert_eq!(whole_of_bytes(&beyond), None);
        assert_eq!(text_of_decimal(&beyond, 0), "340282366920938463463374607431768211456");
        // 2^128 as digits; the same below zero.
        let below = [&[255][..], &[0; 16]].concat();
        assert_eq!(text_of_decimal(&below, 10), "-34028236692093846346337460743.1768211456");
        let unfilled = [&[0][..], &[255; 16]].concat();
        assert_eq!(whole_of_bytes(&unfilled), None);
    }
}
