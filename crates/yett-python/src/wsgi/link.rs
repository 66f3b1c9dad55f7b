//! The loop that a worker's threads run: take a request, call the application, send its answer.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use yett_link::frame::{ANNOUNCE_BEGIN, ExchangeId, Kind, STREAMED_BODY, put_frame};
use yett_link::request::RequestView;
use yett_link::worker::{Incoming, LinkError, Next, Shift, Started, WorkerEnd};

use super::environ::Template;
use super::response::StartResponse;

/// The stack of the thread that watches the others, in bytes: it calls no application, only
/// `threading.Thread.start`.
const WATCHER_STACK: usize = 512 * 1024;

/// The worker's end of its link to the edge.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct WorkerLink {
    end: WorkerEnd,
    /// Where the worker may have more than one thread.
    shift: Option<Arc<Shift>>,
}

#[pymethods]
impl WorkerLink {
    /// Takes over the descriptor, which must be the worker's end of a link and nobody else's.
    ///
    /// Waits for the edge's first word on it. `threads`: how many may call [`WorkerLink::serve_wsgi`].
    #[new]
    #[pyo3(signature = (descriptor, threads = 1))]
    fn new(py: Python<'_>, descriptor: RawFd, threads: usize) -> PyResult<Self> {
        if descriptor < 3 {
            return Err(PyValueError::new_err("not the descriptor of a link"));
        }
        let socket = UnixStream::from(owned(descriptor));
        let end = py.detach(|| WorkerEnd::meet(socket)).map_err(link_error)?;
        let others = threads.saturating_sub(1);
        let shift = (others > 0).then(|| Arc::new(Shift::new(others)));
        Ok(Self { end, shift })
    }

    /// From now on `start` is called, from a thread of its own, whenever one more thread should call
    /// [`WorkerLink::serve_wsgi`]: when all that do are at requests that take their time. It returns
    /// whether the thread could be started; if not, it is called again later.
    fn relieve(&self, start: Py<PyAny>) -> PyResult<()> {
        let Some(shift) = self.shift.clone() else {
            return Ok(());
        };
        let watch = move || {
            shift.watch(|| {
                Python::attach(|py| {
                    let started = start.call0(py).and_then(|started| started.is_truthy(py));
                    match started {
                        Ok(true) => Started::Yes,
                        Ok(false) => Started::No,
                        Err(error) => {
                            error.write_unraisable(py, None);
                            Started::No
                        }
                    }
                })
            });
        };
        std::thread::Builder::new()
            .name(String::from("yett-watch"))
            .stack_size(WATCHER_STACK)
            .spawn(watch)?;
        Ok(())
    }

    /// To be called in each process that is forked from this one: the link is not that process's.
    fn disown(&self) {
        self.end.disown();
    }

    /// Tells the edge that requests can come.
    fn ready(&self, py: Python<'_>) -> PyResult<()> {
        send_bare(py, &self.end, Kind::Ready, ExchangeId::new(0)).map_err(link_error)
    }

    /// Answers requests until the edge wants no more. Every thread of a worker calls this once; of
    /// several, one at a time takes requests.
    ///
    /// `environ` holds what is the same for every request. `report` is called with an exception that
    /// the application raised, its environ, and whether the client saw a part of the answer.
    fn serve_wsgi(
        slf: &Bound<'_, Self>,
        application: &Bound<'_, PyAny>,
        environ: &Bound<'_, PyDict>,
        report: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let mut template = Template::new(environ)?;
        let mut answer = |incoming| answer(slf, application, &mut template, report, incoming);
        let link = slf.get();
        match &link.shift {
            None => while_requests(slf.py(), &link.end, &mut answer),
            Some(shift) => in_turn(slf.py(), &link.end, shift, &mut answer),
        }
    }
}

/// Takes requests, and answers each, until no more will come.
fn while_requests(
    py: Python<'_>,
    end: &WorkerEnd,
    answer: &mut dyn FnMut(Incoming) -> PyResult<()>,
) -> PyResult<()> {
    while let Some(incoming) = next_request(py, end)? {
        answer(incoming)?;
    }
    Ok(())
}

/// As [`while_requests`], beside other threads: takes requests while it has the turn.
fn in_turn(
    py: Python<'_>,
    end: &WorkerEnd,
    shift: &Shift,
    answer: &mut dyn FnMut(Incoming) -> PyResult<()>,
) -> PyResult<()> {
    let mut turn = None;
    loop {
        let Some(mut mine) = turn.take().or_else(|| py.detach(|| shift.wait())) else {
            return Ok(());
        };
        let Some(incoming) = next_request(py, end)? else {
            shift.end();
            return Ok(());
        };
        shift.begin(&mut mine);
        answer(incoming)?;
        turn = shift.go_on(mine);
    }
}

/// The next request; `None` when no more will come.
fn next_request(py: Python<'_>, end: &WorkerEnd) -> PyResult<Option<Incoming>> {
    loop {
        // A look into the ring costs less than giving up the interpreter's lock.
        if let Some(incoming) = end.try_request().map_err(link_error)? {
            return Ok(Some(incoming));
        }
        match py.detach(|| end.next_request()) {
            // The edge is gone: nobody is left to answer to, and nothing is wrong here.
            Err(LinkError::Closed) | Ok(Next::Finished) => return Ok(None),
            Ok(Next::Interrupted) => py.check_signals()?,
            Ok(Next::Request(incoming)) => return Ok(Some(incoming)),
            Err(error) => return Err(link_error(error)),
        }
    }
}

impl WorkerLink {
    pub(super) const fn end(&self) -> &WorkerEnd {
        &self.end
    }
}

fn answer(
    link: &Bound<'_, WorkerLink>,
    application: &Bound<'_, PyAny>,
    template: &mut Template,
    report: &Bound<'_, PyAny>,
    incoming: Incoming,
) -> PyResult<()> {
    let py = link.py();
    let end = &link.get().end;
    let began = Instant::now();
    let Incoming {
        exchange,
        flags,
        payload,
        body,
    } = incoming;
    let request = RequestView::parse(&payload).map_err(|error| link_error(error.into()))?;
    let head_only = request.line.method == "HEAD";
    if flags & STREAMED_BODY != 0 {
        // Meant for an application of another interface, which a reload has just replaced.
        send_unless_closed(py, end, Kind::Failed, exchange)?;
        end.finish(exchange);
        return Ok(());
    }
    let start = Bound::new(
        py,
        StartResponse::new(link.clone().unbind(), exchange, head_only),
    )?;
    let environ = template.environ(py, &request, body, &start)?;
    if flags & ANNOUNCE_BEGIN != 0 {
        send_unless_closed(py, end, Kind::Begun, exchange)?;
    }
    let wrapper = template.file_wrapper(py);
    let outcome = StartResponse::run(&start, application, &environ, &wrapper);
    if end.is_disowned() {
        crate::forked::leave(py, outcome.as_ref().err());
    }
    let answer = start.get();
    // Without an edge there is nobody to answer to, and what failed for that reason is no news.
    if let Err(failure) = outcome
        && !end.is_closed()
    {
        let exception = failure.value(py);
        // Before Python 3.12 an exception and its traceback travel apart.
        if let Some(traceback) = failure.traceback(py) {
            exception.setattr("__traceback__", traceback)?;
        }
        // Reported first: the traceback is in the log when the client has its answer.
        report.call1((exception, &environ, answer.is_head_sent()))?;
        if !answer.is_finished() {
            send_unless_closed(py, end, Kind::Failed, exchange)?;
        }
    }
    end.finish(exchange);
    end.worked(began.elapsed());
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "the one place where a number becomes a descriptor"
)]
pub(crate) fn owned(descriptor: RawFd) -> OwnedFd {
    // SAFETY: the number is an open descriptor that nothing else owns: the zygote received it by
    // `recv_fds`, which wraps it in no object, and its child passes it here once and never again.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Sends a bare frame. That the edge is gone is found by whoever waits for the next request.
fn send_unless_closed(
    py: Python<'_>,
    end: &WorkerEnd,
    kind: Kind,
    exchange: ExchangeId,
) -> PyResult<()> {
    match send_bare(py, end, kind, exchange) {
        Ok(()) | Err(LinkError::Closed) => Ok(()),
        Err(error) => Err(link_error(error)),
    }
}

pub(crate) fn send_bare(
    py: Python<'_>,
    end: &WorkerEnd,
    kind: Kind,
    exchange: ExchangeId,
) -> Result<(), LinkError> {
    let mut frame = BytesMut::with_capacity(16);
    put_frame(&mut frame, kind, 0, exchange, &[])?;
    send(py, end, &[&frame])
}

/// As [`send`], of a frame that ends its exchange.
pub(super) fn send_last(
    py: Python<'_>,
    end: &WorkerEnd,
    pieces: &[&[u8]],
) -> Result<(), LinkError> {
    if end.try_send_last(pieces)? {
        return Ok(());
    }
    send(py, end, pieces)
}

/// Sends a frame; gives up the interpreter's lock only where that takes longer than a copy.
pub(super) fn send(py: Python<'_>, end: &WorkerEnd, pieces: &[&[u8]]) -> Result<(), LinkError> {
    if end.try_send(pieces)? {
        return Ok(());
    }
    py.detach(|| end.send(pieces))
}

pub(crate) fn link_error(error: LinkError) -> PyErr {
    match error {
        LinkError::Closed => pyo3::exceptions::PyBrokenPipeError::new_err(error.to_string()),
        // Whoever forked, and whatever catches it: the answer is the parent's.
        LinkError::Disowned => Python::attach(|py| crate::forked::leave(py, None)),
        LinkError::Protocol(_) | LinkError::Socket(_) | LinkError::Memory(_) => {
            PyOSError::new_err(error.to_string())
        }
    }
}
