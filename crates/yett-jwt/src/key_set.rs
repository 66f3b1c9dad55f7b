//! Several keys, told apart by the token's `kid`. The set decides which key a token is checked
//! with; the key, and never the token, decides how.

mod read;

use std::collections::HashMap;
use std::fmt;

use crate::key::KeyError;
use crate::{Algorithm, JsonFault, KeyId, Refusal, VerifyingKey};

/// A JWK set may have this many bytes as JSON.
pub const LONGEST_KEY_SET: usize = 256 * 1024;

/// A set may have this many keys, unusable ones counted.
pub const MOST_KEYS: usize = 128;

/// Verifying keys, by `kid`. Immutable; at least one key, all symmetric or none.
#[derive(Clone)]
pub struct KeySet {
    keys: Box<[VerifyingKey]>,
    places: HashMap<Box<str>, usize>,
    skipped: Box<[SkippedKey]>,
}

/// A member of a JWK set that was left out, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    index: usize,
    key_id: Option<KeyId>,
    reason: SkipReason,
}

/// Why a member of a JWK set was left out (RFC 7517 section 5: what is not understood is ignored).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// It is no key that we can use.
    #[error("it is refused")]
    Refused(#[source] KeyError),
    /// None of the allowed algorithms is for it.
    #[error("no allowed algorithm is for it")]
    NotAllowed,
    /// It names no algorithm, and several of the allowed ones take such keys.
    #[error("it names no algorithm, and several allowed ones take such keys")]
    Ambiguous,
}

/// Why keys were not taken as a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Longer than [`LONGEST_KEY_SET`]; nothing of it was looked at.
    #[error("the key set has {bytes} bytes, more than {longest}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The bound.
        longest: usize,
    },
    /// Not a strict JSON object.
    #[error("the key set is refused")]
    Json(#[source] JsonFault),
    /// No member `keys`, or one that is not a list.
    #[error("the key set has no list `keys`")]
    NoKeys,
    /// More keys than [`MOST_KEYS`].
    #[error("the key set has {keys} keys, more than {most}")]
    TooManyKeys {
        /// How many there are.
        keys: usize,
        /// The bound.
        most: usize,
    },
    /// Two usable keys have the same id: nobody could say which one a token means.
    #[error("two keys have the id {0}")]
    DuplicateKeyId(KeyId),
    /// Shared secrets beside public keys. Public keys are published; a set with both invites the
    /// confusion of one with the other.
    #[error("the key set has both shared secrets and public keys")]
    Mixed,
    /// No key that can be used.
    #[error("none of the {} keys can be used", .0.len())]
    NoUsableKey(Box<[SkippedKey]>),
}

impl KeySet {
    /// A set of these keys.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeySetError> {
        // One more than allowed is enough to know; the iterator may be endless.
        let keys: Vec<_> = keys.into_iter().take(MOST_KEYS + 1).collect();
        Self::from_parts(keys, Vec::new())
    }

    fn from_parts(keys: Vec<VerifyingKey>, skipped: Vec<SkippedKey>) -> Result<Self, KeySetError> {
        check_count(keys.len())?;
        let Some(first) = keys.first() else {
            return Err(KeySetError::NoUsableKey(skipped.into()));
        };
        let symmetric = first.algorithm().is_symmetric();
        let mut places = HashMap::with_capacity(keys.len());
        for (place, key) in keys.iter().enumerate() {
            if key.algorithm().is_symmetric() != symmetric {
                return Err(KeySetError::Mixed);
            }
            if let Some(id) = key.key_id()
                && places.insert(id.as_str().into(), place).is_some()
            {
                return Err(KeySetError::DuplicateKeyId(id.clone()));
            }
        }
        Ok(Self {
            keys: keys.into(),
            places,
            skipped: skipped.into(),
        })
    }

    /// The keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// How many keys there are: never 0.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Never: a set without a key cannot be made.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key has this id, to the byte.
    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.places.contains_key(kid)
    }

    /// What was left out of the JWK set that this came from.
    #[must_use]
    pub const fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The public JWK set, as JSON. Shared secrets are not in it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self
            .keys
            .iter()
            .filter_map(|key| key.to_jwk().map(|jwk| jwk.to_json()))
            .collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// The key that a token's header means. By its `kid`, if it has one; else the only key that
    /// admits its algorithm. Takes no longer for a larger set if there is a `kid`.
    pub(crate) fn select(
        &self,
        kid: Option<&KeyId>,
        algorithm: Algorithm,
    ) -> Result<&VerifyingKey, Refusal> {
        if let Some(id) = kid {
            let key = self
                .places
                .get(id.as_str())
                .and_then(|place| self.keys.get(*place))
                .ok_or(Refusal::UnknownKey)?;
            return if key.algorithm().admits(algorithm) {
                Ok(key)
            } else {
                Err(Refusal::AlgorithmMismatch {
                    key: key.algorithm(),
                })
            };
        }
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm().admits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Refusal::KeyAmbiguous),
            (None, _) => Err(Refusal::UnknownKey),
        }
    }
}

fn check_count(keys: usize) -> Result<(), KeySetError> {
    if keys > MOST_KEYS {
        return Err(KeySetError::TooManyKeys {
            keys,
            most: MOST_KEYS,
        });
    }
    Ok(())
}

impl SkippedKey {
    /// Its place in the list, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Its `kid`, if it has a readable one.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// Why it was left out.
    #[must_use]
    pub const fn reason(&self) -> &SkipReason {
        &self.reason
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
