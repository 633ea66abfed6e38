//! `initsweep compare`: what moved between two sets of runs, and a failure if it is what the user wants to hear of.

use crate::analysis::Analysis;
use crate::analysis::comparison::{Comparison, Outcome};
use crate::cli::{CompareArgs, Global};
use crate::commands::print;
use crate::error::{Error, Result};
use crate::export::comparison::{described, to_text};
use crate::store::{self, Source};
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading and analysing; [`Error::ConditionHolds`] for the first condition of `--fail-on` that holds,
/// [`Error::Undetermined`] for one that the data cannot answer.
pub fn run(arguments: &CompareArgs, _: &Global) -> Result<()> {
    let columns = arguments.analysis.columns(DEFAULT_FACTOR);
    let question = arguments.analysis.question(&columns);
    let sources = arguments.filter.located(&[arguments.first.clone(), arguments.second.clone()])?;
    let analysed = |source: &Source| Analysis::of(store::read(std::slice::from_ref(source), &columns)?, &question);
    let comparison = Comparison::of(&analysed(&sources[0])?, &analysed(&sources[1])?);
    let [first, second] = [&sources[0], &sources[1]].map(ToString::to_string);
    print(&to_text(&comparison, [&first, &second], arguments.format))?;
    for condition in &arguments.fail_on {
        if condition.judge(&comparison)? == Outcome::Holds {
            let because = described(&comparison, condition.subject());
            return Err(Error::ConditionHolds { condition: condition.to_string(), because });
        }
    }
    Ok(())
}
