//! Minting: claims in, token out. Never adds, drops or reorders a claim; the bytes that come in are
//! the bytes that are signed.

mod write;

use base64::Engine as _;
use serde::Serialize;
use serde_json::Value;

use crate::compact::{BASE64URL, DEFAULT_LONGEST_TOKEN};
use crate::header::Header;
use crate::{Algorithm, JsonFault, KeyId, Refusal, SigningKey, json};

/// Why claims were not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The token would be longer than the bound, and so than a verifier takes.
    #[error("the token would be longer than {longest} bytes")]
    TooLong {
        /// The bound in bytes.
        longest: usize,
    },
    /// The claims are not a JSON object that a verifier would accept.
    #[error("the claims are refused")]
    Claims(#[source] JsonFault),
    /// The header is not one that a verifier with this key would accept.
    #[error("the header is refused")]
    Header(#[source] Refusal),
    /// The crypto library could not sign: no memory, or no randomness. Not the caller's fault.
    #[error("the crypto library could not sign")]
    Failed,
}

impl SigningKey {
    /// Signs claims, given as the text of a JSON object in UTF-8, into a token of at most
    /// [`DEFAULT_LONGEST_TOKEN`] bytes.
    ///
    /// The header is exactly `{"alg":"HS256","typ":"JWT"}` with the key's algorithm, as simplejwt
    /// writes it, and has a `kid` between the two if the key has an id. The object is read as
    /// strictly as on verifying, so that nothing is signed that would then be refused as JSON; types
    /// of claims are the caller's matter.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(&self, claims_json: &[u8]) -> Result<String, SignError> {
        self.sign_within(claims_json, DEFAULT_LONGEST_TOKEN)
    }

    /// [`SigningKey::sign`] with another bound: for verifiers whose rules set one.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign_within(&self, claims_json: &[u8], longest: usize) -> Result<String, SignError> {
        // First of all the length: it costs nothing, and reading the claims is proportional to it.
        let length = self.token_length(self.encoded_header(), claims_json, longest)?;
        check_object(claims_json).map_err(SignError::Claims)?;
        self.seal(self.encoded_header(), claims_json, length)
    }

    /// Signs claims of a type of yours, as [`SigningKey::sign`]: also what a type with `flatten` or an
    /// implementation by hand writes is refused if a name is in it twice.
    ///
    /// # Errors
    /// See [`SignError`]; [`JsonFault::Syntax`] also where serde_json cannot write the type.
    pub fn sign_claims<T: Serialize>(&self, claims: &T) -> Result<String, SignError> {
        let claims = write::claims(claims)?;
        let length = self.token_length(self.encoded_header(), &claims, DEFAULT_LONGEST_TOKEN)?;
        self.seal(self.encoded_header(), &claims, length)
    }

    /// Signs any bytes under a header of the caller's: a JWS (RFC 7515) of at most `longest` bytes.
    ///
    /// `header_json` is signed as it is. It must be a JSON object as strict as on verifying, with
    /// the name of the key's algorithm as `alg`, and without `crit` and `b64`, which our verifiers
    /// refuse. Nothing is added, a `kid` neither.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign_payload(
        &self,
        header_json: &str,
        payload: &[u8],
        longest: usize,
    ) -> Result<String, SignError> {
        if header_json.len() > longest {
            return Err(SignError::TooLong { longest });
        }
        let encoded = BASE64URL.encode(header_json);
        let header = Header::parse(&encoded).map_err(SignError::Header)?;
        if !self.algorithm().admits(header.algorithm) {
            return Err(SignError::Header(Refusal::AlgorithmMismatch {
                key: self.algorithm(),
            }));
        }
        let length = self.token_length(&encoded, payload, longest)?;
        self.seal(&encoded, payload, length)
    }

    /// Bytes of the whole token, if they are within the bound.
    fn token_length(
        &self,
        header: &str,
        payload: &[u8],
        longest: usize,
    ) -> Result<usize, SignError> {
        token_length(header.len(), payload.len(), self.signature_length())
            .filter(|length| *length <= longest)
            .ok_or(SignError::TooLong { longest })
    }

    fn seal(&self, header: &str, payload: &[u8], length: usize) -> Result<String, SignError> {
        let mut token = String::with_capacity(length);
        token.push_str(header);
        token.push('.');
        BASE64URL.encode_string(payload, &mut token);
        let signature = self
            .signature(token.as_bytes())
            .map_err(|_| SignError::Failed)?;
        token.push('.');
        BASE64URL.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// The header of a key's tokens, encoded.
pub(crate) fn encoded_header(algorithm: Algorithm, id: Option<&KeyId>) -> String {
    let id = id.map_or(String::new(), |id| {
        format!(r#""kid":{},"#, Value::from(id.as_str()))
    });
    BASE64URL.encode(format!(r#"{{"alg":"{algorithm}",{id}"typ":"JWT"}}"#))
}

fn check_object(json: &[u8]) -> Result<(), JsonFault> {
    json::check_object(str::from_utf8(json).map_err(|_| JsonFault::NotUtf8)?)
}

/// Bytes of the whole token, two dots included; none if no `usize` tells them.
fn token_length(header: usize, claims: usize, signature: usize) -> Option<usize> {
    base64::encoded_len(claims, false)?
        .checked_add(base64::encoded_len(signature, false)?)?
        .checked_add(header)?
        .checked_add(2)
}

#[cfg(test)]
mod tests;
