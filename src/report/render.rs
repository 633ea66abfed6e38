//! Fills the template of the page, and says in its policy what a browser may run: these scripts and this style, nothing
//! else, known by their digests (Content Security Policy, level 3).

use std::fmt::{self, Write};

use askama::Template;
use askama::filters::Html;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::report::view::View;

/// The style of the page: screen, then print.
const STYLE: &str =
    concat!(include_str!("../../templates/report/style.css"), include_str!("../../templates/report/print.css"));

/// The script of the page, one scope for all of its files.
const SCRIPT: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("../../templates/report/script/page.js"),
    include_str!("../../templates/report/script/axis.js"),
    include_str!("../../templates/report/script/drawing.js"),
    include_str!("../../templates/report/script/figure.js"),
    include_str!("../../templates/report/script/table.js"),
    include_str!("../../templates/report/script/download.js"),
    include_str!("../../templates/report/script/live.js"),
    "})();\n"
);

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    view: &'a View,
    style: &'a str,
    script: &'static str,
    policy: String,
}

/// Escapes what HTML would take for more than text, and keeps a number and its percent sign on one line. Used by askama for
/// `.html` templates.
#[derive(Debug, Clone, Copy)]
pub struct Escaper;

impl askama::filters::Escaper for Escaper {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        const PERCENT: &str = " %";
        let mut rest = text;
        while let Some(at) = rest.find(PERCENT) {
            let (before, after) = rest.split_at(at);
            Html.write_escaped_str(&mut dest, before)?;
            dest.write_str(if before.ends_with(|c: char| c.is_ascii_digit()) { "\u{a0}%" } else { PERCENT })?;
            rest = &after[PERCENT.len()..];
        }
        Html.write_escaped_str(dest, rest)
    }
}

/// The report as an HTML document.
///
/// # Errors
/// [`Error::Render`], which the compiled template rules out in practice.
pub fn render(view: &View) -> Result<String> {
    let style = format!("{STYLE}{}", view.figures.style);
    Page { view, style: &style, script: SCRIPT, policy: policy(&style) }.render().map_err(Error::Render)
}

/// Pictures may be made by the script itself; the figures' font lies in the style; `connect-src` is for a server that says when there is a new report.
fn policy(style: &str) -> String {
    let digest = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data: blob:; font-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'",
        digest(SCRIPT),
        digest(style)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use askama::filters::Escaper as _;

    #[test]
    fn a_percent_sign_stays_with_its_number() {
        let mut text = String::new();
        Escaper.write_escaped_str(&mut text, "5 % of <b>, {% x %} 7 %").unwrap();
        assert_eq!(text, "5\u{a0}% of &#60;b&#62;, {% x %} 7\u{a0}%");
    }
}
