//! Parquet, with polars: reads the needed columns of any table of runs, writes the runs of the trainer.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::output;
use crate::provenance::InputDigest;
use crate::store::blocks::{MOST_LOOKED_AT, NO_BLOCK, key_of_number, key_of_whole};
use crate::store::csv::key_of_cell;
use crate::store::schema::{Columns, Details, Exclusion, Pairing, RowLedger, RunTable, SettingValues};
use crate::sweep::{FINAL_LOSS, Run};

/// Reads all rows of the file at `path`.
///
/// # Errors
/// A missing column, a needed column that is not numeric, a file that is cut or damaged.
pub fn read(path: &Path, columns: &Columns) -> Result<RunTable> {
    let damaged = |e: PolarsError| Error::Malformed {
        path: path.into(),
        reason: format!("not a readable Parquet file ({e}); was it cut short?"),
    };
    let mut reader = ParquetReader::new(File::open(path).map_err(Error::read(path))?);
    let names: Vec<String> = reader.schema().map_err(damaged)?.iter_names().map(ToString::to_string).collect();
    for wanted in [&columns.factor, &columns.metric].into_iter().chain(&columns.pair) {
        if !names.contains(wanted) {
            let available =
                names.iter().take(20).map(|name| format!("'{}'", excerpt(name))).collect::<Vec<_>>().join(", ");
            return Err(Error::MissingColumn { path: path.into(), column: wanted.clone(), available });
        }
    }
    let has = |name: &str| names.iter().any(|other| other == name);
    let settings: Vec<&str> = columns.settings().filter(|name| has(name)).collect();
    let paired = ["draw", "replicate"].into_iter().all(has) && may_be_paired(path)?;
    let details = [(FINAL_LOSS, columns.want_final_loss() && has(FINAL_LOSS)), ("draw", paired), ("replicate", paired)];
    let details = details.into_iter().filter_map(|(name, wanted)| wanted.then_some(name));
    let mut blocks = columns.blocks(has);
    if reader.num_rows().map_err(damaged)? > MOST_LOOKED_AT {
        blocks.forget_candidates();
    }
    let needed = [columns.factor.as_str(), columns.metric.as_str()];
    let mut wanted: Vec<String> =
        needed.into_iter().chain(settings.iter().copied()).chain(details).map(Into::into).collect();
    wanted.extend(blocks.columns().iter().map(|column| column.name.clone()));
    wanted.sort();
    wanted.dedup();
    let frame = reader.with_columns(Some(wanted)).finish().map_err(damaged)?;

    let factor = numbers(&frame, &columns.factor, path)?;
    let metric = numbers(&frame, &columns.metric, path)?;
    let mut ledger = RowLedger::of_rows(frame.height() as u64);
    let mut left_out = Vec::new();
    let (mut levels, mut values) = (Vec::with_capacity(frame.height()), Vec::with_capacity(frame.height()));
    for (row, (level, value)) in factor.iter().zip(metric.iter()).enumerate() {
        let reason = match (level, value) {
            (Some(level), Some(value)) => match Exclusion::of(level).or(Exclusion::of(value)) {
                None => {
                    levels.push(level);
                    values.push(value);
                    continue;
                }
                Some(reason) => reason,
            },
            _ => Exclusion::Empty,
        };
        left_out.push(row);
        ledger.exclude(reason, 1, || format!("{}, row {}", path.display(), row + 1));
    }
    blocks.fill(|name| match keys(&frame, name, &left_out, path) {
        // A column that nobody named need not hold keys.
        Err(_) if columns.pair.is_none() => Ok(vec![NO_BLOCK; levels.len()]),
        keys => keys,
    })?;
    Ok(RunTable {
        details: Details { blocks, ..details_of(&frame, &left_out, path)? },
        frame: RunTable::frame_of(columns, levels, values, path)?,
        columns: columns.clone(),
        ledger,
        settings: settings
            .into_iter()
            .map(|name| Ok((name.to_string(), distinct(&frame, name, path)?)))
            .collect::<Result<BTreeMap<_, _>>>()?,
        inputs: vec![InputDigest::of_file(path)?],
        warnings: Vec::new(),
    })
}

/// Whether the first runs share their draw: of independent ones nearly every level has its own.
fn may_be_paired(path: &Path) -> Result<bool> {
    const LOOKED_AT: usize = 1000;
    let reader = ParquetReader::new(File::open(path).map_err(Error::read(path))?).with_slice(Some((0, LOOKED_AT)));
    let frame = reader.with_columns(Some(vec!["draw".into()])).finish().map_err(RunTable::malformed(path))?;
    let distinct = frame.column("draw").and_then(Column::n_unique).map_err(RunTable::malformed(path))?;
    Ok(distinct == 1)
}

/// The columns of [`Details`] that `frame` has, without the rows that were left out.
fn details_of(frame: &DataFrame, left_out: &[usize], path: &Path) -> Result<Details> {
    let mut details = Details::default();
    let has = |name: &str| frame.column(name).is_ok();
    let is_used = |row: &usize| left_out.binary_search(row).is_err();
    if has(FINAL_LOSS) {
        let column = numbers(frame, FINAL_LOSS, path)?;
        details.final_loss = column.iter().map(|loss| loss.unwrap_or(f64::NAN)).collect();
        if !left_out.is_empty() {
            let used = details.final_loss.iter().enumerate().filter(|(row, _)| is_used(row));
            details.final_loss = used.map(|(_, loss)| *loss).collect();
        }
    }
    details.pairing = Pairing::Apart;
    if has("draw") && has("replicate") {
        let (draw, replicate) = (whole(frame, "draw", path)?, whole(frame, "replicate", path)?);
        let seed = if has("seed") { Some(whole(frame, "seed", path)?) } else { None };
        details.pairing = Pairing::Unknown;
        for row in (0..frame.height()).filter(is_used) {
            let seed = seed.as_ref().and_then(|seed| seed.get(row)).unwrap_or(0);
            details
                .pairing
                .push(draw.get(row), replicate.get(row).map(|replicate| Pairing::replicate(seed, replicate)));
            if !details.pairing.is_possible() {
                break;
            }
        }
    }
    Ok(details)
}

/// The keys of blocks in the column `name`, without the rows that were left out.
fn keys(frame: &DataFrame, name: &str, left_out: &[usize], path: &Path) -> Result<Vec<u64>> {
    let column = frame.column(name).map_err(RunTable::malformed(path))?;
    let kind = column.dtype();
    // As text, a number of 32 bits is the one that somebody wrote.
    let column = if kind.is_integer() || *kind == DataType::Float64 || *kind == DataType::Null {
        column.clone()
    } else {
        let reason = format!("column '{name}' holds {kind}, neither text nor numbers");
        column.cast(&DataType::String).map_err(|_| Error::Malformed { path: path.into(), reason })?
    };
    let key = |value: AnyValue| match value {
        AnyValue::Null => NO_BLOCK,
        AnyValue::Float64(number) => key_of_number(number),
        AnyValue::String(text) => key_of_cell(text.as_bytes()),
        AnyValue::StringOwned(text) => key_of_cell(text.as_bytes()),
        whole => whole.extract::<i128>().map_or(NO_BLOCK, key_of_whole),
    };
    let rows = column.as_materialized_series().iter().enumerate();
    Ok(rows.filter(|(row, _)| left_out.binary_search(row).is_err()).map(|(_, value)| key(value)).collect())
}

/// The column `name` as whole numbers; null where it holds anything else.
fn whole(frame: &DataFrame, name: &str, path: &Path) -> Result<UInt64Chunked> {
    let cast =
        frame.column(name).and_then(|column| column.cast(&DataType::UInt64)).map_err(RunTable::malformed(path))?;
    Ok(cast.u64().map_err(RunTable::malformed(path))?.rechunk().into_owned())
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

/// The first few distinct values of a setting column.
fn distinct(frame: &DataFrame, name: &str, path: &Path) -> Result<SettingValues> {
    let column = frame.column(name).map_err(RunTable::malformed(path))?;
    let unique = column.unique_stable().map_err(RunTable::malformed(path))?;
    let mut values = SettingValues::default();
    for i in 0..unique.len() {
        let value = unique.get(i).map_err(RunTable::malformed(path))?;
        match value {
            AnyValue::Null => {}
            // Debug prints the shortest text that reads back as the same number.
            AnyValue::Float64(number) => values.note(&format!("{number:?}")),
            other => values.note(&other.to_string()),
        }
    }
    Ok(values)
}

/// Whether `path` has the ending of a Parquet file.
pub fn is_named_so(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet") || ending.eq_ignore_ascii_case("pq"))
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
