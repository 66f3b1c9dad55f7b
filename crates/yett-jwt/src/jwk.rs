//! One JSON Web Key (RFC 7517), of the types of RFC 7518 section 6, RFC 8037, RFC 8812 and RFC
//! 9964. Read strictly: every member that we use has its exact type, alphabet and length. What
//! points elsewhere (`x5u`, `x5c`, `x5t`) is ignored: a key here is its numbers.
//!
//! Holding a [`Jwk`] proves nothing about its numbers; that comes when it is made a key.

mod members;
mod write;

use std::fmt;

use zeroize::Zeroizing;

use crate::key::public::{PublicParameters, suits};
use crate::key::{KeyError, KeyShape};
use crate::{Algorithm, KeyId, KeyType};

use crate::key::JwkFault;
pub(crate) use members::{Members, read_object};
pub(crate) use write::thumbprint;

/// A JWK may have this many bytes as JSON.
pub const LONGEST_JWK: usize = 64 * 1024;

/// One parsed JWK. Its private members are wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct Jwk {
    material: Material,
    algorithm: Option<Algorithm>,
    key_id: Option<KeyId>,
    operations: Operations,
}

#[derive(Clone)]
enum Material {
    Secret(Zeroizing<Vec<u8>>),
    Public(PublicParameters),
    Private(PublicParameters, PrivateParameters),
}

/// The private half of a JWK.
#[derive(Clone)]
pub(crate) enum PrivateParameters {
    Rsa {
        d: Zeroizing<Vec<u8>>,
        primes: Option<Primes>,
    },
    /// A scalar or seed, of its curve's or algorithm's length.
    Bytes(Zeroizing<Vec<u8>>),
}

/// The rest of a private RSA key (RFC 7518 sections 6.3.2.2 to 6.3.2.6).
#[derive(Clone)]
pub(crate) struct Primes {
    pub(crate) p: Zeroizing<Vec<u8>>,
    pub(crate) q: Zeroizing<Vec<u8>>,
    pub(crate) dp: Zeroizing<Vec<u8>>,
    pub(crate) dq: Zeroizing<Vec<u8>>,
    pub(crate) qi: Zeroizing<Vec<u8>>,
}

/// What `key_ops` allows, of what matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operations {
    sign: bool,
    verify: bool,
}

/// What a verifying key is made of.
pub(crate) enum Verifying<'j> {
    Secret(&'j [u8]),
    Public(&'j PublicParameters),
}

/// What a signing key is made of.
pub(crate) enum Signing<'j> {
    Secret(&'j [u8]),
    Private(&'j PublicParameters, &'j PrivateParameters),
}

impl Jwk {
    /// Reads a JWK of at most [`LONGEST_JWK`] bytes of JSON, and nothing after it.
    ///
    /// # Errors
    /// [`KeyError::Jwk`] with the first fault found.
    pub fn from_json(json: &[u8]) -> Result<Self, KeyError> {
        if json.len() > LONGEST_JWK {
            return Err(KeyError::Jwk(JwkFault::TooLong {
                longest: LONGEST_JWK,
            }));
        }
        read_object(json)
            .map_err(JwkFault::Json)
            .and_then(|members| Self::from_members(&members))
            .map_err(KeyError::Jwk)
    }

    pub(crate) fn from_members(members: &Members) -> Result<Self, JwkFault> {
        let key_id = members.key_id()?;
        if members.text("use")?.is_some_and(|purpose| purpose != "sig") {
            return Err(JwkFault::OtherUse);
        }
        let operations = Operations::read(members)?;
        let key_type = KeyType::named(members.need("kty")?).ok_or(JwkFault::UnknownKeyType)?;
        let algorithm = match members.text("alg")? {
            None => None,
            Some(name) => Some(Algorithm::named(name).ok_or(JwkFault::UnknownAlgorithm)?),
        };
        let material = Material::read(members, key_type, algorithm)?;
        if algorithm.is_some_and(|algorithm| !material.shape().suits(algorithm)) {
            return Err(JwkFault::AlgorithmMismatch);
        }
        Ok(Self {
            material,
            algorithm,
            key_id,
            operations,
        })
    }

    pub(crate) const fn public(
        parameters: PublicParameters,
        algorithm: Algorithm,
        key_id: Option<KeyId>,
    ) -> Self {
        Self {
            material: Material::Public(parameters),
            algorithm: Some(algorithm),
            key_id,
            operations: Operations::ANY,
        }
    }

    /// Its `kty`.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match &self.material {
            Material::Secret(_) => KeyType::Oct,
            Material::Public(parameters) | Material::Private(parameters, _) => match parameters {
                PublicParameters::Rsa { .. } => KeyType::Rsa,
                PublicParameters::Ec { .. } => KeyType::Ec,
                PublicParameters::Ed25519(_) => KeyType::Okp,
                PublicParameters::MlDsa { .. } => KeyType::Akp,
            },
        }
    }

    /// Its `alg`, if it has one.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Its `kid`, if it has one.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// Its `alg`, or the only one that its type and curve allow: none for RSA keys and secrets that
    /// name none. Ed25519 keys that name none get [`Algorithm::EdDsa`], which admits both names.
    #[must_use]
    pub fn natural_algorithm(&self) -> Option<Algorithm> {
        self.algorithm.or_else(|| match self.shape() {
            KeyShape::Ec(curve) => Some(curve.algorithm()),
            KeyShape::Ed25519 => Some(Algorithm::EdDsa),
            _ => None,
        })
    }

    /// Whether it holds what must not be shown: a private key or a shared secret.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        !matches!(self.material, Material::Public(_))
    }

    /// The SHA-256 thumbprint of its public members in base64url (RFC 7638; RFC 8037 section 2 and
    /// RFC 9964 for their types).
    ///
    /// # Errors
    /// [`KeyError::NoPublicForm`] for a shared secret: its thumbprint would help to guess it.
    pub fn thumbprint(&self) -> Result<String, KeyError> {
        match &self.material {
            Material::Secret(_) => Err(KeyError::NoPublicForm),
            Material::Public(parameters) | Material::Private(parameters, _) => {
                Ok(thumbprint(parameters))
            }
        }
    }

    /// The public members as JSON, in this order: `kty`, `kid`, `use`, `alg` and the parameters.
    /// Members that mean nothing to us are not kept. A shared secret has no public parameters.
    #[must_use]
    pub fn to_json(&self) -> String {
        write::public_json(self)
    }

    pub(crate) const fn shape(&self) -> KeyShape {
        self.material.shape()
    }

    const fn parameters(&self) -> Option<&PublicParameters> {
        match &self.material {
            Material::Secret(_) => None,
            Material::Public(parameters) | Material::Private(parameters, _) => Some(parameters),
        }
    }

    /// What a key that verifies with the algorithm is made of, if this may be one.
    pub(crate) fn for_verifying(&self, algorithm: Algorithm) -> Result<Verifying<'_>, KeyError> {
        self.check(algorithm)?;
        if !self.operations.verify {
            return Err(KeyError::Jwk(JwkFault::OtherOperations));
        }
        Ok(match &self.material {
            Material::Secret(secret) => Verifying::Secret(secret),
            Material::Public(parameters) | Material::Private(parameters, _) => {
                Verifying::Public(parameters)
            }
        })
    }

    /// What a key that signs with the algorithm is made of, if this may be one.
    pub(crate) fn for_signing(&self, algorithm: Algorithm) -> Result<Signing<'_>, KeyError> {
        self.check(algorithm)?;
        match &self.material {
            Material::Public(_) => Err(KeyError::Public),
            _ if !self.operations.sign => Err(KeyError::Jwk(JwkFault::OtherOperations)),
            Material::Secret(secret) => Ok(Signing::Secret(secret)),
            Material::Private(public, private) => Ok(Signing::Private(public, private)),
        }
    }

    fn check(&self, wanted: Algorithm) -> Result<(), KeyError> {
        suits(self.shape(), wanted)?;
        match self.algorithm {
            Some(named) if !named.admits(wanted) => {
                Err(KeyError::OtherNamedAlgorithm { named, wanted })
            }
            _ => Ok(()),
        }
    }
}

impl Operations {
    const ANY: Self = Self {
        sign: true,
        verify: true,
    };

    fn read(members: &Members) -> Result<Self, JwkFault> {
        let Some(names) = members.texts("key_ops")? else {
            return Ok(Self::ANY);
        };
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != names.len() {
            return Err(JwkFault::DuplicateOperation);
        }
        Ok(Self {
            sign: names.contains(&"sign"),
            verify: names.contains(&"verify"),
        })
    }
}

impl Material {
    const fn shape(&self) -> KeyShape {
        match self {
            Self::Secret(_) => KeyShape::Secret,
            Self::Public(parameters) | Self::Private(parameters, _) => parameters.shape(),
        }
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk({}", self.key_type())?;
        if let Some(algorithm) = self.algorithm {
            write!(f, ", {algorithm}")?;
        }
        if let Some(id) = &self.key_id {
            write!(f, ", kid {id}")?;
        }
        f.write_str(if self.is_private() {
            ", [secret])"
        } else {
            ")"
        })
    }
}

#[cfg(test)]
mod tests;
