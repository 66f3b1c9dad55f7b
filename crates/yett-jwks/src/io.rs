//! tokio's streams for hyper, without `unsafe`: bytes are copied once through a small buffer, which
//! one short exchange every few minutes does not notice. hyper-util has such an adapter, and an HTTP
//! client with pools and proxies beside it, which the border test keeps out of this crate.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const BUFFER: usize = 8 * 1024;

/// A stream as hyper wants it.
pub(crate) struct HyperIo<S> {
    stream: S,
    buffer: Box<[u8]>,
}

impl<S> HyperIo<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: vec![0; BUFFER].into_boxed_slice(),
        }
    }
}

impl<S: AsyncRead + Unpin> hyper::rt::Read for HyperIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let most = into.remaining().min(BUFFER);
        let Some(buffer) = this.buffer.get_mut(..most) else {
            return Poll::Ready(Ok(()));
        };
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer))?;
        into.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> hyper::rt::Write for HyperIo<S> {
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
}
