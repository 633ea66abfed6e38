//! Draws how one training went: the mean loss and the nine parameters, epoch by epoch.
//!
//! Each curve is named at its right end in its own colour; names that would touch are moved apart.

use plotters::style::{Color, RGBColor};

use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::{self, Anchor, Canvas};
use crate::figure::frame::Frame;
use crate::figure::{Figure, style};
use crate::train::network::Parameters;

/// One epoch of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Mean loss of the four patterns before the update.
    pub loss: f64,
    /// Parameters after the update.
    pub parameters: Parameters,
}

/// One named curve.
struct Curve {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Points of a curve; more cannot be told apart at this size.
const POINTS: usize = 1000;

/// Draws the course of a training.
///
/// # Errors
/// [`Error::Figure`] if there is nothing finite to draw.
pub fn draw(title: &str, caption: &str, moments: &[Moment]) -> Result<Figure> {
    let stride = moments.len().div_ceil(POINTS).max(1);
    let shown: Vec<&Moment> = moments.iter().step_by(stride).chain(moments.last()).collect();
    let failed = |reason: &str| Error::Figure { figure: "training", reason: reason.into() };
    let x = Axis::around(Scale::Linear, shown.iter().map(|m| f64::from(m.epoch)))
        .ok_or_else(|| failed("there are no epochs"))?;
    let loss = [curve("loss", style::DATA, &shown, |moment| moment.loss)];
    let parameters = parameter_curves(&shown);
    let (width, height) = style::SIZE;
    let panel = |y: Axis, top: f64, bottom: f64| Frame { x, y, left: 86.0, right: width - 60.0, top, bottom };
    let upper = panel(axis(Scale::Log, &loss).ok_or_else(|| failed("no loss is finite"))?, 68.0, 224.0);
    let lower =
        panel(axis(Scale::Linear, &parameters).ok_or_else(|| failed("no parameter is finite"))?, 258.0, height - 86.0);
    let svg = canvas::draw("training", title, caption, |canvas| {
        let (upper, lower) = (upper.with_room_for_labels(canvas)?, lower.with_room_for_labels(canvas)?);
        let left = upper.left.max(lower.left);
        let (upper, lower) = (Frame { left, ..upper }, Frame { left, ..lower });
        canvas.bold_text(title, (upper.left, 26.0), Anchor::Start, style::TITLE_SIZE, style::INK)?;
        for (frame, curves, label) in [(&upper, &loss[..], "mean loss"), (&lower, &parameters[..], "parameter")] {
            frame.grid(canvas)?;
            canvas.upward_text(label, (22.0, (frame.top + frame.bottom) / 2.0), style::LABEL_SIZE, style::INK)?;
            curves.iter().try_for_each(|curve| line(canvas, frame, curve))?;
            names(canvas, frame, curves)?;
        }
        canvas.text(
            "epoch",
            ((lower.left + lower.right) / 2.0, lower.bottom + 42.0),
            Anchor::Middle,
            style::LABEL_SIZE,
            style::INK,
        )?;
        canvas.text(caption, (width - 24.0, lower.bottom + 68.0), Anchor::End, style::SMALL_SIZE, style::SOFT_INK)
    })?;
    Ok(Figure { svg })
}

fn parameter_curves(shown: &[&Moment]) -> Vec<Curve> {
    let [hidden, bias, output, last] = [style::DATA, style::SKY, style::VERMILION, style::INK];
    vec![
        curve("w₁₁", hidden, shown, |m| m.parameters.hidden_weights[0][0]),
        curve("w₁₂", hidden, shown, |m| m.parameters.hidden_weights[0][1]),
        curve("w₂₁", hidden, shown, |m| m.parameters.hidden_weights[1][0]),
        curve("w₂₂", hidden, shown, |m| m.parameters.hidden_weights[1][1]),
        curve("b₁", bias, shown, |m| m.parameters.hidden_bias[0]),
        curve("b₂", bias, shown, |m| m.parameters.hidden_bias[1]),
        curve("v₁", output, shown, |m| m.parameters.output_weights[0]),
        curve("v₂", output, shown, |m| m.parameters.output_weights[1]),
        curve("c", last, shown, |m| m.parameters.output_bias),
    ]
}

fn curve(name: &'static str, colour: RGBColor, shown: &[&Moment], value: impl Fn(&Moment) -> f64) -> Curve {
    let points = shown.iter().map(|moment| (f64::from(moment.epoch), value(moment)));
    Curve { name, colour, points: points.filter(|(_, value)| value.is_finite()).collect() }
}

fn axis(scale: Scale, curves: &[Curve]) -> Option<Axis> {
    Axis::around(scale, curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1)))
}

fn line(canvas: &Canvas<'_>, frame: &Frame, curve: &Curve) -> Result<()> {
    let shown = curve.points.iter().filter(|point| frame.y.holds(point.1));
    let path: Vec<(f64, f64)> = shown.map(|(x, y)| (frame.at_x(*x), frame.at_y(*y))).collect();
    canvas.line(&path, curve.colour.to_rgba(), 1.6)
}

/// Names at the right ends, from the top down, at least a line apart, none below the frame.
fn names(canvas: &Canvas<'_>, frame: &Frame, curves: &[Curve]) -> Result<()> {
    const APART: f64 = 14.0;
    let end = |curve: &Curve| curve.points.last().map(|point| frame.at_y(point.1));
    let mut ends: Vec<(f64, &Curve)> = curves.iter().filter_map(|curve| Some((end(curve)?, curve))).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = frame.top;
    for (at, _) in &mut ends {
        *at = at.max(free);
        free = *at + APART;
    }
    let mut free = frame.bottom;
    for (at, _) in ends.iter_mut().rev() {
        *at = at.min(free);
        free = *at - APART;
    }
    ends.iter().try_for_each(|(at, curve)| {
        canvas.text(curve.name, (frame.right + 8.0, *at), Anchor::Start, style::SMALL_SIZE, curve.colour)
    })
}
