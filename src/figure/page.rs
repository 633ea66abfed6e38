//! What stands around the data of every figure: title, legend, caption.
//!
//! Each takes the lines it needs, and what is left is for the panels. So nothing written covers
//! anything else, whatever the words are and however small the sheet is.

use crate::figure::canvas::{Anchor, Canvas, Lettering};
use crate::figure::style::{self, Colour, Paint};
use crate::figure::text::{self, Weight};

/// A rectangle of the sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Area {
    /// Its width.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Its height.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// `count` areas of equal size in `columns` columns, row by row, `gap` apart.
    pub fn tiles(&self, count: usize, columns: usize, gap: f64) -> Vec<Self> {
        let columns = columns.clamp(1, count.max(1));
        let rows = count.div_ceil(columns).max(1);
        let side = |length: f64, parts: usize| (length - gap * (parts - 1) as f64) / parts as f64;
        let (width, height) = (side(self.width(), columns), side(self.height(), rows));
        let tile = |i: usize| {
            let left = self.left + (i % columns) as f64 * (width + gap);
            let top = self.top + (i / columns) as f64 * (height + gap);
            Self { left, right: left + width, top, bottom: top + height }
        };
        (0..count).map(tile).collect()
    }

    /// The left part, `share` of the width, and the rest, `gap` apart; the upper part and the rest
    /// where the sheet is narrow.
    pub fn split(&self, canvas: &Canvas, share: f64, gap: f64) -> [Self; 2] {
        if canvas.sheet.is_narrow() {
            let middle = self.top + (self.height() - gap) * share;
            [Self { bottom: middle, ..*self }, Self { top: middle + gap, ..*self }]
        } else {
            let middle = self.left + (self.width() - gap) * share;
            [Self { right: middle, ..*self }, Self { left: middle + gap, ..*self }]
        }
    }
}

/// How something is shown in the legend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    /// A dot.
    Dot(Colour),
    /// An upright bar, as of an error.
    Bar(Colour),
    /// A line.
    Line(Colour),
    /// A dashed line.
    Dashes(Colour),
    /// A filled area.
    Area(Paint),
    /// A ring.
    Ring(Colour),
    /// A square without filling.
    Square(Colour),
    /// A cross.
    Cross(Colour),
    /// A hollow point.
    Hollow(Colour),
}

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// How it is shown.
    pub mark: Mark,
    /// What it is.
    pub text: String,
}

impl Entry {
    /// An entry.
    pub fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, text: text.into() }
    }
}

/// The words around the data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Title.
    pub title: String,
    /// What the marks are.
    pub legend: Vec<Entry>,
    /// Units, numbers of runs, what bars are.
    pub caption: String,
}

/// From one line of the title to the next.
const TITLE_LINE: f64 = style::TITLE_SIZE * 1.25;
/// From one row of the legend to the next.
const LEGEND_LINE: f64 = style::LINE + 1.0;
/// From the beginning of an entry of the legend to its text.
const BEFORE_TEXT: f64 = 24.0;

/// The usual letters of a text.
pub fn letters(anchor: Anchor, size: f64, colour: Colour) -> Lettering {
    Lettering { anchor, size, weight: Weight::Regular, colour }
}

impl Page {
    /// Draws the words and gives the area that is left. A narrow sheet, on which words take many
    /// lines, grows by them, so that the data keep their room.
    pub fn draw(&self, canvas: &mut Canvas) -> Area {
        let [left, right] = [style::EDGE, canvas.sheet.width - style::EDGE];
        if canvas.sheet.is_narrow() {
            let beyond_first = |lines: usize| lines.saturating_sub(1) as f64;
            let rows = self.legend_places(right - left).last().map_or(0, |(_, row, _)| row + 1);
            canvas.grow(
                beyond_first(self.title_lines(right - left).len()) * TITLE_LINE
                    + beyond_first(rows) * LEGEND_LINE
                    + beyond_first(self.caption_lines(right - left).len()) * style::LINE,
            );
        }
        let height = canvas.sheet.height;
        let mut top = self.title(canvas, left, right);
        top = self.legend(canvas, left, right, top);
        let bottom = self.caption(canvas, left, right, height);
        Area { left, right, top: top + 6.0, bottom }
    }

    fn title(&self, canvas: &mut Canvas, left: f64, right: f64) -> f64 {
        let mut y = 6.0;
        for line in &self.title_lines(right - left) {
            y += TITLE_LINE;
            let look = Lettering {
                anchor: Anchor::Start,
                size: style::TITLE_SIZE,
                weight: Weight::Bold,
                colour: canvas.palette.ink,
            };
            canvas.text(line, (left, y - style::TITLE_SIZE * 0.45), look);
        }
        y
    }

    fn title_lines(&self, width: f64) -> Vec<String> {
        const MOST: usize = 6;
        // A viewer that lacks the font needs a little more than what is measured.
        text::balanced(&self.title, style::TITLE_SIZE, Weight::Bold, 0.96 * width, MOST)
    }

    fn legend(&self, canvas: &mut Canvas, left: f64, right: f64, top: f64) -> f64 {
        let first = top + 6.0 + style::LINE / 2.0;
        let placed = self.legend_places(right - left);
        for (entry, (x, row, shown)) in self.legend.iter().zip(&placed) {
            let (x, y) = (left + x, first + *row as f64 * LEGEND_LINE);
            mark(canvas, entry.mark, (x, y));
            canvas.text(shown, (x + BEFORE_TEXT, y), letters(Anchor::Start, style::SMALL_SIZE, canvas.palette.ink));
        }
        match placed.last() {
            Some((_, row, _)) => first + *row as f64 * LEGEND_LINE + style::LINE / 2.0 + 4.0,
            None => top + 4.0,
        }
    }

    /// Where each entry of the legend begins in a row of this `width`, in which row, and what there
    /// is room for of its text.
    fn legend_places(&self, width: f64) -> Vec<(f64, usize, String)> {
        const AFTER: f64 = 18.0;
        const MOST: usize = 4;
        let (mut x, mut row) = (0.0, 0);
        let mut places = Vec::new();
        for entry in &self.legend {
            let shown = text::fitted(&entry.text, style::SMALL_SIZE, Weight::Regular, 0.96 * width - BEFORE_TEXT);
            let own = BEFORE_TEXT + text::width(&shown, style::SMALL_SIZE, Weight::Regular) * 1.02;
            if x > 0.0 && x + own > width {
                (x, row) = (0.0, row + 1);
            }
            if row == MOST {
                break;
            }
            places.push((x, row, shown));
            x += own + AFTER;
        }
        places
    }

    fn caption_lines(&self, width: f64) -> Vec<String> {
        const MOST: usize = 4;
        text::wrapped(&self.caption, style::SMALL_SIZE, Weight::Regular, 0.96 * width, MOST)
    }

    fn caption(&self, canvas: &mut Canvas, left: f64, right: f64, height: f64) -> f64 {
        let lines = self.caption_lines(right - left);
        let first = height - style::EDGE + 5.0 - lines.len() as f64 * style::LINE;
        for (row, line) in lines.iter().enumerate() {
            let y = first + (row as f64 + 0.5) * style::LINE;
            canvas.text(line, (left, y), letters(Anchor::Start, style::SMALL_SIZE, canvas.palette.soft_ink));
        }
        first - 6.0
    }
}

fn mark(canvas: &mut Canvas, mark: Mark, (x, y): (f64, f64)) {
    let level = [(x, y), (x + 18.0, y)];
    match mark {
        Mark::Dot(colour) => canvas.dot((x + 9.0, y), 3.4, colour),
        Mark::Ring(colour) => canvas.ring((x + 9.0, y), 4.6, colour, 2.2),
        Mark::Square(colour) => canvas.outline((x + 3.0, y - 6.0), (x + 15.0, y + 6.0), colour, 2.2),
        Mark::Cross(colour) => canvas.cross((x + 9.0, y), 4.2, colour, 2.0),
        Mark::Hollow(colour) => canvas.hollow((x + 9.0, y), 3.4, colour),
        Mark::Bar(colour) => canvas.line(&[(x + 9.0, y - 7.0), (x + 9.0, y + 7.0)], colour, 1.6),
        Mark::Line(colour) => canvas.line(&level, colour, 2.0),
        Mark::Dashes(colour) => canvas.dashed(&level, colour, 2.0),
        Mark::Area(paint) => canvas.rectangle((x + 2.0, y - 6.0), (x + 18.0, y + 6.0), paint),
    }
}
