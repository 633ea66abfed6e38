//! A collection that grows: reads what came since, and everything again only where that is not
//! enough.
//!
//! **Where new documents are.** Reading goes by `_id`, and new documents mostly come after the last
//! one read. Mostly: object identifiers of several writers interleave within the same second. So
//! reading goes back to a mark at least `KEPT` documents before the end, and on from there. If the
//! number of documents then does not agree with the server's, some came before the mark, or some
//! went: everything is read anew.
//!
//! **The same result.** A mark is the whole state of reading (ledger, digest, settings), so that
//! going on from it ends in the state of a full reading, to the bit.
//!
//! **Change streams.** Where the server has them (replica sets, sharded clusters) each insertion
//! comes as an event with its document, and a document after the last one read is added without any
//! query. Whatever is not so simple (an identifier before the last one, a filter, a stream that
//! opened just now or broke) leads to a look at the collection as above. Any operation other than
//! an insertion makes everything be read anew.
//!
//! A stream may hang; the documents are therefore counted every `TRUSTED` as well.
//!
//! **What is not seen.** Without change streams: documents changed in place, and as many that came
//! as went.
//!
//! **Conditions** on rows are in the queries. A document that an event brings is judged as it is
//! added, so that a change stream is as quick with conditions as without.
//!
//! **Cost.** With a change stream: the new documents. Without, a look without news is one count,
//! from the collection's metadata, or by the filter where there is one; with news, a range of `_id`
//! over the new documents and those after the mark, and with conditions a count of the documents
//! that meet them.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use ::mongodb::bson::raw::{RawDocument, RawDocumentBuf};
use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::change_stream::event::{ChangeStreamEvent, OperationType};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::course::History;
use crate::data::{Roles, RunTable};
use crate::error::{Error, Result};
use crate::store::mongodb::fill::{Rows, RowsMark};
use crate::store::mongodb::pursuit;
use crate::store::mongodb::read::{check_found, each_batch, projection};
use crate::store::mongodb::{Location, Server, after};

/// Documents after the oldest mark, at least, where there are as many.
const KEPT: u64 = 10_000;
/// Time after which the documents are counted even where the server tells what happens, so that
/// nothing depends on a stream that hangs.
const TRUSTED: Duration = Duration::from_secs(30);
/// Time until a change stream that broke is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// Events that may wait to be looked at.
const WAITING: usize = 10_000;

/// What the server tells of its own accord.
enum News {
    /// From here on, everything that happens is told.
    Listening,
    /// A document came.
    Inserted(RawDocumentBuf),
    /// Something else happened, or may have.
    Changed,
    /// Nothing more is told.
    Deaf,
}

impl News {
    fn of(event: ChangeStreamEvent<RawDocumentBuf>) -> Self {
        match (event.operation_type, event.full_document) {
            (OperationType::Insert, Some(document)) => Self::Inserted(document),
            _ => Self::Changed,
        }
    }
}

/// The identifier of `document` as bytes that sort as the server sorts it, with its type; nothing
/// for the rarer types.
fn sort_key(id: Option<&Bson>) -> Option<(u8, Vec<u8>)> {
    match id? {
        Bson::ObjectId(id) => Some((0x07, id.bytes().to_vec())),
        Bson::String(text) => Some((0x02, text.clone().into_bytes())),
        _ => None,
    }
}

fn id_of(document: &RawDocument) -> Option<Bson> {
    document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok())
}

/// How many documents `filter` matches, as the server says; of a whole collection, as its metadata
/// say.
fn count(server: &Server, filter: &Document) -> Result<i64> {
    let collection = server.collection();
    let count = match filter.is_empty() {
        true => server.run(collection.estimated_document_count())?,
        false => server.run(collection.count_documents(filter.clone()))?,
    };
    Ok(count as i64)
}

/// The state of reading before a batch of documents.
struct Mark {
    rows: RowsMark,
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
        self.marks.push_back(Mark { rows: self.rows.mark(), last: self.last.clone() });
        for document in documents {
            self.rows.take(document)?;
        }
        if let Some(document) = documents.last() {
            self.last = id_of(document);
        }
        let read = self.rows.read();
        while self.marks.get(1).is_some_and(|mark| read - mark.rows.read() >= KEPT) {
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
    /// Documents read that meet the conditions; absent after a failure in the middle.
    read: Option<i64>,
    /// How many the user's own filter matches, those that do not meet the conditions among them.
    all: Option<i64>,
    /// How sweeps with a goal went on whose runs these are.
    histories: Vec<History>,
    /// By how many the server's count was off when nothing changed: after a crash or on shards it
    /// can be, for good.
    offset: i64,
    news: Option<mpsc::Receiver<News>>,
    /// Whether the server tells what happens.
    is_told: bool,
    /// Whether the collection may hold what nobody told of.
    is_uncertain: bool,
    /// When its documents were last counted.
    counted: Instant,
}

impl Followed {
    /// Nothing of the collection yet; `waker` hears when it changes.
    pub fn new(location: Location, waker: Sender<()>) -> Self {
        let (server, reading, read, all, news) = (None, None, None, None, None);
        let (histories, counted) = (Vec::new(), Instant::now());
        let (offset, is_told, is_uncertain) = (0, false, true);
        Self { location, waker, server, reading, read, all, histories, offset, news, is_told, is_uncertain, counted }
    }

    /// All rows.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::NoDocuments`] before anything was read.
    pub fn table(&self) -> Result<RunTable> {
        let missing = || Error::NoDocuments { place: self.location.to_string(), reason: "not read yet".into() };
        let mut table = self.reading.as_ref().ok_or_else(missing)?.rows.table()?;
        pursuit::note(&self.histories, table.ledger.read, &mut table.inputs);
        Ok(table)
    }

    /// Reads what came since the last call; says whether anything did.
    ///
    /// # Errors
    /// Those of reading; the next call goes on where the last one that worked ended.
    pub fn refresh(&mut self, roles: &Roles) -> Result<bool> {
        let server = match self.server.take() {
            Some(server) => server,
            None => {
                self.location = self.location.selecting(&roles.filters);
                let server = Server::connect(&self.location)?;
                self.news = Some(self.listen(&server));
                server
            }
        };
        let news = self.refresh_from(&server, roles);
        self.server = Some(server);
        news
    }

    fn refresh_from(&mut self, server: &Server, roles: &Roles) -> Result<bool> {
        let inserted = self.hear();
        self.is_uncertain |= inserted.is_empty() && self.counted.elapsed() > TRUSTED;
        // Until this has succeeded.
        let was_certain = !std::mem::replace(&mut self.is_uncertain, true);
        if was_certain && let Some(any) = self.add(inserted)? {
            // Where sweeps have goals, their rounds go with their runs.
            if any && !self.histories.is_empty() {
                self.histories = pursuit::histories(server)?;
            }
            self.is_uncertain = false;
            return Ok(any);
        }
        let news = self.look(server, roles)?;
        if news {
            self.histories = pursuit::histories(server)?;
        }
        self.is_uncertain = !self.is_told;
        Ok(news)
    }

    /// Takes what the server told; gives the documents that came.
    fn hear(&mut self) -> Vec<RawDocumentBuf> {
        let mut inserted = Vec::new();
        while let Some(Ok(news)) = self.news.as_mut().map(mpsc::Receiver::try_recv) {
            match news {
                News::Inserted(document) => inserted.push(document),
                News::Changed => self.reading = None,
                News::Listening => (self.is_told, self.is_uncertain) = (true, true),
                News::Deaf => (self.is_told, self.is_uncertain) = (false, true),
            }
        }
        self.is_uncertain |= self.reading.is_none();
        inserted
    }

    /// Adds documents that come after all that were read, and says whether there are any; nothing
    /// if it is not so simple.
    fn add(&mut self, inserted: Vec<RawDocumentBuf>) -> Result<Option<bool>> {
        let Some(reading) = &mut self.reading else { return Ok(None) };
        if inserted.is_empty() {
            return Ok(Some(false));
        }
        let with_key = |document: RawDocumentBuf| Some((sort_key(id_of(&document).as_ref())?, document));
        let last = sort_key(reading.last.as_ref());
        let keyed = inserted.into_iter().map(with_key).collect::<Option<Vec<_>>>();
        let (Some(last), Some(mut keyed), true) = (last, keyed, self.location.asked.is_empty()) else {
            return Ok(None);
        };
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        if keyed.iter().any(|(key, _)| key.0 != last.0 || *key <= last) {
            return Ok(None);
        }
        let documents: Vec<&RawDocument> = keyed.iter().map(|(_, document)| document.as_ref()).collect();
        self.read = None;
        reading.take(&documents)?;
        self.read = Some(reading.rows.selected() as i64);
        self.all = self.all.map(|all| all + documents.len() as i64);
        Ok(Some(true))
    }

    /// Asks the server what there is, and reads what came.
    fn look(&mut self, server: &Server, roles: &Roles) -> Result<bool> {
        let all = count(server, &self.location.asked)?;
        self.counted = Instant::now();
        if roles.filters.is_empty() {
            return self.catch_up(server, roles, all);
        }
        // How many documents there are the server knows; how many meet the conditions it has to
        // find out.
        if self.reading.is_some() && self.read.is_some() && self.all == Some(all) {
            return Ok(false);
        }
        let selected = if self.reading.is_some() { self.count(server)? } else { 0 };
        let news = self.catch_up(server, roles, selected)?;
        if let Some(mut reading) = self.reading.take() {
            check_found(server, &reading.rows, all as u64)?;
            reading.rows.note_filtered(all as u64);
            self.reading = Some(reading);
        }
        Ok(self.all.replace(all) != Some(all) || news)
    }

    /// Reads what came, if not all of the `count` documents that the server has are there.
    fn catch_up(&mut self, server: &Server, roles: &Roles, count: i64) -> Result<bool> {
        if self.reading.is_some() && self.read == Some(count - self.offset) {
            return Ok(false);
        }
        let before = self.read;
        if self.reading.is_some() {
            let (read, expected) = (self.read_on(server)?, count - self.offset);
            // More than were counted before may have come meanwhile; more than there are now, some
            // went.
            if read == expected || read > expected && read <= self.count(server)? - self.offset {
                return Ok(self.read != before);
            }
        }
        self.read_anew(server, roles)?;
        Ok(true)
    }

    /// How many of the documents there are that are followed, as the server says.
    fn count(&self, server: &Server) -> Result<i64> {
        count(server, &self.location.filter)
    }

    /// Reads from the oldest mark on; gives the number of documents then read.
    fn read_on(&mut self, server: &Server) -> Result<i64> {
        let Some(reading) = &mut self.reading else { return Ok(0) };
        let end = reading.last.clone();
        if let Some(mark) = reading.marks.pop_front() {
            reading.rows.go_back_to(mark.rows);
            reading.last = mark.last;
            reading.marks.clear();
        }
        self.read = None;
        let rest = match (&reading.last, &end) {
            (None, _) => Document::new(),
            // A plain range, which every server takes from its index. What sorts after it (another
            // type of identifier) shows in the count.
            (Some(mark), Some(end)) if mark.element_type() == end.element_type() => doc! { "_id": { "$gt": mark } },
            (Some(mark), _) => after(mark),
        };
        let filter = match self.location.filter.is_empty() {
            true => rest,
            false => doc! { "$and": [self.location.filter.as_ref().clone(), rest] },
        };
        // So that there is a mark to come back to even if nothing is there any more.
        reading.take(&[])?;
        let fields = projection(&reading.rows);
        each_batch(server, &filter, fields, |documents| reading.take(documents))?;
        let read = reading.rows.selected() as i64;
        self.read = Some(read);
        Ok(read)
    }

    fn read_anew(&mut self, server: &Server, roles: &Roles) -> Result<()> {
        (self.reading, self.read) = (None, None);
        let before = self.count(server)?;
        let mut reading = Reading { rows: Rows::of(roles, &self.location), last: None, marks: VecDeque::new() };
        let fields = projection(&reading.rows);
        each_batch(server, &self.location.filter, fields, |documents| reading.take(documents))?;
        let read = reading.rows.selected() as i64;
        if read == 0 && roles.filters.is_empty() {
            return Err(server.nothing_found());
        }
        (self.reading, self.read) = (Some(reading), Some(read));
        self.offset = if self.count(server)? == before { before - read } else { 0 };
        Ok(())
    }

    /// Passes changes on, where the server tells them; ends with the server's connection.
    fn listen(&self, server: &Server) -> mpsc::Receiver<News> {
        let collection = server.collection();
        let waker = self.waker.clone();
        let (sender, receiver) = mpsc::channel(WAITING);
        server.spawn(async move {
            // Fails only when nobody listens any more.
            let tell = async |news: News| sender.send(news).await.is_ok() && waker.send(()).is_ok();
            let mut was_there = false;
            loop {
                match collection.watch().await {
                    Ok(mut changes) => {
                        // Nobody knows what happened while nobody listened.
                        if was_there && !tell(News::Changed).await || !tell(News::Listening).await {
                            return;
                        }
                        was_there = true;
                        while let Some(Ok(event)) = changes.next().await {
                            if !tell(News::of(event)).await {
                                return;
                            }
                        }
                    }
                    // Without a replica set there is none: the collection is counted every
                    // interval.
                    Err(_) if !was_there => return,
                    Err(_) => {}
                }
                if !tell(News::Deaf).await {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        receiver
    }
}
