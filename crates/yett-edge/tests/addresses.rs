//! How many connections there are, over real sockets: of one address those above its limit are closed at
//! once, of all together those above theirs wait, and others are not touched.
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use yett_edge::floor::{Floor, WorkerNews};
use yett_edge::listen::{Address, Listener};
use yett_edge::log::{AccessLog, Format};
use yett_edge::meters::Limit;
use yett_edge::{Edge, EdgeSettings, Interface, Ruling};
use yett_gate::{Gate, GateSettings};

/// How long a test that fails waits for what does not come.
const PATIENCE: Duration = Duration::from_secs(5);

struct NoWorkers;

impl WorkerNews for NoWorkers {
    fn ready(&self, _worker: u32) {}
    fn stuck(&self, _worker: u32) {}
    fn hampered(&self, _worker: u32) {}
    fn spent(&self, _worker: u32) {}
    fn lost(&self, _worker: u32) {}
}

fn of_one_address(most: usize) -> EdgeSettings {
    EdgeSettings {
        max_connections_per_address: NonZeroUsize::new(most),
        ..EdgeSettings::default()
    }
}

fn edge(settings: EdgeSettings, listener: Listener) -> Edge {
    let ruling = Ruling {
        gate: Gate::new(GateSettings::default()).unwrap(),
        mounts: Vec::new(),
        interface: Interface::Wsgi,
        issuer: None,
    };
    let floor = Floor::new(settings.clone(), Box::new(NoWorkers));
    let log = AccessLog::start(Format::Off, std::io::sink()).unwrap();
    let edge = Edge::start(settings, vec![listener], ruling, floor, Arc::clone(&log)).unwrap();
    edge.accept();
    edge
}

/// Whether the server answers on this connection, even if only that the request is none.
fn is_served<S: Read + Write>(mut stream: S) -> bool {
    let mut answer = String::new();
    let _closed = stream.write_all(b"GET / HTTP/1.1\n");
    let _reset = stream.read_to_string(&mut answer);
    answer.starts_with("HTTP/1.1 400 ")
}

/// An edge at a port.
fn at_a_port(settings: EdgeSettings) -> (Edge, SocketAddr) {
    let listener = Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
    let Address::Tcp(address) = *listener.address() else {
        unreachable!("bound so above")
    };
    (edge(settings, listener), address)
}

/// Waits until this is so.
fn eventually(is_so: impl Fn() -> bool, why: &str) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{why}");
        std::thread::yield_now();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn connection_above_the_limit_of_its_address_is_closed_at_once() {
    let (edge, address) = at_a_port(of_one_address(2));
    let first = connect(address);
    let second = connect(address);
    // Accepted in order, so both are counted by now.
    let third = connect(address);
    assert!(!is_served(third));
    assert_eq!(edge.meters().times_met(Limit::ConnectionsPerAddress), 1);
    assert!(is_served(second));
    drop(first);
    eventually(|| is_served(connect(address)), "who left makes room");
    edge.end();
}

#[test]
fn connection_above_the_limit_of_all_waits_until_another_ends() {
    let (edge, address) = at_a_port(EdgeSettings {
        max_connections: 2,
        ..EdgeSettings::default()
    });
    let met = || edge.meters().times_met(Limit::Connections);
    let first = connect(address);
    eventually(|| edge.connections() == 1, "there is room");
    assert_eq!(met(), 0);
    let _second = connect(address);
    let third = connect(address);
    eventually(|| met() == 1, "there is no more room");
    assert_eq!(edge.connections(), 2);
    drop(first);
    assert!(is_served(third));
    edge.end();
}

#[test]
fn connections_over_a_unix_socket_have_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yett.sock");
    let listener = Listener::bind(&Address::Unix(path.clone())).unwrap();
    let edge = edge(of_one_address(1), listener);
    let streams = [(); 3].map(|()| UnixStream::connect(&path).unwrap());
    for stream in streams {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(is_served(stream));
    }
    assert_eq!(edge.meters().times_met(Limit::ConnectionsPerAddress), 0);
    edge.end();
}
