//! What is answered in place of an application whose code does not load. Only in development: see
//! [`crate::develop`].
//!
//! The traceback is shown only under a name that cannot be turned to this server by a foreign page
//! (DNS rebinding): an address, `localhost`, or a host that the project allows. Anybody else is told
//! to look at the terminal.

mod page;
#[cfg(test)]
mod tests;
mod wish;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode};
use yett_gate::{BodyLength, Gate, RequestHead};

use crate::develop::{Broken, Develop, Outcome};
use crate::log::Record;
use crate::log::record::Route;
use crate::respond::{self, Body, Failure};
use wish::Wish;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// May see the traceback.
    Developer,
    /// May not.
    Anybody,
}

impl Audience {
    pub(super) fn of(head: &RequestHead, gate: &Gate) -> Self {
        let known = head.host().is_some_and(|host| {
            let name = host.name().trim_matches(['[', ']']);
            name.parse::<std::net::IpAddr>().is_ok()
                || name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
                || gate.allows_host(host)
        });
        if known {
            Self::Developer
        } else {
            Self::Anybody
        }
    }
}

/// The answer to a request that was admitted to the application.
pub(super) fn answer(
    outcome: &Outcome,
    broken: &Broken,
    head: &RequestHead,
    audience: Audience,
    mut record: Record,
) -> Response<Body> {
    let failure = Failure::NotLoaded(broken.summary.clone());
    let mut response = if audience == Audience::Developer {
        let (kind, text) = match wish::of(head.headers()) {
            Wish::Page => {
                let again = matches!(*head.method(), Method::GET | Method::HEAD);
                let page = page::html(broken, again.then_some(outcome.number));
                ("text/html; charset=utf-8", page)
            }
            Wish::Json => ("application/json", json(broken)),
            Wish::Text => ("text/plain; charset=utf-8", text(broken)),
        };
        respond::failure::note(&failure, &mut record);
        let mut response = Response::new(Body::bytes(Bytes::from(text), record));
        *response.status_mut() = failure.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(page::POLICY),
        );
        response
    } else {
        respond::failed(&failure, record)
    };
    guard(response.headers_mut());
    // A body that nobody will read stands between this and the next request.
    if !matches!(head.body_length(), BodyLength::None | BodyLength::Known(0)) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers a page that asks whether it is out of date: 205 if it is, 204 if it is to ask again.
pub(super) async fn news(
    develop: &Develop,
    head: &RequestHead,
    mut record: Record,
) -> Response<Body> {
    record.fields.route = Route::Own("reload");
    let seen = head.target().query().parse();
    let status = match seen {
        Ok(seen) if !develop.is_news(seen).await => StatusCode::NO_CONTENT,
        _ => StatusCode::RESET_CONTENT,
    };
    record.status(status);
    let mut response = Response::new(Body::bytes(Bytes::new(), record));
    *response.status_mut() = status;
    guard(response.headers_mut());
    response
}

fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "Accept"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn json(broken: &Broken) -> String {
    let place = broken
        .place
        .as_ref()
        .map(|(file, line)| serde_json::json!({"file": file, "line": line}));
    let mut text = serde_json::json!({"detail": broken.summary, "place": place}).to_string();
    text.push('\n');
    text
}

fn text(broken: &Broken) -> String {
    match &broken.place {
        Some((file, line)) => format!("{}\n{file}, line {line}\n", broken.summary),
        None => format!("{}\n", broken.summary),
    }
}
