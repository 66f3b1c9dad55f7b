//! How much may be sent ahead to a worker, and which of several a request should go to.
//!
//! A worker that finds its next request waiting saves the wake-up between two requests, which costs
//! tens of microseconds when the system is busy. It pays only where requests are short: one that takes
//! milliseconds does not notice. So the number that is sent ahead is what the worker answers in a
//! moment, at least one; and whatever it has not begun can be taken back. For the same reason a worker
//! that is awake gets a short request even if another one sleeps.

use std::time::Duration;

use super::Runs;

/// Work for about this long is sent ahead, in nanoseconds: what waits in the floor's queue instead
/// costs its connection one more turn.
const MOMENT: u64 = 2_000_000;

/// The most requests that are sent ahead to one worker.
const MOST_AHEAD: u64 = 16;

/// What waking a sleeping worker costs, about, in nanoseconds: it must be put onto a core, and its
/// caches are cold.
const WAKING: u64 = 40_000;

/// After about this time another thread of the worker takes over from one that is at something long, in
/// nanoseconds.
const RELIEF: u64 = yett_link::worker::RELIEF.subsec_nanos() as u64;

/// The shortest time that a request stands behind another before it is taken back: a little more than
/// what is sent ahead should take.
pub(super) const PATIENCE: Duration = Duration::from_millis(5);
const LONGEST_PATIENCE: Duration = Duration::from_millis(50);

/// What a worker has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) runs: Runs,
    pub(super) in_flight: usize,
    pub(super) capacity: usize,
    /// One of its threads waits for a request, beside those that are at theirs.
    pub(super) thread_waits: bool,
}

/// How a worker stands at this moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Nanoseconds that it needs for a request.
    request: u64,
    asleep: bool,
}

impl Pace {
    /// Of a worker that says this of itself; one that has answered nothing yet counts as slow.
    pub(super) fn new(nanos_a_request: Option<u64>, asleep: bool) -> Self {
        Self {
            request: nanos_a_request.unwrap_or(MOMENT).max(1),
            asleep,
        }
    }

    pub(super) const fn is_asleep(self) -> bool {
        self.asleep
    }

    /// How long a request may stand behind another before it goes to somebody else, or back into the
    /// queue if nobody is free.
    pub(super) fn patience(self, elsewhere: bool) -> Duration {
        if elsewhere {
            return PATIENCE;
        }
        Duration::from_nanos(self.request.saturating_mul(4)).clamp(PATIENCE, LONGEST_PATIENCE)
    }

    /// How many requests may stand in it beside those that it runs.
    pub(super) fn ahead(self) -> usize {
        let ahead = (MOMENT / self.request).clamp(1, MOST_AHEAD);
        usize::try_from(ahead).unwrap_or(1)
    }

    /// Nanoseconds, about, until a request would be begun that is given to it now. `silent`: for how
    /// long it has worked without an answer; what it is at may be longer than usual.
    pub(super) fn wait(self, load: Load, silent: Duration) -> u64 {
        let silent = u64::try_from(silent.as_nanos()).unwrap_or(u64::MAX);
        let behind = |requests: usize| {
            let requests = u64::try_from(requests).unwrap_or(u64::MAX);
            self.request.saturating_mul(requests).max(silent)
        };
        match (load.in_flight + 1).saturating_sub(load.capacity) {
            0 if load.in_flight > 0 && load.runs == Runs::Threads => {
                // A worker that has nothing at all is better still.
                if load.thread_waits {
                    2 * WAKING
                } else {
                    // Its threads take turns while requests are short.
                    behind(load.in_flight).min(RELIEF)
                }
            }
            0 if self.asleep => WAKING,
            // Awake and free: it has just answered, or is at something that nobody asked for.
            0 => silent,
            before => behind(before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(in_flight: usize) -> Load {
        Load {
            runs: Runs::Threads,
            in_flight,
            capacity: 1,
            thread_waits: false,
        }
    }

    #[test]
    fn short_request_goes_to_who_is_awake_and_a_long_one_to_who_is_free() {
        let sleeper = |nanos| Pace::new(Some(nanos), true).wait(one(0), Duration::ZERO);
        let busy = |nanos| Pace::new(Some(nanos), false).wait(one(1), Duration::ZERO);
        assert!(busy(5_000) < sleeper(5_000));
        assert!(busy(1_000_000) > sleeper(1_000_000));
        assert!(Pace::new(None, false).wait(one(1), Duration::ZERO) > sleeper(5_000));
        let closing = Pace::new(Some(5_000), false).wait(one(0), Duration::from_millis(1));
        assert!(
            closing > sleeper(5_000),
            "it is at something although nothing is in flight"
        );
        let silent = Pace::new(Some(5_000), false).wait(one(1), Duration::from_millis(1));
        assert!(silent > sleeper(5_000), "it is at something long");
    }

    #[test]
    fn several_threads_count_as_one_that_is_relieved_in_a_moment() {
        let load = |in_flight| Load {
            capacity: 4,
            ..one(in_flight)
        };
        let idle = Pace::new(Some(300_000), true).wait(load(0), Duration::ZERO);
        let at_work = Pace::new(Some(300_000), false).wait(load(1), Duration::ZERO);
        let beside = Load {
            thread_waits: true,
            ..load(1)
        };
        let relieved = Pace::new(Some(300_000), true).wait(beside, Duration::ZERO);
        assert!(idle < relieved && relieved < at_work);
        let short = Pace::new(Some(10_000), true);
        let waking = short.wait(load(1), Duration::ZERO);
        assert!(waking < short.wait(load(0), Duration::ZERO), "it was woken");
        let stuck = Pace::new(Some(300_000), false).wait(load(3), Duration::from_secs(1));
        assert_eq!(stuck, RELIEF);
        let full = Pace::new(Some(300_000), false).wait(load(4), Duration::from_secs(1));
        assert_eq!(full, 1_000_000_000);
    }

    #[test]
    fn nothing_stands_long_behind_another_where_a_worker_is_free() {
        let slow = Pace::new(Some(200_000_000), false);
        assert_eq!(slow.patience(false), LONGEST_PATIENCE);
        assert_eq!(slow.patience(true), PATIENCE);
    }

    #[test]
    fn ahead_goes_what_is_answered_in_a_moment_and_always_one() {
        let ahead = |nanos| Pace::new(Some(nanos), false).ahead();
        assert_eq!((ahead(1), ahead(500_000), ahead(10_000_000)), (16, 4, 1));
        assert_eq!(Pace::new(None, false).ahead(), 1);
    }
}
