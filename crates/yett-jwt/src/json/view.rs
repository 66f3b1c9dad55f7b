//! Values of checked JSON, read where they stand. Never sees unchecked text: a view is made by a
//! [`Document`](super::Document) or by another view. Walking arrays and objects allocates nothing
//! but strings with escapes.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::scan::unescape;

/// A JSON value of a claim.
#[derive(Clone)]
#[expect(missing_docs, reason = "each variant is the JSON type that it names")]
pub enum Json<'t> {
    Null,
    Bool(bool),
    Number(JsonNumber<'t>),
    String(Cow<'t, str>),
    Array(JsonArray<'t>),
    Object(JsonObject<'t>),
}

/// A number as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct JsonNumber<'t>(&'t str);

/// The elements of an array, first to last.
#[derive(Clone)]
pub struct JsonArray<'t>(Cursor<'t>);

/// The members of an object, as they are ordered in the text. Names are unique.
#[derive(Clone)]
pub struct JsonObject<'t>(Cursor<'t>);

impl<'t> Json<'t> {
    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, whatever its size.
    #[must_use]
    pub const fn as_number(&self) -> Option<JsonNumber<'t>> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as a tree. An integer beyond 64 bits becomes the nearest float.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            // Its syntax was checked, so that there is no error.
            Self::Number(number) => serde_json::from_str(number.0).unwrap_or_default(),
            Self::String(text) => Value::String(text.clone().into_owned()),
            Self::Array(items) => items.clone().map(|item| item.to_value()).collect(),
            Self::Object(members) => members
                .clone()
                .map(|(name, value)| (name.into_owned(), value.to_value()))
                .collect(),
        }
    }
}

impl fmt::Debug for Json<'_> {
    /// The type alone: claims are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Number(_) => "Number",
            Self::String(_) => "String",
            Self::Array(_) => "Array",
            Self::Object(_) => "Object",
        })
    }
}

impl<'t> JsonNumber<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self(text)
    }

    /// The digits, as they are written (RFC 8259 section 6).
    #[must_use]
    pub const fn as_str(self) -> &'t str {
        self.0
    }

    /// The integer, if it is written as one and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        // Times are ten digits; eighteen cannot overflow.
        if self.0.len() <= 18 {
            let short = self.0.bytes().try_fold(0, |value: i64, byte| {
                let digit = byte.wrapping_sub(b'0');
                (digit <= 9).then(|| value * 10 + i64::from(digit))
            });
            if short.is_some() {
                return short;
            }
        }
        self.0.parse().ok()
    }

    /// The integer, if it is written as one and fits.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The nearest float. Finite: other numbers are refused when the text is checked.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0.parse().unwrap_or_default()
    }

    /// Whether it is written without fraction and exponent.
    #[must_use]
    pub fn is_integer(self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }
}

impl fmt::Debug for JsonNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonNumber")
    }
}

impl<'t> JsonArray<'t> {
    /// `text` with its brackets.
    pub(super) fn new(text: &'t str) -> Self {
        Self(Cursor::within(text))
    }
}

impl<'t> Iterator for JsonArray<'t> {
    type Item = Json<'t>;

    fn next(&mut self) -> Option<Json<'t>> {
        self.0.value()
    }
}

impl<'t> JsonObject<'t> {
    /// `text` with its braces.
    pub(super) fn new(text: &'t str) -> Self {
        Self(Cursor::within(text))
    }
}

impl<'t> Iterator for JsonObject<'t> {
    type Item = (Cow<'t, str>, Json<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let Some(Json::String(name)) = self.0.value() else {
            return None;
        };
        Some((name, self.0.value()?))
    }
}

/// Walks over values between brackets or braces. Commas and colons are passed like white space:
/// the scanner has seen that they are where they belong.
#[derive(Clone)]
struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    fn within(text: &'t str) -> Self {
        let inside = text.len().saturating_sub(1);
        Self {
            rest: text.get(1..inside).unwrap_or_default(),
        }
    }

    fn value(&mut self) -> Option<Json<'t>> {
        let rest = self
            .rest
            .trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
        let end = match rest.as_bytes().first()? {
            b'"' => string_end(rest)?,
            b'{' | b'[' => bracket_end(rest)?,
            _ => rest
                .find([',', ' ', '\t', '\n', '\r', '}', ']'])
                .unwrap_or(rest.len()),
        };
        let (text, rest) = rest.split_at_checked(end)?;
        self.rest = rest;
        match text.as_bytes().first()? {
            b'"' => Some(Json::String(decode(text))),
            b'{' => Some(Json::Object(JsonObject::new(text))),
            b'[' => Some(Json::Array(JsonArray::new(text))),
            b't' => Some(Json::Bool(true)),
            b'f' => Some(Json::Bool(false)),
            b'n' => Some(Json::Null),
            _ => Some(Json::Number(JsonNumber(text))),
        }
    }
}

/// Where a string that begins at once ends, its quote included.
fn string_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1);
    loop {
        match bytes.next()? {
            (at, b'"') => return Some(at + 1),
            (_, b'\\') => drop(bytes.next()),
            _ => {}
        }
    }
}

/// Where an array or object that begins at once ends.
fn bracket_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.as_bytes().get(at)? {
            b'"' => {
                at += string_end(text.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// What a string in quotes says.
fn decode(quoted: &str) -> Cow<'_, str> {
    let inside = quoted.len().saturating_sub(1);
    let content = quoted.get(1..inside).unwrap_or_default();
    if !content.contains('\\') {
        return Cow::Borrowed(content);
    }
    let mut decoded = String::with_capacity(content.len());
    let mut at = 0;
    while let Some(rest) = content.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find('\\').unwrap_or(rest.len());
        decoded.push_str(rest.get(..plain).unwrap_or_default());
        at += plain;
        match unescape(content.as_bytes(), at) {
            Some((character, end)) => {
                decoded.push(character);
                at = end;
            }
            None => break,
        }
    }
    Cow::Owned(decoded)
}
