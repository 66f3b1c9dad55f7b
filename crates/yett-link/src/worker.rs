//! The worker's end of its link: blocking, shared by all threads of the worker.
//!
//! There is no reader thread. Whoever needs something from the link reads it, and while it reads it
//! hands what belongs to others to them (leader and followers). So a worker with one thread reads
//! its next request itself, and no wake-up of another thread stands between the socket and the
//! application.
//!
//! Callers from Python must not hold the interpreter's lock while they wait in here.

use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use rustix::io::Errno;

use crate::descriptor;
use crate::frame::{BODY_DESCRIPTOR, ExchangeId, Frame, FrameError, Inbox, Kind, RESPONSE_WINDOW};

/// One request as it came, its payload still to be read by
/// [`RequestView::parse`](crate::request::RequestView::parse).
#[derive(Debug)]
pub struct Incoming {
    /// The exchange to answer under.
    pub exchange: ExchangeId,
    /// Flags of the frame.
    pub flags: u8,
    /// The payload.
    pub payload: Bytes,
    /// The body, when it did not fit into the frame.
    pub body: Option<OwnedFd>,
}

/// What waiting for a request ended with.
#[derive(Debug)]
pub enum Next {
    /// A request to answer.
    Request(Incoming),
    /// No request will come any more: leave.
    Finished,
    /// A signal arrived; look at it and wait again.
    Interrupted,
}

/// What waiting for credit ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credit {
    /// The bytes may be sent.
    Granted,
    /// Nobody waits for this response any more: stop, and end the exchange.
    Cancelled,
    /// A signal arrived; look at it and wait again.
    Interrupted,
}

/// Why a link cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The edge is gone.
    #[error("the link to the edge is closed")]
    Closed,
    /// The edge does not speak the protocol.
    #[error("the edge sent something that is not a frame of this protocol")]
    Protocol(#[from] FrameError),
    /// The socket failed.
    #[error("the link's socket failed")]
    Socket(#[from] Errno),
}

/// Shared state; the lock is held for moments, never over a system call that waits.
#[derive(Debug, Default)]
struct State {
    /// Some thread is reading the socket now.
    reading: bool,
    /// No request will follow.
    drained: bool,
    /// The socket is at its end or broken.
    closed: bool,
    requests: VecDeque<Incoming>,
    /// Per exchange that has arrived: what may still be sent for it, or that it is cancelled.
    windows: HashMap<ExchangeId, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    left: usize,
    cancelled: bool,
}

#[derive(Debug, Default)]
struct Reader {
    inbox: Inbox,
    descriptors: VecDeque<OwnedFd>,
    scratch: Vec<u8>,
}

/// The worker's end. Queued requests are bounded by what the edge sends ahead, which is its rule.
#[derive(Debug)]
pub struct WorkerEnd {
    socket: UnixStream,
    state: Mutex<State>,
    changed: Condvar,
    reader: Mutex<Reader>,
    writer: Mutex<()>,
}

// A poisoned lock means that a thread panicked between two assignments of plain data; every state in
// between is one that the protocol allows, so going on is right.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkerEnd {
    /// The end made of this socket, which must be blocking.
    #[must_use]
    pub fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            state: Mutex::default(),
            changed: Condvar::new(),
            reader: Mutex::new(Reader {
                scratch: vec![0; 64 * 1024],
                ..Reader::default()
            }),
            writer: Mutex::new(()),
        }
    }

    /// Waits for the next request.
    ///
    /// # Errors
    /// [`LinkError`] when the edge does not speak the protocol or the socket fails. An edge that
    /// closed the link is [`Next::Finished`].
    pub fn next_request(&self) -> Result<Next, LinkError> {
        self.wait(|state| {
            if let Some(request) = state.requests.pop_front() {
                return Some(Next::Request(request));
            }
            (state.drained || state.closed).then_some(Next::Finished)
        })
        .map(|next| next.unwrap_or(Next::Interrupted))
    }

    /// Waits until `len` more bytes of this response may be sent.
    ///
    /// A piece longer than the whole window is granted when the window is empty of debts.
    ///
    /// # Errors
    /// As [`WorkerEnd::next_request`]; a closed link is [`Credit::Cancelled`].
    pub fn wait_for_credit(&self, exchange: ExchangeId, len: usize) -> Result<Credit, LinkError> {
        self.wait(|state| {
            if state.closed {
                return Some(Credit::Cancelled);
            }
            let Some(window) = state.windows.get_mut(&exchange) else {
                return Some(Credit::Cancelled);
            };
            if window.cancelled {
                return Some(Credit::Cancelled);
            }
            if window.left >= len || window.left == RESPONSE_WINDOW {
                window.left = window.left.saturating_sub(len);
                return Some(Credit::Granted);
            }
            None
        })
        .map(|credit| credit.unwrap_or(Credit::Interrupted))
    }

    /// Whether the edge has said that nobody waits for this response. Looks, never waits.
    #[must_use]
    pub fn is_cancelled(&self, exchange: ExchangeId) -> bool {
        let state = locked(&self.state);
        state.closed
            || state
                .windows
                .get(&exchange)
                .is_none_or(|window| window.cancelled)
    }

    /// Whether the edge is known to be gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        locked(&self.state).closed
    }

    /// Forgets an exchange whose last frame was sent.
    pub fn finish(&self, exchange: ExchangeId) {
        locked(&self.state).windows.remove(&exchange);
    }

    /// Sends the pieces as one, in order with other threads' sends.
    ///
    /// Never hands out part of a frame: it returns when all is with the kernel. The edge always
    /// reads, and what it must hold is bounded by credit, so this does not wait for clients.
    ///
    /// # Errors
    /// [`LinkError::Closed`] when the edge is gone, [`LinkError::Socket`] otherwise.
    pub fn send(&self, pieces: &[&[u8]]) -> Result<(), LinkError> {
        let _in_order = locked(&self.writer);
        let mut pieces: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest: &mut [IoSlice<'_>] = &mut pieces;
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match descriptor::send(self.socket.as_fd(), rest, None) {
                Ok(sent) => IoSlice::advance_slices(&mut rest, sent),
                Err(Errno::INTR) => {}
                Err(Errno::PIPE | Errno::CONNRESET) => {
                    locked(&self.state).closed = true;
                    self.changed.notify_all();
                    return Err(LinkError::Closed);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits until `look` finds something; `None` after a signal.
    fn wait<T>(
        &self,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>, LinkError> {
        let mut state = locked(&self.state);
        loop {
            if let Some(found) = look(&mut state) {
                return Ok(Some(found));
            }
            if state.reading {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.reading = true;
            drop(state);
            let outcome = self.read_once();
            state = locked(&self.state);
            state.reading = false;
            // Whatever happened, another thread must take over reading or see the news.
            self.changed.notify_all();
            match outcome {
                Ok(frames) => frames
                    .into_iter()
                    .for_each(|(frame, body)| state.take(frame, body)),
                Err(LinkError::Socket(Errno::INTR)) => return Ok(None),
                Err(LinkError::Closed) => state.closed = true,
                Err(error) => {
                    state.closed = true;
                    return Err(error);
                }
            }
        }
    }

    /// One read of the socket, cut into frames. Only the thread that set `reading` comes here.
    fn read_once(&self) -> Result<Vec<(Frame, Option<OwnedFd>)>, LinkError> {
        let mut guard = locked(&self.reader);
        let Reader {
            inbox,
            descriptors,
            scratch,
        } = &mut *guard;
        let count = match descriptor::receive(self.socket.as_fd(), scratch, descriptors) {
            Ok(0) | Err(Errno::CONNRESET) => return Err(LinkError::Closed),
            Ok(count) => count,
            Err(error) => return Err(error.into()),
        };
        inbox.feed(scratch.get(..count).unwrap_or_default());
        let mut frames = Vec::new();
        while let Some(frame) = inbox.next_frame()? {
            let body = if frame.kind == Kind::Request && frame.flags & BODY_DESCRIPTOR != 0 {
                Some(descriptors.pop_front().ok_or(FrameError::NoDescriptor)?)
            } else {
                None
            };
            frames.push((frame, body));
        }
        Ok(frames)
    }
}

impl State {
    fn take(&mut self, frame: Frame, body: Option<OwnedFd>) {
        let Frame {
            kind,
            flags,
            exchange,
            mut payload,
        } = frame;
        match kind {
            Kind::Request => {
                // The window stands before anybody takes the request, so that a cancellation that
                // comes early is not lost.
                let window = Window {
                    left: RESPONSE_WINDOW,
                    cancelled: false,
                };
                self.windows.insert(exchange, window);
                self.requests.push_back(Incoming {
                    exchange,
                    flags,
                    payload,
                    body,
                });
            }
            Kind::Credit => {
                let granted = if payload.len() >= 4 {
                    payload.get_u32_le()
                } else {
                    0
                };
                if let Some(window) = self.windows.get_mut(&exchange) {
                    let granted = usize::try_from(granted).unwrap_or(usize::MAX);
                    window.left = window.left.saturating_add(granted).min(RESPONSE_WINDOW);
                }
            }
            Kind::Cancel => {
                let window = self.windows.entry(exchange);
                window.and_modify(|window| window.cancelled = true);
            }
            Kind::Drain => self.drained = true,
            // The worker's own kinds never come from the edge; a newer edge does not exist, as both
            // ends are one build.
            Kind::Ready | Kind::Begun | Kind::Response | Kind::Chunk | Kind::Failed => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;

    use bytes::BytesMut;

    use super::*;
    use crate::frame::put_frame;

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
            BODY_DESCRIPTOR,
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
            BODY_DESCRIPTOR,
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
}
