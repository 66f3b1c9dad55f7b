//! When a fetch may start, and when one is due: arithmetic on instants, nothing else.
//!
//! Three reasons for a fetch, one bound each. A *refresh* comes when it is due. A token with an
//! *unknown key* may cause one fetch per cooldown, so that made-up key ids cannot be used to
//! hammer the issuer. The *absence* of any set may always cause one. After a failure every demand
//! pauses, and longer each time.

use std::time::Duration;

use tokio::time::Instant;

/// Pause after the first failure; it doubles with each one more.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Why somebody wants a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// There is no set at all.
    Absence,
    /// The set lacks a key id.
    UnknownKey,
    /// The set has become old, or a failure's pause is over.
    Refresh,
}

/// When fetches were, and so when the next may be.
#[derive(Debug)]
pub(crate) struct Pace {
    refresh: Duration,
    cooldown: Duration,
    failures: u32,
    /// Until when a failure makes every demand wait.
    paused_until: Option<Instant>,
    /// Until when unknown keys cause no fetch.
    cooling_until: Option<Instant>,
    /// When the background fetches. `None`: at once.
    due: Option<Instant>,
}

impl Pace {
    pub(crate) const fn new(refresh: Duration, cooldown: Duration) -> Self {
        Self {
            refresh,
            cooldown,
            failures: 0,
            paused_until: None,
            cooling_until: None,
            due: None,
        }
    }

    /// Whether a fetch may start now.
    pub(crate) fn allows(&self, errand: Errand, now: Instant) -> bool {
        let is_over = |until: Option<Instant>| until.is_none_or(|until| until <= now);
        match errand {
            Errand::Refresh => is_over(self.due),
            Errand::Absence => is_over(self.paused_until),
            Errand::UnknownKey => is_over(self.paused_until) && is_over(self.cooling_until),
        }
    }

    /// When the background should fetch; `None` is at once.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Notes a good fetch. `roll` is any number; it spreads the instants of many machines.
    pub(crate) fn succeeded(&mut self, errand: Errand, now: Instant, roll: u64) {
        self.failures = 0;
        self.paused_until = None;
        self.due = Some(now + spread(self.refresh, roll));
        // A refresh uses up nobody's demand: a key that appears right after it is found at once.
        if errand == Errand::UnknownKey {
            self.cooling_until = Some(now + self.cooldown);
        }
    }

    /// Notes a failed fetch, whatever it was for: who is down is not asked sooner for being asked
    /// more often.
    pub(crate) fn failed(&mut self, now: Instant, roll: u64) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + spread(pause.min(self.refresh), roll));
        self.paused_until = Some(now + pause.min(self.cooldown));
    }
}

/// From nine to eleven tenths of `time`, evenly over all `roll`.
fn spread(time: Duration, roll: u64) -> Duration {
    // 1,024 steps are plenty, and keep the arithmetic in whole numbers.
    let step = u32::try_from(roll % 1024).unwrap_or(0);
    time * 9 / 10 + time / 5 * step / 1023
}

#[cfg(test)]
mod tests;
