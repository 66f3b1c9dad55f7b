//! How slow a client may be, in sending a body and in taking an answer.
//!
//! Only time in which the client is waited for counts: an application that does not read, or has
//! nothing to say, costs its client nothing. Such time is gathered into windows, and in each of them
//! the least rate must be kept; so bad seconds may be made up for by good ones, and the first window
//! is a grace for what begins slowly. A client that moves nothing at all for one window's length has
//! stopped.

use std::io;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::meters::Limit;

/// The least rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Bytes a second, over a window; zero: any.
    pub(crate) least: u64,
    /// How long a window is, and how long nothing at all may move.
    pub(crate) window: Duration,
}

impl Rate {
    /// Bytes that must move in so long a time.
    pub(crate) const fn over(self, time: Duration) -> u64 {
        let seconds = time.as_secs();
        let millis = time.subsec_millis() as u64;
        self.least
            .saturating_mul(seconds)
            .saturating_add(self.least.saturating_mul(millis) / 1000)
    }
}

/// In what way a client is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Slow {
    /// Nothing moved at all.
    #[error("nothing moved for too long")]
    Stopped,
    /// Less than the least rate.
    #[error("it was slower than the least rate")]
    Trickle,
}

impl Slow {
    /// The limit that a client meets by taking its answer so.
    pub(crate) const fn limit_of_taking(self) -> Limit {
        match self {
            Self::Stopped => Limit::SendTime,
            Self::Trickle => Limit::SendRate,
        }
    }
}

/// How one transfer goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Time of this window in which the client was waited for, but for the wait that goes on.
    waited: Duration,
    /// Bytes that moved in this window.
    moved: u64,
    /// Since when it is waited for without anything moving.
    since: Option<Instant>,
    /// The part of `since` that belongs to an earlier window.
    counted: Duration,
}

impl Pace {
    /// The client is waited for from now on, if it was not already.
    pub(crate) fn waits(&mut self, now: Instant) {
        if self.since.is_none() {
            self.since = Some(now);
            self.counted = Duration::ZERO;
        }
    }

    /// Something moved, and nothing is waited for until [`Pace::waits`]. Where nothing was, the clock is
    /// not asked.
    pub(crate) fn moved(&mut self, bytes: u64, now: impl FnOnce() -> Instant) {
        if let Some(since) = self.since.take() {
            let wait = now().saturating_duration_since(since);
            self.waited += wait.saturating_sub(self.counted);
        }
        self.moved = self.moved.saturating_add(bytes);
    }

    /// A socket took so many bytes, which are returned, or had no room.
    pub(crate) fn wrote(&mut self, written: &Poll<io::Result<usize>>) -> u64 {
        match written {
            Poll::Ready(written) => {
                let bytes = *written.as_ref().unwrap_or(&0) as u64;
                self.moved(bytes, Instant::now);
                bytes
            }
            Poll::Pending => {
                self.waits(Instant::now());
                0
            }
        }
    }

    /// Whether it goes well, and until when that can be said if nothing moves. `None`: nothing is
    /// waited for. Begins a new window when one is over.
    pub(crate) fn look(&mut self, rate: Rate, now: Instant) -> Result<Option<Instant>, Slow> {
        let Some(since) = self.since else {
            return Ok(None);
        };
        let wait = now.saturating_duration_since(since);
        if wait >= rate.window {
            return Err(Slow::Stopped);
        }
        let stops = since + rate.window;
        if rate.least == 0 {
            return Ok(Some(stops));
        }
        if self.waited + wait.saturating_sub(self.counted) >= rate.window {
            if self.moved < rate.over(rate.window) {
                return Err(Slow::Trickle);
            }
            self.waited = Duration::ZERO;
            self.moved = 0;
            self.counted = wait;
        }
        let left = rate.window.saturating_sub(self.waited);
        Ok(Some(stops.min(since + self.counted + left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        least: 100,
        window: Duration::from_secs(10),
    };

    /// Lets a client wait and move so many bytes, again and again; says after how many seconds it
    /// was found too slow, and how.
    fn check(rate: Rate, waits: &[(u64, u64)]) -> Option<(u64, Slow)> {
        let start = Instant::now();
        let mut now = start;
        let mut pace = Pace::default();
        for (wait, bytes) in waits {
            let ends = now + Duration::from_secs(*wait);
            pace.waits(now);
            loop {
                match pace.look(rate, now) {
                    Err(slow) => return Some((now.duration_since(start).as_secs(), slow)),
                    Ok(until) => now = until.unwrap().min(ends),
                }
                if now == ends {
                    break;
                }
            }
            pace.moved(*bytes, || now);
            assert_eq!(pace.look(rate, now), Ok(None));
        }
        None
    }

    #[test]
    fn client_that_moves_nothing_for_a_window_has_stopped() {
        assert_eq!(
            check(RATE, &[(9, 5000), (11, 0)]),
            Some((19, Slow::Stopped))
        );
        assert_eq!(check(RATE, &[(9, 1000), (9, 1000), (9, 1000)]), None);
    }

    #[test]
    fn trickle_is_found_at_the_end_of_its_window() {
        assert_eq!(check(RATE, &[(1, 99); 20]), Some((10, Slow::Trickle)));
        assert_eq!(check(RATE, &[(1, 100); 100]), None);
        let late = [[(1, 100); 10].as_slice(), &[(1, 10); 20]].concat();
        assert_eq!(check(RATE, &late), Some((20, Slow::Trickle)));
    }

    #[test]
    fn bad_seconds_may_be_made_up_for() {
        let bursts = [[(8, 0), (1, 1000), (1, 0)]; 10].concat();
        assert_eq!(check(RATE, &bursts), None);
    }

    #[test]
    fn time_in_which_nobody_waits_does_not_count() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..1000 {
            pace.waits(now);
            assert!(pace.look(RATE, now).is_ok());
            pace.moved(1, || now);
            now += Duration::from_secs(60);
        }
    }

    #[test]
    fn without_a_least_rate_only_a_stop_counts() {
        let any = Rate { least: 0, ..RATE };
        assert_eq!(check(any, &[(9, 1); 100]), None);
        assert_eq!(check(any, &[(9, 1), (11, 0)]), Some((19, Slow::Stopped)));
    }
}
