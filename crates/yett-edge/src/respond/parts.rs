//! Several ranges of one file in one body: `multipart/byteranges` (RFC 9110 section 14.6).

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::FileRange;

/// A body in pieces whose lengths are known.
#[derive(Default)]
pub(crate) struct Parts {
    parts: VecDeque<Part>,
    left: u64,
}

/// One of them.
pub(crate) enum Part {
    Bytes(Bytes),
    File(FileRange),
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => range.left(),
        }
    }
}

impl Parts {
    pub(crate) fn push(&mut self, part: Part) {
        self.left += part.len();
        self.parts.push_back(part);
    }

    /// Bytes that are still to be sent.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// The next piece; `None` at the end.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let piece = match self.parts.front_mut() {
                None => return Poll::Ready(None),
                Some(Part::Bytes(bytes)) => Some(Ok(std::mem::take(bytes))),
                Some(Part::File(range)) => ready!(range.poll_piece(cx)),
            };
            match piece {
                Some(Ok(bytes)) if !bytes.is_empty() => {
                    self.left = self.left.saturating_sub(bytes.len() as u64);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // At its end.
                Some(Ok(_)) | None => {
                    self.parts.pop_front();
                }
            }
        }
    }
}
