//! The edge's end of one worker's link.
//!
//! Whoever sends writes straight into the socket; only what the socket does not take waits in an
//! outbox for the link's own task. That task reads frames and hands them to the exchanges that
//! wait for them. It trusts nothing that it reads: an unknown exchange is ignored, a frame that
//! breaks the protocol closes the link.
//!
//! Bounds: the outbox holds what the requests in flight sent (their number is the floor's rule, and
//! one frame is at most 1 MiB); a response is held up to its window, and a worker that sends more
//! loses its link.

use std::collections::VecDeque;
use std::io::{IoSlice, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use yett_link::descriptor;
use yett_link::frame::{ExchangeId, FrameError, Inbox, Kind, put_frame};

use super::pending::Pendings;
use super::{Exchange, Floor, Ticket};

/// How many bytes one read of a link takes at most.
const READ: usize = 128 * 1024;

pub(super) struct Link {
    worker: u32,
    /// Watched for reading alone: a worker that takes a request makes the socket writable, which is
    /// no news, and would wake the edge once more for each request.
    socket: AsyncFd<UnixStream>,
    outbox: Mutex<Outbox>,
    flush: Notify,
    /// The worker's process is gone: read what it left behind, then close.
    gone: Notify,
    pub(super) pending: Pendings,
    next: AtomicU64,
    closed: AtomicBool,
}

#[derive(Default)]
struct Outbox {
    frames: VecDeque<(BytesMut, Option<Arc<OwnedFd>>)>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn start(
        worker: u32,
        socket: OwnedFd,
        floor: Arc<Floor>,
        limit: Option<Duration>,
    ) -> std::io::Result<Arc<Self>> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        let link = Arc::new(Self {
            worker,
            socket: watched(socket, Interest::READABLE)?,
            outbox: Mutex::default(),
            flush: Notify::new(),
            gone: Notify::new(),
            pending: Pendings::default(),
            next: AtomicU64::new(1),
            closed: AtomicBool::new(false),
        });
        tokio::spawn(Arc::clone(&link).run(floor, limit));
        Ok(link)
    }

    pub(super) const fn worker(&self) -> u32 {
        self.worker
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Sends a request under a new number and returns the waiting end of its exchange.
    ///
    /// # Errors
    /// [`OpenError::Closed`] when the link is closed already; the request was not begun.
    pub(super) fn open(
        self: &Arc<Self>,
        body: Option<Arc<OwnedFd>>,
        encode: impl FnOnce(ExchangeId) -> Result<BytesMut, FrameError>,
    ) -> Result<Exchange, OpenError> {
        let id = self.next_id();
        let frame = encode(id).map_err(OpenError::Frame)?;
        let receiver = self
            .pending
            .begin(id, &self.closed)
            .ok_or(OpenError::Closed)?;
        self.send(frame, body);
        Ok(Exchange::new(Arc::clone(self), id, receiver))
    }

    pub(super) fn next_id(&self) -> ExchangeId {
        ExchangeId::new(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) const fn closed_flag(&self) -> &AtomicBool {
        &self.closed
    }

    pub(super) fn credit(&self, id: ExchangeId, len: usize) {
        self.pending.taken(id, len);
        let len = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        self.send_small(Kind::Credit, id, &len);
    }

    /// Nobody waits for this exchange any more.
    pub(super) fn cancel(&self, id: ExchangeId) {
        if self.pending.abandon(id) {
            self.send_small(Kind::Cancel, id, &[]);
        }
    }

    pub(super) fn send_drain(&self) {
        self.send_small(Kind::Drain, ExchangeId::new(0), &[]);
    }

    pub(super) fn send_small(&self, kind: Kind, id: ExchangeId, payload: &[u8]) {
        let mut frame = BytesMut::with_capacity(32);
        if put_frame(&mut frame, kind, 0, id, payload).is_ok() {
            self.send(frame, None);
        }
    }

    /// Writes at once as far as the socket takes it; the rest waits for the link's task.
    pub(super) fn send(&self, mut frame: BytesMut, mut body: Option<Arc<OwnedFd>>) {
        let mut outbox = locked(&self.outbox);
        if outbox.frames.is_empty() {
            match write(self.socket.get_ref(), &frame, body.as_deref()) {
                Ok(sent) if sent == frame.len() => return,
                Ok(sent) => {
                    frame.advance(sent);
                    if sent > 0 {
                        body = None;
                    }
                }
                // The reading side sees the end of the link and reports it.
                Err(_) => return,
            }
        }
        outbox.frames.push_back((frame, body));
        drop(outbox);
        self.flush.notify_one();
    }

    fn flush_outbox(&self) -> Result<Flushed, Errno> {
        let mut outbox = locked(&self.outbox);
        while let Some((frame, body)) = outbox.frames.front_mut() {
            let sent = match write(self.socket.get_ref(), frame, body.as_deref()) {
                Ok(sent) => sent,
                Err(error) => {
                    outbox.frames.clear();
                    return Err(error);
                }
            };
            if sent > 0 {
                *body = None;
                frame.advance(sent);
            }
            if !frame.is_empty() {
                return Ok(Flushed::Partly);
            }
            outbox.frames.pop_front();
        }
        Ok(Flushed::All)
    }

    async fn run(self: Arc<Self>, floor: Arc<Floor>, limit: Option<Duration>) {
        let mut inbox = Inbox::new();
        let mut scratch = vec![0; READ];
        let mut look = tokio::time::interval(limit.map_or(Duration::from_secs(3600), look_every));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Only while the outbox holds what the socket did not take.
        let mut writer: Option<AsyncFd<UnixStream>> = None;
        while !self.is_closed() {
            tokio::select! {
                ready = self.socket.readable() => {
                    let Ok(mut ready) = ready else { break };
                    match ready.try_io(|socket| socket.get_ref().read(&mut scratch)) {
                        Ok(Ok(0)) => break,
                        Ok(Ok(count)) => {
                            // What did not fill the room was all: the next piece is news again.
                            if count < scratch.len() {
                                ready.clear_ready();
                            }
                            inbox.feed(scratch.get(..count).unwrap_or_default());
                            if self.hand_out(&mut inbox, &floor).is_err() {
                                break;
                            }
                        }
                        Ok(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Ok(Err(_)) => break,
                        Err(_would_block) => {}
                    }
                }
                () = self.gone.notified() => {
                    self.read_rest(&mut inbox, &mut scratch, &floor);
                    break;
                }
                // A socket that takes nothing any more can still have something to read: what the
                // worker said before it died. So a failed write does not end the link.
                () = self.flush.notified(), if writer.is_none() => {
                    writer = self.flush_or_watch(None);
                }
                () = writable(writer.as_ref()), if writer.is_some() => {
                    writer = self.flush_or_watch(writer.take());
                }
                _ = look.tick() => {
                    if writer.is_none() {
                        writer = self.flush_or_watch(None);
                    }
                    if let Some(limit) = limit {
                        self.pending.fail_overdue_handshakes(limit);
                        if self.pending.fail_overdue(limit) {
                            floor.stuck(self.worker);
                        }
                    }
                }
            }
        }
        self.close();
        floor.lost(self.worker);
    }

    /// Writes what waits; if the socket does not take it all, returns what watches for room.
    fn flush_or_watch(&self, writer: Option<AsyncFd<UnixStream>>) -> Option<AsyncFd<UnixStream>> {
        match self.flush_outbox() {
            // Without a descriptor to watch, the next send or tick tries again.
            Ok(Flushed::Partly) => writer.or_else(|| {
                let again = self.socket.get_ref().try_clone().ok()?;
                watched(again, Interest::WRITABLE).ok()
            }),
            Ok(Flushed::All) | Err(_) => None,
        }
    }

    /// Reads what a process that is gone has left in the socket.
    ///
    /// It was all written before the process ended, so an empty socket is the end, even if a child
    /// of the application still holds the other side open. Without this, a request that was begun,
    /// or even answered, would count as not begun and be sent to another worker.
    fn read_rest(self: &Arc<Self>, inbox: &mut Inbox, scratch: &mut [u8], floor: &Arc<Floor>) {
        loop {
            // Not the runtime's `try_read`, which looks only where it was told that there is something.
            match rustix::net::recv(self.socket.get_ref(), &mut *scratch, RecvFlags::DONTWAIT) {
                Ok((count, _)) if count > 0 => {
                    inbox.feed(scratch.get(..count).unwrap_or_default());
                    if self.hand_out(inbox, floor).is_err() {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Says that the worker's process is gone. The link's task closes the link.
    pub(super) fn process_gone(&self) {
        self.gone.notify_one();
    }

    fn hand_out(self: &Arc<Self>, inbox: &mut Inbox, floor: &Arc<Floor>) -> Result<(), FrameError> {
        while let Some(frame) = inbox.next_frame()? {
            match frame.kind {
                Kind::Ready => floor.ready(self.worker),
                Kind::Begun => {
                    self.pending.begun(frame.exchange);
                }
                Kind::Accept | Kind::Reply | Kind::Close => self.hand_to_socket(frame, floor)?,
                Kind::Response | Kind::Chunk | Kind::Failed
                    if self.pending.is_socket(frame.exchange) =>
                {
                    self.hand_to_socket(frame, floor)?;
                }
                Kind::BodyCredit => self.pending.socket_took(&frame)?,
                Kind::Response | Kind::Chunk | Kind::Failed => {
                    // First the worker's next request, then this client's answer: the worker waits
                    // idle, the client does not notice.
                    if frame.is_last() && self.pending.contains(frame.exchange) {
                        floor.release(self.worker);
                    }
                    self.pending.deliver(frame)?;
                }
                // The edge's own kinds never come from a worker.
                _ => return Err(FrameError::UnknownKind(frame.kind as u8)),
            }
        }
        Ok(())
    }

    /// Closes the link and fails every exchange on it. May be called more than once.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // First of all: what is in the table now must not reach a worker that still lives.
        let _already = rustix::net::shutdown(self.socket.get_ref(), rustix::net::Shutdown::Both);
        self.pending.orphan();
        locked(&self.outbox).frames.clear();
        // Wakes the link's task, which looks at the flag.
        self.flush.notify_one();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Flushed {
    All,
    Partly,
}

/// Why an exchange could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The worker is gone; it never saw the request.
    Closed,
    /// The request does not fit into a frame.
    Frame(FrameError),
}

impl Ticket {
    /// Sends a request to the ticket's worker.
    pub(crate) fn open(
        self,
        body: Option<Arc<OwnedFd>>,
        encode: impl FnOnce(ExchangeId) -> Result<BytesMut, FrameError>,
    ) -> Result<Exchange, OpenError> {
        let Some(link) = self.link.clone() else {
            return Err(OpenError::Closed);
        };
        let exchange = link.open(body, encode)?;
        // From here on the end of the exchange at the worker gives the place back.
        let _link = self.redeem();
        Ok(exchange)
    }
}

fn watched(socket: UnixStream, interest: Interest) -> std::io::Result<AsyncFd<UnixStream>> {
    #[expect(
        deprecated,
        reason = "the new constructors are unsafe functions; a `UnixStream` keeps its descriptor for \
                  as long as it lives, which is what they ask for"
    )]
    AsyncFd::with_interest(socket, interest)
}

/// Waits until the socket may take something; for ever without a socket.
async fn writable(socket: Option<&AsyncFd<UnixStream>>) {
    match socket {
        // An error is found by the write that follows.
        Some(socket) => {
            if let Ok(mut ready) = socket.writable().await {
                ready.clear_ready();
            }
        }
        None => std::future::pending().await,
    }
}

fn write(socket: &UnixStream, bytes: &[u8], body: Option<&OwnedFd>) -> Result<usize, Errno> {
    let body: Option<BorrowedFd<'_>> = body.map(AsFd::as_fd);
    loop {
        match descriptor::send(socket, &[IoSlice::new(bytes)], body) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(0),
            other => return other,
        }
    }
}

/// How often overdue requests are looked for: often enough that a limit is kept within a tenth.
fn look_every(limit: Duration) -> Duration {
    (limit / 10).clamp(Duration::from_millis(10), Duration::from_secs(1))
}

#[cfg(test)]
mod tests;
