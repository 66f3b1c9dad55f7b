//! One certificate with its key: read, understood, and checked to belong together.
//!
//! Whether a certificate is trusted is the client's affair. What is checked here is what would make
//! every client fail: another key, a wrong order. Dates are warned of, not refused: a server that
//! does not start helps nobody, and clients say clearly what they found.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use yett_jwt::UnixSeconds;
use zeroize::Zeroizing;

use super::{TlsError, session, text};

/// No file of certificates or keys is longer; a bundle of all public authorities has a quarter.
const LONGEST_FILE: u64 = 1 << 20;

/// A certificate in use.
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: CertificateFacts,
    /// The server's own certificate as PEM text, for applications that ask for it.
    pub(super) pem: Arc<str>,
}

/// What is to be told of a certificate in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names that it is for, lower case; addresses as text. A name may begin with `*.`.
    pub names: Vec<String>,
    /// From when on it holds.
    pub(super) not_before: UnixSeconds,
    /// Until when it holds.
    pub not_after: UnixSeconds,
    /// SHA-256 of the certificate, as hexadecimal pairs separated by colons.
    pub fingerprint: String,
    /// The file that it is from, or `None` if it was made for development.
    pub file: Option<std::path::PathBuf>,
    /// What is allowed, but probably not meant: sentences.
    pub warnings: Vec<String>,
}

/// How long before its end a certificate is warned of: what renews it by itself does so earlier.
const SOON: i64 = 21 * DAY;
const DAY: i64 = 24 * 60 * 60;

impl CertificateFacts {
    /// What is to be said and done when it has run out, or will within 21 days, or within a quarter of
    /// its time if that is less. One that was made for development lasts as long as it is needed.
    pub(super) fn ending(&self, now: UnixSeconds) -> Option<String> {
        let file = self.file.as_deref()?;
        let lasts = self.not_after.get().saturating_sub(self.not_before.get());
        let left = self.not_after.get().saturating_sub(now.get());
        if left > SOON.min(lasts / 4) {
            return None;
        }
        let when = match left {
            ..0 => String::from("has run out"),
            0..DAY => String::from("runs out in less than a day"),
            DAY.. => match left / DAY {
                1 => String::from("runs out in 1 day"),
                days => format!("runs out in {days} days"),
            },
        };
        Some(format!(
            "the certificate for {} in {} {when} ({}): renew it; a new file is loaded by itself",
            text::listed(&self.names),
            file.display(),
            text::date(self.not_after),
        ))
    }
}

impl Certificate {
    /// Reads both files; they may be one.
    pub(super) fn read(
        certificate: &Path,
        key: &Path,
        now: UnixSeconds,
        provider: &CryptoProvider,
    ) -> Result<Self, Vec<TlsError>> {
        let chain = read_chain(certificate);
        let private = read_key(key);
        let (chain, private) = match (chain, private) {
            (Ok(chain), Ok(private)) => (chain, private),
            (chain, private) => {
                return Err(chain.err().into_iter().chain(private.err()).collect());
            }
        };
        let mut made = Self::assemble(chain, private, now, provider, (certificate, key))
            .map_err(|error| vec![error])?;
        made.facts.file = Some(certificate.to_owned());
        let ending = made.facts.ending(now);
        made.facts.warnings.extend(ending);
        if is_for_everyone(key) {
            made.facts.warnings.push(format!(
                "everyone on this machine can read the private key {}: chmod 600 it",
                key.display()
            ));
        }
        Ok(made)
    }

    /// Puts chain and key together; `files` are what errors name.
    pub(super) fn assemble(
        chain: Vec<CertificateDer<'static>>,
        private: PrivateKeyDer<'static>,
        now: UnixSeconds,
        provider: &CryptoProvider,
        (certificate, key): (&Path, &Path),
    ) -> Result<Self, TlsError> {
        let signing = provider
            .key_provider
            .load_private_key(private)
            .map_err(|_| TlsError::UnusableKey(key.to_owned()))?;
        for (place, one) in chain.iter().enumerate() {
            let known = X509Certificate::from_der(one);
            // Not only readable, but what the clients' own libraries will find well formed.
            if known.is_err() || rustls::server::ParsedCertificate::try_from(one).is_err() {
                return Err(TlsError::BadCertificate {
                    path: certificate.to_owned(),
                    number: place + 1,
                });
            }
        }
        let belongs = |one: &CertificateDer<'static>| {
            let pair = CertifiedKey::new(vec![one.clone()], Arc::clone(&signing));
            !matches!(
                pair.keys_match(),
                Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch))
            )
        };
        match chain.iter().position(belongs) {
            Some(0) => {}
            Some(place) => {
                return Err(TlsError::WrongOrder {
                    path: certificate.to_owned(),
                    number: place + 1,
                });
            }
            None => {
                return Err(TlsError::KeyMismatch {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                });
            }
        }
        let facts =
            facts(&chain, now).ok_or_else(|| TlsError::NoCertificate(certificate.to_owned()))?;
        let pem = chain
            .first()
            .map(|own| session::pem(own))
            .unwrap_or_default();
        let key = Arc::new(CertifiedKey::new(chain, signing));
        Ok(Self {
            key,
            facts,
            pem: pem.into(),
        })
    }
}

/// Never shows the key.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

fn facts(chain: &[CertificateDer<'static>], now: UnixSeconds) -> Option<CertificateFacts> {
    let own = chain.first()?;
    let (_, parsed) = X509Certificate::from_der(own).ok()?;
    let names = names(&parsed);
    let not_before = UnixSeconds::new(parsed.validity().not_before.timestamp());
    let not_after = UnixSeconds::new(parsed.validity().not_after.timestamp());
    let mut warnings = Vec::new();
    if now < not_before {
        warnings.push(format!(
            "the certificate for {} does not hold before {}",
            text::listed(&names),
            text::date(not_before)
        ));
    }
    if names.is_empty() {
        warnings.push(String::from(
            "the certificate has no subjectAltName: no current client will take it",
        ));
    }
    if let Some(place) = first_gap(chain) {
        warnings.push(format!(
            "certificate {} of the chain for {} is not the one that signed certificate {place}; clients may not find their way",
            place + 1,
            text::listed(&names),
        ));
    }
    Some(CertificateFacts {
        names,
        not_before,
        not_after,
        fingerprint: text::fingerprint(own),
        file: None,
        warnings,
    })
}

/// The names of the subjectAltName. A name in the subject alone has had no meaning since RFC 6125.
fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => text::address(bytes),
        _ => None,
    };
    alternatives
        .value
        .general_names
        .iter()
        .filter_map(name)
        .collect()
}

/// The place, counted from 1, of the first certificate that the next one did not sign by its name.
fn first_gap(chain: &[CertificateDer<'static>]) -> Option<usize> {
    chain.windows(2).enumerate().find_map(|(place, pair)| {
        let [one, next] = pair else { return None };
        let (_, one) = X509Certificate::from_der(one).ok()?;
        let (_, next) = X509Certificate::from_der(next).ok()?;
        (one.issuer().as_raw() != next.subject().as_raw()).then_some(place + 1)
    })
}

/// The certificates of a PEM file, in their order, at least one.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(TlsError::NoCertificate(path.to_owned())),
        Ok(chain) => Ok(chain),
        Err(_) => Err(TlsError::Pem(path.to_owned())),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = read(path)?;
    let mut keys = PrivateKeyDer::pem_slice_iter(&bytes);
    let holds = |words: &[u8]| memchr::memmem::find(&bytes, words).is_some();
    // PKCS#8 with a passphrase is a block of its own; the older form says so inside the block.
    if holds(b"BEGIN ENCRYPTED PRIVATE KEY") || holds(b"Proc-Type: 4,ENCRYPTED") {
        return Err(TlsError::EncryptedKey(path.to_owned()));
    }
    match keys.next() {
        Some(Ok(key)) => Ok(key),
        // The source names no bytes, but it is not worth a doubt.
        Some(Err(_)) => Err(TlsError::Pem(path.to_owned())),
        None => Err(TlsError::NoKey(path.to_owned())),
    }
}

/// A whole file, wiped when it is dropped, as it may hold a key.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let known = file.metadata().map_err(unreadable)?;
    if known.len() > LONGEST_FILE {
        return Err(TlsError::TooLong(path.to_owned()));
    }
    // All at once, so that no half of it stays behind where a buffer grew.
    let room = usize::try_from(known.len()).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(LONGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(TlsError::TooLong(path.to_owned()));
    }
    Ok(bytes)
}

fn is_for_everyone(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o004 != 0)
}
