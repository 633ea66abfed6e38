//! MongoDB, both directions. The driver and its asynchronous runtime never leave this module and its children.
//!
//! - [`mod@read`]: a collection into a [`RunTable`](crate::store::RunTable).
//! - [`mod@write`]: the runs of a sweep into a collection, from several machines at once if need be.
//! - [`mod@spool`]: the local file that keeps runs while the server is away.
//! - [`mod@rows`]: whole documents as rows of cells, for copying.
//! - [`mod@summaries`]: lets the server count.
//!
//! **Time.** Nothing is waited for longer than `--timeout` before the first answer. A server that answered once and then
//! goes away (restart, new primary, cut line) is waited for `PATIENCE` times as long, because what was done so far is
//! worth it.
//!
//! **Futures of the driver are never dropped**, which its connections would not survive: no timeout is wrapped around one.
//! Reads run in a task of their own, which ends by itself once nobody listens.
//!
//! **Passwords.** Every message, the driver's too, passes through `Server::failure`, which takes them out.

pub mod read;
pub mod rows;
pub mod spool;
pub mod summaries;
pub mod write;

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use ::mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use ::mongodb::error::ErrorKind;
use ::mongodb::options::{ClientOptions, ConnectionString, HostInfo};
use ::mongodb::{Client, Collection};
use tokio::runtime::Runtime;

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::without_password;

/// The article's database.
pub const DEFAULT_DATABASE: &str = "experiment_db";
/// The article's collection.
pub const DEFAULT_COLLECTION: &str = "results";
/// Seconds until an unreachable server is given up.
pub const DEFAULT_TIMEOUT: f64 = 5.0;
/// The environment variable that a URI may come from, so that it stands in no command line.
pub const URI_VARIABLE: &str = "MONGODB_URI";
/// How many timeouts to wait for a server that was there before.
const PATIENCE: u32 = 12;

/// Codes of a server that restarts, steps down, or lost a cursor: the same command can succeed a moment later.
/// Those of the drivers' specification of retryable reads, CursorNotFound (43) and CursorKilled (237).
const PASSING_CODES: [i32; 15] = [6, 7, 43, 89, 91, 134, 189, 237, 262, 9001, 10107, 11600, 11602, 13435, 13436];

/// A collection on a server, as the user named it.
#[derive(Clone, PartialEq)]
pub struct Location {
    uri: String,
    host: String,
    database: String,
    collection: String,
    filter: Document,
    timeout: Duration,
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
}

/// Whether `text` is a MongoDB URI.
pub fn is_uri(text: &str) -> bool {
    text.starts_with("mongodb://") || text.starts_with("mongodb+srv://")
}

impl Location {
    /// The collection at `uri`, with the user's choices.
    ///
    /// # Errors
    /// [`Error::Usage`] for a broken URI, filter or name.
    pub fn of(uri: &str, choice: &Choice) -> Result<Self> {
        let usage = |reason: String| Error::Usage { what: "URI", given: without_password(uri), reason };
        let parsed = ConnectionString::parse(uri).map_err(|e| usage(without_password(&kind_text(&e))))?;
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
        Ok(Self { uri: uri.into(), host, database, collection, filter, timeout })
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
        if self.filter.is_empty() { Ok(()) } else { write!(f, " {}", self.filter) }
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
    secret: Option<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// Connects, and waits until the server has answered once.
    ///
    /// # Errors
    /// [`Error::Unreachable`] within the timeout, [`Error::Refused`], [`Error::Usage`] for options that cannot be.
    pub(crate) fn connect(location: &Location) -> Result<Self> {
        let failed = |reason: String| Error::Unreachable { host: location.host.clone(), reason };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mongodb")
            .enable_all()
            .build()
            .map_err(|e| failed(e.to_string()))?;
        // Resolving an SRV record may take long and belongs to no connection: it goes on unheard after the timeout.
        let uri = location.uri.clone();
        let parsing = runtime.spawn(async move { ClientOptions::parse(uri).await });
        let parsed = runtime.block_on(async { tokio::time::timeout(location.timeout, parsing).await });
        let explain = |e: &::mongodb::error::Error| failure(location, None, e);
        let mut options = match parsed {
            Ok(Ok(parsed)) => parsed.map_err(|e| explain(&e))?,
            _ => return Err(failed(format!("its DNS records did not come within {:?}", location.timeout))),
        };
        options.app_name.get_or_insert_with(|| env!("CARGO_PKG_NAME").into());
        options.server_selection_timeout.get_or_insert(location.timeout);
        options.connect_timeout.get_or_insert(location.timeout);
        let secret = options.credential.as_ref().and_then(|credential| credential.password.clone());
        // The driver starts its watching tasks when the client is made.
        let client = {
            let _inside = runtime.enter();
            Client::with_options(options).map_err(|e| explain(&e))?
        };
        let server = Self { runtime: Some(runtime), client, location: location.clone(), secret };
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
                other => return other.map_err(|e| self.failure(&e)),
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
        failure(&self.location, self.secret.as_deref(), e)
    }

    /// Why nothing was found: no such database, no such collection, an empty one, or a filter that nothing matches.
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
            (_, Ok(names)) if location.filter.is_empty() => {
                format!("the collection is empty; the database '{}' has {}", location.database, listed(names))
            }
            _ if location.filter.is_empty() => "the collection is empty or not there".into(),
            _ => "no document matches the filter".into(),
        };
        Error::NoDocuments { place: location.to_string(), reason }
    }
}

/// How long a server that was there before is waited for.
struct Patience {
    limit: Duration,
    since: Option<Instant>,
}

impl Patience {
    const PAUSE: Duration = Duration::from_millis(200);

    fn of(location: &Location) -> Self {
        Self { limit: location.timeout * PATIENCE, since: None }
    }

    /// Waits a little; false if it has lasted long enough.
    fn lasts(&mut self) -> bool {
        let began = *self.since.get_or_insert_with(Instant::now);
        std::thread::sleep(Self::PAUSE);
        began.elapsed() < self.limit
    }

    /// The server answered.
    fn renew(&mut self) {
        self.since = None;
    }
}

/// Whether the same call can succeed later: the line or the server went away, or the primary changed.
fn passes(e: &::mongodb::error::Error) -> bool {
    match e.kind.as_ref() {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::ServerSelection { .. } => true,
        ErrorKind::Command(command) => PASSING_CODES.contains(&command.code),
        ErrorKind::InsertMany(insert) => {
            insert.write_concern_error.as_ref().is_some_and(|e| PASSING_CODES.contains(&e.code))
        }
        _ => false,
    }
}

/// The error for `e`, sorted by what the user has to fix, without passwords.
fn failure(location: &Location, secret: Option<&str>, e: &::mongodb::error::Error) -> Error {
    let clean = |text: String| {
        let text = without_password(&text);
        match secret.filter(|secret| !secret.is_empty()) {
            Some(secret) => text.replace(secret, "***"),
            None => text,
        }
    };
    let host = location.host.clone();
    let reason = clean(kind_text(e));
    match e.kind.as_ref() {
        ErrorKind::ServerSelection { .. } => {
            let seconds = location.timeout.as_secs_f64();
            Error::Unreachable { host, reason: format!("no answer within {seconds} s ({})", cause_of(&reason)) }
        }
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::DnsResolve { .. } => {
            Error::Unreachable { host, reason: cause_of(&reason) }
        }
        ErrorKind::Authentication { .. } => Error::Refused { host, reason },
        ErrorKind::Command(command) if matches!(command.code, 13 | 18) => {
            Error::Refused { host, reason: clean(command.message.clone()) }
        }
        ErrorKind::InvalidArgument { .. } | ErrorKind::InvalidTlsConfig { .. } => {
            Error::Usage { what: "URI", given: without_password(&location.uri), reason }
        }
        ErrorKind::Command(command) => {
            Error::Database { place: location.to_string(), reason: clean(command.message.clone()) }
        }
        _ => Error::Database { place: location.to_string(), reason },
    }
}

/// What the driver says, without its labels and the server's whole reply.
fn kind_text(e: &::mongodb::error::Error) -> String {
    e.kind.to_string()
}

/// The system's words within a description of the whole topology.
fn cause_of(message: &str) -> String {
    let cause = message.split("Kind: ").nth(1).and_then(|rest| rest.split(", labels:").next()).unwrap_or(message);
    cause.trim_start_matches("I/O error: ").trim_end_matches(" }").to_string()
}

/// The documents that come after `id` in the order of `_id`.
///
/// `$gt` compares within one type; documents whose `_id` is of a type that sorts later are asked for by type
/// (the order is that of the manual, "Comparison/Sort Order").
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
        for uri in ["mongodb://ann:s3c/ret@h/db", "mongodb://ann:s3cret@", "mongodb://ann:s3cret@h/?authMechanism=X"] {
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
