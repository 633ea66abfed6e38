//! Four networks in a 256-bit register.

use std::arch::x86_64::*;

use super::vector::{FRACTION, HIGH, MAX_LANES, ONE, TWO_52, Vector};

#[derive(Clone, Copy)]
pub struct Avx2(__m256d);

// SAFETY of every block below, but in `splat` and `from_lanes` where the caller vouches for it: a value of this type proves that the processor has AVX2 and FMA (see `Vector`).
impl Vector for Avx2 {
    type Mask = __m256d;

    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        Self(unsafe { _mm256_set1_pd(x) })
    }

    #[inline(always)]
    unsafe fn from_lanes(lanes: &[f64; MAX_LANES]) -> Self {
        Self(unsafe { _mm256_loadu_pd(lanes.as_ptr()) })
    }

    #[inline(always)]
    fn to_lanes(self) -> [f64; MAX_LANES] {
        let mut lanes = [0.0; MAX_LANES];
        unsafe { _mm256_storeu_pd(lanes.as_mut_ptr(), self.0) };
        lanes
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm256_sub_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm256_mul_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(unsafe { _mm256_div_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { _mm256_fmadd_pd(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { _mm256_fnmadd_pd(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(unsafe { _mm256_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(unsafe { _mm256_or_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn or_differing(self, x: Self, pattern: Self) -> Self {
        Self(unsafe { _mm256_or_pd(self.0, _mm256_xor_pd(x.0, pattern.0)) })
    }

    #[inline(always)]
    fn high(self) -> __m256d {
        unsafe {
            let high = _mm256_and_si256(_mm256_castpd_si256(self.0), _mm256_set1_epi64x(HIGH as i64));
            let none = _mm256_cmpeq_epi64(high, _mm256_setzero_si256());
            _mm256_castsi256_pd(_mm256_xor_si256(none, _mm256_set1_epi64x(-1)))
        }
    }

    #[inline(always)]
    fn less(self, other: Self) -> __m256d {
        unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn either(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_or_pd(a, b) }
    }

    #[inline(always)]
    fn any(mask: __m256d) -> bool {
        unsafe { _mm256_movemask_pd(mask) != 0 }
    }

    #[inline(always)]
    fn select(self, mask: __m256d, other: Self) -> Self {
        Self(unsafe { _mm256_blendv_pd(other.0, self.0, mask) })
    }

    #[inline(always)]
    fn shift_into_exponent(self) -> Self {
        Self(unsafe { _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(self.0))) })
    }

    #[inline(always)]
    fn biased_exponent(self) -> Self {
        unsafe {
            let two_52 = _mm256_set1_pd(TWO_52);
            let exponent = _mm256_srli_epi64::<52>(_mm256_castpd_si256(self.0));
            let sum = _mm256_or_si256(exponent, _mm256_castpd_si256(two_52));
            Self(_mm256_sub_pd(_mm256_castsi256_pd(sum), two_52))
        }
    }

    #[inline(always)]
    fn significand(self) -> Self {
        unsafe {
            let fraction = _mm256_and_si256(_mm256_castpd_si256(self.0), _mm256_set1_epi64x(FRACTION as i64));
            Self(_mm256_castsi256_pd(_mm256_or_si256(fraction, _mm256_set1_epi64x(ONE as i64))))
        }
    }
}
