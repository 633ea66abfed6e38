//! Eight networks in a 512-bit register.

use std::arch::x86_64::*;

use super::vector::{FRACTION, HIGH, MAX_LANES, ONE, TWO_52, Vector};

#[derive(Clone, Copy)]
pub struct Avx512(__m512d);

// SAFETY of every block below, but in `splat` and `from_lanes` where the caller vouches for it: a value of this type proves that the processor has AVX-512 F and DQ (see `Vector`).
impl Vector for Avx512 {
    type Mask = __mmask8;

    const LANES: usize = 8;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        Self(unsafe { _mm512_set1_pd(x) })
    }

    #[inline(always)]
    unsafe fn from_lanes(lanes: &[f64; MAX_LANES]) -> Self {
        Self(unsafe { _mm512_loadu_pd(lanes.as_ptr()) })
    }

    #[inline(always)]
    fn to_lanes(self) -> [f64; MAX_LANES] {
        let mut lanes = [0.0; MAX_LANES];
        unsafe { _mm512_storeu_pd(lanes.as_mut_ptr(), self.0) };
        lanes
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm512_mul_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(unsafe { _mm512_div_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { _mm512_fmadd_pd(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { _mm512_fnmadd_pd(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(unsafe { _mm512_or_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn or_differing(self, x: Self, pattern: Self) -> Self {
        let [seen, x, pattern] = [self, x, pattern].map(|x| unsafe { _mm512_castpd_si512(x.0) });
        // a | (b ^ c)
        Self(unsafe { _mm512_castsi512_pd(_mm512_ternarylogic_epi64::<0xf6>(seen, x, pattern)) })
    }

    #[inline(always)]
    fn high(self) -> __mmask8 {
        unsafe { _mm512_test_epi64_mask(_mm512_castpd_si512(self.0), _mm512_set1_epi64(HIGH as i64)) }
    }

    #[inline(always)]
    fn less(self, other: Self) -> __mmask8 {
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn either(a: __mmask8, b: __mmask8) -> __mmask8 {
        a | b
    }

    #[inline(always)]
    fn any(mask: __mmask8) -> bool {
        mask != 0
    }

    #[inline(always)]
    fn select(self, mask: __mmask8, other: Self) -> Self {
        Self(unsafe { _mm512_mask_blend_pd(mask, other.0, self.0) })
    }

    #[inline(always)]
    fn shift_into_exponent(self) -> Self {
        Self(unsafe { _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_castpd_si512(self.0))) })
    }

    #[inline(always)]
    fn biased_exponent(self) -> Self {
        unsafe {
            let two_52 = _mm512_set1_pd(TWO_52);
            let exponent = _mm512_srli_epi64::<52>(_mm512_castpd_si512(self.0));
            let sum = _mm512_or_si512(exponent, _mm512_castpd_si512(two_52));
            Self(_mm512_sub_pd(_mm512_castsi512_pd(sum), two_52))
        }
    }

    #[inline(always)]
    fn significand(self) -> Self {
        unsafe {
            let fraction = _mm512_and_si512(_mm512_castpd_si512(self.0), _mm512_set1_epi64(FRACTION as i64));
            Self(_mm512_castsi512_pd(_mm512_or_si512(fraction, _mm512_set1_epi64(ONE as i64))))
        }
    }
}
