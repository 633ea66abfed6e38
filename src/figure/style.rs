//! Colours, fonts and sizes of every figure. Lengths are in pixels of the SVG.
//!
//! The palette is that of Okabe and Ito (2008), distinguishable for people with any colour vision deficiency.

use plotters::style::RGBColor;

/// Width and height of a figure.
pub const SIZE: (f64, f64) = (900.0, 560.0);
/// The font, shipped inside the program; a viewer without it takes the next of the list.
pub const FONT: &str = "DejaVu Sans";
/// What the SVG names, so that a viewer without the font finds one of equal widths.
pub const FONT_FALLBACK: &str = "DejaVu Sans, Verdana, sans-serif";

/// Background.
pub const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Text and axes.
pub const INK: RGBColor = RGBColor(26, 26, 26);
/// Text of second rank.
pub const SOFT_INK: RGBColor = RGBColor(95, 95, 95);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(228, 228, 228);
/// The data.
pub const DATA: RGBColor = RGBColor(0, 114, 178);
/// A second series.
pub const SKY: RGBColor = RGBColor(86, 180, 233);
/// A third series.
pub const VERMILION: RGBColor = RGBColor(213, 94, 0);
/// The minimum.
pub const MINIMUM: RGBColor = RGBColor(0, 158, 115);
/// Reference lines in their order: black first, as in the article.
pub const REFERENCES: [RGBColor; 4] = [RGBColor(0, 0, 0), VERMILION, RGBColor(204, 121, 167), RGBColor(230, 159, 0)];

/// Title.
pub const TITLE_SIZE: f64 = 19.0;
/// Axis labels and legend.
pub const LABEL_SIZE: f64 = 14.0;
/// Tick labels and caption.
pub const SMALL_SIZE: f64 = 12.5;

/// Room around the plot: left, right, top, bottom.
pub const MARGINS: [f64; 4] = [86.0, 24.0, 104.0, 86.0];
/// Up to this many levels each has its point and bar in full strength; beyond, they become finer.
pub const MANY_LEVELS: usize = 60;
