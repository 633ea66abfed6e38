//! Fills the template.

use askama::Template;

use crate::error::{Error, Result};
use crate::report::view::View;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    view: &'a View,
}

/// The report as an HTML document.
///
/// # Errors
/// [`Error::Render`], which the compiled template rules out in practice.
pub fn render(view: &View) -> Result<String> {
    Page { view }.render().map_err(Error::Render)
}
