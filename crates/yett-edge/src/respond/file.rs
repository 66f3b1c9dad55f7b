//! A range of a file on its way to a client.
//!
//! Read at places (`pread`), never at the file's own position: a descriptor that came from a worker
//! shares that position with the application. What is in the page cache is read at once; only what
//! has to come from the disk goes to a thread that may wait. Where the kernel sends by itself, that is seen
//! to beforehand, and holds as long as the page cache keeps what it has.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::pieces::{PIECE, Room};
use crate::conn::from_file;

/// How far apart the bytes are that are asked for before the kernel sends a piece. What is read ahead
/// together is thrown out together: a gap between two of them is rare, and one short read fills it. Each
/// look costs half a microsecond, at 16 KiB a fifth of all that a large file costs.
const APART: usize = 64 * 1024;

/// A range that is being read front to back.
pub(crate) struct FileRange {
    file: Arc<std::fs::File>,
    offset: u64,
    left: u64,
    /// A read that waits for the disk.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

/// A range that cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadRange {
    #[error("it is not a regular file")]
    NotAFile,
    #[error("bytes {offset} to {end} are not in a file of {size}")]
    Outside { offset: u64, end: u64, size: u64 },
    #[error("it cannot be looked at")]
    Unreadable(#[source] io::Error),
}

impl FileRange {
    /// The range of a file that was looked at by whoever opened it.
    pub(crate) fn new(file: OwnedFd, offset: u64, len: u64) -> Self {
        Self::of(Arc::new(std::fs::File::from(file)), offset, len)
    }

    /// The range of a file that others read too.
    pub(crate) const fn of(file: Arc<std::fs::File>, offset: u64, len: u64) -> Self {
        Self {
            file,
            offset,
            left: len,
            reading: None,
        }
    }

    /// Bytes that are still to be read.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// Ends the range earlier.
    pub(crate) fn shorten(&mut self, len: u64) {
        self.left = self.left.min(len);
    }

    /// Checks what a worker said: a regular file, and the range inside it.
    ///
    /// # Errors
    /// [`BadRange`].
    pub(crate) fn check(&self) -> Result<(), BadRange> {
        let stat = fstat(self.file.as_fd()).map_err(|error| BadRange::Unreadable(error.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(BadRange::NotAFile);
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let end = self.offset.checked_add(self.left);
        if end.is_none_or(|end| end > size) {
            return Err(BadRange::Outside {
                offset: self.offset,
                end: end.unwrap_or(u64::MAX),
                size,
            });
        }
        Ok(())
    }

    /// The next piece; `None` at the range's end.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match ready!(self.poll_read_behind(cx)) {
            Some(read) => read,
            None => match self.read_cached() {
                Some(read) => read,
                None => {
                    self.reading = Some(self.read_behind());
                    return self.poll_piece(cx);
                }
            },
        };
        Poll::Ready(Some(piece.and_then(|piece| self.advanced(piece))))
    }

    /// The next piece for the kernel to send by itself; `None` at the range's end.
    pub(crate) fn poll_uncopied(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<from_file::Piece>>> {
        let want = self.want();
        if want == 0 {
            return Poll::Ready(None);
        }
        let cached = match ready!(self.poll_read_behind(cx)) {
            // Only so that it is in the page cache.
            Some(read) => read.map(|_read| true),
            None => self.is_cached(want),
        };
        match cached {
            Ok(true) => {}
            Ok(false) => {
                self.reading = Some(self.read_behind());
                return self.poll_uncopied(cx);
            }
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
        let piece = from_file::Piece::new(Arc::clone(&self.file), self.offset, want);
        self.offset += want as u64;
        self.left = self.left.saturating_sub(want as u64);
        Poll::Ready(Some(Ok(piece)))
    }

    /// Whether the next so many bytes are in the page cache, as far as some of them tell: for a page
    /// between two of those that is missing the thread waits, shortly.
    fn is_cached(&self, want: usize) -> io::Result<bool> {
        for place in looked_at(self.offset, want) {
            if !self.has_cached(place)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has_cached(&self, place: u64) -> io::Result<bool> {
        loop {
            let mut byte = [0];
            let mut into = [io::IoSliceMut::new(&mut byte)];
            return match preadv2(&*self.file, &mut into, place, ReadWriteFlags::NOWAIT) {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => Ok(true),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
                Err(error) => Err(error.into()),
            };
        }
    }

    fn want(&self) -> usize {
        usize::try_from(self.left).map_or(PIECE, |left| left.min(PIECE))
    }

    /// What the page cache has; `None` where the disk would be waited for, or the file system cannot
    /// say.
    fn read_cached(&self) -> Option<io::Result<Bytes>> {
        let mut piece = Room::new();
        loop {
            let mut into = [io::IoSliceMut::new(piece.room(self.want()))];
            let read = preadv2(&*self.file, &mut into, self.offset, ReadWriteFlags::NOWAIT);
            return match read {
                Ok(count) => Some(Ok(piece.filled(count))),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => None,
                Err(error) => Some(Err(error.into())),
            };
        }
    }

    /// What was read on another thread, if anything was to be.
    fn poll_read_behind(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        // The task neither panics nor is it cancelled while the runtime lives.
        Poll::Ready(Some(
            read.unwrap_or_else(|gone| Err(io::Error::other(gone))),
        ))
    }

    fn read_behind(&self) -> JoinHandle<io::Result<Bytes>> {
        let file = Arc::clone(&self.file);
        let (offset, want) = (self.offset, self.want());
        tokio::task::spawn_blocking(move || {
            let mut piece = Room::new();
            let count = file.read_at(piece.room(want), offset)?;
            Ok(piece.filled(count))
        })
    }

    fn advanced(&mut self, piece: Bytes) -> io::Result<Bytes> {
        if piece.is_empty() {
            // The file was cut while it was being sent; the announced length cannot be kept.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += piece.len() as u64;
        self.left = self.left.saturating_sub(piece.len() as u64);
        Ok(piece)
    }
}

/// Where of so many bytes is looked whether the page cache has them: the first and the last, and between
/// them one of each [`APART`].
fn looked_at(offset: u64, want: usize) -> impl Iterator<Item = u64> {
    let last = offset + (want as u64).saturating_sub(1);
    (offset..last).step_by(APART).chain([last])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> std::fs::File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    async fn all(mut range: FileRange) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| range.poll_piece(cx)).await {
            read.extend_from_slice(&piece?);
        }
        Ok(read)
    }

    #[tokio::test]
    async fn range_is_read_at_its_place_whatever_the_position_is() {
        let content: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[1]).collect();
        let range = FileRange::new(file(&content).into(), 10, 150_000);
        range.check().unwrap();
        assert_eq!(all(range).await.unwrap(), content[10..150_010]);
    }

    #[tokio::test]
    async fn range_goes_to_the_kernel_in_pieces_that_leave_nothing_out() {
        let content = vec![7; PIECE + 1000];
        let mut range = FileRange::new(file(&content).into(), 10, PIECE as u64 + 900);
        let mut places = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| range.poll_uncopied(cx)).await {
            places.push(piece.unwrap().place());
        }
        assert_eq!(places, [(10, PIECE), (10 + PIECE as u64, 900)]);
        let cut = file(b"12345");
        let mut range = FileRange::new(cut.try_clone().unwrap().into(), 0, 5);
        cut.set_len(3).unwrap();
        let piece = std::future::poll_fn(|cx| range.poll_uncopied(cx)).await;
        assert!(piece.unwrap().is_err(), "the file has been cut");
    }

    #[test]
    fn no_long_part_of_a_piece_goes_unlooked_at() {
        let apart = APART as u64;
        let places = |offset, want| looked_at(offset, want).collect::<Vec<_>>();
        assert_eq!(places(5, 1), [5]);
        assert_eq!(places(5, APART), [5, 4 + apart]);
        assert_eq!(places(5, APART + 2), [5, 5 + apart, 6 + apart]);
        assert_eq!(places(0, PIECE).len(), 3);
    }

    #[tokio::test]
    async fn range_outside_its_file_is_refused() {
        for (offset, len) in [(0, 6), (5, 1), (6, 0), (u64::MAX, 1), (1, u64::MAX)] {
            let range = FileRange::new(file(b"12345").into(), offset, len);
            assert!(range.check().is_err(), "{offset} {len}");
        }
        FileRange::new(file(b"12345").into(), 5, 0).check().unwrap();
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let range = FileRange::new(reader, 0, 0);
        assert!(matches!(range.check(), Err(BadRange::NotAFile)));
    }

    #[tokio::test]
    async fn file_that_is_cut_while_it_is_sent_is_an_error() {
        let file = file(b"12345");
        let range = FileRange::new(file.try_clone().unwrap().into(), 0, 5);
        file.set_len(0).unwrap();
        assert!(all(range).await.is_err());
    }
}
