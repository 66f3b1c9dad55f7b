//! RFC 9864: names that say all of the algorithm. Ed25519 has two; the others of that document are
//! either not ours or not for JOSE.

use yett_jwt::{Algorithm, Jwk, KeyError, KeySet, Refusal, Rules, SignError, SigningKey, Verifier};

use super::{jwk, read};

fn ed25519(algorithm: Algorithm) -> SigningKey {
    let example = read(include_str!("rfc8037.json"));
    SigningKey::from_jwk(&jwk(&example["private"]), algorithm).unwrap()
}

#[test]
fn both_names_of_ed25519_are_one_algorithm() {
    let names = [Algorithm::EdDsa, Algorithm::Ed25519];
    for signer in names {
        let token = ed25519(signer).sign_payload(&format!(r#"{{"alg":"{signer}"}}"#), b"{}", 1000);
        let token = token.unwrap();
        for verifying in names {
            let verifier = Verifier::new(ed25519(verifying).verifying_key(), Rules::new());
            assert!(
                verifier.verify_payload(&token).is_ok(),
                "{signer} by {verifying}"
            );
        }
        // A JWK set's word for the key does not narrow it to one of the names.
        for named in names {
            let key = ed25519(named).verifying_key();
            let verifier = Verifier::new(KeySet::new([key]).unwrap(), Rules::new());
            assert!(verifier.verify_payload(&token).is_ok());
        }
    }
}

#[test]
fn each_key_writes_its_own_name() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
        let token = ed25519(algorithm).sign(b"{}").unwrap();
        let header = super::peek(&token).0;
        assert_eq!(header, format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#));
    }
}

#[test]
fn other_names_of_the_document_are_unknown() {
    for name in [
        "Ed448", "ESP256", "ESP384", "ESP512", "ESB256", "ES256P", "ed25519", "EDDSA",
    ] {
        assert!(name.parse::<Algorithm>().is_err(), "{name}");
        let header = format!(r#"{{"alg":"{name}"}}"#);
        let error = ed25519(Algorithm::EdDsa)
            .sign_payload(&header, b"{}", 1000)
            .unwrap_err();
        assert_eq!(error, SignError::Header(Refusal::AlgorithmUnknown));
        // `{"alg":"…"}` in base64url, from the library itself: peeking shows that it is well-formed.
        let token = token_with(name);
        assert!(super::peek(&token).0.contains(name));
        let verifier = Verifier::new(ed25519(Algorithm::EdDsa).verifying_key(), Rules::new());
        assert_eq!(
            verifier.verify_payload(&token).unwrap_err(),
            Refusal::AlgorithmUnknown
        );
    }
}

fn token_with(name: &str) -> String {
    use base64::Engine as _;
    let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.e30.{}",
        encode(format!(r#"{{"alg":"{name}"}}"#)),
        encode("0".repeat(64))
    )
}

#[test]
fn jwk_of_ed25519_may_have_either_name_and_no_other() {
    let mut key = read(include_str!("rfc8037.json"))["public"].take();
    for name in ["EdDSA", "Ed25519"] {
        key["alg"] = name.into();
        for wanted in [Algorithm::EdDsa, Algorithm::Ed25519] {
            assert!(yett_jwt::VerifyingKey::from_jwk(&jwk(&key), wanted).is_ok());
        }
    }
    for name in ["Ed448", "ES256", "ESP256"] {
        key["alg"] = name.into();
        let error = Jwk::from_json(key.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, KeyError::Jwk(_)), "{name}");
    }
}
