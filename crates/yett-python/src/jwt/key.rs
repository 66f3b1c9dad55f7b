//! A key as Python holds it: material, its one algorithm, and the verifiers made of it so far.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use yett_jwt::{
    Algorithm, HeaderType, Jwk, JwkFault, KeyError, KeyType, Rules, SigningKey, Verifier,
    VerifyingKey,
};

use super::LONGEST_TOKEN;
use super::checks::{Call, KeptCall};
use super::errors::{Class, bad_key};

/// Verifiers kept with a key: one for each different way of calling `decode` with it. A program
/// has one or two. Beyond this many, the one that was made first goes.
const MOST_VERIFIERS: usize = 4;

/// A private, public or shared key and its one algorithm.
#[pyclass(frozen, module = "yett._yett")]
pub(crate) struct Key {
    algorithm: Algorithm,
    signing: Option<SigningKey>,
    verifying: VerifyingKey,
    /// A sentence about a shared secret that is shorter than its hash.
    weakness: Option<String>,
    /// Whether its JWK named the algorithm, so that it is for no other of its family.
    is_pinned: bool,
    verifiers: Mutex<Vec<(KeptCall, Arc<Verifier>)>>,
    payloads: OnceLock<Verifier>,
}

impl Key {
    fn new(verifying: VerifyingKey, signing: Option<SigningKey>) -> Self {
        Self {
            algorithm: verifying.algorithm(),
            signing,
            verifying,
            weakness: None,
            is_pinned: false,
            verifiers: Mutex::default(),
            payloads: OnceLock::new(),
        }
    }

    fn from_signing(signing: SigningKey) -> Self {
        Self::new(signing.verifying_key(), Some(signing))
    }

    fn from_verifying(verifying: VerifyingKey) -> Self {
        Self::new(verifying, None)
    }

    /// RFC 7518 section 3.2: a shared secret has at least as many bytes as the hash.
    fn weak(signing: SigningKey, bytes: usize, shortest: usize) -> Self {
        let mut made = Self::from_signing(signing);
        made.weakness = Some(format!(
            "The HMAC key has {bytes} bytes, which is below the {shortest} that {} needs \
             (RFC 7518 section 3.2)",
            made.algorithm
        ));
        made
    }

    /// The private key of these bytes, or the public one: whichever they are.
    fn either(
        private: Result<SigningKey, KeyError>,
        public: impl FnOnce() -> Result<VerifyingKey, KeyError>,
    ) -> Result<Self, KeyError> {
        match private {
            Ok(signing) => Ok(Self::from_signing(signing)),
            Err(KeyError::Public) => public().map(Self::from_verifying),
            Err(error) => Err(error),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn weakness(&self) -> Option<&str> {
        self.weakness.as_deref()
    }

    pub(super) fn signing(&self) -> Option<&SigningKey> {
        self.signing.as_ref()
    }

    /// The verifier of this key for the rules of a call. Made once, found again for equal ones.
    pub(super) fn verifier(&self, call: &Call<'_, '_>) -> Arc<Verifier> {
        let mut kept = self
            .verifiers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, verifier)) = kept.iter().find(|(kept, _)| call.is(kept)) {
            return Arc::clone(verifier);
        }
        let verifier = Arc::new(Verifier::new(self.verifying.clone(), call.rules()));
        if kept.len() == MOST_VERIFIERS {
            kept.remove(0);
        }
        kept.push((call.keep(), Arc::clone(&verifier)));
        verifier
    }

    /// The verifier for payloads that are no claims.
    pub(super) fn payload_verifier(&self) -> &Verifier {
        self.payloads.get_or_init(|| {
            let rules = Rules::new()
                .longest_token(LONGEST_TOKEN)
                .header_type(HeaderType::DangerAny);
            Verifier::new(self.verifying.clone(), rules)
        })
    }
}

/// The algorithm of a name, or `InvalidKeyError`: whoever binds a key names one that exists.
pub(super) fn algorithm_named(py: Python<'_>, name: &str) -> PyResult<Algorithm> {
    Algorithm::from_str(name).map_err(|_| Class::Key.error(py, "Algorithm not supported"))
}

#[pymethods]
impl Key {
    /// From a PEM text: a private key, a public key, or a certificate's public key.
    #[staticmethod]
    fn from_pem(py: Python<'_>, algorithm: &str, pem: &[u8]) -> PyResult<Self> {
        let algorithm = algorithm_named(py, algorithm)?;
        Self::either(SigningKey::from_pem(algorithm, pem), || {
            VerifyingKey::from_pem(algorithm, pem)
        })
        .map_err(|error| bad_key(py, &error))
    }

    /// The same from DER.
    #[staticmethod]
    fn from_der(py: Python<'_>, algorithm: &str, der: &[u8]) -> PyResult<Self> {
        let algorithm = algorithm_named(py, algorithm)?;
        Self::either(SigningKey::from_der(algorithm, der), || {
            VerifyingKey::from_der(algorithm, der)
        })
        .map_err(|error| bad_key(py, &error))
    }

    /// From a JWK's text. Without an algorithm: the JWK's own, or the only one for its curve.
    #[staticmethod]
    #[pyo3(signature = (jwk, algorithm = None))]
    fn from_jwk(py: Python<'_>, jwk: &[u8], algorithm: Option<&str>) -> PyResult<Self> {
        let jwk = Jwk::from_json(jwk).map_err(|error| bad_key(py, &error))?;
        let algorithm = match algorithm {
            Some(name) => algorithm_named(py, name)?,
            None => jwk.natural_algorithm().ok_or_else(|| {
                Class::Key.error(py, "The JWK does not say which algorithm it is for")
            })?,
        };
        let made = match SigningKey::from_jwk(&jwk, algorithm) {
            Ok(signing) => Ok(Self::from_signing(signing)),
            Err(KeyError::TooShort { bytes, shortest }) => {
                SigningKey::danger_from_jwk_short(&jwk, algorithm)
                    .map(|signing| Self::weak(signing, bytes, shortest))
            }
            // A public key, or one whose `key_ops` allow verifying alone.
            Err(KeyError::Public | KeyError::Jwk(JwkFault::OtherOperations)) => {
                VerifyingKey::from_jwk(&jwk, algorithm).map(Self::from_verifying)
            }
            Err(error) => Err(error),
        };
        let mut made = made.map_err(|error| bad_key(py, &error))?;
        made.is_pinned = jwk.algorithm().is_some();
        Ok(made)
    }

    /// A shared secret. A short one is taken too, and then has a `weakness`: the caller decides.
    #[staticmethod]
    fn hmac(py: Python<'_>, algorithm: &str, secret: &[u8]) -> PyResult<Self> {
        let algorithm = algorithm_named(py, algorithm)?;
        match SigningKey::hmac(algorithm, secret) {
            Err(KeyError::TooShort { bytes, shortest }) => {
                SigningKey::danger_hmac_short(algorithm, secret)
                    .map(|signing| Self::weak(signing, bytes, shortest))
            }
            other => other.map(Self::from_signing),
        }
        .map_err(|error| bad_key(py, &error))
    }

    #[getter]
    #[pyo3(name = "algorithm")]
    fn algorithm_name(&self) -> &'static str {
        self.algorithm.name()
    }

    /// `kty` as JWK spells it.
    #[getter]
    fn key_type(&self) -> &'static str {
        match self.algorithm.key_type() {
            KeyType::Oct => "oct",
            KeyType::Rsa => "RSA",
            KeyType::Ec => "EC",
            KeyType::Okp => "OKP",
            _ => "AKP",
        }
    }

    /// Whether it can sign.
    #[getter]
    fn is_private(&self) -> bool {
        self.signing.is_some()
    }

    #[getter]
    #[pyo3(name = "weakness")]
    fn weakness_text(&self) -> Option<&str> {
        self.weakness()
    }

    /// The same material for another algorithm of its family; itself for its own.
    fn bound_to<'py>(slf: &Bound<'py, Self>, algorithm: &str) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let key = slf.get();
        let algorithm = algorithm_named(py, algorithm)?;
        if key.algorithm.admits(algorithm) {
            return Ok(slf.clone());
        }
        let is_family =
            algorithm.key_type() == KeyType::Rsa && key.algorithm.key_type() == KeyType::Rsa;
        if key.is_pinned || !is_family {
            let sentence = format!("The key is for {}, not for {algorithm}", key.algorithm);
            return Err(Class::Key.error(py, sentence));
        }
        let made = match &key.signing {
            Some(signing) => signing
                .danger_to_pem()
                .and_then(|pem| SigningKey::from_pem(algorithm, pem.as_bytes()))
                .map(Self::from_signing),
            None => key
                .verifying
                .to_pem()
                .ok_or(KeyError::Failed)
                .and_then(|pem| VerifyingKey::from_pem(algorithm, pem.as_bytes()))
                .map(Self::from_verifying),
        };
        Bound::new(py, made.map_err(|error| bad_key(py, &error))?)
    }

    /// The public half; itself if it is public.
    fn public_key<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let key = slf.get();
        if key.signing.is_none() {
            return Ok(slf.clone());
        }
        if key.algorithm.is_symmetric() {
            return Err(Class::Key.error(py, "A shared secret has no public half"));
        }
        let mut public = Self::from_verifying(key.verifying.clone());
        public.is_pinned = key.is_pinned;
        Bound::new(py, public)
    }

    /// The bare signature over any bytes, for other formats than tokens.
    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let Some(signing) = &self.signing else {
            return Err(not_private(py));
        };
        let message = message.to_owned();
        let signature = py.detach(|| signing.sign_bytes(&message));
        match signature {
            Ok(signature) => Ok(PyBytes::new(py, &signature)),
            Err(error) => Err(Class::Key.error(py, error.to_string())),
        }
    }

    /// Whether that is the key's signature.
    fn verify(&self, py: Python<'_>, message: &[u8], signature: &[u8]) -> bool {
        let (message, signature) = (message.to_owned(), signature.to_owned());
        py.detach(|| self.verifying.verifies_bytes(&message, &signature))
    }

    /// The public JWK, as text.
    fn to_jwk(&self, py: Python<'_>) -> PyResult<String> {
        let jwk = self.verifying.to_jwk().ok_or_else(|| no_public_form(py))?;
        Ok(jwk.to_json())
    }

    /// The JWK with its private or secret part, as text.
    fn danger_to_jwk(&self, py: Python<'_>) -> PyResult<String> {
        let signing = self.signing.as_ref().ok_or_else(|| not_private(py))?;
        match signing.danger_to_jwk() {
            Ok(jwk) => Ok(jwk.to_string()),
            Err(error) => Err(bad_key(py, &error)),
        }
    }

    /// The public key in PEM.
    fn to_pem(&self, py: Python<'_>) -> PyResult<String> {
        self.verifying.to_pem().ok_or_else(|| no_public_form(py))
    }

    /// The private key in PEM.
    fn danger_to_pem(&self, py: Python<'_>) -> PyResult<String> {
        let signing = self.signing.as_ref().ok_or_else(|| not_private(py))?;
        match signing.danger_to_pem() {
            Ok(pem) => Ok(pem.to_string()),
            Err(error) => Err(bad_key(py, &error)),
        }
    }

    /// RFC 7638.
    fn thumbprint(&self, py: Python<'_>) -> PyResult<String> {
        self.verifying
            .thumbprint()
            .ok_or_else(|| no_public_form(py))
    }

    /// Equal: the same public key, algorithm and half. Shared secrets equal themselves alone, so
    /// that comparing tells nothing of them.
    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else {
            return false;
        };
        let (one, two) = (slf.get(), other.get());
        slf.is(other)
            || (one.algorithm == two.algorithm
                && one.signing.is_some() == two.signing.is_some()
                && one
                    .verifying
                    .thumbprint()
                    .is_some_and(|one| Some(one) == two.verifying.thumbprint()))
    }

    fn __hash__(slf: &Bound<'_, Self>) -> u64 {
        let mut hasher = DefaultHasher::new();
        match slf.get().verifying.thumbprint() {
            Some(thumbprint) => thumbprint.hash(&mut hasher),
            None => (slf.as_ptr() as usize).hash(&mut hasher),
        }
        hasher.finish()
    }

    /// What it is, nothing of what it holds.
    fn __repr__(&self) -> String {
        let half = match (&self.signing, self.algorithm.is_symmetric()) {
            (_, true) => "secret",
            (Some(_), _) => "private",
            (None, _) => "public",
        };
        format!("<Key {} {half}>", self.algorithm)
    }
}

pub(super) fn not_private(py: Python<'_>) -> PyErr {
    Class::Key.error(py, "The key is a public one: signing needs the private key")
}

fn no_public_form(py: Python<'_>) -> PyErr {
    Class::Key.error(py, "A shared secret has no public form")
}
