//! What the JSON reader refuses, and that it changes nothing of what it accepts.

use super::{DEEPEST_JSON, JsonFault, read_object};

fn check(text: &str, expected: JsonFault) {
    assert_eq!(read_object(text), Err(expected), "{text}");
}

#[test]
fn duplicate_names_are_refused_at_every_depth() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":null}"#,
        r#"{"o":{"a":1,"a":2}}"#,
        r#"{"o":[0,{"x":{"a":{},"a":[]}}]}"#,
        r#"{"":1,"":2}"#,
    ] {
        check(text, JsonFault::DuplicateName);
    }
}

#[test]
fn a_name_spelt_with_escapes_is_the_same_name() {
    check(r#"{"exp":1,"\u0065xp":2}"#, JsonFault::DuplicateName);
    check(
        r#"{"alg":"HS256","al\u0067":"none"}"#,
        JsonFault::DuplicateName,
    );
}

#[test]
fn equal_names_in_different_objects_are_fine() {
    assert!(read_object(r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#).is_ok());
}

#[test]
fn only_an_object_is_taken() {
    for text in ["null", "true", "1", r#""text""#, "[]", r#"[{"a":1}]"#] {
        check(text, JsonFault::NotObject);
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| {
        // The object around is a level itself.
        format!(
            r#"{{"a":{}1{}}}"#,
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    assert!(read_object(&nested(DEEPEST_JSON)).is_ok());
    check(&nested(DEEPEST_JSON + 1), JsonFault::TooDeep);
    check(&nested(1_000_000), JsonFault::TooDeep);
    check(&r#"{"a":"#.repeat(100_000), JsonFault::TooDeep);
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e99999999999999999999",
    ] {
        check(&format!(r#"{{"exp":{number}}}"#), JsonFault::Syntax);
    }
    let digits = "9".repeat(400);
    check(&format!(r#"{{"exp":{digits}}}"#), JsonFault::Syntax);
}

#[test]
fn what_is_not_quite_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "{}}",
        "{}{}",
        "{} x",
        r#"{"a":1,}"#,
        r#"{a:1}"#,
        r#"{'a':1}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":"\ud800"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\0\"}",
        "{/* */}",
        "\u{feff}{}",
        "\u{a0}{}",
    ] {
        check(text, JsonFault::Syntax);
    }
}

#[test]
fn values_come_out_as_they_went_in() {
    let text = r#"{"a":[null,true,false,-1,18446744073709551615,1.5],"b":{"c":"\u00e9\n"}}"#;
    let members = read_object(text).unwrap();
    assert_eq!(
        serde_json::Value::Object(members),
        serde_json::from_str::<serde_json::Value>(text).unwrap()
    );
}

#[test]
fn many_members_do_not_make_it_slow() {
    // 200,000 members, twenty times what the longest token holds: a quadratic reader takes minutes.
    let members: Vec<String> = (0..200_000).map(|i| format!(r#""{i}":0"#)).collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(read_object(&text).unwrap().len(), 200_000);
}
