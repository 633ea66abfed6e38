//! A sheet to draw on, which becomes an SVG document.
//!
//! Coordinates are pixels of the layout, from the upper left corner; they are written with one decimal. Colours and text are
//! attributes of each element, without style sheets, so that every program shows the same.

use std::fmt::Write;

use crate::figure::style::{Colour, FONTS, Paint, Palette, Sheet};
use crate::figure::text::{Weight, escaped, printable};
use crate::figure::{Figure, Look};

/// A point of the sheet.
pub type Point = (f64, f64);

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins at the point.
    Start,
    /// The text is centred on the point.
    Middle,
    /// The text ends at the point.
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lettering {
    /// Where it stands relative to its point.
    pub anchor: Anchor,
    /// Size of the letters.
    pub size: f64,
    /// Cut of the font.
    pub weight: Weight,
    /// Colour.
    pub colour: Colour,
}

/// A sheet of some size and theme.
pub struct Canvas {
    /// Its size.
    pub sheet: Sheet,
    /// Its colours.
    pub palette: &'static Palette,
    body: String,
}

impl Canvas {
    /// An empty sheet, with room for `rows` rows of panels where it is narrow.
    pub fn new(look: Look, rows: usize) -> Self {
        Self { sheet: look.size.sheet(rows), palette: look.theme.palette(), body: String::new() }
    }

    /// The document, with `title` and `description` for screen readers.
    pub fn finish(self, title: &str, description: &str) -> Figure {
        let Sheet { width, height, unit, factor, png_scale } = self.sheet;
        let side = |length: f64| format!("{}{unit}", decimals(length * factor));
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             font-family=\"{FONTS}\">\n<title>{}</title>\n<desc>{}</desc>\n<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n{}</svg>\n",
            side(width),
            side(height),
            escaped(title),
            escaped(description),
            self.palette.paper,
            self.body
        );
        Figure { svg, png_scale }
    }

    /// A line through `points`.
    pub fn line(&mut self, points: &[Point], paint: impl Into<Paint>, width: f64) {
        self.polyline(points, paint.into(), width, "");
    }

    /// The same in dashes.
    pub fn dashed(&mut self, points: &[Point], paint: impl Into<Paint>, width: f64) {
        self.polyline(points, paint.into(), width, " stroke-dasharray=\"6 4\"");
    }

    fn polyline(&mut self, points: &[Point], paint: Paint, width: f64, more: &str) {
        if points.len() > 1 {
            let opacity = opacity("stroke", paint);
            self.element(format_args!(
                "<polyline fill=\"none\" stroke=\"{}\"{opacity} stroke-width=\"{}\" stroke-linejoin=\"round\"{more} points=\"{}\"/>",
                paint.colour,
                decimals(width),
                list(points)
            ));
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], paint: impl Into<Paint>) {
        let paint = paint.into();
        let opacity = opacity("fill", paint);
        self.element(format_args!("<polygon fill=\"{}\"{opacity} points=\"{}\"/>", paint.colour, list(points)));
    }

    /// Closed lines, filled by the even-odd rule.
    pub fn regions(&mut self, outlines: &[Vec<Point>], paint: impl Into<Paint>) {
        let paint = paint.into();
        let opacity = opacity("fill", paint);
        let path: String = outlines.iter().map(|outline| format!("M{}Z", list(outline))).collect();
        self.element(format_args!("<path fill=\"{}\"{opacity} fill-rule=\"evenodd\" d=\"{path}\"/>", paint.colour));
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&mut self, (x1, y1): Point, (x2, y2): Point, paint: impl Into<Paint>) {
        let paint = paint.into();
        let opacity = opacity("fill", paint);
        self.element(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{opacity}/>",
            decimals(x1.min(x2)),
            decimals(y1.min(y2)),
            decimals((x2 - x1).abs()),
            decimals((y2 - y1).abs()),
            paint.colour
        ));
    }

    /// A filled circle.
    pub fn dot(&mut self, (x, y): Point, radius: f64, paint: impl Into<Paint>) {
        let paint = paint.into();
        let opacity = opacity("fill", paint);
        self.element(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"{opacity}/>",
            decimals(x),
            decimals(y),
            decimals(radius),
            paint.colour
        ));
    }

    /// A circle without filling.
    pub fn ring(&mut self, (x, y): Point, radius: f64, colour: Colour, width: f64) {
        self.element(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"/>",
            decimals(x),
            decimals(y),
            decimals(radius),
            decimals(width)
        ));
    }

    /// A text whose small letters have their middle at the point's height.
    pub fn text(&mut self, text: &str, at: Point, look: Lettering) {
        self.turned_text(text, at, look, "");
    }

    /// The same, turned to read upwards.
    pub fn upward_text(&mut self, text: &str, at: Point, look: Lettering) {
        let turn = format!(" transform=\"rotate(270 {} {})\"", decimals(at.0), decimals(at.1));
        self.turned_text(text, at, look, &turn);
    }

    fn turned_text(&mut self, text: &str, (x, y): Point, look: Lettering, turn: &str) {
        // Half the height of a DejaVu capital: so numbers stand centred beside their tick in any viewer.
        const HALF_CAPITAL: f64 = 0.36;
        let anchor = match look.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if look.weight == Weight::Bold { " font-weight=\"bold\"" } else { "" };
        self.element(format_args!(
            "<text x=\"{}\" y=\"{}\" dy=\"{}\" font-size=\"{}\"{anchor}{weight} fill=\"{}\"{turn}>{}</text>",
            decimals(x),
            decimals(y),
            decimals(HALF_CAPITAL * look.size),
            decimals(look.size),
            look.colour,
            escaped(&printable(text))
        ));
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}

fn opacity(what: &str, paint: Paint) -> String {
    if paint.opacity < 1.0 {
        format!(" {what}-opacity=\"{}\"", (paint.opacity * 100.0).round() / 100.0)
    } else {
        String::new()
    }
}

fn list(points: &[Point]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for (i, (x, y)) in points.iter().enumerate() {
        let blank = if i > 0 { " " } else { "" };
        let _ = write!(text, "{blank}{},{}", decimals(*x), decimals(*y));
    }
    text
}

/// A number with at most one decimal. What lies far off the sheet is kept near it, so that no viewer overflows.
fn decimals(value: f64) -> String {
    const FAR: f64 = 1e5;
    let tenths = (value.clamp(-FAR, FAR) * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_finite() {
        let texts = [0.04, -0.04, 12.0, -3.26, 1e300, f64::NAN].map(decimals);
        assert_eq!(texts, ["0", "0", "12", "-3.3", "100000", "0"]);
    }
}
