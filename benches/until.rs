//! How many runs does it take until the minimum is known to ± 2 %, and is it there then?
//!
//! `cargo bench --bench until [-- EXPERIMENTS ROW…]` prints the table of `stats::sequential` and of the README. Every experiment is a whole
//! `--until 'minimum<=2%'`: rounds, looks and all, by the functions that the command uses.
//!
//! **The truth** is known: a curve like that of the XOR experiment, lowest at 0.6, not symmetric.
//!
//! **Runs apart** are drawn from the trainer's own: about its true mean, a level's runs scatter as those of the sample data at the 17
//! nearest levels (425 runs, each less its level's mean). Only their sums are kept, for nothing else is used of them.
//!
//! **Paired runs** are solved or stuck, three to one, and a replicate's draws keep their basin from one level to the next with
//! probability exp(−1.05 d) over a distance d in ln σ, as measured on the trainer (correlation 0.90 at a distance of 0.1, 0.81 at
//! 0.2, 0.65 at 0.4, 0.41 at 0.8).
//!
//! **The trainer itself** has its minimum at 0.600 (standard error 0.35 %), by 250,000 replicates at each of 29 levels
//! (`sweep --paired --seed 777 --hidden-std-dev log:0.25:1.45:29 --runs 250000`) and a polynomial of degree 6 in ln σ by generalised least
//! squares; degrees 5 to 9 agree to 0.13 %, degree 4 is rejected (chi-squared 41 with 24 degrees of freedom).
//!
//! **The article's way** is the same number of unpaired runs at each of 400 levels, and the level with the least mean. It has no
//! rule to stop by; it is given the number of runs at which 95 % of experiments hit, which nobody could know. The same runs with
//! our curve through them and our rule are the second row.

// A bench prints, and stops by panicking.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use initsweep::analysis::Group;
use initsweep::analysis::{Analysis, Margin, Question};
use initsweep::cli::Global;
use initsweep::commands::until::{self, Ask};
use initsweep::course::{Batch, Look};
use initsweep::data::table::RunColumns;
use initsweep::data::{LevelSummary, Pairing, RowLedger};
use initsweep::group::by_level;
use initsweep::planning::Strategy;
use initsweep::planning::progress::Pursuit;
use initsweep::random::Stream;
use initsweep::stats::compare::Verdict;
use initsweep::stats::interval::student_t_quantile;
use initsweep::stats::sequential::Goal;
use initsweep::store::writer::Existing;
use initsweep::store::{self, Data, LevelSummaries, Roles, RunTable, Source};
use initsweep::sweep::{ARTICLE_LEVELS, DEFAULT_FACTOR, DEFAULT_METRIC, Draws, Reference, SweepPlan, parse_levels};
use initsweep::train::kernel::Simd;
use rayon::prelude::*;

const CONFIDENCE: f64 = 0.95;
/// Where the curve is lowest, the true one of the simulation and, to 0.35 %, the trainer's.
const TRUE_MINIMUM: f64 = 0.6;
/// Standard deviation of a paired run.
const SPREAD: f64 = 1300.0;
/// Changes of basin per unit of ln σ.
const RATE: f64 = 1.05;
/// Marks the uses of the seed.
const PURPOSES: [u32; 3] = [0x756e_7469, 0x6c65_6173, 0x6170_6172];
/// An experiment that needs more is given up; what it knows then counts.
const CAP: u64 = 5_000_000;

/// The true mean at a level: lowest at [`TRUE_MINIMUM`], with the XOR curve's curvature and lopsidedness, 6800 at exp(−3).
fn true_mean(level: f64) -> f64 {
    let d = (level / TRUE_MINIMUM).ln();
    let bent = d / (1.0 + 0.18 * d);
    1560.0 + 735.0 * 2.0 * ((1.0 + bent * bent).sqrt() - 1.0)
}

/// How the trainer's runs scatter about their mean at each of the article's levels.
struct Scatter(Vec<Vec<f64>>);

impl Scatter {
    fn of_sample_data() -> Self {
        const NEIGHBOURS: usize = 8;
        let place = format!("{}/sample-data/xor-sweep.csv", env!("CARGO_MANIFEST_DIR"));
        let Data::Runs(table) = store::read(&[Source::Path(place)], &roles()).unwrap() else { unreachable!() };
        let about_mean = |runs: &[f64]| {
            let mean = runs.iter().sum::<f64>() / runs.len() as f64;
            // The mean was fitted to them.
            let widened = (runs.len() as f64 / (runs.len() as f64 - 1.0)).sqrt();
            runs.iter().map(|run| (run - mean) * widened).collect::<Vec<_>>()
        };
        let levels: Vec<Vec<f64>> = by_level(&table).unwrap().iter().map(|sample| about_mean(&sample.sorted)).collect();
        let near = |level: usize| level.saturating_sub(NEIGHBOURS)..(level + NEIGHBOURS + 1).min(levels.len());
        Self((0..levels.len()).map(|level| levels[near(level)].concat()).collect())
    }

    fn std_dev(&self, level: usize) -> f64 {
        let runs = &self.0[level];
        (runs.iter().map(|run| run * run).sum::<f64>() / runs.len() as f64).sqrt()
    }
}

/// The runs of one experiment so far.
trait Runs {
    fn add(&mut self, level: f64, runs: u64);
    fn data(&self) -> Data;
}

/// Unpaired runs at the article's levels, of which only sums are kept.
struct Apart<'a> {
    scatter: &'a Scatter,
    seed: u64,
    levels: Vec<Sums>,
}

struct Sums {
    level: f64,
    n: u64,
    /// Of the distances from the true mean, and of their squares.
    sums: [f64; 2],
}

impl<'a> Apart<'a> {
    fn of(scatter: &'a Scatter, seed: u64) -> Self {
        let levels = parse_levels(ARTICLE_LEVELS).unwrap();
        let levels = levels.into_iter().map(|level| Sums { level, n: 0, sums: [0.0; 2] }).collect();
        Self { scatter, seed, levels }
    }
}

impl Runs for Apart<'_> {
    fn add(&mut self, level: f64, runs: u64) {
        let place = self.levels.iter().position(|sums| sums.level == level).unwrap();
        let (scatter, level) = (&self.scatter.0[place], &mut self.levels[place]);
        // A stream of its own for every round of a level.
        let mut stream = Stream::new(self.seed << 9 | place as u64, PURPOSES[2], level.n);
        for _ in 0..runs {
            let run = scatter[stream.below(scatter.len())];
            level.sums[0] += run;
            level.sums[1] += run * run;
        }
        level.n += runs;
    }

    fn data(&self) -> Data {
        let summary = |level: &Sums| {
            let (n, [sum, squares]) = (level.n as f64, level.sums);
            let variance = (squares - sum * sum / n) / (n - 1.0);
            let mean = true_mean(level.level) + sum / n;
            LevelSummary {
                level: level.level,
                n: level.n,
                mean,
                std_dev: Some(variance.sqrt()),
                min: None,
                max: None,
                failed: 0,
            }
        };
        let levels: Vec<LevelSummary> = self.levels.iter().filter(|level| level.n > 0).map(summary).collect();
        let ledger = RowLedger::of_rows(self.levels.iter().map(|level| level.n).sum());
        Data::Levels(LevelSummaries { levels, ledger, ..LevelSummaries::empty(&roles()) })
    }
}

/// Runs that share their draws, at any levels.
struct Together {
    seed: u64,
    levels: Vec<(f64, Vec<f64>)>,
}

impl Together {
    /// Solved or stuck, with a little of its own: mean 0 and variance 1.
    fn luck(stream: &mut Stream) -> f64 {
        const OWN: f64 = 0.15;
        let apart = (3.0 * (1.0 - OWN * OWN)).sqrt();
        let basin = if stream.uniform() < 0.25 { apart } else { -apart / 3.0 };
        basin + OWN * stream.normal()
    }

    fn run(&self, level: f64, replicate: u64) -> f64 {
        // A replicate keeps its basin up to the next change along the axis.
        let (mut stream, mut change) = (Stream::new(self.seed, PURPOSES[0], replicate), -4.0);
        loop {
            let luck = Self::luck(&mut stream);
            change -= stream.uniform().ln() / RATE;
            if change > level.ln() {
                return true_mean(level) + SPREAD * luck;
            }
        }
    }
}

impl Runs for Together {
    fn add(&mut self, level: f64, runs: u64) {
        let place = self.levels.iter().position(|(there, _)| *there == level).unwrap_or(self.levels.len());
        if place == self.levels.len() {
            self.levels.push((level, Vec::new()));
        }
        let from = self.levels[place].1.len() as u64;
        let more: Vec<f64> = (from..from + runs).map(|replicate| self.run(level, replicate)).collect();
        self.levels[place].1.extend(more);
    }

    fn data(&self) -> Data {
        let factor: Vec<f64> = self.levels.iter().flat_map(|(level, runs)| runs.iter().map(|_| *level)).collect();
        let metric: Vec<f64> = self.levels.iter().flat_map(|(_, runs)| runs.iter().copied()).collect();
        let replicate = self.levels.iter().flat_map(|(_, runs)| 0..runs.len() as u64).collect();
        let ledger = RowLedger::of_rows(metric.len() as u64);
        let columns = RunColumns { factor, metric, replicate, ..RunColumns::default() };
        let mut table = RunTable::new(&roles(), columns, "simulation".as_ref()).unwrap();
        (table.pairing, table.ledger) = (Pairing::Paired(0), ledger);
        Data::Runs(table)
    }
}

/// What an experiment came to.
#[derive(Clone, Copy)]
struct Outcome {
    runs: u64,
    /// Estimate over truth, less 1.
    error: f64,
    /// The interval of the rule holds the truth.
    covered: bool,
}

fn roles() -> Roles {
    Roles::new(DEFAULT_FACTOR, DEFAULT_METRIC)
}

fn question(confidence: f64) -> Question {
    Question { confidence, ..Question::default() }
}

/// A sweep of `levels` until the goal or so many runs, simulated: the last look and what it saw. The question's confidence is the
/// promise's.
fn pursued(pursuit: &Pursuit, question: &Question, levels: &[f64], cap: u64, runs: &mut dyn Runs) -> (Look, Analysis) {
    let Batch { levels, replicates } = pursuit.first_round(levels);
    levels.iter().for_each(|level| runs.add(*level, u64::from(replicates.end)));
    for number in 1.. {
        let confidence = pursuit.goal.confidence_of_look(number, question.confidence);
        let analysis = Analysis::of(runs.data(), &Question { confidence, ..question.clone() }).unwrap();
        let look = pursuit.look(&analysis);
        if look.reached || look.runs >= cap {
            return (look, analysis);
        }
        let budget = pursuit.budget(&analysis).min(cap - look.runs);
        let planned = pursuit.next(&analysis, budget).unwrap();
        planned.allocation.iter().for_each(|level| runs.add(level.level, level.add));
    }
    unreachable!("the loop has no end")
}

/// A sweep until the minimum is known.
fn simulated(pursuit: &Pursuit, runs: &mut dyn Runs) -> Outcome {
    let levels = parse_levels(ARTICLE_LEVELS).unwrap();
    let (look, _) = pursued(pursuit, &question(CONFIDENCE), &levels, CAP, runs);
    let holds = |lower, upper| lower <= TRUE_MINIMUM && TRUE_MINIMUM <= upper;
    let covered = look.lower.zip(look.upper).is_some_and(|(lower, upper)| holds(lower, upper));
    Outcome { runs: look.runs, error: look.minimum.unwrap() / TRUE_MINIMUM - 1.0, covered }
}

/// A sweep of every twentieth level until each standard error is `share` of its mean: an outcome a level. Its error is the true standard
/// error as a share of the true mean; covered is the true mean by the level's interval at the promised level.
fn measured(scatter: &Scatter, strategy: Strategy, share: f64, seed: u64) -> Vec<Outcome> {
    let pursuit = Pursuit { goal: Goal::StandardError { share }, strategy };
    let all = parse_levels(ARTICLE_LEVELS).unwrap();
    let places: Vec<usize> = (10..all.len()).step_by(20).collect();
    let levels: Vec<f64> = places.iter().map(|place| all[*place]).collect();
    let (look, analysis) = pursued(&pursuit, &question(CONFIDENCE), &levels, CAP, &mut Apart::of(scatter, seed));
    let outcome = |(place, group): (&usize, &Group)| {
        let (truth, n) = (true_mean(group.level), group.summary.n as f64);
        let mean = &group.summary.mean;
        let z = student_t_quantile(CONFIDENCE, n - 1.0) * mean.standard_error.unwrap();
        let error = scatter.std_dev(*place) / n.sqrt() / truth;
        Outcome { runs: look.runs, error, covered: (mean.point - truth).abs() <= z }
    };
    places.iter().zip(analysis.groups.iter().filter(|group| group.summary.n > 0)).map(outcome).collect()
}

/// A sweep until a reference at `level` is decided at `margin`. Its error is 0 if it was, 1 if not; covered is whether no verdict is false.
fn decided(strategy: Strategy, level: f64, margin: f64, scatter: &Scatter, seed: u64) -> Outcome {
    const MOST: u64 = 1_000_000;
    let reference = Reference { name: "it".into(), expression: level.to_string(), value: level, drawn: false };
    let pursuit = Pursuit { goal: Goal::Reference { name: "it".into() }, strategy };
    let given = Some(Margin::Share(margin));
    let question = Question { references: vec![reference], margin: given, ..question(CONFIDENCE) };
    let levels = parse_levels(ARTICLE_LEVELS).unwrap();
    let mut runs: Box<dyn Runs> = match strategy {
        Strategy::Minimum => Box::new(Together { seed, levels: Vec::new() }),
        _ => Box::new(Apart::of(scatter, seed)),
    };
    let (look, analysis) = pursued(&pursuit, &question, &levels, MOST, runs.as_mut());
    let verdict = analysis.references[0].to_minimum.unwrap().verdict;
    let cost = true_mean(level) / true_mean(TRUE_MINIMUM) - 1.0;
    let is_true = match verdict {
        Verdict::Undecided => true,
        // At the margin itself neither is true.
        Verdict::Equivalent => cost < margin - 1e-9,
        Verdict::Worse => cost > margin + 1e-9,
        Verdict::Better => false,
    };
    Outcome { runs: look.runs, error: f64::from(u8::from(!look.reached)), covered: is_true }
}

/// The same with the trainer itself.
fn trained(pursuit: &Pursuit, seed: u64) -> Outcome {
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
    let (pursuit, metric) = (pursuit.clone(), DEFAULT_METRIC.into());
    let ask = Ask { plan, pursuit, max_runs: None, max_time: None, metric, question: question(CONFIDENCE) };
    let target = folder.path().join("runs.csv");
    let global = Global { quiet: true, threads: None };
    let history = until::make(&ask, Simd::detect(), &target.as_path().into(), Existing::Replace, &global).unwrap();
    let look = history.rounds.last().unwrap().look.as_ref().unwrap();
    let covered = look.lower.unwrap() <= TRUE_MINIMUM && TRUE_MINIMUM <= look.upper.unwrap();
    Outcome { runs: look.runs, error: look.minimum.unwrap() / TRUE_MINIMUM - 1.0, covered }
}

/// Runs at which the least of 400 means lies within `goal` in 95 % of experiments, to 5 %.
fn least_of_all_means(scatter: &Scatter, goal: f64, experiments: u64) -> u64 {
    let levels = parse_levels(ARTICLE_LEVELS).unwrap();
    let hits = |runs: f64| {
        let hit = |experiment: &u64| {
            let mut stream = Stream::new(*experiment, PURPOSES[1], 0);
            // Of so many runs the mean is normal.
            let mut mean = |i: usize| true_mean(levels[i]) + scatter.std_dev(i) / runs.sqrt() * stream.normal();
            let means: Vec<f64> = (0..levels.len()).map(&mut mean).collect();
            let least = (0..levels.len()).min_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap();
            (levels[least] / TRUE_MINIMUM - 1.0).abs() <= goal
        };
        (0..experiments).into_par_iter().filter(hit).count() as f64 / experiments as f64
    };
    let mut runs: f64 = 100_000.0;
    while hits(runs) < CONFIDENCE {
        runs *= 1.05;
    }
    (400.0 * runs) as u64
}

/// Half the width of the 95 % interval of a share, in %.
fn margin(share: f64, experiments: usize) -> f64 {
    // Agresti and Coull 1998.
    let n = experiments as f64 + 4.0;
    let centre = (share / 100.0 * experiments as f64 + 2.0) / n;
    196.0 * (centre * (1.0 - centre) / n).sqrt()
}

/// Prints a row, and returns its median.
fn row(name: &str, goal: f64, outcomes: &[Outcome], even: Option<f64>) -> f64 {
    let mut runs: Vec<u64> = outcomes.iter().map(|outcome| outcome.runs).collect();
    runs.sort_unstable();
    let shown = |runs: u64| if runs >= CAP { format!("> {CAP}") } else { runs.to_string() };
    let share = |is: &dyn Fn(&Outcome) -> bool| {
        let share = 100.0 * outcomes.iter().filter(|outcome| is(outcome)).count() as f64 / outcomes.len() as f64;
        format!("{share:.1} ± {:.1}", margin(share, outcomes.len()))
    };
    let median = runs[runs.len() / 2];
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} |",
        outcomes.len(),
        shown(median),
        shown(runs[runs.len() * 9 / 10]),
        even.map_or(String::new(), |even| format!("{:.1}", even / median as f64)),
        share(&|outcome| outcome.error.abs() <= goal),
        share(&|outcome| outcome.covered),
    );
    median as f64
}

fn main() {
    // Cargo passes `--bench` too.
    let experiments: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200);
    let scatter = Scatter::of_sample_data();
    let pursuit = |strategy, share| Pursuit { goal: Goal::Minimum { share }, strategy };
    let apart = |strategy, share| {
        let experiment = |seed| simulated(&pursuit(strategy, share), &mut Apart::of(&scatter, seed));
        (0..experiments).into_par_iter().map(experiment).collect::<Vec<_>>()
    };
    let together = |share, count: u64| {
        let experiment =
            |seed| simulated(&pursuit(Strategy::Minimum, share), &mut Together { seed, levels: Vec::new() });
        (0..count).into_par_iter().map(experiment).collect::<Vec<_>>()
    };
    let real = |share, count: u64| {
        (1..=count.max(1)).map(|seed| trained(&pursuit(Strategy::Minimum, share), seed)).collect::<Vec<_>>()
    };

    println!("Until the minimum is known to ± 2 %, at 95 %. Shares in %, with their 95 % margins.\n");
    println!(
        "| strategy | experiments | median runs | 90 % need at most | times fewer than uniform | within the goal | rule covers |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    // Words choose rows: all without any.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word.chars().all(char::is_alphabetic)).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    if wanted("least") {
        let runs = least_of_all_means(&scatter, 0.02, 10 * experiments);
        println!("| least of 400 means, unpaired | {} | {runs} | | | 95 | |", 10 * experiments);
    }
    let mut even = None;
    for strategy in [Strategy::Uniform, Strategy::RelativeError, Strategy::Ocba] {
        if wanted(strategy.name()) {
            let name = format!("{}, unpaired, curve", strategy.name());
            let median = row(&name, 0.02, &apart(strategy, 0.02), even);
            even = even.or((strategy == Strategy::Uniform).then_some(median));
        }
    }
    for share in [0.02, 0.01] {
        let goal = format!("± {} %", share * 100.0);
        let even = even.filter(|_| share == 0.02);
        if wanted("minimum") {
            row(&format!("minimum, paired, {goal}"), share, &together(share, experiments), even);
        }
        if wanted("trainer") {
            // Ten times the work of the simulation, and four times as much again for half the width.
            let count = if share == 0.02 { experiments / 8 } else { experiments / 40 };
            row(&format!("minimum, paired, the trainer, {goal}"), share, &real(share, count), even);
        }
    }
    let all = |experiment: &(dyn Fn(u64) -> Outcome + Sync)| (0..experiments).into_par_iter().map(experiment).collect();
    if wanted("errors") {
        println!(
            "\nThe same for the other goals: of standard errors, a level each, and within 1.05 of the goal; of references, decided with 1,000,000 runs at most, and no false verdict.\n"
        );
        for (strategy, share) in
            [(Strategy::RelativeError, 0.02), (Strategy::RelativeError, 0.1), (Strategy::Ocba, 0.1)]
        {
            let levels =
                (0..experiments).into_par_iter().flat_map_iter(|seed| measured(&scatter, strategy, share, seed));
            let name = format!("{}, errors ≤ {} %", strategy.name(), share * 100.0);
            row(&name, 1.05 * share, &levels.collect::<Vec<_>>(), None);
        }
    }
    if wanted("reference") {
        let cost = |level: f64| true_mean(level) / true_mean(TRUE_MINIMUM) - 1.0;
        for (name, level, margin) in [
            ("1, 10 % off, at 5 %", 1.0, 0.05),
            ("1/√2, 1 % off, at 3 %", 0.5f64.sqrt(), 0.03),
            ("1, at its own margin", 1.0, cost(1.0)),
            ("1/√2, at its own margin", 0.5f64.sqrt(), cost(0.5f64.sqrt())),
        ] {
            let outcomes: Vec<Outcome> = all(&|seed| decided(Strategy::Minimum, level, margin, &scatter, seed));
            row(&format!("minimum, paired, reference {name}"), 0.5, &outcomes, None);
        }
    }
}
