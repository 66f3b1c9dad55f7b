//! Answers and failures become HTTP here.
//!
//! [`failure`] is the one place that says what each failure means: whose fault it is, what the
//! client is told, whether another worker may try. [`body`] is the one body type that all services
//! answer with; it carries the request's access record to its end.

pub(crate) mod backlog;
pub mod body;
pub(crate) mod coding;
pub(crate) mod compress;
pub mod failure;
mod file;
mod parts;
mod pieces;
mod security;

use bytes::Bytes;
use http::Response;
use http::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};

pub(crate) use body::Body;
pub(crate) use coding::{Coding, accepted};
pub(crate) use failure::Failure;
pub(crate) use file::{BadRange, FileRange};
pub(crate) use parts::{Part, Parts};
pub(crate) use pieces::PIECE;
pub use security::SecurityHeaders;

use crate::log::Record;

/// The response for a failure: a short sentence as plain text.
pub(crate) fn failed(failure: &Failure, mut record: Record) -> Response<Body> {
    failure::note(failure, &mut record);
    let mut response = Response::new(Body::bytes(Bytes::from(failure.client_text()), record));
    *response.status_mut() = failure.status();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(seconds) = failure.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if failure.closes_connection() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some((protocol, version)) = failure.upgrade() {
        headers.insert(UPGRADE, HeaderValue::from_static(protocol));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(version));
    }
    if let Failure::OutsideRange { len } = failure
        && let Ok(range) = HeaderValue::from_str(&format!("bytes */{len}"))
    {
        headers.insert(http::header::CONTENT_RANGE, range);
    }
    if let Some(methods) = failure.allow() {
        headers.insert(http::header::ALLOW, HeaderValue::from_static(methods));
    }
    response
}
