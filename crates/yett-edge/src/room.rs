//! How much of the disk bodies may take together, of requests and of answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What all bodies together may keep in files, and what they do.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    used: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicU64::new(0),
        })
    }

    /// No room yet, of one request's body.
    pub(crate) fn of_request(self: &Arc<Self>) -> Room {
        self.up_to(self.limit)
    }

    /// No room yet, of one answer's body. Answers take nothing of the budget's second half: clients
    /// that read slowly keep nobody from uploading.
    pub(crate) fn of_answer(self: &Arc<Self>) -> Room {
        self.up_to(self.limit / 2)
    }

    fn up_to(self: &Arc<Self>, limit: u64) -> Room {
        Room {
            budget: Arc::clone(self),
            limit,
            taken: 0,
        }
    }
}

/// What one body has taken of the budget; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    budget: Arc<Budget>,
    limit: u64,
    taken: u64,
}

impl Room {
    /// Takes as much again for these bytes; or nothing, and says so by `false`.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.limit);
        let used = &self.budget.used;
        let taken = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        self.taken += if taken.is_ok() { bytes } else { 0 };
        taken.is_ok()
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) {
        self.budget.used.fetch_sub(self.taken, Ordering::Relaxed);
        self.taken = 0;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_together_take_no_more_than_their_room() {
        let budget = Budget::new(100);
        let mut first = budget.of_request();
        assert!(first.take(60));
        let mut second = budget.of_request();
        assert!(!second.take(50));
        assert!(second.take(40));
        assert!(!first.take(1));
        drop(second);
        assert!(first.take(40));
        drop(first);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn answers_leave_half_of_the_room_to_requests() {
        let budget = Budget::new(100);
        let (mut request, mut answer) = (budget.of_request(), budget.of_answer());
        assert!(!answer.take(51));
        assert!(answer.take(50));
        assert!(request.take(50));
        answer.clear();
        assert!(!answer.take(1), "the rest is for requests");
        drop((request, answer));
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
