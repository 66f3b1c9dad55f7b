//! Reading without proof, for Python's `decode(verify=False)` and for people who ask what is in a
//! token. Never for a decision: the result is a type that nothing in Yett takes as an identity.

use base64::Engine as _;

use crate::compact::{BASE64URL, Compact, decode_object};
use crate::{Part, Refusal};

/// The contents of a token that **nobody vouches for**.
#[derive(Clone)]
pub struct Unproven {
    header: String,
    payload: String,
}

impl Unproven {
    /// The header's text: a JSON object.
    #[must_use]
    pub const fn header_json(&self) -> &[u8] {
        self.header.as_bytes()
    }

    /// The payload's text: a JSON object, with claims of any type and any value.
    #[must_use]
    pub const fn payload_json(&self) -> &[u8] {
        self.payload.as_bytes()
    }
}

/// Takes a token of at most `longest` bytes apart **without verifying anything**: not the
/// signature, the algorithm, the times, the audience. Form and JSON are as strict as for
/// [`Verifier::verify`](crate::Verifier::verify).
///
/// # Errors
/// [`Refusal`]s of the kind [`Malformed`](crate::RefusalKind::Malformed).
pub fn danger_peek(token: &str, longest: usize) -> Result<Unproven, Refusal> {
    let compact = Compact::split(token, longest)?;
    let (header, _) = decode_object(Part::Header, compact.header)?;
    let (payload, _) = decode_object(Part::Payload, compact.payload)?;
    BASE64URL
        .decode(compact.signature)
        .map_err(|_| Refusal::Encoding(Part::Signature))?;
    Ok(Unproven { header, payload })
}
