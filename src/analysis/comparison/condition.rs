//! A condition on a comparison, for continuous integration: `minimum moved`, `Xavier worse`, `mean +2%`.
//!
//! **Rule.** A condition holds if the whole confidence interval says so: `worse` and `better` if it lies on one side of 0, `moved`
//! if it does not hold 0, `+2%` if its lower end is above +2 %, `-2%` if its upper end is below −2 %. So noise alone makes a condition
//! hold with a probability of at most α, and a change that is not proven does not. `level` asks all common levels at
//! once, by Holm's p. Lower is better; with [`Goal::Max`] higher is, and the two sides of 0 change their places for `worse` and
//! `better`.

use std::fmt;

use crate::analysis::Goal;
use crate::analysis::comparison::{Change, Comparison};
use crate::error::{Error, Result};
use crate::stats::{ConfidenceInterval, Estimate};

/// What a condition is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// The place of the fitted minimum.
    Place,
    /// The value of the fitted minimum.
    Value,
    /// The mean over all common levels.
    Mean,
    /// Any common level.
    AnyLevel,
    /// The mean at the reference of this name.
    Reference(String),
}

/// What is claimed of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Claim {
    Moved,
    Worse,
    Better,
    /// Relative change beyond this one, on its side of 0.
    Beyond(f64),
}

/// A condition on a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    subject: Subject,
    claim: Claim,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The interval proves it.
    Holds,
    /// The interval does not prove it.
    NotShown,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    /// Reads `SUBJECT CLAIM`: `minimum` (or `maximum`, where that is sought), `mean`, `level` or a reference's name; `moved`, `worse`, `better` or a signed percentage.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn parse(text: &str) -> Result<Self> {
        let usage = |reason: &str| Error::Usage { what: "condition", given: text.into(), reason: reason.into() };
        let forms =
            "expected minimum, mean, level or a reference's name, then moved, worse, better or a change such as +2%";
        let (subject, claim) = text.trim().rsplit_once(char::is_whitespace).ok_or_else(|| usage(forms))?;
        let claim = match claim {
            "moved" => Claim::Moved,
            "worse" => Claim::Worse,
            "better" => Claim::Better,
            other => {
                let share = other.strip_suffix('%').filter(|share| share.starts_with(['+', '-', '−']));
                let percent = share.and_then(|share| share.replace('−', "-").parse::<f64>().ok());
                Claim::Beyond(percent.filter(|percent| percent.is_finite()).ok_or_else(|| usage(forms))? / 100.0)
            }
        };
        let subject = match subject.trim() {
            "minimum" | "maximum" if claim == Claim::Moved => Subject::Place,
            "minimum" | "maximum" => Subject::Value,
            "mean" => Subject::Mean,
            "level" if matches!(claim, Claim::Beyond(_)) => {
                return Err(usage("level takes moved, worse or better"));
            }
            "level" => Subject::AnyLevel,
            name => Subject::Reference(name.into()),
        };
        Ok(Self { text: text.trim().into(), subject, claim })
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Whether it holds in `comparison`.
    ///
    /// # Errors
    /// [`Error::Undetermined`] if the comparison lacks what it asks for; [`Error::Usage`] for an unknown reference.
    pub fn judge(&self, comparison: &Comparison) -> Result<Outcome> {
        let missing = |reason: &str| Error::Undetermined { condition: self.text.clone(), reason: reason.into() };
        let goal = comparison.goal;
        if goal == Goal::Min && self.text.starts_with("maximum") && !matches!(self.subject, Subject::Reference(_)) {
            let reason = "the minimum is sought; --goal max seeks the maximum".into();
            return Err(Error::Usage { what: "condition", given: self.text.clone(), reason });
        }
        let no_curve = format!(
            "one side has no fitted {}: that takes three levels or more with several runs each",
            goal.optimum()
        );
        let holds = match &self.subject {
            Subject::Place => {
                let shift = comparison.place.ok_or_else(|| missing(&no_curve))?;
                self.claim.holds(known(&shift.difference).ok_or_else(|| missing(&no_curve))?, 0.0, goal)
            }
            Subject::AnyLevel => {
                let tested = || comparison.levels.iter().filter(|level| level.adjusted_p.is_some());
                if tested().count() == 0 {
                    return Err(missing("no common level has two runs or more on both sides"));
                }
                let alpha = 1.0 - comparison.confidence;
                tested().any(|level| {
                    level.adjusted_p.is_some_and(|p| p < alpha)
                        && self.claim.has_sign(goal.sign() * level.change.difference.point)
                })
            }
            Subject::Value => self.of(comparison.value.as_ref(), goal, || missing(&no_curve))?,
            Subject::Mean => {
                let unknown = || missing("no common level has two runs or more on both sides");
                self.of(comparison.mean.as_ref(), goal, unknown)?
            }
            Subject::Reference(name) => {
                let reference = comparison.references.iter().find(|reference| reference.name == *name);
                let reference = reference.ok_or_else(|| Error::Usage {
                    what: "condition",
                    given: self.text.clone(),
                    reason: format!("there is no reference '{name}'; --reference {name}=EXPR makes one"),
                })?;
                let unknown = || missing("the reference lies outside the levels of one side");
                self.of(reference.change.as_ref(), goal, unknown)?
            }
        };
        Ok(if holds { Outcome::Holds } else { Outcome::NotShown })
    }

    fn of(&self, change: Option<&Change>, goal: Goal, missing: impl Fn() -> Error) -> Result<bool> {
        let change = change.ok_or_else(&missing)?;
        let (interval, threshold) = match self.claim {
            Claim::Beyond(share) => (change.relative.as_ref().and_then(known), share),
            _ => (known(&change.difference), 0.0),
        };
        let unknown = || Error::Undetermined {
            condition: self.text.clone(),
            reason: "there is no interval: that takes two runs or more, and for a percentage means above 0".into(),
        };
        Ok(self.claim.holds(interval.ok_or_else(unknown)?, threshold, goal))
    }
}

fn known(estimate: &Estimate) -> Option<ConfidenceInterval> {
    estimate.interval
}

impl Claim {
    fn holds(self, interval: ConfidenceInterval, threshold: f64, goal: Goal) -> bool {
        let (is_higher, is_lower) = (interval.lower > 0.0, interval.upper < 0.0);
        match (self, goal) {
            (Self::Moved, _) => is_higher || is_lower,
            (Self::Worse, Goal::Min) | (Self::Better, Goal::Max) => is_higher,
            (Self::Better, Goal::Min) | (Self::Worse, Goal::Max) => is_lower,
            (Self::Beyond(share), _) if share.is_sign_negative() => interval.upper < threshold,
            (Self::Beyond(_), _) => interval.lower > threshold,
        }
    }

    /// Whether a significant difference, of which less is better, is on the claim's side.
    fn has_sign(self, difference: f64) -> bool {
        match self {
            Self::Worse => difference > 0.0,
            Self::Better => difference < 0.0,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Method;

    fn parsed(text: &str) -> Condition {
        Condition::parse(text).unwrap()
    }

    #[test]
    fn conditions_are_a_subject_and_a_claim() {
        assert_eq!(parsed("minimum moved").subject, Subject::Place);
        assert_eq!(parsed("minimum worse").subject, Subject::Value);
        assert_eq!(parsed("maximum moved").subject, Subject::Place);
        assert_eq!(parsed("mean +2%").claim, Claim::Beyond(0.02));
        assert_eq!(parsed("Xavier −1.5%").claim, Claim::Beyond(-0.015));
        assert_eq!(parsed("my own better").subject, Subject::Reference("my own".into()));
        for text in ["", "minimum", "mean 2%", "mean +x%", "mean +2", "level +2%", "mean gone"] {
            assert_eq!(Condition::parse(text).unwrap_err().exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn the_whole_interval_must_say_so() {
        let interval = |lower, upper| ConfidenceInterval { level: 0.95, lower, upper, method: Method::WelchT };
        let holds = |claim: Claim, lower, upper| {
            let threshold = if let Claim::Beyond(share) = claim { share } else { 0.0 };
            claim.holds(interval(lower, upper), threshold, Goal::Min)
        };
        assert!(holds(Claim::Worse, 0.1, 0.2) && !holds(Claim::Worse, -0.1, 0.2) && !holds(Claim::Worse, -0.2, -0.1));
        assert!(holds(Claim::Better, -0.2, -0.1) && !holds(Claim::Better, -0.1, 0.2));
        assert!(holds(Claim::Moved, 0.1, 0.2) && holds(Claim::Moved, -0.2, -0.1) && !holds(Claim::Moved, -0.1, 0.1));
        assert!(holds(Claim::Beyond(0.02), 0.021, 0.1) && !holds(Claim::Beyond(0.02), 0.019, 0.1));
        assert!(holds(Claim::Beyond(-0.02), -0.1, -0.021) && !holds(Claim::Beyond(-0.02), -0.1, -0.019));
        // Where the greatest is the best, lower is worse; a change in percent and a move are what they are.
        let turned = |claim: Claim, lower, upper| claim.holds(interval(lower, upper), 0.0, Goal::Max);
        assert!(turned(Claim::Worse, -0.2, -0.1) && !turned(Claim::Worse, 0.1, 0.2));
        assert!(turned(Claim::Better, 0.1, 0.2) && !turned(Claim::Better, -0.1, 0.2));
        assert!(turned(Claim::Moved, 0.1, 0.2) && turned(Claim::Beyond(0.0), 0.1, 0.2));
    }
}
