//! The levels as they are compared: a place on the axis and a number of which less is better.
//!
//! How levels lie on the axis: [`crate::analysis::along`]. One that is beside the axis has a number
//! but no place: it takes part where levels are compared one by one, not in the curve. Where the
//! greatest is the best, all numbers have the other sign in here.
//!
//! **Paired runs** are compared replicate by replicate, over the replicates that every level has
//! ([`crate::stats::paired`]), if there are at least 20 of them and the statistic is a mean: the
//! median of differences is not the difference of medians.

use std::borrow::Cow;

use crate::analysis::along::Along;
use crate::analysis::goal::Goal;
use crate::analysis::groups::{BasinRule, Group, with_failed_as};
use crate::analysis::refinement;
use crate::analysis::statistic::Statistic;
use crate::error::{Error, Result};
use crate::group::Sample;
use crate::stats::best::{self, Candidate};
use crate::stats::best_paired::candidates_paired;
use crate::stats::bootstrap::{Draws, FittedMinimum, Plan, fitted_minimum};
use crate::stats::crossfit::{self, CrossFitted, Deal, Folds, LevelRuns};
use crate::stats::optimum::Optimum;
use crate::stats::optimum::blocks::{BlockFit, BlockRun};
use crate::stats::optimum::noise::{KNOWN, Noise, NoiseSource};
use crate::stats::paired::{Common, Numbered, common_replicates};
use crate::stats::refined::Cubic;
use crate::stats::smooth::{LevelMean, pool_errors};
use crate::stats::{ConfidenceInterval, Estimate, Method, sort};

/// Replicates of the bootstrap.
const REPLICATES: u32 = 2000;
/// Key of the bootstrap's random numbers: the same data give the same interval.
const SEED: u64 = 1;
/// Fewer common replicates than this say too little of their correlation.
const LEAST_REPLICATES: usize = 20;
/// More replicates than this are averaged in batches where each costs much.
const BATCHES: usize = 256;
/// Beyond this many levels the paired confidence set would take seconds.
const MOST_PAIRED_LEVELS: usize = 500;

/// The levels, ready to be compared.
pub struct Objective<'a> {
    /// How they lie on the axis.
    pub along: Along,
    /// The levels on the axis, ascending, lower being better, with pooled errors: those that the
    /// curve is fitted to.
    pub levels: Vec<LevelMean>,
    /// The same levels, as they were given: the logarithm of one and back again is not always the
    /// same number.
    pub given: Vec<f64>,
    /// The levels beside the axis, which come before them; their `x` means nothing.
    pub beside: Vec<LevelMean>,
    /// The same levels, each with its own error.
    plain: Vec<LevelMean>,
    /// The levels without the luck of the blocks that their runs share, where that is worth it.
    pub blocks: Option<BlockFit>,
    /// Whether no run of a metric to be minimised is below 0: then its best value is not either.
    pub is_never_negative: bool,
    /// What stands for a level.
    pub statistic: Statistic,
    /// Which of its values is the best.
    pub goal: Goal,
    /// Replicates of its bootstraps.
    pub replicates: u32,
    /// Where paired runs were put around the minimum, what they say of it.
    pub refined: Option<Cubic>,
    /// The runs of paired levels, by common replicate; nothing where few levels hold most runs,
    /// which would be lost.
    pub paired: Option<Common>,
    runs: Vec<Cow<'a, [f64]>>,
    batches: Vec<Vec<f64>>,
}

impl<'a> Objective<'a> {
    /// Of `groups` and, unless there are only summaries, the `samples` behind them.
    ///
    /// # Errors
    /// [`Error::Usage`] if the statistic is not known of these data.
    pub fn of(
        statistic: Statistic,
        goal: Goal,
        along: Along,
        groups: &[Group],
        samples: &'a [Sample],
        rule: Option<&BasinRule>,
    ) -> Result<Self> {
        let unknown = || Error::Usage {
            what: "statistic",
            given: statistic.name().into(),
            reason: match statistic {
                Statistic::SolvedShare => "these data do not tell which runs solved their task".into(),
                _ => "summaries of levels have their means only".into(),
            },
        };
        let beside = along.beside(groups.iter().map(|group| group.level));
        let on_axis = samples.get(beside..).unwrap_or_default();
        let is_positive = |group: &Group| group.summary.min.is_some_and(|least| least >= 0.0);
        let is_never_negative = goal == Goal::Min && groups.iter().all(is_positive);
        let given = groups[beside..].iter().map(|group| group.level).collect();
        let measured = groups.iter().map(|group| statistic.measured(group)).collect::<Option<Vec<_>>>();
        let measured = measured.ok_or_else(unknown)?;
        let design = refinement::design_of(statistic, on_axis);
        let refined = design.as_ref().and_then(|design| refinement::cubic(along, goal, on_axis, design));
        let oriented = |sample: &'a Sample| oriented(statistic, goal, sample, rule);
        let paired = if design.is_some() { None } else { paired(statistic, samples, oriented) };
        let runs: Vec<Cow<[f64]>> = match &paired {
            Some(_) => Vec::new(),
            None => samples.iter().map(|sample| ascending(ranked(statistic, sample, oriented(sample)))).collect(),
        };
        let level = |place: usize| {
            let (x, n) = (along.place(groups[place].level), statistic.runs(&groups[place]) as f64);
            match &paired {
                Some(common) => mean_of(x, &common.values[place]),
                None => {
                    let level = LevelMean::measured(x, &measured[place], n);
                    LevelMean { mean: goal.sign() * level.mean, ..level }
                }
            }
        };
        let all: Vec<LevelMean> = (0..groups.len()).map(level).collect();
        let (plain, plain_from) = (all[beside..].to_vec(), beside);
        let levels = pool_errors(&plain);
        let beside = if beside > 0 { pool_errors(&all)[..beside].to_vec() } else { Vec::new() };
        let batches = paired.as_ref().map(|common| common.in_batches(BATCHES)).unwrap_or_default();
        let blocks = paired.as_ref().and_then(|common| blocks_of(&common.values[plain_from..]));
        Ok(Self {
            along,
            levels,
            given,
            plain,
            beside,
            blocks,
            is_never_negative,
            statistic,
            goal,
            replicates: REPLICATES,
            refined,
            paired,
            runs,
            batches,
        })
    }

    /// Takes the luck of the blocks that the `samples` name out of the levels on the axis, if they
    /// were given or explain part of the noise. Returns what that gains, where it can be said, and
    /// whether it is done. Means alone come in blocks.
    pub fn within_blocks(&mut self, samples: &[Sample], is_given: bool) -> (Option<f64>, bool) {
        let on_axis = self.on_axis(samples);
        if self.statistic != Statistic::Mean || on_axis.is_empty() || on_axis.iter().any(|s| s.block.is_empty()) {
            return (None, false);
        }
        let sign = self.goal.sign();
        let run = |(block, value): (&u64, &f64)| BlockRun { block: *block, value: sign * value };
        let runs = |sample: &Sample| sample.block.iter().zip(&sample.sorted).map(run).collect();
        let fit = BlockFit::new(&on_axis.iter().map(runs).collect::<Vec<_>>());
        let reduction = fit.as_ref().map(|fit| fit.variance_reduction);
        let used = fit.filter(|fit| is_given || fit.is_worth_it());
        let is_used = used.is_some();
        if is_used {
            self.blocks = used;
        }
        (reduction, is_used)
    }

    /// Every level in the groups' order, those beside the axis first.
    pub fn all(&self) -> Vec<LevelMean> {
        [self.beside.as_slice(), &self.levels].concat()
    }

    /// Of `values`, an entry a group, those of the levels on the axis.
    pub fn on_axis<'v, T>(&self, values: &'v [T]) -> &'v [T] {
        values.get(self.beside.len()..).unwrap_or_default()
    }

    /// The minimum of the curve through the levels; nothing for fewer than three, or without any
    /// known error.
    pub fn fitted_minimum(&self, confidence: f64) -> Option<FittedMinimum> {
        let draws = if self.paired.is_some() { Draws::Paired(self.on_axis(&self.batches)) } else { Draws::Normal };
        fitted_minimum(&self.levels, draws, &self.plan(confidence))
    }

    /// Each level's claim to be the best.
    pub fn candidates(&self, confidence: f64) -> Vec<Candidate> {
        let all = self.all();
        let is_small = all.len() <= MOST_PAIRED_LEVELS;
        let paired = self.paired.as_ref().filter(|_| is_small);
        paired
            .and_then(|_| candidates_paired(&self.batches, &self.plan(confidence)))
            .unwrap_or_else(|| best::candidates(&self.with_common_errors(&all), confidence))
    }

    /// The levels on the axis with one error model for all of them, the local curves not yet drawn;
    /// `None` for fewer than two, without any known error, and for numbers whose squares would
    /// leave the range of numbers.
    pub fn optimum(&self, confidence: f64) -> Option<Optimum> {
        const LARGEST: f64 = 1e70;
        const SMALLEST: f64 = 1e-70;
        let size = self.plain.iter().map(|level| level.mean.abs()).fold(0.0, f64::max);
        let is_in_range = |value: f64| value == 0.0 || (SMALLEST..=LARGEST).contains(&value.abs());
        if !is_in_range(size) || self.plain.iter().any(|level| level.variance > LARGEST * LARGEST) {
            return None;
        }
        let (levels, noise) = match &self.blocks {
            Some(fit) => {
                let moved = |(level, mean): (&LevelMean, &f64)| LevelMean { mean: *mean, ..*level };
                (self.plain.iter().zip(&fit.means).map(moved).collect(), fit.noise.clone())
            }
            None => (self.plain.clone(), Noise::new(&self.plain)?),
        };
        Some(Optimum::without_curves(&levels, noise, 1.0 - confidence))
    }

    /// `levels`, all of them in the groups' order, with the one error model where few runs make
    /// each level's own a guess.
    fn with_common_errors(&self, levels: &[LevelMean]) -> Vec<LevelMean> {
        let plain = [self.beside.as_slice(), &self.plain].concat();
        let noise = Noise::new(&plain).filter(|noise| {
            noise.source == NoiseSource::Pooled && noise.degrees_of_freedom <= KNOWN && plain.len() == levels.len()
        });
        let Some(noise) = noise else { return levels.to_vec() };
        // The errors of two levels are one estimate, so that both together have its degrees of
        // freedom.
        let freedom = noise.degrees_of_freedom / 2.0;
        let common =
            |(level, variance): (&LevelMean, &f64)| LevelMean { variance: variance * level.n, freedom, ..*level };
        plain.iter().zip(&noise.variances).map(common).collect()
    }

    /// The value at the best level, each fifth of the runs measured where the other four chose it.
    pub fn cross_fitted_level(&self, confidence: f64) -> Option<Estimate> {
        let found = crossfit::at_least_mean(&self.level_runs()?, &self.folds())?;
        self.cross_fitted_value(&found, confidence)
    }

    /// The value at the fitted minimum, each fifth of the runs measured where the other four put
    /// it.
    pub fn cross_fitted(&self, confidence: f64) -> Option<Estimate> {
        let found = crossfit::at_fitted_minimum(&self.level_runs()?, &self.folds())?;
        self.cross_fitted_value(&found, confidence)
    }

    /// `None` if a fold holds so many failed runs that its median is one of them.
    fn cross_fitted_value(&self, found: &CrossFitted, confidence: f64) -> Option<Estimate> {
        let is_finite = found.value.point.is_finite() && found.value.standard_error.is_none_or(f64::is_finite);
        is_finite.then(|| self.natural(&found.value.estimate(confidence, Method::CrossFitted)))
    }

    fn level_runs(&self) -> Option<Vec<LevelRuns<'_>>> {
        let level = |place: usize| {
            let values = match &self.paired {
                Some(common) => self.on_axis(&common.values).get(place)?.as_slice(),
                None => self.on_axis(&self.runs).get(place)?,
            };
            Some(LevelRuns { x: self.levels[place].x, values })
        };
        (0..self.levels.len()).map(level).collect()
    }

    fn folds(&self) -> Folds {
        let deal = if self.paired.is_some() { Deal::Alike } else { Deal::Apart };
        Folds { count: 5, seed: SEED, deal, centre: self.statistic.centre() }
    }

    fn plan(&self, confidence: f64) -> Plan {
        Plan { seed: SEED, replicates: self.replicates, confidence }
    }

    /// `estimate` with the sign that the statistic has outside.
    pub fn natural(&self, estimate: &Estimate) -> Estimate {
        if self.goal == Goal::Min {
            return *estimate;
        }
        let turned = |interval: ConfidenceInterval| ConfidenceInterval {
            lower: -interval.upper,
            upper: -interval.lower,
            ..interval
        };
        Estimate { point: -estimate.point, interval: estimate.interval.map(turned), ..*estimate }
    }
}

/// The levels without the luck of the replicates that all of them have.
pub(super) fn blocks_of(values: &[Vec<f64>]) -> Option<BlockFit> {
    let level = |values: &Vec<f64>| (0..).zip(values).map(|(block, value)| BlockRun { block, value: *value }).collect();
    BlockFit::new(&values.iter().map(level).collect::<Vec<_>>())
}

fn mean_of(x: f64, values: &[f64]) -> LevelMean {
    let none = LevelMean { x, mean: 0.0, variance: 0.0, n: 0.0, freedom: 0.0 };
    LevelMean::of(x, &crate::stats::ExactMoments::of(values)).unwrap_or(none)
}

/// A sample's values, lower being better, in its order. Where the share of solved runs is sought, a
/// run that solved its task counts as 1 or −1, another as 0.
fn oriented<'a>(statistic: Statistic, goal: Goal, sample: &'a Sample, rule: Option<&BasinRule>) -> Cow<'a, [f64]> {
    match (statistic, rule) {
        (Statistic::SolvedShare, Some(rule)) => {
            let value = |solved| if solved { goal.sign() } else { 0.0 };
            Cow::Owned(rule.solved(sample).into_iter().map(value).collect())
        }
        _ if goal == Goal::Max => Cow::Owned(sample.sorted.iter().map(|value| -value).collect()),
        _ => Cow::Borrowed(&sample.sorted),
    }
}

/// `values` of `sample`, lower being better, with those of the failed runs: of a median they are
/// the worst.
fn ranked<'a>(statistic: Statistic, sample: &Sample, values: Cow<'a, [f64]>) -> Cow<'a, [f64]> {
    if statistic != Statistic::Median {
        return values;
    }
    match with_failed_as(f64::INFINITY, sample, &values) {
        Cow::Owned(with_failed) => Cow::Owned(with_failed),
        Cow::Borrowed(_) => values,
    }
}

/// Borrowed values are those of a sample and ascend already.
fn ascending(mut values: Cow<[f64]>) -> Cow<[f64]> {
    if let Cow::Owned(values) = &mut values {
        sort::ascending(values);
    }
    values
}

/// The runs by common replicate, if that is worth it; `oriented` gives a sample's values in its
/// order.
fn paired<'a>(
    statistic: Statistic,
    samples: &'a [Sample],
    oriented: impl Fn(&'a Sample) -> Cow<'a, [f64]>,
) -> Option<Common> {
    let is_mean = matches!(statistic, Statistic::Mean | Statistic::SolvedShare);
    let known = samples.len() > 1 && samples.iter().all(|sample| !sample.replicate.is_empty());
    if !is_mean || !known {
        return None;
    }
    let numbered = |sample: &'a Sample| -> Vec<Numbered> {
        let values = oriented(sample);
        let pairs = sample.replicate.iter().zip(values.iter());
        pairs.map(|(replicate, value)| Numbered { replicate: *replicate, value: *value }).collect()
    };
    let common = common_replicates(&samples.iter().map(numbered).collect::<Vec<_>>());
    (common.replicates.len() >= LEAST_REPLICATES).then_some(common)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups;
    use crate::random::Stream;

    /// 30 paired runs at each level around a parabola in ln of it, with its minimum at 1; level 0
    /// is far off.
    fn samples(levels: &[f64], is_paired: bool) -> Vec<Sample> {
        let mut stream = Stream::new(5, 0, 0);
        let sample = |level: &f64| {
            let mean = if *level > 0.0 { 5.0 + libm::log(*level) * libm::log(*level) } else { 50.0 };
            let mut runs: Vec<(f64, u64)> = (0..30).map(|replicate| (mean + stream.normal(), replicate)).collect();
            runs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (sorted, replicate): (Vec<f64>, Vec<u64>) = runs.into_iter().unzip();
            let replicate = if is_paired { replicate } else { Vec::new() };
            Sample { replicate, ..Sample::of(*level, sorted) }
        };
        // Level 0 last, so that the others draw the same numbers with it and without.
        let mut samples: Vec<Sample> = levels.iter().rev().map(sample).collect();
        samples.reverse();
        samples
    }

    fn found(samples: &[Sample]) -> (FittedMinimum, Vec<Candidate>, Option<Estimate>) {
        let groups = groups::of_means(samples);
        let objective = Objective::of(Statistic::Mean, Goal::Min, Along::Log, &groups, samples, None).unwrap();
        assert_eq!((objective.all().len(), objective.beside.len()), (groups.len(), groups.len() - 4));
        (objective.fitted_minimum(0.95).unwrap(), objective.candidates(0.95), objective.cross_fitted(0.95))
    }

    #[test]
    fn a_level_beside_the_axis_is_a_candidate_and_no_part_of_the_curve() {
        const LEVELS: [f64; 5] = [0.0, 0.1, 0.5, 2.0, 10.0];
        for is_paired in [false, true] {
            let (with, candidates, cross_fitted) = found(&samples(&LEVELS, is_paired));
            let (without, _, cross_fitted_without) = found(&samples(&LEVELS[1..], is_paired));
            assert_eq!((with, cross_fitted), (without, cross_fitted_without), "paired: {is_paired}");
            assert_eq!(candidates.len(), 5);
            assert!(!candidates[0].in_set && candidates[0].probability < 1e-6, "{candidates:?}");
            assert!((candidates.iter().map(|candidate| candidate.probability).sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
