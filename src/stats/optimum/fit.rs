//! Does the curve agree with the levels? Lack of fit against the levels' own errors.
//!
//! **Definition.** F = Σ (y_i − f(x_i))² / v_i / d over the levels that the curve goes through, d being their number less
//! the trace of what turns means into the curve; under a curve that fits, F has d and ν degrees of freedom, ν those of
//! the errors (Draper and Smith 1998, 2.1; for linear smoothers approximately, Hastie and Tibshirani 1990, 3.9).
//!
//! **When it is wrong.** It has no power where a curve follows every level (d near 0): no p value is given below half a
//! degree. With one run a level the errors come from the curve itself, and there is nothing to test.

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor};

use crate::stats::optimum::Optimum;
use crate::stats::optimum::noise::{KNOWN, Noise, NoiseSource};

/// A test of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LackOfFit {
    /// Probability of residuals as large if the curve is right.
    pub p_value: f64,
    /// Degrees of freedom of the residuals: levels less what the curve takes of them.
    pub degrees_of_freedom: f64,
}

impl LackOfFit {
    /// Below this p value a curve contradicts its levels.
    pub const SIGNIFICANT: f64 = 0.05;

    /// Of `residuals` at levels with these variances of the means, from a curve that takes `trace` degrees of freedom. `None` where
    /// nothing can be tested.
    pub fn new(residuals: &[f64], variances: &[f64], trace: f64, noise: &Noise) -> Option<Self> {
        const LEAST: f64 = 0.5;
        let degrees_of_freedom = residuals.len() as f64 - trace;
        if noise.source == NoiseSource::Curve || degrees_of_freedom < LEAST {
            return None;
        }
        let squares: f64 = residuals.iter().zip(variances).map(|(residual, v)| residual * residual / v).sum();
        let p_value = if noise.degrees_of_freedom > KNOWN {
            chi_squared_tail(squares, degrees_of_freedom)
        } else {
            f_tail(squares / degrees_of_freedom, degrees_of_freedom, noise.degrees_of_freedom)
        };
        Some(Self { p_value, degrees_of_freedom })
    }

    /// Whether the curve contradicts its levels.
    pub fn is_significant(&self) -> bool {
        self.p_value < Self::SIGNIFICANT
    }
}

impl Optimum {
    /// Probability that the levels of the window deviate from one parabola by as much as they do when its right half may have a slope and a
    /// curvature of its own from `at` on, if it is one parabola: F test of these two terms. Small for a kink, and for any curve that is
    /// lopsided. `None` where there are too few levels.
    pub fn symmetry(&self, at: f64) -> Option<f64> {
        const TERMS: usize = 5;
        let window = self.window();
        let (first, last) = (self.x[*window.start()], self.x[*window.end()]);
        let (middle, scale) = ((first + last) / 2.0, (last - first) / 2.0);
        if window.clone().count() <= TERMS {
            return None;
        }
        let errors: Vec<f64> = window.clone().map(|level| self.noise.standard_error(level)).collect();
        let mut left: Vec<f64> = window.clone().zip(&errors).map(|(level, error)| self.means[level] / error).collect();
        let places: Vec<f64> = window.map(|level| (self.x[level] - middle) / scale).collect();
        let kink = (at - middle) / scale;
        let terms: [fn(f64, f64) -> f64; TERMS] = [
            |_, _| 1.0,
            |t, _| t,
            |t, _| t * t,
            |t, kink| (t - kink).max(0.0),
            |t, kink| (t - kink).max(0.0) * (t - kink).max(0.0),
        ];
        let columns: Vec<Vec<f64>> = terms
            .iter()
            .map(|term| places.iter().zip(&errors).map(|(t, error)| term(*t, kink) / error).collect())
            .collect();
        let explained = explained_in_turn(columns, &mut left);
        let statistic = explained[3..].iter().sum::<f64>() / 2.0;
        Some(f_tail(statistic, 2.0, self.noise.degrees_of_freedom.min(1e6)))
    }
}

/// The squares of `left` that each column explains beyond those before it, by the modified method of Gram and Schmidt; `left` becomes what
/// none explains.
fn explained_in_turn(mut columns: Vec<Vec<f64>>, left: &mut [f64]) -> Vec<f64> {
    const ROUNDING: f64 = 1e-10;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut explained = Vec::new();
    for at in 0..columns.len() {
        let (before, rest) = columns.split_at_mut(at);
        let column = &mut rest[0];
        let size = dot(column, column);
        for other in before.iter() {
            let share = dot(other, column);
            column.iter_mut().zip(other).for_each(|(value, other)| *value -= share * other);
        }
        let length = dot(column, column);
        if length <= ROUNDING * size {
            column.iter_mut().for_each(|value| *value = 0.0);
            explained.push(0.0);
            continue;
        }
        column.iter_mut().for_each(|value| *value /= libm::sqrt(length));
        let share = dot(column, left);
        left.iter_mut().zip(column.iter()).for_each(|(left, value)| *left -= share * value);
        explained.push(share * share);
    }
    explained
}

/// P(χ² > `statistic`).
pub(super) fn chi_squared_tail(statistic: f64, degrees_of_freedom: f64) -> f64 {
    ChiSquared::new(degrees_of_freedom).map_or(f64::NAN, |law| law.sf(statistic.max(0.0)))
}

/// P(F > `statistic`).
pub(super) fn f_tail(statistic: f64, numerator: f64, denominator: f64) -> f64 {
    FisherSnedecor::new(numerator, denominator).map_or(f64::NAN, |law| law.sf(statistic.max(0.0)))
}
