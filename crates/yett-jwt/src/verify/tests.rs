//! The whole way: signatures, the order of checks, what refusals show. Published vectors are in
//! `tests/vectors/`, properties of all algorithms in `tests/algorithms/`.

use std::error::Error as _;

use base64::Engine as _;

use super::Verifier;
use crate::compact::BASE64URL;
use crate::testing::{HEADER, NOW, encode, key, seal, token, verifier};
use crate::{JsonFault, Part, Refusal, RefusalKind, Rules, SigningKey, UnixSeconds};

#[test]
fn token_of_another_key_is_refused() {
    let other = SigningKey::hs256(b"another secret of the tests, just as long").unwrap();
    let token = other.sign(b"{}").unwrap();
    let refusal = verifier(Rules::new()).verify(&token, NOW).unwrap_err();
    assert_eq!(refusal, Refusal::Signature);
    assert_eq!(refusal.kind(), RefusalKind::Signature);
}

#[test]
fn signature_of_another_length_is_refused() {
    let good = token(HEADER, "{}");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bytes = BASE64URL.decode(signature).unwrap();
    let longer = [&bytes[..], &bytes[..]].concat();
    for wrong in [
        &bytes[..0],
        &bytes[..1],
        &bytes[..16],
        &bytes[..31],
        &longer[..33],
        &longer,
    ] {
        let token = format!("{signed}.{}", encode(wrong));
        let refusal = verifier(Rules::new()).verify(&token, NOW).unwrap_err();
        assert_eq!(refusal, Refusal::Signature, "{} bytes", wrong.len());
    }
}

#[test]
fn signature_is_checked_before_the_payload_is_read() {
    let good = token(HEADER, "{}");
    let (_, signature) = good.rsplit_once('.').unwrap();
    // Broken base64, broken JSON, an expired token: none of it shows while the signature is wrong.
    for payload in ["*".to_owned(), encode("{"), encode(r#"{"exp":1}"#)] {
        let token = format!("{}.{payload}.{signature}", encode(HEADER));
        let refusal = verifier(Rules::new()).verify(&token, NOW).unwrap_err();
        assert_eq!(refusal, Refusal::Signature, "{payload}");
    }
}

#[test]
fn signature_covers_the_encoded_text() {
    // The same JSON in another spacing, and the parts in another order, under the signature of the
    // first.
    let good = token(HEADER, r#"{"a":1}"#);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    for signed in [
        format!("{header}.{}", encode(r#"{"a": 1}"#)),
        format!("{}.{payload}", encode(r#"{"typ":"JWT","alg":"HS256"}"#)),
    ] {
        let refusal = verifier(Rules::new()).verify(&format!("{signed}.{signature}"), NOW);
        assert_eq!(refusal.unwrap_err(), Refusal::Signature);
    }
}

#[test]
fn header_alg_must_equal_the_keys() {
    // Under the key's own signature. All pairs of algorithms are in `tests/algorithms/`.
    for name in [
        "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "Ed25519",
    ] {
        let token = token(format!(r#"{{"alg":"{name}"}}"#), "{}");
        let kind = verifier(Rules::new())
            .verify(&token, NOW)
            .unwrap_err()
            .kind();
        assert_eq!(kind, RefusalKind::Algorithm, "{name}");
    }
}

#[test]
fn empty_parts_are_refused() {
    let syntax = |part| Refusal::Json {
        part,
        fault: JsonFault::Syntax,
    };
    for (token, expected) in [
        ("..".to_owned(), syntax(Part::Header)),
        (seal("."), syntax(Part::Header)),
        (seal(&format!("{}.", encode(HEADER))), syntax(Part::Payload)),
        (format!("{}.e30.", encode(HEADER)), Refusal::Signature),
    ] {
        assert_eq!(
            verifier(Rules::new()).verify(&token, NOW).unwrap_err(),
            expected,
            "{token}"
        );
    }
}

#[test]
fn refusals_show_nothing_of_the_token() {
    let secret = "CANARY";
    let tokens = [
        format!("{secret}.{secret}"),
        format!("{secret}.{secret}.{secret}"),
        token(format!(r#"{{"alg":"{secret}"}}"#), "{}"),
        token(format!(r#"{{"alg":"HS256","typ":"{secret}"}}"#), "{}"),
        token(format!(r#"{{"alg":"HS256","crit":["{secret}"]}}"#), "{}"),
        token(format!(r#"{{"alg":"HS256","kid":["{secret}"]}}"#), "{}"),
        token(HEADER, secret),
        token(HEADER, format!(r#"{{"{secret}":1,"{secret}":1}}"#)),
        token(HEADER, format!(r#"{{"{secret}":{secret}}}"#)),
        token(HEADER, format!(r#"{{"iss":"{secret}"}}"#)),
        token(HEADER, format!(r#"{{"iss":"i","aud":"{secret}"}}"#)),
        token(HEADER, format!(r#"{{"iss":"i","sub":["{secret}"]}}"#)),
        token(HEADER, format!(r#"{{"exp":"{secret}"}}"#)),
    ];
    for token in tokens {
        let refusal = verifier(Rules::new().issuer("i"))
            .verify(&token, NOW)
            .expect_err(&token);
        let mut shown = format!("{refusal} {refusal:?} {:?}", refusal.kind());
        if let Some(source) = refusal.source() {
            shown.push_str(&source.to_string());
        }
        assert!(!shown.contains(secret), "{shown}");
        assert!(
            !token
                .split('.')
                .any(|part| part.len() > 3 && shown.contains(part)),
            "{shown}"
        );
    }
}

#[test]
fn verified_does_not_print_its_payload() {
    let token = key().sign(br#"{"sub":"jane@example.com"}"#).unwrap();
    let verified = verifier(Rules::new()).verify(&token, NOW).unwrap();
    assert!(!format!("{verified:?}").contains("jane"));
}

#[test]
fn messages_for_the_log_stay_as_they_are() {
    let expired = Refusal::Expired {
        expires_at: UnixSeconds::new(5),
        now: UnixSeconds::new(7),
    };
    let json = Refusal::Json {
        part: Part::Payload,
        fault: JsonFault::DuplicateName,
    };
    for (refusal, message) in [
        (
            Refusal::TooLong {
                bytes: 9,
                longest: 8,
            },
            "the token has 9 bytes, more than 8",
        ),
        (Refusal::Parts, "the token has not exactly three parts"),
        (
            Refusal::Encoding(Part::Signature),
            "the signature is not strict base64url",
        ),
        (json.clone(), "the payload is refused"),
        (expired, "the token expired at 5; it is 7"),
        (
            Refusal::Missing {
                claim: "jti".into(),
            },
            "claim jti is missing",
        ),
    ] {
        assert_eq!(refusal.to_string(), message);
    }
    assert_eq!(
        json.source().unwrap().to_string(),
        "a name occurs twice in an object"
    );
}

#[test]
fn verifier_can_be_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Verifier>();
    check::<SigningKey>();
    check::<crate::Verified>();
    check::<Refusal>();
}
