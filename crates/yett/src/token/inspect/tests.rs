//! Snapshots of what `yett token inspect` shows.

use super::*;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

fn token(header: &str, claims: &str, signature: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

fn text(token: &str) -> String {
    Inspection::of(token).unwrap().text(NOW, Paint::Off)
}

fn refusal(token: &str) -> String {
    Inspection::of(token).unwrap_err().text(Paint::Off)
}

#[test]
fn a_token_is_shown_and_nothing_was_verified() {
    let token = token(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"sub":"42","exp":1699999820}"#,
        "AAAA",
    );
    let expected = r#"NOTHING WAS VERIFIED. This is what the token says; whether it is true, nobody has checked.

header
  alg  "HS256"
  typ  "JWT"

claims
  sub  "42"
  exp  1699999820  2023-11-14T22:10:20Z, expired 3 min ago
"#;
    assert_eq!(text(&token), expected);
}

#[test]
fn nothing_shown_speaks_of_validity() {
    let tokens = [
        token(
            r#"{"alg":"HS256"}"#,
            r#"{"exp":1700000300,"nbf":1,"iat":1}"#,
            "AAAA",
        ),
        token(r#"{"alg":"none"}"#, "{}", ""),
        token(r#"{"alg":"dir","enc":"A128GCM"}"#, "{}", "a.b.c"),
    ];
    for token in tokens {
        let inspection = Inspection::of(&token).unwrap();
        let (text, json) = (inspection.text(NOW, Paint::Off), inspection.json(NOW));
        assert!(text.starts_with("NOTHING WAS VERIFIED."), "{text}");
        assert!(json.starts_with("{\n  \"verified\": false,"), "{json}");
        let words = text.to_lowercase();
        assert!(
            !words.contains("valid") && !words.contains(" good"),
            "{text}"
        );
    }
}

#[test]
fn a_token_without_a_signature_is_warned_of() {
    for name in ["none", "None", "NONE"] {
        let token = token(&format!(r#"{{"alg":"{name}"}}"#), "{}", "");
        let inspection = Inspection::of(&token).unwrap();
        assert_eq!(inspection.kind, Kind::Unsigned);
        assert!(text(&token).contains("warning: alg is none: there is no signature"));
    }
    let empty = token(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#, "");
    assert!(text(&empty).ends_with("warning: the signature is empty\n"));
}

#[test]
fn an_encrypted_token_shows_its_header_alone() {
    let token = token(r#"{"alg":"RSA-OAEP","enc":"A128GCM"}"#, "{}", "a.b.c");
    let expected = r#"NOTHING WAS VERIFIED. The token is encrypted (JWE, five parts): only its header can be read.

header
  alg  "RSA-OAEP"
  enc  "A128GCM"
"#;
    assert_eq!(text(&token), expected);
    let json = Inspection::of(&token).unwrap().json(NOW);
    assert!(json.contains("\"kind\": \"encrypted\"") && json.contains("\"claims\": null"));
    assert!(refusal("a.b.c.d.e").contains("this is no encrypted token (JWE)"));
}

#[test]
fn bad_claims_are_shown_and_named() {
    let claims = r#"{"exp":"soon","sub":7,"aud":["a",1],"iat":null}"#;
    let text = text(&token(r#"{"alg":"HS256"}"#, claims, "AAAA"));
    for line in [
        "  exp  \"soon\"\n",
        "  aud  [\"a\", 1]\n",
        "warning: claim exp is not a number: verifiers refuse the token\n",
        "warning: claim sub is not a string: verifiers refuse the token\n",
        "warning: claim aud is not a string or a list of strings: verifiers refuse the token\n",
        "warning: claim iat is not a number: verifiers refuse the token\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_header_that_brings_a_key_or_asks_for_extensions_is_warned_of() {
    let header = r#"{"alg":"HS257","jku":"https://evil.example/","crit":["b64"]}"#;
    let text = text(&token(header, r#"{"exp":1}"#, "AAAA"));
    for line in [
        "warning: \"HS257\" is no algorithm that Yett knows\n",
        "warning: the header brings its own key (jku): whoever wrote the token chose it; Yett ignores it\n",
        "warning: the header has crit: verifiers of Yett refuse the token\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_is_no_token_is_refused_precisely() {
    let check = |token: &str, expected: &str| assert_eq!(refusal(token), expected);
    check(
        "abc",
        "error: this is no token\n  because: the token has not exactly three parts\n\
         hint: there is no dot in it; expected three parts with dots\n",
    );
    check(
        "e30.e30",
        "error: this is no token\n  because: the token has not exactly three parts\n\
         hint: it has 2 parts, not three; is it cut?\n",
    );
    check(
        "e30=.e30.",
        "error: this is no token\n  because: the header is not strict base64url\n\
         hint: there is padding (=), which tokens do not have\n",
    );
    check(
        "e30.e30.a",
        "error: this is no token\n  because: the signature is not strict base64url\n\
         hint: the length of a part is impossible: a character is missing, or too many\n",
    );
    let twice = token(r#"{"alg":"HS256"}"#, r#"{"a":1,"a":2}"#, "AAAA");
    check(
        &twice,
        "error: this is no token\n  because: the payload is refused\n  \
         because: a name occurs twice in an object\n",
    );
}

proptest::proptest! {
    #[test]
    fn any_text_whatever_is_shown_or_refused(text in "[a-zA-Z0-9_.{}=-]{0,60}") {
        if let Ok(inspection) = Inspection::of(&text) {
            let _ = (inspection.text(NOW, Paint::Off), inspection.json(NOW));
        }
    }
}
