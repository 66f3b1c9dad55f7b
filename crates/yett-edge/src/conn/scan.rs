//! The scanner: follows the framing of HTTP/1 messages byte by byte and objects to everything that
//! another server might read differently (RFC 9112 sections 2.2, 5, 6, 7 and 11.2).
//!
//! It passes on exactly the bytes that came, in heads that are whole and checked and bodies whose
//! framing is checked as far as it has come. It never repairs anything.
//!
//! Behind a head that asks for a WebSocket nothing is passed on until that is decided.
//!
//! Bounds: an incomplete head is held up to [`Limits::max_head`]; of a body nothing is held.

use bytes::BytesMut;
use http::Uri;

use super::{Offence, trailers};
use crate::websocket::handshake::asks;

/// Longest line that announces a chunk, extensions included, in bytes.
const MAX_CHUNK_LINE: usize = 256;

/// Longest trailer section in bytes.
const MAX_TRAILERS: usize = 8 * 1024;

/// Most headers that any setting allows; they are parsed into an array of this size.
const MOST_HEADERS: usize = 256;

/// What a head may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of line and headers.
    pub max_head: usize,
    /// Number of headers, at most 256.
    pub max_headers: usize,
}

/// Where bytes go that are in order.
pub trait Sink {
    /// Takes all of these, behind those before.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for BytesMut {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Follows one connection's bytes.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    place: Place,
    /// The head, chunk line or trailer section that is still incomplete.
    held: BytesMut,
    /// An empty line before this request line was skipped already.
    skipped: bool,
    /// What came behind a request for a WebSocket that is not answered.
    early: BytesMut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    /// Bytes left of a body with a length.
    Body(u64),
    ChunkLine,
    /// Bytes left of a chunk.
    Chunk(u64),
    /// CR LF behind a chunk's data, as far as it has come.
    ChunkEnd(u8),
    Trailers,
    /// Behind a request for a WebSocket: its answer decides whether HTTP goes on.
    Undecided,
}

/// How a message's body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    /// None, and perhaps a WebSocket instead of a further message.
    Upgrade,
}

impl Scanner {
    /// A scanner at the start of a connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            place: Place::Head,
            held: BytesMut::new(),
            skipped: false,
            early: BytesMut::new(),
        }
    }

    /// Whether a head has begun and is not whole.
    #[must_use]
    pub fn is_in_head(&self) -> bool {
        self.place == Place::Head && !self.held.is_empty()
    }

    /// Whether a body has begun and is not whole.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        !matches!(self.place, Place::Head | Place::Undecided)
    }

    /// Whether a request for a WebSocket waits for its answer. What comes until then is held, and
    /// nobody but a client that breaks RFC 6455 (section 4.1) sends anything: so read no further as
    /// soon as [`Scanner::has_early`].
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.place == Place::Undecided
    }

    /// Whether something came behind a request for a WebSocket before its answer.
    #[must_use]
    pub fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// The request for a WebSocket was answered otherwise: HTTP goes on behind it.
    ///
    /// # Errors
    /// As [`Scanner::push`].
    pub fn go_on(&mut self, out: &mut dyn Sink) -> Result<(), Offence> {
        self.place = Place::Head;
        let early = std::mem::take(&mut self.early);
        self.push(&early, out)
    }

    /// What came behind a request for a WebSocket that was granted: the WebSocket's first bytes.
    #[must_use]
    pub fn take_early(&mut self) -> BytesMut {
        std::mem::take(&mut self.early)
    }

    /// Gives back the room of what is held no longer.
    pub fn release(&mut self) {
        if self.held.is_empty() {
            self.held = BytesMut::new();
        }
    }

    /// Method and target of the head that is being held, for the log.
    #[must_use]
    pub fn request_line(&self) -> (String, String) {
        let line = self
            .held
            .as_ref()
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next().unwrap_or("-").to_owned();
        (word(), word())
    }

    /// Takes in bytes; what is in order goes to `out`.
    ///
    /// # Errors
    /// [`Offence`]: nothing behind it may be read any more. What was in order before is in `out`.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut dyn Sink) -> Result<(), Offence> {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Head => self.head(bytes, out)?,
                Place::Body(left) => self.data(bytes, out, left, Place::Body, Place::Head),
                Place::Chunk(left) => self.data(bytes, out, left, Place::Chunk, Place::ChunkEnd(0)),
                Place::ChunkLine => self.chunk_line(bytes, out)?,
                Place::ChunkEnd(seen) => self.chunk_end(bytes, out, seen)?,
                Place::Trailers => self.trailers(bytes, out)?,
                Place::Undecided => {
                    self.early.extend_from_slice(bytes);
                    &[]
                }
            };
        }
        Ok(())
    }

    fn head<'b>(&mut self, bytes: &'b [u8], out: &mut dyn Sink) -> Result<&'b [u8], Offence> {
        let mut bytes = bytes;
        if self.held.is_empty() && !self.skipped && bytes.first() == Some(&b'\r') {
            // RFC 9112 section 2.2: an empty line before a request line is to be ignored, once.
            self.held.extend_from_slice(b"\r");
            bytes = bytes.get(1..).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(bytes);
            }
        }
        if self.held.as_ref() == b"\r" && !self.skipped {
            if bytes.first() != Some(&b'\n') {
                return Err(Offence::BareLineEnd);
            }
            self.held.clear();
            self.skipped = true;
            return Ok(bytes.get(1..).unwrap_or_default());
        }
        let rest = self.hold_lines(bytes, self.limits.max_head, Offence::HeadTooLong)?;
        let Some(rest) = rest else { return Ok(&[]) };
        let framing = check_head(&self.held, self.limits)?;
        out.put(&self.held);
        self.held.clear();
        self.skipped = false;
        self.place = match framing {
            Framing::Upgrade => Place::Undecided,
            Framing::Length(0) => Place::Head,
            Framing::Length(length) => Place::Body(length),
            Framing::Chunked => Place::ChunkLine,
        };
        Ok(rest)
    }

    /// Holds lines up to and including the empty one; `None` while that has not come.
    ///
    /// Every line must end with CR LF, and CR stands nowhere else.
    fn hold_lines<'b>(
        &mut self,
        bytes: &'b [u8],
        limit: usize,
        too_long: Offence,
    ) -> Result<Option<&'b [u8]>, Offence> {
        let mut taken = 0;
        for place in memchr::memchr_iter(b'\n', bytes) {
            let line = bytes.get(taken..place).unwrap_or_default();
            self.held.extend_from_slice(line);
            taken = place + 1;
            let Some((b'\r', before)) = self.held.split_last() else {
                return Err(Offence::BareLineEnd);
            };
            let ends = before.is_empty() || before.last() == Some(&b'\n');
            self.held.extend_from_slice(b"\n");
            if self.held.len() > limit {
                return Err(too_long);
            }
            if ends {
                if self.has_bare_cr() {
                    return Err(Offence::BareLineEnd);
                }
                return Ok(Some(bytes.get(taken..).unwrap_or_default()));
            }
        }
        self.held
            .extend_from_slice(bytes.get(taken..).unwrap_or_default());
        if self.held.len() > limit {
            Err(too_long)
        } else {
            Ok(None)
        }
    }

    fn has_bare_cr(&self) -> bool {
        memchr::memchr_iter(b'\r', &self.held).any(|place| self.held.get(place + 1) != Some(&b'\n'))
    }

    fn data<'b>(
        &mut self,
        bytes: &'b [u8],
        out: &mut dyn Sink,
        left: u64,
        again: fn(u64) -> Place,
        then: Place,
    ) -> &'b [u8] {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (data, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
        out.put(data);
        let left = left - data.len() as u64;
        self.place = if left == 0 { then } else { again(left) };
        rest
    }

    fn chunk_line<'b>(&mut self, bytes: &'b [u8], out: &mut dyn Sink) -> Result<&'b [u8], Offence> {
        let Some(place) = memchr::memchr(b'\n', bytes) else {
            self.held.extend_from_slice(bytes);
            return if self.held.len() > MAX_CHUNK_LINE {
                Err(Offence::Chunk)
            } else {
                Ok(&[])
            };
        };
        let (line, rest) = bytes.split_at_checked(place + 1).unwrap_or((bytes, &[]));
        self.held.extend_from_slice(line);
        if self.held.len() > MAX_CHUNK_LINE {
            return Err(Offence::Chunk);
        }
        let size = self
            .held
            .strip_suffix(b"\r\n")
            .and_then(chunk_size)
            .ok_or(Offence::Chunk)?;
        out.put(&self.held);
        self.held.clear();
        self.place = if size == 0 {
            Place::Trailers
        } else {
            Place::Chunk(size)
        };
        Ok(rest)
    }

    fn chunk_end<'b>(
        &mut self,
        bytes: &'b [u8],
        out: &mut dyn Sink,
        seen: u8,
    ) -> Result<&'b [u8], Offence> {
        let (expected, next) = if seen == 0 {
            (b'\r', Place::ChunkEnd(1))
        } else {
            (b'\n', Place::ChunkLine)
        };
        match bytes.split_first() {
            Some((byte, rest)) if *byte == expected => {
                out.put(&[expected]);
                self.place = next;
                Ok(rest)
            }
            _ => Err(Offence::Chunk),
        }
    }

    fn trailers<'b>(&mut self, bytes: &'b [u8], out: &mut dyn Sink) -> Result<&'b [u8], Offence> {
        let rest = self.hold_lines(bytes, MAX_TRAILERS, Offence::Trailers)?;
        let Some(rest) = rest else { return Ok(&[]) };
        let mut headers = [httparse::EMPTY_HEADER; 32];
        match httparse::parse_headers(&self.held, &mut headers) {
            Ok(httparse::Status::Complete((_, fields)))
                if !fields
                    .iter()
                    .any(|field| trailers::is_forbidden(field.name)) => {}
            _ => return Err(Offence::Trailers),
        }
        out.put(&self.held);
        self.held.clear();
        self.place = Place::Head;
        Ok(rest)
    }
}

/// The size in front of a chunk, `None` if the line is malformed. Extensions are visible ASCII,
/// blanks and tabs, and are ignored (RFC 9112 section 7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line
        .iter()
        .position(|byte| *byte == b';')
        .unwrap_or(line.len());
    let (digits, extension) = line.split_at_checked(end)?;
    let plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    // Sixteen digits would be 2^64; a body that long is refused here rather than counted wrong.
    let sized = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    if !sized || !extension.iter().all(plain) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn check_head(head: &[u8], limits: Limits) -> Result<Framing, Offence> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let room = headers
        .get_mut(..limits.max_headers.min(MOST_HEADERS))
        .ok_or(Offence::TooManyHeaders)?;
    let mut request = httparse::Request::new(room);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Offence::RequestLine),
        Err(httparse::Error::TooManyHeaders) => return Err(Offence::TooManyHeaders),
        Err(httparse::Error::Version) => return Err(Offence::Version),
        Err(httparse::Error::Token | httparse::Error::Status) => return Err(Offence::RequestLine),
        Err(httparse::Error::NewLine) => return Err(Offence::BareLineEnd),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => {
            return Err(Offence::Header);
        }
    }
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Offence::RequestLine);
    };
    // `Uri` would silently drop a fragment; a request has none.
    if target.contains('#') || Uri::try_from(target).is_err() {
        return Err(Offence::Target);
    }
    let mut length = None;
    let mut coding = None;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            if length.replace(content_length(header.value)?).is_some() {
                return Err(Offence::ContentLength);
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding")
            && coding.replace(header.value).is_some()
        {
            return Err(Offence::TransferEncoding);
        }
    }
    match (length, coding) {
        (Some(_), Some(_)) => Err(Offence::ConflictingLengths),
        (None, Some(_)) if version == 0 => Err(Offence::TransferEncoding),
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (None, Some(coding)) if names_chunked(coding) => Err(Offence::TransferEncoding),
        (None, Some(_)) => Err(Offence::UnknownCoding),
        (length, None) => {
            let headers = request.headers.iter();
            let pairs = headers.map(|header| (header.name, header.value));
            Ok(if asks(method, version == 1, pairs) {
                Framing::Upgrade
            } else {
                Framing::Length(length.unwrap_or(0))
            })
        }
    }
}

fn names_chunked(coding: &[u8]) -> bool {
    coding
        .to_ascii_lowercase()
        .windows(7)
        .any(|part| part == b"chunked")
}

fn content_length(value: &[u8]) -> Result<u64, Offence> {
    let plain = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| plain);
    text.and_then(|text| text.parse().ok())
        .ok_or(Offence::ContentLength)
}

#[cfg(test)]
mod tests;
