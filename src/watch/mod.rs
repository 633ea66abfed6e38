//! Keeps the runs of some sources current while more come in.
//!
//! - [`part`]: one file or collection, and what has been read of it.
//! - [`signs`]: what wakes the watcher: events of the file system and of the server, or the passing
//!   of time.
//!
//! **What is kept.** Per input its table of runs, as it was read (16 bytes a run, 32 for runs of
//! the trainer, and 8 for each column of blocks). Runs that come in are read once and added at
//! their place; the tables are joined as after a full reading and go the same way from there. So
//! the result is that of a full reading, bit for bit. Why not stored sums per level: medians,
//! quartiles, cross-fitting and paired differences need the runs; grouping 4 million of them and
//! adding them up again takes a fifth of a second.
//!
//! **What is read again.** Nothing that has not changed. A CSV file that grew is read from where it
//! ended; a file that was replaced, shortened or changed in place is read anew, and so is a
//! collection from which documents went.
//!
//! **Failures.** An input that cannot be read now (away, half written, broken) fails the whole
//! update, as it would fail a report: the last report stays. What was read of the others is kept,
//! and of this one too if it turns out unchanged.

pub mod part;
pub mod signs;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::store::source::{self, Input};
use crate::store::{self, Data, Roles, Source};
use crate::watch::part::Part;
use crate::watch::signs::Waker;

/// The runs of some sources, kept current.
pub struct Watched {
    sources: Vec<Source>,
    roles: Roles,
    waker: Waker,
    parts: Vec<Part>,
    /// Paths that are named again.
    duplicates: Vec<String>,
    /// Whether there are changes that no report shows.
    is_news: bool,
}

impl Watched {
    /// Nothing of `sources` yet; collections call `waker` when they change.
    ///
    /// # Errors
    /// [`Error::Usage`] for standard input, which cannot be read again, and for one column named
    /// twice.
    pub fn new(sources: Vec<Source>, roles: Roles, waker: Waker) -> Result<Self> {
        source::check(&sources, &roles)?;
        if sources.contains(&Source::Stdin) {
            let reason = "standard input ends; watch a file, a folder or a collection".into();
            return Err(Error::Usage { what: "source", given: "-".into(), reason });
        }
        Ok(Self { sources, roles, waker, parts: Vec::new(), duplicates: Vec::new(), is_news: false })
    }

    /// Reads what has changed; says whether anything has since [`Self::is_reported`].
    ///
    /// # Errors
    /// Those of reading; the next call tries again.
    pub fn refresh(&mut self) -> Result<bool> {
        let (inputs, duplicates) = source::inputs(&self.sources)?;
        self.is_news |= self.align(&inputs) | (duplicates != self.duplicates);
        self.duplicates = duplicates;
        let roles = &self.roles;
        let news: Vec<Result<bool>> = self.parts.par_iter_mut().map(|part| part.refresh(roles)).collect();
        self.is_news |= news.iter().any(|news| matches!(news, Ok(true)));
        news.into_iter().collect::<Result<Vec<bool>>>()?;
        Ok(self.is_news)
    }

    /// Everything, as a full reading would give it.
    ///
    /// # Errors
    /// Those of [`store::join`].
    pub fn data(&self) -> Result<Data> {
        let tables = self.parts.iter().map(Part::data).collect::<Result<_>>()?;
        store::join(tables, self.duplicates.clone(), &self.sources, &self.roles)
    }

    /// What there is has been shown.
    pub fn is_reported(&mut self) {
        self.is_news = false;
    }

    /// Folders in which files may change.
    pub fn folders(&self) -> Vec<PathBuf> {
        signs::folders(&self.sources)
    }

    /// Whether `folder` itself is a source.
    pub fn is_whole_folder(&self, folder: &Path) -> bool {
        self.sources.iter().any(|source| matches!(source, Source::Path(path) if Path::new(path) == folder))
    }

    /// Keeps the parts of `inputs`, in their order, and adds empty ones for new inputs; says
    /// whether any went.
    fn align(&mut self, inputs: &[Input]) -> bool {
        let mut old = std::mem::take(&mut self.parts);
        for input in inputs {
            let part = match old.iter().position(|part| part.input() == input) {
                Some(place) => old.remove(place),
                None => Part::of(input.clone(), &self.waker),
            };
            self.parts.push(part);
        }
        !old.is_empty()
    }
}
