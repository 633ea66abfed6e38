//! The runs: one polars frame with a column per role.
//!
//! Every row is a run with a finite level. Its metric is finite, or NaN if the run failed. Which
//! columns there are besides says [`RunTable`]; they are named after their roles, because one
//! column of a source can have two.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use crate::data::blocks::MOST_LOOKED_AT;
use crate::data::doubts;
use crate::data::ledger::{Exclusion, RowLedger};
use crate::data::per_file::PerFile;
use crate::data::roles::Roles;
use crate::data::settings::Setting;
use crate::data::survey::Survey;
use crate::error::{Error, Result};
use crate::provenance::InputDigest;
use crate::warning::Warning;

/// The level, `Float64`, finite.
const FACTOR: &str = "factor";
/// The metric, `Float64`: finite, or NaN for a failed run.
const METRIC: &str = "metric";
/// The second factor, `Float64`, NaN where it is missing.
const BY: &str = "by";
/// The loss of the last epoch, `Float64`, NaN where it is missing.
const FINAL_LOSS: &str = "final_loss";
/// The replicate, mixed with the seed, `UInt64`.
const REPLICATE: &str = "replicate";
/// What begins the name of a column of blocks, `UInt64`.
const BLOCK: &str = "block ";
/// Pieces of a table in memory, at most.
const MOST_CHUNKS: usize = 256;

/// Whether runs of equal replicate started from the same random numbers at every level: all have
/// the same `draw`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pairing {
    /// No run is known yet.
    #[default]
    Unknown,
    /// They did, all from this draw.
    Paired(u64),
    /// They did not, or nothing says so.
    Apart,
}

impl Pairing {
    /// That of these runs and `others` together.
    #[must_use]
    pub fn with(self, others: Self) -> Self {
        match (self, others) {
            (pairing, Self::Unknown) | (Self::Unknown, pairing) => pairing,
            (Self::Paired(draw), Self::Paired(other)) if draw == other => self,
            _ => Self::Apart,
        }
    }
}

/// The runs in columns, before they are a frame. Columns that a source lacks are empty.
#[derive(Debug, Clone, Default)]
pub struct RunColumns {
    /// Level of each run.
    pub factor: Vec<f64>,
    /// Metric of each run; NaN if it failed.
    pub metric: Vec<f64>,
    /// Second factor.
    pub by: Vec<f64>,
    /// Loss of the last epoch.
    pub final_loss: Vec<f64>,
    /// Replicate, mixed with the seed.
    pub replicate: Vec<u64>,
    /// Keys in each column of blocks, with its name.
    pub blocks: Vec<(String, Vec<u64>)>,
}

/// Runs, read and checked.
#[derive(Debug, Clone)]
pub struct RunTable {
    /// The columns, named after their roles.
    frame: DataFrame,
    /// Which column of the sources is what.
    pub roles: Roles,
    /// The column that is the second factor, where the table has one.
    pub by: Option<String>,
    /// Whether equal replicates share their random numbers.
    pub pairing: Pairing,
    /// What became of every row.
    pub ledger: RowLedger,
    /// Values of the setting columns that exist, by column.
    pub settings: BTreeMap<String, Setting>,
    /// What was seen of other columns.
    pub survey: Survey,
    /// What was read.
    pub inputs: Vec<InputDigest>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

impl RunTable {
    /// A table without rows.
    pub fn empty(roles: &Roles) -> Self {
        Self {
            frame: DataFrame::default(),
            roles: roles.clone(),
            by: None,
            pairing: Pairing::default(),
            ledger: RowLedger::default(),
            settings: BTreeMap::new(),
            survey: Survey::default(),
            inputs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A table of these `columns`, of which the empty ones are absent; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`] if polars refuses them, as for columns of different lengths.
    pub fn new(roles: &Roles, columns: RunColumns, path: &Path) -> Result<Self> {
        let (height, has_by) = (columns.factor.len(), !columns.by.is_empty());
        // Unlike `Column::new`, `from_vec` takes the numbers over without copying them.
        let float = |name: &str, values| Float64Chunked::from_vec(name.into(), values).into_column();
        let whole = |name: &str, values| UInt64Chunked::from_vec(name.into(), values).into_column();
        let mut all = vec![float(FACTOR, columns.factor), float(METRIC, columns.metric)];
        for (name, values) in [(BY, columns.by), (FINAL_LOSS, columns.final_loss)] {
            if !values.is_empty() {
                all.push(float(name, values));
            }
        }
        if !columns.replicate.is_empty() {
            all.push(whole(REPLICATE, columns.replicate));
        }
        if columns.blocks.iter().all(|(_, keys)| keys.len() == height) {
            all.extend(columns.blocks.into_iter().map(|(name, keys)| whole(&format!("{BLOCK}{name}"), keys)));
        }
        let frame = DataFrame::new(height, all).map_err(Self::malformed(path))?;
        let by = roles.by.clone().filter(|_| has_by);
        Ok(Self { frame, by, ..Self::empty(roles) })
    }

    /// A polars failure about `path`, ready for `map_err`.
    pub fn malformed(path: &Path) -> impl FnOnce(PolarsError) -> Error {
        let path: PathBuf = path.to_path_buf();
        move |e| Error::Malformed { path, reason: e.to_string() }
    }

    /// Number of runs, failed ones included.
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// The level of each run.
    pub fn factor(&self) -> Cow<'_, [f64]> {
        self.numbers(FACTOR)
    }

    /// The metric of each run; NaN if it failed.
    pub fn metric(&self) -> Cow<'_, [f64]> {
        self.numbers(METRIC)
    }

    /// The second factor of each run, NaN where it is missing; empty if there is none.
    pub fn second_factor(&self) -> Cow<'_, [f64]> {
        self.numbers(BY)
    }

    /// The loss of each run's last epoch, NaN where it is missing; empty if no run has one.
    pub fn final_loss(&self) -> Cow<'_, [f64]> {
        self.numbers(FINAL_LOSS)
    }

    /// The replicate of each run, mixed with its seed; empty if equal ones do not share their
    /// random numbers.
    pub fn replicate(&self) -> Cow<'_, [u64]> {
        self.wholes(REPLICATE)
    }

    /// The columns that say, or may say, which runs belong together, the likelier first, each with
    /// the keys of its runs.
    pub fn blocks(&self) -> Vec<(&str, Cow<'_, [u64]>)> {
        let names = self.frame.get_column_names();
        let blocks = names.into_iter().filter_map(|name| Some((name.strip_prefix(BLOCK)?, self.wholes(name))));
        blocks.collect()
    }

    /// The rows of each level, as polars groups them.
    ///
    /// # Errors
    /// [`Error::Malformed`] if polars fails.
    pub fn rows_by_level(&self) -> Result<Vec<Vec<IdxSize>>> {
        let malformed = || Self::malformed("the table of runs".as_ref());
        let factor = self.frame.column(FACTOR).map_err(malformed())?.as_materialized_series().rechunk();
        let groups = factor.group_tuples(rayon::current_num_threads() > 1, false).map_err(malformed())?;
        use rayon::prelude::*;
        Ok(match &groups {
            GroupsType::Idx(groups) => groups.all().par_iter().map(|rows| rows.to_vec()).collect(),
            GroupsType::Slice { groups, .. } => {
                groups.par_iter().map(|[start, length]| (*start..start + length).collect()).collect()
            }
        })
    }

    /// A column of numbers: the frame's own where they lie in one piece; empty if there is no such
    /// column.
    fn numbers(&self, name: &str) -> Cow<'_, [f64]> {
        let Ok(column) = self.frame.column(name).and_then(|column| column.f64()) else { return Cow::Borrowed(&[]) };
        column.cont_slice().map_or_else(|_| Cow::Owned(column.into_no_null_iter().collect()), Cow::Borrowed)
    }

    fn wholes(&self, name: &str) -> Cow<'_, [u64]> {
        let Ok(column) = self.frame.column(name).and_then(|column| column.u64()) else { return Cow::Borrowed(&[]) };
        column.cont_slice().map_or_else(|_| Cow::Owned(column.into_no_null_iter().collect()), Cow::Borrowed)
    }

    /// Adds the rows of `other`, which come after these.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the frames do not fit, which their schema rules out.
    pub fn append(&mut self, mut other: Self) -> Result<()> {
        let malformed = || Self::malformed("the joined table".as_ref());
        let rows = self.height();
        self.pairing = self.pairing.with(other.pairing);
        if self.height() == 0 {
            (self.frame, self.by) = (other.frame, other.by.or(self.by.take()));
        } else if other.height() > 0 {
            self.fit(&mut other).map_err(malformed())?;
            self.frame.vstack_mut(&other.frame).map_err(malformed())?;
            // A table that grows bit by bit for hours must not become a list of crumbs.
            if self.frame.first_col_n_chunks() > MOST_CHUNKS {
                self.frame.rechunk_mut();
            }
        }
        self.ledger.append(other.ledger);
        for (name, own) in &mut self.settings {
            own.append(rows, other.settings.remove(name).unwrap_or_else(Setting::absent));
        }
        for (name, setting) in other.settings {
            let mut own = Setting::absent();
            own.append(rows, setting);
            self.settings.insert(name, own);
        }
        self.survey.append(other.survey);
        self.inputs.extend(other.inputs);
        self.warnings.extend(other.warnings);
        Ok(())
    }

    /// Keeps one run, that of the history which the table of one file is.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the file `path` has more than one level.
    pub fn keep_one(&mut self, per_file: PerFile, path: &Path) -> Result<()> {
        let factor = self.factor();
        if let Some(other) = factor.iter().find(|level| **level != factor[0]) {
            let (column, first) = (&self.roles.factor, factor[0]);
            let reason = format!(
                "--per-file takes one run out of a file, but '{column}' is both {first} and {other} in this one"
            );
            return Err(Error::Malformed { path: path.into(), reason });
        }
        let Some((row, value)) = per_file.choose(&self.metric()) else { return Ok(()) };
        let rows = self.height() as u64;
        self.frame = self.frame.slice(row as i64, 1);
        let metric = Float64Chunked::from_vec(METRIC.into(), vec![value]).into_column();
        self.frame.with_column(metric).map_err(Self::malformed(path))?;
        self.settings.values_mut().for_each(|setting| *setting = setting.at(row));
        self.ledger.failed = u64::from(value.is_nan());
        if !value.is_nan() {
            self.ledger.first_failed = None;
        }
        self.survey = Survey::default();
        self.ledger.make_empty_history();
        self.ledger.exclude(Exclusion::History, rows - 1, || path.display().to_string());
        Ok(())
    }

    /// What tells these runs from others: a hash (FNV-1a) of level and metric of each, in their
    /// order.
    pub fn fingerprint(&self) -> u64 {
        let step =
            |hash: u64, number: &f64| (hash ^ number.to_bits()).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        let start = 0xcbf2_9ce4_8422_2325 ^ self.height() as u64;
        self.metric().iter().fold(self.factor().iter().fold(start, step), step)
    }

    /// Adds the warnings that the runs themselves give reason for.
    pub fn note_doubts(&mut self) {
        let mut doubts = self.survey.warnings();
        doubts.extend(doubts::sentinel(&self.roles.metric, &self.metric()));
        doubts.extend(doubts::repeated(&self.factor(), &self.metric()));
        self.warnings.extend(doubts);
    }

    /// Makes the one setting besides the first factor that has several values the second factor, if
    /// none was named. The seed is none.
    ///
    /// # Errors
    /// [`Error::Malformed`] if polars refuses the column.
    pub fn find_second_factor(&mut self) -> Result<()> {
        if self.roles.by.is_some() {
            return Ok(());
        }
        let varied = |(name, setting): &(&String, &Setting)| name.as_str() != "seed" && setting.values().len() > 1;
        let varied: Vec<(&String, &Setting)> = self.settings.iter().filter(varied).collect();
        let [(name, setting)] = varied[..] else { return Ok(()) };
        let numbers = Float64Chunked::from_vec(BY.into(), setting.numbers(self.height())).into_column();
        self.by = Some(name.clone());
        self.frame.with_column(numbers).map(drop).map_err(Self::malformed("the table of runs".as_ref()))
    }

    /// Gives both tables the same columns: the losses of last epochs are missing where a table
    /// lacks them; of the others those stay that both have.
    fn fit(&mut self, other: &mut Self) -> PolarsResult<()> {
        if self.by != other.by {
            (self.by, other.by) = (None, None);
        }
        let has_by = self.by.is_some();
        let has_loss = [&*self, &*other].iter().any(|table| table.frame.column(FINAL_LOSS).is_ok());
        let is_paired = matches!(self.pairing, Pairing::Paired(_));
        let is_many = self.roles.pair.is_none() && self.height() + other.height() > MOST_LOOKED_AT;
        for table in [&mut *self, &mut *other] {
            if has_loss && table.frame.column(FINAL_LOSS).is_err() {
                let absent = vec![f64::NAN; table.height()];
                table.frame.with_column(Float64Chunked::from_vec(FINAL_LOSS.into(), absent).into_column())?;
            }
        }
        let other_names: Vec<String> = other.frame.get_column_names().iter().map(ToString::to_string).collect();
        let is_kept = |name: &str| match name {
            BY => has_by,
            REPLICATE => is_paired,
            name if name.starts_with(BLOCK) => !is_many && other_names.iter().any(|other| other == name),
            _ => true,
        };
        let kept: Vec<String> =
            self.frame.get_column_names().iter().map(ToString::to_string).filter(|name| is_kept(name)).collect();
        self.frame = self.frame.select(kept.iter().map(String::as_str))?;
        other.frame = other.frame.select(kept.iter().map(String::as_str))?;
        Ok(())
    }
}
