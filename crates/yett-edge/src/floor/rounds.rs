//! When an edge thread looks into its rings, and when it wakes workers.
//!
//! A thread looks into the rings of its links whenever a request begins, after every few reads and writes
//! of its connections' sockets, and always before it sleeps.
//! So while it is awake no worker needs to wake it, and a busy system makes hardly any system call
//! for its links. Workers are woken late as well: when the thread has nothing else to do, or when it
//! has written a few requests; a burst of requests costs a worker one wake-up.
//!
//! The hooks run on the thread's own runtime, just before it waits for events and just after.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::Floor;
use super::carrier::Heard;
use super::link::Link;

/// How many frames are written, and requests begun, before a sleeping worker is woken although the thread
/// is busy.
const WAKE_AFTER: u32 = 16;

/// After how many reads and writes of clients' sockets a thread looks that has neither slept nor begun a
/// request: one that is busy with uploads, files and WebSockets alone.
const LOOK_AFTER: u32 = 16;

/// How often a thread looks again before it gives its other tasks a turn.
const LOOKS: usize = 4;

thread_local! {
    static LINKS: RefCell<Vec<(Arc<Link>, Arc<Floor>)>> = const { RefCell::new(Vec::new()) };
    /// Links that were written to and whose workers may sleep.
    static OWED: RefCell<Vec<Arc<Link>>> = const { RefCell::new(Vec::new()) };
    static WRITTEN: Cell<u32> = const { Cell::new(0) };
    /// Reads and writes of clients' sockets since the last look.
    static PASSED: Cell<u32> = const { Cell::new(0) };
    /// Whether this thread runs the hooks; others wake at once.
    static ON_ROUNDS: Cell<bool> = const { Cell::new(false) };
}

/// A link that this thread looks after, until it is dropped.
pub(super) struct Round(Arc<Link>);

impl Round {
    pub(super) fn join(link: &Arc<Link>, floor: &Arc<Floor>) -> Self {
        LINKS.with_borrow_mut(|links| links.push((Arc::clone(link), Arc::clone(floor))));
        Self(Arc::clone(link))
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        // The thread's memory may be gone already when its runtime ends.
        let _ended = LINKS.try_with(|links| {
            if let Ok(mut links) = links.try_borrow_mut() {
                links.retain(|(link, _)| !Arc::ptr_eq(link, &self.0));
            }
        });
    }
}

/// Whether this thread looks into its rings before it sleeps.
pub(super) fn are_made_here() -> bool {
    ON_ROUNDS.get()
}

/// This link was written to: wake its worker soon.
pub(super) fn owe(link: &Arc<Link>) {
    if !ON_ROUNDS.get() {
        link.wake_worker();
        return;
    }
    OWED.with_borrow_mut(|owed| {
        if !owed.iter().any(|other| Arc::ptr_eq(other, link)) {
            owed.push(Arc::clone(link));
        }
    });
    count_written();
}

fn count_written() {
    let written = WRITTEN.get() + 1;
    WRITTEN.set(written);
    if written >= WAKE_AFTER {
        wake_workers();
    }
}

fn wake_workers() {
    WRITTEN.set(0);
    OWED.with_borrow_mut(|owed| {
        for link in owed.drain(..) {
            link.wake_worker();
        }
    });
}

/// Looks into the rings of this thread's links; true if there was anything.
fn look_round() -> bool {
    look_where(|_| true)
}

/// The same, in passing: only into those that seem to have something.
pub(crate) fn glance_round() {
    look_where(Link::seems_to_have_news);
}

fn look_where(wanted: impl Fn(&Link) -> bool) -> bool {
    PASSED.set(0);
    let mut heard = false;
    let mut from = 0;
    // Not under the borrow: what is heard may end a link.
    while let Some((link, floor, place)) = LINKS.with_borrow(|links| {
        let mut rest = links.iter().enumerate().skip(from);
        let (place, (link, floor)) = rest.find(|(_, (link, _))| wanted(link))?;
        Some((Arc::clone(link), Arc::clone(floor), place))
    }) {
        heard |= link.look(&floor) == Heard::Something;
        from = place + 1;
    }
    if OWED.with_borrow(|owed| !owed.is_empty()) {
        // A thread that is busy with what it answers itself wakes workers all the same.
        count_written();
    }
    heard
}

/// A client's socket was read or written: to be called after each, so that nothing keeps a thread from
/// its rings for long. No lock may be held.
pub(crate) fn passed() {
    let passed = PASSED.get() + 1;
    PASSED.set(passed);
    if passed >= LOOK_AFTER {
        turn();
    }
}

/// Looks round and wakes workers: also to be called where a task has worked for long, or lets others have
/// their turn without the thread's sleeping, as neither is seen here. No lock may be held.
pub(crate) fn turn() {
    look_round();
    wake_workers();
}

/// To be called before the thread sleeps.
pub(crate) fn before_sleep() {
    ON_ROUNDS.set(true);
    for _ in 0..LOOKS {
        let heard = look_round();
        wake_workers();
        if !heard && lie_down() {
            return;
        }
    }
    // There is no end of news: let the tasks have a turn, and look again.
    LINKS.with_borrow(|links| {
        if let Some((link, _)) = links.first() {
            link.look_again();
        }
    });
}

/// To be called when the thread is awake again.
pub(crate) fn after_sleep() {
    LINKS.with_borrow(|links| {
        for (link, _) in links {
            link.get_up();
        }
    });
}

/// Says of all links that this thread sleeps; `false` if one has news.
fn lie_down() -> bool {
    LINKS.with_borrow(|links| links.iter().all(|(link, _)| link.lie_down()))
}
