//! The control protocol between the supervisor and a zygote.
//!
//! A `SOCK_SEQPACKET` pair; one JSON object a message, at most 32 KiB; descriptors beside it by
//! `SCM_RIGHTS`. Documents (the manifest, a traceback) are nameless files, at most 16 MiB. The table of
//! messages is in `docs/notes/borders.md`. The zygote runs the app's own code, so everything it
//! says is checked, and nothing that it says can do more than end its own generation.

mod document;
mod message;
mod socket;

pub use document::{MAX_DOCUMENT, read_document};
pub use message::{FromZygote, ToZygote};
pub use socket::{MAX_MESSAGE, Received, pair, receive, send};

use std::io;

use crate::ids::WorkerId;

/// What is wrong with something that came over the control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket itself failed.
    #[error("the control socket failed")]
    Socket(#[source] io::Error),
    /// More than [`MAX_MESSAGE`] bytes.
    #[error("a control message is longer than {MAX_MESSAGE} bytes")]
    TooLong,
    /// Not a message of the protocol.
    #[error("a control message cannot be understood")]
    NotUnderstood(#[source] serde_json::Error),
    /// Too few or too many descriptors beside a message.
    #[error("the message `{op}` came with {found} descriptors instead of {expected}")]
    Descriptors {
        /// The message.
        op: &'static str,
        /// How many it needs.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A message about a worker that is not this zygote's to speak of.
    #[error("the message `{op}` names worker {worker}, which it cannot mean")]
    WrongWorker {
        /// The message.
        op: &'static str,
        /// The worker that it names.
        worker: WorkerId,
    },
    /// A document that is not a plain file.
    #[error("a document is not a file")]
    NotAFile,
    /// A document of more than [`MAX_DOCUMENT`] bytes.
    #[error("a document has {0} bytes, more than {MAX_DOCUMENT}")]
    DocumentTooLong(u64),
    /// A document that cannot be read.
    #[error("a document cannot be read")]
    Document(#[source] io::Error),
    /// A descriptor that was to be a process cannot be watched.
    #[error("the descriptor beside `forked` is not a process")]
    NotAProcess(#[source] io::Error),
}
