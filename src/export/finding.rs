//! The answer in a sentence or two: where the loss is lowest, how sure that is, and what the references cost.

use crate::analysis::{Analysis, Step};
use crate::format::{count, counted, percent, significant, to_precision_of};
use crate::stats::Estimate;

/// The finding: the observed minimum with its uncertainty, and whether other levels may be as good.
pub fn sentence(analysis: &Analysis) -> String {
    let minimum = analysis.observed();
    let found = format!(
        "The lowest mean {} is {}, at {} = {} (n = {}).",
        analysis.metric,
        with_uncertainty(&minimum.summary.mean),
        analysis.factor,
        significant(minimum.level, 4),
        count(minimum.summary.n),
    );
    let sureness = match (analysis.groups.len() - 1, minimum.summary.mean.interval, analysis.overlapping) {
        (0, ..) => "It is the only level, so there is nothing to compare it with.".to_string(),
        (_, None, _) => "A single run there says nothing about its uncertainty.".to_string(),
        (_, _, 0) => "No other level's interval overlaps it.".to_string(),
        (others, _, overlapping) => format!(
            "Where the minimum lies is not settled: the intervals of {} of {} overlap it.",
            count(overlapping as u64),
            counted(others as u64, "other level")
        ),
    };
    format!("{found} {sureness}")
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
            significant(interval.margin(), 2),
            confidence(interval.level),
            interval.method.name()
        ),
        None => format!("{} (no interval)", significant(estimate.point, 5)),
    }
}

/// 0.95 as `95 %`.
pub fn confidence(level: f64) -> String {
    format!("{} %", significant(level * 100.0, 6))
}
