//! `initsweep plot`: the figure as SVG and PNG.

use std::path::PathBuf;

use crate::analysis::Analysis;
use crate::cli::analyse::FigureArgs;
use crate::cli::{Global, PlotArgs};
use crate::commands::print;
use crate::error::Result;
use crate::figure::data::LossVsStdDev;
use crate::figure::{Figure, loss_vs_std_dev};
use crate::output::{Artefact, OutputFolder};
use crate::store;
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn run(arguments: &PlotArgs, global: &Global) -> Result<()> {
    let columns = arguments.analysis.columns(DEFAULT_FACTOR);
    let table = store::read(&arguments.filter.located(&arguments.sources)?, &columns)?;
    let analysis = Analysis::of(table, &arguments.statistic.of(arguments.analysis.question(&columns)))?;
    let folder = OutputFolder::create(&arguments.figure.out)?;
    let (_, paths) = write_figure(&analysis, &arguments.figure, &folder)?;
    if global.quiet {
        return Ok(());
    }
    print(&paths.iter().map(|path| format!("{}\n", path.display())).collect::<String>())
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
    let figure = loss_vs_std_dev::draw(&LossVsStdDev::of(analysis, &arguments.options())?)?;
    let svg = folder.write(Artefact::LossVsStdDevSvg, figure.svg.as_bytes())?;
    let png = folder.write(Artefact::LossVsStdDevPng, &figure.to_png(arguments.scale)?)?;
    Ok((figure, vec![svg, png]))
}
