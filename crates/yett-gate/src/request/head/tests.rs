//! Claims about the cleaned request head.

use http::{Method, Request, Version};

use super::{BodyFollows, BodyLength, RequestHead};
use crate::request::{
    AllowedHosts, Arrival, BadRequest, ClientAddr, HeadRules, RequestIdHeader, Scheme, ServerAddr,
};

const ARRIVAL: Arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);

fn parse_as(
    version: Version,
    uri: &str,
    headers: &[(&str, &str)],
) -> Result<RequestHead, BadRequest> {
    parse_by(&HeadRules::default(), version, uri, headers)
}

fn parse_by(
    rules: &HeadRules,
    version: Version,
    uri: &str,
    headers: &[(&str, &str)],
) -> Result<RequestHead, BadRequest> {
    let mut request = Request::builder()
        .method(Method::GET)
        .uri(uri)
        .version(version);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    RequestHead::parse(parts, ARRIVAL, rules)
}

fn parse(headers: &[(&str, &str)]) -> Result<RequestHead, BadRequest> {
    let host = [("Host", "example.com")];
    let headers: Vec<_> = host.iter().chain(headers).copied().collect();
    parse_as(Version::HTTP_11, "/", &headers)
}

/// Which of the headers the application gets to see, besides `Host`.
fn check_kept(headers: &[(&str, &str)], expected: &[&str]) {
    let head = parse(headers).unwrap();
    let mut kept: Vec<&str> = head.headers().keys().map(|name| name.as_str()).collect();
    kept.retain(|name| *name != "host");
    kept.sort_unstable();
    assert_eq!(kept, expected, "{headers:?}");
}

fn check_refused(headers: &[(&str, &str)], expected: BadRequest) {
    assert_eq!(parse(headers).err(), Some(expected), "{headers:?}");
}

#[test]
fn header_with_an_underscore_is_dropped() {
    check_kept(
        &[("X_User", "a"), ("X-User", "b"), ("content_length", "5")],
        &["x-user"],
    );
    check_kept(&[("AUTHORIZATION_", "a"), ("_", "b")], &[]);
}

#[test]
fn header_with_an_underscore_passes_where_it_is_named_and_stands_alone() {
    let mut rules = HeadRules::default();
    rules.danger_underscores.add("X_Id").unwrap();
    let parse = |headers: &[(&str, &str)]| {
        let host = [("Host", "example.com")];
        let headers: Vec<_> = host.iter().chain(headers).copied().collect();
        let head = parse_by(&rules, Version::HTTP_11, "/", &headers)?;
        let mut kept: Vec<String> = head.headers().keys().map(|name| name.to_string()).collect();
        kept.sort_unstable();
        Ok(kept)
    };
    let names = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect());
    assert_eq!(
        parse(&[("X_ID", "a"), ("X_Other", "b")]),
        names(&["host", "x_id"])
    );
    assert_eq!(parse(&[("X-Id", "a")]), names(&["host", "x-id"]));
    let twice = parse(&[("X-Id", "a"), ("X_Id", "b")]);
    assert_eq!(twice, Err(BadRequest::TwoSpellings));
}

#[test]
fn expectation_is_that_of_the_standard_or_refused() {
    check_kept(&[("Expect", "100-continue")], &["expect"]);
    check_kept(&[("Expect", "100-Continue")], &["expect"]);
    for value in ["", "x", "100-continue, x", "100-continue;a"] {
        check_refused(&[("Expect", value)], BadRequest::Expectation);
    }
    let twice = [("Expect", "100-continue"), ("Expect", "100-continue")];
    check_refused(&twice, BadRequest::Expectation);
}

#[test]
fn method_with_a_small_letter_is_refused() {
    for (method, refused) in [
        ("GET", false),
        ("get", true),
        ("GEt", true),
        ("M-SEARCH", false),
    ] {
        let request = Request::builder().method(method).header("Host", "a");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let parsed = RequestHead::parse(parts, ARRIVAL, &HeadRules::default());
        assert_eq!(
            parsed.err(),
            refused.then_some(BadRequest::SmallMethod),
            "{method}"
        );
    }
}

#[test]
fn only_allowed_hosts_are_served_where_some_are_named() {
    let rules = HeadRules {
        allowed_hosts: Some(AllowedHosts::new([".example.com".to_owned()])),
        ..HeadRules::default()
    };
    let check = |version, uri: &str, headers: &[(&str, &str)], expected| {
        let refused = parse_by(&rules, version, uri, headers).err();
        assert_eq!(refused, expected, "{uri} {headers:?}");
    };
    let foreign = Some(BadRequest::ForeignHost);
    check(
        Version::HTTP_11,
        "/",
        &[("Host", "www.example.com:8000")],
        None,
    );
    check(Version::HTTP_11, "/", &[("Host", "example.org")], foreign);
    check(
        Version::HTTP_11,
        "/",
        &[("Host", "example.com.evil.test")],
        foreign,
    );
    check(
        Version::HTTP_11,
        "/",
        &[("Host", "evil.test"), ("X-Forwarded-Host", "example.com")],
        foreign,
    );
    check(Version::HTTP_10, "/", &[], foreign);
    check(Version::HTTP_2, "https://evil.test/", &[], foreign);
    check(Version::HTTP_2, "https://example.com/", &[], None);
}

#[test]
fn proxy_header_is_dropped() {
    check_kept(&[("Proxy", "http://evil")], &[]);
}

#[test]
fn names_of_our_own_are_dropped() {
    check_kept(
        &[("Yett-Identity", "a"), ("X-YETT-User", "b"), ("x-yet", "c")],
        &["x-yet"],
    );
}

#[test]
fn headers_of_the_connection_are_dropped() {
    check_kept(
        &[
            ("Connection", "keep-alive, X-Hop, TE"),
            ("Keep-Alive", "timeout=5"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Upgrade", "h2c"),
            ("Proxy-Connection", "close"),
            ("Proxy-Authorization", "Basic eDp5"),
            ("X-Hop", "a"),
            ("X-End", "b"),
        ],
        &["x-end"],
    );
}

#[test]
fn every_copy_of_a_dropped_header_is_dropped() {
    check_kept(
        &[
            ("X_A", "1"),
            ("X_A", "2"),
            ("Upgrade", "a"),
            ("Upgrade", "b"),
        ],
        &[],
    );
}

#[test]
fn connection_cannot_strip_what_the_application_needs() {
    for name in [
        "Host",
        "authorization",
        "COOKIE",
        "Content-Length",
        "content-type",
        "X-Forwarded-For",
        "Origin",
        "Accept",
        "Forwarded",
        "Sec-Fetch-Site",
    ] {
        let value = format!("close, {name}");
        check_refused(&[("Connection", &value)], BadRequest::ConnectionStrips);
    }
    check_refused(&[("Connection", "a b")], BadRequest::BadConnection);
    check_kept(&[("Connection", ", close ,,")], &[]);
}

#[test]
fn http_1_1_needs_exactly_one_good_host() {
    let refused = |headers: &[(&str, &str)]| parse_as(Version::HTTP_11, "/", headers).err();
    assert_eq!(refused(&[]), Some(BadRequest::NoHost));
    assert_eq!(refused(&[("Host", "")]), Some(BadRequest::BadHost));
    assert_eq!(refused(&[("Host", "a b")]), Some(BadRequest::BadHost));
    let two = [("Host", "a"), ("Host", "a")];
    assert_eq!(refused(&two), Some(BadRequest::TwoHosts));
}

#[test]
fn http_1_0_may_come_without_a_host() {
    let head = parse_as(Version::HTTP_10, "/", &[]).unwrap();
    assert_eq!(head.host(), None);
    let bad = parse_as(Version::HTTP_10, "/", &[("Host", "a/b")]);
    assert_eq!(bad.err(), Some(BadRequest::BadHost));
}

#[test]
fn absolute_target_agrees_with_the_host() {
    let check = |uri: &str, host: &str, expected: Option<BadRequest>| {
        let found = parse_as(Version::HTTP_11, uri, &[("Host", host)]).err();
        assert_eq!(found, expected, "{uri} {host}");
    };
    check("http://a.test/x", "a.test", None);
    check("http://A.test:80/x", "a.TEST:80", None);
    check(
        "http://a.test/x",
        "b.test",
        Some(BadRequest::AuthorityMismatch),
    );
    check(
        "http://a.test:80/x",
        "a.test",
        Some(BadRequest::AuthorityMismatch),
    );
    check(
        "http://u@a.test/x",
        "a.test",
        Some(BadRequest::AuthorityMismatch),
    );
    let none = parse_as(Version::HTTP_11, "http://a.test/x", &[]).err();
    assert_eq!(none, Some(BadRequest::NoHost));
}

#[test]
fn authority_of_http_2_becomes_the_host() {
    let head = parse_as(Version::HTTP_2, "https://a.test/x", &[]).unwrap();
    assert_eq!(head.host().map(|host| host.as_str()), Some("a.test"));
    assert_eq!(head.headers()["host"], "a.test");
}

#[test]
fn two_authorizations_are_refused() {
    check_refused(
        &[("Authorization", "Bearer a"), ("Authorization", "Bearer a")],
        BadRequest::TwoAuthorizations,
    );
}

fn check_length(headers: &[(&str, &str)], expected: Result<BodyLength, BadRequest>) {
    let found = parse(headers).map(|head| head.body_length());
    assert_eq!(found, expected, "{headers:?}");
}

#[test]
fn body_has_one_length() {
    check_length(&[], Ok(BodyLength::None));
    check_length(&[("Content-Length", "0")], Ok(BodyLength::Known(0)));
    check_length(&[("Content-Length", "42")], Ok(BodyLength::Known(42)));
    check_length(&[("Transfer-Encoding", "Chunked")], Ok(BodyLength::Chunked));
    for value in ["", "+1", "-1", "1, 1", "0x1", "99999999999999999999"] {
        check_length(&[("Content-Length", value)], Err(BadRequest::BadLength));
    }
    check_length(
        &[("Content-Length", "1"), ("Content-Length", "1")],
        Err(BadRequest::BadLength),
    );
    check_length(
        &[("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
        Err(BadRequest::TwoLengths),
    );
    for value in ["gzip, chunked", "identity", "chunked, chunked", ""] {
        check_length(
            &[("Transfer-Encoding", value)],
            Err(BadRequest::TransferCoding),
        );
    }
}

#[test]
fn debug_prints_no_header() {
    let head = parse(&[("Authorization", "Bearer hunter2"), ("Cookie", "hunter2")]).unwrap();
    assert!(!format!("{head:?}").contains("hunter2"));
}

#[test]
fn body_of_http2_needs_no_header_and_a_transfer_coding_is_refused() {
    let parts = |headers: &[(&str, &str)]| {
        let mut request = Request::builder()
            .uri("https://a.test/x")
            .version(Version::HTTP_2);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(BodyFollows);
        RequestHead::parse(parts, ARRIVAL, &HeadRules::default()).map(|head| head.body_length())
    };
    assert_eq!(parts(&[]), Ok(BodyLength::Chunked));
    let announced = parts(&[("content-length", "5")]);
    assert_eq!(announced, Ok(BodyLength::Known(5)));
    let chunked = [("transfer-encoding", "chunked")];
    assert_eq!(parts(&chunked), Err(BadRequest::TransferCoding));
    let bodyless = parse_as(Version::HTTP_2, "https://a.test/x", &[]).unwrap();
    assert_eq!(bodyless.body_length(), BodyLength::None);
}

#[test]
fn id_of_the_request_is_the_only_one_whatever_the_client_sent() {
    let mut rules = HeadRules::default();
    rules.danger_underscores.add("x_request_id").unwrap();
    for sent in [
        &[("X-Request-ID", "a"), ("x-request-id", "b")][..],
        &[("X_Request_ID", "a")],
        &[("Connection", "X-Request-ID"), ("X-Request-ID", "a")],
        &[],
    ] {
        let headers: Vec<_> = [("Host", "x")].iter().chain(sent).copied().collect();
        let mut head = parse_by(&rules, Version::HTTP_11, "/", &headers).unwrap();
        head.name(&RequestIdHeader::default(), "ours".parse().unwrap());
        let named = head
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str() != "host");
        let named: Vec<_> = named
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(named, [("x-request-id", "ours")], "{sent:?}");
    }
}
