//! The program from outside: the real binary, real files, real signals.
//!
//! One crate, so that everything is linked once. Each test works in a folder of its own, names what a user would see, and
//! depends on no other test, no clock and no network.

// A test that cannot go on says where: that is what `unwrap` is for here. Helpers are not covered by `clippy.toml`.
#![allow(clippy::unwrap_used)]

mod harness;

mod axis;
mod blocks;
mod cli;
mod compare;
mod config;
mod copy;
mod failed;
mod figure;
mod figures;
mod files;
mod formats;
mod goal;
mod json;
mod optimum;
mod plan;
mod r;
mod report;
#[cfg(target_os = "linux")]
mod soak;
mod sources;
mod statistics;
mod svg;
mod sweep;
mod train;
mod until;
mod watch;
