//! Exponentials in the kernel's unit: in full, and of a small step.

use super::vector::Vector;

/// The natural logarithm of the kernel's base: all parameters are kept divided by it.
///
/// It makes the leading coefficient of [`quotient`]'s polynomial 1, which saves it two multiplications; its 20 bits after
/// the point make it exact here and in a fit of the coefficients.
pub const UNIT: f64 = 2.605_167_388_916_015_6;

/// The largest exponent, in natural units, that [`power`] takes as it is.
const MOST: f64 = 340.0;

/// The longest step for [`quotient`], in natural units.
pub const SHORT: f64 = 1.0 / 64.0;

const MOST_UNITS: f64 = MOST / UNIT;
/// `UNIT` / ln 2.
const STEPS_PER_UNIT: f64 = 3.758_462_072_674_785;
/// ln 2 / `UNIT` in two parts; the first has few enough bits for exact products with exponents.
const LN_2_HIGH: f64 = 0.266_066_274_093_645_9;
const LN_2_LOW: f64 = 3.028_009_106_675_481e-13;
/// 1.5 · 2^52 + 1023: adding it rounds to an integer, kept with a float's exponent bias in the last bits.
const ROUND: f64 = 6_755_399_441_055_744.0 + 1023.0;
/// e^(UNIT r) for |r| up to half a step, by powers of r: interpolated at Chebyshev nodes, error 2^-55.5.
const POWER: [f64; 12] = [
    1.0,
    UNIT,
    3.393_448_562_135_746,
    2.946_833_843_346_662_5,
    1.919_248_857_308_233_4,
    0.999_992_906_855_375_8,
    0.434_191_485_900_147_83,
    0.161_591_642_649_585_73,
    0.052_621_519_616_733_08,
    0.015_231_997_685_179_716,
    0.003_977_236_313_317_054,
    0.000_941_612_804_553_593_7,
];
/// (e^(UNIT x) - 1) / x for x up to `SHORT` in Knuth's form (The Art of Computer Programming, vol. 2, 4.6.4, eq. 9) of
/// a polynomial of degree 4 with two multiplications: interpolated at Chebyshev nodes, relative error 2^-43.48.
const GROWTH: [f64; 4] =
    [0.459_634_190_502_145_3, 2.347_350_531_686_497_5, -2.418_764_999_672_385_2, 2.772_802_178_312_797];

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

/// The first half of [`quotient`].
#[inline(always)]
pub fn quadratic<T: Vector>(step: T) -> T {
    step.add(step.like(GROWTH[0])).mul_add(step, step.like(GROWTH[1]))
}

/// The quotient (exp(`UNIT` · step) - 1) / step, for |step| up to `SHORT` / `UNIT`.
///
/// With y = (x + a0) x + a1 it is (y + x + a2) y + a3.
#[inline(always)]
pub fn quotient<T: Vector>(step: T, y: T) -> T {
    y.add(step.add(step.like(GROWTH[2]))).mul_add(y, step.like(GROWTH[3]))
}
