//! A request's head of HTTP/2, made to look like one of HTTP/1.1 before anybody reads it.
//!
//! What h2 has refused before (RFC 9113 section 8): names in capitals, unknown, repeated, missing or
//! late pseudo-headers, headers of the connection, a `te` other than `trailers`, lengths that do not
//! agree with the body, extended CONNECT. What is checked here is the rest of that section. Whether
//! `:authority` and `Host` agree and which scheme, host and path may be asked for, the gate judges
//! as for every other request.

use http::header::{COOKIE, EXPECT, HOST, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};
use yett_gate::BodyFollows;

use crate::conn::Offence;

/// Checks a head and brings it into its one form: target in origin form, the host in `Host`, one
/// `Cookie`.
///
/// # Errors
/// [`Offence`]; the head is as it came then.
pub(super) fn settle(
    parts: &mut Parts,
    body_follows: bool,
    max_headers: usize,
) -> Result<(), Offence> {
    join_cookies(parts);
    if parts.headers.len() > max_headers {
        return Err(Offence::TooManyHeaders);
    }
    // RFC 9113 section 8.2.1; HTTP/1.1 would have dropped these blanks, others would not.
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let padded = |value: &HeaderValue| {
        let value = value.as_bytes();
        blank(value.first()) || blank(value.last())
    };
    if parts.headers.values().any(padded) {
        return Err(Offence::Header);
    }
    if parts.method != Method::CONNECT {
        if !has_path(&parts.uri) {
            return Err(Offence::Target);
        }
        origin_form(parts);
    }
    if body_follows {
        parts.extensions.insert(BodyFollows);
    }
    Ok(())
}

/// Whether the client sends its body only when it is told to.
pub(super) fn expects_word(parts: &Parts) -> bool {
    parts
        .headers
        .get(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Whether there is a `:path`, and it is one. A missing one h2 refuses only beside an authority.
fn has_path(uri: &Uri) -> bool {
    // `Uri` reads nothing as `/`, but prints nothing.
    let missing = || uri.authority().is_none() && uri.to_string().is_empty();
    uri.path_and_query().is_some_and(|path| {
        let path = path.as_str();
        (path.starts_with('/') && !missing()) || path == "*"
    })
}

/// Moves the authority into `Host`. What is doubtful stays as it is, and the gate refuses it.
fn origin_form(parts: &mut Parts) {
    let uri = &parts.uri;
    let (Some(authority), Some(path)) = (uri.authority(), uri.path_and_query()) else {
        return;
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return;
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => {
            let Ok(host) = HeaderValue::from_str(authority.as_str()) else {
                return;
            };
            let path = path.clone();
            parts.headers.insert(HOST, host);
            parts.uri = Uri::from(path);
        }
        (Some(host), None)
            if host
                .as_bytes()
                .eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            parts.uri = Uri::from(path.clone());
        }
        _ => {}
    }
}

/// RFC 9113 section 8.2.3: a client may send its cookies one by one.
fn join_cookies(parts: &mut Parts) {
    let mut crumbs = parts.headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) else {
        return;
    };
    let mut cookie = first.as_bytes().to_vec();
    for crumb in std::iter::once(second).chain(crumbs) {
        cookie.extend_from_slice(b"; ");
        cookie.extend_from_slice(crumb.as_bytes());
    }
    // Made of values, so it is one.
    if let Ok(mut cookie) = HeaderValue::from_maybe_shared(bytes::Bytes::from(cookie)) {
        cookie.set_sensitive(true);
        parts.headers.insert(COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Builder;

    use super::*;

    fn settled(request: Builder) -> Result<(String, Vec<String>), Offence> {
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        settle(&mut parts, false, 3)?;
        let header = |(name, value): (&http::HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let headers = parts.headers.iter().map(header).collect();
        Ok((parts.uri.to_string(), headers))
    }

    fn get(uri: &str) -> Builder {
        Request::builder().uri(uri)
    }

    #[test]
    fn authority_becomes_the_host() {
        let (uri, headers) = settled(get("https://a:8/x?y")).unwrap();
        assert_eq!((uri.as_str(), headers), ("/x?y", vec!["host: a:8".into()]));
        let (uri, headers) = settled(get("http://A/x").header("host", "a")).unwrap();
        assert_eq!((uri.as_str(), headers), ("/x", vec!["host: a".into()]));
    }

    #[test]
    fn doubtful_authority_is_left_for_the_gate_to_refuse() {
        for (uri, host) in [("http://a/x", "b"), ("ftp://a/x", "a")] {
            let (settled, headers) = settled(get(uri).header("host", host)).unwrap();
            assert_eq!(settled, uri);
            assert_eq!(headers, [format!("host: {host}")]);
        }
    }

    #[test]
    fn cookies_that_come_one_by_one_are_one_header() {
        let request = get("/").header("cookie", "a=1").header("x", "y");
        let request = (0..9).fold(request, |request, at| {
            request.header("cookie", format!("b={at}"))
        });
        let (_, headers) = settled(request).unwrap();
        let joined = "cookie: a=1; b=0; b=1; b=2; b=3; b=4; b=5; b=6; b=7; b=8";
        assert!(headers.contains(&joined.to_owned()), "{headers:?}");
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn what_section_8_forbids_is_refused() {
        assert_eq!(settled(get("/").header("x", " y")), Err(Offence::Header));
        assert_eq!(settled(get("/").header("x", "y\t")), Err(Offence::Header));
        let many = (0..4).fold(get("/"), |request, at| request.header(format!("x{at}"), ""));
        assert_eq!(settled(many), Err(Offence::TooManyHeaders));
        let (mut parts, ()) = get("/").body(()).unwrap().into_parts();
        parts.uri = Uri::from_parts(http::uri::Parts::default()).unwrap();
        assert_eq!(settle(&mut parts, false, 3), Err(Offence::Target));
    }
}
