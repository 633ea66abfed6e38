//! Thrift's compact protocol, as far as the footer and the page headers of a Parquet file need it.
//!
//! Why not the library's: it reserves memory for as many elements as a list claims, and fails for a
//! column of a kind that it does not know, which nobody may have asked for. This one reserves
//! nothing, goes as deep as [`DEEPEST`], and skips what it does not know.

/// How deep structures may be nested.
const DEEPEST: usize = 32;

/// What was read, or what is wrong with it.
pub type Parsed<T> = Result<T, &'static str>;

const ENDS: &str = "a list of its parts ends too early";
const WRONG: &str = "a list of its parts is not what it should be";

/// The type of a field or of the elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In a field, the value itself; in a list a byte follows.
    Bool(bool),
    /// One byte.
    Byte,
    /// A signed integer of any size.
    Whole,
    /// A double.
    Number,
    /// Bytes with their length.
    Bytes,
    /// A list or a set.
    List,
    /// Keys and values.
    Map,
    /// Fields.
    Struct,
}

/// A list that begins here.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// What its elements are.
    pub kind: Kind,
    /// How many it claims to have.
    pub length: usize,
}

/// Where reading is.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Reads the fields of a structure. `take` reads one if it knows it, and says whether it did.
    pub fn fields(&mut self, mut take: impl FnMut(&mut Self, i16, Kind) -> Parsed<bool>) -> Parsed<()> {
        let mut id = 0_i16;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Ok(());
            }
            let kind = kind(byte & 15)?;
            id = match byte >> 4 {
                0 => i16::try_from(self.whole(Kind::Whole)?).map_err(|_| WRONG)?,
                step => id.checked_add(step.into()).ok_or(WRONG)?,
            };
            if !take(self, id, kind)? {
                self.skip(kind, DEEPEST)?;
            }
        }
    }

    /// Reads the elements of a list.
    pub fn elements(&mut self, of: Kind, mut take: impl FnMut(&mut Self, Kind) -> Parsed<()>) -> Parsed<()> {
        let List { kind, length } = self.list(of)?;
        (0..length).try_for_each(|_| take(self, kind))
    }

    /// Reads a truth value that is a field.
    pub fn bool(kind: Kind) -> Parsed<bool> {
        if let Kind::Bool(value) = kind { Ok(value) } else { Err(WRONG) }
    }

    /// Reads an integer.
    pub fn whole(&mut self, kind: Kind) -> Parsed<i64> {
        match kind {
            Kind::Byte => Ok((self.byte()? as i8).into()),
            Kind::Whole => {
                let value = self.unsigned()?;
                Ok((value >> 1) as i64 ^ -((value & 1) as i64))
            }
            _ => Err(WRONG),
        }
    }

    /// Reads an integer of 32 bits.
    pub fn short(&mut self, kind: Kind) -> Parsed<i32> {
        i32::try_from(self.whole(kind)?).map_err(|_| WRONG)
    }

    /// Reads bytes with their length.
    pub fn bytes(&mut self, kind: Kind) -> Parsed<&'a [u8]> {
        if kind != Kind::Bytes {
            return Err(WRONG);
        }
        let length = usize::try_from(self.unsigned()?).map_err(|_| ENDS)?;
        self.next(length)
    }

    fn list(&mut self, of: Kind) -> Parsed<List> {
        if of != Kind::List {
            return Err(WRONG);
        }
        let byte = self.byte()?;
        let length = match byte >> 4 {
            15 => usize::try_from(self.unsigned()?).map_err(|_| ENDS)?,
            length => length.into(),
        };
        // Every element takes a byte at least.
        if length > self.bytes.len() - self.at {
            return Err(ENDS);
        }
        Ok(List { kind: kind(byte & 15)?, length })
    }

    fn skip(&mut self, kind: Kind, deepest: usize) -> Parsed<()> {
        let deeper = deepest.checked_sub(1).ok_or("its parts are nested too deep")?;
        match kind {
            Kind::Bool(_) => Ok(()),
            Kind::Byte => self.byte().map(drop),
            Kind::Whole => self.unsigned().map(drop),
            Kind::Number => self.next(8).map(drop),
            Kind::Bytes => self.bytes(kind).map(drop),
            Kind::List => {
                let list = self.list(kind)?;
                (0..list.length).try_for_each(|_| self.skip_element(list.kind, deeper))
            }
            Kind::Map => {
                let length = self.unsigned()?;
                if length == 0 {
                    return Ok(());
                }
                if length > (self.bytes.len() - self.at) as u64 {
                    return Err(ENDS);
                }
                let byte = self.byte()?;
                let (key, value) = (self::kind(byte >> 4)?, self::kind(byte & 15)?);
                (0..length).try_for_each(|_| {
                    self.skip_element(key, deeper)?;
                    self.skip_element(value, deeper)
                })
            }
            Kind::Struct => loop {
                let byte = self.byte()?;
                if byte == 0 {
                    return Ok(());
                }
                if byte >> 4 == 0 {
                    self.unsigned()?;
                }
                self.skip(self::kind(byte & 15)?, deeper)?;
            },
        }
    }

    fn skip_element(&mut self, kind: Kind, deepest: usize) -> Parsed<()> {
        if let Kind::Bool(_) = kind { self.byte().map(drop) } else { self.skip(kind, deepest) }
    }

    /// Reads an integer without a sign, seven bits a byte.
    pub fn unsigned(&mut self) -> Parsed<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(WRONG)
    }

    fn byte(&mut self) -> Parsed<u8> {
        Ok(self.next(1)?[0])
    }

    /// So many bytes.
    pub fn next(&mut self, length: usize) -> Parsed<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(ENDS)?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }
}

fn kind(code: u8) -> Parsed<Kind> {
    Ok(match code {
        1 => Kind::Bool(true),
        2 => Kind::Bool(false),
        3 => Kind::Byte,
        4..=6 => Kind::Whole,
        7 => Kind::Number,
        8 => Kind::Bytes,
        9 | 10 => Kind::List,
        11 => Kind::Map,
        12 => Kind::Struct,
        _ => return Err(WRONG),
    })
}

/// Writes integers and structures of them.
#[derive(Debug, Default)]
pub struct Writer {
    /// What was written.
    pub bytes: Vec<u8>,
    id: i16,
}

impl Writer {
    /// Writes after `bytes`.
    pub fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, id: 0 }
    }

    /// Writes an integer as the field `id`, which is greater than the one before.
    pub fn whole(&mut self, id: i16, value: i32) {
        self.header(id, 5);
        let mut rest = (value << 1 ^ value >> 31) as u32;
        while rest >= 128 {
            self.bytes.push(rest as u8 | 128);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    /// Writes a truth value as the field `id`.
    pub fn bool(&mut self, id: i16, value: bool) {
        self.header(id, if value { 1 } else { 2 });
    }

    /// Writes a structure as the field `id`.
    pub fn fields(&mut self, id: i16, write: impl FnOnce(&mut Self)) {
        self.header(id, 12);
        let outer = std::mem::take(&mut self.id);
        write(self);
        self.end();
        self.id = outer;
    }

    /// Ends the structure.
    pub fn end(&mut self) {
        self.bytes.push(0);
    }

    fn header(&mut self, id: i16, kind: u8) {
        // Steps of up to 15 need no more than half a byte, and Parquet's are.
        self.bytes.push(((id - self.id) as u8) << 4 | kind);
        self.id = id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_the_unknown_is_skipped() {
        let mut writer = Writer::default();
        writer.whole(1, -300);
        writer.fields(5, |inner| {
            inner.whole(2, 7);
            inner.bool(3, false);
        });
        writer.whole(8, i32::MAX);
        writer.end();
        let mut found = Vec::new();
        let mut reader = Reader::new(&writer.bytes);
        let read = reader.fields(|reader, id, kind| {
            if id != 5 {
                found.push((id, reader.short(kind)?));
            }
            Ok(id != 5)
        });
        assert_eq!(read, Ok(()));
        assert_eq!(found, [(1, -300), (8, i32::MAX)]);
        assert_eq!(reader.position(), writer.bytes.len());
        for cut in 0..writer.bytes.len() {
            let read = Reader::new(&writer.bytes[..cut]).fields(|_, _, _| Ok(false));
            assert!(read.is_err(), "{cut}");
        }
    }

    #[test]
    fn lists_that_claim_more_than_there_is_and_deep_ones_are_refused() {
        // A list of 2³² − 1 structures.
        let claim = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert_eq!(Reader::new(&claim).fields(|_, _, _| Ok(false)), Err(ENDS));
        let deep = [0x1c; 100_000];
        assert!(Reader::new(&deep).fields(|_, _, _| Ok(false)).is_err());
        let endless = [0x16, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(Reader::new(&endless).fields(|_, _, _| Ok(false)), Err(WRONG));
    }
}
