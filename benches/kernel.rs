//! Time per training of every instruction set, in turn, beside the plain loop; and the share of the processor's peak
//! multiply-add rate, measured in the same run.
//!
//! `cargo bench --bench kernel [-- ROUNDS]`. The least of many rounds says what the code can do, the median what the machine
//! gave. Whole commands beside NumPy, Numba and JAX: `benches/baseline_numpy.py`.

// The peak needs intrinsics; the output is the point.
#![allow(unsafe_code, clippy::print_stdout)]

use std::time::Instant;

use initsweep::sweep::{ARTICLE_LEVELS, Draws, SweepPlan, parse_levels};
use initsweep::train::kernel::{Simd, train_batch};
use initsweep::train::network::{self, Outcome, Schedule, Task};
use initsweep::train::schedule::task_of;

/// Networks a round: a multiple of every batch.
const NETWORKS: usize = 192;

/// Multiplications and fused multiply-adds in an epoch of one vector.
const FUSED: f64 = 91.0;

/// Writes the function that gives the least time of one multiply-add of a vector in ns, many independent ones in a row.
#[cfg(target_arch = "x86_64")]
macro_rules! peak {
    ($name:ident, $features:literal, $set:ident, $fused:ident) => {
        #[target_feature(enable = $features)]
        fn $name() -> f64 {
            use std::arch::x86_64::*;
            const ROUNDS: usize = 100_000;
            let mut least = f64::INFINITY;
            for _ in 0..30 {
                let start = Instant::now();
                let (mut sums, x) = ([$set(0.5); 12], $set(std::hint::black_box(0.5)));
                for _ in 0..ROUNDS {
                    for sum in &mut sums {
                        *sum = $fused(*sum, x, x);
                    }
                }
                std::hint::black_box(sums);
                least = least.min(start.elapsed().as_secs_f64() * 1e9 / (12 * ROUNDS) as f64);
            }
            least
        }
    };
}
#[cfg(target_arch = "x86_64")]
peak!(peak_avx512, "avx512f", _mm512_set1_pd, _mm512_fmadd_pd);
#[cfg(target_arch = "x86_64")]
peak!(peak_avx2, "avx2,fma", _mm256_set1_pd, _mm256_fmadd_pd);

/// The least time of one multiply-add of a vector in ns, where it is measured.
fn peak(simd: Simd) -> Option<f64> {
    match simd {
        // SAFETY: `available` has listed the instruction set.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512 => Some(unsafe { peak_avx512() }),
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2 => Some(unsafe { peak_avx2() }),
        _ => None,
    }
}

fn main() {
    // Cargo passes `--bench` too.
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(15);
    let schedule = Schedule { epochs: 10_000, solved_below: 0.1 };
    let plan = SweepPlan {
        hidden_std_dev: parse_levels(ARTICLE_LEVELS).expect("they are levels").into_iter().step_by(2).collect(),
        output_std_dev: vec![0.8165],
        learning_rate: vec![0.1],
        epochs: vec![schedule.epochs],
        runs: 1,
        seed: 1,
        draws: Draws::Independent,
        solved_below: schedule.solved_below,
    };
    let tasks: Vec<Task> = (0..NETWORKS as u64).map(|i| task_of(&plan.run(i))).collect();
    let choices = Simd::available();
    let mut times = vec![Vec::new(); choices.len() + 1];
    let mut out = vec![Outcome::default(); NETWORKS];
    for _ in 0..rounds {
        for (times, &simd) in times.iter_mut().zip(&choices) {
            let count = if simd.lanes() == 1 { simd.batch() * 2 } else { NETWORKS };
            let count = if simd == Simd::Portable { 3 } else { count };
            let start = Instant::now();
            train_batch(simd, &tasks[..count], &schedule, &mut out[..count]);
            times.push(start.elapsed().as_secs_f64() * 1e6 / count as f64);
        }
        let start = Instant::now();
        std::hint::black_box(network::train(&tasks[0], &schedule, |_, _, _| {}));
        times[choices.len()].push(start.elapsed().as_secs_f64() * 1e6);
    }
    println!("| kernel | µs per training, least | median | ns per epoch and network | share of peak multiply-adds |");
    println!("|---|---:|---:|---:|---:|");
    let kernels = choices.iter().map(|simd| (simd.name(), Some(*simd))).chain([("plain loop", None)]);
    for (times, (name, simd)) in times.iter_mut().zip(kernels) {
        times.sort_by(f64::total_cmp);
        let epoch = times[0] * 1e3 / f64::from(schedule.epochs);
        let share = simd.and_then(|simd| Some((simd.lanes(), peak(simd)?)));
        let share = share.map(|(lanes, peak)| format!("{:.0} %", 100.0 * FUSED * peak / (epoch * lanes as f64)));
        let (least, median) = (times[0], times[times.len() / 2]);
        println!("| {name} | {least:.1} | {median:.1} | {epoch:.2} | {} |", share.unwrap_or_default());
    }
    println!("\n{FUSED} multiplications and multiply-adds an epoch; {rounds} rounds in turn");
}
