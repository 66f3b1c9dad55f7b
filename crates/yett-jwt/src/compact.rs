//! The compact form of a JWS (RFC 7515 section 7.1): three base64url parts with dots between them.
//! Never lenient about the encoding, so that a token has exactly one spelling: whoever compares,
//! caches or revokes tokens by their text can rely on it.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use serde_json::{Map, Value};

use crate::{JsonFault, Refusal, json};

/// How long a token may be in bytes unless the rules say otherwise. Longer ones are refused before
/// anything else is done.
pub const DEFAULT_LONGEST_TOKEN: usize = 8 * 1024;

/// base64url as RFC 7515 section 2 defines it. The library's plain scalar engine: a token is a few
/// hundred bytes, for which vector instructions gain less than they would add to what must be
/// trusted.
pub(crate) static BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first: how it is signed.
    Header,
    /// The second: the claims.
    Payload,
    /// The third.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// A token taken apart, still encoded. That it was taken apart proves nothing about it.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'t> {
    pub(crate) header: &'t str,
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
    /// What the signature covers: header, dot, payload, as they came.
    pub(crate) signed: &'t str,
}

impl<'t> Compact<'t> {
    /// Checks the length first, then looks for the dots: at most three passes, however many dots
    /// there are.
    pub(crate) fn split(token: &'t str, longest: usize) -> Result<Self, Refusal> {
        if token.len() > longest {
            return Err(Refusal::TooLong {
                bytes: token.len(),
                longest,
            });
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Parts)?;
        if payload.contains('.') {
            return Err(Refusal::Parts);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }
}

/// Decodes the header or the payload and reads it: its text, which must be UTF-8, and its members.
pub(crate) fn decode_object(
    part: Part,
    encoded: &str,
) -> Result<(String, Map<String, Value>), Refusal> {
    let bytes = BASE64URL
        .decode(encoded)
        .map_err(|_| Refusal::Encoding(part))?;
    let text = String::from_utf8(bytes).map_err(|_| Refusal::Json {
        part,
        fault: JsonFault::NotUtf8,
    })?;
    let members = json::read_object(&text).map_err(|fault| Refusal::Json { part, fault })?;
    Ok((text, members))
}

/// Room for any signature, in bytes: one of an RSA key of 8192 bits, or an ML-DSA-87 one.
pub(crate) const LONGEST_SIGNATURE: usize = if cfg!(feature = "ml-dsa") { 4627 } else { 1024 };

/// Decodes the signature into `room`, without allocating. One that is longer than any signature is
/// a wrong signature.
pub(crate) fn decode_signature<'r>(
    encoded: &str,
    room: &'r mut [u8; LONGEST_SIGNATURE],
) -> Result<&'r [u8], Refusal> {
    use base64::DecodeSliceError::{DecodeError, OutputSliceTooSmall};
    let length = BASE64URL
        .decode_slice(encoded, room)
        .map_err(|error| match error {
            DecodeError(_) => Refusal::Encoding(Part::Signature),
            OutputSliceTooSmall => Refusal::Signature,
        })?;
    room.get(..length).ok_or(Refusal::Signature)
}

#[cfg(test)]
mod tests;
