//! What TLS obeys. The program crate makes these from flags, environment and files.

use std::path::PathBuf;
use std::time::Duration;

use crate::conn::Protocol;

/// Certificates, versions and clients of the TLS listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// Where certificates come from, at least one. The first is for clients that name no server,
    /// and for names that no certificate has.
    pub certificates: Vec<CertificateSource>,
    /// What a client gets that names a server which no certificate has, or none.
    pub unknown_name: UnknownName,
    /// The oldest version that is spoken.
    pub min_version: MinVersion,
    /// Whether clients show certificates of their own.
    pub clients: ClientCertificates,
    /// The protocols that are spoken behind TLS (ALPN, RFC 7301), the best first. A client that offers
    /// others alone is refused by an alert; one that offers none speaks HTTP/1.1.
    pub protocols: Vec<Protocol>,
    /// How long a handshake may take, from the connection's begin; above: the connection is closed.
    pub handshake_timeout: Duration,
}

impl TlsSettings {
    /// The defaults, with these certificates.
    #[must_use]
    pub fn new(certificates: Vec<CertificateSource>) -> Self {
        Self {
            certificates,
            unknown_name: UnknownName::Default,
            min_version: MinVersion::Tls12,
            clients: ClientCertificates::Off,
            protocols: vec![Protocol::Http2, Protocol::Http1],
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

/// Where a certificate and its key come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Two PEM files, which may be one: the chain with the server's own certificate first, and the
    /// key, unencrypted.
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Made at the start and kept in memory alone, for development: no client trusts it by itself.
    SelfSigned {
        /// Host names and addresses that it is for.
        names: Vec<String>,
    },
}

/// What a client gets that names a server which no certificate has, or names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownName {
    /// The first certificate. Most clients then refuse it themselves.
    Default,
    /// No connection: the handshake ends with an alert.
    Refuse,
}

/// The oldest version that is spoken; the newest is always TLS 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

/// Whether clients show certificates of their own (mutual TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Nobody is asked for one.
    Off,
    /// Every client is asked; one that shows none is served, one that shows a bad one is not.
    Optional(ClientTrust),
    /// A client without a good one is not served.
    Required(ClientTrust),
}

impl ClientCertificates {
    /// Whose certificates are good, if anybody is asked.
    #[must_use]
    pub const fn trust(&self) -> Option<&ClientTrust> {
        match self {
            Self::Off => None,
            Self::Optional(trust) | Self::Required(trust) => Some(trust),
        }
    }
}

/// Whose client certificates are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTrust {
    /// A PEM file of authorities' certificates.
    pub authorities: PathBuf,
    /// PEM files of revocation lists. With any, a client's own certificate must be covered by one,
    /// and lists that are past their date refuse everybody.
    pub revoked: Vec<PathBuf>,
}
