//! The opening handshake (RFC 6455 section 4.2).

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Version};

use super::Agreed;
use crate::header_list::lists;

/// What a server puts behind a client's key (RFC 6455 section 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Headers that an application's acceptance cannot set: they are the server's.
const OURS: [HeaderName; 7] = [
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_VERSION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    TRANSFER_ENCODING,
    DATE,
];

/// What a request says of a WebSocket, read before the connection's own headers are dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    accept: Result<HeaderValue, HandshakeFault>,
}

/// A request for a WebSocket that is not one of RFC 6455.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeFault {
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    #[error("Sec-WebSocket-Key is missing, repeated or not 16 bytes in base64")]
    Key,
}

/// Whether a head asks to turn its connection into a WebSocket. The connection's scanner and the
/// service ask the same question, for behind such a head the bytes may not be HTTP.
///
/// A head that announces a body asks for nothing: it is answered as an ordinary request.
pub(crate) fn asks<'h>(
    method: &str,
    is_http_11: bool,
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) -> bool {
    if method != "GET" || !is_http_11 {
        return false;
    }
    let (mut upgrade, mut connection) = (false, false);
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("upgrade") {
            upgrade |= lists(value, b"websocket");
        } else if name.eq_ignore_ascii_case("connection") {
            connection |= lists(value, b"upgrade");
        } else if name.eq_ignore_ascii_case("transfer-encoding")
            || (name.eq_ignore_ascii_case("content-length")
                && value.iter().any(|digit| *digit != b'0'))
        {
            return false;
        }
    }
    upgrade && connection
}

impl Asked {
    /// `None`: the request asks for no WebSocket.
    pub(crate) fn read<B>(request: &Request<B>) -> Option<Self> {
        let headers = request.headers();
        let pairs = headers.iter();
        let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let is_http_11 = request.version() == Version::HTTP_11;
        asks(request.method().as_str(), is_http_11, pairs).then(|| Self {
            accept: accept(headers),
        })
    }

    /// The headers of the answer that accepts, beside those of the application's.
    ///
    /// # Errors
    /// [`HandshakeFault`].
    pub(crate) fn check(&self) -> Result<&HeaderValue, HandshakeFault> {
        self.accept.as_ref().map_err(|fault| *fault)
    }
}

fn accept(headers: &HeaderMap) -> Result<HeaderValue, HandshakeFault> {
    if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(HandshakeFault::Version);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(HandshakeFault::Key)?;
    let decoded = STANDARD.decode(key).map_err(|_| HandshakeFault::Key)?;
    if decoded.len() != 16 {
        return Err(HandshakeFault::Key);
    }
    // SHA-1 proves here that a server has read the key, and protects nothing.
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(MAGIC);
    let text = STANDARD.encode(hash.finish());
    HeaderValue::from_str(&text).map_err(|_| HandshakeFault::Key)
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Makes the application's headers into those of the answer with status 101.
pub(crate) fn switching(headers: &mut HeaderMap, accept: &HeaderValue, agreed: Option<&Agreed>) {
    for name in OURS {
        headers.remove(name);
    }
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept.clone());
    if let Some(agreed) = agreed {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, agreed.answer());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = http::Request::builder().method("GET").uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    const ASKS: [(&str, &str); 2] = [("Upgrade", "websocket"), ("Connection", "Upgrade")];

    fn with(more: &[(&str, &str)]) -> Request<()> {
        parts(&[&ASKS, more].concat())
    }

    const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    const THIRTEEN: (&str, &str) = ("Sec-WebSocket-Version", "13");

    #[test]
    fn key_of_the_standard_gets_the_answer_of_the_standard() {
        let asked = Asked::read(&with(&[KEY, THIRTEEN])).unwrap();
        assert_eq!(asked.check().unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn only_version_13_is_spoken() {
        for version in ["8", "13, 8", "013", ""] {
            let asked = Asked::read(&with(&[KEY, ("Sec-WebSocket-Version", version)])).unwrap();
            assert_eq!(asked.check(), Err(HandshakeFault::Version), "{version}");
        }
        let asked = Asked::read(&with(&[KEY])).unwrap();
        assert_eq!(asked.check(), Err(HandshakeFault::Version));
    }

    #[test]
    fn key_must_be_sixteen_bytes_and_stand_once() {
        for key in [
            "",
            "c2hvcnQ=",
            "dGhlIHNhbXBsZSBub25jZQ",
            "!!!!",
            "dGhlIHNhbXBsZSBub25jZSE=",
        ] {
            let asked = Asked::read(&with(&[("Sec-WebSocket-Key", key), THIRTEEN])).unwrap();
            assert_eq!(asked.check(), Err(HandshakeFault::Key), "{key}");
        }
        let asked = Asked::read(&with(&[KEY, KEY, THIRTEEN])).unwrap();
        assert_eq!(asked.check(), Err(HandshakeFault::Key));
    }

    #[test]
    fn lists_are_searched_whatever_their_case() {
        for (upgrade, connection, is_one) in [
            ("websocket", "upgrade", true),
            ("h2c, WebSocket", "keep-alive, Upgrade", true),
            ("websockets", "upgrade", false),
            ("websocket", "keep-alive", false),
            ("h2c", "upgrade", false),
        ] {
            let parts = parts(&[("Upgrade", upgrade), ("Connection", connection)]);
            assert_eq!(
                Asked::read(&parts).is_some(),
                is_one,
                "{upgrade} {connection}"
            );
        }
    }

    #[test]
    fn request_with_a_body_asks_for_no_websocket() {
        assert!(Asked::read(&with(&[("Content-Length", "1")])).is_none());
        assert!(Asked::read(&with(&[("Transfer-Encoding", "chunked")])).is_none());
        assert!(Asked::read(&with(&[("Content-Length", "0")])).is_some());
    }

    #[test]
    fn application_cannot_set_what_is_the_servers() {
        let mut headers = HeaderMap::new();
        for name in OURS {
            headers.insert(name, HeaderValue::from_static("of the application"));
        }
        headers.insert("x-own", HeaderValue::from_static("stays"));
        switching(&mut headers, &HeaderValue::from_static("accept"), None);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(
            left,
            ["connection", "sec-websocket-accept", "upgrade", "x-own"]
        );
    }
}
