//! Which types of content are worth compressing: text, in all its names.
//!
//! Pure. A list of what is taken, never of what is not: pictures, sound, archives and everything
//! unknown go as they are.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Types of text whose names do not say so, and the few binary ones that shrink as text does.
const OTHERS: [&str; 22] = [
    "application/json",
    "application/javascript",
    "application/ecmascript",
    "application/x-javascript",
    "application/xml",
    "application/xml-dtd",
    "application/json-seq",
    "application/ndjson",
    "application/x-ndjson",
    "application/jsonl",
    "application/graphql",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/sql",
    "application/rtf",
    "application/x-www-form-urlencoded",
    "application/wasm",
    "font/ttf",
    "font/otf",
    "image/bmp",
    "image/x-icon",
];

/// Endings that say how a type is written (RFC 6839, RFC 9512).
const SUFFIXES: [&str; 3] = ["+json", "+xml", "+yaml"];

/// A stream of events, whose reader waits for each of them.
const EVENTS: &str = "text/event-stream";

/// Whether an answer with these headers may be compressed for its type. One without a type is not.
pub(super) fn is_text(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(EVENTS) {
        return false;
    }
    let starts = |prefix: &str| {
        let start = essence.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let ends = |suffix: &&str| {
        let end = essence.len().checked_sub(suffix.len());
        let end = end.and_then(|at| essence.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    starts("text/")
        || SUFFIXES.iter().any(ends)
        || OTHERS
            .iter()
            .any(|other| essence.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
        is_text(&headers)
    }

    #[test]
    fn text_is_compressed_in_all_its_names() {
        for value in [
            "text/html",
            "Text/HTML; charset=utf-8",
            "text/csv;header=present",
            "application/json",
            "application/problem+json ; charset=utf-8",
            "application/vnd.api+json",
            "image/svg+xml",
            "application/atom+xml",
            "application/wasm",
        ] {
            assert!(of(value), "{value}");
        }
    }

    #[test]
    fn what_is_compressed_already_unknown_or_an_event_stream_is_not() {
        for value in [
            "text/event-stream",
            "TEXT/EVENT-STREAM; charset=utf-8",
            "image/png",
            "image/jpeg",
            "video/mp4",
            "application/zip",
            "application/pdf",
            "application/octet-stream",
            "application/grpc",
            "multipart/x-mixed-replace; boundary=x",
            "font/woff2",
            "json",
            "+json2",
            "",
            "te",
        ] {
            assert!(!of(value), "{value}");
        }
        assert!(!is_text(&HeaderMap::new()));
        let mut two = HeaderMap::new();
        two.append(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        two.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(!is_text(&two));
    }
}
