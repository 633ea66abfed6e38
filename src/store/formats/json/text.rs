//! Takes JSON text apart, strictly by RFC 8259, but for three numbers that it lacks and that Python
//! writes all the same: `NaN`, `Infinity` and `-Infinity`.
//!
//! **Why not serde_json.** It knows neither those numbers nor which columns are wanted. Here a
//! value is its text until somebody needs it, so that whatever nobody asked for costs one look at
//! its bytes and no memory.
//!
//! The text must be valid UTF-8; [`walk`](super::objects::walk) sees to that.

use std::borrow::Cow;

/// Objects and lists that may lie in each other, as in serde_json.
const DEEPEST: u32 = 128;

/// A piece of JSON and a place in it.
#[derive(Debug, Clone)]
pub struct Text<'t> {
    bytes: &'t [u8],
    at: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, in bytes from the beginning of the text.
    pub at: usize,
    /// What, to be put after the place: `expected a value`.
    pub reason: Cow<'static, str>,
}

/// A value, most of them as they stand in the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'t> {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// A number without point and exponent.
    Whole(&'t [u8]),
    /// Any other number.
    Number(&'t [u8]),
    /// NaN or an infinity.
    NotFinite(f64),
    /// What stands between the quotes of a text without escapes.
    Text(&'t [u8]),
    /// The same of a text with escapes.
    Escaped(&'t [u8]),
    /// An object, with its braces.
    Object(&'t [u8]),
    /// A list, with its brackets.
    List(&'t [u8]),
}

/// The name of a member of an object, between its quotes.
#[derive(Debug, Clone, Copy)]
pub struct Key<'t> {
    raw: &'t [u8],
    has_escapes: bool,
}

impl<'t> Key<'t> {
    /// Its text.
    #[inline]
    pub fn text(self) -> Cow<'t, [u8]> {
        if self.has_escapes { Cow::Owned(unescaped(self.raw)) } else { Cow::Borrowed(self.raw) }
    }
}

impl<'t> Text<'t> {
    /// The text `bytes` from `at` on.
    pub fn new(bytes: &'t [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The place, in bytes from the beginning.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Passes blanks, and says which byte follows; `None` at the end.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Passes blanks and `byte`, if it follows.
    #[inline]
    pub fn passes(&mut self, byte: u8) -> bool {
        let does = self.peek() == Some(byte);
        self.at += usize::from(does);
        does
    }

    /// A fault here.
    #[cold]
    pub fn fault(&self, reason: impl Into<Cow<'static, str>>) -> Fault {
        let is_over = self.at >= self.bytes.len();
        let reason = reason.into();
        Fault { at: self.at, reason: if is_over { format!("{reason}, but the text ends").into() } else { reason } }
    }

    /// Passes an object and gives each of its members.
    ///
    /// # Errors
    /// [`Fault`], also what `member` gives.
    #[inline]
    pub fn object(&mut self, mut member: impl FnMut(Key<'t>, Token<'t>) -> Result<(), Fault>) -> Result<(), Fault> {
        self.members(|text, key| member(key, text.value(1)?))
    }

    /// Passes an object, the value of each of whose members `value` must pass.
    ///
    /// # Errors
    /// [`Fault`], also what `value` gives.
    #[inline]
    pub fn members(&mut self, mut value: impl FnMut(&mut Self, Key<'t>) -> Result<(), Fault>) -> Result<(), Fault> {
        self.open()?;
        let mut is_first = true;
        while let Some(key) = self.key(is_first)? {
            is_first = false;
            value(self, key)?;
        }
        Ok(())
    }

    /// Passes the brace that opens an object.
    ///
    /// # Errors
    /// [`Fault`] if there is none.
    #[inline]
    pub fn open(&mut self) -> Result<(), Fault> {
        if self.passes(b'{') { Ok(()) } else { Err(self.fault("expected an object")) }
    }

    /// Within an object, passes what stands before the next value, or the end of the object:
    /// `None`.
    ///
    /// # Errors
    /// [`Fault`].
    #[inline]
    pub fn key(&mut self, is_first: bool) -> Result<Option<Key<'t>>, Fault> {
        if self.passes(b'}') {
            return Ok(None);
        }
        if !is_first && !self.passes(b',') {
            return Err(self.fault("expected ',' or '}'"));
        }
        if !self.passes(b'"') {
            return Err(self.fault("expected a name in double quotes"));
        }
        let (raw, has_escapes) = self.rest_of_text()?;
        if !self.passes(b':') {
            return Err(self.fault("expected ':'"));
        }
        Ok(Some(Key { raw, has_escapes }))
    }

    /// Passes `bytes`, if they follow.
    #[inline]
    pub fn passes_all(&mut self, bytes: &[u8]) -> bool {
        let does = self.bytes[self.at..].starts_with(bytes);
        self.at += if does { bytes.len() } else { 0 };
        does
    }

    /// What has been passed since the place `from`.
    pub fn since(&self, from: usize) -> &'t [u8] {
        &self.bytes[from..self.at]
    }

    fn list(&mut self, depth: u32) -> Result<(), Fault> {
        self.at += 1;
        if self.passes(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            if !self.passes(b',') {
                break;
            }
        }
        if self.passes(b']') { Ok(()) } else { Err(self.fault("expected ',' or ']'")) }
    }

    /// Passes a value that lies in so many objects and lists.
    ///
    /// # Errors
    /// [`Fault`].
    #[inline]
    pub fn value(&mut self, depth: u32) -> Result<Token<'t>, Fault> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let (text, has_escapes) = self.rest_of_text()?;
                Ok(if has_escapes { Token::Escaped(text) } else { Token::Text(text) })
            }
            Some(b'0'..=b'9' | b'-') => self.number(),
            Some(b'{' | b'[') => self.nested(depth),
            Some(b't') => self.word(b"true", Token::Bool(true)),
            Some(b'f') => self.word(b"false", Token::Bool(false)),
            Some(b'n') => self.word(b"null", Token::Null),
            Some(b'N') => self.word(b"NaN", Token::NotFinite(f64::NAN)),
            Some(b'I') => self.word(b"Infinity", Token::NotFinite(f64::INFINITY)),
            _ => Err(self.fault("expected a value")),
        }
    }

    fn nested(&mut self, depth: u32) -> Result<Token<'t>, Fault> {
        if depth >= DEEPEST {
            return Err(self.fault(format!("there are more than {DEEPEST} objects and lists in each other")));
        }
        let start = self.at;
        if self.bytes[start] == b'[' {
            self.list(depth)?;
            return Ok(Token::List(&self.bytes[start..self.at]));
        }
        self.members(|text, _| text.value(depth + 1).map(drop))?;
        Ok(Token::Object(&self.bytes[start..self.at]))
    }

    fn word(&mut self, word: &'static [u8], token: Token<'t>) -> Result<Token<'t>, Fault> {
        if self.passes_all(word) { Ok(token) } else { Err(self.fault("expected a value")) }
    }

    #[inline]
    fn number(&mut self) -> Result<Token<'t>, Fault> {
        let start = self.at;
        self.at += usize::from(self.bytes[start] == b'-');
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            Some(b'I') => return self.word(b"Infinity", Token::NotFinite(f64::NEG_INFINITY)),
            _ => return Err(self.fault("expected a digit")),
        }
        let mut is_whole = true;
        if self.bytes.get(self.at) == Some(&b'.') {
            (self.at, is_whole) = (self.at + 1, false);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            (self.at, is_whole) = (self.at + 1, false);
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        let text = &self.bytes[start..self.at];
        Ok(if is_whole { Token::Whole(text) } else { Token::Number(text) })
    }

    /// Passes one digit at least.
    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let end = self.at + digits_at(self.bytes, self.at);
        let has_any = end > self.at;
        self.at = end;
        if has_any { Ok(()) } else { Err(self.fault("expected a digit")) }
    }

    /// Passes a text whose first quote is passed; gives what is between the quotes, and whether
    /// that has escapes.
    #[inline]
    fn rest_of_text(&mut self) -> Result<(&'t [u8], bool), Fault> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at = ordinary(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault("a control character in a text")),
                None => return Err(self.fault("expected '\"'")),
            }
        }
        let text = &self.bytes[start..self.at];
        self.at += 1;
        Ok((text, has_escapes))
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let length = match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if code(&self.bytes[self.at + 2..]).is_some() => 6,
            _ => return Err(self.fault("an escape that there is not")),
        };
        self.at += length;
        Ok(())
    }
}

/// One in each byte of a word.
const EACH: u64 = 0x0101_0101_0101_0101;
/// The high bit of each byte of a word.
const HIGH: u64 = EACH * 0x80;

/// The place of the first byte from `at` on that is a quote, a backslash or a control character;
/// the end without any.
#[inline]
pub fn ordinary(bytes: &[u8], mut at: usize) -> usize {
    let is_zero = |word: u64| word.wrapping_sub(EACH) & !word & HIGH;
    // Eight bytes at a time. A borrow reaches only bytes above one that is found.
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(EACH * 0x20) & !word & HIGH;
        let found = control | is_zero(word ^ (EACH * u64::from(b'"'))) | is_zero(word ^ (EACH * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)).unwrap_or(rest.len())
}

/// How many digits stand from `start` on.
#[inline]
fn digits_at(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        // A digit becomes its value; adding to that reaches the high bit from ten on, and never the
        // next byte.
        let word = u64::from_le_bytes(*word) ^ (EACH * u64::from(b'0'));
        let others = (((word & !HIGH) + EACH * (0x80 - 10)) | word) & HIGH;
        if others != 0 {
            return at - start + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at - start + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// The number of four hexadecimal digits.
fn code(bytes: &[u8]) -> Option<u16> {
    let digits: &[u8; 4] = bytes.first_chunk()?;
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    digits.iter().try_fold(0, |code, byte| Some(code << 4 | digit(byte)? as u16))
}

/// What a text with escapes, all of them valid, means. Half a character becomes U+FFFD.
pub fn unescaped(raw: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        text.extend_from_slice(&rest[..at]);
        let (byte, mut length) = match rest.get(at + 1) {
            Some(b'b') => (8, 2),
            Some(b'f') => (12, 2),
            Some(b'n') => (b'\n', 2),
            Some(b'r') => (b'\r', 2),
            Some(b't') => (b'\t', 2),
            Some(b'u') => (b'u', 6),
            Some(other) => (*other, 2),
            None => break,
        };
        if length == 6 {
            let unit = code(rest.get(at + 2..).unwrap_or_default()).unwrap_or(0xfffd);
            let after = rest.get(at + 6..).unwrap_or_default();
            let low = after.strip_prefix(b"\\u").and_then(code).filter(|low| (0xdc00..0xe000).contains(low));
            let is_high = (0xd800..0xdc00).contains(&unit);
            let units = [Some(unit), low.filter(|_| is_high)];
            length += if units[1].is_some() { 6 } else { 0 };
            for character in char::decode_utf16(units.into_iter().flatten()) {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        } else {
            text.push(byte);
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// The value that `token` is, its objects and lists read by serde_json.
    fn value_of(token: Token) -> Value {
        let text = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        match token {
            Token::Null => Value::Null,
            Token::Bool(is_so) => Value::Bool(is_so),
            Token::Text(raw) => Value::String(text(raw)),
            Token::Escaped(raw) => Value::String(text(&unescaped(raw))),
            Token::Whole(raw) | Token::Number(raw) | Token::Object(raw) | Token::List(raw) => {
                serde_json::from_slice(raw).unwrap_or(Value::Null)
            }
            Token::NotFinite(number) => panic!("{number}"),
        }
    }

    /// The members of the object `text`, if it is one and nothing follows it.
    fn members(text: &str) -> Result<Vec<(String, Value)>, Fault> {
        let mut members = Vec::new();
        let mut parser = Text::new(text.as_bytes(), 0);
        parser.object(|key, value| {
            members.push((String::from_utf8(key.text().into_owned()).unwrap(), value_of(value)));
            Ok(())
        })?;
        match parser.peek() {
            None => Ok(members),
            Some(_) => Err(parser.fault("more")),
        }
    }

    /// The same by serde_json, which keeps the last of equal names, and sorts them.
    fn expected(text: &str) -> serde_json::Result<serde_json::Map<String, Value>> {
        serde_json::from_str(text)
    }

    fn assert_as_expected(text: &str) {
        match (members(text), expected(text)) {
            (Ok(members), Ok(expected)) => {
                let found: serde_json::Map<_, _> = members.into_iter().collect();
                assert_eq!(found, expected, "{text}");
            }
            (Err(_), Err(_)) => {}
            // It refuses numbers beyond the doubles and half characters, both of which JSON has.
            (Ok(_), Err(error))
                if ["number out of range", "surrogate", "hex escape"]
                    .iter()
                    .any(|reason| error.to_string().contains(reason)) => {}
            (found, expected) => panic!("{text}: {found:?}, {expected:?}"),
        }
    }

    #[test]
    fn what_is_an_object_is_read_and_nothing_else() {
        for text in [
            "{}",
            " { } ",
            "{\"a\":1,\"b\":-0.5e-3,\"c\":[1,[2,{}]],\"d\":{\"e\":null},\"f\":true,\"g\":false}",
            "{\"a\" : \"\\u00e9\\ud834\\udd1e\\\\\\/\\b\\f\\n\\r\\t\\\"\"}",
            "{\"\":0,\"größe\":\"ü\"}",
            "{\"a\":0}\n",
            "{\"a\":12345678901234567890123456789012345678901234567890}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":+1}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":1,}",
            "{\"a\":[1,]}",
            "{\"a\":[1}",
            "{\"a\":nul}",
            "{\"a\":True}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"tab\there\"}",
            "{\"a\":\"open}",
            "{\"a\":1} x",
            "[1]",
            "1",
            "",
            "{",
            "}",
        ] {
            assert_as_expected(text);
        }
    }

    #[test]
    fn numbers_that_json_lacks_are_those_of_python() {
        let text = b"{\"a\":NaN,\"b\":Infinity,\"c\":-Infinity}";
        let mut found = Vec::new();
        let taken = Text::new(text, 0).object(|_, value| {
            found.extend(if let Token::NotFinite(number) = value { Some(number) } else { None });
            Ok(())
        });
        assert!(taken.is_ok() && found[0].is_nan());
        assert_eq!(found[1..], [f64::INFINITY, f64::NEG_INFINITY]);
        for text in ["{\"a\":nan}", "{\"a\":-NaN}", "{\"a\":Inf}", "{\"a\":+Infinity}"] {
            assert!(Text::new(text.as_bytes(), 0).object(|_, _| Ok(())).is_err(), "{text}");
        }
    }

    #[test]
    fn half_characters_become_replacements() {
        for (raw, text) in [
            (r"\ud834", "\u{fffd}"),
            (r"\ud834x", "\u{fffd}x"),
            (r"\udd1e\ud834\udd1e", "\u{fffd}𝄞"),
            (r"\ud834\ud834\udd1e", "\u{fffd}𝄞"),
            (r"\ud834\n", "\u{fffd}\n"),
        ] {
            assert_eq!(String::from_utf8(unescaped(raw.as_bytes())).unwrap(), text, "{raw}");
        }
    }

    #[test]
    fn nothing_is_too_deep_for_the_stack() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for (depth, is_fine) in [(127, true), (128, false), (100_000, false)] {
                let text = format!("{{\"a\":{}1{}}}", open.repeat(depth), close.repeat(depth));
                assert_eq!(Text::new(text.as_bytes(), 0).object(|_, _| Ok(())).is_ok(), is_fine, "{depth} {open}");
            }
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let number = any::<f64>().prop_filter_map("finite", serde_json::Number::from_f64);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            number.prop_map(Value::Number),
            ".{0,12}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::btree_map(".{0,5}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn objects_are_those_of_serde_json(members in prop::collection::btree_map(".{0,9}", json(), 0..6), is_pretty: bool) {
            let value = Value::Object(members.into_iter().collect());
            let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            prop_assert!(self::members(&text).is_ok());
            assert_as_expected(&text);
        }

        #[test]
        fn damaged_objects_are_refused_as_serde_json_refuses_them(
            members in prop::collection::btree_map("[a-c]{0,3}", json(), 0..4),
            at: prop::sample::Index,
            with in "[\"{}\\[\\],:0-9eE.\\-\\\\ntfu \n]{0,2}",
        ) {
            let mut text = serde_json::to_string(&members).unwrap();
            let at = at.index(text.len());
            prop_assume!(text.is_char_boundary(at) && text.is_char_boundary(at + 1));
            text.replace_range(at..=at, &with);
            assert_as_expected(&text);
        }

        #[test]
        fn ordinary_bytes_are_passed(text in prop::collection::vec(any::<u8>(), 0..40), at in 0..40_usize) {
            let at = at.min(text.len());
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
            prop_assert_eq!(ordinary(&text, at), text[at..].iter().position(special).map_or(text.len(), |n| at + n));
            let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            prop_assert_eq!(digits_at(&text, at), digits);
        }

        #[test]
        fn digits_are_counted(digits in "[0-9]{0,30}", rest in "[^0-9].*") {
            prop_assert_eq!(digits_at(format!("{digits}{rest}").as_bytes(), 0), digits.len());
        }
    }
}
