//! What the three parties on a connection (the socket's reader, the running request, the
//! connection's driver) tell each other.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::Offence;
use super::from_file::{Piece, Pieces};
use super::hints::{EarlyHints, MOST_WAITING};
use crate::crowd::A_MOMENT;
use crate::log::Record;
use crate::rate::{Pace, Slow};
use crate::respond::body::BodyError;
use crate::settings::EdgeSettings;
use crate::websocket::{Asked, Socket};

/// Shared state of one connection.
#[derive(Debug)]
pub(crate) struct ConnState {
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    busy: bool,
    /// Of the last answer, not everything is written yet.
    unsent: bool,
    /// No request has come yet.
    fresh: bool,
    /// How the client takes what waits for it.
    taking: Pace,
    /// The connection is cut because of that.
    cut: Option<Slow>,
    idle_since: Instant,
    head_since: Option<Instant>,
    offence: Option<Offence>,
    reader: Option<Waker>,
    /// Early hints of the running request that are not written yet.
    hints: BytesMut,
    /// Hints of a request whose answer is known: the next bytes that hyper writes begin that answer.
    due: BytesMut,
    /// Since the running request began, hyper's buffer was empty, and nothing was written since:
    /// whatever hyper writes next begins a message.
    clean: bool,
    /// The running request's answer is known: the time for hints is over.
    answered: bool,
    /// A request for a WebSocket was answered otherwise.
    declined: bool,
    /// What the connection becomes when its last answer is written.
    socket: Option<Box<Socket>>,
    /// Pieces of files that the kernel is to send, if the client's stream takes them.
    pieces: Option<Pieces>,
    /// Why one of them could not be sent, until somebody has told it.
    spoilt: Option<io::Error>,
}

/// What the clock says about a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing before then.
    At(Instant),
    /// Nothing has ever come.
    Silent,
    /// It has idled for too long.
    Idle,
    /// A head has been arriving for too long.
    Head,
    /// The client takes its answer too slowly.
    Stalled(Slow),
}

impl ConnState {
    /// `head_since`: a head has been arriving since then.
    pub(crate) fn new(head_since: Option<Instant>) -> Self {
        let shared = Shared {
            busy: false,
            unsent: false,
            fresh: true,
            taking: Pace::default(),
            cut: None,
            idle_since: Instant::now(),
            head_since,
            offence: None,
            reader: None,
            hints: BytesMut::new(),
            due: BytesMut::new(),
            clean: false,
            answered: true,
            declined: false,
            socket: None,
            pieces: None,
            spoilt: None,
        };
        Self {
            shared: Mutex::new(shared),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn offence(&self) -> Option<Offence> {
        self.shared().offence
    }

    /// Stops reading for good; the first offence counts.
    pub(super) fn offend(&self, offence: Offence) {
        let reader = {
            let mut shared = self.shared();
            shared.offence.get_or_insert(offence);
            shared.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(super) fn head_arriving(&self, arriving: bool) {
        let mut shared = self.shared();
        if !arriving {
            shared.head_since = None;
        } else if shared.head_since.is_none() {
            shared.head_since = Some(Instant::now());
        }
    }

    /// Whether a request is running or its answer still being written; if so, the reader is woken
    /// when that ends.
    pub(super) fn wait_while_answering(&self, waker: &Waker) -> bool {
        let mut shared = self.shared();
        let answering = shared.busy || shared.unsent;
        if answering {
            shared.reader = Some(waker.clone());
        }
        answering
    }

    /// The socket took the last of what hyper had to write, or had no room for it.
    pub(super) fn flushed(&self, flushed: &Poll<io::Result<()>>) {
        let reader = {
            let mut shared = self.shared();
            shared.taking.wrote(&match flushed {
                Poll::Ready(_) => Poll::Ready(Ok(0)),
                Poll::Pending => Poll::Pending,
            });
            if shared.busy || !shared.unsent || !matches!(flushed, Poll::Ready(Ok(()))) {
                return;
            }
            shared.unsent = false;
            // The next answer has a grace of its own.
            shared.taking = Pace::default();
            shared.idle_since = Instant::now();
            shared.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Keeps the reader's waker, so that an offence found by the clock reaches it.
    pub(super) fn keep(&self, waker: &Waker) {
        let mut shared = self.shared();
        if !shared
            .reader
            .as_ref()
            .is_some_and(|kept| kept.will_wake(waker))
        {
            shared.reader = Some(waker.clone());
        }
    }

    /// The socket took so many bytes, or had no room.
    pub(super) fn wrote(&self, written: &Poll<io::Result<usize>>) {
        self.shared().taking.wrote(written);
    }

    /// Keeps the bytes of a 103 answer until [`ConnState::at_flush`], and wakes the connection.
    pub(super) fn hint(&self, bytes: &[u8]) {
        let reader = {
            let mut shared = self.shared();
            if shared.answered || shared.hints.len() + bytes.len() > MOST_WAITING {
                return;
            }
            shared.hints.extend_from_slice(bytes);
            shared.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// The hints that may be written at a flush, when hyper's buffer is empty.
    pub(super) fn at_flush(&self) -> BytesMut {
        let mut shared = self.shared();
        shared.clean = true;
        std::mem::take(&mut shared.hints)
    }

    /// The hints that belong before the bytes that hyper writes now.
    pub(super) fn at_write(&self) -> BytesMut {
        let mut shared = self.shared();
        shared.clean = false;
        std::mem::take(&mut shared.due)
    }

    /// Whether a request for a WebSocket has been answered otherwise since this was last asked.
    pub(super) fn take_declined(&self) -> bool {
        std::mem::take(&mut self.shared().declined)
    }

    /// The client's stream takes files from the kernel.
    pub(super) fn takes_files(&self) {
        self.shared().pieces = Some(Pieces::default());
    }

    /// What these bytes, which stand for a piece of a file, stand for: file and offset.
    ///
    /// # Errors
    /// When they are not what must be written next.
    pub(super) fn next_piece(&self, bytes: &[u8]) -> io::Result<(Arc<File>, u64)> {
        let shared = self.shared();
        let pieces = shared.pieces.as_ref();
        pieces.map_or(Err(io::ErrorKind::Unsupported.into()), |pieces| {
            pieces.next(bytes)
        })
    }

    /// So many bytes of the next piece were written.
    pub(super) fn sent_of_piece(&self, count: usize) {
        let pieces = |shared: &mut Shared| shared.pieces.as_mut()?.sent(count);
        // Written where no lock is held.
        let over = pieces(&mut self.shared());
        drop(over);
    }

    /// A file cannot be sent to its end.
    pub(super) fn spoil(&self, error: io::Error) {
        let shared = &mut *self.shared();
        match shared.pieces.as_mut().and_then(Pieces::record) {
            Some(record) => BodyError::File(error).note(record),
            // The answer's body is still there, and asks.
            None => shared.spoilt = Some(error),
        }
    }

    /// What the connection becomes.
    pub(super) fn take_socket(&self) -> Option<Box<Socket>> {
        self.shared().socket.take()
    }

    /// Since when no request runs and every answer is written.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        let shared = self.shared();
        (!shared.busy && !shared.unsent).then_some(shared.idle_since)
    }

    /// From when on it can be asked to leave; never while a head is arriving.
    pub(super) fn leaves_from(&self) -> Option<Instant> {
        let shared = self.shared();
        let is_quiet = shared.head_since.is_none();
        is_quiet.then_some(shared.idle_since + A_MOMENT)
    }

    /// What is due now, or when something will be.
    pub(super) fn due(&self, settings: &EdgeSettings) -> Due {
        let mut shared = self.shared();
        let now = Instant::now();
        match shared.taking.look(settings.send_rate(), now) {
            Ok(None) => {}
            Ok(Some(at)) => return Due::At(at),
            Err(slow) => {
                shared.cut = Some(slow);
                return Due::Stalled(slow);
            }
        }
        let judge = |since: Instant, limit: Duration, due: Due| {
            let end = since + limit;
            if end <= now { due } else { Due::At(end) }
        };
        match shared.head_since {
            Some(since) => judge(since, settings.head_timeout, Due::Head),
            // A connection's first request may come as late as a head may: who never sends anything has not
            // earned the time of one who did.
            None if shared.fresh => judge(shared.idle_since, settings.head_timeout, Due::Silent),
            None => judge(shared.idle_since, settings.keep_alive, Due::Idle),
        }
    }
}

/// How often a connection at work is looked at: its client can stop reading at any moment.
pub(super) fn look_every(settings: &EdgeSettings) -> Duration {
    let shortest = settings.head_timeout.min(settings.send_timeout);
    shortest.max(Duration::from_millis(50))
}

/// What an answer's body has to tell of its connection when it ends.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// Why a file could not be sent to its end.
    pub(crate) spoilt: Option<io::Error>,
    /// Why the answer is being cut, if its client takes it too slowly.
    pub(crate) cut: Option<Slow>,
    /// Pieces of files wait for the kernel to send them.
    pub(crate) waiting: bool,
}

/// While this lives, a request is running on its connection.
#[derive(Debug)]
pub(crate) struct BusyGuard {
    state: Arc<ConnState>,
    /// What the request says of a WebSocket.
    asked: Option<Asked>,
    switches: bool,
}

impl BusyGuard {
    pub(crate) fn new(state: &Arc<ConnState>, asked: Option<Asked>) -> Self {
        {
            let mut shared = state.shared();
            shared.busy = true;
            shared.fresh = false;
            shared.unsent = true;
            shared.answered = false;
            shared.clean = false;
        }
        Self {
            state: Arc::clone(state),
            asked,
            switches: false,
        }
    }

    /// The request asks for a WebSocket.
    pub(crate) const fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// The connection becomes this WebSocket when the answer, which must have the status 101, is
    /// written.
    pub(crate) fn switch_to(&mut self, socket: Socket) {
        self.switches = true;
        self.state.shared().socket = Some(Box::new(socket));
    }
}

impl BusyGuard {
    /// Where the running request's early hints go.
    pub(crate) fn hints(&self) -> EarlyHints {
        EarlyHints::new(Arc::clone(&self.state))
    }

    /// The answer goes to hyper now: a hint that comes later is too late. Those that wait go right
    /// before it, if it is certain where it will begin.
    pub(crate) fn answers(&self) {
        let mut shared = self.state.shared();
        shared.answered = true;
        let hints = std::mem::take(&mut shared.hints);
        if shared.clean {
            shared.due = hints;
        }
    }

    /// Whether the kernel can send files on this connection.
    pub(crate) fn takes_files(&self) -> bool {
        self.state.shared().pieces.is_some()
    }

    /// Lets the kernel send a piece of a file as the answer's next bytes; what is returned stands for
    /// it.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it cannot.
    pub(crate) fn stand_in(&self, piece: Piece) -> io::Result<Bytes> {
        let pieces = &mut self.state.shared().pieces;
        match pieces {
            Some(pieces) => Ok(pieces.push(piece)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// How the answer's body ends.
    pub(crate) fn ending(&self) -> Ending {
        let mut shared = self.state.shared();
        Ending {
            spoilt: shared.spoilt.take(),
            cut: shared.cut,
            waiting: shared
                .pieces
                .as_ref()
                .is_some_and(|pieces| !pieces.is_empty()),
        }
    }

    /// Keeps the record of an answer that hyper has taken whole until the kernel has sent it.
    pub(crate) fn hold(&self, record: Record) {
        let hold = |shared: &mut Shared| match &mut shared.pieces {
            Some(pieces) => pieces.hold(record),
            None => Some(record),
        };
        // Written where no lock is held.
        let over = hold(&mut self.state.shared());
        drop(over);
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let reader = {
            let mut shared = self.state.shared();
            shared.busy = false;
            shared.answered = true;
            shared.hints = BytesMut::new();
            shared.declined |= self.asked.is_some() && !self.switches;
            shared.idle_since = Instant::now();
            shared.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}
