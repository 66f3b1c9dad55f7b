//! The proof. [`Verifier::verify`] is the only place that makes a [`Verified`], and its order of
//! checks is the security of this crate: bound the size, take apart, agree on the algorithm, prove
//! the signature over the bytes as they came, and only then read what they say.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::claims::{Claims, Times};
use crate::compact::{Compact, SIGNATURE_SLACK, decode, decode_object, decode_signature};
use crate::header::Header;
use crate::{KeyId, Part, Refusal, Rules, UnixSeconds, VerifyingKey};

/// One key and the rules for its tokens. Immutable, made before any token is seen, shared between
/// threads.
#[derive(Clone, Debug)]
pub struct Verifier {
    key: VerifyingKey,
    rules: Rules,
    generation: u64,
}

impl Verifier {
    /// Binds rules to a key.
    #[must_use]
    pub fn new(key: VerifyingKey, rules: Rules) -> Self {
        /// 2^64 verifiers are more than a process can make.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            key,
            rules,
            generation: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Tells this key and these rules from every other pair in the process, equal ones too. Clones
    /// share it: they judge alike.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Judges again what depends on `now`, for a token that this verifier, or a clone, once proved:
    /// the same verdict as [`Verifier::verify`], whose other checks do not depend on it.
    pub(crate) fn check_times_again(
        &self,
        verified: &Verified,
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        let claims = verified.claims();
        let times = Times {
            expires_at: claims.expires_at(),
            not_before: claims.not_before(),
            issued_at: claims.issued_at(),
        };
        self.rules.check_times(&times, now)
    }

    /// Proves that `token` was signed with the key, and that it may be used at `now` under the
    /// rules.
    ///
    /// `token` is the compact form alone, without scheme, quotes or white space. Memory is linear
    /// in its length, and so is time, but for sorting the names of its claims.
    ///
    /// # Errors
    /// The first thing found wrong; an unsigned or wrongly signed token never learns what the rules
    /// say of its claims.
    pub fn verify(&self, token: &str, now: UnixSeconds) -> Result<Verified, Refusal> {
        let (compact, header) = self.prove(token)?;

        let document = decode_object(Part::Payload, compact.payload)?;
        let claims = self.rules.judge(document, now)?;

        Ok(Verified {
            claims,
            key_id: header.key_id,
        })
    }

    /// Proves that a JWS of any payload (RFC 7515) was signed with the key. Of the rules only the
    /// token's length and the header's type count: there may be no claims, and none are read.
    ///
    /// # Errors
    /// As [`Verifier::verify`], without those about JSON and claims of the payload.
    pub fn verify_payload(&self, token: &str) -> Result<VerifiedPayload, Refusal> {
        let (compact, header) = self.prove(token)?;
        Ok(VerifiedPayload {
            payload: decode(Part::Payload, compact.payload)?,
            key_id: header.key_id,
        })
    }

    /// Everything before the payload is read.
    fn prove<'t>(&self, token: &'t str) -> Result<(Compact<'t>, Header), Refusal> {
        let compact = Compact::split(token, self.rules.longest_token)?;

        let header = Header::read(compact.header)?;
        if header.algorithm != self.key.algorithm() {
            return Err(Refusal::AlgorithmMismatch {
                key: self.key.algorithm(),
            });
        }
        header.check_type(self.rules.header_type)?;

        check_signature(&self.key, &compact)?;
        Ok((compact, header))
    }
}

/// Room on the stack for the signatures of HMAC, ECDSA and EdDSA; longest is that of ES512.
const SHORT_SIGNATURE: usize = 132 + SIGNATURE_SLACK;

fn check_signature(key: &VerifyingKey, compact: &Compact<'_>) -> Result<(), Refusal> {
    let signed = compact.signed.as_bytes();
    let room = key.longest_signature() + SIGNATURE_SLACK;
    if room <= SHORT_SIGNATURE {
        let mut room = [0; SHORT_SIGNATURE];
        let signature = decode_signature(compact.signature, &mut room)?;
        return key.check_signature(signed, signature);
    }
    let mut room = vec![0; room];
    let signature = decode_signature(compact.signature, &mut room)?;
    key.check_signature(signed, signature)
}

/// A token that was proven: signature, algorithm, times, issuer, audience, required claims. Only
/// [`Verifier::verify`] makes one. It proves what was true at the `now` of that call; it does not
/// expire by itself.
///
/// ```compile_fail,E0451
/// // Nobody else can: its fields are private, and it has no other constructor.
/// fn forge(claims: yett_jwt::Claims) -> yett_jwt::Verified {
///     yett_jwt::Verified { claims, key_id: None }
/// }
/// ```
#[derive(Clone)]
pub struct Verified {
    claims: Claims,
    key_id: Option<KeyId>,
}

impl Verified {
    /// What the token says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The exact bytes that the signature covers, decoded: a JSON object in UTF-8, as its issuer
    /// spaced and ordered it.
    #[must_use]
    pub const fn payload_json(&self) -> &[u8] {
        self.claims.document().text().as_bytes()
    }

    /// The key id that the header gave, if any.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }
}

impl fmt::Debug for Verified {
    /// Without the payload: claims are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("claims", &self.claims)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A payload of any kind that was proven: only [`Verifier::verify_payload`] makes one. It proves
/// who signed these bytes, nothing of what they mean.
#[derive(Clone)]
pub struct VerifiedPayload {
    payload: Vec<u8>,
    key_id: Option<KeyId>,
}

impl VerifiedPayload {
    /// The exact bytes that the signature covers, decoded.
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        self.payload.as_slice()
    }

    /// The key id that the header gave, if any.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }
}

impl fmt::Debug for VerifiedPayload {
    /// Without the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPayload")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
