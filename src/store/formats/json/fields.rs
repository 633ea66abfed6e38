//! Finds the wanted columns in objects.
//!
//! **Names.** A column is the member of that name, dots included; without one, a name with dots is
//! the path to a member of an object within: `config.lr` is `lr` in `config`. A name that two
//! members of an object have is an error if it is wanted, because any choice between them would be
//! a guess.
//!
//! **Speed.** Objects of one file hardly ever differ in what stands between their values, so that
//! the bytes before each value are first compared with those that stood there in the first object.

use std::borrow::Cow;

use crate::data::{Cell, number};
use crate::format::excerpt;
use crate::store::formats::json::text::{Fault, Key, Text, Token, unescaped};

/// Members of the first object that are remembered.
const MOST_USUAL: usize = 1000;

/// Finds the wanted columns.
pub struct Fields<'n, 't> {
    usual: Vec<Usual<'n>>,
    row: Row<'n, 't>,
}

/// What the object at hand holds.
struct Row<'n, 't> {
    names: &'n [String],
    cells: Vec<Cell<'t>>,
    /// How those cells were found that are not absent.
    sources: Vec<Source>,
    /// The columns whose texts have escapes.
    escaped: Vec<usize>,
}

/// A member of the first object.
struct Usual<'n> {
    /// What stands between the value before and its own.
    before: Vec<u8>,
    member: Member<'n>,
}

/// What a member is.
#[derive(Clone)]
struct Member<'n> {
    column: Option<usize>,
    /// The columns within it.
    rests: Vec<Rest<'n>>,
}

/// A column, and what is left of its path.
type Rest<'n> = (usize, &'n [u8]);

/// How the value of a column was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// As the member of that name.
    Name,
    /// At the end of a path.
    Path,
}

impl<'n, 't> Fields<'n, 't> {
    /// Looks for `names`.
    pub fn new(names: &'n [String]) -> Self {
        let (cells, sources) = (vec![Cell::Absent; names.len()], vec![Source::Path; names.len()]);
        Self { usual: Vec::new(), row: Row { names, cells, sources, escaped: Vec::new() } }
    }

    /// Reads the object that `text` continues with.
    ///
    /// # Errors
    /// [`Fault`], also for a wanted name that is there twice.
    #[inline]
    pub fn read(&mut self, text: &mut Text<'t>) -> Result<(), Fault> {
        self.row.cells.fill(Cell::Absent);
        self.row.escaped.clear();
        let is_first = self.usual.is_empty();
        let start = text.at();
        text.open()?;
        for place in 0.. {
            let is_usual = self.usual.get(place).is_some_and(|usual| text.passes_all(&usual.before));
            let other;
            let member = if is_usual {
                &self.usual[place].member
            } else {
                let Some(member) = self.next_member(text, place, is_first)? else { break };
                other = member;
                &other
            };
            let value = text.value(1)?;
            self.row.take(member, value).map_err(|reason| Fault { at: start, reason })?;
        }
        Ok(())
    }

    /// Passes what stands before the value of the member at `place`, and says what it is; `None` at
    /// the end of the object.
    fn next_member(&mut self, text: &mut Text<'t>, place: usize, is_first: bool) -> Result<Option<Member<'n>>, Fault> {
        let from = text.at();
        let Some(key) = text.key(place == 0)? else { return Ok(None) };
        let names = self.row.names.iter().map(String::as_bytes);
        let member = member(names.enumerate(), &key.text());
        if is_first && place < MOST_USUAL {
            text.peek();
            self.usual.push(Usual { before: text.since(from).to_vec(), member: member.clone() });
        }
        Ok(Some(member))
    }

    /// Gives the cells of the object that was read, one for each name.
    #[inline]
    pub fn with_cells<T>(&self, take: impl FnOnce(&[Cell]) -> T) -> T {
        let Row { cells, escaped, .. } = &self.row;
        if escaped.is_empty() { take(cells) } else { with_escaped(cells, escaped, take) }
    }
}

fn with_escaped<T>(cells: &[Cell], escaped: &[usize], take: impl FnOnce(&[Cell]) -> T) -> T {
    let text_of = |column: &usize| match cells[*column] {
        Cell::Text(raw) => unescaped(raw),
        _ => Vec::new(),
    };
    let texts: Vec<Vec<u8>> = escaped.iter().map(text_of).collect();
    let mut cells = cells.to_vec();
    for (column, text) in escaped.iter().zip(&texts) {
        cells[*column] = Cell::Text(text);
    }
    take(&cells)
}

impl<'n, 't> Row<'n, 't> {
    /// Takes the `value` of a member; an error says what is wrong with it.
    #[inline]
    fn take(&mut self, member: &Member<'n>, value: Token<'t>) -> Result<(), Cow<'static, str>> {
        if let Some(column) = member.column {
            self.note(column, value, Source::Name)?;
        }
        match value {
            Token::Object(within) if !member.rests.is_empty() => self.take_within(within, &member.rests),
            _ => Ok(()),
        }
    }

    fn take_within(&mut self, object: &'t [u8], wanted: &[Rest<'n>]) -> Result<(), Cow<'static, str>> {
        let taken = Text::new(object, 0).object(|key, value| {
            let Member { column, rests } = member(wanted.iter().copied(), &key.text());
            let noted = column.map_or(Ok(()), |column| self.note(column, value, Source::Path));
            let within = match value {
                Token::Object(within) if !rests.is_empty() => noted.and_then(|()| self.take_within(within, &rests)),
                _ => noted,
            };
            within.map_err(|reason| Fault { at: 0, reason })
        });
        taken.map_err(|fault| fault.reason)
    }

    #[inline]
    fn note(&mut self, column: usize, value: Token<'t>, source: Source) -> Result<(), Cow<'static, str>> {
        if self.cells[column] != Cell::Absent {
            let before = self.sources[column];
            if before == source {
                return Err(format!("the name '{}' is there twice", excerpt(&self.names[column])).into());
            }
            if before == Source::Name {
                return Ok(());
            }
            self.escaped.retain(|escaped| *escaped != column);
        }
        if let Token::Escaped(_) = value {
            self.escaped.push(column);
        }
        (self.cells[column], self.sources[column]) = (cell_of(value), source);
        Ok(())
    }
}

/// What the member `key` is where `wanted` are looked for.
fn member<'n>(wanted: impl Iterator<Item = Rest<'n>>, key: &[u8]) -> Member<'n> {
    let mut member = Member { column: None, rests: Vec::new() };
    for (column, path) in wanted {
        match path.strip_prefix(key) {
            Some(b"") => member.column = Some(column),
            Some([b'.', rest @ ..]) => member.rests.push((column, rest)),
            _ => {}
        }
    }
    member
}

#[inline]
/// The cell that a value is; that of a text with escapes has them still.
pub fn cell_of(token: Token<'_>) -> Cell<'_> {
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

/// The names of the members of the object that begins `text`, as far as it can be read, those of
/// objects within by their paths.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of `names` in each of `objects`, as text.
    fn found(names: &[&str], objects: &[&str]) -> Result<Vec<Vec<String>>, Fault> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut fields = Fields::new(&names);
        let mut rows = Vec::new();
        for object in objects {
            fields.read(&mut Text::new(object.as_bytes(), 0))?;
            rows.push(fields.with_cells(|cells| cells.iter().map(|cell| format!("{cell:?}")).collect()));
        }
        Ok(rows)
    }

    fn text(text: &str) -> String {
        format!("{:?}", Cell::Text(text.as_bytes()))
    }

    #[test]
    fn cells_keep_what_they_are() {
        let object = r#"{"a":1,"b":-9007199254740993,"c":1.5,"d":"x","e":null,"f":true,"g":[1],"h":{},"i":NaN,"j":170141183460469231731687303715884105728,"k":"\u0041"}"#;
        let rows = found(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"], &[object]).unwrap();
        let (x, a) = (text("x"), text("A"));
        let expected = [
            "Whole(1)",
            "Whole(-9007199254740993)",
            "Number(1.5)",
            &x,
            "Missing",
            "Bool(true)",
            "Other(\"a list\")",
            "Other(\"an object\")",
            "Number(NaN)",
            "Number(1.7014118346046923e38)",
            &a,
            "Absent",
        ];
        assert_eq!(rows[0], expected);
        for whole in ["-170141183460469231731687303715884105728", "999999999999999999", "1000000000000000000", "0"] {
            let object = format!("{{\"a\":{whole}}}");
            assert_eq!(found(&["a"], &[&object]).unwrap()[0], [format!("Whole({whole})")]);
        }
    }

    #[test]
    fn members_are_found_in_any_order_and_layout() {
        let objects = [
            r#"{"skip": [1, {"a": 9}], "a": 1, "b": "x"}"#,
            r#"{"skip": 0, "a": 2, "b": "y"}"#,
            r#"{"b":"z","a":3}"#,
            r#"{"skip": 0, "a": 4, "b" : "v", "c": 1}"#,
            r#"{"skip": 0, "a": 5}"#,
            r#"{"\u0061": 6}"#,
            "{}",
        ];
        let rows = found(&["a", "b"], &objects).unwrap();
        let firsts: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(firsts, ["Whole(1)", "Whole(2)", "Whole(3)", "Whole(4)", "Whole(5)", "Whole(6)", "Absent"]);
        let seconds: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
        let [x, y, z, v] = ["x", "y", "z", "v"].map(text);
        assert_eq!(seconds, [&x, &y, &z, &v, "Absent", "Absent", "Absent"]);
    }

    #[test]
    fn a_name_with_dots_is_a_member_first_and_then_a_path() {
        let names = ["c.lr", "c.d.e", "c"];
        let objects = [
            r#"{"c":{"lr":1,"d":{"e":2}}}"#,
            r#"{"c":{"lr":1},"c.lr":3}"#,
            r#"{"c.lr":3,"c":{"lr":1,"d.e":4}}"#,
            r#"{"c":{"lr":"\n"},"c.lr":"x"}"#,
            r#"{"c":5,"c.d":{"e":6}}"#,
        ];
        let rows = found(&names, &objects).unwrap();
        let x = text("x");
        let lr: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(lr, ["Whole(1)", "Whole(3)", "Whole(3)", &x, "Absent"]);
        let nested: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(nested, ["Whole(2)", "Absent", "Whole(4)", "Absent", "Whole(6)"]);
        assert_eq!((rows[0][2].as_str(), rows[4][2].as_str()), ("Other(\"an object\")", "Whole(5)"));
    }

    #[test]
    fn a_wanted_name_that_is_there_twice_is_refused() {
        for object in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":null,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"c":{"lr":1,"lr":2}}"#,
            r#"{"c":{"lr":1},"c":{"lr":2}}"#,
        ] {
            for objects in [&[object][..], &[r#"{"a":1}"#, object]] {
                let fault = found(&["a", "c.lr"], objects).unwrap_err();
                assert!(fault.reason.contains("is there twice"), "{fault:?}");
            }
        }
        assert!(found(&["a"], &[r#"{"a":1,"b":1,"b":2,"c":{"a":1},"c":2}"#]).is_ok());
    }

    #[test]
    fn names_are_listed_with_their_paths() {
        assert_eq!(names_of(br#"{"a":1,"b":{"c":[2],"d":{}},"e" ..."#), ["a", "b.c"]);
    }
}
