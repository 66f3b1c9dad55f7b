//! The link as an event loop sees it: nothing waits, everything is told as an event.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::io::Errno;

use super::intake::Waiting;
use super::{Incoming, LinkError, WorkerEnd, locked};
use crate::frame::{ExchangeId, Kind, put_frame};

/// What an event loop is told.
#[derive(Debug)]
pub enum Event {
    /// A request to answer.
    Request(Incoming),
    /// A piece of a request's body that is still arriving. The worker answers with
    /// [`Kind::BodyCredit`] when the application has taken it.
    Body {
        /// Whose.
        exchange: ExchangeId,
        /// The bytes, perhaps none.
        piece: Bytes,
        /// Whether more follows.
        end: BodyEnd,
    },
    /// A message of the client's, or a piece of it. Acknowledged as a body is.
    Message {
        /// Whose.
        exchange: ExchangeId,
        /// As the client sent it.
        kind: MessageKind,
        /// The bytes; of a text, whole messages are UTF-8, pieces need not be.
        piece: Bytes,
        /// The message goes on in the next event.
        more: bool,
    },
    /// The WebSocket is closed; nothing of this exchange follows.
    Disconnect {
        /// Whose.
        exchange: ExchangeId,
        /// RFC 6455 section 7.4; 1005 when the client gave none, 1006 when it vanished.
        code: u16,
        /// Perhaps empty.
        reason: String,
    },
    /// More of this response may be sent: try again what [`WorkerEnd::try_credit`] did not allow.
    Credit(ExchangeId),
    /// This response took too long; its [`Event::Cancel`] follows.
    Overdue(ExchangeId),
    /// Nobody waits for this response any more.
    Cancel(ExchangeId),
    /// No request will come any more: finish what runs, then leave.
    Finished,
    /// As [`Event::Finished`], and the grace period is about over: end what still runs.
    CutShort,
}

/// Whether a request's body goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// More follows.
    Open,
    /// This was the last piece.
    Whole,
    /// The client left or broke the rules; the rest never comes.
    CutShort,
}

/// What a WebSocket message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
}

/// What an event loop watches: the socket, and a wish of ours to be looked at again.
///
/// One descriptor for both. It also keeps loops, which make what they watch non-blocking, from the
/// socket.
#[derive(Debug)]
pub(super) struct Turn {
    watched: OwnedFd,
    again: OwnedFd,
    asked: AtomicBool,
}

impl Turn {
    pub(super) fn new(socket: &UnixStream) -> Result<Self, Errno> {
        let watched = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let again = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let readable = epoll::EventFlags::IN;
        epoll::add(&watched, socket, epoll::EventData::new_u64(0), readable)?;
        epoll::add(&watched, &again, epoll::EventData::new_u64(1), readable)?;
        Ok(Self {
            watched,
            again,
            asked: AtomicBool::new(false),
        })
    }

    /// The loop is to look once more.
    pub(super) fn ask(&self) {
        if !self.asked.swap(true, Ordering::AcqRel) {
            let _full = rustix::io::write(&self.again, &1_u64.to_ne_bytes());
        }
    }

    /// The loop looks.
    fn answer(&self) {
        if self.asked.swap(false, Ordering::AcqRel) {
            let _empty = rustix::io::read(&self.again, &mut [0; 8]);
        }
    }
}

impl WorkerEnd {
    /// The next event if one has arrived; never waits. [`Event::Finished`] is told again and again.
    ///
    /// # Errors
    /// [`LinkError`] when the edge does not speak the protocol or the socket fails; an edge that is
    /// gone is [`LinkError::Closed`].
    pub fn try_event(&self) -> Result<Option<Event>, LinkError> {
        self.ours()?;
        if let Some(turn) = &self.turn {
            turn.answer();
        }
        loop {
            let pings = {
                let mut inflow = locked(&self.state);
                // Requests come before the rest: nothing else of an exchange can arrive before its
                // request, and the events of other exchanges lose nothing by it.
                if let Some(request) = self.begin_next(&mut inflow) {
                    return Ok(Some(Event::Request(request)));
                }
                if let Some(event) = inflow.events.pop_front() {
                    return Ok(Some(event));
                }
                std::mem::take(&mut inflow.pings)
            };
            for _ in 0..pings {
                let mut frame = BytesMut::with_capacity(16);
                put_frame(&mut frame, Kind::Pong, 0, ExchangeId::new(0), &[])?;
                self.send(&[&frame])?;
            }
            let mut intake = locked(&self.intake);
            match intake.read(&self.socket, self.rings.as_ref(), Waiting::Never) {
                Ok(()) => {}
                Err(LinkError::Socket(Errno::AGAIN)) => {
                    let inflow = locked(&self.state);
                    return Ok(inflow.drained.then_some(Event::Finished));
                }
                Err(LinkError::Socket(Errno::INTR)) => continue,
                Err(error) => {
                    locked(&self.state).closed = true;
                    return Err(error);
                }
            }
            let mut inflow = locked(&self.state);
            if let Err(error) = self.hand_out(&mut intake, &mut inflow) {
                inflow.closed = true;
                return Err(error);
            }
        }
    }

    /// To be called when [`WorkerEnd::try_event`] found nothing, before waiting on
    /// [`WorkerEnd::descriptor`]. `false`: something has arrived meanwhile, look again.
    pub fn arm(&self) -> bool {
        // Without rings a socket stays readable until it is read, so nothing can be missed.
        locked(&self.intake).lie_down()
    }

    /// What becomes readable when there may be an event.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.turn {
            Some(turn) => turn.watched.as_fd(),
            None => self.socket.as_fd(),
        }
    }
}
