//! The operator's address, taken apart once: where to connect, whose certificate to expect, what to
//! ask for. Nothing that an issuer answers ever changes it.

use std::net::IpAddr;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use rustls::pki_types::ServerName;

use crate::Loopback;
use crate::address::{Reach, Stand};

/// An address of more bytes is refused.
const LONGEST_URL: usize = 2048;

/// What can be wrong with the address of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlFault {
    /// More than 2,048 bytes.
    #[error("the address is longer than 2048 bytes")]
    TooLong,
    /// Not an absolute address of ASCII characters.
    #[error(
        "this is not an absolute address; write it like https://issuer.example/jwks.json (a name outside ASCII in its xn-- form)"
    )]
    NotAbsolute,
    /// Neither `https` nor `http`.
    #[error("keys are fetched by https alone")]
    Scheme,
    /// Plain `http`, and not (or not admittedly) this machine.
    #[error(
        "plain http lets anybody on the way choose the keys; use https (http is for this machine alone, with loopback allowed)"
    )]
    PlainHttp,
    /// A user or password before the host.
    #[error("user and password have no place in the address; leave them out")]
    UserInfo,
    /// A `#`, which never leaves a client.
    #[error("a fragment (#) is never sent; leave it out")]
    Fragment,
    /// Not a host name or an IP address.
    #[error("the host is neither a name nor an IP address")]
    Host,
    /// A port that does not exist.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// This machine, which was not allowed.
    #[error("the host is this machine; allow loopback if that is meant")]
    Loopback,
    /// A literal that no issuer has: link-local, multicast, unspecified, reserved.
    #[error(
        "no issuer has this kind of IP address (link-local, multicast, unspecified or reserved)"
    )]
    Reserved,
}

/// Where the set is.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Whom the certificate must name; `None` for plain `http`.
    pub(crate) server_name: Option<ServerName<'static>>,
    /// Which resolved addresses may be connected to.
    pub(crate) reach: Reach,
    /// The `Host` field: as written, with the port if there was one.
    pub(crate) authority: HeaderValue,
    /// Path and query as written; `/` at least.
    pub(crate) target: Uri,
}

/// What stands between `//` and the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Endpoint {
    pub(crate) fn parse(url: &str, loopback: Loopback) -> Result<Self, UrlFault> {
        if url.len() > LONGEST_URL {
            return Err(UrlFault::TooLong);
        }
        if url.contains('#') {
            return Err(UrlFault::Fragment);
        }
        let uri: Uri = url.parse().map_err(|_| UrlFault::NotAbsolute)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(UrlFault::NotAbsolute);
        };
        if authority.as_str().contains('@') {
            return Err(UrlFault::UserInfo);
        }
        let is_tls = match scheme {
            scheme if scheme == Scheme::HTTPS => true,
            scheme if scheme == Scheme::HTTP => false,
            _ => return Err(UrlFault::Scheme),
        };
        let host = Host::parse(authority.host())?;
        let stand = host.stand();
        match (is_tls, stand, loopback) {
            (_, Stand::Reserved, _) => return Err(UrlFault::Reserved),
            (true, Stand::Loopback, Loopback::Refused) => return Err(UrlFault::Loopback),
            (false, Stand::Loopback, Loopback::Refused) | (false, Stand::Elsewhere, _) => {
                return Err(UrlFault::PlainHttp);
            }
            (true, Stand::Elsewhere, _) | (_, Stand::Loopback, Loopback::Allowed) => {}
        }
        let reach = match (is_tls, loopback) {
            (false, _) => Reach::LoopbackAlone,
            (true, Loopback::Allowed) => Reach::LoopbackToo,
            (true, Loopback::Refused) => Reach::Elsewhere,
        };
        let port = port(authority.as_str(), authority.host())?;
        let server_name = is_tls.then(|| host.server_name()).transpose()?;
        Ok(Self {
            host,
            port: port.unwrap_or(if is_tls { 443 } else { 80 }),
            server_name,
            reach,
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| UrlFault::Host)?,
            target: Uri::from(
                parts
                    .path_and_query
                    .unwrap_or_else(|| PathAndQuery::from_static("/")),
            ),
        })
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, UrlFault> {
        if let Some(literal) = host.strip_prefix('[') {
            let literal = literal.strip_suffix(']').ok_or(UrlFault::Host)?;
            return literal
                .parse()
                .map(|ip| Self::Ip(IpAddr::V6(ip)))
                .map_err(|_| UrlFault::Host);
        }
        if let Ok(ip) = host.parse() {
            return Ok(Self::Ip(IpAddr::V4(ip)));
        }
        // Also for plain http, where no certificate needs it: the rules for names are the same.
        match ServerName::try_from(host) {
            Ok(ServerName::DnsName(_)) => Ok(Self::Name(host.to_ascii_lowercase())),
            _ => Err(UrlFault::Host),
        }
    }

    /// What can be said before anything is resolved. Odd spellings (`127.1`, a name that points
    /// here) are seen for what they are when they are resolved.
    fn stand(&self) -> Stand {
        match self {
            Self::Ip(ip) => Stand::of(*ip),
            Self::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                // RFC 6761 section 6.3.
                if name == "localhost" || name.ends_with(".localhost") {
                    Stand::Loopback
                } else {
                    Stand::Elsewhere
                }
            }
        }
    }

    fn server_name(&self) -> Result<ServerName<'static>, UrlFault> {
        match self {
            Self::Ip(ip) => Ok(ServerName::from(*ip)),
            Self::Name(name) => ServerName::try_from(name.clone()).map_err(|_| UrlFault::Host),
        }
    }
}

/// The port, if one is written. [`http`] takes `:`, `:0` and `:99999` without a word.
fn port(authority: &str, host: &str) -> Result<Option<u16>, UrlFault> {
    match authority.strip_prefix(host) {
        Some("") => Ok(None),
        Some(rest) => rest
            .strip_prefix(':')
            .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|port| port.parse().ok())
            .filter(|port| *port != 0)
            .map(Some)
            .ok_or(UrlFault::Port),
        None => Err(UrlFault::Host),
    }
}

#[cfg(test)]
mod tests;
