//! Draws the article's main figure: the mean of the metric against the factor, with error bars, reference lines and the
//! minimum.
//!
//! Names stand above the plot and beside their lines, so that nothing written covers data.

use plotters::style::{Color, RGBColor};

use crate::error::Result;
use crate::figure::canvas::{self, Anchor, Canvas};
use crate::figure::data::{Line, LossVsStdDev};
use crate::figure::{Figure, style};

/// Draws `data`.
///
/// # Errors
/// [`Error::Figure`](crate::error::Error::Figure) if plotters refuses.
pub fn draw(data: &LossVsStdDev) -> Result<Figure> {
    let frame = Frame::of(data);
    let svg = canvas::draw("loss-vs-std-dev", &data.title, &data.description, |canvas| {
        frame.grid(canvas)?;
        frame.bars(canvas)?;
        frame.lines(canvas)?;
        frame.points(canvas)?;
        frame.words(canvas)
    })?;
    Ok(Figure { svg })
}

/// The data with the rectangle that they are drawn in.
struct Frame<'a> {
    data: &'a LossVsStdDev,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Distance between the rows of names above the plot.
const ROW: f64 = 17.0;

impl<'a> Frame<'a> {
    fn of(data: &'a LossVsStdDev) -> Self {
        let ((width, height), [left, right, top, bottom]) = (style::SIZE, style::MARGINS);
        Self { data, left, right: width - right, top, bottom: height - bottom }
    }

    fn x(&self, level: f64) -> f64 {
        self.left + self.data.x.place(level) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.data.y.place(value) * (self.bottom - self.top)
    }

    fn grid(&self, canvas: &Canvas<'_>) -> Result<()> {
        let (grid, axis) = (style::GRID.to_rgba(), style::SOFT_INK.to_rgba());
        for tick in self.data.x.ticks(12) {
            let x = self.x(tick.value);
            let length = if tick.label.is_some() { 6.0 } else { 3.5 };
            if let Some(label) = &tick.label {
                canvas.line(&[(x, self.top), (x, self.bottom)], grid, 1.0)?;
                canvas.text(label, (x, self.bottom + 17.0), Anchor::Middle, style::SMALL_SIZE, style::INK)?;
            }
            canvas.line(&[(x, self.bottom), (x, self.bottom + length)], axis, 1.0)?;
        }
        for tick in self.data.y.ticks(7) {
            let y = self.y(tick.value);
            canvas.line(&[(self.left, y), (self.right, y)], grid, 1.0)?;
            canvas.line(&[(self.left - 6.0, y), (self.left, y)], axis, 1.0)?;
            if let Some(label) = &tick.label {
                canvas.text(label, (self.left - 10.0, y), Anchor::End, style::SMALL_SIZE, style::INK)?;
            }
        }
        canvas.line(&[(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], axis, 1.2)
    }

    fn is_dense(&self) -> bool {
        self.data.points.len() > style::MANY_LEVELS
    }

    fn bars(&self, canvas: &Canvas<'_>) -> Result<()> {
        let (width, cap, strength) = if self.is_dense() { (1.0, 0.0, 0.35) } else { (1.4, 3.0, 0.9) };
        let colour = style::DATA.mix(strength);
        for point in &self.data.points {
            let Some((lower, upper)) = point.bar else { continue };
            let (x, low, high) = (self.x(point.level), self.y(lower), self.y(upper));
            canvas.line(&[(x, low), (x, high)], colour, width)?;
            if cap > 0.0 {
                canvas.line(&[(x - cap, low), (x + cap, low)], colour, width)?;
                canvas.line(&[(x - cap, high), (x + cap, high)], colour, width)?;
            }
        }
        Ok(())
    }

    fn points(&self, canvas: &Canvas<'_>) -> Result<()> {
        let radius = if self.is_dense() { 1.7 } else { 3.4 };
        for point in &self.data.points {
            let at = (self.x(point.level), self.y(point.mean));
            if point.level == self.data.minimum.level {
                canvas.dot(at, radius + 2.2, style::MINIMUM.to_rgba())?;
            }
            canvas.dot(at, radius, style::DATA.to_rgba())?;
        }
        Ok(())
    }

    /// Reference lines, the minimum and their names. Each name takes the first free place: rows from the plot upwards, to
    /// the right of its line, then to the left. One that fits nowhere is shortened to nothing; the legend has them all.
    fn lines(&self, canvas: &Canvas<'_>) -> Result<()> {
        const ROWS: usize = 2;
        const GAP: f64 = 5.0;
        let lines = self.coloured_lines();
        let mut taken: Vec<(usize, f64, f64)> = Vec::new();
        for (place, (line, colour)) in lines.iter().enumerate() {
            let x = self.x(line.level);
            let width = canvas.text_width(&line.label, style::SMALL_SIZE)?;
            let fits = |row: usize, from: f64, to: f64| {
                let on_sheet = from >= self.left && to <= self.right;
                let free = taken.iter().all(|(other, begin, end)| *other != row || to < *begin || *end < from);
                let crossed = lines.iter().enumerate().any(|(other, (line, _))| {
                    let at = self.x(line.level);
                    other != place && from - 2.0 < at && at < to + 2.0
                });
                on_sheet && free && !crossed
            };
            let spot = (0..ROWS).flat_map(|row| [(row, x + GAP, Anchor::Start), (row, x - GAP - width, Anchor::End)]);
            let spot = spot.into_iter().find(|(row, from, _)| fits(*row, *from, from + width));
            let top = self.top - 8.0;
            if let Some((row, from, anchor)) = spot {
                let at = if anchor == Anchor::Start { from } else { from + width };
                canvas.text(&line.label, (at, top - row as f64 * ROW), anchor, style::SMALL_SIZE, *colour)?;
                taken.push((row, from - GAP, from + width + GAP));
            }
            let reach = top - 7.0 - spot.map_or(0.0, |(row, ..)| row as f64 * ROW);
            canvas.line(&[(x, reach), (x, self.bottom)], colour.to_rgba(), 1.6)?;
        }
        Ok(())
    }

    fn coloured_lines(&self) -> Vec<(&Line, RGBColor)> {
        let colours = style::REFERENCES.iter().cycle().copied();
        let mut lines: Vec<_> = self.data.references.iter().zip(colours).collect();
        lines.push((&self.data.minimum, style::MINIMUM));
        // A minimum that the axis cannot show has no line.
        lines.retain(|(line, _)| self.data.x.holds(line.level));
        lines
    }

    /// Title, legend, axis labels and caption.
    fn words(&self, canvas: &Canvas<'_>) -> Result<()> {
        let data = self.data;
        canvas.bold_text(&data.title, (self.left, 26.0), Anchor::Start, style::TITLE_SIZE, style::INK)?;
        let middle = (self.left + self.right) / 2.0;
        canvas.text(&data.x_label, (middle, self.bottom + 42.0), Anchor::Middle, style::LABEL_SIZE, style::INK)?;
        canvas.upward_text(&data.y_label, (22.0, (self.top + self.bottom) / 2.0), style::LABEL_SIZE, style::INK)?;
        canvas.text(
            &data.caption,
            (self.right, self.bottom + 68.0),
            Anchor::End,
            style::SMALL_SIZE,
            style::SOFT_INK,
        )?;
        self.legend(canvas)
    }

    fn legend(&self, canvas: &Canvas<'_>) -> Result<()> {
        let (y, ink) = (54.0, style::INK);
        let mut x = self.left;
        canvas.dot((x + 5.0, y), 3.4, style::DATA.to_rgba())?;
        canvas.text("mean of the level's runs", (x + 16.0, y), Anchor::Start, style::SMALL_SIZE, ink)?;
        x += 16.0 + canvas.text_width("mean of the level's runs", style::SMALL_SIZE)? + 14.0;
        if let Some(label) = &self.data.bar_label {
            canvas.line(&[(x + 5.0, y - 7.0), (x + 5.0, y + 7.0)], style::DATA.to_rgba(), 1.6)?;
            canvas.text(label, (x + 16.0, y), Anchor::Start, style::SMALL_SIZE, ink)?;
        }
        Ok(())
    }
}
