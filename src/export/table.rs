//! The group table for people: aligned for the terminal, or as Markdown.

use crate::analysis::failures::{Failures, LevelEntry};
use crate::analysis::{Analysis, Group};
use crate::course::History;
use crate::data::{Exclusion, RowLedger};
use crate::export::{finding, history};
use crate::format::{aligned, count, printable, to_precision_of};
use crate::stats::Estimate;

/// A column of the table.
struct Column {
    head: &'static str,
    /// In a narrow terminal the highest go first.
    rank: u8,
    cell: Cell,
}

/// Where the text of a cell comes from.
enum Cell {
    /// Any level has it.
    Level(fn(&LevelEntry<'_>) -> String),
    /// Any level has it, if runs failed anywhere.
    Failures(fn(&Failures) -> String),
    /// A level with runs that did not fail has it.
    Runs(fn(&Group) -> String),
}

const fn column(head: &'static str, rank: u8, cell: fn(&Group) -> String) -> Column {
    Column { head, rank, cell: Cell::Runs(cell) }
}

const COLUMNS: [Column; 13] = [
    // The levels themselves are written by `rows`, which sees all of them.
    Column { head: "level", rank: 0, cell: Cell::Level(|_| String::new()) },
    Column { head: "n", rank: 0, cell: Cell::Level(|entry| count(entry.group.map_or(0, |group| group.summary.n))) },
    Column { head: "failed", rank: 0, cell: Cell::Failures(failed) },
    Column { head: "failed share", rank: 2, cell: Cell::Failures(failed_share) },
    column("mean", 0, |group| rounded(group, group.summary.mean.point)),
    column("std dev", 1, |group| group.summary.std_dev.map(|s| aligned(s, 4)).unwrap_or_default()),
    column("std error", 3, |group| group.summary.mean.standard_error.map(|e| aligned(e, 3)).unwrap_or_default()),
    column(INTERVAL, 0, |group| {
        let interval = group.summary.mean.interval;
        interval.map(|i| format!("{} … {}", rounded(group, i.lower), rounded(group, i.upper))).unwrap_or_default()
    }),
    column("median", 1, |group| known(group.summary.median)),
    column("quartiles", 2, |group| {
        let quartiles = group.summary.q25.zip(group.summary.q75);
        quartiles.map(|(a, b)| format!("{} … {}", aligned(a, 5), aligned(b, 5))).unwrap_or_default()
    }),
    column("min", 3, |group| known(group.summary.min)),
    column("max", 3, |group| known(group.summary.max)),
    column("solved", 1, |group| {
        group.solved_share().map(|share| format!("{:.0} %", 100.0 * share.point)).unwrap_or_default()
    }),
];

/// Stands for the head that names the interval's confidence.
const INTERVAL: &str = "interval";
/// Between columns.
const GAP: &str = "  ";
/// Marks the observed minimum.
const MARK: &str = "  ← best";

fn known(value: Option<f64>) -> String {
    value.map(|value| aligned(value, 5)).unwrap_or_default()
}

/// `value` as precise as the group's standard error justifies.
fn rounded(group: &Group, value: f64) -> String {
    let error = group.summary.mean.standard_error;
    error.map_or_else(|| aligned(value, 6), |error| to_precision_of(value, error))
}

/// `2 of 3`.
fn failed(failures: &Failures) -> String {
    format!("{} of {}", count(failures.failed), count(failures.runs))
}

/// In whole percent, with its interval.
fn failed_share(failures: &Failures) -> String {
    let percent = |share: f64| format!("{:.0}", 100.0 * share);
    let Some(Estimate { point, interval: Some(interval), .. }) = failures.share else { return String::new() };
    format!("{} % ({} … {} %)", percent(point), percent(interval.lower), percent(interval.upper))
}

/// Every level in the words of the table, for any output that shows it. A missing value is an empty
/// cell.
pub fn rows(analysis: &Analysis) -> Vec<Vec<String>> {
    let has_failures = analysis.has_failures();
    let cell = |column: &Column, entry: &LevelEntry<'_>| match column.cell {
        Cell::Level(cell) => cell(entry),
        Cell::Failures(cell) if has_failures => cell(entry.failures),
        Cell::Failures(_) => String::new(),
        Cell::Runs(cell) => entry.group.map(cell).unwrap_or_default(),
    };
    let entries = analysis.levels();
    let levels = level_cells(&entries.iter().map(|entry| entry.level).collect::<Vec<_>>());
    let row = |(level, entry): (String, &LevelEntry<'_>)| {
        let further = COLUMNS[1..].iter().map(|column| cell(column, entry));
        [level].into_iter().chain(further).collect()
    };
    levels.into_iter().zip(&entries).map(row).collect()
}

/// The ascending `levels` in five digits, or, for those that would look like a neighbour, in as
/// many as tell the two apart.
fn level_cells(levels: &[f64]) -> Vec<String> {
    let mut cells: Vec<String> = levels.iter().map(|level| aligned(*level, 5)).collect();
    let is_like_next: Vec<bool> = cells.windows(2).map(|pair| pair[0] == pair[1]).collect();
    for (place, _) in is_like_next.iter().enumerate().filter(|(_, is_like)| **is_like) {
        for place in [place, place + 1] {
            cells[place] = format!("{:?}", levels[place]);
        }
    }
    cells
}

/// The heads of [`rows`], naming the interval's confidence.
pub fn heads(confidence: f64) -> Vec<String> {
    let head = |column: &Column| match column.head {
        INTERVAL => format!("{} interval", finding::confidence(confidence)),
        head => head.to_string(),
    };
    COLUMNS.iter().map(head).collect()
}

/// Heads and cells of the columns that any level has a value in.
fn filled(analysis: &Analysis) -> (Vec<&'static Column>, Vec<Vec<String>>) {
    let mut rows = vec![heads(analysis.confidence)];
    rows.extend(self::rows(analysis));
    let has: Vec<bool> = (0..COLUMNS.len()).map(|place| rows[1..].iter().any(|row| !row[place].is_empty())).collect();
    let kept = |row: Vec<String>| row.into_iter().zip(&has).filter(|(_, has)| **has).map(|(cell, _)| cell).collect();
    let columns = COLUMNS.iter().zip(&has).filter(|(_, has)| **has).map(|(column, _)| column).collect();
    (columns, rows.into_iter().map(kept).collect())
}

/// Finding, table, references, ledger and warnings for a terminal of `width` characters. Columns
/// that do not fit are left out, the least needed first; they are in every other format.
pub fn terminal(analysis: &Analysis, width: usize) -> String {
    let (columns, rows) = filled(analysis);
    let mut shown: Vec<(usize, u8, usize)> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let needed = rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
            (place, column.rank, needed)
        })
        .collect();
    let needed = |shown: &[(usize, u8, usize)]| {
        shown.iter().map(|(.., width)| width + GAP.len()).sum::<usize>() + MARK.chars().count()
    };
    while needed(&shown) > width + GAP.len() {
        let Some(worst) = (0..shown.len()).filter(|at| shown[*at].1 > 0).max_by_key(|at| (shown[*at].1, *at)) else {
            break;
        };
        shown.remove(worst);
    }
    let mut text = String::new();
    let best = analysis.levels().iter().position(|entry| entry.index == Some(analysis.observed_minimum));
    for (at, row) in rows.iter().enumerate() {
        let line: Vec<String> = shown.iter().map(|(place, _, width)| format!("{:>width$}", row[*place])).collect();
        text.push_str(line.join(GAP).trim_end());
        if Some(at) == best.map(|best| best + 1) {
            text.push_str(MARK);
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&closing(analysis));
    text
}

/// What every terminal output ends with: finding, references, ledger, warnings.
pub fn closing(analysis: &Analysis) -> String {
    // Names come from outside.
    let mut text = format!("{}\n", printable(&finding::sentence(analysis)));
    for line in facts(analysis) {
        text.push_str(&format!("  {}\n", printable(&line)));
    }
    for history in history::of(analysis) {
        text.push_str(&rounds(history, analysis));
    }
    text.push_str(&format!("{}\n", ledger(&analysis.ledger)));
    for warning in &analysis.warnings {
        text.push_str(&format!("warning: {}; {}\n", printable(&warning.message()), printable(&warning.advice())));
    }
    text
}

/// What is known besides the finding, a line each.
fn facts(analysis: &Analysis) -> Vec<String> {
    let best = analysis.goal.extreme();
    let mut lines = vec![format!("{best} observed {}: {}", analysis.statistic.name(), finding::observed(analysis))];
    lines.extend(finding::cross_fitted(analysis));
    lines.extend(finding::layers(analysis));
    lines.extend(finding::paired(analysis));
    lines.extend(analysis.references.iter().filter_map(|result| finding::reference(analysis, result)));
    lines.extend(analysis.pairs.iter().map(|pair| finding::pair(analysis, pair)));
    lines.extend(analysis.steps.iter().map(|step| format!("observed, {}", finding::step(step))));
    lines
}

/// How a sweep went on until its goal, for the terminal.
fn rounds(history: &History, analysis: &Analysis) -> String {
    let rows: Vec<[String; 6]> =
        std::iter::once(history::heads(analysis).map(String::from)).chain(history::rows(history)).collect();
    let widths: [usize; 6] = std::array::from_fn(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    let mut text = format!("{}\n", history::sentence(history));
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
    }
    text
}

/// The ledger in a line: `Rows: 10,000 read = 9,996 used + 2 failed + 2 empty`.
pub fn ledger(ledger: &RowLedger) -> String {
    let excluded = Exclusion::ALL
        .into_iter()
        .filter(|reason| ledger.excluded(*reason) > 0)
        .map(|reason| format!(" + {} {}", count(ledger.excluded(reason)), reason.name()));
    let (read, used, failed) = (count(ledger.read), count(ledger.used()), failed_rows(ledger));
    format!("Rows: {read} read = {used} used{failed}{}", excluded.collect::<String>())
}

/// The same with the place of the first row of each reason: `10 read = 9 used + 1 left out: 1 NaN
/// (first: a.csv, line 7)`.
pub fn ledger_with_places(ledger: &RowLedger) -> String {
    let left_out = match ledger.excluded_in_all() {
        0 => String::new(),
        rows => format!(" + {} left out: {}", count(rows), ledger.reasons()),
    };
    format!("{} read = {} used{}{left_out}", count(ledger.read), count(ledger.used()), failed_rows(ledger))
}

/// ` + 2 failed`; nothing if no run failed.
fn failed_rows(ledger: &RowLedger) -> String {
    if ledger.failed == 0 { String::new() } else { format!(" + {} failed", count(ledger.failed)) }
}

/// Finding, facts, table and warnings as Markdown.
pub fn markdown(analysis: &Analysis) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace('\n', " "));
    let mut text = format!("{}\n\n", finding::sentence(analysis));
    facts(analysis).iter().for_each(|line| text.push_str(&format!("- {line}\n")));
    text.push('\n');
    let (columns, rows) = filled(analysis);
    for (at, cells) in rows.iter().enumerate() {
        text.push_str(&row(cells));
        if at == 0 {
            text.push_str(&format!("|{}\n", "---:|".repeat(columns.len())));
        }
    }
    text.push_str(&format!("\n{}\n", ledger(&analysis.ledger)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Question;
    use crate::data::{LevelSummaries, LevelSummary, Roles, RowLedger};

    fn analysis() -> Analysis {
        let columns = Roles::new("x", "y");
        let level = |i: u32| {
            let x = f64::from(i) * 0.1;
            let mean = 1500.0 + 200.0 * (x - 1.0) * (x - 1.0);
            LevelSummary { level: x, n: 100, mean, std_dev: Some(9.0), min: Some(1.0), max: Some(5e3), failed: 0 }
        };
        let levels: Vec<LevelSummary> = (1..=20).map(level).collect();
        let ledger = RowLedger::of_rows(20);
        let data = LevelSummaries { levels, ledger, ..LevelSummaries::empty(&columns) };
        let question = Question::default();
        Analysis::of(data, &question).unwrap()
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_no_broken_line() {
        let analysis = analysis();
        let table = |width| {
            let text = terminal(&analysis, width);
            text.lines().take_while(|line| !line.is_empty()).map(str::to_string).collect::<Vec<_>>()
        };
        for width in [60, 80, 100, 200] {
            let lines = table(width);
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:#?}");
            assert!(lines[0].contains("mean") && lines[0].contains("95 % interval"), "{}", lines[0]);
            assert!(lines[10].ends_with("← best"), "{}", lines[10]);
        }
        assert!(!table(60)[0].contains("max") && table(200)[0].contains("max"));
        // Nobody knows the medians of summaries.
        assert!(!table(200)[0].contains("median"));
    }
}
