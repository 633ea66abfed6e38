//! `initsweep run`: a fresh sweep, then the report on it.

use crate::cli::{Global, RunArgs};
use crate::commands::until::{self, Ask};
use crate::commands::{report, sweep};
use crate::error::{Error, Result};
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
    let plan = arguments.plan.plan_of(arguments.until.is_paired())?;
    let columns = arguments.analysis.columns(plan.swept().next().unwrap_or(DEFAULT_FACTOR));
    let runs = OutputFolder::create(&arguments.figure.out)?.path(Artefact::Runs);
    let (simd, target) = (arguments.trainer.simd()?, runs.as_path().into());
    let made = match &arguments.until.until {
        None => sweep::make(&Part::whole(plan), simd, &target, Existing::Resume, global),
        Some(goal) => {
            let question = arguments.statistic.of(arguments.analysis.question(&columns));
            let ask = Ask::of(&arguments.until, goal, plan, &columns.metric, question);
            until::make(&ask, simd, &target, Existing::Resume, global).map(drop)
        }
    };
    // What a limit left unanswered is reported all the same.
    if !matches!(made, Ok(()) | Err(Error::NotReached { .. })) {
        return made;
    }
    let RunArgs { analysis, statistic, figure, document, .. } = arguments;
    let request = report::Request { analysis, statistic: *statistic, figure, document };
    let source = Source::Path(runs.display().to_string());
    report::write(&[source], &columns, &request, global)?;
    made
}
