//! What the user typed, turned into inputs: a file, a folder, a glob, a collection, or `-` for
//! standard input.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::data::{Data, Roles, RunTable};
use crate::error::{Error, Result};
use crate::format::{counted, excerpt};
use crate::provenance::uri_without_password;
use crate::store::formats::{self, content::Content};
use crate::store::mongodb::{self, Aggregate, Choice, Location};
use crate::store::record::SweepRecord;
use crate::store::template::{Found, Template};

/// One SOURCE argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file, a folder, or a glob pattern.
    Path(String),
    /// A collection on a server.
    Collection(Location),
    /// A MongoDB URI that is not looked at yet; see [`Source::located`].
    Uri(Uri),
}

/// A MongoDB URI as typed, shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Uri(String);

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uri_without_password(&self.0))
    }
}

impl Source {
    /// What `text` names.
    pub fn of(text: impl AsRef<str>) -> Self {
        match text.as_ref() {
            "-" => Self::Stdin,
            uri if mongodb::is_uri(uri) => Self::Uri(Uri(uri.into())),
            path => Self::Path(path.into()),
        }
    }

    /// The same, with a URI turned into a collection according to `choice`.
    ///
    /// # Errors
    /// Those of [`Location::of`].
    pub fn located(&self, choice: &Choice) -> Result<Self> {
        match self {
            Self::Uri(Uri(uri)) => Location::of(uri, choice).map(Self::Collection),
            other => Ok(other.clone()),
        }
    }
}

impl std::str::FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self::of(text))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Path(path) => f.write_str(path),
            Self::Collection(location) => location.fmt(f),
            Self::Uri(uri) => write!(f, "{uri:?}"),
        }
    }
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, with the columns that its path gives.
    File(Found),
    /// A collection.
    Collection(Location),
}

impl Input {
    /// Reads it.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn read(&self, roles: &Roles) -> Result<Data> {
        let mut data = self.read_rows(roles)?;
        self.complete(&mut data)?;
        Ok(data)
    }

    /// Takes the run out of a history, if that is asked for, and says how the runs were made, if
    /// the trainer left a record of as many.
    ///
    /// # Errors
    /// Those of [`RunTable::keep_one`].
    pub fn complete(&self, data: &mut Data) -> Result<()> {
        let Data::Runs(table) = data else { return Ok(()) };
        self.note_maker(table);
        match (table.roles.per_file, self) {
            (None, _) => Ok(()),
            (Some(per_file), Self::File(Found { path, .. })) => table.keep_one(per_file, path),
            (Some(per_file), _) => table.keep_one(per_file, Path::new("-")),
        }
    }

    /// `roles` with what the name of this input gives.
    pub fn roles<'r>(&self, roles: &'r Roles) -> Cow<'r, Roles> {
        match self {
            Self::File(Found { given, .. }) if !given.is_empty() => {
                Cow::Owned(Roles { given: given.clone(), ..roles.clone() })
            }
            _ => Cow::Borrowed(roles),
        }
    }

    fn note_maker(&self, table: &mut RunTable) {
        let Self::File(Found { path, .. }) = self else { return };
        let record = SweepRecord::read(path).filter(|record| record.runs == table.ledger.read);
        let made_by = record.as_ref().map(|record| {
            let SweepRecord { version, command, instruction_set, threads, .. } = record;
            format!("{version}, {instruction_set}, {}: {command}", counted(*threads as u64, "thread"))
        });
        let history = record.and_then(|record| record.history);
        for input in &mut table.inputs {
            input.made_by.clone_from(&made_by);
            input.histories = history.iter().cloned().collect();
        }
    }

    fn read_rows(&self, roles: &Roles) -> Result<Data> {
        let roles = self.roles(roles);
        let content = match self {
            Self::Stdin => Content::of_stdin()?,
            Self::Collection(location) => return mongodb::summaries::data(location, &roles),
            Self::File(found) => Content::of_file(&found.path)?,
        };
        formats::read(content, &roles)
    }
}

/// Whether `roles` can be read from `sources`, as far as that shows before they are opened.
///
/// # Errors
/// [`Error::Usage`] for columns that are not different ones, and for blocks or a second factor of
/// documents that a server adds up.
pub fn check(sources: &[Source], roles: &Roles) -> Result<()> {
    roles.check()?;
    if let (Some(_), Some(source)) = (roles.per_file, sources.iter().find(|s| matches!(s, Source::Collection(_)))) {
        let reason = format!("{source} is no file; every document is a run");
        return Err(Error::Usage { what: "per-file", given: source.to_string(), reason });
    }
    let is_added_up =
        |source: &&Source| matches!(source, Source::Collection(place) if place.aggregate() == Aggregate::Server);
    let Some(source) = sources.iter().find(is_added_up) else { return Ok(()) };
    let refused =
        [("pair", &roles.pair, "cannot say which runs belong together"), ("by", &roles.by, "knows one factor")];
    for (what, column, why) in refused {
        if let Some(given) = column {
            let reason = format!("the server of {source} adds up levels and {why}; use --aggregate client");
            return Err(Error::Usage { what, given: given.clone(), reason });
        }
    }
    Ok(())
}

/// The inputs of all `sources`, each file once, and the paths that were named again.
///
/// # Errors
/// [`Error::Read`] for a path that is not there, [`Error::NoFiles`] for a folder or glob without
/// data files, [`Error::Usage`] for a broken pattern or a second `-`.
pub fn inputs(sources: &[Source]) -> Result<(Vec<Input>, Vec<String>)> {
    let mut inputs = Vec::new();
    let mut seen = HashSet::new();
    let mut duplicates = Vec::new();
    for source in sources {
        let text = match source {
            Source::Path(text) => Some(text),
            Source::Stdin => None,
            source => {
                if let Source::Collection(location) = source.located(&Choice::default())? {
                    match inputs.contains(&Input::Collection(location.clone())) {
                        true => duplicates.push(location.to_string()),
                        false => inputs.push(Input::Collection(location)),
                    }
                }
                continue;
            }
        };
        let Some(text) = text else {
            if inputs.contains(&Input::Stdin) {
                return Err(Error::Usage {
                    what: "source",
                    given: "-".into(),
                    reason: "standard input can be read once".into(),
                });
            }
            inputs.push(Input::Stdin);
            continue;
        };
        for file in files(text)? {
            let identity = fs::canonicalize(&file.path).map_err(Error::read(&file.path))?;
            if seen.insert(identity) {
                inputs.push(Input::File(file));
            } else {
                duplicates.push(file.path.display().to_string());
            }
        }
    }
    Ok((inputs, duplicates))
}

fn files(text: &str) -> Result<Vec<Found>> {
    let plain = |path: PathBuf| Found { path, given: Vec::new() };
    let path = Path::new(text);
    if path.is_dir() {
        return Ok(files_of_folder(path)?.into_iter().map(plain).collect());
    }
    if path.exists() || !text.contains(['*', '?', '[', '{']) {
        // A missing file fails when it is opened, with the system's own reason.
        return Ok(vec![plain(path.to_path_buf())]);
    }
    let files: Vec<Found> = match Template::parse(text)? {
        Some(template) => matching(&template.glob(), text)?.iter().filter_map(|path| template.found(path)).collect(),
        None => matching(text, text)?.into_iter().map(plain).collect(),
    };
    match files.is_empty() {
        true => Err(Error::NoFiles { source_name: format!("the pattern {text}"), found: String::new() }),
        false => Ok(files),
    }
}

/// The files that the pattern `glob` finds, which the user `given` text stands for.
fn matching(glob: &str, given: &str) -> Result<Vec<PathBuf>> {
    let usage = |e: glob::PatternError| Error::Usage { what: "source", given: given.into(), reason: e.to_string() };
    let mut files = Vec::new();
    // As a shell does it: a star does not match hidden files.
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    for entry in glob::glob_with(glob, options).map_err(usage)? {
        let path = entry.map_err(|e| Error::Read { path: e.path().to_path_buf(), source: e.into() })?;
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// The data files directly in `folder`, by name. Hidden files and unfinished sweeps (`.part`) are
/// not among them.
fn files_of_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::read(folder))?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| Ok(entry.map_err(Error::read(folder))?.path())).collect::<Result<_>>()?;
    paths.sort();
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let files: Vec<PathBuf> =
        paths.iter().filter(|path| may_be_read(path) && is_contributed(path) && !hidden(path)).cloned().collect();
    if files.is_empty() {
        let names: Vec<_> = paths
            .iter()
            .take(5)
            .filter_map(|path| path.file_name())
            .map(|name| excerpt(&name.to_string_lossy()))
            .collect();
        let found = if names.is_empty() { "; it is empty".into() } else { format!("; it has {}", names.join(", ")) };
        return Err(Error::NoFiles { source_name: folder.display().to_string(), found });
    }
    Ok(files)
}

/// Whether `path` is neither a folder nor a pipe or a device, which may never end. A link to
/// nowhere fails when it is opened.
fn may_be_read(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |found| found.is_file())
}

/// Whether a file of this name holds runs: of the JSON files in a folder most are something else.
fn is_contributed(path: &Path) -> bool {
    formats::named(path).is_some_and(|format| format.name != formats::json::FORMAT.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_globs_give_each_file_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.CSV", "c.parquet", "notes.md", ".hidden.csv", "d.csv.part"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let path = folder.path().display().to_string();
        let sources = [Source::Path(path.clone()), Source::Path(format!("{path}/*.csv"))];
        let (inputs, duplicates) = inputs(&sources).unwrap();
        assert_eq!(inputs.len(), 3, "{inputs:?}");
        assert_eq!(duplicates.len(), 1, "{duplicates:?}");
    }

    #[test]
    fn an_empty_folder_says_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.md"), "x").unwrap();
        let error = files(&folder.path().display().to_string()).unwrap_err();
        assert!(error.to_string().contains("it has notes.md"), "{error}");
        assert_eq!(error.exit_code(), 4);
    }
}
