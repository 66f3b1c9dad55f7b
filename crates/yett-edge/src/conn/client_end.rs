//! What a running request may do with its client's connection beside the answer itself.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::from_file::Piece;
use super::h2::StreamState;
use super::{BusyGuard, EarlyHints, Ending};
use crate::log::Record;
use crate::websocket::{Asked, Socket};

/// The client's end of one request. While this lives, the request is running.
#[derive(Debug)]
pub(crate) enum ClientEnd {
    /// The whole connection: it has one request at a time.
    Http1(BusyGuard),
    /// One stream of many.
    Http2(Arc<StreamState>),
}

impl ClientEnd {
    /// The request asks for a WebSocket.
    pub(crate) const fn asked(&self) -> Option<&Asked> {
        match self {
            Self::Http1(busy) => busy.asked(),
            // Extended CONNECT (RFC 8441) is not offered; clients use HTTP/1.1 for WebSockets.
            Self::Http2(_) => None,
        }
    }

    /// The connection becomes this WebSocket when the answer, which must have the status 101, is
    /// written.
    pub(crate) fn switch_to(&mut self, socket: Socket) {
        match self {
            Self::Http1(busy) => busy.switch_to(socket),
            // Nobody has asked for it.
            Self::Http2(_) => drop(socket),
        }
    }

    /// Where the running request's early hints go.
    pub(crate) fn hints(&self) -> EarlyHints {
        match self {
            Self::Http1(busy) => busy.hints(),
            Self::Http2(stream) => EarlyHints::Http2(Arc::clone(stream)),
        }
    }

    /// The answer is known: the time for hints is over.
    pub(crate) fn answers(&self) {
        match self {
            Self::Http1(busy) => busy.answers(),
            Self::Http2(stream) => stream.answers(),
        }
    }

    /// Whether the kernel can send files to the client.
    pub(crate) fn takes_files(&self) -> bool {
        match self {
            Self::Http1(busy) => busy.takes_files(),
            // Its frames are ours to write.
            Self::Http2(_) => false,
        }
    }

    /// Lets the kernel send a piece of a file as the answer's next bytes; what is returned stands for
    /// it.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it cannot.
    pub(crate) fn stand_in(&self, piece: Piece) -> io::Result<Bytes> {
        match self {
            Self::Http1(busy) => busy.stand_in(piece),
            Self::Http2(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Keeps the record of an answer that hyper has taken whole until the kernel has sent it.
    pub(crate) fn hold(&self, record: Record) {
        match self {
            Self::Http1(busy) => busy.hold(record),
            Self::Http2(_) => drop(record),
        }
    }

    /// How the answer's body ends.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Http1(busy) => busy.ending(),
            Self::Http2(stream) => Ending {
                cut: stream.cut(),
                ..Ending::default()
            },
        }
    }
}
