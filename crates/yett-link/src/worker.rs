//! The worker's end of its link: blocking, shared by all threads of the worker.
//!
//! There is no reader thread. Whoever needs something from the link reads it, and while it reads it
//! hands what belongs to others to them (leader and followers). So a worker with one thread reads
//! its next request itself, and no wake-up of another thread stands between the socket and the
//! application.
//!
//! An event loop uses [`WorkerEnd::try_event`] instead of the waiting calls, and watches
//! [`WorkerEnd::descriptor`]. A worker does one or the other, never both.
//!
//! Callers from Python must not hold the interpreter's lock while they wait in here.

mod event;
mod inflow;

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;

pub use event::{BodyEnd, Event, MessageKind};
use inflow::Inflow;

use crate::descriptor;
use crate::frame::{DESCRIPTOR, ExchangeId, Frame, FrameError, Inbox, Kind};

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

/// Whether a read waits for something to arrive.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    Blocks,
    Never,
}

impl Waiting {
    const fn flags(self) -> RecvFlags {
        match self {
            Self::Blocks => RecvFlags::empty(),
            Self::Never => RecvFlags::DONTWAIT,
        }
    }
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
    state: Mutex<Inflow>,
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

    /// The end of an event loop, which asks for [`Event`]s and never waits in here.
    #[must_use]
    pub fn for_event_loop(socket: UnixStream) -> Self {
        let end = Self::new(socket);
        locked(&end.state).tells = true;
        end
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
        self.wait(|state| state.credit(exchange, len))
            .map(|credit| credit.unwrap_or(Credit::Interrupted))
    }

    /// Whether the edge has said that nobody waits for this response. Looks, never waits.
    #[must_use]
    pub fn is_cancelled(&self, exchange: ExchangeId) -> bool {
        locked(&self.state).is_cancelled(exchange)
    }

    /// Whether the edge is known to be gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        locked(&self.state).closed
    }

    /// Forgets an exchange whose last frame was sent.
    pub fn finish(&self, exchange: ExchangeId) {
        locked(&self.state).forget(exchange);
    }

    /// Takes `len` bytes of credit for this response if they may be sent now; `None` means that they
    /// may not yet, and that an [`Event::Credit`] or [`Event::Cancel`] of this exchange will follow.
    ///
    /// The rule is that of [`WorkerEnd::wait_for_credit`].
    #[must_use]
    pub fn try_credit(&self, exchange: ExchangeId, len: usize) -> Option<Credit> {
        locked(&self.state).credit(exchange, len)
    }

    /// Sends the pieces as one, in order with other threads' sends.
    ///
    /// Never hands out part of a frame: it returns when all is with the kernel. The edge always
    /// reads, and what it must hold is bounded by credit, so this does not wait for clients.
    ///
    /// # Errors
    /// [`LinkError::Closed`] when the edge is gone, [`LinkError::Socket`] otherwise.
    pub fn send(&self, pieces: &[&[u8]]) -> Result<(), LinkError> {
        self.send_with(pieces, None)
    }

    /// As [`WorkerEnd::send`], with the descriptor that the frame's [`DESCRIPTOR`] flag announces.
    ///
    /// # Errors
    /// As [`WorkerEnd::send`].
    pub fn send_with(
        &self,
        pieces: &[&[u8]],
        mut descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<(), LinkError> {
        let _in_order = locked(&self.writer);
        let mut pieces: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest: &mut [IoSlice<'_>] = &mut pieces;
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match descriptor::send(self.socket.as_fd(), rest, descriptor) {
                Ok(sent) => {
                    if sent > 0 {
                        descriptor = None;
                    }
                    IoSlice::advance_slices(&mut rest, sent);
                }
                Err(Errno::INTR) => {}
                // An event loop may have made the socket non-blocking, as libuv does.
                Err(Errno::AGAIN) => self.wait_for_room()?,
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

    /// Waits until the socket takes something, or is at its end.
    fn wait_for_room(&self) -> Result<(), LinkError> {
        let mut socket = [PollFd::new(&self.socket, PollFlags::OUT)];
        match poll(&mut socket, None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until `look` finds something; `None` after a signal.
    fn wait<T>(
        &self,
        mut look: impl FnMut(&mut Inflow) -> Option<T>,
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
            let outcome = self.read_once(Waiting::Blocks);
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
    fn read_once(&self, waiting: Waiting) -> Result<Vec<(Frame, Option<OwnedFd>)>, LinkError> {
        let mut guard = locked(&self.reader);
        let Reader {
            inbox,
            descriptors,
            scratch,
        } = &mut *guard;
        let count =
            match descriptor::receive(self.socket.as_fd(), scratch, descriptors, waiting.flags()) {
                Ok(0) | Err(Errno::CONNRESET) => return Err(LinkError::Closed),
                Ok(count) => count,
                Err(error) => return Err(error.into()),
            };
        inbox.feed(scratch.get(..count).unwrap_or_default());
        let mut frames = Vec::new();
        while let Some(frame) = inbox.next_frame()? {
            let body = if frame.kind == Kind::Request && frame.flags & DESCRIPTOR != 0 {
                Some(descriptors.pop_front().ok_or(FrameError::NoDescriptor)?)
            } else {
                None
            };
            frames.push((frame, body));
        }
        Ok(frames)
    }
}

#[cfg(test)]
mod tests;
