//! Reads Arrow IPC: files (Feather of version 2) and streams.
//!
//! **Files** end with a list of their record batches, which are read side by side. **Streams** have
//! none: their messages are listed first, which reads only their heads. Only the buffers of wanted
//! columns are read; each must lie in its batch, unpack to the size it claims, and hold as many
//! values as the batch has rows. The format has no checksums but those of its compression.

mod batch;
mod schema;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use polars_arrow_format::ipc::planus::ReadAsRoot;
use polars_arrow_format::ipc::{DictionaryBatchRef, FooterRef, MessageHeaderRef, MessageRef, MetadataVersion};
use rayon::prelude::*;

use crate::error::Result;
use crate::store::formats::Format;
use crate::store::formats::arrow::column::{Column, Values, joined};
use crate::store::formats::arrow::region::Region;
use crate::store::formats::arrow::{self, Columns, are_too_many};
use crate::store::formats::ipc::batch::{Batch, Part};
use crate::store::formats::ipc::schema::{Dictionary, Leaf, Schema, invalid};

/// Arrow IPC, of which Feather is another name.
pub const FORMAT: Format = Format {
    name: "Arrow",
    endings: &["arrow", "feather", "ipc", "arrows"],
    recognises: |start| start.starts_with(MAGIC) || start.starts_with(&CONTINUED),
    read: |content, roles| arrow::read_content(content, roles, IpcFile::open),
    rows: |path, _, names, take| arrow::rows::each_row(path, IpcFile::open, names, take),
};

/// A file begins and ends so.
const MAGIC: &[u8] = b"ARROW1";
/// A message begins so, and with it a stream.
const CONTINUED: [u8; 4] = [255; 4];
/// Bytes that the first message of a file is preceded by.
const HEAD: u64 = 8;

/// An Arrow file or stream.
pub struct IpcFile {
    region: Region,
    schema: Schema,
    batches: Vec<Batch>,
    dictionaries: Vec<DictionaryBatch>,
}

/// Values of a dictionary.
struct DictionaryBatch {
    id: i64,
    batch: Batch,
    /// Whether they are added to those before, instead of replacing them.
    is_more: bool,
    /// Record batches that come before it, which it does not concern.
    before: usize,
}

/// A message: its head, and where its body is.
struct Message {
    head: Vec<u8>,
    body: Part,
    /// Where the next one begins.
    end: u64,
}

impl IpcFile {
    /// What `file` holds; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::error::Error::Malformed),
    /// [`Error::Read`](crate::error::Error::Read).
    pub fn open(file: File, path: &Path) -> Result<Self> {
        let region = Region::new(file, path)?;
        let start = region.read(0, region.length().min(HEAD))?;
        let mut ipc = Self { region, schema: Schema::default(), batches: Vec::new(), dictionaries: Vec::new() };
        if start.starts_with(MAGIC) {
            ipc.read_footer()?;
        } else {
            ipc.read_stream()?;
        }
        let rows = ipc.batches.iter().fold(0, |rows: u64, batch| rows.saturating_add(batch.rows as u64));
        if are_too_many(rows, ipc.region.length()) {
            return Err(ipc.region.damaged(format!("it says that it has {rows} rows")));
        }
        Ok(ipc)
    }

    /// Reads what a file says at its end.
    fn read_footer(&mut self) -> Result<()> {
        let cut = || self.region.damaged("its end, which lists its parts, is missing");
        let tail = MAGIC.len() as u64 + 4;
        let length = self.region.length().checked_sub(tail).ok_or_else(cut)?;
        let tail = self.region.read(length, tail)?;
        if !tail.ends_with(MAGIC) {
            return Err(cut());
        }
        let size = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        let start = length.checked_sub(size).ok_or_else(|| self.region.damaged("its end is longer than the file"))?;
        let bytes = self.region.read(start, size)?;
        let damaged = |how: String| self.region.damaged(how);
        let footer = FooterRef::read_as_root(&bytes).map_err(invalid).map_err(damaged)?;
        let schema = footer.schema().map_err(invalid).map_err(damaged)?;
        let schema = schema.ok_or_else(|| damaged("it lists no columns".into()))?;
        let version = footer.version().map_err(invalid).map_err(damaged)?;
        let schema = Schema::of(schema, version).map_err(damaged)?;
        let dictionaries = footer.dictionaries().map_err(invalid).map_err(damaged)?;
        let batches = footer.record_batches().map_err(invalid).map_err(damaged)?;
        let (mut found_batches, mut found_dictionaries) = (Vec::new(), Vec::new());
        for block in dictionaries.into_iter().flatten() {
            let message = self.message(block.offset().unsigned_abs(), start)?;
            found_dictionaries.push(self.dictionary(&message, 0)?);
        }
        for block in batches.into_iter().flatten() {
            let message = self.message(block.offset().unsigned_abs(), start)?;
            found_batches.push(self.batch(&message)?);
        }
        (self.schema, self.batches, self.dictionaries) = (schema, found_batches, found_dictionaries);
        Ok(())
    }

    /// Reads the heads of all messages of a stream.
    fn read_stream(&mut self) -> Result<()> {
        let end = self.region.length();
        let first = self.message(0, end)?;
        let damaged = |how: String| self.region.damaged(how);
        let schema = match header(&first.head).map_err(damaged)? {
            MessageHeaderRef::Schema(schema) => {
                let version = MessageRef::read_as_root(&first.head).and_then(|message| message.version());
                Schema::of(schema, version.map_err(invalid).map_err(damaged)?).map_err(damaged)?
            }
            _ => return Err(damaged("it does not begin with its columns".into())),
        };
        let (mut batches, mut dictionaries) = (Vec::new(), Vec::new());
        let mut at = first.end;
        while !self.is_end(at)? {
            let message = self.message(at, end)?;
            match header(&message.head).map_err(damaged)? {
                MessageHeaderRef::DictionaryBatch(_) => dictionaries.push(self.dictionary(&message, batches.len())?),
                _ => batches.push(self.batch(&message)?),
            }
            at = message.end;
        }
        (self.schema, self.batches, self.dictionaries) = (schema, batches, dictionaries);
        Ok(())
    }

    /// Whether the stream ends at `at`, with an empty message. The format lets it end where the
    /// file does as well, but so does one that was cut.
    fn is_end(&self, at: u64) -> Result<bool> {
        let bytes = self.region.read(at, 8.min(self.region.length().saturating_sub(at)))?;
        if bytes.is_empty() {
            return Err(self.region.damaged("the stream has no end; is it still being written?"));
        }
        Ok(bytes.starts_with(&[0; 4]) || bytes.starts_with(&[255, 255, 255, 255, 0, 0, 0, 0]))
    }

    /// The message at `at`, which ends before `end`.
    fn message(&self, at: u64, end: u64) -> Result<Message> {
        let damaged = |how: &str| self.region.damaged(how);
        let beyond = || damaged("a part of it lies beyond its end");
        let mut start = at;
        let mut size = self.region.read(start, 4)?;
        // Before version 0.15 a message began with its length.
        if size == CONTINUED {
            start += 4;
            size = self.region.read(start, 4)?;
        }
        let size = u64::from(u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
        let head = self.region.read(start + 4, size)?;
        let body = MessageRef::read_as_root(&head).and_then(|message| message.body_length());
        let body = body.map_err(|e| damaged(&invalid(e)))?;
        let length = u64::try_from(body).map_err(|_| damaged("a part of it has a negative size"))?;
        let start = start + 4 + size;
        let last = start.checked_add(length).filter(|last| *last <= end).ok_or_else(beyond)?;
        Ok(Message { head, body: Part { start, length }, end: last })
    }

    fn batch(&self, message: &Message) -> Result<Batch> {
        let damaged = |how: String| self.region.damaged(how);
        match header(&message.head).map_err(damaged)? {
            MessageHeaderRef::RecordBatch(batch) => {
                Batch::of(batch, message.body, self.region.length()).map_err(damaged)
            }
            _ => Err(damaged("a part of it holds no rows where there should be some".into())),
        }
    }

    fn dictionary(&self, message: &Message, before: usize) -> Result<DictionaryBatch> {
        let damaged = |how: String| self.region.damaged(how);
        let MessageHeaderRef::DictionaryBatch(found) = header(&message.head).map_err(damaged)? else {
            return Err(damaged("a part of it holds no dictionary where there should be one".into()));
        };
        let parse = |found: DictionaryBatchRef| {
            let batch = found.data().map_err(invalid)?.ok_or("a dictionary is empty")?;
            let batch = Batch::of(batch, message.body, self.region.length())?;
            let (id, is_more) = (found.id().map_err(invalid)?, found.is_delta().map_err(invalid)?);
            Ok(DictionaryBatch { id, batch, is_more, before })
        };
        parse(found).map_err(damaged)
    }

    fn column(&self, block: usize, name: &str) -> Result<Column> {
        let batch = &self.batches[block];
        let decoded = match self.find(name) {
            Found::Leaf(leaf) => self.leaf(block, leaf),
            Found::Nested(kind) => Ok(Column::new(Values::Other(kind, batch.rows))),
            Found::Nothing => Err("it is not there".into()),
        };
        decoded.map_err(|how| self.region.damaged(format!("column '{name}': {how}")))
    }

    fn leaf(&self, block: usize, leaf: &Leaf) -> Result<Column, String> {
        let batch = &self.batches[block];
        let mut column = batch.column(leaf.kind, leaf.place, &self.region)?;
        if let Some(dictionary) = &leaf.dictionary {
            column = keyed(&column, self.values(dictionary, block)?)?;
        }
        for group in &leaf.groups {
            column = column.and(batch.valid(*group, &self.region)?.as_ref());
        }
        Ok(column)
    }

    /// The values of a dictionary as they are for a block.
    fn values(&self, dictionary: &Dictionary, block: usize) -> Result<Column, String> {
        let concerns = |other: &&DictionaryBatch| other.id == dictionary.id && other.before <= block;
        let mut parts = Vec::new();
        for found in self.dictionaries.iter().filter(concerns) {
            if !found.is_more {
                parts.clear();
            }
            parts.push(&found.batch);
        }
        let decode = |batch: &&Batch| {
            let column = batch.column(dictionary.kind, schema::Place::default(), &self.region)?;
            if column.rows() == batch.rows { Ok(column) } else { Err("a dictionary has another length".to_string()) }
        };
        let parts = parts.iter().map(decode).collect::<Result<Vec<_>, String>>()?;
        joined(parts).ok_or_else(|| "its dictionary is missing".into())
    }

    fn find(&self, name: &str) -> Found<'_> {
        let literal = self.schema.leaves.iter().find(|leaf| leaf.path.len() == 1 && leaf.path[0] == name);
        let nested = || self.schema.nested.iter().find(|(other, _)| other == name);
        let dotted = || self.schema.leaves.iter().find(|leaf| leaf.path.join(".") == name);
        match literal {
            Some(leaf) => Found::Leaf(leaf),
            None => match nested() {
                Some((_, kind)) => Found::Nested(kind),
                None => dotted().map_or(Found::Nothing, Found::Leaf),
            },
        }
    }
}

/// What a name stands for.
enum Found<'a> {
    Leaf(&'a Leaf),
    Nested(&'static str),
    Nothing,
}

impl Columns for IpcFile {
    fn path(&self) -> &Path {
        self.region.path()
    }

    fn names(&self) -> Vec<String> {
        let fields = self.schema.leaves.iter().map(|leaf| leaf.path.join("."));
        let lists = self.schema.nested.iter().filter(|(_, kind)| *kind != schema::GROUP).map(|(name, _)| name.clone());
        fields.chain(lists).collect()
    }

    fn times(&self, name: &str) -> usize {
        let schema = &self.schema;
        let literal = schema.leaves.iter().filter(|leaf| leaf.path.len() == 1 && leaf.path[0] == name).count();
        let times = literal + schema.nested.iter().filter(|(other, _)| other == name).count();
        if times > 0 { times } else { schema.leaves.iter().filter(|leaf| leaf.path.join(".") == name).count() }
    }

    fn blocks(&self) -> Vec<usize> {
        self.batches.iter().map(|batch| batch.rows).collect()
    }

    fn read(&self, block: usize, names: &[String]) -> Result<Vec<Column>> {
        let columns: Vec<_> = names.par_iter().map(|name| self.column(block, name)).collect();
        columns.into_iter().collect()
    }
}

/// The cells that `keys` point to in `of`.
fn keyed(keys: &Column, of: Column) -> Result<Column, String> {
    let length = of.rows();
    let of = Arc::new(of);
    let valid = keys.valid.clone();
    let key = |row: usize| {
        if valid.as_ref().is_some_and(|valid| !valid.get_bit(row)) {
            return Ok(0);
        }
        let key = match &keys.values {
            Values::Wholes(wholes) => usize::try_from(wholes[row]).ok(),
            Values::Large(wholes) => usize::try_from(wholes[row]).ok(),
            _ => None,
        };
        let key = key.filter(|key| *key < length).and_then(|key| u32::try_from(key).ok());
        key.ok_or("a cell points beyond its dictionary")
    };
    let found = (0..keys.rows()).map(key).collect::<Result<Vec<_>, _>>()?;
    Ok(Column { values: Values::Keyed(found, of), valid })
}

fn header(head: &[u8]) -> Result<MessageHeaderRef<'_>, String> {
    let message = MessageRef::read_as_root(head).map_err(invalid)?;
    if message.version().map_err(invalid)? < MetadataVersion::V4 {
        return Err("it is of a version of Arrow before 0.8".into());
    }
    message.header().map_err(invalid)?.ok_or_else(|| "a part of it has no content".into())
}
