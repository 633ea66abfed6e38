//! What became of every row that was read?

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::format::{count, printable};

/// Why a row was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// A needed cell is empty, `NA` or `null`.
    Empty,
    /// A needed cell is not a number by value (NaN).
    Nan,
    /// A needed cell is infinite or beyond the range of a double.
    Infinite,
    /// The last line of a file is cut off.
    TornLine,
    /// A needed field of a document is neither a number nor null.
    WrongType,
    /// The user asked for other rows.
    Filtered,
    /// Another row of the same file's history is the run.
    History,
}

impl Exclusion {
    /// All reasons, so that a ledger shows zeros too.
    pub const ALL: [Self; 7] =
        [Self::Empty, Self::Nan, Self::Infinite, Self::TornLine, Self::WrongType, Self::Filtered, Self::History];

    /// The reason in the words of the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Nan => "NaN",
            Self::Infinite => "infinite",
            Self::TornLine => "torn last line",
            Self::WrongType => "of another type",
            Self::Filtered => "filtered out",
            Self::History => "of a history",
        }
    }

    /// Whether the user wanted it so; other rows are missed.
    pub fn is_wanted(self) -> bool {
        matches!(self, Self::Filtered | Self::History)
    }

    /// Why `value` cannot be used, if so.
    pub fn of(value: f64) -> Option<Self> {
        match value {
            v if v.is_nan() => Some(Self::Nan),
            v if v.is_infinite() => Some(Self::Infinite),
            _ => None,
        }
    }
}

/// Where the rows are that a server filtered out.
pub const FILTERED: &str = "filtered where they are kept";

/// Where a row is in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this line, counted from 1.
    Line(u64),
    /// In this row, counted from 1.
    Row(u64),
    /// The document with this identifier.
    Document(String),
    /// Where its reader never was.
    Elsewhere(&'static str),
}

impl Place {
    /// The same in a source that has so many `lines` and `rows` before.
    #[must_use]
    pub fn after(self, lines: u64, rows: u64) -> Self {
        match self {
            Self::Line(line) => Self::Line(lines + line),
            Self::Row(row) => Self::Row(rows + row),
            document => document,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Document(id) => write!(f, "_id {id}"),
            Self::Elsewhere(place) => f.write_str(place),
        }
    }
}

/// What became of every row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowLedger {
    /// Rows read, the header not counted.
    pub read: u64,
    /// Rows whose run failed: its metric is NaN, infinite, or a condition says so.
    pub failed: u64,
    /// Where the first of them is.
    pub first_failed: Option<String>,
    /// Rows left out, by reason, each with the place of the first.
    excluded: BTreeMap<Exclusion, (u64, String)>,
}

impl RowLedger {
    /// A ledger of `read` rows, none of them excluded yet.
    pub fn of_rows(read: u64) -> Self {
        Self { read, ..Self::default() }
    }

    /// Notes `rows` excluded rows; `place` says where the first is.
    pub fn exclude(&mut self, reason: Exclusion, rows: u64, place: impl FnOnce() -> String) {
        if rows > 0 {
            self.excluded.entry(reason).or_insert_with(|| (0, place())).0 += rows;
        }
    }

    /// Counts rows without a metric as rows of a history that are not its run.
    pub(super) fn make_empty_history(&mut self) {
        if let Some((rows, place)) = self.excluded.remove(&Exclusion::Empty) {
            self.exclude(Exclusion::History, rows, || place);
        }
    }

    /// Rows that entered the statistics.
    pub fn used(&self) -> u64 {
        self.read - self.failed - self.excluded_in_all()
    }

    /// Rows left out, all reasons together.
    pub fn excluded_in_all(&self) -> u64 {
        self.excluded.values().map(|(rows, _)| rows).sum()
    }

    /// Rows left out that the user did not want left out.
    pub fn missed(&self) -> u64 {
        self.excluded.iter().filter(|(reason, _)| !reason.is_wanted()).map(|(_, (rows, _))| rows).sum()
    }

    /// Rows left out for `reason`.
    pub fn excluded(&self, reason: Exclusion) -> u64 {
        self.excluded.get(&reason).map_or(0, |(rows, _)| *rows)
    }

    /// Where the first row left out for `reason` is.
    pub fn example(&self, reason: Exclusion) -> Option<&str> {
        self.excluded.get(&reason).map(|(_, place)| place.as_str())
    }

    /// The reasons that occurred, ready to show: `3 NaN (first: a.csv, line 7)`.
    pub fn reasons(&self) -> String {
        let reason = |(reason, (rows, place)): (&Exclusion, &(u64, String))| {
            format!("{} {} (first: {})", count(*rows), reason.name(), printable(place))
        };
        self.excluded.iter().map(reason).collect::<Vec<_>>().join(", ")
    }

    /// The same without those that the user wanted left out.
    pub fn missed_reasons(&self) -> String {
        let mut missed = self.clone();
        missed.excluded.retain(|reason, _| !reason.is_wanted());
        missed.reasons()
    }

    /// What became of the rows that were not used, ready to show: `2 failed (first: a.csv, line 3),
    /// 1 empty (first: …)`.
    pub fn losses(&self) -> String {
        let failed = |place: &String| format!("{} failed (first: {})", count(self.failed), printable(place));
        let failed = self.first_failed.as_ref().map(failed);
        failed.into_iter().chain((!self.excluded.is_empty()).then(|| self.reasons())).collect::<Vec<_>>().join(", ")
    }

    /// Adds the rows of `other`, which come after these.
    pub fn append(&mut self, other: Self) {
        self.read += other.read;
        self.failed += other.failed;
        self.first_failed = self.first_failed.take().or(other.first_failed);
        for (reason, (rows, place)) in other.excluded {
            self.exclude(reason, rows, || place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_adds_up() {
        let mut ledger = RowLedger::of_rows(10);
        ledger.exclude(Exclusion::Nan, 2, || "a, line 3".into());
        ledger.exclude(Exclusion::Nan, 1, || "a, line 9".into());
        ledger.exclude(Exclusion::Empty, 0, || unreachable!());
        let mut more = RowLedger::of_rows(5);
        more.exclude(Exclusion::Infinite, 1, || "b, line 2".into());
        ledger.append(more);
        assert_eq!((ledger.read, ledger.used(), ledger.excluded_in_all()), (15, 11, 4));
        assert_eq!(ledger.reasons(), "3 NaN (first: a, line 3), 1 infinite (first: b, line 2)");
    }
}
