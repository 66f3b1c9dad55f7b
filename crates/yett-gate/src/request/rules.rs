//! What the configuration says of every request's head.

use http::header::{HeaderMap, HeaderName};

use super::forwarding::is_word_of_a_proxy;
use super::head::{is_of_connection, is_reserved};
use super::{
    AllowedHosts, BadRequest, ForwardedHost, ForwardingHeaders, RequestIdHeader, TrustedProxies,
};

/// Rules for heads. The default trusts nobody, and leaves hosts to the application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadRules {
    /// Whose word on the origin of a request counts.
    pub proxies: TrustedProxies,
    /// By which headers they speak.
    pub forwarding: ForwardingHeaders,
    /// Whether the host is taken from these headers.
    pub forwarded_host: ForwardedHost,
    /// The hosts that are served; others get 421. `None`: the application decides.
    pub allowed_hosts: Option<AllowedHosts>,
    /// The header in which every request's id stands. `None`: requests have no ids.
    pub request_id: Option<RequestIdHeader>,
    /// Headers with an underscore that the application gets all the same.
    pub danger_underscores: UnderscoreNames,
}

/// Header names with an underscore that are not dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnderscoreNames(Vec<HeaderName>);

/// Why a name cannot be let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnderscoreError {
    /// No header's name.
    #[error("is not a header's name")]
    NotAName,
    /// It has none.
    #[error("has no underscore in it")]
    NoUnderscore,
    /// With hyphens it is a header that somebody relies on.
    #[error("is another spelling of a header that a client must not send in two ways")]
    Reserved,
}

impl UnderscoreNames {
    /// Lets a name through.
    ///
    /// # Errors
    /// [`UnderscoreError`]; nothing was added.
    pub fn add(&mut self, name: &str) -> Result<(), UnderscoreError> {
        let parsed =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| UnderscoreError::NotAName)?;
        if !parsed.as_str().contains('_') {
            return Err(UnderscoreError::NoUnderscore);
        }
        let merged = parsed.as_str().replace('_', "-");
        if is_reserved(&merged) || is_word_of_a_proxy(&merged) || is_of_connection(&merged) {
            return Err(UnderscoreError::Reserved);
        }
        self.0.push(parsed);
        Ok(())
    }

    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.0.contains(name)
    }

    /// CGI makes one name of `X_A` and `X-A`: with both, nobody could tell which was meant.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), BadRequest> {
        let same = |name: &HeaderName, other: &HeaderName| {
            name != other && name.as_str().replace('_', "-") == other.as_str().replace('_', "-")
        };
        let twice = self
            .0
            .iter()
            .filter(|name| headers.contains_key(*name))
            .any(|name| headers.keys().any(|other| same(name, other)));
        if twice {
            Err(BadRequest::TwoSpellings)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscore_is_let_through_for_plain_names_alone() {
        let check = |name: &str, expected: Result<(), UnderscoreError>| {
            assert_eq!(UnderscoreNames::default().add(name), expected, "{name}");
        };
        check("X_Id", Ok(()));
        check("session_token", Ok(()));
        check("X-Id", Err(UnderscoreError::NoUnderscore));
        check("a b_c", Err(UnderscoreError::NotAName));
        check("", Err(UnderscoreError::NotAName));
        for name in [
            "content_length",
            "Content_Length",
            "transfer_encoding",
            "content_type",
            "x_forwarded_for",
            "x-forwarded_for",
            "x_real_ip",
            "keep_alive",
            "yett_identity",
            "x_yett_user",
            "if_match",
            "user_agent",
            "proxy_",
            "x_forwarded_prefix",
            "sec_websocket_key",
            "cf_connecting_ip",
        ] {
            let expected = if name == "proxy_" {
                Ok(())
            } else {
                Err(UnderscoreError::Reserved)
            };
            check(name, expected);
        }
    }
}
