//! How much bodies may take together, of requests and of answers: of the disk, of open files, of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of answers that are kept in memory for clients that do not take them yet, over all answers.
const MEMORY: u64 = 64 * 1024 * 1024;

/// What all bodies together may keep, and what they do.
#[derive(Debug)]
pub(crate) struct Budget {
    files: Arc<Stock>,
    disk: Arc<Stock>,
    memory: Arc<Stock>,
}

/// So much of something, and what of it is taken.
#[derive(Debug)]
struct Stock {
    limit: u64,
    used: AtomicU64,
}

impl Budget {
    /// With so many bytes in so many files.
    pub(crate) fn new(disk: u64, files: u64) -> Arc<Self> {
        let [files, disk, memory] = [files, disk, MEMORY].map(|limit| {
            let used = AtomicU64::new(0);
            Arc::new(Stock { limit, used })
        });
        Arc::new(Self {
            files,
            disk,
            memory,
        })
    }

    /// One file of a request's body, with no bytes yet; `None`: there are too many.
    pub(crate) fn of_request(&self) -> Option<FileRoom> {
        self.file(1)
    }

    /// One file of an answer's body, likewise. Answers take nothing of a second half, neither of the
    /// files nor of their bytes: clients that read slowly keep nobody from uploading.
    pub(crate) fn of_answer(&self) -> Option<FileRoom> {
        self.file(2)
    }

    fn file(&self, part: u64) -> Option<FileRoom> {
        let mut place = Room::new(&self.files, part);
        place.take(1).then(|| FileRoom {
            bytes: Room::new(&self.disk, part),
            _place: place,
        })
    }

    /// Files that are open, and the bytes in them.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> (u64, u64) {
        let [files, disk] =
            [&self.files, &self.disk].map(|stock| stock.used.load(Ordering::Relaxed));
        (files, disk)
    }

    /// No room yet, of what one answer has in memory.
    pub(crate) fn in_memory(&self) -> Room {
        Room::new(&self.memory, 1)
    }
}

/// What one file has taken of the budget, itself and its bytes; given back when it is dropped, which is to be
/// when the file is closed.
#[derive(Debug)]
pub(crate) struct FileRoom {
    bytes: Room,
    _place: Room,
}

impl FileRoom {
    /// The room of the file's bytes.
    pub(crate) const fn bytes(&mut self) -> &mut Room {
        &mut self.bytes
    }
}

/// What somebody has taken of a stock; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    stock: Arc<Stock>,
    limit: u64,
    taken: u64,
}

impl Room {
    /// No room yet, within this part of the stock.
    fn new(stock: &Arc<Stock>, part: u64) -> Self {
        Self {
            stock: Arc::clone(stock),
            limit: stock.limit / part,
            taken: 0,
        }
    }

    /// How much is taken.
    pub(crate) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes as much again; or nothing, and says so by `false`.
    pub(crate) fn take(&mut self, more: u64) -> bool {
        let fits = |used: u64| used.checked_add(more).filter(|used| *used <= self.limit);
        let used = &self.stock.used;
        let taken = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        self.taken += if taken.is_ok() { more } else { 0 };
        taken.is_ok()
    }

    /// Takes as much again though it be too much: for what is on its way out.
    pub(crate) fn take_anyway(&mut self, more: u64) {
        self.stock.used.fetch_add(more, Ordering::Relaxed);
        self.taken += more;
    }

    /// Gives as much of it back.
    pub(crate) fn give(&mut self, back: u64) {
        let back = back.min(self.taken);
        self.stock.used.fetch_sub(back, Ordering::Relaxed);
        self.taken -= back;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.give(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_together_take_no_more_than_their_room() {
        let budget = Budget::new(100, 10);
        let mut first = budget.of_request().unwrap();
        assert!(first.bytes().take(60));
        let mut second = budget.of_request().unwrap();
        assert!(!second.bytes().take(50));
        assert!(second.bytes().take(40));
        assert!(!first.bytes().take(1));
        drop(second);
        assert!(first.bytes().take(40));
        drop(first);
        assert_eq!(budget.kept(), (0, 0));
    }

    #[test]
    fn answers_leave_half_of_the_room_to_requests() {
        let budget = Budget::new(100, 10);
        let mut request = budget.of_request().unwrap();
        let mut answer = budget.of_answer().unwrap();
        assert!(!answer.bytes().take(51));
        assert!(answer.bytes().take(50));
        assert!(request.bytes().take(50));
        answer.bytes().give(50);
        assert!(!answer.bytes().take(1), "the rest is for requests");
        drop((request, answer));
        assert_eq!(budget.kept(), (0, 0));
    }

    #[test]
    fn answers_leave_half_of_the_files_to_requests() {
        let budget = Budget::new(100, 10);
        let answers: Vec<_> = std::iter::from_fn(|| budget.of_answer()).collect();
        assert_eq!(answers.len(), 5);
        let requests: Vec<_> = std::iter::from_fn(|| budget.of_request()).collect();
        assert_eq!(requests.len(), 5);
        drop(answers);
        assert!(budget.of_answer().is_none(), "requests have a half");
        drop(requests);
        assert!(budget.of_answer().is_some());
    }

    #[test]
    fn what_is_on_its_way_out_counts_for_others() {
        let budget = Budget::new(0, 10);
        let (mut first, mut second) = (budget.in_memory(), budget.in_memory());
        assert!(first.take(MEMORY - 1));
        second.take_anyway(10);
        assert!(!first.take(1));
        second.give(9);
        assert!(!first.take(1));
        second.give(1);
        assert!(first.take(1));
    }
}
