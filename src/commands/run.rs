//! `initsweep run`: a fresh sweep, then the report on it.

use crate::cli::{Global, RunArgs};
use crate::commands::until::{self, Ask};
use crate::commands::{report, sweep};
use crate::error::{Error, Result};
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
    let plan = arguments.plan.plan_of(arguments.until.is_paired())?;
    let columns = arguments.inquiry.roles(plan.swept().next().unwrap_or(DEFAULT_FACTOR));
    let folder = OutputFolder::create(&arguments.figure.out)?;
    let own = || Source::Path(folder.path(Artefact::Runs).display().to_string());
    let runs = arguments.to.clone().unwrap_or_else(own).located(&arguments.mongo.choice(None))?;
    // Files of one's own choice are never replaced by another sweep.
    let existing = if arguments.to.is_some() { Existing::Continue } else { Existing::Resume };
    let (simd, target) = (arguments.trainer.simd()?, Target::of(&runs, &arguments.mongo.choice(None))?);
    let made = match &arguments.until.until {
        None => sweep::make(&Part::whole(plan), simd, &target, existing, global),
        Some(goal) => {
            let question = arguments.inquiry.of(&columns);
            let ask = Ask::of(&arguments.until, goal, plan, &columns.metric, question);
            until::make(&ask, simd, &target, existing, global).map(drop)
        }
    };
    // What a limit left unanswered is reported all the same.
    if !matches!(made, Ok(()) | Err(Error::NotReached { .. })) {
        return made;
    }
    let RunArgs { inquiry, figure, document, .. } = arguments;
    let request = report::Request { inquiry, figure, document };
    report::write(&[runs], &columns, &request, global)?;
    made
}
