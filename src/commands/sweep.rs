//! `initsweep sweep`: trains the runs of a plan and stores them, with progress, and goes on where it was stopped.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Global, SweepArgs};
use crate::error::{Error, Result};
use crate::format::{count, counted};
use crate::store::record::SweepRecord;
use crate::store::writer::{Existing, RunWriter};
use crate::sweep::SweepPlan;
use crate::train::kernel::Simd;
use crate::train::schedule;

/// Runs the command.
///
/// # Errors
/// Those of the plan, of training and of writing.
pub fn run(arguments: &SweepArgs, global: &Global) -> Result<()> {
    let existing = if arguments.fresh { Existing::Replace } else { Existing::Continue };
    make(&arguments.plan.plan()?, arguments.trainer.simd()?, &arguments.to, existing, global)
}

/// Makes the runs of `plan` that `target` does not hold yet.
///
/// # Errors
/// [`Error::Interrupted`] after Ctrl-C, and whatever the writer gives.
pub fn make(plan: &SweepPlan, simd: Simd, target: &Path, existing: Existing, global: &Global) -> Result<()> {
    let mut writer = RunWriter::open(target, plan, existing)?;
    let (from, total) = (writer.done(), plan.total());
    let began = Instant::now();
    let progress = progress_bar(total, from, global.quiet);
    let trained =
        schedule::train_plan(plan, from, simd, stop_flag(), |runs| progress.inc(runs), |runs| writer.append(runs));
    progress.finish_and_clear();
    trained?;
    let done = writer.done();
    if done < total {
        return Err(Error::Interrupted { done, total, path: writer.journal().to_path_buf() });
    }
    let path = writer.finish()?;
    SweepRecord::of_this_process(simd.name(), rayon::current_num_threads(), total).write(&path)?;
    if !global.quiet {
        say(&summary(&path, from, total, began.elapsed()));
    }
    Ok(())
}

fn summary(path: &Path, from: u64, total: u64, time: Duration) -> String {
    let made = total - from;
    let kept = if from > 0 { format!(", {} were there before", count(from)) } else { String::new() };
    let speed = made as f64 / time.as_secs_f64().max(1e-9);
    format!(
        "{} in {}: {} made in {:.1} s ({} runs/s){kept}",
        counted(total, "run"),
        path.display(),
        count(made),
        time.as_secs_f64(),
        count(speed as u64)
    )
}

fn progress_bar(total: u64, from: u64, quiet: bool) -> ProgressBar {
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
fn stop_flag() -> &'static AtomicBool {
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

fn say(text: &str) {
    // If standard error is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}
