//! The pass over the text: syntax, depth, unique names, finite numbers. Never looks at what a name
//! means. Recursion is bounded by [`DEEPEST_JSON`].
//!
//! Time is linear in the text, but for the names of one object, which are compared pairwise while
//! they are few and sorted when they are many: no choice of names makes it slow.

use super::document::{Kind, Member, Span, Strings};
use super::{DEEPEST_JSON, JsonFault};

/// Texts of this many bytes or more are refused, so that every place fits a [`Span`] with room for
/// the decoded strings behind.
const LONGEST_TEXT: usize = 1 << 30;

/// Up to so many names are compared each with each, which needs no memory.
const FEW_NAMES: usize = 16;

/// Checks one object, and gives its members and its strings with escapes, decoded.
pub(super) fn scan(text: &str) -> Result<(Vec<Member>, String), JsonFault> {
    let mut scanner = Scanner::new(text)?;
    // Most payloads have between four and eight claims.
    let mut members = Vec::with_capacity(8);
    scanner.document(&mut members)?;
    Ok((members, scanner.decoded))
}

/// Checks one object.
pub(super) fn check(text: &str) -> Result<(), JsonFault> {
    Scanner::new(text)?.document(&mut Vec::with_capacity(8))
}

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The next byte to look at.
    at: usize,
    levels_left: usize,
    /// Strings with escapes, one behind the other. Those of inner objects go when the object ends.
    decoded: String,
    /// Names of the inner objects that are open, innermost last.
    names: Vec<Span>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Result<Self, JsonFault> {
        if text.len() >= LONGEST_TEXT {
            return Err(JsonFault::TooLarge);
        }
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            levels_left: DEEPEST_JSON,
            decoded: String::new(),
            names: Vec::new(),
        })
    }

    fn document(&mut self, members: &mut Vec<Member>) -> Result<(), JsonFault> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            // Whatever else it is: JSON, or not even that.
            self.value()?;
            self.end()?;
            return Err(JsonFault::NotObject);
        }
        self.outer_object(members)?;
        self.end()
    }

    fn end(&mut self) -> Result<(), JsonFault> {
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(JsonFault::Syntax),
        }
    }

    /// The outermost object, whose members are noted.
    fn outer_object(&mut self, members: &mut Vec<Member>) -> Result<(), JsonFault> {
        self.open()?;
        if self.opens_empty(b'}') {
            return self.close();
        }
        loop {
            let name = self.name()?;
            let (kind, value) = self.value()?;
            members.push(Member { name, kind, value });
            if !self.goes_on(b'}')? {
                break;
            }
        }
        let strings = Strings::new(self.text, &self.decoded);
        if has_twins(members.iter().map(|member| member.name), strings) {
            return Err(JsonFault::DuplicateName);
        }
        self.close()
    }

    /// An object within another value: its names must be unique, and are then forgotten.
    fn inner_object(&mut self) -> Result<(), JsonFault> {
        self.open()?;
        if self.opens_empty(b'}') {
            return self.close();
        }
        let (first_name, decoded_before) = (self.names.len(), self.decoded.len());
        loop {
            let name = self.name()?;
            self.names.push(name);
            self.value()?;
            if !self.goes_on(b'}')? {
                break;
            }
        }
        let names = self.names.get(first_name..).unwrap_or_default();
        let strings = Strings::new(self.text, &self.decoded);
        if has_twins(names.iter().copied(), strings) {
            return Err(JsonFault::DuplicateName);
        }
        self.names.truncate(first_name);
        self.decoded.truncate(decoded_before);
        self.close()
    }

    fn array(&mut self) -> Result<(), JsonFault> {
        self.open()?;
        if self.opens_empty(b']') {
            return self.close();
        }
        let decoded_before = self.decoded.len();
        loop {
            self.value()?;
            if !self.goes_on(b']')? {
                break;
            }
        }
        self.decoded.truncate(decoded_before);
        self.close()
    }

    /// Passes a bracket or brace.
    fn open(&mut self) -> Result<(), JsonFault> {
        self.levels_left = self.levels_left.checked_sub(1).ok_or(JsonFault::TooDeep)?;
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    const fn close(&mut self) -> Result<(), JsonFault> {
        self.levels_left += 1;
        Ok(())
    }

    /// Whether an object or array ends where it begins.
    fn opens_empty(&mut self, end: u8) -> bool {
        let is_end = self.peek() == Some(end);
        if is_end {
            self.at += 1;
        }
        is_end
    }

    /// Passes the comma before another element, or the end.
    fn goes_on(&mut self, end: u8) -> Result<bool, JsonFault> {
        self.skip_space();
        let goes_on = match self.peek() {
            Some(b',') => true,
            Some(byte) if byte == end => false,
            _ => return Err(JsonFault::Syntax),
        };
        self.at += 1;
        if goes_on {
            self.skip_space();
        }
        Ok(goes_on)
    }

    /// A name and the colon behind it.
    fn name(&mut self) -> Result<Span, JsonFault> {
        if self.peek() != Some(b'"') {
            return Err(JsonFault::Syntax);
        }
        let name = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(JsonFault::Syntax);
        }
        self.at += 1;
        self.skip_space();
        Ok(name)
    }

    /// Any value. The span of a string is its content; of anything else, its text.
    fn value(&mut self) -> Result<(Kind, Span), JsonFault> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => return Ok((Kind::String, self.string()?)),
            Some(b'0'..=b'9' | b'-') => {
                self.number()?;
                Kind::Number
            }
            Some(b'{') => {
                self.inner_object()?;
                Kind::Object
            }
            Some(b'[') => {
                self.array()?;
                Kind::Array
            }
            Some(b't') => self.word("true", Kind::True)?,
            Some(b'f') => self.word("false", Kind::False)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(JsonFault::Syntax),
        };
        Ok((kind, Span::between(start, self.at)))
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, JsonFault> {
        let is_there = self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if !is_there {
            return Err(JsonFault::Syntax);
        }
        self.at += word.len();
        Ok(kind)
    }

    /// RFC 8259 section 6. A number that no float can tell is refused: readers would differ.
    fn number(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(JsonFault::Syntax),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut may_be_infinite = self.at - start > 300;
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
            may_be_infinite = true;
        }
        if may_be_infinite {
            let text = self.text.get(start..self.at).unwrap_or_default();
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(JsonFault::Syntax);
            }
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(JsonFault::Syntax);
        }
        Ok(())
    }

    /// A string from its first quote on: the span of what it says.
    fn string(&mut self) -> Result<Span, JsonFault> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Span::between(start, self.at - 1))
            }
            Some(b'\\') => self.string_with_escapes(start),
            // The end of the text, or a control character.
            _ => Err(JsonFault::Syntax),
        }
    }

    fn string_with_escapes(&mut self, start: usize) -> Result<Span, JsonFault> {
        let decoded_from = self.decoded.len();
        let mut copied = start;
        loop {
            let plain = self.text.get(copied..self.at).unwrap_or_default();
            self.decoded.push_str(plain);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let behind = self.text.len();
                    return Ok(Span::between(
                        behind + decoded_from,
                        behind + self.decoded.len(),
                    ));
                }
                Some(b'\\') => {
                    let (character, end) =
                        unescape(self.bytes, self.at).ok_or(JsonFault::Syntax)?;
                    self.decoded.push(character);
                    self.at = end;
                    copied = end;
                    self.skip_plain();
                }
                _ => return Err(JsonFault::Syntax),
            }
        }
    }

    /// Goes on to the next quote, backslash or control character, or to the end. Eight bytes at a
    /// time: names and texts are half of a payload.
    fn skip_plain(&mut self) {
        while let Some(&eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = stops(u64::from_le_bytes(eight));
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek() {
            if byte == b'"' || byte == b'\\' || byte < b' ' {
                return;
            }
            self.at += 1;
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// The high bit of each byte that is a quote, a backslash or below a space; below the first such
/// byte (the lowest) all bits are right, above it some may be set wrongly.
const fn stops(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const fn zeros(eight: u64) -> u64 {
        eight.wrapping_sub(ONES) & !eight
    }
    let quotes = zeros(eight ^ (ONES * b'"' as u64));
    let backslashes = zeros(eight ^ (ONES * b'\\' as u64));
    let controls = eight.wrapping_sub(ONES * b' ' as u64) & !eight;
    (quotes | backslashes | controls) & HIGHS
}

/// Reads the escape that begins at `at`, half of a surrogate pair refused: the character, and where
/// the text goes on.
pub(super) fn unescape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let character = match bytes.get(at + 1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_hex(bytes, at),
        _ => return None,
    };
    Some((character, at + 2))
}

fn unescape_hex(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let high = hex(bytes, at + 2)?;
    if !(0xD800..0xDC00).contains(&high) {
        return Some((char::from_u32(high)?, at + 6));
    }
    let is_pair = bytes.get(at + 6) == Some(&b'\\') && bytes.get(at + 7) == Some(&b'u');
    let low = hex(bytes, at + 8).filter(|low| is_pair && (0xDC00..0xE000).contains(low))?;
    let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    Some((char::from_u32(code)?, at + 12))
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk::<4>()?
        .iter()
        .try_fold(0, |value, digit| {
            Some((value << 4) | char::from(*digit).to_digit(16)?)
        })
}

/// Whether a name occurs twice.
fn has_twins(names: impl ExactSizeIterator<Item = Span> + Clone, strings: Strings<'_>) -> bool {
    if names.len() > FEW_NAMES {
        let mut sorted: Vec<&str> = names.map(|name| strings.at(name)).collect();
        sorted.sort_unstable();
        return sorted.windows(2).any(|pair| pair.first() == pair.last());
    }
    let mut rest = names;
    while let Some(name) = rest.next() {
        let is_twin = |other: Span| {
            other.len() == name.len() && strings.at(other) == strings.at(name)
        };
        if rest.clone().any(is_twin) {
            return true;
        }
    }
    false
}
