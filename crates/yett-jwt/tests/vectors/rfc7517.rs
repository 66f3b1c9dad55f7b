//! RFC 7517 appendices A.1 to A.3, and RFC 7638 section 3.1: keys, sets, thumbprints.

use serde_json::Value;
use yett_jwt::{
    Algorithm, Jwk, JwkFault, KeyError, KeySet, KeySetError, SigningKey, SkipReason, VerifyingKey,
};

use super::{jwk, read};

fn examples() -> Value {
    read(include_str!("rfc7517.json"))
}

#[test]
fn set_of_appendix_a1_yields_its_signature_key_alone() {
    let json = examples()["public"].to_string();
    let set = KeySet::from_json(json.as_bytes(), Algorithm::ALL).unwrap();
    let keys: Vec<_> = set.keys().map(VerifyingKey::algorithm).collect();
    assert_eq!(keys, [Algorithm::Rs256]);
    assert!(set.contains("2011-04-29"));
    let skipped: Vec<_> = set.skipped().iter().map(|key| *key.reason()).collect();
    assert_eq!(
        skipped,
        [SkipReason::Refused(KeyError::Jwk(JwkFault::OtherUse))]
    );
}

#[test]
fn keys_of_appendices_a1_and_a2_that_are_for_encryption_are_refused() {
    for set in ["public", "private"] {
        let json = examples()[set]["keys"][0].to_string();
        let error = Jwk::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error, KeyError::Jwk(JwkFault::OtherUse));
    }
}

#[test]
fn elliptic_key_of_appendix_a2_signs_once_it_may() {
    let mut key = examples()["private"]["keys"][0].take();
    key["use"] = "sig".into();
    let key = SigningKey::from_jwk(&jwk(&key), Algorithm::Es256).unwrap();
    assert_eq!(key.key_id().unwrap().as_str(), "1");
    assert!(key.sign(b"{}").is_ok());
}

#[test]
fn rsa_key_of_appendix_a2_is_the_pair_of_appendix_a1() {
    let examples = examples();
    let private = jwk(&examples["private"]["keys"][1]);
    assert!(private.is_private());
    let signing = SigningKey::from_jwk(&private, Algorithm::Rs256).unwrap();
    let public = VerifyingKey::from_jwk(&jwk(&examples["public"]["keys"][1]), Algorithm::Rs256);
    assert_eq!(
        signing.verifying_key().thumbprint(),
        public.unwrap().thumbprint()
    );
}

#[test]
fn set_of_appendix_a3_yields_its_hmac_key_alone() {
    let json = examples()["symmetric"].to_string();
    let set = KeySet::from_json(json.as_bytes(), &[Algorithm::Hs256]).unwrap();
    assert_eq!(set.len(), 1);
    assert!(set.contains("HMAC key used in JWS A.1 example"));
    let skipped: Vec<_> = set.skipped().iter().map(|key| *key.reason()).collect();
    assert_eq!(
        skipped,
        [SkipReason::Refused(KeyError::Jwk(
            JwkFault::UnknownAlgorithm
        ))]
    );
}

#[test]
fn hmac_key_of_appendix_a3_needs_to_be_told_its_hash() {
    let json = examples()["symmetric"].to_string();
    let hmacs = [Algorithm::Hs256, Algorithm::Hs512];
    let error = KeySet::from_json(json.as_bytes(), &hmacs).unwrap_err();
    let KeySetError::NoUsableKey(skipped) = error else {
        panic!("{error}");
    };
    assert_eq!(*skipped[1].reason(), SkipReason::Ambiguous);
}

#[test]
fn thumbprints_are_those_of_rfc_7638() {
    let examples = examples();
    // Section 3.1 of RFC 7638.
    assert_eq!(
        examples["thumbprints"][1],
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    for set in ["public", "private"] {
        for (nth, thumbprint) in examples["thumbprints"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
        {
            let mut key = examples[set]["keys"][nth].clone();
            key["use"] = "sig".into();
            assert_eq!(
                jwk(&key).thumbprint().unwrap(),
                thumbprint.as_str().unwrap()
            );
        }
    }
}
