//! The handshake: from a connection's first bytes to a stream of clear text, within its time.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rustls::HandshakeKind;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use yett_gate::{ClientAddr, TlsSession};
use yett_jwt::UnixSeconds;

use super::Tls;
use super::session;
use crate::clock;
use crate::reread::Reread;

/// A TLS record's header; nothing shorter begins a handshake.
const RECORD_HEADER: usize = 5;

/// What became of a connection to a TLS listener.
pub(crate) enum Handshake<S> {
    /// It is encrypted.
    Done(Box<TlsStream<Reread<S>>>, Arc<TlsSession>),
    /// The client speaks HTTP in clear text: it can be told so.
    PlainHttp(Reread<S>),
    /// It took too long.
    Slow,
    /// It failed; the client got an alert if there is one for it, or has gone.
    Failed,
}

impl Tls {
    /// Makes a connection an encrypted one. Never waits longer than the settings say.
    pub(crate) async fn accept<S>(&self, stream: S, client: ClientAddr) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = async {
            let Some(stream) = look(stream).await else {
                // Probes of load balancers connect and leave: not worth counting.
                return Handshake::Failed;
            };
            // A TLS record begins with a byte below 32, every method of HTTP with a letter.
            if stream.first().first().is_some_and(u8::is_ascii_alphabetic) {
                let reason = String::from("it spoke HTTP in clear text");
                self.counters.failed(client, reason);
                return Handshake::PlainHttp(stream);
            }
            match self.secure(stream, clock::unix_seconds).await {
                Ok((stream, session)) => Handshake::Done(Box::new(stream), Arc::new(session)),
                Err(error) => {
                    self.counters.failed(client, error.to_string());
                    Handshake::Failed
                }
            }
        };
        // Boxed: a handshake needs far more room than the connection after it.
        let handshake = Box::pin(handshake);
        let Ok(outcome) = timeout(self.settings.handshake_timeout, handshake).await else {
            self.counters
                .failed(client, String::from("it took too long"));
            return Handshake::Slow;
        };
        outcome
    }

    /// `now` is asked when the handshake is done.
    pub(super) async fn secure<S>(
        &self,
        stream: Reread<S>,
        now: impl FnOnce() -> UnixSeconds,
    ) -> io::Result<(TlsStream<Reread<S>>, TlsSession)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Until the client has said hello, nothing is held for it but a buffer.
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        // What is in force now is this connection's to its end.
        let loaded = self.current.load_full();
        let certificate = loaded
            .choice
            .of(&hello.client_hello())
            .map(|one| Arc::clone(&one.pem))
            .unwrap_or_default();
        let mut stream = hello.into_stream(Arc::clone(&loaded.config)).await?;
        let (_, connection) = stream.get_ref();
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        let trusted = if resumed {
            session::trusted(connection, &*loaded.clients, now())
        } else {
            Ok(())
        };
        let session = match trusted {
            Ok(()) => session::session(connection, certificate)
                .ok_or_else(|| String::from("the client's certificate cannot be understood")),
            Err(error) => Err(format!("the resumed session's client certificate: {error}")),
        };
        let session = match session {
            Ok(session) => session,
            Err(reason) => {
                // For the client the handshake is done: the connection ends in order.
                let _gone = stream.shutdown().await;
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        };
        if resumed {
            self.counters.resumed();
        } else {
            self.counters.full();
        }
        Ok((stream, session))
    }
}

/// Waits for the first bytes. `None`: the stream ended or failed before any.
async fn look<S: AsyncRead + Unpin>(mut stream: S) -> Option<Reread<S>> {
    let mut first = [0; RECORD_HEADER];
    let count = stream.read(&mut first).await.ok()?;
    let first = first.get(..count).filter(|first| !first.is_empty())?;
    Some(Reread::new(Bytes::copy_from_slice(first), stream))
}
