//! Reads runs from JSON: one object a line, objects one after the other, or a list of objects;
//! every message with its place.
//!
//! **Which.** The first value decides. A list is one of runs. An object that fills its line begins
//! JSON Lines; an object over several lines, or several on a line, begins a sequence of objects, as
//! `jq` writes them. An object with `groups` and with the name of a factor or metric is a
//! [summary](levels::read_json): a table of levels.
//!
//! **Values.** Numbers, and text that is one, as in CSV; `NaN` and the infinities as Python writes
//! them, which standard JSON lacks. Values that nobody asked for must be JSON, but may be anything.
//! A last line that is not whole is left out and counted: a program that was stopped wrote half of
//! it. A list that does not end is refused.
//!
//! **Speed and memory.** The stream is cut between objects, and the blocks are read on all threads
//! while the next ones are cut and hashed. Rows keep their order. Memory: the columns and a few
//! blocks; an object takes at most [`LONGEST`](blocks::LONGEST) bytes.
//!
//! - [`blocks`]: cuts the stream.
//! - [`objects`]: walks through the objects of a block.
//! - [`rows`]: gives whole objects as rows.
//! - [`fields`]: finds the wanted columns in an object.
//! - [`text`]: takes JSON apart.

pub mod blocks;
pub mod fields;
pub mod objects;
mod rows;
pub mod text;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::data::{Data, Exclusion, LevelSummaries, Outcome, Place, Problem, Reading, Roles, RunTableBuilder, survey};
use crate::error::{Error, Result};
use crate::store::formats::Format;
use crate::store::formats::content::{Content, DigestOf};
use crate::store::formats::csv::layout::listed;
use crate::store::formats::json::blocks::{Block, Blocks, Shape, mark};
use crate::store::formats::json::fields::{Fields, cell_of, names_of};
use crate::store::formats::json::objects::{AFTER_THE_END, Failure, Stop, Walked, walk};
use crate::store::formats::json::text::{Fault, Text};
use crate::store::formats::levels;

/// JSON Lines.
pub const LINES: Format = Format {
    name: "JSON Lines",
    endings: &["jsonl", "ndjson"],
    recognises: is_json,
    read: read_content,
    rows: rows::each_row,
};

/// Other JSON: a folder does not contribute it, because most of it is something else.
pub const FORMAT: Format =
    Format { name: "JSON", endings: &["json"], recognises: is_json, read: read_content, rows: rows::each_row };

/// Runs of each block but the first whose other members are looked at.
const SURVEYED: usize = 100;

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
    // The list of groups may be longer than what is there of it: the value is looked at before it
    // is passed.
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
    // What is only looked at besides is taken to be in every object or in none.
    let reading = Reading::new(roles, |column| names.iter().any(|name| name == column));
    let reader = Reader { reading: Arc::new(reading), shape: blocks.shape };
    let mut rows = RunTableBuilder::new(Arc::clone(&reader.reading));
    let mut place = Position::new();
    let mut batch = blocks.batch().map_err(Error::read(path))?;
    while !batch.is_empty() {
        let read = || batch.par_iter().map(|block| reader.rows_of(block)).collect::<Vec<_>>();
        let (next, read) = rayon::join(|| blocks.batch(), read);
        for BlockRows { builder, walked } in read {
            if let Some(Failure::Object((problem, at))) = walked.failure {
                return Err(problem.at(at.after(place.line, rows.read()), path));
            }
            rows.append(builder, place.line);
            place.pass(&walked, path)?;
        }
        blocks.take_back(batch);
        batch = next.map_err(Error::read(path))?;
    }
    place.check_end(reader.shape, path)?;
    if let Some(column) = rows.missing().filter(|_| rows.read() > 0) {
        let (column, available) = (column.to_string(), listed(names));
        return Err(match (rows.read(), reader.shape) {
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

/// What is the same for all blocks.
struct Reader {
    reading: Arc<Reading>,
    shape: Shape,
}

impl Reader {
    fn rows_of(&self, block: &Block) -> BlockRows {
        let mut builder = RunTableBuilder::new(Arc::clone(&self.reading));
        let mut fields = Fields::new(self.reading.names());
        let mut surveyed = match block.is_first {
            _ if self.reading.is_trainers() => 0,
            true => survey::ROWS,
            false => SURVEYED,
        };
        let walked = walk(block, self.shape, |text, place| {
            let start = text.at();
            fields.read(text)?;
            match fields.with_cells(|cells| builder.push(cells, || place.clone())) {
                Ok(Outcome::Kept(level, _)) if surveyed > 0 => {
                    surveyed -= 1;
                    Ok(self.survey(&mut builder, text.since(start), level)?)
                }
                Ok(_) => Ok(()),
                Err(problem) => Err(Stop::Error((problem, place))),
            }
        });
        if let Some(torn) = &walked.torn {
            builder.leave_out(Exclusion::TornLine, || torn.clone());
        }
        BlockRows { builder, walked }
    }

    /// Looks at the members of an object that nobody asked for.
    fn survey(&self, builder: &mut RunTableBuilder, object: &[u8], level: f64) -> Result<(), Fault> {
        let mut place = 0;
        Text::new(object, 0).object(|key, value| {
            let name = key.text();
            let name = String::from_utf8_lossy(&name);
            if !self.reading.knows(&name) {
                builder.survey(&name, place, level, cell_of(value));
            }
            place += 1;
            Ok(())
        })
    }
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
            fields.with_cells(|cells| take(&place, cells)).map_err(Stop::Error)
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
    while let Some(block) = blocks.next_block().map_err(Error::read(path))? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::formats;
    use proptest::prelude::*;

    #[test]
    fn json_is_known_by_its_beginning() {
        for start in ["{", " \n{\"a\"", "\u{feff}[", "[ {", "[1", "[]"] {
            assert!(is_json(start.as_bytes()), "{start}");
        }
        for start in ["", "a,b", "[a],b", "(1)", "\"a\",b"] {
            assert!(!is_json(start.as_bytes()), "{start}");
        }
    }

    #[test]
    fn a_summary_is_known_before_its_groups_end() {
        for (start, is_so) in [
            ("{\"factor\":\"lr\",\"metric\":\"loss\",\"groups\":[{\"level\":1", true),
            ("{\"metric\":\"loss\",\"groups\":[]}", true),
            ("{\"groups\":[1],\"metric\":0.5}", false),
            ("{\"groups\":2,\"metric\":\"loss\"}", false),
            ("{\"factor\":\"lr\",\"metric\":\"loss\"}", false),
            ("[{\"metric\":\"loss\",\"groups\":[]}]", false),
        ] {
            assert_eq!(is_summary(start.as_bytes()), is_so, "{start}");
        }
    }

    const SEEDS: [&str; 5] = [
        "{\"lr\":0.1,\"loss\":1.5,\"who\":\"a\\u00e9\\\"\"}\n{\"lr\":0.2,\"loss\":NaN,\"seed\":7}\n\n{\"loss\":null,\"lr\":\"3\"}\n",
        "[{\"lr\":0.1,\"loss\":1.5},\n {\"lr\":{\"a\":[1,-2e3]},\"loss\":true}]\n",
        "{\n\"lr\":0.1,\n\"loss\":1.5}\n{\"lr\":-Infinity,\"loss\":1}",
        "{\"factor\":\"lr\",\"metric\":\"loss\",\"groups\":[{\"level\":1,\"n\":2,\"mean\":3,\"std_dev\":1,\"min\":2,\"max\":4}]}",
        "[{\"level\":1,\"n\":2,\"mean\":3,\"std_dev\":1},{\"level\":2,\"n\":1,\"mean\":3,\"std_dev\":null}]",
    ];

    fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
        let piece = prop_oneof![
            "[\"{}\\[\\],:0-9eE.\\-\\\\ tfnuNI\n]{0,3}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..3),
            Just(b"1e999".to_vec()),
            Just(vec![b'9'; 400]),
        ];
        (any::<prop::sample::Index>(), 0..4_usize, piece)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn no_text_breaks_the_reader(seed in prop::sample::select(&SEEDS[..]), edits in prop::collection::vec(edit(), 0..6)) {
            let mut bytes = seed.as_bytes().to_vec();
            for (at, removed, piece) in edits {
                let at = at.index(bytes.len() + 1);
                let end = bytes.len().min(at + removed);
                bytes.splice(at..end, piece);
            }
            let content = Content::of_bytes(&bytes, Path::new("f"));
            if let Ok(Data::Runs(table)) = content.and_then(|content| formats::read(content, &Roles::new("lr", "loss"))) {
                prop_assert!(table.ledger.used() <= table.ledger.read);
                prop_assert!(table.ledger.read <= bytes.len() as u64 / 2);
            }
        }
    }
}
