//! What figures of an analysis share: which levels are shown, on which axis, and in which words.

use crate::analysis::failures::Failures;
use crate::analysis::{Along, Analysis, Group, Statistic};
use crate::error::{Error, Result};
use crate::export::finding;
use crate::figure::ErrorBars;
use crate::figure::axis::{Axis, Scale, readable, ten_to};
use crate::figure::frame::Frame;
use crate::figure::marks::Line;
use crate::figure::style::{self, Palette};
use crate::format::{count, counted, to_precision_of};
use crate::stats::{ConfidenceInterval, Estimate};
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC, Reference};

/// The levels that a figure shows, with the axis that shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels<'a> {
    /// Horizontal axis.
    pub x: Axis,
    /// At most [`style::MOST_POINTS`] of the levels, ascending.
    pub groups: Vec<&'a Group>,
    /// How many levels there are.
    pub all: usize,
}

impl<'a> Levels<'a> {
    /// The levels of `analysis` on its axis.
    ///
    /// # Errors
    /// [`Error::Figure`] in the name of `figure` if no axis can hold the levels.
    pub fn of(analysis: &'a Analysis, figure: &'static str) -> Result<Self> {
        let scale = match analysis.along {
            Along::Log => Scale::Log,
            Along::Linear => Scale::Linear,
        };
        let all_levels: Vec<f64> = analysis.levels().iter().map(|entry| entry.level).collect();
        let has_place = |level: &f64| analysis.along.has_place_for(*level);
        let on_axis = all_levels.iter().copied().filter(has_place);
        let x = Axis::around(scale, on_axis).ok_or_else(|| Error::Figure {
            figure,
            reason: format!("the levels of '{}' are too far apart to draw", analysis.factor),
        })?;
        let all = analysis.groups.len();
        Ok(Self {
            x: if all_levels.iter().all(has_place) { x } else { x.with_zero_beside() },
            groups: analysis.groups.iter().step_by(all.div_ceil(style::MOST_POINTS).max(1)).collect(),
            all,
        })
    }

    /// Whether there are too many levels for a bar each.
    pub fn are_many(&self) -> bool {
        self.groups.len() > style::MANY_LEVELS
    }

    /// How many levels and runs there are: `400 levels, n = 25 runs each; 10,000 runs in all`.
    pub fn caption(&self, analysis: &Analysis) -> String {
        let mut text = caption(analysis);
        if self.groups.len() < self.all {
            text += &format!("; {} of them drawn, evenly chosen", count(self.groups.len() as u64));
        }
        text
    }

    /// Whether a level is on the axis and not beside it.
    pub fn is_on_axis(&self, group: &Group) -> bool {
        !self.x.is_beside(group.level)
    }

    /// Where one level's share of the scale ends and the next one's begins: half way, in the
    /// measure of the axis. One more than there are levels on the axis.
    pub fn borders(&self) -> Vec<f64> {
        let half_way = |a: f64, b: f64| match self.x.scale() {
            Scale::Log => libm::sqrt(a) * libm::sqrt(b),
            Scale::Linear | Scale::Slots => a / 2.0 + b / 2.0,
        };
        let [lower, upper] = self.x.ends();
        let on_axis = self.groups.iter().filter(|group| self.is_on_axis(group));
        let levels: Vec<f64> = on_axis.map(|group| group.level).collect();
        let inner = levels.windows(2).map(|pair| half_way(pair[0], pair[1]));
        [lower].into_iter().chain(inner).chain([upper]).collect()
    }

    /// Both ends of each level's share of the axis, as places: a level beside the axis has the
    /// slot.
    pub fn shares(&self) -> Vec<[f64; 2]> {
        let beside = self.groups.iter().filter(|group| !self.is_on_axis(group)).map(|_| [0.0, self.x.start()]);
        let borders = self.borders();
        let on_axis = borders.windows(2).map(|pair| [pair[0], pair[1]].map(|level| self.x.place(level)));
        beside.chain(on_axis).collect()
    }
}

/// Left and right end of the column of each level in `frame`, in pixels: all of its share of the
/// axis but a narrow gap, and no wider than a column looks well.
pub fn columns(levels: &Levels<'_>, frame: &Frame) -> Vec<[f64; 2]> {
    const WIDEST: f64 = 56.0;
    const GAP: f64 = 0.1;
    let column = |(group, ends): (&&Group, [f64; 2])| {
        let (x, ends) = (frame.at_x(group.level), ends.map(|place| frame.at_place(place)));
        let gap = GAP * (ends[1] - ends[0]);
        [(ends[0] + gap).max(x - WIDEST / 2.0).min(x - 0.5), (ends[1] - gap).min(x + WIDEST / 2.0).max(x + 0.5)]
    };
    levels.groups.iter().zip(levels.shares()).map(column).collect()
}

/// What stands for a level, usually its mean, with its bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The factor's value.
    pub level: f64,
    /// The value of the statistic.
    pub value: f64,
    /// Ends of the error bar.
    pub bar: Option<(f64, f64)>,
    /// Whether runs failed at the level.
    pub has_failures: bool,
}

impl Point {
    /// The `statistic` of `group` with the bar that was asked for; nothing where it is not known.
    pub fn of(group: &Group, statistic: Statistic, bars: ErrorBars) -> Option<Self> {
        let estimate = statistic.at(group)?;
        let around = |margin: f64| (estimate.point - margin, estimate.point + margin);
        let bar = match bars {
            ErrorBars::Se => estimate.standard_error.map(around),
            // The runs spread about their mean, and about nothing else.
            ErrorBars::Sd => group.summary.std_dev.filter(|_| statistic == Statistic::Mean).map(around),
            ErrorBars::Ci => estimate.interval.map(|interval| (interval.lower, interval.upper)),
            ErrorBars::None => None,
        };
        Some(Self { level: group.level, value: estimate.point, bar, has_failures: group.failures.failed > 0 })
    }

    /// Its value and the ends of its bar.
    pub fn heights(&self) -> impl Iterator<Item = f64> {
        [Some(self.value), self.bar.map(|bar| bar.0), self.bar.map(|bar| bar.1)].into_iter().flatten()
    }
}

/// The metric as figures call it: the trainer's loss is a sum over epochs, and not somebody's
/// column of that name.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    column: &'a str,
    is_trainers: bool,
}

impl<'a> Metric<'a> {
    /// The metric of `analysis`.
    pub fn new(analysis: &'a Analysis) -> Self {
        Self { column: &analysis.metric, is_trainers: analysis.is_trainers() }
    }

    /// The metric `column` over levels of `factors`.
    pub fn over(factors: [&str; 2], column: &'a str) -> Self {
        Self { column, is_trainers: factors.iter().any(|factor| [DEFAULT_FACTOR, OUTPUT_FACTOR].contains(factor)) }
    }

    fn is_total_loss(self) -> bool {
        self.is_trainers && self.column == DEFAULT_METRIC
    }

    /// `training loss`, or the column's name.
    pub fn name(self) -> &'a str {
        if self.is_total_loss() { "training loss" } else { self.column }
    }

    /// The mean of the metric, with its unit.
    pub fn mean_label(self) -> String {
        if self.is_total_loss() { "mean loss, summed over epochs".into() } else { format!("mean {}", self.column) }
    }
}

/// `the initial standard deviation` for the trainer's factor, else the column's name: as titles say
/// it.
pub fn factor_in_title(factor: &str) -> &str {
    if factor == DEFAULT_FACTOR { "the initial standard deviation" } else { factor }
}

/// The main figure's title.
pub fn title(analysis: &Analysis) -> String {
    let (metric, factor) = (Metric::new(analysis).name(), factor_in_title(&analysis.factor));
    let title = format!("{metric} against {factor}");
    // A column's own name is not changed; ours begins a sentence.
    if metric == analysis.metric { title } else { title.replacen('t', "T", 1) }
}

/// The trainer's other factor.
pub const OUTPUT_FACTOR: &str = "output_std_dev";

/// What the factor is called on an axis.
pub fn factor_name(factor: &str) -> &str {
    match factor {
        DEFAULT_FACTOR => "standard deviation of the initial hidden weights and biases",
        OUTPUT_FACTOR => "standard deviation of the initial output weights and bias",
        other => other,
    }
}

/// The horizontal axis in full: what it shows, and that it is logarithmic.
pub fn x_label(factor: &str, scale: Scale) -> String {
    let name = factor_name(factor);
    match scale {
        Scale::Log => format!("{name} (logarithmic)"),
        Scale::Linear | Scale::Slots => name.to_string(),
    }
}

/// What is minimised, as a label of the vertical axis.
pub fn statistic_label(analysis: &Analysis) -> String {
    match analysis.statistic {
        Statistic::Mean => Metric::new(analysis).mean_label(),
        other => other.of(&analysis.metric),
    }
}

/// What is sought: `minimum`, or `maximum` where the greatest is the best.
pub fn best(analysis: &Analysis) -> &'static str {
    analysis.goal.optimum()
}

/// What the fitted curve has: `minimum`, or `curve’s minimum` where a level beside the axis is
/// better.
pub fn best_of_curve(analysis: &Analysis) -> String {
    let whose = if analysis.minimum.is_beside { "curve’s " } else { "" };
    format!("{whose}{}", best(analysis))
}

/// What the bars are; nothing where there are none.
pub fn bar_label(bars: ErrorBars, analysis: &Analysis) -> Option<String> {
    let statistic = analysis.statistic;
    let interval = || analysis.groups.iter().find_map(|group| statistic.at(group)?.interval);
    match bars {
        ErrorBars::Se => analysis
            .groups
            .iter()
            .any(|group| statistic.at(group).is_some_and(|at| at.standard_error.is_some()))
            .then(|| "± 1 standard error".into()),
        ErrorBars::Ci => {
            interval().map(|i| format!("{} {} interval", finding::confidence(analysis.confidence), i.method.name()))
        }
        ErrorBars::Sd if statistic == Statistic::Mean => Some("± 1 standard deviation of the runs".into()),
        ErrorBars::Sd | ErrorBars::None => None,
    }
}

/// How many levels there are, of how many runs each.
pub fn caption(analysis: &Analysis) -> String {
    let levels = analysis.levels();
    let sizes = || levels.iter().map(|entry| entry.failures.runs);
    let n = match (sizes().min(), sizes().max()) {
        (Some(only), _) if levels.len() == 1 => return format!("1 level, n = {}", counted(only, "run")),
        (Some(least), Some(most)) if least == most => format!("n = {} each", counted(most, "run")),
        (Some(least), Some(most)) => format!("n = {} to {} each", count(least), counted(most, "run")),
        _ => String::new(),
    };
    let Failures { runs, failed, .. } = analysis.failures();
    let failed = if failed > 0 { format!(", {} of them failed", count(failed)) } else { String::new() };
    format!("{}, {n}; {} in all{failed}", counted(levels.len() as u64, "level"), counted(runs, "run"))
}

/// `Xavier = 1/√2`.
pub fn reference_label(reference: &Reference) -> String {
    format!("{} = {}", reference.name, reference.expression.replace("sqrt(2)", "√2").replace("sqrt(", "√("))
}

/// The references that are drawn, in their colours.
pub fn references(analysis: &Analysis, palette: &Palette) -> Vec<Line> {
    let drawn = analysis.references.iter().map(|result| &result.reference).filter(|reference| reference.drawn);
    let line = |(reference, colour): (&Reference, &style::Colour)| Line {
        level: reference.value,
        label: reference_label(reference),
        colour: *colour,
    };
    drawn.zip(palette.references.iter().cycle()).map(line).collect()
}

/// Where the optimum is, as the finding says it: the place of the curve's, or the best level where
/// there is no curve. `None` where all levels are alike, or there is but one.
pub fn optimum(analysis: &Analysis, palette: &Palette) -> Option<Line> {
    let mut values = analysis.groups.iter().filter_map(|group| analysis.statistic.at(group)).map(|at| at.point);
    let first = values.next()?;
    if values.all(|value| value == first) {
        return None;
    }
    let place = analysis.minimum.level.filter(|_| !analysis.minimum.is_beside);
    let (level, word) = match place {
        Some(place) => (place.point, analysis.goal.optimum()),
        None => (analysis.observed().level, analysis.goal.best_word()),
    };
    Some(Line { level, label: format!("{word} {}", readable(level, 3)), colour: palette.minimum })
}

/// `0.587 (0.547 to 0.653)`, `1.01 (0.97 to 1.06)·10⁻⁶`: an estimate with the ends of its interval,
/// to the digits that this justifies.
pub fn with_range(estimate: &Estimate, interval: &ConfidenceInterval) -> String {
    const PLAIN: std::ops::RangeInclusive<i32> = -4..=5;
    let values = [estimate.point, interval.lower, interval.upper];
    let most = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let decade = if most > 0.0 { libm::log10(most).floor() as i32 } else { 0 };
    let (unit, factor) = if PLAIN.contains(&decade) {
        (1.0, String::new())
    } else {
        (libm::pow(10.0, f64::from(decade)), format!("·{}", ten_to(decade)))
    };
    let [point, lower, upper] = values.map(|value| to_precision_of(value / unit, interval.margin() / unit));
    format!("{point} ({lower} to {upper}){factor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(point: f64, lower: f64, upper: f64) -> String {
        let interval =
            ConfidenceInterval { level: 0.95, lower, upper, method: crate::stats::Method::BootstrapPercentile };
        with_range(&Estimate { point, standard_error: None, interval: Some(interval) }, &interval)
    }

    #[test]
    fn small_and_large_estimates_share_a_power_of_ten() {
        assert_eq!(shown(0.5874, 0.547, 0.653), "0.587 (0.547 to 0.653)");
        assert_eq!(shown(1.012e-6, 0.965e-6, 1.063e-6), "1.012 (0.965 to 1.063)·10⁻⁶");
        assert_eq!(shown(-9.8e11, -1.02e12, -9.4e11), "−0.980 (−1.020 to −0.940)·10¹²");
        assert_eq!(shown(0.0, 0.0, 0.0), "0 (0 to 0)");
    }
}
