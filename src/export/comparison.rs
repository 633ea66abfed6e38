//! A [`Comparison`] as text for people and programs.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::Serialize;

use crate::analysis::comparison::{Change, Comparison, LevelChange, Subject};
use crate::analysis::{Goal, SCHEMA_VERSION};
use crate::export::finding::{self, p_value};
use crate::export::json::WireRows;
use crate::export::table::ledger_with_places;
use crate::format::{self, counted, percent, printable, significant, to_precision_of};
use crate::stats::Estimate;

/// Forms of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ComparisonFormat {
    /// What moved, for the terminal.
    Table,
    /// Everything, every digit.
    Json,
    /// What moved, for a document.
    Markdown,
}

/// Writes `comparison` of the sources of these names in `format`.
pub fn to_text(comparison: &Comparison, names: [&str; 2], format: ComparisonFormat) -> String {
    match format {
        ComparisonFormat::Table => terminal(comparison, names),
        ComparisonFormat::Markdown => markdown(comparison, names),
        ComparisonFormat::Json => json(comparison, names),
    }
}

/// What was found about `subject`, in a line.
pub fn described(comparison: &Comparison, subject: &Subject) -> String {
    let unknown = || "unknown".to_string();
    match subject {
        Subject::Place => comparison.place.as_ref().map_or_else(unknown, |shift| {
            let [from, to] = [&shift.from, &shift.to].map(finding::with_range);
            format!("{from} → {to}: {}", difference(&shift.difference))
        }),
        Subject::Value => comparison.value.as_ref().map_or_else(unknown, change),
        Subject::Mean => comparison.mean.as_ref().map_or_else(unknown, change),
        Subject::AnyLevel => {
            let changed = changed(comparison).count() as u64;
            format!("{changed} of {} changed", counted(comparison.levels.len() as u64, "common level"))
        }
        Subject::Reference(name) => {
            let found = comparison.references.iter().find(|reference| reference.name == *name);
            found
                .and_then(|reference| reference.change.as_ref())
                .map_or_else(|| "outside the levels of one side".into(), change)
        }
    }
}

/// The levels whose change is significant, all common levels accounted for.
fn changed(comparison: &Comparison) -> impl Iterator<Item = &LevelChange> {
    let alpha = 1.0 - comparison.confidence;
    comparison.levels.iter().filter(move |level| level.adjusted_p.is_some_and(|p| p < alpha))
}

/// Head and value of every line above the table.
fn lines(comparison: &Comparison, names: [&str; 2]) -> Vec<[String; 2]> {
    let side = |place: usize| {
        let levels = comparison.levels.len() + comparison.only[place].len();
        let (runs, levels) = (counted(comparison.runs[place], "run"), counted(levels as u64, "level"));
        format!("{} ({runs} at {levels})", names[place])
    };
    let common = counted(comparison.levels.len() as u64, "common level");
    let optimum = comparison.goal.optimum();
    let mut lines = vec![
        ["A".into(), side(0)],
        ["B".into(), side(1)],
        ["rows of A".into(), ledger_with_places(&comparison.ledgers[0])],
        ["rows of B".into(), ledger_with_places(&comparison.ledgers[1])],
        [format!("{optimum}, {}", comparison.factor), described(comparison, &Subject::Place)],
        [format!("{optimum}, {}", comparison.metric), described(comparison, &Subject::Value)],
        [format!("mean over {common}"), described(comparison, &Subject::Mean)],
    ];
    for reference in &comparison.references {
        let name = Subject::Reference(reference.name.clone());
        lines.push([format!("at {}", reference.name), described(comparison, &name)]);
    }
    for (side, levels) in ["only in A", "only in B"].into_iter().zip(&comparison.only) {
        if !levels.is_empty() {
            lines.push([side.into(), listed(levels)]);
        }
    }
    lines.push([
        "levels".into(),
        format!("{}, all of them accounted for (Holm)", described(comparison, &Subject::AnyLevel)),
    ]);
    lines
}

fn listed(levels: &[f64]) -> String {
    const SHOWN: usize = 8;
    let mut text = levels.iter().take(SHOWN).map(|level| significant(*level, 5)).collect::<Vec<_>>().join(", ");
    if levels.len() > SHOWN {
        text.push_str(&format!(" and {} more", levels.len() - SHOWN));
    }
    format!("{}: {text}", counted(levels.len() as u64, "level"))
}

const HEADS: [&str; 6] = ["level", "mean A", "mean B", "change", "interval", "p (Holm)"];

fn cells(level: &LevelChange) -> [String; 6] {
    let Change { from, to, difference, relative, .. } = &level.change;
    let margin = difference.interval.map_or(f64::NAN, |interval| interval.margin());
    let shown = relative.as_ref().unwrap_or(difference);
    let number = |value: f64| if relative.is_some() { percent(value) } else { to_precision_of(value, margin) };
    [
        significant(level.level, 5),
        to_precision_of(*from, margin),
        to_precision_of(*to, margin),
        number(shown.point),
        shown.interval.map(|i| format!("{} … {}", number(i.lower), number(i.upper))).unwrap_or_default(),
        level.adjusted_p.map(p_value).unwrap_or_default(),
    ]
}

fn terminal(comparison: &Comparison, names: [&str; 2]) -> String {
    // Names come from outside.
    let line = |line: [String; 2]| line.map(|text| printable(&text).into_owned());
    let lines: Vec<[String; 2]> = lines(comparison, names).into_iter().map(line).collect();
    let width = lines.iter().map(|[head, _]| head.chars().count()).max().unwrap_or(0);
    let mut text: String = lines.iter().map(|[head, value]| format!("{head:width$}  {value}\n")).collect();
    let mut rows = vec![HEADS.map(String::from)];
    rows.extend(changed(comparison).map(cells));
    if rows.len() == 1 {
        return text;
    }
    let widths: Vec<usize> =
        (0..HEADS.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    text.push('\n');
    for row in &rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(&format!("  {}\n", line.join("  ").trim_end()));
    }
    text
}

fn markdown(comparison: &Comparison, names: [&str; 2]) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let row = |cells: &[String]| format!("| {} |\n", cells.iter().map(|c| cell(c)).collect::<Vec<_>>().join(" | "));
    let mut text = "| | |\n|---|---|\n".to_string();
    lines(comparison, names).iter().for_each(|line| text.push_str(&row(line)));
    let changed: Vec<_> = changed(comparison).map(cells).collect();
    if !changed.is_empty() {
        text.push_str(&format!("\n{}|{}\n", row(&HEADS.map(String::from)), "---:|".repeat(HEADS.len())));
        changed.iter().for_each(|cells| text.push_str(&row(cells)));
    }
    text
}

/// A change in words: `1574 → 1590: +1.0 % (95 % interval −0.2 % to +2.3 %; p = 0.11)`.
fn change(found: &Change) -> String {
    let margin = found.difference.interval.map_or(f64::NAN, |interval| interval.margin());
    let ends = format!("{} → {}", to_precision_of(found.from, margin), to_precision_of(found.to, margin));
    let moved = found.relative.as_ref().map_or_else(|| difference(&found.difference), finding::change);
    let p = found.p_value.map(|p| format!("; p {}", if p < 0.001 { p_value(p) } else { format!("= {}", p_value(p)) }));
    match (moved.strip_suffix(')'), p) {
        (Some(open), Some(p)) => format!("{ends}: {open}{p})"),
        _ => format!("{ends}: {moved}"),
    }
}

/// A difference in the unit of its subject: `+0.012 (95 % interval −0.004 to +0.028)`.
fn difference(estimate: &Estimate) -> String {
    let signed = |value: f64, margin: f64| {
        let text = to_precision_of(value.abs(), margin);
        format!("{}{text}", if value < 0.0 { "−" } else { "+" })
    };
    match estimate.interval {
        Some(interval) => format!(
            "{} ({} interval {} to {})",
            signed(estimate.point, interval.margin()),
            finding::confidence(interval.level),
            signed(interval.lower, interval.margin()),
            signed(interval.upper, interval.margin())
        ),
        None => format!("{} (no interval)", signed(estimate.point, f64::NAN)),
    }
}

#[derive(Serialize)]
struct WireEstimate {
    estimate: f64,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
}

impl WireEstimate {
    fn of(estimate: &Estimate) -> Self {
        let [ci_lower, ci_upper] =
            [estimate.interval.map(|interval| interval.lower), estimate.interval.map(|interval| interval.upper)];
        Self { estimate: estimate.point, ci_lower, ci_upper }
    }
}

#[derive(Serialize)]
struct WireChange {
    from: f64,
    to: f64,
    difference: WireEstimate,
    relative: Option<WireEstimate>,
    p_value: Option<f64>,
}

impl WireChange {
    fn of(change: &Change) -> Self {
        Self {
            from: change.from,
            to: change.to,
            difference: WireEstimate::of(&change.difference),
            relative: change.relative.as_ref().map(WireEstimate::of),
            p_value: change.p_value,
        }
    }
}

#[derive(Serialize)]
struct WireLevel {
    level: f64,
    #[serde(flatten)]
    change: WireChange,
    adjusted_p: Option<f64>,
    changed: bool,
}

#[derive(Serialize)]
struct WireReference<'a> {
    name: &'a str,
    level: f64,
    change: Option<WireChange>,
}

#[derive(Serialize)]
struct WireShift {
    from: WireEstimate,
    to: WireEstimate,
    difference: WireEstimate,
}

#[derive(Serialize)]
struct Wire<'a> {
    schema_version: u32,
    factor: &'a str,
    metric: &'a str,
    confidence: f64,
    goal: Goal,
    sources: BTreeMap<&'a str, WireSource<'a>>,
    minimum: Option<WireShift>,
    value: Option<WireChange>,
    mean: Option<WireChange>,
    references: Vec<WireReference<'a>>,
    levels: Vec<WireLevel>,
}

#[derive(Serialize)]
struct WireSource<'a> {
    source: &'a str,
    runs: u64,
    rows: WireRows<'a>,
    only_levels: &'a [f64],
}

fn json(comparison: &Comparison, names: [&str; 2]) -> String {
    let source = |place: usize| WireSource {
        source: names[place],
        runs: comparison.runs[place],
        rows: WireRows::of(&comparison.ledgers[place]),
        only_levels: &comparison.only[place],
    };
    let alpha = 1.0 - comparison.confidence;
    let wire = Wire {
        schema_version: SCHEMA_VERSION,
        factor: &comparison.factor,
        metric: &comparison.metric,
        confidence: comparison.confidence,
        goal: comparison.goal,
        sources: BTreeMap::from([("a", source(0)), ("b", source(1))]),
        minimum: comparison.place.as_ref().map(|shift| {
            let [from, to, difference] = [&shift.from, &shift.to, &shift.difference].map(WireEstimate::of);
            WireShift { from, to, difference }
        }),
        value: comparison.value.as_ref().map(WireChange::of),
        mean: comparison.mean.as_ref().map(WireChange::of),
        references: comparison
            .references
            .iter()
            .map(|reference| WireReference {
                name: &reference.name,
                level: reference.level,
                change: reference.change.as_ref().map(WireChange::of),
            })
            .collect(),
        levels: comparison
            .levels
            .iter()
            .map(|level| WireLevel {
                level: level.level,
                change: WireChange::of(&level.change),
                adjusted_p: level.adjusted_p,
                changed: level.adjusted_p.is_some_and(|p| p < alpha),
            })
            .collect(),
    };
    format::json(&wire)
}
