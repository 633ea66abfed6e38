//! How is a quotient of long integers rounded once? Just enough arithmetic for [`super::exact`].
//!
//! A [`Magnitude`] is a sign and limbs of 32 bits, lowest first. A [`Ratio`] is a quotient cut to at least 112 leading bits,
//! with the knowledge whether something was cut off: enough to round it, or its root, to the nearest double.
//! Why not a crate for long integers: four operations on some hundred bits do not pay for one.

use std::cmp::Ordering;

/// Leading bits kept of a quotient: twice 53 for a root, and room to round.
const KEPT: u32 = 112;

/// A signed integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Magnitude {
    negative: bool,
    /// Lowest first, without zeros at the top.
    limbs: Vec<u32>,
}

impl Magnitude {
    fn new(negative: bool, mut limbs: Vec<u32>) -> Self {
        let length = limbs.iter().rposition(|limb| *limb != 0).map_or(0, |last| last + 1);
        limbs.truncate(length);
        Self { negative: negative && length > 0, limbs }
    }

    /// Σ limbs[i] · 2^(32 i), the limbs being any signed numbers below 2⁶².
    pub(super) fn of_limbs(limbs: &[i64]) -> Self {
        let carried = |sign: i64| {
            let mut over = 0i64;
            let digits: Vec<u32> = limbs
                .iter()
                .map(|limb| {
                    let whole = sign * limb + over;
                    over = whole >> 32;
                    whole as u32
                })
                .collect();
            (over == 0).then_some(digits)
        };
        match carried(1) {
            Some(digits) => Self::new(false, digits),
            None => Self::new(true, carried(-1).unwrap_or_default()),
        }
    }

    /// The product with `factor`.
    pub(super) fn times(&self, factor: u64) -> Self {
        let mut over = 0u128;
        let mut limbs: Vec<u32> = Vec::with_capacity(self.limbs.len() + 3);
        for limb in self.limbs.iter().chain(&[0, 0, 0]) {
            let whole = u128::from(*limb) * u128::from(factor) + over;
            limbs.push(whole as u32);
            over = whole >> 32;
        }
        Self::new(self.negative, limbs)
    }

    /// The square. Quadratic in the limbs between the lowest and the highest that is not 0.
    pub(super) fn square(&self) -> Self {
        let from = self.limbs.iter().position(|limb| *limb != 0).unwrap_or(0);
        let digits = &self.limbs[from..];
        let mut limbs = vec![0u32; 2 * self.limbs.len()];
        for (i, a) in digits.iter().enumerate() {
            let mut over = 0u64;
            for (j, b) in digits.iter().chain(&[0]).enumerate() {
                let Some(limb) = limbs.get_mut(2 * from + i + j) else { break };
                let whole = u64::from(*a) * u64::from(*b) + u64::from(*limb) + over;
                *limb = whole as u32;
                over = whole >> 32;
            }
        }
        Self::new(false, limbs)
    }

    /// The difference of two numbers that are not negative.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let (negative, large, small) = match self.compare(other) {
            Ordering::Less => (true, other, self),
            _ => (false, self, other),
        };
        let mut under = 0i64;
        let limbs = large.limbs.iter().zip(small.limbs.iter().chain(std::iter::repeat(&0)));
        let limbs = limbs.map(|(a, b)| {
            let whole = i64::from(*a) - i64::from(*b) + under;
            under = whole >> 32;
            whole as u32
        });
        Self::new(negative, limbs.collect())
    }

    fn compare(&self, other: &Self) -> Ordering {
        let length = self.limbs.len().cmp(&other.limbs.len());
        length.then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }

    fn bits(&self) -> u32 {
        self.limbs.last().map_or(0, |top| 32 * self.limbs.len() as u32 - top.leading_zeros())
    }

    /// The number times 2^(32 · limbs).
    fn raised(&self, limbs: u32) -> Self {
        let mut raised = vec![0; limbs as usize];
        raised.extend(&self.limbs);
        Self { negative: self.negative, limbs: raised }
    }

    /// Quotient towards 0, and whether a remainder was left.
    fn divided(&self, divisor: u64) -> (Self, bool) {
        let mut rest = 0u128;
        let mut limbs = self.limbs.clone();
        for limb in limbs.iter_mut().rev() {
            let whole = rest << 32 | u128::from(*limb);
            // The remainder is below the divisor, the quotient therefore below 2³².
            *limb = (whole / u128::from(divisor)) as u32;
            rest = whole % u128::from(divisor);
        }
        (Self::new(self.negative, limbs), rest != 0)
    }
}

/// quotient · 2^exponent, or, if `cut`, a number between that and quotient + 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    negative: bool,
    quotient: u128,
    exponent: i32,
    cut: bool,
}

impl Ratio {
    /// `numerator` · 2^`exponent` over the product of `divisors`, none of them 0.
    pub(super) fn of(numerator: &Magnitude, divisors: &[u64], exponent: i32) -> Self {
        let divisor_bits: u32 = divisors.iter().map(|divisor| 64 - divisor.leading_zeros()).sum();
        let raise = (KEPT + divisor_bits + 32).saturating_sub(numerator.bits()) / 32;
        let (mut whole, mut cut) = (numerator.raised(raise), false);
        for divisor in divisors {
            let (quotient, rest) = whole.divided(*divisor);
            (whole, cut) = (quotient, cut || rest);
        }
        let drop = whole.bits().saturating_sub(128);
        let (limbs, shift) = ((drop / 32) as usize, drop % 32);
        let mut quotient = 0u128;
        for (i, limb) in whole.limbs.iter().enumerate().skip(limbs) {
            let place = 32 * (i - limbs) as i32 - shift as i32;
            quotient |= if place < 0 { u128::from(*limb) >> -place } else { u128::from(*limb) << place };
        }
        cut |= whole.limbs[..limbs.min(whole.limbs.len())].iter().any(|limb| *limb != 0);
        cut |= whole.limbs.get(limbs).is_some_and(|limb| limb & ((1 << shift) - 1) != 0);
        Self { negative: numerator.negative, quotient, exponent: exponent - 32 * raise as i32 + drop as i32, cut }
    }

    /// The nearest double, ties to even.
    pub(super) fn round(self) -> f64 {
        let magnitude = nearest(self.quotient, self.exponent, self.cut);
        if self.negative { -magnitude } else { magnitude }
    }

    /// The double nearest to the root of a number that is not negative.
    pub(super) fn root(self) -> f64 {
        // An even exponent and a full quotient, so that the root has at least 60 bits.
        let spare = self.quotient.leading_zeros();
        let shift = if (self.exponent - spare as i32) % 2 == 0 { spare } else { spare.saturating_sub(1) };
        if self.quotient == 0 {
            return 0.0;
        }
        let (quotient, exponent, cut) = if (self.exponent - shift as i32) % 2 == 0 {
            (self.quotient << shift, self.exponent - shift as i32, self.cut)
        } else {
            // A full quotient with an odd exponent gives up a bit.
            (self.quotient >> 1, self.exponent + 1, self.cut || self.quotient & 1 != 0)
        };
        let root = quotient.isqrt();
        nearest(root, exponent / 2, cut || root * root != quotient)
    }
}

/// The double nearest to q · 2^exponent, or to a number just above if `cut`; ties to even.
fn nearest(q: u128, exponent: i32, cut: bool) -> f64 {
    let bits = 128 - q.leading_zeros() as i32;
    // The exponent of the last bit that a double of this size has.
    let unit = (bits + exponent - 53).max(-1074);
    let drop = unit - exponent;
    if drop <= 0 {
        // A quotient this short is exact.
        return libm::ldexp(q as f64, exponent);
    }
    if drop > 128 {
        return 0.0;
    }
    let kept = if drop == 128 { 0 } else { q >> drop };
    let rest = if drop == 128 { q } else { q & ((1 << drop) - 1) };
    let half = 1u128 << (drop - 1);
    let up = rest > half || rest == half && (cut || kept & 1 == 1);
    libm::ldexp((kept + u128::from(up)) as f64, unit)
}
