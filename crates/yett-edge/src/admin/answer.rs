//! One request to the admin address and its answer.

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode, header::HeaderName};
use http_body_util::Full;

use super::Desk;
use crate::header_list::weighed;
use crate::meters::{Form, Page};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Answers; the request's body is not read.
pub(super) fn answer<B>(
    desk: &Desk,
    request: &Request<B>,
    looks_at_host: bool,
) -> Response<Full<Bytes>> {
    let mut response = if looks_at_host && !is_for_us(desk, request) {
        plain(
            StatusCode::FORBIDDEN,
            "The admin address does not answer under this host. If it is meant, name it in hosts of \
             [admin].\n",
        )
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
        let methods = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, methods);
        response
    } else {
        of_target(desk, request)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

fn of_target<B>(desk: &Desk, request: &Request<B>) -> Response<Full<Bytes>> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    match path {
        "/livez" => plain(StatusCode::OK, "alive\n"),
        "/readyz" => readiness(&desk.insight.hindrances(), wants(request, JSON)),
        "/metrics" => {
            let form = if wants(request, "application/openmetrics-text") {
                Form::OpenMetrics
            } else {
                Form::Prometheus
            };
            let mut page = Page::new(form);
            desk.insight.measure(&mut page);
            of(StatusCode::OK, form.content_type(), page.finish())
        }
        "/status" => {
            let mut text = format!("{:#}", desk.insight.status());
            text.push('\n');
            of(StatusCode::OK, JSON, text)
        }
        _ => plain(
            StatusCode::NOT_FOUND,
            "There are /livez, /readyz, /metrics and /status.\n",
        ),
    }
}

/// A client that names no host, as HTTP/1.0 allows, is no browser.
fn is_for_us<B>(desk: &Desk, request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().map(|host| host.to_str().unwrap_or(""));
    let named = request.uri().authority().map(http::uri::Authority::as_str);
    let known = |host: Option<&str>| host.is_none_or(|host| desk.hosts.knows(host));
    known(host) && known(named) && hosts.next().is_none()
}

/// Whether `Accept` names this type. Who takes anything gets the plainer one.
fn wants<B>(request: &Request<B>, kind: &str) -> bool {
    let is = |name: &[u8]| name.eq_ignore_ascii_case(kind.as_bytes());
    weighed(request.headers(), &ACCEPT).any(|(name, weight)| weight > 0 && is(name))
}

fn readiness(hindrances: &[String], json: bool) -> Response<Full<Bytes>> {
    let ready = hindrances.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if json {
        let body = serde_json::json!({ "ready": ready, "hindrances": hindrances });
        return of(status, JSON, format!("{body}\n"));
    }
    let text = if ready {
        String::from("ready\n")
    } else {
        hindrances.iter().map(|line| format!("{line}\n")).collect()
    };
    of(status, TEXT, text)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    of(status, TEXT, text)
}

fn of(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
