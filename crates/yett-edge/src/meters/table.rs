//! Counters by labels, found without a lock: an open table of fixed size, each of whose places is
//! claimed once and for ever.
//!
//! Who finds no place adds to [`Table::rest`], so that a sum over everything stays exact. Places are
//! not given back: a metric that had a value keeps it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many places behind its own a key may stand. Further on it would cost more than it tells.
const REACH: usize = 32;

/// Counters of `K`.
#[derive(Debug)]
pub(super) struct Table<K> {
    places: Box<[Place<K>]>,
    rest: AtomicU64,
}

#[derive(Debug)]
struct Place<K> {
    key: OnceLock<K>,
    count: AtomicU64,
}

impl<K> Table<K> {
    /// A table of so many places.
    pub(super) fn new(places: usize) -> Self {
        let place = || Place {
            key: OnceLock::new(),
            count: AtomicU64::new(0),
        };
        Self {
            places: std::iter::repeat_with(place).take(places.max(1)).collect(),
            rest: AtomicU64::new(0),
        }
    }

    /// Adds one to the counter of a key with this hash: the one that `is` knows, or else a new one
    /// that `make` makes.
    pub(super) fn add(&self, hash: u64, is: impl Fn(&K) -> bool, make: impl Fn() -> K) {
        let count = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        let first = usize::try_from(hash % count).unwrap_or(0);
        let (before, from_here) = self.places.split_at(first.min(self.places.len()));
        for place in from_here.iter().chain(before).take(REACH) {
            // Of two that claim a place at once, one makes the key and both compare with it.
            if is(place.key.get_or_init(&make)) {
                place.count.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        self.rest.fetch_add(1, Ordering::Relaxed);
    }

    /// Every key that was ever counted, with its count.
    pub(super) fn each(&self) -> impl Iterator<Item = (&K, u64)> {
        self.places.iter().filter_map(|place| {
            let key = place.key.get()?;
            Some((key, place.count.load(Ordering::Relaxed)))
        })
    }

    /// What found no place.
    pub(super) fn rest(&self) -> u64 {
        self.rest.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn add(table: &Table<u64>, key: u64) {
        table.add(key.wrapping_mul(7), |other| *other == key, || key);
    }

    #[test]
    fn each_key_has_its_count_and_what_finds_no_place_is_counted_too() {
        let table = Table::new(16);
        for key in 0..20 {
            for _ in 0..=key {
                add(&table, key);
            }
        }
        let counts: BTreeMap<u64, u64> = table.each().map(|(key, count)| (*key, count)).collect();
        assert_eq!(counts.len(), 16);
        assert!(counts.iter().all(|(key, count)| *count == key + 1));
        assert_eq!(counts.values().sum::<u64>() + table.rest(), 210);
    }

    #[test]
    fn nothing_is_lost_or_counted_twice_between_threads() {
        let table = Table::new(8);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|number| add(&table, number % 8)));
            }
        });
        let counts: BTreeMap<u64, u64> = table.each().map(|(key, count)| (*key, count)).collect();
        assert_eq!(counts, (0..8).map(|key| (key, 500)).collect());
        assert_eq!(table.rest(), 0);
    }
}
