//! A worker's place on the floor: what it has, and how long a request would wait there.

use std::sync::Arc;

use tokio::time::Instant;

use super::Runs;
use super::link::Link;
use super::pace::{Load, Pace};

pub(super) struct Seat {
    pub(super) worker: u32,
    pub(super) generation: u64,
    pub(super) phase: Phase,
    pub(super) runs: Runs,
    pub(super) capacity: usize,
    pub(super) in_flight: usize,
    /// Since when it has worked without an answer.
    pub(super) silent_since: Instant,
    /// Open WebSockets, which take nothing of the worker's capacity.
    pub(super) sockets: usize,
    /// Requests that were given to it: whoever has had fewer comes first among equals.
    pub(super) given: u64,
    /// Requests that it has ended, which count against its limit. One that it only held for a while,
    /// until it was taken back, counts for who begins it.
    pub(super) ended: u64,
    pub(super) limit: Option<u64>,
    pub(super) link: Arc<Link>,
}

impl Seat {
    /// Counts what the worker has ended; true when it has had as many as it should, once.
    pub(super) fn has_ended(&mut self, count: usize) -> bool {
        self.ended += u64::try_from(count).unwrap_or(u64::MAX);
        self.limit.take_if(|limit| self.ended >= *limit).is_some()
    }

    /// Tells a worker that gets nothing new to leave, when the last of what it has is over.
    pub(super) fn drain_when_empty(&self) {
        if self.phase == Phase::Draining && self.in_flight == 0 && self.sockets == 0 {
            self.link.send_drain();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Forked; its READY has not come.
    Starting,
    Ready,
    /// Gets nothing new.
    Draining,
}

/// Whether a request may go to a worker that is still busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    Allowed,
    Never,
}

impl Seat {
    /// Nanoseconds, about, until a request would be begun here.
    pub(super) fn wait(&self, now: Instant) -> u64 {
        let silent = now.saturating_duration_since(self.silent_since);
        let pace = self.link.pace();
        let load = Load {
            runs: self.runs,
            in_flight: self.in_flight,
            capacity: self.capacity,
            thread_waits: self.thread_waits(pace),
        };
        pace.wait(load, silent)
    }

    /// Whether it sleeps although it has something: it is at all of it, and another thread waits. One that
    /// has not begun what it was given is only about to wake up.
    fn thread_waits(&self, pace: Pace) -> bool {
        self.runs == Runs::Threads
            && (1..self.capacity).contains(&self.in_flight)
            && pace.is_asleep()
            && self.link.pending.count_begun() >= self.in_flight
    }

    /// Requests that it begins as soon as it has them.
    pub(super) const fn at_once(&self) -> usize {
        match self.runs {
            // They take turns.
            Runs::Threads => 1,
            Runs::EventLoop => self.capacity,
        }
    }

    /// Whether it has more than it can be at.
    pub(super) const fn has_ahead(&self) -> bool {
        self.in_flight > self.capacity
    }

    /// Whether it has been silent for so long that nothing should stand behind what it is at.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        let silent = now.saturating_duration_since(self.silent_since);
        self.in_flight >= self.capacity && silent >= self.link.pace().patience(false)
    }

    /// Whether it begins what it is given now.
    pub(super) fn is_free(&self, generation: u64) -> bool {
        self.takes_from(generation) && self.in_flight < self.capacity && !self.link.is_deaf()
    }

    pub(super) fn takes_from(&self, generation: u64) -> bool {
        self.generation == generation
            && self.phase == Phase::Ready
            && !self.link.is_closed()
            && !self.link.is_crowded()
    }
}
