//! Exponentials in the kernel's unit: in full, and of a small step.

use super::vector::Vector;

/// The natural logarithm of the kernel's base: all parameters are kept divided by it.
///
/// It is the one with which [`growth`] takes a single multiplication to each of its two factors.
pub const UNIT: f64 = 2.917_828_257_826_395;

/// The largest exponent, in natural units, that [`power`] takes as it is.
const MOST: f64 = 170.0;

const MOST_UNITS: f64 = MOST / UNIT;
/// `UNIT` / ln 2.
const STEPS_PER_UNIT: f64 = 4.209_536_357_731_824;
/// ln 2 / `UNIT` in two parts; the first has few enough bits for exact products with exponents.
const LN_2_HIGH: f64 = 0.237_555_852_953_846_62;
const LN_2_LOW: f64 = -2.879727609644429e-13;
/// 1.5 · 2^52 + 1023: adding it rounds to an integer, kept with a float's exponent bias in the last bits.
const ROUND: f64 = 6_755_399_441_055_744.0 + 1023.0;
/// e^(UNIT r) for |r| up to half a step, by powers of r: interpolated at Chebyshev nodes, error 2^-55.6.
const POWER: [f64; 12] = [
    1.0,
    UNIT,
    4.256_860_871_085_109,
    4.140_262_979_762_537,
    3.020_144_079_292_829_4,
    1.762_452_347_454_646,
    0.857_088_878_826_495_4,
    0.357_262_592_536_514_54,
    0.130_303_514_207_917_03,
    0.042_244_843_021_950_62,
    0.012_354_413_315_537_19,
    0.003_275_949_583_254_678_7,
];
/// The coefficients of [`growth`].
const GROWTH: [f64; 3] = [0.184_759_402_450_829_56, 0.745_436_146_855_354_3, -0.301_701_739_430_427_55];

/// exp(`UNIT` · x), x brought into ±340 / `UNIT`; NaN of NaN.
#[inline(always)]
pub fn power<T: Vector>(x: T) -> T {
    // In this order of operands NaN stays NaN.
    let x = x.like(MOST_UNITS).min(x);
    let x = x.like(-MOST_UNITS).max(x);
    let shifted = x.mul_add(x.like(STEPS_PER_UNIT), x.like(ROUND));
    let steps = shifted.sub(x.like(ROUND));
    let rest = steps.neg_mul_add(x.like(LN_2_HIGH), x);
    let rest = steps.neg_mul_add(x.like(LN_2_LOW), rest);
    let mut sum = x.like(POWER[11]);
    for &coefficient in POWER[..11].iter().rev() {
        sum = sum.mul_add(rest, x.like(coefficient));
    }
    sum.mul(shifted.shift_into_exponent())
}

/// What a step multiplies the odds by, but for a constant: e^(UNIT · step) · [`GAIN`] in two factors.
///
/// A polynomial of degree 4 is the product of two quadratic ones, (x + a) x + b and (x + c) x + d. In this unit both
/// lead with 1 and c - a is 1, so that the second is the first and x + (d - b). The relative error is 2^-36.3 at most and
/// falls with the third power of the step: 2^-42.6 at 1/256, 2^-48.6 at 1/1024, 2^-54.6 at 1/4096.
#[inline(always)]
pub fn growth<T: Vector>(step: T) -> [T; 2] {
    let first = step.add(step.like(GROWTH[0])).mul_add(step, step.like(GROWTH[1]));
    [first, first.add(step.add(step.like(GROWTH[2])))]
}

/// [`growth`] at 0; exact, as its factors have 26 bits each.
pub const GAIN: f64 = GROWTH[1] * (GROWTH[1] + GROWTH[2]);

/// The step is short enough for [`growth`], from -0.0154 to 0.0230 in natural units, where the second factor is at least
/// this and below 29/64. Those are the numbers that share their 16 highest bits with it.
pub const SHORT: f64 = 28.0 / 64.0;
