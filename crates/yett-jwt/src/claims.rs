//! What a token says, typed. Registered claims (RFC 7519 section 4.1) have their type or the token
//! is refused; the others stay JSON values. Never "absent" for a claim that is there but wrong:
//! that was CVE-2026-25537.

use std::fmt;

use serde_json::{Map, Number, Value};

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

/// The claims of a [`Verified`](crate::Verified) token.
///
/// Every member is parsed at once, into one sorted map. Lazy parsing would save nothing: to refuse
/// a name that occurs twice at some depth, the whole payload must be read anyway, and the gate asks
/// each token for two claims that are not registered (its type and its id).
#[derive(Clone)]
pub struct Claims {
    members: Map<String, Value>,
    times: Times,
}

impl Claims {
    /// Takes members whose times were read already, and checks the types of the other registered
    /// claims.
    pub(crate) fn read(members: Map<String, Value>, times: Times) -> Result<Self, Refusal> {
        for claim in [Registered::Issuer, Registered::Subject, Registered::TokenId] {
            if members
                .get(claim.name())
                .is_some_and(|value| !value.is_string())
            {
                return Err(Refusal::WrongType(claim));
            }
        }
        match members.get(Registered::Audience.name()) {
            None | Some(Value::String(_)) => {}
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => {}
            Some(_) => return Err(Refusal::WrongType(Registered::Audience)),
        }
        Ok(Self { members, times })
    }

    /// Any claim by its exact name, registered or not.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
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
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let items = match self.members.get(Registered::Audience.name()) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        items.iter().filter_map(Value::as_str)
    }

    fn text(&self, claim: Registered) -> Option<&str> {
        self.members.get(claim.name()).and_then(Value::as_str)
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

/// The three points in time. A struct of its own because they are judged before the other claims
/// are even looked at: an expired token is told so although its `sub` is a number, as PyJWT does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) expires_at: Option<UnixSeconds>,
    pub(crate) not_before: Option<UnixSeconds>,
    pub(crate) issued_at: Option<UnixSeconds>,
}

impl Times {
    pub(crate) fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        Ok(Self {
            issued_at: numeric_date(members, Registered::IssuedAt)?,
            not_before: numeric_date(members, Registered::NotBefore)?,
            expires_at: numeric_date(members, Registered::ExpiresAt)?,
        })
    }
}

fn numeric_date(
    members: &Map<String, Value>,
    claim: Registered,
) -> Result<Option<UnixSeconds>, Refusal> {
    match members.get(claim.name()) {
        None => Ok(None),
        Some(Value::Number(number)) => match whole_seconds(number) {
            Some(seconds) => Ok(Some(UnixSeconds::new(seconds))),
            None => Err(Refusal::OutOfRange(claim)),
        },
        Some(_) => Err(Refusal::WrongType(claim)),
    }
}

/// The second in which the number lies, if an `i64` can tell it.
fn whole_seconds(number: &Number) -> Option<i64> {
    if let Some(seconds) = number.as_i64() {
        return Some(seconds);
    }
    /// 2^63, the first float beyond `i64`; its negative is still within.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let seconds = number.as_f64()?.floor();
    // The cast is exact between the bounds. It would saturate beyond them and make 0 of NaN, hence
    // the test.
    (-BEYOND..BEYOND)
        .contains(&seconds)
        .then_some(seconds as i64)
}

#[cfg(test)]
mod tests;
