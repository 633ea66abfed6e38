//! What limits the numbers of an analysis.

use crate::analysis::failures::Failures;
use crate::analysis::goal::looks_maximised;
use crate::analysis::references::is_among_failures;
use crate::analysis::{Analysis, Basis, Goal, Group, Question, Statistic};
use crate::group::{Sample, is_rounding};
use crate::stats::smooth::Edge;
use crate::warning::{FailedAs, Warning};

/// The warnings that follow from the numbers themselves, and from what was not asked about them.
pub fn of(analysis: &Analysis, samples: &[Sample], question: &Question) -> Vec<Warning> {
    let groups = &analysis.groups;
    let mut warnings = Vec::new();
    if question.goal.is_none() && analysis.goal == Goal::Min && looks_maximised(&analysis.metric) {
        warnings.push(Warning::GoalNotGiven { metric: analysis.metric.clone() });
    }
    warnings.extend(failed_runs(analysis));
    let excluded = analysis.ledger.missed();
    if excluded > 0 {
        let (read, reasons) = (analysis.ledger.read, analysis.ledger.missed_reasons());
        warnings.push(Warning::Excluded { rows: excluded, read, reasons });
    }
    for (name, values) in analysis.settings.iter().filter(|(name, values)| name != "seed" && values.len() > 1) {
        warnings.push(Warning::PooledSetting { name: name.clone(), values: values.clone() });
    }
    if analysis.basis == Basis::Summaries {
        warnings.push(Warning::SummariesOnly);
    }
    let single = groups.iter().filter(|group| group.summary.n == 1).count();
    if single > 0 {
        warnings.push(Warning::SingleRuns { levels: single });
    }
    warnings.extend(far_run(groups));
    warnings.extend(tails(analysis, samples));
    let nearly: Vec<_> = groups.windows(2).filter(|pair| is_rounding(pair[0].level, pair[1].level)).collect();
    if let Some(pair) = nearly.first() {
        warnings.push(Warning::NearlyEqualLevels { pairs: nearly.len(), example: (pair[0].level, pair[1].level) });
    }
    let mixed = groups.iter().filter(|group| group.hides_mixture).count();
    if mixed > 0 {
        let has_basins = groups.iter().any(|group| group.basins.is_some());
        warnings.push(Warning::HiddenMixture { levels: mixed, of: groups.len(), has_basins });
    }
    let is_paired = samples.len() > 1 && samples.iter().all(|sample| !sample.replicate.is_empty());
    if is_paired && analysis.paired.is_none() && !analysis.minimum.is_refined() {
        warnings.push(Warning::PairsUnused);
    }
    // Beside the axis nothing can be extended.
    let (first, last) = (analysis.beside(), groups.len() - 1);
    let is_edge =
        |place: usize, edge: Edge| analysis.observed_minimum == place && analysis.failures_beyond(edge).is_none();
    if first < last && (is_edge(first, Edge::Low) || is_edge(last, Edge::High)) {
        let best = format!("{} {}", analysis.goal.extreme(), analysis.statistic.name());
        warnings.push(Warning::MinimumAtEdge { best, level: analysis.observed().level });
    }
    for result in analysis.references.iter().filter(|result| result.mean.is_none()) {
        let (name, value) = (result.reference.name.clone(), result.reference.value);
        warnings.push(if is_among_failures(value, groups, &analysis.ineligible) {
            Warning::ReferenceFailed { name, value }
        } else {
            Warning::ReferenceOutside { name, value }
        });
    }
    warnings
}

/// How many runs failed and at which levels.
fn failed_runs(analysis: &Analysis) -> Option<Warning> {
    const NAMED: usize = 5;
    let Failures { runs, failed, .. } = analysis.failures();
    let levels = analysis.levels();
    let failing: Vec<f64> = levels.iter().filter(|entry| entry.failures.failed > 0).map(|entry| entry.level).collect();
    let counts_as = match (analysis.eligibility.failed_as, analysis.statistic) {
        (Some(_), _) => FailedAs::Value,
        (None, Statistic::Median) => FailedAs::Worst,
        _ => FailedAs::Nothing,
    };
    let (levels, example) = (failing.len(), failing.into_iter().take(NAMED).collect());
    (failed > 0).then_some(Warning::FailedRuns { failed, runs, levels, example, counts_as })
}

/// The farthest run beyond a thousand times the middle one of the levels' medians.
fn far_run(groups: &[Group]) -> Option<Warning> {
    const FAR: f64 = 1000.0;
    let mut medians: Vec<f64> = groups.iter().filter_map(|group| group.summary.median).map(f64::abs).collect();
    medians.sort_by(f64::total_cmp);
    let usual = *medians.get(medians.len().checked_sub(1)? / 2)?;
    let farthest = |group: &Group| {
        let (min, max) = (group.summary.min?, group.summary.max?);
        let value = if max.abs() >= min.abs() { max } else { min };
        (usual > 0.0 && value.abs() > FAR * usual).then_some((group.level, value))
    };
    let far: Vec<(f64, f64)> = groups.iter().filter_map(farthest).collect();
    let (level, value) = *far.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    Some(Warning::FarRun { level, value, levels: far.len() })
}

/// What few runs with heavy tails, or few runs at all, make of the statistic.
fn tails(analysis: &Analysis, samples: &[Sample]) -> Option<Warning> {
    match analysis.statistic {
        Statistic::Median => {
            // Where runs failed, an interval may be absent because it ends at one of them.
            let is_whole = |group: &Group| group.failures.failed == 0;
            let has_none =
                |group: &&Group| is_whole(group) && group.median.is_some_and(|median| median.interval.is_none());
            let levels = analysis.groups.iter().filter(has_none).count();
            (levels > 0).then_some(Warning::MedianOfFew { levels })
        }
        Statistic::Mean => heavy_kurtosis(samples).map(|kurtosis| Warning::HeavyTails { kurtosis }),
        _ => None,
    }
}

/// The kurtosis of the runs about their levels' means, in units of each level's deviation, if it is
/// beyond what normal runs show by four standard errors (√(24/N)). `None` where levels have so many
/// runs that their means are normal anyway, or so few in all that nothing shows.
fn heavy_kurtosis(samples: &[Sample]) -> Option<f64> {
    const MANY: usize = 30;
    const FEW: usize = 20;
    const ERRORS: f64 = 4.0;
    let most = samples.iter().map(|sample| sample.sorted.len()).max()?;
    if most >= MANY {
        return None;
    }
    let (mut count, mut fourth, mut second) = (0.0, 0.0, 0.0);
    for runs in samples.iter().map(|sample| &sample.sorted).filter(|runs| runs.len() > 2) {
        let n = runs.len() as f64;
        let mean = runs.iter().sum::<f64>() / n;
        let variance = runs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        if variance > 0.0 && variance.is_finite() {
            count += n;
            second += n - 1.0;
            fourth +=
                runs.iter().map(|x| (x - mean) * (x - mean) / variance).map(|square| square * square).sum::<f64>();
        }
    }
    if count < FEW as f64 {
        return None;
    }
    let kurtosis = fourth * count / (second * second);
    (kurtosis > 3.0 + ERRORS * libm::sqrt(24.0 / count)).then_some(kurtosis)
}
