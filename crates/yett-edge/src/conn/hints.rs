//! Early hints (103, RFC 8297) on an HTTP/1.1 connection.
//!
//! hyper's server cannot send informational responses, so these bytes go to the socket beside it.
//! They may only stand between two messages. [`ScannedIo`](super::io::ScannedIo) writes them where
//! that is certain: hyper asks for a flush only when its own buffer is empty; it begins a request only
//! when the answer before it is in that buffer to its end. So at a flush in a request's life, and
//! until hyper writes again, everything before is whole. Hints go at that flush; those that still
//! wait when the answer is known go right before the next bytes that hyper writes, which begin it.
//! A hint that finds no such moment is dropped: hints are a courtesy.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use http::HeaderMap;

use super::ConnState;
use super::h2::StreamState;

/// Bytes of hints that wait for their moment; more are dropped.
pub(super) const MOST_WAITING: usize = 16 * 1024;

/// Where the hints of a running request go.
#[derive(Debug, Clone)]
pub(crate) enum EarlyHints {
    /// Beside hyper.
    Http1(Arc<ConnState>),
    /// On the request's own stream.
    Http2(Arc<StreamState>),
}

impl EarlyHints {
    pub(crate) const fn new(state: Arc<ConnState>) -> Self {
        Self::Http1(state)
    }

    /// Sends a 103 answer with these fields before the running request's answer, or drops it.
    pub(crate) fn send(&self, fields: &HeaderMap) {
        let state = match self {
            Self::Http1(state) => state,
            Self::Http2(stream) => return stream.hint(fields),
        };
        if fields.is_empty() {
            return;
        }
        let mut bytes = BytesMut::with_capacity(256);
        bytes.put_slice(b"HTTP/1.1 103 Early Hints\r\n");
        for (name, value) in fields {
            bytes.put_slice(name.as_str().as_bytes());
            bytes.put_slice(b": ");
            bytes.put_slice(value.as_bytes());
            bytes.put_slice(b"\r\n");
        }
        bytes.put_slice(b"\r\n");
        state.hint(&bytes);
    }
}
