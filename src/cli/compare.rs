//! The arguments of `compare`.

use clap::Args;

use crate::analysis::comparison::Condition;
use crate::cli::analyse::AnalysisArgs;
use crate::cli::source::FilterArgs;
use crate::export::comparison::ComparisonFormat;
use crate::store::Source;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What it was: file of runs, folder, quoted glob, or MongoDB URI
    #[arg(value_name = "A")]
    pub first: Source,
    /// What it is now: the same
    #[arg(value_name = "B")]
    pub second: Source,
    /// Exit with 1 if this is shown: minimum, mean, level or a reference's NAME, then moved, worse,
    /// better or a change such as +2%; may be repeated
    #[arg(long, value_name = "CONDITION", value_parser = |text: &str| Condition::parse(text), long_help = "Exit with 1 if this is shown; may be repeated:
  'minimum moved'   the place of the fitted minimum
  'minimum worse'   its value; also better, +2%, -2%
  'mean worse'      the mean over all common levels; also moved, better, +2%, -2%
  'level worse'     any common level (Holm); also moved, better
  'Xavier worse'    the mean at a reference; also moved, better, +2%, -2%
Lower is better; with --goal max higher is, and 'maximum' may stand for 'minimum'. A condition counts as shown if the whole confidence interval says so")]
    pub fail_on: Vec<Condition>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub format: ComparisonFormat,
    /// Which documents.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What to analyse.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
}
