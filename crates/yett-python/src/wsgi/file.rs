//! `wsgi.file_wrapper`: a real file goes to the edge as its descriptor, and the edge sends it.

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use pyo3::prelude::*;

/// A file's descriptor of our own, and the range that is to be sent.
pub(super) struct FilePlace {
    pub(super) file: OwnedFd,
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// What the wrapper (`python/yett/worker/files.py`) says about what it wraps; `None` when it must be
/// read piece by piece.
pub(super) fn place(wrapper: &Bound<'_, PyAny>) -> PyResult<Option<FilePlace>> {
    let place = wrapper.call_method0(pyo3::intern!(wrapper.py(), "place"))?;
    if place.is_none() {
        return Ok(None);
    }
    let (descriptor, offset, len): (RawFd, u64, u64) = place.extract()?;
    let file = duplicate(wrapper.py(), descriptor)?;
    Ok(Some(FilePlace { file, offset, len }))
}

#[expect(
    unsafe_code,
    reason = "a file object of Python's has its descriptor as a bare number"
)]
fn duplicate(_held: Python<'_>, descriptor: RawFd) -> PyResult<OwnedFd> {
    // SAFETY: the number is the descriptor of a file object that was open a moment ago, when `place`
    // asked it, and that we keep alive by its wrapper. No other Python code can have closed it since,
    // as the interpreter is held all the time. It is borrowed for this call alone.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(borrowed.try_clone_to_owned()?)
}
