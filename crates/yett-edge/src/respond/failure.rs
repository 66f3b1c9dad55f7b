//! Every way in which a request can fail, and all that follows from it.
//!
//! Status, the sentence for the client, `Retry-After`, and whether the connection closes follow
//! from one value by exhaustive `match`, here and nowhere else. The precise cause goes to the access
//! record; the client's sentence never names a path, a header's value or a worker.

use std::fmt;
use std::io;

use http::StatusCode;
use yett_gate::BadRequest;

use crate::conn::{BodyCut, Offence};
use crate::floor::{BadHeader, Lost, QueueError};
use crate::log::Record;
use crate::meters::Limit;
use crate::rate::Slow;
use crate::respond::BadRange;
use crate::service::SendfileError;
use crate::websocket::HandshakeFault;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the request is malformed")]
    BadRequest(#[from] BadRequest),
    #[error(transparent)]
    Offence(#[from] Offence),
    #[error("the body is longer than {limit} bytes")]
    BodyTooLong { limit: u64 },
    #[error("the body ended before its length was reached, or could not be read")]
    BodyCut(#[source] BodyCut),
    #[error("the body did not arrive in time: {0}")]
    BodySlow(Slow),
    #[error("the body could not be kept until it was whole")]
    Spool(#[source] io::Error),
    #[error("too many bodies are kept in files")]
    SpoolFiles,
    #[error("no worker took the request")]
    Queue(#[from] QueueError),
    #[error("the worker did not answer")]
    Lost(#[from] Lost),
    #[error("the application's answer cannot be sent")]
    BadHeader(#[from] BadHeader),
    #[error("the application answered with the status {0}")]
    BadStatus(u16),
    #[error("the application's Content-Length is not one number; its body has {actual} bytes")]
    NoLength { actual: u64 },
    #[error("the application's Content-Length is {announced}, its body has {actual} bytes")]
    WrongLength { announced: u64, actual: u64 },
    #[error("the file that the application answered with cannot be sent")]
    BadRange(#[from] BadRange),
    #[error("the file that the application named is not sent")]
    Sendfile(#[from] SendfileError),
    #[error("the request does not fit into a frame")]
    Frame(#[from] yett_link::frame::FrameError),
    #[error("the request for a WebSocket is malformed")]
    Handshake(#[from] HandshakeFault),
    #[error("the application closed the WebSocket instead of accepting it")]
    SocketRefused,
    #[error("there is no such file")]
    NoSuchFile,
    #[error("the file could not be read")]
    File(#[source] io::Error),
    #[error("files are read with GET or HEAD")]
    FileMethod,
    #[error("the file is not the one that the request expects")]
    Precondition,
    #[error("the file of {len} bytes has nothing of the range")]
    OutsideRange { len: u64 },
    #[error("panic in the server")]
    Panicked,
    /// In development alone.
    #[error("the application's code does not load: {0}")]
    NotLoaded(String),
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Client,
    App,
    Yett,
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::App => "app",
            Self::Yett => "yett",
        }
    }
}

/// Seconds after which a client that was turned away should try again.
const RETRY_SECONDS: u64 = 1;

impl Failure {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(bad) => bad.status(),
            Self::Offence(offence) => offence.status(),
            Self::BodyTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyCut(_) => StatusCode::BAD_REQUEST,
            Self::BodySlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Spool(_) | Self::SpoolFiles => StatusCode::INSUFFICIENT_STORAGE,
            Self::Queue(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Lost(Lost::Worker { .. }) => StatusCode::BAD_GATEWAY,
            Self::Lost(Lost::AppFailed)
            | Self::File(_)
            | Self::NotLoaded(_)
            | Self::Panicked
            | Self::Sendfile(SendfileError::Unmapped { .. } | SendfileError::Several) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Lost(Lost::Timeout) => StatusCode::GATEWAY_TIMEOUT,
            Self::BadHeader(_)
            | Self::BadStatus(_)
            | Self::NoLength { .. }
            | Self::WrongLength { .. }
            | Self::BadRange(_) => StatusCode::BAD_GATEWAY,
            Self::Frame(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Handshake(HandshakeFault::Version) => StatusCode::UPGRADE_REQUIRED,
            Self::Handshake(HandshakeFault::Key) => StatusCode::BAD_REQUEST,
            Self::SocketRefused => StatusCode::FORBIDDEN,
            Self::NoSuchFile | Self::Sendfile(SendfileError::Missing { .. }) => {
                StatusCode::NOT_FOUND
            }
            Self::FileMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Precondition => StatusCode::PRECONDITION_FAILED,
            Self::OutsideRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    /// The limit that was met, if it was one of a client's.
    pub(crate) fn limit(&self) -> Option<Limit> {
        match self {
            Self::BodyTooLong { .. } => Some(Limit::BodySize),
            Self::BodySlow(Slow::Stopped) => Some(Limit::BodyTime),
            Self::BodySlow(Slow::Trickle) => Some(Limit::BodyRate),
            Self::Spool(error) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Limit::Spool),
                _ => None,
            },
            Self::SpoolFiles => Some(Limit::SpoolFiles),
            Self::Offence(offence) => offence.limit(),
            _ => None,
        }
    }

    pub(crate) const fn fault(&self) -> Fault {
        match self {
            Self::BadRequest(_)
            | Self::Offence(_)
            | Self::BodyTooLong { .. }
            | Self::BodyCut(_)
            | Self::BodySlow(_)
            | Self::Frame(_)
            | Self::Handshake(_)
            | Self::SocketRefused
            | Self::NoSuchFile
            | Self::FileMethod
            | Self::Precondition
            | Self::OutsideRange { .. } => Fault::Client,
            Self::Lost(_)
            | Self::BadHeader(_)
            | Self::BadStatus(_)
            | Self::NoLength { .. }
            | Self::WrongLength { .. }
            | Self::BadRange(_)
            | Self::Sendfile(_)
            | Self::NotLoaded(_) => Fault::App,
            Self::Spool(_) | Self::SpoolFiles | Self::Queue(_) | Self::File(_) | Self::Panicked => {
                Fault::Yett
            }
        }
    }

    /// The kind of failure in metrics and logs, one word of a fixed number of them.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::Offence(offence) => offence.name(),
            Self::BodyTooLong { .. } => "body_too_long",
            Self::BodyCut(_) => "body_cut",
            Self::BodySlow(_) => "body_slow",
            Self::Spool(_) => "spool",
            Self::SpoolFiles => "spool_files",
            Self::Queue(QueueError::Full) => "queue_full",
            Self::Queue(QueueError::TooOld) => "queue_timeout",
            Self::Lost(Lost::Worker { .. }) => "worker_lost",
            Self::Lost(Lost::AppFailed) => "app_failed",
            Self::Lost(Lost::Timeout) => "timeout",
            Self::BadHeader(_)
            | Self::BadStatus(_)
            | Self::NoLength { .. }
            | Self::WrongLength { .. }
            | Self::BadRange(_) => "bad_answer",
            Self::Sendfile(_) => "sendfile",
            Self::Frame(_) => "head_too_long",
            Self::Handshake(_) => "websocket_handshake",
            Self::SocketRefused => "websocket_refused",
            Self::NoSuchFile => "no_such_file",
            Self::File(_) => "file_unreadable",
            Self::FileMethod => "file_method",
            Self::NotLoaded(_) => "not_loaded",
            Self::Panicked => "panic",
            Self::Precondition => "precondition",
            Self::OutsideRange { .. } => "outside_range",
        }
    }

    /// One sentence, ending in a newline so that it reads well in a terminal.
    pub(crate) fn client_text(&self) -> String {
        let sentence = match self {
            Self::BadRequest(bad) => bad.client_text(),
            Self::Offence(offence) => offence.client_text(),
            Self::BodyTooLong { .. } => "The request's body is too long.",
            Self::BodyCut(_) => "The request's body did not arrive as announced.",
            Self::BodySlow(_) => "The request's body did not arrive in time.",
            Self::Spool(_) | Self::SpoolFiles => "The server has no room for the request's body.",
            Self::Queue(_) => "The server is busy. Try again soon.",
            Self::Lost(Lost::Worker { .. }) => {
                "The application ended while it worked on the request."
            }
            Self::Lost(Lost::AppFailed)
            | Self::Sendfile(SendfileError::Unmapped { .. } | SendfileError::Several) => {
                "The application failed."
            }
            Self::Lost(Lost::Timeout) => "The application did not answer in time.",
            Self::BadHeader(_)
            | Self::BadStatus(_)
            | Self::NoLength { .. }
            | Self::WrongLength { .. }
            | Self::BadRange(_) => "The application's answer was not valid.",
            Self::Frame(_) => "The request's head is too long.",
            Self::Handshake(HandshakeFault::Version) => {
                "This version of WebSockets is not spoken here."
            }
            Self::Handshake(HandshakeFault::Key) => "The Sec-WebSocket-Key is not valid.",
            Self::SocketRefused => "The application refused the WebSocket.",
            Self::NoSuchFile | Self::Sendfile(SendfileError::Missing { .. }) => {
                "There is no such file."
            }
            Self::File(_) => "The file could not be read.",
            Self::Panicked => "The server failed.",
            Self::FileMethod => "Files are read with GET or HEAD.",
            Self::Precondition => "The file is not the one that the request expects.",
            Self::OutsideRange { .. } => "The file has nothing of that range.",
            Self::NotLoaded(_) => "The application does not start. The server's terminal says why.",
        };
        format!("{sentence}\n")
    }

    pub(crate) const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Queue(_) => Some(RETRY_SECONDS),
            _ => None,
        }
    }

    /// Whether what follows on the connection cannot be trusted to be a request.
    pub(crate) const fn closes_connection(&self) -> bool {
        matches!(
            self,
            Self::BadRequest(_)
                | Self::Offence(_)
                | Self::BodyTooLong { .. }
                | Self::BodyCut(_)
                | Self::BodySlow(_)
                | Self::Spool(_)
                | Self::SpoolFiles
                | Self::Panicked
        )
    }

    /// What `Upgrade` and `Sec-WebSocket-Version` must say (RFC 9110 section 15.5.22, RFC 6455
    /// section 4.4).
    pub(crate) const fn upgrade(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Handshake(HandshakeFault::Version) => Some(("websocket", "13")),
            _ => None,
        }
    }

    pub(crate) const fn allow(&self) -> Option<&'static str> {
        match self {
            Self::FileMethod => Some("GET, HEAD"),
            _ => None,
        }
    }
}

/// Notes a failure in the access record, and counts the limit that it met.
pub(crate) fn note(failure: &Failure, record: &mut Record) {
    if let Some(limit) = failure.limit() {
        record.met(limit);
    }
    record.status(failure.status());
    record.fields.fault = Some(failure.fault().name());
    record.fields.failure = Some(failure.name());
    record.reason(Chain(failure));
}

/// Prints an error and what caused it, outermost first.
pub(crate) struct Chain<'a, E>(pub(crate) &'a E);

impl<E: std::error::Error> fmt::Display for Chain<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
