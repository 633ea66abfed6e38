//! `initsweep plan`: where the next runs should go, and what they will tell.

use serde::Serialize;

use crate::analysis::{Analysis, Goal};
use crate::cli::until::PlanFormat;
use crate::cli::{AllocateArgs, Global};
use crate::commands::{print, warn_of_goal};
use crate::error::Result;
use crate::export::json::WireRows;
use crate::export::table::ledger_with_places;
use crate::format::{count, counted, json, printable, significant};
use crate::planning::{self, Aim, Planned, Strategy, USUAL_GOAL};
use crate::store;
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing, planning and printing.
pub fn run(arguments: &AllocateArgs, global: &Global) -> Result<()> {
    let columns = arguments.analysis.roles(DEFAULT_FACTOR);
    let table = store::read(&arguments.known.located()?, &columns)?;
    let analysis = Analysis::of(table, &arguments.analysis.question(&columns))?;
    warn_of_goal(&analysis, global);
    let planned = planning::plan(&analysis, arguments.strategy, arguments.budget, &Aim::place(USUAL_GOAL))?;
    print(&match arguments.format {
        PlanFormat::Table => table_of(&planned, &analysis, arguments.strategy),
        PlanFormat::Json => json_of(&planned, &analysis, arguments.strategy),
    })
}

fn json_of(planned: &Planned, analysis: &Analysis, strategy: Strategy) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        schema_version: u32,
        factor: &'a str,
        metric: &'a str,
        confidence: f64,
        goal: Goal,
        strategy: Strategy,
        rows: WireRows<'a>,
        #[serde(flatten)]
        planned: &'a Planned,
    }
    let (factor, metric, confidence) = (&analysis.factor, &analysis.metric, analysis.confidence);
    let rows = WireRows::of(&analysis.ledger);
    let goal = analysis.goal;
    let document = Document { schema_version: 1, factor, metric, confidence, goal, strategy, rows, planned };
    json(&document)
}

fn table_of(planned: &Planned, analysis: &Analysis, strategy: Strategy) -> String {
    let factor = printable(&analysis.factor);
    let heads = [&*factor, "runs", "add", "standard error", "then"].map(String::from);
    let error = |error: Option<f64>| error.map(|error| significant(error, 3)).unwrap_or_default();
    let row = |level: &planning::Addition| {
        let errors = [error(level.standard_error), error(level.expected_standard_error)];
        let [now, then] = errors;
        [significant(level.level, 5), count(level.n), count(level.add), now, then]
    };
    // Levels that get nothing are many and say little.
    let given: Vec<&planning::Addition> = planned.allocation.iter().filter(|level| level.add > 0).collect();
    let rows: Vec<[String; 5]> = std::iter::once(heads).chain(given.iter().map(|level| row(level))).collect();
    let widths: [usize; 5] = std::array::from_fn(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    let others = planned.allocation.len() - given.len();
    text.push_str(&format!("\n{} by {}", counted(planned.budget, "run"), strategy.name()));
    if others > 0 {
        let verb = if others == 1 { "gets" } else { "get" };
        text.push_str(&format!("; {} {verb} none", counted(others as u64, "other level")));
    }
    text.push_str(&format!(".\n{}", expectation(planned, analysis, strategy)));
    text.push_str(&format!("Rows: {}\n", ledger_with_places(&analysis.ledger)));
    text
}

fn expectation(planned: &Planned, analysis: &Analysis, strategy: Strategy) -> String {
    let (factor, optimum) = (printable(&analysis.factor), analysis.goal.optimum());
    let Some(minimum) = &planned.minimum else {
        return format!("No {optimum} is fitted through the levels of {factor}.\n");
    };
    let percent = |share: f64| format!("±{} %", significant(share * 100.0, 2));
    let then = minimum.expected_half_width.map_or_else(|| "not foreseeable".into(), percent);
    let paired = match strategy {
        Strategy::Minimum
            if minimum.expected_half_width.is_some()
                && planned.allocation.iter().any(|level| level.n == 0 && level.add > 0) =>
        {
            " by independent runs, and less by paired ones (the same draws at every level)"
        }
        _ => "",
    };
    format!(
        "The {optimum}, {factor} = {}, is known to {} now; expected then: {then}{paired}.\n",
        significant(minimum.level, 4),
        percent(minimum.half_width),
    )
}
