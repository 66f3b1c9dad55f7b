//! What is signed and what is not, and the unproven reading of what was.

use super::{SignError, encoded_header};
use crate::testing::{HEADER, NOW, SECRET, encode, key, verifier};
use crate::{Algorithm, JsonFault, KeyId, Rules, danger_peek};

#[test]
fn header_is_exactly_alg_and_typ() {
    let token = key().sign(b"{}").unwrap();
    assert!(
        token.starts_with(&format!("{}.e30.", encode(HEADER))),
        "{token}"
    );
    for algorithm in Algorithm::ALL.iter().copied() {
        let expected = encode(format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#));
        assert_eq!(encoded_header(algorithm, None), expected);
        let id = KeyId::new("a\"b").unwrap();
        let expected = encode(format!(
            r#"{{"alg":"{algorithm}","kid":"a\"b","typ":"JWT"}}"#
        ));
        assert_eq!(encoded_header(algorithm, Some(&id)), expected);
    }
}

#[test]
fn claims_are_signed_byte_for_byte() {
    let claims = "{ \"b\" : 1.0,\r\n \"a\":\"\\u00e9é\" }".as_bytes();
    let token = key().sign(claims).unwrap();
    let verified = verifier(Rules::new()).verify(&token, NOW).unwrap();
    assert_eq!(verified.payload_json(), claims);
}

#[test]
fn what_is_not_an_acceptable_object_is_not_signed() {
    for (claims, fault) in [
        (&b""[..], JsonFault::Syntax),
        (b"{", JsonFault::Syntax),
        (b"[]", JsonFault::NotObject),
        (b"null", JsonFault::NotObject),
        (b"{\"exp\":NaN}", JsonFault::Syntax),
        (b"{\"a\":1,\"a\":1}", JsonFault::DuplicateName),
        (b"{\"a\":\"\xff\"}", JsonFault::NotUtf8),
    ] {
        assert_eq!(key().sign(claims), Err(SignError::Claims(fault)));
    }
}

/// `flatten` lets a map of anything write over the fields beside it: `{"sub":"1","sub":"2"}`, of
/// which many verifiers take the last.
#[test]
fn typed_claims_that_say_a_name_twice_are_not_signed() {
    #[derive(serde::Serialize)]
    struct Claims {
        sub: &'static str,
        #[serde(flatten)]
        more: std::collections::BTreeMap<&'static str, &'static str>,
    }
    let claims = |name| Claims {
        sub: "1",
        more: [(name, "2")].into(),
    };
    assert!(key().sign_claims(&claims("role")).is_ok());
    let error = key().sign_claims(&claims("sub")).unwrap_err();
    assert_eq!(error, SignError::Claims(JsonFault::DuplicateName));
}

#[test]
fn typed_claims_that_no_verifier_would_read_are_not_signed() {
    let deep = (0..40).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    let error = key()
        .sign_claims(&serde_json::json!({"a": deep}))
        .unwrap_err();
    assert_eq!(error, SignError::Claims(JsonFault::TooDeep));
    for (claims, fault) in [
        (serde_json::json!([1]), JsonFault::NotObject),
        (serde_json::json!(null), JsonFault::NotObject),
        (serde_json::json!("{}"), JsonFault::NotObject),
    ] {
        assert_eq!(key().sign_claims(&claims), Err(SignError::Claims(fault)));
    }
}

#[test]
fn signed_token_is_never_longer_than_the_bound() {
    let claims = br#"{"a":"some text"}"#;
    let token = key().sign(claims).unwrap();
    let longest = token.len();
    assert_eq!(key().sign_within(claims, longest), Ok(token));
    let longest = longest - 1;
    assert_eq!(
        key().sign_within(claims, longest),
        Err(SignError::TooLong { longest })
    );
    let longest = crate::DEFAULT_LONGEST_TOKEN;
    assert_eq!(
        key().sign(&[b' '; 8 * 1024]),
        Err(SignError::TooLong { longest })
    );
}

#[test]
fn peeking_shows_texts_and_proves_nothing() {
    let good = key().sign(br#"{"exp":1,"sub":5}"#).unwrap();
    let (signed, _) = good.rsplit_once('.').unwrap();
    for token in [good.clone(), format!("{signed}."), format!("{signed}.AAAA")] {
        let unproven = danger_peek(&token, 1000).unwrap();
        assert_eq!(unproven.header_json(), HEADER.as_bytes());
        assert_eq!(unproven.payload(), br#"{"exp":1,"sub":5}"#);
    }
}

#[test]
fn peeking_is_as_strict_about_form() {
    let good = key().sign(b"{}").unwrap();
    for token in [
        format!("{good}="),
        format!(" {good}"),
        "a.b".to_owned(),
        "e30.W10.".to_owned(),
    ] {
        assert!(danger_peek(&token, 1000).is_err(), "{token}");
    }
    assert!(danger_peek(&good, good.len() - 1).is_err());
}

#[test]
fn errors_of_signing_show_no_claims() {
    let error = key().sign(br#"{"name":"jane","name":"jane"}"#).unwrap_err();
    let shown = format!(
        "{error} {error:?} {}",
        std::error::Error::source(&error).unwrap()
    );
    assert!(
        !shown.contains("jane") && !shown.contains("name\""),
        "{shown}"
    );
    let secret = String::from_utf8_lossy(SECRET);
    assert!(!shown.contains(&*secret));
}

/// Writes these names, each with the value 0.
struct Named<'n>(&'n [Name]);

#[derive(Clone, Copy)]
enum Name {
    Text(&'static str),
    Number(u64),
}

impl serde::Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = out.serialize_map(None)?;
        for name in self.0 {
            match name {
                Name::Text(text) => map.serialize_entry(text, &0)?,
                Name::Number(number) => map.serialize_entry(number, &0)?,
            }
        }
        map.end()
    }
}

#[test]
fn name_that_occurs_twice_is_noticed_however_it_is_written() {
    use Name::{Number, Text};
    let long = "a name of more than eight bytes, and more than sixteen";
    for twins in [
        [Text("sub"), Text("sub")],
        [Text(""), Text("")],
        [Text("1"), Number(1)],
        [Number(7), Number(7)],
        [Text("a\"b\n"), Text("a\"b\n")],
        [Text(long), Text(long)],
    ] {
        let expected = Err(SignError::Claims(JsonFault::DuplicateName));
        assert_eq!(key().sign_claims(&Named(&twins)), expected);
        let within = serde_json::json!({"x": [1]});
        assert!(key().sign_claims(&within).is_ok());
        #[derive(serde::Serialize)]
        struct Outer<'n> {
            list: [Named<'n>; 1],
        }
        let nested = Outer {
            list: [Named(&twins)],
        };
        assert_eq!(key().sign_claims(&nested), expected);
    }
    for different in [
        [Text("sub"), Text("sub ")],
        [Text(""), Number(1)],
        [Text("12"), Number(1)],
        [Text("a\\b"), Text("a\"b")],
    ] {
        assert!(key().sign_claims(&Named(&different)).is_ok());
    }
}

#[test]
fn equal_names_in_different_objects_are_signed() {
    let claims =
        serde_json::json!({"a": {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}, "b": {"a": 1}});
    assert!(key().sign_claims(&claims).is_ok());
}

#[test]
fn many_names_are_signed_and_twins_among_them_noticed() {
    let names: Vec<Name> = (0..100).map(Name::Number).collect();
    assert!(key().sign_claims(&Named(&names)).is_ok());
    let twins = [&names[..], &[Name::Number(99)]].concat();
    let expected = Err(SignError::Claims(JsonFault::DuplicateName));
    assert_eq!(key().sign_claims(&Named(&twins)), expected);
}
