//! The group table for spreadsheets and data frames: `stats --format csv` and `summary.csv`.
//!
//! The same names as in the JSON; a value that does not exist is an empty cell.

use crate::analysis::Analysis;

const HEADER: &str = "level,n,mean,std_dev,standard_error,ci_lower,ci_upper,median,q25,q75,min,max";

/// The group table as CSV with a header.
pub fn to_string(analysis: &Analysis) -> String {
    let mut text = format!("{HEADER}\n");
    for group in &analysis.groups {
        let summary = &group.summary;
        let interval = summary.mean.interval;
        let cells = [
            Some(group.level),
            Some(summary.n as f64),
            Some(summary.mean.point),
            summary.std_dev,
            summary.mean.standard_error,
            interval.map(|interval| interval.lower),
            interval.map(|interval| interval.upper),
            summary.median,
            summary.q25,
            summary.q75,
            summary.min,
            summary.max,
        ];
        let row: Vec<String> =
            cells.iter().map(|cell| cell.map(|value| value.to_string()).unwrap_or_default()).collect();
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}
