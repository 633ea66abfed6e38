//! Finds rows and cells in text with a separator.
//!
//! **Grammar.** A cell ends at a separator or a line end, a row at a line end: LF, CR LF, or CR
//! alone. Empty lines are no rows. A cell that begins with a quote is quoted: up to the next quote
//! that is not doubled, nothing ends it, and a doubled quote means one. What stands between the
//! closing quote and the end of the cell belongs to it; a quote inside a cell that does not begin
//! with one is a character as any other. This is how the `csv` crate reads, with which the tests
//! compare.
//!
//! **Plain text.** Most tables of numbers hold no quotes. Their cells end at the next separator and
//! their rows at the next line feed, whatever else there is, so that no state has to be kept and
//! eight bytes are looked at at a time.
//!
//! **Method.** The bytes of a word that equal a given one are found by arithmetic on the whole word
//! (Lamport 1975): they become 0 by an exclusive or, and adding 0x7f to the low seven bits of a
//! byte sets its high bit unless they are 0. No carry leaves a byte, so every hit is exact.

use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter, memchr3, memrchr};

use crate::data::Cell;

/// A row.
pub struct Row<'r, 'b> {
    /// Where it begins in its block.
    pub start: usize,
    /// Where the next one begins, or an empty line.
    pub next: usize,
    /// How many cells it has.
    pub fields: usize,
    /// Length of its last cell.
    pub last_cell: usize,
    /// The wanted cells, without quotes; empty texts where it has too few.
    pub cells: &'r [Cell<'b>],
    /// Whether the quote of its last cell is never closed, so that this cell has all that follows.
    pub is_open: bool,
}

/// Where the last line of `block` ends that is not inside quotes. A carriage return at the end of
/// the block may yet be followed by a line feed and does not count.
pub fn end_of_last_row(block: &[u8], separator: u8) -> Option<usize> {
    let (mut start, mut from, mut end) = (0, 0, None);
    while let Some(quote) = memchr(b'"', &block[from..]).map(|found| from + found) {
        from = quote + 1;
        let begins_cell = quote == 0 || [separator, b'\n', b'\r'].contains(&block[quote - 1]);
        if !begins_cell {
            continue;
        }
        end = end_of_last_line(block, start, quote).or(end);
        let Some(closing) = closing_quote(block, from) else { return end };
        (start, from) = (closing.at + 1, closing.at + 1);
    }
    end_of_last_line(block, start, block.len()).or(end)
}

/// Where the last line ends whose end is between `start` and `end`.
fn end_of_last_line(block: &[u8], start: usize, end: usize) -> Option<usize> {
    let feed = memrchr(b'\n', &block[start..end]);
    let last = feed.or_else(|| memrchr(b'\r', &block[start..end.min(block.len().saturating_sub(1)).max(start)]));
    last.map(|at| start + at + 1)
}

/// A closing quote.
struct Closing {
    at: usize,
    /// Whether there are doubled quotes before it.
    is_escaped: bool,
}

/// The first quote from `from` on that is not doubled.
fn closing_quote(block: &[u8], mut from: usize) -> Option<Closing> {
    let mut is_escaped = false;
    loop {
        let at = from + memchr(b'"', &block[from..])?;
        if block.get(at + 1) != Some(&b'"') {
            return Some(Closing { at, is_escaped });
        }
        (is_escaped, from) = (true, at + 2);
    }
}

/// Whether `block` has neither quotes nor line ends that are a carriage return alone.
fn is_plain(block: &[u8]) -> bool {
    memchr(b'"', block).is_none() && memchr_iter(b'\r', block).all(|at| block.get(at + 1) == Some(&b'\n'))
}

/// A cell as it stands in its block.
struct Raw<'b> {
    text: &'b [u8],
    /// Whether `text` still begins with its quote.
    is_quoted: bool,
    is_open: bool,
    /// Where the cell ends: at a separator, a line end, or the end of the block.
    end: usize,
}

impl<'b> Raw<'b> {
    /// The cell that begins at `start`.
    fn new(block: &'b [u8], start: usize, separator: u8) -> Self {
        let end_after =
            |from: usize| memchr3(separator, b'\n', b'\r', &block[from..]).map_or(block.len(), |at| from + at);
        if block.get(start) != Some(&b'"') {
            let end = end_after(start);
            return Self { text: &block[start..end], is_quoted: false, is_open: false, end };
        }
        let Some(closing) = closing_quote(block, start + 1) else {
            return Self { text: &block[start..], is_quoted: true, is_open: true, end: block.len() };
        };
        let end = end_after(closing.at + 1);
        let is_quoted = closing.is_escaped || end > closing.at + 1;
        let text = if is_quoted { &block[start..end] } else { &block[start + 1..closing.at] };
        Self { text, is_quoted, is_open: false, end }
    }

    /// The text that is meant.
    fn unquoted(&self) -> Vec<u8> {
        let (mut text, mut rest) = (Vec::with_capacity(self.text.len()), &self.text[1..]);
        while let Some(quote) = memchr(b'"', rest) {
            text.extend_from_slice(&rest[..quote]);
            rest = &rest[quote + 1..];
            match rest.strip_prefix(b"\"") {
                Some(after) => rest = after,
                None => break,
            }
            text.push(b'"');
        }
        text.extend_from_slice(rest);
        text
    }
}

/// Which cells of a row are wanted.
#[derive(Debug, Clone)]
pub struct Scanner {
    separator: u8,
    /// Where the cell at a place goes; nowhere if it is not wanted.
    slots: Vec<Option<usize>>,
    wanted: usize,
}

impl Scanner {
    /// A scanner for the cells at `places` of rows whose cells stand between `separator`s; no place
    /// is there twice.
    pub fn new(separator: u8, places: &[usize]) -> Self {
        let mut slots = vec![None; places.iter().max().map_or(0, |last| last + 1)];
        for (slot, place) in places.iter().enumerate() {
            slots[*place] = Some(slot);
        }
        Self { separator, slots, wanted: places.len() }
    }

    /// Gives each row of `block` until `take` breaks.
    pub fn each_row(&self, block: &[u8], take: impl FnMut(&Row<'_, '_>) -> ControlFlow<()>) {
        if is_plain(block) { self.each_plain_row(block, take) } else { self.each_quoted_row(block, take) }
    }

    /// Gives the rows of any text: cell by cell.
    fn each_quoted_row(&self, block: &[u8], mut take: impl FnMut(&Row<'_, '_>) -> ControlFlow<()>) {
        let mut cells = vec![Cell::Text(b""); self.wanted];
        let mut at = 0;
        loop {
            at += block[at..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
            if at == block.len() {
                return;
            }
            let (start, mut fields, mut unquoted) = (at, 0, Vec::new());
            cells.fill(Cell::Text(b""));
            let last = loop {
                let cell = Raw::new(block, at, self.separator);
                match self.slots.get(fields) {
                    Some(Some(slot)) if cell.is_quoted => unquoted.push((*slot, cell.unquoted())),
                    Some(Some(slot)) => cells[*slot] = Cell::Text(cell.text),
                    _ => {}
                }
                fields += 1;
                if block.get(cell.end) != Some(&self.separator) {
                    break cell;
                }
                at = cell.end + 1;
            };
            at = last.end + if block[last.end..].starts_with(b"\r\n") { 2 } else { 1 };
            at = at.min(block.len());
            let last_cell = if last.is_quoted { last.unquoted().len() } else { last.text.len() };
            let mut whole = Vec::new();
            if !unquoted.is_empty() {
                whole.extend_from_slice(&cells);
                unquoted.iter().for_each(|(slot, text)| whole[*slot] = Cell::Text(text));
            }
            let cells = if whole.is_empty() { &cells } else { &whole };
            let row = Row { start, next: at, fields, last_cell, cells, is_open: last.is_open };
            if take(&row).is_break() {
                return;
            }
        }
    }

    /// Gives the rows of text that [`is_plain`].
    fn each_plain_row(&self, block: &[u8], mut take: impl FnMut(&Row<'_, '_>) -> ControlFlow<()>) {
        let empty = Cell::Text(b"");
        let mut cells = vec![empty; self.wanted];
        let (mut start, mut cell, mut field) = (0, 0, 0);
        let mut end_cell = |at: usize, is_end_of_row: bool| {
            let mut text = &block[cell..at];
            if is_end_of_row {
                text = text.strip_suffix(b"\r").unwrap_or(text);
            }
            if let Some(Some(slot)) = self.slots.get(field) {
                cells[*slot] = Cell::Text(text);
            }
            field += 1;
            cell = at + 1;
            if !is_end_of_row {
                return ControlFlow::Continue(());
            }
            // What a short row lacks is not what the row before it had.
            self.slots.iter().skip(field).flatten().for_each(|slot| cells[*slot] = empty);
            let is_blank = field == 1 && text.is_empty();
            let next = (at + 1).min(block.len());
            let row = Row { start, next, fields: field, last_cell: text.len(), cells: &cells, is_open: false };
            let flow = if is_blank { ControlFlow::Continue(()) } else { take(&row) };
            (start, field) = (at + 1, 0);
            flow
        };
        let (words, rest) = block.as_chunks::<8>();
        for (number, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let ends = equal_bytes(word, b'\n');
            let mut hits = ends | equal_bytes(word, self.separator);
            while hits != 0 {
                let bit = hits.trailing_zeros();
                if end_cell(number * 8 + bit as usize / 8, ends >> bit & 1 == 1).is_break() {
                    return;
                }
                hits &= hits - 1;
            }
        }
        for (at, byte) in (words.len() * 8..).zip(rest) {
            let is_end_of_row = *byte == b'\n';
            if (is_end_of_row || *byte == self.separator) && end_cell(at, is_end_of_row).is_break() {
                return;
            }
        }
        if !block.is_empty() && !block.ends_with(b"\n") {
            // The last row has no line end, and nothing comes after it.
            let _ = end_cell(block.len(), true);
        }
    }
}

/// The high bit of each byte of `word` that is `byte`.
#[inline]
fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let different = word ^ (0x0101_0101_0101_0101 * u64::from(byte));
    !(((different & LOW) + LOW) | different | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv::{ByteRecord, ReaderBuilder};
    use proptest::prelude::*;

    /// What a row is, and where.
    #[derive(Debug, PartialEq)]
    struct Found {
        start: usize,
        fields: usize,
        last_cell: usize,
        cells: Vec<Vec<u8>>,
    }

    fn scanned(block: &[u8], places: &[usize]) -> Vec<Found> {
        let mut rows = Vec::new();
        let mut end = 0;
        Scanner::new(b',', places).each_row(block, |row| {
            assert!(end <= row.start && row.start < row.next && row.next <= block.len(), "{end} {}", row.start);
            assert!(!row.is_open || row.next == block.len());
            end = row.next;
            let text = |cell: &Cell| match cell {
                Cell::Text(text) => text.to_vec(),
                other => panic!("{other:?}"),
            };
            let cells = row.cells.iter().map(text).collect();
            rows.push(Found { start: row.start, fields: row.fields, last_cell: row.last_cell, cells });
            ControlFlow::Continue(())
        });
        rows
    }

    /// The same by the `csv` crate.
    fn expected(block: &[u8], places: &[usize]) -> Vec<Found> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(block);
        let (mut rows, mut record) = (Vec::new(), ByteRecord::new());
        while reader.read_byte_record(&mut record).unwrap() {
            let from = record.position().unwrap().byte() as usize;
            let start = from + block[from..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
            let cells = places.iter().map(|place| record.get(*place).unwrap_or_default().to_vec()).collect();
            rows.push(Found { start, fields: record.len(), last_cell: record[record.len() - 1].len(), cells });
        }
        rows
    }

    #[test]
    fn bytes_are_found_exactly() {
        for word in [0, u64::MAX, 0x0a0b_0a8a_0a09_0a0a, 0x8080_8080_8080_800a, 0x010a_0101_0a01_0b0a] {
            for byte in [0, 1, b'\n', b',', 0x80, 0xff] {
                let bits = word.to_le_bytes().iter().rev().fold(0, |bits, b| bits << 8 | u64::from(*b == byte) << 7);
                assert_eq!(equal_bytes(word, byte), bits, "{word:x} {byte:x}");
            }
        }
    }

    /// Compares the rows of `text`, and those of its two parts where it is cut, with those of the
    /// `csv` crate.
    fn assert_same_rows(text: &str, places: &[usize]) {
        let block = text.as_bytes();
        for places in [places, &places[..1], &places[1..2], &[]] {
            assert_eq!(scanned(block, places), expected(block, places), "{text:?}");
        }
        let Some(end) = end_of_last_row(block, b',') else { return };
        let mut parts = scanned(&block[..end], places);
        let rest = scanned(&block[end..], places);
        parts.extend(rest.into_iter().map(|row| Found { start: row.start + end, ..row }));
        assert_eq!(parts, expected(block, places), "{text:?}, cut at {end}");
    }

    proptest! {
        #[test]
        fn plain_rows_are_those_of_the_csv_crate(text in "([a-c,]{0,9}(\n|\r\n)?){0,12}") {
            assert_same_rows(&text, &[2, 0, 1]);
        }

        #[test]
        fn quoted_rows_are_those_of_the_csv_crate(text in "[ab,,\"\"\"\r\n\n]{0,40}") {
            assert_same_rows(&text, &[1, 0, 2]);
        }

        #[test]
        fn well_formed_rows_are_those_of_the_csv_crate(text in "((a{0,9}|\"(b|,|\n|\r|\"\"){0,9}\")(,|\n|\r\n|\r)){0,20}") {
            assert_same_rows(&text, &[0, 2, 1]);
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told() {
        let is_open = |text: &str| {
            let mut open = Vec::new();
            Scanner::new(b',', &[0]).each_row(text.as_bytes(), |row| {
                open.push(row.is_open);
                ControlFlow::Continue(())
            });
            open
        };
        assert_eq!(is_open("a,\"b\"\n\"c,\"\"\nd\n"), [false, true]);
        assert_eq!(is_open("a\"b,c\"\n\"\"\"d\"\n"), [false, false]);
    }

    #[test]
    fn blocks_end_where_rows_end() {
        fn end(text: &str) -> Option<&str> {
            end_of_last_row(text.as_bytes(), b',').map(|end| &text[..end])
        }
        assert_eq!(end(""), None);
        assert_eq!(end("a,b"), None);
        assert_eq!(end("a\nb"), Some("a\n"));
        assert_eq!(end("a\rb\r"), Some("a\r"));
        assert_eq!(end("\r"), None);
        assert_eq!(end("a\n\"b\nc\","), Some("a\n"));
        assert_eq!(end("a\n\"b\nc\n"), Some("a\n"));
        // A quote inside a cell quotes nothing.
        assert_eq!(end("5\" pipe,1\n\"x\ny\",2\n\"z\n"), Some("5\" pipe,1\n\"x\ny\",2\n"));
    }

    #[test]
    fn scanning_ends_where_it_is_broken_off() {
        for text in ["a\nb\nc", "\"a\"\nb\nc"] {
            let mut rows = 0;
            Scanner::new(b',', &[0]).each_row(text.as_bytes(), |_| {
                rows += 1;
                if rows == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(rows, 2);
        }
    }
}
