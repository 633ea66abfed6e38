//! How many runs does it take until the minimum is known to ± 2 %, and is it there then?
//!
//! `cargo bench --bench until [-- EXPERIMENTS]` prints the table of `stats::sequential` and of the README. Every experiment is a whole
//! `--until 'minimum<=2%'`: rounds, looks and all, by the functions that the command uses.
//!
//! **The truth** is known: a curve like that of the XOR experiment, lowest at 0.6, not symmetric; runs are solved or stuck, three to
//! one, and a replicate's draws keep their basin from one level to the next with probability exp(−1.05 d) over a distance d in ln σ, as
//! measured on the trainer (correlation 0.90 at a distance of 0.1, 0.81 at 0.2, 0.65 at 0.4, 0.41 at 0.8). The last row is the trainer itself; its
//! minimum is not known exactly, so that the row says how far the sweeps are from their mean.
//!
//! **The article's way** is the level with the least of 400 means. It has no rule to stop by; it is given the number of runs at which 95 % of
//! experiments hit, which nobody could know.

// A bench prints, and stops by panicking.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use initsweep::analysis::statistic::Statistic;
use initsweep::analysis::{Analysis, Question};
use initsweep::cli::Global;
use initsweep::commands::until::{self, Ask};
use initsweep::course::Batch;
use initsweep::planning::Strategy;
use initsweep::planning::progress::Pursuit;
use initsweep::random::Stream;
use initsweep::stats::sequential::Goal;
use initsweep::store::schema::{Details, Pairing, RowLedger};
use initsweep::store::writer::Existing;
use initsweep::store::{Columns, RunTable};
use initsweep::sweep::{ARTICLE_LEVELS, DEFAULT_METRIC, Draws, SweepPlan, parse_levels};
use initsweep::train::kernel::Simd;
use rayon::prelude::*;

const GOAL: f64 = 0.02;
const CONFIDENCE: f64 = 0.95;
/// Where the true curve is lowest.
const TRUE_MINIMUM: f64 = 0.6;
/// Standard deviation of a run.
const SPREAD: f64 = 1300.0;
/// Changes of basin per unit of ln σ.
const RATE: f64 = 1.05;
/// Marks the uses of the seed.
const PURPOSES: [u32; 2] = [0x756e_7469, 0x6c65_6173];
/// An experiment that needs more is given up; what it knows then counts.
const MOST_RUNS: u64 = 4_000_000;

/// The true mean at a level: lowest at [`TRUE_MINIMUM`], with the XOR curve's curvature and lopsidedness, 6800 at exp(−3).
fn true_mean(level: f64) -> f64 {
    let d = (level / TRUE_MINIMUM).ln();
    let bent = d / (1.0 + 0.18 * d);
    1560.0 + 735.0 * 2.0 * ((1.0 + bent * bent).sqrt() - 1.0)
}

/// Noise of mean 0 and variance 1: solved or stuck, three to one, with a little of its own.
fn noise(stream: &mut Stream) -> f64 {
    const OWN: f64 = 0.15;
    let apart = (3.0 * (1.0 - OWN * OWN)).sqrt();
    let basin = if stream.uniform() < 0.25 { apart } else { -apart / 3.0 };
    basin + OWN * stream.normal()
}

/// One run of the simulated trainer.
fn run(seed: u64, draws: Draws, level: f64, replicate: u64) -> f64 {
    if draws == Draws::Independent {
        let mut stream = Stream::new(seed ^ level.to_bits().rotate_left(17), PURPOSES[0], replicate);
        return true_mean(level) + SPREAD * noise(&mut stream);
    }
    // A replicate keeps its basin up to the next change along the axis.
    let (mut stream, mut change) = (Stream::new(seed, PURPOSES[0], replicate), -4.0);
    loop {
        let luck = noise(&mut stream);
        change -= stream.uniform().ln() / RATE;
        if change > level.ln() {
            return true_mean(level) + SPREAD * luck;
        }
    }
}

/// What an experiment came to.
#[derive(Clone, Copy)]
struct Outcome {
    runs: u64,
    rounds: usize,
    /// Estimate over truth, less 1.
    error: f64,
    /// The interval of the rule holds the truth.
    covered: bool,
    /// That of the report, at 95 %, does.
    covered_by_report: bool,
}

fn question(confidence: f64) -> Question {
    Question { confidence, references: Vec::new(), margin: 0.01, statistic: Statistic::Mean }
}

/// A sweep until the goal, simulated.
fn experiment(strategy: Strategy, seed: u64) -> Outcome {
    let pursuit = Pursuit { goal: Goal::Minimum { share: GOAL }, strategy };
    let draws = Draws::of(strategy == Strategy::Minimum);
    let mut data: Vec<(f64, Vec<f64>)> = Vec::new();
    let add = |data: &mut Vec<(f64, Vec<f64>)>, level: f64, runs: u64| {
        let place = data.iter().position(|(there, _)| *there == level).unwrap_or(data.len());
        if place == data.len() {
            data.push((level, Vec::new()));
        }
        let from = data[place].1.len() as u64;
        data[place].1.extend((from..from + runs).map(|replicate| run(seed, draws, level, replicate)));
    };
    let Batch { levels, replicates } = pursuit.first_round(&parse_levels(ARTICLE_LEVELS).unwrap());
    levels.iter().for_each(|level| add(&mut data, *level, u64::from(replicates.end)));
    for number in 1.. {
        let at = |confidence| Analysis::of(table(&data, draws), &question(confidence)).unwrap();
        let analysis = at(pursuit.goal.confidence_of_look(number, CONFIDENCE));
        let look = pursuit.look(&analysis);
        if look.reached || look.runs > MOST_RUNS {
            let holds = |lower: Option<f64>, upper: Option<f64>| {
                lower.is_some_and(|lower| lower <= TRUE_MINIMUM) && upper.is_some_and(|upper| TRUE_MINIMUM <= upper)
            };
            let report = at(CONFIDENCE).minimum.level.unwrap().interval.unwrap();
            return Outcome {
                runs: look.runs,
                rounds: number as usize,
                error: look.minimum.unwrap() / TRUE_MINIMUM - 1.0,
                covered: holds(look.lower, look.upper),
                covered_by_report: holds(Some(report.lower), Some(report.upper)),
            };
        }
        let planned = pursuit.next(&analysis, pursuit.budget(&analysis)).unwrap();
        planned.allocation.iter().for_each(|level| add(&mut data, level.level, level.add));
    }
    unreachable!("the loop has no end")
}

fn table(data: &[(f64, Vec<f64>)], draws: Draws) -> RunTable {
    let columns = Columns { factor: "hidden_std_dev".into(), metric: "loss".into() };
    let factor: Vec<f64> = data.iter().flat_map(|(level, runs)| runs.iter().map(|_| *level)).collect();
    let metric: Vec<f64> = data.iter().flat_map(|(_, runs)| runs.iter().copied()).collect();
    let replicate = data.iter().flat_map(|(_, runs)| 0..runs.len() as u64).collect();
    let pairing = if draws == Draws::Paired { Pairing::Paired { draw: 0, replicate } } else { Pairing::Apart };
    let ledger = RowLedger::of_rows(metric.len() as u64);
    let frame = RunTable::frame_of(&columns, factor, metric, "simulation".as_ref()).unwrap();
    let details = Details { final_loss: Vec::new(), pairing };
    RunTable { frame, details, ledger, ..RunTable::empty(&columns) }
}

/// Runs at which the least of 400 means lies within the goal in 95 % of experiments.
fn least_of_all_means(experiments: u64) -> u64 {
    let levels = parse_levels(ARTICLE_LEVELS).unwrap();
    let hits = |runs: f64| {
        let hit = |experiment: &u64| {
            let mut stream = Stream::new(*experiment, PURPOSES[1], 0);
            let error = SPREAD / runs.sqrt();
            let least = levels.iter().map(|level| (true_mean(*level) + error * stream.normal(), *level));
            let place = least.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1;
            (place / TRUE_MINIMUM - 1.0).abs() <= GOAL
        };
        (0..experiments).into_par_iter().filter(hit).count() as f64 / experiments as f64
    };
    let mut runs: f64 = 1000.0;
    while hits(runs) < CONFIDENCE {
        runs *= 1.1;
    }
    (400.0 * runs) as u64
}

/// The trainer itself: number of runs and place of the minimum.
fn trained(seed: u64) -> (u64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let plan = SweepPlan {
        hidden_std_dev: parse_levels(ARTICLE_LEVELS).unwrap(),
        output_std_dev: vec![0.8165],
        learning_rate: vec![0.1],
        epochs: vec![10_000],
        runs: 1,
        seed,
        draws: Draws::Paired,
        solved_below: 0.1,
    };
    let pursuit = Pursuit { goal: Goal::Minimum { share: GOAL }, strategy: Strategy::Minimum };
    let metric = DEFAULT_METRIC.into();
    let ask = Ask { plan, pursuit, max_runs: None, max_time: None, metric, question: question(CONFIDENCE) };
    let target = folder.path().join("runs.csv");
    let global = Global { quiet: true, threads: None };
    let history = until::make(&ask, Simd::detect(), &target.as_path().into(), Existing::Replace, &global).unwrap();
    let look = history.rounds.last().unwrap().look.as_ref().unwrap();
    (look.runs, look.minimum.unwrap())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    // Cargo passes `--bench` too.
    let experiments: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(400);
    println!("Until the minimum is known to ± {} % at {} %. Shares in %.\n", 100.0 * GOAL, 100.0 * CONFIDENCE);
    println!(
        "| strategy | experiments | median runs | 90 % need at most | times fewer | rounds | within ± 2 % | rule covers | report covers |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let article = least_of_all_means(10 * experiments);
    println!("| the article's way: least of 400 means, unpaired | {} | {article} | | | 1 | 95 | | |", 10 * experiments);
    let mut even = f64::NAN;
    for (name, strategy, count) in [
        ("uniform, unpaired, curve", Strategy::Uniform, experiments / 10),
        ("minimum, paired", Strategy::Minimum, experiments),
        ("relative-error, unpaired, curve", Strategy::RelativeError, experiments / 10),
        ("ocba, unpaired, curve (given up above 4 million)", Strategy::Ocba, experiments / 20),
    ] {
        let outcomes: Vec<Outcome> = (0..count.max(1)).into_par_iter().map(|seed| experiment(strategy, seed)).collect();
        let mut runs: Vec<f64> = outcomes.iter().map(|outcome| outcome.runs as f64).collect();
        runs.sort_by(f64::total_cmp);
        let share = |is: fn(&Outcome) -> bool| {
            100.0 * outcomes.iter().filter(|outcome| is(outcome)).count() as f64 / outcomes.len() as f64
        };
        let middle = median(runs.clone());
        if strategy == Strategy::Uniform {
            even = middle;
        }
        println!(
            "| {name} | {} | {middle:.0} | {:.0} | {:.1} | {:.0} | {:.1} | {:.1} | {:.1} |",
            outcomes.len(),
            runs[runs.len() * 9 / 10],
            even / middle,
            median(outcomes.iter().map(|outcome| outcome.rounds as f64).collect()),
            share(|outcome| outcome.error.abs() <= GOAL),
            share(|outcome| outcome.covered),
            share(|outcome| outcome.covered_by_report),
        );
    }
    let made: Vec<(u64, f64)> = (1..=(experiments / 20).max(2)).map(trained).collect();
    let centre = made.iter().map(|(_, place)| place).sum::<f64>() / made.len() as f64;
    let near = made.iter().filter(|(_, place)| (place / centre - 1.0).abs() <= GOAL).count();
    let middle = median(made.iter().map(|(runs, _)| *runs as f64).collect());
    println!(
        "| minimum, paired, the real trainer (mean place {centre:.4}) | {} | {middle:.0} | | {:.1} | | {:.1} | | |",
        made.len(),
        even / middle,
        100.0 * near as f64 / made.len() as f64
    );
}
