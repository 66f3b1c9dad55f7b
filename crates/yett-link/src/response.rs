//! The payload of a [`Kind::Response`](crate::frame::Kind::Response) frame: status, headers, and the
//! first piece of the body behind them.
//!
//! The edge does not trust it: it checks names and values again when it makes them into headers.

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::FrameError;
use crate::wire::{Fields, put_bytes};

/// Writes a head field by field, for who has no list of them yet.
///
/// The bytes go to the buffer that is given each time, which must be the same.
#[derive(Debug)]
pub struct HeadWriter {
    count_at: usize,
    count: u16,
}

impl HeadWriter {
    /// Writes status and reason; `reason` is what the application wrote behind the status code,
    /// perhaps nothing.
    pub fn begin(out: &mut BytesMut, status: u16, reason: &[u8]) -> Self {
        out.put_u16_le(status);
        put_bytes(out, reason);
        let count_at = out.len();
        out.put_u16_le(0);
        Self { count_at, count: 0 }
    }

    /// Writes one header behind those before it.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] for the 65,536th.
    pub fn header(
        &mut self,
        out: &mut BytesMut,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), FrameError> {
        let more = self.count.checked_add(1);
        self.count = more.ok_or(FrameError::Malformed("header count"))?;
        put_bytes(out, name);
        put_bytes(out, value);
        if let Some(field) = out.get_mut(self.count_at..self.count_at + 2) {
            field.copy_from_slice(&self.count.to_le_bytes());
        }
        Ok(())
    }
}

/// Writes the head; the caller may append the first piece of the body behind it.
///
/// `reason` is what the application wrote behind the status code, perhaps nothing.
///
/// # Errors
/// [`FrameError::Malformed`] when there are more than 65,535 headers.
pub fn write_head<'h>(
    out: &mut BytesMut,
    status: u16,
    reason: &[u8],
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
) -> Result<(), FrameError> {
    let mut head = HeadWriter::begin(out, status, reason);
    for (name, value) in headers {
        head.header(out, name, value)?;
    }
    Ok(())
}

/// Writes the fields of a [`Kind::Hints`](crate::frame::Kind::Hints) or
/// [`Kind::Trailers`](crate::frame::Kind::Trailers) frame.
///
/// # Errors
/// [`FrameError::Malformed`] when there are more than 65,535.
pub fn write_fields<'h>(
    out: &mut BytesMut,
    fields: impl Iterator<Item = (&'h [u8], &'h [u8])>,
) -> Result<(), FrameError> {
    write_head(out, 0, b"", fields)
}

/// A response's head, read.
#[derive(Debug, Clone)]
pub struct ResponseView<'a> {
    /// Status code as the application gave it, not yet checked for range.
    pub status: u16,
    /// Reason phrase, perhaps empty.
    pub reason: &'a [u8],
    headers: Fields<'a>,
    header_count: u16,
    body_at: usize,
}

impl<'a> ResponseView<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] with the field's name.
    pub fn parse(payload: &'a [u8]) -> Result<Self, FrameError> {
        let mut fields = Fields::new(payload);
        let status = fields.u16("status")?;
        let reason = fields.bytes("reason")?;
        let header_count = fields.u16("header count")?;
        let headers = fields;
        for _ in 0..header_count {
            fields.bytes("header name")?;
            fields.bytes("header value")?;
        }
        let body_at = payload.len() - fields.rest().len();
        Ok(Self {
            status,
            reason,
            headers,
            header_count,
            body_at,
        })
    }

    /// How many headers there are.
    #[must_use]
    pub const fn header_count(&self) -> usize {
        self.header_count as usize
    }

    /// Names and values in the application's order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut fields = self.headers;
        (0..self.header_count).map_while(move |_| {
            let name = fields.bytes("header name").ok()?;
            Some((name, fields.bytes("header value").ok()?))
        })
    }

    /// The piece of the body that stands behind the head, sharing the payload's memory.
    #[must_use]
    pub fn body(&self, payload: &Bytes) -> Bytes {
        payload.slice(self.body_at.min(payload.len())..)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn response_reads_back_as_written(
            status in any::<u16>(),
            headers in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..12), proptest::collection::vec(any::<u8>(), 0..30)), 0..12),
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut out = BytesMut::new();
            write_head(&mut out, status, b"Fine", headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice()))).unwrap();
            out.extend_from_slice(&body);
            let payload = out.freeze();
            let view = ResponseView::parse(&payload).unwrap();
            prop_assert_eq!(view.status, status);
            let back: Vec<_> = view.headers().map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
            prop_assert_eq!(back, headers);
            prop_assert_eq!(view.body(&payload), body);
        }

        #[test]
        fn arbitrary_payload_never_panics(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let payload = Bytes::from(payload);
            if let Ok(view) = ResponseView::parse(&payload) {
                let _count = view.headers().count();
                let _body = view.body(&payload);
            }
        }
    }
}
