//! What changed since an earlier report, in words.

use crate::analysis::Analysis;
use crate::baseline::{Changes, LevelChange, Relation, Shift};
use crate::export::finding;
use crate::format::{count, counted, is_zero, significant, to_precision_of};
use crate::report::levels::level_text;
use crate::report::view::verdict_name;
use crate::stats::Estimate;

/// Rows of the table of changed levels: beyond these the table of levels is the better place to look.
const MOST_ROWS: usize = 20;

/// The section about changes.
#[derive(Debug, Clone)]
pub struct ChangesView {
    /// Runs, verdict and means in sentences.
    pub sentences: Vec<String>,
    /// What moved: name, then, now, change.
    pub shifts: Vec<[String; 4]>,
    /// Heads of the table of changed levels.
    pub heads: [&'static str; 5],
    /// The levels that changed most surely.
    pub rows: Vec<[String; 5]>,
}

impl ChangesView {
    /// Puts `changes` into words.
    pub fn of(changes: &Changes, analysis: &Analysis) -> Self {
        let mut shifts = Vec::new();
        let mut add = |name: &str, shift: &Option<Shift>| {
            shifts.extend(shift.as_ref().map(|found| {
                [
                    name.to_string(),
                    finding::with_range(&found.before),
                    finding::with_range(&found.now),
                    signed_range(&found.change),
                ]
            }));
        };
        let optimum = analysis.goal.optimum();
        add(&format!("{optimum}: {}", analysis.factor), &changes.place);
        add(&format!("{optimum}: {}", analysis.statistic.of(&analysis.metric)), &changes.value);
        let other = if changes.relation == Relation::Extended { "added runs less earlier" } else { "difference" };
        Self {
            sentences: sentences(changes, analysis),
            shifts,
            heads: ["level", "mean before", "mean now", other, "p (Holm)"],
            rows: changes.significant().iter().take(MOST_ROWS).map(row).collect(),
        }
    }

    /// One line for the terminal: what moved, and how many means changed.
    pub fn line(&self) -> String {
        let moved = self.shifts.first().map(|[_, before, now, change]| format!(" {before} → {now}: {change}."));
        format!("{}{}", self.sentences.join(" "), moved.unwrap_or_default())
    }
}

fn sentences(changes: &Changes, analysis: &Analysis) -> Vec<String> {
    let mut sentences = vec![runs(changes)];
    let now = verdict_name(&analysis.minimum.verdict);
    let before = changes.verdict_before.replace('_', " ");
    sentences.push(if before == now {
        format!("The verdict is still: {now}.")
    } else {
        format!("The verdict was {before} and is {now}.")
    });
    if changes.relation != Relation::Same {
        sentences.push(means(changes));
    }
    sentences
}

fn runs(changes: &Changes) -> String {
    let [before, now] = changes.runs;
    let what = match changes.relation {
        Relation::Same => format!("The runs are the same {}", count(now)),
        Relation::Extended => {
            format!("{} added to the earlier {}", were(now - before, "run"), count(before))
        }
        Relation::Separate => {
            format!(
                "The runs are others, or some of the earlier ones are gone: {} then, {} now",
                count(before),
                count(now)
            )
        }
    };
    let mut levels = Vec::new();
    if changes.levels_added > 0 {
        levels.push(format!("{} new", were(changes.levels_added as u64, "level")));
    }
    if changes.levels_gone > 0 {
        levels.push(format!("{} gone", were(changes.levels_gone as u64, "level")));
    }
    let levels = if levels.is_empty() { String::new() } else { format!("; {}", levels.join(", ")) };
    format!("Since {}: {what}{levels}.", changes.path)
}

fn were(number: u64, noun: &str) -> String {
    format!("{} {}", counted(number, noun), if number == 1 { "was" } else { "were" })
}

fn means(changes: &Changes) -> String {
    let tested = changes.levels.iter().filter(|level| level.p_value.is_some()).count();
    if tested == 0 {
        return "No level can be compared.".into();
    }
    let alpha = significant(1.0 - changes.confidence, 3);
    match changes.significant().len() {
        0 => format!(
            "At none of the {} that can be compared did the mean change more than chance explains (p at least {alpha} after \
             Holm's correction).",
            counted(tested as u64, "level")
        ),
        found => format!(
            "At {} of {} the mean changed more than chance explains (p below {alpha} after Holm's correction){}.",
            count(found as u64),
            counted(tested as u64, "level"),
            if found > MOST_ROWS { format!("; the {MOST_ROWS} surest are shown") } else { String::new() }
        ),
    }
}

fn row(level: &LevelChange) -> [String; 5] {
    let error = level.difference.and_then(|difference| difference.standard_error).unwrap_or(f64::NAN);
    let mean = |at: usize| format!("{} (n = {})", to_precision_of(level.means[at], error), count(level.runs[at]));
    [
        level_text(level.level),
        mean(0),
        mean(1),
        level.difference.as_ref().map(signed_range).unwrap_or_default(),
        level.p_value.map(finding::p_value).unwrap_or_default(),
    ]
}

/// A difference with its sign and the ends of its interval.
fn signed_range(difference: &Estimate) -> String {
    let signed = |value: f64, margin: f64| {
        let text = to_precision_of(value, margin);
        if value > 0.0 && !is_zero(&text) { format!("+{text}") } else { text }
    };
    match difference.interval {
        Some(interval) => {
            let rounded = |value: f64| signed(value, interval.margin());
            format!(
                "{} ({} interval {} to {})",
                rounded(difference.point),
                finding::confidence(interval.level),
                rounded(interval.lower),
                rounded(interval.upper)
            )
        }
        None => signed(difference.point, f64::NAN),
    }
}
