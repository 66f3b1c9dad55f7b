//! Compressed answers, as a client meets them: heads, pieces, ends.

use yett_link::frame::{Kind, LAST};

use crate::meters::Limit;
use crate::respond::coding::Coding;
use crate::respond::compress::{AT_ONCE, CompressionSettings, testing::decoded};
use crate::rules::{Compression, RouteRule, RouteRules};
use crate::settings::EdgeSettings;
use crate::testing::{Bench, Client, FakeWorker, settle};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const TEXT: (&str, &str) = ("Content-Type", "text/plain; charset=utf-8");

fn name(coding: Coding) -> &'static str {
    coding.name()
}

async fn get(client: &mut Client, coding: Coding) {
    let accepts = format!("Accept-Encoding: {}\r\n", name(coding));
    client.request("GET", "/a", &accepts).await;
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The next chunk of a body; empty at its end.
async fn chunk(client: &mut Client) -> Vec<u8> {
    let line = client.until("\r\n").await;
    let len = usize::from_str_radix(line.trim_end(), 16).unwrap();
    let mut chunk = client.bytes(len + 2).await;
    chunk.truncate(len);
    chunk
}

/// All chunks up to the end.
async fn chunks(client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let chunk = chunk(client).await;
        if chunk.is_empty() {
            return all;
        }
        all.extend(chunk);
    }
}

async fn started() -> (Bench, FakeWorker, Client) {
    started_with(EdgeSettings::default()).await
}

async fn started_with(settings: EdgeSettings) -> (Bench, FakeWorker, Client) {
    let bench = Bench::new(settings);
    let worker = bench.worker(1).await;
    let client = bench.connect();
    (bench, worker, client)
}

#[tokio::test(start_paused = true)]
async fn whole_answer_is_coded_and_has_a_length() {
    for coding in Coding::ALL {
        let (bench, mut worker, mut client) = started().await;
        let body = "{\"id\": 1, \"name\": \"a name\"}".repeat(100);
        get(&mut client, coding).await;
        let id = worker.request().await;
        let length = body.len().to_string();
        let headers = [JSON, ("Content-Length", &length), ("ETag", "\"x\"")];
        worker
            .head(id, "200 OK", &headers, body.as_bytes(), LAST)
            .await;
        let head = client.head().await;
        assert_eq!(field(&head, "content-encoding"), Some(name(coding)));
        assert_eq!(field(&head, "vary"), Some("Accept-Encoding"));
        let tag = format!("\"x;{}\"", name(coding));
        assert_eq!(field(&head, "etag"), Some(tag.as_str()));
        let length: usize = field(&head, "content-length").unwrap().parse().unwrap();
        assert!(length < body.len() / 10, "{length}");
        let coded = client.bytes(length).await;
        assert_eq!(decoded(coding, &coded), body.as_bytes());
        drop(client);
        assert_eq!(bench.records().await[0]["bytes"], length);
    }
}

#[tokio::test(start_paused = true)]
async fn long_answer_is_coded_while_it_is_sent() {
    for coding in Coding::ALL {
        let (_bench, mut worker, mut client) = started().await;
        let body = "0123456789 and something else. ".repeat(AT_ONCE / 10);
        get(&mut client, coding).await;
        let id = worker.request().await;
        worker
            .head(id, "200 OK", &[TEXT], body.as_bytes(), LAST)
            .await;
        let head = client.head().await;
        assert_eq!(field(&head, "content-encoding"), Some(name(coding)));
        assert_eq!(field(&head, "content-length"), None);
        let coded = chunks(&mut client).await;
        assert!(coded.len() < body.len() / 10);
        assert_eq!(decoded(coding, &coded), body.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn piece_of_a_stream_can_be_read_before_the_next_one_is_made() {
    for coding in Coding::ALL {
        let (_bench, mut worker, mut client) = started().await;
        get(&mut client, coding).await;
        let id = worker.request().await;
        worker.head(id, "200 OK", &[TEXT], b"one", 0).await;
        client.head().await;
        let mut coded = chunk(&mut client).await;
        assert_eq!(decoded(coding, &coded), b"one");
        worker.chunk(id, b" two", 0).await;
        coded.extend(chunk(&mut client).await);
        assert_eq!(decoded(coding, &coded), b"one two");
        settle().await;
        assert!(!client.has_something().await);
        worker.chunk(id, b" three", LAST).await;
        coded.extend(chunks(&mut client).await);
        assert_eq!(decoded(coding, &coded), b"one two three");
    }
}

#[tokio::test(start_paused = true)]
async fn stream_that_breaks_off_gets_no_end() {
    for coding in Coding::ALL {
        let (bench, mut worker, mut client) = started().await;
        get(&mut client, coding).await;
        let id = worker.request().await;
        worker.head(id, "200 OK", &[TEXT], b"one", 0).await;
        client.head().await;
        let coded = chunk(&mut client).await;
        assert_eq!(decoded(coding, &coded), b"one");
        worker.send(Kind::Failed, 0, id, b"").await;
        assert!(client.has_ended().await);
        drop(client);
        assert_eq!(bench.records().await[0]["fault"], "app");
    }
}

#[tokio::test(start_paused = true)]
async fn stream_shorter_than_it_promised_gets_no_end() {
    let (_bench, mut worker, mut client) = started().await;
    get(&mut client, Coding::Gzip).await;
    let id = worker.request().await;
    let headers = [TEXT, ("Content-Length", "5000")];
    worker.head(id, "200 OK", &headers, b"one", 0).await;
    let head = client.head().await;
    assert_eq!(field(&head, "content-length"), None);
    chunk(&mut client).await;
    worker.chunk(id, b" two", LAST).await;
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn trailers_follow_a_coded_body() {
    let (_bench, mut worker, mut client) = started().await;
    let asks = "Accept-Encoding: gzip\r\nTE: trailers\r\n";
    client.request("GET", "/", asks).await;
    let id = worker.request().await;
    let headers = [TEXT, ("Trailer", "X-Sum")];
    worker.head(id, "200 OK", &headers, b"one", 0).await;
    let head = client.head().await;
    assert_eq!(field(&head, "trailer"), Some("X-Sum"));
    let mut coded = chunk(&mut client).await;
    worker.fields(Kind::Trailers, id, &[("X-Sum", "1")]).await;
    loop {
        let line = client.until("\r\n").await;
        let len = usize::from_str_radix(line.trim_end(), 16).unwrap();
        if len == 0 {
            break;
        }
        coded.extend(&client.bytes(len + 2).await[..len]);
    }
    assert_eq!(client.until("\r\n\r\n").await, "x-sum: 1\r\n\r\n");
    assert_eq!(decoded(Coding::Gzip, &coded), b"one");
}

#[tokio::test(start_paused = true)]
async fn head_gets_the_headers_of_get_without_a_length() {
    let (_bench, mut worker, mut client) = started().await;
    client.request("HEAD", "/", "Accept-Encoding: br\r\n").await;
    let id = worker.request().await;
    let headers = [JSON, ("Content-Length", "5000"), ("ETag", "\"x\"")];
    worker.head(id, "200 OK", &headers, b"", LAST).await;
    let head = client.head().await;
    assert_eq!(field(&head, "content-encoding"), Some("br"));
    assert_eq!(field(&head, "etag"), Some("\"x;br\""));
    assert_eq!(field(&head, "content-length"), None);
    // And a short one those of a short one.
    client.request("HEAD", "/", "Accept-Encoding: br\r\n").await;
    let id = worker.request().await;
    let headers = [JSON, ("Content-Length", "50")];
    worker.head(id, "200 OK", &headers, b"", LAST).await;
    let head = client.head().await;
    assert_eq!(field(&head, "content-encoding"), None);
    assert_eq!(field(&head, "content-length"), Some("50"));
}

#[tokio::test(start_paused = true)]
async fn application_sees_its_own_tags_in_conditions() {
    let (_bench, mut worker, mut client) = started().await;
    let asks = "Accept-Encoding: br\r\nIf-None-Match: \"x;br\", \"y\"\r\nIf-Match: \"x;gzip\"\r\n";
    client.request("GET", "/", asks).await;
    let frame = worker.expect(Kind::Request).await;
    let has = |text: &[u8]| memchr::memmem::find(&frame.payload, text).is_some();
    assert!(has(b"\"x\", \"y\"") && !has(b";br\"") && !has(b";gzip\""));
    let id = frame.exchange.get();
    worker.begin(id).await;
    worker
        .head(id, "304 Not Modified", &[("ETag", "\"x\"")], b"", LAST)
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "etag"), Some("\"x;br\""));
    assert_eq!(field(&head, "vary"), Some("Accept-Encoding"));
}

#[tokio::test(start_paused = true)]
async fn above_the_bound_answers_go_as_they_are() {
    let settings = EdgeSettings {
        compression: CompressionSettings {
            max_encoders: 1,
            ..CompressionSettings::default()
        },
        worker_threads: 2,
        ..EdgeSettings::default()
    };
    let (bench, mut worker, mut first) = started_with(settings).await;
    get(&mut first, Coding::Zstd).await;
    let one = worker.request().await;
    worker.head(one, "200 OK", &[TEXT], b"one", 0).await;
    let head = first.head().await;
    assert_eq!(field(&head, "content-encoding"), Some("zstd"));
    let mut second = bench.connect();
    get(&mut second, Coding::Zstd).await;
    let two = worker.request().await;
    worker.head(two, "200 OK", &[TEXT], b"two", 0).await;
    let head = second.head().await;
    assert_eq!(field(&head, "content-encoding"), None);
    assert_eq!(field(&head, "vary"), Some("Accept-Encoding"));
    assert_eq!(chunk(&mut second).await, b"two");
    assert_eq!(bench.meters().times_met(Limit::Encoders), 1);
    // Whole answers need none for longer than a moment.
    worker.chunk(two, b"", LAST).await;
    assert_eq!(chunk(&mut second).await, b"");
    get(&mut second, Coding::Zstd).await;
    let three = worker.request().await;
    let body = "text ".repeat(1000);
    worker
        .head(three, "200 OK", &[TEXT], body.as_bytes(), LAST)
        .await;
    let head = second.head().await;
    assert_eq!(field(&head, "content-encoding"), Some("zstd"));
    assert_eq!(bench.meters().times_met(Limit::Encoders), 1);
    // And when the first has ended there is room again.
    worker.chunk(one, b"", LAST).await;
    chunks(&mut first).await;
    get(&mut first, Coding::Gzip).await;
    let four = worker.request().await;
    worker.head(four, "200 OK", &[TEXT], b"four", 0).await;
    let head = first.head().await;
    assert_eq!(field(&head, "content-encoding"), Some("gzip"));
}

#[tokio::test(start_paused = true)]
async fn files_and_routes_that_say_so_go_as_they_are() {
    let settings = EdgeSettings {
        routes: RouteRules::new(vec![RouteRule {
            path: "/a".to_owned(),
            max_body: None,
            compression: Some(Compression::Off),
        }]),
        ..EdgeSettings::default()
    };
    let (_bench, mut worker, mut client) = started_with(settings).await;
    get(&mut client, Coding::Gzip).await;
    let id = worker.request().await;
    let body = "text ".repeat(1000);
    worker
        .head(id, "200 OK", &[TEXT], body.as_bytes(), LAST)
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "content-length"), Some("5000"));
    assert_eq!(field(&head, "vary"), None);
    client.bytes(5000).await;

    client
        .request("GET", "/file", "Accept-Encoding: gzip\r\n")
        .await;
    let id = worker.request().await;
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, body.as_bytes()).unwrap();
    worker.file(id, &[TEXT], (&file, 0, 5000)).await;
    let head = client.head().await;
    assert_eq!(field(&head, "content-encoding"), None);
    assert_eq!(client.bytes(5000).await, body.as_bytes());
}
