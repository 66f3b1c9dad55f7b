//! How long the worker works on a request, told by itself; and whether its answers may wait a moment.
//!
//! A hint in shared memory, by which the edge decides how much to send ahead and whether to wake
//! another worker. A worker that lies harms its own requests alone: what stands unbegun is taken back.

use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use super::memory::Memory;

/// Answers of so many nanoseconds of work together may wait for the next wake-up of the edge.
const MOST_DEFERRED: u64 = 500_000;

/// A running average over about this many requests, as a power of two.
const SMOOTHING: u32 = 3;

impl Memory {
    /// Worker: a request was worked on for so long.
    ///
    /// Threads may lose each other's word; it is an average.
    pub fn worked(&self, took: Duration) {
        let took = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        let word = self.pace();
        let mean = match word.load(Ordering::Relaxed) {
            0 => took,
            mean => mean - (mean >> SMOOTHING) + (took >> SMOOTHING),
        };
        word.store(mean.max(1), Ordering::Relaxed);
    }

    /// Edge: from here on it looks into the worker's ring by the clock, every millisecond or so, or no more.
    ///
    /// When it stops, it must look once more after this: what the worker wrote before it could see the
    /// change has woken nobody.
    pub fn tick(&self, ticking: bool) {
        self.ticks().store(u32::from(ticking), Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Worker: whether so many short answers, the newest just written, may wait until the edge looks by
    /// the clock, or until this worker has nothing more to do: a wake-up for each would cost both sides
    /// more than the answers.
    #[must_use]
    pub fn may_defer(&self, answers: u32) -> bool {
        fence(Ordering::SeqCst);
        let mean = self.pace().load(Ordering::Relaxed);
        self.ticks().load(Ordering::Relaxed) != 0
            && mean != 0
            && u64::from(mean) * u64::from(answers) < MOST_DEFERRED
    }

    /// Edge: whether the worker's answers are short enough that one of them may wait for the next look by
    /// the clock.
    #[must_use]
    pub fn answers_are_short(&self) -> bool {
        (1..MOST_DEFERRED).contains(&u64::from(self.pace().load(Ordering::Relaxed)))
    }

    /// Edge: nanoseconds that the worker needs for a request, about; `None` before its first.
    #[must_use]
    pub fn nanos_a_request(&self) -> Option<u64> {
        match self.pace().load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(u64::from(nanos)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_answers_are_deferred_only_while_the_edge_looks_by_the_clock() {
        let memory = Memory::create().unwrap();
        memory.worked(Duration::from_micros(100));
        assert!(!memory.may_defer(1) && memory.answers_are_short());
        memory.tick(true);
        assert!(memory.may_defer(1) && memory.may_defer(4) && !memory.may_defer(5));
        memory.worked(Duration::from_millis(100));
        assert!(!memory.may_defer(1) && !memory.answers_are_short());
        memory.tick(false);
        assert!(!memory.may_defer(0));
    }

    #[test]
    fn one_long_request_is_remembered_for_a_while_and_then_forgotten() {
        let memory = Memory::create().unwrap();
        assert_eq!(memory.nanos_a_request(), None);
        for _ in 0..100 {
            memory.worked(Duration::from_micros(10));
        }
        assert!(memory.nanos_a_request().unwrap() <= 10_000);
        memory.worked(Duration::from_millis(200));
        assert!(memory.nanos_a_request().unwrap() > 10_000_000);
        for _ in 0..100 {
            memory.worked(Duration::from_micros(10));
        }
        assert!(memory.nanos_a_request().unwrap() < 20_000);
        memory.worked(Duration::from_secs(3600));
    }
}
