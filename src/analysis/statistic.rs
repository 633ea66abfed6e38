//! What stands for a level: the mean of the metric, its median, a trimmed mean, or the share of
//! solved runs.

use clap::ValueEnum;
use serde::Serialize;

use crate::analysis::goal::Goal;
use crate::analysis::groups::{Group, TRIMMED};
use crate::stats::Estimate;
use crate::stats::centre::Centre;
use crate::stats::compare::Measured;

/// What stands for a level when levels are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The mean of the metric.
    #[default]
    Mean,
    /// The median of the metric.
    Median,
    /// The mean without the least and the greatest tenth.
    Trimmed,
    /// The share of runs that solved the task; unless told otherwise, the greatest is the best.
    SolvedShare,
}

impl Statistic {
    /// As it stands in a sentence, before or without the metric's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Trimmed => "trimmed mean",
            Self::SolvedShare => "share of solved runs",
        }
    }

    /// The same with the metric: `median loss`, `share of solved runs`.
    pub fn of(self, metric: &str) -> String {
        if self == Self::SolvedShare { self.name().into() } else { format!("{} {metric}", self.name()) }
    }

    /// Which of its values is the best, unless told otherwise.
    pub fn usual_goal(self) -> Goal {
        if self == Self::SolvedShare { Goal::Max } else { Goal::Min }
    }

    /// Its value at a level with error and interval; nothing where it is not known.
    pub fn at(self, group: &Group) -> Option<Estimate> {
        match self {
            Self::Mean => Some(group.summary.mean),
            Self::Median => group.median,
            Self::Trimmed => group.trimmed_mean,
            Self::SolvedShare => group.solved_share().copied(),
        }
    }

    /// The same with degrees of freedom.
    pub fn measured(self, group: &Group) -> Option<Measured> {
        let Estimate { point, standard_error, .. } = self.at(group)?;
        let n = self.runs(group) as f64;
        let left_out = if self == Self::Trimmed { 2.0 * (TRIMMED * n).floor() } else { 0.0 };
        Some(Measured { point, standard_error, freedom: n - left_out - 1.0 })
    }

    /// The runs behind its value at a level: a median has a place for failed runs too.
    pub fn runs(self, group: &Group) -> u64 {
        if self == Self::Median { group.failures.runs } else { group.summary.n }
    }

    /// What is taken of the runs' values; the share is the mean of ones and zeros.
    pub(super) fn centre(self) -> Centre {
        match self {
            Self::Mean | Self::SolvedShare => Centre::Mean,
            Self::Median => Centre::Median,
            Self::Trimmed => Centre::Trimmed { cut: TRIMMED },
        }
    }
}
