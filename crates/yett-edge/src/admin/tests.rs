use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A server that is ready when it is said so.
#[derive(Default)]
struct Server {
    ready: AtomicBool,
}

impl Insight for Server {
    fn hindrances(&self) -> Vec<String> {
        if self.ready.load(Ordering::Relaxed) {
            Vec::new()
        } else {
            vec!["the server is stopping".to_owned(), "no worker".to_owned()]
        }
    }
    fn measure(&self, page: &mut Page) {
        page.counter("yett_tests", "Tests.").add(&[], 1);
    }
    fn status(&self) -> serde_json::Value {
        serde_json::json!({"pid": 1})
    }
}

struct Running {
    _admin: Admin,
    server: Arc<Server>,
    at: SocketAddr,
}

impl Running {
    fn start() -> Self {
        let server = Arc::new(Server::default());
        let at = Address::Tcp("127.0.0.1:0".parse().unwrap());
        let listener = Listener::bind(&at).unwrap();
        let Address::Tcp(at) = *listener.address() else {
            unreachable!()
        };
        let insight = Arc::clone(&server) as Arc<dyn Insight>;
        let admin = Admin::start(vec![listener], Hosts::new(&[]), insight).unwrap();
        Self {
            _admin: admin,
            server,
            at,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    fn ask(&self, head: &str) -> String {
        let mut stream = self.connect();
        stream
            .write_all(format!("{head}\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, target: &str, header: &str) -> String {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: localhost{header}"))
    }
}

#[track_caller]
fn says(answer: &str, status: u16, body: &str) {
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert_eq!(rest, body, "{answer}");
}

#[test]
fn process_lives_even_when_it_is_not_ready() {
    let running = Running::start();
    says(&running.get("/livez", ""), 200, "alive\n");
    says(
        &running.get("/readyz", ""),
        503,
        "the server is stopping\nno worker\n",
    );
    says(
        &running.get("/readyz?verbose", "\r\nAccept: application/json"),
        503,
        "{\"hindrances\":[\"the server is stopping\",\"no worker\"],\"ready\":false}\n",
    );
    running.server.ready.store(true, Ordering::Relaxed);
    says(&running.get("/readyz", ""), 200, "ready\n");
}

#[test]
fn metrics_are_open_metrics_for_who_asks_for_them() {
    let running = Running::start();
    let plain = running.get("/metrics", "\r\nAccept: */*");
    assert!(plain.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert!(plain.ends_with("\nyett_tests_total 1\n"));
    let accept = "\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    let open = running.get("/metrics", accept);
    assert!(open.contains("content-type: application/openmetrics-text; version=1.0.0;"));
    assert!(open.ends_with("\nyett_tests_total 1\n# EOF\n"));
}

#[test]
fn nothing_else_is_there_and_nothing_can_be_changed() {
    let running = Running::start();
    for target in ["/", "/metrics/", "//metrics", "/METRICS", "/livez%2f", "*"] {
        let answer = running.get(target, "");
        assert!(answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
    }
    let post = running.ask("POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999");
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    let head = running.ask("HEAD /readyz HTTP/1.1\r\nHost: localhost");
    says(&head, 503, "");
}

#[test]
fn page_of_another_host_reads_nothing() {
    let running = Running::start();
    for head in [
        "GET /metrics HTTP/1.1\r\nHost: evil.example",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
        "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost",
        "GET /metrics HTTP/1.1\r\nHost: \u{e9}",
    ] {
        let answer = running.ask(head);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{head}: {answer}");
        assert!(!answer.contains("yett_tests"));
        assert!(!answer.contains("access-control"));
    }
    let old = running.ask("GET /livez HTTP/1.0");
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
}

#[test]
fn connections_that_stay_open_keep_no_probe_out() {
    let running = Running::start();
    let mut idle: Vec<TcpStream> = Vec::new();
    for _ in 0..MOST_CONNECTIONS * 2 {
        let mut stream = running.connect();
        // One that is half a request, too.
        stream.write_all(b"GET /livez HT").unwrap();
        idle.push(stream);
    }
    says(&running.get("/livez", ""), 200, "alive\n");
    // The first has made room.
    let closed = idle[0].read(&mut [0; 1]);
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[test]
fn head_that_is_too_long_is_refused() {
    let running = Running::start();
    let answer = running.get("/livez", &format!("\r\nX: {}", "x".repeat(MAX_HEAD)));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many: String = (0..MAX_HEADERS).map(|n| format!("\r\nX{n}: 1")).collect();
    let answer = running.get("/livez", &many);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn unix_socket_answers_under_any_host_and_is_removed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let listener = Listener::bind(&Address::Unix(path.clone())).unwrap();
    let insight = Arc::new(Server::default());
    let admin = Admin::start(vec![listener], Hosts::new(&[]), insight).unwrap();
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: any.example\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    says(&answer, 200, "alive\n");
    drop(admin);
    assert!(!path.exists());
}
