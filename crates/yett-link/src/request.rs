//! The payload of a [`Kind::Request`](crate::frame::Kind::Request) frame.
//!
//! Laid out for the worker, not for the network: what PEP 3333 calls the environ is read off front
//! to back. All text is bytes as HTTP has them; the worker decodes them as Latin-1, as PEP 3333 asks.

use bytes::{BufMut, BytesMut};

use crate::frame::FrameError;
use crate::names;
use crate::tls::{self, TlsFields};
use crate::wire::{Fields, put_bytes, put_len};

/// Largest body that travels inside its request's frame, in bytes. A larger one comes as a
/// descriptor.
pub const MAX_INLINE_BODY: usize = 64 * 1024;

/// HTTP version of a request, as the client spoke it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HttpVersion {
    /// HTTP/1.0.
    Http10 = 10,
    /// HTTP/1.1.
    Http11 = 11,
    /// HTTP/2.
    Http2 = 20,
}

impl HttpVersion {
    const fn parse(byte: u8) -> Option<Self> {
        Some(match byte {
            10 => Self::Http10,
            11 => Self::Http11,
            20 => Self::Http2,
            _ => return None,
        })
    }

    /// What `SERVER_PROTOCOL` says.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// The proven identity that travels with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityFields<'a> {
    /// The bearer token as the client sent it.
    pub token: &'a str,
    /// The claims that were proved, as JSON text.
    pub claims_json: &'a [u8],
}

/// The fields before the headers.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'a> {
    /// Method, such as `GET`.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// HTTP version.
    pub version: HttpVersion,
    /// Canonical path, decoded: `PATH_INFO`.
    pub path: &'a [u8],
    /// Query without the question mark: `QUERY_STRING`.
    pub query: &'a str,
    /// Canonical path and query, encoded: `REQUEST_URI`.
    pub uri: &'a str,
    /// The client's address; empty over a Unix socket.
    pub remote_addr: &'a str,
    /// The client's port; zero over a Unix socket.
    pub remote_port: u16,
    /// `SERVER_NAME`.
    pub server_name: &'a str,
    /// `SERVER_PORT`; zero over a Unix socket.
    pub server_port: u16,
    /// The proven identity, if there is one.
    pub identity: Option<IdentityFields<'a>>,
    /// What the handshake said, where TLS ends at Yett.
    pub tls: Option<TlsFields<'a>>,
}

/// Writes a request's payload up to its inline body, of which the caller sends exactly `inline` bytes
/// right behind `out`.
///
/// `body_len` is the body's length, or `u64::MAX` where it is not known; `inline` is nought when the
/// body comes as a descriptor or in frames of its own.
pub fn write_request<'h>(
    out: &mut BytesMut,
    line: &RequestLine<'_>,
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    body_len: u64,
    inline: usize,
) {
    out.put_u8(line.version as u8);
    put_bytes(out, line.method.as_bytes());
    put_bytes(out, line.scheme.as_bytes());
    put_bytes(out, line.path);
    put_bytes(out, line.query.as_bytes());
    put_bytes(out, line.uri.as_bytes());
    put_bytes(out, line.remote_addr.as_bytes());
    out.put_u16_le(line.remote_port);
    put_bytes(out, line.server_name.as_bytes());
    out.put_u16_le(line.server_port);
    match line.identity {
        None => out.put_u8(0),
        Some(identity) => {
            out.put_u8(1);
            put_bytes(out, identity.token.as_bytes());
            put_bytes(out, identity.claims_json);
        }
    }
    tls::write(out, line.tls.as_ref());
    let count_at = out.len();
    out.put_u16_le(0);
    let mut count: u16 = 0;
    for (name, value) in headers {
        // A head has at most a few hundred headers; the edge's limit is far below this.
        if count == u16::MAX {
            break;
        }
        count += 1;
        let number = names::number(name);
        out.put_u8(number);
        if number == 0 {
            put_bytes(out, name.as_bytes());
        }
        put_bytes(out, value);
    }
    if let Some(field) = out.get_mut(count_at..count_at + 2) {
        field.copy_from_slice(&count.to_le_bytes());
    }
    out.put_u64_le(body_len);
    put_len(out, inline);
}

/// A header's name as it came over the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// Its number in [`names::COMMON`].
    Common(u8),
    /// Any other name, lower case.
    Text(&'a str),
}

/// A request's payload, read.
#[derive(Debug, Clone)]
pub struct RequestView<'a> {
    /// The fields before the headers.
    pub line: RequestLine<'a>,
    /// The body's length in bytes.
    pub body_len: u64,
    /// The body, when it came inside the frame.
    pub inline_body: &'a [u8],
    headers: Fields<'a>,
    header_count: u16,
}

impl<'a> RequestView<'a> {
    /// Reads a payload and checks all of it, headers included.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] with the field's name.
    pub fn parse(payload: &'a [u8]) -> Result<Self, FrameError> {
        let mut fields = Fields::new(payload);
        let version = fields.u8("version")?;
        let version = HttpVersion::parse(version).ok_or(FrameError::Malformed("version"))?;
        let method = fields.text("method")?;
        let scheme = fields.text("scheme")?;
        let path = fields.bytes("path")?;
        let query = fields.text("query")?;
        let uri = fields.text("uri")?;
        let remote_addr = fields.text("remote address")?;
        let remote_port = fields.u16("remote port")?;
        let server_name = fields.text("server name")?;
        let server_port = fields.u16("server port")?;
        let identity = match fields.u8("identity")? {
            0 => None,
            1 => Some(IdentityFields {
                token: fields.text("identity token")?,
                claims_json: fields.bytes("identity claims")?,
            }),
            _ => return Err(FrameError::Malformed("identity")),
        };
        let tls = tls::read(&mut fields)?;
        let header_count = fields.u16("header count")?;
        let headers = fields;
        for _ in 0..header_count {
            read_header(&mut fields)?;
        }
        let body_len = fields.u64("body length")?;
        let inline_body = fields.bytes("body")?;
        if !fields.rest().is_empty() {
            return Err(FrameError::Malformed("end"));
        }
        let line = RequestLine {
            method,
            scheme,
            version,
            path,
            query,
            uri,
            remote_addr,
            remote_port,
            server_name,
            server_port,
            identity,
            tls,
        };
        Ok(Self {
            line,
            body_len,
            inline_body,
            headers,
            header_count,
        })
    }

    /// The headers in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (Name<'a>, &'a [u8])> + use<'a> {
        let mut fields = self.headers;
        // `parse` has read all of them once, so none can fail here.
        (0..self.header_count).map_while(move |_| read_header(&mut fields).ok())
    }
}

fn read_header<'a>(fields: &mut Fields<'a>) -> Result<(Name<'a>, &'a [u8]), FrameError> {
    let name = match fields.u8("header name")? {
        0 => Name::Text(fields.text("header name")?),
        number if names::name(number).is_some() => Name::Common(number),
        _ => return Err(FrameError::Malformed("header number")),
    };
    Ok((name, fields.bytes("header value")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tls::ClientFields;

    fn line<'a>(
        path: &'a [u8],
        query: &'a str,
        identity: Option<IdentityFields<'a>>,
        tls: Option<TlsFields<'a>>,
    ) -> RequestLine<'a> {
        RequestLine {
            method: "POST",
            scheme: "http",
            version: HttpVersion::Http11,
            path,
            query,
            uri: "/x?y",
            remote_addr: "127.0.0.1",
            remote_port: 4,
            server_name: "localhost",
            server_port: 8000,
            identity,
            tls,
        }
    }

    #[test]
    fn chain_falls_apart_into_its_certificates() {
        let one = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let client = ClientFields {
            subject: "",
            issuer: "",
            serial: "",
            not_before: "",
            not_after: "",
            chain: &one.repeat(2),
        };
        assert_eq!(client.certificates().collect::<Vec<_>>(), [one, one]);
    }

    proptest! {
        #[test]
        fn request_reads_back_as_written(
            path in proptest::collection::vec(any::<u8>(), 0..60),
            query in "[a-z=&]{0,20}",
            headers in proptest::collection::vec(("[a-z-]{1,12}", proptest::collection::vec(any::<u8>(), 0..30)), 0..12),
            body in proptest::collection::vec(any::<u8>(), 0..200),
            identity in proptest::option::of(("[a-z.]{1,20}", proptest::collection::vec(any::<u8>(), 0..30))),
            tls in proptest::option::of((any::<u16>(), proptest::collection::vec("\\PC{0,9}", 3), proptest::option::of(proptest::collection::vec("\\PC{0,9}", 6)))),
        ) {
            let tls = tls.as_ref().map(|(number, texts, client)| TlsFields {
                version: *number,
                cipher_suite: !number,
                cipher: &texts[0],
                server_name: &texts[1],
                server_certificate: &texts[2],
                client: client.as_ref().map(|texts| ClientFields {
                    subject: &texts[0],
                    issuer: &texts[1],
                    serial: &texts[2],
                    not_before: &texts[3],
                    not_after: &texts[4],
                    chain: &texts[5],
                }),
            });
            let who = identity.as_ref().map(|(t, c)| IdentityFields { token: t, claims_json: c });
            let mut out = BytesMut::new();
            let sent = headers.iter().map(|(n, v)| (n.as_str(), v.as_slice()));
            write_request(&mut out, &line(&path, &query, who, tls), sent, body.len() as u64, body.len());
            out.extend_from_slice(&body);
            let view = RequestView::parse(&out).unwrap();
            prop_assert_eq!(view.line.path, path.as_slice());
            prop_assert_eq!(view.line.query, query);
            prop_assert_eq!(view.line.identity, who);
            prop_assert_eq!(view.line.tls, tls);
            prop_assert_eq!(view.inline_body, body.as_slice());
            let back: Vec<_> = view.headers().map(|(n, v)| match n {
                Name::Common(number) => (names::name(number).unwrap().to_owned(), v.to_vec()),
                Name::Text(text) => (text.to_owned(), v.to_vec()),
            }).collect();
            prop_assert_eq!(back, headers);
        }

        #[test]
        fn arbitrary_payload_never_panics(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(view) = RequestView::parse(&payload) {
                let _count = view.headers().count();
            }
        }

        #[test]
        fn cut_payload_is_refused(cut in 0_usize..100) {
            let mut out = BytesMut::new();
            write_request(&mut out, &line(b"/a", "", None, None), std::iter::empty(), 0, 0);
            prop_assume!(cut < out.len());
            prop_assert!(RequestView::parse(&out[..cut]).is_err());
        }
    }
}
