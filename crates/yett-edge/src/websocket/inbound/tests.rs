//! RFC 6455 section 5 as a table, and arbitrary bytes.

use proptest::prelude::*;

use super::*;
use crate::testing::socket::framed;
use crate::websocket::deflate::tests::deflated;

const LIMIT: u64 = 200_000;

fn hear_in(bytes: &[u8], step: usize, may_compress: bool) -> (Vec<Heard>, Option<Violation>) {
    let mut inbound = Inbound::new(LIMIT, may_compress);
    let mut heard = Vec::new();
    for piece in bytes.chunks(step) {
        inbound.feed(piece);
        loop {
            match inbound.hear() {
                Ok(Some(next)) => heard.push(next),
                Ok(None) => break,
                Err(violation) => return (heard, Some(violation)),
            }
        }
        assert!(
            inbound.input.len() <= 131 + step,
            "held {}",
            inbound.input.len()
        );
    }
    (heard, None)
}

fn hear(bytes: &[u8]) -> (Vec<Heard>, Option<Violation>) {
    hear_in(bytes, bytes.len().max(1), false)
}

fn text(piece: &str) -> Heard {
    whole(true, piece.as_bytes())
}

fn whole(text: bool, piece: &[u8]) -> Heard {
    Heard::Message {
        text,
        more: false,
        piece: Bytes::copy_from_slice(piece),
    }
}

fn frames(frames: &[(u8, &[u8])]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|(first, payload)| framed(*first, payload))
        .collect()
}

#[test]
fn examples_of_the_standard_are_heard() {
    // RFC 6455 section 5.7.
    let hello = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(hear(&hello), (vec![text("Hello")], None));
    let cut = frames(&[(0x01, b"Hel"), (0x80, b"lo")]);
    assert_eq!(hear(&cut), (vec![text("Hello")], None));
    let ping = frames(&[(0x89, b"Hello"), (0x8a, b"Hello")]);
    let expected = vec![Heard::Ping(Bytes::from_static(b"Hello")), Heard::Pong];
    assert_eq!(hear(&ping), (expected, None));
    for len in [0, 125, 126, 256, 65_535, 65_536] {
        let message = vec![7; len];
        let (heard, violation) = hear(&framed(0x82, &message));
        assert_eq!(
            (heard, violation),
            (vec![whole(false, &message)], None),
            "{len}"
        );
    }
}

#[test]
fn control_frames_may_come_within_a_message() {
    let bytes = frames(&[
        (0x01, b"a"),
        (0x89, b"p"),
        (0x00, b""),
        (0x8a, b""),
        (0x80, b"b"),
    ]);
    let expected = vec![
        Heard::Ping(Bytes::from_static(b"p")),
        Heard::Pong,
        text("ab"),
    ];
    assert_eq!(hear(&bytes), (expected, None));
}

#[test]
fn what_breaks_the_rules_is_a_violation() {
    let check = |what: &str, bytes: &[u8], expected: Violation| {
        assert_eq!(hear(bytes).1, Some(expected), "{what}");
    };
    check(
        "RSV1 without an agreement",
        &framed(0xc1, b"a"),
        Violation::Reserved,
    );
    check("RSV2", &framed(0xa1, b"a"), Violation::Reserved);
    check("RSV3", &framed(0x91, b"a"), Violation::Reserved);
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check(
            "unknown kind",
            &framed(0x80 | opcode, b""),
            Violation::Opcode,
        );
    }
    check("unmasked", &[0x81, 0x01, b'a'], Violation::Unmasked);
    check(
        "unmasked, before the rest has come",
        &[0x81, 0x7e],
        Violation::Unmasked,
    );
    check("fragmented ping", &framed(0x09, b""), Violation::Control);
    check("fragmented close", &framed(0x08, b""), Violation::Control);
    check("long ping", &framed(0x89, &[0; 126]), Violation::Control);
    check(
        "continuation of nothing",
        &framed(0x80, b"a"),
        Violation::Order,
    );
    check(
        "continuation behind a whole message",
        &frames(&[(0x81, b"a"), (0x80, b"b")]),
        Violation::Order,
    );
    check(
        "message within a message",
        &frames(&[(0x01, b"a"), (0x81, b"b")]),
        Violation::Order,
    );
    check(
        "RSV1 within a message",
        &frames(&[(0x01, b"a"), (0xc0, b"b")]),
        Violation::Reserved,
    );
    check("close of one byte", &framed(0x88, &[3]), Violation::Close);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        check(
            "close with a code that no frame may have",
            &framed(0x88, &code.to_be_bytes()),
            Violation::Close,
        );
    }
    check(
        "reason that is not UTF-8",
        &framed(0x88, b"\x03\xe8\xff"),
        Violation::Utf8,
    );
    check(
        "text that is not UTF-8",
        &framed(0x81, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"),
        Violation::Utf8,
    );
    check(
        "text that ends within a character",
        &framed(0x81, b"\xce"),
        Violation::Utf8,
    );
    check(
        "message beyond the limit",
        &framed(0x82, &vec![0; 200_001]),
        Violation::TooLong,
    );
    let pieces = frames(&[(0x02, &[0; 100_000]), (0x80, &[0; 100_001])]);
    check(
        "message beyond the limit in pieces",
        &pieces,
        Violation::TooLong,
    );
}

#[test]
fn message_that_announces_too_much_is_refused_before_it_comes() {
    let head = [0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    assert_eq!(hear(&head), (vec![], Some(Violation::TooLong)));
}

#[test]
fn closes_are_heard_with_code_and_reason() {
    assert_eq!(hear(&framed(0x88, b"")), (vec![Heard::Close(None)], None));
    let close = Heard::Close(Some((4321, String::from("bye"))));
    assert_eq!(hear(&framed(0x88, b"\x10\xe1bye")), (vec![close], None));
}

#[test]
fn character_that_two_frames_share_is_one() {
    let bytes = frames(&[(0x01, b"\xf0\x9f"), (0x80, b"\x98\x80")]);
    assert_eq!(hear(&bytes), (vec![text("\u{1f600}")], None));
}

#[test]
fn long_text_comes_in_pieces_that_are_texts() {
    let message = "\u{1f600}b".repeat(30_000);
    let (heard, violation) = hear(&framed(0x81, message.as_bytes()));
    assert_eq!(violation, None);
    let mut all = String::new();
    for (number, heard) in heard.iter().enumerate() {
        let Heard::Message {
            text: true,
            more,
            piece,
        } = heard
        else {
            panic!("{heard:?}");
        };
        assert!(piece.len() <= MAX_CHUNK);
        assert_eq!(*more, number + 1 < 3);
        all.push_str(std::str::from_utf8(piece).unwrap());
    }
    assert_eq!(all, message);
}

#[test]
fn compressed_messages_are_inflated_in_any_fragments() {
    let message = "some words ".repeat(10_000);
    let compressed = deflated(message.as_bytes(), 15);
    let (first, rest) = compressed.split_at(5);
    let (second, third) = rest.split_at(1);
    let bytes = frames(&[(0x41, first), (0x00, second), (0x89, b""), (0x80, third)]);
    let (heard, violation) = hear_in(&bytes, 7, true);
    assert_eq!(violation, None);
    let all: Vec<u8> = heard
        .iter()
        .flat_map(|heard| match heard {
            Heard::Message { piece, .. } => piece.to_vec(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(all, message.as_bytes());
    // An empty one, and one that is not compressed although it could be.
    let bytes = frames(&[(0xc1, &[0]), (0x81, b"plain")]);
    assert_eq!(hear_in(&bytes, 100, true).0, [text(""), text("plain")]);
}

#[test]
fn bomb_stops_at_the_limit() {
    let compressed = deflated(&vec![0; 50_000_000], 15);
    let mut inbound = Inbound::new(LIMIT, true);
    inbound.feed(&framed(0xc2, &compressed));
    let mut sum = 0;
    let violation = loop {
        match inbound.hear() {
            Ok(Some(Heard::Message { piece, .. })) => sum += piece.len(),
            Ok(other) => panic!("{other:?}"),
            Err(violation) => break violation,
        }
    };
    assert_eq!(violation, Violation::TooLong);
    assert!(sum <= 200_000, "{sum}");
}

#[test]
fn text_that_inflates_to_no_text_is_a_violation() {
    let bytes = framed(0xc1, &deflated(b"\xff\xfe", 15));
    assert_eq!(hear_in(&bytes, 100, true).1, Some(Violation::Utf8));
    let bytes = framed(0xc1, b"\xff\xff\xff\xff\xff\xff");
    assert_eq!(hear_in(&bytes, 100, true).1, Some(Violation::Deflate));
}

#[test]
fn silent_client_holds_no_buffer() {
    let mut inbound = Inbound::new(LIMIT, true);
    inbound.feed(&framed(0xc2, &deflated(&[1; 5000], 15)));
    while inbound.hear().unwrap().is_some() {}
    assert_eq!(
        (inbound.input.capacity(), inbound.gathered.capacity()),
        (0, 0)
    );
    assert!(inbound.message.is_none() && inbound.frame.is_none());
}

#[test]
fn skipped_messages_cost_nothing_and_hide_no_close() {
    let bomb = deflated(&vec![0; 1_000_000], 15);
    let (first, rest) = bomb.split_at(10);
    let mut inbound = Inbound::new(LIMIT, true);
    inbound.feed(&framed(0x42, first));
    assert_eq!(inbound.hear(), Ok(None));
    inbound.skip_messages();
    let close = frames(&[
        (0x80, rest),
        (0xc2, &bomb),
        (0x81, b"\xff"),
        (0x89, b""),
        (0x88, b""),
    ]);
    let mut heard = Vec::new();
    for piece in close.chunks(3) {
        inbound.feed(piece);
        while let Some(next) = inbound.hear().unwrap() {
            heard.push(next);
        }
    }
    assert_eq!(heard, [Heard::Ping(Bytes::new()), Heard::Close(None)]);
    assert_eq!(inbound.gathered.capacity(), 0);
}

fn any_frame() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let first = prop_oneof![
        4 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x80, 0x00, 0xc1, 0xc2, 0x42]),
        1 => prop::sample::select(vec![0x88_u8, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[a-zä-ü]{0,100}".prop_map(String::into_bytes),
        prop::collection::vec(0_u8..2, 0..3000).prop_map(|plain| deflated(&plain, 15)),
    ];
    (first, payload)
}

proptest! {
    #[test]
    fn what_is_heard_does_not_depend_on_how_bytes_are_cut(
        sent in prop::collection::vec(any_frame(), 1..8),
        rest in prop::collection::vec(any::<u8>(), 0..20),
        step in 1_usize..600,
    ) {
        let mut bytes: Vec<u8> =
            sent.iter().flat_map(|(first, payload)| framed(*first, payload)).collect();
        bytes.extend(rest);
        prop_assert_eq!(hear_in(&bytes, step, true), hear_in(&bytes, bytes.len(), true));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        step in 1_usize..50,
        may_compress in any::<bool>(),
    ) {
        let _outcome = hear_in(&bytes, step, may_compress);
    }
}
