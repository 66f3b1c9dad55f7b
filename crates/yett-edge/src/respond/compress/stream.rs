//! A body that is coded while it is sent.
//!
//! What the application has sent is never held back: when nothing more of it is there, everything so
//! far is made readable for the client. Memory: the encoder, one piece of the body, and one turn's
//! output. A body that breaks off gets no end of its coding, nor of its message.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;

use super::{Runner, Then};
use crate::floor::{Piece, rounds};
use crate::respond::body::{BodyError, Content};

/// Bytes of a body that are coded in one go; then other connections have their turn. It takes up to
/// half a millisecond.
pub(super) const TURN: usize = 32 * 1024;

/// Output that is not worth a chunk of its own while more is coming.
const SMALL: usize = 4 * 1024;

/// A coded body.
pub(in crate::respond) struct Coded {
    source: Content,
    /// `None` once the body has ended.
    runner: Option<Runner>,
    /// Of the piece that came last, what is not coded yet.
    input: Bytes,
    /// What is coded and not handed on yet.
    output: Vec<u8>,
    /// What came since the last pause, which the client may not be able to read yet.
    unread: bool,
    /// Bytes since others had their turn.
    worked: usize,
    others: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    trailers: Option<HeaderMap>,
}

impl Coded {
    pub(in crate::respond) fn new(source: Content, runner: Runner) -> Self {
        Self {
            source,
            runner: Some(runner),
            input: Bytes::new(),
            output: Vec::new(),
            unread: false,
            worked: 0,
            others: None,
            trailers: None,
        }
    }

    pub(in crate::respond) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, BodyError>>> {
        loop {
            let Some(runner) = &mut self.runner else {
                let trailers = self.trailers.take();
                return Poll::Ready(trailers.map(|fields| Ok(Piece::Trailers(fields))));
            };
            if self.worked >= TURN {
                // Woken only after the sockets were looked at, unlike a task that wakes itself.
                let others = self.others.get_or_insert_with(|| {
                    // The thread does not sleep meanwhile: its workers are heard and woken here.
                    rounds::turn();
                    Box::pin(tokio::task::yield_now())
                });
                ready!(others.as_mut().poll(cx));
                self.others = None;
                self.worked = 0;
            }
            let then = if self.input.is_empty() {
                match self.source.poll_piece(cx) {
                    Poll::Ready(Some(Ok(Piece::Data(piece)))) => {
                        self.input = piece;
                        continue;
                    }
                    Poll::Ready(Some(Ok(Piece::Trailers(fields)))) => {
                        self.trailers = Some(fields);
                        Then::End
                    }
                    Poll::Ready(None) => Then::End,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending if self.unread => Then::Pause,
                    Poll::Pending => return Poll::Pending,
                }
            } else {
                Then::More
            };
            let room = TURN - self.worked;
            let piece = self.input.split_to(room.min(self.input.len()));
            let written = runner.write(&piece, then, &mut self.output);
            self.worked += piece.len();
            self.unread = then == Then::More;
            if then == Then::End {
                self.runner = None;
            }
            if let Err(failed) = written {
                return Poll::Ready(Some(Err(failed.into())));
            }
            if then != Then::More || self.output.len() >= SMALL {
                let output = std::mem::take(&mut self.output);
                return Poll::Ready(Some(Ok(Piece::Data(output.into()))));
            }
        }
    }
}
