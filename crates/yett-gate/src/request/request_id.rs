//! The header in which a request's id stands: who may say it, and what an id looks like.
//!
//! An id from outside is taken over from a trusted proxy alone, which has it in its own log. From
//! everybody else it would be a word of a stranger in every log behind: it is dropped, and so is one
//! that is long or could end a field of somebody's log. Making a new one is not for this crate.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::forwarding::is_word_of_a_proxy;
use super::head::{is_of_connection, is_reserved};
use super::{Arrival, TrustedProxies};

/// The longest id that is taken over, in bytes.
const LONGEST: usize = 128;

/// A header in which requests' ids stand, towards the application and in answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIdHeader(HeaderName);

/// Why a header cannot hold requests' ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestIdError {
    /// No header's name.
    #[error("is not a header's name")]
    NotAName,
    /// Its name does not end in `-Id`: it may mean something to browsers, servers or proxies.
    #[error("does not end in -Id")]
    NoId,
    /// Somebody relies on it for something else.
    #[error("is a header that means something else")]
    Reserved,
}

/// `X-Request-ID`, as nearly everybody has it.
impl Default for RequestIdHeader {
    fn default() -> Self {
        Self(HeaderName::from_static("x-request-id"))
    }
}

impl RequestIdHeader {
    /// Reads a header's name.
    ///
    /// # Errors
    /// [`RequestIdError`]: an answer gets this header, so it must be none that browsers or proxies
    /// obey.
    pub fn parse(name: &str) -> Result<Self, RequestIdError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| RequestIdError::NotAName)?;
        let text = name.as_str();
        if !text.ends_with("-id") {
            return Err(RequestIdError::NoId);
        }
        // Browsers send the last one when they take up a stream of events again.
        if text.contains('_')
            || is_reserved(text)
            || is_word_of_a_proxy(text)
            || is_of_connection(text)
            || text == "last-event-id"
        {
            return Err(RequestIdError::Reserved);
        }
        Ok(Self(name))
    }

    /// The header's name.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.0
    }

    /// The id that a trusted proxy gave the request, if it can be taken over.
    #[must_use]
    pub fn told<'h>(
        &self,
        headers: &'h HeaderMap,
        arrival: &Arrival,
        proxies: &TrustedProxies,
    ) -> Option<&'h HeaderValue> {
        let mut values = headers.get_all(&self.0).iter();
        // Of two nobody knows which one the proxy meant.
        let (Some(only), None) = (values.next(), values.next()) else {
            return None;
        };
        (is_id(only.as_bytes()) && proxies.trusts_peer(arrival)).then_some(only)
    }
}

fn is_id(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:/+=-".contains(byte);
    (1..=LONGEST).contains(&text.len()) && text.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ClientAddr, Scheme, ServerAddr};

    #[test]
    fn ids_stand_in_headers_that_mean_nothing_else() {
        let check = |name: &str, expected: Result<&str, RequestIdError>| {
            let parsed = RequestIdHeader::parse(name);
            let name = parsed.as_ref().map(|header| header.name().as_str());
            assert_eq!(name.map_err(|error| *error), expected);
        };
        check("X-Request-ID", Ok("x-request-id"));
        check("Request-Id", Ok("request-id"));
        check("X-Correlation-ID", Ok("x-correlation-id"));
        check("X Request ID", Err(RequestIdError::NotAName));
        check("", Err(RequestIdError::NotAName));
        check("Location", Err(RequestIdError::NoId));
        check("Set-Cookie", Err(RequestIdError::NoId));
        check("Last-Event-ID", Err(RequestIdError::Reserved));
        check("X-Yett-ID", Err(RequestIdError::Reserved));
        check("X-Forwarded-ID", Err(RequestIdError::Reserved));
        check("Sec-Request-ID", Err(RequestIdError::Reserved));
        check("X_Request-ID", Err(RequestIdError::Reserved));
        assert_eq!(
            RequestIdHeader::parse("X-Request-Id"),
            Ok(RequestIdHeader::default())
        );
    }

    fn told(trust: &[&str], values: &[&str]) -> Option<String> {
        let mut proxies = TrustedProxies::default();
        for word in trust {
            proxies.add(word).unwrap();
        }
        let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-request-id", value.parse().unwrap());
        }
        let header = RequestIdHeader::default();
        let told = header.told(&headers, &arrival, &proxies);
        told.map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn id_is_taken_over_from_a_trusted_proxy_alone() {
        let id = "f058ebd6-02f7-4d3f-942e-904344e8cde5";
        assert_eq!(told(&["unix"], &[id]).as_deref(), Some(id));
        assert_eq!(told(&["private"], &[id]), None);
        assert_eq!(told(&[], &[id]), None);
        assert_eq!(told(&["unix"], &[]), None);
    }

    #[test]
    fn only_one_short_and_plain_id_is_taken_over() {
        let trusted = |values: &[&str]| told(&["unix"], values).is_some();
        assert!(trusted(&["Root=1-67891233-abcdef012345678912345678"]));
        assert!(trusted(&["a_b.c:d/e+f=-9"]));
        assert!(trusted(&[&"x".repeat(128)]));
        assert!(!trusted(&[&"x".repeat(129)]));
        assert!(!trusted(&["a", "b"]));
        for id in [
            "", "a b", "a,b", "a;b", "\"a\"", "a\tb", "<a>", "%0a", "{a}",
        ] {
            assert!(!trusted(&[id]), "{id}");
        }
    }
}
