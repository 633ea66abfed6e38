//! Reads files of typed columns, Parquet and Arrow IPC, into a table of runs.
//!
//! **Why not a polars frame.** polars reads a type only if a feature for it was compiled in, and
//! panics otherwise; it takes what its decoder gives, which for a damaged page may be fewer rows
//! than the file says. So the bytes are taken apart and checked here, and only the pages of wanted
//! columns are handed to a decoder. A column that nobody asked for is never looked at.
//!
//! **Memory.** Blocks of rows (row groups, record batches) are read side by side, as many at a time
//! as there are threads. What a file declares is compared with its size before memory is reserved
//! for it: see [`most_unpacked`] and [`MOST_ROWS_PER_BYTE`].
//!
//! - [`calendar`]: dates and times as text.
//! - [`mod@column`]: a column of a block of rows, and the cells in it.
//! - [`decimal`]: decimals as doubles.
//! - [`region`]: reads parts of a file.
//! - [`rows`]: gives whole rows.

pub mod calendar;
pub mod column;
pub mod decimal;
pub mod region;
pub mod rows;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::data::survey;
use crate::data::{Cell, Data, LevelSummaries, Outcome, Place, Reading, Roles, RunTableBuilder};
use crate::error::{Error, Result};
use crate::store::formats::arrow::column::Column;
use crate::store::formats::content::{Content, HARMLESS, MOST_UNPACKED};
use crate::store::formats::csv::layout::listed;
use crate::store::formats::levels;

/// Rows that a file may declare for each of its bytes. A million rows of one value take some 400
/// bytes of a Parquet file, all columns together, and no file holds nothing but such columns.
pub const MOST_ROWS_PER_BYTE: u64 = 4096;

/// Rows that one thread turns into cells at a time.
const ROWS_AT_A_TIME: usize = 1 << 17;

/// A file of typed columns that are read in blocks of rows.
pub trait Columns: Sync {
    /// Its path, for messages.
    fn path(&self) -> &Path;
    /// The names of its columns; a field of a group of columns has its path, joined with dots.
    fn names(&self) -> Vec<String>;
    /// How many columns have this name.
    fn times(&self, name: &str) -> usize;
    /// Rows of each block.
    fn blocks(&self) -> Vec<usize>;
    /// The columns `names` of a block, as long as it is.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a file that is damaged, [`Error::Read`].
    fn read(&self, block: usize, names: &[String]) -> Result<Vec<Column>>;
}

/// Reads runs, or levels in their place, from the `content` that `open` understands.
///
/// # Errors
/// Those of `open`, and those of a reader of runs.
pub fn read_content<C: Columns>(
    content: Content,
    roles: &Roles,
    open: impl FnOnce(File, &Path) -> Result<C> + Send,
) -> Result<Data> {
    let path = content.path().to_path_buf();
    let (file, digest) = content.into_file()?;
    let read = || {
        let columns = open(file, &path)?;
        match levels::read_columns(&columns, roles)? {
            Some(levels) => Ok(Read::Levels(levels)),
            None => runs(&columns, roles).map(Read::Runs),
        }
    };
    // The file is hashed while it is read.
    let (read, digest) = rayon::join(read, || digest.finish());
    match read? {
        Read::Runs(runs) => runs.finish(digest?, &path).map(Data::Runs),
        Read::Levels(mut levels) => {
            levels.inputs.push(digest?);
            Ok(Data::Levels(levels))
        }
    }
}

/// What a file holds, without what identifies it.
enum Read {
    Runs(RunTableBuilder),
    Levels(LevelSummaries),
}

/// Reads runs.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::DuplicateColumn`], [`Error::NotANumber`],
/// [`Error::Malformed`].
fn runs(columns: &dyn Columns, roles: &Roles) -> Result<RunTableBuilder> {
    let path = columns.path();
    let reading = Arc::new(Reading::new(roles, |name| columns.times(name) == 1));
    for name in reading.required() {
        check_there(columns, name)?;
    }
    let blocks = columns.blocks();
    let starts = blocks.iter().scan(0, |rows, block| Some(std::mem::replace(rows, *rows + block)));
    let starts: Vec<usize> = starts.collect();
    let read = |(block, start): (usize, &usize)| {
        let parts = columns.read(block, reading.names())?;
        check_lengths(&parts, blocks[block], reading.names(), path)?;
        let pieces = (0..blocks[block]).into_par_iter().step_by(ROWS_AT_A_TIME);
        let pieces = pieces.map(|from| {
            let rows = from..blocks[block].min(from + ROWS_AT_A_TIME);
            push(&parts, rows, *start, &reading, path)
        });
        pieces.collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>>>()
    };
    // The first error of the file, whichever thread is the fastest.
    let parts: Vec<Result<Vec<RunTableBuilder>>> = starts.par_iter().enumerate().map(read).collect();
    let mut all = RunTableBuilder::new(Arc::clone(&reading));
    all.reserve(blocks.iter().sum());
    for builder in parts.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        all.append(builder, 0);
    }
    if blocks.first().is_some_and(|rows| *rows <= MOST_SURVEYED) && !reading.is_trainers() {
        survey(columns, &reading, &mut all);
    }
    Ok(all)
}

/// Rows of a first block beyond which columns that nobody asked for are not worth unpacking.
const MOST_SURVEYED: usize = 200_000;

/// Looks at the columns that nobody asked for, in the first rows. What cannot be read of them is no
/// error.
fn survey(columns: &dyn Columns, reading: &Arc<Reading>, all: &mut RunTableBuilder) {
    let Ok(parts) = columns.read(0, reading.names()) else { return };
    let is_other = |name: &String| !reading.knows(name) && columns.times(name) == 1;
    let read = |name: String| {
        let column = columns.read(0, std::slice::from_ref(&name)).ok()?.pop()?;
        Some((name, column))
    };
    let others: Vec<(String, Column)> = columns.names().into_iter().filter(is_other).filter_map(read).collect();
    let rows = parts.iter().chain(others.iter().map(|(_, column)| column)).map(Column::rows).min();
    let mut scratch = RunTableBuilder::new(Arc::clone(reading));
    for row in 0..rows.unwrap_or(0).min(survey::ROWS) {
        let cells: Vec<Cell> = parts.iter().map(|column| column.cell(row)).collect();
        let Ok(Outcome::Kept(level, _)) = scratch.push(&cells, || Place::Row(0)) else { continue };
        for (place, (name, column)) in others.iter().enumerate() {
            all.survey(name, place, level, column.cell(row));
        }
    }
}

/// Whether there is one column of this name.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::DuplicateColumn`].
fn check_there(columns: &dyn Columns, name: &str) -> Result<()> {
    let path = columns.path().to_path_buf();
    match columns.times(name) {
        0 => Err(Error::MissingColumn { path, column: name.into(), available: listed(&columns.names()) }),
        1 => Ok(()),
        times => Err(Error::DuplicateColumn { path, column: name.into(), times }),
    }
}

fn check_lengths(columns: &[Column], rows: usize, names: &[String], path: &Path) -> Result<()> {
    match columns.iter().zip(names).find(|(column, _)| column.rows() != rows) {
        None => Ok(()),
        Some((column, name)) => {
            let found = column.rows();
            let reason = format!("the file is damaged: column '{name}' has {found} values for {rows} rows");
            Err(Error::Malformed { path: path.into(), reason })
        }
    }
}

/// The `rows` of a block whose first row is the one after `before` others.
fn push(
    columns: &[Column],
    rows: std::ops::Range<usize>,
    before: usize,
    reading: &Arc<Reading>,
    path: &Path,
) -> Result<RunTableBuilder> {
    let mut builder = RunTableBuilder::new(Arc::clone(reading));
    builder.reserve(rows.len());
    let mut cells = vec![Cell::Missing; columns.len()];
    for (at, row) in rows.enumerate() {
        for (cell, column) in cells.iter_mut().zip(columns) {
            *cell = column.cell(row);
        }
        let pushed = builder.push(&cells, || Place::Row(at as u64 + 1));
        pushed.map_err(|problem| problem.at(Place::Row((before + row) as u64 + 1), path))?;
    }
    Ok(builder)
}

/// Gives every row of the columns `names`, in order.
///
/// # Errors
/// [`Error::MissingColumn`] and those of reading; whatever `take` gives.
pub fn each_row(
    columns: &dyn Columns,
    names: &[String],
    mut take: impl FnMut(u64, &[Cell]) -> Result<()>,
) -> Result<()> {
    for name in names {
        check_there(columns, name)?;
    }
    let mut number = 0;
    for (block, rows) in columns.blocks().into_iter().enumerate() {
        let parts = columns.read(block, names)?;
        check_lengths(&parts, rows, names, columns.path())?;
        for row in 0..rows {
            let cells: Vec<Cell> = parts.iter().map(|column| column.cell(row)).collect();
            number += 1;
            take(number, &cells)?;
        }
    }
    Ok(())
}

/// Whether `rows` are more than a file of so many `bytes` holds.
pub fn are_too_many(rows: u64, bytes: u64) -> bool {
    rows > bytes.saturating_mul(MOST_ROWS_PER_BYTE)
}

/// To how much `packed` bytes of `values` may unpack, each of which takes so many bytes where that
/// is known.
pub fn most_unpacked(packed: usize, values: usize, width: Option<usize>) -> usize {
    // Levels take up to two bytes a value in the worst encoding.
    let as_values = width.map_or(0, |width| values.saturating_mul(width + 4).saturating_add(1 << 12));
    packed.saturating_mul(MOST_UNPACKED as usize).max(HARMLESS as usize).max(as_values)
}

#[cfg(test)]
mod tests;
