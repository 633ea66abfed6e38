//! Takes rows of cells and judges them: the only place that does.
//!
//! **Order of the questions.** A row that the user did not ask for ([`Roles::filters`]) is filtered
//! out, whatever else it holds. A row without a finite level is left out. A run that a condition
//! says has failed ([`Roles::failed`]) has failed, whatever its metric. A row without a metric is
//! left out; a metric that is NaN, infinite or beyond the doubles is that of a failed run.
//!
//! **Failed runs** are rows of the table with the metric NaN, so that every later step sees that
//! they were made.
//!
//! **Parts.** A source may be read in parts on several threads, each with a builder of its own;
//! [`RunTableBuilder::append`] joins them in their order.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use crate::condition::Condition;
use crate::data::blocks::{MOST_LOOKED_AT, NO_BLOCK, OF_THE_TRAINER, key_of};
use crate::data::cell::{Cell, Value, is_missing, trimmed};
use crate::data::ledger::{Exclusion, FILTERED, Place, RowLedger};
use crate::data::reading::Reading;
use crate::data::settings::{Setting, SettingMark};
use crate::data::survey::Survey;
use crate::data::table::{Pairing, RunColumns, RunTable};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::warning::Warning;

#[cfg(doc)]
use crate::data::roles::Roles;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// It is a run of the table, with this level and metric; NaN if it failed.
    Kept(f64, f64),
    /// It is left out, and counted.
    LeftOut,
}

/// A cell that makes its source unreadable: it holds no number where one is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The column.
    pub column: String,
    /// What it holds, shortened.
    pub value: String,
}

impl Problem {
    /// The error about a cell at `place` in the source `path`.
    pub fn at(self, place: impl Display, path: &Path) -> Error {
        let Self { column, value } = self;
        Error::NotANumber { path: path.into(), place: place.to_string(), column, value }
    }
}

/// Rows so far.
#[derive(Debug, Clone)]
pub struct RunTableBuilder {
    reading: Arc<Reading>,
    rows: Rows,
}

#[derive(Debug, Clone)]
struct Rows {
    columns: RunColumns,
    settings: Vec<Setting>,
    survey: Survey,
    tally: Tally,
}

/// What is counted.
#[derive(Debug, Clone)]
struct Tally {
    read: u64,
    failed: u64,
    first_failed: Option<Place>,
    excluded: BTreeMap<Exclusion, (u64, Place)>,
    pairing: Pairing,
    /// Whether a level is an integer that no double holds.
    is_rounded: bool,
    /// Whether any row had the column, by column.
    found: Vec<bool>,
}

/// How far a builder has come, so that it can go back there.
#[derive(Debug, Clone)]
pub struct Mark {
    runs: usize,
    settings: Vec<SettingMark>,
    tally: Tally,
}

impl Mark {
    /// Rows before it.
    pub fn read(&self) -> u64 {
        self.tally.read
    }
}

impl RunTableBuilder {
    /// Without rows.
    pub fn new(reading: Arc<Reading>) -> Self {
        let settings = vec![Setting::default(); reading.settings.len()];
        let block = |place: &usize| (reading.name(*place).to_string(), Vec::new());
        let columns = RunColumns { blocks: reading.blocks.iter().map(block).collect(), ..RunColumns::default() };
        let found = vec![false; reading.names().len()];
        let tally = Tally {
            read: 0,
            failed: 0,
            first_failed: None,
            excluded: BTreeMap::new(),
            pairing: Pairing::Unknown,
            is_rounded: false,
            found,
        };
        Self { reading, rows: Rows { columns, settings, survey: Survey::default(), tally } }
    }

    /// Makes room for `rows`, so that the columns need not be moved as they grow. Room that is not
    /// used costs nothing.
    pub fn reserve(&mut self, rows: usize) {
        self.rows.columns.factor.reserve_exact(rows);
        self.rows.columns.metric.reserve_exact(rows);
    }

    /// Rows so far.
    pub fn read(&self) -> u64 {
        self.rows.tally.read
    }

    /// Rows so far that were filtered out.
    pub fn filtered(&self) -> u64 {
        self.rows.tally.excluded.get(&Exclusion::Filtered).map_or(0, |(rows, _)| *rows)
    }

    /// Runs so far, failed ones included.
    pub fn runs(&self) -> usize {
        self.rows.columns.factor.len()
    }

    /// Adds a row, of which `cells` has one for each of [`Reading::names`] and `place` says where
    /// it is.
    ///
    /// # Errors
    /// [`Problem`] for a needed cell that holds no number. The row is then not counted.
    #[inline]
    pub fn push(&mut self, cells: &[Cell], place: impl Fn() -> Place) -> Result<Outcome, Problem> {
        let judgement = self.rows.judge(&self.reading, cells)?;
        self.rows.tally.read += 1;
        Ok(match judgement {
            Ok((level, metric)) => {
                if metric.is_nan() {
                    self.rows.tally.failed += 1;
                    self.rows.tally.first_failed.get_or_insert_with(place);
                }
                Outcome::Kept(level, metric)
            }
            Err(reason) => {
                self.rows.exclude(reason, place);
                Outcome::LeftOut
            }
        })
    }

    /// Notes a cell of a column that nobody asked for, at a `place` among the source's columns, of
    /// a run at `level`.
    pub fn survey(&mut self, name: &str, place: usize, level: f64, cell: Cell) {
        self.rows.survey.note(name, place, level, cell);
    }

    /// Counts `rows` that its reader never saw, because whoever keeps them filtered them out.
    pub fn leave_out_elsewhere(&mut self, rows: u64) {
        let tally = &mut self.rows.tally;
        tally.read += rows;
        if rows > 0 {
            let place = || Place::Elsewhere(FILTERED);
            tally.excluded.entry(Exclusion::Filtered).or_insert_with(|| (0, place())).0 += rows;
        }
    }

    /// Counts a row that is left out for a reason that only its reader knows.
    pub fn leave_out(&mut self, reason: Exclusion, place: impl Fn() -> Place) {
        self.rows.tally.read += 1;
        self.rows.exclude(reason, place);
    }

    /// Adds the rows of `other`, a builder of the same reading, which come after these, in a source
    /// that has so many `lines` before.
    pub fn append(&mut self, other: Self, lines: u64) {
        let is_given = self.reading.roles.pair.is_some();
        self.rows.append(other.rows, lines, is_given);
    }

    /// Where it is now.
    pub fn mark(&self) -> Mark {
        let settings = self.rows.settings.iter().map(Setting::mark).collect();
        Mark { runs: self.runs(), settings, tally: self.rows.tally.clone() }
    }

    /// Forgets all rows after `mark`.
    pub fn go_back_to(&mut self, mark: Mark) {
        self.rows.go_back_to(mark);
    }

    /// The columns that must be there.
    pub fn required(&self) -> &[String] {
        self.reading.required()
    }

    /// A column that must be there and that no row had.
    pub fn missing(&self) -> Option<&str> {
        let required = self.reading.required().iter().zip(&self.rows.tally.found);
        required.into_iter().find(|(_, found)| !**found).map(|(name, _)| name.as_str())
    }

    /// The table of all rows, which came from `input`; `path` is for messages.
    ///
    /// # Errors
    /// Those of [`RunTable::new`].
    pub fn finish(self, input: InputDigest, path: &Path) -> Result<RunTable> {
        let Self { reading, rows: Rows { mut columns, settings, survey, tally } } = self;
        if reading.roles.pair.is_none() {
            columns.blocks.retain(|(_, keys)| keys.iter().any(|key| *key != NO_BLOCK));
        }
        let found = |(column, setting): (&usize, Setting)| {
            (reading.is_given(*column) || tally.found[*column]).then(|| (reading.name(*column).to_string(), setting))
        };
        let settings = reading.settings.iter().zip(settings).filter_map(found).collect();
        let mut ledger = RowLedger::of_rows(tally.read);
        ledger.failed = tally.failed;
        ledger.first_failed = tally.first_failed.map(|place| format!("{}, {place}", path.display()));
        for (reason, (rows, place)) in &tally.excluded {
            ledger.exclude(*reason, *rows, || format!("{}, {place}", path.display()));
        }
        let mut table = RunTable::new(&reading.roles, columns, path)?;
        (table.pairing, table.ledger, table.settings) = (tally.pairing, ledger, settings);
        if tally.is_rounded {
            table.warnings.push(Warning::RoundedLevels { factor: reading.roles.factor.clone() });
        }
        table.survey = survey;
        table.inputs.push(input);
        Ok(table)
    }
}

/// Whether a row is a run, of this level and metric, or why it is left out.
type Judgement = Result<(f64, f64), Exclusion>;

impl Rows {
    #[inline]
    fn judge(&mut self, reading: &Reading, cells: &[Cell]) -> Result<Judgement, Problem> {
        for (found, cell) in self.tally.found.iter_mut().zip(cells) {
            *found |= !matches!(cell, Cell::Absent);
        }
        for (column, condition) in &reading.filters {
            if !holds(reading, condition, *column, reading.cell(cells, *column))? {
                return Ok(Err(Exclusion::Filtered));
            }
        }
        let factor = match number(reading, reading.factor, cells)? {
            Some(Value::Number(level)) => match Exclusion::of(level) {
                None => level,
                Some(reason) => return Ok(Err(reason)),
            },
            Some(_) => return Ok(Err(Exclusion::Empty)),
            None => return Ok(Err(Exclusion::WrongType)),
        };
        let mut has_failed = false;
        for (column, condition) in &reading.failed {
            has_failed |= holds(reading, condition, *column, reading.cell(cells, *column))?;
        }
        let metric = if has_failed {
            f64::NAN
        } else {
            match number(reading, reading.metric, cells)? {
                Some(Value::Number(metric)) if metric.is_finite() => metric,
                Some(Value::Number(_)) => f64::NAN,
                Some(_) => return Ok(Err(Exclusion::Empty)),
                None => return Ok(Err(Exclusion::WrongType)),
            }
        };
        if let Some(by) = reading.by {
            let by = match number(reading, by, cells)? {
                Some(Value::Number(by)) => by,
                _ => f64::NAN,
            };
            self.columns.by.push(by);
        }
        self.note_details(reading, cells);
        /// Up to this a double holds every integer.
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        if factor.abs() >= WHOLE {
            self.tally.is_rounded |= reading.cell(cells, reading.factor).is_rounded_to(factor);
        }
        self.columns.factor.push(factor);
        self.columns.metric.push(metric);
        Ok(Ok((factor, metric)))
    }

    fn exclude(&mut self, reason: Exclusion, place: impl Fn() -> Place) {
        self.tally.excluded.entry(reason).or_insert_with(|| (0, place())).0 += 1;
    }

    /// Notes what a run is besides level and metric.
    #[inline]
    fn note_details(&mut self, reading: &Reading, cells: &[Cell]) {
        let row = self.columns.factor.len();
        for (setting, column) in self.settings.iter_mut().zip(&reading.settings) {
            setting.note(reading.cell(cells, *column), row);
        }
        if let Some(column) = reading.final_loss {
            let loss = match reading.cell(cells, column).value() {
                Value::Number(loss) => loss,
                _ => f64::NAN,
            };
            self.columns.final_loss.push(loss);
        }
        if self.tally.pairing != Pairing::Apart {
            self.note_pairing(reading, cells);
        }
        if !self.columns.blocks.is_empty() {
            self.note_blocks(reading, cells);
        }
    }

    fn note_pairing(&mut self, reading: &Reading, cells: &[Cell]) {
        let whole = |column: usize| reading.cell(cells, column).whole();
        let pair = reading.draw.and_then(|(draw, replicate)| Some((whole(draw)?, whole(replicate)?)));
        let Some((draw, replicate)) = pair else { return self.set_apart() };
        if self.tally.pairing.with(Pairing::Paired(draw)) == Pairing::Apart {
            return self.set_apart();
        }
        self.tally.pairing = Pairing::Paired(draw);
        let seed = reading.seed.and_then(whole).unwrap_or(0);
        // Knuth's multiplicative hash spreads the seeds, so that other seeds do not have this
        // number (but once in 2⁶⁴).
        self.columns.replicate.push(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ replicate);
    }

    fn set_apart(&mut self) {
        self.tally.pairing = Pairing::Apart;
        self.columns.replicate = Vec::new();
    }

    fn note_blocks(&mut self, reading: &Reading, cells: &[Cell]) {
        for ((_, keys), column) in self.columns.blocks.iter_mut().zip(&reading.blocks) {
            keys.push(key_of(reading.cell(cells, *column)));
        }
        let is_trainers = reading.of_the_trainer.len() == OF_THE_TRAINER.len()
            && reading.of_the_trainer.iter().all(|column| reading.cell(cells, *column) != Cell::Absent);
        self.forget_candidates(reading.roles.pair.is_some(), is_trainers);
    }

    /// Forgets the columns of blocks, unless one was given, where they are a `surplus` or there are
    /// too many runs.
    fn forget_candidates(&mut self, is_given: bool, is_surplus: bool) {
        let is_long = self.columns.blocks.first().is_some_and(|(_, keys)| keys.len() > MOST_LOOKED_AT);
        if !is_given && (is_surplus || is_long) {
            self.columns.blocks = Vec::new();
        }
    }

    fn append(&mut self, other: Self, lines: u64, is_given: bool) {
        let (rows, more) = (self.columns.factor.len(), other.columns.factor.len());
        self.columns.factor.extend_from_slice(&other.columns.factor);
        self.columns.metric.extend_from_slice(&other.columns.metric);
        self.columns.by.extend_from_slice(&other.columns.by);
        self.columns.final_loss.extend_from_slice(&other.columns.final_loss);
        let pairing = self.tally.pairing.with(other.tally.pairing);
        if pairing == Pairing::Apart {
            self.set_apart();
        } else {
            self.tally.pairing = pairing;
            self.columns.replicate.extend_from_slice(&other.columns.replicate);
        }
        if rows == 0 {
            self.columns.blocks = other.columns.blocks;
        } else if more > 0 {
            let is_dropped = other.columns.blocks.is_empty();
            for ((_, keys), (_, others)) in self.columns.blocks.iter_mut().zip(other.columns.blocks) {
                keys.extend_from_slice(&others);
            }
            self.forget_candidates(is_given, is_dropped);
        }
        for (own, other) in self.settings.iter_mut().zip(other.settings) {
            own.append(rows, other);
        }
        self.survey.append(other.survey);
        let before = self.tally.read;
        let failed = other.tally.first_failed.map(|place| place.after(lines, before));
        self.tally.first_failed = self.tally.first_failed.take().or(failed);
        for (reason, (count, place)) in other.tally.excluded {
            let place = place.after(lines, before);
            self.tally.excluded.entry(reason).or_insert((0, place)).0 += count;
        }
        self.tally.read += other.tally.read;
        self.tally.is_rounded |= other.tally.is_rounded;
        self.tally.failed += other.tally.failed;
        for (own, other) in self.tally.found.iter_mut().zip(other.tally.found) {
            *own |= other;
        }
    }

    fn go_back_to(&mut self, mark: Mark) {
        let runs = mark.runs;
        self.columns.factor.truncate(runs);
        self.columns.metric.truncate(runs);
        self.columns.by.truncate(runs);
        self.columns.final_loss.truncate(runs);
        self.columns.replicate.truncate(runs);
        self.columns.blocks.iter_mut().for_each(|(_, keys)| keys.truncate(runs));
        for (setting, mark) in self.settings.iter_mut().zip(mark.settings) {
            setting.go_back_to(mark);
        }
        let is_apart = self.tally.pairing == Pairing::Apart;
        self.tally = mark.tally;
        if is_apart {
            // What was forgotten when they fell apart does not come back.
            self.set_apart();
        }
    }
}

/// What the cell of `column` says as a number; nothing if it is of another type and that is no
/// error.
#[inline]
fn number(reading: &Reading, column: usize, cells: &[Cell]) -> Result<Option<Value>, Problem> {
    match reading.cell(cells, column).value() {
        // A database knows types: what is meant as a number is stored as one.
        _ if reading.is_lenient && !reading.cell(cells, column).is_number_or_nothing() => Ok(None),
        Value::Wrong => Err(problem(reading, column, reading.cell(cells, column))),
        value => Ok(Some(value)),
    }
}

fn holds(reading: &Reading, condition: &Condition, column: usize, cell: Cell) -> Result<bool, Problem> {
    let holds = match cell {
        // A database knows types: a text is compared letter by letter, and no number equals a text.
        Cell::Text(text) if reading.is_lenient && !is_missing(text) => condition.holds_for_text(text, None),
        Cell::Whole(whole) if reading.is_lenient => Some(condition.holds_for_number(whole as f64)),
        cell if cell.is_missing() => Some(condition.holds_for_missing()),
        Cell::Number(number) => Some(condition.holds_for_number(number)),
        Cell::Whole(whole) if condition.number.is_some() => Some(condition.holds_for_number(whole as f64)),
        Cell::Text(text) if condition.number.is_some() => {
            let number = match cell.value() {
                Value::Number(number) => Some(number),
                Value::Missing | Value::Wrong => None,
            };
            condition.holds_for_text(trimmed(text), number)
        }
        Cell::Text(text) => condition.holds_for_text(trimmed(text), None),
        other => condition.holds_for_text(other.text().as_bytes(), None),
    };
    match holds {
        Some(holds) => Ok(holds),
        None if reading.is_lenient => Ok(false),
        None => Err(problem(reading, column, cell)),
    }
}

#[cold]
fn problem(reading: &Reading, column: usize, cell: Cell) -> Problem {
    Problem { column: reading.name(column).to_string(), value: excerpt(&cell.text()) }
}
