//! Frames as they pass by: their nine-byte heads (RFC 9113 section 4.1) and the first bytes of what
//! follows, whatever way the bytes are cut. Nothing is kept of a payload beyond that.

/// Length of a frame's head.
const HEAD: usize = 9;
/// So much of a payload is kept: the code of a RST_STREAM or GOAWAY.
const KEPT: usize = 8;

/// `END_STREAM` of DATA and HEADERS, `ACK` of SETTINGS and PING.
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
/// `END_HEADERS` of HEADERS and CONTINUATION.
pub(super) const END_HEADERS: u8 = 0x4;

/// What a frame is, as far as anybody here asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Reset,
    Settings,
    GoAway,
    Continuation,
    /// PRIORITY, PUSH_PROMISE, PING, WINDOW_UPDATE, and what this version of HTTP does not know.
    Other,
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) len: u32,
    kept: [u8; KEPT],
}

impl Frame {
    fn read(head: [u8; HEAD]) -> Self {
        let [a, b, c, kind, flags, id @ ..] = head;
        Self {
            kind: match kind {
                0x0 => Kind::Data,
                0x1 => Kind::Headers,
                0x3 => Kind::Reset,
                0x4 => Kind::Settings,
                0x7 => Kind::GoAway,
                0x9 => Kind::Continuation,
                _ => Kind::Other,
            },
            flags,
            // The highest bit is reserved.
            stream: u32::from_be_bytes(id) & (u32::MAX >> 1),
            len: u32::from_be_bytes([0, a, b, c]),
            kept: [0; KEPT],
        }
    }

    /// The error code of a whole RST_STREAM or GOAWAY.
    pub(super) fn code(&self) -> u32 {
        let [a, b, c, d, e, f, g, h] = self.kept;
        match self.kind {
            Kind::GoAway => u32::from_be_bytes([e, f, g, h]),
            _ => u32::from_be_bytes([a, b, c, d]),
        }
    }

    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// A frame's head.
    Head(Frame),
    /// The whole frame.
    Whole(Frame),
}

/// Follows one direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; HEAD],
    have: usize,
    /// The frame whose payload passes, and how much of it has.
    running: Option<(Frame, u32)>,
}

impl Frames {
    /// Goes on until something comes to its end: how many bytes that took, and what it was. Without
    /// an end all bytes are taken.
    pub(super) fn next(&mut self, bytes: &[u8]) -> (usize, Option<Passed>) {
        if let Some((frame, passed)) = &mut self.running {
            let left = usize::try_from(frame.len - *passed).unwrap_or(usize::MAX);
            let taken = left.min(bytes.len());
            let place = usize::try_from(*passed).unwrap_or(usize::MAX);
            let room = frame.kept.get_mut(place..).unwrap_or_default();
            for (kept, byte) in room.iter_mut().zip(bytes.iter().take(taken)) {
                *kept = *byte;
            }
            // Not more than `left`, which came from a `u32`.
            *passed += u32::try_from(taken).unwrap_or(0);
            if *passed < frame.len {
                return (taken, None);
            }
            let frame = *frame;
            self.running = None;
            return (taken, Some(Passed::Whole(frame)));
        }
        let room = self.head.get_mut(self.have..).unwrap_or_default();
        let taken = room.len().min(bytes.len());
        for (kept, byte) in room.iter_mut().zip(bytes) {
            *kept = *byte;
        }
        self.have += taken;
        if self.have < HEAD {
            return (taken, None);
        }
        self.have = 0;
        let frame = Frame::read(self.head);
        self.running = Some((frame, 0));
        (taken, Some(Passed::Head(frame)))
    }

    /// Whether a frame has begun and not ended.
    pub(super) const fn is_within(&self) -> bool {
        self.have > 0 || self.running.is_some()
    }

    /// The frame that is passing, when its head is known.
    pub(super) fn running(&self) -> Option<Frame> {
        self.running.map(|(frame, _)| frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn all(cuts: usize, mut bytes: &[u8]) -> Vec<(Kind, u32, u32)> {
        let (mut frames, mut seen) = (Frames::default(), Vec::new());
        while !bytes.is_empty() {
            let (mut piece, rest) = bytes.split_at(cuts.min(bytes.len()));
            bytes = rest;
            loop {
                let (taken, passed) = frames.next(piece);
                piece = &piece[taken..];
                match passed {
                    Some(Passed::Whole(frame)) => {
                        seen.push((frame.kind, frame.stream, frame.code()));
                    }
                    Some(Passed::Head(_)) => {}
                    None => break,
                }
            }
        }
        assert!(!frames.is_within());
        seen
    }

    #[test]
    fn frames_are_the_same_however_bytes_are_cut() {
        let mut bytes = frame(4, 0, 0, b"");
        bytes.extend(frame(3, 0, 7, &8_u32.to_be_bytes()));
        bytes.extend(frame(0, 1, 0x8000_0003, &[7; 20]));
        bytes.extend(frame(7, 0, 0, b"\0\0\0\x05\0\0\0\x0bmore"));
        bytes.extend(frame(0x42, 0, 0, b"?"));
        let expected = all(usize::MAX, &bytes);
        assert_eq!(expected[0], (Kind::Settings, 0, 0));
        assert_eq!(expected[1], (Kind::Reset, 7, 8));
        assert_eq!(expected[2].1, 3, "the reserved bit is none of the number");
        assert_eq!(expected[3], (Kind::GoAway, 0, 11));
        assert_eq!(expected[4].0, Kind::Other);
        for cuts in 1..40 {
            assert_eq!(all(cuts, &bytes), expected, "{cuts}");
        }
    }
}
