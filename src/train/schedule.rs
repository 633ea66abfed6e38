//! Spreads the runs of a plan over the cores, in order, with flat memory.
//!
//! The plan is worked off in waves of about [`WAVE`]. Within a wave the threads take chunks of runs from one counter, so
//! that what is finished is always a prefix of the plan: a stopped sweep keeps every finished run. While one wave is
//! trained, the one before is handed to the sink. Timing decides how runs are grouped into waves, never what they give.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::course::Sequence;
use crate::error::Result;
use crate::sweep::{Run, RunIdentity};
use crate::train::initialisation::initial_parameters;
use crate::train::kernel::{self, Simd};
use crate::train::network::{Outcome, Schedule, Task};

/// Runs that a thread takes at once: some milliseconds of work, a multiple of every kernel's batch.
pub const CHUNK: u64 = 192;
/// How much work is handed over at once: little is lost by a crash, little time by threads that wait for the last.
const WAVE: Duration = Duration::from_millis(700);

/// Which runs to train, and what becomes of them.
pub trait Work: Send {
    /// The places of the next ones; nothing at the end.
    ///
    /// # Errors
    /// Those of finding out.
    fn next(&mut self) -> Result<Option<Range<u64>>>;

    /// Takes finished runs, which stand at `place` and after.
    ///
    /// # Errors
    /// Those of storing.
    fn store(&mut self, place: u64, runs: &[Run]) -> Result<()>;
}

/// One stretch of a plan, whose runs go into a function.
#[derive(Debug)]
pub struct Stretch<F> {
    places: Option<Range<u64>>,
    sink: F,
}

impl<F: FnMut(&[Run]) -> Result<()> + Send> Stretch<F> {
    /// The runs at `places`, in their order into `sink`.
    pub fn new(places: Range<u64>, sink: F) -> Self {
        Self { places: Some(places), sink }
    }
}

impl<F: FnMut(&[Run]) -> Result<()> + Send> Work for Stretch<F> {
    fn next(&mut self) -> Result<Option<Range<u64>>> {
        Ok(self.places.take())
    }

    fn store(&mut self, _: u64, runs: &[Run]) -> Result<()> {
        (self.sink)(runs)
    }
}

/// Trains the runs of `plan` that `work` gives, each stretch in its order. Calls `progress` with the number of runs that were just
/// finished, from any thread. Ends early once `stop` is set.
///
/// # Errors
/// Whatever `work` gives.
pub fn train_plan(
    plan: &impl Sequence,
    work: &mut impl Work,
    simd: Simd,
    stop: &AtomicBool,
    progress: impl Fn(u64) + Sync,
) -> Result<()> {
    let threads = rayon::current_num_threads() as u64;
    let mut chunks = threads;
    let mut finished: (u64, Vec<Run>) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed)
        && let Some(Range { mut start, end }) = work.next()?
    {
        while start < end && !stop.load(Ordering::Relaxed) {
            let wave = start..end.min(start.saturating_add(chunks * CHUNK));
            let began = Instant::now();
            let (trained, stored) =
                rayon::join(|| train_wave(plan, wave, simd, stop, &progress), || work.store(finished.0, &finished.1));
            stored?;
            finished = (start, trained);
            start += finished.1.len() as u64;
            let share = WAVE.as_secs_f64() / began.elapsed().as_secs_f64().max(1e-6);
            chunks = ((chunks as f64 * share.clamp(0.1, 8.0)) as u64).clamp(threads, 1 << 16);
        }
    }
    work.store(finished.0, &finished.1)
}

/// The runs of `range`, or a prefix of them if stopped.
fn train_wave(
    plan: &impl Sequence,
    range: Range<u64>,
    simd: Simd,
    stop: &AtomicBool,
    progress: &(impl Fn(u64) + Sync),
) -> Vec<Run> {
    let slots: Vec<OnceLock<Vec<Run>>> =
        (0..(range.end - range.start).div_ceil(CHUNK)).map(|_| OnceLock::new()).collect();
    let next = AtomicU64::new(0);
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                while !stop.load(Ordering::Relaxed) {
                    let chunk = next.fetch_add(1, Ordering::Relaxed);
                    let Some(slot) = slots.get(chunk as usize) else { break };
                    let start = range.start + chunk * CHUNK;
                    let identities: Vec<RunIdentity> =
                        (start..range.end.min(start + CHUNK)).map(|i| plan.run(i)).collect();
                    let runs = train_runs(simd, &identities);
                    progress(runs.len() as u64);
                    // Each slot has one owner, the thread that took its number.
                    let _ = slot.set(runs);
                }
            });
        }
    });
    slots.into_iter().map_while(OnceLock::into_inner).flatten().collect()
}

/// Trains `identities`, in their order. A run's result does not depend on its neighbours.
pub fn train_runs(simd: Simd, identities: &[RunIdentity]) -> Vec<Run> {
    let mut outcomes = vec![Outcome::default(); identities.len()];
    let mut schedules: Vec<Schedule> = Vec::new();
    for schedule in identities.iter().map(schedule_of) {
        if !schedules.contains(&schedule) {
            schedules.push(schedule);
        }
    }
    // Networks of one batch share the schedule.
    for schedule in schedules {
        let places: Vec<usize> = (0..identities.len()).filter(|i| schedule_of(&identities[*i]) == schedule).collect();
        let tasks: Vec<Task> = places.iter().map(|place| task_of(&identities[*place])).collect();
        let mut batch = vec![Outcome::default(); tasks.len()];
        kernel::train_batch(simd, &tasks, &schedule, &mut batch);
        places.into_iter().zip(batch).for_each(|(place, outcome)| outcomes[place] = outcome);
    }
    identities.iter().zip(&outcomes).map(|(identity, outcome)| stored(identity, outcome)).collect()
}

/// How long a run is trained.
pub fn schedule_of(identity: &RunIdentity) -> Schedule {
    Schedule { epochs: identity.epochs, solved_below: identity.solved_below }
}

/// Where a run starts.
pub fn task_of(identity: &RunIdentity) -> Task {
    Task { init: initial_parameters(identity), learning_rate: identity.learning_rate }
}

fn stored(identity: &RunIdentity, outcome: &Outcome) -> Run {
    let RunIdentity { hidden_std_dev, output_std_dev, learning_rate, epochs, solved_below, seed, draw, replicate } =
        *identity;
    let Outcome { total_loss: loss, final_loss, solved_epoch, .. } = *outcome;
    Run {
        hidden_std_dev,
        output_std_dev,
        loss,
        replicate,
        seed,
        final_loss,
        epochs,
        learning_rate,
        draw,
        solved_epoch,
        solved_below,
    }
}
