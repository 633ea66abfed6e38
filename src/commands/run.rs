//! `initsweep run`: a fresh sweep, then the report on it.

use crate::cli::{Global, RunArgs};
use crate::commands::{report, sweep};
use crate::error::Result;
use crate::output::{Artefact, OutputFolder};
use crate::store::Source;
use crate::store::writer::Existing;
use crate::sweep::DEFAULT_FACTOR;
use crate::sweep::part::Part;

/// Runs the command.
///
/// # Errors
/// Those of `sweep` and `report`.
pub fn run(arguments: &RunArgs, global: &Global) -> Result<()> {
    let plan = arguments.plan.plan()?;
    let columns = arguments.analysis.columns(plan.swept().next().unwrap_or(DEFAULT_FACTOR));
    let runs = OutputFolder::create(&arguments.figure.out)?.path(Artefact::Runs);
    let (simd, target) = (arguments.trainer.simd()?, runs.as_path().into());
    sweep::make(&Part::whole(plan), simd, &target, Existing::Resume, global)?;
    let RunArgs { analysis, statistic, figure, document, .. } = arguments;
    let request = report::Request { analysis, statistic: *statistic, figure, document };
    report::write(&[Source::Path(runs.display().to_string())], &columns, &request, global)
}
