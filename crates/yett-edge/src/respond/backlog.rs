//! What a WSGI application has said of its answer, and its client has not taken yet.
//!
//! A thread of WSGI that streams an answer waits when the link's window is full. Were it opened only as
//! the client takes the answer, a handful of clients that read slowly would hold every thread there is.
//! So the edge takes what the application says as fast as it is said: a little is kept in memory, more
//! in a nameless file, and the thread goes on to its next request.
//!
//! Bounds: memory by [`MEMORY`] and [`MOST_PIECES`], one answer's file by `max_answer_spool`, all files
//! by a half of `max_spool`. Beyond any of them, and where a file cannot be written, the application waits
//! until the client has taken all that is kept.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

use super::body::BodyError;
use super::{FileRange, PIECE};
use crate::floor::{Exchange, Lost, Piece, Pieces};
use crate::meters::{Limit, Meters};
use crate::room::Room;

/// Bytes of an answer that are kept in memory; a single piece may be longer.
const MEMORY: usize = 128 * 1024;

/// Pieces that are kept in memory, however short.
const MOST_PIECES: usize = 256;

/// How long, over the whole answer, its application waits for the client before a file is begun: a client
/// that keeps up is never written to a disk.
const PATIENCE: Duration = Duration::from_millis(20);

/// How much may be kept, and where.
pub(crate) struct Terms {
    pub(crate) folder: PathBuf,
    /// Bytes in the answer's file.
    pub(crate) most: u64,
    pub(crate) room: Room,
    pub(crate) meters: Arc<Meters>,
}

/// The client's end. Dropping it tells the worker to stop, if the answer is not whole.
pub(crate) struct Backlog {
    kept: Arc<Kept>,
    /// What is being read of the file.
    reading: Option<FileRange>,
    taking: JoinHandle<()>,
}

/// Said by the application and not taken by the client.
#[derive(Default)]
struct Kept {
    state: Mutex<State>,
    /// The client took something, or has taken everything.
    taken: Notify,
}

/// What is in memory was said before what is in the file.
#[derive(Default)]
struct State {
    memory: VecDeque<Bytes>,
    held: usize,
    file: Option<Arc<File>>,
    /// Bytes in the file, and how many of them were given to be read.
    written: u64,
    given: u64,
    /// They are still being read.
    reading: bool,
    /// How the answer ends behind all that.
    end: Option<Option<Result<Piece, Lost>>>,
    client: Option<Waker>,
}

enum Next {
    Piece(Bytes),
    File(FileRange),
    End(Option<Result<Piece, Lost>>),
}

impl Backlog {
    /// Begins to take what a worker sends.
    pub(crate) fn new(stream: Pieces, exchange: Exchange, terms: Terms) -> Self {
        let kept = Arc::<Kept>::default();
        let application = Application { stream, exchange };
        Self {
            taking: tokio::spawn(take(Arc::clone(&kept), application, terms)),
            kept,
            reading: None,
        }
    }

    /// The next piece for the client.
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, BodyError>>> {
        loop {
            if let Some(range) = &mut self.reading {
                if let Some(piece) = ready!(range.poll_piece(cx)) {
                    return Poll::Ready(Some(Ok(Piece::Data(piece?))));
                }
                self.reading = None;
            }
            let next = self.kept.state().poll_next(cx);
            self.kept.taken.notify_one();
            match ready!(next) {
                Next::Piece(piece) => return Poll::Ready(Some(Ok(Piece::Data(piece)))),
                Next::File(range) => self.reading = Some(range),
                Next::End(end) => return Poll::Ready(end.map(|end| Ok(end?))),
            }
        }
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.taking.abort();
    }
}

/// Whoever closes a nameless file last waits until its blocks are given back. That is a millisecond, and of
/// the many that end when an attack does it would be a second in which a thread serves nobody.
impl Drop for State {
    fn drop(&mut self) {
        if let (Some(file), Ok(runtime)) = (self.file.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(file));
        }
    }
}

impl State {
    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Next> {
        self.reading = false;
        if let Some(piece) = self.memory.pop_front() {
            self.held -= piece.len();
            return Poll::Ready(Next::Piece(piece));
        }
        if let Some(file) = self.file.as_ref().filter(|_| self.given < self.written) {
            let range = FileRange::of(Arc::clone(file), self.given, self.written - self.given);
            self.given = self.written;
            self.reading = true;
            return Poll::Ready(Next::File(range));
        }
        if self.end.is_some() {
            return Poll::Ready(Next::End(self.end.replace(None).flatten()));
        }
        self.client = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether nothing of the file is left to be read.
    const fn has_read_all(&self) -> bool {
        self.given == self.written && !self.reading
    }

    /// Keeps a piece in memory, if it has its place there.
    fn hold(&mut self, piece: &Bytes) -> bool {
        let fits = self.held + piece.len() <= MEMORY && self.memory.len() < MOST_PIECES;
        let held = self.has_read_all() && (fits || self.memory.is_empty());
        if held {
            self.held += piece.len();
            self.memory.push_back(piece.clone());
            self.wake();
        }
        held
    }

    fn wake(&mut self) {
        if let Some(client) = self.client.take() {
            client.wake();
        }
    }
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a piece in memory as soon as it has its place there.
    async fn hold(&self, piece: &Bytes) {
        while !self.state().hold(piece) {
            self.taken.notified().await;
        }
    }

    /// Appends to the file.
    async fn write(&self, bytes: Bytes, terms: &mut Terms) -> io::Result<()> {
        let (file, place) = {
            let mut state = self.state();
            if state.has_read_all() {
                // From its beginning again; nobody else writes.
                (state.written, state.given) = (0, 0);
                terms.room.clear();
            }
            (state.file.clone(), state.written)
        };
        let len = bytes.len() as u64;
        let full = if place + len > terms.most {
            Some(Limit::AnswerSpool)
        } else {
            Some(Limit::Spool).filter(|_| !terms.room.take(len))
        };
        if let Some(limit) = full {
            terms.meters.met(limit);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let folder = terms.folder.clone();
        let write = move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(tempfile::tempfile_in(folder)?),
            };
            file.write_all_at(&bytes, place).map(|()| file)
        };
        // The task neither panics nor is it cancelled while the runtime lives.
        let written = spawn_blocking(write).await.map_err(io::Error::other)?;
        let file = written.inspect_err(|_| terms.meters.met(Limit::Spool))?;
        let mut state = self.state();
        state.file = Some(file);
        state.written += len;
        state.wake();
        Ok(())
    }
}

/// The worker's end.
struct Application {
    stream: Pieces,
    exchange: Exchange,
}

impl Application {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Lost>>> {
        self.exchange.poll_piece(&mut self.stream, cx)
    }

    async fn piece(&mut self) -> Option<Result<Piece, Lost>> {
        std::future::poll_fn(|cx| self.poll_piece(cx)).await
    }

    /// A piece and what is at hand behind it, to be written at once; perhaps the end as well.
    async fn gather(&mut self, first: Bytes) -> (Bytes, Option<Option<Result<Piece, Lost>>>) {
        let mut all = BytesMut::from(first);
        let end = std::future::poll_fn(|cx| {
            while all.len() < PIECE {
                match self.poll_piece(cx) {
                    Poll::Ready(Some(Ok(Piece::Data(piece)))) => all.extend_from_slice(&piece),
                    Poll::Ready(end) => return Poll::Ready(Some(end)),
                    Poll::Pending => break,
                }
            }
            Poll::Ready(None)
        });
        let end = end.await;
        (all.freeze(), end)
    }
}

/// Takes what the application says, to its end.
async fn take(kept: Arc<Kept>, mut application: Application, mut terms: Terms) {
    let mut patience = PATIENCE;
    let end = loop {
        let piece = match application.piece().await {
            Some(Ok(Piece::Data(piece))) => piece,
            end => break end,
        };
        if kept.state().hold(&piece) {
            continue;
        }
        if !patience.is_zero() {
            let began = Instant::now();
            let held = timeout(patience, kept.hold(&piece)).await;
            patience = patience.saturating_sub(began.elapsed());
            if held.is_ok() {
                continue;
            }
        }
        let (bytes, end) = application.gather(piece).await;
        if kept.write(bytes.clone(), &mut terms).await.is_err() {
            kept.hold(&bytes).await;
        }
        if let Some(end) = end {
            break end;
        }
    };
    let mut state = kept.state();
    state.end = Some(end);
    state.wake();
}
