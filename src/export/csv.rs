//! The group table for spreadsheets and data frames: `stats --format csv` and `summary.csv`.
//!
//! The same names as in the JSON, `_` between those that are nested there; a value that does not exist is an empty cell. The
//! file can be read again as a table of levels ([`crate::store::formats::levels`]).

use crate::analysis::groups::QUANTILES;
use crate::analysis::{Analysis, Group};
use crate::stats::Estimate;
use crate::stats::basins::Basin;

/// A column's name with its value at a level.
type Cell = (String, Option<f64>);

/// The group table as CSV with a header.
pub fn to_string(analysis: &Analysis) -> String {
    let rows: Vec<Vec<Cell>> = (0..analysis.groups.len()).map(|place| row(analysis, place)).collect();
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

fn row(analysis: &Analysis, place: usize) -> Vec<Cell> {
    let group = &analysis.groups[place];
    let summary = &group.summary;
    let interval = summary.mean.interval;
    let candidate = analysis.minimum.candidates.get(place);
    let first = [
        ("level", Some(group.level)),
        ("n", Some(summary.n as f64)),
        ("mean", Some(summary.mean.point)),
        ("std_dev", summary.std_dev),
        ("standard_error", summary.mean.standard_error),
        ("ci_lower", interval.map(|interval| interval.lower)),
        ("ci_upper", interval.map(|interval| interval.upper)),
        ("median", summary.median),
        ("q25", summary.q25),
        ("q75", summary.q75),
        ("min", summary.min),
        ("max", summary.max),
        ("p_best", candidate.map(|candidate| candidate.probability)),
        ("in_confidence_set", candidate.map(|candidate| f64::from(candidate.in_set))),
    ];
    let mut cells: Vec<Cell> = first.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    cells.extend(described(group));
    cells
}

fn described(group: &Group) -> Vec<Cell> {
    let median = group.median.and_then(|median| median.interval);
    let mut cells = vec![
        ("median_ci_lower".to_string(), median.map(|interval| interval.lower)),
        ("median_ci_upper".to_string(), median.map(|interval| interval.upper)),
    ];
    cells.extend(estimate("trimmed_mean", group.trimmed_mean.as_ref()));
    cells.extend(estimate("interquartile_mean", group.interquartile_mean.as_ref()));
    // The median stands above, the quartiles' values too.
    for share in QUANTILES.into_iter().filter(|share| *share != 0.5) {
        let found = group.quantiles.iter().find(|quantile| quantile.share == share).map(|quantile| &quantile.estimate);
        let cells_of = estimate(&format!("q{}", 100.0 * share), found);
        cells.extend(cells_of.into_iter().filter(|(name, _)| name != "q25" && name != "q75"));
    }
    let basins = group.basins.as_ref();
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
