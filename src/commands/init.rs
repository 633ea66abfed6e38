//! `initsweep init`: a commented file that describes a sweep, for `initsweep run`.

use std::io::Write;

use crate::cli::{Cli, Global, InitArgs};
use crate::error::{Error, Result};
use crate::output::write_whole;

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] if the file is there and may not be replaced, [`Error::Write`].
pub fn run(arguments: &InitArgs, global: &Global) -> Result<()> {
    let file = &arguments.file;
    if file.exists() && !arguments.force {
        let (given, reason) = (file.display().to_string(), "it exists; --force replaces it".into());
        return Err(Error::Usage { what: "file", given, reason });
    }
    write_whole(file, Cli::template().as_bytes())?;
    if !global.quiet {
        // If standard error is closed there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "{0}: edit it, then: initsweep run {0}", file.display());
    }
    Ok(())
}
