//! One client connection: HTTP/1.1 by hyper, behind a scanner that lets only strict HTTP through.
//!
//! hyper accepts some messages that two servers in a row may read differently. So the bytes pass
//! through [`scan`] first; what it objects to never reaches hyper, and is answered here, after
//! everything that came before it has been answered.

mod io;
mod offence;
pub mod scan;
mod state;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

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
pub use offence::Offence;
pub(crate) use state::{BusyGuard, ConnState};

use io::ScannedIo;

/// How long a client may take to stop sending after it was turned away, and how much it may send:
/// closing at once would reset the connection and could destroy our answer on its way.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// Bytes that hyper may gather of one head; the scanner's own limit is smaller.
const HYPER_BUFFER: usize = 400 * 1024;

/// Serves one connection to its end.
pub(crate) async fn serve<S>(
    stream: S,
    arrival: Arrival,
    services: Arc<Services>,
    settings: Arc<EdgeSettings>,
    mut stopping: watch::Receiver<bool>,
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
        service_fn(move |request| {
            let busy = BusyGuard::new(&state);
            // `poll_without_shutdown`, which gives the socket back, wants a future that can be moved.
            Box::pin(Arc::clone(&services).answer(request, arrival, busy))
        })
    };
    let mut connection = http1::Builder::new()
        .max_headers(settings.max_headers)
        .max_buf_size(HYPER_BUFFER.max(settings.max_head * 2))
        .pipeline_flush(true)
        .serve_connection(io, service);

    let mut stop_seen = false;
    let mut check_at = Instant::now() + settings.head_timeout.min(settings.keep_alive);
    let outcome = loop {
        tokio::select! {
            outcome = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break outcome,
            changed = stopping.wait_for(|stop| *stop), if !stop_seen => {
                let _sender_gone = changed;
                stop_seen = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
            () = sleep_until(check_at) => {
                match state.overdue(&settings) {
                    state::Due::Never => check_at = Instant::now() + settings.head_timeout,
                    state::Due::At(at) => check_at = at.into(),
                    state::Due::Idle => {
                        check_at = Instant::now() + settings.keep_alive;
                        std::pin::Pin::new(&mut connection).graceful_shutdown();
                    }
                    state::Due::Head => {
                        check_at = Instant::now() + settings.head_timeout;
                        state.offend(Offence::HeadTooSlow);
                    }
                }
            }
        }
    };
    let mut io = connection.into_parts().io;
    if let Some(offence) = state.offence().filter(|_| !io.is_answered()) {
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
    let _already_closed = io.stream().shutdown().await;
}

/// Answers bytes that are not a request, and lets the client finish before the connection closes.
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
    let stream = io.stream();
    if stream.write_all(answer.as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    let _client_kept_on = timeout(LINGER, async {
        let mut scratch = [0; 4096];
        let mut seen = 0;
        while seen < LINGER_BYTES {
            match stream.read(&mut scratch).await {
                Ok(0) | Err(_) => return,
                Ok(count) => seen += count,
            }
        }
    })
    .await;
}
