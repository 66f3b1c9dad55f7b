//! Tokens that were proven already. A server sees the same token with every request of a session;
//! the second proof of it can be a comparison of bytes. What never changes here is the answer:
//! [`TokenCache::verify`] says what [`Verifier::verify`] would say, only sooner.
//!
//! A token is known only by all of its bytes and by the verifier that proved it. The hash chooses
//! where to look and decides nothing: where a cache's keys can collide and nothing else is compared,
//! one user gets the claims of another (fast-jwt, GHSA-rp9m-7r4c-75qg).

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Refusal, UnixSeconds, Verified, Verifier};

/// Entries that share a lock and are searched one by one.
const WAYS: usize = 8;

/// So many bytes are there for an entry at least, on average. With less, a full set could not even
/// hold one token of several KiB.
const LEAST_BYTES_PER_ENTRY: usize = 1024;

/// More entries than anyone has sessions on a machine; bounds the table against a slip of the hand.
const MOST_ENTRIES: usize = 1 << 24;

/// The hashed end of a token: 24 bytes of its signature. Random for all algorithms but ML-DSA, whose
/// signatures end in a short list; that scatters them less well, and costs nothing else. The whole
/// token would be the dearest part of a hit.
const HASHED_TAIL: usize = 32;

/// How much a [`TokenCache`] may hold. Both bounds always hold.
///
/// The table consists of sets of eight entries, among which `bytes` is divided evenly. When a set
/// is full, the expired tokens in it go first, then those unused for longest. A token that weighs
/// more than a whole set may (eight times `bytes / entries`) is never kept: it is proven each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSize {
    /// Tokens at most. Beyond eight, rounded down to a multiple of eight; lowered to one for each
    /// KiB of `bytes`, and to 2^24. At 0 nothing is kept or counted, and every token is proven each
    /// time.
    pub entries: usize,
    /// Bytes at most, where a token weighs its text, its decoded payload with the index of its
    /// claims, and the structures around them: some 1,000 for a token of 300. Not counted: what the
    /// allocator rounds up, and the empty table, which takes 8 bytes an entry. Below 1024 nothing
    /// is kept.
    pub bytes: usize,
}

impl Default for CacheSize {
    /// 16 384 tokens, 32 MiB: 2 KiB each on average, and none of more than some 8000 characters.
    fn default() -> Self {
        Self {
            entries: 16_384,
            bytes: 32 * 1024 * 1024,
        }
    }
}

/// What a [`TokenCache`] did and holds, for metrics. Counted set by set while others go on, so the
/// numbers are of almost the same moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Calls of [`TokenCache::verify`] that were answered without looking at the signature, among
    /// them refusals of a known token whose time was over or had not come.
    pub hits: u64,
    /// Calls that took a whole proof, whatever came of it.
    pub misses: u64,
    /// Tokens held.
    pub entries: usize,
    /// Their weight in bytes, as [`CacheSize::bytes`] counts it.
    pub bytes: usize,
}

/// A bounded memory of accepted tokens, shared between threads and between verifiers.
///
/// A token is answered from here only if the same [`Verifier`], or a clone of it, accepted the very
/// same bytes before; its `exp`, `nbf` and `iat` are judged anew at every call. A new `Verifier`
/// (another key, other rules) knows nothing of what an older one accepted; what that one left is
/// never used again, and makes way like everything unused, or at once with [`TokenCache::clear`].
/// Refused tokens are never kept, so nobody without a good token can fill the cache.
///
/// # Revocation
/// Neither the cache nor a `Verifier` knows of any list of revoked tokens: **forgetting is not
/// refusing**. A forgotten token that comes again is proven again, and accepted if its signature
/// and times are right. Whoever revokes asks their own list at every request, with the claims that
/// come from here; what they forget is out of this memory, and costs a whole proof next time.
///
/// A `forget…` or `clear` wins against proofs that are under way: none that began before it is kept
/// after it. Those calls still get their answer.
///
/// ```
/// use yett_jwt::{CacheSize, Rules, SigningKey, TokenCache, UnixSeconds, Verifier};
///
/// let key = SigningKey::hs256(b"at least thirty-two bytes of secret")?;
/// let token = key.sign(br#"{"sub":"42","exp":1700000300}"#)?;
/// let verifier = Verifier::new(key.verifying_key(), Rules::new().require("exp"));
///
/// let cache = TokenCache::new(CacheSize::default());
/// cache.verify(&verifier, &token, UnixSeconds::new(1_700_000_000))?;
/// let again = cache.verify(&verifier, &token, UnixSeconds::new(1_700_000_001))?;
/// assert_eq!(again.claims().subject(), Some("42"));
/// assert_eq!((cache.stats().hits, cache.stats().misses), (1, 1));
///
/// cache.forget_where(|verified| verified.claims().subject() == Some("42"));
/// assert_eq!(cache.stats().entries, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TokenCache {
    sets: Box<[Mutex<Set>]>,
    /// Entries of a set at most.
    ways: usize,
    /// Bytes of a set at most.
    room: usize,
    /// Its key is random, so that tokens cannot be chosen to crowd into one set.
    keyed: RandomState,
    /// How often something was forgotten. Raised before anything is removed.
    epoch: AtomicU64,
}

/// The tokens of one lock, the last used first.
#[derive(Default)]
struct Set {
    entries: Vec<Entry>,
    // Counted here, not in one place for all threads: the lock is held anyway.
    hits: u64,
    misses: u64,
}

struct Entry {
    hash: u64,
    generation: u64,
    weight: usize,
    token: Box<str>,
    verified: Arc<Verified>,
}

/// What makes a token the same.
#[derive(Clone, Copy)]
struct Key<'t> {
    hash: u64,
    generation: u64,
    token: &'t str,
}

enum Found<'t> {
    /// The token is known; this is the answer.
    Judged(Result<Arc<Verified>, Refusal>),
    Unknown(Miss<'t>),
}

/// A proof under way: permission to keep its result, unless something was forgotten meanwhile.
struct Miss<'t> {
    key: Key<'t>,
    epoch: u64,
}

impl TokenCache {
    /// An empty cache. Takes 8 bytes for each entry at once, the rest with the tokens.
    #[must_use]
    pub fn new(size: CacheSize) -> Self {
        let entries = size
            .entries
            .min(size.bytes / LEAST_BYTES_PER_ENTRY)
            .min(MOST_ENTRIES);
        let ways = entries.min(WAYS);
        let sets = entries.checked_div(ways).unwrap_or(0);
        Self {
            sets: (0..sets).map(|_| Mutex::default()).collect(),
            ways,
            room: size.bytes.checked_div(sets).unwrap_or(0),
            keyed: RandomState::new(),
            epoch: AtomicU64::new(0),
        }
    }

    /// Answers as [`Verifier::verify`] does, claim for claim and refusal for refusal.
    ///
    /// A known token costs a short hash, a comparison and no memory, and yields the same `Arc` as
    /// before. Any other costs a proof, during which no lock is held: threads that meet a new token
    /// at the same time each prove it.
    ///
    /// # Errors
    /// Those of [`Verifier::verify`]. A token that expired is forgotten.
    pub fn verify(
        &self,
        verifier: &Verifier,
        token: &str,
        now: UnixSeconds,
    ) -> Result<Arc<Verified>, Refusal> {
        match self.look_up(verifier, token, now) {
            Found::Judged(answer) => answer,
            Found::Unknown(miss) => {
                let verified = verifier.verify(token, now)?;
                Ok(self.keep(miss, verified, now))
            }
        }
    }

    /// Forgets one token, whichever verifiers accepted it. The very text: an ECDSA token has a twin
    /// that says the same (see `docs/security/threats.md`), so that
    /// [`TokenCache::forget_where`] is for revocations.
    pub fn forget(&self, token: &str) {
        self.raise_epoch();
        if let Some(mut set) = self.set(self.hash(token)) {
            set.entries.retain(|entry| *entry.token != *token);
        }
    }

    /// Forgets the tokens of which `is_revoked` says so: by `jti`, by user, by time of issue. Looks
    /// at all that are held. `is_revoked` runs outside of the locks, so it may take its time and may
    /// use this cache.
    pub fn forget_where(&self, mut is_revoked: impl FnMut(&Verified) -> bool) {
        self.raise_epoch();
        let mut held: Vec<Arc<Verified>> = Vec::with_capacity(self.ways);
        for set in &self.sets {
            // What comes into the set after this line was proven after the epoch was raised.
            held.extend(lock(set).entries.iter().map(|e| Arc::clone(&e.verified)));
            held.retain(|verified| is_revoked(verified));
            if !held.is_empty() {
                lock(set)
                    .entries
                    .retain(|entry| !held.iter().any(|gone| Arc::ptr_eq(gone, &entry.verified)));
                held.clear();
            }
        }
    }

    /// Forgets every token. The counts of hits and misses go on.
    pub fn clear(&self) {
        self.raise_epoch();
        for set in &self.sets {
            lock(set).entries = Vec::new();
        }
    }

    /// What the cache did and holds. Visits every set: for a scrape of metrics, not for a request.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let mut stats = CacheStats::default();
        for set in &self.sets {
            let set = lock(set);
            stats.hits += set.hits;
            stats.misses += set.misses;
            stats.entries += set.entries.len();
            stats.bytes += set.bytes();
        }
        stats
    }

    /// Looks for a token that was accepted before, and judges its times at `now`.
    fn look_up<'t>(&self, verifier: &Verifier, token: &'t str, now: UnixSeconds) -> Found<'t> {
        let key = Key {
            hash: self.hash(token),
            generation: verifier.generation(),
            token,
        };
        if let Some(mut set) = self.set(key.hash) {
            if let Some(verified) = set.touch(key) {
                let answer = match verifier.check_times_again(verified, now) {
                    Ok(()) => Ok(Arc::clone(verified)),
                    Err(refusal) => {
                        // An immature one stays: its time will come.
                        if matches!(refusal, Refusal::Expired { .. }) {
                            set.entries.retain(|entry| !entry.is(key));
                        }
                        Err(refusal)
                    }
                };
                set.hits += 1;
                return Found::Judged(answer);
            }
            set.misses += 1;
        }
        Found::Unknown(Miss {
            key,
            // Acquire, with `raise_epoch`: a proof that begins in the new epoch also sees whatever
            // was written before the tokens were forgotten.
            epoch: self.epoch.load(Ordering::Acquire),
        })
    }

    /// Keeps what was proven since `miss`, if it may be kept and fits. If another thread was
    /// quicker, its result is the one.
    fn keep(&self, miss: Miss<'_>, verified: Verified, now: UnixSeconds) -> Arc<Verified> {
        let Miss { key, epoch } = miss;
        let verified = Arc::new(verified);
        let weight = weight(key.token, &verified);
        let Some(room_beside) = self.room.checked_sub(weight) else {
            return verified;
        };
        let entry = Entry {
            hash: key.hash,
            generation: key.generation,
            weight,
            token: key.token.into(),
            verified: Arc::clone(&verified),
        };

        let Some(mut set) = self.set(key.hash) else {
            return verified;
        };
        // Under the lock: whoever forgets raises the epoch first and takes this lock after. Either
        // we see the new epoch, or our entry is there to be found.
        if self.epoch.load(Ordering::Acquire) != epoch {
            return verified;
        }
        if let Some(earlier) = set.touch(key) {
            return Arc::clone(earlier);
        }
        set.make_room(self.ways, room_beside, now);
        set.entries.push(entry);
        set.entries.rotate_right(1);
        verified
    }

    fn raise_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn hash(&self, token: &str) -> u64 {
        let bytes = token.as_bytes();
        let tail = bytes.last_chunk::<HASHED_TAIL>();
        let mut hasher = self.keyed.build_hasher();
        hasher.write(tail.map_or(bytes, <[u8; HASHED_TAIL]>::as_slice));
        hasher.finish()
    }

    /// The one set where a token with this hash can be. None when the cache has no room at all.
    fn set(&self, hash: u64) -> Option<MutexGuard<'_, Set>> {
        // The hash as a fraction of 2^64, times the number of sets.
        let at = (u128::from(hash) * self.sets.len() as u128) >> 64;
        self.sets.get(at as usize).map(lock)
    }
}

impl Set {
    /// Finds a token and makes it the last used one.
    fn touch(&mut self, key: Key<'_>) -> Option<&Arc<Verified>> {
        let at = self.entries.iter().position(|entry| entry.is(key))?;
        self.entries.get_mut(..=at)?.rotate_right(1);
        self.entries.first().map(|entry| &entry.verified)
    }

    /// Removes entries until there are fewer than `ways`, of at most `room` bytes. Expired is here
    /// what has passed its `exp`; leeway does not count, for this is only a preference.
    fn make_room(&mut self, ways: usize, room: usize, now: UnixSeconds) {
        let fits = |set: &Self| set.entries.len() < ways && set.bytes() <= room;
        if !fits(self) {
            self.entries.retain(|entry| {
                let expires_at = entry.verified.claims().expires_at();
                expires_at.is_none_or(|at| at > now)
            });
        }
        while !fits(self) && self.entries.pop().is_some() {}
    }

    // Added up when it is asked for: at most eight numbers, and never out of step with the entries.
    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.weight).sum()
    }
}

impl Entry {
    /// The hash only spares comparisons. The tokens may be compared in variable time: to get that
    /// far one must already have the end of the signature right, under a hash with a secret key.
    fn is(&self, key: Key<'_>) -> bool {
        self.hash == key.hash && self.generation == key.generation && *self.token == *key.token
    }
}

fn weight(token: &str, verified: &Verified) -> usize {
    const COUNTS_OF_ARC: usize = 2 * size_of::<usize>();
    const STRUCTURES: usize = size_of::<Entry>() + COUNTS_OF_ARC + size_of::<Verified>();
    token.len() + verified.held_bytes() + STRUCTURES
}

/// A set is whole between any two of its lines, so a thread that panicked while it held the lock
/// leaves nothing to fear.
fn lock(set: &Mutex<Set>) -> MutexGuard<'_, Set> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for TokenCache {
    /// Without the tokens: who reads one can use it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("sets", &self.sets.len())
            .field("ways", &self.ways)
            .field("bytes_per_set", &self.room)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
