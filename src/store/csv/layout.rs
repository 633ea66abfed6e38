//! Where the columns are, and what the rows of a block say.

use std::collections::BTreeMap;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::store::blocks::{BlockColumns, NO_BLOCK, key_of_text};
use crate::store::csv::blocks::line_breaks;
use crate::store::schema::{Columns, Details, Exclusion, Pairing, SettingValues};
use crate::sweep::FINAL_LOSS;

const SEPARATORS: [u8; 4] = *b",;\t|";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the wanted columns are.
pub struct Layout {
    separator: u8,
    /// Cells of a row.
    pub fields: usize,
    factor: usize,
    metric: usize,
    names: Columns,
    settings: Vec<(&'static str, usize)>,
    details: DetailColumns,
    /// The columns of blocks, without runs.
    blocks: BlockColumns,
    /// Where they are.
    block_places: Vec<usize>,
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
    pub fn of_header(start: &[u8], path: &Path, columns: &Columns) -> Result<Self> {
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
        // Of a name that nobody gave and that is there twice, the meaning would be a guess.
        let is_single = |wanted: &str| names.iter().filter(|name| *name == wanted).count() == 1;
        let blocks = columns.blocks(is_single);
        Ok(Self {
            separator,
            fields: names.len(),
            factor: place(&columns.factor)?,
            metric: place(&columns.metric)?,
            names: columns.clone(),
            settings,
            details,
            block_places: blocks.columns().iter().map(|column| place(&column.name)).collect::<Result<_>>()?,
            blocks,
            header_bytes: mark + bytes,
            first_line: 1 + line_breaks(&start[..bytes]),
        })
    }

    /// Parses one block; `is_end` if nothing follows it. Lines are counted from 0 at the start of the block.
    pub fn parse(&self, block: &[u8], is_end: bool) -> BlockRows {
        let details = Details { blocks: self.blocks.clone(), ..Details::default() };
        let mut rows = BlockRows { lines: line_breaks(block), details, ..BlockRows::default() };
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
                    rows.details.blocks.push(|column| key_of_cell(&record[self.block_places[column]]));
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

/// Whether `cell`, trimmed, says that there is no number.
pub fn is_missing(cell: &[u8]) -> bool {
    matches!(cell, b"" | b"NA" | b"N/A" | b"null" | b"NULL" | b"None")
}

/// The key of the block that a cell names; [`NO_BLOCK`] for an empty one.
pub fn key_of_cell(cell: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(cell);
    let text = text.trim();
    if is_missing(text.as_bytes()) { NO_BLOCK } else { key_of_text(text) }
}

/// The number in a cell; nothing for an empty one.
fn number(cell: &[u8]) -> Result<Option<f64>, String> {
    let cell = cell.trim_ascii();
    if is_missing(cell) {
        return Ok(None);
    }
    let text = std::str::from_utf8(cell).map_err(|_| String::from_utf8_lossy(cell).into_owned())?;
    text.parse().map(Some).map_err(|_| text.to_string())
}

/// Why a row cannot be used.
pub enum Problem {
    /// It is left out, and counted.
    Excluded(Exclusion),
    /// It has so many cells instead of [`Layout::fields`].
    FieldCount(usize),
    /// In a column stands a text that is no number.
    NotANumber(String, String),
    /// A quote is never closed.
    Unclosed,
}

/// What one block gave.
#[derive(Default)]
pub struct BlockRows {
    /// Levels of the rows used.
    pub factor: Vec<f64>,
    /// Their metric.
    pub metric: Vec<f64>,
    /// What else they are.
    pub details: Details,
    /// Rows read.
    pub read: u64,
    /// Line breaks in the block.
    pub lines: u64,
    /// Rows left out, by reason, each with the line of the first.
    pub excluded: BTreeMap<Exclusion, (u64, u64)>,
    /// Values of the setting columns.
    pub settings: BTreeMap<String, SettingValues>,
    /// The metric of a last row without a line break.
    pub unterminated: Option<String>,
    /// The line where reading ends, and why.
    pub failed: Option<(u64, Problem)>,
}

impl BlockRows {
    /// Counts an excluded row; `line` is worked out for the first of its kind only.
    fn exclude(&mut self, reason: Exclusion, line: impl FnOnce() -> u64) {
        self.excluded.entry(reason).or_insert_with(|| (0, line())).0 += 1;
    }
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
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("'{}'", excerpt(name))).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
