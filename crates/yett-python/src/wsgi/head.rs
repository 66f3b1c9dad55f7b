//! What `start_response` was called with, written into its frame at once.

use std::cell::RefCell;

use bytes::BytesMut;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use yett_link::frame::{ExchangeId, FrameError, Kind, complete_frame, put_header};
use yett_link::response::HeadWriter;

use super::text::with_native;

/// A buffer larger than this is not kept for the next answer.
const KEEP: usize = 16 * 1024;

thread_local! {
    /// The buffer of the answer before, for the next one of this thread.
    static SPARE: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(1024));
}

/// An answer's head in the form in which it travels, its frame still to be completed.
pub(super) struct Head {
    frame: BytesMut,
    writer: HeadWriter,
    status: u16,
    announced: Option<u64>,
}

impl Head {
    /// Reads the arguments of `start_response`.
    ///
    /// # Errors
    /// `TypeError` and `ValueError` for what PEP 3333 does not allow.
    pub(super) fn read(
        exchange: ExchangeId,
        status: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let status = status.cast::<PyString>().map_err(|_| {
            PyTypeError::new_err("start_response: the status must be a str such as '200 OK'")
        })?;
        let headers = headers.cast::<PyList>().map_err(|_| {
            PyTypeError::new_err(
                "start_response: the headers must be a list of (name, value) tuples",
            )
        })?;
        let mut frame = SPARE.take();
        frame.clear();
        put_header(&mut frame, Kind::Response, 0, exchange, 0);
        let (code, writer) = with_native(status, |status| {
            let (code, reason) = split(status).ok_or_else(|| bad_status(status))?;
            Ok((code, HeadWriter::begin(&mut frame, code, reason)))
        })?;
        let mut head = Self {
            frame,
            writer,
            status: code,
            announced: None,
        };
        for header in headers.iter() {
            head.take(&header)?;
        }
        Ok(head)
    }

    fn take(&mut self, header: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, value) = pair(header)?;
        with_native(&name, |name| {
            with_native(&value, |value| {
                if name.len() == 14 && name.eq_ignore_ascii_case(b"content-length") {
                    self.announced = std::str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.trim().parse().ok());
                }
                self.writer
                    .header(&mut self.frame, name, value)
                    .map_err(too_long)
            })
        })
    }

    /// The Content-Length that the application gave, or that was added.
    pub(super) const fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Whether HTTP has no place for a body behind this status.
    pub(super) const fn is_bodyless(&self) -> bool {
        matches!(self.status, 204 | 304)
    }

    /// Adds a Content-Length where the application gave none and there can be one.
    pub(super) fn announce(&mut self, length: u64) -> PyResult<()> {
        if self.announced.is_some() || self.is_bodyless() {
            return Ok(());
        }
        self.announced = Some(length);
        self.writer
            .header(
                &mut self.frame,
                b"content-length",
                length.to_string().as_bytes(),
            )
            .map_err(too_long)
    }

    /// The frame, for so many bytes that are sent right behind it.
    pub(super) fn complete(&mut self, flags: u8, behind: usize) -> PyResult<BytesMut> {
        complete_frame(&mut self.frame, 0, flags, behind).map_err(too_long)?;
        Ok(std::mem::take(&mut self.frame))
    }
}

/// Gives a sent frame's buffer back, for the next answer.
pub(super) fn reuse(mut frame: BytesMut) {
    if frame.capacity() <= KEEP {
        frame.clear();
        SPARE.set(frame);
    }
}

/// The two strings of a header.
pub(super) fn pair<'py>(
    header: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyString>, Bound<'py, PyString>)> {
    let pair = header.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
    let pair =
        pair.ok_or_else(|| PyTypeError::new_err("each header must be a (name, value) tuple"))?;
    let text = |place| -> PyResult<Bound<'py, PyString>> {
        pair.get_item(place)?
            .cast_into()
            .map_err(|_| PyTypeError::new_err("the name and the value of a header must be str"))
    };
    Ok((text(0)?, text(1)?))
}

/// Code and reason of a status.
fn split(status: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, reason) = status.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // Not "+12" either.
    if !(100..=999).contains(&code) {
        return None;
    }
    match reason.split_first() {
        None => Some((code, reason)),
        Some((b' ', reason)) => Some((code, reason)),
        Some(_) => None,
    }
}

fn bad_status(status: &[u8]) -> PyErr {
    let status = String::from_utf8_lossy(status);
    PyValueError::new_err(format!(
        "start_response: the status must begin with a number from 100 to 999 and a blank, not {status:?}"
    ))
}

fn too_long(_error: FrameError) -> PyErr {
    PyValueError::new_err("the response's headers are too many or too long")
}
