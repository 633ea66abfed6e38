//! Draws the article's main figure: the mean of the metric against the factor, with error bars, reference lines and the
//! minimum.
//!
//! Names stand above the plot and beside their lines, so that nothing written covers data.

use plotters::style::{Color, RGBColor};

use crate::error::Result;
use crate::figure::canvas::{self, Anchor, Canvas};
use crate::figure::data::{Line, LossVsStdDev};
use crate::figure::frame::Frame;
use crate::figure::{Figure, style};

/// Draws `data`.
///
/// # Errors
/// [`Error::Figure`](crate::error::Error::Figure) if plotters refuses.
pub fn draw(data: &LossVsStdDev) -> Result<Figure> {
    let ((width, height), [left, right, top, bottom]) = (style::SIZE, style::MARGINS);
    let frame = Frame { x: data.x, y: data.y, left, right: width - right, top, bottom: height - bottom };
    let drawing = Drawing { data, frame };
    let svg = canvas::draw("loss-vs-std-dev", &data.title, &data.description, |canvas| {
        drawing.frame.grid(canvas)?;
        drawing.bars(canvas)?;
        drawing.lines(canvas)?;
        drawing.points(canvas)?;
        drawing.words(canvas)
    })?;
    Ok(Figure { svg })
}

/// The data with the frame that they are drawn in.
struct Drawing<'a> {
    data: &'a LossVsStdDev,
    frame: Frame,
}

/// Distance between the rows of names above the plot.
const ROW: f64 = 17.0;

impl Drawing<'_> {
    fn is_dense(&self) -> bool {
        self.data.points.len() > style::MANY_LEVELS
    }

    fn bars(&self, canvas: &Canvas<'_>) -> Result<()> {
        let (width, cap, strength) = if self.is_dense() { (1.0, 0.0, 0.35) } else { (1.4, 3.0, 0.9) };
        let colour = style::DATA.mix(strength);
        for point in &self.data.points {
            let Some((lower, upper)) = point.bar else { continue };
            let (x, low, high) = (self.frame.at_x(point.level), self.frame.at_y(lower), self.frame.at_y(upper));
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
            let at = (self.frame.at_x(point.level), self.frame.at_y(point.mean));
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
            let x = self.frame.at_x(line.level);
            let width = canvas.text_width(&line.label, style::SMALL_SIZE)?;
            let fits = |row: usize, from: f64, to: f64| {
                let on_sheet = from >= self.frame.left && to <= self.frame.right;
                let free = taken.iter().all(|(other, begin, end)| *other != row || to < *begin || *end < from);
                let crossed = lines.iter().enumerate().any(|(other, (line, _))| {
                    let at = self.frame.at_x(line.level);
                    other != place && from - 2.0 < at && at < to + 2.0
                });
                on_sheet && free && !crossed
            };
            let spot = (0..ROWS).flat_map(|row| [(row, x + GAP, Anchor::Start), (row, x - GAP - width, Anchor::End)]);
            let spot = spot.into_iter().find(|(row, from, _)| fits(*row, *from, from + width));
            let top = self.frame.top - 8.0;
            if let Some((row, from, anchor)) = spot {
                let at = if anchor == Anchor::Start { from } else { from + width };
                canvas.text(&line.label, (at, top - row as f64 * ROW), anchor, style::SMALL_SIZE, *colour)?;
                taken.push((row, from - GAP, from + width + GAP));
            }
            let reach = top - 7.0 - spot.map_or(0.0, |(row, ..)| row as f64 * ROW);
            canvas.line(&[(x, reach), (x, self.frame.bottom)], colour.to_rgba(), 1.6)?;
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
        canvas.bold_text(&data.title, (self.frame.left, 26.0), Anchor::Start, style::TITLE_SIZE, style::INK)?;
        let middle = (self.frame.left + self.frame.right) / 2.0;
        canvas.text(
            &data.x_label,
            (middle, self.frame.bottom + 42.0),
            Anchor::Middle,
            style::LABEL_SIZE,
            style::INK,
        )?;
        canvas.upward_text(
            &data.y_label,
            (22.0, (self.frame.top + self.frame.bottom) / 2.0),
            style::LABEL_SIZE,
            style::INK,
        )?;
        canvas.text(
            &data.caption,
            (self.frame.right, self.frame.bottom + 68.0),
            Anchor::End,
            style::SMALL_SIZE,
            style::SOFT_INK,
        )?;
        self.legend(canvas)
    }

    fn legend(&self, canvas: &Canvas<'_>) -> Result<()> {
        let (y, ink) = (54.0, style::INK);
        let mut x = self.frame.left;
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
