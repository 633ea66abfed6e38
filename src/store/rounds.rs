//! Where a sweep that goes on in rounds keeps its runs and its history.
//!
//! A file: runs in its journal, history in its record ([`crate::store::record`]). A collection: history in the collection `sweeps`
//! ([`crate::store::mongodb::pursuit`]); runs go into a journal in the working folder, which every look reads, and after each round into the
//! collection, under the `_id` that any sweep would give them: what is there already is not stored twice, and other sweeps' runs
//! do not bear on the looks. A journal that is not there is filled from the collection, so that a sweep goes on from any folder
//! or machine; at the end it goes.

use std::path::Path;

use crate::course::{Course, History};
use crate::error::Result;
use crate::store::mongodb::pursuit::PursuitDocument;
use crate::store::record::SweepRecord;
use crate::store::runs;
use crate::store::target::{RunStore, Target};
use crate::store::writer::{Existing, RunWriter};
use crate::sweep::part::Part;
use crate::sweep::{Run, SweepPlan};

/// What is stored of a sweep in rounds.
#[derive(Debug)]
pub struct Stored<'a> {
    target: &'a Target,
    plan: &'a SweepPlan,
    existing: Existing,
    /// Where the history is, of a collection.
    document: Option<PursuitDocument>,
}

impl<'a> Stored<'a> {
    /// The sweep of `plan` at `target`.
    ///
    /// # Errors
    /// Those of connecting.
    pub fn at(target: &'a Target, plan: &'a SweepPlan, existing: Existing) -> Result<Self> {
        let document = match target {
            Target::File(_) => None,
            Target::Collection(location) => Some(PursuitDocument::of(location, plan)?),
        };
        Ok(Self { target, plan, existing, document })
    }

    /// How far it had come; nothing if it is to begin.
    ///
    /// # Errors
    /// Those of reading a collection.
    pub fn history(&self) -> Result<Option<History>> {
        match (&self.document, self.target) {
            _ if self.existing == Existing::Replace => Ok(None),
            (Some(document), _) => document.read(),
            (None, target) => Ok(SweepRecord::read(&target.journal(self.plan)).and_then(|record| record.history)),
        }
    }

    /// Opens the runs, which are to be those of `course`.
    ///
    /// # Errors
    /// Those of [`RunWriter::open`] and of reading a collection.
    pub fn open(self, course: &Course) -> Result<RoundStore<'a>> {
        // A journal of a collection's runs is nobody's file.
        let existing = match (&self.document, self.existing) {
            (Some(_), Existing::Continue) => Existing::Resume,
            (_, existing) => existing,
        };
        let writer = RunWriter::open(&self.target.journal(self.plan), course, existing)?;
        let mut store = RoundStore { stored: self, writer, taken: 0 };
        if existing != Existing::Replace {
            store.fetch(course)?;
        }
        Ok(store)
    }
}

/// The runs of a sweep in rounds, of which more come.
#[derive(Debug)]
pub struct RoundStore<'a> {
    stored: Stored<'a>,
    writer: RunWriter,
    /// Batches that the collection has.
    taken: usize,
}

impl RoundStore<'_> {
    /// The same, to begin again with the first runs of `course`.
    ///
    /// # Errors
    /// Those of [`RunWriter::open`].
    pub fn begin_again(self, course: &Course) -> Result<Self> {
        let Self { stored, writer, .. } = self;
        // It holds the journal's lock.
        drop(writer);
        let writer = RunWriter::open(&stored.target.journal(stored.plan), course, Existing::Replace)?;
        Ok(Self { stored, writer, taken: 0 })
    }

    /// Runs that are there.
    pub fn done(&self) -> u64 {
        self.writer.done()
    }

    /// The file that the runs are in.
    pub fn journal(&self) -> &Path {
        self.writer.journal()
    }

    /// Stores the next runs.
    ///
    /// # Errors
    /// Those of writing.
    pub fn append(&mut self, runs: &[Run]) -> Result<()> {
        self.writer.append(runs)
    }

    /// Stores how far the sweep has come.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write_down(&self, record: &SweepRecord) -> Result<()> {
        match &self.stored.document {
            Some(document) => document.write(record),
            None => record.write(&self.stored.target.journal(self.stored.plan)),
        }
    }

    /// Gives a collection the batches of `course` that it has not been given; to a file there is nothing to give.
    ///
    /// # Errors
    /// Those of writing.
    pub fn deliver(&mut self, course: &Course, record: &SweepRecord) -> Result<()> {
        const AT_ONCE: usize = 10_000;
        if self.stored.document.is_none() {
            return Ok(());
        }
        for (rows, part) in course.parts().skip(self.taken) {
            let mut store = RunStore::open(self.stored.target, &part, self.stored.existing)?;
            // Once, unless a server loses what it has acknowledged.
            while !store.missing(&part.places)?.is_empty() {
                let (mut place, mut chunk) = (part.places.start, Vec::with_capacity(AT_ONCE));
                runs::each(self.writer.journal(), |row, run| {
                    if rows.contains(&(row - 1)) {
                        chunk.push(*run);
                    }
                    if chunk.len() == AT_ONCE || row == rows.end {
                        store.append(place, &chunk)?;
                        place += chunk.len() as u64;
                        chunk.clear();
                    }
                    Ok(())
                })?;
            }
            store.finish(record)?;
            self.taken += 1;
        }
        Ok(())
    }

    /// Ends the sweep: a file goes to its place, the journal of a collection goes.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self) -> Result<()> {
        match self.stored.document {
            Some(_) => self.writer.discard(),
            None => self.writer.finish().map(drop),
        }
    }

    /// Fills the journal with the runs of `course` that follow in the collection.
    fn fetch(&mut self, course: &Course) -> Result<()> {
        let Some(document) = &self.stored.document else { return Ok(()) };
        for (rows, part) in course.parts() {
            let done = self.writer.done();
            // Up to the first that is missing.
            if done < rows.start {
                break;
            }
            let places = part.places.start + (done - rows.start).min(part.total())..part.places.end;
            if !places.is_empty() {
                document.each_run(&Part { places, ..part }, |runs| self.writer.append(runs))?;
            }
        }
        Ok(())
    }
}
