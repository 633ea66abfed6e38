//! Gives the rows of a CSV file with everything that they say.
//!
//! The file is read twice: first to check every row and to see which columns hold nothing but
//! numbers, so that nothing is written of a file that is wrong further down, and so that `NA` is an
//! empty cell in a column of numbers but a word in a column of words.

use std::io::{BufReader, Read};
use std::path::Path;

use crate::data::cell::{is_missing, trimmed};
use crate::error::{Error, Result};
use crate::store::formats::content::Content;
use crate::store::formats::levels;
use crate::store::rows::cell::Cell;
use crate::store::rows::{Batches, Names, Rows, Wish};

/// What is known of a column.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    has_numbers: bool,
    has_words: bool,
}

impl Seen {
    fn note(&mut self, text: &str) {
        match Cell::of_text(text) {
            // Whether a word for nothing is one shows in the other cells.
            _ if is_missing(trimmed(text.as_bytes())) => {}
            Cell::Text(_) => self.has_words = true,
            _ => self.has_numbers = true,
        }
    }

    fn cell(self, text: &str) -> Cell {
        match text {
            "" => Cell::Empty,
            text if self.has_words || !self.has_numbers => Cell::Text(text.into()),
            text if is_missing(trimmed(text.as_bytes())) => Cell::Empty,
            text => Cell::of_text(text),
        }
    }
}

/// Gives the rows of the file at `path`: as written, every cell is text; else the cells of columns
/// of numbers are numbers.
///
/// # Errors
/// [`Error::Read`], [`Error::Malformed`], [`Error::DuplicateColumn`], [`Error::FieldCount`],
/// whatever `take` gives.
pub fn each_row(path: &Path, wish: Wish, names: &mut Names, take: Rows) -> Result<()> {
    let mut seen = Vec::new();
    let header = each_record(path, |record| {
        seen.resize(record.len(), Seen::default());
        match wish {
            Wish::AsWritten => seen.fill(Seen { has_words: true, has_numbers: false }),
            Wish::AsMeant => seen.iter_mut().zip(record).for_each(|(seen, text)| seen.note(text)),
        }
        Ok(())
    })?;
    for name in &header {
        names.place(name);
    }
    let mut batches = Batches::new(take);
    each_record(path, |record| {
        batches.push(names, record.iter().zip(&seen).map(|(text, seen)| seen.cell(text)).collect())
    })?;
    batches.finish(names)
}

/// Gives the rows of a CSV file, all as long as its header, and then the names in that.
fn each_record(path: &Path, mut take: impl FnMut(&csv::StringRecord) -> Result<()>) -> Result<Vec<String>> {
    let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
    let (mut text, _) = Content::of_file(path)?.into_text();
    let start = levels::first_line(&mut text).map_err(Error::read(path))?;
    let (separator, _) = levels::names_of(&start).ok_or_else(|| malformed("the file holds no header line".into()))?;
    let text = start.as_slice().chain(BufReader::with_capacity(1 << 20, text));
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

/// The number of the line of the first row after `place`, in bytes: the reader's position is before
/// line breaks that it skips.
fn line_at(path: &Path, place: u64) -> Result<u64> {
    let (mut line, mut before) = (1, 0);
    let (text, _) = Content::of_file(path)?.into_text();
    for (at, byte) in (0..).zip(BufReader::new(text).bytes()) {
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
