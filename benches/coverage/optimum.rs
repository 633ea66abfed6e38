//! The optimum on few levels: curves of many shapes, seen at few noisy levels, against what `stats::optimum` says of them.
//!
//! Places are in gaps between levels. A curve is scaled so that the rise one gap off its minimum, the geometric average of both sides, is 1,
//! and lifted so that this rise is a given share of the least value.

// Names of shapes, laws and shares say what they are.
#![allow(missing_docs)]

use std::sync::LazyLock;

use initsweep::random::Stream;
use initsweep::stats::ExactMoments;
use initsweep::stats::optimum::blocks::{BlockFit, BlockRun};
use initsweep::stats::optimum::noise::Noise;
use initsweep::stats::optimum::verdict::Verdict;
use initsweep::stats::optimum::{Optimum, Tolerance};
use initsweep::stats::smooth::{LevelMean, Smoother};
use rayon::prelude::*;

/// 1 − the confidence.
const ALPHA: f64 = 0.05;
const SEED: u64 = 20_261_128;

/// The shape of a curve with its minimum near 0, in gaps; `g` is the gap in ln of the level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    Parabola,
    CurvatureKink,
    SlopeKink,
    RoundedKink,
    Hyperbola,
    TwoExponentials,
    Wall,
    Morse,
    Quartic,
    PowerThreeHalves,
    Cusp,
    Edge,
    Flat,
    TwoDips,
    Xor,
}

impl Shape {
    pub fn name(self) -> &'static str {
        match self {
            Self::Parabola => "parabola",
            Self::CurvatureKink => "kink 1:4 in curvature",
            Self::SlopeKink => "kink 1:4 in slope",
            Self::RoundedKink => "rounded kink",
            Self::Hyperbola => "hyperbola",
            Self::TwoExponentials => "two exponentials",
            Self::Wall => "slow fall, then a wall",
            Self::Morse => "Morse",
            Self::Quartic => "quartic",
            Self::PowerThreeHalves => "power 1.5, 1:4",
            Self::Cusp => "cusp",
            Self::Edge => "edge",
            Self::Flat => "flat",
            Self::TwoDips => "two dips",
            Self::Xor => "the XOR curve",
        }
    }

    fn at(self, v: f64, g: f64) -> f64 {
        let logistic = |z: f64| 1.0 / (1.0 + libm::exp(-z.clamp(-500.0, 500.0)));
        let softplus = |z: f64| if z > 30.0 { z } else { libm::log1p(libm::exp(z)) };
        match self {
            Self::Parabola | Self::Edge => v * v,
            Self::CurvatureKink => {
                if v < 0.0 {
                    v * v
                } else {
                    4.0 * v * v
                }
            }
            Self::SlopeKink => {
                if v < 0.0 {
                    0.5 * v * v - 0.3 * v
                } else {
                    2.0 * v * v + 1.2 * v
                }
            }
            Self::RoundedKink => {
                let t = v / 0.25;
                0.5 * v * v * (1.0 + 3.0 * logistic(t)) + 1.5 * 0.25 * softplus(t) - 0.4 * v
            }
            Self::Hyperbola => libm::hypot(1.0, g * v),
            Self::TwoExponentials => libm::exp(-0.5 * g * v) + 0.25 * libm::exp(2.0 * g * v),
            Self::Wall => -0.1 * v.min(1.0) + 0.025 * softplus((v - 1.0) * 4.0) + 10.0 * logistic((v - 1.0) / 0.15),
            Self::Morse => {
                let rest = 1.0 - libm::exp(-(0.8 * g * v).clamp(-50.0, 50.0));
                rest * rest
            }
            Self::Quartic => v * v * v * v,
            Self::PowerThreeHalves => libm::pow(v.abs(), 1.5) * if v < 0.0 { 1.0 } else { 4.0 },
            Self::Cusp => libm::pow(v.abs(), 0.7),
            Self::Flat => 0.0,
            Self::TwoDips => (v * v).min((v - 4.0) * (v - 4.0) + 0.5),
            Self::Xor => XOR.at(g * v),
        }
    }
}

/// The means of the article's sweep, smoothed; places are from ln of the fitted minimum.
struct XorCurve {
    smoother: Smoother,
    means: Vec<f64>,
    centre: f64,
}

static XOR: LazyLock<XorCurve> = LazyLock::new(|| {
    let rows = include_str!("../../output/summary.csv").lines().skip(1);
    let levels: Vec<LevelMean> = rows
        .map(|row| {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
            LevelMean { x: cells[0].ln(), mean: cells[2], variance: 1.0, n: 1.0, freedom: 1.0 }
        })
        .collect();
    let smoother = Smoother::new(&levels, 0.6).unwrap();
    XorCurve { smoother, means: levels.iter().map(|level| level.mean).collect(), centre: 0.599f64.ln() }
});

impl XorCurve {
    fn at(&self, from_centre: f64) -> f64 {
        self.smoother.row((self.centre + from_centre).clamp(-2.99, 3.98)).apply(&self.means)
    }
}

/// How runs scatter around the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    Normal,
    /// ln-normal with σ = 0.8, shifted to its mean.
    LogNormal,
    /// Normal, the deviation growing tenfold from the minimum to the highest level.
    Growing,
    /// One run in five stuck, two deviations high.
    TwoPeaked,
}

/// One kind of experiment.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub shape: Shape,
    pub levels: usize,
    /// Octaves from level to level.
    pub octaves: f64,
    /// Runs a level.
    pub runs: usize,
    /// Rise one gap off the minimum, in standard errors of a level's mean.
    pub rise: f64,
    pub law: Law,
    /// Gaps between 0.4 and 1.6 in place of equal ones.
    pub is_irregular: bool,
    /// The least value, in rises.
    pub base: f64,
    /// Whether run k of every level has the same seed, whose luck is twice a run's own deviation.
    pub has_seeds: bool,
}

impl Cell {
    pub fn new(shape: Shape, levels: usize, rise: f64, runs: usize) -> Self {
        let base = 100.0;
        Self { shape, levels, octaves: 1.0, runs, rise, law: Law::Normal, is_irregular: false, base, has_seeds: false }
    }
}

/// A true curve at the places of an experiment.
pub struct Truth {
    cell: Cell,
    offset: f64,
    scale: f64,
    lift: f64,
    pub place: f64,
    pub value: f64,
}

impl Truth {
    fn new(cell: Cell, offset: f64, first: f64, last: f64) -> Self {
        let mut truth = Self { cell, offset, scale: 1.0, lift: 0.0, place: 0.0, value: 0.0 };
        let (place, value) = truth.least(first, last);
        let rises: Vec<f64> = [-1.0, 1.0]
            .iter()
            .map(|step| place + step)
            .filter(|at| (first - 1e-9..=last + 1e-9).contains(at))
            .map(|at| (truth.at(at) - value).max(1e-12).ln())
            .collect();
        if cell.shape != Shape::Flat {
            truth.scale = 1.0 / (rises.iter().sum::<f64>() / rises.len() as f64).exp();
        }
        truth.lift = cell.base - value * truth.scale;
        (truth.place, truth.value) = (place, cell.base);
        truth
    }

    fn at(&self, x: f64) -> f64 {
        let g = self.cell.octaves * std::f64::consts::LN_2;
        self.scale * self.cell.shape.at(x - self.offset, g) + self.lift
    }

    /// The least place by a grid, then by halving around it.
    fn least(&self, first: f64, last: f64) -> (f64, f64) {
        let grid = 4000;
        let step = (last - first) / f64::from(grid);
        let best = (0..=grid)
            .min_by(|a, b| self.at(first + step * f64::from(*a)).total_cmp(&self.at(first + step * f64::from(*b))));
        let centre = first + step * f64::from(best.unwrap());
        let (mut from, mut to) = ((centre - step).max(first), (centre + step).min(last));
        for _ in 0..80 {
            let (a, b) = (from + (to - from) / 3.0, to - (to - from) / 3.0);
            if self.at(a) <= self.at(b) { to = b } else { from = a }
        }
        [from, to, (from + to) / 2.0, centre]
            .into_iter()
            .map(|x| (x, self.at(x)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap()
    }
}

/// What one experiment showed.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub place: bool,
    pub width: f64,
    pub convex: bool,
    pub bracket: bool,
    pub unimodal: bool,
    pub value: Option<bool>,
    pub value_width: f64,
    /// A level one off, two off on the other side, and between two levels.
    pub references: [Option<bool>; 3],
    pub reference_verdicts_wrong: usize,
    pub safe: [bool; 2],
    pub safe_width: [f64; 2],
    pub located: [bool; 2],
    pub located_missed: [bool; 2],
    pub located_over: [bool; 2],
    pub coarse: bool,
    pub at_edge: bool,
    pub unresolved: bool,
    pub not_unimodal: bool,
    pub misfit: bool,
}

pub const MARGINS: [f64; 2] = [0.01, 0.05];

fn run_noise(law: Law, stream: &mut Stream) -> f64 {
    match law {
        Law::Normal | Law::Growing => stream.normal(),
        Law::LogNormal => {
            let s: f64 = 0.8;
            let mean = (s * s / 2.0).exp();
            ((s * stream.normal()).exp() - mean) / (mean * ((s * s).exp() - 1.0).sqrt())
        }
        // Shares 0.8 and 0.2 at 0 and d, each with deviation 0.4; scaled to a variance of 1.
        Law::TwoPeaked => {
            let d = (1.0f64 - 0.16).sqrt() / 0.4;
            let stuck = stream.uniform() < 0.2;
            0.4 * stream.normal() + if stuck { 0.8 * d } else { -0.2 * d }
        }
    }
}

/// One experiment of `cell`.
pub fn experiment(cell: Cell, number: u64) -> (Truth, Vec<LevelMean>, Vec<Vec<BlockRun>>) {
    let mut stream = Stream::new(SEED, 7, number);
    let count = cell.levels;
    let mut x: Vec<f64> = vec![0.0];
    for _ in 1..count {
        let gap = if cell.is_irregular { 0.4 + 1.2 * stream.uniform() } else { 1.0 };
        x.push(x[x.len() - 1] + gap);
    }
    let last = x[count - 1];
    let room = ((count as f64 - 1.0) / 2.0 - 1.5).max(0.0) / 2.0;
    let offset = if cell.shape == Shape::Edge {
        -0.5
    } else {
        last / 2.0 + stream.uniform() - 0.5 + (2.0 * stream.uniform() - 1.0) * room
            - if cell.shape == Shape::TwoDips { 2.0 } else { 0.0 }
    };
    let truth = Truth::new(cell, offset, 0.0, last);
    let deviation = (cell.runs as f64).sqrt() / cell.rise;
    let highest = x.iter().map(|x| truth.at(*x)).fold(0.0, f64::max);
    let luck: Vec<f64> =
        (0..if cell.has_seeds { cell.runs } else { 0 }).map(|_| 2.0 * deviation * stream.normal()).collect();
    let mut blocks = Vec::new();
    let level = |x: &f64| {
        let mean = truth.at(*x);
        let grown = if cell.law == Law::Growing && highest > truth.value {
            1.0 + 9.0 * ((mean - truth.value) / (highest - truth.value)).clamp(0.0, 1.0)
        } else {
            1.0
        };
        let spread = deviation * grown;
        if cell.runs > 100 {
            let n = cell.runs as f64;
            let drawn = mean + spread / n.sqrt() * stream.normal();
            let variance = spread * spread * stream.variance_ratio(n - 1.0);
            return LevelMean { x: *x, mean: drawn, variance, n, freedom: n - 1.0 };
        }
        let common = |run: usize| luck.get(run).copied().unwrap_or(0.0);
        let runs: Vec<f64> =
            (0..cell.runs).map(|run| mean + common(run) + spread * run_noise(cell.law, &mut stream)).collect();
        blocks.push((0..).zip(&runs).map(|(block, value)| BlockRun { block, value: *value }).collect());
        LevelMean::of(*x, &ExactMoments::of(&runs)).unwrap()
    };
    let levels = x.iter().map(level).collect();
    (truth, levels, blocks)
}

fn observe(cell: Cell, number: u64) -> Seen {
    let (truth, mut levels, blocks) = experiment(cell, number);
    // As the analysis does: blocks are used where they explain part of the noise.
    let fit = if cell.has_seeds { BlockFit::new(&blocks).filter(BlockFit::is_worth_it) } else { None };
    let noise = fit.as_ref().map_or_else(|| Noise::new(&levels), |fit| Some(fit.noise.clone()));
    let Some(noise) = noise else { return Seen::default() };
    if let Some(fit) = &fit {
        levels.iter_mut().zip(&fit.means).for_each(|(level, mean)| level.mean = *mean);
    }
    let optimum = Optimum::new(&levels, noise, ALPHA);
    let slack = 1e-6 + 0.0025;
    let x = &optimum.x;
    let gap = {
        let at = x.partition_point(|x| *x < truth.place).clamp(1, x.len() - 1);
        x[at] - x[at - 1]
    };
    let within = |lower: f64, upper: f64| lower - slack <= truth.place && truth.place <= upper + slack;
    let mut seen = Seen {
        convex: within(optimum.convex.lower, optimum.convex.upper),
        bracket: within(x[optimum.bracket.first], x[optimum.bracket.last]),
        unimodal: optimum.bracket.is_unimodal,
        ..Seen::default()
    };
    let is_flat = cell.shape == Shape::Flat;
    let Some(local) = &optimum.local else { return seen };
    let span = local.place.span;
    seen.place = is_flat || within(span.lower, span.upper);
    seen.width = (span.upper - span.lower) / gap;
    seen.misfit = local.lack_of_fit.is_some_and(|fit| fit.is_significant());
    if let Some(value) = local.value {
        seen.value = Some(value.span.contains(truth.value));
        seen.value_width = value.span.upper - value.span.lower;
    }
    let last = x.len() - 1;
    let near = (0..x.len()).min_by(|a, b| (x[*a] - truth.place).abs().total_cmp(&(x[*b] - truth.place).abs())).unwrap();
    let one = (near + 1).min(last);
    let two = near.saturating_sub(2);
    let middle = if near + 2 <= last { (x[near + 1] + x[near + 2]) / 2.0 } else { (x[last] + x[last - 1]) / 2.0 };
    for (slot, at) in [x[one], x[two], middle].into_iter().enumerate() {
        let Some(found) = optimum.against_optimum(at) else { continue };
        let true_difference = truth.at(at) - truth.value;
        let span = found.difference.span;
        seen.references[slot] = Some(span.lower - 1e-9 <= true_difference && true_difference <= span.upper + 1e-9);
        for margin in MARGINS {
            let limit = margin * truth.value;
            let bound = Tolerance { share: margin, amount: 0.0 };
            let said = optimum.judge(&found, bound);
            let wrong = match said {
                initsweep::stats::compare::Verdict::Worse => true_difference <= limit,
                initsweep::stats::compare::Verdict::Equivalent => true_difference > limit * (1.0 + 1e-9),
                initsweep::stats::compare::Verdict::Better => true,
                initsweep::stats::compare::Verdict::Undecided => false,
            };
            seen.reference_verdicts_wrong += usize::from(wrong);
        }
    }
    let runs: Vec<f64> = levels.iter().map(|level| level.n).collect();
    for (slot, margin) in MARGINS.into_iter().enumerate() {
        let tolerance = Tolerance { share: margin, amount: 0.0 };
        let limit = truth.value * (1.0 + margin) * (1.0 + 1e-9);
        seen.safe[slot] = true;
        seen.safe_width[slot] = -1.0;
        if let Some(safe) = optimum.safe_range(tolerance) {
            let steps = 40;
            seen.safe[slot] = (0..=steps)
                .map(|i| safe.lower + (safe.upper - safe.lower) * f64::from(i) / f64::from(steps))
                .all(|at| truth.at(at) <= limit);
            seen.safe_width[slot] = (safe.upper - safe.lower) / gap;
        }
        let verdict = optimum.verdict(tolerance, &runs);
        if verdict == Verdict::Located {
            seen.located[slot] = true;
            seen.located_missed[slot] = !seen.place || cell.shape == Shape::Edge;
            let steps = 40;
            seen.located_over[slot] = (0..=steps)
                .map(|i| span.lower + (span.upper - span.lower) * f64::from(i) / f64::from(steps))
                .any(|at| truth.at(at) > limit);
        }
        if slot == 1 {
            seen.coarse = matches!(verdict, Verdict::Coarse { .. });
            seen.at_edge = matches!(verdict, Verdict::AtEdge { .. });
            seen.unresolved = matches!(verdict, Verdict::Unresolved { .. });
            seen.not_unimodal = matches!(verdict, Verdict::NotUnimodal { .. });
        }
    }
    seen
}

/// `count` experiments of `cell`.
pub fn experiments(cell: Cell, count: u64) -> Vec<Seen> {
    let start = cell.levels as u64 * 1_000_003 + cell.runs as u64 * 7919 + (cell.rise * 100.0) as u64 * 104_729;
    let first = (start + cell.shape as u64 * 15_485_863 + cell.law as u64 * 32_452_843) << 20;
    (0..count).into_par_iter().map(|number| observe(cell, first + number)).collect()
}

/// Share of experiments.
pub fn share(seen: &[Seen], is: impl Fn(&Seen) -> bool) -> f64 {
    seen.iter().filter(|seen| is(seen)).count() as f64 / seen.len().max(1) as f64
}

/// Share of those that say anything.
pub fn share_of_some(seen: &[Seen], of: impl Fn(&Seen) -> Option<bool>) -> f64 {
    let said: Vec<bool> = seen.iter().filter_map(of).collect();
    if said.is_empty() { f64::NAN } else { said.iter().filter(|is| **is).count() as f64 / said.len() as f64 }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Every shape of the table.
pub const SHAPES: [Shape; 15] = [
    Shape::Parabola,
    Shape::CurvatureKink,
    Shape::SlopeKink,
    Shape::RoundedKink,
    Shape::Hyperbola,
    Shape::TwoExponentials,
    Shape::Morse,
    Shape::Quartic,
    Shape::PowerThreeHalves,
    Shape::Xor,
    Shape::Wall,
    Shape::Cusp,
    Shape::Edge,
    Shape::Flat,
    Shape::TwoDips,
];

/// The kinds of experiment that each shape is put through.
pub fn cells(shape: Shape) -> Vec<Cell> {
    let cell = |levels, rise, runs| Cell::new(shape, levels, rise, runs);
    // Six octaves of the XOR curve are known on either side of its minimum.
    let octaves = if shape == Shape::Xor { 0.5 } else { 1.0 };
    let mut cells = Vec::new();
    for levels in [5, 7, 9, 13] {
        for rise in [0.5, 2.0, 5.0, 20.0] {
            cells.push(Cell { octaves, ..cell(levels, rise, 3) });
        }
    }
    for runs in [1, 2, 5, 10, 1000] {
        for rise in [2.0, 20.0] {
            cells.push(Cell { octaves, ..cell(if runs == 1 { 12 } else { 7 }, rise, runs) });
        }
    }
    for levels in [21, 41] {
        for rise in [0.5, 2.0, 20.0] {
            cells.push(Cell { octaves: if shape == Shape::Xor { 0.2 } else { 0.5 }, ..cell(levels, rise, 10) });
        }
    }
    for rise in [2.0, 20.0] {
        for levels in [7, 13] {
            cells.push(Cell { is_irregular: true, octaves, ..cell(levels, rise, 3) });
        }
        for wide in [0.5, if shape == Shape::Xor { 1.0 } else { 2.3 }] {
            cells.push(Cell { octaves: wide, ..cell(9, rise, 3) });
        }
        for (levels, runs) in [(7, 3), (9, 5), (13, 10)] {
            for law in [Law::LogNormal, Law::Growing, Law::TwoPeaked] {
                cells.push(Cell { law, octaves, ..cell(levels, rise, runs) });
            }
            cells.push(Cell { has_seeds: true, octaves, ..cell(levels, rise, runs) });
        }
    }
    let is_flat = shape == Shape::Flat;
    cells.into_iter().filter(|cell| !is_flat || cell.rise == 2.0).collect()
}

/// What the experiments of many cells showed: of each promise the least cell, or all of them together.
#[derive(Debug, Clone)]
pub struct Row {
    pub shape: Shape,
    pub place: f64,
    pub place_of_all: f64,
    pub bracket: f64,
    pub value: f64,
    pub value_of_all: f64,
    pub reference: f64,
    pub reference_of_all: f64,
    /// Greatest share of wrong verdicts on references in a cell.
    pub wrong_verdicts: f64,
    pub safe: f64,
    /// Share located at a margin of 5 % where the rise is 5.
    pub located: f64,
    /// Share of all located, at either margin, that missed the place or rose over the margin.
    pub wrong_located: f64,
    /// The same in the worst cell, of its experiments.
    pub wrong_located_cell: f64,
    /// Median width in gaps where the rise is 20.
    pub width: f64,
    /// The cell of the least place.
    pub least: Cell,
}

/// The row of `shape`, with `count` experiments a cell.
pub fn row(shape: Shape, cells: &[Cell], count: u64) -> Row {
    let seen: Vec<(Cell, Vec<Seen>)> = cells.iter().map(|cell| (*cell, experiments(*cell, count))).collect();
    let all = || seen.iter().flat_map(|(_, seen)| seen);
    let all_seen: Vec<Seen> = all().cloned().collect();
    let least = |of: &dyn Fn(&[Seen]) -> f64| {
        seen.iter().map(|(_, seen)| of(seen)).filter(|share| !share.is_nan()).fold(1.0, f64::min)
    };
    let greatest = |of: &dyn Fn(&[Seen]) -> f64| seen.iter().map(|(_, seen)| of(seen)).fold(0.0, f64::max);
    let place = |seen: &[Seen]| share(seen, |s| s.place);
    let value = |seen: &[Seen]| share_of_some(seen, |s| s.value);
    let reference = |seen: &[Seen]| {
        (0..3).map(|slot| share_of_some(seen, |s| s.references[slot])).filter(|x| !x.is_nan()).fold(1.0, f64::min)
    };
    let wrong = |s: &Seen, slot: usize| s.located[slot] && (s.located_missed[slot] || s.located_over[slot]);
    let located = all().map(|s| usize::from(s.located[0]) + usize::from(s.located[1])).sum::<usize>();
    let wrong_located = all().map(|s| usize::from(wrong(s, 0)) + usize::from(wrong(s, 1))).sum::<usize>();
    let at_five: Vec<Seen> =
        seen.iter().filter(|(cell, _)| cell.rise == 5.0).flat_map(|(_, seen)| seen.clone()).collect();
    let sharp = seen.iter().filter(|(cell, _)| cell.rise == 20.0).flat_map(|(_, seen)| seen.iter().map(|s| s.width));
    let order = |a: &&(Cell, Vec<Seen>), b: &&(Cell, Vec<Seen>)| place(&a.1).total_cmp(&place(&b.1));
    Row {
        shape,
        place: least(&place),
        place_of_all: place(&all_seen),
        bracket: least(&|seen| share(seen, |s| s.bracket)),
        value: least(&value),
        value_of_all: value(&all_seen),
        reference: least(&reference),
        reference_of_all: reference(&all_seen),
        wrong_verdicts: greatest(&|seen| {
            seen.iter().map(|s| s.reference_verdicts_wrong as f64 / 6.0).sum::<f64>() / seen.len() as f64
        }),
        safe: least(&|seen| share(seen, |s| s.safe[0]).min(share(seen, |s| s.safe[1]))),
        located: share(&at_five, |s| s.located[1]),
        wrong_located: wrong_located as f64 / located.max(1) as f64,
        wrong_located_cell: greatest(&|seen| share(seen, |s| wrong(s, 0)).max(share(seen, |s| wrong(s, 1)))),
        width: median(sharp.collect()),
        least: seen.iter().min_by(order).unwrap().0,
    }
}

/// The table: shares in %, of `count` experiments a cell.
pub fn table(count: u64) -> String {
    let mut text = String::from(
        "| truth | cells | place: least cell (all) | bracket | value | reference | wrong verdicts | safe range | located, r = 5, 5 % | wrong located of all (worst cell) | width at r = 20, gaps | least cell |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    for shape in SHAPES {
        let cells = cells(shape);
        let row = row(shape, &cells, count);
        let Cell { levels, runs, rise, law, is_irregular, has_seeds, octaves, .. } = row.least;
        let both = |least: f64, all: f64| format!("{} ({})", percent(least), percent(all));
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} | {levels} levels × {runs}, r = {rise}, {law:?}{}{}, {octaves} octaves |\n",
            shape.name(),
            cells.len(),
            both(row.place, row.place_of_all),
            percent(row.bracket),
            both(row.value, row.value_of_all),
            both(row.reference, row.reference_of_all),
            percent(row.wrong_verdicts),
            percent(row.safe),
            percent(row.located),
            both(row.wrong_located, row.wrong_located_cell),
            row.width,
            if is_irregular { ", irregular" } else { "" },
            if has_seeds { ", seeds" } else { "" },
        );
    }
    text
}
