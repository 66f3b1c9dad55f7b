//! Signing tokens.

use pyo3::exceptions::{PyNotImplementedError, PyValueError};
use pyo3::prelude::*;
use yett_jwt::{Algorithm, UnixSeconds};

use super::decode::{check_strength, unjudged};
use super::errors::Class;
use super::key::not_private;
use super::prepared::{self, Algorithms};
use super::{LONGEST_TOKEN, chain};

/// A token with that header and any payload.
#[pyfunction]
pub(crate) fn jws_sign(
    py: Python<'_>,
    header: &str,
    payload: &[u8],
    key: &Bound<'_, PyAny>,
    algorithm: &str,
    known: &Bound<'_, Algorithms>,
    enforce_minimum_key_length: bool,
) -> PyResult<String> {
    let unknown = || PyNotImplementedError::new_err("Algorithm not supported");
    let algorithm: Algorithm = algorithm.parse().map_err(|_| unknown())?;
    if !known.get().know(algorithm) {
        return Err(unknown());
    }
    let key = prepared::for_signing(key, algorithm)?;
    let key = key.get();
    check_strength(py, key, enforce_minimum_key_length)?;
    let signing = key.signing().ok_or_else(|| not_private(py))?;
    let sign = || signing.sign_payload(header, payload, LONGEST_TOKEN);
    let signed = if algorithm.is_symmetric() {
        sign()
    } else {
        py.detach(sign)
    };
    signed.map_err(|error| Class::InvalidToken.error(py, chain(&error)))
}

/// Raises `ValueError` for claims that no verifier here would read.
#[pyfunction]
pub(crate) fn check_payload(claims: &[u8]) -> PyResult<()> {
    match unjudged().danger_check_claims(claims, UnixSeconds::new(0)) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(PyValueError::new_err(chain(&refusal))),
    }
}
