//! The form of a token: size, parts, encoding.

use super::{DEFAULT_LONGEST_TOKEN, Part};
use crate::testing::{HEADER, NOW, encode, seal, token, verifier};
use crate::{Refusal, RefusalKind, Rules};

fn check(token: &str, expected: Refusal) {
    let refusal = verifier(Rules::new()).verify(token, NOW).expect_err(token);
    assert_eq!(refusal, expected, "{token}");
    assert_eq!(refusal.kind(), RefusalKind::Malformed);
}

#[test]
fn token_of_other_than_three_parts_is_refused() {
    let good = token(HEADER, "{}");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    for text in [
        String::new(),
        header.to_owned(),
        signed.to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        seal(&format!("{header}.{payload}.{payload}")),
        // The five parts of a JWE.
        format!("{good}.AA.AA"),
    ] {
        check(&text, Refusal::Parts);
    }
}

#[test]
fn json_serialization_is_refused() {
    let good = token(HEADER, "{}");
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts")
    };
    check(
        &format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
        Refusal::Parts,
    );
    // The polyglot of CVE-2022-39227: JSON form around a compact token.
    check(
        &format!(r#"{{"  {header}.{payload}.":"","signature":"{signature}"}}"#),
        Refusal::Encoding(Part::Header),
    );
}

#[test]
fn token_longer_than_the_bound_is_refused_before_anything_else() {
    let at_bound = ".".repeat(DEFAULT_LONGEST_TOKEN);
    check(&at_bound, Refusal::Parts);
    let bytes = DEFAULT_LONGEST_TOKEN + 1;
    check(
        &".".repeat(bytes),
        Refusal::TooLong {
            bytes,
            longest: DEFAULT_LONGEST_TOKEN,
        },
    );
}

#[test]
fn the_bound_follows_the_rules() {
    let good = token(HEADER, "{}");
    let longest = good.len();
    assert!(
        verifier(Rules::new().longest_token(longest))
            .verify(&good, NOW)
            .is_ok()
    );
    assert_eq!(
        verifier(Rules::new().longest_token(longest - 1))
            .verify(&good, NOW)
            .unwrap_err(),
        Refusal::TooLong {
            bytes: longest,
            longest: longest - 1
        }
    );
}

#[test]
fn millions_of_dots_are_refused_without_being_split() {
    let rules = Rules::new().longest_token(usize::MAX);
    let dots = ".".repeat(10_000_000);
    assert_eq!(
        verifier(rules).verify(&dots, NOW).unwrap_err(),
        Refusal::Parts
    );
}

/// Puts `spelling` in the place of each part in turn; header and payload are signed as they then
/// are.
fn check_spellings(respell: impl Fn(&str) -> String) {
    let header = encode(HEADER);
    let payload = encode(r#"{"a":1}"#);
    check(
        &seal(&format!("{}.{payload}", respell(&header))),
        Refusal::Encoding(Part::Header),
    );
    check(
        &seal(&format!("{header}.{}", respell(&payload))),
        Refusal::Encoding(Part::Payload),
    );
    let good = seal(&format!("{header}.{payload}"));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    check(
        &format!("{signed}.{}", respell(signature)),
        Refusal::Encoding(Part::Signature),
    );
}

#[test]
fn padding_is_refused() {
    check_spellings(|part| format!("{part}="));
    check_spellings(|part| format!("{part}=="));
    check_spellings(|part| format!("{part}===="));
}

#[test]
fn white_space_is_refused() {
    for space in [" ", "\n", "\r\n", "\t", "\u{b}", "\u{a0}", "\u{2028}", "\0"] {
        check_spellings(|part| format!("{space}{part}"));
        check_spellings(|part| format!("{part}{space}"));
        check_spellings(|part| format!("{}{space}{}", &part[..4], &part[4..]));
    }
}

#[test]
fn standard_base64_alphabet_is_refused() {
    for foreign in ["+", "/", "%", "é", "Ａ"] {
        check_spellings(|part| format!("{foreign}{}", &part[1..]));
    }
}

#[test]
fn a_lone_last_character_is_refused() {
    check(
        &seal(&format!("{}.{}", encode(HEADER), "e30A0")),
        Refusal::Encoding(Part::Payload),
    );
}

#[test]
fn unused_bits_must_be_zero() {
    // `{}` is `e30`; the last character carries two unused bits, and these spellings set them.
    for payload in ["e31", "e32", "e33"] {
        check(
            &seal(&format!("{}.{payload}", encode(HEADER))),
            Refusal::Encoding(Part::Payload),
        );
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    use crate::JsonFault::NotUtf8;
    let bytes = b"{\"alg\":\"HS256\",\"x\":\"\xff\"}";
    check(
        &token(bytes, "{}"),
        Refusal::Json {
            part: Part::Header,
            fault: NotUtf8,
        },
    );
    check(
        &token(HEADER, bytes),
        Refusal::Json {
            part: Part::Payload,
            fault: NotUtf8,
        },
    );
    // An overlong slash, and UTF-16.
    check(
        &token(HEADER, b"{\"a\":\"\xc0\xaf\"}"),
        Refusal::Json {
            part: Part::Payload,
            fault: NotUtf8,
        },
    );
    check(
        &token(HEADER, b"\xff\xfe{\0}\0"),
        Refusal::Json {
            part: Part::Payload,
            fault: NotUtf8,
        },
    );
}
