//! How the loss falls in several trainings, and the plateaus at which it rests.

use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::curves;
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Entry, Mark, Page, letters};
use crate::figure::plateaus::{PER_EPOCH, Plateau};
use crate::figure::style::SMALL_SIZE;
use crate::figure::text::{self, Weight};
use crate::figure::trainer::{EPOCHS, OUTPUT_STD_DEV, Start};
use crate::figure::{Figure, FigureOptions};
use crate::format::{count, significant};

/// Its name.
pub const NAME: &str = "loss-curve";
/// The starts that are shown unless the user chooses.
pub const STARTS: [f64; 4] = [0.1, 0.6, 2.0, 10.0];
/// Starts that can be told apart by colour.
pub const MOST_STARTS: usize = 6;
/// Trainings from each start.
pub const RUNS: u32 = 5;

/// Trains [`RUNS`] networks from each of `starts`, standard deviations of the hidden layer, with `seed`, and draws their losses.
///
/// # Errors
/// Those of training; [`Error::Figure`] for more than [`MOST_STARTS`].
pub fn draw(starts: &[f64], seed: u64, options: &FigureOptions) -> Result<Figure> {
    let starts = if starts.is_empty() { &STARTS } else { starts };
    let failed = |reason: String| Error::Figure { figure: NAME, reason };
    if starts.len() > MOST_STARTS {
        return Err(failed(format!(
            "{} starts cannot be told apart; choose up to {MOST_STARTS} with --levels",
            starts.len()
        )));
    }
    let mut losses: Vec<(usize, Vec<(f64, f64)>)> = Vec::new();
    for (i, level) in starts.iter().enumerate() {
        let start = Start { hidden_std_dev: *level, output_std_dev: OUTPUT_STD_DEV, seed };
        for replicate in 0..RUNS {
            let course = start.train(replicate)?;
            let shown = curves::thinned(&course.moments);
            losses.push((i, shown.iter().map(|moment| (f64::from(moment.epoch), moment.loss)).collect()));
        }
    }
    let points = || losses.iter().flat_map(|(_, points)| points);
    let axis = |scale, values: Vec<f64>| Axis::around(scale, values).ok_or_else(|| failed("no loss is finite".into()));
    let axes = (
        axis(Scale::Linear, points().map(|point| point.0).collect())?,
        axis(Scale::Log, points().map(|point| point.1).collect())?,
    );

    let mut canvas = Canvas::new(options.look, 1);
    let palette = canvas.palette;
    let title = options.wording.title("How the loss falls, by the initial standard deviation");
    let mut legend: Vec<Entry> = starts
        .iter()
        .zip(palette.series())
        .map(|(level, colour)| Entry::new(Mark::Line(colour), format!("from {}", significant(*level, 3))))
        .collect();
    legend.push(Entry::new(Mark::Dashes(palette.soft_ink), "plateau: patterns not told apart"));
    let page = Page {
        title: title.clone(),
        legend,
        caption: format!(
            "{RUNS} trainings from each standard deviation of the hidden layer; output layer {OUTPUT_STD_DEV}, learning rate 0.1, \
             {} epochs, seed {seed}. Mean binary cross-entropy of the four patterns, in nats.",
            count(u64::from(EPOCHS))
        ),
    };
    let area = page.draw(&mut canvas);
    let (x_label, y_label) = (options.wording.x("epoch"), options.wording.y("mean loss (logarithmic)"));
    let names = Names { x: &x_label, y: &y_label };
    let widest =
        PER_EPOCH.iter().map(|plateau| text::width(plateau.name, SMALL_SIZE, Weight::Regular)).fold(0.0, f64::max);
    let area = Area { right: area.right - widest * 1.03 - 8.0, ..area };
    let frame = Frame::draw(&mut canvas, area, axes, names);
    mark_plateaus(&mut canvas, &frame);
    for (i, points) in &losses {
        frame.curve(&mut canvas, points, palette.series()[*i].at(0.8), 1.3);
    }
    Ok(canvas.finish(&title, &page.caption))
}

fn mark_plateaus(canvas: &mut Canvas, frame: &Frame) {
    let colour = canvas.palette.soft_ink;
    let shown: Vec<&Plateau> = PER_EPOCH.iter().filter(|plateau| frame.y.holds(plateau.loss)).collect();
    let mut free = f64::NEG_INFINITY;
    for plateau in shown.into_iter().rev() {
        let y = frame.at_y(plateau.loss);
        canvas.dashed(&[(frame.area.left, y), (frame.area.right, y)], colour, 1.0);
        let at = y.max(free);
        canvas.text(plateau.name, (frame.area.right + 6.0, at), letters(Anchor::Start, SMALL_SIZE, colour));
        free = at + SMALL_SIZE + 2.0;
    }
}
