//! Cuts a stream of CSV into blocks that end where a line ends, so that they can be parsed side by side.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Bytes read at a time: large enough to keep a thread busy for some milliseconds, small enough for its cache.
const BLOCK: usize = 2 << 20;
/// Bytes at either end of a file that are compared to see whether it is still the same.
pub const COMPARED: usize = 4096;

/// Splits a byte stream at line ends outside quotes.
pub struct Blocks<R> {
    reader: R,
    carry: Vec<u8>,
    /// Of all blocks given.
    pub digest: Sha256,
    /// Bytes of all blocks given.
    pub bytes: u64,
    /// The end of the block given last.
    pub last: Vec<u8>,
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

impl<R: Read> Blocks<R> {
    /// The blocks of `reader`.
    pub fn of(reader: R, tail: Tail) -> Self {
        Self::after(Sha256::new(), 0, reader, tail)
    }

    /// Those that come after `bytes` bytes with the digest `digest`.
    pub fn after(digest: Sha256, bytes: u64, reader: R, tail: Tail) -> Self {
        Self { reader, carry: Vec::new(), digest, bytes, last: Vec::new(), at_end: false, tail }
    }

    /// The block that the header is in.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Malformed`] if there is nothing.
    pub fn first(&mut self, path: &Path) -> Result<Vec<u8>> {
        let empty = || Error::Malformed { path: path.into(), reason: "the file is empty".into() };
        self.next().map_err(Error::read(path))?.ok_or_else(empty)
    }

    /// The next block; nothing at the end.
    pub fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
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
