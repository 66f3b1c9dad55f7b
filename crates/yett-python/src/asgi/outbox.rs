//! What a response has to send and may not send yet.
//!
//! Bytes go out as far as the edge gave credit; the rest waits here, in order, until more is given.
//! Bound: what the application sent without waiting for `send`, which is one piece for each of its
//! tasks that send.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use bytes::BytesMut;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use yett_link::frame::{ExchangeId, Kind, LAST, MAX_CHUNK, put_header};
use yett_link::worker::{Credit, LinkError, WorkerEnd};

/// Sends a frame. Other threads of the application run meanwhile: the socket may be full until the
/// edge has read.
///
/// # Errors
/// As [`WorkerEnd::send`].
pub(super) fn transmit(
    py: Python<'_>,
    end: &WorkerEnd,
    pieces: &[&[u8]],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), LinkError> {
    if descriptor.is_none() && end.try_send(pieces)? {
        return Ok(());
    }
    py.detach(|| end.send_with(pieces, descriptor))
}

/// One thing to send.
pub(super) enum Item {
    /// Bytes in as many frames as they need; no bytes are one empty frame.
    Bytes {
        /// The kind of the frames.
        kind: Kind,
        /// The bytes.
        data: Py<PyBytes>,
        /// How much of it is out.
        out: usize,
        /// On every frame of it.
        flags: u8,
        /// Beside those, on every frame but the last.
        more: u8,
        /// Beside `flags`, on the last frame.
        last: u8,
    },
    /// A frame that needs no credit.
    Frame(BytesMut),
}

impl Item {
    /// A piece of a response's body.
    pub(super) const fn chunk(data: Py<PyBytes>, out: usize, last: bool) -> Self {
        Self::Bytes {
            kind: Kind::Chunk,
            data,
            out,
            flags: 0,
            more: 0,
            last: if last { LAST } else { 0 },
        }
    }
}

/// How far flushing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Everything is out.
    All,
    /// The rest waits for credit.
    Partly,
    /// Nobody wants it any more.
    Cancelled,
}

/// The things that wait, in order.
#[derive(Default)]
pub(super) struct Outbox(VecDeque<Item>);

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, item: Item) {
        self.0.push_back(item);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Sends what may be sent.
    ///
    /// # Errors
    /// As [`WorkerEnd::send`]; a closed link is [`Flushed::Cancelled`].
    pub(super) fn flush(
        &mut self,
        py: Python<'_>,
        end: &WorkerEnd,
        id: ExchangeId,
    ) -> Result<Flushed, LinkError> {
        while let Some(item) = self.0.front_mut() {
            let flushed = match item.send(py, end, id) {
                Err(LinkError::Closed) => Flushed::Cancelled,
                flushed => flushed?,
            };
            match flushed {
                Flushed::All => drop(self.0.pop_front()),
                Flushed::Partly => return Ok(Flushed::Partly),
                Flushed::Cancelled => {
                    self.0.clear();
                    return Ok(Flushed::Cancelled);
                }
            }
        }
        Ok(Flushed::All)
    }
}

impl Item {
    fn send(
        &mut self,
        py: Python<'_>,
        end: &WorkerEnd,
        id: ExchangeId,
    ) -> Result<Flushed, LinkError> {
        let (kind, data, out, flags, more, last) = match self {
            Self::Frame(frame) => {
                transmit(py, end, &[frame], None)?;
                return Ok(Flushed::All);
            }
            Self::Bytes {
                kind,
                data,
                out,
                flags,
                more,
                last,
            } => (*kind, data.as_bytes(py), out, *flags, *more, *last),
        };
        loop {
            let rest = data.get(*out..).unwrap_or_default();
            let (piece, behind) = rest.split_at_checked(MAX_CHUNK).unwrap_or((rest, &[]));
            match end.try_credit(id, piece.len()) {
                Some(Credit::Granted) => {}
                Some(Credit::Cancelled | Credit::Interrupted) => return Ok(Flushed::Cancelled),
                None => return Ok(Flushed::Partly),
            }
            let ends = behind.is_empty();
            let mut header = BytesMut::with_capacity(16);
            // A piece is at most 64 KiB.
            let len = u32::try_from(piece.len()).unwrap_or(0);
            let beside = if ends { last } else { more };
            put_header(&mut header, kind, flags | beside, id, len);
            transmit(py, end, &[&header, piece], None)?;
            *out += piece.len();
            if ends {
                return Ok(Flushed::All);
            }
        }
    }
}
