//! Values that are stored as differences or with their bytes apart, as plain ones.
//!
//! Why not polars' decoder: it takes the lengths and counts in pages of differences as they are, so
//! that a few bytes make it reserve any amount of memory; and it puts bytes together again for some
//! types alone. Here nothing is longer than the page may be.
//!
//! Format: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>, DELTA_BINARY_PACKED
//! (Lemire and Boytsov 2015), DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY and BYTE_STREAM_SPLIT.

use crate::store::formats::parquet::footer::Physical;
use crate::store::formats::parquet::thrift::{Kind, Parsed, Reader};

/// Integers as differences.
const WHOLES: i32 = 5;
/// Lengths as differences, and then all texts.
const LENGTHS: i32 = 6;
/// Texts as differences: how much is that of the text before, and the rest.
const TEXTS: i32 = 7;

/// The first bytes of all values, and then the second ones, and so on.
const APART: i32 = 9;

const WRONG: &str = "its differences are not what they should be";
const TOO_MUCH: &str = "its texts repeat each other beyond measure";
/// No writer makes larger blocks of differences.
const LARGEST_BLOCK: i64 = 1 << 20;

/// Whether values in `encoding` are made plain here.
pub fn is_known(encoding: i32) -> bool {
    [WHOLES, LENGTHS, TEXTS, APART].contains(&encoding)
}

/// The plain form of `values` in `encoding`: at most so many, of at most so many bytes in all.
///
/// # Errors
/// What is wrong with them.
pub fn plain(encoding: i32, physical: Physical, values: &[u8], count: usize, most: usize) -> Parsed<Vec<u8>> {
    if encoding == APART {
        return together(values, physical.width().ok_or(WRONG)?);
    }
    let mut reader = Reader::new(values);
    let mut out = Vec::new();
    match (encoding, physical) {
        (WHOLES, Physical::Int32) => {
            wholes(&mut reader, count)?.iter().for_each(|whole| out.extend_from_slice(&(*whole as i32).to_le_bytes()));
        }
        (WHOLES, Physical::Int64) => {
            wholes(&mut reader, count)?.iter().for_each(|whole| out.extend_from_slice(&whole.to_le_bytes()));
        }
        (LENGTHS, Physical::Bytes) => {
            for length in wholes(&mut reader, count)? {
                let text = reader.next(usize::try_from(length).map_err(|_| WRONG)?)?;
                out.extend_from_slice(&(text.len() as u32).to_le_bytes());
                out.extend_from_slice(text);
            }
        }
        (TEXTS, Physical::Bytes | Physical::Fixed(_)) => {
            let (shared, own) = (wholes(&mut reader, count)?, wholes(&mut reader, count)?);
            if shared.len() != own.len() {
                return Err(WRONG);
            }
            let mut last = 0..0;
            for (shared, own) in shared.into_iter().zip(own) {
                let shared = usize::try_from(shared).ok().filter(|shared| *shared <= last.len()).ok_or(WRONG)?;
                let own = reader.next(usize::try_from(own).map_err(|_| WRONG)?)?;
                let length = shared + own.len();
                if out.len() + length > most {
                    return Err(TOO_MUCH);
                }
                if physical == Physical::Bytes {
                    out.extend_from_slice(&(length as u32).to_le_bytes());
                }
                let start = out.len();
                out.extend_from_within(last.start..last.start + shared);
                out.extend_from_slice(own);
                last = start..out.len();
            }
        }
        _ => return Err("its values are stored in a way that its type does not have"),
    }
    Ok(out)
}

/// Values of so many bytes, which stand apart in `values`, each with its bytes together.
fn together(values: &[u8], width: usize) -> Parsed<Vec<u8>> {
    if width == 0 || !values.len().is_multiple_of(width) {
        return Err("the bytes of its values are not of the same number");
    }
    let mut out = vec![0; values.len()];
    for (place, bytes) in values.chunks_exact((values.len() / width).max(1)).enumerate() {
        bytes.iter().zip(out.iter_mut().skip(place).step_by(width)).for_each(|(byte, out)| *out = *byte);
    }
    Ok(out)
}

/// Integers that begin here, at most `most`.
fn wholes(reader: &mut Reader, most: usize) -> Parsed<Vec<i64>> {
    let size = |value: u64| i64::try_from(value).ok().filter(|value| (1..=LARGEST_BLOCK).contains(value)).ok_or(WRONG);
    let (block, parts) = (size(reader.unsigned()?)?, size(reader.unsigned()?)?);
    let count = usize::try_from(reader.unsigned()?).ok().filter(|count| *count <= most).ok_or(WRONG)?;
    let mut value = reader.whole(Kind::Whole)?;
    if block % parts != 0 || (block / parts) % 8 != 0 {
        return Err(WRONG);
    }
    let (parts, part) = (parts as usize, (block / parts) as usize);
    let mut found = Vec::with_capacity(count);
    if count > 0 {
        found.push(value);
    }
    while found.len() < count {
        let least = reader.whole(Kind::Whole)?;
        let widths = reader.next(parts)?;
        for width in widths {
            // Parts that are not needed are not there.
            let wanted = part.min(count - found.len());
            if wanted == 0 {
                break;
            }
            let width = usize::from(*width);
            if width > 64 {
                return Err(WRONG);
            }
            let bits = reader.next(width * part / 8)?;
            for place in 0..wanted {
                value = value.wrapping_add(least).wrapping_add(unpacked(bits, place * width, width) as i64);
                found.push(value);
            }
        }
    }
    Ok(found)
}

/// The `width` bits of `bits` from `at` on, the lowest first.
fn unpacked(bits: &[u8], at: usize, width: usize) -> u64 {
    let mut bytes = [0; 16];
    let first = &bits[at / 8..bits.len().min(at / 8 + 9)];
    bytes[..first.len()].copy_from_slice(first);
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    (u128::from_le_bytes(bytes) >> (at % 8)) as u64 & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two texts as Spark 3.1 writes them; the test of polars has the same.
    const HELICOPTER: [u8; 37] = [
        128, 1, 4, 2, 0, 6, 0, 0, 0, 0, 128, 1, 4, 2, 10, 4, 0, 0, 0, 0, b'H', b'e', b'l', b'l', b'o', b'i', b'c',
        b'o', b'p', b't', b'e', b'r', 0, 0, 0, 0, 0,
    ];

    #[test]
    fn texts_as_differences_become_plain() {
        let texts = plain(TEXTS, Physical::Bytes, &HELICOPTER, 2, 100);
        assert_eq!(texts.as_deref(), Ok(&b"\x05\0\0\0Hello\x0a\0\0\0Helicopter"[..]));
        assert_eq!(plain(TEXTS, Physical::Bytes, &HELICOPTER, 1, 100), Err(WRONG));
        assert_eq!(plain(TEXTS, Physical::Bytes, &HELICOPTER, 2, 14), Err(TOO_MUCH));
        for cut in 0..32 {
            assert!(plain(TEXTS, Physical::Bytes, &HELICOPTER[..cut], 2, 100).is_err(), "{cut}");
        }
    }

    #[test]
    fn integers_as_differences_become_plain() {
        // 1, 2, 3, 4, 5 in one block: all differences are 1, so that they take no bits. From the
        // format's description.
        let few = [128, 1, 4, 5, 2, 2, 0, 0, 0, 0];
        let wholes: Vec<u8> = (1..=5_i32).flat_map(i32::to_le_bytes).collect();
        assert_eq!(plain(WHOLES, Physical::Int32, &few, 5, 100), Ok(wholes));
        // 7, 5, 3, 1, 2, 3, 4, 5: differences −2, −2, −2, 1 × 4, the least −2, in two bits each.
        // From the same place.
        let more = [128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0];
        let wholes: Vec<u8> = [7, 5, 3, 1, 2, 3, 4, 5_i64].into_iter().flat_map(i64::to_le_bytes).collect();
        assert_eq!(plain(WHOLES, Physical::Int64, &more, 8, 100), Ok(wholes));
        assert!(plain(WHOLES, Physical::Bytes, &more, 8, 100).is_err());
    }

    #[test]
    fn bytes_that_stand_apart_come_together() {
        let apart = [1, 2, 3, 10, 20, 30, 0, 0, 0, 0, 0, 0];
        let together = [1, 10, 0, 0, 2, 20, 0, 0, 3, 30, 0, 0];
        assert_eq!(plain(APART, Physical::Float, &apart, 3, 100).as_deref(), Ok(&together[..]));
        assert!(plain(APART, Physical::Double, &apart, 3, 100).is_err());
        assert_eq!(plain(APART, Physical::Double, &[], 3, 100).as_deref(), Ok(&[][..]));
        assert!(plain(APART, Physical::Bytes, &apart, 3, 100).is_err());
    }

    #[test]
    fn claims_beyond_measure_reserve_nothing() {
        let claim = [128, 1, 1, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0];
        assert_eq!(plain(WHOLES, Physical::Int64, &claim, 1000, 100), Err(WRONG));
        let block = [255, 255, 255, 255, 255, 255, 1, 1, 5, 0, 0, 0];
        assert_eq!(plain(WHOLES, Physical::Int64, &block, 1000, 100), Err(WRONG));
    }
}
