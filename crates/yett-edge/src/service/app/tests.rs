//! What the application is asked, how often it is asked, and what a client is told when it does not
//! answer. What is done to its answers is tested in `framing`, how long
//! ones travel in `streaming`.

mod backlog;
mod beside;
mod compression;
mod files;
mod framing;
mod room;
mod streaming;
mod trust;
mod upload;

use std::io::Read;

use yett_link::frame::{DESCRIPTOR, Kind, LAST};
use yett_link::request::{HttpVersion, MAX_INLINE_BODY, Name, RequestView};

use crate::settings::EdgeSettings;
use crate::testing::{Bench, FakeWorker, seconds, settle};

async fn three_workers(bench: &Bench) -> [FakeWorker; 3] {
    [
        bench.worker(1).await,
        bench.worker(2).await,
        bench.worker(3).await,
    ]
}

fn bench() -> Bench {
    Bench::new(EdgeSettings::default())
}

const ENDED: &str =
    "HTTP/1.1 502 Bad Gateway | The application ended while it worked on the request.";

#[tokio::test(start_paused = true)]
async fn request_arrives_as_the_client_meant_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .send("POST /a%20b?q=%20 HTTP/1.1\r\nHost: h:1\r\nX-One: 1\r\nX_One: 2\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    let frame = worker.expect(Kind::Request).await;
    assert!(FakeWorker::tells_begin(&frame));
    let view = RequestView::parse(&frame.payload).unwrap();
    assert_eq!(
        (view.line.method, view.line.version),
        ("POST", HttpVersion::Http11)
    );
    assert_eq!(
        (view.line.path, view.line.query),
        (b"/a b".as_slice(), "q=%20")
    );
    assert_eq!(
        (view.line.remote_addr, view.line.remote_port),
        ("192.0.2.1", 4711)
    );
    assert_eq!(
        (view.line.server_name, view.line.server_port),
        ("192.0.2.2", 80)
    );
    assert_eq!((view.body_len, view.inline_body), (5, b"hello".as_slice()));
    let named: Vec<_> = view
        .headers()
        .filter(|(name, _)| matches!(name, Name::Text(_)))
        .collect();
    assert_eq!(named, [(Name::Text("x-one"), b"1".as_slice())]);
    worker.answer(frame.exchange.get(), "ok").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | ok");
}

#[tokio::test(start_paused = true)]
async fn safe_request_goes_to_another_worker_once() {
    for method in ["GET", "OPTIONS"] {
        let bench = bench();
        let [mut one, mut two, _three] = three_workers(&bench).await;
        let mut client = bench.connect();
        client.request(method, "/", "").await;
        let id = one.request().await;
        assert!(one.begin(id).await);
        drop(one);
        let id = two.request().await;
        two.answer(id, "from two").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | from two");
        drop(client);
        assert_eq!(bench.records().await[0]["worker"], 2);
    }
}

#[tokio::test(start_paused = true)]
async fn second_lost_worker_is_the_end_of_a_safe_request() {
    let bench = bench();
    let [mut one, mut two, mut three] = three_workers(&bench).await;
    let mut client = bench.connect();
    client.get("/").await;
    one.request().await;
    drop(one);
    two.request().await;
    drop(two);
    assert_eq!(client.answer().await, ENDED);
    assert!(three.hears_nothing().await);
    drop(client);
    assert_eq!(bench.told_records().await, ["GET / 502 app 54"]);
}

#[tokio::test(start_paused = true)]
async fn unsafe_request_that_was_begun_is_never_sent_twice() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE"] {
        let bench = bench();
        let [mut one, mut two, _three] = three_workers(&bench).await;
        let mut client = bench.connect();
        client.request(method, "/", "").await;
        let id = one.request().await;
        assert!(one.begin(id).await);
        settle().await;
        drop(one);
        assert_eq!(client.answer().await, ENDED, "{method}");
        assert!(two.hears_nothing().await, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn unsafe_request_that_was_not_begun_goes_on_until_three_workers_died() {
    let bench = bench();
    let [mut one, mut two, mut three] = three_workers(&bench).await;
    let mut four = bench.worker(4).await;
    let mut client = bench.connect();
    client.request("POST", "/1", "").await;
    one.unbegun_request().await;
    drop(one);
    let id = two.request().await;
    two.answer(id, "two").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | two");
    // It sleeps again, as the others do, and has served more than they.
    assert!(two.hears_nothing().await);
    client.request("POST", "/2", "").await;
    for dying in [&mut three, &mut four, &mut two] {
        dying.unbegun_request().await;
        dying.send_raw(&[0xff; 16]).await;
    }
    assert_eq!(client.answer().await, ENDED);
}

#[tokio::test(start_paused = true)]
async fn worker_that_died_while_the_ticket_was_given_costs_nothing() {
    let bench = bench();
    let [one, mut two, _three] = three_workers(&bench).await;
    drop(one);
    let mut client = bench.connect();
    client.request("POST", "/", "").await;
    let id = two.request().await;
    two.answer(id, "two").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | two");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_twice_once_a_part_of_an_answer_came() {
    let bench = bench();
    let [mut one, mut two, _three] = three_workers(&bench).await;
    let mut client = bench.connect();
    client.get("/").await;
    let id = one.request().await;
    one.head(id, "200 OK", &[], b"half", 0).await;
    client.until("half").await;
    drop(one);
    assert_eq!(client.rest().await, "\r\n", "cut, without the last chunk");
    assert!(two.hears_nothing().await);
    assert_eq!(bench.told_records().await, ["GET / 200 app 4"]);
}

#[tokio::test(start_paused = true)]
async fn failed_application_is_answered_with_500() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    let id = worker.request().await;
    worker.send(Kind::Failed, 0, id, b"").await;
    let answer = client.answer().await;
    assert_eq!(
        answer,
        "HTTP/1.1 500 Internal Server Error | The application failed."
    );
    client.get("/again").await;
    let id = worker.request().await;
    worker.answer(id, "alive").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | alive");
    drop(client);
    assert_eq!(
        bench.told_records().await,
        ["GET / 500 app 24", "GET /again 200 - 5"]
    );
}

#[tokio::test(start_paused = true)]
async fn application_that_takes_too_long_is_answered_with_504() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    worker.request().await;
    bench.clock.pass(seconds(31)).await;
    assert_eq!(client.status().await, 504);
    assert!(bench.told.count("stuck 1") > 0);
}

#[tokio::test(start_paused = true)]
async fn wait_in_a_worker_that_did_not_get_to_it_counts_as_waiting() {
    let bench = Bench::new(EdgeSettings {
        worker_threads: 1,
        carrier: crate::floor::Carrier::Rings,
        queue_timeout: seconds(5),
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let (mut first, mut second) = (bench.connect(), bench.connect());
    first.get("/long").await;
    worker.request().await;
    second.get("/behind").await;
    worker.unbegun_request().await;
    bench.clock.pass(seconds(3)).await;
    // Back in the queue, where two seconds are left of its five.
    bench
        .clock
        .pass(std::time::Duration::from_millis(1900))
        .await;
    assert_eq!(bench.floor.load(), (1, 1));
    bench
        .clock
        .pass(std::time::Duration::from_millis(200))
        .await;
    assert_eq!(second.status().await, 503);
}

#[tokio::test(start_paused = true)]
async fn full_queue_is_answered_with_503_and_when_to_come_back() {
    let bench = Bench::new(EdgeSettings {
        max_queue: 0,
        ..EdgeSettings::default()
    });
    let mut client = bench.connect();
    client.get("/").await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{head}"
    );
    assert!(head.contains("retry-after: 1\r\n"), "{head}");
    assert!(!head.contains("connection: close"), "{head}");
    drop(client);
    assert_eq!(bench.told_records().await, ["GET / 503 yett 36"]);
}

#[tokio::test(start_paused = true)]
async fn large_body_comes_as_a_descriptor_also_to_a_second_worker() {
    let text = "0123456789".repeat(MAX_INLINE_BODY / 10 + 1);
    let length = text.len();
    let framings = [
        (format!("Content-Length: {length}\r\n"), text.clone()),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("{length:x}\r\n{text}\r\n0\r\n\r\n"),
        ),
    ];
    for (headers, body) in framings {
        let bench = bench();
        let [mut one, mut two, _three] = three_workers(&bench).await;
        let mut client = bench.connect();
        client.request("POST", "/", &headers).await;
        client.send(&body).await;
        // The first worker reads all of it and dies before it begins.
        assert!(received_body(&mut one).await.1 == text);
        drop(one);
        let (id, received) = received_body(&mut two).await;
        assert!(received == text, "read from its start again");
        two.answer(id, "stored").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | stored");
    }
}

/// The number of the next request, and its body, which must come as a descriptor.
async fn received_body(worker: &mut FakeWorker) -> (u64, String) {
    let frame = worker.expect(Kind::Request).await;
    assert!(FakeWorker::tells_begin(&frame) && frame.flags & DESCRIPTOR != 0);
    let view = RequestView::parse(&frame.payload).unwrap();
    assert!(view.inline_body.is_empty());
    let mut body = String::new();
    let mut file = std::fs::File::from(worker.descriptor().unwrap());
    file.read_to_string(&mut body).unwrap();
    assert_eq!(view.body_len, body.len() as u64);
    (frame.exchange.get(), body)
}

#[tokio::test(start_paused = true)]
async fn chunked_body_is_gathered_before_a_worker_is_asked() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .request("POST", "/", "Transfer-Encoding: chunked\r\n")
        .await;
    client.send("3\r\nabc\r\n").await;
    assert!(worker.hears_nothing().await);
    assert_eq!(bench.floor.load(), (0, 0), "an upload holds no worker");
    client.send("3\r\ndef\r\n0\r\nX-Sum: x\r\n\r\n").await;
    let frame = worker.expect(Kind::Request).await;
    let view = RequestView::parse(&frame.payload).unwrap();
    assert_eq!((view.body_len, view.inline_body), (6, b"abcdef".as_slice()));
    worker.answer(frame.exchange.get(), "ok").await;
    assert_eq!(client.status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn body_that_is_too_long_is_refused_and_the_connection_closes() {
    for (headers, body) in [
        ("Content-Length: 11\r\n", ""),
        ("Content-Length: 11\r\nExpect: 100-continue\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "b\r\n01234567890\r\n"),
    ] {
        let bench = Bench::new(EdgeSettings {
            max_body: 10,
            ..EdgeSettings::default()
        });
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client.request("POST", "/", headers).await;
        client.send(body).await;
        let answer = client.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"),
            "{answer}"
        );
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(worker.hears_nothing().await);
        assert_eq!(bench.told_records().await, ["POST / 413 client 32"]);
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_pauses_for_too_long_is_refused() {
    let bench = bench();
    let mut client = bench.connect();
    client.request("POST", "/", "Content-Length: 10\r\n").await;
    client.send("01234").await;
    bench.clock.pass(seconds(29)).await;
    client.send("5").await;
    bench.clock.pass(seconds(29)).await;
    client.send("6").await;
    bench.clock.pass(seconds(31)).await;
    let answer = client.rest().await;
    assert!(
        answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{answer}"
    );
    assert_eq!(bench.told_records().await, ["POST / 408 client 43"]);
}
