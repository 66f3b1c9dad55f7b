//! What a token must be beyond well signed: the operator's rules, fixed before any token is seen,
//! and their checks. Never influenced by a token: nothing here is optional because a token leaves
//! it out.

use crate::claims::{Claims, Times};
use crate::compact::DEFAULT_LONGEST_TOKEN;
use crate::json::{Document, Kind};
use crate::{HeaderType, Refusal, Registered, UnixSeconds};

/// Rules for the tokens of one [`Verifier`](crate::Verifier).
///
/// As made by [`Rules::new`]: at most 8 KiB, `typ` absent or `JWT`, no leeway, any issuer, no
/// audience, no required claim. **`exp` is then not required** (RFC 7519 and PyJWT do not either);
/// say `.require("exp")` unless you check it yourself. Where `exp`, `nbf` or `iat` are there, they
/// always count.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) longest_token: usize,
    pub(crate) header_type: HeaderType,
    leeway: u32,
    issuers: Vec<String>,
    audiences: Vec<String>,
    strangers: Strangers,
    required: Vec<String>,
}

/// What becomes of a token that has `aud`, when no audience is expected.
#[derive(Clone, Copy, Debug)]
enum Strangers {
    Refused,
    Admitted,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

impl Rules {
    /// The strictest rules that still accept a token with no claims at all.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            longest_token: DEFAULT_LONGEST_TOKEN,
            header_type: HeaderType::Jwt,
            leeway: 0,
            issuers: Vec::new(),
            audiences: Vec::new(),
            strangers: Strangers::Refused,
            required: Vec::new(),
        }
    }

    /// Tokens of more bytes are refused before they are looked at. Default
    /// [`DEFAULT_LONGEST_TOKEN`]. Work and memory per token are proportional to this.
    #[must_use]
    pub const fn longest_token(mut self, bytes: usize) -> Self {
        self.longest_token = bytes;
        self
    }

    /// Which `typ` the header must show. Default [`HeaderType::Jwt`].
    #[must_use]
    pub const fn header_type(mut self, wanted: HeaderType) -> Self {
        self.header_type = wanted;
        self
    }

    /// By how many seconds clocks may differ: `exp`, `nbf` and `iat` are all judged that much in
    /// the token's favour. Default 0.
    #[must_use]
    pub const fn leeway(mut self, seconds: u32) -> Self {
        self.leeway = seconds;
        self
    }

    /// Makes `iss` required, and this its exact value. Called more than once: any of the values.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Makes `aud` required, and this a member of it, exactly. Called more than once: any of the
    /// values.
    ///
    /// Without any audience a token that has `aud` is refused: it was made for somebody, and nobody
    /// said that is us (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Takes tokens made for any audience, as simplejwt does when its `AUDIENCE` is unset: a token
    /// for another service under the same key passes. Without effect once [`Rules::audience`] names
    /// one. A wrong type of `aud` stays refused.
    #[must_use]
    pub const fn danger_any_audience(mut self) -> Self {
        self.strangers = Strangers::Admitted;
        self
    }

    /// Makes a claim required: present and not `null`. Any name, registered or not; exact spelling.
    #[must_use]
    pub fn require(mut self, claim: impl Into<String>) -> Self {
        self.required.push(claim.into());
        self
    }

    /// Checks that the required claims are there.
    pub(crate) fn check_presence(&self, claims: &Document) -> Result<(), Refusal> {
        for claim in &self.required {
            if claims
                .member(claim)
                .is_none_or(|member| member.kind() == Kind::Null)
            {
                return Err(missing(claim));
            }
        }
        Ok(())
    }

    /// Checks the times, in PyJWT's order, on which it depends whether a token is called immature
    /// or expired.
    pub(crate) fn check_times(&self, times: &Times, now: UnixSeconds) -> Result<(), Refusal> {
        let latest_start = now.later(self.leeway);
        if let Some(issued_at) = times.issued_at.filter(|at| *at > latest_start) {
            return Err(Refusal::IssuedInFuture { issued_at, now });
        }
        if let Some(not_before) = times.not_before.filter(|at| *at > latest_start) {
            return Err(Refusal::NotYetValid { not_before, now });
        }
        let earliest_end = now.earlier(self.leeway);
        if let Some(expires_at) = times.expires_at.filter(|at| *at <= earliest_end) {
            return Err(Refusal::Expired { expires_at, now });
        }
        Ok(())
    }

    /// Checks who made the token and for whom.
    pub(crate) fn check_parties(&self, claims: &Claims) -> Result<(), Refusal> {
        if !self.issuers.is_empty() {
            let issuer = claims
                .issuer()
                .ok_or_else(|| missing(Registered::Issuer.name()))?;
            if !self.issuers.iter().any(|expected| expected == issuer) {
                return Err(Refusal::Issuer);
            }
        }
        self.check_audience(claims)
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Refusal> {
        let is_present = claims.has(Registered::Audience);
        match (self.audiences.as_slice(), is_present, self.strangers) {
            ([], false, _) | ([], true, Strangers::Admitted) => Ok(()),
            ([], true, Strangers::Refused) => Err(Refusal::AudienceUnexpected),
            (_, false, _) => Err(missing(Registered::Audience.name())),
            (expected, true, _) => {
                if claims
                    .audiences()
                    .any(|audience| expected.iter().any(|one| *one == audience))
                {
                    Ok(())
                } else {
                    Err(Refusal::Audience)
                }
            }
        }
    }
}

fn missing(claim: &str) -> Refusal {
    Refusal::Missing {
        claim: claim.into(),
    }
}

#[cfg(test)]
mod tests;
