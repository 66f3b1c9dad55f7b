//! The file of an answer that its client takes slowly: without a name, written at its end, read once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::meters::Limit;
use crate::respond::FileRange;
use crate::room::FileRoom;

/// Why a file has not taken something.
pub(super) enum Unkept {
    Full(Limit),
    Broken(io::Error),
}

impl From<io::Error> for Unkept {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(Limit::Spool),
            _ => Self::Broken(error),
        }
    }
}

/// A file and the room that it takes. It is closed before its room is free.
pub(super) struct Spool {
    file: Arc<File>,
    room: FileRoom,
    /// Bytes in the file, and how many of them were given to be read.
    written: u64,
    given: u64,
    /// More is being written.
    writing: bool,
}

impl Spool {
    /// Begins a file with these bytes, whose room was taken. Waits for the disk.
    pub(super) fn begin(folder: &Path, room: FileRoom, bytes: &[u8]) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        file.write_all_at(bytes, 0)?;
        Ok(Self {
            file: Arc::new(file),
            room,
            written: bytes.len() as u64,
            given: 0,
            writing: false,
        })
    }

    /// Where so many bytes more are to be written, if the file may become so long. [`Self::wrote`] is to follow.
    pub(super) fn place(&mut self, len: u64, most: u64) -> Result<(Arc<File>, u64), Unkept> {
        if self.written + len > most {
            return Err(Unkept::Full(Limit::AnswerSpool));
        }
        if !self.room.bytes().take(len) {
            return Err(Unkept::Full(Limit::Spool));
        }
        self.writing = true;
        Ok((Arc::clone(&self.file), self.written))
    }

    /// The bytes that got a place were written, or were not.
    pub(super) fn wrote(&mut self, len: u64, done: bool) {
        self.writing = false;
        if done {
            self.written += len;
        } else {
            self.room.bytes().give(len);
        }
    }

    /// What was not given yet, to be read.
    pub(super) fn rest(&mut self) -> Option<FileRange> {
        let (from, left) = (self.given, self.written - self.given);
        self.given = self.written;
        (left > 0).then(|| FileRange::of(Arc::clone(&self.file), from, left))
    }

    /// Whether everything was given.
    pub(super) const fn is_given(&self) -> bool {
        self.given == self.written
    }

    /// Whether nothing more will be read of it either.
    pub(super) const fn is_done(&self) -> bool {
        self.is_given() && !self.writing
    }

    /// Closes the file. Whoever closes a nameless file last waits until its blocks are given back. That is a
    /// millisecond, and of the many that end when an attack does it would be a second in which a thread
    /// serves nobody.
    pub(super) fn close(self) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(self));
        }
    }
}
