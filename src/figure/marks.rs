//! Named vertical lines: references and the minimum, with their names above the plot and beside their lines.

use crate::figure::axis::Axis;
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::frame::{Frame, Names};
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
    /// In these a line is edged, so that it can be seen on any ground.
    edge: Option<Colour>,
}

/// Rows of names; lines beyond are left out.
const MOST_ROWS: usize = 6;
/// From a line to its name.
const GAP: f64 = 5.0;
/// Less room than this tells nothing of a name.
const SHORTEST: f64 = 40.0;

/// A line whose name has no place yet.
struct Open<'a> {
    line: &'a Line,
    x: f64,
}

impl Open<'_> {
    /// Its name, no longer than `longest`, right or left of the line, in `row`.
    fn beside(&self, right: bool, longest: f64, row: usize) -> Placed {
        let text = text::fitted(&self.line.label, style::SMALL_SIZE, Weight::Regular, longest);
        let width = text::width(&text, style::SMALL_SIZE, Weight::Regular) * 1.03;
        let from = if right { self.x + GAP } else { self.x - GAP - width };
        Placed { line: self.line.clone(), x: self.x, text, from, to: from + width, row }
    }
}

impl Placed {
    /// Whether a line at `x` runs through the name, if it reaches so high.
    fn is_crossed(&self, x: f64) -> bool {
        self.from - 2.0 < x && x < self.to + 2.0
    }

    fn touches(&self, other: &Self) -> bool {
        self.row == other.row && self.from < other.to + GAP && other.from < self.to + GAP
    }
}

impl NamedLines {
    /// Finds the name of each of `lines` a place beside its line, right before left, between the edges of `limits`, where it covers
    /// no other name and no line runs through it. Names with no line in their way stand lowest. The others stand above the lines
    /// that they pass over, and wait until those have their names, shortened at the edge if need be; where each waits
    /// for the other, one is shortened to the gap beside its line. Lines that the axis cannot show are left out.
    pub fn place(lines: &[Line], x: Axis, area: Area, limits: Area) -> Self {
        let longest = (limits.width() * 0.9).min(280.0);
        let at = |level: f64| area.left + x.place(level) * area.width();
        let mut open: Vec<Open<'_>> =
            lines.iter().filter(|line| x.holds(line.level)).map(|line| Open { line, x: at(line.level) }).collect();
        let all: Vec<f64> = open.iter().map(|line| line.x).collect();
        let is_inside = |name: &Placed| name.from >= limits.left && name.to <= limits.right;
        let passes_over = |name: &Placed, x: f64| x != name.x && name.is_crossed(x);

        let mut placed: Vec<Placed> = Vec::new();
        open.retain(|line| {
            let spots = (0..2).flat_map(|row| [true, false].map(|right| line.beside(right, longest, row)));
            let spot = spots.into_iter().find(|name| {
                is_inside(name)
                    && !all.iter().any(|x| passes_over(name, *x))
                    && !placed.iter().any(|other| name.touches(other))
            });
            placed.extend(spot.clone());
            spot.is_none()
        });
        while !open.is_empty() {
            let above = |placed: &[Placed], mut name: Placed| {
                let passed = placed.iter().filter(|other| passes_over(&name, other.x)).map(|other| other.row + 1);
                name.row = passed.max().unwrap_or(0);
                while placed.iter().any(|other| name.touches(other)) {
                    name.row += 1;
                }
                name
            };
            // Whole names first, then such as the edges shorten.
            let to_edge =
                |line: &Open<'_>, right: bool| if right { limits.right - line.x } else { line.x - limits.left };
            let choices = [(true, 0.0), (false, 0.0), (true, SHORTEST), (false, SHORTEST)];
            let ready = choices.into_iter().find_map(|(right, least)| {
                open.iter().enumerate().find_map(|(i, line)| {
                    let room = if least > 0.0 { to_edge(line, right) - GAP } else { longest };
                    let name = line.beside(right, longest.min(room / 1.03), 0);
                    let waits = open.iter().any(|other| passes_over(&name, other.x));
                    (room >= least && is_inside(&name) && !waits).then(|| (i, above(&placed, name)))
                })
            });
            let (i, name) = ready.unwrap_or_else(|| {
                let line = &open[0];
                let ends = all.iter().copied().chain([limits.left, limits.right]);
                let (mut left, mut right) = (limits.width(), limits.width());
                for end in ends.filter(|end| *end != line.x) {
                    let room = (end - line.x).abs() - GAP - 4.0;
                    let side = if end > line.x { &mut right } else { &mut left };
                    *side = side.min(room);
                }
                (0, above(&placed, line.beside(right >= left, longest.min(right.max(left)).max(0.0), 0)))
            });
            open.remove(i);
            placed.push(name);
        }
        placed.retain(|name| name.row < MOST_ROWS);
        Self { placed, edge: None }
    }

    /// The lines of a frame with these `axes` and `names` in `area`, below `head`, and the room that is left below their names.
    pub fn above(lines: &[Line], axes: (Axis, Axis), names: Names<'_>, area: Area, head: f64) -> (Self, Area) {
        let below = |height: f64| Frame::room(Area { top: area.top + head + height, ..area }, axes, names);
        // Labels of the vertical axis stand further left, one of them perhaps as high as a name.
        let limits = |room: Area| Area { left: room.left, ..area };
        // Names above make the plot lower, so that the name of its vertical axis may need another line, which makes it narrower.
        let plot = below(0.0);
        let first = Self::place(lines, axes.0, plot, limits(plot));
        let room = below(first.height());
        let placed = Self::place(lines, axes.0, room, limits(room));
        let top = area.top + head + placed.height();
        (placed, Area { top, ..room })
    }

    /// The same with every line edged in `colour`.
    pub fn edged(self, colour: Colour) -> Self {
        Self { edge: Some(colour), ..self }
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
            if let Some(edge) = self.edge {
                canvas.line(&[(name.x, frame.area.top), (name.x, frame.area.bottom)], edge, 3.0);
            }
            canvas.line(&[(name.x, y - 7.0), (name.x, frame.area.bottom)], name.line.colour, 1.6);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::axis::Scale;

    /// References close together and far apart, with short and long names.
    fn cases() -> Vec<Vec<(f64, &'static str)>> {
        let long = "A reference with a long name";
        vec![
            vec![(0.6, "lowest 0.6"), (0.7, "Xavier = 0.7")],
            vec![(0.1, long), (0.2, long), (0.3, long), (0.4, long)],
            vec![(0.6, long), (0.7, long), (0.8, long), (0.9, long)],
            vec![(0.55, "a"), (0.5, long), (0.95, long), (0.05, long), (0.45, "b")],
            vec![(0.48, long), (0.5, long), (0.52, long)],
            vec![(0.5, long), (0.5, "the same place")],
        ]
    }

    #[test]
    fn no_line_runs_through_a_name_and_no_names_touch() {
        let x = Axis::spanning(Scale::Linear, 0.0, 1.0).unwrap();
        for width in [200.0, 320.0, 500.0, 900.0] {
            let area = Area { left: 40.0, right: 40.0 + width, top: 0.0, bottom: 100.0 };
            for case in cases() {
                let line = |(level, name): &(f64, &str)| Line {
                    level: *level,
                    label: (*name).into(),
                    colour: Colour(0, 0, 0),
                };
                let lines: Vec<Line> = case.iter().map(line).collect();
                let placed = NamedLines::place(&lines, x, area, area).placed;
                assert_eq!(placed.len(), lines.len(), "{case:?} at {width}");
                for (i, name) in placed.iter().enumerate() {
                    assert!(name.from >= area.left && name.to <= area.right, "{name:?} at {width}");
                    for other in placed.iter().take(i).chain(&placed[i + 1..]) {
                        assert!(!name.touches(other), "{name:?} touches {other:?} at {width}");
                        let reaches = other.row >= name.row && other.x != name.x;
                        assert!(!(reaches && name.is_crossed(other.x)), "{other:?} runs through {name:?} at {width}");
                    }
                }
            }
        }
    }
}
