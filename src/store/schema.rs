//! What is a table of runs, and what became of every row that was read?
//!
//! A [`RunTable`] holds two polars columns, the factor and the metric, both finite, and a [`RowLedger`] that adds up:
//! rows read = rows used + rows excluded, by reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::format::{count, excerpt, printable};
use crate::provenance::InputDigest;
use crate::store::blocks::BlockColumns;
use crate::sweep::{FINAL_LOSS, SETTING_COLUMNS, SOLVED_BELOW};
use crate::warning::Warning;

/// Which columns the analysis reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The factor's column (`--x`).
    pub factor: String,
    /// The metric's column (`--y`).
    pub metric: String,
    /// The column that says which runs belong together (`--pair`).
    pub pair: Option<String>,
}

impl Columns {
    /// Whether they are different ones.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn check(&self) -> Result<()> {
        if self.factor == self.metric {
            let reason = "the swept column and the measured column must be two".into();
            return Err(Error::Usage { what: "column", given: self.factor.clone(), reason });
        }
        match self.pair.as_ref().filter(|pair| [&self.factor, &self.metric].contains(pair)) {
            None => Ok(()),
            Some(pair) => {
                let reason = "the swept and the measured column cannot say which runs belong together".into();
                Err(Error::Usage { what: "pair", given: pair.clone(), reason })
            }
        }
    }

    /// The columns of blocks, or those that may be, among the columns that a source `has`.
    pub fn blocks(&self, has: impl Fn(&str) -> bool) -> BlockColumns {
        BlockColumns::of(self.pair.as_deref(), [&self.factor, &self.metric], has)
    }

    /// The columns whose values are noted because runs that differ in them should not be pooled unnoticed,
    /// and the seed, which the report states.
    pub fn settings(&self) -> impl Iterator<Item = &'static str> {
        let noted = SETTING_COLUMNS.into_iter().chain(["seed", SOLVED_BELOW]);
        noted.filter(|name| *name != self.factor && *name != self.metric)
    }

    /// Whether the column [`FINAL_LOSS`] should be read as well: only the trainer's sweeps have it in the sense meant.
    pub fn want_final_loss(&self) -> bool {
        self.metric != FINAL_LOSS && SETTING_COLUMNS.contains(&self.factor.as_str())
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
    /// Rows whose run failed: its metric is NaN, infinite, or a condition says so.
    pub failed: u64,
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
        self.read - self.failed - self.excluded_in_all()
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
            format!("{} {} (first: {})", count(*rows), reason.name(), printable(place))
        };
        self.excluded.iter().map(reason).collect::<Vec<_>>().join(", ")
    }

    /// Adds the rows of `other`, which come after these.
    pub fn append(&mut self, other: Self) {
        self.read += other.read;
        self.failed += other.failed;
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

/// What runs are besides level and metric, row by row, where the source has such columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// Loss of the last epoch, NaN where a row has none; empty if no row has one.
    pub final_loss: Vec<f64>,
    /// Whether equal replicates share their random numbers.
    pub pairing: Pairing,
    /// The columns that say, or may say, which runs belong together.
    pub blocks: BlockColumns,
}

impl Details {
    /// Adds those of `other`, whose `more` rows come after these `rows`.
    pub fn append(&mut self, rows: usize, other: Self, more: usize) {
        if !self.final_loss.is_empty() || !other.final_loss.is_empty() {
            self.final_loss.resize(rows, f64::NAN);
            self.final_loss.extend(other.final_loss);
            self.final_loss.resize(rows + more, f64::NAN);
        }
        self.pairing.append(other.pairing);
        self.blocks.append(rows, other.blocks, more);
    }

    /// Forgets what comes after the first `rows`.
    pub fn truncate(&mut self, rows: usize) {
        self.final_loss.truncate(rows);
        if let Pairing::Paired { replicate, .. } = &mut self.pairing {
            replicate.truncate(rows);
        }
        self.blocks.truncate(rows);
    }
}

/// Whether runs of equal replicate started from the same random numbers at every level: all have the same `draw`.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Pairing {
    /// No run is known yet.
    #[default]
    Unknown,
    /// They did.
    Paired {
        /// The draw of every run.
        draw: u64,
        /// Row by row the replicate, mixed with the seed.
        replicate: Vec<u64>,
    },
    /// They did not, or nothing says so.
    Apart,
}

impl Pairing {
    /// Adds a run; `draw` and `replicate` are absent where the source does not have them.
    pub fn push(&mut self, draw: Option<u64>, replicate: Option<u64>) {
        let (Some(draw), Some(replicate)) = (draw, replicate) else {
            *self = Self::Apart;
            return;
        };
        match self {
            Self::Paired { draw: known, replicate: replicates } if *known == draw => replicates.push(replicate),
            Self::Unknown => *self = Self::Paired { draw, replicate: vec![replicate] },
            _ => *self = Self::Apart,
        }
    }

    /// Whether another run can still be paired with those so far.
    pub fn is_possible(&self) -> bool {
        *self != Self::Apart
    }

    /// The number of a replicate that other seeds do not have (but once in 2⁶⁴).
    pub fn replicate(seed: u64, replicate: u64) -> u64 {
        // Knuth's multiplicative hash spreads the seeds.
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ replicate
    }

    /// Adds those of `other`, which come after these.
    fn append(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Unknown) => {}
            (Self::Unknown, other) => *self = other,
            (Self::Paired { draw, replicate }, Self::Paired { draw: other, replicate: more }) if *draw == other => {
                replicate.extend(more);
            }
            _ => *self = Self::Apart,
        }
    }
}

/// Pieces of a table in memory, at most.
const MOST_CHUNKS: usize = 256;

/// Runs, read and checked: factor and metric finite in every row of `frame`.
#[derive(Debug, Clone)]
pub struct RunTable {
    /// Two `Float64` columns without nulls, named as in `columns`.
    pub frame: DataFrame,
    /// What else the runs are, in the rows' order.
    pub details: Details,
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
            details: Details::default(),
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
            // Unlike `Column::new`, this takes the numbers over without copying them.
            Float64Chunked::from_vec(columns.factor.as_str().into(), factor).into_column(),
            Float64Chunked::from_vec(columns.metric.as_str().into(), metric).into_column(),
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
        self.details.append(self.frame.height(), other.details, other.frame.height());
        if self.frame.width() == 0 {
            self.frame = other.frame;
        } else {
            self.frame.vstack_mut(&other.frame).map_err(Self::malformed("the joined table".as_ref()))?;
            // A table that grows bit by bit for hours must not become a list of crumbs.
            if self.frame.first_col_n_chunks() > MOST_CHUNKS {
                self.frame.rechunk_mut();
            }
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

/// What sums say of the runs at one level: all that travels when a server counts, and all that a table of levels has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelSummary {
    /// The factor's value.
    pub level: f64,
    /// Number of runs, at least 1.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1), in the metric's unit; absent at n = 1 or where it is not known.
    pub std_dev: Option<f64>,
    /// Least value, where it is known.
    pub min: Option<f64>,
    /// Greatest value, where it is known.
    pub max: Option<f64>,
    /// Runs that failed, which the other numbers do not hold.
    pub failed: u64,
}

impl LevelSummary {
    /// Of both parts' runs together, which are of one level (Chan, Golub and LeVeque 1983).
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        let (n, more) = (self.n as f64, other.n as f64);
        let apart = other.mean - self.mean;
        let squares = |part: &Self| match part.n {
            1 => Some(0.0),
            n => part.std_dev.map(|s| s * s * (n as f64 - 1.0)),
        };
        let between = apart * apart * n * more / (n + more);
        let within = squares(&self).zip(squares(other)).map(|(a, b)| a + b);
        let both = |choose: fn(f64, f64) -> f64, a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| choose(a, b));
        Self {
            level: self.level,
            n: self.n + other.n,
            mean: self.mean + apart * more / (n + more),
            std_dev: within.map(|within| libm::sqrt((within + between) / (n + more - 1.0))),
            min: both(f64::min, self.min, other.min),
            max: both(f64::max, self.max, other.max),
            failed: self.failed + other.failed,
        }
    }
}

/// Every level, ascending, in place of the runs themselves. Medians, quartiles and paired statistics cannot be had from it.
#[derive(Debug, Clone)]
pub struct LevelSummaries {
    /// The levels, ascending, each once.
    pub levels: Vec<LevelSummary>,
    /// Which column is which.
    pub columns: Columns,
    /// What became of every row: documents that a server counted, or rows of a table of levels.
    pub ledger: RowLedger,
    /// What was read.
    pub inputs: Vec<InputDigest>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

impl LevelSummaries {
    /// Without levels.
    pub fn empty(columns: &Columns) -> Self {
        Self {
            levels: Vec::new(),
            columns: columns.clone(),
            ledger: RowLedger::default(),
            inputs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds those of `other`; a level that both have is joined.
    pub fn append(&mut self, other: Self) {
        for level in other.levels {
            match self.levels.binary_search_by(|own| own.level.total_cmp(&level.level)) {
                Ok(place) => self.levels[place] = self.levels[place].with(&level),
                Err(place) => self.levels.insert(place, level),
            }
        }
        self.ledger.append(other.ledger);
        self.inputs.extend(other.inputs);
        self.warnings.extend(other.warnings);
    }
}

/// What sources gave: runs, or levels that somebody has summarised already.
#[derive(Debug, Clone)]
pub enum Data {
    /// Runs.
    Runs(RunTable),
    /// Levels.
    Levels(LevelSummaries),
}

impl From<RunTable> for Data {
    fn from(runs: RunTable) -> Self {
        Self::Runs(runs)
    }
}

impl From<LevelSummaries> for Data {
    fn from(levels: LevelSummaries) -> Self {
        Self::Levels(levels)
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

    #[test]
    fn parts_of_a_level_are_joined_as_if_they_were_one() {
        // 1, 3 | 5, 9, 10: mean 5.6, squares 21.16 + 6.76 + 0.36 + 11.56 + 19.36 = 59.2.
        let part = |n, mean, std_dev: f64, min| LevelSummary {
            level: 0.5,
            n,
            mean,
            std_dev: Some(std_dev),
            min: Some(min),
            max: None,
            failed: 0,
        };
        let both = part(2, 2.0, 2f64.sqrt(), 1.0).with(&part(3, 8.0, 7f64.sqrt(), 5.0));
        assert!((both.mean - 5.6).abs() < 1e-15 && (both.std_dev.unwrap() - 14.8f64.sqrt()).abs() < 1e-14, "{both:?}");
        assert_eq!((both.n, both.min, both.max), (5, Some(1.0), None));
        let single = LevelSummary { n: 1, std_dev: None, ..part(1, 5.0, 0.0, 5.0) };
        assert!((single.with(&single).std_dev.unwrap()).abs() < 1e-15);
    }

    #[test]
    fn runs_are_paired_as_long_as_every_one_has_the_same_draw() {
        let pairing = |draws: &[u64]| {
            let mut pairing = Pairing::default();
            draws.iter().enumerate().for_each(|(i, draw)| pairing.push(Some(*draw), Some(i as u64)));
            pairing
        };
        let mut same = pairing(&[7, 7]);
        same.append(pairing(&[7]));
        assert_eq!(same, Pairing::Paired { draw: 7, replicate: vec![0, 1, 0] });
        same.append(pairing(&[8]));
        assert_eq!(same, Pairing::Apart);
        assert_eq!(pairing(&[1, 2]), Pairing::Apart);
        let mut details = Details { final_loss: vec![0.5], ..Details::default() };
        details.append(1, Details::default(), 2);
        assert!(details.final_loss[0] == 0.5 && details.final_loss.len() == 3 && details.final_loss[2].is_nan());
    }

    #[test]
    fn settings_stay_few() {
        let mut values = SettingValues::default();
        (0..100).for_each(|i| values.note(&(i % 9).to_string()));
        assert_eq!(values.values(), ["0", "1", "2", "3", "4", "…"]);
    }
}
