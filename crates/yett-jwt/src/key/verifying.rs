//! Keys that verify. Made by whoever configures the program, never from anything a token says.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::public::{PublicKey, PublicParameters};
use super::{KeyError, secret};
use crate::der::structure::{self, Structure};
use crate::pem::{self, Block, Label};
use crate::{Algorithm, Jwk, KeyId, Refusal};

/// A key that verifies. Cheap to clone; parsed once, when it is made.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    key_id: Option<KeyId>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Secret(Arc<hmac::Key>),
    Public(Arc<PublicKey>),
}

impl VerifyingKey {
    /// An HMAC key of at least as many bytes as the hash has, taken as they are (no decoding, no
    /// trimming).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn hmac(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(
            algorithm,
            Arc::new(secret::strong(algorithm, secret)?),
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
            Arc::new(secret::any_length(algorithm, secret)?),
        ))
    }

    /// The public key of a PEM text with one block: a SubjectPublicKeyInfo (`PUBLIC KEY`), a
    /// PKCS#1 key (`RSA PUBLIC KEY`) or an X.509 certificate (`CERTIFICATE`). Of a certificate the
    /// public key alone is taken: its signature, dates, names and uses are not judged.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, KeyError> {
        key_pairs_only(algorithm)?;
        let block = Block::read(pem)?;
        let structure = match block.label {
            Label::PublicKey => Structure::SubjectPublicKeyInfo,
            Label::RsaPublicKey => Structure::Pkcs1Public,
            Label::Certificate => Structure::Certificate,
            Label::PrivateKey | Label::RsaPrivateKey | Label::EcPrivateKey => {
                return Err(KeyError::Private);
            }
        };
        Self::from_structure(algorithm, structure, &block.der)
    }

    /// As [`VerifyingKey::from_pem`], from the bytes within the armour.
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
        let public = match structure {
            Structure::SubjectPublicKeyInfo => structure::subject_public_key(der),
            Structure::Certificate => structure::certificate_public_key(der),
            Structure::Pkcs1Public => {
                structure::rsa_public_key(der).map(|(n, e)| structure::PublicDer::Rsa { n, e })
            }
            Structure::Pkcs8
            | Structure::Pkcs8Encrypted
            | Structure::Pkcs1Private
            | Structure::Sec1 => return Err(KeyError::Private),
        };
        let public = public.map_err(|_| KeyError::Der)?;
        Self::from_parameters(algorithm, PublicParameters::from_der(algorithm, public)?)
    }

    /// The key of a JWK, or the public half of a private one, with its `kid`. Its `alg`, if it
    /// has one, must be the algorithm (RFC 8725 section 3.1); its `use` and `key_ops`, if any, must
    /// allow verifying.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_jwk(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        let mut key = match jwk.for_verifying(algorithm)? {
            crate::jwk::Verifying::Secret(secret) => Self::hmac(algorithm, secret)?,
            crate::jwk::Verifying::Public(parameters) => {
                Self::from_parameters(algorithm, parameters.clone())?
            }
        };
        key.key_id = jwk.key_id().cloned();
        Ok(key)
    }

    /// Gives the key an id, by which a token's `kid` names it.
    #[must_use]
    pub fn with_key_id(mut self, id: KeyId) -> Self {
        self.key_id = Some(id);
        self
    }

    /// Its id, if it has one.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// The one algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as a public JWK, with `alg`, `use` and its `kid`; none for HMAC.
    #[must_use]
    pub fn to_jwk(&self) -> Option<Jwk> {
        self.public().map(|public| {
            Jwk::public(
                public.parameters.clone(),
                self.algorithm,
                self.key_id.clone(),
            )
        })
    }

    /// The key as a SubjectPublicKeyInfo in PEM; none for HMAC.
    #[must_use]
    pub fn to_pem(&self) -> Option<String> {
        let der = self.public()?.to_der()?;
        Some(pem::encode(Label::PublicKey, der.as_ref()).to_string())
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638); none for HMAC, whose thumbprint would tell
    /// of the secret.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        self.public()
            .map(|public| crate::jwk::thumbprint(&public.parameters))
    }

    /// Whether the signature is this key's over the message. One of another length is a wrong one.
    pub(crate) fn check_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        match &self.material {
            // Compares in constant time.
            Material::Secret(key) => {
                hmac::verify(key, message, signature).map_err(|_| Refusal::Signature)
            }
            Material::Public(key) if signature.len() == key.signature_length => key
                .parsed
                .verify_sig(message, signature)
                .map_err(|_| Refusal::Signature),
            Material::Public(_) => Err(Refusal::Signature),
        }
    }

    pub(crate) fn from_parameters(
        algorithm: Algorithm,
        parameters: PublicParameters,
    ) -> Result<Self, KeyError> {
        let public = PublicKey::new(algorithm, parameters)?;
        Ok(Self {
            algorithm,
            key_id: None,
            material: Material::Public(Arc::new(public)),
        })
    }

    /// From the SubjectPublicKeyInfo that the crypto library writes of a private key.
    pub(super) fn from_own_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_structure(algorithm, Structure::SubjectPublicKeyInfo, der)
    }

    pub(super) const fn from_secret(algorithm: Algorithm, secret: Arc<hmac::Key>) -> Self {
        Self {
            algorithm,
            key_id: None,
            material: Material::Secret(secret),
        }
    }

    pub(crate) fn public(&self) -> Option<&PublicKey> {
        match &self.material {
            Material::Public(key) => Some(key),
            Material::Secret(_) => None,
        }
    }

    /// Bytes of each of its signatures.
    pub(crate) fn signature_length(&self) -> usize {
        match &self.material {
            Material::Secret(key) => key.algorithm().tag_len(),
            Material::Public(key) => key.signature_length,
        }
    }
}

/// Shared secrets have no key files.
pub(super) const fn key_pairs_only(algorithm: Algorithm) -> Result<(), KeyError> {
    if algorithm.is_symmetric() {
        Err(KeyError::NotForKeyPairs(algorithm))
    } else {
        Ok(())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}", self.algorithm)?;
        if let Some(id) = &self.key_id {
            write!(f, ", kid {id}")?;
        }
        f.write_str(match self.material {
            Material::Secret(_) => ", [secret])",
            Material::Public(_) => ")",
        })
    }
}
