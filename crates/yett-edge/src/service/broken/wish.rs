//! What kind of answer a client would rather have (RFC 9110 section 12.5.1), of three.

use http::header::{ACCEPT, HeaderMap};

use crate::header_list::weighed;

/// A kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// HTML: it is a browser.
    Page,
    /// JSON: it is a client of an API.
    Json,
    /// Neither was asked for by name.
    Text,
}

/// HTML or JSON only where it is named; HTML where both are wanted equally.
pub(super) fn of(headers: &HeaderMap) -> Wish {
    let (mut page, mut json) = (0, 0);
    for (kind, weight) in weighed(headers, &ACCEPT) {
        match kind.to_ascii_lowercase().as_slice() {
            b"text/html" | b"application/xhtml+xml" => page = weight.max(page),
            kind if kind == b"application/json" || kind.ends_with(b"+json") => {
                json = weight.max(json);
            }
            _ => {}
        }
    }
    match (page, json) {
        (0, 0) => Wish::Text,
        (page, json) if page >= json => Wish::Page,
        _ => Wish::Json,
    }
}
