//! `initsweep compare`: what moved between two sets of runs, and a failure if it is what the user
//! wants to hear of.

use crate::analysis::comparison::{Comparison, Outcome};
use crate::analysis::{Analysis, Question};
use crate::cli::{CompareArgs, Global};
use crate::commands::{print, warn_of_goal};
use crate::error::{Error, Result};
use crate::export::comparison::{described, to_text};
use crate::store::{self, Source};
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading and analysing; [`Error::ConditionHolds`] for the first condition of `--fail-on`
/// that holds, [`Error::Undetermined`] for one that the data cannot answer.
pub fn run(arguments: &CompareArgs, global: &Global) -> Result<()> {
    let columns = arguments.analysis.roles(DEFAULT_FACTOR);
    let question = arguments.analysis.question(&columns);
    let sources = arguments.filter.located(&[arguments.first.clone(), arguments.second.clone()])?;
    let analysed = |source: &Source| Analysis::of(store::read(std::slice::from_ref(source), &columns)?, &question);
    let [before, after] = on_one_basis([analysed(&sources[0])?, analysed(&sources[1])?], &question)?;
    warn_of_goal(&after, global);
    let comparison = Comparison::of(&before, &after);
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

/// Runs beside a table of levels as such a table too: what their pairs tell would look like a
/// change.
fn on_one_basis(sides: [Analysis; 2], question: &Question) -> Result<[Analysis; 2]> {
    if sides[0].basis == sides[1].basis {
        return Ok(sides);
    }
    let [before, after] = sides.map(|side| side.of_levels_alone(question));
    Ok([before?, after?])
}
