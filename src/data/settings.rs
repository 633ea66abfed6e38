//! The values of a column that should be constant.

use crate::data::cell::{Cell, Value};
use crate::format::excerpt;

/// The distinct values of a column, up to a few, in the order of their appearance; `…` stands for
/// more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Values(Vec<String>);

impl Values {
    /// Beyond this many the exact set no longer matters.
    const LIMIT: usize = 5;

    fn note(&mut self, value: &str) {
        if self.0.len() <= Self::LIMIT && self.0.iter().all(|known| known != value) {
            let next = if self.0.len() == Self::LIMIT { "…".to_string() } else { excerpt(value) };
            self.0.push(next);
        }
    }
}

/// A setting column as it is read. Its values hardly ever change, so one comparison a row.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    last: Last,
    values: Values,
    /// Where its number changes: the first row and the number; NaN where it holds none.
    changes: Vec<(usize, f64)>,
}

/// How far a setting has come.
#[derive(Debug, Clone)]
pub(super) struct SettingMark {
    values: Values,
    changes: usize,
}

/// The cell met last.
#[derive(Debug, Clone, Default)]
enum Last {
    #[default]
    None,
    Bits(u64),
    Whole(i128),
    Text(Vec<u8>),
}

impl Last {
    fn is(&self, cell: Cell) -> bool {
        match (self, cell) {
            (Self::Bits(bits), Cell::Number(number)) => *bits == number.to_bits(),
            (Self::Whole(known), Cell::Whole(whole)) => *known == whole,
            (Self::Text(known), Cell::Text(text)) => known == text,
            _ => false,
        }
    }
}

impl Setting {
    /// Notes the cell of `row`, which is that of the table, from 0.
    #[inline]
    pub(super) fn note(&mut self, cell: Cell, row: usize) {
        if !self.last.is(cell) {
            self.change(cell, row);
        }
    }

    #[cold]
    fn change(&mut self, cell: Cell, row: usize) {
        self.last = match cell {
            Cell::Number(number) => Last::Bits(number.to_bits()),
            Cell::Whole(whole) => Last::Whole(whole),
            Cell::Text(text) => Last::Text(text.to_vec()),
            _ => Last::None,
        };
        if !cell.is_missing() {
            self.values.note(&cell.text());
        }
        let number = match cell.value() {
            Value::Number(number) => number,
            Value::Missing | Value::Wrong => f64::NAN,
        };
        self.changes.push((row, number));
    }

    /// Its distinct values, up to a few, in the order of their appearance; `…` stands for more.
    pub fn values(&self) -> &[String] {
        &self.values.0
    }

    /// The setting of `row` alone.
    pub(super) fn at(&self, row: usize) -> Self {
        let next = self.changes.partition_point(|(first, _)| *first <= row);
        let number = next.checked_sub(1).map_or(f64::NAN, |place| self.changes[place].1);
        Self { values: self.values.clone(), changes: vec![(0, number)], last: Last::None }
    }

    /// The setting of rows that do not say it.
    pub(super) fn absent() -> Self {
        Self { changes: vec![(0, f64::NAN)], ..Self::default() }
    }

    /// Adds what the rows after the first `rows` say.
    pub(super) fn append(&mut self, rows: usize, other: Self) {
        other.values.0.iter().for_each(|value| self.values.note(value));
        self.changes.extend(other.changes.into_iter().map(|(row, number)| (rows + row, number)));
        self.last = other.last;
    }

    /// Its numbers row by row; NaN where it holds none.
    pub(super) fn numbers(&self, rows: usize) -> Vec<f64> {
        let mut numbers = Vec::with_capacity(rows);
        for (place, (_, number)) in self.changes.iter().enumerate() {
            let end = self.changes.get(place + 1).map_or(rows, |(row, _)| *row);
            numbers.resize(end, *number);
        }
        numbers.resize(rows, f64::NAN);
        numbers
    }

    /// Where it is now.
    pub(super) fn mark(&self) -> SettingMark {
        SettingMark { values: self.values.clone(), changes: self.changes.len() }
    }

    /// As it was at `mark`.
    pub(super) fn go_back_to(&mut self, mark: SettingMark) {
        self.values = mark.values;
        self.changes.truncate(mark.changes);
        self.last = Last::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stay_few() {
        let mut values = Values::default();
        (0..100).for_each(|i| values.note(&(i % 9).to_string()));
        assert_eq!(values.0, ["0", "1", "2", "3", "4", "…"]);
    }

    #[test]
    fn numbers_are_those_of_the_rows() {
        let mut setting = Setting::default();
        for (row, text) in ["1", "1", "2", "", "x", "2"].into_iter().enumerate() {
            setting.note(Cell::Text(text.as_bytes()), row);
        }
        let mut more = Setting::default();
        more.note(Cell::Number(2.0), 0);
        setting.append(6, more);
        setting.append(8, Setting::absent());
        let numbers = setting.numbers(9);
        assert_eq!(numbers[..3], [1.0, 1.0, 2.0]);
        assert!(numbers[3].is_nan() && numbers[4].is_nan());
        assert_eq!(numbers[5..8], [2.0, 2.0, 2.0]);
        assert!(numbers[8].is_nan());
        assert_eq!(setting.values(), ["1", "2", "x", "2.0"]);
    }
}
