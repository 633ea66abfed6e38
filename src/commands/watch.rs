//! `initsweep watch`: keeps report and figures current while runs come in, until Ctrl-C.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::analysis::{Analysis, Question};
use crate::cli::document::{DocumentArgs, ReportFormat};
use crate::cli::{Global, WatchArgs};
use crate::commands::material::Material;
use crate::commands::report::Request;
use crate::commands::{print, report, stop};
use crate::error::{Error, Result};
use crate::export::finding;
use crate::format::{count, counted, printable_lines};
use crate::output::OutputFolder;
use crate::serve::Server;
use crate::sweep::DEFAULT_FACTOR;
use crate::watch::Watched;
use crate::watch::signs::Signs;

/// Longest time between two tries to read what could not be read, if no event comes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Runs the command.
///
/// # Errors
/// [`Error::Stopped`] after Ctrl-C, which is the normal end; those of usage; before the first
/// report, those of the data.
pub fn run(arguments: &WatchArgs, global: &Global) -> Result<()> {
    let columns = arguments.inquiry.roles(DEFAULT_FACTOR);
    let question = arguments.inquiry.of(&columns);
    let sources = arguments.filter.located(&arguments.sources)?;
    let mut signs = Signs::new();
    let mut watched = Watched::new(sources, columns, signs.waker())?;
    OutputFolder::create(&arguments.figure.out)?;
    refuse_own_files(&watched, &arguments.figure.out)?;
    let server = arguments.serve.map(Server::start).transpose()?;
    let mut teller = Teller { is_quiet: global.quiet, last_failure: None, last_rows: 0 };
    if let Some(server) = &server {
        teller.greet(server, arguments);
    }
    let waker = signs.waker();
    let stop = stop::flag(move || waker.wake());
    let (mut since, mut pause, mut has_reported) = (Instant::now(), arguments.interval, false);
    while !stop.load(Ordering::Relaxed) {
        signs.listen_to(&watched.folders());
        match update(&mut watched, &question, arguments) {
            Ok(Some((analysis, paths))) => {
                server.iter().for_each(|server| server.announce(&paths));
                (has_reported, pause) = (true, arguments.interval);
                teller.tell(&analysis, since.elapsed())?;
            }
            Ok(None) => pause = arguments.interval,
            Err(e) if may_pass(&e, has_reported) => {
                teller.wait_for(&e);
                pause = (pause * 2).min(LONGEST_PAUSE.max(arguments.interval));
            }
            Err(e) => return Err(e),
        }
        since = signs.wait(pause).unwrap_or_else(Instant::now);
    }
    Err(Error::Stopped { folder: arguments.figure.out.clone() })
}

/// Writes a new report if anything has changed.
fn update(
    watched: &mut Watched,
    question: &Question,
    arguments: &WatchArgs,
) -> Result<Option<(Analysis, Vec<PathBuf>)>> {
    if !watched.refresh()? {
        return Ok(None);
    }
    let data = watched.data()?;
    let material = Material::of(&data, question)?;
    let document = DocumentArgs { format: vec![ReportFormat::Html], baseline: None, open: false };
    let request = Request { inquiry: &arguments.inquiry, figure: &arguments.figure, document: &document };
    let paths = report::write_all(&material, None, &request)?;
    watched.is_reported();
    Ok(Some((material.analysis, paths)))
}

/// Whether it can come right by itself: what is not there yet, or away. Once there was a report,
/// everything but a wrong command can.
fn may_pass(e: &Error, has_reported: bool) -> bool {
    let is_absence = matches!(e, Error::NoRuns { .. } | Error::Malformed { .. }) || e.exit_code() == 4;
    e.exit_code() != 2 && (is_absence && !matches!(e, Error::Refused { .. }) || has_reported)
}

/// Results among the runs would be taken for runs.
fn refuse_own_files(watched: &Watched, out: &Path) -> Result<()> {
    let same =
        |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| out.canonicalize().is_ok_and(|o| o == folder));
    let is_folder = |folder: &PathBuf| watched.is_whole_folder(folder);
    match watched.folders().iter().find(|folder| is_folder(folder) && same(folder)) {
        None => Ok(()),
        Some(folder) => Err(Error::Usage {
            what: "folder",
            given: folder.display().to_string(),
            reason: "results cannot go where the runs are watched; choose another with --out".into(),
        }),
    }
}

/// Says what happens, in a line each.
struct Teller {
    is_quiet: bool,
    last_failure: Option<String>,
    last_rows: u64,
}

impl Teller {
    fn greet(&self, server: &Server, arguments: &WatchArgs) {
        if !self.is_quiet {
            say(&format!("serving {} at {}", arguments.figure.out.display(), server.url()));
        }
        if arguments.serve.is_some_and(|address| !address.ip().is_loopback()) {
            say("warning: everyone who can reach this address can read the report; 127.0.0.1 keeps it on this machine");
        }
    }

    /// `+10,000 rows, 4,010,000 in all: lowest at hidden_std_dev = 0.601 (95 % interval 0.594 to
    /// 0.607); 0.43 s after the change`.
    fn tell(&mut self, analysis: &Analysis, time: Duration) -> Result<()> {
        let (rows, before) = (analysis.ledger.read, self.last_rows);
        (self.last_failure, self.last_rows) = (None, rows);
        if self.is_quiet {
            return Ok(());
        }
        let sign = if rows < before { '−' } else { '+' };
        let place = match &analysis.minimum.level {
            Some(level) => format!("{} = {}", analysis.factor, finding::with_range(level)),
            None => finding::observed(analysis),
        };
        print(&format!(
            "{sign}{}, {} in all: {} at {place}; {:.2} s after the change\n",
            counted(rows.abs_diff(before), "row"),
            count(rows),
            analysis.goal.best_word(),
            time.as_secs_f64()
        ))
    }

    /// Says once why there is no newer report.
    fn wait_for(&mut self, e: &Error) {
        let mut reason = e.to_string();
        let mut cause = std::error::Error::source(e);
        while let Some(source) = cause {
            reason.push_str(&format!(": {source}"));
            cause = source.source();
        }
        if self.last_failure.as_ref() != Some(&reason) {
            say(&format!("waiting: {reason}"));
            self.last_failure = Some(reason);
        }
    }
}

fn say(text: &str) {
    // If standard error is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{}", printable_lines(text));
}
