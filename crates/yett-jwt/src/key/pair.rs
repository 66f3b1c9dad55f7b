//! The private half of a key pair, as the crypto library holds it. What comes in is checked for
//! shape before the library sees it, and for consistency by the library.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents,
};
#[cfg(feature = "ml-dsa")]
use aws_lc_rs::signature::{PqdsaKeyPair, PqdsaSigningAlgorithm};

use super::public::{PublicParameters, check_pss_parameters, check_rsa_size, suits};
use super::{Curve, JwkFault, KeyError, KeyShape, RsaSize};
use crate::der::structure::{self, PrivateDer};
use crate::jwk::PrivateParameters;
use crate::{Algorithm, KeyType};

/// What the crypto library signs with.
#[derive(Clone)]
pub(super) enum KeyPair {
    Secret(Arc<hmac::Key>),
    Rsa(Arc<RsaKeyPair>, &'static dyn RsaEncoding),
    Ec(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
    #[cfg(feature = "ml-dsa")]
    MlDsa(Arc<PqdsaKeyPair>),
}

/// A signature as bytes.
pub(crate) enum Signature {
    Tag(hmac::Tag),
    Bytes(Vec<u8>),
}

/// The crypto library could not sign: out of memory, or no randomness. Not the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SigningFailed;

impl KeyPair {
    /// A new random pair; not for RSA, whose size must be said, nor for secrets.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Failed;
        match algorithm.key_type() {
            KeyType::Okp => Ed25519KeyPair::generate()
                .map(|pair| Self::Ed25519(Arc::new(pair)))
                .map_err(failed),
            #[cfg(feature = "ml-dsa")]
            KeyType::Akp => PqdsaKeyPair::generate(ml_dsa_signing(algorithm))
                .map(|pair| Self::MlDsa(Arc::new(pair)))
                .map_err(failed),
            _ => EcdsaKeyPair::generate(ec_signing(algorithm)?)
                .map(|pair| Self::Ec(Arc::new(pair)))
                .map_err(failed),
        }
    }

    pub(super) fn generate_rsa(algorithm: Algorithm, size: RsaSize) -> Result<Self, KeyError> {
        let size = match size {
            RsaSize::Bits2048 => KeySize::Rsa2048,
            RsaSize::Bits3072 => KeySize::Rsa3072,
            RsaSize::Bits4096 => KeySize::Rsa4096,
            RsaSize::Bits8192 => KeySize::Rsa8192,
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Failed)?;
        Self::rsa(algorithm, pair)
    }

    /// From what a structure held, if it is for the algorithm.
    pub(super) fn from_der(algorithm: Algorithm, der: PrivateDer<'_>) -> Result<Self, KeyError> {
        match der {
            PrivateDer::Rsa { key } => {
                suits(KeyShape::Rsa, algorithm)?;
                Self::rsa(algorithm, rsa_from_der(key)?)
            }
            PrivateDer::RsaPss { key, parameters } => {
                suits(KeyShape::RsaPss, algorithm)?;
                check_pss_parameters(algorithm, parameters)?;
                Self::rsa(algorithm, rsa_from_der(key)?)
            }
            PrivateDer::Ec { key, curve } => Self::ec(algorithm, key, curve),
            PrivateDer::Pkcs8 { shape, whole } => {
                suits(shape, algorithm)?;
                Self::pkcs8(algorithm, whole)
            }
        }
    }

    /// The public half as a SubjectPublicKeyInfo.
    pub(super) fn public_der(&self) -> Result<Vec<u8>, KeyError> {
        let der = match self {
            Self::Secret(_) => return Err(KeyError::NoPublicForm),
            Self::Rsa(key, _) => key.public_key().as_der(),
            Self::Ec(key) => key.public_key().as_der(),
            Self::Ed25519(key) => key.public_key().as_der(),
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa(key) => key.public_key().as_der(),
        };
        der.map(|der| der.as_ref().to_vec())
            .map_err(|_| KeyError::Failed)
    }

    /// Signs any bytes.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, SigningFailed> {
        let failed = |_| SigningFailed;
        match self {
            Self::Secret(key) => Ok(Signature::Tag(hmac::sign(key, message))),
            Self::Rsa(key, encoding) => {
                let mut bytes = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &SystemRandom::new(), message, &mut bytes)
                    .map_err(failed)?;
                Ok(Signature::Bytes(bytes))
            }
            Self::Ec(key) => key
                .sign(&SystemRandom::new(), message)
                .map(|signature| Signature::Bytes(signature.as_ref().to_vec()))
                .map_err(failed),
            Self::Ed25519(key) => key
                .try_sign(message)
                .map(|signature| Signature::Bytes(signature.as_ref().to_vec()))
                .map_err(failed),
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa(key) => {
                let mut bytes = vec![0; key.algorithm().signature_len()];
                key.sign(message, &mut bytes).map_err(failed)?;
                Ok(Signature::Bytes(bytes))
            }
        }
    }

    fn rsa(algorithm: Algorithm, pair: RsaKeyPair) -> Result<Self, KeyError> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
            Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
            Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
            Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
            _ => {
                return Err(KeyError::OtherAlgorithm {
                    found: KeyShape::Rsa,
                    algorithm,
                });
            }
        };
        Ok(Self::Rsa(Arc::new(pair), encoding))
    }

    /// From an ECPrivateKey. One without a curve of its own can only be of the algorithm's.
    fn ec(algorithm: Algorithm, key: &[u8], curve: Option<Curve>) -> Result<Self, KeyError> {
        suits(curve.map_or(KeyShape::EcUnknown, KeyShape::Ec), algorithm).or_else(|error| {
            match curve {
                None if algorithm.key_type() == KeyType::Ec => Ok(()),
                _ => Err(error),
            }
        })?;
        EcdsaKeyPair::from_private_key_der(ec_signing(algorithm)?, key)
            .map(|pair| Self::Ec(Arc::new(pair)))
            .map_err(|_| KeyError::Invalid)
    }

    /// From a PKCS#8 structure whose shape was checked.
    fn pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm.key_type() {
            KeyType::Okp => Ed25519KeyPair::from_pkcs8(der)
                .map(|pair| Self::Ed25519(Arc::new(pair)))
                .map_err(|_| KeyError::Invalid),
            #[cfg(feature = "ml-dsa")]
            KeyType::Akp => PqdsaKeyPair::from_pkcs8(ml_dsa_signing(algorithm), der)
                .map(|pair| Self::MlDsa(Arc::new(pair)))
                .map_err(|_| KeyError::Invalid),
            _ => Err(KeyError::Der),
        }
    }

    /// From a JWK's parameters. The library checks that the private ones fit the public ones.
    pub(super) fn parameters(
        algorithm: Algorithm,
        public: &PublicParameters,
        private: &PrivateParameters,
    ) -> Result<Self, KeyError> {
        let invalid = |_| KeyError::Invalid;
        match (public, private) {
            (PublicParameters::Rsa { n, e }, PrivateParameters::Rsa { d, primes }) => {
                let primes = primes.as_ref().ok_or(KeyError::Jwk(JwkFault::NoPrimes))?;
                let pair = RsaKeyPair::from_components(&KeyPairComponents {
                    public_key: RsaPublicKeyComponents { n: &**n, e: &**e },
                    d: d.as_slice(),
                    p: primes.p.as_slice(),
                    q: primes.q.as_slice(),
                    dP: primes.dp.as_slice(),
                    dQ: primes.dq.as_slice(),
                    qInv: primes.qi.as_slice(),
                })
                .map_err(invalid)?;
                Self::rsa(algorithm, pair)
            }
            (PublicParameters::Ec { point, .. }, PrivateParameters::Bytes(d)) => {
                EcdsaKeyPair::from_private_key_and_public_key(ec_signing(algorithm)?, d, point)
                    .map(|pair| Self::Ec(Arc::new(pair)))
                    .map_err(invalid)
            }
            (PublicParameters::Ed25519(x), PrivateParameters::Bytes(seed)) => {
                Ed25519KeyPair::from_seed_and_public_key(seed, x)
                    .map(|pair| Self::Ed25519(Arc::new(pair)))
                    .map_err(invalid)
            }
            #[cfg(feature = "ml-dsa")]
            (PublicParameters::MlDsa { key, .. }, PrivateParameters::Bytes(seed)) => {
                let pair =
                    PqdsaKeyPair::from_seed(ml_dsa_signing(algorithm), seed).map_err(invalid)?;
                if pair.public_key().as_ref() != &**key {
                    return Err(KeyError::Invalid);
                }
                Ok(Self::MlDsa(Arc::new(pair)))
            }
            _ => Err(KeyError::Invalid),
        }
    }
}

fn rsa_from_der(key: &[u8]) -> Result<RsaKeyPair, KeyError> {
    let numbers = structure::rsa_private_key(key).map_err(|_| KeyError::Der)?;
    let [_, n, ..] = numbers;
    check_rsa_size(n)?;
    RsaKeyPair::from_der(key).map_err(|_| KeyError::Invalid)
}

fn ec_signing(algorithm: Algorithm) -> Result<&'static signature::EcdsaSigningAlgorithm, KeyError> {
    match algorithm {
        Algorithm::Es256 => Ok(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Ok(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => Ok(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::Es256k => Ok(&signature::ECDSA_P256K1_SHA256_FIXED_SIGNING),
        _ => Err(KeyError::OtherAlgorithm {
            found: KeyShape::EcUnknown,
            algorithm,
        }),
    }
}

#[cfg(feature = "ml-dsa")]
const fn ml_dsa_signing(algorithm: Algorithm) -> &'static PqdsaSigningAlgorithm {
    match algorithm {
        Algorithm::MlDsa44 => &signature::ML_DSA_44_SIGNING,
        Algorithm::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        _ => &signature::ML_DSA_87_SIGNING,
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Tag(tag) => tag.as_ref(),
            Self::Bytes(bytes) => bytes,
        }
    }
}
