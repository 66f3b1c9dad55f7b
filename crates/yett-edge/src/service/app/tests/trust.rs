//! What the application is told of a request's origin, and what routes and settings change.

use serde_json::Value;
use yett_gate::{AllowedHosts, HeadRules};

use super::*;
use crate::meters::Limit;
use crate::respond::SecurityHeaders;
use crate::rules::{RouteRule, RouteRules};
use crate::ruling::Interface;

/// Trusts the address that clients of a bench come from.
fn trusting() -> EdgeSettings {
    let mut head = HeadRules::default();
    head.proxies.add("192.0.2.1").unwrap();
    EdgeSettings {
        head,
        ..EdgeSettings::default()
    }
}

const FORWARDED: &str = "X-Forwarded-For: 203.0.113.9:5\r\nX-Forwarded-Proto: https\r\n";

/// What the worker is told: address, port, scheme.
async fn told(settings: EdgeSettings) -> (String, u16, String, Vec<Value>) {
    let bench = Bench::new(settings);
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.request("GET", "/", FORWARDED).await;
    let frame = worker.expect(Kind::Request).await;
    let view = RequestView::parse(&frame.payload).unwrap();
    let told = (
        view.line.remote_addr.to_owned(),
        view.line.remote_port,
        view.line.scheme.to_owned(),
    );
    worker.answer(frame.exchange.get(), "ok").await;
    client.answer().await;
    drop(client);
    (told.0, told.1, told.2, bench.records().await)
}

#[tokio::test(start_paused = true)]
async fn trusted_proxy_tells_application_and_log_of_the_client() {
    let (address, port, scheme, records) = told(trusting()).await;
    assert_eq!(
        (address.as_str(), port, scheme.as_str()),
        ("203.0.113.9", 5, "https")
    );
    assert_eq!(records[0]["client"], "203.0.113.9");
    let (address, port, scheme, records) = told(EdgeSettings::default()).await;
    assert_eq!(
        (address.as_str(), port, scheme.as_str()),
        ("192.0.2.1", 4711, "http")
    );
    assert_eq!(records[0]["client"], "192.0.2.1");
}

#[tokio::test(start_paused = true)]
async fn foreign_host_is_misdirected() {
    let bench = Bench::new(EdgeSettings {
        head: HeadRules {
            allowed_hosts: Some(AllowedHosts::new(["y".to_owned()])),
            ..HeadRules::default()
        },
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    assert_eq!(client.status().await, 421);
    assert!(worker.hears_nothing().await);
    assert_eq!(bench.told_records().await, ["GET / 421 client 30"]);
}

#[tokio::test(start_paused = true)]
async fn body_limit_of_a_route_counts_instead_of_the_general_one() {
    let rule = |path: &str, max_body| RouteRule {
        path: path.to_owned(),
        max_body: Some(max_body),
        compression: None,
    };
    let settings = EdgeSettings {
        max_body: 10,
        routes: RouteRules::new(vec![rule("/upload/", 40), rule("/small", 2)]),
        ..EdgeSettings::default()
    };
    for interface in [Interface::Wsgi, Interface::Asgi] {
        let bench = Bench::of(interface, settings.clone());
        let mut worker = bench.worker(1).await;
        let mut refused = 0;
        for (path, length, taken) in [
            ("/", 10, true),
            ("/", 11, false),
            ("/upload/", 40, true),
            ("/upload/", 41, false),
            ("/small", 2, true),
            ("/small", 3, false),
            ("/small/er", 3, false),
            ("/smaller", 3, true),
        ] {
            let body = "x".repeat(length);
            let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
            for (headers, body) in [
                (format!("Content-Length: {length}\r\n"), body),
                ("Transfer-Encoding: chunked\r\n".to_owned(), chunked),
            ] {
                let mut client = bench.connect();
                client.request("POST", path, &headers).await;
                client.send(body).await;
                if taken {
                    let id = worker.request().await;
                    worker.answer(id, "ok").await;
                }
                let status = client.status().await;
                assert_eq!(status, if taken { 200 } else { 413 }, "{path} {headers}");
                refused += u64::from(!taken);
                drop(client);
                while !worker.hears_nothing().await {
                    // One that was refused while it arrived ends when its worker has heard of that.
                    match worker.next().await {
                        Some(frame) if frame.kind == Kind::Request => {
                            worker.answer(frame.exchange.get(), "late").await;
                        }
                        _ => {}
                    }
                }
            }
        }
        assert_eq!(bench.meters().times_met(Limit::BodySize), refused);
    }
}

#[tokio::test(start_paused = true)]
async fn security_headers_are_added_where_the_answer_has_none_and_only_if_wanted() {
    const ADDED: &str = "x-content-type-options: nosniff\r\nreferrer-policy: same-origin\r\n\
                         cross-origin-opener-policy: same-origin\r\nx-frame-options: SAMEORIGIN\r\n";
    for (security_headers, added) in [(SecurityHeaders::Own, ""), (SecurityHeaders::All, ADDED)] {
        let bench = Bench::new(EdgeSettings {
            security_headers,
            ..EdgeSettings::default()
        });
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect();
        client.get("/").await;
        let id = worker.request().await;
        worker.answer(id, "ok").await;
        let head = client.head().await;
        for line in added.split_inclusive("\r\n") {
            assert!(head.contains(line), "{head}");
        }
        assert_eq!(head.contains("nosniff"), !added.is_empty(), "{head}");
        assert!(
            !head.contains("server:"),
            "nobody is told who serves: {head}"
        );
    }
    let bench = Bench::new(EdgeSettings::default());
    let mut client = bench.connect();
    client.get("/../").await;
    let head = client.head().await;
    assert!(
        head.contains("x-content-type-options: nosniff\r\n"),
        "{head}"
    );
    assert!(!head.contains("server:"), "{head}");
}
