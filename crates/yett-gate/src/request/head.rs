//! The request head as every later stage sees it: canonical target, one host, cleaned headers.
//!
//! Cleaning decides what the application can be told by a client. Dropped are names that WSGI
//! would merge with another (`X_User` and `X-User` both become `HTTP_X_USER`), `Proxy` (httpoxy),
//! Yett's own names, and what belongs to this one connection (RFC 9110, 7.6.1). Refused is a
//! `Connection` header that would have a header dropped that is meant for the application.
//!
//! Client, scheme and host are those of the connection and of `Host`, unless a trusted proxy says
//! otherwise (`forwarding.rs`).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Uri, Version};

use super::forwarding::{self, Told, is_word_of_a_proxy};
use super::{
    Arrival, AuthScheme, BadRequest, ClientAddr, Credential, HeadRules, Host, RequestIdHeader,
    Scheme, Target,
};

/// Headers that end at this connection and mean nothing to the application.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that `Connection` must not strip: an earlier proxy, or we, rely on them.
const END_TO_END: [&str; 20] = [
    "accept",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "host",
    "if-match",
    "if-none-match",
    "max-forwards",
    "origin",
    "pragma",
    "range",
    "referer",
    "user-agent",
    "via",
];

/// A request head, canonical and cleaned. Proves nothing about who sent it.
///
/// `Debug` prints no header, for they hold tokens and cookies.
///
/// It changes hands many times on its way, so what it holds stays in one place.
pub struct RequestHead(Box<Settled>);

struct Settled {
    method: Method,
    target: Target,
    version: Version,
    headers: HeaderMap,
    host: Option<Host>,
    arrival: Arrival,
    client: ClientAddr,
    scheme: Scheme,
    port: Option<u16>,
    body_length: BodyLength,
}

/// An extension of [`Parts`]: a body follows, as the framing of HTTP/2 says. There, a body needs
/// neither of the headers by which HTTP/1.1 tells (RFC 9113, 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyFollows;

/// How long the body is that follows the head (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// `Content-Length`, in bytes.
    Known(u64),
    /// Unknown: it ends with its last chunk, or with its stream.
    Chunked,
}

impl RequestHead {
    /// Makes a canonical and cleaned head of what the HTTP layer read.
    ///
    /// # Errors
    /// [`BadRequest`]; the connection cannot be trusted to be in step afterwards, so close it.
    pub fn parse(parts: Parts, arrival: Arrival, rules: &HeadRules) -> Result<Self, BadRequest> {
        let Parts {
            method,
            uri,
            version,
            mut headers,
            extensions,
            ..
        } = parts;
        if method
            .as_str()
            .bytes()
            .any(|byte| byte.is_ascii_lowercase())
        {
            return Err(BadRequest::SmallMethod);
        }
        let target = Target::parse(&method, &uri)?;
        let mut host = one_host(&uri, version, &mut headers)?;
        if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
            return Err(BadRequest::TwoAuthorizations);
        }
        check_expectation(&headers)?;
        let body_length = match body_length(&headers, version)? {
            BodyLength::None if extensions.get::<BodyFollows>().is_some() => BodyLength::Chunked,
            length => length,
        };
        strip_connection(&mut headers)?;
        let told = forwarding::settle(&mut headers, &arrival, rules)?;
        let Told { client, scheme, .. } = told;
        if let Some(told) = told.host {
            let value = HeaderValue::from_str(told.as_str());
            headers.insert(header::HOST, value.map_err(|_| BadRequest::BadForwarding)?);
            host = Some(told);
        }
        if let Some(allowed) = &rules.allowed_hosts
            && !host.as_ref().is_some_and(|host| allowed.allow(host))
        {
            return Err(BadRequest::ForeignHost);
        }
        strip_names(&mut headers, rules)?;
        Ok(Self(Box::new(Settled {
            method,
            target,
            version,
            headers,
            host,
            arrival,
            client,
            scheme,
            port: told.port,
            body_length,
        })))
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The canonical target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// The protocol version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The cleaned headers: at most one `Host`, at most one `Authorization`.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The host; `None` only for HTTP/1.0 without a `Host` header.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.0.host.as_ref()
    }

    /// Who asked: the peer, or whom trusted proxies name.
    #[must_use]
    pub fn client(&self) -> ClientAddr {
        self.0.client
    }

    /// What the client asked over: the connection's scheme, or what a trusted proxy says.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    /// The port that the client asked at, if a trusted proxy says it.
    #[must_use]
    pub fn forwarded_port(&self) -> Option<u16> {
        self.0.port
    }

    /// Facts of the connection.
    #[must_use]
    pub fn arrival(&self) -> &Arrival {
        &self.0.arrival
    }

    /// How long the body is.
    #[must_use]
    pub fn body_length(&self) -> BodyLength {
        self.0.body_length
    }

    /// The bearer credential, unproved, under one of these schemes.
    #[must_use]
    pub fn credential(&self, schemes: &[AuthScheme]) -> Credential<'_> {
        match self.0.headers.get(header::AUTHORIZATION) {
            Some(value) => Credential::read(value.as_bytes(), schemes),
            None => Credential::Missing,
        }
    }

    /// Gives the request its id: whatever the client sent in this header's place, in any spelling,
    /// is gone.
    pub fn name(&mut self, header: &RequestIdHeader, id: HeaderValue) {
        self.drop_headers(std::slice::from_ref(header.name()));
        self.0.headers.insert(header.name().clone(), id);
    }

    /// Drops headers that carry an identity towards the application or an upstream, in every
    /// spelling: one with an underscore may have been let through.
    pub(crate) fn drop_headers(&mut self, names: &[HeaderName]) {
        for name in names {
            self.0.headers.remove(name);
        }
        let is_other_spelling = |name: &&HeaderName| {
            name.as_str().contains('_')
                && HeaderName::from_bytes(name.as_str().replace('_', "-").as_bytes())
                    .is_ok_and(|name| names.contains(&name))
        };
        let others = self.0.headers.keys().filter(is_other_spelling).cloned();
        for name in others.collect::<Vec<_>>() {
            self.0.headers.remove(name);
        }
    }
}

impl std::fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.0.method)
            .field("uri", &self.0.target.uri())
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}

/// The one host of a request (RFC 9112, 3.2; RFC 9113, 8.3.1).
fn one_host(
    uri: &Uri,
    version: Version,
    headers: &mut HeaderMap,
) -> Result<Option<Host>, BadRequest> {
    let authority = uri.authority().map(|authority| authority.as_str());
    let mut values = headers.get_all(header::HOST).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(BadRequest::TwoHosts);
    }
    let host = value
        .map(|value| Host::parse(value.as_bytes()))
        .transpose()?;
    match (host, authority) {
        (Some(host), None) => Ok(Some(host)),
        (Some(host), Some(authority)) if host.as_str().eq_ignore_ascii_case(authority) => {
            Ok(Some(host))
        }
        (Some(_), Some(_)) => Err(BadRequest::AuthorityMismatch),
        // HTTP/2 sends `:authority` instead; the application knows `Host` alone.
        (None, Some(authority)) if version >= Version::HTTP_2 => {
            let host = Host::parse(authority.as_bytes())?;
            let value = HeaderValue::from_str(authority).map_err(|_| BadRequest::BadHost)?;
            headers.insert(header::HOST, value);
            Ok(Some(host))
        }
        (None, None) if version < Version::HTTP_11 => Ok(None),
        (None, _) => Err(BadRequest::NoHost),
    }
}

fn body_length(headers: &HeaderMap, version: Version) -> Result<BodyLength, BadRequest> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(BodyLength::None),
        // HTTP/2 has no transfer codings (RFC 9113, 8.2.2).
        (_, Some(_)) if version >= Version::HTTP_2 => Err(BadRequest::TransferCoding),
        (Some(_), Some(_)) => Err(BadRequest::TwoLengths),
        (Some(length), None) => {
            if lengths.next().is_some() {
                return Err(BadRequest::BadLength);
            }
            decimal(length.as_bytes())
                .map(BodyLength::Known)
                .ok_or(BadRequest::BadLength)
        }
        (None, Some(coding)) => {
            let chunked = coding
                .as_bytes()
                .trim_ascii()
                .eq_ignore_ascii_case(b"chunked");
            if !chunked || codings.next().is_some() {
                return Err(BadRequest::TransferCoding);
            }
            Ok(BodyLength::Chunked)
        }
    }
}

fn check_expectation(headers: &HeaderMap) -> Result<(), BadRequest> {
    let mut values = headers.get_all(header::EXPECT).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(()),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Ok(()),
        _ => Err(BadRequest::Expectation),
    }
}

/// Digits alone: `u64::parse` would let a plus sign pass.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok()?;
    if digits { text.parse().ok() } else { None }
}

/// Drops what belongs to this connection: the names that `Connection` lists, and the known ones.
fn strip_connection(headers: &mut HeaderMap) -> Result<(), BadRequest> {
    let mut listed: Vec<HeaderName> = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        for option in value.as_bytes().split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.is_empty() || is_known_option(option) {
                continue;
            }
            let name = HeaderName::from_bytes(option).map_err(|_| BadRequest::BadConnection)?;
            if is_end_to_end(&name) {
                return Err(BadRequest::ConnectionStrips);
            }
            listed.push(name);
        }
    }
    // Most requests have none of them, which one look at each name tells.
    let known = headers
        .keys()
        .filter(|name| is_of_connection(name.as_str()));
    listed.extend(known.cloned());
    for name in listed {
        headers.remove(name);
    }
    Ok(())
}

/// Options that name no header, or one that goes anyway.
fn is_known_option(option: &[u8]) -> bool {
    [b"close".as_slice(), b"keep-alive", b"upgrade", b"te"]
        .iter()
        .any(|known| option.eq_ignore_ascii_case(known))
}

/// Whether a header is meant for the application, or set by a proxy that stands before us.
fn is_end_to_end(name: &HeaderName) -> bool {
    let name = name.as_str();
    END_TO_END.contains(&name) || name.starts_with("sec-") || is_word_of_a_proxy(name)
}

/// Whether a header, in lower case with hyphens, is one that somebody in front or behind relies on,
/// so that it must have one spelling.
pub(super) fn is_reserved(name: &str) -> bool {
    END_TO_END.contains(&name) || name.starts_with("sec-") || is_forbidden(name)
}

/// Whether a header ends at this connection.
pub(super) fn is_of_connection(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Drops the names that a client may never send on to the application.
fn strip_names(headers: &mut HeaderMap, rules: &HeadRules) -> Result<(), BadRequest> {
    // WSGI turns hyphens into underscores, so two names would become one (CVE-2025-64484).
    let is_dropped = |name: &&HeaderName| {
        is_forbidden(name.as_str())
            || name.as_str().contains('_') && !rules.danger_underscores.has(name)
    };
    let dropped: Vec<HeaderName> = headers.keys().filter(is_dropped).cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
    rules.danger_underscores.check(headers)
}

/// `HeaderName` is in lower case already.
fn is_forbidden(name: &str) -> bool {
    // CGI makes `HTTP_PROXY` of it, which HTTP clients obey (CVE-2016-5385).
    name == "proxy" || name.starts_with("yett-") || name.starts_with("x-yett-")
}

#[cfg(test)]
mod tests;
