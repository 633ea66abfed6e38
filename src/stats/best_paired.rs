//! Which levels may be the best, where the runs are paired?
//!
//! **Definition.** As [`crate::stats::best`]: level i is left out if T_i = max_j (m_i − m_j) / s_ij is significantly large. Here s_ij is the
//! standard error of the paired difference, which common luck makes much smaller, and the noises of the levels are
//! correlated, so that the distribution of the maximum has no closed form. It is simulated by the multiplier bootstrap
//! (Chernozhukov, Chetverikov and Kato 2013): every replicate's deviations from the level means are multiplied by one standard normal for
//! all levels and averaged, which has exactly the observed covariance. T is first turned into the normal deviate of equal tail
//! at n − 1 degrees of freedom.
//! P(best) is the share of draws in which m_i + noise_i is the least.
//!
//! Why not resampling: it gives the same distribution at several times the cost, and ties for few replicates.
//! **When it is wrong.** Fewer than some 20 replicates; replicates that are not independent.
//!
//! **Cost.** O(levels² replicates) once and O(levels² + levels · replicates) a draw, spread over threads.

use rayon::prelude::*;

use crate::random::Stream;
use crate::stats::best::Candidate;
use crate::stats::bootstrap::Plan;
use crate::stats::interval::normal_equivalent;

/// Marks the use of the seed.
const PURPOSE: u32 = 0x7061_6972;

/// The candidates, one a level. `values` are per level those of the common replicates, in the same order
/// ([`crate::stats::paired::common_replicates`]). Nothing for fewer than two replicates or no level.
///
/// # Panics
/// If the levels' numbers of replicates differ.
pub fn candidates_paired(values: &[Vec<f64>], plan: &Plan) -> Option<Vec<Candidate>> {
    let n = values.first().map(Vec::len).filter(|n| *n > 1)?;
    assert!(values.iter().all(|level| level.len() == n), "common replicates");
    let means: Vec<f64> = values.iter().map(|level| level.iter().sum::<f64>() / n as f64).collect();
    let deviations: Vec<Vec<f64>> =
        values.iter().zip(&means).map(|(level, mean)| level.iter().map(|x| x - mean).collect()).collect();
    let precisions: Vec<Vec<f64>> =
        deviations.par_iter().map(|a| deviations.iter().map(|b| 1.0 / standard_error(a, b)).collect()).collect();
    let observed: Vec<f64> = (0..means.len())
        .map(|i| {
            let t = worst(i, &means, &precisions[i]);
            // Levels that never differ have no T; they are equally good.
            if t.is_finite() { libm::copysign(normal_equivalent(t.abs(), n as f64 - 1.0), t) } else { t }
        })
        .collect();
    let draw = |b: u32| {
        let mut stream = Stream::new(plan.seed, PURPOSE, u64::from(b));
        let factors: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        // Deviations from an estimated mean vary by (n − 1)/n too little.
        let scale = 1.0 / libm::sqrt(n as f64 * (n as f64 - 1.0));
        let noise: Vec<f64> = deviations
            .iter()
            .map(|level| scale * level.iter().zip(&factors).map(|(d, g)| d * g).sum::<f64>())
            .collect();
        let exceeds = (0..means.len()).map(|i| worst(i, &noise, &precisions[i]) >= observed[i]).collect();
        let least = (0..means.len()).min_by(|a, b| (means[*a] + noise[*a]).total_cmp(&(means[*b] + noise[*b])));
        Draw { exceeds, least: least.unwrap_or(0) }
    };
    let draws: Vec<Draw> = (0..plan.replicates).into_par_iter().map(draw).collect();
    let candidate = |i: usize| {
        // Counting the data themselves keeps the level exact (Davison and Hinkley 1997, 4.2).
        let share = |count: usize, extra: usize| (count + extra) as f64 / (draws.len() + extra) as f64;
        let p_value = share(draws.iter().filter(|draw| draw.exceeds[i]).count(), 1);
        let probability = share(draws.iter().filter(|draw| draw.least == i).count(), 0);
        Candidate { p_value, in_set: p_value > 1.0 - plan.confidence, probability }
    };
    Some((0..means.len()).map(candidate).collect())
}

struct Draw {
    exceeds: Vec<bool>,
    least: usize,
}

/// Of the mean of a − b, from deviations.
fn standard_error(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    libm::sqrt(a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / (n * (n - 1.0)))
}

/// max_j (m_i − m_j) / s_ij over the other levels. Of levels that always differ by the same amount the higher is infinitely worse.
fn worst(i: usize, means: &[f64], precisions: &[f64]) -> f64 {
    let t = |j: usize| {
        let difference = means[i] - means[j];
        if difference == 0.0 { 0.0 } else { difference * precisions[j] }
    };
    (0..means.len()).filter(|j| *j != i).map(t).fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { seed: 6, replicates: 2000, confidence: 0.95 };

    /// Levels with these true means, luck of 10 common to all and noise of 1 of their own.
    fn paired(means: &[f64], replicates: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(seed, 0, 0);
        let luck: Vec<f64> = (0..replicates).map(|_| 10.0 * stream.normal()).collect();
        means.iter().map(|mean| luck.iter().map(|luck| mean + luck + stream.normal()).collect()).collect()
    }

    #[test]
    fn common_luck_does_not_hide_the_best() {
        // 0.8 is 5.7 paired errors (√(2/100) = 0.14), and half an unpaired one.
        let found = candidates_paired(&paired(&[5.0, 5.8, 5.8], 100, 1), &PLAN).unwrap();
        assert_eq!(found.iter().map(|c| c.in_set).collect::<Vec<_>>(), [true, false, false]);
        assert!(found[0].probability > 0.99);
    }

    #[test]
    fn two_levels_are_a_paired_t_test() {
        let values = paired(&[5.0, 5.2], 60, 2);
        let found = candidates_paired(&values, &Plan { replicates: 20_000, ..PLAN }).unwrap();
        let test = crate::stats::compare::paired(&values[0], &values[1], 0.95).unwrap();
        // One-sided; four standard errors of a share of 20,000.
        let expected = if test.estimate.point > 0.0 { test.p_value / 2.0 } else { 1.0 - test.p_value / 2.0 };
        assert!((found[1].p_value - expected).abs() < 4.0 * 0.5 / 20_000f64.sqrt(), "{found:?} {expected}");
    }

    #[test]
    fn the_true_best_stays_in_the_set() {
        const REPEATS: u64 = 200;
        let plan = Plan { replicates: 500, ..PLAN };
        // The hardest case: all equal, so that the first is as good as any.
        let kept =
            (0..REPEATS).filter(|seed| candidates_paired(&paired(&[5.0; 8], 40, *seed), &plan).unwrap()[0].in_set);
        // 95 % of 200 less four standard errors of 1.54 %.
        assert!(kept.count() as f64 >= 0.888 * REPEATS as f64);
    }

    #[test]
    fn without_noise_there_is_no_doubt() {
        let found = candidates_paired(&[vec![1.0, 2.0], vec![2.0, 3.0], vec![1.0, 2.0]], &PLAN).unwrap();
        assert_eq!(found.iter().map(|c| c.in_set).collect::<Vec<_>>(), [true, false, true]);
        assert!(candidates_paired(&[vec![1.0]], &PLAN).is_none() && candidates_paired(&[], &PLAN).is_none());
    }
}
