//! A request's body as services read it, whichever protocol brought it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::Offence;
use super::h2::StreamBody;

/// The body of a client's request.
#[derive(Debug, Default)]
pub(crate) enum ClientBody {
    /// Nothing more of it is here: it was read to its end, or somebody else reads it.
    #[default]
    Gone,
    /// Behind a head of HTTP/1.1.
    Http1(Incoming),
    /// On a stream of HTTP/2.
    Http2(StreamBody),
}

/// A body that did not come to its end: the client left, or broke its framing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyCut {
    #[error(transparent)]
    Http1(#[from] hyper::Error),
    #[error(transparent)]
    Http2(#[from] h2::Error),
    #[error(transparent)]
    Trailers(#[from] Offence),
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BodyCut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyCut>>> {
        match self.get_mut() {
            Self::Gone => Poll::Ready(None),
            Self::Http1(body) => Pin::new(body).poll_frame(cx).map_err(BodyCut::Http1),
            Self::Http2(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Gone => true,
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Gone => SizeHint::with_exact(0),
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}
