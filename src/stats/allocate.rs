//! Where should the next runs go?
//!
//! **Definition.** Every strategy names a share of each level; runs are whole, so that shares are rounded by largest
//! remainder and add up to the budget exactly.
//!
//! - [`Strategy::Uniform`]: as many runs at every level.
//! - [`Strategy::RelativeError`]: the new runs in proportion to SE / |mean|, the relative error of measurement.
//! - [`Strategy::Neyman`]: runs in proportion to the standard deviation of a run (Neyman 1934), which gives the least sum
//!   of squared errors of all means.
//! - [`Strategy::Ocba`]: optimal computing budget allocation (Chen, Lin, Yücesan and Chick 2000, theorem 1). With δ_i the
//!   distance of level i's mean to the least, b the level that has it, N_i : N_j = (s_i / δ_i)² : (s_j / δ_j)² and
//!   N_b = s_b √Σ (N_i / s_i)². It maximises the probability that the level with the least mean is the best one.
//!
//! All but the second share out the runs in all, old and new. A level with more than its share keeps what it has, and the rest is
//! shared among the others, as Chen's program and R's SPOT do.
//!
//! **Why not** OCBA for the place of a minimum between levels: it separates neighbours, which is the harder question the
//! finer the levels. For that there is [`crate::stats::refined`].
//!
//! **When it is wrong.** The means and variances are taken as known: with fewer than some 30 runs a level, luck steers. A level whose
//! variance is unknown counts as the most variable one, so that it is measured.
//!
//! **Cost.** O(levels²) at worst.

/// How to share out runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The same everywhere.
    Uniform,
    /// By SE / |mean|.
    RelativeError,
    /// By standard deviation.
    Neyman,
    /// For the best level.
    Ocba,
}

/// What is known of a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Runs it has.
    pub n: u64,
    /// Mean of the metric; not looked at without runs.
    pub mean: f64,
    /// Variance of one run, if known.
    pub variance: Option<f64>,
}

/// How many of `budget` new runs each of `levels` gets: as many numbers as levels, which add up to `budget` (to 0 without
/// levels).
///
/// # Examples
/// ```
/// use initsweep::stats::allocate::{Known, Strategy, allocate};
/// let known = |n, variance| Known { n, mean: 1.0, variance: Some(variance) };
/// assert_eq!(allocate(&[known(10, 1.0), known(10, 9.0)], Strategy::Neyman, 20), [0, 20]);
/// ```
pub fn allocate(levels: &[Known], strategy: Strategy, budget: u64) -> Vec<u64> {
    let variances = variances(levels);
    let weights = match strategy {
        Strategy::Uniform => vec![1.0; levels.len()],
        Strategy::Neyman => variances.iter().map(|variance| libm::sqrt(*variance)).collect(),
        Strategy::Ocba => ocba(levels, &variances),
        Strategy::RelativeError => return shared(&relative_errors(levels, &variances), budget),
    };
    to_shares(&levels.iter().map(|level| level.n).collect::<Vec<_>>(), &weights, budget)
}

/// `budget` new runs such that those in all, old (`have`) and new, are in proportion to `weights`, as nearly as can be.
pub fn to_shares(have: &[u64], weights: &[f64], budget: u64) -> Vec<u64> {
    let have: Vec<f64> = have.iter().map(|n| *n as f64).collect();
    rounded(&above(&have, weights, budget as f64), budget)
}

/// `budget` in proportion to `weights`, by largest remainder; evenly if all are 0.
pub fn shared(weights: &[f64], budget: u64) -> Vec<u64> {
    to_shares(&vec![0; weights.len()], weights, budget)
}

/// Variances with the unknown ones replaced by the greatest known; 1 if none is known or all are 0.
fn variances(levels: &[Known]) -> Vec<f64> {
    let known = levels.iter().filter_map(|level| level.variance).filter(|variance| variance.is_finite());
    let greatest = known.fold(0.0, f64::max);
    let or_greatest = |level: &Known| level.variance.filter(|v| v.is_finite()).unwrap_or(greatest);
    if greatest > 0.0 { levels.iter().map(or_greatest).collect() } else { vec![1.0; levels.len()] }
}

/// SE / |mean| of each level; a level without runs has the error of a single run at the mean of the others.
fn relative_errors(levels: &[Known], variances: &[f64]) -> Vec<f64> {
    let typical = levels.iter().filter(|level| level.n > 0).map(|level| level.mean.abs()).fold(0.0, f64::max);
    let error = |(level, variance): (&Known, &f64)| {
        let size = if level.n > 0 && level.mean != 0.0 { level.mean.abs() } else { typical };
        libm::sqrt(variance / level.n.max(1) as f64) / if size > 0.0 { size } else { 1.0 }
    };
    levels.iter().zip(variances).map(error).collect()
}

/// The ratios of Chen's theorem 1, scaled to a greatest of 1. A level without runs counts as near as the nearest.
fn ocba(levels: &[Known], variances: &[f64]) -> Vec<f64> {
    /// Means closer than this share of their distance to the farthest count as this close: equals would take everything.
    const CLOSEST: f64 = 1e-6;
    let measured = |i: &usize| levels[*i].n > 0;
    let Some(best) = (0..levels.len()).filter(measured).min_by(|a, b| levels[*a].mean.total_cmp(&levels[*b].mean))
    else {
        return vec![1.0; levels.len()];
    };
    let distance = |i: usize| levels[i].mean - levels[best].mean;
    let farthest = (0..levels.len()).filter(measured).map(distance).fold(0.0, f64::max);
    if farthest == 0.0 {
        return vec![1.0; levels.len()];
    }
    let closest = CLOSEST * farthest;
    let nearest =
        (0..levels.len()).filter(|i| *i != best && measured(i)).map(distance).fold(farthest, f64::min).max(closest);
    let mut weights: Vec<f64> = (0..levels.len())
        .map(|i| {
            let distance = if measured(&i) { distance(i).max(closest) } else { nearest };
            variances[i] / (distance * distance)
        })
        .collect();
    let squares = |i: usize| if variances[i] > 0.0 { weights[i] * weights[i] / variances[i] } else { 0.0 };
    let sum: f64 = (0..levels.len()).filter(|i| *i != best).map(squares).sum();
    weights[best] = libm::sqrt(variances[best] * sum);
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    if greatest > 0.0 {
        weights.iter_mut().for_each(|weight| *weight /= greatest);
    }
    weights
}

/// What each level lacks of its share of all runs, old and new: never negative, `budget` in all.
fn above(have: &[f64], weights: &[f64], budget: f64) -> Vec<f64> {
    let mut open: Vec<usize> = (0..have.len()).collect();
    loop {
        let total = budget + open.iter().map(|i| have[*i]).sum::<f64>();
        let weight: f64 = open.iter().map(|i| weights[*i]).sum();
        let share = |i: usize| if weight > 0.0 { total * weights[i] / weight } else { total / open.len() as f64 };
        let lacking: Vec<usize> = open.iter().copied().filter(|i| share(*i) >= have[*i]).collect();
        if lacking.len() == open.len() || lacking.is_empty() {
            let mut adds = vec![0.0; have.len()];
            open.iter().for_each(|i| adds[*i] = (share(*i) - have[*i]).max(0.0));
            return adds;
        }
        open = lacking;
    }
}

/// Whole numbers near `shares` that add up to `budget`, by largest remainder; of equal remainders the first.
fn rounded(shares: &[f64], budget: u64) -> Vec<u64> {
    if shares.is_empty() {
        return Vec::new();
    }
    let total: f64 = shares.iter().sum();
    // The shares add up to the budget but for rounding; beyond 2⁵³ runs that would matter.
    let scaled: Vec<f64> =
        shares.iter().map(|share| if total > 0.0 { share * budget as f64 / total } else { 0.0 }).collect();
    let mut whole: Vec<u64> = scaled.iter().map(|share| libm::floor(*share) as u64).collect();
    let mut places: Vec<usize> = (0..shares.len()).collect();
    places.sort_by(|a, b| (scaled[*b] - libm::floor(scaled[*b])).total_cmp(&(scaled[*a] - libm::floor(scaled[*a]))));
    let mut given: u64 = whole.iter().sum();
    for place in places.iter().cycle() {
        match given.cmp(&budget) {
            std::cmp::Ordering::Equal => break,
            std::cmp::Ordering::Less => {
                whole[*place] += 1;
                given += 1;
            }
            std::cmp::Ordering::Greater if whole[*place] > 0 => {
                whole[*place] -= 1;
                given -= 1;
            }
            std::cmp::Ordering::Greater => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    const ALL: [Strategy; 4] = [Strategy::Uniform, Strategy::RelativeError, Strategy::Neyman, Strategy::Ocba];

    fn known(n: u64, mean: f64, variance: f64) -> Known {
        Known { n, mean, variance: Some(variance) }
    }

    /// The example of `OCBA` in R's package SPOT, which is that of Chen's C program.
    #[test]
    fn ocba_gives_the_published_answer() {
        let levels =
            [known(12, 1.2, 3.3), known(6, 2.1, 2.0), known(5, 3.4, 4.5), known(5, 4.87, 5.3), known(4, 6.05, 6.9)];
        let adds = allocate(&levels, Strategy::Ocba, 100);
        for (ours, theirs) in adds.iter().zip([48u64, 38, 11, 2, 1]) {
            // Their rounding differs: they cut off and give the rest to the best.
            assert!(ours.abs_diff(theirs) <= 1, "{adds:?}");
        }
        assert_eq!(adds.iter().sum::<u64>(), 100);
    }

    #[test]
    fn shares_by_hand() {
        // 30 runs in all, 10 each.
        let levels = [known(4, 1.0, 1.0), known(6, 1.0, 4.0), known(0, 0.0, 1.0)];
        assert_eq!(allocate(&levels, Strategy::Uniform, 20), [6, 4, 10]);
        // s = 1, 2, 1: totals 7.5, 15, 7.5; of the equal remainders 3.5, 9, 7.5 the first is rounded up.
        assert_eq!(allocate(&levels, Strategy::Neyman, 20), [4, 9, 7]);
        // SE/mean = 0.5 and 0.25 · 2: errors 1/√4/1 = 0.5 and 2/√16/2 = 0.25.
        let levels = [known(4, 1.0, 1.0), known(16, -2.0, 4.0)];
        assert_eq!(allocate(&levels, Strategy::RelativeError, 30), [20, 10]);
        // A level with more than its share of 10 keeps its 25; the others share the other 15 to 7 and 8.
        let levels = [known(25, 1.0, 1.0), known(2, 1.0, 1.0), known(3, 1.0, 1.0)];
        assert_eq!(allocate(&levels, Strategy::Uniform, 10), [0, 6, 4]);
    }

    #[test]
    fn what_is_unknown_is_measured() {
        let unknown = Known { n: 0, mean: f64::NAN, variance: None };
        for strategy in ALL {
            let adds = allocate(&[known(50, 2.0, 1.0), unknown, known(50, 3.0, 1.0)], strategy, 30);
            assert!(adds[1] >= 10 && adds.iter().sum::<u64>() == 30, "{strategy:?} {adds:?}");
            assert_eq!(allocate(&[unknown; 3], strategy, 6), [2, 2, 2]);
            assert_eq!(allocate(&[known(9, 0.0, 0.0); 2], strategy, 3), [2, 1]);
            assert!(allocate(&[], strategy, 5).is_empty());
        }
    }

    #[test]
    fn equal_means_share_what_the_best_need() {
        let adds = allocate(&[known(10, 1.0, 1.0), known(10, 1.0, 1.0), known(10, 5.0, 1.0)], Strategy::Ocba, 100);
        assert_eq!((adds[0] + adds[1], adds[2]), (100, 0));
        assert!(adds[0].abs_diff(adds[1]) <= 1);
    }

    proptest! {
        #[test]
        fn every_run_is_given_out(
            levels in prop::collection::vec((0u64..1000, -10f64..10.0, 0f64..100.0), 1..30),
            budget in 0u64..100_000,
        ) {
            let levels: Vec<Known> = levels.into_iter().map(|(n, mean, variance)| known(n, mean, variance)).collect();
            for strategy in ALL {
                prop_assert_eq!(allocate(&levels, strategy, budget).iter().sum::<u64>(), budget);
            }
        }

        #[test]
        fn more_budget_takes_from_no_level(
            levels in prop::collection::vec((0u64..1000, -10f64..10.0, 0.01f64..100.0), 1..30),
            budget in 0u64..10_000,
            more in 0u64..10_000,
        ) {
            let levels: Vec<Known> = levels.into_iter().map(|(n, mean, variance)| known(n, mean, variance)).collect();
            for strategy in ALL {
                let (few, many) = (allocate(&levels, strategy, budget), allocate(&levels, strategy, budget + more));
                // Largest remainders may take one run back (the Alabama paradox), never more.
                prop_assert!(few.iter().zip(&many).all(|(a, b)| *b + 1 >= *a), "{:?}", strategy);
            }
        }

        #[test]
        fn a_more_variable_level_gets_no_less(
            levels in prop::collection::vec(0.01f64..100.0, 2..20),
            budget in 0u64..10_000,
        ) {
            let levels: Vec<Known> = levels.into_iter().map(|variance| known(10, 1.0, variance)).collect();
            for strategy in [Strategy::Neyman, Strategy::RelativeError] {
                let adds = allocate(&levels, strategy, budget);
                for (a, b) in (0..levels.len()).flat_map(|a| (0..levels.len()).map(move |b| (a, b))) {
                    if levels[a].variance > levels[b].variance {
                        prop_assert!(adds[a] + 1 >= adds[b]);
                    }
                }
            }
        }
    }
}
