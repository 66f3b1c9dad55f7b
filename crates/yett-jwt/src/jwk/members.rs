//! The members of a JWK, each with its type, alphabet and length.

use base64::Engine as _;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::{JwkFault, Material, Primes, PrivateParameters};
use crate::compact::BASE64URL;
use crate::key::Curve;
use crate::key::KeyShape;
use crate::key::public::PublicParameters;
use crate::{Algorithm, JsonFault, KeyId, KeyType, json};

/// A JSON object that may hold secrets: its texts are wiped when it is dropped.
pub(crate) struct Members(Map<String, Value>);

/// Reads a JSON object, as strictly as a token's.
pub(crate) fn read_object(json: &[u8]) -> Result<Members, JsonFault> {
    let text = str::from_utf8(json).map_err(|_| JsonFault::NotUtf8)?;
    json::read_object(text).map(Members)
}

impl Drop for Members {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// Recursion is bounded by the depth that the JSON reader accepts.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Members {
    /// Takes out a member that is a list; its elements that are no objects become empty ones.
    pub(crate) fn take_list(&mut self, name: &str) -> Option<Vec<Self>> {
        let Some(Value::Array(values)) = self.0.get_mut(name) else {
            return None;
        };
        Some(
            std::mem::take(values)
                .into_iter()
                .map(|value| match value {
                    Value::Object(members) => Self(members),
                    mut other => {
                        wipe(&mut other);
                        Self(Map::new())
                    }
                })
                .collect(),
        )
    }

    /// A member that is a string, if it is there.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, JwkFault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JwkFault::WrongType(name)),
        }
    }

    /// A string that must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<&str, JwkFault> {
        self.text(name)?.ok_or(JwkFault::Missing(name))
    }

    /// A member that is a list of strings, if it is there.
    pub(super) fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, JwkFault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().ok_or(JwkFault::WrongType(name)))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(JwkFault::WrongType(name)),
        }
    }

    pub(crate) fn key_id(&self) -> Result<Option<KeyId>, JwkFault> {
        match self.text("kid")? {
            None => Ok(None),
            Some(id) => KeyId::new(id).map(Some).ok_or(JwkFault::WrongType("kid")),
        }
    }

    /// Bytes in base64url. In rooms of their final size: a vector that grows leaves copies behind.
    fn bytes(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, JwkFault> {
        let text = self.need(name)?;
        let mut bytes = Zeroizing::new(vec![0; text.len()]);
        let length = BASE64URL
            .decode_slice(text, &mut bytes)
            .map_err(|_| JwkFault::Encoding(name))?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Bytes of exactly this length.
    fn exactly(&self, name: &'static str, length: usize) -> Result<Zeroizing<Vec<u8>>, JwkFault> {
        let bytes = self.bytes(name)?;
        if bytes.len() == length {
            Ok(bytes)
        } else {
            Err(JwkFault::Length(name))
        }
    }

    /// A positive number in as few bytes as it needs.
    fn number(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, JwkFault> {
        let bytes = self.bytes(name)?;
        if matches!(bytes.first(), None | Some(0)) {
            return Err(JwkFault::LeadingZero(name));
        }
        Ok(bytes)
    }
}

impl Material {
    pub(super) fn read(
        members: &Members,
        key_type: KeyType,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, JwkFault> {
        match key_type {
            KeyType::Oct => members.bytes("k").map(Self::Secret),
            KeyType::Rsa => Self::read_rsa(members),
            KeyType::Ec => {
                let curve = Curve::named(members.need("crv")?).ok_or(JwkFault::UnknownCurve)?;
                let mut point = vec![4];
                point.extend_from_slice(&members.exactly("x", curve.width())?);
                point.extend_from_slice(&members.exactly("y", curve.width())?);
                let point = point.into();
                let public = PublicParameters::Ec { curve, point };
                Self::with_bytes(members, public, "d", curve.width())
            }
            KeyType::Okp => {
                if members.need("crv")? != "Ed25519" {
                    return Err(JwkFault::UnknownCurve);
                }
                let x = members.exactly("x", 32)?;
                let public = PublicParameters::Ed25519(x.as_slice().into());
                Self::with_bytes(members, public, "d", 32)
            }
            KeyType::Akp => {
                // RFC 9964: the algorithm is part of the key, and must be there.
                let algorithm = algorithm.ok_or(JwkFault::Missing("alg"))?;
                let Some(KeyShape::MlDsa(set)) = KeyShape::of_parameter_set(algorithm) else {
                    return Err(JwkFault::AlgorithmMismatch);
                };
                let length = match set {
                    44 => 1312,
                    65 => 1952,
                    _ => 2592,
                };
                let key = members.exactly("pub", length)?.as_slice().into();
                let public = PublicParameters::MlDsa { set, key };
                Self::with_bytes(members, public, "priv", 32)
            }
        }
    }

    fn with_bytes(
        members: &Members,
        public: PublicParameters,
        name: &'static str,
        length: usize,
    ) -> Result<Self, JwkFault> {
        if members.text(name)?.is_none() {
            return Ok(Self::Public(public));
        }
        let private = PrivateParameters::Bytes(members.exactly(name, length)?);
        Ok(Self::Private(public, private))
    }

    fn read_rsa(members: &Members) -> Result<Self, JwkFault> {
        if members.0.contains_key("oth") {
            return Err(JwkFault::MultiPrime);
        }
        let public = PublicParameters::Rsa {
            n: members.number("n")?.as_slice().into(),
            e: members.number("e")?.as_slice().into(),
        };
        let rest = ["p", "q", "dp", "dq", "qi"];
        let has_rest = rest.iter().any(|name| members.0.contains_key(*name));
        if !has_rest && !members.0.contains_key("d") {
            return Ok(Self::Public(public));
        }
        let d = members.number("d")?;
        // RFC 7518 section 6.3.2: with one of them, all must be there.
        let primes = if has_rest {
            Some(Primes {
                p: members.number("p")?,
                q: members.number("q")?,
                dp: members.number("dp")?,
                dq: members.number("dq")?,
                qi: members.number("qi")?,
            })
        } else {
            None
        };
        Ok(Self::Private(public, PrivateParameters::Rsa { d, primes }))
    }
}
