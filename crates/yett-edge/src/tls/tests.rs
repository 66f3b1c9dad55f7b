//! TLS from the client's hello to the application's answer, in memory: rustls is the other end.

mod certificates;
mod clients;
mod connections;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::DuplexStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Tls;
use super::settings::{CertificateSource, TlsSettings};
use crate::settings::EdgeSettings;
use crate::testing::{Bench, soon};

/// An authority that signs whatever a test wants.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM text.
struct Pair {
    certificate: String,
    key: String,
}

/// The years in which a test's certificate holds.
#[derive(Clone, Copy)]
enum Years {
    Now,
    Past,
    Future,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        pem("CERTIFICATE", self.0.der())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    fn server(&self, names: &[&str]) -> Pair {
        self.server_of(names, Years::Now, &PKCS_ECDSA_P256_SHA256)
    }

    fn server_of(&self, names: &[&str], years: Years, kind: &'static SignatureAlgorithm) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, years, kind)
    }

    fn client(&self, name: &str, years: Years) -> Pair {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Fish & Chips");
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x0a, 0xbc]));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, years, &PKCS_ECDSA_P256_SHA256)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        years: Years,
        kind: &'static SignatureAlgorithm,
    ) -> Pair {
        let (from, to) = match years {
            Years::Now => (2020, 2090),
            Years::Past => (2020, 2021),
            Years::Future => (2089, 2090),
        };
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let key = KeyPair::generate_for(kind).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Pair {
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
        }
    }
}

impl Pair {
    /// Writes both files, and says where they are.
    fn write(&self, folder: &Path, name: &str) -> CertificateSource {
        let source = source(folder, name);
        std::fs::write(folder.join(format!("{name}.pem")), &self.certificate).unwrap();
        write_secret(&folder.join(format!("{name}.key")), &self.key);
        source
    }

    fn der(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        use rustls::pki_types::pem::PemObject as _;
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        (
            CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap(),
            PrivateKeyDer::Pkcs8(key),
        )
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    super::session::pem(der).replace("CERTIFICATE", label)
}

fn write_secret(path: &PathBuf, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn source(folder: &Path, name: &str) -> CertificateSource {
    CertificateSource::Files {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key")),
    }
}

/// Certificates of one authority in a folder of their own.
struct House {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl House {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new("test"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self, name: &str, names: &[&str]) -> CertificateSource {
        self.authority.server(names).write(self.folder.path(), name)
    }

    /// Settings with one certificate, for `example.org`.
    fn settings(&self) -> TlsSettings {
        TlsSettings::new(vec![self.source("own", &["example.org"])])
    }

    fn client(&self) -> Caller {
        Caller::new(self.authority.roots())
    }
}

/// A client, before it connects. Calls of one caller share its sessions.
struct Caller {
    config: ClientConfig,
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12, &rustls::version::TLS13];

impl Caller {
    fn new(roots: RootCertStore) -> Self {
        Self::with(roots, BOTH, None)
    }

    fn with(
        roots: RootCertStore,
        versions: &[&'static SupportedProtocolVersion],
        own: Option<&Pair>,
    ) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let (certificate, key) = pair.der();
                builder
                    .with_client_auth_cert(vec![certificate], key)
                    .unwrap()
            }
        };
        Self { config }
    }

    fn offering(mut self, protocols: &[&str]) -> Self {
        self.config.alpn_protocols = protocols.iter().map(|name| (*name).into()).collect();
        self
    }

    /// Connects and shakes hands.
    async fn call(&self, bench: &Bench, name: &str) -> std::io::Result<TlsStream<DuplexStream>> {
        let near = bench.connect_raw();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        soon(connector.connect(name, near)).await
    }
}

/// An edge whose connections begin with a handshake.
fn bench(settings: TlsSettings) -> Bench {
    Bench::new(EdgeSettings {
        tls: Some(Arc::new(Tls::load(settings).unwrap())),
        ..EdgeSettings::default()
    })
}

/// The names of the certificate that the client was shown.
fn shown(stream: &TlsStream<DuplexStream>) -> Vec<String> {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    let (_, own) = X509Certificate::from_der(&chain[0]).unwrap();
    own.subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names
        .iter()
        .map(ToString::to_string)
        .collect()
}

const RSA: &SignatureAlgorithm = &PKCS_RSA_SHA256;
