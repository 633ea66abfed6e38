//! What the user can type.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::analysis::Question;
use crate::error::{Error, Result};
use crate::export::Format;
use crate::expression::evaluate;
use crate::figure::png::SCALES;
use crate::figure::{AxisScale, ErrorBars, FigureOptions};
use crate::output::DEFAULT_FOLDER;
use crate::provenance::without_password;

use crate::store::target::Target;
use crate::store::{Choice, Columns, Source, URI_VARIABLE, is_uri};
use crate::sweep::{
    ARTICLE_LEVELS, ARTICLE_OUTPUT_STD_DEV, DEFAULT_METRIC, Draws, Reference, RunIdentity, SweepPlan, parse_levels,
};
use crate::train::kernel::Simd;

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
    /// What the user typed; or says what is wrong with it, without passwords, and ends the process.
    pub fn parse_or_exit() -> Self {
        Self::try_parse().unwrap_or_else(|e| {
            let text = e.render().to_string();
            let clean = without_password(&text);
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
  initsweep run --hidden-std-dev lin:0.4:0.8:41 --error-bars ci")]
    Run(RunArgs),
    /// Train the runs of a sweep and store them
    #[command(after_help = "Examples:
  initsweep sweep --to runs.csv
  initsweep sweep --to runs.parquet --hidden-std-dev 0.5,1/sqrt(2),1 --runs 10000
  initsweep sweep --to rates.csv --sweep learning_rate=log:0.01:1:40 --hidden-std-dev 0.6
  initsweep sweep --to grid.parquet --sweep hidden_std_dev=0.5,1 --sweep output_std_dev=lin:0.2:1:9
  initsweep sweep --to mongodb://localhost --collection xor

A stopped sweep goes on where it was when the same command is run again.")]
    Sweep(SweepArgs),
    /// Analyse runs and write report, figure and tables
    #[command(after_help = "Examples:
  initsweep report sample-data/xor-sweep.csv
  initsweep report 'runs/*.parquet' --out results --error-bars sd
  zcat runs.csv.gz | initsweep report -")]
    Report(ReportArgs),
    /// Draw the figure only
    #[command(after_help = "Examples:
  initsweep plot sample-data/xor-sweep.csv --error-bars se --scale 3
  initsweep plot trials.csv --x lr --y val_loss --x-scale log")]
    Plot(ReportArgs),
    /// Print the statistics
    #[command(after_help = "Examples:
  initsweep stats sample-data/xor-sweep.csv
  initsweep stats runs/ --format json
  initsweep stats trials.csv --x width --y accuracy --confidence 99% --format markdown")]
    Stats(StatsArgs),
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

A copy into MongoDB that was stopped goes on where it was when the same command is run again.")]
    Copy(CopyArgs),
}

/// Which runs to make.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Standard deviations of the initial hidden weights and biases [default: 400 levels, log:exp(-3):exp(4):400; or
    /// 1/sqrt(2) if another setting is swept]
    #[arg(
        long,
        value_name = "LEVELS",
        long_help = "Standard deviations of the initial hidden weights and biases:\na value, a list 0.1,0.5,1, log:START:STOP:COUNT or lin:START:STOP:COUNT;\nevery number may be an expression such as 1/sqrt(2)\n\n[default: log:exp(-3):exp(4):400, or 1/sqrt(2) if another setting is swept]"
    )]
    pub hidden_std_dev: Option<String>,
    /// Standard deviations of the initial output weights and bias
    #[arg(long, value_name = "LEVELS", default_value = ARTICLE_OUTPUT_STD_DEV)]
    pub output_std_dev: String,
    /// Levels of any of hidden_std_dev, output_std_dev, learning_rate, epochs; twice gives a grid
    #[arg(long, value_name = "NAME=LEVELS")]
    pub sweep: Vec<String>,
    /// Runs at each level
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub runs: u32,
    /// Epochs of each run
    #[arg(long, value_name = "LEVELS", default_value = "10000")]
    pub epochs: String,
    /// Step size of the gradient descent
    #[arg(long, value_name = "LEVELS", default_value = "0.1")]
    pub learning_rate: String,
    /// Key of the random numbers: the same seed gives the same runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Start replicate r from the same random numbers at every level, so that levels can be compared in pairs
    #[arg(long)]
    pub paired: bool,
    /// Mean loss below which a network counts as solved
    #[arg(long, value_name = "EXPR", default_value = "0.1", value_parser = evaluate)]
    pub solved_below: f64,
}

impl PlanArgs {
    /// The plan that was asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] for levels that mean nothing.
    pub fn plan(&self) -> Result<SweepPlan> {
        let mut output = self.output_std_dev.as_str();
        let mut rate = self.learning_rate.as_str();
        let mut epochs = self.epochs.as_str();
        let mut hidden = self.hidden_std_dev.as_deref();
        for text in &self.sweep {
            let usage = |reason: &str| Error::Usage { what: "sweep", given: text.clone(), reason: reason.into() };
            let names = "expected NAME=LEVELS with hidden_std_dev, output_std_dev, learning_rate or epochs";
            let (name, levels) = text.split_once('=').ok_or_else(|| usage(names))?;
            match name.trim() {
                "hidden_std_dev" => hidden = Some(levels),
                "output_std_dev" => output = levels,
                "learning_rate" => rate = levels,
                "epochs" => epochs = levels,
                _ => return Err(usage(names)),
            }
        }
        let [output_std_dev, learning_rate, epochs] =
            [parse_levels(output)?, parse_levels(rate)?, parse_levels(epochs)?];
        let others_fixed = [&output_std_dev, &learning_rate, &epochs].iter().all(|levels| levels.len() == 1);
        let default = if others_fixed { ARTICLE_LEVELS } else { "1/sqrt(2)" };
        SweepPlan {
            hidden_std_dev: parse_levels(hidden.unwrap_or(default))?,
            output_std_dev,
            learning_rate,
            epochs: epochs.into_iter().map(whole_number).collect::<Result<_>>()?,
            runs: self.runs,
            seed: self.seed,
            draws: Draws::of(self.paired),
            solved_below: self.solved_below,
        }
        .validated()
    }
}

impl TrainArgs {
    /// The one run that was asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] for settings that mean nothing.
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

/// How runs are trained; the results are the same to the bit.
#[derive(Debug, Args)]
pub struct TrainerArgs {
    /// Instruction set of the trainer; all give the same bits
    #[arg(long, value_enum, default_value = "auto")]
    pub simd: SimdChoice,
}

/// Instruction sets that the trainer can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SimdChoice {
    /// The fastest that this processor has.
    Auto,
    /// Eight networks in a vector.
    Avx512,
    /// Four networks in a vector.
    Avx2,
    /// Two networks in a vector.
    Neon,
    /// One network at a time, on any processor.
    Scalar,
}

impl TrainerArgs {
    /// The instruction set to use.
    ///
    /// # Errors
    /// [`Error::Usage`] if this processor does not have the one asked for.
    pub fn simd(&self) -> Result<Simd> {
        let available = Simd::available();
        let wanted: &[Simd] = match self.simd {
            SimdChoice::Auto => return Ok(Simd::detect()),
            SimdChoice::Avx512 => &[Simd::Avx512],
            SimdChoice::Avx2 => &[Simd::Avx2],
            SimdChoice::Neon => &[Simd::Neon],
            SimdChoice::Scalar => &[Simd::Scalar, Simd::Portable],
        };
        wanted.iter().find(|simd| available.contains(simd)).copied().ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|simd| simd.name()).collect();
            let reason = format!("this processor has {}", names.join(", "));
            Error::Usage { what: "instruction set", given: wanted[0].name().into(), reason }
        })
    }
}

/// What to analyse, and how.
#[derive(Debug, Args)]
pub struct AnalysisArgs {
    /// Column of the swept setting [default: hidden_std_dev]
    #[arg(long, value_name = "COLUMN")]
    pub x: Option<String>,
    /// Column of the measured number [default: loss]
    #[arg(long, value_name = "COLUMN")]
    pub y: Option<String>,
    /// Named level to mark and to compare with the minimum; may be repeated
    #[arg(long, value_name = "NAME=EXPR", value_parser = |text: &str| Reference::parse(text), long_help = "Named level to mark and to compare with the minimum; may be repeated.\nFor the column hidden_std_dev there is Xavier=1/sqrt(2), which a reference of the same name replaces")]
    pub reference: Vec<Reference>,
    /// Difference that does not matter, as a share of the least mean
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = share)]
    pub margin: f64,
    /// Coverage of the confidence intervals
    #[arg(long, value_name = "LEVEL", default_value = "95%", value_parser = confidence)]
    pub confidence: f64,
}

impl AnalysisArgs {
    /// The columns to read; `factor` is the default of `--x`.
    pub fn columns(&self, factor: &str) -> Columns {
        Columns {
            factor: self.x.clone().unwrap_or_else(|| factor.into()),
            metric: self.y.clone().unwrap_or_else(|| DEFAULT_METRIC.into()),
        }
    }

    /// The question to ask of these columns.
    pub fn question(&self, columns: &Columns) -> Question {
        Question {
            confidence: self.confidence,
            references: Reference::with_defaults(&columns.factor, &self.reference),
            margin: self.margin,
        }
    }
}

/// How the figure looks and where results go.
#[derive(Debug, Args)]
pub struct FigureArgs {
    /// What the error bars show
    #[arg(long, value_enum, default_value = "ci")]
    pub error_bars: ErrorBars,
    /// Division of the horizontal axis
    #[arg(long, value_enum, default_value = "auto")]
    pub x_scale: AxisScale,
    /// Pixels of the PNG per pixel of the SVG
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, value_parser = scale)]
    pub scale: f32,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    pub out: PathBuf,
}

impl FigureArgs {
    /// The choices for the drawing.
    pub fn options(&self) -> FigureOptions {
        FigureOptions { error_bars: self.error_bars, x_scale: self.x_scale }
    }
}

/// Which collection, where a SOURCE or the target is a MongoDB URI.
#[derive(Debug, Args)]
#[command(next_help_heading = "MongoDB")]
pub struct MongoArgs {
    /// Database [default: the URI's, or experiment_db]
    #[arg(long, value_name = "NAME")]
    pub db: Option<String>,
    /// Collection [default: results]
    #[arg(long, value_name = "NAME")]
    pub collection: Option<String>,
    /// Seconds to wait for the server
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,
}

impl MongoArgs {
    /// The choice of a collection, with `filter` for its documents.
    pub fn choice(&self, filter: Option<&str>) -> Choice {
        Choice {
            database: self.db.clone(),
            collection: self.collection.clone(),
            filter: filter.map(Into::into),
            timeout: Some(self.timeout),
        }
    }
}

/// Which documents to read, where a SOURCE is a MongoDB URI.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Which collection.
    #[command(flatten)]
    pub mongo: MongoArgs,
    /// Only the documents that match, in extended JSON: '{"output_std_dev": 0.8165}'
    #[arg(long, value_name = "JSON", help_heading = "MongoDB")]
    pub filter: Option<String>,
}

impl FilterArgs {
    /// `sources` with their collections chosen; without any, the URI of the environment.
    ///
    /// # Errors
    /// [`Error::Usage`] for a URI, a name or a filter that means nothing.
    pub fn located(&self, sources: &[Source]) -> Result<Vec<Source>> {
        let choice = self.mongo.choice(self.filter.as_deref());
        if sources.is_empty() {
            return Ok(vec![from_environment()?.located(&choice)?]);
        }
        sources.iter().map(|source| source.located(&choice)).collect()
    }
}

/// The URI that the environment gives.
fn from_environment() -> Result<Source> {
    std::env::var(URI_VARIABLE).ok().filter(|uri| is_uri(uri)).map(Source::of).ok_or_else(|| Error::Usage {
        what: "environment",
        given: URI_VARIABLE.into(),
        reason: "expected a MongoDB URI".into(),
    })
}

/// Whether the environment gives a URI, so that none need be typed.
fn in_environment() -> bool {
    std::env::var_os(URI_VARIABLE).is_some_and(|uri| !uri.is_empty())
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Which runs to make.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// How runs are trained.
    #[command(flatten)]
    pub trainer: TrainerArgs,
    /// What to analyse.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
    /// How it looks.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Which runs to make.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// How runs are trained.
    #[command(flatten)]
    pub trainer: TrainerArgs,
    /// Where to store the runs: a .csv or .parquet file, or a MongoDB URI [default: $MONGODB_URI]
    #[arg(long, value_name = "TARGET", required = !in_environment())]
    pub to: Option<Source>,
    /// Start over, even if the target holds runs of this sweep
    #[arg(long)]
    pub fresh: bool,
    /// Which collection.
    #[command(flatten)]
    pub mongo: MongoArgs,
}

impl SweepArgs {
    /// Where the runs go.
    ///
    /// # Errors
    /// [`Error::Usage`] for a URI or a name that means nothing.
    pub fn target(&self) -> Result<Target> {
        let to = self.to.clone().map_or_else(from_environment, Ok)?;
        Target::of(&to, &self.mongo.choice(None))
    }
}

/// Arguments of `copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// CSV or Parquet file, or a MongoDB URI
    #[arg(value_name = "SOURCE", required = true)]
    pub source: Source,
    /// Where to: a .csv or .parquet file, or a MongoDB URI
    #[arg(long, value_name = "TARGET")]
    pub to: Source,
    /// Which documents, and which collection of either URI.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Database of the target, if it differs from the source's
    #[arg(long, value_name = "NAME", help_heading = "MongoDB")]
    pub to_db: Option<String>,
    /// Collection of the target, if it differs from the source's
    #[arg(long, value_name = "NAME", help_heading = "MongoDB")]
    pub to_collection: Option<String>,
}

impl CopyArgs {
    /// What to copy.
    ///
    /// # Errors
    /// [`Error::Usage`] for a URI, a name or a filter that means nothing.
    pub fn source(&self) -> Result<Source> {
        self.source.located(&self.filter.mongo.choice(self.filter.filter.as_deref()))
    }

    /// Where to.
    ///
    /// # Errors
    /// [`Error::Usage`] for a URI or a name that means nothing.
    pub fn target(&self) -> Result<Target> {
        let mut choice = self.filter.mongo.choice(None);
        choice.database = self.to_db.clone().or(choice.database);
        choice.collection = self.to_collection.clone().or(choice.collection);
        Target::of(&self.to, &choice)
    }
}

/// Arguments of `report` and `plot`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// CSV or Parquet files, folders of them, quoted globs, - for CSV on standard input, or MongoDB URIs
    /// [default: $MONGODB_URI]
    #[arg(required = !in_environment(), value_name = "SOURCE")]
    pub sources: Vec<Source>,
    /// Which documents.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What to analyse.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
    /// How it looks.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// CSV or Parquet files, folders of them, quoted globs, - for CSV on standard input, or MongoDB URIs
    /// [default: $MONGODB_URI]
    #[arg(required = !in_environment(), value_name = "SOURCE")]
    pub sources: Vec<Source>,
    /// Which documents.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What to analyse.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

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

fn confidence(text: &str) -> Result<f64, String> {
    share(text).map_err(|_| "expected a level between 0 and 1, such as 0.95 or 95%".into())
}

/// A number between 0 and 1, also as a percentage.
fn share(text: &str) -> Result<f64, String> {
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse::<f64>(),
    };
    let inside = value.ok().filter(|share| *share > 0.0 && *share < 1.0);
    inside.ok_or_else(|| "expected a share between 0 and 1, such as 0.01 or 1%".into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let value = text.trim().parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    value.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds from 0.001 to 86400".into())
}

fn scale(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|scale| SCALES.contains(scale));
    value.ok_or_else(|| format!("expected a number from {} to {}", SCALES.start(), SCALES.end()))
}

fn whole_number(level: f64) -> Result<u32> {
    if level.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&level) {
        return Ok(level as u32);
    }
    Err(Error::Usage { what: "epochs", given: level.to_string(), reason: "expected whole numbers".into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn confidence_levels() {
        assert_eq!(confidence("0.9"), Ok(0.9));
        assert_eq!(confidence("95%"), Ok(0.95));
        for text in ["0", "1", "95", "100%", "x", "NaN"] {
            assert!(confidence(text).is_err(), "{text}");
        }
    }
}
