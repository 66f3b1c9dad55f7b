//! A connection at work: hyper, from a whole head until nothing has happened for a moment.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use yett_gate::Arrival;

use super::from_file::FileSink;
use super::io::ScannedIo;
use super::state::{Due, look_every};
use super::{BusyGuard, ClientBody, ClientEnd, ConnState, HYPER_BUFFER, Stop};
use crate::service::Services;
use crate::settings::EdgeSettings;
use crate::websocket::Asked;

/// How long after its last answer a connection keeps hyper. Taking it down and building it again
/// costs about a microsecond, keeping it about 20 KiB: a busy client comes again much sooner than
/// this, and of many that come only once few have it at a time.
pub(super) const QUIET: Duration = Duration::from_millis(20);

/// How a connection's work came to an end.
pub(super) enum Left<S> {
    /// Nothing happens; hyper is gone, and nothing is lost.
    Quiet(ScannedIo<S>),
    /// hyper has ended.
    Ended(ScannedIo<S>, hyper::Result<()>),
    /// The client has stopped reading: nothing more can be said to it.
    Cut,
}

enum Event {
    Ended(hyper::Result<()>),
    /// Every answer is written.
    Quiet,
    Stop,
    Due,
}

/// Lets hyper serve what has come and what follows.
pub(super) async fn active<S>(
    io: ScannedIo<S>,
    state: &Arc<ConnState>,
    arrival: &Arrival,
    services: &Arc<Services>,
    settings: &EdgeSettings,
    stopping: &mut watch::Receiver<Stop>,
) -> Left<S>
where
    S: AsyncRead + AsyncWrite + FileSink + Unpin,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let busy = BusyGuard::new(state, Asked::read(&request));
        let request = request.map(ClientBody::Http1);
        Arc::clone(services).answer(request, arrival.clone(), ClientEnd::Http1(busy))
    });
    let mut connection = http1::Builder::new()
        .keep_alive(!settings.keep_alive.is_zero())
        .max_headers(settings.max_headers)
        .max_buf_size(HYPER_BUFFER.max(settings.max_head * 2))
        // Not `pipeline_flush`: it holds an answer back while further requests wait behind it, and
        // loses it when the connection closes before them.
        .serve_connection(io, service);

    let mut stop_seen = false;
    let look_every = look_every(settings);
    let mut look_at = Instant::now() + look_every;
    // The next look is when it has been quiet for long enough.
    let mut quieting = false;
    let outcome = loop {
        let event = tokio::select! {
            // hyper first: it must have taken in what has come before it is told to stop.
            biased;
            event = poll_fn(|cx| {
                // Not `poll_without_shutdown`, which ends before all is written when the client is
                // slow to take it; `ScannedIo` keeps hyper from closing the socket instead.
                match Pin::new(&mut connection).poll(cx) {
                    Poll::Ready(outcome) => Poll::Ready(Event::Ended(outcome)),
                    Poll::Pending if !quieting && state.quiet_since().is_some() => {
                        Poll::Ready(Event::Quiet)
                    }
                    Poll::Pending => Poll::Pending,
                }
            }) => event,
            _stop_or_gone = stopping.wait_for(|stop| *stop != Stop::No), if !stop_seen => Event::Stop,
            () = sleep_until(look_at) => Event::Due,
        };
        match event {
            Event::Ended(outcome) => break outcome,
            Event::Quiet => {
                quieting = true;
                look_at = look_at.min(Instant::now() + QUIET);
            }
            Event::Stop => {
                stop_seen = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            Event::Due => {
                quieting = false;
                look_at = Instant::now() + look_every;
                match state.due(settings) {
                    Due::Stalled(slow) => {
                        services.meters().met(slow.limit_of_taking());
                        return Left::Cut;
                    }
                    Due::At(at) => look_at = look_at.min(at),
                    // Told of when hyper is gone.
                    Due::Head | Due::Silent | Due::Idle => {}
                }
                if state
                    .quiet_since()
                    .is_some_and(|since| since + QUIET <= Instant::now())
                {
                    // An idle hyper ends at once; one that is not ends when it can.
                    Pin::new(&mut connection).graceful_shutdown();
                    let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll(cx)));
                    if let Poll::Ready(outcome) = polled.await {
                        let parts = connection.into_parts();
                        // Otherwise hyper has ended in the middle of something.
                        let whole = parts.read_buf.is_empty() && parts.io.is_between_messages();
                        return match outcome {
                            Ok(()) if whole && !stop_seen => Left::Quiet(parts.io),
                            outcome => Left::Ended(parts.io, outcome),
                        };
                    }
                }
            }
        }
    };
    Left::Ended(connection.into_parts().io, outcome)
}
