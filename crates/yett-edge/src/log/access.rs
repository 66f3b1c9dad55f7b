//! The access log: one line for each request, written by a thread of its own.
//!
//! A line is made where the request ended, in a buffer that its thread keeps, and only copied under
//! the writer's lock.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;

use super::format::Format;
use super::record::Fields;
use super::words::Word;
use super::writer::{Out, Writer};

/// The largest buffer that a thread keeps for its next line.
const KEPT_BYTES: usize = 8 * 1024;

/// The log. Dropping the last handle writes what waits.
#[derive(Debug)]
pub struct AccessLog {
    format: Format,
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
        let writer = match &format {
            Format::Off => None,
            format => Some(Writer::start("yett-log", out, format.lost())?),
        };
        Ok(Arc::new(Self { format, writer }))
    }

    /// Whether a record's line shows this piece of what the client said.
    pub(super) fn shows(&self, word: Word) -> bool {
        self.format.shows(word)
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

    /// Opens the log's file anew by its name, after somebody has moved it away.
    pub fn reopen(&self) {
        if let Some(writer) = &self.writer {
            writer.reopen();
        }
    }

    /// Writes what waits and ends the writer. Records that come later are lost, so this comes last.
    pub fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}
