//! MongoDB, both directions. The driver and its asynchronous runtime never leave this module and
//! its children.
//!
//! - [`mod@read`]: a collection into a [`RunTable`](crate::store::RunTable).
//! - [`mod@follow`]: the same, kept current.
//! - [`mod@write`]: the runs of a sweep into a collection, from several machines at once if need
//!   be.
//! - [`mod@pursuit`]: how a sweep went on until its goal, kept beside its runs.
//! - [`mod@documents`]: runs and plans as documents.
//! - [`mod@spool`]: the local file that keeps runs while the server is away.
//! - [`mod@rows`]: whole documents as rows of cells, for copying.
//! - [`mod@conditions`]: conditions on rows in the server's words.
//! - [`mod@summaries`]: lets the server count.
//!
//! **Time.** Nothing is waited for longer than `--timeout` before the first answer. A server that
//! answered once and then goes away (restart, new primary, cut line) is waited for until
//! `--patience` is over, because what was done so far is worth it. One that hangs with its
//! connections open is noticed within twice the timeout: beside every connection the driver watches
//! the server with another, which breaks off the calls of a server that no longer answers. A call
//! that only takes long, such as an aggregation of a billion documents, is not cut off.
//!
//! **Futures of the driver are never dropped**, which its connections would not survive: no timeout
//! is wrapped around one. Reads run in a task of their own, which ends by itself once nobody
//! listens.

mod conditions;
pub(crate) mod documents;
mod failure;
mod fields;
mod fill;
pub mod follow;
pub mod pursuit;
pub mod read;
pub mod rows;
pub mod spool;
pub mod summaries;
pub mod write;

use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::time::Duration;

use ::mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use ::mongodb::options::{ClientOptions, ConnectionString, HostInfo};
use ::mongodb::{Client, Collection};
use tokio::runtime::Runtime;

use crate::condition::Condition;
use crate::error::{Error, Result};
use crate::format::excerpt;
pub use crate::provenance::URI_VARIABLE;
use crate::provenance::{uri_without_password, without_secrets_of};
use crate::store::mongodb::failure::{Patience, failure, passes, words};

/// The article's database.
pub const DEFAULT_DATABASE: &str = "experiment_db";
/// The article's collection.
pub const DEFAULT_COLLECTION: &str = "results";
/// Seconds until an unreachable server is given up.
pub const DEFAULT_TIMEOUT: f64 = 5.0;
/// Seconds to wait for a server that was there before: an election takes about 12, a restart rarely
/// more than 60.
pub const DEFAULT_PATIENCE: f64 = 60.0;
/// The limits that drivers set to the time between two looks at a server.
const HEARTBEAT: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(10);

/// A collection on a server, as the user named it.
#[derive(Clone, PartialEq)]
pub struct Location {
    uri: String,
    host: String,
    database: String,
    collection: String,
    /// What the user asked for as extended JSON.
    asked: Box<Document>,
    /// All that queries ask for: that, and the conditions on rows.
    filter: Box<Document>,
    timeout: Duration,
    patience: Duration,
    aggregate: Aggregate,
}

/// Who adds up the runs of each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Aggregate {
    /// The server from 20 million documents on, this program below.
    #[default]
    Auto,
    /// The server: only number, mean, spread and range of each level travel, and nothing else is
    /// known.
    Server,
    /// This program, from the documents themselves: everything is known.
    Client,
}

/// What the user may say about a collection besides the URI.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// The database, instead of the URI's.
    pub database: Option<String>,
    /// The collection.
    pub collection: Option<String>,
    /// Which documents, as extended JSON.
    pub filter: Option<String>,
    /// How long to wait for the first answer.
    pub timeout: Option<Duration>,
    /// How long to wait for a server that goes away in the middle.
    pub patience: Option<Duration>,
    /// Who adds up.
    pub aggregate: Aggregate,
}

/// Whether `text` is a MongoDB URI, or is meant as one: with a slash less it would be taken for a
/// path.
pub fn is_uri(text: &str) -> bool {
    text.starts_with("mongodb:") || text.starts_with("mongodb+srv:")
}

impl Location {
    /// The collection at `uri`, with the user's choices.
    ///
    /// # Errors
    /// [`Error::Usage`] for a broken URI, filter or name.
    pub fn of(uri: &str, choice: &Choice) -> Result<Self> {
        let usage = |reason: String| Error::Usage { what: "URI", given: uri_without_password(uri), reason };
        if !uri.contains("://") {
            return Err(usage("expected mongodb:// or mongodb+srv://, with two slashes".into()));
        }
        if uri.to_ascii_lowercase().contains("tlscertificatekeyfilepassword=") {
            let reason = "encrypted client keys cannot be opened; give one without password, readable by you alone";
            return Err(usage(reason.into()));
        }
        let parsed = ConnectionString::parse(uri).map_err(|e| usage(without_secrets_of(uri, &words(&e))))?;
        let host = match &parsed.host_info {
            HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            HostInfo::DnsRecord(name) => name.clone(),
            _ => "the server".into(),
        };
        let filter = match &choice.filter {
            None => Document::new(),
            Some(text) => serde_json::from_str(text).map_err(|e| Error::Usage {
                what: "filter",
                given: text.clone(),
                reason: format!("not a document in extended JSON ({e})"),
            })?,
        };
        let database =
            choice.database.clone().or(parsed.default_database).unwrap_or_else(|| DEFAULT_DATABASE.to_string());
        let collection = choice.collection.clone().unwrap_or_else(|| DEFAULT_COLLECTION.to_string());
        for (what, name) in [("database", &database), ("collection", &collection)] {
            if name.is_empty() || name.contains(['\0', '$']) {
                return Err(Error::Usage { what, given: name.clone(), reason: "not a name that MongoDB takes".into() });
            }
        }
        let timeout = choice.timeout.unwrap_or(Duration::from_secs_f64(DEFAULT_TIMEOUT));
        let patience = choice.patience.unwrap_or(Duration::from_secs_f64(DEFAULT_PATIENCE));
        let aggregate = choice.aggregate;
        let (asked, filter) = (Box::new(filter.clone()), Box::new(filter));
        Ok(Self { uri: uri.into(), host, database, collection, asked, filter, timeout, patience, aggregate })
    }

    /// Those of its documents for which all `conditions` hold, filtered at the server.
    #[must_use]
    pub fn selecting(&self, conditions: &[Condition]) -> Self {
        Self { filter: Box::new(conditions::all(&self.asked, conditions)), ..self.clone() }
    }

    /// Who adds up.
    pub fn aggregate(&self) -> Aggregate {
        self.aggregate
    }

    /// Documents in the collection, about.
    ///
    /// # Errors
    /// Those of connecting and asking.
    pub fn documents(&self) -> Result<u64> {
        let server = Server::connect(self)?;
        let collection = server.collection();
        server.insist(|| collection.estimated_document_count())
    }

    /// Database and collection, as MongoDB writes a namespace.
    pub fn namespace(&self) -> String {
        format!("{}.{}", self.database, self.collection)
    }
}

/// Host, database and collection, and the filter. No user, no password, no option.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mongodb://{}/{}", self.host, self.namespace())?;
        if self.asked.is_empty() { Ok(()) } else { write!(f, " {}", self.asked) }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A connected client with the runtime that drives it.
pub(crate) struct Server {
    // In an option, because shutting it down takes it.
    runtime: Option<Runtime>,
    client: Client,
    location: Location,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// How many documents the user's own filter matches; of a whole collection, as its metadata
    /// say.
    fn asked_for(&self) -> Result<u64> {
        let asked = &self.location.asked;
        match asked.is_empty() {
            true => self.insist(|| async { self.collection().estimated_document_count().await }),
            false => self.insist(|| async { self.collection().count_documents(asked.as_ref().clone()).await }),
        }
    }

    /// Connects, and waits until the server has answered once.
    ///
    /// # Errors
    /// [`Error::Unreachable`] within the timeout, [`Error::Refused`], [`Error::Usage`] for options
    /// that cannot be.
    pub(crate) fn connect(location: &Location) -> Result<Self> {
        let failed = |reason: String| Error::Unreachable { host: location.host.clone(), reason };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mongodb")
            .enable_all()
            .build()
            .map_err(|e| failed(e.to_string()))?;
        // Resolving an SRV record may take long and belongs to no connection: it goes on unheard
        // after the timeout.
        let uri = location.uri.clone();
        let parsing = runtime.spawn(async move { ClientOptions::parse(uri).await });
        let parsed = runtime.block_on(async { tokio::time::timeout(location.timeout, parsing).await });
        let explain = |e: &::mongodb::error::Error| failure(location, e);
        let mut options = match parsed {
            Ok(Ok(parsed)) => parsed.map_err(|e| explain(&e))?,
            _ => return Err(failed(format!("its DNS records did not come within {:?}", location.timeout))),
        };
        options.app_name.get_or_insert_with(|| env!("CARGO_PKG_NAME").into());
        options.server_selection_timeout.get_or_insert(location.timeout);
        options.connect_timeout.get_or_insert(location.timeout);
        options.heartbeat_freq.get_or_insert((location.timeout / 2).clamp(*HEARTBEAT.start(), *HEARTBEAT.end()));
        // The driver starts its watching tasks when the client is made.
        let client = {
            let _inside = runtime.enter();
            Client::with_options(options).map_err(|e| explain(&e))?
        };
        let server = Self { runtime: Some(runtime), client, location: location.clone() };
        server.run(server.database().run_command(doc! { "ping": 1 }))?;
        Ok(server)
    }

    /// Runs one call of the driver to its end.
    fn run<T>(&self, call: impl IntoFuture<Output = ::mongodb::error::Result<T>>) -> Result<T> {
        self.attempt(call).map_err(|e| self.failure(&e))
    }

    /// The same with the driver's own error, for those who can go on after some of them.
    fn attempt<T>(&self, call: impl IntoFuture<Output = ::mongodb::error::Result<T>>) -> ::mongodb::error::Result<T> {
        self.runtime().block_on(call.into_future())
    }

    /// The same, again and again as long as the server is only away for a while.
    fn insist<T, C>(&self, mut call: impl FnMut() -> C) -> Result<T>
    where
        C: IntoFuture<Output = ::mongodb::error::Result<T>>,
    {
        let mut patience = Patience::of(&self.location);
        loop {
            match self.attempt(call()) {
                Err(e) if passes(&e) && patience.lasts() => {}
                Err(e) => return patience.over(&self.location, self.failure(&e)),
                Ok(done) => return Ok(done),
            }
        }
    }

    fn runtime(&self) -> &Runtime {
        // Taken by drop alone.
        self.runtime.as_ref().unwrap_or_else(|| unreachable!("the runtime lives as long as the server"))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime().spawn(task));
    }

    fn database(&self) -> ::mongodb::Database {
        self.client.database(&self.location.database)
    }

    fn collection(&self) -> Collection<RawDocumentBuf> {
        self.database().collection(&self.location.collection)
    }

    /// The error for `e`, without any password.
    fn failure(&self, e: &::mongodb::error::Error) -> Error {
        failure(&self.location, e)
    }

    /// Why nothing was found: no such database, no such collection, an empty one, or a filter that
    /// nothing matches.
    fn nothing_found(&self) -> Error {
        let location = &self.location;
        let listed = |mut names: Vec<String>| {
            names.sort();
            match names.len() {
                0 => "nothing".into(),
                _ => names.iter().take(20).map(|name| excerpt(name)).collect::<Vec<_>>().join(", "),
            }
        };
        // A user who may not list anything is told less.
        let databases = self.attempt(self.client.list_database_names());
        let collections = self.attempt(self.database().list_collection_names());
        let reason = match (databases, collections) {
            (Ok(names), _) if !names.contains(&location.database) => {
                format!("there is no database '{}'; the server has {}", location.database, listed(names))
            }
            (_, Ok(names)) if !names.contains(&location.collection) => format!(
                "the database '{}' has no collection '{}'; it has {}",
                location.database,
                location.collection,
                listed(names)
            ),
            (_, Ok(names)) if location.asked.is_empty() => {
                format!("the collection is empty; the database '{}' has {}", location.database, listed(names))
            }
            _ if location.asked.is_empty() => "the collection is empty or not there".into(),
            _ => "no document matches the filter".into(),
        };
        Error::NoDocuments { place: location.to_string(), reason }
    }
}

/// The documents that come after `id` in the order of `_id`.
///
/// `$gt` compares within one type; documents whose `_id` is of a type that sorts later are asked
/// for by type (the order is that of the manual, "Comparison/Sort Order").
fn after(id: &Bson) -> Document {
    const ORDER: [&[&str]; 12] = [
        &["minKey"],
        &["null"],
        &["double", "int", "long", "decimal"],
        &["string", "symbol"],
        &["object"],
        &["array"],
        &["binData"],
        &["objectId"],
        &["bool"],
        &["date"],
        &["timestamp"],
        &["regex"],
    ];
    let own = match id {
        Bson::MinKey => 0,
        Bson::Null | Bson::Undefined => 1,
        Bson::Double(_) | Bson::Int32(_) | Bson::Int64(_) | Bson::Decimal128(_) => 2,
        Bson::String(_) | Bson::Symbol(_) => 3,
        Bson::Document(_) => 4,
        Bson::Array(_) => 5,
        Bson::Binary(_) => 6,
        Bson::ObjectId(_) => 7,
        Bson::Boolean(_) => 8,
        Bson::DateTime(_) => 9,
        Bson::Timestamp(_) => 10,
        _ => 11,
    };
    let mut later: Vec<&str> = ORDER[own + 1..].concat();
    later.push("maxKey");
    doc! { "$or": [{ "_id": { "$gt": id.clone() } }, { "_id": { "$type": later } }] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(uri: &str, choice: &Choice) -> Location {
        Location::of(uri, choice).unwrap()
    }

    #[test]
    fn names_come_from_the_choice_the_uri_or_the_article() {
        let none = Choice::default();
        assert_eq!(location("mongodb://h", &none).to_string(), "mongodb://h:27017/experiment_db.results");
        assert_eq!(location("mongodb://u:p@h:1/lab?authSource=admin", &none).to_string(), "mongodb://h:1/lab.results");
        let choice = Choice { database: Some("a".into()), collection: Some("b.c".into()), ..Choice::default() };
        assert_eq!(location("mongodb://h/lab", &choice).namespace(), "a.b.c");
    }

    #[test]
    fn no_password_in_any_form() {
        let shown = location("mongodb://ann:s3cret@h/db", &Choice::default());
        assert!(!format!("{shown:?} {shown}").contains("s3cret"));
        for uri in [
            "mongodb://ann:s3c/ret@h/db",
            "mongodb://ann:s3cret@",
            "mongodb://ann:s3cret@h/?authMechanism=X",
            "mongodb://ann:s3cret",
            "mongodb:/ann:s3cret@h",
            "mongodb://ann:s3c#ret@h",
            "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=s3cret",
            "mongodb://h/?proxyHost=h&proxyPassword=s3cret",
            "mongodb://h/?authMechanism=X&authMechanismProperties=AWS_SESSION_TOKEN:s3cret",
        ] {
            let error = Location::of(uri, &Choice::default()).unwrap_err();
            assert!(!error.to_string().contains("s3c"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn filters_are_extended_json() {
        let filter = |text: &str| {
            Location::of("mongodb://h", &Choice { filter: Some(text.into()), ..Choice::default() }).map(|l| l.filter)
        };
        let parsed = filter(r#"{"a": {"$gt": 0.5}, "_id": {"$oid": "5f1f3e4e4e4e4e4e4e4e4e4e"}}"#).unwrap();
        assert!(matches!(parsed.get("_id"), Some(Bson::ObjectId(_))), "{parsed}");
        assert_eq!(parsed.get_document("a").unwrap().get_f64("$gt").unwrap(), 0.5);
        assert_eq!(filter("{a: 1}").unwrap_err().exit_code(), 2);
    }
}
