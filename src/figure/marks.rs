//! Named vertical lines: references and the minimum, with their names above the plot and beside their lines.

use crate::figure::axis::Axis;
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::frame::Frame;
use crate::figure::page::{Area, letters};
use crate::figure::style::{self, Colour};
use crate::figure::text::{self, Weight};

/// A vertical line with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The factor's value.
    pub level: f64,
    /// What to write beside it.
    pub label: String,
    /// Colour of both.
    pub colour: Colour,
}

/// A line with the place of its name.
#[derive(Debug, Clone, PartialEq)]
struct Placed {
    line: Line,
    x: f64,
    /// Shortened where it is too long.
    text: String,
    from: f64,
    to: f64,
    /// Row above the plot, from 0.
    row: usize,
}

/// Lines with places for all their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NamedLines {
    placed: Vec<Placed>,
}

/// Rows of names; lines beyond are left out.
const MOST_ROWS: usize = 6;
/// From a line to its name.
const GAP: f64 = 5.0;

impl NamedLines {
    /// Finds the name of each of `lines` the lowest free place beside its line, right before left, between the edges of `limits`. A
    /// place is free if it covers no other name and no other line. Lines that the axis cannot show are left out.
    pub fn place(lines: &[Line], x: Axis, area: Area, limits: Area) -> Self {
        let at = |level: f64| area.left + x.place(level) * area.width();
        let shown: Vec<&Line> = lines.iter().filter(|line| x.holds(line.level)).collect();
        let mut placed: Vec<Placed> = Vec::new();
        for (i, line) in shown.iter().enumerate() {
            let own = at(line.level);
            let text = text::fitted(&line.label, style::SMALL_SIZE, Weight::Regular, (limits.width() * 0.9).min(280.0));
            let width = text::width(&text, style::SMALL_SIZE, Weight::Regular) * 1.03;
            let others = shown.iter().enumerate().filter(|(other, _)| *other != i).map(|(_, line)| at(line.level));
            let others: Vec<f64> = others.collect();
            let beside = [own + GAP, own - GAP - width];
            let is_free = |row: usize, from: f64| {
                let to = from + width;
                let covers_name =
                    placed.iter().any(|name| name.row == row && from < name.to + GAP && name.from < to + GAP);
                let covers_line = others.iter().any(|x| from - 2.0 < *x && *x < to + 2.0);
                from >= limits.left && to <= limits.right && !covers_name && !covers_line
            };
            let spots = (0..2).flat_map(|row| beside.map(|from| (row, from)));
            let spot = spots.into_iter().find(|(row, from)| is_free(*row, *from)).unwrap_or_else(|| {
                // Above all names so far only this line goes on, so that there is nothing to cover but the edges.
                let row = placed.iter().map(|name| name.row + 1).max().unwrap_or(0);
                let inside = beside.into_iter().find(|from| *from >= limits.left && from + width <= limits.right);
                (row, inside.unwrap_or((own + GAP).min(limits.right - width).max(limits.left)))
            });
            if spot.0 < MOST_ROWS {
                let (row, from) = spot;
                placed.push(Placed { line: (*line).clone(), x: own, text, from, to: from + width, row });
            }
        }
        Self { placed }
    }

    /// How far the names reach above the plot.
    pub fn height(&self) -> f64 {
        self.placed.iter().map(|name| name.row + 1).max().unwrap_or(0) as f64 * style::LINE
    }

    /// Draws the lines over the height of `frame`, each up to its name.
    pub fn draw(&self, canvas: &mut Canvas, frame: &Frame) {
        for name in &self.placed {
            let y = frame.area.top - 8.0 - name.row as f64 * style::LINE;
            // Anchored at the side of the line, so that the gap to it is right in any font.
            let (at, anchor) = if name.from > name.x { (name.from, Anchor::Start) } else { (name.to, Anchor::End) };
            canvas.text(&name.text, (at, y), letters(anchor, style::SMALL_SIZE, name.line.colour));
            canvas.line(&[(name.x, y - 7.0), (name.x, frame.area.bottom)], name.line.colour, 1.6);
        }
    }
}
