//! Statistics as pure functions of slices: no data frame, no input or output, no clock, no hidden random state.

pub mod descriptive;
pub mod interval;

pub use descriptive::Summary;
pub use interval::{ConfidenceInterval, Estimate, Method};
