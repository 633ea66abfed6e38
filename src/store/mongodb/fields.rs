//! Finds fields of a document where they lie: the quick way through the documents of a collection of runs.
//!
//! The library's own iterator checks the text of every key and value. Here only the wanted fields are looked at, and
//! because documents of one collection hardly ever differ in their layout, a document is first held against the layouts
//! of those before: if all bytes that are not values are the same, the values stand where they stood. Whatever is unusual
//! (a type that is not known here, a length that does not fit) is left to the library: the walk gives up and says so.
//!
//! The layout is that of <https://bsonspec.org/spec.html>: a length, then elements of a type, a key that ends with 0 and a
//! value, then 0.

use ::mongodb::bson::raw::{RawBsonRef, RawDocument};

/// Layouts that are remembered: a field or two that are of one type here, of another there.
const LAYOUTS: usize = 8;

/// Numbers the fields that are looked for.
#[derive(Default)]
pub(super) struct Fields {
    wanted: Vec<String>,
    /// Those met last.
    layouts: Vec<Layout>,
}

/// Where the wanted values of a document stand, and which bytes make that sure.
#[derive(Default)]
struct Layout {
    /// A document of this layout.
    example: Vec<u8>,
    /// All bits set for bytes that are not values: keys, types, lengths.
    fixed: Vec<u8>,
    values: Vec<Value>,
}

/// A wanted value.
struct Value {
    number: usize,
    kind: u8,
    start: usize,
    end: usize,
}

impl Layout {
    fn is_that_of(&self, document: &[u8]) -> bool {
        // Without a branch, so that the compiler compares many bytes at once.
        let differences = |all: u8, ((byte, example), fixed): ((&u8, &u8), &u8)| all | (byte ^ example) & fixed;
        document.len() == self.example.len()
            && document.iter().zip(&self.example).zip(&self.fixed).fold(0, differences) == 0
    }
}

impl Fields {
    pub(super) fn of<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Self {
        Self { wanted: wanted.into_iter().map(Into::into).collect(), layouts: Vec::new() }
    }

    /// The names, by their numbers.
    pub(super) fn wanted(&self) -> &[String] {
        &self.wanted
    }

    /// The number of the field `key`.
    pub(super) fn number_of(&self, key: &str) -> Option<usize> {
        self.wanted.iter().position(|wanted| wanted == key)
    }

    /// Gives every wanted field with its number; nothing if the document is unusual, when some may have been given.
    pub(super) fn walk<'d>(
        &mut self,
        document: &'d RawDocument,
        mut take: impl FnMut(usize, RawBsonRef<'d>),
    ) -> Option<()> {
        let bytes = document.as_bytes();
        let known = self.layouts.iter().position(|layout| layout.is_that_of(bytes));
        let place = match known {
            Some(place) => place,
            None => {
                let layout = self.layout_of(bytes)?;
                self.layouts.truncate(LAYOUTS - 1);
                self.layouts.insert(0, layout);
                0
            }
        };
        for value in &self.layouts[place].values {
            take(value.number, value_of(value.kind, bytes.get(value.start..value.end)?)?);
        }
        Some(())
    }

    fn layout_of(&self, document: &[u8]) -> Option<Layout> {
        let mut layout = Layout { example: document.to_vec(), fixed: vec![0xff; document.len()], values: Vec::new() };
        let mut at = 4;
        loop {
            let kind = *document.get(at)?;
            if kind == 0 {
                return (at + 1 == document.len()).then_some(layout);
            }
            let rest = document.get(at + 1..)?;
            let key_length = rest.iter().position(|byte| *byte == 0)?;
            let start = at + 1 + key_length + 1;
            let end = start + size_of(kind, document.get(start..)?)?;
            layout.fixed.get_mut(start + prefix_of(kind)..end)?.fill(0);
            if let Some(number) = self.number_of(std::str::from_utf8(&rest[..key_length]).ok()?) {
                layout.values.push(Value { number, kind, start, end });
            }
            at = end;
        }
    }
}

/// Bytes at the beginning of a value of the type `kind` that say how long it is.
fn prefix_of(kind: u8) -> usize {
    if matches!(kind, 0x02..=0x04) { 4 } else { 0 }
}

/// Bytes of a value of the type `kind`; nothing for types that runs do not have.
fn size_of(kind: u8, value: &[u8]) -> Option<usize> {
    let length = || Some(u32::from_le_bytes(*value.first_chunk()?) as usize);
    Some(match kind {
        // Double, date, Int64.
        0x01 | 0x09 | 0x12 => 8,
        // A length, then the text with its 0.
        0x02 => 4 + length()?,
        // Documents and arrays count their length in.
        0x03 | 0x04 => length()?.max(4),
        0x07 => 12,
        0x08 => 1,
        0x0A => 0,
        0x10 => 4,
        _ => return None,
    })
}

/// A number, a text or nothing; other types are for the library.
fn value_of(kind: u8, value: &[u8]) -> Option<RawBsonRef<'_>> {
    Some(match kind {
        0x01 => RawBsonRef::Double(f64::from_le_bytes(*value.first_chunk()?)),
        0x02 => RawBsonRef::String(std::str::from_utf8(value.get(4..value.len().checked_sub(1)?)?).ok()?),
        0x0A => RawBsonRef::Null,
        0x10 => RawBsonRef::Int32(i32::from_le_bytes(*value.first_chunk()?)),
        0x12 => RawBsonRef::Int64(i64::from_le_bytes(*value.first_chunk()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::mongodb::bson::raw::RawDocumentBuf;
    use ::mongodb::bson::{Bson, Document, doc, oid::ObjectId};

    fn walked(fields: &mut Fields, document: &Document) -> Option<Vec<(usize, Bson)>> {
        let raw = RawDocumentBuf::try_from(document).unwrap();
        let mut found = Vec::new();
        fields.walk(&raw, |number, value| found.push((number, Bson::try_from(value).unwrap())))?;
        Some(found)
    }

    /// What the library finds.
    fn expected(fields: &Fields, document: &Document) -> Vec<(usize, Bson)> {
        document.iter().filter_map(|(key, value)| Some((fields.number_of(key)?, value.clone()))).collect()
    }

    #[test]
    fn it_finds_what_the_library_finds_in_any_layout() {
        let mut fields = Fields::of(["loss", "x", "replicate", ""]);
        for document in [
            doc! {},
            doc! { "_id": ObjectId::from_bytes([0; 12]), "x": 0.5, "loss": 3, "other": true },
            doc! { "_id": ObjectId::from_bytes([0; 12]), "x": -0.0, "loss": 4i64, "other": false },
            doc! { "_id": "text", "loss": Bson::Null, "x": "tüxt", "xx": 1, "replicate": 7i64 },
            doc! { "x": f64::INFINITY },
            doc! { "nested": { "loss": 1, "a": [1, "\0", { "x": 2 }] }, "loss": 2.0, "": 5 },
            doc! { "_id": 1, "when": ::mongodb::bson::DateTime::from_millis(7), "x": 1 },
        ] {
            for _ in 0..2 {
                assert_eq!(walked(&mut fields, &document), Some(expected(&fields, &document)), "{document}");
            }
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_library() {
        let mut fields = Fields::of(["loss"]);
        for value in [Bson::Boolean(true), Bson::Decimal128("1".parse().unwrap()), Bson::MinKey] {
            assert_eq!(walked(&mut fields, &doc! { "loss": value }), None);
        }
        // Lengths that lie, ends that are missing: every prefix of a document, and every byte of it changed.
        let whole = RawDocumentBuf::try_from(&doc! { "loss": 1.0, "note": "some text", "list": [1, 2] }).unwrap();
        for place in 4..whole.as_bytes().len() {
            for value in [0, 1, 2, 0x7f, 0xff] {
                let mut bytes = whole.as_bytes().to_vec();
                bytes[place] = value;
                if let Ok(document) = RawDocument::from_bytes(&bytes) {
                    let _ = fields.walk(document, |_, _| {});
                }
            }
        }
    }
}
