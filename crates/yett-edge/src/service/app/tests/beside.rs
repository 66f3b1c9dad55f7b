//! Early hints before an answer, and fields behind it.

use super::*;

const HINT: [(&str, &str); 2] = [("Link", "</a.css>; rel=preload"), ("Connection", "close")];
const HINTED: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn early_hints_come_before_the_answer() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    let id = worker.request().await;
    for _ in 0..2 {
        worker.fields(Kind::Hints, id, &HINT).await;
        assert_eq!(client.head().await, HINTED);
    }
    worker.answer(id, "done").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | done");
}

#[tokio::test(start_paused = true)]
async fn hint_that_comes_with_its_answer_stands_before_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    for _ in 0..3 {
        client.get("/").await;
        let id = worker.request().await;
        settle().await;
        // Both are there before the edge looks.
        worker.fields(Kind::Hints, id, &HINT).await;
        worker.answer(id, "done").await;
        assert_eq!(client.head().await, HINTED);
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | done");
    }
}

#[tokio::test(start_paused = true)]
async fn hints_never_stand_inside_an_answer() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(40);
    client
        .send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    let id = worker.request().await;
    worker.answer(id, &"x".repeat(500)).await;
    // Behind its answer a request gets no hint any more, and the next one has not come.
    worker.fields(Kind::Hints, id, &HINT).await;
    settle().await;
    assert_eq!(
        client.answer().await,
        format!("HTTP/1.1 200 OK | {}", "x".repeat(500))
    );
    let id = worker.request().await;
    worker.fields(Kind::Hints, id, &HINT).await;
    assert_eq!(client.head().await, HINTED);
    worker.head(id, "200 OK", &[], b"a", 0).await;
    settle().await;
    worker.fields(Kind::Hints, id, &HINT).await;
    worker.chunk(id, b"b", LAST).await;
    client.head().await;
    assert_eq!(
        client.until("0\r\n\r\n").await,
        "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    );
}

#[tokio::test(start_paused = true)]
async fn hints_are_dropped_for_who_does_not_know_them_and_when_they_cannot_be_sent() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send("GET / HTTP/1.0\r\nHost: x\r\n\r\n").await;
    let id = worker.request().await;
    worker.fields(Kind::Hints, id, &HINT).await;
    worker.answer(id, "old").await;
    assert_eq!(client.answer().await, "HTTP/1.0 200 OK | old");
    let mut client = bench.connect();
    client.get("/").await;
    let id = worker.request().await;
    let long = "x".repeat(20_000);
    for bad in [("Link", "a\r\nb"), ("", "a"), ("Link", long.as_str())] {
        worker.fields(Kind::Hints, id, &[bad]).await;
    }
    worker.answer(id, "done").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | done");
}

async fn trailed(request: &str, headers: &[(&str, &str)]) -> String {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(request).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", headers, b"", 0).await;
    worker.chunk(id, b"body", 0).await;
    let fields = [("X-Sum", "1"), ("X-Unannounced", "2")];
    worker.fields(Kind::Trailers, id, &fields).await;
    settle().await;
    // The place is free: trailers end the exchange.
    let mut other = bench.connect();
    other.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "next").await;
    bench.stop();
    client.rest().await
}

#[tokio::test(start_paused = true)]
async fn trailers_reach_who_asked_for_them() {
    let announced = [("Trailer", "X-Sum")];
    assert_eq!(
        trailed(
            "GET / HTTP/1.1\r\nHost: x\r\nTE: Trailers\r\n\r\n",
            &announced
        )
        .await,
        "HTTP/1.1 200 OK\r\ntrailer: X-Sum\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n"
    );
}

#[tokio::test(start_paused = true)]
async fn trailers_are_dropped_where_they_cannot_be_sent() {
    let announced = [("Trailer", "X-Sum")];
    assert_eq!(
        trailed("GET / HTTP/1.1\r\nHost: x\r\n\r\n", &announced).await,
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    );
    let with_length = [("Trailer", "X-Sum"), ("Content-Length", "4")];
    assert_eq!(
        trailed(
            "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n",
            &with_length
        )
        .await,
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
    );
}
