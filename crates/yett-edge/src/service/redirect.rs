//! The answer of a listener that is there to send everybody to `https`.
//!
//! 308, never 301: a client keeps its method and sends its body again, where 301 lets it make a GET
//! of a POST (RFC 9110 section 15.4.2). Every browser and HTTP library of today knows it.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use yett_gate::{BadRequest, RequestHead};

use crate::log::Record;
use crate::respond::{self, Body, Failure};

const HTTPS: u16 = 443;

/// Sends a client to the same host and target at this port.
pub(super) fn to_https(head: &RequestHead, port: u16, mut record: Record) -> Response<Body> {
    let location = head.host().and_then(|host| {
        let port = match port {
            HTTPS => String::new(),
            port => format!(":{port}"),
        };
        // Host and target are canonical: nothing in them can end the header or name another host.
        let location = format!("https://{}{port}{}", host.name(), head.target().uri());
        HeaderValue::try_from(location).ok()
    });
    let Some(location) = location else {
        // HTTP/1.0 without a host: there is nowhere to send it.
        return respond::failed(&Failure::BadRequest(BadRequest::NoHost), record);
    };
    let status = StatusCode::PERMANENT_REDIRECT;
    record.status(status);
    let text = Bytes::from_static(b"This is to be asked over https.\n");
    let mut response = Response::new(Body::bytes(text, record));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
