//! The report as Markdown, its figures in files beside it.

use std::fmt::{self, Write};

use askama::Template;

use crate::error::{Error, Result};
use crate::report::view::View;

#[derive(Template)]
#[template(path = "report.md")]
struct Document<'a> {
    view: &'a View,
}

/// The report as a Markdown document (CommonMark with tables).
///
/// # Errors
/// [`Error::Render`], which the compiled template rules out in practice.
pub fn render(view: &View) -> Result<String> {
    Document { view }.render().map_err(Error::Render)
}

/// Escapes what Markdown or the HTML in it would take for more than text. Used by askama for `.md` templates.
#[derive(Debug, Clone, Copy)]
pub struct Escaper;

impl askama::filters::Escaper for Escaper {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut before = ' ';
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let inside_word = before.is_alphanumeric() && characters.peek().is_some_and(|next| next.is_alphanumeric());
            match c {
                '_' if inside_word => dest.write_char(c)?,
                '&' => dest.write_str("&amp;")?,
                '<' => dest.write_str("&lt;")?,
                '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '>' | '|' | '~' | '#' | '!' => write!(dest, "\\{c}")?,
                c if c.is_control() => dest.write_char(' ')?,
                // Blanks that only line up the columns of a web page.
                '\u{2007}' | '\u{2008}' => {}
                c => dest.write_char(c)?,
            }
            before = c;
        }
        Ok(())
    }
}

mod filters {
    //! For the template.

    use std::fmt::Display;

    /// Text as a block of code: every line indented by four blanks.
    #[askama::filter_fn]
    pub(super) fn block(text: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
        let lines: Vec<String> = text.to_string().lines().map(|line| format!("    {line}")).collect();
        Ok(lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use askama::filters::Escaper as _;

    #[test]
    fn names_stay_text() {
        for (text, expected) in [
            ("hidden_std_dev", "hidden_std_dev"),
            ("_a_ *b*", "\\_a\\_ \\*b\\*"),
            ("<img src=x>", "&lt;img src=x\\>"),
            ("a | b\nc", "a \\| b c"),
            ("[x](y) `z` &amp;", "\\[x\\](y) \\`z\\` &amp;amp;"),
        ] {
            let mut shown = String::new();
            Escaper.write_escaped_str(&mut shown, text).unwrap();
            assert_eq!(shown, expected);
        }
    }
}
