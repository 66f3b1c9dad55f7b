//! An answer that is there already, or on its way.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;

use crate::respond::Body;

/// The answer to one request. A connection has room for one, also between requests, and moves it as a
/// whole; so what takes time is behind a box.
pub(crate) struct Answering(State);

#[expect(
    clippy::large_enum_variant,
    reason = "the large one is there to be moved once, and to spare an allocation"
)]
enum State {
    Ready(Option<Response<Body>>),
    Going(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Answering {
    /// One that is there.
    pub(crate) const fn ready(response: Response<Body>) -> Self {
        Self(State::Ready(Some(response)))
    }

    pub(super) fn going(answer: impl Future<Output = Response<Body>> + Send + 'static) -> Self {
        Self(State::Going(Box::pin(answer)))
    }
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    /// Polled again after its end it stays pending.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => Poll::Pending,
            },
            State::Going(answer) => answer.as_mut().poll(cx).map(Ok),
        }
    }
}
