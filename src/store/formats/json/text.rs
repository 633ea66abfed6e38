//! Takes JSON text apart, strictly by RFC 8259, but for three numbers that it lacks and that Python writes all the same:
//! `NaN`, `Infinity` and `-Infinity`.
//!
//! **Why not serde_json.** It knows neither those numbers nor which columns are wanted. Here a value is its text until somebody needs
//! it, so that whatever nobody asked for costs one look at its bytes and no memory.
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
        if !self.passes(b'{') {
            return Err(self.fault("expected an object"));
        }
        if self.passes(b'}') {
            return Ok(());
        }
        loop {
            if !self.passes(b'"') {
                return Err(self.fault("expected a name in double quotes"));
            }
            let (raw, has_escapes) = self.rest_of_text()?;
            if !self.passes(b':') {
                return Err(self.fault("expected ':'"));
            }
            value(self, Key { raw, has_escapes })?;
            if !self.passes(b',') {
                break;
            }
        }
        if self.passes(b'}') { Ok(()) } else { Err(self.fault("expected ',' or '}'")) }
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
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(token)
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
        let rest = &self.bytes[self.at..];
        let count = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += count;
        if count == 0 { Err(self.fault("expected a digit")) } else { Ok(()) }
    }

    /// Passes a text whose first quote is passed; gives what is between the quotes, and whether that has escapes.
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

/// The place of the first byte from `at` on that is a quote, a backslash or a control character; the end without any.
#[inline]
pub fn ordinary(bytes: &[u8], mut at: usize) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let is_zero = |word: u64| word.wrapping_sub(EACH) & !word & HIGH;
    // Eight bytes at a time. A borrow reaches only bytes above one that is found.
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(EACH * 0x20) & !word & HIGH;
        let found = control | is_zero(word ^ EACH * u64::from(b'"')) | is_zero(word ^ EACH * u64::from(b'\\'));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)).unwrap_or(rest.len())
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
