//! The report: one HTML file that works offline and makes no request.
//!
//! [`view`] turns an analysis into words and rows that are ready to show; [`render`] puts them into `templates/report.html`.
//! The template escapes everything and does no arithmetic.

pub mod render;
pub mod view;
