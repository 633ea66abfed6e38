//! The group table for spreadsheets and data frames: `stats --format csv` and `summary.csv`.
//!
//! The same names as in the JSON, `_` between those that are nested there; a value that does not
//! exist is an empty cell. The file can be read again as a table of levels
//! ([`crate::store::formats::levels`]).

use crate::analysis::failures::{Failures, LevelEntry};
use crate::analysis::groups::QUANTILES;
use crate::analysis::{Analysis, Group};
use crate::stats::basins::Basin;
use crate::stats::{Estimate, Summary};

/// A column's name with its value at a level.
type Cell = (String, Option<f64>);

/// The group table as CSV with a header.
pub fn to_string(analysis: &Analysis) -> String {
    let has_failures = analysis.has_failures();
    let row = |entry: &LevelEntry<'_>| {
        let mut cells = row(analysis, entry);
        if has_failures {
            cells.extend(failures(entry));
        }
        cells
    };
    let rows: Vec<Vec<Cell>> = analysis.levels().iter().map(row).collect();
    let names: Vec<&str> = rows.first().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut text = format!("{}\n", names.join(","));
    for row in &rows {
        let cells: Vec<String> =
            row.iter().map(|(_, cell)| cell.map(|value| value.to_string()).unwrap_or_default()).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// How many runs failed, and whether the level takes part.
fn failures(entry: &LevelEntry<'_>) -> Vec<Cell> {
    let Failures { runs, failed, share } = entry.failures;
    let mut cells = vec![("runs".to_string(), Some(*runs as f64)), ("failed".into(), Some(*failed as f64))];
    cells.extend(estimate("failed_share", share.as_ref()));
    cells.push(("eligible".into(), Some(f64::from(entry.index.is_some()))));
    cells
}

fn row(analysis: &Analysis, entry: &LevelEntry<'_>) -> Vec<Cell> {
    let summary = entry.group.map(|group| &group.summary);
    let of = |value: fn(&Summary) -> Option<f64>| summary.and_then(value);
    let candidate = entry.index.and_then(|index| analysis.minimum.candidates.get(index));
    let first = [
        ("level", Some(entry.level)),
        ("n", Some(summary.map_or(0.0, |summary| summary.n as f64))),
        ("mean", of(|summary| Some(summary.mean.point))),
        ("std_dev", of(|summary| summary.std_dev)),
        ("standard_error", of(|summary| summary.mean.standard_error)),
        ("ci_lower", of(|summary| summary.mean.interval.map(|interval| interval.lower))),
        ("ci_upper", of(|summary| summary.mean.interval.map(|interval| interval.upper))),
        ("median", of(|summary| summary.median)),
        ("q25", of(|summary| summary.q25)),
        ("q75", of(|summary| summary.q75)),
        ("min", of(|summary| summary.min)),
        ("max", of(|summary| summary.max)),
        ("p_best", candidate.map(|candidate| candidate.probability)),
        ("in_confidence_set", candidate.map(|candidate| f64::from(candidate.in_set))),
    ];
    let mut cells: Vec<Cell> = first.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    cells.extend(described(entry.group));
    cells
}

fn described(group: Option<&Group>) -> Vec<Cell> {
    let median = group.and_then(|group| group.median?.interval);
    let mut cells = vec![
        ("median_ci_lower".to_string(), median.map(|interval| interval.lower)),
        ("median_ci_upper".to_string(), median.map(|interval| interval.upper)),
    ];
    cells.extend(estimate("trimmed_mean", group.and_then(|group| group.trimmed_mean.as_ref())));
    cells.extend(estimate("interquartile_mean", group.and_then(|group| group.interquartile_mean.as_ref())));
    // The median stands above, the quartiles' values too.
    for share in QUANTILES.into_iter().filter(|share| *share != 0.5) {
        let quantiles = group.map_or(&[][..], |group| &group.quantiles);
        let found = quantiles.iter().find(|quantile| quantile.share == share).map(|quantile| &quantile.estimate);
        let cells_of = estimate(&format!("q{}", 100.0 * share), found);
        cells.extend(cells_of.into_iter().filter(|(name, _)| name != "q25" && name != "q75"));
    }
    let basins = group.and_then(|group| group.basins.as_ref());
    for (basin, name) in Basin::ALL.into_iter().zip(["solved", "between", "two_merged", "three_merged", "all_merged"]) {
        let share = basins.and_then(|basins| basins.shares.iter().find(|share| share.basin == basin));
        cells.extend(estimate(&format!("{name}_share"), share.map(|share| &share.share)));
    }
    cells.extend(estimate("solved_mean", basins.and_then(|basins| basins.solved_mean.as_ref())));
    cells
}

/// An estimate and the ends of its interval.
fn estimate(name: &str, found: Option<&Estimate>) -> [Cell; 3] {
    let interval = found.and_then(|found| found.interval);
    [
        (name.to_string(), found.map(|found| found.point)),
        (format!("{name}_ci_lower"), interval.map(|interval| interval.lower)),
        (format!("{name}_ci_upper"), interval.map(|interval| interval.upper)),
    ]
}
