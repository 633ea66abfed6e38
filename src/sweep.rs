//! The domain: what a sweep is made of. The words, one meaning each, as statistics and machine learning use them:
//!
//! | word | meaning |
//! |---|---|
//! | sweep | an experiment repeated along a setting |
//! | factor | the setting that is varied (here the standard deviation of the initial hidden weights) |
//! | level | one value of the factor |
//! | run | one training, with the loss it reached |
//! | replicate | the same level again with another random draw, numbered from 0 |
//! | metric | the number measured in a run: the loss |
//! | sample | the finite metric values at one level |
//! | reference | a level with a name, such as Xavier = 1/√2 |

pub mod part;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::expression::evaluate;

/// The swept column, unless `--x` names another.
pub const DEFAULT_FACTOR: &str = "hidden_std_dev";
/// The measured column, unless `--y` names another.
pub const DEFAULT_METRIC: &str = "loss";
/// Column of the loss in the last epoch.
pub const FINAL_LOSS: &str = "final_loss";
/// Column of the mean loss below which a network counts as solved.
pub const SOLVED_BELOW: &str = "solved_below";
/// Columns that say how a run was made; runs that differ in one of them should not be pooled unnoticed.
pub const SETTING_COLUMNS: [&str; 4] = ["hidden_std_dev", "output_std_dev", "epochs", "learning_rate"];
/// The article's levels: exp of 400 even steps from −3 to 4.
pub const ARTICLE_LEVELS: &str = "log:exp(-3):exp(4):400";
/// The article's standard deviation of the output layer, √(2/3) to four digits.
pub const ARTICLE_OUTPUT_STD_DEV: &str = "0.8165";

/// One training as it is stored: a row of a file of runs, in the order of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Standard deviation of the initial hidden weights and hidden biases.
    pub hidden_std_dev: f64,
    /// Standard deviation of the initial output weights and output bias.
    pub output_std_dev: f64,
    /// Sum over the epochs of the mean loss of the four patterns.
    pub loss: f64,
    /// Which repetition at this level, from 0.
    pub replicate: u32,
    /// The sweep's seed.
    pub seed: u64,
    /// Mean loss of the four patterns in the last epoch.
    pub final_loss: f64,
    /// Number of epochs.
    pub epochs: u32,
    /// Step size of the gradient descent.
    pub learning_rate: f64,
    /// Which stream of random numbers: runs of equal seed, draw and replicate start from the same standard normals.
    pub draw: u64,
    /// First epoch, from 0, whose mean loss was below `solved_below`; empty if there was none.
    pub solved_epoch: Option<u32>,
    /// Mean loss below which a network counts as solved.
    pub solved_below: f64,
}

/// What a run is before it is made: everything that its row depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunIdentity {
    /// Standard deviation of the initial hidden weights and hidden biases.
    pub hidden_std_dev: f64,
    /// Standard deviation of the initial output weights and output bias.
    pub output_std_dev: f64,
    /// Step size of the gradient descent.
    pub learning_rate: f64,
    /// Number of epochs.
    pub epochs: u32,
    /// Mean loss below which a network counts as solved.
    pub solved_below: f64,
    /// Key of the random numbers.
    pub seed: u64,
    /// Which stream of random numbers.
    pub draw: u64,
    /// Which repetition, from 0.
    pub replicate: u32,
}

impl Run {
    /// What the run was before it was made.
    pub fn identity(&self) -> RunIdentity {
        let Self { hidden_std_dev, output_std_dev, learning_rate, epochs, solved_below, seed, draw, replicate, .. } =
            *self;
        RunIdentity { hidden_std_dev, output_std_dev, learning_rate, epochs, solved_below, seed, draw, replicate }
    }
}

impl std::fmt::Display for RunIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { hidden_std_dev, output_std_dev, learning_rate, epochs, solved_below, seed, draw, replicate } = self;
        write!(
            f,
            "hidden_std_dev {hidden_std_dev}, output_std_dev {output_std_dev}, learning_rate {learning_rate}, epochs {epochs}, \
             seed {seed}, draw {draw}, replicate {replicate}, solved_below {solved_below}"
        )
    }
}

/// A named level, drawn as a vertical line and compared with the minimum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// What the user calls it.
    pub name: String,
    /// The expression as the user wrote it: `1/sqrt(2)`.
    pub expression: String,
    /// Its value.
    pub value: f64,
    /// Whether figures show it as a line.
    pub drawn: bool,
}

impl Reference {
    /// The references of a sweep of the hidden standard deviation: the article's 1, compared only, and Xavier's 1/√2
    /// (Glorot and Bengio 2010, eq. 12, for fan_in = fan_out = 2: √(2 / (fan_in + fan_out))).
    pub fn defaults_for(factor: &str) -> Vec<Self> {
        if factor != DEFAULT_FACTOR {
            return Vec::new();
        }
        vec![
            Self { name: "1".into(), expression: "1".into(), value: 1.0, drawn: false },
            Self {
                name: "Xavier".into(),
                expression: "1/sqrt(2)".into(),
                value: std::f64::consts::FRAC_1_SQRT_2,
                drawn: true,
            },
        ]
    }

    /// Reads `NAME=EXPR`.
    ///
    /// # Errors
    /// [`Error::Usage`] without a name, an equals sign or a finite value.
    pub fn parse(text: &str) -> Result<Self> {
        let usage = |reason: &str| Error::Usage { what: "reference", given: text.into(), reason: reason.into() };
        let (name, expression) =
            text.split_once('=').ok_or_else(|| usage("expected NAME=EXPR, such as Xavier=1/sqrt(2)"))?;
        let (name, expression) = (name.trim(), expression.trim());
        if name.is_empty() {
            return Err(usage("the name is empty"));
        }
        Ok(Self { name: name.into(), expression: expression.into(), value: evaluate(expression)?, drawn: true })
    }

    /// The defaults of `factor`, with those of the same name replaced by `given` and the others of `given` added.
    pub fn with_defaults(factor: &str, given: &[Self]) -> Vec<Self> {
        let mut all = Self::defaults_for(factor);
        all.retain(|default| given.iter().all(|reference| reference.name != default.name));
        all.extend_from_slice(given);
        all
    }
}

/// Reads levels: a value, a list `0.1,0.5,1`, `log:START:STOP:COUNT` or `lin:START:STOP:COUNT`, each number an expression.
///
/// A spaced list holds its ends exactly; logarithmic steps are even in ln, computed with `libm`.
///
/// # Errors
/// [`Error::Usage`] for anything else, for values that repeat, and for more than 10⁷ levels.
///
/// # Examples
/// ```
/// use initsweep::sweep::parse_levels;
/// assert_eq!(parse_levels("lin:0:1:3").unwrap(), [0.0, 0.5, 1.0]);
/// assert_eq!(parse_levels("1/sqrt(4), 1").unwrap(), [0.5, 1.0]);
/// ```
pub fn parse_levels(text: &str) -> Result<Vec<f64>> {
    let usage = |reason: String| Error::Usage { what: "levels", given: text.into(), reason };
    let levels = match text.split_once(':') {
        Some((spacing, rest)) => {
            let [start, stop, count] = rest.split(':').collect::<Vec<_>>()[..] else {
                return Err(usage("expected log:START:STOP:COUNT or lin:START:STOP:COUNT".into()));
            };
            let count: u32 =
                count.trim().parse().map_err(|_| usage(format!("the count '{count}' is not a whole number")))?;
            if count == 0 || count > MAX_PLANNED_LEVELS {
                return Err(usage(format!("the count must be from 1 to {MAX_PLANNED_LEVELS}")));
            }
            spaced(spacing.trim(), evaluate(start)?, evaluate(stop)?, count).map_err(usage)?
        }
        None => text.split(',').map(evaluate).collect::<Result<_>>()?,
    };
    let mut sorted = levels.clone();
    sorted.sort_by(f64::total_cmp);
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(usage(format!("the level {} is there twice", pair[0]))),
        None => Ok(levels),
    }
}

const MAX_PLANNED_LEVELS: u32 = 10_000_000;

fn spaced(spacing: &str, start: f64, stop: f64, count: u32) -> Result<Vec<f64>, String> {
    let (from, to) = match spacing {
        "lin" => (start, stop),
        "log" if start > 0.0 && stop > 0.0 => (libm::log(start), libm::log(stop)),
        "log" => return Err("both ends of a logarithmic range must be above 0".into()),
        _ => return Err(format!("'{spacing}' is neither log nor lin")),
    };
    // As NumPy's linspace: the step once, then start + i·step.
    let step = (to - from) / f64::from(count.max(2) - 1);
    let inner = |i: u32| {
        let value = from + f64::from(i) * step;
        if spacing == "log" { libm::exp(value) } else { value }
    };
    Ok((0..count)
        .map(|i| match i {
            0 => start,
            i if i == count - 1 => stop,
            i => inner(i),
        })
        .collect())
}

/// Which runs a sweep is made of: every combination of the levels of four factors, repeated. Equal plans give equal runs,
/// bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepPlan {
    /// Levels of the hidden standard deviation.
    pub hidden_std_dev: Vec<f64>,
    /// Levels of the output standard deviation.
    pub output_std_dev: Vec<f64>,
    /// Levels of the learning rate.
    pub learning_rate: Vec<f64>,
    /// Levels of the number of epochs.
    pub epochs: Vec<u32>,
    /// Replicates per combination of levels.
    pub runs: u32,
    /// Key of the random numbers.
    pub seed: u64,
    /// Whether levels share their random numbers.
    pub draws: Draws,
    /// Mean loss below which a network counts as solved.
    pub solved_below: f64,
}

impl SweepPlan {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`Error::Usage`] for negative standard deviations, learning rates that are not above 0, no runs, no epochs, or more
    /// runs than 2⁶³.
    pub fn validated(self) -> Result<Self> {
        let usage = |what, given: String, reason: &str| Err(Error::Usage { what, given, reason: reason.into() });
        if let Some(level) = self.hidden_std_dev.iter().chain(&self.output_std_dev).find(|level| **level < 0.0) {
            return usage("standard deviation", level.to_string(), "it must not be negative");
        }
        if let Some(rate) = self.learning_rate.iter().find(|rate| **rate <= 0.0) {
            return usage("learning rate", rate.to_string(), "it must be above 0");
        }
        if !(self.solved_below.is_finite() && self.solved_below > 0.0) {
            return usage("solved-below", self.solved_below.to_string(), "it must be a finite number above 0");
        }
        if self.epochs.contains(&0) {
            return usage("epochs", "0".into(), "at least one epoch is needed");
        }
        if self.runs == 0 {
            return usage("runs", "0".into(), "at least one run per level is needed");
        }
        let sizes = [self.hidden_std_dev.len(), self.output_std_dev.len(), self.learning_rate.len(), self.epochs.len()];
        let total = sizes.iter().try_fold(u64::from(self.runs), |total, size| total.checked_mul(*size as u64));
        if total.is_none_or(|total| total > 1 << 63) {
            return usage("sweep", format!("{sizes:?} levels"), "that many runs cannot be counted");
        }
        Ok(self)
    }

    /// Combinations of levels.
    pub fn levels(&self) -> u64 {
        [self.hidden_std_dev.len(), self.output_std_dev.len(), self.learning_rate.len(), self.epochs.len()]
            .iter()
            .map(|size| *size as u64)
            .product()
    }

    /// Runs in all.
    pub fn total(&self) -> u64 {
        self.levels() * u64::from(self.runs)
    }

    /// The columns of the factors with more than one level.
    pub fn swept(&self) -> impl Iterator<Item = &'static str> {
        [
            ("hidden_std_dev", self.hidden_std_dev.len()),
            ("output_std_dev", self.output_std_dev.len()),
            ("learning_rate", self.learning_rate.len()),
            ("epochs", self.epochs.len()),
        ]
        .into_iter()
        .filter_map(|(name, levels)| (levels > 1).then_some(name))
    }

    /// The same plan with `levels` of the factor in column `factor`, one of [`Self::swept`]'s; numbers of epochs are rounded.
    #[must_use]
    pub fn along(&self, factor: &str, levels: &[f64]) -> Self {
        let mut plan = self.clone();
        match factor {
            "output_std_dev" => plan.output_std_dev = levels.to_vec(),
            "learning_rate" => plan.learning_rate = levels.to_vec(),
            "epochs" => plan.epochs = levels.iter().map(|level| libm::round(*level) as u32).collect(),
            _ => plan.hidden_std_dev = levels.to_vec(),
        }
        plan
    }

    /// The levels of the factor in column `factor`.
    pub fn levels_of(&self, factor: &str) -> Vec<f64> {
        match factor {
            "output_std_dev" => self.output_std_dev.clone(),
            "learning_rate" => self.learning_rate.clone(),
            "epochs" => self.epochs.iter().map(|epochs| f64::from(*epochs)).collect(),
            _ => self.hidden_std_dev.clone(),
        }
    }

    /// The identity of the run at place `index` of the plan, which must be below [`Self::total`].
    ///
    /// Replicate by replicate, each over all levels: whatever prefix of a sweep is finished, every level has its share,
    /// and a sweep with more `runs` begins with the same rows.
    pub fn run(&self, index: u64) -> RunIdentity {
        let mut rest = index;
        let mut take = |size: usize| {
            let place = rest % size as u64;
            rest /= size as u64;
            place as usize
        };
        let epochs = self.epochs[take(self.epochs.len())];
        let learning_rate = self.learning_rate[take(self.learning_rate.len())];
        let output_std_dev = self.output_std_dev[take(self.output_std_dev.len())];
        let hidden_std_dev = self.hidden_std_dev[take(self.hidden_std_dev.len())];
        RunIdentity {
            hidden_std_dev,
            output_std_dev,
            learning_rate,
            epochs,
            solved_below: self.solved_below,
            seed: self.seed,
            draw: self.draws.stream([hidden_std_dev, output_std_dev, learning_rate, f64::from(epochs)]),
            replicate: rest as u32,
        }
    }
}

/// Which random numbers the runs of a sweep start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Draws {
    /// Every level has its own.
    Independent,
    /// Replicate r starts from the same standard normals at every level (common random numbers), so that differences
    /// between levels vary less than the levels themselves.
    Paired,
}

impl Draws {
    /// Paired draws, or independent ones.
    pub fn of(paired: bool) -> Self {
        if paired { Self::Paired } else { Self::Independent }
    }

    /// The stream of a run with these levels: a digest of their bits (−0 counting as 0), or 0 for paired draws.
    ///
    /// SplitMix64's finaliser (Steele, Lea and Flood 2014), cut to 53 bits, which every data format keeps. Two of 400
    /// levels share a stream with probability 1e-11; they would then be paired by accident.
    fn stream(self, levels: [f64; 4]) -> u64 {
        if self == Self::Paired {
            return 0;
        }
        let digest = levels.iter().fold(0, |digest: u64, level| {
            let mut z = (digest ^ (level + 0.0).to_bits()).wrapping_add(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        });
        digest >> 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn article_levels_equal_numpy() {
        let levels = parse_levels(ARTICLE_LEVELS).unwrap();
        assert_eq!(levels.len(), 400);
        let numpy: Vec<f64> =
            include_str!("../tests/fixtures/numpy-levels.txt").lines().map(|l| l.parse().unwrap()).collect();
        let worst = levels.iter().zip(&numpy).map(|(a, b)| (a.to_bits() as i64 - b.to_bits() as i64).abs()).max();
        // NumPy's vectorised exp and libm's are each within 1 ULP of the true value.
        assert!(worst.unwrap() <= 1, "{worst:?}");
    }

    #[test]
    fn spaced_levels_hold_their_ends() {
        let levels = parse_levels("log:0.1:10:3").unwrap();
        assert_eq!((levels[0], levels[2]), (0.1, 10.0));
        assert!((levels[1] - 1.0).abs() < 1e-15);
        assert_eq!(parse_levels("lin:0.5:2:1").unwrap(), [0.5]);
    }

    #[test]
    fn bad_levels_are_refused() {
        for text in [
            "",
            "a",
            "1,,2",
            "1,1",
            "log:0:1:5",
            "lin:0:1",
            "lin:0:1:0",
            "lin:0:1:2.5",
            "geo:1:2:3",
            "lin:1:1:3",
            "0,-0",
        ] {
            assert!(matches!(parse_levels(text), Err(Error::Usage { .. })), "{text}");
        }
    }

    #[test]
    fn more_runs_extend_the_same_plan() {
        let plan = |runs| SweepPlan {
            hidden_std_dev: vec![0.5, 1.0, 2.0],
            output_std_dev: vec![0.1, 0.2],
            learning_rate: vec![0.1],
            epochs: vec![10],
            runs,
            seed: 1,
            draws: Draws::Independent,
            solved_below: 0.1,
        };
        let (short, long) = (plan(2), plan(5));
        assert!((0..short.total()).all(|i| short.run(i) == long.run(i)));
        let seventh = long.run(7);
        assert_eq!((seventh.hidden_std_dev, seventh.output_std_dev, seventh.replicate), (0.5, 0.2, 1));
        assert_eq!(long.swept().collect::<Vec<_>>(), ["hidden_std_dev", "output_std_dev"]);
        let paired = SweepPlan { draws: Draws::Paired, ..plan(2) };
        assert!((0..6).all(|i| paired.run(i).draw == 0));
        let streams: std::collections::HashSet<u64> = (0..6).map(|i| long.run(i).draw).collect();
        assert!(streams.len() == 6 && streams.iter().all(|stream| stream >> 53 == 0));
        assert!(SweepPlan { runs: 0, ..plan(1) }.validated().is_err());
        assert!(SweepPlan { learning_rate: vec![0.0], ..plan(1) }.validated().is_err());
    }

    #[test]
    fn references_replace_by_name_and_add() {
        let given = [Reference::parse("Xavier=0.6").unwrap(), Reference::parse("He = 1").unwrap()];
        let all = Reference::with_defaults(DEFAULT_FACTOR, &given);
        assert_eq!(
            all.iter().map(|r| (r.name.as_str(), r.value)).collect::<Vec<_>>(),
            [("1", 1.0), ("Xavier", 0.6), ("He", 1.0)]
        );
        assert!(Reference::with_defaults("learning_rate", &[]).is_empty());
        assert!(Reference::parse("0.5").is_err() && Reference::parse("=1").is_err());
    }
}
