//! The kernels against NumPy, against the plain loop, and against each other.

// A test says what failed by panicking.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use initsweep::train::kernel::{Simd, train_batch, train_observed};
use initsweep::train::network::{self, Outcome, Parameters, Schedule, Task};
use serde_json::Value;

/// A small generator for tests: SplitMix64 with Box-Muller normals.
struct Rng(u64);

impl Rng {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 * f64::EPSILON / 2.0
    }

    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Log-uniform between `low` and `high`.
    fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        let (low, high) = (libm::log(low), libm::log(high));
        libm::exp(low + (high - low) * self.uniform())
    }

    /// A task as in the article's sweep: hidden weights and biases with the given deviation.
    fn task(&mut self, hidden: f64, output: f64, learning_rate: f64) -> Task {
        let mut n = |s: f64| s * self.normal();
        Task {
            init: Parameters {
                hidden_weights: [[n(hidden), n(hidden)], [n(hidden), n(hidden)]],
                hidden_bias: [n(hidden), n(hidden)],
                output_weights: [n(output), n(output)],
                output_bias: n(output),
            },
            learning_rate,
        }
    }

    /// A task of the article's whole sweep: deviation log-uniform in e^-3..e^4.
    fn sweep_task(&mut self) -> Task {
        let hidden = self.log_uniform(libm::exp(-3.0), libm::exp(4.0));
        self.task(hidden, 0.8165, 0.1)
    }
}

fn train(simd: Simd, tasks: &[Task], schedule: &Schedule) -> Vec<Outcome> {
    let mut out = vec![Outcome::default(); tasks.len()];
    train_batch(simd, tasks, schedule, &mut out);
    out
}

fn numbers(p: &Parameters) -> [f64; 9] {
    let [[a, b], [c, d]] = p.hidden_weights;
    [a, b, c, d, p.hidden_bias[0], p.hidden_bias[1], p.output_weights[0], p.output_weights[1], p.output_bias]
}

/// Everything in an outcome as bits, all NaNs alike.
fn bits(o: &Outcome) -> Vec<u64> {
    let head = [o.total_loss, o.final_loss, o.solved_epoch.map_or(-1.0, f64::from)];
    let all = head.into_iter().chain(o.predicted).chain(numbers(&o.last));
    all.map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect()
}

fn parameters(x: &[f64]) -> Parameters {
    Parameters {
        hidden_weights: [[x[0], x[1]], [x[2], x[3]]],
        hidden_bias: [x[4], x[5]],
        output_weights: [x[6], x[7]],
        output_bias: x[8],
    }
}

fn relative(a: f64, b: f64) -> f64 {
    (a - b).abs() / b.abs()
}

/// Trainings of NumPy: epochs, task, and the numbers they gave: total and final loss, predictions, final parameters.
fn golden() -> Vec<(u32, Task, Vec<f64>)> {
    let text = include_str!("fixtures/numpy-golden.json");
    let trainings: Vec<Value> = serde_json::from_str(text).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let read = |value: &Value| serde_json::from_value::<Parameters>(value.clone()).unwrap();
    let training = |value: &Value| {
        let task = Task { init: read(&value["init"]), learning_rate: number(&value["learning_rate"]) };
        let mut expected = vec![number(&value["total_loss"]), number(&value["final_loss"])];
        expected.extend(value["predicted"].as_array().unwrap().iter().map(number));
        expected.extend(numbers(&read(&value["final"])));
        (number(&value["epochs"]) as u32, task, expected)
    };
    trainings.iter().map(training).collect()
}

#[test]
fn golden_vectors() {
    for simd in Simd::available() {
        let (mut total, mut last) = (0.0_f64, 0.0_f64);
        for (epochs, task, expected) in golden() {
            let schedule = Schedule { epochs, solved_below: 0.0 };
            let outcome = train(simd, &[task], &schedule)[0];
            total = total.max(relative(outcome.total_loss, expected[0]));
            last = last.max(relative(outcome.final_loss, expected[1]));
            for (a, b) in outcome.predicted.iter().zip(&expected[2..6]) {
                last = last.max((a - b).abs());
            }
            for (a, b) in numbers(&outcome.last).iter().zip(&expected[6..]) {
                last = last.max((a - b).abs() / b.abs().max(1.0));
            }
        }
        println!("{}: total loss within {total:.2e}, the rest within {last:.2e}", simd.name());
        assert!(total < 1e-9 && last < 1e-6);
    }
}

#[test]
fn plain_loop_is_the_article_s() {
    for (epochs, task, expected) in golden().into_iter().take(24) {
        let outcome = network::train(&task, &Schedule { epochs, solved_below: 0.0 }, |_, _, _| {});
        assert!(relative(outcome.total_loss, expected[0]) < 1e-9);
    }
}

/// Tasks of all kinds, also such as diverge.
fn wild_task(rng: &mut Rng) -> Task {
    let hidden = match rng.word() % 8 {
        0 => 54.0,
        1 => 200.0,
        2 => 1e4,
        _ => rng.log_uniform(0.05, 54.0),
    };
    let output = if rng.word().is_multiple_of(8) { 50.0 } else { 0.8165 };
    let rate = if rng.word().is_multiple_of(2) { 0.1 } else { rng.log_uniform(0.001, 20.0) };
    rng.task(hidden, output, rate)
}

#[test]
fn every_choice_gives_the_same_bits() {
    let mut rng = Rng(3);
    for (epochs, count) in [(0, 50), (1, 600), (2, 600), (63, 600), (64, 600), (65, 600), (1000, 400), (10_000, 100)] {
        let tasks: Vec<Task> = (0..count).map(|_| wild_task(&mut rng)).collect();
        let schedule = Schedule { epochs, solved_below: 0.3 };
        let reference = train(Simd::Scalar, &tasks, &schedule);
        for simd in Simd::available() {
            // The portable one is slow without optimization.
            let tasks = if simd == Simd::Portable { &tasks[..count / 5] } else { &tasks };
            for (i, (a, b)) in train(simd, tasks, &schedule).iter().zip(&reference).enumerate() {
                assert_eq!(bits(a), bits(b), "{} epochs, task {i}, {}: {a:?} {b:?}", epochs, simd.name());
            }
        }
    }
}

#[test]
fn neighbours_do_not_matter() {
    let mut rng = Rng(4);
    let tasks: Vec<Task> = (0..70).map(|_| wild_task(&mut rng)).collect();
    let schedule = Schedule { epochs: 700, solved_below: 0.4 };
    for simd in Simd::available() {
        let reference = train(simd, &tasks, &schedule);
        for length in (1..=70).step_by(if simd == Simd::Portable { 23 } else { 1 }) {
            let start = rng.word() as usize % (71 - length);
            let mut order: Vec<usize> = (start..start + length).collect();
            for i in (1..length).rev() {
                order.swap(i, rng.word() as usize % (i + 1));
            }
            let shuffled: Vec<Task> = order.iter().map(|&i| tasks[i]).collect();
            for (outcome, &i) in train(simd, &shuffled, &schedule).iter().zip(&order) {
                assert_eq!(bits(outcome), bits(&reference[i]));
            }
        }
    }
}

#[test]
fn agrees_with_the_plain_loop() {
    let mut rng = Rng(5);
    let schedule = Schedule { epochs: 3000, solved_below: 0.2 };
    let tasks: Vec<Task> = (0..200).map(|_| rng.sweep_task()).collect();
    let mut worst = 0.0_f64;
    for (task, outcome) in tasks.iter().zip(train(Simd::detect(), &tasks, &schedule)) {
        let mut losses = Vec::new();
        let expected = network::train(task, &schedule, |_, loss, _| losses.push(loss));
        worst = worst.max(relative(outcome.total_loss, expected.total_loss));
        if outcome.solved_epoch != expected.solved_epoch {
            // A loss may be on either side of the threshold by a rounding.
            let epoch = outcome.solved_epoch.or(expected.solved_epoch).unwrap() as usize;
            assert!((losses[epoch] - 0.2).abs() < 1e-9, "{:?} {:?}", outcome.solved_epoch, expected.solved_epoch);
        }
    }
    println!("total loss within {worst:.2e} of the plain loop");
    assert!(worst < 1e-9);
}

#[test]
fn saturated_networks_agree_with_the_plain_loop() {
    let mut rng = Rng(6);
    let schedule = Schedule { epochs: 20, solved_below: 0.2 };
    let mut worst = 0.0_f64;
    for _ in 0..2000 {
        let (hidden, output) = (rng.log_uniform(1.0, 2000.0), rng.log_uniform(1.0, 2000.0));
        let task = rng.task(hidden, output, 0.1);
        let expected = network::train(&task, &schedule, |_, _, _| {});
        let outcome = train(Simd::detect(), &[task], &schedule)[0];
        let error = (outcome.total_loss - expected.total_loss).abs() / (expected.total_loss.abs() + 1e-6);
        worst = worst.max(error);
        // The plain loop's 1 - p has few digits where p is nearly 1: its own loss is uncertain there.
        assert!(error < 1e-3, "{task:?} {outcome:?} {expected:?}");
    }
    println!("saturated: total loss within {worst:.2e} of the plain loop");
}

#[test]
fn perfect_and_hopeless_networks_are_clipped() {
    let perfect = parameters(&[2000.0, -2000.0, 2000.0, -2000.0, -1000.0, 3000.0, 4000.0, 4000.0, -6000.0]);
    let hopeless = Parameters { output_weights: [-4000.0, -4000.0], output_bias: 6000.0, ..perfect };
    let schedule = Schedule { epochs: 1, solved_below: 1e-9 };
    for (init, solved) in [(perfect, Some(0)), (hopeless, None)] {
        let task = Task { init, learning_rate: 0.1 };
        let expected = network::train(&task, &schedule, |_, _, _| {});
        for simd in Simd::available() {
            let outcome = train(simd, &[task], &schedule)[0];
            let difference = (outcome.total_loss - expected.total_loss).abs();
            assert!(difference < 1e-13 * expected.total_loss + 3e-16, "{outcome:?} {expected:?}");
            assert_eq!(outcome.solved_epoch, solved);
        }
    }
}

#[test]
fn observing_changes_nothing() {
    let mut rng = Rng(8);
    let schedule = Schedule { epochs: 300, solved_below: 0.6 };
    for _ in 0..20 {
        let task = wild_task(&mut rng);
        let mut seen = Vec::new();
        let outcome = train_observed(&task, &schedule, |epoch, loss, p| seen.push((epoch, loss, *p)));
        assert_eq!(bits(&outcome), bits(&train(Simd::detect(), &[task], &schedule)[0]));
        assert!(seen.iter().map(|s| s.0).eq(0..300));
        let (_, loss, last) = seen[299];
        assert_eq!(loss.to_bits(), outcome.final_loss.to_bits());
        assert_eq!(numbers(&last).map(f64::to_bits), numbers(&outcome.last).map(f64::to_bits));
    }
}

#[test]
fn long_trainings_add_up() {
    let mut rng = Rng(9);
    let task = rng.task(0.6, 0.8165, 0.1);
    let schedule = Schedule { epochs: 300_000, solved_below: 0.01 };
    let expected = network::train(&task, &schedule, |_, _, _| {});
    let outcome = train(Simd::detect(), &[task], &schedule)[0];
    assert!(relative(outcome.total_loss, expected.total_loss) < 1e-9);
    assert_eq!(outcome.solved_epoch, expected.solved_epoch);
}

#[test]
fn the_bits_are_the_same_on_every_machine() {
    let mut rng = Rng(10);
    let tasks: Vec<Task> = (0..200).map(|_| wild_task(&mut rng)).collect();
    let schedule = Schedule { epochs: 1300, solved_below: 0.3 };
    for simd in Simd::available() {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for word in train(simd, &tasks, &schedule).iter().flat_map(bits) {
            hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
        }
        assert_eq!(hash, 0xb5db6e77dcbbd63c, "{} {hash:#x}", simd.name());
    }
}
