//! The trainer: many 2-2-1 sigmoid networks at once, one in each lane of a vector.
//!
//! # Algebra
//!
//! Patterns k are 00, 01, 10, 11. Hidden neuron j has the preactivation z = b + w1 x1 + w2 x2 and h = 1 / (1 + X) with
//! the odds X = e^-z. The output's sum is f = c + v1 h1 + v2 h2; the odds against the right answer are Y = e^f where the
//! target is 0 and e^-f where it is 1, and the right answer's probability is r = 1 / (1 + Y). Then:
//!
//! - the error times the learning rate is d = ±rate (1 - r); its product with h is the output weight's gradient, and
//!   p - p h of that product p is the hidden error before the output weight;
//! - the epoch's loss is ln((1 + Y0) (1 + Y1) (1 + Y2) (1 + Y3)). The running product takes one multiplication an epoch;
//!   its exponent is moved out of it every 128 epochs, exactly, and one logarithm at the end gives the total;
//! - two reciprocals cost one division: 1/a = b / (a b). Its numerator is free: it brings in the learning rate.
//!
//! Weights move little in an epoch, so the odds are multiplied by e^step. [`exp::growth`] does it for short steps in
//! three multiplications, but for a constant factor: after n epochs the odds are too large by a known [`exp::GAIN`]^n,
//! the scale, and 1 / (1 + X) is computed as scale / (scale + scaled odds). Every 128 epochs the scale is taken back to 1
//! by one multiplication; every 512 epochs, and in each lane whose step is longer, the odds are computed in full. That a step is longer shows in the highest bits of a value that is needed
//! anyway, so that all twelve tests take one bit operation each and one branch together.
//!
//! All parameters are kept divided by [`exp::UNIT`], the unit that makes the polynomial's leading coefficients 1.
//!
//! # Clipping
//!
//! The loss clips predictions at 1e-15, the gradient does not. A product of all 1 + Y of at most 2^7 rules the
//! clipping of wrong answers out, and above 1 + 2^-20 that of right ones is negligible (less than 4e-9 of the epoch's
//! loss, and only where other patterns bear it). Outside these bounds, or when a network is first solved, a separate
//! function computes the epoch's loss pattern by pattern. "Solved" compares the product with e^(4 threshold).
//! Odds are computed within e^±170 so that products of four stay finite; what lies beyond is 0 or 1 to 73 digits.
//!
//! # Error
//!
//! - [`exp::power`], in full: 0.82 ULP measured, 1.1 tested.
//! - [`exp::growth`]: 2^-36.3 of the odds at the longest step, falling with its third power, and forgotten after 512
//!   epochs.
//! - Total loss of 96 trainings by NumPy: within 1.3e-10. Where a plain loop's own 1 - p has lost its digits (wrong
//!   answers given with a certainty near 1e-15) the two differ by up to 3e-4.
//!
//! # Same bits everywhere
//!
//! Only IEEE operations, each rounded once (see [`vector`]), are used, in one order, and every choice is made lane by
//! lane: a branch that depends on a neighbour only decides whether a value is computed that no lane then takes. A
//! network's outcome depends on its own task and the schedule, not on lane, neighbours, width, or instruction set.
//! NaN may differ in its payload.
//!
//! # Operations
//!
//! An epoch of a vector takes 91 multiplications and fused multiply-adds, 6 divisions, 85 additions, 14 bit operations,
//! 2 comparisons and 41 stores. Three vectors are in flight, in different thirds of their epochs (see [`epoch`]). On Zen 4
//! such a mix of independent 512-bit instructions takes 113 cycles and the loop about 137, some 10 of them in the seldom
//! part. The order of the statements counts more than their number, presumably because the processor looks less than an
//! epoch ahead: the first order took 161 cycles (of those, 24 for stores and 19 for divisions instead of multiplications),
//! the best one by hand 146.
//!
//! Trials with AVX-512 on Zen 4, µs per training of 10,000 epochs, first with exponentials in full every 64 epochs:
//!
//! | trial | µs |
//! | --- | --- |
//! | order by hand | 48.8 |
//! | the same without the seldom part (a bound, wrong results) | 45.4 |
//! | without it but every 64 epochs (likewise) | 46.9 |
//! | order by search, parts of two patterns | 45.9 |
//! | the same statements written out in place of methods, searched for longer | 45.7 |
//! | two vectors, last two thirds merged: errors never stored, 35 stores; order searched | 53.5 |
//! | the same, hidden outputs in registers too: 33 stores; order as first written (before: 54.9) | 54.9 |
//! | five vectors, idle thirds before the odds are used, so that the seldom branch is known early | 56.6 |
//! | the same, `Networks` padded by 44 vectors: at multiples of 4 KiB loads seem to wait for others' stores (118) | 53.9 |
//! | 256-bit vectors with 32 registers (AVX-512 VL), order by hand | 57.0 |
//! | seldom part: the eight exponents of a lone lane in one vector | 48.8 |
//! | `Networks` padded by 2 to 26 vectors, order by hand | 48.8 to 48.9, 50.6 at 4 KiB |
//! | as by search; exponentials in full every 128 epochs | 45.4 |
//! | scale taken back to 1 every 64 epochs, exponentials in full every 256, 512 | 44.9, 44.8 |
//! | scale taken back to 1 every 128 epochs, exponentials in full every 256, 512 (this one) | 44.8, 44.7 |
//!
//! The last rows cost accuracy, 1.3e-10 where 64 gave 2.3e-11. A period of 256 is impossible: the fourth power of the
//! scale would underflow.
//!
//! With AVX2's 16 registers the order by hand took 63.5 µs written out, that of the search in methods takes 63.2.
//!
//! Not tried, as they change bits: longer short steps, which would save some of the 2.4 % of steps that take the seldom
//! part. Mostly one lane alone needs it, and most of its cost seems to be the mispredicted branch.

// The only place with unsafe code: intrinsics, and functions compiled for an instruction set.
#![allow(unsafe_code)]

mod epoch;
pub mod exp;
mod networks;
mod scalar;
mod thirds;
mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use crate::train::network::{Outcome, Parameters, Schedule, Task};
use epoch::{IN_FLIGHT, Seldom, Unwatched, Watch, Watched};
use networks::Networks;

/// Compiles the algorithm for a vector type with its processor features.
macro_rules! instantiate {
    ($module:ident, $vector:ty $(, $features:literal)?) => {
        mod $module {
            use super::*;

            type T = $vector;

            impl Seldom for T {
                #[inline(always)]
                fn seldom(groups: [&mut Networks<T>; 3], epochs: [u32; 3], long: [T; 2]) {
                    // SAFETY: a value of type `T` proves that the processor has its instructions.
                    unsafe { seldom(groups, epochs, long) }
                }
            }

            #[cold]
            #[inline(never)]
            $(#[target_feature(enable = $features)])?
            unsafe fn seldom(groups: [&mut Networks<T>; 3], epochs: [u32; 3], long: [T; 2]) {
                epoch::seldom(groups, epochs, long);
            }

            /// # Safety
            /// The processor must have the instruction set of `T`.
            $(#[target_feature(enable = $features)])?
            pub unsafe fn train(tasks: &[Task], schedule: &Schedule, out: &mut [Outcome], watch: &mut impl Watch) {
                // SAFETY: the caller vouches for the processor.
                unsafe { epoch::train::<T>(tasks, schedule, out, watch) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
instantiate!(with_avx512, avx512::Avx512, "avx512f,avx512dq");
#[cfg(target_arch = "x86_64")]
instantiate!(with_avx2, avx2::Avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
instantiate!(with_fma, scalar::Scalar<true>, "fma");
#[cfg(target_arch = "aarch64")]
instantiate!(with_neon, neon::Neon, "neon");
#[cfg(target_arch = "aarch64")]
instantiate!(with_fma, scalar::Scalar<true>, "neon");
instantiate!(anywhere, scalar::Scalar<false>);

/// What a batch is trained with. The results are the same to the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// Eight networks in a vector.
    Avx512,
    /// Four networks in a vector.
    Avx2,
    /// Two networks in a vector.
    Neon,
    /// One network at a time, with the processor's fused multiply-add if it has one.
    Scalar,
    /// One network at a time, without any special instruction.
    Portable,
}

impl Simd {
    /// All choices, the fastest first.
    const ALL: [Simd; 5] = [Simd::Avx512, Simd::Avx2, Simd::Neon, Simd::Scalar, Simd::Portable];

    /// The fastest this processor has.
    pub fn detect() -> Simd {
        Self::available()[0]
    }

    /// All this processor has, the fastest first.
    pub fn available() -> Vec<Simd> {
        Self::ALL.into_iter().filter(|simd| simd.exists()).collect()
    }

    /// What the command line and the record of a sweep call it.
    pub fn name(self) -> &'static str {
        match self {
            Simd::Avx512 => "avx512",
            Simd::Avx2 => "avx2",
            Simd::Neon => "neon",
            Simd::Scalar => "scalar",
            Simd::Portable => "portable",
        }
    }

    /// The number of networks in one vector.
    pub fn lanes(self) -> usize {
        match self {
            Simd::Avx512 => 8,
            Simd::Avx2 => 4,
            Simd::Neon => 2,
            Simd::Scalar | Simd::Portable => 1,
        }
    }

    /// The number of networks trained at once: a multiple of it leaves no lane idle.
    pub fn batch(self) -> usize {
        self.lanes() * IN_FLIGHT
    }

    fn exists(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq"),
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Simd::Scalar => is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "aarch64")]
            Simd::Neon | Simd::Scalar => std::arch::is_aarch64_feature_detected!("neon"),
            Simd::Portable => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}

/// Trains every task's network; `out` gets the outcomes in the same order.
///
/// An outcome depends on its own task and the schedule only.
///
/// # Panics
/// If `tasks` and `out` differ in length, or this processor does not have `simd`.
pub fn train_batch(simd: Simd, tasks: &[Task], schedule: &Schedule, out: &mut [Outcome]) {
    assert_eq!(tasks.len(), out.len(), "one outcome for each task");
    for (tasks, out) in tasks.chunks(simd.batch()).zip(out.chunks_mut(simd.batch())) {
        train(simd, tasks, schedule, out, &mut Unwatched);
    }
}

/// Trains one network and shows its course: `observe` gets each epoch's number, mean loss, and parameters after it.
///
/// The outcome is, to the bit, that of [`train_batch`].
pub fn train_observed(task: &Task, schedule: &Schedule, observe: impl FnMut(u32, f64, &Parameters)) -> Outcome {
    let simd = if Simd::Scalar.exists() { Simd::Scalar } else { Simd::Portable };
    let mut outcome = Outcome::default();
    train(simd, std::slice::from_ref(task), schedule, std::slice::from_mut(&mut outcome), &mut Watched(observe));
    outcome
}

fn train(simd: Simd, tasks: &[Task], schedule: &Schedule, out: &mut [Outcome], watch: &mut impl Watch) {
    assert!(simd.exists(), "this processor does not have {}", simd.name());
    if schedule.epochs == 0 {
        for (outcome, task) in out.iter_mut().zip(tasks) {
            *outcome = Outcome { last: task.init, ..Outcome::default() };
        }
        return;
    }
    // SAFETY: the processor has been asked for the instruction set just above.
    unsafe {
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => with_avx512::train(tasks, schedule, out, watch),
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => with_avx2::train(tasks, schedule, out, watch),
            #[cfg(target_arch = "aarch64")]
            Simd::Neon => with_neon::train(tasks, schedule, out, watch),
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Simd::Scalar => with_fma::train(tasks, schedule, out, watch),
            _ => anywhere::train(tasks, schedule, out, watch),
        }
    }
}

#[cfg(test)]
mod tests;
