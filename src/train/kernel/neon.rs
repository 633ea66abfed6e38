//! Two networks in a 128-bit register of an AArch64 processor.

use std::arch::aarch64::*;

use super::vector::{FRACTION, HIGH, MAX_LANES, ONE, TWO_52, Vector};

#[derive(Clone, Copy)]
pub struct Neon(float64x2_t);

// SAFETY of every block below, but in `splat` and `from_lanes` where the caller vouches for it: a value of this type proves that the processor has NEON (see `Vector`).
impl Vector for Neon {
    type Mask = uint64x2_t;

    const LANES: usize = 2;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        Self(unsafe { vdupq_n_f64(x) })
    }

    #[inline(always)]
    unsafe fn from_lanes(lanes: &[f64; MAX_LANES]) -> Self {
        Self(unsafe { vld1q_f64(lanes.as_ptr()) })
    }

    #[inline(always)]
    fn to_lanes(self) -> [f64; MAX_LANES] {
        let mut lanes = [0.0; MAX_LANES];
        unsafe { vst1q_f64(lanes.as_mut_ptr(), self.0) };
        lanes
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { vaddq_f64(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(unsafe { vsubq_f64(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(unsafe { vmulq_f64(self.0, other.0) })
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(unsafe { vdivq_f64(self.0, other.0) })
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // NEON's order: addend first.
        Self(unsafe { vfmaq_f64(addend.0, self.0, factor.0) })
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { vfmsq_f64(addend.0, self.0, factor.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // Not FMAX, which gives NaN where x86 gives its second operand.
        self.select(other.less(self), other)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.select(self.less(other), other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        let [a, b] = [self, other].map(|x| unsafe { vreinterpretq_u64_f64(x.0) });
        Self(unsafe { vreinterpretq_f64_u64(vorrq_u64(a, b)) })
    }

    #[inline(always)]
    fn or_differing(self, x: Self, pattern: Self) -> Self {
        let [seen, x, pattern] = [self, x, pattern].map(|x| unsafe { vreinterpretq_u64_f64(x.0) });
        Self(unsafe { vreinterpretq_f64_u64(vorrq_u64(seen, veorq_u64(x, pattern))) })
    }

    #[inline(always)]
    fn high(self) -> uint64x2_t {
        unsafe { vtstq_u64(vreinterpretq_u64_f64(self.0), vdupq_n_u64(HIGH)) }
    }

    #[inline(always)]
    fn less(self, other: Self) -> uint64x2_t {
        unsafe { vcltq_f64(self.0, other.0) }
    }

    #[inline(always)]
    fn either(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
        unsafe { vorrq_u64(a, b) }
    }

    #[inline(always)]
    fn any(mask: uint64x2_t) -> bool {
        unsafe { vgetq_lane_u64::<0>(mask) | vgetq_lane_u64::<1>(mask) != 0 }
    }

    #[inline(always)]
    fn select(self, mask: uint64x2_t, other: Self) -> Self {
        Self(unsafe { vbslq_f64(mask, self.0, other.0) })
    }

    #[inline(always)]
    fn shift_into_exponent(self) -> Self {
        Self(unsafe { vreinterpretq_f64_u64(vshlq_n_u64::<52>(vreinterpretq_u64_f64(self.0))) })
    }

    #[inline(always)]
    fn biased_exponent(self) -> Self {
        unsafe {
            let two_52 = vdupq_n_f64(TWO_52);
            let exponent = vshrq_n_u64::<52>(vreinterpretq_u64_f64(self.0));
            let sum = vorrq_u64(exponent, vreinterpretq_u64_f64(two_52));
            Self(vsubq_f64(vreinterpretq_f64_u64(sum), two_52))
        }
    }

    #[inline(always)]
    fn significand(self) -> Self {
        unsafe {
            let fraction = vandq_u64(vreinterpretq_u64_f64(self.0), vdupq_n_u64(FRACTION));
            Self(vreinterpretq_f64_u64(vorrq_u64(fraction, vdupq_n_u64(ONE))))
        }
    }
}
