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
mod intake;
mod shift;

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;

use event::Turn;
pub use event::{BodyEnd, Event, MessageKind};
use inflow::Inflow;
use intake::{Intake, Waiting};
pub use shift::{RELIEF, Shift, Started, Turn as ShiftTurn};

use crate::descriptor::{self, CARRIED_BY_SOCKET};
use crate::frame::{ExchangeId, FrameError};
use crate::ring::{Direction, Memory, MemoryError, Reader, Writer};

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
    /// This process was forked from the worker, see [`WorkerEnd::disown`].
    #[error("the link belongs to the worker that this process was forked from")]
    Disowned,
    /// The shared memory that the edge sent cannot be used.
    #[error("the link's shared memory cannot be used")]
    Memory(#[from] MemoryError),
}

/// What the worker holds of its link's rings.
#[derive(Debug)]
struct Rings {
    memory: Arc<Memory>,
    /// Wakes the edge.
    bell: OwnedFd,
}

impl Rings {
    fn wake_edge(&self) -> Result<(), LinkError> {
        match rustix::io::write(&self.bell, &1_u64.to_ne_bytes()) {
            // Full: it has been rung and not been heard yet.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// When the edge is told of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tell {
    Now,
    /// If it looks by itself, when this worker has nothing more to do.
    Soon,
}

/// The worker's end. Queued requests are bounded by what the edge sends ahead, which is its rule; beside
/// them stand those that it took back and that no thread has come to yet.
#[derive(Debug)]
pub struct WorkerEnd {
    socket: UnixStream,
    rings: Option<Rings>,
    state: Mutex<Inflow>,
    changed: Condvar,
    intake: Mutex<Intake>,
    writer: Mutex<Option<Writer>>,
    /// Answers that were written and of which the edge was not told, as it will look by itself.
    deferred: AtomicU32,
    /// Of an event loop alone.
    turn: Option<Turn>,
    /// Set in a child that the worker has forked.
    disowned: AtomicBool,
}

// A poisoned lock means that a thread panicked between two assignments of plain data; every state in
// between is one that the protocol allows, so going on is right.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkerEnd {
    /// The end of a link whose socket carries the frames. The socket must be blocking.
    #[must_use]
    pub fn new(socket: UnixStream) -> Self {
        Self::over(socket, None)
    }

    /// The end of a link as the edge wants it: waits for the edge's first word, which says whether
    /// frames travel in [rings](crate::ring), and brings them.
    ///
    /// # Errors
    /// [`LinkError::Closed`] when the edge is gone, [`LinkError::Memory`] when what it sent cannot be
    /// used.
    pub fn meet(socket: UnixStream) -> Result<Self, LinkError> {
        let mut word = [0];
        let mut descriptors = VecDeque::new();
        let came = loop {
            let flags = RecvFlags::empty();
            match descriptor::receive(socket.as_fd(), &mut word, &mut descriptors, flags) {
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => break 0,
                outcome => break outcome?,
            }
        };
        if came == 0 {
            return Err(LinkError::Closed);
        }
        if word == [CARRIED_BY_SOCKET] {
            return Ok(Self::over(socket, None));
        }
        let (Some(memory), Some(bell)) = (descriptors.pop_front(), descriptors.pop_front()) else {
            return Err(FrameError::NoDescriptor.into());
        };
        let memory = Arc::new(Memory::open(memory)?);
        Ok(Self::over(socket, Some(Rings { memory, bell })))
    }

    fn over(socket: UnixStream, rings: Option<Rings>) -> Self {
        let memory = rings.as_ref().map(|rings| &rings.memory);
        let reader = memory.map(|memory| Reader::new(Arc::clone(memory), Direction::Requests));
        let writer = memory.map(|memory| Writer::new(Arc::clone(memory), Direction::Responses));
        Self {
            socket,
            rings,
            state: Mutex::default(),
            changed: Condvar::new(),
            intake: Mutex::new(Intake::new(reader)),
            writer: Mutex::new(writer),
            deferred: AtomicU32::new(0),
            turn: None,
            disowned: AtomicBool::new(false),
        }
    }

    /// To be called in every process that is forked from the worker's. The link stays the parent's: from
    /// here on every use is refused, before a lock that may never be freed, and before memory that is
    /// not mapped here.
    pub fn disown(&self) {
        self.disowned.store(true, Ordering::Relaxed);
    }

    /// Whether this process is a fork of the worker.
    #[must_use]
    pub fn is_disowned(&self) -> bool {
        self.disowned.load(Ordering::Relaxed)
    }

    fn ours(&self) -> Result<(), LinkError> {
        if self.is_disowned() {
            return Err(LinkError::Disowned);
        }
        Ok(())
    }

    /// Makes this the end of an event loop, which asks for [`Event`]s and never waits in here.
    ///
    /// # Errors
    /// [`LinkError::Socket`] when the kernel has no descriptor left.
    pub fn for_event_loop(mut self) -> Result<Self, LinkError> {
        self.turn = Some(Turn::new(&self.socket)?);
        locked(&self.state).tells = true;
        Ok(self)
    }

    /// The next request if it is there already. Makes no system call, so it may be called with the
    /// interpreter's lock held. `None` does not say that there is none: wait for it.
    ///
    /// # Errors
    /// As [`WorkerEnd::next_request`].
    pub fn try_request(&self) -> Result<Option<Incoming>, LinkError> {
        self.ours()?;
        if let Some(request) = self.begin_next(&mut locked(&self.state)) {
            return Ok(Some(request));
        }
        let Some(rings) = &self.rings else {
            return Ok(None);
        };
        // Another thread that reads hands out what it finds.
        let Ok(mut intake) = self.intake.try_lock() else {
            return Ok(None);
        };
        let read = intake.read_ring(rings);
        if matches!(read, Ok(false)) {
            return Ok(None);
        }
        let mut inflow = locked(&self.state);
        let outcome = read.and_then(|_| self.hand_out(&mut intake, &mut inflow));
        inflow.closed |= outcome.is_err();
        // Some of it may be what another thread waits for, or the end.
        self.tell_followers(&inflow);
        outcome?;
        Ok(self.begin_next(&mut inflow))
    }

    /// The oldest request that is still ours: one that the edge took back is dropped.
    fn begin_next(&self, inflow: &mut Inflow) -> Option<Incoming> {
        loop {
            let (request, claim) = inflow.requests.pop_front()?;
            let claim = claim.zip(self.rings.as_ref());
            let begun = claim
                .is_none_or(|(claim, rings)| rings.memory.claim(claim).begin(request.exchange));
            if begun {
                return Some(request);
            }
            inflow.forget(request.exchange);
        }
    }

    /// Waits for the next request.
    ///
    /// # Errors
    /// [`LinkError`] when the edge does not speak the protocol or the socket fails. An edge that
    /// closed the link is [`Next::Finished`].
    pub fn next_request(&self) -> Result<Next, LinkError> {
        self.wait(|state| {
            if let Some(request) = self.begin_next(state) {
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

    /// Says how long a request was worked on, for the edge to plan with.
    pub fn worked(&self, took: Duration) {
        if let Some(rings) = self.rings.as_ref().filter(|_| !self.is_disowned()) {
            rings.memory.worked(took);
        }
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

    /// As [`WorkerEnd::send`], with the descriptor that the frame's flag announces (`frame::DESCRIPTOR`).
    ///
    /// # Errors
    /// As [`WorkerEnd::send`].
    pub fn send_with(
        &self,
        pieces: &[&[u8]],
        mut descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<(), LinkError> {
        self.ours()?;
        let mut writer = locked(&self.writer);
        match &mut *writer {
            None => self.send_over_socket(pieces, &mut descriptor),
            Some(ring) => {
                if descriptor.is_some() {
                    // Before its frame, so that it is there when the frame is read; in the order of
                    // frames, by the writer's lock.
                    self.send_over_socket(&[&[0]], &mut descriptor)?;
                }
                self.send_over_ring(ring, pieces)
            }
        }
    }

    /// Sends a frame if that needs no waiting, nor any system call but the edge's wake-up; `false`: use
    /// [`WorkerEnd::send`]. May be called with the interpreter's lock held.
    ///
    /// # Errors
    /// As [`WorkerEnd::send`].
    pub fn try_send(&self, pieces: &[&[u8]]) -> Result<bool, LinkError> {
        self.ours()?;
        self.try_write(pieces, Tell::Now)
    }

    /// As [`WorkerEnd::try_send`], of a frame that ends its exchange: if the next request is there already,
    /// the edge may be told later.
    ///
    /// # Errors
    /// As [`WorkerEnd::send`].
    pub fn try_send_last(&self, pieces: &[&[u8]]) -> Result<bool, LinkError> {
        self.ours()?;
        let tell = if self.has_next() {
            Tell::Soon
        } else {
            Tell::Now
        };
        self.try_write(pieces, tell)
    }

    fn try_write(&self, pieces: &[&[u8]], tell: Tell) -> Result<bool, LinkError> {
        let (Some(rings), Ok(mut writer)) = (&self.rings, self.writer.try_lock()) else {
            return Ok(false);
        };
        let Some(ring) = &mut *writer else {
            return Ok(false);
        };
        let broken = |_| FrameError::Malformed("ring");
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        if !ring.room_for(len).map_err(broken)? {
            return Ok(false);
        }
        let _all = ring.write(pieces).map_err(broken)?;
        let deferred = self.deferred.load(Ordering::Relaxed) + 1;
        if tell == Tell::Soon && rings.memory.may_defer(deferred) {
            self.deferred.store(deferred, Ordering::Relaxed);
            return Ok(true);
        }
        self.deferred.store(0, Ordering::Relaxed);
        if ring.must_wake() {
            rings.wake_edge()?;
        }
        Ok(true)
    }

    /// Whether a request has come that nobody has taken.
    fn has_next(&self) -> bool {
        !locked(&self.state).requests.is_empty()
            || self.intake.try_lock().is_ok_and(|intake| intake.has_news())
    }

    /// Tells the edge of what was written and not told.
    fn tell_deferred(&self) -> Result<(), LinkError> {
        if let Some(rings) = &self.rings
            && self.deferred.swap(0, Ordering::Relaxed) > 0
            && rings.memory.must_wake_reader(Direction::Responses)
        {
            rings.wake_edge()?;
        }
        Ok(())
    }

    fn send_over_ring(&self, ring: &mut Writer, pieces: &[&[u8]]) -> Result<(), LinkError> {
        let Some(rings) = &self.rings else {
            return Ok(());
        };
        let mut sent = 0;
        let total: usize = pieces.iter().map(|piece| piece.len()).sum();
        loop {
            let broken = |_| FrameError::Malformed("ring");
            sent += ring.write(&skip(pieces, sent)).map_err(broken)?;
            if ring.must_wake() {
                rings.wake_edge()?;
            }
            if sent == total {
                return Ok(());
            }
            if ring.wait_for_room().map_err(broken)? {
                // A signal only makes it look again: a frame is never left half sent.
                let _woken =
                    self.wait(|inflow| (inflow.closed || ring.room() != Ok(0)).then_some(()))?;
                if let Some(turn) = &self.turn {
                    // What else was read meanwhile is for the loop's next turn.
                    turn.ask();
                }
            }
            if locked(&self.state).closed {
                return Err(LinkError::Closed);
            }
        }
    }

    fn send_over_socket(
        &self,
        pieces: &[&[u8]],
        descriptor: &mut Option<BorrowedFd<'_>>,
    ) -> Result<(), LinkError> {
        let mut pieces: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest: &mut [IoSlice<'_>] = &mut pieces;
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match descriptor::send(self.socket.as_fd(), rest, *descriptor) {
                Ok(sent) => {
                    if sent > 0 {
                        *descriptor = None;
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
        self.ours()?;
        self.tell_deferred()?;
        let mut state = locked(&self.state);
        loop {
            if let Some(found) = look(&mut state) {
                return Ok(Some(found));
            }
            if state.reading {
                state.followers += 1;
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.followers -= 1;
                continue;
            }
            state.reading = true;
            drop(state);
            let mut intake = locked(&self.intake);
            state = locked(&self.state);
            // `try_request` may have handed something out before this thread had the intake.
            if let Some(found) = look(&mut state) {
                state.reading = false;
                self.tell_followers(&state);
                return Ok(Some(found));
            }
            drop(state);
            let outcome = intake.read(&self.socket, self.rings.as_ref(), Waiting::Blocks);
            state = locked(&self.state);
            state.reading = false;
            // Whatever happened, another thread must take over reading or see the news.
            self.tell_followers(&state);
            match outcome.and_then(|()| self.hand_out(&mut intake, &mut state)) {
                Ok(()) => {}
                Err(LinkError::Socket(Errno::INTR)) => return Ok(None),
                Err(LinkError::Closed) => state.closed = true,
                Err(error) => {
                    state.closed = true;
                    return Err(error);
                }
            }
        }
    }

    /// A wake-up of nobody would still be a system call.
    fn tell_followers(&self, inflow: &Inflow) {
        if inflow.followers > 0 {
            self.changed.notify_all();
        }
    }

    /// Cuts what was read into frames, and puts each where it is looked for.
    fn hand_out(&self, intake: &mut Intake, inflow: &mut Inflow) -> Result<(), LinkError> {
        while let Some((frame, body)) = intake.next_frame(&self.socket)? {
            inflow.take(frame, body);
            if let Some(rings) = &self.rings {
                inflow.tidy(&rings.memory);
            }
        }
        Ok(())
    }
}

/// What is left of the pieces behind the first `sent` bytes.
fn skip<'p>(pieces: &[&'p [u8]], mut sent: usize) -> Vec<&'p [u8]> {
    let mut rest = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let skipped = sent.min(piece.len());
        sent -= skipped;
        rest.push(piece.get(skipped..).unwrap_or_default());
    }
    rest
}

#[cfg(test)]
mod tests;
