//! The floor: the workers that stand ready, and the queue before them.
//!
//! A request goes to the ready worker of the active generation that has the fewest in flight. When all
//! are busy, a few are sent ahead (`pace`) to workers that will be free in a moment; they are taken back
//! and given to another worker as soon as that is free first. All others wait here, in the order in
//! which they came, until a worker is free, the wait is too long, or the client leaves. Who is taken back,
//! or loses its worker before that has begun, waits at the place at which it came, and its wait goes on.
//!
//! A worker that leaves lying what it has room for, as it is frozen or its loop is blocked, loses that to
//! the others within a second or two, and gets nothing while any of them can take it. What has a streamed
//! body stays there, and so does everything of a link without rings.
//!
//! An open WebSocket counts when the least busy worker is chosen, but takes no place of a request:
//! it would keep it for hours. Connections are what bounds them.
//!
//! Bounds: [`EdgeSettings::max_queue`] requests wait; a further one is refused at once.

mod carrier;
mod exchange;
mod kind;
mod link;
mod pace;
mod pending;
pub(crate) mod rounds;
mod seat;
mod socket;
mod window;

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use yett_link::ring::{Memory, MemoryError};

pub use carrier::Carrier;
pub(crate) use carrier::Outgoing;
pub(crate) use exchange::{
    AppBody, AppHead, BadHeader, Beside, Exchange, Lost, NoHead, Piece, Pieces, Uplink,
};
pub use kind::{Runs, WorkerKind};
use link::Link;
pub(crate) use link::OpenError;
use pending::Recalled;
use seat::{Ahead, Phase, Seat};
pub(crate) use socket::{Answered, FromApp, SocketExchange};
pub(crate) use window::{Over, Window};

use crate::settings::EdgeSettings;

/// What the edge tells whoever minds the processes. Must not block, nor call the floor back: it may
/// be called under the floor's lock.
pub trait WorkerNews: Send + Sync + 'static {
    /// The worker can take requests.
    fn ready(&self, worker: u32);
    /// A request has been in the worker for longer than it may, and others go on beside it: another
    /// worker is to take its place first.
    fn hampered(&self, worker: u32);
    /// A request has been in the worker for longer than it may, and nothing goes on beside it.
    fn stuck(&self, worker: u32);
    /// The worker has had as many requests as it should have.
    fn spent(&self, worker: u32);
    /// The worker's link is closed or broken.
    fn lost(&self, worker: u32);
}

/// Makes and drops what a link to a worker shares with it.
///
/// # Errors
/// When the system gives none: links then work by their sockets alone.
pub fn try_shared_memory() -> Result<(), MemoryError> {
    Memory::create().map(drop)
}

/// The workers and the queue. Shared by all edge threads; its lock is held for moments only.
pub struct Floor {
    state: Mutex<State>,
    arrivals: AtomicU64,
    news: Box<dyn WorkerNews>,
    settings: EdgeSettings,
}

impl std::fmt::Debug for Floor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Floor").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    active: Option<u64>,
    /// Of the generations that are known; who forgets one takes it out.
    kinds: HashMap<u64, WorkerKind>,
    seats: Vec<Seat>,
    /// In the order of their places.
    waiting: VecDeque<Waiter>,
}

/// When a request came, among all: its place in the queue, also when it comes back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// From where a request comes to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    /// From its client.
    New,
    /// From a worker that is gone.
    Again,
    /// Taken back from a worker that did not get to it: only to one that is free.
    Back,
}

/// A request that waits in the queue.
struct Waiter {
    place: Place,
    ahead: Ahead,
    ticket: oneshot::Sender<Ticket>,
}

impl Waiter {
    fn has_left(&self) -> bool {
        self.ticket.is_closed()
    }
}

/// Why a request got no worker. Both are answered with 503 and `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The queue is full.
    #[error("the queue is full")]
    Full,
    /// The request waited too long.
    #[error("no worker was free in time")]
    TooOld,
}

/// The right to send one request to one worker. Gives the place back when dropped unused.
pub(crate) struct Ticket {
    floor: Arc<Floor>,
    link: Option<Arc<Link>>,
    /// The worker may have to do something else first.
    stands_behind: bool,
}

impl Ticket {
    pub(crate) fn worker(&self) -> u32 {
        self.link.as_ref().map_or(0, |link| link.worker())
    }

    /// Uses the ticket up; the place is given back when the exchange ends at the worker.
    fn redeem(mut self) -> Option<Arc<Link>> {
        self.link.take()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.floor.vacate(link.worker());
        }
    }
}

impl Floor {
    /// An empty floor: every request waits until a generation is active.
    #[must_use]
    pub fn new(settings: EdgeSettings, news: Box<dyn WorkerNews>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            arrivals: AtomicU64::new(0),
            news,
            settings,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every state between two statements under this lock is consistent enough to go on with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the workers of a generation run requests, before the first of them is attached.
    /// Workers of a generation of which nothing is said have [`EdgeSettings::worker_threads`].
    pub fn describe(&self, generation: u64, kind: WorkerKind) {
        self.state().kinds.insert(generation, kind);
    }

    /// Forgets what [`Floor::describe`] said; no worker of the generation will be attached any more.
    pub fn forget(&self, generation: u64) {
        self.state().kinds.remove(&generation);
    }

    /// Takes in a worker's link. Must be called on the runtime that is to serve the link.
    ///
    /// # Errors
    /// When the descriptor cannot be watched; it is closed then.
    pub fn attach(
        self: &Arc<Self>,
        worker: u32,
        generation: u64,
        link: OwnedFd,
    ) -> std::io::Result<()> {
        let kind = self.state().kinds.get(&generation).copied();
        let kind = kind.unwrap_or(WorkerKind {
            runs: Runs::Threads,
            capacity: self.settings.worker_threads,
        });
        let link = Link::start(worker, link, Arc::clone(self), &self.settings, kind.runs)?;
        let limit = self.settings.max_requests.map(|limit| {
            // Spread by worker number: reproducible, and neighbours end far apart.
            let jitter = self.settings.max_requests_jitter;
            let spread = u64::from(worker).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
            limit.saturating_add(spread % jitter.saturating_add(1))
        });
        let seat = Seat {
            worker,
            generation,
            phase: Phase::Starting,
            runs: kind.runs,
            capacity: kind.capacity,
            in_flight: 0,
            silent_since: Instant::now(),
            sockets: 0,
            given: 0,
            ended: 0,
            limit,
            link,
        };
        self.state().seats.push(seat);
        Ok(())
    }

    /// From now on requests go to this generation's workers.
    pub fn activate(self: &Arc<Self>, generation: u64) {
        let mut state = self.state();
        state.active = Some(generation);
        self.pump(&mut state);
    }

    /// Gives the worker nothing new; it is told to leave when its last response is out.
    pub fn drain(&self, worker: u32) {
        let mut state = self.state();
        let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker) else {
            return;
        };
        seat.phase = Phase::Draining;
        seat.drain_when_empty();
    }

    /// Cuts the answers that a worker is still streaming: its grace period is about over. What is
    /// not answered yet may go on until the worker is ended.
    pub fn cut(self: &Arc<Self>, worker: u32) {
        self.cut_sockets(worker);
        let link = {
            let state = self.state();
            let seat = state.seats.iter().find(|seat| seat.worker == worker);
            seat.map(|seat| Arc::clone(&seat.link))
        };
        if let Some(link) = link {
            link.cut();
        }
    }

    /// Forgets a worker whose process is gone. What it still said is heard before its exchanges fail.
    pub fn detach(&self, worker: u32) {
        let link = {
            let mut state = self.state();
            let place = state.seats.iter().position(|seat| seat.worker == worker);
            place.map(|place| state.seats.swap_remove(place).link)
        };
        if let Some(link) = link {
            link.process_gone();
        }
    }

    /// Requests that wait, and requests in flight: what a stop has to wait for.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let state = self.state();
        // Who left while waiting keeps its place in the list until somebody passes there.
        let waiting = state.waiting.iter().filter(|waiter| !waiter.has_left());
        (
            waiting.count(),
            state.seats.iter().map(|seat| seat.in_flight).sum(),
        )
    }

    /// The place of a request that has just come.
    pub(crate) fn arrive(&self) -> Place {
        Place(self.arrivals.fetch_add(1, Ordering::Relaxed))
    }

    /// As [`Floor::acquire_as`], for a request that has just come.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<(Ticket, Duration), QueueError> {
        self.acquire_as(self.arrive(), Comes::New, Duration::ZERO)
            .await
    }

    /// Waits for a worker: a free one, or one that will be free soon. Of the time that the request may
    /// wait, it has waited for `already`. Returns how long it waited here.
    pub(crate) async fn acquire_as(
        self: &Arc<Self>,
        place: Place,
        comes: Comes,
        already: Duration,
    ) -> Result<(Ticket, Duration), QueueError> {
        let ahead = match comes {
            Comes::New | Comes::Again => Ahead::Allowed,
            Comes::Back => Ahead::Never,
        };
        let receiver = {
            let mut state = self.state();
            while state.waiting.front().is_some_and(Waiter::has_left) {
                let _gone = state.waiting.pop_front();
            }
            let first = state.waiting.front();
            if first.is_none_or(|first| place < first.place)
                && let Some(ticket) = self.seat_one(&mut state, ahead)
            {
                return Ok((ticket, Duration::ZERO));
            }
            // Those who left while waiting do not count against the limit.
            if state.waiting.len() >= self.settings.max_queue {
                state.waiting.retain(|waiter| !waiter.has_left());
            }
            // Who was let in once stays in: they are no more than the workers had.
            if state.waiting.len() >= self.settings.max_queue && comes == Comes::New {
                return Err(QueueError::Full);
            }
            let (sender, receiver) = oneshot::channel();
            let waiter = Waiter {
                place,
                ahead,
                ticket: sender,
            };
            let at = state.waiting.partition_point(|other| other.place < place);
            state.waiting.insert(at, waiter);
            receiver
        };
        let began = Instant::now();
        let patience = self.settings.queue_timeout.saturating_sub(already);
        match tokio::time::timeout(patience, receiver).await {
            Ok(Ok(ticket)) => Ok((ticket, began.elapsed())),
            // The sender is only dropped together with the floor.
            Ok(Err(_)) | Err(_) => Err(QueueError::TooOld),
        }
    }

    fn seat_one(self: &Arc<Self>, state: &mut State, ahead: Ahead) -> Option<Ticket> {
        let active = state.active?;
        let now = Instant::now();
        let seat = state
            .seats
            .iter_mut()
            .filter(|seat| seat.takes_from(active))
            .filter(|seat| {
                let ahead = match ahead {
                    Ahead::Allowed
                        if seat.link.takes_ahead()
                            && seat.link.has_room_ahead()
                            && !seat.is_late(now) =>
                    {
                        seat.link.pace().ahead()
                    }
                    Ahead::Allowed | Ahead::Never => 0,
                };
                seat.in_flight < seat.capacity + ahead
            })
            .min_by_key(|seat| {
                // A loop takes everything at once, asleep or not.
                let wait = if seat.link.takes_ahead() {
                    seat.wait(now)
                } else {
                    0
                };
                // One that does not even begin what it has is the last choice.
                let deaf = seat.link.is_deaf();
                (deaf, wait, seat.in_flight + seat.sockets, seat.given)
            })?;
        let sleeps = seat.link.pace().is_asleep();
        if seat.in_flight == 0 && sleeps {
            seat.silent_since = now;
        }
        // Who is awake may be at something already, though nothing is in flight: closing an answer.
        let stands_behind =
            seat.link.takes_ahead() && (seat.in_flight >= seat.at_once() || !sleeps);
        seat.in_flight += 1;
        seat.given += 1;
        Some(Ticket {
            floor: Arc::clone(self),
            link: Some(Arc::clone(&seat.link)),
            stands_behind,
        })
    }

    /// Whether another worker is free.
    fn has_free_besides(&self, worker: u32) -> bool {
        let state = self.state();
        let Some(active) = state.active else {
            return false;
        };
        let mut others = state.seats.iter().filter(|seat| seat.worker != worker);
        others.any(|seat| seat.is_free(active))
    }

    /// Gives a free worker what was sent ahead to a busy one and is not begun.
    fn even_out(self: &Arc<Self>, state: &mut State) {
        let Some(active) = state.active else {
            return;
        };
        if !state.seats.iter().any(Seat::has_ahead) {
            return;
        }
        let now = Instant::now();
        while state.waiting.is_empty() {
            let free = state.seats.iter().filter(|seat| seat.is_free(active));
            let Some(soonest) = free.map(|seat| seat.wait(now)).min() else {
                return;
            };
            // Also from who gets nothing new any more. Not to a sleeper, if it is done sooner where it is.
            let mut busy: Vec<(u64, &Seat)> = state
                .seats
                .iter()
                .filter(|seat| seat.has_ahead())
                .map(|seat| (seat.wait(now), seat))
                .filter(|(wait, _)| *wait > soonest)
                .collect();
            busy.sort_unstable_by_key(|(wait, seat)| Reverse((*wait, seat.in_flight)));
            // The one that is worst off may have begun all that it has.
            let mut busy = busy.into_iter();
            let found = busy.find_map(|(_, seat)| Some((seat.worker, seat.link.recall_one()?)));
            let Some((worker, recalled)) = found else {
                return;
            };
            let ticket = self.seat_one(state, Ahead::Never);
            Self::leave_place(state, worker);
            if let Some(unused) = recalled.move_on(ticket) {
                Self::give_back(state, unused);
            }
        }
    }

    /// A request that was taken back from a worker goes into the queue.
    fn moved(self: &Arc<Self>, worker: u32, recalled: Recalled) {
        let _client_left = recalled.move_on(None);
        self.vacate(worker);
    }

    fn leave_place(state: &mut State, worker: u32) {
        if let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker) {
            seat.in_flight = seat.in_flight.saturating_sub(1);
            seat.drain_when_empty();
        }
    }

    /// Gives waiting requests to free workers.
    fn pump(self: &Arc<Self>, state: &mut State) {
        while let Some(first) = state.waiting.front() {
            if first.has_left() {
                let _gone = state.waiting.pop_front();
                continue;
            }
            let ahead = first.ahead;
            let Some(ticket) = self.seat_one(state, ahead) else {
                return;
            };
            let unused = match state.waiting.pop_front() {
                Some(waiter) => waiter.ticket.send(ticket).err(),
                None => Some(ticket),
            };
            if let Some(unused) = unused {
                // Who waited left in this moment: give the place back without the lock's help.
                Self::give_back(state, unused);
            }
        }
    }

    fn give_back(state: &mut State, ticket: Ticket) {
        if let Some(link) = ticket.redeem() {
            Self::leave_place(state, link.worker());
        }
    }

    /// A worker can take something again.
    fn seat_waiting(self: &Arc<Self>) {
        self.pump(&mut self.state());
    }

    /// A worker has ended a request.
    fn release(self: &Arc<Self>, worker: u32) {
        self.free_place(worker, Some(Instant::now()));
    }

    /// A place at a worker is free again, and it has answered nothing.
    fn vacate(self: &Arc<Self>, worker: u32) {
        self.free_place(worker, None);
    }

    fn free_place(self: &Arc<Self>, worker: u32, answered: Option<Instant>) {
        let mut state = self.state();
        if let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker) {
            seat.silent_since = answered.unwrap_or(seat.silent_since);
            seat.in_flight = seat.in_flight.saturating_sub(1);
            if answered.is_some() && seat.has_ended(1) {
                self.news.spent(worker);
            }
            seat.drain_when_empty();
        }
        self.pump(&mut state);
        self.even_out(&mut state);
    }

    fn ready(self: &Arc<Self>, worker: u32) {
        // Told before the queue is looked at: what follows from that must not be heard first.
        self.news.ready(worker);
        let mut state = self.state();
        if let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker)
            && seat.phase == Phase::Starting
        {
            seat.phase = Phase::Ready;
        }
        self.pump(&mut state);
        self.even_out(&mut state);
    }

    /// One of a worker's threads is stuck, and others go on.
    fn hampered(&self, worker: u32) {
        self.news.hampered(worker);
    }

    /// A worker that is stuck gets nothing new while it is being replaced.
    fn stuck(&self, worker: u32) {
        {
            let mut state = self.state();
            if let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker) {
                seat.phase = Phase::Draining;
            }
        }
        self.news.stuck(worker);
    }

    /// The link of a worker that could not even be watched.
    pub(crate) fn report_lost(&self, worker: u32) {
        self.lost(worker);
    }

    fn lost(&self, worker: u32) {
        {
            let mut state = self.state();
            if let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker) {
                seat.phase = Phase::Draining;
            }
        }
        self.news.lost(worker);
    }
}

#[cfg(test)]
mod tests;
