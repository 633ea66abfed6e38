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

use crate::error::{Error, Result};
use crate::format::printable_lines;

/// Writes `text` to standard output; what could steer a terminal is written out.
fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(printable_lines(text).as_bytes()).and_then(|()| out.flush()).map_err(Error::Stdout)
}
