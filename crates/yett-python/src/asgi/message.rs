//! Reads what an application sends: dictionaries of the ASGI specification, checked field by field.
//! What is wrong is said in an exception where the application sent it.

use bytes::BytesMut;
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use yett_link::frame::{ExchangeId, FrameError, Kind, MAX_PAYLOAD, put_frame_with, put_header};
use yett_link::response::{write_fields, write_head};

/// Names and values as the application gave them.
pub(super) type Fields = Vec<(Py<PyBytes>, Py<PyBytes>)>;

/// An event that the application sent.
pub(super) struct Message<'py>(Bound<'py, PyDict>);

impl<'py> Message<'py> {
    pub(super) fn read(message: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(dict) = message.cast::<PyDict>() {
            return Ok(Self(dict.clone()));
        }
        let dict = PyDict::new(message.py());
        // A mapping of another kind; anything else raises here.
        dict.call_method1(pyo3::intern!(message.py(), "update"), (message,))?;
        Ok(Self(dict))
    }

    pub(super) fn kind(&self) -> PyResult<Bound<'py, PyString>> {
        let kind = self.needed("type")?;
        let kind = kind.cast_into::<PyString>();
        kind.map_err(|_| PyTypeError::new_err("the event's 'type' must be a str"))
    }

    /// What it calls itself, behind a blank, for errors.
    fn name(&self) -> String {
        let kind = self.0.get_item("type").ok().flatten();
        kind.map_or_else(String::new, |kind| format!(" {kind}"))
    }

    /// A field, `None` when it is missing or `None`.
    pub(super) fn field(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = self.0.get_item(PyString::intern(self.0.py(), name))?;
        Ok(found.filter(|value| !value.is_none()))
    }

    pub(super) fn needed(&self, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.field(name)?.ok_or_else(|| {
            let event = self.name();
            PyKeyError::new_err(format!("the event{event} has no {name:?}"))
        })
    }

    pub(super) fn flag(&self, name: &str) -> PyResult<bool> {
        self.field(name)?.map_or(Ok(false), |flag| flag.is_truthy())
    }

    /// A field of bytes. `bytearray` and `memoryview` are taken too, as other servers do.
    pub(super) fn bytes(&self, name: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Some(value) = self.field(name)? else {
            return Ok(None);
        };
        let value = match value.cast_into::<PyBytes>() {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(error) => error.into_inner(),
        };
        let py = value.py();
        let kind = value.get_type().name()?;
        if matches!(kind.to_str()?, "bytearray" | "memoryview") {
            let copy = py.get_type::<PyBytes>().call1((value,))?;
            return Ok(Some(copy.cast_into::<PyBytes>()?));
        }
        Err(PyTypeError::new_err(format!(
            "the event's {name:?} must be bytes, not {kind}"
        )))
    }

    pub(super) fn text(&self, name: &str) -> PyResult<Option<Bound<'py, PyString>>> {
        let Some(value) = self.field(name)? else {
            return Ok(None);
        };
        let text = value.cast_into::<PyString>();
        let text =
            text.map_err(|_| PyTypeError::new_err(format!("the event's {name:?} must be a str")))?;
        Ok(Some(text))
    }

    /// The event's headers; none when the field is missing.
    pub(super) fn headers(&self) -> PyResult<Fields> {
        let Some(headers) = self.field("headers")? else {
            return Ok(Vec::new());
        };
        let mut fields = Vec::with_capacity(headers.len().unwrap_or(8));
        for header in headers.try_iter()? {
            let header = header?;
            fields.push((field_part(&header, 0)?, field_part(&header, 1)?));
        }
        Ok(fields)
    }
}

fn bad_status(message: &Message<'_>, status: &Bound<'_, PyAny>) -> PyErr {
    let shown = status.repr().map_or_else(
        |_| String::from("something else"),
        |status| status.to_string(),
    );
    let event = message.name();
    PyValueError::new_err(format!(
        "the 'status' of the event{event} must be an int from 100 to 999, not {shown}"
    ))
}

fn field_part(header: &Bound<'_, PyAny>, place: usize) -> PyResult<Py<PyBytes>> {
    let wrong = || PyTypeError::new_err("each header must be a (name, value) pair of bytes");
    let part = header.get_item(place).map_err(|_| wrong())?;
    let part = part.cast_into::<PyBytes>().map_err(|_| wrong())?;
    Ok(part.unbind())
}

/// A response's head, held back until its body begins.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Fields,
    /// What the application's Content-Length says.
    pub(super) announced: Option<u64>,
}

impl Head {
    pub(super) fn read(message: &Message<'_>) -> PyResult<Self> {
        let status = message.needed("status")?;
        let status: u16 = status
            .extract()
            .ok()
            .filter(|status| (100..=999).contains(status))
            .ok_or_else(|| bad_status(message, &status))?;
        let headers = message.headers()?;
        let py = message.0.py();
        let announced = headers.iter().find_map(|(name, value)| {
            if !name.as_bytes(py).eq_ignore_ascii_case(b"content-length") {
                return None;
            }
            let text = std::str::from_utf8(value.as_bytes(py)).ok()?;
            text.trim().parse().ok()
        });
        Ok(Self {
            status,
            headers,
            announced,
        })
    }

    /// Whether HTTP has no body for this status (RFC 9110 section 6.4.1).
    pub(super) const fn is_bodyless(&self) -> bool {
        matches!(self.status, 204 | 304)
    }

    /// Adds a Content-Length where the application gave none.
    pub(super) fn announce(&mut self, py: Python<'_>, length: u64) {
        if self.announced.is_none() && !self.is_bodyless() {
            self.announced = Some(length);
            let length = length.to_string();
            self.headers.push((
                PyBytes::new(py, b"content-length").unbind(),
                PyBytes::new(py, length.as_bytes()).unbind(),
            ));
        }
    }

    /// The frame up to where the first `follows` bytes of the body stand, which the caller sends
    /// right behind it.
    pub(super) fn frame(
        &self,
        py: Python<'_>,
        (kind, flags): (Kind, u8),
        id: ExchangeId,
        follows: usize,
    ) -> PyResult<BytesMut> {
        let mut frame = BytesMut::with_capacity(256);
        put_header(&mut frame, kind, flags, id, 0);
        let at = frame.len();
        write_head(&mut frame, self.status, b"", pairs(py, &self.headers)).map_err(too_long)?;
        let len = frame.len() - at + follows;
        if len > MAX_PAYLOAD {
            return Err(too_long(FrameError::Malformed("head")));
        }
        let len = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(field) = frame.get_mut(..4) {
            field.copy_from_slice(&len);
        }
        Ok(frame)
    }
}

/// A frame of header fields alone: hints or trailers.
pub(super) fn fields_frame(
    py: Python<'_>,
    kind: Kind,
    id: ExchangeId,
    fields: &Fields,
) -> PyResult<BytesMut> {
    let mut frame = BytesMut::with_capacity(256);
    let mut written = Ok(());
    put_frame_with(&mut frame, kind, 0, id, |out| {
        written = write_fields(out, pairs(py, fields));
    })
    .and(written)
    .map_err(too_long)?;
    Ok(frame)
}

fn pairs<'f>(
    py: Python<'f>,
    fields: &'f Fields,
) -> impl ExactSizeIterator<Item = (&'f [u8], &'f [u8])> {
    fields
        .iter()
        .map(move |(name, value)| (name.as_bytes(py), value.as_bytes(py)))
}

fn too_long(_error: FrameError) -> PyErr {
    PyValueError::new_err("the headers are too many or too long")
}

/// The application sent something that has no place now.
pub(super) fn out_of_order(expected: &str, kind: &str) -> PyErr {
    PyRuntimeError::new_err(format!(
        "expected {expected}, but the application sent {kind:?}"
    ))
}
