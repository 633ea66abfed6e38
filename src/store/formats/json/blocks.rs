//! Cuts a stream of JSON between objects, so that the pieces can be read side by side.

use std::io::{self, Read};

use memchr::{memchr, memrchr};
use sha2::{Digest, Sha256};

use crate::store::formats::json::text::{Text, ordinary};

/// Bytes read at a time: large enough to keep a thread busy for some milliseconds, small enough for
/// its cache.
const BLOCK: usize = 2 << 20;
/// An object may take so many bytes.
pub const LONGEST: usize = 64 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How objects follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One a line.
    Lines,
    /// With anything blank between them, or nothing: what `jq` writes.
    Loose,
    /// As the elements of a list.
    List,
}

/// A piece of the stream, which ends after an object.
pub struct Block {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it is the beginning of the stream.
    pub is_first: bool,
    /// Where it ends.
    pub end: End,
}

/// Where a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After an object.
    Between,
    /// Where the stream ends.
    OfStream,
    /// Within an object of [`LONGEST`] bytes or more.
    TooFar,
}

/// The pieces of a stream.
pub struct Blocks<R> {
    reader: R,
    carry: Vec<u8>,
    /// Memory to be used again: fresh memory costs more than reading into it.
    spare: Vec<Vec<u8>>,
    at_end: bool,
    is_first: bool,
    /// How objects follow each other in it.
    pub shape: Shape,
    /// Of all blocks given.
    pub digest: Sha256,
    /// Bytes of all blocks given.
    pub bytes: u64,
}

impl<R: Read> Blocks<R> {
    /// Those of `reader`.
    ///
    /// # Errors
    /// Those of reading.
    pub fn new(mut reader: R) -> io::Result<Self> {
        let mut carry = Vec::new();
        let read = (&mut reader).take(BLOCK as u64).read_to_end(&mut carry)?;
        let shape = Shape::of(&carry);
        let at_end = read < BLOCK;
        Ok(Self { reader, carry, spare: Vec::new(), at_end, is_first: true, shape, digest: Sha256::new(), bytes: 0 })
    }

    /// The first bytes, before any block was given.
    pub fn start(&self) -> &[u8] {
        &self.carry[mark(&self.carry)..]
    }

    /// All bytes, before any block was given.
    ///
    /// # Errors
    /// Those of reading.
    pub fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        self.reader.read_to_end(&mut self.carry)?;
        Ok(self.carry)
    }

    /// The next block; `None` after the last one.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.carry);
        let is_first = std::mem::replace(&mut self.is_first, false);
        let mut cutter = Cutter::new(self.shape, is_first);
        let mut cut = None;
        while !self.at_end {
            cut = cutter.last_end(&bytes);
            if cut.is_some() || bytes.len() >= LONGEST {
                break;
            }
            let wanted = BLOCK.max(bytes.len());
            bytes.reserve(wanted);
            let read = (&mut self.reader).take(wanted as u64).read_to_end(&mut bytes)?;
            self.at_end = read < wanted;
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let end = match cut {
            Some(cut) => {
                let mut carry = self.spare.pop().unwrap_or_default();
                carry.clear();
                carry.extend_from_slice(&bytes[cut..]);
                self.carry = carry;
                bytes.truncate(cut);
                End::Between
            }
            None if self.at_end => End::OfStream,
            None => End::TooFar,
        };
        self.digest.update(&bytes);
        self.bytes += bytes.len() as u64;
        Ok(Some(Block { bytes, is_first, end }))
    }

    /// Takes back blocks that are no longer needed.
    pub fn take_back(&mut self, blocks: Vec<Block>) {
        self.spare.extend(blocks.into_iter().map(|block| block.bytes).filter(|bytes| bytes.capacity() <= 4 * BLOCK));
    }

    /// The next blocks, one for each thread; none at the end.
    ///
    /// # Errors
    /// Those of reading.
    pub fn batch(&mut self) -> io::Result<Vec<Block>> {
        (0..rayon::current_num_threads()).map_while(|_| self.next_block().transpose()).collect()
    }
}

/// Length of the byte order mark that `bytes` begin with, if they do.
pub fn mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

impl Shape {
    /// That of a stream that begins with `start`.
    fn of(start: &[u8]) -> Self {
        let mut text = Text::new(start, mark(start));
        if text.peek() == Some(b'[') {
            return Self::List;
        }
        let before = text.at();
        let is_object = text.object(|_, _| Ok(())).is_ok();
        let is_read_on = text.at() < start.len();
        if start[before..text.at()].contains(&b'\n') || !is_object && !is_read_on {
            return Self::Loose;
        }
        let after = start[text.at()..].trim_ascii_start();
        let line = memchr(b'\n', &start[text.at()..]).unwrap_or(start.len());
        if is_object && after.starts_with(b"{") && start.len() - after.len() - text.at() < line {
            return Self::Loose;
        }
        Self::Lines
    }
}

/// Looks for the ends of objects in bytes that grow.
struct Cutter {
    shape: Shape,
    scanned: usize,
    depth: usize,
    is_in_text: bool,
}

impl Cutter {
    fn new(shape: Shape, is_first: bool) -> Self {
        let depth = usize::from(shape == Shape::List && !is_first);
        Self { shape, scanned: 0, depth, is_in_text: false }
    }

    /// The end of the last object that ends in what came since the last call.
    fn last_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.scanned;
        if self.shape == Shape::Lines {
            self.scanned = bytes.len();
            return memrchr(b'\n', &bytes[from..]).map(|at| from + at + 1);
        }
        let base = usize::from(self.shape == Shape::List);
        let (mut at, mut end) = (from, None);
        while at < bytes.len() {
            if self.is_in_text {
                let special = ordinary(bytes, at);
                at = match bytes.get(special) {
                    // The byte after it is no quote.
                    Some(b'\\') => special + 2,
                    Some(_) => special + 1,
                    None => special,
                };
                self.is_in_text = bytes.get(special) != Some(&b'"');
                continue;
            }
            match bytes[at] {
                b'"' => self.is_in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == base {
                        end = Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        // Beyond the end if that is a backslash in a text.
        self.scanned = at;
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The blocks of `text` read a few bytes at a time.
    fn cut(text: &[u8], shape: Shape) -> Vec<usize> {
        let mut cutter = Cutter::new(shape, true);
        let mut ends = Vec::new();
        for end in 0..=text.len() {
            ends.extend(cutter.last_end(&text[..end]));
        }
        ends
    }

    #[test]
    fn the_shape_of_a_stream_shows_at_its_beginning() {
        for (text, shape) in [
            ("{\"a\":1}", Shape::Lines),
            ("\n \n{\"a\":{}} \r\n{", Shape::Lines),
            ("{\"a\":1}\n{\n", Shape::Lines),
            ("{'a':1}\n", Shape::Lines),
            ("{\"a\"", Shape::Loose),
            ("\u{feff}{\n\"a\":1}", Shape::Loose),
            ("{} {}\n", Shape::Loose),
            ("{}{}", Shape::Loose),
            (" [", Shape::List),
            ("\u{feff}[{}]", Shape::List),
        ] {
            assert_eq!(Shape::of(text.as_bytes()), shape, "{text}");
        }
    }

    #[test]
    fn blocks_end_between_objects() {
        for (text, shape, ends) in [
            ("{}\n{}\n", Shape::Lines, &[3, 6][..]),
            ("{} {\"}\":[{}]}{", Shape::Loose, &[2, 13]),
            ("[{\"\\\"}\":{}},[1],{", Shape::List, &[11, 15]),
            ("]}{", Shape::Loose, &[1, 2]),
        ] {
            assert_eq!(cut(text.as_bytes(), shape), ends, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ends_do_not_depend_on_how_bytes_come(text in "[]\\[{}\"\\\\a\n]{0,60}", at in 0..60usize) {
            let text = text.as_bytes();
            for shape in [Shape::Lines, Shape::Loose, Shape::List] {
                let mut cutter = Cutter::new(shape, true);
                let ends = [&text[..at.min(text.len())], text].map(|part| cutter.last_end(part));
                let last = Cutter::new(shape, true).last_end(text);
                prop_assert_eq!(ends[1].or(ends[0]), last);
                prop_assert_eq!(cut(text, shape).last().copied(), last);
            }
        }

        #[test]
        fn blocks_are_the_stream(rows in 0..40_usize, size in 0..200_000_usize) {
            let object = format!("{{\"a\":\"{}\"}}\n", "x".repeat(size));
            let text = object.repeat(rows);
            let mut blocks = Blocks::new(text.as_bytes()).unwrap();
            let mut all = Vec::new();
            while let Some(block) = blocks.next_block().unwrap() {
                prop_assert!(block.bytes.ends_with(b"\n") && block.bytes.len() <= BLOCK + 2 * object.len());
                all.extend(block.bytes);
            }
            prop_assert!(all == text.as_bytes());
        }
    }
}
