//! The embedded trainer: makes the runs of a sweep.
//!
//! - [`network`]: the network, its loss and its training, written straight from their definitions.
//! - [`initialisation`]: the random start, a function of the run's identity.
//! - [`kernel`]: the same training, many networks at once.
//! - [`schedule`]: spreads a plan over the cores.

pub mod initialisation;
pub mod kernel;
pub mod network;
pub mod schedule;
