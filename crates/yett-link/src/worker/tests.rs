//! The worker's end against a real link, over both carriers.

use std::io::Write;
use std::thread;

use bytes::BytesMut;

use super::*;
use crate::frame::{CUT_SHORT, DESCRIPTOR, Kind, RESPONSE_WINDOW, put_frame};
use crate::ring;

/// The edge's side, as simple as can be.
enum Edge {
    Socket(UnixStream),
    Rings(UnixStream, ring::Writer, ring::Reader),
}

impl Edge {
    fn send(&mut self, bytes: &[u8]) {
        self.send_with(bytes, None);
    }

    fn send_with(&mut self, bytes: &[u8], body: Option<BorrowedFd<'_>>) {
        match self {
            Self::Socket(socket) => {
                let sent = descriptor::send(socket, &[IoSlice::new(bytes)], body).unwrap();
                assert_eq!(sent, bytes.len());
            }
            Self::Rings(socket, writer, _) => {
                if body.is_some() {
                    descriptor::send(&mut *socket, &[IoSlice::new(&[0])], body).unwrap();
                }
                assert_eq!(writer.write(&[bytes]).unwrap(), bytes.len());
                if writer.must_wake() {
                    socket.write_all(&[0]).unwrap();
                }
            }
        }
    }
}

fn over_socket() -> (Edge, WorkerEnd) {
    let (edge, worker) = UnixStream::pair().unwrap();
    (Edge::Socket(edge), WorkerEnd::new(worker))
}

fn over_rings() -> (Edge, WorkerEnd) {
    let (edge, worker) = UnixStream::pair().unwrap();
    let memory = Arc::new(Memory::create().unwrap());
    let bell = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).unwrap();
    descriptor::send_rings(&edge, memory.descriptor().as_fd(), bell.as_fd()).unwrap();
    let writer = Writer::new(Arc::clone(&memory), Direction::Requests);
    let reader = Reader::new(memory, Direction::Responses);
    let end = WorkerEnd::meet(worker).unwrap();
    (Edge::Rings(edge, writer, reader), end)
}

/// Puts the same claim to both carriers.
fn over_both(test: impl Fn(Edge, WorkerEnd)) {
    for pair in [over_socket, over_rings] {
        let (edge, end) = pair();
        test(edge, end);
    }
}

fn frame(kind: Kind, exchange: u64, payload: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    put_frame(&mut out, kind, 0, ExchangeId::new(exchange), payload).unwrap();
    out
}

fn cut_short() -> BytesMut {
    let mut out = BytesMut::new();
    put_frame(&mut out, Kind::Drain, CUT_SHORT, ExchangeId::new(0), b"").unwrap();
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
    over_both(|mut edge, end| {
        let mut bytes = frame(Kind::Request, 1, b"one");
        bytes.extend_from_slice(&frame(Kind::Request, 2, b"two"));
        let writer = thread::spawn(move || {
            for byte in bytes {
                edge.send(&[byte]);
            }
            edge
        });
        assert_eq!(&expect_request(&end).payload[..], b"one");
        assert_eq!(&expect_request(&end).payload[..], b"two");
        drop(writer.join().unwrap());
        assert!(matches!(end.next_request().unwrap(), Next::Finished));
    });
}

#[test]
fn drained_worker_still_gets_what_was_sent_before() {
    over_both(|mut edge, end| {
        edge.send(&frame(Kind::Request, 1, b"one"));
        edge.send(&frame(Kind::Drain, 0, b""));
        assert_eq!(&expect_request(&end).payload[..], b"one");
        assert!(matches!(end.next_request().unwrap(), Next::Finished));
    });
}

#[test]
fn every_thread_gets_its_own_request_and_its_own_credit() {
    over_both(|mut edge, end| {
        for exchange in 1..=4 {
            edge.send(&frame(Kind::Request, exchange, b"r"));
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
                edge.send(&frame(Kind::Credit, exchange, &10_u32.to_le_bytes()));
            }
            edge.send(&frame(Kind::Cancel, 4, b""));
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
    });
}

#[test]
fn cancellation_before_the_request_is_taken_is_not_lost() {
    over_both(|mut edge, end| {
        let mut bytes = frame(Kind::Request, 1, b"r");
        bytes.extend_from_slice(&frame(Kind::Cancel, 1, b""));
        edge.send(&bytes);
        let request = expect_request(&end);
        assert!(end.is_cancelled(request.exchange));
        let credit = end.wait_for_credit(request.exchange, 1).unwrap();
        assert_eq!(credit, Credit::Cancelled);
    });
}

#[test]
fn body_descriptor_arrives_with_its_request() {
    over_both(|mut edge, end| {
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
        edge.send_with(&bytes, Some(body.as_fd()));
        let request = expect_request(&end);
        feed.write_all(b"hi").unwrap();
        let mut got = [0; 2];
        rustix::io::read(request.body.unwrap(), &mut got).unwrap();
        assert_eq!(&got, b"hi");
    });
}

#[test]
fn announced_descriptor_that_does_not_come_closes_the_link() {
    over_both(|mut edge, end| {
        let mut bytes = BytesMut::new();
        put_frame(
            &mut bytes,
            Kind::Request,
            DESCRIPTOR,
            ExchangeId::new(1),
            b"x",
        )
        .unwrap();
        edge.send(&bytes);
        assert!(matches!(
            end.next_request(),
            Err(LinkError::Protocol(FrameError::NoDescriptor))
        ));
    });
}

#[test]
fn nonsense_from_the_edge_closes_the_link() {
    over_both(|mut edge, end| {
        edge.send(&[0xff; 64]);
        assert!(matches!(end.next_request(), Err(LinkError::Protocol(_))));
    });
}

#[test]
fn recalled_request_is_never_begun_and_the_next_one_is() {
    let (mut edge, end) = over_rings();
    let Edge::Rings(_, _, reader) = &edge else {
        unreachable!("made so above")
    };
    let memory = Arc::clone(reader.memory());
    let claim = ring::ClaimId::new(1).unwrap();
    let next = ring::ClaimId::new(2).unwrap();
    memory.claim(claim).offer(ExchangeId::new(1));
    memory.claim(next).offer(ExchangeId::new(2));
    for (number, claim) in [(1, claim), (2, next)] {
        let mut bytes = frame(Kind::Request, number, b"r");
        crate::frame::put_claim(&mut bytes, claim);
        edge.send(&bytes);
    }
    assert!(memory.claim(claim).recall(ExchangeId::new(1)));
    assert_eq!(expect_request(&end).exchange, ExchangeId::new(2));
    assert!(end.is_cancelled(ExchangeId::new(1)), "it is forgotten");
}

#[test]
fn response_longer_than_the_ring_comes_whole_while_the_edge_reads() {
    let (edge, end) = over_rings();
    let Edge::Rings(mut socket, _, mut reader) = edge else {
        unreachable!("made so above")
    };
    let long: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
    thread::scope(|scope| {
        let sending = scope.spawn(|| end.send(&[&long[..10], &long[10..]]));
        let mut got = BytesMut::new();
        while got.len() < long.len() {
            if reader.read(&mut got).unwrap() == 0 {
                thread::yield_now();
            } else if reader.must_wake() {
                socket.write_all(&[0]).unwrap();
            }
        }
        sending.join().unwrap().unwrap();
        assert_eq!(got, long);
    });
}

#[test]
fn worker_that_waits_for_room_leaves_when_the_edge_is_gone() {
    let (edge, end) = over_rings();
    thread::scope(|scope| {
        let sending = scope.spawn(|| end.send(&[&vec![0; 1_000_000]]));
        drop(edge);
        assert!(matches!(sending.join().unwrap(), Err(LinkError::Closed)));
    });
}

#[test]
fn request_that_is_there_is_taken_without_waiting() {
    let (mut edge, end) = over_rings();
    assert!(end.try_request().unwrap().is_none());
    edge.send(&frame(Kind::Request, 1, b"r"));
    edge.send(&frame(Kind::Request, 2, b"r"));
    assert_eq!(end.try_request().unwrap().unwrap().exchange.get(), 1);
    assert_eq!(expect_request(&end).exchange.get(), 2);
    assert!(end.try_request().unwrap().is_none());
}

#[test]
fn event_loop_is_told_everything_and_sleeps_only_when_nothing_came() {
    for pair in [over_socket, over_rings] {
        let (mut edge, end) = pair();
        let end = end.for_event_loop().unwrap();
        assert!(end.try_event().unwrap().is_none());
        edge.send(&frame(Kind::Request, 1, b"r"));
        if matches!(edge, Edge::Rings(..)) {
            assert!(!end.arm(), "something has come meanwhile");
        }
        assert!(matches!(end.try_event().unwrap(), Some(Event::Request(_))));
        assert!(end.try_event().unwrap().is_none() && end.arm());
        edge.send(&frame(Kind::Cancel, 1, b""));
        edge.send(&frame(Kind::Drain, 0, b""));
        assert!(matches!(end.try_event().unwrap(), Some(Event::Cancel(_))));
        assert!(matches!(end.try_event().unwrap(), Some(Event::Finished)));
        edge.send(&cut_short());
        assert!(matches!(end.try_event().unwrap(), Some(Event::CutShort)));
        drop(edge);
        assert!(matches!(end.try_event(), Err(LinkError::Closed)));
    }
}

#[test]
fn disowned_end_refuses_every_use() {
    for pair in [over_socket, over_rings] {
        let (mut edge, end) = pair();
        edge.send(&frame(Kind::Request, 1, b"r"));
        end.disown();
        let refused = [
            end.try_request().map(drop),
            end.next_request().map(drop),
            end.wait_for_credit(ExchangeId::new(1), 1).map(drop),
            end.send(&[b"x"]),
            end.try_send(&[b"x"]).map(drop),
            end.try_send_last(&[b"x"]).map(drop),
            end.try_event().map(drop),
        ];
        assert!(
            refused
                .iter()
                .all(|each| matches!(each, Err(LinkError::Disowned)))
        );
        // What a process does on its way out.
        end.worked(std::time::Duration::from_secs(1));
        end.finish(ExchangeId::new(1));
    }
}

#[test]
fn frame_is_whole_also_when_a_loop_made_the_socket_non_blocking() {
    let (mut edge, worker) = UnixStream::pair().unwrap();
    worker.set_nonblocking(true).unwrap();
    let end = WorkerEnd::new(worker).for_event_loop().unwrap();
    // Far more than a socket holds.
    let sent = vec![7; 4 * 1024 * 1024];
    let reader = thread::spawn(move || {
        let mut read = vec![0; 4 * 1024 * 1024];
        std::io::Read::read_exact(&mut edge, &mut read).map(|()| read)
    });
    end.send(&[&sent]).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), sent);
}

#[test]
fn what_a_loop_reads_while_it_waits_for_room_is_told_in_its_next_turn() {
    let (edge, end) = over_rings();
    let Edge::Rings(mut socket, mut writer, mut reader) = edge else {
        unreachable!("made so above")
    };
    let end = end.for_event_loop().unwrap();
    assert!(end.try_event().unwrap().is_none() && end.arm());
    thread::scope(|scope| {
        let sending = scope.spawn(|| end.send(&[&vec![1; 1_000_000]]));
        writer.write(&[&frame(Kind::Request, 1, b"r")]).unwrap();
        let mut got = BytesMut::new();
        while got.len() < 1_000_000 {
            if reader.read(&mut got).unwrap() == 0 {
                thread::yield_now();
            }
            if reader.must_wake() || writer.must_wake() {
                socket.write_all(&[0]).unwrap();
            }
        }
        sending.join().unwrap().unwrap();
    });
    let mut watched = [rustix::event::PollFd::from_borrowed_fd(
        end.descriptor(),
        rustix::event::PollFlags::IN,
    )];
    assert_eq!(rustix::event::poll(&mut watched, None), Ok(1));
    assert!(matches!(end.try_event().unwrap(), Some(Event::Request(_))));
}

#[test]
fn link_that_an_attempt_finds_broken_is_closed_for_all() {
    for looped in [false, true] {
        let (mut edge, mut end) = over_rings();
        if looped {
            end = end.for_event_loop().unwrap();
        }
        edge.send(&[0xff; 32]);
        let broken = if looped {
            end.try_event().map(drop)
        } else {
            end.try_request().map(drop)
        };
        assert!(matches!(broken, Err(LinkError::Protocol(_))));
        assert!(end.is_closed());
        let credit = end.try_credit(ExchangeId::new(1), 1);
        assert_eq!(credit, Some(Credit::Cancelled));
        drop(edge);
    }
}

#[test]
fn requests_that_were_taken_back_do_not_pile_up_while_no_thread_asks_for_one() {
    let (mut edge, end) = over_rings();
    let memory = Arc::clone(&end.rings.as_ref().unwrap().memory);
    let claim = crate::ring::ClaimId::new(1).unwrap();
    let wanted = crate::ring::ClaimId::new(2).unwrap();
    for number in 1..=1000 {
        let exchange = ExchangeId::new(number);
        let claim = if number == 500 { wanted } else { claim };
        let mut request = frame(Kind::Request, number, &[0; 1000]);
        crate::frame::put_claim(&mut request, claim);
        memory.claim(claim).offer(exchange);
        edge.send(&request);
        // As a thread that looks for credit.
        let mut intake = locked(&end.intake);
        assert!(intake.read_ring(end.rings.as_ref().unwrap()).unwrap());
        let mut inflow = locked(&end.state);
        end.hand_out(&mut intake, &mut inflow).unwrap();
        assert!(inflow.requests.len() <= 33, "at {number}");
        if number != 500 {
            assert!(memory.claim(claim).recall(exchange));
        }
    }
    assert_eq!(expect_request(&end).exchange, ExchangeId::new(500));
    assert!(end.try_request().unwrap().is_none());
}
