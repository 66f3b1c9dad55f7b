//! Tokens that nobody thought of: random headers and claims under right signatures, and random
//! changes of good tokens.

use proptest::collection::vec;
use proptest::prelude::*;
use yett_jwt::Algorithm;

use super::differences::compare;
use super::{SHARED, pair};

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(&SHARED[..])
}

/// Header members beside `alg`, good and odd.
fn header_members() -> impl Strategy<Value = String> {
    let member = prop::sample::select(vec![
        r#""typ":"JWT""#,
        r#""typ":"jwt""#,
        r#""typ":"at+jwt""#,
        r#""typ":1"#,
        r#""typ":null"#,
        r#""kid":"a""#,
        r#""kid":"""#,
        r#""kid":7"#,
        r#""kid":null"#,
        r#""crit":[]"#,
        r#""crit":["b64"]"#,
        r#""crit":null"#,
        r#""b64":true"#,
        r#""b64":false"#,
        r#""jku":"https://example.com""#,
        r#""jku":1"#,
        r#""jwk":{"kty":"oct","k":"AAAA"}"#,
        r#""x5c":["AAAA"]"#,
        r#""x5c":"AAAA""#,
        r#""cty":"JWT""#,
        r#""zip":"DEF""#,
        r#""enc":"A128GCM""#,
        r#""nonce":"n""#,
        r#""url":"u""#,
        r#""x":1"#,
        r#""x":{"y":[null]}"#,
        r#""\u0078":2"#,
        r#""alg":"none""#,
        r#""alg":"HS256""#,
    ]);
    vec(member, 0..4)
        .prop_map(|members| members.iter().map(|member| format!(",{member}")).collect())
}

/// Values of the algorithm itself.
fn names(algorithm: Algorithm) -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "none", "None", "HS256", "RS256", "ES256", "PS256", "EdDSA", "hs256", "", "HS257",
    ]);
    prop_oneof![4 => Just(algorithm.name().to_owned()), 1 => odd.prop_map(str::to_owned)]
}

fn claims() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "exp",
        "exp",
        "nbf",
        "iat",
        "iss",
        "sub",
        "aud",
        "jti",
        "role",
        "x",
        r"\u0065xp",
        r"r\u006fle",
    ]);
    let value = prop::sample::select(vec![
        "1",
        "4000000000",
        "4e9",
        "4000000000.5",
        "1.5",
        "0",
        "-0",
        "-1",
        "-1.5",
        "1e300",
        "-1e300",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775807",
        "9223372036854775808",
        "1e400",
        "1.7976931348623158e308",
        "01",
        "0x1",
        "NaN",
        r#""a""#,
        r#""""#,
        r#""4000000000""#,
        r#""\ud83d\ude00""#,
        r#""\ud83d""#,
        r#""\u0000""#,
        "null",
        "true",
        "[]",
        r#"["a"]"#,
        r#"["a",1]"#,
        r#"["a",["b"]]"#,
        "{}",
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"b":[1,{"c":"\n"}]}}"#,
        "\"a",
        "[1,]",
        " 1 ",
    ]);
    let space = prop::sample::select(vec!["", "", " ", "\n\t", "\u{a0}"]);
    let member = (name, value, space)
        .prop_map(|(name, value, space)| format!(r#"{space}"{name}"{space}:{value}"#));
    vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_claims_get_the_same_verdict(algorithm in any_algorithm(), claims in claims()) {
        let pair = pair(algorithm);
        compare(pair, &pair.seal(&format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#), &claims));
    }

    #[test]
    fn random_headers_get_the_same_verdict(
        (algorithm, name) in any_algorithm().prop_flat_map(|one| (Just(one), names(one))),
        members in header_members(),
    ) {
        let pair = pair(algorithm);
        compare(pair, &pair.seal(&format!(r#"{{"alg":"{name}"{members}}}"#), r#"{"sub":"1"}"#));
    }

    #[test]
    fn random_text_in_place_of_json_gets_the_same_verdict(
        algorithm in any_algorithm(),
        text in prop_oneof!["\\PC{0,24}", "[\\[\\]{}\",:0-9eE.+a-z\\\\ -]{0,24}"],
    ) {
        let pair = pair(algorithm);
        compare(pair, &pair.seal(&format!(r#"{{"alg":"{algorithm}"}}"#), &text));
        compare(pair, &pair.seal(&format!(r#"{{"alg":"{algorithm}"}}"#), &format!("{{\"a\":{text}}}")));
        compare(pair, &pair.seal(&text, "{}"));
    }

    #[test]
    fn changed_tokens_get_the_same_verdict(
        algorithm in any_algorithm(),
        changes in vec((any::<prop::sample::Index>(), 0..4_u8, "[A-Za-z0-9_.=+/ -]{0,2}"), 1..3),
    ) {
        let pair = pair(algorithm);
        let mut token = pair.ours.sign(br#"{"sub":"1","exp":4000000000}"#).unwrap();
        for (at, way, what) in changes {
            let at = at.index(token.len().max(1)).min(token.len());
            let end = (at + 1).min(token.len());
            match way {
                0 => token.insert_str(at, &what),
                1 => token.replace_range(at..end, &what),
                2 => token.replace_range(at..end, ""),
                _ => token.truncate(at),
            }
        }
        compare(pair, &token);
    }

    #[test]
    fn tokens_of_one_algorithm_get_the_same_verdict_under_another(
        signer in any_algorithm(),
        judge in any_algorithm(),
    ) {
        let token = pair(signer).ours.sign(br#"{"exp":4000000000}"#).unwrap();
        compare(pair(judge), &token);
    }
}
