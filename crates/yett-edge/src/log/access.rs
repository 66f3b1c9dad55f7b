//! The access log: one line for each request, written by a thread of its own.
//!
//! A line is made where the request ended, in a buffer that its thread keeps, and only copied under
//! the writer's lock.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::format::Format;
use super::record::Fields;
use super::words::WordSet;
use super::writer::{GATHER, LogFile, LogFileError, Out, Writer};

/// The largest buffer that a thread keeps for its next line.
const KEPT_BYTES: usize = 8 * 1024;

/// The log. Dropping the last handle writes what waits.
#[derive(Debug)]
pub struct AccessLog {
    format: Format,
    /// Its name, if it is a file.
    path: Option<PathBuf>,
    writer: Option<Writer>,
}

impl AccessLog {
    /// A log that writes into `out`.
    ///
    /// # Errors
    /// When the writer's thread cannot be started.
    pub fn start(format: Format, out: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        Self::start_at(format, Out::Stream(Box::new(out)))
    }

    /// A log that writes into a file or a stream.
    ///
    /// # Errors
    /// When the writer's thread cannot be started.
    pub fn start_at(format: Format, out: Out) -> io::Result<Arc<Self>> {
        let path = match &out {
            Out::Stream(_) => None,
            Out::File(file) => Some(file.path().to_owned()),
        };
        let writer = match &format {
            Format::Off => None,
            format => Some(Writer::gathering("yett-log", out, format.lost(), GATHER)?),
        };
        Ok(Arc::new(Self {
            format,
            path,
            writer,
        }))
    }

    /// Which pieces of what a client said its lines show.
    pub(super) fn words(&self) -> WordSet {
        self.format.words()
    }

    pub(crate) fn write(&self, fields: &Fields) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        let Some(writer) = &self.writer else {
            return;
        };
        let write = |line: &mut String| {
            self.format.write(line, fields);
            writer.write(line);
        };
        let kept = LINE.try_with(|line| {
            let Ok(mut line) = line.try_borrow_mut() else {
                return false;
            };
            line.clear();
            write(&mut line);
            line.shrink_to(KEPT_BYTES);
            true
        });
        // A thread that is ending keeps nothing.
        if kept != Ok(true) {
            write(&mut String::new());
        }
    }

    /// Records that were dropped because they could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::lost)
    }

    /// Opens the log's file anew by its name, after somebody has moved it away. If that fails the old
    /// one goes on: a log at a wrong place is better than none. May block.
    ///
    /// # Errors
    /// [`LogFileError`].
    pub fn reopen(&self) -> Result<(), LogFileError> {
        if let (Some(writer), Some(path)) = (&self.writer, &self.path) {
            writer.turn_to(LogFile::open(path)?);
        }
        Ok(())
    }

    /// Writes what waits and ends the writer. Records that come later are lost, so this comes last.
    pub fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn file_that_was_moved_away_is_opened_anew_and_if_it_cannot_be_the_old_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
        let out = Out::File(LogFile::open(&path).unwrap());
        let log = AccessLog::start_at(Format::Text, out).unwrap();
        fs::rename(&path, &moved).unwrap();
        fs::create_dir(&path).unwrap();
        let error = log.reopen().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("cannot write the log's file {}", path.display())
        );
        log.writer.as_ref().unwrap().write("still\n");
        while fs::read(&moved).unwrap() != b"still\n" {
            std::thread::yield_now();
        }
        fs::remove_dir(&path).unwrap();
        log.reopen().unwrap();
        log.writer.as_ref().unwrap().write("anew\n");
        log.close();
        assert_eq!(fs::read(&path).unwrap(), b"anew\n");
    }

    #[test]
    fn log_keeps_of_a_client_what_it_shows_and_nothing_else() {
        use crate::log::words::Word;
        let check = |format: Format, expected: &[Word]| {
            let log = AccessLog::start(format, io::sink()).unwrap();
            for word in [Word::UserAgent, Word::Referer, Word::Host] {
                assert_eq!(log.words().has(word), expected.contains(&word), "{word:?}");
            }
        };
        let template = |text| Format::Template(super::super::Template::parse(text).unwrap());
        check(Format::Off, &[]);
        check(Format::Text, &[Word::UserAgent]);
        check(Format::Json, &[Word::UserAgent]);
        check(template("{client} {status}"), &[]);
        check(template("{referer} {host}"), &[Word::Referer, Word::Host]);
        check(
            Format::JsonOf(vec![super::super::Field::Host]),
            &[Word::Host],
        );
    }
}
