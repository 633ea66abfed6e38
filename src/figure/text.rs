//! How wide is a text, where does it break, and how is it shortened?
//!
//! Widths are sums of the advances in the font that is shipped inside the program, without kerning, which changes them by a
//! hundredth at most.

use std::sync::OnceLock;

use ttf_parser::Face;

/// Which cut of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The usual one.
    Regular,
    /// For titles.
    Bold,
}

/// The width of `text` in letters of `size`.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    // Most letters are these, and lines are measured over and over to be broken well.
    static ASCII: OnceLock<[[f64; 128]; 2]> = OnceLock::new();
    let tables = ASCII.get_or_init(|| {
        [Weight::Regular, Weight::Bold]
            .map(|weight| std::array::from_fn(|code| advance(char::from(code as u8), weight)))
    });
    let ascii = &tables[usize::from(weight == Weight::Bold)];
    let of = |letter: char| ascii.get(letter as usize).copied().unwrap_or_else(|| advance(letter, weight));
    text.chars().map(of).sum::<f64>() * size
}

/// The width of `letter` as a share of the size.
fn advance(letter: char, weight: Weight) -> f64 {
    // A letter that the font lacks is taken as a wide one.
    const UNKNOWN: f64 = 1.0;
    let Some(face) = face(weight) else { return UNKNOWN };
    let glyph = face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph));
    glyph.map_or(UNKNOWN, |units| f64::from(units) / f64::from(face.units_per_em()))
}

/// The font's cut; it is part of the program, so that it parses, or no figure test passes.
pub fn face(weight: Weight) -> Option<&'static Face<'static>> {
    static FACES: OnceLock<[Option<Face<'static>>; 2]> = OnceLock::new();
    let faces =
        FACES.get_or_init(|| [dejavu::sans::regular(), dejavu::sans::bold()].map(|bytes| Face::parse(bytes, 0).ok()));
    faces[usize::from(weight == Weight::Bold)].as_ref()
}

/// `text`, shortened with an ellipsis where it would be wider than `limit`.
pub fn fitted(text: &str, size: f64, weight: Weight, limit: f64) -> String {
    if width(text, size, weight) <= limit {
        return text.into();
    }
    // Halving finds the longest beginning that fits, however long the text is.
    let characters: Vec<char> = text.chars().collect();
    let shortened = |length: usize| characters[..length].iter().collect::<String>().trim_end().to_string() + "…";
    let (mut fits, mut too_long) = (0, characters.len());
    while too_long - fits > 1 {
        let length = fits.midpoint(too_long);
        if width(&shortened(length), size, weight) <= limit {
            fits = length;
        } else {
            too_long = length;
        }
    }
    shortened(fits)
}

/// `text` in lines no wider than `limit`, broken at blanks; what does not fit into `most` lines is shortened.
pub fn wrapped(text: &str, size: f64, weight: Weight, limit: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if lines.len() + 1 >= most || width(rest, size, weight) <= limit {
            lines.push(fitted(rest, size, weight, limit));
            break;
        }
        // A percent sign stays with its number.
        let blanks = rest.match_indices(' ').map(|(at, _)| at).filter(|at| !rest[at + 1..].starts_with('%'));
        let end = blanks.take_while(|at| width(&rest[..*at], size, weight) <= limit).last();
        // A word that alone is wider than the line is shortened on it.
        let end = end.or_else(|| rest.find(' ')).unwrap_or(rest.len());
        lines.push(fitted(&rest[..end], size, weight, limit));
        rest = rest[end..].trim_start();
    }
    lines
}

/// The same with lines of about one length, so that none holds a single short word.
pub fn balanced(text: &str, size: f64, weight: Weight, limit: f64, most: usize) -> Vec<String> {
    const STEPS: u32 = 32;
    let of = |step: u32| wrapped(text, size, weight, limit * f64::from(step) / f64::from(STEPS), most);
    let lines = of(STEPS);
    let is_whole = |lines: &[String]| !lines.iter().any(|line| line.ends_with('…'));
    if lines.len() < 2 || !is_whole(&lines) {
        return lines;
    }
    // Halving finds the narrowest that need no more lines.
    let (mut fits, mut too_narrow) = (STEPS, 0);
    while fits - too_narrow > 1 {
        let step = fits.midpoint(too_narrow);
        let narrower = of(step);
        if narrower.len() == lines.len() && is_whole(&narrower) {
            fits = step;
        } else {
            too_narrow = step;
        }
    }
    of(fits)
}

/// `text` without the characters that XML does not allow or that would turn the writing direction of what follows.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// `text` as XML content or attribute value.
pub fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans: 2048 units per em, 'a' 1255, 'i' 569; bold 'a' 1382.
        assert!((width("ai", 2048.0, Weight::Regular) - 1824.0).abs() < 1e-9);
        assert!((width("a", 2048.0, Weight::Bold) - 1382.0).abs() < 1e-9);
    }

    #[test]
    fn balanced_lines_leave_no_word_alone() {
        let text = "standard deviation of the initial hidden weights (logarithmic)";
        let limit = width("standard deviation of the initial hidden weights", 14.0, Weight::Regular) + 1.0;
        assert_eq!(wrapped(text, 14.0, Weight::Regular, limit, 3)[1], "(logarithmic)");
        let lines = balanced(text, 14.0, Weight::Regular, limit, 3);
        assert_eq!(lines, ["standard deviation of the initial", "hidden weights (logarithmic)"]);
        assert_eq!(balanced("one line", 14.0, Weight::Regular, limit, 3), ["one line"]);
    }

    #[test]
    fn texts_break_at_blanks_and_end_in_an_ellipsis() {
        let limit = width("some words of", 10.0, Weight::Regular);
        let lines = |most| wrapped("some words of no length", 10.0, Weight::Regular, limit, most);
        assert_eq!(lines(3), ["some words of", "no length"]);
        assert_eq!(lines(1).len(), 1);
        assert!(lines(1)[0].ends_with('…'));
        for text in ["n".repeat(300), "one ".repeat(80), format!("a {}", "long".repeat(70))] {
            let lines = wrapped(&text, 12.0, Weight::Bold, 100.0, 2);
            assert!(lines.len() <= 2 && lines.iter().all(|line| width(line, 12.0, Weight::Bold) <= 100.0), "{lines:?}");
        }
        assert_eq!(wrapped("some words of 95 %", 10.0, Weight::Regular, limit * 1.3, 3), ["some words of", "95 %"]);
        assert!(wrapped("  ", 10.0, Weight::Regular, 50.0, 2).is_empty());
    }
}
