//! Reading without proof, for Python's `decode(verify=False)` and for people who ask what is in a
//! token. Never for a decision: the result is a type that nothing in Yett takes as an identity.

use crate::compact::{Compact, decode, decode_object};
use crate::header::Header;
use crate::{Algorithm, KeyId, Part, Refusal};

/// The contents of a token that **nobody vouches for**.
#[derive(Clone)]
pub struct Unproven {
    header: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Unproven {
    /// The header's text: a JSON object.
    #[must_use]
    pub const fn header_json(&self) -> &[u8] {
        self.header.as_bytes()
    }

    /// The payload: the text of a JSON object, with claims of any type and any value, or, from
    /// [`danger_peek_payload`], any bytes.
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        self.payload.as_slice()
    }

    /// The signature, which nobody has checked.
    #[must_use]
    pub const fn signature(&self) -> &[u8] {
        self.signature.as_slice()
    }
}

/// The algorithm that a token of at most `longest` bytes **asks for**: to find the one key that its
/// owner made for it, never to choose how to verify. The header is read as strictly as on
/// verifying.
///
/// # Errors
/// [`Refusal`]s of the kinds [`Malformed`](crate::RefusalKind::Malformed) and
/// [`Algorithm`](crate::RefusalKind::Algorithm).
pub fn danger_peek_algorithm(token: &str, longest: usize) -> Result<Algorithm, Refusal> {
    Ok(Header::parse(Compact::split(token, longest)?.header)?.algorithm)
}

/// Takes a token of at most `longest` bytes apart **without verifying anything**: not the
/// signature, the algorithm, the times, the audience. Form and JSON are as strict as for
/// [`Verifier::verify`](crate::Verifier::verify).
///
/// # Errors
/// [`Refusal`]s of the kind [`Malformed`](crate::RefusalKind::Malformed).
pub fn danger_peek(token: &str, longest: usize) -> Result<Unproven, Refusal> {
    let compact = Compact::split(token, longest)?;
    let header = decode_object(Part::Header, compact.header)?;
    let payload = decode_object(Part::Payload, compact.payload)?;
    Ok(Unproven {
        header: header.into_text(),
        payload: payload.into_text().into_bytes(),
        signature: decode(Part::Signature, compact.signature)?,
    })
}

/// [`danger_peek`] for a JWS with any payload: it need not be JSON.
///
/// # Errors
/// The same.
pub fn danger_peek_payload(token: &str, longest: usize) -> Result<Unproven, Refusal> {
    let compact = Compact::split(token, longest)?;
    let header = decode_object(Part::Header, compact.header)?;
    let payload = decode(Part::Payload, compact.payload)?;
    Ok(Unproven {
        header: header.into_text(),
        payload,
        signature: decode(Part::Signature, compact.signature)?,
    })
}

/// The key id that a token of at most `longest` bytes **names**: to ask an issuer whether it has
/// published such a key, never to choose how to verify. The header is read as strictly as on
/// verifying.
///
/// # Errors
/// [`Refusal`]s of the kinds [`Malformed`](crate::RefusalKind::Malformed) and
/// [`Algorithm`](crate::RefusalKind::Algorithm).
pub fn danger_peek_key_id(token: &str, longest: usize) -> Result<Option<KeyId>, Refusal> {
    let compact = Compact::split(token, longest)?;
    Header::parse(compact.header).map(|header| header.key_id)
}

#[cfg(test)]
mod tests {
    use super::{danger_peek_algorithm, danger_peek_payload};
    use crate::testing::{encode, token};
    use crate::{Algorithm, Refusal};

    #[test]
    fn algorithm_is_read_as_strictly_as_on_verifying() {
        let asked = |header: &str| danger_peek_algorithm(&token(header, "any"), 1000);
        assert_eq!(asked(r#"{"alg":"ES256","typ":"x"}"#), Ok(Algorithm::Es256));
        for (header, refusal) in [
            (r#"{"alg":"none"}"#, Refusal::AlgorithmNone),
            (r#"{"alg":"hs256"}"#, Refusal::AlgorithmUnknown),
            ("{}", Refusal::AlgorithmMissing),
            (r#"{"alg":"HS256","crit":["exp"]}"#, Refusal::Critical),
            (r#"{"alg":"HS256","b64":true}"#, Refusal::Unencoded),
        ] {
            assert_eq!(asked(header), Err(refusal), "{header}");
        }
        let longest = danger_peek_algorithm("aaaa", 3);
        assert!(matches!(longest, Err(Refusal::TooLong { .. })));
    }

    #[test]
    fn parts_come_as_they_are() {
        let text = format!(
            "{}.{}.{}",
            encode("{}"),
            encode(b"\xFF"),
            encode(b"\x00\x01")
        );
        let unproven = danger_peek_payload(&text, 1000).unwrap();
        assert_eq!(unproven.header_json(), b"{}");
        assert_eq!(unproven.payload(), b"\xFF");
        assert_eq!(unproven.signature(), b"\x00\x01");
    }
}
