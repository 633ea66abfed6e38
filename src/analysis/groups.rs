//! What is known of every level: from its runs, or from a summary of them.

use std::borrow::Cow;
use std::collections::HashMap;

use rayon::prelude::*;

use crate::analysis::failures::Failures;
use crate::analysis::goal::Goal;
use crate::analysis::statistic::Statistic;
use crate::data::LevelSummary;
use crate::data::RunTable;
use crate::group::Sample;
use crate::stats::basins::{Basin, Basins, Cuts, mean_lies_in_gap};
use crate::stats::interval::{ConfidenceInterval, Estimate, Method};
use crate::stats::quantile::{Places, QUARTER, TrimmedInTurn};
use crate::stats::{Summary, centre};
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC, FINAL_LOSS, SOLVED_BELOW};

/// The share of the runs that the trimmed mean leaves out on each side. Small, because what is far
/// off may be a basin of its own: a share near that of the stuck runs would make the mean jump
/// where they become more.
pub const TRIMMED: f64 = 0.1;

/// The shares at which quantiles are given.
pub const QUANTILES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

/// Loss below which a network counts as solved, where the runs do not say.
const SOLVED: f64 = 0.1;

/// Number of epochs of the article's runs, which have no such column.
const ARTICLE_EPOCHS: f64 = 10_000.0;

/// The runs at one level, described. What only the runs themselves can give is absent where there
/// is but a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The factor's value.
    pub level: f64,
    /// How many of its runs failed. They have no part in the numbers below unless they count with a
    /// value or as the worst.
    pub failures: Failures,
    /// Its sample: number, mean with its t interval, standard deviation, quartiles and ends.
    pub summary: Summary,
    /// The median with its interval between order statistics and the error by McKean and Schrader.
    pub median: Option<Estimate>,
    /// The mean without the least and the greatest tenth ([`TRIMMED`]).
    pub trimmed_mean: Option<Estimate>,
    /// The mean of the middle half.
    pub interquartile_mean: Option<Estimate>,
    /// Quantiles at [`QUANTILES`], type 7 of Hyndman and Fan, with intervals between order
    /// statistics; empty for a summary.
    pub quantiles: Vec<Quantile>,
    /// In which basins its runs ended, where that is known.
    pub basins: Option<Basins>,
    /// Whether mean ± error hides that there are two kinds of run.
    pub hides_mixture: bool,
}

/// A quantile of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// Which: 0.25 is the first quartile.
    pub share: f64,
    /// Its value; the interval is absent where the sample is too small for one.
    pub estimate: Estimate,
}

impl Group {
    /// Share of its runs that solved the task, where that is known.
    pub fn solved_share(&self) -> Option<&Estimate> {
        self.basins.as_ref().map(|basins| &basins.solved().share)
    }

    /// Of the runs at one level, whose values and failed runs that rank are as many as `places` are
    /// for; `None` if none has a value.
    fn of_sample(sample: &Sample, rule: &GroupRule<'_>, places: &SamplePlaces) -> Option<Self> {
        let (sorted, confidence) = (&sample.sorted, rule.confidence);
        let TrimmedInTurn { measured, moments } = TrimmedInTurn::new(sorted, &[QUARTER, TRIMMED])?;
        let [interquartile, trimmed] =
            [&measured[0], &measured[1]].map(|mean| Some(mean.estimate(confidence, Method::TrimmedT)));
        let (summary, ranked) = (Summary::of_sorted_by(sorted, &moments, confidence)?, rule.ranked(sample));
        let quantile =
            |(share, places): (f64, &Places)| Some(Quantile { share, estimate: finite(places.estimate(&ranked))? });
        let quantiles: Vec<Quantile> = QUANTILES.into_iter().zip(&places.quantiles).filter_map(quantile).collect();
        let at = |share| quantiles.iter().find(|quantile| quantile.share == share).map(|quantile| quantile.estimate);
        let point = |share| at(share).map(|estimate| estimate.point);
        let error = centre::median_error(&places.median.estimate(&ranked)).filter(|error| error.is_finite());
        let basins = rule.basins.and_then(|rule| Basins::of(&rule.each(sample), sorted, confidence));
        let summary = Summary { median: point(0.5), q25: point(0.25), q75: point(0.75), ..summary };
        Some(Self {
            level: sample.level,
            failures: Failures::new(sample.failed, sample.runs, confidence),
            median: at(0.5).map(|median| Estimate { standard_error: error, ..median }),
            trimmed_mean: trimmed,
            interquartile_mean: interquartile,
            quantiles,
            hides_mixture: basins
                .as_ref()
                .map_or_else(|| mean_lies_in_gap(sorted, &summary.mean), |basins| basins.hides_mixture),
            basins,
            summary,
        })
    }

    /// Of what sums say of a level.
    pub(super) fn of_summary(level: &LevelSummary, failures: Failures, confidence: f64) -> Self {
        let summary = Summary::of_moments(level.n, level.mean, level.std_dev, confidence);
        Self {
            level: level.level,
            failures,
            summary: Summary { min: level.min, max: level.max, ..summary },
            median: None,
            trimmed_mean: None,
            interquartile_mean: None,
            quantiles: Vec::new(),
            basins: None,
            hides_mixture: false,
        }
    }
}

/// What all samples of a size share.
struct SamplePlaces {
    quantiles: [Places; QUANTILES.len()],
    /// Those that the error of the median comes from.
    median: Places,
}

impl SamplePlaces {
    fn new(n: usize, confidence: f64) -> Self {
        let quantiles = QUANTILES.map(|share| Places::new(n, share, confidence));
        Self { quantiles, median: Places::new(n, 0.5, centre::MEDIAN_CONFIDENCE) }
    }
}

/// `None` for a value that is that of a failed run; without its interval if an end of that is.
fn finite(estimate: Estimate) -> Option<Estimate> {
    let is_finite = |interval: &ConfidenceInterval| interval.lower.is_finite() && interval.upper.is_finite();
    estimate.point.is_finite().then(|| Estimate { interval: estimate.interval.filter(is_finite), ..estimate })
}

/// How the runs of a level are described.
#[derive(Debug, Clone, Copy)]
pub struct GroupRule<'a> {
    /// Nominal coverage of the intervals.
    pub confidence: f64,
    /// What decides in which basin a run ended.
    pub basins: Option<&'a BasinRule>,
    /// What a failed run without a value counts as where only the order matters: ∞ or −∞; `None` if
    /// it does not count.
    pub worst: Option<f64>,
}

impl<'a> GroupRule<'a> {
    /// That for levels compared by `statistic`: of a median failed runs are the worst.
    pub fn new(confidence: f64, basins: Option<&'a BasinRule>, statistic: Statistic, goal: Goal) -> Self {
        let worst = (statistic == Statistic::Median).then_some(goal.sign() * f64::INFINITY);
        Self { confidence, basins, worst }
    }

    /// The levels of `samples`, in their order; `None` for one without any value.
    pub fn describe_all(&self, samples: &[Sample]) -> Vec<Option<Group>> {
        let mut sizes: Vec<usize> = samples.iter().map(|sample| self.ranked(sample).len()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let places = |n: usize| (n, SamplePlaces::new(n, self.confidence));
        let of_size: HashMap<usize, SamplePlaces> = sizes.into_par_iter().filter(|n| *n > 0).map(places).collect();
        let group = |sample: &Sample| Group::of_sample(sample, self, of_size.get(&self.ranked(sample).len())?);
        samples.par_iter().map(group).collect()
    }

    /// The values of `sample`, ascending, with those of the failed runs where they count as the
    /// worst.
    fn ranked<'s>(&self, sample: &'s Sample) -> Cow<'s, [f64]> {
        match self.worst {
            Some(worst) => with_failed_as(worst, sample, &sample.sorted),
            None => Cow::Borrowed(&sample.sorted),
        }
    }
}

/// The groups of `samples`, each of which has values, at 95 %.
#[cfg(test)]
pub fn of_means(samples: &[Sample]) -> Vec<Group> {
    let rule = GroupRule::new(0.95, None, Statistic::Mean, Goal::Min);
    rule.describe_all(samples).into_iter().flatten().collect()
}

/// The `values` of `sample`, ascending, and `worst`, ∞ or −∞, for each failed run without a value.
pub(super) fn with_failed_as<'s>(worst: f64, sample: &Sample, values: &'s [f64]) -> Cow<'s, [f64]> {
    let failed = (sample.runs as usize).saturating_sub(sample.sorted.len());
    if failed == 0 {
        return Cow::Borrowed(values);
    }
    let worst = vec![worst; failed];
    Cow::Owned(if worst[0] > 0.0 { [values, &worst].concat() } else { [worst.as_slice(), values].concat() })
}

/// What decides in which basin a run of the trainer ended; the cuts are those of
/// [`crate::stats::basins`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BasinRule {
    /// The loss of its last epoch.
    FinalLoss {
        /// Solved below this.
        solved_below: f64,
    },
    /// Its total loss divided by the number of epochs: a run that is solved late counts as stuck, a
    /// few in a hundred.
    TotalLoss {
        /// Number of epochs of every run.
        epochs: f64,
    },
}

impl BasinRule {
    /// The rule for these runs; nothing if they are not the trainer's, or do not tell.
    pub fn of(table: &RunTable, samples: &[Sample]) -> Option<Self> {
        let only = |name: &str| {
            let [value] = table.settings.get(name)?.values() else { return None };
            value.parse::<f64>().ok()
        };
        let roles = &table.roles;
        let is_trainers = roles.factor == DEFAULT_FACTOR || table.settings.contains_key(DEFAULT_FACTOR);
        let has_final =
            |sample: &Sample| !sample.final_loss.is_empty() && !sample.final_loss.iter().any(|x| x.is_nan());
        if is_trainers && (roles.metric == FINAL_LOSS || samples.iter().all(has_final)) {
            return Some(Self::FinalLoss { solved_below: only(SOLVED_BELOW).unwrap_or(SOLVED) });
        }
        let has_epochs = table.settings.contains_key("epochs");
        let epochs = if has_epochs { only("epochs")? } else { ARTICLE_EPOCHS };
        let is_articles = roles.factor == DEFAULT_FACTOR && roles.metric == DEFAULT_METRIC;
        is_articles.then_some(Self::TotalLoss { epochs })
    }

    /// The basin of each run of `sample`, in its order.
    fn each(&self, sample: &Sample) -> Vec<Basin> {
        match self {
            Self::FinalLoss { solved_below } => {
                let cuts = Cuts::of_final_loss(*solved_below);
                let losses = if sample.final_loss.is_empty() { &sample.sorted } else { &sample.final_loss };
                losses.iter().map(|loss| cuts.basin(*loss)).collect()
            }
            Self::TotalLoss { epochs } => {
                sample.sorted.iter().map(|loss| Cuts::OF_MEAN_LOSS.basin(loss / epochs)).collect()
            }
        }
    }

    /// Whether each run of `sample` solved its task, in its order.
    pub fn solved(&self, sample: &Sample) -> Vec<bool> {
        self.each(sample).into_iter().map(|basin| basin == Basin::Solved).collect()
    }
}
