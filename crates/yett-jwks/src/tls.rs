//! TLS as this client speaks it: 1.2 and 1.3, the aws-lc provider by name (never the process's
//! default, which another library could have set), no client certificate, no resumption (there is
//! one connection every few minutes).

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, client::Resumption};

use crate::{JwksSettingsError, Trust};

/// Settings for every connection of one client. Reads the system's certificates: some milliseconds
/// of file reading.
pub(crate) fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, JwksSettingsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| JwksSettingsError::Tls(error.to_string()))?
        .with_root_certificates(roots(trust)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn roots(trust: &Trust) -> Result<RootCertStore, JwksSettingsError> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::System => add_system(&mut roots)?,
        Trust::SystemAnd(pem) => {
            // Also without the system's: a container may hold the company's alone.
            let _none_is_fine = add_system(&mut roots);
            add_pem(&mut roots, pem)?;
        }
        Trust::Only(pem) => add_pem(&mut roots, pem)?,
    }
    Ok(roots)
}

/// One bad certificate in a system's store of hundreds is not our matter; none at all is.
fn add_system(roots: &mut RootCertStore) -> Result<(), JwksSettingsError> {
    let (added, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(JwksSettingsError::NoRoots);
    }
    Ok(())
}

/// In the operator's own text everything must be right: what is left out would be missed later.
fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), JwksSettingsError> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| JwksSettingsError::TrustDamaged)?;
        roots
            .add(certificate)
            .map_err(|_| JwksSettingsError::TrustDamaged)?;
    }
    if roots.len() == before {
        return Err(JwksSettingsError::TrustEmpty);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Certificate;

    fn check(pem: &str, expected: Result<usize, JwksSettingsError>) {
        let trust = Trust::Only(pem.as_bytes().to_vec());
        assert_eq!(roots(&trust).map(|roots| roots.len()), expected);
    }

    #[test]
    fn every_certificate_of_the_text_is_trusted() {
        let one = Certificate::new(&["one.example"]).pem();
        let two = Certificate::new(&["two.example"]).pem();
        check(
            &format!("Company root\n{one}\n# and the next\n{two}"),
            Ok(2),
        );
    }

    #[test]
    fn text_without_a_certificate_is_refused() {
        check("", Err(JwksSettingsError::TrustEmpty));
        check("no certificate here", Err(JwksSettingsError::TrustEmpty));
    }

    #[test]
    fn damaged_certificate_is_refused_not_left_out() {
        let good = Certificate::new(&["one.example"]).pem();
        let cut = good.replace("-----END CERTIFICATE-----", "");
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        check(
            &format!("{good}{cut}"),
            Err(JwksSettingsError::TrustDamaged),
        );
        check(
            &format!("{good}{other}"),
            Err(JwksSettingsError::TrustDamaged),
        );
    }

    #[test]
    fn extra_authority_serves_where_the_system_has_none_or_some() {
        let extra = Certificate::new(&["one.example"]).pem();
        let trust = Trust::SystemAnd(extra.into_bytes());
        assert!(!roots(&trust).unwrap().is_empty());
    }
}
