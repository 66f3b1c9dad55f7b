//! JWKs as text: the public members, and the thumbprint over the required ones.

use aws_lc_rs::digest;
use base64::Engine as _;
use serde_json::Value;

use super::Jwk;
use crate::KeyType;
use crate::compact::BASE64URL;
use crate::key::public::PublicParameters;

/// An object whose members are strings.
struct Object {
    text: String,
}

impl Object {
    fn new() -> Self {
        Self { text: "{".into() }
    }

    /// Adds a member. The name needs no escape; the value gets them.
    fn add(&mut self, name: &str, value: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self.text.push_str(&Value::from(value).to_string());
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The public parameters of a key as members, the ones RFC 7638 section 3.2 requires, without
/// `kty` and `alg`.
fn parameters(key: &PublicParameters) -> Vec<(&'static str, String)> {
    let encode = |bytes: &[u8]| BASE64URL.encode(bytes);
    match key {
        PublicParameters::Rsa { n, e } => vec![("e", encode(e)), ("n", encode(n))],
        PublicParameters::Ec { curve, point } => {
            let coordinates = point.get(1..).unwrap_or_default();
            let (x, y) = coordinates
                .split_at_checked(curve.width())
                .unwrap_or_default();
            vec![
                ("crv", curve.name().to_owned()),
                ("x", encode(x)),
                ("y", encode(y)),
            ]
        }
        PublicParameters::Ed25519(x) => vec![("crv", "Ed25519".to_owned()), ("x", encode(x))],
        PublicParameters::MlDsa { key, .. } => vec![("pub", encode(key))],
    }
}

pub(super) fn public_json(jwk: &Jwk) -> String {
    let mut object = Object::new();
    object.add("kty", jwk.key_type().name());
    if let Some(id) = jwk.key_id() {
        object.add("kid", id.as_str());
    }
    object.add("use", "sig");
    if let Some(algorithm) = jwk.algorithm() {
        object.add("alg", algorithm.name());
    }
    if let Some(key) = jwk.parameters() {
        for (name, value) in parameters(key) {
            object.add(name, &value);
        }
    }
    object.end()
}

/// The SHA-256 of the required members, names in order, no spaces (RFC 7638 section 3).
pub(crate) fn thumbprint(key: &PublicParameters) -> String {
    let key_type = match key {
        PublicParameters::Rsa { .. } => KeyType::Rsa,
        PublicParameters::Ec { .. } => KeyType::Ec,
        PublicParameters::Ed25519(_) => KeyType::Okp,
        PublicParameters::MlDsa { .. } => KeyType::Akp,
    };
    let mut members = parameters(key);
    members.push(("kty", key_type.name().to_owned()));
    if let PublicParameters::MlDsa { set, .. } = key {
        members.push(("alg", format!("ML-DSA-{set}")));
    }
    members.sort_unstable();
    let mut object = Object::new();
    for (name, value) in &members {
        object.add(name, value);
    }
    let hash = digest::digest(&digest::SHA256, object.end().as_bytes());
    BASE64URL.encode(hash)
}
