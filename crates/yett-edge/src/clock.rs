//! The one place that reads the wall clock.
//!
//! Everything else takes `now` as a parameter, or measures spans with a monotonic instant.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
