//! Proving tokens: one call does it all.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyModule, PyString};
use yett_jwt::{
    HeaderType, Refusal, Registered, Rules, UnixSeconds, Verified, danger_peek_algorithm,
    danger_peek_payload,
};

use super::LONGEST_TOKEN;
use super::chain;
use super::checks::{Call, Checks};
use super::claims::to_dict;
use super::errors::{Class, refused};
use super::key::Key;
use super::prepared::{self, Algorithms};

/// The claims of a token, proven and judged.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "PyJWT's call shape")]
pub(crate) fn jwt_decode<'py>(
    py: Python<'py>,
    token: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
    algorithms: &Bound<'py, PyAny>,
    known: &Bound<'py, Algorithms>,
    checks: &Bound<'py, Checks>,
    audience: &Bound<'py, PyAny>,
    issuer: &Bound<'py, PyAny>,
    subject: &Bound<'py, PyAny>,
    leeway: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let token = text_of(token)?;
    let call = Call::new(checks.get(), audience, issuer, subject, leeway)?;
    let key = key_for(token, key, algorithms, known, checks.get())?;
    to_dict(py, proven(py, token, key.get(), &call)?.claims())
}

/// [`jwt_decode`] and, beside the claims, the header's JSON and the signature.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "PyJWT's call shape")]
pub(crate) fn jwt_decode_complete<'py>(
    py: Python<'py>,
    token: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
    algorithms: &Bound<'py, PyAny>,
    known: &Bound<'py, Algorithms>,
    checks: &Bound<'py, Checks>,
    audience: &Bound<'py, PyAny>,
    issuer: &Bound<'py, PyAny>,
    subject: &Bound<'py, PyAny>,
    leeway: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyDict>, String, Bound<'py, PyBytes>)> {
    let claims = jwt_decode(
        py, token, key, algorithms, known, checks, audience, issuer, subject, leeway,
    )?;
    let (header, _, signature) = danger_split(py, token)?;
    Ok((claims, header, signature))
}

/// The payload of a token, proven, with the header's JSON and the signature.
#[pyfunction]
pub(crate) fn jws_verify<'py>(
    py: Python<'py>,
    token: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
    algorithms: &Bound<'py, PyAny>,
    known: &Bound<'py, Algorithms>,
    enforce_minimum_key_length: bool,
) -> PyResult<(Bound<'py, PyBytes>, String, Bound<'py, PyBytes>)> {
    let text = text_of(token)?;
    let key = find_key(text, key, algorithms, known, enforce_minimum_key_length)?;
    let key = key.get();
    // Made with the interpreter held, so that no fork can happen meanwhile.
    let verifier = key.payload_verifier();
    let verify = || verifier.verify_payload(text);
    let verified = if key.algorithm().is_symmetric() {
        verify()
    } else {
        py.detach(verify)
    }
    .map_err(|refusal| refused(py, &refusal))?;
    let (header, _, signature) = danger_split(py, token)?;
    Ok((PyBytes::new(py, verified.payload()), header, signature))
}

/// Header (its JSON), payload and signature of a token that **nobody vouches for**.
#[pyfunction]
pub(crate) fn danger_split<'py>(
    py: Python<'py>,
    token: &Bound<'py, PyAny>,
) -> PyResult<(String, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let unproven = danger_peek_payload(text_of(token)?, LONGEST_TOKEN)
        .map_err(|refusal| refused(py, &refusal))?;
    let header = String::from_utf8_lossy(unproven.header_json()).into_owned();
    Ok((
        header,
        PyBytes::new(py, unproven.payload()),
        PyBytes::new(py, unproven.signature()),
    ))
}

/// Judges claims that were proven by other means, or not at all.
#[pyfunction]
pub(crate) fn check_claims(
    py: Python<'_>,
    claims: &[u8],
    checks: &Bound<'_, Checks>,
    audience: &Bound<'_, PyAny>,
    issuer: &Bound<'_, PyAny>,
    subject: &Bound<'_, PyAny>,
    leeway: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let call = Call::new(checks.get(), audience, issuer, subject, leeway)?;
    let claims = call
        .rules()
        .danger_check_claims(claims, now(py)?)
        .map_err(|refusal| call.refused(py, &refusal))?;
    call.ask_container(&claims)
}

/// A JSON object as a dictionary, as strictly as payloads are read, without judging it.
#[pyfunction]
pub(crate) fn read_claims<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let claims = unjudged()
        .danger_check_claims(json, UnixSeconds::new(0))
        .map_err(|refusal| refused(py, &refusal))?;
    to_dict(py, &claims)
}

/// A JSON object that is no payload: a key, a set of keys. As strictly read; `ValueError` says why
/// not.
#[pyfunction]
pub(crate) fn read_json<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let object = unjudged()
        .danger_check_claims(json, UnixSeconds::new(0))
        .map_err(|refusal| {
            PyValueError::new_err(match refusal {
                Refusal::Json { fault, .. } => fault.to_string(),
                other => chain(&other),
            })
        })?;
    to_dict(py, &object)
}

/// Rules that look at nothing.
pub(super) fn unjudged() -> Rules {
    let rules = Rules::new().header_type(HeaderType::DangerAny);
    Registered::ALL.into_iter().fold(rules, Rules::danger_skip)
}

fn proven(py: Python<'_>, token: &str, key: &Key, call: &Call<'_, '_>) -> PyResult<Verified> {
    let verifier = key.verifier(call);
    let now = now(py)?;
    // An HMAC takes less time than giving the interpreter away and getting it back.
    let verified = if key.algorithm().is_symmetric() {
        verifier.verify(token, now)
    } else {
        py.detach(|| verifier.verify(token, now))
    }
    .map_err(|refusal| call.refused(py, &refusal))?;
    call.ask_container(verified.claims())?;
    Ok(verified)
}

fn key_for<'py>(
    token: &str,
    key: &Bound<'py, PyAny>,
    algorithms: &Bound<'py, PyAny>,
    known: &Bound<'py, Algorithms>,
    checks: &Checks,
) -> PyResult<Bound<'py, Key>> {
    let enforce = checks.enforce_minimum_key_length;
    find_key(token, key, algorithms, known, enforce)
}

/// The caller's key for the algorithm that the token asks for, if the caller allows that one.
fn find_key<'py>(
    token: &str,
    key: &Bound<'py, PyAny>,
    algorithms: &Bound<'py, PyAny>,
    known: &Bound<'py, Algorithms>,
    enforce_minimum_key_length: bool,
) -> PyResult<Bound<'py, Key>> {
    let py = key.py();
    // A weak key goes the long way: of a token of another algorithm its key is not judged.
    let key = match prepared::without_choice(key, algorithms, known.get())? {
        Some(key) if key.get().weakness().is_none() => key,
        _ => {
            if !is_limited(key, algorithms)? {
                return Err(Class::Decode.error(py, ALGORITHMS_NEEDED));
            }
            let algorithm = danger_peek_algorithm(token, LONGEST_TOKEN)
                .map_err(|refusal| refused(py, &refusal))?;
            prepared::for_verifying(key, algorithm, algorithms, known.get())?
        }
    };
    check_strength(py, key.get(), enforce_minimum_key_length)?;
    Ok(key)
}

const ALGORITHMS_NEEDED: &str = "It is required that you pass in a value for the \"algorithms\" \
                                 argument when calling decode().";

/// Whether the caller said which algorithms count: by a list, or by a key that carries its own.
fn is_limited(key: &Bound<'_, PyAny>, algorithms: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(algorithms.is_truthy()? || prepared::is_jwk(key)?)
}

/// Refuses a short shared secret, or warns of it.
pub(super) fn check_strength(py: Python<'_>, key: &Key, enforce: bool) -> PyResult<()> {
    let Some(weakness) = key.weakness() else {
        return Ok(());
    };
    if enforce {
        let waiver = "enforce_minimum_key_length=False makes this a warning";
        return Err(Class::Key.error(py, format!("{weakness}; {waiver}")));
    }
    let sentence = std::ffi::CString::new(weakness).unwrap_or_default();
    PyErr::warn(py, Class::ShortKeyWarning.of(py)?.bind(py), &sentence, 2)
}

/// A token's text. Bytes that are no text are no token either.
fn text_of<'a>(token: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    let text = if let Ok(text) = token.cast::<PyString>() {
        text.to_str().ok()
    } else if let Ok(bytes) = token.cast::<PyBytes>() {
        str::from_utf8(bytes.as_bytes()).ok()
    } else {
        let sentence = "Invalid token type. Token must be a string or bytes";
        return Err(Class::Decode.error(token.py(), sentence));
    };
    text.ok_or_else(|| Class::Decode.error(token.py(), "The token is not a text"))
}

/// `time.time()`, looked up in its module each time: what freezes the clock puts another one there.
fn now(py: Python<'_>) -> PyResult<UnixSeconds> {
    static TIME: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = TIME.get_or_try_init(py, || py.import("time").map(Bound::unbind))?;
    let seconds: f64 = module
        .bind(py)
        .getattr(intern!(py, "time"))?
        .call0()?
        .extract()?;
    if !seconds.is_finite() {
        return Err(PyValueError::new_err("time.time() gave no finite number"));
    }
    // Saturates: such a time is after, or before, every token.
    Ok(UnixSeconds::new(seconds.floor() as i64))
}
