//! Requests that are refused before any route is looked up, and what the client is told.
//!
//! `Display` is the text for the log; [`BadRequest::client_text`] is the sentence for the client.
//! Neither repeats what the client sent, so neither can carry a token or break a log line.

use http::StatusCode;

/// Why a request head was refused. Always the client's fault; the same request never succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// The target has no path, or one that does not begin with a slash.
    #[error("the target's path does not begin with a slash")]
    NoPath,
    /// A `%` in the path that two hexadecimal digits do not follow.
    #[error("the path holds a percent sign without two hexadecimal digits")]
    BadEscape,
    /// The path holds a NUL byte, spelled in any way.
    #[error("the path holds a NUL byte")]
    NulByte,
    /// The path holds a segment `.` or `..`, spelled in any way.
    #[error("the path holds a segment that is one or two dots")]
    DotSegment,
    /// The target holds a fragment (`#`), which a client never sends (RFC 9112, 3.2).
    #[error("the target holds a fragment")]
    Fragment,
    /// The query holds something other than visible ASCII.
    #[error("the query holds bytes other than visible ASCII")]
    BadQuery,
    /// The target `*` with a method other than OPTIONS (RFC 9112, 3.2.4).
    #[error("the target is an asterisk and the method is not OPTIONS")]
    AsteriskForm,
    /// An absolute target whose scheme is neither `http` nor `https`.
    #[error("the absolute target has a scheme that is not served")]
    ForeignScheme,
    /// An absolute target whose authority is not what `Host` says (RFC 9112, 3.2.2).
    #[error("the absolute target and the Host header differ")]
    AuthorityMismatch,
    /// CONNECT, which opens a tunnel; Yett is no such proxy.
    #[error("the method is CONNECT")]
    Connect,
    /// A method with a small letter. Methods know case (RFC 9110, 9.1), but Django makes capitals of
    /// them, so that `get` is one method here and another one there.
    #[error("the method has a small letter")]
    SmallMethod,
    /// An `Expect` that is not `100-continue`, or more than one (RFC 9110, 10.1.1).
    #[error("the Expect header is not 100-continue alone")]
    Expectation,
    /// No `Host` in HTTP/1.1 or later (RFC 9112, 3.2).
    #[error("there is no Host header")]
    NoHost,
    /// More than one `Host`.
    #[error("there is more than one Host header")]
    TwoHosts,
    /// A `Host` that is not a name or address with an optional port.
    #[error("the Host header is not a host with an optional port")]
    BadHost,
    /// More than one `Authorization`: parts that read different ones would disagree.
    #[error("there is more than one Authorization header")]
    TwoAuthorizations,
    /// A `Connection` header that is not a list of names (RFC 9110, 7.6.1).
    #[error("the Connection header is not a list of names")]
    BadConnection,
    /// A `Connection` header that asks to strip a header meant for the application.
    #[error("the Connection header names a header that is not the connection's")]
    ConnectionStrips,
    /// A trusted proxy's word on where the request came from cannot be read.
    #[error("a trusted proxy's forwarding headers cannot be read")]
    BadForwarding,
    /// A trusted proxy keeps to itself for whom it asks.
    #[error("a trusted proxy does not say for whom it asks")]
    HiddenClient,
    /// A host that is not among those that are served.
    #[error("the host is not among the allowed ones")]
    ForeignHost,
    /// A header that may have an underscore came in another spelling too.
    #[error("a header came with an underscore and in another spelling")]
    TwoSpellings,
    /// `Content-Length` is not one number.
    #[error("the Content-Length header is not one number")]
    BadLength,
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112, 6.1): request smuggling.
    #[error("there is a Content-Length beside a Transfer-Encoding")]
    TwoLengths,
    /// A transfer coding other than `chunked` alone (RFC 9112, 6.1).
    #[error("the transfer coding is not chunked alone")]
    TransferCoding,
}

impl BadRequest {
    /// The status of the answer.
    ///
    /// CONNECT gets 501 and not 405: no resource here has it, and 405 would have to list in
    /// `Allow` what "the resource" of a tunnel supports (RFC 9110, 15.5.6 and 15.6.2).
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Connect | Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            // RFC 9110 section 15.5.20: not the server of that host.
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NoPath
            | Self::BadEscape
            | Self::NulByte
            | Self::DotSegment
            | Self::Fragment
            | Self::BadQuery
            | Self::AsteriskForm
            | Self::ForeignScheme
            | Self::AuthorityMismatch
            | Self::SmallMethod
            | Self::NoHost
            | Self::TwoHosts
            | Self::BadHost
            | Self::TwoAuthorizations
            | Self::BadConnection
            | Self::ConnectionStrips
            | Self::BadForwarding
            | Self::HiddenClient
            | Self::TwoSpellings
            | Self::BadLength
            | Self::TwoLengths => StatusCode::BAD_REQUEST,
        }
    }

    /// One sentence for the client.
    #[must_use]
    pub const fn client_text(self) -> &'static str {
        match self {
            Self::NoPath => "The request target must be a path that begins with a slash.",
            Self::BadEscape => "The path holds a broken percent escape.",
            Self::NulByte => "The path must not hold a NUL byte.",
            Self::DotSegment => "The path must not hold a segment of one or two dots.",
            Self::Fragment => "The request target must not hold a fragment.",
            Self::BadQuery => "The query must be visible ASCII; escape everything else.",
            Self::AsteriskForm => "The target * is for OPTIONS alone.",
            Self::ForeignScheme => "The target's scheme is not served here.",
            Self::AuthorityMismatch => "The target and the Host header name different hosts.",
            Self::Connect => "CONNECT is not supported.",
            Self::SmallMethod => "The method must be in capitals.",
            Self::Expectation => "The only expectation supported is 100-continue.",
            Self::NoHost => "The Host header is missing.",
            Self::TwoHosts => "There is more than one Host header.",
            Self::BadHost => "The Host header is not valid.",
            Self::TwoAuthorizations => "There is more than one Authorization header.",
            Self::BadConnection => "The Connection header is not valid.",
            Self::ConnectionStrips => {
                "The Connection header names a header that does not belong to the connection."
            }
            Self::BadForwarding => "The forwarding headers are not valid.",
            Self::HiddenClient => "The forwarding headers do not name the client.",
            Self::ForeignHost => "This host is not served here.",
            Self::TwoSpellings => "A header came in two spellings.",
            Self::BadLength => "The Content-Length header is not valid.",
            Self::TwoLengths => "Content-Length and Transfer-Encoding must not come together.",
            Self::TransferCoding => "The only transfer coding supported is chunked.",
        }
    }
}
