//! What the main figure shows: points, bars, lines and words, ready to place.

use crate::analysis::Analysis;
use crate::error::{Error, Result};
use crate::export::finding;
use crate::figure::axis::{Axis, Scale};
use crate::figure::{AxisScale, ErrorBars, FigureOptions};
use crate::format::{count, counted, significant};
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC, Reference};

/// A mean with its bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The factor's value.
    pub level: f64,
    /// The metric's mean.
    pub mean: f64,
    /// Ends of the error bar.
    pub bar: Option<(f64, f64)>,
}

/// A vertical line with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The factor's value.
    pub level: f64,
    /// What to write beside it.
    pub label: String,
}

/// The main figure.
#[derive(Debug, Clone, PartialEq)]
pub struct LossVsStdDev {
    /// Title.
    pub title: String,
    /// Label of the horizontal axis.
    pub x_label: String,
    /// Label of the vertical axis.
    pub y_label: String,
    /// What points and bars are, and how many runs stand behind them.
    pub caption: String,
    /// What the bars are, for the legend.
    pub bar_label: Option<String>,
    /// The finding, for screen readers.
    pub description: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// One point per level that the axis can show, ascending.
    pub points: Vec<Point>,
    /// References on the axis.
    pub references: Vec<Line>,
    /// The level with the least mean.
    pub minimum: Line,
}

const NAME: &str = "loss-vs-std-dev";

impl LossVsStdDev {
    /// Chooses what to draw.
    ///
    /// # Errors
    /// [`Error::Figure`] if no level can be shown on the axis that was asked for.
    pub fn of(analysis: &Analysis, options: &FigureOptions) -> Result<Self> {
        let scale = match options.x_scale {
            AxisScale::Log => Scale::Log,
            AxisScale::Linear => Scale::Linear,
            AxisScale::Auto if analysis.suggests_log_axis() => Scale::Log,
            AxisScale::Auto => Scale::Linear,
        };
        let points: Vec<Point> = analysis
            .groups
            .iter()
            .filter(|group| scale == Scale::Linear || group.level > 0.0)
            .map(|group| {
                let mean = group.summary.mean;
                let around = |margin: f64| (mean.point - margin, mean.point + margin);
                let bar = match options.error_bars {
                    ErrorBars::Se => mean.standard_error.map(around),
                    ErrorBars::Sd => group.summary.std_dev.map(around),
                    ErrorBars::Ci => mean.interval.map(|interval| (interval.lower, interval.upper)),
                    ErrorBars::None => None,
                };
                Point { level: group.level, mean: mean.point, bar }
            })
            .collect();
        let failed = |reason: String| Error::Figure { figure: NAME, reason };
        let x = Axis::around(scale, points.iter().map(|point| point.level))
            .ok_or_else(|| failed(format!("no level of '{}' is above 0; use --x-scale linear", analysis.factor)))?;
        let heights =
            points.iter().flat_map(|point| [Some(point.mean), point.bar.map(|bar| bar.0), point.bar.map(|bar| bar.1)]);
        let y = Axis::around(Scale::Linear, heights.flatten())
            .ok_or_else(|| failed(format!("the means of '{}' are too large to draw", analysis.metric)))?;
        let minimum = analysis.observed();
        Ok(Self {
            title: title(analysis),
            x_label: x_label(&analysis.factor, scale),
            y_label: y_label(&analysis.metric),
            caption: caption(analysis, points.len()),
            bar_label: bar_label(options.error_bars, analysis.confidence),
            description: finding::sentence(analysis),
            x,
            y,
            points,
            references: analysis
                .references
                .iter()
                .map(|result| &result.reference)
                .filter(|reference| reference.drawn && x.holds(reference.value))
                .map(|reference| Line { level: reference.value, label: reference_label(reference) })
                .collect(),
            minimum: Line { level: minimum.level, label: format!("lowest {}", significant(minimum.level, 3)) },
        })
    }
}

/// The figure's title.
pub fn title(analysis: &Analysis) -> String {
    match (analysis.metric.as_str(), analysis.factor.as_str()) {
        (DEFAULT_METRIC, DEFAULT_FACTOR) => "Training loss against the initial standard deviation".into(),
        (metric, factor) => format!("{metric} against {factor}"),
    }
}

/// What the factor is called on an axis.
pub fn factor_name(factor: &str) -> &str {
    if factor == DEFAULT_FACTOR { "standard deviation of the initial hidden weights and biases" } else { factor }
}

fn x_label(factor: &str, scale: Scale) -> String {
    let name = factor_name(factor);
    match scale {
        Scale::Log => format!("{name} (logarithmic)"),
        Scale::Linear => name.to_string(),
    }
}

/// What the metric's mean is called on an axis.
pub fn y_label(metric: &str) -> String {
    if metric == DEFAULT_METRIC { "mean loss, summed over epochs".into() } else { format!("mean {metric}") }
}

fn bar_label(bars: ErrorBars, confidence: f64) -> Option<String> {
    match bars {
        ErrorBars::Se => Some("± 1 standard error".into()),
        ErrorBars::Ci => Some(format!("{} Student t interval", finding::confidence(confidence))),
        ErrorBars::Sd => Some("± 1 standard deviation of the runs".into()),
        ErrorBars::None => None,
    }
}

/// `Xavier = 1/√2`.
pub fn reference_label(reference: &Reference) -> String {
    format!("{} = {}", reference.name, reference.expression.replace("sqrt(2)", "√2").replace("sqrt(", "√("))
}

/// How many levels are `shown`, of how many runs each.
pub fn caption(analysis: &Analysis, shown: usize) -> String {
    let sizes = || analysis.groups.iter().map(|group| group.summary.n);
    let n = match (sizes().min(), sizes().max()) {
        (Some(least), Some(most)) if least == most => format!("n = {} each", counted(most, "run")),
        (Some(least), Some(most)) => format!("n = {} to {} each", count(least), counted(most, "run")),
        _ => String::new(),
    };
    let hidden = analysis.groups.len() - shown;
    let note =
        if hidden > 0 { format!("; {} not above 0 not shown", counted(hidden as u64, "level")) } else { String::new() };
    format!("{}, {n}; {} in all{note}", counted(shown as u64, "level"), counted(analysis.runs(), "run"))
}
