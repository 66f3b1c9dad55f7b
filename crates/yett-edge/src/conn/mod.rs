//! One client connection: TLS if it is asked for (`tls`), then HTTP/2 (`h2`), or HTTP/1.1 by hyper behind
//! a scanner that lets only strict HTTP through. The rest of this page is about HTTP/1.1.
//!
//! It goes to and fro between two states: in `idle` hyper does not exist, in `active` it
//! serves what has come. Most connections idle most of the time, so what an idle one holds is counted.
//!
//! hyper accepts some messages that two servers in a row may read differently. So the bytes pass
//! through `scan` first; what it objects to never reaches hyper, and is answered here, after
//! everything that came before it has been answered.
//!
//! A connection whose request for a WebSocket was granted leaves hyper and goes on in
//! `crate::websocket`; it stays the same connection, with the same task and the same place among
//! the open ones.

mod active;
mod body;
mod client_end;
mod dispatch;
mod farewell;
pub(crate) mod from_file;
pub mod h2;
mod hints;
mod idle;
mod io;
mod offence;
pub mod scan;
mod state;
mod terms;
mod tls;
mod trailers;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use yett_gate::Arrival;

use crate::log::Record;
use crate::reread::Reread;
use crate::respond::Body;
use crate::respond::failure::Fault;
use crate::service::Services;
use crate::websocket;
pub(crate) use body::{BodyCut, ClientBody};
pub(crate) use client_end::ClientEnd;
pub use dispatch::Protocol;
use dispatch::begin;
pub(crate) use hints::EarlyHints;
pub(crate) use io::poll_read_some;
pub use offence::Offence;
pub(crate) use state::{BusyGuard, ConnState, Ending};
pub(crate) use terms::Terms;

use active::Left;
use farewell::Farewell;
use from_file::FileSink;
use idle::Woken;
use io::ScannedIo;
use tls::tls;

/// How long a client may take to stop sending after its connection's last answer.
const LINGER: Duration = Duration::from_secs(1);

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
    stream: Reread<S>,
    arrival: Arrival,
    services: Arc<Services>,
    mut stopping: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + FileSink + Unpin,
{
    let settings = services.settings();
    let state = Arc::new(ConnState::new(stream.since()));
    let limits = scan::Limits {
        max_head: settings.max_head,
        max_headers: settings.max_headers,
    };
    let mut io = ScannedIo::new(stream, limits, Arc::clone(&state));
    let outcome = loop {
        match idle::idle(&mut io, &state, &services, &mut stopping).await {
            Woken::Request => {}
            Woken::Offence | Woken::Over => break Ok(()),
            Woken::Crowded => {
                // Nothing is under way that a wait for the client's own end could save.
                let _gone = timeout(LINGER, io.stream().shutdown()).await;
                return;
            }
        }
        // Boxed: a connection that idles does not hold room for hyper.
        let active = active::active(
            io,
            &state,
            &arrival,
            &services,
            services.settings(),
            &mut stopping,
        );
        match Box::pin(active).await {
            Left::Quiet(back) => io = back,
            Left::Ended(back, outcome) => {
                io = back;
                break outcome;
            }
            Left::Cut => return,
        }
    };
    if outcome.is_ok()
        && let Some(socket) = state.take_socket()
    {
        // hyper has no byte of it: the scanner passes nothing on behind such a request.
        let early = io.take_early();
        // Boxed: a connection that is none does not hold room for one.
        let meters = services.meters();
        let driven = websocket::drive(
            io.stream(),
            &early,
            *socket,
            services.settings(),
            meters,
            stopping,
        );
        Box::pin(driven).await;
    } else if let Some(offence) = state.offence().filter(|_| !io.is_answered()) {
        Box::pin(turn_away(&mut io, offence, &arrival, &services)).await;
    } else if let Err(error) = outcome
        && error.is_parse()
    {
        // The scanner is stricter than hyper, so this should not be; hyper has answered it, and the
        // record must be written all the same.
        let mut record = Record::new(services.log(), arrival.client(), "-", "-", "-");
        record.fields.status = 400;
        record.fields.fault = Some(Fault::Client.name());
        record.fields.failure = Some("unreadable");
        record.reason(error);
    }
    take_leave(io.stream()).await;
}

async fn take_leave<S>(stream: &mut S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut farewell = Farewell::default();
    poll_fn(|cx| farewell.poll(stream, cx)).await;
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
    let record = Record::new(services.log(), arrival.client(), &method, &target, "-");
    let answer = services.offended(offence, &HeaderMap::new(), arrival, record);
    say(io.stream(), answer).await;
}

/// Tells a client that speaks HTTP in clear text that this port speaks TLS.
pub(crate) async fn not_tls<S>(mut stream: S, arrival: &Arrival, services: &Services)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let record = Record::new(services.log(), arrival.client(), "-", "-", "-");
    let answer = services.offended(Offence::NotTls, &HeaderMap::new(), arrival, record);
    say(&mut stream, answer).await;
    take_leave(&mut stream).await;
}

/// Writes an answer as hyper would, where there is no hyper.
async fn say<S>(stream: &mut S, answer: Response<Body>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in answer.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    // Such an answer is made of bytes, which cannot fail.
    let Ok(body) = answer.into_body().collect().await else {
        return;
    };
    let body = body.to_bytes();
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(&body);
    // A client that does not even take this is left.
    let _slow_or_gone = timeout(LINGER, stream.write_all(&bytes)).await;
}

#[cfg(test)]
mod tests;
