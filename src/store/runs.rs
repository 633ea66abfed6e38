//! Reads back the runs that the trainer stored, with all that is needed to make them again.

use std::io::{Read, Seek};
use std::path::Path;

use crate::error::{Error, Result};
use crate::store::formats::{self, parquet};
use crate::sweep::Run;

/// Gives every run of the file at `path` with its row, from 1.
///
/// # Errors
/// [`Error::Read`] for a file that is not there, [`Error::Malformed`] for one that does not hold
/// runs of the trainer, whatever `take` gives.
pub fn each(path: &Path, mut take: impl FnMut(u64, &Run) -> Result<()>) -> Result<()> {
    let mut row = 0;
    let mut take = |run: &Run| {
        row += 1;
        take(row, run)
    };
    let mut file = std::fs::File::open(path).map_err(Error::read(path))?;
    let mut start = Vec::new();
    (&mut file).take(formats::TELLING as u64).read_to_end(&mut start).map_err(Error::read(path))?;
    if formats::of(&start, path)?.name == parquet::FORMAT.name {
        return parquet::read_runs(path, take);
    }
    file.rewind().map_err(Error::read(path))?;
    let mut rows = csv::Reader::from_reader(std::io::BufReader::with_capacity(1 << 20, file));
    for run in rows.deserialize::<Run>() {
        take(&run.map_err(|e| no_run(path, &e))?)?;
    }
    Ok(())
}

/// What to say of a row that cannot be made again.
pub fn no_run(path: &Path, e: &csv::Error) -> Error {
    let line = e.position().map_or_else(String::new, |position| format!("line {}: ", position.line()));
    let reason = match e.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        other => format!("{other:?}"),
    };
    Error::Malformed {
        path: path.into(),
        reason: format!("{line}not a run of the trainer, which could be made again: {reason}"),
    }
}
