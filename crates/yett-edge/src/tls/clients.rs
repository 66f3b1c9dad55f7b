//! Whose client certificates are good: authorities and revocation lists, read from files.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::TlsError;
use super::certificate::{read, read_chain};
use super::settings::{ClientCertificates, ClientTrust};

/// What decides about clients.
pub(super) struct Clients {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    /// Of everything that the decision rests on: sessions of another basis are not resumed, as a
    /// resumed session is not verified again.
    pub(super) basis: [u8; 32],
}

impl Clients {
    pub(super) fn read(
        settings: &ClientCertificates,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Vec<TlsError>> {
        let (trust, mandatory) = match settings {
            ClientCertificates::Off => {
                return Ok(Self {
                    verifier: WebPkiClientVerifier::no_client_auth(),
                    basis: [0; 32],
                });
            }
            ClientCertificates::Optional(trust) => (trust, false),
            ClientCertificates::Required(trust) => (trust, true),
        };
        let mut basis = Context::new(&SHA256);
        basis.update(&[1 + u8::from(mandatory)]);
        let roots = authorities(trust, &mut basis);
        let lists = revocations(trust, &mut basis);
        let (roots, lists) = match (roots, lists) {
            (Ok(roots), Ok(lists)) => (roots, lists),
            (roots, Err(mut errors)) => {
                errors.extend(roots.err());
                return Err(errors);
            }
            (Err(error), Ok(_)) => return Err(vec![error]),
        };
        let mut builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        if !lists.is_empty() {
            builder = builder
                .with_crls(lists)
                .only_check_end_entity_revocation()
                .enforce_revocation_expiration();
        }
        if !mandatory {
            builder = builder.allow_unauthenticated();
        }
        let verifier = builder.build().map_err(|_| {
            let damaged = trust.revoked.first().unwrap_or(&trust.authorities);
            vec![TlsError::BadRevocations(damaged.clone())]
        })?;
        let digest = basis.finish();
        let mut basis = [0; 32];
        for (to, from) in basis.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Ok(Self { verifier, basis })
    }
}

fn authorities(trust: &ClientTrust, basis: &mut Context) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_chain(&trust.authorities)? {
        basis.update(&certificate);
        roots
            .add(certificate)
            .map_err(|_| TlsError::BadAuthorities(trust.authorities.clone()))?;
    }
    Ok(roots)
}

fn revocations(
    trust: &ClientTrust,
    basis: &mut Context,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Vec<TlsError>> {
    let mut lists = Vec::new();
    let mut errors = Vec::new();
    for path in &trust.revoked {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        basis.update(&bytes);
        let found: Result<Vec<_>, _> =
            CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
        match found {
            Ok(found) if !found.is_empty() => lists.extend(found),
            _ => errors.push(TlsError::BadRevocations(path.clone())),
        }
    }
    if errors.is_empty() {
        Ok(lists)
    } else {
        Err(errors)
    }
}
