//! `initsweep report`: statistics, figure and report of runs that exist.

use crate::analysis::Analysis;
use crate::cli::analyse::{AnalysisArgs, FigureArgs};
use crate::cli::{Global, ReportArgs};
use crate::commands::plot::write_figure;
use crate::commands::print;
use crate::error::Result;
use crate::export;
use crate::output::{Artefact, OutputFolder};
use crate::report::{render, view::View};
use crate::store::{self, Columns, Source};
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn run(arguments: &ReportArgs, global: &Global) -> Result<()> {
    let columns = arguments.analysis.columns(DEFAULT_FACTOR);
    write(&arguments.filter.located(&arguments.sources)?, &columns, &arguments.analysis, &arguments.figure, global)
}

/// Analyses `sources` and writes everything about them; ends with the finding and where the files are.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn write(
    sources: &[Source],
    columns: &Columns,
    question: &AnalysisArgs,
    looks: &FigureArgs,
    global: &Global,
) -> Result<()> {
    let table = store::read(sources, columns)?;
    let analysis = Analysis::of(table, &question.question(columns))?;
    let folder = OutputFolder::create(&looks.out)?;
    let (figure, mut paths) = write_figure(&analysis, looks, &folder)?;
    paths.push(folder.write(Artefact::SummaryCsv, export::csv::to_string(&analysis).as_bytes())?);
    paths.push(folder.write(Artefact::SummaryJson, export::json::to_string(&analysis).as_bytes())?);
    let html = render::render(&View::of(&analysis, &figure))?;
    paths.push(folder.write(Artefact::Report, html.as_bytes())?);
    if global.quiet {
        return Ok(());
    }
    let files: String = paths.iter().map(|path| format!("  {}\n", path.display())).collect();
    print(&format!("{}\nWritten:\n{files}", export::table::closing(&analysis)))
}
