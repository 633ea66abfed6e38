//! Parquet, with polars: reads the needed columns of any table of runs, writes the runs of the trainer.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use crate::data::{Cell, Data, Place, Reading, Roles, RunTable, RunTableBuilder};
use crate::error::{Error, Result};
use crate::output;
use crate::provenance::InputDigest;
use crate::store::formats::content::Content;
use crate::store::formats::csv::layout::listed;
use crate::store::formats::{Format, levels};
use crate::sweep::Run;

/// Parquet.
pub const FORMAT: Format = Format {
    name: "Parquet",
    endings: &["parquet", "pq"],
    recognises: |start| start.starts_with(b"PAR1"),
    read: read_content,
};

fn read_content(content: Content, roles: &Roles) -> Result<Data> {
    let path = content.path().to_path_buf();
    match levels::read_parquet(&path, roles)? {
        Some(levels) => Ok(Data::Levels(levels)),
        None => read(&path, roles).map(Data::Runs),
    }
}

/// Reads all rows of the file at `path`.
///
/// # Errors
/// A missing column, a needed column that is not numeric, a file that is cut or damaged.
fn read(path: &Path, roles: &Roles) -> Result<RunTable> {
    let damaged = |e: PolarsError| Error::Malformed {
        path: path.into(),
        reason: format!("not a readable Parquet file ({e}); was it cut short?"),
    };
    let mut reader = ParquetReader::new(File::open(path).map_err(Error::read(path))?);
    let names: Vec<String> = reader.schema().map_err(damaged)?.iter_names().map(ToString::to_string).collect();
    let reading = Arc::new(Reading::new(roles, |name| names.iter().any(|other| other == name)));
    for wanted in reading.required() {
        if !names.contains(wanted) {
            let available = listed(&names);
            return Err(Error::MissingColumn { path: path.into(), column: wanted.clone(), available });
        }
    }
    let frame = reader.with_columns(Some(reading.names().to_vec())).finish().map_err(damaged)?;
    let mut builder = RunTableBuilder::new(Arc::clone(&reading));
    let columns = reading.names().iter().map(|name| frame.column(name).map(Column::as_materialized_series));
    let columns = columns.collect::<PolarsResult<Vec<_>>>().map_err(damaged)?;
    for row in 0..frame.height() {
        let values: Vec<AnyValue> =
            columns.iter().map(|column| column.get(row)).collect::<PolarsResult<_>>().map_err(damaged)?;
        let cells: Vec<Cell> = values.iter().map(cell).collect();
        let place = || Place::Row(row as u64 + 1);
        builder.push(&cells, place).map_err(|problem| problem.at(place(), path))?;
    }
    builder.finish(InputDigest::of_file(path)?, path)
}

fn cell<'a>(value: &'a AnyValue) -> Cell<'a> {
    match value {
        AnyValue::Null => Cell::Missing,
        AnyValue::Float64(number) => Cell::Number(*number),
        AnyValue::Float32(number) => Cell::Number(f64::from(*number)),
        AnyValue::Boolean(is_so) => Cell::Bool(*is_so),
        AnyValue::String(text) => Cell::Text(text.as_bytes()),
        other if other.is_integer() => other.extract::<i128>().map_or(Cell::Missing, Cell::Whole),
        _ => Cell::Other("neither a number nor text"),
    }
}

/// The column `name` as doubles; whole numbers are converted, anything else is refused.
pub(super) fn numbers(frame: &DataFrame, name: &str, path: &Path) -> Result<Float64Chunked> {
    let column = frame.column(name).map_err(RunTable::malformed(path))?;
    if !column.dtype().is_primitive_numeric() {
        let reason = format!("column '{name}' holds {}, not numbers", column.dtype());
        return Err(Error::Malformed { path: path.into(), reason });
    }
    let cast = column.cast(&DataType::Float64).map_err(RunTable::malformed(path))?;
    Ok(cast.f64().map_err(RunTable::malformed(path))?.clone())
}

/// Rows that are held in memory at a time when runs are converted.
const ROWS_AT_A_TIME: usize = 1 << 18;

/// Converts a CSV file of runs, as the trainer writes it, into Parquet, whole or not at all. Memory stays flat.
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

/// Gives the runs of a Parquet file that the trainer wrote, one by one.
///
/// # Errors
/// [`Error::Malformed`] if a column of a run is missing or of another type; whatever `take` gives.
pub fn read_runs(path: &Path, mut take: impl FnMut(&Run) -> Result<()>) -> Result<()> {
    let damaged = || RunTable::malformed(path);
    let open = || Ok::<_, Error>(ParquetReader::new(File::open(path).map_err(Error::read(path))?));
    let rows = open()?.num_rows().map_err(damaged())?;
    for start in (0..rows).step_by(ROWS_AT_A_TIME) {
        let frame = open()?.with_slice(Some((start, ROWS_AT_A_TIME))).finish().map_err(damaged())?;
        let float = |name: &str| numbers(&frame, name, path);
        let [hidden, output, loss] = [float("hidden_std_dev")?, float("output_std_dev")?, float("loss")?];
        let [last, rate, below] = [float("final_loss")?, float("learning_rate")?, float("solved_below")?];
        let [replicate, epochs, solved] = [float("replicate")?, float("epochs")?, float("solved_epoch")?];
        // Too long for a double.
        let long = |name: &str| {
            let cast = frame.column(name).and_then(|column| column.cast(&DataType::UInt64)).map_err(damaged())?;
            Ok::<_, Error>(cast.u64().map_err(damaged())?.clone())
        };
        let [seed, draw] = [long("seed")?, long("draw")?];
        for row in 0..frame.height() {
            let missing =
                || Error::Malformed { path: path.into(), reason: format!("row {} lacks a value", start + row + 1) };
            let value = |column: &Float64Chunked| column.get(row).ok_or_else(missing);
            take(&Run {
                hidden_std_dev: value(&hidden)?,
                output_std_dev: value(&output)?,
                loss: value(&loss)?,
                replicate: value(&replicate)? as u32,
                seed: seed.get(row).ok_or_else(missing)?,
                final_loss: value(&last)?,
                epochs: value(&epochs)? as u32,
                learning_rate: value(&rate)?,
                draw: draw.get(row).ok_or_else(missing)?,
                solved_epoch: solved.get(row).map(|epoch| epoch as u32),
                solved_below: value(&below)?,
            })?;
        }
    }
    Ok(())
}
