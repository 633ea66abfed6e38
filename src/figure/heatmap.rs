//! The mean of the metric at every pair of levels of two factors, as colours; the best of them is marked.

use crate::analysis::Goal;
use crate::analysis::grid::{Cell, Grid};
use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale, readable};
use crate::figure::canvas::{Anchor, Canvas, Lettering};
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Area, Entry, Mark, Page, letters};
use crate::figure::style::{LINE, SMALL_SIZE};
use crate::figure::text::{self, Weight};
use crate::figure::{Figure, FigureOptions, data};
use crate::format::{aligned, count, counted, to_precision_of};
use crate::sweep::DEFAULT_FACTOR;

/// Its name.
pub const NAME: &str = "heatmap";

/// Draws `grid` and marks its best cell, as the `goal` has it.
///
/// # Errors
/// [`Error::Figure`] if no cell has a finite mean.
pub fn draw(grid: &Grid, goal: Goal, options: &FigureOptions) -> Result<Figure> {
    let failed = || Error::Figure { figure: NAME, reason: "no cell has a mean that can be drawn".into() };
    let means = || grid.measured().map(|cell| cell.mean);
    let (least, most) = means().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if !(most - least).is_finite() {
        return Err(failed());
    }
    let best = if goal == Goal::Min { least } else { most };
    let [x_name, y_name, metric] = &grid.names;
    let mut canvas = Canvas::new(options.look, 2);
    let metric = data::Metric::over([x_name, y_name], metric);
    let metric_name = metric.name();
    let is_layers = |a: &str, b: &str| a == DEFAULT_FACTOR && b == data::OUTPUT_FACTOR;
    let title = options.wording.title(if is_layers(x_name, y_name) || is_layers(y_name, x_name) {
        format!("Mean {metric_name} by the initial standard deviations of both layers")
    } else {
        format!("Mean {metric_name} by {x_name} and {y_name}")
    });
    let is_complete = grid.cells.iter().flatten().all(Option::is_some);
    let mut legend = vec![Entry::new(Mark::Square(canvas.palette.ink), best_cell(grid, goal, best))];
    if !is_complete {
        legend.push(Entry::new(Mark::Area(canvas.palette.grid.into()), "no runs"));
    }
    let page = Page { title: title.clone(), legend, caption: caption(grid) };
    let area = page.draw(&mut canvas);
    let scale = Colours { least, most };
    let key_width = scale.draw_key(&mut canvas, area, &metric.mean_label());
    let area = Area { right: area.right - key_width, ..area };
    let (x_label, y_label) =
        (options.wording.x(data::factor_name(x_name)), options.wording.y(data::factor_name(y_name)));
    let frame = frame(&mut canvas, area, grid, Names { x: &x_label, y: &y_label });
    cells(&mut canvas, &frame, grid, &scale, best);
    Ok(canvas.finish(&title, &page.caption))
}

fn best_cell(grid: &Grid, goal: Goal, best: f64) -> String {
    let word = goal.best_word();
    let place = grid.cells.iter().enumerate().find_map(|(row, cells)| {
        let column = cells.iter().position(|cell| cell.is_some_and(|cell| cell.mean == best))?;
        Some((column, row, cells[column]?))
    });
    let Some((column, row, cell)) = place else { return word.into() };
    let mean = match cell.standard_error.filter(|error| *error > 0.0) {
        Some(error) => format!("{} ± {} (standard error)", to_precision_of(best, error), aligned(error, 2)),
        None => readable(best, 4),
    };
    format!("{word}: {mean} at {}, {}", readable(grid.x[column], 3), readable(grid.y[row], 3))
}

fn caption(grid: &Grid) -> String {
    let sizes = || grid.measured().map(|cell| cell.n);
    let n = match (sizes().min(), sizes().max()) {
        (Some(least), Some(most)) if least == most => counted(most, "run"),
        (least, most) => format!("{} to {} runs", count(least.unwrap_or(0)), count(most.unwrap_or(0))),
    };
    let (x, y) = (grid.x.len(), grid.y.len());
    format!(
        "{x} × {y} levels, n = {n} a cell; {} in all; levels are evenly spaced in the figure",
        counted(sizes().sum(), "run")
    )
}

/// The scale of colours.
struct Colours {
    least: f64,
    most: f64,
}

impl Colours {
    fn share(&self, mean: f64) -> f64 {
        if self.most > self.least { (mean - self.least) / (self.most - self.least) } else { 0.5 }
    }

    /// Draws the key at the right edge of `area` and gives its width.
    fn draw_key(&self, canvas: &mut Canvas, area: Area, name: &str) -> f64 {
        const BAR: f64 = 16.0;
        const STEPS: usize = 48;
        let [lower, upper] =
            if self.most > self.least { [self.least, self.most] } else { [self.least - 0.5, self.least + 0.5] };
        let Some(axis) = Axis::spanning(Scale::Linear, lower, upper) else { return 0.0 };
        let (top, bottom) = (area.top + 8.0, area.bottom - 2.5 * LINE);
        let ticks: Vec<(f64, String)> = axis
            .ticks(((bottom - top) / 40.0) as usize)
            .into_iter()
            .filter_map(|tick| Some((bottom - axis.place(tick.value) * (bottom - top), tick.label?)))
            .collect();
        let widest = ticks.iter().map(|(_, label)| text::width(label, SMALL_SIZE, Weight::Regular)).fold(0.0, f64::max);
        let left = area.right - BAR - widest - 10.0;
        for step in 0..STEPS {
            let at = |step: usize| bottom - step as f64 / STEPS as f64 * (bottom - top);
            let colour = canvas.palette.along_ramp((step as f64 + 0.5) / STEPS as f64);
            // Each reaches into the next, so that no gap shines through.
            let end = if step + 1 < STEPS { at(step + 1) - 0.5 } else { top };
            canvas.rectangle((left, at(step)), (left + BAR, end), colour);
        }
        let ink = canvas.palette.ink;
        for (y, label) in &ticks {
            canvas.line(&[(left + BAR, *y), (left + BAR + 4.0, *y)], ink, 1.0);
            canvas.text(label, (left + BAR + 8.0, *y), letters(Anchor::Start, SMALL_SIZE, ink));
        }
        let name = text::fitted(name, SMALL_SIZE, Weight::Regular, 0.95 * (bottom - top));
        canvas.upward_text(&name, (left - 12.0, (top + bottom) / 2.0), letters(Anchor::Middle, SMALL_SIZE, ink));
        area.right - left + 34.0
    }
}

/// The frame, with a label for as many levels as have room.
fn frame(canvas: &mut Canvas, area: Area, grid: &Grid, names: Names<'_>) -> Frame {
    let label = |level: &f64| readable(*level, 3);
    let (columns, rows): (Vec<String>, Vec<String>) =
        (grid.x.iter().map(label).collect(), grid.y.iter().map(label).collect());
    let width = |label: &String| text::width(label, SMALL_SIZE, Weight::Regular);
    let widest = rows.iter().map(width).fold(0.0, f64::max);
    let slots = Axis::slots();
    // The vertical name stands left of the labels, as where an axis has ticks.
    let inner = Area { left: area.left + widest, ..area };
    let room = Frame::room(inner, (slots, slots), names);
    let frame = Frame { x: slots, y: slots, area: room };
    let ink = canvas.palette.ink;
    let slot = room.width() / columns.len() as f64;
    let every = ((columns.iter().map(width).fold(0.0, f64::max) + 12.0) / slot).ceil().max(1.0) as usize;
    for (i, label) in columns.iter().enumerate().step_by(every) {
        let at = (room.left + (i as f64 + 0.5) * slot, room.bottom + 8.0 + LINE / 2.0);
        canvas.text(label, at, letters(Anchor::Middle, SMALL_SIZE, ink));
    }
    let slot = room.height() / rows.len() as f64;
    let every = (LINE / slot).ceil().max(1.0) as usize;
    for (i, label) in rows.iter().enumerate().step_by(every) {
        let at = (room.left - 7.0, room.bottom - (i as f64 + 0.5) * slot);
        canvas.text(label, at, letters(Anchor::End, SMALL_SIZE, ink));
    }
    frame.name(canvas, names, widest);
    frame
}

fn cells(canvas: &mut Canvas, frame: &Frame, grid: &Grid, colours: &Colours, best: f64) {
    let (columns, rows) = (grid.x.len() as f64, grid.y.len() as f64);
    let (width, height) = (frame.area.width() / columns, frame.area.height() / rows);
    // Small cells reach below the next, so that no paper shines through between them.
    let gap: f64 = if width.min(height) > 12.0 { 0.5 } else { -0.3 };
    let mut marked = None;
    for (row, cells) in grid.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let (left, bottom) = (frame.area.left + column as f64 * width, frame.area.bottom - row as f64 * height);
            let corners = (
                (left + gap.max(0.0), bottom - gap.max(0.0)),
                ((left + width - gap).min(frame.area.right), (bottom - height + gap).max(frame.area.top)),
            );
            let middle = (left + width / 2.0, bottom - height / 2.0);
            let Some(cell) = cell else {
                canvas.rectangle(corners.0, corners.1, canvas.palette.grid);
                continue;
            };
            let ground = canvas.palette.along_ramp(colours.share(cell.mean));
            canvas.rectangle(corners.0, corners.1, ground);
            let ink = canvas.palette.text_on(ground);
            let is_best = cell.mean == best && marked.is_none();
            write(
                canvas,
                cell,
                (width, height),
                middle,
                Lettering {
                    anchor: Anchor::Middle,
                    size: SMALL_SIZE,
                    weight: if is_best { Weight::Bold } else { Weight::Regular },
                    colour: ink,
                },
            );
            if is_best {
                marked = Some((middle, ink));
            }
        }
    }
    // Last, over the neighbours of a cell that is smaller than the mark.
    if let Some(((x, y), ink)) = marked {
        let (across, up) = ((width / 2.0 - 2.0).max(4.5), (height / 2.0 - 2.0).max(4.5));
        canvas.outline((x - across, y - up), (x + across, y + up), ink, 2.2);
    }
}

/// Writes the mean into its cell if it has room.
fn write(canvas: &mut Canvas, cell: &Cell, (width, height): (f64, f64), at: (f64, f64), look: Lettering) {
    let label = readable(cell.mean, 3);
    let fits = text::width(&label, SMALL_SIZE, Weight::Bold) * 1.1 + 6.0 < width && height > SMALL_SIZE * 1.5;
    if fits {
        canvas.text(&label, at, look);
    }
}
