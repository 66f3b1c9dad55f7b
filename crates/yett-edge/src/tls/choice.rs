//! Which certificate a client gets, by the name that it asks for (SNI, RFC 6066 section 3).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::Certificate;
use super::settings::UnknownName;

/// Certificates in the order in which they are tried: a client may know RSA alone.
type Several = Vec<Arc<Certificate>>;

/// All certificates, by the names that they are for.
pub(super) struct Choice {
    exact: HashMap<Box<str>, Several>,
    /// By what follows `*.`: a wildcard stands for exactly one label (RFC 6125 section 6.4.3).
    wildcard: HashMap<Box<str>, Several>,
    /// The first certificate, and those for the same names after it.
    default: Several,
    unknown: UnknownName,
}

impl Choice {
    pub(super) fn new(certificates: &[Arc<Certificate>], unknown: UnknownName) -> Self {
        let mut choice = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default: Vec::new(),
            unknown,
        };
        let first = certificates.first().map(|first| &first.facts.names);
        for certificate in certificates {
            let names = &certificate.facts.names;
            for name in names {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut choice.wildcard, parent),
                    None => (&mut choice.exact, name.as_str()),
                };
                let several = map.entry(name.into()).or_default();
                several.push(Arc::clone(certificate));
            }
            if Some(names) == first {
                choice.default.push(Arc::clone(certificate));
            }
        }
        choice
    }

    /// The certificate for a name, of those whose key signs as the client asks.
    pub(super) fn of(&self, hello: &ClientHello<'_>) -> Option<&Arc<Certificate>> {
        self.named(hello.server_name(), hello.signature_schemes())
    }

    fn named(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<&Arc<Certificate>> {
        let named = name.and_then(|name| {
            // Names compare without regard to case (RFC 4343); clients seldom send capitals.
            let lower;
            let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                lower = name.to_ascii_lowercase();
                &lower
            } else {
                name
            };
            let below = |name: &str| {
                let (_, parent) = name.split_once('.')?;
                self.wildcard.get(parent)
            };
            self.exact.get(name).or_else(|| below(name))
        });
        let several = match (named, self.unknown) {
            (Some(several), _) => several,
            (None, UnknownName::Default) => &self.default,
            (None, UnknownName::Refuse) => return None,
        };
        let signs = |one: &&Arc<Certificate>| one.key.key.choose_scheme(schemes).is_some();
        several.iter().find(signs).or_else(|| several.first())
    }
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.of(&hello).map(|one| Arc::clone(&one.key))
    }
}

/// Names alone, never keys.
impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice")
            .field("exact", &self.exact.len())
            .field("wildcard", &self.wildcard.len())
            .finish_non_exhaustive()
    }
}
