//! Statistics as pure functions of slices: no data frame, no input or output, no clock, no hidden
//! random state.
//!
//! **Do the intervals cover?** `cargo bench --bench coverage` repeats experiments with a known
//! truth. Shares in %, of 2000 experiments with 1000 bootstrap replicates each; nominal 95, and 94
//! to 96 is within two standard errors of it.
//!
//! | truth | level means | place | value | difference | ratio | median | best in set | cross-fitted |
//! |---|--:|--:|--:|--:|--:|--:|--:|--:|
//! | parabola, normal noise, 40 levels × 100 | 95.0 | 96.9 | 96.7 | 94.6 | 94.8 | 96.3 | 99.1 | 95.2 |
//! | the same, paired | 95.0 | 96.4 | 95.1 | 96.1 | 96.1 | 96.2 | 99.0 | 95.1 |
//! | XOR mixture, 40 levels × 25 | 94.1 | 95.7 | 96.4 | 95.4 | 94.9 | 95.7 | 99.6 | 94.2 |
//! | XOR mixture, 40 levels × 64 | 94.7 | 95.2 | 95.9 | 94.3 | 94.5 | 96.4 | 99.7 | 94.6 |
//! | XOR mixture, 40 levels × 400 | 95.0 | 94.3 | 95.2 | 94.3 | 95.0 | 96.5 | 99.7 | 94.5 |
//! | minimum at the edge, 40 levels × 100 | 95.0 | 100.0 | 96.8 | 94.6 | 94.7 | 96.3 | 99.8 | 95.0 |
//! | flat, 20 levels × 100 | 95.0 | – | 94.8 | 94.5 | 94.5 | 96.6 | 95.1 | 86.0 |
//!
//! Bias, mean ± standard error, in units of a loss near 1500:
//!
//! | truth | least mean | the same, cross-fitted | fitted minimum | the same, cross-fitted |
//! |---|--:|--:|--:|--:|
//! | parabola | −162.1 ± 1.5 | −2.2 ± 3.2 | −1.0 ± 0.6 | +0.1 ± 0.6 |
//! | the same, paired | −76.2 ± 2.1 | −5.3 ± 2.5 | −3.3 ± 2.0 | −2.9 ± 2.0 |
//! | XOR mixture × 25 | −374.8 ± 3.9 | +5.6 ± 8.7 | +5.5 ± 2.3 | +10.2 ± 2.7 |
//! | XOR mixture × 64 | −217.0 ± 2.5 | −7.1 ± 5.1 | +4.9 ± 1.5 | +3.9 ± 1.7 |
//! | XOR mixture × 400 | −66.8 ± 1.1 | +3.4 ± 2.0 | +1.4 ± 0.7 | +2.8 ± 0.8 |
//! | edge | −116.3 ± 1.7 | −4.2 ± 3.0 | −1.8 ± 1.2 | −1.5 ± 1.3 |
//! | flat | −188.2 ± 1.2 | −6.4 ± 3.2 | −55.7 ± 0.9 | −1.1 ± 1.7 |
//!
//! Cross-fitting removes the winner's curse. What is left at the fitted minimum of the mixture is
//! the smoothing bias of the curve, about a tenth of the value's standard error (105, 68 and 31).
//! Where the truth is flat the place means nothing, and the folds' values are correlated
//! ([`crossfit`]). An interval of a place at the edge covers always: the range ends there. What
//! covers less well, by the same simulation: one bandwidth by the least criterion instead of the
//! average (place 98.2 % for the parabola, with an interval a third wider); a fixed one (88 %);
//! replicates around the curve instead of the means (98.7 to 100 %); plain percentiles for the
//! value of a flat curve (51 %).

//!
//! **The optimum on few levels** ([`optimum`]), by the same command: curves of many shapes seen at
//! 5 to 41 levels, equally or unequally far apart, 0.5 to 2.3 octaves from one to the next, with 1,
//! 2, 3, 5, 10 or 1000 runs each, a rise of r = 0.5, 2, 5 or 20 standard errors of a level mean one
//! gap off the optimum, noise that is normal, ln-normal, grows tenfold or has two peaks, and the
//! same seeds at every level; 64 kinds of experiment (cells) a shape. Shares in %, of 100
//! experiments a cell: the least cell of each row is that of 64, and its share is known to ± 4 %.
//! Verdicts at margins of 1 and 5 % of a best value that is 100 rises. Wrong: `located` where the
//! place is missed or the curve rises by more than the margin within the interval, of all that are
//! `located`; verdicts on references that are false at the margin, of all.
//!
//! | truth | cells | place: least cell (all) | bracket | value | reference | wrong verdicts | safe range | located, r = 5, 5 % | wrong located of all (worst cell) | width at r = 20, gaps | least cell |
//! |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
//! | parabola | 64 | 100.0 (100.0) | 100.0 | 95.0 (99.4) | 96.0 (99.2) | 0.2 | 99.0 | 97.8 | 0.0 (1.0) | 1.23 | 5 levels × 3, r = 0.5, Normal, 1 octave |
//! | kink 1:4 in curvature | 64 | 98.0 (99.8) | 100.0 | 95.0 (99.5) | 98.0 (99.5) | 0.0 | 99.0 | 96.2 | 0.4 (4.0) | 1.29 | 7 levels × 3, r = 5, Normal, 1 octave |
//! | kink 1:4 in slope | 64 | 97.0 (99.4) | 100.0 | 92.0 (99.0) | 94.0 (98.6) | 0.2 | 97.0 | 94.8 | 1.1 (6.0) | 1.20 | 41 levels × 10, r = 2, Normal, 0.5 octaves |
//! | rounded kink | 64 | 99.0 (99.9) | 100.0 | 95.0 (99.4) | 96.0 (99.4) | 0.2 | 98.0 | 96.2 | 0.2 (2.0) | 1.24 | 7 levels × 2, r = 2, Normal, 1 octave |
//! | hyperbola | 64 | 98.0 (99.9) | 98.0 | 92.0 (98.7) | 89.0 (98.7) | 0.2 | 98.0 | 86.8 | 0.1 (2.0) | 1.14 | 7 levels × 3, r = 2, Growing, 1 octave |
//! | two exponentials | 64 | 100.0 (100.0) | 100.0 | 98.0 (99.8) | 97.0 (99.7) | 0.2 | 100.0 | 90.0 | 0.0 (1.0) | 1.34 | 5 levels × 3, r = 0.5, Normal, 1 octave |
//! | Morse | 64 | 98.0 (99.8) | 100.0 | 97.0 (99.7) | 92.0 (99.3) | 0.2 | 99.0 | 79.8 | 0.1 (2.0) | 1.58 | 9 levels × 3, r = 0.5, Normal, 1 octave |
//! | quartic | 64 | 100.0 (100.0) | 100.0 | 96.0 (99.2) | 93.0 (99.0) | 0.3 | 100.0 | 63.0 | 0.0 (0.0) | 1.58 | 5 levels × 3, r = 0.5, Normal, 1 octave |
//! | power 1.5, 1:4 | 64 | 95.0 (99.1) | 99.0 | 91.0 (98.4) | 92.0 (98.2) | 0.3 | 96.0 | 88.5 | 1.8 (7.0) | 1.20 | 12 levels × 1, r = 2, Normal, 1 octave |
//! | the XOR curve | 64 | 100.0 (100.0) | 100.0 | 95.0 (99.4) | 96.0 (99.1) | 0.2 | 98.0 | 97.5 | 0.0 (1.0) | 1.19 | 5 levels × 3, r = 0.5, Normal, 0.5 octaves |
//! | slow fall, then a wall | 64 | 42.0 (94.5) | 98.0 | 95.9 (99.4) | 87.0 (99.0) | 0.7 | 100.0 | 20.5 | 6.2 (10.0) | 2.73 | 41 levels × 10, r = 0.5, Normal, 0.5 octaves |
//! | cusp | 64 | 98.0 (99.9) | 98.0 | 4.4 (53.9) | 11.1 (61.1) | 9.3 | 24.0 | 2.5 | 9.2 (55.0) | 1.25 | 5 levels × 3, r = 0.5, Normal, 1 octave |
//! | edge | 64 | 100.0 (100.0) | 100.0 | 96.0 (99.3) | 96.0 (99.1) | 0.7 | 99.0 | 0.0 | 0.0 (0.0) | 0.62 | 5 levels × 3, r = 0.5, Normal, 1 octave |
//! | flat | 27 | 100.0 (100.0) | 97.0 | 89.0 (99.0) | 94.9 (98.7) | 0.0 | 100.0 | 0.0 | 0.0 (0.0) | – | 5 levels × 3, r = 2, Normal, 1 octave |
//! | two dips | 64 | 43.0 (71.3) | 43.0 | 96.0 (99.6) | 93.9 (99.2) | 0.0 | 97.0 | 0.0 | 4.3 (4.0) | 0.62 | 13 levels × 10, r = 20, Normal, seeds, 1 octave |
//!
//! A place is missed more often than promised where a wall is hidden in the noise, and a value at a
//! cusp, since nothing bounds a curve between two levels that is concave on both sides of them;
//! both are named in the documentation of [`optimum`]. Of two dips the curves are those around one
//! of them; where the levels show both, the verdict is `not_unimodal` and no place is given (the
//! shares count it all the same). The constants of the method (which share of α each layer gets,
//! the rule for walls) were chosen on parabolas, kinks, two exponentials, walls and edges with
//! normal noise; the other shapes, laws, grids and the seeds were not used for that.
//!
//! With 400 levels of 1000 runs, a rise of 0.003 to 0.05 standard errors and 40 experiments each,
//! the smooth curve is the headline in 70 to 82 % of parabolas, 68 to 75 % of hyperbolas, 25 to 57
//! % of XOR's curve and in none of the kinks of 1:4 in slope or curvature; what is then said covers
//! 90 to 100 % of the places in every cell (2026-11-28). Without the test of symmetry it would
//! cover 0 to 42 % of the kinks.

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
pub mod optimum;
pub mod paired;
pub mod quantile;
pub mod refined;
pub mod sequential;
pub mod smooth;
pub mod sort;

pub use descriptive::Summary;
pub use exact::ExactMoments;
pub use interval::{ConfidenceInterval, Estimate, Method};

/// What independent tools say, made by tests/fixtures/make_statistics.py.
#[cfg(test)]
fn fixture<T: serde::de::DeserializeOwned>() -> T {
    serde_json::from_str(include_str!("../../tests/fixtures/statistics.json")).unwrap()
}
