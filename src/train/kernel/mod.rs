//! The trainer: many 2-2-1 sigmoid networks at once, one in each lane of a vector.
//!
//! # Algebra
//!
//! Patterns k are 00, 01, 10, 11. Hidden neuron j has the preactivation z = b + w1 x1 + w2 x2 and h = 1 / (1 + X) with
//! the odds X = e^-z. The output's sum is f = c + v1 h1 + v2 h2; the odds against the right answer are Y = e^f where the
//! target is 0 and e^-f where it is 1, and the right answer's probability is r = 1 / (1 + Y). Then:
//!
//! - prediction - target is ±(1 - r), and its product with h is ±(h - r h): one fused operation;
//! - h (1 - r) (1 - h) is the hidden error before the output weight: another one;
//! - the epoch's loss is -ln(r0 r1 r2 r3). The running product takes one multiplication an epoch; its exponent is moved
//!   out of it every 64 epochs, exactly, and one logarithm at the end gives the total;
//! - two reciprocals cost one division: 1/a = b / (a b).
//!
//! Weights move little in an epoch, so the odds are multiplied by e^step. [`exp`] has the polynomial for steps up to
//! 1/64, which is of degree 5 and takes three multiplications for e^step - 1. Every 64 epochs, and in each lane
//! whose step is longer, the odds are computed in full. e^(s + t) - 1 of a sum of steps is a + b + a b of the two
//! summands' values, so a neuron's four patterns need three polynomials.
//!
//! Polynomials of leading coefficient 1 save operations: all parameters are kept divided by [`exp::UNIT`], where e^step
//! is (e^UNIT)^step.
//!
//! # Clipping
//!
//! The loss clips predictions at 1e-15, the gradient does not. A product r0 r1 r2 r3 of at least 2^-15 rules the
//! clipping of wrong answers out, and below 1 - 2^-20 that of right ones is negligible (less than 4e-9 of the epoch's
//! loss, and only where other patterns bear it). Outside these bounds, or when a network is first solved, a separate
//! function computes the epoch's loss pattern by pattern. "Solved" compares the product with e^(-4 threshold).
//! Odds are kept within e^±340 so that products of two stay finite; what lies beyond is 0 or 1 to a hundred digits.
//!
//! # Error
//!
//! - [`exp::power`], in full: 1.03 ULP measured, 1.1 tested.
//! - e^step - 1: 2^-43.4 relative, that is at most 2^-49.4 of the odds at the longest step and in proportion less below,
//!   and forgotten after 64 epochs.
//! - Total loss of 96 trainings by NumPy: within 2.1e-13. Where a plain loop's own 1 - p has lost its digits (wrong
//!   answers given with a certainty near 1e-15) the two differ by up to 2e-4.
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
//! An epoch of a vector takes 104 multiplications and fused multiply-adds, 6 divisions, 71 additions, 11 maxima and 4
//! comparisons. Three vectors are in flight, in different thirds of their epochs (see [`epoch`]).

// The only place with unsafe code: intrinsics, and functions compiled for an instruction set.
#![allow(unsafe_code)]

mod epoch;
pub mod exp;
mod networks;
mod scalar;
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
                fn renew_hidden_odds(networks: &mut Networks<T>, step: T, limit: f64) {
                    // SAFETY: a value of type `T` proves that the processor has its instructions.
                    unsafe { renew_hidden_odds(networks, step, limit) }
                }

                #[inline(always)]
                fn renew_odds(networks: &mut Networks<T>, step: T, limit: f64) {
                    // SAFETY: as above.
                    unsafe { renew_odds(networks, step, limit) }
                }

                #[inline(always)]
                fn judge(networks: &mut Networks<T>, epoch: u32) {
                    // SAFETY: as above.
                    unsafe { judge(networks, epoch) }
                }
            }

            #[cold]
            #[inline(never)]
            $(#[target_feature(enable = $features)])?
            unsafe fn renew_hidden_odds(networks: &mut Networks<T>, step: T, limit: f64) {
                networks.renew_hidden_odds(step, limit);
            }

            #[cold]
            #[inline(never)]
            $(#[target_feature(enable = $features)])?
            unsafe fn renew_odds(networks: &mut Networks<T>, step: T, limit: f64) {
                networks.renew_odds(step, limit);
            }

            #[cold]
            #[inline(never)]
            $(#[target_feature(enable = $features)])?
            unsafe fn judge(networks: &mut Networks<T>, epoch: u32) {
                networks.judge(epoch);
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
