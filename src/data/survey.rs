//! Looks at the columns that nobody asked for, as far as they say that the rows are not what they
//! seem to be.
//!
//! Only some rows are looked at (see [`ROWS`]), each reader giving those that are cheap for it: the
//! first of each of its parts. What is found is a hint, never a number.
//!
//! A column tells groups of runs apart if it has from 2 to [`MOST_VALUES`] values, not each of its
//! own row, and more than one of them at some level. A column of numbers must also repeat a pair of
//! level and value, because one that does not merely counts the runs of each level.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::data::cell::Cell;
use crate::data::number;
use crate::format::excerpt;
use crate::warning::Warning;

/// Rows that a reader gives at most of the beginning of a source.
pub const ROWS: usize = 10_000;
/// Values beyond which a column is no name of groups.
const MOST_VALUES: usize = 12;
/// Columns looked at; a table of thousands of columns is not worth the time.
const MOST_COLUMNS: usize = 200;
/// Columns named in a warning.
const NAMED: usize = 3;
/// What trackers call a run that came to its end.
const FINISHED: [&str; 5] = ["finished", "complete", "completed", "success", "done"];

/// What was seen of the columns that nobody asked for.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    columns: BTreeMap<String, Seen>,
}

/// What was seen of one column.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// Place of the column in its source.
    place: usize,
    rows: u64,
    /// Rows of each value, in the order of their appearance; one more than [`MOST_VALUES`] stand
    /// for any number.
    values: Vec<(String, u64)>,
    /// The value met first at each level, by the bits of the level.
    at_level: HashMap<u64, usize>,
    /// Pairs of level and value.
    pairs: HashSet<(u64, usize)>,
    /// Whether a level has two values.
    varies: bool,
    /// Whether a pair is there twice.
    repeats: bool,
    /// Whether every value is a number.
    is_numeric: bool,
}

impl Seen {
    fn has_many(&self) -> bool {
        self.values.len() > MOST_VALUES
    }

    fn note(&mut self, level: u64, text: &str, rows: u64) {
        if self.has_many() {
            return;
        }
        if self.rows == 0 {
            self.is_numeric = true;
        }
        self.rows += rows;
        let known = self.values.iter().position(|(known, _)| known == text);
        let value = known.unwrap_or_else(|| {
            self.values.push((text.into(), 0));
            self.values.len() - 1
        });
        self.values[value].1 += rows;
        self.is_numeric &= number::parse(text.as_bytes()).is_some();
        self.varies |= *self.at_level.entry(level).or_insert(value) != value;
        self.repeats |= !self.pairs.insert((level, value));
    }

    /// Whether it tells groups of runs apart.
    fn names_groups(&self) -> bool {
        let is_repeated = self.values.iter().any(|(_, rows)| *rows > 1);
        (2..=MOST_VALUES).contains(&self.values.len())
            && self.varies
            && is_repeated
            && (self.repeats || !self.is_numeric)
    }
}

impl Survey {
    /// Notes the `cell` of the column `name`, at a `place` among the source's columns, of a run at
    /// `level`.
    pub fn note(&mut self, name: &str, place: usize, level: f64, cell: Cell) {
        if cell.is_missing() || matches!(cell, Cell::Other(_)) || place >= MOST_COLUMNS {
            return;
        }
        if !self.columns.contains_key(name) {
            self.columns.insert(name.into(), Seen { place, ..Seen::default() });
        }
        if let Some(seen) = self.columns.get_mut(name).filter(|seen| !seen.has_many()) {
            seen.note((level + 0.0).to_bits(), &cell.text(), 1);
        }
    }

    /// Adds what `other` saw after this.
    pub fn append(&mut self, other: Self) {
        for (name, others) in other.columns {
            let Some(own) = self.columns.get_mut(&name) else {
                self.columns.insert(name, others);
                continue;
            };
            let is_repeated = own.repeats || others.repeats;
            let is_varied = own.varies || others.varies;
            for (level, value) in &others.pairs {
                own.note(*level, &others.values[*value].0, 0);
            }
            // Only now, because a row was counted for each pair alone.
            for (text, rows) in &others.values {
                own.values.iter_mut().filter(|(known, _)| known == text).for_each(|(_, count)| *count += rows);
            }
            own.rows += others.rows;
            own.repeats |= is_repeated;
            own.varies |= is_varied;
            if others.has_many() {
                own.values.resize(MOST_VALUES + 1, (String::new(), 0));
            }
        }
    }

    /// What the user should know.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.state().into_iter().collect();
        let mut groups: Vec<(&String, &Seen)> =
            self.columns.iter().filter(|(name, seen)| !is_state(name) && seen.names_groups()).collect();
        // Text before numbers, then in the order of the source.
        groups.sort_by_key(|(_, seen)| (seen.is_numeric, seen.place));
        for (name, seen) in groups.into_iter().take(NAMED) {
            let values = seen.values.iter().map(|(value, _)| excerpt(value)).collect();
            warnings.push(Warning::MixedGroups { column: excerpt(name), values });
        }
        warnings
    }

    /// Runs that a tracker says did not come to their end.
    fn state(&self) -> Option<Warning> {
        let (name, seen) = self.columns.iter().find(|(name, seen)| is_state(name) && !seen.has_many())?;
        let is_finished = |value: &str| FINISHED.contains(&value.to_lowercase().as_str());
        let finished = seen.values.iter().find(|(value, _)| is_finished(value))?.0.clone();
        let others: Vec<&(String, u64)> = seen.values.iter().filter(|(value, _)| !is_finished(value)).collect();
        let rows = others.iter().map(|(_, rows)| rows).sum();
        let values = others.iter().map(|(value, _)| excerpt(value)).collect();
        (rows > 0).then_some(Warning::UnfinishedRuns { column: excerpt(name), finished, values, rows })
    }
}

fn is_state(name: &str) -> bool {
    matches!(name.trim().to_lowercase().as_str(), "state" | "status")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A survey of one column of a table.
    fn of(name: &str, rows: &[(f64, &str)]) -> Survey {
        let mut survey = Survey::default();
        rows.iter().for_each(|(level, text)| survey.note(name, 0, *level, Cell::Text(text.as_bytes())));
        survey
    }

    fn kinds(survey: &Survey) -> Vec<&'static str> {
        survey.warnings().iter().map(Warning::kind).collect()
    }

    #[test]
    fn a_column_that_tells_groups_apart_is_named() {
        let two = [(1.0, "adam"), (1.0, "sgd"), (2.0, "adam"), (2.0, "sgd")];
        assert_eq!(kinds(&of("optimizer", &two)), ["mixed_groups"]);
        let message = of("optimizer", &two).warnings()[0].message();
        assert!(message.contains("'optimizer' has 2 values (adam, sgd)"), "{message}");
        let widths = [(1.0, "64"), (1.0, "64"), (1.0, "128"), (2.0, "64"), (2.0, "128")];
        assert_eq!(kinds(&of("width", &widths)), ["mixed_groups"]);
        for (name, rows) in [
            ("fold", &[(1.0, "1"), (1.0, "2"), (2.0, "1"), (2.0, "2")][..]),
            ("name", &[(1.0, "a"), (1.0, "b"), (2.0, "c"), (2.0, "d")]),
            ("model", &[(1.0, "small"), (1.0, "small"), (2.0, "large"), (2.0, "large")]),
            ("model", &[(1.0, "small"), (2.0, "small")]),
        ] {
            assert_eq!(kinds(&of(name, rows)), [""; 0], "{name}");
        }
        let many: Vec<String> = (0..40).map(|i| (i % 13).to_string()).collect();
        let many: Vec<(f64, &str)> = many.iter().map(|text| (1.0, text.as_str())).collect();
        assert_eq!(kinds(&of("step", &many)), [""; 0]);
    }

    #[test]
    fn runs_that_did_not_finish_are_counted() {
        let rows = [(1.0, "finished"), (1.0, "crashed"), (2.0, "finished"), (2.0, "running")];
        let survey = of("State", &rows);
        assert_eq!(kinds(&survey), ["unfinished_runs"]);
        let warning = &survey.warnings()[0];
        assert!(warning.message().contains("2 rows"), "{}", warning.message());
        assert!(warning.advice().contains("--failed 'State!=finished'"), "{}", warning.advice());
        assert_eq!(kinds(&of("state", &[(1.0, "finished"), (2.0, "FINISHED")])), [""; 0]);
        assert_eq!(kinds(&of("state", &[(1.0, "TX"), (1.0, "NY"), (1.0, "TX")])), [""; 0], "no state of a run");
    }

    #[test]
    fn parts_together_see_what_one_part_does_not() {
        let mut joined = of("optimizer", &[(1.0, "adam"), (2.0, "adam")]);
        joined.append(of("optimizer", &[(1.0, "sgd"), (2.0, "sgd")]));
        assert_eq!(kinds(&joined), ["mixed_groups"]);
        let mut same = of("optimizer", &[(1.0, "adam"), (2.0, "adam")]);
        same.append(of("optimizer", &[(1.0, "adam")]));
        assert_eq!(kinds(&same), [""; 0]);
    }
}
