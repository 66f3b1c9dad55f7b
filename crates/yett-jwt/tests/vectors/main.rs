//! Published examples, through the public API alone: what the RFCs sign is verified, byte for byte,
//! and what they write in forms that we do not read is refused for the right reason. The `.json`
//! files beside hold the examples and name their source.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test throughout: a panic is its failure"
)]

mod rfc7515;
mod rfc7517;
mod rfc7519;
mod rfc7520;
mod rfc8037;
mod rfc9864;
mod rfc9964;

use serde_json::Value;
use yett_jwt::{
    Algorithm, HeaderType, Jwk, Rules, SigningKey, UnixSeconds, Verifier, VerifyingKey,
};

/// Before the `exp` of the examples, 1300819380.
const THEN: UnixSeconds = UnixSeconds::new(1_300_000_000);

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn algorithm(example: &Value) -> Algorithm {
    example["alg"].as_str().unwrap().parse().unwrap()
}

fn jwk(key: &Value) -> Jwk {
    Jwk::from_json(key.to_string().as_bytes()).unwrap()
}

fn verifier(key: &Value, algorithm: Algorithm) -> Verifier {
    let key = VerifyingKey::from_jwk(&jwk(key), algorithm).unwrap();
    Verifier::new(key, Rules::new().header_type(HeaderType::DangerAny))
}

fn signing(key: &Value, algorithm: Algorithm) -> SigningKey {
    SigningKey::from_jwk(&jwk(key), algorithm).unwrap()
}

/// Header and payload of a token, decoded, whatever it is worth.
fn peek(token: &str) -> (String, Vec<u8>) {
    let seen = yett_jwt::danger_peek_payload(token, 10_000).unwrap();
    let header = String::from_utf8(seen.header_json().to_vec()).unwrap();
    (header, seen.payload().to_vec())
}

/// Signs the same header and payload again, with an algorithm that makes the same signature each
/// time.
fn sign_again(key: &SigningKey, token: &str) -> String {
    let (header, payload) = peek(token);
    key.sign_payload(&header, &payload, 10_000).unwrap()
}

/// The token with one bit of its decoded signature changed.
fn with_wrong_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // The second character holds bits of the first two bytes alone.
    let (first, rest) = signature.split_at(1);
    let other = if first == "A" { "B" } else { "A" };
    format!("{signed}.{other}{rest}")
}
