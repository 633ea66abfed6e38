//! `initsweep stats`: the group table, for people or programs.

use std::io::Write;

use crate::analysis::Analysis;
use crate::cli::{Global, StatsArgs};
use crate::commands::print;
use crate::error::Result;
use crate::export::{self, Format};
use crate::format::printable;
use crate::store;
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing and printing.
pub fn run(arguments: &StatsArgs, global: &Global) -> Result<()> {
    let columns = arguments.inquiry.roles(DEFAULT_FACTOR);
    let table = store::read(&arguments.runs.located()?, &columns)?;
    let analysis = Analysis::of(table, &arguments.inquiry.of(&columns))?;
    print(&export::to_text(&analysis, arguments.format, width()))?;
    // The other formats carry the warnings themselves.
    if matches!(arguments.format, Format::Csv | Format::Markdown) && !global.quiet {
        for warning in &analysis.warnings {
            let text = format!("warning: {}; {}", warning.message(), warning.advice());
            let _ = writeln!(std::io::stderr(), "{}", printable(&text));
        }
    }
    Ok(())
}

/// Characters of a terminal's line; of a file or a pipe there is no end.
fn width() -> usize {
    let terminal = console::Term::stdout();
    if terminal.is_term() { usize::from(terminal.size().1) } else { WIDE }
}

/// Wider than any table.
const WIDE: usize = 1000;
