//! Asks a server the same thing on several connections until the time is over, and looks at every answer.
//!
//! ```text
//! bench-load ADDRESS CONNECTIONS SECONDS REQUEST STATUS BODY
//! ```
//!
//! `REQUEST` is a file with a whole HTTP/1.1 request, `STATUS` the status that every answer must
//! have, `BODY` a file with the body that it must have, or `length:N` where the bytes differ each
//! time. Each connection asks again as soon as it has its answer; one thread serves them all.
//! Prints one JSON object: counts, and how often each latency was seen, in microseconds.
//!
//! Answers must announce their length. A server that announces `Connection: close` is waited for
//! until it has closed, and the time to connect again is a part of the next request's latency.

#![forbid(unsafe_code)]

mod answer;
mod connection;
mod histogram;

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use answer::Expected;
use connection::Connection;
use histogram::Histogram;

/// A server that cannot be reached is given up after so many failures.
const MOST_FAILURES: u64 = 10_000;

/// What the command line says.
struct Options {
    address: SocketAddr,
    connections: usize,
    time: Duration,
    request: Vec<u8>,
    expected: Expected,
}

/// What happened.
#[derive(Default)]
pub(crate) struct Counts {
    /// Answers that came whole, right or wrong.
    answers: u64,
    /// Answers with another status or body than expected.
    wrong: u64,
    /// Connections that broke, or said what is not HTTP, before an answer was whole.
    broken: u64,
    /// Connections made beyond the first of each.
    reconnects: u64,
    latencies: Histogram,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = read_options()?;
    let (counts, took) = run(&options)?;
    println!(
        r#"{{"answers": {}, "wrong": {}, "broken": {}, "reconnects": {}, "seconds": {:.6}, "latencies": {}}}"#,
        counts.answers,
        counts.wrong,
        counts.broken,
        counts.reconnects,
        took.as_secs_f64(),
        counts.latencies,
    );
    Ok(())
}

fn read_options() -> Result<Options, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, connections, seconds, request, status, body] = words.as_slice() else {
        return Err("usage: bench-load ADDRESS CONNECTIONS SECONDS REQUEST STATUS BODY".into());
    };
    Ok(Options {
        address: address.parse()?,
        connections: connections.parse()?,
        time: Duration::try_from_secs_f64(seconds.parse()?)?,
        request: std::fs::read(request)?,
        expected: Expected::read(status.parse()?, body)?,
    })
}

/// Ask until the time is over; what is in flight then is not counted.
fn run(options: &Options) -> Result<(Counts, Duration), Box<dyn Error>> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(options.connections.max(1));
    let mut counts = Counts::default();
    let mut buffer = vec![0; 256 * 1024];
    let begin = Instant::now();
    let mut connections = Vec::new();
    for number in 0..options.connections {
        connections.push(Connection::open(options.address, number, poll.registry())?);
    }
    loop {
        let passed = begin.elapsed();
        let Some(left) = options.time.checked_sub(passed) else {
            return Ok((counts, passed));
        };
        poll.poll(&mut events, Some(left))?;
        for event in &events {
            let Some(connection) = connections.get_mut(event.token().0) else {
                continue;
            };
            connection.go_on(options, poll.registry(), &mut buffer, &mut counts)?;
        }
        if counts.broken > MOST_FAILURES && counts.answers == 0 {
            return Err("the server gives no answer".into());
        }
    }
}
