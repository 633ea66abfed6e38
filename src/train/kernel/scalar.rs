//! One network at a time: the reference, for any processor.

use super::vector::{FRACTION, HIGH, MAX_LANES, ONE, TWO_52, Vector};

/// A single lane; `FUSED` tells whether the processor multiplies and adds in one instruction.
///
/// Without it `libm` computes the same, correctly rounded value from integer operations.
#[derive(Clone, Copy)]
pub struct Scalar<const FUSED: bool>(f64);

impl<const FUSED: bool> Scalar<FUSED> {
    #[inline(always)]
    fn fma(a: f64, b: f64, c: f64) -> f64 {
        // `f64::mul_add` would call the platform's C library where the instruction is missing.
        if FUSED { a.mul_add(b, c) } else { libm::fma(a, b, c) }
    }
}

impl<const FUSED: bool> Vector for Scalar<FUSED> {
    type Mask = bool;

    const LANES: usize = 1;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        Self(x)
    }

    #[inline(always)]
    unsafe fn from_lanes(lanes: &[f64; MAX_LANES]) -> Self {
        Self(lanes[0])
    }

    #[inline(always)]
    fn to_lanes(self) -> [f64; MAX_LANES] {
        let mut lanes = [0.0; MAX_LANES];
        lanes[0] = self.0;
        lanes
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(Self::fma(self.0, factor.0, addend.0))
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, addend: Self) -> Self {
        Self(Self::fma(-self.0, factor.0, addend.0))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self.0 > other.0 { self } else { other }
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self.0 < other.0 { self } else { other }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(f64::from_bits(self.0.to_bits() | other.0.to_bits()))
    }

    #[inline(always)]
    fn or_differing(self, x: Self, pattern: Self) -> Self {
        Self(f64::from_bits(self.0.to_bits() | (x.0.to_bits() ^ pattern.0.to_bits())))
    }

    #[inline(always)]
    fn high(self) -> bool {
        self.0.to_bits() & HIGH != 0
    }

    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self.0 < other.0
    }

    #[inline(always)]
    fn either(a: bool, b: bool) -> bool {
        a | b
    }

    #[inline(always)]
    fn any(mask: bool) -> bool {
        mask
    }

    #[inline(always)]
    fn select(self, mask: bool, other: Self) -> Self {
        if mask { self } else { other }
    }

    #[inline(always)]
    fn shift_into_exponent(self) -> Self {
        Self(f64::from_bits(self.0.to_bits() << 52))
    }

    #[inline(always)]
    fn biased_exponent(self) -> Self {
        Self(f64::from_bits((self.0.to_bits() >> 52) | TWO_52.to_bits()) - TWO_52)
    }

    #[inline(always)]
    fn significand(self) -> Self {
        Self(f64::from_bits((self.0.to_bits() & FRACTION) | ONE))
    }
}
