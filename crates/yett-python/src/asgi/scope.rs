//! A request's scope: a copy of what is the same for every request, and the request's own items
//! (ASGI 3, HTTP and WebSocket).

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use yett_link::names;
use yett_link::request::{HttpVersion, Name, RequestView};

use super::tls::LastCertificate;
use crate::identity::Identity;

/// What is the same for every request of a worker.
pub(super) struct Template {
    http: Py<PyDict>,
    websocket: Py<PyDict>,
    state: Py<PyDict>,
    /// Each common header name as bytes, by its number less one.
    names: Vec<Py<PyBytes>>,
    /// The listener that the last request came in by: a worker sees one or two of them.
    server: Mutex<Option<(String, u16, Py<PyTuple>)>>,
    certificate: LastCertificate,
}

impl Template {
    pub(super) fn new(
        http: &Bound<'_, PyDict>,
        websocket: &Bound<'_, PyDict>,
        state: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let py = http.py();
        Ok(Self {
            http: http.copy()?.unbind(),
            websocket: websocket.copy()?.unbind(),
            // Not a copy: lifespan may go on filling it.
            state: state.clone().unbind(),
            names: names::COMMON
                .iter()
                .map(|name| PyBytes::new(py, name.as_bytes()).unbind())
                .collect(),
            server: Mutex::new(None),
            certificate: LastCertificate::default(),
        })
    }

    /// The scope of an HTTP request.
    pub(super) fn http<'py>(
        &self,
        py: Python<'py>,
        request: &RequestView<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.common(py, &self.http, request)?;
        let line = &request.line;
        scope.set_item(
            pyo3::intern!(py, "method"),
            match line.method {
                "GET" => pyo3::intern!(py, "GET").clone(),
                "POST" => pyo3::intern!(py, "POST").clone(),
                other => PyString::new(py, other),
            },
        )?;
        scope.set_item(
            pyo3::intern!(py, "scheme"),
            match line.scheme {
                "https" => pyo3::intern!(py, "https"),
                _ => pyo3::intern!(py, "http"),
            },
        )?;
        Ok(scope)
    }

    /// The scope of a WebSocket.
    pub(super) fn websocket<'py>(
        &self,
        py: Python<'py>,
        request: &RequestView<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.common(py, &self.websocket, request)?;
        scope.set_item(
            pyo3::intern!(py, "scheme"),
            match request.line.scheme {
                "https" | "wss" => pyo3::intern!(py, "wss"),
                _ => pyo3::intern!(py, "ws"),
            },
        )?;
        let offered = PyList::empty(py);
        for (name, value) in request.headers() {
            if text_of(name) != "sec-websocket-protocol" {
                continue;
            }
            // RFC 6455 section 11.3.4: several headers are one list.
            let value = String::from_utf8_lossy(value);
            for protocol in value.split(',').map(str::trim) {
                if !protocol.is_empty() {
                    offered.append(protocol)?;
                }
            }
        }
        scope.set_item(pyo3::intern!(py, "subprotocols"), offered)?;
        Ok(scope)
    }

    fn common<'py>(
        &self,
        py: Python<'py>,
        template: &Py<PyDict>,
        request: &RequestView<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let line = &request.line;
        let scope = template.bind(py).copy()?;
        // Dictionaries inside are this request's own: what one changes there no other sees.
        for inner in [pyo3::intern!(py, "asgi"), pyo3::intern!(py, "extensions")] {
            if let Some(shared) = scope.get_item(inner)?
                && let Ok(shared) = shared.cast::<PyDict>()
            {
                scope.set_item(inner, shared.copy()?)?;
            }
        }
        if let Some(tls) = &line.tls
            && let Some(extensions) = scope.get_item(pyo3::intern!(py, "extensions"))?
        {
            let told = self.certificate.told(py, tls)?;
            extensions.set_item(pyo3::intern!(py, "tls"), told)?;
        }
        scope.set_item(pyo3::intern!(py, "state"), self.state.bind(py).copy()?)?;
        scope.set_item(
            pyo3::intern!(py, "http_version"),
            match line.version {
                HttpVersion::Http10 => pyo3::intern!(py, "1.0"),
                HttpVersion::Http11 => pyo3::intern!(py, "1.1"),
                HttpVersion::Http2 => pyo3::intern!(py, "2"),
            },
        )?;
        // What is no UTF-8 cannot be a str without loss; the bytes stand in `raw_path`.
        let path = String::from_utf8_lossy(line.path);
        scope.set_item(pyo3::intern!(py, "path"), PyString::new(py, &path))?;
        let raw_path = line.uri.split('?').next().unwrap_or_default();
        scope.set_item(
            pyo3::intern!(py, "raw_path"),
            PyBytes::new(py, raw_path.as_bytes()),
        )?;
        scope.set_item(
            pyo3::intern!(py, "query_string"),
            PyBytes::new(py, line.query.as_bytes()),
        )?;
        if line.remote_addr.is_empty() {
            scope.set_item(pyo3::intern!(py, "client"), py.None())?;
        } else {
            let client = (line.remote_addr, line.remote_port);
            scope.set_item(pyo3::intern!(py, "client"), client)?;
        }
        if line.server_port == 0 {
            scope.set_item(pyo3::intern!(py, "server"), py.None())?;
        } else {
            let server = self.server(py, line.server_name, line.server_port)?;
            scope.set_item(pyo3::intern!(py, "server"), server)?;
        }
        scope.set_item(pyo3::intern!(py, "headers"), self.headers(py, request)?)?;
        if let Some(identity) = line.identity {
            let identity = Bound::new(py, Identity::new(identity.token, identity.claims_json))?;
            scope.set_item(pyo3::intern!(py, "yett.identity"), identity)?;
        }
        Ok(scope)
    }

    fn server<'py>(&self, py: Python<'py>, name: &str, port: u16) -> PyResult<Bound<'py, PyTuple>> {
        let mut last = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, of, server)) = &*last
            && known == name
            && *of == port
        {
            return Ok(server.bind(py).clone());
        }
        let server = (name, port).into_pyobject(py)?;
        *last = Some((name.to_owned(), port, server.clone().unbind()));
        Ok(server)
    }

    fn headers<'py>(
        &self,
        py: Python<'py>,
        request: &RequestView<'_>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut headers: Vec<Bound<'py, PyTuple>> = Vec::with_capacity(16);
        let mut cookies: Option<(usize, Vec<u8>)> = None;
        for (name, value) in request.headers() {
            if text_of(name) == "cookie" {
                // HTTP/2 may cut the cookies into several fields, which an application must see as
                // one (RFC 9113 section 8.2.3).
                if let Some((place, joined)) = &mut cookies {
                    joined.extend_from_slice(b"; ");
                    joined.extend_from_slice(value);
                    if let Some(header) = headers.get_mut(*place) {
                        *header = self.header(py, name, joined)?;
                    }
                    continue;
                }
                cookies = Some((headers.len(), value.to_vec()));
            }
            headers.push(self.header(py, name, value)?);
        }
        PyList::new(py, headers)
    }

    fn header<'py>(
        &self,
        py: Python<'py>,
        name: Name<'_>,
        value: &[u8],
    ) -> PyResult<Bound<'py, PyTuple>> {
        let value = PyBytes::new(py, value);
        let name = match name {
            Name::Common(number) => {
                let place = usize::from(number).checked_sub(1);
                let known = place.and_then(|place| self.names.get(place));
                known.map_or_else(|| PyBytes::new(py, b""), |name| name.bind(py).clone())
            }
            Name::Text(text) => PyBytes::new(py, text.as_bytes()),
        };
        PyTuple::new(py, [name, value])
    }
}

fn text_of(name: Name<'_>) -> &str {
    match name {
        Name::Common(number) => names::name(number).unwrap_or_default(),
        Name::Text(text) => text,
    }
}
