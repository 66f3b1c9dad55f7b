//! How streams and connections end: by their client, by the clock, and by a stop.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use yett_link::frame::{Kind, LAST};

use super::{ROOM, bench, client, raw};
use crate::conn::h2::Http2Settings;
use crate::meters::Limit;
use crate::ruling::Interface;
use crate::settings::EdgeSettings;
use crate::testing::h2_client::{self, GET_BLOCK, H2Client, POST_BLOCK, PREFACE, RawH2, post};
use crate::testing::{Bench, FakeWorker, seconds, settle, soon};

#[tokio::test(start_paused = true)]
async fn request_that_is_taken_back_is_cancelled_and_the_others_go_on() {
    let bench = Bench::new(EdgeSettings {
        worker_threads: 2,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let mut gone = client.get("/gone").await;
    let stays = client.get("/stays").await;
    let first = worker.request().await;
    let second = worker.request().await;
    gone.body.send_reset(Reason::CANCEL);
    let frame = worker.expect(Kind::Cancel).await;
    assert_eq!(frame.exchange.get(), first);
    worker.answer(second, "ok").await;
    assert_eq!(stays.answer().await, "200 | ok");
    drop((gone, client));
    assert_eq!(
        bench.told_records().await,
        ["GET /gone 499 - 0", "GET /stays 200 - 2"]
    );
}

#[tokio::test(start_paused = true)]
async fn reset_in_the_middle_of_an_answer_ends_it_in_the_worker_too() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let arriving = client.get("/").await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"begun", 0).await;
    let response = arriving.head().await;
    drop(response);
    while worker.next().await.unwrap().kind != Kind::Cancel {}
    worker.chunk(id, b"", LAST).await;
    settle().await;
    assert_eq!(bench.floor.load(), (0, 0));
    drop(client);
    assert_eq!(bench.told_records().await, ["GET / 200 - 5"]);
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_cancels_all_that_it_asked() {
    let bench = Bench::new(EdgeSettings {
        worker_threads: 2,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut raw = raw(&bench).await;
    raw.frame(1, 5, 1, GET_BLOCK).await;
    raw.frame(1, 5, 3, GET_BLOCK).await;
    let ids = [worker.request().await, worker.request().await];
    drop(raw);
    for _ in ids {
        worker.expect(Kind::Cancel).await;
    }
    assert_eq!(
        bench.told_records().await,
        ["GET / 499 - 0", "GET / 499 - 0"]
    );
}

#[tokio::test(start_paused = true)]
async fn upload_that_is_taken_back_is_cut_short_for_the_application() {
    let bench = Bench::of(Interface::Asgi, EdgeSettings::default());
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let mut arriving = client.send(post("/"), false).await;
    arriving.body.send_data(Bytes::from("abc"), false).unwrap();
    worker.request().await;
    let frame = worker.expect(Kind::Body).await;
    assert_eq!(frame.payload, "abc");
    arriving.body.send_reset(Reason::CANCEL);
    let kinds = [
        worker.next().await.unwrap().kind,
        worker.next().await.unwrap().kind,
    ];
    assert!(kinds.contains(&Kind::Cancel), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn body_of_a_request_that_is_answered_may_come_to_its_end() {
    let bench = Bench::new(EdgeSettings {
        max_body: 3,
        ..EdgeSettings::default()
    });
    let mut raw = raw(&bench).await;
    for (stream, piece) in [(1, 5), (3, 16_384)] {
        raw.frame(1, 4, stream, POST_BLOCK).await;
        raw.frame(0, 0, stream, &vec![b'x'; piece]).await;
        // Its answer ends the stream on our side, and is not followed by anything.
        assert_eq!(raw.until(1).await.2, stream);
        let (_, flags, id, text) = raw.until(0).await;
        assert_eq!((flags, id), (1, stream));
        assert_eq!(text, b"The request's body is too long.\n");
        for _ in 0..10 {
            raw.frame(0, 0, stream, &vec![b'x'; piece]).await;
        }
        raw.frame(0, 1, stream, b"end").await;
        bench.clock.pass(seconds(2)).await;
        assert!(!resets(&mut raw).await.contains(&stream));
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_goes_on_with_its_body_behind_the_answer_is_told_to_stop() {
    let bench = Bench::new(EdgeSettings {
        max_body: 3,
        ..EdgeSettings::default()
    });
    let mut raw = raw(&bench).await;
    raw.frame(1, 4, 1, POST_BLOCK).await;
    raw.frame(0, 0, 1, b"long").await;
    raw.until(0).await;
    bench.clock.pass(Duration::from_millis(900)).await;
    raw.frame(0, 0, 1, b"er").await;
    assert!(resets(&mut raw).await.is_empty());
    bench.clock.pass(Duration::from_millis(200)).await;
    assert_eq!(resets(&mut raw).await, [1]);
}

/// Which streams were reset by now.
async fn resets(raw: &mut RawH2) -> Vec<u32> {
    raw.frame(6, 0, 0, b"answered").await;
    let mut reset = Vec::new();
    loop {
        match raw.next().await.expect("the connection is open") {
            (3, _, stream, _) => reset.push(stream),
            (6, 1, ..) => return reset,
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_opens_no_window_is_cut_from_its_stream_alone() {
    let bench = Bench::new(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(10);
    let mut client = H2Client::with(builder, bench.connect_raw_with_room(ROOM)).await;
    let arriving = client.get("/").await;
    let id = worker.request().await;
    worker
        .head(id, "200 OK", &[], "x".repeat(100).as_bytes(), 0)
        .await;
    let response = arriving.head().await;
    bench.clock.pass(seconds(59)).await;
    assert_eq!(bench.met(Limit::SendTime), 0);
    bench.clock.pass(seconds(2)).await;
    assert_eq!(bench.met(Limit::SendTime), 1);
    while worker.next().await.unwrap().kind != Kind::Cancel {}
    worker.chunk(id, b"", LAST).await;
    let mut body = response.into_body();
    assert_eq!(soon(body.data()).await.unwrap().unwrap().len(), 10);
    let cut = soon(body.data()).await.unwrap().unwrap_err();
    assert_eq!(cut.reason(), Some(Reason::CANCEL));
    let next = client.get("/next").await;
    let id = worker.request().await;
    worker.answer(id, "ok").await;
    assert_eq!(next.answer().await, "200 | ok");
    drop((client, body));
    let records = bench.records().await;
    assert_eq!(records[0]["reason"], "the client stopped reading");
    assert_eq!(records[0]["fault"], "client");
}

#[tokio::test(start_paused = true)]
async fn connection_whose_socket_takes_nothing_is_cut() {
    let bench = Bench::new(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut raw = h2_client::RawH2::greeted(bench.connect_raw_with_room(300)).await;
    raw.frame(8, 0, 0, &0x0100_0000_u32.to_be_bytes()).await;
    raw.frame(1, 5, 1, GET_BLOCK).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], &[b'x'; 5000], 0).await;
    bench.clock.pass(seconds(59)).await;
    assert_eq!(bench.floor.load(), (0, 1));
    for _ in 0..3 {
        bench.clock.pass(seconds(10)).await;
    }
    while worker.next().await.unwrap().kind != Kind::Cancel {}
    assert_eq!(bench.met(Limit::SendTime), 1);
    drop(raw);
    let records = bench.records().await;
    assert_eq!(records[0]["failure"], "client_stopped_reading");
}

/// A stream whose answer has no window yet, and the worker's number of it.
async fn windowless(bench: &Bench, worker: &mut FakeWorker) -> (h2_client::RawH2, u64) {
    let mut raw = h2_client::RawH2::new(bench.connect_raw_with_room(ROOM));
    raw.bytes(PREFACE).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of nothing.
    raw.frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
    raw.frame(4, 1, 0, b"").await;
    raw.frame(1, 5, 1, GET_BLOCK).await;
    let id = worker.request().await;
    (raw, id)
}

#[tokio::test(start_paused = true)]
async fn client_that_opens_its_window_in_a_trickle_is_cut_from_its_stream() {
    for (each, is_cut) in [(480_u32, true), (520, false)] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let (mut raw, id) = windowless(&bench, &mut worker).await;
        let body = "x".repeat(100 * 500);
        worker.answer(id, &body).await;
        for _ in 0..97 {
            bench.clock.pass(seconds(1)).await;
            raw.frame(8, 0, 1, &each.to_be_bytes()).await;
        }
        settle().await;
        assert_eq!(bench.met(Limit::SendRate), u64::from(is_cut), "{each}");
        assert_eq!(bench.met(Limit::SendTime), 0);
        if is_cut {
            let (_, _, stream, code) = raw.until(3).await;
            assert_eq!((stream, code), (1, 8_u32.to_be_bytes().to_vec()));
        }
        drop(raw);
        let records = bench.records().await;
        let failure = &records[0]["failure"];
        assert_eq!(failure == "client_too_slow", is_cut, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_share_a_slow_line_are_not_cut() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut raw = raw(&bench).await;
    for stream in [1, 3, 5, 7] {
        raw.frame(1, 5, stream, GET_BLOCK).await;
        let id = worker.request().await;
        worker.answer(id, &"x".repeat(50_000)).await;
        settle().await;
    }
    // What the connection's window lets go at once is 64 KiB.
    for _ in 0..134 {
        bench.clock.pass(seconds(1)).await;
        raw.frame(8, 0, 0, &1010_u32.to_be_bytes()).await;
    }
    settle().await;
    assert_eq!(bench.met(Limit::SendRate) + bench.met(Limit::SendTime), 0);
    drop(raw);
    let records = bench.told_records().await;
    assert_eq!(records, ["GET / 200 - 50000"; 4]);
}

#[tokio::test(start_paused = true)]
async fn stream_that_is_kept_waiting_while_others_go_on_is_cut() {
    for drip in [0_u32, 10] {
        let bench = Bench::new(EdgeSettings {
            http2: Some(Http2Settings { max_streams: 4 }),
            ..EdgeSettings::default()
        });
        let mut worker = bench.worker(1).await;
        let (mut raw, id) = windowless(&bench, &mut worker).await;
        worker.answer(id, &"x".repeat(50_000)).await;
        raw.frame(8, 0, 0, &0x0100_0000_u32.to_be_bytes()).await;
        for second in 0..61 {
            bench.clock.pass(seconds(1)).await;
            if drip > 0 {
                raw.frame(8, 0, 1, &drip.to_be_bytes()).await;
            }
            let stream = 3 + 2 * second;
            raw.frame(1, 5, stream, GET_BLOCK).await;
            raw.frame(8, 0, stream, &5000_u32.to_be_bytes()).await;
            let id = worker.request().await;
            worker.answer(id, &"y".repeat(5000)).await;
        }
        settle().await;
        let limit = if drip > 0 {
            Limit::SendRate
        } else {
            Limit::SendTime
        };
        assert_eq!(bench.met(limit), 1, "{drip}");
        let (_, _, stream, _) = raw.until(3).await;
        assert_eq!(stream, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_its_socket_in_a_trickle_is_cut() {
    for (each, is_cut) in [(450, true), (550, false)] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut raw = h2_client::RawH2::greeted(bench.connect_raw_with_room(300)).await;
        raw.frame(8, 0, 0, &0x0100_0000_u32.to_be_bytes()).await;
        raw.frame(1, 5, 1, GET_BLOCK).await;
        let id = worker.request().await;
        worker.answer(id, &"x".repeat(50_000)).await;
        for _ in 0..90 {
            bench.clock.pass(seconds(1)).await;
            raw.sip(each).await;
        }
        assert_eq!(bench.met(Limit::SendRate), u64::from(is_cut), "{each}");
    }
}

#[tokio::test(start_paused = true)]
async fn stop_cuts_no_answer_that_a_slow_client_still_takes() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut raw = h2_client::RawH2::greeted(bench.connect_raw_with_room(300)).await;
    raw.frame(1, 5, 1, GET_BLOCK).await;
    let id = worker.request().await;
    worker.answer(id, &"x".repeat(50_000)).await;
    bench.stop();
    for _ in 0..10 {
        bench.clock.pass(seconds(1)).await;
        raw.sip(1000).await;
    }
    let mut got = 0;
    while got < 50_000 {
        let (_, _, _, piece) = raw.until(0).await;
        got += piece.len();
    }
    assert_eq!(got, 50_000);
}

#[tokio::test(start_paused = true)]
async fn server_that_will_stop_soon_says_so_with_the_next_answer() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    bench.services().leave();
    settle().await;
    assert!(!client.has_ended().await, "its first request is welcome");
    let arriving = client.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "the last here").await;
    assert_eq!(arriving.answer().await, "200 | the last here");
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_told_and_closed() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let fresh = client(&bench).await;
    let mut used = client(&bench).await;
    let arriving = used.get("/").await;
    let id = worker.request().await;
    bench.clock.pass(seconds(19)).await;
    assert!(!fresh.has_ended().await, "a head may take as long");
    bench.clock.pass(seconds(2)).await;
    bench.clock.pass(seconds(2)).await;
    assert!(fresh.has_ended().await);
    worker.answer(id, "ok").await;
    assert_eq!(arriving.answer().await, "200 | ok");
    bench.clock.pass(seconds(74)).await;
    assert!(!used.has_ended().await, "it idles since its answer only");
    bench.clock.pass(seconds(2)).await;
    bench.clock.pass(seconds(10)).await;
    assert!(used.has_ended().await);
    let met = |limit| bench.services().meters().times_met(limit);
    assert_eq!((met(Limit::HeadTime), met(Limit::KeepAlive)), (1, 1));
    used.end().await.unwrap();
    fresh.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connection_that_is_quiet_makes_room_for_others_and_one_with_a_request_does_not() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut busy = client(&bench).await;
    let arriving = busy.get("/").await;
    let id = worker.request().await;
    let idle = client(&bench).await;
    bench.clock.pass(seconds(2)).await;
    let askers = [(); 2].map(|()| bench.services().crowd().ask());
    bench.clock.pass(seconds(2)).await;
    assert!(idle.has_ended().await);
    assert!(!busy.has_ended().await);
    worker.answer(id, "ok").await;
    assert_eq!(arriving.answer().await, "200 | ok");
    bench.clock.pass(seconds(2)).await;
    bench.clock.pass(seconds(2)).await;
    assert!(busy.has_ended().await);
    drop(askers);
    busy.end().await.unwrap();
    idle.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connection_that_has_something_to_do_again_does_not_hear_the_question_for_the_next() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut busy = client(&bench).await;
    bench.clock.pass(seconds(2)).await;
    let idle = client(&bench).await;
    bench.clock.pass(seconds(2)).await;
    let arriving = busy.get("/").await;
    let id = worker.request().await;
    let _asker = bench.services().crowd().ask();
    bench.clock.pass(seconds(2)).await;
    assert!(idle.has_ended().await);
    worker.answer(id, "ok").await;
    assert_eq!(arriving.answer().await, "200 | ok");
    assert!(!busy.has_ended().await);
    idle.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn running_request_is_not_idle() {
    let bench = Bench::new(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let arriving = client.get("/").await;
    let id = worker.request().await;
    for _ in 0..30 {
        bench.clock.pass(seconds(10)).await;
    }
    worker.answer(id, "at last").await;
    assert_eq!(arriving.answer().await, "200 | at last");
}

#[tokio::test(start_paused = true)]
async fn client_that_does_not_hear_of_the_end_is_left() {
    let bench = bench();
    // It answers no PING.
    let mut raw = raw(&bench).await;
    for _ in 0..9 {
        bench.clock.pass(seconds(10)).await;
    }
    assert_eq!(raw.goodbye().await, Reason::NO_ERROR);
}

#[tokio::test(start_paused = true)]
async fn without_keep_alive_a_connection_ends_with_its_first_requests() {
    let bench = Bench::new(EdgeSettings {
        keep_alive: std::time::Duration::ZERO,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    bench.clock.pass(seconds(9)).await;
    let arriving = client.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "only").await;
    assert_eq!(arriving.answer().await, "200 | only");
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn stop_lets_running_requests_end_and_takes_no_further_ones() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let idle = client(&bench).await;
    let mut busy = client(&bench).await;
    let arriving = busy.get("/").await;
    let id = worker.request().await;
    bench.stop();
    assert!(idle.has_ended().await);
    assert!(!busy.has_ended().await);
    worker.answer(id, "the last").await;
    assert_eq!(arriving.answer().await, "200 | the last");
    busy.end().await.unwrap();
    idle.end().await.unwrap();
    assert_eq!(bench.told_records().await, ["GET / 200 - 8"]);
}

#[tokio::test(start_paused = true)]
async fn head_and_preface_must_arrive_in_time() {
    let bench = bench();
    let mut slow = raw(&bench).await;
    slow.bytes(&h2_client::frame(1, 5, 1, GET_BLOCK)[..12])
        .await;
    let mut unended = raw(&bench).await;
    unended.frame(1, 1, 1, GET_BLOCK).await;
    let mut half = h2_client::RawH2::new(bench.connect_raw_with_room(ROOM));
    half.bytes(&PREFACE[..20]).await;
    let mut bare = h2_client::RawH2::new(bench.connect_raw_with_room(ROOM));
    bare.bytes(PREFACE).await;
    bench.clock.pass(seconds(9)).await;
    for _ in 0..3 {
        bench.clock.pass(seconds(10)).await;
    }
    assert_eq!(slow.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    assert_eq!(unended.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    assert_eq!(bare.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    // What began as HTTP/2 and went no further is a slow head of HTTP/1.1.
    half.sip(100).await;
    assert_eq!(half.received(), "HTTP/1.1 408");
    assert_eq!(bench.met(Limit::HeadTime), 4);
}

#[tokio::test(start_paused = true)]
async fn head_has_its_time_and_no_more() {
    let bench = bench();
    let mut raw = raw(&bench).await;
    bench.clock.pass(seconds(7)).await;
    raw.frame(1, 1, 1, GET_BLOCK).await;
    bench.clock.pass(seconds(19)).await;
    assert_eq!(bench.met(Limit::HeadTime), 0);
    bench.clock.pass(seconds(1)).await;
    assert_eq!(bench.met(Limit::HeadTime), 1);
    assert_eq!(raw.goodbye().await, Reason::ENHANCE_YOUR_CALM);
    drop(raw);
    let records = bench.records().await;
    assert_eq!(records[0]["failure"], "unread");
}

#[tokio::test(start_paused = true)]
async fn first_bytes_are_of_the_heads_time() {
    // Neither protocol gives another 20 s when it begins.
    for (first, more) in [
        ("P", "RI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("P", "OST / HTTP/1.1\r\n"),
    ] {
        let bench = bench();
        let mut raw = h2_client::RawH2::new(bench.connect_raw_with_room(ROOM));
        bench.clock.pass(seconds(19)).await;
        raw.bytes(first.as_bytes()).await;
        bench.clock.pass(seconds(12)).await;
        raw.bytes(more.as_bytes()).await;
        bench.clock.pass(seconds(7)).await;
        assert_eq!(bench.met(Limit::HeadTime), 0);
        bench.clock.pass(seconds(2)).await;
        assert_eq!(bench.met(Limit::HeadTime), 1, "{more}");
    }
    let bench = bench();
    let mut client = bench.connect();
    client.send("PRI").await;
    bench.clock.pass(seconds(21)).await;
    assert_eq!(client.status().await, 408);
}

#[tokio::test(start_paused = true)]
async fn without_http2_its_preface_is_no_request() {
    let bench = Bench::new(EdgeSettings {
        http2: None,
        ..EdgeSettings::default()
    });
    let mut client = bench.connect();
    client.send(PREFACE).await;
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn first_bytes_say_what_is_spoken_however_they_are_cut() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    for cut in 1..PREFACE.len() {
        let mut raw = h2_client::RawH2::new(bench.connect_raw_with_room(ROOM));
        raw.bytes(&PREFACE[..cut]).await;
        settle().await;
        raw.bytes(&PREFACE[cut..]).await;
        raw.frame(4, 0, 0, b"").await;
        raw.frame(1, 5, 1, GET_BLOCK).await;
        let id = worker.request().await;
        worker.answer(id, "").await;
        raw.until(1).await;
    }
    let request = "PROPFIND / HTTP/1.1\r\nHost: x\r\n\r\n";
    for cut in 1..9 {
        let mut client = bench.connect();
        client.send(&request[..cut]).await;
        settle().await;
        client.send(&request[cut..]).await;
        let id = worker.request().await;
        worker.answer(id, "ok").await;
        assert_eq!(client.status().await, 200);
    }
}
