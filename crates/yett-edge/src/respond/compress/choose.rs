//! Whether an answer is compressed, and how: by what the configuration, the answer and the request
//! say, in this order.
//!
//! Pure. It also says what caches must know: `Vary` stands on every answer that would have been
//! compressed for another client.

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    ETAG, HeaderMap, HeaderName, HeaderValue, VARY,
};
use http::{StatusCode, Version};
use yett_gate::RequestHead;

use super::{CompressionSettings, foreign, tags, types};
use crate::header_list::has_member;
use crate::respond::coding::{Coding, accepted};
use crate::rules::Compression;

/// Fields about the very bytes of a body, which coding them would make untrue.
const OF_THE_BYTES: [HeaderName; 5] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("signature-input"),
];

/// Of codings that a client likes equally: zstd takes a quarter of the time of the others, and makes
/// text as small.
const ORDER: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

/// An answer before its body.
pub(crate) struct Outline<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a mut HeaderMap,
    /// Bytes of its body, if that is known; for HEAD those that GET would have.
    pub(crate) length: Option<u64>,
}

/// The coding, if there should be one. The headers get their `Vary` here; all else they get from
/// [`announce`] once there is an encoder.
pub(super) fn choose(
    settings: &CompressionSettings,
    rule: Option<Compression>,
    request: &RequestHead,
    answer: &mut Outline<'_>,
) -> Option<Coding> {
    let wanted = rule.unwrap_or(settings.compression);
    if wanted == Compression::Off {
        return None;
    }
    if answer.status == StatusCode::NOT_MODIFIED {
        if let Some(tag) = tags::known_as(request.headers(), answer.headers) {
            answer.headers.insert(ETAG, tag);
            vary(answer.headers);
        }
        return None;
    }
    if !may_be_coded(settings, answer) {
        return None;
    }
    vary(answer.headers);
    if wanted == Compression::On && foreign::may_be_foreign(request) {
        return None;
    }
    // An older client cannot see that a body of unknown length broke off.
    if request.version() < Version::HTTP_11 {
        return None;
    }
    accepted(request.headers(), ORDER)
}

/// Whether it could be coded for any client.
fn may_be_coded(settings: &CompressionSettings, answer: &Outline<'_>) -> bool {
    let headers = &*answer.headers;
    let without_body = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT];
    let is_a_part =
        answer.status == StatusCode::PARTIAL_CONTENT || headers.contains_key(CONTENT_RANGE);
    answer
        .length
        .is_none_or(|length| length >= settings.min_size)
        && !without_body.contains(&answer.status)
        && !is_a_part
        && !headers.contains_key(CONTENT_ENCODING)
        && types::is_text(headers)
        && !has_member(headers, &CACHE_CONTROL, b"no-transform")
        && !OF_THE_BYTES.iter().any(|name| headers.contains_key(name))
}

/// Makes the headers speak of a coded body, whose length is not known yet.
pub(super) fn announce(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(CONTENT_ENCODING, coding.value());
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    tags::mark(headers, coding);
}

/// Adds `Accept-Encoding` to what the answer depends on. All in one field: not every cache reads a
/// second one.
fn vary(headers: &mut HeaderMap) {
    let named = ACCEPT_ENCODING.as_str().as_bytes();
    if has_member(headers, &VARY, named) || has_member(headers, &VARY, b"*") {
        return;
    }
    let mut list = Vec::new();
    for value in headers.get_all(VARY) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(b"Accept-Encoding");
    // Joined from values, so it is one.
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        headers.insert(VARY, list);
    }
}

#[cfg(test)]
mod tests;
