//! A panic in one request: that one's client gets 500, or a cut answer where it had begun; its record
//! is written, and no other request notices.

use super::*;
use crate::floor::rounds;
use crate::testing::h2_client::{H2Client, post, rest};
use crate::testing::{PANIC_IN_BODY, PANIC_IN_FRAME, PANICS};

const FAILED: &str = "The server failed.";

#[tokio::test(start_paused = true)]
async fn panic_in_one_stream_is_a_500_and_the_other_streams_go_on() {
    for place in PANICS {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = H2Client::new(bench.connect_raw()).await;
        let before = client.get("/before").await;
        let id = worker.request().await;
        let failed = client.get(place).await;
        assert_eq!(failed.answer().await, format!("500 | {FAILED}"));
        let after = client.get("/after").await;
        worker.answer(id, "one").await;
        assert_eq!(before.answer().await, "200 | one");
        let id = worker.request().await;
        worker.answer(id, "two").await;
        assert_eq!(after.answer().await, "200 | two");
        client.end().await.unwrap();
        assert_eq!(bench.floor.load(), (0, 0));
        told(bench, place).await;
    }
}

#[tokio::test(start_paused = true)]
async fn panic_in_a_request_of_http1_is_a_500_and_ends_the_connection() {
    for place in PANICS {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client.get("/before").await;
        let id = worker.request().await;
        worker.answer(id, "one").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | one");
        client.request("POST", place, "Content-Length: 9\r\n").await;
        let failed = format!("HTTP/1.1 500 Internal Server Error | {FAILED}");
        assert_eq!(client.answer().await, failed);
        assert!(client.has_ended().await);
        let mut client = bench.connect();
        client.get("/after").await;
        let id = worker.request().await;
        worker.answer(id, "two").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | two");
        drop(client);
        told(bench, place).await;
    }
}

#[tokio::test(start_paused = true)]
async fn panic_while_a_stream_is_answered_cuts_that_one_and_its_record_says_so() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = H2Client::new(bench.connect_raw()).await;
    let cut = client.get(PANIC_IN_BODY).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"begun", 0).await;
    let cut = cut.head().await;
    assert_eq!(cut.status(), 200);
    worker.chunk(id, b"more", LAST).await;
    rest(cut.into_body()).await.unwrap_err();
    for text in ["one", "two"] {
        let after = client.get("/after").await;
        let id = worker.request().await;
        worker.answer(id, text).await;
        assert_eq!(after.answer().await, format!("200 | {text}"));
    }
    client.end().await.unwrap();
    assert_eq!(bench.floor.load(), (0, 0));
    told_of(bench, &format!("\"{PANIC_IN_BODY}\" 200")).await;
}

#[tokio::test(start_paused = true)]
async fn stream_that_is_open_beside_one_that_panics_is_answered() {
    let bench = Bench::new(EdgeSettings {
        worker_threads: 3,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = H2Client::new(bench.connect_raw()).await;
    let before = client.get("/before").await;
    let first = worker.request().await;
    let cut = client.get(PANIC_IN_BODY).await;
    let panics = worker.request().await;
    let after = client.get("/after").await;
    let last = worker.request().await;
    worker.head(panics, "200 OK", &[], b"begun", 0).await;
    let cut = cut.head().await;
    worker.chunk(panics, b"more", LAST).await;
    rest(cut.into_body()).await.unwrap_err();
    worker.answer(last, "two").await;
    assert_eq!(after.answer().await, "200 | two");
    worker.answer(first, "one").await;
    assert_eq!(before.answer().await, "200 | one");
    client.end().await.unwrap();
    assert_eq!(bench.floor.load(), (0, 0));
    told_of(bench, &format!("\"{PANIC_IN_BODY}\" 200")).await;
}

#[tokio::test(start_paused = true)]
async fn panic_while_a_request_of_http1_is_answered_cuts_it_and_its_record_says_so() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get(PANIC_IN_BODY).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"begun", 0).await;
    client.until("begun").await;
    worker.chunk(id, b"more", LAST).await;
    assert!(!client.rest().await.contains("0\r\n\r\n"));
    bench.connection_panicked().await;
    let mut client = bench.connect();
    for text in ["one", "two"] {
        client.get("/after").await;
        let id = worker.request().await;
        worker.answer(id, text).await;
        assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {text}"));
    }
    drop(client);
    told_of(bench, &format!("\"{PANIC_IN_BODY}\" 200")).await;
}

#[tokio::test(start_paused = true)]
async fn panic_over_a_workers_frame_costs_its_link_and_not_who_read_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = H2Client::new(bench.connect_raw()).await;
    // Not one that may be asked of another worker.
    let before = client.send(post("/before"), true).await;
    let id = worker.request().await;
    assert!(worker.begin(id).await);
    let mut other = bench.worker(2).await;
    // Awake: the worker rings no more, and it is the next request that finds what it said.
    rounds::after_sleep();
    worker.answer(id, PANIC_IN_FRAME).await;
    let after = client.get("/after").await;
    let id = other.request().await;
    other.answer(id, "two").await;
    rounds::turn();
    assert_eq!(after.answer().await, "200 | two");
    let lost = before.answer().await;
    assert!(lost.starts_with("502 | "), "{lost}");
    assert_eq!(bench.told.count("lost 1"), 1);
    client.end().await.unwrap();
}

/// What the log says of the three requests.
async fn told(bench: Bench, place: &str) {
    told_of(bench, &format!("\"{place}\" 500")).await;
}

/// The same, of the one that panicked with its status.
async fn told_of(bench: Bench, panicked: &str) {
    let records = bench.records().await;
    let records: Vec<_> = records
        .iter()
        .map(|record| {
            let fields = ["target", "status", "fault", "failure"];
            fields.map(|field| record[field].to_string()).join(" ")
        })
        .collect();
    let failed = format!("{panicked} \"yett\" \"panic\"");
    assert!(records.contains(&failed), "{records:?}");
    assert_eq!(records.len(), 3, "{records:?}");
    let fine = |record: &&String| record.ends_with(" 200 null null");
    assert_eq!(records.iter().filter(fine).count(), 2, "{records:?}");
}
