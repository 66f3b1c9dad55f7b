use proptest::prelude::*;

use super::*;

fn parse(url: &str, loopback: Loopback) -> Result<Endpoint, UrlFault> {
    Endpoint::parse(url, loopback)
}

fn refused(urls: &[&str], loopback: Loopback, expected: UrlFault) {
    for url in urls {
        assert_eq!(parse(url, loopback).unwrap_err(), expected, "{url}");
    }
}

#[test]
fn https_address_is_taken_apart() {
    let endpoint = parse("https://Issuer.example/a/jwks.json?v=1", Loopback::Refused).unwrap();
    assert_eq!(endpoint.host, Host::Name("issuer.example".into()));
    assert_eq!(endpoint.port, 443);
    assert_eq!(endpoint.authority, "Issuer.example");
    assert_eq!(endpoint.target, "/a/jwks.json?v=1");
    assert_eq!(endpoint.server_name.unwrap().to_str(), "issuer.example");
    assert_eq!(endpoint.reach, Reach::Elsewhere);
}

#[test]
fn port_is_part_of_host_and_path_may_be_absent() {
    let endpoint = parse("https://[2001:db8::1]:8443", Loopback::Refused).unwrap();
    assert_eq!(endpoint.host, Host::Ip("2001:db8::1".parse().unwrap()));
    assert_eq!(endpoint.port, 8443);
    assert_eq!(endpoint.authority, "[2001:db8::1]:8443");
    assert_eq!(endpoint.target, "/");
}

#[test]
fn plain_http_is_refused() {
    let elsewhere = [
        "http://issuer.example/",
        "HTTP://192.0.2.1/",
        "http://10.0.0.1:8080/",
    ];
    refused(&elsewhere, Loopback::Refused, UrlFault::PlainHttp);
    refused(&elsewhere, Loopback::Allowed, UrlFault::PlainHttp);
    refused(
        &["http://localhost/", "http://127.0.0.1/"],
        Loopback::Refused,
        UrlFault::PlainHttp,
    );
}

#[test]
fn plain_http_on_this_machine_is_taken_where_allowed_and_stays_here() {
    for url in [
        "http://localhost:80/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://a.localhost/",
    ] {
        let endpoint = parse(url, Loopback::Allowed).unwrap();
        assert_eq!(endpoint.reach, Reach::LoopbackAlone, "{url}");
        assert_eq!(endpoint.server_name, None);
        assert_eq!(endpoint.port, 80);
    }
}

#[test]
fn loopback_is_refused_unless_allowed() {
    let here = [
        "https://127.0.0.1/",
        "https://127.9.9.9:8443/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://issuer.localhost/",
    ];
    refused(&here, Loopback::Refused, UrlFault::Loopback);
    for url in here {
        assert_eq!(
            parse(url, Loopback::Allowed).unwrap().reach,
            Reach::LoopbackToo
        );
    }
}

#[test]
fn literals_that_are_no_issuers_are_always_refused() {
    let urls = [
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.169.254/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://224.0.0.1/",
        "https://[::ffff:169.254.169.254]/",
    ];
    refused(&urls, Loopback::Refused, UrlFault::Reserved);
    refused(&urls, Loopback::Allowed, UrlFault::Reserved);
}

#[test]
fn user_and_password_are_refused() {
    let urls = [
        "https://user@issuer.example/",
        "https://user:word@issuer.example/",
        "https://:@issuer.example/",
        "https://issuer.example@192.0.2.1/",
    ];
    refused(&urls, Loopback::Refused, UrlFault::UserInfo);
}

#[test]
fn schemes_other_than_https_are_refused() {
    let urls = [
        "ftp://issuer.example/",
        "data://issuer.example/",
        "unix://issuer.example/",
    ];
    refused(&urls, Loopback::Refused, UrlFault::Scheme);
}

#[test]
fn what_is_not_an_absolute_address_is_refused() {
    let urls = [
        "",
        "/jwks.json",
        "issuer.example",
        "issuer.example:443",
        "https:///jwks.json",
        "https://issuer.example/ /",
        " https://issuer.example/",
        "https://issuer.example/\r\nX: y",
        "https://bücher.example/",
        "*",
    ];
    refused(&urls, Loopback::Refused, UrlFault::NotAbsolute);
}

#[test]
fn fragment_is_refused() {
    refused(
        &["https://issuer.example/#a"],
        Loopback::Refused,
        UrlFault::Fragment,
    );
}

#[test]
fn address_beyond_its_bound_is_refused() {
    let url = format!("https://issuer.example/{}", "a".repeat(2026));
    refused(&[&url], Loopback::Refused, UrlFault::TooLong);
    parse(url.strip_suffix('a').unwrap(), Loopback::Refused).unwrap();
}

#[test]
fn host_that_is_no_name_is_refused() {
    let urls = [
        "https://a..b/",
        "https://-a.example/",
        "https://a*b/",
        "https://[::1%25eth0]/",
    ];
    for url in urls {
        let fault = parse(url, Loopback::Allowed).unwrap_err();
        assert!(
            matches!(fault, UrlFault::Host | UrlFault::NotAbsolute),
            "{url} {fault:?}"
        );
    }
}

#[test]
fn port_that_does_not_exist_is_refused() {
    for url in [
        "https://issuer.example:0/",
        "https://issuer.example:65536/",
        "https://issuer.example:/",
    ] {
        let fault = parse(url, Loopback::Refused).unwrap_err();
        assert!(
            matches!(fault, UrlFault::Port | UrlFault::NotAbsolute),
            "{url} {fault:?}"
        );
    }
}

proptest! {
    /// Whatever is written: no panic, and no way to plain http elsewhere.
    #[test]
    fn any_text_is_refused_or_safe(text in prop_oneof![
        any::<String>(),
        "https?://[a-z0-9.:@%\\[\\]/?#-]{0,40}",
        "(http|HTTPS|https)://(localhost|127\\.0\\.0\\.1|\\[::1\\]|10\\.0\\.0\\.1)[.:@0-9/]{0,6}",
    ]) {
        if let Ok(endpoint) = parse(&text, Loopback::Refused) {
            prop_assert!(endpoint.server_name.is_some());
            prop_assert_eq!(endpoint.reach, Reach::Elsewhere);
        }
        if let Ok(endpoint) = parse(&text, Loopback::Allowed) {
            prop_assert_ne!(endpoint.server_name.is_some(), endpoint.reach == Reach::LoopbackAlone);
            prop_assert_ne!(endpoint.port, 0);
        }
    }
}
