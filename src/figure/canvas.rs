//! A sheet to draw on: elements of `plotters` on a backend of our own ([`crate::figure::svg`]).
//!
//! Coordinates are pixels of the layout, from the upper left corner. `plotters` counts in whole
//! numbers, which are tenths of these pixels here: points on a curve rounded to whole pixels would
//! visibly wobble.

use plotters::element::{Circle, DashedPathElement, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle};
use plotters_backend::{BackendCoord, DrawingBackend};
use std::borrow::Borrow;

use crate::figure::font::Letters;
use crate::figure::style::{Colour, FONTS, Paint, Palette, Sheet};
use crate::figure::svg::{Svg, decimals, tenths};
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
    svg: Svg,
    letters: Letters,
}

impl Canvas {
    /// An empty sheet, with room for `rows` rows of panels where it is narrow.
    pub fn new(look: Look, rows: usize) -> Self {
        let sheet = look.size.sheet(rows);
        Self {
            sheet,
            palette: look.theme.palette(),
            svg: Svg::new(sheet.width, sheet.height),
            letters: Letters::default(),
        }
    }

    /// Makes an empty sheet higher.
    pub fn grow(&mut self, more: f64) {
        self.sheet.height = libm::ceil(self.sheet.height + more);
        self.svg = Svg::new(self.sheet.width, self.sheet.height);
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
            self.svg.body
        );
        Figure { svg, letters: self.letters, png_scale }
    }

    /// A line through `points`.
    pub fn line(&mut self, points: &[Point], paint: impl Into<Paint>, width: f64) {
        if points.len() > 1 {
            self.draw(&PathElement::new(coordinates(points), stroke(paint.into(), width)));
        }
    }

    /// The same in dashes.
    pub fn dashed(&mut self, points: &[Point], paint: impl Into<Paint>, width: f64) {
        let (dash, gap) = (tenths(6.0), tenths(4.0));
        if points.len() > 1 {
            self.draw(&DashedPathElement::new(coordinates(points), dash, gap, stroke(paint.into(), width)));
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], paint: impl Into<Paint>) {
        self.draw(&Polygon::new(coordinates(points), fill(paint.into())));
    }

    /// Closed lines, filled by the even-odd rule: one polygon, which returns to its beginning
    /// between them.
    pub fn regions(&mut self, outlines: &[Vec<Point>], paint: impl Into<Paint>) {
        let Some(home) = outlines.first().and_then(|outline| outline.first()) else { return };
        let closed = |outline: &Vec<Point>| {
            let whole: Vec<Point> = outline.iter().chain(outline.first()).chain([home]).copied().collect();
            whole
        };
        self.polygon(&outlines.iter().flat_map(closed).collect::<Vec<_>>(), paint);
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&mut self, (x1, y1): Point, (x2, y2): Point, paint: impl Into<Paint>) {
        let corners = [(x1.min(x2), y1.min(y2)), (x1.max(x2), y1.max(y2))].map(coordinate);
        self.draw(&Rectangle::new(corners, fill(paint.into())));
    }

    /// A rectangle without filling.
    pub fn outline(&mut self, (x1, y1): Point, (x2, y2): Point, colour: Colour, width: f64) {
        // Beyond the beginning, so that no corner is open.
        self.line(&[(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1), (x2, y1)], colour, width);
    }

    /// A filled circle.
    pub fn dot(&mut self, at: Point, radius: f64, paint: impl Into<Paint>) {
        self.draw(&Circle::new(coordinate(at), tenths(radius), fill(paint.into())));
    }

    /// A circle without filling.
    pub fn ring(&mut self, at: Point, radius: f64, colour: Colour, width: f64) {
        self.draw(&Circle::new(coordinate(at), tenths(radius), stroke(colour.into(), width)));
    }

    /// A point of this `radius` without filling, on paper so that no line runs through it.
    pub fn hollow(&mut self, at: Point, radius: f64, colour: Colour) {
        let width = (0.45 * radius).clamp(0.6, 1.6);
        self.dot(at, radius, self.palette.paper);
        self.ring(at, radius - width / 2.0, colour, width);
    }

    /// A slanted cross of arms `reach` long in each direction.
    pub fn cross(&mut self, (x, y): Point, reach: f64, colour: Colour, width: f64) {
        self.line(&[(x - reach, y - reach), (x + reach, y + reach)], colour, width);
        self.line(&[(x - reach, y + reach), (x + reach, y - reach)], colour, width);
    }

    /// A text whose small letters have their middle at the point's height.
    pub fn text(&mut self, text: &str, at: Point, look: Lettering) {
        self.turned_text(text, at, look, FontTransform::None);
    }

    /// The same, turned to read upwards.
    pub fn upward_text(&mut self, text: &str, at: Point, look: Lettering) {
        self.turned_text(text, at, look, FontTransform::Rotate270);
    }

    fn turned_text(&mut self, text: &str, at: Point, look: Lettering, turn: FontTransform) {
        let text = printable(text);
        self.letters.note(&text, look.weight);
        let across = match look.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = if look.weight == Weight::Bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(FONTS), look.size, style).transform(turn);
        let colour = rgba(look.colour.into());
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(across, VPos::Center));
        self.draw(&Text::new(text, coordinate(at), style));
    }

    fn draw<E: Drawable<Svg>>(&mut self, element: &E)
    where
        for<'a> &'a E: PointCollection<'a, BackendCoord>,
    {
        let points: Vec<BackendCoord> = element.point_iter().into_iter().map(|point| *point.borrow()).collect();
        let size = self.svg.get_size();
        // The backend writes to a string, which cannot fail.
        let _ = element.draw(points.into_iter(), &mut self.svg, size);
    }
}

fn coordinate((x, y): Point) -> BackendCoord {
    (tenths(x), tenths(y))
}

fn coordinates(points: &[Point]) -> Vec<BackendCoord> {
    points.iter().copied().map(coordinate).collect()
}

fn rgba(paint: Paint) -> RGBAColor {
    let Colour(red, green, blue) = paint.colour;
    RGBAColor(red, green, blue, paint.opacity)
}

fn fill(paint: Paint) -> ShapeStyle {
    rgba(paint).filled()
}

fn stroke(paint: Paint, width: f64) -> ShapeStyle {
    rgba(paint).stroke_width(tenths(width).unsigned_abs())
}
