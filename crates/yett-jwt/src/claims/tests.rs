//! Types of claims, and times.

use super::Registered;
use crate::testing::{refusal, try_claims};
use crate::{JsonFault, Part, Refusal, RefusalKind, Rules, UnixSeconds};

/// Rules that would not mind any `aud`, so that its type is what is tested.
fn lax() -> Rules {
    Rules::new().danger_any_audience()
}

#[test]
fn wrong_typed_time_is_refused() {
    for claim in [
        Registered::ExpiresAt,
        Registered::NotBefore,
        Registered::IssuedAt,
    ] {
        for value in [
            "null",
            "true",
            r#""1900000000""#,
            r#""""#,
            "[1900000000]",
            "{}",
        ] {
            let payload = format!(r#"{{"{claim}":{value}}}"#);
            let refusal = refusal(&payload, lax());
            assert_eq!(refusal, Refusal::WrongType(claim), "{payload}");
            assert_eq!(refusal.kind(), RefusalKind::InvalidClaim);
        }
    }
}

#[test]
fn wrong_typed_string_claim_is_refused() {
    for claim in [Registered::Issuer, Registered::Subject, Registered::TokenId] {
        for value in ["null", "false", "42", r#"["a"]"#, r#"{"a":1}"#] {
            let payload = format!(r#"{{"{claim}":{value}}}"#);
            assert_eq!(
                refusal(&payload, lax()),
                Refusal::WrongType(claim),
                "{payload}"
            );
        }
    }
}

#[test]
fn wrong_typed_audience_is_refused() {
    for value in [
        "null",
        "true",
        "1",
        r#"{"a":"a"}"#,
        "[1]",
        r#"["a",null]"#,
        r#"[["a"]]"#,
    ] {
        let payload = format!(r#"{{"aud":{value}}}"#);
        let expected = Refusal::WrongType(Registered::Audience);
        assert_eq!(refusal(&payload, lax()), expected, "{payload}");
        assert_eq!(
            refusal(&payload, Rules::new().audience("a")),
            expected,
            "{payload}"
        );
    }
}

#[test]
fn time_beyond_64_bits_is_refused() {
    for number in [
        "9223372036854775808",
        "18446744073709551616",
        "1e19",
        "-1e19",
        "1e300",
    ] {
        let payload = format!(r#"{{"exp":{number}}}"#);
        assert_eq!(
            refusal(&payload, Rules::new()),
            Refusal::OutOfRange(Registered::ExpiresAt),
            "{payload}"
        );
    }
    let claims = try_claims(r#"{"exp":9223372036854775807}"#, Rules::new()).unwrap();
    assert_eq!(claims.expires_at(), Some(UnixSeconds::new(i64::MAX)));
    let claims = try_claims(r#"{"iat":-9223372036854775808}"#, Rules::new()).unwrap();
    assert_eq!(claims.issued_at(), Some(UnixSeconds::new(i64::MIN)));
}

#[test]
fn infinite_time_is_refused() {
    for number in ["NaN", "Infinity", "1e400"] {
        let fault = JsonFault::Syntax;
        assert_eq!(
            refusal(&format!(r#"{{"exp":{number}}}"#), Rules::new()),
            Refusal::Json {
                part: Part::Payload,
                fault
            }
        );
    }
}

#[test]
fn fractions_of_a_second_are_cut_off() {
    let claims = try_claims(
        r#"{"iat":1600000000.999,"exp":1.8e9,"nbf":-0.5}"#,
        Rules::new(),
    );
    let claims = claims.unwrap();
    assert_eq!(claims.issued_at(), Some(UnixSeconds::new(1_600_000_000)));
    assert_eq!(claims.expires_at(), Some(UnixSeconds::new(1_800_000_000)));
    assert_eq!(claims.not_before(), Some(UnixSeconds::new(-1)));
}

#[test]
fn duplicate_claims_are_refused() {
    let expected = Refusal::Json {
        part: Part::Payload,
        fault: JsonFault::DuplicateName,
    };
    assert_eq!(
        refusal(r#"{"exp":1900000000,"exp":1}"#, Rules::new()),
        expected
    );
    assert_eq!(
        refusal(r#"{"user":{"id":1,"id":2}}"#, Rules::new()),
        expected
    );
}

#[test]
fn payload_that_is_not_an_object_is_refused() {
    for payload in ["[]", r#""claims""#, "1", "null"] {
        let fault = JsonFault::NotObject;
        assert_eq!(
            refusal(payload, Rules::new()),
            Refusal::Json {
                part: Part::Payload,
                fault
            }
        );
    }
}

#[test]
fn claims_can_be_read_typed_and_by_name() {
    let claims = try_claims(
        r#"{"iss":"i","sub":"s","aud":["a","b"],"jti":"j","user_id":"7","nested":{"x":[1]}}"#,
        Rules::new().audience("b"),
    )
    .unwrap();
    assert_eq!(claims.issuer(), Some("i"));
    assert_eq!(claims.subject(), Some("s"));
    assert_eq!(claims.token_id(), Some("j"));
    assert_eq!(claims.audiences().collect::<Vec<_>>(), ["a", "b"]);
    let value = |name| claims.claim(name).map(|found| found.to_value());
    assert_eq!(value("user_id"), Some(serde_json::json!("7")));
    assert_eq!(value("nested"), Some(serde_json::json!({"x": [1]})));
    assert_eq!(value("exp"), None);
    assert_eq!(claims.expires_at(), None);

    let claims = try_claims(r#"{"aud":"single"}"#, Rules::new().audience("single")).unwrap();
    assert_eq!(claims.audiences().collect::<Vec<_>>(), ["single"]);
    let claims = try_claims("{}", Rules::new()).unwrap();
    assert_eq!(claims.audiences().count(), 0);
}

#[test]
fn claims_do_not_print_their_values() {
    let claims = try_claims(r#"{"sub":"jane@example.com"}"#, Rules::new()).unwrap();
    assert!(!format!("{claims:?}").contains("jane"));
}

#[test]
fn numbers_at_the_edge_of_floats_are_the_same_for_every_reader() {
    // The first is the largest float, written with a digit too many: a parser that rounds twice
    // calls it infinite. The next differ in the last bit if rounded carelessly.
    for text in [
        "1.7976931348623158e308",
        "17976931348623158e292",
        "7.2057594037927933e16",
        "8.533283302122000e22",
        "2.2250738585072011e-308",
        "5e-324",
        "1e-400",
        "-0",
        "-0.0",
        "18446744073709551616",
    ] {
        let payload = format!(r#"{{"a":{text},"b":[{text}]}}"#);
        let claims = try_claims(&payload, Rules::new()).unwrap();
        let expected: f64 = text.parse().unwrap();
        let bits = |value: &serde_json::Value| value.as_f64().map(f64::to_bits);
        let expected_bits = Some(expected.to_bits());
        let tree = claims.claim("a").unwrap().to_value();
        assert_eq!(bits(&tree), expected_bits, "{text}: tree");
        let typed: serde_json::Map<_, _> = claims.deserialize().unwrap();
        assert_eq!(bits(&typed["a"]), expected_bits, "{text}: typed");
        assert_eq!(
            bits(&typed["b"][0]),
            expected_bits,
            "{text}: within an array"
        );
        let number = claims
            .claim("a")
            .and_then(|value| value.as_number())
            .unwrap();
        assert_eq!(
            number.as_f64().to_bits(),
            expected.to_bits(),
            "{text}: view"
        );
    }
}
