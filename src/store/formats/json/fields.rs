//! Finds the wanted columns in objects.
//!
//! **Names.** A column is the member of that name, dots included; without one, a name with dots is the path to a member of an
//! object within: `config.lr` is `lr` in `config`. A name that two members of an object have is an error if it is wanted, because
//! any choice between them would be a guess.
//!
//! **Speed.** Objects of one file hardly ever differ in the order of their members, so that each member is first compared with the
//! one that stood at its place in the first object.

use std::borrow::Cow;

use crate::data::{Cell, number};
use crate::store::formats::json::text::{Fault, Key, Text, Token, unescaped};

/// The wanted columns, and what the object at hand holds of them.
pub struct Fields<'n, 't> {
    names: &'n [String],
    /// The members of the first object, with what they are for.
    usual: Vec<(Vec<u8>, Use)>,
    found: Vec<Found<'t>>,
    has_escapes: bool,
}

/// Which columns a member is.
#[derive(Debug, Clone, Copy)]
struct Use {
    column: Option<usize>,
    /// Whether columns lie within it.
    is_path: bool,
}

/// The value of a column.
#[derive(Debug, Clone, Copy)]
enum Found<'t> {
    Nothing,
    /// The member at the end of a path.
    ByPath(Token<'t>),
    /// The member of that name.
    ByName(Token<'t>),
}

/// What is left of a path within an object.
type Rest<'n> = (usize, &'n [u8]);

impl<'n, 't> Fields<'n, 't> {
    /// Looks for `names`.
    pub fn new(names: &'n [String]) -> Self {
        Self { names, usual: Vec::new(), found: vec![Found::Nothing; names.len()], has_escapes: false }
    }

    /// Reads the object that `text` continues with.
    ///
    /// # Errors
    /// [`Fault`], also for a wanted name that is there twice.
    #[inline]
    pub fn read(&mut self, text: &mut Text<'t>) -> Result<(), Fault> {
        self.found.fill(Found::Nothing);
        self.has_escapes = false;
        let start = text.at();
        let (is_first, mut place) = (self.usual.is_empty(), 0);
        text.object(|key, value| {
            let key = key.text();
            let usage = match self.usual.get(place) {
                Some((usual, usage)) if usual[..] == key[..] => *usage,
                _ => self.usage_of(&key, is_first),
            };
            place += 1;
            if let Some(column) = usage.column {
                self.note(column, Found::ByName(value)).map_err(|reason| Fault { at: start, reason })?;
            }
            match value {
                Token::Object(within) if usage.is_path => {
                    let rests = rests(self.names.iter().map(String::as_bytes).enumerate(), &key);
                    self.read_within(within, &rests).map_err(|fault| Fault { at: start, ..fault })
                }
                _ => Ok(()),
            }
        })
    }

    fn usage_of(&mut self, key: &[u8], is_first: bool) -> Use {
        let column = self.names.iter().position(|name| name.as_bytes() == key);
        let is_path = self.names.iter().any(|name| rest_of(name.as_bytes(), key).is_some());
        let usage = Use { column, is_path };
        if is_first {
            self.usual.push((key.to_vec(), usage));
        }
        usage
    }

    fn read_within(&mut self, object: &'t [u8], wanted: &[Rest<'n>]) -> Result<(), Fault> {
        Text::new(object, 0).object(|key, value| {
            let key = key.text();
            for (column, _) in wanted.iter().filter(|(_, rest)| *rest == &key[..]) {
                self.note(*column, Found::ByPath(value)).map_err(|reason| Fault { at: 0, reason })?;
            }
            let rests = rests(wanted.iter().copied(), &key);
            match value {
                Token::Object(within) if !rests.is_empty() => self.read_within(within, &rests),
                _ => Ok(()),
            }
        })
    }

    #[inline]
    fn note(&mut self, column: usize, value: Found<'t>) -> Result<(), Cow<'static, str>> {
        let found = &mut self.found[column];
        *found = match (*found, value) {
            (Found::Nothing, value) | (Found::ByPath(_), value @ Found::ByName(_)) => value,
            (before @ Found::ByName(_), Found::ByPath(_)) => before,
            _ => return Err(format!("the name '{}' is there twice", self.names[column]).into()),
        };
        if let Found::ByPath(Token::Escaped(_)) | Found::ByName(Token::Escaped(_)) = value {
            self.has_escapes = true;
        }
        Ok(())
    }

    /// Gives the cells of the object that was read, one for each name.
    #[inline]
    pub fn with_cells<T>(&self, cells: &mut Vec<Cell<'t>>, take: impl FnOnce(&[Cell]) -> T) -> T {
        cells.clear();
        cells.extend(self.found.iter().map(|found| cell_of(*found)));
        if !self.has_escapes {
            return take(cells);
        }
        let text_of = |found: &Found| match found {
            Found::ByPath(Token::Escaped(raw)) | Found::ByName(Token::Escaped(raw)) => Some(unescaped(raw)),
            _ => None,
        };
        let texts: Vec<_> = self.found.iter().map(text_of).collect();
        let cells: Vec<Cell> =
            cells.iter().zip(&texts).map(|(cell, text)| text.as_deref().map_or(*cell, Cell::Text)).collect();
        take(&cells)
    }
}

fn rests<'n>(wanted: impl Iterator<Item = Rest<'n>>, key: &[u8]) -> Vec<Rest<'n>> {
    wanted.filter_map(|(column, path)| Some((column, rest_of(path, key)?))).collect()
}

/// What is left of `path` within the member `key`.
fn rest_of<'n>(path: &'n [u8], key: &[u8]) -> Option<&'n [u8]> {
    path.strip_prefix(key)?.strip_prefix(b".")
}

#[inline]
fn cell_of(found: Found<'_>) -> Cell<'_> {
    match found {
        Found::Nothing => Cell::Absent,
        Found::ByPath(token) | Found::ByName(token) => cell_of_token(token),
    }
}

#[inline]
fn cell_of_token(token: Token<'_>) -> Cell<'_> {
    match token {
        Token::Null => Cell::Missing,
        Token::Bool(is_so) => Cell::Bool(is_so),
        Token::Whole(text) => whole(text).map_or_else(|| number_of(text), Cell::Whole),
        Token::Number(text) => number_of(text),
        Token::NotFinite(number) => Cell::Number(number),
        Token::Text(text) | Token::Escaped(text) => Cell::Text(text),
        Token::Object(_) => Cell::Other("an object"),
        Token::List(_) => Cell::Other("a list"),
    }
}

fn number_of(text: &[u8]) -> Cell<'_> {
    // Every number of JSON is one of Rust's.
    number::parse(text).map_or(Cell::Other("a number"), Cell::Number)
}

/// The integer that `text`, a sign and digits, means; `None` beyond 128 bits.
#[inline]
fn whole(text: &[u8]) -> Option<i128> {
    /// So many digits fit into 64 bits.
    const SHORT: usize = 18;
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > SHORT {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let size = digits.iter().fold(0_i64, |size, digit| size * 10 + i64::from(digit - b'0'));
    Some(i128::from(if is_negative { -size } else { size }))
}

/// The names of the members of the object that begins `text`, as far as it can be read, those of objects within by their paths.
pub fn names_of(text: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    add_names(text, "", &mut names);
    names
}

fn add_names(object: &[u8], before: &str, names: &mut Vec<String>) {
    let _ = Text::new(object, 0).object(|key: Key, value| {
        let name = format!("{before}{}", String::from_utf8_lossy(&key.text()));
        match value {
            Token::Object(within) => add_names(within, &format!("{name}."), names),
            _ => names.push(name),
        }
        Ok(())
    });
}
