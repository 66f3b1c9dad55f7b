//! How the workers of a generation run requests, and whether a loop among them still turns.
//!
//! A worker with threads that shows nothing for a request is stuck: the thread can be freed by its
//! death alone. In an event loop a request that takes too long holds nobody else up, so it alone is
//! given up; only a loop that does not answer a ping is stuck.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What runs requests in a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Threads, one request each.
    Threads,
    /// One event loop, many requests.
    EventLoop,
}

/// The workers of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerKind {
    /// What runs requests.
    pub runs: Runs,
    /// How many requests one worker gets at a time; further ones wait in the queue.
    pub capacity: usize,
}

/// The ping that a loop has not answered yet.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<Option<Instant>>);

/// What is to be done about a loop.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a ping.
    Ask,
    /// The last one is not overdue yet.
    Wait,
    /// The loop has not turned for longer than it may.
    Lost,
}

impl Pulse {
    fn asked(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the loop; a ping that is to be sent counts as sent from here on.
    pub(super) fn look(&self, limit: Duration) -> Beat {
        let mut asked = self.asked();
        match *asked {
            None => {
                *asked = Some(Instant::now());
                Beat::Ask
            }
            Some(since) if since.elapsed() >= limit => Beat::Lost,
            Some(_) => Beat::Wait,
        }
    }

    /// Whether a ping waits for its answer.
    pub(super) fn is_asked(&self) -> bool {
        self.asked().is_some()
    }

    /// The loop has answered.
    pub(super) fn answered(&self) {
        *self.asked() = None;
    }
}

/// For how long a worker has left lying what was written to it.
#[derive(Debug, Default)]
pub(super) struct Appetite(Option<(u32, Instant)>);

impl Appetite {
    /// Looks at where the worker stands that reads nothing and works on nothing; `None` of one that does.
    pub(super) fn look(&mut self, stands_at: Option<u32>) -> Duration {
        let Some(place) = stands_at else {
            self.0 = None;
            return Duration::ZERO;
        };
        match self.0 {
            Some((before, since)) if before == place => since.elapsed(),
            _ => {
                self.0 = Some((place, Instant::now()));
                Duration::ZERO
            }
        }
    }
}
