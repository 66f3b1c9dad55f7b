//! From the application's messages to a client's bytes.
//!
//! Whoever drives it adds a message's piece only while it holds less than [`HELD`].

use bytes::{Buf, Bytes, BytesMut};

use super::Agreed;
use super::deflate::Deflater;
use super::frame::{MAX_CONTROL, Opcode, may_be_sent, put};

/// How many bytes that the client has not taken are enough for now.
pub(super) const HELD: usize = 64 * 1024;

/// Shorter messages are not compressed: alone, without a window from before, they hardly shrink.
pub(super) const SHORTEST_DEFLATED: usize = 1024;

/// What a server answers when it fails and has no better word (RFC 6455 section 7.4.1).
const SERVER_FAILED: u16 = 1011;

/// Writes for one client.
#[derive(Debug)]
pub(super) struct Outbound {
    agreed: Option<Agreed>,
    bytes: BytesMut,
    /// The message that is not whole.
    message: Option<Message>,
    closed: bool,
}

#[derive(Debug)]
struct Message {
    text: bool,
    /// Nothing of it has been written.
    fresh: bool,
    deflater: Option<Deflater>,
}

impl Outbound {
    pub(super) fn new(agreed: Option<Agreed>) -> Self {
        Self {
            agreed,
            bytes: BytesMut::new(),
            message: None,
            closed: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() < HELD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is to be written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn written(&mut self, count: usize) {
        self.bytes.advance(count);
        if self.bytes.is_empty() {
            // A client that has taken everything holds no buffer.
            self.bytes = BytesMut::new();
        }
    }

    /// Adds a message of the application's, or a piece of one. The kind of its first piece counts.
    pub(super) fn message(&mut self, text: bool, more: bool, piece: &Bytes) {
        if self.closed {
            return;
        }
        let agreed = self.agreed;
        let whole = self.message.is_none() && !more;
        let mut message = self.message.take().unwrap_or_else(|| Message {
            text,
            fresh: true,
            deflater: agreed
                .filter(|_| more || piece.len() >= SHORTEST_DEFLATED)
                .map(|agreed| Deflater::new(agreed.window)),
        });
        match &mut message.deflater {
            None => self.frame(&mut message, more, false, piece),
            Some(deflater) => {
                let deflated = deflater.deflate(piece, more);
                if whole && deflated.len() >= piece.len() {
                    self.frame(&mut message, more, false, piece);
                } else if !more || !deflated.is_empty() {
                    self.frame(&mut message, more, true, &deflated);
                }
            }
        }
        if more {
            self.message = Some(message);
        }
    }

    fn frame(&mut self, message: &mut Message, more: bool, compressed: bool, payload: &[u8]) {
        let opcode = match (message.fresh, message.text) {
            (false, _) => Opcode::Continuation,
            (true, true) => Opcode::Text,
            (true, false) => Opcode::Binary,
        };
        let compressed = compressed && message.fresh;
        put(&mut self.bytes, opcode, !more, compressed, payload);
        message.fresh = false;
    }

    pub(super) fn ping(&mut self) {
        self.control(Opcode::Ping, b"");
    }

    pub(super) fn pong(&mut self, payload: &[u8]) {
        self.control(Opcode::Pong, payload);
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        if !self.closed {
            put(&mut self.bytes, opcode, true, false, payload);
        }
    }

    /// Says goodbye; nothing follows. 1005 is a frame without a code. A code that no frame may have
    /// becomes 1011 without its reason; a reason that is too long is cut between characters.
    pub(super) fn close(&mut self, code: u16, reason: &str) {
        let (code, reason) = match code {
            1005 => {
                self.control(Opcode::Close, b"");
                self.closed = true;
                return;
            }
            code if may_be_sent(code) => (code, reason),
            _ => (SERVER_FAILED, ""),
        };
        let cut = reason.floor_char_boundary(MAX_CONTROL - 2);
        let mut payload = Vec::with_capacity(MAX_CONTROL);
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(reason.get(..cut).unwrap_or_default().as_bytes());
        self.control(Opcode::Close, &payload);
        self.closed = true;
        self.message = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::deflate::tests::inflated;
    use super::*;

    fn wire(outbound: &Outbound) -> &[u8] {
        outbound.bytes()
    }

    #[test]
    fn pieces_become_frames_of_one_message() {
        let mut outbound = Outbound::new(None);
        outbound.message(true, true, &Bytes::from_static(b"a"));
        outbound.ping();
        outbound.message(true, false, &Bytes::from_static(b"b"));
        outbound.message(false, false, &Bytes::new());
        assert_eq!(wire(&outbound), b"\x01\x01a\x89\x00\x80\x01b\x82\x00");
    }

    #[test]
    fn nothing_follows_a_close() {
        let mut outbound = Outbound::new(None);
        outbound.close(1000, "bye");
        outbound.message(true, false, &Bytes::from_static(b"a"));
        outbound.close(1001, "");
        outbound.pong(b"x");
        assert_eq!(wire(&outbound), b"\x88\x05\x03\xe8bye");
    }

    #[test]
    fn code_that_no_frame_may_have_becomes_1011() {
        for (code, expected) in [
            (1006, &b"\x88\x02\x03\xf3"[..]),
            (0, b"\x88\x02\x03\xf3"),
            (1005, b"\x88\x00"),
        ] {
            let mut outbound = Outbound::new(None);
            outbound.close(code, "why");
            assert_eq!(wire(&outbound), expected, "{code}");
        }
    }

    #[test]
    fn reason_that_is_too_long_is_cut_between_characters() {
        let mut outbound = Outbound::new(None);
        outbound.close(4000, &"ä".repeat(100));
        let reason = wire(&outbound).get(4..).unwrap();
        assert_eq!(std::str::from_utf8(reason).unwrap(), "ä".repeat(61));
    }

    #[test]
    fn long_message_is_compressed_if_that_was_agreed() {
        let agreed = super::super::offer::agree(&{
            let mut headers = http::HeaderMap::new();
            let offer = http::HeaderValue::from_static("permessage-deflate");
            headers.insert("sec-websocket-extensions", offer);
            headers
        });
        let message = Bytes::from("word ".repeat(1000));
        let mut outbound = Outbound::new(agreed);
        outbound.message(true, false, &message);
        let bytes = wire(&outbound);
        assert_eq!(bytes.first(), Some(&0xc1), "FIN, RSV1, text");
        assert!(bytes.len() < 126, "it shrinks");
        assert_eq!(inflated(bytes.get(2..).unwrap()).unwrap(), message);

        let short = Bytes::from_static(b"short");
        let mut outbound = Outbound::new(agreed);
        outbound.message(true, false, &short);
        assert_eq!(wire(&outbound), b"\x81\x05short");
    }
}
