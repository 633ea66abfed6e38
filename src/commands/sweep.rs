//! `initsweep sweep`: trains the runs of a plan and stores them, with progress, and goes on where it was stopped.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::analysis::Question;
use crate::analysis::statistic::Statistic;
use crate::cli::until::QuestionArgs;
use crate::cli::{Global, SweepArgs};
use crate::commands::until::{self, Ask};
use crate::error::Result;
use crate::format::{count, counted};
use crate::store::record::SweepRecord;
use crate::store::target::{RunStore, Target};
use crate::store::writer::Existing;
use crate::sweep::part::Part;
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC, Reference, Run};
use crate::train::kernel::Simd;
use crate::train::schedule;

/// Runs the command.
///
/// # Errors
/// Those of the plan, of training and of writing.
pub fn run(arguments: &SweepArgs, global: &Global) -> Result<()> {
    let existing = if arguments.fresh { Existing::Replace } else { Existing::Continue };
    let (simd, target) = (arguments.trainer.simd()?, arguments.target()?);
    let Some(goal) = &arguments.until.until else {
        return make(&arguments.part()?, simd, &target, existing, global);
    };
    let plan = arguments.plan.plan_of(arguments.until.is_paired())?;
    let QuestionArgs { reference, margin, confidence } = &arguments.question;
    let references = Reference::with_defaults(plan.swept().next().unwrap_or(DEFAULT_FACTOR), reference);
    let statistic = Statistic::Mean;
    let question = Question { confidence: *confidence, references, margin: *margin, statistic };
    let ask = Ask::of(&arguments.until, goal, plan, DEFAULT_METRIC, question);
    until::make(&ask, simd, &target, existing, global).map(drop)
}

/// Makes the runs of `part` that `target` does not hold yet.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted) after Ctrl-C, and whatever the store gives.
pub fn make(part: &Part, simd: Simd, target: &Target, existing: Existing, global: &Global) -> Result<()> {
    let mut store = RunStore::open(target, part, existing)?;
    let total = part.total();
    let mut missing = store.missing(part)?;
    let from = total - missing.iter().map(|range| range.end - range.start).sum::<u64>();
    let began = Instant::now();
    let progress = progress_bar(total, from, global.quiet);
    // Once for a file. A collection is asked again, until it holds every run.
    while !missing.is_empty() {
        for range in missing {
            let mut next = range.start;
            let sink = |runs: &[Run]| {
                store.append(next, runs)?;
                next += runs.len() as u64;
                Ok(())
            };
            schedule::train_plan(&part.plan, range, simd, stop_flag(), |runs| progress.inc(runs), sink)?;
        }
        if stop_flag().load(Ordering::Relaxed) && !store.is_known_complete(total) {
            progress.finish_and_clear();
            return Err(store.interrupted(total));
        }
        missing = store.missing(part)?;
    }
    progress.finish_and_clear();
    let place = store.finish(&SweepRecord::of_this_process(simd.name(), rayon::current_num_threads(), total))?;
    if !global.quiet {
        say(&summary(&place, from, total, began.elapsed()));
    }
    Ok(())
}

fn summary(place: &str, from: u64, total: u64, time: Duration) -> String {
    let made = total - from;
    let kept = if from > 0 { format!(", {} were there before", count(from)) } else { String::new() };
    let speed = made as f64 / time.as_secs_f64().max(1e-9);
    format!(
        "{} in {place}: {} made in {:.1} s ({} runs/s){kept}",
        counted(total, "run"),
        count(made),
        time.as_secs_f64(),
        count(speed as u64)
    )
}

pub(super) fn progress_bar(total: u64, from: u64, quiet: bool) -> ProgressBar {
    let visible = !quiet && std::io::stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), target).with_position(from);
    // A broken template would show the default bar instead.
    if let Ok(style) = ProgressStyle::with_template(
        "{bar:32} {percent:>3} %  {human_pos} of {human_len} runs  {per_sec:.0}  {eta} left",
    ) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ ").with_key(
            "per_sec",
            |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{} runs/s", count(state.per_sec() as u64));
            },
        ));
    }
    bar.reset_eta();
    bar
}

/// A flag that the first Ctrl-C sets; the second ends the process at once.
pub(super) fn stop_flag() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        say("stopping; press Ctrl-C again to stop at once");
    };
    // Fails only if a handler is there already, which is this one.
    let _ = ctrlc::try_set_handler(handler);
    &STOP
}

pub(super) fn say(text: &str) {
    // If standard error is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}
