//! What is wrong and would come with every connection: told at once, and then once a minute at most,
//! with how many there were in between. Strangers make connections, and must not make lines.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From one line to the next of the same kind.
const PAUSE: Duration = Duration::from_secs(60);

/// What there is to warn of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warning {
    /// A connection does not begin with a trusted proxy's PROXY header.
    ProxyHeader,
    /// The system gives no further connection.
    Accept,
}

impl Warning {
    const COUNT: usize = 2;
}

/// When each was told, and how many were not since.
#[derive(Debug, Default)]
pub(super) struct Warnings([Mutex<Seldom>; Warning::COUNT]);

#[derive(Debug, Default)]
struct Seldom {
    told: Option<Instant>,
    untold: u64,
}

impl Warnings {
    /// Whether it is to be told now, and how many were not before it.
    pub(super) fn admit(&self, warning: Warning, now: Instant) -> Option<u64> {
        let seldom = self.0.get(warning as usize)?;
        let mut seldom = seldom.lock().unwrap_or_else(PoisonError::into_inner);
        if seldom
            .told
            .is_some_and(|told| now.saturating_duration_since(told) < PAUSE)
        {
            seldom.untold += 1;
            return None;
        }
        seldom.told = Some(now);
        Some(std::mem::take(&mut seldom.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_a_kind_is_told_and_then_one_a_minute_with_how_many_there_were() {
        let warnings = Warnings::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(warnings.admit(Warning::Accept, at(0)), Some(0));
        for second in 1..60 {
            assert_eq!(warnings.admit(Warning::Accept, at(second)), None);
        }
        // Another kind has its own minute.
        assert_eq!(warnings.admit(Warning::ProxyHeader, at(59)), Some(0));
        assert_eq!(warnings.admit(Warning::Accept, at(60)), Some(59));
        assert_eq!(warnings.admit(Warning::Accept, at(600)), Some(0));
    }
}
