//! How a file of runs was made: a small JSON file beside it, `FILE.sweep.json`, which reports on the file show.
//!
//! Not a column of the runs: the same plan gives the same file on every machine, whatever instruction set it has.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::course::History;
use crate::error::{Error, Result};
use crate::format::json;
use crate::output::write_whole;
use crate::provenance::Provenance;

/// How a file of runs was made, by the process that finished it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// Name and version of the program.
    pub version: String,
    /// The command as typed, without passwords.
    pub command: String,
    /// Instruction set of the trainer.
    pub instruction_set: String,
    /// Threads of the trainer.
    pub threads: usize,
    /// Runs in the file.
    pub runs: u64,
    /// How it went on until its goal was reached, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
}

impl SweepRecord {
    /// Describes the running process.
    pub fn of_this_process(instruction_set: &str, threads: usize, runs: u64) -> Self {
        let Provenance { version, command, .. } = Provenance::of_this_process(Vec::new());
        Self { version, command, instruction_set: instruction_set.into(), threads, runs, history: None }
    }

    /// Writes the record of `target`.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, target: &Path) -> Result<()> {
        write_whole(&path_of(target), json(self).as_bytes())
    }

    /// Removes the record of `target`.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn remove(target: &Path) -> Result<()> {
        let path = path_of(target);
        std::fs::remove_file(&path).map_err(Error::write(&path))
    }

    /// The record of `target`, if there is a readable one.
    pub fn read(target: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(path_of(target)).ok()?).ok()
    }
}

fn path_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".sweep.json");
    PathBuf::from(name)
}
