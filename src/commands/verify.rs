//! `initsweep verify`: trains a random sample of stored runs again and compares them to the last bit.

use crate::cli::{Global, VerifyArgs};
use crate::commands::print;
use crate::error::{Error, Result};
use crate::format::{count, counted};
use crate::random::philox4x32_10;
use crate::store::runs;
use crate::sweep::Run;
use crate::train::schedule::{CHUNK, train_runs};
use rayon::prelude::*;

/// Runs the command.
///
/// # Errors
/// [`Error::Differs`] for the first run, by row, that differs; those of reading.
pub fn run(arguments: &VerifyArgs, global: &Global) -> Result<()> {
    let simd = arguments.trainer.simd()?;
    let (sample, rows) = sample_of(arguments)?;
    let again: Vec<Run> = sample
        .par_chunks(CHUNK as usize)
        .flat_map_iter(|runs| train_runs(simd, &runs.iter().map(|(_, run)| run.identity()).collect::<Vec<_>>()))
        .collect();
    for ((row, stored), again) in sample.iter().zip(&again) {
        let same = [(stored.loss, again.loss), (stored.final_loss, again.final_loss)]
            .iter()
            .all(|(a, b)| a.to_bits() == b.to_bits());
        if !same || stored.solved_epoch != again.solved_epoch {
            return Err(Error::Differs {
                path: arguments.source.clone(),
                row: *row,
                stored: stored.loss,
                again: again.loss,
            });
        }
    }
    if global.quiet {
        return Ok(());
    }
    print(&format!(
        "{} of {} trained again: the same to the last bit\n",
        counted(sample.len() as u64, "run"),
        count(rows)
    ))
}

/// A simple random sample of the rows, ascending, in one pass and flat memory (algorithm R, Waterman, in Knuth 1981).
fn sample_of(arguments: &VerifyArgs) -> Result<(Vec<(u64, Run)>, u64)> {
    let size = arguments.sample;
    let (mut sample, mut rows) = (Vec::new(), 0);
    runs::each(&arguments.source, |row, run| {
        rows = row;
        if (sample.len() as u64) < size {
            sample.push((row, *run));
        } else {
            let [a, b, ..] =
                philox4x32_10([row as u32, (row >> 32) as u32, 0, 0], crate::random::halves(arguments.seed));
            // The remainder's bias is below rows / 2⁶⁴.
            let place = (u64::from(b) << 32 | u64::from(a)) % row;
            if place < size {
                sample[place as usize] = (row, *run);
            }
        }
        Ok(())
    })?;
    if rows == 0 {
        return Err(Error::NoRuns {
            sources: arguments.source.display().to_string(),
            reason: "there are no rows".into(),
        });
    }
    sample.sort_by_key(|(row, _)| *row);
    Ok((sample, rows))
}
