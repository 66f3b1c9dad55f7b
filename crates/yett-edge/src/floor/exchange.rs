//! One request at a worker, seen from the connection that waits for its answer.

use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRAILER};
use tokio::sync::{mpsc, oneshot};
use yett_link::frame::{CUT_SHORT, ExchangeId, FrameError, LAST, RESPONSE_WINDOW};
use yett_link::response::ResponseView;
use yett_link::wire::Fields;

use super::Ticket;
use super::link::Link;
use super::window::Window;
use crate::conn::EarlyHints;
use crate::respond::FileRange;

/// Credit goes back in pieces of this size, so that small chunks do not cost a frame each.
pub(super) const CREDIT_STEP: usize = RESPONSE_WINDOW / 4;

/// The connection's end of an exchange. Dropping it before the end tells the worker to stop.
pub(crate) struct Exchange {
    link: Arc<Link>,
    id: ExchangeId,
    head: Option<Head>,
    owed: usize,
    ended: bool,
}

/// How an exchange ended without its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lost {
    /// The worker died or was ended.
    #[error("the worker died while it {}", if *begun { "worked on the request" } else { "had not begun the request" })]
    Worker {
        /// The application had been called.
        begun: bool,
    },
    /// The application raised, or broke the rules of its interface.
    #[error("the application failed; its traceback is in the error output")]
    AppFailed,
    /// The application took longer than it may.
    #[error("the application took too long")]
    Timeout,
}

/// Where the head of a response arrives.
pub(super) type Head = oneshot::Receiver<Result<Box<AppHead>, NoHead>>;

/// Why no head came.
pub(crate) enum NoHead {
    /// The exchange is lost.
    Lost(Lost),
    /// The worker had not begun the request, and it was taken back: to be sent again, by this ticket
    /// or through the queue.
    Moved(Option<Ticket>),
}

/// The head of an application's response and the first piece of its body.
pub(crate) struct AppHead {
    pub(crate) status: u16,
    pub(crate) reason: Bytes,
    /// Names and values as the application gave them, or the first that cannot be sent.
    pub(crate) headers: Result<HeaderMap, BadHeader>,
    pub(crate) first: Bytes,
    pub(crate) body: AppBody,
}

/// What follows behind the first piece.
pub(crate) enum AppBody {
    /// Nothing.
    Whole,
    /// A range of a file, not yet checked; the worker has done its part.
    File(FileRange),
    /// Further pieces. Unbounded in form; the link holds the worker to one window.
    Stream(Pieces),
}

/// The pieces of a streamed body.
pub(crate) type Pieces = mpsc::UnboundedReceiver<Result<Piece, Lost>>;

/// What a streamed body is made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Some of the body.
    Data(Bytes),
    /// Fields behind the body; nothing follows.
    Trailers(HeaderMap),
}

/// What goes beside a request and its answer, where a request has it.
#[derive(Default)]
pub(crate) struct Beside {
    /// Where early hints go.
    pub(crate) hints: Option<EarlyHints>,
    /// The window of a body that is streamed to the worker.
    pub(crate) window: Option<Arc<Window>>,
}

/// A header from the application that cannot be sent: a control character, or an empty name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the application's header {name:?} has a name or value that HTTP does not allow")]
pub(crate) struct BadHeader {
    name: String,
}

#[cfg(test)]
impl BadHeader {
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.into() }
    }
}

/// Fields about the connection, which the application does not own (RFC 9110 section 7.6.1).
///
/// Not `trailer`: it is the application's to say, and `service::app` keeps it only where trailers
/// can be sent.
const OF_THE_CONNECTION: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

impl AppHead {
    /// Boxed: it changes hands several times.
    pub(super) fn parse(payload: &Bytes, body: AppBody) -> Result<Box<Self>, FrameError> {
        let view = ResponseView::parse(payload)?;
        Ok(Box::new(Self {
            status: view.status,
            reason: payload.slice_ref(view.reason),
            headers: headers(&view, payload),
            first: view.body(payload),
            body,
        }))
    }

    /// A head whose body is a range of the file that came with the frame.
    pub(super) fn parse_file(payload: &Bytes, file: OwnedFd) -> Result<Box<Self>, FrameError> {
        let mut head = Self::parse(payload, AppBody::Whole)?;
        let place = std::mem::take(&mut head.first);
        let mut fields = Fields::new(&place);
        let offset = fields.u64("file offset")?;
        let len = fields.u64("file length")?;
        if !fields.rest().is_empty() {
            return Err(FrameError::Malformed("end of a file's range"));
        }
        head.body = AppBody::File(FileRange::new(file, offset, len));
        Ok(head)
    }

    /// The body's length that the application announced, `None` without one.
    pub(crate) fn announced_len(headers: &HeaderMap) -> Option<Option<u64>> {
        let mut all = headers.get_all(CONTENT_LENGTH).iter();
        let first = all.next()?;
        let parsed = first
            .to_str()
            .ok()
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        Some(if all.next().is_some() {
            None
        } else {
            parsed.and_then(|text| text.parse().ok())
        })
    }
}

/// The fields of a `Hints` or `Trailers` frame that may be sent as such; none of them if one cannot.
pub(super) fn extra_fields(payload: &Bytes) -> Result<HeaderMap, FrameError> {
    let view = ResponseView::parse(payload)?;
    let mut fields = headers(&view, payload).unwrap_or_default();
    fields.remove(TRAILER);
    fields.remove(CONTENT_LENGTH);
    Ok(fields)
}

fn headers(view: &ResponseView<'_>, payload: &Bytes) -> Result<HeaderMap, BadHeader> {
    let mut headers = HeaderMap::with_capacity(view.header_count() + 2);
    for (name, value) in view.headers() {
        let bad = || BadHeader {
            name: String::from_utf8_lossy(name).into_owned(),
        };
        let parsed = HeaderName::from_bytes(name).map_err(|_| bad())?;
        if OF_THE_CONNECTION.contains(&parsed.as_str()) {
            continue;
        }
        let value = HeaderValue::from_maybe_shared(payload.slice_ref(value)).map_err(|_| bad())?;
        headers.append(parsed, value);
    }
    Ok(headers)
}

impl AppHead {
    /// The status, if HTTP knows it as a final one.
    pub(crate) fn final_status(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| !status.is_informational())
    }
}

impl Exchange {
    pub(super) fn new(link: Arc<Link>, id: ExchangeId, head: Head) -> Self {
        Self {
            link,
            id,
            head: Some(head),
            owed: 0,
            ended: false,
        }
    }

    /// The rest of an exchange whose head has come: an application's answer to a request for a
    /// WebSocket that is none.
    pub(super) fn with_head(link: Arc<Link>, id: ExchangeId, head: &AppHead) -> Self {
        let streamed = matches!(head.body, AppBody::Stream(_));
        Self {
            link,
            id,
            head: None,
            owed: if streamed { head.first.len() } else { 0 },
            ended: !streamed,
        }
    }

    /// Waits for the response's head.
    pub(crate) async fn head(&mut self) -> Result<Box<AppHead>, NoHead> {
        let Some(head) = self.head.as_mut() else {
            return Err(NoHead::Lost(Lost::AppFailed));
        };
        // The link fails its exchanges before it goes, so a dropped sender is a closed link.
        let outcome = head
            .await
            .unwrap_or(Err(NoHead::Lost(Lost::Worker { begun: true })));
        self.head = None;
        match &outcome {
            Ok(head) if matches!(head.body, AppBody::Stream(_)) => self.owed = head.first.len(),
            // On a time-out the worker still holds the request; it is told by being replaced.
            Ok(_) | Err(_) => self.ended = true,
        }
        outcome
    }

    /// As [`Exchange::head`], where nothing is moved.
    #[cfg(test)]
    pub(crate) async fn head_or_lost(&mut self) -> Result<Box<AppHead>, Lost> {
        self.head().await.map_err(|none| match none {
            NoHead::Lost(lost) => lost,
            NoHead::Moved(_) => panic!("the request was taken back"),
        })
    }

    /// The next piece of a streamed body.
    pub(crate) fn poll_piece(
        &mut self,
        stream: &mut Pieces,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Lost>>> {
        let mut stream = Pin::new(stream);
        let polled = stream.as_mut().poll_recv(cx);
        match &polled {
            Poll::Ready(Some(Ok(Piece::Data(piece)))) => {
                self.owed += piece.len();
                if self.owed >= CREDIT_STEP {
                    self.pay();
                }
            }
            Poll::Ready(Some(Ok(Piece::Trailers(_)) | Err(_)) | None) => self.ended = true,
            // Everything that came has been taken; the worker may be waiting for just this.
            Poll::Pending => self.pay(),
        }
        polled
    }

    /// The way of a streamed request body to the worker.
    pub(crate) fn uplink(&self, window: Arc<Window>) -> Uplink {
        Uplink {
            link: Arc::clone(&self.link),
            id: self.id,
            window,
        }
    }

    fn pay(&mut self) {
        if self.owed > 0 {
            self.link.credit(self.id, self.owed);
            self.owed = 0;
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.ended {
            self.link.cancel(self.id);
        }
    }
}

/// Carries a request's body to the worker while it is still arriving. What it carries after the end
/// of the exchange the worker ignores.
pub(crate) struct Uplink {
    link: Arc<Link>,
    id: ExchangeId,
    window: Arc<Window>,
}

impl Uplink {
    pub(crate) fn window(&self) -> &Window {
        &self.window
    }

    /// Sends a piece whose room was taken; with the last one the body is whole.
    pub(crate) fn send(&self, piece: Bytes, last: bool) {
        if last {
            self.window.finish();
        }
        self.link.body(self.id, piece, if last { LAST } else { 0 });
    }

    /// The rest will not come.
    pub(crate) fn cut_short(&self) {
        self.window.finish();
        self.link.body(self.id, Bytes::new(), CUT_SHORT);
    }
}
