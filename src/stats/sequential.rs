//! When is a question answered, and how many more runs will it take?
//!
//! **Rounds.** After each round of runs the data are looked at, and the rule decides to stop or to go on. Looking often gives luck more
//! chances, so that the rule must ask for more than one look would.
//!
//! - [`Goal::Minimum`] and [`Goal::StandardError`] stop by a width. It follows from the number of runs, their variance and the
//!   curvature, hardly from where the estimate happens to lie: stopped by its width, an interval keeps its coverage in the limit
//!   (Chow and Robbins 1965; Mehta and Tsiatis 2001 for information-based looks). What is left in finite samples, and the small
//!   bias of the curve, is paid for by an interval at 1 − 0.8 α in place of 1 − α. `cargo bench --bench until` holds it to that.
//! - [`Goal::Reference`] stops by a verdict, which is luck's own matter: look k uses 1 − α / (k (k + 1)), which adds up to
//!   α over any number of looks (Bonferroni).
//!
//! | strategy, until the minimum is known to ± 2 % | experiments | median runs | 90 % need at most | within ± 2 %, in % | the rule's interval covers, in % |
//! |---|--:|--:|--:|--:|--:|
//! | the least of 400 means, unpaired (the article's way) | 1000 | 2,290,000,000 | | 95 | |
//! | uniform, unpaired, with the curve | 200 | 2,970,000 | 4,300,000 | 94.0 ± 3.5 | 94.5 ± 3.4 |
//! | relative-error, unpaired, with the curve | 200 | 2,440,000 | 3,290,000 | 91.0 ± 4.1 | 91.0 ± 4.1 |
//! | ocba, unpaired, with the curve | 60 | above 5,000,000 | above 5,000,000 | 86.7 ± 8.9 | 91.7 ± 7.6 |
//! | minimum, paired | 200 | 120,000 | 148,000 | 95.5 ± 3.1 | 95.0 ± 3.2 |
//! | minimum, paired, until ± 1 % | 200 | 520,000 | 609,000 | 97.0 ± 2.7 | 95.5 ± 3.1 |
//!
//! The margins are 95 % intervals. Minimum takes 25 times fewer runs than uniform with the same curve and rule.
//! Shared out by relative error, the rule covers too little: the curve's bias grows with the slope of the levels' weights, and is about
//! 0.9 % of the place, twice that of uniform. The terminal warns.
//! The trainer itself, seeds 1 to 5: 122,500 to 181,690 runs, median 133,651, all within 1.2 % of its minimum.
//! The least mean has no rule: its runs are those at which 95 % of experiments hit. OCBA asks which level is the best, and so puts its runs where they say little of a place between levels.
//!
//! Standard errors of 20 levels by relative error (40 experiments, `-- 40 errors`): until 2 %, the true error was within 1.05 of the goal
//! at 99.5 ± 0.6 % of levels, and 94.8 ± 1.6 % of their 95 % intervals covered; until 10 %, 92.9 ± 1.8 and 93.5 ± 1.7 %.
//!
//! References (200 experiments, `-- 200 reference`; the reference gets runs of its own beside the four levels of the minimum, and their
//! bias is kept small beside the margin, [`crate::planning`]): where the truth is 10 % at a margin of 5 %, median 26,000 runs (90 % need at
//! most 77,000); where it is 1 % at a margin of 3 %, 64,000 (180,000); no verdict of either was false (0 to 1.4 %). Right at the margin,
//! where every verdict counts as false, 3.5 ± 2.8 % were decided with up to a million runs at 10 %, and 1.5 ± 2.1 % at 1 %; 7.5 % may be:
//! α for equivalence and α/2 for worse.
//!
//! No level stops below [`FEWEST`] runs: variances of fewer are too often too small.
//!
//! **Growth.** Widths fall as 1/√runs, so that (width / goal)² times the runs will do; 8 % are added, because a round too many costs more.
//! A round makes at most four times what is there, for the first widths are rough.
//!
//! **When it is wrong.** A metric whose runs have no variance (very heavy tails).

use crate::error::{Error, Result};

/// Runs of a level below which nothing about it is believed.
pub const FEWEST: u64 = 30;
/// What the user can ask for.
pub const FORMS: &str = "expected 'minimum<=2%' (half-width of the interval of the minimum's place, relative to it), \
                         'se<=0.5%' (standard error of every level, relative to its mean) or 'reference NAME decided'";

/// What ends a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// The interval of the minimum's place is this narrow: half its width as a share of the place.
    Minimum {
        /// The share.
        share: f64,
    },
    /// Every level's standard error is this small a share of its mean.
    StandardError {
        /// The share.
        share: f64,
    },
    /// The verdict on a reference is not `undecided`.
    Reference {
        /// Its name.
        name: String,
    },
}

impl Goal {
    /// Reads one of [`FORMS`].
    ///
    /// # Errors
    /// [`Error::Usage`], which names the forms.
    pub fn parse(text: &str) -> Result<Self> {
        let usage = || Error::Usage { what: "goal", given: text.into(), reason: FORMS.into() };
        if let Some(name) = text.trim().strip_prefix("reference ").and_then(|rest| rest.trim().strip_suffix("decided"))
        {
            let name = name.strip_suffix(' ').map(str::trim).filter(|name| !name.is_empty()).ok_or_else(usage)?;
            return Ok(Self::Reference { name: name.into() });
        }
        let (what, share) = text.split_once("<=").ok_or_else(usage)?;
        let (number, unit) = match share.trim().strip_suffix('%') {
            Some(percent) => (percent.trim(), 0.01),
            None => (share.trim(), 1.0),
        };
        let share = number.parse::<f64>().map(|number| number * unit).map_err(|_| usage())?;
        if !(share > 0.0 && share < 1.0) {
            return Err(usage());
        }
        match what.trim() {
            "minimum" => Ok(Self::Minimum { share }),
            "se" => Ok(Self::StandardError { share }),
            _ => Err(usage()),
        }
    }

    /// The level at which look `number`, from 1, must find it reached, so that the promise holds at `confidence`.
    pub fn confidence_of_look(&self, number: u32, confidence: f64) -> f64 {
        /// Of α, what the width rules use.
        const SPENT: f64 = 0.8;
        let alpha = 1.0 - confidence;
        match self {
            Self::Reference { .. } => 1.0 - alpha / (f64::from(number) * f64::from(number + 1)),
            _ => 1.0 - SPENT * alpha,
        }
    }

    /// How wide that is: `±2.1 %`, or `standard errors up to 0.8 %`.
    pub fn describe(&self, width: f64) -> String {
        let percent = crate::format::significant(width * 100.0, 2);
        match self {
            Self::StandardError { .. } => format!("standard errors up to {percent} %"),
            _ => format!("±{percent} %"),
        }
    }

    /// The width that ends the sweep, if that is what ends it.
    pub fn share(&self) -> Option<f64> {
        match self {
            Self::Minimum { share } | Self::StandardError { share } => Some(*share),
            Self::Reference { .. } => None,
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |share: f64| crate::format::significant(share * 100.0, 3);
        match self {
            Self::Minimum { share } => write!(f, "minimum<={}%", percent(*share)),
            Self::StandardError { share } => write!(f, "se<={}%", percent(*share)),
            Self::Reference { name } => write!(f, "reference {name} decided"),
        }
    }
}

/// By how much the runs must grow until a width of `now` becomes `goal`.
pub fn growth(now: f64, goal: f64) -> f64 {
    const RESERVE: f64 = 1.08;
    let growth = RESERVE * (now / goal) * (now / goal);
    if growth.is_nan() { f64::INFINITY } else { growth.max(1.0) }
}

/// The next round, given `runs` so far and the [`growth`] that is needed: at least a tenth more, at most three times as many more.
pub fn round_size(runs: u64, growth: f64) -> u64 {
    libm::ceil(runs as f64 * (growth - 1.0).clamp(0.1, 3.0)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_read_and_written() {
        for (text, goal) in [
            ("minimum<=2%", Goal::Minimum { share: 0.02 }),
            (" minimum <= 0.005 ", Goal::Minimum { share: 0.005 }),
            ("se<=0.5%", Goal::StandardError { share: 0.005 }),
            ("reference Xavier decided", Goal::Reference { name: "Xavier".into() }),
            ("reference my own decided", Goal::Reference { name: "my own".into() }),
        ] {
            assert_eq!(Goal::parse(text).unwrap(), goal);
            assert_eq!(Goal::parse(&goal.to_string()).unwrap(), goal);
        }
        let nonsense = "minimum|minimum<2%|minimum<=|minimum<=x%|minimum<=0|minimum<=100%|max<=1%|se<=-1%|minimum<=NaN||\
                        reference|reference decided|reference Xavier|reference Xavierdecided|reference  decided";
        for text in nonsense.split('|') {
            let error = Goal::parse(text).unwrap_err().to_string();
            assert!(error.contains("minimum<=2%") && error.contains("reference NAME decided"), "{text}: {error}");
        }
    }

    #[test]
    fn looks_never_spend_more_than_alpha() {
        let reference = Goal::Reference { name: "1".into() };
        let spent: f64 = (1..100_000).map(|look| 1.0 - reference.confidence_of_look(look, 0.95)).sum();
        assert!(spent < 0.05 && spent > 0.0499, "{spent}");
        assert!((Goal::Minimum { share: 0.1 }.confidence_of_look(7, 0.95) - 0.96).abs() < 1e-12);
    }

    #[test]
    fn rounds_grow_towards_the_goal() {
        assert!((growth(0.04, 0.02) - 4.32).abs() < 1e-12);
        assert_eq!(growth(0.01, 0.02), 1.0);
        assert_eq!((round_size(1000, 1.5), round_size(1000, f64::INFINITY), round_size(1000, 1.0)), (500, 3000, 100));
    }
}
