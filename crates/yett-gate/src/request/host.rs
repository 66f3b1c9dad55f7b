//! The `Host` header, and Django's `ALLOWED_HOSTS`.
//!
//! Two readings live here on purpose. [`Host::parse`] is HTTP's (RFC 9110, 7.2; RFC 3986, 3.2.2):
//! what fails it is refused. [`AllowedHosts::allow`] is Django 6.1's (`split_domain_port`,
//! `validate_host`, `is_same_domain`): what fails it is left to Django, which answers 400 itself.

use std::net::Ipv6Addr;

use super::BadRequest;

/// A `Host` header: name or address, with an optional port. Compares without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Lower case, as Django reads it.
    text: Box<str>,
}

impl Host {
    /// Reads the value of a `Host` header, or the authority of an absolute target.
    ///
    /// # Errors
    /// [`BadRequest::BadHost`] when it is empty, has a user part, a bad address or a bad port.
    pub fn parse(value: &[u8]) -> Result<Self, BadRequest> {
        let text = std::str::from_utf8(value).map_err(|_| BadRequest::BadHost)?;
        let (name, port) = split_port(text).ok_or(BadRequest::BadHost)?;
        if !is_name(name) || !port.is_none_or(is_port) {
            return Err(BadRequest::BadHost);
        }
        Ok(Self {
            text: text.to_ascii_lowercase().into_boxed_str(),
        })
    }

    /// Name or address with the port if one was sent, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name or address alone, in lower case; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        split_port(&self.text).map_or(&*self.text, |(name, _)| name)
    }

    /// The port that the client named.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        split_port(&self.text)?.1?.parse().ok()
    }
}

/// Django's `ALLOWED_HOSTS`: exact names, `.example.com` for a domain and all below it, `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    patterns: Vec<String>,
}

impl AllowedHosts {
    /// Takes the patterns as they stand in Django's settings.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self {
            patterns: patterns
                .into_iter()
                .map(|pattern| pattern.to_lowercase())
                .collect(),
        }
    }

    /// Whether Django would serve this host (`HttpRequest.get_host`).
    #[must_use]
    pub fn allow(&self, host: &Host) -> bool {
        let Some(domain) = django_domain(host.as_str()) else {
            return false;
        };
        self.patterns
            .iter()
            .any(|pattern| pattern == "*" || is_same_domain(domain, pattern))
    }
}

/// Splits at the colon before the port. `None` when an address's bracket does not close.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if text.starts_with('[') {
        let (address, rest) = text.split_at_checked(text.find(']')? + 1)?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((address, Some(port))),
            None => rest.is_empty().then_some((address, None)),
        };
    }
    match text.split_once(':') {
        Some((name, port)) => Some((name, Some(port))),
        None => Some((text, None)),
    }
}

/// RFC 3986's `reg-name` (which covers IPv4 addresses) without percent escapes, or `[IPv6]`.
fn is_name(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[') {
        return address
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let reg_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    !name.is_empty() && name.bytes().all(reg_name)
}

/// RFC 3986 lets the digits of a port be absent; more than 16 bits are no port.
fn is_port(port: &str) -> bool {
    port.is_empty()
        || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// Django's `split_domain_port`: the domain without port and final dot, or `None` when Django's
/// `host_validation_re` refuses the host. Expects lower case.
fn django_domain(host: &str) -> Option<&str> {
    let (name, port) = split_port(host)?;
    if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let address = name.starts_with('[');
    if !address && !name.bytes().all(plain) {
        return None;
    }
    let domain = name.strip_suffix('.').unwrap_or(name);
    (!domain.is_empty()).then_some(domain)
}

/// Django's `is_same_domain`, with the pattern already in lower case.
fn is_same_domain(host: &str, pattern: &str) -> bool {
    if pattern.is_empty() {
        return false;
    }
    match pattern.strip_prefix('.') {
        Some(domain) => host.ends_with(pattern) || host == domain,
        None => host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::{AllowedHosts, Host};

    fn check_parse(value: &str, expected: Option<(&str, Option<u16>)>) {
        let host = Host::parse(value.as_bytes()).ok();
        let found = host.as_ref().map(|host| (host.name(), host.port()));
        assert_eq!(found, expected, "{value:?}");
    }

    #[test]
    fn host_is_a_name_or_an_address_with_an_optional_port() {
        check_parse("example.com", Some(("example.com", None)));
        check_parse("Example.COM:8000", Some(("example.com", Some(8000))));
        check_parse("example.com:", Some(("example.com", None)));
        check_parse("127.0.0.1:80", Some(("127.0.0.1", Some(80))));
        check_parse("[::1]:8000", Some(("[::1]", Some(8000))));
        check_parse("[::1]", Some(("[::1]", None)));
        check_parse("under_score", Some(("under_score", None)));
    }

    #[test]
    fn host_that_is_no_host_is_refused() {
        for value in [
            "", ":80", "a b", "a/b", "user@a", "a:b", "a:80:80", "a:65536", "[::1", "[::1]x",
            "[not]", "::1", "a\u{e9}", "a?b", "a#b", "a,b:1:2", "[]",
        ] {
            check_parse(value, None);
        }
    }

    fn check_allowed(patterns: &[&str], host: &str, expected: bool) {
        let allowed = AllowedHosts::new(patterns.iter().map(|pattern| (*pattern).to_owned()));
        let host = Host::parse(host.as_bytes()).unwrap();
        assert_eq!(allowed.allow(&host), expected, "{patterns:?} {host:?}");
    }

    // Expectations taken by running Django 6.1's split_domain_port and validate_host.
    #[test]
    fn allowed_hosts_match_as_django_matches_them() {
        check_allowed(&["example.com"], "example.com", true);
        check_allowed(&["example.com"], "EXAMPLE.com:8000", true);
        check_allowed(&["Example.COM"], "example.com", true);
        check_allowed(&["example.com"], "example.com.", true);
        check_allowed(&["example.com"], "example.com..", false);
        check_allowed(&["example.com"], "www.example.com", false);
        check_allowed(&[".example.com"], "example.com", true);
        check_allowed(&[".example.com"], "a.b.example.com:1", true);
        check_allowed(&[".example.com"], "notexample.com", false);
        check_allowed(&["*"], "anything.test", true);
        check_allowed(&["*"], "under_score.test", false);
        check_allowed(&["*"], "example.com:", false);
        check_allowed(&["*"], ".", false);
        check_allowed(&["[::1]"], "[::1]:8000", true);
        check_allowed(&["::1"], "[::1]", false);
        check_allowed(&[""], "example.com", false);
        check_allowed(&[], "example.com", false);
    }
}
