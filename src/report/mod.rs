//! The report: one HTML file that works offline and makes no request, or the same as Markdown.
//!
//! - [`view`]: an analysis in words and rows that are ready to show; [`basins`], [`figures`], [`levels`],
//!   [`methods`] and [`changes`] make parts of it.
//! - [`data`]: the numbers that the page's script draws from.
//! - [`render`]: the view in `templates/report.html`, with the page's policy; [`markdown`]: in `templates/report.md`.
//!
//! The templates escape everything and do no arithmetic; one file a section lies in `templates/report/`. Without scripts
//! the page is complete: its main figure is the one that is written beside it, which the script replaces by one to point at.

pub mod basins;
pub mod changes;
pub mod data;
pub mod figures;
pub mod levels;
pub mod markdown;
pub mod methods;
pub mod render;
pub mod view;
