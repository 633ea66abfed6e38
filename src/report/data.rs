//! The numbers behind the page, for its script: every digit, as JSON, by column.
//!
//! The text cannot end the element that holds it: `<`, `>` and `&` are written as escapes.

use serde::Serialize;

use crate::analysis::failures::{Failures, LevelEntry};
use crate::analysis::{Along, Analysis, Group, Statistic};
use crate::export::finding;
use crate::figure::data as figure;
use crate::format::{aligned, count, significant, to_precision_of};
use crate::report::levels::{level_text, share_text};
use crate::stats::Estimate;

/// Up to this many pairs of reference and colour the figures use; the page's script repeats them in
/// the same way.
#[derive(Serialize)]
struct Page<'a> {
    title: String,
    factor: &'a str,
    metric: &'a str,
    x_label: String,
    y_label: String,
    caption: String,
    confidence: String,
    logarithmic: bool,
    /// What is minimised, as the axes, the numbers and the minimum call it.
    statistic: &'static str,
    best: String,
    columns: Columns,
    /// The statistic at each level; absent where it is the mean, which stands in the columns.
    measured: Option<Measured>,
    shown: Vec<Shown>,
    lowest: usize,
    fitted: Option<Fitted>,
    references: Vec<Line>,
}

/// One entry a level. The names are those of `summary.csv`, as far as they stand there.
#[derive(Serialize)]
struct Columns {
    level: Vec<f64>,
    n: Vec<u64>,
    mean: Vec<Option<f64>>,
    std_dev: Vec<Option<f64>>,
    standard_error: Vec<Option<f64>>,
    ci_lower: Vec<Option<f64>>,
    ci_upper: Vec<Option<f64>>,
    median: Vec<Option<f64>>,
    q25: Vec<Option<f64>>,
    q75: Vec<Option<f64>>,
    min: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trimmed_mean: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    solved_share: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    p_best: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_confidence_set: Vec<Option<bool>>,
    #[serde(flatten)]
    failures: Option<FailureColumns>,
}

/// Only where runs failed.
#[derive(Serialize)]
struct FailureColumns {
    runs: Vec<u64>,
    failed: Vec<u64>,
    failed_share: Vec<Option<f64>>,
    eligible: Vec<bool>,
}

impl FailureColumns {
    fn new(levels: &[LevelEntry<'_>]) -> Self {
        Self {
            runs: levels.iter().map(|entry| entry.failures.runs).collect(),
            failed: levels.iter().map(|entry| entry.failures.failed).collect(),
            failed_share: levels.iter().map(|entry| entry.failures.share.map(|share| share.point)).collect(),
            eligible: levels.iter().map(|entry| entry.index.is_some()).collect(),
        }
    }
}

/// One entry a level.
#[derive(Serialize)]
struct Measured {
    value: Vec<Option<f64>>,
    standard_error: Vec<Option<f64>>,
    ci_lower: Vec<Option<f64>>,
    ci_upper: Vec<Option<f64>>,
}

/// What is shown where somebody points at a level.
#[derive(Serialize)]
struct Shown {
    level: String,
    n: String,
    /// The statistic with its interval.
    ci: String,
    /// The same with its standard error.
    se: String,
    /// The same with the runs' standard deviation.
    sd: String,
    /// With its interval, whose ends are order statistics; absent where it is the statistic.
    median: Option<String>,
    /// Absent where it is the statistic.
    solved: Option<String>,
    /// How many runs failed; absent where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

#[derive(Serialize)]
struct Fitted {
    level: f64,
    lower: Option<f64>,
    upper: Option<f64>,
    label: String,
}

#[derive(Serialize)]
struct Line {
    level: f64,
    label: String,
}

/// The data of `analysis` as JSON that may stand inside a `script` element.
pub fn json(analysis: &Analysis) -> String {
    // Serialising plain structs of numbers and strings cannot fail.
    let text = serde_json::to_string(&Page::of(analysis)).unwrap_or_default();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

impl<'a> Page<'a> {
    fn of(analysis: &'a Analysis) -> Self {
        let levels = analysis.levels();
        let drawn = analysis.references.iter().map(|result| &result.reference).filter(|reference| reference.drawn);
        Self {
            title: figure::title(analysis),
            factor: &analysis.factor,
            metric: &analysis.metric,
            x_label: figure::factor_name(&analysis.factor).into(),
            y_label: figure::statistic_label(analysis),
            caption: figure::caption(analysis),
            confidence: finding::confidence(analysis.confidence),
            logarithmic: analysis.along == Along::Log,
            statistic: analysis.statistic.name(),
            best: figure::best_of_curve(analysis),
            columns: Columns::of(analysis, &levels),
            measured: (analysis.statistic != Statistic::Mean).then(|| Measured::of(analysis, &levels)),
            shown: levels.iter().map(|entry| Shown::of(entry, analysis.statistic)).collect(),
            lowest: levels.iter().position(|entry| entry.index == Some(analysis.observed_minimum)).unwrap_or(0),
            fitted: analysis.minimum.level.as_ref().map(|level| Fitted::of(level, &figure::best_of_curve(analysis))),
            references: drawn
                .map(|reference| Line { level: reference.value, label: figure::reference_label(reference) })
                .collect(),
        }
    }
}

impl Columns {
    fn of(analysis: &Analysis, levels: &[LevelEntry<'_>]) -> Self {
        let candidates = &analysis.minimum.candidates;
        let column = |of: fn(&Group) -> Option<f64>| levels.iter().map(|entry| entry.group.and_then(of)).collect();
        // Columns that no level has a value in are left out.
        let optional = |of: fn(&Group) -> Option<f64>| {
            let values: Vec<Option<f64>> = column(of);
            if values.iter().any(Option::is_some) { values } else { Vec::new() }
        };
        let candidate = |entry: &LevelEntry<'_>| entry.index.and_then(|index| candidates.get(index));
        let judged = if candidates.is_empty() { &[] } else { levels };
        Self {
            level: levels.iter().map(|entry| entry.level).collect(),
            n: levels.iter().map(|entry| entry.group.map_or(0, |group| group.summary.n)).collect(),
            mean: column(|group| Some(group.summary.mean.point)),
            std_dev: column(|group| group.summary.std_dev),
            standard_error: column(|group| group.summary.mean.standard_error),
            ci_lower: column(|group| group.summary.mean.interval.map(|ends| ends.lower)),
            ci_upper: column(|group| group.summary.mean.interval.map(|ends| ends.upper)),
            median: column(|group| group.summary.median),
            q25: column(|group| group.summary.q25),
            q75: column(|group| group.summary.q75),
            min: column(|group| group.summary.min),
            max: column(|group| group.summary.max),
            trimmed_mean: optional(|group| group.trimmed_mean.map(|mean| mean.point)),
            solved_share: optional(|group| group.solved_share().map(|share| share.point)),
            p_best: judged.iter().map(|entry| candidate(entry).map(|found| found.probability)).collect(),
            in_confidence_set: judged.iter().map(|entry| candidate(entry).map(|found| found.in_set)).collect(),
            failures: analysis.has_failures().then(|| FailureColumns::new(levels)),
        }
    }
}

impl Measured {
    fn of(analysis: &Analysis, levels: &[LevelEntry<'_>]) -> Self {
        let column = |of: fn(Estimate) -> Option<f64>| {
            let at = |entry: &LevelEntry<'_>| entry.group.and_then(|group| analysis.statistic.at(group)).and_then(of);
            levels.iter().map(at).collect()
        };
        Self {
            value: column(|at| Some(at.point)),
            standard_error: column(|at| at.standard_error),
            ci_lower: column(|at| at.interval.map(|ends| ends.lower)),
            ci_upper: column(|at| at.interval.map(|ends| ends.upper)),
        }
    }
}

impl Shown {
    fn of(entry: &LevelEntry<'_>, statistic: Statistic) -> Self {
        let found = entry.group.and_then(|group| statistic.at(group));
        let around = |margin: Option<f64>| match (found, margin) {
            (Some(at), Some(margin)) => format!("{} ± {}", to_precision_of(at.point, margin), aligned(margin, 2)),
            (Some(at), None) => significant(at.point, 5),
            (None, _) => "not known".into(),
        };
        // The ends of other intervals than the mean's lie at unequal distances.
        let is_mean = statistic == Statistic::Mean;
        let median = entry.group.and_then(|group| group.median.as_ref());
        let solved = entry.group.and_then(Group::solved_share);
        let Failures { runs, failed, .. } = *entry.failures;
        Self {
            level: level_text(entry.level),
            n: count(entry.group.map_or(0, |group| group.summary.n)),
            ci: match found {
                Some(at) if !is_mean => with_margins(&at),
                _ => around(found.and_then(|at| at.interval).map(|interval| interval.margin())),
            },
            se: around(found.and_then(|at| at.standard_error)),
            sd: around(entry.group.and_then(|group| group.summary.std_dev).filter(|_| is_mean)),
            median: median.filter(|_| statistic != Statistic::Median).map(with_margins),
            solved: solved.filter(|_| statistic != Statistic::SolvedShare).map(|share| share_text(share.point)),
            failed: (failed > 0).then(|| format!("{} of {}", count(failed), count(runs))),
        }
    }
}

/// `1067 (780 to 1421)`.
fn with_margins(estimate: &Estimate) -> String {
    let Some(interval) = estimate.interval else { return significant(estimate.point, 5) };
    let rounded = |value: f64| to_precision_of(value, interval.margin());
    format!("{} ({} to {})", rounded(estimate.point), rounded(interval.lower), rounded(interval.upper))
}

impl Fitted {
    fn of(level: &Estimate, best: &str) -> Self {
        let label = match level.interval {
            Some(interval) => format!("{best} {}", to_precision_of(level.point, interval.margin())),
            None => format!("{best} {}", level_text(level.point)),
        };
        let [lower, upper] =
            [level.interval.map(|interval| interval.lower), level.interval.map(|interval| interval.upper)];
        Self { level: level.point, lower, upper, label }
    }
}
