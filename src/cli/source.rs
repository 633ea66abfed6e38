//! Where runs are: the arguments about sources and MongoDB collections.

use std::time::Duration;

use clap::Args;

use crate::cli::value::seconds;
use crate::error::{Error, Result};
use crate::store::{Aggregate, Choice, Source, URI_VARIABLE, is_uri};

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
    /// Seconds to wait for a server that goes away in the middle of the work
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub patience: Duration,
}

impl MongoArgs {
    /// The choice of a collection, with `filter` for its documents.
    pub fn choice(&self, filter: Option<&str>) -> Choice {
        Choice {
            database: self.db.clone(),
            collection: self.collection.clone(),
            filter: filter.map(Into::into),
            timeout: Some(self.timeout),
            patience: Some(self.patience),
            aggregate: Aggregate::Auto,
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
    /// Who adds up the runs of each level
    #[arg(long, value_enum, default_value = "auto", help_heading = "MongoDB")]
    pub aggregate: Aggregate,
}

/// Where the runs to read are.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Runs, or a table level,mean,std_dev,n: CSV, JSON Lines, Parquet or Arrow files, folders of
    /// them, quoted globs, templates such as 'out/lr{lr}/log.csv', - for standard input, or MongoDB
    /// URIs [default: $MONGODB_URI]
    #[arg(required = !in_environment(), value_name = "SOURCE")]
    sources: Vec<Source>,
    /// Which documents.
    #[command(flatten)]
    filter: FilterArgs,
}

impl SourceArgs {
    /// The sources with their collections chosen.
    ///
    /// # Errors
    /// Those of [`FilterArgs::located`].
    pub fn located(&self) -> Result<Vec<Source>> {
        self.filter.located(&self.sources)
    }
}

impl FilterArgs {
    /// `sources` with their collections chosen; without any, the URI of the environment.
    ///
    /// # Errors
    /// [`Error::Usage`] for a URI, a name or a filter that means nothing, and for a file that a
    /// server should add up.
    pub fn located(&self, sources: &[Source]) -> Result<Vec<Source>> {
        let choice = Choice { aggregate: self.aggregate, ..self.mongo.choice(self.filter.as_deref()) };
        if sources.is_empty() {
            return Ok(vec![from_environment()?.located(&choice)?]);
        }
        let sources: Vec<Source> = sources.iter().map(|source| source.located(&choice)).collect::<Result<_>>()?;
        check_filter(self.filter.as_deref(), &sources)?;
        match sources.iter().find(|source| !matches!(source, Source::Collection(_))) {
            Some(file) if self.aggregate == Aggregate::Server => {
                let reason = format!("{file} is no collection, whose server could add up");
                Err(Error::Usage { what: "aggregate", given: "server".into(), reason })
            }
            _ => Ok(sources),
        }
    }
}

/// Refuses a `filter` that none of `sources` heeds.
pub(super) fn check_filter(filter: Option<&str>, sources: &[Source]) -> Result<()> {
    match filter.filter(|_| !sources.iter().any(|source| matches!(source, Source::Collection(_)))) {
        None => Ok(()),
        Some(filter) => {
            let reason = "only documents of a collection can be chosen by a filter".into();
            Err(Error::Usage { what: "filter", given: filter.into(), reason })
        }
    }
}

/// The URI that the environment gives.
pub(super) fn from_environment() -> Result<Source> {
    std::env::var(URI_VARIABLE).ok().filter(|uri| is_uri(uri)).map(Source::of).ok_or_else(|| Error::Usage {
        what: "environment",
        given: URI_VARIABLE.into(),
        reason: "expected a MongoDB URI".into(),
    })
}

/// Whether the environment gives a URI, so that none need be typed.
pub(super) fn in_environment() -> bool {
    std::env::var_os(URI_VARIABLE).is_some_and(|uri| !uri.is_empty())
}
