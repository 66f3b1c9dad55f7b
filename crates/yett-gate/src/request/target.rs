//! The canonical target, and the one place that reads a raw path.
//!
//! Percent escapes are decoded exactly once. Everything after this file works on the decoded
//! bytes, so a rule and the thing it protects cannot see different paths: `%2F` is a slash for the
//! router, for the guard, for the file service and for the application alike. What has no single
//! meaning (a broken escape, a NUL, a dot segment) is refused instead of repaired.
//!
//! Never here: collapsing `//` (Django sees it), touching the query, reading headers.
//! Matches RFC 9112 section 3.2, RFC 3986 section 2, and WSGI's decoded `PATH_INFO`.

use http::{Method, Uri};

use super::BadRequest;

/// The request target in its one canonical form.
///
/// No segment of the path is `.` or `..`, and no byte is NUL. A backslash is an ordinary byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: Box<[u8]>,
    uri: Box<str>,
    /// Where the query begins in `uri`, behind the `?`.
    query_start: Option<usize>,
}

impl Target {
    /// Makes the canonical target of a request line.
    ///
    /// # Errors
    /// [`BadRequest`] for everything that has no single meaning; see the module.
    pub fn parse(method: &Method, uri: &Uri) -> Result<Self, BadRequest> {
        if method == Method::CONNECT {
            return Err(BadRequest::Connect);
        }
        if let Some(scheme) = uri.scheme_str()
            && scheme != "http"
            && scheme != "https"
        {
            return Err(BadRequest::ForeignScheme);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the request/target.rs that the lint keeps the raw path for"
        )]
        let raw = uri.path();
        if raw == "*" {
            return Self::asterisk(method, uri);
        }
        let path = decode(raw.as_bytes())?;
        refuse_dot_segments(&path)?;
        Self::assemble(path, uri.query())
    }

    /// The decoded path, beginning with a slash; or `*` for `OPTIONS *`.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The decoded path as text, or `None` when it is not UTF-8.
    #[must_use]
    pub fn path_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.path).ok()
    }

    /// The query as the client sent it, without the `?`; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.query_start
            .and_then(|start| self.uri.get(start..))
            .unwrap_or("")
    }

    /// The target encoded again, the same for every spelling of the same path: unreserved
    /// characters, sub-delimiters, `:`, `@` and `/` plain, every other byte as `%XX` in capitals,
    /// then `?` and the query as sent. Visible ASCII, fit for a log line or an upstream.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    fn asterisk(method: &Method, uri: &Uri) -> Result<Self, BadRequest> {
        if method != Method::OPTIONS || uri.query().is_some() {
            return Err(BadRequest::AsteriskForm);
        }
        Ok(Self {
            path: Box::from(*b"*"),
            uri: Box::from("*"),
            query_start: None,
        })
    }

    fn assemble(path: Vec<u8>, query: Option<&str>) -> Result<Self, BadRequest> {
        let mut uri = String::with_capacity(path.len() + query.map_or(0, |query| query.len() + 1));
        for &byte in &path {
            encode(byte, &mut uri);
        }
        let mut query_start = None;
        if let Some(query) = query {
            if !query.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(BadRequest::BadQuery);
            }
            uri.push('?');
            query_start = Some(uri.len());
            uri.push_str(query);
        }
        Ok(Self {
            path: path.into_boxed_slice(),
            uri: uri.into_boxed_str(),
            query_start,
        })
    }
}

/// Decodes percent escapes once.
fn decode(raw: &[u8]) -> Result<Vec<u8>, BadRequest> {
    if raw.first() != Some(&b'/') {
        return Err(BadRequest::NoPath);
    }
    let mut path = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => escaped(bytes.next(), bytes.next())?,
            // `http::Uri` cuts a fragment off before it gets here; this is for its next version.
            b'#' => return Err(BadRequest::Fragment),
            plain => plain,
        };
        if byte == 0 {
            return Err(BadRequest::NulByte);
        }
        path.push(byte);
    }
    Ok(path)
}

/// The byte that two hexadecimal digits spell.
fn escaped(high: Option<u8>, low: Option<u8>) -> Result<u8, BadRequest> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(BadRequest::BadEscape);
    };
    u8::try_from(high * 16 + low).map_err(|_| BadRequest::BadEscape)
}

/// Refuses `.` and `..`: no reader of the path may come to another one by resolving them.
fn refuse_dot_segments(path: &[u8]) -> Result<(), BadRequest> {
    let dots = |segment: &[u8]| segment == b"." || segment == b"..";
    if path.split(|byte| *byte == b'/').any(dots) {
        return Err(BadRequest::DotSegment);
    }
    Ok(())
}

/// Writes one path byte in its canonical spelling (RFC 3986: `pchar` and `/` stay plain).
fn encode(byte: u8, uri: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
    if plain {
        uri.push(char::from(byte));
        return;
    }
    uri.push('%');
    for nibble in [byte >> 4, byte & 0xF] {
        uri.extend(HEX.get(usize::from(nibble)));
    }
}

#[cfg(test)]
mod tests;
