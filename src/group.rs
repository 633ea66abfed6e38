//! The only bridge from the data frame to plain samples: one sorted sample per level.

use polars::prelude::*;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::store::RunTable;
use crate::store::schema::Pairing;

/// More levels than this are a mistake: no figure or table of them can be read.
pub const MAX_LEVELS: usize = 100_000;

/// The runs at one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The factor's value.
    pub level: f64,
    /// The metric's values, ascending.
    pub sorted: Vec<f64>,
    /// Run by run as in `sorted`, the loss of the last epoch, NaN where there is none; empty if no run has one.
    pub final_loss: Vec<f64>,
    /// Run by run as in `sorted`, which replicate of a paired sweep it is; empty if the runs are not paired.
    pub replicate: Vec<u64>,
}

impl Sample {
    /// Of `values` alone.
    pub fn of(level: f64, mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self { level, sorted: values, final_loss: Vec::new(), replicate: Vec::new() }
    }
}

/// Groups `table` by level, ascending. Levels are equal if their values are (−0 is 0).
///
/// The result depends on the set of rows only, not on their order: samples are sorted by value. (Runs of equal value keep
/// the order of their rows, which shows in the other two columns alone and matters to none of their uses.)
///
/// # Errors
/// [`Error::TooManyLevels`] beyond [`MAX_LEVELS`].
///
/// # Cost
/// One hash pass over the rows, then O(n log n) comparisons spread over all threads.
pub fn by_level(table: &RunTable) -> Result<Vec<Sample>> {
    let malformed = || RunTable::malformed("the table of runs".as_ref());
    let column = |name: &str| -> Result<Float64Chunked> {
        let column = table.frame.column(name).map_err(malformed())?;
        Ok(column.f64().map_err(malformed())?.rechunk().into_owned())
    };
    let (factor, metric) = (column(&table.columns.factor)?, column(&table.columns.metric)?);
    let levels = factor.cont_slice().map_err(malformed())?;
    let values = metric.cont_slice().map_err(malformed())?;

    let multithreaded = rayon::current_num_threads() > 1;
    let groups = factor.clone().into_series().group_tuples(multithreaded, false).map_err(malformed())?;
    if groups.len() > MAX_LEVELS {
        return Err(Error::TooManyLevels {
            column: table.columns.factor.clone(),
            levels: groups.len(),
            rows: values.len(),
            limit: MAX_LEVELS,
        });
    }
    let replicates = match &table.details.pairing {
        Pairing::Paired { replicate, .. } => replicate.as_slice(),
        Pairing::Unknown | Pairing::Apart => &[],
    };
    let details = Columns { values, final_losses: &table.details.final_loss, replicates };
    // Adding 0 turns −0 into 0, so that the bits do not depend on which row came first.
    let sample = |rows: &[IdxSize]| details.sample(levels[rows[0] as usize] + 0.0, rows);
    let mut samples: Vec<Sample> = match &groups {
        GroupsType::Idx(groups) => groups.all().par_iter().map(|rows| sample(rows)).collect(),
        GroupsType::Slice { groups, .. } => {
            groups.par_iter().map(|[start, length]| sample(&(*start..start + length).collect::<Vec<_>>())).collect()
        }
    };
    samples.sort_by(|a, b| a.level.total_cmp(&b.level));
    Ok(samples)
}

/// The columns of all runs; the last two may be empty.
struct Columns<'a> {
    values: &'a [f64],
    final_losses: &'a [f64],
    replicates: &'a [u64],
}

impl Columns<'_> {
    /// The runs in `rows`, by value.
    fn sample(&self, level: f64, rows: &[IdxSize]) -> Sample {
        if self.final_losses.is_empty() && self.replicates.is_empty() {
            return Sample::of(level, rows.iter().map(|row| self.values[*row as usize]).collect());
        }
        let mut order: Vec<(f64, IdxSize)> = rows.iter().map(|row| (self.values[*row as usize], *row)).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let rows = || order.iter().map(|(_, row)| *row as usize);
        Sample {
            level,
            sorted: order.iter().map(|(value, _)| *value).collect(),
            final_loss: if self.final_losses.is_empty() {
                Vec::new()
            } else {
                rows().map(|row| self.final_losses[row]).collect()
            },
            replicate: if self.replicates.is_empty() {
                Vec::new()
            } else {
                rows().map(|row| self.replicates[row]).collect()
            },
        }
    }
}

/// Gives the runs one by one, in the order of their rows: level, value.
///
/// # Errors
/// [`Error::Malformed`] if the frame is not that of the schema.
pub fn in_order(table: &RunTable, mut take: impl FnMut(f64, f64)) -> Result<()> {
    let malformed = || RunTable::malformed("the table of runs".as_ref());
    let column = |name: &str| table.frame.column(name).and_then(|column| column.f64()).map_err(malformed());
    let (factor, metric) = (column(&table.columns.factor)?, column(&table.columns.metric)?);
    for (level, value) in factor.into_no_null_iter().zip(metric.into_no_null_iter()) {
        take(level, value);
    }
    Ok(())
}
