//! Refusals in words.

use super::*;
use yett_jwt::{Rules, SigningKey, Verifier};

const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

fn key() -> SigningKey {
    SigningKey::hs256(b"a secret of the tests, long enough for HS256").unwrap()
}

/// The hint for a well-signed token with these claims under these rules.
fn hint_for(claims: &str, rules: Rules) -> Option<String> {
    let token = key().sign(claims.as_bytes()).unwrap();
    let verifier = Verifier::new(key().verifying_key(), rules);
    let refusal = verifier.verify(&token, NOW).unwrap_err();
    hint(&refusal, &token, None)
}

#[test]
fn times_are_told_as_people_tell_them() {
    assert_eq!(
        hint_for(r#"{"exp":1699999820}"#, Rules::new()).unwrap(),
        "it expired 3 min ago, at 2023-11-14T22:10:20Z; \
         --leeway forgives clocks that differ, --at looks as of another moment"
    );
    assert!(
        hint_for(r#"{"nbf":1700000300}"#, Rules::new())
            .unwrap()
            .starts_with("that is in 5 min, at 2023-11-14T22:18:20Z;")
    );
}

#[test]
fn what_the_token_says_instead_is_named() {
    let audience = r#"{"aud":["a","b\u001b"]}"#;
    assert_eq!(
        hint_for(audience, Rules::new()).unwrap(),
        r#"its aud is ["a","b\u001b"]; say who you are with --audience, or --any-audience"#
    );
    assert_eq!(
        hint_for(r#"{"iss":"x"}"#, Rules::new().issuer("y")).unwrap(),
        r#"its iss is "x""#
    );
    assert_eq!(hint_for("{}", Rules::new().require("exp")), None);
}

#[test]
fn an_unknown_key_is_named_beside_the_keys_of_the_set() {
    let named = |token: &str, ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
        hint(&Refusal::UnknownKey, token, Some(&ids)).unwrap()
    };
    let id = yett_jwt::KeyId::new("new").unwrap();
    let token = key().with_key_id(id).sign(b"{}").unwrap();
    assert_eq!(
        named(&token, &["a", "b\n"]),
        r#"it names the key "new"; the set has "a", "b\n""#
    );
    let token = key().sign(b"{}").unwrap();
    assert_eq!(
        named(&token, &[]),
        r#"it names no key, and the algorithm "HS256"; no key of the set has an id"#
    );
}

#[test]
fn what_was_copied_along_is_pointed_out() {
    for token in ["Bearer a.b.c", " a.b.c", "\"a.b.c\"", "a.b.c\n"] {
        assert_eq!(
            form_hint(token).unwrap(),
            "give the token alone, without Bearer, quotes or white space",
            "{token:?}"
        );
    }
    assert!(form_hint("a.b.c.d.e").unwrap().contains("encrypted"));
    assert!(form_hint("{}").unwrap().contains("this is JSON"));
    assert!(form_hint("a+b.c.d").unwrap().contains("base64url"));
    assert!(
        form_hint("aa\naa.c.d")
            .unwrap()
            .contains("white space inside")
    );
    assert!(form_hint("é.c.d").unwrap().contains("'é'"));
}

#[test]
fn a_refusal_for_programs_has_a_name_and_a_sentence() {
    let refusal = Refusal::Signature;
    assert_eq!(
        json(&refusal, None, NOW),
        "{\n  \"verified\": false,\n  \"refusal\": {\n    \"kind\": \"signature\",\n    \
         \"message\": \"the signature does not match\",\n    \"hint\": null\n  },\n  \
         \"at\": 1700000000\n}\n"
    );
}
