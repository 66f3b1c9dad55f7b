//! Refusals as PyJWT's exceptions. The classes stand in `yett.jwt.exceptions`; they are looked up
//! once. Nothing of a token's or key's content gets into a text.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use yett_jwt::{JsonFault, KeyError, KeyMaterial, Part, Refusal, Registered};

use super::chain;

/// The classes that are raised from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    InvalidToken,
    Decode,
    Signature,
    Expired,
    Immature,
    Audience,
    Issuer,
    IssuedAt,
    Algorithm,
    Missing,
    Subject,
    TokenId,
    Key,
    ShortKeyWarning,
}

impl Class {
    const ALL: [(Self, &str); 14] = [
        (Self::InvalidToken, "InvalidTokenError"),
        (Self::Decode, "DecodeError"),
        (Self::Signature, "InvalidSignatureError"),
        (Self::Expired, "ExpiredSignatureError"),
        (Self::Immature, "ImmatureSignatureError"),
        (Self::Audience, "InvalidAudienceError"),
        (Self::Issuer, "InvalidIssuerError"),
        (Self::IssuedAt, "InvalidIssuedAtError"),
        (Self::Algorithm, "InvalidAlgorithmError"),
        (Self::Missing, "MissingRequiredClaimError"),
        (Self::Subject, "InvalidSubjectError"),
        (Self::TokenId, "InvalidJTIError"),
        (Self::Key, "InvalidKeyError"),
        (Self::ShortKeyWarning, "InsecureKeyLengthWarning"),
    ];

    /// The class itself.
    pub(super) fn of(self, py: Python<'_>) -> PyResult<&'static Py<PyType>> {
        static CLASSES: [PyOnceLock<Py<PyType>>; Class::ALL.len()] =
            [const { PyOnceLock::new() }; Class::ALL.len()];
        let module = match self {
            Self::ShortKeyWarning => "yett.jwt.warnings",
            _ => "yett.jwt.exceptions",
        };
        let found = CLASSES.get(self as usize).zip(Self::ALL.get(self as usize));
        match found {
            Some((slot, (_, name))) => slot.import(py, module, name).and_then(|_| {
                slot.get(py)
                    .ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err("no class"))
            }),
            None => Err(pyo3::exceptions::PyRuntimeError::new_err("no class")),
        }
    }

    /// An exception of the class.
    pub(super) fn error(self, py: Python<'_>, text: impl Into<String>) -> PyErr {
        match self.of(py) {
            Ok(class) => PyErr::from_type(class.bind(py).clone(), (text.into(),)),
            Err(error) => error,
        }
    }
}

/// The exception for a refused token.
pub(super) fn refused(py: Python<'_>, refusal: &Refusal) -> PyErr {
    let (class, text) = described(refusal);
    class.error(py, text)
}

/// The class, and PyJWT's words where programs are known to look at them.
fn described(refusal: &Refusal) -> (Class, String) {
    let (class, text) = match refusal {
        Refusal::Parts => (Class::Decode, "Not enough segments"),
        Refusal::Encoding(Part::Header) => (Class::Decode, "Invalid header padding"),
        Refusal::Encoding(Part::Payload) => (Class::Decode, "Invalid payload padding"),
        Refusal::Encoding(Part::Signature) => (Class::Decode, "Invalid crypto padding"),
        Refusal::Json { part, fault } => {
            let what = match fault {
                JsonFault::NotObject => "must be a json object".to_owned(),
                other => other.to_string(),
            };
            return (Class::Decode, format!("Invalid {part} string: {what}"));
        }
        Refusal::KeyId => (
            Class::InvalidToken,
            "Key ID header parameter must be a string of at most 256 bytes",
        ),
        Refusal::Critical => (Class::InvalidToken, "Unsupported critical extension"),
        Refusal::Unencoded => (Class::InvalidToken, "Unsupported extension: b64"),
        Refusal::HeaderType => (
            Class::InvalidToken,
            "Type header parameter must be a string",
        ),
        Refusal::AlgorithmMissing => (Class::Algorithm, "Algorithm not specified"),
        Refusal::AlgorithmUnknown => (Class::Algorithm, "Algorithm not supported"),
        Refusal::AlgorithmNone | Refusal::AlgorithmMismatch { .. } => {
            (Class::Algorithm, "The specified alg value is not allowed")
        }
        Refusal::Signature => (Class::Signature, "Signature verification failed"),
        Refusal::Missing { claim } => return (Class::Missing, claim.to_string()),
        Refusal::WrongType(claim) | Refusal::OutOfRange(claim) => wrong_type(*claim),
        Refusal::IssuedInFuture { .. } => (Class::Immature, "The token is not yet valid (iat)"),
        Refusal::NotYetValid { .. } => (Class::Immature, "The token is not yet valid (nbf)"),
        Refusal::Expired { .. } => (Class::Expired, "Signature has expired"),
        Refusal::Issuer => (Class::Issuer, "Invalid issuer"),
        Refusal::Subject => (Class::Subject, "Invalid subject"),
        Refusal::Audience => (Class::Audience, "Audience doesn't match"),
        Refusal::AudienceNotSingle => (Class::Audience, "Invalid claim format in token (strict)"),
        Refusal::AudienceUnexpected => (Class::Audience, "Invalid audience"),
        other => return (Class::Decode, chain(other)),
    };
    (class, text.to_owned())
}

const fn wrong_type(claim: Registered) -> (Class, &'static str) {
    match claim {
        Registered::ExpiresAt => (
            Class::Decode,
            "Expiration Time claim (exp) must be an integer.",
        ),
        Registered::NotBefore => (Class::Decode, "Not Before claim (nbf) must be an integer."),
        Registered::IssuedAt => (Class::IssuedAt, "Issued At claim (iat) must be an integer."),
        Registered::Issuer => (Class::Issuer, "Payload Issuer (iss) must be a string"),
        Registered::Subject => (Class::Subject, "Subject must be a string"),
        Registered::TokenId => (Class::TokenId, "JWT ID must be a string"),
        Registered::Audience => (Class::Audience, "Invalid claim format in token"),
    }
}

/// The exception for a refused key.
pub(super) fn bad_key(py: Python<'_>, error: &KeyError) -> PyErr {
    let text = match error {
        KeyError::Empty => "HMAC key must not be empty.".to_owned(),
        KeyError::OtherMaterial(KeyMaterial::Json) => {
            "The secret looks like a JWK: load it with PyJWK instead".to_owned()
        }
        KeyError::OtherMaterial(_) => {
            "The secret is an asymmetric key or x509 certificate, not a shared secret".to_owned()
        }
        other => chain(other),
    };
    Class::Key.error(py, text)
}
