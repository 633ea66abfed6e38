//! The only bridge from the data frame to plain samples: one sorted sample per level.

use polars::prelude::*;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::store::RunTable;

/// More levels than this are a mistake: no figure or table of them can be read.
pub const MAX_LEVELS: usize = 100_000;

/// The runs at one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The factor's value.
    pub level: f64,
    /// The metric's values, ascending.
    pub sorted: Vec<f64>,
}

/// Groups `table` by level, ascending. Levels are equal if their values are (−0 is 0).
///
/// The result depends on the set of rows only, not on their order: samples are sorted by value.
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
    let sample = |rows: &[IdxSize]| {
        let mut sorted: Vec<f64> = rows.iter().map(|row| values[*row as usize]).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        // Adding 0 turns −0 into 0, so that the bits do not depend on which row came first.
        Sample { level: levels[rows[0] as usize] + 0.0, sorted }
    };
    let mut samples: Vec<Sample> = match &groups {
        GroupsType::Idx(groups) => groups.all().par_iter().map(|rows| sample(rows)).collect(),
        GroupsType::Slice { groups, .. } => {
            groups.par_iter().map(|[start, length]| sample(&(*start..start + length).collect::<Vec<_>>())).collect()
        }
    };
    samples.sort_by(|a, b| a.level.total_cmp(&b.level));
    Ok(samples)
}
