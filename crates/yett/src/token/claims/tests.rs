//! Which claims a token gets.

use super::*;
use crate::{
    cli::{Order, TokenCommand, parse},
    print::Paint,
};

const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

fn gathered(flags: &[&str], file: Option<&str>) -> Result<String, String> {
    let start = [
        "yett",
        "token",
        "issue",
        "--secret-env",
        "X",
        "--alg",
        "HS256",
    ];
    let words = start.iter().chain(flags).map(std::ffi::OsString::from);
    let Ok(Order::Token(command)) = parse(words) else {
        panic!("{flags:?}")
    };
    let TokenCommand::Issue(words) = *command else {
        panic!("{flags:?}")
    };
    ClaimsText::gather(&words, file, NOW, [0xab; 16])
        .map(|claims| claims.json())
        .map_err(|failure| failure.text(Paint::Off))
}

const JTI: &str = r#""jti":"abababababababababababababababab""#;

#[test]
fn iat_and_a_random_jti_are_added() {
    assert_eq!(
        gathered(&["--expires-in", "5m"], None).unwrap(),
        format!(r#"{{"exp":1700000300,"iat":1700000000,{JTI}}}"#)
    );
    assert_eq!(
        gathered(
            &["--expires-in", "5m", "--no-jti", "--not-before", "0"],
            None
        )
        .unwrap(),
        r#"{"exp":1700000300,"nbf":1700000000,"iat":1700000000}"#
    );
}

#[test]
fn every_flag_becomes_its_claim() {
    let flags = [
        "--claim",
        "token_type=access",
        "--claim-json",
        "user_id=42",
        "--issuer",
        "i",
        "--subject",
        "s",
        "--audience",
        "a",
        "--audience",
        "b",
        "--expires-in",
        "1s",
        "--no-jti",
    ];
    assert_eq!(
        gathered(&flags, Some(r#"{"z": 1.50, "jti": "mine"}"#)).unwrap(),
        r#"{"z":1.50,"jti":"mine","token_type":"access","user_id":42,"iss":"i","sub":"s","aud":["a","b"],"exp":1700000001,"iat":1700000000}"#
    );
    assert!(
        gathered(&["--audience", "a", "--expires-in", "1s"], None)
            .unwrap()
            .starts_with(r#"{"aud":"a","#)
    );
}

#[test]
fn times_and_id_of_the_file_are_kept() {
    let file = r#"{"exp":1800000000,"iat":1,"jti":"mine"}"#;
    assert_eq!(gathered(&[], Some(file)).unwrap(), file);
}

#[test]
fn an_end_is_needed_or_refused_with_a_word_of_danger() {
    assert_eq!(
        gathered(&[], None).unwrap_err(),
        "error: --expires-in is needed: how long the token is good\n\
         hint: for example --expires-in 5m; --danger-no-expiry makes one that never expires\n"
    );
    assert_eq!(
        gathered(&["--danger-no-expiry"], None).unwrap(),
        format!(r#"{{"iat":1700000000,{JTI}}}"#)
    );
    assert!(gathered(&["--danger-no-expiry"], Some(r#"{"exp":1}"#)).is_err());
}

#[test]
fn no_claim_comes_twice() {
    for (flags, file) in [
        (vec!["--subject", "a", "--claim", "sub=b"], None),
        (vec!["--subject", "a"], Some(r#"{"sub":"b"}"#)),
        (vec!["--expires-in", "1s"], Some(r#"{"exp":1}"#)),
        (vec!["--claim", "a=1", "--claim-json", "a=2"], None),
        (vec![], Some(r#"{"a":1,"\u0061":2}"#)),
    ] {
        let error = gathered(&flags, file).unwrap_err();
        assert!(error.contains("is given twice"), "{error}");
    }
}

#[test]
fn a_string_claim_cannot_break_out_of_its_quotes() {
    let flags = [
        "--claim",
        r#"a=x","admin":"y"#,
        "--expires-in",
        "1s",
        "--no-jti",
    ];
    assert_eq!(
        gathered(&flags, None).unwrap(),
        r#"{"a":"x\",\"admin\":\"y","exp":1700000001,"iat":1700000000}"#
    );
}
