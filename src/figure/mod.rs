//! Figures: an [`Analysis`](crate::analysis::Analysis) becomes data to draw, then one drawing, then SVG and PNG.
//!
//! - [`data`]: what to draw, without a word about how.
//! - [`axis`]: scales and the ticks a person would choose.
//! - [`frame`]: the rectangle that data are drawn in.
//! - [`style`]: colours, fonts and sizes, in one place.
//! - [`canvas`]: plotters' SVG backend in tenths of a pixel; nothing else touches plotters.
//! - [`png`]: the same SVG as pixels.
//!
//! The vectors are the drawing; the PNG is the same SVG rendered by `resvg` with the font that is shipped inside the
//! program. Why not plotters' bitmap backend: its lines are not antialiased, and it has no scale factor.

pub mod axis;
pub mod canvas;
pub mod curves;
pub mod data;
pub mod frame;
pub mod loss_vs_std_dev;
pub mod png;
pub mod style;

use clap::ValueEnum;

/// What the error bars show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ErrorBars {
    /// Mean ± standard error.
    Se,
    /// Confidence interval of the mean.
    Ci,
    /// Mean ± standard deviation of the runs.
    Sd,
    /// No bars.
    None,
}

/// How the factor's axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AxisScale {
    /// Logarithmic if the levels above 0 span a factor of ten or more.
    Auto,
    /// Logarithmic; levels not above 0 are left out of the figure, and counted.
    Log,
    /// Linear.
    Linear,
}

/// The choices that a user has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FigureOptions {
    /// What the error bars show.
    pub error_bars: ErrorBars,
    /// Division of the factor's axis.
    pub x_scale: AxisScale,
}

/// A finished drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The drawing as an SVG document.
    pub svg: String,
}
