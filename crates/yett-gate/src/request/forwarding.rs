//! What proxies say of a request's origin: read where they are trusted, gone where they are not.
//!
//! | | from a peer that is not trusted | from a trusted one |
//! | --- | --- | --- |
//! | `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, or `Forwarded` | dropped | read, and replaced by what was found |
//! | headers of one address, such as `X-Real-IP` | dropped | replaced by the address that was found |
//! | other spellings of the scheme or the host | dropped | dropped |
//! | other `X-Forwarded-…`, such as `-Prefix` | dropped | as the proxy wrote them |
//! | who the client is, such as `Remote-User` (`asserted.rs`) | dropped | as the proxy wrote them |
//!
//! The client is the rightmost hop that is not trusted. What stands further left was written by who
//! knows whom, and counts for nothing; of `Forwarded` alone it must be of the grammar
//! (`forwarded.rs` says why). Scheme, host and port are the nearest proxy's word. A word
//! that is needed and cannot be read refuses the request: to go on with the proxy's own address
//! would make a stranger one of the house.

use std::net::SocketAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::asserted::names_somebody;
use super::forwarded::{Element, Node, address, elements, port_number};
use super::{Arrival, BadRequest, ClientAddr, HeadRules, Host, Scheme};

/// Which headers a trusted proxy speaks by. The other ones are dropped: a proxy passes on what it
/// does not know, so a client could say there what it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardingHeaders {
    /// `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whether the host and the port are taken from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHost {
    /// The header `Host` counts.
    #[default]
    Ignored,
    /// What the nearest trusted proxy says counts, if it says something.
    Trusted,
}

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
const PORT: &str = "x-forwarded-port";

/// Headers of one address, which some proxies write and some applications read.
const ADDRESSES: [&str; 9] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "true-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
];

/// Other spellings of what the headers above say; believed of nobody.
const SYNONYMS: [&str; 11] = [
    "forwarded-for",
    "front-end-https",
    "x-forwarded",
    "x-forwarded-protocol",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-host",
    "x-original-forwarded-for",
    "x-scheme",
    "x-url-scheme",
];

/// Whether a header, whatever its case, speaks of a request's origin, or says who the client is: then it is
/// dropped where the peer is not trusted.
#[must_use]
pub fn speaks_of_origin(name: &str) -> bool {
    is_word_of_a_proxy(&name.to_ascii_lowercase())
}

/// Whether a header, in lower case, counts from a trusted proxy alone.
pub(super) fn is_word_of_a_proxy(name: &str) -> bool {
    is_of_origin(name) || names_somebody(name)
}

/// Whether a header, in lower case, speaks of a request's origin.
pub(super) fn is_of_origin(name: &str) -> bool {
    name == "forwarded"
        || name.starts_with("x-forwarded")
        || ADDRESSES.contains(&name)
        || SYNONYMS.contains(&name)
}

/// Where a request came from, as far as it can be believed.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) client: ClientAddr,
    pub(super) scheme: Scheme,
    pub(super) host: Option<Host>,
    pub(super) port: Option<u16>,
}

/// What the hops said, before it is judged.
#[derive(Debug, Default)]
struct Words {
    /// The client first, then each trusted hop but the nearest.
    hops: Vec<SocketAddr>,
    scheme: Option<Scheme>,
    host: Option<Host>,
    port: Option<u16>,
}

/// Reads what is to be believed, and leaves in the headers nothing else.
pub(super) fn settle(
    headers: &mut HeaderMap,
    arrival: &Arrival,
    rules: &HeadRules,
) -> Result<Told, BadRequest> {
    let mut told = Told {
        client: arrival.client(),
        scheme: arrival.scheme(),
        host: None,
        port: None,
    };
    let of_proxies = |name: &HeaderName| is_word_of_a_proxy(name.as_str());
    if !headers.keys().any(of_proxies) {
        return Ok(told);
    }
    if !rules.proxies.trusts_peer(arrival) {
        remove(headers, is_word_of_a_proxy);
        return Ok(told);
    }
    if !headers.keys().any(|name| is_of_origin(name.as_str())) {
        return Ok(told);
    }
    let words = match rules.forwarding {
        ForwardingHeaders::XForwarded => read_x_forwarded(headers, rules)?,
        ForwardingHeaders::Forwarded => read_forwarded(headers, rules)?,
    };
    if let Some(client) = words.hops.first() {
        told.client = ClientAddr::Ip(*client);
    }
    told.scheme = words.scheme.unwrap_or(told.scheme);
    told.port = words.port;
    rewrite(headers, &words, told.client, rules.forwarding);
    told.host = words.host;
    Ok(told)
}

fn remove(headers: &mut HeaderMap, which: impl Fn(&str) -> bool) {
    let names = headers.keys().filter(|name| which(name.as_str()));
    for name in names.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

fn read_x_forwarded(headers: &HeaderMap, rules: &HeadRules) -> Result<Words, BadRequest> {
    let mut hops = Vec::new();
    for member in members(headers, FOR) {
        let text = text(member)?;
        let address = address(text).ok_or(if text.eq_ignore_ascii_case("unknown") {
            BadRequest::HiddenClient
        } else {
            BadRequest::BadForwarding
        })?;
        hops.push(address);
        if !rules.proxies.trusts_hop(ClientAddr::Ip(address)) {
            break;
        }
    }
    hops.reverse();
    let nearest = |name| members(headers, name).next().map(text).transpose();
    let mut words = Words {
        hops,
        scheme: nearest(PROTO)?.map(scheme).transpose()?,
        ..Words::default()
    };
    if rules.forwarded_host == ForwardedHost::Trusted {
        words.host = nearest(HOST)?.map(host).transpose()?;
        let port = |text| port_number(text).filter(|port| *port != 0);
        words.port = nearest(PORT)?
            .map(|text| port(text).ok_or(BadRequest::BadForwarding))
            .transpose()?;
    }
    Ok(words)
}

/// The members of a list header that may stand in several lines, from its end; empty ones are
/// passed over (RFC 9110 section 5.6.1).
fn members<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    let lines: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

fn text(member: &[u8]) -> Result<&str, BadRequest> {
    std::str::from_utf8(member).map_err(|_| BadRequest::BadForwarding)
}

/// Some proxies say `ws` and `wss` of requests for WebSockets.
fn scheme(text: &str) -> Result<Scheme, BadRequest> {
    let is = |scheme: &str| text.eq_ignore_ascii_case(scheme);
    if is("https") || is("wss") {
        Ok(Scheme::Https)
    } else if is("http") || is("ws") {
        Ok(Scheme::Http)
    } else {
        Err(BadRequest::BadForwarding)
    }
}

fn host(text: &str) -> Result<Host, BadRequest> {
    Host::parse(text.as_bytes()).map_err(|_| BadRequest::BadForwarding)
}

fn read_forwarded(headers: &HeaderMap, rules: &HeadRules) -> Result<Words, BadRequest> {
    let mut all: Vec<Element<'_>> = Vec::new();
    for line in headers.get_all(header::FORWARDED) {
        let line = elements(text(line.as_bytes())?).ok_or(BadRequest::BadForwarding)?;
        all.extend(line);
    }
    let mut words = Words::default();
    for element in all.iter().rev() {
        // A hop that does not say for whom it speaks hides whoever stands before it.
        let address = match element.node {
            Some(Node::Address(address)) => canonical(address),
            Some(Node::Hidden) | None => return Err(BadRequest::HiddenClient),
        };
        words.hops.push(address);
        if !rules.proxies.trusts_hop(ClientAddr::Ip(address)) {
            break;
        }
    }
    words.hops.reverse();
    if let Some(nearest) = all.last() {
        words.scheme = nearest.proto.as_deref().map(scheme).transpose()?;
        if rules.forwarded_host == ForwardedHost::Trusted {
            words.host = nearest.host.as_deref().map(host).transpose()?;
        }
    }
    Ok(words)
}

fn canonical(address: SocketAddr) -> SocketAddr {
    (address.ip().to_canonical(), address.port()).into()
}

/// Puts what was found where the proxies' words were.
fn rewrite(
    headers: &mut HeaderMap,
    words: &Words,
    client: ClientAddr,
    forwarding: ForwardingHeaders,
) {
    let client = match client {
        ClientAddr::Ip(address) => Some(address.ip().to_canonical().to_string()),
        ClientAddr::Unix => None,
    };
    let addresses: Vec<&'static str> = ADDRESSES
        .into_iter()
        .filter(|name| headers.contains_key(*name))
        .collect();
    remove(headers, |name| {
        name == "forwarded"
            || [FOR, PROTO, HOST, PORT].contains(&name)
            || ADDRESSES.contains(&name)
            || SYNONYMS.contains(&name)
    });
    let mut set = |name: HeaderName, value: String| {
        // Made of addresses, schemes and checked hosts: always a header's value.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    if let Some(client) = client {
        for name in addresses {
            set(HeaderName::from_static(name), client.clone());
        }
    }
    match forwarding {
        ForwardingHeaders::XForwarded => {
            let hops: Vec<String> = words.hops.iter().map(|hop| hop.ip().to_string()).collect();
            if !hops.is_empty() {
                set(HeaderName::from_static(FOR), hops.join(", "));
            }
            if let Some(scheme) = words.scheme {
                set(HeaderName::from_static(PROTO), scheme.as_str().to_owned());
            }
            if let Some(host) = &words.host {
                set(HeaderName::from_static(HOST), host.as_str().to_owned());
            }
            if let Some(port) = words.port {
                set(HeaderName::from_static(PORT), port.to_string());
            }
        }
        ForwardingHeaders::Forwarded => {
            if let Some(line) = forwarded(words) {
                set(header::FORWARDED, line);
            }
        }
    }
}

fn forwarded(words: &Words) -> Option<String> {
    let node = |hop: &SocketAddr| match hop.ip() {
        std::net::IpAddr::V4(address) => format!("for={address}"),
        std::net::IpAddr::V6(address) => format!("for=\"[{address}]\""),
    };
    let mut line = words.hops.iter().map(node).collect::<Vec<_>>().join(", ");
    if line.is_empty() {
        return None;
    }
    // Those of the nearest proxy, whose element is the last.
    if let Some(scheme) = words.scheme {
        line += &format!(";proto={}", scheme.as_str());
    }
    if let Some(host) = &words.host {
        line += &format!(";host=\"{}\"", host.as_str());
    }
    Some(line)
}

#[cfg(test)]
mod tests;
