//! How a connection ends: our side first, then the client's.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};

use super::{LINGER, poll_read_some};

/// How many bytes a client may still send after its connection's last answer, or after the answer to the
/// request that they are of.
pub(super) const LINGER_BYTES: usize = 256 * 1024;

/// Ends our side, and takes in what the client still sends until it has ended its own, for at most
/// [`LINGER`]: bytes that nobody reads would make the kernel reset the connection, and the reset could
/// destroy an answer that the client has not read yet.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    until: Option<Pin<Box<Sleep>>>,
    ended: bool,
    seen: usize,
}

impl Farewell {
    /// Ready when the stream can be dropped.
    pub(super) fn poll<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if !self.ended {
            if ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            self.ended = true;
        }
        while self.seen < LINGER_BYTES {
            match ready!(poll_read_some(Pin::new(&mut *stream), cx, <[u8]>::len)) {
                Ok(0) | Err(_) => break,
                Ok(count) => self.seen += count,
            }
        }
        Poll::Ready(())
    }
}
