//! The exchanges that a worker has not ended yet, and what of their frames reaches whom.

mod body;
mod socket;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use yett_link::frame::{ExchangeId, Frame, FrameError, Kind, RESPONSE_WINDOW};
use yett_link::wire::Fields;

use yett_link::ring::{ClaimId, Memory};

use super::Ticket;
use super::exchange::{AppBody, AppHead, Beside, Head, Lost, NoHead, extra_fields};
use super::window::OpenWindow;
use crate::conn::EarlyHints;
use body::BodyWaiter;
use socket::SocketWaiter;
pub(super) use socket::{Departure, Toll, Turn};

/// The table of one link. Its lock is held for moments. Bounded by the floor, which gives a worker
/// no more requests than it may have.
pub(super) struct Pendings {
    table: Mutex<Table>,
    /// Holds the claims, where the link has them.
    memory: Option<Arc<Memory>>,
}

#[derive(Default)]
struct Table {
    exchanges: HashMap<ExchangeId, Pending>,
    /// Claims that were given back, and how many were ever given.
    free_claims: Vec<ClaimId>,
    /// Something was withdrawn, as its client left or the worker did not begin it, and may not have been
    /// read over yet.
    withdrawn: bool,
    used_claims: u16,
}

/// One exchange that the worker has not ended yet.
struct Pending {
    state: Waiter,
    /// Without one only the worker's frames tell whether it has begun.
    claim: Option<ClaimId>,
    begun: bool,
    sent: Instant,
    /// When the worker last showed that it works on this.
    since: Instant,
    /// Bytes that the worker sent and the client has not taken yet.
    unacknowledged: usize,
    hints: Option<EarlyHints>,
    /// Of a body that is streamed to the worker.
    window: Option<OpenWindow>,
}

enum Waiter {
    Head(oneshot::Sender<Result<Box<AppHead>, NoHead>>),
    Body(BodyWaiter),
    /// Of a WebSocket, from its request to its end.
    Socket(SocketWaiter),
    /// The client left; what still comes is thrown away.
    Nobody,
}

impl Waiter {
    fn fail(self, lost: Lost) {
        match self {
            Self::Head(waiter) => {
                let _client_left = waiter.send(Err(NoHead::Lost(lost)));
            }
            Self::Body(waiter) => waiter.fail(lost),
            Self::Socket(waiter) => waiter.fail(lost),
            Self::Nobody => {}
        }
    }
}

/// A request that was taken back from a worker before it began it.
pub(super) struct Recalled(oneshot::Sender<Result<Box<AppHead>, NoHead>>);

impl Recalled {
    /// Sends the request on: with a ticket for another worker, or back into the queue. An unused ticket
    /// comes back when the client has left.
    pub(super) fn move_on(self, ticket: Option<Ticket>) -> Option<Ticket> {
        match self.0.send(Err(NoHead::Moved(ticket))) {
            Err(Err(NoHead::Moved(ticket))) => ticket,
            _ => None,
        }
    }
}

/// What of a worker's exchanges is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing.
    Nothing,
    /// Some, beside others that go on: the worker's death would cost those.
    Beside,
    /// All that it works on.
    All,
}

/// What giving an exchange up means for the worker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Abandoned {
    /// It had ended.
    Over,
    /// The worker had not begun it and never will.
    Recalled,
    /// The worker must be told.
    Running,
}

impl Pendings {
    pub(super) fn new(memory: Option<Arc<Memory>>) -> Self {
        Self {
            table: Mutex::default(),
            memory,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters an exchange; `None` when the link is closed.
    ///
    /// The flag is looked at under the table's lock: who closes sets it and then calls
    /// [`Pendings::orphan`], so an entry made here is either seen there or not made.
    pub(super) fn begin(
        &self,
        id: ExchangeId,
        beside: Beside,
        closed: &AtomicBool,
    ) -> Option<(Head, Option<ClaimId>)> {
        let (sender, receiver) = oneshot::channel();
        let mut table = self.table();
        if closed.load(Ordering::Acquire) {
            return None;
        }
        let claim = self.memory.as_ref().and_then(|memory| {
            let claim = table.take_claim()?;
            memory.claim(claim).offer(id);
            Some(claim)
        });
        let now = Instant::now();
        let pending = Pending {
            state: Waiter::Head(sender),
            claim,
            begun: false,
            sent: now,
            since: now,
            unacknowledged: 0,
            hints: beside.hints,
            window: beside.window.map(OpenWindow),
        };
        table.exchanges.insert(id, pending);
        Some((receiver, claim))
    }

    fn is_begun(&self, id: ExchangeId, pending: &Pending) -> bool {
        pending.begun
            || pending
                .claim
                .zip(self.memory.as_ref())
                .is_some_and(|(claim, memory)| memory.claim(claim).is_begun(id))
    }

    /// Whether the worker is known to work on something. One that takes nothing at all is stuck.
    fn works(&self, table: &Table) -> bool {
        let mut all = table.exchanges.iter();
        all.any(|(&id, pending)| self.is_begun(id, pending))
    }

    /// Whether the worker is known not to have begun this.
    fn stands_behind(&self, id: ExchangeId, pending: &Pending) -> bool {
        pending.claim.is_some() && !self.is_begun(id, pending)
    }

    /// Takes a request back from the worker; false if it has begun, or may have.
    fn recall(&self, id: ExchangeId, pending: &Pending) -> bool {
        !pending.begun
            && pending
                .claim
                .zip(self.memory.as_ref())
                .is_some_and(|(claim, memory)| memory.claim(claim).recall(id))
    }

    /// Takes back the oldest request that the worker has not begun.
    pub(super) fn recall_one(&self) -> Option<Recalled> {
        self.recall_some(&mut self.table(), 1, |_| true).pop()
    }

    /// Takes back every request that has stood unbegun behind another for too long.
    pub(super) fn recall_late(&self, patience: Duration, elsewhere: bool) -> Vec<Recalled> {
        let mut table = self.table();
        // A worker that has begun nothing may begin at any moment, unless another one is free.
        if !elsewhere && !self.works(&table) {
            return Vec::new();
        }
        let late = |pending: &Pending| pending.sent.elapsed() >= patience;
        self.recall_some(&mut table, usize::MAX, late)
    }

    /// Takes back every request that a worker has left lying for so long. Whether it ever reads over
    /// them is looked at as if their clients had left.
    pub(super) fn recall_unheard(&self, patience: Duration) -> Vec<Recalled> {
        let mut table = self.table();
        let unheard = |pending: &Pending| pending.sent.elapsed() >= patience;
        let recalled = self.recall_some(&mut table, usize::MAX, unheard);
        table.withdrawn |= !recalled.is_empty();
        recalled
    }

    /// Takes back every request that the worker has not begun.
    pub(super) fn recall_all(&self) -> Vec<Recalled> {
        self.recall_some(&mut self.table(), usize::MAX, |_| true)
    }

    /// Takes back so many of the requests that the worker has not begun, the oldest first.
    fn recall_some(
        &self,
        table: &mut Table,
        most: usize,
        which: impl Fn(&Pending) -> bool,
    ) -> Vec<Recalled> {
        let unbegun = table.unbegun().filter(|(_, pending)| which(pending));
        let mut ahead: Vec<ExchangeId> = unbegun.map(|(id, _)| id).collect();
        ahead.sort_unstable();
        let recalled = ahead.into_iter();
        recalled
            .filter_map(|id| self.recall_from(table, id))
            .take(most)
            .collect()
    }

    /// Whether a request was withdrawn since the worker had last read all.
    pub(super) fn has_withdrawn(&self) -> bool {
        self.table().withdrawn
    }

    /// The worker has read all that was written.
    pub(super) fn forget_withdrawn(&self) {
        self.table().withdrawn = false;
    }

    /// Whether nothing is known to be begun.
    pub(super) fn rests(&self) -> bool {
        !self.works(&self.table())
    }

    /// How many the worker is known to have begun.
    pub(super) fn count_begun(&self) -> usize {
        let table = self.table();
        let all = table.exchanges.iter();
        all.filter(|&(&id, pending)| self.is_begun(id, pending))
            .count()
    }

    /// Since when the oldest of what the worker has not begun stands there.
    pub(super) fn oldest_unbegun(&self) -> Option<Instant> {
        let table = self.table();
        let unbegun = table.unbegun();
        let unbegun = unbegun.filter(|&(id, pending)| !self.is_begun(id, pending));
        unbegun.map(|(_, pending)| pending.sent).min()
    }

    fn recall_from(&self, table: &mut Table, id: ExchangeId) -> Option<Recalled> {
        let pending = table.exchanges.get(&id)?;
        // What was streamed of a body nobody else can have.
        let movable = matches!(pending.state, Waiter::Head(_)) && pending.window.is_none();
        if !movable || !self.recall(id, pending) {
            return None;
        }
        match table.remove(id)?.state {
            Waiter::Head(waiter) => Some(Recalled(waiter)),
            Waiter::Body(_) | Waiter::Socket(_) | Waiter::Nobody => None,
        }
    }

    pub(super) fn contains(&self, id: ExchangeId) -> bool {
        self.table().exchanges.contains_key(&id)
    }

    /// The application was called for this exchange.
    pub(super) fn begun(&self, id: ExchangeId) {
        if let Some(pending) = self.table().exchanges.get_mut(&id) {
            pending.begun = true;
            pending.since = Instant::now();
        }
    }

    /// The client took `len` bytes of this exchange.
    pub(super) fn taken(&self, id: ExchangeId, len: usize) {
        if let Some(pending) = self.table().exchanges.get_mut(&id) {
            pending.unacknowledged = pending.unacknowledged.saturating_sub(len);
            pending.since = Instant::now();
        }
    }

    /// Nobody waits for this exchange any more.
    pub(super) fn abandon(&self, id: ExchangeId) -> Abandoned {
        let mut table = self.table();
        let Some(pending) = table.exchanges.get_mut(&id) else {
            return Abandoned::Over;
        };
        if self.recall(id, pending) {
            let _never_begun = table.remove(id);
            table.withdrawn = true;
            return Abandoned::Recalled;
        }
        pending.state = Waiter::Nobody;
        pending.hints = None;
        pending.window = None;
        if pending.unacknowledged > 0 {
            // Perhaps the worker waited for this client until now: its time begins here.
            pending.unacknowledged = 0;
            pending.since = Instant::now();
        }
        Abandoned::Running
    }

    /// Ends every answer that is being streamed, for its client; returns those of which the worker
    /// must be told.
    pub(super) fn cut(&self) -> Vec<ExchangeId> {
        let mut ended = Vec::new();
        for (&id, pending) in &mut self.table().exchanges {
            if matches!(pending.state, Waiter::Body(_)) {
                let stream = std::mem::replace(&mut pending.state, Waiter::Nobody);
                stream.fail(Lost::Worker { begun: true });
                pending.unacknowledged = 0;
                pending.since = Instant::now();
                ended.push(id);
            }
        }
        ended
    }

    /// A piece of the request's body is on its way: from here on the time is the worker's.
    pub(super) fn sent_body(&self, id: ExchangeId) {
        if let Some(pending) = self.table().exchanges.get_mut(&id) {
            pending.since = Instant::now();
        }
    }

    /// The worker took so much of the request's body as this `BodyCredit` says.
    ///
    /// # Errors
    /// [`FrameError`] when it says more than was sent; the link must be closed.
    pub(super) fn body_credit(&self, frame: &Frame) -> Result<(), FrameError> {
        let len = Fields::new(&frame.payload).u32("body credit")?;
        let mut table = self.table();
        let Some(pending) = table.exchanges.get_mut(&frame.exchange) else {
            return Ok(());
        };
        pending.since = Instant::now();
        match &pending.window {
            Some(window) => window.0.give(usize::try_from(len).unwrap_or(usize::MAX)),
            // Of an exchange that was cancelled meanwhile.
            None => Ok(()),
        }
    }

    /// Hands early hints on; after the head, or with nobody to take them, they are dropped.
    ///
    /// # Errors
    /// [`FrameError`] when the frame cannot be read; the link must be closed.
    pub(super) fn hints(&self, frame: &Frame) -> Result<(), FrameError> {
        let fields = extra_fields(&frame.payload)?;
        let mut table = self.table();
        let Some(pending) = table.exchanges.get_mut(&frame.exchange) else {
            return Ok(());
        };
        pending.since = Instant::now();
        pending.begun = true;
        if let (Waiter::Head(_), Some(hints)) = (&pending.state, &pending.hints) {
            hints.send(&fields);
        }
        Ok(())
    }

    /// Gives a frame, and the descriptor that came with it, to the exchange that waits for it.
    ///
    /// # Errors
    /// [`FrameError`] when the frame breaks the protocol; the link must be closed.
    pub(super) fn deliver(
        &self,
        frame: Frame,
        descriptor: Option<OwnedFd>,
    ) -> Result<(), FrameError> {
        let last = frame.is_last();
        let mut table = self.table();
        let Some(pending) = table.exchanges.get_mut(&frame.exchange) else {
            return Ok(());
        };
        if !last {
            pending.since = Instant::now();
        }
        pending.begun = true;
        match (
            std::mem::replace(&mut pending.state, Waiter::Nobody),
            frame.kind,
        ) {
            (Waiter::Head(waiter), Kind::Response) => {
                let head = match descriptor {
                    Some(file) if last => AppHead::parse_file(&frame.payload, file)?,
                    Some(_) => return Err(FrameError::Malformed("file that is not all")),
                    None if last => AppHead::parse(&frame.payload, AppBody::Whole)?,
                    None => {
                        let (waiter, pieces) = BodyWaiter::new();
                        pending.state = Waiter::Body(waiter);
                        AppHead::parse(&frame.payload, AppBody::Stream(pieces))?
                    }
                };
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
                waiter.data(frame.payload);
                if last {
                    waiter.end();
                } else {
                    pending.state = Waiter::Body(waiter);
                }
            }
            (Waiter::Body(waiter), Kind::Trailers) => {
                waiter.end_with(extra_fields(&frame.payload)?);
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
                // Put back, so that closing the link fails it.
                pending.state = waiter;
                return Err(FrameError::UnknownKind(kind as u8));
            }
        }
        if last {
            let _ended = table.remove(frame.exchange);
        }
        Ok(())
    }

    /// Fails exchanges in which the worker has shown nothing for too long.
    ///
    /// An exchange whose client is slow, to take what the worker sent or to send what the worker
    /// waits for, is not overdue. One that is not begun is to be taken back ([`Pendings::recall_all`]).
    /// One whose client left is overdue: the worker is stuck all the same.
    pub(super) fn fail_overdue(&self, limit: Duration) -> Overdue {
        let (mut overdue, mut others) = (false, false);
        let mut table = self.table();
        let works = self.works(&table);
        for (&id, pending) in &mut table.exchanges {
            // They have a look of their own: `fail_overdue_handshakes`.
            if matches!(pending.state, Waiter::Socket(_)) {
                continue;
            }
            if self.stands_behind(id, pending) {
                if works {
                    // The one before it is the one that takes too long; its own time begins later.
                    pending.since = Instant::now();
                } else if pending.since.elapsed() >= limit {
                    // The worker takes nothing. Who waits is not given up: it can be taken back.
                    overdue = true;
                }
                continue;
            }
            let waits_for_client = pending.unacknowledged > 0
                || matches!(&pending.window, Some(window) if window.0.waits_for_client());
            if waits_for_client || pending.since.elapsed() < limit {
                others |= !matches!(pending.state, Waiter::Nobody);
                continue;
            }
            overdue = true;
            std::mem::replace(&mut pending.state, Waiter::Nobody).fail(Lost::Timeout);
        }
        match (overdue, others) {
            (false, _) => Overdue::Nothing,
            (true, true) => Overdue::Beside,
            (true, false) => Overdue::All,
        }
    }

    /// Gives up exchanges of an event loop whose answer has not begun in time, and names them: nobody
    /// waits for them any more. The worker is not to blame, others run beside them; and once an
    /// answer has begun, it may take as long as it likes, as an event stream does.
    pub(super) fn give_up_overdue(&self, limit: Duration) -> Vec<ExchangeId> {
        let mut table = self.table();
        let overdue = table.exchanges.iter_mut().filter(|(id, pending)| {
            let waits_for_client =
                matches!(&pending.window, Some(window) if window.0.waits_for_client());
            // A loop that does not even begin them is found by its pulse, and they go elsewhere then.
            matches!(pending.state, Waiter::Head(_))
                && !self.stands_behind(**id, pending)
                && !waits_for_client
                && pending.since.elapsed() >= limit
        });
        overdue
            .map(|(id, pending)| {
                std::mem::replace(&mut pending.state, Waiter::Nobody).fail(Lost::Timeout);
                *id
            })
            .collect()
    }

    /// Gives up every exchange that somebody waits for, as if its worker had died, and names them. What
    /// is not begun should have been taken back before. WebSockets have their own way to be told.
    pub(super) fn give_up_all(&self) -> Vec<ExchangeId> {
        let mut table = self.table();
        let all = table
            .exchanges
            .iter_mut()
            .filter(|(_, pending)| matches!(pending.state, Waiter::Head(_) | Waiter::Body(_)));
        all.map(|(id, pending)| {
            let waiter = std::mem::replace(&mut pending.state, Waiter::Nobody);
            // It may be running: what is not safe must not run again elsewhere.
            waiter.fail(Lost::Worker { begun: true });
            pending.unacknowledged = 0;
            *id
        })
        .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table().exchanges.is_empty()
    }

    /// Fails every exchange: the link is closed.
    pub(super) fn orphan(&self) {
        let orphans = std::mem::take(&mut self.table().exchanges);
        for (id, pending) in orphans {
            // Taken back first: a worker that has lost its link may live, and come to it yet. Without a
            // claim, what was written to a ring may be begun at any time.
            let begun = pending.begun
                || match pending.claim.zip(self.memory.as_ref()) {
                    Some((claim, memory)) => !memory.claim(claim).recall(id),
                    None => self.memory.is_some(),
                };
            pending.state.fail(Lost::Worker { begun });
        }
    }
}

impl Table {
    fn take_claim(&mut self) -> Option<ClaimId> {
        self.free_claims.pop().or_else(|| {
            let claim = ClaimId::new(self.used_claims + 1)?;
            self.used_claims += 1;
            Some(claim)
        })
    }

    fn remove(&mut self, id: ExchangeId) -> Option<Pending> {
        let pending = self.exchanges.remove(&id)?;
        self.free_claims.extend(pending.claim);
        Some(pending)
    }

    fn unbegun(&self) -> impl Iterator<Item = (ExchangeId, &Pending)> {
        let all = self.exchanges.iter().map(|(&id, pending)| (id, pending));
        all.filter(|(_, pending)| !pending.begun && pending.claim.is_some())
    }
}
