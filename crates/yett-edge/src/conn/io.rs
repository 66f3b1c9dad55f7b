//! The socket as hyper sees it: what the scanner lets through, and an end where it objects.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::scan::{Limits, Scanner};
use super::{ConnState, Offence};

/// How much one read of a socket takes at most.
const READ: usize = 64 * 1024;

thread_local! {
    /// One buffer a thread for all its connections: an idle connection holds no read buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

pub(super) struct ScannedIo<S> {
    stream: S,
    scanner: Scanner,
    /// Scanned bytes that hyper had no room for yet.
    passed: BytesMut,
    state: Arc<ConnState>,
    /// Early hints that have begun to be written: they come to their end before anything else.
    hints: BytesMut,
    /// An offence inside a body was reported to the running request, which answers it.
    answered: bool,
}

impl<S> ScannedIo<S> {
    pub(super) fn new(stream: S, limits: Limits, state: Arc<ConnState>) -> Self {
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

    /// Method and target of the head that offended, as far as they can be read.
    pub(super) fn request_line(&self) -> (String, String) {
        self.scanner.request_line()
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

impl<S: AsyncRead + Unpin> hyper::rt::Read for ScannedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: hyper::rt::ReadBufCursor<'_>,
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
            let scanned = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Ready(Ok(())) => {
                        let outcome = this.scanner.push(buffer.filled(), &mut this.passed);
                        Poll::Ready(Ok((buffer.filled().len(), outcome)))
                    }
                }
            });
            if scanned.is_pending() {
                this.state.keep(cx.waker());
            }
            let (count, outcome) = ready!(scanned)?;
            if !this.passed.is_empty() {
                // Something came to its end, so a head that is arriving now began only now.
                this.state.head_arriving(false);
            }
            this.state.head_arriving(this.scanner.is_in_head());
            if let Err(offence) = outcome {
                this.state.offend(offence);
            } else if count == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> ScannedIo<S> {
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
            self.state.wrote(written.is_ready());
            let count = ready!(written)?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.hints.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> hyper::rt::Write for ScannedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_hints_before_write(cx))?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.state.wrote(written.is_ready());
        written
    }

    /// hyper comes here only when its own buffer is empty: early hints may go now.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hints(cx))?;
        self.hints = self.state.at_flush();
        ready!(self.poll_hints(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.state.flushed();
        Poll::Ready(Ok(()))
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.state.wrote(written.is_ready());
        written
    }
}
