//! One WebSocket from its handshake to its end: bytes both ways, pings, times, and the closing.
//!
//! Everything happens in the connection's own task, in turns: what was read is heard as far as the
//! application has room for it, then whatever comes first is waited for. The client is read only when
//! what it says can go on, so a slow application stops it through TCP; the application's messages are
//! taken only when the client takes them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::frame::Violation;
use super::inbound::{Heard, Inbound};
use super::outbound::Outbound;
use super::{Socket, WebSocketSettings};
use crate::conn::{Stop, poll_read_some};
use crate::floor::{FromApp, Lost};
use crate::meters::{Limit, Meters};
use crate::respond::failure::Fault;
use crate::settings::EdgeSettings;

/// How long a client may take to answer our close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// Close codes that we give (RFC 6455 section 7.4.1, and IANA's 1012).
const NO_CODE: u16 = 1005;
const VANISHED: u16 = 1006;
const GOING_AWAY: u16 = 1001;
const FAILED: u16 = 1011;
const RESTART: u16 = 1012;

/// Where a WebSocket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// We have said goodbye and wait for the client's.
    Closing,
    /// Only what waits for the client is still written.
    Leaving,
    /// Nothing more.
    Over,
}

/// What a turn waited for.
enum News {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    App(FromApp),
    /// The application has taken something.
    Room,
    Stop,
    Due,
}

struct Driver<'s> {
    settings: &'s WebSocketSettings,
    meters: &'s Meters,
    send_timeout: Duration,
    socket: Socket,
    inbound: Inbound,
    outbound: Outbound,
    /// A piece of a message that the application has no room for yet.
    waiting: Option<Piece>,
    phase: Phase,
    ping_at: Option<Instant>,
    /// When the client must have sent something.
    pong_by: Option<Instant>,
    /// The client is not read because what it said cannot go on.
    blocked: bool,
    /// Since when it has taken nothing of what waits for it.
    stalled_since: Option<Instant>,
    /// When its goodbye, or its taking of ours, is waited for no longer.
    leave_by: Option<Instant>,
    flushed: bool,
}

struct Piece {
    text: bool,
    more: bool,
    bytes: Bytes,
}

/// Runs a WebSocket to its end. `early` is what the client sent behind its handshake.
pub(crate) async fn drive<S>(
    stream: &mut S,
    early: &[u8],
    socket: Socket,
    settings: &EdgeSettings,
    meters: &Meters,
    mut stopping: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut driver = Driver::new(socket, settings, meters);
    driver.inbound.feed(early);
    loop {
        driver.hear();
        driver.look_at_room();
        if driver.is_over() {
            return;
        }
        let (reads, open) = (driver.reads(), driver.phase == Phase::Open);
        let (takes, waits) = (open && driver.outbound.has_room(), driver.waiting.is_some());
        let writes = !driver.outbound.is_empty() || !driver.flushed;
        let due = driver.due();
        let news = tokio::select! {
            read = poll_fn(|cx| read(&mut reader, cx, &mut driver.inbound)), if reads => News::Read(read),
            wrote = poll_fn(|cx| write(&mut writer, cx, &driver.outbound)), if writes => News::Wrote(wrote),
            word = driver.socket.exchange.next_or_room(takes, waits), if takes || waits => {
                word.map_or(News::Room, News::App)
            }
            _stop_or_gone = stopping.wait_for(|stop| *stop == Stop::Sockets), if open => News::Stop,
            () = until(due) => News::Due,
        };
        driver.take(news);
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn read<S: AsyncRead>(
    reader: &mut ReadHalf<S>,
    cx: &mut Context<'_>,
    inbound: &mut Inbound,
) -> Poll<io::Result<usize>> {
    poll_read_some(Pin::new(reader), cx, |bytes| {
        inbound.feed(bytes);
        bytes.len()
    })
}

/// Writes something, or flushes when there is nothing to write.
fn write<S: AsyncWrite>(
    writer: &mut WriteHalf<S>,
    cx: &mut Context<'_>,
    outbound: &Outbound,
) -> Poll<io::Result<usize>> {
    let writer = Pin::new(writer);
    if outbound.is_empty() {
        ready!(writer.poll_flush(cx))?;
        return Poll::Ready(Ok(0));
    }
    match ready!(writer.poll_write(cx, outbound.bytes())) {
        Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        outcome => Poll::Ready(outcome),
    }
}

impl<'s> Driver<'s> {
    fn new(socket: Socket, settings: &'s EdgeSettings, meters: &'s Meters) -> Self {
        let limits = &settings.websocket;
        Self {
            inbound: Inbound::new(limits.max_message, socket.agreed.is_some()),
            outbound: Outbound::new(socket.agreed),
            ping_at: limits
                .ping_interval
                .map(|interval| Instant::now() + interval),
            settings: limits,
            meters,
            send_timeout: settings.send_timeout,
            socket,
            waiting: None,
            phase: Phase::Open,
            pong_by: None,
            blocked: false,
            stalled_since: None,
            leave_by: None,
            flushed: true,
        }
    }

    /// Whether the client is to be read.
    fn reads(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing)
            && self.waiting.is_none()
            && self.outbound.has_room()
            && self.inbound.has_room()
    }

    fn is_over(&self) -> bool {
        match self.phase {
            Phase::Over => true,
            Phase::Leaving => self.outbound.is_empty() && self.flushed,
            Phase::Open | Phase::Closing => false,
        }
    }

    /// Hears what the client said, as far as it can go on.
    fn hear(&mut self) {
        while matches!(self.phase, Phase::Open | Phase::Closing) && self.outbound.has_room() {
            if let Some(piece) = self.waiting.take() {
                if !self.socket.exchange.has_room(piece.bytes.len()) {
                    self.waiting = Some(piece);
                    return;
                }
                self.socket
                    .exchange
                    .send(piece.text, piece.more, &piece.bytes);
            }
            match self.inbound.hear() {
                Ok(None) => return,
                Ok(Some(heard)) => self.heard(heard),
                Err(violation) => {
                    if violation == Violation::TooLong {
                        self.meters.met(Limit::MessageSize);
                    }
                    self.blame(Fault::Client, violation);
                    self.end(violation.code(), "", violation.code());
                    self.leave();
                }
            }
        }
    }

    fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Message { text, more, piece } => {
                self.waiting = Some(Piece {
                    text,
                    more,
                    bytes: piece,
                });
            }
            Heard::Ping(payload) => self.outbound.pong(&payload),
            Heard::Pong => {}
            Heard::Close(said) => {
                let (code, reason) = said.unwrap_or((NO_CODE, String::new()));
                self.end(code, &reason, code);
                self.leave();
            }
        }
    }

    /// Tells both sides that it is over, unless they have been told.
    fn end(&mut self, app_code: u16, app_reason: &str, client_code: u16) {
        self.socket.exchange.disconnect(app_code, app_reason);
        self.close(client_code, "");
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.outbound.close(code, reason);
        self.flushed = false;
        self.waiting = None;
        self.inbound.skip_messages();
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
            self.leave_by = Some(Instant::now() + CLOSE_WAIT);
        }
    }

    /// Waits for nothing but that the client takes our last words.
    fn leave(&mut self) {
        self.phase = Phase::Leaving;
        self.leave_by.get_or_insert(Instant::now() + CLOSE_WAIT);
    }

    fn vanished(&mut self, why: impl std::fmt::Display) {
        if self.phase == Phase::Open {
            self.blame(Fault::Client, why);
        }
        self.socket.exchange.disconnect(VANISHED, "");
        self.phase = Phase::Over;
    }

    fn blame(&mut self, fault: Fault, why: impl std::fmt::Display) {
        self.socket.record.fields.fault = Some(fault.name());
        self.socket.record.fields.failure = Some("websocket");
        self.socket.record.reason(why);
    }

    /// Keeps the times of what is blocked.
    fn look_at_room(&mut self) {
        let blocked = !self.reads();
        if self.blocked && !blocked && self.pong_by.is_some() {
            // Its pong stood behind what the application had no room for.
            self.pong_by = self
                .settings
                .ping_timeout
                .map(|limit| Instant::now() + limit);
        }
        self.blocked = blocked;
        if self.outbound.is_empty() {
            self.stalled_since = None;
        } else if self.stalled_since.is_none() {
            self.stalled_since = Some(Instant::now());
        }
    }

    /// When something is due.
    fn due(&self) -> Option<Instant> {
        let ping = self.ping_at.filter(|_| self.phase == Phase::Open);
        let pong = self
            .pong_by
            .filter(|_| self.phase == Phase::Open && !self.blocked);
        let stalled = self.stalled_since.map(|since| since + self.send_timeout);
        [ping, pong, stalled, self.leave_by]
            .into_iter()
            .flatten()
            .min()
    }

    fn take(&mut self, news: News) {
        match news {
            News::Read(Ok(0)) => self.vanished("the client left without closing"),
            News::Read(Ok(_)) => self.pong_by = None,
            News::Read(Err(error)) | News::Wrote(Err(error)) => self.vanished(error),
            News::Wrote(Ok(count)) => self.wrote(count),
            News::App(word) => self.app_said(word),
            News::Room => {}
            News::Stop => {
                self.end(GOING_AWAY, "", GOING_AWAY);
            }
            News::Due => self.look_at_clock(),
        }
    }

    fn wrote(&mut self, count: usize) {
        if count == 0 {
            self.flushed = true;
            return;
        }
        self.outbound.written(count);
        self.flushed = false;
        self.stalled_since = None;
        self.socket.record.fields.bytes += count as u64;
    }

    fn app_said(&mut self, word: FromApp) {
        match word {
            FromApp::Reply { text, more, piece } => self.outbound.message(text, more, &piece),
            FromApp::Close { code, reason } => self.close(code, &reason),
            FromApp::Lost(lost) => {
                self.blame(Fault::App, lost);
                let code = match lost {
                    Lost::Worker { .. } => RESTART,
                    Lost::AppFailed | Lost::Timeout => FAILED,
                };
                self.close(code, "");
            }
        }
    }

    fn look_at_clock(&mut self) {
        let now = Instant::now();
        let past = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if past(self.stalled_since.map(|since| since + self.send_timeout)) {
            self.meters.met(Limit::SendTime);
            self.vanished("the client stopped reading");
        } else if past(self.leave_by) {
            self.phase = Phase::Over;
        } else if self.phase == Phase::Open && !self.blocked && past(self.pong_by) {
            self.meters.met(Limit::PongTime);
            self.blame(Fault::Client, "the client did not answer a ping");
            self.socket.exchange.disconnect(VANISHED, "");
            self.close(FAILED, "keepalive ping timeout");
            self.leave();
        } else if self.phase == Phase::Open && past(self.ping_at) {
            self.ping_at = self.settings.ping_interval.map(|interval| now + interval);
            if self.outbound.has_room() {
                self.outbound.ping();
                if self.pong_by.is_none() {
                    self.pong_by = self.settings.ping_timeout.map(|limit| now + limit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
