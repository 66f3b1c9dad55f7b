//! What a token must be beyond well signed: the operator's rules, fixed before any token is seen,
//! and their checks. Never influenced by a token: nothing here is optional because a token leaves
//! it out.

use crate::claims::{Claims, Places, Skipped, Times};
use crate::compact::DEFAULT_LONGEST_TOKEN;
use crate::json::{Document, Kind};
use crate::{HeaderType, JsonFault, Part, Refusal, Registered, UnixSeconds};

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
    issuers: Option<Vec<String>>,
    subject: Option<String>,
    audiences: Option<Vec<String>>,
    strangers: Strangers,
    number: AudienceNumber,
    required: Vec<String>,
    skipped: Skipped,
}

/// How many audiences a token may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AudienceNumber {
    Any,
    One,
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
            issuers: None,
            subject: None,
            audiences: None,
            strangers: Strangers::Refused,
            number: AudienceNumber::Any,
            required: Vec::new(),
            skipped: Skipped::NONE,
        }
    }

    /// Tokens of more bytes are refused before they are looked at. Default
    /// [`DEFAULT_LONGEST_TOKEN`]. Work and memory per token are proportional to this.
    #[must_use]
    pub const fn longest_token(mut self, bytes: usize) -> Self {
        self.longest_token = bytes;
        self
    }

    /// The bound that [`Rules::longest_token`] sets, in bytes.
    #[must_use]
    pub const fn bound(&self) -> usize {
        self.longest_token
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
        self.issuers.get_or_insert_default().push(issuer.into());
        self
    }

    /// [`Rules::issuer`] for each of several. Of none: then no token is accepted.
    #[must_use]
    pub fn issuers(mut self, issuers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let known = self.issuers.get_or_insert_default();
        known.extend(issuers.into_iter().map(Into::into));
        self
    }

    /// Makes `sub` required, and this its exact value. Called more than once: the last value.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Makes `aud` required, and this a member of it, exactly. Called more than once: any of the
    /// values.
    ///
    /// Without any audience a token that has `aud` is refused: it was made for somebody, and nobody
    /// said that is us (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.get_or_insert_default().push(audience.into());
        self
    }

    /// [`Rules::audience`] for each of several. Of none: then no token is accepted.
    #[must_use]
    pub fn audiences(mut self, audiences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let known = self.audiences.get_or_insert_default();
        known.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// Refuses a token that names several audiences, or one within an array: with an expected
    /// audience, `aud` must be that very string.
    #[must_use]
    pub const fn single_audience(mut self) -> Self {
        self.number = AudienceNumber::One;
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

    /// Does not look at a registered claim: any value of any type passes, and an expected issuer,
    /// subject or audience is not compared. The typed accessors of [`Claims`] then do not tell it
    /// either; [`Claims::claim`] does. [`Rules::require`] still counts. For PyJWT's options
    /// `verify_exp` and so on: a token whose `exp` is skipped never ends.
    #[must_use]
    pub const fn danger_skip(mut self, claim: Registered) -> Self {
        self.skipped = self.skipped.with(claim);
        self
    }

    /// Judges claims that are **not proven**: the text of a JSON object, which may have come from
    /// anywhere. For callers that proved the token by other means, such as payloads that they
    /// encode in their own way.
    ///
    /// # Errors
    /// As [`Verifier::verify`](crate::Verifier::verify), from the payload's JSON on.
    pub fn danger_check_claims(
        &self,
        claims_json: &[u8],
        now: UnixSeconds,
    ) -> Result<Claims, Refusal> {
        let part = Part::Payload;
        let fault = |fault| Refusal::Json { part, fault };
        let text = str::from_utf8(claims_json).map_err(|_| fault(JsonFault::NotUtf8))?;
        self.judge(Document::read(text.to_owned()).map_err(fault)?, now)
    }

    /// All that a payload must be, in PyJWT's order.
    pub(crate) fn judge(&self, document: Document, now: UnixSeconds) -> Result<Claims, Refusal> {
        self.check_presence(&document)?;
        let places = Places::find(&document).without(self.skipped);
        let times = Times::read(&document, &places)?;
        self.check_times(&times, now)?;
        let claims = Claims::read(document, places, times)?;
        self.check_parties(&claims)?;
        Ok(claims)
    }

    /// Checks that the required claims are there.
    fn check_presence(&self, claims: &Document) -> Result<(), Refusal> {
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

    /// Checks who made the token, for whom, and about whom.
    fn check_parties(&self, claims: &Claims) -> Result<(), Refusal> {
        if let Some(expected) = self.unless_skipped(&self.issuers, Registered::Issuer) {
            let issuer = claims
                .issuer()
                .ok_or_else(|| missing(Registered::Issuer.name()))?;
            if !expected.iter().any(|one| one == issuer) {
                return Err(Refusal::Issuer);
            }
        }
        self.check_audience(claims)?;
        if let Some(expected) = self.unless_skipped(&self.subject, Registered::Subject) {
            let subject = claims
                .subject()
                .ok_or_else(|| missing(Registered::Subject.name()))?;
            if expected != subject {
                return Err(Refusal::Subject);
            }
        }
        Ok(())
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Refusal> {
        let expected = self.unless_skipped(&self.audiences, Registered::Audience);
        let is_present = claims.has(Registered::Audience);
        match (expected, is_present, self.strangers) {
            (None, false, _) | (None, true, Strangers::Admitted) => Ok(()),
            (None, true, Strangers::Refused) => Err(Refusal::AudienceUnexpected),
            (Some(_), false, _) => Err(missing(Registered::Audience.name())),
            (Some(expected), true, _) => {
                if self.number == AudienceNumber::One && !claims.names_one_audience() {
                    return Err(Refusal::AudienceNotSingle);
                }
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

    fn unless_skipped<'r, T>(&self, expected: &'r Option<T>, claim: Registered) -> Option<&'r T> {
        expected.as_ref().filter(|_| !self.skipped.contains(claim))
    }
}

fn missing(claim: &str) -> Refusal {
    Refusal::Missing {
        claim: claim.into(),
    }
}

#[cfg(test)]
mod tests;
