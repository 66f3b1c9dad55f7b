//! Clients that mean harm: each limit from both sides.

use h2::Reason;

use super::{ROOM, bench, raw};
use crate::conn::h2::Http2Settings;
use crate::meters::Limit;
use crate::settings::EdgeSettings;
use crate::testing::h2_client::{GET_BLOCK, PREFACE, RawH2, frame};
use crate::testing::{Bench, seconds, settle};

/// The code of a RST_STREAM of `stream` that comes.
async fn reset_of(raw: &mut RawH2, stream: u32) -> Reason {
    loop {
        let (kind, _, id, payload) = raw.next().await.expect("the connection is open");
        if kind == 3 && id == stream {
            return Reason::from(u32::from_be_bytes(payload.try_into().unwrap()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_streams_than_may_run_are_refused_and_can_be_sent_again() {
    let bench = Bench::new(EdgeSettings {
        http2: Some(Http2Settings { max_streams: 2 }),
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut raw = raw(&bench).await;
    for stream in [1, 3, 5] {
        raw.frame(1, 5, stream, GET_BLOCK).await;
    }
    assert_eq!(reset_of(&mut raw, 5).await, Reason::REFUSED_STREAM);
    assert_eq!(bench.met(Limit::Http2Streams), 1);
    let id = worker.request().await;
    worker.answer(id, "one").await;
    raw.until(0).await;
    raw.frame(1, 5, 7, GET_BLOCK).await;
    for _ in 0..2 {
        let id = worker.request().await;
        worker.answer(id, "").await;
    }
    drop(raw);
    let mut records = bench.told_records().await;
    records.sort();
    assert_eq!(records[0], "- - 503 client 0");
    assert_eq!(records.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_taken_back_again_and_again_end_the_connection() {
    let bench = bench();
    let _worker = bench.worker(1).await;
    let mut raw = raw(&bench).await;
    let cancel = 8_u32.to_be_bytes();
    let mut attack = Vec::new();
    for stream in (0..200).map(|at| 2 * at + 1) {
        attack.extend(frame(1, 5, stream, GET_BLOCK));
        attack.extend(frame(3, 0, stream, &cancel));
    }
    raw.bytes(&attack).await;
    settle().await;
    assert_eq!(bench.met(Limit::Http2Resets), 0);
    // Time gives back a little.
    bench.clock.pass(seconds(1)).await;
    let mut attack = Vec::new();
    for stream in (200..251).map(|at| 2 * at + 1) {
        attack.extend(frame(1, 5, stream, GET_BLOCK));
        attack.extend(frame(3, 0, stream, &cancel));
    }
    raw.bytes(&attack).await;
    assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    assert_eq!(bench.met(Limit::Http2Resets), 1);
    drop(raw);
    let records = bench.told_records().await;
    assert!(records.iter().all(|record| record == "GET / 499 - 0"));
    assert_eq!(records.len(), 251);
}

#[tokio::test(start_paused = true)]
async fn streams_that_a_client_makes_us_reset_count_as_if_it_had_reset_them() {
    let bench = bench();
    let _worker = bench.worker(1).await;
    let mut raw = raw(&bench).await;
    let mut attack = Vec::new();
    for stream in (0..300).map(|at| 2 * at + 1) {
        attack.extend(frame(1, 5, stream, GET_BLOCK));
        // A window that grows beyond its end is an error of its stream.
        attack.extend(frame(8, 0, stream, &0x7fff_ffff_u32.to_be_bytes()));
    }
    raw.bytes(&attack).await;
    assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    assert_eq!(bench.met(Limit::Http2Resets), 1);
}

#[tokio::test(start_paused = true)]
async fn floods_of_frames_that_carry_nothing_end_the_connection() {
    let window = 1_u32.to_be_bytes();
    for (name, flood, count) in [
        ("PING", frame(6, 0, 0, &[0; 8]), 1000),
        ("PING answers", frame(6, 1, 0, &[0; 8]), 1000),
        ("SETTINGS", frame(4, 0, 0, b""), 250),
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 9, 0]), 1000),
        ("WINDOW_UPDATE", frame(8, 0, 0, &window), 1000),
        ("unknown", frame(0x42, 0, 0, b"grease"), 1000),
    ] {
        let bench = bench();
        let mut raw = raw(&bench).await;
        // The client's own SETTINGS cost too.
        raw.bytes(&flood.repeat(count - 5)).await;
        settle().await;
        assert_eq!(bench.met(Limit::Http2Frames), 0, "{name}");
        bench.clock.pass(seconds(1)).await;
        raw.bytes(&flood.repeat(150)).await;
        assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM, "{name}");
        assert_eq!(bench.met(Limit::Http2Frames), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn empty_and_tiny_pieces_of_a_body_end_the_connection() {
    for piece in ["", "x"] {
        let bench = bench();
        let mut raw = raw(&bench).await;
        raw.frame(1, 4, 1, b"\x83\x84\x86\x41\x01x").await;
        raw.bytes(&frame(0, 0, 1, piece.as_bytes()).repeat(1100))
            .await;
        assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM, "{piece:?}");
        assert_eq!(bench.met(Limit::Http2Frames), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn endless_heads_end_the_connection() {
    // Without END_HEADERS, empty and full.
    for piece in [&b""[..], &[0; 16384]] {
        let bench = bench();
        let mut raw = raw(&bench).await;
        raw.frame(1, 1, 1, GET_BLOCK).await;
        for _ in 0..20 {
            raw.frame(9, 0, 1, piece).await;
        }
        let reason = raw.goodbye().await;
        assert_ne!(reason, Reason::NO_ERROR);
    }
}

#[tokio::test(start_paused = true)]
async fn small_block_that_unpacks_to_a_huge_head_ends_the_connection() {
    let bench = bench();
    let mut raw = raw(&bench).await;
    let mut block = GET_BLOCK.to_vec();
    // One long field goes into the table, and is named again and again.
    block.extend(b"\x40\x01x\x7f\xa1\x1e");
    block.extend([b'y'; 4000]);
    block.extend([0xbe; 4000]);
    raw.frame(1, 5, 1, &block).await;
    assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    assert_eq!(bench.met(Limit::Http2Frames), 1);
    drop(raw);
    assert_eq!(bench.told_records().await, ["- - 400 client 0"]);
}

#[tokio::test(start_paused = true)]
async fn window_that_is_opened_byte_by_byte_ends_the_connection() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut raw = RawH2::new(bench.connect_raw_with_room(ROOM));
    raw.bytes(PREFACE).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of nothing.
    raw.frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
    raw.frame(4, 1, 0, b"").await;
    raw.frame(1, 5, 1, GET_BLOCK).await;
    let id = worker.request().await;
    worker.answer(id, &"x".repeat(10_000)).await;
    for _ in 0..900 {
        raw.frame(8, 0, 1, &1_u32.to_be_bytes()).await;
        settle().await;
    }
    assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM);
}

#[tokio::test(start_paused = true)]
async fn client_that_breaks_the_protocol_is_told_so() {
    for (name, bytes, expected) in [
        (
            "DATA before HEADERS",
            frame(0, 1, 1, b"x"),
            Reason::PROTOCOL_ERROR,
        ),
        (
            "a frame too long",
            frame(0, 0, 1, &[0; 16385]),
            Reason::FRAME_SIZE_ERROR,
        ),
        (
            "an even stream",
            frame(1, 5, 2, GET_BLOCK),
            Reason::PROTOCOL_ERROR,
        ),
        (
            "a push",
            frame(5, 4, 1, b"\0\0\0\x02\x82"),
            Reason::PROTOCOL_ERROR,
        ),
        (
            "a broken block",
            frame(1, 5, 1, b"\xff\xff\xff\xff\xff\xff"),
            Reason::PROTOCOL_ERROR,
        ),
        (
            "the connection's window beyond its end",
            frame(8, 0, 0, &0x7fff_ffff_u32.to_be_bytes()),
            Reason::FLOW_CONTROL_ERROR,
        ),
    ] {
        let bench = bench();
        let mut raw = raw(&bench).await;
        raw.bytes(&bytes).await;
        assert_eq!(raw.goodbye().await, expected, "{name}");
    }
    let bench = bench();
    let mut raw = RawH2::new(bench.connect_raw_with_room(ROOM));
    raw.bytes(PREFACE).await;
    raw.frame(6, 0, 0, &[0; 8]).await;
    assert_eq!(raw.goodbye().await, Reason::PROTOCOL_ERROR, "no SETTINGS");
}

#[tokio::test(start_paused = true)]
async fn one_clients_attack_harms_no_other_client() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut other = super::client(&bench).await;
    let mut raw = raw(&bench).await;
    raw.bytes(&frame(6, 0, 0, &[0; 8]).repeat(2000)).await;
    let arriving = other.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "fine").await;
    assert_eq!(arriving.answer().await, "200 | fine");
    assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    assert!(worker.hears_nothing().await);
}
