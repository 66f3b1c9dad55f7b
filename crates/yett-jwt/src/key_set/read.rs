//! Reads a JWK set (RFC 7517 section 5). Each member becomes a key of exactly one algorithm, which
//! must be among those that the operator allowed; the set's own word never widens that.

use super::{KeySet, KeySetError, LONGEST_KEY_SET, SkipReason, SkippedKey, check_count};
use crate::jwk::{self, Members};
use crate::key::KeyError;
use crate::{Algorithm, Jwk, VerifyingKey};

impl KeySet {
    /// Reads a JWK set. A member is used if it is a key of an allowed algorithm: the one that it
    /// names; if it names none, the one that its type and curve determine, or, for RSA keys and
    /// shared secrets, the only allowed one of their type. Other members are left out, and
    /// [`KeySet::skipped`] says why. Private members are read as their public halves.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn from_json(json: &[u8], allowed: &[Algorithm]) -> Result<Self, KeySetError> {
        if json.len() > LONGEST_KEY_SET {
            return Err(KeySetError::TooLong {
                bytes: json.len(),
                longest: LONGEST_KEY_SET,
            });
        }
        let members = jwk::read_object(json)
            .map_err(KeySetError::Json)?
            .take_list("keys")
            .ok_or(KeySetError::NoKeys)?;
        check_count(members.len())?;
        let mut keys = Vec::with_capacity(members.len());
        let mut skipped = Vec::new();
        for (index, member) in members.iter().enumerate() {
            match read_key(member, allowed) {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(SkippedKey {
                    index,
                    key_id: member.key_id().unwrap_or_default(),
                    reason,
                }),
            }
        }
        Self::from_parts(keys, skipped)
    }
}

fn read_key(member: &Members, allowed: &[Algorithm]) -> Result<VerifyingKey, SkipReason> {
    let jwk =
        Jwk::from_members(member).map_err(|fault| SkipReason::Refused(KeyError::Jwk(fault)))?;
    let algorithm = choose(&jwk, allowed)?;
    VerifyingKey::from_jwk(&jwk, algorithm).map_err(SkipReason::Refused)
}

/// The one allowed algorithm that the key is for. The two names of Ed25519 are one; if both are
/// allowed, the key's own word for itself is kept.
fn choose(jwk: &Jwk, allowed: &[Algorithm]) -> Result<Algorithm, SkipReason> {
    if let Some(named) = jwk.algorithm()
        && allowed.contains(&named)
    {
        return Ok(named);
    }
    let mut fitting = allowed.iter().copied().filter(|candidate| {
        jwk.shape().suits(*candidate)
            && jwk.algorithm().is_none_or(|named| named.admits(*candidate))
    });
    let first = fitting.next().ok_or(SkipReason::NotAllowed)?;
    if fitting.all(|other| first.admits(other)) {
        Ok(first)
    } else {
        Err(SkipReason::Ambiguous)
    }
}
