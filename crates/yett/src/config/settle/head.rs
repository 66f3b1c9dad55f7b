//! Whom to believe and which hosts are served: `[proxy]`, and its kin in `[server]`.

use super::{Key, Settling, Wrong, choice::switch, quoted};
use yett_edge::respond::SecurityHeaders;
use yett_gate::{
    AllowedHosts, ForwardedHost, ForwardingHeaders, HeadRules, RequestIdHeader, TrustError,
    TrustedProxies, UnderscoreError, UnderscoreNames,
};

impl Settling<'_> {
    /// `None` only if an error was pushed.
    pub(super) fn head(&mut self) -> Option<HeadRules> {
        let raw = self.raw;
        let forwarding = self.one(Key::ProxyHeaders, headers);
        let forwarded_host = self.one(Key::ProxyHost, host);
        let mut rules = HeadRules::default();
        for said in raw.list(Key::TrustProxy) {
            let trusted = trust(&mut rules.proxies, &said.text);
            self.keep(&said.place, trusted);
        }
        for said in raw.list(Key::DangerUnderscores) {
            let named = underscore(&mut rules.danger_underscores, &said.text);
            self.keep(&said.place, named);
        }
        let mut hosts = Vec::new();
        for said in raw.list(Key::AllowedHosts) {
            hosts.extend(self.keep(&said.place, allowed_host(&said.text)));
        }
        if !raw.list(Key::AllowedHosts).is_empty() {
            rules.allowed_hosts = Some(AllowedHosts::new(hosts));
        }
        rules.request_id = self.one(Key::RequestId, request_id)?;
        rules.forwarding = forwarding?;
        rules.forwarded_host = forwarded_host?;
        Some(rules)
    }
}

/// One word of `trust`.
fn trust(proxies: &mut TrustedProxies, word: &str) -> Result<(), Wrong> {
    proxies.add(word).map_err(|error| {
        let wrong = Wrong::new(
            format!("{} {error}", quoted(word)),
            "an address, a network such as \"10.0.0.0/8\", unix, private or danger_any_peer",
        );
        match error {
            TrustError::NotTheFirst(network) => wrong.hint(format!("write \"{network}\"")),
            error if error == TrustError::Everybody || word == "*" => wrong
                .hint("write \"danger_any_peer\" if nobody but the proxy can reach this server"),
            _ => wrong,
        }
    })
}

/// `x-forwarded` or `forwarded`.
fn headers(text: &str) -> Result<ForwardingHeaders, Wrong> {
    match text {
        "x-forwarded" => Ok(ForwardingHeaders::XForwarded),
        "forwarded" => Ok(ForwardingHeaders::Forwarded),
        _ => Err(Wrong::new(
            format!("{} is neither", quoted(text)),
            "x-forwarded or forwarded",
        )),
    }
}

/// Whether trusted proxies are believed what they say of the host.
fn host(text: &str) -> Result<ForwardedHost, Wrong> {
    Ok(if switch(text)? {
        ForwardedHost::Trusted
    } else {
        ForwardedHost::Ignored
    })
}

/// Which answers get headers that tell browsers to be careful.
pub(super) fn security_headers(text: &str) -> Result<SecurityHeaders, Wrong> {
    Ok(if switch(text)? {
        SecurityHeaders::All
    } else {
        SecurityHeaders::Own
    })
}

/// Whether requests have ids, and in which header.
fn request_id(text: &str) -> Result<Option<RequestIdHeader>, Wrong> {
    match switch(text) {
        Ok(on) => Ok(on.then(RequestIdHeader::default)),
        Err(_) => RequestIdHeader::parse(text).map(Some).map_err(|error| {
            Wrong::new(
                format!("{} {error}", quoted(text)),
                "on (X-Request-ID), off, or a header such as X-Correlation-ID",
            )
        }),
    }
}

/// One word of `allowed_hosts`, in lower case.
fn allowed_host(text: &str) -> Result<String, Wrong> {
    let expected = "a host such as \"example.com\", or \".example.com\" with all below it";
    let wrong = |why: &str| Wrong::new(format!("{} {why}", quoted(text)), expected);
    if text == "*" {
        return Err(wrong("is every host").hint("leave allowed_hosts away".to_owned()));
    }
    if text.contains("://") {
        return Err(wrong("is a URL, not a host"));
    }
    let name = text.strip_prefix('.').unwrap_or(text);
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_address = address.is_some_and(|name| name.parse::<std::net::Ipv6Addr>().is_ok());
    if !is_address && name.contains(':') {
        return Err(wrong("has a port, or is an IPv6 address without brackets"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let is_name = !name.is_empty()
        && name.bytes().all(plain)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if is_address || is_name {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(wrong("is not a host"))
    }
}

/// One word of `danger_underscore_headers`.
fn underscore(names: &mut UnderscoreNames, name: &str) -> Result<(), Wrong> {
    names.add(name).map_err(|error| {
        let wrong = Wrong::new(
            format!("{} {error}", quoted(name)),
            "a header with an underscore, such as \"x_legacy_id\"",
        );
        match error {
            UnderscoreError::NoUnderscore => {
                wrong.hint("it is not dropped anyway; leave it away".to_owned())
            }
            _ => wrong,
        }
    })
}
