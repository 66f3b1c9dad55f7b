//! A request's body on its stream. The client may send one window ahead of whoever reads it.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderName;
use http_body::{Frame, SizeHint};

use super::stream::StreamState;
use crate::conn::{BodyCut, Offence, trailers};

/// The DATA frames of one stream.
#[derive(Debug)]
pub(crate) struct StreamBody {
    stream: RecvStream,
    /// Of a client that sends nothing before it is told to go on (RFC 9110 section 10.1.1).
    expects: Option<Arc<StreamState>>,
}

impl StreamBody {
    pub(super) const fn new(stream: RecvStream, expects: Option<Arc<StreamState>>) -> Self {
        Self { stream, expects }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyCut>>> {
        if let Some(state) = self.expects.take()
            && !self.stream.is_end_stream()
        {
            state.go_on();
        }
        match ready!(self.stream.poll_data(cx)) {
            Some(Ok(data)) => {
                // Whoever takes it holds it; the next one may follow.
                let _stream_is_over = self.stream.flow_control().release_capacity(data.len());
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            None => {
                let fields = ready!(self.stream.poll_trailers(cx))?;
                Poll::Ready(fields.map(|fields| {
                    let mut names = fields.keys().map(HeaderName::as_str);
                    if names.any(trailers::is_forbidden) {
                        return Err(Offence::Trailers.into());
                    }
                    Ok(Frame::trailers(fields))
                }))
            }
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.stream.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}
