//! Django's password hashes for Python, by `yett-issuer`.
//!
//! Passwords come in as bytes and stay Python's; other threads of Python run while one is hashed.

use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyValueError};
use pyo3::prelude::*;
use yett_issuer::password::{
    Argon2, Bcrypt, Edition, HashError, Input, Password, Pbkdf2, Prf, Scheme, Scrypt, Stored,
    Variety,
};

/// A parameter. One that 32 bits do not hold is larger than every bound, and refused as such.
pub(crate) struct Amount(u32);

impl<'py> FromPyObject<'_, 'py> for Amount {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract::<u32>() {
            Ok(amount) => Ok(Self(amount)),
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Ok(Self(u32::MAX)),
            Err(error) => Err(error),
        }
    }
}

fn error(error: HashError) -> PyErr {
    match error {
        HashError::OutOfMemory => PyMemoryError::new_err(error.to_string()),
        error => PyValueError::new_err(error.to_string()),
    }
}

fn encode(py: Python<'_>, scheme: Scheme, password: &[u8], salt: &[u8]) -> PyResult<String> {
    // Django looks a user up before it hashes: to refuse a long password here would tell the users
    // who exist from those who do not.
    let password = Password::danger_any_length(password);
    py.detach(|| scheme.encode(password, salt)).map_err(error)
}

/// The text that Django stores, of `algorithm` `pbkdf2_sha256` or `pbkdf2_sha1`.
#[pyfunction]
pub(crate) fn hash_pbkdf2(
    py: Python<'_>,
    algorithm: &str,
    password: &[u8],
    salt: &str,
    iterations: Amount,
) -> PyResult<String> {
    let prf = match algorithm {
        "pbkdf2_sha256" => Prf::Sha256,
        "pbkdf2_sha1" => Prf::Sha1,
        _ => return Err(error(HashError::UnknownAlgorithm)),
    };
    let scheme = Pbkdf2::new(prf, iterations.0).map_err(error)?;
    encode(py, scheme.into(), password, salt.as_bytes())
}

/// The text that Django stores, of scrypt with its `N`, `r` and `p`.
#[pyfunction]
pub(crate) fn hash_scrypt(
    py: Python<'_>,
    password: &[u8],
    salt: &str,
    costs: (Amount, Amount, Amount),
) -> PyResult<String> {
    let (n, r, p) = costs;
    let scheme = Scrypt::new(n.0, r.0, p.0).map_err(error)?;
    encode(py, scheme.into(), password, salt.as_bytes())
}

/// The text that Django stores, of Argon2 1.3 with memory (KiB), passes and lanes.
#[pyfunction]
pub(crate) fn hash_argon2(
    py: Python<'_>,
    variety: &str,
    password: &[u8],
    salt: &[u8],
    costs: (Amount, Amount, Amount),
    digest_length: usize,
) -> PyResult<String> {
    let variety = match variety {
        "argon2d" => Variety::D,
        "argon2i" => Variety::I,
        "argon2id" => Variety::Id,
        _ => return Err(error(HashError::UnknownAlgorithm)),
    };
    let (memory, passes, lanes) = costs;
    let costs = (memory.0, passes.0, lanes.0);
    let scheme = Argon2::of((variety, Edition::V19), costs, digest_length).map_err(error)?;
    encode(py, scheme.into(), password, salt)
}

/// The text that Django stores, of `algorithm` `bcrypt_sha256` or `bcrypt`. The setting is what
/// Django calls the salt: version, cost and salt, as in `$2b$12$…`.
#[pyfunction]
pub(crate) fn hash_bcrypt(
    py: Python<'_>,
    algorithm: &str,
    password: &[u8],
    setting: &str,
) -> PyResult<String> {
    let input = match algorithm {
        "bcrypt_sha256" => Input::Sha256,
        "bcrypt" => Input::Plain,
        _ => return Err(error(HashError::UnknownAlgorithm)),
    };
    let (scheme, salt) = Bcrypt::from_setting(input, setting).map_err(error)?;
    encode(py, scheme.into(), password, &salt)
}

/// Whether a password is that of a stored text.
#[pyfunction]
pub(crate) fn password_matches(py: Python<'_>, password: &[u8], encoded: &str) -> PyResult<bool> {
    let password = Password::danger_any_length(password);
    py.detach(|| Stored::parse(encoded)?.verify(password))
        .map_err(error)
}
