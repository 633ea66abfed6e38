//! Reads runs from JSON: one object a line, objects one after the other, or a list of objects; every message with its place.
//!
//! **Which.** The first value decides. A list is one of runs. An object that fills its line begins JSON Lines; an object over several
//! lines, or several on a line, begins a sequence of objects, as `jq` writes them. An object with `groups` and with the name of a
//! factor or metric is a [summary](levels::read_json): a table of levels.
//!
//! **Values.** Numbers, and text that is one, as in CSV; `NaN` and the infinities as Python writes them, which standard JSON lacks.
//! Values that nobody asked for must be JSON, but may be anything. A last line that is not whole is left out and counted: a
//! program that was stopped wrote half of it. A list that does not end is refused.
//!
//! **Speed and memory.** The stream is cut between objects, and the blocks are read on all threads while the next ones are cut and hashed.
//! Rows keep their order. Memory: the columns and a few blocks; an object takes at most [`LONGEST`] bytes.
//!
//! - [`blocks`]: cuts the stream.
//! - [`objects`]: walks through the objects of a block.
//! - [`fields`]: finds the wanted columns in an object.
//! - [`text`]: takes JSON apart.

pub mod blocks;
pub mod fields;
pub mod objects;
pub mod text;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::data::{Data, Exclusion, LevelSummaries, Place, Problem, Reading, Roles, RunTableBuilder};
use crate::error::{Error, Result};
use crate::store::formats::Format;
use crate::store::formats::content::{Content, DigestOf};
use crate::store::formats::csv::layout::listed;
use crate::store::formats::json::blocks::{Block, Blocks, Shape, mark};
use crate::store::formats::json::fields::{Fields, names_of};
use crate::store::formats::json::objects::{AFTER_THE_END, Failure, Stop, Walked, walk};
use crate::store::formats::json::text::Text;
use crate::store::formats::levels;

/// JSON Lines.
pub const LINES: Format =
    Format { name: "JSON Lines", endings: &["jsonl", "ndjson"], recognises: is_json, read: read_content };

/// Other JSON: a folder does not contribute it, because most of it is something else.
pub const FORMAT: Format = Format { name: "JSON", endings: &["json"], recognises: is_json, read: read_content };

fn is_json(start: &[u8]) -> bool {
    let start = start[mark(start)..].trim_ascii_start();
    match start.strip_prefix(b"[") {
        // The first name in the header of a CSV file may begin with a bracket.
        Some(within) => matches!(within.trim_ascii_start(), [] | [b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9', ..]),
        None => start.starts_with(b"{"),
    }
}

fn read_content(content: Content, roles: &Roles) -> Result<Data> {
    let path = content.path().to_path_buf();
    let (text, digest) = content.into_text();
    let blocks = Blocks::new(text).map_err(Error::read(&path))?;
    if is_summary(blocks.start()) {
        let bytes = blocks.into_bytes().map_err(Error::read(&path))?;
        let digest = digest.finish(bytes.len() as u64, Sha256::new_with_prefix(&bytes));
        return levels::read_json(&bytes[mark(&bytes)..], digest, &path, roles).map(Data::Levels);
    }
    let names = names_of(first_object(blocks.start()));
    if levels::is_table(&names, roles) {
        return read_levels(blocks, digest, &path, roles, &names).map(Data::Levels);
    }
    read_runs(blocks, digest, &path, roles, &names)
}

/// The text from the first object on.
fn first_object(start: &[u8]) -> &[u8] {
    let mut text = Text::new(start, 0);
    text.passes(b'[');
    text.peek();
    &start[text.at()..]
}

/// Whether `start` begins the `summary.json` of a report.
fn is_summary(start: &[u8]) -> bool {
    let (mut has_groups, mut has_column) = (false, false);
    // The list of groups may be longer than what is there of it: the value is looked at before it is passed.
    let _ = Text::new(start, 0).members(|text, key| {
        has_groups |= *key.text() == *b"groups" && text.peek() == Some(b'[');
        has_column |= matches!(&*key.text(), b"factor" | b"metric") && text.peek() == Some(b'"');
        text.value(1).map(drop)
    });
    has_groups && has_column
}

/// What a block gave.
struct BlockRows {
    builder: RunTableBuilder,
    walked: Walked<(Problem, Place)>,
}

fn read_runs<R: Read + Send>(
    mut blocks: Blocks<R>,
    digest: DigestOf,
    path: &Path,
    roles: &Roles,
    names: &[String],
) -> Result<Data> {
    let reading = Arc::new(Reading::of_records(roles));
    let mut rows = RunTableBuilder::new(Arc::clone(&reading));
    let shape = blocks.shape;
    let mut place = Position::new();
    let mut batch = blocks.batch().map_err(Error::read(path))?;
    while !batch.is_empty() {
        let read = || batch.par_iter().map(|block| rows_of(block, shape, &reading)).collect::<Vec<_>>();
        let (next, read) = rayon::join(|| blocks.batch(), read);
        for BlockRows { builder, walked } in read {
            if let Some(Failure::Object((problem, at))) = walked.failure {
                return Err(problem.at(at.after(place.line, rows.read()), path));
            }
            rows.append(builder, place.line);
            place.pass(&walked, path)?;
        }
        batch = next.map_err(Error::read(path))?;
    }
    place.check_end(shape, path)?;
    if let Some(column) = rows.missing().filter(|_| rows.read() > 0) {
        let (column, available) = (column.to_string(), listed(names));
        return Err(match (rows.read(), shape) {
            (1, Shape::Lines | Shape::Loose) => Error::Malformed {
                path: path.into(),
                reason: format!(
                    "it is JSON, but no summary.json of a report, and as a run it lacks '{column}'; it has {available}"
                ),
            },
            _ => Error::MissingColumn { path: path.into(), column, available },
        });
    }
    rows.finish(digest.finish(blocks.bytes, blocks.digest), path).map(Data::Runs)
}

fn rows_of(block: &Block, shape: Shape, reading: &Arc<Reading>) -> BlockRows {
    let mut builder = RunTableBuilder::new(Arc::clone(reading));
    let (mut fields, mut cells) = (Fields::new(reading.names()), Vec::new());
    let walked = walk(block, shape, |text, place| {
        fields.read(text)?;
        match fields.with_cells(&mut cells, |cells| builder.push(cells, || place.clone())) {
            Ok(_) => Ok(()),
            Err(problem) => Err(Stop::Error((problem, place))),
        }
    });
    if let Some(torn) = &walked.torn {
        builder.leave_out(Exclusion::TornLine, || torn.clone());
    }
    BlockRows { builder, walked }
}

fn read_levels(
    mut blocks: Blocks<impl Read>,
    digest: DigestOf,
    path: &Path,
    roles: &Roles,
    names: &[String],
) -> Result<LevelSummaries> {
    let levels = levels::read_rows(names, path, roles, |take| {
        each_object(&mut blocks, path, |text, place| {
            let mut fields = Fields::new(names);
            fields.read(text)?;
            fields.with_cells(&mut Vec::new(), |cells| take(&place, cells)).map_err(Stop::Error)
        })
    })?;
    levels::table(levels, path, roles, digest.finish(blocks.bytes, blocks.digest))
}

/// Gives `object` the text at each object of a stream, with its place; it must pass the object.
///
/// # Errors
/// [`Error::Read`], [`Error::Malformed`] if it is no JSON or cut short, whatever `object` gives.
pub fn each_object<R: Read>(
    blocks: &mut Blocks<R>,
    path: &Path,
    mut object: impl FnMut(&mut Text, Place) -> Result<(), Stop<Error>>,
) -> Result<()> {
    let (shape, mut position, mut rows) = (blocks.shape, Position::new(), 0);
    while let Some(block) = blocks.next().map_err(Error::read(path))? {
        let walked = walk(&block, shape, |text, place| object(text, place.after(position.line, rows)));
        if let Some(Failure::Object(error)) = walked.failure {
            return Err(error);
        }
        if walked.torn.is_some() {
            return Err(position.malformed(walked.lines, 0, "the last line is not whole; complete or remove it", path));
        }
        position.pass(&walked, path)?;
        rows += walked.rows;
    }
    position.check_end(shape, path)
}

/// How far a stream has been walked through.
#[derive(Debug)]
struct Position {
    /// The line, counted from 1.
    line: u64,
    /// Characters of the line before.
    column: usize,
    is_closed: bool,
}

impl Position {
    fn new() -> Self {
        Self { line: 1, column: 0, is_closed: false }
    }

    /// Passes a block.
    ///
    /// # Errors
    /// [`Error::Malformed`] if its text is no JSON.
    fn pass<E>(&mut self, block: &Walked<E>, path: &Path) -> Result<()> {
        if self.is_closed && (block.rows > 0 || block.is_closed || block.failure.is_some()) {
            return Err(self.malformed(0, self.column, AFTER_THE_END, path));
        }
        if let Some(Failure::Text(line, column, reason)) = &block.failure {
            let before = if *line == 0 { self.column } else { 0 };
            return Err(self.malformed(*line, before + column, reason, path));
        }
        self.column = block.columns + if block.lines == 0 { self.column } else { 0 };
        self.line += block.lines;
        self.is_closed |= block.is_closed;
        Ok(())
    }

    /// Whether a list ended.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it did not.
    fn check_end(&self, shape: Shape, path: &Path) -> Result<()> {
        match shape {
            Shape::List if !self.is_closed => {
                Err(self.malformed(0, self.column, "the list does not end; the file is cut short", path))
            }
            _ => Ok(()),
        }
    }

    /// The error about a place so many lines after this one.
    fn malformed(&self, lines: u64, column: usize, reason: &str, path: &Path) -> Error {
        let reason = format!("line {}, column {}: {reason}", self.line + lines, column + 1);
        Error::Malformed { path: path.into(), reason }
    }
}
