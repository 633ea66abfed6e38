//! Finds fields of a document where they lie: the quick way through the documents of a collection
//! of runs.
//!
//! The library's own iterator checks the text of every key and value. Here only the wanted fields
//! are looked at, and because documents of one collection hardly ever differ in their layout, a
//! document is first held against the layouts of those before: if all bytes that are not values are
//! the same, the values stand where they stood. Whatever is unusual (a type that is not known here,
//! a length that does not fit) is left to the library: the walk gives up and says so.
//!
//! A name with a dot is that of a field, or else a path into documents, see [`path_of`]. A layout
//! goes into those documents that lie on the path of a wanted field; every other one is a value
//! without a meaning.
//!
//! The layout is that of <https://bsonspec.org/spec.html>: a length, then elements of a type, a key
//! that ends with 0 and a value, then 0.

use ::mongodb::bson::error::Error;
use ::mongodb::bson::raw::{RawBsonRef, RawDocument};

/// Layouts that are remembered: a field or two that are of one type here, of another there.
const LAYOUTS: usize = 8;
/// The type of a document.
const DOCUMENT: u8 = 0x03;
/// The type of a list.
const LIST: u8 = 0x04;

/// Numbers the fields that are looked for.
#[derive(Default)]
pub(super) struct Fields {
    wanted: Vec<String>,
    paths: Vec<Path>,
    /// Those met last.
    layouts: Vec<Layout>,
}

/// The path to the wanted field of this number.
struct Path {
    number: usize,
    names: Vec<String>,
}

/// What is left of a [`Path`] inside the documents on it.
#[derive(Clone, Copy)]
struct Rest<'a> {
    number: usize,
    names: &'a [String],
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

/// The names along the path into documents that `name` may be, instead of the name of a field.
pub(super) fn path_of(name: &str) -> Option<Vec<String>> {
    let names: Vec<String> = name.split('.').map(Into::into).collect();
    (names.len() > 1 && !name.contains('$') && !names.iter().any(String::is_empty)).then_some(names)
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
        let wanted: Vec<String> = wanted.into_iter().map(Into::into).collect();
        let path = |(number, name): (usize, &String)| Some(Path { number, names: path_of(name)? });
        Self { paths: wanted.iter().enumerate().filter_map(path).collect(), wanted, layouts: Vec::new() }
    }

    /// The names, by their numbers.
    pub(super) fn wanted(&self) -> &[String] {
        &self.wanted
    }

    /// The number of the field `key`.
    fn number_of(&self, key: &str) -> Option<usize> {
        self.wanted.iter().position(|wanted| wanted == key)
    }

    /// Gives every wanted field with its number; `None` if the document is unusual, when some may
    /// have been given.
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

    /// Every wanted field of a document of any kind, with its number, as the library finds it.
    ///
    /// # Errors
    /// Those of the library for a document that is damaged.
    pub(super) fn found_by_library<'d>(
        &self,
        document: &'d RawDocument,
    ) -> Result<Vec<(usize, RawBsonRef<'d>)>, Error> {
        let mut found = Vec::new();
        for element in document.iter_elements() {
            let element = element?;
            if let Some(number) = self.number_of(element.key().as_str()) {
                found.push((number, element.value()?));
            }
        }
        for path in &self.paths {
            // A field of that very name goes before a path.
            if !found.iter().any(|(number, _)| *number == path.number)
                && let Some(value) = value_at(document, &path.names)?
            {
                found.push((path.number, value));
            }
        }
        Ok(found)
    }

    fn layout_of(&self, document: &[u8]) -> Option<Layout> {
        let names = |(number, name)| Rest { number, names: std::slice::from_ref(name) };
        let paths = self.paths.iter().map(|path| Rest { number: path.number, names: &path.names });
        let rests: Vec<Rest> = self.wanted.iter().enumerate().map(names).chain(paths).collect();
        let mut survey = Survey { document, fixed: vec![0xff; document.len()], values: Vec::new(), nested: Vec::new() };
        let end = survey.note_elements(0, &rests)?;
        let Survey { fixed, mut values, mut nested, .. } = survey;
        // A field of that very name goes before a path.
        nested.retain(|value| !values.iter().any(|own| own.number == value.number));
        values.append(&mut nested);
        (end == document.len()).then(|| Layout { example: document.to_vec(), fixed, values })
    }
}

/// A document whose layout is being found out.
struct Survey<'a> {
    document: &'a [u8],
    fixed: Vec<u8>,
    /// The document's own.
    values: Vec<Value>,
    /// Those of documents in it.
    nested: Vec<Value>,
}

impl Survey<'_> {
    /// Notes the elements of the document that begins at `start`, for which `rests` are left to go;
    /// gives its end.
    fn note_elements(&mut self, start: usize, rests: &[Rest]) -> Option<usize> {
        let mut at = start + 4;
        loop {
            let kind = *self.document.get(at)?;
            if kind == 0 {
                return Some(at + 1);
            }
            let rest = self.document.get(at + 1..)?;
            let key = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
            let first = at + 1 + key.len() + 1;
            let end = first + size_of(kind, self.document.get(first..)?)?;
            let values = if start == 0 { &mut self.values } else { &mut self.nested };
            let mut deeper = Vec::new();
            for Rest { number, names } in rests {
                match names.split_first() {
                    Some((name, [])) if name.as_bytes() == key => {
                        values.push(Value { number: *number, kind, start: first, end });
                    }
                    Some((name, names)) if name.as_bytes() == key => deeper.push(Rest { number: *number, names }),
                    _ => {}
                }
            }
            if deeper.is_empty() || !matches!(kind, DOCUMENT | LIST) {
                self.fixed.get_mut(first + prefix_of(kind)..end)?.fill(0);
            } else if kind == LIST || self.note_elements(first, &deeper)? != end {
                return None;
            }
            at = end;
        }
    }
}

/// What is at the end of `path` in `document`. A list on the way is what is found, because a path
/// does not go on in it.
fn value_at<'d>(document: &'d RawDocument, path: &[String]) -> Result<Option<RawBsonRef<'d>>, Error> {
    let mut value = RawBsonRef::Document(document);
    for name in path {
        value = match value {
            RawBsonRef::Document(document) => match document.get(name)? {
                Some(value) => value,
                None => return Ok(None),
            },
            RawBsonRef::Array(_) => return Ok(Some(value)),
            _ => return Ok(None),
        };
    }
    Ok(Some(value))
}

/// Bytes at the beginning of a value of the type `kind` that say how long it is.
fn prefix_of(kind: u8) -> usize {
    if matches!(kind, 0x02..=0x04) { 4 } else { 0 }
}

/// Bytes of a value of the type `kind`; `None` for types that runs do not have.
fn size_of(kind: u8, value: &[u8]) -> Option<usize> {
    let length = || Some(u32::from_le_bytes(*value.first_chunk()?) as usize);
    Some(match kind {
        // Double, date, Int64.
        0x01 | 0x09 | 0x12 => 8,
        // A length, then the text with its 0.
        0x02 => 4 + length()?,
        // Documents and arrays count their length in.
        DOCUMENT | LIST => length()?.max(4),
        0x07 => 12,
        0x08 => 1,
        0x0A => 0,
        0x10 => 4,
        _ => return None,
    })
}

/// A number, a text, a boolean or null; other types are for the library.
fn value_of(kind: u8, value: &[u8]) -> Option<RawBsonRef<'_>> {
    Some(match kind {
        0x01 => RawBsonRef::Double(f64::from_le_bytes(*value.first_chunk()?)),
        0x02 => RawBsonRef::String(std::str::from_utf8(value.get(4..value.len().checked_sub(1)?)?).ok()?),
        0x08 => match value.first()? {
            0 => RawBsonRef::Boolean(false),
            1 => RawBsonRef::Boolean(true),
            _ => return None,
        },
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
    use proptest::prelude::*;

    fn sorted(found: Vec<(usize, RawBsonRef)>) -> Vec<(usize, Bson)> {
        let mut found: Vec<_> =
            found.into_iter().map(|(number, value)| (number, Bson::try_from(value).unwrap())).collect();
        found.sort_by_key(|(number, _)| *number);
        found
    }

    fn walked(fields: &mut Fields, document: &Document) -> Option<Vec<(usize, Bson)>> {
        let raw = RawDocumentBuf::try_from(document).unwrap();
        let mut found = Vec::new();
        fields.walk(&raw, |number, value| found.push((number, value)))?;
        Some(sorted(found))
    }

    /// What the library finds.
    fn expected(fields: &Fields, document: &Document) -> Vec<(usize, Bson)> {
        sorted(fields.found_by_library(&RawDocumentBuf::try_from(document).unwrap()).unwrap())
    }

    #[test]
    fn it_finds_what_the_library_finds_in_any_layout() {
        let mut fields = Fields::of(["loss", "x", "replicate", "", "config.lr", "config.deep.x", "nested.loss"]);
        for document in [
            doc! {},
            doc! { "_id": ObjectId::from_bytes([0; 12]), "x": 0.5, "loss": 3, "other": true },
            doc! { "_id": ObjectId::from_bytes([0; 12]), "x": -0.0, "loss": 4i64, "other": false },
            doc! { "_id": "text", "loss": Bson::Null, "x": "tüxt", "xx": 1, "replicate": 7i64 },
            doc! { "x": f64::INFINITY },
            doc! { "nested": { "loss": 1, "a": [1, "\0", { "x": 2 }] }, "loss": 2.0, "": 5 },
            doc! { "_id": 1, "when": ::mongodb::bson::DateTime::from_millis(7), "x": 1 },
            doc! { "config": { "lr": 0.1, "deep": { "y": 1, "x": true } }, "loss": 1.0 },
            doc! { "config": { "lr": 0.2, "deep": { "y": 2, "x": false } }, "loss": 2.0 },
            doc! { "config": { "lr": "0.2", "deep": 7 }, "config.lr": 3.0, "nested": Bson::Null },
            doc! { "config.deep.x": Bson::Null, "config": { "deep": { "x": 1.0 }, "deep.x": 3.0 } },
        ] {
            for _ in 0..2 {
                assert_eq!(walked(&mut fields, &document), Some(expected(&fields, &document)), "{document}");
            }
        }
    }

    #[test]
    fn a_path_goes_into_documents_alone_and_the_field_of_its_name_goes_first() {
        let fields = Fields::of(["a.b", "a.b.c"]);
        let found = |document| expected(&fields, &document);
        assert_eq!(found(doc! { "a": { "b": 1 }, "a.b": 2 }), [(0, Bson::Int32(2))]);
        assert_eq!(found(doc! { "a": { "b": { "c": 1 } } }), [(0, doc! { "c": 1 }.into()), (1, Bson::Int32(1))]);
        let list = Bson::from(vec![doc! { "b": 1 }]);
        assert_eq!(found(doc! { "a": &list }), [(0, list.clone()), (1, list)]);
        assert_eq!(found(doc! { "a": { "b.c": 1 } }), [], "dots mean documents all the way or not at all");
        assert_eq!(path_of("a.b"), Some(vec!["a".into(), "b".into()]));
        for name in ["a", "", ".", "a.", ".b", "a..b", "a.$b"] {
            assert_eq!(path_of(name), None, "{name}");
        }
    }

    /// Few names, so that most documents hold some of the wanted fields.
    fn documents() -> impl Strategy<Value = Document> {
        let number = any::<f64>().prop_map(Bson::Double);
        let short = "[a-c]{0,3}".prop_map(Bson::String);
        let whole = (any::<i32>().prop_map(Bson::Int32), any::<i64>().prop_map(Bson::Int64), any::<bool>());
        let other = whole.prop_flat_map(|(int, long, is_so)| {
            prop::sample::select(vec![
                int,
                long,
                is_so.into(),
                Bson::Null,
                Bson::MinKey,
                ObjectId::from_bytes([7; 12]).into(),
            ])
        });
        let leaf = prop_oneof![4 => number, 1 => short, 2 => other];
        let name = || prop::sample::select(vec!["a", "b", "c", "a.b", "b.c", "a.b.c"]);
        let value = leaf.prop_recursive(3, 20, 4, move |inner| {
            let pairs = prop::collection::vec((name(), inner.clone()), 0..4);
            prop_oneof![
                4 => pairs.prop_map(|pairs| Bson::Document(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())),
                1 => prop::collection::vec(inner, 0..3).prop_map(Bson::Array),
            ]
        });
        prop::collection::vec((name(), value), 0..5)
            .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    proptest! {
        #[test]
        fn any_documents_one_after_the_other_are_as_the_library_sees_them(
            documents in prop::collection::vec(documents(), 1..12),
        ) {
            let mut fields = Fields::of(["a", "b", "a.b", "a.b.c", "b.c", "c"]);
            for document in documents.iter().chain(&documents) {
                if let Some(walked) = walked(&mut fields, document) {
                    // NaN differs from itself.
                    prop_assert_eq!(format!("{walked:?}"), format!("{:?}", expected(&fields, document)));
                }
            }
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_library() {
        let mut fields = Fields::of(["loss", "list.loss"]);
        for value in [ObjectId::from_bytes([0; 12]).into(), Bson::Decimal128("1".parse().unwrap()), Bson::MinKey] {
            assert_eq!(walked(&mut fields, &doc! { "loss": value }), None);
        }
        assert_eq!(walked(&mut fields, &doc! { "list": [1] }), None);
        // Lengths that lie, ends that are missing: every prefix of a document, and every byte of it
        // changed.
        let mut fields = Fields::of(["loss", "nested.a.b"]);
        let document = doc! { "loss": 1.0, "note": "some text", "list": [1, 2], "nested": { "a": { "b": 1 }, "c": 2 } };
        let whole = RawDocumentBuf::try_from(&document).unwrap();
        for place in 4..whole.as_bytes().len() {
            for value in [0, 1, 2, 3, 4, 0x7f, 0xff] {
                let mut bytes = whole.as_bytes().to_vec();
                bytes[place] = value;
                if let Ok(document) = RawDocument::from_bytes(&bytes) {
                    let _ = fields.walk(document, |_, _| {});
                }
            }
        }
    }
}
