//! What a running request may do with its client's connection beside the answer itself.

use super::{BusyGuard, EarlyHints};
use crate::websocket::{Asked, Socket};

/// The client's end of one request. While this lives, the request is running.
#[derive(Debug)]
pub(crate) enum ClientEnd {
    /// The whole connection: it has one request at a time.
    Http1(BusyGuard),
}

impl ClientEnd {
    /// The request asks for a WebSocket.
    pub(crate) const fn asked(&self) -> Option<&Asked> {
        match self {
            Self::Http1(busy) => busy.asked(),
        }
    }

    /// The connection becomes this WebSocket when the answer, which must have the status 101, is
    /// written.
    pub(crate) fn switch_to(&mut self, socket: Socket) {
        match self {
            Self::Http1(busy) => busy.switch_to(socket),
        }
    }

    /// Where the running request's early hints go.
    pub(crate) fn hints(&self) -> EarlyHints {
        match self {
            Self::Http1(busy) => busy.hints(),
        }
    }

    /// The answer is known: the time for hints is over.
    pub(crate) fn answers(&self) {
        match self {
            Self::Http1(busy) => busy.answers(),
        }
    }

    /// Whether the answer is being cut because its client has stopped reading.
    pub(crate) fn is_cut(&self) -> bool {
        match self {
            Self::Http1(busy) => busy.is_cut(),
        }
    }
}
