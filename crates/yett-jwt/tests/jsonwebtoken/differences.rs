//! Where we differ, and why. Each kind stands here with an example that shows it; a difference of
//! no kind is a finding.

use jsonwebtoken::errors::ErrorKind;
use serde_json::{Map, Value};
use yett_jwt::{JsonFault, Refusal};

use super::{Pair, SHARED, pair};

/// A kind of token that they accept and we refuse.
pub(crate) struct Stricter {
    reason: &'static str,
    /// Whether a refusal of ours is of this kind.
    is: fn(&Refusal) -> bool,
    /// The header's members beside `alg`, with a comma in front, and the claims.
    example: (&'static str, &'static str),
}

pub(crate) const STRICTER: &[Stricter] = &[
    Stricter {
        reason: "`crit` asks for extensions that neither understands; they read and ignore it",
        is: |refusal| *refusal == Refusal::Critical,
        example: (r#","crit":["exp"]"#, "{}"),
    },
    Stricter {
        reason: "`b64` asks for another encoding (RFC 7797); they do not know the name",
        is: |refusal| *refusal == Refusal::Unencoded,
        example: (r#","b64":false"#, "{}"),
    },
    Stricter {
        reason: "`typ` names another kind of token; they do not compare it",
        is: |refusal| *refusal == Refusal::HeaderType,
        example: (r#","typ":"dpop+jwt""#, "{}"),
    },
    Stricter {
        reason: "a `kid` beyond 256 bytes; they set no bound",
        is: |refusal| *refusal == Refusal::KeyId,
        example: (r#","kid":"LONG""#, "{}"),
    },
    Stricter {
        reason: "a name occurs twice in an object; they take the last, but for names of their own",
        is: |refusal| {
            matches!(
                refusal,
                Refusal::Json {
                    fault: JsonFault::DuplicateName,
                    ..
                }
            )
        },
        example: ("", r#"{"role":"user","role":"admin"}"#),
    },
    Stricter {
        reason: "nested beyond 32 levels; they go to serde_json's 128",
        is: |refusal| {
            matches!(
                refusal,
                Refusal::Json {
                    fault: JsonFault::TooDeep,
                    ..
                }
            )
        },
        example: (
            "",
            r#"{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#,
        ),
    },
    Stricter {
        reason: "a registered claim of a wrong type, `null` included; they count it as absent \
                 (CVE-2026-25537), do not know `iat` and `jti`, and take a list of issuers",
        is: |refusal| matches!(refusal, Refusal::WrongType(_)),
        example: ("", r#"{"sub":7}"#),
    },
    Stricter {
        reason: "a time beyond 64 bits signed; they take them unsigned, and do not look at `iat`",
        is: |refusal| matches!(refusal, Refusal::OutOfRange(_)),
        example: ("", r#"{"exp":9223372036854775808}"#),
    },
    Stricter {
        reason: "`iat` in the future; they do not look at it",
        is: |refusal| matches!(refusal, Refusal::IssuedInFuture { .. }),
        example: ("", r#"{"iat":4000000000}"#),
    },
    Stricter {
        reason: "longer than the bound; they set none",
        is: |refusal| matches!(refusal, Refusal::TooLong { .. }),
        example: ("", r#"{"a":"LONG"}"#),
    },
];

/// A kind of token that we accept and they refuse.
pub(crate) struct Laxer {
    reason: &'static str,
    is: fn(&ErrorKind, &Map<String, Value>) -> bool,
    example: (&'static str, &'static str),
}

pub(crate) const LAXER: &[Laxer] = &[
    Laxer {
        reason: "header members that we never read, of a wrong type: `jku`, `jwk`, `x5c`, `cty` \
                 and the like; they parse them all",
        is: |error, _| matches!(error, ErrorKind::Json(_)),
        example: (r#","cty":1,"jwk":{}"#, "{}"),
    },
    Laxer {
        reason: "`nbf` before 1970; they read times as unsigned",
        is: |error, claims| {
            matches!(error, ErrorKind::InvalidClaimFormat(name) if name == "nbf")
                && claims
                    .get("nbf")
                    .and_then(Value::as_f64)
                    .is_some_and(|time| time < 0.0)
        },
        example: ("", r#"{"nbf":-1}"#),
    },
];

/// Holds both verdicts against each other and against the tables.
pub(crate) fn compare(pair: &Pair, token: &str) {
    match (pair.our_verdict(token), pair.their_verdict(token)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{token}"),
        (Err(_), Err(_)) => {}
        (Err(refusal), Ok(_)) => assert!(
            STRICTER.iter().any(|kind| (kind.is)(&refusal)),
            "we alone refuse ({refusal:?}): {token}"
        ),
        (Ok(claims), Err(error)) => assert!(
            LAXER.iter().any(|kind| (kind.is)(&error, &claims)),
            "they alone refuse ({error:?}): {token}"
        ),
    }
}

/// `LONG` stands for a long text.
fn example(pair: &Pair, members: &str, claims: &str) -> String {
    let members = members.replace("LONG", &"k".repeat(257));
    let claims = claims.replace("LONG", &"k".repeat(10_000));
    let header = format!(r#"{{"alg":"{}"{members}}}"#, pair.ours.algorithm());
    pair.seal(&header, &claims)
}

#[test]
fn every_kind_in_which_we_are_stricter_shows_itself() {
    for pair in SHARED.map(pair) {
        for kind in STRICTER {
            let token = example(pair, kind.example.0, kind.example.1);
            assert!(pair.their_verdict(&token).is_ok(), "{}", kind.reason);
            let refusal = pair.our_verdict(&token).unwrap_err();
            assert!((kind.is)(&refusal), "{}: {refusal:?}", kind.reason);
        }
    }
}

#[test]
fn every_kind_in_which_they_are_stricter_shows_itself() {
    for pair in SHARED.map(pair) {
        for kind in LAXER {
            let token = example(pair, kind.example.0, kind.example.1);
            let claims = pair.our_verdict(&token).unwrap();
            let error = pair.their_verdict(&token).unwrap_err();
            assert!((kind.is)(&error, &claims), "{}: {error:?}", kind.reason);
        }
    }
}
