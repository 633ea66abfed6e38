//! Statistics as pure functions of slices: no data frame, no input or output, no clock, no hidden random state.

pub mod bandwidth;
pub mod basins;
pub mod best;
pub mod bootstrap;
pub mod compare;
pub mod crossfit;
pub mod descriptive;
pub mod exact;
mod integer;
pub mod interval;
pub mod paired;
pub mod quantile;
pub mod smooth;

pub use descriptive::Summary;
pub use exact::ExactMoments;
pub use interval::{ConfidenceInterval, Estimate, Method};

/// What independent tools say, made by tests/fixtures/make_statistics.py.
#[cfg(test)]
fn fixture<T: serde::de::DeserializeOwned>() -> T {
    serde_json::from_str(include_str!("../../tests/fixtures/statistics.json")).unwrap()
}
