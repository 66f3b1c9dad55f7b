//! Whether a page of another site can have asked, with what the user's browser adds by itself.
//!
//! Pure. It is what BREACH needs: an attacker's page makes the victim's browser ask again and again
//! with text of the attacker's choice, and somebody on the way watches how long the compressed
//! answers are. Where the answer holds nothing of the user's, or where the browser itself says that
//! the request came from the site's own page, there is nothing to learn.

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use yett_gate::RequestHead;

/// What a browser says of where a request comes from (W3C Fetch Metadata); no page can set it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Schemes of `Authorization` that a program must add itself: no browser adds them for a page that
/// does not know the token. `Basic`, `Digest`, `Negotiate` and `NTLM` it does add.
const ADDED_BY_PROGRAMS: [&[u8]; 4] = [b"bearer", b"token", b"jwt", b"dpop"];

/// Whether the request carries what proves the user, and may come from a foreign page.
pub(super) fn may_be_foreign(request: &RequestHead) -> bool {
    let session = request.arrival().tls();
    let certified = session.is_some_and(|session| session.client.is_some());
    may_be(certified, request.headers())
}

fn may_be(certified: bool, headers: &HeaderMap) -> bool {
    (certified || carries_the_user(headers)) && !is_of_the_sites_own(headers)
}

fn carries_the_user(headers: &HeaderMap) -> bool {
    let by_browser = |value: &http::HeaderValue| {
        let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
        let scheme = scheme.unwrap_or_default();
        !ADDED_BY_PROGRAMS
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    };
    headers.contains_key(COOKIE) || headers.get_all(AUTHORIZATION).iter().any(by_browser)
}

/// `same-origin`: a page of this very site; `none`: the user typed the address or opened a bookmark.
/// `same-site` may be somebody else's subdomain.
fn is_of_the_sites_own(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(SEC_FETCH_SITE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => matches!(value.as_bytes(), b"same-origin" | b"none"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(fields: &[(&'static str, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        assert_eq!(may_be(false, &headers), expected, "{fields:?}");
    }

    #[test]
    fn certificate_of_a_client_is_added_by_its_browser_too() {
        let mut headers = HeaderMap::new();
        assert!(may_be(true, &headers));
        headers.insert(SEC_FETCH_SITE, HeaderValue::from_static("same-origin"));
        assert!(!may_be(true, &headers));
    }

    #[test]
    fn request_without_what_a_browser_adds_by_itself_is_nobodys_victim() {
        check(&[], false);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("authorization", "Bearer a.b.c")], false);
        check(&[("authorization", "bearer a.b.c")], false);
        check(&[("authorization", "Token abc")], false);
    }

    #[test]
    fn cookie_or_password_is_safe_only_from_the_sites_own_page() {
        for credential in [
            ("cookie", "sessionid=1"),
            ("authorization", "Basic dTpw"),
            ("authorization", "Negotiate abc"),
            ("authorization", "Something abc"),
            ("authorization", ""),
        ] {
            check(&[credential], true);
            check(&[credential, ("sec-fetch-site", "cross-site")], true);
            check(&[credential, ("sec-fetch-site", "same-site")], true);
            check(&[credential, ("sec-fetch-site", "Same-Origin")], true);
            check(&[credential, ("sec-fetch-site", "same-origin")], false);
            check(&[credential, ("sec-fetch-site", "none")], false);
        }
        check(
            &[("authorization", "Bearer a"), ("cookie", "sessionid=1")],
            true,
        );
        check(
            &[
                ("cookie", "sessionid=1"),
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            true,
        );
    }
}
