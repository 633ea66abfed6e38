//! The arguments of the commands that make runs or move them: `run`, `sweep`, `copy`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::analyse::{FigureArgs, InquiryArgs};
use crate::cli::document::DocumentArgs;
use crate::cli::plan::{PlanArgs, TrainerArgs};
use crate::cli::source::{MongoArgs, check_filter, from_environment, in_environment};
use crate::cli::until::{QuestionArgs, UntilArgs};
use crate::error::Result;
use crate::store::Source;
use crate::store::target::Target;
use crate::sweep::part::{Part, Shard};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// TOML file that gives options; those of the command line win. `initsweep init` writes one
    #[arg(value_name = "FILE.toml")]
    pub file: Option<PathBuf>,
    /// Where to store the runs: a .csv or .parquet file, or a MongoDB URI [default: runs.csv in the
    /// folder for the results]
    #[arg(long, value_name = "TARGET")]
    pub to: Option<Source>,
    /// Which collection.
    #[command(flatten)]
    pub mongo: MongoArgs,
    /// Which runs to make.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// How runs are trained.
    #[command(flatten)]
    pub trainer: TrainerArgs,
    /// When there are enough.
    #[command(flatten)]
    pub until: UntilArgs,
    /// What to ask of them.
    #[command(flatten)]
    pub inquiry: InquiryArgs,
    /// How it looks.
    #[command(flatten)]
    pub figure: FigureArgs,
    /// Which report.
    #[command(flatten)]
    pub document: DocumentArgs,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// File to write
    #[arg(value_name = "FILE", default_value = "sweep.toml")]
    pub file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
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
    /// Only shard K of N of the runs, for several processes or machines that each write a file of
    /// its own; into one collection they share the runs without it
    #[arg(long, value_name = "K/N", value_parser = Shard::parse)]
    pub shard: Option<Shard>,
    /// When there are enough.
    #[command(flatten)]
    pub until: UntilArgs,
    /// What to ask of them.
    #[command(flatten)]
    pub question: QuestionArgs,
    /// Which collection.
    #[command(flatten)]
    pub mongo: MongoArgs,
}

impl SweepArgs {
    /// The runs to make.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for levels that mean nothing, or more shards
    /// than runs.
    pub fn part(&self) -> Result<Part> {
        let plan = self.plan.plan()?;
        match self.shard {
            Some(shard) => Part::of(plan, shard),
            None => Ok(Part::whole(plan)),
        }
    }

    /// Where the runs go.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for a URI or a name that means nothing.
    pub fn target(&self) -> Result<Target> {
        let to = self.to.clone().map_or_else(from_environment, Ok)?;
        Target::of(&to, &self.mongo.choice(None))
    }
}

/// Arguments of `copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// CSV, JSON, Parquet or Arrow file, or a MongoDB URI
    #[arg(value_name = "SOURCE", required = true)]
    pub source: Source,
    /// Where to: a .csv, .jsonl or .parquet file, or a MongoDB URI
    #[arg(long, value_name = "TARGET")]
    pub to: Source,
    /// Which collection of either URI.
    #[command(flatten)]
    pub mongo: MongoArgs,
    /// Only the documents that match, in extended JSON: '{"output_std_dev": 0.8165}'
    #[arg(long, value_name = "JSON", help_heading = "MongoDB")]
    pub filter: Option<String>,
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
    /// [`Error::Usage`](crate::error::Error::Usage) for a URI, a name or a filter that means
    /// nothing.
    pub fn source(&self) -> Result<Source> {
        let source = self.source.located(&self.mongo.choice(self.filter.as_deref()))?;
        check_filter(self.filter.as_deref(), std::slice::from_ref(&source))?;
        Ok(source)
    }

    /// Where to.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for a URI or a name that means nothing.
    pub fn target(&self) -> Result<Target> {
        let mut choice = self.mongo.choice(None);
        choice.database = self.to_db.clone().or(choice.database);
        choice.collection = self.to_collection.clone().or(choice.collection);
        Target::of_rows(&self.to, &choice)
    }
}
