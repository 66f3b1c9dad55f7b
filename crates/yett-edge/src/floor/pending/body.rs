//! The way of a streamed answer's pieces to its client.

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc;

use crate::floor::exchange::{Lost, Piece, Pieces};

/// Where the pieces go. An answer is whole only when that is said: dropped in whatever way, a panic's
/// included, this tells that the worker is lost.
pub(super) struct BodyWaiter {
    /// None once the end was told.
    pieces: Option<mpsc::UnboundedSender<Result<Piece, Lost>>>,
}

impl BodyWaiter {
    pub(super) fn new() -> (Self, Pieces) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let waiter = Self {
            pieces: Some(sender),
        };
        (waiter, receiver)
    }

    /// Hands on a piece.
    pub(super) fn data(&self, piece: Bytes) {
        self.send(Ok(Piece::Data(piece)));
    }

    /// The answer is whole.
    pub(super) fn end(mut self) {
        self.pieces = None;
    }

    /// The answer is whole, with these fields behind it.
    pub(super) fn end_with(mut self, trailers: HeaderMap) {
        self.send(Ok(Piece::Trailers(trailers)));
        self.pieces = None;
    }

    /// The rest of it will not come.
    pub(super) fn fail(mut self, lost: Lost) {
        self.send(Err(lost));
        self.pieces = None;
    }

    fn send(&self, piece: Result<Piece, Lost>) {
        if let Some(pieces) = &self.pieces {
            let _client_left = pieces.send(piece);
        }
    }
}

impl Drop for BodyWaiter {
    fn drop(&mut self) {
        self.send(Err(Lost::Worker { begun: true }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mut pieces: Pieces) -> Vec<Result<Piece, Lost>> {
        std::iter::from_fn(|| pieces.blocking_recv()).collect()
    }

    #[test]
    fn answer_is_whole_only_when_that_is_said() {
        let piece = || Ok(Piece::Data(Bytes::from_static(b"some")));
        let (waiter, pieces) = BodyWaiter::new();
        waiter.data(Bytes::from_static(b"some"));
        waiter.end();
        assert_eq!(told(pieces), [piece()]);
        let (waiter, pieces) = BodyWaiter::new();
        waiter.end_with(HeaderMap::new());
        assert_eq!(told(pieces), [Ok(Piece::Trailers(HeaderMap::new()))]);
        let (waiter, pieces) = BodyWaiter::new();
        waiter.data(Bytes::from_static(b"some"));
        drop(waiter);
        assert_eq!(told(pieces), [piece(), Err(Lost::Worker { begun: true })]);
        let (waiter, pieces) = BodyWaiter::new();
        waiter.fail(Lost::Timeout);
        assert_eq!(told(pieces), [Err(Lost::Timeout)]);
    }
}
