//! Claims about who is believed what.

use http::{HeaderMap, Request};

use crate::request::{
    AllowedHosts, Arrival, BadRequest, ClientAddr, ForwardedHost, ForwardingHeaders, HeadRules,
    RequestHead, Scheme, ServerAddr,
};

/// Trusts 10.0.0.0/8 and fd00::/8.
fn rules(forwarding: ForwardingHeaders) -> HeadRules {
    let mut rules = HeadRules {
        forwarding,
        ..HeadRules::default()
    };
    for word in ["10.0.0.0/8", "fd00::/8"] {
        rules.proxies.add(word).unwrap();
    }
    rules
}

fn parse(
    rules: &HeadRules,
    peer: &str,
    headers: &[(&str, &str)],
) -> Result<RequestHead, BadRequest> {
    let mut request = Request::builder().uri("/").header("Host", "inner.test");
    for (name, value) in headers {
        request = request.header(*name, value.as_bytes());
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let peer = format!("{peer}:4711").parse().unwrap();
    let arrival = Arrival::new(ClientAddr::Ip(peer), ServerAddr::Unix, Scheme::Http);
    RequestHead::parse(parts, arrival, rules)
}

fn headers_of(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// What is believed: client, scheme, host and the headers that are left.
fn believed(rules: &HeadRules, peer: &str, headers: &[(&str, &str)]) -> (String, String) {
    let head = parse(rules, peer, headers).unwrap();
    let ClientAddr::Ip(client) = head.client() else {
        panic!("the peer has an address");
    };
    let host = head.host().unwrap().as_str().to_owned();
    assert_eq!(head.headers().get("host").unwrap(), host.as_str());
    (
        format!("{client} {} {host}", head.scheme().as_str()),
        headers_of(head.headers()),
    )
}

fn check(peer: &str, headers: &[(&str, &str)], origin: &str, left: &str) {
    let found = believed(&rules(ForwardingHeaders::XForwarded), peer, headers);
    assert_eq!(found, (origin.to_owned(), left.to_owned()), "{headers:?}");
}

fn check_forwarded(lines: &[&str], origin: &str, left: &str) {
    let headers: Vec<(&str, &str)> = lines.iter().map(|line| ("Forwarded", *line)).collect();
    let found = believed(&rules(ForwardingHeaders::Forwarded), "10.0.0.1", &headers);
    assert_eq!(found, (origin.to_owned(), left.to_owned()), "{lines:?}");
}

const ALL: [(&str, &str); 14] = [
    ("X-Forwarded-For", "192.0.2.1"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-User", "root"),
    ("X-Forwarded-Ssl", "on"),
    ("Forwarded", "for=192.0.2.1;proto=https;host=evil.test"),
    ("X-Real-IP", "192.0.2.1"),
    ("CF-Connecting-IP", "192.0.2.1"),
    ("True-Client-IP", "192.0.2.1"),
    ("Client-IP", "192.0.2.1"),
    ("X-Scheme", "https"),
    ("X-Url-Scheme", "https"),
];

/// Some by their whole name, some by its beginning.
const PERSONS: [(&str, &str); 9] = [
    ("Remote-User", "root"),
    ("X-Remote-User", "root"),
    ("Client-Cert", ":MIIB:"),
    ("X-Client-Cert", "MIIB"),
    ("X-SSL-Client-Verify", "SUCCESS"),
    ("SSL-Client-Subject-DN", "CN=root"),
    ("X-Auth-Request-Email", "root@example.com"),
    ("X-WebAuth-User", "root"),
    ("X-MS-CLIENT-PRINCIPAL", "root"),
];

#[test]
fn word_of_a_stranger_on_who_he_is_is_dropped_and_that_of_a_proxy_handed_on() {
    check(
        "203.0.113.9",
        &PERSONS,
        "203.0.113.9:4711 http inner.test",
        "",
    );
    for one in PERSONS {
        let left = format!("{}: {}", one.0.to_ascii_lowercase(), one.1);
        check("10.0.0.1", &[one], "10.0.0.1:4711 http inner.test", &left);
        let told = [one, ("X-Forwarded-For", "203.0.113.9")];
        let left = format!("{left}\nx-forwarded-for: 203.0.113.9");
        let mut lines: Vec<&str> = left.lines().collect();
        lines.sort_unstable();
        check(
            "10.0.0.1",
            &told,
            "203.0.113.9:0 http inner.test",
            &lines.join("\n"),
        );
    }
}

#[test]
fn headers_that_only_sound_like_it_are_the_clients_own() {
    let own = [
        ("X-Client-Version", "7"),
        ("X-Client-Id", "app"),
        ("X-User-Agent", "app"),
        ("X-Auth-Token", "t"),
        ("Client-Hints", "h"),
        ("Remote-Control", "r"),
    ];
    let mut left: Vec<String> = own
        .iter()
        .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
        .collect();
    left.sort_unstable();
    check(
        "203.0.113.9",
        &own,
        "203.0.113.9:4711 http inner.test",
        &left.join("\n"),
    );
}

#[test]
fn word_of_a_stranger_on_the_origin_is_dropped_whatever_it_is_called() {
    check("203.0.113.9", &ALL, "203.0.113.9:4711 http inner.test", "");
    check(
        "203.0.113.9",
        &[("X-Forwarded-For", "!")],
        "203.0.113.9:4711 http inner.test",
        "",
    );
    let nobody = believed(&HeadRules::default(), "127.0.0.1", &ALL);
    assert_eq!(
        nobody,
        ("127.0.0.1:4711 http inner.test".to_owned(), String::new())
    );
}

#[test]
fn client_is_the_rightmost_hop_that_is_not_trusted() {
    let check = |lines: &[&str], client: &str, left: &str| {
        let headers: Vec<_> = lines
            .iter()
            .map(|line| ("X-Forwarded-For", *line))
            .collect();
        let left = format!("x-forwarded-for: {left}");
        check(
            "10.0.0.1",
            &headers,
            &format!("{client} http inner.test"),
            &left,
        );
    };
    check(&["192.0.2.1"], "192.0.2.1:0", "192.0.2.1");
    check(&["127.0.0.1, 192.0.2.1"], "192.0.2.1:0", "192.0.2.1");
    check(
        &["192.0.2.1, 10.0.0.2"],
        "192.0.2.1:0",
        "192.0.2.1, 10.0.0.2",
    );
    check(
        &["6.6.6.6, 192.0.2.1, 10.0.0.3, 10.0.0.2"],
        "192.0.2.1:0",
        "192.0.2.1, 10.0.0.3, 10.0.0.2",
    );
    check(
        &["6.6.6.6", "192.0.2.1", "fd00::2"],
        "192.0.2.1:0",
        "192.0.2.1, fd00::2",
    );
    // All hops are of the house.
    check(&["10.0.0.3, 10.0.0.2"], "10.0.0.3:0", "10.0.0.3, 10.0.0.2");
    // What a client wrote in front is never read.
    check(
        &["<script>", "\u{e9}, unknown, ,192.0.2.1"],
        "192.0.2.1:0",
        "192.0.2.1",
    );
    check(&["192.0.2.1:4711,,"], "192.0.2.1:4711", "192.0.2.1");
    check(&["[2001:db8::1]:80"], "[2001:db8::1]:80", "2001:db8::1");
    check(&["::ffff:192.0.2.1"], "192.0.2.1:0", "192.0.2.1");
}

#[test]
fn proxy_that_names_nobody_asks_for_itself() {
    check("10.0.0.1", &[], "10.0.0.1:4711 http inner.test", "");
    check(
        "10.0.0.1",
        &[("X-Forwarded-For", " , ")],
        "10.0.0.1:4711 http inner.test",
        "",
    );
    check_forwarded(&[""], "10.0.0.1:4711 http inner.test", "");
}

#[test]
fn scheme_is_the_nearest_proxys_word() {
    let check = |lines: &[&str], scheme: &str| {
        let headers: Vec<_> = lines
            .iter()
            .map(|line| ("X-Forwarded-Proto", *line))
            .collect();
        let left = format!("x-forwarded-proto: {scheme}");
        check(
            "10.0.0.1",
            &headers,
            &format!("10.0.0.1:4711 {scheme} inner.test"),
            &left,
        );
    };
    check(&["https"], "https");
    check(&["HTTPS"], "https");
    check(&["wss"], "https");
    check(&["ws"], "http");
    check(&["https, http"], "http");
    check(&["http", "https"], "https");
    check(&["gopher, https"], "https");
}

#[test]
fn host_and_port_are_believed_only_where_they_are_asked_for() {
    let said = [
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Host", "Outer.test:8443"),
        ("X-Forwarded-Port", "8443"),
    ];
    check(
        "10.0.0.1",
        &said,
        "192.0.2.1:0 http inner.test",
        "x-forwarded-for: 192.0.2.1",
    );
    let mut rules = rules(ForwardingHeaders::XForwarded);
    rules.forwarded_host = ForwardedHost::Trusted;
    let (origin, left) = believed(&rules, "10.0.0.1", &said);
    assert_eq!(origin, "192.0.2.1:0 http outer.test:8443");
    assert_eq!(
        left,
        "x-forwarded-for: 192.0.2.1\nx-forwarded-host: outer.test:8443\nx-forwarded-port: 8443"
    );
    let head = parse(&rules, "10.0.0.1", &said).unwrap();
    assert_eq!(head.forwarded_port(), Some(8443));
    let (origin, left) = believed(&rules, "203.0.113.9", &said);
    assert_eq!(
        (origin.as_str(), left.as_str()),
        ("203.0.113.9:4711 http inner.test", "")
    );
    for (name, value) in [
        ("X-Forwarded-Host", "a/b"),
        ("X-Forwarded-Host", "a b"),
        ("X-Forwarded-Port", "0"),
        ("X-Forwarded-Port", "+443"),
        ("X-Forwarded-Port", "65536"),
    ] {
        let refused = parse(&rules, "10.0.0.1", &[(name, value)]).err();
        assert_eq!(refused, Some(BadRequest::BadForwarding), "{value}");
    }
}

#[test]
fn headers_of_one_address_tell_the_truth_or_nothing() {
    check(
        "10.0.0.1",
        &[
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Real-IP", "6.6.6.6"),
            ("CF-Connecting-IP", "6.6.6.7"),
        ],
        "192.0.2.1:0 http inner.test",
        "cf-connecting-ip: 192.0.2.1\nx-forwarded-for: 192.0.2.1\nx-real-ip: 192.0.2.1",
    );
    check(
        "10.0.0.1",
        &[("X-Real-IP", "6.6.6.6")],
        "10.0.0.1:4711 http inner.test",
        "x-real-ip: 10.0.0.1",
    );
}

#[test]
fn other_words_of_a_trusted_proxy_are_handed_on_and_other_spellings_are_not() {
    check(
        "10.0.0.1",
        &[
            ("X-Forwarded-Prefix", "/shop"),
            ("X-Forwarded-Ssl", "on"),
            ("X-Scheme", "https"),
        ],
        "10.0.0.1:4711 http inner.test",
        "x-forwarded-prefix: /shop",
    );
}

#[test]
fn only_one_family_of_headers_is_believed() {
    let both = [
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=192.0.2.2;proto=http"),
    ];
    check(
        "10.0.0.1",
        &both,
        "192.0.2.1:0 https inner.test",
        "x-forwarded-for: 192.0.2.1\nx-forwarded-proto: https",
    );
    let (origin, left) = believed(&rules(ForwardingHeaders::Forwarded), "10.0.0.1", &both);
    assert_eq!(origin, "192.0.2.2:0 http inner.test");
    assert_eq!(left, "forwarded: for=192.0.2.2;proto=http");
}

#[test]
fn word_that_is_needed_and_cannot_be_read_refuses_the_request() {
    let refused = |name: &str, value: &str, expected: BadRequest| {
        let rules = rules(match name {
            "Forwarded" => ForwardingHeaders::Forwarded,
            _ => ForwardingHeaders::XForwarded,
        });
        let found = parse(&rules, "10.0.0.1", &[(name, value)]).err();
        assert_eq!(found, Some(expected), "{name}: {value}");
    };
    for value in [
        "evil",
        "192.0.2.1 10.0.0.2",
        "192.0.2.1, !, 10.0.0.2",
        "10.0.0.256",
        "\u{e9}",
    ] {
        refused("X-Forwarded-For", value, BadRequest::BadForwarding);
    }
    refused("X-Forwarded-For", "unknown", BadRequest::HiddenClient);
    refused(
        "X-Forwarded-For",
        "192.0.2.1, unknown, 10.0.0.2",
        BadRequest::HiddenClient,
    );
    for value in ["on", "httpss", "http https", "1"] {
        refused("X-Forwarded-Proto", value, BadRequest::BadForwarding);
    }
    for value in [
        "for=\"x, for=192.0.2.1",
        "for",
        "for=192.0.2.1;proto=on",
        "for=evil",
    ] {
        refused("Forwarded", value, BadRequest::BadForwarding);
    }
    for value in [
        "for=unknown",
        "for=_secret",
        "proto=https",
        "for=192.0.2.1, for=_x, for=10.0.0.2",
    ] {
        refused("Forwarded", value, BadRequest::HiddenClient);
    }
}

#[test]
fn forwarded_is_read_as_x_forwarded_for_is() {
    check_forwarded(
        &["for=6.6.6.6;proto=http, for=192.0.2.1;proto=https"],
        "192.0.2.1:0 https inner.test",
        "forwarded: for=192.0.2.1;proto=https",
    );
    check_forwarded(
        &[
            "for=\"[2001:db8::1]:80\";proto=http",
            "for=10.0.0.2;proto=https;by=10.0.0.9",
        ],
        "[2001:db8::1]:80 https inner.test",
        "forwarded: for=\"[2001:db8::1]\", for=10.0.0.2;proto=https",
    );
    // Left of the client everything counts for nothing …
    check_forwarded(
        &["for=unknown;proto=gopher, for=10.0.0.7", "for=192.0.2.1"],
        "192.0.2.1:0 http inner.test",
        "forwarded: for=192.0.2.1",
    );
    // … but a line is read whole: a quote that was opened there could swallow the proxy's word.
    for left in ["<script>", "for=evil.test", "for=\"x"] {
        for lines in [
            vec![format!("{left}, for=192.0.2.1")],
            vec![left.to_owned(), "for=192.0.2.1".to_owned()],
        ] {
            let lines: Vec<_> = lines
                .iter()
                .map(|line| ("Forwarded", line.as_str()))
                .collect();
            let refused = parse(&rules(ForwardingHeaders::Forwarded), "10.0.0.1", &lines).err();
            assert_eq!(refused, Some(BadRequest::BadForwarding), "{lines:?}");
        }
    }
    let mut rules = rules(ForwardingHeaders::Forwarded);
    rules.forwarded_host = ForwardedHost::Trusted;
    let said = [(
        "Forwarded",
        "for=192.0.2.1;host=\"outer.test:1\";proto=https",
    )];
    let (origin, left) = believed(&rules, "10.0.0.1", &said);
    assert_eq!(origin, "192.0.2.1:0 https outer.test:1");
    assert_eq!(
        left,
        "forwarded: for=192.0.2.1;proto=https;host=\"outer.test:1\""
    );
}

#[test]
fn host_that_is_not_allowed_is_misdirected_also_when_a_proxy_names_it() {
    let mut rules = rules(ForwardingHeaders::XForwarded);
    rules.forwarded_host = ForwardedHost::Trusted;
    rules.allowed_hosts = Some(AllowedHosts::new(["outer.test".to_owned()]));
    let host = |host| [("X-Forwarded-Host", host)];
    assert!(parse(&rules, "10.0.0.1", &host("outer.test")).is_ok());
    let foreign = Some(BadRequest::ForeignHost);
    assert_eq!(
        parse(&rules, "10.0.0.1", &host("inner.test")).err(),
        foreign
    );
    assert_eq!(
        parse(&rules, "203.0.113.9", &host("outer.test")).err(),
        foreign
    );
    assert_eq!(BadRequest::ForeignHost.status(), 421);
}

proptest::proptest! {
    #[test]
    fn no_word_of_a_client_becomes_its_address(words in proptest::collection::vec("\\PC{0,20}", 0..4)) {
        // The proxy appends what it knows behind whatever the client wrote.
        let mut line: Vec<String> = words.into_iter().map(|word| word.replace(',', "")).collect();
        line.push("192.0.2.1".to_owned());
        let line = line.join(",");
        let rules = rules(ForwardingHeaders::XForwarded);
        let head = parse(&rules, "10.0.0.1", &[("X-Forwarded-For", &line)]).unwrap();
        proptest::prop_assert_eq!(head.client(), ClientAddr::Ip("192.0.2.1:0".parse().unwrap()));
    }
}
