//! One file or collection, and what has been read of it.

use std::fs::{File, Metadata};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, Result};
use crate::store::formats::content::Content;
use crate::store::formats::csv::{self, Growing};
use crate::store::source::Input;
use crate::store::template::Found;
use crate::store::{Data, Followed, Roles, RunTable};
use crate::watch::signs::Waker;

/// How long a CSV file must have been left alone until a last line without a line break counts as
/// finished.
const SETTLED: Duration = Duration::from_secs(2);

/// One input and what has been read of it.
pub struct Part {
    input: Input,
    state: State,
}

enum State {
    /// Nothing has been read.
    Unread,
    /// CSV, read up to its last line break.
    Growing { growing: Box<Growing>, table: Box<RunTable>, identity: Identity, since: Instant },
    /// A file that was read whole.
    Whole { data: Box<Data>, identity: Identity },
    /// A collection.
    Collection(Box<Followed>),
}

impl Part {
    /// An input of which nothing has been read.
    pub fn of(input: Input, waker: &Waker) -> Self {
        let state = match &input {
            Input::Collection(location) => State::Collection(Box::new(Followed::new(location.clone(), waker.sender()))),
            _ => State::Unread,
        };
        Self { input, state }
    }

    /// What it is read from.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// What has been read.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] or [`Error::NoDocuments`] for a collection.
    pub fn data(&self) -> Result<Data> {
        let mut data = match &self.state {
            State::Unread => Data::Runs(RunTable::empty(&Roles::default())),
            State::Growing { table, .. } => Data::Runs(table.as_ref().clone()),
            State::Whole { data, .. } => data.as_ref().clone(),
            State::Collection(followed) => Data::Runs(followed.table()?),
        };
        self.input.complete(&mut data)?;
        Ok(data)
    }

    /// Reads what has changed; says whether anything has.
    ///
    /// # Errors
    /// Those of reading. A file then counts as unread.
    pub fn refresh(&mut self, roles: &Roles) -> Result<bool> {
        match (&self.input, &mut self.state) {
            (_, State::Collection(followed)) => followed.refresh(roles),
            (Input::File(Found { path, .. }), _) => {
                let path = path.clone();
                let roles = self.input.roles(roles).into_owned();
                self.refresh_file(&path, &roles)
            }
            _ => Ok(false),
        }
    }

    fn refresh_file(&mut self, path: &Path, roles: &Roles) -> Result<bool> {
        let mut file = File::open(path).map_err(Error::read(path))?;
        let now = Identity::of(&file.metadata().map_err(Error::read(path))?);
        match std::mem::replace(&mut self.state, State::Unread) {
            State::Whole { data, identity } if identity == now => {
                self.state = State::Whole { data, identity };
                return Ok(false);
            }
            State::Growing { growing, table, identity, since } if identity == now => {
                if growing.bytes() < now.bytes && since.elapsed() >= SETTLED {
                    // Nobody goes on with the last line: it is what it is.
                    self.state = self.read_whole(now, roles)?;
                    return Ok(true);
                }
                self.state = State::Growing { growing, table, identity, since };
                return Ok(false);
            }
            State::Growing { mut growing, mut table, identity, .. }
                if identity.is_same_file(&now) && growing.is_continued_by(&mut file, path)? =>
            {
                let more = growing.read_more(&mut file, path)?;
                let any = more.ledger.read > 0;
                let inputs = more.inputs.clone();
                table.append(more)?;
                table.inputs = inputs;
                self.state = State::Growing { growing, table, identity: now, since: Instant::now() };
                return Ok(any);
            }
            _ => {}
        }
        self.state = if csv::may_grow(Content::of_file(path)?, roles)? {
            let (growing, table) = Growing::open(&mut file, path, roles)?;
            let (growing, table) = (Box::new(growing), Box::new(table));
            State::Growing { growing, table, identity: now, since: Instant::now() }
        } else {
            self.read_whole(now, roles)?
        };
        Ok(true)
    }

    /// Reads a file that does not grow.
    fn read_whole(&self, identity: Identity, roles: &Roles) -> Result<State> {
        Ok(State::Whole { data: Box::new(self.input.read(roles)?), identity })
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device, number on it and time of the last change of any kind, where the system has them.
    inode: [i128; 3],
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
            [metadata.dev().into(), metadata.ino().into(), changed]
        };
        #[cfg(not(unix))]
        let inode = [0; 3];
        Self { bytes: metadata.len(), modified: metadata.modified().ok(), inode }
    }

    /// Whether it may be the same file, grown.
    fn is_same_file(&self, later: &Self) -> bool {
        self.inode[..2] == later.inode[..2] && self.bytes < later.bytes
    }
}
