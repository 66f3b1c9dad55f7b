//! Memory for pieces of files, used again and again: a piece of this size from the allocator is new
//! pages each time, which the kernel has to find and clear.

use std::cell::RefCell;

use bytes::Bytes;

/// How much of a file is read at a time, and so held for one client: large enough that the calls do
/// not count, small enough to stay in a core's cache between its two copies.
pub(crate) const PIECE: usize = 128 * 1024;

/// Pieces that a thread keeps for its next reads; more are given back.
const MOST_SPARE: usize = 8;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A piece's memory. When the last who reads it lets go, the thread has it again.
pub(super) struct Room {
    memory: Vec<u8>,
    filled: usize,
}

impl Room {
    /// Memory for a piece; what it holds is of earlier ones, and never shown.
    pub(super) fn new() -> Self {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        Self {
            memory: spare.ok().flatten().unwrap_or_else(|| vec![0; PIECE]),
            filled: 0,
        }
    }

    /// Where to read so many bytes into, at most [`PIECE`].
    pub(super) fn room(&mut self, want: usize) -> &mut [u8] {
        let want = want.min(self.memory.len());
        self.memory.get_mut(..want).unwrap_or_default()
    }

    /// The first so many bytes, which were read.
    pub(super) fn filled(mut self, count: usize) -> Bytes {
        self.filled = count.min(self.memory.len());
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Room {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        if memory.len() != PIECE {
            return;
        }
        // A thread that ends has nothing to keep it for.
        let _ended = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST_SPARE {
                spare.push(memory);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_shows_nothing_of_what_it_held() {
        let mut first = Room::new();
        first.room(6).copy_from_slice(b"secret");
        let first = first.filled(6);
        let place = first.as_ptr();
        assert_eq!(first, "secret");
        let kept = first.slice(1..3);
        drop(first);
        // It is still read.
        assert_ne!(Room::new().room(1).as_ptr(), place);
        assert_eq!(kept, "ec");
        drop(kept);
        let mut second = Room::new();
        assert_eq!(second.room(1).as_ptr(), place);
        second.room(2).copy_from_slice(b"ab");
        assert_eq!(second.filled(2), "ab");
    }

    #[test]
    fn thread_keeps_no_more_than_it_may() {
        let rooms: Vec<Room> = (0..MOST_SPARE * 2).map(|_| Room::new()).collect();
        drop(rooms);
        assert_eq!(SPARE.with_borrow(Vec::len), MOST_SPARE);
    }
}
