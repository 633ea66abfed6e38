//! Draws how one training went: the mean loss and the nine parameters, epoch by epoch.
//!
//! Each curve is named at its right end in its own colour; names that would touch are moved apart.

use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Page, letters};
use crate::figure::style::{self, Colour, Palette};
use crate::figure::{Figure, Look};
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
pub struct Curve {
    /// What is written at its right end.
    pub name: String,
    /// Colour of both.
    pub colour: Colour,
    /// Finite values, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// Points of a curve; more cannot be told apart at any size.
const POINTS: usize = 2000;
/// Room for the names at the right end.
pub const NAME_ROOM: f64 = 34.0;

/// Draws the course of a training.
///
/// # Errors
/// [`Error::Figure`] if there is nothing finite to draw.
pub fn draw(title: &str, caption: &str, moments: &[Moment], look: Look) -> Result<Figure> {
    let failed = |reason: &str| Error::Figure { figure: "training", reason: reason.into() };
    let mut canvas = Canvas::new(look, 2);
    let shown = thinned(moments);
    let x = Axis::around(Scale::Linear, shown.iter().map(|m| f64::from(m.epoch)))
        .ok_or_else(|| failed("there are no epochs"))?;
    let loss = [curve("loss", canvas.palette.data, &shown, |moment| moment.loss)];
    let parameters = parameter_curves(&shown, canvas.palette);
    let axes = [
        (x, axis(Scale::Log, &loss).ok_or_else(|| failed("no loss is finite"))?),
        (x, axis(Scale::Linear, &parameters).ok_or_else(|| failed("no parameter is finite"))?),
    ];
    let page = Page { title: title.into(), legend: Vec::new(), caption: caption.into() };
    let area = page.draw(&mut canvas);
    let middle = area.top + 0.42 * area.height();
    let halves = [Area { bottom: middle, ..area }, Area { top: middle + 8.0, ..area }];
    let names = [Names { x: "", y: "mean loss" }, Names { x: "epoch", y: "parameter" }];
    let rooms = [0, 1].map(|i| Frame::room(halves[i], axes[i], names[i]));
    let left = rooms[0].left.max(rooms[1].left);
    for (i, curves) in [&loss[..], &parameters[..]].into_iter().enumerate() {
        let room = Area { left, right: area.right - NAME_ROOM, ..rooms[i] };
        let frame = Frame::draw_inside(&mut canvas, room, axes[i], names[i]);
        draw_named(&mut canvas, &frame, curves);
    }
    Ok(canvas.finish(title, caption))
}

/// At most [`POINTS`] of `moments`, evenly spaced, with the last.
pub fn thinned(moments: &[Moment]) -> Vec<&Moment> {
    let stride = moments.len().div_ceil(POINTS).max(1);
    moments.iter().step_by(stride).chain(moments.last()).collect()
}

/// The nine parameters: weights and biases of the hidden layer, then of the output layer.
pub fn parameter_curves(shown: &[&Moment], palette: &Palette) -> Vec<Curve> {
    let [hidden, output, bias, _, _, last] = palette.series();
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

/// The curve of one number of each moment.
pub fn curve(name: &str, colour: Colour, shown: &[&Moment], value: impl Fn(&Moment) -> f64) -> Curve {
    let points = shown.iter().map(|moment| (f64::from(moment.epoch), value(moment)));
    Curve { name: name.into(), colour, points: points.filter(|(_, value)| value.is_finite()).collect() }
}

/// The axis that shows all of `curves`; nothing if nothing can be shown.
pub fn axis(scale: Scale, curves: &[Curve]) -> Option<Axis> {
    Axis::around(scale, curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1)))
}

/// Draws `curves`, each with its name at its right end: from the top down, a line apart, none below the frame.
pub fn draw_named(canvas: &mut Canvas, frame: &Frame, curves: &[Curve]) {
    for curve in curves {
        frame.curve(canvas, &curve.points, curve.colour, 1.6);
    }
    let end = |curve: &Curve| curve.points.iter().rev().find(|point| frame.y.holds(point.1)).map(|p| frame.at_y(p.1));
    let mut ends: Vec<(f64, &Curve)> = curves.iter().filter_map(|curve| Some((end(curve)?, curve))).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    // As close as the height demands, never so close that letters touch.
    let apart = (frame.area.height() / ends.len().max(1) as f64).clamp(style::SMALL_SIZE, 15.0);
    let mut free = frame.area.top;
    for (at, _) in &mut ends {
        *at = at.max(free);
        free = *at + apart;
    }
    let mut free = frame.area.bottom;
    for (at, _) in ends.iter_mut().rev() {
        *at = at.min(free);
        free = *at - apart;
    }
    for (at, curve) in ends {
        let look = letters(Anchor::Start, style::SMALL_SIZE, curve.colour);
        canvas.text(&curve.name, (frame.area.right + 7.0, at), look);
    }
}
