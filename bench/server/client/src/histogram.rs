//! How often each latency was seen: exact below 128 µs, within 1.6 % above.

use std::fmt;
use std::time::Duration;

/// Values below this have a slot of their own; above, each power of two has half as many slots.
const EXACT: u64 = 128;
const STEPS: u64 = EXACT / 2;
/// Up to 2^36 µs, which is 19 hours; what is longer is counted there.
const SLOTS: usize = (EXACT + 29 * STEPS) as usize;

/// Counts of latencies.
pub(crate) struct Histogram {
    slots: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            slots: vec![0; SLOTS],
        }
    }
}

impl Histogram {
    /// Count one.
    pub(crate) fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let slot = slot_of(micros).min(SLOTS - 1);
        if let Some(count) = self.slots.get_mut(slot) {
            *count += 1;
        }
    }
}

/// The place of a value.
fn slot_of(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let shift = u64::from(micros.ilog2() - STEPS.ilog2());
    (EXACT + (shift - 1) * STEPS + (micros >> shift) - STEPS) as usize
}

/// The largest value that has this place.
fn upper_bound(slot: usize) -> u64 {
    let slot = slot as u64;
    if slot < EXACT {
        return slot;
    }
    let shift = (slot - EXACT) / STEPS + 1;
    let step = (slot - EXACT) % STEPS + STEPS;
    ((step + 1) << shift) - 1
}

/// A JSON list of `[latency in µs, count]`, ascending, without the empty ones.
impl fmt::Display for Histogram {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        out.write_str("[")?;
        for (number, (slot, count)) in seen.enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(out, "{comma}[{}, {count}]", upper_bound(slot))?;
        }
        out.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_below_its_bound_by_one_64th_at_most() {
        for micros in (0..100_000).chain([1 << 20, (1 << 30) + 12_345, (1 << 36) - 1]) {
            let bound = upper_bound(slot_of(micros));
            assert!(bound >= micros && bound - micros <= micros / 64, "{micros}");
        }
    }

    #[test]
    fn what_is_too_long_is_counted_in_the_last_place() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::MAX);
        assert_eq!(
            histogram.to_string(),
            format!("[[{}, 1]]", (1_u64 << 36) - 1)
        );
    }
}
