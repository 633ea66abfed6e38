//! What the user should know before trusting a number: typed, each with what to do next.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::format::{count, counted, excerpt, significant};
use crate::provenance::shell_quoted;

/// One thing that limits what the numbers mean. Shown in the terminal, the JSON and the report.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// Nothing says whether less or more of a metric is better whose name suggests that more is.
    GoalNotGiven {
        /// Its name.
        metric: String,
    },
    /// Rows were left out.
    Excluded {
        /// How many of the rows.
        rows: u64,
        /// Rows read.
        read: u64,
        /// Reason and count, ready to show.
        reasons: String,
    },
    /// The same file was named twice.
    DuplicateInput {
        /// Its path.
        path: String,
    },
    /// A text file whose last line has no line break.
    UnterminatedLine {
        /// Its path.
        path: String,
        /// The metric's cell in that line.
        value: String,
    },
    /// Only summaries of the levels are known, not the runs.
    SummariesOnly,
    /// The runs are paired but not compared in pairs.
    PairsUnused,
    /// At some levels the mean describes hardly any run.
    HiddenMixture {
        /// How many levels.
        levels: usize,
        /// Of how many.
        of: usize,
        /// Whether it is known which runs solved their task.
        has_basins: bool,
    },
    /// A few runs are so far from the others of their level that means of few runs hang on them.
    HeavyTails {
        /// Kurtosis of the runs about their levels' means; 3 for normal ones.
        kurtosis: f64,
    },
    /// A run is a thousand times as large as usual ones: it surely diverged.
    FarRun {
        /// The factor's value.
        level: f64,
        /// The metric of the run.
        value: f64,
        /// How many levels have such a run.
        levels: usize,
    },
    /// The median of so few runs has no interval.
    MedianOfFew {
        /// Levels with too few runs.
        levels: usize,
    },
    /// Levels with one run only: no spread, no interval.
    SingleRuns {
        /// How many levels.
        levels: usize,
    },
    /// Runs with different other settings stand in one level.
    PooledSetting {
        /// The column that differs.
        name: String,
        /// How many values it has, where they could all be kept.
        values: Vec<String>,
    },
    /// Two neighbouring levels differ by rounding only.
    NearlyEqualLevels {
        /// How many such neighbours.
        pairs: usize,
        /// One of them.
        example: (f64, f64),
    },
    /// The best level is at the end of the sweep.
    MinimumAtEdge {
        /// What is best there, such as `least mean`.
        best: String,
        /// The level.
        level: f64,
    },
    /// A reference lies outside the swept range.
    ReferenceOutside {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
    },
    /// Runs failed.
    FailedRuns {
        /// How many.
        failed: u64,
        /// Of all runs, failed ones included.
        runs: u64,
        /// At how many levels.
        levels: usize,
        /// The first of them.
        example: Vec<f64>,
        /// What they count as.
        counts_as: FailedAs,
    },
    /// A column that nobody asked for tells groups of runs apart.
    MixedGroups {
        /// The column.
        column: String,
        /// Its values.
        values: Vec<String>,
    },
    /// A column says that some runs did not come to their end.
    UnfinishedRuns {
        /// The column.
        column: String,
        /// What it says of the others.
        finished: String,
        /// What it says of these.
        values: Vec<String>,
        /// Rows that were seen.
        rows: u64,
    },
    /// Some runs have one value that lies apart from all others, such as 0 for every crashed run.
    Sentinel {
        /// The metric.
        metric: String,
        /// The value.
        value: f64,
        /// Runs that have it.
        runs: u64,
    },
    /// Two inputs hold the same runs.
    SameRuns {
        /// The one that is used.
        first: String,
        /// The one that is not.
        second: String,
    },
    /// Many runs are there twice, to the last digit.
    RepeatedRuns {
        /// Rows that equal an earlier one.
        rows: u64,
        /// Of all.
        of: u64,
    },
    /// Integers that no double holds.
    RoundedLevels {
        /// The factor.
        factor: String,
    },
    /// A reference lies where too many runs failed.
    ReferenceFailed {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
    },
}

/// What failed runs count as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedAs {
    /// Nothing: they have no part in the statistics.
    Nothing,
    /// Worse than every other run.
    Worst,
    /// The value that the user gave.
    Value,
}

impl Warning {
    /// A stable name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GoalNotGiven { .. } => "goal_not_given",
            Self::Excluded { .. } => "excluded_rows",
            Self::DuplicateInput { .. } => "duplicate_input",
            Self::UnterminatedLine { .. } => "unterminated_line",
            Self::SummariesOnly => "summaries_only",
            Self::PairsUnused => "pairs_unused",
            Self::HiddenMixture { .. } => "hidden_mixture",
            Self::HeavyTails { .. } => "heavy_tails",
            Self::FarRun { .. } => "far_run",
            Self::MedianOfFew { .. } => "median_of_few",
            Self::SingleRuns { .. } => "single_runs",
            Self::PooledSetting { .. } => "pooled_setting",
            Self::NearlyEqualLevels { .. } => "nearly_equal_levels",
            Self::MinimumAtEdge { .. } => "minimum_at_edge",
            Self::ReferenceOutside { .. } => "reference_outside",
            Self::FailedRuns { .. } => "failed_runs",
            Self::ReferenceFailed { .. } => "reference_failed",
            Self::MixedGroups { .. } => "mixed_groups",
            Self::UnfinishedRuns { .. } => "unfinished_runs",
            Self::Sentinel { .. } => "sentinel",
            Self::SameRuns { .. } => "same_runs",
            Self::RepeatedRuns { .. } => "repeated_runs",
            Self::RoundedLevels { .. } => "rounded_levels",
        }
    }

    /// What was seen.
    pub fn message(&self) -> String {
        match self {
            Self::GoalNotGiven { metric } => format!(
                "the metric {} looks like one to be maximised, and its least value was taken as the best",
                excerpt(metric)
            ),
            Self::Excluded { rows, read, reasons } => {
                format!("{} of {} left out: {reasons}", count(*rows), counted(*read, "row"))
            }
            Self::DuplicateInput { path } => format!("{path} was named more than once and is read once"),
            Self::UnterminatedLine { path, value } => {
                format!("the last line of {path} has no line break; its value {} is used", excerpt(value))
            }
            Self::SummariesOnly => {
                "only summaries of the levels are known: no quantiles, basins, cross-fitting or paired comparison"
                    .into()
            }
            Self::PairsUnused => "the runs are paired, but compared as if they were independent".into(),
            Self::HiddenMixture { levels, of, .. } => format!(
                "at {} of {} the runs are of two kinds, so that the mean describes hardly any of them",
                count(*levels as u64),
                counted(*of as u64, "level")
            ),
            Self::HeavyTails { kurtosis } => format!(
                "a few runs lie far from the others of their level (kurtosis {}, where 3 is normal), and means of few runs hang on them",
                significant(*kurtosis, 2)
            ),
            Self::FarRun { level, value, levels } => {
                let others = match levels - 1 {
                    0 => String::new(),
                    more => format!(", and there are such runs at {}", counted(more as u64, "more level")),
                };
                format!(
                    "a run of {} at level {} is a thousand times as large as the usual level{others}",
                    significant(*value, 3),
                    significant(*level, 4)
                )
            }
            Self::MedianOfFew { levels } => {
                format!("at {} there are too few runs for an interval of the median", counted(*levels as u64, "level"))
            }
            Self::SingleRuns { levels } => {
                format!("{} with a single run: no spread, no interval", counted(*levels as u64, "level"))
            }
            Self::PooledSetting { name, values } => {
                format!("runs with different {name} ({}) are pooled in the same levels", values.join(", "))
            }
            Self::NearlyEqualLevels { pairs, example: (a, b) } => format!(
                "{} of neighbouring levels differ by rounding only, such as {a:?} and {b:?}",
                counted(*pairs as u64, "pair")
            ),
            Self::MinimumAtEdge { best, level } => {
                format!("the {best} is at the end of the sweep ({})", significant(*level, 4))
            }
            Self::ReferenceOutside { name, value } => {
                format!("reference {} = {} lies outside the swept range", excerpt(name), significant(*value, 4))
            }
            Self::FailedRuns { failed, runs, levels, example, .. } => {
                let places: Vec<String> = example.iter().map(|level| significant(*level, 4)).collect();
                let more = if *levels > example.len() { ", …" } else { "" };
                format!(
                    "{} of {} failed, at {}: {}{more}",
                    count(*failed),
                    counted(*runs, "run"),
                    counted(*levels as u64, "level"),
                    places.join(", ")
                )
            }
            Self::MixedGroups { column, values } => format!(
                "'{column}' has {} values ({}) within the same levels, and all of them are pooled",
                values.len(),
                values.join(", ")
            ),
            Self::UnfinishedRuns { column, values, rows, .. } => format!(
                "'{column}' says of {} that the run did not finish ({})",
                counted(*rows, "row"),
                values.join(", ")
            ),
            Self::Sentinel { metric, value, runs } => format!(
                "{} of {} is {}, far from every other value",
                excerpt(metric),
                counted(*runs, "run"),
                significant(*value, 5)
            ),
            Self::SameRuns { first, second } => {
                format!("{second} holds the same runs as {first}; they are used once")
            }
            Self::RepeatedRuns { rows, of } => {
                format!("{} of {} equal an earlier one to the last digit", count(*rows), counted(*of, "row"))
            }
            Self::RoundedLevels { factor } => {
                format!("{} holds integers beyond 2^53, which are rounded to doubles", excerpt(factor))
            }
            Self::ReferenceFailed { name, value } => format!(
                "reference {} = {} lies where too many runs failed to measure it",
                excerpt(name),
                significant(*value, 4)
            ),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::GoalNotGiven { .. } => "say --goal max, or --goal min to silence this",
            Self::Excluded { .. } => "look at the example rows named in the ledger",
            Self::DuplicateInput { .. } => "name each file once",
            Self::UnterminatedLine { .. } => {
                "if the file was still being written, that number may be cut short: report again"
            }
            Self::SummariesOnly => "give the runs themselves to have these too (--aggregate client for a collection)",
            Self::PairsUnused => "pairs need 20 replicates at every level, and --statistic mean or solved-share",
            Self::HiddenMixture { has_basins: true, .. } => {
                "see the shares, the mean of the solved alone and the quantiles"
            }
            Self::HiddenMixture { .. } => "see the quantiles, and what tells the two kinds apart",
            Self::HeavyTails { .. } => {
                "compare medians as well (--statistic median), whose interval assumes no distribution"
            }
            Self::FarRun { .. } => "if it diverged, leave it out, or compare medians (--statistic median)",
            Self::MedianOfFew { .. } => "the order statistics of six runs or more give a 95 % interval",
            Self::SingleRuns { .. } => "repeat these levels",
            Self::PooledSetting { .. } => "split the runs by that setting, unless pooling is meant",
            Self::NearlyEqualLevels { .. } => "make them one with --pool-levels",
            Self::MinimumAtEdge { .. } => "extend the sweep beyond that end",
            Self::ReferenceOutside { .. } => "extend the sweep, or change the reference with --reference",
            Self::FailedRuns { counts_as: FailedAs::Nothing, .. } => {
                "they are in no statistic: count them with a value (--failed-as), rank them worst (--statistic median), or \
                 allow a share of them (--max-failed)"
            }
            Self::FailedRuns { counts_as: FailedAs::Worst, .. } => "they rank worse than every other run",
            Self::FailedRuns { counts_as: FailedAs::Value, .. } => "each counts with the value of --failed-as",
            Self::MixedGroups { column, values } => {
                let value = values.first().map_or("", String::as_str);
                return format!("keep one of them: --where {}", condition(column, "=", value)).into();
            }
            Self::UnfinishedRuns { column, finished, .. } => {
                let condition = condition(column, "!=", finished);
                return format!("count them as failed: --failed {condition}; or leave them out with --where").into();
            }
            Self::Sentinel { metric, value, .. } => {
                let condition = condition(metric, "=", &value.to_string());
                return format!("if it stands for a failed run, say so: --failed {condition}").into();
            }
            Self::SameRuns { .. } => "keep one of the files, or name those that are meant",
            Self::RepeatedRuns { .. } => "if they are copies, remove them: they make the runs look more than they are",
            Self::RoundedLevels { .. } => "levels that differ by less than the rounding are pooled",
            Self::ReferenceFailed { .. } => {
                "count failed runs with a value (--failed-as), or choose another --reference"
            }
        })
    }
}

/// A condition to type, quoted for a shell.
fn condition(column: &str, operator: &str, value: &str) -> String {
    let is_plain = !column.contains(['=', '!', '<', '>', '"', ' ']);
    let column = if is_plain { column.to_string() } else { format!("\"{column}\"") };
    shell_quoted(&format!("{column}{operator}{value}"))
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut state = serializer.serialize_struct("Warning", 3)?;
        state.serialize_field("kind", self.kind())?;
        state.serialize_field("message", &self.message())?;
        state.serialize_field("advice", &self.advice())?;
        state.end()
    }
}
