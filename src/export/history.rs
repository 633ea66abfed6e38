//! How a sweep went on until its question was answered, round by round.

use crate::analysis::Analysis;
use crate::course::{History, Round};
use crate::export::finding::confidence;
use crate::format::{count, counted, significant, to_precision_of};

/// Heads of the table of rounds.
pub fn heads(analysis: &Analysis) -> [&'static str; 6] {
    ["round", "runs made", "at levels", analysis.goal.optimum(), "interval", "width"]
}

/// The sweeps among the inputs that had a goal.
pub fn of(analysis: &Analysis) -> impl Iterator<Item = &History> {
    analysis.inputs().iter().flat_map(|input| &input.histories)
}

/// What was asked for and how it ended: `minimum<=2% by the strategy minimum: reached with 98,210 runs in 4 rounds`.
pub fn sentence(history: &History) -> String {
    let last = history.rounds.iter().rev().find_map(|round| round.look.as_ref());
    let end = match last {
        Some(look) if look.reached => "reached with",
        _ => "not reached with",
    };
    format!(
        "{} by the strategy {}: {end} {} in {}",
        history.goal,
        history.strategy,
        counted(last.map_or(0, |look| look.runs), "run"),
        counted(history.rounds.len() as u64, "round")
    )
}

/// The rounds, a row each, under [`heads`].
pub fn rows(history: &History) -> Vec<[String; 6]> {
    history.rounds.iter().enumerate().map(|(place, round)| row(place + 1, round, &history.goal)).collect()
}

fn row(number: usize, round: &Round, goal: &str) -> [String; 6] {
    let made: u64 = round.batches.iter().map(crate::course::Batch::total).sum();
    let levels: usize = round.batches.iter().map(|batch| batch.levels.len()).sum();
    let look = round.look.as_ref();
    let ends = look.and_then(|look| Some((look.lower?, look.upper?)));
    let rounded = |value: f64| match ends {
        Some((lower, upper)) => to_precision_of(value, (upper - lower) / 2.0),
        None => significant(value, 4),
    };
    let interval = look.zip(ends).map(|(look, (lower, upper))| {
        format!("{} to {} ({})", rounded(lower), rounded(upper), confidence(look.confidence))
    });
    let width = look.and_then(|look| look.width).map(|width| {
        let sign = if goal.starts_with("se") { "" } else { "±" };
        format!("{sign}{} %", significant(width * 100.0, 2))
    });
    [
        number.to_string(),
        count(made),
        levels.to_string(),
        look.and_then(|look| look.minimum).map(rounded).unwrap_or_default(),
        interval.unwrap_or_default(),
        width.unwrap_or_default(),
    ]
}
