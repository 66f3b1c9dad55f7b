//! Compression of messages (RFC 7692 section 7.2). Each message stands alone: no window is kept from
//! one to the next, so a codec is borrowed for a message and given back.
//!
//! Bounds: each thread keeps [`KEPT`] codecs of either kind; a codec of ours takes about 270 KiB, a
//! client's 45 KiB, while a message is under way.

use std::cell::RefCell;

use bytes::{Buf, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::frame::Violation;
use super::offer::WIDEST;

/// Idle codecs that a thread keeps, of each kind.
const KEPT: usize = 4;

/// What ends a message and is not sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// How much room for output is made at a time.
const STEP: usize = 4 * 1024;

thread_local! {
    static INFLATERS: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
    static DEFLATERS: RefCell<Vec<Compress>> = const { RefCell::new(Vec::new()) };
}

/// Inflates one message.
#[derive(Debug)]
pub(super) struct Inflater {
    /// Taken out only when this is dropped.
    codec: Option<Decompress>,
    /// What came and is not inflated yet.
    input: BytesMut,
    /// The last step filled its room, so there may be more.
    more: bool,
    tail: bool,
}

impl Inflater {
    pub(super) fn new() -> Self {
        let kept = INFLATERS.with_borrow_mut(Vec::pop);
        Self {
            codec: Some(kept.unwrap_or_else(|| Decompress::new(false))),
            input: BytesMut::new(),
            more: false,
            tail: false,
        }
    }

    /// Whether everything that came is inflated.
    pub(super) fn is_hungry(&self) -> bool {
        self.input.is_empty() && !self.more
    }

    /// Takes in bytes of the message. Only when it is hungry, so what it holds is one such piece.
    pub(super) fn feed(&mut self, bytes: BytesMut) {
        self.input = bytes;
    }

    /// All of the message has come; true the first time: inflate once more.
    pub(super) fn end(&mut self) -> bool {
        if self.tail {
            return false;
        }
        self.tail = true;
        self.input = BytesMut::from(TAIL.as_slice());
        true
    }

    /// Inflates into `out` until it is hungry or `out` has `limit` bytes.
    pub(super) fn inflate(&mut self, out: &mut BytesMut, limit: usize) -> Result<(), Violation> {
        let Some(codec) = &mut self.codec else {
            return Ok(());
        };
        while out.len() < limit && (!self.input.is_empty() || self.more) {
            let start = out.len();
            out.resize((start + STEP).min(limit), 0);
            let room = out.get_mut(start..).unwrap_or_default();
            let size = room.len();
            let (taken, made) = (codec.total_in(), codec.total_out());
            let status = codec.decompress(&self.input, room, FlushDecompress::None);
            // Of one step, so they fit.
            let taken = (codec.total_in() - taken) as usize;
            let made = (codec.total_out() - made) as usize;
            out.truncate(start + made);
            match status {
                Err(_) => return Err(Violation::Deflate),
                // A client may end the stream within a message (RFC 7692 section 7.2.3.4).
                Ok(Status::StreamEnd) => {
                    self.input.advance(taken);
                    codec.reset(false);
                    self.more = false;
                    continue;
                }
                Ok(Status::Ok | Status::BufError) => {}
            }
            self.input.advance(taken);
            self.more = made == size;
            if taken == 0 && made == 0 && !self.input.is_empty() {
                return Err(Violation::Deflate);
            }
        }
        Ok(())
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        let Some(mut codec) = self.codec.take() else {
            return;
        };
        codec.reset(false);
        // At a thread's end there is nothing to keep it for.
        let _ended = INFLATERS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(codec);
            }
        });
    }
}

/// Compresses one message.
#[derive(Debug)]
pub(super) struct Deflater {
    codec: Option<Compress>,
    window: u8,
}

impl Deflater {
    /// `window`: 9 to 15.
    pub(super) fn new(window: u8) -> Self {
        let kept = (window == WIDEST)
            .then(|| DEFLATERS.with_borrow_mut(Vec::pop))
            .flatten();
        let make =
            || Compress::new_with_window_bits(Compression::fast(), false, window.clamp(9, 15));
        Self {
            codec: Some(kept.unwrap_or_else(make)),
            window,
        }
    }

    /// Compresses the next piece of the message; what there is of output is returned.
    pub(super) fn deflate(&mut self, piece: &[u8], more: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() / 2 + 64);
        let Some(codec) = &mut self.codec else {
            return out;
        };
        let flush = if more {
            FlushCompress::None
        } else {
            FlushCompress::Sync
        };
        let mut rest = piece;
        loop {
            out.reserve(STEP);
            let taken = codec.total_in();
            let _never_fails = codec.compress_vec(rest, &mut out, flush);
            // Of one piece, so it fits.
            let taken = (codec.total_in() - taken) as usize;
            rest = rest.get(taken..).unwrap_or_default();
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if !more && out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        out
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        let Some(mut codec) = self.codec.take().filter(|_| self.window == WIDEST) else {
            return;
        };
        codec.reset();
        let _ended = DEFLATERS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(codec);
            }
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Compresses a whole message.
    pub(in crate::websocket) fn deflated(message: &[u8], window: u8) -> Vec<u8> {
        Deflater::new(window).deflate(message, false)
    }

    /// Inflates a whole message.
    pub(in crate::websocket) fn inflated(message: &[u8]) -> Result<Vec<u8>, Violation> {
        let mut inflater = Inflater::new();
        inflater.feed(BytesMut::from(message));
        let mut all = Vec::new();
        loop {
            let mut out = BytesMut::new();
            inflater.inflate(&mut out, 1000)?;
            all.extend_from_slice(&out);
            if inflater.is_hungry() && !inflater.end() {
                return Ok(all);
            }
        }
    }

    proptest! {
        #[test]
        fn message_survives_both_ways_in_any_pieces(
            message in proptest::collection::vec(0_u8..4, 0..20_000),
            step in 1_usize..5000,
            window in 9_u8..=15,
        ) {
            let mut deflater = Deflater::new(window);
            let mut sent = Vec::new();
            for piece in message.chunks(step) {
                sent.extend(deflater.deflate(piece, true));
            }
            sent.extend(deflater.deflate(b"", false));
            prop_assert_eq!(inflated(&sent).unwrap(), message);
        }

        #[test]
        fn arbitrary_bytes_inflate_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _outcome = inflated(&bytes);
        }
    }

    #[test]
    fn messages_of_the_standard_are_read() {
        // RFC 7692 sections 7.2.3.1, 7.2.3.3 and 7.2.3.4.
        for message in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[
                0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
            ],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
            ],
        ] {
            assert_eq!(inflated(message).unwrap(), b"Hello");
        }
    }

    #[test]
    fn codec_that_is_used_again_remembers_nothing() {
        let first = deflated(b"the same words again and again", WIDEST);
        let second = deflated(b"the same words again and again", WIDEST);
        assert_eq!(first, second);
        assert!(inflated(&[0xff; 40]).is_err());
        assert_eq!(inflated(&first).unwrap(), b"the same words again and again");
    }
}
