//! How smooth is the curve of the level means?
//!
//! **Definition.** Of a geometric grid of bandwidths, from four level distances or an eighth of the
//! range (the greater) to three times the range, and on to narrower ones down to four level
//! distances as long as the narrowest is the best, each has the corrected criterion of Akaike
//! (Hurvich, Simonoff and Tsai 1998), c = ln(mean weighted square residual) + 1 + 2 (tr + 1) / (n −
//! tr − 2), tr being the trace of the hat matrix. The curves are averaged with Akaike's weights
//! exp(−n c / 2) (Buckland, Burnham and Augustin 1997; Burnham and Anderson 2002, 4.2), n being the
//! number of levels. Each weight goes to the next narrower bandwidth, by a factor of 1.4: the
//! criterion balances bias against noise for the curve, but an interval knows only the noise, so
//! that the bias must be made small against it (Hall 1992).
//!
//! **Why averaged** and not the one of the least criterion: its choice jumps with the noise. In the
//! simulation of `benches/coverage.rs` the averaged curve's minimum scatters by a fifth less for a
//! parabola, and a tenth less for 400 runs a level of the XOR mixture; and the bootstrap, which
//! makes every choice again with noise twice, then covers 96 instead of 98 %. Why not leave-one-out
//! or generalised cross-validation: both undersmooth often in small samples. Why not a plug-in rule
//! (Ruppert, Sheather and Wand 1995): it estimates derivatives that need a bandwidth again. Why not
//! the mean of the replicates' minima (Efron 2014): it scatters less still, but it is the minimum
//! of no curve, and of two dips it is neither.
//!
//! **When it is wrong.** With six levels or fewer the criterion has no room, and the widest is
//! taken, nearly one parabola through all. Dips narrower than a tenth of the range are smoothed
//! away. The weights are uncertain themselves; the bootstrap therefore computes them again in every
//! replicate.
//!
//! **Cost.** O(levels in reach) a bandwidth and place once; then, a bandwidth, a product of at most
//! 100 rows with the means, of bins of neighbouring levels where there are more than 100.

use rayon::prelude::*;

use crate::stats::smooth::{LevelMean, Minimum, Row, Smoother, lowest, precisions};

/// The candidates, with all that does not depend on the means.
#[derive(Debug, Clone)]
pub struct Bandwidths {
    bins: Bins,
    candidates: Vec<Candidate>,
}

/// One bandwidth's curve.
#[derive(Debug, Clone)]
struct Candidate {
    smoother: Smoother,
    criterion: Criterion,
}

/// The criterion of one bandwidth, but for the means.
#[derive(Debug, Clone)]
struct Criterion {
    /// What does not depend on the residuals; absent where there is no room for one.
    penalty: Option<f64>,
    /// Weight of each level, and its row of the hat matrix.
    fits: Vec<(f64, Row)>,
}

impl Criterion {
    fn new(smoother: &Smoother) -> Self {
        let levels = smoother.levels();
        let fit = |(x, weight): (f64, f64)| (weight, smoother.row(x));
        let fits: Vec<(f64, Row)> = (0..levels).map(|place| fit(smoother.level(place))).collect();
        let trace: f64 = fits.iter().enumerate().map(|(place, (_, row))| row.weights[place - row.first]).sum();
        let room = levels as f64 - trace - 2.0;
        // Half a level of room is none: the criterion's pole is not a minimum.
        let penalty = (room > 0.5).then(|| 1.0 + 2.0 * (trace + 1.0) / room);
        Self { penalty, fits }
    }

    /// The criterion for each draw of `means`, smaller being better; nothing where the curve has
    /// about as many parameters as there are levels.
    fn aicc<const N: usize>(&self, means: &[[f64; N]]) -> Option<[f64; N]> {
        let penalty = self.penalty?;
        let mut squares = [0.0; N];
        for ((weight, row), means_here) in self.fits.iter().zip(means) {
            let fitted = row.apply_to_each(means);
            for draw in 0..N {
                let residual = means_here[draw] - fitted[draw];
                squares[draw] += weight * residual * residual;
            }
        }
        Some(squares.map(|squares| libm::log(squares / self.fits.len() as f64) + penalty))
    }
}

/// Neighbouring levels taken together until there are at most [`Bins::MOST`]: what a bandwidth is
/// worth shows in them as well, at a sixteenth of the cost for 400 levels.
#[derive(Debug, Clone)]
struct Bins {
    size: usize,
    /// Weight of each level within its bin.
    shares: Vec<f64>,
}

impl Bins {
    const MOST: usize = 100;

    fn new(levels: &[LevelMean]) -> Self {
        let size = levels.len().div_ceil(Self::MOST).max(1);
        let mut shares = precisions(levels);
        for bin in shares.chunks_mut(size) {
            let total: f64 = bin.iter().sum();
            bin.iter_mut().for_each(|weight| *weight /= total);
        }
        Self { size, shares }
    }

    /// The weighted mean of each bin, of every draw.
    fn of<const N: usize>(&self, draws: &[[f64; N]]) -> Vec<[f64; N]> {
        let bin = |(shares, draws): (&[f64], &[[f64; N]])| {
            std::array::from_fn(|draw| shares.iter().zip(draws).map(|(share, values)| share * values[draw]).sum())
        };
        self.shares.chunks(self.size).zip(draws.chunks(self.size)).map(bin).collect()
    }

    /// The bins as levels.
    fn levels(&self, levels: &[LevelMean]) -> Vec<LevelMean> {
        let bin = |(levels, shares): (&[LevelMean], &[f64])| {
            let sum = |of: fn(&LevelMean, f64) -> f64| {
                levels.iter().zip(shares).map(|(level, share)| of(level, *share)).sum()
            };
            let n: f64 = sum(|level, _| level.n);
            let squared_error: f64 = sum(|level, share| share * share * level.variance / level.n);
            let (x, mean) = (sum(|level, share| share * level.x), sum(|level, share| share * level.mean));
            LevelMean { x, mean, variance: n * squared_error, n, freedom: sum(|level, _| level.freedom) }
        };
        levels.chunks(self.size).zip(self.shares.chunks(self.size)).map(bin).collect()
    }
}

impl Bandwidths {
    /// The candidates for `levels`, ascending in x. Nothing for fewer than three levels.
    pub fn new(levels: &[LevelMean]) -> Option<Self> {
        const CANDIDATES: i32 = 10;
        let range = levels.last()?.x - levels.first()?.x;
        let least = 4.0 * range / levels.len() as f64;
        let (narrowest, widest) = (least.max(range / 8.0), 3.0 * range);
        let step = libm::pow(widest / narrowest, 1.0 / f64::from(CANDIDATES - 1));
        let bins = Bins::new(levels);
        let binned = bins.levels(levels);
        let bandwidth = |i: i32| narrowest * libm::pow(step, f64::from(i));
        let candidate = |i: i32| {
            let criterion = Criterion::new(&Smoother::new(&binned, bandwidth(i))?);
            Some(Candidate { smoother: Smoother::new(levels, bandwidth(i))?, criterion })
        };
        let candidates = (0..CANDIDATES).into_par_iter().map(candidate).collect::<Option<Vec<_>>>()?;
        let mut bandwidths = Self { bins, candidates };
        let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
        for i in (i32::MIN..0).rev().take_while(|i| bandwidth(*i) >= least) {
            if !bandwidths.is_narrowest_best(&means) {
                break;
            }
            bandwidths.candidates.insert(0, candidate(i)?);
        }
        Some(bandwidths)
    }

    /// Whether the criterion would have the narrowest.
    fn is_narrowest_best(&self, means: &[f64]) -> bool {
        let binned = self.bins.of(means.as_chunks().0);
        let mut criteria = self.candidates.iter().filter_map(|candidate| candidate.criterion.aicc(&binned));
        let narrowest: Option<[f64; 1]> = criteria.next();
        criteria.all(|wider| narrowest.is_some_and(|narrowest| narrowest < wider))
    }

    /// The weight of each bandwidth's curve for `means`; their sum is 1.
    pub fn weights(&self, means: &[f64]) -> Vec<f64> {
        let [weights] = self.weights_of_each(means.as_chunks().0);
        weights
    }

    /// The same for several draws of the means.
    fn weights_of_each<const N: usize>(&self, draws: &[[f64; N]]) -> [Vec<f64>; N] {
        let binned = self.bins.of(draws);
        let criteria: Vec<Option<[f64; N]>> =
            self.candidates.iter().map(|candidate| candidate.criterion.aicc(&binned)).collect();
        let own = |draw: usize| criteria.iter().map(|each| each.map(|each| each[draw])).collect::<Vec<_>>();
        std::array::from_fn(|draw| self.weights_by(&own(draw), binned.len()))
    }

    /// The weights where the candidates have these `criteria`, from so many levels.
    fn weights_by(&self, criteria: &[Option<f64>], levels: usize) -> Vec<f64> {
        /// Steps of the grid below the criterion's own bandwidth.
        const NARROWER: usize = 1;
        /// Smaller weights are not worth their curve.
        const NEGLIGIBLE: f64 = 1e-3;
        let mut weights = vec![0.0; self.candidates.len()];
        let Some(least) = criteria.iter().flatten().copied().min_by(f64::total_cmp) else {
            weights[self.candidates.len() - 1] = 1.0;
            return weights;
        };
        for (place, criterion) in criteria.iter().enumerate() {
            // Equal ones may both be −∞.
            let weight = |c: f64| if c == least { 1.0 } else { libm::exp(levels as f64 * (least - c) / 2.0) };
            weights[place.saturating_sub(NARROWER)] += criterion.map_or(0.0, weight);
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight = if *weight < NEGLIGIBLE * total { 0.0 } else { *weight });
        let kept: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= kept);
        weights
    }

    /// The averaged curve for `means`.
    pub fn averaged(&self, means: &[f64]) -> Averaged {
        self.shifted(means, 0)
    }

    /// The same with every bandwidth a step narrower.
    pub fn narrower(&self, means: &[f64]) -> Averaged {
        self.shifted(means, 1)
    }

    fn shifted(&self, means: &[f64], steps: usize) -> Averaged {
        let weights = self.weights(means).into_iter().enumerate().filter(|(_, weight)| *weight > 0.0);
        let smoother = |place: usize| self.candidates[place.saturating_sub(steps)].smoother.clone();
        Averaged { parts: weights.map(|(place, weight)| (weight, smoother(place))).collect() }
    }

    /// Every bandwidth's curve at the places of a grid.
    pub fn gridded(&self) -> Gridded<'_> {
        let grid = self.candidates.first().map_or_else(Vec::new, |candidate| candidate.smoother.grid());
        let rows = |candidate: &Candidate| grid.iter().map(|at| candidate.smoother.row(*at)).collect();
        Gridded { rows: self.candidates.par_iter().map(rows).collect(), grid, bandwidths: self }
    }
}

/// Curves of several bandwidths with their weights, averaged: linear in the means as each of them
/// is.
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
        lowest(&grid, |i| self.row(grid[i]).apply(means))
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
    /// The lowest place of the averaged curve through each draw of the means. All of them look at
    /// much the same places, so that each place is worked out for all at once.
    pub fn minima<const N: usize>(&self, draws: &[[f64; N]]) -> [Minimum; N] {
        let weights = self.bandwidths.weights_of_each(draws);
        let is_used = |(part, _): &(usize, &Vec<Row>)| weights.iter().any(|weights| weights[*part] > 0.0);
        let parts: Vec<(usize, &Vec<Row>)> = self.rows.iter().enumerate().filter(is_used).collect();
        let at = |place: usize| -> [f64; N] {
            let values: Vec<[f64; N]> = parts.iter().map(|(_, rows)| rows[place].apply_to_each(draws)).collect();
            let weighted = |draw: usize| {
                let own = parts.iter().zip(&values).map(|((part, _), values)| (weights[draw][*part], values[draw]));
                own.filter(|(weight, _)| *weight > 0.0).map(|(weight, value)| weight * value).sum()
            };
            std::array::from_fn(weighted)
        };
        let mut known: Vec<Option<[f64; N]>> = vec![None; self.grid.len()];
        std::array::from_fn(|draw| lowest(&self.grid, |place| known[place].get_or_insert_with(|| at(place))[draw]))
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
        aicc: Vec<Expected>,
    }

    #[derive(serde::Deserialize)]
    struct Expected {
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
        for expected in data.aicc {
            let ours = Criterion::new(&Smoother::new(&levels, expected.bandwidth).unwrap())
                .aicc(data.mean.as_chunks::<1>().0)
                .unwrap()[0];
            // Condition of the normal equations, as for the fits.
            assert!((ours - expected.aicc).abs() < 1e-9, "{ours} {}", expected.aicc);
        }
    }

    #[test]
    fn precise_means_are_followed_closely() {
        // Lowest at 2.5 and not symmetric, so that a wide bandwidth misses the place by its bias.
        let curve = |x: f64| {
            let bent = (x - 2.5) / (1.0 + 0.18 * (x - 2.5));
            1560.0 + 1470.0 * (libm::sqrt(1.0 + bent * bent) - 1.0)
        };
        let lowest = |std_dev: f64| {
            let mut stream = crate::random::Stream::new(5, 0, 0);
            let mut level = |i: usize| {
                let x = i as f64 * 7.0 / 399.0;
                let mean = curve(x) + std_dev * stream.normal();
                LevelMean { x, mean, variance: std_dev * std_dev, n: 1.0, freedom: 1e9 }
            };
            let levels: Vec<LevelMean> = (0..400).map(&mut level).collect();
            let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
            let bandwidths = Bandwidths::new(&levels).unwrap();
            (bandwidths.candidates.len(), bandwidths.averaged(&means).minimum(&means).x)
        };
        assert_eq!(lowest(100.0).0, 10, "noise enough for wide ones");
        let (candidates, place) = lowest(0.5);
        // With an eighth of the range, 0.009.
        assert!(candidates > 10 && (place - 2.5).abs() < 0.003, "{candidates} {place}");
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
    #[test]
    fn draws_side_by_side_are_those_alone() {
        for count in [3, 4, 7, 10, 41, 130] {
            let mut stream = crate::random::Stream::new(12, 0, count);
            let level = |x: f64| LevelMean { x, mean: (x - 1.0) * (x - 1.0), variance: 1.0, n: 5.0, freedom: 4.0 };
            let levels: Vec<LevelMean> = (0..count).map(|i| level(i as f64 / 20.0)).collect();
            let mut draw = |level: &LevelMean| std::array::from_fn(|_| level.mean + 0.1 * stream.normal());
            let draws: Vec<[f64; 4]> = levels.iter().map(&mut draw).collect();
            let bandwidths = Bandwidths::new(&levels).unwrap();
            let gridded = bandwidths.gridded();
            let alone = |draw: usize| {
                let means: Vec<[f64; 1]> = draws.iter().map(|means| [means[draw]]).collect();
                assert_eq!(bandwidths.weights(means.as_flattened()), bandwidths.weights_of_each(&draws)[draw]);
                gridded.minima(&means)[0]
            };
            assert_eq!(gridded.minima(&draws), std::array::from_fn(alone), "{count}");
        }
    }
}
