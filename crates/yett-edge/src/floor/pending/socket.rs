//! Exchanges that ask for a WebSocket, or are one: what of a worker's frames reaches whom.
//!
//! Bounds, of each WebSocket: what the worker sent and the client has not taken, by
//! `RESPONSE_WINDOW`; messages without a byte, which cost no credit, by [`MOST_EMPTY`]; what the
//! client sent and the application has not taken, by `REQUEST_WINDOW` ([`Toll`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use yett_link::frame::{
    ExchangeId, Frame, FrameError, Kind, MAX_CHUNK, MORE, REQUEST_WINDOW, RESPONSE_WINDOW, TEXT,
    message_cost,
};

use super::body::BodyWaiter;
use super::{Pending, Pendings, Waiter};
use crate::floor::exchange::{AppBody, AppHead, Lost};
use crate::floor::socket::{Accepted, FromApp, Handshake};

/// Empty messages of the application's that may wait for a slow client; a worker that sends more
/// loses its link.
const MOST_EMPTY: usize = 64 * 1024;

/// Where the application's answer to a request for a WebSocket arrives.
pub(in crate::floor) type Reply = oneshot::Receiver<Result<Handshake, Lost>>;

/// Who waits for the frames of such an exchange.
pub(in crate::floor) struct SocketWaiter {
    stage: Stage,
    toll: Arc<Toll>,
}

enum Stage {
    /// The application has not answered yet.
    Handshake(oneshot::Sender<Result<Handshake, Lost>>),
    /// The client left before it did. The place at the worker is taken until the worker answers.
    Left,
    Open(mpsc::UnboundedSender<FromApp>),
}

/// What is on its way to the application or waits there, of one WebSocket.
#[derive(Debug, Default)]
pub(in crate::floor) struct Toll {
    /// What the messages there count together. Only the connection adds to it.
    sum: AtomicUsize,
    changed: Notify,
    /// Empty messages of the application's that wait for the client.
    empty: AtomicUsize,
}

impl Toll {
    /// Whether a piece of `len` bytes may be sent now.
    pub(in crate::floor) fn has_room(&self, len: usize) -> bool {
        self.sum.load(Ordering::Acquire) + message_cost(len) <= REQUEST_WINDOW
    }

    pub(in crate::floor) fn sent(&self, len: usize) {
        self.sum.fetch_add(message_cost(len), Ordering::AcqRel);
    }

    fn took(&self, count: usize) -> Result<(), FrameError> {
        let less = |sum: usize| sum.checked_sub(count);
        self.sum
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, less)
            .map_err(|_| FrameError::Malformed("credit for what was not sent"))?;
        self.changed.notify_one();
        Ok(())
    }

    /// Waits until the application has taken something.
    pub(in crate::floor) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The client's side took an empty message.
    pub(in crate::floor) fn took_empty(&self) {
        self.empty.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a frame changes in what its worker has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::floor) enum Turn {
    Nothing,
    /// A request is over.
    RequestOver,
    /// A request became a WebSocket.
    Opened,
    /// A WebSocket is over.
    SocketOver,
}

/// What the worker has to be told when the edge ends an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::floor) enum Departure {
    /// Nothing: it has ended the exchange itself.
    Nothing,
    /// That the client left before the application's answer.
    BeforeAnswer,
    /// That the WebSocket is over; the exchange is forgotten.
    SocketOver,
    /// That nobody waits for the answer that is none of a WebSocket.
    Cancel,
}

impl SocketWaiter {
    pub(super) fn fail(self, lost: Lost) {
        match self.stage {
            Stage::Handshake(waiter) => {
                let _client_left = waiter.send(Err(lost));
            }
            Stage::Open(events) => {
                let _client_left = events.send(FromApp::Lost(lost));
            }
            Stage::Left => {}
        }
    }

    fn leave_handshake(&mut self, lost: Lost) {
        if matches!(self.stage, Stage::Handshake(_)) {
            self.answer(Stage::Left, Err(lost));
        }
    }

    fn answer(&mut self, next: Stage, answer: Result<Handshake, Lost>) {
        if let Stage::Handshake(waiter) = std::mem::replace(&mut self.stage, next) {
            // Who asked and left says so by itself.
            let _client_left = waiter.send(answer);
        }
    }
}

impl Pendings {
    /// Enters an exchange that asks for a WebSocket; `None` when the link is closed. As
    /// [`Pendings::begin`].
    pub(in crate::floor) fn begin_socket(
        &self,
        id: ExchangeId,
        closed: &AtomicBool,
    ) -> Option<(Reply, Arc<Toll>)> {
        let (sender, receiver) = oneshot::channel();
        let toll = Arc::new(Toll::default());
        let mut table = self.table();
        if closed.load(Ordering::Acquire) {
            return None;
        }
        let pending = Pending {
            state: Waiter::Socket(SocketWaiter {
                stage: Stage::Handshake(sender),
                toll: Arc::clone(&toll),
            }),
            claim: None,
            begun: false,
            sent: Instant::now(),
            since: Instant::now(),
            unacknowledged: 0,
            hints: None,
            window: None,
        };
        table.exchanges.insert(id, pending);
        Some((receiver, toll))
    }

    pub(in crate::floor) fn is_socket(&self, id: ExchangeId) -> bool {
        let table = self.table();
        let pending = table.exchanges.get(&id);
        pending.is_some_and(|pending| matches!(pending.state, Waiter::Socket(_)))
    }

    /// The worker took so many bytes of what the client sent.
    ///
    /// # Errors
    /// [`FrameError`] when it cannot have; the link must be closed.
    pub(in crate::floor) fn socket_took(&self, frame: &Frame) -> Result<(), FrameError> {
        let mut payload = frame.payload.clone();
        if payload.len() < 4 {
            return Err(FrameError::Malformed("credit"));
        }
        let count = usize::try_from(payload.get_u32_le()).unwrap_or(usize::MAX);
        match self
            .table()
            .exchanges
            .get(&frame.exchange)
            .map(|found| &found.state)
        {
            Some(Waiter::Socket(waiter)) => waiter.toll.took(count),
            _ => Ok(()),
        }
    }

    /// The client's side of an exchange is over, whatever the worker still sends.
    pub(in crate::floor) fn leave_socket(&self, id: ExchangeId) -> Departure {
        let mut table = self.table();
        let Some(pending) = table.exchanges.get_mut(&id) else {
            return Departure::Nothing;
        };
        match &mut pending.state {
            Waiter::Socket(waiter) => match waiter.stage {
                Stage::Handshake(_) => {
                    waiter.stage = Stage::Left;
                    Departure::BeforeAnswer
                }
                // Who failed it has told the worker, or will.
                Stage::Left => Departure::Nothing,
                Stage::Open(_) => {
                    let _over = table.remove(id);
                    Departure::SocketOver
                }
            },
            _ => Departure::Cancel,
        }
    }

    /// Fails requests for WebSockets that the application has left unanswered for too long. The
    /// worker is not to blame for it: a WebSocket's application may wait for what it likes.
    ///
    /// An open WebSocket may be silent for ever; pings are what looks after its client.
    pub(in crate::floor) fn fail_overdue_handshakes(&self, limit: Duration) {
        for pending in self.table().exchanges.values_mut() {
            if let Waiter::Socket(waiter) = &mut pending.state
                && pending.since.elapsed() >= limit
            {
                waiter.leave_handshake(Lost::Timeout);
            }
        }
    }

    /// Ends every WebSocket and everything that would become one; returns them, and how many of
    /// them were open.
    pub(in crate::floor) fn cut_sockets(&self) -> (Vec<ExchangeId>, usize) {
        let mut table = self.table();
        let mut told = Vec::new();
        let mut open = 0;
        table.exchanges.retain(|id, pending| {
            let Waiter::Socket(waiter) = &mut pending.state else {
                return true;
            };
            told.push(*id);
            let lost = Lost::Worker { begun: true };
            if let Stage::Open(events) = &waiter.stage {
                let _client_left = events.send(FromApp::Lost(lost));
                open += 1;
                return false;
            }
            waiter.leave_handshake(lost);
            true
        });
        (told, open)
    }

    /// Gives a frame to the WebSocket that waits for it.
    ///
    /// # Errors
    /// [`FrameError`] when the frame breaks the protocol; the link must be closed.
    pub(in crate::floor) fn deliver_to_socket(&self, frame: Frame) -> Result<Turn, FrameError> {
        let mut table = self.table();
        let Some(pending) = table.exchanges.get_mut(&frame.exchange) else {
            return Ok(Turn::Nothing);
        };
        let Waiter::Socket(waiter) = &mut pending.state else {
            return match (&pending.state, frame.kind) {
                // The client left while a refusal was on its way to it.
                (Waiter::Nobody, _) => Ok(Turn::Nothing),
                (_, kind) => Err(FrameError::UnknownKind(kind as u8)),
            };
        };
        pending.since = Instant::now();
        pending.begun = true;
        let (id, last) = (frame.exchange, frame.is_last());
        let turn = match (&mut waiter.stage, frame.kind) {
            (Stage::Open(events), Kind::Reply) => {
                charge(
                    &mut pending.unacknowledged,
                    &waiter.toll,
                    frame.payload.len(),
                )?;
                let _client_left = events.send(FromApp::Reply {
                    text: frame.flags & TEXT != 0,
                    more: frame.flags & MORE != 0,
                    piece: frame.payload,
                });
                Turn::Nothing
            }
            (Stage::Open(events), Kind::Close) => {
                let (code, reason) = close(&frame.payload)?;
                let _client_left = events.send(FromApp::Close { code, reason });
                Turn::SocketOver
            }
            (Stage::Open(events), Kind::Failed) => {
                let _client_left = events.send(FromApp::Lost(Lost::AppFailed));
                Turn::SocketOver
            }
            (Stage::Left, Kind::Accept) => Turn::RequestOver,
            (Stage::Left, Kind::Response | Kind::Chunk | Kind::Failed | Kind::Close) => {
                if last {
                    Turn::RequestOver
                } else {
                    Turn::Nothing
                }
            }
            (Stage::Handshake(_), Kind::Accept) => {
                let head = AppHead::parse(&frame.payload, AppBody::Whole)?;
                let (sender, events) = mpsc::unbounded_channel();
                let accepted = Accepted {
                    headers: head.headers,
                    events,
                };
                waiter.answer(Stage::Open(sender), Ok(Handshake::Accepted(accepted)));
                Turn::Opened
            }
            (Stage::Handshake(_), Kind::Response) => {
                refuse(pending, &frame)?;
                if last {
                    Turn::RequestOver
                } else {
                    Turn::Nothing
                }
            }
            (Stage::Handshake(_), Kind::Close) => {
                waiter.answer(Stage::Left, Ok(Handshake::Closed));
                Turn::RequestOver
            }
            (Stage::Handshake(_), Kind::Failed) => {
                waiter.answer(Stage::Left, Err(Lost::AppFailed));
                Turn::RequestOver
            }
            (_, kind) => return Err(FrameError::UnknownKind(kind as u8)),
        };
        if matches!(turn, Turn::RequestOver | Turn::SocketOver) {
            let _over = table.remove(id);
        }
        Ok(turn)
    }
}

/// The application answers a request for a WebSocket as it would any other: from here on it is one.
fn refuse(pending: &mut Pending, frame: &Frame) -> Result<(), FrameError> {
    let (body, next) = if frame.is_last() {
        (AppBody::Whole, Waiter::Nobody)
    } else {
        let (waiter, pieces) = BodyWaiter::new();
        (AppBody::Stream(pieces), Waiter::Body(waiter))
    };
    let head = AppHead::parse(&frame.payload, body)?;
    if !frame.is_last() {
        pending.unacknowledged += head.first.len();
    }
    if let Waiter::Socket(mut waiter) = std::mem::replace(&mut pending.state, next) {
        waiter.answer(Stage::Left, Ok(Handshake::Refused(head)));
    }
    Ok(())
}

/// Counts a piece of the application's against its window.
fn charge(unacknowledged: &mut usize, toll: &Toll, len: usize) -> Result<(), FrameError> {
    if len > MAX_CHUNK {
        return Err(FrameError::Malformed("message's piece"));
    }
    let debt = *unacknowledged + len;
    if *unacknowledged > 0 && debt > RESPONSE_WINDOW {
        return Err(FrameError::Malformed("message beyond its credit"));
    }
    *unacknowledged = debt;
    if len == 0 && toll.empty.fetch_add(1, Ordering::Relaxed) >= MOST_EMPTY {
        return Err(FrameError::Malformed("too many empty messages"));
    }
    Ok(())
}

fn close(payload: &Bytes) -> Result<(u16, String), FrameError> {
    let mut rest = payload.clone();
    if rest.len() < 2 {
        return Err(FrameError::Malformed("close code"));
    }
    let code = rest.get_u16_le();
    Ok((code, String::from_utf8_lossy(&rest).into_owned()))
}
