//! Copies: documents as rows of cells, rows as documents, documents as they are.

use std::collections::HashSet;
use std::hash::BuildHasher;

use ::mongodb::Collection;
use ::mongodb::bson::raw::{CStr, CString, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use ::mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use ::mongodb::options::{Acknowledgment, CollectionOptions, WriteConcern};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::store::mongodb::failure::{Patience, only_duplicates, passes};
use crate::store::mongodb::read::each_batch;
use crate::store::mongodb::{Location, Server};
use crate::store::rows::cell::{Cell, is_exact, json_text};
use crate::store::rows::{Copied, Names, ROWS_AT_A_TIME, Repeated, Rows};
use crate::sweep::{DEFAULT_METRIC, SETTING_COLUMNS, SOLVED_BELOW};

/// Gives the documents at `location` as rows.
///
/// # Errors
/// Those of reading.
pub fn each_row(location: &Location, names: &mut Names, take: Rows) -> Result<()> {
    let server = Server::connect(location)?;
    let mut any = false;
    each_batch(&server, &location.filter, None, |documents| {
        any = true;
        let rows = documents.iter().map(|document| row_of(document, names)).collect::<Result<_, _>>();
        let rows = rows.map_err(|reason| Error::Database { place: location.to_string(), reason })?;
        take(names, rows)
    })?;
    if any { Ok(()) } else { Err(server.nothing_found()) }
}

fn row_of(document: &RawDocument, names: &mut Names) -> Result<Vec<Cell>, String> {
    let mut row = vec![Cell::Absent; names.names().len()];
    for element in document.iter_elements() {
        let element = element.map_err(|e| e.to_string())?;
        let place = names.place(element.key().as_str());
        row.resize(names.names().len(), Cell::Absent);
        row[place] = match element.value().map_err(|e| e.to_string())? {
            RawBsonRef::Double(number) => Cell::Number(number),
            RawBsonRef::Int32(number) => Cell::Whole(number.into()),
            RawBsonRef::Int64(number) => Cell::Whole(number.into()),
            RawBsonRef::Decimal128(number) => match number.to_string() {
                // NaN and the infinities are no decimals of JSON.
                text if text.ends_with(|end: char| end.is_ascii_digit()) => Cell::Decimal(text),
                text => Cell::of_text(&text),
            },
            RawBsonRef::Boolean(is_so) => Cell::Bool(is_so),
            RawBsonRef::Null | RawBsonRef::Undefined => Cell::Empty,
            RawBsonRef::String(text) => Cell::Text(text.to_string()),
            RawBsonRef::ObjectId(id) => Cell::Text(id.to_hex()),
            RawBsonRef::DateTime(moment) => match moment.try_to_rfc3339_string() {
                Ok(text) => Cell::Text(text),
                Err(_) => Cell::Json(json_of(&Bson::DateTime(moment))),
            },
            other => Cell::Json(json_of(&Bson::try_from(other).map_err(|e| e.to_string())?)),
        };
    }
    Ok(row)
}

/// `value` as JSON, with the names that the driver has for types that JSON lacks.
fn json_of(value: &Bson) -> String {
    match value {
        Bson::Document(document) => {
            let members = document.iter().map(|(key, value)| format!("{}:{}", json_text(key), json_of(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Bson::Array(values) => format!("[{}]", values.iter().map(json_of).collect::<Vec<_>>().join(",")),
        Bson::Double(number) => Cell::Number(*number).to_json(),
        // What the driver made it can write.
        other => serde_json::to_string(other).unwrap_or_else(|_| json_text(&other.to_string())),
    }
}

/// Copies documents unchanged. What is there already, by `_id`, stays as it is.
///
/// # Errors
/// Those of reading and writing.
pub fn copy_documents(from: &Location, to: &Location, mut progress: impl FnMut(u64)) -> Result<Copied> {
    if from.host == to.host && from.namespace() == to.namespace() {
        let reason = "source and target are the same collection".into();
        return Err(Error::Usage { what: "target", given: to.to_string(), reason });
    }
    let source = Server::connect(from)?;
    let target = Inserter::open(to)?;
    let (mut read, mut written) = (0, 0);
    each_batch(&source, &from.filter, None, |documents| {
        let documents: Vec<RawDocumentBuf> = documents.iter().map(|document| (*document).to_owned()).collect();
        // Between the first and the last `_id` of a batch there may be documents of others: they
        // are asked for by name.
        for documents in documents.chunks(ROWS_AT_A_TIME) {
            target.insert(documents)?;
            written += target.count_of(documents)?;
        }
        read += documents.len() as u64;
        progress(documents.len() as u64);
        Ok(())
    })?;
    if read == 0 {
        return Err(source.nothing_found());
    }
    Ok(Copied { read, written, place: to.to_string(), repeated: Repeated::default() })
}

/// Writes documents, durably, and goes on after failures that pass.
pub struct Inserter {
    server: Server,
    documents: Collection<RawDocumentBuf>,
}

impl Inserter {
    /// Connects.
    ///
    /// # Errors
    /// Those of connecting.
    pub fn open(location: &Location) -> Result<Self> {
        let server = Server::connect(location)?;
        let documents = durable(&server, &location.collection);
        Ok(Self { server, documents })
    }

    /// Inserts batch after batch. Of a copy that goes on, batches that are there are not sent
    /// again.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn insert_each(&self, batches: impl Iterator<Item = Vec<RawDocumentBuf>>) -> Result<()> {
        let mut is_partly_there = self.estimate()? > 0;
        for documents in batches {
            let there = if is_partly_there { self.count_of(&documents)? } else { 0 };
            // After the first of which nothing is there, nothing is. The driver refuses to send
            // nothing.
            is_partly_there = there > 0;
            if there < documents.len() as u64 {
                self.insert(&documents)?;
            }
        }
        Ok(())
    }

    fn insert(&self, documents: &[RawDocumentBuf]) -> Result<()> {
        let mut patience = Patience::of(&self.server.location);
        loop {
            match self.server.attempt(self.documents.insert_many(documents).ordered(false)) {
                Err(e) if passes(&e) && patience.lasts() => {}
                Err(e) if !only_duplicates(&e) => return patience.over(&self.server.location, self.server.failure(&e)),
                _ => return Ok(()),
            }
        }
    }

    fn count(&self, filter: &Document) -> Result<u64> {
        self.server.insist(|| self.documents.count_documents(filter.clone()))
    }

    /// How many of `documents` are there, by their `_id`s.
    fn count_of(&self, documents: &[RawDocumentBuf]) -> Result<u64> {
        let id = |document: &RawDocumentBuf| document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
        let ids: Vec<Bson> = documents.iter().filter_map(id).collect();
        self.count(&doc! { "_id": { "$in": ids } })
    }

    /// How many documents the collection holds, by its metadata.
    fn estimate(&self) -> Result<u64> {
        self.server.insist(|| self.documents.estimated_document_count())
    }
}

/// The collection, with writes acknowledged by a majority and in the journal unless the URI says
/// otherwise.
pub(super) fn durable<T: Send + Sync>(server: &Server, name: &str) -> Collection<T> {
    let usual = server.database().collection(name);
    if usual.write_concern().is_some() {
        return usual;
    }
    let concern = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    let options = CollectionOptions::builder().write_concern(concern).build();
    server.database().collection_with_options(name, options)
}

/// Makes the rows of one file documents.
///
/// The `_id` of a row is that of its column `_id`; else, of a run of the trainer, one that follows
/// from what it is, so that the same runs are there once whether they come from CSV or Parquet;
/// else `FILE-ROW`, where FILE is the beginning of the file's SHA-256. So a copy that is run again
/// adds nothing twice.
pub struct Documents {
    file: String,
    /// Where they go, for messages.
    place: String,
    /// Documents made, and those of them with an `_id` of their own.
    made: u64,
    own_ids: u64,
    /// The hashes of those, 8 bytes each: two of four million are the same once in two million
    /// copies.
    seen: HashSet<u64>,
    repeated: Repeated,
}

impl Documents {
    /// For the file whose SHA-256 begins with `file`, to go to `to`.
    pub fn of_file(file: &str, to: &Location) -> Self {
        let place = to.to_string();
        Self { file: file.into(), place, made: 0, own_ids: 0, seen: HashSet::new(), repeated: Repeated::default() }
    }

    /// Rows that were left out because an earlier one has the same `_id`.
    pub fn repeated(&self) -> &Repeated {
        &self.repeated
    }

    fn ids(&self) -> Document {
        doc! { "_id": { "$gte": format!("{}-", self.file), "$lt": format!("{}.", self.file) } }
    }

    /// `rows` as documents, of which the first is row `first` of the file.
    ///
    /// # Errors
    /// [`Error::Database`] for a column name that MongoDB does not take.
    pub fn of(&mut self, names: &Names, first: u64, rows: &[Vec<Cell>]) -> Result<Vec<RawDocumentBuf>> {
        let bad = |name: &str| Error::Database {
            place: self.place.clone(),
            reason: format!("a field cannot be named {name:?}"),
        };
        let keys: Vec<CString> = names
            .names()
            .iter()
            .map(|name| CString::try_from(name.as_str()).map_err(|_| bad(name)))
            .collect::<Result<_>>()?;
        let id = names.names().iter().position(|name| name == "_id");
        let of_run = identity_places(names);
        let mut documents = Vec::with_capacity(rows.len());
        for (row, cells) in (first..).zip(rows) {
            let given = id.and_then(|place| cells.get(place)).filter(|cell| !cell.is_nothing());
            let own = given.cloned().or_else(|| Some(Cell::Text(identity(cells, of_run.as_ref()?)?)));
            if let Some(own) = &own {
                if !self.seen.insert(self.seen.hasher().hash_one(own.to_text())) {
                    if self.repeated.rows == 0 {
                        self.repeated.first = format!("row {}, _id {}", row + 1, excerpt(&own.to_text()));
                    }
                    self.repeated.rows += 1;
                    continue;
                }
                self.own_ids += 1;
            }
            let own = own.unwrap_or_else(|| Cell::Text(format!("{}-{row:012x}", self.file)));
            let mut document = RawDocumentBuf::new();
            append(&mut document, cstr!("_id"), &own, given.is_some());
            for (place, (key, cell)) in keys.iter().zip(cells).enumerate() {
                if Some(place) != id {
                    append(&mut document, key, cell, false);
                }
            }
            documents.push(document);
        }
        self.made += documents.len() as u64;
        Ok(documents)
    }

    /// How many of them `to` holds.
    ///
    /// # Errors
    /// Those of reading.
    pub fn count(&self, to: &Inserter) -> Result<u64> {
        // All were acknowledged: if it holds no more documents than that, they are these, and need
        // not be counted one by one.
        if to.estimate()? == self.made {
            return Ok(self.made);
        }
        Ok(self.own_ids + to.count(&self.ids())?)
    }
}

/// The columns that say which run of the trainer a row is: settings, replicate, and what else
/// defines it with its loss, so that two rows that differ in that are never one.
const IDENTITY: [&str; 9] = {
    let [hidden, output, epochs, rate] = SETTING_COLUMNS;
    [hidden, output, epochs, rate, "replicate", "seed", "draw", SOLVED_BELOW, DEFAULT_METRIC]
};

/// Where they are; nothing if any of them is missing.
fn identity_places(names: &Names) -> Option<[usize; 9]> {
    let mut places = [0; 9];
    for (place, wanted) in places.iter_mut().zip(IDENTITY) {
        *place = names.names().iter().position(|name| name == wanted)?;
    }
    Some(places)
}

/// The `_id` of the run in the row `cells`: `run-REPLICATE-SETTINGS-DIGEST`, whose order is that of
/// a sweep, for collections are read by `_id`; settings to four digits, the digest of all. Nothing
/// for a row that lacks a number.
fn identity(cells: &[Cell], places: &[usize; 9]) -> Option<String> {
    let mut numbers = [0.0; 9];
    for (number, place) in numbers.iter_mut().zip(places) {
        *number = match cells.get(*place)? {
            // A Parquet file has 1.0 where a CSV file may have 1.
            Cell::Whole(whole) => *whole as f64,
            Cell::Number(number) => *number,
            _ => return None,
        } + 0.0;
    }
    let mut digest = Sha256::new_with_prefix("initsweep run 1");
    numbers.iter().for_each(|number| digest.update(number.to_bits().to_be_bytes()));
    let [hidden, output, epochs, rate, replicate, ..] = numbers;
    let mut id = format!("run-{:08x}-", replicate as u64);
    // Of numbers above 0 the leading bits have their order.
    [hidden, output, epochs, rate].iter().for_each(|number| id.push_str(&format!("{:06x}", number.to_bits() >> 39)));
    id.push('-');
    digest.finalize().iter().take(8).for_each(|byte| id.push_str(&format!("{byte:02x}")));
    Some(id)
}

fn append(document: &mut RawDocumentBuf, key: impl AsRef<CStr>, cell: &Cell, is_id: bool) {
    match cell {
        Cell::Absent => {}
        // Rather than absent, so that a copy of the copy has the column even if it is empty
        // everywhere.
        Cell::Empty => document.append(key, RawBson::Null),
        Cell::Whole(whole) => match i64::try_from(*whole) {
            Ok(whole) => document.append(key, whole),
            Err(_) => match whole.to_string().parse::<::mongodb::bson::Decimal128>() {
                Ok(decimal) => document.append(key, decimal),
                Err(_) => document.append(key, whole.to_string()),
            },
        },
        Cell::Number(number) => document.append(key, *number),
        Cell::Bool(is_so) => document.append(key, *is_so),
        Cell::Decimal(text) => match text.parse::<::mongodb::bson::Decimal128>() {
            Ok(decimal) if is_exact(text, &decimal.to_string()) => document.append(key, decimal),
            _ => document.append(key, text.as_str()),
        },
        // Lists and objects that hold numbers which the driver does not know stay text.
        Cell::Json(text) => match serde_json::from_str::<Bson>(text).map(RawBson::try_from) {
            Ok(Ok(value)) => document.append(key, value),
            _ => document.append(key, text.as_str()),
        },
        Cell::Text(text) => match ObjectId::parse_str(text) {
            Ok(id) if is_id => document.append(key, id),
            _ => document.append(key, text.as_str()),
        },
    }
}
