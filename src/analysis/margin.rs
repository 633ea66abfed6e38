//! The difference that does not matter, as a share of the best value or in the metric's own unit.

use std::fmt;

use crate::format::significant;

/// A difference that does not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// A share of the size of the best value: 0.01 is 1 %.
    Share(f64),
    /// A number in the metric's unit.
    Absolute(f64),
}

impl Default for Margin {
    /// 1 % of the best value.
    fn default() -> Self {
        Self::Share(0.01)
    }
}

impl Margin {
    /// Whether it is a share of the best value.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Share(_))
    }

    /// The margin in the metric's unit, given the best value.
    pub fn in_unit_of(self, best: f64) -> f64 {
        match self {
            Self::Share(share) => share * best.abs(),
            Self::Absolute(difference) => difference,
        }
    }

    /// The margin as a share of the best value; infinite if that is 0 and the margin is a number.
    pub fn share_of(self, best: f64) -> f64 {
        match self {
            Self::Share(share) => share,
            Self::Absolute(difference) => difference / best.abs(),
        }
    }

    /// As it stands in a sentence that does not say what a share is of: `1 % of the minimum`, `0.02`.
    pub fn of_optimum(self, optimum: &str) -> String {
        match self {
            Self::Share(_) => format!("{self} of the {optimum}"),
            Self::Absolute(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Margin {
    /// `1 %` for a share, `0.02` for a number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{} %", significant(share * 100.0, 3)),
            Self::Absolute(difference) => f.write_str(&significant(*difference, 4)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_the_size_of_the_best_value_and_a_number_is_itself() {
        for best in [200.0, -200.0] {
            assert_eq!(Margin::Share(0.01).in_unit_of(best), 2.0);
            assert_eq!(Margin::Absolute(0.5).in_unit_of(best), 0.5);
            assert_eq!(Margin::Share(0.01).share_of(best), 0.01);
            assert_eq!(Margin::Absolute(0.5).share_of(best), 0.0025);
        }
        assert_eq!(Margin::Absolute(0.5).share_of(0.0), f64::INFINITY);
        assert_eq!(Margin::default(), Margin::Share(0.01));
    }

    #[test]
    fn sentences_show_what_was_given() {
        let shown = |margin: Margin| (margin.to_string(), margin.of_optimum("maximum"));
        assert_eq!(shown(Margin::Share(0.01)), ("1 %".into(), "1 % of the maximum".into()));
        assert_eq!(shown(Margin::Share(0.125)), ("12.5 %".into(), "12.5 % of the maximum".into()));
        assert_eq!(shown(Margin::Absolute(0.02)), ("0.02".into(), "0.02".into()));
        assert_eq!(shown(Margin::Absolute(1.0 / 3.0)).0, "0.3333");
        assert_eq!(shown(Margin::Absolute(1500.0)).0, "1500");
    }
}
