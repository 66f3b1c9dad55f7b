//! What is signed is verified, and says the same.

use proptest::prelude::*;
use serde_json::{Map, Value};
use yett_jwt::{KeyId, KeySet, Refusal, Rules, SignError, Verifier};

use super::{NOW, algorithms, any_algorithm, claims, key, other_key, verifier};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn claims_come_out_as_they_went_in(algorithm in any_algorithm(), claims in claims()) {
        let text = serde_json::to_vec(&claims).unwrap();
        prop_assume!(text.len() < 4000);
        let token = match key(algorithm).sign(&text) {
            Ok(token) => token,
            Err(SignError::TooLong { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let verified = verifier(key(algorithm)).verify(&token, NOW).unwrap();
        prop_assert_eq!(verified.payload_json(), &text[..]);
        let members = claims.as_object().unwrap();
        prop_assert_eq!(verified.claims().iter().len(), members.len());
        for (name, value) in members {
            let found = verified.claims().claim(name).map(|found| found.to_value());
            prop_assert_eq!(found.as_ref(), Some(value));
        }
        let typed: Map<String, Value> = verified.claims().deserialize().unwrap();
        prop_assert_eq!(&typed, members);
    }

    #[test]
    fn any_payload_comes_out_as_it_went_in(algorithm in any_algorithm(), payload: Vec<u8>) {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let token = key(algorithm).sign_payload(&header, &payload, 10_000).unwrap();
        let verified = verifier(key(algorithm)).verify_payload(&token).unwrap();
        prop_assert_eq!(verified.payload(), &payload[..]);
    }

    #[test]
    fn key_of_a_set_is_found_whatever_its_id(algorithm in any_algorithm(), id in "\\PC{0,40}") {
        let id = KeyId::new(&id).unwrap();
        let key = key(algorithm).clone().with_key_id(id.clone());
        let stranger = other_key(algorithm).clone().with_key_id(KeyId::new("\u{0}").unwrap());
        let keys = [stranger.verifying_key(), key.verifying_key()];
        let verifier = Verifier::new(KeySet::new(keys).unwrap(), Rules::new());
        let verified = verifier.verify(&key.sign(b"{}").unwrap(), NOW).unwrap();
        prop_assert_eq!(verified.key_id(), Some(&id));
    }
}

#[test]
fn claims_typed_by_serde_are_those_that_are_read() {
    for algorithm in algorithms() {
        let claims = serde_json::json!({"sub": "a\u{e9}\"", "exp": 1_900_000_000});
        let token = key(algorithm).sign_claims(&claims).unwrap();
        let verified = verifier(key(algorithm)).verify(&token, NOW).unwrap();
        assert_eq!(verified.claims().subject(), Some("a\u{e9}\""));
    }
}

#[test]
fn token_of_another_key_of_the_same_algorithm_is_refused() {
    for algorithm in algorithms() {
        let token = other_key(algorithm).sign(b"{}").unwrap();
        let refusal = verifier(key(algorithm)).verify(&token, NOW).unwrap_err();
        assert_eq!(refusal, Refusal::Signature, "{algorithm}");
    }
}
