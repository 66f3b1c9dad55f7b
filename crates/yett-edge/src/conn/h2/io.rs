//! The socket as h2 sees it: every frame is counted as it passes, and at the end the client may
//! finish sending before the socket is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::traffic::Traffic;
use crate::conn::{LINGER, LINGER_BYTES, poll_read_some};

pub(super) struct WatchedIo<S> {
    stream: S,
    traffic: Arc<Traffic>,
    /// Bytes that may not go on yet, at most one read of them.
    held: BytesMut,
    /// Our side is ended: how long the client may still send, and how much it has.
    leaving: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> WatchedIo<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self {
            stream,
            traffic,
            held: BytesMut::new(),
            leaving: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedIo<S> {
    /// Pending without a waker while something is held back: the connection's driver polls again
    /// as soon as it has seen to that.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.traffic.is_held() {
            return Poll::Pending;
        }
        let before = into.filled().len();
        if this.held.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, into))?;
        } else {
            let count = this.held.len().min(into.remaining());
            into.put_slice(this.held.get(..count).unwrap_or_default());
            this.held.advance(count);
        }
        let fresh = into.filled().get(before..).unwrap_or_default();
        if fresh.is_empty() {
            // The client's end.
            return Poll::Ready(Ok(()));
        }
        let admitted = this.traffic.admit(fresh);
        if admitted < fresh.len() {
            let mut held = BytesMut::from(fresh.get(admitted..).unwrap_or_default());
            held.extend_from_slice(&this.held);
            this.held = held;
            into.set_filled(before + admitted);
        }
        if this.held.is_empty() {
            this.held = BytesMut::new();
        }
        if admitted == 0 {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WatchedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.traffic.wrote(written.is_ready());
        let count = ready!(written)?;
        self.traffic.sent(bytes.get(..count).unwrap_or_default());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.traffic.wrote(flushed.is_ready());
        flushed
    }

    /// Ends our side, and takes in what the client still sends until it has ended its own: bytes that
    /// nobody reads would make the kernel reset the connection, and the reset could destroy the
    /// GOAWAY and the answers that the client has not read yet.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.leaving.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let (until, seen) = this
            .leaving
            .get_or_insert_with(|| (Box::pin(sleep(LINGER)), 0));
        while *seen < LINGER_BYTES {
            match poll_read_some(Pin::new(&mut this.stream), cx, <[u8]>::len) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(count)) => *seen += count,
                Poll::Pending => {
                    ready!(until.as_mut().poll(cx));
                    return Poll::Ready(Ok(()));
                }
            }
        }
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.traffic.wrote(written.is_ready());
        let count = ready!(written)?;
        let mut left = count;
        for piece in pieces {
            let taken = left.min(piece.len());
            self.traffic.sent(piece.get(..taken).unwrap_or_default());
            left -= taken;
        }
        Poll::Ready(Ok(count))
    }
}
