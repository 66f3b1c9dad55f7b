//! The signature algorithms by their JOSE names (RFC 7518 section 3.1, RFC 8037, RFC 8812, RFC
//! 9864, RFC 9964). Never `none`, and never a family: a key has one of these, and a token's header
//! must name that very one.

use std::fmt;
use std::str::FromStr;

/// A signature algorithm that Yett verifies and signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with the same hash, a salt as long as the hash (RFC 7518
    /// section 3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256, signatures of fixed width (RFC 7518 section 3.4).
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// ECDSA on secp256k1 with SHA-256 (RFC 8812 section 3.2).
    Es256k,
    /// Ed25519 under its old name `EdDSA` (RFC 8037 section 3.1), which most peers still write.
    /// Ed448, which that name could also mean, is not among ours.
    EdDsa,
    /// Ed25519 under its own name (RFC 9864 section 2.2). The same algorithm as
    /// [`Algorithm::EdDsa`].
    Ed25519,
    /// ML-DSA-44 (FIPS 204, RFC 9964).
    #[cfg(feature = "ml-dsa")]
    MlDsa44,
    /// ML-DSA-65.
    #[cfg(feature = "ml-dsa")]
    MlDsa65,
    /// ML-DSA-87.
    #[cfg(feature = "ml-dsa")]
    MlDsa87,
}

/// The `kty` of keys (RFC 7518 section 6.1, RFC 8037 section 2, RFC 9964).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// A shared secret.
    Oct,
    /// RSA.
    Rsa,
    /// An elliptic curve in short Weierstrass form.
    Ec,
    /// Edwards and Montgomery curves.
    Okp,
    /// A key that has one algorithm by construction, as the ML-DSA ones.
    Akp,
}

/// A name that is no [`Algorithm`]: unknown, in another spelling, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no known signature algorithm has this name")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// All there are in this build.
    pub const ALL: &'static [Self] = &[
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Es256k,
        Self::EdDsa,
        Self::Ed25519,
        #[cfg(feature = "ml-dsa")]
        Self::MlDsa44,
        #[cfg(feature = "ml-dsa")]
        Self::MlDsa65,
        #[cfg(feature = "ml-dsa")]
        Self::MlDsa87,
    ];

    /// The name in a token's header. Names are case-sensitive (RFC 7515 section 4.1.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Es256k => "ES256K",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa44 => "ML-DSA-44",
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa65 => "ML-DSA-65",
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// The algorithm of that exact name, if it is one of ours.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The type of its keys.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => KeyType::Oct,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                KeyType::Rsa
            }
            Self::Es256 | Self::Es384 | Self::Es512 | Self::Es256k => KeyType::Ec,
            Self::EdDsa | Self::Ed25519 => KeyType::Okp,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => KeyType::Akp,
        }
    }

    /// Whether one shared secret signs and verifies.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self.key_type(), KeyType::Oct)
    }

    /// Whether a token whose header names `header` may be checked with a key of this algorithm: if
    /// it is the same, or both are names of Ed25519.
    #[must_use]
    pub fn admits(self, header: Self) -> bool {
        self == header
            || matches!(
                (self, header),
                (Self::EdDsa, Self::Ed25519) | (Self::Ed25519, Self::EdDsa)
            )
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// By the exact JOSE name, as in [`Algorithm::name`].
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::named(name).ok_or(UnknownAlgorithm)
    }
}

impl KeyType {
    /// The value of a JWK's `kty`. Case-sensitive.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oct => "oct",
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Okp => "OKP",
            Self::Akp => "AKP",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Oct, Self::Rsa, Self::Ec, Self::Okp, Self::Akp]
            .into_iter()
            .find(|key_type| key_type.name() == name)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, KeyType, UnknownAlgorithm};

    #[test]
    fn names_are_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
    }

    #[test]
    fn other_spellings_and_none_are_no_algorithm() {
        for name in [
            "", "none", "None", "hs256", "HS256 ", "EDDSA", "ed25519", "Ed448", "ES256k", "ESP256",
            "RSA", "RS1", "HS1",
        ] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }

    #[test]
    fn algorithm_admits_itself_and_ed25519_under_both_names() {
        for key in Algorithm::ALL {
            for header in Algorithm::ALL {
                let both_ed25519 =
                    key.key_type() == KeyType::Okp && header.key_type() == KeyType::Okp;
                assert_eq!(key.admits(*header), key == header || both_ed25519);
            }
        }
    }

    #[test]
    fn only_secrets_are_symmetric() {
        for algorithm in Algorithm::ALL {
            assert_eq!(
                algorithm.is_symmetric(),
                algorithm.name().starts_with("HS"),
                "{algorithm}"
            );
        }
    }
}
