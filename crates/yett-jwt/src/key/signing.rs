//! Keys that sign. Each holds the verifying key of its pair, made through the same checks as one
//! that came alone. Private bytes live in the crypto library, which wipes them; copies of ours on
//! the way are wiped when dropped.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::pair::{KeyPair, Signature, SigningFailed};
use super::public::suits;
use super::verifying::key_pairs_only;
use super::{KeyError, KeyShape, VerifyingKey, secret};
use crate::der::structure::{self, PrivateDer, Structure};
use crate::jwk::Signing;
use crate::pem::{Block, Label};
use crate::sign::encoded_header;
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
    /// The header of its tokens, encoded.
    header: Arc<str>,
}

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
        Self::from_pair(algorithm, KeyPair::from_der(algorithm, private)?)
    }

    /// The key of a private JWK or of one with a shared secret (`oct`), with its `kid`. Its `alg`,
    /// if it has one, must be the algorithm; its `use` and `key_ops`, if any, must allow signing.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_jwk(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::from_jwk_by(jwk, algorithm, Self::hmac)
    }

    /// [`SigningKey::from_jwk`] that takes a shared secret of any length but zero, as
    /// [`SigningKey::danger_hmac_short`] does. Other keys are held to all their rules.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn danger_from_jwk_short(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::from_jwk_by(jwk, algorithm, Self::danger_hmac_short)
    }

    /// From a JWK, with `of_secret` for a shared secret.
    fn from_jwk_by(
        jwk: &Jwk,
        algorithm: Algorithm,
        of_secret: fn(Algorithm, &[u8]) -> Result<Self, KeyError>,
    ) -> Result<Self, KeyError> {
        let key = match jwk.for_signing(algorithm)? {
            Signing::Secret(secret) => of_secret(algorithm, secret)?,
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
        match algorithm.key_type() {
            KeyType::Oct => Ok(Self::from_secret(algorithm, secret::random(algorithm)?)),
            KeyType::Rsa => Self::generate_rsa(algorithm, RsaSize::default()),
            KeyType::Ec | KeyType::Okp | KeyType::Akp => {
                Self::from_pair(algorithm, KeyPair::generate(algorithm)?)
            }
        }
    }

    /// A new random RSA key of that size, with the exponent 65537.
    ///
    /// # Errors
    /// [`KeyError::OtherAlgorithm`] for an algorithm of another kind; [`KeyError::Failed`].
    pub fn generate_rsa(algorithm: Algorithm, size: RsaSize) -> Result<Self, KeyError> {
        suits(KeyShape::Rsa, algorithm)?;
        Self::from_pair(algorithm, KeyPair::generate_rsa(algorithm, size)?)
    }

    /// Gives the key an id, which the headers of its tokens then name.
    #[must_use]
    pub fn with_key_id(mut self, id: KeyId) -> Self {
        self.header = encoded_header(self.algorithm(), Some(&id)).into();
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
        &self.header
    }

    /// The length in bytes of the signatures it makes.
    pub(crate) fn signature_length(&self) -> usize {
        self.verifying.signature_length()
    }

    /// Signs any bytes.
    pub(crate) fn signature(&self, message: &[u8]) -> Result<Signature, SigningFailed> {
        self.pair.sign(message)
    }

    fn from_secret(algorithm: Algorithm, secret: hmac::Key) -> Self {
        let secret = Arc::new(secret);
        Self {
            pair: KeyPair::Secret(Arc::clone(&secret)),
            verifying: VerifyingKey::from_secret(algorithm, secret),
            header: encoded_header(algorithm, None).into(),
        }
    }

    fn from_pair(algorithm: Algorithm, pair: KeyPair) -> Result<Self, KeyError> {
        let verifying = VerifyingKey::from_own_der(algorithm, &pair.public_der()?)?;
        Ok(Self {
            pair,
            verifying,
            header: encoded_header(algorithm, None).into(),
        })
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
