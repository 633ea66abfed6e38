//! `initsweep copy`: rows from a file or a collection to another, counted at both ends.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{CopyArgs, Global};
use crate::error::{Error, Result};
use crate::format::{counted, printable};
use crate::store::rows::{self, Copied};

/// Runs the command.
///
/// # Errors
/// Those of reading and writing; [`Error::Incomplete`] if the target does not hold every row in the end.
pub fn run(arguments: &CopyArgs, global: &Global) -> Result<()> {
    let (source, target) = (arguments.source()?, arguments.target()?);
    let visible = !global.quiet && std::io::stderr().is_terminal();
    let draw = if visible { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, draw);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows  {elapsed}") {
        bar.set_style(style);
    }
    let copied = rows::copy(&source, &target, |rows| bar.inc(rows));
    bar.finish_and_clear();
    let copied = copied?;
    let Copied { read, written, place, repeated } = copied;
    if read != written + repeated.rows {
        return Err(Error::Incomplete { from: source.to_string(), read: read - repeated.rows, to: place, written });
    }
    if !global.quiet {
        let left_out = match repeated.rows {
            0 => String::new(),
            rows => {
                format!(", {} left out, whose _id an earlier row has (first: {})", counted(rows, "row"), repeated.first)
            }
        };
        // If standard error is closed there is nobody left to tell.
        let text = format!("{} from {source} in {place}{left_out}", counted(written, "row"));
        let _ = writeln!(std::io::stderr(), "{}", printable(&text));
    }
    Ok(())
}
