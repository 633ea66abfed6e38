//! `initsweep report`: statistics, figure and report of runs that exist.

use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::baseline::{Changes, Earlier};
use crate::cli::analyse::{FigureArgs, InquiryArgs};
use crate::cli::document::{DocumentArgs, ReportFormat};
use crate::cli::plot::PictureFormat;
use crate::cli::{Global, ReportArgs};
use crate::commands::material::Material;
use crate::commands::open;
use crate::commands::plot::Pictures;
use crate::commands::print;
use crate::error::{Error, Result};
use crate::export;
use crate::figure::style::Theme;
use crate::figure::themed::Themed;
use crate::figure::{FigureOptions, Kind, Look};
use crate::output::{Artefact, OutputFolder};
use crate::report::changes::ChangesView;
use crate::report::figures::Figures;
use crate::report::{markdown, render, view::View};
use crate::store::{self, Roles, Source};
use crate::sweep::DEFAULT_FACTOR;

/// What to ask of runs, and what to write.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The question.
    pub inquiry: &'a InquiryArgs,
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
    let roles = arguments.inquiry.roles(DEFAULT_FACTOR);
    let ReportArgs { inquiry, figure, document, .. } = arguments;
    let request = Request { inquiry, figure, document };
    write(&arguments.runs.located()?, &roles, &request, global)
}

/// Analyses `sources` and writes everything about them; ends with the finding and where the files
/// are.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn write(sources: &[Source], roles: &Roles, request: &Request<'_>, global: &Global) -> Result<()> {
    // Read first: it may lie where the new summary goes.
    let earlier = request.document.baseline.as_deref().map(Earlier::read).transpose()?;
    let data = store::read(sources, roles)?;
    let question = request.inquiry.of(roles);
    let material = Material::of(&data, &question)?;
    let analysis = &material.analysis;
    let changes = match earlier {
        Some(earlier) => Some(Changes::since(&earlier.matching(analysis)?, analysis)),
        None => None,
    };
    let paths = write_all(&material, changes.as_ref(), request)?;
    if !global.quiet {
        let changed = changes.as_ref().map(|changes| format!("{}\n", ChangesView::of(changes, analysis).line()));
        let files: String = paths.iter().map(|path| format!("  {}\n", path.display())).collect();
        let closing = export::table::closing(analysis);
        print(&format!("{closing}{}\nWritten:\n{files}", changed.unwrap_or_default()))?;
    }
    if request.document.open {
        open_report(&paths, request.document);
    }
    Ok(())
}

/// The figures of a report besides the main one, in its order; those that the data do not allow are
/// left out.
const FURTHER: [Kind; 5] = [Kind::Basins, Kind::Heatmap, Kind::Distribution, Kind::Precision, Kind::History];

/// A figure of the report.
struct Drawn {
    kind: Kind,
    /// For the page.
    figure: Themed,
    /// For files, in the look that was asked for.
    files: Pictures,
}

impl Drawn {
    fn of(kind: Kind, material: &Material<'_>, request: &Request<'_>) -> Result<Self> {
        let drawing = material.prepare(kind, &[])?;
        let options = request.figure.options();
        let in_theme = |theme: Theme| {
            let look = Look { theme, ..options.look };
            drawing(&FigureOptions { look, ..options.clone() })
        };
        let [light, dark] = [in_theme(Theme::Light)?, in_theme(Theme::Dark)?];
        let figure = Themed::of(&light, &dark);
        let own = if options.look.theme == Theme::Dark { dark } else { light };
        let forms = [PictureFormat::Svg, PictureFormat::Png];
        // The further ones are files only beside a Markdown document, which needs no pixels.
        let forms = if kind == Kind::LossVsStdDev { &forms[..] } else { &forms[..1] };
        Ok(Self { kind, figure, files: Pictures::of(&own, forms, request.figure.scale)? })
    }
}

/// Writes the figures, the summaries and the reports, and returns their paths.
///
/// # Errors
/// Those of drawing and writing.
pub fn write_all(material: &Material<'_>, changes: Option<&Changes>, request: &Request<'_>) -> Result<Vec<PathBuf>> {
    let folder = OutputFolder::create(&request.figure.out)?;
    let (analysis, wants) = (&material.analysis, |form| request.document.format.contains(&form));
    let further: &[Kind] = if wants(ReportFormat::Html) || wants(ReportFormat::Md) { &FURTHER } else { &[] };
    let kinds: Vec<Kind> = [Kind::LossVsStdDev].into_iter().chain(further.iter().copied()).collect();
    let drawn: Vec<Result<Drawn>> = kinds.par_iter().map(|kind| Drawn::of(*kind, material, request)).collect();
    let is_absent = |drawn: &Result<Drawn>| matches!(drawn, Err(Error::Figure { .. }));
    // Without the main one there is no report; the others are those that the data allow.
    let kept = drawn.into_iter().enumerate().filter(|(place, drawn)| *place == 0 || !is_absent(drawn));
    let drawn = kept.map(|(_, drawn)| drawn).collect::<Result<Vec<Drawn>>>()?;
    let mut paths = Vec::new();
    for drawn in drawn.iter().filter(|drawn| drawn.kind == Kind::LossVsStdDev || wants(ReportFormat::Md)) {
        paths.extend(drawn.files.write(drawn.kind.name(), &folder)?);
    }
    paths.push(folder.write(Artefact::SummaryCsv, export::csv::to_string(analysis).as_bytes())?);
    paths.push(folder.write(Artefact::SummaryJson, export::json::to_string(analysis, changes).as_bytes())?);
    let drawn = drawn.into_iter().map(|drawn| (drawn.kind, drawn.figure)).collect();
    let figures = Figures::of(drawn, analysis.goal);
    let view = View::of(analysis, figures, changes);
    if wants(ReportFormat::Html) {
        paths.push(folder.write(Artefact::Report, render::render(&view)?.as_bytes())?);
    }
    if wants(ReportFormat::Md) {
        paths.push(folder.write(Artefact::ReportMarkdown, markdown::render(&view)?.as_bytes())?);
    }
    Ok(paths)
}

/// Opens the report, in the form for a browser where there is one. The report is written, so a
/// failure is only a warning.
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
