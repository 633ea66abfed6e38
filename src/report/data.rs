//! The numbers behind the page, for its script: every digit, as JSON, by column.
//!
//! The text cannot end the element that holds it: `<`, `>` and `&` are written as escapes.

use serde::Serialize;

use crate::analysis::{Along, Analysis, Group, Statistic};
use crate::export::finding;
use crate::figure::data as figure;
use crate::format::{aligned, count, significant, to_precision_of};
use crate::report::levels::{level_text, share_text};
use crate::stats::Estimate;

/// Up to this many pairs of reference and colour the figures use; the page's script repeats them in the same way.
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
    mean: Vec<f64>,
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
    p_best: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_confidence_set: Vec<bool>,
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
            columns: Columns::of(analysis),
            measured: (analysis.statistic != Statistic::Mean).then(|| Measured::of(analysis)),
            shown: analysis.groups.iter().map(|group| Shown::of(group, analysis.statistic)).collect(),
            lowest: analysis.observed_minimum,
            fitted: analysis.minimum.level.as_ref().map(|level| Fitted::of(level, &figure::best_of_curve(analysis))),
            references: drawn
                .map(|reference| Line { level: reference.value, label: figure::reference_label(reference) })
                .collect(),
        }
    }
}

impl Columns {
    fn of(analysis: &Analysis) -> Self {
        let groups = &analysis.groups;
        let candidates = &analysis.minimum.candidates;
        let has_solved = groups.iter().any(|group| group.basins.is_some());
        let has_trimmed = groups.iter().any(|group| group.trimmed_mean.is_some());
        let trimmed = |group: &Group| group.trimmed_mean.map(|mean| mean.point);
        let solved = |group: &Group| group.solved_share().map(|share| share.point);
        Self {
            level: groups.iter().map(|group| group.level).collect(),
            n: groups.iter().map(|group| group.summary.n).collect(),
            mean: groups.iter().map(|group| group.summary.mean.point).collect(),
            std_dev: groups.iter().map(|group| group.summary.std_dev).collect(),
            standard_error: groups.iter().map(|group| group.summary.mean.standard_error).collect(),
            ci_lower: groups.iter().map(|group| group.summary.mean.interval.map(|ends| ends.lower)).collect(),
            ci_upper: groups.iter().map(|group| group.summary.mean.interval.map(|ends| ends.upper)).collect(),
            median: groups.iter().map(|group| group.summary.median).collect(),
            q25: groups.iter().map(|group| group.summary.q25).collect(),
            q75: groups.iter().map(|group| group.summary.q75).collect(),
            min: groups.iter().map(|group| group.summary.min).collect(),
            max: groups.iter().map(|group| group.summary.max).collect(),
            trimmed_mean: if has_trimmed { groups.iter().map(trimmed).collect() } else { Vec::new() },
            solved_share: if has_solved { groups.iter().map(solved).collect() } else { Vec::new() },
            p_best: candidates.iter().map(|candidate| candidate.probability).collect(),
            in_confidence_set: candidates.iter().map(|candidate| candidate.in_set).collect(),
        }
    }
}

impl Measured {
    fn of(analysis: &Analysis) -> Self {
        let column = |of: fn(Estimate) -> Option<f64>| {
            analysis.groups.iter().map(|group| analysis.statistic.at(group).and_then(of)).collect()
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
    fn of(group: &Group, statistic: Statistic) -> Self {
        let summary = &group.summary;
        let found = statistic.at(group);
        let around = |margin: Option<f64>| match (found, margin) {
            (Some(at), Some(margin)) => format!("{} ± {}", to_precision_of(at.point, margin), aligned(margin, 2)),
            (Some(at), None) => significant(at.point, 5),
            (None, _) => "not known".into(),
        };
        // The ends of other intervals than the mean's lie at unequal distances.
        let is_mean = statistic == Statistic::Mean;
        Self {
            level: level_text(group.level),
            n: count(summary.n),
            ci: match found {
                Some(at) if !is_mean => with_margins(&at),
                _ => around(found.and_then(|at| at.interval).map(|interval| interval.margin())),
            },
            se: around(found.and_then(|at| at.standard_error)),
            sd: around(summary.std_dev.filter(|_| is_mean)),
            median: group.median.as_ref().filter(|_| statistic != Statistic::Median).map(with_margins),
            solved: group
                .solved_share()
                .filter(|_| statistic != Statistic::SolvedShare)
                .map(|share| share_text(share.point)),
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
