//! One value on its way from one place to another, with everything that it says.
//!
//! **Text or number.** A CSV file has no types. A cell is taken for a number only if its text is
//! the one that Rust, Python or JavaScript write for that number, so that `007`, `1.10`, `+5` and
//! `7e10123` stay what they are. (A number may come out in another of these forms: `1e-05` as
//! `1e-5`.)

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// The row has no such column.
    Absent,
    /// Nothing.
    Empty,
    /// True or false.
    Bool(bool),
    /// An integer.
    Whole(i128),
    /// A number.
    Number(f64),
    /// A number that is no double, with every digit, as JSON writes it.
    Decimal(String),
    /// Text.
    Text(String),
    /// A list or an object, as JSON.
    Json(String),
}

impl Cell {
    /// What the `text` of a cell of CSV stands for.
    pub fn of_text(text: &str) -> Self {
        match text {
            "" => Self::Empty,
            text => number(text).unwrap_or_else(|| Self::Text(text.into())),
        }
    }

    /// A number of JSON.
    pub fn of_number(text: &str) -> Self {
        if let Some(cell) = number(text) {
            return cell;
        }
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        match number.filter(|number| digits(&format!("{number:e}")) == digits(text)) {
            Some(number) => Self::Number(number),
            None => Self::Decimal(text.into()),
        }
    }

    /// Whether it says nothing.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Absent | Self::Empty)
    }

    /// Its form in a CSV file.
    pub fn to_text(&self) -> String {
        match self {
            Self::Absent | Self::Empty => String::new(),
            Self::Bool(is_so) => is_so.to_string(),
            Self::Whole(whole) => whole.to_string(),
            Self::Number(number) => format!("{number:?}"),
            Self::Text(text) | Self::Json(text) | Self::Decimal(text) => text.clone(),
        }
    }

    /// Its form in JSON, with the names that Python gives to NaN and the infinities.
    pub fn to_json(&self) -> String {
        match self {
            Self::Absent | Self::Empty => "null".into(),
            Self::Number(number) if number.is_nan() => "NaN".into(),
            Self::Number(number) if number.is_infinite() => {
                if *number > 0.0 {
                    "Infinity".into()
                } else {
                    "-Infinity".into()
                }
            }
            Self::Text(text) => json_text(text),
            other => other.to_text(),
        }
    }
}

/// `text` as JSON, quoted.
pub fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The number that is written as `text`, if that is a form in which programs write it.
fn number(text: &str) -> Option<Cell> {
    if let Some(whole) = text.parse::<i128>().ok().filter(|whole| whole.to_string() == text) {
        return Some(Cell::Whole(whole));
    }
    match text {
        "NaN" | "nan" => return Some(Cell::Number(f64::NAN)),
        "inf" | "Infinity" => return Some(Cell::Number(f64::INFINITY)),
        "-inf" | "-Infinity" => return Some(Cell::Number(f64::NEG_INFINITY)),
        _ => {}
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let is_fixed = || text.contains('.') && number.to_string() == text;
    let is_written = format!("{number:?}") == text || is_fixed() || python(number) == text;
    is_written.then_some(Cell::Number(number))
}

/// `number` with an exponent as Python and JavaScript write it: `1e-05`, `1e+21`.
fn python(number: f64) -> String {
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => text,
    }
}

/// Whether `one` and the `other`, numbers in decimal notation, are equal to the last digit.
pub fn is_exact(one: &str, other: &str) -> bool {
    digits(one).is_some_and(|one| Some(one) == digits(other))
}

/// What a number in decimal notation is, however it is written: its sign, its digits, and the power
/// of ten of their end.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let kept = all.trim_end_matches('0');
    let power = exponent.parse::<i64>().ok()? - fraction.len() as i64 + (all.len() - kept.len()) as i64;
    let kept = kept.trim_start_matches('0');
    // Zero is zero at any power.
    Some((is_negative, kept.into(), if kept.is_empty() { 0 } else { power }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_numbers_only_if_programs_write_them_so() {
        for text in ["7", "-7", "18446744073709551615", "-170141183460469231731687303715884105728", "0"] {
            assert_eq!(Cell::of_text(text), Cell::Whole(text.parse().unwrap()), "{text}");
        }
        for text in ["0.5", "1.0", "-0.0", "1e-5", "1e-05", "0.00001", "1.5e+21", "1e16", "1e+16", "5e-324", "2.5e-07"]
        {
            assert_eq!(Cell::of_text(text), Cell::Number(text.parse().unwrap()), "{text}");
        }
        for text in [
            "007",
            "1.10",
            "+5",
            "7e10123",
            " a ",
            " 5",
            "5 ",
            "-0",
            "1.",
            ".5",
            "1E5",
            "1e5",
            "0x10",
            "1_000",
            "infinity",
            "-nan",
            "NA",
            "0.1000000000000000055",
            "1e999",
            "170141183460469231731687303715884105728",
            "1,5",
            "100000000000000000000.5",
        ] {
            assert_eq!(Cell::of_text(text), Cell::Text(text.into()), "{text}");
        }
        assert_eq!(Cell::of_text(""), Cell::Empty);
        for (text, number) in [("inf", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)] {
            assert_eq!(Cell::of_text(text), Cell::Number(number));
        }
        assert!(matches!(Cell::of_text("nan"), Cell::Number(number) if number.is_nan()));
    }

    #[test]
    fn numbers_of_json_are_doubles_if_no_digit_is_lost() {
        for text in ["1.10", "1E5", "0.0", "-0", "1e-5", "100000000000000000000.0"] {
            assert_eq!(Cell::of_number(text), Cell::Number(text.parse().unwrap()), "{text}");
        }
        for text in
            ["1e999", "0.1000000000000000055", "3.14159265358979323846", "340282366920938463463374607431768211456"]
        {
            assert_eq!(Cell::of_number(text), Cell::Decimal(text.into()), "{text}");
        }
        assert_eq!(Cell::of_number("12"), Cell::Whole(12));
    }

    proptest! {
        #[test]
        fn numbers_come_back(bits: u64, whole: i128) {
            let number = f64::from_bits(bits);
            let same = |cell: Cell| matches!(cell, Cell::Number(found) if found.to_bits() == bits || found.is_nan() && number.is_nan());
            prop_assert!(same(Cell::of_text(&Cell::Number(number).to_text())));
            if number.is_finite() {
                prop_assert!(same(Cell::of_text(&python(number))));
                prop_assert!(same(Cell::of_number(&Cell::Number(number).to_json())));
            }
            prop_assert_eq!(Cell::of_text(&Cell::Whole(whole).to_text()), Cell::Whole(whole));
        }

        #[test]
        fn what_is_a_number_is_the_number_that_it_says(text in "[-+]?[0-9]{1,4}(\\.[0-9]{0,4})?(e[-+]?[0-9]{1,3})?") {
            match Cell::of_text(&text) {
                Cell::Number(number) => prop_assert_eq!(Ok(number.to_bits()), text.parse().map(f64::to_bits)),
                Cell::Whole(whole) => prop_assert_eq!(whole.to_string(), text),
                cell => prop_assert_eq!(cell, Cell::Text(text)),
            }
        }
    }
}
