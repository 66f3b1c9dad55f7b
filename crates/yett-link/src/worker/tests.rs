//! The worker's end against a real socket pair.

use std::io::Write;
use std::thread;

use bytes::BytesMut;

use super::*;
use crate::frame::{RESPONSE_WINDOW, put_frame};

fn pair() -> (UnixStream, WorkerEnd) {
    let (edge, worker) = UnixStream::pair().unwrap();
    (edge, WorkerEnd::new(worker))
}

fn frame(kind: Kind, exchange: u64, payload: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    put_frame(&mut out, kind, 0, ExchangeId::new(exchange), payload).unwrap();
    out
}

fn expect_request(end: &WorkerEnd) -> Incoming {
    match end.next_request().unwrap() {
        Next::Request(request) => request,
        other => panic!("expected a request, got {other:?}"),
    }
}

#[test]
fn requests_come_in_order_even_when_cut_into_single_bytes() {
    let (mut edge, end) = pair();
    let mut bytes = frame(Kind::Request, 1, b"one");
    bytes.extend_from_slice(&frame(Kind::Request, 2, b"two"));
    let writer = thread::spawn(move || {
        for byte in bytes {
            edge.write_all(&[byte]).unwrap();
        }
        edge
    });
    assert_eq!(&expect_request(&end).payload[..], b"one");
    assert_eq!(&expect_request(&end).payload[..], b"two");
    drop(writer.join().unwrap());
    assert!(matches!(end.next_request().unwrap(), Next::Finished));
}

#[test]
fn drained_worker_still_gets_what_was_sent_before() {
    let (mut edge, end) = pair();
    edge.write_all(&frame(Kind::Request, 1, b"one")).unwrap();
    edge.write_all(&frame(Kind::Drain, 0, b"")).unwrap();
    assert_eq!(&expect_request(&end).payload[..], b"one");
    assert!(matches!(end.next_request().unwrap(), Next::Finished));
}

#[test]
fn every_thread_gets_its_own_request_and_its_own_credit() {
    let (mut edge, end) = pair();
    for exchange in 1..=4 {
        edge.write_all(&frame(Kind::Request, exchange, b"r"))
            .unwrap();
    }
    // Credit answers bytes that were sent, so the edge's side waits until all have sent.
    let sent = std::sync::Barrier::new(5);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let request = expect_request(&end);
                    let first = end
                        .wait_for_credit(request.exchange, RESPONSE_WINDOW)
                        .unwrap();
                    assert_eq!(first, Credit::Granted);
                    sent.wait();
                    // The window is empty now; this waits for the edge.
                    end.wait_for_credit(request.exchange, 10).unwrap()
                })
            })
            .collect();
        sent.wait();
        for exchange in 1..=3 {
            edge.write_all(&frame(Kind::Credit, exchange, &10_u32.to_le_bytes()))
                .unwrap();
        }
        edge.write_all(&frame(Kind::Cancel, 4, b"")).unwrap();
        let mut outcomes: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        outcomes.sort_by_key(|outcome| *outcome as u8);
        assert_eq!(
            outcomes,
            [
                Credit::Granted,
                Credit::Granted,
                Credit::Granted,
                Credit::Cancelled
            ]
        );
    });
}

#[test]
fn cancellation_before_the_request_is_taken_is_not_lost() {
    let (mut edge, end) = pair();
    let mut bytes = frame(Kind::Request, 1, b"r");
    bytes.extend_from_slice(&frame(Kind::Cancel, 1, b""));
    edge.write_all(&bytes).unwrap();
    let request = expect_request(&end);
    assert!(end.is_cancelled(request.exchange));
    let credit = end.wait_for_credit(request.exchange, 1).unwrap();
    assert_eq!(credit, Credit::Cancelled);
}

#[test]
fn body_descriptor_arrives_with_its_request() {
    let (edge, end) = pair();
    let (mut feed, body) = UnixStream::pair().unwrap();
    let mut bytes = BytesMut::new();
    put_frame(
        &mut bytes,
        Kind::Request,
        DESCRIPTOR,
        ExchangeId::new(1),
        b"x",
    )
    .unwrap();
    let sent = descriptor::send(&edge, &[IoSlice::new(&bytes)], Some(body.as_fd())).unwrap();
    assert_eq!(sent, bytes.len());
    let request = expect_request(&end);
    feed.write_all(b"hi").unwrap();
    let mut got = [0; 2];
    rustix::io::read(request.body.unwrap(), &mut got).unwrap();
    assert_eq!(&got, b"hi");
}

#[test]
fn announced_descriptor_that_does_not_come_closes_the_link() {
    let (mut edge, end) = pair();
    let mut bytes = BytesMut::new();
    put_frame(
        &mut bytes,
        Kind::Request,
        DESCRIPTOR,
        ExchangeId::new(1),
        b"x",
    )
    .unwrap();
    edge.write_all(&bytes).unwrap();
    assert!(matches!(
        end.next_request(),
        Err(LinkError::Protocol(FrameError::NoDescriptor))
    ));
}

#[test]
fn nonsense_from_the_edge_closes_the_link() {
    let (mut edge, end) = pair();
    edge.write_all(&[0xff; 64]).unwrap();
    assert!(matches!(end.next_request(), Err(LinkError::Protocol(_))));
}

#[test]
fn frame_is_whole_also_when_a_loop_made_the_socket_non_blocking() {
    let (mut edge, worker) = UnixStream::pair().unwrap();
    worker.set_nonblocking(true).unwrap();
    let end = WorkerEnd::for_event_loop(worker);
    // Far more than a socket holds.
    let sent = vec![7; 4 * 1024 * 1024];
    let reader = thread::spawn(move || {
        let mut read = vec![0; 4 * 1024 * 1024];
        std::io::Read::read_exact(&mut edge, &mut read).map(|()| read)
    });
    end.send(&[&sent]).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), sent);
}
