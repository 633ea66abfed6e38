//! A file whose parts are read in any order, from several threads, and never beyond its end.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// A file that is read in parts.
pub struct Region {
    file: Mutex<File>,
    length: u64,
    path: PathBuf,
}

impl Region {
    /// All of `file`; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn new(mut file: File, path: &Path) -> Result<Self> {
        let length = file.seek(SeekFrom::End(0)).map_err(Error::read(path))?;
        Ok(Self { file: Mutex::new(file), length, path: path.into() })
    }

    /// Bytes in the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Its path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// So many bytes from `start` on.
    ///
    /// # Errors
    /// [`Error::Malformed`] if they are not all in the file, which nobody allocates memory for;
    /// [`Error::Read`].
    pub fn read(&self, start: u64, length: u64) -> Result<Vec<u8>> {
        if start.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(self.damaged("it names a part of itself that lies beyond its end"));
        }
        let mut bytes = vec![0; length as usize];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(Error::read(&self.path))?;
        Ok(bytes)
    }

    /// The error that the file cannot be read for this reason.
    pub fn refused(&self, reason: impl Into<String>) -> Error {
        Error::Malformed { path: self.path.clone(), reason: reason.into() }
    }

    /// The error that the file is damaged, and how that shows.
    pub fn damaged(&self, how: impl std::fmt::Display) -> Error {
        self.refused(format!("the file is damaged or cut short: {how}"))
    }
}
