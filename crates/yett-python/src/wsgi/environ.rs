//! A request's environ: a copy of what is the same for every request, and the request's own items.

use std::fs::File;
use std::os::fd::{IntoRawFd, OwnedFd};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use yett_link::names;
use yett_link::request::{HttpVersion, Name, RequestView};

use super::response::StartResponse;
use super::text::{Last, LastNumber, latin1};
use super::tls;
use crate::identity::Identity;

/// What is the same for every request of a worker: prepared keys and values.
pub(super) struct Template {
    base: Py<PyDict>,
    /// `HTTP_…` or `CONTENT_…` key of each common header name, by its number less one.
    keys: Vec<Py<PyString>>,
    bytes_io: Py<PyAny>,
    fdopen: Py<PyAny>,
    file_wrapper: Py<PyAny>,
    remote_addr: Last,
    remote_port: LastNumber,
    server_name: Last,
    server_port: LastNumber,
}

/// Keys that every environ has, put into the template so that a copy has their places already.
const ALWAYS: [&str; 11] = [
    "REQUEST_METHOD",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_URI",
    "REMOTE_ADDR",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "wsgi.url_scheme",
    "wsgi.input",
    "wsgi.early_hints",
];

impl Template {
    pub(super) fn new(base: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = base.py();
        let keys = names::COMMON
            .iter()
            .map(|name| PyString::intern(py, &environ_key(name)).unbind());
        let io = py.import("io")?;
        let file_wrapper = base
            .get_item("wsgi.file_wrapper")?
            .unwrap_or_else(|| py.None().into_bound(py));
        let base = base.copy()?;
        for key in ALWAYS {
            base.set_item(PyString::intern(py, key), "")?;
        }
        make_room(&base)?;
        Ok(Self {
            base: base.unbind(),
            keys: keys.collect(),
            bytes_io: io.getattr("BytesIO")?.unbind(),
            fdopen: py.import("os")?.getattr("fdopen")?.unbind(),
            file_wrapper: file_wrapper.unbind(),
            remote_addr: Last::default(),
            remote_port: LastNumber::default(),
            server_name: Last::default(),
            server_port: LastNumber::default(),
        })
    }

    /// The type whose instances may be sent as files.
    pub(super) fn file_wrapper<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.file_wrapper.bind(py).clone()
    }

    pub(super) fn environ<'py>(
        &mut self,
        py: Python<'py>,
        request: &RequestView<'_>,
        body: Option<OwnedFd>,
        start: &Bound<'py, StartResponse>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let line = &request.line;
        let environ = self.base.bind(py).copy()?;
        environ.set_item(intern!(py, "REQUEST_METHOD"), method(py, line.method)?)?;
        environ.set_item(intern!(py, "PATH_INFO"), latin1(py, line.path)?)?;
        environ.set_item(
            intern!(py, "QUERY_STRING"),
            latin1(py, line.query.as_bytes())?,
        )?;
        environ.set_item(intern!(py, "REQUEST_URI"), latin1(py, line.uri.as_bytes())?)?;
        let remote_addr = self.remote_addr.text(py, line.remote_addr.as_bytes())?;
        environ.set_item(intern!(py, "REMOTE_ADDR"), remote_addr)?;
        if line.remote_port != 0 {
            let remote_port = self.remote_port.text(py, line.remote_port);
            environ.set_item(intern!(py, "REMOTE_PORT"), remote_port)?;
        }
        let server_name = self.server_name.text(py, line.server_name.as_bytes())?;
        environ.set_item(intern!(py, "SERVER_NAME"), server_name)?;
        let server_port = server_port(line.server_port, line.scheme);
        let server_port = self.server_port.text(py, server_port);
        environ.set_item(intern!(py, "SERVER_PORT"), server_port)?;
        let protocol = match line.version {
            HttpVersion::Http10 => intern!(py, "HTTP/1.0"),
            HttpVersion::Http11 => intern!(py, "HTTP/1.1"),
            HttpVersion::Http2 => intern!(py, "HTTP/2"),
        };
        environ.set_item(intern!(py, "SERVER_PROTOCOL"), protocol)?;
        let scheme = match line.scheme {
            "https" => {
                environ.set_item(intern!(py, "HTTPS"), intern!(py, "on"))?;
                intern!(py, "https")
            }
            _ => intern!(py, "http"),
        };
        environ.set_item(intern!(py, "wsgi.url_scheme"), scheme)?;
        let hints = start.getattr(intern!(py, "early_hints"))?;
        environ.set_item(intern!(py, "wsgi.early_hints"), hints)?;
        self.headers(py, request, &environ)?;
        if request.body_len > 0 {
            // The edge has the whole body, so its true length is known whatever the client said.
            environ.set_item(intern!(py, "CONTENT_LENGTH"), request.body_len.to_string())?;
        }
        let input = match body {
            // Python's own buffered reader owns the descriptor from here on and closes it.
            Some(body) => self
                .fdopen
                .call1(py, (File::from(body).into_raw_fd(), "rb"))?,
            None if request.inline_body.is_empty() => self.bytes_io.call0(py)?,
            None => self
                .bytes_io
                .call1(py, (PyBytes::new(py, request.inline_body),))?,
        };
        environ.set_item(intern!(py, "wsgi.input"), input)?;
        if let Some(tls) = &line.tls {
            tls::set(tls, &environ)?;
        }
        if let Some(identity) = line.identity {
            let identity = Bound::new(py, Identity::new(identity.token, identity.claims_json))?;
            environ.set_item(intern!(py, "yett.identity"), identity)?;
        }
        Ok(environ)
    }

    fn headers(
        &self,
        py: Python<'_>,
        request: &RequestView<'_>,
        environ: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let mut headers = request.headers().peekable();
        while let Some((name, value)) = headers.next() {
            let mut joined: Option<Vec<u8>> = None;
            // Headers of one name follow each other, as the edge keeps them in a map.
            while let Some((_, next)) = headers.next_if(|(same, _)| *same == name) {
                // RFC 6265 section 5.4 joins cookies with a semicolon, RFC 9110 section 5.2 the rest.
                let glue: &[u8] = if is_cookie(name) { b"; " } else { b"," };
                let text = joined.get_or_insert_with(|| value.to_vec());
                text.extend_from_slice(glue);
                text.extend_from_slice(next);
            }
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
        }
        Ok(())
    }
}

/// Makes a dict's table larger than its items need, as a copy of a dict has a table of the same size.
/// Not by more than half: CPython copies a table as it is only if two thirds of what ever stood in it
/// still do.
fn make_room(dict: &Bound<'_, PyDict>) -> PyResult<()> {
    let room = (dict.len() / 2).saturating_sub(1);
    for number in 0..room {
        dict.set_item(number, "")?;
    }
    for number in 0..room {
        dict.del_item(number)?;
    }
    Ok(())
}

fn method<'py>(py: Python<'py>, method: &str) -> PyResult<Bound<'py, PyString>> {
    Ok(match method {
        "GET" => intern!(py, "GET").clone(),
        "HEAD" => intern!(py, "HEAD").clone(),
        "POST" => intern!(py, "POST").clone(),
        "PUT" => intern!(py, "PUT").clone(),
        "PATCH" => intern!(py, "PATCH").clone(),
        "DELETE" => intern!(py, "DELETE").clone(),
        "OPTIONS" => intern!(py, "OPTIONS").clone(),
        other => latin1(py, other.as_bytes())?,
    })
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
fn server_port(port: u16, scheme: &str) -> u16 {
    match (port, scheme) {
        (0, "https") => 443,
        (0, _) => 80,
        (port, _) => port,
    }
}
