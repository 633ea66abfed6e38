//! `initsweep train`: one network, as in the article's first half.

use std::path::Path;

use serde::Serialize;

use crate::cli::{Global, TrainArgs, TrainFormat};
use crate::commands::print;
use crate::error::{Error, Result};
use crate::train::kernel;
use crate::train::network::{INPUTS, Outcome, Parameters, Task};
use crate::train::schedule::{schedule_of, task_of};

/// Epochs between two lines of the text output, as in the article.
const STRIDE: u32 = 500;

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] for settings that mean nothing, [`Error::Read`] or [`Error::Malformed`] for the file of parameters.
pub fn run(arguments: &TrainArgs, _: &Global) -> Result<()> {
    let identity = arguments.identity()?;
    let task = match &arguments.init {
        Some(path) => Task { init: read_parameters(path)?, learning_rate: identity.learning_rate },
        None => task_of(&identity),
    };
    let mut lines = String::new();
    let outcome = kernel::train_observed(&task, &schedule_of(&identity), |epoch, loss, _| {
        if epoch % STRIDE == 0 {
            lines.push_str(&format!("Epoch {epoch}, Loss: {loss:.4}\n"));
        }
    });
    match arguments.format {
        TrainFormat::Text => print(&(lines + &text(&outcome))),
        TrainFormat::Json => print(&json(&outcome)),
    }
}

fn text(outcome: &Outcome) -> String {
    let rows =
        INPUTS.iter().zip(outcome.predicted).map(|([a, b], predicted)| format!("  {a} xor {b}: {predicted:.3}\n"));
    format!("Predicted output:\n{}Total loss: {:.3}\n", rows.collect::<String>(), outcome.total_loss)
}

#[derive(Serialize)]
struct Wire {
    total_loss: f64,
    final_loss: f64,
    solved_epoch: Option<u32>,
    predicted: [f64; 4],
    #[serde(rename = "final")]
    last: Parameters,
}

fn json(outcome: &Outcome) -> String {
    let Outcome { total_loss, final_loss, solved_epoch, predicted, last } = *outcome;
    // Serialising a plain struct of numbers cannot fail.
    serde_json::to_string(&Wire { total_loss, final_loss, solved_epoch, predicted, last }).unwrap_or_default() + "\n"
}

fn read_parameters(path: &Path) -> Result<Parameters> {
    let text = std::fs::read_to_string(path).map_err(Error::read(path))?;
    serde_json::from_str(&text)
        .map_err(|e| Error::Malformed { path: path.into(), reason: format!("no parameters of the network: {e}") })
}
