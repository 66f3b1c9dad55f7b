//! A stream whose first bytes were read already, to see what it is, and are read again.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A stream and what was read of it.
#[derive(Debug)]
pub(crate) struct Reread<S> {
    first: Bytes,
    /// When the first of these bytes came.
    since: Option<Instant>,
    stream: S,
}

impl<S> Reread<S> {
    /// A stream of which `first` was read.
    pub(crate) const fn new(first: Bytes, stream: S) -> Self {
        Self {
            first,
            since: None,
            stream,
        }
    }

    /// The same, and since when what was read has been coming.
    pub(crate) const fn coming_since(mut self, since: Option<Instant>) -> Self {
        self.since = since;
        self
    }

    /// Since when the first bytes have been coming, where that counts.
    pub(crate) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// The stream without what was read of it.
    pub(crate) const fn inner(&self) -> &S {
        &self.stream
    }

    /// What of the bytes that were read in advance has not been read again.
    pub(crate) fn first(&self) -> &[u8] {
        &self.first
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Reread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let count = self.first.len().min(into.remaining());
        into.put_slice(self.first.get(..count).unwrap_or_default());
        self.first.advance(count);
        if self.first.is_empty() {
            // Advanced to its end it would still hold its memory.
            self.first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Reread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }
}
