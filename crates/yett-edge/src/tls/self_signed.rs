//! A certificate for development: made at the start, kept in memory, trusted by nobody.

use std::path::Path;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use yett_jwt::UnixSeconds;

use super::TlsError;
use super::certificate::Certificate;

/// Clocks of two machines may differ.
const BEFORE: Duration = Duration::days(1);
/// A forgotten development server does not hold for ever.
const AFTER: Duration = Duration::days(90);

pub(super) fn make(
    names: &[String],
    now: UnixSeconds,
    provider: &CryptoProvider,
) -> Result<Certificate, TlsError> {
    let make = || -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Yett, for development");
        let moment =
            OffsetDateTime::from_unix_timestamp(now.get()).map_err(|_| rcgen::Error::Time)?;
        params.not_before = moment - BEFORE;
        params.not_after = moment + AFTER;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        Ok((params.self_signed(&key)?, key))
    };
    let (made, key) = make().map_err(TlsError::SelfSigned)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let nowhere = (Path::new("memory"), Path::new("memory"));
    Certificate::assemble(vec![made.der().clone()], private, now, provider, nowhere)
}
