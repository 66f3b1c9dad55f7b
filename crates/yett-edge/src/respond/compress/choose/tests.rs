//! Each rule as a claim. An answer that keeps all of them is JSON of 5,000 bytes, asked for by a
//! client that takes everything and has no cookie.

use http::Request;
use yett_gate::{Arrival, ClientAddr, Scheme, ServerAddr};

use super::*;

struct Case {
    compression: Compression,
    rule: Option<Compression>,
    version: Version,
    asked: Vec<(&'static str, &'static str)>,
    status: u16,
    answer: Vec<(&'static str, &'static str)>,
    length: Option<u64>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            compression: Compression::On,
            rule: None,
            version: Version::HTTP_11,
            asked: vec![("accept-encoding", "gzip, deflate, br, zstd")],
            status: 200,
            answer: vec![("content-type", "application/json")],
            length: Some(5000),
        }
    }
}

impl Case {
    /// With a further header of the answer.
    fn with(name: &'static str, value: &'static str) -> Self {
        let mut case = Self::default();
        case.answer.push((name, value));
        case
    }

    /// With a further header of the request.
    fn asked(name: &'static str, value: &'static str) -> Self {
        let mut case = Self::default();
        case.asked.push((name, value));
        case
    }

    fn outcome(&self) -> (Option<Coding>, HeaderMap) {
        let mut request = Request::builder().uri("/").version(self.version);
        for (name, value) in [("host", "x")].iter().chain(&self.asked) {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
        let request = RequestHead::parse(parts, arrival, &yett_gate::HeadRules::default()).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in &self.answer {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let settings = CompressionSettings {
            compression: self.compression,
            ..CompressionSettings::default()
        };
        let mut outline = Outline {
            status: StatusCode::from_u16(self.status).unwrap(),
            headers: &mut headers,
            length: self.length,
        };
        let coding = choose(&settings, self.rule, &request, &mut outline);
        (coding, headers)
    }

    /// The coding, and `Vary` as the client sees it.
    fn check(&self, coding: Option<Coding>, vary: Option<&str>) {
        let (chosen, headers) = self.outcome();
        let varies: Vec<_> = headers.get_all(VARY).iter().collect();
        assert!(varies.len() < 2, "{varies:?}");
        let varies = varies.first().map(|value| value.to_str().unwrap());
        assert_eq!((chosen, varies), (coding, vary), "{:?}", self.answer);
    }
}

const VARIES: Option<&str> = Some("Accept-Encoding");

#[test]
fn text_is_compressed_for_who_takes_it() {
    Case::default().check(Some(Coding::Zstd), VARIES);
    for status in [201, 400, 401, 404, 500] {
        let case = Case {
            status,
            ..Case::default()
        };
        case.check(Some(Coding::Zstd), VARIES);
    }
}

#[test]
fn who_takes_no_coding_gets_none_and_caches_know() {
    for asked in [vec![], vec![("accept-encoding", "identity, deflate")]] {
        let case = Case {
            asked,
            ..Case::default()
        };
        case.check(None, VARIES);
    }
}

#[test]
fn short_body_is_left_and_does_not_vary() {
    let of_length = |length| Case {
        length,
        ..Case::default()
    };
    of_length(Some(1023)).check(None, None);
    of_length(Some(1024)).check(Some(Coding::Zstd), VARIES);
    of_length(None).check(Some(Coding::Zstd), VARIES);
}

#[test]
fn what_is_no_text_is_left() {
    let case = Case {
        answer: vec![("content-type", "image/png")],
        ..Case::default()
    };
    case.check(None, None);
    let case = Case {
        answer: vec![("content-type", "text/event-stream")],
        length: None,
        ..Case::default()
    };
    case.check(None, None);
}

#[test]
fn what_must_not_be_changed_is_left() {
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("content-encoding", "identity"),
        ("cache-control", "max-age=60, No-Transform"),
        ("content-range", "bytes 0-9/100"),
        ("content-digest", "sha-256=:abc=:"),
        ("repr-digest", "sha-256=:abc=:"),
        ("digest", "sha-256=abc="),
        ("content-md5", "abc="),
        ("signature-input", "sig=(\"etag\")"),
    ] {
        Case::with(name, value).check(None, None);
    }
    for status in [204, 205, 206] {
        let case = Case {
            status,
            ..Case::default()
        };
        case.check(None, None);
    }
}

#[test]
fn old_client_gets_the_plain_text() {
    let case = Case {
        version: Version::HTTP_10,
        ..Case::default()
    };
    case.check(None, VARIES);
}

#[test]
fn vary_is_completed_not_replaced() {
    Case::with("vary", "Accept, Cookie")
        .check(Some(Coding::Zstd), Some("Accept, Cookie, Accept-Encoding"));
    Case::with("vary", "*").check(Some(Coding::Zstd), Some("*"));
    Case::with("vary", "accept-encoding, origin")
        .check(Some(Coding::Zstd), Some("accept-encoding, origin"));
    let mut two = Case::with("vary", "Accept");
    two.answer.push(("vary", "Cookie"));
    two.check(Some(Coding::Zstd), Some("Accept, Cookie, Accept-Encoding"));
}

#[test]
fn answer_that_a_foreign_page_could_ask_for_with_the_users_cookie_is_left() {
    Case::asked("cookie", "sessionid=1").check(None, VARIES);
    let mut own = Case::asked("cookie", "sessionid=1");
    own.asked.push(("sec-fetch-site", "same-origin"));
    own.check(Some(Coding::Zstd), VARIES);
}

#[test]
fn route_has_the_last_word() {
    let with_rule = |compression, rule| Case {
        compression,
        rule: Some(rule),
        ..Case::asked("cookie", "sessionid=1")
    };
    with_rule(Compression::On, Compression::DangerAlways).check(Some(Coding::Zstd), VARIES);
    with_rule(Compression::DangerAlways, Compression::On).check(None, VARIES);
    with_rule(Compression::DangerAlways, Compression::Off).check(None, None);
    with_rule(Compression::Off, Compression::DangerAlways).check(Some(Coding::Zstd), VARIES);
    let off = Case {
        compression: Compression::Off,
        ..Case::default()
    };
    off.check(None, None);
}

#[test]
fn not_modified_names_the_tag_that_the_client_has() {
    let case = Case {
        status: 304,
        answer: vec![("etag", "\"x\"")],
        length: None,
        ..Case::asked("if-none-match", "\"x;br\"")
    };
    let (coding, headers) = case.outcome();
    assert_eq!(coding, None);
    assert_eq!(headers[ETAG], "\"x;br\"");
    assert_eq!(headers[VARY], "Accept-Encoding");
    let plain = Case {
        asked: vec![("if-none-match", "\"x\"")],
        ..case
    };
    let (_, headers) = plain.outcome();
    assert_eq!(headers[ETAG], "\"x\"");
    assert_eq!(headers.get(VARY), None);
}

#[test]
fn coded_answer_says_what_it_is_and_promises_no_ranges() {
    let mut headers = Case::with("content-length", "5000").outcome().1;
    headers.insert(ETAG, HeaderValue::from_static("\"x\""));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    announce(&mut headers, Coding::Brotli);
    assert_eq!(headers[CONTENT_ENCODING], "br");
    assert_eq!(headers[ETAG], "\"x;br\"");
    assert_eq!(headers.get(CONTENT_LENGTH), None);
    assert_eq!(headers.get(ACCEPT_RANGES), None);
}
