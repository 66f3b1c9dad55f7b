//! A request for a WebSocket: takes it to a worker, and the application's word back.
//!
//! Nothing is judged here but the handshake's own form: the gate has admitted the request as it
//! admits any other, and whether `Origin` may connect is the application's to say. What the
//! application answers instead of accepting is an ordinary answer.

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Response, StatusCode};
use yett_gate::Admitted;
use yett_link::frame::WEBSOCKET;

use super::{Extras, Services, app, sendfile};
use crate::conn::ClientEnd;
use crate::floor::{Answered, BadHeader, Comes, Lost, OpenError, QueueError, SocketExchange};
use crate::log::{Record, ServiceKind};
use crate::respond::{self, Body, Failure};
use crate::ruling::Interface;
use crate::websocket::{Asked, Deflate, Socket, agree, handshake};

/// How many workers may die under one request for a WebSocket before it is given up.
const MOST_TRIES: usize = 3;

pub(super) async fn answer(
    services: &Services,
    admitted: &Admitted,
    extras: &Extras,
    busy: &mut ClientEnd,
    mut record: Record,
) -> Response<Body> {
    if let Err(fault) = busy.asked().map_or(Ok(()), |asked| asked.check().map(drop)) {
        return respond::failed(&fault.into(), record);
    }
    let outcome = match ask(services, admitted, &mut record).await {
        Ok(Answered::Accepted { headers, exchange }) => {
            accept(services, admitted, busy, &mut record, headers, exchange)
        }
        Ok(Answered::Refused(head, exchange)) => {
            match app::made(services, admitted.head(), extras, head, exchange).await {
                Ok(answer) => return answer.into_response(record),
                Err(failure) => Err(failure),
            }
        }
        Ok(Answered::Closed) => Err(Failure::SocketRefused),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(headers) => {
            let mut response = Response::new(Body::bytes(bytes::Bytes::new(), record));
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            *response.headers_mut() = headers;
            response
        }
        Err(failure) => respond::failed(&failure, record),
    }
}

/// Makes the connection a WebSocket as soon as the answer, whose headers this returns, is written.
fn accept(
    services: &Services,
    admitted: &Admitted,
    busy: &mut ClientEnd,
    record: &mut Record,
    headers: Result<HeaderMap, BadHeader>,
    exchange: SocketExchange,
) -> Result<HeaderMap, Failure> {
    let mut headers = headers?;
    // There is no body that a file could take the place of.
    drop(sendfile::take(&mut headers)?);
    let agreed = match services.settings.websocket.deflate {
        Deflate::On => agree(admitted.head().headers()),
        Deflate::Off => None,
    };
    if let Some(Ok(accept)) = busy.asked().map(Asked::check) {
        handshake::switching(&mut headers, accept, agreed.as_ref());
    }
    record.status(StatusCode::SWITCHING_PROTOCOLS);
    // From here on the WebSocket is what the record tells of.
    let mut record = record.take_along();
    record.fields.service = ServiceKind::WebSocket;
    busy.switch_to(Socket {
        exchange,
        record,
        agreed,
    });
    Ok(headers)
}

/// Asks a worker; if it dies, once another: a request for a WebSocket is a GET.
async fn ask(
    services: &Services,
    admitted: &Admitted,
    record: &mut Record,
) -> Result<Answered, Failure> {
    let place = services.floor.arrive();
    let mut lost_before = false;
    let mut tries = 0;
    loop {
        tries += 1;
        let comes = if tries == 1 { Comes::New } else { Comes::Again };
        let already = record.fields.waited;
        let acquired = services.floor.acquire_as(place, comes, already).await;
        let (ticket, waited) = acquired.inspect_err(|error| {
            if *error == QueueError::TooOld {
                let longest = services.settings.queue_timeout;
                record.fields.waited = record.fields.waited.max(longest);
            }
        })?;
        record.fields.waited += waited;
        record.fields.worker = Some(ticket.worker());
        let asking = match ticket.ask_socket(|id| {
            app::encode(admitted, Interface::Asgi, (WEBSOCKET, 0, Bytes::new()), id)
        }) {
            Ok(asking) => asking,
            Err(OpenError::Frame(error)) => return Err(error.into()),
            Err(OpenError::Closed) if tries < MOST_TRIES => continue,
            Err(OpenError::Closed) => return Err(Lost::Worker { begun: false }.into()),
        };
        match asking.answer().await {
            Err(Lost::Worker { .. }) if !lost_before => lost_before = true,
            answered => return Ok(answered?),
        }
    }
}
