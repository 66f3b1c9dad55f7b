//! RFC 7519 sections 3.1 and 6.1. Their tokens are those of RFC 7515 appendices A.1 and A.5.

use yett_jwt::{Refusal, RefusalKind, Rules, UnixSeconds, Verifier, VerifyingKey};

use super::{THEN, algorithm, jwk, read};

fn verifier_and_tokens() -> (Verifier, String, String) {
    let examples = read(include_str!("rfc7515.json"));
    let example = &examples["compact"][0];
    let key = VerifyingKey::from_jwk(&jwk(&example["key"]), algorithm(example)).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let verifier = Verifier::new(key, Rules::new().issuer("joe").require("exp"));
    (
        verifier,
        text(&example["token"]),
        text(&examples["unsecured"]),
    )
}

#[test]
fn claims_of_section_3_1_are_read() {
    let (verifier, token, _) = verifier_and_tokens();
    let verified = verifier.verify(&token, THEN).unwrap();
    let claims = verified.claims();
    assert_eq!(claims.issuer(), Some("joe"));
    assert_eq!(claims.expires_at(), Some(UnixSeconds::new(1_300_819_380)));
    let is_root = claims.claim("http://example.com/is_root").unwrap();
    assert_eq!(is_root.as_bool(), Some(true));
}

#[test]
fn token_of_section_3_1_expires_in_its_second() {
    let (verifier, token, _) = verifier_and_tokens();
    assert!(
        verifier
            .verify(&token, UnixSeconds::new(1_300_819_379))
            .is_ok()
    );
    let refusal = verifier
        .verify(&token, UnixSeconds::new(1_300_819_380))
        .unwrap_err();
    assert_eq!(refusal.kind(), RefusalKind::Expired);
}

#[test]
fn unsecured_token_of_section_6_1_is_refused() {
    let (verifier, _, unsecured) = verifier_and_tokens();
    assert!(unsecured.starts_with("eyJhbGciOiJub25lIn0.") && unsecured.ends_with('.'));
    assert_eq!(
        verifier.verify(&unsecured, THEN).unwrap_err(),
        Refusal::AlgorithmNone
    );
}
