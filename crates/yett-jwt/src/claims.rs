//! What a token says, typed. Registered claims (RFC 7519 section 4.1) have their type or the token
//! is refused; the others stay JSON. Never "absent" for a claim that is there but wrong:
//! that was CVE-2026-25537.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::json::{ClaimsError, Document, Json, JsonNumber, Kind, Member};
use crate::{Refusal, UnixSeconds};

/// The registered claims of RFC 7519 section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Registered {
    /// `iss`, a string.
    Issuer,
    /// `sub`, a string.
    Subject,
    /// `aud`, a string or an array of strings.
    Audience,
    /// `exp`, a number.
    ExpiresAt,
    /// `nbf`, a number.
    NotBefore,
    /// `iat`, a number.
    IssuedAt,
    /// `jti`, a string.
    TokenId,
}

impl Registered {
    const COUNT: usize = Self::ALL.len();

    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Issuer,
        Self::Subject,
        Self::Audience,
        Self::ExpiresAt,
        Self::NotBefore,
        Self::IssuedAt,
        Self::TokenId,
    ];

    /// The claim of that exact name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "iss" => Self::Issuer,
            "sub" => Self::Subject,
            "aud" => Self::Audience,
            "exp" => Self::ExpiresAt,
            "nbf" => Self::NotBefore,
            "iat" => Self::IssuedAt,
            "jti" => Self::TokenId,
            _ => return None,
        })
    }

    /// The name in the payload.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "iss",
            Self::Subject => "sub",
            Self::Audience => "aud",
            Self::ExpiresAt => "exp",
            Self::NotBefore => "nbf",
            Self::IssuedAt => "iat",
            Self::TokenId => "jti",
        }
    }
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The claims of a [`Verified`](crate::Verified) token: views into its payload, which is kept as it
/// came.
#[derive(Clone)]
pub struct Claims {
    document: Document,
    places: Places,
    times: Times,
}

impl Claims {
    /// Takes members whose times were read already, and checks the types of the other registered
    /// claims.
    pub(crate) fn read(document: Document, places: Places, times: Times) -> Result<Self, Refusal> {
        for claim in [Registered::Issuer, Registered::Subject, Registered::TokenId] {
            if places
                .member(&document, claim)
                .is_some_and(|member| member.kind() != Kind::String)
            {
                return Err(Refusal::WrongType(claim));
            }
        }
        if let Some(member) = places.member(&document, Registered::Audience) {
            let is_typed = match document.value(member) {
                Json::String(_) => true,
                Json::Array(mut items) => items.all(|item| matches!(item, Json::String(_))),
                _ => false,
            };
            if !is_typed {
                return Err(Refusal::WrongType(Registered::Audience));
            }
        }
        Ok(Self {
            document,
            places,
            times,
        })
    }

    /// Any claim by its exact name, registered or not.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<Json<'_>> {
        self.document.get(name)
    }

    /// All claims, in the payload's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Json<'_>)> {
        let members = self.document.members().iter();
        members.map(|member| (self.document.name(member), self.document.value(member)))
    }

    /// The claims as a type of yours. Texts can be lent (`&str`) unless they are within arrays or
    /// objects and have escapes. Names that the type does not know are ignored, if it says nothing
    /// else.
    ///
    /// # Errors
    /// A claim is missing, or of another type; the error shows no value.
    pub fn deserialize<'c, T: Deserialize<'c>>(&'c self) -> Result<T, ClaimsError> {
        self.document.deserialize()
    }

    /// `exp`: at this second the token is no longer valid.
    #[must_use]
    pub const fn expires_at(&self) -> Option<UnixSeconds> {
        self.times.expires_at
    }

    /// `nbf`: from this second on the token is valid.
    #[must_use]
    pub const fn not_before(&self) -> Option<UnixSeconds> {
        self.times.not_before
    }

    /// `iat`: when the token was made.
    #[must_use]
    pub const fn issued_at(&self) -> Option<UnixSeconds> {
        self.times.issued_at
    }

    /// `iss`: who made the token.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.text(Registered::Issuer)
    }

    /// `sub`: whom the token is about.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text(Registered::Subject)
    }

    /// `jti`: the token's own id.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text(Registered::TokenId)
    }

    /// `aud`: whom the token is for, whether the claim is one string or an array. Nothing also for
    /// an empty array; whether the claim is there at all says [`Claims::claim`].
    pub fn audiences(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (single, items) = match self
            .places
            .member(&self.document, Registered::Audience)
            .map(|member| self.document.value(member))
        {
            Some(Json::Array(items)) => (None, Some(items)),
            Some(Json::String(single)) => (Some(single), None),
            _ => (None, None),
        };
        let items = items.into_iter().flatten().filter_map(|item| match item {
            Json::String(audience) => Some(audience),
            _ => None,
        });
        single.into_iter().chain(items)
    }

    /// Whether `aud` is one string, not an array.
    pub(crate) fn names_one_audience(&self) -> bool {
        self.text(Registered::Audience).is_some()
    }

    pub(crate) fn has(&self, claim: Registered) -> bool {
        self.places.member(&self.document, claim).is_some()
    }

    pub(crate) const fn times(&self) -> &Times {
        &self.times
    }

    pub(crate) const fn document(&self) -> &Document {
        &self.document
    }

    fn text(&self, claim: Registered) -> Option<&str> {
        self.document
            .string(self.places.member(&self.document, claim)?)
    }
}

impl fmt::Debug for Claims {
    /// Without the values: claims are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// Where the registered claims are among the members, counted from one: looked for once, not at
/// each question.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places([Option<NonZeroU32>; Registered::COUNT]);

impl Places {
    pub(crate) fn find(document: &Document) -> Self {
        let mut places = Self::default();
        for (nth, member) in (1..).zip(document.members()) {
            let claim = Registered::named(document.name(member));
            if let Some(place) = claim.and_then(|claim| places.0.get_mut(claim as usize)) {
                *place = NonZeroU32::new(nth);
            }
        }
        places
    }

    /// As though the token had none of these claims.
    pub(crate) fn without(mut self, skipped: Skipped) -> Self {
        if skipped != Skipped::NONE {
            for claim in Registered::ALL {
                if let Some(place) = self.0.get_mut(claim as usize)
                    && skipped.contains(claim)
                {
                    *place = None;
                }
            }
        }
        self
    }

    fn member<'d>(&self, document: &'d Document, claim: Registered) -> Option<&'d Member> {
        let nth = (*self.0.get(claim as usize)?)?;
        document.members().get(nth.get() as usize - 1)
    }
}

/// A set of registered claims that rules do not look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped(u8);

impl Skipped {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, claim: Registered) -> Self {
        Self(self.0 | 1 << claim as u8)
    }

    pub(crate) const fn contains(self, claim: Registered) -> bool {
        self.0 & 1 << claim as u8 != 0
    }
}

/// The three points in time. A struct of its own because they are judged before the other claims
/// are even looked at: an expired token is told so although its `sub` is a number, as PyJWT does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) expires_at: Option<UnixSeconds>,
    pub(crate) not_before: Option<UnixSeconds>,
    pub(crate) issued_at: Option<UnixSeconds>,
}

impl Times {
    pub(crate) fn read(document: &Document, places: &Places) -> Result<Self, Refusal> {
        let read = |claim| match places.member(document, claim) {
            None => Ok(None),
            Some(member) => numeric_date(document.value(member), claim).map(Some),
        };
        Ok(Self {
            issued_at: read(Registered::IssuedAt)?,
            not_before: read(Registered::NotBefore)?,
            expires_at: read(Registered::ExpiresAt)?,
        })
    }
}

fn numeric_date(value: Json<'_>, claim: Registered) -> Result<UnixSeconds, Refusal> {
    let number = value.as_number().ok_or(Refusal::WrongType(claim))?;
    let seconds = whole_seconds(number).ok_or(Refusal::OutOfRange(claim))?;
    Ok(UnixSeconds::new(seconds))
}

/// The second in which the number lies, if an `i64` can tell it.
fn whole_seconds(number: JsonNumber<'_>) -> Option<i64> {
    if let Some(seconds) = number.as_i64() {
        return Some(seconds);
    }
    /// 2^63, the first float beyond `i64`; its negative is still within.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let seconds = number.as_f64().floor();
    // The cast is exact between the bounds. It would saturate beyond them and make 0 of NaN, hence
    // the test.
    (-BEYOND..BEYOND)
        .contains(&seconds)
        .then_some(seconds as i64)
}

#[cfg(test)]
mod tests;
