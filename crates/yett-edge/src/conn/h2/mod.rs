//! One client connection: HTTP/2 (RFC 9113) by h2, behind a watch that counts what passes.
//!
//! `io` shows every frame to `traffic`, which says what is too much; `request` makes of a head
//! what the gate reads; `stream` runs one request and sends its answer; `body` is the request's
//! body. This file drives the connection: it hands streams on, polls those that were woken, keeps
//! time, and ends it.
//!
//! Why h2 itself and not hyper's server: `docs/decisions/0029-http2-by-h2-itself.md`.
//!
//! Bounds, of one connection: `max_streams` requests; heads of `max_head` and `max_headers`; one
//! connection's window of bodies that nobody has read yet; of each answer one piece and what h2 has
//! buffered. Frames that carry nothing and requests that are taken back have budgets. No tree of
//! priorities is kept, nothing is pushed, and no stream becomes a WebSocket.

mod body;
mod budget;
mod frames;
mod io;
mod line;
mod request;
mod response;
mod stream;
mod traffic;

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use h2::RecvStream;
use h2::server::{Builder, Connection, SendResponse};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use yett_gate::Arrival;

use self::io::WatchedIo;
use self::stream::Stream;
use self::traffic::{Breach, Traffic};
use super::{ClientBody, ClientEnd, LINGER, Offence, Stop};
use crate::crowd::A_MOMENT;
use crate::floor::rounds;
use crate::log::Record;
use crate::meters::Limit;
use crate::reread::Reread;
use crate::respond::Failure;
use crate::respond::failure::note;
use crate::service::{Answering, Services};
use crate::settings::EdgeSettings;
pub(crate) use body::StreamBody;
pub(crate) use stream::StreamState;

/// Limits of HTTP/2 that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2Settings {
    /// Requests that one connection may have running at a time; above, a stream is refused in a way
    /// that lets the client send it again.
    pub max_streams: u32,
}

impl Default for Http2Settings {
    fn default() -> Self {
        Self { max_streams: 128 }
    }
}

/// What a client may send ahead of one body's reader, and of all of them: enough for 20 MB a second
/// over a line of 50 ms, and one slow reader leaves half of it to the others.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * STREAM_WINDOW;
/// How often the streams and the connection are polled in one turn: requests that are answered at once can
/// come as fast as they are answered, and a thread has other connections.
const ROUNDS: usize = 8;
/// Bytes of one answer that h2 holds for the socket.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that were taken back before they were handed on. More than are read at once, so that it
/// is the budget of resets that ends a connection.
const MOST_RESET_UNSEEN: usize = 64;

/// Serves one connection to its end.
pub(super) async fn serve<S>(
    stream: Reread<S>,
    arrival: Arrival,
    services: Arc<Services>,
    settings: Arc<EdgeSettings>,
    mut stopping: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let begun = stream.since().unwrap_or_else(Instant::now);
    let traffic = Arc::new(Traffic::new(begun));
    let io = WatchedIo::new(stream, Arc::clone(&traffic));
    let chosen = settings.http2.clone().unwrap_or_default();
    let handshake = Builder::new()
        .max_concurrent_streams(chosen.max_streams)
        .max_header_list_size(u32::try_from(settings.max_head).unwrap_or(u32::MAX))
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MOST_RESET_UNSEEN)
        .handshake(io);
    // A client that does not even finish its preface is left.
    let handshake = timeout_at(begun + settings.head_timeout, handshake);
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = Arc::clone(services.crowd()).quiet_since(begun) => return,
    };
    let Ok(Ok(connection)) = shaken else {
        return;
    };
    let now = Instant::now();
    let mut driver = Driver {
        connection,
        running: FuturesUnordered::new(),
        begun: false,
        spent: false,
        idle_since: Some(now),
        fresh: true,
        leaving_since: None,
        leaves_from: None,
        in_line: None,
        breached: false,
        alarm: Box::pin(sleep_until(now + settings.head_timeout)),
        traffic,
        arrival,
        services,
        settings,
    };
    let mut stop_seen = false;
    let orderly = loop {
        tokio::select! {
            biased;
            orderly = poll_fn(|cx| driver.poll(cx)) => break orderly,
            _sender_gone = stopping.wait_for(|stop| *stop != Stop::No), if !stop_seen => {
                stop_seen = true;
                driver.leave();
            }
        }
    };
    driver.end(orderly);
}

/// What the clock says about a connection.
enum Due {
    /// Nothing before then, or before something happens.
    At(Option<Instant>),
    /// The client must be told something: the connection has it.
    Told,
    /// It is cut.
    Over,
}

/// The connection's own task.
struct Driver<S> {
    connection: Connection<WatchedIo<S>, Bytes>,
    running: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// A request was begun that was not polled yet.
    begun: bool,
    /// The streams used up the task's budget when they were last polled.
    spent: bool,
    /// Since when no request has been running.
    idle_since: Option<Instant>,
    /// No request has come yet.
    fresh: bool,
    /// Since when the client knows that it should send no more requests.
    leaving_since: Option<Instant>,
    /// From when on it can be asked to leave, as it was last looked at.
    leaves_from: Option<Instant>,
    /// Its place among those who can be asked.
    in_line: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    breached: bool,
    /// Rings when something is due, or before; it is never set back for what comes later.
    alarm: Pin<Box<Sleep>>,
    traffic: Arc<Traffic>,
    arrival: Arrival,
    services: Arc<Services>,
    settings: Arc<EdgeSettings>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Goes on until nothing can. Ready when the connection is over: whether it ended in order.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        for _ in 0..ROUNDS {
            // The streams first, so that what they send is written at once; but not where they left the
            // connection nothing of this task's budget.
            let connection_first = std::mem::take(&mut self.spent);
            if !connection_first {
                self.poll_streams(cx);
                self.spent = !has_budget_remaining();
            }
            if let Poll::Ready(orderly) = self.poll_connection(cx) {
                return Poll::Ready(orderly);
            }
            if self.begun || connection_first {
                continue;
            }
            if self.running.is_empty() && self.idle_since.is_none() {
                self.idle_since = Some(Instant::now());
            }
            match self.due() {
                Due::Over => return Poll::Ready(false),
                Due::Told => {}
                Due::At(None) => return Poll::Pending,
                Due::At(Some(_)) if self.is_asked_to_leave(cx) => self.leave(),
                Due::At(Some(at)) => {
                    if at < self.alarm.deadline() || self.alarm.is_elapsed() {
                        self.alarm.as_mut().reset(at);
                    }
                    if self.alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
        // There is no end of requests: the others come first, and this comes again.
        rounds::turn();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Polls those streams that were woken. One that panics is dropped, which resets it, and the others go
    /// on: none is in the set while it is polled.
    fn poll_streams(&mut self, cx: &mut Context<'_>) {
        self.begun = false;
        loop {
            let next = AssertUnwindSafe(|| self.running.poll_next_unpin(cx));
            match catch_unwind(next) {
                Ok(Poll::Ready(Some(()))) | Err(_) => {}
                Ok(Poll::Ready(None) | Poll::Pending) => return,
            }
        }
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            match self.connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    // A panic resets the stream, as its last handle is dropped.
                    let begin = AssertUnwindSafe(|| self.begin(request, respond));
                    let _panicked = catch_unwind(begin);
                    continue;
                }
                Poll::Ready(Some(Err(_told))) => return Poll::Ready(false),
                Poll::Ready(None) => return Poll::Ready(!self.breached),
                Poll::Pending => {}
            }
            self.record_refusals();
            match self.traffic.breach() {
                Some(breach) if !self.breached => {
                    self.breached = true;
                    self.leaving_since.get_or_insert_with(Instant::now);
                    if let Some(limit) = breach.limit() {
                        self.services.meters().met(limit);
                    }
                    self.connection.abrupt_shutdown(breach.reason());
                }
                None if self.traffic.go_on() => {}
                Some(_) | None => return Poll::Pending,
            }
        }
    }

    /// Lets one request run.
    fn begin(&mut self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        self.traffic.taken(respond.stream_id().as_u32());
        self.idle_since = None;
        self.fresh = false;
        if self.services.is_leaving() {
            // As `Connection: close` says it with an answer of HTTP/1.1.
            self.leave();
        }
        let state = Arc::new(StreamState::new(Arc::clone(&self.traffic)));
        let (mut parts, incoming) = request.into_parts();
        let follows = !incoming.is_end_stream();
        let settled = request::settle(&mut parts, follows, self.settings.max_headers);
        let headless = parts.method == http::Method::HEAD;
        let expects = request::expects_word(&parts);
        let stream = Stream {
            respond,
            state: Arc::clone(&state),
            services: Arc::clone(&self.services),
            settings: Arc::clone(&self.settings),
            headless,
        };
        let services = Arc::clone(&self.services);
        self.begun = true;
        let body = if follows {
            ClientBody::Http2(StreamBody::new(incoming, Arc::clone(&state), expects))
        } else {
            ClientBody::Gone
        };
        match settled {
            Ok(()) => {
                let request = Request::from_parts(parts, body);
                let (arrival, end) = (self.arrival.clone(), ClientEnd::Http2(state));
                // Its first steps are taken here, since a stream that ends before it was polled would
                // leave no record.
                let answer = services.answer(request, arrival, end);
                self.running.push(Box::pin(stream.run(answer)));
            }
            Err(offence) => {
                let answer = services.turned_away(&parts, &self.arrival, offence);
                self.running
                    .push(Box::pin(stream.run(Answering::ready(answer))));
            }
        }
    }

    /// Streams that h2 refused have a record each, as bytes that are no request have over HTTP/1.1.
    fn record_refusals(&self) {
        if self.traffic.take_calmed() {
            self.services.meters().met(Limit::Http2Frames);
        }
        for (_, offence) in self.traffic.take_refusals() {
            self.record(offence);
        }
    }

    fn record(&self, offence: Offence) {
        let client = self.arrival.client();
        let mut record = Record::new(self.services.log(), client, "-", "-", "HTTP/2");
        note(&Failure::Offence(offence), &mut record);
    }

    /// Tells the client to send no more requests; those that run go on to their end.
    fn leave(&mut self) {
        if self.leaving_since.is_none() {
            self.leaving_since = Some(Instant::now());
            self.connection.graceful_shutdown();
        }
    }

    fn due(&mut self) -> Due {
        let now = Instant::now();
        let taken = match self.traffic.look(self.settings.send_rate(), now) {
            Ok(until) => until,
            Err(slow) => {
                self.services.meters().met(slow.limit_of_taking());
                return Due::Over;
            }
        };
        let head_since = self.traffic.head_since().filter(|_| !self.breached);
        let head = head_since.map(|since| since + self.settings.head_timeout);
        if head.is_some_and(|end| end <= now) {
            self.traffic.offend(Breach::Slow);
            return Due::Told;
        }
        // Whoever still takes an answer is not idle, nor is one whose head is arriving.
        let is_quiet = taken.is_none() && head.is_none();
        let idle_since = self.idle_since.filter(|_| is_quiet);
        let idle = idle_since.map(|since| self.idle_end(since));
        if idle.is_some_and(|end| end <= now) {
            if self.leaving_since.is_some() {
                return Due::Over;
            }
            if self.fresh {
                self.services.meters().met(Limit::HeadTime);
            } else if !self.settings.keep_alive.is_zero() {
                self.services.meters().met(Limit::KeepAlive);
            }
            self.leave();
            return Due::Told;
        }
        let quiet_since = idle_since.filter(|_| self.leaving_since.is_none());
        self.leaves_from = quiet_since.map(|since| since + A_MOMENT);
        let line = self.leaves_from.filter(|at| *at > now);
        if self.leaves_from.is_none() || line.is_some() {
            // Who is asked next must not wait for one that does not listen.
            self.in_line = None;
        }
        Due::At([taken, head, idle, line].into_iter().flatten().min())
    }

    /// Whether it idles and others need its place. One that idles stands in line for that question.
    fn is_asked_to_leave(&mut self, cx: &mut Context<'_>) -> bool {
        if self.leaves_from.is_none_or(|at| at > Instant::now()) {
            return false;
        }
        let crowd = self.services.crowd();
        let line = self
            .in_line
            .get_or_insert_with(|| Box::pin(Arc::clone(crowd).asked_to_leave()));
        let is_asked = line.as_mut().poll(cx).is_ready();
        if is_asked {
            self.in_line = None;
        }
        is_asked
    }

    /// When a connection that idles since then has idled for too long.
    fn idle_end(&self, since: Instant) -> Instant {
        match self.leaving_since {
            // It has heard of it, and has nothing running: it may still take what was sent.
            Some(leaving) => leaving.max(since) + LINGER,
            // A connection's first request may come as late as a head may.
            None if self.fresh => since + self.settings.head_timeout,
            None => since + self.settings.keep_alive,
        }
    }

    fn end(mut self, orderly: bool) {
        // Those that still run have nobody to answer.
        for stream in std::mem::take(&mut self.running) {
            let _panicked = catch_unwind(AssertUnwindSafe(|| drop(stream)));
        }
        self.record_refusals();
        if !orderly {
            for _ in 0..self.traffic.left_over() {
                self.record(Offence::Unread);
            }
        }
    }
}

#[cfg(test)]
mod tests;
