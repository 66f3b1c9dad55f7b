//! What must hold for any bytes whatever. The fuzz targets call these functions with what libFuzzer
//! finds; a test of yett-jwt calls them with seeds and random changes of them, on any compiler.
//!
//! Panics are the findings.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use yett_jwt::{
    Algorithm, DEEPEST_JSON, HeaderType, Json, JsonFault, Jwk, KeySet, Part, Refusal, Rules,
    SigningKey, UnixSeconds, Verifier, VerifyingKey, danger_peek, danger_peek_payload,
};

use crate::reference::Found;

const SECRET: &[u8] = b"a secret of the fuzz targets, long enough";
/// 2023-11-14T22:13:20Z.
const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let key = VerifyingKey::hmac(Algorithm::Hs256, SECRET).expect("a good secret");
    Verifier::new(
        key,
        Rules::new()
            .danger_any_audience()
            .header_type(HeaderType::DangerAny),
    )
});

/// Once as a token, once as header and payload (with a line feed between) under a right signature:
/// nothing that another reader of JSON refuses is accepted, nothing that it accepts is refused for
/// its syntax, names or depth, and the claims that are read are the same.
pub fn token(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(VERIFIER.verify(text, NOW).is_err(), "a forgery");
        let _ = danger_peek(text, 10_000);
        let _ = danger_peek_payload(text, 10_000);
    }
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (header, payload) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let header = if header.is_empty() {
        br#"{"alg":"HS256"}"#
    } else {
        header
    };
    let token = seal(header, payload);
    let json: Result<Map<String, Value>, _> = serde_json::from_slice(payload);
    let found = Found::read(payload);
    let deepest = found.as_ref().map(|found| found.deepest.get());
    match VERIFIER.verify(&token, NOW) {
        Ok(verified) => {
            assert_eq!(verified.payload_json(), payload);
            let json = json.expect("JSON");
            let found = found.expect("JSON");
            assert!(!found.twins.get() && found.deepest.get() <= DEEPEST_JSON);
            let claims = verified.claims();
            assert_eq!(claims.iter().len(), json.len());
            for (name, value) in &json {
                assert_eq!(
                    claims.claim(name).map(|found| found.to_value()).as_ref(),
                    Some(value)
                );
            }
            let typed: Map<String, Value> = claims.deserialize().expect("a map takes any claims");
            assert_eq!(typed, json);
            claims.iter().for_each(|(_, value)| walk(&value));
        }
        Err(Refusal::Json {
            part: Part::Payload,
            fault,
        }) => match fault {
            JsonFault::NotUtf8 => assert!(str::from_utf8(payload).is_err()),
            JsonFault::Syntax => assert!(found.is_none()),
            // Whoever stops early may not see that the rest is no JSON.
            JsonFault::TooDeep => assert!(deepest.is_none_or(|levels| levels > DEEPEST_JSON)),
            JsonFault::DuplicateName => assert!(found.is_none_or(|found| found.twins.get())),
            JsonFault::NotObject => assert!(found.is_some_and(|found| !found.is_object.get())),
            _ => panic!("{fault}"),
        },
        Err(_) => {}
    }
}

/// Touches every value of a tree.
fn walk(value: &Json<'_>) {
    match value {
        Json::Array(items) => items.clone().for_each(|item| walk(&item)),
        Json::Object(members) => members.clone().for_each(|(_, member)| walk(&member)),
        Json::Number(number) => assert!(number.as_f64().is_finite()),
        _ => {}
    }
}

fn seal(header: &[u8], payload: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header), encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", encode(signature.as_ref()))
}

/// A JWK that is taken can be written, read again and is then the same; a private one signs what
/// its public part verifies.
pub fn jwk(data: &[u8]) {
    let Ok(jwk) = Jwk::from_json(data) else {
        return;
    };
    for algorithm in Algorithm::ALL.iter().copied() {
        if let Ok(key) = VerifyingKey::from_jwk(&jwk, algorithm)
            && let Some(public) = key.to_jwk()
        {
            let again = Jwk::from_json(public.to_json().as_bytes()).expect("our own JWK");
            assert!(!again.is_private());
            assert_eq!(again.thumbprint().ok(), key.thumbprint());
        }
        if let Ok(key) = SigningKey::from_jwk(&jwk, algorithm)
            && let Ok(token) = key.sign(br#"{"sub":"1"}"#)
        {
            let verifier = Verifier::new(key.verifying_key(), Rules::new());
            verifier.verify(&token, NOW).expect("our own token");
        }
    }
}

/// A set that is taken has keys, and all of them survive being written and read again.
pub fn jwk_set(data: &[u8]) {
    let Ok(set) = KeySet::from_json(data, Algorithm::ALL) else {
        return;
    };
    assert!(!set.is_empty());
    if set.keys().all(|key| !key.algorithm().is_symmetric()) {
        let again = KeySet::from_json(set.to_json().as_bytes(), Algorithm::ALL).expect("our own");
        assert_eq!(again.len(), set.len());
    }
    let verifier = Verifier::new(set, Rules::new());
    assert!(
        verifier
            .verify("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", NOW)
            .is_err()
    );
}

/// PEM and DER of both kinds of key: what is taken can be written, read again and is the same.
pub fn pem(data: &[u8]) {
    for algorithm in Algorithm::ALL.iter().copied() {
        for key in [
            VerifyingKey::from_pem(algorithm, data),
            VerifyingKey::from_der(algorithm, data),
        ] {
            if let Ok(key) = key
                && let Some(text) = key.to_pem()
            {
                let again =
                    VerifyingKey::from_pem(algorithm, text.as_bytes()).expect("our own PEM");
                assert_eq!(again.thumbprint(), key.thumbprint());
            }
        }
        for key in [
            SigningKey::from_pem(algorithm, data),
            SigningKey::from_der(algorithm, data),
        ] {
            if let Ok(key) = key
                && let Ok(text) = key.danger_to_pem()
            {
                let again = SigningKey::from_pem(algorithm, text.as_bytes()).expect("our own PEM");
                assert_eq!(
                    again.verifying_key().thumbprint(),
                    key.verifying_key().thumbprint()
                );
            }
        }
    }
}
