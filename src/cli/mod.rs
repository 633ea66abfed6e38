//! What the user can type.

pub mod analyse;
pub mod compare;
mod config;
pub mod document;
pub mod make;
pub mod plan;
pub mod plot;
pub mod source;
pub mod train;
pub mod until;
mod value;
pub mod watch;

use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroUsize;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub use crate::cli::analyse::{ReportArgs, StatsArgs};
pub use crate::cli::compare::CompareArgs;
pub use crate::cli::make::{CopyArgs, InitArgs, RunArgs, SweepArgs};
pub use crate::cli::plot::PlotArgs;
pub use crate::cli::train::{ReplayArgs, TrainArgs, TrainFormat, VerifyArgs};
pub use crate::cli::until::AllocateArgs;
pub use crate::cli::watch::WatchArgs;
use crate::format::printable_lines;
use crate::provenance::without_secrets;

const EXAMPLES: &str = "Examples:
  initsweep run                                    train a sweep, analyse it, write everything into output/
  initsweep report sample-data/xor-sweep.csv       analyse runs that exist
  initsweep stats runs/ --format json | jq .minimum
  initsweep report trials.csv --x dropout --y val_loss --reference default=0.5
  initsweep report mongodb://localhost --db experiment_db --collection results

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data invalid, 4 source unreachable, 130 stopped with Ctrl-C.";

/// Where along a swept setting is the loss lowest, how sure is that, and what does it look like?
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
}

impl Cli {
    /// What `typed` says, and the file that it names for `run`.
    fn with_file(mut typed: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.clone().try_get_matches_from(&typed)?;
        if let Some(("run", given)) = matches.subcommand() {
            command.build();
            let run = command.find_subcommand("run").map(|run| config::words(run, given));
            typed.extend(run.transpose()?.unwrap_or_default().into_iter().map(Into::into));
        }
        Self::try_parse_from(typed)
    }

    /// A commented file for `run`, with every option and its default.
    pub fn template() -> String {
        let mut command = Self::command();
        command.build();
        command.find_subcommand("run").map(config::template).unwrap_or_default()
    }

    /// What the user typed; or says what is wrong with it, without passwords, and ends the process.
    pub fn parse_or_exit() -> Self {
        Self::with_file(std::env::args_os().collect()).unwrap_or_else(|e| {
            let text = e.render().to_string();
            let clean = printable_lines(&without_secrets(&text)).into_owned();
            if clean == text {
                e.exit();
            }
            // If standard error is closed there is nobody left to tell.
            let _ = std::io::stderr().write_all(clean.as_bytes());
            std::process::exit(e.exit_code())
        })
    }
}

/// What every command understands.
#[derive(Debug, Args)]
pub struct Global {
    /// Print nothing but errors and what was asked for
    #[arg(long, short, global = true, display_order = 100)]
    pub quiet: bool,
    /// Use this many threads [default: one per core]
    #[arg(long, global = true, value_name = "N", display_order = 101)]
    pub threads: Option<NonZeroUsize>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a fresh sweep and report on it: `sweep`, then `report`
    #[command(after_help = "Examples:
  initsweep run
  initsweep run --runs 5000 --seed 7 --out my-sweep
  initsweep run sweep.toml --out my-sweep
  initsweep run --hidden-std-dev lin:0.4:0.8:41 --error-bars ci
  initsweep run --until 'minimum<=2%'")]
    Run(RunArgs),
    /// Write a commented TOML file that describes a sweep, for `run`
    #[command(after_help = "Examples:
  initsweep init
  initsweep init narrow.toml && initsweep run narrow.toml --runs 5000")]
    Init(InitArgs),
    /// Train the runs of a sweep and store them
    #[command(after_help = "Examples:
  initsweep sweep --to runs.csv
  initsweep sweep --to runs.parquet --hidden-std-dev 0.5,1/sqrt(2),1 --runs 10000
  initsweep sweep --to rates.csv --sweep learning_rate=log:0.01:1:40 --hidden-std-dev 0.6
  initsweep sweep --to grid.parquet --sweep hidden_std_dev=0.5,1 --sweep output_std_dev=lin:0.2:1:9
  initsweep sweep --to mongodb://localhost --collection xor
  initsweep sweep --to parts/2.csv --shard 2/5
  initsweep sweep --to runs.csv --until 'minimum<=1%' --max-time 5m
  initsweep sweep --to runs.csv --until 'se<=0.5%' --hidden-std-dev 0.5,1/sqrt(2),1

A stopped sweep goes on where it was when the same command is run again.")]
    Sweep(SweepArgs),
    /// Analyse runs and write report, figure and tables
    #[command(after_help = "Examples:
  initsweep report sample-data/xor-sweep.csv
  initsweep report 'runs/*.parquet' --out results --error-bars sd
  initsweep report runs.csv --baseline output/summary.json --format html,md --open
  zcat runs.csv.gz | initsweep report -")]
    Report(ReportArgs),
    /// Draw figures of runs or of the trainer
    #[command(after_help = "Figures of runs:
  loss-vs-std-dev  the mean against the setting, with the minimum and the references
  distribution     how the runs of some levels are distributed (--levels)
  basins           shares of runs that solved XOR or got stuck
  precision        relative error and number of runs of each level
  heatmap          the mean at every pair of levels of two settings (--by COLUMN)
  history          how the minimum became known as runs came in
Figures of the trainer, which need no SOURCE:
  xor, sigmoid, likelihood, bce, weights (--levels), loss-curve (--levels)

Examples:
  initsweep plot sample-data/xor-sweep.csv --error-bars se --scale 3
  initsweep plot basins distribution sample-data/xor-sweep.csv --levels 0.1,0.6,5 --format svg
  initsweep plot weights --size one-column --theme dark --out figures
  initsweep plot all sample-data/xor-sweep.csv --out gallery
  initsweep plot heatmap grid.csv --x hidden_std_dev --by output_std_dev
  initsweep plot trials.csv --x lr --y val_loss --x-scale log --title 'Validation loss'")]
    Plot(PlotArgs),
    /// Print the statistics
    #[command(after_help = "Examples:
  initsweep stats sample-data/xor-sweep.csv
  initsweep stats runs/ --format json
  initsweep stats trials.csv --x width --y accuracy --goal max --format markdown")]
    Stats(StatsArgs),
    /// Keep report and figures current while runs come in, until Ctrl-C
    #[command(after_help = "Examples:
  initsweep watch runs/
  initsweep watch runs.csv --serve 8080
  initsweep watch mongodb://localhost --collection xor --out live")]
    Watch(WatchArgs),
    /// What moved between two sets of runs; exit code 1 on a stated condition
    #[command(after_help = "Examples:
  initsweep compare before.csv after.csv
  initsweep compare baseline.parquet runs/ --fail-on 'minimum moved' --fail-on 'mean +2%'
  initsweep compare a.csv b.csv --x dropout --y val_loss --reference default=0.5 --fail-on 'default worse'

The two must be independent: sweeps of the same seed share their random numbers.")]
    Compare(CompareArgs),
    /// Say where the next runs should go, and what they will tell
    #[command(after_help = "Examples:
  initsweep plan sample-data/xor-sweep.csv --budget 100000
  initsweep plan runs/ --budget 5000 --strategy ocba --format json
  initsweep plan summary.csv --budget 1000 --strategy relative-error")]
    Plan(AllocateArgs),
    /// Train one network and show how its loss falls
    #[command(after_help = "Examples:
  initsweep train
  initsweep train --hidden-std-dev 1/sqrt(2) --seed 3
  initsweep train --init start.json --format json")]
    Train(TrainArgs),
    /// Train one stored run again, compare it to the last bit, and show how it went
    #[command(after_help = "Examples:
  initsweep replay sample-data/xor-sweep.csv --row 4000
  initsweep replay runs.parquet --level 0.5 --replicate 3 --out curves")]
    Replay(ReplayArgs),
    /// Train a random sample of stored runs again; exit with 1 at the first that differs
    #[command(after_help = "Examples:
  initsweep verify sample-data/xor-sweep.csv
  initsweep verify runs.parquet --sample 100000")]
    Verify(VerifyArgs),
    /// Copy rows between CSV, Parquet and MongoDB
    #[command(after_help = "Examples:
  initsweep copy runs.csv --to runs.parquet
  initsweep copy runs.parquet --to mongodb://localhost --collection xor
  initsweep copy mongodb://localhost/lab --to runs.csv --filter '{\"output_std_dev\": 0.8165}'

A copy into MongoDB that was stopped goes on where it was when the same command is run again: documents that are there, by their _id,
are not stored twice. A copy into a file starts again; the file appears whole or not at all.")]
    Copy(CopyArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
