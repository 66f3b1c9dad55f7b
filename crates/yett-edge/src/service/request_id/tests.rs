//! Claims about requests' ids: who may give one, and where it stands.

use serde_json::Value;
use yett_gate::{GateSettings, HeadRules, MountSettings, RequestIdHeader};
use yett_link::frame::{Frame, Kind, LAST};
use yett_link::names;
use yett_link::request::{Name, RequestView};

use crate::mount::Mount;
use crate::ruling::Interface;
use crate::settings::EdgeSettings;
use crate::testing::h2_client::{H2Client, crowded};
use crate::testing::socket::asking;
use crate::testing::{Bench, FakeWorker, GUARDED, PANICS};

fn settings(trust: &[&str]) -> EdgeSettings {
    let mut head = HeadRules {
        request_id: Some(RequestIdHeader::default()),
        ..HeadRules::default()
    };
    for word in trust {
        head.proxies.add(word).unwrap();
    }
    EdgeSettings {
        head,
        max_headers: 8,
        ..EdgeSettings::default()
    }
}

/// The ids in an answer's head, one after the other.
fn ids(head: &str) -> String {
    let lines = head.lines();
    let ids = lines.filter_map(|line| line.strip_prefix("x-request-id: "));
    ids.collect::<Vec<_>>().join(" ")
}

fn is_made_here(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Answers the next request with these headers, and says which ids it had.
async fn work(worker: &mut FakeWorker, headers: &[(&str, &str)]) -> String {
    let frame = worker.expect(Kind::Request).await;
    assert!(worker.begin(frame.exchange.get()).await);
    let id = frame.exchange.get();
    worker.head(id, "204 No Content", headers, b"", LAST).await;
    handed(&frame)
}

/// The ids in a request's headers, one after the other.
fn handed(request: &Frame) -> String {
    let view = RequestView::parse(&request.payload).unwrap();
    let ids = view.headers().filter_map(|(name, value)| {
        let name = match name {
            Name::Common(number) => names::name(number).unwrap(),
            Name::Text(name) => name,
        };
        let is_id = name.replace('_', "-") == "x-request-id";
        is_id.then(|| String::from_utf8(value.to_vec()).unwrap())
    });
    ids.collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn application_client_and_log_know_a_request_by_one_id() {
    let bench = Bench::new(settings(&[]));
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let mut seen = Vec::new();
    for _ in 0..2 {
        client.get("/").await;
        let id = work(&mut worker, &[]).await;
        assert!(is_made_here(&id), "{id}");
        assert_eq!(ids(&client.head().await), id);
        seen.push(id);
    }
    assert_ne!(seen[0], seen[1]);
    drop(client);
    assert_eq!(logged(bench).await, seen);
}

async fn logged(bench: Bench) -> Vec<String> {
    let records = bench.records().await;
    let id = |record: &Value| record["request_id"].as_str().unwrap_or("-").to_owned();
    records.iter().map(id).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_stranger_says_in_the_ids_place_is_gone() {
    let bench = Bench::new(settings(&["10.0.0.0/8"]));
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    for said in [
        "X-Request-ID: forged\r\n",
        "x-request-id: forged\r\nX-Request-Id: twice\r\n",
        "X_Request_ID: forged\r\n",
        "Connection: X-Request-ID\r\nX-Request-ID: forged\r\n",
    ] {
        client.request("GET", "/", said).await;
        let id = work(&mut worker, &[]).await;
        assert!(is_made_here(&id), "{said} {id}");
        assert_eq!(ids(&client.head().await), id);
    }
}

#[tokio::test(start_paused = true)]
async fn id_of_a_trusted_proxy_goes_on() {
    let bench = Bench::new(settings(&["192.0.2.1"]));
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .request("GET", "/", "X-Request-ID: of-nginx\r\n")
        .await;
    assert_eq!(work(&mut worker, &[]).await, "of-nginx");
    assert_eq!(ids(&client.head().await), "of-nginx");
    client.request("GET", "/", "X-Request-ID: a b\r\n").await;
    assert!(is_made_here(&work(&mut worker, &[]).await));
    assert!(is_made_here(&ids(&client.head().await)));
    client
        .request("GET", "/../", "X-Request-ID: refused\r\n")
        .await;
    assert_eq!(ids(&client.head().await), "refused");
    drop(client);
    let logged = logged(bench).await;
    assert_eq!((&*logged[0], &*logged[2]), ("of-nginx", "refused"));
}

#[tokio::test(start_paused = true)]
async fn websocket_has_one_id_from_its_handshake_to_its_record() {
    let bench = Bench::of(Interface::Asgi, settings(&[]));
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("X-Request-ID: forged\r\n")).await;
    let request = worker.expect(Kind::Request).await;
    let id = handed(&request);
    assert!(is_made_here(&id), "{id}");
    worker.accept(request.exchange.get(), &[]).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(ids(&head), id);
    drop(client);
    assert_eq!(worker.disconnect().await, "1006 ");
    assert_eq!(logged(bench).await, [id]);
}

#[tokio::test(start_paused = true)]
async fn id_of_the_applications_own_gives_way() {
    let bench = Bench::new(settings(&[]));
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    let id = work(&mut worker, &[("X-Request-ID", "of-the-app")]).await;
    assert_eq!(ids(&client.head().await), id);
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_the_application_does_not_give_has_an_id_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "file").unwrap();
    let mut gate = GateSettings::from_manifest(GUARDED.as_bytes()).unwrap();
    gate.mounts.push(MountSettings {
        prefix: "/static/".to_owned(),
    });
    let mounts = vec![Mount::new(folder.path().into())];
    let bench = Bench::with(Interface::Wsgi, settings(&[]), gate, mounts);
    let mut seen = Vec::new();
    for (target, status) in [
        ("/static/a.txt", "200"),
        ("/static/none", "404"),
        ("/api/", "401"),
        ("/../", "400"),
        // No request at all.
        ("/ HTTP/9.9 ", "505"),
    ] {
        let mut client = bench.connect();
        client.get(target).await;
        let head = client.head().await;
        assert_eq!(head.split(' ').nth(1), Some(status), "{head}");
        let id = ids(&head);
        assert!(is_made_here(&id), "{head}");
        seen.push(id);
    }
    let mut client = H2Client::new(bench.connect_raw()).await;
    let arriving = client.send(crowded(10), true).await;
    let answer = arriving.head().await;
    assert_eq!(answer.status(), 431);
    seen.push(
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned(),
    );
    drop(answer);
    client.end().await.unwrap();
    let mut logged = logged(bench).await;
    logged.sort_unstable();
    seen.sort_unstable();
    assert_eq!(logged, seen);
}

#[tokio::test(start_paused = true)]
async fn without_the_setting_there_is_no_id_and_the_header_is_the_applications() {
    let bench = Bench::new(EdgeSettings::default());
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .request("GET", "/", "X-Request-ID: of-the-client\r\n")
        .await;
    let id = work(&mut worker, &[("X-Request-ID", "of-the-app")]).await;
    assert_eq!(id, "of-the-client");
    assert_eq!(ids(&client.head().await), "of-the-app");
    drop(client);
    assert_eq!(logged(bench).await, ["-"]);
}

#[tokio::test(start_paused = true)]
async fn request_that_panics_has_its_id_in_the_answer_and_in_the_log() {
    for place in PANICS {
        let bench = Bench::new(settings(&[]));
        let mut client = bench.connect();
        client.get(place).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
        let id = ids(&head);
        assert!(is_made_here(&id), "{head}");
        drop(client);
        assert_eq!(logged(bench).await, [id]);
    }
}
