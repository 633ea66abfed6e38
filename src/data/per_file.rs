//! Takes one run out of the history that each file holds, such as a log with a row for every epoch.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// Which value of a history is the run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerFile {
    /// The last one.
    Last,
    /// The least one.
    Min,
    /// The greatest one.
    Max,
    /// The mean of so many last ones.
    MeanLast(usize),
}

impl PerFile {
    /// The row of `history` that stands for the run, and the run's value: NaN if it failed. `None`
    /// without rows.
    ///
    /// A history has one value a row, NaN where the metric was not finite. Its least and greatest
    /// value are those of the finite ones; where the last value, or one of the last, is not finite,
    /// the run has failed.
    pub fn choose(self, history: &[f64]) -> Option<(usize, f64)> {
        let last = history.len().checked_sub(1)?;
        let finite = || history.iter().copied().enumerate().filter(|(_, value)| !value.is_nan());
        // Of equal values the first, as in a run that is stopped early.
        let best = |is_better: fn(&f64, &f64) -> bool| {
            finite().reduce(|best, next| if is_better(&next.1, &best.1) { next } else { best })
        };
        Some(match self {
            Self::Last => (last, history[last]),
            Self::Min => best(|a, b| a < b).unwrap_or((last, f64::NAN)),
            Self::Max => best(|a, b| a > b).unwrap_or((last, f64::NAN)),
            Self::MeanLast(count) => {
                let part = &history[history.len().saturating_sub(count)..];
                // Divided first, so that no sum leaves the doubles.
                (last, part.iter().map(|value| value / part.len() as f64).sum())
            }
        })
    }
}

impl fmt::Display for PerFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("the last value"),
            Self::Min => f.write_str("the least value"),
            Self::Max => f.write_str("the greatest value"),
            Self::MeanLast(count) => write!(f, "the mean of the last {count} values"),
        }
    }
}

impl FromStr for PerFile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let count = |text: &str| text.parse().ok().filter(|count| *count > 0).map(Self::MeanLast);
        match text {
            "last" => Some(Self::Last),
            "min" => Some(Self::Min),
            "max" => Some(Self::Max),
            text => text.strip_prefix("mean-last:").and_then(count),
        }
        .ok_or_else(|| Error::Usage {
            what: "per-file",
            given: text.into(),
            reason: "expected last, min, max or mean-last:K, such as mean-last:5".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_stands_for_a_history() {
        let choose = |text: &str, history: &[f64]| text.parse::<PerFile>().unwrap().choose(history);
        let history = [3.0, 1.0, f64::NAN, 1.0, 2.0];
        assert_eq!(choose("last", &history), Some((4, 2.0)));
        assert_eq!(choose("min", &history), Some((1, 1.0)));
        assert_eq!(choose("max", &history), Some((0, 3.0)));
        assert_eq!(choose("mean-last:2", &history), Some((4, 1.5)));
        assert!(choose("mean-last:3", &history).is_some_and(|(_, value)| value.is_nan()));
        assert_eq!(choose("mean-last:9", &[1.0, 3.0]), Some((1, 2.0)));
        assert!(choose("min", &[f64::NAN]).is_some_and(|(row, value)| row == 0 && value.is_nan()));
        assert_eq!(choose("last", &[]), None);
        for text in ["", "first", "mean-last", "mean-last:0", "mean-last:x"] {
            assert_eq!(text.parse::<PerFile>().unwrap_err().exit_code(), 2, "{text}");
        }
    }
}
