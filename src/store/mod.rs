//! Where runs come from and go to: one backend a file, all giving the same [`Data`].
//!
//! - [`source`]: turns what the user typed (file, folder, glob, URI, `-`) into inputs.
//! - [`formats`], [`mod@mongodb`]: read one input.
//! - [`record`]: how a file of runs was made.
//! - [`rounds`]: where a sweep in rounds keeps its runs and its history.
//! - [`rows`]: copies rows of any columns.
//! - [`runs`]: reads back the runs of the trainer, to make them again.
//! - [`target`]: what the user typed for `--to`, and the store behind it.
//! - [`template`]: sources whose path says something about their runs.
//! - [`writer`]: stores the runs of a sweep, resumable.

pub mod formats;
pub mod mongodb;
pub mod record;
pub mod rounds;
pub mod rows;
pub mod runs;
pub mod source;
pub mod target;
pub mod template;
pub mod writer;

use rayon::prelude::*;

pub use self::mongodb::follow::Followed;
pub use self::mongodb::{Aggregate, Choice, URI_VARIABLE, is_uri};
pub use crate::data::{Data, LevelSummaries, Roles, RunTable};
use crate::error::{Error, Result};
use crate::warning::Warning;
pub use source::Source;

/// Reads all `sources` into one table of runs, or of levels if that is what they hold.
///
/// # Errors
/// Any that a backend gives; [`Error::NoRuns`] if no row is usable; [`Error::Mixed`] if only some
/// sources hold runs.
pub fn read(sources: &[Source], roles: &Roles) -> Result<Data> {
    source::check(sources, roles)?;
    let (inputs, duplicates) = source::inputs(sources)?;
    // Files are read side by side and joined in their order. A CSV file is itself read on all
    // threads.
    let tables = inputs.par_iter().map(|input| input.read(roles)).collect::<Result<Vec<Data>>>()?;
    join(tables, duplicates, sources, roles)
}

/// The `tables` of `sources` as one, in their order; `duplicates` are paths that were named again.
///
/// # Errors
/// [`Error::NoRuns`] if no row is usable; [`Error::Mixed`] if only some sources hold runs;
/// [`Error::Usage`] for levels whose runs were to be compared in blocks.
pub fn join(tables: Vec<Data>, duplicates: Vec<String>, sources: &[Source], roles: &Roles) -> Result<Data> {
    const FEW: usize = 5;
    let (mut read, is_single) = (Vec::new(), tables.len() == 1);
    let (mut runs, mut levels) = (RunTable::empty(roles), LevelSummaries::empty(roles));
    for table in tables {
        match table {
            Data::Runs(table) if is_single => runs.append(table)?,
            Data::Runs(table) => {
                let (fingerprint, path) = (table.fingerprint(), path_of(&table));
                // A few runs may be the same by chance.
                let same = read.iter().find(|(known, _)| *known == fingerprint && table.height() > FEW);
                if let Some((_, first)) = same {
                    // A copy, as in another format.
                    runs.warnings.push(Warning::SameRuns { first: String::clone(first), second: path });
                } else {
                    read.push((fingerprint, path));
                    runs.append(table)?;
                }
            }
            Data::Levels(table) => levels.append(table),
        }
    }
    if let (Some(of_runs), Some(of_levels)) = (runs.inputs.first(), levels.inputs.first()) {
        return Err(Error::Mixed { runs: of_runs.path.clone(), levels: of_levels.path.clone() });
    }
    if let (Some(levels), Some(pair)) = (levels.inputs.first(), &roles.pair) {
        let reason = format!("{} is a table of levels; blocks can only be had from the runs themselves", levels.path);
        return Err(Error::Usage { what: "pair", given: pair.clone(), reason });
    }
    let duplicates = duplicates.into_iter().map(|path| Warning::DuplicateInput { path });
    let (data, ledger) = if levels.inputs.is_empty() {
        runs.warnings.extend(duplicates);
        runs.note_doubts();
        runs.find_second_factor()?;
        let ledger = runs.ledger.clone();
        (Data::Runs(runs), ledger)
    } else {
        levels.warnings.extend(duplicates);
        let ledger = levels.ledger.clone();
        (Data::Levels(levels), ledger)
    };
    if ledger.used() == 0 {
        let reason = match ledger.read {
            0 => "there are no rows".to_string(),
            read => format!("{} read, {}", crate::format::counted(read, "row"), ledger.losses()),
        };
        let sources = sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::NoRuns { sources, reason });
    }
    Ok(data)
}

/// The path that `table` was read from.
fn path_of(table: &RunTable) -> String {
    table.inputs.first().map_or_else(String::new, |input| input.path.clone())
}
