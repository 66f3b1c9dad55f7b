//! What a finished handshake is told as: to the application, and to the log.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, ServerConnection};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use yett_gate::{ClientCertificate, TlsSession};
use yett_jwt::UnixSeconds;

use super::text;

/// The facts of a connection whose handshake is done. `None`: the client's certificate, which a
/// resumed session brought along, holds no more.
pub(super) fn session(
    connection: &ServerConnection,
    server_certificate: Arc<str>,
    now: UnixSeconds,
) -> Option<TlsSession> {
    let suite = connection
        .negotiated_cipher_suite()
        .map_or(CipherSuite::TLS_NULL_WITH_NULL_NULL, |suite| suite.suite());
    let client = match connection.peer_certificates() {
        None | Some([]) => None,
        Some(chain) => Some(client(chain, now)?),
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

/// A client's certificate. `None` if it is out of its time: a session is resumed without asking for
/// the certificate again.
fn client(chain: &[CertificateDer<'static>], now: UnixSeconds) -> Option<ClientCertificate> {
    let (_, own) = X509Certificate::from_der(chain.first()?).ok()?;
    let not_before = UnixSeconds::new(own.validity().not_before.timestamp());
    let not_after = UnixSeconds::new(own.validity().not_after.timestamp());
    if now < not_before || not_after < now {
        return None;
    }
    Some(ClientCertificate {
        chain: chain.iter().map(|one| pem(one)).collect(),
        subject: text::distinguished_name(own.subject()),
        issuer: text::distinguished_name(own.issuer()),
        serial: text::hex(own.raw_serial(), ""),
        not_before: text::openssl_date(not_before),
        not_after: text::openssl_date(not_after),
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
