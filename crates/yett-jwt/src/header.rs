//! The JOSE header (RFC 7515 section 4), read before anything is proven: it may only say which
//! checks the token asks for, and each answer must be the one we would have given ourselves.
//!
//! Never used, whatever they say: `jwk`, `jku`, `x5u`, `x5c` and their kin, which offer keys or
//! places to fetch them.

use std::fmt;

use base64::Engine as _;

use crate::compact::{BASE64URL, decode_object};
use crate::json::{Document, Json};
use crate::sign::encoded_header;
use crate::{Algorithm, Part, Refusal};

/// A key id longer than this many bytes is refused.
const LONGEST_KEY_ID: usize = 256;

/// Which `typ` a token's header must show (RFC 8725 section 3.11: explicit typing).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderType {
    /// No `typ`, or `JWT` in any case (RFC 7519 section 5.1). simplejwt and PyJWT write `JWT`.
    #[default]
    Jwt,
    /// `at+jwt` in any case, with or without `application/` (RFC 9068 section 4). Absence is
    /// refused.
    AccessToken,
    /// Any string, or none: whoever holds the key may have signed something else than a token for
    /// us, and nothing tells the kinds apart. For PyJWT's call shapes, which do not look at it.
    DangerAny,
}

/// The name that a token gives to its key. A key to look up in a table and to log, nothing else:
/// never a path, an address or part of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// An id of at most 256 bytes; nothing for a longer one.
    #[must_use]
    pub fn new(id: &str) -> Option<Self> {
        (id.len() <= LONGEST_KEY_ID).then(|| Self(id.into()))
    }

    /// The id as in the header: at most 256 bytes of UTF-8, any characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    /// With control characters escaped: the text is the token's, and logs show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_debug().fmt(f)
    }
}

/// `typ` as far as the rules tell values apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TypeName {
    Absent,
    Jwt,
    AccessToken,
    Other,
}

/// A header whose every member is acceptable in itself. Whether `alg` is the key's is asked in
/// `verify.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<KeyId>,
    type_name: TypeName,
}

impl Header {
    /// Reads the encoded header.
    pub(crate) fn parse(encoded: &str) -> Result<Self, Refusal> {
        let header = decode_object(Part::Header, encoded)?;
        if header.member("crit").is_some() {
            return Err(Refusal::Critical);
        }
        if header.member("b64").is_some() {
            return Err(Refusal::Unencoded);
        }
        Ok(Self {
            algorithm: algorithm(&header)?,
            type_name: type_name(&header)?,
            key_id: key_id(&header)?,
        })
    }

    /// Refuses a token of another declared type than `wanted`.
    pub(crate) fn check_type(&self, wanted: HeaderType) -> Result<(), Refusal> {
        match (wanted, self.type_name) {
            (HeaderType::Jwt, TypeName::Absent | TypeName::Jwt)
            | (HeaderType::AccessToken, TypeName::AccessToken)
            | (HeaderType::DangerAny, _) => Ok(()),
            (HeaderType::Jwt, TypeName::AccessToken | TypeName::Other)
            | (HeaderType::AccessToken, TypeName::Absent | TypeName::Jwt | TypeName::Other) => {
                Err(Refusal::HeaderType)
            }
        }
    }
}

/// The two headers that nearly every token without `kid` has: `{"alg":…,"typ":"JWT"}` (ours, and
/// PyJWT's, which sorts names) and `{"typ":"JWT","alg":…}` (libraries that do not sort). base64url
/// is injective here, so equal text means equal JSON; a test holds that [`Header::parse`] says the
/// same. This only spares work: any other header is parsed.
#[derive(Clone, Debug)]
pub(crate) struct UsualHeaders {
    algorithm: Algorithm,
    encoded: [Box<str>; 2],
}

impl UsualHeaders {
    pub(crate) fn of(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            encoded: [
                encoded_header(algorithm, None).into(),
                BASE64URL
                    .encode(format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#))
                    .into(),
            ],
        }
    }

    pub(crate) fn recognize(&self, encoded: &str) -> Option<Header> {
        let is_usual = self.encoded.iter().any(|usual| **usual == *encoded);
        is_usual.then_some(Header {
            algorithm: self.algorithm,
            key_id: None,
            type_name: TypeName::Jwt,
        })
    }
}

fn algorithm(header: &Document) -> Result<Algorithm, Refusal> {
    let Some(Json::String(name)) = header.get("alg") else {
        return Err(Refusal::AlgorithmMissing);
    };
    if name.eq_ignore_ascii_case("none") {
        return Err(Refusal::AlgorithmNone);
    }
    Algorithm::named(&name).ok_or(Refusal::AlgorithmUnknown)
}

fn type_name(header: &Document) -> Result<TypeName, Refusal> {
    match header.get("typ") {
        None => Ok(TypeName::Absent),
        Some(Json::String(name)) if name.eq_ignore_ascii_case("JWT") => Ok(TypeName::Jwt),
        Some(Json::String(name))
            if name.eq_ignore_ascii_case("at+jwt")
                || name.eq_ignore_ascii_case("application/at+jwt") =>
        {
            Ok(TypeName::AccessToken)
        }
        Some(Json::String(_)) => Ok(TypeName::Other),
        Some(_) => Err(Refusal::HeaderType),
    }
}

fn key_id(header: &Document) -> Result<Option<KeyId>, Refusal> {
    match header.get("kid") {
        None => Ok(None),
        Some(Json::String(id)) => KeyId::new(&id).map(Some).ok_or(Refusal::KeyId),
        Some(_) => Err(Refusal::KeyId),
    }
}

#[cfg(test)]
mod tests;
