//! Claims: who has a request that was sent ahead, the worker or the edge.
//!
//! The edge may send a request to a worker that is still busy, and take it back as long as the
//! worker has not begun it: when another worker is free, or when this one dies. A claim is one
//! word in shared memory; each side changes it by one compare-and-set, so exactly one side wins, and a
//! process that is killed at any moment leaves the word in one state or the other.
//!
//! The word holds the exchange's number beside the state. So a place of the table may be given to
//! another exchange at once when the edge took a request back: the worker, coming to the old frame
//! later, finds another number there and drops the frame.

use std::sync::atomic::{AtomicU64, Ordering};

use super::memory::Memory;
use crate::frame::ExchangeId;

/// How many exchanges of a link can have a claim at the same time; further ones go without.
pub const CLAIMS: u16 = 1024;

const OFFERED: u64 = 1;
const BEGUN: u64 = 2;
const RECALLED: u64 = 3;

/// The place of a claim in the table. Travels in the frame's header; zero there means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimId(u16);

impl ClaimId {
    /// The claim of this number, from 1 to [`CLAIMS`].
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number == 0 || number > CLAIMS {
            None
        } else {
            Some(Self(number))
        }
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A word of the table.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'m> {
    word: &'m AtomicU64,
}

impl Claim<'_> {
    /// Edge: this request may be begun. Before its frame is written.
    pub fn offer(self, exchange: ExchangeId) {
        self.word.store(word(exchange, OFFERED), Ordering::Release);
    }

    /// Worker: begin this request; `false` if the edge has taken it back.
    #[must_use]
    pub fn begin(self, exchange: ExchangeId) -> bool {
        self.swap(exchange, OFFERED, BEGUN)
    }

    /// Edge: take this request back; `false` if the worker has begun it.
    #[must_use]
    pub fn recall(self, exchange: ExchangeId) -> bool {
        self.swap(exchange, OFFERED, RECALLED)
    }

    /// Worker: whether this request may still be begun: the edge has not taken it back.
    #[must_use]
    pub fn is_offered(self, exchange: ExchangeId) -> bool {
        self.word.load(Ordering::Acquire) == word(exchange, OFFERED)
    }

    /// Edge: whether the worker has begun it. A worker that wrote nonsense here counts as having begun.
    #[must_use]
    pub fn is_begun(self, exchange: ExchangeId) -> bool {
        let now = self.word.load(Ordering::Acquire);
        now != word(exchange, OFFERED) && now != word(exchange, RECALLED)
    }

    fn swap(self, exchange: ExchangeId, from: u64, to: u64) -> bool {
        let (from, to) = (word(exchange, from), word(exchange, to));
        self.word
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// Exchange numbers count up from one: two bits fewer are still enough for ages.
const fn word(exchange: ExchangeId, state: u64) -> u64 {
    exchange.get() << 2 | state
}

impl Memory {
    /// The claim of this place.
    #[must_use]
    pub fn claim(&self, id: ClaimId) -> Claim<'_> {
        Claim {
            word: self.claim_word(id.get() - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn begun_request_cannot_be_recalled_nor_a_recalled_one_begun() {
        let memory = Memory::create().unwrap();
        let claim = memory.claim(ClaimId::new(1).unwrap());
        let (one, two) = (ExchangeId::new(1), ExchangeId::new(2));
        claim.offer(one);
        assert!(!claim.is_begun(one));
        assert!(claim.begin(one));
        assert!(!claim.recall(one) && claim.is_begun(one));
        claim.offer(two);
        assert!(claim.recall(two));
        assert!(!claim.begin(two) && !claim.is_begun(two));
    }

    #[test]
    fn place_that_went_to_another_exchange_is_not_begun_for_the_old_one() {
        let memory = Memory::create().unwrap();
        let claim = memory.claim(ClaimId::new(CLAIMS).unwrap());
        let (old, new) = (ExchangeId::new(7), ExchangeId::new(8));
        claim.offer(old);
        assert!(claim.recall(old));
        claim.offer(new);
        assert!(!claim.begin(old));
        assert!(claim.begin(new));
    }

    #[test]
    fn exactly_one_side_gets_a_request() {
        let memory = Memory::create().unwrap();
        let id = ClaimId::new(3).unwrap();
        for number in 1..=2000 {
            let exchange = ExchangeId::new(number);
            memory.claim(id).offer(exchange);
            let (begun, recalled) = thread::scope(|scope| {
                let worker = scope.spawn(|| memory.claim(id).begin(exchange));
                let recalled = memory.claim(id).recall(exchange);
                (worker.join().unwrap(), recalled)
            });
            assert!(begun != recalled);
            assert_eq!(memory.claim(id).is_begun(exchange), begun);
        }
    }
}
