//! Where the columns are, and what the rows of a block say.

use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use crate::data::{Cell, Exclusion, Outcome, Place, Problem, Reading, Roles, RunTableBuilder};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::store::formats::csv::blocks::line_breaks;

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
    /// Where the columns of the reading are.
    places: Vec<usize>,
    /// Where the metric is.
    metric: usize,
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
        // The separator that yields both columns; without one, the one that yields most names, for the message.
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
        Ok(Self {
            separator,
            fields: names.len(),
            places: reading.names().iter().map(place).collect::<Result<_>>()?,
            metric: place(&roles.metric)?,
            reading: Arc::new(reading),
            header_bytes: mark + bytes,
            first_line: 1 + line_breaks(&start[..bytes]),
        })
    }

    /// Parses one block; `is_end` if nothing follows it. Lines are counted from 0 at the start of the block.
    pub fn parse(&self, block: &[u8], is_end: bool) -> BlockRows {
        let builder = RunTableBuilder::new(Arc::clone(&self.reading));
        let mut rows = BlockRows { builder, lines: line_breaks(block), unterminated: None, failed: None };
        let unterminated = is_end && !block.ends_with(b"\n") && !block.ends_with(b"\r");
        let mut reader = reader_of(block, self.separator);
        let mut record = ByteRecord::new();
        let mut shortest_end = usize::MAX;
        // Reading from memory into a byte record of any length cannot fail.
        while matches!(reader.read_byte_record(&mut record), Ok(true)) {
            if record.len() == 1 && record[0].trim_ascii().is_empty() && self.fields > 1 {
                continue;
            }
            let start = start_of(&record, block);
            let end = record.get(record.len() - 1).map_or(0, <[u8]>::len);
            let is_last = is_end && reader.position().byte() as usize >= block.len();
            let torn = is_last && unterminated;
            let line = || line_breaks(&block[..start]);
            let place = || Place::Line(line());
            let failure = if is_last && is_unclosed(&block[start..]) {
                Some(Failure::Unclosed)
            } else if torn && (cut_short(end, shortest_end) || quotes(&block[start..]) % 2 == 1) {
                rows.builder.leave_out(Exclusion::TornLine, place);
                continue;
            } else if record.len() != self.fields {
                Some(Failure::FieldCount(record.len()))
            } else {
                let cells: Vec<Cell> = self.places.iter().map(|at| Cell::Text(&record[*at])).collect();
                match rows.builder.push(&cells, place) {
                    Ok(Outcome::Kept(..)) if torn => {
                        rows.unterminated = Some(String::from_utf8_lossy(&record[self.metric]).into_owned());
                        None
                    }
                    Ok(_) => None,
                    Err(problem) => Some(Failure::Cell(problem)),
                }
            };
            shortest_end = shortest_end.min(end);
            match failure {
                None => {}
                Some(Failure::FieldCount(_) | Failure::Cell(_)) if torn => {
                    rows.builder.leave_out(Exclusion::TornLine, place);
                }
                Some(failure) => {
                    rows.failed = Some((line(), failure));
                    return rows;
                }
            }
        }
        rows
    }
}

/// Whether the last cell of a file without a final line break looks cut: a column of long numbers does not suddenly hold
/// one that is three digits shorter than every other. (A cut of one or two digits of 16 changes nothing that matters.)
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

/// Where the record really begins: the reader's position is before the line breaks that it skipped.
fn start_of(record: &ByteRecord, block: &[u8]) -> usize {
    let from = record.position().map_or(0, |position| position.byte() as usize);
    let skipped = block[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    from + skipped
}

fn quotes(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'"').count()
}

/// Whether the last record of a file is a quoted field that swallowed the lines after it.
fn is_unclosed(record: &[u8]) -> bool {
    record.trim_ascii_end().contains(&b'\n') && quotes(record) % 2 == 1
}

fn reader_of(bytes: &[u8], separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(1 << 16)
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
