//! One file a subcommand, each a recipe: load, group, compute, write.

pub mod compare;
pub mod copy;
pub mod init;
pub mod material;
pub mod open;
pub mod plan;
pub mod plot;
pub mod replay;
pub mod report;
pub mod run;
pub mod share;
pub mod stats;
pub mod stop;
pub mod sweep;
pub mod train;
pub mod until;
pub mod verify;
pub mod watch;

use std::io::{self, Write};

use crate::analysis::Analysis;
use crate::cli::Global;
use crate::error::{Error, Result};
use crate::format::{printable, printable_lines};
use crate::warning::Warning;

/// Warns if it was not said which value is the best, for the commands that show no other warning.
fn warn_of_goal(analysis: &Analysis, global: &Global) {
    let is_about_goal = |warning: &&Warning| matches!(warning, Warning::GoalNotGiven { .. });
    if let Some(warning) = analysis.warnings.iter().find(is_about_goal).filter(|_| !global.quiet) {
        let text = format!("warning: {}; {}", warning.message(), warning.advice());
        // If standard error is closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{}", printable(&text));
    }
}

/// Writes `text` to standard output; what could steer a terminal is written out.
fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(printable_lines(text).as_bytes()).and_then(|()| out.flush()).map_err(Error::Stdout)
}
