//! Claims as types: what `Claims::deserialize` gives is what serde_json gives for the same text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yett_jwt::Algorithm;

use super::{NOW, json, key, verifier};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Reader,
    Editor(u8),
    Owner { of: String },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize, PartialEq)]
struct Plain {
    #[serde(default)]
    a: Option<i64>,
    b: Option<f64>,
    c: Option<Option<bool>>,
    d: Option<i128>,
    e: Option<u8>,
    f: Option<char>,
    g: Option<Role>,
    h: Option<OneOrMany>,
    i: Option<(u32, String)>,
    j: Option<()>,
    k: Option<f32>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Flat {
    a: Option<Value>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Closed {
    a: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Newtype(BTreeMap<String, Value>);

/// What becomes of the claims as this type, by us and by serde_json.
fn compare<T: DeserializeOwned + PartialEq + std::fmt::Debug>(claims: &str) {
    let token = key(Algorithm::Hs256).sign(claims.as_bytes()).unwrap();
    let verified = verifier(key(Algorithm::Hs256)).verify(&token, NOW).unwrap();
    let ours = verified.claims().deserialize::<T>().ok();
    let theirs = serde_json::from_str::<T>(claims).ok();
    assert_eq!(ours, theirs, "{claims}");
}

fn compare_all(claims: &str) {
    compare::<Plain>(claims);
    compare::<Flat>(claims);
    compare::<Closed>(claims);
    compare::<Newtype>(claims);
    compare::<Option<Newtype>>(claims);
    compare::<BTreeMap<String, Role>>(claims);
    compare::<BTreeMap<String, OneOrMany>>(claims);
    compare::<BTreeMap<String, i128>>(claims);
    compare::<BTreeMap<String, f64>>(claims);
    compare::<BTreeMap<String, u64>>(claims);
    compare::<BTreeMap<char, Cow<'static, str>>>(claims);
    compare::<Value>(claims);
    compare::<Vec<Value>>(claims);
    compare::<()>(claims);
    compare::<Role>(claims);
}

#[test]
fn types_are_filled_as_serde_json_fills_them() {
    let values = [
        "null",
        "true",
        "0",
        "-0",
        "7",
        "-7",
        "255",
        "256",
        "1.0",
        "1.5",
        "1e2",
        "-1e-7",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "170141183460469231731687303715884105727",
        "123456789012345678",
        "1234567890123456789",
        "-123456789012345678",
        r#""a""#,
        r#""""#,
        r#""\u00e9""#,
        r#""ab""#,
        r#""reader""#,
        r#""editor""#,
        r#""\u0072eader""#,
        r#"{"editor":3}"#,
        r#"{"owner":{"of":"\n"}}"#,
        r#"{"reader":null}"#,
        "[]",
        "{}",
        r#"["a","b\\"]"#,
        r#"[4294967295,"x"]"#,
        "[1]",
        r#"[[{"a":[-0]}]]"#,
    ];
    for name in [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "owner", "\\u0061",
    ] {
        for value in values {
            compare_all(&format!(r#"{{"{name}":{value}}}"#));
            compare_all(&format!(r#"{{"z":{value},"{name}" : {value} }}"#));
        }
    }
    compare_all("{}");
}

proptest! {
    #[test]
    fn random_claims_fill_types_as_serde_json_does(a in json(), b in json(), name in "[a-k]") {
        let claims = format!(r#"{{"x":{a},"{name}":{b}}}"#);
        prop_assume!(claims.len() < 4000);
        compare_all(&claims);
    }
}
