//! One client connection: HTTP/1.1 by hyper, behind a scanner that lets only strict HTTP through.
//!
//! hyper accepts some messages that two servers in a row may read differently. So the bytes pass
//! through [`scan`] first; what it objects to never reaches hyper, and is answered here, after
//! everything that came before it has been answered.
//!
//! A connection whose request for a WebSocket was granted leaves hyper and goes on in
//! `crate::websocket`; it stays the same connection, with the same task and the same place among
//! the open ones.

mod body;
mod client_end;
mod hints;
mod io;
mod offence;
pub mod scan;
mod state;

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use yett_gate::Arrival;

use crate::log::Record;
use crate::respond::Failure;
use crate::service::Services;
use crate::settings::EdgeSettings;
use crate::websocket::{self, Asked};
pub(crate) use body::{BodyCut, ClientBody};
pub(crate) use client_end::ClientEnd;
pub(crate) use hints::EarlyHints;
pub(crate) use io::poll_read_some;
pub use offence::Offence;
pub(crate) use state::{BusyGuard, ConnState};

use io::ScannedIo;

/// How long a client may take to stop sending after its connection's last answer, and how many
/// bytes it may send.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// Bytes that hyper may gather of one head; the scanner's own limit is smaller.
pub(crate) const HYPER_BUFFER: usize = 400 * 1024;

/// How far the edge has come in stopping, as connections hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    No,
    /// Close after the running request.
    Requests,
    /// Close WebSockets too.
    Sockets,
}

/// Serves one connection to its end.
pub(crate) async fn serve<S>(
    stream: S,
    arrival: Arrival,
    services: Arc<Services>,
    settings: Arc<EdgeSettings>,
    mut stopping: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let state = Arc::new(ConnState::new());
    let limits = scan::Limits {
        max_head: settings.max_head,
        max_headers: settings.max_headers,
    };
    let io = ScannedIo::new(stream, limits, Arc::clone(&state));
    let service = {
        let services = Arc::clone(&services);
        let state = Arc::clone(&state);
        service_fn(move |request: Request<Incoming>| {
            let busy = BusyGuard::new(&state, Asked::read(&request));
            let request = request.map(ClientBody::Http1);
            Arc::clone(&services).answer(request, arrival, ClientEnd::Http1(busy))
        })
    };
    let mut connection = http1::Builder::new()
        .keep_alive(!settings.keep_alive.is_zero())
        .max_headers(settings.max_headers)
        .max_buf_size(HYPER_BUFFER.max(settings.max_head * 2))
        // Not `pipeline_flush`: it holds an answer back while further requests wait behind it, and
        // loses it when the connection closes before them.
        .serve_connection(io, service);

    let mut stop_seen = false;
    let look_every = state::look_every(&settings);
    let mut check_at = Instant::now() + look_every;
    let outcome = loop {
        tokio::select! {
            // Not `poll_without_shutdown`, which ends before all is written when the client is slow
            // to take it; `ScannedIo` keeps hyper from closing the socket instead.
            outcome = &mut connection => break outcome,
            changed = stopping.wait_for(|stop| *stop != Stop::No), if !stop_seen => {
                let _sender_gone = changed;
                stop_seen = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
            () = sleep_until(check_at) => {
                match state.overdue(&settings) {
                    state::Due::Never => check_at = Instant::now() + look_every,
                    state::Due::At(at) => check_at = at,
                    state::Due::Idle => {
                        check_at = Instant::now() + look_every;
                        std::pin::Pin::new(&mut connection).graceful_shutdown();
                    }
                    state::Due::Stalled => return,
                    state::Due::Head => {
                        check_at = Instant::now() + look_every;
                        state.offend(Offence::HeadTooSlow);
                    }
                }
            }
        }
    };
    let mut io = connection.into_parts().io;
    if outcome.is_ok()
        && let Some(socket) = state.take_socket()
    {
        // hyper has no byte of it: the scanner passes nothing on behind such a request.
        let early = io.take_early();
        // Boxed: a connection that is none does not hold room for one.
        let driven = websocket::drive(io.stream(), &early, *socket, &settings, stopping);
        Box::pin(driven).await;
    } else if let Some(offence) = state.offence().filter(|_| !io.is_answered()) {
        turn_away(&mut io, offence, &arrival, &services).await;
    } else if let Err(error) = outcome
        && error.is_parse()
    {
        // The scanner is stricter than hyper, so this should not be; hyper has answered it, and the
        // record must be written all the same.
        let mut record = Record::new(services.log(), arrival.client(), "-", "-", "-");
        record.fields.status = 400;
        record.reason(error);
    }
    let _slow_or_gone = timeout(LINGER, take_leave(io.stream())).await;
}

/// Ends our side, and takes in what the client still sends until it has ended its own: bytes that
/// nobody reads would make the kernel reset the connection, and the reset could destroy an answer
/// that the client has not read yet.
async fn take_leave<S>(stream: &mut S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut scratch = [0; 4096];
    let mut seen = 0;
    while seen < LINGER_BYTES {
        match stream.read(&mut scratch).await {
            Ok(0) | Err(_) => return,
            Ok(count) => seen += count,
        }
    }
}

/// Answers bytes that are not a request.
async fn turn_away<S>(
    io: &mut ScannedIo<S>,
    offence: Offence,
    arrival: &Arrival,
    services: &Services,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (method, target) = io.request_line();
    let mut record = Record::new(services.log(), arrival.client(), &method, &target, "-");
    let failure = Failure::Offence(offence);
    let status = failure.status();
    let text = failure.client_text();
    record.status(status);
    record.fields.fault = Some(failure.fault().name());
    record.reason(offence);
    record.fields.bytes = text.len() as u64;
    let answer = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        text.len(),
    );
    // A client that does not even take this is left.
    let _slow_or_gone = timeout(LINGER, io.stream().write_all(answer.as_bytes())).await;
}

#[cfg(test)]
mod tests;
