//! The proven identity as Python sees it: `environ["yett.identity"]`.
//!
//! Python code cannot make one, so an instance is proof that the server verified the token. The token
//! stands beside the claims, so that whoever uses the identity can check that it belongs to the
//! header that is in force now: a middleware may have put another one there.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A bearer token that the edge verified, and its claims.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Identity {
    token: String,
    claims_json: Vec<u8>,
}

impl Identity {
    pub(crate) fn new(token: &str, claims_json: &[u8]) -> Self {
        Self {
            token: token.to_owned(),
            claims_json: claims_json.to_owned(),
        }
    }
}

#[pymethods]
impl Identity {
    /// The token as the client sent it.
    #[getter]
    fn token(&self) -> &str {
        &self.token
    }

    /// The claims, made anew from the verified JSON each time, so that nobody can change them for
    /// somebody else.
    #[getter]
    fn claims<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?
            .call_method1("loads", (PyBytes::new(py, &self.claims_json),))
    }

    #[expect(
        clippy::unused_self,
        reason = "says nothing of its content: tokens are not printed"
    )]
    const fn __repr__(&self) -> &'static str {
        "<yett identity>"
    }
}
