//! Bytes that are not a request, and what each of them is answered with.

use http::StatusCode;

use crate::meters::Limit;

/// Why bytes of a client are no request that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Offence {
    /// Line and headers are longer than they may be.
    #[error("the head is longer than it may be")]
    HeadTooLong,
    /// More headers than there may be.
    #[error("the head has more headers than it may have")]
    TooManyHeaders,
    /// The head did not arrive in time.
    #[error("the head did not arrive in time")]
    HeadTooSlow,
    /// A line ends with a bare LF, or a CR stands alone.
    #[error("a line does not end with CR LF")]
    BareLineEnd,
    /// The request line is not `METHOD target HTTP/1.x`.
    #[error("the request line is malformed")]
    RequestLine,
    /// The target is not one that a request may have.
    #[error("the request target is malformed")]
    Target,
    /// Not HTTP/1.0 or HTTP/1.1.
    #[error("the HTTP version is not one that is spoken here")]
    Version,
    /// A header's name or value holds what it must not, or a header is folded over lines.
    #[error("a header is malformed")]
    Header,
    /// Content-Length is not one plain number, or stands twice.
    #[error("Content-Length is repeated or not a number")]
    ContentLength,
    /// Both Content-Length and Transfer-Encoding.
    #[error("both Content-Length and Transfer-Encoding")]
    ConflictingLengths,
    /// Transfer-Encoding stands twice, is misspelt, or came with HTTP/1.0.
    #[error("Transfer-Encoding is repeated, misspelt or not allowed here")]
    TransferEncoding,
    /// A transfer coding other than chunked.
    #[error("a transfer coding that is not spoken here")]
    UnknownCoding,
    /// A chunk's size, extension or end is malformed.
    #[error("a chunk of the body is malformed")]
    Chunk,
    /// Trailers are too long or malformed.
    #[error("the trailers are malformed")]
    Trailers,
    /// HTTP in clear text where TLS is spoken.
    #[error("HTTP in clear text on a port that speaks TLS")]
    NotTls,
    /// More requests of one HTTP/2 connection than may run at a time.
    #[error("more requests on the connection than may run at a time")]
    TooManyStreams,
    /// A stream of HTTP/2 that had to be reset with this code.
    #[error("the request is malformed: the stream was reset with {0}")]
    Stream(&'static str),
    /// A connection of HTTP/2 was ended before this request of it was read.
    #[error("the connection was ended before the request was read")]
    Unread,
}

impl Offence {
    /// The status that answers it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::HeadTooLong | Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::HeadTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::BareLineEnd
            | Self::RequestLine
            | Self::Target
            | Self::Header
            | Self::ContentLength
            | Self::ConflictingLengths
            | Self::TransferEncoding
            | Self::Chunk
            | Self::Trailers
            | Self::NotTls
            | Self::Stream(_)
            | Self::Unread => StatusCode::BAD_REQUEST,
            Self::TooManyStreams => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The kind of failure in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeadTooLong => "head_too_long",
            Self::TooManyHeaders => "too_many_headers",
            Self::HeadTooSlow => "head_slow",
            Self::NotTls => "not_tls",
            Self::TooManyStreams => "too_many_streams",
            Self::Unread => "unread",
            Self::Version => "http_version",
            Self::BareLineEnd
            | Self::RequestLine
            | Self::Target
            | Self::Header
            | Self::ContentLength
            | Self::ConflictingLengths
            | Self::TransferEncoding
            | Self::UnknownCoding
            | Self::Chunk
            | Self::Trailers
            | Self::Stream(_) => "malformed",
        }
    }

    /// The limit that was met, if it was one.
    #[must_use]
    pub const fn limit(self) -> Option<Limit> {
        match self {
            Self::HeadTooLong => Some(Limit::HeadSize),
            Self::TooManyHeaders => Some(Limit::Headers),
            Self::HeadTooSlow => Some(Limit::HeadTime),
            Self::TooManyStreams => Some(Limit::Http2Streams),
            _ => None,
        }
    }

    /// One sentence for the client.
    #[must_use]
    pub const fn client_text(self) -> &'static str {
        match self {
            Self::HeadTooLong => "The request's head is too long.",
            Self::TooManyHeaders => "The request has too many headers.",
            Self::HeadTooSlow => "The request's head did not arrive in time.",
            Self::Version => "This HTTP version is not spoken here.",
            Self::UnknownCoding => "This transfer coding is not spoken here.",
            Self::BareLineEnd => "Lines of a request must end with CR LF.",
            Self::RequestLine => "The request line is malformed.",
            Self::Target => "The request target is malformed.",
            Self::Header => "A header of the request is malformed.",
            Self::ContentLength => "Content-Length must stand once and be a number.",
            Self::ConflictingLengths => "Content-Length and Transfer-Encoding exclude each other.",
            Self::TransferEncoding => "Transfer-Encoding is malformed.",
            Self::Chunk => "A chunk of the body is malformed.",
            Self::Trailers => "The trailers of the request are malformed.",
            Self::NotTls => "This port speaks HTTPS: use https:// in the address.",
            Self::TooManyStreams => "Too many requests at a time.",
            Self::Stream(_) | Self::Unread => "The request is malformed.",
        }
    }
}
