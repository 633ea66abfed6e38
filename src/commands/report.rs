//! `initsweep report`: statistics, figure and report of runs that exist.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::analysis::Analysis;
use crate::baseline::{Changes, Earlier};
use crate::cli::analyse::{AnalysisArgs, FigureArgs, StatisticArgs};
use crate::cli::document::{DocumentArgs, ReportFormat};
use crate::cli::{Global, ReportArgs};
use crate::commands::open;
use crate::commands::plot::write_figure;
use crate::commands::print;
use crate::error::Result;
use crate::export;
use crate::figure::loss_vs_std_dev;
use crate::output::{Artefact, OutputFolder};
use crate::report::changes::ChangesView;
use crate::report::{markdown, render, view::View};
use crate::store::{self, Columns, Source};
use crate::sweep::DEFAULT_FACTOR;

/// What to ask of runs, and what to write.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What to analyse.
    pub analysis: &'a AnalysisArgs,
    /// What is minimised.
    pub statistic: StatisticArgs,
    /// How figures look.
    pub figure: &'a FigureArgs,
    /// Which report.
    pub document: &'a DocumentArgs,
}

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn run(arguments: &ReportArgs, global: &Global) -> Result<()> {
    let columns = arguments.analysis.columns(DEFAULT_FACTOR);
    let ReportArgs { analysis, statistic, figure, document, .. } = arguments;
    let request = Request { analysis, statistic: *statistic, figure, document };
    write(&arguments.filter.located(&arguments.sources)?, &columns, &request, global)
}

/// Analyses `sources` and writes everything about them; ends with the finding and where the files are.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn write(sources: &[Source], columns: &Columns, request: &Request<'_>, global: &Global) -> Result<()> {
    // Read first: it may lie where the new summary goes.
    let earlier = request.document.baseline.as_deref().map(Earlier::read).transpose()?;
    let table = store::read(sources, columns)?;
    let analysis = Analysis::of(table, &request.statistic.of(request.analysis.question(columns)))?;
    let changes = match earlier {
        Some(earlier) => Some(Changes::since(&earlier.matching(&analysis)?, &analysis)),
        None => None,
    };
    let paths = write_all(&analysis, changes.as_ref(), request)?;
    if !global.quiet {
        let changed = changes.as_ref().map(|changes| format!("{}\n", ChangesView::of(changes, &analysis).line()));
        let files: String = paths.iter().map(|path| format!("  {}\n", path.display())).collect();
        let closing = export::table::closing(&analysis);
        print(&format!("{closing}{}\nWritten:\n{files}", changed.unwrap_or_default()))?;
    }
    if request.document.open {
        open_report(&paths, request.document);
    }
    Ok(())
}

/// Writes the figure, the summaries and the reports, and returns their paths.
///
/// # Errors
/// Those of drawing and writing.
pub fn write_all(analysis: &Analysis, changes: Option<&Changes>, request: &Request<'_>) -> Result<Vec<PathBuf>> {
    let folder = OutputFolder::create(&request.figure.out)?;
    let (figure, mut paths) = write_figure(analysis, request.figure, &folder)?;
    paths.push(folder.write(Artefact::SummaryCsv, export::csv::to_string(analysis).as_bytes())?);
    paths.push(folder.write(Artefact::SummaryJson, export::json::to_string(analysis).as_bytes())?);
    let view = View::of(analysis, &figure, changes);
    if request.document.format.contains(&ReportFormat::Html) {
        paths.push(folder.write(Artefact::Report, render::render(&view)?.as_bytes())?);
    }
    if request.document.format.contains(&ReportFormat::Md) {
        let figures = [(view.title.clone(), Artefact::Svg(loss_vs_std_dev::NAME).file_name())];
        paths.push(folder.write(Artefact::ReportMarkdown, markdown::render(&view, &figures)?.as_bytes())?);
    }
    Ok(paths)
}

/// Opens the report, in the form for a browser where there is one. The report is written, so a failure is only a warning.
fn open_report(paths: &[PathBuf], document: &DocumentArgs) {
    let wanted = match document.format.first() {
        _ if document.format.contains(&ReportFormat::Html) => Artefact::Report,
        Some(ReportFormat::Md) => Artefact::ReportMarkdown,
        _ => Artefact::SummaryJson,
    };
    let is_wanted = |path: &&PathBuf| path.file_name() == Some(Path::new(&wanted.file_name()).as_os_str());
    let Some(path) = paths.iter().find(is_wanted) else { return };
    if let Err(reason) = open::in_browser(path) {
        // If standard error is closed there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "warning: cannot open {}: {reason}; open it yourself", path.display());
    }
}
