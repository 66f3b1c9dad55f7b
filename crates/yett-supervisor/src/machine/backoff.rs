//! How long to wait before trying again what died.
//!
//! The first quick death costs nothing, since it may be chance; then 100 ms, 200 ms, doubling up to
//! 5 s. A life of 10 s forgives all. What lived between 1 s and 10 s is replaced at once, and neither
//! counts nor forgives.

/// A life shorter than this, in milliseconds, is a quick death.
const QUICK: u64 = 1_000;
/// A life longer than this forgives earlier deaths.
const FORGIVING: u64 = 10_000;
const FIRST_DELAY: u64 = 100;
const LONGEST_DELAY: u64 = 5_000;

/// Counts the quick deaths in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    quick_deaths: u32,
}

impl Backoff {
    /// Milliseconds to wait after a death. `life` is how long it was ready, in milliseconds; `None`
    /// if it never was.
    pub(super) fn delay_after(&mut self, life: Option<u64>) -> u64 {
        match life {
            Some(life) if life >= FORGIVING => {
                self.quick_deaths = 0;
                0
            }
            Some(life) if life >= QUICK => 0,
            _ => {
                let earlier = self.quick_deaths;
                self.quick_deaths = earlier.saturating_add(1);
                match earlier {
                    0 => 0,
                    // 100 ms << 6 is past the longest delay already.
                    _ => (FIRST_DELAY << (earlier - 1).min(6)).min(LONGEST_DELAY),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_deaths_wait_longer_and_longer_up_to_five_seconds() {
        let mut backoff = Backoff::default();
        let delays: Vec<u64> = (0..9).map(|_| backoff.delay_after(None)).collect();
        assert_eq!(delays, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }

    #[test]
    fn a_death_within_a_second_of_ready_is_quick() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.delay_after(Some(999)), 0);
        assert_eq!(backoff.delay_after(Some(999)), 100);
    }

    #[test]
    fn a_life_of_some_seconds_is_replaced_at_once_but_forgives_nothing() {
        let mut backoff = Backoff { quick_deaths: 3 };
        assert_eq!(backoff.delay_after(Some(1_000)), 0);
        assert_eq!(backoff.delay_after(None), 400);
    }

    #[test]
    fn ten_seconds_of_life_forgive_all() {
        let mut backoff = Backoff { quick_deaths: 30 };
        assert_eq!(backoff.delay_after(Some(10_000)), 0);
        assert_eq!(backoff.delay_after(None), 0);
        assert_eq!(backoff.delay_after(None), 100);
    }
}
