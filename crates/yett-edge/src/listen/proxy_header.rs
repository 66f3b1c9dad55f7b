//! The PROXY protocol, versions 1 and 2: what a proxy that does not speak HTTP writes in front of a
//! connection's own bytes (haproxy.org, `doc/proxy-protocol.txt`).
//!
//! Only a trusted proxy is listened to; whoever else connects where such a header is expected is
//! let go without an answer. The header is read exactly: what stands behind it, be it TLS or HTTP,
//! stays in the socket. It must be whole within the time that a request's head has.
//!
//! Bounds: version 1 has at most 107 bytes, of version 2 at most 16 KiB are taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;
use yett_gate::{Arrival, ClientAddr, ServerAddr};

use super::Preface;
use crate::log::Warning;
use crate::meters::Limit;
use crate::service::Services;
use crate::settings::EdgeSettings;

/// How version 2 begins; no text does.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// How version 1 begins.
const WORD: &[u8] = b"PROXY ";

/// Longest line of version 1 with its end.
const LONGEST_V1: usize = 107;

/// Bytes of version 2 before the addresses.
const FIXED_V2: usize = 16;

/// Longest rest of version 2: addresses and TLVs, among which a certificate may be.
const LONGEST_V2: usize = 16 * 1024;

/// What a proxy says of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// It is the proxy's own, such as a health check.
    Own,
    /// It is somebody's whose address has no place here: of another family, or unknown.
    Unnamed {
        /// That client's own connection is encrypted.
        encrypted: bool,
    },
    /// It is this client's, who asked for this address.
    Named {
        /// The client.
        client: SocketAddr,
        /// What the client connected to.
        server: SocketAddr,
        /// That client's own connection is encrypted.
        encrypted: bool,
    },
}

/// Why a connection's first bytes are no header that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyHeaderError {
    /// Neither of the two beginnings.
    #[error("the connection does not begin with a PROXY header")]
    NoHeader,
    /// Version 1: more bytes than a line may have.
    #[error("the PROXY line does not end where it must")]
    TooLong,
    /// Version 1: not the words and addresses that it must have.
    #[error("the PROXY line is malformed")]
    BadLine,
    /// Version 2: another version, command or family.
    #[error("the PROXY header has a version, command or family that is not known")]
    Unknown,
    /// Version 2: lengths that do not fit.
    #[error("the PROXY header has lengths that do not fit")]
    BadLength,
    /// Version 2: the sum is not that of the bytes.
    #[error("the PROXY header was damaged on its way")]
    BadChecksum,
    /// The connection ended in the middle of it.
    #[error("the connection ended in the middle of the PROXY header")]
    Cut,
    /// It was not whole in time.
    #[error("the PROXY header did not arrive in time")]
    TooSlow,
    /// The peer is nobody who is listened to.
    #[error("a PROXY header is expected, and the peer is no trusted proxy")]
    NotTrusted,
}

/// Reads a whole header.
///
/// # Errors
/// [`ProxyHeaderError`].
pub fn parse(header: &[u8]) -> Result<ProxyHeader, ProxyHeaderError> {
    if header.starts_with(&SIGNATURE) {
        parse_v2(header)
    } else if header.starts_with(WORD) {
        parse_v1(header)
    } else {
        Err(ProxyHeaderError::NoHeader)
    }
}

fn parse_v1(header: &[u8]) -> Result<ProxyHeader, ProxyHeaderError> {
    let bad = ProxyHeaderError::BadLine;
    let line = header.strip_prefix(WORD).ok_or(bad)?;
    let line = line.strip_suffix(b"\r\n").ok_or(bad)?;
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        // Behind it anything may stand, and means nothing.
        return Ok(ProxyHeader::Unnamed { encrypted: false });
    }
    let line = std::str::from_utf8(line).map_err(|_| bad)?;
    let words: Vec<&str> = line.split(' ').collect();
    let [family, client, server, client_port, server_port] = words.as_slice() else {
        return Err(bad);
    };
    let address = |text: &str| -> Option<IpAddr> {
        match *family {
            "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let end = |text, number| Some(SocketAddr::new(address(text)?, port(number)?));
    Ok(ProxyHeader::Named {
        client: end(client, client_port).ok_or(bad)?,
        server: end(server, server_port).ok_or(bad)?,
        encrypted: false,
    })
}

/// Digits without leading zeros.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

fn parse_v2(header: &[u8]) -> Result<ProxyHeader, ProxyHeaderError> {
    let (fixed, rest) = header
        .split_first_chunk::<FIXED_V2>()
        .ok_or(ProxyHeaderError::BadLength)?;
    if usize::from(length_v2(fixed)) != rest.len() {
        return Err(ProxyHeaderError::BadLength);
    }
    let [.., command, family, _, _] = *fixed;
    match command {
        // What the proxy says beside it means nothing.
        0x20 => return Ok(ProxyHeader::Own),
        0x21 => {}
        _ => return Err(ProxyHeaderError::Unknown),
    }
    let mut bytes = Bytes(rest);
    let ends = match family {
        // UNSPEC: whatever follows is skipped, as the standard demands.
        0x00 => return Ok(ProxyHeader::Unnamed { encrypted: false }),
        0x11 => Some(bytes.ends(|bytes| bytes.take::<4>().map(IpAddr::from))?),
        0x21 => Some(bytes.ends(|bytes| bytes.take::<16>().map(IpAddr::from))?),
        0x31 => {
            let _paths = bytes.take::<216>()?;
            None
        }
        // Datagrams have no connections.
        _ => return Err(ProxyHeaderError::Unknown),
    };
    let encrypted = bytes.values(header)?;
    Ok(match ends {
        None => ProxyHeader::Unnamed { encrypted },
        Some((client, server)) => ProxyHeader::Named {
            client,
            server,
            encrypted,
        },
    })
}

/// Length of what follows the fixed part.
const fn length_v2(fixed: &[u8; FIXED_V2]) -> u16 {
    let [.., high, low] = *fixed;
    u16::from_be_bytes([high, low])
}

/// What is left of a header.
struct Bytes<'h>(&'h [u8]);

impl<'h> Bytes<'h> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProxyHeaderError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(ProxyHeaderError::BadLength)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn take_slice(&mut self, length: usize) -> Result<&'h [u8], ProxyHeaderError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(ProxyHeaderError::BadLength)?;
        self.0 = rest;
        Ok(taken)
    }

    fn ends(
        &mut self,
        address: fn(&mut Self) -> Result<IpAddr, ProxyHeaderError>,
    ) -> Result<(SocketAddr, SocketAddr), ProxyHeaderError> {
        let (client, server) = (address(self)?, address(self)?);
        let client_port = u16::from_be_bytes(self.take()?);
        let server_port = u16::from_be_bytes(self.take()?);
        Ok((
            SocketAddr::new(client, client_port),
            SocketAddr::new(server, server_port),
        ))
    }

    /// Goes over the TLVs: the sum is compared, and whether the client's own connection is
    /// encrypted is returned; all others are skipped.
    fn values(&mut self, header: &[u8]) -> Result<bool, ProxyHeaderError> {
        const CRC32C: u8 = 0x03;
        const SSL: u8 = 0x20;
        const CLIENT_SSL: u8 = 0x01;
        let mut encrypted = false;
        while !self.0.is_empty() {
            let [kind] = self.take()?;
            let length = u16::from_be_bytes(self.take()?);
            let at = header.len() - self.0.len();
            let value = self.take_slice(usize::from(length))?;
            match kind {
                CRC32C => {
                    let told: [u8; 4] =
                        value.try_into().map_err(|_| ProxyHeaderError::BadLength)?;
                    if u32::from_be_bytes(told) != checksum(header, at) {
                        return Err(ProxyHeaderError::BadChecksum);
                    }
                }
                SSL => {
                    // Flags, four bytes of a verdict on the certificate, further TLVs.
                    let (flags, _) = value
                        .split_first_chunk::<5>()
                        .ok_or(ProxyHeaderError::BadLength)?;
                    encrypted = flags.first().is_some_and(|flags| flags & CLIENT_SSL != 0);
                }
                _ => {}
            }
        }
        Ok(encrypted)
    }
}

/// CRC-32C (RFC 9260, appendix A) of a header in which the four bytes of the sum count as zero. A
/// header is short and comes once a connection, so it goes bit by bit.
fn checksum(header: &[u8], sum_at: usize) -> u32 {
    let mut sum = u32::MAX;
    for (place, byte) in header.iter().enumerate() {
        let in_sum = (sum_at..sum_at + 4).contains(&place);
        sum ^= u32::from(if in_sum { 0 } else { *byte });
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82F6_3B78 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

impl ProxyHeader {
    /// The facts of a connection of the proxy's, as far as they are another one's.
    #[must_use]
    pub fn tell(self, arrival: Arrival) -> Arrival {
        let (arrival, encrypted) = match self {
            Self::Own => (arrival, false),
            Self::Unnamed { encrypted } => (arrival.relayed_unnamed(), encrypted),
            Self::Named {
                client,
                server,
                encrypted,
            } => {
                let (client, server) = (ClientAddr::Ip(client), ServerAddr::Ip(server));
                (arrival.relayed_for(client, server), encrypted)
            }
        };
        if encrypted {
            arrival.encrypted()
        } else {
            arrival
        }
    }
}

/// Reads a header off a stream, and not one byte more. `None`: the stream ended before its first one,
/// as with a balancer that only looks whether somebody listens.
///
/// # Errors
/// The stream's, or [`ProxyHeaderError`] as the source of one of the kind `InvalidData`.
pub async fn read<S>(stream: &mut S) -> io::Result<Option<ProxyHeader>>
where
    S: AsyncRead + Unpin,
{
    let mut header = vec![0; SIGNATURE.len()];
    let begun = stream.read(&mut header).await?;
    if begun == 0 {
        return Ok(None);
    }
    header.truncate(begun);
    let whole = read_begun(stream, &mut header).await;
    whole.map(Some).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid(ProxyHeaderError::Cut),
        _ => error,
    })
}

async fn read_begun<S>(stream: &mut S, header: &mut Vec<u8>) -> io::Result<ProxyHeader>
where
    S: AsyncRead + Unpin,
{
    let missing = SIGNATURE.len() - header.len();
    read_more(stream, header, missing).await?;
    if *header == SIGNATURE {
        read_more(stream, header, FIXED_V2 - SIGNATURE.len()).await?;
        let length = header
            .first_chunk::<FIXED_V2>()
            .map_or(0, |fixed| usize::from(length_v2(fixed)));
        if length > LONGEST_V2 {
            return Err(invalid(ProxyHeaderError::BadLength));
        }
        read_more(stream, header, length).await?;
    } else if header.starts_with(WORD) {
        while !header.ends_with(b"\r\n") {
            // At least so much is missing, so nothing behind the line is taken.
            let missing = if header.ends_with(b"\r") { 1 } else { 2 };
            if header.len() + missing > LONGEST_V1 {
                return Err(invalid(ProxyHeaderError::TooLong));
            }
            read_more(stream, header, missing).await?;
        }
    }
    parse(header).map_err(invalid)
}

async fn read_more<S>(stream: &mut S, header: &mut Vec<u8>, count: usize) -> io::Result<()>
where
    S: AsyncRead + Unpin,
{
    let from = header.len();
    header.resize(from + count, 0);
    let room = header.get_mut(from..).unwrap_or_default();
    stream.read_exact(room).await.map(drop)
}

fn invalid(error: ProxyHeaderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Reads what a listener's connections begin with. `None`: this one is to be closed.
pub(crate) async fn pass<S>(
    preface: Preface,
    stream: &mut S,
    arrival: Arrival,
    services: &Services,
    settings: &EdgeSettings,
) -> Option<Arrival>
where
    S: AsyncRead + Unpin,
{
    if preface == Preface::None {
        return Some(arrival);
    }
    let refused = if settings.head.proxies.trusts_peer(&arrival) {
        match timeout(settings.head_timeout, read(stream)).await {
            Ok(Ok(header)) => return header.map(|header| header.tell(arrival)),
            Ok(Err(error)) => error.downcast::<ProxyHeaderError>().ok()?,
            Err(_slow) => ProxyHeaderError::TooSlow,
        }
    } else {
        ProxyHeaderError::NotTrusted
    };
    let log = services.log();
    log.met(Limit::ProxyHeader);
    // No request came that could have a record, but whoever set up the proxy must learn why nothing works.
    log.warn(Warning::ProxyHeader, || {
        let peer = match arrival.client() {
            ClientAddr::Ip(address) => address.ip().to_string(),
            ClientAddr::Unix => String::from("the Unix socket"),
        };
        format!("a connection from {peer} was closed: {refused}")
    });
    None
}

#[cfg(test)]
mod tests;
