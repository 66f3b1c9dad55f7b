//! Claims about the canonical target.

use http::{Method, Uri};
use proptest::prelude::*;

use super::Target;
use crate::request::BadRequest;

fn parse(method: &Method, raw: &str) -> Result<Target, BadRequest> {
    let uri: Uri = raw.parse().expect("a URI by http's own rules");
    Target::parse(method, &uri)
}

/// Raw target, then decoded path, query and canonical form.
fn check(raw: &str, path: &str, query: &str, canonical: &str) {
    let target = parse(&Method::GET, raw).unwrap();
    assert_eq!(target.path_str(), Some(path), "{raw}");
    assert_eq!(target.query(), query, "{raw}");
    assert_eq!(target.uri(), canonical, "{raw}");
}

fn check_refused(raw: &str, expected: BadRequest) {
    assert_eq!(parse(&Method::GET, raw), Err(expected), "{raw}");
}

#[test]
fn path_is_decoded_exactly_once() {
    check("/", "/", "", "/");
    check("/api/notes/", "/api/notes/", "", "/api/notes/");
    check("/%61pi", "/api", "", "/api");
    check("/a%2fb", "/a/b", "", "/a/b");
    check("/a%252fb", "/a%2fb", "", "/a%252fb");
    check("/a%3fb%23c", "/a?b#c", "", "/a%3Fb%23c");
    check("/caf%c3%a9", "/café", "", "/caf%C3%A9");
    check("/a%20b+c", "/a b+c", "", "/a%20b+c");
    check("/a%5cb", "/a\\b", "", "/a%5Cb");
}

#[test]
fn plain_characters_stay_plain() {
    let plain = "/-._~!$&'()*+,;=:@/azAZ09";
    check(plain, plain, "", plain);
}

#[test]
fn double_slash_is_kept() {
    check("//a//b/", "//a//b/", "", "//a//b/");
    check("/a%2F%2fb", "/a//b", "", "/a//b");
}

#[test]
fn query_is_kept_as_sent() {
    check("/a?", "/a", "", "/a?");
    check(
        "/a?b=%2F&c=/../?",
        "/a",
        "b=%2F&c=/../?",
        "/a?b=%2F&c=/../?",
    );
}

#[test]
fn query_beyond_visible_ascii_is_refused() {
    check_refused("/a?caf\u{e9}", BadRequest::BadQuery);
}

#[test]
fn encoded_slash_cannot_leave_its_route() {
    check_refused("/static/..%2fapi", BadRequest::DotSegment);
    check_refused("/static/%2e%2e%2fapi", BadRequest::DotSegment);
    check_refused("/static%2f..%2Fapi", BadRequest::DotSegment);
}

#[test]
fn dot_segments_are_refused_in_every_spelling() {
    for raw in [
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/a/%2e",
        "/../",
        "//..//",
    ] {
        check_refused(raw, BadRequest::DotSegment);
    }
}

#[test]
fn names_that_only_look_like_dot_segments_are_kept() {
    check("/a/.../b", "/a/.../b", "", "/a/.../b");
    check(
        "/.well-known/a..b",
        "/.well-known/a..b",
        "",
        "/.well-known/a..b",
    );
    check("/a/%252e%252e/b", "/a/%2e%2e/b", "", "/a/%252e%252e/b");
    check("/a/..%5cb", "/a/..\\b", "", "/a/..%5Cb");
}

#[test]
fn broken_escapes_are_refused() {
    for raw in ["/%", "/%a", "/%zz", "/a%2", "/%%41", "/%+1", "/%u0041"] {
        check_refused(raw, BadRequest::BadEscape);
    }
}

#[test]
fn nul_is_refused() {
    check_refused("/a%00", BadRequest::NulByte);
}

#[test]
fn path_that_is_not_text_is_kept_as_bytes() {
    let target = parse(&Method::GET, "/%ff%FE").unwrap();
    assert_eq!(target.path(), b"/\xff\xfe");
    assert_eq!(target.path_str(), None);
    assert_eq!(target.uri(), "/%FF%FE");
}

#[test]
fn fragment_is_no_part_of_any_path() {
    // http::Uri cuts it off, for the router and the application alike.
    check("/a#b", "/a", "", "/a");
}

#[test]
fn absolute_form_has_the_same_path() {
    check("http://example.com/a%2fb?c", "/a/b", "c", "/a/b?c");
    check("https://example.com", "/", "", "/");
    check_refused("ftp://example.com/a", BadRequest::ForeignScheme);
}

#[test]
fn authority_alone_has_no_path() {
    check_refused("example.com:80", BadRequest::NoPath);
}

#[test]
fn asterisk_is_for_options_alone() {
    let target = parse(&Method::OPTIONS, "*").unwrap();
    assert_eq!((target.path(), target.uri()), (b"*".as_slice(), "*"));
    check_refused("*", BadRequest::AsteriskForm);
}

#[test]
fn connect_is_refused() {
    let refused = parse(&Method::CONNECT, "example.com:443");
    assert_eq!(refused, Err(BadRequest::Connect));
    assert_eq!(BadRequest::Connect.status(), 501);
}

/// Raw paths made of what tends to be misread.
fn raw_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just("%2f".to_owned()),
        Just(".".to_owned()),
        Just("%2E".to_owned()),
        Just("%".to_owned()),
        Just("%25".to_owned()),
        Just("%00".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("%5C".to_owned()),
        "[ -~]{1,3}",
        "%[0-9a-fA-F]{2}",
        "\\PC",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// Any path bytes that are allowed, each spelled plainly or escaped in either case.
fn spelled_path() -> impl Strategy<Value = (Vec<u8>, String)> {
    let byte = prop_oneof![4 => b'a'..=b'z', 1 => Just(b'/'), 1 => 1u8..];
    proptest::collection::vec((byte, 0u8..3), 0..24).prop_map(|spelled| {
        let mut path = vec![b'/'];
        let mut raw = String::from("/");
        for (byte, spelling) in spelled {
            path.push(byte);
            let plain = byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte);
            match spelling {
                0 if plain => raw.push(char::from(byte)),
                1 => raw.push_str(&format!("%{byte:02X}")),
                _ => raw.push_str(&format!("%{byte:02x}")),
            }
        }
        (path, raw)
    })
}

proptest! {
    #[test]
    fn no_raw_path_panics_or_keeps_a_dot_segment(raw in raw_path()) {
        if let Ok(uri) = raw.parse::<Uri>()
            && let Ok(target) = Target::parse(&Method::GET, &uri)
        {
            prop_assert!(target.path().starts_with(b"/"));
            prop_assert!(!target.path().contains(&0));
            for segment in target.path().split(|byte| *byte == b'/') {
                prop_assert!(segment != b"." && segment != b"..");
            }
            prop_assert!(target.uri().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn canonical_form_of_a_canonical_form_is_itself(raw in raw_path()) {
        if let Ok(uri) = raw.parse::<Uri>()
            && let Ok(target) = Target::parse(&Method::GET, &uri)
        {
            let again = target.uri().parse::<Uri>().unwrap();
            prop_assert_eq!(Target::parse(&Method::GET, &again), Ok(target));
        }
    }

    #[test]
    fn every_spelling_of_a_path_is_the_same_path((path, raw) in spelled_path()) {
        let uri = raw.parse::<Uri>().unwrap();
        match Target::parse(&Method::GET, &uri) {
            Ok(target) => prop_assert_eq!(target.path(), &*path),
            Err(bad) => prop_assert_eq!(bad, BadRequest::DotSegment),
        }
    }
}
