//! Strings as PEP 3333 has them: each character stands for the byte of the same number.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Bytes as a native string.
#[expect(
    unsafe_code,
    reason = "one call instead of a scan, a copy and a decoding"
)]
pub(super) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // No slice is longer than `isize::MAX`.
    let len = isize::try_from(bytes.len()).unwrap_or(isize::MAX);
    // SAFETY: the pointer and the length are of one slice, which lives until the call returns; no
    // error handler is named. The call gives a new reference to a `str`, or null with an exception
    // set, which is what `from_owned_ptr_or_err` asks for.
    let text = unsafe {
        let text = ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), len, std::ptr::null());
        Bound::from_owned_ptr_or_err(py, text)?
    };
    text.cast_into().map_err(PyErr::from)
}

/// A string that is often the same as the last time.
#[derive(Default)]
pub(super) struct Last {
    bytes: Vec<u8>,
    text: Option<Py<PyString>>,
}

impl Last {
    pub(super) fn text<'py>(
        &mut self,
        py: Python<'py>,
        bytes: &[u8],
    ) -> PyResult<Bound<'py, PyString>> {
        if let Some(text) = &self.text
            && self.bytes == bytes
        {
            return Ok(text.bind(py).clone());
        }
        let text = latin1(py, bytes)?;
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.text = Some(text.clone().unbind());
        Ok(text)
    }
}

/// A number's string that is often the same as the last time.
#[derive(Default)]
pub(super) struct LastNumber {
    number: u16,
    text: Option<Py<PyString>>,
}

impl LastNumber {
    pub(super) fn text<'py>(&mut self, py: Python<'py>, number: u16) -> Bound<'py, PyString> {
        if let Some(text) = &self.text
            && self.number == number
        {
            return text.bind(py).clone();
        }
        let text = PyString::new(py, &number.to_string());
        self.number = number;
        self.text = Some(text.clone().unbind());
        text
    }
}

/// Hands on the bytes of a native string, whose characters must all be below 256.
///
/// # Errors
/// `UnicodeEncodeError` for another character.
pub(super) fn with_native<T>(
    text: &Bound<'_, PyString>,
    with: impl FnOnce(&[u8]) -> PyResult<T>,
) -> PyResult<T> {
    if let Ok(text) = text.to_str()
        && text.is_ascii()
    {
        return with(text.as_bytes());
    }
    let encoded = text.call_method1(pyo3::intern!(text.py(), "encode"), ("latin-1",))?;
    with(encoded.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes())
}
