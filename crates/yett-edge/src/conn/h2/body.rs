//! A request's body on its stream. The client may send one window ahead of whoever reads it.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderName;
use http_body::{Frame, SizeHint};
use tokio::time::timeout;

use super::stream::StreamState;
use crate::conn::farewell::LINGER_BYTES;
use crate::conn::{BodyCut, LINGER, Offence, trailers};

/// The DATA frames of one stream.
#[derive(Debug)]
pub(crate) struct StreamBody {
    /// There until this is dropped.
    stream: Option<RecvStream>,
    state: Arc<StreamState>,
    /// The client sends nothing before it is told to go on (RFC 9110 section 10.1.1).
    expects: bool,
}

impl StreamBody {
    pub(super) const fn new(stream: RecvStream, state: Arc<StreamState>, expects: bool) -> Self {
        Self {
            stream: Some(stream),
            state,
            expects,
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyCut>>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        if std::mem::take(&mut self.expects) && !stream.is_end_stream() {
            self.state.go_on();
        }
        match ready!(stream.poll_data(cx)) {
            Some(Ok(data)) => {
                // Whoever takes it holds it; the next one may follow.
                let _stream_is_over = stream.flow_control().release_capacity(data.len());
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            None => {
                let fields = ready!(stream.poll_trailers(cx))?;
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
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}

impl Drop for StreamBody {
    /// What the client still sends of it is the stream's.
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take()
            && !stream.is_end_stream()
        {
            self.state.leave(stream);
        }
    }
}

/// Takes in what a client still sends of a request that is answered, some of it and for a while. If its stream
/// were dropped at once, that would tell it to stop, as RFC 9113 section 8.1 has it (`RST_STREAM` with
/// `NO_ERROR`); but some clients, curl 7.88 among them, take that for the stream's failure and throw the
/// answer away.
pub(super) async fn see_off(mut left: RecvStream) {
    let mut taken = 0;
    let rest = async {
        while let Some(Ok(data)) = left.data().await {
            taken += data.len();
            if taken <= LINGER_BYTES {
                let _stream_is_over = left.flow_control().release_capacity(data.len());
            }
        }
        let _dropped = left.trailers().await;
    };
    let _too_long = timeout(LINGER, rest).await;
}
