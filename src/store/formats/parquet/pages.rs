//! The pages of a column chunk: walked, checked, and unpacked.
//!
//! **What is checked.** Each page lies within its chunk; its checksum, where it has one; that it
//! unpacks to exactly the size that it states; that all pages together hold as many values as the
//! footer says. polars' own reader checks none of these: it fills what a page lacks with zeros, and
//! stops where values run out.
//!
//! **What comes out** is the same chunk without compression, so that the decoder of values is the
//! same for every codec.

use std::io::{self, Read};

use flate2::Crc;
use flate2::read::MultiGzDecoder;
use polars_parquet::parquet::compression::{self, Compression, DecompressionContext};

use crate::store::formats::arrow::most_unpacked;
use crate::store::formats::parquet::footer::Leaf;
use crate::store::formats::parquet::plain;
use crate::store::formats::parquet::thrift::{Kind, Parsed, Reader, Writer};

/// Kinds of pages.
const DATA: i32 = 0;
const DICTIONARY: i32 = 2;
const DATA_2: i32 = 3;
/// Values one after the other.
const PLAIN: i32 = 0;

/// What the header of a page says.
#[derive(Debug, Default)]
struct Header {
    kind: i32,
    unpacked: i32,
    packed: i32,
    checksum: Option<i32>,
    values: i32,
    encoding: i32,
    level_encodings: [i32; 2],
    /// Pages of the second version: nulls and rows.
    counts: [i32; 2],
    /// Pages of the second version: bytes of definition and of repetition levels.
    levels: [i32; 2],
    /// Pages of the second version: whether they are not compressed.
    is_plain: bool,
}

/// The pages of a `chunk` of `leaf` that has so many `values`, with their headers, without
/// compression.
///
/// # Errors
/// What is wrong with it.
pub fn unpack(chunk: &[u8], codec: i32, values: usize, leaf: &Leaf) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let (mut at, mut found) = (0, 0);
    let most = most_unpacked(chunk.len(), values, leaf.physical.width());
    while found < values {
        let mut reader = Reader::new(&chunk[at..]);
        let mut header = header(&mut reader)?;
        at += reader.position();
        let [packed, unpacked] = [header.packed, header.unpacked].map(usize::try_from);
        let (Ok(packed), Ok(unpacked)) = (packed, unpacked) else { return Err("a page has a negative size".into()) };
        let end = at.checked_add(packed).filter(|end| *end <= chunk.len()).ok_or("a page goes beyond its column")?;
        let page = &chunk[at..end];
        at = end;
        check_sum(page, header.checksum)?;
        if ![DATA, DICTIONARY, DATA_2].contains(&header.kind) {
            continue;
        }
        if out.len().saturating_add(unpacked) > most {
            return Err(format!("a page claims to unpack from {packed} to {unpacked} bytes"));
        }
        let count = usize::try_from(header.values).map_err(|_| "a page has a negative number of values")?;
        if header.kind != DICTIONARY {
            found += count;
        } else if count > unpacked {
            return Err("its dictionary claims more values than it has bytes".into());
        }
        if header.kind != DICTIONARY && plain::is_known(header.encoding) {
            let mut body = vec![0; unpacked];
            header.decompress(codec, page, &mut body)?;
            let start = header.start_of_values(&body, leaf.is_optional())?;
            let values = plain::plain(header.encoding, leaf.physical, &body[start..], count, most - out.len())?;
            body.truncate(start);
            body.extend_from_slice(&values);
            header.unpacked = i32::try_from(body.len()).map_err(|_| "a page is too long")?;
            header.encoding = PLAIN;
            header.write(&mut out);
            out.append(&mut body);
        } else {
            header.write(&mut out);
            let start = out.len();
            out.resize(start + unpacked, 0);
            header.decompress(codec, page, &mut out[start..])?;
        }
    }
    if found > values { Err(format!("its pages hold {found} values instead of {values}")) } else { Ok(out) }
}

fn check_sum(page: &[u8], stated: Option<i32>) -> Result<(), &'static str> {
    let Some(stated) = stated else { return Ok(()) };
    let mut sum = Crc::new();
    sum.update(page);
    if sum.sum() == stated as u32 { Ok(()) } else { Err("a page does not have its checksum") }
}

impl Header {
    /// Unpacks all of `page` into all of `body`.
    fn decompress(&self, codec: i32, page: &[u8], body: &mut [u8]) -> Result<(), String> {
        let kept = self.kept(page.len().min(body.len()))?;
        body[..kept].copy_from_slice(&page[..kept]);
        let is_plain = self.kind == DATA_2 && self.is_plain;
        decompress(if is_plain { 0 } else { codec }, &page[kept..], &mut body[kept..])
    }

    /// Where the values of a page begin, after what says which of them are null.
    fn start_of_values(&self, body: &[u8], is_optional: bool) -> Result<usize, &'static str> {
        match (self.kind, body.first_chunk()) {
            (DATA_2, _) => self.kept(body.len()),
            _ if !is_optional => Ok(0),
            (_, Some(length)) => {
                let end = usize::try_from(u32::from_le_bytes(*length)).ok().and_then(|length| length.checked_add(4));
                end.filter(|end| *end <= body.len()).ok_or("the levels of a page are longer than it")
            }
            (_, None) => Err("a page has no levels"),
        }
    }

    /// Bytes at the beginning of a page that are not compressed: the levels of the second version.
    fn kept(&self, most: usize) -> Result<usize, &'static str> {
        if self.kind != DATA_2 {
            return Ok(0);
        }
        let [definition, repetition] = self.levels.map(usize::try_from);
        let (Ok(definition), Ok(repetition)) = (definition, repetition) else { return Err("levels of negative size") };
        Some(definition + repetition).filter(|kept| *kept <= most).ok_or("the levels of a page are longer than it")
    }

    /// Writes it for a page that is not compressed.
    fn write(&self, out: &mut Vec<u8>) {
        let mut writer = Writer::after(std::mem::take(out));
        writer.whole(1, self.kind);
        writer.whole(2, self.unpacked);
        writer.whole(3, self.unpacked);
        match self.kind {
            DICTIONARY => writer.fields(7, |writer| {
                writer.whole(1, self.values);
                writer.whole(2, self.encoding);
            }),
            DATA => writer.fields(5, |writer| {
                writer.whole(1, self.values);
                writer.whole(2, self.encoding);
                writer.whole(3, self.level_encodings[0]);
                writer.whole(4, self.level_encodings[1]);
            }),
            _ => writer.fields(8, |writer| {
                writer.whole(1, self.values);
                writer.whole(2, self.counts[0]);
                writer.whole(3, self.counts[1]);
                writer.whole(4, self.encoding);
                writer.whole(5, self.levels[0]);
                writer.whole(6, self.levels[1]);
                writer.bool(7, false);
            }),
        }
        writer.end();
        *out = writer.bytes;
    }
}

fn header(reader: &mut Reader) -> Parsed<Header> {
    let mut header = Header::default();
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, _) => header.kind = reader.short(kind)?,
            (2, _) => header.unpacked = reader.short(kind)?,
            (3, _) => header.packed = reader.short(kind)?,
            (4, _) => header.checksum = Some(reader.short(kind)?),
            (5 | 7, Kind::Struct) => reader.fields(|reader, id, kind| {
                match id {
                    1 => header.values = reader.short(kind)?,
                    2 => header.encoding = reader.short(kind)?,
                    3 | 4 if kind == Kind::Whole => header.level_encodings[id as usize - 3] = reader.short(kind)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            (8, Kind::Struct) => reader.fields(|reader, id, kind| {
                match id {
                    1 => header.values = reader.short(kind)?,
                    2 | 3 => header.counts[id as usize - 2] = reader.short(kind)?,
                    4 => header.encoding = reader.short(kind)?,
                    5 | 6 => header.levels[id as usize - 5] = reader.short(kind)?,
                    7 => header.is_plain = !Reader::bool(kind)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(header)
}

/// Unpacks all of `packed` into all of `body`, or fails.
fn decompress(codec: i32, packed: &[u8], body: &mut [u8]) -> Result<(), String> {
    // A page of nulls alone has no values to compress.
    if packed.is_empty() && body.is_empty() {
        return Ok(());
    }
    let unpacked = match codec {
        0 => {
            let length = packed.len();
            if length == body.len() {
                body.copy_from_slice(packed);
            }
            Ok(length)
        }
        1 => snap::raw::decompress_len(packed).map_err(io::Error::other).and_then(|length| {
            if length == body.len() {
                snap::raw::Decoder::new().decompress(packed, body).map_err(Into::into)
            } else {
                Ok(length)
            }
        }),
        2 => fill(MultiGzDecoder::new(packed), body),
        6 => zstd::bulk::decompress_to_buffer(packed, body),
        7 => lz4::block::decompress_to_buffer(packed, i32::try_from(body.len()).ok(), body),
        4 | 5 => {
            let codec = if codec == 4 { Compression::Brotli } else { Compression::Lz4 };
            let unpacked = compression::decompress(codec, packed, body, &mut DecompressionContext::Unset);
            unpacked.map(|()| body.len()).map_err(io::Error::other)
        }
        other => return Err(format!("its compression (number {other}) is not known")),
    };
    match unpacked {
        Ok(length) if length == body.len() => Ok(()),
        Ok(length) => Err(format!("a page unpacks to {length} bytes instead of {}", body.len())),
        Err(e) => Err(format!("a page cannot be unpacked ({e})")),
    }
}

/// Reads to the end, which verifies checksums; how much there is, or one more than fits.
fn fill(mut reader: impl Read, body: &mut [u8]) -> io::Result<usize> {
    reader.read_exact(body)?;
    Ok(body.len() + reader.read(&mut [0])?)
}
