//! Writes rows into files, whole or not at all.
//!
//! JSON Lines are written as rows come. The columns of CSV and the types of those of Parquet are
//! known only at the end: until then rows wait in a temporary file. A column of Parquet is of
//! integers, numbers or truth values if all its cells are, and no digit is lost; else it is of
//! text.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::output::{folder_of, remove_left_over, write_whole_with};
use crate::store::formats::{self, json, parquet};
use crate::store::rows::cell::{Cell, json_text};
use crate::store::rows::{Copied, Names, ROWS_AT_A_TIME, Repeated, Rows, Wish};

/// Before every cell in the temporary file that says something, so that an empty text is not
/// nothing.
const MARK: char = '=';

/// What the cells of a file named `target` may be taken for.
pub fn wish_of(target: &Path) -> Wish {
    match formats::named(target) {
        Some(format) if [parquet::FORMAT.name, json::LINES.name].contains(&format.name) => Wish::AsMeant,
        _ => Wish::AsWritten,
    }
}

/// Writes what `read` gives to `target`, whose name says the format; `progress` hears how many more
/// rows were done.
///
/// # Errors
/// [`Error::Write`], whatever `read` gives; the earlier file, if any, is then untouched.
pub fn into_file(
    target: &Path,
    read: impl FnOnce(&mut Names, Rows) -> Result<()>,
    mut progress: impl FnMut(u64),
) -> Result<Copied> {
    remove_left_over(target);
    let format = formats::named(target).map(|format| format.name);
    let (read, written) = if format == Some(json::LINES.name) {
        let rows = write_lines(target, read, &mut progress)?;
        (rows, rows)
    } else {
        let spool = Spool::fill(target, read, &mut progress)?;
        let is_parquet = format == Some(parquet::FORMAT.name);
        let written = if is_parquet { spool.write_parquet(target)? } else { spool.write_csv(target)? };
        (spool.rows, written)
    };
    Ok(Copied { read, written, place: target.display().to_string(), repeated: Repeated::default() })
}

fn write_lines(
    target: &Path,
    read: impl FnOnce(&mut Names, Rows) -> Result<()>,
    progress: &mut dyn FnMut(u64),
) -> Result<u64> {
    let mut rows = 0;
    write_whole_with(target, |file| {
        let mut out = BufWriter::with_capacity(1 << 20, &*file);
        read(&mut Names::default(), &mut |names, batch| {
            let keys: Vec<String> = names.names().iter().map(|name| json_text(name)).collect();
            for row in &batch {
                out.write_all(line_of(&keys, row).as_bytes()).map_err(Error::write(target))?;
            }
            rows += batch.len() as u64;
            progress(batch.len() as u64);
            Ok(())
        })?;
        out.flush().map_err(Error::write(target))
    })?;
    Ok(rows)
}

fn line_of(keys: &[String], row: &[Cell]) -> String {
    let mut line = String::from("{");
    for (key, cell) in keys.iter().zip(row).filter(|(_, cell)| **cell != Cell::Absent) {
        if line.len() > 1 {
            line.push(',');
        }
        line.push_str(key);
        line.push(':');
        // A list over several lines is on one line as well.
        line.push_str(&cell.to_json().replace(['\n', '\r'], " "));
    }
    line.push_str("}\n");
    line
}

/// What a column holds, as far as is known.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    has_text: bool,
    has_bools: bool,
    has_numbers: bool,
    /// The least and the greatest integer.
    wholes: Option<(i128, i128)>,
}

/// What a column is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Unsigned,
    Number,
    Bool,
    Text,
}

impl Held {
    fn note(&mut self, cell: &Cell) {
        match cell {
            Cell::Absent | Cell::Empty => {}
            Cell::Bool(_) => self.has_bools = true,
            Cell::Number(_) => self.has_numbers = true,
            Cell::Whole(whole) => {
                let (least, greatest) = self.wholes.unwrap_or((*whole, *whole));
                self.wholes = Some((least.min(*whole), greatest.max(*whole)));
            }
            Cell::Text(_) | Cell::Json(_) | Cell::Decimal(_) => self.has_text = true,
        }
    }

    fn kind(self) -> Kind {
        /// Up to this a double holds every integer.
        const EXACT: i128 = 1 << 53;
        match (self.has_bools, self.has_numbers, self.wholes) {
            _ if self.has_text => Kind::Text,
            (true, false, None) => Kind::Bool,
            (true, ..) => Kind::Text,
            (_, true, Some((least, greatest))) if least < -EXACT || greatest > EXACT => Kind::Text,
            // A column without any value has no type; numbers are what most columns hold.
            (_, true, _) | (_, _, None) => Kind::Number,
            (.., Some((least, greatest))) => {
                if i64::try_from(least).is_ok() && i64::try_from(greatest).is_ok() {
                    Kind::Whole
                } else if u64::try_from(least).is_ok() && u64::try_from(greatest).is_ok() {
                    Kind::Unsigned
                } else {
                    Kind::Text
                }
            }
        }
    }
}

/// Rows that wait.
struct Spool {
    /// Without a name, so that nothing stays of it whatever ends this process.
    file: File,
    names: Names,
    held: Vec<Held>,
    rows: u64,
}

impl Spool {
    fn fill(
        target: &Path,
        read: impl FnOnce(&mut Names, Rows) -> Result<()>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let failed = || Error::write(target);
        let file = tempfile::tempfile_in(folder_of(target)).map_err(failed())?;
        let mut body = csv::WriterBuilder::new().flexible(true).from_writer(BufWriter::new(&file));
        let (mut names, mut held, mut rows) = (Names::default(), Vec::new(), 0);
        read(&mut names, &mut |names, batch| {
            held.resize(names.names().len(), Held::default());
            for row in &batch {
                held.iter_mut().zip(row).for_each(|(held, cell)| held.note(cell));
                body.write_record(row.iter().map(marked)).map_err(|e| failed()(e.into()))?;
            }
            rows += batch.len() as u64;
            progress(batch.len() as u64);
            Ok(())
        })?;
        held.resize(names.names().len(), Held::default());
        body.flush().map_err(failed())?;
        drop(body);
        Ok(Self { file, names, held, rows })
    }

    /// Gives the rows, some thousands at a time.
    fn each_batch(&self, target: &Path, mut take: impl FnMut(&[csv::StringRecord]) -> Result<()>) -> Result<u64> {
        let mut file = &self.file;
        file.rewind().map_err(Error::read(target))?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(file));
        let (mut batch, mut rows) = (Vec::new(), 0);
        for record in reader.records() {
            batch.push(record.map_err(|e| Error::Read { path: target.into(), source: e.into() })?);
            if batch.len() == ROWS_AT_A_TIME * 10 {
                rows += batch.len() as u64;
                take(&batch)?;
                batch.clear();
            }
        }
        take(&batch)?;
        Ok(rows + batch.len() as u64)
    }

    fn write_csv(&self, target: &Path) -> Result<u64> {
        let names = self.names.names();
        let mut rows = 0;
        write_whole_with(target, |file| {
            let failed = |e: csv::Error| Error::Write { path: target.into(), source: e.into() };
            let mut out = csv::Writer::from_writer(BufWriter::new(&*file));
            out.write_record(names).map_err(failed)?;
            rows = self.each_batch(target, |batch| {
                for row in batch {
                    let padding = std::iter::repeat_n("", names.len().saturating_sub(row.len()));
                    let texts = row.iter().map(|text| unmarked(text).unwrap_or_default());
                    out.write_record(texts.chain(padding)).map_err(failed)?;
                }
                Ok(())
            })?;
            out.flush().map_err(Error::write(target))
        })?;
        Ok(rows)
    }

    fn write_parquet(&self, target: &Path) -> Result<u64> {
        let mut rows = 0;
        write_whole_with(target, |file| {
            let failed =
                |e: PolarsError| Error::Write { path: PathBuf::from(target), source: std::io::Error::other(e) };
            let schema = self.frame(&[]).map_err(failed)?.schema().as_ref().clone();
            let mut writer = ParquetWriter::new(&mut *file).batched(&schema).map_err(failed)?;
            rows = self
                .each_batch(target, |batch| writer.write_batch(&self.frame(batch).map_err(failed)?).map_err(failed))?;
            writer.finish().map_err(failed)?;
            file.flush().map_err(Error::write(target))
        })?;
        Ok(rows)
    }

    fn frame(&self, rows: &[csv::StringRecord]) -> PolarsResult<DataFrame> {
        let column = |(place, (name, held)): (usize, (&String, &Held))| {
            let texts = rows.iter().map(|row| row.get(place).and_then(unmarked));
            let name = name.as_str().into();
            match held.kind() {
                Kind::Whole => {
                    Int64Chunked::from_iter_options(name, texts.map(|text| text?.parse().ok())).into_column()
                }
                Kind::Unsigned => {
                    UInt64Chunked::from_iter_options(name, texts.map(|text| text?.parse().ok())).into_column()
                }
                Kind::Number => {
                    Float64Chunked::from_iter_options(name, texts.map(|text| text?.parse().ok())).into_column()
                }
                Kind::Bool => {
                    BooleanChunked::from_iter_options(name, texts.map(|text| text?.parse().ok())).into_column()
                }
                Kind::Text => StringChunked::from_iter_options(name, texts).into_column(),
            }
        };
        DataFrame::new(rows.len(), self.names.names().iter().zip(&self.held).enumerate().map(column).collect())
    }
}

fn marked(cell: &Cell) -> String {
    if cell.is_nothing() { String::new() } else { format!("{MARK}{}", cell.to_text()) }
}

fn unmarked(text: &str) -> Option<&str> {
    text.strip_prefix(MARK)
}
