//! An SVG document as a backend of `plotters`.
//!
//! Why not the one of `plotters-svg`: it counts in whole pixels, writes neither title nor description for screen readers, and
//! its text hangs from a bounding box that differs between viewers. Here a unit is a tenth of a pixel, colours and text are
//! attributes of each element, without style sheets, so that every program shows the same, and text stands on a line
//! that the program has chosen.

use std::convert::Infallible;
use std::fmt::Write;

use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use crate::figure::text::escaped;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// The elements of a document; coordinates and widths in tenths of a pixel, sizes of text in pixels.
pub struct Svg {
    size: (u32, u32),
    /// The elements so far, a line each.
    pub body: String,
}

impl Svg {
    /// A document without elements, of `width` and `height` in pixels.
    pub fn new(width: f64, height: f64) -> Self {
        Self { size: (tenths(width).unsigned_abs(), tenths(height).unsigned_abs()), body: String::new() }
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) -> Drawn {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
        Ok(())
    }
}

impl DrawingBackend for Svg {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &colour, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x1, y1): BackendCoord,
        (x2, y2): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let paint = paint(style, fill);
        let [x, y, width, height] = [x1, y1, x2 - x1, y2 - y1].map(pixels);
        self.element(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{paint}/>"))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let (paint, points) = (paint(style, false), list(path));
        self.element(format_args!("<polyline{paint} stroke-linejoin=\"round\" points=\"{points}\"/>"))
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let paint = paint(style, fill);
        let [x, y, radius] = [x, y, radius as i32].map(pixels);
        self.element(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{paint}/>"))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        let (paint, points) = (paint(style, true), list(corners));
        self.element(format_args!("<polygon{paint} fill-rule=\"evenodd\" points=\"{points}\"/>"))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        // Half the height of a DejaVu capital: so numbers stand centred beside their tick in any viewer.
        const HALF_CAPITAL: f64 = 0.36;
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        let weight = if matches!(style.style(), FontStyle::Bold) { " font-weight=\"bold\"" } else { "" };
        let [x, y] = [x, y].map(pixels);
        let turn = match style.transform() {
            FontTransform::None => String::new(),
            FontTransform::Rotate90 => format!(" transform=\"rotate(90 {x} {y})\""),
            FontTransform::Rotate180 => format!(" transform=\"rotate(180 {x} {y})\""),
            FontTransform::Rotate270 => format!(" transform=\"rotate(270 {x} {y})\""),
        };
        self.element(format_args!(
            "<text x=\"{x}\" y=\"{y}\" dy=\"{}\" font-size=\"{}\"{anchor}{weight} fill=\"{}\"{turn}>{}</text>",
            decimals(HALF_CAPITAL * style.size()),
            decimals(style.size()),
            hexadecimal(style.color()),
            escaped(text)
        ))
    }
}

/// The attributes of an area, or of a line.
fn paint<S: BackendStyle>(style: &S, fill: bool) -> String {
    let colour = style.color();
    let opacity = |what: &str| match colour.alpha {
        alpha if alpha < 1.0 => format!(" {what}-opacity=\"{}\"", (alpha * 100.0).round() / 100.0),
        _ => String::new(),
    };
    if fill {
        return format!(" fill=\"{}\"{}", hexadecimal(colour), opacity("fill"));
    }
    let width = pixels(style.stroke_width() as i32);
    format!(" fill=\"none\" stroke=\"{}\"{} stroke-width=\"{width}\"", hexadecimal(colour), opacity("stroke"))
}

fn hexadecimal(colour: BackendColor) -> String {
    let (red, green, blue) = colour.rgb;
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn list(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut text = String::new();
    for (x, y) in points {
        let blank = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{blank}{},{}", pixels(x), pixels(y));
    }
    text
}

/// A length in tenths of a pixel. What lies far off the sheet is kept near it, so that no viewer overflows.
pub fn tenths(value: f64) -> i32 {
    const FAR: f64 = 1e5;
    (value.clamp(-FAR, FAR) * 10.0).round() as i32
}

/// A number with at most one decimal.
pub fn decimals(value: f64) -> String {
    pixels(tenths(value))
}

fn pixels(tenths: i32) -> String {
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
