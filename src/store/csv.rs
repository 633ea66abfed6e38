//! Reads runs from CSV: one pass, every row accounted for, every message with its line.
//!
//! Why not polars' own CSV reader: it turns short rows into nulls and cuts long ones without a word, and its errors name
//! no line, so that a second pass would be needed whenever something is odd. The `csv` crate gives all of that in one
//! pass; the speed comes from splitting the input into blocks at line ends and parsing the blocks on all threads. Rows
//! keep their order, so the result does not depend on the number of threads. Memory: the two columns and a few blocks.
//!
//! Accepted: comma, semicolon, tab or bar as separator (the one that yields the wanted columns), quoted fields also with
//! line breaks inside, LF, CRLF or CR, a UTF-8 byte order mark, blanks around cells, blank lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::store::schema::{Columns, Details, Exclusion, Pairing, RowLedger, RunTable, SettingValues};
use crate::sweep::FINAL_LOSS;
use crate::warning::Warning;

/// Bytes read at a time: large enough to keep a thread busy for some milliseconds, small enough for its cache.
const BLOCK: usize = 2 << 20;
const SEPARATORS: [u8; 4] = *b",;\t|";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads all rows that `reader` gives; `path` is for messages.
///
/// # Errors
/// A missing or repeated column, text in a number column, a row of another length than the header, an unreadable source.
pub fn read(reader: impl Read, path: &Path, columns: &Columns) -> Result<RunTable> {
    let mut blocks = Blocks::of(reader, Tail::Used);
    let first = blocks.first(path)?;
    let layout = Layout::of_header(&first, path, columns)?;
    let start = Start { line: layout.first_line, skip: layout.header_bytes };
    let (rows, _) = read_blocks(&mut blocks, Some(first), &layout, start, path)?;
    rows.into_table(columns, InputDigest::new(path, blocks.bytes, blocks.digest), path)
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

/// Bytes at either end that are compared.
const COMPARED: usize = 4096;

impl Growing {
    /// Reads the whole lines of `file` from its beginning.
    ///
    /// # Errors
    /// Those of [`read`].
    pub fn open(file: &mut File, path: &Path, columns: &Columns) -> Result<(Self, RunTable)> {
        file.rewind().map_err(Error::read(path))?;
        let mut blocks = Blocks::of(file, Tail::Left);
        let first = blocks.first(path)?;
        let layout = Layout::of_header(&first, path, columns)?;
        let head = first[..first.len().min(COMPARED)].to_vec();
        let start = Start { line: layout.first_line, skip: layout.header_bytes };
        let (rows, line) = read_blocks(&mut blocks, Some(first), &layout, start, path)?;
        let Blocks { digest, bytes, last, .. } = blocks;
        let growing = Self { layout, line, digest, bytes, ends: [head, last] };
        let table = rows.into_table(columns, growing.input(path), path)?;
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
    pub fn read_more(&mut self, file: &mut File, path: &Path, columns: &Columns) -> Result<RunTable> {
        file.seek(SeekFrom::Start(self.bytes)).map_err(Error::read(path))?;
        let mut blocks = Blocks { digest: self.digest.clone(), bytes: self.bytes, ..Blocks::of(file, Tail::Left) };
        let first = blocks.next().map_err(Error::read(path))?;
        let start = Start { line: self.line, skip: 0 };
        let (rows, line) = read_blocks(&mut blocks, first, &self.layout, start, path)?;
        let Blocks { digest, bytes, last, .. } = blocks;
        if bytes > self.bytes {
            self.ends[1] = last;
        }
        (self.line, self.digest, self.bytes) = (line, digest, bytes);
        rows.into_table(columns, self.input(path), path)
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
    let mut rows = Rows::default();
    let Start { mut line, mut skip } = start;
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
                layout.parse(&block[if i == 0 { skip } else { 0 }..], is_end)
            })
            .collect();
        skip = 0;
        for block in parsed {
            line += rows.append(block, line, path, layout)?;
        }
    }
    Ok((rows, line))
}

/// Splits a byte stream at line ends outside quotes.
struct Blocks<R> {
    reader: R,
    carry: Vec<u8>,
    /// Of all blocks given.
    digest: Sha256,
    bytes: u64,
    /// The end of the block given last.
    last: Vec<u8>,
    at_end: bool,
    tail: Tail,
}

/// What becomes of the bytes after the last line break.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// They are the last row.
    Used,
    /// They are still being written.
    Left,
}

impl<R: Read> Blocks<R> {
    fn of(reader: R, tail: Tail) -> Self {
        let (carry, last) = (Vec::new(), Vec::new());
        Self { reader, carry, digest: Sha256::new(), bytes: 0, last, at_end: false, tail }
    }

    /// The block that the header is in.
    fn first(&mut self, path: &Path) -> Result<Vec<u8>> {
        let empty = || Error::Malformed { path: path.into(), reason: "the file is empty".into() };
        self.next().map_err(Error::read(path))?.ok_or_else(empty)
    }

    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut block = std::mem::take(&mut self.carry);
        while !self.at_end {
            let filled = block.len();
            // Twice as much each time, so that a block without a usable line end is not searched over and over.
            let wanted = BLOCK.max(filled);
            block.reserve(wanted);
            let read = (&mut self.reader).take(wanted as u64).read_to_end(&mut block)?;
            self.at_end = read < wanted;
            if !self.at_end
                && let Some(end) = end_of_last_line(&block)
            {
                self.carry = block.split_off(end);
                break;
            }
            if self.at_end && self.tail == Tail::Left {
                block.truncate(end_of_last_line(&block).unwrap_or(0));
            }
        }
        if block.is_empty() {
            return Ok(None);
        }
        self.digest.update(&block);
        self.bytes += block.len() as u64;
        self.last = block[block.len().saturating_sub(COMPARED)..].to_vec();
        Ok(Some(block))
    }
}

fn end_of_last_line(block: &[u8]) -> Option<usize> {
    if !block.contains(&b'"') {
        return block.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
    }
    let (mut quoted, mut end) = (false, None);
    for (at, byte) in block.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => end = Some(at + 1),
            _ => {}
        }
    }
    end
}

/// Where the wanted columns are.
struct Layout {
    separator: u8,
    fields: usize,
    factor: usize,
    metric: usize,
    names: Columns,
    settings: Vec<(&'static str, usize)>,
    details: DetailColumns,
    header_bytes: usize,
    /// Number of the line after the header.
    first_line: u64,
}

impl Layout {
    fn of_header(start: &[u8], path: &Path, columns: &Columns) -> Result<Self> {
        let malformed = |reason: &str| Error::Malformed { path: path.into(), reason: reason.into() };
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            return Err(malformed("the text is UTF-16; save it as UTF-8"));
        }
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
        let holds_both = |names: &[String]| [&columns.factor, &columns.metric].iter().all(|name| names.contains(name));
        let headers: Vec<_> = SEPARATORS.into_iter().filter_map(|s| header_of(s).map(|header| (s, header))).collect();
        // The separator that yields both columns; without one, the one that yields most names, for the message.
        let (separator, (names, bytes)) = headers
            .into_iter()
            .rev()
            .max_by_key(|(_, (names, _))| (holds_both(names), names.len()))
            .ok_or_else(|| malformed("the file holds no header line"))?;
        let place = |wanted: &str| -> Result<usize> {
            let places: Vec<usize> =
                names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at).collect();
            match places[..] {
                [at] => Ok(at),
                [] => Err(Error::MissingColumn { path: path.into(), column: wanted.into(), available: listed(&names) }),
                _ => Err(Error::DuplicateColumn { path: path.into(), column: wanted.into(), times: places.len() }),
            }
        };
        let place_of = |name: &str| names.iter().position(|other| other == name);
        let settings = columns.settings().filter_map(|name| Some((name, place_of(name)?))).collect();
        let details = DetailColumns {
            final_loss: place_of(FINAL_LOSS).filter(|_| columns.want_final_loss()),
            pair: place_of("draw").zip(place_of("replicate")),
            seed: place_of("seed"),
        };
        Ok(Self {
            separator,
            fields: names.len(),
            factor: place(&columns.factor)?,
            metric: place(&columns.metric)?,
            names: columns.clone(),
            settings,
            details,
            header_bytes: mark + bytes,
            first_line: 1 + line_breaks(&start[..bytes]),
        })
    }

    /// Parses one block; `is_end` if nothing follows it. Lines are counted from 0 at the start of the block.
    fn parse(&self, block: &[u8], is_end: bool) -> BlockRows {
        let mut rows = BlockRows { lines: line_breaks(block), ..BlockRows::default() };
        let unterminated = is_end && !block.ends_with(b"\n") && !block.ends_with(b"\r");
        let mut reader = reader_of(block, self.separator);
        let mut record = ByteRecord::new();
        let mut noted: Vec<Vec<u8>> = vec![Vec::new(); self.settings.len()];
        let mut shortest_end = usize::MAX;
        // Reading from memory into a byte record of any length cannot fail.
        while matches!(reader.read_byte_record(&mut record), Ok(true)) {
            if record.len() == 1 && record[0].trim_ascii().is_empty() && self.fields > 1 {
                continue;
            }
            rows.read += 1;
            let start = start_of(&record, block);
            let end = record.get(record.len() - 1).map_or(0, <[u8]>::len);
            let is_last = is_end && reader.position().byte() as usize >= block.len();
            let torn = is_last && unterminated;
            let parsed = if is_last && is_unclosed(&block[start..]) {
                Err(Problem::Unclosed)
            } else if torn && (cut_short(end, shortest_end) || quotes(&block[start..]) % 2 == 1) {
                Err(Problem::Excluded(Exclusion::TornLine))
            } else {
                self.row(&record)
            };
            shortest_end = shortest_end.min(end);
            match parsed {
                Ok((factor, metric)) => {
                    self.details.push(&record, &mut rows.details);
                    rows.factor.push(factor);
                    rows.metric.push(metric);
                    if torn {
                        rows.unterminated = Some(String::from_utf8_lossy(&record[self.metric]).into_owned());
                    }
                }
                Err(Problem::Excluded(reason)) => rows.exclude(reason, || line_breaks(&block[..start])),
                Err(Problem::FieldCount(_) | Problem::NotANumber(..)) if torn => {
                    rows.exclude(Exclusion::TornLine, || line_breaks(&block[..start]));
                }
                Err(problem) => {
                    rows.failed = Some((line_breaks(&block[..start]), problem));
                    return rows;
                }
            }
            for ((name, at), seen) in self.settings.iter().zip(&mut noted) {
                // Settings hardly ever change: one comparison of bytes a row.
                if let Some(cell) = record.get(*at).filter(|cell| *cell != seen.as_slice()) {
                    seen.clear();
                    seen.extend_from_slice(cell);
                    let cell = String::from_utf8_lossy(cell.trim_ascii());
                    if !cell.is_empty() {
                        rows.settings.entry((*name).to_string()).or_default().note(&cell);
                    }
                }
            }
        }
        rows
    }

    fn row(&self, record: &ByteRecord) -> Result<(f64, f64), Problem> {
        if record.len() != self.fields {
            return Err(Problem::FieldCount(record.len()));
        }
        let factor =
            number(&record[self.factor]).map_err(|text| Problem::NotANumber(self.names.factor.clone(), text))?;
        let metric =
            number(&record[self.metric]).map_err(|text| Problem::NotANumber(self.names.metric.clone(), text))?;
        match (factor, metric) {
            (Some(factor), Some(metric)) => match Exclusion::of(factor).or(Exclusion::of(metric)) {
                None => Ok((factor, metric)),
                Some(reason) => Err(Problem::Excluded(reason)),
            },
            _ => Err(Problem::Excluded(Exclusion::Empty)),
        }
    }
}

/// Where the columns of [`Details`] are, if they are.
#[derive(Debug, Clone, Copy)]
struct DetailColumns {
    final_loss: Option<usize>,
    /// Draw and replicate.
    pair: Option<(usize, usize)>,
    seed: Option<usize>,
}

impl DetailColumns {
    fn push(&self, record: &ByteRecord, details: &mut Details) {
        if let Some(at) = self.final_loss {
            details.final_loss.push(number(&record[at]).ok().flatten().unwrap_or(f64::NAN));
        }
        if details.pairing.is_possible() {
            let whole = |at: usize| std::str::from_utf8(record[at].trim_ascii()).ok()?.parse::<u64>().ok();
            let seed = self.seed.and_then(whole).unwrap_or(0);
            let replicate = self.pair.and_then(|(_, replicate)| whole(replicate));
            let draw = self.pair.and_then(|(draw, _)| whole(draw));
            details.pairing.push(draw, replicate.map(|replicate| Pairing::replicate(seed, replicate)));
        }
    }
}

/// Whether the last cell of a file without a final line break looks cut: a column of long numbers does not suddenly hold
/// one that is three digits shorter than every other. (A cut of one or two digits of 16 changes nothing that matters.)
fn cut_short(length: usize, shortest_before: usize) -> bool {
    const LONG: usize = 10;
    const MISSING: usize = 3;
    shortest_before != usize::MAX && shortest_before >= LONG && length + MISSING <= shortest_before
}

/// The number in a cell; nothing for an empty one.
fn number(cell: &[u8]) -> Result<Option<f64>, String> {
    let cell = cell.trim_ascii();
    if matches!(cell, b"" | b"NA" | b"N/A" | b"null" | b"NULL" | b"None") {
        return Ok(None);
    }
    let text = std::str::from_utf8(cell).map_err(|_| String::from_utf8_lossy(cell).into_owned())?;
    text.parse().map(Some).map_err(|_| text.to_string())
}

enum Problem {
    Excluded(Exclusion),
    FieldCount(usize),
    NotANumber(String, String),
    Unclosed,
}

/// What one block gave.
#[derive(Default)]
struct BlockRows {
    factor: Vec<f64>,
    metric: Vec<f64>,
    details: Details,
    read: u64,
    lines: u64,
    excluded: BTreeMap<Exclusion, (u64, u64)>,
    settings: BTreeMap<String, SettingValues>,
    unterminated: Option<String>,
    failed: Option<(u64, Problem)>,
}

impl BlockRows {
    /// Counts an excluded row; `line` is worked out for the first of its kind only.
    fn exclude(&mut self, reason: Exclusion, line: impl FnOnce() -> u64) {
        self.excluded.entry(reason).or_insert_with(|| (0, line())).0 += 1;
    }
}

/// What all blocks so far gave.
#[derive(Default)]
struct Rows {
    factor: Vec<f64>,
    metric: Vec<f64>,
    details: Details,
    ledger: RowLedger,
    settings: BTreeMap<String, SettingValues>,
    warnings: Vec<Warning>,
}

impl Rows {
    fn into_table(self, columns: &Columns, input: InputDigest, path: &Path) -> Result<RunTable> {
        Ok(RunTable {
            frame: RunTable::frame_of(columns, self.factor, self.metric, path)?,
            details: self.details,
            columns: columns.clone(),
            ledger: self.ledger,
            settings: self.settings,
            inputs: vec![input],
            warnings: self.warnings,
        })
    }

    /// Adds a block that starts at `line`, and says how many lines it has.
    fn append(&mut self, block: BlockRows, line: u64, path: &Path, layout: &Layout) -> Result<u64> {
        if let Some((at, problem)) = block.failed {
            return Err(match problem {
                Problem::FieldCount(found) => {
                    Error::FieldCount { path: path.into(), line: line + at, found, expected: layout.fields }
                }
                Problem::NotANumber(column, value) => {
                    Error::NotANumber { path: path.into(), line: line + at, column, value: excerpt(&value) }
                }
                Problem::Unclosed => Error::UnclosedQuote { path: path.into(), line: line + at },
                Problem::Excluded(reason) => unreachable!("{reason:?} is counted, not a failure"),
            });
        }
        self.details.append(self.factor.len(), block.details, block.factor.len());
        self.factor.extend(block.factor);
        self.metric.extend(block.metric);
        self.ledger.read += block.read;
        for (reason, (rows, first)) in block.excluded {
            self.ledger.exclude(reason, rows, || format!("{}, line {}", path.display(), line + first));
        }
        for (name, values) in block.settings {
            let own = self.settings.entry(name).or_default();
            values.values().iter().for_each(|value| own.note(value));
        }
        if let Some(value) = block.unterminated {
            self.warnings.push(Warning::UnterminatedLine { path: path.display().to_string(), value });
        }
        Ok(block.lines)
    }
}

/// Where the record really begins: the reader's position is before the line breaks that it skipped.
fn start_of(record: &ByteRecord, block: &[u8]) -> usize {
    let from = record.position().map_or(0, |position| position.byte() as usize);
    let skipped = block[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    from + skipped
}

/// Line breaks in `bytes`: LF, CR LF, or CR alone.
fn line_breaks(bytes: &[u8]) -> u64 {
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    if !bytes.contains(&b'\r') {
        return feeds as u64;
    }
    let lone =
        bytes.iter().zip(bytes[1..].iter().chain([&0])).filter(|pair| *pair.0 == b'\r' && *pair.1 != b'\n').count();
    (feeds + lone) as u64
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
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("'{}'", excerpt(name))).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
