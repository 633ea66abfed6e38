//! The answer in a sentence or two: where the loss is lowest, how sure that is, and what the
//! references cost.

use crate::analysis::layers::Assumption;
use crate::analysis::minimum::MinimumAnalysis;
use crate::analysis::{Analysis, ReferenceDifference, ReferencePair, ReferenceResult, Statistic, Step};
use crate::export::failures;
use crate::format::{aligned, count, counted, percent, percent_of, significant, to_precision_of};
use crate::stats::Estimate;
use crate::stats::compare::Verdict as CostVerdict;
use crate::stats::optimum::Span;
use crate::stats::optimum::fit::LackOfFit;
use crate::stats::optimum::noise::NoiseSource;
use crate::stats::optimum::verdict::Verdict;
use crate::stats::smooth::Edge;

/// The finding: where the minimum is, how deep, how sure both are, and the verdict.
pub fn sentence(analysis: &Analysis) -> String {
    let MinimumAnalysis { level, value, assumption, .. } = &analysis.minimum;
    let statistic = analysis.statistic.of(&analysis.metric);
    let best = analysis.goal.best_word();
    let condition = match assumption {
        Some(Assumption::Smooth) => ", by one smooth curve through the levels",
        _ => "",
    };
    let among = failures::condition(analysis).map_or_else(String::new, |among| format!(", {among}"));
    let failed = failures::found(analysis).map_or_else(String::new, |found| format!("; {found}"));
    let found = match (level, value) {
        (Some(level), Some(value)) if !analysis.minimum.is_beside => format!(
            "The {statistic} is {best} at {} = {}, where it is {}{condition}{among}{failed}.",
            analysis.factor,
            with_range(level),
            with_range(value)
        ),
        (Some(level), None) if !analysis.minimum.is_beside => format!(
            "The {statistic} is {best} at {} = {}{among}; how {} it is there, between the levels, nothing bounds{failed}.",
            analysis.factor,
            with_range(level),
            analysis.goal.flattered(),
        ),
        _ => format!("The {best} {statistic} is {}{among}{failed}.", observed(analysis)),
    };
    format!("{found} {}", verdict(analysis))
}

/// What is known under other assumptions than the headline's, each with its own: the bracket, the
/// safe range, the fit, the noise.
pub fn layers(analysis: &Analysis) -> Vec<String> {
    [bracket(analysis), safe_range(analysis), fit(analysis), noise(analysis)].into_iter().flatten().collect()
}

fn bracket(analysis: &Analysis) -> Option<String> {
    let Span { lower, upper } = analysis.minimum.bracket.filter(|_| !analysis.minimum.is_beside)?;
    let (optimum, factor) = (analysis.goal.optimum(), &analysis.factor);
    Some(format!(
        "if the curve has one {}, and nothing else is assumed, the {optimum} lies between {factor} = {} and {}",
        analysis.goal.dip(),
        significant(lower, 4),
        significant(upper, 4)
    ))
}

fn safe_range(analysis: &Analysis) -> Option<String> {
    let minimum = &analysis.minimum;
    if minimum.margin_is_void {
        let (margin, best) = (analysis.margin, analysis.goal.extreme());
        let example = suggested_margin(analysis).map(|margin| format!(", such as --margin {}", significant(margin, 1)));
        return Some(format!(
            "a margin of {margin} of the {best} value cannot be met, since that may be 0 or of either sign: give the margin as a \
             number{}",
            example.unwrap_or_default()
        ));
    }
    let factor = &analysis.factor;
    let margin = analysis.margin;
    let sentence = match minimum.safe_range {
        Some(Span { lower, upper }) => format!(
            "safe range: any {factor} from {} to {} is shown to cost at most {margin} against the {}",
            significant(lower, 3),
            significant(upper, 3),
            analysis.goal.optimum()
        ),
        None => {
            format!("safe range: no {factor} is shown to cost at most {margin} against the {}", analysis.goal.optimum())
        }
    };
    minimum.assumption.map(|_| sentence)
}

/// A twentieth of the range of the levels' values, as an example of a margin; `None` where all are
/// the same.
fn suggested_margin(analysis: &Analysis) -> Option<f64> {
    let values = || analysis.groups.iter().filter_map(|group| analysis.statistic.at(group)).map(|at| at.point);
    let (least, greatest) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    Some((greatest - least) / 20.0).filter(|margin| *margin > 0.0 && margin.is_finite())
}

fn fit(analysis: &Analysis) -> Option<String> {
    let LackOfFit { p_value: p, degrees_of_freedom } = analysis.minimum.lack_of_fit?;
    let verb = if p < LackOfFit::SIGNIFICANT { "contradicts" } else { "agrees with" };
    let equals = if p < 0.001 { p_value(p) } else { format!("= {}", p_value(p)) };
    Some(format!(
        "the curve {verb} its levels (lack of fit: p {equals}, {} degrees of freedom)",
        significant(degrees_of_freedom, 2)
    ))
}

fn noise(analysis: &Analysis) -> Option<String> {
    /// So many degrees of freedom are as good as endlessly many.
    const KNOWN: f64 = 1000.0;
    let (source, degrees) = analysis.minimum.noise?;
    let known = degrees > KNOWN;
    let degrees = format!("{} degrees of freedom", significant(degrees, 3));
    if let Some(blocks) = analysis.blocks.as_ref().filter(|blocks| blocks.used) {
        return Some(format!(
            "noise within blocks of the same {} ({}, {degrees}): differences vary {} less than those of independent runs",
            blocks.column,
            counted(blocks.count, "block"),
            percent_of(blocks.variance_reduction.unwrap_or(0.0).max(0.0))
        ));
    }
    Some(match source {
        NoiseSource::Runs => "noise estimated from each level's own runs".into(),
        NoiseSource::Pooled if known => "noise estimated from the runs of all levels together".into(),
        NoiseSource::Pooled => format!("noise estimated from the runs of all levels together ({degrees})"),
        NoiseSource::Curve => "noise estimated from the curve, not from repeats: no level has two runs".into(),
    })
}

/// The best value as it was observed: `1303 ± 259 (95 % Student t interval), at hidden_std_dev =
/// 0.4541 (n = 64)`.
pub fn observed(analysis: &Analysis) -> String {
    let minimum = analysis.observed();
    let value = match analysis.statistic {
        Statistic::Mean => with_uncertainty(&minimum.summary.mean),
        other => other.at(minimum).as_ref().map(with_range).unwrap_or_default(),
    };
    let (place, n) = (significant(minimum.level, 4), count(analysis.statistic.runs(minimum)));
    format!("{value}, at {} = {place} (n = {n})", analysis.factor)
}

/// What pairing gained, where the runs are compared in pairs.
pub fn paired(analysis: &Analysis) -> Option<String> {
    let paired = analysis.paired?;
    let gain = paired.variance_reduction.map_or_else(String::new, |reduction| {
        let verb = if reduction < 0.0 { "more" } else { "less" };
        format!(
            ": differences between levels vary {} {verb} than those of independent runs",
            percent_of(reduction.abs())
        )
    });
    Some(format!("paired by replicate ({} at every level){gain}", counted(paired.replicates, "replicate")))
}

/// The value at the minimum, or at the best level where place and value are local, by runs that did
/// not choose it.
pub fn cross_fitted(analysis: &Analysis) -> Option<String> {
    let value = analysis.minimum.cross_fitted.as_ref()?;
    let place = match analysis.minimum.assumption {
        Some(Assumption::Local) => "at the best level".into(),
        _ => format!("at the fitted {}", analysis.goal.optimum()),
    };
    Some(format!("{place}: {} by runs that did not choose it", with_range(value)))
}

/// Whether it is settled where the minimum is, and if not, what would settle it.
pub fn verdict(analysis: &Analysis) -> String {
    let (margin, goal) = (analysis.margin.to_string(), analysis.goal);
    let level = |place: &usize| significant(analysis.groups[*place].level, 4);
    match &analysis.minimum.verdict {
        _ if analysis.groups.len() == 1 && !analysis.ineligible.is_empty() => {
            format!(
                "It is the only one of {}, so there is nothing to compare it with.",
                failures::eligible_levels(analysis)
            )
        }
        _ if analysis.groups.len() == 1 => "It is the only level, so there is nothing to compare it with.".into(),
        Verdict::Located => {
            let (name, moves, side) = (analysis.statistic.name(), goal.departure(), goal.worse_side());
            let by = match analysis.minimum.noise {
                Some((NoiseSource::Curve, _)) => ", as far as the curve's own smoothness tells",
                _ => "",
            };
            let optimum = goal.optimum();
            format!(
                "It is located{by}: nowhere in that interval does the {name} {moves} more than {margin} {side} its {optimum}."
            )
        }
        Verdict::Coarse { add } => {
            let places: Vec<String> = add.iter().map(|level| significant(*level, 3)).collect();
            format!("The levels are too far apart to say where: add {} = {}.", analysis.factor, places.join(", "))
        }
        Verdict::AtEdge { .. } if analysis.minimum.is_beside => {
            format!("It lies at {} = {}, beside the axis.", analysis.factor, significant(analysis.observed().level, 4))
        }
        Verdict::AtEdge { edge } => {
            let end = if *edge == Edge::Low { "lower" } else { "upper" };
            if let Some(mut between) = analysis.failures_beyond(*edge) {
                between.sort_by(f64::total_cmp);
                let [from, to] = between.map(|level| significant(level, 4));
                return format!(
                    "It lies at the {end} end of {}, or between {from} and {to}: only levels there would tell more.",
                    failures::eligible_levels(analysis)
                );
            }
            format!("It lies at the {end} end of the sweep or beyond: extend the sweep there.")
        }
        Verdict::Flat => format!("The sweep is flat: no two levels differ by more than {margin}."),
        Verdict::NotUnimodal { dips } => {
            let dips: Vec<String> = dips.iter().map(level).collect();
            let noun = goal.dip();
            format!(
                "Not located: the levels contradict a single {noun}; {} lie near {} = {}.",
                counted(dips.len() as u64, noun),
                analysis.factor,
                dips.join(", ")
            )
        }
        Verdict::Unresolved { .. } if analysis.minimum.margin_is_void => {
            format!(
                "Unresolved{}: {margin} of a value that may be 0 says nothing; give --margin as a number.",
                open_question(analysis)
            )
        }
        Verdict::Unresolved { more_runs, levels } => {
            let advice = match more_runs {
                Some(more) => format!(
                    "; about {} at each of {} would narrow it",
                    counted(*more, "more run"),
                    counted(levels.len() as u64, "level")
                ),
                None => String::new(),
            };
            format!("Unresolved{}{advice}.", open_question(analysis))
        }
    }
}

fn open_question(analysis: &Analysis) -> String {
    let is_answered = matches!(analysis.minimum.verdict, Verdict::Unresolved { more_runs: Some(_), .. });
    if analysis.minimum.level.is_some() && is_answered {
        // The curves say more than the levels one by one.
        return String::new();
    }
    let candidates = analysis.minimum.candidates.iter().filter(|candidate| candidate.in_set).count();
    if candidates == 0 {
        return String::new();
    }
    format!(
        ": {} of {} cannot be excluded as the best",
        count(candidates as u64),
        counted(analysis.groups.len() as u64, if analysis.ineligible.is_empty() { "level" } else { "eligible level" })
    )
}

/// What a reference costs against the minimum: `Xavier: +4.5 % against the minimum (95 % interval
/// −1.2 % to +10.2 %; p = 0.16; undecided)`.
pub fn reference(analysis: &Analysis, result: &ReferenceResult) -> Option<String> {
    let best = format!("the {}", analysis.goal.optimum());
    Some(format!("{}: {}", result.reference.name, difference(analysis, &result.to_minimum?, &best)))
}

/// One reference against another: `Xavier: −4.0 % against 1 (95 % interval …; p = 0.01; better by
/// more than 1 %)`.
pub fn pair(analysis: &Analysis, pair: &ReferencePair) -> String {
    format!("{}: {}", pair.to.name, difference(analysis, &pair.found, &pair.from.name))
}

fn difference(analysis: &Analysis, found: &ReferenceDifference, against: &str) -> String {
    let (shown, text): (&Estimate, fn(f64) -> String) = match &found.relative {
        Some(relative) => (relative, percent),
        None => (&found.difference, |value| significant(value, 3)),
    };
    let interval = shown.interval.map(|interval| {
        let ends = [interval.lower, interval.upper].map(text);
        format!("{} interval {} to {}; ", confidence(interval.level), ends[0], ends[1])
    });
    let p = if found.p_value < 0.001 { p_value(found.p_value) } else { format!("= {}", p_value(found.p_value)) };
    let optimum = analysis.goal.optimum();
    let claim = match found.verdict {
        verdict if !found.may_be_optimum => verdict_of(verdict, analysis),
        CostVerdict::Equivalent => format!("may be the {optimum} itself, and {}", verdict_of(found.verdict, analysis)),
        _ => format!("may be the {optimum} itself"),
    };
    format!("{} against {against} ({}p {p}; {claim})", text(shown.point), interval.unwrap_or_default())
}

fn verdict_of(verdict: CostVerdict, analysis: &Analysis) -> String {
    let margin = analysis.margin;
    match verdict {
        CostVerdict::Better => format!("better by more than {margin}"),
        CostVerdict::Worse => format!("worse by more than {margin}"),
        CostVerdict::Equivalent => format!("equivalent to it within {margin}"),
        CostVerdict::Undecided => format!("undecided at a margin of {margin}"),
    }
}

/// A p value as people write it.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "below 0.001".into() } else { significant(p, 2) }
}

/// An estimate with the ends of its interval: `0.604 (95 % interval 0.591 to 0.622)`.
pub fn with_range(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => {
            let rounded = |value: f64| rounded_in(value, interval.margin());
            format!(
                "{} ({} interval {} to {})",
                rounded(estimate.point),
                confidence(interval.level),
                rounded(interval.lower),
                rounded(interval.upper)
            )
        }
        None => significant(estimate.point, 4),
    }
}

/// `value` as precise as `margin` justifies; one far smaller than that keeps two digits of its own,
/// for on a logarithmic axis 0.0031 is not 0.00.
pub fn rounded_in(value: f64, margin: f64) -> String {
    const SMALL: f64 = 0.1;
    let is_small = value != 0.0 && value.abs() < SMALL * margin;
    to_precision_of(value, if is_small { value.abs() } else { margin })
}

/// The step in words: `Xavier → minimum: −1.1 % (95 % interval −3.0 % to +0.9 %)`.
pub fn step(step: &Step) -> String {
    format!("{} → {}: {}", step.from.name, step.to.name, change(&step.change))
}

/// A relative change with its interval.
pub fn change(change: &Estimate) -> String {
    match change.interval {
        Some(interval) => format!(
            "{} ({} interval {} to {})",
            percent(change.point),
            confidence(interval.level),
            percent(interval.lower),
            percent(interval.upper)
        ),
        None => format!("{} (no interval)", percent(change.point)),
    }
}

/// A mean with the interval it is known to: `1580.4 ± 8.1 (95 % Student t interval)`.
pub fn with_uncertainty(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => format!(
            "{} ± {} ({} {} interval)",
            to_precision_of(estimate.point, interval.margin()),
            aligned(interval.margin(), 2),
            confidence(interval.level),
            interval.method.name()
        ),
        None => format!("{} (no interval)", significant(estimate.point, 5)),
    }
}

/// 0.95 as `95 %`, 0.991667 as `99.17 %`: two decimals, and two digits of what is missing to 100 %.
pub fn confidence(level: f64) -> String {
    let missing = (1.0 - level) * 100.0;
    let decimals = libm::ceil(1.0 - libm::log10(missing)).clamp(2.0, 15.0) as usize;
    let percent = format!("{:.decimals$}", level * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_shows_what_is_missing() {
        for (level, text) in [
            (0.95, "95 %"),
            (0.9, "90 %"),
            (0.6827, "68.27 %"),
            (1.0 - 0.05 / 6.0, "99.17 %"),
            (0.9995, "99.95 %"),
            (0.99999, "99.999 %"),
        ] {
            assert_eq!(confidence(level), text);
        }
    }
}
