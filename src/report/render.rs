//! Fills the template of the page, and says in its policy what a browser may run: these scripts and this style, nothing
//! else, known by their digests (Content Security Policy, level 3).

use askama::Template;
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
