//! The footer of a Parquet file: its columns, and where the parts of them lie.
//!
//! Format: <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>;
//! field numbers are from there.

use crate::error::Result;
use crate::store::formats::arrow::are_too_many;
use crate::store::formats::arrow::calendar::{Calendar, Zone};
use crate::store::formats::arrow::region::Region;
use crate::store::formats::parquet::thrift::{Kind, Parsed, Reader};

/// A Parquet file begins and ends so.
pub const MAGIC: &[u8] = b"PAR1";
/// An encrypted one ends so.
const MAGIC_ENCRYPTED: &[u8] = b"PARE";
/// What a column is that has others as its parts, each with one cell a row.
pub const GROUP: &str = "a group of columns";
/// The length of the footer, and [`MAGIC`].
const TAIL: u64 = 8;
/// How deep columns may be nested.
const DEEPEST: usize = 64;

/// What a Parquet file holds, and where.
#[derive(Debug, Default)]
pub struct Footer {
    /// The columns that hold values, in the order of the chunks of a row group.
    pub leaves: Vec<Leaf>,
    /// Top-level columns that are not leaves, and what they are.
    pub nested: Vec<(String, &'static str)>,
    /// The row groups.
    pub groups: Vec<Group>,
    rows: i64,
}

/// A column that holds values.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The column, within the groups of columns that it is a part of, from the outermost.
    pub path: Vec<Part>,
    /// How values are stored.
    pub physical: Physical,
    /// What values mean.
    pub meaning: Meaning,
}

/// A column or a group of columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Whether and how often it is there in each row.
    pub repetition: Repetition,
}

/// Whether and how often a column is there in each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Once.
    Required,
    /// At most once.
    Optional,
    /// Any number of times: it is a list.
    Repeated,
}

/// How values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Physical {
    /// One bit.
    Bool,
    /// 32 bits.
    Int32,
    /// 64 bits.
    Int64,
    /// 96 bits: a timestamp, as Spark and Impala write it.
    Int96,
    /// A float.
    Float,
    /// A double.
    Double,
    /// Bytes with their length.
    Bytes,
    /// So many bytes.
    Fixed(usize),
    /// Something new.
    Unknown,
}

impl Physical {
    /// Bytes of each value, if that is known.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Bool => Some(1),
            Self::Int32 | Self::Float => Some(4),
            Self::Int64 | Self::Double => Some(8),
            Self::Int96 => Some(12),
            Self::Fixed(length) => Some(length),
            Self::Bytes | Self::Unknown => None,
        }
    }
}

/// What values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// What their storage says.
    Plain,
    /// Text.
    Text,
    /// Integers without a sign.
    Unsigned,
    /// Integers in units of 10^−scale.
    Decimal(i32),
    /// Numbers of 16 bits.
    Half,
    /// Nothing.
    Null,
    /// Dates and times.
    Calendar(Calendar),
    /// Something that is no number; the text says what.
    Other(&'static str),
}

/// Some rows.
#[derive(Debug, Default)]
pub struct Group {
    /// How many.
    pub rows: i64,
    /// Their columns.
    pub chunks: Vec<Chunk>,
}

/// Some rows of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    /// How pages are compressed.
    pub codec: i32,
    /// Values, nulls included.
    pub values: i64,
    /// Bytes of all pages with their headers.
    pub bytes: i64,
    /// Where the pages begin.
    pub dictionary: Option<i64>,
    /// Where those begin that hold values.
    pub data: i64,
    /// Whether it lies in this file, readable.
    pub is_here: bool,
}

impl Chunk {
    /// Where its pages begin.
    pub fn start(&self) -> i64 {
        // Some writers say 0 for "no dictionary".
        self.dictionary.filter(|start| (1..self.data).contains(start)).unwrap_or(self.data)
    }
}

/// One element of the schema, which lists columns and groups of columns before their parts.
#[derive(Default)]
struct Element<'a> {
    physical: Option<i32>,
    length: i32,
    repetition: i32,
    name: &'a [u8],
    parts: i32,
    converted: Option<i32>,
    scale: i32,
    logical: Option<Logical>,
}

/// A logical type: which one, and what more it says.
#[derive(Default)]
struct Logical {
    id: i16,
    scale: Option<i32>,
    is_signed: Option<bool>,
    is_utc: bool,
    /// Thousandths, millionths or billionths of a second: 1, 2 or 3.
    unit: i16,
}

impl Footer {
    /// The footer of `region`.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::error::Error::Malformed) for what is no footer, and for one
    /// whose numbers of rows do not agree.
    pub fn of(region: &Region) -> Result<Self> {
        let length = region.length();
        if length < TAIL + MAGIC.len() as u64 {
            return Err(region.damaged("it is too short for a Parquet file"));
        }
        let tail = region.read(length - TAIL, TAIL)?;
        if tail.ends_with(MAGIC_ENCRYPTED) {
            return Err(region.refused("the Parquet file is encrypted; write it without encryption"));
        }
        if !tail.ends_with(MAGIC) {
            return Err(region.damaged("its end, which lists its columns, is missing"));
        }
        let size = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        let start = (length - TAIL).checked_sub(size).filter(|start| *start >= MAGIC.len() as u64);
        let start = start.ok_or_else(|| region.damaged("the list of its columns is longer than the file"))?;
        let bytes = region.read(start, size)?;
        let footer = Self::parse(&bytes).map_err(|how| region.damaged(how))?;
        footer.check(start).map_err(|how| region.damaged(how))?;
        Ok(footer)
    }

    fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut footer = Self::default();
        let mut elements = Vec::new();
        Reader::new(bytes).fields(|reader, id, kind| {
            match id {
                2 => reader.elements(kind, |reader, _| {
                    elements.push(element(reader)?);
                    Ok(())
                })?,
                3 => footer.rows = reader.whole(kind)?,
                4 => reader.elements(kind, |reader, _| {
                    footer.groups.push(group(reader)?);
                    Ok(())
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        footer.take_schema(&elements)?;
        Ok(footer)
    }

    fn take_schema(&mut self, elements: &[Element]) -> Parsed<()> {
        let mut rest = elements.iter();
        let root = rest.next().ok_or("it lists no columns")?;
        // Parts that are still to come, of each group from the outermost.
        let mut open = vec![root.parts.max(0)];
        let mut path: Vec<Part> = Vec::new();
        for element in rest {
            while open.last() == Some(&0) {
                open.pop();
                path.pop();
            }
            let parts = open.last_mut().ok_or("it lists more columns than it has")?;
            *parts -= 1;
            let repetition = match element.repetition {
                0 => Repetition::Required,
                1 => Repetition::Optional,
                _ => Repetition::Repeated,
            };
            path.push(Part { name: String::from_utf8_lossy(element.name).into_owned(), repetition });
            if element.parts > 0 {
                if path.len() == 1 {
                    self.nested.push((path[0].name.clone(), element.nested_kind(repetition)));
                }
                if path.len() > DEEPEST {
                    return Err("its columns are nested too deep");
                }
                open.push(element.parts);
            } else {
                // A group without parts has no values either.
                if element.physical.is_some() {
                    let (physical, meaning) = (element.physical(), element.meaning());
                    self.leaves.push(Leaf { path: path.clone(), physical, meaning });
                }
                path.pop();
            }
        }
        if open.iter().any(|parts| *parts != 0) { Err("the list of its columns ends too early") } else { Ok(()) }
    }

    /// Whether numbers of rows agree and all parts lie before `end`.
    fn check(&self, end: u64) -> Result<(), String> {
        let mut rows = 0_i64;
        for group in &self.groups {
            if group.rows < 0 || group.chunks.len() != self.leaves.len() {
                return Err("a row group does not have the columns of the file".into());
            }
            rows = rows.checked_add(group.rows).ok_or("its row groups have more rows than can be")?;
        }
        if rows != self.rows {
            return Err(format!("its row groups have {rows} rows, it says {}", self.rows));
        }
        if are_too_many(rows as u64, end) {
            return Err(format!("it says that it has {rows} rows, in {end} bytes"));
        }
        Ok(())
    }
}

impl Element<'_> {
    fn nested_kind(&self, repetition: Repetition) -> &'static str {
        let logical = self.logical.as_ref().map(|logical| logical.id);
        match (logical, self.converted) {
            (Some(3), _) | (None, Some(3)) => "a list",
            (Some(2), _) | (None, Some(1 | 2)) => "a map",
            _ if repetition == Repetition::Repeated => "a list",
            _ => GROUP,
        }
    }

    fn physical(&self) -> Physical {
        match self.physical {
            Some(0) => Physical::Bool,
            Some(1) => Physical::Int32,
            Some(2) => Physical::Int64,
            Some(3) => Physical::Int96,
            Some(4) => Physical::Float,
            Some(5) => Physical::Double,
            Some(6) => Physical::Bytes,
            Some(7) => usize::try_from(self.length).map_or(Physical::Unknown, Physical::Fixed),
            _ => Physical::Unknown,
        }
    }

    fn meaning(&self) -> Meaning {
        match &self.logical {
            Some(Logical { id, scale, is_signed, is_utc, unit }) => match id {
                1 | 4 | 12 => Meaning::Text,
                5 => Meaning::Decimal(scale.unwrap_or(self.scale)),
                6 => self.calendar(Calendar::Date(1)),
                7 => self.calendar(Calendar::Time(units(*unit))),
                8 => self.calendar(Calendar::Timestamp(units(*unit), Zone::new(*is_utc))),
                10 if *is_signed == Some(false) => Meaning::Unsigned,
                10 => Meaning::Plain,
                11 => Meaning::Null,
                13 => Meaning::Other("a document"),
                14 => Meaning::Other("a UUID"),
                15 => Meaning::Half,
                16.. => Meaning::Other("a value of a new type"),
                _ => self.converted_meaning(),
            },
            None => self.converted_meaning(),
        }
    }

    /// Dates and times are integers.
    fn calendar(&self, calendar: Calendar) -> Meaning {
        match self.physical() {
            Physical::Int32 | Physical::Int64 | Physical::Int96 => Meaning::Calendar(calendar),
            _ => Meaning::Other(calendar.kind()),
        }
    }

    fn converted_meaning(&self) -> Meaning {
        match self.converted {
            Some(0 | 4 | 19) => Meaning::Text,
            Some(5) => Meaning::Decimal(self.scale),
            Some(6) => self.calendar(Calendar::Date(1)),
            Some(kind @ (7 | 8)) => self.calendar(Calendar::Time(units(kind as i16 - 6))),
            // The older form means UTC.
            Some(kind @ (9 | 10)) => self.calendar(Calendar::Timestamp(units(kind as i16 - 8), Zone::Utc)),
            Some(11..=14) => Meaning::Unsigned,
            Some(20) => Meaning::Other("a document"),
            Some(21) => Meaning::Other("an interval"),
            _ if self.physical == Some(3) => self.calendar(Calendar::Timestamp(units(3), Zone::Unknown)),
            _ if matches!(self.physical, Some(6 | 7)) => Meaning::Other("bytes that are no text"),
            _ => Meaning::Plain,
        }
    }
}

/// How many of a `unit` a second has.
fn units(unit: i16) -> i64 {
    match unit {
        1 => 1000,
        2 => 1_000_000,
        _ => 1_000_000_000,
    }
}

fn element<'a>(reader: &mut Reader<'a>) -> Parsed<Element<'a>> {
    let mut element = Element::default();
    reader.fields(|reader, id, kind| {
        match id {
            1 => element.physical = Some(reader.short(kind)?),
            2 => element.length = reader.short(kind)?,
            3 => element.repetition = reader.short(kind)?,
            4 => element.name = reader.bytes(kind)?,
            5 => element.parts = reader.short(kind)?,
            6 => element.converted = Some(reader.short(kind)?),
            7 => element.scale = reader.short(kind)?,
            10 => element.logical = logical(reader, kind)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(element)
}

fn logical(reader: &mut Reader, kind: Kind) -> Parsed<Option<Logical>> {
    if kind != Kind::Struct {
        return Err("a column's type is not what it should be");
    }
    let mut found = None;
    reader.fields(|reader, id, kind| {
        let mut logical = Logical { id, ..Logical::default() };
        if kind == Kind::Struct {
            reader.fields(|reader, field, kind| {
                match (id, field, kind) {
                    (5, 1, _) => logical.scale = Some(reader.short(kind)?),
                    (10, 2, Kind::Bool(is_signed)) => logical.is_signed = Some(is_signed),
                    (7 | 8, 1, Kind::Bool(is_utc)) => logical.is_utc = is_utc,
                    (7 | 8, 2, Kind::Struct) => reader.fields(|_, unit, _| {
                        logical.unit = unit;
                        Ok(false)
                    })?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        found = Some(logical);
        Ok(kind == Kind::Struct)
    })?;
    Ok(found)
}

fn group(reader: &mut Reader) -> Parsed<Group> {
    let mut group = Group::default();
    reader.fields(|reader, id, kind| {
        match id {
            1 => reader.elements(kind, |reader, _| {
                group.chunks.push(chunk(reader)?);
                Ok(())
            })?,
            3 => group.rows = reader.whole(kind)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(group)
}

fn chunk(reader: &mut Reader) -> Parsed<Chunk> {
    let (mut chunk, mut is_elsewhere) = (Chunk::default(), false);
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, Kind::Bytes) => is_elsewhere = !reader.bytes(kind)?.is_empty(),
            (3, Kind::Struct) => {
                chunk.is_here = true;
                reader.fields(|reader, id, kind| {
                    match id {
                        4 => chunk.codec = reader.short(kind)?,
                        5 => chunk.values = reader.whole(kind)?,
                        7 => chunk.bytes = reader.whole(kind)?,
                        9 => chunk.data = reader.whole(kind)?,
                        11 => chunk.dictionary = Some(reader.whole(kind)?),
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    chunk.is_here &= !is_elsewhere;
    Ok(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(name: &'static str, parts: i32) -> Element<'static> {
        Element { name: name.as_bytes(), parts, physical: (parts == 0).then_some(5), ..Element::default() }
    }

    fn footer(elements: &[Element]) -> Parsed<Footer> {
        let mut footer = Footer::default();
        footer.take_schema(elements).map(|()| footer)
    }

    #[test]
    fn columns_are_found_with_the_groups_that_they_are_a_part_of() {
        let elements = [("root", 3), ("a", 0), ("g", 2), ("b", 0), ("h", 1), ("c", 0), ("d", 0)];
        let found = footer(&elements.map(|(name, parts)| element(name, parts))).unwrap();
        let paths: Vec<String> = found.leaves.iter().map(super::super::dotted).collect();
        assert_eq!(paths, ["a", "g.b", "g.h.c", "d"]);
        assert_eq!(found.nested, [("g".to_string(), GROUP)]);
    }

    #[test]
    fn a_schema_that_cannot_be_is_refused() {
        let deep: Vec<Element> = (0..100_000).map(|_| element("g", 1)).chain([element("x", 0)]).collect();
        for elements in
            [deep, vec![], vec![element("root", 2), element("a", 0)], vec![element("root", 0), element("a", 0)]]
        {
            assert!(footer(&elements).is_err(), "{} columns", elements.len());
        }
        assert!(footer(&[element("root", -1), element("a", i32::MIN)]).is_err());
    }

    #[test]
    fn numbers_of_rows_must_agree() {
        let group = |rows| Group { rows, chunks: vec![] };
        let check = |rows, groups: Vec<Group>| Footer { rows, groups, ..Footer::default() }.check(1000);
        assert_eq!(check(5, vec![group(2), group(3)]), Ok(()));
        assert!(check(5, vec![group(2)]).unwrap_err().contains("its row groups have 2 rows, it says 5"));
        assert!(check(1, vec![group(2), group(-1)]).is_err());
        assert!(check(i64::MAX, vec![group(i64::MAX), group(i64::MAX)]).is_err());
        assert!(check(1 << 40, vec![group(1 << 40)]).unwrap_err().contains("in 1000 bytes"));
    }
}
