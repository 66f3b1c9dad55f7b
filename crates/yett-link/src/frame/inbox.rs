//! What has arrived on a link: bytes in, frames out.
//!
//! A frame's payload is a part of the block that it arrived in, and whoever keeps the payload keeps the block.
//! So a long frame that comes by a ring has a block to itself, and short ones share blocks of [`BLOCK`] at
//! most: what a client that takes nothing keeps is its own bytes, and so much more for each short piece.

use std::collections::VecDeque;
use std::mem;

use bytes::{Buf, BytesMut};

use super::{ExchangeId, Frame, FrameError, HEADER_LEN, Kind, MAX_PAYLOAD};
use crate::ring::{Broken, ClaimId, Reader};

/// A frame of this length, with its header, has a block to itself. So few bytes of a ring are one block,
/// whatever they are.
const LONG: usize = 8 * 1024;

/// Longest block of shorter frames.
const BLOCK: usize = 64 * 1024;

/// Cuts what arrives on a link into frames.
///
/// It holds at most one incomplete frame, so at most [`HEADER_LEN`] + [`MAX_PAYLOAD`] bytes beside
/// what one read brought.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Whole frames, older than what is in the buffer.
    blocks: VecDeque<BytesMut>,
    buffer: BytesMut,
}

/// A frame's header.
struct Header {
    payload: u32,
    kind: u8,
    flags: u8,
    claim: u16,
    exchange: u64,
}

impl Header {
    /// The header at the front of `bytes`, if it is all there.
    fn at_front(mut bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= HEADER_LEN).then(|| Self {
            payload: bytes.get_u32_le(),
            kind: bytes.get_u8(),
            flags: bytes.get_u8(),
            claim: bytes.get_u16_le(),
            exchange: bytes.get_u64_le(),
        })
    }

    /// Bytes of its payload, if a frame may be so long.
    fn payload_len(&self) -> Option<usize> {
        let len = usize::try_from(self.payload).ok();
        len.filter(|len| *len <= MAX_PAYLOAD)
    }
}

/// What bytes lack to end where a frame does.
enum Lack {
    Nothing,
    Header(usize),
    /// The last frame has begun with so many bytes, and lacks so many.
    Payload {
        begun: usize,
        lacks: usize,
    },
    /// They are no frames.
    Sense,
}

fn lack(mut bytes: &[u8]) -> Lack {
    loop {
        if bytes.is_empty() {
            return Lack::Nothing;
        }
        let Some(header) = Header::at_front(bytes) else {
            return Lack::Header(HEADER_LEN - bytes.len());
        };
        let Some(payload) = header.payload_len() else {
            return Lack::Sense;
        };
        let len = HEADER_LEN + payload;
        match bytes.get(len..) {
            Some(rest) => bytes = rest,
            None => {
                return Lack::Payload {
                    begun: bytes.len(),
                    lacks: len - bytes.len(),
                };
            }
        }
    }
}

impl Inbox {
    /// An inbox in which nothing has arrived.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what one ring holds; returns how many bytes that was.
    ///
    /// # Errors
    /// [`Broken`] when the writer claims a position that it cannot have.
    pub fn read(&mut self, ring: &mut Reader) -> Result<usize, Broken> {
        let there = ring.unread()?;
        let mut taken = 0;
        while taken < there {
            let left = there - taken;
            let part = self.next_part(ring, left).min(left);
            ring.take(part, &mut self.buffer);
            taken += part;
        }
        Ok(there)
    }

    /// How many of the `left` bytes to take next, for which the buffer is made ready.
    fn next_part(&mut self, ring: &Reader, left: usize) -> usize {
        match lack(&self.buffer) {
            Lack::Payload { begun, lacks } => {
                self.make_room(begun, lacks);
                lacks
            }
            Lack::Header(len) => len,
            Lack::Sense => left,
            Lack::Nothing => {
                // Also an empty one: it would be a part of an older block, or take as much memory as that.
                self.close(BytesMut::new());
                match next_run(ring, left) {
                    Run::Short(len) => len,
                    Run::Long(len) => {
                        self.buffer = BytesMut::with_capacity(len);
                        len
                    }
                }
            }
        }
    }

    /// Sees to it that the frame that has begun has room for all of it, once: it is not to be moved as it
    /// grows. A long one moves out of a block that it shares.
    fn make_room(&mut self, begun: usize, lacks: usize) {
        let room = self.buffer.capacity() - self.buffer.len();
        if room < lacks || room > lacks && begun + lacks >= LONG {
            let start = self.buffer.split_off(self.buffer.len() - begun);
            let mut own = BytesMut::with_capacity(begun + lacks);
            own.extend_from_slice(&start);
            self.close(own);
        }
    }

    /// What is in the buffer, whole frames, is a block; the buffer is another.
    fn close(&mut self, other: BytesMut) {
        let block = mem::replace(&mut self.buffer, other);
        if !block.is_empty() {
            self.blocks.push_back(block);
        }
    }

    /// Takes in bytes that arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// [`FrameError`] when the peer does not speak the protocol; the link must then be closed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(mut block) = self.blocks.pop_front() else {
            return cut(&mut self.buffer);
        };
        let frame = cut(&mut block);
        if !block.is_empty() {
            self.blocks.push_front(block);
        }
        frame
    }

    /// Whether an incomplete frame is held: an end of file now cuts it.
    #[must_use]
    pub fn is_mid_frame(&self) -> bool {
        !self.buffer.is_empty()
    }
}

/// What stands next in a ring.
enum Run {
    /// So many bytes of short frames, or of what is no frame.
    Short(usize),
    /// A frame of so many bytes.
    Long(usize),
}

/// Looks at the headers of what stands in a ring. A writer that breaks the rules can change them before they
/// are read: then frames lie in other blocks than they should, and are no less frames.
fn next_run(ring: &Reader, left: usize) -> Run {
    if left < LONG {
        return Run::Short(left);
    }
    let mut run = 0;
    while run < BLOCK && run + HEADER_LEN <= left {
        let mut bytes = [0; HEADER_LEN];
        ring.peek(run, &mut bytes);
        let header = Header::at_front(&bytes);
        let Some(len) = header.and_then(|header| header.payload_len()) else {
            return Run::Short(left);
        };
        let len = HEADER_LEN + len;
        if len >= LONG && run == 0 {
            return Run::Long(len);
        }
        if len >= LONG || run + len > BLOCK {
            return Run::Short(run);
        }
        run += len;
    }
    Run::Short(run)
}

fn cut(buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let Some(header) = Header::at_front(buffer) else {
        return Ok(None);
    };
    let kind = Kind::parse(header.kind).ok_or(FrameError::UnknownKind(header.kind))?;
    let len = header.payload_len();
    let len = len.ok_or(FrameError::TooLong(header.payload))?;
    if buffer.len() < HEADER_LEN + len {
        return Ok(None);
    }
    buffer.advance(HEADER_LEN);
    Ok(Some(Frame {
        kind,
        flags: header.flags,
        claim: ClaimId::new(header.claim),
        exchange: ExchangeId(header.exchange),
        payload: buffer.split_to(len).freeze(),
    }))
}

#[cfg(test)]
mod tests;
