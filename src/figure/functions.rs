//! The functions that the network is made of: the sigmoid with its derivative, the likelihood of a prediction, and the loss.

use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::Canvas;
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Entry, Mark, Page};
use crate::figure::{Figure, FigureOptions};

/// Name of the figure of the sigmoid.
pub const SIGMOID: &str = "sigmoid";
/// Name of the figure of the likelihood.
pub const LIKELIHOOD: &str = "likelihood";
/// Name of the figure of the loss.
pub const BCE: &str = "bce";

/// What a figure of functions shows.
struct Sketch {
    name: &'static str,
    title: &'static str,
    x_label: &'static str,
    y_label: &'static str,
    caption: &'static str,
    x: [f64; 2],
    y: [f64; 2],
    curves: [Named; 2],
}

/// A function with its name.
#[derive(Clone, Copy)]
struct Named {
    name: &'static str,
    value: fn(f64) -> f64,
}

fn sigma(z: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-z))
}

/// The sigmoid and its derivative.
///
/// # Errors
/// None in practice.
pub fn sigmoid(options: &FigureOptions) -> Result<Figure> {
    draw(
        &Sketch {
            name: SIGMOID,
            title: "The sigmoid and its derivative",
            x_label: "input of the neuron, z",
            y_label: "value",
            caption: "The slope is largest, ¼, at z = 0 and vanishes on both sides: large weights learn slowly.",
            x: [-6.0, 6.0],
            y: [0.0, 1.0],
            curves: [
                Named { name: "σ(z) = 1 / (1 + e⁻ᶻ)", value: sigma },
                Named { name: "σ′(z) = σ(z)(1 − σ(z))", value: |z| sigma(z) * (1.0 - sigma(z)) },
            ],
        },
        options,
    )
}

/// The likelihood of either target.
///
/// # Errors
/// None in practice.
pub fn likelihood(options: &FigureOptions) -> Result<Figure> {
    draw(
        &Sketch {
            name: LIKELIHOOD,
            title: "Likelihood of a prediction",
            x_label: "prediction ŷ",
            y_label: "P(y | ŷ)",
            caption: "P(y | ŷ) = ŷʸ (1 − ŷ)¹⁻ʸ, the Bernoulli distribution: greatest where the prediction is the target.",
            x: [0.0, 1.0],
            y: [0.0, 1.0],
            curves: [
                Named { name: "target y = 1: ŷ", value: |p| p },
                Named { name: "target y = 0: 1 − ŷ", value: |p| 1.0 - p },
            ],
        },
        options,
    )
}

/// The binary cross-entropy of either target.
///
/// # Errors
/// None in practice.
pub fn bce(options: &FigureOptions) -> Result<Figure> {
    draw(
        &Sketch {
            name: BCE,
            title: "Binary cross-entropy of a prediction",
            x_label: "prediction ŷ",
            y_label: "loss, nats",
            caption: "The negative logarithm of the likelihood: 0 where the prediction is the target, ln 2 = 0.693 at ½, \
                      unbounded where it is wrong.",
            x: [0.0, 1.0],
            y: [0.0, 5.0],
            curves: [
                Named { name: "target y = 1: −ln ŷ", value: |p| -libm::log(p) },
                Named { name: "target y = 0: −ln(1 − ŷ)", value: |p| -libm::log(1.0 - p) },
            ],
        },
        options,
    )
}

fn draw(sketch: &Sketch, options: &FigureOptions) -> Result<Figure> {
    const STEPS: u32 = 600;
    const ROOM: f64 = 0.03;
    let failed = || Error::Figure { figure: sketch.name, reason: "the axes are empty".into() };
    let around = |[lower, upper]: [f64; 2]| {
        let room = (upper - lower) * ROOM;
        Axis::spanning(Scale::Linear, lower - room, upper + room).ok_or_else(failed)
    };
    let axes = (around(sketch.x)?, around(sketch.y)?);
    let mut canvas = Canvas::new(options.look, 1);
    let colours = canvas.palette.series();
    let title = options.wording.title(sketch.title);
    let entry = |(i, curve): (usize, &Named)| Entry::new(Mark::Line(colours[i]), curve.name);
    let page = Page {
        title: title.clone(),
        legend: sketch.curves.iter().enumerate().map(entry).collect(),
        caption: sketch.caption.into(),
    };
    let area = page.draw(&mut canvas);
    let (x_label, y_label) = (options.wording.x(sketch.x_label), options.wording.y(sketch.y_label));
    let frame = Frame::draw(&mut canvas, area, axes, Names { x: &x_label, y: &y_label });
    let [from, to] = sketch.x;
    for (i, curve) in sketch.curves.iter().enumerate() {
        let at = |step: u32| from + (to - from) * f64::from(step) / f64::from(STEPS);
        let points: Vec<(f64, f64)> = (0..=STEPS).map(|step| (at(step), (curve.value)(at(step)))).collect();
        frame.curve(&mut canvas, &points, colours[i], 2.4);
    }
    Ok(canvas.finish(&title, &format!("{}. {}", sketch.title, sketch.caption)))
}
