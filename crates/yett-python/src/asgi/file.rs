//! A file that the application names as its answer (`http.response.pathsend`).

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;

/// Does not wait for the other end of a pipe that stands where a file should (`open(2)`).
const NONBLOCK: i32 = 0o4000;

/// Opens a regular file for the edge to send, and says how long it is.
///
/// # Errors
/// `OSError` when it cannot be opened, or is a folder, a device or a pipe.
pub(super) fn open(path: &Bound<'_, PyAny>) -> PyResult<(File, u64)> {
    let path: std::path::PathBuf = path
        .extract()
        .map_err(|_| PyTypeError::new_err("the event's 'path' must be a str"))?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NONBLOCK)
        .open(&path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        let path = path.display();
        return Err(PyOSError::new_err(format!("{path} is not a regular file")));
    }
    Ok((file, about.len()))
}
