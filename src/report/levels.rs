//! The table of levels: cells as people read them, lined up by their decimal points.

use crate::analysis::{Analysis, Group};
use crate::export::table;
use crate::format::{aligned, significant, to_precision_of};
use crate::stats::Estimate;

/// The table of levels.
#[derive(Debug, Clone)]
pub struct LevelTable {
    /// Its columns.
    pub columns: Vec<Column>,
    /// One row a level, ascending.
    pub rows: Vec<LevelRow>,
}

/// A column of the table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the page's data, by which it is sorted.
    pub key: &'static str,
    /// Its head.
    pub head: String,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct LevelRow {
    /// Place of the level among all, from 0.
    pub place: usize,
    /// The level.
    pub level: String,
    /// The other cells.
    pub cells: Vec<String>,
    /// Whether it has the least mean.
    pub is_lowest: bool,
    /// Whether it cannot be excluded as the best.
    pub is_candidate: bool,
}

/// What the columns of [`table::rows`] are sorted by.
const KEYS: [&str; 12] = [
    "level",
    "n",
    "failed",
    "failed_share",
    "mean",
    "std_dev",
    "standard_error",
    "lower",
    "median",
    "q25",
    "min",
    "max",
];

impl LevelTable {
    /// The table of `analysis`: the columns of every other output, then what only some analyses
    /// have.
    pub fn of(analysis: &Analysis) -> Self {
        let mut columns: Vec<Column> =
            KEYS.into_iter().zip(table::heads(analysis.confidence)).map(|(key, head)| Column { key, head }).collect();
        let levels = analysis.levels();
        let known = |row: Vec<String>| row.into_iter().take(KEYS.len()).collect();
        let mut cells: Vec<Vec<String>> = table::rows(analysis).into_iter().map(known).collect();
        let groups = || levels.iter().map(|entry| entry.group);
        let is_known = |of: fn(&Group) -> bool| groups().flatten().any(of);
        if is_known(|group| group.trimmed_mean.is_some()) {
            columns.push(Column { key: "trimmed_mean", head: "trimmed mean".into() });
            for (row, group) in cells.iter_mut().zip(groups()) {
                row.push(group.and_then(|group| group.trimmed_mean.as_ref()).map(rounded).unwrap_or_default());
            }
        }
        if is_known(|group| group.basins.is_some()) {
            columns.push(Column { key: "solved", head: "solved".into() });
            for (row, group) in cells.iter_mut().zip(groups()) {
                let solved = group.and_then(Group::solved_share);
                row.push(solved.map(|share| share_text(share.point)).unwrap_or_default());
            }
        }
        let candidates = &analysis.minimum.candidates;
        if !candidates.is_empty() {
            columns.push(Column { key: "p_best", head: "P(best)".into() });
            for (row, entry) in cells.iter_mut().zip(&levels) {
                let candidate = entry.index.and_then(|index| candidates.get(index));
                row.push(candidate.map(|candidate| probability_text(candidate.probability)).unwrap_or_default());
            }
        }
        drop_empty(&mut columns, &mut cells);
        line_up(&mut cells);
        let row = |(place, mut cells): (usize, Vec<String>)| LevelRow {
            place,
            level: cells.remove(0),
            cells,
            is_lowest: levels[place].index == Some(analysis.observed_minimum),
            is_candidate: levels[place].index.and_then(|index| candidates.get(index)).is_some_and(|found| found.in_set),
        };
        Self { columns, rows: cells.into_iter().enumerate().map(row).collect() }
    }
}

fn rounded(estimate: &Estimate) -> String {
    estimate.standard_error.map_or_else(|| aligned(estimate.point, 6), |error| to_precision_of(estimate.point, error))
}

/// A share in whole tenths of a percent.
pub fn share_text(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn probability_text(p: f64) -> String {
    if p < 0.0005 { "<0.001".into() } else { format!("{p:.3}") }
}

/// Leaves out the columns that no level has a value for.
fn drop_empty(columns: &mut Vec<Column>, rows: &mut [Vec<String>]) {
    for place in (0..columns.len()).rev() {
        if rows.iter().all(|row| row[place].is_empty()) {
            columns.remove(place);
            rows.iter_mut().for_each(|row| drop(row.remove(place)));
        }
    }
}

/// Fills the cells of each column up with blanks as wide as a digit, so that their decimal points
/// stand below each other.
fn line_up(rows: &mut [Vec<String>]) {
    const DIGIT: char = '\u{2007}';
    const POINT: char = '\u{2008}';
    // Digits behind the last decimal point; nothing for a cell in which that is no plain number.
    let decimals = |cell: &str| {
        let number = cell.rsplit(' ').next().unwrap_or(cell);
        let is_plain = number.chars().all(|c| c.is_ascii_digit() || "-.,".contains(c));
        is_plain.then(|| number.split_once('.').map_or(0, |(_, digits)| digits.len()))
    };
    for column in 0..rows.first().map_or(0, Vec::len) {
        let found: Option<Vec<usize>> = rows.iter().map(|row| decimals(&row[column])).collect();
        let Some(most) = found.and_then(|found| found.into_iter().max()) else { continue };
        for row in rows.iter_mut().filter(|row| !row[column].is_empty()) {
            let digits = decimals(&row[column]).unwrap_or(most);
            if digits == 0 && most > 0 {
                row[column].push(POINT);
            }
            row[column].extend(std::iter::repeat_n(DIGIT, most - digits));
        }
    }
}

/// A level as it is written in a sentence.
pub fn level_text(level: f64) -> String {
    significant(level, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_points_stand_below_each_other() {
        let mut rows = vec![
            vec!["0.25".to_string(), "1 … 2.5".into(), "1e-9".into()],
            vec!["10".into(), "1 … 20.25".into(), "2.0".into()],
            vec![String::new(), "1 … 3".into(), "3".into()],
        ];
        line_up(&mut rows);
        assert_eq!(rows[0], ["0.25", "1 … 2.5\u{2007}", "1e-9"]);
        assert_eq!(rows[1], ["10\u{2008}\u{2007}\u{2007}", "1 … 20.25", "2.0"]);
        assert_eq!(rows[2], ["", "1 … 3\u{2008}\u{2007}\u{2007}", "3"], "an empty cell stays empty");
    }
}
