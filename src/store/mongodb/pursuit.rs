//! How a sweep went on until its goal ([`crate::course`]), kept in the collection `sweeps` of the database that holds its runs.
//!
//! One document a sweep and collection, `PLAN.COLLECTION`, replaced as a whole, so that what is read is always one state of it. The sweep
//! can go on from it anywhere, and reports on the collection show it.

use ::mongodb::Collection;
use ::mongodb::bson::{Document, deserialize_from_bson, doc, serialize_to_bson};
use futures_util::TryStreamExt;

use crate::course::History;
use crate::error::{Error, Result};
use crate::provenance::InputDigest;
use crate::store::mongodb::documents::{Ids, made_by, plan_document, plan_id, run_of};
use crate::store::mongodb::read::each_batch;
use crate::store::mongodb::rows::durable;
use crate::store::mongodb::write::PLANS;
use crate::store::mongodb::{Location, Server};
use crate::store::record::SweepRecord;
use crate::sweep::part::Part;
use crate::sweep::{Run, SweepPlan};

/// The document of one sweep.
pub struct PursuitDocument {
    server: Server,
    plans: Collection<Document>,
    id: String,
    plan: Document,
}

impl std::fmt::Debug for PursuitDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PursuitDocument({}, {})", self.server.location, self.id)
    }
}

impl PursuitDocument {
    /// Connects. There need not be a document yet.
    ///
    /// # Errors
    /// Those of connecting.
    pub fn of(location: &Location, plan: &SweepPlan) -> Result<Self> {
        let server = Server::connect(location)?;
        let plans = durable(&server, PLANS);
        let id = format!("{}.{}", plan_id(plan), location.collection);
        Ok(Self { server, plans, id, plan: plan_document(plan) })
    }

    /// What is stored; nothing before the first [`Self::write`].
    ///
    /// # Errors
    /// Those of reading; [`Error::Database`] if it is no history.
    pub fn read(&self) -> Result<Option<History>> {
        let found = self.server.insist(|| self.plans.find_one(doc! { "_id": &self.id }))?;
        found.map(|document| history_of(&self.server.location, document)).transpose()
    }

    /// Stores `record` with its history.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, record: &SweepRecord) -> Result<()> {
        // Serialising a plain struct cannot fail.
        let history = serialize_to_bson(&record.history).unwrap_or_default();
        let document = doc! {
            "_id": &self.id, "plan": &self.plan, "collection": &self.server.location.collection,
            "runs": record.runs as i64, "made_by": made_by(record), HISTORY: history,
        };
        let this = doc! { "_id": &self.id };
        let store = || self.plans.replace_one(this.clone(), &document).upsert(true);
        // Two workers that begin at the same moment may both try to insert it: the second attempt finds it.
        if self.server.insist(store).is_err() {
            self.server.insist(store)?;
        }
        Ok(())
    }

    /// Gives the runs of `part` that are in the collection, in their order, up to the first that is not.
    ///
    /// # Errors
    /// Those of reading, [`Error::Database`] for a document that is not the run that its `_id` says, whatever `take` gives.
    pub fn each_run(&self, part: &Part, mut take: impl FnMut(&[Run]) -> Result<()>) -> Result<()> {
        let ids = Ids::of(part);
        let mut next = part.places.start;
        each_batch(&self.server, &ids.between(&part.places), None, |documents| {
            let mut runs = Vec::with_capacity(documents.len());
            for document in documents {
                let id = document.get_str("_id").unwrap_or_default();
                if ids.place_of(id) != Some(next) {
                    break;
                }
                let run = run_of(document).filter(|run| run.identity() == part.plan.run(next));
                runs.push(run.ok_or_else(|| Error::Database {
                    place: self.server.location.to_string(),
                    reason: format!("the document {id} was changed: it is not the run of that _id"),
                })?);
                next += 1;
            }
            take(&runs)
        })
    }
}

const HISTORY: &str = "history";

/// How sweeps went on until their goals whose runs are at the server's location, by `_id`. Nothing where the user may not look, and of
/// a part of the runs.
///
/// # Errors
/// Those of reading.
pub(super) fn histories(server: &Server) -> Result<Vec<History>> {
    let location = &server.location;
    if !location.filter.is_empty() {
        return Ok(Vec::new());
    }
    let plans: Collection<Document> = server.database().collection(PLANS);
    let filter = doc! { "collection": &location.collection, HISTORY: { "$exists": true } };
    let found = server.insist(|| {
        let find = plans.find(filter.clone()).sort(doc! { "_id": 1 });
        async { find.await?.try_collect::<Vec<Document>>().await }
    });
    match found {
        Err(Error::Refused { .. }) => Ok(Vec::new()),
        // What another version stored may be of another form.
        found => Ok(found?.into_iter().filter_map(|document| history_of(location, document).ok()).collect()),
    }
}

/// Notes at `inputs`, of which so many documents were read, those histories whose runs can all be among them.
pub(super) fn note(histories: &[History], read: u64, inputs: &mut [InputDigest]) {
    for input in inputs {
        input.histories = histories.iter().filter(|history| history.runs() <= read).cloned().collect();
    }
}

fn history_of(location: &Location, mut document: Document) -> Result<History> {
    let history = document.remove(HISTORY).unwrap_or_default();
    deserialize_from_bson(history).map_err(|e| Error::Database {
        place: location.to_string(),
        reason: format!("the sweep stored in '{PLANS}' cannot be read: {e}"),
    })
}
