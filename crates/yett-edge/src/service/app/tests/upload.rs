//! Bodies that reach an ASGI worker while they arrive.

use yett_link::frame::{CUT_SHORT, MAX_CHUNK, REQUEST_WINDOW, STREAMED_BODY};

use super::*;
use crate::ruling::Interface;
use crate::testing::Client;

fn asgi() -> Bench {
    Bench::of(
        Interface::Asgi,
        EdgeSettings {
            max_body: 1024 * 1024,
            request_timeout: Some(seconds(10)),
            ..EdgeSettings::default()
        },
    )
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

fn chunk(len: usize) -> String {
    format!("{len:x}\r\n{}\r\n", "x".repeat(len))
}

/// The bytes of the body that have come, and the flags of the last frame.
async fn taken(worker: &mut FakeWorker) -> (usize, u8) {
    let (mut sum, mut flags) = (0, 0);
    while !worker.hears_nothing().await {
        let frame = worker.expect(Kind::Body).await;
        assert!(frame.payload.len() <= MAX_CHUNK);
        sum += frame.payload.len();
        flags = frame.flags;
    }
    (sum, flags)
}

async fn begun(bench: &Bench, request: &str) -> (FakeWorker, Client, u64, u64) {
    let (worker, client, id, announced) = asked(bench, request).await;
    assert!(worker.begin(id).await);
    (worker, client, id, announced)
}

async fn asked(bench: &Bench, request: &str) -> (FakeWorker, Client, u64, u64) {
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(request).await;
    let frame = worker.expect(Kind::Request).await;
    assert!(FakeWorker::tells_begin(&frame) && frame.flags & STREAMED_BODY != 0);
    let view = RequestView::parse(&frame.payload).unwrap();
    assert!(view.inline_body.is_empty());
    (worker, client, frame.exchange.get(), view.body_len)
}

#[tokio::test(start_paused = true)]
async fn long_body_is_sent_while_it_arrives_and_no_further_than_the_window() {
    let bench = asgi();
    let len = REQUEST_WINDOW + 100_000;
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n");
    let (mut worker, mut client, id, announced) = begun(&bench, &request).await;
    assert_eq!(announced, len as u64);
    client.send("x".repeat(len)).await;
    assert_eq!(taken(&mut worker).await, (REQUEST_WINDOW, 0));
    worker.took(id, 100_000).await;
    assert_eq!(taken(&mut worker).await, (100_000, LAST));
    worker.answer(id, "thanks").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | thanks");
    // The connection goes on.
    client.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "next").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | next");
}

#[tokio::test(start_paused = true)]
async fn body_of_unknown_length_is_streamed_and_may_go_on_behind_the_head() {
    let bench = asgi();
    let (mut worker, mut client, id, announced) = begun(&bench, CHUNKED).await;
    assert_eq!(announced, u64::MAX);
    client.send(chunk(3)).await;
    assert_eq!(taken(&mut worker).await, (3, 0));
    worker.head(id, "200 OK", &[], b"", 0).await;
    client.head().await;
    client.send(chunk(4)).await;
    client.send("0\r\n\r\n").await;
    assert_eq!(taken(&mut worker).await, (4, LAST));
    worker.chunk(id, b"end", LAST).await;
    assert_eq!(client.until("0\r\n\r\n").await, "3\r\nend\r\n0\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn short_body_comes_whole() {
    let bench = asgi();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        .await;
    let frame = worker.expect(Kind::Request).await;
    assert!(FakeWorker::tells_begin(&frame) && frame.flags & STREAMED_BODY == 0);
}

#[tokio::test(start_paused = true)]
async fn client_that_breaks_off_cuts_the_body_short() {
    let bench = asgi();
    let (mut worker, mut client, _, _) = begun(&bench, CHUNKED).await;
    client.send(chunk(3)).await;
    assert_eq!(taken(&mut worker).await, (3, 0));
    drop(client);
    let frame = worker.expect(Kind::Body).await;
    assert_eq!((frame.flags, frame.payload.len()), (CUT_SHORT, 0));
    worker.expect(Kind::Cancel).await;
}

#[tokio::test(start_paused = true)]
async fn body_that_grows_too_long_or_pauses_is_refused_if_no_answer_has_begun() {
    for (breach, status) in [("long", 413), ("pause", 408)] {
        let bench = asgi();
        let (mut worker, mut client, id, _) = begun(&bench, CHUNKED).await;
        client.send(chunk(1000)).await;
        taken(&mut worker).await;
        worker.took(id, 1000).await;
        match breach {
            "long" => {
                let mut sent = 0;
                while sent <= 1024 * 1024 {
                    client.send(chunk(60_000)).await;
                    sent += 60_000;
                    let (more, flags) = taken_until_cut(&mut worker).await;
                    if flags == CUT_SHORT {
                        break;
                    }
                    worker.took(id, more).await;
                }
            }
            _ => {
                bench.clock.pass(seconds(31)).await;
                assert_eq!(taken_until_cut(&mut worker).await, (0, CUT_SHORT));
            }
        }
        assert_eq!(client.status().await, status);
        worker.expect(Kind::Cancel).await;
        assert!(client.has_ended().await);
    }
}

async fn taken_until_cut(worker: &mut FakeWorker) -> (u32, u8) {
    let mut sum = 0;
    while !worker.hears_nothing().await {
        let frame = worker.expect(Kind::Body).await;
        sum += u32::try_from(frame.payload.len()).unwrap();
        if frame.flags == CUT_SHORT {
            return (sum, CUT_SHORT);
        }
    }
    (sum, 0)
}

#[tokio::test(start_paused = true)]
async fn announced_body_that_is_too_long_reaches_no_worker() {
    let bench = asgi();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .request("POST", "/", "Content-Length: 9000000\r\n")
        .await;
    assert_eq!(client.status().await, 413);
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn answer_that_does_not_wait_for_the_body_ends_the_connection() {
    let bench = asgi();
    let (mut worker, mut client, id, _) = begun(&bench, CHUNKED).await;
    client.send(chunk(3)).await;
    taken(&mut worker).await;
    worker.answer(id, "no").await;
    let head = client.head().await;
    assert!(head.contains("connection: close"), "{head}");
    client.until("no").await;
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn request_of_which_a_byte_was_sent_goes_to_no_other_worker() {
    for sent in [false, true] {
        let bench = asgi();
        let (mut first, mut client, _, _) = asked(&bench, CHUNKED).await;
        let mut second = bench.worker(2).await;
        if sent {
            client.send(chunk(3)).await;
            taken(&mut first).await;
        }
        drop(first);
        if sent {
            let answer = client.rest().await;
            assert!(
                answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
                "{answer}"
            );
            assert!(answer.contains("connection: close\r\n"), "{answer}");
            assert!(second.hears_nothing().await);
        } else {
            second.request().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn worker_that_waits_for_a_slow_client_is_not_stuck() {
    let bench = Bench::of(
        Interface::Asgi,
        EdgeSettings {
            request_timeout: Some(seconds(10)),
            min_rate: 0,
            ..EdgeSettings::default()
        },
    );
    let (mut worker, mut client, id, _) = begun(&bench, CHUNKED).await;
    for _ in 0..3 {
        client.send(chunk(3)).await;
        taken(&mut worker).await;
        worker.took(id, 3).await;
        bench.clock.pass(seconds(20)).await;
    }
    assert_eq!(bench.told.count("stuck 1"), 0);
    client.send(chunk(3)).await;
    taken(&mut worker).await;
    bench.clock.pass(seconds(20)).await;
    assert_eq!(bench.told.count("stuck 1"), 1);
    assert_eq!(client.status().await, 504);
}

#[tokio::test(start_paused = true)]
async fn credit_for_what_was_not_sent_closes_the_link() {
    let bench = asgi();
    let (mut worker, mut client, id, _) = begun(&bench, CHUNKED).await;
    client.send(chunk(3)).await;
    taken(&mut worker).await;
    worker.took(id, 4).await;
    assert_eq!(client.answer().await, ENDED);
    assert!(worker.next().await.is_none());
}
