//! What the report says, as ready-formatted strings.

use crate::analysis::layers::Assumption;
use crate::analysis::{Analysis, Place, ReferenceResult, Statistic, Step};
use crate::baseline::Changes;
use crate::course::History;
use crate::data::Exclusion;
use crate::export::{failures, finding, history, table};
use crate::figure::data as figure;
use crate::format::{aligned, count, counted, excerpt, significant, to_precision_of};
use crate::provenance::InputDigest;
use crate::report::basins::BasinsView;
use crate::report::changes::ChangesView;
use crate::report::figures::Figures;
use crate::report::levels::LevelTable;
use crate::report::{data, methods};
use crate::stats::Estimate;
use crate::stats::optimum::verdict::Verdict;

/// Everything that the templates show, in the order of the sections.
#[derive(Debug, Clone)]
pub struct View {
    /// Title of the page.
    pub title: String,
    /// What is known under other assumptions than the finding's, a sentence each.
    pub layers: Vec<String>,
    /// The verdict in a word or two.
    pub verdict: &'static str,
    /// The same as the name of a style.
    pub verdict_style: &'static str,
    /// The finding in a sentence or two.
    pub finding: String,
    /// The numbers to remember.
    pub facts: Vec<Fact>,
    /// What stands for a level, such as the mean.
    pub statistic: &'static str,
    /// What is sought of it: minimum or maximum.
    pub best: &'static str,
    /// What the table marks.
    pub least: String,
    /// The figures.
    pub figures: Figures,
    /// References with their means.
    pub references: Vec<ReferenceRow>,
    /// Changes from place to place.
    pub steps: Vec<StepRow>,
    /// In which basins the runs ended, where that is known.
    pub basins: Option<BasinsView>,
    /// Every level.
    pub levels: LevelTable,
    /// Whether it is known which levels cannot be excluded as the best.
    pub has_candidates: bool,
    /// How sweeps went on until their goal.
    pub pursuits: Vec<PursuitView>,
    /// Warnings: what, and what to do.
    pub warnings: Vec<[String; 2]>,
    /// The ledger in a line.
    pub ledger: String,
    /// Whether rows were left out.
    pub has_excluded: bool,
    /// Reasons for exclusion: name, count, first place.
    pub excluded: Vec<[String; 3]>,
    /// What changed since an earlier report.
    pub changes: Option<ChangesView>,
    /// How the numbers came about.
    pub methods: Vec<String>,
    /// Terms and what they mean.
    pub definitions: Vec<[String; 2]>,
    /// The command that makes the report again.
    pub command: String,
    /// How it was made: name and value.
    pub provenance: Vec<[String; 2]>,
    /// The inputs.
    pub inputs: Vec<InputRow>,
    /// The numbers for the page's script, as JSON.
    pub data: String,
}

/// A number to remember.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// How sure it is, or what it rests on.
    pub note: String,
}

/// How a sweep went on until its goal.
#[derive(Debug, Clone)]
pub struct PursuitView {
    /// What was asked for and how it ended.
    pub sentence: String,
    /// Heads of the table of rounds.
    pub heads: [&'static str; 6],
    /// The rounds, a row each.
    pub rounds: Vec<[String; 6]>,
}

impl PursuitView {
    fn of(history: &History, analysis: &Analysis) -> Self {
        let (sentence, rounds) = (history::sentence(history), history::rows(history));
        Self { sentence, heads: history::heads(analysis), rounds }
    }
}

/// An input.
#[derive(Debug, Clone)]
pub struct InputRow {
    /// Its path.
    pub path: String,
    /// Its size.
    pub size: String,
    /// Its digest.
    pub sha256: String,
    /// How it was made, if that is known.
    pub made_by: Option<String>,
}

impl InputRow {
    fn of(input: &InputDigest) -> Self {
        Self {
            path: input.path.clone(),
            size: format!("{} bytes", count(input.bytes)),
            sha256: input.sha256.clone(),
            made_by: input.made_by.clone(),
        }
    }
}

/// A reference in the comparison.
#[derive(Debug, Clone)]
pub struct ReferenceRow {
    /// Its name, with the expression where that is another.
    pub name: String,
    /// Its value.
    pub level: String,
    /// The statistic there, with its interval.
    pub value: String,
    /// Whether it is interpolated.
    pub how: &'static str,
    /// What it costs against the fitted minimum.
    pub cost: String,
}

/// A change in the comparison.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// By how much, with its interval.
    pub change: String,
}

impl View {
    /// Puts `analysis` into words, with its `figures` and what changed since an earlier report.
    pub fn of(analysis: &Analysis, figures: Figures, changes: Option<&Changes>) -> Self {
        Self {
            title: format!("{} by {}", analysis.metric, analysis.factor),
            verdict: verdict_name(&analysis.minimum.verdict),
            verdict_style: verdict_style(&analysis.minimum.verdict),
            finding: finding::sentence(analysis),
            layers: finding::layers(analysis).iter().map(|layer| format!("{}.", capitalised(layer))).collect(),
            facts: facts(analysis),
            statistic: analysis.statistic.name(),
            best: figure::best(analysis),
            least: least(analysis),
            figures,
            references: analysis.references.iter().map(|result| reference(analysis, result)).collect(),
            steps: analysis.steps.iter().map(step).collect(),
            basins: BasinsView::of(analysis),
            levels: LevelTable::of(analysis),
            has_candidates: !analysis.minimum.candidates.is_empty(),
            pursuits: history::of(analysis).map(|history| PursuitView::of(history, analysis)).collect(),
            warnings: analysis
                .warnings
                .iter()
                .map(|warning| [capitalised(&warning.message()), capitalised(&warning.advice())])
                .collect(),
            ledger: table::ledger(&analysis.ledger),
            has_excluded: analysis.ledger.excluded_in_all() > 0,
            excluded: excluded(analysis),
            changes: changes.map(|changes| ChangesView::of(changes, analysis)),
            methods: methods::paragraphs(analysis),
            definitions: methods::definitions(analysis),
            command: analysis.provenance.command.clone(),
            provenance: provenance(analysis),
            inputs: analysis.inputs().iter().map(InputRow::of).collect(),
            data: data::json(analysis),
        }
    }
}

/// The verdict as it is read.
pub fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Located => "located",
        Verdict::Coarse { .. } => "coarse",
        Verdict::AtEdge { .. } => "at edge",
        Verdict::Flat => "flat",
        Verdict::NotUnimodal { .. } => "not unimodal",
        Verdict::Unresolved { .. } => "unresolved",
    }
}

fn verdict_style(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Located => "settled",
        Verdict::Flat => "neutral",
        _ => "open",
    }
}

fn facts(analysis: &Analysis) -> Vec<Fact> {
    let (all, levels) = (analysis.failures(), analysis.levels());
    let mut facts = Vec::new();
    if let (Some(level), Some(value)) = (&analysis.minimum.level, &analysis.minimum.value) {
        facts.push(estimate_fact(format!("place of the {}", figure::best_of_curve(analysis)), level));
        facts.push(estimate_fact(format!("{} there", analysis.statistic.name()), value));
    }
    if let Some(safe) = analysis.minimum.safe_range {
        facts.push(Fact {
            name: "safe range".into(),
            value: format!("{} to {}", significant(safe.lower, 3), significant(safe.upper, 3)),
            note: format!("shown to cost at most {}", analysis.margin),
        });
    }
    if let Some(value) = &analysis.minimum.cross_fitted {
        let mut fact = estimate_fact("cross-fitted".into(), value);
        let place = if analysis.minimum.assumption == Some(Assumption::Local) { "level" } else { "place" };
        fact.note += &format!(", by runs that did not choose the {place}");
        facts.push(fact);
    }
    let lowest = analysis.observed();
    let mut fact = match analysis.statistic.at(lowest) {
        // The ends of other intervals than the mean's lie at unequal distances.
        Some(value) if analysis.statistic != Statistic::Mean => estimate_fact(least(analysis), &value),
        _ => mean_fact(least(analysis), &lowest.summary.mean),
    };
    let separator = if fact.note.is_empty() { "" } else { ", " };
    fact.note += &format!("{separator}at {}, {}", significant(lowest.level, 4), counted(lowest.summary.n, "run"));
    facts.push(fact);
    facts.push(Fact {
        name: "runs".into(),
        value: count(all.runs),
        note: format!("at {}", counted(levels.len() as u64, "level")),
    });
    if all.failed > 0 {
        facts.push(Fact { name: "failed runs".into(), value: count(all.failed), note: failures::places(&levels) });
    }
    facts
}

/// A mean with the margin of its interval.
fn mean_fact(name: String, mean: &Estimate) -> Fact {
    let value = match mean.interval.map(|interval| interval.margin()) {
        Some(margin) => format!("{} ± {}", to_precision_of(mean.point, margin), aligned(margin, 2)),
        None => significant(mean.point, 5),
    };
    Fact { name, value, note: String::new() }
}

/// `least observed mean`: what the table marks.
fn least(analysis: &Analysis) -> String {
    format!("{} observed {}", analysis.goal.extreme(), analysis.statistic.name())
}

fn estimate_fact(name: String, estimate: &Estimate) -> Fact {
    let Some(interval) = estimate.interval else {
        return Fact { name, value: significant(estimate.point, 4), note: "no interval".into() };
    };
    let rounded = |value: f64| finding::rounded_in(value, interval.margin());
    Fact {
        name,
        value: rounded(estimate.point),
        note: format!(
            "{} interval {} to {}",
            finding::confidence(interval.level),
            rounded(interval.lower),
            rounded(interval.upper)
        ),
    }
}

fn reference(analysis: &Analysis, result: &ReferenceResult) -> ReferenceRow {
    let text = finding::reference(analysis, result).unwrap_or_default();
    let reference = &result.reference;
    ReferenceRow {
        name: if reference.name == reference.expression {
            reference.name.clone()
        } else {
            figure::reference_label(reference)
        },
        level: significant(reference.value, 5),
        value: result.value.as_ref().map_or_else(|| "outside the sweep".into(), finding::with_uncertainty),
        // The name has a column of its own.
        cost: match text.strip_prefix(&format!("{}: ", reference.name)) {
            Some(cost) => cost.to_string(),
            None => "–".into(),
        },
        how: match (&result.value, result.interpolated) {
            (None, _) => "",
            (Some(_), true) => "interpolated between the two nearest levels",
            (Some(_), false) => "a level of the sweep",
        },
    }
}

fn step(step: &Step) -> StepRow {
    let place = |place: &Place| match place.name.as_str() {
        name if name == significant(place.level, 4) => name.to_string(),
        name => format!("{name} ({})", significant(place.level, 4)),
    };
    StepRow { from: place(&step.from), to: place(&step.to), change: finding::change(&step.change) }
}

fn excluded(analysis: &Analysis) -> Vec<[String; 3]> {
    let row = |reason: Exclusion| {
        let place = analysis.ledger.example(reason).unwrap_or("–").to_string();
        [reason.name().to_string(), count(analysis.ledger.excluded(reason)), place]
    };
    Exclusion::ALL.into_iter().map(row).collect()
}

fn provenance(analysis: &Analysis) -> Vec<[String; 2]> {
    let mut rows = vec![["version".to_string(), analysis.provenance.version.clone()]];
    for (name, values) in &analysis.settings {
        rows.push([name.clone(), values.iter().map(|value| excerpt(value)).collect::<Vec<_>>().join(", ")]);
    }
    rows
}

/// With a capital first letter, unless the first word is a path or a number.
fn capitalised(text: &str) -> String {
    let first_word = text.split(' ').next().unwrap_or_default();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if first_word.chars().all(char::is_alphabetic) => first.to_uppercase().chain(characters).collect(),
        _ => text.to_string(),
    }
}
