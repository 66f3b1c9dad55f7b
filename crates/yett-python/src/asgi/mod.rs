//! ASGI 3 calls on a worker's link, inside the worker's event loop.
//!
//! [`link`] reads what arrives and begins requests; [`scope`] makes a request's scope; [`http`] and
//! [`websocket`] are the `receive` and `send` of one request; [`awaitable`] is what those give back;
//! [`message`] reads what the application sends. Nothing here waits: what must wait is a future of
//! the loop.

mod awaitable;
mod body;
mod file;
mod http;
mod link;
mod message;
mod outbox;
mod scope;
mod tls;
mod websocket;

pub(crate) use awaitable::{Awaited, Done};
pub(crate) use http::HttpExchange;
pub(crate) use link::LoopLink;
pub(crate) use websocket::WebSocketExchange;
