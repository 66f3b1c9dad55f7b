//! Which protocol drives a connection: what TLS agreed on, or what the first bytes are.
//!
//! A client may begin HTTP/2 in clear text if it knows that it is spoken here (RFC 9113 section 3.3):
//! its first 24 bytes can be no request of HTTP/1.1. There is no `Upgrade: h2c`.

use std::pin::Pin;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use yett_gate::Arrival;

use super::from_file::FileSink;
use super::{Stop, h2, poll_read_some, serve};
use crate::meters::Limit;
use crate::reread::Reread;
use crate::service::Services;
use crate::settings::EdgeSettings;

/// What a client of HTTP/2 says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// Its name in a TLS handshake (RFC 7301 section 6, RFC 9113 section 3.2).
    #[must_use]
    pub const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }

    /// What was agreed on in a TLS handshake. Who agreed on nothing speaks HTTP/1.1.
    pub(super) fn agreed(alpn: Option<&[u8]>) -> Self {
        if alpn == Some(Self::Http2.alpn()) {
            Self::Http2
        } else {
            Self::Http1
        }
    }
}

/// Serves one connection to its end. `agreed` is what TLS says is spoken on it; without it, the first
/// bytes say so.
pub(super) async fn begin<S>(
    mut stream: S,
    agreed: Option<Protocol>,
    arrival: Arrival,
    services: Arc<Services>,
    settings: Arc<EdgeSettings>,
    mut stopping: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + FileSink + Unpin,
{
    let (protocol, first, since) = match agreed {
        Some(protocol) => (protocol, BytesMut::new(), None),
        None if settings.http2.is_none() => (Protocol::Http1, BytesMut::new(), None),
        None => match first_bytes(&mut stream, &services, &settings, &mut stopping).await {
            Some(told) => told,
            None => return,
        },
    };
    let stream = Reread::new(first.freeze(), stream).coming_since(since);
    match protocol {
        Protocol::Http1 => serve(stream, arrival, services, stopping).await,
        // Boxed: a connection of HTTP/1.1 does not hold room for one of HTTP/2.
        Protocol::Http2 => {
            Box::pin(h2::serve(stream, arrival, services, settings, stopping)).await;
        }
    }
}

/// Reads until it is certain what is spoken, and says since when: the head has the rest of its time.
/// `None`: the connection is over before that.
///
/// Nothing is held while nothing has come.
async fn first_bytes<S>(
    stream: &mut S,
    services: &Services,
    settings: &EdgeSettings,
    stopping: &mut watch::Receiver<Stop>,
) -> Option<(Protocol, BytesMut, Option<Instant>)>
where
    S: AsyncRead + Unpin,
{
    let mut first = BytesMut::new();
    let silent_since = Instant::now();
    // A connection's first request may come as late as a head may.
    let mut until = silent_since + settings.head_timeout;
    let mut since = None;
    loop {
        let read = std::future::poll_fn(|cx| {
            poll_read_some(Pin::new(&mut *stream), cx, |bytes| {
                first.extend_from_slice(bytes);
                bytes.len()
            })
        });
        let read = tokio::select! {
            biased;
            read = read => read,
            _sender_gone = stopping.wait_for(|stop| *stop != Stop::No) => return None,
            () = Arc::clone(services.crowd()).quiet_since(silent_since), if since.is_none() => {
                return None;
            }
            () = sleep_until(until), if since.is_none() => {
                services.meters().met(Limit::HeadTime);
                return None;
            }
            // What stands there is no preface; HTTP/1.1 knows what to say of it.
            () = sleep_until(until) => return Some((Protocol::Http1, first, since)),
        };
        if !matches!(read, Ok(1..)) {
            let begun = read.is_ok() && since.is_some();
            return begun.then_some((Protocol::Http1, first, since));
        }
        let begun = *since.get_or_insert_with(Instant::now);
        if first.starts_with(PREFACE) {
            return Some((Protocol::Http2, first, since));
        }
        if !PREFACE.starts_with(&first) {
            return Some((Protocol::Http1, first, since));
        }
        until = begun + settings.head_timeout;
    }
}
