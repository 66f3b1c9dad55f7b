//! Fields inside a payload: numbers and length-prefixed bytes, little-endian.
//!
//! Reading never trusts a length: a field that reaches past the payload is
//! [`FrameError::Malformed`].

use bytes::{BufMut, BytesMut};

use crate::frame::FrameError;

/// Reads fields off the front of a payload.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of this payload.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// What no field has taken yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], FrameError> {
        let (field, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(FrameError::Malformed(what))?;
        self.rest = rest;
        Ok(field)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], FrameError> {
        let (field, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(FrameError::Malformed(what))?;
        self.rest = rest;
        Ok(*field)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] with `what` at the payload's end; so for every method here.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, FrameError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    /// Two bytes.
    ///
    /// # Errors
    /// As [`Fields::u8`].
    pub fn u16(&mut self, what: &'static str) -> Result<u16, FrameError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// As [`Fields::u8`].
    pub fn u32(&mut self, what: &'static str) -> Result<u32, FrameError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// As [`Fields::u8`].
    pub fn u64(&mut self, what: &'static str) -> Result<u64, FrameError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// Bytes behind a `u32` length.
    ///
    /// # Errors
    /// As [`Fields::u8`].
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], FrameError> {
        let len = self.u32(what)?;
        self.take(usize::try_from(len).unwrap_or(usize::MAX), what)
    }

    /// UTF-8 text behind a `u32` length.
    ///
    /// # Errors
    /// As [`Fields::u8`], also when it is not UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<&'a str, FrameError> {
        std::str::from_utf8(self.bytes(what)?).map_err(|_| FrameError::Malformed(what))
    }
}

/// Appends bytes behind a `u32` length.
pub fn put_bytes(out: &mut BytesMut, field: &[u8]) {
    out.reserve(4 + field.len());
    put_len(out, field.len());
    out.extend_from_slice(field);
}

/// Appends the length of bytes that follow behind it.
///
/// A field of 4 GiB or more cannot be written; it would break [`crate::frame::MAX_PAYLOAD`] long
/// before, so the length saturates and the frame is refused as a whole by its writer.
pub fn put_len(out: &mut BytesMut, len: usize) {
    out.put_u32_le(u32::try_from(len).unwrap_or(u32::MAX));
}
