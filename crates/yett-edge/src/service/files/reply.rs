//! From a known file and a request to the response: conditions, ranges, body.

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap,
    HeaderValue,
};
use http::{Method, Response, StatusCode};
use yett_gate::RequestHead;

use super::Files;
use super::condition::{Answer, decide};
use super::entity::Entity;
use super::range::Span;
use crate::log::Record;
use crate::meters::Limit;
use crate::random;
use crate::respond::{self, Body, Failure, Part, Parts};

/// What a response's body is made of.
pub(in crate::service) enum Piece {
    Empty,
    One(Part),
    Several(Parts),
}

impl Piece {
    pub(in crate::service) fn into_body(self, record: Record) -> Body {
        match self {
            Self::Empty => Body::bytes(Bytes::new(), record),
            Self::One(Part::Bytes(bytes)) => Body::bytes(bytes, record),
            Self::One(Part::File(range)) => Body::file(range, record),
            Self::Several(parts) => Body::parts(parts, record),
        }
    }
}

impl Files {
    pub(super) fn reply(
        &self,
        head: &RequestHead,
        entity: &Entity,
        mut record: Record,
    ) -> Response<Body> {
        let variant = entity.best(head.headers());
        let answer = decide(
            head.method(),
            head.headers(),
            variant.validators(),
            variant.len(),
        );
        if answer == Answer::WholeForTooManyRanges {
            self.meters.met(Limit::Ranges);
        }
        let mut headers = variant.headers().clone();
        let content = |start, end| variant.content().part(start, end);
        let made = make(answer, head.method(), variant.len(), &mut headers, content);
        let (status, piece) = match made {
            Ok(made) => made,
            Err(failure) => return respond::failed(&failure, record),
        };
        record.status(status);
        let mut response = Response::new(piece.into_body(record));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// Status and body of an answer; the headers, which are those of the whole file, are made to fit.
///
/// # Errors
/// 412 and 416.
pub(in crate::service) fn make(
    answer: Answer,
    method: &Method,
    len: u64,
    headers: &mut HeaderMap,
    content: impl Fn(u64, u64) -> Part,
) -> Result<(StatusCode, Piece), Failure> {
    match answer {
        Answer::Failed => Err(Failure::Precondition),
        Answer::Outside => Err(Failure::OutsideRange { len }),
        Answer::NotModified => {
            // RFC 9110 section 15.4.5: what updates a kept copy, and nothing about a body.
            for name in [
                CONTENT_TYPE,
                CONTENT_LENGTH,
                CONTENT_ENCODING,
                ACCEPT_RANGES,
            ] {
                headers.remove(name);
            }
            Ok((StatusCode::NOT_MODIFIED, Piece::Empty))
        }
        Answer::Whole | Answer::WholeForTooManyRanges => {
            // hyper would not send it, but would count it.
            let piece = if method == Method::HEAD {
                Piece::Empty
            } else {
                Piece::One(content(0, len))
            };
            Ok((StatusCode::OK, piece))
        }
        Answer::Part(spans) => {
            let piece = match spans.as_slice() {
                [span] => {
                    headers.insert(CONTENT_RANGE, content_range(*span, len));
                    headers.insert(CONTENT_LENGTH, span.bytes().into());
                    Piece::One(content(span.start, span.end))
                }
                spans => Piece::Several(several(spans, len, headers, content)),
            };
            Ok((StatusCode::PARTIAL_CONTENT, piece))
        }
    }
}

fn content_range(span: Span, len: u64) -> HeaderValue {
    let last = span.end.saturating_sub(1);
    header(&format!("bytes {}-{last}/{len}", span.start))
}

/// The body of `multipart/byteranges`.
fn several(
    spans: &[Span],
    len: u64,
    headers: &mut HeaderMap,
    content: impl Fn(u64, u64) -> Part,
) -> Parts {
    // What stands in no file, because nobody can know it before.
    let boundary = random::name();
    let kind = format!("multipart/byteranges; boundary={boundary}");
    let of_each = headers.insert(CONTENT_TYPE, header(&kind));
    let mut parts = Parts::default();
    for (place, span) in spans.iter().enumerate() {
        let mut head = Vec::with_capacity(200);
        if place > 0 {
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        if let Some(kind) = &of_each {
            head.extend_from_slice(b"Content-Type: ");
            head.extend_from_slice(kind.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"Content-Range: ");
        head.extend_from_slice(content_range(*span, len).as_bytes());
        head.extend_from_slice(b"\r\n\r\n");
        parts.push(Part::Bytes(head.into()));
        parts.push(content(span.start, span.end));
    }
    parts.push(Part::Bytes(format!("\r\n--{boundary}--\r\n").into()));
    headers.insert(CONTENT_LENGTH, parts.left().into());
    parts
}

/// Text of our own making.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
