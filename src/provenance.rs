//! How a result was made: enough for another person to make it again and to see whether the input
//! was the same.
//!
//! No clock, no host name, no user: the same input gives the same bytes.

mod secret;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::course::History;
use crate::error::{Error, Result};
pub use secret::{URI_VARIABLE, uri_without_password, without_password, without_secrets, without_secrets_of};

/// One input as it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputDigest {
    /// Path as given, or `-`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, hexadecimal, as `sha256sum` prints it; of a collection, of the numbers
    /// read from it.
    pub sha256: String,
    /// How the runs in it were made: version, instruction set, threads and command, where the
    /// trainer left a record.
    pub made_by: Option<String>,
    /// How sweeps in it that had a goal went on until it was reached: of a file at most one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub histories: Vec<History>,
}

impl InputDigest {
    /// The digest of `bytes` bytes from `path` that `hasher` has seen.
    pub fn new(path: &Path, bytes: u64, hasher: Sha256) -> Self {
        let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { path: path.display().to_string(), bytes, sha256, made_by: None, histories: Vec::new() }
    }

    /// The digest of a whole file.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::read(path))?;
        let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 18]);
        loop {
            match file.read(&mut buffer).map_err(Error::read(path))? {
                0 => return Ok(Self::new(path, bytes, hasher)),
                read => {
                    hasher.update(&buffer[..read]);
                    bytes += read as u64;
                }
            }
        }
    }
}

/// How a result was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// Name and version of the program.
    pub version: String,
    /// The command as typed, quoted for a shell, without passwords.
    pub command: String,
    /// The inputs.
    pub inputs: Vec<InputDigest>,
}

impl Provenance {
    /// Describes the running process and `inputs`.
    pub fn of_this_process(inputs: Vec<InputDigest>) -> Self {
        let arguments = std::env::args_os()
            .skip(1)
            .map(|argument| shell_quoted(&uri_without_password(&argument.to_string_lossy())));
        let command =
            std::iter::once(env!("CARGO_PKG_NAME").to_string()).chain(arguments).collect::<Vec<_>>().join(" ");
        Self { version: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")), command, inputs }
    }
}

/// `argument` as a shell takes it.
pub(crate) fn shell_quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_string()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_a_shell() {
        assert_eq!(shell_quoted("Xavier=1/sqrt(2)"), "'Xavier=1/sqrt(2)'");
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }
}
