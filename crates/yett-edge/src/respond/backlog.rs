//! What a WSGI application has said of its answer, and its client has not taken yet.
//!
//! A thread of WSGI that streams an answer waits when the link's window is full. Were it opened only as
//! the client takes the answer, a handful of clients that read slowly would hold every thread there is.
//! So the edge takes what the application says as fast as it is said: a little is kept in memory, more
//! in a nameless file, and the thread goes on to its next request.
//!
//! Bounds: memory by [`MEMORY`] and [`MOST_PIECES`] and, of all answers, by the [`Budget`]; one answer's file
//! by `max_answer_spool`; all files, their bytes and their number, by the budget's half for answers. Beyond
//! any of them, and where a file cannot be written, the application waits until the client has taken all
//! that is kept. A file and what it takes of the budget end together: as soon as all of it was read, or
//! with the answer.

mod spool;

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

use super::body::BodyError;
use super::{FileRange, PIECE};
use crate::floor::{Exchange, Lost, Piece, Pieces};
use crate::log::Journal;
use crate::meters::Limit;
use crate::room::{Budget, Room};
use spool::{Spool, Unkept};

/// Bytes of an answer that are kept in memory; a piece that its client waits for may be longer.
const MEMORY: u64 = 128 * 1024;

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
    pub(crate) budget: Arc<Budget>,
    pub(crate) journal: Arc<Journal>,
}

/// The client's end. Dropping it tells the worker to stop, if the answer is not whole.
pub(crate) struct Backlog {
    kept: Arc<Kept>,
    /// What is being read of the file.
    reading: Option<FileRange>,
    taking: JoinHandle<()>,
}

/// Said by the application and not taken by the client.
struct Kept {
    state: Mutex<State>,
    /// The client took something, or has taken everything.
    taken: Notify,
}

/// What is in memory was said before what is in the file.
struct State {
    memory: VecDeque<Bytes>,
    /// The bytes in memory.
    held: Room,
    file: Option<Spool>,
    /// What was given of the file is still being read.
    reading: bool,
    /// How the answer ends behind all that.
    end: Option<Option<Result<Piece, BodyError>>>,
    /// It waits, and has taken everything.
    client: Option<Waker>,
}

enum Next {
    Piece(Bytes),
    File(FileRange),
    End(Option<Result<Piece, BodyError>>),
}

impl Backlog {
    /// Begins to take what a worker sends.
    pub(crate) fn new(stream: Pieces, exchange: Exchange, terms: Terms) -> Self {
        let kept = Arc::new(Kept::new(&terms.budget));
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
                Next::End(end) => return Poll::Ready(end),
            }
        }
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        // The file is not to be closed here: what is kept closes it where nobody waits.
        self.reading = None;
        self.taking.abort();
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl State {
    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Next> {
        self.reading = false;
        if let Some(piece) = self.memory.pop_front() {
            self.held.give(piece.len() as u64);
            return Poll::Ready(Next::Piece(piece));
        }
        if let Some(range) = self.file.as_mut().and_then(Spool::rest) {
            self.reading = true;
            return Poll::Ready(Next::File(range));
        }
        if self.file.as_ref().is_some_and(Spool::is_done) {
            self.let_go();
        }
        if self.end.is_some() {
            return Poll::Ready(Next::End(self.end.replace(None).flatten()));
        }
        self.client = Some(cx.waker().clone());
        Poll::Pending
    }

    fn let_go(&mut self) {
        if let Some(file) = self.file.take() {
            file.close();
        }
    }

    /// Keeps a piece in memory, if it has its place there. A client that waits takes it at once.
    fn hold(&mut self, piece: &Bytes) -> bool {
        let len = piece.len() as u64;
        let held = if self.client.is_some() {
            self.held.take_anyway(len);
            true
        } else {
            !self.reading
                && self.file.as_ref().is_none_or(Spool::is_given)
                && self.memory.len() < MOST_PIECES
                && self.held.taken() + len <= MEMORY
                && self.held.take(len)
        };
        if held {
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
    fn new(budget: &Budget) -> Self {
        Self {
            state: Mutex::new(State {
                memory: VecDeque::new(),
                held: budget.in_memory(),
                file: None,
                reading: false,
                end: None,
                client: None,
            }),
            taken: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a piece in memory as soon as it has its place there.
    async fn hold(&self, piece: &Bytes) {
        while !self.state().hold(piece) {
            self.taken.notified().await;
        }
    }

    /// Appends to the file, or begins one.
    async fn write(&self, bytes: Bytes, terms: &Terms) -> Result<(), Unkept> {
        let len = bytes.len() as u64;
        let place = match &mut self.state().file {
            Some(file) => Some(file.place(len, terms.most)?),
            None if len > terms.most => return Err(Unkept::Full(Limit::AnswerSpool)),
            None => None,
        };
        let begun = if let Some((file, place)) = place {
            blocking(move || file.write_all_at(&bytes, place).map(|()| None)).await
        } else {
            let room = terms.budget.of_answer();
            let mut room = room.ok_or(Unkept::Full(Limit::SpoolFiles))?;
            if !room.bytes().take(len) {
                return Err(Unkept::Full(Limit::Spool));
            }
            let folder = terms.folder.clone();
            blocking(move || Spool::begin(&folder, room, &bytes).map(Some)).await
        };
        let mut state = self.state();
        let written = match begun {
            Ok(Some(begun)) => {
                state.file = Some(begun);
                Ok(())
            }
            other => {
                if let Some(file) = &mut state.file {
                    file.wrote(len, other.is_ok());
                }
                other.map(drop)
            }
        };
        state.wake();
        Ok(written?)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // The task neither panics nor is it cancelled while the runtime lives.
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Who writes an answer's file.
struct Writer {
    terms: Terms,
    /// Limits that were met: each is counted once.
    met: Vec<Limit>,
    /// No file can be written.
    broken: bool,
}

impl Writer {
    /// Whether these bytes are in the file.
    async fn write(&mut self, kept: &Kept, bytes: Bytes) -> bool {
        if self.broken {
            return false;
        }
        match kept.write(bytes, &self.terms).await {
            Ok(()) => return true,
            Err(Unkept::Full(limit)) if self.met.contains(&limit) => {}
            Err(Unkept::Full(limit)) => {
                self.met.push(limit);
                self.terms.journal.met(limit);
            }
            Err(Unkept::Broken(error)) => {
                self.broken = true;
                self.terms.journal.tell(&format!(
                    "an answer that its client takes slowly cannot be kept in {} (spool_dir), and the \
                     application waits for the client: {error}",
                    self.terms.folder.display()
                ));
            }
        }
        false
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

/// Gives the client an end in any case: if taking panics, a failure.
struct Ending(Arc<Kept>);

impl Drop for Ending {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.end.get_or_insert(Some(Err(BodyError::Panicked)));
        state.wake();
    }
}

/// Takes what the application says, to its end.
async fn take(kept: Arc<Kept>, mut application: Application, terms: Terms) {
    let _ending = Ending(Arc::clone(&kept));
    let mut writer = Writer {
        terms,
        met: Vec::new(),
        broken: false,
    };
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
        if !writer.write(&kept, bytes.clone()).await {
            kept.hold(&bytes).await;
        }
        if let Some(end) = end {
            break end;
        }
    };
    kept.state().end = Some(end.map(|end| end.map_err(BodyError::from)));
}

#[cfg(test)]
mod tests;
