//! The arguments of the commands about single runs: `train`, `replay`, `verify`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::plan::TrainerArgs;
use crate::error::Result;
use crate::expression::evaluate;
use crate::output::DEFAULT_FOLDER;
use crate::sweep::{Draws, RunIdentity, SweepPlan};

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Standard deviation of the initial hidden weights and biases
    #[arg(long, value_name = "EXPR", default_value = "1", value_parser = evaluate)]
    pub hidden_std_dev: f64,
    /// Standard deviation of the initial output weights and bias
    #[arg(long, value_name = "EXPR", default_value = "1", value_parser = evaluate)]
    pub output_std_dev: f64,
    /// Epochs
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub epochs: u32,
    /// Step size of the gradient descent
    #[arg(long, value_name = "EXPR", default_value = "0.1", value_parser = evaluate)]
    pub learning_rate: f64,
    /// Key of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Which repetition of this level, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub replicate: u32,
    /// Use the random numbers of a paired sweep
    #[arg(long)]
    pub paired: bool,
    /// Mean loss below which the network counts as solved
    #[arg(long, value_name = "EXPR", default_value = "0.1", value_parser = evaluate)]
    pub solved_below: f64,
    /// Start from the parameters in this file instead of random ones
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["hidden_std_dev", "output_std_dev", "seed", "replicate", "paired"])]
    pub init: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    pub format: TrainFormat,
}

impl TrainArgs {
    /// The one run that was asked for.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for settings that mean nothing.
    pub fn identity(&self) -> Result<RunIdentity> {
        let plan = SweepPlan {
            hidden_std_dev: vec![self.hidden_std_dev],
            output_std_dev: vec![self.output_std_dev],
            learning_rate: vec![self.learning_rate],
            epochs: vec![self.epochs],
            runs: u32::MAX,
            seed: self.seed,
            draws: Draws::of(self.paired),
            solved_below: self.solved_below,
        };
        Ok(plan.validated()?.run(u64::from(self.replicate)))
    }
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// CSV or Parquet file that the trainer wrote
    #[arg(value_name = "FILE")]
    pub source: PathBuf,
    /// Row to train again, from 1, the header not counted
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub row: u64,
    /// Choose the run by its hidden_std_dev instead
    #[arg(long, value_name = "EXPR", value_parser = evaluate, conflicts_with = "row")]
    pub level: Option<f64>,
    /// Which repetition of that level, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "level")]
    pub replicate: u32,
    /// Folder for the figure
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    pub out: PathBuf,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// CSV or Parquet file that the trainer wrote
    #[arg(value_name = "FILE")]
    pub source: PathBuf,
    /// Rows to train again
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub sample: u64,
    /// Key of the choice of rows
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How runs are trained.
    #[command(flatten)]
    pub trainer: TrainerArgs,
}

/// Forms of the output of `train`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TrainFormat {
    /// The loss every 500 epochs, then the predictions.
    Text,
    /// Losses, predictions and final parameters, every digit.
    Json,
}
