//! What a `Range` header is read as never passes the file's end and never holds a byte twice.

use yett_edge::service::range::{Asked, MOST, asked};

/// The first eight bytes are the file's length, the rest is the header.
pub fn range(data: &[u8]) {
    let Some((len, header)) = data.split_first_chunk() else {
        return;
    };
    let len = u64::from_le_bytes(*len);
    if let Asked::Spans(mut spans) = asked(header, len) {
        assert!(!spans.is_empty() && spans.len() <= MOST);
        spans.sort_by_key(|span| span.start);
        let mut end = 0;
        for span in spans {
            assert!(span.start >= end && span.start < span.end && span.end <= len);
            end = span.end;
        }
    }
}
