//! Requests that stand in a worker behind others: how they are watched, and taken back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use yett_link::ring::{Direction, REQUEST_RING};

use super::Link;
use crate::floor::pace::PATIENCE;
use crate::floor::pending::Recalled;
use crate::floor::{Floor, Runs};

/// How often the ring of a worker is looked into that has requests ahead and whose answers are short:
/// it need not tell of each of them then.
const TICK: Duration = Duration::from_millis(1);

/// For how long a worker may leave lying what it has room for before that goes to another one.
const UNHEARD: Duration = Duration::from_millis(100);

impl Link {
    /// Whether requests may be sent ahead: they can be taken back as long as they are not begun.
    /// A loop takes all that it may have at once.
    pub(in crate::floor) fn takes_ahead(&self) -> bool {
        self.wire.rings.is_some() && self.runs == Runs::Threads
    }

    /// Whether little enough stands unread in the ring that more may be sent ahead. Requests that were
    /// taken back stand there until the worker reads over them; so clients that come and leave cannot
    /// fill it, and there is room for who gets a free place.
    pub(in crate::floor) fn has_room_ahead(&self) -> bool {
        let rings = self.wire.rings.as_ref();
        rings.is_some_and(|rings| rings.memory.unread(Direction::Requests) <= REQUEST_RING / 2)
    }

    /// Something was sent ahead: looks after it until it is begun, or taken back.
    pub(in crate::floor) fn watch_ahead(&self) {
        if !self.ahead_watched.swap(true, Ordering::AcqRel) {
            self.ahead.notify_one();
        }
    }

    /// When to look after what stands behind others, the oldest since `sent`: when the shortest patience is
    /// at its end, and from then on by the clock; at once by the clock where that spares the worker its
    /// ringing.
    pub(super) fn watch_from(&self, sent: Instant) -> Instant {
        let ticking = self.answers_may_wait();
        self.tick(ticking);
        let soonest = Instant::now() + TICK;
        if ticking {
            soonest
        } else {
            soonest.max(sent + PATIENCE)
        }
    }

    /// Takes back what stands behind another for too long; when to look again, if anything is left.
    pub(super) fn recall_late(self: &Arc<Self>, floor: &Arc<Floor>) -> Option<Instant> {
        self.look(floor);
        let elsewhere = floor.has_free_besides(self.worker);
        let patience = self.pace().patience(elsewhere);
        let late = self.pending.recall_late(patience, elsewhere);
        for moved in late {
            floor.moved(self.worker, moved);
        }
        // Before the last look: what is sent ahead from here on asks to be watched.
        self.ahead_watched.store(false, Ordering::Release);
        let oldest = self.pending.oldest_unbegun();
        let again = oldest.filter(|_| !self.ahead_watched.swap(true, Ordering::AcqRel));
        let again = again.map(|sent| self.watch_from(sent));
        if again.is_none() {
            self.tick(false);
        }
        // The worker may have answered and told nobody just before.
        self.look(floor);
        again
    }

    /// Takes back what a worker leaves lying that had room for it: one that is frozen, or whose loop is
    /// blocked. What another worker can begin goes there, and nothing more comes here while there is
    /// anybody else. Called by the clock, so that nothing has to be watched of a request that is well.
    pub(super) fn recall_unheard(self: &Arc<Self>, floor: &Arc<Floor>) {
        let oldest = self.pending.oldest_unbegun();
        let unheard = oldest.is_some_and(|sent| sent.elapsed() >= UNHEARD);
        self.deaf
            .store(unheard || self.is_deaf(), Ordering::Relaxed);
        if !unheard || !floor.has_free_besides(self.worker) {
            return;
        }
        for moved in self.pending.recall_unheard(UNHEARD) {
            floor.moved(self.worker, moved);
        }
    }

    /// Whether the worker left lying what it was given although it had room for it, and has not read over
    /// that since.
    pub(in crate::floor) fn is_deaf(&self) -> bool {
        self.deaf.load(Ordering::Relaxed) && self.has_unread()
    }

    fn has_unread(&self) -> bool {
        let rings = self.wire.rings.as_ref();
        rings.is_some_and(|rings| rings.memory.unread(Direction::Requests) > 0)
    }

    /// Whether the worker's answers are so short that it spares both sides something to tell of several
    /// at once.
    fn answers_may_wait(&self) -> bool {
        let rings = self.wire.rings.as_ref();
        rings.is_some_and(|rings| rings.memory.answers_are_short())
    }

    /// Tells the worker whether its ring is looked into by the clock.
    fn tick(&self, ticking: bool) {
        if let Some(rings) = &self.wire.rings {
            rings.memory.tick(ticking);
        }
    }

    /// Takes back the oldest request that the worker has not begun.
    pub(in crate::floor) fn recall_one(&self) -> Option<Recalled> {
        self.pending.recall_one()
    }

    /// Sends what the worker has not begun to others.
    pub(super) fn move_unbegun(&self, floor: &Arc<Floor>) {
        for moved in self.pending.recall_all() {
            floor.moved(self.worker, moved);
        }
    }
}
