//! A panic costs its own request, and no other one anything: its client gets 500.
//!
//! Nothing that requests share is left half done by that: whatever is locked is whole between two
//! statements, and who locks it next takes it as it is. That a request panicked stands in its
//! record, which is closed while its future is dropped, and in what the program prints.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use http::Response;

use super::Services;
use crate::log::Record;
use crate::respond::{self, Body, Failure};

/// What a request's future comes to.
type Answer = Result<Response<Body>, Infallible>;

impl Services {
    /// The answer whose first steps these are.
    pub(crate) fn unharmed<F: Future<Output = Answer>>(
        &self,
        begin: impl FnOnce() -> F,
    ) -> impl Future<Output = Answer> {
        let begun = catch_unwind(AssertUnwindSafe(begin));
        async move {
            let Ok(answer) = begun else {
                return Ok(self.panicked());
            };
            let mut answer = pin!(answer);
            poll_fn(|cx| self.unharmed_poll(|| answer.as_mut().poll(cx))).await
        }
    }

    /// Takes one further step. After a panic there must be none.
    pub(crate) fn unharmed_poll(&self, poll: impl FnOnce() -> Poll<Answer>) -> Poll<Answer> {
        let polled = catch_unwind(AssertUnwindSafe(poll));
        polled.unwrap_or_else(|_printed| Poll::Ready(Ok(self.panicked())))
    }

    /// What the client gets.
    pub(crate) fn panicked(&self) -> Response<Body> {
        let record = Record::unwritten(&self.journal);
        let mut response = respond::failed(&Failure::Panicked, record);
        self.settings.security_headers.add(response.headers_mut());
        response
    }
}
