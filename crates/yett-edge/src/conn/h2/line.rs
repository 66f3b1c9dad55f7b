//! Whether a stream goes slowly because its client wants it so, or because the connection's line is
//! narrow and its other streams have their turns.
//!
//! What waits takes turns, [`STEP`] bytes each. So where nothing but the line is in the way, no stream
//! is overtaken by more than a turn of each other one. A stream whose own window the client keeps shut is.

use tokio::time::Instant;

use super::stream::STEP;
use crate::rate::Rate;

/// What one stream had of its connection's line since a moment.
#[derive(Debug)]
pub(super) struct Share {
    since: Instant,
    /// Bytes that the line had carried by then.
    before: u64,
    /// Bytes of this stream since.
    moved: u64,
}

impl Share {
    /// From now on, when the line has carried so many bytes.
    pub(super) const fn new(carried: u64, now: Instant) -> Self {
        Self {
            since: now,
            before: carried,
            moved: 0,
        }
    }

    pub(super) const fn moved(&mut self, bytes: u64) {
        self.moved = self.moved.saturating_add(bytes);
    }

    /// Whether the stream has its part of a line that keeps the rate as a whole: it has not been
    /// overtaken by two turns of each of so many streams, as many as there may be.
    pub(super) fn is_fair(&self, carried: u64, streams: u32, rate: Rate, now: Instant) -> bool {
        let carried = carried.saturating_sub(self.before);
        let keeps_rate = carried >= rate.over(now.saturating_duration_since(self.since));
        let turns = self.moved.saturating_add(STEP as u64).saturating_mul(2);
        rate.least > 0 && keeps_rate && carried / u64::from(streams.max(1)) < turns
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn stream_is_spared_while_the_line_keeps_the_rate_and_does_not_overtake_it() {
        const TURN: u64 = STEP as u64;
        let now = Instant::now();
        let check = |least, carried, moved| {
            let window = Duration::from_secs(60);
            let mut share = Share::new(1_000_000, now);
            share.moved(moved);
            let carried = 1_000_000 + carried;
            share.is_fair(carried, 4, Rate { least, window }, now + window)
        };
        assert!(check(500, 30_000, 0));
        assert!(!check(500, 29_999, 0), "the line as a whole is too slow");
        assert!(check(500, 4 * 2 * TURN - 1, 0));
        assert!(!check(500, 4 * 2 * TURN, 0), "others go on without it");
        assert!(check(500, 4 * 2 * TURN, 1));
        assert!(!check(0, 30_000, 0), "without a rate only a stop counts");
    }
}
