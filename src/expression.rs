//! Reads constants the way a person writes them: `0.8165`, `1/sqrt(2)`, `sqrt(2/3)`, `exp(-3)`, `2^-3`, `pi/4`.
//!
//! Grammar, loosest first: sums, products, signs, powers (right-associative, so that −2^2 = −4), numbers, names, brackets.
//! All functions come from the `libm` crate, which is plain Rust: the same text gives the same bits on every platform.

use crate::error::{Error, Result};

/// Evaluates `text`.
///
/// # Errors
/// [`Error::Usage`] for anything that is not an expression, and for a result that is not finite.
///
/// # Examples
/// ```
/// assert_eq!(initsweep::expression::evaluate("1/sqrt(2)").unwrap(), 1.0 / 2f64.sqrt());
/// assert!(initsweep::expression::evaluate("1/0").is_err());
/// ```
pub fn evaluate(text: &str) -> Result<f64> {
    let usage = |reason: String| Error::Usage { what: "expression", given: text.trim().to_string(), reason };
    let mut parser = Parser { text, at: 0, depth: 0 };
    let value = parser.sum().map_err(usage)?;
    parser.skip_blanks();
    if let Some(rest) = text.get(parser.at..).filter(|rest| !rest.is_empty()) {
        return Err(usage(format!("'{rest}' was not expected there")));
    }
    if value.is_finite() { Ok(value) } else { Err(usage(format!("the result is {value}, not a finite number"))) }
}

/// Brackets, signs and powers may nest this deep: enough for people, little enough for the stack.
const MAX_DEPTH: u32 = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl Parser<'_> {
    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes the next character if it is one of `wanted`.
    fn take(&mut self, wanted: &str) -> Option<char> {
        self.skip_blanks();
        let next = self.text[self.at..].chars().next().filter(|c| wanted.contains(*c))?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes the longest prefix whose characters satisfy `accept`.
    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Counts one level of nesting; the caller takes it back. (After an error nothing is parsed any more.)
    fn descend(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(format!("nested deeper than {MAX_DEPTH}")) } else { Ok(()) }
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        while let Some(operator) = self.take("+-−") {
            let right = self.product()?;
            value = if operator == '+' { value + right } else { value - right };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.signed()?;
        while let Some(operator) = self.take("*·×/÷") {
            let right = self.signed()?;
            value = if "/÷".contains(operator) { value / right } else { value * right };
        }
        Ok(value)
    }

    fn signed(&mut self) -> Result<f64, String> {
        self.descend()?;
        let value = match self.take("+-−") {
            Some('+') => self.signed()?,
            Some(_) => -self.signed()?,
            None => self.power()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn power(&mut self) -> Result<f64, String> {
        let base = self.atom()?;
        match self.take("^") {
            Some(_) => Ok(libm::pow(base, self.signed()?)),
            None => Ok(base),
        }
    }

    fn atom(&mut self) -> Result<f64, String> {
        if self.take("(").is_some() {
            return self.bracketed();
        }
        if self.take("√").is_some() {
            self.descend()?;
            let value = libm::sqrt(self.atom()?);
            self.depth -= 1;
            return Ok(value);
        }
        match self.text[self.at..].chars().next() {
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_alphabetic() => self.name(),
            Some(c) => Err(format!("'{c}' was not expected there")),
            None => Err("it ends where a number was expected".into()),
        }
    }

    /// The rest of `( sum )`, the opening bracket taken.
    fn bracketed(&mut self) -> Result<f64, String> {
        let value = self.sum()?;
        self.take(")").map(|_| value).ok_or_else(|| "a closing bracket is missing".into())
    }

    fn number(&mut self) -> Result<f64, String> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit() || c == '.');
        let mantissa_end = self.at;
        // An exponent counts only if digits follow, so that `2e` fails at the `e`.
        if self.text[self.at..].starts_with(['e', 'E']) {
            self.at += 1;
            if self.text[self.at..].starts_with(['+', '-']) {
                self.at += 1;
            }
            if self.take_while(|c| c.is_ascii_digit()).is_empty() {
                self.at = mantissa_end;
            }
        }
        let digits = &self.text[start..self.at];
        digits.parse().map_err(|_| format!("'{digits}' is not a number"))
    }

    fn name(&mut self) -> Result<f64, String> {
        let name = self.take_while(char::is_alphanumeric).to_lowercase();
        match name.as_str() {
            "pi" | "π" => return Ok(std::f64::consts::PI),
            "e" => return Ok(std::f64::consts::E),
            _ => {}
        }
        let function = match name.as_str() {
            "sqrt" => libm::sqrt,
            "exp" => libm::exp,
            "ln" | "log" => libm::log,
            "log10" => libm::log10,
            _ => return Err(format!("'{name}' is not known; there are sqrt, exp, ln, log10, pi and e")),
        };
        match self.take("(") {
            Some(_) => self.bracketed().map(function),
            None => Err(format!("'{name}' needs its argument in brackets")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constants_as_people_write_them() {
        let cases = [
            ("0.8165", 0.8165),
            ("1/sqrt(2)", 1.0 / 2f64.sqrt()),
            (" 1 / √2 ", 1.0 / 2f64.sqrt()),
            ("sqrt(2/3)", (2.0 / 3.0f64).sqrt()),
            ("-2^2", -4.0),
            ("2^3^2", 512.0),
            ("2^-3", 0.125),
            ("1e-3*2E2", 0.2),
            ("8-3-2", 3.0),
            ("8/4/2", 1.0),
            ("(1+2)*3", 9.0),
            (".5", 0.5),
            ("ln(e)", 1.0),
            ("pi", std::f64::consts::PI),
        ];
        for (text, expected) in cases {
            assert_eq!(evaluate(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "1/0", "sqrt(-1)", "2e", "1..2", "(1", "1)", "sqrt 2", "foo(1)", "1 2", "--", "0x10", "nan", "inf"]
        {
            assert!(evaluate(text).is_err(), "{text}");
        }
        assert!(evaluate(&"(".repeat(100_000)).is_err());
        assert!(evaluate(&"2^".repeat(100_000)).is_err());
        assert!(evaluate(&"√".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[-+*/^(). 0-9a-z√−]{0,40}") {
            let _ = evaluate(&text);
        }

        #[test]
        fn a_printed_number_reads_back(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(evaluate(&format!("{value:?}")).unwrap(), value);
        }
    }
}
