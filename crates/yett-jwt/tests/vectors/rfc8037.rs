//! RFC 8037 appendices A.1 to A.5: Ed25519.

use serde_json::Value;
use yett_jwt::{Algorithm, Jwk, JwkFault, KeyError, Refusal, SigningKey, VerifyingKey};

use super::{jwk, read, sign_again, signing, verifier, with_wrong_signature};

fn examples() -> Value {
    read(include_str!("rfc8037.json"))
}

#[test]
fn keys_of_appendices_a1_and_a2_are_one_pair() {
    let examples = examples();
    let signing = signing(&examples["private"], Algorithm::EdDsa);
    let public = VerifyingKey::from_jwk(&jwk(&examples["public"]), Algorithm::EdDsa).unwrap();
    assert_eq!(signing.verifying_key().to_pem(), public.to_pem());
}

#[test]
fn private_key_of_appendix_a1_survives_its_own_forms() {
    let key = signing(&examples()["private"], Algorithm::EdDsa);
    let json = key.danger_to_jwk().unwrap();
    let seed = read(&json)["d"].take();
    assert_eq!(seed, examples()["private"]["d"]);
    let pem = key.danger_to_pem().unwrap();
    let again = SigningKey::from_pem(Algorithm::EdDsa, pem.as_bytes()).unwrap();
    assert_eq!(again.danger_to_jwk().unwrap(), json);
}

#[test]
fn thumbprint_is_that_of_appendix_a3() {
    let examples = examples();
    for key in ["private", "public"] {
        let thumbprint = jwk(&examples[key]).thumbprint().unwrap();
        assert_eq!(thumbprint, examples["thumbprint"].as_str().unwrap());
    }
}

#[test]
fn signature_of_appendix_a4_is_made_again() {
    let examples = examples();
    let token = examples["token"].as_str().unwrap();
    assert_eq!(
        sign_again(&signing(&examples["private"], Algorithm::EdDsa), token),
        token
    );
}

#[test]
fn signature_of_appendix_a5_is_verified() {
    let examples = examples();
    let token = examples["token"].as_str().unwrap();
    let verifier = verifier(&examples["public"], Algorithm::EdDsa);
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

#[test]
fn keys_for_agreement_as_in_appendix_a6_are_refused() {
    let mut key = examples()["public"].take();
    for curve in ["X25519", "X448", "Ed448"] {
        key["crv"] = curve.into();
        let error = Jwk::from_json(key.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, KeyError::Jwk(JwkFault::UnknownCurve));
    }
}
