//! What is answered while code loads and when it does not, and to whom the traceback is shown.

use std::sync::Arc;

use base64::Engine;
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use yett_gate::{AppGuardSettings, GateSettings};

use super::page::{POLICY, SCRIPT, STYLE, html};
use super::wish::{self, Wish};
use crate::develop::{Broken, Develop};
use crate::settings::EdgeSettings;
use crate::testing::{Bench, seconds};

const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"a.py\", line 3\n<b>no</b>\n";

fn broken() -> Broken {
    Broken {
        summary: String::from("NameError: <script>"),
        traceback: String::from(TRACEBACK),
        place: Some((String::from("a&b.py"), 3)),
    }
}

fn bench() -> (Bench, Arc<Develop>) {
    let develop = Develop::new();
    let settings = EdgeSettings {
        develop: Some(Arc::clone(&develop)),
        ..EdgeSettings::default()
    };
    let app = AppGuardSettings {
        allowed_hosts: vec![String::from(".example.test")],
        ..AppGuardSettings::default()
    };
    let gate = GateSettings {
        app,
        ..GateSettings::default()
    };
    (Bench::with_gate(settings, gate), develop)
}

fn serve(develop: &Develop) {
    develop.serve();
    develop.settle();
}

fn fail(develop: &Develop) {
    develop.fail(broken());
    develop.settle();
}

/// The answer to a request with this `Host`, as head and body.
async fn ask(bench: &Bench, method: &str, host: &str, accept: &str) -> (String, String) {
    let mut client = bench.connect();
    client
        .send(format!(
            "{method} /x HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        ))
        .await;
    let all = client.rest().await;
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn browser_sees_the_traceback_as_text_and_nothing_of_it_as_markup() {
    let (bench, develop) = bench();
    fail(&develop);
    let (head, body) = ask(&bench, "GET", "127.0.0.1:8000", "text/html,*/*;q=0.8").await;
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    for line in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none';",
    ] {
        assert!(head.contains(line), "{head}");
    }
    for part in [
        "<h2>NameError: &lt;script&gt;</h2>",
        "<code>a&amp;b.py</code>, line <code>3</code>",
        "File &quot;a.py&quot;, line 3\n&lt;b&gt;no&lt;/b&gt;</pre>",
        "<html lang=\"en\" data-seen=\"1\">",
    ] {
        assert!(body.contains(part), "{part}\n{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn client_of_an_api_gets_the_last_line_alone() {
    let (bench, develop) = bench();
    fail(&develop);
    let (head, body) = ask(&bench, "POST", "localhost", "application/json").await;
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(
        body,
        "{\"detail\":\"NameError: <script>\",\"place\":{\"file\":\"a&b.py\",\"line\":3}}\n"
    );
    let (head, body) = ask(&bench, "GET", "localhost", "*/*").await;
    assert!(head.contains("content-type: text/plain"), "{head}");
    assert_eq!(body, "NameError: <script>\na&b.py, line 3\n");
}

#[tokio::test(start_paused = true)]
async fn traceback_is_shown_only_under_a_name_that_is_ours() {
    let (bench, develop) = bench();
    fail(&develop);
    for host in [
        "127.0.0.1",
        "[::1]:8000",
        "192.0.2.7",
        "LocalHost:8000",
        "notes.localhost",
        "www.example.test",
    ] {
        let (_, body) = ask(&bench, "GET", host, "text/html").await;
        assert!(body.contains("NameError"), "{host}");
    }
    for host in [
        "evil.test",
        "localhost.evil.test",
        "evillocalhost",
        "127.0.0.1.evil.test",
    ] {
        let (head, body) = ask(&bench, "GET", host, "text/html").await;
        assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
        assert_eq!(
            body, "The application does not start. The server's terminal says why.\n",
            "{host}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn answer_to_a_form_does_not_send_the_form_again() {
    let (bench, develop) = bench();
    fail(&develop);
    let (_, body) = ask(&bench, "POST", "localhost", "text/html").await;
    assert!(
        !body.contains("<script>") && !body.contains("data-seen"),
        "{body}"
    );
    assert!(body.contains("send the request again"), "{body}");
}

#[tokio::test(start_paused = true)]
async fn request_waits_while_code_loads_and_meets_the_new_code() {
    let (bench, develop) = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/").await;
    assert!(!client.has_something().await);
    serve(&develop);
    let id = worker.request().await;
    worker.answer(id, "new").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | new");
    develop.load();
    client.get("/").await;
    assert!(!client.has_something().await);
    serve(&develop);
    let id = worker.request().await;
    worker.answer(id, "newer").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | newer");
}

#[tokio::test(start_paused = true)]
async fn server_that_stops_lets_nobody_wait_for_code_that_it_may_not_load_any_more() {
    let (bench, develop) = bench();
    let mut worker = bench.worker(1).await;
    serve(&develop);
    develop.load();
    let mut client = bench.connect();
    client.get("/").await;
    assert!(!client.has_something().await);
    bench.services().leave();
    let id = worker.request().await;
    worker.answer(id, "old").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | old");
    develop.load();
    let mut client = bench.connect();
    client.get("/").await;
    let id = worker.request().await;
    worker.answer(id, "still").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | still");
}

#[tokio::test(start_paused = true)]
async fn outcome_that_is_out_of_date_answers_when_the_server_stops() {
    let (bench, develop) = bench();
    let mut worker = bench.worker(1).await;
    fail(&develop);
    develop.load();
    develop.serve();
    let mut client = bench.connect();
    client.get("/").await;
    assert!(!client.has_something().await, "another change is loading");
    bench.services().leave();
    let id = worker.request().await;
    worker.answer(id, "newest").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | newest");
}

#[tokio::test(start_paused = true)]
async fn page_that_asks_for_news_holds_up_no_stop() {
    let (bench, develop) = bench();
    fail(&develop);
    let mut client = bench.connect();
    client.get("/__yett__/news?1").await;
    assert!(!client.has_something().await);
    bench.services().leave();
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
}

#[tokio::test(start_paused = true)]
async fn server_that_stops_says_that_no_code_was_ever_loaded() {
    let (bench, _develop) = bench();
    bench.services().leave();
    let (head, body) = ask(&bench, "GET", "localhost", "*/*").await;
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    assert_eq!(
        body,
        "the server was told to stop before the code was loaded\n"
    );
}

#[tokio::test(start_paused = true)]
async fn malformed_request_is_refused_as_always() {
    let (bench, develop) = bench();
    fail(&develop);
    let mut client = bench.connect();
    client.get("/a/..%2fb").await;
    assert_eq!(client.status().await, 400);
}

#[tokio::test(start_paused = true)]
async fn page_that_asks_for_news_is_told_of_the_next_outcome_and_not_before() {
    let (bench, develop) = bench();
    fail(&develop);
    let mut client = bench.connect();
    client.get("/__yett__/news?1").await;
    assert!(!client.has_something().await);
    develop.load();
    assert!(!client.has_something().await);
    fail(&develop);
    assert!(client.head().await.starts_with("HTTP/1.1 205 "));
    client.get("/__yett__/news?2").await;
    bench.clock.pass(seconds(26)).await;
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
    client.get("/__yett__/news?nonsense").await;
    assert!(client.head().await.starts_with("HTTP/1.1 205 "));
}

#[tokio::test(start_paused = true)]
async fn without_development_the_path_for_news_is_the_applications() {
    let bench = Bench::new(EdgeSettings::default());
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.get("/__yett__/news?1").await;
    let id = worker.request().await;
    worker.answer(id, "mine").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | mine");
}

#[test]
fn policy_names_the_style_and_the_script_of_the_page_alone() {
    for (kind, text) in [("style", STYLE), ("script", SCRIPT)] {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash);
        let rule = format!("{kind}-src 'sha256-{hash}';");
        assert!(POLICY.contains(&rule), "write {rule}");
    }
}

#[test]
fn endless_traceback_is_shown_by_its_end() {
    let endless = Broken {
        traceback: format!("{}the end", "ä".repeat(200_000)),
        ..broken()
    };
    let page = html(&endless, None);
    assert!(page.len() < 150_000 && page.contains("ääthe end</pre>"));
}

#[test]
fn kind_of_the_answer_is_what_the_client_prefers() {
    let check = |accept: &str, expected| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        assert_eq!(wish::of(&headers), expected, "{accept}");
    };
    assert_eq!(wish::of(&HeaderMap::new()), Wish::Text);
    check("*/*", Wish::Text);
    check("image/*", Wish::Text);
    check("text/html;q=0", Wish::Text);
    check("text/html", Wish::Page);
    check("TEXT/HTML, application/json", Wish::Page);
    check(
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        Wish::Page,
    );
    check("text/html;q=0.5, application/json", Wish::Json);
    check("application/json, text/html; q=0.9", Wish::Json);
    check("application/problem+json", Wish::Json);
    check("application/json;q=nan, text/html;q=0.1", Wish::Page);
}
