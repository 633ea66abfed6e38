//! How the numbers are defined, in words.

use crate::analysis::{Along, Analysis};
use crate::export::finding;
use crate::format::counted;
use crate::report::basins;
use crate::stats::Method;

/// How the numbers came about, by paragraph.
pub fn paragraphs(analysis: &Analysis) -> Vec<String> {
    let confidence = finding::confidence(analysis.confidence);
    let runs = counted(analysis.runs(), "run");
    let mut paragraphs = vec![
        format!(
            "{runs} at {} of {} were grouped by exact value. Where the minimum is: a weighted local quadratic curve through the \
             level means along the axis ({}), averaged over bandwidths by AICc weights \
             (Hurvich, Simonoff and Tsai 1998; Burnham and Anderson 2002); intervals of its place and value by a {} \
             bootstrap, 2,000 replicates from a fixed seed. Which levels cannot be excluded as the best at {confidence}: multiple comparisons with the best (Hsu \
             1981), all levels accounted for. The least observed mean is also given; as the least of many noisy means it tends \
             to be too low.",
            counted(analysis.groups.len() as u64, "level"),
            analysis.factor,
            along(analysis),
            if analysis.paired.is_some() { "joint (over the replicates)" } else { "parametric (over the level means)" },
        ),
        format!(
            "A reference's difference to the minimum is that of the fitted curve at the two places, with a t interval; p is \
             adjusted over the references (Holm 1979); the verdict is against a margin of {} of the minimum (two one-sided tests, \
             Schuirmann 1987). The mean at a reference between two levels is interpolated linearly along the axis. Relative \
             changes of observed means are ratios of means minus 1, with {confidence} intervals by Fieller's method; they \
             do not know that the minimum was chosen as the least of all means.",
            finding::percent_of(analysis.margin)
        ),
    ];
    if analysis.minimum.is_refined() {
        paragraphs.push(
            "Most runs are at levels that were put around the minimum, with the same draws at each. Place and value of the \
             minimum are therefore those of a cubic through them, and references are compared with its value there: by their own \
             runs where they have as many, else by the cubic. The interval of the place holds every place at which its slope is not significantly different from 0 (Fieller 1954), with the \
             covariances of the paired runs."
                .into(),
        );
    }
    paragraphs
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
    ];
    if analysis.groups.iter().any(|group| group.trimmed_mean.is_some()) {
        let text = "mean without the least and the greatest tenth of the runs (Yuen 1974)";
        terms.push(["trimmed mean".into(), text.into()]);
    }
    terms.extend(analysis.basin_rule.as_ref().map(|rule| ["solved".into(), basins::rule(rule)]));
    if !analysis.minimum.candidates.is_empty() {
        let text = "probability that the level's true mean is the least of all, for independent normal means";
        terms.push(["P(best)".into(), text.into()]);
        let text = format!("level that cannot be excluded as the best at {confidence}");
        terms.push(["candidate".into(), text]);
    }
    terms
}
