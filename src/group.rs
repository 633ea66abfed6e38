//! The only bridge from the data frame to plain samples: one sorted sample per level.

pub mod blocks;

use std::borrow::Cow;

use polars::prelude::IdxSize;
use rayon::prelude::*;

use crate::data::RunTable;
use crate::error::{Error, Result};
use crate::group::blocks::Blocks;
use crate::stats::sort;

/// More levels than this are a mistake: no figure or table of them can be read.
pub const MAX_LEVELS: usize = 100_000;

/// The runs at one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The factor's value.
    pub level: f64,
    /// The metric's values, ascending.
    pub sorted: Vec<f64>,
    /// Run by run as in `sorted`, the loss of the last epoch, NaN where there is none; empty if no
    /// run has one.
    pub final_loss: Vec<f64>,
    /// Run by run as in `sorted`, which replicate of a paired sweep it is; empty if the runs are
    /// not paired.
    pub replicate: Vec<u64>,
    /// Run by run as in `sorted`, the key of its block, [`NO_BLOCK`](crate::data::blocks::NO_BLOCK)
    /// for a run in none; empty if the runs have no blocks.
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
/// The result depends on the set of rows only, not on their order: samples are sorted by value, and
/// equal values by their blocks. (Runs that agree in both keep the order of their rows, which shows
/// in the other two columns alone and matters to none of their uses.)
///
/// # Errors
/// [`Error::TooManyLevels`] beyond [`MAX_LEVELS`].
///
/// # Cost
/// One hash pass over the rows, then O(n log n) comparisons spread over all threads.
pub fn by_level(table: &RunTable) -> Result<Vec<Sample>> {
    Ok(GroupedRuns::new(table, Grouping::default())?.samples)
}

/// How runs become the samples of levels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Grouping {
    /// What a failed run counts as; without a value it has no part in its sample.
    pub failed_as: Option<f64>,
    /// Whether levels that only rounding tells apart ([`is_rounding`]) are one.
    pub pool_levels: bool,
}

/// Whether `a` and `b` may be one number, written down in single precision here and in double
/// there: closer than 2⁻²³ of their size.
pub fn is_rounding(a: f64, b: f64) -> bool {
    (b - a).abs() <= f64::from(f32::EPSILON) * a.abs().max(b.abs())
}

/// Joins neighbouring ascending `levels`, with their `rows`, that only rounding tells apart from
/// the first of them. Of their values the shortest stands for all, which is the one that somebody
/// wrote.
fn pool(levels: &mut Vec<f64>, rows: &mut Vec<Vec<IdxSize>>) {
    let length = |level: f64| format!("{level:?}").len();
    let (mut pooled, mut first) = (Vec::<(f64, Vec<IdxSize>)>::new(), f64::NAN);
    for (level, rows) in levels.drain(..).zip(rows.drain(..)) {
        match pooled.last_mut().filter(|_| is_rounding(first, level)) {
            Some((shortest, all)) => {
                if length(level) < length(*shortest) {
                    *shortest = level;
                }
                all.extend(rows);
                all.sort_unstable();
            }
            None => {
                first = level;
                pooled.push((level, rows));
            }
        }
    }
    (*levels, *rows) = pooled.into_iter().unzip();
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
    /// Groups `table` as [`by_level`] does. `grouping` says how.
    ///
    /// # Errors
    /// [`Error::TooManyLevels`] beyond [`MAX_LEVELS`].
    pub fn new(table: &'a RunTable, grouping: Grouping) -> Result<Self> {
        let factor = table.factor();
        let mut columns = Columns {
            values: table.metric(),
            failed_as: grouping.failed_as,
            final_losses: table.final_loss(),
            replicates: table.replicate(),
            blocks: Cow::Borrowed(&[]),
        };
        let mut rows = table.rows_by_level()?;
        // Adding 0 turns −0 into 0, so that the bits do not depend on which row came first.
        let level = |rows: &[IdxSize]| factor[rows[0] as usize] + 0.0;
        rows.par_sort_by(|a, b| level(a).total_cmp(&level(b)));
        let mut levels: Vec<f64> = rows.iter().map(|rows| level(rows)).collect();
        if grouping.pool_levels {
            pool(&mut levels, &mut rows);
        }
        if rows.len() > MAX_LEVELS {
            return Err(Error::TooManyLevels {
                column: table.roles.factor.clone(),
                levels: rows.len(),
                rows: table.height(),
                limit: MAX_LEVELS,
            });
        }
        let is_given = table.roles.pair.is_some();
        // Runs that share their draws are paired by them, unless the user names a column.
        let found = if columns.replicates.is_empty() || is_given {
            blocks::choose(table.blocks(), is_given, &columns.with_values(&rows))
        } else {
            None
        };
        let (blocks, keys) = found.unzip();
        columns.blocks = keys.unwrap_or_default();
        let samples = levels.par_iter().zip(&rows).map(|(level, rows)| columns.sample(*level, rows)).collect();
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

    /// Each level with the value and the row, from 0, of each of its runs that has a value, in the
    /// order of the rows.
    pub fn values(&self) -> impl Iterator<Item = (f64, Vec<(f64, usize)>)> {
        let level = |(sample, rows): (&Sample, &Vec<IdxSize>)| (sample.level, self.columns.runs(rows).collect());
        self.samples.iter().zip(&self.rows).map(level)
    }
}

/// The columns of all runs; the last three may be empty.
struct Columns<'a> {
    /// NaN for a failed run.
    values: Cow<'a, [f64]>,
    failed_as: Option<f64>,
    final_losses: Cow<'a, [f64]>,
    replicates: Cow<'a, [u64]>,
    blocks: Cow<'a, [u64]>,
}

impl Columns<'_> {
    /// The value and the row of those runs in `rows` that have a value.
    fn runs(&self, rows: &[IdxSize]) -> impl Iterator<Item = (f64, usize)> {
        let value = |row: usize| match self.values[row] {
            value if value.is_nan() => self.failed_as,
            value => Some(value),
        };
        rows.iter().filter_map(move |row| Some((value(*row as usize)?, *row as usize)))
    }

    /// Those of `rows`, level by level, whose runs have a value; levels without one are left out.
    fn with_values<'r>(&self, rows: &'r [Vec<IdxSize>]) -> Cow<'r, [Vec<IdxSize>]> {
        if self.failed_as.is_some() || !self.values.iter().any(|value| value.is_nan()) {
            return Cow::Borrowed(rows);
        }
        let valued = |rows: &Vec<IdxSize>| self.runs(rows).map(|(_, row)| row as IdxSize).collect();
        Cow::Owned(rows.iter().map(valued).filter(|rows: &Vec<IdxSize>| !rows.is_empty()).collect())
    }

    /// The runs in `rows`, by value.
    fn sample(&self, level: f64, rows: &[IdxSize]) -> Sample {
        let runs = rows.len() as u64;
        if self.final_losses.is_empty() && self.replicates.is_empty() && self.blocks.is_empty() {
            // The rows lie far apart: each value is fetched once.
            let mut values: Vec<f64> = rows.iter().map(|row| self.values[*row as usize]).collect();
            values.retain(|value| !value.is_nan());
            let failed = runs - values.len() as u64;
            values.extend(self.failed_as.into_iter().flat_map(|value| std::iter::repeat_n(value, failed as usize)));
            return Sample { failed, runs, ..Sample::of(level, values) };
        }
        let failed = rows.iter().filter(|row| self.values[**row as usize].is_nan()).count() as u64;
        let mut order: Vec<(f64, usize)> = self.runs(rows).collect();
        // The rows ascend, and equal values keep their order.
        sort::by_value(&mut order, |(value, _)| *value);
        if !self.blocks.is_empty() {
            let is_equal = |(a, _): &(f64, usize), (b, _): &(f64, usize)| a.total_cmp(b).is_eq();
            let by_block = |equal: &mut [(f64, usize)]| equal.sort_by_key(|(_, row)| self.blocks[*row]);
            order.chunk_by_mut(is_equal).for_each(by_block);
        }
        let rows = || order.iter().map(|(_, row)| *row);
        let of_rows =
            |column: &[u64]| if column.is_empty() { Vec::new() } else { rows().map(|row| column[row]).collect() };
        let final_losses = self.final_losses.as_ref();
        Sample {
            level,
            sorted: order.iter().map(|(value, _)| *value).collect(),
            final_loss: if final_losses.is_empty() {
                Vec::new()
            } else {
                rows().map(|row| final_losses[row]).collect()
            },
            replicate: of_rows(&self.replicates),
            block: of_rows(&self.blocks),
            failed,
            runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Roles;
    use crate::data::blocks::NO_BLOCK;
    use crate::data::table::RunColumns;

    /// Runs as level, value and key of the block.
    fn table(runs: &[(f64, f64, u64)]) -> RunTable {
        let roles = Roles { pair: Some("block".into()), ..Roles::new("x", "y") };
        let column = |value: fn(&(f64, f64, u64)) -> f64| runs.iter().map(value).collect();
        let columns = RunColumns {
            factor: column(|run| run.0),
            metric: column(|run| run.1),
            blocks: vec![("block".into(), runs.iter().map(|run| run.2).collect())],
            ..RunColumns::default()
        };
        RunTable::new(&roles, columns, "runs".as_ref()).unwrap()
    }

    #[test]
    fn failed_runs_are_counted_and_have_a_value_only_if_one_is_given() {
        let table = table(&[(1.0, f64::NAN, 9), (1.0, 3.0, 2), (2.0, f64::NAN, 9)]);
        let grouped = GroupedRuns::new(&table, Grouping::default()).unwrap();
        let found = |sample: &Sample| (sample.sorted.clone(), sample.block.clone(), sample.failed, sample.runs);
        assert_eq!(found(&grouped.samples[0]), (vec![3.0], vec![2], 1, 2));
        assert_eq!(found(&grouped.samples[1]), (vec![], vec![], 1, 1));
        let grouped = GroupedRuns::new(&table, Grouping { failed_as: Some(7.0), ..Grouping::default() }).unwrap();
        assert_eq!(found(&grouped.samples[0]), (vec![3.0, 7.0], vec![2, 9], 1, 2));
        assert_eq!(found(&grouped.samples[1]), (vec![7.0], vec![9], 1, 1));
    }

    #[test]
    fn levels_that_only_rounding_tells_apart_are_one_if_so_wanted() {
        let single = f64::from(0.1f32);
        let table = table(&[(0.3, 1.0, 1), (single, 2.0, 1), (0.1 + 0.2, 3.0, 2), (0.1, 4.0, 2)]);
        let found = |grouping: Grouping| {
            let grouped = GroupedRuns::new(&table, grouping).unwrap();
            let samples = grouped.samples.iter().map(|sample| (sample.level, sample.sorted.clone()));
            samples.collect::<Vec<_>>()
        };
        assert_eq!(found(Grouping::default()).len(), 4);
        let pooled = found(Grouping { pool_levels: true, ..Grouping::default() });
        assert_eq!(pooled, [(0.1, vec![2.0, 4.0]), (0.3, vec![1.0, 3.0])]);
    }

    #[test]
    fn equal_values_lie_by_their_blocks_whatever_the_order_of_the_rows() {
        let mut runs =
            [(1.0, 5.0, 9), (1.0, 3.0, 2), (2.0, 5.0, 9), (1.0, 5.0, NO_BLOCK), (1.0, 5.0, 4), (2.0, 1.0, 4)];
        for _ in 0..runs.len() {
            runs.rotate_left(1);
            let table = table(&runs);
            let grouped = GroupedRuns::new(&table, Grouping::default()).unwrap();
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
        let first = GroupedRuns::new(&table, Grouping::default()).unwrap().first(2);
        assert_eq!((first.len(), &first[0].block, &first[1].block), (2, &vec![9], &vec![8]));
    }
}
