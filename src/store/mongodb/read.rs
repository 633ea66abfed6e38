//! Reads a collection: raw batches as they come over the line, one walk over each document, numbers
//! into two columns.
//!
//! No document is decoded into values of its own and none is allocated (see
//! [`fields`](super::fields)). While one batch is walked, the next one is on its way.
//!
//! **Order.** By `_id`, which every collection has an index of. That costs a server little, gives
//! the same bits each time, and lets a read go on after the last document that came when the server
//! restarts or the cursor is lost.
//!
//! **Projection.** Documents of a sweep are small: taking them apart costs the server more than
//! sending them whole. Only collections whose documents are larger than `SMALL` on average are
//! asked for the needed fields alone.

use ::mongodb::bson::raw::RawDocument;
use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::raw_batch_cursor::RawBatch;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::data::{Roles, RunTable};
use crate::error::{Error, Result};
use crate::store::mongodb::conditions::{exists, is_plain};
use crate::store::mongodb::failure::{Patience, passes};
use crate::store::mongodb::fill::{Rows, field_names};
use crate::store::mongodb::{Location, Server, after};

/// Bytes of a document beyond which a projection pays.
const SMALL: usize = 600;
/// Bytes of a batch, about: large enough for the round trip not to matter, small enough for a
/// processor's cache.
const BATCH_BYTES: usize = 1 << 20;
/// Documents looked at beforehand.
const SAMPLE: i64 = 64;
/// Bytes of a block that is freed beforehand; twice as much is kept.
const KEPT_MEMORY: usize = 16 << 20;
/// The type of a document among the elements of an array, see <https://bsonspec.org/spec.html>.
const DOCUMENT: u8 = 0x03;
/// Batches that may wait to be walked.
const WAITING: usize = 2;

/// Reads the documents at `location` that its filter matches.
///
/// # Errors
/// Those of connecting; [`Error::NoDocuments`], [`Error::MissingColumn`], [`Error::Database`].
pub fn read(location: &Location, roles: &Roles) -> Result<RunTable> {
    read_from(&Server::connect(&location.selecting(&roles.filters))?, roles)
}

/// The same on a server that is connected.
pub(super) fn read_from(server: &Server, roles: &Roles) -> Result<RunTable> {
    let location = &server.location;
    let mut rows = Rows::of(roles, location);
    rows.reserve(server.insist(|| async { server.collection().estimated_document_count().await })?);
    each_batch(server, &location.filter, projection(&rows), |documents| {
        documents.iter().try_for_each(|document| rows.take(document))
    })?;
    let all = if roles.filters.is_empty() { rows.read() } else { server.asked_for()? };
    check_found(server, &rows, all)?;
    rows.note_filtered(all);
    rows.finish()
}

/// Checks that there is something, if only documents that conditions filtered out, of `all` that
/// the user's own filter matches.
///
/// # Errors
/// [`Error::NoDocuments`]; [`Error::MissingColumn`] where a condition on a column that no document
/// has filtered them all out.
pub(super) fn check_found(server: &Server, rows: &Rows, all: u64) -> Result<()> {
    match (rows.read(), all) {
        (0, 0) => Err(server.nothing_found()),
        (0, _) => require(server, rows.required(), &server.location.asked),
        _ => Ok(()),
    }
}

/// Refuses a column that none of the documents has which `filter` matches.
///
/// # Errors
/// [`Error::MissingColumn`].
pub(super) fn require<'a>(
    server: &Server,
    columns: impl IntoIterator<Item = &'a String>,
    filter: &Document,
) -> Result<()> {
    let collection = server.collection();
    let first = |filter: Document| server.insist(|| collection.find_one(filter.clone()).sort(doc! { "_id": 1 }));
    for column in columns {
        if first(doc! { "$and": [filter.clone(), exists(column)] })?.is_none() {
            let document = first(filter.clone())?.unwrap_or_default();
            return Err(Error::MissingColumn {
                path: server.location.to_string().into(),
                column: column.clone(),
                available: field_names(&document),
            });
        }
    }
    Ok(())
}

/// The fields that are needed. `None` for all: a projection takes every dot for that of a path.
pub(super) fn projection(rows: &Rows) -> Option<Document> {
    let is_plain = rows.wanted().all(is_plain);
    is_plain.then(|| rows.wanted().chain(["_id"]).map(|name| (name.to_string(), 1.into())).collect())
}

/// Gives the documents of the server's collection that `filter` matches, batch by batch, in the
/// order of `_id`; goes on after a failure that passes. With a `projection`, only those fields if
/// documents are large.
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
    keep_freed_memory();
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

/// Lets the allocator keep what is freed: glibc gives blocks back to the system beyond a size that
/// rises when a larger one is freed, and each batch would come into new pages, which costs more
/// than reading it.
fn keep_freed_memory() {
    drop(std::hint::black_box(vec![0_u8; KEPT_MEMORY]));
}

/// The documents of a batch. Walked here, because the library's iterator checks the text of every
/// number in their array.
fn documents(batch: &RawBatch) -> Result<Vec<&RawDocument>, String> {
    let mut rest = batch.doc_slices().map_err(|e| e.kind.to_string())?.as_bytes().get(4..).unwrap_or_default();
    let mut documents = Vec::new();
    while let Some(kind) = rest.first().filter(|kind| **kind != 0) {
        let document = (*kind == DOCUMENT).then(|| rest.iter().position(|byte| *byte == 0)).flatten().and_then(|key| {
            let value = rest.get(key + 1..)?;
            let length = u32::from_le_bytes(*value.first_chunk()?) as usize;
            rest = value.get(length..)?;
            value.get(..length)
        });
        let document = document.ok_or("a batch holds something that is no document")?;
        documents.push(RawDocument::from_bytes(document).map_err(|e| e.to_string())?);
    }
    Ok(documents)
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
    /// Reads ahead in a task of its own; it ends when the cursor does, or when nobody listens any
    /// more.
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
