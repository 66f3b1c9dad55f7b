//! One WebSocket of an ASGI application: its `receive` and `send`.
//!
//! Frames, pings and compression are the edge's; here are whole messages. Announces version 2.4 of
//! the WebSocket specification: sending to a client that has left raises `OSError`.
//!
//! Bounds: messages that wait for the application are under the edge's credit; one message is joined
//! up to [`MAX_MESSAGE`].

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::{PyBytes, PyDict, PyString};
use yett_link::frame::{
    ExchangeId, Kind, LAST, MAX_MESSAGE, MORE, REQUEST_WINDOW, RESPONSE_WINDOW, TEXT, message_cost,
    put_frame,
};
use yett_link::worker::{LinkError, MessageKind};

use super::awaitable::{Asked, Awaited, Step, Waiters, wake};
use super::body::pay;
use super::link::LoopLink;
use super::message::{Head, Message, out_of_order};
use super::outbox::{Flushed, Item, Outbox};
use crate::wsgi::link_error;

/// Credit goes back in steps of this size.
const CREDIT_STEP: usize = REQUEST_WINDOW / 4;

/// How far the WebSocket is, seen from the application.
enum Phase {
    /// Neither accepted nor refused.
    Connecting,
    /// Accepted.
    Open,
    /// The application answers with an ordinary response, which is gathered.
    Refusing(Head, BytesMut),
    /// The application is done with it.
    Closed,
}

/// A code of RFC 6455 section 7.4 and its reason.
type Farewell = (u16, String);

struct State {
    phase: Phase,
    /// Whether the application was told of the connection.
    told: bool,
    messages: VecDeque<(MessageKind, Bytes)>,
    /// A message whose end has not arrived.
    part: BytesMut,
    /// Bytes that arrived and were not acknowledged.
    owed: usize,
    /// How it ended, once it has.
    over: Option<Farewell>,
    /// The other side is gone: nothing can be sent.
    left: bool,
    outbox: Outbox,
    ended: bool,
    readers: Waiters,
    writers: Waiters,
}

/// One WebSocket.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct WebSocketExchange {
    link: Py<LoopLink>,
    id: ExchangeId,
    state: Mutex<State>,
}

impl WebSocketExchange {
    pub(super) fn new(link: Py<LoopLink>, id: ExchangeId) -> Self {
        Self {
            link,
            id,
            state: Mutex::new(State {
                phase: Phase::Connecting,
                told: false,
                messages: VecDeque::new(),
                part: BytesMut::new(),
                owed: 0,
                over: None,
                left: false,
                outbox: Outbox::default(),
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

    /// A message of the client's, or a piece of one, arrived.
    pub(super) fn arrived(
        &self,
        py: Python<'_>,
        (kind, piece): (MessageKind, Bytes),
        more: bool,
    ) -> PyResult<()> {
        let mut state = self.state(py);
        if state.over.is_some() {
            return Ok(());
        }
        state.owed += message_cost(piece.len());
        if state.part.len() + piece.len() > MAX_MESSAGE {
            state.part = BytesMut::new();
            self.close(py, &mut state, 1009, "the message is too long")?;
            return self.wake_all(py, state);
        }
        if more || !state.part.is_empty() {
            state.part.extend_from_slice(&piece);
        }
        if more {
            self.acknowledge(&mut state)?;
            return Ok(());
        }
        let message = if state.part.is_empty() {
            piece
        } else {
            std::mem::take(&mut state.part).freeze()
        };
        state.messages.push_back((kind, message));
        let readers = state.readers.take();
        drop(state);
        wake(py, readers)
    }

    /// Gives credit back when no whole message waits for the application. What is owed below a step
    /// holds nothing up: the window is four of them.
    fn acknowledge(&self, state: &mut State) -> PyResult<()> {
        if !state.messages.is_empty() || state.owed < CREDIT_STEP {
            return Ok(());
        }
        match pay(
            self.link.get().end(),
            self.id,
            std::mem::take(&mut state.owed),
        ) {
            // Found by the next look at the link.
            Ok(()) | Err(LinkError::Closed) => Ok(()),
            Err(error) => Err(link_error(error)),
        }
    }

    /// The client closed the WebSocket, or is gone.
    pub(super) fn leave(&self, py: Python<'_>, code: u16, reason: String) -> PyResult<()> {
        let mut state = self.state(py);
        state.left = true;
        state.over.get_or_insert((code, reason));
        state.outbox.clear();
        self.wake_all(py, state)
    }

    /// More may be sent.
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

    #[expect(clippy::unused_self, reason = "says whose state it is")]
    fn wake_all(&self, py: Python<'_>, mut state: MutexGuard<'_, State>) -> PyResult<()> {
        let (readers, writers) = (state.readers.take(), state.writers.take());
        drop(state);
        wake(py, writers)?;
        wake(py, readers)
    }

    fn flush(&self, py: Python<'_>, state: &mut State) -> PyResult<()> {
        let end = self.link.get().end();
        match state.outbox.flush(py, end, self.id) {
            Ok(Flushed::Cancelled) => {
                state.left = true;
                state.over.get_or_insert((1006, String::new()));
                Ok(())
            }
            Ok(Flushed::All | Flushed::Partly) => Ok(()),
            Err(error) => Err(link_error(error)),
        }
    }

    pub(super) fn next_event<'py>(&self, py: Python<'py>) -> PyResult<Step<'py>> {
        let found = {
            let mut state = self.state(py);
            if !std::mem::replace(&mut state.told, true) {
                Found::Connect
            } else if let Some((kind, message)) = state.messages.pop_front() {
                self.acknowledge(&mut state)?;
                Found::Message(kind, message)
            } else if let Some((code, reason)) = state.over.clone() {
                Found::Over(code, reason)
            } else if state.ended {
                Found::Over(1005, String::new())
            } else {
                Found::Nothing
            }
        };
        let event = PyDict::new(py);
        let kind = pyo3::intern!(py, "type");
        match found {
            Found::Connect => event.set_item(kind, pyo3::intern!(py, "websocket.connect"))?,
            Found::Message(MessageKind::Bytes, message) => {
                event.set_item(kind, pyo3::intern!(py, "websocket.receive"))?;
                event.set_item(pyo3::intern!(py, "bytes"), PyBytes::new(py, &message))?;
            }
            Found::Message(MessageKind::Text, message) => {
                event.set_item(kind, pyo3::intern!(py, "websocket.receive"))?;
                let Ok(text) = std::str::from_utf8(&message) else {
                    // RFC 6455 section 8.1.
                    let mut state = self.state(py);
                    self.close(py, &mut state, 1007, "the text is not UTF-8")?;
                    drop(state);
                    return self.next_event(py);
                };
                event.set_item(pyo3::intern!(py, "text"), PyString::new(py, text))?;
            }
            Found::Over(code, reason) => {
                event.set_item(kind, pyo3::intern!(py, "websocket.disconnect"))?;
                event.set_item(pyo3::intern!(py, "code"), code)?;
                event.set_item(pyo3::intern!(py, "reason"), reason)?;
            }
            Found::Nothing => {
                let future = self.link.get().future(py)?;
                self.state(py).readers.enter(py, &future);
                return Ok(Step::Wait(future));
            }
        }
        Ok(Step::Ready(event.into_any()))
    }

    pub(super) fn sent<'py>(&self, py: Python<'py>) -> PyResult<Step<'py>> {
        if self.state(py).outbox.is_empty() {
            return Ok(Step::Ready(py.None().into_bound(py)));
        }
        let future = self.link.get().future(py)?;
        self.state(py).writers.enter(py, &future);
        Ok(Step::Wait(future))
    }

    fn accept(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        let mut headers = message.headers()?;
        if let Some(chosen) = message.text("subprotocol")? {
            headers.push((
                PyBytes::new(py, b"sec-websocket-protocol").unbind(),
                PyBytes::new(py, chosen.to_str()?.as_bytes()).unbind(),
            ));
        }
        let head = Head {
            status: 101,
            headers,
            announced: None,
        };
        let frame = head.frame(py, (Kind::Accept, 0), self.id, 0)?;
        state.phase = Phase::Open;
        state.outbox.push(Item::Frame(frame));
        self.flush(py, state)
    }

    fn reply(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        if state.left {
            return Err(PyOSError::new_err("the client has left the WebSocket"));
        }
        let (flags, data) = match (message.text("text")?, message.bytes("bytes")?) {
            (Some(text), None) => (TEXT, PyBytes::new(py, text.to_str()?.as_bytes())),
            (None, Some(bytes)) => (0, bytes),
            _ => {
                return Err(PyTypeError::new_err(
                    "a websocket.send event has either 'text' or 'bytes'",
                ));
            }
        };
        state.outbox.push(Item::Bytes {
            kind: Kind::Reply,
            data: data.unbind(),
            out: 0,
            flags,
            more: MORE,
            last: 0,
        });
        self.flush(py, state)
    }

    /// Ends an open WebSocket, behind what still waits to be sent.
    fn close(&self, py: Python<'_>, state: &mut State, code: u16, reason: &str) -> PyResult<()> {
        state.phase = Phase::Closed;
        if !state.left {
            let mut payload = BytesMut::with_capacity(2 + reason.len());
            payload.put_u16_le(code);
            payload.extend_from_slice(reason.as_bytes());
            let mut frame = BytesMut::with_capacity(32 + reason.len());
            put_frame(&mut frame, Kind::Close, 0, self.id, &payload)
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            state.outbox.push(Item::Frame(frame));
        }
        state.over.get_or_insert((code, reason.to_owned()));
        self.flush(py, state)
    }

    /// Answers with an ordinary response instead of a WebSocket.
    fn refuse(&self, py: Python<'_>, state: &mut State, head: &Head, body: &[u8]) -> PyResult<()> {
        let mut frame = head.frame(py, (Kind::Response, LAST), self.id, body.len())?;
        frame.extend_from_slice(body);
        state.phase = Phase::Closed;
        state.over.get_or_insert((1006, String::new()));
        state.outbox.push(Item::Frame(frame));
        self.flush(py, state)
    }

    fn connecting(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        match message.kind()?.to_str()? {
            "websocket.accept" => self.accept(py, state, message),
            "websocket.close" => {
                let head = Head {
                    status: 403,
                    headers: Vec::new(),
                    announced: None,
                };
                self.refuse(py, state, &head, b"")
            }
            "websocket.http.response.start" => {
                state.phase = Phase::Refusing(Head::read(message)?, BytesMut::new());
                Ok(())
            }
            other => Err(out_of_order(
                "websocket.accept, websocket.close or websocket.http.response.start",
                other,
            )),
        }
    }

    fn open(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        match message.kind()?.to_str()? {
            "websocket.send" => self.reply(py, state, message),
            "websocket.close" => {
                let code = message.field("code")?;
                let code = code.map_or(Ok(1000), |code| code.extract::<u16>());
                let code =
                    code.map_err(|_| PyTypeError::new_err("the event's 'code' must be an int"))?;
                let reason = message.text("reason")?;
                let reason = reason.as_ref().map_or(Ok(""), |reason| reason.to_str())?;
                if reason.len() > 123 {
                    // RFC 6455 section 5.5: a control frame holds 125 bytes, the code takes two.
                    return Err(PyValueError::new_err(
                        "the event's 'reason' is longer than 123 bytes",
                    ));
                }
                self.close(py, state, code, reason)
            }
            other => Err(out_of_order("websocket.send or websocket.close", other)),
        }
    }

    fn refusing(&self, py: Python<'_>, state: &mut State, message: &Message<'_>) -> PyResult<()> {
        let kind = message.kind()?;
        if kind.to_str()? != "websocket.http.response.body" {
            return Err(out_of_order("websocket.http.response.body", kind.to_str()?));
        }
        let Phase::Refusing(head, mut body) = std::mem::replace(&mut state.phase, Phase::Closed)
        else {
            return Ok(());
        };
        if let Some(piece) = message.bytes("body")? {
            body.extend_from_slice(piece.as_bytes());
        }
        if body.len() > RESPONSE_WINDOW {
            return Err(PyValueError::new_err(
                "a response that refuses a WebSocket holds at most 256 KiB",
            ));
        }
        if message.flag("more_body")? {
            state.phase = Phase::Refusing(head, body);
            return Ok(());
        }
        self.refuse(py, state, &head, &body)
    }
}

/// What there is for the application.
enum Found {
    Connect,
    Message(MessageKind, Bytes),
    Over(u16, String),
    Nothing,
}

#[pymethods]
impl WebSocketExchange {
    /// The application's `receive`.
    fn receive(slf: &Bound<'_, Self>) -> Awaited {
        Awaited::new(Asked::WebSocketEvent(slf.clone().unbind()))
    }

    /// The application's `send`. Sends when it is called; what is awaited is room for more.
    #[pyo3(signature = (message, /))]
    fn send(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let message = Message::read(message)?;
        let kind = message.kind()?;
        let mut state = this.state(py);
        match state.phase {
            Phase::Connecting => this.connecting(py, &mut state, &message)?,
            Phase::Open => this.open(py, &mut state, &message)?,
            Phase::Refusing(..) => this.refusing(py, &mut state, &message)?,
            Phase::Closed => {
                let kind = kind.to_str()?;
                return Err(PyRuntimeError::new_err(format!(
                    "the WebSocket is closed, but the application sent {kind:?}"
                )));
            }
        }
        let waits = !state.outbox.is_empty();
        if state.over.is_some() {
            this.wake_all(py, state)?;
        } else {
            drop(state);
        }
        if waits {
            let sent = Asked::WebSocketSent(slf.clone().unbind());
            return Ok(Py::new(py, Awaited::new(sent))?.into_any());
        }
        Ok(this.link.get().done(py))
    }

    /// The WebSocket was accepted, or refused.
    #[getter]
    fn is_answered(&self, py: Python<'_>) -> bool {
        !matches!(
            self.state(py).phase,
            Phase::Connecting | Phase::Refusing(..)
        )
    }

    /// The application said what becomes of the connection. One that leaves an open WebSocket
    /// closes it.
    #[getter]
    fn is_complete(&self, py: Python<'_>) -> bool {
        self.is_answered(py)
    }

    /// The client is gone.
    #[getter]
    fn is_left(&self, py: Python<'_>) -> bool {
        self.state(py).left
    }

    /// The application's call is over. Ends the exchange: an open WebSocket is closed, with 1011 if
    /// the application failed (RFC 6455 section 7.4.1), and one that was not accepted fails.
    #[pyo3(signature = (failed, /))]
    fn end(slf: &Bound<'_, Self>, failed: bool) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut state = this.state(py);
        if std::mem::replace(&mut state.ended, true) {
            return Ok(());
        }
        this.link.get().leave_if_forked(py, None);
        let unanswered = matches!(state.phase, Phase::Connecting | Phase::Refusing(..));
        let stuck = !state.outbox.is_empty();
        if unanswered || state.left || stuck {
            // Also to a client that is gone: the edge counts the exchange until the worker ends it.
            state.outbox.clear();
            state.phase = Phase::Closed;
            let mut frame = BytesMut::with_capacity(16);
            put_frame(&mut frame, Kind::Failed, 0, this.id, &[])
                .map_err(|error| PyOSError::new_err(error.to_string()))?;
            state.outbox.push(Item::Frame(frame));
            this.flush(py, &mut state)?;
        } else if matches!(state.phase, Phase::Open) {
            this.close(py, &mut state, if failed { 1011 } else { 1000 }, "")?;
        }
        this.wake_all(py, state)?;
        this.link.get().ended(py, this.id)
    }
}
