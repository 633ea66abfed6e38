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
    let svg = canvas::draw("loss-vs-std-dev", &data.title, &data.description, |canvas| {
        let drawing = Drawing { data, frame: frame.with_room_for_labels(canvas)? };
        let names = drawing.names(canvas)?;
        drawing.frame.grid(canvas)?;
        drawing.bars(canvas)?;
        drawing.lines(canvas, &names)?;
        drawing.points(canvas)?;
        drawing.legend(canvas, &names)?;
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
/// Rows of names.
const ROWS: usize = 2;
/// Height of the legend.
const LEGEND: f64 = 52.0;

/// A vertical line and where its name goes.
struct Name<'a> {
    line: &'a Line,
    colour: RGBColor,
    text: String,
    width: f64,
    /// Row above the plot, and the text's left end; nothing where the name is free nowhere.
    spot: Option<(usize, f64)>,
}

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

    /// Finds each name the first free place beside its line: rows from the plot upwards, right before left. A place is
    /// free if it covers no other name and no other line.
    fn names(&self, canvas: &Canvas<'_>) -> Result<Vec<Name<'_>>> {
        const GAP: f64 = 5.0;
        const WIDEST: f64 = 260.0;
        const SHEET_EDGE: f64 = 4.0;
        let lines = self.coloured_lines();
        let mut names: Vec<Name<'_>> = Vec::new();
        for (place, (line, colour)) in lines.iter().enumerate() {
            let text = canvas.fitted(&line.label, style::SMALL_SIZE, WIDEST)?;
            let width = canvas.text_width(&text, style::SMALL_SIZE)?;
            let x = self.frame.at_x(line.level);
            let is_free = |row: usize, from: f64| {
                let to = from + width;
                let on_sheet = from >= SHEET_EDGE && to <= style::SIZE.0 - SHEET_EDGE;
                let covers_name = names.iter().any(|name| {
                    name.spot.is_some_and(|(other, begin)| {
                        other == row && from < begin + name.width + GAP && begin < to + GAP
                    })
                });
                let covers_line = lines.iter().enumerate().any(|(other, (line, _))| {
                    let at = self.frame.at_x(line.level);
                    other != place && from - 2.0 < at && at < to + 2.0
                });
                on_sheet && !covers_name && !covers_line
            };
            let spots = (0..ROWS).flat_map(|row| [(row, x + GAP), (row, x - GAP - width)]);
            let spot = spots.into_iter().find(|(row, from)| is_free(*row, *from));
            names.push(Name { line, colour: *colour, text, width, spot });
        }
        Ok(names)
    }

    /// Reference lines and the minimum, each up to its name.
    fn lines(&self, canvas: &Canvas<'_>, names: &[Name<'_>]) -> Result<()> {
        for name in names {
            let x = self.frame.at_x(name.line.level);
            let (row, top) = (name.spot.map_or(0, |(row, _)| row), self.frame.top - 8.0);
            let y = top - row as f64 * ROW;
            if let Some((_, from)) = name.spot {
                // Anchored at the side of the line, so that the gap to it is right in any font.
                let (at, anchor) = if from > x { (from, Anchor::Start) } else { (from + name.width, Anchor::End) };
                canvas.text(&name.text, (at, y), anchor, style::SMALL_SIZE, name.colour)?;
            }
            canvas.line(&[(x, y - 7.0), (x, self.frame.bottom)], name.colour.to_rgba(), 1.6)?;
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

    /// What points and bars are, and the names that found no place beside their lines, as far as there is room.
    fn legend(&self, canvas: &Canvas<'_>, names: &[Name<'_>]) -> Result<()> {
        let mut x = self.frame.left;
        let mut entry = |text: &str, colour: RGBColor, is_dot: bool| {
            let width = 30.0 + canvas.text_width(text, style::SMALL_SIZE)?;
            if x + width > style::SIZE.0 {
                return Ok(());
            }
            if is_dot {
                canvas.dot((x + 5.0, LEGEND), 3.4, colour.to_rgba())?;
            } else {
                canvas.line(&[(x + 5.0, LEGEND - 7.0), (x + 5.0, LEGEND + 7.0)], colour.to_rgba(), 1.6)?;
            }
            canvas.text(text, (x + 16.0, LEGEND), Anchor::Start, style::SMALL_SIZE, style::INK)?;
            x += width;
            Ok(())
        };
        entry("mean of the level's runs", style::DATA, true)?;
        self.data.bar_label.iter().try_for_each(|label| entry(label, style::DATA, false))?;
        names.iter().filter(|name| name.spot.is_none()).try_for_each(|name| entry(&name.text, name.colour, false))
    }

    /// Title, axis labels and caption.
    fn words(&self, canvas: &Canvas<'_>) -> Result<()> {
        let Frame { left, right, top, bottom, .. } = self.frame;
        let (width, height) = (right - left, bottom - top);
        // Bold, or a viewer that lacks the font, needs a little more than what is measured.
        let title = canvas.fitted(&self.data.title, style::TITLE_SIZE, 0.85 * width)?;
        canvas.bold_text(&title, (left, 24.0), Anchor::Start, style::TITLE_SIZE, style::INK)?;
        let x_label = canvas.fitted(&self.data.x_label, style::LABEL_SIZE, 0.9 * width)?;
        canvas.text(&x_label, ((left + right) / 2.0, bottom + 42.0), Anchor::Middle, style::LABEL_SIZE, style::INK)?;
        let y_label = canvas.fitted(&self.data.y_label, style::LABEL_SIZE, 0.9 * height)?;
        canvas.upward_text(&y_label, (22.0, (top + bottom) / 2.0), style::LABEL_SIZE, style::INK)?;
        let caption = canvas.fitted(&self.data.caption, style::SMALL_SIZE, 0.9 * width)?;
        canvas.text(&caption, (right, bottom + 68.0), Anchor::End, style::SMALL_SIZE, style::SOFT_INK)
    }
}
