//! How the numbers are defined, in words.

use crate::analysis::failures::Failures;
use crate::analysis::layers::Assumption;
use crate::analysis::{Along, Analysis, Statistic};
use crate::export::{failures, finding};
use crate::format::{count, counted, significant};
use crate::report::basins;
use crate::stats::Method;

/// How the numbers came about, by paragraph.
pub fn paragraphs(analysis: &Analysis) -> Vec<String> {
    let confidence = finding::confidence(analysis.confidence);
    let runs = counted(analysis.failures().runs, "run");
    let (optimum, extreme) = (analysis.goal.optimum(), analysis.goal.extreme());
    let mut paragraphs = vec![
        format!(
            "{runs} at {} of {} were grouped by exact value and lie on the axis {}. Which levels cannot be excluded as the best at \
             {confidence}: multiple comparisons with the best (Hsu 1981), all levels accounted for. The {extreme} observed mean is also \
             given; as the {extreme} of many noisy means it tends to be too {}.",
            counted(analysis.levels().len() as u64, "level"),
            analysis.factor,
            along(analysis),
            analysis.goal.flattered(),
        ),
        layers(analysis, &confidence),
    ];
    paragraphs.extend(failed_runs(analysis, &confidence));
    paragraphs.push(
        format!(
            "{} p is adjusted over the references (Holm 1979); the verdict is against a margin of {} (two one-sided tests, \
             Schuirmann 1987). The mean at a reference between two levels is interpolated linearly along the axis. Relative \
             changes of observed means are ratios of means minus 1, with {confidence} intervals by Fieller's method; they \
             do not know that the {optimum} was chosen as the {extreme} of all means.",
            differences(analysis),
            analysis.margin.of_optimum(optimum)
        ),
    );
    if analysis.minimum.is_refined() {
        paragraphs.push(format!(
            "Most runs are at levels that were put around the {optimum}, with the same draws at each. Place and value of the \
             {optimum} are therefore those of a cubic through them, and references are compared with its value there: by their own \
             runs where they have as many, else by the cubic. The interval of the place holds every place at which its slope is not significantly different from 0 (Fieller 1954), with the \
             covariances of the paired runs."
        ));
    }
    paragraphs
}

/// What became of failed runs; `None` if there are none.
fn failed_runs(analysis: &Analysis, confidence: &str) -> Option<String> {
    let Failures { runs, failed, .. } = analysis.failures();
    if failed == 0 {
        return None;
    }
    let counts = match (analysis.eligibility.failed_as, analysis.statistic) {
        (Some(value), _) => format!("Each counts as {} in every statistic.", significant(value, 4)),
        (None, Statistic::Median) => {
            "Medians and quantiles are those of all runs, the failed ones worse than every other; one that is a failed run, and an \
             interval that ends at one, is not given. Other statistics are those of the runs that did not fail."
                .into()
        }
        _ => "The statistics of a level are those of its runs that did not fail.".into(),
    };
    let optimum = analysis.goal.optimum();
    let sought = match analysis.ineligible.len() as u64 {
        0 => format!("Every level took part in the search for the {optimum}."),
        others => format!(
            "The {optimum} was sought among {}; {} took no part in the search and in the curves.",
            failures::eligible_levels(analysis),
            counted(others, "level")
        ),
    };
    Some(format!(
        "{} of {} failed: their metric is not finite, or a condition says so. {counts} {sought} Intervals of the share of \
         failed runs are Wilson's (1927), at {confidence}.",
        count(failed),
        counted(runs, "run")
    ))
}

/// What is said of the optimum under which assumption.
fn layers(analysis: &Analysis, confidence: &str) -> String {
    let (optimum, dip) = (analysis.goal.optimum(), analysis.goal.dip());
    let bracket = format!(
        "Between which levels the {optimum} lies: every gap is kept whose best curve with one {dip} there does not contradict the \
         level means (isotonic test inversion; Robertson, Wright and Dykstra 1988)."
    );
    let place = match analysis.minimum.assumption {
        Some(Assumption::Smooth) if analysis.minimum.is_refined() => String::new(),
        Some(Assumption::Smooth) => format!(
            " So many levels lie around the {optimum} that noise and not the curve's shape limits what is known, and the curve \
             contradicts neither its levels nor a symmetric shape: place and value are those of one smooth curve, a weighted local \
             quadratic averaged over bandwidths by AICc weights (Hurvich, Simonoff and Tsai 1998; Burnham and Anderson 2002); \
             {confidence} intervals by a {} bootstrap, 2,000 replicates from a fixed seed.",
            if analysis.paired.is_some() { "joint (over the replicates)" } else { "parametric (over the level means)" },
        ),
        Some(Assumption::Local) => format!(
            " Place and value: curves drawn from a Gaussian process through the levels of that bracket and one more on each side, \
             averaged over its smoothness, length, height and noise (Rasmussen and Williams 2006; Stein 1999), cut by the bracket \
             and by the secants that bound a convex curve; the {confidence} intervals are calibrated by simulation over curves of many \
             shapes. Nothing is assumed of the curve far from its {optimum}."
        ),
        None => format!(" The levels give no place of the {optimum} beyond that."),
    };
    format!("{bracket}{place}")
}

/// How references are compared.
fn differences(analysis: &Analysis) -> String {
    let optimum = analysis.goal.optimum();
    match analysis.minimum.assumption {
        Some(Assumption::Local) => format!(
            "A reference's difference to the {optimum} is that of the drawn curves there and at their {optimum}; two levels are compared \
             by their own means with the one error model."
        ),
        _ => format!(
            "A reference's difference to the {optimum} is that of the fitted curve at the two places, with a t interval."
        ),
    }
}

/// How the levels lie on the axis of the fit.
fn along(analysis: &Analysis) -> &'static str {
    match analysis.along {
        Along::Log if analysis.beside() > 0 => {
            "in ln of the level; level 0 is beside the axis: compared by its own mean, but no part of the curve"
        }
        Along::Log => "in ln of the level",
        Along::Linear => "in the level itself",
    }
}

/// The terms of tables and figure, with their definitions.
pub fn definitions(analysis: &Analysis) -> Vec<[String; 2]> {
    let confidence = finding::confidence(analysis.confidence);
    let mut terms = vec![
        ["level".into(), format!("a value of {}", analysis.factor)],
        ["n".into(), "runs at the level that count".into()],
    ];
    if analysis.has_failures() {
        terms.push([
            "failed".into(),
            "runs without a finite metric, or that a condition calls failed, of all runs".into(),
        ]);
    }
    terms.extend([
        ["mean".into(), "sum of the runs' values divided by n".into()],
        ["std dev (SD)".into(), "√(Σ(x − mean)² / (n − 1)): how far runs lie from their mean; none for a single run".into()],
        ["std error (SE)".into(), "SD / √n: how far the mean lies from the one of endlessly many runs".into()],
        [
            format!("{confidence} interval"),
            format!(
                "mean ± t · SE with n − 1 degrees of freedom ({}, 1908): of many such intervals {confidence} hold the true mean",
                Method::StudentT.name()
            ),
        ],
        [
            "median, quartiles".into(),
            "the value at the place (n − 1)p of the sorted runs, interpolated (type 7 of Hyndman and Fan 1996), for p = ½, ¼ \
             and ¾"
                .into(),
        ],
    ]);
    if analysis.groups.iter().any(|group| group.trimmed_mean.is_some()) {
        let text = "mean without the least and the greatest tenth of the runs (Yuen 1974)";
        terms.push(["trimmed mean".into(), text.into()]);
    }
    terms.extend(analysis.basin_rule.as_ref().map(|rule| ["solved".into(), basins::rule(rule)]));
    if !analysis.minimum.candidates.is_empty() {
        let extreme = analysis.goal.extreme();
        let text =
            format!("probability that the level's true mean is the {extreme} of all, for independent normal means");
        terms.push(["P(best)".into(), text]);
        let text = format!("level that cannot be excluded as the best at {confidence}");
        terms.push(["candidate".into(), text]);
    }
    terms
}
