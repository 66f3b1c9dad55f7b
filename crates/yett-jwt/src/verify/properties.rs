//! Properties of the whole way, for tokens and texts that nobody thought of.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

use crate::testing::{HEADER, NOW, encode, key, seal, verifier};
use crate::{Rules, UnixSeconds, danger_peek};

/// JSON values up to three levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("\\PC{0,6}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Claims without registered names, so that any value is acceptable.
fn claims() -> impl Strategy<Value = Value> {
    btree_map("x_[a-z]{0,8}", json(), 0..6).prop_map(|map| map.into_iter().collect())
}

fn is_refused(token: &str) -> bool {
    verifier(Rules::new()).verify(token, NOW).is_err()
}

proptest! {
    #[test]
    fn what_is_signed_is_verified_and_unchanged(claims in claims()) {
        let text = serde_json::to_vec(&claims).unwrap();
        let token = key().sign(&text).unwrap();
        let verified = verifier(Rules::new()).verify(&token, NOW).unwrap();
        prop_assert_eq!(verified.payload_json(), &text[..]);
        for (name, value) in claims.as_object().unwrap() {
            prop_assert_eq!(verified.claims().claim(name).map(|found| found.to_value()), Some(value.clone()));
        }
    }

    #[test]
    fn any_changed_character_is_refused(
        claims in claims(),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        let token = key().sign(claims.to_string().as_bytes()).unwrap();
        let at = at.index(token.len());
        prop_assume!(!token[at..].starts_with(with));
        let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
        prop_assert!(is_refused(&changed), "{}", changed);
    }

    #[test]
    fn any_changed_base64url_character_is_refused(
        at in any::<prop::sample::Index>(),
        with in "[A-Za-z0-9_.-]",
    ) {
        let token = key().sign(br#"{"sub":"1","exp":1900000000}"#).unwrap();
        let at = at.index(token.len());
        prop_assume!(!token[at..].starts_with(&with));
        let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
        prop_assert!(is_refused(&changed), "{}", changed);
    }

    #[test]
    fn any_removed_character_is_refused(claims in claims(), at in any::<prop::sample::Index>()) {
        let mut token = key().sign(claims.to_string().as_bytes()).unwrap();
        token.remove(at.index(token.len()));
        prop_assert!(is_refused(&token), "{}", token);
    }

    #[test]
    fn any_inserted_padding_or_white_space_is_refused(
        claims in claims(),
        at in any::<prop::sample::Index>(),
        what in "[= \t\r\n\u{b}\u{c}\u{a0}]{1,3}",
    ) {
        let mut token = key().sign(claims.to_string().as_bytes()).unwrap();
        token.insert_str(at.index(token.len() + 1), &what);
        prop_assert!(is_refused(&token), "{}", token);
    }

    #[test]
    fn any_other_spelling_of_the_unused_bits_is_refused(
        claims in claims(),
        last in "[A-Za-z0-9_-]",
    ) {
        // The payload with another last character, rightly signed: either other bytes, or not
        // canonical.
        let payload = encode(claims.to_string());
        let respelt = format!("{}{last}", &payload[..payload.len() - 1]);
        prop_assume!(payload != respelt && payload.len() % 4 != 0);
        let token = seal(&format!("{}.{respelt}", encode(HEADER)));
        if let Ok(verified) = verifier(Rules::new()).verify(&token, NOW) {
            prop_assert_eq!(encode(verified.payload_json()), respelt);
        }
    }

    #[test]
    fn a_token_has_only_one_spelling_of_its_signature(claims in claims(), last in "[A-Za-z0-9_-]") {
        let token = key().sign(claims.to_string().as_bytes()).unwrap();
        let respelt = format!("{}{last}", &token[..token.len() - 1]);
        prop_assert_eq!(is_refused(&respelt), respelt != token);
    }

    #[test]
    fn arbitrary_text_is_refused_without_panic(text in any::<String>()) {
        prop_assert!(is_refused(&text));
        let _ = danger_peek(&text, 1000);
    }

    #[test]
    fn arbitrary_parts_are_refused_without_panic(
        header in any::<Vec<u8>>(),
        payload in any::<Vec<u8>>(),
        signature in any::<Vec<u8>>(),
    ) {
        let token = format!("{}.{}.{}", encode(header), encode(payload), encode(signature));
        prop_assert!(is_refused(&token));
        let _ = danger_peek(&token, 1000);
    }

    #[test]
    fn arbitrary_signed_text_never_panics(header in "\\PC{0,40}", payload in "\\PC{0,80}") {
        for signed in [
            format!("{header}.{payload}"),
            format!("{}.{}", encode(&header), encode(&payload)),
        ] {
            let _ = verifier(Rules::new()).verify(&seal(&signed), NOW);
        }
    }

    #[test]
    fn registered_claims_of_any_type_never_panic(
        name in "exp|nbf|iat|iss|sub|aud|jti",
        value in json(),
        now in any::<i64>(),
        leeway in any::<u32>(),
    ) {
        let claims = Value::from_iter([(name.clone(), value.clone())]);
        let token = key().sign(claims.to_string().as_bytes()).unwrap();
        let rules = Rules::new().leeway(leeway).danger_any_audience();
        if let Ok(verified) = verifier(rules).verify(&token, UnixSeconds::new(now)) {
            // What was let through has its type.
            let is_typed = match name.as_str() {
                "exp" | "nbf" | "iat" => value.is_number(),
                "aud" if value.is_array() => value.as_array().unwrap().iter().all(Value::is_string),
                _ => value.is_string(),
            };
            prop_assert!(is_typed, "{}: {}", name, value);
            prop_assert_eq!(verified.claims().claim(&name).map(|found| found.to_value()), Some(value));
        }
    }

    #[test]
    fn arbitrary_secrets_never_panic(secret in any::<Vec<u8>>(), der in vec(any::<u8>(), 0..40)) {
        let _ = crate::SigningKey::danger_hs256_short(&secret);
        let _ = crate::SigningKey::danger_hs256_short(&[&[0x30][..], &der].concat());
    }
}
