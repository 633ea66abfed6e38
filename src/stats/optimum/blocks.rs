//! The same seeds at every level: what is left of the noise once each seed's own luck is taken out?
//!
//! **Definition.** Run of level i in block b: y = μ_i + β_b + ε, by least squares over all runs that share their block with another
//! level (intra-block analysis; Yates 1940, Searle 1987, ch. 4). Blocks need not be complete: what a missing run would have
//! said is made up for by the others of its block. Differences of the μ_i are free of the blocks' luck; their errors follow from the
//! variance of ε and from C = diag(n_i) − Σ_b n_ib n_jb / k_b, whose generalised inverse gives their covariances. A level whose
//! runs scatter far more than most counts for less, so that the noise at a wall does not enter the seeds' luck.
//!
//! **Whether it is worth it** is tested: F of the blocks' mean square over that of ε. Blocks that were not asked for are used
//! only where they explain something (5 %).
//!
//! **Why not** the mean of the differences of common blocks ([`crate::stats::paired`]): with five seeds it would leave out each seed that one
//! level lacks. That one knows how the correlation changes with the distance of two levels, and needs some 20 replicates.
//!
//! **When it is wrong.** If lucky seeds are lucky at some levels only, ε keeps what differs; the differences stay honest, being larger.
//!
//! **Cost.** O(runs) a sweep of the alternating least squares, of which few are needed where blocks are nearly complete, and an
//! eigenproblem of the levels' number where blocks are incomplete. The sweeps end at 20 million visits of a run.

use std::collections::BTreeMap;

use crate::stats::interval::student_t_quantile;
use crate::stats::optimum::eigen::Eigen;
use crate::stats::optimum::fit::f_tail;
use crate::stats::optimum::noise::{Noise, NoiseSource};
use crate::stats::quantile::quantile;

/// A run that belongs to a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockRun {
    /// Key of the block.
    pub block: u64,
    /// The metric.
    pub value: f64,
}

/// Level means without the blocks' luck.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockFit {
    /// One a level: what its mean would be with every block at it.
    pub means: Vec<f64>,
    /// Their errors. The blocks' own luck is the shared part.
    pub noise: Noise,
    /// Number of blocks that more than one level has.
    pub blocks: usize,
    /// Of them, those that every level has.
    pub complete: usize,
    /// 1 − variance of ε / variance of independent runs. Negative where the blocks explain nothing.
    pub variance_reduction: f64,
    /// Probability of as much if blocks meant nothing.
    pub p_value: f64,
    /// Runs that are in no block, or in one of a single level, and are left out.
    pub left_out: usize,
}

/// The runs as a table of levels and blocks.
struct Design {
    /// (level, block, value) in a fixed order.
    runs: Vec<(usize, usize, f64)>,
    /// Weight of a run, per level.
    weights: Vec<f64>,
    blocks: usize,
}

impl BlockFit {
    /// Of the runs at each of at least two levels; the key `u64::MAX` is no block. `None` if blocks do not tie all levels together, or leave fewer
    /// than three degrees of freedom.
    pub fn new(levels: &[Vec<BlockRun>]) -> Option<Self> {
        let design = Design::new(levels)?;
        let all: usize = levels.iter().map(Vec::len).sum();
        let (means, effects) = design.solved();
        let degrees = design.runs.len() as f64 - means.len() as f64 - design.blocks as f64 + 1.0;
        if degrees < 3.0 {
            return None;
        }
        let weighted = |of: &dyn Fn(usize, usize, f64) -> f64| -> f64 {
            design.runs.iter().map(|(level, block, value)| design.weights[*level] * of(*level, *block, *value)).sum()
        };
        let squares = weighted(&|level, block, value| {
            let left = value - means[level] - effects[block];
            left * left
        });
        let plain = design.level_means();
        let independent = weighted(&|level, _, value| (value - plain[level]) * (value - plain[level]));
        let variance = squares / degrees;
        let alone = independent / (design.runs.len() - means.len()) as f64;
        let explained = (independent - squares).max(0.0) / (design.blocks as f64 - 1.0);
        let count = design.blocks as f64;
        let average = effects.iter().sum::<f64>() / count;
        let spread = effects.iter().map(|effect| (effect - average) * (effect - average)).sum::<f64>() / (count - 1.0);
        let variances = design.variances(variance);
        let shared = spread / count * inflation(count, degrees);
        let noise = Noise { variances, degrees_of_freedom: degrees, source: NoiseSource::Pooled, shared };
        let positive = noise.variances.iter().all(|variance| *variance > 0.0 && variance.is_finite());
        positive.then(|| Self {
            noise,
            blocks: design.blocks,
            complete: design.complete(means.len()),
            variance_reduction: 1.0 - variance / alone,
            p_value: f_tail(explained / variance, count - 1.0, degrees),
            left_out: all - design.runs.len(),
            means,
        })
    }

    /// Whether the blocks explain part of the noise.
    pub fn is_worth_it(&self) -> bool {
        const SIGNIFICANT: f64 = 0.05;
        self.p_value < SIGNIFICANT && self.variance_reduction > 0.0
    }
}

impl Design {
    fn new(levels: &[Vec<BlockRun>]) -> Option<Self> {
        let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (level, runs) in levels.iter().enumerate() {
            for run in runs.iter().filter(|run| run.block != u64::MAX) {
                places.entry(run.block).or_default().push(level);
            }
        }
        places.retain(|_, levels| levels.iter().any(|level| *level != levels[0]));
        let numbers: BTreeMap<u64, usize> = places.keys().copied().zip(0..).collect();
        let mut runs: Vec<(usize, usize, f64)> = levels
            .iter()
            .enumerate()
            .flat_map(|(level, runs)| runs.iter().map(move |run| (level, run)))
            .filter_map(|(level, run)| Some((level, *numbers.get(&run.block)?, run.value)))
            .collect();
        runs.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        let is_tied = ties_all(levels.len(), places.values());
        let weights = weights(levels);
        (numbers.len() > 1 && is_tied).then_some(Self { runs, weights, blocks: numbers.len() })
    }

    fn level_means(&self) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.weights.len()];
        for (level, _, value) in &self.runs {
            sums[*level].0 += value;
            sums[*level].1 += 1.0;
        }
        sums.into_iter().map(|(sum, n)| sum / n).collect()
    }

    /// Means of the levels and effects of the blocks, which average to 0 over the runs: each in turn, given the other, until nothing moves.
    fn solved(&self) -> (Vec<f64>, Vec<f64>) {
        /// Fewest rounds that are granted.
        const ROUNDS: usize = 500;
        /// Visits of a run that are granted: where blocks tie none but neighbours, the rounds grow with the levels' number squared.
        const VISITS: usize = 20_000_000;
        const ROUNDING: f64 = 1e-13;
        let rounds = (VISITS / self.runs.len()).max(ROUNDS);
        let (mut means, mut effects) = (self.level_means(), vec![0.0; self.blocks]);
        let scale = means.iter().map(|mean| mean.abs()).fold(f64::MIN_POSITIVE, f64::max);
        for _ in 0..rounds {
            let mut sums = vec![(0.0, 0.0); self.blocks];
            for (level, block, value) in &self.runs {
                sums[*block].0 += self.weights[*level] * (value - means[*level]);
                sums[*block].1 += self.weights[*level];
            }
            effects = sums.into_iter().map(|(sum, weight)| sum / weight).collect();
            let average = effects.iter().sum::<f64>() / self.blocks as f64;
            effects.iter_mut().for_each(|effect| *effect -= average);
            let mut sums = vec![(0.0, 0.0); means.len()];
            for (level, block, value) in &self.runs {
                sums[*level].0 += value - effects[*block];
                sums[*level].1 += 1.0;
            }
            let moved: Vec<f64> = sums.into_iter().map(|(sum, n)| sum / n).collect();
            let step = moved.iter().zip(&means).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            means = moved;
            if step <= ROUNDING * scale {
                break;
            }
        }
        (means, effects)
    }

    /// Variance of each mean such that the variances of two add up to that of their difference: exact for complete blocks, and for others right on
    /// average over the other levels.
    fn variances(&self, variance: f64) -> Vec<f64> {
        /// More levels than this would cost seconds; of so many none has much weight in any block.
        const MOST: usize = 60;
        let levels = self.weights.len();
        let is_even = self.weights.iter().all(|weight| *weight == 1.0) && self.runs.len() == levels * self.blocks;
        if levels > MOST || is_even && self.complete(levels) == self.blocks {
            let mut runs = vec![0.0; levels];
            self.runs.iter().for_each(|(level, ..)| runs[*level] += 1.0);
            return runs.iter().zip(&self.weights).map(|(n, weight)| variance / (weight * n)).collect();
        }
        let mut counts = vec![vec![0.0; levels]; self.blocks];
        for (level, block, _) in &self.runs {
            counts[*block][*level] += self.weights[*level];
        }
        let mut rows = vec![vec![0.0; levels]; levels];
        for block in &counts {
            let size: f64 = block.iter().sum();
            for (i, a) in block.iter().enumerate().filter(|(_, a)| **a > 0.0) {
                rows[i][i] += a;
                for (j, b) in block.iter().enumerate() {
                    rows[i][j] -= a * b / size;
                }
            }
        }
        let Eigen { values, vectors } = Eigen::new(rows);
        let greatest = values.iter().copied().fold(0.0, f64::max);
        let inverse = |i: usize, j: usize| -> f64 {
            let kept = values.iter().zip(&vectors).filter(|(value, _)| **value > 1e-10 * greatest);
            kept.map(|(value, vector)| vector[i] * vector[j] / value).sum()
        };
        let total: f64 = (0..levels).map(|i| inverse(i, i)).sum();
        let count = levels as f64;
        // Σ_{j≠i} Var(μ_i − μ_j) = L c_ii + T, with T the trace; the v whose sums agree with these. Two levels share theirs.
        let own = |i: usize| {
            if levels == 2 { total } else { (count * inverse(i, i) - total / (count - 1.0)) / (count - 2.0) }
        };
        // Very uneven designs must not leave less than a tenth of the average.
        let least = 0.1 * total / (count - 1.0);
        (0..levels).map(|i| variance * own(i).max(least)).collect()
    }

    /// Blocks that every level has.
    fn complete(&self, levels: usize) -> usize {
        let mut seen = vec![std::collections::BTreeSet::new(); self.blocks];
        self.runs.iter().for_each(|(level, block, _)| {
            seen[*block].insert(*level);
        });
        seen.iter().filter(|places| places.len() == levels).count()
    }
}

/// What a variance of `blocks` blocks is multiplied by, so that its root times the quantile for `degrees`, those of ε, is right at 95 %: the
/// blocks are few.
pub(super) fn inflation(blocks: f64, degrees: f64) -> f64 {
    let ratio = student_t_quantile(0.95, blocks - 1.0) / student_t_quantile(0.95, degrees);
    ratio * ratio
}

/// Whether the blocks, each given by its levels, tie all levels together.
fn ties_all<'a>(levels: usize, blocks: impl Iterator<Item = &'a Vec<usize>>) -> bool {
    let mut root: Vec<usize> = (0..levels).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    for block in blocks {
        for level in block {
            let (a, b) = (find(&mut root, block[0]), find(&mut root, *level));
            root[a] = b;
        }
    }
    (0..levels).all(|level| find(&mut root, level) == find(&mut root, 0))
}

/// Per level the weight of a run: less where runs scatter more than twice as much as at half of the levels.
fn weights(levels: &[Vec<BlockRun>]) -> Vec<f64> {
    const FAR: f64 = 4.0;
    let variance = |runs: &Vec<BlockRun>| {
        let n = runs.len() as f64;
        let mean = runs.iter().map(|run| run.value).sum::<f64>() / n;
        runs.iter().map(|run| (run.value - mean) * (run.value - mean)).sum::<f64>() / (n - 1.0).max(1.0)
    };
    let variances: Vec<f64> = levels.iter().map(variance).collect();
    let mut sorted = variances.clone();
    sorted.sort_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5);
    variances.iter().map(|v| if *v > FAR * median && median > 0.0 { median / v } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn runs(values: &[&[f64]]) -> Vec<Vec<BlockRun>> {
        let level = |values: &&[f64]| {
            (0..)
                .zip(*values)
                .filter(|(_, v)| !v.is_nan())
                .map(|(block, value)| BlockRun { block, value: *value })
                .collect()
        };
        values.iter().map(level).collect()
    }

    #[test]
    fn complete_blocks_are_the_two_way_analysis_of_variance() {
        // Worked by hand: levels' means 2, 4, 9; blocks' effects −2, 0, 2; residuals 0 but for ±1 in two rows and columns.
        let fit = BlockFit::new(&runs(&[&[1.0, 1.0, 4.0], &[1.0, 5.0, 6.0], &[7.0, 9.0, 11.0]])).unwrap();
        assert!(fit.means.iter().zip([2.0, 4.0, 9.0]).all(|(a, b)| (a - b).abs() < 1e-12));
        // Four squares of 1 over (3 − 1)(3 − 1) degrees of freedom; a mean of three blocks.
        assert_eq!(fit.noise.degrees_of_freedom, 4.0);
        assert!(fit.noise.variances.iter().all(|v| (v - 1.0 / 3.0).abs() < 1e-12), "{:?}", fit.noise.variances);
        assert_eq!((fit.blocks, fit.complete, fit.left_out), (3, 3, 0));
        // SS blocks 24 over 2, against 1.
        assert!((fit.p_value - 0.0204).abs() < 1e-3, "{}", fit.p_value);
    }

    #[test]
    fn a_missing_run_is_made_up_for() {
        let nan = f64::NAN;
        // Additive without noise but for one run: the lucky block is missing at the second level.
        let fit =
            BlockFit::new(&runs(&[&[0.0, 10.0, 5.0, 5.001], &[nan, 12.0, 7.0, 7.0], &[4.0, 14.0, 9.0, 9.0]])).unwrap();
        assert!((fit.means[1] - fit.means[0] - 2.0).abs() < 1e-3 && (fit.means[2] - fit.means[1] - 2.0).abs() < 1e-3);
        assert!(fit.variance_reduction > 0.99 && fit.is_worth_it());
    }

    #[test]
    fn errors_of_differences_are_those_of_repeated_experiments() {
        const REPEATS: u64 = 2000;
        let missing = [(0, 3), (2, 1), (3, 0), (1, 4)];
        let (mut squares, mut stated, mut worth) = (0.0, 0.0, 0);
        for seed in 0..REPEATS {
            let mut stream = Stream::new(seed, 9, 0);
            let luck: Vec<f64> = (0..6).map(|_| 3.0 * stream.normal()).collect();
            let level = |level: usize, stream: &mut Stream| -> Vec<BlockRun> {
                let run = |block: usize| BlockRun { block: block as u64, value: luck[block] + stream.normal() };
                (0..6).map(run).filter(|run| !missing.contains(&(level, run.block as usize))).collect()
            };
            let levels: Vec<Vec<BlockRun>> = (0..4).map(|i| level(i, &mut stream)).collect();
            let fit = BlockFit::new(&levels).unwrap();
            squares += (fit.means[0] - fit.means[2]).powi(2);
            stated += fit.noise.variances[0] + fit.noise.variances[2];
            worth += u64::from(fit.is_worth_it());
        }
        // A mean of 2000 squares is known to 3 %; three of these, and the approximation for incomplete blocks.
        assert!((squares / stated - 1.0).abs() < 0.12, "{}", squares / stated);
        assert!(worth > REPEATS * 95 / 100, "{worth}");
    }

    #[test]
    fn what_is_no_design_is_refused() {
        let apart = [vec![BlockRun { block: 1, value: 1.0 }; 3], vec![BlockRun { block: 2, value: 1.0 }; 3]];
        assert!(BlockFit::new(&apart).is_none());
        let none = vec![vec![BlockRun { block: u64::MAX, value: 1.0 }; 3]; 3];
        assert!(BlockFit::new(&none).is_none());
    }
}
