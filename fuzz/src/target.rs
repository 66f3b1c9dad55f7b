//! What must hold of any request target: its canonical form is one, and leads nowhere else.

use http::{Method, Uri};
use yett_gate::Target;

/// A target that is taken has no dot segment and no NUL, and its own spelling means the same again.
pub fn target(data: &[u8]) {
    let Ok(uri) = Uri::try_from(data) else {
        return;
    };
    for method in [Method::GET, Method::OPTIONS, Method::CONNECT] {
        let Ok(target) = Target::parse(&method, &uri) else {
            continue;
        };
        assert!(method != Method::CONNECT);
        if target.path() == b"*" {
            assert!(method == Method::OPTIONS);
            continue;
        }
        assert!(target.path().starts_with(b"/") && !target.path().contains(&0));
        let mut segments = target.path().split(|byte| *byte == b'/');
        assert!(!segments.any(|segment| segment == b"." || segment == b".."));
        assert!(target.uri().bytes().all(|byte| byte.is_ascii_graphic()));
        // A path that begins with two slashes would be taken for an authority.
        let again = format!("http://host{}", target.uri());
        let again = Uri::try_from(again).map(|uri| Target::parse(&method, &uri));
        if let Ok(again) = again {
            assert_eq!(again.as_ref(), Ok(&target));
        } else {
            // The canonical spelling may be longer than any target may be.
            assert!(target.uri().len() > 60_000);
        }
    }
}

/// Targets of all forms.
pub fn target_seeds() -> Vec<Vec<u8>> {
    [
        "/",
        "*",
        "/a/b?c=d",
        "/a%2fb/%2e%2E/c",
        "//a//b",
        "/%00",
        "/%c3%a9?x=%20&y=[1]",
        "http://host:80/a?b",
        "host:443",
        "/a/./b",
        "/a\\..\\b",
        "/%zz",
        "/a#b",
        "/;p=1/..;/x",
        "?q",
        "https://[::1]/~a/!$&'()*+,;=:@",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

/// What targets turn on.
pub const PIECES: &[&[u8]] = &[
    b"/",
    b"//",
    b"%2f",
    b"%2F",
    b"%2e",
    b"..",
    b".",
    b"%",
    b"%25",
    b"%00",
    b"?",
    b"#",
    b"\\",
    b"*",
    b"@",
    b":",
    b"http://",
    b"\xc3\xa9",
    b";",
];
