//! Failed runs in the main figure: a cross at the upper edge of the plot over each level with
//! failed runs, where a number that is not there would lie, and below the plot a strip with their
//! share.

use crate::analysis::{Analysis, Statistic};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Entry, Mark, letters};
use crate::figure::style;
use crate::format::significant;

/// Height of the strip.
const HEIGHT: f64 = 38.0;
/// Between the plot and the strip: a line of letters.
const ABOVE: f64 = style::LINE + 8.0;
/// From the upper edge of the plot to the middle of the crosses.
const INSET: f64 = 8.0;

/// The levels with failed runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Failing {
    /// Level and share of failed runs in percent.
    shares: Vec<(f64, f64)>,
    /// Every level, ascending.
    levels: Vec<f64>,
}

impl Failing {
    /// Those of `analysis`; `None` if no run failed.
    pub fn new(analysis: &Analysis) -> Option<Self> {
        let entries = analysis.levels();
        let failing = entries.iter().filter(|entry| entry.failures.failed > 0);
        let shares: Vec<(f64, f64)> = failing.map(|entry| (entry.level, 100.0 * entry.failures.share())).collect();
        let levels = entries.iter().map(|entry| entry.level).collect();
        (!shares.is_empty()).then_some(Self { shares, levels })
    }

    /// The vertical axis of the plot with room for the crosses at its upper end.
    pub fn with_room(y: Axis) -> Axis {
        const ROOM: f64 = 0.06;
        let [lower, upper] = y.ends();
        Axis::spanning(y.scale(), lower, upper + ROOM * (upper - lower)).unwrap_or(y)
    }

    /// What is left for the plot of the `room` between the labels, and where the strip is.
    pub fn split(canvas: &Canvas, room: Area) -> [Area; 2] {
        let height = if canvas.sheet.is_narrow() { 0.8 * HEIGHT } else { HEIGHT };
        let top = room.bottom - height;
        [Area { bottom: top - ABOVE, ..room }, Area { top, ..room }]
    }

    /// The part of `area` for a plot with these `axes` that leaves the labels of the strip their
    /// room: they may be wider than those of the plot.
    pub fn indented(area: Area, axes: (Axis, Axis), names: Names<'_>) -> Area {
        let left = |y: Axis| Frame::room(area, (axes.0, y), names).left;
        Area { left: area.left + (left(percent()) - left(axes.1)).max(0.0), ..area }
    }

    /// The crosses in the plot's `frame`; of those that would touch, only as many as do not.
    pub fn crosses(&self, canvas: &mut Canvas, frame: &Frame) {
        const CLOSEST: f64 = 7.0;
        let reach = (0.3 * self.least_gap(frame)).clamp(2.6, 4.2);
        let colour = canvas.palette.failed;
        let mut free = f64::NEG_INFINITY;
        for x in self.shares.iter().filter(|(level, _)| frame.x.holds(*level)).map(|(level, _)| frame.at_x(*level)) {
            if x >= free {
                canvas.cross((x, frame.area.top + INSET), reach, colour, 0.45 * reach);
                free = x + CLOSEST;
            }
        }
    }

    /// The strip in `area`, with the axis `x` of the plot above it and its name.
    pub fn strip(&self, canvas: &mut Canvas, area: Area, x: Axis, name: &str) {
        const WIDEST: f64 = 18.0;
        let frame = Frame::draw_inside(canvas, area, (x, percent()), Names { x: name, y: "" });
        let half = (0.35 * self.least_gap(&frame)).clamp(0.6, WIDEST / 2.0);
        let colour = canvas.palette.failed;
        for (level, share) in &self.shares {
            let at = frame.at_x(*level);
            canvas.rectangle((at - half, frame.at_y(*share)), (at + half, area.bottom), colour.at(0.8));
        }
        let look = letters(Anchor::Start, style::SMALL_SIZE, colour);
        canvas.text("failed runs, %", (area.left, area.top - style::LINE / 2.0), look);
    }

    /// The least distance between neighbouring levels, in pixels.
    fn least_gap(&self, frame: &Frame) -> f64 {
        let gaps = self.levels.windows(2).map(|pair| frame.at_x(pair[1]) - frame.at_x(pair[0]));
        gaps.fold(f64::INFINITY, f64::min)
    }
}

/// The vertical axis of the strip.
fn percent() -> Axis {
    Axis::spanning(Scale::Linear, 0.0, 100.0).unwrap_or_else(Axis::slots)
}

/// What crosses and hollow points are; empty if no run failed.
pub fn legend(analysis: &Analysis, canvas: &Canvas) -> Vec<Entry> {
    if !analysis.has_failures() {
        return Vec::new();
    }
    let hollow = match (analysis.eligibility.failed_as, analysis.statistic) {
        (Some(value), _) => format!("with failed runs counted as {}", significant(value, 3)),
        (None, Statistic::Median) => "with failed runs ranked worst".into(),
        _ => "of those that did not fail".into(),
    };
    let (data, failed) = (canvas.palette.data, canvas.palette.failed);
    let hollow = Entry::new(Mark::Hollow(data), hollow);
    let cross = Entry::new(Mark::Cross(failed), "failed runs");
    let has_value = analysis.levels().iter().any(|entry| entry.failures.failed > 0 && entry.group.is_some());
    if has_value { vec![hollow, cross] } else { vec![cross] }
}
