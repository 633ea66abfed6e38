//! Conditions on a row, as a person writes them: `optimizer=adam`, `epoch>=50`, `"val loss" > 1/3`,
//! `State!=finished`.
//!
//! A value is compared as a number where value and cell are numbers, else as text. A missing cell
//! equals no value but the empty one (`State=` holds where the cell is empty), and is neither less
//! nor greater than anything.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::expression;

/// How a cell is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The operators, longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::Unequal),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("==", Operator::Equal),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Operator {
    /// Whether it asks which of two values is greater.
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    fn accepts(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::Unequal => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// A comparison of one column's cells with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// How it is compared.
    pub operator: Operator,
    /// The value as text, without quotes.
    pub text: String,
    /// The value as a number, if it is one and was not quoted.
    pub number: Option<f64>,
    /// As the user wrote it.
    given: String,
}

impl Condition {
    /// Whether it holds for the number of a cell.
    pub fn holds_for_number(&self, number: f64) -> bool {
        self.operator.accepts(self.number.and_then(|value| number.partial_cmp(&value)))
    }

    /// Whether it holds for a cell of `text`, trimmed, that is `number` if it is one. `None` if
    /// that cannot be said, because no order is known between a word and a number.
    pub fn holds_for_text(&self, text: &[u8], number: Option<f64>) -> Option<bool> {
        match (self.number, number) {
            (Some(_), Some(number)) => Some(self.holds_for_number(number)),
            _ if self.operator.is_order() => None,
            _ => Some((text == self.text.as_bytes()) == (self.operator == Operator::Equal)),
        }
    }

    /// Whether it holds for a missing cell.
    pub fn holds_for_missing(&self) -> bool {
        match self.operator {
            Operator::Equal => self.text.is_empty(),
            Operator::Unequal => !self.text.is_empty(),
            _ => false,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self, Error> {
        let usage = |reason: &str| Error::Usage { what: "condition", given: given.into(), reason: reason.into() };
        let (column, rest) = match given.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(|| usage("the quotation mark is never closed"))?,
            None => {
                let at = given.find(['=', '!', '<', '>']).ok_or_else(|| {
                    usage("expected COLUMN OP VALUE, such as 'epoch>=50' or 'optimizer=adam' (= != < <= > >=)")
                })?;
                (given[..at].trim(), &given[at..])
            }
        };
        let rest = rest.trim_start();
        let found = OPERATORS.into_iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, operator) = found.ok_or_else(|| usage("expected one of = != < <= > >= after the column"))?;
        if column.is_empty() {
            return Err(usage("no column is named before the comparison"));
        }
        let value = rest[sign.len()..].trim();
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let number = if unquoted.is_some() { None } else { expression::evaluate(value).ok() };
        if operator.is_order() && number.is_none() {
            return Err(usage("less and greater need a number"));
        }
        let text = unquoted.unwrap_or(value).to_string();
        Ok(Self { column: column.into(), operator, text, number, given: given.trim().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Condition {
        text.parse().unwrap()
    }

    #[test]
    fn conditions_are_read_as_they_are_written() {
        for (text, column, operator, value) in [
            ("lr=0.1", "lr", Operator::Equal, "0.1"),
            (" epoch >= 50 ", "epoch", Operator::GreaterOrEqual, "50"),
            ("\"val loss <1>\" < 1/3", "val loss <1>", Operator::Less, "1/3"),
            ("State!=finished", "State", Operator::Unequal, "finished"),
            ("name == \"0.1\"", "name", Operator::Equal, "0.1"),
            ("val loss>2", "val loss", Operator::Greater, "2"),
            ("State=", "State", Operator::Equal, ""),
            ("größe<=1", "größe", Operator::LessOrEqual, "1"),
            ("a=b=c", "a", Operator::Equal, "b=c"),
        ] {
            let found = parse(text);
            assert_eq!((found.column.as_str(), found.operator, found.text.as_str()), (column, operator, value));
            assert_eq!(found.to_string(), text.trim());
        }
        assert_eq!(parse("lr=1/2").number, Some(0.5));
        assert_eq!(parse("lr=\"1\"").number, None);
        for text in ["", "lr", "=1", "lr<fast", "\"lr=1", "lr ! 1", "\"lr\" 1"] {
            let error = text.parse::<Condition>().unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value_and_words_as_words() {
        assert!(parse("lr=1e-3").holds_for_text(b"0.001", Some(0.001)).unwrap());
        assert!(!parse("lr!=1e-3").holds_for_number(0.001));
        assert!(parse("lr<1").holds_for_number(0.5) && !parse("lr<1").holds_for_number(f64::NAN));
        assert!(parse("lr!=1").holds_for_number(f64::NAN));
        assert_eq!(parse("name=e").holds_for_text(b"e", None), Some(true));
        assert_eq!(parse("name!=adam").holds_for_text(b"sgd", None), Some(true));
        assert_eq!(parse("name=\"1\"").holds_for_text(b"1.0", Some(1.0)), Some(false));
        assert_eq!(parse("loss>10").holds_for_text(b"diverged", None), None);
        assert!(parse("State!=finished").holds_for_missing() && !parse("State=finished").holds_for_missing());
        assert!(parse("State=").holds_for_missing() && !parse("State!=").holds_for_missing());
        assert!(!parse("loss<3").holds_for_missing());
    }
}
