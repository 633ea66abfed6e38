//! Stores the runs of a sweep in a collection, so that nothing is lost and nothing is there twice.
//!
//! **Identity.** A run's `_id` is `PLAN-REPLICATE-LEVEL` in hexadecimal, where PLAN is the beginning of a SHA-256 over
//! what defines the plan (not the number of replicates, so that a sweep can be extended). A retry, a second worker or a
//! resumed sweep therefore writes the same `_id`, and the server's refusal (error 11000) means that the run is there.
//! The order of `_id` is the order of the plan.
//!
//! **Loss.** What the server has acknowledged by a majority and in its journal is stored. While it is away, runs go to a
//! [`Spool`]; a task asks for the server, and once it is back everything is delivered. In the end the collection is asked
//! which runs are missing, so that even a server that forgot acknowledged ones after a crash ends with all of them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::mongodb::bson::raw::{CStr, RawBson, RawDocumentBuf, cstr};
use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::{Collection, IndexModel};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::store::mongodb::failure::{gone, only_duplicates, passes, tell};
use crate::store::mongodb::read::each_batch;
use crate::store::mongodb::rows::durable;
use crate::store::mongodb::spool::{Placed, Spool};
use crate::store::mongodb::{Location, Server};
use crate::store::record::SweepRecord;
use crate::store::writer::Existing;
use crate::sweep::part::Part;
use crate::sweep::{Draws, Run, SweepPlan};

/// The collection that holds the plans.
const PLANS: &str = "sweeps";
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
        write!(f, "CollectionWriter({}, {})", self.to.server.location, self.to.plan_id)
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
        let plan_id = plan_id(&part.plan);
        let runs = durable(&server);
        // Shards may share a folder.
        let shard = if part.is_whole() { String::new() } else { format!("-{}", part.places.start) };
        let spool = format!("initsweep-{plan_id}{shard}-{}.spool", file_name(&location.namespace()));
        let spool = Spool::open(Path::new(&spool))?;
        let to = Destination { server, runs, part: part.clone(), plan_id };
        if existing == Existing::Replace {
            // What an earlier, longer sweep left belongs to the whole.
            let replaced = if part.is_whole() { to.ids_of_plan() } else { to.ids_at(&part.places) };
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
        each_batch(&self.to.server, &self.to.ids_at(places), Some(doc! { "_id": 1 }), |documents| {
            for id in documents.iter().filter_map(|document| document.get_str("_id").ok()) {
                if let Some(place) = self.to.place_of(id).filter(|place| places.contains(place)) {
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
        if *places == self.to.part.places {
            self.stored = self.to.part.total() - missing.iter().map(|range| range.end - range.start).sum::<u64>();
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
        // Lets the server group by level without looking at the documents.
        for factor in self.to.part.plan.swept() {
            let keys = doc! { factor: 1, "loss": 1 };
            self.to.server.insist(|| self.to.runs.create_index(IndexModel::builder().keys(keys.clone()).build()))?;
        }
        let plans = self.to.plans();
        let SweepRecord { version, command, instruction_set, threads, .. } = record;
        let made_by = doc! {
            "version": version, "command": command, "instruction_set": instruction_set, "threads": *threads as i64,
        };
        let set = doc! { "$set": { "made_by": made_by } };
        self.to.server.insist(|| plans.update_one(doc! { "_id": &self.to.plan_id }, set.clone()))?;
        Ok(self.to.server.location.to_string())
    }

    /// Delivers what the spool holds, if the server takes it.
    fn deliver(&mut self) -> Result<()> {
        let mut failed = None;
        let kept = self.spool.runs();
        let delivered = self.spool.deliver(&self.to.part.plan, |runs| {
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
    part: Part,
    plan_id: String,
}

impl Destination {
    fn plans(&self) -> Collection<Document> {
        self.server.database().collection(PLANS)
    }

    /// Stores the plan once; a longer sweep raises its number of runs.
    fn store_plan(&self) -> Result<()> {
        let text = serde_json::to_string(&self.part.plan).unwrap_or_default();
        let mut plan: Document = serde_json::from_str(&text).unwrap_or_default();
        plan.remove("runs");
        plan.insert("seed", whole(self.part.plan.seed));
        let update = doc! {
            "$setOnInsert": { "plan": plan, "collection": &self.server.location.collection },
            "$max": { "runs": i64::from(self.part.plan.runs) },
        };
        let id = doc! { "_id": &self.plan_id };
        let plans = self.plans();
        let store = || plans.update_one(id.clone(), update.clone()).upsert(true);
        // Two workers that begin at the same moment may both try to insert it: the second attempt finds it.
        if self.server.insist(store).is_err() {
            self.server.insist(store)?;
        }
        Ok(())
    }

    /// Which documents stand at `places`.
    fn ids_at(&self, places: &Range<u64>) -> Document {
        doc! { "_id": { "$gte": self.id_of(places.start), "$lt": self.id_of(places.end) } }
    }

    /// Which documents are of this sweep, of a longer one too.
    fn ids_of_plan(&self) -> Document {
        // '.' follows '-'.
        doc! { "_id": { "$gte": format!("{}-", self.plan_id), "$lt": format!("{}.", self.plan_id) } }
    }

    fn id_of(&self, place: u64) -> String {
        let levels = self.part.plan.levels();
        let width = if levels > u64::from(u32::MAX) { 16 } else { 8 };
        format!("{}-{:08x}-{:0width$x}", self.plan_id, place / levels, place % levels)
    }

    fn place_of(&self, id: &str) -> Option<u64> {
        let (replicate, level) = id.strip_prefix(&self.plan_id)?.strip_prefix('-')?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        number(replicate)?.checked_mul(self.part.plan.levels())?.checked_add(number(level)?)
    }

    fn insert(&self, runs: &[Placed]) -> ::mongodb::error::Result<()> {
        for runs in runs.chunks(BATCH) {
            let documents: Vec<RawDocumentBuf> =
                runs.iter().map(|(place, run)| document(&self.id_of(*place), run)).collect();
            match self.server.attempt(self.runs.insert_many(&documents).ordered(false)) {
                Err(e) if !only_duplicates(&e) => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The beginning of a SHA-256 over everything that defines the runs of `plan` but their number.
pub fn plan_id(plan: &SweepPlan) -> String {
    let SweepPlan { hidden_std_dev, output_std_dev, learning_rate, epochs, seed, draws, solved_below, runs: _ } = plan;
    let mut digest = Sha256::new();
    digest.update(b"initsweep plan 1");
    let epochs: Vec<f64> = epochs.iter().map(|epochs| f64::from(*epochs)).collect();
    for levels in [hidden_std_dev, output_std_dev, learning_rate, &epochs, &vec![*solved_below]] {
        digest.update((levels.len() as u64).to_be_bytes());
        // −0 and 0 are the same level.
        levels.iter().for_each(|level| digest.update((level + 0.0).to_bits().to_be_bytes()));
    }
    digest.update(seed.to_be_bytes());
    digest.update([u8::from(*draws == Draws::Paired)]);
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn document(id: &str, run: &Run) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), id);
    document.append(cstr!("hidden_std_dev"), run.hidden_std_dev);
    document.append(cstr!("output_std_dev"), run.output_std_dev);
    document.append(cstr!("loss"), run.loss);
    document.append(cstr!("replicate"), i64::from(run.replicate));
    append_whole(&mut document, cstr!("seed"), run.seed);
    document.append(cstr!("final_loss"), run.final_loss);
    document.append(cstr!("epochs"), i64::from(run.epochs));
    document.append(cstr!("learning_rate"), run.learning_rate);
    append_whole(&mut document, cstr!("draw"), run.draw);
    // Null rather than absent, so that copies have the column even if no run was solved.
    document
        .append(cstr!("solved_epoch"), run.solved_epoch.map_or(RawBson::Null, |epoch| RawBson::Int64(epoch.into())));
    document.append(cstr!("solved_below"), run.solved_below);
    document
}

fn append_whole(document: &mut RawDocumentBuf, key: impl AsRef<CStr>, value: u64) {
    match whole(value) {
        Bson::Int64(value) => document.append(key, value),
        Bson::Decimal128(value) => document.append(key, value),
        _ => {}
    }
}

/// A whole number as an Int64, or, beyond its range, as a Decimal128, which holds every u64 exactly.
pub(super) fn whole(value: u64) -> Bson {
    match i64::try_from(value) {
        Ok(value) => Bson::Int64(value),
        Err(_) => value.to_string().parse().map_or(Bson::Null, Bson::Decimal128),
    }
}

/// `name` with only those characters that every file system takes.
pub fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_id_depends_on_what_defines_the_runs() {
        let plan = SweepPlan {
            hidden_std_dev: vec![0.1, 0.7],
            output_std_dev: vec![0.8165],
            learning_rate: vec![0.1],
            epochs: vec![3],
            runs: 2,
            seed: 1,
            draws: Draws::Independent,
            solved_below: 0.1,
        };
        let id = plan_id(&plan);
        assert_eq!(id.len(), 16);
        assert_eq!(plan_id(&SweepPlan { runs: 5000, ..plan.clone() }), id);
        for other in [
            SweepPlan { seed: 2, ..plan.clone() },
            SweepPlan { draws: Draws::Paired, ..plan.clone() },
            SweepPlan { epochs: vec![4], ..plan.clone() },
            SweepPlan { hidden_std_dev: vec![0.1], output_std_dev: vec![0.7, 0.8165], ..plan.clone() },
            SweepPlan { solved_below: 0.2, ..plan.clone() },
        ] {
            assert_ne!(plan_id(&other), id, "{other:?}");
        }
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        assert_eq!(whole(7), Bson::Int64(7));
        assert_eq!(whole(u64::MAX).to_string(), u64::MAX.to_string());
    }
}
