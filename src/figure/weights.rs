//! How the nine parameters move from a small and from a large start: the article's two pictures, side by side.

use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::{Anchor, Canvas, Lettering};
use crate::figure::curves::{self, Curve, NAME_ROOM};
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Entry, Mark, Page};
use crate::figure::style::{LABEL_SIZE, LINE};
use crate::figure::text::Weight;
use crate::figure::trainer::{Course, EPOCHS, Start};
use crate::figure::{Figure, FigureOptions};
use crate::format::{count, significant};

/// Its name.
pub const NAME: &str = "weights";
/// The starts that are shown unless the user chooses.
pub const STARTS: [f64; 2] = [0.2, 5.0];
/// Starts that have room side by side.
pub const MOST_STARTS: usize = 4;

/// Trains networks whose nine parameters start with the standard deviations `starts` from `seed`, and draws their courses.
///
/// # Errors
/// Those of training; [`Error::Figure`] for more than [`MOST_STARTS`].
pub fn draw(starts: &[f64], seed: u64, options: &FigureOptions) -> Result<Figure> {
    let starts = if starts.is_empty() { &STARTS } else { starts };
    let failed = |reason: String| Error::Figure { figure: NAME, reason };
    if starts.len() > MOST_STARTS {
        return Err(failed(format!("{} starts do not fit; choose up to {MOST_STARTS} with --levels", starts.len())));
    }
    let train = |level: &f64| Start { hidden_std_dev: *level, output_std_dev: *level, seed }.train_until_solved(NAME);
    let courses: Vec<Course> = starts.iter().map(train).collect::<Result<_>>()?;

    let mut canvas = Canvas::new(options.look, starts.len());
    let [hidden, output, bias, _, _, last] = canvas.palette.series();
    let title = options.wording.title("How the nine parameters move, by their initial standard deviation");
    let replicates: Vec<String> = courses.iter().map(|course| course.replicate.to_string()).collect();
    let page = Page {
        title: title.clone(),
        legend: vec![
            Entry::new(Mark::Line(hidden), "hidden weights w"),
            Entry::new(Mark::Line(bias), "hidden biases b"),
            Entry::new(Mark::Line(output), "output weights v"),
            Entry::new(Mark::Line(last), "output bias c"),
        ],
        caption: format!(
            "One training each over {} epochs; all nine parameters start with the same standard deviation; the first \
             replicates of seed {seed} that learn XOR ({}).",
            count(u64::from(EPOCHS)),
            replicates.join(", ")
        ),
    };
    let area = page.draw(&mut canvas);
    let columns = if canvas.sheet.is_narrow() { 1 } else { starts.len() };
    let tiles = area.tiles(starts.len(), columns, 18.0);
    let labels = [options.wording.x("epoch"), options.wording.y("value of the parameter")];
    for (i, (course, tile)) in courses.iter().zip(tiles).enumerate() {
        let shown = curves::thinned(&course.moments);
        let lines = curves::parameter_curves(&shown, canvas.palette);
        let x = Axis::around(Scale::Linear, shown.iter().map(|moment| f64::from(moment.epoch)));
        let (Some(x), Some(y)) = (x, curves::axis(Scale::Linear, &lines)) else {
            return Err(failed("no parameter is finite".into()));
        };
        let is_first = i % columns == 0;
        let names = Names { x: &labels[0], y: if is_first { &labels[1] } else { "" } };
        panel(&mut canvas, tile, (x, y), names, &lines, starts[i]);
    }
    Ok(canvas.finish(&title, &page.caption))
}

fn panel(canvas: &mut Canvas, tile: Area, axes: (Axis, Axis), names: Names<'_>, lines: &[Curve], start: f64) {
    let tile = Area { top: tile.top + LINE + 4.0, right: tile.right - NAME_ROOM, ..tile };
    let room = Frame::room(tile, axes, names);
    let frame = Frame::draw_inside(canvas, room, axes, names);
    curves::draw_named(canvas, &frame, lines);
    let look = Lettering { anchor: Anchor::Start, size: LABEL_SIZE, weight: Weight::Bold, colour: canvas.palette.ink };
    canvas.text(&format!("from {}", significant(start, 3)), (room.left, tile.top - LINE / 2.0 - 2.0), look);
}
