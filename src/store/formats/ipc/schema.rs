//! The columns of an Arrow file, and which of the buffers of a record batch are theirs.
//!
//! A record batch is a flat list of nodes (lengths) and buffers; which belong to a column shows
//! only when those of the columns before it are counted. Format:
//! <https://arrow.apache.org/docs/format/Columnar.html>.

use polars_arrow_format::ipc::planus::Error as Invalid;
use polars_arrow_format::ipc::{
    DateUnit, Endianness, FieldRef, MetadataVersion, Precision, SchemaRef, TimeUnit, TypeRef, UnionMode,
};

use crate::store::formats::arrow::calendar::{Calendar, Zone};

/// What a column is that has others as its parts, each with one cell a row.
pub const GROUP: &str = "a group of columns";
/// How deep columns may be nested.
const DEEPEST: usize = 64;
/// Each cell is of one of several types.
const UNION: Kind = Kind::Unknown("one of several types");
/// Columns and parts of them that a file may have. A file that says that it has more repeats
/// itself.
const MOST: usize = 1 << 20;

/// The columns of a file.
#[derive(Debug, Default)]
pub struct Schema {
    /// Those that have cells.
    pub leaves: Vec<Leaf>,
    /// Top-level columns that are groups of columns or lists.
    pub nested: Vec<(String, &'static str)>,
    counted: Place,
    parts: usize,
    /// Whether columns of several types have a buffer for nulls as others have.
    is_old: bool,
}

/// A column that has cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Its name, after those of the groups that it is a part of.
    pub path: Vec<String>,
    /// Its type.
    pub kind: Kind,
    /// Where its buffers begin.
    pub place: Place,
    /// Where those of the groups that it is a part of begin, which may be null themselves.
    pub groups: Vec<Place>,
    /// The dictionary that its cells are indices into, and the type of what that holds.
    pub dictionary: Option<Dictionary>,
}

/// The values that a column's cells are indices into.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    /// Its number.
    pub id: i64,
    /// The type of its values.
    pub kind: Kind,
}

/// How many nodes, buffers, and counts of buffers of views there are before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Nodes.
    pub nodes: usize,
    /// Buffers without those that only views have.
    pub buffers: usize,
    /// Columns of views, each of which has a number of buffers more.
    pub views: usize,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Null everywhere; no buffers.
    Null,
    /// Bits.
    Bool,
    /// Integers of so many bytes, with a sign or not.
    Whole(usize, bool),
    /// Floating-point numbers of so many bytes.
    Number(usize),
    /// Integers of so many bytes, in units of 10^−scale.
    Decimal(usize, i32),
    /// Dates and times, as integers of so many bytes.
    Calendar(usize, Calendar),
    /// Text, whose ends are integers of so many bytes.
    Text(usize),
    /// Text as views.
    Views,
    /// Something that is no number; the text says what. It has a buffer that says what is null.
    Other(&'static str),
    /// The same without such a buffer.
    Unknown(&'static str),
}

impl Schema {
    /// The columns of `schema`, as they are in batches of this `version`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(schema: SchemaRef, version: MetadataVersion) -> Result<Self, String> {
        if schema.endianness().map_err(invalid)? == Endianness::Big {
            return Err("its numbers are big-endian, as no computer in use writes them".into());
        }
        let mut found = Self { is_old: version < MetadataVersion::V5, ..Self::default() };
        for field in schema.fields().map_err(invalid)?.ok_or("it lists no columns")? {
            let field = field.map_err(invalid)?;
            let name = field.name().map_err(invalid)?.unwrap_or_default().to_string();
            if let Some(kind) = nested_kind(field)? {
                found.nested.push((name.clone(), kind));
            }
            found.take(field, Some(Outer { path: vec![name], groups: Vec::new() }), 0)?;
        }
        Ok(found)
    }

    /// Counts the buffers of `field`, and notes it if it is not within a list.
    fn take(&mut self, field: FieldRef, outer: Option<Outer>, depth: usize) -> Result<(), String> {
        self.parts += 1;
        if depth > DEEPEST || self.parts > MOST {
            return Err("its columns are nested too deep".into());
        }
        let place = self.counted;
        let dictionary = field.dictionary().map_err(invalid)?;
        let kind = match dictionary {
            None => Some(kind(field)?),
            Some(dictionary) => match dictionary.index_type().map_err(invalid)? {
                Some(index) => Some(Shape::flat(Kind::Whole(
                    bytes_of(index.bit_width().map_err(invalid)?)?,
                    index.is_signed().map_err(invalid)?,
                ))),
                None => Some(Shape::flat(Kind::Whole(4, true))),
            },
        };
        let Some(shape) = kind else { return Err("a column has no type".into()) };
        self.counted.nodes += 1;
        let is_old_union = self.is_old && shape.kind == UNION;
        self.counted.buffers += shape.buffers + usize::from(is_old_union);
        self.counted.views += usize::from(shape.has_views);
        let dictionary = match dictionary {
            Some(dictionary) => {
                Some(Dictionary { id: dictionary.id().map_err(invalid)?, kind: self::kind(field)?.kind })
            }
            None => None,
        };
        if dictionary.is_none() && shape.has_parts {
            for part in field.children().map_err(invalid)?.into_iter().flatten() {
                let part = part.map_err(invalid)?;
                let within = outer.as_ref().filter(|_| shape.is_group);
                let within = match within {
                    Some(outer) => Some(outer.with(part.name().map_err(invalid)?.unwrap_or_default(), place)),
                    None => None,
                };
                self.take(part, within, depth + 1)?;
            }
        } else if let Some(Outer { path, groups }) = outer {
            self.leaves.push(Leaf { path, kind: shape.kind, place, groups, dictionary });
        }
        Ok(())
    }
}

/// Where a column is.
struct Outer {
    path: Vec<String>,
    groups: Vec<Place>,
}

impl Outer {
    fn with(&self, name: &str, group: Place) -> Self {
        let (mut path, mut groups) = (self.path.clone(), self.groups.clone());
        path.push(name.into());
        groups.push(group);
        Self { path, groups }
    }
}

/// What a column takes in a record batch.
struct Shape {
    kind: Kind,
    buffers: usize,
    has_views: bool,
    has_parts: bool,
    /// Whether its parts have one cell for each of its own.
    is_group: bool,
}

impl Shape {
    fn flat(kind: Kind) -> Self {
        let buffers = match kind {
            Kind::Null | Kind::Unknown(_) => 0,
            Kind::Text(_) => 3,
            _ => 2,
        };
        Self { kind, buffers, has_views: kind == Kind::Views, has_parts: false, is_group: false }
    }

    fn nested(kind: Kind, buffers: usize) -> Self {
        Self { kind, buffers, has_views: false, has_parts: true, is_group: false }
    }
}

fn kind(field: FieldRef) -> Result<Shape, String> {
    let Some(of) = field.type_().map_err(invalid)? else { return Err("a column has no type".into()) };
    Ok(match of {
        TypeRef::Null(_) => Shape::flat(Kind::Null),
        TypeRef::Bool(_) => Shape::flat(Kind::Bool),
        TypeRef::Int(of) => {
            let bytes = bytes_of(of.bit_width().map_err(invalid)?)?;
            Shape::flat(Kind::Whole(bytes, of.is_signed().map_err(invalid)?))
        }
        TypeRef::FloatingPoint(of) => Shape::flat(Kind::Number(match of.precision().map_err(invalid)? {
            Precision::Half => 2,
            Precision::Single => 4,
            Precision::Double => 8,
        })),
        TypeRef::Decimal(of) => match of.bit_width().map_err(invalid)? {
            bits @ (32 | 64 | 128 | 256) => Shape::flat(Kind::Decimal(bits as usize / 8, of.scale().map_err(invalid)?)),
            _ => return Err("a column of decimals has a width that there is not".into()),
        },
        TypeRef::Utf8(_) => Shape::flat(Kind::Text(4)),
        TypeRef::LargeUtf8(_) => Shape::flat(Kind::Text(8)),
        TypeRef::Utf8View(_) => Shape::flat(Kind::Views),
        TypeRef::Date(of) => Shape::flat(match of.unit().map_err(invalid)? {
            DateUnit::Day => Kind::Calendar(4, Calendar::Date(1)),
            DateUnit::Millisecond => Kind::Calendar(8, Calendar::Date(86_400_000)),
        }),
        TypeRef::Time(of) => {
            let bytes = bytes_of(of.bit_width().map_err(invalid)?)?;
            Shape::flat(Kind::Calendar(bytes, Calendar::Time(units(of.unit().map_err(invalid)?))))
        }
        TypeRef::Timestamp(of) => {
            // A time zone is a way to show moments; they are stored in UTC.
            let zone = Zone::new(of.timezone().map_err(invalid)?.is_some());
            Shape::flat(Kind::Calendar(8, Calendar::Timestamp(units(of.unit().map_err(invalid)?), zone)))
        }
        TypeRef::Duration(_) => Shape::flat(Kind::Other("a duration")),
        TypeRef::Interval(_) => Shape::flat(Kind::Other("an interval")),
        TypeRef::FixedSizeBinary(_) => Shape::flat(Kind::Other("bytes that are no text")),
        TypeRef::Binary(_) | TypeRef::LargeBinary(_) => {
            Shape { buffers: 3, ..Shape::flat(Kind::Other("bytes that are no text")) }
        }
        TypeRef::BinaryView(_) => Shape { has_views: true, ..Shape::flat(Kind::Other("bytes that are no text")) },
        TypeRef::List(_) | TypeRef::LargeList(_) => Shape::nested(Kind::Other("a list"), 2),
        TypeRef::ListView(_) | TypeRef::LargeListView(_) => Shape::nested(Kind::Other("a list"), 3),
        TypeRef::FixedSizeList(_) => Shape::nested(Kind::Other("a list"), 1),
        TypeRef::Map(_) => Shape::nested(Kind::Other("a map"), 2),
        TypeRef::Struct(_) => Shape { is_group: true, ..Shape::nested(Kind::Other(GROUP), 1) },
        TypeRef::Union(of) => {
            let is_dense = of.mode().map_err(invalid)? == UnionMode::Dense;
            Shape::nested(UNION, 1 + usize::from(is_dense))
        }
        TypeRef::RunEndEncoded(_) => Shape::nested(Kind::Unknown("a run of values"), 0),
    })
}

/// How many of a `unit` a second has.
fn units(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// What a top-level column is that has parts.
fn nested_kind(field: FieldRef) -> Result<Option<&'static str>, String> {
    if field.dictionary().map_err(invalid)?.is_some() {
        return Ok(None);
    }
    let shape = kind(field)?;
    Ok(match shape.kind {
        Kind::Other(kind) | Kind::Unknown(kind) if shape.has_parts => Some(kind),
        _ => None,
    })
}

fn bytes_of(bits: i32) -> Result<usize, String> {
    match bits {
        8 | 16 | 32 | 64 => Ok(bits as usize / 8),
        _ => Err(format!("a column of integers has {bits} bits")),
    }
}

/// What a broken table of a file says of itself.
pub fn invalid(e: Invalid) -> String {
    format!("a list of its parts is not what it should be ({e})")
}
