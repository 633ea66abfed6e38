//! The levels as they are compared: a place on the axis and a number of which less is better.
//!
//! Along the axis means ln of the level where all are above 0, else the level itself. Where the greatest is the best, all numbers
//! have the other sign in here.
//!
//! **Paired runs** are compared replicate by replicate, over the replicates that every level has
//! ([`crate::stats::paired`]), if there are at least 20 of them and the statistic is a mean: the median of differences is not the
//! difference of medians.

use std::borrow::Cow;

use crate::analysis::goal::Goal;
use crate::analysis::groups::{BasinRule, Group};
use crate::analysis::refinement;
use crate::analysis::statistic::Statistic;
use crate::error::{Error, Result};
use crate::group::Sample;
use crate::stats::best::{self, Candidate};
use crate::stats::best_paired::candidates_paired;
use crate::stats::bootstrap::{Draws, FittedMinimum, Plan, fitted_minimum};
use crate::stats::crossfit::{self, Deal, Folds, LevelRuns};
use crate::stats::paired::{Common, Numbered, common_replicates};
use crate::stats::refined::Cubic;
use crate::stats::smooth::{LevelMean, pool_errors};
use crate::stats::{ConfidenceInterval, Estimate, Method};

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

/// How levels lie on the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// By ln of the level.
    Log,
    /// By the level itself.
    Linear,
}

impl Along {
    /// Logarithmic if every level is above 0.
    pub fn of(groups: &[Group]) -> Self {
        if groups.first().is_some_and(|group| group.level > 0.0) { Self::Log } else { Self::Linear }
    }

    /// Where `level` lies.
    pub fn place(self, level: f64) -> f64 {
        if self == Self::Log { libm::log(level) } else { level }
    }

    /// The level that lies at `place`.
    pub fn level(self, place: f64) -> f64 {
        if self == Self::Log { libm::exp(place) } else { place }
    }

    /// An estimate of a place as one of a level; the standard error, which has no unit there, is left out.
    pub fn estimate(self, place: &Estimate) -> Estimate {
        let interval = place.interval.map(|interval| ConfidenceInterval {
            lower: self.level(interval.lower),
            upper: self.level(interval.upper),
            ..interval
        });
        Estimate { point: self.level(place.point), standard_error: None, interval }
    }
}

/// The levels, ready to be compared.
pub struct Objective<'a> {
    /// How they lie on the axis.
    pub along: Along,
    /// Every level, ascending, lower being better, with pooled errors.
    pub levels: Vec<LevelMean>,
    /// What stands for a level.
    pub statistic: Statistic,
    /// Which of its values is the best.
    pub goal: Goal,
    /// Replicates of its bootstraps.
    pub replicates: u32,
    /// Where paired runs were put around the minimum, what they say of it.
    pub refined: Option<Cubic>,
    /// The runs of paired levels, by common replicate; nothing where few levels hold most runs, which would be lost.
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
        let along = Along::of(groups);
        let measured = groups.iter().map(|group| statistic.measured(group)).collect::<Option<Vec<_>>>();
        let measured = measured.ok_or_else(unknown)?;
        let design = refinement::design_of(statistic, samples);
        let refined = design.as_ref().and_then(|design| refinement::cubic(along, goal, samples, design));
        let oriented = |sample: &'a Sample| oriented(statistic, goal, sample, rule);
        let paired = if design.is_some() { None } else { paired(statistic, samples, oriented) };
        let runs: Vec<Cow<[f64]>> = match &paired {
            Some(_) => Vec::new(),
            None => samples.iter().map(|sample| ascending(oriented(sample))).collect(),
        };
        let level = |place: usize| {
            let (x, n) = (along.place(groups[place].level), groups[place].summary.n as f64);
            match &paired {
                Some(common) => mean_of(x, &common.values[place]),
                None => {
                    let level = LevelMean::measured(x, &measured[place], n);
                    LevelMean { mean: goal.sign() * level.mean, ..level }
                }
            }
        };
        let levels = pool_errors(&(0..groups.len()).map(level).collect::<Vec<_>>());
        let batches = paired.as_ref().map(|common| common.in_batches(BATCHES)).unwrap_or_default();
        Ok(Self { along, levels, statistic, goal, replicates: REPLICATES, refined, paired, runs, batches })
    }

    /// The minimum of the curve through the levels; nothing for fewer than three, or without any known error.
    pub fn fitted_minimum(&self, confidence: f64) -> Option<FittedMinimum> {
        let draws = if self.paired.is_some() { Draws::Paired(&self.batches) } else { Draws::Normal };
        fitted_minimum(&self.levels, draws, &self.plan(confidence))
    }

    /// Each level's claim to be the best.
    pub fn candidates(&self, confidence: f64) -> Vec<Candidate> {
        let is_small = self.levels.len() <= MOST_PAIRED_LEVELS;
        let paired = self.paired.as_ref().filter(|_| is_small);
        paired
            .and_then(|_| candidates_paired(&self.batches, &self.plan(confidence)))
            .unwrap_or_else(|| best::candidates(&self.levels, confidence))
    }

    /// The value at the fitted minimum, each fifth of the runs measured where the other four put it.
    pub fn cross_fitted(&self, confidence: f64) -> Option<Estimate> {
        let level = |place: usize| {
            let values = match &self.paired {
                Some(common) => common.values[place].as_slice(),
                None => self.runs.get(place)?,
            };
            Some(LevelRuns { x: self.levels[place].x, values })
        };
        let runs = (0..self.levels.len()).map(level).collect::<Option<Vec<_>>>()?;
        let deal = if self.paired.is_some() { Deal::Alike } else { Deal::Apart };
        let folds = Folds { count: 5, seed: SEED, deal, centre: self.statistic.centre() };
        let found = crossfit::at_fitted_minimum(&runs, &folds)?;
        Some(self.natural(&found.value.estimate(confidence, Method::CrossFitted)))
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

fn mean_of(x: f64, values: &[f64]) -> LevelMean {
    let none = LevelMean { x, mean: 0.0, variance: 0.0, n: 0.0, freedom: 0.0 };
    LevelMean::of(x, &crate::stats::ExactMoments::of(values)).unwrap_or(none)
}

/// A sample's values, lower being better, in its order. Where the share of solved runs is sought, a run that solved its task
/// counts as 1 or −1, another as 0.
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

/// Borrowed values are those of a sample and ascend already.
fn ascending(mut values: Cow<[f64]>) -> Cow<[f64]> {
    if let Cow::Owned(values) = &mut values {
        values.sort_unstable_by(f64::total_cmp);
    }
    values
}

/// The runs by common replicate, if that is worth it; `oriented` gives a sample's values in its order.
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
