//! Which scheme the application takes a request for: Django's `HttpRequest.scheme` (4.2 to 6.1).
//!
//! It is the request's, unless `SECURE_PROXY_SSL_HEADER` names a header that says it. What is left
//! of the usual headers tells the same, for the request stage drops them or makes them true; any
//! other header is whatever the client or a proxy wrote. Nothing is trusted here: it only chooses
//! between answers, both of which refuse, exactly as it does in the project.

use http::header::{HeaderMap, HeaderName};

use crate::request::{RequestHead, Scheme};
use crate::settings::{GateSettingsError, SettingsFault};

/// `SECURE_PROXY_SSL_HEADER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeHeaderSettings {
    /// The header, for example `x-forwarded-proto`.
    pub name: String,
    /// The value that means https; every other one means http.
    pub secure: String,
}

/// How the scheme is told.
#[derive(Debug)]
pub(crate) enum SchemeRule {
    Connection,
    Header { name: HeaderName, secure: Box<str> },
}

impl SchemeRule {
    pub(crate) fn new(
        settings: Option<SchemeHeaderSettings>,
        errors: &mut Vec<GateSettingsError>,
    ) -> Self {
        let Some(SchemeHeaderSettings { name, secure }) = settings else {
            return Self::Connection;
        };
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => Self::Header {
                name,
                secure: secure.into(),
            },
            Err(_) => {
                let at = format!("scheme header {name:?}");
                errors.push(GateSettingsError::new(at, SettingsFault::SchemeHeader));
                Self::Connection
            }
        }
    }

    /// The scheme that the application will see; `None` when that is not sure.
    pub(super) fn scheme(&self, head: &RequestHead) -> Option<Scheme> {
        match self {
            Self::Connection => Some(head.scheme()),
            Self::Header { name, secure } => said(head.headers(), name, secure, head.scheme()),
        }
    }
}

/// Django compares what stands before the first comma, stripped. Two lines, and text that Python
/// strips in its own way, are not judged.
fn said(headers: &HeaderMap, name: &HeaderName, secure: &str, unsaid: Scheme) -> Option<Scheme> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Some(unsaid);
    };
    if values.next().is_some() {
        return None;
    }
    // Visible ASCII, spaces and tabs alone.
    let value = value.to_str().ok()?;
    let first = value.split(',').next().unwrap_or_default();
    Some(if first.trim_matches([' ', '\t']) == secure {
        Scheme::Https
    } else {
        Scheme::Http
    })
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::said;
    use crate::request::Scheme;

    const NAME: HeaderName = HeaderName::from_static("x-forwarded-proto");

    fn check(values: &[&'static [u8]], expected: Option<Scheme>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_bytes(value).unwrap());
        }
        let told = said(&headers, &NAME, "https", Scheme::Http);
        assert_eq!(told, expected, "{values:?}");
    }

    #[test]
    fn scheme_header_is_read_as_django_reads_it() {
        check(&[], Some(Scheme::Http));
        check(&[b"https"], Some(Scheme::Https));
        check(&[b" https\t, http"], Some(Scheme::Https));
        check(&[b"http, https"], Some(Scheme::Http));
        check(&[b"HTTPS"], Some(Scheme::Http));
        check(&[b""], Some(Scheme::Http));
        check(&[b"https;"], Some(Scheme::Http));
    }

    #[test]
    fn header_that_stands_twice_or_is_no_text_is_not_judged() {
        check(&[b"https", b"https"], None);
        check(&[b"https\xa0"], None);
    }

    #[test]
    fn without_the_header_the_connection_tells() {
        let told = said(&HeaderMap::new(), &NAME, "https", Scheme::Https);
        assert_eq!(told, Some(Scheme::Https));
    }
}
