//! Keys. A key is bytes **and** one algorithm, bound when it is made; nothing takes the two apart
//! again. Never printed, and never kept here: the secret goes straight into the crypto library's
//! own context, which wipes it when it is freed.

mod material;

use std::fmt;

use aws_lc_rs::hmac;

use crate::{Algorithm, Refusal};

pub use material::KeyMaterial;

/// An HS256 secret has at least this many bytes (RFC 7518 section 3.2: as many as the hash).
pub const SHORTEST_HS256_SECRET: usize = 32;

/// Why bytes were not taken as a key. Says nothing of their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No bytes.
    #[error("the secret is empty")]
    Empty,
    /// Fewer than [`SHORTEST_HS256_SECRET`].
    #[error("the secret has {bytes} bytes, fewer than {shortest}")]
    TooShort {
        /// How many there are.
        bytes: usize,
        /// How many there must be.
        shortest: usize,
    },
    /// The "secret" is a key or certificate of another kind. Most of those are public, so that
    /// anyone could sign.
    #[error("the secret is {0}, not a shared secret")]
    OtherMaterial(KeyMaterial),
}

/// A key that signs.
pub struct SigningKey {
    secret: Secret,
}

/// A key that verifies.
#[derive(Clone)]
pub struct VerifyingKey {
    secret: Secret,
}

/// What the crypto library needs, one variant per algorithm.
#[derive(Clone)]
enum Secret {
    Hs256(hmac::Key),
}

impl SigningKey {
    /// An HS256 key of at least 32 bytes, taken as they are (no decoding, no trimming).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if !secret.is_empty() && secret.len() < SHORTEST_HS256_SECRET {
            return Err(KeyError::TooShort {
                bytes: secret.len(),
                shortest: SHORTEST_HS256_SECRET,
            });
        }
        Self::danger_hs256_short(secret)
    }

    /// An HS256 key of any length but zero. A short one can be guessed from a single token, without
    /// asking the server.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn danger_hs256_short(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        if let Some(found) = KeyMaterial::recognize(secret) {
            return Err(KeyError::OtherMaterial(found));
        }
        Ok(Self {
            secret: Secret::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret)),
        })
    }

    /// The one algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.secret.algorithm()
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey {
            secret: self.secret.clone(),
        }
    }

    /// The length in bytes of the signatures it makes.
    pub(crate) fn signature_length(&self) -> usize {
        match &self.secret {
            Secret::Hs256(key) => key.algorithm().tag_len(),
        }
    }

    pub(crate) fn signature(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        match &self.secret {
            Secret::Hs256(key) => hmac::sign(key, message),
        }
    }
}

impl VerifyingKey {
    /// The one algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.secret.algorithm()
    }

    /// The length in bytes of the longest signature that can be right.
    pub(crate) fn longest_signature(&self) -> usize {
        match &self.secret {
            Secret::Hs256(key) => key.algorithm().tag_len(),
        }
    }

    /// Compares in constant time. A signature of another length is a wrong one.
    pub(crate) fn check_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        match &self.secret {
            Secret::Hs256(key) => {
                hmac::verify(key, message, signature).map_err(|_| Refusal::Signature)
            }
        }
    }
}

impl Secret {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, [secret])", self.algorithm())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, [secret])", self.algorithm())
    }
}

#[cfg(test)]
mod tests;
