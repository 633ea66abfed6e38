//! How far is a sweep from its goal, and what comes next?

use crate::analysis::{Analysis, Group};
use crate::course::{Batch, Look};
use crate::error::{Error, Result};
use crate::planning::{
    Aim, Planned, Strategy, USUAL_GOAL, design_runs, half_width, plan, refined_runs, unfinished,
    why_more_runs_do_not_help,
};
use crate::stats::compare::Verdict;
use crate::stats::optimum::verdict as located;
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
    /// The first round of a sweep of `levels`: all of them; for the strategy minimum some, evenly
    /// spread.
    pub fn first_round(&self, levels: &[f64]) -> Batch {
        if self.strategy != Strategy::Minimum || levels.len() < FEWEST_LEVELS {
            return Batch { levels: levels.to_vec(), replicates: 0..FEWEST as u32 };
        }
        let gaps = levels.len().min(FIRST_LEVELS) - 1;
        let place = |i: usize| (i * (levels.len() - 1) + gaps / 2) / gaps;
        Batch { levels: (0..=gaps).map(|i| levels[place(i)]).collect(), replicates: 0..FIRST_RUNS }
    }

    /// What `analysis`, made at the level of this look ([`Goal::confidence_of_look`]), says of the
    /// goal.
    pub fn look(&self, analysis: &Analysis) -> Look {
        let width = self.width(analysis);
        let reached = match &self.goal {
            Goal::Minimum { share } => {
                let is_located = analysis.minimum.verdict == located::Verdict::Located;
                is_located && width.is_some_and(|width| width <= *share)
            }
            Goal::StandardError { share } => width.is_some_and(|width| width <= *share),
            Goal::Reference { name } => verdict_on(analysis, name).is_some_and(|verdict| verdict != Verdict::Undecided),
        };
        // Of the strategy minimum, the first round only shows where to refine: before, a place far
        // off would be taken as given.
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
        if let (false, located::Verdict::Coarse { add }) = (self.is_about_errors(), &analysis.minimum.verdict) {
            // New levels get as many runs as the others have.
            return add.len() as u64 * (runs_of(analysis) / analysis.groups.len() as u64).max(FEWEST);
        }
        match self.strategy {
            // A new design holds as many runs as one off the minimum would need, and at first most
            // of all.
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
    /// Those of [`plan`]; [`Error::OutOfReach`] if no number of runs reaches a width of the
    /// minimum's place.
    pub fn next(&self, analysis: &Analysis, budget: u64) -> Result<Planned> {
        if matches!(self.goal, Goal::Minimum { .. })
            && let Some(reason) = why_more_runs_do_not_help(analysis)
        {
            // Otherwise a sweep at given levels would go on for ever.
            return Err(Error::OutOfReach { goal: self.goal.to_string(), reason });
        }
        match &self.goal {
            Goal::StandardError { share } => Ok(unfinished(analysis, self.strategy, budget, *share)),
            _ => plan(analysis, self.strategy, budget, &self.aim(analysis)),
        }
    }

    fn is_about_errors(&self) -> bool {
        matches!(self.goal, Goal::StandardError { .. })
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
            precision: (margin_share(analysis) / 10.0).clamp(FINEST, USUAL_GOAL / 8.0),
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
            (Goal::Minimum { share }, Some(width)) => growth(width, *share).max(growth_until_located(analysis)),
            (Goal::StandardError { share }, Some(width)) => growth(width, *share),
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

/// By how much the runs must grow until the place is located, as far as the verdict tells.
fn growth_until_located(analysis: &Analysis) -> f64 {
    match &analysis.minimum.verdict {
        located::Verdict::Unresolved { more_runs: Some(more), levels } => {
            let there: u64 = levels.iter().map(|level| analysis.groups[*level].summary.n).sum();
            1.0 + *more as f64 * levels.len() as f64 / there as f64
        }
        _ => 1.0,
    }
}

fn runs_of(analysis: &Analysis) -> u64 {
    analysis.groups.iter().map(|group| group.summary.n).sum()
}

/// The margin as a share of the best value.
fn margin_share(analysis: &Analysis) -> f64 {
    let observed = analysis.statistic.at(analysis.observed());
    let best = analysis.minimum.value.or(observed).map_or(0.0, |value| value.point);
    analysis.margin.share_of(best)
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
    use crate::analysis::{Margin, Question};
    use crate::data::Data;
    use crate::data::{LevelSummaries, LevelSummary, Roles, RowLedger};

    /// Five levels of a parabola around 3, known to a millionth, the first from `n` runs.
    fn precise(n: u64) -> Analysis {
        let mean = |level: f64| 10.0 + (level - 3.0) * (level - 3.0);
        let level = |level: f64, n| LevelSummary {
            level,
            n,
            mean: mean(level),
            std_dev: Some(1e-6),
            min: None,
            max: None,
            failed: 0,
        };
        let levels = vec![level(1.0, n), level(2.0, 40), level(3.0, 40), level(4.0, 40), level(5.0, 40)];
        let columns = Roles::new("x", "y");
        let ledger = RowLedger::of_rows(160 + n);
        let question = Question { confidence: 0.96, ..Question::default() };
        let levels = LevelSummaries { levels, ledger, ..LevelSummaries::empty(&columns) };
        Analysis::of(Data::Levels(levels), &question).unwrap()
    }

    #[test]
    fn a_margin_in_the_metrics_unit_makes_the_same_design() {
        let pursuit = Pursuit { goal: Goal::Reference { name: "it".into() }, strategy: Strategy::Minimum };
        let mut analysis = precise(40);
        let best = analysis.minimum.value.unwrap().point;
        let mut precision = |margin| {
            analysis.margin = margin;
            pursuit.aim(&analysis).precision
        };
        let (share, number) = (precision(Margin::Share(0.02)), precision(Margin::Absolute(0.02 * best)));
        assert!((share - 0.002).abs() < 1e-12 && (share - number).abs() < 1e-12, "{share} {number}");
    }

    #[test]
    fn levels_that_are_too_far_apart_get_others_between_them() {
        let analysis = precise(40);
        let located::Verdict::Coarse { add } = &analysis.minimum.verdict else {
            panic!("{:?}", analysis.minimum.verdict)
        };
        assert!(!add.is_empty() && add.iter().all(|level| (2.0..4.0).contains(level)), "{add:?}");
        for strategy in [Strategy::Uniform, Strategy::Neyman, Strategy::Ocba, Strategy::Minimum] {
            let pursuit = Pursuit { goal: Goal::Minimum { share: 0.001 }, strategy };
            assert!(!pursuit.look(&analysis).reached);
            let planned = pursuit.next(&analysis, 101).unwrap();
            let new: Vec<f64> =
                planned.allocation.iter().filter(|level| level.add > 0).map(|level| level.level).collect();
            assert_eq!(&new, add, "{strategy:?}");
            assert_eq!(planned.allocation.iter().map(|level| level.add).sum::<u64>(), 101);
        }
    }

    #[test]
    fn a_place_that_no_run_would_tell_is_not_pursued() {
        let mut analysis = precise(40);
        let says = |analysis: &Analysis, strategy| {
            let pursuit = Pursuit { goal: Goal::Minimum { share: 0.1 }, strategy };
            assert!(!pursuit.look(analysis).reached);
            pursuit.next(analysis, 100).unwrap_err().to_string()
        };
        for strategy in [Strategy::Uniform, Strategy::RelativeError] {
            analysis.minimum.verdict = located::Verdict::Flat;
            assert!(says(&analysis, strategy).contains("narrower --margin"));
            analysis.minimum.verdict = located::Verdict::AtEdge { edge: crate::stats::smooth::Edge::Low };
            assert!(says(&analysis, strategy).contains("extend the sweep"));
            analysis.minimum.verdict = located::Verdict::NotUnimodal { dips: vec![0, 3] };
            assert!(says(&analysis, strategy).contains("lie lowest near 1, 4"));
        }
        // The standard errors of a flat sweep are another matter.
        let pursuit = Pursuit { goal: Goal::StandardError { share: 1e-9 }, strategy: Strategy::Neyman };
        assert!(pursuit.next(&analysis, 100).is_ok());
    }

    #[test]
    fn no_level_stops_before_it_has_enough_runs() {
        let pursuit = Pursuit { goal: Goal::StandardError { share: 0.01 }, strategy: Strategy::Neyman };
        assert!(!pursuit.look(&precise(FEWEST - 1)).reached && pursuit.look(&precise(FEWEST)).reached);
        let planned = pursuit.next(&precise(FEWEST - 1), 10).unwrap();
        assert_eq!(planned.allocation.iter().map(|level| level.add).collect::<Vec<_>>(), [10, 0, 0, 0, 0]);
    }
}
