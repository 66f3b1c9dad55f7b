//! Minting: claims in, token out. Never adds, drops or reorders a claim; the bytes that come in are
//! the bytes that are signed.

use base64::Engine as _;

use crate::compact::{BASE64URL, DEFAULT_LONGEST_TOKEN};
use crate::{JsonFault, SigningKey, json};

/// Why claims were not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
    Json(#[source] JsonFault),
}

impl SigningKey {
    /// Signs claims, given as the text of a JSON object in UTF-8, into a token of at most
    /// [`DEFAULT_LONGEST_TOKEN`] bytes.
    ///
    /// The header is exactly `{"alg":"HS256","typ":"JWT"}`, as simplejwt writes it. The object is
    /// read as strictly as on verifying, so that nothing is signed that would then be refused as
    /// JSON; types of claims are the caller's matter.
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
        let header = self.algorithm().encoded_header();
        // First of all the length: it costs nothing, and reading the claims is proportional to it.
        let length = token_length(header.len(), claims_json.len(), self.signature_length())
            .filter(|length| *length <= longest)
            .ok_or(SignError::TooLong { longest })?;
        let text = str::from_utf8(claims_json).map_err(|_| SignError::Json(JsonFault::NotUtf8))?;
        json::check_object(text).map_err(SignError::Json)?;

        let mut token = String::with_capacity(length);
        token.push_str(header);
        token.push('.');
        BASE64URL.encode_string(claims_json, &mut token);
        let signature = self.signature(token.as_bytes());
        token.push('.');
        BASE64URL.encode_string(signature, &mut token);
        Ok(token)
    }
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
