//! A column of a block of rows, and the cells in it.

use std::sync::Arc;

use polars_arrow::array::BinaryViewArray;
use polars_arrow::bitmap::Bitmap;
use polars_buffer::Buffer;

use crate::data::{Cell, number};
use crate::store::formats::arrow::calendar::Calendar;
use crate::store::formats::arrow::decimal;

/// A column of some rows.
#[derive(Debug, Clone)]
pub struct Column {
    /// What the cells hold; anything where they are null.
    pub values: Values,
    /// Which cells are not null; `None` if that is all of them.
    pub valid: Option<Bitmap>,
}

/// The cells of a column, which are all of one type.
#[derive(Debug, Clone)]
pub enum Values {
    /// Floating-point numbers.
    Numbers(Buffer<f64>),
    /// Integers in units of 10^−scale.
    Decimals(Vec<i128>, i32),
    /// Decimals of more digits than that, as text.
    Digits(Vec<String>),
    /// Dates and times: no numbers.
    Times(Buffer<i64>, Calendar),
    /// Integers.
    Wholes(Buffer<i64>),
    /// Integers beyond 64 bits with a sign.
    Large(Vec<i128>),
    /// Truth values.
    Bools(Bitmap),
    /// Text.
    Texts(Texts),
    /// Indices into a column of distinct values, all of them below its length.
    Keyed(Vec<u32>, Arc<Column>),
    /// Null, so many times.
    Nothing(usize),
    /// Something that has no cell of its own, so many times; the text says what.
    Other(&'static str, usize),
}

/// The texts of a column.
#[derive(Debug, Clone)]
pub enum Texts {
    /// As views.
    Views(BinaryViewArray),
    /// One after the other: the end of each, which never shrinks, within the bytes of all.
    Joined(Vec<usize>, Vec<u8>),
}

impl Column {
    /// A column without nulls.
    pub fn new(values: Values) -> Self {
        Self { values, valid: None }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match &self.values {
            Values::Numbers(numbers) => numbers.len(),
            Values::Decimals(digits, _) => digits.len(),
            Values::Digits(texts) => texts.len(),
            Values::Times(times, _) => times.len(),
            Values::Wholes(wholes) => wholes.len(),
            Values::Large(wholes) => wholes.len(),
            Values::Bools(bools) => bools.len(),
            Values::Texts(Texts::Views(views)) => views.len(),
            Values::Texts(Texts::Joined(ends, _)) => ends.len(),
            Values::Keyed(keys, _) => keys.len(),
            Values::Nothing(rows) | Values::Other(_, rows) => *rows,
        }
    }

    /// The cell in `row`, counted from 0.
    #[inline]
    pub fn cell(&self, row: usize) -> Cell<'_> {
        if self.valid.as_ref().is_some_and(|valid| !valid.get_bit(row)) {
            return Cell::Missing;
        }
        match &self.values {
            Values::Numbers(numbers) => Cell::Number(numbers[row]),
            Values::Decimals(digits, scale) => Cell::Number(decimal::number(digits[row], *scale)),
            // Digits with a point and an exponent are always a number.
            Values::Digits(texts) => Cell::Number(number::parse(texts[row].as_bytes()).unwrap_or(f64::NAN)),
            Values::Times(_, calendar) => Cell::Other(calendar.kind()),
            Values::Wholes(wholes) => Cell::Whole(wholes[row].into()),
            Values::Large(wholes) => Cell::Whole(wholes[row]),
            Values::Bools(bools) => Cell::Bool(bools.get_bit(row)),
            Values::Texts(Texts::Views(views)) => Cell::Text(views.value(row)),
            Values::Texts(Texts::Joined(ends, bytes)) => {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                Cell::Text(&bytes[start..ends[row]])
            }
            Values::Keyed(keys, of) => of.cell(keys[row] as usize),
            Values::Nothing(_) => Cell::Missing,
            Values::Other(kind, _) => Cell::Other(kind),
        }
    }

    /// The text of the cell in `row`, if that says more than the [`cell`](Self::cell): every digit
    /// of a decimal, a date or a time.
    pub fn text(&self, row: usize) -> Option<String> {
        match &self.values {
            _ if self.cell(row) == Cell::Missing => None,
            Values::Decimals(digits, scale) => Some(decimal::text(digits[row], *scale)),
            Values::Digits(texts) => Some(texts[row].clone()),
            Values::Times(times, calendar) => Some(calendar.text(times[row])),
            Values::Keyed(keys, of) => of.text(keys[row] as usize),
            _ => None,
        }
    }

    /// The same where `other` is not null either.
    #[must_use]
    pub fn and(self, other: Option<&Bitmap>) -> Self {
        let valid = match (self.valid, other) {
            (Some(own), Some(other)) => Some(&own & other),
            (own, other) => own.or_else(|| other.cloned()),
        };
        Self { valid, ..self }
    }
}

/// The number in half precision whose bits these are; every one of them is a double.
pub fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Several columns below each other as one; `None` without any, or if they are of different types.
pub fn joined(mut columns: Vec<Column>) -> Option<Column> {
    if columns.len() < 2 {
        return columns.pop();
    }
    let rows = columns.iter().map(Column::rows).sum();
    let values = match &columns[0].values {
        Values::Texts(_) => {
            let (mut ends, mut bytes) = (Vec::with_capacity(rows), Vec::new());
            for column in &columns {
                for row in 0..column.rows() {
                    if let Cell::Text(text) = column.cell(row) {
                        bytes.extend_from_slice(text);
                    }
                    ends.push(bytes.len());
                }
            }
            Values::Texts(Texts::Joined(ends, bytes))
        }
        Values::Numbers(_) => Values::Numbers(all(&columns, |values| match values {
            Values::Numbers(numbers) => Some(numbers),
            _ => None,
        })?),
        Values::Wholes(_) => Values::Wholes(all(&columns, |values| match values {
            Values::Wholes(wholes) => Some(wholes),
            _ => None,
        })?),
        Values::Decimals(_, scale) => {
            let mut digits = Vec::with_capacity(rows);
            for column in &columns {
                let Values::Decimals(more, _) = &column.values else { return None };
                digits.extend_from_slice(more);
            }
            Values::Decimals(digits, *scale)
        }
        Values::Digits(_) => {
            let mut texts = Vec::with_capacity(rows);
            for column in &columns {
                let Values::Digits(more) = &column.values else { return None };
                texts.extend_from_slice(more);
            }
            Values::Digits(texts)
        }
        Values::Times(_, calendar) => {
            let times = all(&columns, |values| match values {
                Values::Times(times, _) => Some(times),
                _ => None,
            });
            Values::Times(times?, *calendar)
        }
        Values::Large(_) => {
            let mut wholes = Vec::with_capacity(rows);
            for column in &columns {
                let Values::Large(more) = &column.values else { return None };
                wholes.extend_from_slice(more);
            }
            Values::Large(wholes)
        }
        Values::Bools(_) => {
            let bit = |column: &Column, row| matches!(column.cell(row), Cell::Bool(true));
            let bits = columns.iter().flat_map(|column| (0..column.rows()).map(move |row| bit(column, row)));
            Values::Bools(bits.collect())
        }
        Values::Nothing(_) => Values::Nothing(rows),
        Values::Other(kind, _) => Values::Other(kind, rows),
        Values::Keyed(..) => return None,
    };
    let valid = columns.iter().any(|column| column.valid.is_some()).then(|| {
        let bit = |column: &Column, row| column.valid.as_ref().is_none_or(|valid| valid.get_bit(row));
        columns.iter().flat_map(|column| (0..column.rows()).map(move |row| bit(column, row))).collect()
    });
    Some(Column { values, valid })
}

fn all<T: Copy>(columns: &[Column], part: impl Fn(&Values) -> Option<&Buffer<T>>) -> Option<Buffer<T>> {
    let mut all = Vec::new();
    for column in columns {
        all.extend_from_slice(part(&column.values)?);
    }
    Some(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_its_double() {
        for (bits, number) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x3555, 0.333_251_953_125),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), number, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000).is_sign_negative());
    }

    #[test]
    fn columns_below_each_other_keep_cells_and_nulls() {
        let texts = |ends: &[usize], bytes: &[u8]| Values::Texts(Texts::Joined(ends.to_vec(), bytes.to_vec()));
        let valid = Some([true, false].into_iter().collect());
        let first = Column { values: texts(&[1, 1], b"a"), valid };
        let both = joined(vec![first, Column::new(texts(&[2], b"bc"))]).unwrap();
        let cells: Vec<Cell> = (0..3).map(|row| both.cell(row)).collect();
        assert_eq!(cells, [Cell::Text(b"a"), Cell::Missing, Cell::Text(b"bc")]);
        let wholes = |wholes: &[i64]| Column::new(Values::Wholes(wholes.to_vec().into()));
        let both = joined(vec![wholes(&[1, 2]), wholes(&[3])]).unwrap();
        assert_eq!(both.cell(2), Cell::Whole(3));
        assert!(joined(vec![wholes(&[1]), Column::new(Values::Large(vec![1]))]).is_none());
    }
}
