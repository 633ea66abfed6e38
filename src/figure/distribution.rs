//! How the runs of some levels are distributed: a violin of binned counts a level, with its quartiles, and the plateaus at
//! which networks get stuck.
//!
//! Why violins with steps and not a smoothed density: the losses pile up within a bin of a plateau, and smoothing would draw runs
//! where there are none.

use crate::analysis::Analysis;
use crate::analysis::distribution::{BINS, Distribution, Shape};
use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale, readable};
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Entry, Mark, Page, letters};
use crate::figure::plateaus::{self, Plateau};
use crate::figure::text::{self, Weight};
use crate::figure::{Figure, FigureOptions, data, style};
use crate::format::count;
use crate::sweep::DEFAULT_METRIC;

/// Its name.
pub const NAME: &str = "distribution";
/// Levels that are shown unless the user chooses.
pub const LEVELS: usize = 9;
/// Levels that can be shown.
pub const MOST_LEVELS: usize = 24;

/// Draws `distribution`, which is of the runs of `analysis`.
///
/// # Errors
/// [`Error::Figure`] for more than [`MOST_LEVELS`] levels, or values too large to draw.
pub fn draw(analysis: &Analysis, distribution: &Distribution, options: &FigureOptions) -> Result<Figure> {
    let failed = |reason: String| Error::Figure { figure: NAME, reason };
    let shapes = &distribution.shapes;
    if shapes.len() > MOST_LEVELS {
        return Err(failed(format!("{} levels do not fit; choose up to {MOST_LEVELS} with --levels", shapes.len())));
    }
    let plateaus: Vec<Plateau> = plateaus::of(analysis);
    let heights = [distribution.lower, distribution.upper].into_iter();
    let y = Axis::around(Scale::Linear, heights).ok_or_else(|| failed("the values are too large to draw".into()))?;
    let plateaus: Vec<Plateau> = plateaus.into_iter().filter(|plateau| y.holds(plateau.loss)).collect();

    let mut canvas = Canvas::new(options.look, 1);
    let palette = canvas.palette;
    let (metric, factor) = (data::Metric::new(analysis).name(), data::factor_in_title(&analysis.factor));
    let article = if metric == analysis.metric { "" } else { "the " };
    let title = options.wording.title(format!("Distribution of {article}{metric} by {factor}"));
    let mut legend = vec![
        Entry::new(Mark::Area(palette.data.at(FILL)), "runs by value"),
        Entry::new(Mark::Bar(palette.ink), "middle half of the runs"),
        Entry::new(Mark::Dot(palette.ink), "median"),
    ];
    if !plateaus.is_empty() {
        legend.push(Entry::new(Mark::Dashes(palette.references[1]), "plateau: patterns not told apart"));
    }
    let page = Page { title: title.clone(), legend, caption: caption(distribution) };
    let area = page.draw(&mut canvas);
    let x_label = options.wording.x(match data::x_label(&analysis.factor, Scale::Linear) {
        label if label == analysis.factor => format!("level of {label}"),
        label => label,
    });
    let y_usual = if analysis.metric == DEFAULT_METRIC { "loss, summed over epochs" } else { analysis.metric.as_str() };
    let y_label = options.wording.y(y_usual);
    let frame = frame(&mut canvas, area, y, Names { x: &x_label, y: &y_label }, &plateaus);
    mark_plateaus(&mut canvas, &frame, &plateaus);
    let most = shapes.iter().map(|shape| shape.counts.iter().copied().max().unwrap_or(0) as f64 / shape.n as f64);
    let widest = most.fold(0.0, f64::max);
    for (i, shape) in shapes.iter().enumerate() {
        let slot = Slot { shapes: shapes.len(), place: i, frame: &frame };
        violin(&mut canvas, &slot, distribution, shape, widest);
    }
    Ok(canvas.finish(&title, &page.caption))
}

/// Opacity of the violins.
const FILL: f64 = 0.55;

fn caption(distribution: &Distribution) -> String {
    let sizes = || distribution.shapes.iter().map(|shape| shape.n);
    let n = match (sizes().min(), sizes().max()) {
        (Some(least), Some(most)) if least == most => count(most),
        (least, most) => format!("{} to {}", count(least.unwrap_or(0)), count(most.unwrap_or(0))),
    };
    format!(
        "n = {n} runs a level; width: share of the level’s runs in each of {BINS} bins, square root, one scale for all"
    )
}

/// The frame with room for the plateaus' names at the right; the horizontal axis has no scale but slots.
fn frame(canvas: &mut Canvas, area: Area, y: Axis, names: Names<'_>, plateaus: &[Plateau]) -> Frame {
    let x = Axis::slots();
    let widest = plateaus
        .iter()
        .map(|plateau| text::width(plateau.name, style::SMALL_SIZE, Weight::Regular))
        .fold(0.0, f64::max);
    let right = if plateaus.is_empty() { area.right } else { area.right - widest * 1.03 - 8.0 };
    Frame::draw(canvas, Area { right, ..area }, (x, y), names)
}

fn mark_plateaus(canvas: &mut Canvas, frame: &Frame, plateaus: &[Plateau]) {
    let colour = canvas.palette.references[1];
    for plateau in plateaus {
        let y = frame.at_y(plateau.loss);
        canvas.dashed(&[(frame.area.left, y), (frame.area.right, y)], colour, 1.2);
    }
    // From the top down, so that names that would touch move apart.
    let mut free = f64::NEG_INFINITY;
    for plateau in plateaus.iter().rev() {
        let y = frame.at_y(plateau.loss).max(free);
        canvas.text(plateau.name, (frame.area.right + 6.0, y), letters(Anchor::Start, style::SMALL_SIZE, colour));
        free = y + style::SMALL_SIZE + 2.0;
    }
}

/// One of equal parts of the horizontal axis.
struct Slot<'a> {
    shapes: usize,
    place: usize,
    frame: &'a Frame,
}

impl Slot<'_> {
    fn width(&self) -> f64 {
        self.frame.area.width() / self.shapes as f64
    }

    fn middle(&self) -> f64 {
        self.frame.area.left + (self.place as f64 + 0.5) * self.width()
    }
}

fn violin(canvas: &mut Canvas, slot: &Slot<'_>, distribution: &Distribution, shape: &Shape, widest: f64) {
    let (frame, x) = (slot.frame, slot.middle());
    let half = |count: u64| {
        // The square root keeps rare runs visible beside a plateau that holds most.
        let share = count as f64 / shape.n as f64 / widest;
        0.46 * slot.width() * libm::sqrt(share)
    };
    let side = |sign: f64| {
        let corner = move |(place, count): (usize, &u64)| {
            let at = x + sign * half(*count).max(if *count > 0 { 0.6 } else { 0.0 });
            [(at, frame.at_y(distribution.edge(place))), (at, frame.at_y(distribution.edge(place + 1)))]
        };
        shape.counts.iter().enumerate().flat_map(corner).collect::<Vec<_>>()
    };
    let (used_from, used_to) = used(&shape.counts);
    let part = |points: Vec<(f64, f64)>| points[2 * used_from..2 * used_to].to_vec();
    if distribution.upper > distribution.lower {
        let (right, mut left) = (part(side(1.0)), part(side(-1.0)));
        left.reverse();
        canvas.polygon(&[right, left].concat(), canvas.palette.data.at(FILL));
    } else {
        let y = frame.at_y(distribution.lower);
        canvas.line(&[(x - 0.46 * slot.width(), y), (x + 0.46 * slot.width(), y)], canvas.palette.data.at(FILL), 2.0);
    }
    let [q25, median, q75] = shape.quartiles.map(|value| frame.at_y(value));
    canvas.line(&[(x, q25), (x, q75)], canvas.palette.ink, 2.2);
    canvas.dot((x, median), 3.6, canvas.palette.paper);
    canvas.dot((x, median), 2.6, canvas.palette.ink);
    label(canvas, slot, shape.level);
}

/// The bins from the first that holds runs to the last.
fn used(counts: &[u64]) -> (usize, usize) {
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
    (first, last + 1)
}

/// The level below its slot; where slots are narrow, below every second or third.
fn label(canvas: &mut Canvas, slot: &Slot<'_>, level: f64) {
    const WIDEST: f64 = 46.0;
    let every = (WIDEST / slot.width()).ceil().max(1.0) as usize;
    if slot.place.is_multiple_of(every) {
        let (name, limit) = (readable(level, 3), slot.width() * every as f64 - 6.0);
        let name = text::fitted(&name, style::SMALL_SIZE, Weight::Regular, limit);
        let at = (slot.middle(), slot.frame.area.bottom + 9.0 + style::LINE / 2.0 - 1.0);
        canvas.text(&name, at, letters(Anchor::Middle, style::SMALL_SIZE, canvas.palette.ink));
    }
}
