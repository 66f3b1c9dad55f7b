//! What `receive` and `send` give back: cheap where the answer is there already, a future of the
//! loop only where somebody really has to wait.
//!
//! Both classes have everything that `collections.abc.Coroutine` asks for, so that an application
//! can hand them to `create_task` as it could a coroutine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::http::HttpExchange;
use super::websocket::WebSocketExchange;

/// An awaitable that is done and gives `None`. It has no state, so one serves a whole worker.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Done;

#[pymethods]
impl Done {
    const fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    const fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[expect(clippy::unused_self, reason = "the protocol of iterators")]
    const fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }

    #[expect(clippy::unused_self, reason = "the protocol of coroutines")]
    #[pyo3(signature = (_value, /))]
    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(PyStopIteration::new_err(()))
    }

    #[expect(clippy::unused_self, reason = "the protocol of coroutines")]
    #[pyo3(signature = (*raised))]
    fn throw(&self, raised: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        Err(thrown(raised)?)
    }

    #[expect(clippy::unused_self, reason = "the protocol of coroutines")]
    const fn close(&self) {}
}

/// What an awaitable waits for.
pub(super) enum Asked {
    /// The next event of a request.
    HttpEvent(Py<HttpExchange>),
    /// That what was sent is out, or nobody wants it any more.
    HttpSent(Py<HttpExchange>),
    /// The next event of a WebSocket.
    WebSocketEvent(Py<WebSocketExchange>),
    /// That what was sent is out, or nobody wants it any more.
    WebSocketSent(Py<WebSocketExchange>),
    /// Nothing: the loop gets one turn.
    Turn,
}

/// What asking once came to.
pub(super) enum Step<'py> {
    /// The value is there.
    Ready(Bound<'py, PyAny>),
    /// This future will be done when it is worth asking again.
    Wait(Bound<'py, PyAny>),
}

enum Inner {
    Unasked,
    /// The iterator of the future that was waited for.
    Waiting(Py<PyAny>),
    /// The loop has had its turn.
    Yielded,
}

/// An awaitable that may have to wait. Asks when it is awaited, not when it is made.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Awaited {
    asked: Asked,
    inner: Mutex<Inner>,
}

impl Awaited {
    pub(super) const fn new(asked: Asked) -> Self {
        Self {
            asked,
            inner: Mutex::new(Inner::Unasked),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask<'py>(&self, py: Python<'py>) -> PyResult<Step<'py>> {
        match &self.asked {
            Asked::HttpEvent(exchange) => exchange.get().next_event(py),
            Asked::HttpSent(exchange) => exchange.get().sent(py),
            Asked::WebSocketEvent(exchange) => exchange.get().next_event(py),
            Asked::WebSocketSent(exchange) => exchange.get().sent(py),
            Asked::Turn => Ok(Step::Ready(py.None().into_bound(py))),
        }
    }
}

#[pymethods]
impl Awaited {
    const fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    const fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let waiting = match &*self.inner() {
            Inner::Waiting(future) => Some(future.clone_ref(py)),
            Inner::Unasked if matches!(self.asked, Asked::Turn) => None,
            Inner::Unasked | Inner::Yielded => None,
        };
        if let Some(future) = waiting {
            match future.bind(py).call_method0(pyo3::intern!(py, "__next__")) {
                Err(stop) if stop.is_instance_of::<PyStopIteration>(py) => {}
                other => return other,
            }
        } else if matches!(self.asked, Asked::Turn) {
            let mut inner = self.inner();
            if matches!(*inner, Inner::Unasked) {
                *inner = Inner::Yielded;
                return Ok(py.None().into_bound(py));
            }
        }
        match self.ask(py)? {
            Step::Ready(value) => {
                *self.inner() = Inner::Unasked;
                Err(PyStopIteration::new_err((value.unbind(),)))
            }
            Step::Wait(future) => {
                let future = future.call_method0(pyo3::intern!(py, "__await__"))?;
                *self.inner() = Inner::Waiting(future.clone().unbind());
                // Tells the task which future to wait for.
                future.call_method0(pyo3::intern!(py, "__next__"))
            }
        }
    }

    #[pyo3(signature = (_value, /))]
    fn send<'py>(&self, py: Python<'py>, _value: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.__next__(py)
    }

    #[pyo3(signature = (*raised))]
    fn throw(&self, raised: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        *self.inner() = Inner::Unasked;
        Err(thrown(raised)?)
    }

    fn close(&self) {
        *self.inner() = Inner::Unasked;
    }
}

/// The exception that `throw` was called with: an instance, or a class with perhaps a value.
fn thrown(raised: &Bound<'_, PyTuple>) -> PyResult<PyErr> {
    let first = raised.get_item(0)?;
    if !first.is_instance_of::<pyo3::types::PyType>() {
        return Ok(PyErr::from_value(first));
    }
    let instance = match raised.get_item(1) {
        Ok(value) if value.is_instance(&first)? => value,
        Ok(value) if !value.is_none() => first.call1((value,))?,
        _ => first.call0()?,
    };
    Ok(PyErr::from_value(instance))
}

/// The futures of those who wait for one thing.
#[derive(Default)]
pub(super) struct Waiters(Vec<Py<PyAny>>);

impl Waiters {
    /// Enters a future. Those that were given up meanwhile are forgotten, so there are never more
    /// than tasks that wait.
    pub(super) fn enter(&mut self, py: Python<'_>, future: &Bound<'_, PyAny>) {
        self.0.retain(|waiter| !is_done(waiter.bind(py)));
        self.0.push(future.clone().unbind());
    }

    /// Takes all of them out, to be woken when no lock is held.
    pub(super) fn take(&mut self) -> Vec<Py<PyAny>> {
        std::mem::take(&mut self.0)
    }
}

/// Makes every future done, so that who waits asks again.
pub(super) fn wake(py: Python<'_>, waiters: Vec<Py<PyAny>>) -> PyResult<()> {
    for waiter in waiters {
        let waiter = waiter.bind(py);
        if !is_done(waiter) {
            waiter.call_method1(pyo3::intern!(py, "set_result"), (py.None(),))?;
        }
    }
    Ok(())
}

fn is_done(future: &Bound<'_, PyAny>) -> bool {
    let done = future.call_method0(pyo3::intern!(future.py(), "done"));
    // A future that cannot even say so is of no use to anybody.
    done.and_then(|done| done.is_truthy()).unwrap_or(true)
}
