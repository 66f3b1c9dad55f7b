//! Every way in which a token can fail, said precisely, for the log alone: outside, all refusals
//! look alike.
//!
//! No variant carries text from the token: what an attacker wrote must not reach a log, and what a
//! user holds must not be read there. Names of claims in [`Refusal::Missing`] are the operator's
//! own, from [`Rules::require`](crate::Rules::require).

use crate::{Algorithm, JsonFault, Part, Registered, UnixSeconds};

/// Why a token was refused. `source()` carries what the JSON reader found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Longer than [`Rules::longest_token`](crate::Rules::longest_token); nothing of it was looked
    /// at.
    #[error("the token has {bytes} bytes, more than {longest}")]
    TooLong {
        /// The token's length in bytes.
        bytes: usize,
        /// The bound.
        longest: usize,
    },
    /// Not three parts with dots between them: also a JWE (five parts) and both JSON forms of a
    /// JWS.
    #[error("the token has not exactly three parts")]
    Parts,
    /// A part is not base64url as RFC 7515 section 2 means it: alphabet, no padding, unused bits
    /// zero.
    #[error("the {0} is not strict base64url")]
    Encoding(Part),
    /// The header or the payload is not a JSON object that we accept.
    #[error("the {part} is refused")]
    Json {
        /// Which of the two.
        part: Part,
        /// What is wrong with it.
        #[source]
        fault: JsonFault,
    },
    /// The header has no `alg`, or one that is not a string.
    #[error("the header names no algorithm")]
    AlgorithmMissing,
    /// The header's `alg` is `none`, in any spelling.
    #[error("the header asks for no signature")]
    AlgorithmNone,
    /// The header's `alg` is none that Yett knows.
    #[error("the header names an unknown algorithm")]
    AlgorithmUnknown,
    /// The header's `alg` is not the one of the key.
    #[error("the header names another algorithm than {key}, which the key is for")]
    AlgorithmMismatch {
        /// The key's one algorithm.
        key: Algorithm,
    },
    /// The verifier has several keys, and none has the header's `kid`.
    #[error("the header names a key that is not in the set")]
    UnknownKey,
    /// The verifier has several keys, the header has no `kid`, and its `alg` does not single one
    /// out.
    #[error("the header does not say which key of the set it means")]
    KeyAmbiguous,
    /// The header's `typ` is not a string, or names another kind of token than the rules accept.
    #[error("the header's type is not an accepted one")]
    HeaderType,
    /// The header's `kid` is not a string, or is too long.
    #[error("the header's key id is not a short string")]
    KeyId,
    /// The header has `crit`. We understand no extension, so there is none we could honour (RFC
    /// 7515 section 4.1.11).
    #[error("the header has critical extensions")]
    Critical,
    /// The header has `b64` (RFC 7797), which is not for JWTs.
    #[error("the header asks for an unencoded payload")]
    Unencoded,
    /// The signature is not the key's over these bytes.
    #[error("the signature does not match")]
    Signature,
    /// A registered claim has another JSON type than RFC 7519 gives it (`null` included).
    #[error("claim {0} has a wrong type")]
    WrongType(Registered),
    /// A time claim is a number that no 64-bit count of seconds holds.
    #[error("claim {0} is out of range")]
    OutOfRange(Registered),
    /// A claim that the rules require is absent, or `null`.
    #[error("claim {claim} is missing")]
    Missing {
        /// The name as the rules give it.
        claim: Box<str>,
    },
    /// `iat` lies in the future, beyond the leeway.
    #[error("the token was issued in the future, at {issued_at}; it is {now}")]
    IssuedInFuture {
        /// The claim.
        issued_at: UnixSeconds,
        /// The time of the check.
        now: UnixSeconds,
    },
    /// `nbf` lies in the future, beyond the leeway.
    #[error("the token is not valid before {not_before}; it is {now}")]
    NotYetValid {
        /// The claim.
        not_before: UnixSeconds,
        /// The time of the check.
        now: UnixSeconds,
    },
    /// `exp` has come, beyond the leeway.
    #[error("the token expired at {expires_at}; it is {now}")]
    Expired {
        /// The claim.
        expires_at: UnixSeconds,
        /// The time of the check.
        now: UnixSeconds,
    },
    /// `iss` is not an expected issuer, to the byte.
    #[error("the issuer is not an expected one")]
    Issuer,
    /// `sub` is not the expected subject, to the byte.
    #[error("the subject is not the expected one")]
    Subject,
    /// `aud` is an array, where the rules want one audience.
    #[error("the token names its audience in an array, not alone")]
    AudienceNotSingle,
    /// No member of `aud` is an expected audience, to the byte.
    #[error("the token is for another audience")]
    Audience,
    /// The token has `aud`, and the rules expect none (PyJWT: "Invalid audience").
    #[error("the token is for an audience, and none is expected")]
    AudienceUnexpected,
}

/// A refusal as far as an answer may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// Not a token, or one with a header or payload that nobody should send.
    Malformed,
    /// The algorithm is missing, unknown, `none` or not the key's.
    Algorithm,
    /// No key of the set is the one that the token means.
    Key,
    /// The signature is wrong.
    Signature,
    /// Everything was right once; its time is over.
    Expired,
    /// `nbf` or `iat` lies in the future.
    Immature,
    /// A required claim is absent or `null`.
    MissingClaim,
    /// A registered claim has a wrong type or an impossible value.
    InvalidClaim,
    /// Another issuer.
    Issuer,
    /// Another audience, or an unexpected one.
    Audience,
    /// Another subject.
    Subject,
}

impl Refusal {
    /// What kind of refusal this is.
    #[must_use]
    pub const fn kind(&self) -> RefusalKind {
        match self {
            Self::TooLong { .. }
            | Self::Parts
            | Self::Encoding(_)
            | Self::Json { .. }
            | Self::HeaderType
            | Self::KeyId
            | Self::Critical
            | Self::Unencoded => RefusalKind::Malformed,
            Self::AlgorithmMissing
            | Self::AlgorithmNone
            | Self::AlgorithmUnknown
            | Self::AlgorithmMismatch { .. } => RefusalKind::Algorithm,
            Self::UnknownKey | Self::KeyAmbiguous => RefusalKind::Key,
            Self::Signature => RefusalKind::Signature,
            Self::WrongType(_) | Self::OutOfRange(_) => RefusalKind::InvalidClaim,
            Self::Missing { .. } => RefusalKind::MissingClaim,
            Self::IssuedInFuture { .. } | Self::NotYetValid { .. } => RefusalKind::Immature,
            Self::Expired { .. } => RefusalKind::Expired,
            Self::Issuer => RefusalKind::Issuer,
            Self::Audience | Self::AudienceNotSingle | Self::AudienceUnexpected => {
                RefusalKind::Audience
            }
            Self::Subject => RefusalKind::Subject,
        }
    }
}
