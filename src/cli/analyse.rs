//! What to analyse and how it looks: the arguments of `report`, `plot` and `stats`.

use std::path::PathBuf;

use clap::Args;

use crate::analysis::{AxisScale, Goal, Margin, Question, Statistic};
use crate::cli::document::DocumentArgs;
use crate::cli::source::SourceArgs;
use crate::cli::value::{confidence, margin, scale, share};
use crate::condition::Condition;
use crate::data::PerFile;
use crate::export::Format;
use crate::expression::evaluate;
use crate::figure::style::{Size, Theme};
use crate::figure::{ErrorBars, FigureOptions, Look, Wording};
use crate::output::DEFAULT_FOLDER;
use crate::store::Roles;
use crate::sweep::{DEFAULT_METRIC, Reference};

/// What to analyse, and how.
#[derive(Debug, Args)]
pub struct AnalysisArgs {
    /// Column of the swept setting [default: hidden_std_dev]
    #[arg(long, value_name = "COLUMN")]
    pub x: Option<String>,
    /// Column of the measured number [default: loss]
    #[arg(long, value_name = "COLUMN")]
    pub y: Option<String>,
    /// Column that says which runs belong together (such as the seed): levels are compared within
    /// its blocks [default: seed or replicate, if the same values stand at every level]
    #[arg(long, value_name = "COLUMN")]
    pub pair: Option<String>,
    /// Only the rows for which this holds: = != < <= > >= and a number, an expression or a text;
    /// may be repeated, then all must hold. A column with blanks goes into double quotes
    #[arg(long = "where", value_name = "COLUMN OP VALUE")]
    pub filters: Vec<Condition>,
    /// Runs for whose row this holds have failed, as those without a finite metric; may be
    /// repeated, then one is enough
    #[arg(long, value_name = "COLUMN OP VALUE")]
    pub failed: Vec<Condition>,
    /// Take one run out of the history in each file: its last value, the least, the greatest, or
    /// the mean of the last K (mean-last:K)
    #[arg(long, value_name = "last|min|max|mean-last:K")]
    pub per_file: Option<PerFile>,
    /// Named level to mark and to compare with the minimum; may be repeated
    #[arg(long, value_name = "NAME=EXPR", value_parser = |text: &str| Reference::parse(text), long_help = "Named level to mark and to compare with the minimum; may be repeated.\nFor the column hidden_std_dev there is Xavier=1/sqrt(2), which a reference of the same name replaces")]
    pub reference: Vec<Reference>,
    /// Whether the least or the greatest value is the best [default: min; max for --statistic
    /// solved-share]
    #[arg(long, value_enum, value_name = "GOAL")]
    pub goal: Option<Goal>,
    /// Difference that does not matter: a share of the best value such as 1%, or a number in the
    /// metric's unit such as 0.02 [default: 1%]
    #[arg(long, value_name = "MARGIN", value_parser = margin)]
    pub margin: Option<Margin>,
    /// Coverage of the confidence intervals
    #[arg(long, value_name = "LEVEL", default_value = "95%", value_parser = confidence)]
    pub confidence: f64,
    /// Make levels one that only rounding tells apart, such as 0.1 in single and in double
    /// precision
    #[arg(long)]
    pub pool_levels: bool,
    /// How the levels lie on the axis, of the fit and of the figures
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        long_help = "How the levels lie on the axis, of the fit and of the figures.\n\
                    auto: log if the levels above 0 span a factor of ten or more and none is below 0, else linear.\n\
                    A level 0 is kept beside a logarithmic axis: shown and compared, but no part of the curve"
    )]
    pub x_scale: AxisScale,
    /// Greatest share of failed runs at a level that may be the best, such as 10% [default: 0; any
    /// where failed runs count]
    #[arg(
        long,
        value_name = "SHARE",
        value_parser = share,
        long_help = "Greatest share of failed runs at a level that may be the best, such as 0.1 or 10%.\n\
                    [default: 0; any with --failed-as, and with --statistic median where the median is not a failed run]"
    )]
    pub max_failed: Option<f64>,
    /// Count each failed run with this value in every statistic, such as the loss at
    /// initialisation; without it a failed run has none
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, value_parser = evaluate)]
    pub failed_as: Option<f64>,
}

impl AnalysisArgs {
    /// The columns to read; `factor` is the default of `--x`.
    pub fn roles(&self, factor: &str) -> Roles {
        Roles {
            factor: self.x.clone().unwrap_or_else(|| factor.into()),
            metric: self.y.clone().unwrap_or_else(|| DEFAULT_METRIC.into()),
            pair: self.pair.clone(),
            by: None,
            filters: self.filters.clone(),
            failed: self.failed.clone(),
            per_file: self.per_file,
            given: Vec::new(),
        }
    }

    /// The question to ask of these columns, about their means.
    pub fn question(&self, roles: &Roles) -> Question {
        Question {
            confidence: self.confidence,
            references: Reference::with_defaults(&roles.factor, &self.reference),
            margin: self.margin,
            statistic: Statistic::Mean,
            goal: self.goal,
            x_scale: self.x_scale,
            max_failed: self.max_failed,
            failed_as: self.failed_as,
            pool_levels: self.pool_levels,
        }
    }
}

/// What to ask of runs.
#[derive(Debug, Args)]
pub struct InquiryArgs {
    /// What to analyse.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
    /// What stands for a level when levels are compared
    #[arg(
        long,
        value_enum,
        default_value = "mean",
        long_help = "What stands for a level when levels are compared: the mean, the median (of which failed runs are the worst), or the trimmed mean (a tenth \
                    left out on each side) of the metric, or, for the trainer's runs, the share of solved ones, of which \
                    the greatest is the best unless --goal says otherwise"
    )]
    pub statistic: Statistic,
}

impl InquiryArgs {
    /// The columns to read; `factor` is the default of `--x`.
    pub fn roles(&self, factor: &str) -> Roles {
        self.analysis.roles(factor)
    }

    /// The question to ask of these columns.
    pub fn of(&self, roles: &Roles) -> Question {
        Question { statistic: self.statistic, ..self.analysis.question(roles) }
    }
}

/// How the figure looks and where results go.
#[derive(Debug, Args)]
pub struct FigureArgs {
    /// What the error bars show
    #[arg(long, value_enum, default_value = "ci")]
    pub error_bars: ErrorBars,
    /// Light or dark paper
    #[arg(long, value_enum, default_value = "light")]
    pub theme: Theme,
    /// What the figure is for
    #[arg(long, value_enum, default_value = "screen")]
    pub size: Size,
    /// Title in place of the usual one
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Label of the horizontal axis
    #[arg(long, value_name = "TEXT")]
    pub x_label: Option<String>,
    /// Label of the vertical axis
    #[arg(long, value_name = "TEXT")]
    pub y_label: Option<String>,
    /// Pixels of the PNG per pixel of the SVG [default: 2; slides 1.5, paper 3.125 for 300 dots to
    /// the inch]
    #[arg(long, value_name = "FACTOR", value_parser = scale)]
    pub scale: Option<f32>,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    pub out: PathBuf,
}

impl FigureArgs {
    /// The choices for the drawing.
    pub fn options(&self) -> FigureOptions {
        FigureOptions {
            error_bars: self.error_bars,
            look: Look { theme: self.theme, size: self.size },
            wording: Wording {
                title: self.title.clone(),
                x_label: self.x_label.clone(),
                y_label: self.y_label.clone(),
            },
        }
    }
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Where the runs are.
    #[command(flatten)]
    pub runs: SourceArgs,
    /// What to ask of them.
    #[command(flatten)]
    pub inquiry: InquiryArgs,
    /// How it looks.
    #[command(flatten)]
    pub figure: FigureArgs,
    /// Which report.
    #[command(flatten)]
    pub document: DocumentArgs,
}

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Where the runs are.
    #[command(flatten)]
    pub runs: SourceArgs,
    /// What to ask of them.
    #[command(flatten)]
    pub inquiry: InquiryArgs,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}
