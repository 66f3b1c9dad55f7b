//! The whole edge on sockets of the loopback: what only the acceptors decide.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use yett_gate::{Gate, GateSettings};

use super::*;
use crate::log::Format;
use crate::meters::Limit;
use crate::ruling::Interface;
use crate::testing::Told;

/// How long a test that fails waits for what does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running edge, and where it listens.
fn edge(settings: EdgeSettings, listeners: usize) -> (Edge, Vec<SocketAddr>) {
    let any = Address::Tcp("127.0.0.1:0".parse().unwrap());
    let listeners: Vec<_> = (0..listeners)
        .map(|_| Listener::bind(&any).unwrap())
        .collect();
    let addresses = listeners.iter().map(|listener| match listener.address() {
        Address::Tcp(address) => *address,
        Address::Unix(_) => unreachable!(),
    });
    let addresses = addresses.collect();
    let ruling = Ruling {
        gate: Gate::new(GateSettings::default()).unwrap(),
        mounts: Vec::new(),
        interface: Interface::Wsgi,
        issuer: None,
    };
    let floor = Floor::new(settings.clone(), Box::new(Told::default()));
    let log = AccessLog::start(Format::Json, std::io::sink()).unwrap();
    let edge = Edge::start(settings, listeners, ruling, floor, log).unwrap();
    edge.accept();
    (edge, addresses)
}

fn ask(address: SocketAddr, connection: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(
            format!("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n").as_bytes(),
        )
        .unwrap();
    stream
}

fn is_answered(stream: &mut TcpStream) {
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[test]
fn listener_that_nobody_calls_takes_no_room_from_the_others() {
    let settings = EdgeSettings {
        max_connections: 1,
        ..EdgeSettings::default()
    };
    let (edge, addresses) = edge(settings, 3);
    for address in &addresses {
        is_answered(&mut ask(*address, "keep-alive"));
    }
    let mut only = ask(addresses[0], "keep-alive");
    is_answered(&mut only);
    // Whoever has had its answer makes room for the others.
    let waiting: Vec<_> = addresses
        .iter()
        .map(|address| ask(*address, "close"))
        .collect();
    for mut stream in waiting {
        is_answered(&mut stream);
    }
    assert!(edge.meters().times_met(Limit::Connections) >= 2);
    edge.end();
}

#[test]
fn connections_within_the_limit_meet_none() {
    let settings = EdgeSettings {
        max_connections: 3,
        ..EdgeSettings::default()
    };
    let (edge, addresses) = edge(settings, 2);
    let mut open: Vec<_> = [0, 1, 0]
        .into_iter()
        .map(|place| ask(addresses[place], "keep-alive"))
        .collect();
    open.iter_mut().for_each(is_answered);
    assert_eq!(edge.meters().times_met(Limit::Connections), 0);
    edge.end();
}

#[test]
fn client_that_waited_behind_busy_ones_is_answered_and_not_asked_to_leave() {
    let settings = EdgeSettings {
        max_connections: 2,
        ..EdgeSettings::default()
    };
    let (edge, addresses) = edge(settings, 1);
    let head = b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    // Whoever has begun to ask is busy.
    let mut busy: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(addresses[0]).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(head).unwrap();
            stream
        })
        .collect();
    while edge.connections() < 2 {
        std::thread::yield_now();
    }
    let met = edge.meters().times_met(Limit::Connections);
    let mut waiting: Vec<_> = (0..3).map(|_| ask(addresses[0], "close")).collect();
    while edge.meters().times_met(Limit::Connections) == met {
        std::thread::yield_now();
    }
    for stream in &mut busy {
        stream.write_all(b"\r\n").unwrap();
        is_answered(stream);
    }
    waiting.iter_mut().for_each(is_answered);
    edge.end();
}

#[test]
fn each_listener_gets_room_from_those_who_are_quiet() {
    let settings = EdgeSettings {
        max_connections: 2,
        ..EdgeSettings::default()
    };
    let (edge, addresses) = edge(settings, 2);
    let mut quiet: Vec<_> = (0..2).map(|_| ask(addresses[0], "keep-alive")).collect();
    quiet.iter_mut().for_each(is_answered);
    let mut waiting = [0, 1].map(|place| ask(addresses[place], "keep-alive"));
    waiting.iter_mut().for_each(is_answered);
    edge.end();
}
