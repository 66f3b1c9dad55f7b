//! What the scanner passes and what it objects to, whole and cut into single bytes.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn scan(input: &[u8], step: usize) -> (Vec<u8>, Option<Offence>) {
    let mut scanner = Scanner::new(Limits {
        max_head: 1024,
        max_headers: 16,
    });
    let mut out = BytesMut::new();
    for piece in input.chunks(step) {
        if let Err(offence) = scanner.push(piece, &mut out) {
            return (out.to_vec(), Some(offence));
        }
    }
    (out.to_vec(), None)
}

fn check(input: &str, expected: Option<Offence>) {
    for step in [1, 2, 7, input.len().max(1)] {
        let (out, offence) = scan(input.as_bytes(), step);
        assert_eq!(offence, expected, "in steps of {step}: {input:?}");
        if expected.is_none() {
            assert_eq!(out, input.as_bytes());
        }
    }
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn ordinary_messages_pass_unchanged() {
    check(GET, None);
    check(&format!("{GET}{GET}"), None);
    check(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
        None,
    );
    check(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
        None,
    );
}

#[test]
fn one_empty_line_before_a_request_is_skipped_and_a_second_is_not() {
    assert_eq!(scan(format!("\r\n{GET}").as_bytes(), 1), (GET.into(), None));
    check("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Some(Offence::RequestLine));
}

#[test]
fn lines_end_with_cr_lf_and_nothing_else() {
    check("GET / HTTP/1.1\nHost: x\n\n", Some(Offence::BareLineEnd));
    check(
        "GET / HTTP/1.1\r\nHost: x\n\r\n",
        Some(Offence::BareLineEnd),
    );
    check(
        "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n",
        Some(Offence::BareLineEnd),
    );
}

#[test]
fn malformed_request_lines_are_refused() {
    for line in [
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "G(T / HTTP/1.1",
        "GET /a b HTTP/1.1",
        " GET / HTTP/1.1",
    ] {
        let (_, offence) = scan(format!("{line}\r\nHost: x\r\n\r\n").as_bytes(), 1);
        assert!(
            matches!(
                offence,
                Some(Offence::RequestLine | Offence::Version | Offence::BareLineEnd)
            ),
            "{line}: {offence:?}"
        );
    }
    check("GET / HTTP/2.0\r\n\r\n", Some(Offence::Version));
    check(
        "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
        Some(Offence::Target),
    );
}

#[test]
fn malformed_headers_are_refused() {
    for header in [
        "Name : v",
        " Name: v",
        "Na me: v",
        ": v",
        "Name",
        "Name: a\0b",
        "Näme: v",
    ] {
        check(
            &format!("GET / HTTP/1.1\r\n{header}\r\n\r\n"),
            Some(Offence::Header),
        );
    }
    check(
        "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        Some(Offence::Header),
    );
}

#[test]
fn trailers_that_would_change_the_message_are_refused() {
    let trailed = |line: &str, expected| {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{head}0\r\n{line}\r\n\r\n"), expected);
    };
    for line in [
        "Content-Length: 5",
        "transfer-encoding: chunked",
        "HOST: y",
        "Authorization: x",
        "A: b\r\nCookie: c",
        "X-Forwarded-For: 1.2.3.4",
        "True-Client-IP: 1.2.3.4",
        "x-original-forwarded-for: 1.2.3.4",
        "Trailer: x",
    ] {
        trailed(line, Some(Offence::Trailers));
    }
    trailed("X-Sum: 1", None);
    trailed("X-Forward: 1", None);
}

#[test]
fn lengths_that_two_servers_could_read_differently_are_refused() {
    let post = |headers: &str, offence| {
        check(
            &format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n"),
            Some(offence),
        )
    };
    post(
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        Offence::ConflictingLengths,
    );
    post(
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        Offence::ConflictingLengths,
    );
    post(
        "Content-Length: 5\r\nContent-Length: 5",
        Offence::ContentLength,
    );
    for value in [
        "+5",
        "-1",
        "5, 5",
        "0x5",
        "5 5",
        "",
        "99999999999999999999",
        "5a",
    ] {
        post(&format!("Content-Length: {value}"), Offence::ContentLength);
    }
    for value in [
        "chunked, chunked",
        "xchunked",
        "chunked, identity",
        "\"chunked\"",
        "chunked;q=1",
    ] {
        post(
            &format!("Transfer-Encoding: {value}"),
            Offence::TransferEncoding,
        );
    }
    post(
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        Offence::TransferEncoding,
    );
    post("Transfer-Encoding: gzip", Offence::UnknownCoding);
    post("Transfer-Encoding: \x0bchunked", Offence::Header);
    check(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        Some(Offence::TransferEncoding),
    );
}

#[test]
fn malformed_chunks_are_refused() {
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "\r\n",
        "g\r\n",
        "5\nhello",
        " 5\r\nhello",
        "5 \r\nhello\r\n",
        "0x5\r\nhello",
        "-5\r\n",
        "5\r\nhelloX",
        "5\r\nhello\n",
        "1111111111111111\r\n",
        "5;a\u{7f}\r\n",
    ] {
        check(&format!("{head}{body}"), Some(Offence::Chunk));
    }
    check(
        &format!("{head}5;{}\r\nhello\r\n", "x".repeat(300)),
        Some(Offence::Chunk),
    );
    check(
        &format!("{head}0\r\nbad trailer\r\n\r\n"),
        Some(Offence::Trailers),
    );
    check(
        &format!("{head}0\r\nA: {}\r\n\r\n", "x".repeat(9000)),
        Some(Offence::Trailers),
    );
}

#[test]
fn head_is_refused_when_it_is_too_long_even_before_it_ends() {
    check(
        &format!("GET /{} HTTP/1.1\r\n", "a".repeat(2000)),
        Some(Offence::HeadTooLong),
    );
    check(
        &format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(20)),
        Some(Offence::TooManyHeaders),
    );
}

#[test]
fn what_came_before_an_offence_is_passed_on() {
    let (out, offence) = scan(format!("{GET}GET / HTTP/9\r\n\r\n").as_bytes(), 3);
    assert_eq!(out, GET.as_bytes());
    assert_eq!(offence, Some(Offence::Version));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_never_grow(bytes in proptest::collection::vec(any::<u8>(), 0..400), step in 1_usize..50) {
        let (out, _) = scan(&bytes, step);
        prop_assert!(out.len() <= bytes.len());
    }

    #[test]
    fn outcome_does_not_depend_on_how_bytes_are_cut(
        pieces in proptest::collection::vec(prop_oneof![
            Just("GET / HTTP/1.1\r\n"), Just("Host: x\r\n"), Just("\r\n"), Just("Content-Length: 3\r\n"), Just("abc"),
            Just("Transfer-Encoding: chunked\r\n"), Just("3\r\n"), Just("0\r\n"), Just("\n"), Just("\r"), Just("POST / HTTP/1.1\r\n"),
        ], 0..14),
        step in 1_usize..9,
    ) {
        let bytes = pieces.concat().into_bytes();
        prop_assert_eq!(scan(&bytes, step), scan(&bytes, bytes.len().max(1)));
    }
}
