//! Who leaves when there are as many connections as there may be: of those on which nothing happens, the
//! one that has been so for longest.
//!
//! A connection that idles after an answer waits here beside its client; the acceptor asks one to leave for
//! each new connection that finds no room. Whoever has a request, or the beginning of one, is never asked,
//! nor is one that is new: what it sent may not have been read yet. If nobody idles, the question waits
//! for the first who does, until there is room.

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

#[derive(Debug, Default)]
pub(crate) struct Crowd {
    // Its line is first in, first out.
    question: Arc<Notify>,
}

impl Crowd {
    /// Asks one connection to leave.
    pub(crate) fn ask_one_to_leave(&self) {
        self.question.notify_one();
    }

    /// There is room: a question that nobody has heard is no question any more. Else the next to hear it
    /// would be the very connection that it was asked for.
    pub(crate) fn has_room(&self) {
        let _unheard = self.question.notified().now_or_never();
    }

    /// Waits in line until asked to leave. Its place is where it is first polled.
    pub(crate) async fn asked_to_leave(&self) {
        self.question.notified().await;
    }

    /// The same for who polls it without a future of its own.
    pub(crate) fn line(&self) -> OwnedNotified {
        Arc::clone(&self.question).notified_owned()
    }
}
