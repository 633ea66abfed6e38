//! Where the columns are, and what the rows of a block say.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use crate::data::{Exclusion, Outcome, Place, Problem, Reading, Roles, RunTableBuilder};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::store::formats::csv::blocks::line_breaks;
use crate::store::formats::csv::scan::{Row, Scanner};

/// What may stand between cells.
pub const SEPARATORS: [u8; 4] = *b",;\t|";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the wanted columns are.
pub struct Layout {
    separator: u8,
    /// Cells of a row.
    pub fields: usize,
    /// What is read.
    pub reading: Arc<Reading>,
    /// Finds the columns of the reading.
    scanner: Scanner,
    /// Which of them is the metric; none if the file's name gives it.
    metric: Option<usize>,
    /// The other columns, with their places.
    others: Vec<(usize, String)>,
    /// Finds them.
    other_scanner: Scanner,
    /// Length of the header and what comes before it.
    pub header_bytes: usize,
    /// Number of the line after the header.
    pub first_line: u64,
}

impl Layout {
    /// Finds the columns in the header that `start` begins with.
    ///
    /// # Errors
    /// A missing or repeated column, text that is not UTF-8 or holds no header.
    pub fn of_header(start: &[u8], path: &Path, roles: &Roles) -> Result<Self> {
        let malformed = |reason: &str| Error::Malformed { path: path.into(), reason: reason.into() };
        let mark = if start.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let start = &start[mark..];
        let header_of = |separator: u8| -> Option<(Vec<String>, usize)> {
            let mut reader = reader_of(start, separator);
            let mut record = ByteRecord::new();
            reader.read_byte_record(&mut record).ok().filter(|read| *read)?;
            let names = record.iter().map(|name| String::from_utf8_lossy(name).trim().to_string()).collect();
            // Of CR LF the reader takes only the first as the end of the row.
            let end = reader.position().byte() as usize;
            let whole = start[..end].ends_with(b"\r") && start[end..].starts_with(b"\n");
            Some((names, end + usize::from(whole)))
        };
        let holds_both = |names: &[String]| [&roles.factor, &roles.metric].iter().all(|name| names.contains(name));
        let headers: Vec<_> = SEPARATORS.into_iter().filter_map(|s| header_of(s).map(|header| (s, header))).collect();
        // The separator that yields both columns; without one, the one that yields most names, for
        // the message.
        let (separator, (names, bytes)) = headers
            .into_iter()
            .rev()
            .max_by_key(|(_, (names, _))| (holds_both(names), names.len()))
            .ok_or_else(|| malformed("the file holds no header line"))?;
        let place = |wanted: &String| -> Result<usize> {
            let places: Vec<usize> =
                names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at).collect();
            match places[..] {
                [at] => Ok(at),
                [] if std::str::from_utf8(&start[..bytes]).is_err() => Err(malformed(
                    "the text is not UTF-8; convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE",
                )),
                [] => {
                    Err(Error::MissingColumn { path: path.into(), column: wanted.clone(), available: listed(&names) })
                }
                _ => Err(Error::DuplicateColumn { path: path.into(), column: wanted.clone(), times: places.len() }),
            }
        };
        // Of a name that nobody gave and that is there twice, the meaning would be a guess.
        let is_single = |wanted: &str| names.iter().filter(|name| *name == wanted).count() == 1;
        let reading = Reading::new(roles, is_single);
        let is_other = |name: &String| !name.is_empty() && !reading.knows(name) && !reading.is_trainers();
        let others = names.iter().enumerate().filter(|(_, name)| is_other(name)).map(|(at, name)| (at, name.clone()));
        let others: Vec<(usize, String)> = others.collect();
        let other_places: Vec<usize> = others.iter().map(|(at, _)| *at).collect();
        let places: Vec<usize> = reading.names().iter().map(place).collect::<Result<_>>()?;
        Ok(Self {
            separator,
            fields: names.len(),
            scanner: Scanner::new(separator, &places),
            others,
            other_scanner: Scanner::new(separator, &other_places),
            metric: reading.names().iter().position(|name| *name == roles.metric),
            reading: Arc::new(reading),
            header_bytes: mark + bytes,
            first_line: 1 + line_breaks(&start[..bytes]),
        })
    }

    /// What stands between cells.
    pub fn separator(&self) -> u8 {
        self.separator
    }

    /// Parses one block. Lines are counted from 0 at the start of the block. Of the first
    /// `surveyed` runs the columns that nobody asked for are looked at, too.
    pub fn parse(&self, block: &[u8], surveyed: usize) -> BlockRows {
        let builder = RunTableBuilder::new(Arc::clone(&self.reading));
        let rows = BlockRows { builder, lines: line_breaks(block), unterminated: None, failed: None };
        // Only the block at the end of a file ends otherwise.
        let is_unterminated = !block.ends_with(b"\n") && !block.ends_with(b"\r");
        let mut parser = Parser { layout: self, block, is_unterminated, rows, surveyed, shortest_end: usize::MAX };
        self.scanner.each_row(block, |row| parser.take(row));
        parser.rows
    }
}

/// Takes the rows of a block.
struct Parser<'p> {
    layout: &'p Layout,
    block: &'p [u8],
    /// Whether the block is the end of the file and has no line break there.
    is_unterminated: bool,
    rows: BlockRows,
    /// Runs of which the other columns are still to be looked at.
    surveyed: usize,
    /// Length of the shortest last cell so far.
    shortest_end: usize,
}

impl Parser<'_> {
    #[inline]
    fn take(&mut self, row: &Row<'_, '_>) -> ControlFlow<()> {
        let layout = self.layout;
        let is_last = row.next == self.block.len();
        if is_last || row.fields != layout.fields {
            return self.take_odd(row, is_last);
        }
        self.shortest_end = self.shortest_end.min(row.last_cell);
        let (block, start) = (self.block, row.start);
        match self.rows.builder.push(row.cells, || Place::Line(line_breaks(&block[..start]))) {
            Ok(Outcome::Kept(level, _)) if self.surveyed > 0 => self.survey(row, level),
            Ok(_) => ControlFlow::Continue(()),
            Err(problem) => self.fail(row, Failure::Cell(problem)),
        }
    }

    /// Looks at the columns that nobody asked for.
    #[cold]
    fn survey(&mut self, row: &Row<'_, '_>, level: f64) -> ControlFlow<()> {
        self.surveyed -= 1;
        let layout = self.layout;
        if layout.others.is_empty() {
            return ControlFlow::Continue(());
        }
        let builder = &mut self.rows.builder;
        layout.other_scanner.each_row(&self.block[row.start..row.next], |row| {
            for ((place, name), cell) in layout.others.iter().zip(row.cells) {
                builder.survey(name, *place, level, *cell);
            }
            ControlFlow::Break(())
        });
        ControlFlow::Continue(())
    }

    /// Takes a row that may be blank, of the wrong length, or cut off.
    fn take_odd(&mut self, row: &Row<'_, '_>, is_last: bool) -> ControlFlow<()> {
        let layout = self.layout;
        let text = &self.block[row.start..row.next];
        if layout.fields > 1 && row.fields == 1 && is_blank(text) {
            return ControlFlow::Continue(());
        }
        let (block, start) = (self.block, row.start);
        let place = || Place::Line(line_breaks(&block[..start]));
        let is_torn = is_last && self.is_unterminated;
        if row.is_open && text.trim_ascii_end().contains(&b'\n') {
            return self.fail(row, Failure::Unclosed);
        }
        if is_torn && (cut_short(row.last_cell, self.shortest_end) || row.is_open) {
            self.rows.builder.leave_out(Exclusion::TornLine, place);
            return ControlFlow::Continue(());
        }
        self.shortest_end = self.shortest_end.min(row.last_cell);
        let failure = if row.fields != layout.fields {
            Failure::FieldCount(row.fields)
        } else {
            match self.rows.builder.push(row.cells, place) {
                Ok(Outcome::Kept(level, _)) if !is_torn && self.surveyed > 0 => return self.survey(row, level),
                Ok(Outcome::Kept(..)) if is_torn => {
                    let metric = layout.metric.and_then(|metric| row.cells.get(metric));
                    self.rows.unterminated = metric.map(|metric| metric.text());
                    return ControlFlow::Continue(());
                }
                Ok(_) => return ControlFlow::Continue(()),
                Err(problem) => Failure::Cell(problem),
            }
        };
        if is_torn {
            self.rows.builder.leave_out(Exclusion::TornLine, place);
            return ControlFlow::Continue(());
        }
        self.fail(row, failure)
    }

    #[cold]
    fn fail(&mut self, row: &Row<'_, '_>, failure: Failure) -> ControlFlow<()> {
        self.rows.failed = Some((line_breaks(&self.block[..row.start]), failure));
        ControlFlow::Break(())
    }
}

/// Whether a row of one cell is empty, with or without quotes.
fn is_blank(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.is_empty()
        || text
            .strip_prefix(b"\"")
            .and_then(|text| text.strip_suffix(b"\""))
            .is_some_and(|text| text.trim_ascii().is_empty())
}

/// Whether the last cell of a file without a final line break looks cut: a column of long numbers
/// does not suddenly hold one that is three digits shorter than every other. (A cut of one or two
/// digits of 16 changes nothing that matters.)
fn cut_short(length: usize, shortest_before: usize) -> bool {
    const LONG: usize = 10;
    const MISSING: usize = 3;
    shortest_before != usize::MAX && shortest_before >= LONG && length + MISSING <= shortest_before
}

/// Why reading ends at a row.
pub enum Failure {
    /// It has so many cells instead of [`Layout::fields`].
    FieldCount(usize),
    /// A cell is no number.
    Cell(Problem),
    /// A quote is never closed.
    Unclosed,
}

/// What one block gave.
pub struct BlockRows {
    /// Its rows.
    pub builder: RunTableBuilder,
    /// Line breaks in the block.
    pub lines: u64,
    /// The metric of a last row without a line break.
    pub unterminated: Option<String>,
    /// The line where reading ends, and why.
    pub failed: Option<(u64, Failure)>,
}

fn reader_of(bytes: &[u8], separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(bytes.len().clamp(1, 1 << 16))
        .from_reader(bytes)
}

/// Names for a message: the first few, quoted and shortened.
pub fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("'{}'", excerpt(name))).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
