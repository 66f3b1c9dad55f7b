//! From settings to what a handshake needs, all at once: every mistake is found before any is told.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};
use rustls::{ServerConfig, version};
use yett_jwt::UnixSeconds;

use super::certificate::{Certificate, CertificateFacts};
use super::choice::Choice;
use super::clients::Clients;
use super::settings::{CertificateSource, ClientCertificates, MinVersion, TlsSettings};
use super::{TlsError, TlsErrors, self_signed};

/// Sessions of TLS 1.2 clients without tickets that can be resumed; the oldest is forgotten.
const SESSIONS: usize = 4096;

/// Everything that was loaded, immutable; a connection keeps what it began with.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    pub(super) choice: Arc<Choice>,
    pub(super) certificates: Vec<CertificateFacts>,
    /// Who judges clients' certificates.
    pub(super) clients: Arc<dyn ClientCertVerifier>,
    made: Vec<Arc<Certificate>>,
    resumption: Resumption,
}

/// How sessions are taken up again. Kept over reloads, so that a renewed certificate costs no
/// client a full handshake; made anew when who may connect changes. What runs out with time alone
/// is seen when a session is resumed: `session::trusted`.
#[derive(Clone)]
struct Resumption {
    basis: [u8; 32],
    /// Keys of tickets, for TLS 1.2 and 1.3; they rotate every 6 hours and are kept nowhere.
    tickets: Arc<dyn ProducesTickets>,
    sessions: Arc<dyn StoresServerSessions>,
}

impl Resumption {
    fn new(basis: [u8; 32]) -> Result<Self, TlsError> {
        Ok(Self {
            basis,
            tickets: aws_lc_rs::Ticketer::new().map_err(TlsError::Library)?,
            sessions: ServerSessionMemoryCache::new(SESSIONS),
        })
    }
}

/// Loads everything; `before` is what is in use now.
pub(super) fn load(
    settings: &TlsSettings,
    before: Option<&Loaded>,
    now: UnixSeconds,
) -> Result<Loaded, TlsErrors> {
    // Named, never the process's default: what other code installs cannot change it.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut errors = Vec::new();
    let mut certificates = Vec::new();
    let mut made = Vec::new();
    for source in &settings.certificates {
        match source {
            CertificateSource::Files { certificate, key } => {
                match Certificate::read(certificate, key, now, &provider) {
                    Ok(read) => certificates.push(Arc::new(read)),
                    Err(wrong) => errors.extend(wrong),
                }
            }
            CertificateSource::SelfSigned { names } => {
                // The same over reloads, so that a browser's exception goes on holding.
                let place = made.len();
                let kept = before.and_then(|before| before.made.get(place)).cloned();
                let one = match kept {
                    Some(kept) => Ok(kept),
                    None => self_signed::make(names, now, &provider).map(Arc::new),
                };
                match one {
                    Ok(one) => {
                        made.push(Arc::clone(&one));
                        certificates.push(one);
                    }
                    Err(error) => errors.push(error),
                }
            }
        }
    }
    if settings.certificates.is_empty() {
        errors.push(TlsError::Nothing);
    }
    let clients = Clients::read(&settings.clients, &provider).map_err(|wrong| errors.extend(wrong));
    TlsErrors::none(errors)?;
    let Ok(clients) = clients else {
        // Not reachable: an error was pushed, and would have been returned.
        return Err(TlsError::Nothing.into());
    };
    let resumption = match before.map(|before| &before.resumption) {
        Some(kept) if kept.basis == clients.basis => kept.clone(),
        _ => Resumption::new(clients.basis)?,
    };
    let choice = Arc::new(Choice::new(&certificates, settings.unknown_name));
    let verifier = clients.verifier;
    let config = config(settings, provider, &verifier, &choice, &resumption)?;
    Ok(Loaded {
        config: Arc::new(config),
        choice,
        certificates: certificates.iter().map(|one| one.facts.clone()).collect(),
        clients: verifier,
        made,
        resumption,
    })
}

fn config(
    settings: &TlsSettings,
    provider: Arc<CryptoProvider>,
    clients: &Arc<dyn ClientCertVerifier>,
    choice: &Arc<Choice>,
    resumption: &Resumption,
) -> Result<ServerConfig, TlsError> {
    let versions: &[_] = match settings.min_version {
        MinVersion::Tls12 => &[&version::TLS12, &version::TLS13],
        MinVersion::Tls13 => &[&version::TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(TlsError::Library)?
        .with_client_cert_verifier(Arc::clone(clients))
        .with_cert_resolver(Arc::clone(choice) as Arc<_>);
    let names = settings.protocols.iter().map(|protocol| protocol.alpn());
    config.alpn_protocols = names.map(<[u8]>::to_vec).collect();
    // All suites are good; the order is the server's, as auditors ask for.
    config.ignore_client_order = true;
    config.ticketer = Arc::clone(&resumption.tickets);
    config.session_storage = Arc::clone(&resumption.sessions);
    // Early data can be sent again by anybody who saw it (RFC 8446 section 8).
    config.max_early_data_size = 0;
    // RFC 7627: without it somebody in the middle can make two sessions look alike, which matters
    // where a client shows a certificate. Clients from before 2016 do not know it.
    config.require_ems = settings.clients != ClientCertificates::Off;
    Ok(config)
}

/// All files that the settings name.
pub(super) fn files(settings: &TlsSettings) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for source in &settings.certificates {
        if let CertificateSource::Files { certificate, key } = source {
            files.push(certificate.clone());
            files.push(key.clone());
        }
    }
    if let Some(trust) = settings.clients.trust() {
        files.push(trust.authorities.clone());
        files.extend(trust.revoked.iter().cloned());
    }
    files.sort();
    files.dedup();
    files
}
