//! How many runs failed at each level, and which levels may then be the best?
//!
//! A failed run has no value, so that the statistics of its level are those of the runs that did not fail: the lucky ones. A level at
//! which two of three runs diverged may have the least mean of all and be the worst choice. Levels therefore take part in the
//! search for the optimum only if the share of failed runs is at most [`Question::max_failed`], by default 0. The
//! others are described beside them ([`Ineligible`]), never dropped.
//!
//! **Three other answers.**
//!
//! - [`Question::failed_as`] counts each failed run with a value: the statistics are then those of all runs, and every level takes part.
//! - [`Statistic::Median`] needs an order only: failed runs rank worse than all others. Where that leaves a finite median, the level takes
//!   part. An interval that would end at a failed run is absent, because no number bounds it.
//! - A share that the user allows: the optimum is then one among the runs that do not fail.
//!
//! **Share of failed runs**: with Wilson's interval ([`crate::stats::compare`]). Of 3 runs of which none failed it reaches up to
//! 56 %: that no run failed is not that none will.

use std::borrow::Cow;

use crate::analysis::along::Along;
use crate::analysis::groups::{Group, GroupRule};
use crate::analysis::references::is_among_failures;
use crate::analysis::{Question, Statistic};
use crate::data::LevelSummary;
use crate::error::{Error, Result};
use crate::format::{percent_of, rounded_to_spacing, significant};
use crate::group::Sample;
use crate::stats::Estimate;
use crate::stats::compare::wilson;

/// How many runs failed at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failures {
    /// All runs of the level.
    pub runs: u64,
    /// Those that failed.
    pub failed: u64,
    /// Their share with Wilson's interval; absent without runs.
    pub share: Option<Estimate>,
}

impl Failures {
    /// Of `runs`, of which so many `failed`.
    pub fn new(failed: u64, runs: u64, confidence: f64) -> Self {
        Self { runs, failed, share: wilson(failed, runs, confidence) }
    }

    /// The share of failed runs; 0 without runs.
    pub fn share(&self) -> f64 {
        self.share.map_or(0.0, |share| share.point)
    }
}

/// A level that takes no part in the search for the optimum: too many of its runs failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Ineligible {
    /// The factor's value.
    pub level: f64,
    /// How many runs failed.
    pub failures: Failures,
    /// The runs that did not fail, described; `None` if all did.
    pub group: Option<Group>,
}

/// A level as outputs show it, whether or not it takes part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelEntry<'a> {
    /// The factor's value.
    pub level: f64,
    /// How many runs failed.
    pub failures: &'a Failures,
    /// The runs that have a value, described; `None` if none has.
    pub group: Option<&'a Group>,
    /// Its index in [`Analysis::groups`](crate::analysis::Analysis::groups); `None` if it takes no part.
    pub index: Option<usize>,
}

/// Every level in ascending order: those that take part, and those that do not.
pub fn entries<'a>(groups: &'a [Group], ineligible: &'a [Ineligible]) -> Vec<LevelEntry<'a>> {
    let taking_part = |(index, group): (usize, &'a Group)| LevelEntry {
        level: group.level,
        failures: &group.failures,
        group: Some(group),
        index: Some(index),
    };
    let other = |other: &'a Ineligible| LevelEntry {
        level: other.level,
        failures: &other.failures,
        group: other.group.as_ref(),
        index: None,
    };
    let mut all: Vec<LevelEntry<'_>> = groups.iter().enumerate().map(taking_part).collect();
    if !ineligible.is_empty() {
        all.extend(ineligible.iter().map(other));
        all.sort_by(|a, b| a.level.total_cmp(&b.level));
    }
    all
}

/// Levels to `add`, none of them among those that take no part: in a gap that holds such levels, the middles between its ends and the
/// nearest of these.
pub fn beside_failures(add: &[f64], groups: &[Group], ineligible: &[Ineligible], along: Along) -> Vec<f64> {
    let middle = |a: f64, b: f64| {
        let spacing = (b - a).abs() / 10.0;
        rounded_to_spacing(along.level((along.place(a) + along.place(b)) / 2.0), spacing)
    };
    let mut levels: Vec<f64> = Vec::new();
    for level in add {
        let after = groups.partition_point(|group| group.level < *level);
        let ends = (after > 0).then(|| &groups[after - 1]).zip(groups.get(after)).map(|(a, b)| [a.level, b.level]);
        let Some([below, above]) = ends.filter(|_| is_among_failures(*level, groups, ineligible)) else {
            levels.push(*level);
            continue;
        };
        let mut between = ineligible.iter().map(|other| other.level).filter(|other| below < *other && *other < above);
        if let Some(first) = between.next() {
            levels.extend([middle(below, first), middle(between.last().unwrap_or(first), above)]);
        }
    }
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    levels
}

/// Which levels take part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eligibility {
    /// The greatest share of failed runs; `None` if any will do.
    pub max_failed: Option<f64>,
    /// The value of each failed run; `None` if it has none.
    pub failed_as: Option<f64>,
}

impl Eligibility {
    /// What `question` asks for: a share, or else none unless failed runs count.
    pub fn new(question: &Question) -> Self {
        let counts = question.failed_as.is_some() || question.statistic == Statistic::Median;
        let max_failed = question.max_failed.or(if counts { None } else { Some(0.0) });
        Self { max_failed, failed_as: question.failed_as }
    }

    fn allows(&self, failures: &Failures) -> bool {
        self.max_failed.is_none_or(|most| failures.share() <= most)
    }
}

/// The levels, sorted by whether they take part.
pub struct Sorted<'a> {
    /// Those that do, described.
    pub groups: Vec<Group>,
    /// Their runs; empty if there are only summaries.
    pub samples: Cow<'a, [Sample]>,
    /// Those that do not.
    pub ineligible: Vec<Ineligible>,
}

impl<'a> Sorted<'a> {
    /// Describes `samples` and sorts them as `question` asks.
    ///
    /// # Errors
    /// [`Error::NoEligibleLevel`] if none takes part.
    pub fn of_samples(samples: &'a [Sample], rule: &GroupRule<'_>, question: &Question) -> Result<Self> {
        let described = rule.describe_all(samples);
        let failures = |sample: &Sample| Failures::new(sample.failed, sample.runs, rule.confidence);
        let is_complete = |(sample, group): (&Sample, &Option<Group>)| sample.failed == 0 && group.is_some();
        if samples.iter().zip(&described).all(is_complete) {
            let groups = described.into_iter().flatten().collect();
            return Ok(Self { groups, samples: Cow::Borrowed(samples), ineligible: Vec::new() });
        }
        let levels = samples.iter().zip(described).map(|(sample, group)| (sample.level, failures(sample), group));
        let (groups, ineligible) = sorted(levels, question)?;
        let takes_part = |sample: &&Sample| groups.binary_search_by(|g| g.level.total_cmp(&sample.level)).is_ok();
        let samples = samples.iter().filter(takes_part).cloned().collect::<Vec<_>>();
        Ok(Self { groups, samples: Cow::Owned(samples), ineligible })
    }

    /// The same of summaries.
    ///
    /// # Errors
    /// [`Error::NoEligibleLevel`] if none takes part.
    pub fn of_summaries(levels: &[LevelSummary], question: &Question) -> Result<Self> {
        let confidence = question.confidence;
        let level = |level: &LevelSummary| {
            let failures = Failures::new(level.failed, level.n + level.failed, confidence);
            let counted = counted_as(level, question.failed_as);
            let group = (counted.n > 0).then(|| Group::of_summary(&counted, failures, confidence));
            (level.level, failures, group)
        };
        let (groups, ineligible) = sorted(levels.iter().map(level), question)?;
        Ok(Self { groups, samples: Cow::Borrowed(&[]), ineligible })
    }
}

/// `level` with each failed run counted as `value`, if there is one.
fn counted_as(level: &LevelSummary, value: Option<f64>) -> LevelSummary {
    let Some(value) = value.filter(|_| level.failed > 0) else { return *level };
    let failed = LevelSummary {
        level: level.level,
        n: level.failed,
        mean: value,
        std_dev: (level.failed > 1).then_some(0.0),
        min: Some(value),
        max: Some(value),
        failed: 0,
    };
    if level.n == 0 { failed } else { LevelSummary { failed: 0, ..*level }.with(&failed) }
}

type Described = (f64, Failures, Option<Group>);

fn sorted(levels: impl Iterator<Item = Described>, question: &Question) -> Result<(Vec<Group>, Vec<Ineligible>)> {
    let eligibility = Eligibility::new(question);
    let (mut groups, mut ineligible) = (Vec::new(), Vec::new());
    for (level, failures, group) in levels {
        match group {
            Some(group) if takes_part(&group, eligibility, question.statistic) => groups.push(group),
            group => ineligible.push(Ineligible { level, failures, group }),
        }
    }
    if groups.is_empty() && !ineligible.is_empty() {
        return Err(none_is_eligible(&ineligible, question));
    }
    Ok((groups, ineligible))
}

/// Whether the level may be the best. Without failed runs it may, whether or not the statistic is known: that is another error.
fn takes_part(group: &Group, eligibility: Eligibility, statistic: Statistic) -> bool {
    let is_summary = group.trimmed_mean.is_none();
    let is_known = statistic != Statistic::Median || is_summary || group.median.is_some();
    group.failures.failed == 0 || (eligibility.allows(&group.failures) && is_known)
}

fn none_is_eligible(levels: &[Ineligible], question: &Question) -> Error {
    let least = levels.iter().min_by(|a, b| a.failures.share().total_cmp(&b.failures.share()));
    let found = least.map_or_else(String::new, |least| {
        let Failures { runs, failed, .. } = least.failures;
        let at = significant(least.level, 4);
        format!("; the least share is {}, {failed} of {runs} at {at}", percent_of(least.failures.share()))
    });
    let everywhere = format!("at {}", if levels.len() == 1 { "the only level" } else { "every level" });
    let all_failed = levels.iter().all(|level| level.failures.failed == level.failures.runs);
    let reason = match Eligibility::new(question).max_failed {
        _ if all_failed => "every run failed".into(),
        Some(0.0) => format!("{everywhere} runs failed{found}"),
        Some(most) => format!("{everywhere} more than {} of the runs failed{found}", percent_of(most)),
        None => format!("{everywhere} so many runs failed that the median is one of them{found}"),
    };
    let counts = question.failed_as.is_some() || question.statistic == Statistic::Median;
    let advice = match (all_failed, counts) {
        (true, _) => "count them with a value (--failed-as EXPR), or look at how they were made",
        (false, true) => {
            "allow a greater share with --max-failed, or count failed runs with a value (--failed-as EXPR)"
        }
        (false, false) => {
            "count failed runs with a value (--failed-as EXPR), rank them worst (--statistic median), or allow a share of them \
             (--max-failed)"
        }
    };
    Error::NoEligibleLevel { reason, advice }
}
