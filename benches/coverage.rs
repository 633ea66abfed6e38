//! Do the intervals cover what they promise? Repeats experiments with a known truth and counts.
//!
//! `cargo bench --bench coverage [-- EXPERIMENTS]` prints the tables of the documentation; 2000 experiments give each share
//! of the first to ± 1 % (two standard errors at 95 %), and 200 a cell those of the second, the optimum on few levels, to ± 3 %. Every experiment draws from its own stream of a fixed seed. A small version runs
//! as a test, `tests/coverage.rs`.
//!
//! The truths: a parabola in ln σ with normal noise, once of independent and once of paired runs; the runs of `tests/fixtures/xor-25k.csv`, a mixture of solved and stuck
//! ones, ten neighbouring levels of theirs taken together and scaled so that the means lie on a smooth curve; a line, lowest at its end;
//! equal means.

// A bench prints, and stops by panicking.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "coverage/optimum.rs"]
pub mod optimum;

use initsweep::random::Stream;
use initsweep::stats::best::candidates;
use initsweep::stats::best_paired::candidates_paired;
use initsweep::stats::bootstrap::{Draws, Plan, fitted_minimum};
use initsweep::stats::centre::Centre;
use initsweep::stats::compare::{Measured, paired, relative_change, relative_change_paired, welch};
use initsweep::stats::crossfit::{Deal, Folds, LevelRuns, at_fitted_minimum, at_least_mean};
use initsweep::stats::optimum::noise::Noise;
use initsweep::stats::optimum::verdict::Verdict;
use initsweep::stats::optimum::{Optimum, Tolerance};
use initsweep::stats::quantile::quantile_estimate;
use initsweep::stats::smooth::{LevelMean, Smoother, lowest, pool_errors};
use initsweep::stats::{Estimate, ExactMoments, Summary};
use rayon::prelude::*;

const CONFIDENCE: f64 = 0.95;
const SEED: u64 = 20_261_123;

/// A truth that experiments are drawn from.
pub struct Truth {
    /// As the table names it.
    pub name: &'static str,
    /// Places of the levels.
    pub x: Vec<f64>,
    /// True mean at each level.
    pub means: Vec<f64>,
    /// Where the true curve is lowest.
    pub location: f64,
    /// Its value there.
    pub value: f64,
    /// Runs a level in every experiment.
    pub runs: usize,
    /// How one run is drawn at a level.
    draw: Law,
    /// The true curve, for places between levels.
    curve: Curve,
}

type Curve = Box<dyn Fn(f64) -> f64 + Sync>;

enum Law {
    /// Normal with this standard deviation.
    Normal(f64),
    /// Any of these values, per level.
    Values(Vec<Vec<f64>>),
    /// Paired replicates: normal luck with the first standard deviation, common to all levels, and a level's own with the second.
    Paired(f64, f64),
}

impl Truth {
    fn normal(name: &'static str, x: Vec<f64>, location: f64, spread: f64, curve: fn(f64) -> f64) -> Self {
        let means = x.iter().map(|x| curve(*x)).collect();
        Self {
            name,
            x,
            means,
            location,
            value: curve(location),
            runs: 100,
            draw: Law::Normal(spread),
            curve: Box::new(curve),
        }
    }

    /// A parabola in ln σ with its minimum 1580 at 0.6 and noise like XOR's.
    pub fn parabola() -> Self {
        let x = spaced(0.2f64.ln(), 2f64.ln(), 40);
        Self::normal("parabola, normal noise, 40 levels × 100", x, 0.6f64.ln(), 1000.0, |x| {
            1580.0 + 900.0 * (x - 0.6f64.ln()).powi(2)
        })
    }

    /// The same parabola; three quarters of a run's variance are luck that all levels share.
    pub fn paired() -> Self {
        let law = Law::Paired(1000.0 * 0.75f64.sqrt(), 500.0);
        Self { name: "the parabola, paired, 40 levels × 100", draw: law, ..Self::parabola() }
    }

    /// Lowest at its left end.
    pub fn edge() -> Self {
        Self::normal("minimum at the edge, 40 levels × 100", spaced(0.0, 2.0, 40), 0.0, 1000.0, |x| 1500.0 + 600.0 * x)
    }

    /// The same everywhere.
    pub fn flat() -> Self {
        Self::normal("flat, 20 levels × 100", spaced(0.0, 2.0, 20), 0.0, 1000.0, |_| 1500.0)
    }

    /// The real mixture, scaled onto a smooth curve.
    pub fn mixture(runs: usize) -> Self {
        let text = include_str!("../tests/fixtures/xor-25k.csv");
        let mut rows: Vec<(f64, f64)> = text
            .lines()
            .skip(1)
            .map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                (fields[0].parse::<f64>().unwrap().ln(), fields[2].parse().unwrap())
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let groups: Vec<&[(f64, f64)]> = rows.chunks(640).collect();
        let x: Vec<f64> = groups.iter().map(|group| group.iter().map(|row| row.0).sum::<f64>() / 640.0).collect();
        let mut values: Vec<Vec<f64>> = groups.iter().map(|group| group.iter().map(|row| row.1).collect()).collect();
        let level = |i: usize| LevelMean::of(x[i], &ExactMoments::of(&values[i])).unwrap();
        let levels: Vec<LevelMean> = (0..x.len()).map(level).collect();
        let raw: Vec<f64> = levels.iter().map(|level| level.mean).collect();
        let smoother = Smoother::new(&levels, 2.0).unwrap();
        let curve = move |x: f64| smoother.row(x).apply(&raw);
        let grid = spaced(x[0], x[x.len() - 1], 2001);
        let minimum = lowest(&grid, |i| curve(grid[i]));
        let means: Vec<f64> = x.iter().map(|x| curve(*x)).collect();
        for (i, values) in values.iter_mut().enumerate() {
            let scale = means[i] / levels[i].mean;
            values.iter_mut().for_each(|value| *value *= scale);
        }
        let name = if runs == 25 {
            "XOR mixture, 40 levels × 25"
        } else if runs == 64 {
            "XOR mixture, 40 levels × 64"
        } else {
            "XOR mixture, 40 levels × 400"
        };
        let (location, value) = (minimum.x, minimum.value);
        Self { name, x, means, location, value, runs, draw: Law::Values(values), curve: Box::new(curve) }
    }

    /// One experiment: runs per level, in the order of the replicates.
    fn experiment(&self, number: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(SEED, 1, number);
        let common: Vec<f64> = match &self.draw {
            Law::Paired(luck, _) => (0..self.runs).map(|_| luck * stream.normal()).collect(),
            _ => vec![0.0; self.runs],
        };
        let mut run = |i: usize, luck: f64| match &self.draw {
            Law::Normal(spread) => self.means[i] + spread * stream.normal(),
            Law::Values(values) => values[i][stream.below(values[i].len())],
            Law::Paired(_, own) => self.means[i] + luck + own * stream.normal(),
        };
        (0..self.x.len()).map(|i| common.iter().map(|luck| run(i, *luck)).collect()).collect()
    }

    fn is_paired(&self) -> bool {
        matches!(self.draw, Law::Paired(..))
    }

    fn least(&self) -> usize {
        (0..self.x.len()).min_by(|a, b| self.means[*a].total_cmp(&self.means[*b])).unwrap()
    }
}

fn spaced(first: f64, last: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| first + (last - first) * i as f64 / (count - 1) as f64).collect()
}

/// A mean of experiments with its standard error.
#[derive(Debug, Clone, Copy)]
pub struct Bias {
    /// The mean.
    pub mean: f64,
    /// Its error.
    pub error: f64,
}

impl Bias {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let moments = ExactMoments::of(&values.collect::<Vec<_>>());
        Self { mean: moments.mean().unwrap(), error: moments.std_dev().unwrap() / (moments.n() as f64).sqrt() }
    }
}

/// What one experiment found: whether each interval covers its truth, or the share of several.
#[derive(Debug, Clone, Default)]
struct Found {
    level_means: f64,
    location: f64,
    value: f64,
    difference: f64,
    ratio: f64,
    median: f64,
    in_set: f64,
    set_size: f64,
    honest: f64,
    naive: f64,
    honest_curve: f64,
    naive_curve: f64,
    cross_covers: f64,
    located: f64,
    at_edge: f64,
}

/// A line of the table. Shares are of experiments.
#[derive(Debug, Clone)]
pub struct Line {
    /// The truth's name.
    pub name: &'static str,
    /// t intervals of the level means that cover.
    pub level_means: f64,
    /// Intervals of the minimum's place that cover.
    pub location: f64,
    /// Intervals of its value that cover.
    pub value: f64,
    /// Welch intervals of a difference that cover.
    pub difference: f64,
    /// Fieller intervals of a ratio that cover.
    pub ratio: f64,
    /// Intervals of a median that cover; absent where the truth has none to compare with.
    pub median: f64,
    /// Confidence sets that hold the true best.
    pub in_set: f64,
    /// Mean number of levels in them.
    pub set_size: f64,
    /// Least mean, less the truth at its level.
    pub naive: Bias,
    /// Cross-fitted, less the truth at the chosen levels.
    pub honest: Bias,
    /// Least value of the curve, less the true minimum.
    pub naive_curve: Bias,
    /// Cross-fitted value of the curve, less the truth at the chosen places.
    pub honest_curve: Bias,
    /// Cross-fitted intervals that cover.
    pub cross_covers: f64,
    /// Verdicts `located`.
    pub located: f64,
    /// Verdicts `at_edge`.
    pub at_edge: f64,
}

/// Repeats `truth` so many times.
pub fn simulate(truth: &Truth, experiments: u64, replicates: u32) -> Line {
    let found: Vec<Found> = (0..experiments).into_par_iter().map(|number| one(truth, number, replicates)).collect();
    let share = |of: fn(&Found) -> f64| found.iter().map(of).sum::<f64>() / experiments as f64;
    let bias = |of: fn(&Found) -> f64| Bias::of(found.iter().map(of));
    Line {
        name: truth.name,
        level_means: share(|f| f.level_means),
        location: share(|f| f.location),
        value: share(|f| f.value),
        difference: share(|f| f.difference),
        ratio: share(|f| f.ratio),
        median: share(|f| f.median),
        in_set: share(|f| f.in_set),
        set_size: share(|f| f.set_size),
        naive: bias(|f| f.naive),
        honest: bias(|f| f.honest),
        naive_curve: bias(|f| f.naive_curve),
        honest_curve: bias(|f| f.honest_curve),
        cross_covers: share(|f| f.cross_covers),
        located: share(|f| f.located),
        at_edge: share(|f| f.at_edge),
    }
}

/// 1 if the interval holds `truth`. A minimum at an end is covered if the interval reaches it, to rounding.
fn covers(estimate: &Estimate, truth: f64) -> f64 {
    const ROUNDING: f64 = 1e-9;
    f64::from(estimate.interval.is_some_and(|i| i.lower - ROUNDING <= truth && truth <= i.upper + ROUNDING))
}

fn one(truth: &Truth, number: u64, replicates: u32) -> Found {
    let runs = truth.experiment(number);
    let count = truth.x.len();
    let level = |i: usize| LevelMean::of(truth.x[i], &ExactMoments::of(&runs[i])).unwrap();
    let raw: Vec<LevelMean> = (0..count).map(level).collect();
    let levels = pool_errors(&raw);
    let seed = SEED ^ number;
    let plan = Plan { seed, replicates, confidence: CONFIDENCE };
    let draws = if truth.is_paired() { Draws::Paired(&runs) } else { Draws::Normal };
    let fitted = fitted_minimum(&levels, draws, &plan).unwrap();

    let sorted: Vec<Vec<f64>> = runs
        .iter()
        .map(|runs| {
            let mut sorted = runs.clone();
            sorted.sort_by(f64::total_cmp);
            sorted
        })
        .collect();
    let mean = |i: usize| covers(&Summary::of_sorted(&sorted[i], CONFIDENCE).unwrap().mean, truth.means[i]);
    // Fixed levels, chosen before the data: a quarter of the range apart.
    let [from, to] = [count / 2, 3 * count / 4].map(|i| (i, Measured::mean_of(&runs[i]).unwrap()));
    let (difference, ratio) = if truth.is_paired() {
        let (a, b) = (&runs[from.0], &runs[to.0]);
        (paired(a, b, CONFIDENCE).unwrap().estimate, relative_change_paired(a, b, CONFIDENCE).unwrap())
    } else {
        (welch(&from.1, &to.1, CONFIDENCE).unwrap().estimate, relative_change(&from.1, &to.1, CONFIDENCE))
    };
    let true_median = match &truth.draw {
        Law::Normal(_) | Law::Paired(..) => truth.means[from.0],
        Law::Values(values) => initsweep::stats::quantile::quantile(
            &{
                let mut sorted = values[from.0].clone();
                sorted.sort_by(f64::total_cmp);
                sorted
            },
            0.5,
        ),
    };
    let candidates =
        if truth.is_paired() { candidates_paired(&runs, &plan).unwrap() } else { candidates(&levels, CONFIDENCE) };

    let level_runs: Vec<LevelRuns> = runs.iter().zip(&truth.x).map(|(values, x)| LevelRuns { x: *x, values }).collect();
    let deal = if truth.is_paired() { Deal::Alike } else { Deal::Apart };
    let folds = Folds { count: 5, seed, deal, centre: Centre::Mean };
    let least = at_least_mean(&level_runs, &folds).unwrap();
    let curve = at_fitted_minimum(&level_runs, &folds).unwrap();
    let place_of = |x: f64| (0..count).find(|i| truth.x[*i] == x).unwrap();
    let at_least = least.chosen.iter().map(|x| truth.means[place_of(*x)]).sum::<f64>() / least.chosen.len() as f64;
    let at_curve = curve.chosen.iter().map(|x| (truth.curve)(*x)).sum::<f64>() / curve.chosen.len() as f64;
    let lucky = (0..count).min_by(|a, b| raw[*a].mean.total_cmp(&raw[*b].mean)).unwrap();
    let noise = Noise::new(&raw).unwrap();
    let optimum = Optimum::new(&raw, noise, 1.0 - CONFIDENCE);
    let verdict = optimum.verdict(Tolerance { share: 0.01, amount: 0.0 }, &vec![truth.runs as f64; count]);
    let crossed = curve.value.estimate(CONFIDENCE, initsweep::stats::Method::CrossFitted);
    Found {
        level_means: (0..count).map(mean).sum::<f64>() / count as f64,
        location: covers(&fitted.location, truth.location),
        value: covers(&fitted.value, truth.value),
        difference: covers(&difference, truth.means[to.0] - truth.means[from.0]),
        ratio: covers(&ratio, truth.means[to.0] / truth.means[from.0] - 1.0),
        median: covers(&quantile_estimate(&sorted[from.0], 0.5, CONFIDENCE).unwrap(), true_median),
        in_set: f64::from(candidates[truth.least()].in_set),
        set_size: candidates.iter().filter(|candidate| candidate.in_set).count() as f64,
        honest: least.value.point - at_least,
        naive: least.naive - truth.means[lucky],
        honest_curve: curve.value.point - at_curve,
        naive_curve: curve.naive - truth.value,
        cross_covers: covers(&crossed, at_curve),
        located: f64::from(verdict == Verdict::Located),
        at_edge: f64::from(matches!(verdict, Verdict::AtEdge { .. })),
    }
}

fn main() {
    // Cargo passes `--bench` too.
    let experiments = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(2000);
    const REPLICATES: u32 = 1000;
    println!(
        "Shares in %, of {experiments} experiments with {REPLICATES} bootstrap replicates; nominal 95. Biases are mean ± standard error.\n"
    );
    println!(
        "| truth | level means | place | value | difference | ratio | median | best in set | levels in set | cross-fitted covers | bias: least mean | cross-fitted | fitted minimum | cross-fitted | located | at edge |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let truths = [
        Truth::parabola(),
        Truth::paired(),
        Truth::mixture(25),
        Truth::mixture(64),
        Truth::mixture(400),
        Truth::edge(),
        Truth::flat(),
    ];
    for truth in &truths {
        let line = simulate(truth, experiments, REPLICATES);
        let shares =
            [line.level_means, line.location, line.value, line.difference, line.ratio, line.median, line.in_set]
                .map(|share| format!("{:.1}", 100.0 * share))
                .join(" | ");
        let biases = [line.naive, line.honest, line.naive_curve, line.honest_curve]
            .map(|bias| format!("{:+.1} ± {:.1}", bias.mean, bias.error))
            .join(" | ");
        println!(
            "| {} | {shares} | {:.1} | {:.1} | {biases} | {:.1} | {:.1} |",
            line.name,
            line.set_size,
            100.0 * line.cross_covers,
            100.0 * line.located,
            100.0 * line.at_edge
        );
    }
    println!("\n{}", optimum::table((experiments / 10).max(20)));
}
