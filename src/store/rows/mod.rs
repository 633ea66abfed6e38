//! Copies rows of any columns between files and collections.
//!
//! A row is a list of cells, in the order of the columns; columns that appear later are added at
//! the end. A file is written whole or not at all. From collection to collection documents go
//! unchanged.
//!
//! - [`cell`]: one value, and what the text of one stands for.
//! - [`write`]: into files. Each format reads its own rows
//!   ([`Format::rows`](crate::store::formats::Format::rows)).

pub mod cell;
mod write;

use std::collections::HashMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use crate::error::{Error, Result};
use crate::provenance::InputDigest;
use crate::store::formats;
use crate::store::mongodb::Location;
use crate::store::mongodb::rows::{self as documents, Documents, Inserter};
use crate::store::rows::cell::Cell;
use crate::store::rows::write::{into_file, wish_of};
use crate::store::source::{Input, Source, inputs};
use crate::store::target::Target;
use crate::store::template::Found;

/// Rows held in memory at a time.
pub const ROWS_AT_A_TIME: usize = 10_000;

/// What is wanted of cells whose types the source does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Their text as it stands.
    AsWritten,
    /// The numbers that they are, where a whole column is of numbers.
    AsMeant,
}

/// Names of columns, growing.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    /// The place of `name`, which is added if it is new.
    pub fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.names.push(name.into());
        self.places.insert(name.into(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// All of them, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Rows of the source.
    pub read: u64,
    /// Rows of it that the target holds, counted there.
    pub written: u64,
    /// Rows left out because an earlier row of the source has the same `_id`.
    pub repeated: Repeated,
    /// The target.
    pub place: String,
}

/// Rows whose `_id` an earlier row has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeated {
    /// How many.
    pub rows: u64,
    /// Which is the first, ready to show; empty without any.
    pub first: String,
}

/// Copies the rows of `source` to `target`; `progress` hears how many more were done.
///
/// # Errors
/// Those of reading and writing, [`Error::Usage`] for a folder, a glob or standard input as source.
pub fn copy(source: &Source, target: &Target, mut progress: impl FnMut(u64)) -> Result<Copied> {
    let (mut found, _) = inputs(std::slice::from_ref(source))?;
    let reason = "expected one file or one collection".to_string();
    let usage = Error::Usage { what: "source", given: source.to_string(), reason };
    match (found.pop().filter(|_| found.is_empty()), target) {
        (Some(Input::Collection(from)), Target::Collection(to)) => documents::copy_documents(&from, to, progress),
        (Some(Input::Collection(from)), Target::File(to)) => {
            into_file(to, |names, take| documents::each_row(&from, names, take), progress)
        }
        (Some(Input::File(Found { path: from, .. })), Target::File(to)) => {
            if let (Ok(from), Ok(to)) = (fs::canonicalize(&from), fs::canonicalize(to))
                && from == to
            {
                let reason = "source and target are the same file".into();
                return Err(Error::Usage { what: "target", given: target.to_string(), reason });
            }
            into_file(to, |names, take| formats::each_row(&from, wish_of(to), names, take), progress)
        }
        (Some(Input::File(Found { path: from, .. })), Target::Collection(to)) => from_file(&from, to, &mut progress),
        _ => Err(usage),
    }
}

/// Takes rows, with the names of the columns so far.
pub type Rows<'a> = &'a mut dyn FnMut(&Names, Vec<Vec<Cell>>) -> Result<()>;

/// Rows on their way to whoever takes them, some thousands at a time.
pub struct Batches<'a> {
    take: Rows<'a>,
    batch: Vec<Vec<Cell>>,
}

impl<'a> Batches<'a> {
    /// For `take`.
    pub fn new(take: Rows<'a>) -> Self {
        Self { take, batch: Vec::with_capacity(ROWS_AT_A_TIME) }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Whatever the taker gives.
    pub fn push(&mut self, names: &Names, row: Vec<Cell>) -> Result<()> {
        self.batch.push(row);
        if self.batch.len() == ROWS_AT_A_TIME { (self.take)(names, std::mem::take(&mut self.batch)) } else { Ok(()) }
    }

    /// Gives what is left.
    ///
    /// # Errors
    /// Whatever the taker gives.
    pub fn finish(self, names: &Names) -> Result<()> {
        (self.take)(names, self.batch)
    }
}

fn from_file(from: &Path, to: &Location, progress: &mut dyn FnMut(u64)) -> Result<Copied> {
    // Nothing is written of a file that is wrong further down.
    formats::each_row(from, Wish::AsMeant, &mut Names::default(), &mut |_, _| Ok(()))?;
    let digest = InputDigest::of_file(from)?;
    let (inserter, mut documents) = (Inserter::open(to)?, Documents::of_file(&digest.sha256[..16], to));
    let (mut names, mut read) = (Names::default(), 0);
    thread::scope(|scope| {
        // While a batch is on its way, the next is made.
        let (sender, receiver) = mpsc::sync_channel(1);
        let sending = scope.spawn(|| inserter.insert_each(receiver.into_iter()));
        let made = formats::each_row(from, Wish::AsMeant, &mut names, &mut |names, batch| {
            let count = batch.len() as u64;
            let unsent =
                |_| Error::Incomplete { from: from.display().to_string(), read, to: to.to_string(), written: 0 };
            sender.send(documents.of(names, read, &batch)?).map_err(unsent)?;
            read += count;
            progress(count);
            Ok(())
        });
        drop(sender);
        // If it failed, that is why the rest was not sent.
        sending.join().unwrap_or_else(|panic| resume_unwind(panic)).and(made)
    })?;
    let written = documents.count(&inserter)?;
    Ok(Copied { read, written, place: to.to_string(), repeated: documents.repeated().clone() })
}
