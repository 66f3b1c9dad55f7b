//! Shared secrets. The bytes go straight into the crypto library's own context, which wipes them
//! when it is freed; no copy is kept.

use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use super::{KeyError, KeyMaterial};
use crate::Algorithm;

/// An HS256 secret has at least this many bytes (RFC 7518 section 3.2: as many as the hash). HS384
/// takes 48, HS512 64.
pub const SHORTEST_HS256_SECRET: usize = 32;

fn hash(algorithm: Algorithm) -> Result<hmac::Algorithm, KeyError> {
    match algorithm {
        Algorithm::Hs256 => Ok(hmac::HMAC_SHA256),
        Algorithm::Hs384 => Ok(hmac::HMAC_SHA384),
        Algorithm::Hs512 => Ok(hmac::HMAC_SHA512),
        _ => Err(KeyError::NotForSecrets(algorithm)),
    }
}

/// A secret at least as long as the hash.
pub(super) fn strong(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, KeyError> {
    let shortest = hash(algorithm)?.tag_len();
    if !secret.is_empty() && secret.len() < shortest {
        return Err(KeyError::TooShort {
            bytes: secret.len(),
            shortest,
        });
    }
    any_length(algorithm, secret)
}

/// A secret of any length but zero, that is no key or certificate of another kind.
pub(super) fn any_length(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, KeyError> {
    let hash = hash(algorithm)?;
    if secret.is_empty() {
        return Err(KeyError::Empty);
    }
    if let Some(found) = KeyMaterial::recognize(secret) {
        return Err(KeyError::OtherMaterial(found));
    }
    Ok(hmac::Key::new(hash, secret))
}

/// A random secret as long as the hash.
pub(super) fn random(algorithm: Algorithm) -> Result<hmac::Key, KeyError> {
    let hash = hash(algorithm)?;
    let mut secret = Zeroizing::new(vec![0; hash.tag_len()]);
    rand::fill(&mut secret).map_err(|_| KeyError::Failed)?;
    Ok(hmac::Key::new(hash, &secret))
}
