//! One cell as a reader found it, and the number in it.

use crate::data::number;

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// The row has no such field.
    Absent,
    /// Null. An empty text is found missing here, see [`is_missing`].
    Missing,
    /// A floating-point number, NaN and infinities included.
    Number(f64),
    /// An integer, with every digit.
    Whole(i128),
    /// True or false.
    Bool(bool),
    /// Text, of a number or not. Cells of CSV are always text.
    Text(&'a [u8]),
    /// Anything else; the text says what, for a message: `a list`.
    Other(&'static str),
}

/// What a cell says where a number is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Nothing.
    Missing,
    /// A number, NaN and infinities included.
    Number(f64),
    /// It is no number.
    Wrong,
}

/// What says that there is nothing. The only list of such texts.
pub const MISSING: [&str; 6] = ["", "NA", "N/A", "null", "NULL", "None"];

/// Whether a `text`, trimmed, says that there is nothing.
pub fn is_missing(text: &[u8]) -> bool {
    text.len() <= 4 && MISSING.iter().any(|missing| missing.as_bytes() == text)
}

impl Cell<'_> {
    /// The number in it. Truth counts as 1, falsehood as 0.
    #[inline]
    pub fn value(self) -> Value {
        match self {
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => match number::parse(text) {
                Some(number) => Value::Number(number),
                None => Self::value_of_text(text),
            },
            Self::Whole(whole) => Value::Number(whole as f64),
            Self::Bool(is_so) => Value::Number(f64::from(u8::from(is_so))),
            Self::Absent | Self::Missing => Value::Missing,
            Self::Other(_) => Value::Wrong,
        }
    }

    #[cold]
    fn value_of_text(text: &[u8]) -> Value {
        let text = trimmed(text);
        match number::parse(text) {
            _ if is_missing(text) => Value::Missing,
            Some(number) => Value::Number(number),
            None => Value::Wrong,
        }
    }

    /// The whole number in it, if it is one from 0 to 2⁶⁴ − 1.
    pub fn whole(self) -> Option<u64> {
        match self {
            Self::Whole(whole) => u64::try_from(whole).ok(),
            Self::Text(text) => std::str::from_utf8(trimmed(text)).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// Whether it is a number by its type, or nothing.
    pub fn is_number_or_nothing(self) -> bool {
        matches!(self, Self::Absent | Self::Missing | Self::Number(_) | Self::Whole(_))
    }

    /// Whether it says nothing.
    pub fn is_missing(self) -> bool {
        match self {
            Self::Absent | Self::Missing => true,
            Self::Text(text) => is_missing(trimmed(text)),
            _ => false,
        }
    }

    /// Whether it is an integer that is not the double `number`.
    pub fn is_rounded_to(self, number: f64) -> bool {
        let whole = match self {
            Self::Whole(whole) => Some(whole),
            Self::Text(text) => std::str::from_utf8(trimmed(text)).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        whole.is_some_and(|whole: i128| number as i128 != whole)
    }

    /// As text, for a message or to tell values apart: numbers in the shortest form that reads back
    /// as the same.
    pub fn text(self) -> String {
        match self {
            Self::Absent | Self::Missing => String::new(),
            Self::Number(number) => format!("{number:?}"),
            Self::Whole(whole) => whole.to_string(),
            Self::Bool(is_so) => is_so.to_string(),
            Self::Text(text) => String::from_utf8_lossy(trimmed(text)).into_owned(),
            Self::Other(kind) => kind.into(),
        }
    }
}

/// `text` without blanks around it, those of Unicode too.
pub fn trimmed(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => text.trim_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_number_nothing_or_wrong() {
        let value = |text: &str| Cell::Text(text.as_bytes()).value();
        for (text, number) in [("1", 1.0), (" 2.5\t", 2.5), ("1e999", f64::INFINITY), ("-.5", -0.5)] {
            assert_eq!(value(text), Value::Number(number), "{text}");
        }
        assert!(matches!(value("NaN"), Value::Number(number) if number.is_nan()));
        for text in ["", "  ", "NA", " null ", "None", "N/A", "NULL", "\u{a0}"] {
            assert_eq!(value(text), Value::Missing, "{text}");
        }
        for text in ["161ms", "'-0.5", "1,234", "0x10", "one", "1 2"] {
            assert_eq!(value(text), Value::Wrong, "{text}");
        }
        assert_eq!(Cell::Whole(7).value(), Value::Number(7.0));
        assert_eq!(Cell::Bool(true).value(), Value::Number(1.0));
        assert_eq!(Cell::Other("a list").value(), Value::Wrong);
        assert_eq!(Cell::Absent.value(), Value::Missing);
    }
}
