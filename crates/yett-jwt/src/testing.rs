//! Tokens for the tests, among them such as no honest issuer makes: any header, payload or encoding
//! under a right signature, so that a refusal comes from the rule that is being tested and not from
//! the signature.

use base64::Engine as _;

use crate::compact::BASE64URL;
use crate::{Claims, Refusal, Rules, SigningKey, UnixSeconds, Verifier};

pub(crate) const SECRET: &[u8] = b"a secret of the tests, long enough for HS256";
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

pub(crate) fn key() -> SigningKey {
    SigningKey::hs256(SECRET).unwrap()
}

pub(crate) fn verifier(rules: Rules) -> Verifier {
    Verifier::new(key().verifying_key(), rules)
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(bytes)
}

/// Appends the right signature to any text.
pub(crate) fn seal(signed: &str) -> String {
    let signature = key().signature(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(signature))
}

/// A well-signed token with this header and payload, whatever they are.
pub(crate) fn token(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    seal(&format!("{}.{}", encode(header), encode(payload)))
}

/// What becomes of a well-signed token with this header.
pub(crate) fn try_header(header: &str) -> Result<(), Refusal> {
    verifier(Rules::new())
        .verify(&token(header, "{}"), NOW)
        .map(|_| ())
}

/// What becomes of a well-signed token with these claims under these rules.
pub(crate) fn try_claims(payload: &str, rules: Rules) -> Result<Claims, Refusal> {
    let verified = verifier(rules).verify(&token(HEADER, payload), NOW)?;
    Ok(verified.claims().clone())
}

/// As [`try_claims`], for the refusal alone.
pub(crate) fn refusal(payload: &str, rules: Rules) -> Refusal {
    try_claims(payload, rules).expect_err(payload)
}

/// A DER element of some parts, for structures that no library writes.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match content.len() {
        short @ 0..0x80 => element.push(u8::try_from(short).unwrap()),
        long => {
            let digits: Vec<_> = long
                .to_be_bytes()
                .into_iter()
                .skip_while(|d| *d == 0)
                .collect();
            element.push(0x80 | u8::try_from(digits.len()).unwrap());
            element.extend(digits);
        }
    }
    element.extend(content);
    element
}
