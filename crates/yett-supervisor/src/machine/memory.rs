//! Workers that use more memory than they may.
//!
//! Such a worker is *spent*: its heir is started first, and only when that one is ready does it go.
//! But workers that are over the limit within a minute, one after the other, show that the limit is
//! too low for the app, or that the app grows too fast. To replace them at once, again and again,
//! would only burn the machine: so the heir waits, longer each time, while the worker serves.

use super::message::{Action, Millis};
use super::state::{Life, Phase, State};
use super::turn::Turn;
use crate::ids::WorkerId;
use crate::notice::Notice;

/// From one look at the workers' memory to the next, in milliseconds.
const EVERY: u64 = 2_000;
/// Who is over the limit within so many milliseconds of being ready, is so too soon.
const SOON: u64 = 60_000;
const FIRST_DELAY: u64 = 30_000;
const LONGEST_DELAY: u64 = 600_000;

/// Counts, in one seat, the workers in a row that were over the limit too soon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Recycling {
    too_soon: u32,
}

impl Recycling {
    /// Milliseconds until a worker that was over the limit after such a life may be replaced.
    fn delay_after(&mut self, life: u64) -> u64 {
        if life >= SOON {
            self.too_soon = 0;
            return 0;
        }
        let earlier = self.too_soon;
        self.too_soon = earlier.saturating_add(1);
        match earlier {
            // One large request may have done it.
            0 => 0,
            // 30 s << 5 is past the longest delay already.
            _ => (FIRST_DELAY << (earlier - 1).min(5)).min(LONGEST_DELAY),
        }
    }
}

impl State {
    /// Whether there is anybody whose memory is looked at.
    pub(super) fn measures(&self) -> bool {
        self.to_measure().next().is_some()
    }

    /// Those that serve and are not to be replaced anyway; nobody without a limit.
    fn to_measure(&self) -> impl Iterator<Item = WorkerId> {
        let limited = self.limits.max_rss.is_some() && self.ending.is_none();
        let serving = |generation| {
            self.generations
                .get(&generation)
                .is_some_and(|generation| generation.phase == Phase::Active)
        };
        let workers = limited.then_some(&self.workers).into_iter().flatten();
        workers
            .filter(move |(_, worker)| {
                worker.life == (Life::Ready { spent: false }) && serving(worker.generation)
            })
            .map(|(&id, _)| id)
    }
}

impl Turn<'_> {
    /// Has everybody's memory looked at, if it is time.
    pub(super) fn measure(&mut self) {
        let workers: Vec<WorkerId> = self.state.to_measure().collect();
        if workers.is_empty() || self.state.measure_due > self.now {
            return;
        }
        for worker in workers {
            self.act(Action::Measure { worker });
        }
        self.state.measure_due = self.now + EVERY;
    }

    pub(super) fn measured(&mut self, id: WorkerId, resident: u64) {
        let now = self.now;
        let Some(limit) = self.state.limits.max_rss.filter(|limit| resident > *limit) else {
            return;
        };
        let Some(worker) = self.state.workers.get(&id) else {
            return;
        };
        if worker.life != (Life::Ready { spent: false }) {
            return;
        }
        let life = worker.ready_at.map_or(0, |ready: Millis| now.since(ready));
        let generation = worker.generation;
        // One that was asked away, or is followed by its heir already, has no seat.
        let Some(seat) = self.seat_where(generation, |seat| seat.occupant == Some(id)) else {
            return;
        };
        let delay = seat.recycling.delay_after(life);
        self.spend(id, now + delay);
        self.tell(Notice::WorkerTooLarge {
            worker: id,
            resident,
            limit,
            delay,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_are_too_large_too_soon_wait_longer_and_longer_up_to_ten_minutes() {
        let mut seat = Recycling::default();
        let delays: Vec<u64> = (0..8).map(|_| seat.delay_after(59_999) / 1_000).collect();
        assert_eq!(delays, [0, 30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn a_worker_that_grew_for_a_minute_is_replaced_at_once_and_forgives_all() {
        let mut seat = Recycling::default();
        seat.delay_after(0);
        assert_eq!(seat.delay_after(60_000), 0);
        assert_eq!(seat.delay_after(0), 0);
        assert_eq!(seat.delay_after(0), FIRST_DELAY);
    }
}
