//! The socket as hyper sees it: what the scanner lets through, and an end where it objects.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::from_file::{FileSink, is_stand_in};
use super::scan::{Limits, Scanner, Sink};
use super::{ConnState, Offence};
use crate::floor::rounds;

/// How much one read of a socket takes at most.
const READ: usize = 64 * 1024;

thread_local! {
    /// One buffer a thread for all its connections: an idle connection holds no read buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// Reads what one read brings, at most 64 KiB, into the thread's own buffer.
pub(crate) fn poll_read_some<S: AsyncRead, T>(
    stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    let read = SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(stream.poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(take(buffer.filled())))
    });
    if read.is_ready() {
        rounds::passed();
    }
    read
}

pub(super) struct ScannedIo<S> {
    stream: S,
    scanner: Scanner,
    /// Scanned bytes that hyper had no room for yet.
    passed: BytesMut,
    state: Arc<ConnState>,
    /// Early hints that have begun to be written: they come to their end before anything else.
    hints: BytesMut,
    /// Nothing is to be said of an offence: inside a body it was reported to the running request, which
    /// answers it, and within a file that could not be sent to its end it would be taken for a part of it.
    answered: bool,
}

impl<S> ScannedIo<S> {
    pub(super) fn new(stream: S, limits: Limits, state: Arc<ConnState>) -> Self
    where
        S: AsyncWrite + FileSink,
    {
        // hyper keeps apart what it is given only for a stream that takes several slices at once.
        if stream.takes_files() && stream.is_write_vectored() {
            state.takes_files();
        }
        Self {
            stream,
            scanner: Scanner::new(limits),
            passed: BytesMut::new(),
            state,
            hints: BytesMut::new(),
            answered: false,
        }
    }

    pub(super) const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    pub(super) const fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether something waits for hyper.
    pub(super) fn has_passed(&self) -> bool {
        !self.passed.is_empty()
    }

    /// Whether everything that was read is handed on, but for a part of a head: nothing is lost if
    /// whoever it was handed to comes to an end and another takes its place.
    pub(super) fn is_between_messages(&self) -> bool {
        self.passed.is_empty() && !self.scanner.is_in_body() && !self.scanner.is_undecided()
    }

    /// Gives back the room of heads that have gone on.
    pub(super) fn release(&mut self) {
        self.scanner.release();
    }

    /// Method and target of the head that offended, as far as they can be read.
    pub(super) fn request_line(&self) -> (String, String) {
        self.scanner.request_line()
    }

    /// What the client sent behind its request for a WebSocket.
    pub(super) fn take_early(&mut self) -> BytesMut {
        self.scanner.take_early()
    }

    fn offended(&mut self, offence: Offence, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.scanner.is_in_body() {
            // The request that owns this body is running and must fail now.
            self.answered = true;
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, offence)));
        }
        // An end of file would make hyper drop what is still being answered or written.
        if self.state.wait_while_answering(cx.waker()) {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

/// What hyper has room for goes to it at once, the rest is kept.
struct Onward<'p, 'c, 'b> {
    into: Option<&'c mut ReadBufCursor<'b>>,
    passed: &'p mut BytesMut,
    /// Something went on.
    any: bool,
}

impl Sink for Onward<'_, '_, '_> {
    fn put(&mut self, bytes: &[u8]) {
        self.any |= !bytes.is_empty();
        let mut rest = bytes;
        if let Some(into) = &mut self.into {
            // It is full before anything is kept.
            let (now, later) = bytes.split_at(bytes.len().min(into.remaining()));
            into.put_slice(now);
            rest = later;
        }
        self.passed.extend_from_slice(rest);
    }
}

impl<S: AsyncRead + Unpin> ScannedIo<S> {
    /// Reads once and scans it; what may go on goes `into` hyper's buffer, or is kept. There must be
    /// nothing kept from before if there is such a buffer. Nought is the client's end.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        into: Option<&mut ReadBufCursor<'_>>,
    ) -> Poll<io::Result<usize>> {
        let scanner = &mut self.scanner;
        let mut onward = Onward {
            into,
            any: !self.passed.is_empty(),
            passed: &mut self.passed,
        };
        let scanned = poll_read_some(Pin::new(&mut self.stream), cx, |bytes| {
            (bytes.len(), scanner.push(bytes, &mut onward))
        });
        let (count, outcome) = ready!(scanned)?;
        if onward.any {
            // Something came to its end, so a head that is arriving now began only now.
            self.state.head_arriving(false);
        }
        self.state.head_arriving(self.scanner.is_in_head());
        if let Err(offence) = outcome {
            self.state.offend(offence);
        }
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncRead + Unpin> hyper::rt::Read for ScannedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.passed.is_empty() {
                let count = this.passed.len().min(into.remaining());
                into.put_slice(this.passed.get(..count).unwrap_or_default());
                this.passed.advance(count);
                if this.passed.is_empty() {
                    this.passed = BytesMut::new();
                }
                return Poll::Ready(Ok(()));
            }
            if let Some(offence) = this.state.offence() {
                return this.offended(offence, cx);
            }
            if this.scanner.is_undecided() {
                if this.state.take_declined() {
                    let outcome = this.scanner.go_on(&mut this.passed);
                    this.state.head_arriving(this.scanner.is_in_head());
                    if let Err(offence) = outcome {
                        this.state.offend(offence);
                    }
                    continue;
                }
                if this.scanner.has_early() {
                    // No more than one read of it is held.
                    this.state.keep(cx.waker());
                    return Poll::Pending;
                }
            }
            let room = into.remaining();
            let filled = this.poll_fill(cx, Some(&mut into));
            if filled.is_pending() {
                this.state.keep(cx.waker());
            }
            let ended = ready!(filled)? == 0 && this.state.offence().is_none();
            if ended || into.remaining() < room {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> ScannedIo<S> {
    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        self.state.wrote(written);
        if written.is_ready() {
            rounds::passed();
        }
    }

    /// Writes the hints that belong before what hyper writes now.
    fn poll_hints_before_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hints(cx))?;
        self.hints = self.state.at_write();
        self.poll_hints(cx)
    }

    /// Writes what is left of the hints that have begun.
    fn poll_hints(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.hints.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.hints);
            self.wrote(&written);
            let count = ready!(written)?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.hints.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + FileSink + Unpin> ScannedIo<S> {
    /// Writes what these bytes stand for. What keeps the file from being sent is noted.
    fn poll_piece(&mut self, cx: &mut Context<'_>, stand_in: &[u8]) -> Poll<io::Result<usize>> {
        let sent = match self.poll_file(cx, stand_in) {
            Poll::Ready(Err(error)) if !is_of_the_client(&error) => {
                self.answered = true;
                let kind = error.kind();
                self.state.spoil(error);
                Poll::Ready(Err(kind.into()))
            }
            sent => sent,
        };
        if let Poll::Ready(Ok(count)) = &sent {
            self.state.sent_of_piece(*count);
        }
        self.wrote(&sent);
        sent
    }

    fn poll_file(&mut self, cx: &mut Context<'_>, stand_in: &[u8]) -> Poll<io::Result<usize>> {
        let (file, offset) = self.state.next_piece(stand_in)?;
        let sent = self
            .stream
            .poll_send_file(cx, &file, offset, stand_in.len());
        match sent {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
                self.poll_copied(cx, &file, offset, stand_in.len())
            }
            // The file was cut while it was being sent; the announced length cannot be kept.
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            sent => sent,
        }
    }

    /// Writes a part of a file that the kernel cannot send by itself.
    fn poll_copied(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let most = len.min(scratch.len());
            let room = scratch.get_mut(..most).unwrap_or_default();
            let count = file.read_at(room, offset)?;
            let read = room.get(..count).unwrap_or_default();
            if read.is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            Pin::new(&mut self.stream).poll_write(cx, read)
        })
    }
}

/// Whether a file's sending failed because its client has left.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::BrokenPipe
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::NotConnected
            | Kind::TimedOut
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
    )
}

impl<S: AsyncWrite + FileSink + Unpin> hyper::rt::Write for ScannedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_hints_before_write(cx))?;
        if is_stand_in(bytes) {
            return self.poll_piece(cx, bytes);
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(&written);
        written
    }

    /// hyper comes here only when its own buffer is empty: early hints may go now.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hints(cx))?;
        self.hints = self.state.at_flush();
        ready!(self.poll_hints(cx))?;
        // TLS takes bytes before the socket does: a client that takes none of them shows only here.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.state.flushed(&flushed);
        flushed
    }

    /// Does nothing: the connection's driver closes the socket, perhaps after it has answered an
    /// offence. hyper comes here when all that it had to write is written.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_hints_before_write(cx))?;
        let found = pieces.iter().position(|piece| is_stand_in(piece));
        let written = match found.map(|place| pieces.split_at(place)) {
            Some(([], [stand_in, ..])) => return self.poll_piece(cx, stand_in),
            Some((before, _)) => match self.stream.poll_write_before_file(cx, before) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    Pin::new(&mut self.stream).poll_write_vectored(cx, before)
                }
                written => written,
            },
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, pieces),
        };
        self.wrote(&written);
        written
    }
}

#[cfg(test)]
mod tests {
    use hyper::rt::Write as _;

    use super::super::BusyGuard;
    use super::super::from_file::Piece;
    use super::*;

    /// A stream that takes everything, and notes how.
    #[derive(Default)]
    struct Noting {
        noted: RefCell<Vec<String>>,
        /// It cannot write before a file.
        copies: bool,
    }

    impl Noting {
        fn note(&self, how: &str, count: usize) -> Poll<io::Result<usize>> {
            self.noted.borrow_mut().push(format!("{how} {count}"));
            Poll::Ready(Ok(count))
        }
    }

    fn length(pieces: &[io::IoSlice<'_>]) -> usize {
        pieces.iter().map(|piece| piece.len()).sum()
    }

    impl AsyncWrite for Noting {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.note("written", bytes.len())
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            pieces: &[io::IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.note("written", length(pieces))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl FileSink for Noting {
        fn takes_files(&self) -> bool {
            true
        }

        fn poll_send_file(
            &self,
            _cx: &mut Context<'_>,
            _file: &File,
            offset: u64,
            len: usize,
        ) -> Poll<io::Result<usize>> {
            self.note(&format!("sent from {offset}"), len)
        }

        fn poll_write_before_file(
            &self,
            _cx: &mut Context<'_>,
            bytes: &[io::IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            if self.copies {
                return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
            }
            self.note("before a file", length(bytes))
        }
    }

    /// What a stream notes while hyper writes an answer of a head and a piece of a file, and one of
    /// two texts.
    fn noted(stream: Noting) -> Vec<String> {
        let state = Arc::new(ConnState::new(None));
        let limits = Limits {
            max_head: 1000,
            max_headers: 10,
        };
        let mut io = ScannedIo::new(stream, limits, Arc::clone(&state));
        let request = BusyGuard::new(&state, None);
        let file = Arc::new(tempfile::tempfile().unwrap());
        let piece = request.stand_in(Piece::new(file, 70, 9)).unwrap();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut write = |pieces: &[&[u8]]| {
            let pieces: Vec<_> = pieces.iter().map(|piece| io::IoSlice::new(piece)).collect();
            let written = Pin::new(&mut io).poll_write_vectored(&mut cx, &pieces);
            assert!(matches!(written, Poll::Ready(Ok(_))));
        };
        write(&[b"he", b"ad", &piece]);
        write(&[&piece]);
        write(&[b"head", b"text"]);
        io.stream.noted.take()
    }

    #[test]
    fn what_stands_before_a_file_waits_for_it_and_nothing_else_does() {
        let before = ["before a file 4", "sent from 70 9", "written 8"];
        assert_eq!(noted(Noting::default()), before);
        let copies = Noting {
            copies: true,
            ..Noting::default()
        };
        assert_eq!(noted(copies), ["written 4", "sent from 70 9", "written 8"]);
    }
}
