//! Walks through the objects of a block.

use memchr::memchr;

use crate::data::Place;
use crate::store::formats::json::blocks::{Block, End, LONGEST, Shape, mark};
use crate::store::formats::json::text::{Fault, Text};

/// Why a list is no list.
pub const AFTER_THE_END: &str = "more after the end of the list";

/// Why a walk ends before the block does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure<E> {
    /// The text is no JSON: in this line and column of the block, counted from 0, for this reason.
    Text(u64, usize, String),
    /// An object is not what was expected.
    Object(E),
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked<E> {
    /// Line breaks in the block.
    pub lines: u64,
    /// Objects that were passed.
    pub rows: u64,
    /// Characters after the last line break.
    pub columns: usize,
    /// Whether the list of objects ends in the block.
    pub is_closed: bool,
    /// A last line that was cut off.
    pub torn: Option<Place>,
    /// Why it ended early.
    pub failure: Option<Failure<E>>,
}

/// What `object` gives when it does not want to go on.
pub enum Stop<E> {
    /// The text is no JSON.
    Fault(Fault),
    /// Anything else.
    Error(E),
}

impl<E> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Gives `object` the text at each object of `block`, with its place: a line, counted from 0, or a
/// row, counted from 1. It must pass the object.
pub fn walk<'t, E>(
    block: &'t Block,
    shape: Shape,
    mut object: impl FnMut(&mut Text<'t>, Place) -> Result<(), Stop<E>>,
) -> Walked<E> {
    let bytes = &block.bytes[..];
    let valid = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| bytes.len());
    let mut walk = Walk { bytes, valid, rows: 0, is_closed: false, torn: None };
    let ended = match shape {
        Shape::Lines => walk.lines(block, &mut object),
        Shape::Loose => walk.loose(block, &mut object),
        Shape::List => walk.list(block, &mut object),
    };
    let failure = match ended {
        Ok(()) if valid < bytes.len() && walk.torn.is_none() => Some(Stop::Fault(not_utf8(valid))),
        Ok(()) if block.end == End::TooFar => Some(Stop::Fault(too_long(bytes))),
        Ok(()) => None,
        Err(Stop::Fault(fault)) if fault.at >= bytes.len() && block.end == End::TooFar => {
            Some(Stop::Fault(too_long(bytes)))
        }
        Err(Stop::Fault(fault)) if fault.at >= valid && valid < bytes.len() => Some(Stop::Fault(not_utf8(valid))),
        Err(stop) => Some(stop),
    };
    let failure = failure.map(|stop| match stop {
        Stop::Error(error) => Failure::Object(error),
        Stop::Fault(Fault { at, reason }) => {
            let (line, column) = position(bytes, at);
            Failure::Text(line, column, reason.into_owned())
        }
    });
    let (lines, columns) = position(bytes, bytes.len());
    Walked { lines, rows: walk.rows, columns, is_closed: walk.is_closed, torn: walk.torn, failure }
}

#[cold]
fn not_utf8(at: usize) -> Fault {
    let reason = "the text is not UTF-8; convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE";
    Fault { at, reason: reason.into() }
}

#[cold]
fn too_long(bytes: &[u8]) -> Fault {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    Fault { at: start, reason: format!("an object of more than {} MiB", LONGEST >> 20).into() }
}

/// Line and column of the byte `at`, both counted from 0, the column in characters.
fn position(bytes: &[u8], at: usize) -> (u64, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    (lines as u64, before[line..].iter().filter(|byte| (**byte as i8) >= -0x40).count())
}

struct Walk<'t> {
    bytes: &'t [u8],
    /// So many bytes are UTF-8.
    valid: usize,
    rows: u64,
    is_closed: bool,
    torn: Option<Place>,
}

impl<'t> Walk<'t> {
    fn lines<E>(
        &mut self,
        block: &Block,
        object: &mut impl FnMut(&mut Text<'t>, Place) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let bytes = self.bytes;
        let mut at = if block.is_first { mark(bytes) } else { 0 };
        let mut line = 0;
        while at < bytes.len() {
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            // A character that is cut off at the end of a stream is part of what is torn.
            let mut text = Text::new(&bytes[..end.min(self.valid.max(at))], at);
            if text.peek().is_some() || end > self.valid {
                let passed = object(&mut text, Place::Line(line)).and_then(|()| Ok(is_alone(&mut text)?));
                let is_last = end == bytes.len() && block.end == End::OfStream;
                match passed {
                    Err(Stop::Fault(_)) if is_last && (self.rows > 0 || !block.is_first) => {
                        self.torn = Some(Place::Line(line));
                        return Ok(());
                    }
                    passed => passed?,
                }
                self.rows += 1;
            }
            at = end + 1;
            line += 1;
        }
        Ok(())
    }

    fn loose<E>(
        &mut self,
        block: &Block,
        object: &mut impl FnMut(&mut Text<'t>, Place) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let mut text = Text::new(&self.bytes[..self.valid], if block.is_first { mark(self.bytes) } else { 0 });
        while text.peek().is_some() {
            self.rows += 1;
            object(&mut text, Place::Row(self.rows))?;
        }
        Ok(())
    }

    fn list<E>(
        &mut self,
        block: &Block,
        object: &mut impl FnMut(&mut Text<'t>, Place) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let mut text = Text::new(&self.bytes[..self.valid], if block.is_first { mark(self.bytes) } else { 0 });
        let mut is_first = block.is_first && text.passes(b'[');
        while text.peek().is_some() {
            if text.passes(b']') {
                self.is_closed = true;
                return match text.peek() {
                    None => Ok(()),
                    Some(_) => Err(text.fault(AFTER_THE_END).into()),
                };
            }
            if !is_first && !text.passes(b',') {
                return Err(text.fault("expected ',' or ']'").into());
            }
            is_first = false;
            self.rows += 1;
            object(&mut text, Place::Row(self.rows))?;
        }
        Ok(())
    }
}

/// Nothing but blanks may follow the object of a line.
fn is_alone(text: &mut Text) -> Result<(), Fault> {
    match text.peek() {
        None => Ok(()),
        Some(_) => Err(text.fault("more after the object; every line must be one object")),
    }
}
