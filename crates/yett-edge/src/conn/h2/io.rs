//! The socket as h2 sees it: every frame is counted as it passes, and at the end the client may
//! finish sending before the socket is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::traffic::Traffic;
use crate::conn::farewell::Farewell;
use crate::floor::rounds;

pub(super) struct WatchedIo<S> {
    stream: S,
    traffic: Arc<Traffic>,
    /// Bytes that may not go on yet, at most one read of them.
    held: BytesMut,
    farewell: Farewell,
}

impl<S> WatchedIo<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self {
            stream,
            traffic,
            held: BytesMut::new(),
            farewell: Farewell::default(),
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
            rounds::passed();
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

impl<S> WatchedIo<S> {
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.traffic.wrote(&written);
        if written.is_ready() {
            rounds::passed();
        }
        written
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WatchedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let count = ready!(self.wrote(written))?;
        self.traffic.sent(bytes.get(..count).unwrap_or_default());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // TLS takes bytes before the socket does: a client that takes none of them shows only here.
        self.traffic.wrote(&match &flushed {
            Poll::Ready(_) => Poll::Ready(Ok(0)),
            Poll::Pending => Poll::Pending,
        });
        flushed
    }

    /// Ends our side, and lets the client end its own, as over HTTP/1.1.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.farewell.poll(&mut this.stream, cx).map(Ok)
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
        let count = ready!(self.wrote(written))?;
        let mut left = count;
        for piece in pieces {
            let taken = left.min(piece.len());
            self.traffic.sent(piece.get(..taken).unwrap_or_default());
            left -= taken;
        }
        Poll::Ready(Ok(count))
    }
}
