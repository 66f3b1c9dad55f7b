//! What a request's frame says of TLS: facts of the handshake, for names that no client can send.

use bytes::{BufMut, BytesMut};

use crate::frame::FrameError;
use crate::wire::{Fields, put_bytes};

/// The connection's handshake. Present only where TLS ends at Yett itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsFields<'a> {
    /// The version as on the wire: 0x0303, 0x0304.
    pub version: u16,
    /// The cipher suite's number.
    pub cipher_suite: u16,
    /// The cipher suite's name as OpenSSL writes it.
    pub cipher: &'a str,
    /// The name that the client asked for; empty if none.
    pub server_name: &'a str,
    /// The server's certificate, PEM text; empty where it is not told.
    pub server_certificate: &'a str,
    /// The client's certificate, if it showed one; it was verified.
    pub client: Option<ClientFields<'a>>,
}

/// A client's verified certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFields<'a> {
    /// The subject as RFC 4514 writes it.
    pub subject: &'a str,
    /// The issuer, likewise.
    pub issuer: &'a str,
    /// The serial number in hexadecimal digits.
    pub serial: &'a str,
    /// From when on it holds, as OpenSSL writes dates.
    pub not_before: &'a str,
    /// Until when it holds.
    pub not_after: &'a str,
    /// The chain, PEM blocks one after the other, the client's own first.
    pub chain: &'a str,
}

impl<'a> ClientFields<'a> {
    /// Each certificate of the chain as PEM text.
    pub fn certificates(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.chain.split_inclusive("-----END CERTIFICATE-----\n")
    }
}

pub(crate) fn write(out: &mut BytesMut, tls: Option<&TlsFields<'_>>) {
    let Some(tls) = tls else {
        return out.put_u8(0);
    };
    out.put_u8(if tls.client.is_some() { 2 } else { 1 });
    out.put_u16_le(tls.version);
    out.put_u16_le(tls.cipher_suite);
    for text in [tls.cipher, tls.server_name, tls.server_certificate] {
        put_bytes(out, text.as_bytes());
    }
    if let Some(client) = &tls.client {
        for text in [
            client.subject,
            client.issuer,
            client.serial,
            client.not_before,
            client.not_after,
            client.chain,
        ] {
            put_bytes(out, text.as_bytes());
        }
    }
}

pub(crate) fn read<'a>(fields: &mut Fields<'a>) -> Result<Option<TlsFields<'a>>, FrameError> {
    let with_client = match fields.u8("tls")? {
        0 => return Ok(None),
        1 => false,
        2 => true,
        _ => return Err(FrameError::Malformed("tls")),
    };
    Ok(Some(TlsFields {
        version: fields.u16("tls version")?,
        cipher_suite: fields.u16("cipher suite")?,
        cipher: fields.text("cipher")?,
        server_name: fields.text("tls server name")?,
        server_certificate: fields.text("server certificate")?,
        client: if with_client {
            Some(ClientFields {
                subject: fields.text("client's subject")?,
                issuer: fields.text("client's issuer")?,
                serial: fields.text("client's serial number")?,
                not_before: fields.text("client's begin")?,
                not_after: fields.text("client's end")?,
                chain: fields.text("client's chain")?,
            })
        } else {
            None
        },
    }))
}
