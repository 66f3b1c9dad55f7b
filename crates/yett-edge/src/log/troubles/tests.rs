use std::io::{self, Write};

use yett_gate::ClientAddr;

use super::*;
use crate::log::record::{Route, ServiceKind};
use crate::log::words::Words;
use crate::log::writer::Out;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fields(status: u16, fault: Option<&'static str>) -> Fields {
    Fields {
        client: ClientAddr::Ip("192.0.2.1:5".parse().unwrap()),
        words: Words::new("GET", "/a?token=secret"),
        protocol: "HTTP/1.1",
        scheme: "http",
        status,
        bytes: 13,
        received: 0,
        took: Duration::from_millis(9000),
        waited: Duration::from_millis(1000),
        app: Some(Duration::from_millis(4000)),
        service: ServiceKind::App,
        route: Route::Own("app"),
        worker: Some(7),
        reason: fault.map(|_| String::from("it broke: \u{1b}[31mred")),
        fault,
        failure: None,
    }
}

fn told(all: &[Fields], slow: Option<Duration>) -> String {
    let lines = Lines::default();
    let out = Out::Stream(Box::new(lines.clone()));
    let writer = Arc::new(Writer::start("test", out, untold).unwrap());
    let troubles = Troubles::start(Arc::clone(&writer));
    for fields in all {
        troubles.hear(fields, slow);
    }
    troubles.close();
    writer.close();
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn failure_of_app_or_server_is_told_without_the_query() {
    assert_eq!(
        told(&[fields(502, Some("app"))], None),
        "error: GET /a failed with 502 (app): it broke: \\u{1b}[31mred (client 192.0.2.1, \
         route app, worker 7, waited 1000.000 ms, app 4000.000 ms, took 9000.000 ms)\n"
    );
}

#[test]
fn quotes_stay_as_they_are_where_none_stand_around_them() {
    let mut failed = fields(502, Some("app"));
    failed.reason = Some(String::from("the header \"X-A\" has a \\ and\na line"));
    let told = told(&[failed], None);
    assert!(
        told.contains(" (app): the header \"X-A\" has a \\\\ and\\na line (client "),
        "{told}"
    );
}

#[test]
fn what_is_the_clients_fault_or_the_apps_own_answer_is_not_told() {
    assert_eq!(
        told(&[fields(400, Some("client")), fields(500, None)], None),
        ""
    );
}

#[test]
fn request_is_slow_by_the_time_of_queue_and_app_together() {
    let slow = |millis| told(&[fields(200, None)], Some(Duration::from_millis(millis)));
    assert_eq!(slow(5001), "");
    assert!(slow(5000).starts_with("slow: GET /a was answered with 200 and 13 bytes (client "));
}

#[test]
fn of_a_flood_the_first_are_told_and_the_rest_counted() {
    let flood: Vec<Fields> = (0..100).map(|_| fields(503, Some("yett"))).collect();
    let told = told(&flood, None);
    let lines: Vec<&str> = told.lines().collect();
    // A slow machine may see the flood in two seconds.
    let errors = lines
        .iter()
        .filter(|line| line.starts_with("error: "))
        .count();
    let untold: usize = lines
        .iter()
        .filter_map(|line| {
            line.strip_prefix("yett: ")?
                .split(' ')
                .next()?
                .parse::<usize>()
                .ok()
        })
        .sum();
    assert!(errors >= 20);
    assert_eq!(errors + untold, 100);
}

#[test]
fn id_of_a_request_is_told_with_it() {
    let mut failed = fields(502, Some("app"));
    failed.words.say(Word::RequestId, "f058ebd6");
    let told = told(&[failed], None);
    assert!(told.contains(", worker 7, id f058ebd6, waited "), "{told}");
}
