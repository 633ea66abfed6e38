//! Copies rows of any columns between files and collections.
//!
//! A row is a list of cells, in the order of the columns; columns that appear later are added at the end. A file is written
//! whole or not at all, from a temporary CSV file beside it, because the types of its columns are known only at the end:
//! whole numbers, numbers, or text. From collection to collection documents go unchanged.
//!
//! A CSV file is read twice: first to check every row and to see which columns hold texts, so that nothing is written of a file that
//! is wrong further down, and so that `NA` is an empty cell in a column of numbers but a word in a column of words.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use polars::prelude::*;

use crate::data::{RunTable, cell::is_missing};
use crate::error::{Error, Result};
use crate::output::{folder_of, remove_left_over, write_whole_with};
use crate::provenance::InputDigest;
use crate::store::formats::{is_parquet_by_name, levels};
use crate::store::mongodb::Location;
use crate::store::mongodb::rows::{self as documents, Documents, Inserter};
use crate::store::source::{Input, Source, inputs};
use crate::store::target::Target;
use crate::store::template::Found;

/// Rows held in memory at a time.
pub const ROWS_AT_A_TIME: usize = 10_000;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A whole number, signed or unsigned.
    Whole(i128),
    /// A number.
    Number(f64),
    /// Anything else.
    Text(String),
}

impl Cell {
    /// What `text` stands for. Numbers with leading zeros are text: they are names.
    pub fn of_text(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Self::Empty;
        }
        if let Some(whole) = trimmed.parse::<i128>().ok().filter(|whole| whole.to_string() == trimmed) {
            return Self::Whole(whole);
        }
        let digits = trimmed.trim_start_matches(['-', '+']);
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        match trimmed.parse::<f64>() {
            Ok(number) if !leading_zero => Self::Number(number),
            _ => Self::Text(text.to_string()),
        }
    }

    /// Its form in a CSV file, which reads back as the same value.
    pub fn to_text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Whole(whole) => whole.to_string(),
            Self::Number(number) => format!("{number:?}"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Names of columns, growing.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    /// The place of `name`, which is added if it is new.
    pub fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.names.push(name.into());
        self.places.insert(name.into(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// All of them, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Rows of the source.
    pub read: u64,
    /// Rows of it that the target holds, counted there.
    pub written: u64,
    /// Rows left out because an earlier row of the source has the same `_id`.
    pub repeated: Repeated,
    /// The target.
    pub place: String,
}

/// Rows whose `_id` an earlier row has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeated {
    /// How many.
    pub rows: u64,
    /// Which is the first, ready to show; empty without any.
    pub first: String,
}

/// Copies the rows of `source` to `target`; `progress` hears how many more were done.
///
/// # Errors
/// Those of reading and writing, [`Error::Usage`] for a folder, a glob or standard input as source.
pub fn copy(source: &Source, target: &Target, mut progress: impl FnMut(u64)) -> Result<Copied> {
    let (mut found, _) = inputs(std::slice::from_ref(source))?;
    let reason = "expected one file or one collection".to_string();
    let usage = Error::Usage { what: "source", given: source.to_string(), reason };
    match (found.pop().filter(|_| found.is_empty()), target) {
        (Some(Input::Collection(from)), Target::Collection(to)) => documents::copy_documents(&from, to, progress),
        (Some(Input::Collection(from)), Target::File(to)) => {
            into_file(to, |names, take| documents::each_row(&from, names, take), progress)
        }
        (Some(Input::File(Found { path: from, .. })), Target::File(to)) => {
            if let (Ok(from), Ok(to)) = (fs::canonicalize(&from), fs::canonicalize(to))
                && from == to
            {
                let reason = "source and target are the same file".into();
                return Err(Error::Usage { what: "target", given: target.to_string(), reason });
            }
            into_file(to, |names, take| each_row_of_file(&from, names, take), progress)
        }
        (Some(Input::File(Found { path: from, .. })), Target::Collection(to)) => from_file(&from, to, &mut progress),
        _ => Err(usage),
    }
}

/// Takes rows, with the names of the columns so far.
pub type Rows<'a> = &'a mut dyn FnMut(&Names, Vec<Vec<Cell>>) -> Result<()>;

fn from_file(from: &Path, to: &Location, progress: &mut dyn FnMut(u64)) -> Result<Copied> {
    let digest = InputDigest::of_file(from)?;
    let (inserter, mut documents) = (Inserter::open(to)?, Documents::of_file(&digest.sha256[..16], to));
    let (mut names, mut read) = (Names::default(), 0);
    thread::scope(|scope| {
        // While a batch is on its way, the next is made.
        let (sender, receiver) = mpsc::sync_channel(1);
        let sending = scope.spawn(|| inserter.insert_each(receiver.into_iter()));
        let made = each_row_of_file(from, &mut names, &mut |names, batch| {
            let count = batch.len() as u64;
            let unsent =
                |_| Error::Incomplete { from: from.display().to_string(), read, to: to.to_string(), written: 0 };
            sender.send(documents.of(names, read, &batch)?).map_err(unsent)?;
            read += count;
            progress(count);
            Ok(())
        });
        drop(sender);
        // If it failed, that is why the rest was not sent.
        sending.join().unwrap_or_else(|panic| resume_unwind(panic)).and(made)
    })?;
    let written = documents.count(&inserter)?;
    Ok(Copied { read, written, place: to.to_string(), repeated: documents.repeated().clone() })
}

/// Gives the rows of a CSV or Parquet file.
fn each_row_of_file(path: &Path, names: &mut Names, take: Rows) -> Result<()> {
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(4).read_to_end(&mut start)).map_err(Error::read(path))?;
    if start == b"PAR1" { each_row_of_parquet(path, names, take) } else { each_row_of_csv(path, names, take) }
}

fn each_row_of_csv(path: &Path, names: &mut Names, take: Rows) -> Result<()> {
    let mut holds_text = Vec::new();
    let header = each_record(path, |record| {
        holds_text.resize(record.len(), false);
        for (holds_text, cell) in holds_text.iter_mut().zip(record) {
            *holds_text |= !is_missing(cell.as_bytes()) && matches!(Cell::of_text(cell), Cell::Text(_));
        }
        Ok(())
    })?;
    for name in &header {
        names.place(name);
    }
    let cell = |(text, holds_text): (&str, &bool)| match is_missing(text.trim().as_bytes()) && !holds_text {
        true => Cell::Empty,
        false => Cell::of_text(text),
    };
    let mut batch = Vec::with_capacity(ROWS_AT_A_TIME);
    each_record(path, |record| {
        batch.push(record.iter().zip(&holds_text).map(cell).collect());
        if batch.len() == ROWS_AT_A_TIME { take(names, std::mem::take(&mut batch)) } else { Ok(()) }
    })?;
    take(names, batch)
}

/// Gives the rows of a CSV file, all as long as its header, and then the names in that.
fn each_record(path: &Path, mut take: impl FnMut(&csv::StringRecord) -> Result<()>) -> Result<Vec<String>> {
    let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
    let mut file = File::open(path).map_err(Error::read(path))?;
    let start = levels::first_line(&mut file).map_err(Error::read(path))?;
    let (separator, _) = levels::names_of(&start).ok_or_else(|| malformed("the file holds no header line".into()))?;
    let text = start.as_slice().chain(BufReader::with_capacity(1 << 20, file));
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text);
    let header = reader.headers().map_err(|e| malformed(e.to_string()))?;
    let names: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_string()).collect();
    for name in &names {
        let times = names.iter().filter(|other| *other == name).count();
        if times > 1 {
            return Err(Error::DuplicateColumn { path: path.into(), column: name.clone(), times });
        }
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| malformed(e.to_string()))? {
        let is_blank = record.len() == 1 && record[0].trim().is_empty();
        if is_blank && names.len() > 1 {
            continue;
        }
        if record.len() != names.len() {
            let line = line_at(path, record.position().map_or(0, csv::Position::byte))?;
            return Err(Error::FieldCount { path: path.into(), line, found: record.len(), expected: names.len() });
        }
        take(&record)?;
    }
    Ok(names)
}

/// The number of the line of the first row after `place`, in bytes: the reader's position is before line breaks that it skips.
fn line_at(path: &Path, place: u64) -> Result<u64> {
    let (mut line, mut before) = (1, 0);
    for (at, byte) in (0..).zip(BufReader::new(File::open(path).map_err(Error::read(path))?).bytes()) {
        let byte = byte.map_err(Error::read(path))?;
        match byte {
            b'\n' if before == b'\r' => {}
            b'\n' | b'\r' => line += 1,
            _ if at >= place => break,
            _ => {}
        }
        before = byte;
    }
    Ok(line)
}

fn each_row_of_parquet(path: &Path, names: &mut Names, take: Rows) -> Result<()> {
    let open = || Ok::<_, Error>(ParquetReader::new(File::open(path).map_err(Error::read(path))?));
    let height = open()?.num_rows().map_err(RunTable::malformed(path))?;
    for name in open()?.schema().map_err(RunTable::malformed(path))?.iter_names() {
        names.place(name);
    }
    for start in (0..height).step_by(ROWS_AT_A_TIME * 10) {
        let slice = open()?.with_slice(Some((start, ROWS_AT_A_TIME * 10)));
        let frame = slice.finish().map_err(RunTable::malformed(path))?;
        let columns: Vec<Vec<Cell>> =
            frame.columns().iter().map(|c| c.as_materialized_series().iter().map(cell).collect()).collect();
        for from in (0..frame.height()).step_by(ROWS_AT_A_TIME) {
            let rows = from..frame.height().min(from + ROWS_AT_A_TIME);
            take(names, rows.map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect())?;
        }
    }
    Ok(())
}

fn cell(value: AnyValue) -> Cell {
    match value {
        AnyValue::Null => Cell::Empty,
        AnyValue::Float64(number) => Cell::Number(number),
        AnyValue::Float32(number) => Cell::Number(f64::from(number)),
        AnyValue::String(text) => Cell::Text(text.to_string()),
        AnyValue::StringOwned(text) => Cell::Text(text.to_string()),
        other if other.is_integer() => other.extract::<i128>().map_or(Cell::Empty, Cell::Whole),
        other => Cell::Text(other.to_string()),
    }
}

/// What a column holds, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Empty,
    Whole,
    Number,
    Text,
}

fn into_file(
    target: &Path,
    read: impl FnOnce(&mut Names, Rows) -> Result<()>,
    mut progress: impl FnMut(u64),
) -> Result<Copied> {
    let failed = || Error::write(target);
    remove_left_over(target);
    // Without a name, so that nothing stays of it whatever ends this process.
    let temporary = tempfile::tempfile_in(folder_of(target)).map_err(failed())?;
    let mut body = csv::WriterBuilder::new().flexible(true).from_writer(BufWriter::new(&temporary));
    let (mut names, mut kinds, mut rows) = (Names::default(), Vec::new(), 0u64);
    read(&mut names, &mut |names, batch| {
        kinds.resize(names.names().len(), Kind::Empty);
        for row in &batch {
            for (kind, cell) in kinds.iter_mut().zip(row) {
                *kind = (*kind).max(kind_of(cell));
            }
            body.write_record(row.iter().map(Cell::to_text)).map_err(|e| failed()(e.into()))?;
        }
        rows += batch.len() as u64;
        progress(batch.len() as u64);
        Ok(())
    })?;
    body.flush().map_err(failed())?;
    drop(body);
    let written = if is_parquet_by_name(target) {
        write_parquet(&temporary, target, names.names(), &kinds)?
    } else {
        write_csv(&temporary, target, names.names())?
    };
    Ok(Copied { read: rows, written, place: target.display().to_string(), repeated: Repeated::default() })
}

fn kind_of(cell: &Cell) -> Kind {
    match cell {
        Cell::Empty => Kind::Empty,
        Cell::Whole(whole) if i64::try_from(*whole).is_ok() => Kind::Whole,
        // Beyond Int64 only text keeps every digit.
        Cell::Whole(_) | Cell::Text(_) => Kind::Text,
        Cell::Number(_) => Kind::Number,
    }
}

/// The rows of the temporary file of `target`, some thousands at a time.
fn each_raw_batch(
    mut body: &File,
    target: &Path,
    mut take: impl FnMut(&[csv::StringRecord]) -> Result<()>,
) -> Result<u64> {
    body.rewind().map_err(Error::read(target))?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(body));
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

fn write_csv(body: &File, target: &Path, names: &[String]) -> Result<u64> {
    let mut rows = 0;
    write_whole_with(target, |file| {
        let failed = |e: csv::Error| Error::Write { path: target.into(), source: e.into() };
        let mut out = csv::Writer::from_writer(BufWriter::new(&*file));
        out.write_record(names).map_err(failed)?;
        rows = each_raw_batch(body, target, |batch| {
            for row in batch {
                let padding = std::iter::repeat_n("", names.len() - row.len());
                out.write_record(row.iter().chain(padding)).map_err(failed)?;
            }
            Ok(())
        })?;
        out.flush().map_err(Error::write(target))
    })?;
    Ok(rows)
}

fn write_parquet(body: &File, target: &Path, names: &[String], kinds: &[Kind]) -> Result<u64> {
    let mut rows = 0;
    write_whole_with(target, |file| {
        let failed = |e: PolarsError| Error::Write { path: PathBuf::from(target), source: std::io::Error::other(e) };
        let schema = frame_of(&[], names, kinds).map_err(failed)?.schema().as_ref().clone();
        let mut writer = ParquetWriter::new(&mut *file).batched(&schema).map_err(failed)?;
        rows = each_raw_batch(body, target, |batch| {
            writer.write_batch(&frame_of(batch, names, kinds).map_err(failed)?).map_err(failed)
        })?;
        writer.finish().map_err(failed)?;
        file.flush().map_err(Error::write(target))
    })?;
    Ok(rows)
}

fn frame_of(rows: &[csv::StringRecord], names: &[String], kinds: &[Kind]) -> PolarsResult<DataFrame> {
    let column = |(place, (name, kind)): (usize, (&String, &Kind))| {
        let texts = rows.iter().map(|row| row.get(place).filter(|text| !text.is_empty()));
        let name = name.as_str().into();
        match kind {
            Kind::Whole => Int64Chunked::from_iter_options(name, texts.map(|text| text?.parse().ok())).into_column(),
            // A column without any value has no type; numbers are what most columns hold.
            Kind::Number | Kind::Empty => {
                Float64Chunked::from_iter_options(name, texts.map(|text| text?.parse().ok())).into_column()
            }
            Kind::Text => StringChunked::from_iter_options(name, texts).into_column(),
        }
    };
    DataFrame::new(rows.len(), names.iter().zip(kinds).enumerate().map(column).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbers_only_if_nothing_is_lost() {
        for (text, cell) in [
            ("", Cell::Empty),
            ("7", Cell::Whole(7)),
            ("-7", Cell::Whole(-7)),
            ("18446744073709551615", Cell::Whole(u64::MAX.into())),
            ("007", Cell::Text("007".into())),
            ("0.5", Cell::Number(0.5)),
            ("1e3", Cell::Number(1000.0)),
            ("a b", Cell::Text("a b".into())),
        ] {
            assert_eq!(Cell::of_text(text), cell, "{text}");
        }
        assert_eq!(Cell::of_text(&Cell::Number(1.0).to_text()), Cell::Number(1.0));
        assert!(matches!(Cell::of_text("NaN"), Cell::Number(number) if number.is_nan()));
    }
}
