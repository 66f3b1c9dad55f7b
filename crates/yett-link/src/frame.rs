//! Frames: the unit that travels on a link, and the reader that cuts a byte stream into them.
//!
//! A frame is a 16-byte header and a payload. The header is little-endian, as both ends are
//! always on one machine: payload length `u32`, kind `u8`, flags `u8`, claim `u16` or zero,
//! exchange number `u64`.

mod inbox;

use bytes::{BufMut, Bytes, BytesMut};

pub use inbox::Inbox;

use crate::ring::ClaimId;

/// Length of a frame's header in bytes.
pub const HEADER_LEN: usize = 16;

/// Longest payload of one frame in bytes. A longer one is a broken peer: the link is given up.
///
/// It holds the largest request head and inline body, with room for the fields around them.
pub const MAX_PAYLOAD: usize = 1024 * 1024;

/// Longest message of a WebSocket that a worker joins for its application, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Longest piece of a response body that a worker puts into one frame, in bytes.
pub const MAX_CHUNK: usize = 64 * 1024;

/// How much of one response a worker may send before the edge has given credit back, in bytes.
///
/// This bounds what the edge holds for a client that reads slowly.
pub const RESPONSE_WINDOW: usize = 256 * 1024;

/// How much of one request's body, or of one client's messages, the edge may send before the worker
/// has given credit back, in bytes.
pub const REQUEST_WINDOW: usize = 256 * 1024;

/// What a [`Kind::Message`] counts against [`REQUEST_WINDOW`] beside its bytes, and what its
/// [`Kind::BodyCredit`] gives back beside them: a message of no bytes takes room too.
pub const MESSAGE_OVERHEAD: usize = 64;

/// What a [`Kind::Message`] of `len` bytes counts against [`REQUEST_WINDOW`]. Edge and worker both
/// count with this, so that a client cannot fill a worker with a quarter of a million tiny messages.
#[must_use]
pub const fn message_cost(len: usize) -> usize {
    len.saturating_add(MESSAGE_OVERHEAD)
}

/// Set on the frame that ends an exchange; on a [`Kind::Body`] frame, on the last of the body.
pub const LAST: u8 = 1;

/// Set on a [`Kind::Request`] or [`Kind::Response`] frame whose body is a file descriptor.
pub const DESCRIPTOR: u8 = 2;

/// Set on a [`Kind::Request`] whose method is not safe: the worker announces that it begins.
pub const ANNOUNCE_BEGIN: u8 = 4;

/// Set on a [`Kind::Request`] whose body is still arriving: it follows in [`Kind::Body`] frames.
pub const STREAMED_BODY: u8 = 8;

/// Set on a [`Kind::Request`] that asks for a WebSocket.
pub const WEBSOCKET: u8 = 16;

/// Set on a [`Kind::Message`] or [`Kind::Reply`] that is text, not bytes.
pub const TEXT: u8 = 32;

/// Set on a [`Kind::Body`] frame: the client left or broke the rules, the rest will not come. On a
/// [`Kind::Drain`] to an event loop: what still runs is to be ended now.
pub const CUT_SHORT: u8 = 64;

/// Set on a [`Kind::Message`] or [`Kind::Reply`] that is continued by the next one.
pub const MORE: u8 = 128;

/// Set on a [`Kind::Cancel`] to an event loop: because it took too long. It shares its bit with [`LAST`].
pub const OVERDUE: u8 = 1;

/// The number of one request and its response on one link. Never used twice on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(u64);

impl ExchangeId {
    /// The exchange of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What a frame says. The numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Edge → worker: one request, see [`crate::request`].
    Request = 1,
    /// Edge → worker: `u32` bytes of the response have left; the worker may send as many more.
    Credit = 2,
    /// Edge → worker: nobody waits for this response any more.
    Cancel = 3,
    /// Edge → worker: no request will follow; leave when the last response is out, or soon
    /// ([`CUT_SHORT`]).
    Drain = 4,
    /// Edge → worker: a further piece of a request's body, under the worker's credit
    /// ([`STREAMED_BODY`]). [`LAST`] or [`CUT_SHORT`] ends it; both may be on an empty frame.
    Body = 5,
    /// Edge → worker: a message of the client's over its WebSocket, under the worker's credit.
    Message = 6,
    /// Edge → worker: the WebSocket is closed: `u16` code, then the reason as UTF-8 text. No frame
    /// of this exchange follows.
    Disconnect = 7,
    /// Edge → worker: is the worker's loop alive? Answered with [`Kind::Pong`] by its next turn.
    Ping = 8,
    /// Worker → edge: the worker can take requests.
    Ready = 16,
    /// Worker → edge: the application is about to be called for this request.
    Begun = 17,
    /// Worker → edge: the response's head and the first piece of its body, see [`crate::response`].
    Response = 18,
    /// Worker → edge: a further piece of the body.
    Chunk = 19,
    /// Worker → edge: the application failed; [`LAST`] is implied. The payload is empty: the
    /// traceback goes to the worker's own standard error, never through the edge.
    Failed = 20,
    /// Worker → edge: `u32` bytes of the request's body, or of the client's messages (counted by
    /// [`message_cost`]), were taken; the edge may send as many more.
    BodyCredit = 21,
    /// Worker → edge: headers for a 103 answer before the real one, as [`crate::response::write_fields`]
    /// writes them.
    Hints = 22,
    /// Worker → edge: fields behind the body; ends the exchange. Written as hints are.
    Trailers = 23,
    /// Worker → edge: the application accepts the WebSocket: a response's head whose status is 101.
    /// A refusal is an ordinary [`Kind::Response`].
    Accept = 24,
    /// Worker → edge: a message to the client over its WebSocket, under the edge's credit.
    Reply = 25,
    /// Worker → edge: close the WebSocket: `u16` code, then the reason as UTF-8 text. Ends the
    /// exchange.
    Close = 26,
    /// Worker → edge: the answer to a [`Kind::Ping`].
    Pong = 27,
}

impl Kind {
    /// What the edge sends, in the order of its numbers, which begin at 1.
    pub const OF_EDGE: [Self; 8] = [
        Self::Request,
        Self::Credit,
        Self::Cancel,
        Self::Drain,
        Self::Body,
        Self::Message,
        Self::Disconnect,
        Self::Ping,
    ];

    /// What a worker sends, in the order of its numbers, which begin at 16.
    pub const OF_WORKER: [Self; 12] = [
        Self::Ready,
        Self::Begun,
        Self::Response,
        Self::Chunk,
        Self::Failed,
        Self::BodyCredit,
        Self::Hints,
        Self::Trailers,
        Self::Accept,
        Self::Reply,
        Self::Close,
        Self::Pong,
    ];

    fn parse(byte: u8) -> Option<Self> {
        let (kinds, first): (&[Self], u8) = match byte {
            ..16 => (&Self::OF_EDGE, 1),
            _ => (&Self::OF_WORKER, 16),
        };
        kinds.get(usize::from(byte.checked_sub(first)?)).copied()
    }
}

/// One frame, its payload not yet looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it says.
    pub kind: Kind,
    /// Bits such as [`LAST`]; unknown bits are ignored.
    pub flags: u8,
    /// On a [`Kind::Request`]: the claim that the worker must make good before it begins.
    pub claim: Option<ClaimId>,
    /// The exchange it belongs to; zero where a frame belongs to none.
    pub exchange: ExchangeId,
    /// The payload, at most [`MAX_PAYLOAD`] bytes.
    pub payload: Bytes,
}

impl Frame {
    /// Whether this frame ends its exchange.
    #[must_use]
    pub fn is_last(&self) -> bool {
        match self.kind {
            Kind::Failed | Kind::Trailers | Kind::Close => true,
            Kind::Response | Kind::Chunk => self.flags & LAST != 0,
            _ => false,
        }
    }
}

/// A peer that does not speak the protocol. The link is closed on any of these.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// The header names a kind that does not exist.
    #[error("frame of unknown kind {0}")]
    UnknownKind(u8),
    /// The header announces more than [`MAX_PAYLOAD`] bytes.
    #[error("frame of {0} bytes is longer than {MAX_PAYLOAD}")]
    TooLong(u32),
    /// The payload ends before its fields do, or a field makes no sense.
    #[error("frame payload is cut short or malformed at {0}")]
    Malformed(&'static str),
    /// A frame announced a descriptor and none came with it.
    #[error("frame announces a descriptor that did not come")]
    NoDescriptor,
}

/// Appends a frame's header; the caller appends exactly `payload_len` bytes behind it.
pub fn put_header(
    out: &mut BytesMut,
    kind: Kind,
    flags: u8,
    exchange: ExchangeId,
    payload_len: u32,
) {
    out.reserve(HEADER_LEN);
    out.put_u32_le(payload_len);
    out.put_u8(kind as u8);
    out.put_u8(flags);
    out.put_u16_le(0);
    out.put_u64_le(exchange.0);
}

/// Writes a claim into the header of a [`Kind::Request`] frame that stands at the front of `frame`, and
/// takes back [`ANNOUNCE_BEGIN`]: the claim tells whether the request was begun.
pub fn put_claim(frame: &mut [u8], claim: ClaimId) {
    if let Some(field) = frame.get_mut(6..8) {
        field.copy_from_slice(&claim.get().to_le_bytes());
    }
    if let Some(flags) = frame.get_mut(5) {
        *flags &= !ANNOUNCE_BEGIN;
    }
}

/// Appends a frame with the given payload.
///
/// # Errors
/// [`FrameError::TooLong`] when the payload is longer than [`MAX_PAYLOAD`]; nothing is appended.
pub fn put_frame(
    out: &mut BytesMut,
    kind: Kind,
    flags: u8,
    exchange: ExchangeId,
    payload: &[u8],
) -> Result<(), FrameError> {
    let len = checked_len(payload.len())?;
    put_header(out, kind, flags, exchange, len);
    out.extend_from_slice(payload);
    Ok(())
}

/// Appends a frame whose payload `write` produces, and fills in the length afterwards.
///
/// # Errors
/// [`FrameError::TooLong`] when what was written is longer than [`MAX_PAYLOAD`]; `out` is as before.
pub fn put_frame_with(
    out: &mut BytesMut,
    kind: Kind,
    flags: u8,
    exchange: ExchangeId,
    write: impl FnOnce(&mut BytesMut),
) -> Result<(), FrameError> {
    put_frame_before(out, kind, flags, exchange, 0, write)
}

/// As [`put_frame_with`], of a frame whose payload has `behind` further bytes that the caller sends
/// right after `out`.
///
/// # Errors
/// As [`put_frame_with`], with those bytes.
pub fn put_frame_before(
    out: &mut BytesMut,
    kind: Kind,
    flags: u8,
    exchange: ExchangeId,
    behind: usize,
    write: impl FnOnce(&mut BytesMut),
) -> Result<(), FrameError> {
    let start = out.len();
    put_header(out, kind, flags, exchange, 0);
    write(out);
    complete_frame(out, start, flags, behind).inspect_err(|_| out.truncate(start))
}

/// Completes a frame whose header was put at `start` before its payload was known: its flags, and its
/// length with `behind` bytes that the caller sends right after `out`.
///
/// # Errors
/// [`FrameError::TooLong`] when the payload is longer than [`MAX_PAYLOAD`]; the frame must not be sent.
pub fn complete_frame(
    out: &mut BytesMut,
    start: usize,
    flags: u8,
    behind: usize,
) -> Result<(), FrameError> {
    let written = out.len().saturating_sub(start + HEADER_LEN);
    let len = checked_len(written.saturating_add(behind))?;
    if let Some(header) = out.get_mut(start..start + HEADER_LEN) {
        if let Some(field) = header.get_mut(..4) {
            field.copy_from_slice(&len.to_le_bytes());
        }
        if let Some(field) = header.get_mut(5) {
            *field = flags;
        }
    }
    Ok(())
}

fn checked_len(len: usize) -> Result<u32, FrameError> {
    let short = u32::try_from(len).unwrap_or(u32::MAX);
    if len > MAX_PAYLOAD {
        Err(FrameError::TooLong(short))
    } else {
        Ok(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_is_read_from_its_own_number_and_from_no_other() {
        for byte in 0..=u8::MAX {
            let mut all = Kind::OF_EDGE.into_iter().chain(Kind::OF_WORKER);
            assert_eq!(Kind::parse(byte), all.find(|kind| *kind as u8 == byte));
        }
    }

    #[test]
    fn frame_is_completed_with_what_is_sent_behind_it() {
        let mut out = BytesMut::from(&b"before"[..]);
        put_header(&mut out, Kind::Response, 0, ExchangeId(7), 0);
        out.extend_from_slice(b"head");
        complete_frame(&mut out, 6, LAST, 4).unwrap();
        let mut inbox = Inbox::new();
        inbox.feed(&out[6..]);
        assert_eq!(inbox.next_frame(), Ok(None));
        inbox.feed(b"body");
        let frame = inbox.next_frame().unwrap().unwrap();
        assert_eq!((frame.flags, frame.exchange.get()), (LAST, 7));
        assert_eq!(frame.payload, "headbody");
        assert!(complete_frame(&mut out, 6, 0, MAX_PAYLOAD).is_err());
    }

    #[test]
    fn oversized_payload_cannot_be_written() {
        let mut out = BytesMut::new();
        let big = vec![0; MAX_PAYLOAD + 1];
        assert!(put_frame(&mut out, Kind::Chunk, 0, ExchangeId(1), &big).is_err());
        assert!(out.is_empty());
        assert!(
            put_frame_with(&mut out, Kind::Chunk, 0, ExchangeId(1), |o| o
                .extend_from_slice(&big))
            .is_err()
        );
        assert!(out.is_empty());
    }
}
