//! What the application gives back: `start_response`, `write`, and the iterable, as PEP 3333 has
//! them.
//!
//! Nothing that the application yields is held back: each piece is sent before the next is asked
//! for. Where the end is known in advance (a list or tuple, a file, or a Content-Length that is
//! reached) head, body and end travel as one frame.

use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{BufMut, BytesMut};
use pyo3::exceptions::{PyAssertionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use yett_link::frame::{
    DESCRIPTOR, ExchangeId, Kind, LAST, MAX_CHUNK, RESPONSE_WINDOW, put_frame, put_frame_with,
    put_header,
};
use yett_link::response::HeadWriter;
use yett_link::worker::{Credit, LinkError, WorkerEnd};

use super::file::{self, FilePlace};
use super::head::{Head, pair, reuse};
use super::link::{WorkerLink, link_error, send, send_last};
use super::text::with_native;

/// Most pieces of a list that are sent as one frame; a longer list is sent piece by piece.
const MOST_GATHERED: usize = 64;

#[derive(Default)]
struct State {
    head: Option<Head>,
    /// The head is on its way; it cannot be changed any more.
    sent: bool,
    /// The last frame is on its way; nothing may follow.
    finished: bool,
    /// Bytes of body that are on their way.
    bytes: u64,
}

/// One exchange's answer: the callable that the application gets as `start_response`, and the way
/// of the body to the link.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct StartResponse {
    link: Py<WorkerLink>,
    exchange: ExchangeId,
    head_only: bool,
    state: Mutex<State>,
}

#[pymethods]
impl StartResponse {
    /// With two arguments or three this is `start_response`. What that returns, PEP 3333's
    /// imperative `write`, is the same object called with bytes. One object for each request, and
    /// not two: few applications ever write so.
    #[pyo3(signature = (status, headers = None, exc_info = None, /))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        status: &Bound<'py, PyAny>,
        headers: Option<&Bound<'py, PyAny>>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, Self>>> {
        let this = slf.get();
        let Some(headers) = headers else {
            let data = status.cast::<PyBytes>().map_err(|_| {
                PyTypeError::new_err("start_response takes a status and headers, write takes bytes")
            })?;
            let _client_left = this.send_piece(slf.py(), data.as_bytes())?;
            return Ok(None);
        };
        let (sent, called) = {
            let state = this.state();
            (state.sent, state.head.is_some())
        };
        match exc_info.filter(|info| !info.is_none()) {
            Some(info) if sent => {
                let exception = info.get_item(1)?;
                return Err(PyErr::from_value(exception));
            }
            None if called => {
                return Err(PyAssertionError::new_err(
                    "start_response was called twice without exc_info",
                ));
            }
            Some(_) | None => {}
        }
        let head = Head::read(this.exchange, status, headers)?;
        this.state().head = Some(head);
        Ok(Some(slf.clone()))
    }

    /// `wsgi.early_hints`: sends headers in a 103 answer. Behind the head it does nothing.
    fn early_hints(&self, py: Python<'_>, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_head_sent() || self.end().is_cancelled(self.exchange) {
            return Ok(());
        }
        let mut frame = BytesMut::with_capacity(256);
        let mut written = Ok(());
        put_frame_with(&mut frame, Kind::Hints, 0, self.exchange, |out| {
            written = write_hints(out, headers);
        })
        .map_err(|_| PyValueError::new_err("the early hints are too long"))?;
        written?;
        py.detach(|| self.end().send(&[&frame])).map_err(link_error)
    }
}

fn write_hints(out: &mut BytesMut, headers: &Bound<'_, PyAny>) -> PyResult<()> {
    let mut writer = HeadWriter::begin(out, 0, b"");
    for header in headers.try_iter()? {
        let (name, value) = pair(&header?)?;
        with_native(&name, |name| {
            with_native(&value, |value| {
                if name.is_empty() || has_control(name) || has_control(value) {
                    return Err(PyValueError::new_err(
                        "an early hint's header has no name, or a control character in it",
                    ));
                }
                writer
                    .header(out, name, value)
                    .map_err(|_| PyValueError::new_err("there are too many early hints"))
            })
        })?;
    }
    Ok(())
}

fn has_control(text: &[u8]) -> bool {
    text.iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
}

/// Nobody waits for the answer any more; the application is stopped and closed.
struct Cancelled;

impl StartResponse {
    pub(super) fn new(link: Py<WorkerLink>, exchange: ExchangeId, head_only: bool) -> Self {
        Self {
            link,
            exchange,
            head_only,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) -> &WorkerEnd {
        self.link.get().end()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.state().finished
    }

    pub(super) fn is_head_sent(&self) -> bool {
        self.state().sent
    }

    /// Calls the application and sends what it answers, to the end.
    pub(super) fn run(
        slf: &Bound<'_, Self>,
        application: &Bound<'_, PyAny>,
        environ: &Bound<'_, PyDict>,
        file_wrapper: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let result = application.call1((environ, slf))?;
        // A list or a tuple of Python's own has no `close`, and its length is known.
        if let Ok(list) = result.cast_exact::<PyList>() {
            if list.len() == 1 {
                return this.send_only(py, list.get_item(0)?);
            }
            return this.send_several(py, &list.to_tuple());
        }
        if let Ok(tuple) = result.cast_exact::<PyTuple>() {
            return this.send_several(py, tuple);
        }
        let outcome = if result.get_type().is(file_wrapper) {
            this.send_wrapped(py, &result)
        } else {
            this.send_all(py, &result)
        };
        // PEP 3333: `close` is called whatever happened, also when the client left.
        let closed = match result.getattr_opt(pyo3::intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        };
        outcome.and(closed)
    }

    /// The one piece of a list: what `[b"..."]` is for most applications.
    fn send_only(&self, py: Python<'_>, piece: Bound<'_, PyAny>) -> PyResult<()> {
        let piece = piece.cast_into::<PyBytes>().map_err(|_| not_bytes())?;
        let body = piece.as_bytes();
        if self.is_head_sent() || body.len() > RESPONSE_WINDOW {
            return self.send_last(py, body);
        }
        self.send_whole(py, &[body])
    }

    /// All pieces are known: if they fit into the window, head, body and end go as one.
    fn send_several(&self, py: Python<'_>, pieces: &Bound<'_, PyTuple>) -> PyResult<()> {
        if pieces.len() > MOST_GATHERED || self.is_head_sent() {
            return self.send_all(py, pieces.as_any());
        }
        let mut held = Vec::with_capacity(pieces.len());
        for piece in pieces.iter() {
            held.push(piece.cast_into::<PyBytes>().map_err(|_| not_bytes())?);
        }
        let gathered: Vec<&[u8]> = held.iter().map(|piece| piece.as_bytes()).collect();
        let total: usize = gathered.iter().map(|piece| piece.len()).sum();
        if total > RESPONSE_WINDOW {
            return self.send_all(py, pieces.as_any());
        }
        self.send_whole(py, &gathered)
    }

    /// A piece that is known to be the last, however long.
    fn send_last(&self, py: Python<'_>, body: &[u8]) -> PyResult<()> {
        if !self.is_head_sent() {
            self.announce(body.len() as u64)?;
        }
        if !body.is_empty() && self.send_piece(py, body)?.is_err() {
            return Ok(());
        }
        self.send_end(py)
    }

    /// What the application wrapped with `wsgi.file_wrapper`: as a descriptor if it is a real file.
    fn send_wrapped(&self, py: Python<'_>, wrapper: &Bound<'_, PyAny>) -> PyResult<()> {
        let (sent, bodyless, announced) = {
            let state = self.state();
            let head = state.head.as_ref();
            let bodyless = head.is_some_and(Head::is_bodyless);
            (state.sent, bodyless, head.and_then(Head::announced))
        };
        if sent || bodyless {
            return self.send_all(py, wrapper);
        }
        let Some(place) = file::place(wrapper)? else {
            return self.send_all(py, wrapper);
        };
        let FilePlace { file, offset, len } = place;
        let len = announced.map_or(len, |announced| announced.min(len));
        self.announce(len)?;
        if self.head_only || len == 0 {
            return self.send_end(py);
        }
        let mut frame = self.head_frame(LAST | DESCRIPTOR, 16, len)?;
        frame.put_u64_le(offset);
        frame.put_u64_le(len);
        let sent = py.detach(|| self.end().send_with(&[&frame], Some(file.as_fd())));
        reuse(frame);
        sent.map_err(link_error)
    }

    fn send_all(&self, py: Python<'_>, result: &Bound<'_, PyAny>) -> PyResult<()> {
        for piece in result.try_iter()? {
            let piece = piece?;
            let piece = piece.cast::<PyBytes>().map_err(|_| not_bytes())?;
            if piece.as_bytes().is_empty() {
                continue;
            }
            if self.send_piece(py, piece.as_bytes())?.is_err() {
                return Ok(());
            }
            if self.head_only && self.is_head_sent() {
                break;
            }
        }
        self.send_end(py)
    }

    /// Head, a body that is known to be all, and the end, as one.
    fn send_whole(&self, py: Python<'_>, body: &[&[u8]]) -> PyResult<()> {
        let len: usize = body.iter().map(|piece| piece.len()).sum();
        if self.head_only {
            self.announce(len as u64)?;
            return self.send_end(py);
        }
        self.send_head(py, body, LAST)
    }

    /// Adds a Content-Length where the application gave none and the length is known.
    fn announce(&self, length: u64) -> PyResult<()> {
        match &mut self.state().head {
            Some(head) => head.announce(length),
            None => Err(no_head()),
        }
    }

    fn send_piece(&self, py: Python<'_>, piece: &[u8]) -> PyResult<Result<(), Cancelled>> {
        let (finished, sent, announced) = {
            let state = self.state();
            let announced = state.head.as_ref().map(Head::announced);
            (state.finished, state.sent, announced)
        };
        if finished {
            // More than Content-Length announced: HTTP has no place for it.
            return Ok(Ok(()));
        }
        if !sent {
            let announced = announced.ok_or_else(no_head)?;
            if self.head_only {
                return self.send_head(py, &[], LAST).map(Ok);
            }
            if announced == Some(piece.len() as u64) && piece.len() <= RESPONSE_WINDOW {
                return self.send_head(py, &[piece], LAST).map(Ok);
            }
            self.send_head(py, &[], 0)?;
        }
        self.send_chunks(py, piece)
    }

    /// The head's frame, for so many bytes behind it, of a body that so begins.
    fn head_frame(&self, flags: u8, behind: usize, body: u64) -> PyResult<BytesMut> {
        let mut state = self.state();
        let head = state.head.as_mut().ok_or_else(no_head)?;
        let frame = head.complete(flags, behind)?;
        state.sent = true;
        state.bytes = body;
        state.finished = flags & LAST != 0;
        Ok(frame)
    }

    fn send_head(&self, py: Python<'_>, body: &[&[u8]], flags: u8) -> PyResult<()> {
        let len: usize = body.iter().map(|piece| piece.len()).sum();
        let frame = self.head_frame(flags, len, len as u64)?;
        let send = if flags & LAST != 0 { send_last } else { send };
        let sent = match body {
            [] => send(py, self.end(), &[&frame]),
            [only] => send(py, self.end(), &[&frame, only]),
            several => {
                let mut pieces: Vec<&[u8]> = Vec::with_capacity(several.len() + 1);
                pieces.push(&frame);
                pieces.extend_from_slice(several);
                send(py, self.end(), &pieces)
            }
        };
        reuse(frame);
        sent.map_err(link_error)
    }

    fn send_chunks(&self, py: Python<'_>, mut piece: &[u8]) -> PyResult<Result<(), Cancelled>> {
        while !piece.is_empty() && !self.is_finished() {
            let (chunk, rest) = piece.split_at_checked(MAX_CHUNK).unwrap_or((piece, &[]));
            piece = rest;
            let flags = {
                let mut state = self.state();
                state.bytes += chunk.len() as u64;
                let all = state.head.as_ref().and_then(Head::announced);
                state.finished = all.is_some_and(|all| state.bytes >= all);
                if state.finished { LAST } else { 0 }
            };
            let mut header = BytesMut::with_capacity(16);
            // A chunk is at most 64 KiB.
            put_header(
                &mut header,
                Kind::Chunk,
                flags,
                self.exchange,
                u32::try_from(chunk.len()).unwrap_or(0),
            );
            loop {
                let credit = py.detach(|| -> Result<Credit, LinkError> {
                    let credit = self.end().wait_for_credit(self.exchange, chunk.len())?;
                    if credit == Credit::Granted {
                        self.end().send(&[&header, chunk])?;
                    }
                    Ok(credit)
                });
                match credit.map_err(link_error)? {
                    Credit::Granted => break,
                    Credit::Interrupted => py.check_signals()?,
                    Credit::Cancelled => {
                        self.end_quietly(py)?;
                        return Ok(Err(Cancelled));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// The iterable is at its end.
    fn send_end(&self, py: Python<'_>) -> PyResult<()> {
        let (finished, sent) = {
            let state = self.state();
            (state.finished, state.sent)
        };
        if finished {
            return Ok(());
        }
        if sent {
            return self.end_quietly(py);
        }
        if !self.head_only {
            self.announce(0)?;
        }
        self.send_head(py, &[], LAST)
    }

    /// An empty last chunk.
    fn end_quietly(&self, py: Python<'_>) -> PyResult<()> {
        self.state().finished = true;
        let mut frame = BytesMut::with_capacity(16);
        put_frame(&mut frame, Kind::Chunk, LAST, self.exchange, &[])
            .map_err(|error| link_error(error.into()))?;
        send(py, self.end(), &[&frame]).map_err(link_error)
    }
}

fn no_head() -> PyErr {
    PyAssertionError::new_err("the application gave a body before it called start_response")
}

fn not_bytes() -> PyErr {
    PyTypeError::new_err("the application's iterable must yield bytes")
}
