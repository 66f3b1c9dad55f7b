//! The whole edge with several threads, real sockets and workers that block on threads of their own:
//! every client gets its own answer, however requests and answers cross the threads.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails says where"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use yett_edge::floor::{Carrier, Floor, WorkerNews};
use yett_edge::listen::{Address, Listener};
use yett_edge::log::{AccessLog, Format};
use yett_edge::{Edge, EdgeSettings, Interface, Ruling};
use yett_gate::{Gate, GateSettings};
use yett_link::frame::{ExchangeId, Kind, LAST, put_frame, put_frame_with};
use yett_link::request::RequestView;
use yett_link::response::write_head;
use yett_link::worker::{Next, WorkerEnd};

const CLIENTS: usize = 12;
const REQUESTS: usize = 150;

/// Tells when a worker is ready.
struct News(mpsc::Sender<u32>);

impl WorkerNews for News {
    fn ready(&self, worker: u32) {
        let _test_over = self.0.send(worker);
    }
    fn stuck(&self, worker: u32) {
        panic!("worker {worker} is stuck");
    }
    fn hampered(&self, _worker: u32) {}
    fn spent(&self, _worker: u32) {}
    fn lost(&self, _worker: u32) {}
}

/// Answers each request with its own path; some answers come in pieces.
fn work(socket: UnixStream, threads: usize) {
    let end = WorkerEnd::meet(socket).unwrap();
    let mut ready = BytesMut::new();
    put_frame(&mut ready, Kind::Ready, 0, ExchangeId::new(0), b"").unwrap();
    end.send(&[&ready]).unwrap();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Ok(Next::Request(incoming)) = end.next_request() {
                    let request = RequestView::parse(&incoming.payload).unwrap();
                    let path = request.line.path.to_vec();
                    let long = path.ends_with(b"7");
                    let mut frame = BytesMut::new();
                    let flags = if long { 0 } else { LAST };
                    put_frame_with(
                        &mut frame,
                        Kind::Response,
                        flags,
                        incoming.exchange,
                        |out| {
                            write_head(out, 200, b"OK", std::iter::empty()).unwrap();
                            out.extend_from_slice(&path);
                        },
                    )
                    .unwrap();
                    if long {
                        put_frame(&mut frame, Kind::Chunk, LAST, incoming.exchange, b"!").unwrap();
                    }
                    if !end.try_send_last(&[&frame]).unwrap() {
                        end.send(&[&frame]).unwrap();
                    }
                    end.finish(incoming.exchange);
                    end.worked(Duration::from_micros(5));
                }
            });
        }
    });
}

fn ask(address: SocketAddr, client: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut read = Vec::new();
    for number in 0..REQUESTS {
        let path = format!("/{client}/{number}");
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
            .unwrap();
        let ending = if path.ends_with('7') {
            format!("\r\n\r\n{:x}\r\n{path}\r\n1\r\n!\r\n0\r\n\r\n", path.len())
        } else {
            format!("\r\n\r\n{path}")
        };
        read.clear();
        while !read.ends_with(ending.as_bytes()) {
            let mut piece = [0; 1024];
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "cut after {:?}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&piece[..count]);
        }
        assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

fn every_client_gets_its_own_answers(carrier: Carrier, worker_threads: usize) {
    let settings = EdgeSettings {
        threads: 3,
        carrier,
        worker_threads,
        ..EdgeSettings::default()
    };
    let (told, news) = mpsc::channel();
    let floor = Floor::new(settings.clone(), Box::new(News(told)));
    let listener = Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
    let address = match listener.address() {
        Address::Tcp(address) => *address,
        Address::Unix(_) => unreachable!("bound so above"),
    };
    let ruling = Ruling {
        gate: Gate::new(GateSettings::default()).unwrap(),
        mounts: Vec::new(),
        interface: Interface::Wsgi,
        issuer: None,
    };
    let log = AccessLog::start(Format::Off, std::io::sink()).unwrap();
    let edge = Edge::start(settings, vec![listener], ruling, Arc::clone(&floor), log).unwrap();
    let workers: Vec<_> = (1..=2)
        .map(|number| {
            let (ours, theirs) = UnixStream::pair().unwrap();
            edge.attach(number, 1, ours.into());
            thread::spawn(move || work(theirs, worker_threads))
        })
        .collect();
    for _ in &workers {
        news.recv().unwrap();
    }
    floor.activate(1);
    edge.accept();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || ask(address, client));
        }
    });
    assert_eq!(floor.load(), (0, 0), "every place was given back");
    edge.end();
    drop((edge, floor));
    for worker in workers {
        worker.join().unwrap();
    }
}

#[test]
fn over_rings_with_one_thread_a_worker() {
    every_client_gets_its_own_answers(Carrier::Rings, 1);
}

#[test]
fn over_rings_with_several_threads_a_worker() {
    every_client_gets_its_own_answers(Carrier::Rings, 4);
}

#[test]
fn over_the_socket() {
    every_client_gets_its_own_answers(Carrier::Socket, 2);
}
