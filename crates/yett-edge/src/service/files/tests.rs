//! The file service in memory: real files, requests over duplex streams.

mod keeping;

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;
use crate::mount::{Freshness, Place, Readers};
use crate::settings::EdgeSettings;
use crate::testing::{Bench, Client};

/// The second of [`CHANGED`].
const SECOND: u64 = 784_111_777;
const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Writes a file that was changed long ago.
fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    date(&path, SECOND);
}

fn date(path: &Path, second: u64) {
    let file = fs::File::open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(second))
        .unwrap();
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.txt", "0123456789".repeat(20));
    put(folder.path(), "css/a.css", "body {}");
    folder
}

fn serving(mount: Mount) -> Bench {
    Bench::with_mount(EdgeSettings::default(), "/static/", mount)
}

async fn asked(bench: &Bench, method: &str, target: &str, headers: &str) -> Client {
    let mut client = bench.connect();
    client.request(method, target, headers).await;
    client
}

/// Status line and body.
async fn answer(bench: &Bench, target: &str, headers: &str) -> String {
    let answer = asked(bench, "GET", target, headers).await.answer().await;
    answer.strip_prefix("HTTP/1.1 ").unwrap().to_owned()
}

/// Status line and headers, sorted, with one of them or without.
async fn head(bench: &Bench, method: &str, target: &str, headers: &str) -> Vec<String> {
    let head = asked(bench, method, target, headers).await.head().await;
    let lines = head.trim_end().lines().map(str::to_owned);
    let mut lines: Vec<String> = lines.collect();
    lines[1..].sort_unstable();
    lines
}

fn field<'h>(head: &'h [String], name: &str) -> Option<&'h str> {
    let name = format!("{name}: ");
    head.iter().find_map(|line| line.strip_prefix(&name))
}

const MISSING: &str = "404 Not Found | There is no such file.";

#[tokio::test(start_paused = true)]
async fn file_comes_with_all_that_a_client_may_keep_it_by() {
    let folder = folder();
    let bench = serving(Mount::new(folder.path().into()));
    let first = head(&bench, "GET", "/static/css/a.css", "").await;
    assert_eq!(
        first,
        [
            "HTTP/1.1 200 OK",
            "accept-ranges: bytes",
            "cache-control: public, max-age=60",
            "content-length: 7",
            "content-type: text/css; charset=utf-8",
            "etag: \"YjaKGiklmzC6wjXA513HAA\"",
            "last-modified: Sun, 06 Nov 1994 08:49:37 GMT",
            "x-content-type-options: nosniff",
        ]
    );
    // The second comes from memory, and a HEAD is answered alike.
    assert_eq!(head(&bench, "GET", "/static/css/a.css", "").await, first);
    assert_eq!(head(&bench, "HEAD", "/static/css/a.css", "").await, first);
    let mut client = asked(&bench, "HEAD", "/static/css/a.css", "").await;
    client.head().await;
    assert!(!client.has_something().await);
    assert_eq!(
        answer(&bench, "/static/css/a.css", "").await,
        "200 OK | body {}"
    );
}

#[tokio::test(start_paused = true)]
async fn only_plain_names_of_regular_files_are_served() {
    let folder = folder();
    let path = folder.path();
    put(path, ".env", "SECRET");
    put(path, ".git/config", "secret");
    put(path, "css/.hidden/a", "secret");
    put(path, ".well-known/security.txt", "Contact");
    put(path, "sp ace/ü.txt", "umlaut");
    std::os::unix::fs::symlink("/etc/passwd", path.join("link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let bench = serving(Mount::new(path.into()));
    for target in [
        "/static/",
        "/static/css",
        "/static/css/",
        "/static/css/a.css/",
        "/static/css//a.css",
        "/static/css%5Ca.css",
        "/static/.env",
        "/static/%2eenv",
        "/static/.git/config",
        "/static/css/.hidden/a",
        "/static/link",
        "/static/pipe",
        "/static/none",
        "/static/A.TXT",
    ] {
        assert_eq!(answer(&bench, target, "").await, MISSING, "{target}");
    }
    for target in [
        "/static/../secret",
        "/static/..%2fsecret",
        "/static/a%00.txt",
        "/static/%zz",
    ] {
        let answer = answer(&bench, target, "").await;
        assert!(answer.starts_with("400 "), "{target}: {answer}");
    }
    assert_eq!(
        answer(&bench, "/static/.well-known/security.txt", "").await,
        "200 OK | Contact"
    );
    assert_eq!(
        answer(&bench, "/static/sp%20ace/%C3%BC.txt?v=1", "").await,
        "200 OK | umlaut"
    );
    let refused = head(&bench, "POST", "/static/css/a.css", "Content-Length: 0\r\n").await;
    assert_eq!(refused[0], "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(field(&refused, "allow"), Some("GET, HEAD"));
}

#[tokio::test(start_paused = true)]
async fn list_of_names_is_not_there_and_others_of_its_name_are() {
    let folder = folder();
    put(folder.path(), "staticfiles.json", "{}");
    put(folder.path(), "css/staticfiles.json", "{}");
    let mut mount = Mount::new(folder.path().to_owned());
    mount.hidden = Some(b"staticfiles.json".as_slice().into());
    let bench = serving(mount);
    for target in ["/static/staticfiles.json", "/static/%73taticfiles.json"] {
        let answered = answer(&bench, target, "").await;
        assert!(answered.starts_with("404 "), "{answered}");
    }
    let answered = answer(&bench, "/static/css/staticfiles.json", "").await;
    assert!(answered.starts_with("200 "), "{answered}");
}

#[tokio::test(start_paused = true)]
async fn copy_that_is_still_good_is_not_sent_again() {
    let folder = folder();
    let bench = serving(Mount::new(folder.path().into()));
    let whole = head(&bench, "GET", "/static/a.txt", "").await;
    let etag = field(&whole, "etag").unwrap();
    for condition in [
        format!("If-None-Match: {etag}\r\n"),
        format!("If-Modified-Since: {CHANGED}\r\n"),
    ] {
        for method in ["GET", "HEAD"] {
            let mut client = asked(&bench, method, "/static/a.txt", &condition).await;
            let head = client.head().await;
            let mut lines: Vec<_> = head.trim_end().lines().collect();
            lines[1..].sort_unstable();
            assert_eq!(
                lines,
                [
                    "HTTP/1.1 304 Not Modified",
                    "cache-control: public, max-age=60",
                    &format!("etag: {etag}"),
                    &format!("last-modified: {CHANGED}"),
                    "x-content-type-options: nosniff",
                ]
            );
            assert!(!client.has_something().await);
        }
    }
    assert_eq!(
        answer(&bench, "/static/a.txt", "If-Match: \"other\"\r\n").await,
        "412 Precondition Failed | The file is not the one that the request expects."
    );
}

#[tokio::test(start_paused = true)]
async fn ranges_are_sent_as_one_part_or_as_several() {
    let folder = folder();
    // Too large to be kept in memory, so that both ways of reading are seen.
    let large: Vec<u8> = (0..3_000_000_u32)
        .map(|at| b'a' + (at % 23) as u8)
        .collect();
    put(folder.path(), "large.bin", &large);
    let bench = serving(Mount::new(folder.path().into()));
    let small = "0123456789".repeat(20);
    for (target, content) in [
        ("/static/a.txt", small.as_bytes()),
        ("/static/large.bin", &large[..]),
    ] {
        let len = content.len();
        let mut client = asked(&bench, "GET", target, "Range: bytes=-7\r\n").await;
        let head = client.head().await;
        assert!(
            head.starts_with("HTTP/1.1 206 Partial Content\r\n"),
            "{head}"
        );
        let range = format!("content-range: bytes {}-{}/{len}\r\n", len - 7, len - 1);
        assert!(head.contains(&range), "{head}");
        assert!(head.contains("content-length: 7\r\n"), "{head}");
        assert_eq!(client.bytes(7).await, content[len - 7..]);

        let mut client = asked(&bench, "GET", target, "Range: bytes=150-151, 0-1\r\n").await;
        let head = client.head().await;
        let boundary = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: multipart/byteranges; boundary="))
            .unwrap();
        let kind = if len == 200 {
            "text/plain; charset=utf-8"
        } else {
            "application/octet-stream"
        };
        let text = |from: usize, to: usize| std::str::from_utf8(&content[from..to]).unwrap();
        let body = format!(
            "--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes 150-151/{len}\r\n\r\n{}\r\n\
             --{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes 0-1/{len}\r\n\r\n{}\r\n\
             --{boundary}--\r\n",
            text(150, 152),
            text(0, 2),
        );
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{head}");
        assert!(!head.contains("content-range"), "{head}");
        assert_eq!(client.bytes(body.len()).await, body.as_bytes());
        assert!(!client.has_something().await);

        let outside = self::head(&bench, "GET", target, &format!("Range: bytes={len}-\r\n")).await;
        assert_eq!(outside[0], "HTTP/1.1 416 Range Not Satisfiable");
        assert_eq!(
            field(&outside, "content-range"),
            Some(&*format!("bytes */{len}"))
        );
    }
    let mut client = asked(&bench, "GET", "/static/large.bin", "").await;
    client.head().await;
    assert!(client.bytes(large.len()).await == large);
}

#[tokio::test(start_paused = true)]
async fn more_ranges_than_are_read_get_the_whole_file_and_are_counted() {
    let folder = folder();
    let bench = serving(Mount::new(folder.path().into()));
    let ranges = |count: usize| format!("Range: bytes={}\r\n", vec!["0-1"; count].join(","));
    assert_eq!(
        answer(&bench, "/static/a.txt", &ranges(range::MOST)).await,
        "206 Partial Content | 01"
    );
    assert_eq!(bench.met(Limit::Ranges), 0);
    let many = answer(&bench, "/static/a.txt", &ranges(range::MOST + 1)).await;
    assert!(many.starts_with("200 OK | 0123"), "{many}");
    assert_eq!(bench.met(Limit::Ranges), 1);
}

#[tokio::test(start_paused = true)]
async fn compressed_form_is_sent_to_who_takes_it_unless_it_is_out_of_date() {
    let folder = folder();
    let path = folder.path();
    put(path, "a.js", "plain and long enough");
    put(path, "a.js.br", "brotli");
    put(path, "a.js.gz", "gzip");
    put(path, "old.js", "plain and long enough");
    put(path, "old.js.gz", "gzip");
    date(&path.join("old.js.gz"), SECOND - 1);
    put(path, "tiny.js", "a");
    put(path, "tiny.js.gz", "longer");
    let bench = serving(Mount::new(path.into()));
    let mut tags = std::collections::BTreeSet::new();
    for (accept, body, coding) in [
        ("", "plain and long enough", None),
        (
            "Accept-Encoding: deflate\r\n",
            "plain and long enough",
            None,
        ),
        ("Accept-Encoding: gzip, br\r\n", "brotli", Some("br")),
        ("Accept-Encoding: gzip\r\n", "gzip", Some("gzip")),
        (
            "Accept-Encoding: zstd, gzip;q=0.1\r\n",
            "gzip",
            Some("gzip"),
        ),
    ] {
        let head = head(&bench, "GET", "/static/a.js", accept).await;
        assert_eq!(field(&head, "content-encoding"), coding, "{accept}");
        assert_eq!(field(&head, "vary"), Some("Accept-Encoding"), "{accept}");
        assert_eq!(
            field(&head, "content-type"),
            Some("text/javascript; charset=utf-8")
        );
        let length = body.len().to_string();
        assert_eq!(field(&head, "content-length"), Some(&*length), "{accept}");
        tags.insert(field(&head, "etag").unwrap().to_owned());
        let answer = answer(&bench, "/static/a.js", accept).await;
        assert_eq!(answer, format!("200 OK | {body}"), "{accept}");
    }
    assert_eq!(tags.len(), 3, "{tags:?}");
    for target in ["/static/old.js", "/static/tiny.js"] {
        let head = head(&bench, "GET", target, "Accept-Encoding: gzip\r\n").await;
        assert_eq!(field(&head, "content-encoding"), None, "{target}");
        assert_eq!(field(&head, "vary"), None, "{target}");
    }
    // A part of what the client takes, not of the plain file.
    let part = "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n";
    assert_eq!(
        answer(&bench, "/static/a.js", part).await,
        "206 Partial Content | zi"
    );
}

#[tokio::test(start_paused = true)]
async fn name_that_says_its_content_is_kept_for_ever_and_others_as_the_settings_say() {
    let folder = folder();
    let path = folder.path();
    for name in ["a.0123456789ab.css", "b.0123456789ab.css", "page.html"] {
        put(path, name, "x");
    }
    let mut mount = Mount::new(path.into());
    mount.hashed.insert(b"a.0123456789ab.css".as_slice().into());
    mount.freshness = Freshness::For(Duration::from_secs(600));
    mount.readers = Readers::AnyOrigin;
    let bench = serving(mount);
    for (name, expected) in [
        ("a.0123456789ab.css", "public, max-age=31536000, immutable"),
        // It looks like one, but nobody said so.
        ("b.0123456789ab.css", "public, max-age=600"),
        ("a.txt", "public, max-age=600"),
        ("page.html", "no-cache"),
    ] {
        let head = head(&bench, "GET", &format!("/static/{name}"), "").await;
        assert_eq!(field(&head, "cache-control"), Some(expected), "{name}");
        assert_eq!(field(&head, "access-control-allow-origin"), Some("*"));
    }
    for (freshness, hashed, plain) in [
        (Freshness::Ask, Some("no-cache"), Some("no-cache")),
        (
            Freshness::Unsaid,
            Some("public, max-age=31536000, immutable"),
            None,
        ),
    ] {
        let mut mount = Mount::new(path.into());
        mount.hashed.insert(b"a.0123456789ab.css".as_slice().into());
        mount.freshness = freshness;
        let bench = serving(mount);
        for (name, expected) in [("a.0123456789ab.css", hashed), ("a.txt", plain)] {
            let head = head(&bench, "GET", &format!("/static/{name}"), "").await;
            assert_eq!(field(&head, "cache-control"), expected, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn index_stands_for_its_folder_and_a_page_for_what_the_browser_routes() {
    let folder = folder();
    put(folder.path(), "index.html", "home");
    put(folder.path(), "docs/index.html", "docs");
    let mut mount = Mount::new(folder.path().into());
    mount.index = Some("index.html".into());
    mount.absent = Absent::Page("index.html".into());
    let bench = serving(mount);
    for (target, expected) in [
        ("/static/", "200 OK | home"),
        ("/static/docs/", "200 OK | docs"),
        ("/static/users/7", "200 OK | home"),
        ("/static/users/", "200 OK | home"),
        ("/static/css/", "200 OK | home"),
        ("/static/none.js", MISSING),
        ("/static/.env", MISSING),
    ] {
        assert_eq!(answer(&bench, target, "").await, expected, "{target}");
    }
    let moved = head(&bench, "GET", "/static/docs?a=%2F", "").await;
    assert_eq!(moved[0], "HTTP/1.1 301 Moved Permanently");
    assert_eq!(field(&moved, "location"), Some("/static/docs/?a=%2F"));
    let page = head(&bench, "GET", "/static/users/7", "").await;
    assert_eq!(field(&page, "cache-control"), Some("no-cache"));
}

#[tokio::test(start_paused = true)]
async fn places_are_looked_in_in_order_and_the_application_may_know_more() {
    let first = folder();
    let second = folder();
    put(second.path(), "a.txt", "never");
    put(second.path(), "only.txt", "second");
    put(second.path(), "v.txt", "prefixed");
    let mut mount = Mount::new(first.path().into());
    mount.places = vec![
        Place::all(first.path().into()),
        Place {
            folder: second.path().into(),
            prefix: "vendor/".into(),
        },
        Place::all(second.path().into()),
    ];
    mount.absent = Absent::App;
    let bench = serving(mount);
    let small = "0123456789".repeat(20);
    for (target, expected) in [
        ("/static/a.txt", &*small),
        ("/static/only.txt", "second"),
        ("/static/vendor/v.txt", "prefixed"),
    ] {
        let expected = format!("200 OK | {expected}");
        assert_eq!(answer(&bench, target, "").await, expected, "{target}");
    }
    let mut worker = bench.worker(1).await;
    for (method, target) in [("GET", "/static/none"), ("POST", "/static/a.txt")] {
        let mut client = asked(&bench, method, target, "").await;
        let id = worker.request().await;
        worker.answer(id, "of the app").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | of the app");
    }
}
