//! Points in time as tokens tell them. Never reads a clock: whoever calls passes `now`.

use std::fmt;

/// Whole seconds since 1970-01-01T00:00:00Z without leap seconds: the integer part of RFC 7519's
/// `NumericDate`.
///
/// Fractions are cut off downwards on both sides of every comparison (PyJWT cuts the claims with
/// `int()`): a token that an issuer dated `time.time()` is thus never "from the future" within its
/// own second, and one that ends within a second ends at that second's begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(i64);

impl UnixSeconds {
    /// The moment `seconds` after (negative: before) the epoch.
    #[must_use]
    pub const fn new(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `seconds` later; stays at the last moment that the type can tell.
    pub(crate) const fn later(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as i64))
    }

    /// `seconds` earlier; stays at the first moment that the type can tell.
    pub(crate) const fn earlier(self, seconds: u32) -> Self {
        Self(self.0.saturating_sub(seconds as i64))
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
