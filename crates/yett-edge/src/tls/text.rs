//! Dates, fingerprints, addresses and names of certificates as text.

use std::fmt::Write as _;
use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use time::macros::format_description;
use x509_parser::prelude::X509Name;
use yett_jwt::UnixSeconds;

/// `2026-11-22 13:15:20 UTC`.
pub(super) fn date(at: UnixSeconds) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    moment(at)
        .and_then(|at| at.format(form).ok())
        .unwrap_or_else(|| at.get().to_string())
}

/// `Nov 22 13:15:20 2026 GMT`, as OpenSSL prints a certificate's dates.
pub(super) fn openssl_date(at: UnixSeconds) -> String {
    let form = format_description!(
        "[month repr:short] [day padding:space] [hour]:[minute]:[second] [year] GMT"
    );
    moment(at)
        .and_then(|at| at.format(form).ok())
        .unwrap_or_else(|| at.get().to_string())
}

fn moment(at: UnixSeconds) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.get()).ok()
}

/// A few names, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 3;
    if names.is_empty() {
        return String::from("no name");
    }
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _infallible = write!(text, " and {more} more");
    }
    text
}

/// SHA-256 of a certificate, as browsers and OpenSSL show it.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex(digest(&SHA256, certificate).as_ref(), ":")
}

/// Upper-case hexadecimal pairs.
pub(super) fn hex(bytes: &[u8], between: &str) -> String {
    let mut text = String::with_capacity(bytes.len() * (2 + between.len()));
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 {
            text.push_str(between);
        }
        let _infallible = write!(text, "{byte:02X}");
    }
    text
}

/// The address in a certificate: 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<String> {
    let address = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(address.to_string())
}

/// A distinguished name as RFC 4514 writes it: the last part first, no spaces between.
///
/// Bytes above ASCII are written as escaped pairs, as OpenSSL, nginx and Apache do, so the text is
/// the same for WSGI, whose strings are Latin-1, and for ASGI.
pub(super) fn distinguished_name(name: &X509Name<'_>) -> String {
    let parts: Vec<String> = name
        .iter_rdn()
        .map(|part| {
            let values = part.iter().map(|one| {
                let kind = one.attr_type().to_id_string();
                match (short_name(&kind), one.as_str()) {
                    (Some(short), Ok(text)) => format!("{short}={}", escaped(text)),
                    // Not a string, or of a kind without a name: the encoded value.
                    (short, _) => {
                        let kind = short.unwrap_or(&kind);
                        let value = encoded(one.attr_value().header.tag().0, one.as_slice());
                        format!("{kind}=#{value}")
                    }
                }
            });
            values.collect::<Vec<_>>().join("+")
        })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// Short names of RFC 4514 section 3, and those that OpenSSL's users expect beside them.
fn short_name(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.42" => "GN",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

/// A value's DER as hexadecimal digits: tag, length, bytes.
fn encoded(tag: u32, bytes: &[u8]) -> String {
    let tag = u8::try_from(tag).unwrap_or_default();
    let length = bytes.len().to_be_bytes();
    let length = match bytes.len() {
        0..=0x7f => length.last().map(|last| vec![*last]).unwrap_or_default(),
        _ => {
            let used: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
            let mut long = vec![0x80 | u8::try_from(used.len()).unwrap_or_default()];
            long.extend(used);
            long
        }
    };
    hex(&[tag], "") + &hex(&length, "") + &hex(bytes, "")
}

/// RFC 4514 section 2.4.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'#' if place == 0 => out.push_str("\\#"),
            b' ' if place == 0 || place == last => out.push_str("\\ "),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _infallible = write!(out, "\\{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::*;

    #[test]
    fn names_are_written_backwards_and_escaped() {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let kinds = [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Fish, Chips + \"Co\""),
            (DnType::OrganizationalUnitName, "#1 Büro "),
            (DnType::CustomDnType(vec![2, 5, 4, 12]), "a\nb"),
            (DnType::CustomDnType(vec![2, 5, 4, 65]), "ps"),
            (DnType::CommonName, "alice"),
        ];
        for (kind, text) in kinds {
            params.distinguished_name.push(kind, text);
        }
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (_, parsed) = X509Certificate::from_der(made.der()).unwrap();
        assert_eq!(
            distinguished_name(parsed.subject()),
            "CN=alice,2.5.4.65=#0C027073,title=a\\0Ab,OU=\\#1 B\\C3\\BCro\\ ,O=Fish\\, Chips \\+ \\\"Co\\\",C=DE"
        );
    }

    #[test]
    fn dates_and_addresses_are_text() {
        let at = UnixSeconds::new(1_795_349_405);
        assert_eq!(date(at), "2026-11-22 12:10:05 UTC");
        assert_eq!(openssl_date(at), "Nov 22 12:10:05 2026 GMT");
        assert_eq!(address(&[127, 0, 0, 1]).as_deref(), Some("127.0.0.1"));
        assert_eq!(address(&[0; 16]).as_deref(), Some("::"));
        assert_eq!(address(&[1, 2]), None);
        assert_eq!(encoded(12, &[7; 300]).get(..8), Some("0C82012C"));
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).into();
        assert_eq!(listed(&names), "a, b, c and 2 more");
        assert_eq!(listed(&[]), "no name");
    }
}
