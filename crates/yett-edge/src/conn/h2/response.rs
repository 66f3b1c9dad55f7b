//! An answer's head as HTTP/2 has it: what speaks of a connection is gone, the length and the date
//! stand in it. hyper does the same for HTTP/1.1.

use std::cell::RefCell;

use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use http::response::Parts;
use http::{Response, StatusCode};
use http_body::Body as _;

use crate::clock;
use crate::respond::Body;

/// An answer in its parts.
pub(super) struct Sendable {
    pub(super) response: Response<()>,
    pub(super) body: Body,
    /// The length that the head announces.
    pub(super) left: Option<u64>,
    /// No body follows.
    pub(super) ends: bool,
}

/// Prepares an answer; `headless`: to a HEAD request.
pub(super) fn sendable(response: Response<Body>, headless: bool) -> Sendable {
    let (parts, body) = response.into_parts();
    let Parts {
        status, headers, ..
    } = parts;
    let mut headers = of_no_connection(headers);
    let bodyless = headless || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let exact = body.size_hint().exact();
    if let Some(length) = exact.filter(|_| !bodyless) {
        headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    headers.entry(DATE).or_insert_with(date);
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| {
        let text = value.to_str().ok()?;
        text.parse().ok()
    });
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Sendable {
        response,
        left: announced,
        ends: bodyless || body.is_end_stream(),
        body,
    }
}

/// Without the headers that HTTP/2 has no place for (RFC 9113 section 8.2.2).
pub(super) fn of_no_connection(mut headers: HeaderMap) -> HeaderMap {
    const OTHERS: [HeaderName; 2] = [
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in [&CONNECTION, &TRANSFER_ENCODING, &UPGRADE, &TE]
        .into_iter()
        .chain(&OTHERS)
    {
        headers.remove(name);
    }
    headers
}

thread_local! {
    /// The second it is, and its date: made once a second.
    static NOW: RefCell<(u64, HeaderValue)> =
        const { RefCell::new((u64::MAX, HeaderValue::from_static(""))) };
}

/// The date that every answer of an origin server with a clock has (RFC 9110 section 6.6.1).
fn date() -> HeaderValue {
    let second = clock::since_epoch().as_secs();
    NOW.with_borrow_mut(|(made, date)| {
        if *made != second
            && let Some(fresh) = written(second)
        {
            (*made, *date) = (second, fresh);
        }
        date.clone()
    })
}

fn written(second: u64) -> Option<HeaderValue> {
    HeaderValue::try_from(clock::http_date(second)?.to_string()).ok()
}
