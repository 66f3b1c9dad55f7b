//! Requests and answers: what reaches the application, and what of its answer reaches the client.

use std::future::poll_fn;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Method, Request};
use yett_link::frame::{Kind, LAST};
use yett_link::names;
use yett_link::request::{Name, RequestView};

use super::{ROOM, bench, client, raw};
use crate::ruling::Interface;
use crate::settings::EdgeSettings;
use crate::testing::h2_client::{self, H2Client, get, post};
use crate::testing::{Bench, FakeWorker, seconds, settle, soon};

fn spelt(name: Name<'_>) -> &str {
    match name {
        Name::Common(number) => names::name(number).unwrap(),
        Name::Text(name) => name,
    }
}

/// The next request's number, and what the application is told of it.
async fn told(worker: &mut FakeWorker) -> (u64, String) {
    let frame = worker.expect(Kind::Request).await;
    assert!(worker.begin(frame.exchange.get()).await);
    let view = RequestView::parse(&frame.payload).unwrap();
    let mut told = format!(
        "{} {} {:?}",
        view.line.method, view.line.uri, view.line.version
    );
    for (name, value) in view.headers() {
        let name = spelt(name);
        told.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value)));
    }
    (frame.exchange.get(), told)
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_connection_run_beside_each_other() {
    let bench = Bench::of(
        Interface::Wsgi,
        EdgeSettings {
            worker_threads: 3,
            ..EdgeSettings::default()
        },
    );
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let first = client.get("/1").await;
    let second = client.get("/2").await;
    let (one, two) = (worker.request().await, worker.request().await);
    worker.answer(two, "second").await;
    assert_eq!(second.answer().await, "200 | second");
    worker.answer(one, "first").await;
    assert_eq!(first.answer().await, "200 | first");
    drop(client);
    let mut records = bench.told_records().await;
    records.sort();
    assert_eq!(records, ["GET /1 200 - 5", "GET /2 200 - 6"]);
}

#[tokio::test(start_paused = true)]
async fn application_is_told_what_it_would_be_told_over_http_1() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let request = Request::get("https://example.com:8443/a%2fb?c=d")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("x_user", "root")
        .header("x-yett-user", "root")
        .header("te", "trailers")
        .header("accept", "*/*")
        .body(())
        .unwrap();
    let arriving = client.send(request, true).await;
    let (id, told) = told(&mut worker).await;
    assert_eq!(
        told,
        "GET /a/b?c=d Http2\ncookie: a=1; b=2\naccept: */*\nhost: example.com:8443"
    );
    worker.answer(id, "").await;
    let response = arriving.head().await;
    assert_eq!(response.headers()["content-length"], "0");
    assert!(response.headers().contains_key("date"));
    drop((client, response));
    let [record] = &bench.records().await[..] else {
        panic!("one record")
    };
    assert_eq!(record["target"], "/a%2fb?c=d");
    assert_eq!(record["protocol"], "HTTP/2");
}

#[tokio::test(start_paused = true)]
async fn body_needs_no_length_and_a_wrong_one_resets_the_stream() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let mut arriving = client.send(post("/"), false).await;
    arriving.body.send_data(Bytes::from("hel"), false).unwrap();
    settle().await;
    arriving.body.send_data(Bytes::from("lo"), false).unwrap();
    // Trailers are not handed on.
    let mut trailers = HeaderMap::new();
    trailers.insert("x-user", "root".parse().unwrap());
    arriving.body.send_trailers(trailers).unwrap();
    let frame = worker.expect(Kind::Request).await;
    assert!(worker.begin(frame.exchange.get()).await);
    let view = RequestView::parse(&frame.payload).unwrap();
    assert_eq!(view.inline_body, b"hello");
    assert!(!view.headers().any(|(name, _)| spelt(name) == "x-user"));
    worker.answer(frame.exchange.get(), "ok").await;
    assert_eq!(arriving.answer().await, "200 | ok");

    for (announced, sent) in [("3", "hello"), ("9", "hello")] {
        let mut request = post("/");
        let headers = request.headers_mut();
        headers.insert("content-length", announced.parse().unwrap());
        let mut arriving = client.send(request, false).await;
        arriving.body.send_data(Bytes::from(sent), true).unwrap();
        assert_eq!(arriving.refusal().await, Some(Reason::PROTOCOL_ERROR));
    }
    assert!(worker.hears_nothing().await);
    drop(client);
    assert_eq!(
        bench.told_records().await,
        [
            "POST / 200 - 2",
            "POST / 400 client 0",
            "POST / 400 client 0"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn trailers_that_would_change_the_message_are_refused() {
    for (interface, name, status) in [
        (Interface::Wsgi, "x-real-ip", 400),
        (Interface::Wsgi, "authorization", 400),
        (Interface::Wsgi, "x-sum", 200),
        (Interface::Asgi, "content-length", 400),
        (Interface::Asgi, "x-sum", 200),
    ] {
        let bench = Bench::of(interface, EdgeSettings::default());
        let mut worker = bench.worker(1).await;
        let mut client = client(&bench).await;
        let mut arriving = client.send(post("/"), false).await;
        arriving.body.send_data(Bytes::from("body"), false).unwrap();
        let mut trailers = HeaderMap::new();
        let name = http::HeaderName::from_static(name);
        trailers.insert(name.clone(), "1".parse().unwrap());
        arriving.body.send_trailers(trailers).unwrap();
        if status == 200 {
            let id = worker.request().await;
            worker.answer(id, "ok").await;
        }
        let response = arriving.head().await;
        assert_eq!(response.status().as_u16(), status, "{name}");
        drop((client, response));
        let records = bench.records().await;
        assert_eq!(records[0]["failure"] == "body_cut", status == 400, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn head_and_answers_without_a_body_have_none() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    for (method, status) in [
        (Method::HEAD, "200 OK"),
        (Method::GET, "204 No Content"),
        (Method::GET, "304 Not Modified"),
    ] {
        let mut request = get("/");
        *request.method_mut() = method;
        let arriving = client.send(request, true).await;
        let id = worker.request().await;
        worker.head(id, status, &[], b"body", LAST).await;
        let response = arriving.head().await;
        assert_eq!(response.status().as_str(), &status[..3]);
        assert!(response.body().is_end_stream());
        assert!(!response.headers().contains_key("content-length"));
    }
    drop(client);
    let bodies = bench.told_records().await;
    assert_eq!(bodies, ["HEAD / 200 - 0", "GET / 204 - 0", "GET / 304 - 0"]);
}

#[tokio::test(start_paused = true)]
async fn answer_is_streamed_with_hints_before_and_trailers_behind() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let mut request = get("/");
    request
        .headers_mut()
        .insert("te", "trailers".parse().unwrap());
    let mut arriving = client.send(request, true).await;
    let id = worker.request().await;
    for link in ["</a.css>", "</b.css>"] {
        let fields = [("link", link), ("connection", "close")];
        worker.fields(Kind::Hints, id, &fields).await;
        let hints = soon(poll_fn(|cx| arriving.response.poll_informational(cx))).await;
        let hints = hints.unwrap().unwrap();
        assert_eq!(hints.status(), 103);
        assert_eq!(hints.headers()["link"], link);
        assert_eq!(hints.headers().len(), 1);
    }
    worker
        .head(id, "200 OK", &[("trailer", "x-sum")], b"one ", 0)
        .await;
    let response = arriving.head().await;
    assert_eq!(response.headers()["trailer"], "x-sum");
    worker.fields(Kind::Hints, id, &[("link", "late")]).await;
    worker.chunk(id, b"two", 0).await;
    worker.fields(Kind::Trailers, id, &[("x-sum", "7")]).await;
    let (body, trailers) = h2_client::rest(response.into_body()).await.unwrap();
    assert_eq!(body, "one two");
    assert_eq!(trailers.unwrap()["x-sum"], "7");
}

#[tokio::test(start_paused = true)]
async fn client_that_waits_for_a_word_before_its_body_gets_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let mut request = post("/");
    let headers = request.headers_mut();
    headers.insert("expect", "100-continue".parse().unwrap());
    let mut arriving = client.send(request, false).await;
    let word = soon(poll_fn(|cx| arriving.response.poll_informational(cx))).await;
    assert_eq!(word.unwrap().unwrap().status(), 100);
    arriving.body.send_data(Bytes::from("hi"), true).unwrap();
    let id = worker.request().await;
    worker.answer(id, "ok").await;
    assert_eq!(arriving.answer().await, "200 | ok");
}

#[tokio::test(start_paused = true)]
async fn answer_longer_than_it_announces_is_cut_and_a_shorter_one_is_reset() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = client(&bench).await;
    let length = [("content-length", "4")];
    let arriving = client.get("/long").await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &length, b"123", 0).await;
    worker.chunk(id, b"4567", 0).await;
    assert_eq!(arriving.answer().await, "200 | 1234");
    while worker.next().await.unwrap().kind != Kind::Cancel {}
    worker.chunk(id, b"", LAST).await;

    let arriving = client.get("/short").await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &length, b"123", 0).await;
    let response = arriving.head().await;
    worker.chunk(id, b"", LAST).await;
    let cut = h2_client::rest(response.into_body()).await.unwrap_err();
    assert_eq!(cut.reason(), Some(Reason::INTERNAL_ERROR));
    drop(client);
    assert_eq!(
        bench.told_records().await,
        ["GET /long 200 - 7", "GET /short 200 app 3"]
    );
}

#[tokio::test(start_paused = true)]
async fn failure_says_nothing_of_the_connection() {
    let bench = Bench::new(EdgeSettings {
        max_body: 3,
        ..EdgeSettings::default()
    });
    let mut client = client(&bench).await;
    let mut arriving = client.send(post("/"), false).await;
    arriving.body.send_data(Bytes::from("long"), false).unwrap();
    let response = arriving.head().await;
    assert_eq!(response.status(), 413);
    assert!(!response.headers().contains_key("connection"));
    let (body, _) = h2_client::rest(response.into_body()).await.unwrap();
    assert_eq!(body, "The request's body is too long.\n");
    // The connection goes on.
    assert!(!client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn body_that_pauses_for_too_long_is_refused() {
    let bench = bench();
    let mut client = client(&bench).await;
    let mut arriving = client.send(post("/"), false).await;
    arriving.body.send_data(Bytes::from("a"), false).unwrap();
    bench.clock.pass(seconds(29)).await;
    arriving.body.send_data(Bytes::from("b"), false).unwrap();
    bench.clock.pass(seconds(31)).await;
    assert_eq!(
        arriving.answer().await,
        "408 | The request's body did not arrive in time."
    );
}

#[tokio::test(start_paused = true)]
async fn large_bodies_pass_both_ways_under_flow_control() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(1000)
        .initial_connection_window_size(65_535);
    let mut client = H2Client::with(builder, bench.connect_raw_with_room(ROOM)).await;
    let mut arriving = client.send(post("/"), false).await;
    let body = "0123456789".repeat(500_000);
    arriving.body.send_data(Bytes::from(body), true).unwrap();
    let frame = worker.expect(Kind::Request).await;
    let id = frame.exchange.get();
    assert!(worker.begin(id).await);
    assert!(worker.descriptor().is_some());
    let answer = "9876543210".repeat(20_000);
    worker.answer(id, &answer).await;
    assert_eq!(arriving.answer().await, format!("200 | {answer}"));
}

#[tokio::test(start_paused = true)]
async fn what_could_be_read_in_two_ways_is_refused_and_recorded() {
    let bench = bench();
    let mut client = client(&bench).await;
    let mut status = async |request: http::request::Builder| {
        let arriving = client.send(request.body(()).unwrap(), true).await;
        arriving.head().await.status().as_u16()
    };
    let plain = || Request::get("http://x/");
    assert_eq!(status(plain().header("host", "y")).await, 400);
    assert_eq!(
        status(plain().header("host", "x").header("host", "x")).await,
        400
    );
    assert_eq!(status(plain().header("x", " y")).await, 400);
    assert_eq!(status(Request::get("http://u@x/")).await, 400);
    assert_eq!(status(Request::get("ftp://x/")).await, 400);
    assert_eq!(status(Request::get("http://x/static/..%2fapi")).await, 400);
    assert_eq!(
        status(
            plain()
                .header("authorization", "a")
                .header("authorization", "b")
        )
        .await,
        400
    );
    let many = (0..130).fold(plain(), |request, at| request.header(format!("x{at}"), ""));
    assert_eq!(status(many).await, 431);
    assert_eq!(
        status(Request::builder().method("CONNECT").uri("x:80")).await,
        501
    );
    drop(client);
    let records = bench.told_records().await;
    assert_eq!(records.len(), 9);
    assert_eq!(records[0], "GET http://x/ 400 client 53");
    assert!(records.iter().all(|record| record.contains(" client ")));
}

#[tokio::test(start_paused = true)]
async fn broken_heads_reset_their_stream_and_have_a_record() {
    // HPACK without compression: name and value spelt out.
    let literal = |name: &str, value: &str| {
        let mut field = vec![0, name.len() as u8];
        field.extend(name.as_bytes());
        field.push(value.len() as u8);
        field.extend(value.as_bytes());
        field
    };
    for (broken, why) in [
        (literal("Upper", "x"), "capitals"),
        (literal("connection", "close"), "of the connection"),
        (literal("transfer-encoding", "chunked"), "of the connection"),
        (literal("te", "gzip"), "of the connection"),
        (literal(":path", "/b"), "repeated"),
        (literal(":status", "200"), "of an answer"),
        (literal("content-length", "+1"), "no number"),
        (literal("content-length", "1"), "without a body"),
    ] {
        let bench = bench();
        let mut raw = raw(&bench).await;
        let mut block = h2_client::GET_BLOCK.to_vec();
        block.extend(broken);
        raw.frame(1, 5, 1, &block).await;
        let (kind, payload) = loop {
            let (kind, _, _, payload) = raw.next().await.unwrap();
            if kind == 3 || kind == 7 {
                break (kind, payload);
            }
        };
        let code = &payload[if kind == 3 { 0 } else { 4 }..][..4];
        assert_eq!(code, 1_u32.to_be_bytes(), "{why}");
        drop(raw);
        assert_eq!(bench.told_records().await, ["- - 400 client 0"], "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn head_that_is_too_long_gets_431_and_a_record() {
    let bench = Bench::new(EdgeSettings {
        max_head: 1024,
        ..EdgeSettings::default()
    });
    let mut client = client(&bench).await;
    // The client obeys what it was told, so it does not know it yet.
    let mut request = get("/");
    let long = "x".repeat(1000);
    request.headers_mut().insert("x", long.parse().unwrap());
    let arriving = client.send(request, true).await;
    assert_eq!(arriving.head().await.status(), 431);
    drop(client);
    assert_eq!(bench.told_records().await, ["- - 431 client 0"]);
}
