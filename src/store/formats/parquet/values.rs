//! The values of a column chunk, decoded by polars.

use std::cell::Cell;
use std::io::Cursor;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StructArray, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, Field, TimeUnit};
use polars_buffer::Buffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::read::PageMetaData;
use polars_parquet::parquet::schema::Repetition as PolarsRepetition;
use polars_parquet::parquet::schema::types::{FieldInfo, PhysicalType, PrimitiveType};
use polars_parquet::read::{BasicDecompressor, PageReader, column_iter_to_arrays};

use crate::store::formats::arrow::column::{Column, Texts, Values, half, joined};
use crate::store::formats::arrow::decimal;
use crate::store::formats::parquet::footer::{Leaf, Meaning, Physical, Repetition};

/// No decimal has more bytes.
const LONGEST_DECIMAL: usize = 32;

impl Leaf {
    /// What it holds, if that is nothing that could be decoded: the column is then the same in
    /// every row.
    pub fn undecoded(&self) -> Option<&'static str> {
        if self.path.iter().any(|part| part.repetition == Repetition::Repeated) {
            return Some("a list");
        }
        match (self.physical, self.meaning) {
            (Physical::Unknown, _) => Some("a value of a new type"),
            (Physical::Fixed(length), Meaning::Other(kind)) if length > LONGEST_DECIMAL => Some(kind),
            (Physical::Fixed(length), _) if length > LONGEST_DECIMAL => Some("bytes that are no text"),
            (Physical::Fixed(0), _) => Some("nothing"),
            _ => None,
        }
    }

    /// Whether it, or a group that it is a part of, may be null.
    pub fn is_optional(&self) -> bool {
        self.path.iter().any(|part| part.repetition == Repetition::Optional)
    }

    /// The type that polars stores and the one that it decodes to.
    fn types(&self) -> (PhysicalType, ArrowDataType) {
        let is_unsigned = self.meaning == Meaning::Unsigned;
        match self.physical {
            Physical::Bool => (PhysicalType::Boolean, ArrowDataType::Boolean),
            Physical::Int32 if is_unsigned => (PhysicalType::Int32, ArrowDataType::UInt32),
            Physical::Int32 => (PhysicalType::Int32, ArrowDataType::Int32),
            Physical::Int64 if is_unsigned => (PhysicalType::Int64, ArrowDataType::UInt64),
            Physical::Int64 => (PhysicalType::Int64, ArrowDataType::Int64),
            Physical::Int96 => (PhysicalType::Int96, ArrowDataType::Timestamp(TimeUnit::Nanosecond, None)),
            Physical::Float => (PhysicalType::Float, ArrowDataType::Float32),
            Physical::Double => (PhysicalType::Double, ArrowDataType::Float64),
            Physical::Fixed(size) => (PhysicalType::FixedLenByteArray(size), ArrowDataType::FixedSizeBinary(size)),
            Physical::Bytes | Physical::Unknown if self.meaning == Meaning::Text => {
                (PhysicalType::ByteArray, ArrowDataType::Utf8View)
            }
            Physical::Bytes | Physical::Unknown => (PhysicalType::ByteArray, ArrowDataType::BinaryView),
        }
    }

    /// What polars wants to know of it: the field that it is, within the groups that it is a part
    /// of, and its levels.
    fn described(&self) -> (Field, Descriptor) {
        let (physical_type, decoded) = self.types();
        let is_optional = |repetition| repetition == Repetition::Optional;
        let name = |name: &str| name.to_string().into();
        let mut parts = self.path.iter().rev();
        let mut field = Field::new("".into(), decoded, false);
        if let Some(part) = parts.next() {
            field = Field::new(name(&part.name), field.dtype, is_optional(part.repetition));
        }
        for part in parts {
            let group = ArrowDataType::Struct(vec![field]);
            field = Field::new(name(&part.name), group, is_optional(part.repetition));
        }
        let max_def_level = self.path.iter().filter(|part| is_optional(part.repetition)).count() as i16;
        let is_last_optional = self.path.last().is_some_and(|part| is_optional(part.repetition));
        let repetition = if is_last_optional { PolarsRepetition::Optional } else { PolarsRepetition::Required };
        let field_info = FieldInfo { name: "".into(), repetition, id: None };
        let primitive_type = PrimitiveType { field_info, logical_type: None, converted_type: None, physical_type };
        (field, Descriptor { primitive_type, max_def_level, max_rep_level: 0 })
    }

    /// The column in `chunk`, which has so many `values`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(&self, chunk: Vec<u8>, values: usize) -> Result<Column, String> {
        let (field, descriptor) = self.described();
        let primitive_type = descriptor.primitive_type.clone();
        let pages = PageMetaData::new(0, values as i64, Compression::Uncompressed, descriptor);
        let reader = Cursor::new(Buffer::from(chunk));
        let decode = move || {
            let pages = PageReader::new_with_page_meta(reader, pages, vec![], usize::MAX);
            let pages = vec![BasicDecompressor::new(pages, vec![])];
            column_iter_to_arrays(pages, vec![&primitive_type], field, None)
        };
        let (arrays, _) =
            guarded(decode).ok_or("its values are not what they should be")?.map_err(|e| e.to_string())?;
        let columns = arrays.iter().map(|array| self.column(array.as_ref())).collect::<Option<Vec<_>>>();
        columns.and_then(joined).ok_or_else(|| "its values are of another type".into())
    }

    /// The values of `array`, which may lie within groups of columns.
    fn column(&self, array: &dyn Array) -> Option<Column> {
        if let Some(group) = array.as_any().downcast_ref::<StructArray>() {
            return self.column(group.values().first()?.as_ref()).map(|column| column.and(group.validity()));
        }
        let values = match self.meaning {
            Meaning::Other(kind) => Values::Other(kind, array.len()),
            Meaning::Null => Values::Nothing(array.len()),
            Meaning::Calendar(calendar) => Values::Times(wholes(array)?, calendar),
            Meaning::Decimal(scale) => self.decimals(array, scale)?,
            Meaning::Half => {
                let halves = array.as_any().downcast_ref::<FixedSizeBinaryArray>()?;
                let number = |bytes: &[u8]| half(bytes.try_into().map_or(0, u16::from_le_bytes));
                Values::Numbers(halves.values_iter().map(number).collect())
            }
            Meaning::Plain | Meaning::Text | Meaning::Unsigned => plain(array)?,
        };
        Some(Column { values, valid: array.validity().cloned() })
    }

    fn decimals(&self, array: &dyn Array, scale: i32) -> Option<Values> {
        if let Some(digits) = wholes(array) {
            return Some(match scale {
                0 => Values::Wholes(digits),
                _ => Values::Decimals(digits.iter().map(|digits| (*digits).into()).collect(), scale),
            });
        }
        let bytes: Box<dyn Iterator<Item = &[u8]>> = match self.physical {
            Physical::Fixed(_) => Box::new(array.as_any().downcast_ref::<FixedSizeBinaryArray>()?.values_iter()),
            _ => Box::new(array.as_any().downcast_ref::<BinaryViewArray>()?.values_iter()),
        };
        let bytes: Vec<&[u8]> = bytes.collect();
        if bytes.iter().any(|bytes| bytes.len() > LONGEST_DECIMAL) {
            return None;
        }
        let as_wholes = || bytes.iter().map(|bytes| decimal::whole_of_bytes(bytes)).collect::<Option<Vec<_>>>();
        Some(match as_wholes() {
            Some(wholes) if scale == 0 => Values::Large(wholes),
            Some(digits) => Values::Decimals(digits, scale),
            None => Values::Digits(bytes.iter().map(|bytes| decimal::text_of_decimal(bytes, scale)).collect()),
        })
    }
}

fn wholes(array: &dyn Array) -> Option<Buffer<i64>> {
    if let Some(longs) = array.as_any().downcast_ref::<PrimitiveArray<i64>>() {
        return Some(longs.values().clone());
    }
    let shorts = array.as_any().downcast_ref::<PrimitiveArray<i32>>()?;
    Some(shorts.values().iter().map(|short| i64::from(*short)).collect())
}

fn plain(array: &dyn Array) -> Option<Values> {
    if let Some(wholes) = wholes(array) {
        return Some(Values::Wholes(wholes));
    }
    let any = array.as_any();
    Some(if let Some(doubles) = any.downcast_ref::<PrimitiveArray<f64>>() {
        Values::Numbers(doubles.values().clone())
    } else if let Some(floats) = any.downcast_ref::<PrimitiveArray<f32>>() {
        Values::Numbers(floats.values().iter().map(|float| f64::from(*float)).collect())
    } else if let Some(bools) = any.downcast_ref::<BooleanArray>() {
        Values::Bools(bools.values().clone())
    } else if let Some(texts) = any.downcast_ref::<Utf8ViewArray>() {
        Values::Texts(Texts::Views(texts.to_binview()))
    } else if let Some(shorts) = any.downcast_ref::<PrimitiveArray<u32>>() {
        Values::Wholes(shorts.values().iter().map(|short| i64::from(*short)).collect())
    } else {
        let longs = any.downcast_ref::<PrimitiveArray<u64>>()?;
        Values::Large(longs.values().iter().map(|long| i128::from(*long)).collect())
    })
}

thread_local! {
    /// Whether a panic of this thread is expected and says nothing.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `decode` gives; `None` if it panics, which polars' decoder does for some damaged pages.
/// Nothing is printed then.
fn guarded<T>(decode: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                before(info);
            }
        }));
    });
    IS_QUIET.set(true);
    // What it worked on is dropped with it.
    let decoded = panic::catch_unwind(AssertUnwindSafe(decode));
    IS_QUIET.set(false);
    decoded.ok()
}
