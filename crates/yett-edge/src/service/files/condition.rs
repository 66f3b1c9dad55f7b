//! Preconditions of a request for a file, in the order of RFC 9110 section 13.2.2, and then its range.
//!
//! Pure: fields and a file's validators in, what to answer out.

use http::Method;
use http::header::{
    HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};
use httpdate::HttpDate;

use super::range::{self, Span};
use crate::header_list::entity_tags;

/// What a client may compare its copy with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Validators<'a> {
    /// The entity tag as its header says it.
    pub(crate) etag: Option<&'a [u8]>,
    /// When the content was last changed.
    pub(crate) modified: Option<HttpDate>,
    /// The content may have changed since within the second that `modified` says.
    pub(crate) unsettled: bool,
}

/// What a request for a file gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200 with the file.
    Whole,
    /// 200 with the file: it names more ranges than are read.
    WholeForTooManyRanges,
    /// 206 with these bytes; at least one span.
    Part(Vec<Span>),
    /// 304.
    NotModified,
    /// 412.
    Failed,
    /// 416.
    Outside,
}

/// Decides what a GET or HEAD request gets of a file of so many bytes.
pub(crate) fn decide(
    method: &Method,
    headers: &HeaderMap,
    validators: Validators<'_>,
    len: u64,
) -> Answer {
    let holds = |name, comparison| names(headers, name, validators.etag, comparison);
    if let Some(is_expected) = holds(&IF_MATCH, Comparison::Strong) {
        if !is_expected {
            return Answer::Failed;
        }
    } else if let (Some(date), Some(modified)) =
        (date(headers, &IF_UNMODIFIED_SINCE), validators.modified)
        && modified > date
    {
        return Answer::Failed;
    }
    if let Some(is_known) = holds(&IF_NONE_MATCH, Comparison::Weak) {
        if is_known {
            return Answer::NotModified;
        }
    } else if let (Some(date), Some(modified)) =
        (date(headers, &IF_MODIFIED_SINCE), validators.modified)
        && modified <= date
    {
        return Answer::NotModified;
    }
    // RFC 9110 section 14.2: of all methods GET alone knows ranges.
    if method != Method::GET || !is_range_current(headers, validators) {
        return Answer::Whole;
    }
    let Some(header) = only(headers, &RANGE) else {
        return Answer::Whole;
    };
    match range::asked(header.as_bytes(), len) {
        range::Asked::Whole => Answer::Whole,
        range::Asked::TooMany => Answer::WholeForTooManyRanges,
        range::Asked::Spans(spans) => Answer::Part(spans),
        range::Asked::Outside => Answer::Outside,
    }
}

/// `If-Range`: whether the part that the client has is of this file. Without the header it is taken
/// to be so (RFC 9110 section 13.1.5).
fn is_range_current(headers: &HeaderMap, validators: Validators<'_>) -> bool {
    if !headers.contains_key(IF_RANGE) {
        return true;
    }
    let Some(value) = only(headers, &IF_RANGE) else {
        return false;
    };
    let value = value.as_bytes().trim_ascii();
    if value.starts_with(b"\"") || value.starts_with(b"W/") {
        return validators
            .etag
            .is_some_and(|etag| is_same(value, etag, Comparison::Strong));
    }
    // A date tells two contents apart only if there was one in its second.
    let given = parsed_date(value);
    given.is_some() && given == validators.modified && !validators.unsettled
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// RFC 9110 section 8.8.3.2.
fn is_same(one: &[u8], other: &[u8], comparison: Comparison) -> bool {
    match comparison {
        Comparison::Strong => one == other && !one.starts_with(b"W/"),
        Comparison::Weak => opaque(one) == opaque(other),
    }
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// Whether the list in this header holds the tag, or `*`; `None` without the header.
fn names(
    headers: &HeaderMap,
    name: &HeaderName,
    etag: Option<&[u8]>,
    comparison: Comparison,
) -> Option<bool> {
    if !headers.contains_key(name) {
        return None;
    }
    let mut fields = headers.get_all(name).iter();
    // There is a file.
    let anything = fields.any(|field| field.as_bytes().trim_ascii() == b"*");
    let is_it = |tag: &[u8]| etag.is_some_and(|etag| is_same(tag, etag, comparison));
    Some(anything || entity_tags(headers, name).any(is_it))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<HttpDate> {
    parsed_date(only(headers, name)?.as_bytes())
}

/// A date in one of the three forms of RFC 9110 section 5.6.7.
fn parsed_date(value: &[u8]) -> Option<HttpDate> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// A header that may stand there once; twice it says nothing that could be relied on.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut all = headers.get_all(name).iter();
    let one = all.next()?;
    all.next().is_none().then_some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn answer(method: &Method, etag: &str, fields: &[(&str, &str)]) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let validators = Validators {
            etag: Some(etag.as_bytes()),
            modified: parsed_date(CHANGED.as_bytes()),
            unsettled: false,
        };
        decide(method, &headers, validators, 100)
    }

    fn check(fields: &[(&str, &str)], expected: Answer) {
        assert_eq!(
            answer(&Method::GET, "\"a\"", fields),
            expected,
            "{fields:?}"
        );
    }

    fn first_ten() -> Answer {
        Answer::Part(vec![Span { start: 0, end: 10 }])
    }

    #[test]
    fn if_match_compares_strongly_and_comes_first() {
        check(&[("if-match", "\"a\"")], Answer::Whole);
        check(&[("if-match", "\"x\" , \"a\"")], Answer::Whole);
        check(
            &[("if-match", "\"x\""), ("if-match", "\"a\"")],
            Answer::Whole,
        );
        check(&[("if-match", "*")], Answer::Whole);
        check(&[("if-match", "W/\"a\"")], Answer::Failed);
        check(&[("if-match", "\"x\"")], Answer::Failed);
        check(&[("if-match", "a")], Answer::Failed);
        check(&[("if-match", "")], Answer::Failed);
        check(
            &[("if-match", "\"x\""), ("if-none-match", "\"a\"")],
            Answer::Failed,
        );
        let weak = [("if-match", "W/\"a\"")];
        assert_eq!(answer(&Method::GET, "W/\"a\"", &weak), Answer::Failed);
    }

    #[test]
    fn if_unmodified_since_counts_without_if_match() {
        check(&[("if-unmodified-since", LONG_AGO)], Answer::Failed);
        check(&[("if-unmodified-since", CHANGED)], Answer::Whole);
        check(&[("if-unmodified-since", LATER)], Answer::Whole);
        check(&[("if-unmodified-since", "yesterday")], Answer::Whole);
        check(
            &[("if-match", "\"a\""), ("if-unmodified-since", LONG_AGO)],
            Answer::Whole,
        );
    }

    #[test]
    fn if_none_match_compares_weakly_and_hides_if_modified_since() {
        check(&[("if-none-match", "\"a\"")], Answer::NotModified);
        check(&[("if-none-match", "W/\"a\"")], Answer::NotModified);
        check(&[("if-none-match", "*")], Answer::NotModified);
        check(
            &[("if-none-match", "\"x,\", W/\"y\",\"a\"")],
            Answer::NotModified,
        );
        check(&[("if-none-match", "\"x\"")], Answer::Whole);
        check(&[("if-none-match", "\"x\" \"a")], Answer::Whole);
        check(
            &[("if-none-match", "\"x\""), ("if-modified-since", LATER)],
            Answer::Whole,
        );
        check(
            &[("if-none-match", "\"a\""), ("range", "bytes=0-9")],
            Answer::NotModified,
        );
    }

    #[test]
    fn if_modified_since_takes_a_date_that_is_not_before_the_files() {
        check(&[("if-modified-since", CHANGED)], Answer::NotModified);
        check(&[("if-modified-since", LATER)], Answer::NotModified);
        check(
            &[("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")],
            Answer::NotModified,
        );
        check(
            &[("if-modified-since", "Sun Nov  6 08:49:37 1994")],
            Answer::NotModified,
        );
        check(&[("if-modified-since", LONG_AGO)], Answer::Whole);
        check(&[("if-modified-since", "0")], Answer::Whole);
        check(
            &[("if-modified-since", LATER), ("if-modified-since", LATER)],
            Answer::Whole,
        );
    }

    #[test]
    fn if_range_lets_a_range_count_for_the_same_file_alone() {
        let part = ("range", "bytes=0-9");
        check(&[part], first_ten());
        check(&[part, ("if-range", "\"a\"")], first_ten());
        check(&[part, ("if-range", CHANGED)], first_ten());
        for other in ["\"x\"", "W/\"a\"", LATER, LONG_AGO, "a", ""] {
            check(&[part, ("if-range", other)], Answer::Whole);
        }
        check(&[part, ("range", "bytes=0-9")], Answer::Whole);
        check(&[("range", "bytes=100-")], Answer::Outside);
        check(
            &[("range", "bytes=100-"), ("if-range", "\"x\"")],
            Answer::Whole,
        );
    }

    #[test]
    fn head_knows_conditions_and_no_ranges() {
        let head = |fields: &[(&str, &str)]| answer(&Method::HEAD, "\"a\"", fields);
        assert_eq!(head(&[("range", "bytes=0-9")]), Answer::Whole);
        assert_eq!(head(&[("range", "bytes=100-")]), Answer::Whole);
        assert_eq!(head(&[("if-none-match", "\"a\"")]), Answer::NotModified);
        assert_eq!(head(&[("if-match", "\"x\"")]), Answer::Failed);
    }

    #[test]
    fn date_of_a_file_that_may_change_within_its_second_allows_no_range() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
        headers.insert(IF_RANGE, HeaderValue::from_static(CHANGED));
        let validators = Validators {
            etag: None,
            modified: parsed_date(CHANGED.as_bytes()),
            unsettled: true,
        };
        let answer = decide(&Method::GET, &headers, validators, 100);
        assert_eq!(answer, Answer::Whole);
    }

    #[test]
    fn endless_lists_of_tags_are_not_compared() {
        let list = format!("{}\"a\"", "\"x\",".repeat(100));
        check(&[("if-none-match", &list)], Answer::Whole);
    }
}
