//! What a finished handshake is told as: to the application, and to the log.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::{CipherSuite, ServerConnection};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};
use yett_gate::{ClientCertificate, TlsSession};
use yett_jwt::UnixSeconds;

use super::text;

/// Whether the certificate that a resumed session brought along is still good: nobody has asked for
/// it again, and since then it, one above it or a revocation list may have run out.
///
/// # Errors
/// What a full handshake would say of it now.
pub(super) fn trusted(
    connection: &ServerConnection,
    clients: &dyn ClientCertVerifier,
    now: UnixSeconds,
) -> Result<(), rustls::Error> {
    let Some((own, above)) = connection.peer_certificates().and_then(<[_]>::split_first) else {
        // Who may come without one may resume without one; another basis has no sessions of this.
        return Ok(());
    };
    let now = u64::try_from(now.get()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    clients.verify_client_cert(own, above, now).map(drop)
}

/// The facts of a connection whose handshake is done. `None`: the client's certificate was verified, but
/// cannot be told of.
pub(super) fn session(
    connection: &ServerConnection,
    server_certificate: Arc<str>,
) -> Option<TlsSession> {
    let suite = connection
        .negotiated_cipher_suite()
        .map_or(CipherSuite::TLS_NULL_WITH_NULL_NULL, |suite| suite.suite());
    let client = match connection.peer_certificates() {
        None | Some([]) => None,
        Some(chain) => Some(client(chain)?),
    };
    Some(TlsSession {
        version: connection.protocol_version().map_or(0, u16::from),
        cipher_suite: u16::from(suite),
        cipher: openssl_name(suite),
        server_name: connection.server_name().map(Box::from),
        server_certificate,
        client,
    })
}

/// A client's certificate, which was verified.
fn client(chain: &[CertificateDer<'static>]) -> Option<ClientCertificate> {
    let (_, own) = X509Certificate::from_der(chain.first()?).ok()?;
    let date = |at: ASN1Time| text::openssl_date(UnixSeconds::new(at.timestamp()));
    Some(ClientCertificate {
        chain: chain.iter().map(|one| pem(one)).collect(),
        subject: text::distinguished_name(own.subject()),
        issuer: text::distinguished_name(own.issuer()),
        serial: text::hex(own.raw_serial(), ""),
        not_before: date(own.validity().not_before),
        not_after: date(own.validity().not_after),
    })
}

/// RFC 7468 section 5.
pub(super) fn pem(certificate: &[u8]) -> String {
    let body = STANDARD.encode(certificate);
    let mut text = String::with_capacity(body.len() + body.len() / 64 + 64);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

/// The suites that can be negotiated, as OpenSSL names them: what `SSL_CIPHER` says elsewhere.
fn openssl_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "ECDHE-ECDSA-CHACHA20-POLY1305"
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_that_can_be_negotiated_has_a_name() {
        for suite in rustls::crypto::aws_lc_rs::default_provider().cipher_suites {
            assert_ne!(openssl_name(suite.suite()), "unknown", "{suite:?}");
        }
    }

    #[test]
    fn pem_has_lines_of_64_characters() {
        assert_eq!(
            pem(&[0; 49]),
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\nAA==\n-----END CERTIFICATE-----\n",
                "A".repeat(64)
            )
        );
    }
}
