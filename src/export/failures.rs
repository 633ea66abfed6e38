//! Failed runs in words: where they are, and which levels may then be the best.

use crate::analysis::failures::{Eligibility, LevelEntry};
use crate::analysis::{Analysis, Statistic};
use crate::format::{count, counted, percent_of, significant};

/// Which levels the best one was sought among, and what failed runs count as, to stand after a
/// comma; `None` if no run failed.
pub fn condition(analysis: &Analysis) -> Option<String> {
    if !analysis.has_failures() {
        return None;
    }
    let Eligibility { max_failed, failed_as } = analysis.eligibility;
    let is_median = analysis.statistic == Statistic::Median;
    let counted_as = match failed_as {
        Some(value) => Some(format!("each failed run counted as {}", significant(value, 4))),
        None if is_median => Some("failed runs ranked worst".into()),
        None if max_failed.is_some_and(|most| most > 0.0) => Some("of the runs that did not fail".into()),
        None => None,
    };
    let is_barred = max_failed.is_some() || !analysis.ineligible.is_empty();
    let among = is_barred.then(|| format!("among {}", eligible_levels(analysis)));
    Some([counted_as, among].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// `the levels where no run failed`: those that take part.
pub fn eligible_levels(analysis: &Analysis) -> String {
    match analysis.eligibility.max_failed {
        Some(0.0) => "the levels where no run failed".into(),
        Some(most) => format!("the levels where at most {} of the runs failed", percent_of(most)),
        None => "the levels where the median run did not fail".into(),
    }
}

/// `from 0.03 on, 5 of 6 runs failed`; `None` if no run failed.
pub fn found(analysis: &Analysis) -> Option<String> {
    let levels = analysis.levels();
    let failed: u64 = levels.iter().map(|level| level.failures.failed).sum();
    let runs: u64 = levels.iter().filter(|level| has_failed(level)).map(|level| level.failures.runs).sum();
    let how_many = match (failed, runs) {
        (0, _) => return None,
        (1, 1) => "the only run failed".into(),
        (failed, runs) if failed == runs => "every run failed".into(),
        (failed, runs) => format!("{} of {} failed", count(failed), counted(runs, "run")),
    };
    Some(format!("{}, {how_many}", places(&levels)))
}

/// Where runs failed: `from 0.03 on`, `at 0.1 and 3`.
pub fn places(levels: &[LevelEntry<'_>]) -> String {
    /// More ranges than this are counted, not named.
    const NAMED: usize = 3;
    let ranges: Vec<&[LevelEntry<'_>]> =
        levels.chunk_by(|a, b| has_failed(a) == has_failed(b)).filter(|range| has_failed(&range[0])).collect();
    let failing = ranges.iter().map(|range| range.len()).sum::<usize>();
    if failing == levels.len() {
        return if failing == 1 {
            "at the only level".into()
        } else {
            format!("at all {} levels", count(failing as u64))
        };
    }
    if ranges.len() > NAMED {
        return format!("at {} of {}", count(failing as u64), counted(levels.len() as u64, "level"));
    }
    let named: Vec<String> = ranges.iter().map(|range| range_in(levels, range)).collect();
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A range of neighbouring levels in words: the ends of the sweep are not named.
fn range_in(levels: &[LevelEntry<'_>], range: &[LevelEntry<'_>]) -> String {
    let is_end = |place: Option<&LevelEntry<'_>>, level: f64| place.is_some_and(|end| end.level == level);
    let (first, last) = (range[0].level, range[range.len() - 1].level);
    let [from, to] = [first, last].map(|level| significant(level, 4));
    if range.len() == 1 {
        format!("at {from}")
    } else if is_end(levels.last(), last) {
        format!("from {from} on")
    } else if is_end(levels.first(), first) {
        format!("up to {to}")
    } else {
        format!("from {from} to {to}")
    }
}

fn has_failed(level: &LevelEntry<'_>) -> bool {
    level.failures.failed > 0
}
