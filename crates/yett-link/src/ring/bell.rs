//! Who wakes whom: a flag per sleeper, and two rules that lose no wake-up.
//!
//! The one who waits for something ([`lie_down`]) raises the flag, looks once more, and sleeps
//! only if there is still nothing. The one who makes it happen ([`ring_if_asleep`]) makes it
//! visible first, and then looks at the flag. Between the two steps of each stands a full fence, so
//! at least one of them sees what the other did: either the sleeper finds its news, or the other finds
//! the flag. Who takes the flag down is the only one who wakes, so a burst of news costs one wake-up.
//!
//! The same rules serve a reader that waits for bytes and a writer that waits for room. They are
//! written over [`Flag`], so that the tests can put them through every interleaving.

use std::sync::atomic::{AtomicU32, Ordering, fence};

/// A flag in shared memory, and the fence that belongs to it.
pub trait Flag {
    /// Writes the flag, in no order with anything else.
    fn put(&self, value: u32);
    /// Reads the flag, in no order with anything else.
    fn look(&self) -> u32;
    /// Takes the flag down if it is up, in one step, and says whether it was. A flag that is down
    /// already is not written: its owner may be raising it just now.
    fn take(&self) -> bool;
    /// A sequentially consistent fence.
    fn fence();
}

impl Flag for AtomicU32 {
    fn put(&self, value: u32) {
        self.store(value, Ordering::Relaxed);
    }
    fn look(&self) -> u32 {
        self.load(Ordering::Relaxed)
    }
    fn take(&self) -> bool {
        self.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// The sleeper's rule: `true` if it may sleep until it is woken; `has_news` is asked after the flag
/// is up. The flag may stay up when it does not sleep; [`get_up`] takes it down.
pub fn lie_down<F: Flag>(flag: &F, has_news: impl FnOnce() -> bool) -> bool {
    flag.put(1);
    F::fence();
    !has_news()
}

/// What the sleeper does when it is awake again, for whatever reason.
pub fn get_up<F: Flag>(flag: &F) {
    flag.put(0);
}

/// The waker's rule, after the news was made visible: `true` if the sleeper must be woken, by exactly
/// this caller.
#[must_use]
pub fn ring_if_asleep<F: Flag>(flag: &F) -> bool {
    F::fence();
    flag.look() != 0 && flag.take()
}

#[cfg(test)]
mod tests {
    use loom::sync::atomic::{AtomicU32, Ordering, fence};
    use loom::sync::{Arc, Notify};
    use loom::thread;

    use super::*;

    impl Flag for AtomicU32 {
        fn put(&self, value: u32) {
            self.store(value, Ordering::Relaxed);
        }
        fn look(&self) -> u32 {
            self.load(Ordering::Relaxed)
        }
        fn take(&self) -> bool {
            self.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        }
        fn fence() {
            fence(Ordering::SeqCst);
        }
    }

    /// A ring's two positions, the two flags, and two wake-ups that stay until they are consumed, as
    /// a byte in a socket or an event descriptor does. One that never comes is a deadlock, which loom
    /// reports.
    struct Model {
        tail: AtomicU32,
        head: AtomicU32,
        asleep: AtomicU32,
        waits_for_room: AtomicU32,
        woken: Notify,
        room_made: Notify,
    }

    impl Model {
        fn new() -> Self {
            Self {
                tail: AtomicU32::new(0),
                head: AtomicU32::new(0),
                asleep: AtomicU32::new(0),
                waits_for_room: AtomicU32::new(0),
                woken: Notify::new(),
                room_made: Notify::new(),
            }
        }

        /// Puts one byte into a ring of `room` bytes; waits for room as a writer does.
        fn write(&self, room: u32) {
            let tail = self.tail.load(Ordering::Relaxed);
            while tail.wrapping_sub(self.head.load(Ordering::Acquire)) >= room {
                let full = || tail.wrapping_sub(self.head.load(Ordering::Acquire)) < room;
                if lie_down(&self.waits_for_room, full) {
                    self.room_made.wait();
                }
                get_up(&self.waits_for_room);
            }
            self.tail.store(tail.wrapping_add(1), Ordering::Release);
            if ring_if_asleep(&self.asleep) {
                self.woken.notify();
            }
        }

        /// Takes `count` bytes out; sleeps in between as a reader does.
        fn read(&self, count: u32) {
            for _ in 0..count {
                let head = self.head.load(Ordering::Relaxed);
                while self.tail.load(Ordering::Acquire) == head {
                    if lie_down(&self.asleep, || self.tail.load(Ordering::Acquire) != head) {
                        self.woken.wait();
                    }
                    get_up(&self.asleep);
                }
                self.head.store(head.wrapping_add(1), Ordering::Release);
                if ring_if_asleep(&self.waits_for_room) {
                    self.room_made.notify();
                }
            }
        }
    }

    fn explore(writes: u32, room: u32) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let shared = Arc::new(Model::new());
            let writer = Arc::clone(&shared);
            let writing = thread::spawn(move || {
                for _ in 0..writes {
                    writer.write(room);
                }
            });
            shared.read(writes);
            writing.join().unwrap();
            assert_eq!(shared.tail.load(Ordering::Acquire), writes);
            assert_eq!(shared.head.load(Ordering::Acquire), writes);
        });
    }

    #[test]
    fn sleeping_reader_is_always_woken() {
        explore(2, 4);
    }

    #[test]
    fn writer_that_waits_for_room_is_always_woken() {
        explore(2, 1);
    }

    #[test]
    fn of_two_wakers_exactly_one_wakes() {
        loom::model(|| {
            let flag = Arc::new(AtomicU32::new(1));
            let other = Arc::clone(&flag);
            let waker = thread::spawn(move || u32::from(ring_if_asleep(&*other)));
            let mine = u32::from(ring_if_asleep(&*flag));
            assert_eq!(mine + waker.join().unwrap(), 1);
        });
    }
}
