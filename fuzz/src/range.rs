//! What a `Range` header is read as never passes the file's end and never holds a byte twice.

use yett_edge::service::range::{Asked, MOST, asked};

/// Lengths of files with headers of one span and of several, that overlap, end openly or are none.
pub fn range_seeds() -> Vec<Vec<u8>> {
    [
        (1000_u64, "bytes=0-9"),
        (1000, "bytes=-10"),
        (1000, "bytes=990-"),
        (1000, "bytes=0-0,500-600,550-700, -1"),
        (1000, "bytes=1000-"),
        (0, "bytes=0-"),
        (
            u64::MAX,
            "bytes=18446744073709551614-18446744073709551615,0-1",
        ),
        (1000, "lines=1-2"),
    ]
    .iter()
    .map(|(len, header)| [&len.to_le_bytes(), header.as_bytes()].concat())
    .collect()
}

/// What a header turns on.
pub const PIECES: &[&[u8]] = &[
    b"bytes=",
    b",",
    b"-",
    b"0-",
    b"-1",
    b" ",
    b"\t",
    b"=",
    b"5-1",
    b"18446744073709551615",
    b"99999999999999999999",
];

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
