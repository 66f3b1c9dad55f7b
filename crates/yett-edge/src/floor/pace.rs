//! How fast a worker answers, and so how many requests may be sent ahead to it.
//!
//! A worker that finds its next request waiting saves the wake-up between two requests, which costs
//! tens of microseconds when the system is busy. It pays only where requests are short: one that takes
//! milliseconds does not notice. For the same reason a worker that is awake gets a short request even if
//! another one sleeps. So the number that is sent ahead is what the worker answers in a
//! moment, at least one; and whatever it has not begun can be taken back.

use tokio::time::Instant;

/// What waking a sleeping worker costs, about, in nanoseconds: it must be put onto a core, and its
/// caches are cold.
const WAKING: u64 = 40_000;

/// Work for about this long is sent ahead, in nanoseconds.
const MOMENT: u64 = 500_000;

/// The most requests that are sent ahead to one worker.
const MOST_AHEAD: u64 = 16;

/// A running average over about this many requests, as a power of two.
const SMOOTHING: u32 = 4;

/// One worker's pace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Nanoseconds between two answers while requests were waiting in the worker.
    between: u64,
    last: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            between: MOMENT,
            last: Instant::now(),
        }
    }

    /// An answer has ended; `busy`: the worker had more to do all the while.
    pub(super) fn ended(&mut self, busy: bool) {
        let now = Instant::now();
        if busy {
            let between = u64::try_from((now - self.last).as_nanos()).unwrap_or(u64::MAX);
            // One long request weighs as much as a few, so that a worker is not thought slow for long.
            let between = between.min(MOMENT * 8);
            self.between = self.between - (self.between >> SMOOTHING) + (between >> SMOOTHING);
        }
        self.last = now;
    }

    /// Nanoseconds, about, until a request would be begun that is given to this worker now.
    pub(super) fn wait(&self, in_flight: usize, capacity: usize, asleep: bool) -> u64 {
        match (in_flight + 1).checked_sub(capacity) {
            None | Some(0) if asleep => WAKING,
            None | Some(0) => 0,
            Some(before) => self
                .between
                .saturating_mul(u64::try_from(before).unwrap_or(u64::MAX)),
        }
    }

    /// How many requests may stand in this worker beside those that it runs.
    pub(super) fn ahead(&self) -> usize {
        let ahead = (MOMENT / self.between.max(1)).clamp(1, MOST_AHEAD);
        usize::try_from(ahead).unwrap_or(1)
    }
}
