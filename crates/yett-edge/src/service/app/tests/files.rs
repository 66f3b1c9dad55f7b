//! Answers whose body is a file: one that came as a descriptor, or one that the application named.

use std::io::Write;
use std::path::Path;

use super::*;
use crate::settings::Sendfile;

fn temporary(content: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

#[tokio::test(start_paused = true)]
async fn range_of_a_file_is_sent_and_the_worker_is_free_at_once() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    // A client that takes nothing at first.
    let mut slow = bench.connect_with_room(100);
    slow.get("/large").await;
    let id = worker.request().await;
    let content = "0123456789".repeat(30_000);
    worker
        .file(id, &[], (temporary(content.as_bytes()), 10, 200_000))
        .await;
    let mut other = bench.connect();
    other.get("/other").await;
    let id = worker.request().await;
    worker.answer(id, "meanwhile").await;
    assert_eq!(other.answer().await, "HTTP/1.1 200 OK | meanwhile");
    let answer = slow.answer().await;
    assert_eq!(
        answer,
        format!("HTTP/1.1 200 OK | {}", &content[10..200_010])
    );
}

#[tokio::test(start_paused = true)]
async fn file_that_is_cut_while_the_kernel_sends_it_is_told_and_nothing_stands_in_its_place() {
    // The shorter one hyper has whole before it is sent.
    for (len, expected) in [
        (100_000, ["GET / 200 yett 100000"]),
        (2_000_000, ["GET / 200 yett 524288"]),
    ] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect_with_room(1000);
        client.get("/").await;
        let id = worker.request().await;
        let file = temporary(&vec![b'x'; 2_000_000]);
        let sent = file.try_clone().unwrap();
        worker.file(id, &[], (sent, 0, len)).await;
        client.head().await;
        file.set_len(50_000).unwrap();
        // What would be refused behind the answer.
        client.send("no request\r\n\r\n").await;
        let rest = client.rest().await;
        assert_eq!(rest.len(), 50_000);
        assert!(rest.bytes().all(|byte| byte == b'x'));
        drop(client);
        assert_eq!(bench.told_records().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn announced_length_bounds_the_file_and_is_never_beyond_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    for (announced, expected) in [
        ("3", "HTTP/1.1 200 OK | 234"),
        ("8", "HTTP/1.1 200 OK | 23456789"),
        (
            "9",
            "HTTP/1.1 502 Bad Gateway | The application's answer was not valid.",
        ),
    ] {
        client.get("/").await;
        let id = worker.request().await;
        let headers = [("Content-Length", announced)];
        worker
            .file(id, &headers, (temporary(b"0123456789"), 2, 8))
            .await;
        assert_eq!(client.answer().await, expected, "{announced}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_range_of_a_file_is_not_sent() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let (pipe, _writer) = rustix::pipe::pipe().unwrap();
    for (file, offset, len) in [
        (temporary(b"1234").into(), 0, 5),
        (temporary(b"1234").into(), u64::MAX, 2),
        (pipe, 0, 0),
    ] {
        client.get("/").await;
        let id = worker.request().await;
        worker.file(id, &[], (file, offset, len)).await;
        assert_eq!(client.status().await, 502);
    }
}

#[tokio::test(start_paused = true)]
async fn head_gets_the_length_of_a_file_and_none_of_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.request("HEAD", "/", "").await;
    let id = worker.request().await;
    worker.file(id, &[], (temporary(b"1234"), 1, 3)).await;
    assert_eq!(
        client.head().await,
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"
    );
    assert!(!client.has_something().await);
}

fn with_folder(folder: &Path) -> Bench {
    Bench::new(EdgeSettings {
        sendfile: vec![Sendfile {
            url: "/protected/".into(),
            folder: folder.into(),
        }],
        ..EdgeSettings::default()
    })
}

#[tokio::test(start_paused = true)]
async fn file_that_the_application_names_takes_its_bodys_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "secret").unwrap();
    let bench = with_folder(folder.path());
    let mut worker = bench.worker(1).await;
    let absolute = folder.path().join("a.txt");
    for (name, value) in [
        ("X-Accel-Redirect", "/protected/a.txt"),
        ("X-Sendfile", absolute.to_str().unwrap()),
    ] {
        let mut client = bench.connect();
        client.get("/").await;
        let id = worker.request().await;
        let headers = [
            (name, value),
            ("Content-Length", "4"),
            ("Content-Disposition", "attachment"),
            ("Set-Cookie", "a=1"),
            ("ETag", "\"mine\""),
            ("Last-Modified", "then"),
        ];
        worker.head(id, "200 OK", &headers, b"body", LAST).await;
        settle().await;
        let mut head = client.head().await;
        head.make_ascii_lowercase();
        let mut lines: Vec<_> = head.lines().filter(|line| !line.is_empty()).collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "accept-ranges: bytes",
                "content-disposition: attachment",
                "content-length: 6",
                "content-type: text/plain; charset=utf-8",
                "etag: \"mine\"",
                "http/1.1 200 ok",
                "last-modified: then",
                "set-cookie: a=1",
            ]
        );
        assert_eq!(client.until("secret").await, "secret");
    }
}

#[tokio::test(start_paused = true)]
async fn worker_that_still_sends_a_body_is_told_that_nobody_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "file").unwrap();
    let bench = with_folder(folder.path());
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    let id = worker.request().await;
    let headers = [("X-Accel-Redirect", "/protected/a")];
    worker.head(id, "200 OK", &headers, b"", 0).await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | file");
    worker.expect(Kind::Cancel).await;
}

#[tokio::test(start_paused = true)]
async fn file_outside_the_named_folders_is_not_sent_and_its_name_not_told() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("media");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(outer.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
    let secret = outer.path().join("secret");
    let failed = "HTTP/1.1 500 Internal Server Error | The application failed.";
    let missing = "HTTP/1.1 404 Not Found | There is no such file.";
    let bench = with_folder(&folder);
    let closed = self::bench();
    let mut workers = [closed.worker(1).await, bench.worker(1).await];
    for (open, headers, expected) in [
        (false, vec![("X-Accel-Redirect", "/protected/a")], failed),
        (false, vec![("X-Sendfile", "/etc/passwd")], failed),
        (true, vec![("X-Sendfile", secret.to_str().unwrap())], failed),
        (
            true,
            vec![("X-Accel-Redirect", "/protected/../secret")],
            failed,
        ),
        (true, vec![("X-Accel-Redirect", "/protected/link")], missing),
        (true, vec![("X-Accel-Redirect", "/protected/none")], missing),
        (
            true,
            vec![("X-Sendfile", "/a"), ("X-Accel-Redirect", "/b")],
            failed,
        ),
    ] {
        let worker = &mut workers[usize::from(open)];
        let mut client = if open { &bench } else { &closed }.connect();
        client.get("/").await;
        let id = worker.request().await;
        worker.head(id, "200 OK", &headers, b"", LAST).await;
        assert_eq!(client.answer().await, expected, "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn named_file_obeys_conditions_and_ranges_by_what_the_application_says_of_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "0123456789").unwrap();
    let bench = with_folder(folder.path());
    let mut worker = bench.worker(1).await;
    let named = ("X-Accel-Redirect", "/protected/a.txt");
    let tagged = [named, ("ETag", "\"mine\""), ("Cache-Control", "private")];
    let unranged = [named, ("Accept-Ranges", "none")];
    for (status, app, request, expected) in [
        (
            "200 OK",
            &tagged[..],
            "Range: bytes=2-3\r\n",
            "206 Partial Content | 23",
        ),
        (
            "200 OK",
            &tagged,
            "Range: bytes=2-3\r\nIf-Range: \"other\"\r\n",
            "200 OK | 0123456789",
        ),
        (
            "200 OK",
            &tagged,
            "Range: bytes=10-\r\n",
            "416 Range Not Satisfiable | The file has nothing of that range.",
        ),
        (
            "200 OK",
            &tagged,
            "If-Match: \"other\"\r\n",
            "412 Precondition Failed | The file is not the one that the request expects.",
        ),
        (
            "200 OK",
            &unranged,
            "Range: bytes=2-3\r\n",
            "200 OK | 0123456789",
        ),
        (
            "404 Not Found",
            &tagged,
            "Range: bytes=2-3\r\nIf-None-Match: \"mine\"\r\n",
            "404 Not Found | 0123456789",
        ),
    ] {
        let mut client = bench.connect();
        client.request("GET", "/", request).await;
        let id = worker.request().await;
        worker.head(id, status, app, b"", LAST).await;
        assert_eq!(
            client.answer().await,
            format!("HTTP/1.1 {expected}"),
            "{request}"
        );
    }
    let mut client = bench.connect();
    client
        .request("GET", "/", "If-None-Match: \"mine\"\r\n")
        .await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &tagged, b"", LAST).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{head}");
    assert!(head.contains("cache-control: private\r\n"), "{head}");
    assert!(!head.contains("content-"), "{head}");
    assert!(!client.has_something().await);
}
