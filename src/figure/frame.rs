//! The rectangle that data are drawn in, with its axes.

use crate::figure::axis::{Axis, Tick};
use crate::figure::canvas::{Anchor, Canvas, Point};
use crate::figure::page::{Area, letters};
use crate::figure::style::{self, Paint};
use crate::figure::text::{self, Weight};

/// Two axes and their place on the sheet, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The rectangle between them.
    pub area: Area,
}

/// The names of the two axes; an empty one takes no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a> {
    /// Of the horizontal axis.
    pub x: &'a str,
    /// Of the vertical axis.
    pub y: &'a str,
}

/// From the axis to its tick labels.
const TICK: f64 = 9.0;
/// Lines of an axis' name.
const NAME_LINES: usize = 3;

impl Frame {
    /// A frame whose tick labels and names fill `area` exactly. Draws grid, ticks, labels and
    /// names.
    pub fn draw(canvas: &mut Canvas, area: Area, (x, y): (Axis, Axis), names: Names<'_>) -> Self {
        let room = Self::room(area, (x, y), names);
        Self::draw_inside(canvas, room, (x, y), names)
    }

    /// Two frames, one below the other and as wide; the upper has `share` of the height of `area`.
    /// The axes and names are theirs.
    pub fn stacked(
        canvas: &mut Canvas,
        area: Area,
        share: f64,
        axes: [(Axis, Axis); 2],
        names: [Names<'_>; 2],
    ) -> [Self; 2] {
        let middle = area.top + share * area.height();
        let halves = [Area { bottom: middle, ..area }, Area { top: middle + 10.0, ..area }];
        let rooms = [0, 1].map(|i| Self::room(halves[i], axes[i], names[i]));
        let (left, right) = (rooms[0].left.max(rooms[1].left), rooms[0].right.min(rooms[1].right));
        [0, 1].map(|i| Self::draw_inside(canvas, Area { left, right, ..rooms[i] }, axes[i], names[i]))
    }

    /// What is left of `area` when the labels of these axes have their room.
    pub fn room(area: Area, (x, y): (Axis, Axis), names: Names<'_>) -> Area {
        let lines = |width: f64| if names.x.is_empty() { 0 } else { name_lines(names.x, width).len() };
        let guess = lines(area.width() - 60.0);
        let room = Self::room_above(area, (x, y), names, guess);
        // Beside wide labels a name may need another line.
        let needed = lines(room.width());
        if needed > guess { Self::room_above(area, (x, y), names, needed) } else { room }
    }

    /// The same with `below` lines for the name of the horizontal axis.
    fn room_above(area: Area, (x, y): (Axis, Axis), names: Names<'_>, below: usize) -> Area {
        let bottom = area.bottom - TICK - style::LINE - below as f64 * (style::LINE + 1.0) - 3.0;
        let beside = if names.y.is_empty() { 0 } else { name_lines(names.y, bottom - area.top).len() };
        let widest = widest(&row_ticks(y, bottom - area.top));
        let left = area.left + beside as f64 * style::LINE + if beside > 0 { 6.0 } else { 0.0 } + widest + TICK;
        // The last label of the horizontal axis may reach beyond its tick.
        let over = column_ticks(x, area.right - left).iter().rev().find_map(|tick| {
            let half = width(tick.label.as_ref()?) / 2.0;
            Some(half - (1.0 - x.place(tick.value)) * (area.right - left))
        });
        Area { left, right: area.right - over.unwrap_or(0.0).max(2.0), top: area.top, bottom }
    }

    /// The same with the rectangle given; labels stand outside of it.
    pub fn draw_inside(canvas: &mut Canvas, area: Area, (x, y): (Axis, Axis), names: Names<'_>) -> Self {
        let frame = Self { x, y, area };
        frame.columns(canvas, true);
        let widest = frame.rows(canvas);
        frame.border(canvas);
        frame.name(canvas, names, widest);
        frame
    }

    /// The same without labels below, where another frame follows that has the same axis.
    pub fn draw_above(canvas: &mut Canvas, area: Area, (x, y): (Axis, Axis), name: &str) -> Self {
        let frame = Self { x, y, area };
        frame.columns(canvas, false);
        let widest = frame.rows(canvas);
        frame.border(canvas);
        frame.name(canvas, Names { x: "", y: name }, widest);
        frame
    }

    /// Writes the names of the axes, beyond labels of which those at the left are `widest` wide.
    pub fn name(&self, canvas: &mut Canvas, names: Names<'_>, widest: f64) {
        let (area, ink) = (self.area, canvas.palette.ink);
        let middle = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
        for (row, line) in name_lines(names.x, area.width()).iter().enumerate() {
            let y = area.bottom + TICK + style::LINE + 11.0 + row as f64 * (style::LINE + 1.0);
            canvas.text(line, (middle.0, y), letters(Anchor::Middle, style::LABEL_SIZE, ink));
        }
        let lines = name_lines(names.y, area.height());
        for (row, line) in lines.iter().enumerate() {
            let x = area.left - TICK - widest - 14.0 - (lines.len() - 1 - row) as f64 * style::LINE;
            canvas.upward_text(line, (x, middle.1), letters(Anchor::Middle, style::LABEL_SIZE, ink));
        }
    }

    /// Where `value` lies horizontally.
    pub fn at_x(&self, value: f64) -> f64 {
        self.at_place(self.x.place(value))
    }

    /// Where a place of the horizontal axis lies, from 0 to 1.
    pub fn at_place(&self, place: f64) -> f64 {
        self.area.left + place * self.area.width()
    }

    /// Where `value` lies vertically.
    pub fn at_y(&self, value: f64) -> f64 {
        self.area.bottom - self.y.place(value) * self.area.height()
    }

    /// The place of a pair of values.
    pub fn at(&self, (x, y): (f64, f64)) -> Point {
        (self.at_x(x), self.at_y(y))
    }

    /// The parts of the line through `points`, in values, that lie between the lower and the upper
    /// end of the vertical axis.
    pub fn clipped(&self, points: &[(f64, f64)]) -> Vec<Vec<Point>> {
        let mut parts: Vec<Vec<Point>> = vec![Vec::new()];
        let inside = |point: &(f64, f64)| self.y.holds(point.1) && self.x.holds(point.0);
        for point in points {
            match (inside(point), parts.last_mut()) {
                (true, Some(part)) => part.push(self.at(*point)),
                (false, Some(part)) if !part.is_empty() => parts.push(Vec::new()),
                _ => {}
            }
        }
        parts.retain(|part| part.len() > 1);
        parts.iter().map(|part| simplified(part)).collect()
    }

    /// A line through `points`, in values, as far as it lies on the axes.
    pub fn curve(&self, canvas: &mut Canvas, points: &[(f64, f64)], paint: impl Into<Paint>, width: f64) {
        let paint = paint.into();
        for part in self.clipped(points) {
            canvas.line(&part, paint, width);
        }
    }

    /// Vertical grid lines and the ticks below; with their labels if `labelled`.
    fn columns(&self, canvas: &mut Canvas, labelled: bool) {
        let (grid, axis, ink) = (canvas.palette.grid, canvas.palette.soft_ink, canvas.palette.ink);
        for tick in column_ticks(self.x, self.area.width()) {
            let x = self.at_x(tick.value);
            let length = if tick.label.is_some() { 6.0 } else { 3.5 };
            if let Some(label) = tick.label.as_ref() {
                canvas.line(&[(x, self.area.top), (x, self.area.bottom)], grid, 1.0);
                if labelled {
                    let look = letters(Anchor::Middle, style::SMALL_SIZE, ink);
                    canvas.text(label, (x, self.area.bottom + TICK + style::LINE / 2.0 - 1.0), look);
                }
            }
            canvas.line(&[(x, self.area.bottom), (x, self.area.bottom + length)], axis, 1.0);
        }
    }

    /// Horizontal grid lines and the ticks at the left; gives the width of the widest label.
    fn rows(&self, canvas: &mut Canvas) -> f64 {
        let (grid, axis, ink) = (canvas.palette.grid, canvas.palette.soft_ink, canvas.palette.ink);
        let ticks = row_ticks(self.y, self.area.height());
        for tick in &ticks {
            let y = self.at_y(tick.value);
            let length = if tick.label.is_some() { 6.0 } else { 3.5 };
            canvas.line(&[(self.area.left - length, y), (self.area.left, y)], axis, 1.0);
            if let Some(label) = &tick.label {
                canvas.line(&[(self.area.left, y), (self.area.right, y)], grid, 1.0);
                canvas.text(label, (self.area.left - TICK, y), letters(Anchor::End, style::SMALL_SIZE, ink));
            }
        }
        widest(&ticks)
    }

    /// The two axes, the horizontal one with its break.
    pub fn border(&self, canvas: &mut Canvas) {
        let Area { left, right, top, bottom } = self.area;
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], canvas.palette.soft_ink, 1.2);
        if let Some(place) = self.x.break_at() {
            self.axis_break(canvas, place);
        }
    }

    /// Two short slanted strokes, and a gap of the axis between them.
    fn axis_break(&self, canvas: &mut Canvas, place: f64) {
        const APART: f64 = 5.0;
        const SLANT: f64 = 2.5;
        const HEIGHT: f64 = 5.5;
        let (middle, bottom) = (self.at_place(place), self.area.bottom);
        let [left, right] = [middle - APART / 2.0, middle + APART / 2.0];
        canvas.line(&[(left, bottom), (right, bottom)], canvas.palette.paper, 2.4);
        for x in [left, right] {
            let stroke = [(x - SLANT, bottom + HEIGHT), (x + SLANT, bottom - HEIGHT)];
            canvas.line(&stroke, canvas.palette.soft_ink, 1.4);
        }
    }
}

/// `points` without those that lie within a tenth of a pixel of the line through the others
/// (Douglas and Peucker 1973).
fn simplified(points: &[Point]) -> Vec<Point> {
    const TOLERANCE: f64 = 0.1;
    let mut kept = vec![false; points.len()];
    let mut parts = vec![(0, points.len() - 1)];
    while let Some((first, last)) = parts.pop() {
        (kept[first], kept[last]) = (true, true);
        let ((x1, y1), (x2, y2)) = (points[first], points[last]);
        let length = libm::hypot(x2 - x1, y2 - y1);
        let off = |place: usize| {
            let (x, y) = points[place];
            if length == 0.0 {
                libm::hypot(x - x1, y - y1)
            } else {
                ((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)).abs() / length
            }
        };
        let furthest = (first + 1..last).max_by(|a, b| off(*a).total_cmp(&off(*b)));
        if let Some(place) = furthest.filter(|place| off(*place) > TOLERANCE) {
            parts.extend([(first, place), (place, last)]);
        }
    }
    points.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

/// Ticks of a horizontal axis of this length, as many as their labels have room for.
fn column_ticks(axis: Axis, length: f64) -> Vec<Tick> {
    const MOST: usize = 12;
    const APART: f64 = 10.0;
    let fits = |ticks: &[Tick]| {
        let ends: Vec<(f64, f64)> = ticks
            .iter()
            .filter_map(|tick| {
                let (middle, half) = (axis.place(tick.value) * length, width(tick.label.as_ref()?) / 2.0);
                Some((middle - half, middle + half))
            })
            .collect();
        ends.windows(2).all(|pair| pair[0].1 + APART <= pair[1].0)
    };
    (1..=MOST).rev().map(|wanted| axis.ticks(wanted)).find(|ticks| fits(ticks)).unwrap_or_default()
}

/// Ticks of a vertical axis of this length.
fn row_ticks(axis: Axis, length: f64) -> Vec<Tick> {
    const APART: f64 = 26.0;
    let fits = |ticks: &[Tick]| {
        let places: Vec<f64> =
            ticks.iter().filter(|tick| tick.label.is_some()).map(|tick| axis.place(tick.value) * length).collect();
        places.windows(2).all(|pair| pair[1] - pair[0] >= style::LINE)
    };
    let most = ((length / APART) as usize).clamp(3, 7);
    (1..=most).rev().map(|wanted| axis.ticks(wanted)).find(|ticks| fits(ticks)).unwrap_or_default()
}

fn width(label: &str) -> f64 {
    text::width(label, style::SMALL_SIZE, Weight::Regular)
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().filter_map(|tick| tick.label.as_deref()).map(width).fold(0.0, f64::max)
}

fn name_lines(name: &str, length: f64) -> Vec<String> {
    text::balanced(name, style::LABEL_SIZE, Weight::Regular, 0.96 * length.max(20.0), NAME_LINES)
}
