//! A request's environ: a copy of what is the same for every request, and the request's own items.

use std::fs::File;
use std::os::fd::{IntoRawFd, OwnedFd};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use yett_link::names;
use yett_link::request::{Name, RequestView};

use crate::identity::Identity;

/// What is the same for every request of a worker: prepared keys and values.
pub(super) struct Template {
    base: Py<PyDict>,
    /// `HTTP_…` or `CONTENT_…` key of each common header name, by its number less one.
    keys: Vec<Py<PyString>>,
    bytes_io: Py<PyAny>,
    fdopen: Py<PyAny>,
}

impl Template {
    pub(super) fn new(base: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = base.py();
        let keys = names::COMMON
            .iter()
            .map(|name| PyString::intern(py, &environ_key(name)).unbind());
        let io = py.import("io")?;
        Ok(Self {
            base: base.copy()?.unbind(),
            keys: keys.collect(),
            bytes_io: io.getattr("BytesIO")?.unbind(),
            fdopen: py.import("os")?.getattr("fdopen")?.unbind(),
        })
    }

    pub(super) fn environ<'py>(
        &self,
        py: Python<'py>,
        request: &RequestView<'_>,
        body: Option<OwnedFd>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let line = &request.line;
        let environ = self.base.bind(py).copy()?;
        environ.set_item(pyo3::intern!(py, "REQUEST_METHOD"), line.method)?;
        environ.set_item(pyo3::intern!(py, "PATH_INFO"), latin1(py, line.path)?)?;
        environ.set_item(pyo3::intern!(py, "QUERY_STRING"), line.query)?;
        environ.set_item(pyo3::intern!(py, "REQUEST_URI"), line.uri)?;
        environ.set_item(pyo3::intern!(py, "REMOTE_ADDR"), line.remote_addr)?;
        if line.remote_port != 0 {
            environ.set_item(
                pyo3::intern!(py, "REMOTE_PORT"),
                line.remote_port.to_string(),
            )?;
        }
        environ.set_item(pyo3::intern!(py, "SERVER_NAME"), line.server_name)?;
        environ.set_item(
            pyo3::intern!(py, "SERVER_PORT"),
            server_port(line.server_port, line.scheme),
        )?;
        environ.set_item(pyo3::intern!(py, "SERVER_PROTOCOL"), line.version.as_str())?;
        environ.set_item(pyo3::intern!(py, "wsgi.url_scheme"), line.scheme)?;
        self.headers(py, request, &environ)?;
        if request.body_len > 0 {
            // The edge has the whole body, so its true length is known whatever the client said.
            environ.set_item(
                pyo3::intern!(py, "CONTENT_LENGTH"),
                request.body_len.to_string(),
            )?;
        }
        let input = match body {
            // Python's own buffered reader owns the descriptor from here on and closes it.
            Some(body) => self
                .fdopen
                .call1(py, (File::from(body).into_raw_fd(), "rb"))?,
            None => self
                .bytes_io
                .call1(py, (PyBytes::new(py, request.inline_body),))?,
        };
        environ.set_item(pyo3::intern!(py, "wsgi.input"), input)?;
        if let Some(identity) = line.identity {
            let identity = Bound::new(py, Identity::new(identity.token, identity.claims_json))?;
            environ.set_item(pyo3::intern!(py, "yett.identity"), identity)?;
        }
        Ok(environ)
    }

    fn headers(
        &self,
        py: Python<'_>,
        request: &RequestView<'_>,
        environ: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        // Headers of one name follow each other, as the edge keeps them in a map.
        let mut before: Option<(Name<'_>, Vec<u8>)> = None;
        for (name, value) in request.headers() {
            let joined = match before.take() {
                Some((same, mut text)) if same == name => {
                    // RFC 6265 section 5.4 joins cookies with a semicolon, RFC 9110 section 5.2 the rest.
                    let glue: &[u8] = if is_cookie(name) { b"; " } else { b"," };
                    text.extend_from_slice(glue);
                    text.extend_from_slice(value);
                    Some(text)
                }
                _ => None,
            };
            let shown = latin1(py, joined.as_deref().unwrap_or(value))?;
            match name {
                Name::Common(number) => {
                    let place = usize::from(number).checked_sub(1);
                    if let Some(key) = place.and_then(|place| self.keys.get(place)) {
                        environ.set_item(key.bind(py), shown)?;
                    }
                }
                Name::Text(text) => environ.set_item(environ_key(text), shown)?,
            }
            before = Some((name, joined.unwrap_or_else(|| value.to_vec())));
        }
        Ok(())
    }
}

fn is_cookie(name: Name<'_>) -> bool {
    match name {
        Name::Common(number) => names::name(number) == Some("cookie"),
        Name::Text(_) => false,
    }
}

/// The environ's key of a header (PEP 3333, after RFC 3875 section 4.1.18).
fn environ_key(name: &str) -> String {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    if matches!(name, "content-type" | "content-length") {
        upper
    } else {
        format!("HTTP_{upper}")
    }
}

/// Over a Unix socket there is no port; PEP 3333 wants one all the same.
fn server_port(port: u16, scheme: &str) -> String {
    match (port, scheme) {
        (0, "https") => String::from("443"),
        (0, _) => String::from("80"),
        (port, _) => port.to_string(),
    }
}

/// Text as PEP 3333 wants it: each byte is the character of the same number.
pub(super) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(PyString::new(py, text)),
        _ => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            Ok(PyString::new(py, &text))
        }
    }
}
