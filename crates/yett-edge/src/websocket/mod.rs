//! WebSockets (RFC 6455, RFC 7692): a client's connection ends here, messages go over the link.
//!
//! [`handshake`] says what asks for a WebSocket and answers it; [`offer`] reads what compression a
//! client offers; [`inbound`] makes messages of a client's bytes and [`outbound`] bytes of the
//! application's; [`deflate`] compresses; [`mod@drive`] runs the connection from its handshake to its
//! end. None of it trusts a client, and nothing here decides who may connect: the gate has judged the
//! request, and `Origin` is the application's to judge.
//!
//! A message is never gathered whole: it goes on in pieces of at most 64 KiB as the application takes
//! them. Why no crate does this: `docs/decisions/0020-websocket-frames-of-our-own.md`.
//!
//! Bounds, of one connection: [`inbound::HELD`] of what the client sent and 64 KiB of a message that
//! is not whole; [`outbound::HELD`] and one frame of what it has not taken; while a message is being
//! compressed or inflated, its codec. A connection that says nothing holds nothing of all that.

mod deflate;
mod drive;
mod frame;
pub(crate) mod handshake;
mod inbound;
mod offer;
mod outbound;

use std::time::Duration;

pub(crate) use drive::drive;
pub(crate) use handshake::{Asked, HandshakeFault};
pub(crate) use offer::{Agreed, agree};

use crate::floor::SocketExchange;
use crate::log::Record;

/// Limits and times of WebSockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketSettings {
    /// Bytes of a client's message, inflated; above: the WebSocket is closed with 1009. At most
    /// [`Self::LARGEST_MESSAGE`].
    pub max_message: u64,
    /// How long after the last ping the next one follows. `None`: no pings.
    pub ping_interval: Option<Duration>,
    /// How long a client may send nothing after a ping; then its WebSocket is closed with 1011 and
    /// the application told 1006. `None`: for ever.
    pub ping_timeout: Option<Duration>,
    /// Whether messages are compressed where the client offers it.
    pub deflate: Deflate,
}

/// Whether messages are compressed where the client offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deflate {
    /// `permessage-deflate` is accepted.
    On,
    /// It is not.
    Off,
}

impl WebSocketSettings {
    /// The longest message that a worker takes, in bytes.
    pub const LARGEST_MESSAGE: u64 = yett_link::frame::MAX_MESSAGE as u64;
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            max_message: 16 * 1024 * 1024,
            ping_interval: Some(Duration::from_secs(20)),
            ping_timeout: Some(Duration::from_secs(20)),
            deflate: Deflate::On,
        }
    }
}

/// A WebSocket that the application has accepted, on its way to the connection that will be it.
pub(crate) struct Socket {
    pub(crate) exchange: SocketExchange,
    /// Written when the WebSocket ends.
    pub(crate) record: Record,
    pub(crate) agreed: Option<Agreed>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}
