//! The application: takes a request to a worker and its answer back.
//!
//! If the worker dies, a request that it had not begun goes to another one; a request that it had
//! begun goes to another one once, if its method is safe. Nothing is ever sent twice once a part of
//! an answer has come.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap};
use http::{Method, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use yett_gate::{Admitted, ClientAddr, RequestHead, ServerAddr};
use yett_link::frame::{ANNOUNCE_BEGIN, DESCRIPTOR, ExchangeId, FrameError, Kind, put_frame_with};
use yett_link::request::{HttpVersion, IdentityFields, RequestLine, write_request};

use super::Services;
use super::spool::{Spooled, spool};
use crate::floor::{AppBody, AppHead, Exchange, Lost, NoHead, OpenError, QueueError, Ticket};
use crate::log::Record;
use crate::respond::{self, Body, Failure};

/// How many workers may die under one request before it is given up. A request that kills its
/// worker before it is begun would otherwise go round for ever.
const MOST_TRIES: usize = 3;

pub(super) async fn answer(
    services: &Services,
    admitted: &Admitted,
    incoming: Incoming,
    mut record: Record,
) -> Response<Body> {
    let outcome = async {
        let length = admitted.head().body_length();
        let body = spool(incoming, length, &services.settings, &services.budget).await?;
        let (head, exchange) = ask(services, admitted, &body, &mut record).await?;
        checked(admitted.head(), head, exchange)
    };
    match outcome.await {
        Ok(answer) => answer.into_response(record),
        Err(failure) => respond::failed(&failure, record),
    }
}

async fn ask(
    services: &Services,
    admitted: &Admitted,
    body: &Spooled,
    record: &mut Record,
) -> Result<(AppHead, Exchange), Failure> {
    let safe = is_safe(admitted.head().method());
    let mut begun_before = false;
    let mut tries = 0;
    let mut moved: Option<Option<Ticket>> = None;
    loop {
        tries += 1;
        let acquired = match moved.take() {
            Some(Some(ticket)) => Ok((ticket, Duration::ZERO)),
            Some(None) => services.floor.acquire_free().await,
            None => services.floor.acquire().await,
        };
        let (ticket, waited) = acquired.inspect_err(|error| {
            if *error == QueueError::TooOld {
                record.fields.waited += services.settings.queue_timeout;
            }
        })?;
        record.fields.waited += waited;
        record.fields.worker = Some(ticket.worker());
        body.rewind()?;
        let opened = ticket.open(body.file.clone(), |id| encode(admitted, body, safe, id));
        let mut exchange = match opened {
            Ok(exchange) => exchange,
            Err(OpenError::Frame(error)) => return Err(error.into()),
            Err(OpenError::Closed) if tries < MOST_TRIES => continue,
            Err(OpenError::Closed) => return Err(Lost::Worker { begun: false }.into()),
        };
        let lost = match exchange.head().await {
            Ok(head) => return Ok((head, exchange)),
            Err(NoHead::Lost(lost)) => lost,
            Err(NoHead::Moved(ticket)) => {
                // Nothing was tried: no worker has begun it.
                tries -= 1;
                moved = Some(ticket);
                continue;
            }
        };
        match lost {
            // A safe method is not announced, so it counts as begun.
            Lost::Worker { .. } if safe && !begun_before => begun_before = true,
            Lost::Worker { .. } if safe => return Err(Lost::Worker { begun: true }.into()),
            Lost::Worker { begun: false } if tries < MOST_TRIES => {}
            _ => return Err(lost.into()),
        }
    }
}

/// Methods that an application may be asked twice for (RFC 9110 section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn encode(
    admitted: &Admitted,
    body: &Spooled,
    safe: bool,
    id: ExchangeId,
) -> Result<BytesMut, FrameError> {
    let head = admitted.head();
    let arrival = head.arrival();
    let (remote_addr, remote_port) = match arrival.client() {
        ClientAddr::Ip(address) => (address.ip().to_canonical().to_string(), address.port()),
        ClientAddr::Unix => (String::new(), 0),
    };
    let (server_name, server_port) = match arrival.server() {
        ServerAddr::Ip(address) => server(address),
        ServerAddr::Unix => (String::from("localhost"), 0),
    };
    let identity = admitted.identity().map(|identity| IdentityFields {
        token: identity.token(),
        claims_json: identity.claims_json(),
    });
    let line = RequestLine {
        method: head.method().as_str(),
        scheme: arrival.scheme().as_str(),
        version: match head.version() {
            Version::HTTP_10 => HttpVersion::Http10,
            Version::HTTP_2 => HttpVersion::Http2,
            _ => HttpVersion::Http11,
        },
        path: head.target().path(),
        query: head.target().query(),
        uri: head.target().uri(),
        remote_addr: &remote_addr,
        remote_port,
        server_name: &server_name,
        server_port,
        identity,
    };
    let headers = head
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut flags = 0;
    if body.file.is_some() {
        flags |= DESCRIPTOR;
    }
    if !safe {
        flags |= ANNOUNCE_BEGIN;
    }
    let mut out = BytesMut::with_capacity(1024 + body.inline.len());
    put_frame_with(&mut out, Kind::Request, flags, id, |out| {
        write_request(out, &line, headers, body.len, &body.inline);
    })?;
    Ok(out)
}

fn server(address: SocketAddr) -> (String, u16) {
    (address.ip().to_canonical().to_string(), address.port())
}

/// An answer from the application that HTTP allows.
struct Answer {
    status: StatusCode,
    reason: Option<ReasonPhrase>,
    headers: HeaderMap,
    head: AppHead,
    exchange: Exchange,
    /// Bytes that a streamed body must have.
    promised: Option<u64>,
}

fn checked(
    request: &RequestHead,
    mut head: AppHead,
    exchange: Exchange,
) -> Result<Answer, Failure> {
    let status = head.final_status().ok_or(Failure::BadStatus(head.status))?;
    let mut headers = std::mem::replace(&mut head.headers, Ok(HeaderMap::new()))?;
    let announced = AppHead::announced_len(&headers);
    let bodyless = request.method() == Method::HEAD
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let actual = head.first.len() as u64;
    match (announced, &head.body) {
        (Some(None), _) => {
            return Err(Failure::WrongLength {
                announced: None,
                actual,
            });
        }
        (Some(Some(length)), AppBody::Whole) if !bodyless && length != actual => {
            return Err(Failure::WrongLength {
                announced: Some(length),
                actual,
            });
        }
        _ => {}
    }
    if bodyless {
        // hyper would not send it, but would compare its length with what the headers say.
        head.first = Bytes::new();
    }
    if status == StatusCode::NO_CONTENT {
        // RFC 9110 section 8.6: a 204 has no Content-Length.
        headers.remove(CONTENT_LENGTH);
    }
    let canonical = status.canonical_reason().unwrap_or_default();
    let reason = if head.reason.is_empty() || head.reason == canonical.as_bytes() {
        None
    } else {
        // What a reason phrase may not hold is not worth an error: the code says it all.
        ReasonPhrase::try_from(head.reason.clone()).ok()
    };
    Ok(Answer {
        status,
        reason,
        headers,
        head,
        exchange,
        promised: announced.flatten().filter(|_| !bodyless),
    })
}

impl Answer {
    fn into_response(self, mut record: Record) -> Response<Body> {
        record.status(self.status);
        let body = match self.head.body {
            AppBody::Whole => Body::bytes(self.head.first, record),
            AppBody::Stream(stream) => Body::app(
                self.head.first,
                stream,
                self.exchange,
                self.promised,
                record,
            ),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

#[cfg(test)]
mod tests;
