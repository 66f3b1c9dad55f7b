//! Exactly one access record for each request, however it ends.

use serde_json::Value;
use yett_gate::GateSettings;
use yett_link::frame::MAX_CHUNK;

use super::*;
use crate::testing::GUARDED;
use crate::testing::socket::asking;

#[tokio::test(start_paused = true)]
async fn record_says_what_happened() {
    let bench = bench();
    let mut worker = bench.worker(7).await;
    let mut client = bench.connect();
    client
        .request("GET", "/a?b=c", "User-Agent: \"quoted\"\r\n")
        .await;
    let id = worker.request().await;
    worker.answer(id, "four").await;
    client.answer().await;
    drop(client);
    let records = bench.records().await;
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    let told = |key: &str| record[key].clone();
    assert_eq!(told("client"), "192.0.2.1");
    assert_eq!(told("target"), "/a?b=c");
    assert_eq!(told("protocol"), "HTTP/1.1");
    assert_eq!((told("status"), told("bytes")), (200.into(), 4.into()));
    assert_eq!((told("route"), told("worker")), ("app".into(), 7.into()));
    assert_eq!((told("reason"), told("fault")), (Value::Null, Value::Null));
    assert_eq!(told("user_agent"), "\"quoted\"");
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_before_the_answer_is_a_499() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(GET).await;
    worker.request().await;
    drop(client);
    worker.expect(Kind::Cancel).await;
    assert_eq!(bench.told_records().await, ["GET / 499 - 0"]);
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_the_queue_is_a_499() {
    let bench = bench();
    let mut client = bench.connect();
    client.send(GET).await;
    settle().await;
    assert_eq!(bench.floor.load(), (1, 0));
    drop(client);
    settle().await;
    assert_eq!(bench.floor.load(), (0, 0));
    assert_eq!(bench.told_records().await, ["GET / 499 - 0"]);
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_in_the_middle_of_its_body_is_one_record() {
    let bench = bench();
    let mut client = bench.connect();
    client.request("POST", "/", "Content-Length: 10\r\n").await;
    client.send("01234").await;
    settle().await;
    drop(client);
    let records = bench.told_records().await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(
        ["POST / 400 client", "POST / 499 -"]
            .iter()
            .any(|told| records[0].starts_with(told)),
        "{records:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_in_the_middle_of_the_answer_is_one_record() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(1024);
    client.send(GET).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"begun", 0).await;
    client.until("begun").await;
    worker.chunk(id, &vec![b'x'; MAX_CHUNK], 0).await;
    settle().await;
    drop(client);
    loop {
        let frame = worker.next().await.unwrap();
        if frame.kind == Kind::Cancel {
            break;
        }
        assert_eq!(frame.kind, Kind::Credit);
    }
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["status"], 200);
}

#[tokio::test(start_paused = true)]
async fn malformed_request_is_one_record_and_asks_nobody() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/a/%2e%2e/b").await;
    assert_eq!(client.status().await, 400);
    assert!(worker.hears_nothing().await);
    drop(client);
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["target"], "/a/%2e%2e/b");
    assert_eq!(records[0]["fault"], "client");
}

#[tokio::test(start_paused = true)]
async fn offence_inside_a_body_is_one_record() {
    let bench = bench();
    let mut client = bench.connect();
    client
        .request("POST", "/", "Transfer-Encoding: chunked\r\n")
        .await;
    client.send("3\r\nabcX").await;
    let answer = client.rest().await;
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    let reason = records[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("a chunk of the body is malformed"),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn connection_without_a_request_leaves_no_record() {
    let bench = bench();
    drop(bench.connect());
    let mut cut = bench.connect();
    cut.send("GET / HTT").await;
    settle().await;
    drop(cut);
    assert!(bench.records().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn request_for_a_websocket_is_judged_as_every_other_and_http_goes_on_behind_a_refusal() {
    let gate = GateSettings::from_manifest(GUARDED.as_bytes()).unwrap();
    let bench = Bench::with_gate(EdgeSettings::default(), gate);
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let ask = asking("").replace("/chat", "/api/");
    client.send(format!("{ask}{ask}")).await;
    for _ in 0..2 {
        assert_eq!(client.answer().await, "HTTP/1.1 401 Unauthorized | who?");
    }
    assert!(worker.hears_nothing().await);
    drop(client);
    assert_eq!(
        bench.told_records().await,
        ["GET /api/ 401 client 4", "GET /api/ 401 client 4"]
    );
}

#[tokio::test(start_paused = true)]
async fn refused_request_is_one_record_and_asks_nobody() {
    let gate = GateSettings::from_manifest(GUARDED.as_bytes()).unwrap();
    let bench = Bench::with_gate(EdgeSettings::default(), gate);
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/api/").await;
    let head = client.head().await;
    assert_eq!(
        head,
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 4\r\n\r\n"
    );
    client.until("who?").await;
    // A body that nobody reads ends the connection.
    client
        .request("POST", "/api/", "Content-Length: 3\r\n")
        .await;
    client.send("abc").await;
    let answer = client.rest().await;
    assert!(
        answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("who?"), "{answer}");
    assert!(worker.hears_nothing().await);
    let records = bench.records().await;
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(
            (&record["status"], &record["bytes"]),
            (&401.into(), &4.into())
        );
        assert!(record["reason"].is_string(), "{record}");
    }
}
