//! How many runs failed at each level, and which levels may then be the best?
//!
//! A failed run has no value, so that the statistics of its level are those of the runs that did
//! not fail: the lucky ones. A level at which two of three runs diverged may have the least mean of
//! all and be the worst choice. Levels therefore take part in the search for the optimum only if
//! the share of failed runs is at most [`Question::max_failed`], by default 0. The others are
//! described beside them ([`Ineligible`]), never dropped.
//!
//! **Three other answers.**
//!
//! - [`Question::failed_as`] counts each failed run with a value: the statistics are then those of
//!   all runs, and every level takes part.
//! - [`Statistic::Median`] needs an order only: failed runs rank worse than all others. Where that
//!   leaves a finite median, the level takes part. An interval that would end at a failed run is
//!   absent, because no number bounds it.
//! - A share that the user allows: the optimum is then one among the runs that do not fail.
//!
//! **Share of failed runs**: with Wilson's interval ([`crate::stats::compare`]). Of 3 runs of which
//! none failed it reaches up to 56 %: that no run failed is not that none will.

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
    /// The runs that failed.
    pub failed: u64,
    /// Their share with Wilson's interval; absent without runs.
    pub share: Option<Estimate>,
}

impl Failures {
    /// The failures at a level with so many `runs`, the `failed` ones included.
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
    /// Its index in [`Analysis::groups`](crate::analysis::Analysis::groups); `None` if it takes no
    /// part.
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

/// Levels to `add`, none of them among those that take no part: in a gap that holds such levels,
/// the middles between its ends and the nearest of these.
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
        let between: Vec<f64> =
            ineligible.iter().map(|other| other.level).filter(|other| below < *other && *other < above).collect();
        if let [first, ..] = between[..] {
            levels.extend([middle(below, first), middle(between[between.len() - 1], above)]);
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
    /// The rule that `question` asks for. Without a share of its own, no run may fail, unless
    /// failed runs have a value.
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
    /// The levels that take part.
    pub groups: Vec<Group>,
    /// Their runs; empty if there are only summaries.
    pub samples: Cow<'a, [Sample]>,
    /// The levels that take no part.
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

/// Whether the level may be the best. Without failed runs it may, whether or not the statistic is
/// known: that is another error.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::goal::Goal;
    use proptest::prelude::*;

    /// A level at which `values` were measured and so many runs `failed`.
    fn sample(level: f64, values: &[f64], failed: u64) -> Sample {
        let sample = Sample::of(level, values.to_vec());
        Sample { failed, runs: sample.runs + failed, ..sample }
    }

    fn sorted<'a>(samples: &'a [Sample], question: &Question) -> Result<Sorted<'a>> {
        let rule = GroupRule::new(0.95, None, question.statistic, question.resolved_goal());
        Sorted::of_samples(samples, &rule, question)
    }

    fn levels(sorted: &Sorted<'_>) -> (Vec<f64>, Vec<f64>) {
        let taking_part = sorted.groups.iter().map(|group| group.level).collect();
        (taking_part, sorted.ineligible.iter().map(|other| other.level).collect())
    }

    /// No run failed at 1, one of three at 2, two of three at 3, all at 4.
    fn rising() -> [Sample; 4] {
        [sample(1.0, &[5.0, 6.0, 7.0], 0), sample(2.0, &[3.0, 4.0], 1), sample(3.0, &[1.0], 2), sample(4.0, &[], 3)]
    }

    #[test]
    fn levels_take_part_up_to_the_share_that_is_allowed() {
        let samples = rising();
        let found = |max_failed| {
            let question = Question { max_failed, ..Question::default() };
            levels(&sorted(&samples, &question).unwrap())
        };
        assert_eq!(found(None), (vec![1.0], vec![2.0, 3.0, 4.0]));
        assert_eq!(found(Some(0.0)), found(None));
        // A third is allowed to the last bit.
        assert_eq!(found(Some(1.0 / 3.0)), (vec![1.0, 2.0], vec![3.0, 4.0]));
        assert_eq!(found(Some(0.5)), found(Some(1.0 / 3.0)));
        // Of runs that all failed there is no mean, whatever is allowed.
        assert_eq!(found(Some(1.0)), (vec![1.0, 2.0, 3.0], vec![4.0]));
    }

    #[test]
    fn of_a_median_failed_runs_are_the_worst() {
        let samples = rising();
        let found = |goal| {
            let question = Question { statistic: Statistic::Median, goal: Some(goal), ..Question::default() };
            let found = sorted(&samples, &question).unwrap();
            let medians: Vec<f64> = found.groups.iter().map(|group| group.median.unwrap().point).collect();
            (levels(&found), medians)
        };
        // The middle one of 3, 4 and ∞, and of −∞, 3 and 4.
        assert_eq!(found(Goal::Min), ((vec![1.0, 2.0], vec![3.0, 4.0]), vec![6.0, 4.0]));
        assert_eq!(found(Goal::Max), ((vec![1.0, 2.0], vec![3.0, 4.0]), vec![6.0, 3.0]));
        // Of an even number the middle lies half way to the failed run.
        let half = [sample(1.0, &[5.0], 0), sample(2.0, &[3.0], 1)];
        let question = Question { statistic: Statistic::Median, ..Question::default() };
        assert_eq!(levels(&sorted(&half, &question).unwrap()), (vec![1.0], vec![2.0]));
        let both = Question { max_failed: Some(0.1), ..question };
        assert_eq!(levels(&sorted(&samples, &both).unwrap()), (vec![1.0], vec![2.0, 3.0, 4.0]));
    }

    #[test]
    fn an_interval_that_ends_at_a_failed_run_is_absent() {
        let values: Vec<f64> = (1..=9).map(f64::from).collect();
        let median = |failed| {
            let rule = GroupRule::new(0.95, None, Statistic::Median, Goal::Min);
            rule.describe_all(&[sample(1.0, &values, failed)])[0].as_ref().unwrap().median.unwrap()
        };
        // By binomial(n, ½): the 2nd and the 8th of 9, the 2nd and the 9th of 10, the 3rd and the
        // 10th of 12.
        let ends = |failed| median(failed).interval.map(|interval| (interval.lower, interval.upper));
        assert_eq!((ends(0), ends(1)), (Some((2.0, 8.0)), Some((2.0, 9.0))));
        assert_eq!((ends(3), median(3).standard_error, median(3).point), (None, None, 6.5));
    }

    #[test]
    fn of_summaries_a_value_for_failed_runs_joins_the_sums() {
        let level = LevelSummary {
            level: 1.0,
            n: 2,
            mean: 3.0,
            std_dev: Some(2f64.sqrt()),
            min: Some(2.0),
            max: Some(4.0),
            failed: 2,
        };
        let all_failed =
            LevelSummary { level: 2.0, n: 0, mean: f64::NAN, std_dev: None, min: None, max: None, failed: 3 };
        let question = Question { failed_as: Some(6.0), ..Question::default() };
        let found = Sorted::of_summaries(&[level, all_failed], &question).unwrap();
        let summaries: Vec<_> =
            found.groups.iter().map(|g| (g.summary.n, g.summary.mean.point, g.summary.std_dev.unwrap())).collect();
        // Of 2, 4, 6, 6: the squares are 6.25, 0.25, 2.25 and 2.25.
        let [(n, mean, std_dev), second] = summaries[..] else { panic!("two levels take part") };
        assert_eq!((n, mean), (4, 4.5));
        assert!((std_dev - (11f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(second, (3, 6.0, 0.0));
        // Without a value neither takes part.
        assert!(Sorted::of_summaries(&[level, all_failed], &Question::default()).is_err());
    }

    #[test]
    fn without_an_eligible_level_the_error_says_what_helps() {
        let error = |samples: &[Sample], question: &Question| {
            let error = sorted(samples, question).err().unwrap();
            assert_eq!(error.exit_code(), 3);
            format!("{error} ({})", error.hint().unwrap())
        };
        let samples = [sample(1.0, &[5.0], 1), sample(2.0, &[5.0, 4.0], 1)];
        let text = error(&samples, &Question::default());
        assert!(text.contains("at every level runs failed; the least share is 33.3 %, 1 of 3 at 2"), "{text}");
        assert!(
            ["--max-failed", "--failed-as", "--statistic median"].iter().all(|option| text.contains(option)),
            "{text}"
        );
        let text = error(&samples, &Question { max_failed: Some(0.1), ..Question::default() });
        assert!(text.contains("at every level more than 10 % of the runs failed"), "{text}");
        let text = error(&samples[..1], &Question { statistic: Statistic::Median, ..Question::default() });
        assert!(text.contains("at the only level so many runs failed that the median is one of them"), "{text}");
        let text = error(&[sample(1.0, &[], 2)], &Question::default());
        assert!(text.contains("every run failed") && !text.contains("--max-failed"), "{text}");
    }

    #[test]
    fn levels_to_add_lie_between_good_ones_and_failing_ones() {
        let samples = [
            sample(1.0, &[5.0], 0),
            sample(2.0, &[], 1),
            sample(4.0, &[], 1),
            sample(5.0, &[1.0], 0),
            sample(7.0, &[1.0], 0),
        ];
        let Sorted { groups, ineligible, .. } = sorted(&samples, &Question::default()).unwrap();
        let add = |add: &[f64]| beside_failures(add, &groups, &ineligible, Along::Linear);
        assert_eq!(add(&[3.0, 6.0]), [1.5, 4.5, 6.0]);
        assert_eq!(add(&[]), [0.0; 0]);
    }

    proptest! {
        /// Every level is kept, whichever runs fail, and nothing panics.
        #[test]
        fn every_level_is_somewhere(
            runs in prop::collection::vec((0u64..4, prop::collection::vec(-1e3f64..1e3, 0..4)), 1..8),
            max_failed in prop::option::of(0.0f64..=1.0),
            statistic in prop_oneof![Just(Statistic::Mean), Just(Statistic::Median), Just(Statistic::Trimmed)],
        ) {
            let level = |(place, (failed, values)): (usize, &(u64, Vec<f64>))| {
                let failed = if values.is_empty() { failed + 1 } else { *failed };
                sample(place as f64, values, failed)
            };
            let samples: Vec<Sample> = runs.iter().enumerate().map(level).collect();
            let question = Question { max_failed, statistic, ..Question::default() };
            if let Ok(found) = sorted(&samples, &question) {
                prop_assert_eq!(found.groups.len() + found.ineligible.len(), samples.len());
                prop_assert_eq!(found.groups.len(), found.samples.len());
                let all = entries(&found.groups, &found.ineligible);
                prop_assert!(all.is_sorted_by(|a, b| a.level < b.level));
                prop_assert!(found.groups.iter().all(|group| statistic.at(group).unwrap().point.is_finite()));
            }
        }
    }
}
