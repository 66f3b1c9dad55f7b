//! The pass over the text: syntax, depth, unique names, finite numbers. Never looks at what a name
//! means. Recursion is bounded by [`DEEPEST_JSON`].
//!
//! Time is linear in the text, but for the names of one object, which are compared pairwise while
//! they are few and sorted when they are many: no choice of names makes it slow.

use super::document::{Kind, Member, Span, Strings};
use super::{DEEPEST_JSON, JsonFault};

/// Texts of this many bytes or more are refused, so that every place fits a [`Span`] with room for
/// the decoded strings behind.
const LONGEST_TEXT: usize = 1 << 29;

/// Up to so many names are compared each with each, which needs no memory.
const FEW_NAMES: usize = 16;

/// Checks one object, and gives its members and its strings with escapes, decoded.
pub(super) fn scan(text: &str) -> Result<(Vec<Member>, String), JsonFault> {
    let mut scanner = Scanner::new(text)?;
    // Most payloads have between four and eight claims.
    let mut members = Vec::with_capacity(8);
    match scanner.document(&mut members) {
        Some(()) => Ok((members, scanner.decoded)),
        None => Err(scanner.fault),
    }
}

/// Checks one object.
pub(super) fn check(text: &str) -> Result<(), JsonFault> {
    scan(text).map(|_| ())
}

/// Every step gives nothing when the text is refused; the reason is then in `fault`. `Result`s would
/// not fit a register (see [`Span`]).
struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The next byte to look at.
    at: usize,
    levels_left: usize,
    fault: JsonFault,
    /// Strings with escapes, one behind the other. Those of inner values go when the value ends.
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
            fault: JsonFault::Syntax,
            decoded: String::new(),
            names: Vec::new(),
        })
    }

    /// Refuses for another reason than syntax.
    #[cold]
    fn refuse<T>(&mut self, fault: JsonFault) -> Option<T> {
        self.fault = fault;
        None
    }

    fn document(&mut self, members: &mut Vec<Member>) -> Option<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            // Whatever else it is: JSON, or not even that.
            self.value()?;
            self.end()?;
            return self.refuse(JsonFault::NotObject);
        }
        self.outer_object(members)?;
        self.end()
    }

    fn end(&mut self) -> Option<()> {
        self.skip_space();
        self.peek().is_none().then_some(())
    }

    /// The outermost object, whose members are noted.
    fn outer_object(&mut self, members: &mut Vec<Member>) -> Option<()> {
        self.open()?;
        if self.ends_at_once(b'}') {
            return Some(());
        }
        loop {
            let name = self.name()?;
            // Most claims are strings: they are spared a call.
            let value = match self.peek()? {
                b'"' => self.string()?,
                _ => self.value()?,
            };
            members.push(Member { name, value });
            if !self.goes_on(b'}')? {
                break;
            }
        }
        let strings = Strings::new(self.text, &self.decoded);
        if has_twins(members.iter().map(|member| member.name), strings) {
            return self.refuse(JsonFault::DuplicateName);
        }
        Some(())
    }

    /// An object within another value: its names must be unique, and are then forgotten.
    fn inner_object(&mut self) -> Option<()> {
        self.open()?;
        if !self.ends_at_once(b'}') {
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
                return self.refuse(JsonFault::DuplicateName);
            }
            self.names.truncate(first_name);
            self.decoded.truncate(decoded_before);
        }
        self.levels_left += 1;
        Some(())
    }

    fn array(&mut self) -> Option<()> {
        self.open()?;
        if !self.ends_at_once(b']') {
            let decoded_before = self.decoded.len();
            loop {
                self.value()?;
                if !self.goes_on(b']')? {
                    break;
                }
            }
            self.decoded.truncate(decoded_before);
        }
        self.levels_left += 1;
        Some(())
    }

    /// Passes a bracket or brace.
    fn open(&mut self) -> Option<()> {
        let Some(levels_left) = self.levels_left.checked_sub(1) else {
            return self.refuse(JsonFault::TooDeep);
        };
        self.levels_left = levels_left;
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// Whether an object or array is empty.
    fn ends_at_once(&mut self, end: u8) -> bool {
        let is_end = self.peek() == Some(end);
        self.at += usize::from(is_end);
        is_end
    }

    /// Passes the comma before another element, or the end.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.skip_space();
        let byte = self.peek()?;
        self.at += 1;
        if byte == b',' {
            self.skip_space();
            return Some(true);
        }
        (byte == end).then_some(false)
    }

    /// A name and the colon behind it.
    #[inline(always)]
    fn name(&mut self) -> Option<Span> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let name = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some(name)
    }

    /// Any value. The span of a string is its content; of anything else, its text.
    fn value(&mut self) -> Option<Span> {
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => return self.string(),
            b'0'..=b'9' | b'-' => {
                self.number()?;
                Kind::Number
            }
            b'{' => {
                self.inner_object()?;
                Kind::Object
            }
            b'[' => {
                self.array()?;
                Kind::Array
            }
            b't' => self.word("true", Kind::True)?,
            b'f' => self.word("false", Kind::False)?,
            b'n' => self.word("null", Kind::Null)?,
            _ => return None,
        };
        Some(Span::new(kind, start, self.at))
    }

    fn word(&mut self, word: &str, kind: Kind) -> Option<Kind> {
        let rest = self.bytes.get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(kind)
    }

    /// RFC 8259 section 6. A number that no float can tell is refused: readers would differ.
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return None,
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
            let number: f64 = self.text.get(start..self.at)?.parse().ok()?;
            return number.is_finite().then_some(());
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// A string from its first quote on: the span of what it says.
    #[inline(always)]
    fn string(&mut self) -> Option<Span> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        match self.peek()? {
            b'"' => {
                self.at += 1;
                Some(Span::new(Kind::String, start, self.at - 1))
            }
            b'\\' => self.string_with_escapes(start),
            // A control character.
            _ => None,
        }
    }

    #[cold]
    fn string_with_escapes(&mut self, start: usize) -> Option<Span> {
        let decoded_from = self.decoded.len();
        let mut copied = start;
        loop {
            self.decoded.push_str(self.text.get(copied..self.at)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    let behind = self.text.len();
                    let (start, end) = (behind + decoded_from, behind + self.decoded.len());
                    return Some(Span::new(Kind::String, start, end));
                }
                b'\\' => {
                    let (character, end) = unescape(self.bytes, self.at)?;
                    self.decoded.push(character);
                    self.at = end;
                    copied = end;
                    self.skip_plain();
                }
                _ => return None,
            }
        }
    }

    /// Goes on to the next quote, backslash or control character, or to the end. Eight bytes at a
    /// time: names and texts are half of a payload.
    #[inline(always)]
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
    // Most pairs differ in length or begin, which costs no look at the text.
    let mut seen = [(0_u64, None); FEW_NAMES];
    for (nth, name) in names.enumerate() {
        let begin = strings.begin(name);
        let (before, rest) = seen.split_at_mut(nth);
        let is_twin = |&(other_begin, other): &(u64, Option<Span>)| {
            other_begin == begin
                && other.is_some_and(|other| {
                    other.len() == name.len() && strings.at(other) == strings.at(name)
                })
        };
        if before.iter().any(is_twin) {
            return true;
        }
        if let Some(place) = rest.first_mut() {
            *place = (begin, Some(name));
        }
    }
    false
}
