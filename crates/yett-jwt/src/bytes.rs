//! Bare signatures over any bytes, for whoever has a format of their own around them. Says nothing
//! of tokens: what a signature of this kind is *for* only the caller knows. A key that signs tokens
//! should sign nothing else that could be read as `header.payload`.

use crate::jwk::Signing;
use crate::{Algorithm, Jwk, KeyError, SignError, SigningKey, VerifyingKey};

impl SigningKey {
    /// The signature over `message`, as a JWS has it: ECDSA in fixed width (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// [`SignError::Failed`].
    pub fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self.signature(message) {
            Ok(signature) => Ok(signature.as_ref().to_vec()),
            Err(_) => Err(SignError::Failed),
        }
    }

    /// [`SigningKey::from_jwk`] that takes a shared secret of any length but zero, as
    /// [`SigningKey::danger_hmac_short`] does. Other keys are held to all their rules.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn danger_from_jwk_short(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        let Signing::Secret(secret) = jwk.for_signing(algorithm)? else {
            return Self::from_jwk(jwk, algorithm);
        };
        let key = Self::danger_hmac_short(algorithm, secret)?;
        Ok(match jwk.key_id() {
            Some(id) => key.with_key_id(id.clone()),
            None => key,
        })
    }
}

impl VerifyingKey {
    /// Whether `signature` is this key's over `message`. Shared secrets compare in constant time.
    #[must_use]
    pub fn verifies_bytes(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check_signature(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::key::pairs::key_for;
    use crate::{Algorithm, Jwk, JwkFault, KeyError, SigningKey};

    #[test]
    fn bare_signatures_are_those_of_tokens() {
        for algorithm in Algorithm::ALL.iter().copied() {
            let key = key_for(algorithm);
            let token = key.sign(b"{}").unwrap();
            let (signed, _) = token.rsplit_once('.').unwrap();
            let signature = key.sign_bytes(signed.as_bytes()).unwrap();
            let verifying = key.verifying_key();
            assert!(verifying.verifies_bytes(signed.as_bytes(), &signature));
            assert!(!verifying.verifies_bytes(b"other", &signature));
            assert!(!verifying.verifies_bytes(signed.as_bytes(), b""));
        }
    }

    #[test]
    fn short_secret_of_a_jwk_needs_the_dangerous_way() {
        let jwk = |members: &str| {
            let json = format!(r#"{{"kty":"oct","k":"c2VjcmV0","kid":"1"{members}}}"#);
            Jwk::from_json(json.as_bytes()).unwrap()
        };
        let short = SigningKey::from_jwk(&jwk(""), Algorithm::Hs256);
        assert!(matches!(short, Err(KeyError::TooShort { bytes: 6, .. })));
        let key = SigningKey::danger_from_jwk_short(&jwk(""), Algorithm::Hs256).unwrap();
        assert_eq!(key.key_id().unwrap().as_str(), "1");

        // Nothing else is waived.
        let other = SigningKey::danger_from_jwk_short(&jwk(r#","alg":"HS512""#), Algorithm::Hs256);
        assert!(matches!(other, Err(KeyError::OtherNamedAlgorithm { .. })));
        let verify = jwk(r#","key_ops":["verify"]"#);
        let other = SigningKey::danger_from_jwk_short(&verify, Algorithm::Hs256);
        assert_eq!(other.unwrap_err(), KeyError::Jwk(JwkFault::OtherOperations));
    }
}
