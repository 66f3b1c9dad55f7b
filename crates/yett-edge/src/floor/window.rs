//! How much of a streamed request body may be on its way to a worker that has not taken it.
//!
//! The connection's side takes room before it sends, the worker's credit gives it back. So a client
//! that uploads faster than the application reads is not read any further, and a link holds at most
//! [`REQUEST_WINDOW`] bytes of any one body.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, Semaphore};
use yett_link::frame::{FrameError, REQUEST_WINDOW};

/// The window of one exchange: one side sends, the other acknowledges.
#[derive(Debug)]
pub(crate) struct Window {
    room: Semaphore,
    /// The body's last piece was sent.
    whole: AtomicBool,
    over: AtomicBool,
    ended: Notify,
}

/// The exchange has ended: nobody takes the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over;

impl Window {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            room: Semaphore::new(REQUEST_WINDOW),
            whole: AtomicBool::new(false),
            over: AtomicBool::new(false),
            ended: Notify::new(),
        })
    }

    /// Waits until `len` bytes may be sent, and takes their room. `len` is at most the window.
    pub(crate) async fn take(&self, len: usize) -> Result<(), Over> {
        let len = u32::try_from(len.min(REQUEST_WINDOW)).unwrap_or(u32::MAX);
        match self.room.acquire_many(len).await {
            Ok(room) => {
                room.forget();
                Ok(())
            }
            Err(_closed) => Err(Over),
        }
    }

    /// Waits until the exchange has ended.
    pub(crate) async fn over(&self) {
        let mut ended = std::pin::pin!(self.ended.notified());
        // Registered before the flag is looked at, so that no end is missed.
        ended.as_mut().enable();
        if !self.over.load(Ordering::Acquire) {
            ended.await;
        }
    }

    /// Whether the exchange has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// The body's last piece is on its way.
    pub(crate) fn finish(&self) {
        self.whole.store(true, Ordering::Release);
    }

    /// The worker took `len` bytes.
    ///
    /// # Errors
    /// [`FrameError`] when that is more than it was sent.
    pub(super) fn give(&self, len: usize) -> Result<(), FrameError> {
        let room = self.room.available_permits();
        if len > REQUEST_WINDOW.saturating_sub(room) {
            return Err(FrameError::Malformed("credit for what was not sent"));
        }
        self.room.add_permits(len);
        Ok(())
    }

    /// Whether the worker has taken all that came, and waits for more: then time is the client's.
    pub(super) fn waits_for_client(&self) -> bool {
        !self.whole.load(Ordering::Acquire) && self.room.available_permits() == REQUEST_WINDOW
    }

    fn close(&self) {
        self.over.store(true, Ordering::Release);
        self.room.close();
        self.ended.notify_waiters();
    }
}

/// The link's hold on a window: the window ends with it.
#[derive(Debug)]
pub(super) struct OpenWindow(pub(super) Arc<Window>);

impl Drop for OpenWindow {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_comes_back_only_for_what_was_sent() {
        let window = Window::new();
        assert!(window.waits_for_client());
        assert!(window.give(1).is_err());
        window.take(10).await.unwrap();
        assert!(!window.waits_for_client());
        assert!(window.give(11).is_err());
        window.give(10).unwrap();
        assert!(window.waits_for_client());
        window.finish();
        assert!(!window.waits_for_client());
    }

    #[tokio::test]
    async fn end_frees_who_waits_for_room_and_who_waits_for_the_end() {
        let window = Window::new();
        let open = OpenWindow(Arc::clone(&window));
        window.take(REQUEST_WINDOW).await.unwrap();
        let waiting = tokio::spawn({
            let window = Arc::clone(&window);
            async move { window.take(1).await }
        });
        tokio::task::yield_now().await;
        drop(open);
        assert_eq!(waiting.await.unwrap(), Err(Over));
        window.over().await;
        assert!(window.is_over());
    }
}
