//! Keys that sign. Each holds the verifying key of its pair, made through the same checks as one
//! that came alone. Private bytes live in the crypto library, which wipes them; copies of ours on
//! the way are wiped when dropped.

use std::fmt;
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

use super::public::{PublicParameters, check_pss_parameters, suits};
use super::verifying::key_pairs_only;
use super::{Curve, KeyError, KeyShape, VerifyingKey, secret};
use crate::der::structure::{self, PrivateDer, Structure};
use crate::jwk::{JwkFault, PrivateParameters, Signing};
use crate::pem::{Block, Label};
use crate::{Algorithm, Jwk, KeyId, KeyType};

/// The size of an RSA key to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RsaSize {
    /// 2048 bits.
    #[default]
    Bits2048,
    /// 3072 bits.
    Bits3072,
    /// 4096 bits: signing takes some six times as long as with 2048.
    Bits4096,
    /// 8192 bits: making one takes many seconds.
    Bits8192,
}

/// A key that signs. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    pub(super) pair: KeyPair,
    verifying: VerifyingKey,
    /// The header of its tokens, encoded, if the key has an id; else it is the algorithm's.
    header: Option<Arc<str>>,
}

/// What the crypto library signs with.
#[derive(Clone)]
pub(super) enum KeyPair {
    Secret(hmac::Key),
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

impl SigningKey {
    /// [`SigningKey::hmac`] for HS256: at least 32 bytes.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        Self::hmac(Algorithm::Hs256, secret)
    }

    /// [`SigningKey::danger_hmac_short`] for HS256.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn danger_hs256_short(secret: &[u8]) -> Result<Self, KeyError> {
        Self::danger_hmac_short(Algorithm::Hs256, secret)
    }

    /// An HMAC key of at least as many bytes as the hash has, taken as they are (no decoding, no
    /// trimming).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn hmac(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(
            algorithm,
            secret::strong(algorithm, secret)?,
        ))
    }

    /// An HMAC key of any length but zero. A short one can be guessed from a single token, without
    /// asking the server.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn danger_hmac_short(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(
            algorithm,
            secret::any_length(algorithm, secret)?,
        ))
    }

    /// The private key of a PEM text with one block: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE
    /// KEY`) or SEC 1 (`EC PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, KeyError> {
        key_pairs_only(algorithm)?;
        let block = Block::read(pem)?;
        let structure = match block.label {
            Label::PrivateKey => Structure::Pkcs8,
            Label::RsaPrivateKey => Structure::Pkcs1Private,
            Label::EcPrivateKey => Structure::Sec1,
            Label::PublicKey | Label::RsaPublicKey | Label::Certificate => {
                return Err(KeyError::Public);
            }
        };
        Self::from_structure(algorithm, structure, &block.der)
    }

    /// As [`SigningKey::from_pem`], from the bytes within the armour.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        key_pairs_only(algorithm)?;
        let structure = Structure::recognize(der).ok_or(KeyError::Der)?;
        Self::from_structure(algorithm, structure, der)
    }

    fn from_structure(
        algorithm: Algorithm,
        structure: Structure,
        der: &[u8],
    ) -> Result<Self, KeyError> {
        let private = match structure {
            Structure::Pkcs8 => structure::pkcs8(der).map_err(|_| KeyError::Der)?,
            Structure::Pkcs1Private => PrivateDer::Rsa { key: der },
            Structure::Sec1 => structure::sec1(der).map_err(|_| KeyError::Der)?,
            Structure::Pkcs8Encrypted => return Err(KeyError::Encrypted),
            Structure::SubjectPublicKeyInfo | Structure::Pkcs1Public | Structure::Certificate => {
                return Err(KeyError::Public);
            }
        };
        let pair = match private {
            PrivateDer::Rsa { key } => {
                suits(KeyShape::Rsa, algorithm)?;
                KeyPair::rsa(algorithm, rsa_from_der(key)?)?
            }
            PrivateDer::RsaPss { key, parameters } => {
                suits(KeyShape::RsaPss, algorithm)?;
                check_pss_parameters(algorithm, parameters)?;
                KeyPair::rsa(algorithm, rsa_from_der(key)?)?
            }
            PrivateDer::Ec { key, curve } => KeyPair::ec(algorithm, key, curve)?,
            PrivateDer::Pkcs8 { shape, whole } => {
                suits(shape, algorithm)?;
                KeyPair::pkcs8(algorithm, whole)?
            }
        };
        Self::from_pair(algorithm, pair)
    }

    /// The key of a private JWK or of one with a shared secret (`oct`), with its `kid`. Its `alg`,
    /// if it has one, must be the algorithm; its `use` and `key_ops`, if any, must allow signing.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_jwk(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = match jwk.for_signing(algorithm)? {
            Signing::Secret(secret) => Self::hmac(algorithm, secret)?,
            Signing::Private(public, private) => {
                // First the public half by itself: its faults have the more precise names.
                VerifyingKey::from_parameters(algorithm, public.clone())?;
                Self::from_pair(algorithm, KeyPair::parameters(algorithm, public, private)?)?
            }
        };
        Ok(match jwk.key_id() {
            Some(id) => key.with_key_id(id.clone()),
            None => key,
        })
    }

    /// A new random key. RSA keys get 2048 bits; [`SigningKey::generate_rsa`] makes larger ones. Of
    /// an HMAC key no copy can be had: it dies with the program.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Failed;
        let pair = match algorithm.key_type() {
            KeyType::Oct => {
                return Ok(Self::from_secret(algorithm, secret::random(algorithm)?));
            }
            KeyType::Rsa => return Self::generate_rsa(algorithm, RsaSize::default()),
            KeyType::Ec => KeyPair::Ec(Arc::new(
                EcdsaKeyPair::generate(ec_signing(algorithm)?).map_err(failed)?,
            )),
            KeyType::Okp => KeyPair::Ed25519(Arc::new(Ed25519KeyPair::generate().map_err(failed)?)),
            #[cfg(feature = "ml-dsa")]
            KeyType::Akp => KeyPair::MlDsa(Arc::new(
                PqdsaKeyPair::generate(ml_dsa_signing(algorithm)).map_err(failed)?,
            )),
            #[cfg(not(feature = "ml-dsa"))]
            KeyType::Akp => return Err(KeyError::Failed),
        };
        Self::from_pair(algorithm, pair)
    }

    /// A new random RSA key of that size, with the exponent 65537.
    ///
    /// # Errors
    /// [`KeyError::OtherAlgorithm`] for an algorithm of another kind; [`KeyError::Failed`].
    pub fn generate_rsa(algorithm: Algorithm, size: RsaSize) -> Result<Self, KeyError> {
        suits(KeyShape::Rsa, algorithm)?;
        let size = match size {
            RsaSize::Bits2048 => KeySize::Rsa2048,
            RsaSize::Bits3072 => KeySize::Rsa3072,
            RsaSize::Bits4096 => KeySize::Rsa4096,
            RsaSize::Bits8192 => KeySize::Rsa8192,
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Failed)?;
        Self::from_pair(algorithm, KeyPair::rsa(algorithm, pair)?)
    }

    /// Gives the key an id, which the headers of its tokens then name.
    #[must_use]
    pub fn with_key_id(mut self, id: KeyId) -> Self {
        self.header = Some(crate::sign::encoded_header(self.algorithm(), &id).into());
        self.verifying = self.verifying.with_key_id(id);
        self
    }

    /// Its id, if it has one.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.verifying.key_id()
    }

    /// The one algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The key that verifies what this one signs, with the same id.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// The header of its tokens, encoded.
    pub(crate) fn encoded_header(&self) -> &str {
        match &self.header {
            Some(header) => header,
            None => self.algorithm().encoded_header(),
        }
    }

    /// The length in bytes of the signatures it makes.
    pub(crate) fn signature_length(&self) -> usize {
        self.verifying.signature_length()
    }

    /// Signs any bytes.
    pub(crate) fn signature(&self, message: &[u8]) -> Result<Signature, SigningFailed> {
        let failed = |_| SigningFailed;
        match &self.pair {
            KeyPair::Secret(key) => Ok(Signature::Tag(hmac::sign(key, message))),
            KeyPair::Rsa(key, encoding) => {
                let mut bytes = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &SystemRandom::new(), message, &mut bytes)
                    .map_err(failed)?;
                Ok(Signature::Bytes(bytes))
            }
            KeyPair::Ec(key) => key
                .sign(&SystemRandom::new(), message)
                .map(|signature| Signature::Bytes(signature.as_ref().to_vec()))
                .map_err(failed),
            KeyPair::Ed25519(key) => key
                .try_sign(message)
                .map(|signature| Signature::Bytes(signature.as_ref().to_vec()))
                .map_err(failed),
            #[cfg(feature = "ml-dsa")]
            KeyPair::MlDsa(key) => {
                let mut bytes = vec![0; key.algorithm().signature_len()];
                key.sign(message, &mut bytes).map_err(failed)?;
                Ok(Signature::Bytes(bytes))
            }
        }
    }

    fn from_secret(algorithm: Algorithm, secret: hmac::Key) -> Self {
        Self {
            pair: KeyPair::Secret(secret.clone()),
            verifying: VerifyingKey::from_secret(algorithm, secret),
            header: None,
        }
    }

    fn from_pair(algorithm: Algorithm, pair: KeyPair) -> Result<Self, KeyError> {
        let der = match &pair {
            KeyPair::Secret(_) => return Err(KeyError::NotForKeyPairs(algorithm)),
            KeyPair::Rsa(key, _) => key.public_key().as_der(),
            KeyPair::Ec(key) => key.public_key().as_der(),
            KeyPair::Ed25519(key) => key.public_key().as_der(),
            #[cfg(feature = "ml-dsa")]
            KeyPair::MlDsa(key) => key.public_key().as_der(),
        };
        let der = der.map_err(|_| KeyError::Failed)?;
        let verifying = VerifyingKey::from_own_der(algorithm, der.as_ref())?;
        Ok(Self {
            pair,
            verifying,
            header: None,
        })
    }
}

impl KeyPair {
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
    fn parameters(
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
    super::public::check_rsa_size(n)?;
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

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}", self.algorithm())?;
        if let Some(id) = self.key_id() {
            write!(f, ", kid {id}")?;
        }
        f.write_str(", [secret])")
    }
}
