//! `initsweep run`: a fresh sweep, then the report on it.

use crate::cli::{Global, RunArgs};
use crate::commands::{report, sweep};
use crate::error::Result;
use crate::output::{Artefact, OutputFolder};
use crate::store::Source;
use crate::store::target::Target;
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
    let folder = OutputFolder::create(&arguments.figure.out)?;
    let own = || Source::Path(folder.path(Artefact::Runs).display().to_string());
    let runs = arguments.to.clone().unwrap_or_else(own).located(&arguments.mongo.choice(None))?;
    // Files of one's own choice are never replaced by another sweep.
    let existing = if arguments.to.is_some() { Existing::Continue } else { Existing::Resume };
    let target = Target::of(&runs, &arguments.mongo.choice(None))?;
    sweep::make(&Part::whole(plan), arguments.trainer.simd()?, &target, existing, global)?;
    let RunArgs { analysis, statistic, figure, document, .. } = arguments;
    let request = report::Request { analysis, statistic: *statistic, figure, document };
    report::write(&[runs], &columns, &request, global)
}
