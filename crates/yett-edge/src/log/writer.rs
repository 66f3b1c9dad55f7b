//! Writes lines on a thread of its own, so that a slow reader never holds up requests.
//!
//! The memory is bounded: when the reader is so slow that [`MAX_WAITING`] bytes wait, further lines
//! are dropped and counted, and the count is written as soon as there is room again. Lines that
//! cannot be written (a full disk, a closed pipe) are dropped and counted in the same way. Nor does a
//! reader that stands still hold up the end: what it has not taken within two seconds is lost.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of lines that may wait for the writer.
pub const MAX_WAITING: usize = 8 * 1024 * 1024;

/// How long the writer of requests gathers before it writes, so that a busy server writes in large
/// pieces.
pub(super) const GATHER: Duration = Duration::from_millis(20);

/// How long the end waits for what was not yet written.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
struct Waiting {
    text: String,
    dropped: u64,
    /// What is written to from now on.
    next: Option<LogFile>,
    closed: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
    end: Condvar,
    lost: AtomicU64,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where lines go. Dropping it writes what waits.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A file that is opened again, by its name, when somebody has moved it away.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens a file to append to; makes it, readable for its user and group, if there is none.
    ///
    /// # Errors
    /// [`LogFileError`].
    pub fn open(path: &Path) -> Result<Self, LogFileError> {
        let opened = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(path);
        let path = path.to_owned();
        match opened {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(LogFileError { path, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// A log's file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log's file {}", path.display())]
pub struct LogFileError {
    path: PathBuf,
    source: io::Error,
}

/// Where a log is written.
pub enum Out {
    /// Something that is open for as long as the server runs.
    Stream(Box<dyn Write + Send>),
    /// A file with a name.
    File(LogFile),
}

impl Out {
    fn stream(&mut self) -> &mut dyn Write {
        match self {
            Self::Stream(stream) => stream,
            Self::File(log) => &mut log.file,
        }
    }
}

impl Writer {
    /// Starts the thread `name`, which writes at once. `lost` is the line that tells how many were
    /// dropped.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(name: &str, out: Out, lost: fn(u64) -> String) -> io::Result<Self> {
        Self::gathering(name, out, lost, Duration::ZERO)
    }

    /// One that waits for more lines before it writes one.
    pub(super) fn gathering(
        name: &str,
        out: Out,
        lost: fn(u64) -> String,
        gather: Duration,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    run(&shared, out, lost, gather);
                    shared.waiting().ended = true;
                    shared.end.notify_all();
                })?
        };
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Takes a line, with its end, or drops it.
    pub fn write(&self, line: &str) {
        let mut waiting = self.shared.waiting();
        if waiting.text.len() + line.len() > MAX_WAITING {
            waiting.dropped += 1;
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = waiting.text.is_empty();
        waiting.text.push_str(line);
        drop(waiting);
        if was_empty {
            self.shared.more.notify_one();
        }
    }

    /// Lines that were dropped since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Writes into another file from now on, also what waits.
    pub(super) fn turn_to(&self, file: LogFile) {
        self.shared.waiting().next = Some(file);
        self.shared.more.notify_one();
    }

    /// Writes what waits and ends the thread. Lines that come later are lost, so this comes last.
    /// Takes two seconds at most: a thread whose reader stands still is left behind.
    pub fn close(&self) {
        self.close_within(LAST_WORDS);
    }

    fn close_within(&self, patience: Duration) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else {
            return;
        };
        let mut waiting = self.shared.waiting();
        waiting.closed = true;
        self.shared.more.notify_one();
        let ended = self
            .shared
            .end
            .wait_timeout_while(waiting, patience, |waiting| !waiting.ended);
        let ended = ended.unwrap_or_else(PoisonError::into_inner).0.ended;
        if ended || thread.is_finished() {
            // A thread that panicked has nothing left that could be written.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(shared: &Shared, mut out: Out, lost: fn(u64) -> String, gather: Duration) {
    let mut text = String::new();
    // Lines that could not be written, and whether the last one was begun.
    let mut failed = 0_u64;
    let mut torn = false;
    loop {
        let mut waiting = shared.waiting();
        while waiting.text.is_empty() && !waiting.closed && waiting.next.is_none() {
            waiting = shared
                .more
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !gather.is_zero() && !waiting.closed && waiting.next.is_none() {
            let gathered = shared.more.wait_timeout(waiting, gather);
            waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        // The two buffers are swapped, so that neither is made anew.
        text.clear();
        std::mem::swap(&mut text, &mut waiting.text);
        let dropped = std::mem::take(&mut waiting.dropped) + failed;
        let next = waiting.next.take();
        let closed = waiting.closed;
        drop(waiting);
        if let Some(file) = next {
            out = Out::File(file);
            torn = false;
        }
        let lines = count_lines(&text);
        if dropped > 0 {
            text.push_str(&lost(dropped));
        }
        if torn {
            text.insert(0, '\n');
        }
        match write_all(out.stream(), text.as_bytes()) {
            Ok(()) => (failed, torn) = (0, false),
            Err(Failed { written }) => {
                let rest = text.get(written..).unwrap_or_default();
                let missing = count_lines(rest).min(lines);
                shared.lost.fetch_add(missing, Ordering::Relaxed);
                failed = dropped + missing;
                torn = written > 0 && text.as_bytes().get(written - 1) != Some(&b'\n')
                    || written == 0 && torn;
            }
        }
        if closed {
            return;
        }
    }
}

fn count_lines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

struct Failed {
    /// Bytes that were written before.
    written: usize,
}

fn write_all(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Failed> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match out.write(rest) {
            Ok(0) => return Err(Failed { written }),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Failed { written }),
        }
    }
    // What a stream keeps for itself and cannot hand on is the last piece, and is not told apart.
    let _full = out.flush();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what there is room for, then nothing, until there is room again.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn room(&self, bytes: usize) {
            self.0.lock().unwrap().1 = bytes;
        }
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (text, room) = &mut *self.0.lock().unwrap();
            let count = bytes.len().min(*room);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *room -= count;
            text.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lost(count: u64) -> String {
        format!("lost {count}\n")
    }

    fn until(done: impl Fn() -> bool) {
        while !done() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn full_disk_costs_counted_lines_and_tears_none() {
        let disk = Disk::default();
        let out = Out::Stream(Box::new(disk.clone()));
        let writer = Writer::start("test", out, lost).unwrap();
        disk.room(6);
        writer.write("one\ntwo\nthree\n");
        until(|| writer.lost() == 2);
        disk.room(1000);
        writer.write("four\n");
        drop(writer);
        assert_eq!(disk.text(), "one\ntw\nfour\nlost 2\n");
    }

    #[test]
    fn more_than_may_wait_is_dropped_and_counted() {
        let disk = Disk::default();
        disk.room(usize::MAX);
        let held = disk.0.lock().unwrap();
        let out = Out::Stream(Box::new(disk.clone()));
        let writer = Writer::start("test", out, lost).unwrap();
        let line = format!("{}\n", "x".repeat(1024 * 1024 - 1));
        writer.write("first\n");
        // The writer has taken the first line and waits for the disk.
        until(|| writer.shared.waiting().text.is_empty());
        for _ in 0..10 {
            writer.write(&line);
        }
        assert_eq!(writer.lost(), 2);
        drop(held);
        drop(writer);
        assert!(disk.text().ends_with("x\nlost 2\n"));
    }

    #[test]
    fn reader_that_stands_still_does_not_hold_up_the_end() {
        let disk = Disk::default();
        let held = disk.0.lock().unwrap();
        let out = Out::Stream(Box::new(disk.clone()));
        let writer = Writer::start("test", out, lost).unwrap();
        writer.write("never read\n");
        until(|| writer.shared.waiting().text.is_empty());
        writer.close_within(Duration::ZERO);
        assert!(writer.thread.lock().unwrap().is_none());
        drop(held);
    }

    #[test]
    fn other_file_gets_everything_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
        let out = Out::File(LogFile::open(&path).unwrap());
        let writer = Writer::start("test", out, lost).unwrap();
        writer.write("before\n");
        until(|| std::fs::read(&path).unwrap() == b"before\n");
        std::fs::rename(&path, &moved).unwrap();
        writer.turn_to(LogFile::open(&path).unwrap());
        writer.write("after\n");
        drop(writer);
        assert_eq!(std::fs::read(&moved).unwrap(), b"before\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"after\n");
    }
}
