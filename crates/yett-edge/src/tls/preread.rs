//! A stream whose first bytes were read already, and are read again.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// A TLS record's header; nothing shorter begins a handshake.
const LOOK: usize = 5;

/// A stream and what was read of it.
#[derive(Debug)]
pub(crate) struct Preread<S> {
    stream: S,
    first: [u8; LOOK],
    /// From where to where `first` is still to be read.
    unread: (usize, usize),
}

impl<S: AsyncRead + Unpin> Preread<S> {
    /// Waits for the first bytes. `None`: the stream ended or failed before any.
    pub(super) async fn look(mut stream: S) -> Option<Self> {
        let mut first = [0; LOOK];
        let count = stream.read(&mut first).await.ok()?;
        (count > 0).then_some(Self {
            stream,
            first,
            unread: (0, count),
        })
    }

    /// The bytes that were read in advance.
    pub(super) fn first(&self) -> &[u8] {
        self.first.get(..self.unread.1).unwrap_or_default()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Preread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (from, to) = self.unread;
        if from < to {
            let count = into.remaining().min(to - from);
            into.put_slice(self.first.get(from..from + count).unwrap_or_default());
            self.unread.0 += count;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Preread<S> {
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
