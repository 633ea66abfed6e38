//! How did the estimate of the minimum move as runs came in?
//!
//! The runs are taken in the order of their rows, which for a sweep is replicate by replicate over
//! all levels, and the minimum of the [`Statistic`] is fitted to the first of them, at numbers of
//! runs that grow by a constant factor up to all, each time as if there were no others: what is
//! known of all is the analysis itself. The intervals of the earlier looks have fewer bootstrap
//! replicates; they are not made for looking again and again until one pleases.
//!
//! **When it is wrong.** Rows that are sorted by level have no order in which the minimum became
//! known: the first looks would see a part of the axis. There are none until both of its ends have
//! been seen.
//!
//! **Cost.** A look sorts its runs anew: with a factor of 2.5 from one to the next, all looks
//! together as many runs as there are, and one bootstrap each.

use rayon::prelude::*;

use crate::analysis::failures::Failures;
use crate::analysis::groups::GroupRule;
use crate::analysis::layers::Layers;
use crate::analysis::objective::Objective;
use crate::analysis::{Analysis, Group, Statistic};
use crate::data::LevelSummary;
use crate::error::{Error, Result};
use crate::group::{GroupedRuns, Sample};
use crate::stats::{Estimate, ExactMoments};

/// Replicates of each bootstrap: the ends of an interval are good to some 6 % of its width, which
/// no eye sees.
const REPLICATES: u32 = 200;
/// Levels beyond which the fits would take minutes.
const MOST_LEVELS: usize = 2000;

/// What was known after some of the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// How many runs.
    pub runs: u64,
    /// The fitted minimum: its level.
    pub level: Estimate,
    /// The fitted minimum: the statistic there.
    pub value: Estimate,
}

/// What was known after about `steps` growing parts of the `runs`, the last of them all, of which
/// `analysis` is.
///
/// # Errors
/// [`Error::Figure`] for fewer than three levels or more than 2000, and where nothing can be
/// fitted.
pub fn of(runs: &GroupedRuns<'_>, analysis: &Analysis, steps: usize) -> Result<Vec<Known>> {
    let failed = |reason: String| Error::Figure { figure: "history", reason };
    let all = runs.table.height() as u64;
    match analysis.on_axis().len() {
        few @ ..3 => return Err(failed(format!("a curve needs three levels, there are {few}"))),
        many if many > MOST_LEVELS => {
            return Err(failed(format!("there are {many} levels, more than {MOST_LEVELS}")));
        }
        _ => {}
    }
    let (Some(level), Some(value)) = (analysis.minimum.level, analysis.minimum.value) else {
        return Err(failed("the runs do not vary, so that nothing can be fitted".into()));
    };
    let earlier = stops_between(first_look(runs).min(all), all, steps).into_par_iter().filter(|stop| *stop < all);
    let mut known: Vec<Known> = earlier.filter_map(|stop| look(runs, analysis, stop)).collect();
    known.push(Known { runs: all, level, value });
    Ok(known)
}

/// From where on both ends of the axis have been seen, and the levels three times over: only then
/// are errors known.
fn first_look(runs: &GroupedRuns<'_>) -> u64 {
    let first_rows: Vec<u64> = runs.first_rows().collect();
    let ends = [first_rows.first(), first_rows.last()].into_iter().flatten().max().map_or(0, |row| row + 1);
    ends.max(3 * first_rows.iter().filter(|row| **row < ends).count() as u64)
}

/// What the first `count` rows say; nothing where that cannot be fitted.
fn look(runs: &GroupedRuns<'_>, analysis: &Analysis, count: u64) -> Option<Known> {
    let takes_part = |sample: &Sample| analysis.groups.iter().any(|group| group.level == sample.level);
    let mut samples = runs.first(count);
    samples.retain(|sample| !sample.sorted.is_empty() && takes_part(sample));
    let (rule, confidence) = (analysis.basin_rule.as_ref(), analysis.confidence);
    let groups: Vec<Group> = match analysis.statistic {
        // Of the mean alone there is less to compute.
        Statistic::Mean => samples.par_iter().map(|sample| moments(sample, confidence)).collect(),
        statistic => {
            let rule = GroupRule::new(confidence, rule, statistic, analysis.goal);
            rule.describe_all(&samples).into_iter().flatten().collect()
        }
    };
    let (goal, along) = (analysis.goal, analysis.along);
    let mut objective = Objective::of(analysis.statistic, goal, along, &groups, &samples, rule).ok()?;
    objective.replicates = REPLICATES;
    let layers = Layers::headline(&objective, analysis.margin, analysis.confidence);
    let (level, value) = (layers.level()?, layers.value()?);
    Some(Known { runs: count, level, value })
}

/// Number, mean and standard deviation of a sample.
fn moments(sample: &Sample, confidence: f64) -> Group {
    let moments = ExactMoments::of(&sample.sorted);
    let summary = LevelSummary {
        level: sample.level,
        n: moments.n(),
        mean: moments.mean().unwrap_or(f64::NAN),
        std_dev: moments.std_dev(),
        min: sample.sorted.first().copied(),
        max: sample.sorted.last().copied(),
        failed: sample.failed,
    };
    Group::of_summary(&summary, Failures::new(sample.failed, sample.runs, confidence), confidence)
}

/// Whole numbers from `first` to `last` that grow by a constant factor.
fn stops_between(first: u64, last: u64, steps: usize) -> Vec<u64> {
    let factor = libm::pow(last as f64 / first as f64, 1.0 / (steps.max(2) - 1) as f64);
    let mut stops: Vec<u64> =
        (0..steps).map(|i| ((first as f64 * libm::pow(factor, i as f64)).round() as u64).min(last)).collect();
    stops.dedup();
    stops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Question;
    use crate::data::{Data, Roles, RunTable};
    use crate::group::Grouping;
    use crate::store::{self, Source};

    /// The first `lines` of the sample's file, or all.
    fn first(lines: usize) -> RunTable {
        let text = std::fs::read_to_string("sample-data/xor-sweep.csv").unwrap();
        let text: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.csv");
        std::fs::write(&path, text).unwrap();
        let roles = Roles::new("hidden_std_dev", "loss");
        let data = store::read(&[Source::Path(path.display().to_string())], &roles).unwrap();
        let Data::Runs(runs) = data else { panic!("runs") };
        runs
    }

    #[test]
    fn each_look_is_what_the_first_runs_alone_say() {
        for statistic in [Statistic::Mean, Statistic::Median, Statistic::SolvedShare] {
            let question = Question { statistic, ..Question::default() };
            let table = first(usize::MAX);
            let runs = GroupedRuns::new(&table, Grouping::default()).unwrap();
            let analysis = Analysis::of_runs(&runs, &question).unwrap();
            let known = of(&runs, &analysis, 4).unwrap();
            let looks: Vec<u64> = known.iter().map(|known| known.runs).collect();
            // Three runs a level are too few for the other statistics.
            assert!([1200, 2433, 4932, 10_000].ends_with(&looks) && looks.len() >= 3, "{looks:?}");
            assert!(looks.len() == 4 || statistic != Statistic::Mean);
            for known in known {
                let alone = Analysis::of(first(known.runs as usize + 1), &question).unwrap();
                let [level, value] = [alone.minimum.level, alone.minimum.value].map(Option::unwrap);
                assert_eq!((known.level.point, known.value.point), (level.point, value.point), "{statistic:?}");
                // 200 replicates against 2000: ends of an interval differ by some of its margin.
                let [few, many] = [known.level, level].map(|level| level.interval.unwrap());
                assert!((few.lower - many.lower).abs() < 0.5 * many.margin(), "{few:?} {many:?}");
                assert!((few.upper - many.upper).abs() < 0.5 * many.margin(), "{few:?} {many:?}");
            }
        }
    }

    #[test]
    fn stops_grow_by_a_constant_factor_up_to_all() {
        assert_eq!(stops_between(10, 1000, 3), [10, 100, 1000]);
        assert_eq!(stops_between(7, 7, 10), [7]);
    }
}
