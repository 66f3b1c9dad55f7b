//! What holds for every answer, whichever service gives it, and how a request gets from one to
//! another.

use yett_gate::{GateSettings, MountSettings};
use yett_jwt::SigningKey;
use yett_link::frame::Kind;
use yett_link::request::RequestView;

use crate::mount::{Absent, Mount};
use crate::respond::SecurityHeaders;
use crate::ruling::Interface;
use crate::settings::EdgeSettings;
use crate::testing::h2_client::{H2Client, crowded};
use crate::testing::{Bench, GUARDED};

/// That of the project.
const KEY: &[u8] = b"thirty-two bytes of secret, or more";
const CLAIMS: &[u8] = br#"{"token_type":"access","exp":4102444800,"jti":"1","user_id":"42"}"#;

fn gate() -> GateSettings {
    GateSettings::from_manifest(GUARDED.as_bytes()).unwrap()
}

/// Files below a prefix, which leave to the application what they do not have.
fn with_files(prefix: &str, absent: Absent) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "file").unwrap();
    let mut mount = Mount::new(folder.path().into());
    mount.absent = absent;
    let mut gate = gate();
    gate.mounts.push(MountSettings {
        prefix: prefix.to_owned(),
    });
    let bench = Bench::with(Interface::Wsgi, EdgeSettings::default(), gate, vec![mount]);
    (folder, bench)
}

#[tokio::test(start_paused = true)]
async fn what_files_leave_to_the_application_passes_its_guard() {
    let (_folder, bench) = with_files("/", Absent::App);
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/a.txt").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | file");

    client.get("/api/").await;
    assert_eq!(client.answer().await, "HTTP/1.1 401 Unauthorized | who?");
    assert!(worker.hears_nothing().await);

    let key = SigningKey::hs256(KEY).unwrap();
    let token = key.sign(CLAIMS).unwrap();
    let authorization = format!("Authorization: Bearer {token}\r\n");
    for method in ["GET", "DELETE"] {
        client.request(method, "/api/", &authorization).await;
        let frame = worker.expect(Kind::Request).await;
        assert!(worker.begin(frame.exchange.get()).await);
        let view = RequestView::parse(&frame.payload).unwrap();
        let identity = view.line.identity.unwrap();
        assert_eq!((identity.token, identity.claims_json), (&*token, CLAIMS));
        worker.answer(frame.exchange.get(), "ok").await;
        assert_eq!(client.answer().await, "HTTP/1.1 200 OK | ok");
    }
    drop(client);
    let records = bench.records().await;
    let routes: Vec<_> = records.iter().map(|record| &record["route"]).collect();
    assert_eq!(routes, ["/", "/api/", "/api/", "/api/"]);
}

/// The head of the answer to a request with a body that does not come, and whether the connection
/// has ended behind it.
async fn unread(bench: &Bench, method: &str, target: &str, framing: &str) -> (String, bool) {
    let mut client = bench.connect();
    client.request(method, target, framing).await;
    let head = client.head().await;
    client.rest().await;
    (head, client.has_ended().await)
}

#[tokio::test(start_paused = true)]
async fn answer_that_leaves_a_body_unread_says_that_the_connection_ends() {
    let full = EdgeSettings {
        max_queue: 0,
        ..EdgeSettings::default()
    };
    let (_folder, files) = with_files("/static/", Absent::NotFound);
    for (bench, method, target, status) in [
        (&files, "GET", "/static/a.txt", "200 OK"),
        (&files, "POST", "/static/a.txt", "405 Method Not Allowed"),
        (&files, "POST", "/api/", "401 Unauthorized"),
        (&files, "OPTIONS", "*", "200 OK"),
        (
            &Bench::new(EdgeSettings::default()).redirecting(443),
            "POST",
            "/",
            "308 Permanent Redirect",
        ),
        (
            &Bench::of(Interface::Asgi, full),
            "POST",
            "/",
            "503 Service Unavailable",
        ),
    ] {
        for framing in [
            "Content-Length: 70000\r\n",
            "Transfer-Encoding: chunked\r\n",
        ] {
            let (head, ended) = unread(bench, method, target, framing).await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{head}"
            );
            assert!(head.contains("connection: close\r\n"), "{target} {head}");
            assert!(ended, "{target}");
        }
        let mut client = bench.connect();
        client
            .request(method, target, "Content-Length: 0\r\n")
            .await;
        let head = client.head().await;
        assert!(!head.contains("connection:"), "{target} {head}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_turn_away_have_the_security_headers_too() {
    let settings = EdgeSettings {
        security_headers: SecurityHeaders::All,
        max_headers: 5,
        ..EdgeSettings::default()
    };
    let bench = Bench::new(settings.clone());
    let mut client = H2Client::new(bench.connect_raw()).await;
    let arriving = client.send(crowded(10), true).await;
    let answer = arriving.head().await;
    assert_eq!(answer.status(), 431);
    assert_eq!(answer.headers()["referrer-policy"], "same-origin");

    for (bench, target) in [
        (Bench::new(settings.clone()), "/../"),
        // No request at all.
        (Bench::new(settings.clone()), "/ HTTP/9.9 "),
        (Bench::new(settings).redirecting(443), "/"),
    ] {
        let mut client = bench.connect();
        client.get(target).await;
        let head = client.head().await;
        assert!(head.contains("referrer-policy: same-origin\r\n"), "{head}");
    }
}
