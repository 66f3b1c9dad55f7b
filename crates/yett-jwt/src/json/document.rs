//! A checked JSON object: its text, and where its members lie. Only [`Document::read`] makes one,
//! so whoever reads members need not check again.

use std::borrow::Cow;

use super::view::{Json, JsonArray, JsonNumber, JsonObject};
use super::{JsonFault, scan};

/// A place in the text, or, beyond the text's end, in the decoded strings. Nothing in the text
/// begins at its end, where the closing brace has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Both ends are below 2^31: the scanner takes no larger texts, and decoded strings are shorter
    /// than what they are decoded from.
    pub(super) const fn between(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(super) const fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}

/// A member of the outermost object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(super) name: Span,
    pub(super) kind: Kind,
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
        let (start, end) = (span.start as usize, span.end as usize);
        let found = match start.checked_sub(self.text.len()) {
            None => self.text.get(start..end),
            Some(start) => self.decoded.get(start..end - self.text.len()),
        };
        found.unwrap_or_default()
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
        (member.kind == Kind::String).then(|| self.strings().at(member.value))
    }

    /// A member's value.
    pub(crate) fn value(&self, member: &Member) -> Json<'_> {
        let text = self.strings().at(member.value);
        match member.kind {
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
        self.kind
    }
}
