//! Gives the rows of a file of typed columns: decimals with every digit, dates and times as text.

use std::fs::File;
use std::path::Path;

use crate::data;
use crate::error::{Error, Result};
use crate::store::formats::arrow::column::{Column, Values};
use crate::store::formats::arrow::{Columns, check_lengths, check_there};
use crate::store::formats::content::Content;
use crate::store::rows::cell::Cell;
use crate::store::rows::{Batches, Names, Rows};

/// Gives the rows of the file at `path`, which `open` understands.
///
/// # Errors
/// Those of `open` and of reading; [`Error::Malformed`] for a column of a type that has no text,
/// before any row is given.
pub fn each_row<C: Columns>(
    path: &Path,
    open: impl FnOnce(File, &Path) -> Result<C>,
    names: &mut Names,
    take: Rows,
) -> Result<()> {
    let (file, _) = Content::of_file(path)?.into_file()?;
    let columns = open(file, path)?;
    let all = columns.names();
    for name in &all {
        check_there(&columns, name)?;
        // The path to a part of a group may be the name of another column.
        let times = all.iter().filter(|other| *other == name).count();
        if times > 1 {
            return Err(Error::DuplicateColumn { path: path.into(), column: name.clone(), times });
        }
        names.place(name);
    }
    let mut batches = Batches::new(take);
    for (block, rows) in columns.blocks().into_iter().enumerate() {
        let parts = columns.read(block, &all)?;
        check_lengths(&parts, rows, &all, path)?;
        check_kinds(&parts, &all, path)?;
        for row in 0..rows {
            let cells = parts.iter().zip(&all).map(|(column, name)| cell(column, row, name, path));
            batches.push(names, cells.collect::<Result<_>>()?)?;
        }
    }
    batches.finish(names)
}

/// Whether all columns are of types that have texts; that is the same in every block.
fn check_kinds(columns: &[Column], names: &[String], path: &Path) -> Result<()> {
    for (column, name) in columns.iter().zip(names) {
        if let Values::Other(kind, _) = &column.values {
            return Err(refused(name, kind, path));
        }
    }
    Ok(())
}

fn refused(name: &str, kind: &str, path: &Path) -> Error {
    let reason =
        format!("column '{name}' holds {kind} in every row, which a copy cannot take along; leave the column out");
    Error::Malformed { path: path.into(), reason }
}

fn cell(column: &Column, row: usize, name: &str, path: &Path) -> Result<Cell> {
    let text = || column.text(row).unwrap_or_default();
    Ok(match column.cell(row) {
        data::Cell::Absent | data::Cell::Missing => Cell::Empty,
        // A decimal is a number of which a double may lose digits.
        data::Cell::Number(number) => column.text(row).map_or(Cell::Number(number), Cell::Decimal),
        data::Cell::Whole(whole) => Cell::Whole(whole),
        data::Cell::Bool(is_so) => Cell::Bool(is_so),
        data::Cell::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Cell::Text(text.into()),
            Err(_) => return Err(refused(name, "bytes that are no text", path)),
        },
        data::Cell::Other(_) => Cell::Text(text()),
    })
}
