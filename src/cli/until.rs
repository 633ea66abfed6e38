//! Where runs go, and when there are enough: the arguments of `plan`, and those of `sweep` and
//! `run` that begin with `--until`.

use std::time::Duration;

use clap::Args;

use crate::analysis::{AxisScale, Margin};
use crate::cli::analyse::AnalysisArgs;
use crate::cli::source::SourceArgs;
use crate::cli::value::{confidence, duration, margin, share};
use crate::expression::evaluate;
use crate::planning::Strategy;
use crate::stats::sequential::Goal;
use crate::sweep::Reference;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct AllocateArgs {
    /// What is known.
    #[command(flatten)]
    pub known: SourceArgs,
    /// Runs to share out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 53))]
    pub budget: u64,
    /// How to share them out
    #[arg(long, value_enum, default_value = "minimum")]
    pub strategy: Strategy,
    /// What to analyse.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub format: PlanFormat,
}

/// Forms of the output of `plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PlanFormat {
    /// Aligned columns for the terminal.
    Table,
    /// Every digit.
    Json,
}

/// When there are enough runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Until a question is answered")]
pub struct UntilArgs {
    /// Go on in rounds until this holds: 'minimum<=2%', 'se<=0.5%' or 'reference NAME decided'
    #[arg(long, value_name = "GOAL", value_parser = Goal::parse, conflicts_with_all = ["runs", "shard"], long_help = "Go on in rounds (run, analyse, share out the next runs) until this holds:\n  minimum<=2%             the interval of the minimum's place is that narrow: half its width, as a share of the place\n  se<=0.5%                the standard error of every level is that small a share of its mean\n  reference NAME decided  the verdict on that reference is not 'undecided'\nThe intervals make up for looking after every round")]
    pub until: Option<Goal>,
    /// How runs are shared out [default: relative-error for se, else minimum, which implies
    /// --paired]
    #[arg(long, value_enum, requires = "until")]
    pub strategy: Option<Strategy>,
    /// Stop at so many runs, if the goal is not reached before
    #[arg(long, value_name = "N", requires = "until", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_runs: Option<u64>,
    /// Stop after this time: 90, 90s, 5m or 2h
    #[arg(long, value_name = "TIME", requires = "until", value_parser = duration)]
    pub max_time: Option<Duration>,
}

impl UntilArgs {
    /// How runs are shared out.
    pub fn strategy(&self) -> Strategy {
        let usual = match self.until {
            Some(Goal::StandardError { .. }) => Strategy::RelativeError,
            _ => Strategy::Minimum,
        };
        self.strategy.unwrap_or(usual)
    }

    /// Whether the runs have to be paired.
    pub fn is_paired(&self) -> bool {
        self.until.is_some() && self.strategy() == Strategy::Minimum
    }
}

/// What `sweep --until` asks of its runs; `run` has the arguments of the report for that.
#[derive(Debug, Args)]
#[command(next_help_heading = "Until a question is answered")]
pub struct QuestionArgs {
    /// Named level to compare with the minimum; may be repeated. There are Xavier=1/sqrt(2) and 1
    /// for hidden_std_dev
    #[arg(long, value_name = "NAME=EXPR", requires = "until", value_parser = |text: &str| Reference::parse(text))]
    pub reference: Vec<Reference>,
    /// Whether the least or the greatest mean is the best [default: min]
    #[arg(long, value_enum, value_name = "GOAL", requires = "until")]
    pub goal: Option<crate::analysis::Goal>,
    /// Difference that does not matter: a share of the best value such as 1%, or a number in the
    /// metric's unit such as 0.02 [default: 1%]
    #[arg(long, value_name = "MARGIN", requires = "until", value_parser = margin)]
    pub margin: Option<Margin>,
    /// Coverage of the intervals, however often they are looked at
    #[arg(long, value_name = "LEVEL", default_value = "95%", requires = "until", value_parser = confidence)]
    pub confidence: f64,
    /// How the levels lie on the axis of the fit
    #[arg(long, value_enum, default_value = "auto", requires = "until")]
    pub x_scale: AxisScale,
    /// Greatest share of failed runs at a level that may be the best, such as 10% [default: 0; any
    /// with --failed-as]
    #[arg(long, value_name = "SHARE", requires = "until", value_parser = share)]
    pub max_failed: Option<f64>,
    /// Count each failed run, one that diverged, with this loss; without it a failed run has none
    #[arg(long, value_name = "EXPR", requires = "until", allow_hyphen_values = true, value_parser = evaluate)]
    pub failed_as: Option<f64>,
}
