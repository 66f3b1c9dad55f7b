//! RFC 7520 section 4: signatures of the cookbook.

use serde_json::Value;
use yett_jwt::{Refusal, SigningKey};

use super::{algorithm, jwk, peek, read, sign_again, signing, verifier, with_wrong_signature};

fn examples() -> Value {
    read(include_str!("rfc7520.json"))
}

#[test]
fn payloads_of_sections_4_1_to_4_4_are_verified() {
    let examples = examples();
    for example in examples["compact"].as_array().unwrap() {
        let token = example["token"].as_str().unwrap();
        // The private keys give their public halves; of an HMAC key there is no other.
        for key in [&example["public"], &example["private"]] {
            if key.is_null() {
                continue;
            }
            let verifier = verifier(key, algorithm(example));
            let verified = verifier.verify_payload(token).unwrap();
            assert_eq!(
                verified.payload(),
                examples["payload"].as_str().unwrap().as_bytes()
            );
            assert_eq!(verified.key_id().map(|id| id.as_str()), key["kid"].as_str());
            let refusal = verifier
                .verify_payload(&with_wrong_signature(token))
                .unwrap_err();
            assert_eq!(refusal, Refusal::Signature, "{}", example["section"]);
        }
    }
}

#[test]
fn private_keys_of_section_3_sign_what_the_public_ones_verify() {
    for example in examples()["compact"].as_array().unwrap() {
        let token = example["token"].as_str().unwrap();
        let key: SigningKey = signing(&example["private"], algorithm(example));
        let again = sign_again(&key, token);
        let is_the_same_each_time = matches!(example["alg"].as_str(), Some("RS256" | "HS256"));
        assert_eq!(
            again == token,
            is_the_same_each_time,
            "{}",
            example["section"]
        );
        let key = if example["public"].is_null() {
            &example["private"]
        } else {
            &example["public"]
        };
        assert!(
            verifier(key, algorithm(example))
                .verify_payload(&again)
                .is_ok()
        );
    }
}

#[test]
fn public_and_private_keys_of_section_3_have_one_thumbprint() {
    for example in &examples()["compact"].as_array().unwrap()[..3] {
        let thumbprint = |name: &str| jwk(&example[name]).thumbprint().unwrap();
        assert_eq!(thumbprint("public"), thumbprint("private"));
    }
}

#[test]
fn detached_payload_of_section_4_5_is_refused() {
    let examples = examples();
    let example = &examples["compact"][3];
    let verifier = verifier(&example["private"], algorithm(example));
    let detached = examples["detached"].as_str().unwrap();
    // The signature is over a payload that is not there; over the empty one it is wrong.
    assert!(detached.contains(".."));
    assert_eq!(
        verifier.verify_payload(detached).unwrap_err(),
        Refusal::Signature
    );
    // With the payload put back it is the token of section 4.4.
    let (header, signature) = detached.split_once("..").unwrap();
    let payload = example["token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    assert!(
        verifier
            .verify_payload(&format!("{header}.{payload}.{signature}"))
            .is_ok()
    );
}

#[test]
fn json_forms_of_all_sections_are_refused() {
    let examples = examples();
    let compact = examples["compact"].as_array().unwrap();
    let forms = compact
        .iter()
        .flat_map(|example| example["json"].as_array().unwrap());
    let later = examples["json"]
        .as_array()
        .unwrap()
        .iter()
        .map(|form| &form["text"]);
    let verifier = verifier(&compact[3]["private"], algorithm(&compact[3]));
    let mut count = 0;
    for text in forms.chain(later) {
        let refusal = verifier.verify_payload(text.as_str().unwrap()).unwrap_err();
        // Two of them name a key with dots in it.
        assert!(
            matches!(refusal, Refusal::Parts | Refusal::Encoding(_)),
            "{refusal}"
        );
        count += 1;
    }
    assert_eq!(count, 13);
}

#[test]
fn parts_of_section_4_7_that_are_unprotected_prove_nothing() {
    // Its algorithm stands in the unprotected header: put into the compact form it has none.
    let examples = examples();
    let example = &examples["compact"][3];
    let verifier = verifier(&example["private"], algorithm(example));
    let flattened = examples["json"]
        .as_array()
        .unwrap()
        .iter()
        .map(|form| serde_json::from_str::<Value>(form["text"].as_str().unwrap()).unwrap());
    let unprotected = flattened
        .rev()
        .find(|form| form["header"]["alg"] == "HS256" && form["protected"].is_null())
        .unwrap();
    let part = |name: &str| unprotected[name].as_str().unwrap().to_owned();
    let token = format!(".{}.{}", part("payload"), part("signature"));
    assert!(matches!(
        verifier.verify_payload(&token),
        Err(Refusal::Json { .. })
    ));
    let token = format!("e30.{}.{}", part("payload"), part("signature"));
    assert_eq!(
        verifier.verify_payload(&token).unwrap_err(),
        Refusal::AlgorithmMissing
    );
    assert_eq!(peek(&token).0, "{}");
}
