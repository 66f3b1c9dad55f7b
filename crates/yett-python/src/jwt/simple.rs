//! One key, fixed rules, JSON text out: what `yett.drf` needs. The clock comes in with every call.

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use super::chain;
use yett_jwt::{KeyError, Refusal, RefusalKind, Rules, SigningKey, UnixSeconds};

create_exception!(
    yett._yett,
    Refused,
    PyValueError,
    "A token that is not accepted; `kind` says why."
);

/// Longest token that is peeked at, in bytes; the same bound as for verified ones.
const LONGEST: usize = yett_jwt::DEFAULT_LONGEST_TOKEN;

fn refused(py: Python<'_>, refusal: &Refusal) -> PyErr {
    let kind = match refusal.kind() {
        RefusalKind::Malformed => "malformed",
        RefusalKind::Algorithm => "algorithm",
        RefusalKind::Key => "key",
        RefusalKind::Signature => "signature",
        RefusalKind::Expired => "expired",
        RefusalKind::Immature => "immature",
        RefusalKind::MissingClaim => "missing_claim",
        RefusalKind::InvalidClaim => "claim",
        RefusalKind::Issuer => "issuer",
        RefusalKind::Audience => "audience",
        RefusalKind::Subject => "subject",
    };
    let error = Refused::new_err(refusal.to_string());
    match error.value(py).setattr("kind", kind) {
        Ok(()) => error,
        Err(other) => other,
    }
}

fn signing_key(algorithm: &str, key: &[u8], danger_short_key: bool) -> PyResult<SigningKey> {
    if algorithm != "HS256" {
        let sentence = format!("the algorithm {algorithm:?} is not supported; supported: HS256");
        return Err(PyValueError::new_err(sentence));
    }
    let made = if danger_short_key {
        SigningKey::danger_hs256_short(key)
    } else {
        SigningKey::hs256(key)
    };
    made.map_err(|error: KeyError| PyValueError::new_err(error.to_string()))
}

/// Signs claims with one key and its one algorithm.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Signer {
    key: SigningKey,
}

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(signature = (algorithm, key, *, danger_short_key = false))]
    fn new(algorithm: &str, key: &[u8], danger_short_key: bool) -> PyResult<Self> {
        Ok(Self {
            key: signing_key(algorithm, key, danger_short_key)?,
        })
    }

    /// The compact token over a payload, which must be a JSON object's text.
    fn sign(&self, payload: &[u8]) -> PyResult<String> {
        self.key
            .sign(payload)
            .map_err(|error| PyValueError::new_err(chain(&error)))
    }
}

/// Verifies tokens with one key, its one algorithm, and fixed rules.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Verifier {
    verifier: yett_jwt::Verifier,
}

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(signature = (algorithm, key, *, leeway = 0, issuer = None, audience = None, danger_short_key = false))]
    fn new(
        algorithm: &str,
        key: &[u8],
        leeway: u32,
        issuer: Option<String>,
        audience: Option<Vec<String>>,
        danger_short_key: bool,
    ) -> PyResult<Self> {
        let key = signing_key(algorithm, key, danger_short_key)?.verifying_key();
        let mut rules = Rules::new().leeway(leeway);
        if let Some(issuer) = issuer {
            rules = rules.issuer(issuer);
        }
        rules = match audience {
            // The settings of simplejwt check the audience only where one is configured.
            None => rules.danger_any_audience(),
            Some(audience) if audience.is_empty() => {
                return Err(PyValueError::new_err(
                    "audience must be None or name at least one",
                ));
            }
            Some(audience) => audience.into_iter().fold(rules, Rules::audience),
        };
        Ok(Self {
            verifier: yett_jwt::Verifier::new(key, rules),
        })
    }

    /// The payload that the signature covers, as JSON text.
    fn verify<'py>(&self, py: Python<'py>, token: &str, now: i64) -> PyResult<Bound<'py, PyBytes>> {
        match self.verifier.verify(token, UnixSeconds::new(now)) {
            Ok(verified) => Ok(PyBytes::new(py, verified.payload_json())),
            Err(refusal) => Err(refused(py, &refusal)),
        }
    }
}

/// The payload of a token without any proof of where it came from.
#[pyfunction]
pub(crate) fn danger_peek<'py>(py: Python<'py>, token: &str) -> PyResult<Bound<'py, PyBytes>> {
    match yett_jwt::danger_peek(token, LONGEST) {
        Ok(unproven) => Ok(PyBytes::new(py, unproven.payload())),
        Err(refusal) => Err(refused(py, &refusal)),
    }
}
