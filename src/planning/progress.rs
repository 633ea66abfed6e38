//! How far is a sweep from its goal, and what comes next?

use crate::analysis::{Analysis, Group};
use crate::course::{Batch, Look};
use crate::error::Result;
use crate::planning::{Aim, Planned, Strategy, USUAL_GOAL, design_runs, half_width, plan, refined_runs, unfinished};
use crate::stats::compare::Verdict;
use crate::stats::sequential::{FEWEST, Goal, growth, round_size};

/// Levels that the first round of [`Strategy::Minimum`] takes, at most.
const FIRST_LEVELS: usize = 25;
/// And at least: fewer show no minimum to refine.
pub const FEWEST_LEVELS: usize = 5;
/// Replicates of each of them.
const FIRST_RUNS: u32 = 100;

/// What ends a sweep, and how its runs are shared out until then.
#[derive(Debug, Clone, PartialEq)]
pub struct Pursuit {
    /// What ends it.
    pub goal: Goal,
    /// How runs are shared out.
    pub strategy: Strategy,
}

impl Pursuit {
    /// The first round of a sweep of `levels`: all of them; for the strategy minimum some, evenly spread.
    pub fn first_round(&self, levels: &[f64]) -> Batch {
        if self.strategy != Strategy::Minimum || levels.len() < FEWEST_LEVELS {
            return Batch { levels: levels.to_vec(), replicates: 0..FEWEST as u32 };
        }
        let gaps = levels.len().min(FIRST_LEVELS) - 1;
        let place = |i: usize| (i * (levels.len() - 1) + gaps / 2) / gaps;
        Batch { levels: (0..=gaps).map(|i| levels[place(i)]).collect(), replicates: 0..FIRST_RUNS }
    }

    /// What `analysis`, made at the level of this look ([`Goal::confidence_of_look`]), says of the goal.
    pub fn look(&self, analysis: &Analysis) -> Look {
        let width = self.width(analysis);
        let reached = match &self.goal {
            Goal::Minimum { share } | Goal::StandardError { share } => width.is_some_and(|width| width <= *share),
            Goal::Reference { name } => verdict_on(analysis, name).is_some_and(|verdict| verdict != Verdict::Undecided),
        };
        // Of the strategy minimum, the first round only shows where to refine: before, a place far off would be taken as given.
        let is_refined = self.strategy != Strategy::Minimum || self.design_runs(analysis).is_some();
        let enough = analysis.groups.iter().all(|group| group.summary.n >= FEWEST);
        let minimum = analysis.minimum.level;
        let interval = minimum.and_then(|minimum| minimum.interval);
        Look {
            runs: analysis.groups.iter().map(|group| group.summary.n).sum(),
            minimum: minimum.map(|minimum| minimum.point),
            lower: interval.map(|interval| interval.lower),
            upper: interval.map(|interval| interval.upper),
            confidence: analysis.confidence,
            width,
            reached: reached && is_refined && enough,
        }
    }

    /// The size of the next round.
    pub fn budget(&self, analysis: &Analysis) -> u64 {
        match self.strategy {
            // A new design holds as many runs as one off the minimum would need, and at first most of all.
            Strategy::Minimum if self.design_runs(analysis).is_none() => {
                let most = 3 * runs_of(analysis);
                let needed = refined_runs(analysis).map(|runs| runs as f64 * self.growth(analysis));
                needed.map_or(most, |needed| (needed as u64).min(most))
            }
            _ => round_size(self.growing_runs(analysis), self.growth(analysis)),
        }
    }

    /// Where `budget` more runs go.
    ///
    /// # Errors
    /// Those of [`plan`].
    pub fn next(&self, analysis: &Analysis, budget: u64) -> Result<Planned> {
        match &self.goal {
            Goal::StandardError { share } => Ok(unfinished(analysis, self.strategy, budget, *share)),
            _ => plan(analysis, self.strategy, budget, &self.aim(analysis)),
        }
    }

    /// About how many more runs are needed; nothing if that cannot be said.
    pub fn remaining(&self, analysis: &Analysis) -> Option<u64> {
        let growth = self.growth(analysis);
        (growth > 1.0 && growth.is_finite()).then(|| (self.growing_runs(analysis) as f64 * (growth - 1.0)) as u64)
    }

    /// The runs whose number decides the width.
    fn growing_runs(&self, analysis: &Analysis) -> u64 {
        let design = if self.strategy == Strategy::Minimum { self.design_runs(analysis) } else { None };
        design.unwrap_or_else(|| runs_of(analysis))
    }

    /// Runs of the design around the minimum, if there is one.
    fn design_runs(&self, analysis: &Analysis) -> Option<u64> {
        design_runs(analysis, &self.aim(analysis))
    }

    /// What new levels are made for.
    fn aim(&self, analysis: &Analysis) -> Aim {
        /// A margin of 0 must not ask for levels that coincide.
        const FINEST: f64 = 0.001;
        let Goal::Reference { name } = &self.goal else {
            return Aim::place(self.goal.share().unwrap_or(USUAL_GOAL));
        };
        let named = analysis.references.iter().find(|result| result.reference.name == *name);
        Aim {
            precision: (analysis.margin / 10.0).clamp(FINEST, USUAL_GOAL / 8.0),
            against: named.map(|result| result.reference.value),
        }
    }

    /// What the goal is compared with, where that is a width.
    fn width(&self, analysis: &Analysis) -> Option<f64> {
        match self.goal {
            Goal::Minimum { .. } => half_width(analysis),
            Goal::StandardError { .. } => {
                let errors: Option<Vec<f64>> = analysis.groups.iter().map(relative_error).collect();
                errors.map(|errors| errors.into_iter().fold(0.0, f64::max))
            }
            Goal::Reference { .. } => None,
        }
    }

    /// By how much the runs must grow until the goal is reached.
    fn growth(&self, analysis: &Analysis) -> f64 {
        match (&self.goal, self.width(analysis)) {
            (Goal::Minimum { share } | Goal::StandardError { share }, Some(width)) => growth(width, *share),
            (Goal::Reference { name }, _) => {
                let result = analysis.references.iter().find(|result| result.reference.name == *name);
                let Some(difference) = result.and_then(|result| result.to_minimum).map(|found| found.difference) else {
                    return f64::INFINITY;
                };
                // Decided once the interval leaves the nearer end of the margin.
                let distance = (difference.point.abs() - analysis.minimum.margin).abs();
                difference.interval.map_or(f64::INFINITY, |interval| growth(interval.margin(), distance))
            }
            _ => f64::INFINITY,
        }
    }
}

fn runs_of(analysis: &Analysis) -> u64 {
    analysis.groups.iter().map(|group| group.summary.n).sum()
}

fn relative_error(group: &Group) -> Option<f64> {
    let mean = &group.summary.mean;
    Some(mean.standard_error? / mean.point.abs()).filter(|share| share.is_finite())
}

fn verdict_on(analysis: &Analysis, name: &str) -> Option<Verdict> {
    let result = analysis.references.iter().find(|result| result.reference.name == name)?;
    result.to_minimum.map(|found| found.verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::statistic::Statistic;
    use crate::analysis::{AxisScale, Question};
    use crate::store::schema::{Columns, LevelSummary, RowLedger};
    use crate::store::{Data, LevelSummaries};

    /// Three levels known to a millionth, the first from `n` runs.
    fn precise(n: u64) -> Analysis {
        let level = |level: f64, n| LevelSummary { level, n, mean: level, std_dev: Some(1e-6), min: None, max: None };
        let levels = vec![level(1.0, n), level(2.0, 40), level(3.0, 40)];
        let columns = Columns { factor: "x".into(), metric: "y".into() };
        let ledger = RowLedger::of_rows(80 + n);
        let question = Question {
            confidence: 0.96,
            references: Vec::new(),
            margin: 0.01,
            statistic: Statistic::Mean,
            x_scale: AxisScale::Auto,
        };
        let levels = LevelSummaries { levels, ledger, ..LevelSummaries::empty(&columns) };
        Analysis::of(Data::Levels(levels), &question).unwrap()
    }

    #[test]
    fn no_level_stops_before_it_has_enough_runs() {
        let pursuit = Pursuit { goal: Goal::StandardError { share: 0.01 }, strategy: Strategy::Neyman };
        assert!(!pursuit.look(&precise(FEWEST - 1)).reached && pursuit.look(&precise(FEWEST)).reached);
        let planned = pursuit.next(&precise(FEWEST - 1), 10).unwrap();
        assert_eq!(planned.allocation.iter().map(|level| level.add).collect::<Vec<_>>(), [10, 0, 0]);
    }
}
