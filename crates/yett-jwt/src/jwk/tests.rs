//! Published keys, and every way a JWK can be wrong.

use base64::Engine as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JwkFault, LONGEST_JWK};
use crate::compact::BASE64URL;
use crate::key::pairs::key_for;
use crate::key::{KeyError, KeyShape};
use crate::{Algorithm, JsonFault, Jwk, KeyType, SigningKey, VerifyingKey};

/// RFC 7515 appendix A.3.1.
fn es256() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    })
}

/// RFC 8037 appendix A.1.
fn ed25519() -> Value {
    json!({
        "kty": "OKP", "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    })
}

/// RFC 7515 appendix A.1.1.
fn oct() -> Value {
    json!({
        "kty": "oct",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    })
}

/// RFC 7517 appendix A.2, second key; its public half is that of A.1 and of RFC 7638 section 3.1.
fn rsa() -> Value {
    serde_json::from_str(include_str!("rfc7517-a2-rsa.json")).unwrap()
}

fn read(jwk: &Value) -> Result<Jwk, KeyError> {
    Jwk::from_json(jwk.to_string().as_bytes())
}

fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name).unwrap();
    jwk
}

fn check(jwk: &Value, expected: JwkFault) {
    assert_eq!(read(jwk).unwrap_err(), KeyError::Jwk(expected), "{jwk}");
}

#[test]
fn thumbprint_is_that_of_rfc_7638() {
    let jwk = read(&rsa()).unwrap();
    let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    assert_eq!(jwk.thumbprint().unwrap(), expected);
    let key = VerifyingKey::from_jwk(&jwk, Algorithm::Rs256).unwrap();
    assert_eq!(key.thumbprint().unwrap(), expected);
    assert_eq!(key.key_id().unwrap().as_str(), "2011-04-29");
}

#[test]
fn thumbprint_is_that_of_rfc_8037() {
    let expected = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    assert_eq!(read(&ed25519()).unwrap().thumbprint().unwrap(), expected);
}

#[test]
fn thumbprint_of_a_secret_is_refused() {
    let jwk = read(&oct()).unwrap();
    assert_eq!(jwk.thumbprint(), Err(KeyError::NoPublicForm));
}

#[test]
fn signature_of_rfc_8037_verifies_and_is_made_again() {
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let expected =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jwk = read(&ed25519()).unwrap();
    assert_eq!(jwk.natural_algorithm(), Some(Algorithm::EdDsa));
    let key = SigningKey::from_jwk(&jwk, Algorithm::EdDsa).unwrap();
    let signature = key.signature(message).unwrap();
    assert_eq!(BASE64URL.encode(signature), expected);
    let public = read(&without(ed25519(), "d")).unwrap();
    let key = VerifyingKey::from_jwk(&public, Algorithm::Ed25519).unwrap();
    let signature = BASE64URL.decode(expected).unwrap();
    assert_eq!(key.check_signature(message, &signature), Ok(()));
}

#[test]
fn es256_signature_of_rfc_7515_verifies() {
    let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = BASE64URL
        .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
        .unwrap();
    let jwk = read(&es256()).unwrap();
    assert_eq!(jwk.natural_algorithm(), Some(Algorithm::Es256));
    let key = SigningKey::from_jwk(&jwk, Algorithm::Es256).unwrap();
    let verifying = key.verifying_key();
    assert_eq!(verifying.check_signature(message, &signature), Ok(()));
    let again = key.signature(message).unwrap();
    assert_eq!(verifying.check_signature(message, again.as_ref()), Ok(()));
}

#[test]
fn private_rsa_key_of_rfc_7517_signs() {
    let jwk = read(&rsa()).unwrap();
    assert!(jwk.is_private());
    assert_eq!(jwk.natural_algorithm(), Some(Algorithm::Rs256));
    let key = SigningKey::from_jwk(&jwk, Algorithm::Rs256).unwrap();
    let signature = key.signature(b"message").unwrap();
    let public = Jwk::from_json(jwk.to_json().as_bytes()).unwrap();
    assert!(!public.is_private());
    let verifying = VerifyingKey::from_jwk(&public, Algorithm::Rs256).unwrap();
    assert_eq!(
        verifying.check_signature(b"message", signature.as_ref()),
        Ok(())
    );
    // What is written is, to the byte, what the RFC has.
    let written: Value = serde_json::from_str(&key.danger_to_jwk().unwrap()).unwrap();
    assert_eq!(written, with(rsa(), "use", "sig"));
}

#[test]
fn secret_of_rfc_7515_signs() {
    let jwk = read(&oct()).unwrap();
    assert!(jwk.is_private());
    assert_eq!(jwk.key_type(), KeyType::Oct);
    assert_eq!(jwk.natural_algorithm(), None);
    assert_eq!(jwk.to_json(), r#"{"kty":"oct","use":"sig"}"#);
    assert!(SigningKey::from_jwk(&jwk, Algorithm::Hs512).is_ok());
    let key = SigningKey::from_jwk(&jwk, Algorithm::Hs256).unwrap();
    let signature = key
        .signature(b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")
        .unwrap();
    assert_eq!(
        BASE64URL.encode(signature),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
}

#[test]
fn secret_in_a_jwk_is_as_long_as_the_hash_and_a_secret() {
    for (secret, error) in [
        (&b""[..], KeyError::Empty),
        (
            &[7; 31],
            KeyError::TooShort {
                bytes: 31,
                shortest: 32,
            },
        ),
        (
            b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ",
            KeyError::OtherMaterial(crate::KeyMaterial::Pem),
        ),
    ] {
        let jwk = read(&with(oct(), "k", BASE64URL.encode(secret))).unwrap();
        for made in [
            SigningKey::from_jwk(&jwk, Algorithm::Hs256).map(|_| ()),
            VerifyingKey::from_jwk(&jwk, Algorithm::Hs256).map(|_| ()),
        ] {
            assert_eq!(made.unwrap_err(), error);
        }
    }
}

#[test]
fn json_is_strict() {
    let fault = |text: &str| match Jwk::from_json(text.as_bytes()) {
        Err(KeyError::Jwk(fault)) => fault,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(fault("[]"), JwkFault::Json(JsonFault::NotObject));
    assert_eq!(fault("{} x"), JwkFault::Json(JsonFault::Syntax));
    let twice = r#"{"kty":"oct","k":"AAAA","k":"BBBB"}"#;
    assert_eq!(fault(twice), JwkFault::Json(JsonFault::DuplicateName));
    let longest = LONGEST_JWK;
    assert_eq!(
        fault(&" ".repeat(longest + 1)),
        JwkFault::TooLong { longest }
    );
    assert_eq!(
        Jwk::from_json(b"\xFF").unwrap_err(),
        KeyError::Jwk(JwkFault::Json(JsonFault::NotUtf8))
    );
}

#[test]
fn type_curve_and_algorithm_are_known_ones() {
    for name in ["ec", "OKP2", "", "rsa"] {
        check(&with(es256(), "kty", name), JwkFault::UnknownKeyType);
    }
    for name in ["P-224", "p-256", "secp256r1", "Ed25519", "BP-256"] {
        check(&with(es256(), "crv", name), JwkFault::UnknownCurve);
    }
    for name in ["Ed448", "X25519", "X448", "P-256"] {
        check(&with(ed25519(), "crv", name), JwkFault::UnknownCurve);
    }
    for name in ["none", "RSA-OAEP", "A128KW", "dir", "es256", "Ed448"] {
        check(&with(es256(), "alg", name), JwkFault::UnknownAlgorithm);
    }
    check(&without(es256(), "kty"), JwkFault::Missing("kty"));
    check(&with(es256(), "kty", 7), JwkFault::WrongType("kty"));
    check(
        &with(es256(), "alg", Value::Null),
        JwkFault::WrongType("alg"),
    );
    check(&without(es256(), "crv"), JwkFault::Missing("crv"));
}

#[test]
fn algorithm_fits_the_type_and_curve() {
    for (jwk, names) in [
        (es256(), ["HS256", "RS256", "ES384", "ES256K", "EdDSA"]),
        (ed25519(), ["HS256", "RS256", "ES256", "PS512", "ES512"]),
        (rsa(), ["HS256", "HS384", "ES256", "EdDSA", "ES512"]),
        (oct(), ["ES384", "RS256", "PS256", "EdDSA", "Ed25519"]),
    ] {
        for name in names {
            check(&with(jwk.clone(), "alg", name), JwkFault::AlgorithmMismatch);
        }
    }
    for (jwk, wanted, found) in [
        (es256(), Algorithm::Es256k, KeyShape::Ec(crate::Curve::P256)),
        (ed25519(), Algorithm::Es256, KeyShape::Ed25519),
        (oct(), Algorithm::Rs256, KeyShape::Secret),
        (rsa(), Algorithm::Hs256, KeyShape::Rsa),
    ] {
        let error = KeyError::OtherAlgorithm {
            found,
            algorithm: wanted,
        };
        let jwk = read(&jwk).unwrap();
        assert_eq!(SigningKey::from_jwk(&jwk, wanted).unwrap_err(), error);
        assert_eq!(VerifyingKey::from_jwk(&jwk, wanted).unwrap_err(), error);
    }
}

#[test]
fn members_are_base64url_strings_of_exact_length() {
    for name in ["x", "y", "d"] {
        let right = es256()[name].as_str().unwrap().to_owned();
        for bad in [
            format!("{right}="),
            format!("{right}\n"),
            format!("+{}", &right[1..]),
            format!("{}B", &right[..42]),
        ] {
            check(&with(es256(), name, bad), JwkFault::Encoding(name));
        }
        for length in [0, 31, 33, 64] {
            let other = BASE64URL.encode(vec![7; length]);
            check(&with(es256(), name, other.as_str()), JwkFault::Length(name));
            if name != "y" {
                check(&with(ed25519(), name, other), JwkFault::Length(name));
            }
        }
        check(&with(es256(), name, 7), JwkFault::WrongType(name));
        check(&with(es256(), name, Value::Null), JwkFault::WrongType(name));
    }
    for name in ["x", "y"] {
        check(&without(es256(), name), JwkFault::Missing(name));
    }
    for name in ["n", "e"] {
        check(&without(rsa(), name), JwkFault::Missing(name));
    }
    check(&without(oct(), "k"), JwkFault::Missing("k"));
}

#[test]
fn rsa_numbers_have_no_leading_zeros() {
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let number = BASE64URL.decode(rsa()[name].as_str().unwrap()).unwrap();
        let padded = BASE64URL.encode([&[0], &number[..]].concat());
        check(&with(rsa(), name, padded), JwkFault::LeadingZero(name));
        check(&with(rsa(), name, ""), JwkFault::LeadingZero(name));
    }
}

#[test]
fn private_rsa_key_is_whole_and_has_two_primes() {
    check(
        &with(rsa(), "oth", json!([{"r": "AQ", "d": "AQ", "t": "AQ"}])),
        JwkFault::MultiPrime,
    );
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        check(&without(rsa(), name), JwkFault::Missing(name));
    }
    let mut bare = rsa();
    for name in ["p", "q", "dp", "dq", "qi"] {
        bare = without(bare, name);
    }
    let jwk = read(&bare).unwrap();
    assert!(jwk.is_private());
    assert!(VerifyingKey::from_jwk(&jwk, Algorithm::Rs256).is_ok());
    assert_eq!(
        SigningKey::from_jwk(&jwk, Algorithm::Rs256).unwrap_err(),
        KeyError::Jwk(JwkFault::NoPrimes)
    );
}

#[test]
fn private_half_must_belong_to_the_public_one() {
    let invalid = |jwk: &Value, algorithm| {
        let jwk = read(jwk).unwrap();
        assert_eq!(
            SigningKey::from_jwk(&jwk, algorithm).unwrap_err(),
            KeyError::Invalid
        );
    };
    let other = BASE64URL.encode([7; 32]);
    invalid(&with(es256(), "d", other.as_str()), Algorithm::Es256);
    invalid(&with(ed25519(), "d", other), Algorithm::EdDsa);
    for out_of_range in [[0; 32], [0xFF; 32]] {
        let d = BASE64URL.encode(out_of_range);
        invalid(&with(es256(), "d", d), Algorithm::Es256);
    }
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        let mut number = BASE64URL.decode(rsa()[name].as_str().unwrap()).unwrap();
        *number.last_mut().unwrap() ^= 2;
        let jwk = with(rsa(), name, BASE64URL.encode(number));
        invalid(&jwk, Algorithm::Rs256);
    }
}

/// Under such a key `R` alone, with `s` zero, is a right signature of one text in eight or of all:
/// anybody signs. Thirty-two zero bytes, a key that was never filled in, is one.
#[test]
fn ed25519_key_of_small_order_is_refused() {
    let minus_one = [&[0xEC][..], &[0xFF; 30], &[0x7F]].concat();
    let eighth = *b"\x26\xE8\x95\x8F\xC2\xB2\x27\xB0\x45\xC3\xF4\x89\xF2\xEF\x98\xF0\
        \xD5\xDF\xAC\x05\xD3\xC6\x33\x39\xB1\x38\x02\x88\x6D\x53\xFC\x05";
    // Of p minus a number, in bytes.
    let mut other_eighth = eighth.map(|digit| 0xFF - digit);
    other_eighth[0] -= 18;
    other_eighth[31] &= 0x7F;
    let not_reduced = |first: u8| [&[first][..], &[0xFF; 30], &[0x7F]].concat();
    for mut point in [
        vec![0; 32],
        [&[1][..], &[0; 31]].concat(),
        minus_one,
        eighth.to_vec(),
        other_eighth.to_vec(),
        not_reduced(0xED),
        not_reduced(0xEE),
    ] {
        for _ in 0..2 {
            let jwk = with(without(ed25519(), "d"), "x", BASE64URL.encode(&point));
            let error = VerifyingKey::from_jwk(&read(&jwk).unwrap(), Algorithm::EdDsa).unwrap_err();
            assert_eq!(error, KeyError::Invalid, "{jwk}");
            // The sign of the other coordinate.
            point[31] ^= 0x80;
        }
    }
}

#[test]
fn point_that_is_not_on_the_curve_is_refused() {
    let y = es256()["x"].clone();
    for jwk in [
        with(es256(), "y", y),
        with(es256(), "y", BASE64URL.encode([0; 32])),
        with(es256(), "x", BASE64URL.encode([0xFF; 32])),
        with(es256(), "crv", "secp256k1"),
    ] {
        let jwk = read(&jwk).unwrap();
        let algorithm = jwk.natural_algorithm().unwrap();
        for error in [
            VerifyingKey::from_jwk(&jwk, algorithm).unwrap_err(),
            SigningKey::from_jwk(&jwk, algorithm).unwrap_err(),
        ] {
            assert_eq!(error, KeyError::Invalid);
        }
    }
}

#[test]
fn use_is_sig_or_absent() {
    assert!(read(&with(es256(), "use", "sig")).is_ok());
    for other in ["enc", "", "SIG"] {
        check(&with(es256(), "use", other), JwkFault::OtherUse);
    }
    check(
        &with(es256(), "use", json!(["sig"])),
        JwkFault::WrongType("use"),
    );
}

#[test]
fn key_ops_decide_what_a_key_may_do() {
    for (operations, may_sign, may_verify) in [
        (json!(["sign", "verify"]), true, true),
        (json!(["sign"]), true, false),
        (json!(["verify"]), false, true),
        (json!(["verify", "x"]), false, true),
        (json!(["encrypt"]), false, false),
        (json!([]), false, false),
    ] {
        let jwk = read(&with(es256(), "key_ops", operations)).unwrap();
        let error = KeyError::Jwk(JwkFault::OtherOperations);
        match SigningKey::from_jwk(&jwk, Algorithm::Es256) {
            Ok(_) => assert!(may_sign),
            Err(found) => assert_eq!((may_sign, found), (false, error)),
        }
        match VerifyingKey::from_jwk(&jwk, Algorithm::Es256) {
            Ok(_) => assert!(may_verify),
            Err(found) => assert_eq!((may_verify, found), (false, error)),
        }
    }
    check(
        &with(es256(), "key_ops", json!(["verify", "sign", "verify"])),
        JwkFault::DuplicateOperation,
    );
    for bad in [json!("verify"), json!([7]), Value::Null] {
        check(
            &with(es256(), "key_ops", bad),
            JwkFault::WrongType("key_ops"),
        );
    }
}

#[test]
fn kid_is_a_short_string() {
    let jwk = read(&with(es256(), "kid", "k".repeat(256))).unwrap();
    assert_eq!(jwk.key_id().unwrap().as_str().len(), 256);
    for bad in [json!(7), json!("k".repeat(257)), Value::Null] {
        check(&with(es256(), "kid", bad), JwkFault::WrongType("kid"));
    }
}

#[test]
fn what_points_elsewhere_is_ignored() {
    let mut jwk = with(es256(), "x5u", "https://evil.example/");
    for name in ["x5c", "x5t", "x5t#S256", "jku", "exp"] {
        jwk = with(jwk, name, json!([1]));
    }
    let text = read(&jwk).unwrap().to_json();
    assert_eq!(
        text,
        r#"{"kty":"EC","use":"sig","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
    );
}

#[test]
fn jwk_prints_no_private_member() {
    for jwk in [es256(), ed25519(), oct(), rsa()] {
        let read = read(&jwk).unwrap();
        let shown = format!("{read:?} {read:#?} {}", read.to_json());
        assert!(shown.contains("[secret]"));
        for name in ["d", "k", "p", "q", "dp", "dq", "qi"] {
            if let Some(value) = jwk[name].as_str() {
                assert!(!shown.contains(value), "{name}");
            }
        }
    }
}

#[cfg(feature = "ml-dsa")]
#[test]
fn akp_keys_name_their_algorithm() {
    let jwk = key_for(Algorithm::MlDsa44).danger_to_jwk().unwrap();
    let jwk: Value = serde_json::from_str(&jwk).unwrap();
    assert_eq!(jwk["kty"], "AKP");
    assert_eq!(jwk["priv"].as_str().unwrap().len(), 43);
    check(&without(jwk.clone(), "alg"), JwkFault::Missing("alg"));
    check(&without(jwk.clone(), "pub"), JwkFault::Missing("pub"));
    check(
        &with(jwk.clone(), "alg", "ML-DSA-65"),
        JwkFault::Length("pub"),
    );
    check(
        &with(jwk.clone(), "alg", "ES256"),
        JwkFault::AlgorithmMismatch,
    );
    check(
        &with(jwk.clone(), "priv", BASE64URL.encode([7; 31])),
        JwkFault::Length("priv"),
    );
    let torn = read(&with(jwk, "priv", BASE64URL.encode([7; 32]))).unwrap();
    assert_eq!(
        SigningKey::from_jwk(&torn, Algorithm::MlDsa44).unwrap_err(),
        KeyError::Invalid
    );
}

/// Every name that means something, and values of every type.
fn members() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(vec![
        "kty", "crv", "alg", "use", "key_ops", "kid", "x", "y", "d", "n", "e", "p", "q", "dp",
        "dq", "qi", "oth", "k", "pub", "priv",
    ]);
    let text = proptest::sample::select(vec![
        "EC",
        "RSA",
        "OKP",
        "oct",
        "AKP",
        "P-256",
        "P-521",
        "Ed25519",
        "ES256",
        "EdDSA",
        "RS256",
        "ML-DSA-44",
        "sig",
        "AQAB",
        "",
    ]);
    let value = prop_oneof![
        text.prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..70)
            .prop_map(|bytes| Value::from(BASE64URL.encode(bytes))),
        proptest::collection::vec(any::<u8>(), 32)
            .prop_map(|bytes| Value::from(BASE64URL.encode(bytes))),
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(["verify", 7])),
        Just(Value::Null),
    ];
    proptest::collection::btree_map(name.prop_map(str::to_owned), value, 0..9)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(
        jwk in members(),
        base in proptest::sample::select(vec![es256(), ed25519(), oct(), json!({})]),
        text: Vec<u8>,
    ) {
        let _ = Jwk::from_json(&text);
        let mut whole = base;
        for (name, value) in jwk.as_object().unwrap() {
            whole[name] = value.clone();
        }
        if let Ok(jwk) = read(&whole) {
            let _ = (jwk.to_json(), jwk.thumbprint(), format!("{jwk:?}"));
            for algorithm in Algorithm::ALL {
                let _ = SigningKey::from_jwk(&jwk, *algorithm);
                let _ = VerifyingKey::from_jwk(&jwk, *algorithm);
            }
        }
    }
}

#[test]
fn round_trip_keeps_every_public_member() {
    for algorithm in Algorithm::ALL {
        if let Some(jwk) = key_for(*algorithm).verifying_key().to_jwk() {
            let again = Jwk::from_json(jwk.to_json().as_bytes()).unwrap();
            assert_eq!(again.to_json(), jwk.to_json());
            assert_eq!(again.thumbprint(), jwk.thumbprint());
            assert_eq!(again.natural_algorithm(), Some(*algorithm));
        }
    }
}
