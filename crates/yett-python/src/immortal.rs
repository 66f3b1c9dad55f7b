//! Objects that live for ever, so that forked workers go on sharing the pages in which they lie.
//!
//! Counting a reference writes to the object, and the kernel copies a shared page at the first write. A
//! worker that only calls functions and reads constants so copies most of what was imported before it was
//! forked. References of an immortal object (PEP 683) are not counted: whoever takes one looks at the
//! count and leaves it alone.
//!
//! CPython makes its own constants immortal, but has no function for others before 3.15. It needs none:
//! an object is immortal if its count has a certain value. This is written here for the versions whose
//! value and place are known, and for what was imported alone, once, before any worker is forked.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCode, PyDict, PyFloat, PyFunction, PyInt, PyList, PyString, PyTuple};

/// The count of an immortal object in CPython 3.12 and 3.13 on 64 bits (`_Py_IMMORTAL_REFCNT`).
const IMMORTAL: isize = u32::MAX as isize;

/// How deep code may lie in code: a function in a function in a class …
const DEEPEST: usize = 32;

/// Makes objects immortal, with the constants and names that lie in them; returns false, and does
/// nothing, where this version of Python is not known.
///
/// `objects` is what the collector knows of (`gc.get_objects()`).
#[pyfunction]
pub(crate) fn make_immortal(objects: &Bound<'_, PyList>) -> PyResult<bool> {
    let py = objects.py();
    if !is_known(py)? {
        return Ok(false);
    }
    let frame = py.import("types")?.getattr("FrameType")?;
    for object in objects {
        // The frames that run now end in a moment, and are taken for others then.
        if object.get_type().is(&frame) {
            continue;
        }
        if let Ok(function) = object.cast_exact::<PyFunction>() {
            bless_code(&function.getattr(intern!(py, "__code__"))?, 0)?;
        } else if let Ok(dictionary) = object.cast_exact::<PyDict>() {
            for (key, value) in dictionary.iter() {
                bless_plain(&key);
                bless_plain(&value);
            }
        }
        bless(&object);
    }
    Ok(true)
}

/// Whether the count's place and its value are known: CPython 3.12 or 3.13, 64 bits, built with the
/// interpreter's lock (a build without it counts elsewhere, even where the lock is switched on), no build
/// that checks all counts, and one whose own constants have the value.
fn is_known(py: Python<'_>) -> PyResult<bool> {
    let version = py.version_info();
    let sys = py.import("sys")?;
    let implementation = sys.getattr("implementation")?.getattr("name")?;
    let flags: String = sys.getattr("abiflags")?.extract()?;
    let none = sys.getattr("getrefcount")?.call1((py.None(),))?;
    Ok(cfg!(target_pointer_width = "64")
        && version.major == 3
        && matches!(version.minor, 12 | 13)
        && implementation.eq("cpython")?
        && !flags.contains('t')
        && none.eq(IMMORTAL)?
        && !sys.hasattr("gettotalrefcount")?)
}

/// Code is counted at every call, and so are its constants.
fn bless_code(code: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
    // Functions share code: what lies in it is seen to once.
    if depth > DEEPEST || !code.is_exact_instance_of::<PyCode>() || is_blessed(code) {
        return Ok(());
    }
    bless(code);
    let constants = code.getattr(intern!(code.py(), "co_consts"))?;
    bless(&constants);
    for constant in constants.cast::<PyTuple>()?.iter() {
        bless_plain(&constant);
        bless_code(&constant, depth + 1)?;
    }
    Ok(())
}

/// What the collector does not know of, as it refers to nothing, or to such objects alone.
fn bless_plain(object: &Bound<'_, PyAny>) {
    if object.is_exact_instance_of::<PyString>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyBytes>()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyTuple>()
    {
        bless(object);
    }
}

#[expect(unsafe_code, reason = "the one place where a count is read")]
fn is_blessed(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: as in `bless`.
    unsafe { object.as_ptr().cast::<isize>().read() == IMMORTAL }
}

#[expect(unsafe_code, reason = "the one place where a count is written")]
fn bless(object: &Bound<'_, PyAny>) {
    // SAFETY: the object is alive, since a reference to it is held, and nobody else counts it now, since
    // the interpreter's lock is held. In the versions that `is_known` admits an object begins with its
    // count, one machine word, and this value in it means that it is never freed. So no memory is freed
    // too early; objects that would have been freed later are kept.
    unsafe { object.as_ptr().cast::<isize>().write(IMMORTAL) };
}
