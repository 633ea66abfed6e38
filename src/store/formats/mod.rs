//! The formats of files, and what kind of file something is. The only place that knows either.
//!
//! The content decides, not the name: [`FORMATS`] is asked in its order, and text that nobody else
//! knows is CSV. Compressed and UTF-16 text is unpacked on the way ([`content`]).
//!
//! - [`content`]: opens, unpacks and decodes a file or standard input.
//! - [`csv`], [`json`], [`parquet`], [`ipc`]: read runs.
//! - [`arrow`]: what formats of typed columns have in common.
//! - [`levels`]: tables of levels in place of runs, in each of these forms.

pub mod arrow;
pub mod content;
pub mod csv;
pub mod ipc;
pub mod json;
pub mod levels;
pub mod parquet;

use std::path::Path;

use crate::data::{Data, Roles};
use crate::error::{Error, Result};
use crate::store::formats::content::Content;
use crate::store::rows::{Names, Rows, Wish};

/// A format of files of runs.
pub struct Format {
    /// Its name in messages.
    pub name: &'static str,
    /// Endings of the names of such files, which a folder or a glob contributes.
    pub endings: &'static [&'static str],
    /// Whether a file that begins so is of this format.
    pub recognises: fn(&[u8]) -> bool,
    /// Reads runs, or levels in their place.
    pub read: fn(Content, &Roles) -> Result<Data>,
    /// Gives the rows of the file at a path with everything that they say.
    pub rows: fn(&Path, Wish, &mut Names, Rows) -> Result<()>,
}

/// All formats; the last one takes what the others do not know.
pub static FORMATS: [Format; 5] = [parquet::FORMAT, ipc::FORMAT, json::LINES, json::FORMAT, csv::FORMAT];

/// What begins so is of a format that is known but not read, and what to do about it.
const REFUSED: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "it is an Excel workbook or another ZIP archive; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook (.xls); save the sheet as CSV"),
    (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file; write the table as Parquet or CSV, with pandas: df.to_parquet(…)"),
    (b"SQLite format 3\0", "it is an SQLite database; export the table: sqlite3 -header -csv FILE 'select …'"),
    (b"\x93NUMPY", "it is a NumPy file without column names; write a CSV file with a header"),
    (b"FEA1", "it is a Feather file of version 1; write it again, with pandas: df.to_feather(…)"),
    (b"%PDF", "it is a PDF document"),
];

/// Bytes of a file that tell its format.
pub const TELLING: usize = 64;

/// The format of a file that begins with `start`.
///
/// # Errors
/// [`Error::Malformed`] for a format that is known but not read; it says what to do.
pub fn of(start: &[u8], path: &Path) -> Result<&'static Format> {
    if let Some((_, reason)) = REFUSED.iter().find(|(mark, _)| start.starts_with(mark)) {
        return Err(Error::Malformed { path: path.into(), reason: (*reason).into() });
    }
    let [.., text] = &FORMATS;
    Ok(FORMATS.iter().find(|format| (format.recognises)(start)).unwrap_or(text))
}

/// Reads runs, or levels in their place, in whatever format they are.
///
/// # Errors
/// Those of the format.
pub fn read(content: Content, roles: &Roles) -> Result<Data> {
    (format_of(&content)?.read)(content, roles)
}

/// Gives the rows of the file at `path`, in whatever format they are, with everything that they
/// say.
///
/// # Errors
/// Those of the format, whatever `take` gives.
pub fn each_row(path: &Path, wish: Wish, names: &mut Names, take: Rows) -> Result<()> {
    (format_of(&Content::of_file(path)?)?.rows)(path, wish, names, take)
}

fn format_of(content: &Content) -> Result<&'static Format> {
    let format = of(content.start(), content.path())?;
    if let Some(named) = named(content.path()).filter(|named| named.is_binary() && named.name != format.name) {
        let reason = format!("named like {}, but it does not begin like one", with_article(named.name));
        return Err(Error::Malformed { path: content.path().into(), reason });
    }
    Ok(format)
}

impl Format {
    /// Whether its files are no text.
    fn is_binary(&self) -> bool {
        ![csv::FORMAT.name, json::LINES.name, json::FORMAT.name].contains(&self.name)
    }
}

fn with_article(name: &str) -> String {
    let article = if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {name} file")
}

/// The format that the name of `path` promises, compressed or not.
pub fn named(path: &Path) -> Option<&'static Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = content::COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let (_, ending) = name.rsplit_once('.')?;
    FORMATS.iter().find(|format| format.endings.contains(&ending))
}

/// Whether a file named `path` is to be written as Parquet.
pub fn is_parquet_by_name(path: &Path) -> bool {
    named(path).is_some_and(|format| format.name == parquet::FORMAT.name)
}
