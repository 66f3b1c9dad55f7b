//! What is done to the application's answers, and which of them cannot be sent.

use super::*;

type Headers = &'static [(&'static str, &'static str)];

/// The raw answer to one request on a connection that closes then.
async fn raw(request: &str, status: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(format!("{request}\r\nHost: x\r\n\r\n")).await;
    let id = worker.request().await;
    worker.head(id, status, headers, body, LAST).await;
    settle().await;
    bench.stop();
    let answer = client.rest().await;
    assert_eq!(bench.records().await.len(), 1);
    answer
}

async fn check(request: &str, status: &str, headers: &[(&str, &str)], body: &str, expected: &str) {
    let raw = raw(
        &format!("{request} / HTTP/1.1"),
        status,
        headers,
        body.as_bytes(),
    )
    .await;
    assert_eq!(
        raw.replace("\r\n", "\n"),
        expected,
        "{request} {status} {headers:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn answers_are_framed_by_method_and_status() {
    let length = [("Content-Length", "4")];
    check(
        "GET",
        "200 OK",
        &length,
        "body",
        "HTTP/1.1 200 OK\ncontent-length: 4\n\nbody",
    )
    .await;
    check(
        "GET",
        "200 OK",
        &[],
        "body",
        "HTTP/1.1 200 OK\ncontent-length: 4\n\nbody",
    )
    .await;
    check(
        "GET",
        "200 OK",
        &[],
        "",
        "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    )
    .await;
    check(
        "HEAD",
        "200 OK",
        &length,
        "",
        "HTTP/1.1 200 OK\ncontent-length: 4\n\n",
    )
    .await;
    check(
        "HEAD",
        "200 OK",
        &length,
        "body",
        "HTTP/1.1 200 OK\ncontent-length: 4\n\n",
    )
    .await;
    check(
        "HEAD",
        "200 OK",
        &length,
        "bo",
        "HTTP/1.1 200 OK\ncontent-length: 4\n\n",
    )
    .await;
    check("HEAD", "200 OK", &[], "", "HTTP/1.1 200 OK\n\n").await;
    check(
        "GET",
        "204 No Content",
        &length,
        "body",
        "HTTP/1.1 204 No Content\n\n",
    )
    .await;
    check(
        "GET",
        "204 No Content",
        &[],
        "",
        "HTTP/1.1 204 No Content\n\n",
    )
    .await;
    check(
        "GET",
        "304 Not Modified",
        &[("ETag", "e")],
        "body",
        "HTTP/1.1 304 Not Modified\netag: e\n\n",
    )
    .await;
    check(
        "GET",
        "304 Not Modified",
        &length,
        "no",
        "HTTP/1.1 304 Not Modified\n\n",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn fields_of_the_connection_are_not_the_applications() {
    let headers = [
        ("Connection", "close, X-Other"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "close"),
        ("TE", "trailers"),
        ("Trailer", "X-T"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "websocket"),
        ("X-Kept", "yes"),
    ];
    check(
        "GET",
        "200 OK",
        &headers,
        "b",
        "HTTP/1.1 200 OK\nx-kept: yes\ncontent-length: 1\n\nb",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn repeated_and_foreign_values_are_kept() {
    let headers = [
        ("Set-Cookie", "a=1"),
        ("X-Latin", "\u{e9}"),
        ("Set-Cookie", "b=2"),
        ("Date", "today"),
    ];
    let answer = raw("GET / HTTP/1.1", "200 OK", &headers, b"").await;
    let expected = "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-latin: \u{e9}\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(answer, expected);
}

#[tokio::test(start_paused = true)]
async fn reason_is_kept_where_it_is_one() {
    check(
        "GET",
        "404 Gone Fishing",
        &[],
        "",
        "HTTP/1.1 404 Gone Fishing\ncontent-length: 0\n\n",
    )
    .await;
    check(
        "GET",
        "404",
        &[],
        "",
        "HTTP/1.1 404 Not Found\ncontent-length: 0\n\n",
    )
    .await;
    check(
        "GET",
        "404 a\r\nB: c",
        &[],
        "",
        "HTTP/1.1 404 Not Found\ncontent-length: 0\n\n",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn answer_that_http_does_not_allow_is_a_502() {
    let cases: &[(&str, Headers, &str)] = &[
        ("200", &[("X A", "1")], "a blank in a name"),
        ("200", &[("", "1")], "an empty name"),
        ("200", &[("X\u{e9}", "1")], "a foreign letter in a name"),
        ("200", &[("X-A", "1\r\nX-B: 2")], "a line end in a value"),
        ("200", &[("X-A", "1\n")], "a bare line feed in a value"),
        ("200", &[("X-A", "\0")], "a NUL in a value"),
        ("0", &[], "status 0"),
        ("99", &[], "status 99"),
        ("100", &[], "status 100"),
        ("101", &[], "status 101"),
        ("103", &[], "status 103"),
        ("1000", &[], "status 1000"),
        (
            "200",
            &[("Content-Length", "3")],
            "a length below the body's",
        ),
        (
            "200",
            &[("Content-Length", "5")],
            "a length above the body's",
        ),
        ("200", &[("Content-Length", "four")], "a length in words"),
        ("200", &[("Content-Length", "+4")], "a length with a sign"),
        ("200", &[("Content-Length", "")], "an empty length"),
        (
            "200",
            &[("Content-Length", "99999999999999999999")],
            "a length beyond numbers",
        ),
        (
            "200",
            &[("Content-Length", "4"), ("Content-Length", "4")],
            "two lengths",
        ),
    ];
    let expected = "HTTP/1.1 502 Bad Gateway | The application's answer was not valid.";
    for (status, headers, name) in cases {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client.get("/").await;
        let id = worker.request().await;
        worker.head(id, status, headers, b"body", LAST).await;
        assert_eq!(client.answer().await, expected, "{name}");
        // The connection goes on.
        client.get("/").await;
        let id = worker.request().await;
        worker.answer(id, "fine").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | fine", "{name}");
        drop(client);
        assert_eq!(
            bench.told_records().await,
            ["GET / 502 app 40", "GET / 200 - 4"],
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn streamed_answer_that_cannot_be_sent_is_cancelled() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    let id = worker.request().await;
    worker.head(id, "99", &[], b"", 0).await;
    assert_eq!(client.status().await, 502);
    worker.expect(Kind::Cancel).await;
}

#[tokio::test(start_paused = true)]
async fn streamed_answer_is_chunked_and_for_http_1_0_ends_with_the_connection() {
    for (version, expected) in [
        (
            "1.1",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
        ),
        ("1.0", "HTTP/1.0 200 OK\r\n\r\nonetwo"),
    ] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client
            .send(format!("GET / HTTP/{version}\r\nHost: x\r\n\r\n"))
            .await;
        let id = worker.request().await;
        worker.head(id, "200 OK", &[], b"one", 0).await;
        settle().await;
        worker.chunk(id, b"two", 0).await;
        settle().await;
        worker.chunk(id, b"", LAST).await;
        settle().await;
        bench.stop();
        assert_eq!(client.rest().await, expected);
        assert_eq!(bench.told_records().await, ["GET / 200 - 6"]);
    }
}

#[tokio::test(start_paused = true)]
async fn streamed_answer_keeps_to_its_length() {
    // What the client gets of a body that was announced with six bytes.
    for (pieces, expected) in [
        (["abc", "def"], "abcdef"),
        (["abc", "defg"], "abcdef"),
        (["abc", ""], "abc"),
    ] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client.get("/").await;
        let id = worker.request().await;
        worker
            .head(id, "200 OK", &[("Content-Length", "6")], b"", 0)
            .await;
        for (piece, flags) in pieces.iter().zip([0, LAST]) {
            worker.chunk(id, piece.as_bytes(), flags).await;
            settle().await;
        }
        bench.stop();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n";
        assert_eq!(client.rest().await, format!("{head}{expected}"));
        assert_eq!(bench.records().await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn streamed_body_that_nobody_may_see_is_cancelled() {
    for (method, status, length) in [
        ("HEAD", "200 OK", "content-length: 9\r\n"),
        // RFC 9110 section 8.6: none with a 204.
        ("GET", "204 No Content", ""),
        ("GET", "304 Not Modified", "content-length: 9\r\n"),
    ] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client.request(method, "/", "").await;
        let id = worker.request().await;
        let headers = [("Content-Length", "9")];
        worker.head(id, status, &headers, b"first", 0).await;
        let head = client.head().await;
        assert_eq!(
            head,
            format!("HTTP/1.1 {status}\r\n{length}\r\n"),
            "{method}"
        );
        worker.expect(Kind::Cancel).await;
        worker.send(Kind::Failed, 0, id, b"").await;
        // Nothing of the body stands before the next answer.
        client.get("/").await;
        let id = worker.request().await;
        worker.answer(id, "next").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | next");
    }
}
