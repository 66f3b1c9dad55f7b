//! Why something was not taken as a key. No error says anything of the key's content: only what
//! kind it is, how large, and which named member or line of armour is at fault.

use super::{KeyMaterial, KeyShape};
use crate::{Algorithm, JsonFault};

/// Why bytes were not taken as a key. Says nothing of their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No bytes.
    #[error("the secret is empty")]
    Empty,
    /// A shared secret shorter than the algorithm's hash (RFC 7518 section 3.2).
    #[error("the secret has {bytes} bytes, fewer than {shortest}")]
    TooShort {
        /// How many there are.
        bytes: usize,
        /// How many there must be.
        shortest: usize,
    },
    /// The "secret" is a key or certificate of another kind. Most of those are public, so that
    /// anyone could sign.
    #[error("the secret is {0}, not a shared secret")]
    OtherMaterial(KeyMaterial),
    /// A shared secret was given for an algorithm that takes a key pair.
    #[error("{0} takes a key pair, not a shared secret")]
    NotForSecrets(Algorithm),
    /// A key file was given or asked for, and the algorithm's keys are shared secrets, of which no
    /// copy is kept.
    #[error("{0} takes a shared secret, which has no PEM, DER or public form")]
    NotForKeyPairs(Algorithm),
    /// A thumbprint was asked of a shared secret, where it would help to guess it.
    #[error("a shared secret has no public form")]
    NoPublicForm,
    /// The key is of another kind, or on another curve, than the algorithm takes.
    #[error("the key is {found}, which {algorithm} does not take")]
    OtherAlgorithm {
        /// What the key is.
        found: KeyShape,
        /// What it was to be for.
        algorithm: Algorithm,
    },
    /// The JWK's `alg` names another algorithm than it was to be used for.
    #[error("the JWK is for {named}, not for {wanted}")]
    OtherNamedAlgorithm {
        /// Its `alg`.
        named: Algorithm,
        /// The caller's.
        wanted: Algorithm,
    },
    /// The parameters of an RSASSA-PSS key restrict it to another hash or salt than the algorithm
    /// has (RFC 4055 section 3.1).
    #[error("the RSASSA-PSS key is restricted to another hash or salt length than {0} has")]
    OtherPssParameters(Algorithm),
    /// An RSA modulus outside 2048 to 8192 bits (RFC 7518 section 3.3).
    #[error("the RSA modulus has {bits} bits, not {SMALLEST_RSA_BITS} to {LARGEST_RSA_BITS}")]
    RsaSize {
        /// How many it has.
        bits: usize,
    },
    /// An RSA modulus that is even, or an exponent that is even, less than 3 or longer than 33
    /// bits.
    #[error("the RSA modulus or exponent cannot be a right one")]
    RsaNumbers,
    /// The text is not one PEM block of the wanted kind.
    #[error("the PEM text is refused")]
    Pem(#[source] PemFault),
    /// Not strict DER of a structure that we read.
    #[error("the key is not strict DER of a known structure")]
    Der,
    /// A private key where a public one belongs.
    #[error("this is a private key; a verifier needs the public one")]
    Private,
    /// A public key or certificate where a private key belongs.
    #[error("this is a public key or certificate; signing needs the private key")]
    Public,
    /// The private key is encrypted. Passwords are not read here.
    #[error("the private key is encrypted; decrypt it first, e.g. with `openssl pkey`")]
    Encrypted,
    /// The JWK is not one that we take.
    #[error("the JWK is refused")]
    Jwk(#[source] JwkFault),
    /// The crypto library refused the key: a point that is not on its curve, a number out of
    /// range, a private part that does not belong to the public one.
    #[error("the key is inconsistent or invalid")]
    Invalid,
    /// The crypto library failed at making or writing a key.
    #[error("the crypto library failed")]
    Failed,
}

/// An RSA modulus has at least this many bits.
pub const SMALLEST_RSA_BITS: usize = 2048;
/// An RSA modulus has at most this many bits.
pub const LARGEST_RSA_BITS: usize = 8192;

/// What is wrong with a PEM text (RFC 7468).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemFault {
    /// Longer than [`LONGEST_PEM`](crate::LONGEST_PEM).
    #[error("longer than {longest} bytes")]
    TooLong {
        /// The bound in bytes.
        longest: usize,
    },
    /// No line begins a block.
    #[error("no line `-----BEGIN ...-----`; is the text cut, or a path?")]
    NoBlock,
    /// A block begins and does not end, or ends under another label.
    #[error("the block has no matching line `-----END ...-----`")]
    NoEnd,
    /// More than one block: a chain of certificates, or a key beside its certificate.
    #[error("more than one block; give the one key or certificate alone")]
    SeveralBlocks,
    /// A line of the block is not base64, or is a header.
    #[error("a line of the block is not base64")]
    Base64,
    /// OpenSSH's own format.
    #[error(
        "an OpenSSH private key; make it PKCS#8 (RSA and ECDSA: `ssh-keygen -p -m PKCS8 -f KEY`)"
    )]
    OpenSsh,
    /// A request for a certificate.
    #[error("a certificate request, not a key or certificate")]
    Request,
    /// Parameters without a key.
    #[error("parameters without a key")]
    ParametersAlone,
    /// A block that is no key of ours, such as DSA, PGP or PKCS#7.
    #[error("a block of a kind that is not supported; convert the key to PKCS#8")]
    OtherLabel,
}

/// What is wrong with a JWK (RFC 7517, 7518, 8037, 9964). Names of members are the RFCs' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkFault {
    /// Longer than [`LONGEST_JWK`](crate::LONGEST_JWK).
    #[error("longer than {longest} bytes")]
    TooLong {
        /// The bound in bytes.
        longest: usize,
    },
    /// Not a strict JSON object.
    #[error(transparent)]
    Json(JsonFault),
    /// A member that its type needs is absent.
    #[error("member `{0}` is missing")]
    Missing(&'static str),
    /// A member has another JSON type than it must have, or is too long.
    #[error("member `{0}` has a wrong type or is too long")]
    WrongType(&'static str),
    /// A member is not strict base64url.
    #[error("member `{0}` is not strict base64url")]
    Encoding(&'static str),
    /// A member has not the exact length that its curve or algorithm demands.
    #[error("member `{0}` has not the exact length")]
    Length(&'static str),
    /// A number has leading zero octets or none at all (RFC 7518 section 2, Base64urlUInt).
    #[error("member `{0}` has leading zero octets")]
    LeadingZero(&'static str),
    /// Its `kty` is none that we know.
    #[error("its type (`kty`) is not supported")]
    UnknownKeyType,
    /// Its `crv` is none that we know, or one without signatures.
    #[error("its curve (`crv`) is not supported")]
    UnknownCurve,
    /// Its `alg` is none that we know, or one without signatures.
    #[error("its algorithm (`alg`) is not supported")]
    UnknownAlgorithm,
    /// Its `alg` is not for keys of its type and curve.
    #[error("its algorithm (`alg`) is not for keys of its type and curve")]
    AlgorithmMismatch,
    /// Its `use` is not `sig`.
    #[error("its use is not `sig`")]
    OtherUse,
    /// Its `key_ops` do not allow what it was to be used for.
    #[error("its `key_ops` do not allow this")]
    OtherOperations,
    /// Its `key_ops` name something twice (RFC 7517 section 4.3).
    #[error("its `key_ops` name something twice")]
    DuplicateOperation,
    /// It has `oth`: more than two primes.
    #[error("RSA keys with more than two primes are not supported")]
    MultiPrime,
    /// A private RSA key without its primes and their exponents, which signing needs.
    #[error("the private RSA key lacks `p`, `q`, `dp`, `dq` or `qi`")]
    NoPrimes,
}
