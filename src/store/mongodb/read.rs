//! Reads a collection: raw batches as they come over the line, one walk over each document, numbers into two columns.
//!
//! No document is decoded into values of its own and none is allocated. While one batch is walked, the next one is on
//! its way.
//!
//! **Order.** By `_id`, which every collection has an index of. That costs a server little, gives the same bits each
//! time, and lets a read go on after the last document that came when the server restarts or the cursor is lost.
//!
//! **Projection.** Documents of a sweep are small: taking them apart costs the server more than sending them whole. Only
//! collections whose documents are larger than `SMALL` on average are asked for the needed fields alone.
//!
//! Accepted numbers: Double, Int32, Int64, Decimal128 (rounded to the nearest double). A missing or null field is empty; a
//! field of any other type is counted as such, with the `_id` of the first.

use std::collections::BTreeMap;
use std::path::Path;

use ::mongodb::bson::raw::{RawBsonRef, RawDocument};
use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::raw_batch_cursor::RawBatch;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::store::mongodb::failure::{Patience, passes};
use crate::store::mongodb::{Location, Server, after};
use crate::store::schema::{Columns, Details, Exclusion, Pairing, RowLedger, RunTable, SettingValues};
use crate::sweep::FINAL_LOSS;

/// Bytes of a document beyond which a projection pays.
const SMALL: usize = 600;
/// Bytes of a batch, about: large enough for the round trip not to matter, small enough for a processor's cache.
const BATCH_BYTES: usize = 2 << 20;
/// Documents looked at beforehand.
const SAMPLE: i64 = 64;
/// Batches that may wait to be walked.
const WAITING: usize = 2;

/// Reads the documents at `location` that its filter matches.
///
/// # Errors
/// Those of connecting; [`Error::NoDocuments`], [`Error::MissingColumn`], [`Error::Database`].
pub fn read(location: &Location, columns: &Columns) -> Result<RunTable> {
    read_from(&Server::connect(location)?, columns)
}

/// The same on a server that is connected.
pub(super) fn read_from(server: &Server, columns: &Columns) -> Result<RunTable> {
    let location = &server.location;
    let mut rows = Rows::of(columns, location);
    let names = ["_id", &columns.factor, &columns.metric];
    let mut projection: Document = names.into_iter().map(|name| (name.to_string(), 1.into())).collect();
    let details = ["draw", "replicate", FINAL_LOSS];
    projection.extend(columns.settings().chain(details).map(|name| (name.to_string(), 1.into())));
    each_batch(server, &location.filter, Some(projection), |documents| {
        documents.iter().try_for_each(|document| rows.take(document))
    })?;
    if rows.ledger.read == 0 {
        return Err(server.nothing_found());
    }
    rows.finish()
}

/// Gives the documents of the server's collection that `filter` matches, batch by batch, in the order of `_id`; goes on after a failure that
/// passes. With a `projection`, only those fields if documents are large.
pub(super) fn each_batch(
    server: &Server,
    filter: &Document,
    projection: Option<Document>,
    mut take: impl FnMut(&[&RawDocument]) -> Result<()>,
) -> Result<()> {
    let Some(size) = mean_size(server, filter)? else { return Ok(()) };
    let query = Query {
        filter: filter.clone(),
        projection: projection.filter(|_| size > SMALL),
        batch_size: (BATCH_BYTES / size.max(1)).clamp(1, 1 << 20) as u32,
    };
    let mut patience = Patience::of(&server.location);
    let mut last: Option<Bson> = None;
    let mut batches = query.start(server, None);
    while let Some(batch) = batches.blocking_recv() {
        let batch = match batch {
            Ok(batch) => batch,
            Err(e) if passes(&e) && patience.lasts() => {
                batches = query.start(server, last.as_ref());
                continue;
            }
            Err(e) => return patience.over(&server.location, server.failure(&e)),
        };
        let broken = |reason: String| Error::Database { place: server.location.to_string(), reason };
        let documents = documents(&batch).map_err(broken)?;
        if let Some(end) = documents.last() {
            patience.renew();
            take(&documents)?;
            let id = end.get("_id").map_err(|e| broken(e.to_string()))?;
            last = id.and_then(|id| Bson::try_from(id).ok());
        }
    }
    Ok(())
}

fn documents(batch: &RawBatch) -> Result<Vec<&RawDocument>, String> {
    let array = batch.doc_slices().map_err(|e| e.kind.to_string())?;
    array
        .into_iter()
        .map(|element| match element {
            Ok(RawBsonRef::Document(document)) => Ok(document),
            Ok(other) => Err(format!("a batch holds {:?} where documents belong", other.element_type())),
            Err(e) => Err(e.to_string()),
        })
        .collect()
}

/// Mean size of the first documents; nothing if there are none.
fn mean_size(server: &Server, filter: &Document) -> Result<Option<usize>> {
    let collection = server.collection();
    let batch = server.insist(|| {
        let find = collection.find(filter.clone()).limit(SAMPLE);
        async { find.batch().await?.next().await.transpose() }
    })?;
    let broken = |reason: String| Error::Database { place: server.location.to_string(), reason };
    let documents = batch.as_ref().map(documents).transpose().map_err(broken)?.unwrap_or_default();
    Ok(documents.iter().map(|document| document.as_bytes().len()).sum::<usize>().checked_div(documents.len()))
}

/// How the documents are asked for.
struct Query {
    filter: Document,
    projection: Option<Document>,
    batch_size: u32,
}

impl Query {
    /// Reads ahead in a task of its own; it ends when the cursor does, or when nobody listens any more.
    fn start(&self, server: &Server, last: Option<&Bson>) -> mpsc::Receiver<::mongodb::error::Result<RawBatch>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let filter = match last.map(after) {
            Some(rest) if self.filter.is_empty() => rest,
            Some(rest) => doc! { "$and": [self.filter.clone(), rest] },
            None => self.filter.clone(),
        };
        let collection = server.collection();
        let (projection, batch_size) = (self.projection.clone(), self.batch_size);
        server.spawn(async move {
            let mut find = collection.find(filter).sort(doc! { "_id": 1 }).batch_size(batch_size);
            if let Some(projection) = projection {
                find = find.projection(projection);
            }
            let mut cursor = match find.batch().await {
                Ok(cursor) => cursor,
                // If nobody listens, nobody needs to know.
                Err(e) => return drop(sender.send(Err(e)).await),
            };
            while let Some(batch) = cursor.next().await {
                let failed = batch.is_err();
                if sender.send(batch).await.is_err() || failed {
                    return;
                }
            }
        });
        receiver
    }
}

/// What a field holds, as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    Missing,
    Number(f64),
    WrongType,
}

impl Field {
    fn of(value: RawBsonRef) -> Self {
        match value {
            RawBsonRef::Double(number) => Self::Number(number),
            RawBsonRef::Int32(number) => Self::Number(f64::from(number)),
            RawBsonRef::Int64(number) => Self::Number(number as f64),
            // Its text is a number, NaN, Infinity or -Infinity, all of which Rust reads.
            RawBsonRef::Decimal128(number) => number.to_string().parse().map_or(Self::WrongType, Self::Number),
            RawBsonRef::Null | RawBsonRef::Undefined => Self::Missing,
            _ => Self::WrongType,
        }
    }
}

/// The columns that are being filled.
struct Rows<'a> {
    columns: &'a Columns,
    location: &'a Location,
    factor: Vec<f64>,
    metric: Vec<f64>,
    details: Details,
    /// Whether the loss of the last epoch is wanted.
    final_loss: bool,
    ledger: RowLedger,
    settings: Vec<Setting>,
    /// Whether any document had the field.
    has: [bool; 2],
    /// Names of the fields of the first document, for messages.
    available: Vec<String>,
    digest: Sha256,
    bytes: u64,
}

/// A setting column: its values hardly ever change, so one comparison a document.
struct Setting {
    name: &'static str,
    seen: Option<u64>,
    values: SettingValues,
    exists: bool,
}

impl<'a> Rows<'a> {
    fn of(columns: &'a Columns, location: &'a Location) -> Self {
        let setting = |name| Setting { name, seen: None, values: SettingValues::default(), exists: false };
        Self {
            columns,
            location,
            factor: Vec::new(),
            metric: Vec::new(),
            details: Details::default(),
            final_loss: columns.want_final_loss(),
            ledger: RowLedger::default(),
            settings: columns.settings().map(setting).collect(),
            has: [false; 2],
            available: Vec::new(),
            digest: Sha256::new(),
            bytes: 0,
        }
    }

    fn take(&mut self, document: &RawDocument) -> Result<()> {
        let damaged = |reason: String| Error::Database { place: self.location.to_string(), reason };
        self.digest.update(document.as_bytes());
        self.bytes += document.as_bytes().len() as u64;
        self.ledger.read += 1;
        let (mut factor, mut metric) = (Field::Missing, Field::Missing);
        let mut extra = Extra::default();
        for element in document.iter_elements() {
            let element = element.map_err(|e| damaged(e.to_string()))?;
            let key = element.key().as_str();
            if self.ledger.read == 1 && self.available.len() < 20 {
                self.available.push(format!("'{}'", excerpt(key)));
            }
            let (is_factor, is_metric) = (key == self.columns.factor, key == self.columns.metric);
            let setting = self.settings.iter_mut().find(|setting| setting.name == key);
            if !(is_factor || is_metric || setting.is_some() || Extra::is_of(key)) {
                continue;
            }
            let value = element.value().map_err(|e| damaged(e.to_string()))?;
            extra.note(key, value);
            if is_factor {
                factor = Field::of(value);
                self.has[0] = true;
            } else if is_metric {
                metric = Field::of(value);
                self.has[1] = true;
            } else if let Some(setting) = setting {
                setting.note(value);
            }
        }
        let excluded = match (factor, metric) {
            (Field::Number(factor), Field::Number(metric)) => match Exclusion::of(factor).or(Exclusion::of(metric)) {
                None => {
                    extra.push(&mut self.details, self.final_loss);
                    self.factor.push(factor);
                    self.metric.push(metric);
                    return Ok(());
                }
                Some(reason) => reason,
            },
            (Field::WrongType, _) | (_, Field::WrongType) => Exclusion::WrongType,
            _ => Exclusion::Empty,
        };
        self.ledger.exclude(excluded, 1, || {
            let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
            format!("{}, _id {}", self.location.namespace(), id.map_or("absent".into(), |id| id.to_string()))
        });
        Ok(())
    }

    fn finish(self) -> Result<RunTable> {
        let label = self.location.to_string();
        let path = Path::new(&label);
        for (has, column) in self.has.into_iter().zip([&self.columns.factor, &self.columns.metric]) {
            if !has {
                let available = self.available.join(", ");
                return Err(Error::MissingColumn { path: path.into(), column: column.clone(), available });
            }
        }
        let settings = self.settings.into_iter().filter(|setting| setting.exists);
        Ok(RunTable {
            frame: RunTable::frame_of(self.columns, self.factor, self.metric, path)?,
            details: self.details,
            columns: self.columns.clone(),
            ledger: self.ledger,
            settings: settings.map(|s| (s.name.to_string(), s.values)).collect::<BTreeMap<_, _>>(),
            inputs: vec![InputDigest::new(path, self.bytes, self.digest)],
            warnings: Vec::new(),
        })
    }
}

/// What a run is besides level and metric.
#[derive(Default)]
struct Extra {
    final_loss: Option<f64>,
    draw: Option<u64>,
    replicate: Option<u64>,
    seed: Option<u64>,
}

impl Extra {
    fn is_of(key: &str) -> bool {
        matches!(key, "draw" | "replicate" | "seed" | FINAL_LOSS)
    }

    fn note(&mut self, key: &str, value: RawBsonRef) {
        let whole = |value| match value {
            RawBsonRef::Int32(number) => u64::try_from(number).ok(),
            RawBsonRef::Int64(number) => u64::try_from(number).ok(),
            _ => None,
        };
        match (key, value) {
            ("draw", value) => self.draw = whole(value),
            ("replicate", value) => self.replicate = whole(value),
            ("seed", value) => self.seed = whole(value),
            (FINAL_LOSS, value) => {
                self.final_loss = match Field::of(value) {
                    Field::Number(number) => Some(number),
                    _ => None,
                };
            }
            _ => {}
        }
    }

    /// Adds it as that of the next run.
    fn push(&self, details: &mut Details, final_loss: bool) {
        if final_loss {
            details.final_loss.push(self.final_loss.unwrap_or(f64::NAN));
        }
        if details.pairing.is_possible() {
            let seed = self.seed.unwrap_or(0);
            details.pairing.push(self.draw, self.replicate.map(|replicate| Pairing::replicate(seed, replicate)));
        }
    }
}

impl Setting {
    fn note(&mut self, value: RawBsonRef) {
        self.exists = true;
        // The same form as in a CSV file: the shortest text that reads back as the same number.
        let (bits, text) = match value {
            RawBsonRef::Double(number) => (Some(number.to_bits()), None),
            RawBsonRef::Int32(number) => (Some((1 << 63) ^ number as u64), None),
            RawBsonRef::Int64(number) => (Some((1 << 63) ^ number as u64), None),
            RawBsonRef::Null | RawBsonRef::Undefined => return,
            RawBsonRef::String(text) => (None, Some(text.to_string())),
            other => (None, Bson::try_from(other).ok().map(|value| value.to_string())),
        };
        if bits.is_some() && bits == self.seen {
            return;
        }
        self.seen = bits;
        let text = text.or(match value {
            RawBsonRef::Double(number) => Some(format!("{number:?}")),
            RawBsonRef::Int32(number) => Some(number.to_string()),
            RawBsonRef::Int64(number) => Some(number.to_string()),
            _ => None,
        });
        text.into_iter().for_each(|text| self.values.note(&text));
    }
}
