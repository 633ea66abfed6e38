//! A record batch: nodes and buffers, and the columns in them.

use std::io::Read;

use polars_arrow::array::{BinaryViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow_format::ipc::{CompressionType, RecordBatchRef};
use polars_buffer::Buffer;

use crate::store::formats::arrow::column::{Column, Texts, Values, half};
use crate::store::formats::arrow::decimal;
use crate::store::formats::arrow::region::Region;
use crate::store::formats::arrow::{are_too_many, most_unpacked};
use crate::store::formats::ipc::schema::{Kind, Place, invalid};

/// Some rows of all columns, or the values of a dictionary.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Number of rows.
    pub rows: usize,
    nodes: Vec<Node>,
    buffers: Vec<Part>,
    /// How many buffers more each column of views has.
    views: Vec<usize>,
    compression: Option<CompressionType>,
    /// Where the buffers are in the file.
    body: Part,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    length: usize,
    nulls: usize,
}

/// A part of a file or of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where it begins.
    pub start: u64,
    /// Its bytes.
    pub length: u64,
}

/// Why a column could not be read.
pub type Decoded<T> = Result<T, String>;

impl Batch {
    /// What `batch` says, whose buffers lie in `body`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(batch: RecordBatchRef, body: Part, file: u64) -> Decoded<Self> {
        const NEGATIVE: &str = "it says that something has a negative size";
        let rows = usize::try_from(batch.length().map_err(invalid)?).map_err(|_| NEGATIVE)?;
        if are_too_many(rows as u64, file) {
            return Err(format!("it says that it has {rows} rows, in {file} bytes"));
        }
        let mut nodes = Vec::new();
        for node in batch.nodes().map_err(invalid)?.into_iter().flatten() {
            let [length, nulls] = [node.length(), node.null_count()].map(usize::try_from);
            let (Ok(length), Ok(nulls)) = (length, nulls) else { return Err(NEGATIVE.into()) };
            nodes.push(Node { length, nulls });
        }
        let mut buffers = Vec::new();
        for buffer in batch.buffers().map_err(invalid)?.into_iter().flatten() {
            let [start, length] = [buffer.offset(), buffer.length()].map(u64::try_from);
            let (Ok(start), Ok(length)) = (start, length) else { return Err(NEGATIVE.into()) };
            buffers.push(Part { start, length });
        }
        let mut views = Vec::new();
        for count in batch.variadic_buffer_counts().map_err(invalid)?.into_iter().flatten() {
            let count = usize::try_from(count).ok().filter(|count| *count <= buffers.len());
            views.push(count.ok_or("a column claims more buffers than there are")?);
        }
        let compression = match batch.compression().map_err(invalid)? {
            Some(compression) => {
                compression.method().map_err(invalid)?;
                Some(compression.codec().map_err(invalid)?)
            }
            None => None,
        };
        Ok(Self { rows, nodes, buffers, views, compression, body })
    }

    /// The column of `kind` at `place`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn column(&self, kind: Kind, place: Place, region: &Region) -> Decoded<Column> {
        let node = self.nodes.get(place.nodes).ok_or("a column is missing")?;
        let rows = node.length;
        if are_too_many(rows as u64, region.length()) {
            return Err(format!("a column says that it has {rows} rows"));
        }
        let before = self.views.iter().take(place.views).sum::<usize>();
        let buffers = Buffers { batch: self, region, first: place.buffers.saturating_add(before), rows };
        let values = match kind {
            Kind::Null => return Ok(Column::new(Values::Nothing(rows))),
            Kind::Unknown(kind) => return Ok(Column::new(Values::Other(kind, rows))),
            Kind::Other(kind) => Values::Other(kind, rows),
            Kind::Bool => Values::Bools(buffers.bits(1)?),
            Kind::Whole(8, false) => Values::Large(buffers.fixed(|bytes| u64::from_le_bytes(bytes).into())?),
            Kind::Whole(bytes, is_signed) => Values::Wholes(buffers.wholes(bytes, is_signed)?.into()),
            Kind::Number(bytes) => Values::Numbers(buffers.numbers(bytes)?.into()),
            Kind::Calendar(bytes, calendar) => Values::Times(buffers.wholes(bytes, true)?.into(), calendar),
            Kind::Decimal(bytes, scale) => buffers.decimals(bytes, scale)?,
            Kind::Text(bytes) => Values::Texts(buffers.texts(bytes)?),
            Kind::Views => {
                let more = self.views.get(place.views).ok_or("a column of texts is missing")?;
                Values::Texts(Texts::Views(buffers.views(*more)?))
            }
        };
        Ok(Column { values, valid: self.valid(place, region)? })
    }

    /// Which cells of the column at `place` are not null; `None` if that is all of them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn valid(&self, place: Place, region: &Region) -> Decoded<Option<Bitmap>> {
        let node = self.nodes.get(place.nodes).ok_or("a column is missing")?;
        if node.nulls == 0 {
            return Ok(None);
        }
        let before = self.views.iter().take(place.views).sum::<usize>();
        let first = place.buffers.saturating_add(before);
        let valid = Buffers { batch: self, region, first, rows: node.length }.bits(0)?;
        if valid.unset_bits() != node.nulls {
            return Err(format!("{} cells are null instead of {}", valid.unset_bits(), node.nulls));
        }
        Ok(Some(valid))
    }
}

/// The buffers of a column.
struct Buffers<'a> {
    batch: &'a Batch,
    region: &'a Region,
    first: usize,
    rows: usize,
}

impl Buffers<'_> {
    /// The bytes of a buffer of the column: `length` of them, or all if that is not known.
    fn bytes(&self, number: usize, length: Option<usize>) -> Decoded<Vec<u8>> {
        let part = self.first.checked_add(number).and_then(|place| self.batch.buffers.get(place));
        let part = part.ok_or("a buffer is missing")?;
        if part.start.checked_add(part.length).is_none_or(|end| end > self.batch.body.length) {
            return Err("a buffer lies beyond its batch".into());
        }
        let start = self.batch.body.start.checked_add(part.start).ok_or("a buffer lies beyond the file")?;
        let read = |length| self.region.read(start, length).map_err(|e| e.to_string());
        let Some(compression) = self.batch.compression else {
            if length.is_some_and(|length| length as u64 > part.length) {
                return Err("a buffer is too short".into());
            }
            return read(length.map_or(part.length, |length| length as u64));
        };
        if part.length == 0 {
            return if length.unwrap_or(0) == 0 { Ok(Vec::new()) } else { Err("a buffer is too short".into()) };
        }
        let packed = read(part.length)?;
        let (head, packed) = packed.split_first_chunk::<8>().ok_or("a buffer is too short")?;
        let mut unpacked = match i64::from_le_bytes(*head) {
            -1 => packed.to_vec(),
            claimed => {
                let most = most_unpacked(packed.len(), length.unwrap_or(0), length.map(|_| 1));
                let claimed = usize::try_from(claimed).ok().filter(|claimed| *claimed <= most);
                unpack(compression, packed, claimed.ok_or("a buffer claims to unpack to too much")?)?
            }
        };
        match length {
            Some(length) if length > unpacked.len() => return Err("a buffer is too short".into()),
            Some(length) => unpacked.truncate(length),
            None => {}
        }
        Ok(unpacked)
    }

    fn bits(&self, number: usize) -> Decoded<Bitmap> {
        let bytes = self.bytes(number, Some(self.rows.div_ceil(8)))?;
        Bitmap::try_new(bytes, self.rows).map_err(|e| e.to_string())
    }

    fn fixed<const N: usize, T>(&self, value: impl Fn([u8; N]) -> T) -> Decoded<Vec<T>> {
        let bytes = self.bytes(1, Some(self.rows.checked_mul(N).ok_or("a column is too long")?))?;
        Ok(bytes.as_chunks().0.iter().map(|bytes| value(*bytes)).collect())
    }

    fn wholes(&self, bytes: usize, is_signed: bool) -> Decoded<Vec<i64>> {
        match (bytes, is_signed) {
            (1, true) => self.fixed(|bytes| i8::from_le_bytes(bytes).into()),
            (1, false) => self.fixed(|bytes| u8::from_le_bytes(bytes).into()),
            (2, true) => self.fixed(|bytes| i16::from_le_bytes(bytes).into()),
            (2, false) => self.fixed(|bytes| u16::from_le_bytes(bytes).into()),
            (4, true) => self.fixed(|bytes| i32::from_le_bytes(bytes).into()),
            (4, false) => self.fixed(|bytes| u32::from_le_bytes(bytes).into()),
            _ => self.fixed(i64::from_le_bytes),
        }
    }

    fn numbers(&self, bytes: usize) -> Decoded<Vec<f64>> {
        match bytes {
            2 => self.fixed(|bytes| half(u16::from_le_bytes(bytes))),
            4 => self.fixed(|bytes| f32::from_le_bytes(bytes).into()),
            _ => self.fixed(f64::from_le_bytes),
        }
    }

    fn decimals(&self, bytes: usize, scale: i32) -> Decoded<Values> {
        let digits: Vec<i128> = match bytes {
            4 => self.fixed(|bytes| i32::from_le_bytes(bytes).into())?,
            8 => self.fixed(|bytes| i64::from_le_bytes(bytes).into())?,
            16 => self.fixed(i128::from_le_bytes)?,
            _ => {
                let reversed = |mut bytes: [u8; 32]| {
                    bytes.reverse();
                    bytes
                };
                let bytes = self.fixed(reversed)?;
                let digits = bytes.iter().map(|bytes| decimal::whole_of_bytes(bytes)).collect::<Option<Vec<_>>>();
                match digits {
                    Some(digits) => digits,
                    None => {
                        let text = |bytes: &[u8; 32]| decimal::text_of_decimal(bytes, scale);
                        return Ok(Values::Digits(bytes.iter().map(text).collect()));
                    }
                }
            }
        };
        Ok(match scale {
            0 => Values::Large(digits),
            _ => Values::Decimals(digits, scale),
        })
    }

    fn texts(&self, bytes: usize) -> Decoded<Texts> {
        if self.rows == 0 {
            return Ok(Texts::Joined(Vec::new(), Vec::new()));
        }
        let offsets = Self { rows: self.rows + 1, ..*self };
        let offsets = offsets.wholes(bytes, true)?;
        let mut text = self.bytes(2, None)?;
        let mut ends = Vec::with_capacity(self.rows);
        for offset in &offsets {
            let end = usize::try_from(*offset).ok().filter(|end| *end <= text.len());
            ends.push(end.ok_or("a text ends beyond its column")?);
        }
        if !ends.is_sorted() {
            return Err("a text ends before it begins".into());
        }
        // The first text may begin anywhere.
        let start = ends.remove(0);
        text.drain(..start);
        ends.iter_mut().for_each(|end| *end -= start);
        Ok(Texts::Joined(ends, text))
    }

    fn views(&self, more: usize) -> Decoded<BinaryViewArray> {
        let word =
            |bytes: &[u8], at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let view = |bytes: [u8; 16]| View {
            length: word(&bytes, 0),
            prefix: word(&bytes, 4),
            buffer_idx: word(&bytes, 8),
            offset: word(&bytes, 12),
        };
        let views = self.fixed(view)?;
        let texts = (0..more).map(|number| Ok(Buffer::from(self.bytes(2 + number, None)?)));
        let texts = texts.collect::<Decoded<Vec<Buffer<u8>>>>()?;
        let array = BinaryViewArray::try_new(ArrowDataType::BinaryView, views.into(), texts.into(), None);
        array.map_err(|e| e.to_string())
    }
}

/// Unpacks all of `packed`, to as many bytes as it claims.
fn unpack(compression: CompressionType, packed: &[u8], claimed: usize) -> Decoded<Vec<u8>> {
    let mut unpacked = vec![0; claimed];
    let mut fill = |mut reader: Box<dyn Read + '_>| {
        reader.read_exact(&mut unpacked)?;
        // At the end checksums are verified.
        reader.read(&mut [0])
    };
    let rest = match compression {
        CompressionType::Lz4Frame => lz4::Decoder::new(packed).and_then(|reader| fill(Box::new(reader))),
        CompressionType::Zstd => zstd::Decoder::with_buffer(packed).and_then(|reader| fill(Box::new(reader))),
    };
    match rest {
        Ok(0) => Ok(unpacked),
        Ok(_) => Err("a buffer unpacks to more than it claims".into()),
        Err(e) => Err(format!("a buffer cannot be unpacked ({e})")),
    }
}
