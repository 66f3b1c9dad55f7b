//! How the fetches have gone: for logs, metrics and readiness. Never part of a decision here.

use tokio::time::Instant;

use crate::JwksError;

/// How the fetches of one client have gone. The default is that of a client that never fetched.
///
/// A set is *stale* when [`failures_in_row`](Self::failures_in_row) is not 0: it serves, but the
/// issuer may have withdrawn a key of it since [`last_success`](Self::last_success).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct JwksStatus {
    /// Fetches that ended, well or badly.
    pub fetches: u64,
    /// When a fetch last brought a good set, the same or another.
    pub last_success: Option<Instant>,
    /// When a fetch last failed.
    pub last_failure: Option<Instant>,
    /// Why it failed. Stays after a success; [`failures_in_row`](Self::failures_in_row) says
    /// whether it is over.
    pub last_error: Option<JwksError>,
    /// Fetches that failed since the last success.
    pub failures_in_row: u32,
    /// How often the set at hand was replaced by one with other content; 0 means that there is none.
    pub replacements: u64,
}

impl JwksStatus {
    pub(crate) fn succeeded(&mut self, now: Instant, is_new: bool) {
        self.fetches += 1;
        self.last_success = Some(now);
        self.failures_in_row = 0;
        self.replacements += u64::from(is_new);
    }

    pub(crate) fn failed(&mut self, now: Instant, error: JwksError) {
        self.fetches += 1;
        self.last_failure = Some(now);
        self.last_error = Some(error);
        self.failures_in_row = self.failures_in_row.saturating_add(1);
    }
}
