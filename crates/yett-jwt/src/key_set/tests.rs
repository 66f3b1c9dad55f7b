//! Which keys a set has, and which of them a token gets.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{KeySet, KeySetError, LONGEST_KEY_SET, MOST_KEYS, SkipReason};
use crate::key::pairs::key_for;
use crate::{Algorithm, JsonFault, JwkFault, KeyError, KeyId, Refusal, SigningKey, VerifyingKey};

fn id(id: &str) -> KeyId {
    KeyId::new(id).unwrap()
}

fn key(algorithm: Algorithm, kid: &str) -> VerifyingKey {
    key_for(algorithm).verifying_key().with_key_id(id(kid))
}

fn jwk(algorithm: Algorithm, kid: &str) -> Value {
    serde_json::from_str(&key(algorithm, kid).to_jwk().unwrap().to_json()).unwrap()
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name).unwrap();
    jwk
}

fn read(keys: &[Value], allowed: &[Algorithm]) -> Result<KeySet, KeySetError> {
    KeySet::from_json(json!({ "keys": keys }).to_string().as_bytes(), allowed)
}

fn algorithms(set: &KeySet) -> Vec<Algorithm> {
    set.keys().map(VerifyingKey::algorithm).collect()
}

/// RFC 7517 appendix A.1, whose EC key is for encryption.
const RFC_7517_A1: &str = r#"{"keys":[
    {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
     "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},
    {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
     "e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}"#;

#[test]
fn set_of_rfc_7517_a1_has_its_signature_key() {
    let allowed = [Algorithm::Es256, Algorithm::Rs256];
    let set = KeySet::from_json(RFC_7517_A1.as_bytes(), &allowed).unwrap();
    assert_eq!(algorithms(&set), [Algorithm::Rs256]);
    assert!(set.contains("2011-04-29") && !set.contains("1"));
    let [skipped] = set.skipped() else { panic!() };
    assert_eq!((skipped.index(), skipped.key_id()), (0, Some(&id("1"))));
    assert_eq!(
        *skipped.reason(),
        SkipReason::Refused(KeyError::Jwk(JwkFault::OtherUse))
    );
}

#[test]
fn set_of_rfc_7517_a3_has_its_hmac_key() {
    let set = r#"{"keys":[
        {"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"},
        {"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
         "kid":"HMAC key used in JWS spec Appendix A.1 example"}]}"#;
    let set = KeySet::from_json(set.as_bytes(), &[Algorithm::Hs256]).unwrap();
    assert_eq!(algorithms(&set), [Algorithm::Hs256]);
    assert_eq!(
        *set.skipped()[0].reason(),
        SkipReason::Refused(KeyError::Jwk(JwkFault::UnknownAlgorithm))
    );
    assert_eq!(set.to_json(), r#"{"keys":[]}"#);
    assert!(!format!("{set:?}").contains("AyM1"));
}

#[test]
fn key_is_chosen_by_its_id() {
    let set = KeySet::new([
        key(Algorithm::Es256, "a"),
        key(Algorithm::Es256, "b"),
        key(Algorithm::EdDsa, "c"),
    ])
    .unwrap();
    assert_eq!(set.len(), 3);
    assert!(!set.is_empty());
    for (kid, algorithm) in [("a", Algorithm::Es256), ("c", Algorithm::Ed25519)] {
        let found = set.select(Some(&id(kid)), algorithm).unwrap();
        assert_eq!(found.key_id(), Some(&id(kid)));
    }
    for kid in ["", "A", "a ", "d"] {
        let refusal = set.select(Some(&id(kid)), Algorithm::Es256).unwrap_err();
        assert_eq!(refusal, Refusal::UnknownKey);
    }
}

#[test]
fn chosen_key_admits_the_tokens_algorithm() {
    let set = KeySet::new([key(Algorithm::Es256, "a")]).unwrap();
    assert_eq!(
        set.select(Some(&id("a")), Algorithm::Rs256).unwrap_err(),
        Refusal::AlgorithmMismatch {
            key: Algorithm::Es256
        }
    );
}

#[test]
fn without_an_id_only_the_single_fitting_key_is_meant() {
    let set = KeySet::new([
        key(Algorithm::Es256, "a"),
        key(Algorithm::Es256, "b"),
        key_for(Algorithm::EdDsa).verifying_key(),
    ])
    .unwrap();
    let select = |algorithm| set.select(None, algorithm);
    assert_eq!(
        select(Algorithm::Ed25519).unwrap().algorithm(),
        Algorithm::EdDsa
    );
    assert_eq!(select(Algorithm::Es256).unwrap_err(), Refusal::KeyAmbiguous);
    assert_eq!(select(Algorithm::Rs256).unwrap_err(), Refusal::UnknownKey);
}

#[test]
fn duplicate_id_is_refused() {
    let keys = [key(Algorithm::Es256, "a"), key(Algorithm::EdDsa, "a")];
    let error = KeySetError::DuplicateKeyId(id("a"));
    assert_eq!(KeySet::new(keys).unwrap_err(), error);
    let keys = [jwk(Algorithm::Es256, "a"), jwk(Algorithm::EdDsa, "a")];
    let allowed = [Algorithm::Es256, Algorithm::EdDsa];
    assert_eq!(read(&keys, &allowed).unwrap_err(), error);
    // A key that is not used cannot be taken for another.
    assert!(read(&keys, &[Algorithm::Es256]).is_ok());
}

#[test]
fn secrets_beside_public_keys_are_refused() {
    let secret = VerifyingKey::hmac(Algorithm::Hs256, &[7; 32]).unwrap();
    let keys = [key(Algorithm::Es256, "a"), secret];
    assert_eq!(KeySet::new(keys).unwrap_err(), KeySetError::Mixed);
    let oct = json!({"kty": "oct", "k": "B".repeat(86) + "A"});
    let keys = [jwk(Algorithm::Es256, "a"), oct];
    let allowed = [Algorithm::Es256, Algorithm::Hs256];
    assert_eq!(read(&keys, &allowed).unwrap_err(), KeySetError::Mixed);
    let set = read(&keys, &[Algorithm::Es256]).unwrap();
    assert_eq!(*set.skipped()[0].reason(), SkipReason::NotAllowed);
}

#[test]
fn set_without_a_usable_key_is_refused() {
    assert_eq!(
        KeySet::new([]).unwrap_err(),
        KeySetError::NoUsableKey([].into())
    );
    let keys = [jwk(Algorithm::Es256, "a"), json!({"kid": "b"}), json!(7)];
    let Err(KeySetError::NoUsableKey(skipped)) = read(&keys, &[Algorithm::EdDsa]) else {
        panic!();
    };
    let reasons: Vec<_> = skipped.iter().map(|key| *key.reason()).collect();
    let missing = SkipReason::Refused(KeyError::Jwk(JwkFault::Missing("kty")));
    assert_eq!(reasons, [SkipReason::NotAllowed, missing, missing]);
    assert!(read(&[jwk(Algorithm::Es256, "a")], &[]).is_err());
}

#[test]
fn allowed_algorithms_decide_for_keys_that_name_none() {
    let rsa = without(jwk(Algorithm::Rs256, "r"), "alg");
    let only = |allowed: &[Algorithm]| read(std::slice::from_ref(&rsa), allowed);
    for algorithm in [Algorithm::Rs256, Algorithm::Ps384] {
        assert_eq!(algorithms(&only(&[algorithm]).unwrap()), [algorithm]);
        assert_eq!(
            algorithms(&only(&[algorithm, Algorithm::Es256, algorithm]).unwrap()),
            [algorithm]
        );
    }
    let Err(KeySetError::NoUsableKey(skipped)) = only(&[Algorithm::Rs256, Algorithm::Rs512]) else {
        panic!();
    };
    assert_eq!(*skipped[0].reason(), SkipReason::Ambiguous);

    for algorithm in [Algorithm::Es384, Algorithm::EdDsa] {
        let key = without(jwk(algorithm, "k"), "alg");
        let set = read(&[key], Algorithm::ALL).unwrap();
        assert_eq!(algorithms(&set), [algorithm]);
    }
}

#[test]
fn key_that_names_its_algorithm_is_only_for_that() {
    let rsa = [jwk(Algorithm::Rs256, "r")];
    let allowed = [Algorithm::Ps256, Algorithm::Rs256, Algorithm::Rs512];
    assert_eq!(
        algorithms(&read(&rsa, &allowed).unwrap()),
        [Algorithm::Rs256]
    );
    assert!(read(&rsa, &[Algorithm::Ps256]).is_err());
    // Two names of one algorithm: the operator's counts.
    let ed = [jwk(Algorithm::EdDsa, "e")];
    let set = read(&ed, &[Algorithm::Ed25519]).unwrap();
    assert_eq!(algorithms(&set), [Algorithm::Ed25519]);
}

#[test]
fn private_members_become_their_public_halves() {
    let signing = key_for(Algorithm::Es256).with_key_id(id("a"));
    let private: Value = serde_json::from_str(&signing.danger_to_jwk().unwrap()).unwrap();
    let d = private["d"].as_str().unwrap().to_owned();
    let set = read(&[private], &[Algorithm::Es256]).unwrap();
    assert!(!set.to_json().contains(&d));
    let signature = signing.signature(b"message").unwrap();
    let verifying = set.select(None, Algorithm::Es256).unwrap();
    assert_eq!(
        verifying.check_signature(b"message", signature.as_ref()),
        Ok(())
    );
}

#[test]
fn json_of_a_set_is_strict() {
    let error = |text: &str| KeySet::from_json(text.as_bytes(), Algorithm::ALL).unwrap_err();
    assert_eq!(error("[]"), KeySetError::Json(JsonFault::NotObject));
    assert_eq!(error("{"), KeySetError::Json(JsonFault::Syntax));
    assert_eq!(
        error(r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#),
        KeySetError::Json(JsonFault::DuplicateName)
    );
    for text in [
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"kty":"oct","k":"AA"}"#,
    ] {
        assert_eq!(error(text), KeySetError::NoKeys);
    }
    let long = " ".repeat(LONGEST_KEY_SET + 1);
    assert_eq!(
        error(&long),
        KeySetError::TooLong {
            bytes: LONGEST_KEY_SET + 1,
            longest: LONGEST_KEY_SET
        }
    );
}

#[test]
fn number_of_keys_is_bounded() {
    let many = vec![json!({}); MOST_KEYS + 1];
    let error = KeySetError::TooManyKeys {
        keys: MOST_KEYS + 1,
        most: MOST_KEYS,
    };
    assert_eq!(read(&many, Algorithm::ALL).unwrap_err(), error);
    let key = SigningKey::hs256(&[7; 32]).unwrap().verifying_key();
    let endless = std::iter::repeat(key.clone());
    assert_eq!(KeySet::new(endless).unwrap_err(), error);
    let most = KeySet::new(std::iter::repeat_n(key, MOST_KEYS)).unwrap();
    assert_eq!(most.len(), MOST_KEYS);
}

#[test]
fn set_survives_its_json() {
    let keys: Vec<_> = Algorithm::ALL
        .iter()
        .filter(|algorithm| !algorithm.is_symmetric())
        .map(|algorithm| key(*algorithm, &format!("{algorithm} \"é\"")))
        .collect();
    let set = KeySet::new(keys).unwrap();
    let again = KeySet::from_json(set.to_json().as_bytes(), Algorithm::ALL).unwrap();
    assert_eq!(again.to_json(), set.to_json());
    assert!(again.skipped().is_empty());
    assert_eq!(again.len(), set.len());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"(\{"keys":\[)?(\{"kty":"(oct|EC|RSA)","k(id)?":"[A-Za-z]{0,50}"\},?|[\[\]{},:"a7])*(\]\})?"#, bytes: Vec<u8>) {
        let _ = KeySet::from_json(text.as_bytes(), Algorithm::ALL);
        let _ = KeySet::from_json(&bytes, Algorithm::ALL);
    }
}
