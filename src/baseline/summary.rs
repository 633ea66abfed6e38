//! Reads an earlier `summary.json`.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::analysis::{Analysis, Goal, SCHEMA_VERSION};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::stats::{ConfidenceInterval, Estimate, Method};

/// What an earlier report found.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Path of its summary.
    pub path: String,
    /// Runs used.
    pub runs: u64,
    /// Its levels that took part, ascending.
    pub groups: Vec<EarlierLevel>,
    /// The fitted minimum's place.
    pub place: Option<Estimate>,
    /// The fitted minimum's value.
    pub value: Option<Estimate>,
    /// The verdict, by its name in the JSON.
    pub verdict: String,
    factor: String,
    metric: String,
    goal: Goal,
}

/// A level of an earlier report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlierLevel {
    /// The factor's value.
    pub level: f64,
    /// Number of runs.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, divisor n − 1.
    pub std_dev: Option<f64>,
    /// The least; unknown where summaries were reported.
    pub min: Option<f64>,
    /// The greatest; unknown likewise.
    pub max: Option<f64>,
}

#[derive(Deserialize)]
struct WireLevel {
    level: f64,
    n: u64,
    /// `null` where every run failed.
    mean: Option<f64>,
    std_dev: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    /// Summaries of earlier versions do not say: there failed runs were left out.
    #[serde(default = "yes")]
    eligible: bool,
}

fn yes() -> bool {
    true
}

impl WireLevel {
    /// `None` for a level that took no part.
    fn taking_part(&self) -> Option<EarlierLevel> {
        let Self { level, n, mean, std_dev, min, max, eligible } = *self;
        Some(EarlierLevel { level, n, mean: mean.filter(|_| eligible)?, std_dev, min, max })
    }
}

#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

#[derive(Deserialize)]
struct Wire {
    factor: String,
    metric: String,
    confidence: f64,
    /// Summaries of earlier versions have none.
    goal: Option<Goal>,
    #[serde(default)]
    statistic: String,
    groups: Vec<WireLevel>,
    minimum: WireMinimum,
}

impl Wire {
    /// Without one the minimum was sought, but for the share of solved runs.
    fn goal(&self) -> Goal {
        let usual = if self.statistic == "solved_share" { Goal::Max } else { Goal::Min };
        self.goal.unwrap_or(usual)
    }
}

#[derive(Deserialize)]
struct WireMinimum {
    fitted: Option<WireFitted>,
    verdict: String,
}

#[derive(Deserialize)]
struct WireFitted {
    level: f64,
    ci_lower: Option<f64>,
    ci_upper: Option<f64>,
    value: f64,
    value_ci_lower: Option<f64>,
    value_ci_upper: Option<f64>,
}

impl Earlier {
    /// Reads the summary at `path`.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Baseline`] for anything but a summary of this schema.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::read(path))?;
        let failed = |reason: String| Error::Baseline { path: path.to_path_buf(), reason };
        let not_a_summary = |e: serde_json::Error| failed(format!("it is no summary.json of a report ({e})"));
        let Version { schema_version } = serde_json::from_slice(&bytes).map_err(not_a_summary)?;
        if schema_version != SCHEMA_VERSION {
            return Err(failed(format!("its schema_version is {schema_version}, not {SCHEMA_VERSION}")));
        }
        let wire: Wire = serde_json::from_slice(&bytes).map_err(not_a_summary)?;
        if !wire.groups.is_sorted_by(|a, b| a.level < b.level) {
            return Err(failed("its levels do not ascend".into()));
        }
        let estimate = |point: f64, lower: Option<f64>, upper: Option<f64>| Estimate {
            point,
            standard_error: None,
            interval: lower.zip(upper).map(|(lower, upper)| ConfidenceInterval {
                level: wire.confidence,
                lower,
                upper,
                method: Method::BootstrapPercentile,
            }),
        };
        let fitted = wire.minimum.fitted.as_ref();
        let groups: Vec<EarlierLevel> = wire.groups.iter().filter_map(WireLevel::taking_part).collect();
        Ok(Self {
            path: path.display().to_string(),
            runs: groups.iter().map(|group| group.n).sum(),
            goal: wire.goal(),
            place: fitted.map(|f| estimate(f.level, f.ci_lower, f.ci_upper)),
            value: fitted.map(|f| estimate(f.value, f.value_ci_lower, f.value_ci_upper)),
            groups,
            verdict: wire.minimum.verdict,
            factor: wire.factor,
            metric: wire.metric,
        })
    }

    /// Checks that it is about the same columns as `analysis`, and seeks the same of them.
    ///
    /// # Errors
    /// [`Error::Baseline`].
    pub fn matching(self, analysis: &Analysis) -> Result<Self> {
        if (&self.factor, &self.metric) == (&analysis.factor, &analysis.metric) {
            if self.goal == analysis.goal {
                return Ok(self);
            }
            let [before, now] = [self.goal, analysis.goal].map(Goal::optimum);
            let reason = format!("it is about the {before}, not the {now}; make it again with the same --goal");
            return Err(Error::Baseline { path: self.path.into(), reason });
        }
        Err(Error::Baseline {
            path: self.path.into(),
            reason: format!(
                "it is about {} by {}, not {} by {}",
                excerpt(&self.metric),
                excerpt(&self.factor),
                excerpt(&analysis.metric),
                excerpt(&analysis.factor)
            ),
        })
    }
}
