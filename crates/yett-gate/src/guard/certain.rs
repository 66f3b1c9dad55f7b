//! When the edge may answer for the application: only when the project's recorded answer is surely
//! what it would say to this request as well. Every doubt has a name, and leaves the request to
//! the application, which guards itself in any case.

use http::Method;
use http::header::{self, HeaderMap};

use crate::request::{AllowedHosts, RequestHead};

/// Why the edge leaves an answer to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// The view has no such method, or it is none that Django REST Framework authenticates
    /// (OPTIONS belongs to CORS).
    #[error("the method is not one that the edge answers here")]
    Method,
    /// `Host` is absent or not in `ALLOWED_HOSTS`: Django answers 400 before any view.
    #[error("the host is not an allowed one")]
    Host,
    /// The query asks for another format (Django REST Framework's `format`).
    #[error("the query asks for a format")]
    Format,
    /// `Accept` asks for something other than JSON or anything.
    #[error("the client does not plainly accept JSON")]
    Accept,
    /// The request brings cookies: Django's session and CSRF middleware replace those that are
    /// malformed, in whatever answer they pass.
    #[error("the request brings cookies")]
    Cookie,
    /// The path or the query is so long that Django may not take it as it is: Python reads no number
    /// of more than 640 digits for sure, and Django no query of more than 1000 parameters.
    #[error("the target is unusually long")]
    Long,
    /// The path holds a control character, which the project's expressions (and those of its
    /// middleware) need not match as they match others: `.` takes no newline.
    #[error("the path holds a control character")]
    Control,
    /// Whether the application takes the request for http or https is not sure.
    #[error("the scheme is not sure")]
    Scheme,
    /// The authentication scheme is not spelled as configured: older token classes compare its case, and would
    /// not see the token.
    #[error("the authentication scheme is spelled in another case")]
    Spelling,
    /// The token may be good: the issuer's keys are not here to tell.
    #[error("the issuer's keys are not here")]
    NoKeys,
    /// No answer is known for this kind of fault.
    #[error("no answer is known for this fault")]
    NoAnswer,
    /// The recorded answer has no status from 400 to 499, so it refuses nothing: a redirect, say.
    #[error("the recorded answer is no refusal")]
    NoRefusal,
    /// The answer depends on a header of this request, or is made for one client.
    #[error("the answer depends on more of the request")]
    AnswerVaries,
}

/// Longest path that the edge answers for, in bytes. `sys.set_int_max_str_digits` allows no project
/// a limit below 640 digits, so every number in such a path is one for Python too.
const LONGEST_PATH: usize = 640;

/// Longest query that the edge answers for, in bytes: it cannot hold more than the 1000 parameters of
/// `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
const LONGEST_QUERY: usize = 999;

/// Checks everything about a request that can change the project's answer, but for the answer's
/// own `Vary`.
pub(super) fn check_certain(
    head: &RequestHead,
    hosts: &AllowedHosts,
    view_methods: &[Method],
) -> Result<(), Doubt> {
    if !is_answered(head.method(), view_methods) {
        return Err(Doubt::Method);
    }
    if !head.host().is_some_and(|host| hosts.allow(host)) {
        return Err(Doubt::Host);
    }
    if asks_for_format(head.target().query()) {
        return Err(Doubt::Format);
    }
    if !accepts_json(head.headers()) {
        return Err(Doubt::Accept);
    }
    if head.headers().contains_key(header::COOKIE) {
        return Err(Doubt::Cookie);
    }
    let target = head.target();
    if target.path().len() > LONGEST_PATH || target.query().len() > LONGEST_QUERY {
        return Err(Doubt::Long);
    }
    if target.path().iter().any(u8::is_ascii_control) {
        return Err(Doubt::Control);
    }
    Ok(())
}

/// Django REST Framework answers HEAD with a view's GET.
pub(super) fn is_answered(method: &Method, view_methods: &[Method]) -> bool {
    let method = match *method {
        Method::HEAD => &Method::GET,
        Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE => method,
        _ => return false,
    };
    view_methods.is_empty() || view_methods.contains(method)
}

/// Whether any parameter could be read as `format`; splits at `;` too, as older Django did.
fn asks_for_format(query: &str) -> bool {
    query
        .split(['&', ';'])
        .filter_map(|pair| pair.split('=').next())
        .any(|name| decodes_to(name, "format"))
}

/// Whether a form-encoded name means this one. A broken escape stands for itself, as in Python.
fn decodes_to(name: &str, expected: &str) -> bool {
    let mut rest = name.as_bytes();
    for wanted in expected.bytes() {
        rest = match rest {
            [b'%', high, low, rest @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let decoded = digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| high * 16 + low);
                if decoded != Some(u32::from(wanted)) {
                    return false;
                }
                rest
            }
            [plain, rest @ ..] if *plain == wanted => rest,
            _ => return false,
        };
    }
    rest.is_empty()
}

/// Whether `Accept` is absent or lists nothing but `*/*` and `application/json`, plainly.
fn accepts_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().all(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .all(|item| item == b"*/*" || item == b"application/json")
    })
}

#[cfg(test)]
mod tests {
    use http::Method;
    use http::header::{ACCEPT, HeaderMap, HeaderValue};

    use super::{accepts_json, asks_for_format, is_answered};

    fn check_accept(values: &[&'static str], expected: bool) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        assert_eq!(accepts_json(&headers), expected, "{values:?}");
    }

    #[test]
    fn only_plain_json_or_anything_is_surely_answered_in_json() {
        check_accept(&[], true);
        check_accept(&["*/*"], true);
        check_accept(&["application/json"], true);
        check_accept(&["application/json, */*"], true);
        check_accept(&["application/json ,*/*"], true);
        check_accept(&["application/json", "*/*"], true);
        check_accept(&[""], false);
        check_accept(&["application/json,"], false);
        check_accept(&["application/json;q=0.5"], false);
        check_accept(&["application/json; version=2"], false);
        check_accept(&["Application/JSON"], false);
        check_accept(&["text/html, */*"], false);
        check_accept(&["application/*"], false);
    }

    fn check_format(query: &str, expected: bool) {
        assert_eq!(asks_for_format(query), expected, "{query:?}");
    }

    #[test]
    fn format_parameter_is_found_in_every_spelling() {
        check_format("format=api", true);
        check_format("a=1&format", true);
        check_format("a=1;format=api", true);
        check_format("%66orma%74=api", true);
        check_format("a=format", false);
        check_format("formats=api", false);
        check_format("Format=api", false);
        check_format("%format=api", false);
        check_format("", false);
    }

    fn check_method(method: &Method, view: &[Method], expected: bool) {
        assert_eq!(is_answered(method, view), expected, "{method} {view:?}");
    }

    #[test]
    fn only_methods_of_the_view_are_answered() {
        check_method(&Method::GET, &[Method::GET], true);
        check_method(&Method::HEAD, &[Method::GET], true);
        check_method(&Method::POST, &[Method::GET], false);
        check_method(&Method::DELETE, &[], true);
        check_method(&Method::OPTIONS, &[Method::OPTIONS], false);
        check_method(&Method::TRACE, &[], false);
    }
}
