//! What a key is by itself, before any algorithm is asked of it: its type, and its curve or
//! parameter set.

use std::fmt;

use crate::{Algorithm, KeyType};

/// The curves of ECDSA keys (RFC 7518 section 6.2.1.1, RFC 8812 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256, also secp256r1, prime256v1.
    P256,
    /// NIST P-384, also secp384r1.
    P384,
    /// NIST P-521, also secp521r1.
    P521,
    /// secp256k1.
    Secp256k1,
}

/// What a key turned out to be: for messages and for the question whether an algorithm takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyShape {
    /// A shared secret.
    Secret,
    /// RSA.
    Rsa,
    /// RSA, under the identifier of RSASSA-PSS (RFC 4055): not for RS256 and its kin.
    RsaPss,
    /// An elliptic curve of ours.
    Ec(Curve),
    /// An elliptic curve that is none of ours, or that is given by its equation.
    EcUnknown,
    /// Ed25519.
    Ed25519,
    /// Ed448, which we have no implementation of.
    Ed448,
    /// X25519 or X448: for key agreement, not for signatures.
    Agreement,
    /// DSA, which JOSE has no algorithm for.
    Dsa,
    /// ML-DSA of this parameter set: 44, 65 or 87.
    MlDsa(u8),
    /// None that we know.
    Unknown,
}

impl Curve {
    const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// The value of a JWK's `crv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    /// Bytes of a coordinate, of a scalar, and of each half of a signature.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The one algorithm of its keys.
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Secp256k1 => Algorithm::Es256k,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// By the content of its OBJECT IDENTIFIER (RFC 5480 section 2.1.1.1, SEC 2).
    pub(crate) fn identified(identifier: &[u8]) -> Option<Self> {
        match identifier {
            b"\x2A\x86\x48\xCE\x3D\x03\x01\x07" => Some(Self::P256),
            b"\x2B\x81\x04\x00\x22" => Some(Self::P384),
            b"\x2B\x81\x04\x00\x23" => Some(Self::P521),
            b"\x2B\x81\x04\x00\x0A" => Some(Self::Secp256k1),
            _ => None,
        }
    }
}

impl KeyShape {
    /// By the content of the OBJECT IDENTIFIER of its algorithm (RFC 3279, 4055, 5480, 8410, 9881).
    /// An elliptic curve's is not in it.
    pub(crate) const fn identified(identifier: &[u8]) -> Self {
        match identifier {
            b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01" => Self::Rsa,
            b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A" => Self::RsaPss,
            b"\x2A\x86\x48\xCE\x3D\x02\x01" => Self::EcUnknown,
            b"\x2A\x86\x48\xCE\x38\x04\x01" => Self::Dsa,
            b"\x2B\x65\x6E" | b"\x2B\x65\x6F" => Self::Agreement,
            b"\x2B\x65\x70" => Self::Ed25519,
            b"\x2B\x65\x71" => Self::Ed448,
            b"\x60\x86\x48\x01\x65\x03\x04\x03\x11" => Self::MlDsa(44),
            b"\x60\x86\x48\x01\x65\x03\x04\x03\x12" => Self::MlDsa(65),
            b"\x60\x86\x48\x01\x65\x03\x04\x03\x13" => Self::MlDsa(87),
            _ => Self::Unknown,
        }
    }

    /// Whether its AlgorithmIdentifier has the identifier alone.
    pub(crate) const fn takes_no_parameters(self) -> bool {
        matches!(self, Self::Ed25519 | Self::MlDsa(_))
    }

    /// Whether keys of this shape are for the algorithm.
    pub(crate) fn suits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Secret => algorithm.is_symmetric(),
            Self::Rsa => algorithm.key_type() == KeyType::Rsa,
            Self::RsaPss => matches!(
                algorithm,
                Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512
            ),
            Self::Ec(curve) => curve.algorithm() == algorithm,
            Self::Ed25519 => Algorithm::Ed25519.admits(algorithm),
            Self::MlDsa(_) => Self::of_parameter_set(algorithm) == Some(self),
            Self::EcUnknown | Self::Ed448 | Self::Agreement | Self::Dsa | Self::Unknown => false,
        }
    }

    /// The shape of an ML-DSA algorithm's keys.
    pub(crate) const fn of_parameter_set(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa44 => Some(Self::MlDsa(44)),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa65 => Some(Self::MlDsa(65)),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa87 => Some(Self::MlDsa(87)),
            _ => None,
        }
    }
}

impl fmt::Display for KeyShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret => f.write_str("a shared secret"),
            Self::Rsa => f.write_str("an RSA key"),
            Self::RsaPss => f.write_str("an RSA key for RSASSA-PSS alone"),
            Self::Ec(curve) => write!(f, "an EC key on curve {}", curve.name()),
            Self::EcUnknown => f.write_str("an EC key on an unsupported curve"),
            Self::Ed25519 => f.write_str("an Ed25519 key"),
            Self::Ed448 => f.write_str("an Ed448 key"),
            Self::Agreement => f.write_str("a key for key agreement"),
            Self::Dsa => f.write_str("a DSA key"),
            Self::MlDsa(parameters) => write!(f, "an ML-DSA-{parameters} key"),
            Self::Unknown => f.write_str("of an unknown kind"),
        }
    }
}
