//! Reads runs from CSV: one pass, every row accounted for, every message with its line.
//!
//! Why not polars' own CSV reader: it turns short rows into nulls and cuts long ones without a word, and its errors name
//! no line, so that a second pass would be needed whenever something is odd. The `csv` crate gives all of that in one
//! pass; the speed comes from splitting the input into blocks at line ends and parsing the blocks on all threads. Rows
//! keep their order, so the result does not depend on the number of threads. Memory: the two columns and a few blocks.
//!
//! Accepted: comma, semicolon, tab or bar as separator (the one that yields the wanted columns), quoted fields also with
//! line breaks inside, LF, CRLF or CR, a UTF-8 byte order mark, blanks around cells, blank lines.

mod blocks;
pub mod layout;
mod rows;
mod scan;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::Sha256;

use crate::data::survey;
use crate::data::{Data, Place, Roles, RunTable, RunTableBuilder};
use crate::error::{Error, Result};
use crate::provenance::InputDigest;
use crate::store::formats::content::Content;
use crate::store::formats::csv::blocks::{Blocks, COMPARED, Tail};
use crate::store::formats::csv::layout::{BlockRows, Failure, Layout};
use crate::store::formats::{self, Format, levels};
use crate::warning::Warning;

/// Runs of every block but the first of which the columns that nobody asked for are looked at: enough to see that a file
/// sorted by such a column changes in the middle.
const SURVEYED: usize = 100;

/// Text with a separator.
pub const FORMAT: Format = Format {
    name: "CSV",
    endings: &["csv", "tsv", "txt"],
    // Whatever nobody else knows.
    recognises: |_| true,
    read: read_content,
    rows: rows::each_row,
};

fn read_content(content: Content, roles: &Roles) -> Result<Data> {
    let path = content.path().to_path_buf();
    let (mut text, digest) = content.into_text();
    let start = levels::first_line(&mut text).map_err(Error::read(&path))?;
    let is_table_of_levels = levels::is_header(&start, roles);
    let text = start.as_slice().chain(text);
    if is_table_of_levels {
        return levels::read_csv(text, digest, &path, roles).map(Data::Levels);
    }
    let mut blocks = Blocks::of(text, Tail::Used);
    let first = blocks.first(&path)?;
    let layout = Layout::of_header(&first, &path, roles)?;
    let start = Start { line: layout.first_line, skip: layout.header_bytes };
    let (rows, _) = read_blocks(&mut blocks, Some(first), &layout, start, &path)?;
    let Blocks { bytes, digest: hash, .. } = blocks;
    rows.into_table(digest.finish(bytes, hash), &path).map(Data::Runs)
}

/// Whether a file can be read on where it grows: plain text of runs. All others are read whole.
///
/// # Errors
/// [`Error::Read`], and those of formats that are not read.
pub fn may_grow(content: Content, roles: &Roles) -> Result<bool> {
    let path = content.path().to_path_buf();
    if !content.is_plain() || formats::of(content.start(), &path)?.name != FORMAT.name {
        return Ok(false);
    }
    let start = levels::first_line(&mut content.into_text().0).map_err(Error::read(&path))?;
    Ok(!levels::is_header(&start, roles))
}

/// A file that grows at its end: how far it has been read. What follows its last line break is not read yet.
pub struct Growing {
    layout: Layout,
    line: u64,
    digest: Sha256,
    bytes: u64,
    /// The bytes at its beginning and before the place read up to, to see whether it is still the same file.
    ends: [Vec<u8>; 2],
}

impl Growing {
    /// Reads the whole lines of `file` from its beginning.
    ///
    /// # Errors
    /// Those of [`read`].
    pub fn open(file: &mut File, path: &Path, roles: &Roles) -> Result<(Self, RunTable)> {
        file.rewind().map_err(Error::read(path))?;
        let mut blocks = Blocks::of(file, Tail::Left);
        let first = blocks.first(path)?;
        let layout = Layout::of_header(&first, path, roles)?;
        let head = first[..first.len().min(COMPARED)].to_vec();
        let start = Start { line: layout.first_line, skip: layout.header_bytes };
        let (rows, line) = read_blocks(&mut blocks, Some(first), &layout, start, path)?;
        let Blocks { digest, bytes, last, .. } = blocks;
        let growing = Self { layout, line, digest, bytes, ends: [head, last] };
        let table = rows.into_table(growing.input(path), path)?;
        Ok((growing, table))
    }

    /// Whether `file` still begins as it did when it was read, as far as its ends tell. A change in place in the midst of what
    /// was read is not seen.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn is_continued_by(&self, file: &mut File, path: &Path) -> Result<bool> {
        let mut same = |at: u64, expected: &[u8]| {
            let mut found = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            file.take(expected.len() as u64).read_to_end(&mut found)?;
            Ok(found == expected)
        };
        let [head, last] = &self.ends;
        let both = same(0, head).and_then(|first| Ok(first && same(self.bytes - last.len() as u64, last)?));
        both.map_err(Error::read(path))
    }

    /// Reads the whole lines that came since. The table's input describes the file from its beginning.
    ///
    /// # Errors
    /// Those of [`read`].
    pub fn read_more(&mut self, file: &mut File, path: &Path) -> Result<RunTable> {
        file.seek(SeekFrom::Start(self.bytes)).map_err(Error::read(path))?;
        let mut blocks = Blocks::after(self.digest.clone(), self.bytes, file, Tail::Left);
        let first = blocks.next().map_err(Error::read(path))?;
        let start = Start { line: self.line, skip: 0 };
        let (rows, line) = read_blocks(&mut blocks, first, &self.layout, start, path)?;
        let Blocks { digest, bytes, last, .. } = blocks;
        if bytes > self.bytes {
            self.ends[1] = last;
        }
        (self.line, self.digest, self.bytes) = (line, digest, bytes);
        rows.into_table(self.input(path), path)
    }

    /// Bytes read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn input(&self, path: &Path) -> InputDigest {
        InputDigest::new(path, self.bytes, self.digest.clone())
    }
}

/// Where reading starts.
#[derive(Clone, Copy)]
struct Start {
    line: u64,
    /// Bytes of the first block that hold no rows.
    skip: usize,
}

/// Parses all blocks from `next` on; gives the rows and the number of the line after them.
fn read_blocks<R: Read>(
    blocks: &mut Blocks<R>,
    mut next: Option<Vec<u8>>,
    layout: &Layout,
    start: Start,
    path: &Path,
) -> Result<(Rows, u64)> {
    let mut rows = Rows { builder: RunTableBuilder::new(Arc::clone(&layout.reading)), warnings: Vec::new() };
    let Start { mut line, mut skip } = start;
    let mut is_first = true;
    while next.is_some() {
        let mut batch = Vec::new();
        while let Some(block) = next.take() {
            batch.push(block);
            if batch.len() < rayon::current_num_threads() {
                next = blocks.next().map_err(Error::read(path))?;
            }
        }
        next = blocks.next().map_err(Error::read(path))?;
        let last = batch.len() - 1;
        let parsed: Vec<BlockRows> = batch
            .par_iter()
            .enumerate()
            .map(|(i, block)| {
                let is_end = next.is_none() && i == last;
                let surveyed = if is_first && i == 0 { survey::ROWS } else { SURVEYED };
                layout.parse(&block[if i == 0 { skip } else { 0 }..], is_end, surveyed)
            })
            .collect();
        (skip, is_first) = (0, false);
        for block in parsed {
            line += rows.append(block, line, path, layout)?;
        }
    }
    Ok((rows, line))
}

/// What all blocks so far gave.
struct Rows {
    builder: RunTableBuilder,
    warnings: Vec<Warning>,
}

impl Rows {
    fn into_table(self, input: InputDigest, path: &Path) -> Result<RunTable> {
        let mut table = self.builder.finish(input, path)?;
        table.warnings.extend(self.warnings);
        Ok(table)
    }

    /// Adds a block that starts at `line`, and says how many lines it has.
    fn append(&mut self, block: BlockRows, line: u64, path: &Path, layout: &Layout) -> Result<u64> {
        if let Some((at, failure)) = block.failed {
            let line = line + at;
            return Err(match failure {
                Failure::FieldCount(found) => {
                    Error::FieldCount { path: path.into(), line, found, expected: layout.fields }
                }
                Failure::Cell(problem) => problem.at(Place::Line(line), path),
                Failure::Unclosed => Error::UnclosedQuote { path: path.into(), line },
            });
        }
        self.builder.append(block.builder, line);
        if let Some(value) = block.unterminated {
            self.warnings.push(Warning::UnterminatedLine { path: path.display().to_string(), value });
        }
        Ok(block.lines)
    }
}
