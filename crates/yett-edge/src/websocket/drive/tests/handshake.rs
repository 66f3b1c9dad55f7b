//! The opening handshake: what becomes a WebSocket, and what is answered instead.

use crate::floor::{Runs, WorkerKind};
use yett_link::frame::{Kind, LAST, TEXT, WEBSOCKET};
use yett_link::request::{Name, RequestView};

use super::{bench, open};
use crate::ruling::Interface;
use crate::settings::{EdgeSettings, Sendfile};
use crate::testing::socket::{asking, framed};
use crate::testing::{Bench, seconds, settle};

const GET: &str = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn accepted_request_becomes_a_websocket() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .send(asking(
            "Sec-WebSocket-Protocol: a, b\r\nOrigin: http://x\r\n",
        ))
        .await;
    let request = worker.expect(Kind::Request).await;
    assert_eq!(request.flags, WEBSOCKET);
    let view = RequestView::parse(&request.payload).unwrap();
    assert_eq!((view.line.method, view.line.path), ("GET", &b"/chat"[..]));
    let protocols: Vec<_> = view
        .headers()
        .filter(|(name, _)| *name == Name::Text("sec-websocket-protocol"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(protocols, [b"a, b"]);
    let id = request.exchange.get();
    worker
        .accept(
            id,
            &[
                ("sec-websocket-protocol", "b"),
                ("x-own", "1"),
                ("upgrade", "h2c"),
            ],
        )
        .await;
    assert_eq!(
        client.head().await,
        "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-protocol: b\r\nx-own: 1\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
    client.send_frame(0x81, b"Hello").await;
    assert_eq!(worker.message().await, (TEXT, b"Hello".to_vec()));
    worker.send(Kind::Reply, TEXT, id, b"World").await;
    assert_eq!(client.frame().await, (0x81, b"World".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_acceptance_belongs_to_the_websocket() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let bytes = [asking("").into_bytes(), framed(0x81, b"early")].concat();
    client.send(bytes).await;
    let id = worker.request().await;
    client.send_frame(0x81, b"later").await;
    worker.accept(id, &[]).await;
    let _head = client.head().await;
    assert_eq!(worker.message().await, (TEXT, b"early".to_vec()));
    assert_eq!(worker.message().await, (TEXT, b"later".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn acceptance_is_written_whole_to_a_client_that_takes_little_at_a_time() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(16);
    let send = async {
        client.send(asking("")).await;
        client
    };
    let (client, id) = tokio::join!(send, worker.request());
    let mut client = client;
    worker.accept(id, &[]).await;
    worker.send(Kind::Reply, TEXT, id, b"first").await;
    settle().await;
    assert!(
        client
            .head()
            .await
            .ends_with("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    );
    assert_eq!(client.frame().await, (0x81, b"first".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn refusal_is_an_ordinary_answer_and_http_goes_on() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    // The second request is there before the first is answered.
    client.send(format!("{}{GET}", asking(""))).await;
    let id = worker.request().await;
    assert!(worker.hears_nothing().await);
    worker
        .head(id, "401 Unauthorized", &[], b"who are you?", LAST)
        .await;
    assert_eq!(
        client.answer().await,
        "HTTP/1.1 401 Unauthorized | who are you?"
    );
    let id = worker.request().await;
    worker.answer(id, "next").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | next");
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    drop(client);
    assert_eq!(worker.disconnect().await, "1006 ");
    assert_eq!(
        bench.told_records().await,
        [
            "GET /chat 401 - 12",
            "GET /next 200 - 4",
            "GET /chat 101 client 0"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn file_that_the_application_names_is_sent_and_its_name_not_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "the file").unwrap();
    let settings = EdgeSettings {
        sendfile: vec![Sendfile {
            url: "/protected/".into(),
            folder: folder.path().into(),
        }],
        ..EdgeSettings::default()
    };
    let bench = Bench::of(Interface::Asgi, settings);
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    for (value, line, body) in [
        ("/protected/a.txt", "HTTP/1.1 403 Forbidden", "the file"),
        (
            "/other/a.txt",
            "HTTP/1.1 500 Internal Server Error",
            "The application failed.\n",
        ),
    ] {
        client.send(asking("")).await;
        let id = worker.request().await;
        let headers = [("x-accel-redirect", value)];
        worker
            .head(id, "403 Forbidden", &headers, b"no", LAST)
            .await;
        let head = client.head().await;
        assert!(head.starts_with(line), "{head}");
        assert!(!head.contains("x-accel-redirect"), "{head}");
        client.until(body).await;
    }
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[("X-Sendfile", "/srv/a")]).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(!head.contains("sendfile"), "{head}");
}

#[tokio::test(start_paused = true)]
async fn refusal_may_be_streamed() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.head(id, "403 Forbidden", &[], b"one ", 0).await;
    worker.chunk(id, b"two", LAST).await;
    client.send(GET).await;
    assert!(client.until("0\r\n\r\n").await.contains("two"));
    let id = worker.request().await;
    worker.answer(id, "next").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | next");
    assert_eq!(bench.floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn close_before_acceptance_is_403() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.close(id, 1000, "").await;
    assert_eq!(
        client.answer().await,
        "HTTP/1.1 403 Forbidden | The application refused the WebSocket."
    );
    assert_eq!(bench.floor.load(), (0, 0));
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn failure_before_acceptance_is_500() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.send(Kind::Failed, 0, id, b"").await;
    assert_eq!(client.status().await, 500);
    assert_eq!(bench.floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn acceptance_that_is_too_late_is_504_and_the_worker_stays() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    bench.clock.pass(seconds(31)).await;
    assert_eq!(client.status().await, 504);
    assert_eq!(worker.disconnect().await, "1006 ");
    bench.clock.pass(seconds(100)).await;
    assert_eq!(bench.told.count("stuck 1"), 0);
    assert_eq!(bench.floor.load(), (0, 1), "it may still be at work");
    worker.accept(id, &[]).await;
    settle().await;
    assert_eq!((bench.floor.load(), bench.floor.sockets()), ((0, 0), 0));
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_before_acceptance_is_told_to_the_application() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    drop(client);
    assert_eq!(worker.disconnect().await, "1006 ");
    worker.send(Kind::Failed, 0, id, b"").await;
    settle().await;
    assert_eq!(bench.floor.load(), (0, 0));
    assert_eq!(bench.told_records().await, ["GET /chat 499 - 0"]);
}

#[tokio::test(start_paused = true)]
async fn handshake_goes_to_another_worker_once() {
    let bench = bench();
    let mut first = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let _id = first.request().await;
    let mut second = bench.worker(2).await;
    drop(first);
    let id = second.request().await;
    second.accept(id, &[]).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    let mut other = bench.connect();
    other.send(asking("")).await;
    let _id = second.request().await;
    let mut third = bench.worker(3).await;
    drop(second);
    let _id = third.request().await;
    drop(third);
    assert_eq!(other.status().await, 502);
}

#[tokio::test(start_paused = true)]
async fn other_versions_are_told_of_13() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let old = asking("").replace("Version: 13", "Version: 8");
    client.send(format!("{old}{GET}")).await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
        "{head}"
    );
    assert!(head.contains("sec-websocket-version: 13\r\n"), "{head}");
    assert!(head.contains("upgrade: websocket\r\n"), "{head}");
    let _body = client.until("here.\n").await;
    let id = worker.request().await;
    worker.answer(id, "next").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | next");
}

#[tokio::test(start_paused = true)]
async fn key_that_is_none_is_400() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("").replace("dGhl", "")).await;
    assert_eq!(
        client.answer().await,
        "HTTP/1.1 400 Bad Request | The Sec-WebSocket-Key is not valid."
    );
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn wsgi_application_is_asked_as_always() {
    let bench = Bench::of(Interface::Wsgi, EdgeSettings::default());
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(format!("{}{GET}", asking(""))).await;
    for body in ["one", "two"] {
        let request = worker.expect(Kind::Request).await;
        assert_eq!(request.flags, 0);
        worker.answer(request.exchange.get(), body).await;
        assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {body}"));
    }
}

#[tokio::test(start_paused = true)]
async fn application_cannot_make_the_answer_malformed() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[("x", "a\r\nb")]).await;
    assert_eq!(client.status().await, 502);
    assert_eq!(worker.disconnect().await, "1006 ");
    assert_eq!(bench.floor.sockets(), 0);
}

#[tokio::test(start_paused = true)]
async fn open_websocket_takes_no_place_of_a_request() {
    let bench = bench();
    let (mut worker, _client, _id) = open(&bench).await;
    assert_eq!((bench.floor.load(), bench.floor.sockets()), ((0, 0), 1));
    let mut other = bench.connect();
    other.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "at once").await;
    assert_eq!(other.answer().await, "HTTP/1.1 200 OK | at once");
}

#[tokio::test(start_paused = true)]
async fn worker_with_fewer_websockets_is_preferred() {
    let bench = bench();
    let kind = WorkerKind {
        runs: Runs::EventLoop,
        capacity: 1,
    };
    bench.floor.describe(1, kind);
    let (_first, _client, _id) = open(&bench).await;
    let mut second = bench.worker(2).await;
    for number in 0..3 {
        let mut client = bench.connect();
        client.get("/").await;
        let id = second.request().await;
        second.answer(id, "").await;
        assert_eq!(client.status().await, 200, "{number}");
    }
}
