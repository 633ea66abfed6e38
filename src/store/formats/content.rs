//! Opens a file or standard input, unpacks what is compressed, and decodes UTF-16.
//!
//! **Bombs.** What unpacks to more than [`MOST_UNPACKED`] times its size is refused, beyond a size
//! that fits into memory anyway.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::provenance::InputDigest;
use crate::store::formats::TELLING;

/// Endings of compressed files.
pub const COMPRESSED: [&str; 2] = [".gz", ".zst"];
/// How many times its size a compressed file may unpack to.
pub const MOST_UNPACKED: u64 = 500;
/// Bytes below which it does not matter.
pub const HARMLESS: u64 = 64 << 20;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BUFFER: usize = 1 << 18;

/// What a file or standard input holds, unpacked.
pub struct Content {
    path: PathBuf,
    start: Vec<u8>,
    rest: Box<dyn Read + Send>,
    /// The file itself, if it is read as it is.
    file: Option<File>,
    /// What was hashed below the unpacking.
    raw: Option<Raw>,
}

/// What the bytes of a source are: counted and hashed as they are read.
type Raw = Arc<Mutex<(u64, Sha256)>>;

impl Content {
    /// The file at `path`.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn of_file(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::read(path))?;
        let kept = file.try_clone().map_err(Error::read(path))?;
        Self::new(Box::new(file), Some(kept), path)
    }

    /// Standard input.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn of_stdin() -> Result<Self> {
        Self::new(Box::new(io::stdin()), None, Path::new("-"))
    }

    /// What lies in memory; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Read`] for what is compressed and damaged.
    pub fn of_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        Self::new(Box::new(io::Cursor::new(bytes.to_vec())), None, path)
    }

    fn new(mut body: Box<dyn Read + Send>, file: Option<File>, path: &Path) -> Result<Self> {
        let failed = Error::read(path);
        let start = first_bytes(&mut body, TELLING).map_err(failed)?;
        let packed = start.starts_with(GZIP) || start.starts_with(ZSTD);
        let is_utf16 = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
        if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") {
            let reason = "the text is UTF-32; save it as UTF-8".to_string();
            return Err(Error::Malformed { path: path.into(), reason });
        }
        if !packed && !is_utf16 {
            return Ok(Self { path: path.into(), start, rest: body, file, raw: None });
        }
        let raw = Raw::default();
        let whole: Box<dyn Read + Send> = Box::new(io::Cursor::new(start.clone()).chain(body));
        let hashed = BufReader::with_capacity(BUFFER, Hashed { inner: whole, raw: Arc::clone(&raw) });
        let mut rest: Box<dyn Read + Send> = if start.starts_with(GZIP) {
            Box::new(Bounded::new(MultiGzDecoder::new(hashed), &raw))
        } else if packed {
            Box::new(Bounded::new(zstd::Decoder::with_buffer(hashed).map_err(Error::read(path))?, &raw))
        } else {
            Box::new(hashed)
        };
        let mut start = first_bytes(&mut rest, TELLING).map_err(Error::read(path))?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            rest = Box::new(Utf16::new(BufReader::with_capacity(BUFFER, io::Cursor::new(start).chain(rest))));
            start = first_bytes(&mut rest, TELLING).map_err(Error::read(path))?;
        }
        Ok(Self { path: path.into(), start, rest, file: None, raw: Some(raw) })
    }

    /// Its path, or `-`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its first bytes, up to [`TELLING`].
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// Whether it is read as it is, neither unpacked nor decoded.
    pub fn is_plain(&self) -> bool {
        self.raw.is_none()
    }

    /// All of it, and what becomes its digest.
    pub fn into_text(self) -> (Box<dyn Read + Send>, DigestOf) {
        let text = Box::new(io::Cursor::new(self.start).chain(self.rest));
        (text, DigestOf { path: self.path, raw: self.raw })
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn into_bytes(self) -> Result<(Vec<u8>, InputDigest)> {
        let path = self.path.clone();
        let (mut text, digest) = self.into_text();
        let mut bytes = Vec::new();
        text.read_to_end(&mut bytes).map_err(Error::read(&path))?;
        let hash = Sha256::new_with_prefix(&bytes);
        drop(text);
        let digest = digest.finish(bytes.len() as u64, hash);
        Ok((bytes, digest))
    }

    /// A file with all of it, for a format that is not read from its beginning to its end: the file
    /// itself, or a temporary one.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Write`] if what was unpacked finds no room.
    pub fn into_file(self) -> Result<(File, DigestOfFile)> {
        let path = self.path.clone();
        if let Some(mut file) = self.file {
            file.rewind().map_err(Error::read(&path))?;
            return Ok((file, DigestOfFile::Later(path)));
        }
        let (mut text, digest) = Self { file: None, ..self }.into_text();
        let mut file = tempfile::tempfile().map_err(Error::write("the folder for temporary files"))?;
        let (mut buffer, mut bytes, mut hash) = (vec![0; BUFFER], 0, Sha256::new());
        loop {
            let read = text.read(&mut buffer).map_err(Error::read(&path))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            bytes += read as u64;
            file.write_all(&buffer[..read]).map_err(Error::write("the folder for temporary files"))?;
        }
        file.rewind().map_err(Error::read(&path))?;
        drop(text);
        Ok((file, DigestOfFile::Known(digest.finish(bytes, hash))))
    }
}

/// What identifies a file that is not read from its beginning to its end.
pub enum DigestOfFile {
    /// It was hashed when it was unpacked.
    Known(InputDigest),
    /// The file at this path is still to be hashed.
    Later(PathBuf),
}

impl DigestOfFile {
    /// The digest; takes as long as reading the file.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn finish(self) -> Result<InputDigest> {
        match self {
            Self::Known(digest) => Ok(digest),
            Self::Later(path) => InputDigest::of_file(&path),
        }
    }
}

/// What identifies an input once it has been read to its end.
pub struct DigestOf {
    path: PathBuf,
    raw: Option<Raw>,
}

impl DigestOf {
    /// The digest of the source, whose text has so many `bytes` and the hash `text`.
    pub fn finish(self, bytes: u64, text: Sha256) -> InputDigest {
        match self.raw {
            None => InputDigest::new(&self.path, bytes, text),
            Some(raw) => {
                let (bytes, hash) = raw.lock().unwrap_or_else(PoisonError::into_inner).clone();
                InputDigest::new(&self.path, bytes, hash)
            }
        }
    }
}

/// At most `most` bytes, fewer only at the end.
fn first_bytes(reader: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hashes what is read.
struct Hashed<R> {
    inner: R,
    raw: Raw,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        raw.0 += read as u64;
        raw.1.update(&buffer[..read]);
        Ok(read)
    }
}

/// Ends what unpacks to far more than it was.
struct Bounded<R> {
    inner: R,
    unpacked: u64,
    raw: Raw,
}

impl<R> Bounded<R> {
    fn new(inner: R, raw: &Raw) -> Self {
        Self { inner, unpacked: 0, raw: Arc::clone(raw) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.raw.lock().unwrap_or_else(PoisonError::into_inner).0;
        if self.unpacked > HARMLESS && self.unpacked / MOST_UNPACKED > packed {
            let reason =
                format!("it unpacks to more than {MOST_UNPACKED} times its size; unpack it yourself if that is right");
            return Err(io::Error::other(reason));
        }
        Ok(read)
    }
}

/// UTF-16 with a byte order mark, as UTF-8 without.
struct Utf16<R> {
    inner: R,
    /// Whether the first of two bytes is the lower one; unknown before the mark.
    is_little_endian: Option<bool>,
    /// The first half of a character.
    high: Option<u16>,
    /// UTF-8 that is not taken yet.
    ready: Vec<u8>,
    taken: usize,
}

impl<R: Read> Utf16<R> {
    fn new(inner: R) -> Self {
        Self { inner, is_little_endian: None, high: None, ready: Vec::new(), taken: 0 }
    }

    /// Decodes the next bytes; nothing is ready then at the end.
    fn refill(&mut self) -> io::Result<()> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, format!("damaged UTF-16: {reason}"));
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let mut bytes = Vec::new();
            (&mut self.inner).take(1 << 16).read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                return if self.high.is_some() { Err(invalid("half a character at the end")) } else { Ok(()) };
            }
            let mut units = bytes.chunks_exact(2);
            for pair in &mut units {
                let pair = [pair[0], pair[1]];
                let Some(is_little_endian) = self.is_little_endian else {
                    self.is_little_endian = Some(pair == [0xff, 0xfe]);
                    continue;
                };
                let unit = if is_little_endian { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
                let halves = self.high.take().into_iter().chain([unit]);
                if (0xd800..0xdc00).contains(&unit) && halves.clone().count() == 1 {
                    self.high = Some(unit);
                    continue;
                }
                for character in char::decode_utf16(halves) {
                    let character = character.map_err(|_| invalid("half a character"))?;
                    self.ready.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            if !units.remainder().is_empty() {
                return Err(invalid("an odd number of bytes"));
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.refill()?;
        }
        let length = buffer.len().min(self.ready.len() - self.taken);
        buffer[..length].copy_from_slice(&self.ready[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> Result<(Vec<u8>, InputDigest)> {
        Content::of_bytes(bytes, Path::new("f"))?.into_bytes()
    }

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn utf16(text: &str, is_little_endian: bool) -> Vec<u8> {
        let bytes = |unit: u16| if is_little_endian { unit.to_le_bytes() } else { unit.to_be_bytes() };
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn compressed_and_utf16_text_is_read_as_text_and_hashed_as_it_lies() {
        let text = "größe,𝄞\n".repeat(50_000);
        let packed = [gzipped(text.as_bytes()), zstd::encode_all(text.as_bytes(), 1).unwrap()];
        let two = [gzipped(b"a,b\n"), gzipped(b"1,2\n")].concat();
        let wide = [utf16(&text, true), utf16(&text, false)];
        for bytes in packed.iter().chain(&wide).chain([&gzipped(&utf16(&text, true))]) {
            let (found, digest) = text_of(bytes).unwrap();
            assert!(found == text.as_bytes());
            let expected = InputDigest::new(Path::new("f"), bytes.len() as u64, Sha256::new_with_prefix(bytes));
            assert_eq!(digest, expected);
        }
        assert_eq!(text_of(&two).unwrap().0, b"a,b\n1,2\n");
    }

    #[test]
    fn damaged_and_swollen_content_is_refused() {
        let packed = [gzipped(&[b'x'; 10_000]), zstd::encode_all(&[b'x'; 10_000][..], 1).unwrap()];
        for bytes in packed.iter().map(|bytes| &bytes[..bytes.len() - 1]) {
            assert!(text_of(bytes).is_err());
        }
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"\xff\xfe\x00\xd8a\0", b"\xff\xfe\0\0a\0\0\0"] {
            assert!(text_of(bytes).is_err(), "{bytes:?}");
        }
        let bomb = zstd::encode_all(io::repeat(b'1').take(HARMLESS + 1000), 1).unwrap();
        let error = text_of(&bomb).unwrap_err();
        assert!(format!("{error:?}").contains("500 times its size"), "{error:?}");
    }
}
