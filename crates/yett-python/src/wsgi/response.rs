//! What the application gives back: `start_response`, `write`, and the iterable, as PEP 3333 has
//! them.
//!
//! Nothing that the application yields is held back: each piece is sent before the next is asked
//! for. Where the end is known in advance (a list of one piece, or a Content-Length that is
//! reached) head, body and end travel as one frame.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use pyo3::exceptions::{PyAssertionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use yett_link::frame::{
    ExchangeId, Kind, LAST, MAX_CHUNK, RESPONSE_WINDOW, put_frame, put_frame_with, put_header,
};
use yett_link::response::write_head;
use yett_link::worker::{Credit, LinkError, WorkerEnd};

use super::link::{WorkerLink, link_error, send};

/// What `start_response` was called with.
#[derive(Default)]
struct Head {
    status: u16,
    reason: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    announced: Option<u64>,
}

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
    #[pyo3(signature = (status, headers, exc_info = None, /))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        status: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
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
            _ => {}
        }
        let head = Head::read(status, headers)?;
        this.state().head = Some(head);
        // PEP 3333's imperative `write`; new applications do not use it.
        slf.getattr(pyo3::intern!(py, "write"))
    }

    /// Sends a piece of the body at once. When nobody waits for it any more, it is dropped.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<()> {
        self.send_piece(py, data.as_bytes()).map(drop)
    }
}

impl Head {
    fn read(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Self> {
        let status = status
            .cast::<PyString>()
            .map_err(|_| PyTypeError::new_err("the status must be a str such as '200 OK'"))?;
        let status = native(status)?;
        let (code, reason) = status
            .split_at_checked(3)
            .ok_or_else(|| bad_status(&status))?;
        let code = std::str::from_utf8(code)
            .ok()
            .and_then(|code| code.parse().ok());
        let code = code.filter(|_| reason.is_empty() || reason.starts_with(b" "));
        let code: u16 = code.ok_or_else(|| bad_status(&status))?;
        let headers = headers.cast::<PyList>().map_err(|_| {
            PyTypeError::new_err("the headers must be a list of (name, value) tuples")
        })?;
        let mut head = Self {
            status: code,
            reason: reason.get(1..).unwrap_or_default().to_vec(),
            headers: Vec::with_capacity(headers.len()),
            announced: None,
        };
        for header in headers.iter() {
            let pair = header.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
            let pair = pair
                .ok_or_else(|| PyTypeError::new_err("each header must be a (name, value) tuple"))?;
            let text = |place| -> PyResult<Vec<u8>> {
                let item = pair.get_item(place)?;
                let text = item.cast::<PyString>().map_err(|_| {
                    PyTypeError::new_err("the name and the value of a header must be str")
                })?;
                native(text)
            };
            let (name, value) = (text(0)?, text(1)?);
            if name.eq_ignore_ascii_case(b"content-length") {
                head.announced = std::str::from_utf8(&value)
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
            }
            head.headers.push((name, value));
        }
        Ok(head)
    }
}

fn bad_status(status: &[u8]) -> PyErr {
    let status = String::from_utf8_lossy(status);
    PyValueError::new_err(format!(
        "the status must begin with three digits and a blank, not {status:?}"
    ))
}

/// The bytes of a native string, whose characters must all be below 256 (PEP 3333).
fn native(text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    if let Ok(text) = text.to_str()
        && text.is_ascii()
    {
        return Ok(text.as_bytes().to_vec());
    }
    let encoded = text.call_method1("encode", ("latin-1",))?;
    Ok(encoded
        .cast::<PyBytes>()
        .map_err(PyErr::from)?
        .as_bytes()
        .to_vec())
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
    ) -> PyResult<()> {
        let py = slf.py();
        let result = application.call1((environ, slf))?;
        let outcome = slf.get().send_all(py, &result);
        // PEP 3333: `close` is called whatever happened, also when the client left.
        let closed = match result.getattr_opt(pyo3::intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        };
        outcome.and(closed)
    }

    fn send_all(&self, py: Python<'_>, result: &Bound<'_, PyAny>) -> PyResult<()> {
        let only = only_piece(result)?;
        if let Some(only) = &only
            && !self.is_head_sent()
        {
            return self.send_whole(py, only.as_bytes());
        }
        for piece in result.try_iter()? {
            let piece = piece?;
            let piece = piece
                .cast::<PyBytes>()
                .map_err(|_| PyTypeError::new_err("the application's iterable must yield bytes"))?;
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
    fn send_whole(&self, py: Python<'_>, body: &[u8]) -> PyResult<()> {
        if self.head_only {
            self.announce(body.len() as u64);
            return self.send_end(py);
        }
        if body.len() <= RESPONSE_WINDOW {
            return self.send_head(py, body, LAST);
        }
        self.announce(body.len() as u64);
        if self.send_piece(py, body)?.is_err() {
            return Ok(());
        }
        self.send_end(py)
    }

    /// Adds a Content-Length where the application gave none and the length is known.
    fn announce(&self, length: u64) {
        let mut state = self.state();
        if let Some(head) = &mut state.head
            && head.announced.is_none()
            && !matches!(head.status, 204 | 304)
        {
            head.announced = Some(length);
            head.headers
                .push((b"content-length".to_vec(), length.to_string().into_bytes()));
        }
    }

    fn send_piece(&self, py: Python<'_>, piece: &[u8]) -> PyResult<Result<(), Cancelled>> {
        if self.is_finished() {
            // More than Content-Length announced: HTTP has no place for it.
            return Ok(Ok(()));
        }
        if !self.is_head_sent() {
            let announced = self.announced()?;
            if self.head_only {
                return self.send_head(py, &[], LAST).map(Ok);
            }
            if announced == Some(piece.len() as u64) && piece.len() <= RESPONSE_WINDOW {
                return self.send_head(py, piece, LAST).map(Ok);
            }
            self.send_head(py, &[], 0)?;
        }
        self.send_chunks(py, piece)
    }

    fn announced(&self) -> PyResult<Option<u64>> {
        match &self.state().head {
            Some(head) => Ok(head.announced),
            None => Err(PyAssertionError::new_err(
                "the application gave a body before it called start_response",
            )),
        }
    }

    fn send_head(&self, py: Python<'_>, body: &[u8], flags: u8) -> PyResult<()> {
        let _called = self.announced()?;
        let mut frame = BytesMut::with_capacity(512 + body.len());
        {
            let mut state = self.state();
            let Some(head) = &state.head else {
                return Ok(());
            };
            let mut written = Ok(());
            let headers = head
                .headers
                .iter()
                .map(|(name, value)| (name.as_slice(), value.as_slice()));
            put_frame_with(&mut frame, Kind::Response, flags, self.exchange, |out| {
                written = write_head(out, head.status, &head.reason, headers);
                out.extend_from_slice(body);
            })
            .and(written)
            .map_err(|_| {
                PyValueError::new_err("the response's headers are too many or too long")
            })?;
            state.sent = true;
            state.bytes = body.len() as u64;
            state.finished = flags & LAST != 0;
        }
        send(py, self.end(), &[&frame]).map_err(link_error)
    }

    fn send_chunks(&self, py: Python<'_>, mut piece: &[u8]) -> PyResult<Result<(), Cancelled>> {
        while !piece.is_empty() && !self.is_finished() {
            let (chunk, rest) = piece.split_at_checked(MAX_CHUNK).unwrap_or((piece, &[]));
            piece = rest;
            let flags = {
                let mut state = self.state();
                state.bytes += chunk.len() as u64;
                let all = state.head.as_ref().and_then(|head| head.announced);
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
        if self.is_finished() {
            return Ok(());
        }
        if !self.is_head_sent() {
            if !self.head_only {
                self.announce(0);
            }
            return self.send_head(py, &[], LAST);
        }
        self.end_quietly(py)
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

/// The one piece of a list or tuple of one: then the body's length is known before it is sent.
fn only_piece<'py>(result: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let piece = if let Ok(list) = result.cast::<PyList>() {
        if list.len() == 1 {
            Some(list.get_item(0)?)
        } else {
            None
        }
    } else if let Ok(tuple) = result.cast::<PyTuple>() {
        if tuple.len() == 1 {
            Some(tuple.get_item(0)?)
        } else {
            None
        }
    } else {
        None
    };
    Ok(piece.and_then(|piece| piece.cast_into::<PyBytes>().ok()))
}
