//! Where do the next runs go, and what will be known then?
//!
//! The shares of the levels come from [`crate::stats::allocate`]; [`Strategy::Minimum`] adds levels
//! of its own around the fitted minimum ([`crate::stats::refined`]) and puts every run there.
//!
//! **How far they reach.** To where the curve has risen by 1.2 √goal of its least value, 17 % for a
//! goal of 2 %: the bias of the cubic grows with the fourth power of the reach, the square of the
//! rise, and so stays the same share of the goal, about a tenth in the XOR experiment, whatever the
//! goal. The reach is kept within the levels and below a third of their range.
//!
//! **A reference that is to be decided** gets as many runs as an inner level, and is compared by
//! their mean. The precision is then a tenth of the margin, at most an eighth of [`USUAL_GOAL`]:
//! the levels lie so close that the bias of the value at the minimum does not matter beside the
//! margin.
//!
//! **Levels that are too far apart** (the verdict `coarse`) are not given more runs by any
//! strategy: the whole budget goes to the levels that the verdict names.
//!
//! **Expected precision.** Standard errors go with 1/√runs. So does the interval of the minimum
//! where the levels stay the same; where they get different shares, with the error of the slope of
//! the curve at its minimum. For new levels that error is the one of independent runs: paired ones,
//! which the strategy is made for, are expected to do better, by how much is not known before they
//! are made. What they tell is added to what is known (precisions, one over the square of the
//! width, add up), so that few new runs never seem to take knowledge away.

pub mod progress;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::analysis::curve::Curve;
use crate::analysis::objective::Objective;
use crate::analysis::references::nearly_equal;
use crate::analysis::{Analysis, Goal, Group};
use crate::error::{Error, Result};
use crate::format::{rounded_to_spacing, significant};
use crate::stats::allocate::{self, Known, allocate};
use crate::stats::interval::normal_quantile;
use crate::stats::optimum::verdict::Verdict;
use crate::stats::refined;
use crate::stats::sequential::{FEWEST, growth};
use crate::stats::smooth::Edge;

/// The precision that the reach is made for where none is asked for.
pub const USUAL_GOAL: f64 = 0.02;

/// How to share out runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The same everywhere.
    Uniform,
    /// By the relative error of each mean.
    RelativeError,
    /// By the standard deviation at each level.
    Neyman,
    /// Optimal computing budget allocation for the best level.
    Ocba,
    /// At levels refined around the fitted minimum, paired.
    Minimum,
}

impl Strategy {
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::RelativeError => "relative-error",
            Self::Neyman => "neyman",
            Self::Ocba => "ocba",
            Self::Minimum => "minimum",
        }
    }

    /// How it shares out runs among the levels that are there; nothing if it makes its own.
    pub fn among_levels(self) -> Option<allocate::Strategy> {
        match self {
            Self::Uniform => Some(allocate::Strategy::Uniform),
            Self::RelativeError => Some(allocate::Strategy::RelativeError),
            Self::Neyman => Some(allocate::Strategy::Neyman),
            Self::Ocba => Some(allocate::Strategy::Ocba),
            Self::Minimum => None,
        }
    }
}

/// What a level has and gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Addition {
    /// The factor's value.
    pub level: f64,
    /// Runs it has.
    pub n: u64,
    /// Runs it gets.
    pub add: u64,
    /// Standard error of its mean now; absent where the runs cannot give one.
    pub standard_error: Option<f64>,
    /// The one expected then.
    pub expected_standard_error: Option<f64>,
}

/// How well the minimum's place is known: half the width of its interval as a share of the place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Precision {
    /// The place.
    pub level: f64,
    /// Now.
    pub half_width: f64,
    /// Expected then; absent where nothing can be said.
    pub expected_half_width: Option<f64>,
}

/// What a design around the minimum is made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// Half the width of the interval of the minimum's place, as a share of the place.
    pub precision: f64,
    /// A level to be held against the minimum.
    pub against: Option<f64>,
}

impl Aim {
    /// The place of the minimum, to `precision`.
    pub fn place(precision: f64) -> Self {
        Self { precision, against: None }
    }
}

/// Where the next runs go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// Runs to share out.
    pub budget: u64,
    /// Every level, ascending, new ones too. What they get adds up to the budget.
    pub allocation: Vec<Addition>,
    /// The minimum; absent where none is fitted.
    pub minimum: Option<Precision>,
}

/// Shares out `budget` runs; `aim` is what new levels around the minimum are made for.
///
/// # Errors
/// [`Error::NoDesign`] for [`Strategy::Minimum`] where there is no minimum between the levels to
/// refine.
pub fn plan(analysis: &Analysis, strategy: Strategy, budget: u64, aim: &Aim) -> Result<Planned> {
    let objective = Objective::of(
        analysis.statistic,
        analysis.goal,
        analysis.along,
        &analysis.groups,
        &[],
        analysis.basin_rule.as_ref(),
    )?;
    let curve = Curve::through(&objective, analysis.confidence);
    if let Verdict::Coarse { add } = &analysis.minimum.verdict {
        // More runs at the levels that are there would not tell where between them the optimum
        // lies.
        return Ok(planned(analysis, add, &allocate::shared(&vec![1.0; add.len()], budget), curve.as_ref()));
    }
    if let Some(strategy) = strategy.among_levels() {
        let levels: Vec<f64> = analysis.groups.iter().map(|group| group.level).collect();
        let known: Vec<Known> = analysis.groups.iter().map(|group| known(group, analysis.metric_goal())).collect();
        return Ok(planned(analysis, &levels, &allocate(&known, strategy, budget), curve.as_ref()));
    }
    let (levels, weights) = refinement(analysis, curve.as_ref(), aim)?;
    let have: Vec<u64> = levels.iter().map(|level| runs_at(analysis, *level)).collect();
    let adds = allocate::to_shares(&have, &weights, budget);
    Ok(planned(analysis, &levels, &adds, curve.as_ref()))
}

/// Shares out `budget` runs among the levels whose standard error is above `share` of their mean,
/// by `strategy`.
pub fn unfinished(analysis: &Analysis, strategy: Strategy, budget: u64, share: f64) -> Planned {
    let is_open = |group: &&Group| {
        let mean = &group.summary.mean;
        group.summary.n < FEWEST || mean.standard_error.is_none_or(|error| error > share * mean.point.abs())
    };
    let open: Vec<&Group> = analysis.groups.iter().filter(is_open).collect();
    let known: Vec<Known> = open.iter().map(|group| known(group, analysis.metric_goal())).collect();
    let adds = allocate(&known, strategy.among_levels().unwrap_or(allocate::Strategy::RelativeError), budget);
    let levels: Vec<f64> = open.iter().map(|group| group.level).collect();
    planned(analysis, &levels, &adds, None)
}

/// Of the design that is already there around the minimum, with the level that it is made for, how
/// many runs it holds; nothing if there is none.
pub fn design_runs(analysis: &Analysis, aim: &Aim) -> Option<u64> {
    let mut levels = design(analysis, aim.precision)?.map(|place| analysis.groups[place].level).to_vec();
    if let Some(against) = aim.against {
        let there = analysis.groups.iter().map(|group| group.level).find(|level| nearly_equal(*level, against))?;
        levels.push(there);
        levels.dedup_by(|a, b| a == b);
    }
    Some(levels.into_iter().map(|level| runs_at(analysis, level)).sum())
}

/// Runs at the levels that hold most of them, whether or not they lie around the minimum; nothing
/// if there are no such levels.
pub fn refined_runs(analysis: &Analysis) -> Option<u64> {
    let n: Vec<u64> = analysis.on_axis().iter().map(|group| group.summary.n).collect();
    refined::levels_of(&n).map(|places| places.iter().map(|place| n[*place]).sum())
}

/// What is known of the group's runs, lower being better.
fn known(group: &Group, goal: Goal) -> Known {
    let summary = &group.summary;
    Known { n: summary.n, mean: goal.sign() * summary.mean.point, variance: summary.std_dev.map(|s| s * s) }
}

fn runs_at(analysis: &Analysis, level: f64) -> u64 {
    analysis.groups.iter().find(|group| group.level == level).map_or(0, |group| group.summary.n)
}

/// The groups that hold the refined design around the present minimum: near its middle, or, once it
/// holds a good part of the runs that `goal` needs, as near as its runs are believed.
///
/// A design off the middle costs bias, a new one costs the runs of the old one.
fn design(analysis: &Analysis, goal: f64) -> Option<[usize; 4]> {
    /// Growth up to which a design is rather kept.
    const LATE: f64 = 4.0;
    const EARLY_OFF_CENTRE: f64 = 0.1;
    let is_late = half_width(analysis).is_some_and(|now| growth(now, goal) <= LATE);
    design_within(analysis, if is_late { refined::OFF_CENTRE } else { EARLY_OFF_CENTRE })
}

/// The groups that hold the refined design whose middle is so near the present minimum, in units of
/// its reach.
fn design_within(analysis: &Analysis, off_centre: f64) -> Option<[usize; 4]> {
    let (along, groups) = (analysis.along, analysis.on_axis());
    let x: Vec<f64> = groups.iter().map(|group| along.place(group.level)).collect();
    let n: Vec<u64> = groups.iter().map(|group| group.summary.n).collect();
    let design = refined::design_near(&x, &n, along.place(analysis.minimum.level?.point), off_centre)?;
    Some(design.map(|place| analysis.beside() + place))
}

/// The levels to refine at, and their weights.
fn refinement(analysis: &Analysis, curve: Option<&Curve<'_>>, aim: &Aim) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut levels, mut weights) = around_minimum(analysis, curve, aim.precision)?;
    if let Some(against) = aim.against {
        let mut known = levels.iter().copied().chain(analysis.groups.iter().map(|group| group.level));
        let level = known.find(|level| nearly_equal(*level, against)).unwrap_or(against);
        match levels.iter().position(|there| *there == level) {
            Some(place) => weights[place] = 1.0,
            None => {
                levels.push(level);
                weights.push(1.0);
            }
        }
    }
    Ok((levels, weights))
}

/// Why no number of runs between the levels locates the optimum; `None` where they may.
pub fn why_more_runs_do_not_help(analysis: &Analysis) -> Option<String> {
    let (margin, optimum, dip) = (analysis.margin, analysis.goal.optimum(), analysis.goal.dip());
    let best = analysis.goal.best_word();
    match &analysis.minimum.verdict {
        Verdict::AtEdge { .. } if analysis.minimum.is_beside => {
            Some(format!("the {optimum} lies at {} = 0, beside the axis", analysis.factor))
        }
        Verdict::AtEdge { edge } => Some(beyond_the_end(analysis, *edge)),
        Verdict::Flat => Some(format!("no two levels differ by more than {margin}; give a narrower --margin")),
        Verdict::NotUnimodal { dips } => {
            let places: Vec<String> = dips.iter().map(|at| significant(analysis.groups[*at].level, 4)).collect();
            let near = places.join(", ");
            Some(format!(
                "the levels contradict a single {dip}, and lie {best} near {near}; sweep around one of them alone"
            ))
        }
        Verdict::Unresolved { .. } if analysis.minimum.margin_is_void && has_either_sign(analysis) => Some(format!(
            "a margin of {margin} of a value that may be of either sign cannot be met; give --margin as a number"
        )),
        _ => None,
    }
}

/// What to do about an optimum at an end of the levels.
fn beyond_the_end(analysis: &Analysis, edge: Edge) -> String {
    let optimum = analysis.goal.optimum();
    match analysis.failures_beyond(edge) {
        Some(mut between) => {
            between.sort_by(f64::total_cmp);
            let [from, to] = between.map(|level| significant(level, 4));
            format!("the {optimum} lies next to where runs fail; make levels between {from} and {to}")
        }
        None => format!("the {optimum} lies at the end of the sweep or beyond; extend the sweep there"),
    }
}

fn has_either_sign(analysis: &Analysis) -> bool {
    let values = || analysis.groups.iter().filter_map(|group| analysis.statistic.at(group)).map(|at| at.point);
    values().any(|value| value < 0.0) && values().any(|value| value > 0.0)
}

/// Levels and weights of the design that is there, or of a new one around the minimum, ascending.
fn around_minimum(analysis: &Analysis, curve: Option<&Curve<'_>>, goal: f64) -> Result<(Vec<f64>, Vec<f64>)> {
    let unplanned = |reason: String| Error::NoDesign { reason };
    let optimum = analysis.goal.optimum();
    let (along, on_axis) = (analysis.along, analysis.on_axis());
    let (Some(curve), Some(minimum)) = (curve, analysis.minimum.level) else {
        let few = || format!("at least four levels with more than one run are needed to see where the {optimum} is");
        return Err(unplanned(why_more_runs_do_not_help(analysis).unwrap_or_else(few)));
    };
    let ends = [on_axis[0].level, on_axis[on_axis.len() - 1].level];
    let [first, last] = ends.map(|level| along.place(level));
    let at = along.place(minimum.point);
    if let Some(places) = design(analysis, goal) {
        let levels = places.map(|place| analysis.groups[place].level);
        let x = levels.map(|level| along.place(level));
        let shares = refined::around((x[0] + x[3]) / 2.0, (x[3] - x[0]) / 2.0).map(|level| level.share);
        return Ok((levels.to_vec(), shares.to_vec()));
    }
    if at <= first || at >= last {
        return Err(unplanned(beyond_the_end(analysis, if at <= first { Edge::Low } else { Edge::High })));
    }
    const RISE: f64 = 1.2;
    let reach = curve.reach(at, RISE * libm::sqrt(goal)).min((last - first) / 3.0);
    let centre = at.clamp(first + reach, last - reach);
    let design = refined::around(centre, reach);
    let spacing = (along.level(centre + reach) - along.level(centre - reach)) / 2.0;
    let levels: Vec<f64> = design.iter().map(|level| rounded_to_spacing(along.level(level.x), spacing)).collect();
    // Rounding must not leave the range.
    let levels = levels.into_iter().map(|level| level.clamp(ends[0], ends[1])).collect();
    Ok((levels, design.iter().map(|level| level.share).collect()))
}

/// The plan that gives `adds` to `levels`, with what is expected of it.
fn planned(analysis: &Analysis, levels: &[f64], adds: &[u64], curve: Option<&Curve<'_>>) -> Planned {
    let mut allocation: Vec<Addition> = analysis.groups.iter().map(|group| addition(group, 0)).collect();
    for (level, add) in levels.iter().zip(adds) {
        match allocation.iter_mut().zip(&analysis.groups).find(|(addition, _)| addition.level == *level) {
            Some((addition_there, group)) => *addition_there = addition(group, *add),
            None => allocation.push(Addition {
                level: *level,
                n: 0,
                add: *add,
                standard_error: None,
                expected_standard_error: std_dev_near(&analysis.groups, *level).map(|s| s / libm::sqrt(*add as f64)),
            }),
        }
    }
    allocation.sort_by(|a, b| a.level.total_cmp(&b.level));
    let minimum = precision(analysis, &allocation, curve);
    Planned { budget: adds.iter().sum(), allocation, minimum }
}

fn addition(group: &Group, add: u64) -> Addition {
    let summary = &group.summary;
    let after = (summary.n + add) as f64;
    Addition {
        level: group.level,
        n: summary.n,
        add,
        standard_error: summary.mean.standard_error,
        expected_standard_error: summary.std_dev.map(|s| s / libm::sqrt(after)),
    }
}

/// Standard deviation of a run at the group whose level is nearest.
fn std_dev_near(groups: &[Group], level: f64) -> Option<f64> {
    let known = groups.iter().filter_map(|group| Some((group.level, group.summary.std_dev?)));
    known.min_by(|a, b| (a.0 - level).abs().total_cmp(&(b.0 - level).abs())).map(|(_, s)| s)
}

fn precision(analysis: &Analysis, allocation: &[Addition], curve: Option<&Curve<'_>>) -> Option<Precision> {
    let minimum = analysis.minimum.level?;
    let half_width = half_width(analysis)?;
    let of = |expected_half_width| Some(Precision { level: minimum.point, half_width, expected_half_width });
    let new: Vec<&Addition> = allocation.iter().filter(|level| level.n == 0).collect();
    if let Some(places) = design_within(analysis, refined::OFF_CENTRE).filter(|_| new.is_empty()) {
        let design = places.map(|place| analysis.groups[place].level);
        let sum = |of: fn(&Addition) -> u64| {
            allocation.iter().filter(|level| design.contains(&level.level)).map(of).sum::<u64>() as f64
        };
        let (before, after) = (sum(|level| level.n), sum(|level| level.n + level.add));
        return of(Some(half_width * libm::sqrt(before / after)));
    }
    let Some(curve) = curve else { return of(None) };
    if new.is_empty() {
        let on_axis = &allocation[analysis.beside()..];
        let runs = |of: fn(&Addition) -> u64| on_axis.iter().map(|level| of(level) as f64).collect::<Vec<_>>();
        let (before, after) = (runs(|level| level.n), runs(|level| level.n + level.add));
        return of(curve.slope_error(&before).zip(curve.slope_error(&after)).map(|(a, b)| half_width * b / a));
    }
    let along = analysis.along;
    let levels: Vec<(f64, f64)> =
        new.iter().filter_map(|level| Some((along.place(level.level), level.expected_standard_error?))).collect();
    let place = along.place(minimum.point);
    let error = refined::independent_error(&levels, place).zip(curve.curvature()).map(|(slope, c)| slope / c);
    of(error.filter(|error| error.is_finite()).map(|error| {
        let half = normal_quantile(analysis.confidence) * error;
        let alone = (along.level(place + half) - along.level(place - half)).abs() / 2.0 / minimum.point.abs();
        half_width * alone / libm::hypot(half_width, alone)
    }))
}

/// Half the width of the interval of the minimum's place, as a share of the place.
pub fn half_width(analysis: &Analysis) -> Option<f64> {
    let minimum = analysis.minimum.level?;
    Some(minimum.interval?.margin() / minimum.point.abs()).filter(|share| share.is_finite())
}
