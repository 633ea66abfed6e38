//! Every file name that the program writes, and the one way in which it writes a file: whole or not at all.
//!
//! A file is written beside its place under a temporary name, synchronised, and renamed over the old one, so that a
//! reader, a full disk or a killed process never leaves half a file. The folder is synchronised after the rename,
//! which makes the rename itself durable.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The folder that results go to, unless `--out` names another.
pub const DEFAULT_FOLDER: &str = "output";

/// A folder of results. Creating the value creates the folder.
#[derive(Debug, Clone)]
pub struct OutputFolder(PathBuf);

/// What the program can write into an [`OutputFolder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artefact {
    /// The runs of `initsweep run`.
    Runs,
    /// A figure of this name as vectors.
    Svg(&'static str),
    /// The same as pixels.
    Png(&'static str),
    /// The report.
    Report,
    /// The report as Markdown.
    ReportMarkdown,
    /// The group table.
    SummaryCsv,
    /// The whole analysis.
    SummaryJson,
}

impl Artefact {
    /// Its file name.
    pub fn file_name(self) -> String {
        match self {
            Self::Runs => "runs.csv".into(),
            Self::Svg(figure) => format!("{figure}.svg"),
            Self::Png(figure) => format!("{figure}.png"),
            Self::Report => "report.html".into(),
            Self::ReportMarkdown => "report.md".into(),
            Self::SummaryCsv => "summary.csv".into(),
            Self::SummaryJson => "summary.json".into(),
        }
    }
}

impl OutputFolder {
    /// Opens `folder`, creating it where it is missing.
    ///
    /// # Errors
    /// [`Error::Write`] if that is not possible.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        Ok(Self(folder.to_path_buf()))
    }

    /// Where `artefact` is, or will be.
    pub fn path(&self, artefact: Artefact) -> PathBuf {
        self.0.join(artefact.file_name())
    }

    /// Writes `artefact` whole and returns its path.
    ///
    /// # Errors
    /// [`Error::Write`]; the earlier file, if any, is then untouched.
    pub fn write(&self, artefact: Artefact, content: &[u8]) -> Result<PathBuf> {
        let path = self.path(artefact);
        write_whole(&path, content)?;
        Ok(path)
    }
}

/// Writes `content` to `path`, whole or not at all.
///
/// # Errors
/// [`Error::Write`]; the earlier file, if any, is then untouched.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    write_whole_with(path, |file| file.write_all(content).map_err(Error::write(path)))
}

/// The same for content that is made while it is written.
///
/// # Errors
/// [`Error::Write`], or whatever `fill` gives; the earlier file, if any, is then untouched.
pub fn write_whole_with(path: &Path, fill: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let folder = folder_of(path);
    let prefix = temporary_prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private by default; these are to be read by others, as far as the umask allows.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(Error::write(path))?;
    // Says that its process lives; where files cannot be locked, left-over ones stay.
    let _ = file.as_file().try_lock();
    fill(file.as_file_mut())?;
    file.as_file().sync_all().map_err(Error::write(path))?;
    file.persist(path).map_err(|e| Error::Write { path: path.to_path_buf(), source: e.error })?;
    sync_folder(folder).map_err(Error::write(path))
}

/// Removes the temporary files of `path` that killed processes left.
pub fn remove_left_over(path: &Path) {
    let prefix = temporary_prefix(path);
    for entry in fs::read_dir(folder_of(path)).into_iter().flatten().flatten() {
        let is_dead = || File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) && is_dead() {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn temporary_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".initsweep-");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// Renames a finished file into its place.
///
/// # Errors
/// [`Error::Write`] if the rename or the synchronisation fails.
pub fn rename_into_place(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).and_then(|()| sync_folder(folder_of(to))).map_err(Error::write(to))
}

/// The folder that holds `path`.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Windows cannot open a folder as a file, and makes renames durable by itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let output = OutputFolder::create(&folder.path().join("a/b")).unwrap();
        output.write(Artefact::Report, b"first, longer").unwrap();
        let path = output.write(Artefact::Report, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/report.html");
        assert!(write_whole(&path, b"x").unwrap_err().to_string().contains("missing/report.html"));
    }
}
