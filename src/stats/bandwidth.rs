//! How smooth is the curve of the level means?
//!
//! **Definition.** Of a geometric grid of bandwidths, from four level distances or an eighth of the range (the greater) to three
//! times the range, each has the corrected criterion of Akaike (Hurvich, Simonoff and Tsai 1998),
//! c = ln(mean weighted square residual) + 1 + 2 (tr + 1) / (n − tr − 2), tr being the trace of the hat matrix. The curves are
//! averaged with Akaike's weights exp(−n c / 2) (Buckland, Burnham and Augustin 1997; Burnham and Anderson 2002, 4.2), n being the
//! number of levels.
//! Each weight goes to the next narrower bandwidth, by a factor of 1.4: the criterion balances bias against noise for the curve, but
//! an interval knows only the noise, so that the bias must be made small against it (Hall 1992).
//!
//! **Why averaged** and not the one of the least criterion: its choice jumps with the noise. In the simulation of
//! `benches/coverage.rs` the averaged curve's minimum scatters by a fifth less for a parabola, and a tenth less for 400 runs a level of
//! the XOR mixture; and the bootstrap, which makes every choice again with noise twice, then covers 96 instead of 98 %.
//! Why not leave-one-out or generalised cross-validation: both undersmooth often in small samples. Why not a plug-in rule
//! (Ruppert, Sheather and Wand 1995): it estimates derivatives that need a bandwidth again. Why not the mean of the
//! replicates' minima (Efron 2014): it scatters less still, but it is the minimum of no curve, and of two dips it is neither.
//!
//! **When it is wrong.** With six levels or fewer the criterion has no room, and the widest is taken, nearly one parabola
//! through all. Dips narrower than a tenth of the range are smoothed away. The weights are uncertain themselves; the bootstrap
//! therefore computes them again in every replicate.
//!
//! **Cost.** O(levels²) a bandwidth once, then a product of at most 100 rows with the means a choice.

use rayon::prelude::*;

use crate::stats::smooth::{LevelMean, Minimum, Row, Smoother, lowest};

/// The candidates, with all that does not depend on the means.
#[derive(Debug, Clone)]
pub struct Bandwidths {
    candidates: Vec<Candidate>,
}

/// One bandwidth's curve.
#[derive(Debug, Clone)]
pub struct Candidate {
    smoother: Smoother,
    /// The criterion without the residuals; absent where there is no room for one.
    penalty: Option<f64>,
    /// Rows of the hat matrix at the levels looked at.
    fits: Vec<Fit>,
}

#[derive(Debug, Clone)]
struct Fit {
    place: usize,
    weight: f64,
    row: Row,
}

impl Candidate {
    /// For one bandwidth.
    pub fn new(smoother: Smoother) -> Self {
        /// Beyond this many levels every k-th is looked at.
        const LOOKED_AT: usize = 100;
        let levels = smoother.levels();
        let fit = |place: usize| {
            let (x, weight) = smoother.level(place);
            Fit { place, weight, row: smoother.row(x) }
        };
        let fits: Vec<Fit> = (0..levels).step_by(levels.div_ceil(LOOKED_AT)).map(fit).collect();
        let own: f64 = fits.iter().map(|fit| fit.row.weights[fit.place - fit.row.first]).sum();
        let trace = own * levels as f64 / fits.len() as f64;
        let room = levels as f64 - trace - 2.0;
        // Half a level of room is none: the criterion's pole is not a minimum.
        let penalty = (room > 0.5).then(|| 1.0 + 2.0 * (trace + 1.0) / room);
        Self { smoother, penalty, fits }
    }

    /// The criterion for `means`, smaller being better; nothing where the curve has about as many parameters as there are levels.
    pub fn aicc(&self, means: &[f64]) -> Option<f64> {
        let square = |fit: &Fit| {
            let residual = means[fit.place] - fit.row.apply(means);
            fit.weight * residual * residual
        };
        let squares: f64 = self.fits.iter().map(square).sum();
        Some(libm::log(squares / self.fits.len() as f64) + self.penalty?)
    }
}

impl Bandwidths {
    /// The candidates for `levels`, ascending in x. Nothing for fewer than three levels.
    pub fn new(levels: &[LevelMean]) -> Option<Self> {
        const CANDIDATES: u32 = 10;
        let range = levels.last()?.x - levels.first()?.x;
        let (narrowest, widest) = ((4.0 * range / levels.len() as f64).max(range / 8.0), 3.0 * range);
        let step = libm::pow(widest / narrowest, 1.0 / f64::from(CANDIDATES - 1));
        let candidates = (0..CANDIDATES)
            .into_par_iter()
            .map(|i| Some(Candidate::new(Smoother::new(levels, narrowest * libm::pow(step, f64::from(i)))?)))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { candidates })
    }

    /// The weight of each bandwidth's curve for `means`; their sum is 1.
    pub fn weights(&self, means: &[f64]) -> Vec<f64> {
        /// Steps of the grid below the criterion's own bandwidth.
        const NARROWER: usize = 1;
        /// Smaller weights are not worth their curve.
        const NEGLIGIBLE: f64 = 1e-3;
        let mut weights = vec![0.0; self.candidates.len()];
        let criteria: Vec<Option<f64>> = self.candidates.iter().map(|candidate| candidate.aicc(means)).collect();
        let Some(least) = criteria.iter().flatten().copied().min_by(f64::total_cmp) else {
            weights[self.candidates.len() - 1] = 1.0;
            return weights;
        };
        for (place, candidate) in self.candidates.iter().enumerate() {
            // Equal ones may both be −∞.
            let weight =
                |c: f64| if c == least { 1.0 } else { libm::exp(candidate.fits.len() as f64 * (least - c) / 2.0) };
            weights[place.saturating_sub(NARROWER)] += criteria[place].map_or(0.0, weight);
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight = if *weight < NEGLIGIBLE * total { 0.0 } else { *weight });
        let kept: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= kept);
        weights
    }

    /// The averaged curve for `means`.
    pub fn averaged(&self, means: &[f64]) -> Averaged {
        let parts = self.weights(means).into_iter().zip(&self.candidates).filter(|(weight, _)| *weight > 0.0);
        Averaged { parts: parts.map(|(weight, candidate)| (weight, candidate.smoother.clone())).collect() }
    }

    /// The same with every bandwidth a step narrower.
    pub fn narrower(&self, means: &[f64]) -> Averaged {
        let weights = self.weights(means);
        let part = |(place, weight): (usize, f64)| (weight, self.candidates[place.saturating_sub(1)].smoother.clone());
        Averaged { parts: weights.into_iter().enumerate().filter(|(_, w)| *w > 0.0).map(part).collect() }
    }

    /// Every bandwidth's curve at the places of a grid.
    pub fn gridded(&self) -> Gridded<'_> {
        let grid = self.candidates.first().map_or_else(Vec::new, |candidate| candidate.smoother.grid());
        let rows = |candidate: &Candidate| grid.iter().map(|at| candidate.smoother.row(*at)).collect();
        Gridded { rows: self.candidates.par_iter().map(rows).collect(), grid, bandwidths: self }
    }
}

/// Curves of several bandwidths with their weights, averaged: linear in the means as each of them is.
#[derive(Debug, Clone, PartialEq)]
pub struct Averaged {
    parts: Vec<(f64, Smoother)>,
}

impl Averaged {
    /// The weights of the curve's value at `at`.
    pub fn row(&self, at: f64) -> Row {
        let rows: Vec<(f64, Row)> = self.parts.iter().map(|(weight, smoother)| (*weight, smoother.row(at))).collect();
        Row::sum(&rows.iter().map(|(weight, row)| (*weight, row)).collect::<Vec<_>>())
    }

    /// The mean bandwidth, in units of x.
    pub fn bandwidth(&self) -> f64 {
        self.parts.iter().map(|(weight, smoother)| weight * smoother.bandwidth()).sum()
    }

    /// The lowest place of the curve through `means` between the first level and the last.
    pub fn minimum(&self, means: &[f64]) -> Minimum {
        let grid = self.parts.first().map_or_else(Vec::new, |(_, smoother)| smoother.grid());
        let values: Vec<f64> = grid.iter().map(|at| self.row(*at).apply(means)).collect();
        lowest(&grid, &values)
    }
}

/// The same for many draws of the means, whose weights differ.
#[derive(Debug)]
pub struct Gridded<'a> {
    bandwidths: &'a Bandwidths,
    grid: Vec<f64>,
    rows: Vec<Vec<Row>>,
}

impl Gridded<'_> {
    /// The lowest place of the averaged curve through `means`.
    pub fn minimum(&self, means: &[f64]) -> Minimum {
        let mut values = vec![0.0; self.grid.len()];
        for (weight, rows) in self.bandwidths.weights(means).iter().zip(&self.rows).filter(|(weight, _)| **weight > 0.0)
        {
            values.iter_mut().zip(rows).for_each(|(value, row)| *value += weight * row.apply(means));
        }
        lowest(&self.grid, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Fixture {
        smooth: Smooth,
    }

    #[derive(serde::Deserialize)]
    struct Smooth {
        x: Vec<f64>,
        mean: Vec<f64>,
        standard_error: Vec<f64>,
        aicc: Vec<Criterion>,
    }

    #[derive(serde::Deserialize)]
    struct Criterion {
        bandwidth: f64,
        aicc: f64,
    }

    #[test]
    fn the_criterion_equals_numpy() {
        let data = crate::stats::fixture::<Fixture>().smooth;
        let level = |i: usize| LevelMean {
            x: data.x[i],
            mean: data.mean[i],
            variance: data.standard_error[i] * data.standard_error[i],
            n: 1.0,
            freedom: 1e9,
        };
        let levels: Vec<LevelMean> = (0..data.x.len()).map(level).collect();
        for criterion in data.aicc {
            let ours = Candidate::new(Smoother::new(&levels, criterion.bandwidth).unwrap()).aicc(&data.mean).unwrap();
            // Condition of the normal equations, as for the fits.
            assert!((ours - criterion.aicc).abs() < 1e-9, "{ours} {}", criterion.aicc);
        }
    }

    #[test]
    fn few_levels_still_have_a_curve() {
        let levels = |n: usize| -> Vec<LevelMean> {
            let mean = |x: f64| (x - 1.0) * (x - 1.0);
            (0..n)
                .map(|i| LevelMean { x: i as f64, mean: mean(i as f64), variance: 1.0, n: 1.0, freedom: 9.0 })
                .collect()
        };
        assert!(Bandwidths::new(&levels(2)).is_none());
        for n in 3..8 {
            let levels = levels(n);
            let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
            let minimum = Bandwidths::new(&levels).unwrap().averaged(&means).minimum(&means);
            assert!((minimum.x - 1.0).abs() < 1e-6, "{n} {minimum:?}");
        }
    }

    #[test]
    fn a_wave_asks_for_less_than_a_line() {
        let x = |i: usize| i as f64 / 40.0;
        let level = |i: usize| LevelMean { x: x(i), mean: 0.0, variance: 1.0, n: 1.0, freedom: 9.0 };
        let levels: Vec<LevelMean> = (0..41).map(level).collect();
        let curves = Bandwidths::new(&levels).unwrap();
        let rough = |i: usize| if i.is_multiple_of(2) { 0.05 } else { -0.05 };
        let wave: Vec<f64> = (0..41).map(|i| (x(i) * 12.0).sin() + rough(i)).collect();
        let line: Vec<f64> = (0..41).map(|i| x(i) + rough(i)).collect();
        assert!(curves.averaged(&wave).bandwidth() < 0.5 && curves.averaged(&line).bandwidth() > 0.8);
    }
}
