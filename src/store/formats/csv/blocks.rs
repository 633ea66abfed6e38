//! Cuts a stream of CSV into blocks that end where a row ends, so that they can be parsed side by
//! side.
//!
//! **Side by side.** Blocks come in batches: while one is parsed and hashed, the next is read, into
//! the memory of the one before.
//!
//! **Memory.** A block holds whole rows and is longer than [`BLOCK`] only if a row is. A row longer
//! than [`LONGEST_ROW`] is refused: it is no row of a table, or has a quote that is never closed.

use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::store::formats::csv::scan::end_of_last_row;

/// Bytes read at a time: large enough to keep a thread busy for some hundred microseconds, small
/// enough for its cache.
const BLOCK: usize = 1 << 20;
/// Bytes of the longest row that is read.
const LONGEST_ROW: usize = 64 << 20;
/// Bytes at either end of a file that are compared to see whether it is still the same.
pub const COMPARED: usize = 4096;

/// Splits a byte stream at row ends.
pub struct Blocks<R> {
    reader: R,
    separator: u8,
    /// Bytes of the header at the beginning of the next block.
    header: usize,
    /// The beginning of the next block.
    carry: Vec<u8>,
    /// Memory to read into.
    spare: Vec<Vec<u8>>,
    at_end: bool,
    tail: Tail,
}

/// What becomes of the bytes after the last line break.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// They are the last row.
    Used,
    /// They are still being written.
    Left,
}

/// Blocks that follow one another. Without any, the stream has ended.
pub struct Batch {
    /// Whole rows each.
    pub blocks: Vec<Vec<u8>>,
    /// Why there are no more.
    pub failed: Option<Unread>,
}

/// Why a block cannot be read.
#[derive(Debug)]
pub enum Unread {
    /// The source fails.
    Failed(io::Error),
    /// The row is longer than [`LONGEST_ROW`].
    TooLong,
}

impl Unread {
    /// The error about the row that begins at `line` of the file at `path`.
    pub fn at(self, line: u64, path: &Path) -> Error {
        match self {
            Self::Failed(error) => Error::read(path)(error),
            Self::TooLong => {
                let most = LONGEST_ROW >> 20;
                let reason = format!(
                    "the row that begins at line {line} is longer than {most} MiB; is a quote never closed, or is it no table?"
                );
                Error::Malformed { path: path.into(), reason }
            }
        }
    }
}

impl<R: Read> Blocks<R> {
    /// The blocks of `reader`, whose cells stand between `separator`s, from a row's beginning on.
    pub fn new(reader: R, separator: u8, tail: Tail) -> Self {
        Self { reader, separator, header: 0, carry: Vec::new(), spare: Vec::new(), at_end: false, tail }
    }

    /// The beginning of the stream, with at least one line end if there is one: for a header.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Malformed`] if there is nothing, or nothing but one line that is
    /// too long.
    pub fn start(&mut self, path: &Path) -> Result<&[u8]> {
        let mut start = std::mem::take(&mut self.carry);
        while !self.at_end && !start.iter().any(|byte| b"\r\n".contains(byte)) {
            if start.len() >= LONGEST_ROW {
                return Err(Unread::TooLong.at(1, path));
            }
            self.fill(&mut start).map_err(Error::read(path))?;
        }
        let ended = start.iter().rposition(|byte| b"\r\n".contains(byte)).map_or(0, |at| at + 1);
        if self.at_end && self.tail == Tail::Left {
            start.truncate(ended);
        }
        if start.is_empty() {
            return Err(Error::Malformed { path: path.into(), reason: "the file is empty".into() });
        }
        self.carry = start;
        Ok(&self.carry)
    }

    /// Goes on after the start, of which the first `header` bytes are no rows.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the header may not have ended there.
    pub fn skip_header(&mut self, header: usize, separator: u8, path: &Path) -> Result<()> {
        if header >= self.carry.len() && !self.at_end {
            let reason = format!("the header is longer than {} MiB; is a quote never closed?", header >> 20);
            return Err(Error::Malformed { path: path.into(), reason });
        }
        (self.header, self.separator) = (header, separator);
        Ok(())
    }

    /// The next blocks, at most `most`, in the memory of `used` ones.
    pub fn next_batch(&mut self, most: usize, used: Vec<Vec<u8>>) -> Batch {
        self.spare.extend(used);
        let mut batch = Batch { blocks: Vec::new(), failed: None };
        while batch.blocks.len() < most {
            match self.next() {
                Ok(Some(block)) => batch.blocks.push(block),
                Ok(None) => break,
                Err(unread) => {
                    (self.at_end, batch.failed) = (true, Some(unread));
                    break;
                }
            }
        }
        batch
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Unread> {
        let mut block = self.spare.pop().unwrap_or_default();
        block.clear();
        block.append(&mut self.carry);
        let header = std::mem::take(&mut self.header);
        if block.len() < BLOCK {
            self.fill(&mut block).map_err(Unread::Failed)?;
        }
        loop {
            if self.at_end && self.tail == Tail::Used {
                break;
            }
            let rows = end_of_last_row(&block[header..], self.separator);
            if rows.is_some() || self.at_end {
                let end = header + rows.unwrap_or(0);
                if !self.at_end {
                    self.carry.extend_from_slice(&block[end..]);
                }
                block.truncate(end);
                break;
            }
            if block.len() >= LONGEST_ROW {
                return Err(Unread::TooLong);
            }
            self.fill(&mut block).map_err(Unread::Failed)?;
        }
        Ok(if block.is_empty() { None } else { Some(block) })
    }

    /// Reads on: up to a whole block, or twice as much as there is, so that a long row is not
    /// searched over and over.
    fn fill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let wanted = if block.len() < BLOCK { BLOCK - block.len() } else { block.len() };
        if self.at_end {
            return Ok(());
        }
        block.reserve(wanted);
        let read = (&mut self.reader).take(wanted as u64).read_to_end(block)?;
        self.at_end = read < wanted;
        Ok(())
    }
}

/// What identifies the bytes of a file so far.
#[derive(Clone, Default)]
pub struct Seen {
    /// Of all of them.
    pub digest: Sha256,
    /// Their number.
    pub bytes: u64,
    /// The last of them, up to [`COMPARED`].
    pub last: Vec<u8>,
}

impl Seen {
    /// Adds the blocks that come next.
    pub fn update(&mut self, blocks: &[Vec<u8>]) {
        for block in blocks {
            self.digest.update(block);
            self.bytes += block.len() as u64;
        }
        if let Some(last) = blocks.last() {
            self.last = last[last.len().saturating_sub(COMPARED)..].to_vec();
        }
    }
}

/// Line breaks in `bytes`: LF, CR LF, or CR alone.
pub fn line_breaks(bytes: &[u8]) -> u64 {
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    if !bytes.contains(&b'\r') {
        return feeds as u64;
    }
    let lone =
        bytes.iter().zip(bytes[1..].iter().chain([&0])).filter(|pair| *pair.0 == b'\r' && *pair.1 != b'\n').count();
    (feeds + lone) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as few bytes at a time as a slow pipe.
    struct Slow<'t>(&'t [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1000);
            self.0.read(&mut buffer[..most])
        }
    }

    fn blocks_of(text: &[u8], header: usize, tail: Tail) -> Vec<Vec<u8>> {
        let mut blocks = Blocks::new(Slow(text), b',', tail);
        blocks.start(Path::new("f")).unwrap();
        blocks.skip_header(header, b',', Path::new("f")).unwrap();
        let (mut all, mut used) = (Vec::new(), Vec::new());
        loop {
            let batch = blocks.next_batch(3, used);
            assert!(batch.failed.is_none());
            if batch.blocks.is_empty() {
                return all;
            }
            all.extend(batch.blocks.clone());
            used = batch.blocks;
        }
    }

    #[test]
    fn blocks_are_the_text_cut_at_row_ends() {
        let rows = |end: &str| format!("1.25,\"a{end}b\"{end}").repeat(500_000);
        for (text, ends) in [(rows("\n"), "\"\n"), (rows("\r\n"), "\"\r\n"), (rows("\r"), "\"\r")] {
            let text = format!("x,y\n{text}7");
            let blocks = blocks_of(text.as_bytes(), 4, Tail::Used);
            assert!(blocks.len() > 5 && blocks.iter().all(|block| block.len() <= BLOCK));
            assert!(blocks[..blocks.len() - 1].iter().all(|block| block.ends_with(ends.as_bytes())));
            assert!(blocks.concat() == text.as_bytes());
            let whole = blocks_of(text.as_bytes(), 4, Tail::Left).concat();
            // Of a carriage return at the very end it is not known whether a line feed follows.
            assert!(whole == text.as_bytes()[..text.len() - 1], "{}", whole.len());
        }
    }

    #[test]
    fn long_rows_grow_a_block_and_endless_ones_are_refused() {
        let long = [b"x,y\n1,".to_vec(), vec![b'7'; 3 * BLOCK], b"\n1,2\n".to_vec()].concat();
        assert!(blocks_of(&long, 4, Tail::Used).concat() == long);
        for first in [&b"x,y\n1,2\n"[..], b"x,y\n1,2\n\""] {
            let text = first.chain(io::repeat(if first.ends_with(b"\"") { b'\n' } else { b'7' }));
            let mut blocks = Blocks::new(text, b',', Tail::Used);
            blocks.start(Path::new("f")).unwrap();
            blocks.skip_header(4, b',', Path::new("f")).unwrap();
            let batch = blocks.next_batch(4, Vec::new());
            assert_eq!(batch.blocks, [b"x,y\n1,2\n"]);
            let error = batch.failed.unwrap().at(3, Path::new("f"));
            assert!(matches!(&error, Error::Malformed { reason, .. } if reason.contains("line 3")), "{error:?}");
            assert!(blocks.next_batch(4, Vec::new()).blocks.is_empty());
        }
        let mut blocks = Blocks::new(io::repeat(b'x'), b',', Tail::Used);
        assert!(matches!(blocks.start(Path::new("f")), Err(Error::Malformed { .. })));
        let mut blocks = Blocks::new(b"\"x\n".chain(io::repeat(b'x')), b',', Tail::Used);
        let header = blocks.start(Path::new("f")).unwrap().len();
        assert!(matches!(blocks.skip_header(header, b',', Path::new("f")), Err(Error::Malformed { .. })));
    }

    #[test]
    fn what_was_seen_does_not_depend_on_the_blocks() {
        let text = b"1,2\n".repeat(3000);
        let (mut whole, mut parts) = (Seen::default(), Seen::default());
        whole.update(std::slice::from_ref(&text));
        parts.update(&[text[..8].to_vec(), text[8..400].to_vec()]);
        parts.update(&[]);
        parts.update(&[text[400..].to_vec()]);
        assert_eq!((whole.bytes, &whole.last), (parts.bytes, &parts.last));
        assert_eq!(whole.digest.finalize(), parts.digest.finalize());
    }
}
