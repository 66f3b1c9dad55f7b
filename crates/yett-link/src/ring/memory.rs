//! The shared memory of one link: made by the edge, sealed, mapped by both sides.
//!
//! The one file of this crate with `unsafe`. What it must promise is small: a mapping lives as
//! long as its [`Memory`], every word and every range that it gives out lies inside, and bytes are copied
//! in and out by address, never lent as a slice, because the other process may write at any time.

#![expect(
    unsafe_code,
    reason = "shared memory cannot be mapped or touched without; see each SAFETY"
)]

use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use bytes::BytesMut;
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use super::claim::CLAIMS;
use super::stream::Direction;
use super::{REQUEST_RING, RESPONSE_RING};

/// Words stand this far apart: two lines, as the hardware fetches lines in pairs.
const APART: usize = 128;
/// Words of one direction: tail, head, reader's flag, writer's flag.
const WORDS: usize = 4;
const CLAIMS_AT: usize = 4096;
const REQUESTS_AT: usize = CLAIMS_AT + CLAIMS as usize * 8;
const RESPONSES_AT: usize = REQUESTS_AT + REQUEST_RING as usize;
const LENGTH: usize = RESPONSES_AT + RESPONSE_RING as usize;

const _: () = assert!((2 * WORDS + 2) * APART <= CLAIMS_AT && REQUESTS_AT.is_multiple_of(4096));
const _: () = assert!(REQUEST_RING.is_power_of_two() && RESPONSE_RING.is_power_of_two());

/// Why there is no shared memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The kernel refused.
    #[error("shared memory for a worker's link could not be made")]
    System(#[from] Errno),
    /// The other side sent something else.
    #[error("what came is not the shared memory of a link")]
    Foreign,
}

/// The mapping. Both processes have one of the same pages.
#[derive(Debug)]
pub struct Memory {
    base: NonNull<u8>,
    file: OwnedFd,
}

// SAFETY: the mapping is plain memory that belongs to no thread; every access goes through atomics or
// through the copies below, whose callers keep to one writer and one reader per range.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Makes and maps the memory of a new link. Its size is sealed, so that neither side can cut it
    /// under the other.
    ///
    /// # Errors
    /// [`MemoryError::System`], for example without memory files in a locked-down container; the link
    /// then works by its socket alone.
    pub fn create() -> Result<Self, MemoryError> {
        let file = memfd_create("yett-link", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, LENGTH as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::map(file)
    }

    /// Maps the memory that the edge has sent.
    ///
    /// # Errors
    /// [`MemoryError::Foreign`] when it is of another size or not sealed, so that touching it could
    /// kill this process.
    pub fn open(file: OwnedFd) -> Result<Self, MemoryError> {
        let sealed = fcntl_get_seals(&file)?.contains(SealFlags::SHRINK);
        let length = usize::try_from(fstat(&file)?.st_size).unwrap_or(0);
        if !sealed || length != LENGTH {
            return Err(MemoryError::Foreign);
        }
        Self::map(file)
    }

    fn map(file: OwnedFd) -> Result<Self, MemoryError> {
        // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of this process.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                LENGTH,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &file,
                0,
            )?
        };
        let base = NonNull::new(base.cast::<u8>()).ok_or(MemoryError::Foreign)?;
        let memory = Self { base, file };
        // SAFETY: exactly the mapping made above. A child that the application forks must not speak on
        // its parent's link; it has no mapping at all.
        unsafe { madvise(base.as_ptr().cast(), LENGTH, Advice::LinuxDontFork)? };
        Ok(memory)
    }

    /// What to send to the other side.
    #[must_use]
    pub fn descriptor(&self) -> impl AsFd {
        &self.file
    }

    fn word(&self, place: usize) -> &AtomicU32 {
        let at = place * APART;
        debug_assert!(at + 4 <= CLAIMS_AT);
        // SAFETY: inside the mapping and aligned, by the constants above; lives as long as `self`; both
        // processes touch these bytes by atomics alone.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(at).cast()) }
    }

    /// Where the writer is.
    pub(super) fn tail(&self, direction: Direction) -> &AtomicU32 {
        self.word(direction as usize * WORDS)
    }

    /// Where the reader is.
    pub(super) fn head(&self, direction: Direction) -> &AtomicU32 {
        self.word(direction as usize * WORDS + 1)
    }

    /// Whether the reader sleeps.
    pub(super) fn reader_sleeps(&self, direction: Direction) -> &AtomicU32 {
        self.word(direction as usize * WORDS + 2)
    }

    /// Whether the writer waits for room.
    pub(super) fn writer_waits(&self, direction: Direction) -> &AtomicU32 {
        self.word(direction as usize * WORDS + 3)
    }

    /// What the worker says of its pace.
    pub(super) fn pace(&self) -> &AtomicU32 {
        self.word(2 * WORDS)
    }

    /// Whether the edge looks into the ring by the clock.
    pub(super) fn ticks(&self) -> &AtomicU32 {
        self.word(2 * WORDS + 1)
    }

    pub(super) fn claim_word(&self, place: u16) -> &AtomicU64 {
        let place = usize::from(place.min(CLAIMS - 1));
        // SAFETY: inside the table and aligned to eight, by the constants above; touched by atomics
        // alone.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(CLAIMS_AT + place * 8).cast()) }
    }

    /// Start and end of a range of at most a whole ring that begins at position `at`: one piece, or two
    /// where it goes round.
    fn range(&self, direction: Direction, at: u32, len: usize) -> [(NonNull<u8>, usize); 2] {
        let size = direction.size() as usize;
        let from = (at & (direction.size() - 1)) as usize;
        let len = len.min(size);
        let first = len.min(size - from);
        let ring = match direction {
            Direction::Requests => REQUESTS_AT,
            Direction::Responses => RESPONSES_AT,
        };
        // SAFETY: `ring + size` is at most `LENGTH`, and `from + first` at most `size`.
        unsafe {
            [
                (self.base.add(ring + from), first),
                (self.base.add(ring), len - first),
            ]
        }
    }

    /// Copies bytes into a ring at this position. The caller is the ring's one writer and has seen
    /// that the room is free. At most the ring's size is copied.
    pub(super) fn copy_in(&self, direction: Direction, at: u32, bytes: &[u8]) {
        let mut rest = bytes;
        for (start, len) in self.range(direction, at, bytes.len()) {
            let Some((now, later)) = rest.split_at_checked(len) else {
                return;
            };
            // SAFETY: `start..start + len` is inside the mapping; the reader does not touch it until
            // the tail is published, and `bytes` is memory of this process, so they do not overlap.
            unsafe { start.copy_from_nonoverlapping(NonNull::from(now).cast(), len) };
            rest = later;
        }
    }

    /// As [`Memory::copy_out`], over bytes that are there.
    pub(super) fn copy_to(&self, direction: Direction, at: u32, into: &mut [u8]) {
        let mut rest = into;
        for (start, len) in self.range(direction, at, rest.len()) {
            let Some((now, later)) = mem::take(&mut rest).split_at_mut_checked(len) else {
                return;
            };
            // SAFETY: `start..start + len` is inside the mapping, and `now` is as long and memory of this
            // process. What a writer that breaks the rules changes meanwhile is nonsense, but ours.
            unsafe { start.copy_to_nonoverlapping(NonNull::from(now).cast(), len) };
            rest = later;
        }
    }

    /// Appends bytes of a ring from this position on. The caller is the ring's one reader. A writer that
    /// breaks the rules can change them meanwhile; what was copied is then nonsense, but ours.
    pub(super) fn copy_out(&self, direction: Direction, at: u32, len: usize, into: &mut BytesMut) {
        into.reserve(len);
        for (start, len) in self.range(direction, at, len) {
            let free = into.spare_capacity_mut();
            if free.len() < len {
                return;
            }
            // SAFETY: `start..start + len` is inside the mapping, and `free` has room for `len` bytes of
            // this process's own memory; after the copy they are initialised.
            unsafe {
                start.copy_to_nonoverlapping(NonNull::from(free).cast(), len);
                into.set_len(into.len() + len);
            }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `map`, which nothing borrows any more.
        let _unmapped = unsafe { munmap(self.base.as_ptr().cast(), LENGTH) };
    }
}
