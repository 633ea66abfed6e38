//! The only bridge from the data frame to plain samples: one sorted sample per level.

pub mod blocks;

use std::borrow::Cow;

use polars::prelude::*;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::group::blocks::Blocks;
use crate::stats::sort;
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
    /// Run by run as in `sorted`, the key of its block, [`NO_BLOCK`](crate::store::blocks::NO_BLOCK) for a run in none; empty
    /// if the runs have no blocks.
    pub block: Vec<u64>,
    /// How many runs failed at this level, whether or not they count with a value in `sorted`.
    pub failed: u64,
    /// All runs of the level, failed ones included.
    pub runs: u64,
}

impl Sample {
    /// Of `values` alone.
    pub fn of(level: f64, mut values: Vec<f64>) -> Self {
        sort::ascending(&mut values);
        let runs = values.len() as u64;
        Self {
            level,
            sorted: values,
            final_loss: Vec::new(),
            replicate: Vec::new(),
            block: Vec::new(),
            failed: 0,
            runs,
        }
    }
}

/// Groups `table` by level, ascending. Levels are equal if their values are (−0 is 0).
///
/// The result depends on the set of rows only, not on their order: samples are sorted by value, and equal values by their blocks.
/// (Runs that agree in both keep the order of their rows, which shows in the other two columns alone and matters to none of
/// their uses.)
///
/// # Errors
/// [`Error::TooManyLevels`] beyond [`MAX_LEVELS`].
///
/// # Cost
/// One hash pass over the rows, then O(n log n) comparisons spread over all threads.
pub fn by_level(table: &RunTable) -> Result<Vec<Sample>> {
    Ok(GroupedRuns::of(table)?.samples)
}

/// Runs by level, and in the order of their rows.
pub struct GroupedRuns<'a> {
    /// The runs.
    pub table: &'a RunTable,
    /// One sample a level, ascending by level.
    pub samples: Vec<Sample>,
    /// The blocks that the runs come in, if they do.
    pub blocks: Option<Blocks>,
    /// The rows of each sample, ascending.
    rows: Vec<Vec<IdxSize>>,
    columns: Columns<'a>,
}

impl<'a> GroupedRuns<'a> {
    /// Groups `table` as [`by_level`] does.
    ///
    /// # Errors
    /// [`Error::TooManyLevels`] beyond [`MAX_LEVELS`].
    pub fn of(table: &'a RunTable) -> Result<Self> {
        let malformed = || RunTable::malformed("the table of runs".as_ref());
        let factor = table.frame.column(&table.columns.factor).map_err(malformed())?;
        let factor = factor.f64().map_err(malformed())?.rechunk().into_owned();
        let mut columns = Columns::of(table)?;

        let multithreaded = rayon::current_num_threads() > 1;
        let groups = factor.clone().into_series().group_tuples(multithreaded, false).map_err(malformed())?;
        if groups.len() > MAX_LEVELS {
            return Err(Error::TooManyLevels {
                column: table.columns.factor.clone(),
                levels: groups.len(),
                rows: table.frame.height(),
                limit: MAX_LEVELS,
            });
        }
        let levels = factor.cont_slice().map_err(malformed())?;
        // Adding 0 turns −0 into 0, so that the bits do not depend on which row came first.
        let level = |rows: &[IdxSize]| levels[rows[0] as usize] + 0.0;
        let mut rows: Vec<Vec<IdxSize>> = match &groups {
            GroupsType::Idx(groups) => groups.all().par_iter().map(|rows| rows.to_vec()).collect(),
            GroupsType::Slice { groups, .. } => {
                groups.par_iter().map(|[start, length]| (*start..start + length).collect()).collect()
            }
        };
        rows.sort_by(|a, b| level(a).total_cmp(&level(b)));
        let keyed = &table.details.blocks;
        // Runs that share their draws are paired by them, unless the user names a column.
        let found = if columns.replicates.is_empty() || keyed.is_given() { blocks::choose(keyed, &rows) } else { None };
        let (blocks, keys) = found.unzip();
        columns.blocks = keys.unwrap_or_default();
        let samples = rows.par_iter().map(|rows| columns.sample(level(rows), rows)).collect();
        Ok(Self { table, samples, blocks, rows, columns })
    }

    /// The samples of the first `count` rows; levels without a run among them are left out.
    pub fn first(&self, count: u64) -> Vec<Sample> {
        let among = |rows: &Vec<IdxSize>| rows.partition_point(|row| u64::from(*row) < count);
        let levels = self.samples.par_iter().zip(&self.rows);
        levels
            .map(|(sample, rows)| (sample, &rows[..among(rows)]))
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(sample, rows)| self.columns.sample(sample.level, rows))
            .collect()
    }

    /// The first row of each level, from 0, in the order of the levels.
    pub fn first_rows(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().filter_map(|rows| rows.first()).map(|row| u64::from(*row))
    }

    /// The value and the row, from 0, of each run of each level, in the order of the rows.
    pub fn values(&self) -> impl Iterator<Item = (f64, Vec<(f64, usize)>)> {
        let run = |row: &IdxSize| (self.columns.values[*row as usize], *row as usize);
        let level = move |(sample, rows): (&Sample, &Vec<IdxSize>)| (sample.level, rows.iter().map(run).collect());
        self.samples.iter().zip(&self.rows).map(level)
    }
}

/// The columns of all runs; the last three may be empty.
struct Columns<'a> {
    values: Cow<'a, [f64]>,
    final_losses: &'a [f64],
    replicates: &'a [u64],
    blocks: &'a [u64],
}

impl<'a> Columns<'a> {
    fn of(table: &'a RunTable) -> Result<Self> {
        let replicates = match &table.details.pairing {
            Pairing::Paired { replicate, .. } => replicate.as_slice(),
            Pairing::Unknown | Pairing::Apart => &[],
        };
        let (values, final_losses) = (plain(table, &table.columns.metric)?, table.details.final_loss.as_slice());
        Ok(Self { values, final_losses, replicates, blocks: &[] })
    }

    /// The runs in `rows`, by value.
    fn sample(&self, level: f64, rows: &[IdxSize]) -> Sample {
        if self.final_losses.is_empty() && self.replicates.is_empty() && self.blocks.is_empty() {
            return Sample::of(level, rows.iter().map(|row| self.values[*row as usize]).collect());
        }
        let mut order: Vec<(f64, IdxSize)> = rows.iter().map(|row| (self.values[*row as usize], *row)).collect();
        // The rows ascend, and equal values keep their order.
        sort::by_value(&mut order, |(value, _)| *value);
        if !self.blocks.is_empty() {
            let is_equal = |(a, _): &(f64, IdxSize), (b, _): &(f64, IdxSize)| a.total_cmp(b).is_eq();
            let by_block = |equal: &mut [(f64, IdxSize)]| equal.sort_by_key(|(_, row)| self.blocks[*row as usize]);
            order.chunk_by_mut(is_equal).for_each(by_block);
        }
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
            block: if self.blocks.is_empty() { Vec::new() } else { rows().map(|row| self.blocks[row]).collect() },
            failed: 0,
            runs: order.len() as u64,
        }
    }
}

/// The column `name` row by row: the frame's own numbers where they lie in one piece.
///
/// # Errors
/// [`Error::Malformed`] if the frame is not that of the schema.
pub fn plain<'a>(table: &'a RunTable, name: &str) -> Result<Cow<'a, [f64]>> {
    let malformed = || RunTable::malformed("the table of runs".as_ref());
    let column = table.frame.column(name).and_then(|column| column.f64()).map_err(malformed())?;
    Ok(match column.cont_slice() {
        Ok(slice) => Cow::Borrowed(slice),
        Err(_) => Cow::Owned(column.into_no_null_iter().collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::blocks::NO_BLOCK;
    use crate::store::schema::Columns;

    /// Runs as level, value and key of the block.
    fn table(runs: &[(f64, f64, u64)]) -> RunTable {
        let columns = Columns { factor: "x".into(), metric: "y".into(), pair: Some("block".into()) };
        let column = |value: fn(&(f64, f64, u64)) -> f64| runs.iter().map(value).collect();
        let mut table = RunTable::empty(&columns);
        table.frame = RunTable::frame_of(&columns, column(|run| run.0), column(|run| run.1), "runs".as_ref()).unwrap();
        table.details.blocks = columns.blocks(|_| true);
        runs.iter().for_each(|run| table.details.blocks.push(|_| run.2));
        table
    }

    #[test]
    fn equal_values_lie_by_their_blocks_whatever_the_order_of_the_rows() {
        let mut runs =
            [(1.0, 5.0, 9), (1.0, 3.0, 2), (2.0, 5.0, 9), (1.0, 5.0, NO_BLOCK), (1.0, 5.0, 4), (2.0, 1.0, 4)];
        for _ in 0..runs.len() {
            runs.rotate_left(1);
            let table = table(&runs);
            let grouped = GroupedRuns::of(&table).unwrap();
            let [first, second] = grouped.samples.as_slice() else { panic!("there are two levels") };
            assert_eq!((&first.sorted[..], &first.block[..]), (&[3.0, 5.0, 5.0, 5.0][..], &[2, 4, 9, NO_BLOCK][..]));
            assert_eq!((&second.sorted[..], &second.block[..]), (&[1.0, 5.0][..], &[4, 9][..]));
            let found = grouped.blocks.unwrap();
            assert_eq!((found.given, found.count, found.complete), (true, 3, 2));
        }
    }

    #[test]
    fn the_first_rows_keep_the_column_that_all_rows_chose() {
        let table = table(&[(1.0, 5.0, 9), (2.0, 3.0, 8), (1.0, 4.0, 8)]);
        let first = GroupedRuns::of(&table).unwrap().first(2);
        assert_eq!((first.len(), &first[0].block, &first[1].block), (2, &vec![9], &vec![8]));
    }
}
