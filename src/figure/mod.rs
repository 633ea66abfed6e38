//! Figures: an [`Analysis`](crate::analysis::Analysis) becomes data to draw, then one drawing, then
//! SVG and PNG.
//!
//! - [`data`]: what the main figure shows, without a word about how; the words that figures share.
//! - [`axis`]: scales and the ticks a person would choose.
//! - [`frame`]: the rectangle that data are drawn in; [`page`]: title, legend and caption around
//!   it.
//! - [`style`]: colours, fonts and sizes, in one place; [`text`]: widths and line breaks.
//! - [`canvas`]: the sheet, which becomes an SVG document; [`font`]: the letters that it uses;
//!   [`png`]: the same SVG as pixels.
//! - [`themed`]: the same drawing as part of a page that is light or dark.
//! - one file a figure: of runs [`loss_vs_std_dev`], [`distribution`], [`basins`], [`precision`],
//!   [`heatmap`], [`history`]; of the trainer [`xor`], [`functions`], [`weights`], [`loss_curve`],
//!   and [`curves`] for `replay`.
//!
//! The vectors are the drawing; the PNG is the same SVG rendered by `resvg` with the font that is
//! shipped inside the program. Why no plotting library: the whole need is lines, polygons and text
//! with their widths known, some 200 lines, and the libraries at hand measure text in their own
//! units, draw in whole pixels and know no themes.

pub mod axis;
pub mod basins;
pub mod canvas;
mod contour;
pub mod curves;
pub mod data;
pub mod distribution;
mod failures;
pub mod font;
pub mod frame;
pub mod functions;
pub mod heatmap;
pub mod history;
pub mod loss_curve;
pub mod loss_vs_std_dev;
pub mod marks;
pub mod page;
pub mod plateaus;
pub mod png;
pub mod precision;
pub mod style;
pub mod svg;
pub mod text;
pub mod themed;
pub mod trainer;
pub mod weights;
pub mod xor;

use clap::ValueEnum;

use crate::figure::font::Letters;
use crate::figure::style::{Size, Theme};

/// A figure by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    /// The mean against the factor, with the minimum and the references.
    LossVsStdDev,
    /// How the runs of some levels are distributed.
    Distribution,
    /// Shares of runs that solved the task or got stuck.
    Basins,
    /// Relative error and number of runs of each level.
    Precision,
    /// The mean at every pair of levels of two factors.
    Heatmap,
    /// How the minimum became known as runs came in.
    History,
    /// The truth table as a plane, separated by a trained network.
    Xor,
    /// The sigmoid and its derivative.
    Sigmoid,
    /// The likelihood of a prediction.
    Likelihood,
    /// The binary cross-entropy of a prediction.
    Bce,
    /// How the nine parameters move.
    Weights,
    /// How the loss falls in several trainings.
    LossCurve,
}

impl Kind {
    /// Every figure, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::LossVsStdDev,
        Self::Distribution,
        Self::Basins,
        Self::Precision,
        Self::Heatmap,
        Self::History,
        Self::Xor,
        Self::Sigmoid,
        Self::Likelihood,
        Self::Bce,
        Self::Weights,
        Self::LossCurve,
    ];

    /// What the command line and the files call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LossVsStdDev => loss_vs_std_dev::NAME,
            Self::Distribution => distribution::NAME,
            Self::Basins => basins::NAME,
            Self::Precision => precision::NAME,
            Self::Heatmap => heatmap::NAME,
            Self::History => history::NAME,
            Self::Xor => xor::NAME,
            Self::Sigmoid => functions::SIGMOID,
            Self::Likelihood => functions::LIKELIHOOD,
            Self::Bce => functions::BCE,
            Self::Weights => weights::NAME,
            Self::LossCurve => loss_curve::NAME,
        }
    }

    /// The figure called `name`.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it shows runs; the others show the trainer.
    pub fn needs_runs(self) -> bool {
        self <= Self::History
    }
}

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

/// Paper and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Light or dark paper.
    pub theme: Theme,
    /// What the figure is for.
    pub size: Size,
}

/// Words in place of the usual ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wording {
    /// Title.
    pub title: Option<String>,
    /// Label of the horizontal axis.
    pub x_label: Option<String>,
    /// Label of the vertical axis.
    pub y_label: Option<String>,
}

impl Wording {
    /// The title, `usual` unless the user gave one.
    pub fn title(&self, usual: impl Into<String>) -> String {
        self.title.clone().unwrap_or_else(|| usual.into())
    }

    /// The label of the horizontal axis, `usual` unless the user gave one.
    pub fn x(&self, usual: impl Into<String>) -> String {
        self.x_label.clone().unwrap_or_else(|| usual.into())
    }

    /// The label of the vertical axis, `usual` unless the user gave one.
    pub fn y(&self, usual: impl Into<String>) -> String {
        self.y_label.clone().unwrap_or_else(|| usual.into())
    }
}

/// The choices that a user has.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureOptions {
    /// What the error bars show.
    pub error_bars: ErrorBars,
    /// Paper and size.
    pub look: Look,
    /// Words in place of the usual ones.
    pub wording: Wording,
}

/// A finished drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The drawing as an SVG document that names its font.
    pub svg: String,
    /// What it uses of the font.
    pub letters: Letters,
    /// Pixels of the PNG per pixel of the SVG, unless the user says otherwise.
    pub png_scale: f32,
}

impl Figure {
    /// The drawing as a file: an SVG document that holds its font.
    pub fn document(&self) -> String {
        let style = self.letters.style(style::FAMILY);
        // Title and description come first, for screen readers.
        match self.svg.split_once("</desc>") {
            Some((head, rest)) => format!("{head}</desc>\n<style>{style}</style>{rest}"),
            None => self.svg.clone(),
        }
    }
}
