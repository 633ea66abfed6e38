//! In which basins did the runs end, and does the mean hide that?
//!
//! **The basins of XOR.** A network that learns XOR solves it or stays at a plateau where it cannot
//! tell patterns apart: with two merged its mean loss per pattern and epoch is ln 2 / 2 = 0.3466,
//! with three (2 ln 1.5 + ln 3) / 4 = 0.4774, with all four ln 2 = 0.6931. A level's losses are
//! therefore a mixture; its mean ± error describes hardly any run.
//!
//! **From the final loss**, the sure way: solved below 0.1; `between` up to 0.30, on the way at the
//! last epoch; then the nearest plateau (cuts half way, at 0.412 and 0.585). **From the total
//! loss**, where the final one is not stored: total / epochs, cut in the valleys of the
//! distribution at 0.33, 0.445 and 0.59; a stuck run lies at its plateau or just above, from its
//! first epochs. A run that was stuck for half of its time and then solved is indistinguishable
//! from one at a lower plateau: of the shares of the plateaus some hundredths are such runs, and
//! the solved share is too low by as much.
//!
//! **Shares** carry Wilson intervals ([`crate::stats::compare::wilson`]); they are one at a time,
//! not simultaneous. **Mean of the solved alone**: Student's t interval. It is conditional on being
//! solved: a level with a low one may still be bad because few get there.
//!
//! **Hidden mixture.** Where solved and stuck runs each make up 5 % or more, mean ± SE hides two
//! kinds of run. For a metric without basins: a normal sample has 38 % of its values within half a
//! standard deviation of the mean, a uniform one 29 %, an exponential one 38 %; with less than 19 %
//! the mean lies in a gap. Why not a dip test (Hartigan 1985): it finds any second peak in enough
//! data, also one that leaves the mean meaningful. When it is wrong: a small second peak (below
//! some 15 %) stays unseen. Below 20 values it says nothing.
//!
//! **Cost.** O(n).

use serde::Serialize;
use std::f64::consts::LN_2;

use crate::stats::compare::{Measured, wilson};
use crate::stats::interval::{Estimate, Method};

/// Mean loss per epoch with two patterns merged.
pub const TWO_MERGED: f64 = LN_2 / 2.0;
/// Mean loss per epoch with three patterns merged: (2 ln 1.5 + ln 3) / 4.
pub const THREE_MERGED: f64 = 0.47738562622110964;
/// Mean loss per epoch with all patterns merged.
pub const ALL_MERGED: f64 = LN_2;

/// Where a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basin {
    /// The task is solved.
    Solved,
    /// Neither solved nor at a plateau.
    Between,
    /// Two patterns merged.
    TwoMerged,
    /// Three patterns merged.
    ThreeMerged,
    /// All patterns merged.
    AllMerged,
}

impl Basin {
    /// Every basin, from the lowest loss up.
    pub const ALL: [Self; 5] = [Self::Solved, Self::Between, Self::TwoMerged, Self::ThreeMerged, Self::AllMerged];
}

/// Lower ends of the basins above the solved one, in mean loss per epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuts {
    /// Solved below this.
    pub solved_below: f64,
    /// Two merged from here.
    pub two_merged: f64,
    /// Three merged from here.
    pub three_merged: f64,
    /// All merged from here.
    pub all_merged: f64,
}

impl Cuts {
    /// For the loss of the last epoch, solved below `solved_below`, such as 0.1.
    pub fn of_final_loss(solved_below: f64) -> Self {
        Self {
            solved_below,
            two_merged: 0.30,
            three_merged: (TWO_MERGED + THREE_MERGED) / 2.0,
            all_merged: (THREE_MERGED + ALL_MERGED) / 2.0,
        }
    }

    /// For the total loss divided by the epochs.
    pub const OF_MEAN_LOSS: Self = Self { solved_below: 0.33, two_merged: 0.33, three_merged: 0.445, all_merged: 0.59 };

    /// The basin of a run with this loss per epoch.
    pub fn basin(&self, loss: f64) -> Basin {
        if loss < self.solved_below {
            Basin::Solved
        } else if loss < self.two_merged {
            Basin::Between
        } else if loss < self.three_merged {
            Basin::TwoMerged
        } else if loss < self.all_merged {
            Basin::ThreeMerged
        } else {
            Basin::AllMerged
        }
    }
}

/// How many runs of a level ended in a basin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The basin.
    pub basin: Basin,
    /// Number of runs.
    pub count: u64,
    /// Their share of all, with Wilson's interval.
    pub share: Estimate,
}

/// The basins of a level's runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Basins {
    /// Number of runs.
    pub n: u64,
    /// One entry a basin, in the order of [`Basin::ALL`].
    pub shares: Vec<Share>,
    /// Mean metric of the solved runs; absent without any.
    pub solved_mean: Option<Estimate>,
    /// Whether mean ± error hides that some runs are solved and others are not.
    pub hides_mixture: bool,
}

impl Basins {
    /// Of runs with these `basins` and `metrics`, entry by entry. Nothing without runs.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn of(basins: &[Basin], metrics: &[f64], confidence: f64) -> Option<Self> {
        assert_eq!(basins.len(), metrics.len(), "one basin a run");
        let n = basins.len() as u64;
        let share = |basin: Basin| {
            let count = basins.iter().filter(|b| **b == basin).count() as u64;
            Some(Share { basin, count, share: wilson(count, n, confidence)? })
        };
        let shares = Basin::ALL.into_iter().map(share).collect::<Option<Vec<_>>>()?;
        let solved: Vec<f64> =
            basins.iter().zip(metrics).filter(|(basin, _)| **basin == Basin::Solved).map(|(_, m)| *m).collect();
        let solved_mean = Measured::mean_of(&solved).map(|mean| mean.estimate(confidence, Method::StudentT));
        let lesser = shares[0].share.point.min(1.0 - shares[0].share.point);
        Some(Self { n, shares, solved_mean, hides_mixture: lesser >= SECOND_KIND })
    }

    /// The share of solved runs.
    pub fn solved(&self) -> &Share {
        &self.shares[0]
    }
}

/// A second kind of run counts from this share on.
const SECOND_KIND: f64 = 0.05;

/// Whether the `mean` of a sorted sample lies in a gap: few values are near it.
pub fn mean_lies_in_gap(sorted: &[f64], mean: &Estimate) -> bool {
    /// Below this many values the share near the mean is too uncertain: its standard error is 0.11
    /// at 20.
    const ENOUGH: usize = 20;
    /// Half of what a normal sample has within half a standard deviation.
    const FEW: f64 = 0.191;
    let Estimate { point: mean, standard_error: Some(error), .. } = *mean else { return false };
    let n = sorted.len();
    let half = 0.5 * error * libm::sqrt(n as f64);
    let near = sorted.partition_point(|x| *x <= mean + half) - sorted.partition_point(|x| *x < mean - half);
    n >= ENOUGH && (near as f64) < FEW * n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plateaus_are_what_they_are_called() {
        assert!((THREE_MERGED - (2.0 * 1.5f64.ln() + 3f64.ln()) / 4.0).abs() < 1e-15);
        let last = Cuts::of_final_loss(0.1);
        let basins = [0.01, 0.2, TWO_MERGED, THREE_MERGED, ALL_MERGED].map(|loss| last.basin(loss));
        assert_eq!(basins, Basin::ALL);
        // A stuck run's mean loss is a little above its plateau, from the first epochs.
        for (plateau, basin) in
            [(TWO_MERGED, Basin::TwoMerged), (THREE_MERGED, Basin::ThreeMerged), (ALL_MERGED, Basin::AllMerged)]
        {
            assert_eq!(Cuts::OF_MEAN_LOSS.basin(plateau), basin);
            assert_eq!(Cuts::OF_MEAN_LOSS.basin(plateau + 0.02), basin);
        }
        assert_eq!(Cuts::OF_MEAN_LOSS.basin(0.15), Basin::Solved);
    }

    #[test]
    fn shares_by_hand() {
        use Basin::{Solved, TwoMerged};
        let basins = Basins::of(&[Solved, TwoMerged, Solved, Solved], &[5.0, 100.0, 7.0, 9.0], 0.95).unwrap();
        assert_eq!((basins.solved().count, basins.solved().share.point), (3, 0.75));
        assert_eq!(basins.shares.iter().map(|share| share.count).sum::<u64>(), 4);
        assert_eq!(basins.solved_mean.unwrap().point, 7.0);
        assert!(basins.hides_mixture);
        assert!(!Basins::of(&[Solved; 3], &[1.0; 3], 0.95).unwrap().hides_mixture);
        assert_eq!(Basins::of(&[TwoMerged], &[1.0], 0.95).unwrap().solved_mean, None);
        assert_eq!(Basins::of(&[], &[], 0.95), None);
    }

    #[test]
    fn a_gap_is_seen_and_a_single_peak_has_none() {
        let mean_lies_in_gap = |sorted: &[f64]| {
            let mean = Measured::mean_of(sorted).unwrap().estimate(0.95, Method::StudentT);
            mean_lies_in_gap(sorted, &mean)
        };
        let line: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(!mean_lies_in_gap(&line), "uniform");
        let skewed: Vec<f64> = (1..100).map(|i| -(f64::from(i) / 100.0).ln()).rev().collect();
        assert!(!mean_lies_in_gap(&skewed), "exponential");
        let two: Vec<f64> = (0..100).map(|i| f64::from(i) + if i < 70 { 0.0 } else { 1000.0 }).collect();
        assert!(mean_lies_in_gap(&two));
        assert!(!mean_lies_in_gap(&two[60..79]), "too few to say");
    }
}
