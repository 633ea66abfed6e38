//! The mean of the metric at every pair of levels of two factors.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::format::counted;
use crate::group::GroupedRuns;
use crate::stats::ExactMoments;

/// Levels of a factor beyond which no cell can be seen.
pub const MOST_LEVELS: usize = 100;

/// Two factors with what was measured at their pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The columns: factor along the horizontal axis, along the vertical, metric.
    pub names: [String; 3],
    /// Levels of the first factor, ascending.
    pub x: Vec<f64>,
    /// Levels of the second factor, ascending.
    pub y: Vec<f64>,
    /// `cells[place in y][place in x]`; absent without runs.
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// The runs at one pair of levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Number of runs.
    pub n: u64,
    /// Mean of the metric.
    pub mean: f64,
    /// Standard error of the mean; absent for a single run.
    pub standard_error: Option<f64>,
}

/// A level by its order among all levels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Grid {
    /// The grid of `runs` by their two factors.
    ///
    /// # Errors
    /// [`Error::Figure`] without a second factor, for rows that lack it, for a factor with one
    /// level only or more than [`MOST_LEVELS`].
    pub fn of(runs: &GroupedRuns<'_>) -> Result<Self> {
        let failed = |reason: String| Error::Figure { figure: "heatmap", reason };
        let none = || failed("it needs a second factor, --by COLUMN".into());
        let (x_name, y_name) = (&runs.table.roles.factor, runs.table.by.as_ref().ok_or_else(none)?);
        let others = runs.table.second_factor();
        let mut samples: BTreeMap<(Ordered, Ordered), Vec<f64>> = BTreeMap::new();
        for (level, values) in runs.values() {
            for (value, row) in values {
                if others[row].is_nan() {
                    return Err(failed(format!("some rows have no '{y_name}'; leave them out of the source")));
                }
                samples.entry((Ordered(level), Ordered(others[row] + 0.0))).or_default().push(value);
            }
        }
        let levels = |of: fn(&(Ordered, Ordered)) -> Ordered| {
            let mut levels: Vec<f64> = samples.keys().map(|pair| of(pair).0).collect();
            levels.sort_by(f64::total_cmp);
            levels.dedup();
            levels
        };
        let (x, y) = (levels(|pair| pair.0), levels(|pair| pair.1));
        for (name, levels) in [(x_name, &x), (y_name, &y)] {
            if !(2..=MOST_LEVELS).contains(&levels.len()) {
                let count = counted(levels.len() as u64, "level");
                return Err(failed(format!("'{name}' has {count}; from 2 to {MOST_LEVELS} can be shown")));
            }
        }
        let cell = |y: f64, x: f64| {
            let moments = ExactMoments::of(samples.get(&(Ordered(x), Ordered(y)))?);
            let standard_error = moments.std_dev().map(|std_dev| std_dev / (moments.n() as f64).sqrt());
            Some(Cell { n: moments.n(), mean: moments.mean()?, standard_error })
        };
        let cells = y.iter().map(|y| x.iter().map(|x| cell(*y, *x)).collect()).collect();
        Ok(Self { names: [x_name.clone(), y_name.clone(), runs.table.roles.metric.clone()], x, y, cells })
    }

    /// All cells with runs.
    pub fn measured(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().flatten().flatten()
    }
}
