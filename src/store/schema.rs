//! What is a table of runs, and what became of every row that was read?
//!
//! A [`RunTable`] holds two polars columns, the factor and the metric, both finite, and a [`RowLedger`] that adds up:
//! rows read = rows used + rows excluded, by reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::format::{count, excerpt};
use crate::provenance::InputDigest;
use crate::sweep::SETTING_COLUMNS;
use crate::warning::Warning;

/// Which columns the analysis reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The factor's column (`--x`).
    pub factor: String,
    /// The metric's column (`--y`).
    pub metric: String,
}

impl Columns {
    /// The columns whose values are noted because runs that differ in them should not be pooled unnoticed,
    /// and the seed, which the report states.
    pub fn settings(&self) -> impl Iterator<Item = &'static str> {
        SETTING_COLUMNS.into_iter().chain(["seed"]).filter(|name| *name != self.factor && *name != self.metric)
    }
}

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
}

impl Exclusion {
    /// All reasons, so that a ledger shows zeros too.
    pub const ALL: [Self; 5] = [Self::Empty, Self::Nan, Self::Infinite, Self::TornLine, Self::WrongType];

    /// The reason in the words of the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Nan => "NaN",
            Self::Infinite => "infinite",
            Self::TornLine => "torn last line",
            Self::WrongType => "of another type",
        }
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

/// What became of every row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowLedger {
    /// Rows read, the header not counted.
    pub read: u64,
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

    /// Rows that entered the statistics.
    pub fn used(&self) -> u64 {
        self.read - self.excluded_in_all()
    }

    /// Rows left out, all reasons together.
    pub fn excluded_in_all(&self) -> u64 {
        self.excluded.values().map(|(rows, _)| rows).sum()
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
            format!("{} {} (first: {place})", count(*rows), reason.name())
        };
        self.excluded.iter().map(reason).collect::<Vec<_>>().join(", ")
    }

    /// Adds the rows of `other`, which come after these.
    pub fn append(&mut self, other: Self) {
        self.read += other.read;
        for (reason, (rows, place)) in other.excluded {
            self.exclude(reason, rows, || place);
        }
    }
}

/// The distinct values of a column that should be constant, up to a few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingValues(Vec<String>);

impl SettingValues {
    /// Beyond this many the exact set no longer matters.
    const LIMIT: usize = 5;

    /// Notes `value`.
    pub fn note(&mut self, value: &str) {
        if self.0.len() <= Self::LIMIT && self.0.iter().all(|known| known != value) {
            let next = if self.0.len() == Self::LIMIT { "…".to_string() } else { excerpt(value) };
            self.0.push(next);
        }
    }

    /// The values in the order of their appearance; `…` stands for more.
    pub fn values(&self) -> &[String] {
        &self.0
    }
}

/// Runs, read and checked: factor and metric finite in every row of `frame`.
#[derive(Debug, Clone)]
pub struct RunTable {
    /// Two `Float64` columns without nulls, named as in `columns`.
    pub frame: DataFrame,
    /// Which column is which.
    pub columns: Columns,
    /// What became of every row.
    pub ledger: RowLedger,
    /// Values of the setting columns that exist, by column.
    pub settings: BTreeMap<String, SettingValues>,
    /// What was read.
    pub inputs: Vec<InputDigest>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

impl RunTable {
    /// A table without rows.
    pub fn empty(columns: &Columns) -> Self {
        Self {
            frame: DataFrame::default(),
            columns: columns.clone(),
            ledger: RowLedger::default(),
            settings: BTreeMap::new(),
            inputs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The two columns as a frame.
    ///
    /// # Errors
    /// [`Error::Malformed`] naming `path` if polars refuses them.
    pub fn frame_of(
        columns: &Columns,
        factor: Vec<f64>,
        metric: Vec<f64>,
        path: &std::path::Path,
    ) -> Result<DataFrame> {
        let height = factor.len();
        let columns = vec![
            Column::new(columns.factor.as_str().into(), factor),
            Column::new(columns.metric.as_str().into(), metric),
        ];
        DataFrame::new(height, columns).map_err(Self::malformed(path))
    }

    /// A polars failure about `path`, ready for `map_err`.
    pub fn malformed(path: &std::path::Path) -> impl FnOnce(PolarsError) -> Error {
        let path: PathBuf = path.to_path_buf();
        move |e| Error::Malformed { path, reason: e.to_string() }
    }

    /// Adds the rows of `other`, which come after these.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the frames do not fit, which the schema rules out.
    pub fn append(&mut self, other: Self) -> Result<()> {
        if self.frame.width() == 0 {
            self.frame = other.frame;
        } else {
            self.frame.vstack_mut(&other.frame).map_err(Self::malformed("the joined table".as_ref()))?;
        }
        self.ledger.append(other.ledger);
        for (name, values) in other.settings {
            let own = self.settings.entry(name).or_default();
            values.0.iter().for_each(|value| own.note(value));
        }
        self.inputs.extend(other.inputs);
        self.warnings.extend(other.warnings);
        Ok(())
    }
}

/// What sums say of the runs at one level: all that travels when a server counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelSummary {
    /// The factor's value.
    pub level: f64,
    /// Number of runs.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squares about the mean: the variance times n − 1.
    pub squares: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

/// Every level, ascending, in place of the runs themselves. Medians, quartiles and paired statistics cannot be had from it.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelSummaries {
    /// The levels.
    pub levels: Vec<LevelSummary>,
    /// What became of every row.
    pub ledger: RowLedger,
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

    #[test]
    fn settings_stay_few() {
        let mut values = SettingValues::default();
        (0..100).for_each(|i| values.note(&(i % 9).to_string()));
        assert_eq!(values.values(), ["0", "1", "2", "3", "4", "…"]);
    }
}
