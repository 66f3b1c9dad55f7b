//! Bare signatures over any bytes, for whoever has a format of their own around them. Says nothing
//! of tokens: what a signature of this kind is *for* only the caller knows. A key that signs tokens
//! should sign nothing else that could be read as `header.payload`.

use crate::{SignError, SigningKey, VerifyingKey};

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
    use crate::Algorithm;
    use crate::key::pairs::key_for;

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
}
