//! A panic in one request: that one's client gets 500, its record is written, and no other request
//! notices.

use super::*;
use crate::testing::PANICS;
use crate::testing::h2_client::H2Client;

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

/// What the log says of the three requests.
async fn told(bench: Bench, place: &str) {
    let records = bench.records().await;
    let records: Vec<_> = records
        .iter()
        .map(|record| {
            let fields = ["target", "status", "fault", "failure"];
            fields.map(|field| record[field].to_string()).join(" ")
        })
        .collect();
    let failed = format!("\"{place}\" 500 \"yett\" \"panic\"");
    assert!(records.contains(&failed), "{records:?}");
    assert_eq!(records.len(), 3, "{records:?}");
    let fine = |record: &&String| record.ends_with(" 200 null null");
    assert_eq!(records.iter().filter(fine).count(), 2, "{records:?}");
}
