//! The few operations the algorithm is written in, each defined to the bit.
//!
//! Every method is one IEEE 754 operation in round-to-nearest, or a move of bits, lane by lane: all implementations give
//! the same results, whatever their width.

/// The widest vector's number of lanes.
pub const MAX_LANES: usize = 8;

/// A vector of `f64` lanes.
///
/// A value exists only where the processor has the instructions of its type: the sole way to the first one is
/// [`Vector::splat`], whose caller vouches for them. All other methods are therefore safe.
pub trait Vector: Copy {
    /// A truth value per lane.
    type Mask: Copy;

    /// The number of networks in a vector.
    const LANES: usize;

    /// The number of vectors that fit in the processor's registers.
    const REGISTERS: usize;

    /// `x` in every lane.
    ///
    /// # Safety
    /// The processor must have the instruction set of this type.
    unsafe fn splat(x: f64) -> Self;

    /// `x` in every lane: having a value proves that the instructions exist.
    #[inline(always)]
    fn like(self, x: f64) -> Self {
        // SAFETY: `self` exists, so the caller of its `splat` has vouched for the processor.
        unsafe { Self::splat(x) }
    }

    /// The first `LANES` values of `lanes`, in their order.
    ///
    /// # Safety
    /// As for [`Vector::splat`].
    unsafe fn from_lanes(lanes: &[f64; MAX_LANES]) -> Self;

    /// The lanes in their order, and zeros.
    fn to_lanes(self) -> [f64; MAX_LANES];

    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;

    /// `self · factor + addend`, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// `addend - self · factor`, rounded once.
    fn neg_mul_add(self, factor: Self, addend: Self) -> Self;

    /// `self > other ? self : other`, so `other` if either is NaN.
    fn max(self, other: Self) -> Self;

    /// `self < other ? self : other`, so `other` if either is NaN.
    fn min(self, other: Self) -> Self;

    /// The bits of both.
    fn or(self, other: Self) -> Self;

    /// The bits of `self` and those in which `x` differs from `pattern`.
    fn or_differing(self, x: Self, pattern: Self) -> Self;

    /// Whether any of the 16 highest bits is set.
    fn high(self) -> Self::Mask;

    /// `self < other`, false if either is NaN.
    fn less(self, other: Self) -> Self::Mask;

    /// Whether either mask holds.
    fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// Whether the mask holds in any lane.
    fn any(mask: Self::Mask) -> bool;

    /// `self` where the mask holds, else `other`.
    fn select(self, mask: Self::Mask, other: Self) -> Self;

    /// The bits shifted left by 52: what makes 2^n of n + 1023 in the last bits.
    fn shift_into_exponent(self) -> Self;

    /// For a positive number its biased exponent as a number: 1023 for 1.0.
    fn biased_exponent(self) -> Self;

    /// For a positive number its significand in [1, 2).
    fn significand(self) -> Self;
}

/// The bits of a significand below its leading one.
pub const FRACTION: u64 = (1 << 52) - 1;
/// The 16 highest bits.
pub const HIGH: u64 = 0xffff << 48;
/// The bits of 1.0.
pub const ONE: u64 = 1023 << 52;
/// 2^52, whose last bit is worth 1.
pub const TWO_52: f64 = (1u64 << 52) as f64;
