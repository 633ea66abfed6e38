//! A collection that grows: reads what came since, and everything again only where that is not enough.
//!
//! **Where new documents are.** Reading goes by `_id`, and new documents mostly come after the last one read. Mostly: object
//! identifiers of several writers interleave within the same second. So reading goes back to a mark at least `KEPT` documents
//! before the end, and on from there. If the number of documents then does not agree with the server's, some came before
//! the mark, or some went: everything is read anew.
//!
//! **The same result.** A mark is the whole state of reading (ledger, digest, settings), so that going on from it ends in
//! the state of a full reading, to the bit.
//!
//! **What is not seen.** Without change streams (a single server without a replica set): documents changed in place, and as many
//! that came as went. With them, any operation other than an insertion makes everything be read anew.
//!
//! **Cost.** A look without news: one count, from the collection's metadata, or by the filter where there is one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use ::mongodb::bson::raw::RawDocument;
use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::change_stream::event::OperationType;
use futures_util::StreamExt;

use crate::error::{Error, Result};
use crate::store::mongodb::fill::{Place, Rows};
use crate::store::mongodb::read::{each_batch, projection};
use crate::store::mongodb::{Location, Server, after};
use crate::store::schema::{Columns, RunTable};

/// Documents after the oldest mark, at least, where there are as many.
const KEPT: u64 = 10_000;
/// Time until a change stream that broke is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// The state of reading before a batch of documents.
struct Mark {
    place: Place,
    /// The last document before it; nothing at the beginning.
    last: Option<Bson>,
}

/// What has been read, document by document.
struct Reading {
    rows: Rows,
    last: Option<Bson>,
    marks: VecDeque<Mark>,
}

impl Reading {
    fn take(&mut self, documents: &[&RawDocument]) -> Result<()> {
        self.marks.push_back(Mark { place: self.rows.place(), last: self.last.clone() });
        for document in documents {
            self.rows.take(document)?;
        }
        if let Some(id) = documents.last().and_then(|document| document.get("_id").ok().flatten()) {
            self.last = Bson::try_from(id).ok();
        }
        let read = self.rows.read();
        while self.marks.get(1).is_some_and(|mark| read - mark.place.read() >= KEPT) {
            self.marks.pop_front();
        }
        Ok(())
    }
}

/// A collection and what has been read of it.
pub struct Followed {
    location: Location,
    waker: Sender<()>,
    server: Option<Server>,
    /// Absent until everything has been read once.
    reading: Option<Reading>,
    /// Documents read; nothing after a failure in the midst.
    read: Option<i64>,
    /// By how many the server's count was off when nothing changed: after a crash or on shards it can be, for good.
    offset: i64,
    /// Whether anything but an insertion has happened.
    is_changed: Arc<AtomicBool>,
}

impl Followed {
    /// Nothing of the collection yet; `waker` hears when it changes.
    pub fn new(location: Location, waker: Sender<()>) -> Self {
        Self { location, waker, server: None, reading: None, read: None, offset: 0, is_changed: Arc::default() }
    }

    /// All rows.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::NoDocuments`] before anything was read.
    pub fn table(&self) -> Result<RunTable> {
        let missing = || Error::NoDocuments { place: self.location.to_string(), reason: "not read yet".into() };
        self.reading.as_ref().ok_or_else(missing)?.rows.table()
    }

    /// Reads what came since the last call; says whether anything did.
    ///
    /// # Errors
    /// Those of reading; the next call goes on where the last one that worked ended.
    pub fn refresh(&mut self, columns: &Columns) -> Result<bool> {
        let server = match self.server.take() {
            Some(server) => server,
            None => {
                let server = Server::connect(&self.location)?;
                self.listen(&server);
                server
            }
        };
        let news = self.refresh_from(&server, columns);
        self.server = Some(server);
        news
    }

    fn refresh_from(&mut self, server: &Server, columns: &Columns) -> Result<bool> {
        let count = self.count(server)?;
        if self.is_changed.swap(false, Ordering::Relaxed) {
            self.reading = None;
        }
        if self.reading.is_some() && self.read == Some(count - self.offset) {
            return Ok(false);
        }
        let before = self.read;
        if self.reading.is_some() && self.read_on(server)? >= count - self.offset {
            return Ok(self.read != before);
        }
        self.read_anew(server, columns)?;
        Ok(true)
    }

    /// How many documents there are, as the server says.
    fn count(&self, server: &Server) -> Result<i64> {
        let collection = server.collection();
        let count = if self.location.filter.is_empty() {
            server.run(collection.estimated_document_count())?
        } else {
            server.run(collection.count_documents(self.location.filter.clone()))?
        };
        Ok(count as i64)
    }

    /// Reads from the oldest mark on; gives the number of documents then read.
    fn read_on(&mut self, server: &Server) -> Result<i64> {
        let Some(reading) = &mut self.reading else { return Ok(0) };
        if let Some(mark) = reading.marks.pop_front() {
            reading.rows.go_back_to(mark.place);
            reading.last = mark.last;
            reading.marks.clear();
        }
        self.read = None;
        let filter = match (&reading.last, self.location.filter.is_empty()) {
            (None, _) => self.location.filter.clone(),
            (Some(last), true) => after(last),
            (Some(last), false) => doc! { "$and": [self.location.filter.clone(), after(last)] },
        };
        // So that there is a mark to come back to even if nothing is there any more.
        reading.take(&[])?;
        let fields = projection(&reading.rows);
        each_batch(server, &filter, Some(fields), |documents| reading.take(documents))?;
        let read = reading.rows.read() as i64;
        self.read = Some(read);
        Ok(read)
    }

    fn read_anew(&mut self, server: &Server, columns: &Columns) -> Result<()> {
        (self.reading, self.read) = (None, None);
        let before = self.count(server)?;
        let mut reading = Reading { rows: Rows::of(columns, &self.location), last: None, marks: VecDeque::new() };
        let fields = projection(&reading.rows);
        each_batch(server, &self.location.filter, Some(fields), |documents| reading.take(documents))?;
        let read = reading.rows.read() as i64;
        if read == 0 {
            return Err(server.nothing_found());
        }
        (self.reading, self.read) = (Some(reading), Some(read));
        self.offset = if self.count(server)? == before { before - read } else { 0 };
        Ok(())
    }

    /// Passes changes on, where the server tells them; ends with the server's connection.
    fn listen(&self, server: &Server) {
        let collection = server.collection().clone_with_type::<Document>();
        let (waker, is_changed) = (self.waker.clone(), Arc::clone(&self.is_changed));
        server.spawn(async move {
            let mut was_there = false;
            loop {
                match collection.watch().await {
                    Ok(mut changes) => {
                        // Nobody knows what happened while nobody listened.
                        is_changed.fetch_or(was_there, Ordering::Relaxed);
                        was_there = true;
                        while let Some(Ok(change)) = changes.next().await {
                            let is_insert = change.operation_type == OperationType::Insert;
                            is_changed.fetch_or(!is_insert, Ordering::Relaxed);
                            if waker.send(()).is_err() {
                                return;
                            }
                        }
                    }
                    // Without a replica set there is none: the collection is counted every interval.
                    Err(_) if !was_there => return,
                    Err(_) => {}
                }
                tokio::time::sleep(PAUSE).await;
                if waker.send(()).is_err() {
                    return;
                }
            }
        });
    }
}
