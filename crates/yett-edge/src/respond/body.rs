//! The body of every response, with the request's access record inside: the record is written when
//! the body ends, or when the connection drops it because the client left.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::conn::ClientEnd;
use crate::floor::{Exchange, Lost, Piece, Pieces};
use crate::log::Record;
use crate::rate::Slow;
use crate::respond::backlog::Backlog;
use crate::respond::compress::{Coded, EncoderFailed, Runner};
use crate::respond::failure::Fault;
use crate::respond::{FileRange, Parts};

/// A response's body.
pub(crate) struct Body {
    content: Content,
    record: Record,
    /// The connection counts as busy until the body is finished or dropped.
    busy: Option<ClientEnd>,
}

pub(super) enum Content {
    Bytes(Bytes),
    App {
        first: Bytes,
        rest: Rest,
        /// Bytes that are still to come, where the application said how many there are.
        promised: Option<u64>,
    },
    File(FileRange),
    Coded(Box<Coded>),
    Parts(Parts),
}

/// What follows behind the first piece of an application's body.
pub(crate) enum Rest {
    /// As the client takes it.
    Streamed(Pieces, Exchange),
    /// As the application says it.
    Kept(Backlog),
}

impl Rest {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, BodyError>>> {
        match self {
            Self::Streamed(stream, exchange) => {
                let piece = ready!(exchange.poll_piece(stream, cx));
                Poll::Ready(piece.map(|piece| Ok(piece?)))
            }
            Self::Kept(backlog) => backlog.poll_piece(cx),
        }
    }
}

/// A body that could not be sent to its end; the connection closes without ending the message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the application did not finish its answer")]
    App(#[from] Lost),
    #[error("the application's body is {missing} bytes shorter than its Content-Length")]
    Short { missing: u64 },
    #[error("the file could not be sent to its end")]
    File(#[from] std::io::Error),
    #[error("the answer could not be compressed")]
    Coding(#[from] EncoderFailed),
    #[error("taking the application's answer panicked; the error output says where")]
    Panicked,
}

impl BodyError {
    pub(crate) fn note(&self, record: &mut Record) {
        record.fields.fault = Some(self.fault().name());
        record.fields.failure = Some("answer_cut");
        record.reason(super::failure::Chain(self));
    }

    const fn fault(&self) -> Fault {
        match self {
            Self::App(_) | Self::Short { .. } => Fault::App,
            Self::File(_) | Self::Coding(_) | Self::Panicked => Fault::Yett,
        }
    }
}

impl Body {
    pub(crate) const fn bytes(bytes: Bytes, record: Record) -> Self {
        Self {
            content: Content::Bytes(bytes),
            record,
            busy: None,
        }
    }

    pub(crate) const fn app(
        first: Bytes,
        rest: Rest,
        promised: Option<u64>,
        record: Record,
    ) -> Self {
        Self {
            content: Content::App {
                first,
                rest,
                promised,
            },
            record,
            busy: None,
        }
    }

    pub(crate) const fn file(range: FileRange, record: Record) -> Self {
        Self {
            content: Content::File(range),
            record,
            busy: None,
        }
    }

    /// Several ranges of a file.
    pub(crate) const fn parts(parts: Parts, record: Record) -> Self {
        Self {
            content: Content::Parts(parts),
            record,
            busy: None,
        }
    }

    /// The same body, coded while it is sent.
    pub(crate) fn coded(mut self, runner: Runner) -> Self {
        let plain = std::mem::replace(&mut self.content, Content::Bytes(Bytes::new()));
        self.content = Content::Coded(Box::new(Coded::new(plain, runner)));
        self
    }

    pub(crate) fn hold(&mut self, busy: ClientEnd) {
        busy.answers();
        self.busy = Some(busy);
    }
}

impl Content {
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, BodyError>>> {
        match self {
            Self::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(Some(Ok(Piece::Data(std::mem::take(bytes))))),
            Self::App {
                first,
                rest,
                promised,
            } => {
                let piece = if first.is_empty() {
                    ready!(rest.poll_piece(cx)).transpose()?
                } else {
                    Some(Piece::Data(std::mem::take(first)))
                };
                Poll::Ready(counted(piece, promised).transpose())
            }
            Self::File(range) => {
                let piece = ready!(range.poll_piece(cx));
                Poll::Ready(piece.map(|piece| Ok(Piece::Data(piece?))))
            }
            Self::Coded(coded) => coded.poll_piece(cx),
            Self::Parts(parts) => {
                let piece = ready!(parts.poll_piece(cx));
                Poll::Ready(piece.map(|piece| Ok(Piece::Data(piece?))))
            }
        }
    }
}

/// Keeps count of what was promised; a body that ends before that is an error.
fn counted(piece: Option<Piece>, promised: &mut Option<u64>) -> Result<Option<Piece>, BodyError> {
    match (&piece, promised) {
        (Some(Piece::Data(piece)), Some(left)) => *left = left.saturating_sub(piece.len() as u64),
        (Some(Piece::Trailers(_)) | None, Some(missing)) if *missing > 0 => {
            return Err(BodyError::Short { missing: *missing });
        }
        _ => {}
    }
    Ok(piece)
}

impl Drop for Body {
    fn drop(&mut self) {
        let Some(busy) = &self.busy else { return };
        let ending = busy.ending();
        if let Some(error) = ending.spoilt {
            BodyError::File(error).note(&mut self.record);
        }
        if let Some(slow) = ending.cut {
            self.record.fields.fault = Some(Fault::Client.name());
            self.record.fields.failure = Some(match slow {
                Slow::Stopped => "client_stopped_reading",
                Slow::Trickle => "client_too_slow",
            });
            self.record.reason(match slow {
                Slow::Stopped => "the client stopped reading",
                Slow::Trickle => "the client read too slowly",
            });
        }
        // What hyper has taken of a file is not sent yet.
        if ending.waiting {
            busy.hold(self.record.take_along());
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let piece = match (&mut this.content, &this.busy) {
            (Content::File(range), Some(busy)) if busy.takes_files() => {
                let piece = ready!(range.poll_uncopied(cx));
                piece.map(|piece| Ok(Piece::Data(busy.stand_in(piece?)?)))
            }
            (content, _) => ready!(content.poll_piece(cx)),
        };
        #[cfg(test)]
        crate::testing::panic_where_sent(&this.record);
        Poll::Ready(match piece {
            Some(Ok(Piece::Trailers(fields))) => Some(Ok(Frame::trailers(fields))),
            Some(Ok(Piece::Data(piece))) => {
                this.record.fields.bytes += piece.len() as u64;
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => {
                error.note(&mut this.record);
                Some(Err(error))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.is_empty(),
            Content::File(range) => range.left() == 0,
            Content::Parts(parts) => parts.left() == 0,
            Content::App { .. } | Content::Coded(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::File(range) => SizeHint::with_exact(range.left()),
            Content::Parts(parts) => SizeHint::with_exact(parts.left()),
            Content::App { .. } | Content::Coded(_) => SizeHint::default(),
        }
    }
}
