//! Trainings to draw: which network, from where, and how it went.

use crate::error::{Error, Result};
use crate::figure::curves::Moment;
use crate::sweep::{Draws, SweepPlan};
use crate::train::kernel;
use crate::train::network::Parameters;
use crate::train::schedule::{schedule_of, task_of};

/// Number of epochs, as in the article.
pub const EPOCHS: u32 = 10_000;
/// The article's learning rate.
pub const LEARNING_RATE: f64 = 0.1;
/// The article's standard deviation of the output layer in its sweep.
pub const OUTPUT_STD_DEV: f64 = 0.8165;
/// Mean loss below which a network counts as solved.
const SOLVED_BELOW: f64 = 0.1;

/// Where networks start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Standard deviation of the initial hidden weights and biases.
    pub hidden_std_dev: f64,
    /// Standard deviation of the initial output weights and bias.
    pub output_std_dev: f64,
    /// Key of the random numbers.
    pub seed: u64,
}

/// One training.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Which repetition of its start, from 0.
    pub replicate: u32,
    /// Every epoch.
    pub moments: Vec<Moment>,
    /// Parameters at the end.
    pub last: Parameters,
    /// Predictions of the last epoch for the four patterns.
    pub predicted: [f64; 4],
    /// Whether it learned XOR.
    pub is_solved: bool,
}

impl Start {
    /// The training of repetition `replicate`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a standard deviation that is negative.
    pub fn train(&self, replicate: u32) -> Result<Course> {
        let plan = SweepPlan {
            hidden_std_dev: vec![self.hidden_std_dev],
            output_std_dev: vec![self.output_std_dev],
            learning_rate: vec![LEARNING_RATE],
            epochs: vec![EPOCHS],
            runs: replicate + 1,
            seed: self.seed,
            draws: Draws::Independent,
            solved_below: SOLVED_BELOW,
        };
        let identity = plan.validated()?.run(u64::from(replicate));
        let mut moments = Vec::with_capacity(EPOCHS as usize);
        let outcome =
            kernel::train_observed(&task_of(&identity), &schedule_of(&identity), |epoch, loss, parameters| {
                moments.push(Moment { epoch, loss, parameters: *parameters });
            });
        Ok(Course {
            replicate,
            moments,
            last: outcome.last,
            predicted: outcome.predicted,
            is_solved: outcome.final_loss < SOLVED_BELOW,
        })
    }

    /// The first repetition that learns XOR.
    ///
    /// # Errors
    /// Those of [`Self::train`]; [`Error::Figure`] in the name of `figure` if none of a hundred does.
    pub fn train_until_solved(&self, figure: &'static str) -> Result<Course> {
        const MOST: u32 = 100;
        for replicate in 0..MOST {
            let course = self.train(replicate)?;
            if course.is_solved {
                return Ok(course);
            }
        }
        let reason = format!("none of {MOST} networks from standard deviation {} learned XOR", self.hidden_std_dev);
        Err(Error::Figure { figure, reason })
    }
}
