//! The analysis for programs: `stats --format json` and `summary.json`.
//!
//! The keys are described in the README. Numbers carry every digit; a value that does not exist is
//! `null`, never 0.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::failures::LevelEntry;
use crate::analysis::groups::Quantile;
use crate::analysis::layers::Assumption;
use crate::analysis::minimum::MinimumAnalysis;
use crate::analysis::{
    Along, Analysis, BasinRule, Basis, BlockRuns, Goal, Group, PairedRuns, Place, ReferenceDifference, ReferencePair,
    ReferenceResult, SCHEMA_VERSION, Statistic, Step,
};
use crate::baseline::Changes;
use crate::data::{Exclusion, RowLedger};
use crate::export::changes::WireChanges;
use crate::format::json;
use crate::provenance::Provenance;
use crate::stats::basins::{Basin, Share};
use crate::stats::optimum::Span;
use crate::stats::optimum::fit::LackOfFit;
use crate::stats::optimum::noise::NoiseSource;
use crate::stats::optimum::verdict;
use crate::stats::smooth::Edge;
use crate::stats::{self, ConfidenceInterval, Estimate, Summary};
use crate::warning::Warning;

/// The analysis, with what changed since an earlier report, as indented JSON with a final line
/// break.
pub fn to_string(analysis: &Analysis, changes: Option<&Changes>) -> String {
    let wire = Wire { changes: changes.map(WireChanges::of), ..Wire::of(analysis) };
    json(&wire)
}

#[derive(Serialize)]
struct Wire<'a> {
    schema_version: u32,
    factor: &'a str,
    metric: &'a str,
    confidence: f64,
    goal: Goal,
    x_scale: Along,
    statistic: Statistic,
    basis: Basis,
    basins_from: Option<&'static str>,
    rows: WireRows<'a>,
    max_failed: Option<f64>,
    failed_as: Option<f64>,
    groups: Vec<WireGroup>,
    minimum: WireMinimum,
    references: Vec<WireReference<'a>>,
    reference_pairs: Vec<WirePair<'a>>,
    paired: Option<PairedRuns>,
    blocks: Option<&'a BlockRuns>,
    steps: Vec<WireStep<'a>>,
    settings: BTreeMap<&'a str, &'a [String]>,
    changes: Option<WireChanges<'a>>,
    warnings: &'a [Warning],
    provenance: &'a Provenance,
}

/// What became of every row.
#[derive(Debug, Serialize)]
pub struct WireRows<'a> {
    read: u64,
    used: u64,
    failed: u64,
    excluded: BTreeMap<Exclusion, u64>,
    first_excluded: BTreeMap<Exclusion, &'a str>,
}

impl<'a> WireRows<'a> {
    /// The entries of `ledger`, zeros too.
    pub fn of(ledger: &'a RowLedger) -> Self {
        Self {
            read: ledger.read,
            used: ledger.used(),
            failed: ledger.failed,
            excluded: Exclusion::ALL.into_iter().map(|reason| (reason, ledger.excluded(reason))).collect(),
            first_excluded: Exclusion::ALL
                .into_iter()
                .filter_map(|reason| Some((reason, ledger.example(reason)?)))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct WireGroup {
    level: f64,
    runs: u64,
    failed: u64,
    failed_share: Option<WireInterval>,
    eligible: bool,
    n: u64,
    mean: Option<f64>,
    std_dev: Option<f64>,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    median: Option<f64>,
    q25: Option<f64>,
    q75: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    p_best: Option<f64>,
    in_confidence_set: Option<bool>,
    solved_share: Option<WireEstimate>,
    median_ci_lower: Option<f64>,
    median_ci_upper: Option<f64>,
    trimmed_mean: Option<WireEstimate>,
    interquartile_mean: Option<WireEstimate>,
    quantiles: Vec<WireQuantile>,
    basins: Option<BTreeMap<Basin, WireShare>>,
    solved_mean: Option<WireEstimate>,
}

#[derive(Serialize)]
struct WireQuantile {
    share: f64,
    estimate: f64,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
}

/// An estimate without a standard error.
#[derive(Serialize)]
struct WireInterval {
    estimate: f64,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
}

impl WireInterval {
    fn new(estimate: &Estimate) -> Self {
        let [ci_lower, ci_upper] = ends(estimate.interval);
        Self { estimate: estimate.point, ci_lower, ci_upper }
    }
}

#[derive(Serialize)]
struct WireShare {
    count: u64,
    estimate: f64,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
}

impl WireShare {
    fn of(share: &Share) -> Self {
        let [ci_lower, ci_upper] = ends(share.share.interval);
        Self { count: share.count, estimate: share.share.point, ci_lower, ci_upper }
    }
}

#[derive(Serialize)]
pub(super) struct WireEstimate {
    estimate: f64,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
}

impl WireEstimate {
    pub(super) fn of(estimate: &Estimate) -> Self {
        let [ci_lower, ci_upper] = ends(estimate.interval);
        Self { estimate: estimate.point, standard_error: estimate.standard_error, ci_lower, ci_upper }
    }
}

#[derive(Serialize)]
struct WireSpan {
    lower: f64,
    upper: f64,
}

impl WireSpan {
    fn new(span: Span) -> Self {
        Self { lower: span.lower, upper: span.upper }
    }
}

#[derive(Serialize)]
struct WireSafeRange {
    lower: f64,
    upper: f64,
    margin: f64,
}

#[derive(Serialize)]
struct WireMinimum {
    observed: WireObserved,
    bracket: Option<WireSpan>,
    fitted: Option<WireFitted>,
    lack_of_fit: Option<LackOfFit>,
    safe_range: Option<WireSafeRange>,
    noise: Option<NoiseSource>,
    noise_degrees_of_freedom: Option<f64>,
    cross_fitted: Option<WireEstimate>,
    confidence_set: Vec<f64>,
    /// Absent if a share of the best value is no margin, that being 0 or of either sign.
    margin: Option<f64>,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    edge: Option<Edge>,
    /// About how many more runs at each of `undecided_levels` settle it.
    more_runs_per_level: Option<u64>,
    undecided_levels: Vec<f64>,
    /// Of `coarse`: levels that would help most.
    add_levels: Vec<f64>,
    /// Of `not_unimodal`: the best level of each dip.
    dips: Vec<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Located,
    Coarse,
    AtEdge,
    Flat,
    NotUnimodal,
    Unresolved,
}

#[derive(Serialize)]
struct WireFitted {
    assumption: Option<Assumption>,
    level: f64,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    value: Option<f64>,
    value_standard_error: Option<f64>,
    value_ci_lower: Option<f64>,
    value_ci_upper: Option<f64>,
}

impl WireMinimum {
    fn of(analysis: &Analysis, observed: WireObserved) -> Self {
        let MinimumAnalysis { level, value, candidates, cross_fitted, .. } = &analysis.minimum;
        let minimum = &analysis.minimum;
        let level_of = |place: &usize| analysis.groups[*place].level;
        let levels_of = |places: &[usize]| places.iter().map(level_of).collect::<Vec<_>>();
        let (mut edge, mut more_runs_per_level) = (None, None);
        let (mut undecided_levels, mut add_levels, mut dips) = (Vec::new(), Vec::new(), Vec::new());
        let verdict = match &minimum.verdict {
            verdict::Verdict::Located => Verdict::Located,
            verdict::Verdict::Coarse { add } => {
                add_levels.clone_from(add);
                Verdict::Coarse
            }
            verdict::Verdict::AtEdge { edge: end } => {
                edge = Some(*end);
                Verdict::AtEdge
            }
            verdict::Verdict::Flat => Verdict::Flat,
            verdict::Verdict::NotUnimodal { dips: places } => {
                dips = levels_of(places);
                Verdict::NotUnimodal
            }
            verdict::Verdict::Unresolved { more_runs, levels } => {
                more_runs_per_level = *more_runs;
                undecided_levels = levels_of(levels);
                Verdict::Unresolved
            }
        };
        let fitted = level.map(|level| {
            let value_ends = value.map_or([None, None], |value| ends(value.interval));
            let ([ci_lower, ci_upper], [value_ci_lower, value_ci_upper]) = (ends(level.interval), value_ends);
            WireFitted {
                assumption: minimum.assumption,
                level: level.point,
                ci_lower,
                ci_upper,
                value: value.map(|value| value.point),
                value_standard_error: value.and_then(|value| value.standard_error),
                value_ci_lower,
                value_ci_upper,
            }
        });
        let in_set = candidates.iter().enumerate().filter(|(_, candidate)| candidate.in_set);
        Self {
            observed,
            bracket: minimum.bracket.map(WireSpan::new),
            fitted,
            lack_of_fit: minimum.lack_of_fit,
            safe_range: minimum.safe_range.map(|range| WireSafeRange {
                lower: range.lower,
                upper: range.upper,
                margin: minimum.margin,
            }),
            noise: minimum.noise.map(|(source, _)| source),
            noise_degrees_of_freedom: minimum.noise.map(|(_, degrees)| degrees),
            cross_fitted: cross_fitted.as_ref().map(WireEstimate::of),
            confidence_set: in_set.map(|(place, _)| level_of(&place)).collect(),
            margin: (!minimum.margin_is_void).then_some(minimum.margin),
            verdict,
            edge,
            more_runs_per_level,
            undecided_levels,
            add_levels,
            dips,
        }
    }
}

#[derive(Serialize)]
struct WireObserved {
    level: f64,
    n: u64,
    mean: f64,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    value: Option<WireEstimate>,
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
    value: Option<WireEstimate>,
    difference_to_minimum: Option<WireDifference>,
}

#[derive(Serialize)]
struct WirePair<'a> {
    from: &'a Place,
    to: &'a Place,
    difference: WireDifference,
}

impl<'a> WirePair<'a> {
    fn of(pair: &'a ReferencePair) -> Self {
        Self { from: &pair.from, to: &pair.to, difference: WireDifference::of(&pair.found) }
    }
}

#[derive(Serialize)]
struct WireDifference {
    estimate: f64,
    percent: Option<f64>,
    percent_ci_lower: Option<f64>,
    percent_ci_upper: Option<f64>,
    standard_error: Option<f64>,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    p_value: f64,
    verdict: stats::compare::Verdict,
    may_be_optimum: bool,
    variance_reduction: Option<f64>,
}

impl WireDifference {
    fn of(found: &ReferenceDifference) -> Self {
        let ReferenceDifference { difference, relative, p_value, verdict, may_be_optimum, variance_reduction } = *found;
        let [ci_lower, ci_upper] = ends(difference.interval);
        let [percent_ci_lower, percent_ci_upper] =
            ends(relative.and_then(|relative| relative.interval)).map(|end| end.map(|end| 100.0 * end));
        let standard_error = difference.standard_error;
        Self {
            estimate: difference.point,
            percent: relative.map(|relative| 100.0 * relative.point),
            percent_ci_lower,
            percent_ci_upper,
            standard_error,
            ci_lower,
            ci_upper,
            p_value,
            verdict,
            may_be_optimum,
            variance_reduction,
        }
    }
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
        let minimum = analysis.observed();
        let [ci_lower, ci_upper] = ends(minimum.summary.mean.interval);
        Self {
            schema_version: SCHEMA_VERSION,
            factor: &analysis.factor,
            metric: &analysis.metric,
            confidence: analysis.confidence,
            goal: analysis.goal,
            x_scale: analysis.along,
            statistic: analysis.statistic,
            basis: analysis.basis,
            basins_from: analysis.basin_rule.map(|rule| match rule {
                BasinRule::FinalLoss { .. } => "final_loss",
                BasinRule::TotalLoss { .. } => "total_loss",
            }),
            rows: WireRows::of(&analysis.ledger),
            max_failed: analysis.eligibility.max_failed,
            failed_as: analysis.eligibility.failed_as,
            groups: analysis.levels().iter().map(|entry| WireGroup::new(analysis, entry)).collect(),
            minimum: WireMinimum::of(
                analysis,
                WireObserved {
                    level: minimum.level,
                    n: minimum.summary.n,
                    mean: minimum.summary.mean.point,
                    standard_error: minimum.summary.mean.standard_error,
                    ci_lower,
                    ci_upper,
                    value: analysis.statistic.at(minimum).as_ref().map(WireEstimate::of),
                    levels_with_overlapping_interval: analysis.overlapping,
                },
            ),
            references: analysis.references.iter().map(WireReference::of).collect(),
            reference_pairs: analysis.pairs.iter().map(WirePair::of).collect(),
            paired: analysis.paired,
            blocks: analysis.blocks.as_ref(),
            steps: analysis.steps.iter().map(WireStep::of).collect(),
            settings: analysis.settings.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect(),
            changes: None,
            warnings: &analysis.warnings,
            provenance: &analysis.provenance,
        }
    }
}

impl WireGroup {
    fn new(analysis: &Analysis, entry: &LevelEntry<'_>) -> Self {
        let (group, summary) = (entry.group, entry.group.map(|group| &group.summary));
        let of = |value: fn(&Summary) -> Option<f64>| summary.and_then(value);
        let candidate = entry.index.and_then(|index| analysis.minimum.candidates.get(index));
        let [ci_lower, ci_upper] = ends(summary.and_then(|summary| summary.mean.interval));
        let [median_ci_lower, median_ci_upper] = ends(group.and_then(|group| group.median?.interval));
        let basins = group.and_then(|group| group.basins.as_ref());
        let quantile = |quantile: &Quantile| {
            let [ci_lower, ci_upper] = ends(quantile.estimate.interval);
            WireQuantile { share: quantile.share, estimate: quantile.estimate.point, ci_lower, ci_upper }
        };
        Self {
            level: entry.level,
            runs: entry.failures.runs,
            failed: entry.failures.failed,
            failed_share: entry.failures.share.as_ref().map(WireInterval::new),
            eligible: entry.index.is_some(),
            n: summary.map_or(0, |summary| summary.n),
            mean: of(|summary| Some(summary.mean.point)),
            std_dev: of(|summary| summary.std_dev),
            standard_error: of(|summary| summary.mean.standard_error),
            ci_lower,
            ci_upper,
            median: of(|summary| summary.median),
            q25: of(|summary| summary.q25),
            q75: of(|summary| summary.q75),
            min: of(|summary| summary.min),
            max: of(|summary| summary.max),
            p_best: candidate.map(|candidate| candidate.probability),
            in_confidence_set: candidate.map(|candidate| candidate.in_set),
            solved_share: group.and_then(Group::solved_share).map(WireEstimate::of),
            median_ci_lower,
            median_ci_upper,
            trimmed_mean: group.and_then(|group| group.trimmed_mean.as_ref()).map(WireEstimate::of),
            interquartile_mean: group.and_then(|group| group.interquartile_mean.as_ref()).map(WireEstimate::of),
            quantiles: group.into_iter().flat_map(|group| &group.quantiles).map(quantile).collect(),
            basins: basins.map(|basins| basins.shares.iter().map(|s| (s.basin, WireShare::of(s))).collect()),
            solved_mean: basins.and_then(|basins| basins.solved_mean.as_ref()).map(WireEstimate::of),
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
            value: result.value.as_ref().map(WireEstimate::of),
            difference_to_minimum: result.to_minimum.as_ref().map(WireDifference::of),
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
