//! Finds the prepared key for what a caller passed: a [`Key`], a `PyJWK`, text, an object of
//! `cryptography`.
//!
//! Reading a PEM text takes as long as a proof, and callers pass the same text at every call. So the
//! last few are remembered, together with the objects they came from: an object that is held cannot
//! be freed, so its address stays its own. Texts are also compared by content. Held keys stay in
//! memory until [`MOST_PREPARED`] others have been used.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyString, PyType};
use yett_jwt::Algorithm;

use super::errors::Class;
use super::key::Key;

/// Keys that are remembered. When there are more, the one used longest ago goes.
const MOST_PREPARED: usize = 32;

/// The algorithms that are left of the built-in ones, after `PyJWS(algorithms=…)` and
/// `unregister_algorithm`.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Algorithms {
    known: Vec<Algorithm>,
}

#[pymethods]
impl Algorithms {
    #[new]
    fn new(names: Vec<String>) -> PyResult<Self> {
        let known = names
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()
            .map_err(|_| PyValueError::new_err("Algorithm not supported"))?;
        Ok(Self { known })
    }
}

impl Algorithms {
    pub(super) fn know(&self, algorithm: Algorithm) -> bool {
        self.known.contains(&algorithm)
    }
}

/// A key that was passed, the algorithm it was prepared for, and what came of it.
struct Entry {
    algorithm: Algorithm,
    given: Py<PyAny>,
    key: Py<Key>,
}

static PREPARED: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// No Python code runs while it is held, else another thread, or a finalizer in this one, would wait
/// for it with the interpreter in its hands. So: nothing compared but addresses, no object made, none
/// dropped; references are only taken.
fn prepared() -> MutexGuard<'static, Vec<Entry>> {
    PREPARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key of a call that leaves no choice: one algorithm, and a key that is prepared for it. The
/// token's header then need not be read to find the key; the proof compares it anyway.
pub(super) fn without_choice<'py>(
    given: &Bound<'py, PyAny>,
    allowed: &Bound<'py, PyAny>,
    known: &Algorithms,
) -> PyResult<Option<Bound<'py, Key>>> {
    let only = only(allowed).filter(|only| known.know(*only));
    if let Some(jwk) = as_jwk(given)? {
        let is_it = match only {
            Some(only) => jwk.get().algorithm() == only,
            None => allowed.is_none(),
        };
        return Ok(is_it.then_some(jwk));
    }
    let Some(only) = only else { return Ok(None) };
    if let Ok(key) = given.cast_exact::<Key>()
        && key.get().algorithm() == only
    {
        return Ok(Some(key.clone()));
    }
    Ok(remembered(given, only))
}

/// The key to verify a token with whose header says `algorithm`, once the caller's list allows it.
pub(super) fn for_verifying<'py>(
    given: &Bound<'py, PyAny>,
    algorithm: Algorithm,
    allowed: &Bound<'py, PyAny>,
    known: &Algorithms,
) -> PyResult<Bound<'py, Key>> {
    let py = given.py();
    let jwk = as_jwk(given)?;
    let is_allowed = match (allowed.is_none(), &jwk) {
        (true, Some(_)) => true,
        (false, _) => admits(allowed, algorithm)?,
        (true, None) => false,
    };
    if !is_allowed {
        return Err(Class::Algorithm.error(py, "The specified alg value is not allowed"));
    }
    if let Some(key) = jwk {
        if !key.get().algorithm().admits(algorithm) {
            let sentence = "The token's algorithm does not match the key's algorithm";
            return Err(Class::Algorithm.error(py, sentence));
        }
        return Ok(key);
    }
    if !known.know(algorithm) {
        return Err(Class::Algorithm.error(py, "Algorithm not supported"));
    }
    find(given, algorithm)
}

/// The key to sign with.
pub(super) fn for_signing<'py>(
    given: &Bound<'py, PyAny>,
    algorithm: Algorithm,
) -> PyResult<Bound<'py, Key>> {
    match as_jwk(given)? {
        Some(key) if key.get().algorithm().admits(algorithm) => Ok(key),
        Some(key) => find(key.as_any(), algorithm),
        None => find(given, algorithm),
    }
}

fn find<'py>(given: &Bound<'py, PyAny>, algorithm: Algorithm) -> PyResult<Bound<'py, Key>> {
    if let Ok(key) = given.cast::<Key>()
        && key.get().algorithm().admits(algorithm)
    {
        return Ok(key.clone());
    }
    if let Some(key) = remembered(given, algorithm) {
        return Ok(key);
    }
    let key = prepare(given, algorithm)?;
    remember(given, algorithm, &key);
    Ok(key)
}

/// A key from memory: of the same object, or of an equal text.
fn remembered<'py>(given: &Bound<'py, PyAny>, algorithm: Algorithm) -> Option<Bound<'py, Key>> {
    if let Some(key) = take_up(given, algorithm) {
        return Some(key);
    }
    let text = Text::of(given)?;
    let equal = texts(given.py(), algorithm)
        .into_iter()
        .find(|kept| Text::of(kept).is_some_and(|kept| kept == text))?;
    take_up(&equal, algorithm)
}

/// The key of this very object, which from now on is the one used last.
fn take_up<'py>(given: &Bound<'py, PyAny>, algorithm: Algorithm) -> Option<Bound<'py, Key>> {
    let mut entries = prepared();
    let place = entries
        .iter()
        .position(|entry| entry.algorithm == algorithm && entry.given.is(given))?;
    // The last used stands last. Nearly always it does already.
    if place + 1 < entries.len() {
        let entry = entries.remove(place);
        entries.push(entry);
    }
    entries
        .last()
        .map(|entry| entry.key.bind(given.py()).clone())
}

/// The objects that are remembered for an algorithm. They are held, so that they can be looked into
/// without the lock: the UTF-8 of a string is made at the first look, and where that fails an
/// exception is, so that Python code may run.
fn texts(py: Python<'_>, algorithm: Algorithm) -> Vec<Bound<'_, PyAny>> {
    let mut found = Vec::with_capacity(MOST_PREPARED);
    let entries = prepared();
    let fitting = entries.iter().filter(|entry| entry.algorithm == algorithm);
    found.extend(fitting.map(|entry| entry.given.bind(py).clone()));
    found
}

fn remember(given: &Bound<'_, PyAny>, algorithm: Algorithm, key: &Bound<'_, Key>) {
    let entry = Entry {
        algorithm,
        given: given.clone().unbind(),
        key: key.clone().unbind(),
    };
    let evicted = {
        let mut entries = prepared();
        entries.push(entry);
        (entries.len() > MOST_PREPARED).then(|| entries.remove(0))
    };
    // Only here, without the lock: freeing an object may run Python code.
    drop(evicted);
}

/// The text of a key, if it is exactly a string or bytes: subclasses may change what they are.
#[derive(PartialEq, Eq)]
enum Text<'a> {
    String(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Text<'a> {
    fn of(given: &'a Bound<'_, PyAny>) -> Option<Self> {
        if let Ok(text) = given.cast_exact::<PyString>() {
            return text.to_str().ok().map(Self::String);
        }
        given
            .cast_exact::<PyBytes>()
            .ok()
            .map(|bytes| Self::Bytes(bytes.as_bytes()))
    }
}

/// Python knows all the forms of keys; it is asked once for each.
fn prepare<'py>(given: &Bound<'py, PyAny>, algorithm: Algorithm) -> PyResult<Bound<'py, Key>> {
    static PREPARE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = given.py();
    let made = PREPARE
        .import(py, "yett.jwt.algorithms", "prepared")?
        .call1((algorithm.name(), given))?;
    Ok(made.cast_into::<Key>()?)
}

/// Whether it is a `PyJWK`, which carries its one algorithm.
pub(super) fn is_jwk(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(as_jwk(given)?.is_some())
}

/// The key of a `PyJWK`.
fn as_jwk<'py>(given: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Key>>> {
    static JWK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = given.py();
    if given.is_exact_instance_of::<PyString>()
        || given.is_exact_instance_of::<PyBytes>()
        || given.is_exact_instance_of::<Key>()
        || !given.is_instance(JWK.import(py, "yett.jwt.api_jwk", "PyJWK")?)?
    {
        return Ok(None);
    }
    let key = given.getattr(pyo3::intern!(py, "_prepared"))?;
    Ok(Some(key.cast_into::<Key>()?))
}

/// Whether a list has the algorithm, under either name if it has two. A single string is one name,
/// not a text to search: "S256" is not within "HS256".
fn admits(allowed: &Bound<'_, PyAny>, algorithm: Algorithm) -> PyResult<bool> {
    let is = |item: &Bound<'_, PyAny>| named(item).is_some_and(|named| named.admits(algorithm));
    if let Ok(list) = allowed.cast_exact::<PyList>() {
        return Ok(list.iter().any(|item| is(&item)));
    }
    if allowed.is_instance_of::<PyString>() {
        return Ok(is(allowed));
    }
    let items = allowed
        .try_iter()
        .map_err(|_| PyTypeError::new_err("algorithms must be a list of names"))?;
    for item in items {
        if is(&item?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The algorithm that an item of a list names.
fn named(item: &Bound<'_, PyAny>) -> Option<Algorithm> {
    item.cast::<PyString>().ok()?.to_str().ok()?.parse().ok()
}

/// The only algorithm of a list that has no other item.
fn only(allowed: &Bound<'_, PyAny>) -> Option<Algorithm> {
    let list = allowed.cast_exact::<PyList>().ok()?;
    (list.len() == 1)
        .then(|| list.get_item(0).ok())
        .flatten()
        .and_then(|item| named(&item))
}
