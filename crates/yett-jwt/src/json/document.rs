//! A checked JSON object: its text, and where its members lie. Only [`Document::read`] makes one,
//! so whoever reads members need not check again.

use std::borrow::Cow;
use std::num::NonZeroU64;

use super::view::{Json, JsonArray, JsonNumber, JsonObject};
use super::{JsonFault, scan};

/// What a value is, and where: a place in the text, or, beyond the text's end, in the decoded
/// strings. Nothing in the text begins at its end, where the closing brace has been.
///
/// Kind, begin and end in one word that is never zero: an `Option<Span>` then travels in one
/// register. As three fields it went through memory, where reading what was written in smaller
/// pieces stalls; that was a fifth of the time to prove an HS256 token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(NonZeroU64);

/// Bits for a place. The scanner takes texts below 2^29 bytes, and decoded strings are shorter than
/// what they are decoded from.
const PLACE_BITS: u32 = 30;
const PLACE: u64 = (1 << PLACE_BITS) - 1;
/// From the lowest bit on: a one, three bits of kind, the end, the begin.
const END_AT: u32 = 4;
const START_AT: u32 = END_AT + PLACE_BITS;

impl Span {
    pub(super) fn new(kind: Kind, start: usize, end: usize) -> Self {
        let places = (start as u64 & PLACE) << START_AT | (end as u64 & PLACE) << END_AT;
        Self(NonZeroU64::MIN | places | (kind as u64) << 1)
    }

    pub(crate) const fn kind(self) -> Kind {
        match self.0.get() >> 1 & 7 {
            1 => Kind::True,
            2 => Kind::False,
            3 => Kind::Number,
            4 => Kind::String,
            5 => Kind::Array,
            6 => Kind::Object,
            _ => Kind::Null,
        }
    }

    const fn start(self) -> usize {
        (self.0.get() >> START_AT & PLACE) as usize
    }

    const fn end(self) -> usize {
        (self.0.get() >> END_AT & PLACE) as usize
    }

    pub(super) const fn len(self) -> usize {
        self.end() - self.start()
    }
}

/// The JSON types, `true` and `false` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null = 0,
    True = 1,
    False = 2,
    Number = 3,
    String = 4,
    Array = 5,
    Object = 6,
}

/// A member of the outermost object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(super) name: Span,
    /// Of a string: what it says. Of anything else: its text.
    pub(super) value: Span,
}

/// Where spans point into.
#[derive(Clone, Copy)]
pub(super) struct Strings<'t> {
    text: &'t str,
    decoded: &'t str,
}

impl<'t> Strings<'t> {
    pub(super) const fn new(text: &'t str, decoded: &'t str) -> Self {
        Self { text, decoded }
    }

    pub(super) fn at(self, span: Span) -> &'t str {
        let (start, end) = (span.start(), span.end());
        let found = match start.checked_sub(self.text.len()) {
            None => self.text.get(start..end),
            Some(start) => self.decoded.get(start..end - self.text.len()),
        };
        found.unwrap_or_default()
    }

    /// The first eight bytes, with zeros behind a shorter string.
    pub(super) fn begin(self, span: Span) -> u64 {
        let length = span.len().min(8);
        // Nearly always there are eight bytes in the text, the string's own or what follows it.
        let window = self.text.as_bytes().get(span.start()..);
        if let Some(&eight) = window.and_then(<[u8]>::first_chunk::<8>) {
            let beyond = 64 - 8 * length as u32;
            return u64::from_le_bytes(eight)
                .checked_shl(beyond)
                .map_or(0, |kept| kept >> beyond);
        }
        let mut eight = [0; 8];
        for (place, byte) in eight.iter_mut().zip(self.at(span).bytes()) {
            *place = byte;
        }
        u64::from_le_bytes(eight)
    }
}

/// A checked object.
#[derive(Clone)]
pub(crate) struct Document {
    text: String,
    decoded: String,
    members: Vec<Member>,
}

impl Document {
    /// Checks the text.
    pub(crate) fn read(text: String) -> Result<Self, JsonFault> {
        let (members, decoded) = scan::scan(&text)?;
        Ok(Self {
            text,
            decoded,
            members,
        })
    }

    /// The text, unchanged.
    pub(crate) const fn text(&self) -> &str {
        self.text.as_str()
    }

    /// Bytes of memory that it holds beside its own size.
    pub(crate) const fn held_bytes(&self) -> usize {
        let index = self.members.capacity() * size_of::<Member>();
        self.text.capacity() + self.decoded.capacity() + index
    }

    /// The text, given away.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// The members, in the text's order.
    pub(crate) const fn members(&self) -> &[Member] {
        self.members.as_slice()
    }

    pub(crate) fn name(&self, member: &Member) -> &str {
        self.strings().at(member.name)
    }

    /// The member of that name.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| self.name(member) == name)
    }

    /// What a member says, if it is a string.
    pub(crate) fn string(&self, member: &Member) -> Option<&str> {
        (member.kind() == Kind::String).then(|| self.strings().at(member.value))
    }

    /// A member's value.
    pub(crate) fn value(&self, member: &Member) -> Json<'_> {
        let text = self.strings().at(member.value);
        match member.kind() {
            Kind::Null => Json::Null,
            Kind::True => Json::Bool(true),
            Kind::False => Json::Bool(false),
            Kind::Number => Json::Number(JsonNumber::new(text)),
            Kind::String => Json::String(Cow::Borrowed(text)),
            Kind::Array => Json::Array(JsonArray::new(text)),
            Kind::Object => Json::Object(JsonObject::new(text)),
        }
    }

    /// The value of the member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'_>> {
        self.member(name).map(|member| self.value(member))
    }

    pub(super) fn strings(&self) -> Strings<'_> {
        Strings::new(&self.text, &self.decoded)
    }
}

impl Member {
    pub(crate) const fn kind(&self) -> Kind {
        self.value.kind()
    }
}
