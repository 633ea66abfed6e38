//! Statistics as pure functions of slices: no data frame, no input or output, no clock, no hidden random state.
//!
//! **Do the intervals cover?** `cargo bench --bench coverage` repeats experiments with a known truth. Shares in %, of 2000
//! experiments with 1000 bootstrap replicates each; nominal 95, and 94 to 96 is within two standard errors of it.
//!
//! | truth | level means | place | value | difference | ratio | median | best in set | cross-fitted |
//! |---|--:|--:|--:|--:|--:|--:|--:|--:|
//! | parabola, normal noise, 40 levels × 100 | 95.0 | 98.2 | 97.8 | 94.6 | 94.8 | 96.3 | 99.1 | 94.2 |
//! | XOR mixture, 40 levels × 25 | 94.1 | 96.5 | 97.2 | 95.4 | 94.9 | 95.7 | 99.6 | 93.6 |
//! | XOR mixture, 40 levels × 64 | 94.7 | 97.0 | 96.9 | 94.3 | 94.5 | 96.4 | 99.7 | 93.6 |
//! | XOR mixture, 40 levels × 400 | 95.0 | 95.5 | 96.1 | 94.3 | 95.0 | 96.5 | 99.7 | 93.2 |
//! | minimum at the edge, 40 levels × 100 | 95.0 | 100.0 | 98.0 | 94.6 | 94.7 | 96.3 | 99.8 | 94.2 |
//! | flat, 20 levels × 100 | 95.0 | – | 94.8 | 94.5 | 94.5 | 96.6 | 95.1 | 89.2 |
//!
//! Bias, mean ± standard error, in units of a loss near 1500:
//!
//! | truth | least mean | the same, cross-fitted | fitted minimum | the same, cross-fitted |
//! |---|--:|--:|--:|--:|
//! | parabola | −162.1 ± 1.5 | −1.7 ± 3.1 | −2.1 ± 0.6 | +0.3 ± 0.6 |
//! | XOR mixture × 25 | −374.8 ± 3.9 | +8.4 ± 8.5 | +4.3 ± 2.4 | +24.5 ± 2.4 |
//! | XOR mixture × 64 | −217.0 ± 2.5 | −5.7 ± 5.2 | +2.7 ± 1.6 | +13.3 ± 1.6 |
//! | XOR mixture × 400 | −66.8 ± 1.1 | +1.7 ± 2.0 | +1.2 ± 0.7 | +7.5 ± 0.7 |
//! | edge | −116.3 ± 1.7 | −4.7 ± 3.0 | −2.8 ± 1.3 | −0.4 ± 1.2 |
//! | flat | −188.2 ± 1.2 | −4.9 ± 3.1 | −58.1 ± 1.1 | +0.3 ± 1.5 |
//!
//! Cross-fitting removes the winner's curse. What is left at the fitted minimum of the mixture is the smoothing bias of a curve chosen
//! with fewer runs, a fifth to a quarter of its standard error. Where the truth is flat the place means nothing.
//! An interval of a place at the edge covers always: the range ends there. Intervals of place and value are a
//! little too wide for a smooth parabola: a replicate has the noise of the data and its own, and chooses its bandwidth among both. Drawing
//! around the fitted curve instead of the means makes places still wider (98.7 to 100 % inside the range, 150 experiments each);
//! plain percentiles cover the value of a flat curve in 54 %.

pub mod allocate;
pub mod bandwidth;
pub mod basins;
pub mod best;
pub mod best_paired;
pub mod bootstrap;
pub mod centre;
pub mod compare;
pub mod crossfit;
pub mod descriptive;
pub mod exact;
mod integer;
pub mod interval;
pub mod paired;
pub mod quantile;
pub mod refined;
pub mod sequential;
pub mod smooth;

pub use descriptive::Summary;
pub use exact::ExactMoments;
pub use interval::{ConfidenceInterval, Estimate, Method};

/// What independent tools say, made by tests/fixtures/make_statistics.py.
#[cfg(test)]
fn fixture<T: serde::de::DeserializeOwned>() -> T {
    serde_json::from_str(include_str!("../../tests/fixtures/statistics.json")).unwrap()
}
