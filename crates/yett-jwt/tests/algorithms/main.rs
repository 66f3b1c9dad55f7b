//! Properties that must hold for every algorithm alike, through the public API alone.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test throughout: a panic is its failure"
)]

mod cache;
mod confusion;
mod ecdsa;
mod round_trip;
mod spelling;
mod typed;

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;
use yett_jwt::{Algorithm, KeyType, Rules, SigningKey, UnixSeconds, Verifier};

/// 2023-11-14T22:13:20Z.
const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

/// Two keys of each algorithm. The RSA algorithms share their pairs, HMAC ones the longer secrets,
/// so that what refuses one under another is never the material alone.
struct Keys {
    first: HashMap<Algorithm, SigningKey>,
    second: HashMap<Algorithm, SigningKey>,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    first: make_keys(1),
    second: make_keys(2),
});

/// 64 bytes, enough for HS512.
fn secret(nth: u8) -> [u8; 64] {
    [b'a' + nth; 64]
}

fn make_keys(nth: u8) -> HashMap<Algorithm, SigningKey> {
    let rsa = SigningKey::generate(Algorithm::Rs256).unwrap();
    let rsa = rsa.danger_to_pem().unwrap();
    let ed25519 = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let ed25519 = ed25519.danger_to_pem().unwrap();
    let make = |algorithm: Algorithm| match algorithm.key_type() {
        KeyType::Oct => SigningKey::hmac(algorithm, &secret(nth)),
        KeyType::Rsa => SigningKey::from_pem(algorithm, rsa.as_bytes()),
        KeyType::Okp => SigningKey::from_pem(algorithm, ed25519.as_bytes()),
        _ => SigningKey::generate(algorithm),
    };
    Algorithm::ALL
        .iter()
        .map(|algorithm| (*algorithm, make(*algorithm).unwrap()))
        .collect()
}

fn key(algorithm: Algorithm) -> &'static SigningKey {
    &KEYS.first[&algorithm]
}

fn other_key(algorithm: Algorithm) -> &'static SigningKey {
    &KEYS.second[&algorithm]
}

fn verifier(key: &SigningKey) -> Verifier {
    Verifier::new(key.verifying_key(), Rules::new())
}

fn algorithms() -> impl Iterator<Item = Algorithm> + Clone {
    Algorithm::ALL.iter().copied()
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(Algorithm::ALL)
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// A token in front of its last dot, and its decoded signature.
fn take_apart(token: &str) -> (&str, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed, decode(signature))
}

/// JSON values up to three levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\\\\"\u{1}\n/é😀a]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Claims without registered names, so that any value is acceptable.
fn claims() -> impl Strategy<Value = Value> {
    btree_map("x_\\PC{0,8}", json(), 0..20).prop_map(|map| map.into_iter().collect())
}
