//! What can go wrong, sorted by what the user has to fix.
//!
//! Every variant names the place (path, line, column, level) and decides the exit code, so that
//! `main` only prints.

use std::io;
use std::path::{Path, PathBuf};

use crate::format::count;

/// Shorthand for results of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that this library can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A command-line value that means nothing.
    #[error("{what} '{given}': {reason}")]
    Usage {
        /// Which option or value.
        what: &'static str,
        /// What the user wrote.
        given: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// A source that does not exist or cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A folder or a pattern that yields no data file.
    #[error("{source_name} holds no file of runs{found}")]
    NoFiles {
        /// The folder or glob as given.
        source_name: String,
        /// What is there instead, ready to append.
        found: String,
    },
    /// A database server that does not answer.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Host and port, or hosts.
        host: String,
        /// What the system or the driver said, without passwords.
        reason: String,
    },
    /// A database server that answers, but does not let this user in.
    #[error("{host} refused: {reason}")]
    Refused {
        /// Host and port, or hosts.
        host: String,
        /// What the server said, without passwords.
        reason: String,
    },
    /// A database, a collection or a filter that yields nothing.
    #[error("no documents in {place}: {reason}")]
    NoDocuments {
        /// The collection.
        place: String,
        /// What is there instead.
        reason: String,
    },
    /// A database operation that failed for another reason.
    #[error("{place}: {reason}")]
    Database {
        /// The collection.
        place: String,
        /// What the server said, without passwords.
        reason: String,
    },
    /// Runs that a server could not take and that were kept.
    #[error("{cause}; {runs} runs that are not stored there yet are kept in {path}")]
    Spooled {
        /// Why they could not be stored.
        cause: Box<Error>,
        /// How many.
        runs: u64,
        /// The local file.
        path: PathBuf,
    },
    /// A copy that does not hold all rows.
    #[error("{from} has {read} rows, {to} holds {written} of them")]
    Incomplete {
        /// What was copied.
        from: String,
        /// Its rows.
        read: u64,
        /// Where to.
        to: String,
        /// The rows that are there.
        written: u64,
    },
    /// A sweep that ended at a limit before its goal.
    #[error("{goal} is not reached: {found}, where {limit} ended it")]
    NotReached {
        /// The goal.
        goal: String,
        /// What is known.
        found: String,
        /// The option that ended it.
        limit: &'static str,
    },
    /// A sweep whose goal no number of runs reaches.
    #[error("{goal} cannot be reached: {reason}")]
    OutOfReach {
        /// The goal.
        goal: String,
        /// What the runs show.
        reason: String,
    },
    /// A column that the analysis needs is not in the file.
    #[error("{path}: no column named '{column}'; it has {available}")]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        column: String,
        /// The columns that exist, comma-separated.
        available: String,
    },
    /// A needed column name appears more than once, so that its meaning is a guess.
    #[error("{path}: the column name '{column}' appears {times} times")]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The repeated name.
        column: String,
        /// How often.
        times: usize,
    },
    /// A cell that should hold a number holds something else.
    #[error("{path}, {place}, column '{column}': '{value}' is not a number")]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// The line or row, from 1; a header counts as a line.
        place: String,
        /// The column.
        column: String,
        /// The cell's text, shortened.
        value: String,
    },
    /// A row with more or fewer fields than the header.
    #[error("{path}, line {line}: {found} fields where the header has {expected}")]
    FieldCount {
        /// The file.
        path: PathBuf,
        /// Line in the file, from 1, the header included.
        line: u64,
        /// Fields in this row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A quotation mark that swallows the rest of the file.
    #[error("{path}, line {line}: a quoted field that begins there is never closed")]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// Line in the file, from 1, the header included.
        line: u64,
    },
    /// A file whose content cannot be what its name says.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The sources hold no usable run.
    #[error("no usable run in {sources}: {reason}")]
    NoRuns {
        /// The sources as given.
        sources: String,
        /// How the rows were lost.
        reason: String,
    },
    /// So many runs failed at every level that none can be the best.
    #[error("no level can be the best: {reason}")]
    NoEligibleLevel {
        /// How many failed at least.
        reason: String,
        /// Which option helps.
        advice: &'static str,
    },
    /// Runs and summaries of runs among the sources.
    #[error("{runs} holds runs, {levels} summaries of levels: they cannot be joined")]
    Mixed {
        /// The first source of runs.
        runs: String,
        /// The first table of levels.
        levels: String,
    },
    /// More levels than any figure or table can mean.
    #[error("column '{column}' has {levels} distinct values in {rows} rows, over the limit of {limit} levels")]
    TooManyLevels {
        /// The factor's column.
        column: String,
        /// How many distinct values were found.
        levels: usize,
        /// Rows looked at.
        rows: usize,
        /// The limit.
        limit: usize,
    },
    /// A stored sweep that is not the one asked for.
    #[error("{path} holds another sweep: {difference}")]
    OtherSweep {
        /// The file of runs.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// Another process is writing the same file.
    #[error("{path} is being written by another process")]
    Busy {
        /// The locked file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// A figure cannot be drawn from these numbers.
    #[error("cannot draw {figure}: {reason}")]
    Figure {
        /// Which figure.
        figure: &'static str,
        /// Why.
        reason: String,
    },
    /// An earlier summary that the report cannot be compared with.
    #[error("cannot compare with {path}: {reason}")]
    Baseline {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The report template failed.
    #[error("cannot render the report")]
    Render(#[source] askama::Error),
    /// A run that gives another result when it is trained again.
    #[error("{path}, row {row}: the stored loss is {stored:?}, trained again it is {again:?}")]
    Differs {
        /// The file of runs.
        path: PathBuf,
        /// Row, from 1, the header not counted.
        row: u64,
        /// The loss in the file.
        stored: f64,
        /// The loss now.
        again: f64,
    },
    /// A condition that the user wanted to hear of.
    #[error("the condition '{condition}' holds: {because}")]
    ConditionHolds {
        /// As the user wrote it.
        condition: String,
        /// What was found.
        because: String,
    },
    /// A condition that the data cannot answer.
    #[error("whether '{condition}' cannot be told: {reason}")]
    Undetermined {
        /// As the user wrote it.
        condition: String,
        /// What is missing.
        reason: String,
    },
    /// Runs around the minimum, where there is none between the levels.
    #[error("the strategy minimum finds no levels for more runs: {reason}")]
    NoDesign {
        /// What the data lack.
        reason: String,
    },
    /// An address that cannot be served at.
    #[error("cannot serve at {address}")]
    Serve {
        /// The address.
        address: std::net::SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The user stopped watching.
    #[error("stopped; the last report stays in {folder}")]
    Stopped {
        /// Where.
        folder: PathBuf,
    },
    /// The user stopped the sweep.
    #[error("stopped after {} of {} runs, which are kept in {path}", count(*done), count(*total))]
    Interrupted {
        /// Runs that are stored.
        done: u64,
        /// Runs that were planned.
        total: u64,
        /// Where they are.
        path: PathBuf,
    },
}

/// What to do about the text `value` in a column of numbers.
fn not_a_number(column: &str, value: &str) -> String {
    /// Letters of the longest unit: more are a word.
    const UNIT: usize = 3;
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    let comma_free = value.replace(',', "");
    let unit = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    if let Some(rest) = value.strip_prefix('\'').filter(|rest| is_number(rest)) {
        format!("take the quotation mark away that some spreadsheet put before {rest}")
    } else if is_number(&value.replacen(',', ".", 1)) && !value.contains('.') && !is_thousands(value) {
        "numbers need a decimal point, not a comma".into()
    } else if value.contains(',') && is_number(&comma_free) {
        format!("write it without commas: {comma_free}")
    } else if is_number(unit) && (1..=UNIT).contains(&value[unit.len()..].trim().chars().count()) {
        format!("write the number alone: {unit}, and the unit into the column's name")
    } else {
        format!(
            "correct the cell or leave it empty; if the run failed, say so: --failed '{column}={value}'; \
             a column of text cannot be --x or --y"
        )
    }
}

/// Whether its commas may be those between thousands: `1,234`.
fn is_thousands(value: &str) -> bool {
    let mut groups = value.trim_start_matches(['-', '+']).split(',');
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}

/// Whether an error of this kind is about the bytes that were read, not about reading them.
fn is_damage(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other
    )
}

impl Error {
    /// A read failure of `path`, ready for `map_err`.
    pub fn read(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Read { path, source }
    }

    /// A write failure of `path`, ready for `map_err`.
    pub fn write(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Write { path, source }
    }

    /// The process's exit code: 0 a reader that closed the pipe, 1 failed, 2 wrong usage, 3 data
    /// invalid, 4 source unreachable, 130 stopped by the user.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stdout(e) if e.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Usage { .. } => 2,
            Self::MissingColumn { .. }
            | Self::DuplicateColumn { .. }
            | Self::NotANumber { .. }
            | Self::FieldCount { .. }
            | Self::UnclosedQuote { .. }
            | Self::Malformed { .. }
            | Self::NoRuns { .. }
            | Self::NoEligibleLevel { .. }
            | Self::Mixed { .. }
            | Self::TooManyLevels { .. }
            | Self::Undetermined { .. }
            | Self::NoDesign { .. }
            | Self::OutOfReach { .. }
            | Self::Baseline { .. }
            | Self::Figure { .. } => 3,
            // What no system said, the content did: it is damaged.
            Self::Read { source, .. } if source.raw_os_error().is_none() && is_damage(source.kind()) => 3,
            Self::Read { .. }
            | Self::NoFiles { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::NoDocuments { .. }
            | Self::Database { .. }
            | Self::Spooled { .. } => 4,
            Self::NotReached { .. } => 1,
            Self::Interrupted { .. } | Self::Stopped { .. } => 130,
            Self::OtherSweep { .. }
            | Self::Differs { .. }
            | Self::ConditionHolds { .. }
            | Self::Serve { .. }
            | Self::Incomplete { .. }
            | Self::Busy { .. }
            | Self::Write { .. }
            | Self::Stdout(_)
            | Self::Render(_) => 1,
        }
    }

    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Usage { .. } => "run with --help for the accepted forms".into(),
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "check the path; a glob must be quoted or expanded by the shell".into()
            }
            Self::Read { source, .. } if source.raw_os_error().is_none() && is_damage(source.kind()) => {
                "is the file damaged or cut short?".into()
            }
            Self::Unreachable { reason, .. } if reason.contains("certificate") => {
                "does the URI's tlsCAFile hold the authority that signed the server's certificate, for this host name?"
                    .into()
            }
            Self::Unreachable { .. } => {
                "is the server running, and does the URI name it? --timeout waits longer".into()
            }
            Self::Refused { .. } => "check user, password and authSource in the URI, and the user's roles".into(),
            Self::NoDocuments { .. } => "choose with --db, --collection and --filter".into(),
            Self::Spooled { .. } => "run the same command in the same folder again: they are delivered first".into(),
            Self::Incomplete { .. } => "run the same command again; was the source still being written?".into(),
            Self::MissingColumn { .. } => {
                "name the columns with --x, --y and --pair; the first line of a CSV file must hold the column names"
                    .into()
            }
            Self::DuplicateColumn { .. } => "rename one of them, or choose another with --x, --y or --pair".into(),
            Self::NotANumber { column, value, .. } => not_a_number(column, value),
            Self::FieldCount { .. } => "correct or remove the row; fields that hold a separator must be quoted".into(),
            Self::NoEligibleLevel { advice, .. } => (*advice).into(),
            Self::Mixed { .. } => "give either the runs or the summaries; for collections --aggregate decides".into(),
            Self::TooManyLevels { .. } => "is this the swept factor? choose its column with --x".into(),
            Self::OtherSweep { .. } => "choose another file with --to, or start over with --fresh".into(),
            Self::Differs { .. } => {
                "the file was changed, or made by another version of the trainer (see the CHANGELOG)".into()
            }
            Self::Busy { .. } => "wait for it to end, or choose another file with --to".into(),
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space and run the same command again".into()
            }
            Self::Baseline { .. } => {
                "--baseline takes the summary.json of an earlier report on the same columns".into()
            }
            Self::NoDesign { .. } => "the other strategies share runs among the levels that are there".into(),
            Self::Serve { .. } => "is the port taken? choose another with --serve".into(),
            Self::Interrupted { .. } => "run the same command again to go on".into(),
            Self::OutOfReach { .. } => "the runs that were made are stored".into(),
            Self::NotReached { limit, .. } => {
                format!(
                    "the runs are stored; `initsweep sweep --to` that file with a greater {limit} goes on with them"
                )
            }
            _ => return None,
        })
    }
}
