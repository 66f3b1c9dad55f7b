//! RFC 9964 appendix A: ML-DSA in JOSE.

use serde_json::Value;

use super::read;

fn examples() -> Value {
    read(include_str!("rfc9964.json"))
}

#[cfg(feature = "ml-dsa")]
mod with_the_feature {
    use yett_jwt::Refusal;

    use super::super::{algorithm, jwk, sign_again, signing, verifier, with_wrong_signature};
    use super::examples;

    #[test]
    fn payloads_are_verified() {
        let examples = examples();
        for example in examples["compact"].as_array().unwrap() {
            let verifier = verifier(&example["key"], algorithm(example));
            let token = example["token"].as_str().unwrap();
            let verified = verifier.verify_payload(token).unwrap();
            assert_eq!(
                verified.payload(),
                examples["payload"].as_str().unwrap().as_bytes()
            );
            let refusal = verifier
                .verify_payload(&with_wrong_signature(token))
                .unwrap_err();
            assert_eq!(refusal, Refusal::Signature);
        }
    }

    #[test]
    fn seeds_make_the_published_keys_and_sign() {
        for example in examples()["compact"].as_array().unwrap() {
            let key = signing(&example["key"], algorithm(example));
            let public: serde_json::Value =
                serde_json::from_str(&key.verifying_key().to_jwk().unwrap().to_json()).unwrap();
            assert_eq!(public["pub"], example["key"]["pub"]);
            let again = sign_again(&key, example["token"].as_str().unwrap());
            assert!(
                verifier(&example["key"], algorithm(example))
                    .verify_payload(&again)
                    .is_ok()
            );
        }
    }

    #[test]
    fn key_ids_are_the_thumbprints() {
        for example in examples()["compact"].as_array().unwrap() {
            let thumbprint = jwk(&example["key"]).thumbprint().unwrap();
            assert_eq!(thumbprint, example["key"]["kid"].as_str().unwrap());
        }
    }
}

#[cfg(not(feature = "ml-dsa"))]
#[test]
fn keys_and_tokens_are_unknown_without_the_feature() {
    use yett_jwt::{Algorithm, Jwk, JwkFault, KeyError, Refusal, Rules, SigningKey, Verifier};
    let key = SigningKey::generate(Algorithm::Es256)
        .unwrap()
        .verifying_key();
    let verifier = Verifier::new(key, Rules::new());
    for example in examples()["compact"].as_array().unwrap() {
        let error = Jwk::from_json(example["key"].to_string().as_bytes()).unwrap_err();
        assert_eq!(error, KeyError::Jwk(JwkFault::UnknownAlgorithm));
        let token = example["token"].as_str().unwrap();
        assert_eq!(
            verifier.verify_payload(token).unwrap_err(),
            Refusal::AlgorithmUnknown
        );
    }
}
