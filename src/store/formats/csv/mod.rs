//! Reads runs from CSV: one pass, every row accounted for, every message with its line.
//!
//! Why not polars' own CSV reader: it turns short rows into nulls and cuts long ones without a
//! word, and its errors name no line, so that a second pass would be needed whenever something is
//! odd. Here one pass gives all of that; the speed comes from splitting the input into blocks at
//! row ends and parsing the blocks on all threads, while the next ones are read. Rows keep their
//! order, so the result does not depend on the number of threads. Memory: the wanted columns and
//! some blocks.
//!
//! Accepted: comma, semicolon, tab or bar as separator (the one that yields the wanted columns),
//! quoted fields also with line breaks inside, LF, CRLF or CR, a UTF-8 byte order mark, blanks
//! around cells, blank lines.

mod blocks;
pub mod layout;
mod rows;
mod scan;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::data::survey;
use crate::data::{Data, Place, Roles, RunTable, RunTableBuilder};
use crate::error::{Error, Result};
use crate::provenance::InputDigest;
use crate::store::formats::content::Content;
use crate::store::formats::csv::blocks::{Batch, Blocks, COMPARED, Seen, Tail};
use crate::store::formats::csv::layout::{BlockRows, Failure, Layout};
use crate::store::formats::{self, Format, levels};
use crate::warning::Warning;

/// Runs of every block but the first of which the columns that nobody asked for are looked at:
/// enough to see that a file sorted by such a column changes in the middle.
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
    let mut blocks = Blocks::new(text, b',', Tail::Used);
    let layout = read_header(&mut blocks, &path, roles)?;
    let start = Start { line: layout.first_line, skip: layout.header_bytes };
    let mut seen = Seen::default();
    let (rows, _) = read_blocks(blocks, &mut seen, &layout, start, &path)?;
    rows.into_table(digest.finish(seen.bytes, seen.digest), &path).map(Data::Runs)
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

/// A file that grows at its end: how far it has been read. What follows its last line break is not
/// read yet.
pub struct Growing {
    layout: Layout,
    line: u64,
    seen: Seen,
    /// The bytes at its beginning, to see whether it is still the same file.
    head: Vec<u8>,
}

impl Growing {
    /// Reads the whole lines of `file` from its beginning.
    ///
    /// # Errors
    /// Those of [`FORMAT`].
    pub fn open(file: &mut File, path: &Path, roles: &Roles) -> Result<(Self, RunTable)> {
        file.rewind().map_err(Error::read(path))?;
        let mut blocks = Blocks::new(file, b',', Tail::Left);
        let layout = read_header(&mut blocks, path, roles)?;
        let first = blocks.start(path)?;
        let head = first[..first.len().min(COMPARED)].to_vec();
        let start = Start { line: layout.first_line, skip: layout.header_bytes };
        let mut seen = Seen::default();
        let (rows, line) = read_blocks(blocks, &mut seen, &layout, start, path)?;
        let growing = Self { layout, line, seen, head };
        let table = rows.into_table(growing.input(path), path)?;
        Ok((growing, table))
    }

    /// Whether `file` still begins as it did when it was read, as far as its ends tell. A change in
    /// place in the midst of what was read is not seen.
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
        let Seen { bytes, last, .. } = &self.seen;
        let both = same(0, &self.head).and_then(|first| Ok(first && same(bytes - last.len() as u64, last)?));
        both.map_err(Error::read(path))
    }

    /// Reads the whole lines that came since. The table's input describes the file from its
    /// beginning.
    ///
    /// # Errors
    /// Those of [`FORMAT`].
    pub fn read_more(&mut self, file: &mut File, path: &Path) -> Result<RunTable> {
        file.seek(SeekFrom::Start(self.seen.bytes)).map_err(Error::read(path))?;
        let blocks = Blocks::new(file, self.layout.separator(), Tail::Left);
        let start = Start { line: self.line, skip: 0 };
        let mut seen = self.seen.clone();
        let (rows, line) = read_blocks(blocks, &mut seen, &self.layout, start, path)?;
        (self.line, self.seen) = (line, seen);
        rows.into_table(self.input(path), path)
    }

    /// Bytes read.
    pub fn bytes(&self) -> u64 {
        self.seen.bytes
    }

    fn input(&self, path: &Path) -> InputDigest {
        InputDigest::new(path, self.seen.bytes, self.seen.digest.clone())
    }
}

/// Where reading starts.
#[derive(Clone, Copy)]
struct Start {
    line: u64,
    /// Bytes of the first block that hold no rows.
    skip: usize,
}

/// Finds the columns in the header that `blocks` begin with.
fn read_header<R: Read>(blocks: &mut Blocks<R>, path: &Path, roles: &Roles) -> Result<Layout> {
    let layout = Layout::of_header(blocks.start(path)?, path, roles)?;
    blocks.skip_header(layout.header_bytes, layout.separator(), path)?;
    Ok(layout)
}

/// Parses all `blocks` and adds them to `seen`; gives the rows and the number of the line after
/// them.
fn read_blocks<R: Read + Send>(
    mut blocks: Blocks<R>,
    seen: &mut Seen,
    layout: &Layout,
    start: Start,
    path: &Path,
) -> Result<(Rows, u64)> {
    let mut rows = Rows { builder: RunTableBuilder::new(Arc::clone(&layout.reading)), warnings: Vec::new() };
    let Start { mut line, skip } = start;
    // Some more than there are threads, so that none waits long for the others.
    let most = 2 * rayon::current_num_threads();
    let mut batch = blocks.next_batch(most, Vec::new());
    let (mut used, mut skip) = (Vec::new(), Some(skip));
    while !batch.blocks.is_empty() || batch.failed.is_some() {
        let header = skip.take();
        let spare = std::mem::take(&mut used);
        let (next, ((), parsed)) = rayon::join(
            || blocks.next_batch(most, spare),
            || rayon::join(|| seen.update(&batch.blocks), || parse_batch(&batch, header, layout)),
        );
        for block in parsed {
            line += rows.append(block, line, path, layout)?;
        }
        if let Some(unread) = batch.failed.take() {
            return Err(unread.at(line, path));
        }
        used = std::mem::replace(&mut batch, next).blocks;
    }
    Ok((rows, line))
}

/// Parses the blocks of `batch`; of the first one of a file, `header` bytes hold no rows.
fn parse_batch(batch: &Batch, header: Option<usize>, layout: &Layout) -> Vec<BlockRows> {
    let parse = |(number, block): (usize, &Vec<u8>)| match header {
        Some(header) if number == 0 => layout.parse(&block[header..], survey::ROWS),
        _ => layout.parse(block, SURVEYED),
    };
    batch.blocks.par_iter().enumerate().map(parse).collect()
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
