//! Which runs to make, and how: the arguments that `run` and `sweep` share.

use clap::Args;

use crate::cli::value::whole_number;
use crate::error::{Error, Result};
use crate::expression::evaluate;
use crate::sweep::{ARTICLE_LEVELS, ARTICLE_OUTPUT_STD_DEV, Draws, SweepPlan, parse_levels};
use crate::train::kernel::Simd;

/// Which runs to make.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Standard deviations of the initial hidden weights and biases [default: 400 levels, log:exp(-3):exp(4):400; or
    /// 1/sqrt(2) if another setting is swept]
    #[arg(
        long,
        value_name = "LEVELS",
        long_help = "Standard deviations of the initial hidden weights and biases:\na value, a list 0.1,0.5,1, log:START:STOP:COUNT or lin:START:STOP:COUNT;\nevery number may be an expression such as 1/sqrt(2)\n\n[default: log:exp(-3):exp(4):400, or 1/sqrt(2) if another setting is swept]"
    )]
    pub hidden_std_dev: Option<String>,
    /// Standard deviations of the initial output weights and bias
    #[arg(long, value_name = "LEVELS", default_value = ARTICLE_OUTPUT_STD_DEV)]
    pub output_std_dev: String,
    /// Levels of any of hidden_std_dev, output_std_dev, learning_rate, epochs; twice gives a grid
    #[arg(long, value_name = "NAME=LEVELS")]
    pub sweep: Vec<String>,
    /// Runs at each level
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub runs: u32,
    /// Epochs of each run
    #[arg(long, value_name = "LEVELS", default_value = "10000")]
    pub epochs: String,
    /// Step size of the gradient descent
    #[arg(long, value_name = "LEVELS", default_value = "0.1")]
    pub learning_rate: String,
    /// Key of the random numbers: the same seed gives the same runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Start replicate r from the same random numbers at every level, so that levels can be compared in pairs
    #[arg(long)]
    pub paired: bool,
    /// Mean loss below which a network counts as solved
    #[arg(long, value_name = "EXPR", default_value = "0.1", value_parser = evaluate)]
    pub solved_below: f64,
}

impl PlanArgs {
    /// The plan that was asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] for levels that mean nothing.
    pub fn plan(&self) -> Result<SweepPlan> {
        self.plan_of(false)
    }

    /// The same, its draws paired if `paired` is, whatever was asked for.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_of(&self, paired: bool) -> Result<SweepPlan> {
        let mut output = self.output_std_dev.as_str();
        let mut rate = self.learning_rate.as_str();
        let mut epochs = self.epochs.as_str();
        let mut hidden = self.hidden_std_dev.as_deref();
        for text in &self.sweep {
            let usage = |reason: &str| Error::Usage { what: "sweep", given: text.clone(), reason: reason.into() };
            let names = "expected NAME=LEVELS with hidden_std_dev, output_std_dev, learning_rate or epochs";
            let (name, levels) = text.split_once('=').ok_or_else(|| usage(names))?;
            match name.trim() {
                "hidden_std_dev" => hidden = Some(levels),
                "output_std_dev" => output = levels,
                "learning_rate" => rate = levels,
                "epochs" => epochs = levels,
                _ => return Err(usage(names)),
            }
        }
        let [output_std_dev, learning_rate, epochs] =
            [parse_levels(output)?, parse_levels(rate)?, parse_levels(epochs)?];
        let others_fixed = [&output_std_dev, &learning_rate, &epochs].iter().all(|levels| levels.len() == 1);
        let default = if others_fixed { ARTICLE_LEVELS } else { "1/sqrt(2)" };
        SweepPlan {
            hidden_std_dev: parse_levels(hidden.unwrap_or(default))?,
            output_std_dev,
            learning_rate,
            epochs: epochs.into_iter().map(whole_number).collect::<Result<_>>()?,
            runs: self.runs,
            seed: self.seed,
            draws: Draws::of(self.paired || paired),
            solved_below: self.solved_below,
        }
        .validated()
    }
}

/// How runs are trained; the results are the same to the bit.
#[derive(Debug, Args)]
pub struct TrainerArgs {
    /// Instruction set of the trainer; all give the same bits
    #[arg(long, value_enum, default_value = "auto")]
    pub simd: SimdChoice,
}

/// Instruction sets that the trainer can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SimdChoice {
    /// The fastest that this processor has.
    Auto,
    /// Eight networks in a vector.
    Avx512,
    /// Four networks in a vector.
    Avx2,
    /// Two networks in a vector.
    Neon,
    /// One network at a time, on any processor.
    Scalar,
}

impl TrainerArgs {
    /// The instruction set to use.
    ///
    /// # Errors
    /// [`Error::Usage`] if this processor does not have the one asked for.
    pub fn simd(&self) -> Result<Simd> {
        let available = Simd::available();
        let wanted: &[Simd] = match self.simd {
            SimdChoice::Auto => return Ok(Simd::detect()),
            SimdChoice::Avx512 => &[Simd::Avx512],
            SimdChoice::Avx2 => &[Simd::Avx2],
            SimdChoice::Neon => &[Simd::Neon],
            SimdChoice::Scalar => &[Simd::Scalar, Simd::Portable],
        };
        wanted.iter().find(|simd| available.contains(simd)).copied().ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|simd| simd.name()).collect();
            let reason = format!("this processor has {}", names.join(", "));
            Error::Usage { what: "instruction set", given: wanted[0].name().into(), reason }
        })
    }
}
