//! The runs of the trainer: written as Parquet, and read back.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;

use crate::data::Cell;
use crate::error::{Error, Result};
use crate::output;
use crate::store::formats::arrow;
use crate::store::formats::parquet::ParquetFile;
use crate::sweep::Run;

/// Rows that are held in memory at a time when runs are converted.
const ROWS_AT_A_TIME: usize = 1 << 18;

/// Converts a CSV file of runs, as the trainer writes it, into Parquet, whole or not at all. Memory
/// stays flat.
///
/// # Errors
/// [`Error::Write`] or [`Error::Read`].
pub fn write_runs(csv: &Path, target: &Path) -> Result<()> {
    let failed = |e: PolarsError| Error::Write { path: target.into(), source: std::io::Error::other(e) };
    let mut rows = csv::Reader::from_path(csv).map_err(|e| Error::Read { path: csv.into(), source: e.into() })?;
    let mut runs = rows.deserialize::<Run>();
    output::write_whole_with(target, |file| {
        let mut batch = Vec::new();
        let schema = frame_of(&batch).map_err(failed)?.schema().as_ref().clone();
        let mut writer = ParquetWriter::new(file).batched(&schema).map_err(failed)?;
        loop {
            batch.clear();
            for run in runs.by_ref().take(ROWS_AT_A_TIME) {
                batch.push(run.map_err(|e| Error::Read { path: csv.into(), source: e.into() })?);
            }
            if batch.is_empty() {
                break;
            }
            writer.write_batch(&frame_of(&batch).map_err(failed)?).map_err(failed)?;
        }
        writer.finish().map_err(failed).map(|_| ())
    })
}

fn frame_of(runs: &[Run]) -> PolarsResult<DataFrame> {
    let float = |name: &str, value: fn(&Run) -> f64| {
        Float64Chunked::from_iter_values(name.into(), runs.iter().map(value)).into_column()
    };
    let whole = |name: &str, value: fn(&Run) -> u32| {
        UInt32Chunked::from_iter_values(name.into(), runs.iter().map(value)).into_column()
    };
    let long = |name: &str, value: fn(&Run) -> u64| {
        UInt64Chunked::from_iter_values(name.into(), runs.iter().map(value)).into_column()
    };
    let columns = vec![
        float("hidden_std_dev", |run| run.hidden_std_dev),
        float("output_std_dev", |run| run.output_std_dev),
        float("loss", |run| run.loss),
        whole("replicate", |run| run.replicate),
        long("seed", |run| run.seed),
        float("final_loss", |run| run.final_loss),
        whole("epochs", |run| run.epochs),
        float("learning_rate", |run| run.learning_rate),
        long("draw", |run| run.draw),
        UInt32Chunked::from_iter_options("solved_epoch".into(), runs.iter().map(|run| run.solved_epoch)).into_column(),
        float("solved_below", |run| run.solved_below),
    ];
    DataFrame::new(runs.len(), columns)
}

/// The columns of a run, in the order in which [`run_of`] takes their cells.
const COLUMNS: [&str; 11] = [
    "hidden_std_dev",
    "output_std_dev",
    "loss",
    "replicate",
    "seed",
    "final_loss",
    "epochs",
    "learning_rate",
    "draw",
    "solved_epoch",
    "solved_below",
];

/// Gives the runs of a Parquet file that the trainer wrote, one by one.
///
/// # Errors
/// [`Error::Malformed`] if a column of a run is missing or of another type; whatever `take` gives.
pub fn read_runs(path: &Path, mut take: impl FnMut(&Run) -> Result<()>) -> Result<()> {
    let file = ParquetFile::open(File::open(path).map_err(Error::read(path))?, path)?;
    arrow::each_row(&file, &COLUMNS.map(String::from), |row, cells| {
        let run = run_of(cells).map_err(|column| {
            let reason = format!("row {row}: column '{column}' holds no such number as a run of the trainer has");
            Error::Malformed { path: path.into(), reason }
        })?;
        take(&run)
    })
}

/// The run in `cells`, or the column that does not have its value.
fn run_of(cells: &[Cell]) -> Result<Run, &'static str> {
    let float = |place: usize| match cells[place] {
        Cell::Number(number) => Ok(number),
        Cell::Whole(whole) => Ok(whole as f64),
        _ => Err(COLUMNS[place]),
    };
    let long = |place: usize| cells[place].whole().ok_or(COLUMNS[place]);
    let short = |place: usize| u32::try_from(long(place)?).map_err(|_| COLUMNS[place]);
    Ok(Run {
        hidden_std_dev: float(0)?,
        output_std_dev: float(1)?,
        loss: float(2)?,
        replicate: short(3)?,
        seed: long(4)?,
        final_loss: float(5)?,
        epochs: short(6)?,
        learning_rate: float(7)?,
        draw: long(8)?,
        solved_epoch: if cells[9].is_missing() { None } else { Some(short(9)?) },
        solved_below: float(10)?,
    })
}
