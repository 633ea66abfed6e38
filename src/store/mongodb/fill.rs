//! Fills two columns from documents: one walk over each, numbers and what is kept besides.
//!
//! Accepted numbers: Double, Int32, Int64, Decimal128 (rounded to the nearest double). A missing or
//! null field is empty; a field of any other type is counted as such, with the `_id` of the first.
//!
//! **Digest.** The SHA-256 of a collection is that of level and metric of every run used, each 8
//! bytes (little-endian), in the order of `_id`: the same with and without a projection, and a
//! sixth of the bytes of the documents, whose hashing would be the largest part of reading them.

use std::path::Path;
use std::sync::Arc;

use ::mongodb::bson::Bson;
use ::mongodb::bson::raw::{RawBsonRef, RawDocument};
use sha2::{Digest, Sha256};

use crate::data::builder::Mark;
use crate::data::{Cell, Outcome, Place, Reading, Roles, RunTable, RunTableBuilder};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::store::mongodb::Location;
use crate::store::mongodb::fields::Fields;

/// Names of the first fields of `document`, for messages.
pub(super) fn field_names(document: &RawDocument) -> String {
    let keys = document.iter_elements().take(20).flatten();
    keys.map(|element| format!("'{}'", excerpt(element.key().as_str()))).collect::<Vec<_>>().join(", ")
}

/// Rows for which room is made beforehand, at most.
const MOST_RESERVED: u64 = 1 << 25;

/// The rows that are being filled.
pub(super) struct Rows {
    location: Location,
    builder: RunTableBuilder,
    fields: Fields,
    /// Names of the fields of the first document, for messages.
    available: String,
    digest: Sha256,
    bytes: u64,
    /// Documents that the server filtered out.
    filtered: u64,
}

/// How far [`Rows`] have come, so that they can go back there.
pub(super) struct RowsMark {
    builder: Mark,
    available: String,
    digest: Sha256,
    bytes: u64,
}

impl RowsMark {
    /// Documents before it.
    pub(super) fn read(&self) -> u64 {
        self.builder.read()
    }
}

impl Rows {
    pub(super) fn of(roles: &Roles, location: &Location) -> Self {
        let reading = Reading::of_documents(roles);
        Self {
            fields: Fields::of(reading.names().iter().map(String::as_str)),
            builder: RunTableBuilder::new(Arc::new(reading)),
            location: location.clone(),
            available: String::new(),
            digest: Sha256::new(),
            bytes: 0,
            filtered: 0,
        }
    }

    /// Makes room for `documents`, so that the columns need not be moved as they grow. Room that is
    /// not used costs nothing.
    pub(super) fn reserve(&mut self, documents: u64) {
        self.builder.reserve(documents.min(MOST_RESERVED) as usize);
    }

    /// The fields that are looked at.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.fields.wanted().iter().map(String::as_str)
    }

    /// Documents so far.
    pub(super) fn read(&self) -> u64 {
        self.builder.read()
    }

    /// Documents so far that no condition filtered out.
    pub(super) fn selected(&self) -> u64 {
        self.builder.read() - self.builder.filtered()
    }

    /// The columns that some document must have.
    pub(super) fn required(&self) -> &[String] {
        self.builder.required()
    }

    /// Where it is now.
    pub(super) fn mark(&self) -> RowsMark {
        let (available, digest) = (self.available.clone(), self.digest.clone());
        RowsMark { builder: self.builder.mark(), available, digest, bytes: self.bytes }
    }

    /// Forgets all documents after `mark`.
    pub(super) fn go_back_to(&mut self, mark: RowsMark) {
        self.builder.go_back_to(mark.builder);
        (self.available, self.digest, self.bytes) = (mark.available, mark.digest, mark.bytes);
    }

    /// Counts those of the documents that the user's own filter matches, `all` of them, that did
    /// not come.
    pub(super) fn note_filtered(&mut self, all: u64) {
        self.filtered = all.saturating_sub(self.read());
    }

    /// Adds a document.
    pub(super) fn take(&mut self, document: &RawDocument) -> Result<()> {
        if self.builder.read() == 0 {
            self.available = field_names(document);
        }
        let mut cells = vec![Cell::Absent; self.fields.wanted().len()];
        let ids: Vec<(usize, String)>;
        if self.fields.walk(document, |number, value| cells[number] = cell_of(value)).is_none() {
            let damaged = |reason: String| Error::Database { place: self.location.to_string(), reason };
            let found = self.fields.found_by_library(document).map_err(|e| damaged(e.to_string()))?;
            for (number, value) in &found {
                cells[*number] = cell_of(*value);
            }
            // An identifier is a text that no cell of a document holds.
            let id = |(number, value): &(usize, RawBsonRef)| Some((*number, value.as_object_id()?.to_hex()));
            ids = found.iter().filter_map(id).collect();
            for (number, id) in &ids {
                cells[*number] = Cell::Text(id.as_bytes());
            }
        }
        let place = || {
            let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
            Place::Document(id.map_or("absent".into(), |id| excerpt(&id.to_string())))
        };
        let namespace = self.location.namespace();
        let outcome = self.builder.push(&cells, place).map_err(|e| e.at(place(), Path::new(&namespace)))?;
        if let Outcome::Kept(level, metric) = outcome {
            self.note_digest([level, metric]);
        }
        Ok(())
    }

    /// Adds the numbers of a run to what identifies the input.
    fn note_digest(&mut self, [factor, metric]: [f64; 2]) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&factor.to_le_bytes());
        bytes[8..].copy_from_slice(&metric.to_le_bytes());
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The table of all of them.
    pub(super) fn finish(mut self) -> Result<RunTable> {
        let label = self.location.to_string();
        let path = Path::new(&label);
        // Where the server filtered all documents out, it was asked which columns there are.
        if let Some(column) = self.builder.missing().filter(|_| self.read() > 0) {
            let (column, available) = (column.to_string(), self.available);
            return Err(Error::MissingColumn { path: path.into(), column, available });
        }
        self.builder.leave_out_elsewhere(self.filtered);
        self.builder.finish(InputDigest::new(path, self.bytes, self.digest), path)
    }

    /// The same, when more may come.
    pub(super) fn table(&self) -> Result<RunTable> {
        let Self { location, builder, fields: _, available, digest, bytes, filtered } = self;
        let (location, builder) = (location.clone(), builder.clone());
        let (available, digest, bytes, filtered) = (available.clone(), digest.clone(), *bytes, *filtered);
        Self { location, builder, fields: Fields::default(), available, digest, bytes, filtered }.finish()
    }
}

/// A value as a cell.
fn cell_of(value: RawBsonRef<'_>) -> Cell<'_> {
    match value {
        RawBsonRef::Double(number) => Cell::Number(number),
        RawBsonRef::Int32(number) => Cell::Whole(number.into()),
        RawBsonRef::Int64(number) => Cell::Whole(number.into()),
        // Its text is a number, NaN, Infinity or -Infinity, all of which Rust reads.
        RawBsonRef::Decimal128(number) => number.to_string().parse().map_or(Cell::Other("a decimal"), Cell::Number),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Cell::Text(text.as_bytes()),
        RawBsonRef::Boolean(is_so) => Cell::Bool(is_so),
        RawBsonRef::Null | RawBsonRef::Undefined => Cell::Missing,
        _ => Cell::Other("neither a number nor text"),
    }
}

#[cfg(test)]
mod tests {
    use ::mongodb::bson::rawdoc;

    use super::*;
    use crate::data::blocks::{NO_BLOCK, key_of_text};
    use crate::store::mongodb::Choice;

    fn rows(pair: Option<&str>) -> Rows {
        let roles = Roles { pair: pair.map(Into::into), ..Roles::new("dropout", "loss") };
        Rows::of(&roles, &Location::of("mongodb://localhost", &Choice::default()).unwrap())
    }

    /// The columns of blocks with their keys.
    fn blocks(rows: Rows) -> Vec<(String, Vec<u64>)> {
        let table = rows.finish().unwrap();
        table.blocks().into_iter().map(|(name, keys)| (name.to_string(), keys.into_owned())).collect()
    }

    #[test]
    fn keys_are_those_of_a_file_of_the_same_runs() {
        let mut rows = rows(Some("host"));
        for document in [
            rawdoc! { "dropout": 0.1, "loss": 1.0, "host": 7 },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": 7.0 },
            rawdoc! { "dropout": f64::NAN, "loss": 1.0, "host": "left out" },
            rawdoc! { "host": " a ", "dropout": 0.1, "loss": 2.0 },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": null },
            rawdoc! { "dropout": 0.1, "loss": 2.0 },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": i64::MAX },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": [1] },
        ] {
            rows.take(&document).unwrap();
        }
        let mark = rows.mark();
        rows.take(&rawdoc! { "dropout": 0.1, "loss": 2.0, "host": "later" }).unwrap();
        rows.go_back_to(mark);
        let [seven, a, largest] = ["7", "a", "9223372036854775807"].map(key_of_text);
        let keys = vec![seven, seven, a, NO_BLOCK, NO_BLOCK, largest, NO_BLOCK];
        assert_eq!(blocks(rows), [("host".to_string(), keys)]);
    }

    #[test]
    fn candidates_are_kept_where_some_document_has_them_and_none_is_of_the_trainer() {
        let foreign = rawdoc! { "dropout": 0.1, "loss": 1.0, "seed": "s", "hidden_std_dev": 0.5 };
        let mut some = rows(None);
        some.take(&foreign).unwrap();
        assert_eq!(blocks(some), [("seed".to_string(), vec![key_of_text("s")])]);
        let mut mixed = rows(None);
        mixed.take(&foreign).unwrap();
        mixed.take(&rawdoc! { "dropout": 0.1, "loss": 1.0, "seed": 1, "hidden_std_dev": 0.5, "draw": 3 }).unwrap();
        mixed.take(&foreign).unwrap();
        assert_eq!(blocks(mixed), []);
    }

    #[test]
    fn a_named_field_that_no_document_has_is_missing() {
        let mut rows = rows(Some("host"));
        rows.take(&rawdoc! { "dropout": 0.1, "loss": 1.0 }).unwrap();
        let error = rows.finish().unwrap_err();
        assert!(error.to_string().contains("no column named 'host'; it has 'dropout', 'loss'"), "{error}");
    }
}
