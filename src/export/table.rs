//! The group table for people: aligned for the terminal, or as Markdown.

use crate::analysis::{Analysis, Group};
use crate::export::finding;
use crate::format::{aligned, count, to_precision_of};
use crate::store::schema::{Exclusion, RowLedger};

/// The columns of the table, with their heads.
const HEADS: [&str; 10] =
    ["level", "n", "mean", "std dev", "std error", "interval", "median", "quartiles", "min", "max"];

/// One level in the words of the table, for any output that shows it. A missing value is an empty cell.
pub fn cells(group: &Group) -> [String; 10] {
    let summary = &group.summary;
    let error = summary.mean.standard_error;
    let known = |value: Option<f64>| value.map(|value| aligned(value, 5)).unwrap_or_default();
    let rounded = |value: f64| error.map_or_else(|| aligned(value, 6), |error| to_precision_of(value, error));
    [
        aligned(group.level, 5),
        count(summary.n),
        rounded(summary.mean.point),
        summary.std_dev.map(|s| aligned(s, 4)).unwrap_or_default(),
        error.map(|e| aligned(e, 3)).unwrap_or_default(),
        summary.mean.interval.map(|i| format!("{} … {}", rounded(i.lower), rounded(i.upper))).unwrap_or_default(),
        known(summary.median),
        summary.q25.zip(summary.q75).map(|(a, b)| format!("{} … {}", aligned(a, 5), aligned(b, 5))).unwrap_or_default(),
        known(summary.min),
        known(summary.max),
    ]
}

/// The heads of [`cells`], naming the interval's confidence.
pub fn heads(confidence: f64) -> [String; 10] {
    HEADS.map(
        |head| if head == "interval" { format!("{} interval", finding::confidence(confidence)) } else { head.into() },
    )
}

/// Finding, table, references, ledger and warnings for the terminal.
pub fn terminal(analysis: &Analysis) -> String {
    let mut rows = vec![heads(analysis.confidence)];
    rows.extend(analysis.groups.iter().map(cells));
    let widths: Vec<usize> =
        (0..HEADS.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        if place == analysis.observed_minimum + 1 {
            text.push_str("  ← minimum");
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&closing(analysis));
    text
}

/// What every terminal output ends with: finding, references, ledger, warnings.
pub fn closing(analysis: &Analysis) -> String {
    let mut text = format!("{}\n", finding::sentence(analysis));
    text.push_str(&format!("  least observed mean: {}\n", finding::observed(analysis)));
    if let Some(value) = finding::cross_fitted(analysis) {
        text.push_str(&format!("  at the fitted minimum: {value}\n"));
    }
    for reference in analysis.references.iter().filter_map(|result| finding::reference(analysis, result)) {
        text.push_str(&format!("  {reference}\n"));
    }
    for step in &analysis.steps {
        text.push_str(&format!("  observed, {}\n", finding::step(step)));
    }
    text.push_str(&format!("{}\n", ledger(&analysis.ledger)));
    for warning in &analysis.warnings {
        text.push_str(&format!("warning: {}; {}\n", warning.message(), warning.advice()));
    }
    text
}

/// The ledger in a line: `Rows: 10,000 read = 9,998 used + 2 NaN`.
pub fn ledger(ledger: &RowLedger) -> String {
    let excluded = Exclusion::ALL
        .into_iter()
        .filter(|reason| ledger.excluded(*reason) > 0)
        .map(|reason| format!(" + {} {}", count(ledger.excluded(reason)), reason.name()));
    format!("Rows: {} read = {} used{}", count(ledger.read), count(ledger.used()), excluded.collect::<String>())
}

/// Finding and table as Markdown.
pub fn markdown(analysis: &Analysis) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace('\n', " "));
    let mut text = format!("{}\n\n", finding::sentence(analysis));
    text.push_str(&row(&heads(analysis.confidence)));
    text.push_str(&format!("|{}\n", "---:|".repeat(HEADS.len())));
    for group in &analysis.groups {
        text.push_str(&row(&cells(group)));
    }
    text.push_str(&format!("\n{}\n", ledger(&analysis.ledger)));
    text
}
