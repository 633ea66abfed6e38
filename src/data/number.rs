//! The number that a text means: what the standard library reads from it, to the last bit.
//!
//! Reading numbers is most of the work of reading a table. Two kinds of text are common in it and
//! are read here: short decimals (`0.1`, `10000`) and those that a program wrote with every digit
//! (`2503.4508294969496`). All others, odd and wrong ones included, are left to `fast-float2`, and
//! its answer is that of the standard library.
//!
//! **Long decimals.** The digits, eight bytes at a time, are a whole number `w` of at most 19 of
//! them, so that the value is `w` / 10ᶠ with `f` digits after the point. The quotient is the
//! product with a reciprocal of 128 bits, rounded to the nearest double (Lemire 2021, "Number
//! parsing at a gigabyte per second"). For so small an `f` the product always decides the rounding
//! (Mushtak and Lemire 2023), and no quotient lies halfway between two doubles.

/// What `text` means as a number.
#[inline]
pub fn parse(text: &[u8]) -> Option<f64> {
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    let number = if digits.len() < 16 { short(digits) } else { long(digits) };
    match number {
        Some(number) if is_negative => Some(-number),
        None => fast_float2::parse(text).ok(),
        number => number,
    }
}

/// The number in at most 15 `digits` with at most one point: both `w` and 10ᶠ are doubles then, and
/// so their quotient is rounded once.
#[inline]
fn short(digits: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (mut whole, mut point) = (0_u64, None);
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            whole = whole * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    match point {
        Some(_) if digits.len() == 1 => None,
        Some(point) => Some(whole as f64 / POWERS[digits.len() - 1 - point]),
        None if digits.is_empty() => None,
        None => Some(whole as f64),
    }
}

/// The number in 16 to 20 bytes, of which one from the second to the eighth is a point, so that 8
/// to 18 digits follow it.
#[inline]
fn long(digits: &[u8]) -> Option<f64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const POINTS: u64 = ZEROS ^ 0x2e2e_2e2e_2e2e_2e2e;
    let first = u64::from_le_bytes(*digits.first_chunk()?) ^ ZEROS;
    let (rest, last) = digits.split_last_chunk()?;
    let last = u64::from_le_bytes(*last) ^ ZEROS;
    let before = u64::from_le_bytes(*rest.last_chunk()?) ^ ZEROS;
    // The lowest hit is exact: only bytes above a zero one can be hit by a borrow.
    let points = first ^ POINTS;
    let hits = points.wrapping_sub(0x0101_0101_0101_0101) & !points & 0x8080_8080_8080_8080;
    let point = hits.trailing_zeros() / 8;
    let decimals = digits.len() - 1 - point as usize;
    if !(1..=7).contains(&point) || digits.len() > 20 {
        return None;
    }
    // Bytes that are not of a part are shifted out of it, and what is shifted in means zeros.
    let whole = first << (64 - 8 * point);
    let beyond = 8 * decimals as u32;
    let before = last_bytes(before, beyond - 64);
    // Decimals before the last 16: none, unless the point is one of the first three bytes.
    let early = (first >> (8 * point) >> 8).checked_shl(192 - beyond).unwrap_or(0);
    if (not_digits(whole) | not_digits(early) | not_digits(before) | not_digits(last)) != 0 {
        return None;
    }
    let fraction = eight_digits(early) * 10_u64.pow(16) + eight_digits(before) * 10_u64.pow(8) + eight_digits(last);
    Some(quotient(eight_digits(whole) * POWERS_OF_TEN[decimals] + fraction, decimals))
}

const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// `word` with zeros but for its last `bits`, 64 of them if it is more.
#[inline]
fn last_bytes(word: u64, bits: u32) -> u64 {
    let shift = 64_u32.saturating_sub(bits);
    word.checked_shr(shift).map_or(0, |kept| kept << shift)
}

/// Not 0 if a byte of `word` is above 9.
#[inline]
fn not_digits(word: u64) -> u64 {
    (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
}

/// The number whose decimal digits are the bytes of `word`, the first in the lowest byte: pairs,
/// then fours, then all eight.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// 2ᵇ / 5ᶠ, rounded up, with the `b` that leaves 128 bits, for every `f`.
const RECIPROCALS: [u128; 20] = {
    let mut reciprocals = [0; 20];
    let mut decimals = 0;
    while decimals < reciprocals.len() {
        reciprocals[decimals] = reciprocal_of(5_u128.pow(decimals as u32));
        decimals += 1;
    }
    reciprocals
};

/// The first 128 bits of 1 / `divisor`, rounded up: long division.
const fn reciprocal_of(divisor: u128) -> u128 {
    let (mut quotient, mut rest): (u128, u128) = (0, 1);
    while quotient >> 127 == 0 {
        rest *= 2;
        quotient = (quotient << 1) | (rest >= divisor) as u128;
        rest %= divisor;
    }
    // Without a rest, for a divisor of 1, there is nothing to round.
    quotient + (rest != 0) as u128
}

/// The double nearest to `whole` / 10^`decimals`, for 8 to 18 decimals.
#[inline]
fn quotient(whole: u64, decimals: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let zeros = whole.leading_zeros();
    let normal = u128::from(whole << zeros);
    let reciprocal = RECIPROCALS[decimals];
    let mut product = normal * (reciprocal >> 64);
    if product >> 64 & 0x1ff == 0x1ff {
        // The bits below may carry into those that decide.
        product = product.wrapping_add((normal * (reciprocal & u128::from(u64::MAX))) >> 64);
    }
    let high = (product >> 64) as u64;
    let is_large = high >> 63;
    // 54 bits, the last of which says which way to round; then 53 of them, or 2⁵³ and thus the next
    // power of two.
    let bits = high >> (9 + is_large);
    let mantissa = (bits + (bits & 1)) >> 1;
    let power_of_five = (decimals as u32 * 152_170) >> 16;
    let exponent = 1023 + 62 + is_large - u64::from(zeros) - u64::from(power_of_five) - decimals as u64;
    f64::from_bits((exponent << 52) + (mantissa - (1 << 52)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Equal to the last bit; NaN is NaN.
    fn assert_same(text: &str) {
        let (ours, theirs) = (parse(text.as_bytes()), text.parse::<f64>().ok());
        let same = ours.is_some_and(f64::is_nan) && theirs.is_some_and(f64::is_nan);
        assert!(same || ours.map(f64::to_bits) == theirs.map(f64::to_bits), "{text}: {ours:?}, {theirs:?}");
    }

    #[test]
    fn odd_texts_are_read_as_the_standard_library_reads_them() {
        for text in [
            "",
            "+",
            "-",
            ".",
            "e",
            "1e",
            "1e+",
            "+1",
            "++1",
            ".5",
            "5.",
            "-.5e-3",
            "1_000",
            "0x1",
            "1 ",
            " 1",
            "inf",
            "INF",
            "-inf",
            "+inf",
            "infinity",
            "Infinity",
            "infinit",
            "nan",
            "NaN",
            "-nan",
            "+nan",
            "nan(1)",
            "1e999",
            "-1e999",
            "1e-999",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1.7976931348623159e308",
            "9007199254740993",
            "0.1e400",
            "00012",
            "1e00000000000000000001",
            "1E5",
            "1d5",
            "١",
            "1,5",
        ] {
            assert_same(text);
        }
        assert_same(&format!("0.{}1", "0".repeat(400)));
        assert_same(&format!("{}.{}e-800", "9".repeat(800), "1".repeat(800)));
    }

    #[test]
    fn plain_decimals_are_read_as_the_standard_library_reads_them() {
        let digits = "98765432109876543210987";
        for length in 1..=digits.len() {
            for point in 0..=length {
                for (sign, first) in [("", "9"), ("-", "9"), ("", "0"), ("", "x")] {
                    let digits = digits[..length].replacen('9', first, 1);
                    assert_same(&format!("{sign}{}.{}", &digits[..point], &digits[point..]));
                    assert_same(&format!("{sign}{}", &digits));
                }
                for odd in ["/", ":", ".", "-", "\u{0}", "e", "\u{b0}"] {
                    let mut digits = digits[..length].to_string();
                    digits.insert_str(point, odd);
                    assert_same(&digits);
                    assert_same(&format!("1.{digits}"));
                }
            }
        }
    }

    #[test]
    fn quotients_next_to_the_middle_of_two_doubles_are_rounded_to_the_nearer() {
        for exponent in -16_i32..=23 {
            for step in 0..50_u64 {
                let low = (1.0 + step as f64 / 50.0) * 2_f64.powi(exponent);
                let high = f64::from_bits(low.to_bits() + 1);
                // From 2 on the sum is exact and thus the middle; cut after some digits and one
                // more are its neighbours.
                let (whole, fraction) = (low.trunc(), (low.fract() + high.fract()) / 2.0);
                let text = format!("{whole}.{}", &format!("{fraction:.40}")[2..]);
                for length in 15..=text.len().min(22) {
                    assert_same(&text[..length]);
                    let last = text.as_bytes()[length - 1];
                    if last.is_ascii_digit() && last != b'9' {
                        assert_same(&format!("{}{}", &text[..length - 1], (last + 1) as char));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn decimals_are_those_of_the_standard_library(whole in 0..10_000_000_u64, places in 0..7_u32, fraction: u64, length in 1..20_usize) {
            let fraction = format!("{fraction:020}");
            assert_same(&format!("{}.{}", whole / 10_u64.pow(places), &fraction[20 - length..]));
            assert_same(&format!("-{}.{}", whole / 10_u64.pow(places), &fraction[..length]));
        }

        #[test]
        fn numbers_are_those_of_the_standard_library(bits: u64, text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,20}([eE][-+]?[0-9]{0,3})?") {
            let number = f64::from_bits(bits);
            for text in [format!("{number:?}"), format!("{number:e}"), format!("{number:.17}"), text] {
                assert_same(&text);
            }
        }
    }
}
