//! What is counted of handshakes, and what of those that failed is kept until somebody tells it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use yett_gate::ClientAddr;

/// How many handshakes ended in which way, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TlsCounts {
    /// A new session was made.
    pub full: u64,
    /// An earlier session was taken up again.
    pub resumed: u64,
    /// No session: broken off, refused, too slow, or not TLS.
    pub failed: u64,
}

/// Handshakes that failed since it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedHandshakes {
    /// How many.
    pub count: u64,
    /// The last one's client.
    pub client: ClientAddr,
    /// The last one's reason.
    pub reason: String,
}

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    full: AtomicU64,
    resumed: AtomicU64,
    failed: AtomicU64,
    untold: Mutex<Option<FailedHandshakes>>,
}

impl Counters {
    pub(super) fn counts(&self) -> TlsCounts {
        TlsCounts {
            full: self.full.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    pub(super) fn full(&self) {
        self.full.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn resumed(&self) {
        self.resumed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, client: ClientAddr, reason: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let count = untold.as_ref().map_or(0, |before| before.count) + 1;
        *untold = Some(FailedHandshakes {
            count,
            client,
            reason,
        });
    }

    pub(super) fn take_untold(&self) -> Option<FailedHandshakes> {
        self.untold
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
