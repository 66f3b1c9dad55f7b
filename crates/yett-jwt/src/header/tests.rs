//! What a header may say.

use super::{Header, UsualHeaders};
use crate::testing::{HEADER, NOW, encode, token, try_header, verifier};
use crate::{Algorithm, HeaderType, JsonFault, Part, Refusal, RefusalKind, Rules};

fn check(header: &str, expected: Refusal) {
    assert_eq!(try_header(header), Err(expected), "{header}");
}

#[test]
fn alg_none_in_any_spelling_is_refused() {
    for none in ["none", "None", "NONE", "nOnE", "n\\u006fne"] {
        check(&format!(r#"{{"alg":"{none}"}}"#), Refusal::AlgorithmNone);
    }
    // Not a spelling of `none` for us, but for those that trim; refused like any unknown name.
    for unknown in [" none", "none ", "none\\u0000", "ｎone", ""] {
        check(
            &format!(r#"{{"alg":"{unknown}"}}"#),
            Refusal::AlgorithmUnknown,
        );
    }
}

#[test]
fn unknown_alg_is_refused() {
    for name in [
        "hs256", "Hs256", "HS256 ", "RS1", "ES256k", "EDDSA", "Ed448", "dir", "HMAC",
    ] {
        check(
            &format!(r#"{{"alg":"{name}","typ":"JWT"}}"#),
            Refusal::AlgorithmUnknown,
        );
    }
}

#[test]
fn missing_alg_is_refused() {
    for header in [
        "{}",
        r#"{"typ":"JWT"}"#,
        r#"{"ALG":"HS256"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":{"HS256":true}}"#,
        r#"{"alg":256}"#,
        r#"{"header":{"alg":"HS256"}}"#,
    ] {
        check(header, Refusal::AlgorithmMissing);
    }
    assert_eq!(Refusal::AlgorithmMissing.kind(), RefusalKind::Algorithm);
}

#[test]
fn crit_in_any_form_is_refused() {
    for crit in [
        r#"["b64"]"#,
        r#"["exp"]"#,
        "[]",
        r#""b64""#,
        "null",
        "1",
        "{}",
        r#"["x","x"]"#,
    ] {
        check(
            &format!(r#"{{"alg":"HS256","crit":{crit},"exp":1}}"#),
            Refusal::Critical,
        );
    }
}

#[test]
fn b64_in_any_form_is_refused() {
    for b64 in ["false", "true", "null", r#""false""#] {
        check(
            &format!(r#"{{"alg":"HS256","b64":{b64}}}"#),
            Refusal::Unencoded,
        );
    }
}

#[test]
fn keys_offered_by_the_header_are_ignored() {
    // The attacker's own secret as a JWK, and addresses where to fetch keys: the signature still
    // needs our key.
    let header = r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"},"jku":"https://evil.example/jwks",
        "x5u":"https://evil.example/x5u","x5c":["MIIB"],"x5t":"AA","x5t#S256":"AA"}"#;
    assert_eq!(try_header(header), Ok(()));
    let forged = token(header, "{}");
    let (signed, _) = forged.rsplit_once('.').unwrap();
    let attacker = crate::SigningKey::danger_hs256_short(&[0, 0, 0]).unwrap();
    let forged = format!(
        "{signed}.{}",
        encode(attacker.signature(signed.as_bytes()).unwrap())
    );
    let refusal = verifier(Rules::new()).verify(&forged, NOW).unwrap_err();
    assert_eq!(refusal, Refusal::Signature);
}

#[test]
fn typ_is_absent_or_jwt_by_default() {
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"jwt"}"#,
        r#"{"typ":"Jwt","alg":"HS256","extra":[1,{"a":null}]}"#,
    ] {
        assert_eq!(try_header(header), Ok(()), "{header}");
    }
    for typ in [
        r#""at+jwt""#,
        r#""JWE""#,
        r#""""#,
        r#"" JWT""#,
        "null",
        "1",
        r#"["JWT"]"#,
    ] {
        check(
            &format!(r#"{{"alg":"HS256","typ":{typ}}}"#),
            Refusal::HeaderType,
        );
    }
}

#[test]
fn access_token_type_is_required_by_its_rule() {
    let rules = Rules::new().header_type(HeaderType::AccessToken);
    let verifier = verifier(rules);
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let token = token(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), "{}");
        assert!(verifier.verify(&token, NOW).is_ok(), "{typ}");
    }
    for header in [
        HEADER,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"rt+jwt"}"#,
    ] {
        let refusal = verifier.verify(&token(header, "{}"), NOW).unwrap_err();
        assert_eq!(refusal, Refusal::HeaderType, "{header}");
    }
}

#[test]
fn kid_is_a_short_string() {
    let with_kid = |kid: &str| format!(r#"{{"alg":"HS256","kid":{kid}}}"#);
    for kid in ["1", "null", "true", r#"["a"]"#, r#"{"a":"b"}"#] {
        check(&with_kid(kid), Refusal::KeyId);
    }
    assert_eq!(
        try_header(&with_kid(&format!(r#""{}""#, "k".repeat(256)))),
        Ok(())
    );
    check(
        &with_kid(&format!(r#""{}""#, "k".repeat(257))),
        Refusal::KeyId,
    );
}

#[test]
fn kid_is_only_a_name() {
    // A path, a query, a control character: carried, never used, escaped when shown.
    let token = token(r#"{"alg":"HS256","kid":"../../dev/null' OR 1=1\n"}"#, "{}");
    let verified = verifier(Rules::new()).verify(&token, NOW).unwrap();
    let key_id = verified.key_id().unwrap();
    assert_eq!(key_id.as_str(), "../../dev/null' OR 1=1\n");
    assert_eq!(key_id.to_string(), r"../../dev/null\' OR 1=1\n");
}

#[test]
fn duplicate_names_in_the_header_are_refused() {
    let refusal = Refusal::Json {
        part: Part::Header,
        fault: JsonFault::DuplicateName,
    };
    check(r#"{"alg":"HS256","alg":"none"}"#, refusal.clone());
    check(r#"{"alg":"HS256","x":{"y":1,"y":1}}"#, refusal);
}

#[test]
fn header_that_is_not_an_object_is_refused() {
    let not_object = Refusal::Json {
        part: Part::Header,
        fault: JsonFault::NotObject,
    };
    check(r#"["alg"]"#, not_object.clone());
    check(r#""HS256""#, not_object);
    check(
        "",
        Refusal::Json {
            part: Part::Header,
            fault: JsonFault::Syntax,
        },
    );
}

#[test]
fn recognized_headers_mean_what_parsing_them_says() {
    for algorithm in Algorithm::ALL {
        for text in [
            format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#),
            format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#),
        ] {
            let encoded = encode(&text);
            let recognized = UsualHeaders::of(*algorithm).recognize(&encoded);
            assert_eq!(recognized, Header::parse(&encoded).ok(), "{text}");
        }
    }
}
