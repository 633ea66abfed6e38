//! `initsweep plot`: figures as SVG and PNG.

use std::path::PathBuf;

use crate::analysis::Analysis;
use crate::analysis::distribution::Distribution;
use crate::analysis::grid::Grid;
use crate::analysis::history;
use crate::cli::Global;
use crate::cli::analyse::FigureArgs;
use crate::cli::plot::{Drawings, PictureFormat, PlotArgs};
use crate::commands::print;
use crate::error::{Error, Result};
use crate::figure::{
    self, Figure, FigureOptions, Kind, basins, distribution, functions, heatmap, loss_curve, loss_vs_std_dev,
    precision, weights, xor,
};
use crate::output::{Artefact, OutputFolder};
use crate::store::{self, Columns, Data, RunTable};
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn run(arguments: &PlotArgs, global: &Global) -> Result<()> {
    let drawings = arguments.drawings()?;
    let options = arguments.figure.options();
    let material = Material::of(arguments, &drawings)?;
    let folder = OutputFolder::create(&arguments.figure.out)?;
    let mut lines = String::new();
    for kind in &drawings.kinds {
        match material.draw(*kind, arguments, &options) {
            Ok(figure) => {
                let PlotArgs { format, figure: look, .. } = arguments;
                for path in write_forms(kind.name(), &figure, format, look.scale, &folder)? {
                    lines.push_str(&format!("{}\n", path.display()));
                }
            }
            Err(Error::Figure { figure, reason }) if drawings.all => {
                lines.push_str(&format!("left out {figure}: {reason}\n"));
            }
            Err(error) => return Err(error),
        }
    }
    if global.quiet { Ok(()) } else { print(&lines) }
}

/// What figures are drawn from, computed once.
struct Material {
    analysis: Option<Analysis>,
    /// The runs themselves, and the same by the second factor, where a figure needs them.
    runs: Option<RunTable>,
    by: Option<RunTable>,
}

impl Material {
    fn of(arguments: &PlotArgs, drawings: &Drawings) -> Result<Self> {
        if drawings.sources.is_empty() {
            return Ok(Self { analysis: None, runs: None, by: None });
        }
        let needs = |kinds: &[Kind]| drawings.kinds.iter().any(|kind| kinds.contains(kind));
        let columns = arguments.analysis.columns(DEFAULT_FACTOR);
        let data = store::read(&drawings.sources, &columns)?;
        let runs = runs_of(&data).filter(|_| needs(&[Kind::Distribution, Kind::History, Kind::Heatmap])).cloned();
        let by = match arguments.by.as_ref().filter(|_| needs(&[Kind::Heatmap])) {
            Some(by) => {
                let columns = Columns { factor: by.clone(), metric: columns.metric.clone() };
                runs_of(&store::read(&drawings.sources, &columns)?).cloned()
            }
            None => None,
        };
        let analysis = Analysis::of(data, &arguments.statistic.of(arguments.analysis.question(&columns)))?;
        Ok(Self { analysis: Some(analysis), runs, by })
    }

    fn draw(&self, kind: Kind, arguments: &PlotArgs, options: &FigureOptions) -> Result<Figure> {
        let (levels, seed) = (arguments.levels(), arguments.seed);
        let missing = |reason: &str| Error::Figure { figure: kind.name(), reason: reason.into() };
        let analysis = || self.analysis.as_ref().ok_or_else(|| missing("there are no runs"));
        let runs = || self.runs.as_ref().ok_or_else(|| missing("it needs the runs themselves, not a table of levels"));
        match kind {
            Kind::LossVsStdDev => loss_vs_std_dev::draw(analysis()?, options),
            Kind::Precision => precision::draw(analysis()?, options),
            Kind::Basins => basins::draw(analysis()?, options),
            Kind::Distribution => {
                let distribution = Distribution::of(runs()?, levels, distribution::LEVELS)?;
                distribution::draw(analysis()?, &distribution, options)
            }
            Kind::History => {
                let history = history::of(runs()?, analysis()?.confidence, figure::history::STEPS)?;
                figure::history::draw(analysis()?, &history, options)
            }
            Kind::Heatmap => {
                let by = self.by.as_ref().ok_or_else(|| missing("it needs a second factor, --by COLUMN"))?;
                heatmap::draw(&Grid::of(runs()?, by)?, options)
            }
            Kind::Xor => xor::draw(seed, options),
            Kind::Sigmoid => functions::sigmoid(options),
            Kind::Likelihood => functions::likelihood(options),
            Kind::Bce => functions::bce(options),
            Kind::Weights => weights::draw(levels, seed, options),
            Kind::LossCurve => loss_curve::draw(levels, seed, options),
        }
    }
}

fn runs_of(data: &Data) -> Option<&RunTable> {
    match data {
        Data::Runs(runs) => Some(runs),
        Data::Levels(_) => None,
    }
}

/// Draws the main figure and writes it in both forms.
///
/// # Errors
/// Those of drawing and writing.
pub fn write_figure(
    analysis: &Analysis,
    arguments: &FigureArgs,
    folder: &OutputFolder,
) -> Result<(Figure, Vec<PathBuf>)> {
    let figure = loss_vs_std_dev::draw(analysis, &arguments.options())?;
    let forms = [PictureFormat::Svg, PictureFormat::Png];
    let paths = write_forms(loss_vs_std_dev::NAME, &figure, &forms, arguments.scale, folder)?;
    Ok((figure, paths))
}

/// Writes `figure` in the wanted forms, the vectors first; pixels at `scale`, else at the figure's own.
fn write_forms(
    name: &'static str,
    figure: &Figure,
    forms: &[PictureFormat],
    scale: Option<f32>,
    folder: &OutputFolder,
) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    if forms.contains(&PictureFormat::Svg) {
        paths.push(folder.write(Artefact::Svg(name), figure.svg.as_bytes())?);
    }
    if forms.contains(&PictureFormat::Png) {
        let scale = scale.unwrap_or(figure.png_scale);
        paths.push(folder.write(Artefact::Png(name), &figure.to_png(scale)?)?);
    }
    Ok(paths)
}
