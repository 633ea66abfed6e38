//! A sheet to draw on: plotters' SVG backend, in fractions of a pixel.
//!
//! Plotters' coordinates are whole numbers. The sheet is therefore drawn [`UNITS`] times as large and the document says so
//! in its `viewBox`, which gives tenths of a pixel.

use std::fmt::Display;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, FontTransform, register_font};

use crate::error::{Error, Result};
use crate::figure::style;

/// Units of the drawing per pixel.
const UNITS: f64 = 10.0;

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

/// A sheet of the size of [`style::SIZE`].
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    figure: &'static str,
}

/// Draws on a fresh sheet and returns the document, with `title` and `description` for screen readers.
///
/// # Errors
/// Whatever `drawing` gives.
pub fn draw(
    figure: &'static str,
    title: &str,
    description: &str,
    drawing: impl FnOnce(&Canvas<'_>) -> Result<()>,
) -> Result<String> {
    register_fonts();
    let (width, height) = style::SIZE;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (unit(width) as u32, unit(height) as u32)).into_drawing_area();
        let canvas = Canvas { area, figure };
        canvas.area.fill(&style::PAPER).map_err(canvas.failed())?;
        drawing(&canvas)?;
        canvas.area.present().map_err(canvas.failed())?;
    }
    let units = format!("width=\"{}\" height=\"{}\"", unit(width), unit(height));
    let head = format!("width=\"{width}\" height=\"{height}\" role=\"img\"");
    let names = format!("\n<title>{}</title>\n<desc>{}</desc>", escaped(title), escaped(description));
    let svg = svg
        .replacen(&units, &head, 1)
        .replace(&format!("font-family=\"{}\"", style::FONT), &format!("font-family=\"{}\"", style::FONT_FALLBACK));
    // The first `>` ends the opening tag of the document.
    Ok(svg.replacen('>', &format!(">{names}"), 1))
}

impl Canvas<'_> {
    /// A line through `points`.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn line(&self, points: &[(f64, f64)], colour: RGBAColor, width: f64) -> Result<()> {
        let path: Vec<(i32, i32)> = points.iter().map(|p| place(*p)).collect();
        self.area.draw(&PathElement::new(path, colour.stroke_width(unit(width) as u32))).map_err(self.failed())
    }

    /// A filled polygon.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn polygon(&self, points: &[(f64, f64)], colour: RGBAColor) -> Result<()> {
        let corners: Vec<(i32, i32)> = points.iter().map(|p| place(*p)).collect();
        self.area.draw(&Polygon::new(corners, colour.filled())).map_err(self.failed())
    }

    /// A filled circle.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn dot(&self, centre: (f64, f64), radius: f64, colour: RGBAColor) -> Result<()> {
        self.area.draw(&Circle::new(place(centre), unit(radius), colour.filled())).map_err(self.failed())
    }

    /// A text whose middle line is at the point's height.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn text(&self, text: &str, at: (f64, f64), anchor: Anchor, size: f64, colour: RGBColor) -> Result<()> {
        self.styled_text(text, at, anchor, &font(size), colour)
    }

    /// The same, bold.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn bold_text(&self, text: &str, at: (f64, f64), anchor: Anchor, size: f64, colour: RGBColor) -> Result<()> {
        self.styled_text(text, at, anchor, &font(size).style(FontStyle::Bold), colour)
    }

    /// The same, turned to read upwards.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn upward_text(&self, text: &str, at: (f64, f64), size: f64, colour: RGBColor) -> Result<()> {
        self.styled_text(text, at, Anchor::Middle, &font(size).transform(FontTransform::Rotate270), colour)
    }

    /// How wide `text` will be in the shipped font.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn text_width(&self, text: &str, size: f64) -> Result<f64> {
        let (width, _) =
            self.area.estimate_text_size(text, &font(size).into_text_style(&self.area)).map_err(self.failed())?;
        // Plotters measures at its own size, DejaVu's line height; the SVG's em is 1.164 of 1.24 parts of it.
        Ok(f64::from(width) / UNITS * 1.164 / 1.24)
    }

    /// `text`, shortened where it would be wider than `width`.
    ///
    /// # Errors
    /// [`Error::Figure`].
    pub fn fitted(&self, text: &str, size: f64, width: f64) -> Result<String> {
        if self.text_width(text, size)? <= width {
            return Ok(text.into());
        }
        // Halving finds the longest beginning that fits, however long the text is.
        let characters: Vec<char> = text.chars().collect();
        let shortened = |length: usize| characters[..length].iter().collect::<String>() + "…";
        let (mut fits, mut too_long) = (0, characters.len());
        while too_long - fits > 1 {
            let length = fits.midpoint(too_long);
            if self.text_width(&shortened(length), size)? <= width {
                fits = length;
            } else {
                too_long = length;
            }
        }
        Ok(shortened(fits))
    }

    fn styled_text(
        &self,
        text: &str,
        at: (f64, f64),
        anchor: Anchor,
        font: &FontDesc<'_>,
        colour: RGBColor,
    ) -> Result<()> {
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = font.clone().color(&colour).pos(Pos::new(h_pos, VPos::Center));
        self.area.draw(&Text::new(printable(text), place(at), style)).map_err(self.failed())
    }

    fn failed<E: Display>(&self) -> impl Fn(E) -> Error + use<E> {
        let figure = self.figure;
        move |e| Error::Figure { figure, reason: e.to_string() }
    }
}

/// Pixels in units of the drawing. Saturates, so that a wild value cannot wrap around.
fn unit(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

fn place((x, y): (f64, f64)) -> (i32, i32) {
    (unit(x), unit(y))
}

fn font(size: f64) -> FontDesc<'static> {
    // Plotters' size is 1.24 times the SVG's.
    FontDesc::new(FontFamily::Name(style::FONT), size * UNITS * 1.24, FontStyle::Normal)
}

fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (face, bytes) in [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())] {
            // The bytes are part of the program: they parse, or no figure test passes.
            let _ = register_font(style::FONT, face, bytes);
        }
    });
}

/// `text` without the characters that XML does not allow.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
