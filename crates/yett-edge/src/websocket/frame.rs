//! Frames on the wire (RFC 6455 section 5.2) and close codes (section 7.4).

use bytes::{BufMut, BytesMut};

/// Longest payload of a control frame, in bytes (RFC 6455 section 5.5).
pub(super) const MAX_CONTROL: usize = 125;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn parse(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Why a client's WebSocket is failed (RFC 6455 section 7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("a reserved bit is set, or compression that was not agreed on")]
    Reserved,
    #[error("a frame of an unknown kind")]
    Opcode,
    #[error("a frame is not masked")]
    Unmasked,
    #[error("a frame's length is not written in its shortest form, or beyond all bounds")]
    Length,
    #[error("a control frame is fragmented or longer than 125 bytes")]
    Control,
    #[error("a message goes on that has not begun, or another begins within it")]
    Order,
    #[error("a close frame is malformed")]
    Close,
    #[error("a text or a reason is not UTF-8")]
    Utf8,
    #[error("a message cannot be inflated")]
    Deflate,
    #[error("a message is longer than it may be")]
    TooLong,
}

impl Violation {
    /// The code that the WebSocket is closed with.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Reserved
            | Self::Opcode
            | Self::Unmasked
            | Self::Length
            | Self::Control
            | Self::Order
            | Self::Close => 1002,
            Self::Utf8 | Self::Deflate => 1007,
            Self::TooLong => 1009,
        }
    }
}

/// A frame's header as a client sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    /// The first of a compressed message.
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: [u8; 4],
    pub(super) len: u64,
}

impl Header {
    /// Reads a header; `None` while it is not whole. Also says how long it is.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let Some(([first, second], rest)) = bytes.split_first_chunk::<2>() else {
            return Ok(None);
        };
        let opcode = Opcode::parse(first & 0x0f).ok_or(Violation::Opcode)?;
        let fin = first & 0x80 != 0;
        let compressed = first & 0x40 != 0;
        if first & 0x30 != 0 || (compressed && opcode.is_control()) {
            return Err(Violation::Reserved);
        }
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7f;
        if opcode.is_control() && (!fin || usize::from(short) > MAX_CONTROL) {
            return Err(Violation::Control);
        }
        let (len, rest) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((len, rest)) => (u64::from_be_bytes(*len), rest),
                None => return Ok(None),
            },
            short => (u64::from(short), rest),
        };
        let shortest = match short {
            126 => len > 125,
            127 => len > u64::from(u16::MAX) && len <= u64::MAX >> 1,
            _ => true,
        };
        if !shortest {
            return Err(Violation::Length);
        }
        let Some((mask, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let header = Self {
            fin,
            compressed,
            opcode,
            mask: *mask,
            len,
        };
        Ok(Some((header, bytes.len() - rest.len())))
    }
}

/// Takes the mask off. `turned`: how many bytes of the payload came before these.
pub(super) fn unmask(bytes: &mut [u8], mask: [u8; 4], turned: u64) {
    let mut mask = mask;
    // At most 3, so it fits.
    mask.rotate_left((turned % 4) as usize);
    let wide = u64::from_ne_bytes([
        mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3],
    ]);
    let (eights, rest) = bytes.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a frame as a server sends it: unmasked.
pub(super) fn put(out: &mut BytesMut, opcode: Opcode, fin: bool, compressed: bool, payload: &[u8]) {
    out.reserve(10 + payload.len());
    let fin = if fin { 0x80 } else { 0 };
    let compressed = if compressed { 0x40 } else { 0 };
    out.put_u8(fin | compressed | opcode.bits());
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ 0..=125), _) => out.put_u8(len),
        (_, Ok(len)) => {
            out.put_u8(126);
            out.put_u16(len);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(payload.len() as u64);
        }
    }
    out.extend_from_slice(payload);
}

/// Whether a close code may stand in a frame (RFC 6455 section 7.4, and IANA's list: 1012 to 1014).
pub(super) const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmasking_goes_on_where_it_stopped() {
        let mask = [1, 2, 3, 4];
        let mut whole: Vec<u8> = (0..=40).collect();
        let plain = whole.clone();
        unmask(&mut whole, mask, 0);
        for cut in 0..plain.len() {
            let mut pieces = plain.clone();
            let (first, second) = pieces.split_at_mut(cut);
            unmask(first, mask, 0);
            unmask(second, mask, cut as u64);
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }

    #[test]
    fn lengths_have_one_form() {
        let cases: [(&[u8], Result<u64, Violation>); 7] = [
            (&[0x82, 0xfd], Ok(125)),
            (&[0x82, 0xfe, 0, 125], Err(Violation::Length)),
            (&[0x82, 0xfe, 0, 126], Ok(126)),
            (
                &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
                Err(Violation::Length),
            ),
            (&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], Ok(65_536)),
            (
                &[0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255],
                Ok(u64::MAX >> 1),
            ),
            (
                &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
                Err(Violation::Length),
            ),
        ];
        for (bytes, expected) in cases {
            let bytes = [bytes, &[1, 2, 3, 4]].concat();
            let read = Header::parse(&bytes).map(|read| read.unwrap().0.len);
            assert_eq!(read, expected, "{bytes:?}");
            if expected.is_ok() {
                for cut in 0..bytes.len() {
                    assert_eq!(Header::parse(&bytes[..cut]), Ok(None));
                }
            }
        }
    }

    #[test]
    fn codes_that_stand_for_no_frame_are_not_sent() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert!(!may_be_sent(code), "{code}");
        }
        for code in [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999] {
            assert!(may_be_sent(code), "{code}");
        }
    }
}
