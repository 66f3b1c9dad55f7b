//! What TLS knows of a connection: facts of its handshake, never of a header.

use std::sync::Arc;

/// One connection's handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// The version, as it stands on the wire: 0x0303 for TLS 1.2, 0x0304 for TLS 1.3.
    pub version: u16,
    /// The cipher suite's number in the registry of TLS.
    pub cipher_suite: u16,
    /// The cipher suite's name as OpenSSL writes it.
    pub cipher: &'static str,
    /// The name that the client asked for.
    pub server_name: Option<Box<str>>,
    /// The server's own certificate, PEM text.
    pub server_certificate: Arc<str>,
    /// The client's certificate, if it showed one; it was verified.
    pub client: Option<ClientCertificate>,
}

/// A client's certificate that an authority of the configuration vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The chain as the client sent it, PEM texts one behind the other, its own certificate first.
    pub chain: String,
    /// The subject as RFC 4514 writes it, in ASCII.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// From when on it holds, as OpenSSL writes dates.
    pub not_before: String,
    /// Until when it holds.
    pub not_after: String,
}
