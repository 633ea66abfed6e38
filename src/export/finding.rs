//! The answer in a sentence or two: where the loss is lowest, how sure that is, and what the references cost.

use crate::analysis::minimum::MinimumAnalysis;
use crate::analysis::{Analysis, ReferenceDifference, ReferencePair, ReferenceResult, Statistic, Step};
use crate::format::{aligned, count, counted, percent, significant, to_precision_of};
use crate::stats::Estimate;
use crate::stats::best::Standing;
use crate::stats::compare::Verdict;
use crate::stats::smooth::Edge;

/// The finding: where the minimum is, how deep, how sure both are, and the verdict.
pub fn sentence(analysis: &Analysis) -> String {
    let MinimumAnalysis { level, value, .. } = &analysis.minimum;
    let statistic = analysis.statistic.of(&analysis.metric);
    let best = if analysis.statistic.is_maximised() { "highest" } else { "lowest" };
    let found = match (level, value) {
        (Some(level), Some(value)) if !analysis.minimum.is_beside => format!(
            "The {statistic} is {best} at {} = {}, where it is {}.",
            analysis.factor,
            with_range(level),
            with_range(value)
        ),
        _ => format!("The {best} {statistic} is {}.", observed(analysis)),
    };
    format!("{found} {}", verdict(analysis))
}

/// The best value as it was observed: `1303 ± 259 (95 % Student t interval), at hidden_std_dev = 0.4541 (n = 64)`.
pub fn observed(analysis: &Analysis) -> String {
    let minimum = analysis.observed();
    let value = match analysis.statistic {
        Statistic::Mean => with_uncertainty(&minimum.summary.mean),
        other => other.at(minimum).as_ref().map(with_range).unwrap_or_default(),
    };
    let (place, n) = (significant(minimum.level, 4), count(minimum.summary.n));
    format!("{value}, at {} = {place} (n = {n})", analysis.factor)
}

/// What pairing gained, where the runs are compared in pairs.
pub fn paired(analysis: &Analysis) -> Option<String> {
    let paired = analysis.paired?;
    let gain = paired.variance_reduction.map_or_else(String::new, |reduction| {
        let verb = if reduction < 0.0 { "more" } else { "less" };
        format!(
            ": differences between levels vary {} {verb} than those of independent runs",
            percent_of(reduction.abs())
        )
    });
    Some(format!("paired by replicate ({} at every level){gain}", counted(paired.replicates, "replicate")))
}

/// The value at the minimum by runs that did not choose it.
pub fn cross_fitted(analysis: &Analysis) -> Option<String> {
    analysis
        .minimum
        .cross_fitted
        .as_ref()
        .map(|value| format!("{} by runs that did not choose the place", with_range(value)))
}

/// Whether it is settled where the minimum is, and if not, what would settle it.
pub fn verdict(analysis: &Analysis) -> String {
    let margin = percent_of(analysis.margin);
    match &analysis.minimum.standing {
        _ if analysis.groups.len() == 1 => "It is the only level, so there is nothing to compare it with.".into(),
        Standing::Located => {
            let (name, moves) =
                (analysis.statistic.name(), if analysis.statistic.is_maximised() { "fall" } else { "rise" });
            let end = if analysis.statistic.is_maximised() { "below its maximum" } else { "above its minimum" };
            format!("It is located: nowhere in that interval does the {name} {moves} more than {margin} {end}.")
        }
        Standing::AtEdge { .. } if analysis.minimum.is_beside => {
            "It lies beside the axis: this level is shown to be better than the best on the axis.".into()
        }
        Standing::AtEdge { edge } => {
            let end = if *edge == Edge::Low { "lower" } else { "upper" };
            format!("It lies at the {end} end of the sweep or beyond: extend the sweep there.")
        }
        Standing::Flat => format!("The sweep is flat: no two levels differ by more than {margin}."),
        Standing::Unresolved { more_runs, levels } => {
            let advice = match more_runs {
                Some(more) => format!(
                    "; about {} at each of {} would settle it",
                    counted(*more, "more run"),
                    counted(levels.len() as u64, "level")
                ),
                None => String::new(),
            };
            format!("Unresolved{}{advice}.", open_question(analysis))
        }
    }
}

fn open_question(analysis: &Analysis) -> String {
    let candidates = analysis.minimum.candidates.iter().filter(|candidate| candidate.in_set).count();
    if candidates == 0 {
        return String::new();
    }
    format!(
        ": {} of {} cannot be excluded as the best",
        count(candidates as u64),
        counted(analysis.groups.len() as u64, "level")
    )
}

/// What a reference costs against the minimum: `Xavier: +4.5 % against the minimum (95 % interval −1.2 % to +10.2 %; p = 0.16; undecided)`.
pub fn reference(analysis: &Analysis, result: &ReferenceResult) -> Option<String> {
    let best = if analysis.statistic.is_maximised() { "the maximum" } else { "the minimum" };
    Some(format!("{}: {}", result.reference.name, difference(analysis, &result.to_minimum?, best)))
}

/// One reference against another: `Xavier: −4.0 % against 1 (95 % interval …; p = 0.01; better by more than 1 %)`.
pub fn pair(analysis: &Analysis, pair: &ReferencePair) -> String {
    format!("{}: {}", pair.to.name, difference(analysis, &pair.found, &pair.from.name))
}

fn difference(analysis: &Analysis, found: &ReferenceDifference, against: &str) -> String {
    let interval = found.relative.interval.map(|interval| {
        let ends = [interval.lower, interval.upper].map(percent);
        format!("{} interval {} to {}; ", confidence(interval.level), ends[0], ends[1])
    });
    format!(
        "{} against {against} ({}p {}; {})",
        percent(found.relative.point),
        interval.unwrap_or_default(),
        if found.p_value < 0.001 { p_value(found.p_value) } else { format!("= {}", p_value(found.p_value)) },
        verdict_of(found.verdict, analysis.margin),
    )
}

fn verdict_of(verdict: Verdict, margin: f64) -> String {
    let margin = percent_of(margin);
    match verdict {
        Verdict::Better => format!("better by more than {margin}"),
        Verdict::Worse => format!("worse by more than {margin}"),
        Verdict::Equivalent => format!("equivalent to it within {margin}"),
        Verdict::Undecided => format!("undecided at a margin of {margin}"),
    }
}

/// A p value as people write it.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "below 0.001".into() } else { significant(p, 2) }
}

/// 0.01 as `1 %`.
pub fn percent_of(share: f64) -> String {
    format!("{} %", significant(share * 100.0, 3))
}

/// An estimate with the ends of its interval: `0.604 (95 % interval 0.591 to 0.622)`.
pub fn with_range(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => {
            let rounded = |value: f64| to_precision_of(value, interval.margin());
            format!(
                "{} ({} interval {} to {})",
                rounded(estimate.point),
                confidence(interval.level),
                rounded(interval.lower),
                rounded(interval.upper)
            )
        }
        None => significant(estimate.point, 4),
    }
}

/// The step in words: `Xavier → minimum: −1.1 % (95 % interval −3.0 % to +0.9 %)`.
pub fn step(step: &Step) -> String {
    format!("{} → {}: {}", step.from.name, step.to.name, change(&step.change))
}

/// A relative change with its interval.
pub fn change(change: &Estimate) -> String {
    match change.interval {
        Some(interval) => format!(
            "{} ({} interval {} to {})",
            percent(change.point),
            confidence(interval.level),
            percent(interval.lower),
            percent(interval.upper)
        ),
        None => format!("{} (no interval)", percent(change.point)),
    }
}

/// A mean with the interval it is known to: `1580.4 ± 8.1 (95 % Student t interval)`.
pub fn with_uncertainty(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => format!(
            "{} ± {} ({} {} interval)",
            to_precision_of(estimate.point, interval.margin()),
            aligned(interval.margin(), 2),
            confidence(interval.level),
            interval.method.name()
        ),
        None => format!("{} (no interval)", significant(estimate.point, 5)),
    }
}

/// 0.95 as `95 %`, 0.991667 as `99.17 %`: two decimals, and two digits of what is missing to 100 %.
pub fn confidence(level: f64) -> String {
    let missing = (1.0 - level) * 100.0;
    let decimals = libm::ceil(1.0 - libm::log10(missing)).clamp(2.0, 15.0) as usize;
    let percent = format!("{:.decimals$}", level * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_shows_what_is_missing() {
        for (level, text) in [
            (0.95, "95 %"),
            (0.9, "90 %"),
            (0.6827, "68.27 %"),
            (1.0 - 0.05 / 6.0, "99.17 %"),
            (0.9995, "99.95 %"),
            (0.99999, "99.999 %"),
        ] {
            assert_eq!(confidence(level), text);
        }
    }
}
