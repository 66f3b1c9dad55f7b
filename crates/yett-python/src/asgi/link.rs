//! The worker's end of its link, in an event loop: reads what arrives, begins requests, and tells
//! running ones what concerns them.

use std::collections::HashMap;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use yett_link::frame::{ANNOUNCE_BEGIN, DESCRIPTOR, ExchangeId, Kind, STREAMED_BODY, WEBSOCKET};
use yett_link::request::RequestView;
use yett_link::worker::{Event, Incoming, LinkError, WorkerEnd};

use super::awaitable::Done;
use super::body::RequestBody;
use super::http::HttpExchange;
use super::scope::Template;
use super::websocket::WebSocketExchange;
use crate::forked::leave;
use crate::wsgi::{link_error, owned, send_bare};

/// Events that are looked at in one turn of the loop; then others get theirs.
const EVENTS_A_TURN: usize = 64;

/// What the loop and the worker's Python side give.
struct Kit {
    /// `begin(scope, receive, send, exchange)` makes the request's task and returns it.
    begin: Py<PyAny>,
    /// `again()` has the link looked at in the loop's next turn.
    again: Py<PyAny>,
    /// `news(error)` is called when no request will follow, when the last running one has ended
    /// after that, when what runs is to be ended, and, with an exception, when the link is of no use
    /// any more.
    news: Py<PyAny>,
    /// `overdue(task, scope)` is called when a request was given up because it took too long.
    overdue: Py<PyAny>,
    create_future: Py<PyAny>,
    template: Template,
    done: Py<Done>,
}

enum Exchange {
    Http(Py<HttpExchange>),
    WebSocket(Py<WebSocketExchange>),
}

struct Running {
    exchange: Exchange,
    scope: Py<PyDict>,
    /// Kept here because a loop keeps no task alive by itself.
    task: Option<Py<PyAny>>,
}

#[derive(Default)]
struct State {
    /// Bounded by the edge, which gives a worker no more requests than its capacity.
    running: HashMap<ExchangeId, Running>,
    /// No request will come any more.
    finished: bool,
    /// The grace period is about over.
    cut_short: bool,
}

/// The worker's end of its link to the edge, for a worker with an event loop.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct LoopLink {
    end: WorkerEnd,
    kit: PyOnceLock<Kit>,
    state: Mutex<State>,
}

#[pymethods]
impl LoopLink {
    /// Takes over the descriptor, which must be the worker's end of a link and nobody else's.
    ///
    /// Waits for the edge's first word on it.
    #[new]
    fn new(py: Python<'_>, descriptor: RawFd) -> PyResult<Self> {
        if descriptor < 3 {
            return Err(PyValueError::new_err("not the descriptor of a link"));
        }
        let socket = UnixStream::from(owned(descriptor));
        let end = py.detach(|| WorkerEnd::meet(socket)?.for_event_loop());
        Ok(Self {
            end: end.map_err(link_error)?,
            kit: PyOnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// What becomes readable when the link must be looked at.
    fn fileno(&self) -> RawFd {
        self.end.descriptor().as_raw_fd()
    }

    /// Says how requests are begun. To be called once, before `ready`.
    #[pyo3(signature = (*, begin, again, news, overdue, create_future, http, websocket, state))]
    #[expect(clippy::too_many_arguments, reason = "all by name, called once")]
    fn open(
        &self,
        py: Python<'_>,
        begin: Py<PyAny>,
        again: Py<PyAny>,
        news: Py<PyAny>,
        overdue: Py<PyAny>,
        create_future: Py<PyAny>,
        http: &Bound<'_, PyDict>,
        websocket: &Bound<'_, PyDict>,
        state: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let kit = Kit {
            begin,
            again,
            news,
            overdue,
            create_future,
            template: Template::new(http, websocket, state)?,
            done: Py::new(py, Done)?,
        };
        self.kit
            .set(py, kit)
            .map_err(|_| PyRuntimeError::new_err("the link is open already"))
    }

    /// To be called in each process that is forked from this one: the link is not that process's.
    fn disown(&self) {
        self.end.disown();
    }

    /// Ends a process that was forked from the worker and comes back from a request; `error` is what
    /// came with it.
    #[pyo3(signature = (error, /))]
    pub(super) fn leave_if_forked(&self, py: Python<'_>, error: Option<Bound<'_, PyAny>>) {
        if self.end.is_disowned() {
            leave(py, error.map(PyErr::from_value).as_ref());
        }
    }

    /// Tells the edge that requests can come.
    fn ready(&self, py: Python<'_>) -> PyResult<()> {
        send_bare(py, &self.end, Kind::Ready, ExchangeId::new(0)).map_err(link_error)
    }

    /// Looks at what arrived. The loop calls this when the descriptor is readable.
    fn look(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let kit = this.kit(py)?;
        for _ in 0..EVENTS_A_TURN {
            let outcome = match this.end.try_event() {
                Ok(Some(Event::Finished)) if this.state().finished => Ok(None),
                other => other,
            };
            match outcome {
                Ok(Some(event)) => {
                    if let Err(error) = this.take(slf, kit, event) {
                        kit.news.call1(py, (error.into_value(py),))?;
                    }
                }
                Ok(None) if this.end.arm() => return Ok(()),
                Ok(None) => {}
                Err(LinkError::Closed) => {
                    this.cut(py)?;
                    return kit
                        .news
                        .call1(py, (link_error(LinkError::Closed).into_value(py),))
                        .map(drop);
                }
                Err(error) => {
                    this.cut(py)?;
                    return kit
                        .news
                        .call1(py, (link_error(error).into_value(py),))
                        .map(drop);
                }
            }
        }
        kit.again.call0(py).map(drop)
    }

    /// How many requests have not ended.
    #[getter]
    fn running(&self) -> usize {
        self.state().running.len()
    }

    /// The grace period is about over: what still runs is to be ended.
    #[getter]
    fn is_cut_short(&self) -> bool {
        self.state().cut_short
    }

    /// The tasks of the requests that have not ended.
    fn tasks(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let state = self.state();
        let tasks = state.running.values().filter_map(|running| {
            let task = running.task.as_ref()?;
            Some(task.clone_ref(py))
        });
        tasks.collect()
    }

    /// Tells every running request that its client has left.
    fn cut(&self, py: Python<'_>) -> PyResult<()> {
        let all: Vec<ExchangeId> = {
            let mut state = self.state();
            state.finished = true;
            state.running.keys().copied().collect()
        };
        all.into_iter().try_for_each(|id| self.cancel(py, id))
    }
}

impl LoopLink {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kit(&self, py: Python<'_>) -> PyResult<&Kit> {
        let kit = self.kit.get(py);
        kit.ok_or_else(|| PyRuntimeError::new_err("the link is not open yet"))
    }

    pub(super) const fn end(&self) -> &WorkerEnd {
        &self.end
    }

    /// A new future of the loop.
    pub(super) fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.kit(py)?.create_future.bind(py).call0()
    }

    /// The awaitable that is done.
    pub(super) fn done(&self, py: Python<'_>) -> Py<PyAny> {
        // Exchanges are made by an open link alone.
        self.kit
            .get(py)
            .map_or_else(|| py.None(), |kit| kit.done.clone_ref(py).into_any())
    }

    /// An exchange is over.
    pub(super) fn ended(&self, py: Python<'_>, id: ExchangeId) -> PyResult<()> {
        self.end.finish(id);
        let (running, last) = {
            let mut state = self.state();
            let running = state.running.remove(&id);
            (running, state.finished && state.running.is_empty())
        };
        drop(running);
        if last {
            self.kit(py)?.news.call1(py, (py.None(),))?;
        }
        Ok(())
    }

    fn take(&self, slf: &Bound<'_, Self>, kit: &Kit, event: Event) -> PyResult<()> {
        let py = slf.py();
        match event {
            Event::Request(incoming) => begin(slf, kit, incoming),
            Event::Body {
                exchange,
                piece,
                end,
            } => match self.exchange(py, exchange) {
                Some(Exchange::Http(exchange)) => exchange.get().arrived(py, piece, end),
                _ => Ok(()),
            },
            Event::Message {
                exchange,
                kind,
                piece,
                more,
            } => match self.exchange(py, exchange) {
                Some(Exchange::WebSocket(exchange)) => {
                    exchange.get().arrived(py, (kind, piece), more)
                }
                _ => Ok(()),
            },
            Event::Disconnect {
                exchange,
                code,
                reason,
            } => match self.exchange(py, exchange) {
                Some(Exchange::WebSocket(exchange)) => exchange.get().leave(py, code, reason),
                _ => Ok(()),
            },
            Event::Credit(exchange) => match self.exchange(py, exchange) {
                Some(Exchange::Http(exchange)) => exchange.get().credit(py),
                Some(Exchange::WebSocket(exchange)) => exchange.get().credit(py),
                None => Ok(()),
            },
            Event::Overdue(exchange) => self.overdue(py, kit, exchange),
            Event::Cancel(exchange) => self.cancel(py, exchange),
            Event::Finished => {
                self.state().finished = true;
                kit.news.call1(py, (py.None(),)).map(drop)
            }
            Event::CutShort => {
                {
                    let mut state = self.state();
                    state.finished = true;
                    state.cut_short = true;
                }
                kit.news.call1(py, (py.None(),)).map(drop)
            }
        }
    }

    fn overdue(&self, py: Python<'_>, kit: &Kit, id: ExchangeId) -> PyResult<()> {
        let late = {
            let state = self.state();
            state.running.get(&id).and_then(|running| {
                let task = running.task.as_ref()?;
                Some((task.clone_ref(py), running.scope.clone_ref(py)))
            })
        };
        late.map_or(Ok(()), |late| kit.overdue.call1(py, late).map(drop))
    }

    fn cancel(&self, py: Python<'_>, id: ExchangeId) -> PyResult<()> {
        match self.exchange(py, id) {
            Some(Exchange::Http(exchange)) => exchange.get().leave(py),
            // RFC 6455 section 7.1.5: gone without a closing frame.
            Some(Exchange::WebSocket(exchange)) => exchange.get().leave(py, 1006, String::new()),
            None => Ok(()),
        }
    }

    fn exchange(&self, py: Python<'_>, id: ExchangeId) -> Option<Exchange> {
        Some(match &self.state().running.get(&id)?.exchange {
            Exchange::Http(exchange) => Exchange::Http(exchange.clone_ref(py)),
            Exchange::WebSocket(exchange) => Exchange::WebSocket(exchange.clone_ref(py)),
        })
    }

    fn enter(&self, id: ExchangeId, exchange: Exchange, scope: &Bound<'_, PyDict>) {
        let running = Running {
            exchange,
            scope: scope.clone().unbind(),
            task: None,
        };
        self.state().running.insert(id, running);
    }
}

/// Makes a request's scope and exchange, and has its task made.
fn begin(link: &Bound<'_, LoopLink>, kit: &Kit, incoming: Incoming) -> PyResult<()> {
    let py = link.py();
    let this = link.get();
    let Incoming {
        exchange: id,
        flags,
        payload,
        body,
    } = incoming;
    let request = RequestView::parse(&payload).map_err(|error| link_error(error.into()))?;
    if flags & ANNOUNCE_BEGIN != 0 {
        match send_bare(py, &this.end, Kind::Begun, id) {
            // Found by the next look at the link.
            Ok(()) | Err(LinkError::Closed) => {}
            Err(error) => return Err(link_error(error)),
        }
    }
    let scope;
    let exchange: Bound<'_, PyAny>;
    if flags & WEBSOCKET == 0 {
        scope = kit.template.http(py, &request)?;
        let body = match body {
            Some(file) if flags & DESCRIPTOR != 0 => RequestBody::file(file),
            _ if flags & STREAMED_BODY != 0 => RequestBody::streamed(),
            _ => RequestBody::inline(slice(&payload, request.inline_body)),
        };
        let head_only = request.line.method == "HEAD";
        let http = HttpExchange::new(link.clone().unbind(), id, head_only, body);
        let http = Bound::new(py, http)?;
        this.enter(id, Exchange::Http(http.clone().unbind()), &scope);
        exchange = http.into_any();
    } else {
        scope = kit.template.websocket(py, &request)?;
        let websocket = WebSocketExchange::new(link.clone().unbind(), id);
        let websocket = Bound::new(py, websocket)?;
        this.enter(id, Exchange::WebSocket(websocket.clone().unbind()), &scope);
        exchange = websocket.into_any();
    }
    let receive = exchange.getattr(pyo3::intern!(py, "receive"))?;
    let send = exchange.getattr(pyo3::intern!(py, "send"))?;
    let task = kit.begin.call1(py, (scope, receive, send, exchange))?;
    // A task that began at once may have ended already.
    if let Some(running) = this.state().running.get_mut(&id) {
        running.task = Some(task);
    }
    Ok(())
}

/// The same bytes, sharing the payload's memory.
fn slice(payload: &Bytes, part: &[u8]) -> Bytes {
    if part.is_empty() {
        return Bytes::new();
    }
    payload.slice_ref(part)
}
