//! Finds rows and cells in plain text without a quote: eight bytes at a time.
//!
//! Most tables of numbers hold no quotes. Their cells end at the next separator and their rows at the next line feed, whatever else there is,
//! so that no state has to be kept; text with quotes, or with carriage returns alone as line ends, is left to the `csv` crate.
//!
//! **Method.** The bytes of a word that equal a given one are found by arithmetic on the whole word (Lamport 1975): they become 0
//! by an exclusive or, and adding 0x7f to the low seven bits of a byte sets its high bit unless they are 0. No carry leaves a
//! byte, so every hit is exact.

use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter};

use crate::data::Cell;

/// A row of plain text.
pub struct Row<'r, 'b> {
    /// Where it begins in its block.
    pub start: usize,
    /// Where the next one begins.
    pub next: usize,
    /// How many cells it has.
    pub fields: usize,
    /// Length of its last cell.
    pub last_cell: usize,
    /// The wanted cells; empty texts where it has too few.
    pub cells: &'r [Cell<'b>],
}

/// Whether `block` has neither quotes nor line ends that are a carriage return alone.
pub fn is_plain(block: &[u8]) -> bool {
    memchr(b'"', block).is_none() && memchr_iter(b'\r', block).all(|at| block.get(at + 1) == Some(&b'\n'))
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
    /// A scanner for the cells at `places` of rows whose cells stand between `separator`s; no place is there twice.
    pub fn new(separator: u8, places: &[usize]) -> Self {
        let mut slots = vec![None; places.iter().max().map_or(0, |last| last + 1)];
        for (slot, place) in places.iter().enumerate() {
            slots[*place] = Some(slot);
        }
        Self { separator, slots, wanted: places.len() }
    }

    /// Gives each row of `block`, which [`is_plain`], until `take` breaks. Empty lines are no rows.
    pub fn each_row<'b>(&self, block: &'b [u8], mut take: impl FnMut(&Row<'_, 'b>) -> ControlFlow<()>) {
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
            let row =
                Row { start, next: (at + 1).min(block.len()), fields: field, last_cell: text.len(), cells: &cells };
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

    type Rows = Vec<(usize, usize, Vec<Vec<u8>>)>;

    /// Start, number of cells, and the cells at `places`.
    fn scanned(block: &[u8], places: &[usize]) -> Rows {
        let mut rows = Rows::new();
        Scanner::new(b',', places).each_row(block, |row| {
            let text = |cell: &Cell| match cell {
                Cell::Text(text) => text.to_vec(),
                other => panic!("{other:?}"),
            };
            rows.push((row.start, row.fields, row.cells.iter().map(text).collect()));
            ControlFlow::Continue(())
        });
        rows
    }

    /// The same by the `csv` crate.
    fn expected(block: &[u8], places: &[usize]) -> Rows {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(block);
        let (mut rows, mut record) = (Rows::new(), ByteRecord::new());
        while reader.read_byte_record(&mut record).unwrap() {
            let from = record.position().unwrap().byte() as usize;
            let start = from + block[from..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
            let cells = places.iter().map(|place| record.get(*place).unwrap_or_default().to_vec()).collect();
            rows.push((start, record.len(), cells));
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

    proptest! {
        #[test]
        fn rows_are_those_of_the_csv_crate(text in "([a-c,]{0,9}(\n|\r\n)?){0,12}", places in Just([2, 0, 1])) {
            let block = text.as_bytes();
            prop_assume!(is_plain(block));
            for places in [&places[..], &places[..1], &places[1..2], &[]] {
                prop_assert_eq!(scanned(block, places), expected(block, places));
            }
        }
    }

    #[test]
    fn quotes_and_lone_carriage_returns_are_for_others() {
        assert!(is_plain(b"a,b\r\n1,2\n") && is_plain(b""));
        assert!(!is_plain(b"a,\"b\"\n") && !is_plain(b"a\rb\n") && !is_plain(b"a\r"));
    }
}
