//! The exchanges that a worker has not ended yet, and what of their frames reaches whom.

mod socket;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use yett_link::frame::{ExchangeId, Frame, FrameError, Kind, RESPONSE_WINDOW};

use super::exchange::{AppBody, AppHead, Lost};
use socket::SocketWaiter;
pub(super) use socket::{Departure, Toll, Turn};

/// The table of one link. Its lock is held for moments. Bounded by the floor, which gives a worker
/// no more requests than it may have.
#[derive(Default)]
pub(super) struct Pendings {
    table: Mutex<HashMap<ExchangeId, Pending>>,
}

/// One exchange that the worker has not ended yet.
struct Pending {
    state: Waiter,
    begun: bool,
    /// When the worker last showed that it works on this.
    since: Instant,
    /// Bytes that the worker sent and the client has not taken yet.
    unacknowledged: usize,
}

enum Waiter {
    Head(oneshot::Sender<Result<AppHead, Lost>>),
    Body(mpsc::UnboundedSender<Result<Bytes, Lost>>),
    /// Of a WebSocket, from its request to its end.
    Socket(SocketWaiter),
    /// The client left; what still comes is thrown away.
    Nobody,
}

impl Waiter {
    fn fail(self, lost: Lost) {
        match self {
            Self::Head(waiter) => {
                let _client_left = waiter.send(Err(lost));
            }
            Self::Body(waiter) => {
                let _client_left = waiter.send(Err(lost));
            }
            Self::Socket(waiter) => waiter.fail(lost),
            Self::Nobody => {}
        }
    }
}

impl Pendings {
    fn table(&self) -> MutexGuard<'_, HashMap<ExchangeId, Pending>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters an exchange; `None` when the link is closed.
    ///
    /// The flag is looked at under the table's lock: who closes sets it and then calls
    /// [`Pendings::orphan`], so an entry made here is either seen there or not made.
    pub(super) fn begin(
        &self,
        id: ExchangeId,
        closed: &AtomicBool,
    ) -> Option<oneshot::Receiver<Result<AppHead, Lost>>> {
        let (sender, receiver) = oneshot::channel();
        let mut table = self.table();
        if closed.load(Ordering::Acquire) {
            return None;
        }
        let pending = Pending {
            state: Waiter::Head(sender),
            begun: false,
            since: Instant::now(),
            unacknowledged: 0,
        };
        table.insert(id, pending);
        Some(receiver)
    }

    pub(super) fn contains(&self, id: ExchangeId) -> bool {
        self.table().contains_key(&id)
    }

    /// The application was called for this exchange.
    pub(super) fn begun(&self, id: ExchangeId) {
        if let Some(pending) = self.table().get_mut(&id) {
            pending.begun = true;
            pending.since = Instant::now();
        }
    }

    /// The client took `len` bytes of this exchange.
    pub(super) fn taken(&self, id: ExchangeId, len: usize) {
        if let Some(pending) = self.table().get_mut(&id) {
            pending.unacknowledged = pending.unacknowledged.saturating_sub(len);
            pending.since = Instant::now();
        }
    }

    /// Nobody waits for this exchange any more; true if the worker has not ended it.
    pub(super) fn abandon(&self, id: ExchangeId) -> bool {
        let mut table = self.table();
        let Some(pending) = table.get_mut(&id) else {
            return false;
        };
        pending.state = Waiter::Nobody;
        if pending.unacknowledged > 0 {
            // Perhaps the worker waited for this client until now: its time begins here.
            pending.unacknowledged = 0;
            pending.since = Instant::now();
        }
        true
    }

    /// Gives a frame to the exchange that waits for it.
    ///
    /// # Errors
    /// [`FrameError`] when the frame breaks the protocol; the link must be closed.
    pub(super) fn deliver(&self, frame: Frame) -> Result<(), FrameError> {
        let last = frame.is_last();
        let mut table = self.table();
        let Some(pending) = table.get_mut(&frame.exchange) else {
            return Ok(());
        };
        pending.since = Instant::now();
        pending.begun = true;
        match (
            std::mem::replace(&mut pending.state, Waiter::Nobody),
            frame.kind,
        ) {
            (Waiter::Head(waiter), Kind::Response) => {
                let body = if last {
                    AppBody::Whole
                } else {
                    let (sender, receiver) = mpsc::unbounded_channel();
                    pending.state = Waiter::Body(sender);
                    AppBody::Stream(receiver)
                };
                let head = AppHead::parse(&frame.payload, body)?;
                pending.unacknowledged += if last { 0 } else { head.first.len() };
                // A client that left has dropped the receiving end; `cancel` follows from there.
                let _client_left = waiter.send(Ok(head));
            }
            (Waiter::Body(waiter), Kind::Chunk) => {
                let debt = pending.unacknowledged + frame.payload.len();
                // One piece may be longer than the window if it finds the window empty, as
                // `WorkerEnd::wait_for_credit` has it.
                if pending.unacknowledged > 0 && debt > RESPONSE_WINDOW {
                    pending.state = Waiter::Body(waiter);
                    return Err(FrameError::Malformed("chunk beyond its credit"));
                }
                pending.unacknowledged = debt;
                let _client_left = waiter.send(Ok(frame.payload));
                if !last {
                    pending.state = Waiter::Body(waiter);
                }
            }
            (waiter @ (Waiter::Head(_) | Waiter::Body(_)), Kind::Failed) => {
                waiter.fail(Lost::AppFailed);
            }
            (Waiter::Nobody, _) => {}
            // Its frames take the way of `deliver_to_socket`.
            (waiter @ Waiter::Socket(_), kind) => {
                pending.state = waiter;
                return Err(FrameError::UnknownKind(kind as u8));
            }
            // A chunk before its head, or a second head.
            (waiter @ (Waiter::Head(_) | Waiter::Body(_)), kind) => {
                // Put back, so that closing the link fails it: a dropped sender would look like
                // the body's end.
                pending.state = waiter;
                return Err(FrameError::UnknownKind(kind as u8));
            }
        }
        if last {
            table.remove(&frame.exchange);
        }
        Ok(())
    }

    /// Fails exchanges in which the worker has shown nothing for too long; true if there are any.
    ///
    /// An exchange whose client is slow to take what the worker sent is not overdue, one whose
    /// client left is: the worker is stuck all the same.
    pub(super) fn fail_overdue(&self, limit: Duration) -> bool {
        let mut overdue = false;
        for pending in self.table().values_mut() {
            // They have a look of their own: `fail_overdue_handshakes`.
            if matches!(pending.state, Waiter::Socket(_)) {
                continue;
            }
            if pending.unacknowledged > 0 || pending.since.elapsed() < limit {
                continue;
            }
            overdue = true;
            std::mem::replace(&mut pending.state, Waiter::Nobody).fail(Lost::Timeout);
        }
        overdue
    }

    /// Fails every exchange: the link is closed.
    pub(super) fn orphan(&self) {
        let orphans = std::mem::take(&mut *self.table());
        for pending in orphans.into_values() {
            let begun = pending.begun;
            pending.state.fail(Lost::Worker { begun });
        }
    }
}
