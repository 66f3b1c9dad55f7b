//! The one place that reads the wall clock, and writes a second as HTTP does.
//!
//! Everything else takes `now` as a parameter, or measures spans with a monotonic instant.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;
use yett_jwt::UnixSeconds;

/// Time since the Unix epoch; zero on a clock set before it.
#[must_use]
pub fn since_epoch() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// The present second, for token checks.
#[must_use]
pub fn unix_seconds() -> UnixSeconds {
    UnixSeconds::new(i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
}

/// A second as HTTP writes it (RFC 9110 section 5.6.7); after the year 9999, the last one before.
pub(crate) fn http_date(unix_seconds: u64) -> Option<HttpDate> {
    let last = 253_402_300_799;
    UNIX_EPOCH
        .checked_add(Duration::from_secs(unix_seconds.min(last)))
        .map(HttpDate::from)
}
