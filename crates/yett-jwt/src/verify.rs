//! The proof. [`Verifier::verify`] is the only place that makes a [`Verified`], and its order of
//! checks is the security of this crate: bound the size, take apart, agree on the algorithm, prove
//! the signature over the bytes as they came, and only then read what they say.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::claims::Claims;
use crate::compact::{Compact, SIGNATURE_SLACK, decode, decode_object, decode_signature};
use crate::header::{Header, UsualHeaders};
use crate::{KeyId, KeySet, Part, Refusal, Rules, UnixSeconds, VerifyingKey};

/// What a [`Verifier`] proves with.
#[derive(Clone, Debug)]
pub enum Keys {
    /// One key. A token's `kid` is then not looked at, whatever the key's own id is.
    One(VerifyingKey),
    /// Several keys: the token's `kid` says which, or its `alg`, if only one key is for it.
    Set(Arc<KeySet>),
}

impl From<VerifyingKey> for Keys {
    fn from(key: VerifyingKey) -> Self {
        Self::One(key)
    }
}

impl From<KeySet> for Keys {
    fn from(set: KeySet) -> Self {
        Self::Set(Arc::new(set))
    }
}

impl From<Arc<KeySet>> for Keys {
    fn from(set: Arc<KeySet>) -> Self {
        Self::Set(set)
    }
}

impl Keys {
    /// The key that a header means, whose algorithm admits the header's.
    fn select(&self, header: &Header) -> Result<&VerifyingKey, Refusal> {
        match self {
            Self::One(key) if key.algorithm().admits(header.algorithm) => Ok(key),
            Self::One(key) => Err(Refusal::AlgorithmMismatch {
                key: key.algorithm(),
            }),
            Self::Set(set) => set.select(header.key_id.as_ref(), header.algorithm),
        }
    }
}

/// Keys and the rules for their tokens. Immutable, made before any token is seen, shared between
/// threads.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Keys,
    /// Of the one key; with a set nearly every header has a `kid` and is another.
    usual: Option<UsualHeaders>,
    rules: Rules,
    generation: u64,
}

impl Verifier {
    /// Binds rules to a key or to a set of keys.
    #[must_use]
    pub fn new(keys: impl Into<Keys>, rules: Rules) -> Self {
        /// 2^64 verifiers are more than a process can make.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let keys = keys.into();
        let usual = match &keys {
            Keys::One(key) => Some(UsualHeaders::of(key.algorithm())),
            Keys::Set(_) => None,
        };
        Self {
            keys,
            usual,
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
        self.rules.check_times(verified.claims.times(), now)
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

        let usual = self.usual.as_ref();
        let header = match usual.and_then(|usual| usual.recognize(compact.header)) {
            Some(header) => header,
            None => Header::parse(compact.header)?,
        };
        let key = self.keys.select(&header)?;
        header.check_type(self.rules.header_type)?;

        check_signature(key, &compact)?;
        Ok((compact, header))
    }
}

/// Room on the stack for the signatures of HMAC, ECDSA and EdDSA; longest is that of ES512.
const SHORT_SIGNATURE: usize = 132 + SIGNATURE_SLACK;

fn check_signature(key: &VerifyingKey, compact: &Compact<'_>) -> Result<(), Refusal> {
    let signed = compact.signed.as_bytes();
    let room = key.signature_length() + SIGNATURE_SLACK;
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

    /// Bytes of memory that it holds beside its own size.
    pub(crate) fn held_bytes(&self) -> usize {
        let key_id = self.key_id.as_ref().map_or(0, |id| id.as_str().len());
        key_id + self.claims.document().held_bytes()
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
