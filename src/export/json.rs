//! The analysis for programs: `stats --format json` and `summary.json`.
//!
//! The keys are described in the README. Numbers carry every digit; a value that does not exist is `null`, never 0.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Analysis, Group, Place, ReferenceResult, SCHEMA_VERSION, Step};
use crate::provenance::Provenance;
use crate::stats::{ConfidenceInterval, Estimate};
use crate::store::schema::Exclusion;
use crate::warning::Warning;

/// The analysis as indented JSON with a final line break.
pub fn to_string(analysis: &Analysis) -> String {
    // Serialising plain structs of numbers and strings cannot fail.
    let mut text = serde_json::to_string_pretty(&Wire::of(analysis)).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Wire<'a> {
    schema_version: u32,
    factor: &'a str,
    metric: &'a str,
    confidence: f64,
    rows: WireRows<'a>,
    groups: Vec<WireGroup>,
    minimum: WireMinimum,
    references: Vec<WireReference<'a>>,
    steps: Vec<WireStep<'a>>,
    settings: BTreeMap<&'a str, &'a [String]>,
    warnings: &'a [Warning],
    provenance: &'a Provenance,
}

#[derive(Serialize)]
struct WireRows<'a> {
    read: u64,
    used: u64,
    excluded: BTreeMap<Exclusion, u64>,
    first_excluded: BTreeMap<Exclusion, &'a str>,
}

#[derive(Serialize)]
struct WireGroup {
    level: f64,
    n: u64,
    mean: f64,
    std_dev: Option<f64>,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    median: f64,
    q25: f64,
    q75: f64,
    min: f64,
    max: f64,
}

#[derive(Serialize)]
struct WireMinimum {
    observed: WireObserved,
}

#[derive(Serialize)]
struct WireObserved {
    level: f64,
    n: u64,
    mean: f64,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    levels_with_overlapping_interval: usize,
}

#[derive(Serialize)]
struct WireReference<'a> {
    name: &'a str,
    expression: &'a str,
    level: f64,
    mean: Option<f64>,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    interpolated: bool,
}

#[derive(Serialize)]
struct WireStep<'a> {
    from: &'a Place,
    to: &'a Place,
    relative_change: f64,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
}

impl<'a> Wire<'a> {
    fn of(analysis: &'a Analysis) -> Self {
        let ledger = &analysis.ledger;
        let minimum = analysis.minimum();
        let [ci_lower, ci_upper] = ends(minimum.summary.mean.interval);
        Self {
            schema_version: SCHEMA_VERSION,
            factor: &analysis.factor,
            metric: &analysis.metric,
            confidence: analysis.confidence,
            rows: WireRows {
                read: ledger.read,
                used: ledger.used(),
                excluded: Exclusion::ALL.into_iter().map(|reason| (reason, ledger.excluded(reason))).collect(),
                first_excluded: Exclusion::ALL
                    .into_iter()
                    .filter_map(|reason| Some((reason, ledger.example(reason)?)))
                    .collect(),
            },
            groups: analysis.groups.iter().map(WireGroup::of).collect(),
            minimum: WireMinimum {
                observed: WireObserved {
                    level: minimum.level,
                    n: minimum.summary.n,
                    mean: minimum.summary.mean.point,
                    standard_error: minimum.summary.mean.standard_error,
                    ci_lower,
                    ci_upper,
                    levels_with_overlapping_interval: analysis.overlapping,
                },
            },
            references: analysis.references.iter().map(WireReference::of).collect(),
            steps: analysis.steps.iter().map(WireStep::of).collect(),
            settings: analysis.settings.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect(),
            warnings: &analysis.warnings,
            provenance: &analysis.provenance,
        }
    }
}

impl WireGroup {
    fn of(group: &Group) -> Self {
        let summary = &group.summary;
        let [ci_lower, ci_upper] = ends(summary.mean.interval);
        Self {
            level: group.level,
            n: summary.n,
            mean: summary.mean.point,
            std_dev: summary.std_dev,
            standard_error: summary.mean.standard_error,
            ci_lower,
            ci_upper,
            median: summary.median,
            q25: summary.q25,
            q75: summary.q75,
            min: summary.min,
            max: summary.max,
        }
    }
}

impl<'a> WireReference<'a> {
    fn of(result: &'a ReferenceResult) -> Self {
        let [ci_lower, ci_upper] = ends(result.mean.and_then(|mean| mean.interval));
        Self {
            name: &result.reference.name,
            expression: &result.reference.expression,
            level: result.reference.value,
            mean: result.mean.map(|mean| mean.point),
            standard_error: result.mean.and_then(|mean| mean.standard_error),
            ci_lower,
            ci_upper,
            interpolated: result.interpolated,
        }
    }
}

impl<'a> WireStep<'a> {
    fn of(step: &'a Step) -> Self {
        let Estimate { point, standard_error, interval } = step.change;
        let [ci_lower, ci_upper] = ends(interval);
        Self { from: &step.from, to: &step.to, relative_change: point, standard_error, ci_lower, ci_upper }
    }
}

fn ends(interval: Option<ConfidenceInterval>) -> [Option<f64>; 2] {
    [interval.map(|interval| interval.lower), interval.map(|interval| interval.upper)]
}
