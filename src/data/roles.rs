//! Which columns the user named, and for what.

use crate::condition::Condition;
use crate::data::per_file::PerFile;
use crate::error::{Error, Result};
use crate::sweep::{FINAL_LOSS, SETTING_COLUMNS, SOLVED_BELOW};

/// Which column is what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roles {
    /// The factor's column (`--x`).
    pub factor: String,
    /// The metric's column (`--y`).
    pub metric: String,
    /// The column of a second factor (`--by`).
    pub by: Option<String>,
    /// The column that says which runs belong together (`--pair`).
    pub pair: Option<String>,
    /// Rows that do not meet all of these are not of interest (`--where`).
    pub filters: Vec<Condition>,
    /// A run for whose row one of these holds has failed (`--failed`).
    pub failed: Vec<Condition>,
    /// Which row of each file is its run, if every file holds the history of one (`--per-file`).
    pub per_file: Option<PerFile>,
    /// Columns that the source's own name gives, each with the one value of all its rows; they go
    /// before those that it holds.
    pub given: Vec<(String, String)>,
}

impl Roles {
    /// Factor and metric alone.
    pub fn new(factor: impl Into<String>, metric: impl Into<String>) -> Self {
        Self { factor: factor.into(), metric: metric.into(), ..Self::default() }
    }

    /// Whether factor, metric and the others are different columns.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn check(&self) -> Result<()> {
        let usage =
            |what, given: &str, reason: &str| Err(Error::Usage { what, given: given.into(), reason: reason.into() });
        if self.factor == self.metric {
            return usage("column", &self.factor, "the swept column and the measured column must be two");
        }
        let is_taken = |name: &&String| [&self.factor, &self.metric].contains(name);
        if let Some(pair) = self.pair.as_ref().filter(is_taken) {
            return usage("pair", pair, "the swept and the measured column cannot say which runs belong together");
        }
        match self.by.as_ref().filter(is_taken) {
            Some(by) => usage("by", by, "a second factor is a column besides the swept and the measured one"),
            None => Ok(()),
        }
    }

    /// The columns that a source must have, each once, those that its name gives among them.
    pub fn required(&self) -> Vec<&str> {
        let conditions = self.filters.iter().chain(&self.failed).map(|condition| &condition.column);
        let mut names: Vec<&str> = Vec::new();
        for name in [&self.factor, &self.metric].into_iter().chain(&self.by).chain(&self.pair).chain(conditions) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The columns whose values are noted because runs that differ in them should not be pooled
    /// unnoticed, and the seed, which the report states.
    pub fn settings(&self) -> impl Iterator<Item = &'static str> {
        let noted = SETTING_COLUMNS.into_iter().chain(["seed", SOLVED_BELOW]);
        noted.filter(|name| *name != self.factor && *name != self.metric)
    }

    /// Whether the column [`FINAL_LOSS`] should be read as well: only the trainer's sweeps have it
    /// in the sense meant.
    pub fn want_final_loss(&self) -> bool {
        self.metric != FINAL_LOSS && SETTING_COLUMNS.contains(&self.factor.as_str())
    }
}
