//! A file that the application names as its answer (`http.response.pathsend`).

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;

/// Does not wait for the other end of a pipe that stands where a file should (`open(2)`).
const NONBLOCK: i32 = 0o4000;

/// Opens a regular file for the edge to send, and says how long it is.
///
/// # Errors
/// `OSError`, of the kind that `open` in Python raises, when it cannot be opened, is a folder, a device or a
/// pipe, or does not say how long it is.
pub(super) fn open(path: &Bound<'_, PyAny>) -> PyResult<(File, u64)> {
    let given: PathBuf = path.extract().map_err(|_| {
        let kind = path.get_type().to_string();
        PyTypeError::new_err(format!(
            "http.response.pathsend: 'path' must be a str, not {kind}"
        ))
    })?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NONBLOCK)
        .open(&given)
        .map_err(|error| refused(&given, &error))?;
    let about = file.metadata().map_err(|error| refused(&given, &error))?;
    let wrong = if !about.is_file() {
        "is not a regular file"
    } else if !has_its_size(&file, &about) {
        "does not say how long it is; send what it holds as a body instead"
    } else {
        return Ok((file, about.len()));
    };
    Err(PyOSError::new_err(format!(
        "http.response.pathsend: {} {wrong}",
        given.display()
    )))
}

/// Whether it holds as many bytes as it says: see `_has_its_size` in `yett/worker/files.py`.
fn has_its_size(file: &File, about: &Metadata) -> bool {
    if about.blocks() > 0 {
        return true;
    }
    let last = about.len().min(1);
    let read = file.read_at(&mut [0; 2], about.len() - last);
    read.is_ok_and(|read| read as u64 == last)
}

/// `FileNotFoundError`, `PermissionError` and so on, by the number of the error.
fn refused(path: &Path, error: &io::Error) -> PyErr {
    let number = error.raw_os_error().unwrap_or(0);
    let from = match std::env::current_dir() {
        Ok(folder) if path.is_relative() => {
            format!(", as seen from {}: the path is relative", folder.display())
        }
        _ => String::new(),
    };
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    PyOSError::new_err((
        number,
        format!("http.response.pathsend: {words}{from}"),
        path.as_os_str().to_owned(),
    ))
}
