//! RFC 7515 appendix A: the compact examples are verified, all others refused.

use serde_json::Value;
use yett_jwt::{Refusal, Rules, Verifier, VerifyingKey};

use super::{
    THEN, algorithm, jwk, peek, read, sign_again, signing, verifier, with_wrong_signature,
};

fn examples() -> Value {
    read(include_str!("rfc7515.json"))
}

#[test]
fn tokens_of_appendices_a1_to_a3_are_verified() {
    let examples = examples();
    for example in &examples["compact"].as_array().unwrap()[..3] {
        let token = example["token"].as_str().unwrap();
        let key = VerifyingKey::from_jwk(&jwk(&example["key"]), algorithm(example)).unwrap();
        let verified = Verifier::new(key, Rules::new())
            .verify(token, THEN)
            .unwrap();
        assert_eq!(verified.claims().issuer(), Some("joe"));
        assert_eq!(verified.payload_json(), peek(token).1);
        assert_eq!(
            verified.payload_json(),
            b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
        );
    }
}

#[test]
fn payload_of_appendix_a4_is_verified_although_it_is_no_json() {
    let examples = examples();
    let example = &examples["compact"][3];
    let verifier = verifier(&example["key"], algorithm(example));
    let token = example["token"].as_str().unwrap();
    assert_eq!(
        verifier.verify_payload(token).unwrap().payload(),
        b"Payload"
    );
    // As a JSON Web Token it is none.
    assert!(matches!(
        verifier.verify(token, THEN),
        Err(Refusal::Json { .. })
    ));
}

#[test]
fn other_signatures_of_appendices_a1_to_a4_are_refused() {
    for example in examples()["compact"].as_array().unwrap() {
        let verifier = verifier(&example["key"], algorithm(example));
        let token = with_wrong_signature(example["token"].as_str().unwrap());
        assert_eq!(
            verifier.verify_payload(&token).unwrap_err(),
            Refusal::Signature
        );
    }
}

#[test]
fn signatures_of_appendices_a1_and_a2_are_made_again() {
    for example in &examples()["compact"].as_array().unwrap()[..2] {
        let token = example["token"].as_str().unwrap();
        let key = signing(&example["key"], algorithm(example));
        assert_eq!(sign_again(&key, token), token);
    }
}

#[test]
fn private_keys_of_appendices_a3_and_a4_sign_what_they_verify() {
    for example in &examples()["compact"].as_array().unwrap()[2..] {
        let token = example["token"].as_str().unwrap();
        let key = signing(&example["key"], algorithm(example));
        let again = sign_again(&key, token);
        assert_ne!(again, token, "ECDSA signatures are random");
        assert!(
            verifier(&example["key"], algorithm(example))
                .verify_payload(&again)
                .is_ok()
        );
    }
}

#[test]
fn unsecured_token_of_appendix_a5_is_refused_under_every_key() {
    let examples = examples();
    let token = examples["unsecured"].as_str().unwrap();
    for example in examples["compact"].as_array().unwrap() {
        let verifier = verifier(&example["key"], algorithm(example));
        assert_eq!(
            verifier.verify(token, THEN).unwrap_err(),
            Refusal::AlgorithmNone
        );
        assert_eq!(
            verifier.verify_payload(token).unwrap_err(),
            Refusal::AlgorithmNone
        );
    }
}

#[test]
fn json_forms_of_appendices_a6_and_a7_are_refused() {
    let examples = examples();
    let verifier = verifier(
        &examples["compact"][2]["key"],
        algorithm(&examples["compact"][2]),
    );
    for example in examples["json"].as_array().unwrap() {
        let text = example["text"].as_str().unwrap();
        // Where the text happens to have two dots, its parts are no base64url.
        assert!(matches!(
            verifier.verify_payload(text),
            Err(Refusal::Parts | Refusal::Encoding(_))
        ));
    }
}
