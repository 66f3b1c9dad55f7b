//! Writer and reader of one ring of bytes.
//!
//! Positions count up and wrap; a position's place in the ring is its low bits. The writer copies
//! bytes in and then publishes its position, the reader copies them out and then publishes its own, so
//! neither ever sees a byte that is half there, whenever the other is killed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;

use super::bell;
use super::memory::Memory;
use super::{REQUEST_RING, RESPONSE_RING};

/// Which of a link's two rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Direction {
    /// From edge to worker.
    Requests = 0,
    /// From worker to edge.
    Responses = 1,
}

impl Direction {
    /// Bytes that the ring holds.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            Self::Requests => REQUEST_RING,
            Self::Responses => RESPONSE_RING,
        }
    }
}

/// The other side's position is one that it cannot have: the link must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the ring claims a position that it cannot have")]
pub struct Broken;

/// The writing end. There must be one per ring.
#[derive(Debug)]
pub struct Writer {
    memory: Arc<Memory>,
    direction: Direction,
    tail: u32,
    /// The reader's position as it was last looked at: it only moves on, so this much is free.
    head: u32,
}

impl Writer {
    /// The end of a ring into which nothing was written.
    #[must_use]
    pub const fn new(memory: Arc<Memory>, direction: Direction) -> Self {
        Self {
            memory,
            direction,
            tail: 0,
            head: 0,
        }
    }

    /// Bytes that have room.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn room(&mut self) -> Result<usize, Broken> {
        self.head = self.memory.head(self.direction).load(Ordering::Acquire);
        self.free()
    }

    /// Whether so many bytes have room now.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn room_for(&mut self, len: usize) -> Result<bool, Broken> {
        Ok(self.free()? >= len || self.room()? >= len)
    }

    fn free(&self) -> Result<usize, Broken> {
        let used = self.tail.wrapping_sub(self.head);
        let free = self.direction.size().checked_sub(used).ok_or(Broken)?;
        Ok(free as usize)
    }

    /// Writes as much of the pieces as there is room for, and publishes it as one. Returns how many
    /// bytes that was.
    ///
    /// # Errors
    /// [`Broken`]; nothing is written then.
    pub fn write(&mut self, pieces: &[&[u8]]) -> Result<usize, Broken> {
        let wanted: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut free = self.free()?;
        if free < wanted {
            free = self.room()?;
        }
        let mut written = 0;
        for piece in pieces {
            let len = piece.len().min(free - written);
            let at = self.tail.wrapping_add(position(written));
            self.memory
                .copy_in(self.direction, at, piece.get(..len).unwrap_or_default());
            written += len;
            if len < piece.len() {
                break;
            }
        }
        self.tail = self.tail.wrapping_add(position(written));
        self.memory
            .tail(self.direction)
            .store(self.tail, Ordering::Release);
        Ok(written)
    }

    /// Whether the reader sleeps and must be woken by the caller; after a write.
    #[must_use]
    pub fn must_wake(&self) -> bool {
        self.memory.must_wake_reader(self.direction)
    }

    /// Asks to be woken when there is room for something; `false` if there is some already.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn wait_for_room(&mut self) -> Result<bool, Broken> {
        let mut room = Ok(0);
        let memory = Arc::clone(&self.memory);
        let sleeps = bell::lie_down(memory.writer_waits(self.direction), || {
            room = self.room();
            room != Ok(0)
        });
        room?;
        if !sleeps {
            bell::get_up(memory.writer_waits(self.direction));
        }
        Ok(sleeps)
    }
}

/// The reading end. There must be one per ring.
#[derive(Debug)]
pub struct Reader {
    memory: Arc<Memory>,
    direction: Direction,
    head: u32,
}

impl Reader {
    /// The end of a ring from which nothing was read.
    #[must_use]
    pub const fn new(memory: Arc<Memory>, direction: Direction) -> Self {
        Self {
            memory,
            direction,
            head: 0,
        }
    }

    /// The memory that the ring lies in.
    #[must_use]
    pub const fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Whether there is something to read. A position that cannot be counts: reading finds it.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.memory.tail(self.direction).load(Ordering::Acquire) != self.head
    }

    /// How many bytes are there to be read.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn unread(&self) -> Result<usize, Broken> {
        let tail = self.memory.tail(self.direction).load(Ordering::Acquire);
        let len = tail.wrapping_sub(self.head);
        if len > self.direction.size() {
            return Err(Broken);
        }
        Ok(len as usize)
    }

    /// Copies what is to be read `offset` bytes further on, and leaves it there. It must be within what
    /// [`Self::unread`] said. If the writer breaks the rules it is nonsense.
    pub(crate) fn peek(&self, offset: usize, into: &mut [u8]) {
        let at = self.head.wrapping_add(position(offset));
        self.memory.copy_to(self.direction, at, into);
    }

    /// Appends all that is there, at most one ring's size; returns how many bytes that was.
    ///
    /// # Errors
    /// [`Broken`]; nothing is appended then.
    pub fn read(&mut self, into: &mut BytesMut) -> Result<usize, Broken> {
        let len = self.unread()?;
        if len > 0 {
            self.take(len, into);
        }
        Ok(len)
    }

    /// Appends so many bytes, which must be within what [`Self::unread`] said: a writer that takes back what it
    /// wrote is not asked again.
    pub(crate) fn take(&mut self, len: usize, into: &mut BytesMut) {
        self.memory.copy_out(self.direction, self.head, len, into);
        self.head = self.head.wrapping_add(position(len));
        self.memory
            .head(self.direction)
            .store(self.head, Ordering::Release);
    }

    /// Whether the writer waits for room and must be woken by the caller; after a read.
    #[must_use]
    pub fn must_wake(&self) -> bool {
        bell::ring_if_asleep(self.memory.writer_waits(self.direction))
    }

    /// Says that this side sleeps; `false` if there is something to read, so that it must not.
    #[must_use]
    pub fn lie_down(&self) -> bool {
        let sleeps = bell::lie_down(self.memory.reader_sleeps(self.direction), || {
            self.has_news()
        });
        if !sleeps {
            self.get_up();
        }
        sleeps
    }

    /// Says that this side is awake.
    pub fn get_up(&self) {
        bell::get_up(self.memory.reader_sleeps(self.direction));
    }
}

impl Memory {
    /// As [`Writer::must_wake`], for a writer that wakes later than it writes.
    #[must_use]
    pub fn must_wake_reader(&self, direction: Direction) -> bool {
        bell::ring_if_asleep(self.reader_sleeps(direction))
    }

    /// Whether the reader says that it sleeps, now. No promise: use it to guess, not to wait.
    #[must_use]
    pub fn reader_seems_asleep(&self, direction: Direction) -> bool {
        bell::Flag::look(self.reader_sleeps(direction)) != 0
    }

    /// Bytes of a ring that its reader has not taken yet, as both sides say. A guess, for whoever is not the
    /// ring's end; a side that lies makes it nonsense, never more than a number.
    #[must_use]
    pub fn unread(&self, direction: Direction) -> u32 {
        let tail = self.tail(direction).load(Ordering::Relaxed);
        tail.wrapping_sub(self.head(direction).load(Ordering::Relaxed))
    }

    /// The reader's position, as it says.
    #[must_use]
    pub fn read_to(&self, direction: Direction) -> u32 {
        self.head(direction).load(Ordering::Relaxed)
    }

    /// As [`Reader::get_up`], without the reader.
    pub fn reader_gets_up(&self, direction: Direction) {
        bell::get_up(self.reader_sleeps(direction));
    }
}

/// A length within a ring, whose size fits.
fn position(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
