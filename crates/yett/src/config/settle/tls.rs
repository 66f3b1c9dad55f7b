//! The settings of TLS. What is in the files is for the edge to find out; what is decided here is
//! which files, and that nothing was said that would be without effect: somebody who named an
//! authority for clients must not serve without asking for certificates.

use super::{Bind, Key, Place, Said, Settling, Wrong, choice, quoted};
use std::time::Duration;
use yett_edge::Http2Settings;
use yett_edge::conn::Protocol;
use yett_edge::tls::{
    CertificateSource, ClientCertificates, ClientTrust, MinVersion, TlsSettings, UnknownName,
};

pub(super) const EXPECTED: &str =
    "--tls-cert and --tls-key, [[tls.certificate]], or --tls-self-signed";

/// What says something about TLS beside the certificates themselves.
const OTHERS: [Key; 9] = [
    Key::TlsMinVersion,
    Key::TlsUnknownName,
    Key::TlsClientAuth,
    Key::TlsClientCa,
    Key::TlsClientCrl,
    Key::TlsHandshakeTimeout,
    Key::RedirectHttp,
    Key::RedirectPort,
    Key::Hsts,
];

/// Names that lead to a server on the same machine.
const OF_THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const YEAR_IN_HOURS: u64 = 365 * 24;

/// Whether clients show certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Off,
    Optional,
    Required,
}

/// What is spoken behind TLS follows from what is spoken at all.
pub(super) fn speaking(tls: TlsSettings, http2: &Option<Http2Settings>) -> TlsSettings {
    let protocols = match http2 {
        Some(_) => vec![Protocol::Http2, Protocol::Http1],
        None => vec![Protocol::Http1],
    };
    TlsSettings { protocols, ..tls }
}

impl Settling<'_> {
    /// `None` only if an error was pushed; the inner `None`: no TLS.
    pub(super) fn tls<'b>(
        &mut self,
        binds: impl Iterator<Item = &'b Bind>,
    ) -> Option<Option<TlsSettings>> {
        let raw = self.raw;
        let self_signed = self.one(Key::TlsSelfSigned, choice::switch);
        let certificates = self.certificates(binds, self_signed == Some(true));
        let unknown_name = self.one(Key::TlsUnknownName, unknown_name);
        let min_version = self.one(Key::TlsMinVersion, min_version);
        let clients = self.clients();
        let handshake_timeout =
            self.duration(Key::TlsHandshakeTimeout, Duration::from_millis(100), 1);
        let certificates = certificates?;
        if certificates.is_empty() {
            for said in OTHERS.iter().filter_map(|key| raw.list(*key).first()) {
                let wrong = "this is about TLS, and there is no certificate";
                self.refuse(&said.place, wrong, EXPECTED);
            }
            return Some(None);
        }
        Some(Some(TlsSettings {
            unknown_name: unknown_name?,
            min_version: min_version?,
            clients: clients?,
            handshake_timeout: handshake_timeout?,
            ..TlsSettings::new(certificates)
        }))
    }

    /// Certificates with their keys. `None` only if an error was pushed.
    fn certificates<'b>(
        &mut self,
        binds: impl Iterator<Item = &'b Bind>,
        self_signed: bool,
    ) -> Option<Vec<CertificateSource>> {
        let raw = self.raw;
        let (certs, keys) = (raw.list(Key::TlsCert), raw.list(Key::TlsPrivate));
        if self_signed {
            if let Some(said) = certs.first().or_else(|| keys.first()) {
                let wrong = "a certificate beside one that is made for development";
                self.refuse(&said.place, wrong, "either files or --tls-self-signed");
                return None;
            }
            let names = names_for_development(binds);
            return Some(vec![CertificateSource::SelfSigned { names }]);
        }
        // A file may hold both.
        let keys = if keys.is_empty() { certs } else { keys };
        if certs.len() != keys.len() {
            let more = if certs.len() > keys.len() {
                certs
            } else {
                keys
            };
            let place = more
                .last()
                .map_or(Place::Default, |said| said.place.clone());
            let wrong = format!("certificates: {}, keys: {}", certs.len(), keys.len());
            let expected = "a key for each certificate, in the same order";
            self.refuse(&place, wrong, expected);
            return None;
        }
        let source = |(cert, key): (&Said, &Said)| CertificateSource::Files {
            certificate: self.absolute(&cert.text, &cert.place),
            key: self.absolute(&key.text, &key.place),
        };
        Some(certs.iter().zip(keys).map(source).collect())
    }

    /// `None` only if an error was pushed.
    fn clients(&mut self) -> Option<ClientCertificates> {
        let raw = self.raw;
        let asked = self.one(Key::TlsClientAuth, client_auth)?;
        let authorities = raw.one(Key::TlsClientCa);
        let revoked = raw.list(Key::TlsClientCrl);
        if asked == Asked::Off {
            // Said without effect, it would look safe and not be.
            let Some(said) = authorities.or_else(|| revoked.first()) else {
                return Some(ClientCertificates::Off);
            };
            let wrong = "this is about clients' certificates, and none are asked for";
            let expected = "--tls-client-auth optional or required beside it";
            self.refuse(&said.place, wrong, expected);
            return None;
        }
        let Some(authorities) = authorities else {
            let wrong = "clients are asked for certificates, and nobody says whose are good";
            let place = self.place_of(Key::TlsClientAuth);
            self.refuse(&place, wrong, "--tls-client-ca FILE beside it");
            return None;
        };
        let trust = ClientTrust {
            authorities: self.absolute(&authorities.text, &authorities.place),
            revoked: revoked
                .iter()
                .map(|said| self.absolute(&said.text, &said.place))
                .collect(),
        };
        Some(match asked {
            Asked::Required => ClientCertificates::Required(trust),
            Asked::Optional | Asked::Off => ClientCertificates::Optional(trust),
        })
    }

    /// `None` only if an error was pushed.
    pub(super) fn redirect_port(&mut self) -> Option<Option<u16>> {
        let port = self.said(Key::RedirectPort, |text| super::whole(text, 1, 65_535))?;
        Some(port.and_then(|port| u16::try_from(port).ok()))
    }

    /// The value of `Strict-Transport-Security` (RFC 6797 section 6.1). `None` only if an error was
    /// pushed.
    pub(super) fn hsts(&mut self) -> Option<Option<String>> {
        let age = self.duration(Key::Hsts, Duration::ZERO, 2 * YEAR_IN_HOURS);
        let subdomains = self.one(Key::HstsSubdomains, choice::switch);
        let preload = self.one(Key::HstsPreload, choice::switch);
        let (age, subdomains, preload) = (age?, subdomains?, preload?);
        // Said without effect, it would look safe and not be.
        if subdomains && age.is_zero() {
            let wrong = "names below are to be safe, and nothing says for how long";
            let expected = "--hsts DURATION beside it";
            self.refuse(&self.place_of(Key::HstsSubdomains), wrong, expected);
            return None;
        }
        let short = age < Duration::from_secs(YEAR_IN_HOURS * 3_600);
        // What the browsers' list itself demands.
        if preload && (short || !subdomains) {
            let wrong =
                "browsers know in advance only what holds for a year and for all names below";
            let expected = "--hsts 8760h and --hsts-subdomains on beside it";
            self.refuse(&self.place_of(Key::HstsPreload), wrong, expected);
            return None;
        }
        if age.is_zero() {
            return Some(None);
        }
        let mut text = format!("max-age={}", age.as_secs());
        if subdomains {
            text += "; includeSubDomains";
        }
        if preload {
            text += "; preload";
        }
        Some(Some(text))
    }
}

/// This machine's names, and what the listeners are bound to.
fn names_for_development<'b>(binds: impl Iterator<Item = &'b Bind>) -> Vec<String> {
    let mut names: Vec<String> = OF_THIS_MACHINE.map(str::to_owned).into();
    for bind in binds {
        let name = match bind {
            Bind::Ip(address) if !address.ip().is_unspecified() => address.ip().to_string(),
            Bind::Name { host, .. } => host.clone(),
            Bind::Ip(_) | Bind::Unix(_) => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn min_version(text: &str) -> Result<MinVersion, Wrong> {
    match text {
        "1.2" => Ok(MinVersion::Tls12),
        "1.3" => Ok(MinVersion::Tls13),
        _ => Err(Wrong::new(
            format!("{} is not a version of TLS that is spoken", quoted(text)),
            "1.2 or 1.3",
        )),
    }
}

fn unknown_name(text: &str) -> Result<UnknownName, Wrong> {
    match text {
        "default" => Ok(UnknownName::Default),
        "refuse" => Ok(UnknownName::Refuse),
        _ => Err(Wrong::new(
            format!("{} is neither", quoted(text)),
            "default or refuse",
        )),
    }
}

fn client_auth(text: &str) -> Result<Asked, Wrong> {
    match (text, choice::switch(text)) {
        ("optional", _) => Ok(Asked::Optional),
        ("required", _) => Ok(Asked::Required),
        (_, Ok(false)) => Ok(Asked::Off),
        _ => Err(Wrong::new(
            format!("{} is none of them", quoted(text)),
            "off, optional or required",
        )),
    }
}
