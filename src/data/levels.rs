//! Levels that somebody has summarised already, in place of runs.

use crate::data::ledger::RowLedger;
use crate::data::roles::Roles;
use crate::data::table::RunTable;
use crate::provenance::InputDigest;
use crate::warning::Warning;

/// What sums say of the runs at one level: all that travels when a server counts, and all that a
/// table of levels has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelSummary {
    /// The factor's value.
    pub level: f64,
    /// Number of runs that did not fail; 0 if all did.
    pub n: u64,
    /// Their mean; NaN without any.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1), in the metric's unit; absent at n = 1 or where it
    /// is not known.
    pub std_dev: Option<f64>,
    /// Least value, where it is known.
    pub min: Option<f64>,
    /// Greatest value, where it is known.
    pub max: Option<f64>,
    /// Runs that failed, which the other numbers do not hold.
    pub failed: u64,
}

impl LevelSummary {
    /// A level where so many runs failed, and no other was made.
    pub fn of_failed(level: f64, failed: u64) -> Self {
        Self { level, n: 0, mean: f64::NAN, std_dev: None, min: None, max: None, failed }
    }

    /// Of both parts' runs together, which are of one level (Chan, Golub and LeVeque 1983).
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        let failed = self.failed + other.failed;
        // Where every run failed there is nothing to join.
        match (self.n, other.n) {
            (0, _) => return Self { level: self.level, failed, ..*other },
            (_, 0) => return Self { failed, ..self },
            _ => {}
        }
        let (n, more) = (self.n as f64, other.n as f64);
        let apart = other.mean - self.mean;
        let squares = |part: &Self| match part.n {
            1 => Some(0.0),
            n => part.std_dev.map(|s| s * s * (n as f64 - 1.0)),
        };
        let between = apart * apart * n * more / (n + more);
        let within = squares(&self).zip(squares(other)).map(|(a, b)| a + b);
        let both = |choose: fn(f64, f64) -> f64, a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| choose(a, b));
        Self {
            level: self.level,
            n: self.n + other.n,
            mean: self.mean + apart * more / (n + more),
            std_dev: within.map(|within| libm::sqrt((within + between) / (n + more - 1.0))),
            min: both(f64::min, self.min, other.min),
            max: both(f64::max, self.max, other.max),
            failed,
        }
    }
}

/// Every level, ascending, in place of the runs themselves. Medians, quartiles and paired
/// statistics cannot be had from it.
#[derive(Debug, Clone)]
pub struct LevelSummaries {
    /// The levels, ascending, each once.
    pub levels: Vec<LevelSummary>,
    /// Which column is which.
    pub roles: Roles,
    /// What became of every row: documents that a server counted, or rows of a table of levels.
    pub ledger: RowLedger,
    /// What was read.
    pub inputs: Vec<InputDigest>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

impl LevelSummaries {
    /// Without levels.
    pub fn empty(roles: &Roles) -> Self {
        Self {
            levels: Vec::new(),
            roles: roles.clone(),
            ledger: RowLedger::default(),
            inputs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Joins neighbouring levels that `is_same` says are one; the first of them gives its value.
    pub fn pool(&mut self, is_same: impl Fn(f64, f64) -> bool) {
        let mut pooled: Vec<LevelSummary> = Vec::with_capacity(self.levels.len());
        for level in self.levels.drain(..) {
            match pooled.last_mut().filter(|last| is_same(last.level, level.level)) {
                Some(last) => *last = last.with(&level),
                None => pooled.push(level),
            }
        }
        self.levels = pooled;
    }

    /// Adds those of `other`; a level that both have is joined.
    pub fn append(&mut self, other: Self) {
        for level in other.levels {
            match self.levels.binary_search_by(|own| own.level.total_cmp(&level.level)) {
                Ok(place) => self.levels[place] = self.levels[place].with(&level),
                Err(place) => self.levels.insert(place, level),
            }
        }
        self.ledger.append(other.ledger);
        self.inputs.extend(other.inputs);
        self.warnings.extend(other.warnings);
    }
}

/// What sources gave: runs, or levels that somebody has summarised already.
#[derive(Debug, Clone)]
pub enum Data {
    /// Runs.
    Runs(RunTable),
    /// Levels.
    Levels(LevelSummaries),
}

impl From<RunTable> for Data {
    fn from(runs: RunTable) -> Self {
        Self::Runs(runs)
    }
}

impl From<LevelSummaries> for Data {
    fn from(levels: LevelSummaries) -> Self {
        Self::Levels(levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_level_are_joined_as_if_they_were_one() {
        // 1, 3 | 5, 9, 10: mean 5.6, squares 21.16 + 6.76 + 0.36 + 11.56 + 19.36 = 59.2.
        let part = |n, mean, std_dev: f64, min| LevelSummary {
            level: 0.5,
            n,
            mean,
            std_dev: Some(std_dev),
            min: Some(min),
            max: None,
            failed: 0,
        };
        let both = part(2, 2.0, 2f64.sqrt(), 1.0).with(&part(3, 8.0, 7f64.sqrt(), 5.0));
        assert!((both.mean - 5.6).abs() < 1e-15 && (both.std_dev.unwrap() - 14.8f64.sqrt()).abs() < 1e-14, "{both:?}");
        assert_eq!((both.n, both.min, both.max), (5, Some(1.0), None));
        let single = LevelSummary { n: 1, std_dev: None, ..part(1, 5.0, 0.0, 5.0) };
        assert!((single.with(&single).std_dev.unwrap()).abs() < 1e-15);
    }
}
