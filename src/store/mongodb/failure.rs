//! What went wrong with a server: whether it passes, how long that is waited for, and what to tell the user.
//!
//! **What passes:** a line that was cut, a server that restarts or hangs, a primary that steps down, a cursor that timed
//! out. The same call is made again until `--patience` is over; reads go on after the last document that came. **What
//! does not:** a full disk, a refusal, a document that the server will not take. That ends the command at once.
//!
//! **Passwords.** Every message, the driver's too, passes through [`failure`], which takes them out.

use std::io::Write;
use std::time::{Duration, Instant};

use ::mongodb::error::{ErrorKind, InsertManyError, WriteFailure};

use crate::error::{Error, Result};
use crate::format::printable;
use crate::provenance::{uri_without_password, without_secrets_of};
use crate::store::mongodb::Location;

/// The error code of a key that is there already.
const DUPLICATE_KEY: i32 = 11000;
/// The error code of a full disk.
const OUT_OF_DISK_SPACE: i32 = 14031;
/// Codes of a server that restarts, steps down, or lost a cursor: the same command can succeed a moment later.
/// Those of the drivers' specifications of retryable reads and writes, CursorNotFound (43), CursorKilled (237),
/// WriteConcernFailed (64), the majority's `wtimeoutMS`, and WriteConflict (112).
const PASSING: [i32; 17] = [6, 7, 43, 64, 89, 91, 112, 134, 189, 237, 262, 9001, 10107, 11600, 11602, 13435, 13436];

/// Codes of a filter that means nothing to the server: BadValue, FailedToParse, TypeMismatch, NotImplemented, InvalidRegex.
const REFUSED_FILTER: [i32; 5] = [2, 9, 14, 238, 51091];

/// How long a server that was there before is waited for.
pub(super) struct Patience {
    host: String,
    limit: Duration,
    since: Option<Instant>,
}

impl Patience {
    const PAUSE: Duration = Duration::from_millis(200);

    pub(super) fn of(location: &Location) -> Self {
        Self { host: location.host.clone(), limit: location.patience, since: None }
    }

    /// Waits a little, after telling the user; false if it has lasted long enough.
    pub(super) fn lasts(&mut self) -> bool {
        if self.since.is_none() && !self.limit.is_zero() {
            let seconds = self.limit.as_secs_f64();
            tell(&format!("{} does not answer; waiting up to {seconds} s, what was done so far is kept", self.host));
        }
        let began = *self.since.get_or_insert_with(Instant::now);
        if began.elapsed() >= self.limit {
            return false;
        }
        std::thread::sleep(Self::PAUSE.min(self.limit));
        true
    }

    /// The server answered.
    pub(super) fn renew(&mut self) {
        self.since = None;
    }

    /// The error for `e`, after whatever waiting there was.
    pub(super) fn over<T>(&self, location: &Location, error: Error) -> Result<T> {
        match error {
            Error::Unreachable { reason, .. } if self.since.is_some() => Err(gone(location, &reason)),
            other => Err(other),
        }
    }
}

/// Tells the user at once what no error tells yet.
pub(super) fn tell(text: &str) {
    // If standard error is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// The error for a server that went away in the middle and did not come back in time.
pub(super) fn gone(location: &Location, reason: &str) -> Error {
    let seconds = location.patience.as_secs_f64();
    let reason = format!("it went away and was not back within {seconds} s ({reason})");
    Error::Unreachable { host: location.host.clone(), reason }
}

/// Whether the same call can succeed later: the line or the server went away, or the primary changed.
pub(super) fn passes(e: &::mongodb::error::Error) -> bool {
    let passing = |code: i32| PASSING.contains(&code);
    match e.kind.as_ref() {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::ServerSelection { .. } => true,
        ErrorKind::Command(command) => passing(command.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(e)) => passing(e.code),
        ErrorKind::Write(WriteFailure::WriteError(e)) => passing(e.code),
        ErrorKind::InsertMany(insert) => {
            let mut rest = codes(insert).filter(|code| *code != DUPLICATE_KEY).peekable();
            rest.peek().is_some() && rest.all(passing)
        }
        _ => false,
    }
}

/// Whether all that went wrong is that documents were there already.
pub(super) fn only_duplicates(e: &::mongodb::error::Error) -> bool {
    match e.kind.as_ref() {
        ErrorKind::InsertMany(insert) => codes(insert).all(|code| code == DUPLICATE_KEY),
        _ => false,
    }
}

fn codes(insert: &InsertManyError) -> impl Iterator<Item = i32> {
    let documents = insert.write_errors.iter().flatten().map(|e| e.code);
    documents.chain(insert.write_concern_error.iter().map(|e| e.code))
}

/// The error for `e`, sorted by what the user has to fix, without passwords.
pub(super) fn failure(location: &Location, e: &::mongodb::error::Error) -> Error {
    let host = location.host.clone();
    let reason = without_secrets_of(&location.uri, &words(e));
    match e.kind.as_ref() {
        ErrorKind::ServerSelection { .. } if reason.contains("certificate") => {
            Error::Unreachable { host, reason: format!("no connection with TLS: {}", cause_of(&reason)) }
        }
        ErrorKind::ServerSelection { .. } => {
            let seconds = location.timeout.as_secs_f64();
            Error::Unreachable { host, reason: format!("no answer within {seconds} s ({})", cause_of(&reason)) }
        }
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::DnsResolve { .. } => {
            Error::Unreachable { host, reason: cause_of(&reason) }
        }
        ErrorKind::Authentication { .. } => Error::Refused { host, reason },
        ErrorKind::Command(command) if matches!(command.code, 13 | 18) => Error::Refused { host, reason },
        ErrorKind::InvalidArgument { .. } | ErrorKind::InvalidTlsConfig { .. } => {
            Error::Usage { what: "URI", given: uri_without_password(&location.uri), reason }
        }
        ErrorKind::Command(command) if REFUSED_FILTER.contains(&command.code) && !location.filter.is_empty() => {
            Error::Usage { what: "filter", given: location.filter.to_string(), reason }
        }
        _ => Error::Database { place: location.to_string(), reason },
    }
}

/// What the driver or the server says, without the driver's labels and the server's whole reply.
pub(super) fn words(e: &::mongodb::error::Error) -> String {
    let said = |code: i32, message: &str| match code {
        OUT_OF_DISK_SPACE => format!("the server's disk is full: {message}"),
        _ => message.to_string(),
    };
    match e.kind.as_ref() {
        ErrorKind::Command(e) => said(e.code, &e.message),
        ErrorKind::Write(WriteFailure::WriteConcernError(e)) => said(e.code, &e.message),
        ErrorKind::Write(WriteFailure::WriteError(e)) => said(e.code, &e.message),
        ErrorKind::InsertMany(insert) => {
            let documents = insert.write_errors.iter().flatten();
            let first = documents.filter(|e| e.code != DUPLICATE_KEY).map(|e| said(e.code, &e.message)).next();
            let concern = insert.write_concern_error.as_ref().map(|e| said(e.code, &e.message));
            first.or(concern).unwrap_or_else(|| e.kind.to_string())
        }
        kind => kind.to_string(),
    }
}

/// The system's words within a description of the whole topology.
fn cause_of(message: &str) -> String {
    let cause = message.split("Kind: ").nth(1).and_then(|rest| rest.split(", labels:").next()).unwrap_or(message);
    cause.trim_start_matches("I/O error: ").trim_end_matches(" }").to_string()
}
