//! Stores the runs of a sweep in a collection, so that nothing is lost and nothing is there twice.
//!
//! **Identity.** A run's `_id` follows from what it is ([`documents`](super::documents)). A retry, a second worker or a
//! resumed sweep therefore writes the same `_id`, and the server's refusal (error 11000) means that the run is there.
//!
//! **Loss.** What the server has acknowledged by a majority and in its journal is stored. While it is away, runs go to a
//! [`Spool`]; a task asks for the server, and once it is back everything is delivered. In the end the collection is asked
//! which runs are missing, so that even a server that forgot acknowledged ones after a crash ends with all of them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::mongodb::bson::raw::RawDocumentBuf;
use ::mongodb::bson::{Document, doc};
use ::mongodb::{Collection, IndexModel};

use crate::error::{Error, Result};
use crate::store::mongodb::documents::{Ids, file_name, made_by, of_run, plan_document};
use crate::store::mongodb::failure::{gone, only_duplicates, passes, tell};
use crate::store::mongodb::read::each_batch;
use crate::store::mongodb::rows::durable;
use crate::store::mongodb::spool::{Placed, Spool};
use crate::store::mongodb::{Location, Server};
use crate::store::record::SweepRecord;
use crate::store::writer::Existing;
use crate::sweep::Run;
use crate::sweep::part::Part;

/// The collection that holds the plans.
pub(super) const PLANS: &str = "sweeps";
/// Documents sent at a time.
const BATCH: usize = 10_000;
/// Between two questions whether the server is back.
const PAUSE: Duration = Duration::from_millis(250);

/// Writes the runs of one plan to one collection.
pub struct CollectionWriter {
    to: Destination,
    spool: Spool,
    /// Set by the task that asks for a server that is away; nothing while it is there.
    back: Option<Arc<AtomicBool>>,
    /// Why it is away.
    reason: String,
    stored: u64,
}

impl std::fmt::Debug for CollectionWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CollectionWriter({}, {})", self.to.server.location, self.to.ids.plan_id)
    }
}

impl CollectionWriter {
    /// Connects, stores the plan, and delivers what an earlier process left in its spool.
    ///
    /// # Errors
    /// Those of connecting, [`Error::Busy`] if another process in this folder works on the same sweep and the server is
    /// away from it, [`Error::Database`].
    pub fn open(location: &Location, part: &Part, existing: Existing) -> Result<Self> {
        let server = Server::connect(location)?;
        let (runs, ids) = (durable(&server, &location.collection), Ids::of(part));
        // Shards may share a folder.
        let shard = if part.is_whole() { String::new() } else { format!("-{}", part.places.start) };
        let spool = format!("initsweep-{}{shard}-{}.spool", ids.plan_id, file_name(&location.namespace()));
        let spool = Spool::open(Path::new(&spool))?;
        let to = Destination { server, runs, ids };
        if existing == Existing::Replace {
            // What an earlier, longer sweep left belongs to the whole.
            let replaced = if part.is_whole() { to.ids.of_plan() } else { to.ids.between(&part.places) };
            to.server.insist(|| to.runs.delete_many(replaced.clone()))?;
        }
        to.store_plan()?;
        let mut writer = Self { to, spool, back: None, reason: String::new(), stored: 0 };
        writer.deliver()?;
        Ok(writer)
    }

    /// Those of `places` whose runs are not in the collection, in order.
    ///
    /// # Errors
    /// Those of reading.
    pub fn missing(&mut self, places: &Range<u64>) -> Result<Vec<Range<u64>>> {
        let (mut missing, mut next) = (Vec::new(), places.start);
        each_batch(&self.to.server, &self.to.ids.between(places), Some(doc! { "_id": 1 }), |documents| {
            for id in documents.iter().filter_map(|document| document.get_str("_id").ok()) {
                if let Some(place) = self.to.ids.place_of(id).filter(|place| places.contains(place)) {
                    if place > next {
                        missing.push(next..place);
                    }
                    next = next.max(place + 1);
                }
            }
            Ok(())
        })?;
        if next < places.end {
            missing.push(next..places.end);
        }
        let part = &self.to.ids.part;
        if *places == part.places {
            self.stored = part.total() - missing.iter().map(|range| range.end - range.start).sum::<u64>();
        }
        Ok(missing)
    }

    /// Whether runs go to the spool at present.
    pub fn is_away(&self) -> bool {
        self.back.is_some()
    }

    /// Runs that are stored.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Where the runs go, ready to show.
    pub fn place(&self) -> String {
        self.to.server.location.to_string()
    }

    /// The file that keeps runs while the server is away.
    pub fn spool(&self) -> PathBuf {
        self.spool.path().to_path_buf()
    }

    /// Stores `runs`, which stand at `place` and after in the plan: in the collection, or in the spool while the server
    /// is away.
    ///
    /// # Errors
    /// [`Error::Spooled`] if the server will not take them, [`Error::Write`] if the spool cannot.
    pub fn append(&mut self, place: u64, runs: &[Run]) -> Result<()> {
        let placed: Vec<Placed> = (place..).zip(runs.iter().copied()).collect();
        match &self.back {
            Some(back) if back.load(Ordering::Acquire) => {
                self.spool.append(&placed)?;
                self.deliver()
            }
            Some(_) => self.spool.append(&placed),
            None => match self.to.insert(&placed) {
                Ok(()) => {
                    self.stored += placed.len() as u64;
                    Ok(())
                }
                Err(e) => {
                    self.spool.append(&placed)?;
                    self.wait_for_server(&e)
                }
            },
        }
    }

    /// Waits for the server if it is away, delivers what is kept, and creates the indexes that reads use.
    ///
    /// # Errors
    /// [`Error::Spooled`] if the server stays away.
    pub fn settle(&mut self) -> Result<()> {
        let began = Instant::now();
        while let Some(back) = &self.back {
            if back.load(Ordering::Acquire) {
                self.deliver()?;
            } else if began.elapsed() > self.to.server.location.patience {
                return Err(self.spooled(gone(&self.to.server.location, &self.reason)));
            } else {
                std::thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    /// Ends a sweep that is complete.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn finish(self, record: &SweepRecord) -> Result<String> {
        self.to.create_indexes()?;
        let plans = self.to.plans();
        let set = doc! { "$set": { "made_by": made_by(record) } };
        self.to.server.insist(|| plans.update_one(doc! { "_id": &self.to.ids.plan_id }, set.clone()))?;
        Ok(self.to.server.location.to_string())
    }

    /// Delivers what the spool holds, if the server takes it.
    fn deliver(&mut self) -> Result<()> {
        let mut failed = None;
        let kept = self.spool.runs();
        let delivered = self.spool.deliver(&self.to.ids.part.plan, |runs| {
            self.to.insert(runs).map_err(|e| {
                let error = self.to.server.failure(&e);
                failed = Some(e);
                error
            })
        });
        match (delivered, failed) {
            (Ok(()), _) => {
                self.back = None;
                self.stored += kept;
                Ok(())
            }
            (Err(_), Some(e)) => self.wait_for_server(&e),
            (Err(error), None) => Err(error),
        }
    }

    /// Starts asking for a server that is away for a while; any other failure ends the sweep.
    fn wait_for_server(&mut self, e: &::mongodb::error::Error) -> Result<()> {
        let cause = self.to.server.failure(e);
        if !passes(e) {
            return Err(self.spooled(cause));
        }
        self.reason = match cause {
            Error::Unreachable { reason, .. } | Error::Database { reason, .. } => reason,
            other => other.to_string(),
        };
        // Of a server that comes back for a moment only there is no more to say.
        if self.back.is_none() {
            let (host, spool) = (&self.to.server.location.host, self.spool.path().display());
            tell(&format!("{host} does not answer ({}); runs are kept in {spool} until it does", self.reason));
        }
        let back = Arc::new(AtomicBool::new(false));
        self.back = Some(Arc::clone(&back));
        let database = self.to.server.database();
        self.to.server.spawn(async move {
            while database.run_command(doc! { "ping": 1 }).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
            back.store(true, Ordering::Release);
        });
        Ok(())
    }

    fn spooled(&self, cause: Error) -> Error {
        Error::Spooled { cause: Box::new(cause), runs: self.spool.runs(), path: self.spool() }
    }
}

/// Where the runs of one plan, or of a part of it, go.
struct Destination {
    server: Server,
    runs: Collection<RawDocumentBuf>,
    ids: Ids,
}

impl Destination {
    fn plans(&self) -> Collection<Document> {
        self.server.database().collection(PLANS)
    }

    /// Lets the server group by level without looking at the documents. That is no condition of a complete sweep: a server that takes
    /// longer than `--patience`, or that workers hinder who do the same, goes on with it alone.
    fn create_indexes(&self) -> Result<()> {
        let keys = self.ids.part.plan.swept().map(|factor| doc! { factor: 1, "loss": 1 });
        let indexes: Vec<IndexModel> = keys.map(|keys| IndexModel::builder().keys(keys).build()).collect();
        if indexes.is_empty() {
            return Ok(());
        }
        let runs = self.runs.clone();
        let task = self.server.runtime().spawn(async move {
            loop {
                match runs.create_indexes(indexes.clone()).await {
                    Err(e) if passes(&e) => tokio::time::sleep(PAUSE).await,
                    created => return created.map(drop),
                }
            }
        });
        let patience = self.server.location.patience;
        match self.server.runtime().block_on(async { tokio::time::timeout(patience, task).await }) {
            Ok(Ok(created)) => created.map_err(|e| self.server.failure(&e)),
            _ => {
                let seconds = patience.as_secs_f64();
                tell(&format!(
                    "every run is stored; the server did not finish the index on the levels within {seconds} s"
                ));
                Ok(())
            }
        }
    }

    /// Stores the plan once; a longer sweep raises its number of runs.
    fn store_plan(&self) -> Result<()> {
        let plan = &self.ids.part.plan;
        let update = doc! {
            "$setOnInsert": { "plan": plan_document(plan), "collection": &self.server.location.collection },
            "$max": { "runs": i64::from(plan.runs) },
        };
        let id = doc! { "_id": &self.ids.plan_id };
        let plans = self.plans();
        let store = || plans.update_one(id.clone(), update.clone()).upsert(true);
        // Two workers that begin at the same moment may both try to insert it: the second attempt finds it.
        if self.server.insist(store).is_err() {
            self.server.insist(store)?;
        }
        Ok(())
    }

    fn insert(&self, runs: &[Placed]) -> ::mongodb::error::Result<()> {
        for runs in runs.chunks(BATCH) {
            let documents: Vec<RawDocumentBuf> =
                runs.iter().map(|(place, run)| of_run(&self.ids.at(*place), run)).collect();
            match self.server.attempt(self.runs.insert_many(&documents).ordered(false)) {
                Err(e) if !only_duplicates(&e) => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }
}
