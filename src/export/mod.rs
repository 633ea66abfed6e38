//! An [`Analysis`] as text for people and programs.

mod changes;
pub mod comparison;
pub mod csv;
pub mod failures;
pub mod finding;
pub mod history;
pub mod json;
pub mod table;

use clap::ValueEnum;

use crate::analysis::Analysis;

/// Forms of the group table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for the terminal.
    Table,
    /// The whole analysis, every digit.
    Json,
    /// The group table, every digit.
    Csv,
    /// The group table for a document.
    Markdown,
}

/// Writes `analysis` in `format`; `width` is that of the terminal.
pub fn to_text(analysis: &Analysis, format: Format, width: usize) -> String {
    match format {
        Format::Table => table::terminal(analysis, width),
        Format::Markdown => table::markdown(analysis),
        Format::Json => json::to_string(analysis, None),
        Format::Csv => csv::to_string(analysis),
    }
}
