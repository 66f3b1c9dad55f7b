//! The end of a process that an application forked in a request and let come back from it.
//!
//! It has all of the worker's memory but the link's, and all of its descriptors. Nobody waits for it, and
//! what it would go on with is its parent's.

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;

/// Ends this process: as `sys.exit` in it said, or with code 1 and a sentence in the error output.
pub(crate) fn leave(py: Python<'_>, raised: Option<&PyErr>) -> ! {
    // Whatever goes wrong on the way out, out it goes.
    if let Err(error) = exit(py, raised) {
        error.print(py);
    }
    std::process::abort()
}

fn exit(py: Python<'_>, raised: Option<&PyErr>) -> PyResult<()> {
    let sys = py.import("sys")?;
    let exits = raised.filter(|error| error.is_instance_of::<PySystemExit>(py));
    let (code, words) = match exits {
        Some(exits) => meant(&exits.value(py).getattr("code")?),
        None => (1, Some(complaint(py, raised))),
    };
    for name in ["stdout", "stderr"] {
        let stream = sys.getattr(name)?;
        if let Some(words) = words.as_ref().filter(|_| name == "stderr") {
            let _unwritten = stream.call_method1("write", (words,));
        }
        let _unflushed = stream.call_method0("flush");
    }
    py.import("os")?.call_method1("_exit", (code,)).map(drop)
}

/// What `sys.exit` makes of this.
fn meant(code: &Bound<'_, PyAny>) -> (i32, Option<String>) {
    match code.extract() {
        Ok(code) => (code, None),
        Err(_) if code.is_none() => (0, None),
        Err(_) => (1, Some(format!("{code}\n"))),
    }
}

fn complaint(py: Python<'_>, raised: Option<&PyErr>) -> String {
    let raised = raised.map(|error| format!("; it raised {}", error.value(py).get_type()));
    format!(
        "yett: process {}, which the application forked in a request, came back from it{}; only the worker \
         answers, so the process was ended: let it end itself by os._exit\n",
        std::process::id(),
        raised.unwrap_or_default(),
    )
}
