//! Between which two levels does the optimum lie, if the curve has one dip?
//!
//! **Definition.** For every gap k between neighbouring levels, D_k is the least weighted sum of
//! squares Σ (y_i − μ_i)² / v_i over all μ that fall up to level k and rise from level k + 1 on:
//! two isotonic regressions by pool-adjacent-violators (Barlow, Bartholomew, Bremner and Brunk
//! 1972). A gap is kept if D_k is at most the 1 − α quantile of D_k when all true means are equal,
//! which is the least favourable case (Robertson, Wright and Dykstra 1988, ch. 2), divided by χ²_ν
//! / ν where the variance was estimated. The bracket reaches from the left end of the first gap
//! kept to the right end of the last. The true gap survives with probability 1 − α, however many
//! gaps there are, so that no correction for their number is needed.
//!
//! **Why not** the levels whose intervals overlap that of the best, nor the confidence set of the
//! best ([`crate::stats::best`]): both ignore the order of the levels, so that their runs lend each
//! other nothing.
//!
//! **Assumption**: one dip, nearly normal means. If even the least D_k is too large, the levels
//! contradict a single dip.
//!
//! **Cost.** O(levels) a draw for all gaps together; 4000 draws for up to 50 levels, fewer beyond.

use rayon::prelude::*;

use crate::random::Stream;
use crate::stats::optimum::SEED;
use crate::stats::optimum::noise::Noise;

/// Marks the use of the seed.
const PURPOSE: u32 = 0x6272_636b;

/// The gaps that may hold the optimum. Gap k lies between levels k and k + 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Bracket {
    /// The level at its lower end.
    pub first: usize,
    /// The level at its upper end.
    pub last: usize,
    /// Whether a curve with one dip fits the levels.
    pub is_unimodal: bool,
}

impl Bracket {
    /// Of at least two levels, ascending in x; the true gap is lost with probability `alpha`.
    pub fn new(means: &[f64], noise: &Noise, alpha: f64) -> Self {
        let precisions: Vec<f64> = noise.variances.iter().map(|variance| 1.0 / variance).collect();
        let misfits = misfits(means, &precisions);
        let draws = null_draws(&precisions, noise.degrees_of_freedom, alpha);
        let is_kept: Vec<bool> = (0..misfits.len())
            .into_par_iter()
            .map(|gap| misfits[gap] <= critical_value(&draws, gap, misfits[gap], alpha))
            .collect();
        let least = (0..misfits.len()).min_by(|a, b| misfits[*a].total_cmp(&misfits[*b])).unwrap_or(0);
        let kept: Vec<usize> = (0..misfits.len()).filter(|gap| *gap == least || is_kept[*gap]).collect();
        Self {
            first: kept.first().copied().unwrap_or(0),
            last: kept.last().copied().unwrap_or(0) + 1,
            is_unimodal: is_kept.contains(&true),
        }
    }
}

/// D_k of every gap.
pub(super) fn misfits(means: &[f64], precisions: &[f64]) -> Vec<f64> {
    let falling = falling_misfits(means.iter().copied().zip(precisions.iter().copied()));
    let rising = falling_misfits(means.iter().copied().zip(precisions.iter().copied()).rev());
    let levels = means.len();
    (0..levels - 1).map(|gap| falling[gap + 1] + rising[levels - 1 - gap]).collect()
}

/// Levels that share one fitted value.
#[derive(Clone, Copy)]
struct Block {
    mean: f64,
    precision: f64,
    squares: f64,
}

/// Entry k: the squares that the best falling fit of the first k levels leaves.
fn falling_misfits(levels: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let (mut blocks, mut total, mut misfits) = (Vec::<Block>::new(), 0.0, vec![0.0]);
    for (mean, precision) in levels {
        let mut block = Block { mean, precision, squares: 0.0 };
        while let Some(before) = blocks.pop_if(|before| before.mean <= block.mean) {
            let (step, sum) = (before.mean - block.mean, before.precision + block.precision);
            total -= before.squares;
            block = Block {
                mean: (before.mean * before.precision + block.mean * block.precision) / sum,
                precision: sum,
                squares: before.squares + block.squares + step * step * before.precision * block.precision / sum,
            };
        }
        total += block.squares;
        blocks.push(block);
        misfits.push(total);
    }
    misfits
}

/// D_k of every gap in many experiments in which all true means are equal.
pub(super) fn null_draws(precisions: &[f64], degrees_of_freedom: f64, alpha: f64) -> Vec<Vec<f64>> {
    const OPERATIONS: usize = 200_000;
    // The quantile should have ten draws above it.
    let least = (10.0 / alpha) as usize;
    let count = (OPERATIONS / precisions.len()).clamp(1000, 4000).max(least.min(20_000));
    let errors: Vec<f64> = precisions.iter().map(|precision| 1.0 / libm::sqrt(*precision)).collect();
    let draw = |number: usize| {
        let mut stream = Stream::new(SEED, PURPOSE, number as u64);
        let normals = stream.normals(errors.len());
        let means: Vec<f64> = errors.iter().zip(normals).map(|(error, normal)| error * normal).collect();
        let scale = stream.variance_ratio(degrees_of_freedom);
        misfits(&means, precisions).into_iter().map(|misfit| misfit / scale).collect()
    };
    (0..count).into_par_iter().map(draw).collect()
}

/// The 1 − `alpha` quantile of the draws' D at `gap`, by the next higher order statistic; 0 where
/// `misfit` is beyond all of them.
pub(super) fn critical_value(draws: &[Vec<f64>], gap: usize, misfit: f64, alpha: f64) -> f64 {
    let mut values: Vec<f64> = draws.iter().map(|draw| draw[gap]).collect();
    if values.iter().all(|value| *value < misfit) {
        return 0.0;
    }
    let at = libm::ceil((values.len() as f64 - 1.0) * (1.0 - alpha)) as usize;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::optimum::noise::NoiseSource;

    fn noise(levels: usize, error: f64) -> Noise {
        let variances = vec![error * error; levels];
        Noise { variances, degrees_of_freedom: 1e9, source: NoiseSource::Runs, shared: 0.0 }
    }

    #[test]
    fn misfits_by_hand() {
        // 3 1 2 0 4: falling up to the second level leaves nothing, up to the third the pair 1, 2
        // is pooled (½); rising from there: 2 0 4 pools 2 and 0 (2), 0 4 nothing.
        let found = misfits(&[3.0, 1.0, 2.0, 0.0, 4.0], &[1.0; 5]);
        assert_eq!(found.len(), 4);
        // Gap 0: 3 | 1 2 0 4 pools 1 2 0 into 1: 0 + 1 + 1.
        assert!((found[0] - 2.0).abs() < 1e-12 && (found[1] - 2.0).abs() < 1e-12, "{found:?}");
        assert!((found[2] - 0.5).abs() < 1e-12 && (found[3] - 0.5).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_clear_dip_is_bracketed_by_its_neighbours() {
        let bracket = Bracket::new(&[9.0, 4.0, 1.0, 0.0, 1.0, 4.0], &noise(6, 0.01), 0.01);
        assert_eq!((bracket.first, bracket.last, bracket.is_unimodal), (2, 4, true));
        let falling = Bracket::new(&[5.0, 4.0, 3.0, 2.0], &noise(4, 0.01), 0.01);
        assert_eq!((falling.first, falling.last), (2, 3));
    }

    #[test]
    fn equal_levels_exclude_nothing_and_two_dips_are_seen() {
        let flat = Bracket::new(&[1.0; 7], &noise(7, 0.1), 0.01);
        assert_eq!((flat.first, flat.last, flat.is_unimodal), (0, 6, true));
        assert!(!Bracket::new(&[5.0, 1.0, 5.0, 1.2, 5.0], &noise(5, 0.1), 0.01).is_unimodal);
    }
}
