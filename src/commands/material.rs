//! What figures and reports are made of: the runs, grouped once, their analysis, and each figure of
//! them.

use crate::analysis::distribution::Distribution;
use crate::analysis::grid::Grid;
use crate::analysis::{Analysis, Question, history};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::figure::{self, Figure, FigureOptions, Kind, basins, distribution, heatmap, loss_vs_std_dev, precision};
use crate::group::GroupedRuns;

/// Data with what was found in them.
pub struct Material<'a> {
    /// What was found.
    pub analysis: Analysis,
    /// The runs by level, unless there are only summaries.
    runs: Option<GroupedRuns<'a>>,
}

/// A figure whose numbers are computed, to be drawn in any look.
pub type Drawing<'a> = Box<dyn Fn(&FigureOptions) -> Result<Figure> + Sync + 'a>;

impl<'a> Material<'a> {
    /// Groups and analyses `data`.
    ///
    /// # Errors
    /// Those of grouping and analysing.
    pub fn of(data: &'a Data, question: &Question) -> Result<Self> {
        match data {
            Data::Runs(table) => {
                let runs = GroupedRuns::new(table, question.grouping())?;
                Ok(Self { analysis: Analysis::of_runs(&runs, question)?, runs: Some(runs) })
            }
            Data::Levels(levels) => Ok(Self { analysis: Analysis::of(levels.clone(), question)?, runs: None }),
        }
    }

    /// Computes what the figure `kind` of runs shows; of the levels, `wanted` or some.
    ///
    /// # Errors
    /// [`Error::Figure`] where these data do not allow it, or it is none of runs.
    pub fn prepare(&self, kind: Kind, wanted: &[f64]) -> Result<Drawing<'_>> {
        let analysis = &self.analysis;
        let missing = |reason: &str| Error::Figure { figure: kind.name(), reason: reason.into() };
        let runs = || self.runs.as_ref().ok_or_else(|| missing("it needs the runs themselves, not a table of levels"));
        Ok(match kind {
            Kind::LossVsStdDev => Box::new(|options| loss_vs_std_dev::draw(analysis, options)),
            Kind::Precision => Box::new(|options| precision::draw(analysis, options)),
            Kind::Basins => Box::new(|options| basins::draw(analysis, options)),
            Kind::Distribution => {
                let distribution = Distribution::of(&runs()?.samples, wanted, distribution::LEVELS);
                Box::new(move |options| distribution::draw(analysis, &distribution, options))
            }
            Kind::History => {
                let history = history::of(runs()?, analysis, figure::history::STEPS)?;
                Box::new(move |options| figure::history::draw(analysis, &history, options))
            }
            Kind::Heatmap => {
                let grid = Grid::of(runs()?)?;
                Box::new(move |options| heatmap::draw(&grid, analysis.metric_goal(), options))
            }
            Kind::Xor | Kind::Sigmoid | Kind::Likelihood | Kind::Bce | Kind::Weights | Kind::LossCurve => {
                return Err(missing("it shows the trainer, not runs"));
            }
        })
    }
}
