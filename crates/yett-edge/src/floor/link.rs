//! The edge's end of one worker's link.
//!
//! Whoever sends writes straight into the [carrier](super::carrier); only what that does not take waits
//! in an outbox for the link's own task. Frames are read by the thread that looks after the link, in
//! its [rounds] or when the worker rings, and handed to the exchanges that wait for them. It trusts
//! nothing that it reads: an unknown exchange is ignored, a frame that breaks the protocol closes the
//! link, and so does one that leads to a panic.
//!
//! Bounds: the outbox holds what the requests in flight sent (their number is the floor's rule, and
//! one frame is at most 1 MiB), and a link in which something waits there is given no request; a
//! response is held up to its window, and a worker that sends more loses its link.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::time::Instant;
use yett_link::frame::{
    CUT_SHORT, ExchangeId, Frame, FrameError, HEADER_LEN, Kind, put_claim, put_frame,
    put_frame_before,
};
use yett_link::ring::Direction;

use super::carrier::{Flushed, Heard, Outgoing, Wire, watched};
use super::kind::{Appetite, Pulse};
use super::pace::Pace;
use super::pending::{Abandoned, Overdue, Pendings};
use super::rounds::{self, Round};
use super::{Beside, Exchange, Floor, Runs, Ticket};
use crate::settings::EdgeSettings;

mod ahead;
mod overdue;

/// How seldom a worker is looked at that nothing has to be known of.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// How often a ring is looked into in a row; a worker that writes all the while must not hold a thread.
const LOOKS: usize = 8;

/// How many reads empty the socket of a process that is gone: more than a socket holds.
const MOST_LEFT: usize = 64;

pub(super) struct Link {
    worker: u32,
    floor: Weak<Floor>,
    wire: Wire,
    flush: Notify,
    /// Something was sent ahead, and nobody watches yet.
    ahead: Notify,
    /// There is more to be heard than one look takes.
    again: Notify,
    ahead_watched: AtomicBool,
    /// When it was last looked at, it left lying what it was given although it had room for it.
    deaf: AtomicBool,
    /// The worker's process is gone: read what it left behind, then close.
    gone: Notify,
    pub(super) pending: Pendings,
    runs: Runs,
    pulse: Pulse,
    next: AtomicU64,
    closed: AtomicBool,
}

impl Link {
    pub(super) fn start(
        worker: u32,
        socket: OwnedFd,
        floor: Arc<Floor>,
        settings: &EdgeSettings,
        runs: Runs,
    ) -> std::io::Result<Arc<Self>> {
        let wire = Wire::new(socket, settings.carrier)?;
        let memory = wire.rings.as_ref().map(|rings| Arc::clone(&rings.memory));
        let link = Arc::new(Self {
            worker,
            floor: Arc::downgrade(&floor),
            wire,
            flush: Notify::new(),
            gone: Notify::new(),
            ahead: Notify::new(),
            again: Notify::new(),
            ahead_watched: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            pending: Pendings::new(memory),
            runs,
            pulse: Pulse::default(),
            next: AtomicU64::new(1),
            closed: AtomicBool::new(false),
        });
        tokio::spawn(Arc::clone(&link).run(floor, settings.request_timeout));
        Ok(link)
    }

    pub(super) const fn worker(&self) -> u32 {
        self.worker
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Sends a request under a new number and returns the waiting end of its exchange.
    ///
    /// # Errors
    /// [`OpenError::Closed`] when the link is closed already; the request was not begun.
    pub(super) fn open(
        self: &Arc<Self>,
        beside: Beside,
        encode: impl FnOnce(ExchangeId) -> Result<Outgoing, FrameError>,
    ) -> Result<Exchange, OpenError> {
        let id = self.next_id();
        let mut frame = encode(id).map_err(OpenError::Frame)?;
        let (receiver, claim) = self
            .pending
            .begin(id, beside, &self.closed)
            .ok_or(OpenError::Closed)?;
        if let Some(claim) = claim {
            put_claim(&mut frame.front, claim);
        }
        self.send(frame);
        Ok(Exchange::new(Arc::clone(self), id, receiver))
    }

    pub(super) fn next_id(&self) -> ExchangeId {
        ExchangeId::new(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) const fn closed_flag(&self) -> &AtomicBool {
        &self.closed
    }

    pub(super) fn credit(self: &Arc<Self>, id: ExchangeId, len: usize) {
        self.pending.taken(id, len);
        let len = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        self.send_small(Kind::Credit, 0, id, &len);
    }

    /// A piece of a streamed request body, or its end.
    pub(super) fn body(self: &Arc<Self>, id: ExchangeId, piece: Bytes, flags: u8) {
        self.pending.sent_body(id);
        let mut front = BytesMut::with_capacity(HEADER_LEN);
        let framed = put_frame_before(&mut front, Kind::Body, flags, id, piece.len(), |_| ());
        if framed.is_ok() {
            self.send(Outgoing {
                body: piece,
                ..Outgoing::from(front)
            });
        }
    }

    /// Nobody waits for this exchange any more.
    pub(super) fn cancel(self: &Arc<Self>, id: ExchangeId) {
        match self.pending.abandon(id) {
            Abandoned::Running => self.send_small(Kind::Cancel, 0, id, &[]),
            Abandoned::Recalled => {
                if let Some(floor) = self.floor.upgrade() {
                    floor.vacate(self.worker);
                }
            }
            Abandoned::Over => {}
        }
    }

    /// Ends what the worker must not go on with, for its client and for the worker: of threads, every
    /// answer that is being streamed; of an event loop, everything, so that it can stop in order.
    pub(super) fn cut(self: &Arc<Self>) {
        if let Some(floor) = self.floor.upgrade() {
            self.move_unbegun(&floor);
        }
        let cut = match self.runs {
            Runs::Threads => self.pending.cut(),
            Runs::EventLoop => self.pending.give_up_all(),
        };
        for id in cut {
            self.send_small(Kind::Cancel, 0, id, &[]);
        }
        if self.runs == Runs::EventLoop {
            // Not everything that runs there listens.
            self.send_small(Kind::Drain, CUT_SHORT, ExchangeId::new(0), &[]);
        }
    }

    pub(super) fn send_drain(self: &Arc<Self>) {
        self.send_small(Kind::Drain, 0, ExchangeId::new(0), &[]);
    }

    pub(super) fn send_small(
        self: &Arc<Self>,
        kind: Kind,
        flags: u8,
        id: ExchangeId,
        payload: &[u8],
    ) {
        let mut frame = BytesMut::with_capacity(32 + payload.len());
        if put_frame(&mut frame, kind, flags, id, payload).is_ok() {
            self.send(frame.into());
        }
    }

    /// Writes at once as far as the carrier takes it; the rest waits for the link's task.
    pub(super) fn send(self: &Arc<Self>, frame: Outgoing) {
        match self.wire.send(frame) {
            Ok(Flushed::All) => {}
            Ok(Flushed::AwaitsRoom | Flushed::AwaitsSocket) => self.flush.notify_one(),
            // Its end is found, and reported, by the reading side.
            Err(Errno::PIPE | Errno::CONNRESET) => {}
            // What was to be sent is lost, so the link is.
            Err(_) => self.close(),
        }
        rounds::owe(self);
    }

    async fn run(self: Arc<Self>, floor: Arc<Floor>, limit: Option<Duration>) {
        let round = Round::join(&self, &floor);
        // The worker may have spoken before anybody listened.
        self.look_when_rung(&floor);
        let mut look = tokio::time::interval(limit.map_or(LONGEST_LOOK, look_every));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut recall_at = None;
        let mut appetite = Appetite::default();
        let mut hampered = false;
        // Only while the outbox holds what the socket did not take.
        let mut writer: Option<AsyncFd<UnixStream>> = None;
        while !self.is_closed() {
            tokio::select! {
                ready = self.wire.socket.readable() => {
                    let Ok(mut ready) = ready else { break };
                    match self.wire.read_socket(|frame, file| self.hand_out(frame, file, &floor)) {
                        // A worker that writes all the while must not hold the thread.
                        Ok(Heard::Something) => tokio::task::consume_budget().await,
                        Ok(Heard::Nothing) => ready.clear_ready(),
                        Ok(Heard::End) | Err(_) => break,
                    }
                }
                () = self.bell() => {
                    self.look_when_rung(&floor);
                    // The worker also rings when it has made room.
                    writer = self.flush_for(&floor, writer.take());
                }
                () = self.gone.notified() => break,
                () = self.again.notified() => self.look_when_rung(&floor),
                () = self.ahead.notified() => {
                    recall_at = Some(self.watch_from(Instant::now()));
                }
                () = until(recall_at), if recall_at.is_some() => {
                    recall_at = self.recall_late(&floor);
                }
                // A socket that takes nothing any more can still have something to read: what the
                // worker said before it died. So a failed write does not end the link.
                () = self.flush.notified(), if writer.is_none() => {
                    writer = self.flush_for(&floor, None);
                }
                () = writable(writer.as_ref()), if writer.is_some() => {
                    writer = self.flush_for(&floor, writer.take());
                }
                _ = look.tick() => {
                    // What has come already is no silence.
                    self.look_when_rung(&floor);
                    let _end = self.wire.read_socket(|frame, file| self.hand_out(frame, file, &floor));
                    if writer.is_none() {
                        writer = self.flush_for(&floor, None);
                    }
                    self.recall_unheard(&floor);
                    match limit.map_or(Overdue::Nothing, |limit| self.overdue(&mut appetite, limit)) {
                        Overdue::Nothing => {}
                        // Another worker takes its place; it dies when only what is stuck is left.
                        Overdue::Beside if !hampered => {
                            hampered = true;
                            floor.hampered(self.worker);
                        }
                        Overdue::Beside => {}
                        Overdue::All => {
                            floor.stuck(self.worker);
                            // Behind the word, so that they do not come back here.
                            self.move_unbegun(&floor);
                        }
                    }
                }
            }
        }
        self.read_rest(&floor);
        self.close();
        drop(round);
        floor.lost(self.worker);
    }

    /// Waits until the worker rings; for ever without rings.
    async fn bell(&self) {
        match &self.wire.rings {
            Some(rings) => {
                if let Ok(mut rung) = rings.bell.readable().await {
                    rung.clear_ready();
                }
            }
            None => std::future::pending().await,
        }
    }

    /// Looks into the ring, to the end if nobody else will look before this thread sleeps.
    fn look_when_rung(self: &Arc<Self>, floor: &Arc<Floor>) {
        for _ in 0..LOOKS {
            let heard = self.look(floor) == Heard::Something;
            if !heard && (rounds::are_made_here() || self.is_closed() || self.lie_down()) {
                return;
            }
        }
        // There is no end of it: the others come first, and this comes again.
        self.look_again();
    }

    /// Looks into the ring. A worker that breaks the protocol loses its link.
    pub(super) fn look(self: &Arc<Self>, floor: &Arc<Floor>) -> Heard {
        match self
            .wire
            .look(|frame, file| self.hand_out(frame, file, floor))
        {
            Ok(heard) => heard,
            Err(_) => {
                self.close();
                Heard::End
            }
        }
    }

    /// Whether there is something in the ring, as both sides say: a worker can hide what it wrote from this,
    /// not from a look.
    pub(super) fn seems_to_have_news(&self) -> bool {
        let rings = self.wire.rings.as_ref();
        rings.is_some_and(|rings| rings.memory.unread(Direction::Responses) > 0)
    }

    pub(super) fn lie_down(&self) -> bool {
        self.wire.lie_down()
    }

    pub(super) fn get_up(&self) {
        self.wire.get_up();
    }

    pub(super) fn wake_worker(&self) {
        self.wire.wake_worker();
    }

    /// Has the link's task run, which looks again; so the thread does not sleep before.
    pub(super) fn look_again(&self) {
        self.again.notify_one();
    }

    /// Whether something waits for the worker to make room: nothing more is given to it.
    pub(super) fn is_crowded(&self) -> bool {
        self.wire.is_crowded()
    }

    /// How the worker stands. Without rings nobody knows, and nothing is sent ahead.
    pub(super) fn pace(&self) -> Pace {
        match &self.wire.rings {
            Some(rings) => Pace::new(
                rings.memory.nanos_a_request(),
                rings.memory.reader_seems_asleep(Direction::Requests),
            ),
            None => Pace::new(None, false),
        }
    }

    /// As [`Link::flush_or_watch`]; a worker that has room again may be given something.
    fn flush_for(
        &self,
        floor: &Arc<Floor>,
        writer: Option<AsyncFd<UnixStream>>,
    ) -> Option<AsyncFd<UnixStream>> {
        let was_crowded = self.is_crowded();
        let writer = self.flush_or_watch(writer);
        if was_crowded && !self.is_crowded() {
            floor.seat_waiting();
        }
        writer
    }

    /// Writes what waits; if the socket does not take it all, returns what watches for room. Of a ring,
    /// the worker tells when there is room.
    fn flush_or_watch(&self, writer: Option<AsyncFd<UnixStream>>) -> Option<AsyncFd<UnixStream>> {
        match self.wire.flush() {
            Ok(Flushed::AwaitsSocket) => writer.or_else(|| {
                // Without a descriptor to watch, the next send or tick tries again.
                let again = self.wire.socket.get_ref().try_clone().ok()?;
                watched(again, Interest::WRITABLE).ok()
            }),
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => None,
            Err(_) => {
                self.close();
                None
            }
        }
    }

    /// Reads what a process that is gone has left behind.
    ///
    /// It was all written before the process ended, so an empty link is the end, even if a child
    /// of the application still holds the other side open. Without this, a request that was begun,
    /// or even answered, would count as not begun and be sent to another worker.
    fn read_rest(self: &Arc<Self>, floor: &Arc<Floor>) {
        for _ in 0..MOST_LEFT {
            let read = self
                .wire
                .read_socket(|frame, file| self.hand_out(frame, file, floor));
            if !matches!(read, Ok(Heard::Something)) {
                break;
            }
        }
        for _ in 0..LOOKS {
            if self.is_closed() || self.look(floor) != Heard::Something {
                break;
            }
        }
    }

    /// Says that the worker's process is gone. The link's task closes the link.
    pub(super) fn process_gone(&self) {
        self.gone.notify_one();
    }

    /// Gives a frame to whom it is for. Whoever looks does that, a request or a connection that has
    /// nothing to do with it: so a panic ends this link, as if the worker had broken the protocol, and
    /// not them. It leaves nothing half done that goes on: all of the link's exchanges fail.
    fn hand_out(
        self: &Arc<Self>,
        frame: Frame,
        descriptor: Option<OwnedFd>,
        floor: &Arc<Floor>,
    ) -> Result<(), FrameError> {
        let steps = AssertUnwindSafe(|| self.give(frame, descriptor, floor));
        catch_unwind(steps).unwrap_or(Err(FrameError::Malformed("frame that led to a panic")))
    }

    fn give(
        self: &Arc<Self>,
        frame: Frame,
        descriptor: Option<OwnedFd>,
        floor: &Arc<Floor>,
    ) -> Result<(), FrameError> {
        #[cfg(test)]
        crate::testing::panic_where_said(&frame.payload);
        match frame.kind {
            Kind::Ready => floor.ready(self.worker),
            Kind::Begun => self.pending.begun(frame.exchange),
            Kind::Accept | Kind::Reply | Kind::Close => self.hand_to_socket(frame, floor)?,
            Kind::Response | Kind::Chunk | Kind::Failed
                if self.pending.is_socket(frame.exchange) =>
            {
                self.hand_to_socket(frame, floor)?;
            }
            Kind::BodyCredit if self.pending.is_socket(frame.exchange) => {
                self.pending.socket_took(&frame)?;
            }
            Kind::BodyCredit => self.pending.body_credit(&frame)?,
            Kind::Hints => self.pending.hints(&frame)?,
            Kind::Response | Kind::Chunk | Kind::Trailers | Kind::Failed => {
                // First the worker's next request, then this client's answer: the worker waits
                // idle, the client does not notice.
                if frame.is_last() && self.pending.contains(frame.exchange) {
                    floor.release(self.worker);
                }
                self.pending.deliver(frame, descriptor)?;
            }
            Kind::Pong if self.runs == Runs::EventLoop => self.pulse.answered(),
            // The edge's own kinds never come from a worker.
            _ => return Err(FrameError::UnknownKind(frame.kind as u8)),
        }
        Ok(())
    }

    /// Closes the link and fails every exchange on it. May be called more than once.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // First of all: what is in the table now must not reach a worker that still lives.
        self.wire.close();
        self.pending.orphan();
        // Wakes the link's task, which looks at the flag.
        self.flush.notify_one();
    }
}

/// Why an exchange could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The worker is gone; it never saw the request.
    Closed,
    /// The request does not fit into a frame.
    Frame(FrameError),
}

impl Ticket {
    /// Sends a request to the ticket's worker.
    pub(crate) fn open(
        self,
        beside: Beside,
        encode: impl FnOnce(ExchangeId) -> Result<Outgoing, FrameError>,
    ) -> Result<Exchange, OpenError> {
        let Some(link) = self.link.clone() else {
            return Err(OpenError::Closed);
        };
        let exchange = link.open(beside, encode)?;
        if self.stands_behind {
            // Not before it is in the table: who looks there either sees it or is asked to look again.
            link.watch_ahead();
        }
        // From here on the end of the exchange at the worker gives the place back.
        let _link = self.redeem();
        Ok(exchange)
    }
}

/// Waits until then; for ever without a time.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Waits until the socket may take something; for ever without a socket.
async fn writable(socket: Option<&AsyncFd<UnixStream>>) {
    match socket {
        // An error is found by the write that follows.
        Some(socket) => {
            if let Ok(mut ready) = socket.writable().await {
                ready.clear_ready();
            }
        }
        None => std::future::pending().await,
    }
}

/// How often overdue requests are looked for: often enough that a limit is kept within a tenth.
fn look_every(limit: Duration) -> Duration {
    (limit / 10).clamp(Duration::from_millis(10), LONGEST_LOOK)
}

#[cfg(test)]
mod tests;
