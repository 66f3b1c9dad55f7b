//! A panic costs its own request, and no other one anything: its client gets 500.
//!
//! One while a body is sent is too late for that: over HTTP/1.1 the answer is cut with its connection,
//! whose task ends, and over HTTP/2 with its stream (`conn/h2`). The record keeps the status
//! that was sent, and says of both that the server failed. One over a worker's frame ends that worker's
//! link (`floor/link.rs`), and not who happened to read it.
//!
//! Nothing that requests share is left half done by that: whatever is locked is whole between two
//! statements, and who locks it next takes it as it is. That a request panicked stands in its
//! record, which is closed while what the request has is dropped, and in what the program prints.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// Takes the first steps of a request. `None`: they panicked.
pub(super) fn begun<T>(steps: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(steps)).ok()
}

/// Takes all further ones.
pub(super) fn ended<T>(
    mut steps: Pin<&mut impl Future<Output = T>>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| match begun(|| steps.as_mut().poll(cx)) {
        Some(polled) => polled.map(Some),
        None => Poll::Ready(None),
    })
}
