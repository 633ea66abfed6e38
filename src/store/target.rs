//! Where the runs of a sweep go: a file or a collection, behind one small interface.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::formats::{is_parquet_by_name, json};
use crate::store::mongodb::documents::{file_name, plan_id};
use crate::store::mongodb::write::CollectionWriter;
use crate::store::mongodb::{Choice, Location};
use crate::store::record::SweepRecord;
use crate::store::source::Source;
use crate::store::writer::{Existing, RunWriter};
use crate::sweep::part::Part;
use crate::sweep::{Run, SweepPlan};

/// The argument of `--to`.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A CSV or Parquet file.
    File(PathBuf),
    /// A collection on a server.
    Collection(Location),
}

impl Target {
    /// What `source` names, if something can be written there; `choice` is used if that is a
    /// collection.
    ///
    /// # Errors
    /// [`Error::Usage`] for standard input and for a file of another ending, those of
    /// [`Source::located`].
    pub fn of(source: &Source, choice: &Choice) -> Result<Self> {
        match source.located(choice)? {
            Source::Path(path) if is_csv(path.as_ref()) || is_parquet_by_name(path.as_ref()) => {
                Ok(Self::File(path.into()))
            }
            Source::Collection(location) => Ok(Self::Collection(location)),
            other => {
                let reason = "expected a file that ends with .csv, .parquet or .pq, or a MongoDB URI".into();
                Err(Error::Usage { what: "target", given: other.to_string(), reason })
            }
        }
    }

    /// The same for rows of any columns, which JSON Lines hold too.
    ///
    /// # Errors
    /// Those of [`Target::of`].
    pub fn of_rows(source: &Source, choice: &Choice) -> Result<Self> {
        match source {
            Source::Path(path) if is_plain_lines(path.as_ref()) => Ok(Self::File(path.into())),
            other => Self::of(other, choice).map_err(with_lines),
        }
    }
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// Whether a file of this name holds JSON Lines, not compressed.
fn is_plain_lines(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| json::LINES.endings.contains(&ending.as_str()))
}

fn with_lines(error: Error) -> Error {
    match error {
        Error::Usage { what, given, reason } => {
            let reason = reason.replace(".parquet or .pq", ".parquet or .pq, .jsonl or .ndjson");
            Error::Usage { what, given, reason }
        }
        other => other,
    }
}

impl Target {
    /// The file that runs of `plan` go through when each round depends on the last: the target
    /// itself, or, for a collection, one in the working folder.
    pub fn journal(&self, plan: &SweepPlan) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Collection(location) => {
                format!("initsweep-{}-{}.csv", plan_id(plan), file_name(&location.namespace())).into()
            }
        }
    }

    /// Documents in the collection, about; nothing for a file.
    ///
    /// # Errors
    /// Those of connecting and asking.
    pub fn documents(&self) -> Result<Option<u64>> {
        match self {
            Self::File(_) => Ok(None),
            Self::Collection(location) => location.documents().map(Some),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Collection(location) => location.fmt(f),
        }
    }
}

/// Stores the runs of one plan, or of a part of it.
#[derive(Debug)]
pub enum RunStore {
    /// In a file.
    File(Box<RunWriter>),
    /// In a collection.
    Collection(Box<CollectionWriter>),
}

impl RunStore {
    /// Opens `target`.
    ///
    /// # Errors
    /// Those of [`RunWriter::open`] and [`CollectionWriter::open`].
    pub fn open(target: &Target, part: &Part, existing: Existing) -> Result<Self> {
        Ok(match target {
            Target::File(path) => Self::File(Box::new(RunWriter::open(path, part, existing)?)),
            Target::Collection(location) => {
                Self::Collection(Box::new(CollectionWriter::open(location, part, existing)?))
            }
        })
    }

    /// Those of `places`, all of a part, whose runs are not stored, in order. Waits for a server
    /// that is away.
    ///
    /// # Errors
    /// Those of reading, [`Error::Spooled`].
    pub fn missing(&mut self, places: &Range<u64>) -> Result<Vec<Range<u64>>> {
        match self {
            Self::File(writer) => {
                let rest = places.start + writer.done()..places.end;
                Ok(Some(rest).into_iter().filter(|range| !range.is_empty()).collect())
            }
            Self::Collection(writer) => {
                writer.settle()?;
                writer.missing(places)
            }
        }
    }

    /// Those of `block`, places that were missing, which others have not stored meanwhile, as far
    /// as can be known at once.
    ///
    /// # Errors
    /// Those of reading.
    pub fn still_missing(&mut self, block: &Range<u64>) -> Result<Vec<Range<u64>>> {
        match self {
            Self::Collection(writer) if !writer.is_away() => writer.missing(block),
            _ => Ok(vec![block.clone()]),
        }
    }

    /// Whether others may store runs of the same plan meanwhile.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Collection(_))
    }

    /// Stores `runs`, which stand at `place` and after in the plan.
    ///
    /// # Errors
    /// Those of writing.
    pub fn append(&mut self, place: u64, runs: &[Run]) -> Result<()> {
        match self {
            Self::File(writer) => writer.append(runs),
            Self::Collection(writer) => writer.append(place, runs),
        }
    }

    /// Whether every run is stored, as far as is known without asking a server.
    pub fn is_known_complete(&self, total: u64) -> bool {
        match self {
            Self::File(writer) => writer.done() == total,
            Self::Collection(_) => false,
        }
    }

    /// The error for a sweep that the user stopped; what can still be delivered is.
    pub fn interrupted(&mut self, total: u64) -> Error {
        match self {
            Self::File(writer) => {
                Error::Interrupted { done: writer.done(), total, path: writer.journal().to_path_buf() }
            }
            Self::Collection(writer) => match writer.settle() {
                Ok(()) => Error::Interrupted { done: writer.stored(), total, path: writer.place().into() },
                Err(error) => error,
            },
        }
    }

    /// Ends a complete sweep; says where the runs are.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self, record: &SweepRecord) -> Result<String> {
        match self {
            Self::File(writer) => {
                let path = writer.finish()?;
                record.write(&path)?;
                Ok(path.display().to_string())
            }
            Self::Collection(writer) => writer.finish(record),
        }
    }
}

/// A file as a target.
impl From<&Path> for Target {
    fn from(path: &Path) -> Self {
        Self::File(path.into())
    }
}
