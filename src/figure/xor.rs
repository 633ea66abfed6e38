//! XOR as a plane: the truth table, the output of a trained network over the plane, and the lines at which its two hidden
//! neurons switch. Neither line alone separates the classes; both together do.

use crate::error::Result;
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::{Anchor, Canvas, Lettering, Point};
use crate::figure::contour::Field;
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Entry, Mark, Page, letters};
use crate::figure::style::{LINE, SMALL_SIZE};
use crate::figure::text::Weight;
use crate::figure::trainer::{Course, EPOCHS, OUTPUT_STD_DEV, Start};
use crate::figure::{Figure, FigureOptions};
use crate::format::count;
use crate::train::network::{INPUTS, Parameters, TARGETS};

/// Its name.
pub const NAME: &str = "xor";

/// The plane that is shown, in both inputs.
const FROM: f64 = -0.4;
const TO: f64 = 1.4;
/// The network's start: the article's best.
const STD_DEV: f64 = 0.6;

/// Trains a network from `seed` and draws it.
///
/// # Errors
/// Those of [`Start::train_until_solved`].
pub fn draw(seed: u64, options: &FigureOptions) -> Result<Figure> {
    let start = Start { hidden_std_dev: STD_DEV, output_std_dev: OUTPUT_STD_DEV, seed };
    let course = start.train_until_solved(NAME)?;
    let mut canvas = Canvas::new(options.look, 2);
    let palette = canvas.palette;
    let title = options.wording.title("XOR, separated by the two hidden neurons of a trained network");
    let page = Page {
        title: title.clone(),
        legend: vec![
            Entry::new(Mark::Line(palette.ink), "a hidden neuron at ½"),
            Entry::new(Mark::Dashes(palette.ink), "output at ½"),
            Entry::new(Mark::Dot(palette.ink), "XOR is 1"),
            Entry::new(Mark::Ring(palette.ink), "XOR is 0"),
        ],
        caption: format!(
            "Output of the network with two hidden neurons after {} epochs, from standard deviation {STD_DEV} (seed {seed}, \
             replicate {}). Shades are steps of a tenth.",
            count(u64::from(EPOCHS)),
            course.replicate
        ),
    };
    let area = page.draw(&mut canvas);
    let [plane, table] = area.split(&canvas, 0.62, 26.0);
    draw_plane(&mut canvas, square(plane), &course, options);
    draw_table(&mut canvas, table, &course);
    Ok(canvas.finish(&title, &page.caption))
}

/// The greatest area of `area` that makes the plane square, given what axes take.
fn square(area: Area) -> Area {
    const BESIDE: f64 = 62.0;
    const BELOW: f64 = 48.0;
    let side = (area.width() - BESIDE).min(area.height() - BELOW);
    let left = area.left + (area.width() - side - BESIDE) / 2.0;
    Area { left, right: left + side + BESIDE, top: area.top, bottom: area.top + side + BELOW }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// The network's output for inputs `a` and `b`.
fn output(p: &Parameters, a: f64, b: f64) -> f64 {
    let hidden = |j: usize| sigmoid(a * p.hidden_weights[0][j] + b * p.hidden_weights[1][j] + p.hidden_bias[j]);
    sigmoid(hidden(0) * p.output_weights[0] + hidden(1) * p.output_weights[1] + p.output_bias)
}

fn draw_plane(canvas: &mut Canvas, area: Area, course: &Course, options: &FigureOptions) {
    const NODES: usize = 61;
    let Some(axis) = Axis::spanning(Scale::Linear, FROM, TO) else { return };
    let names = (options.wording.x("input x₁"), options.wording.y("input x₂"));
    let names = Names { x: &names.0, y: &names.1 };
    let room = Frame::room(area, (axis, axis), names);
    let palette = canvas.palette;
    let [low, high] = palette.poles;
    let inside = |(x, y): Point| (room.left + x * room.width(), room.bottom - y * room.height());
    let at = |share: f64| FROM + share * (TO - FROM);
    let field = Field::of(NODES, |x, y| output(&course.last, at(x), at(y)));
    canvas.rectangle((room.left, room.top), (room.right, room.bottom), shade(canvas, 0.05, low, high));
    for tenth in 1..10 {
        let outlines: Vec<Vec<Point>> = field
            .above(f64::from(tenth) / 10.0)
            .into_iter()
            .map(|line| line.into_iter().map(inside).collect())
            .collect();
        if !outlines.is_empty() {
            canvas.regions(&outlines, shade(canvas, f64::from(tenth) / 10.0 + 0.05, low, high));
        }
    }
    let frame = Frame::draw_inside(canvas, room, (axis, axis), names);
    boundary(canvas, &frame, &field);
    for neuron in 0..2 {
        if let Some(line) = switch(&course.last, neuron) {
            canvas.line(&line.map(|point| frame.at(point)), palette.ink, 2.4);
        }
    }
    for (input, target) in INPUTS.iter().zip(TARGETS) {
        let at = frame.at((input[0], input[1]));
        canvas.dot(at, 9.0, palette.paper);
        canvas.ring(at, 8.0, palette.ink, 2.2);
        if target > 0.5 {
            canvas.dot(at, 8.0, palette.ink);
        }
    }
}

/// The colour of an output: from one pole over the paper to the other.
fn shade(
    canvas: &Canvas,
    output: f64,
    low: crate::figure::style::Colour,
    high: crate::figure::style::Colour,
) -> crate::figure::style::Colour {
    let paper = canvas.palette.paper;
    if output < 0.5 { paper.towards(low, 1.0 - 2.0 * output) } else { paper.towards(high, 2.0 * output - 1.0) }
}

/// Where the output is ½, as far as that is inside the plane.
fn boundary(canvas: &mut Canvas, frame: &Frame, field: &Field) {
    let ink = canvas.palette.ink;
    let on_edge = |(x, y): &Point| *x <= 0.0 || *x >= 1.0 || *y <= 0.0 || *y >= 1.0;
    for outline in field.above(0.5) {
        // An outline is closed; it starts again after a part on the plane's edge.
        let turn = outline.iter().position(on_edge).unwrap_or(0);
        let around: Vec<Point> = outline.iter().cycle().skip(turn).take(outline.len() + 1).copied().collect();
        for part in around.split(on_edge).filter(|part| part.len() > 1) {
            let place = |(x, y): &Point| {
                (frame.area.left + x * frame.area.width(), frame.area.bottom - y * frame.area.height())
            };
            canvas.dashed(&part.iter().map(place).collect::<Vec<_>>(), ink, 1.4);
        }
    }
}

/// The two points at which the line w₁x₁ + w₂x₂ + b = 0 of a hidden neuron crosses the plane's border.
fn switch(p: &Parameters, neuron: usize) -> Option<[Point; 2]> {
    let (w1, w2, b) = (p.hidden_weights[0][neuron], p.hidden_weights[1][neuron], p.hidden_bias[neuron]);
    let inside = |value: f64| (FROM..=TO).contains(&value);
    let on_x = [FROM, TO].map(|x| (x, -(w1 * x + b) / w2)).into_iter().filter(|(_, y)| inside(*y));
    let on_y = [FROM, TO].map(|y| (-(w2 * y + b) / w1, y)).into_iter().filter(|(x, _)| inside(*x));
    let points: Vec<Point> = on_x.chain(on_y).collect();
    (points.len() >= 2).then(|| [points[0], points[points.len() - 1]])
}

/// The truth table with the network's predictions, and the key of the shades.
fn draw_table(canvas: &mut Canvas, area: Area, course: &Course) {
    const ROW: f64 = 25.0;
    let (ink, soft) = (canvas.palette.ink, canvas.palette.soft_ink);
    let width = area.width().min(if canvas.sheet.is_narrow() { 240.0 } else { 280.0 });
    let columns = [0.08, 0.3, 0.55, 0.86].map(|share| area.left + share * width);
    let bold = Lettering { anchor: Anchor::Middle, size: SMALL_SIZE + 1.0, weight: Weight::Bold, colour: ink };
    let top = area.top + 12.0;
    for (text, x) in ["x₁", "x₂", "XOR", "output"].into_iter().zip(columns) {
        canvas.text(text, (x, top + ROW / 2.0), bold);
    }
    canvas.line(&[(area.left, top + ROW), (area.left + width, top + ROW)], soft, 1.2);
    let look = letters(Anchor::Middle, SMALL_SIZE + 1.0, ink);
    for (row, ((input, target), predicted)) in INPUTS.iter().zip(TARGETS).zip(course.predicted).enumerate() {
        let y = top + (row as f64 + 1.5) * ROW;
        let cells = [format!("{}", input[0]), format!("{}", input[1]), format!("{target}"), format!("{predicted:.3}")];
        for (text, x) in cells.iter().zip(columns) {
            canvas.text(text, (x, y), look);
        }
    }
    // The key stands below the table, or beside it where there is no room.
    let (left, y) = if canvas.sheet.is_narrow() {
        (area.left + width + 40.0, top + ROW / 2.0)
    } else {
        (area.left, top + 5.0 * ROW + 30.0)
    };
    let width = width.min(area.right - left);
    canvas.text("output of the network", (left, y), letters(Anchor::Start, SMALL_SIZE, ink));
    let [low, high] = canvas.palette.poles;
    for tenth in 0..10 {
        let at = |tenth: usize| left + tenth as f64 / 10.0 * width;
        let colour = shade(canvas, tenth as f64 / 10.0 + 0.05, low, high);
        canvas.rectangle((at(tenth), y + 14.0), (at(tenth + 1), y + 30.0), colour);
    }
    for (text, share, anchor) in [("0", 0.0, Anchor::Start), ("0.5", 0.5, Anchor::Middle), ("1", 1.0, Anchor::End)] {
        canvas.text(text, (left + share * width, y + 30.0 + LINE * 0.7), letters(anchor, SMALL_SIZE, ink));
    }
}
