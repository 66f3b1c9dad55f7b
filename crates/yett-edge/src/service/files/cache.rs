//! Files that were asked for: open, or in memory, and looked at again every second.
//!
//! Bounded by number (each holds at most a few descriptors) and by bytes. The library keeps one
//! bound, so an entry weighs what it takes of the one or of the other, whichever is more; then neither
//! can be passed. One scan through many files does not drive out those that are asked for often.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::{Cache as Shared, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::entity::{Entity, SMALL};
use crate::settings::FilesSettings;

/// How long what was seen is taken to be so.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// What one descriptor weighs.
const DESCRIPTOR: u64 = 1 << 20;

/// A file by its mount and the path below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) mount: u64,
    pub(super) path: Box<[u8]>,
}

/// The same without a copy of the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought<'p> {
    pub(super) mount: u64,
    pub(super) path: &'p [u8],
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.mount, &*self.path).hash(state);
    }
}

impl Hash for Sought<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.mount, self.path).hash(state);
    }
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.mount == key.mount && *self.path == *key.path
    }
}

/// A file that was looked at.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) entity: Entity,
    weight: u64,
    /// Milliseconds of the cache's clock up to which it needs no look.
    fresh_until: AtomicU64,
}

/// How much a known file may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// As it is.
    Fresh,
    /// Whoever is told so looks at it; others go on with it meanwhile.
    Due,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<Known>> for Weight {
    fn weight(&self, _key: &Key, known: &Arc<Known>) -> u64 {
        known.weight
    }
}

type Store = Shared<Key, Arc<Known>, Weight, std::hash::RandomState>;

/// All known files of an edge.
#[derive(Debug)]
pub(super) struct Cache {
    known: Store,
    capacity: u64,
    memory: u64,
    began: Instant,
}

impl Cache {
    pub(super) fn new(settings: &FilesSettings) -> Self {
        let capacity = DESCRIPTOR.saturating_mul(settings.open.max(1) as u64);
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(settings.open)
            .weight_capacity(capacity)
            .build();
        // It is complete: both capacities are said.
        let known = match options {
            Ok(options) => Shared::with_options(
                options,
                Weight,
                std::hash::RandomState::new(),
                DefaultLifecycle::default(),
            ),
            Err(_) => Shared::with(
                settings.open,
                capacity,
                Weight,
                std::hash::RandomState::new(),
                DefaultLifecycle::default(),
            ),
        };
        Self {
            known,
            capacity,
            memory: settings.memory,
            began: Instant::now(),
        }
    }

    /// Bytes up to which a single file may be kept in memory: no one file takes most of the room.
    pub(super) fn largest_in_memory(&self) -> u64 {
        SMALL.min(self.memory / 8)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn find(&self, sought: Sought<'_>) -> Option<Arc<Known>> {
        self.known.get(&sought)
    }

    /// A file that needs no look, whoever asks for it.
    pub(super) fn find_fresh(&self, sought: Sought<'_>) -> Option<Arc<Known>> {
        let known = self.find(sought)?;
        (self.now() < known.fresh_until.load(Ordering::Relaxed)).then_some(known)
    }

    /// Whether a file must be looked at by whoever asks. Of several who ask at the same time one is
    /// told so, unless nobody has asked for long.
    pub(super) fn age(&self, known: &Known) -> Age {
        let now = self.now();
        let until = known.fresh_until.load(Ordering::Relaxed);
        if now < until {
            return Age::Fresh;
        }
        let fresh = millis(FRESH);
        if now >= until.saturating_add(fresh) {
            return Age::Due;
        }
        let taken = known.fresh_until.compare_exchange(
            until,
            now.saturating_add(fresh),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        match taken {
            Ok(_) => Age::Due,
            Err(_) => Age::Fresh,
        }
    }

    /// It was looked at, and is what it was.
    pub(super) fn refresh(&self, known: &Known) {
        let until = self.now().saturating_add(millis(FRESH));
        known.fresh_until.fetch_max(until, Ordering::Relaxed);
    }

    /// Keeps a file, if it is not heavier than the cache. Says whether others had to go for it.
    pub(super) fn keep(&self, key: Key, entity: Entity) -> (Arc<Known>, bool) {
        let share = |part: u64, whole: u64| {
            let share = u128::from(part) * u128::from(self.capacity) / u128::from(whole.max(1));
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        let descriptors = entity.descriptors().max(1).saturating_mul(DESCRIPTOR);
        let weight = share(entity.memory(), self.memory).max(descriptors);
        let known = Arc::new(Known {
            entity,
            weight,
            fresh_until: AtomicU64::new(self.now().saturating_add(millis(FRESH))),
        });
        let replaces = self.known.contains_key(&Sought {
            mount: key.mount,
            path: &key.path,
        });
        let before = self.known.len();
        self.known.insert(key, Arc::clone(&known));
        let crowded = !replaces && self.known.len() <= before;
        (known, crowded)
    }

    /// Lets go of a file that is not there any more.
    pub(super) fn forget(&self, sought: Sought<'_>) {
        self.known.remove(&sought);
    }

    /// Files, and bytes of them in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, u64) {
        let memory = self.known.iter().map(|(_, known)| known.entity.memory());
        (self.known.len(), memory.sum())
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
