//! One HTTP request of an ASGI application: its `receive` and `send`.
//!
//! Announces version 2.3 of the HTTP specification, as Uvicorn does: what is sent after the client
//! left goes nowhere and raises nothing, and who wants to know calls `receive`.

use std::os::fd::AsFd as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::{PyBytes, PyDict};
use yett_link::frame::{DESCRIPTOR, ExchangeId, Kind, LAST, MAX_CHUNK, RESPONSE_WINDOW, put_frame};
use yett_link::worker::{BodyEnd, LinkError};

use super::awaitable::{Asked, Awaited, Step, Waiters, wake};
use super::body::{BodyError, Piece, RequestBody};
use super::file;
use super::link::LoopLink;
use super::message::{Fields, Head, Message, fields_frame, out_of_order};
use super::outbox::{Flushed, Item, Outbox, transmit};
use crate::wsgi::link_error;

/// How far the answer is.
enum Phase {
    /// Nothing was sent.
    Idle,
    /// The head is held back until the body begins.
    Started(Head, Trailers),
    /// Head and perhaps some of the body are out.
    Body {
        announced: Option<u64>,
        sent: u64,
        trailers: Trailers,
    },
    /// The last frame is out; the application may still say that its body is at its end. With
    /// `Excess::Dropped` it may also go on with a body that HTTP has no place for.
    Over(Excess),
    /// The body is out, fields behind it follow.
    Trailers(Fields),
    Complete,
    /// The application sent what cannot be answered with.
    Broken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trailers {
    None,
    Follow,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    Dropped,
    Refused,
}

/// Pieces of a body that are sent before the loop gets a turn: an application that has them all at
/// hand must not stop all others until its client's window is full.
const PIECES_A_TURN: u32 = 64;

struct State {
    body: RequestBody,
    /// Pieces that were sent since the loop had a turn.
    pieces: u32,
    phase: Phase,
    outbox: Outbox,
    /// The client left, or the edge did.
    left: bool,
    /// It left before the last frame was out.
    cut: bool,
    /// A part of the answer is on its way to the client.
    answered: bool,
    /// The application's call is over.
    ended: bool,
    readers: Waiters,
    writers: Waiters,
}

impl State {
    fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Complete) && self.outbox.is_empty()
    }

    /// Whether the frame that ends the exchange is out.
    fn is_out(&self) -> bool {
        let all = matches!(self.phase, Phase::Complete | Phase::Over(_));
        all && self.outbox.is_empty() && !self.cut
    }

    fn leave(&mut self) {
        self.cut |= !self.is_out();
        self.left = true;
        self.outbox.clear();
    }
}

/// One request and its answer.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct HttpExchange {
    link: Py<LoopLink>,
    id: ExchangeId,
    head_only: bool,
    state: Mutex<State>,
}

impl HttpExchange {
    pub(super) fn new(
        link: Py<LoopLink>,
        id: ExchangeId,
        head_only: bool,
        body: RequestBody,
    ) -> Self {
        Self {
            link,
            id,
            head_only,
            state: Mutex::new(State {
                body,
                pieces: 0,
                phase: Phase::Idle,
                outbox: Outbox::default(),
                left: false,
                cut: false,
                answered: false,
                ended: false,
                readers: Waiters::default(),
                writers: Waiters::default(),
            }),
        }
    }

    /// Held for moments, never while code of the application can run.
    ///
    /// Waits for it without the interpreter's lock, as its holder may need that to let go.
    fn state(&self, py: Python<'_>) -> MutexGuard<'_, State> {
        let state = self.state.lock_py_attached(py);
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// A piece of the request's body arrived.
    pub(super) fn arrived(&self, py: Python<'_>, piece: Bytes, end: BodyEnd) -> PyResult<()> {
        let readers = {
            let mut state = self.state(py);
            state.body.arrived(piece, end);
            state.readers.take()
        };
        wake(py, readers)
    }

    /// More of the answer may be sent.
    pub(super) fn credit(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state(py);
        if state.outbox.is_empty() {
            return Ok(());
        }
        self.flush(py, &mut state)?;
        if state.outbox.is_empty() {
            return self.wake_all(py, state);
        }
        Ok(())
    }

    /// Nobody waits for the answer any more.
    pub(super) fn leave(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state(py);
        state.leave();
        self.wake_all(py, state)
    }

    #[expect(clippy::unused_self, reason = "says whose state it is")]
    fn wake_all(&self, py: Python<'_>, mut state: MutexGuard<'_, State>) -> PyResult<()> {
        let (readers, writers) = (state.readers.take(), state.writers.take());
        drop(state);
        wake(py, writers)?;
        wake(py, readers)
    }

    /// Sends what credit allows.
    fn flush(&self, py: Python<'_>, state: &mut State) -> PyResult<()> {
        let link = self.link.get();
        match state.outbox.flush(py, link.end(), self.id) {
            Ok(Flushed::Cancelled) => {
                state.cut = true;
                state.left = true;
                Ok(())
            }
            Ok(Flushed::All | Flushed::Partly) => Ok(()),
            Err(error) => Err(link_error(error)),
        }
    }

    /// Sends one frame now. That the edge is gone is no error of the application's.
    fn transmit(&self, py: Python<'_>, state: &mut State, pieces: &[&[u8]]) -> PyResult<()> {
        match transmit(py, self.link.get().end(), pieces, None) {
            Ok(()) => Ok(()),
            Err(LinkError::Closed) => {
                state.leave();
                Ok(())
            }
            Err(error) => Err(link_error(error)),
        }
    }

    pub(super) fn next_event<'py>(&self, py: Python<'py>) -> PyResult<Step<'py>> {
        let piece = {
            let mut state = self.state(py);
            if state.left || state.ended || state.is_complete() {
                Ok(Piece::CutShort)
            } else {
                state.body.next(self.link.get().end(), self.id)
            }
        };
        match piece {
            Ok(Piece::Bytes(bytes, more)) => {
                let event = PyDict::new(py);
                event.set_item(pyo3::intern!(py, "type"), pyo3::intern!(py, "http.request"))?;
                event.set_item(pyo3::intern!(py, "body"), PyBytes::new(py, &bytes))?;
                event.set_item(pyo3::intern!(py, "more_body"), more)?;
                Ok(Step::Ready(event.into_any()))
            }
            Ok(Piece::CutShort) | Err(BodyError::Link(LinkError::Closed)) => {
                let event = PyDict::new(py);
                event.set_item(
                    pyo3::intern!(py, "type"),
                    pyo3::intern!(py, "http.disconnect"),
                )?;
                Ok(Step::Ready(event.into_any()))
            }
            Ok(Piece::NotYet | Piece::Taken) => {
                let future = self.link.get().future(py)?;
                self.state(py).readers.enter(py, &future);
                Ok(Step::Wait(future))
            }
            Err(BodyError::File(error)) => Err(error.into()),
            Err(BodyError::Link(error)) => Err(link_error(error)),
        }
    }

    pub(super) fn sent<'py>(&self, py: Python<'py>) -> PyResult<Step<'py>> {
        if self.state(py).outbox.is_empty() {
            return Ok(Step::Ready(py.None().into_bound(py)));
        }
        let future = self.link.get().future(py)?;
        self.state(py).writers.enter(py, &future);
        Ok(Step::Wait(future))
    }

    fn start(&self, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        match state.phase {
            Phase::Idle => {}
            _ => return Err(out_of_order("http.response.body", "http.response.start")),
        }
        let trailers = if message.flag("trailers")? && !self.head_only {
            Trailers::Follow
        } else {
            Trailers::None
        };
        state.phase = Phase::Started(Head::read(message)?, trailers);
        Ok(())
    }

    fn body(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        let data = message.bytes("body")?;
        let data = data.unwrap_or_else(|| PyBytes::new(py, b""));
        let more = message.flag("more_body")?;
        match std::mem::replace(&mut state.phase, Phase::Broken) {
            Phase::Started(head, trailers) => {
                self.first_piece(py, state, head, trailers, (&data, more))
            }
            Phase::Body {
                announced,
                sent,
                trailers,
            } => {
                let total = sent + data.as_bytes().len() as u64;
                check_length(announced, total, more)?;
                let ends = trailers == Trailers::None && (!more || announced == Some(total));
                if ends || !data.as_bytes().is_empty() {
                    state.outbox.push(Item::chunk(data.unbind(), 0, ends));
                }
                state.phase = match (more, trailers) {
                    (false, Trailers::None) => Phase::Complete,
                    (false, Trailers::Follow) => Phase::Trailers(Vec::new()),
                    (true, _) if ends => Phase::Over(Excess::Refused),
                    (true, _) => Phase::Body {
                        announced,
                        sent: total,
                        trailers,
                    },
                };
                self.flush(py, state)
            }
            Phase::Over(excess) => {
                if excess == Excess::Refused && !data.as_bytes().is_empty() {
                    return Err(longer());
                }
                state.phase = if more {
                    Phase::Over(excess)
                } else {
                    Phase::Complete
                };
                Ok(())
            }
            before => {
                let expected = match &before {
                    Phase::Idle => "http.response.start",
                    Phase::Trailers(_) => "http.response.trailers",
                    _ => "nothing more",
                };
                state.phase = before;
                Err(out_of_order(expected, "http.response.body"))
            }
        }
    }

    fn first_piece(
        &self,
        py: Python<'_>,
        state: &mut State,
        mut head: Head,
        trailers: Trailers,
        (data, more): (&Bound<'_, PyBytes>, bool),
    ) -> PyResult<()> {
        let bytes = data.as_bytes();
        let len = bytes.len() as u64;
        if self.head_only || head.is_bodyless() {
            if !more && len > 0 {
                head.announce(py, len);
            }
            return self.head(py, state, &head, (LAST, more, Excess::Dropped), &[]);
        }
        check_length(head.announced, len, more)?;
        let ends = trailers == Trailers::None && (!more || head.announced == Some(len));
        if ends && bytes.len() <= RESPONSE_WINDOW {
            return self.head(py, state, &head, (LAST, more, Excess::Refused), bytes);
        }
        if !more {
            head.announce(py, len);
        }
        let (first, _) = bytes.split_at_checked(MAX_CHUNK).unwrap_or((bytes, &[]));
        // Nothing of the window is used yet, so this is granted unless the client has left.
        let _granted = self.link.get().end().try_credit(self.id, first.len());
        let out = first.len();
        let frame = head.frame(py, (Kind::Response, 0), self.id, out)?;
        state.answered = true;
        self.transmit(py, state, &[&frame, first])?;
        if out < bytes.len() {
            state
                .outbox
                .push(Item::chunk(data.clone().unbind(), out, ends));
        }
        state.phase = match (more, trailers) {
            (false, Trailers::Follow) => Phase::Trailers(Vec::new()),
            (false, Trailers::None) => Phase::Complete,
            (true, _) if ends => Phase::Over(Excess::Refused),
            (true, _) => Phase::Body {
                announced: head.announced,
                sent: len,
                trailers,
            },
        };
        self.flush(py, state)
    }

    /// Head, all of the body, and the end, as one frame.
    fn head(
        &self,
        py: Python<'_>,
        state: &mut State,
        head: &Head,
        (flags, more, excess): (u8, bool, Excess),
        body: &[u8],
    ) -> PyResult<()> {
        let frame = head.frame(py, (Kind::Response, flags), self.id, body.len())?;
        state.answered = true;
        state.phase = if more {
            Phase::Over(excess)
        } else {
            Phase::Complete
        };
        self.transmit(py, state, &[&frame, body])
    }

    fn path(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        let Phase::Started(mut head, _) = std::mem::replace(&mut state.phase, Phase::Broken) else {
            return Err(out_of_order(
                "http.response.start before a file",
                "http.response.pathsend",
            ));
        };
        let (file, len) = file::open(&message.needed("path")?)?;
        head.announce(py, len);
        check_length(head.announced, len, false)?;
        if self.head_only || head.is_bodyless() {
            return self.head(py, state, &head, (LAST, false, Excess::Dropped), &[]);
        }
        let mut range = BytesMut::with_capacity(16);
        range.put_u64_le(0);
        range.put_u64_le(len);
        let flags = LAST | DESCRIPTOR;
        let frame = head.frame(py, (Kind::Response, flags), self.id, range.len())?;
        state.answered = true;
        state.phase = Phase::Complete;
        let end = self.link.get().end();
        match end.send_with(&[&frame, &range], Some(file.as_fd())) {
            Ok(()) => Ok(()),
            Err(LinkError::Closed) => {
                state.leave();
                Ok(())
            }
            Err(error) => Err(link_error(error)),
        }
    }

    fn hint(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        if !matches!(state.phase, Phase::Idle | Phase::Started(..)) {
            return Err(out_of_order("a body", "http.response.early_hint"));
        }
        let mut fields: Fields = Vec::new();
        for link in message.needed("links")?.try_iter()? {
            let link = link?.cast_into::<PyBytes>();
            let link = link.map_err(|_| {
                pyo3::exceptions::PyTypeError::new_err("each of the event's 'links' must be bytes")
            })?;
            fields.push((PyBytes::new(py, b"link").unbind(), link.unbind()));
        }
        if fields.is_empty() {
            return Ok(());
        }
        let frame = fields_frame(py, Kind::Hints, self.id, &fields)?;
        self.transmit(py, state, &[&frame])
    }

    fn trailers(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        let Phase::Trailers(fields) = &mut state.phase else {
            return Err(out_of_order(
                "no trailers, as the start did not announce them",
                "http.response.trailers",
            ));
        };
        fields.extend(message.headers()?);
        if message.flag("more_trailers")? {
            return Ok(());
        }
        let frame = fields_frame(py, Kind::Trailers, self.id, fields)?;
        state.outbox.push(Item::Frame(frame));
        state.phase = Phase::Complete;
        self.flush(py, state)
    }
}

#[pymethods]
impl HttpExchange {
    /// The application's `receive`.
    fn receive(slf: &Bound<'_, Self>) -> Awaited {
        Awaited::new(Asked::HttpEvent(slf.clone().unbind()))
    }

    /// The application's `send`. Sends when it is called; what is awaited is room for more.
    #[pyo3(signature = (message, /))]
    fn send(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let message = Message::read(message)?;
        let kind = message.kind()?;
        let mut state = this.state(py);
        if state.left {
            drop(state);
            // One that never looks whether anybody listens must not stop all others.
            return Ok(Py::new(py, Awaited::new(Asked::Turn))?.into_any());
        }
        if state.ended {
            return Err(PyRuntimeError::new_err(
                "the application's call has ended, nothing can be sent any more",
            ));
        }
        match kind.to_str()? {
            "http.response.start" => this.start(&mut state, &message)?,
            "http.response.body" => this.body(py, &mut state, &message)?,
            "http.response.trailers" => this.trailers(py, &mut state, &message)?,
            "http.response.early_hint" => this.hint(py, &mut state, &message)?,
            "http.response.pathsend" => this.path(py, &mut state, &message)?,
            other => return Err(out_of_order("an event of an HTTP response", other)),
        }
        if !state.outbox.is_empty() {
            drop(state);
            let sent = Asked::HttpSent(slf.clone().unbind());
            return Ok(Py::new(py, Awaited::new(sent))?.into_any());
        }
        if state.is_complete() {
            this.wake_all(py, state)?;
            return Ok(this.link.get().done(py));
        }
        state.pieces += 1;
        if state.pieces >= PIECES_A_TURN {
            state.pieces = 0;
            return Ok(Py::new(py, Awaited::new(Asked::Turn))?.into_any());
        }
        Ok(this.link.get().done(py))
    }

    /// A part of the answer is on its way to the client.
    #[getter]
    fn is_answered(&self, py: Python<'_>) -> bool {
        self.state(py).answered
    }

    /// The answer is out as a whole.
    #[getter]
    fn is_complete(&self, py: Python<'_>) -> bool {
        self.state(py).is_out()
    }

    /// Nobody waits for the answer any more.
    #[getter]
    fn is_left(&self, py: Python<'_>) -> bool {
        self.state(py).left
    }

    /// The application's call is over, however it ended. Ends the exchange.
    #[pyo3(signature = (_failed, /))]
    fn end(slf: &Bound<'_, Self>, _failed: bool) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut state = this.state(py);
        if std::mem::replace(&mut state.ended, true) {
            return Ok(());
        }
        this.link.get().leave_if_forked(py, None);
        if !state.is_out() {
            state.outbox.clear();
            let mut frame = BytesMut::with_capacity(16);
            put_frame(&mut frame, Kind::Failed, 0, this.id, &[])
                .map_err(|error| PyOSError::new_err(error.to_string()))?;
            this.transmit(py, &mut state, &[&frame])?;
        }
        this.wake_all(py, state)?;
        this.link.get().ended(py, this.id)
    }
}

/// Holds the body to the length that its head announced: another server's client would take what
/// is too much for the next answer.
fn check_length(announced: Option<u64>, total: u64, more: bool) -> PyResult<()> {
    match announced {
        Some(announced) if total > announced => Err(longer()),
        Some(announced) if !more && total < announced => Err(PyRuntimeError::new_err(
            "the response's body is shorter than its Content-Length",
        )),
        _ => Ok(()),
    }
}

fn longer() -> PyErr {
    PyRuntimeError::new_err("the response's body is longer than its Content-Length")
}
