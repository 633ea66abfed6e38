//! What becomes of an analysis: the arguments that only `report` and `run` have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// report.html, one file for a browser
    Html,
    /// report.md, with the figures beside it
    Md,
    /// summary.json, which is always written
    Json,
}

/// Which report to write.
#[derive(Debug, Args)]
pub struct DocumentArgs {
    /// Forms of the report; summary.json and summary.csv are always written
    #[arg(long, value_enum, value_name = "FORM", value_delimiter = ',', default_value = "html")]
    pub format: Vec<ReportFormat>,
    /// Say what changed since an earlier report: its summary.json
    #[arg(long, value_name = "SUMMARY.JSON")]
    pub baseline: Option<PathBuf>,
    /// Open the report when it is written
    #[arg(long)]
    pub open: bool,
}
