//! `initsweep sweep`: trains the runs of a plan and stores them, with progress, and goes on where
//! it was stopped.

use std::hash::{BuildHasher, RandomState};
use std::io::{IsTerminal, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::analysis::Question;
use crate::cli::until::QuestionArgs;
use crate::cli::{Global, SweepArgs};
use crate::commands::share::Blocks;
use crate::commands::stop;
use crate::commands::until::{self, Ask};
use crate::error::Result;
use crate::format::{count, counted, duration, printable_lines};
use crate::store::record::SweepRecord;
use crate::store::target::{RunStore, Target};
use crate::store::writer::Existing;
use crate::sweep::part::Part;
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC, Reference, Run};
use crate::train::kernel::Simd;
use crate::train::schedule::{self, Work};

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
    let QuestionArgs { reference, goal: sought, margin, confidence, x_scale, max_failed, failed_as } =
        &arguments.question;
    let references = Reference::with_defaults(plan.swept().next().unwrap_or(DEFAULT_FACTOR), reference);
    let question = Question {
        confidence: *confidence,
        references,
        margin: *margin,
        goal: *sought,
        x_scale: *x_scale,
        max_failed: *max_failed,
        failed_as: *failed_as,
        pool_levels: false,
        ..Question::default()
    };
    let ask = Ask::of(&arguments.until, goal, plan, DEFAULT_METRIC, question);
    until::make(&ask, simd, &target, existing, global).map(drop)
}

/// Makes the runs of `part` that `target` does not hold yet.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted) after Ctrl-C, and whatever the store
/// gives.
pub fn make(part: &Part, simd: Simd, target: &Target, existing: Existing, global: &Global) -> Result<()> {
    let mut store = RunStore::open(target, part, existing)?;
    let total = part.total();
    let mut missing = store.missing(&part.places)?;
    let from = total - missing.iter().map(|range| range.end - range.start).sum::<u64>();
    let (began, mut made) = (Instant::now(), 0);
    let progress = progress_bar(total, from, global.quiet);
    // Once for a file. A collection is asked again, until it holds every run.
    while !missing.is_empty() {
        let blocks = if store.is_shared() {
            // Any number of its own: who makes a run changes nothing of it.
            Blocks::shared(missing, &part.plan, RandomState::new().hash_one(std::process::id()))
        } else {
            Blocks::in_order(missing)
        };
        let mut making = Making { store: &mut store, blocks, progress: &progress, made: 0 };
        schedule::train_plan(&part.plan, &mut making, simd, stop_flag(), |runs| progress.inc(runs))?;
        made += making.made;
        if stop_flag().load(Ordering::Relaxed) && !store.is_known_complete(total) {
            progress.finish_and_clear();
            return Err(store.interrupted(total));
        }
        missing = store.missing(&part.places)?;
    }
    progress.finish_and_clear();
    if stop_flag().load(Ordering::Relaxed) && store.is_shared() {
        return Err(store.interrupted(total));
    }
    stop::nothing_left_to_lose();
    let place = store.finish(&SweepRecord::of_this_process(simd.name(), rayon::current_num_threads(), total))?;
    if !global.quiet {
        say(&summary(&place, [total, from, made], began.elapsed()));
    }
    Ok(())
}
/// The runs that one process makes into a store.
struct Making<'a> {
    store: &'a mut RunStore,
    blocks: Blocks,
    progress: &'a ProgressBar,
    made: u64,
}

impl Work for Making<'_> {
    fn next(&mut self) -> Result<Option<Range<u64>>> {
        let next = self.blocks.next(|block| self.store.still_missing(block));
        self.progress.inc(self.blocks.take_by_others());
        next
    }

    fn store(&mut self, place: u64, runs: &[Run]) -> Result<()> {
        self.made += runs.len() as u64;
        self.store.append(place, runs)
    }
}

/// Of how many runs how many were `there` before, and how many were `made`.
fn summary(place: &str, [total, there, made]: [u64; 3], time: Duration) -> String {
    let others = (total - there).saturating_sub(made);
    let noted = |runs: u64, by: &str| if runs > 0 { format!(", {} {by}", count(runs)) } else { String::new() };
    let speed = made as f64 / time.as_secs_f64().max(1e-9);
    format!(
        "{} in {place}: {} made in {:.1} s ({} runs/s){}{}",
        counted(total, "run"),
        count(made),
        time.as_secs_f64(),
        count(speed as u64),
        noted(others, "by others meanwhile"),
        noted(there, "were there before"),
    )
}

pub(super) fn progress_bar(total: u64, from: u64, quiet: bool) -> ProgressBar {
    let visible = !quiet && std::io::stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), target).with_position(from);
    let speed =
        move |state: &ProgressState| state.pos().saturating_sub(from) as f64 / state.elapsed().as_secs_f64().max(1e-3);
    let per_sec = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{} runs/s", count(speed(state) as u64));
    };
    let left = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let rest = total.saturating_sub(state.pos()) as f64 / speed(state);
        let _ = if rest.is_finite() { write!(out, "{} left", duration(rest)) } else { Ok(()) };
    };
    // A broken template would show the default bar instead.
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {percent:>3} %  {human_pos} of {human_len} runs  {per_sec}  {left}")
    {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ ").with_key("per_sec", per_sec).with_key("left", left));
    }
    bar
}

/// A flag that the first Ctrl-C sets; the second ends the process at once.
pub(super) fn stop_flag() -> &'static AtomicBool {
    stop::flag(|| say("stopping; press Ctrl-C again to stop at once"))
}

pub(super) fn say(text: &str) {
    // If standard error is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{}", printable_lines(text));
}
