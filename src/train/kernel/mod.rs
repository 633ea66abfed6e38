//! Temporary: the plain loop.
use crate::train::network::{self, Outcome, Schedule, Task};

/// Trains a batch.
pub fn train_batch(tasks: &[Task], schedule: &Schedule, out: &mut [Outcome]) {
    for (task, out) in tasks.iter().zip(out) {
        *out = network::train(task, schedule, |_, _, _| {});
    }
}

/// Trains one network and shows every epoch.
pub fn trace(task: &Task, schedule: &Schedule, observe: impl FnMut(u32, f64, &network::Parameters)) -> Outcome {
    network::train(task, schedule, observe)
}

/// Name of the instruction set in use.
pub fn instruction_set() -> &'static str {
    "plain"
}
